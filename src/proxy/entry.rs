//! The entry of one request in the ledger: begun when its texts are decided, ended when its answer has told what it cost.
//!
//! What a token that was left out would have cost depends on where it stood: in the part of the prompt that the provider
//! read from its cache, in the part that it wrote there, or after both. A cache holds a beginning of the prompt, so that is
//! told by how far into it the text stands, which its place in the body tells well enough.

use std::{
    ops::Range,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    Mode, Proxy,
    account::{Account, Outcome},
    record::Looked,
    slots::Decided,
};
use crate::{
    compress::Form,
    engine::Tenant,
    ledger::{Figures, Holdout, Ledger, Money, Place, Texts, Turn, Usage},
    wire::Role,
};

/// An entry that is not ended yet. It is written when it is dropped.
#[derive(Debug)]
pub(crate) struct Entry {
    figures: Figures,
    /// Where tokens were left out.
    cuts: Vec<Cut>,
    /// The body holds the end of the prompt alone; what comes before it is stored with the provider.
    goes_on: bool,
    cached_share: f64,
    ledger: Arc<Ledger>,
    /// Where the provider's name of the answer is awaited; `None` once it is known, or of no use.
    holdout: Option<Arc<Holdout>>,
    tenant: [u8; 16],
}

/// Tokens left out of one text.
#[derive(Debug, Clone, PartialEq)]
struct Cut {
    /// The part of the forwarded body that the text is, 0 to 1.
    at: Range<f64>,
    tokens: u64,
    /// Its group among the figures' texts.
    group: usize,
}

impl Proxy {
    /// The entry of a request that was looked at; `None` where none is kept.
    pub(crate) fn entry(&self, account: &Account, owner: Option<Tenant>, looked: &Looked<'_>) -> Option<Entry> {
        let ledger = self.ledger.as_ref().filter(|_| !account.counts_tokens())?;
        let forwards = matches!(account.outcome, Outcome::Compressed(_));
        let place = looked.decided.map_or(Place::Outside, |decided| decided.place);
        let (texts, cuts) = looked.decided.map(|decided| sums(decided, ledger, forwards)).unwrap_or_default();
        let figures = Figures {
            surface: match account.surface() {
                "" => "handed",
                surface => surface,
            },
            model: ledger.models().keep(account.model.as_deref().unwrap_or_default()),
            tenant: self.clients.called(looked.headers),
            outcome: account.outcome.as_str(),
            arm: place.arm(),
            turn: looked.decided.and_then(turn),
            texts,
            ..Figures::default()
        };
        Some(Entry {
            figures,
            cuts,
            goes_on: looked.decided.is_some_and(|decided| decided.located.from.is_some()),
            cached_share: self.config.cached_token_price,
            ledger: Arc::clone(ledger),
            holdout: self.holdout.clone().filter(|_| matches!(place, Place::In(..))),
            tenant: owner.unwrap_or_default().0,
        })
    }
}

impl Entry {
    /// Whether it matters by which name the provider stores the answer.
    pub(crate) fn awaits_name(&self) -> bool {
        self.holdout.is_some()
    }

    /// The provider stores the answer by this name.
    pub(crate) fn stored(&mut self, name: &str) {
        if let (Some(holdout), Some(turn)) = (self.holdout.take(), &self.figures.turn) {
            holdout.remember(self.tenant, name, turn.conversation);
        }
    }

    /// The answer has ended: what it told of tokens. Gives whether the conversation only fits its model condensed.
    pub(crate) fn answered(&mut self, failed: bool, usage: Option<Usage>) -> bool {
        self.figures.failed = failed;
        if let Some(usage) = usage {
            self.price(usage);
        }
        self.figures.beyond_context
    }

    /// What the request cost, and what would have come besides, where that is known.
    pub(crate) fn money(&self) -> Option<Money> {
        self.figures.money
    }

