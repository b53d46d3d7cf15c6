//! The file of decisions: a header, then [frames](frame) of one entry each.
//!
//! It is only appended to, by a thread of its own, and written anew from memory when it has grown long, is damaged, or
//! writing had failed. An append-only file and not a database, because processes share it: each reads what the others
//! append, and none waits for another. Where one writes it anew, or it was damaged, each of the others adds what it knows
//! and the file does not, so that they go on agreeing.

mod frame;

use std::{
    collections::{BTreeSet, HashMap},
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    mem,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use super::{Entry, Fact, StartError, Store, lock};
use crate::{engine::key::Name, private};
use frame::Read;

/// Rises when the entries are told in another way.
const HEADER: &[u8; 24] = b"headroom decisions v3  \n";

/// The beginning of former files, whose entries say nothing to this version.
const FORMER: &[u8] = b"headroom raw v";

/// Entries that may wait to be written.
const WAITING: usize = 4096;

/// Bytes of the longest file, for each text that the store holds.
const BYTES_EACH: u64 = 512;

/// Opens the file of these decisions and reads it into `store`. It is made if it is missing. Where it is `own`, in the state
/// folder, that folder is for the user's eyes alone, and what is there and none of ours lies aside from then on.
pub(super) fn open(path: &Path, own: bool, store: &mut Store) -> io::Result<(Tail, Log)> {
    private::folder_of(path, own)?;
    let most = (store.most() as u64 * BYTES_EACH).max(1 << 20);
    let mut tail = Tail { path: path.to_owned(), file: None, at: 0, most, stuck: None };
    let mut log = Log { path: path.to_owned(), own, file: None, seen: 0, most, failing: 0 };
    let length = match fs::metadata(path) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    if length > 0 && log.check()? == Content::Ours {
        tail.read(|entry| {
            store.insert(entry);
        });
    }
    // What is damaged, of a former version or missing is written anew.
    if length == 0 || tail.at != length || length > most {
        log.rewrite(&store.entries())?;
    }
    Ok((tail, log))
}

/// What a file begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    /// Our header, with frames behind it.
    Ours,
    /// Nothing that can be lost: less than our header, as where the machine went down while it was written, or the
    /// entries of a former version.
    Void,
    Foreign,
}

fn content(path: &Path) -> io::Result<Content> {
    let mut begins = Vec::new();
    File::open(path)?.take(HEADER.len() as u64).read_to_end(&mut begins)?;
    Ok(match () {
        () if begins == HEADER => Content::Ours,
        () if HEADER.starts_with(&begins) || begins.starts_with(FORMER) => Content::Void,
        () => Content::Foreign,
    })
}

/// Moves a file out of the way, where nobody looks for it and nothing lies yet.
fn put_aside(path: &Path) -> io::Result<PathBuf> {
    let aside = |at: u32| path.with_extension(if at == 0 { "damaged".to_owned() } else { format!("damaged.{at}") });
    let free = (0..10).map(aside).find(|aside| !aside.exists());
    let to = free.ok_or_else(|| io::Error::other("ten damaged files of decisions lie beside it already"))?;
    fs::rename(path, &to)?;
    Ok(to)
}

/// Where a file is read next. What others append, and what this process does, is read once more: that is no news.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    file: Option<(File, Identity)>,
    at: u64,
    most: u64,
    /// Where no frame stood at the last look. What is being written there is one at the next.
    stuck: Option<u64>,
}

/// What a look at the file says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// It goes on.
    Same,
    /// Another one has taken its place, or it is damaged: what this process knows may not be in it.
    Other,
}

impl Tail {
    /// Reads the entries that were not read yet. Whatever can't be read says nothing.
    pub(super) fn read(&mut self, take: impl FnMut(Entry)) -> Seen {
        self.try_read(take).unwrap_or_else(|error| {
            tracing::debug!(%error, "the decisions of other processes can't be read");
            if error.kind() == io::ErrorKind::NotFound { Seen::Other } else { Seen::Same }
        })
    }

