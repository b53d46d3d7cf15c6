//! The file of decisions: a header and records of 16 bytes, most of them a hash, the last one a code.
//!
//! It is read once at the start and only appended to, by a thread of its own; at twice the bound it is written anew from
//! memory. A record that is cut off or damaged matches no key, and is harmless. Processes that share a file may lose
//! some records to each other's rewriting.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use crate::compress::{Level, Reason};

use super::{StartError, Store, lock};

/// What one record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// The text of this key goes on raw.
    Raw([u8; 15], Reason),
    /// The text of this key was first condensed at this level.
    Level([u8; 15], Level),
    /// What has this name is backed off to this level; a later one replaces it.
    Backed([u8; 15], Level),
    /// This decision was judged; a unit that was put back, if there was one.
    Judged([u8; 12], Option<u32>),
}

/// The entries of one verdict.
pub(super) fn judged(id: [u8; 12], units: &[u32]) -> Vec<Entry> {
    if units.is_empty() {
        return vec![Entry::Judged(id, None)];
    }
    units.iter().map(|unit| Entry::Judged(id, Some(*unit))).collect()
}

type Record = [u8; RECORD];

const RECORD: usize = 16;
const HEADER: &Record = b"headroom raw v2\n";

/// The former one, whose records mean the same.
const FORMER: &Record = b"headroom raw v1\n";

const LEVEL: u8 = 0x10;
const JUDGED: u8 = 0x20;
const BACKED: u8 = 0x30;

/// Stands for no unit.
const NONE: u32 = 0xff_ffff;

const REASONS: [Reason; 4] = [Reason::Deadline, Reason::Overloaded, Reason::ModelFailed, Reason::Unverified];

impl Entry {
    fn record(self) -> Record {
        let mut record = [0; RECORD];
        let mut put = |bytes: &[u8], code: u8| {
            record.iter_mut().zip(bytes.iter().chain([&code])).for_each(|(to, from)| *to = *from);
        };
        let code = |at: Option<usize>| at.and_then(|at| u8::try_from(at).ok()).unwrap_or(0);
        match self {
            Self::Raw(key, reason) => put(&key, code(REASONS.iter().position(|known| *known == reason))),
            Self::Level(key, level) => put(&key, LEVEL + code(Level::ALL.iter().position(|known| *known == level))),
            Self::Backed(name, level) => {
                put(&name, BACKED + code(Level::ALL.iter().position(|known| *known == level)));
            }
            Self::Judged(id, unit) => {
                let [a, b, c, _] = unit.unwrap_or(NONE).to_le_bytes();
                put(&[&id[..], &[a, b, c]].concat(), JUDGED);
            }
        }
        record
    }

    /// `None` where the code means nothing.
    fn read(record: &Record) -> Option<Self> {
        let (key, code) = (record.first_chunk()?, *record.last()?);
        if let Some(reason) = REASONS.get(usize::from(code)) {
            return Some(Self::Raw(*key, *reason));
        }
        if let Some(level) = Level::ALL.get(usize::from(code.wrapping_sub(LEVEL))) {
            return Some(Self::Level(*key, *level));
        }
        if let Some(level) = Level::ALL.get(usize::from(code.wrapping_sub(BACKED))) {
            return Some(Self::Backed(*key, *level));
        }
        let [a, b, c] = *record.get(12..15)?.first_chunk()?;
        let unit = u32::from_le_bytes([a, b, c, 0]);
        (code == JUDGED).then_some(Self::Judged(*record.first_chunk()?, (unit != NONE).then_some(unit)))
    }
}

/// The file, open for appending.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: File,
    records: usize,
    /// Records at which it is written anew.
    most: usize,
}

impl Log {
    /// Reads the records into `store`; the file is made if it is missing, and made anew where it is something else.
    pub(super) fn open(path: PathBuf, store: &mut Store) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let most = 2 * (store.raw.most + store.judged.most + store.levels.most + store.backed.most);
        let mut bytes = Vec::new();
        match File::open(&path) {
            Ok(file) => drop(file.take((most + 1) as u64 * RECORD as u64).read_to_end(&mut bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let (records, rest) = bytes.as_chunks::<RECORD>();
        let header = records.first();
        let known = header == Some(HEADER) || header == Some(FORMER);
        for entry in records.iter().skip(1).take_while(|_| known).filter_map(Entry::read) {
            store.insert(entry);
        }
        if header == Some(HEADER) && rest.is_empty() && records.len() <= most {
            let file = OpenOptions::new().append(true).open(&path)?;
            return Ok(Self { path, file, records: records.len() - 1, most });
        }
        Self::rewrite(path, &store.entries(), most)
    }

    /// Writes the file anew, so that at any moment either the old or the new one is there.
    fn rewrite(path: PathBuf, entries: &[Entry], most: usize) -> io::Result<Self> {
        let draft = path.with_extension(format!("{}.new", std::process::id()));
        let mut file = private().append(true).create(true).open(&draft)?;
        file.set_len(0)?;
        file.write_all(HEADER)?;
        file.write_all(&records(entries))?;
        fs::rename(&draft, &path)?;
        Ok(Self { path, file, records: entries.len(), most })
    }

    pub(super) fn start(
        mut self,
        known: Arc<Mutex<Store>>,
        alive: SyncSender<()>,
    ) -> Result<SyncSender<Vec<Entry>>, StartError> {
        let (writer, entries) = sync_channel(1024);
        let write = move || {
            if let Err(error) = self.write_all(&known, &entries) {
                tracing::warn!(%error, "decisions are no longer written");
            }
            drop(alive);
        };
        thread::Builder::new()
            .name("headroom-decisions".to_owned())
            .spawn(write)
            .map_err(|error| StartError::Thread("decisions", error))?;
        Ok(writer)
    }

    fn write_all(&mut self, known: &Mutex<Store>, entries: &Receiver<Vec<Entry>>) -> io::Result<()> {
        for entries in entries {
            if self.records + entries.len() > self.most {
                // The entries at hand are among them.
                let all = lock(known).entries();
                *self = Self::rewrite(self.path.clone(), &all, self.most)?;
            } else {
                // In one piece, so that a verdict is not torn.
                self.file.write_all(&records(&entries))?;
                self.records += entries.len();
            }
        }
        Ok(())
    }
}

fn records(entries: &[Entry]) -> Vec<u8> {
    entries.iter().flat_map(|entry| entry.record()).collect()
}

/// For the user's eyes alone: whoever knows a text could tell from its hash that it was sent.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_reads_as_it_was_written() {
        let raw = REASONS.map(|reason| Entry::Raw([7; 15], reason));
        let levels = Level::ALL.map(|level| Entry::Level([9; 15], level));
        let backed = Level::ALL.map(|level| Entry::Backed([5; 15], level));
        let judged = [judged([3; 12], &[]), judged([3; 12], &[0, 70_000])].concat();
        for entry in raw.into_iter().chain(levels).chain(backed).chain(judged) {
            assert_eq!(Entry::read(&entry.record()), Some(entry));
        }
        assert_eq!(Entry::read(&[0xff; RECORD]), None);
    }
}
