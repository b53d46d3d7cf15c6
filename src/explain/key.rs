//! The operator's key to the records: a file that only the user of the proxy can read. To come from this machine proves
//! nothing, since all that another proxy on it relays does.

use std::{
    collections::hash_map::RandomState,
    fs,
    hash::{BuildHasher as _, Hasher as _},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::private;

/// A key of this process, new at each start.
#[derive(Clone)]
pub struct ReaderKey(blake3::Hash);

impl ReaderKey {
    /// A key that nobody else knows.
    #[must_use]
    pub fn fresh() -> Self {
        let mut seed = blake3::Hasher::new_derive_key("headroom reader key, version 1");
        for _ in 0..4 {
            // The standard library's only source of the operating system's randomness.
            seed.update(&RandomState::new().build_hasher().finish().to_le_bytes());
        }
        Self(seed.finalize())
    }

    /// Whether a reader presents this key; takes the same time whatever differs.
    #[must_use]
    pub fn is(&self, presented: &[u8]) -> bool {
        std::str::from_utf8(presented).ok().and_then(|hex| blake3::Hash::from_hex(hex).ok()) == Some(self.0)
    }

    /// Writes it for the commands of the same user, in the place of the one of a former start.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, folder: &Path, port: u16) -> io::Result<()> {
        let path = place(folder, port);
        private::folder_of(&path, false)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        private::options().write(true).create_new(true).open(path)?.write_all(self.0.to_hex().as_bytes())
    }

    /// The key of the proxy that listens on this port, as it is sent.
    #[must_use]
    pub fn read(folder: &Path, port: u16) -> Option<String> {
        fs::read_to_string(place(folder, port)).ok().filter(|key| key.len() == 64)
    }
}

impl std::fmt::Debug for ReaderKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReaderKey")
    }
}

fn place(folder: &Path, port: u16) -> PathBuf {
    folder.join(format!("reader-{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_by_the_same_user_and_known_by_its_own_process_alone() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        ReaderKey::fresh().write(&state, 1).unwrap();
        let key = ReaderKey::fresh();
        key.write(&state, 1).unwrap();
        let read = ReaderKey::read(&state, 1).unwrap();
        assert!(key.is(read.as_bytes()) && !ReaderKey::fresh().is(read.as_bytes()));
        assert!(!key.is(b"") && ReaderKey::read(&state, 2).is_none());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&state), mode(&place(&state, 1))), (0o700, 0o600));
        }
    }
}