    fn price(&mut self, usage: Usage) {
        self.figures.usage = Some(usage);
        let price = self.ledger.prices().of(&self.figures.model);
        let Some(price) = price else {
            let billed = usage.fresh() as f64 + usage.written as f64 + usage.cached as f64 * self.cached_share;
            self.figures.billed = Some(billed.round() as u64);
            return;
        };
        let rates = price.rates(&usage);
        let prompt = rates.paid(&Usage { completion: 0, ..usage });
        let billed = if rates.fresh > 0.0 { prompt / rates.fresh } else { usage.prompt as f64 };
        self.figures.billed = Some(billed.round() as u64);
        let ends = [usage.cached as f64, (usage.cached + usage.written) as f64, usage.prompt as f64];
        let mut saved = vec![0.0; self.figures.texts.len()];
        for cut in &self.cuts {
            let [cached, written, fresh] = parts(&self.place(cut, &usage), ends);
            let each = cached * rates.cached + written * rates.written + fresh * rates.fresh;
            if let Some(saved) = saved.get_mut(cut.group) {
                *saved += each * cut.tokens as f64;
            }
        }
        for (texts, saved) in self.figures.texts.iter_mut().zip(&saved) {
            texts.saved_nano = saved.round() as i64;
        }
        let saved_nano = self.figures.texts.iter().map(|texts| texts.saved_nano).sum();
        self.figures.money = Some(Money { paid_nano: rates.paid(&usage).round() as i64, saved_nano });
        let (before, after) = self.figures.tokens();
        let whole = usage.prompt + usage.completion + before.saturating_sub(after);
        self.figures.beyond_context = price.context.is_some_and(|context| whole > context);
    }

    /// The tokens of the prompt among which a text stands.
    fn place(&self, cut: &Cut, usage: &Usage) -> Range<f64> {
        let prompt = usage.prompt as f64;
        // What is new stands behind what was stored, of which as much as possible comes from the cache.
        let before = if self.goes_on { usage.cached as f64 } else { 0.0 };
        let at = |share: f64| before + share * (prompt - before);
        at(cut.at.start)..at(cut.at.end)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.figures.at_s = now.as_secs();
        self.ledger.add(std::mem::take(&mut self.figures));
    }
}

/// The shares of a stretch of the prompt that end before each of these ends, of which each begins where the last ended.
fn parts(at: &Range<f64>, ends: [f64; 3]) -> [f64; 3] {
    let length = at.end - at.start;
    let mut begin = 0.0;
    ends.map(|end| {
        let share = match length > 0.0 {
            true => (at.end.min(end) - at.start.max(begin)).max(0.0) / length,
            false => f64::from(at.start >= begin && at.start < end),
        };
        begin = end;
        share
    })
}

/// The texts of a request by tool and kind, and where tokens were left out.
fn sums(decided: &Decided, ledger: &Ledger, forwards: bool) -> (Vec<Texts>, Vec<Cut>) {
    let (list, whole) = (&decided.located.list, decided.body.len() as f64);
    // Tools and instructions come first in a prompt, wherever they stand in the body.
    let outside = whole - list.len() as f64;
    let (mut texts, mut cuts, mut gone): (Vec<Texts>, Vec<Cut>, f64) = (Vec::new(), Vec::new(), 0.0);
    for (index, reply) in &decided.replies {
        let Some(slot) = decided.located.slots.get(*index) else { continue };
        let condensation = &*reply.condensation;
        let shorter = decided.accepted(*index, condensation);
        let shorter = shorter.filter(|_| forwards && decided.mode(*index) == Mode::Compress);
        let before = condensation.tokens_before as u64;
        let after = if shorter.is_some() { condensation.tokens_after as u64 } else { before };
        let tool = slot.call.as_ref().filter(|_| slot.role == Role::Tool).map_or("", |call| call.name.as_str());
        let (tool, kind) = (ledger.tools().keep(tool), condensation.form().map_or("", Form::as_str));
        let known = texts.iter().position(|texts| texts.tool == tool && texts.kind == kind);
        let group = known.unwrap_or_else(|| {
            texts.push(Texts { tool, kind, ..Texts::default() });
            texts.len() - 1
        });
        if let Some(texts) = texts.get_mut(group) {
            texts.texts += 1;
            texts.condensed += u64::from(shorter.is_some());
            texts.before += before;
            texts.after += after;
        }
        let Some(shorter) = shorter else { continue };
        let literal = slot.literal.len() as f64;
        let stays = literal * (shorter.len() as f64 / slot.text.len().max(1) as f64).min(1.0);
        let start = outside + slot.literal.start.saturating_sub(list.start) as f64 - gone;
        gone += literal - stays;
        cuts.push(Cut { at: start..start + stays, tokens: before.saturating_sub(after), group });
    }
    for cut in &mut cuts {
        cut.at = cut.at.start / (whole - gone)..cut.at.end / (whole - gone);
    }
    (texts, cuts)
}

