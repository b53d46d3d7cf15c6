//! Which files a stock export has, and what they say of the model.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::model::{ModelError, manifest::parse};

/// A stock export's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) config: PathBuf,
    pub(crate) generation_config: Option<PathBuf>,
    pub(crate) tokenizer: PathBuf,
    pub(crate) encoder: PathBuf,
    /// Merged, or the one without past.
    pub(crate) decoder: PathBuf,
    pub(crate) decoder_with_past: Option<PathBuf>,
}

impl Files {
    /// Finds them by name. Where several variants of a graph lie in the folder, the first of [`VARIANTS`] is taken for
    /// all, as one export has one precision.
    pub(crate) fn find(folder: &Path) -> Result<Self, ModelError> {
        let missing = |missing: &str| ModelError::Missing { folder: folder.to_owned(), missing: missing.to_owned() };
        let file = |name: &str| Some(folder.join(name)).filter(|path| path.is_file());
        // Newer community exports keep the graphs in a folder of their own.
        let graph = |name: &str| {
            let names = VARIANTS.iter().map(|variant| format!("{name}{variant}.onnx"));
            names.flat_map(|name| [folder.join(&name), folder.join("onnx").join(&name)]).find(|path| path.is_file())
        };
        let config = file("config.json").ok_or_else(|| missing("config.json"))?;
        let tokenizer = file("tokenizer.json").ok_or_else(|| missing("tokenizer.json"))?;
        let encoder = graph("encoder_model").ok_or_else(|| missing("encoder_model.onnx"))?;
        let (decoder, decoder_with_past) = match graph("decoder_model_merged") {
            Some(merged) => (merged, None),
            None => (
                graph("decoder_model").ok_or_else(|| missing("decoder_model_merged.onnx, or decoder_model.onnx,"))?,
                Some(graph("decoder_with_past_model").ok_or_else(|| missing("decoder_with_past_model.onnx"))?),
            ),
        };
        let generation_config = file("generation_config.json");
        Ok(Self { config, generation_config, tokenizer, encoder, decoder, decoder_with_past })
    }

    /// All of them, to be hashed; also what the graphs keep outside of themselves.
    pub(crate) fn all(&self) -> Vec<PathBuf> {
        let mut all = vec![self.config.clone()];
        all.extend(self.generation_config.clone());
        all.push(self.tokenizer.clone());
        for graph in [Some(&self.encoder), Some(&self.decoder), self.decoder_with_past.as_ref()].into_iter().flatten() {
            all.push(graph.clone());
            for ending in ["_data", ".data"] {
                let mut name = graph.clone().into_os_string();
                name.push(ending);
                all.extend(Some(PathBuf::from(name)).filter(|path| path.is_file()));
            }
        }
        all
    }
}

/// Endings of quantized graphs, the best first: int8 is several times as fast on a CPU.
const VARIANTS: [&str; 4] = ["_int8", "_quantized", "_uint8", ""];

/// What `config.json` and `generation_config.json` say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    pub(crate) name: Option<String>,
    pub(crate) d_model: usize,
    pub(crate) heads: usize,
    pub(crate) head_width: usize,
    pub(crate) pad: i64,
    /// The token that generation begins with.
    pub(crate) start: i64,
    /// The tokens that end it.
    pub(crate) ends: Vec<i64>,
}

#[derive(Deserialize)]
struct Config {
    #[serde(rename = "_name_or_path")]
    name: Option<String>,
    d_model: usize,
    num_heads: usize,
    d_kv: usize,
    #[serde(flatten)]
    special: Special,
}

/// Both files may name them; `generation_config.json` wins, as in `transformers`.
#[derive(Deserialize, Default)]
struct Special {
    pad_token_id: Option<i64>,
    decoder_start_token_id: Option<i64>,
    eos_token_id: Option<OneOrMore>,
}

#[derive(Deserialize, Clone)]
#[serde(untagged)]
enum OneOrMore {
    One(i64),
    More(Vec<i64>),
}

impl Settings {
    pub(crate) fn read(files: &Files) -> Result<Self, ModelError> {
        let config: Config = read(&files.config)?;
        let generation: Special = files.generation_config.as_deref().map_or_else(|| Ok(Special::default()), read)?;
        let pad = generation.pad_token_id.or(config.special.pad_token_id).unwrap_or(0);
        let start = generation.decoder_start_token_id.or(config.special.decoder_start_token_id).unwrap_or(pad);
        let ends = match generation.eos_token_id.or(config.special.eos_token_id) {
            Some(OneOrMore::One(end)) => vec![end],
            Some(OneOrMore::More(ends)) => ends,
            None => vec![1],
        };
        if config.d_model == 0 || config.num_heads == 0 || config.d_kv == 0 {
            let why = "d_model, num_heads and d_kv must be above 0".to_owned();
            return Err(ModelError::Description { path: files.config.clone(), why });
        }
        let name = config.name.filter(|name| !name.is_empty() && !Path::new(name).is_absolute());
        Ok(Self { name, d_model: config.d_model, heads: config.num_heads, head_width: config.d_kv, pad, start, ends })
    }
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, ModelError> {
    let text = fs::read(path).map_err(|source| ModelError::Read { path: path.to_owned(), source })?;
    parse(path, &text)
}
