//! The records that are kept: bounded in bytes and in time, the oldest go first, and each is read by its owner alone.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{Config, Record};
use crate::{engine::Tenant, fidelity::Verdict};

/// Who asks for what holds message text: a record, or an original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Somebody with this credential: reads what was asked for with the same one.
    With(Tenant),
    /// The operator, on the proxy's own machine: reads everything.
    Operator,
}

impl Reader {
    fn may_read(self, owner: Option<Tenant>) -> bool {
        match self {
            Self::With(tenant) => owner == Some(tenant),
            Self::Operator => true,
        }
    }
}

/// Why there is no record to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// None was ever made for this reader under this id.
    Unknown,
    /// It was kept, and went for its age or for want of room.
    Gone,
}

/// The store.
#[derive(Debug)]
pub struct Store {
    shelf: Mutex<Shelf>,
    most: usize,
    keep: Duration,
    local_reads: bool,
}

#[derive(Debug, Default)]
struct Shelf {
    records: VecDeque<Kept>,
    bytes: usize,
    /// The last that went: only so that their readers can be told so.
    gone: VecDeque<(String, Option<Tenant>)>,
}

#[derive(Debug)]
struct Kept {
    since: Instant,
    weight: usize,
    record: Arc<Record>,
}

impl Store {
    /// An empty store.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            shelf: Mutex::default(),
            most: config.mib.saturating_mul(1024 * 1024),
            keep: Duration::from_secs(config.keep_s),
            local_reads: config.local_reads,
        }
    }

    /// Whether the operator may read without a credential.
    #[must_use]
    pub fn local_reads(&self) -> bool {
        self.local_reads
    }

    /// Seconds that a record is kept.
    #[must_use]
    pub fn keep_s(&self) -> u64 {
        self.keep.as_secs()
    }

    /// Keeps a record; one that is larger than the whole store goes at once.
    pub fn insert(&self, record: Record, now: Instant) {
        let weight = record.weight();
        let mut shelf = self.shelf(now);
        if weight > self.most {
            shelf.forget(record.id, record.owner);
            return;
        }
        shelf.bytes += weight;
        shelf.records.push_back(Kept { since: now, weight, record: Arc::new(record) });
        shelf.fit(self.most);
    }

    /// The record of a request.
    ///
    /// # Errors
    /// Where there is none that `reader` may read. Another's record is as unknown as one that never was.
    pub fn find(&self, id: &str, reader: Reader, now: Instant) -> Result<Arc<Record>, Missing> {
        let shelf = self.shelf(now);
        let found = shelf.records.iter().rev().map(|kept| &kept.record).find(|record| record.id == id);
        match found {
            Some(record) if reader.may_read(record.owner) => Ok(Arc::clone(record)),
            Some(_) => Err(Missing::Unknown),
            None if shelf.gone.iter().any(|(gone, owner)| gone == id && reader.may_read(*owner)) => Err(Missing::Gone),
            None => Err(Missing::Unknown),
        }
    }

    /// What `reader` may read, the latest first, `most` at most.
    #[must_use]
    pub fn list(&self, reader: Reader, most: usize, now: Instant) -> Vec<Arc<Record>> {
        let shelf = self.shelf(now);
        let readable = shelf.records.iter().rev().filter(|kept| reader.may_read(kept.record.owner));
        readable.take(most).map(|kept| Arc::clone(&kept.record)).collect()
    }

    /// Adds the verdict of a check that ended after its request went on.
    pub fn judge(&self, id: &str, slot: usize, verdict: Arc<Verdict>, now: Instant) {
        let mut shelf = self.shelf(now);
        let Some(kept) = shelf.records.iter_mut().rev().find(|kept| kept.record.id == id) else { return };
        if let Some(slot) = Arc::make_mut(&mut kept.record).slots.get_mut(slot) {
            slot.verdict = Some(verdict);
        }
        let (old, new) = (kept.weight, kept.record.weight());
        kept.weight = new;
        shelf.bytes = shelf.bytes - old + new;
        shelf.fit(self.most);
    }

    /// Records and bytes that are kept now.
    #[must_use]
    pub fn size(&self, now: Instant) -> (usize, usize) {
        let shelf = self.shelf(now);
        (shelf.records.len(), shelf.bytes)
    }

    /// The shelf without what is too old.
    fn shelf(&self, now: Instant) -> MutexGuard<'_, Shelf> {
        // A panic elsewhere leaves at worst a record too many.
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        while shelf.records.front().is_some_and(|kept| now.saturating_duration_since(kept.since) >= self.keep) {
            shelf.drop_oldest();
        }
        shelf
    }
}

impl Shelf {
    fn fit(&mut self, most: usize) {
        while self.bytes > most {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some(kept) = self.records.pop_front() else { return };
        self.bytes -= kept.weight;
        self.forget(kept.record.id.clone(), kept.record.owner);
    }

    fn forget(&mut self, id: String, owner: Option<Tenant>) {
        if self.gone.len() == MOST_GONE {
            self.gone.pop_front();
        }
        self.gone.push_back((id, owner));
    }
}

/// Ids of records that went, to remember.
const MOST_GONE: usize = 4096;
