//! Where settings come from: a file, the environment, flags.

use std::path::{Path, PathBuf};

use figment::{
    Metadata, Profile, Provider,
    providers::Format,
    util::nest,
    value::{Dict, Map, Value},
};

use super::Error;
use crate::redact;

/// The world outside, as arguments: tests bring their own.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file named by `--config` or `HEADROOM_CONFIG`; it must exist.
    pub named_file: Option<PathBuf>,
    /// The folder in which `config.toml` is read if it is there.
    pub folder: Option<PathBuf>,
    /// The process's environment; only names that begin with `HEADROOM_` are looked at.
    pub environment: Vec<(String, String)>,
    /// What the command line said.
    pub flags: Vec<Flag>,
}

/// A flag that stands for a key.
#[derive(Debug, Clone)]
pub struct Flag {
    /// As the user wrote it: `--listen`.
    pub name: &'static str,
    /// The key that it sets, with its section.
    pub key: &'static str,
    /// The value.
    pub value: Value,
}

/// A configuration file's text.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl Sources {
    /// The process's own environment and working folder, with what the command line said.
    #[must_use]
    pub fn of_process(named_file: Option<PathBuf>, flags: Vec<Flag>) -> Self {
        let environment =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self {
            named_file: named_file.or_else(|| std::env::var_os(OWN).filter(|name| !name.is_empty()).map(PathBuf::from)),
            folder: Some(PathBuf::from(".")),
            environment: environment.filter(|(name, _)| name.starts_with(PREFIX)).collect(),
            flags,
        }
    }

    /// The configuration file, if there is one.
    pub(super) fn file(&self) -> Result<Option<File>, Error> {
        if let Some(path) = &self.named_file {
            return match std::fs::read_to_string(path) {
                Ok(text) => File::parsed(path, text).map(Some),
                Err(source) => Err(unreadable(path, source)),
            };
        }
        let Some(path) = self.folder.as_ref().map(|folder| folder.join(FILE_NAME)) else { return Ok(None) };
        match std::fs::read_to_string(&path) {
            Ok(text) => File::parsed(&path, text).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(unreadable(&path, source)),
        }
    }

    /// The names of variables that begin as ours do and are none of ours.
    pub(super) fn ignored(&self) -> Vec<String> {
        let strange = |(name, value): &&(String, String)| {
            let set = !value.is_empty() && name != OWN;
            let strange = |rest| !of_kubernetes(rest, value) && is_strange(rest);
            set && (name.strip_prefix(PREFIX).is_some_and(strange) || is_elses(name, value))
        };
        self.environment.iter().filter(strange).map(|(name, _)| name.clone()).collect()
    }

    /// Environment first, flags after: the later wins.
    pub(super) fn settings(&self, known: &[String]) -> Result<Vec<Setting>, Error> {
        let mut settings = Vec::new();
        for (name, value) in &self.environment {
            if let Some(setting) = from_variable(name, value, known)? {
                settings.push(setting);
            }
        }
        settings.extend(self.flags.iter().map(|flag| Setting {
            key: flag.key.into(),
            value: flag.value.clone(),
            origin: format!("the flag {}", flag.name),
        }));
        Ok(settings)
    }
}

impl File {
    /// Checked here, where the parser's word about line and column is at hand.
    fn parsed(path: &Path, text: String) -> Result<Self, Error> {
        match figment::providers::Toml::from_str::<Dict>(&text) {
            Ok(_) => Ok(Self { path: path.into(), text }),
            Err(error) => {
                let (line, column) = place(&text, error.span().map_or(0, |span| span.start));
                Err(Error::NotToml { path: path.into(), line, column, problem: words(error.message()) })
            }
        }
    }
}

/// Line and column of a byte, from 1 on.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// What the parser says before it quotes anything.
fn words(message: &str) -> String {
    let own =
        message.split(|char: char| !(char.is_ascii_alphabetic() || char == ' ')).next().unwrap_or_default().trim();
    if own.is_empty() { String::new() } else { format!(": {own}") }
}

/// One key's value and its origin.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    key: String,
    value: Value,
    origin: String,
}