    fn try_read(&mut self, mut take: impl FnMut(Entry)) -> io::Result<Seen> {
        let found = fs::metadata(&self.path)?;
        let identity = Identity::of(&found);
        let mut seen = Seen::Same;
        if self.file.as_ref().is_none_or(|(_, known)| *known != identity) || found.len() < self.at {
            seen = if self.file.is_some() { Seen::Other } else { Seen::Same };
            let file = File::open(&self.path)?;
            let identity = Identity::of(&file.metadata()?);
            (self.file, self.at) = (Some((file, identity)), 0);
        }
        let Some((file, _)) = &mut self.file else { return Ok(seen) };
        if found.len() <= self.at {
            return Ok(seen);
        }
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(self.at))?;
        file.take(2 * self.most).read_to_end(&mut bytes)?;
        let mut rest = &*bytes;
        if self.at == 0 {
            let Some(frames) = rest.strip_prefix(HEADER) else { return Ok(self.stuck_at(0, seen)) };
            rest = frames;
        }
        let damaged = loop {
            match frame::read(rest) {
                Read::Entry(entry, after) => {
                    take(entry);
                    rest = after;
                }
                // Being written, or cut off by a machine that went down; either way what follows waits.
                Read::Cut => break false,
                Read::Damage => break true,
            }
        };
        self.at += (bytes.len() - rest.len()) as u64;
        Ok(if damaged { self.stuck_at(self.at, seen) } else { seen })
    }

    /// Nothing that can be read stands here: for the second time, it is damage.
    fn stuck_at(&mut self, at: u64, seen: Seen) -> Seen {
        if self.stuck == Some(at) {
            self.stuck = None;
            return Seen::Other;
        }
        self.stuck = Some(at);
        seen
    }
}

/// What the writing thread is told.
#[derive(Debug)]
pub(super) enum Work {
    /// To note this.
    Note(Entry),
    /// To see whether what is known is in the file.
    Join,
}

/// The file, as its writing thread sees it.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    /// Whether it lies in the state folder under a name of our choice.
    own: bool,
    file: Option<(File, Identity)>,
    /// Its length when it was last seen; it only grows.
    seen: u64,
    most: u64,
    /// Entries since writing began to fail; 0 while it doesn't.
    failing: u64,
}

impl Log {
    pub(super) fn start(
        mut self,
        known: Arc<Mutex<Store>>,
        alive: SyncSender<()>,
    ) -> Result<SyncSender<Work>, StartError> {
        let (writer, entries) = sync_channel(WAITING);
        let write = move || {
            self.write_all(&known, &entries);
            drop(alive);
        };
        thread::Builder::new()
            .name("headroom-decisions".to_owned())
            .spawn(write)
            .map_err(|error| StartError::Thread("decisions", error))?;
        Ok(writer)
    }

    fn write_all(&mut self, known: &Mutex<Store>, work: &Receiver<Work>) {
        for work in work {
            let done = match &work {
                _ if self.failing > 0 => {
                    self.failing += 1;
                    // At 2, 4, 8 … entries, so that a disk that stays full costs little.
                    if self.failing.is_power_of_two() {
                        self.resume(known);
                    }
                    continue;
                }
                Work::Note(entry) => self.append(entry, known),
                Work::Join => self.join(known),
            };
            if let Err(error) = done {
                tracing::warn!(%error, "decisions can't be written; that is tried again as more come");
                self.failing = 1;
            }
        }
        if self.failing > 0 {
            self.resume(known);
        }
    }

    fn resume(&mut self, known: &Mutex<Store>) {
        if self.join(known).is_ok() {
            tracing::info!("decisions are written again");
            self.failing = 0;
        }
    }

    fn append(&mut self, entry: &Entry, known: &Mutex<Store>) -> io::Result<()> {
        // Another process may have written the file anew, or somebody has taken it away or written into it.
        let found = fs::metadata(&self.path).ok().map(|found| (Identity::of(&found), found.len()));
        match (&mut self.file, found) {
            (Some((file, own)), Some((identity, length)))
                if *own == identity && (self.seen..=self.most).contains(&length) =>
            {
                self.seen = length;
                // In one piece: what is written to the end of a file at once is not mixed with what others write.
                file.write_all(&frame::of(entry))
            }
            _ => {
                lock(known).insert(entry.clone());
                self.join(known)
            }
        }
    }

