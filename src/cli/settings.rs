//! The flags that several commands share, as settings.

use std::path::PathBuf;

use clap::Args;
use headroom::{
    compress::{Ratio, Rewriter, Style},
    config::{Config, Flag, Loaded, ModelConfig, Sources},
    fidelity::Mode,
    model::{self, Info, Model, ModelError},
    proxy::rules::Profile,
    redact,
};

use super::Failure;

/// Flags for what every command needs.
#[derive(Debug, Default, Args)]
#[group(skip)]
pub(super) struct Settings {
    /// Configuration file [default: config.toml in this folder, if it is there; or $HEADROOM_CONFIG]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// How far to condense: `auto`, or original : condensed from 2 to 20 [default: auto]
    #[arg(long, value_name = "auto|2..20")]
    pub(super) ratio: Option<Ratio>,
    /// How prose is shortened under a ratio: `statements`, or `telegram` (function words go) [default: statements]
    #[arg(long, value_name = "statements|telegram")]
    pub(super) style: Option<Style>,
    /// Rules to begin with, by traffic; `headroom profile NAME` prints them [default: none]
    #[arg(long, value_name = "agent|rag|support|archive")]
    pub(super) profile: Option<Profile>,
    /// Folder of the model [default: the bundled one]
    #[arg(long, value_name = "FOLDER", conflicts_with = "no_model")]
    pub(super) model: Option<String>,
    /// Runs without a model: selection alone condenses
    #[arg(long)]
    pub(super) no_model: bool,
}

impl Settings {
    /// The configuration, with `more` flags of the command's own.
    pub(super) fn load(&self, more: Vec<Flag>) -> Result<Loaded, Failure> {
        Config::load(&self.sources(more)).map_err(Failure::setup)
    }

    /// The same, with the address of the proxy where it is given.
    pub(super) fn load_at(&self, listen: Option<&str>) -> Result<Loaded, Failure> {
        let flag = |value: &str| Flag { name: "--listen", key: "server.listen", value: value.into() };
        self.load(listen.map(flag).into_iter().collect())
    }

    /// The same as [`load`](Self::load), whatever lies in the working folder. A wrapped program runs in other people's folders: a `config.toml`
    /// there may be another program's, and is not to say where keys go.
    pub(super) fn load_named(&self, more: Vec<Flag>) -> Result<Loaded, Failure> {
        Config::load(&Sources { folder: None, ..self.sources(more) }).map_err(Failure::setup)
    }

    /// Whether flags say how to condense.
    pub(super) fn say_how(&self) -> bool {
        let Self { config: _, ratio, style, profile, model, no_model } = self;
        ratio.is_some() || style.is_some() || profile.is_some() || model.is_some() || *no_model
    }

    /// Whether a flag names a configuration file.
    pub(super) fn name_a_file(&self) -> bool {
        self.config.is_some()
    }

    fn sources(&self, more: Vec<Flag>) -> Sources {
        let mut flags = more;
        if let Some(ratio) = self.ratio {
            flags.push(Flag { name: "--ratio", key: "compress.ratio", value: ratio.to_string().into() });
        }
        if let Some(style) = self.style {
            flags.push(Flag { name: "--style", key: "compress.style", value: style.as_str().into() });
        }
        if let Some(profile) = self.profile {
            flags.push(Flag { name: "--profile", key: "profile", value: profile.as_str().into() });
        }
        if let Some(model) = &self.model {
            flags.push(Flag { name: "--model", key: "model.path", value: model.as_str().into() });
        }
        if self.no_model {
            flags.push(Flag { name: "--no-model", key: "model.enabled", value: false.into() });
        }
        Sources::of_process(self.config.clone(), flags)
    }
}

/// Refuses to send texts where only a file says that lay in the working folder and was not named.
pub(super) fn named_checker(loaded: &Loaded) -> Result<(), Failure> {
    let of_folder = ["fidelity.mode", "fidelity.base_url"].into_iter().any(|key| loaded.is_of_folder(key));
    if !of_folder || loaded.config.fidelity.mode == Mode::Off {
        return Ok(());
    }
    let remedy = "name the file by --config config.toml, or set HEADROOM_FIDELITY__MODE=off";
    let problem = "a config.toml that lies in this folder and was not named has texts sent to a checker";
    Err(Failure::setup(anyhow::anyhow!("{problem}\n  key:    fidelity.mode\n  remedy: {remedy}")))
}

/// Loads the configured model and runs it once; `None` where none is wanted.
pub(super) fn load_model(config: &ModelConfig) -> Result<Option<Model>, NoModel> {
    if !config.enabled {
        return Ok(None);
    }
    let folder = config.path.clone().or_else(model::bundled).ok_or(NoModel::NotBundled)?;
    let options = config.options();
    let load = || {
        let mut model = Model::load(&folder, &options)?;
        model.warm()?;
        Ok(model)
    };
    load().map(Some).map_err(|source| NoModel::Unusable { folder: redact::path(&folder), source })
}

/// Why there is no model, although one is wanted.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoModel {
    /// No folder is configured, and none came with the program.
    #[error(
        "cannot load the model\n  key:    model.path\n  value:  (not set: the bundled model)\n  remedy: put the bundled \
         model's folder `models/headroom-t5-small` beside the program, name another by --model, or run without one by \
         --no-model"
    )]
    NotBundled,
    /// A file of it is missing, damaged or of another kind.
    #[error(
        "cannot load the model\n  key:    model.path\n  value:  {folder}\n  remedy: restore the folder, name another \
         by --model, or run without one by --no-model"
    )]
    Unusable {
        /// Its folder.
        folder: String,
        /// What is wrong.
        #[source]
        source: ModelError,
    },
}

/// A model in a few words: `headroom-t5-small 0.1 (3f6c09a1d2e4)`.
pub(super) fn in_words(info: &Info) -> String {
    let version = info.version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
    format!("{}{version} ({})", info.name, info.fingerprint.chars().take(12).collect::<String>())
}

/// The model as the pipeline takes it.
pub(super) fn as_rewriter(model: &mut Option<Model>) -> Option<&mut dyn Rewriter> {
    model.as_mut().map(|model| model as &mut dyn Rewriter)
}