impl Provider for Setting {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.clone())
    }

    fn data(&self) -> figment::error::Result<Map<Profile, Dict>> {
        let dict = nest(&self.key, self.value.clone()).into_dict().unwrap_or_default();
        Ok(Profile::Default.collect(dict))
    }
}

fn from_variable(name: &str, value: &str, known: &[String]) -> Result<Option<Setting>, Error> {
    let Some(rest) = name.strip_prefix(PREFIX) else { return Ok(None) };
    // An empty variable is how compose files and unit files leave something out.
    if value.is_empty() || name == OWN || of_kubernetes(rest, value) || is_strange(rest) || is_elses(name, value) {
        return Ok(None);
    }
    let short = SHORT.iter().find(|(short, _)| *short == name).map(|(_, key)| (*key).to_owned());
    let key = short.unwrap_or_else(|| rest.to_ascii_lowercase().replace("__", "."));
    if !known.contains(&key) {
        let nearest = super::show::nearest(&key, known).map(variable_of);
        let remedy = match nearest {
            Some(nearest) => format!("did you mean {nearest}? Unset the variable otherwise"),
            None => "unset it; `headroom config show` lists every key".to_owned(),
        };
        let origin = format!("the variable {}", redact::name(name));
        return Err(Error::UnknownKey { key: redact::name(&key).into(), origin, remedy });
    }
    let value = value.parse().unwrap_or_else(|_| Value::from(value));
    Ok(Some(Setting { key, value, origin: format!("the variable {name}") }))
}

/// The variable that sets a key.
fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.to_ascii_uppercase().replace('.', "__"))
}

/// Whether a variable is none of ours: a like-named project has some two hundred that begin as ours do. Ours have two
/// underscores after their section or one of a few short names; what is nearly one of these is a mistyped one.
fn is_strange(rest: &str) -> bool {
    let nearly = |(short, _): &(&str, &str)| {
        let short = short.strip_prefix(PREFIX).unwrap_or(short);
        strsim::damerau_levenshtein(short, rest) <= if short.len() > 4 { 2 } else { 1 }
    };
    !rest.contains("__") && !SHORT.iter().any(nearly)
}

/// Whether a variable that is ours by its name holds a word that the like-named project has for it, and no mistyped one of
/// ours.
fn is_elses(name: &str, value: &str) -> bool {
    let ours = SHARED.iter().find(|(shared, _)| *shared == name).map(|(_, words)| *words);
    let value = value.trim().to_ascii_lowercase();
    let is_word = value.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_' || byte == b'-');
    ours.is_some_and(|words| is_word && !words.iter().any(|word| strsim::damerau_levenshtein(word, &value) <= 2))
}

/// Kubernetes puts `HEADROOM_SERVICE_HOST`, `HEADROOM_PORT_8787_TCP` and the like into every pod beside a service
/// named `headroom`; they are not meant for us.
fn of_kubernetes(rest: &str, value: &str) -> bool {
    (rest == "PORT" && value.contains("://")) || rest.starts_with("PORT_") || rest.starts_with("SERVICE_")
}

fn unreadable(path: &Path, source: std::io::Error) -> Error {
    Error::Unreadable { path: path.into(), remedy: "name a readable TOML file with --config", source }
}

const PREFIX: &str = "HEADROOM_";
const FILE_NAME: &str = "config.toml";

/// Names the configuration file itself.
const OWN: &str = "HEADROOM_CONFIG";

/// Names that both projects have, with our words for them.
const SHARED: [(&str, &[&str]); 2] =
    [("HEADROOM_MODE", &["compress", "audit", "off"]), ("HEADROOM_PROFILE", &["agent", "rag", "support", "archive"])];

/// Short names of what is set most often.
const SHORT: [(&str, &str); 6] = [
    ("HEADROOM_LISTEN", "server.listen"),
    ("HEADROOM_UPSTREAM", "upstream.url"),
    ("HEADROOM_RATIO", "compress.ratio"),
    ("HEADROOM_MODE", "proxy.mode"),
    ("HEADROOM_PROFILE", "profile"),
    ("HEADROOM_LOG", "telemetry.level"),
];
