//! What must be remembered for a text to keep its form when its conversation goes on: what was chosen of it; or that it
//! had to go on raw; which units a verdict has put back, and the level at which it was first condensed; and to which
//! level what is flagged too often was backed off.
//!
//! A provider has seen such a text in that form; another one later would change a prefix that it has cached. The store
//! is bounded, each tenant within a [share](shares) of it, apart from the cache of texts (no eviction there displaces
//! it), and may be kept in a [`file`](mod@file), which several processes may share. It holds hashes and numbers, no text.

mod facts;
mod file;
mod shares;

use std::{
    path::Path,
    sync::{Arc, Mutex, mpsc::SyncSender},
};

use crate::compress::Level;

use super::{
    Config, StartError,
    key::{DecisionId, Key, Name},
    stop::lock,
};
pub(super) use facts::{Chosen, Forced};
use facts::{Entry, Fact, Store};
use file::{Log, Seen, Tail, Work};

/// The store.
#[derive(Debug)]
pub(super) struct Decisions {
    known: Arc<Mutex<Store>>,
    /// What other processes wrote. `None` without a file.
    tail: Option<Mutex<Tail>>,
    /// `None` without a file, and once the engine goes.
    writer: Mutex<Option<SyncSender<Work>>>,
}

/// How much is remembered of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) chosen: u64,
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
            Some((path, named)) => match file::open(&path, !named, &mut store) {
                Ok(file) => Some(file),
                Err(error) if named => return Err(StartError::Decisions(path, error)),
                Err(error) => {
                    let remedy = "name another file by `engine.decisions_file`";
                    tracing::warn!(path = %path.display(), %error, remedy, "decisions are not kept across restarts");
                    None
                }
            },
        };
        let known = Arc::new(Mutex::new(store));
        let (tail, log): (Option<Tail>, Option<Log>) = file.unzip();
        let writer = log.map(|log| log.start(Arc::clone(&known), alive)).transpose()?;
        Ok(Self { known, tail: tail.map(Mutex::new), writer: Mutex::new(writer) })
    }

    /// Whether and why a text has to go on as it came.
    pub(super) fn find(&self, key: Key) -> Option<Forced> {
        lock(&self.known).get(key.name())?.raw
    }

    /// The first decision on a key stands.
    pub(super) fn remember(&self, key: Key, forced: Forced) {
        self.note(key.name(), Fact::Raw(forced));
    }

    /// What was chosen of a text.
    pub(super) fn chosen(&self, key: Key) -> Option<Arc<Chosen>> {
        lock(&self.known).get(key.name())?.chosen.clone()
    }

    /// Notes it; what was chosen by another version of the pipeline, by another model or at another level gives way.
    pub(super) fn choose(&self, key: Key, chosen: Arc<Chosen>) {
        self.note(key.name(), Fact::Chosen(chosen));
    }

    /// A choice that gives another text than was forwarded, or none, is forgotten, here and in the file: otherwise it would
    /// stand in the way of what is chosen next, after each start anew.
    pub(super) fn refute(&self, key: Key, chosen: &Arc<Chosen>) {
        if self.chosen(key).as_ref() == Some(chosen) {
            self.choose(key, Arc::new(chosen.refuted()));
        }
    }

    /// Whether this pipeline has decided on a key before.
    pub(super) fn knows(&self, key: Key) -> bool {
        let mut store = lock(&self.known);
        let facts = store.get(key.name());
        facts
            .is_some_and(|facts| facts.raw.is_some() || facts.chosen.as_ref().is_some_and(|chosen| chosen.is_current()))
    }

    /// Takes over what another replica chose, in place of what was chosen here and not forwarded.
    pub(super) fn adopt(&self, key: Key, chosen: &Arc<Chosen>) {
        let name = key.name();
        lock(&self.known).adopt(name, Arc::clone(chosen));
        if chosen.level != Level::Full {
            self.write(Work::Note(Entry { name, fact: Fact::Level(chosen.level) }));
        }
        self.write(Work::Note(Entry { name, fact: Fact::Chosen(Arc::clone(chosen)) }));
    }

    /// The units of a decision that were put back, if it was judged.
    pub(super) fn judged(&self, id: DecisionId) -> Option<Vec<usize>> {
        let mut store = lock(&self.known);
        let units = store.get(id.name())?.judged.as_ref()?;
        Some(units.iter().map(|unit| *unit as usize).collect())
    }

    /// Notes the units that a verdict puts back; gives those of the first verdict, which stands.
    pub(super) fn judge(&self, id: DecisionId, units: &[usize]) -> Vec<usize> {
        let numbers = units.iter().filter_map(|unit| u32::try_from(*unit).ok()).collect();
        self.note(id.name(), Fact::Judged(numbers));
        self.judged(id).unwrap_or_else(|| units.to_vec())
    }

    /// The level that is noted for a key, else `now`, which is noted where it is given.
    pub(super) fn level(&self, key: Key, now: Option<Level>) -> Level {
        let known = || lock(&self.known).get(key.name())?.level;
        if let Some(level) = known() {
            return level;
        }
        let Some(level) = now else { return Level::Full };
        self.note(key.name(), Fact::Level(level));
        known().unwrap_or(level)
    }

    /// The level to which what has this name was backed off.
    pub(super) fn backed(&self, name: [u8; 16]) -> Level {
        lock(&self.known).get(Name::shared(name)).and_then(|facts| facts.backed).unwrap_or_default()
    }

    /// Notes that level; the last one stands.
    pub(super) fn back(&self, name: [u8; 16], level: Level) {
        self.note(Name::shared(name), Fact::Backed(level));
    }

    /// Whether other processes may have written what this one doesn't know yet.
    pub(super) fn is_shared(&self) -> bool {
        self.tail.is_some()
    }

    /// Reads what other processes have written since.
    pub(super) fn refresh(&self) {
        let Some(tail) = &self.tail else { return };
        let seen = lock(tail).read(|entry| {
            // How far others are backed off is their own affair, and what this process wrote of itself is old by now.
            if !matches!(entry.fact, Fact::Backed(_)) {
                lock(&self.known).insert(entry);
            }
        });
        if seen == Seen::Other {
            self.write(Work::Join);
        }
    }

    /// Lets the writing thread end when it has written what it was given.
    pub(super) fn close(&self) {
        lock(&self.writer).take();
    }

    pub(super) fn sizes(&self) -> Sizes {
        lock(&self.known).sizes()
    }

    fn note(&self, name: Name, fact: Fact) {
        let entry = Entry { name, fact };
        let news = lock(&self.known).insert(entry.clone());
        if news {
            self.write(Work::Note(entry));
        }
    }

    fn write(&self, work: Work) {
        if let Some(writer) = lock(&self.writer).as_ref() {
            // A full queue costs an entry its life across a restart, but holds nobody up.
            let _ = writer.try_send(work);
        }
    }
}
