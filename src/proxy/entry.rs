//! The entry of one request in the ledger: begun when its texts are decided, ended when its answer has told what it cost.
//!
//! What a token that was left out would have cost depends on where it stood: in the part of the prompt that the provider
//! read from its cache, in the part that it wrote there, or after both. A cache holds a beginning of the prompt, so that is
//! told by how far into it the text stands, which its place in the body tells well enough.
//!
//! What the model read again of what was left out has its price too: its tokens at their place in every request that has
//! them, the call that the model wrote, and all of a request that was sent for nothing else. What such a request saved is
//! no saving either, since without anything left out there would have been no such request.

use std::{
    ops::Range,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    Mode, Proxy,
    account::{Account, Outcome},
    record::Looked,
    rules,
    slots::Decided,
};
use crate::{
    compress::{CountTokens as _, Encoding, Form},
    engine::Tenant,
    ledger::{Figures, Holdout, Ledger, Money, Place, Rates, Reads, Texts, Turn, Usage},
    wire::Role,
};

/// An entry that is not ended yet. It is written when it is dropped.
#[derive(Debug)]
pub(crate) struct Entry {
    figures: Figures,
    /// Where tokens were left out.
    cuts: Vec<Cut>,
    reads: Vec<Read>,
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

/// What the model read again of a text.
#[derive(Debug, Clone, PartialEq)]
struct Read {
    /// The part of the forwarded body that it is, 0 to 1.
    at: Range<f64>,
    tokens: u64,
    /// Tokens of the call, where it is new: the model wrote them.
    called: u64,
}

impl Proxy {
    /// The entry of a request that was looked at; `None` where none is kept.
    pub(crate) fn entry(&self, account: &Account, owner: Option<Tenant>, looked: &Looked<'_>) -> Option<Entry> {
        let ledger = self.ledger.as_ref().filter(|_| !account.counts_tokens())?;
        let forwards = matches!(account.outcome, Outcome::Compressed(_));
        let place = looked.decided.map_or(Place::Outside, |decided| decided.place);
        let Summed { texts, cuts, reads, read } =
            looked.decided.map(|decided| sums(decided, ledger, forwards)).unwrap_or_default();
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
            reads: read,
            ..Figures::default()
        };
        Some(Entry {
            figures,
            cuts,
            reads,
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
            let each = each(&rates, parts(&self.place(&cut.at, &usage), ends));
            if let Some(saved) = saved.get_mut(cut.group) {
                *saved += each * cut.tokens as f64;
            }
        }
        for (texts, saved) in self.figures.texts.iter_mut().zip(&saved) {
            texts.saved_nano = saved.round() as i64;
        }
        let saved_nano = self.figures.texts.iter().map(|texts| texts.saved_nano).sum();
        let read = |read: &Read| each(&rates, parts(&self.place(&read.at, &usage), ends)) * read.tokens as f64;
        let called: f64 = self.reads.iter().map(|read| read.called as f64 * rates.output).sum();
        let read_nano = match self.figures.reads.turn {
            true => (prompt + called).round() as i64 + saved_nano,
            false => (self.reads.iter().map(read).sum::<f64>() + called).round() as i64,
        };
        self.figures.money = Some(Money { paid_nano: rates.paid(&usage).round() as i64, saved_nano, read_nano });
        let (before, after) = self.figures.tokens();
        let whole = usage.prompt + usage.completion + before.saturating_sub(after);
        self.figures.beyond_context = price.context.is_some_and(|context| whole > context);
    }

