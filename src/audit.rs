//! What condensing saves, or would save, summed over requests: figures alone, no text. A running proxy sums its audits;
//! `headroom audit` sums a recorded conversation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    compress::form_of,
    explain::{Record, SlotRecord},
    fidelity::{State, Verdict},
};

/// The sums. Every name in it comes from a fixed list, so it stays small.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Requests looked at.
    pub requests: u64,
    /// Requests of which no text would be condensed, by reason.
    pub passed: BTreeMap<String, u64>,
    /// Texts considered, by role and by the kind that most of the text is of.
    pub groups: BTreeMap<String, BTreeMap<String, Sums>>,
    /// Texts that would go on as they are, by reason.
    pub unchanged: BTreeMap<String, u64>,
    /// Texts whose decision was known before; what follows is about the others.
    pub known: u64,
    /// Units kept word for word, rewritten, dropped.
    pub units: [u64; 3],
    /// Units whose shorter form the guard refused, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Texts that the fidelity check looked at.
    pub checked: u64,
    /// Texts that it flagged.
    pub flagged: u64,
    /// Units of these that would stand verbatim.
    pub flagged_units: u64,
    /// Tokens that the pipeline worked on.
    pub computed_tokens: u64,
    /// Milliseconds that it took.
    pub computed_ms: f64,
}

/// Sums over texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// Texts considered.
    pub texts: u64,
    /// Texts for which there is a shorter form.
    pub condensed: u64,
    /// Target tokens as they came.
    pub tokens_before: u64,
    /// Target tokens as they would be forwarded.
    pub tokens_after: u64,
}

impl Sums {
    /// The share of tokens saved, in per cent.
    #[must_use]
    pub fn saved(&self) -> f64 {
        percent(self.tokens_before.saturating_sub(self.tokens_after), self.tokens_before)
    }

    fn add(&mut self, other: &Self) {
        self.texts += other.texts;
        self.condensed += other.condensed;
        self.tokens_before += other.tokens_before;
        self.tokens_after += other.tokens_after;
    }
}

/// A part of a whole in per cent; 0 of nothing.
#[must_use]
pub fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

impl Report {
    /// Adds a request.
    pub fn add(&mut self, record: &Record) {
        self.requests += 1;
        if !record.reason.is_empty() {
            *self.passed.entry(record.reason.to_owned()).or_default() += 1;
        }
        for slot in &record.slots {
            self.add_slot(slot);
        }
    }

    fn add_slot(&mut self, slot: &SlotRecord) {
        let (before, after) = slot.tokens();
        let (tokens_before, tokens_after) = (before as u64, after as u64);
        let sums = Sums { texts: 1, condensed: u64::from(slot.accepted), tokens_before, tokens_after };
        self.groups
            .entry(slot.role.to_owned())
            .or_default()
            .entry(form_of(&slot.original).as_str().to_owned())
            .or_default()
            .add(&sums);
        if !slot.accepted {
            *self.unchanged.entry(slot.decision().to_owned()).or_default() += 1;
        }
        if slot.cached {
            self.known += 1;
            return;
        }
        for (sum, count) in self.units.iter_mut().zip(slot.fates()) {
            *sum += count as u64;
        }
        for (_, why) in slot.refused() {
            *self.refused.entry(why).or_default() += 1;
        }
        if let Some(verdict) = &slot.verdict {
            self.judge(verdict);
        }
        self.computed_tokens += tokens_before;
        self.computed_ms += slot.took_ms;
    }

    /// Adds the verdict on a text that was not known before; also one that comes after its request.
    pub fn judge(&mut self, verdict: &Verdict) {
        self.checked += u64::from(matches!(verdict.state, State::Passed | State::Flagged));
        self.flagged += u64::from(verdict.state == State::Flagged);
        self.flagged_units += verdict.flagged().len() as u64;
    }

    /// The sums over all texts.
    #[must_use]
    pub fn total(&self) -> Sums {
        let mut total = Sums::default();
        self.groups.values().flat_map(BTreeMap::values).for_each(|sums| total.add(sums));
        total
    }

    /// Milliseconds of the pipeline for a thousand tokens.
    #[must_use]
    pub fn ms_per_1000(&self) -> f64 {
        if self.computed_tokens == 0 { 0.0 } else { self.computed_ms * 1000.0 / self.computed_tokens as f64 }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::compress::{
        Condensation, Decision, Form, Noun, Outcome, Reason, Unit, Why,
        guard::{Fault, Violation},
        text::atoms::AtomKind,
    };

    fn slot(role: &'static str, condensation: Condensation, cached: bool) -> SlotRecord {
        SlotRecord {
            message: 0,
            part: None,
            role,
            rule: None,
            left: None,
            accepted: condensation.text().is_some(),
            forwarded: false,
            cached,
            took_ms: 5.0,
            original: "A sentence about a harbour. Another one.".into(),
            condensation: Arc::new(condensation),
            verdict: None,
        }
    }

    #[test]
    fn what_would_be_saved_is_summed_and_what_was_known_is_not_worked_on_again() {
        let unit = Unit {
            span: 0..5,
            form: Form::Prose,
            score: Some(0.5),
            redundancy: crate::compress::Redundancy::default(),
            decision: Decision::Kept,
            why: Why::Refused(Violation { reason: Fault::Lost, kind: Some(AtomKind::Number) }),
            text: None,
            noun: Noun::Sentences,
            count: 1,
            ends: None,
            escaped: 0,
        };
        let shorter = Condensation {
            outcome: Outcome::Compressed("short".to_owned()),
            tokens_before: 100,
            tokens_after: 25,
            choice: None,
            original: None,
            hurried: false,
            units: vec![unit],
        };
        let slots = vec![
            slot("user", shorter.clone(), false),
            slot("user", shorter, true),
            slot("tool", Condensation::unchanged(Reason::NoGain, 50), false),
        ];
        let (id, model) = (String::new(), None);
        let record =
            Record { id, owner: None, at_ms: 0, surface: "", model, outcome: "audit", reason: "", took_ms: 1.0, slots };
        let mut report = Report::default();
        report.add(&record);
        let total = report.total();
        assert_eq!(total, Sums { texts: 3, condensed: 2, tokens_before: 250, tokens_after: 100 });
        assert_eq!((total.saved(), report.ms_per_1000()), (60.0, 10.0 * 1000.0 / 150.0));
        assert_eq!((report.known, report.units, report.refused["lost (number)"]), (1, [1, 0, 0], 1));
        assert_eq!((report.unchanged["no_gain"], report.groups["tool"]["prose"].texts), (1, 1));
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
    }
}
