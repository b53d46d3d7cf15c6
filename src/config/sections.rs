//! The sections of modules that know no configuration: the pure pipeline and the model's files.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{
    compress::{Kinds, Policy, Ratio, Style},
    model::{Options, Sentences},
    setting::Invalid,
};

/// `[compress]`: what the pipeline may do where a request says nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CompressConfig {
    /// `auto`, or a number from 2 to 20.
    pub ratio: Ratio,
    /// `statements`, or `telegram` for prose without function words.
    pub style: Style,
    /// Texts below this many target tokens go on as they are.
    pub min_tokens: usize,
    /// Whether a model may be asked: for meanings, and how statements may be shortened. Words and whole ones otherwise.
    pub rewrite: bool,
    /// Which kinds of redundancy count.
    pub redundancy: Kinds,
    /// Whether passages that stand in earlier messages of a request may become references to them.
    pub references: bool,
}

impl Default for CompressConfig {
    fn default() -> Self {
        let Policy { ratio, style, min_tokens, rewrite, redundancy, references } = Policy::default();
        Self { ratio, style, min_tokens, rewrite, redundancy, references }
    }
}

impl CompressConfig {
    /// The policy of a request that says nothing else.
    #[must_use]
    pub fn policy(&self) -> Policy {
        let Self { ratio, style, min_tokens, rewrite, redundancy, references } = *self;
        Policy { ratio, style, min_tokens, rewrite, redundancy, references }
    }

    pub(super) fn check(&self) -> Result<(), Invalid> {
        if self.min_tokens == 0 {
            return Err(Invalid::new("min_tokens", 0, "give a number of tokens from 1 on; the default is 256"));
        }
        Ok(())
    }
}

/// `[model]`: which model, and what happens without it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// Whether a model is loaded at all; without one, selection alone condenses.
    pub enabled: bool,
    /// The folder of the model; the bundled one is looked up where this is not set.
    pub path: Option<PathBuf>,
    /// Whether a model that cannot be loaded stops the start. Otherwise the proxy runs without one and says so.
    pub required: bool,
    /// Threads of one operator of the model. 0: one for each core. The output does not depend on it.
    pub threads: usize,
    /// What a stock T5 is told before each text. Our own export takes none.
    pub prefix: Option<String>,
    /// What compares meanings: `bundled`, `none` (words alone), or the folder of the encoder's files.
    pub sentence_encoder: String,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self { enabled: true, path: None, required: true, threads: 0, prefix: None, sentence_encoder: "bundled".into() }
    }
}

impl ModelConfig {
    /// How the model is run.
    #[must_use]
    pub fn options(&self) -> Options {
        let sentences = match self.sentence_encoder.as_str() {
            "bundled" => Sentences::Bundled,
            "none" => Sentences::Off,
            folder => Sentences::At(folder.into()),
        };
        Options { threads: self.threads, prefix: self.prefix.clone(), sentences }
    }

    pub(super) fn check(&self) -> Result<(), Invalid> {
        if self.threads > 256 {
            return Err(Invalid::new("threads", self.threads, "give a number from 0 (one for each core) to 256"));
        }
        if self.enabled && matches!(self.options().sentences, Sentences::At(folder) if !folder.is_dir()) {
            return Err(Invalid::path(
                "sentence_encoder",
                self.sentence_encoder.as_ref(),
                "give `bundled`, `none`, or a folder that holds the encoder's files",
            ));
        }
        match &self.path {
            Some(path) if self.enabled && self.required && !path.is_dir() => Err(Invalid::path(
                "path",
                path,
                "there is no such folder: name the one that holds the model's files, leave the key out for the bundled \
                 model, or run without a model by --no-model",
            )),
            _ => Ok(()),
        }
    }
}
