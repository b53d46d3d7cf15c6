//! A record as JSON, and the list of records, which holds no text.

use std::borrow::Cow;

use serde::Serialize;

use super::{
    Record, SlotRecord,
    record::{refusal, when},
};
use crate::{
    compress::{Unit, UnitAccount},
    fidelity::Verdict,
};

/// The record as JSON.
#[must_use]
pub fn json(record: &Record) -> Vec<u8> {
    let page = Page { summary: Summary::of(record), slots: record.slots.iter().map(SlotPage::of).collect() };
    // Nothing in it can fail to be written: no maps with odd keys, no writer.
    serde_json::to_vec(&page).unwrap_or_default()
}

/// What a list says of a record.
#[derive(Debug, Clone, Serialize)]
pub struct Summary<'a> {
    id: &'a str,
    at_ms: u64,
    at: String,
    surface: Option<&'static str>,
    model: Option<&'a str>,
    outcome: &'static str,
    reason: Option<&'static str>,
    tokens_before: usize,
    tokens_after: usize,
    took_ms: f64,
    texts: usize,
}

impl<'a> Summary<'a> {
    /// The summary of a record.
    #[must_use]
    pub fn of(record: &'a Record) -> Self {
        let (tokens_before, tokens_after) = record.tokens();
        Self {
            id: &record.id,
            at_ms: record.at_ms,
            at: when(record.at_ms),
            surface: (!record.surface.is_empty()).then_some(record.surface),
            model: record.model.as_deref(),
            outcome: record.outcome,
            reason: (!record.reason.is_empty()).then_some(record.reason),
            tokens_before,
            tokens_after,
            took_ms: millis(record.took_ms),
            texts: record.slots.len(),
        }
    }
}

#[derive(Serialize)]
struct Page<'a> {
    #[serde(flatten)]
    summary: Summary<'a>,
    slots: Vec<SlotPage<'a>>,
}

/// What every account of a text begins with.
#[derive(Serialize)]
pub(super) struct Head<'a> {
    message: usize,
    part: Option<usize>,
    role: &'static str,
    /// The name of the rule that holds for it.
    rule: Option<&'a str>,
    decision: &'static str,
    forwarded: bool,
    took_ms: f64,
    tokens_before: usize,
    tokens_after: usize,
}

#[derive(Serialize)]
struct SlotPage<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    cache: &'static str,
    original: &'a str,
    condensed: Option<Cow<'a, str>>,
    units: Vec<UnitPage<'a>>,
    fidelity: Option<&'a Verdict>,
}

/// One unit: its bytes in the original, what it is worth, its fate and why.
#[derive(Serialize)]
struct UnitPage<'a> {
    #[serde(flatten)]
    account: UnitAccount,
    /// What the guard had against its shorter form.
    refused: Option<String>,
    original: &'a str,
    text: Option<&'a str>,
}

impl<'a> Head<'a> {
    pub(super) fn of(slot: &'a SlotRecord) -> Self {
        let (tokens_before, tokens_after) = slot.tokens();
        Self {
            message: slot.message,
            part: slot.part,
            role: slot.role,
            rule: slot.rule.as_deref(),
            decision: slot.decision(),
            forwarded: slot.forwarded,
            took_ms: millis(slot.took_ms),
            tokens_before,
            tokens_after,
        }
    }
}

impl<'a> SlotPage<'a> {
    fn of(slot: &'a SlotRecord) -> Self {
        Self {
            head: Head::of(slot),
            cache: if slot.cached { "hit" } else { "miss" },
            original: &slot.original,
            condensed: slot.accepted.then(|| slot.condensed()),
            units: slot.units().map(|(_, unit, original)| UnitPage::of(unit, original)).collect(),
            fidelity: slot.verdict.as_deref(),
        }
    }
}

impl<'a> UnitPage<'a> {
    fn of(unit: &'a Unit, original: &'a str) -> Self {
        Self { account: unit.account(), refused: refusal(unit), original, text: unit.text.as_deref() }
    }
}

fn millis(time: f64) -> f64 {
    (time * 1000.0).round() / 1000.0
}
