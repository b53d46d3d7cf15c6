//! The file of decisions: a header, then frames of one entry each with its length and a checksum.
//!
//! It is only appended to, by a thread of its own, and written anew from memory when it has grown long or writing had
//! failed. An append-only file and not a database, because processes share it: each reads what the others append, and
//! none waits for another. Processes that write it anew at the same time may lose some entries of each other.

use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use super::{Entry, StartError, Store, lock};

/// Rises when the entries are told in another way.
const HEADER: &[u8; 24] = b"headroom decisions v3  \n";

/// The beginning of former files, whose entries say nothing to this version.
const FORMER: &[u8] = b"headroom raw v";

/// A longer frame is damage.
const LONGEST: usize = 64 * 1024;

/// Entries that may wait to be written.
const WAITING: usize = 4096;

/// Bytes of the longest file, for each text that the store holds.
const BYTES_EACH: u64 = 512;

/// Opens the file of these decisions and reads it into `store`. It is made if it is missing; its folder is for the
/// user's eyes alone where it is `own`.
pub(super) fn open(path: &Path, own: bool, store: &mut Store) -> io::Result<(Tail, Log)> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make(folder)?;
        if own {
            close(folder)?;
        }
    }
    let most = (store.most() as u64 * BYTES_EACH).max(1 << 20);
    let mut tail = Tail { path: path.to_owned(), file: None, at: 0, most };
    let mut log = Log { path: path.to_owned(), file: None, most, failing: 0 };
    let length = match fs::metadata(path) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    if length > 0 {
        check(path)?;
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

/// Refuses what is not ours, so that it is never overwritten.
fn check(path: &Path) -> io::Result<()> {
    let mut begins = Vec::new();
    File::open(path)?.take(HEADER.len() as u64).read_to_end(&mut begins)?;
    if begins == HEADER || begins.starts_with(FORMER) {
        return Ok(());
    }
    let told = "it is there already and is no file of decisions: name another one, or move it away";
    Err(io::Error::new(io::ErrorKind::InvalidData, told))
}

/// Where a file is read next. What others append, and what this process does, is read once more: that is no news.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    file: Option<(File, Identity)>,
    at: u64,
    most: u64,
}

impl Tail {
    /// Reads the entries that were not read yet. Whatever can't be read says nothing.
    pub(super) fn read(&mut self, take: impl FnMut(Entry)) {
        if let Err(error) = self.try_read(take) {
            tracing::debug!(%error, "the decisions of other processes can't be read");
        }
    }

    fn try_read(&mut self, mut take: impl FnMut(Entry)) -> io::Result<()> {
        let found = fs::metadata(&self.path)?;
        let identity = Identity::of(&found);
        if self.file.as_ref().is_none_or(|(_, known)| *known != identity) || found.len() < self.at {
            let file = File::open(&self.path)?;
            let identity = Identity::of(&file.metadata()?);
            (self.file, self.at) = (Some((file, identity)), 0);
        }
        let Some((file, _)) = &mut self.file else { return Ok(()) };
        if found.len() <= self.at {
            return Ok(());
        }
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(self.at))?;
        file.take(2 * self.most).read_to_end(&mut bytes)?;
        let mut rest = &*bytes;
        if self.at == 0 {
            let Some(frames) = rest.strip_prefix(HEADER) else { return Ok(()) };
            rest = frames;
        }
        // A frame that is cut off is being written, or damage; either way what follows waits.
        while let Some((entry, length)) = unframe(rest) {
            take(entry);
            rest = rest.get(length..).unwrap_or_default();
        }
        self.at += (bytes.len() - rest.len()) as u64;
        Ok(())
    }
}

/// The file, as its writing thread sees it.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: Option<(File, Identity)>,
    most: u64,
    /// Entries since writing began to fail; 0 while it doesn't.
    failing: u64,
}