    /// Sees to it that the file has what is known. What it has and nobody here knew is known then.
    fn join(&mut self, known: &Mutex<Store>) -> io::Result<()> {
        let length = match fs::metadata(&self.path) {
            Ok(found) => found.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.rewrite(&lock(known).entries()),
            Err(error) => return Err(error),
        };
        if self.check()? != Content::Ours || length > self.most {
            return self.rewrite(&lock(known).entries());
        }
        let mut file = OpenOptions::new().read(true).append(true).open(&self.path)?;
        let mut bytes = Vec::new();
        (&mut file).take(2 * self.most).read_to_end(&mut bytes)?;
        let (mut rest, mut there) = (bytes.strip_prefix(HEADER).unwrap_or_default(), Standing::default());
        let damaged = loop {
            match frame::read(rest) {
                Read::Entry(entry, after) => {
                    there.note(&entry, rest.get(..rest.len() - after.len()).unwrap_or_default());
                    if !matches!(entry.fact, Fact::Backed(_)) {
                        lock(known).fill(entry);
                    }
                    rest = after;
                }
                Read::Cut => break false,
                Read::Damage => break true,
            }
        };
        let all = lock(known).entries();
        if damaged {
            return self.rewrite(&all);
        }
        let there = there.frames();
        let missing = all.iter().map(frame::of).filter(|frame| !there.contains(frame.as_slice()));
        let missing: Vec<u8> = missing.flatten().collect();
        file.write_all(&missing)?;
        let found = file.metadata()?;
        (self.file, self.seen) = (Some((file, Identity::of(&found))), found.len());
        Ok(())
    }

    /// What the file is. One that is none of ours is never overwritten: it lies aside from then on where its name is our
    /// choice, and is refused elsewhere.
    fn check(&self) -> io::Result<Content> {
        let content = content(&self.path)?;
        if content != Content::Foreign {
            return Ok(content);
        }
        if !self.own {
            let told = "it is there already and is no file of decisions: name another one, or move it away";
            return Err(io::Error::new(io::ErrorKind::InvalidData, told));
        }
        let aside = put_aside(&self.path)?;
        tracing::warn!(
            path = %self.path.display(),
            aside = %aside.display(),
            "the file of decisions (`engine.decisions_file`) is damaged or no such file: it lies aside, and a new one begins"
        );
        Ok(Content::Void)
    }

    /// Writes the file anew, so that at any moment either the old or the new one is there.
    fn rewrite(&mut self, entries: &[Entry]) -> io::Result<()> {
        let draft = self.path.with_extension(format!("{}.new", std::process::id()));
        let write = || {
            // Whoever knows a text and its credential could tell from the hash that it was sent.
            let mut file = private::options().append(true).create(true).open(&draft)?;
            file.set_len(0)?;
            let frames = entries.iter().flat_map(frame::of);
            file.write_all(&HEADER.iter().copied().chain(frames).collect::<Vec<u8>>())?;
            fs::rename(&draft, &self.path)?;
            Ok(file)
        };
        let file: io::Result<File> = write();
        if file.is_err() {
            let _ = fs::remove_file(&draft);
        }
        let file = file?;
        let found = file.metadata()?;
        (self.file, self.seen) = (Some((file, Identity::of(&found))), found.len());
        Ok(())
    }
}

/// The frames of a file that still say something: one that another has taken the place of has to be told again to hold.
#[derive(Default)]
struct Standing<'f> {
    frames: BTreeSet<&'f [u8]>,
    /// Of what gives way to what is told later, the last of each name and kind.
    last: HashMap<(Name, mem::Discriminant<Fact>), Told<'f>>,
}

/// What was told, and its frame.
type Told<'f> = (Fact, &'f [u8]);

impl<'f> Standing<'f> {
    fn note(&mut self, Entry { name, fact }: &Entry, frame: &'f [u8]) {
        if !matches!(fact, Fact::Chosen(_) | Fact::Backed(_)) {
            self.frames.insert(frame);
            return;
        }
        let last = self.last.entry((*name, mem::discriminant(fact)));
        let (old, its) = last.or_insert_with(|| (fact.clone(), frame));
        if old.gives_way_to(fact) {
            (*old, *its) = (fact.clone(), frame);
        }
    }

    fn frames(self) -> BTreeSet<&'f [u8]> {
        let Self { mut frames, last } = self;
        frames.extend(last.into_values().map(|(_, frame)| frame));
        frames
    }
}

/// Tells a file from the one that has taken its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity(u64, u64);

impl Identity {
    #[cfg(unix)]
    fn of(found: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self(found.dev(), found.ino())
    }

    /// By when it was made, where files have no number.
    #[cfg(not(unix))]
    fn of(found: &Metadata) -> Self {
        let made = found.created().ok().and_then(|made| made.duration_since(std::time::UNIX_EPOCH).ok());
        Self(0, made.map_or(0, |made| made.as_nanos() as u64))
    }
}

#[cfg(test)]
mod tests;
