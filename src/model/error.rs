//! Why a model cannot be loaded.

use std::path::PathBuf;

use super::runtime::RuntimeError;

/// Each says what failed, on which file, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// ONNX Runtime's library is missing or doesn't start.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The folder is not there.
    #[error("there is no folder {0}: name the one that holds the model's files")]
    NoFolder(PathBuf),
    /// The folder holds neither of the two layouts.
    #[error(
        "{folder} holds no model: {missing} is missing. A folder has either manifest.json (headroom-t5/1), or what \
         `optimum-cli export onnx --task text2text-generation-with-past` writes"
    )]
    Missing {
        /// The folder.
        folder: PathBuf,
        /// What was looked for.
        missing: String,
    },
    /// A file cannot be read.
    #[error("{path} cannot be read: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A JSON file is not what it should be.
    #[error("{path} is not usable: {why}")]
    Description {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        why: String,
    },
    /// A manifest of a format that this version doesn't know.
    #[error("{path} says format {format:?}, this version reads \"headroom-t5/1\": export the model again or update")]
    Format {
        /// The manifest.
        path: PathBuf,
        /// What it says.
        format: String,
    },
    /// A file is not the one that the manifest describes.
    #[error(
        "{path} is damaged or was exchanged: its SHA-256 should be {expected} and is {got}. Restore the model's folder \
         (`git checkout` or copy it again); if you made this file, export again so that manifest.json describes it"
    )]
    Checksum {
        /// The file.
        path: PathBuf,
        /// By the manifest, hex.
        expected: String,
        /// As found, hex.
        got: String,
    },
    /// A graph cannot be loaded.
    #[error("{name} cannot be loaded by ONNX Runtime: {source}")]
    Graph {
        /// The file's name.
        name: String,
        /// What ONNX Runtime says.
        source: ort::Error,
    },
    /// A graph has other inputs or outputs than its layout asks for.
    #[error("{name} is not the graph that was expected: {why}")]
    Layout {
        /// The file's name.
        name: String,
        /// What it lacks.
        why: String,
    },
    /// The system gives no thread.
    #[error("the thread that watches the model cannot be started: {0}")]
    Thread(std::io::Error),
    /// The model was loaded but fails on a plain sentence.
    #[error("the model was loaded but does not run")]
    Warm(#[source] crate::compress::RewriteError),
}
