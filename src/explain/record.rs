//! The account of one request: which texts were looked at, and what became of every unit of them.

use std::{borrow::Cow, sync::Arc};

use crate::{
    compress::{Condensation, Decision, Outcome, Unit, text::exact},
    engine::Tenant,
    fidelity::{State, Verdict},
};

/// The account of one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The request's id, as in `x-headroom-request-id`.
    pub id: String,
    /// Whose credential the request carried; `None` where it carried none. Never shown.
    pub owner: Option<Tenant>,
    /// When it came, in milliseconds since 1970.
    pub at_ms: u64,
    /// The surface that it was posted to; empty where nobody posted it.
    pub surface: &'static str,
    /// The model that it asked for.
    pub model: Option<String>,
    /// What was done with it: `compressed`, `unchanged`, `audit`.
    pub outcome: &'static str,
    /// Why it went on unchanged; empty otherwise.
    pub reason: &'static str,
    /// Time that compression held it back, in milliseconds.
    pub took_ms: f64,
    /// Every slot that was considered, in order.
    pub slots: Vec<SlotRecord>,
}

impl Record {
    /// Tokens of the slots considered, before and after.
    #[must_use]
    pub fn tokens(&self) -> (usize, usize) {
        let sum = |(before, after), (b, a)| (before + b, after + a);
        self.slots.iter().map(SlotRecord::tokens).fold((0, 0), sum)
    }

    /// Bytes that it holds, near enough.
    pub(super) fn weight(&self) -> usize {
        let unit = |u: &Unit| size_of::<Unit>() + u.text.as_ref().map_or(0, String::len);
        let slot = |s: &SlotRecord| {
            let units: usize = s.condensation.units.iter().map(unit).sum();
            let findings = s.verdict.as_deref().map_or(&[][..], |verdict| &verdict.findings);
            let said: usize = findings.iter().map(|f| size_of_val(f) + f.quote.len() + f.answer.len()).sum();
            size_of::<SlotRecord>() + s.original.len() + s.condensation.text().map_or(0, str::len) + units + said
        };
        let named = self.id.len() + self.model.as_ref().map_or(0, String::len);
        size_of::<Self>() + named + self.slots.iter().map(slot).sum::<usize>()
    }
}

/// What became of one slot.
#[derive(Debug, Clone, PartialEq)]
pub struct SlotRecord {
    /// Index of the message in `messages`, or of the item in `input`.
    pub message: usize,
    /// Index of the part in the message's content; absent for string content.
    pub part: Option<usize>,
    /// `user` or `tool`.
    pub role: &'static str,
    /// The rule that holds for it, by its name.
    pub rule: Option<Arc<str>>,
    /// Why a rule leaves it as it is, without a look: `exact` or `off`.
    pub left: Option<&'static str>,
    /// Whether there is a condensed text that may stand for the original.
    pub accepted: bool,
    /// Whether it was forwarded; false in audit mode and where the original went on.
    pub forwarded: bool,
    /// Whether the decision was known before.
    pub cached: bool,
    /// Time that the pipeline took when it was computed, in milliseconds.
    pub took_ms: f64,
    /// The text as it came, bit for bit.
    pub original: Arc<str>,
    /// The decision, with every unit.
    pub condensation: Arc<Condensation>,
    /// What the fidelity check said, once it has.
    pub verdict: Option<Arc<Verdict>>,
}

impl SlotRecord {
    /// The text as it came, bit for bit.
    #[must_use]
    pub fn restore(&self) -> &str {
        &self.original
    }

    /// The text that the decision stands for, as it is sent; the original where that goes on.
    #[must_use]
    pub fn condensed(&self) -> Cow<'_, str> {
        match self.condensation.text().filter(|_| self.accepted) {
            // Tags that a user put in are taken out on the way.
            Some(text) if self.role == "user" => exact::untagged(text),
            Some(text) => Cow::Borrowed(text),
            None => Cow::Borrowed(&self.original),
        }
    }

    /// One word on the decision: `compressed`, or the reason why not; what a rule says of a text that it leaves as it is.
    #[must_use]
    pub fn decision(&self) -> &'static str {
        if let Some(left) = self.left {
            return left;
        }
        match &self.condensation.outcome {
            Outcome::Compressed(_) if self.accepted => "compressed",
            // A text that its request does not accept counts as protected, as in the headers.
            Outcome::Compressed(_) => "protected",
            Outcome::Unchanged(reason) => reason.as_str(),
        }
    }

    /// Tokens before and after.
    #[must_use]
    pub fn tokens(&self) -> (usize, usize) {
        let Condensation { tokens_before, tokens_after, .. } = *self.condensation;
        (tokens_before, if self.accepted { tokens_after } else { tokens_before })
    }

    /// Each unit with its part of the original.
    pub fn units(&self) -> impl Iterator<Item = (usize, &Unit, &str)> {
        let text = |unit: &Unit| self.original.get(unit.span.clone()).unwrap_or_default();
        self.condensation.units.iter().enumerate().map(move |(at, unit)| (at, unit, text(unit)))
    }

    /// Units by their fate: kept, rewritten, dropped.
    #[must_use]
    pub fn fates(&self) -> [usize; 3] {
        let count = |fate| self.condensation.units.iter().filter(|unit| unit.decision == fate).count();
        [Decision::Kept, Decision::Rewritten, Decision::Dropped].map(count)
    }

    /// The units whose shorter form the guard refused, and why.
    pub fn refused(&self) -> impl Iterator<Item = (usize, String)> {
        self.condensation.units.iter().enumerate().filter_map(|(at, unit)| Some((at, refusal(unit)?)))
    }
}

/// Why the guard refused a unit's shorter form, where it did.
pub(super) fn refusal(unit: &Unit) -> Option<String> {
    unit.refused().map(|violation| violation.to_string())
}

/// A verdict in a few words.
pub(super) fn state(verdict: &Verdict) -> String {
    match verdict.state {
        State::Passed => "passed".to_owned(),
        State::Flagged => "flagged".to_owned(),
        State::Unchecked(why) => format!("not checked ({})", why.as_str()),
    }
}

/// The share of tokens saved, in per cent.
pub(super) fn saved((before, after): (usize, usize)) -> usize {
    (before.saturating_sub(after) * 100).checked_div(before).unwrap_or(0)
}

/// Milliseconds since 1970 as `2026-01-31 14:05:09 UTC`.
pub(super) fn when(at_ms: u64) -> String {
    let seconds = at_ms / 1000;
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    // Days are counted from 1 March of the year 0, so that a leap day ends its year (H. Hinnant, `civil_from_days`).
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}
