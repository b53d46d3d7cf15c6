//! What a model's folder says of itself, and whether its files are those that it speaks of.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::ModelError;

/// The only format there is so far.
pub(crate) const FORMAT: &str = "headroom-t5/2";

/// `manifest.json` of a `headroom-t5/2` folder. What this version doesn't know is ignored, except for another format.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) files: BTreeMap<String, Described>,
    /// The longest source in tokens.
    pub(crate) max_tokens: usize,
    pub(crate) vocab_size: usize,
    pub(crate) pad_token_id: i64,
    /// The relations that the encoder names by number.
    pub(crate) relations: Vec<String>,
    /// The tags that the encoder names by number.
    pub(crate) tags: Vec<String>,
    #[serde(default)]
    pub(crate) parameters: Option<u64>,
    #[serde(default)]
    pub(crate) licence: Option<String>,
    /// What it learned from, in a line.
    #[serde(default)]
    pub(crate) trained_on: Option<String>,
    /// The commit whose recipe made it.
    #[serde(default)]
    pub(crate) recipe: Option<String>,
}

/// A file as the manifest describes it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Described {
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
}

/// A file whose contents were hashed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct HashedFile {
    /// Its name in the model's folder.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Hex.
    pub sha256: String,
    /// Whether a manifest names this sum. A stock export has none: then the sum only tells which model it is.
    pub verified: bool,
}

impl Manifest {
    /// Reads a folder's manifest; `None` where it has none.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>, ModelError> {
        let path = folder.join("manifest.json");
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|source| ModelError::Read { path: path.clone(), source })?,
        };
        // The format first: another format may well have other keys.
        let value: serde_json::Value = parse(&path, &text)?;
        let format = value.get("format").and_then(serde_json::Value::as_str).unwrap_or_default();
        if format != FORMAT {
            return Err(ModelError::Format { path, format: format.to_owned() });
        }
        parse(&path, &text).map(Some)
    }

    /// Checks every file that the manifest names, before any of them is given to native code.
    pub(crate) fn verify(&self, folder: &Path) -> Result<Vec<HashedFile>, ModelError> {
        for needed in ["encoder.onnx", "tokenizer.json"] {
            if !self.files.contains_key(needed) {
                let why = format!("`files` does not name {needed}");
                return Err(ModelError::Description { path: folder.join("manifest.json"), why });
            }
        }
        self.files.iter().map(|(name, described)| described.verify(folder, name)).collect()
    }
}

impl Described {
    /// Checks one file by size and sum.
    pub(crate) fn verify(&self, folder: &Path, name: &str) -> Result<HashedFile, ModelError> {
        let path = folder.join(name);
        let (bytes, got) = hash(&path)?;
        if !got.eq_ignore_ascii_case(&self.sha256) || bytes != self.bytes {
            return Err(ModelError::Checksum { path, expected: self.sha256.clone(), got });
        }
        Ok(HashedFile { name: name.to_owned(), bytes, sha256: got, verified: true })
    }
}

/// Hashes files that no manifest speaks of.
pub(crate) fn hash_files(paths: &[PathBuf]) -> Result<Vec<HashedFile>, ModelError> {
    let file = |path: &PathBuf| {
        let (bytes, sha256) = hash(path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(HashedFile { name, bytes, sha256, verified: false })
    };
    paths.iter().map(file).collect()
}

/// Names the weights, the tokenizer, what else decides the output (`settings`), and the code that runs them.
pub(crate) fn fingerprint(files: &[HashedFile], settings: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&RUNNER_VERSION.to_le_bytes());
    for text in files.iter().flat_map(|file| [file.name.as_str(), file.sha256.as_str()]).chain([settings]) {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize().to_hex().chars().take(16).collect()
}

/// Raised whenever the code of this module may give other output for equal files.
const RUNNER_VERSION: u32 = 4;

pub(crate) fn parse<T: serde::de::DeserializeOwned>(path: &Path, text: &[u8]) -> Result<T, ModelError> {
    serde_json::from_slice(text)
        .map_err(|error| ModelError::Description { path: path.to_owned(), why: error.to_string() })
}

/// Size and SHA-256 of a file, read in pieces.
pub(super) fn hash(path: &Path) -> Result<(u64, String), ModelError> {
    let read = || -> io::Result<(u64, String)> {
        let mut file = fs::File::open(path)?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 1 << 20];
        let mut bytes = 0;
        loop {
            let count = file.read(&mut buffer)?;
            let Some(piece) = buffer.get(..count).filter(|piece| !piece.is_empty()) else { break };
            hasher.update(piece);
            bytes += count as u64;
        }
        Ok((bytes, hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
    };
    read().map_err(|source| ModelError::Read { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_names_files_and_settings() {
        let file = |sha256: &str| HashedFile { name: "a".into(), bytes: 1, sha256: sha256.into(), verified: true };
        let first = fingerprint(&[file("00")], "");
        assert_eq!(first.len(), 16);
        assert_eq!(first, fingerprint(&[file("00")], ""));
        assert_ne!(first, fingerprint(&[file("01")], ""));
        assert_ne!(first, fingerprint(&[file("00")], "prefix"));
    }

    #[test]
    fn the_hash_is_the_one_that_sha256sum_prints() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        fs::write(&path, "abc").unwrap();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash(&path).unwrap(), (3, expected.to_owned()));
    }
}
