//! What the check has come to, in numbers.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::{Verdict, Why};

/// What has happened since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Texts that were checked.
    pub checked: u64,
    /// Texts with at least one flagged unit.
    pub flagged: u64,
    /// Units that were put back.
    pub put_back: u64,
    /// Decisions that were replaced.
    pub replaced: u64,
    /// Of these, replaced after the first form had been forwarded: a cached prefix was lost.
    pub replaced_late: u64,
    /// Claims of the checking model that did not stand: words that the text doesn't have, facts called lost that are
    /// there, flagged units with nothing to put back.
    pub false_alarms: u64,
    /// Tokens that the checking model was given and gave.
    pub tokens: u64,
    /// Milliseconds that the checks took together.
    pub ms: u64,
    /// Texts that were not checked, by reason.
    pub unchecked: Vec<(Why, u64)>,
}

/// The running numbers behind [`Stats`].
#[derive(Debug, Default)]
pub(super) struct Counters {
    checked: AtomicU64,
    flagged: AtomicU64,
    put_back: AtomicU64,
    replaced: AtomicU64,
    replaced_late: AtomicU64,
    false_alarms: AtomicU64,
    tokens: AtomicU64,
    ms: AtomicU64,
    unchecked: [AtomicU64; Why::ALL.len()],
}

impl Counters {
    /// What a check took, however it ended.
    pub(super) fn spent(&self, verdict: &Verdict) {
        self.tokens.fetch_add(verdict.tokens, Relaxed);
        self.false_alarms.fetch_add(verdict.false_alarms as u64, Relaxed);
        self.ms.fetch_add(u64::try_from(verdict.took.as_millis()).unwrap_or(u64::MAX), Relaxed);
    }

    /// A text was checked: its flagged units, whether that changed the decision, and whether that had been forwarded.
    pub(super) fn judged(&self, flagged: usize, replaced: bool, forwarded: bool) {
        self.checked.fetch_add(1, Relaxed);
        if flagged == 0 {
            return;
        }
        self.flagged.fetch_add(1, Relaxed);
        if replaced {
            self.put_back.fetch_add(flagged as u64, Relaxed);
            self.replaced.fetch_add(1, Relaxed);
            self.replaced_late.fetch_add(u64::from(forwarded), Relaxed);
        } else {
            self.false_alarms.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn unchecked(&self, why: Why) {
        if let Some(count) = Why::ALL.iter().position(|w| *w == why).and_then(|at| self.unchecked.get(at)) {
            count.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn stats(&self) -> Stats {
        let now = |count: &AtomicU64| count.load(Relaxed);
        Stats {
            checked: now(&self.checked),
            flagged: now(&self.flagged),
            put_back: now(&self.put_back),
            replaced: now(&self.replaced),
            replaced_late: now(&self.replaced_late),
            false_alarms: now(&self.false_alarms),
            tokens: now(&self.tokens),
            ms: now(&self.ms),
            unchecked: Why::ALL.into_iter().zip(self.unchecked.iter().map(now)).collect(),
        }
    }
}
