//! What happens, in numbers.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use crate::compress::Reason;

use super::peers::PeersStats;

/// What has happened since the start, and what is held now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Decisions that were known before, forced ones included.
    pub hits: u64,
    /// Decisions that had to be made.
    pub misses: u64,
    /// Jobs that waited for an equal one.
    pub joined: u64,
    /// Texts that left the cache for room or because nobody asked for them.
    pub evictions: u64,
    /// Texts in the cache.
    pub cached: u64,
    /// What they weigh, in bytes.
    pub cached_bytes: u64,
    /// Known decisions that were written anew from what was chosen, after a restart or an eviction.
    pub replayed: u64,
    /// Texts that were condensed by words alone for want of time.
    pub hurried: u64,
    /// Choices that are remembered.
    pub chosen: u64,
    /// Forced raw decisions that are remembered.
    pub remembered: u64,
    /// Jobs that wait for a worker now.
    pub queued: u64,
    /// Calls of the model that have ended.
    pub inference_calls: u64,
    /// Time that they took together.
    pub inference_time: Duration,
    /// Whether the model hangs: it goes on after it was told to stop.
    pub stuck: bool,
    /// Jobs that nobody waited for any more.
    pub cancelled: u64,
    /// Panics that were caught in the pipeline or the model.
    pub panics: u64,
    /// Raw decisions forced by the deadline.
    pub forced_deadline: u64,
    /// Raw decisions forced by a full queue.
    pub forced_overloaded: u64,
    /// Raw decisions forced by the model.
    pub forced_model_failed: u64,
    /// Raw decisions forced by a missing verdict of the fidelity check.
    pub forced_unverified: u64,
    /// Verdicts that are remembered.
    pub judged: u64,
    /// Levels of the ratio that are remembered for texts.
    pub levels: u64,
    /// What other replicas were told and said; `None` where none are.
    pub peers: Option<PeersStats>,
}

/// A number that goes up, or up and down.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn add(&self, count: u64) {
        self.0.fetch_add(count, Relaxed);
    }

    pub(super) fn sub(&self, count: u64) {
        self.0.fetch_sub(count, Relaxed);
    }

    fn now(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// The running numbers behind [`Stats`].
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) hits: Count,
    pub(super) misses: Count,
    pub(super) joined: Count,
    pub(super) evictions: Count,
    pub(super) replayed: Count,
    pub(super) hurried: Count,
    pub(super) queued: Count,
    pub(super) inference_calls: Count,
    pub(super) inference_nanos: Count,
    pub(super) cancelled: Count,
    pub(super) panics: Count,
    forced_deadline: Count,
    forced_overloaded: Count,
    forced_model_failed: Count,
    forced_unverified: Count,
}

impl Counters {
    pub(super) fn forced(&self, reason: Reason) {
        match reason {
            Reason::Deadline => self.forced_deadline.add(1),
            Reason::Overloaded => self.forced_overloaded.add(1),
            Reason::Unverified => self.forced_unverified.add(1),
            _ => self.forced_model_failed.add(1),
        }
    }

    /// The numbers now; the sizes are left at 0.
    pub(super) fn stats(&self, stuck: bool) -> Stats {
        Stats {
            hits: self.hits.now(),
            misses: self.misses.now(),
            joined: self.joined.now(),
            evictions: self.evictions.now(),
            replayed: self.replayed.now(),
            hurried: self.hurried.now(),
            queued: self.queued.now(),
            inference_calls: self.inference_calls.now(),
            inference_time: Duration::from_nanos(self.inference_nanos.now()),
            stuck,
            cancelled: self.cancelled.now(),
            panics: self.panics.now(),
            forced_deadline: self.forced_deadline.now(),
            forced_overloaded: self.forced_overloaded.now(),
            forced_model_failed: self.forced_model_failed.now(),
            forced_unverified: self.forced_unverified.now(),
            ..Stats::default()
        }
    }
}
