//! The account of requests: for each, what was done to every unit of every slot, kept in bounded memory for a bounded time.
//!
//! Records hold message text, so they never leave the process but through an explicit request for one by its id, and the
//! store is off by default where the proxy listens beyond loopback. Nothing here is logged.

mod html;
mod terminal;

use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

pub use html::html;
pub use terminal::terminal;

use crate::{
    compress::{Condensation, Decision, Outcome, Unit},
    fidelity::Verdict,
    setting::Invalid,
};

/// `[explain]`: whether requests can be explained, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `auto` keeps records only while the proxy listens on loopback; `on` and `off` say it outright. Records hold
    /// message text, and whoever reaches the proxy and knows a request's id can read them.
    pub mode: Mode,
    /// MiB of records to keep; the oldest go first.
    pub mib: usize,
    /// Seconds to keep a record.
    pub keep_s: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { mode: Mode::Auto, mib: 32, keep_s: 60 * 60 }
    }
}

impl Config {
    /// Whether every setting can be used.
    ///
    /// # Errors
    /// The first that can't.
    pub fn check(&self) -> Result<(), Invalid> {
        if !(1..=4096).contains(&self.mib) {
            return Err(Invalid::new("mib", self.mib, "a number from 1 to 4096"));
        }
        if !(1..=7 * 24 * 60 * 60).contains(&self.keep_s) {
            return Err(Invalid::new("keep_s", self.keep_s, "a number of seconds from 1 to 604800 (a week)"));
        }
        Ok(())
    }

    /// Whether records are kept by a proxy that listens on this address.
    #[must_use]
    pub fn keeps(&self, listen: IpAddr) -> bool {
        match self.mode {
            Mode::Auto => listen.is_loopback(),
            Mode::On => true,
            Mode::Off => false,
        }
    }
}

/// Whether records are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// On loopback only.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// The account of one request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Record {
    /// The request's id, as in `x-headroom-request-id`.
    pub id: String,
    /// When it came, in milliseconds since 1970.
    pub at_ms: u64,
    /// The model that it asked for.
    pub model: Option<String>,
    /// What was done with it: `compressed`, `unchanged`, `audit`.
    pub outcome: String,
    /// Time that compression held it back, in milliseconds.
    pub took_ms: f64,
    /// Every slot that was considered, in order.
    pub slots: Vec<SlotRecord>,
}

impl Record {
    /// Tokens of the slots considered, before and after.
    #[must_use]
    pub fn tokens(&self) -> (usize, usize) {
        let sum = |count: fn(&Condensation) -> usize| self.slots.iter().map(|s| count(&s.condensation)).sum();
        (sum(|c| c.tokens_before), sum(|c| c.tokens_after))
    }

    /// Bytes that it holds, near enough.
    fn weight(&self) -> usize {
        let unit = |u: &Unit| size_of::<Unit>() + u.reason.len() + u.text.as_ref().map_or(0, String::len);
        let slot = |s: &SlotRecord| {
            let units: usize = s.condensation.units.iter().map(unit).sum();
            size_of::<SlotRecord>() + s.original.len() + s.condensation.text().map_or(0, str::len) + units
        };
        size_of::<Self>() + self.id.len() + self.slots.iter().map(slot).sum::<usize>()
    }
}

/// What became of one slot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlotRecord {
    /// Index of the message in `messages`.
    pub message: usize,
    /// Index of the part in the message's content; absent for string content.
    pub part: Option<usize>,
    /// `user` or `tool`.
    pub role: &'static str,
    /// Whether the condensed text was forwarded; false in audit mode and where the original went on.
    pub forwarded: bool,
    /// Whether the decision was known before.
    pub cached: bool,
    /// Time that the pipeline took when it was computed, in milliseconds.
    pub took_ms: f64,
    /// The text as it came, bit for bit.
    pub original: Arc<str>,
    /// The decision, with every unit.
    #[serde(flatten)]
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

    /// The text that the decision stands for; the original where it is `Unchanged`.
    #[must_use]
    pub fn condensed(&self) -> &str {
        self.condensation.text().unwrap_or(&self.original)
    }

    /// One word on the decision: `compressed`, or the reason why not.
    #[must_use]
    pub fn decision(&self) -> &'static str {
        match &self.condensation.outcome {
            Outcome::Compressed(_) => "compressed",
            Outcome::Unchanged(reason) => reason.as_str(),
        }
    }

    /// Each unit with its part of the original.
    fn units(&self) -> impl Iterator<Item = (usize, &Unit, &str)> {
        let texts = |u: &Unit| self.original.get(u.span.clone()).unwrap_or_default();
        self.condensation.units.iter().enumerate().map(move |(at, unit)| (at, unit, texts(unit)))
    }
}

/// The word for a unit's fate.
const fn fate(decision: Decision) -> &'static str {
    match decision {
        Decision::Kept => "kept",
        Decision::Rewritten => "rewritten",
        Decision::Dropped => "dropped",
    }
}

/// The records that are kept: bounded in bytes and in time, the oldest go first.
#[derive(Debug)]
pub struct Store {
    records: Mutex<Shelf>,
    most: usize,
    keep: Duration,
}

#[derive(Debug, Default)]
struct Shelf {
    records: VecDeque<(Instant, usize, Arc<Record>)>,
    bytes: usize,
}

impl Store {
    /// An empty store.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            records: Mutex::default(),
            most: config.mib.saturating_mul(1024 * 1024),
            keep: Duration::from_secs(config.keep_s),
        }
    }

    /// Keeps a record; one that is larger than the whole store is not kept.
    pub fn insert(&self, record: Record, now: Instant) {
        let weight = record.weight();
        if weight > self.most {
            return;
        }
        let mut shelf = self.shelf(now);
        shelf.bytes += weight;
        shelf.records.push_back((now, weight, Arc::new(record)));
        while shelf.bytes > self.most {
            shelf.drop_oldest();
        }
    }

    /// The record of a request, if it is still kept.
    #[must_use]
    pub fn find(&self, id: &str, now: Instant) -> Option<Arc<Record>> {
        let shelf = self.shelf(now);
        shelf.records.iter().rev().find(|(_, _, record)| record.id == id).map(|(_, _, record)| Arc::clone(record))
    }

    /// Adds the verdict of a check that ended after its request went on.
    pub fn judge(&self, id: &str, slot: usize, verdict: Arc<Verdict>, now: Instant) {
        let mut shelf = self.shelf(now);
        let record = shelf.records.iter_mut().rev().find(|(_, _, record)| record.id == id);
        if let Some(slot) = record.and_then(|(_, _, record)| Arc::make_mut(record).slots.get_mut(slot)) {
            slot.verdict = Some(verdict);
        }
    }

    /// Records and bytes that are kept now.
    #[must_use]
    pub fn size(&self, now: Instant) -> (usize, usize) {
        let shelf = self.shelf(now);
        (shelf.records.len(), shelf.bytes)
    }

    /// The shelf without what is too old.
    fn shelf(&self, now: Instant) -> std::sync::MutexGuard<'_, Shelf> {
        // A panic elsewhere leaves at worst a record too many.
        let mut shelf = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        while shelf.records.front().is_some_and(|(at, _, _)| now.saturating_duration_since(*at) >= self.keep) {
            shelf.drop_oldest();
        }
        shelf
    }
}

impl Shelf {
    fn drop_oldest(&mut self) {
        if let Some((_, weight, _)) = self.records.pop_front() {
            self.bytes -= weight;
        }
    }
}

#[cfg(test)]
mod tests;
