//! What a loaded model says of itself, for `headroom model info` and the line at the start.

use std::path::{Path, PathBuf};

use super::{
    ModelError,
    manifest::{FORMAT, HashedFile, Manifest},
    runtime::runtime,
    stock::Stock,
};

/// A loaded model.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Info {
    /// Its name.
    pub name: String,
    /// Its version; a stock export has none.
    pub version: Option<String>,
    /// The layout of its folder.
    pub format: &'static str,
    /// The folder.
    pub folder: PathBuf,
    /// Hex; names the weights, the tokenizer and the code that runs them.
    pub fingerprint: String,
    /// Its files with sizes and checksums.
    pub files: Vec<HashedFile>,
    /// How many numbers were learned, where the model says so.
    pub parameters: Option<u64>,
    /// Size of the vocabulary in tokens.
    pub vocabulary: usize,
    /// The longest text that is taken whole, in tokens.
    pub window: usize,
    /// The licence, where the model says so.
    pub licence: Option<String>,
    /// What it learned from, where the model says so.
    pub trained_on: Option<String>,
    /// The commit whose recipe made it, where the model says so.
    pub recipe: Option<String>,
    /// The model card, where there is one.
    pub card: Option<PathBuf>,
    /// The sentence encoder that compares meanings; `None` where words alone tell what is relevant.
    pub sentence_encoder: Option<String>,
    /// Threads of one operator.
    pub threads: usize,
    /// ONNX Runtime: the library that was loaded.
    pub library: PathBuf,
    /// ONNX Runtime: whether the library's file was compared with a checksum before it was loaded.
    pub library_checked: bool,
    /// ONNX Runtime: what it says of its build, with the release.
    pub runtime: &'static str,
}

impl Info {
    pub(super) fn of_own(
        folder: &Path,
        manifest: &Manifest,
        fingerprint: String,
        files: Vec<HashedFile>,
        threads: usize,
    ) -> Result<Self, ModelError> {
        Ok(Self {
            name: manifest.name.clone(),
            version: Some(manifest.version.clone()),
            format: FORMAT,
            parameters: manifest.parameters,
            vocabulary: manifest.vocab_size,
            window: manifest.max_tokens,
            licence: manifest.licence.clone(),
            trained_on: manifest.trained_on.clone(),
            recipe: manifest.recipe.clone(),
            ..Self::of_any(folder, fingerprint, files, threads)?
        })
    }

    pub(super) fn of_stock(
        folder: &Path,
        stock: &Stock,
        fingerprint: String,
        files: Vec<HashedFile>,
        threads: usize,
    ) -> Result<Self, ModelError> {
        let folder_name = || folder.file_name().map_or_else(|| "t5".into(), |name| name.to_string_lossy().into_owned());
        Ok(Self {
            name: stock.settings().name.clone().unwrap_or_else(folder_name),
            format: "optimum text2text-generation-with-past",
            vocabulary: stock.vocabulary(),
            window: Stock::window(),
            ..Self::of_any(folder, fingerprint, files, threads)?
        })
    }

    fn of_any(folder: &Path, fingerprint: String, files: Vec<HashedFile>, threads: usize) -> Result<Self, ModelError> {
        let card = ["MODEL_CARD.md", "README.md"].map(|name| folder.join(name)).into_iter().find(|path| path.is_file());
        Ok(Self {
            name: String::new(),
            version: None,
            format: "",
            folder: folder.to_owned(),
            fingerprint,
            files,
            parameters: None,
            vocabulary: 0,
            window: 0,
            licence: None,
            trained_on: None,
            recipe: None,
            card,
            sentence_encoder: None,
            threads,
            library: runtime()?.library.clone(),
            library_checked: runtime()?.checked,
            runtime: ort::info(),
        })
    }
}