/// The place of a request in its conversation.
fn turn(decided: &Decided) -> Option<Turn> {
    let Place::In(conversation, _) = decided.place else { return None };
    // Every turn adds to the list of messages, so its length and its end tell one from another.
    let list = decided.body.get(decided.located.list.clone()).unwrap_or_default();
    let end = list.split_at(list.len().saturating_sub(END)).1;
    let mut hash = blake3::Hasher::new_derive_key("headroom turn of a conversation, version 1");
    hash.update(&(list.len() as u64).to_le_bytes()).update(end);
    hash.update(decided.located.from.as_deref().unwrap_or_default().as_bytes());
    let mut said = [0; 8];
    said.copy_from_slice(hash.finalize().as_bytes().split_at(8).0);
    Some(Turn { conversation, said, eligible: decided.is_eligible() })
}

/// Bytes at the end of a list of messages that tell it from others.
const END: usize = 4 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_left_out_costs_what_its_place_does() {
        let ends = [600.0, 900.0, 1000.0];
        assert_eq!(parts(&(0.0..100.0), ends), [1.0, 0.0, 0.0]);
        assert_eq!(parts(&(600.0..700.0), ends), [0.0, 1.0, 0.0]);
        assert_eq!(parts(&(500.0..700.0), ends), [0.5, 0.5, 0.0]);
        assert_eq!(parts(&(900.0..1000.0), ends), [0.0, 0.0, 1.0]);
        assert_eq!(parts(&(950.0..950.0), ends), [0.0, 0.0, 1.0]);
        assert_eq!(parts(&(0.0..1000.0), [0.0, 0.0, 1000.0]), [0.0, 0.0, 1.0]);
    }

    fn entry(goes_on: bool) -> Entry {
        let texts = vec![Texts { texts: 1, condensed: 1, before: 900, after: 100, ..Texts::default() }];
        Entry {
            figures: Figures { model: Arc::from("gpt-4.1"), texts, ..Figures::default() },
            cuts: vec![Cut { at: 0.0..0.5, tokens: 800, group: 0 }],
            goes_on,
            cached_share: 0.25,
            ledger: Arc::default(),
            holdout: None,
            tenant: [0; 16],
        }
    }

    #[test]
    fn what_would_have_been_read_from_the_cache_counts_at_that_price() {
        // Dollars for a million: 2 fresh, 0.5 cached, 8 the answer.
        for (cached, goes_on, saved) in
            [(1000, false, 400_000), (0, false, 1_600_000), (500, false, 400_000), (500, true, 1_600_000)]
        {
            let mut entry = entry(goes_on);
            entry.answered(false, Some(Usage { prompt: 1000, cached, completion: 10, ..Usage::default() }));
            let paid = cached as i64 * 500 + (1000 - cached as i64) * 2000 + 10 * 8000;
            assert_eq!(entry.figures.money, Some(Money { paid_nano: paid, saved_nano: saved }), "{cached} {goes_on}");
        }
    }

    #[test]
    fn a_conversation_that_only_fits_condensed_is_told() {
        for (prompt, beyond) in [(1_046_000, false), (1_047_000, true)] {
            let mut entry = entry(false);
            entry.answered(false, Some(Usage { prompt, ..Usage::default() }));
            assert_eq!(entry.figures.beyond_context, beyond);
        }
    }

    #[test]
    fn a_model_without_a_price_is_told_in_tokens_alone() {
        let mut entry = entry(false);
        entry.figures.model = Arc::from("qwen2.5");
        entry.answered(false, Some(Usage { prompt: 1000, cached: 400, ..Usage::default() }));
        assert_eq!((entry.figures.money, entry.figures.billed), (None, Some(700)));
    }
}
