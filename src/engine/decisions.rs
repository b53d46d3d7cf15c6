//! Texts that had to go on as they were, remembered so that they do when their conversation goes on.
//!
//! A provider has seen such a text unmodified; condensing it later would change a prefix that it has cached. The store
//! is bounded, apart from the cache of texts (no eviction there displaces it), and may be kept in a file.
//!
//! The file is a header and records of 16 bytes: 15 of the key's hash, one for the reason. It holds no text. It is read
//! once at the start and only appended to, by a thread of its own; at twice the bound it is written anew from memory. A
//! record that is cut off or damaged matches no key, and is harmless. Processes that share a file may lose some records
//! to each other's rewriting.

use std::{
    collections::{HashMap, VecDeque},
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use crate::compress::Reason;

use super::{Config, StartError, key::Key, stop::lock};

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
    writer: Mutex<Option<SyncSender<Record>>>,
}

type Short = [u8; 15];
type Record = [u8; 16];

/// The decisions in the order in which they were made, the oldest of which go first.
#[derive(Debug)]
struct Store {
    forced: HashMap<Short, Forced>,
    order: VecDeque<Short>,
    most: usize,
}

impl Decisions {
    /// Reads what a former process left, and starts the writing thread if there is a file to write.
    pub(super) fn open(config: &Config, state: Option<&Path>, alive: SyncSender<()>) -> Result<Self, StartError> {
        let mut store = Store { forced: HashMap::new(), order: VecDeque::new(), most: config.decisions };
        let file = match config.decisions_path(state) {
            None => None,
            Some((path, named)) => match Log::open(path.clone(), &mut store) {
                Ok(file) => Some(file),
                Err(error) if named => return Err(StartError::Decisions(path, error)),
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "forced decisions are not kept across restarts");
                    None
                }
            },
        };
        let known = Arc::new(Mutex::new(store));
        let writer = file.map(|file| file.start(Arc::clone(&known), alive)).transpose()?;
        Ok(Self { known, writer: Mutex::new(writer) })
    }

    pub(super) fn find(&self, key: Key) -> Option<Forced> {
        lock(&self.known).forced.get(&key.short()).copied()
    }

    /// The first decision on a key stands.
    pub(super) fn remember(&self, key: Key, forced: Forced) {
        let is_new = lock(&self.known).insert(key.short(), forced);
        if let Some(writer) = lock(&self.writer).as_ref().filter(|_| is_new) {
            // A full queue costs the record its life across a restart, but holds nobody up.
            let _ = writer.try_send(record(key.short(), forced.reason));
        }
    }

    /// Lets the writing thread end when it has written what it was given.
    pub(super) fn close(&self) {
        lock(&self.writer).take();
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.known).forced.len()
    }
}

impl Store {
    fn insert(&mut self, key: Short, forced: Forced) -> bool {
        if self.forced.contains_key(&key) {
            return false;
        }
        if self.order.len() >= self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.forced.remove(&oldest);
        }
        self.order.push_back(key);
        self.forced.insert(key, forced);
        true
    }

    fn records(&self) -> Vec<Record> {
        let reason = |key: &Short| self.forced.get(key).map_or(Reason::Deadline, |forced| forced.reason);
        self.order.iter().map(|key| record(*key, reason(key))).collect()
    }
}

/// The file, open for appending.
#[derive(Debug)]
struct Log {
    path: PathBuf,
    file: File,
    records: usize,
}

impl Log {
    /// Reads the records into `store`; the file is made if it is missing, and made anew where it is something else.
    fn open(path: PathBuf, store: &mut Store) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let most = (2 * store.most + 1) as u64 * RECORD as u64;
        let mut bytes = Vec::new();
        match File::open(&path) {
            Ok(file) => drop(file.take(most).read_to_end(&mut bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let (records, rest) = bytes.as_chunks::<RECORD>();
        let known = records.first() == Some(HEADER);
        for bytes in records.iter().skip(1).take_while(|_| known) {
            let (key, reason) = parts(*bytes);
            store.insert(key, Forced { reason, tokens: 0 });
        }
        if known && rest.is_empty() && records.len() <= 2 * store.most {
            let file = OpenOptions::new().append(true).open(&path)?;
            return Ok(Self { path, file, records: records.len() - 1 });
        }
        Self::rewrite(path, &store.records())
    }

    /// Writes the file anew, so that at any moment either the old or the new one is there.
    fn rewrite(path: PathBuf, records: &[Record]) -> io::Result<Self> {
        let draft = path.with_extension(format!("{}.new", std::process::id()));
        let mut file = private().append(true).create(true).open(&draft)?;
        file.set_len(0)?;
        file.write_all(HEADER)?;
        file.write_all(records.as_flattened())?;
        fs::rename(&draft, &path)?;
        Ok(Self { path, file, records: records.len() })
    }

    fn start(mut self, known: Arc<Mutex<Store>>, alive: SyncSender<()>) -> Result<SyncSender<Record>, StartError> {
        let (writer, records) = sync_channel(1024);
        let write = move || {
            if let Err(error) = self.write_all(&known, &records) {
                tracing::warn!(%error, "forced decisions are no longer written");
            }
            drop(alive);
        };
        thread::Builder::new()
            .name("headroom-decisions".to_owned())
            .spawn(write)
            .map_err(|error| StartError::Thread("decisions", error))?;
        Ok(writer)
    }

    fn write_all(&mut self, known: &Mutex<Store>, records: &Receiver<Record>) -> io::Result<()> {
        for record in records {
            let all = {
                let known = lock(known);
                (self.records >= 2 * known.most).then(|| known.records())
            };
            if let Some(all) = all {
                // The record at hand is among them.
                *self = Self::rewrite(self.path.clone(), &all)?;
            } else {
                self.file.write_all(&record)?;
                self.records += 1;
            }
        }
        Ok(())
    }
}

/// For the user's eyes alone: whoever knows a text could tell from its hash that it was sent.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

const RECORD: usize = 16;
const HEADER: &Record = b"headroom raw v1\n";

fn record(key: Short, reason: Reason) -> Record {
    let mut record = [0; RECORD];
    record.iter_mut().zip(key).for_each(|(to, from)| *to = from);
    if let Some(last) = record.last_mut() {
        *last = match reason {
            Reason::Overloaded => 1,
            Reason::ModelFailed => 2,
            _ => 0,
        };
    }
    record
}

fn parts(record: Record) -> (Short, Reason) {
    let mut key = [0; 15];
    key.iter_mut().zip(record).for_each(|(to, from)| *to = from);
    let reason = match record.last() {
        Some(1) => Reason::Overloaded,
        Some(2) => Reason::ModelFailed,
        _ => Reason::Deadline,
    };
    (key, reason)
}