    /// The tokens of the prompt among which a text stands.
    fn place(&self, at: &Range<f64>, usage: &Usage) -> Range<f64> {
        let prompt = usage.prompt as f64;
        // What is new stands behind what was stored, of which as much as possible comes from the cache.
        let before = if self.goes_on { usage.cached as f64 } else { 0.0 };
        let place = |share: f64| before + share * (prompt - before);
        place(at.start)..place(at.end)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.figures.at_s = now.as_secs();
        self.ledger.add(std::mem::take(&mut self.figures));
    }
}

/// What a token costs on average of which these shares are cached, written and fresh.
fn each(rates: &Rates, [cached, written, fresh]: [f64; 3]) -> f64 {
    cached * rates.cached + written * rates.written + fresh * rates.fresh
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

/// What of a request matters for its price.
#[derive(Debug, Default)]
struct Summed {
    /// By tool and kind.
    texts: Vec<Texts>,
    cuts: Vec<Cut>,
    reads: Vec<Read>,
    read: Reads,
}

/// The texts of a request by tool and kind, where tokens were left out, and where some were read again.
fn sums(decided: &Decided, ledger: &Ledger, forwards: bool) -> Summed {
    let (list, whole) = (&decided.located.list, decided.body.len() as f64);
    // Tools and instructions come first in a prompt, wherever they stand in the body.
    let outside = whole - list.len() as f64;
    let (mut summed, mut gone) = (Summed::default(), 0.0);
    let mut replies = decided.replies.iter().peekable();
    let mut counted = Counted { encoding: decided.encoding(), left: MOST_COUNTED };
    for (index, slot) in decided.located.slots.iter().enumerate() {
        let reply = replies.next_if(|(of, _)| *of == index).map(|(_, reply)| reply);
        let literal = slot.literal.len() as f64;
        let start = outside + slot.literal.start.saturating_sub(list.start) as f64 - gone;
        if let Some(call) = slot.call.as_ref().filter(|_| rules::reads_original(slot)) {
            let is_new = slot.message >= decided.located.new;
            let called = counted.tokens(&call.name) + counted.tokens(&call.arguments);
            let tokens = counted.tokens(&slot.text) + called;
            summed.read.reads += u64::from(is_new);
            summed.read.tokens += tokens;
            let called = if is_new { called } else { 0 };
            summed.reads.push(Read { at: start..start + literal, tokens, called });
        }
        let Some(reply) = reply else { continue };
        let condensation = &*reply.condensation;
        let shorter = decided.accepted(index, condensation);
        let shorter = shorter.filter(|_| forwards && decided.mode(index) == Mode::Compress);
        let before = condensation.tokens_before as u64;
        let after = if shorter.is_some() { condensation.tokens_after as u64 } else { before };
        let tool = slot.call.as_ref().filter(|_| slot.role == Role::Tool).map_or("", |call| call.name.as_str());
        let (tool, kind) = (ledger.tools().keep(tool), condensation.form().map_or("", Form::as_str));
        let known = summed.texts.iter().position(|texts| texts.tool == tool && texts.kind == kind);
        let group = known.unwrap_or_else(|| {
            summed.texts.push(Texts { tool, kind, ..Texts::default() });
            summed.texts.len() - 1
        });
        if let Some(texts) = summed.texts.get_mut(group) {
            texts.texts += 1;
            texts.condensed += u64::from(shorter.is_some());
            texts.before += before;
            texts.after += after;
        }
        let Some(shorter) = shorter else { continue };
        let stays = literal * (shorter.len() as f64 / slot.text.len().max(1) as f64).min(1.0);
        gone += literal - stays;
        summed.cuts.push(Cut { at: start..start + stays, tokens: before.saturating_sub(after), group });
    }
    let forwarded = whole - gone;
    for at in summed.cuts.iter_mut().map(|cut| &mut cut.at).chain(summed.reads.iter_mut().map(|read| &mut read.at)) {
        *at = at.start / forwarded..at.end / forwarded;
    }
    let mut new = decided.located.slots.iter().filter(|slot| slot.message >= decided.located.new).peekable();
    summed.read.turn = new.peek().is_some() && new.all(|slot| rules::reads_original(slot));
    summed
}

/// Counts tokens of texts that were not counted yet, without taking long.
struct Counted {
    encoding: Encoding,
    /// Bytes that are still counted; what comes behind them is taken to be four a token.
    left: usize,
}

impl Counted {
    fn tokens(&mut self, text: &str) -> u64 {
        let (counted, rest) = text.split_at(text.floor_char_boundary(self.left));
        self.left -= counted.len();
        (self.encoding.count(counted) + rest.len() / BYTES_OF_A_TOKEN) as u64
    }
}

/// Bytes of what was read again that are counted in one request: well below a millisecond's work.
const MOST_COUNTED: usize = 16 << 10;

/// Bytes of a token, about.
const BYTES_OF_A_TOKEN: usize = 4;

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
            reads: Vec::new(),
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
            assert_eq!(
                entry.figures.money,
                Some(Money { paid_nano: paid, saved_nano: saved, read_nano: 0 }),
                "{cached} {goes_on}"
            );
        }
    }

    #[test]
    fn what_is_read_again_is_taken_off_what_was_saved() {
        let usage = Usage { prompt: 1000, cached: 600, completion: 10, ..Usage::default() };
        let money = |turn| {
            let mut entry = entry(false);
            entry.figures.reads = Reads { reads: 1, turn, tokens: 110 };
            // One in the cached part, one in the fresh one, whose call is new.
            entry.reads =
                vec![Read { at: 0.5..0.6, tokens: 100, called: 0 }, Read { at: 0.9..1.0, tokens: 10, called: 3 }];
            entry.answered(false, Some(usage));
            entry.figures.money.unwrap()
        };
        assert_eq!(money(false).read_nano, 100 * 500 + 10 * 2000 + 3 * 8000);
        // Without it nothing would have been sent, nor saved.
        let alone = money(true);
        assert_eq!(alone.net_nano(), -(600 * 500 + 400 * 2000 + 3 * 8000));
    }

    #[test]
    fn what_is_not_counted_is_taken_for_four_bytes_a_token() {
        let mut counted = Counted { encoding: Encoding::O200k, left: 6 };
        assert_eq!(counted.tokens("word"), 1);
        assert_eq!(counted.tokens("aé word word"), 1 + 12 / 4, "no letter is cut");
        assert_eq!((counted.tokens("words and"), counted.left), (1 + 8 / 4, 0));
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
