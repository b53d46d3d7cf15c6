//! What must be remembered for a text to keep its form when its conversation goes on, because it cannot be computed
//! again: that it had to go on raw, which units a verdict has put back, and the level at which it was first condensed; and
//! to which level what is flagged too often was backed off.
//!
//! A provider has seen such a text in that form; another one later would change a prefix that it has cached. The store
//! is bounded, apart from the cache of texts (no eviction there displaces it), and may be kept in a [`file`](mod@file). It
//! holds hashes and numbers, no text.

mod file;

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    path::Path,
    sync::{Arc, Mutex, mpsc::SyncSender},
};

use crate::compress::{Level, Reason};

use super::{
    Config, StartError,
    key::{DecisionId, Key},
    stop::lock,
};
use file::{Entry, Log};

/// Why a text had to go on as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Forced {
    pub(super) reason: Reason,
    /// Its length in target tokens; 0 where that is not known.
    pub(super) tokens: usize,
}

/// The store.
#[derive(Debug)]
pub(super) struct Decisions {
    known: Arc<Mutex<Store>>,
    /// `None` without a file, and once the engine goes.
    writer: Mutex<Option<SyncSender<Vec<Entry>>>>,
}

/// What is remembered, by kind.
#[derive(Debug)]
struct Store {
    raw: Bounded<[u8; 15], Forced>,
    /// The units that were put back; none where the decision passed.
    judged: Bounded<[u8; 12], Vec<u32>>,
    levels: Bounded<[u8; 15], Level>,
    /// Where kinds, tenants and target models stand now.
    backed: Bounded<[u8; 15], Level>,
}

/// How much is remembered of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) raw: u64,
    pub(super) judged: u64,
    pub(super) levels: u64,
}

impl Decisions {
    /// Reads what a former process left, and starts the writing thread if there is a file to write.
    pub(super) fn open(config: &Config, state: Option<&Path>, alive: SyncSender<()>) -> Result<Self, StartError> {
        let mut store = Store::new(config.decisions);
        let file = match config.decisions_path(state) {
            None => None,
            Some((path, named)) => match Log::open(path.clone(), &mut store) {
                Ok(file) => Some(file),
                Err(error) if named => return Err(StartError::Decisions(path, error)),
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "decisions are not kept across restarts");
                    None
                }
            },
        };
        let known = Arc::new(Mutex::new(store));
        let writer = file.map(|file| file.start(Arc::clone(&known), alive)).transpose()?;
        Ok(Self { known, writer: Mutex::new(writer) })
    }

    /// Whether and why a text has to go on as it came.
    pub(super) fn find(&self, key: Key) -> Option<Forced> {
        lock(&self.known).raw.map.get(&key.short()).copied()
    }

    /// The first decision on a key stands.
    pub(super) fn remember(&self, key: Key, forced: Forced) {
        if lock(&self.known).raw.insert(key.short(), forced) {
            self.write(vec![Entry::Raw(key.short(), forced.reason)]);
        }
    }

    /// The units of a decision that were put back, if it was judged.
    pub(super) fn judged(&self, id: DecisionId) -> Option<Vec<usize>> {
        let store = lock(&self.known);
        store.judged.map.get(&id.short()).map(|units| units.iter().map(|unit| *unit as usize).collect())
    }

    /// Notes the units that a verdict puts back; gives those of the first verdict, which stands.
    pub(super) fn judge(&self, id: DecisionId, units: &[usize]) -> Vec<usize> {
        let numbers: Vec<u32> = units.iter().filter_map(|unit| u32::try_from(*unit).ok()).collect();
        let entries = file::judged(id.short(), &numbers);
        if lock(&self.known).judged.insert(id.short(), numbers) {
            self.write(entries);
        }
        self.judged(id).unwrap_or_else(|| units.to_vec())
    }

    /// The level that is noted for a key, else `now`, which is noted where it is given.
    pub(super) fn level(&self, key: Key, now: Option<Level>) -> Level {
        let mut store = lock(&self.known);
        if let Some(level) = store.levels.map.get(&key.short()) {
            return *level;
        }
        let Some(level) = now else { return Level::Full };
        store.levels.insert(key.short(), level);
        drop(store);
        self.write(vec![Entry::Level(key.short(), level)]);
        level
    }

    /// The level to which what has this name was backed off.
    pub(super) fn backed(&self, name: [u8; 15]) -> Level {
        lock(&self.known).backed.map.get(&name).copied().unwrap_or_default()
    }

    /// Notes that level; the last one stands.
    pub(super) fn back(&self, name: [u8; 15], level: Level) {
        lock(&self.known).insert(Entry::Backed(name, level));
        self.write(vec![Entry::Backed(name, level)]);
    }

    /// Lets the writing thread end when it has written what it was given.
    pub(super) fn close(&self) {
        lock(&self.writer).take();
    }

    pub(super) fn sizes(&self) -> Sizes {
        let Store { raw, judged, levels, .. } = &*lock(&self.known);
        Sizes { raw: raw.map.len() as u64, judged: judged.map.len() as u64, levels: levels.map.len() as u64 }
    }

    fn write(&self, entries: Vec<Entry>) {
        if let Some(writer) = lock(&self.writer).as_ref() {
            // A full queue costs the entries their life across a restart, but holds nobody up.
            let _ = writer.try_send(entries);
        }
    }
}

impl Store {
    fn new(most: usize) -> Self {
        Self {
            raw: Bounded::new(most),
            judged: Bounded::new(most),
            levels: Bounded::new(most),
            backed: Bounded::new(most),
        }
    }

    /// Everything, the oldest of each kind first.
    fn entries(&self) -> Vec<Entry> {
        let raw = self.raw.iter().map(|(key, forced)| Entry::Raw(*key, forced.reason));
        let levels = self.levels.iter().map(|(key, level)| Entry::Level(*key, *level));
        let judged = self.judged.iter().flat_map(|(id, units)| file::judged(*id, units));
        let backed = self.backed.iter().map(|(name, level)| Entry::Backed(*name, *level));
        raw.chain(levels).chain(backed).chain(judged).collect()
    }

    fn insert(&mut self, entry: Entry) {
        match entry {
            Entry::Raw(key, reason) => drop(self.raw.insert(key, Forced { reason, tokens: 0 })),
            Entry::Level(key, level) => drop(self.levels.insert(key, level)),
            Entry::Backed(name, level) => {
                self.backed.insert(name, level);
                self.backed.map.entry(name).and_modify(|known| *known = level);
            }
            Entry::Judged(id, unit) => {
                self.judged.insert(id, Vec::new());
                if let (Some(units), Some(unit)) = (self.judged.map.get_mut(&id), unit) {
                    units.push(unit);
                }
            }
        }
    }
}

/// Entries in the order in which they came, the oldest of which go first.
#[derive(Debug)]
struct Bounded<K, V> {
    map: HashMap<K, V>,
    order: VecDeque<K>,
    most: usize,
}

impl<K: Copy + Eq + Hash, V> Bounded<K, V> {
    fn new(most: usize) -> Self {
        Self { map: HashMap::new(), order: VecDeque::new(), most }
    }

    /// False where there is an entry already, which stands.
    fn insert(&mut self, key: K, value: V) -> bool {
        if self.map.contains_key(&key) {
            return false;
        }
        if self.order.len() >= self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.map.remove(&oldest);
        }
        self.order.push_back(key);
        self.map.insert(key, value);
        true
    }

    fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.order.iter().filter_map(|key| Some((key, self.map.get(key)?)))
    }
}