impl Log {
    pub(super) fn start(
        mut self,
        known: Arc<Mutex<Store>>,
        alive: SyncSender<()>,
    ) -> Result<SyncSender<Entry>, StartError> {
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

    fn write_all(&mut self, known: &Mutex<Store>, entries: &Receiver<Entry>) {
        for entry in entries {
            if self.failing > 0 {
                self.failing += 1;
                // At 2, 4, 8 … entries, so that a disk that stays full costs little.
                if self.failing.is_power_of_two() {
                    self.resume(known);
                }
            } else if let Err(error) = self.append(&entry, known) {
                tracing::warn!(%error, "decisions can't be written; that is tried again as more come");
                self.failing = 1;
            }
        }
        if self.failing > 0 {
            self.resume(known);
        }
    }

    fn resume(&mut self, known: &Mutex<Store>) {
        let all = lock(known).entries();
        if self.rewrite(&all).is_ok() {
            tracing::info!("decisions are written again");
            self.failing = 0;
        }
    }

    fn append(&mut self, entry: &Entry, known: &Mutex<Store>) -> io::Result<()> {
        // Another process may have written the file anew, or somebody has taken it away.
        let found = fs::metadata(&self.path).ok().map(|found| (Identity::of(&found), found.len()));
        match (&self.file, found) {
            (_, Some((_, length))) if length > self.most => return self.rewrite(&lock(known).entries()),
            (_, None) => return self.rewrite(&lock(known).entries()),
            (Some((_, own)), Some((identity, _))) if *own == identity => {}
            _ => {
                check(&self.path)?;
                let file = OpenOptions::new().append(true).open(&self.path)?;
                let identity = Identity::of(&file.metadata()?);
                self.file = Some((file, identity));
            }
        }
        match &mut self.file {
            // In one piece: what is written to the end of a file at once is not mixed with what others write.
            Some((file, _)) => file.write_all(&frame(entry)),
            None => Ok(()),
        }
    }

    /// Writes the file anew, so that at any moment either the old or the new one is there.
    fn rewrite(&mut self, entries: &[Entry]) -> io::Result<()> {
        let draft = self.path.with_extension(format!("{}.new", std::process::id()));
        let write = || {
            let mut file = private().append(true).create(true).open(&draft)?;
            file.set_len(0)?;
            let frames = entries.iter().flat_map(frame);
            file.write_all(&HEADER.iter().copied().chain(frames).collect::<Vec<u8>>())?;
            fs::rename(&draft, &self.path)?;
            Ok(file)
        };
        let file: io::Result<File> = write();
        if file.is_err() {
            let _ = fs::remove_file(&draft);
        }
        let file = file?;
        let identity = Identity::of(&file.metadata()?);
        self.file = Some((file, identity));
        Ok(())
    }
}

/// An entry with its length and checksum. One that is too long for a frame is none.
fn frame(entry: &Entry) -> Vec<u8> {
    let Ok(bytes) = postcard::to_allocvec(entry) else { return Vec::new() };
    let Some(length) = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= LONGEST) else { return Vec::new() };
    [&length.to_le_bytes(), &checksum(&bytes), &*bytes].concat()
}

/// The first entry of some frames and the length of its frame.
fn unframe(frames: &[u8]) -> Option<(Entry, usize)> {
    let (length, rest) = frames.split_first_chunk()?;
    let (sum, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok().filter(|length| *length <= LONGEST)?;
    let bytes = rest.get(..length).filter(|bytes| checksum(bytes) == *sum)?;
    Some((postcard::from_bytes(bytes).ok()?, 8 + length))
}

fn checksum(bytes: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..] = *blake3::hash(bytes).as_bytes();
    [a, b, c, d]
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

/// For the user's eyes alone: whoever knows a text and its credential could tell from the hash that it was sent.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn make(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Takes the others' rights to a folder that was made with them.
fn close(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let found = fs::metadata(folder)?.permissions();
        if found.mode() & 0o077 != 0 {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
