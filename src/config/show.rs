//! Every key with its value and origin: for people, and for errors that name what to correct.

use std::{fmt::Write as _, path::PathBuf};

use figment::{
    Figment,
    error::{Actual, Kind},
    value::{Dict, Num, Value},
};

use super::Error;
use crate::{proxy::rules::Profile, redact, setting::Invalid};

/// The merged values, each with its origin.
#[derive(Debug)]
pub(super) struct Origins {
    pub(super) figment: Figment,
    pub(super) file: Option<PathBuf>,
    /// Whether that file was found in the working folder rather than named.
    pub(super) unnamed: bool,
    /// Every key there is, with its section.
    pub(super) known: Vec<String>,
}

impl Origins {
    pub(super) fn refuse_unknown_keys(&self) -> Result<(), Error> {
        let Some(key) = leaves(&self.figment).into_iter().find(|key| !self.known.contains(key)) else {
            return Ok(());
        };
        let list = LISTS.into_iter().find(|list| key.strip_prefix(list).is_some_and(|rest| rest.starts_with('.')));
        let moved = MOVED.into_iter().find(|(old, _)| *old == key).map(|(_, remedy)| remedy);
        let remedy = match nearest(&key, &self.known) {
            _ if moved.is_some() => moved.unwrap_or_default().to_owned(),
            _ if list.is_some() => {
                format!("write `[[{}]]`: there may be several", list.unwrap_or_default())
            }
            Some(nearest) => format!("did you mean `{nearest}`? `headroom config show` lists every key"),
            None => "remove it; `headroom config show` lists every key".to_owned(),
        };
        // What is nested below a known key is part of its value.
        let known =
            self.known.iter().find(|known| key.strip_prefix(known.as_str()).is_some_and(|rest| rest.starts_with('.')));
        Err(Error::UnknownKey { origin: self.origin(&key), key: redact::name(known.unwrap_or(&key)).into(), remedy })
    }

    /// A value that its type refuses.
    pub(super) fn explain(&self, error: &figment::Error) -> Error {
        let key = error.path.join(".");
        let listed = Listed::of(&key);
        if let (Kind::UnknownField(field, known), Some(Listed { list, at, .. })) = (&error.kind, listed) {
            let known: Vec<String> = known.iter().map(|name| format!("{list}.{name}")).collect();
            let key = format!("{list}.{field}");
            let remedy = match nearest(&key, &known) {
                Some(nearest) => format!("did you mean `{nearest}`? config.example.toml lists what there may be"),
                None => "remove it; config.example.toml lists what there may be".to_owned(),
            };
            return Error::UnknownKey { key: redact::name(&key).into(), origin: self.origin_in(list, at), remedy };
        }
        let problem = match &error.kind {
            Kind::InvalidType(found, expected) => format!("found {}, expected {}", sort(found), plain(expected)),
            Kind::InvalidValue(found, expected) => format!("found {}, expected {}", sort(found), plain(expected)),
            Kind::UnknownVariant(_, variants) => format!("expected one of {}", variants.join(", ")),
            Kind::Message(message) if !self.quotes(message, &key) => message.clone(),
            _ => "it is of another form".to_owned(),
        };
        let default = Figment::from(figment::providers::Serialized::defaults(super::Config::default()));
        let variable = self.origin(&key).strip_prefix("the variable ").map(str::to_owned);
        let remedy = match default.find_value(&key) {
            Ok(Value::Array(..)) if variable.is_some() => {
                let name = variable.unwrap_or_default();
                format!("write a list: {name}='[\"…\", \"…\"]'; config.example.toml says what it may have")
            }
            Ok(Value::Empty(..)) => "leave it out or see config.example.toml for what it may be".to_owned(),
            Ok(value) => format!("the default is {}; config.example.toml says what it may be", toml(&value)),
            Err(_) => "config.example.toml lists every key with what it may be".to_owned(),
        };
        let value = match self.value(&key) {
            Some(value @ (Value::Num(..) | Value::Bool(..))) => toml(&value),
            _ => redact::HIDDEN.to_owned(),
        };
        let (key, origin) = match listed {
            Some(Listed { list, at, field }) => (format!("{list}.{field}"), self.origin_in(list, at)),
            None => (key.clone(), self.origin(&key)),
        };
        Error::BadValue { value, origin, key: redact::name(&key).into(), problem, remedy }
    }

    /// What its module refuses of a list of tables; the place in it counts from 0.
    pub(super) fn explain_listed(&self, list: &'static str, at: usize, invalid: Invalid) -> Error {
        let key = format!("{list}.{}", invalid.key);
        Error::Unusable { value: invalid.value, origin: self.origin_in(list, at), key, remedy: invalid.remedy }
    }

    fn origin_in(&self, list: &str, at: usize) -> String {
        format!("{} {} in {}", list.trim_end_matches('s'), at + 1, self.origin(list))
    }

    /// The value of a key; of one in a list too, `rules.0.ratio`.
    fn value(&self, key: &str) -> Option<Value> {
        let Some(Listed { list, at, field }) = Listed::of(key) else { return self.figment.find_value(key).ok() };
        match self.figment.find_value(list).ok()? {
            Value::Array(_, tables) => tables.get(at)?.find_ref(field).cloned(),
            _ => None,
        }
    }

    /// Whether a message holds the value of a key.
    fn quotes(&self, message: &str, key: &str) -> bool {
        match self.value(key) {
            Some(Value::String(_, text)) => message.contains(text.trim()),
            // A number is shown anyway.
            Some(Value::Num(..) | Value::Bool(..)) => false,
            _ => true,
        }
    }

    /// A value that its module refuses.
    pub(super) fn explain_invalid(&self, section: &str, invalid: Invalid) -> Error {
        let key = format!("{section}.{}", invalid.key);
        Error::Unusable { value: invalid.value, origin: self.origin(&key), key, remedy: invalid.remedy }
    }

    /// Whether a value stands in a file that nobody named, but lay in the working folder.
    pub(super) fn is_of_folder(&self, key: &str) -> bool {
        self.unnamed && self.is_of_file(key)
    }

    /// Whether a value stands in a file.
    pub(super) fn is_of_file(&self, key: &str) -> bool {
        self.figment.find_metadata(key).is_some_and(|metadata| metadata.name == TOML)
    }

    pub(super) fn to_toml(&self) -> String {
        let mut out = String::new();
        let mut section = "";
        self.line(&mut out, "profile", "profile");
        for key in &self.known {
            let Some((of, name)) = key.split_once('.') else { continue };
            if of != section {
                let gap = if out.is_empty() { "" } else { "\n" };
                let _ = writeln!(out, "{gap}[{of}]");
                section = of;
            }
            self.line(&mut out, key, name);
        }
        for list in LISTS {
            self.list(&mut out, list);
        }
        self.profile(&mut out);
        out
    }

    fn line(&self, out: &mut String, key: &str, name: &str) {
        let origin = self.origin(key);
        let _ = match self.figment.find_value(key) {
            Ok(Value::Empty(..)) | Err(_) => writeln!(out, "# {name} is not set"),
            Ok(value) => writeln!(out, "{:<44} # {origin}", format!("{name} = {}", toml(&value))),
        };
    }

    /// The tables of a list, in the order in which they are tried.
    fn list(&self, out: &mut String, list: &str) {
        let tables = match self.figment.find_value(list) {
            Ok(Value::Array(_, tables)) => tables,
            _ => Vec::new(),
        };
        for (at, table) in tables.iter().enumerate() {
            let _ = writeln!(out, "\n{:<44} # {}", format!("[[{list}]]"), self.origin_in(list, at));
            for (name, value) in table.as_dict().into_iter().flatten() {
                let _ = writeln!(out, "{name} = {}", toml(value));
            }
        }
    }

    /// The rules of the profile, as comments, since they follow from it.
    fn profile(&self, out: &mut String) {
        let Ok(profile) = self.figment.extract_inner::<Profile>("profile") else { return };
        let _ = writeln!(out, "\n# The rules of the profile `{profile}` come next ({}):", self.origin("profile"));
        for line in profile.to_toml().lines().filter(|line| !line.is_empty()) {
            let _ = writeln!(out, "# {}", line.trim_start_matches("# "));
        }
    }

    fn origin(&self, key: &str) -> String {
        let name = self.figment.find_metadata(key).map_or("", |metadata| metadata.name.as_ref());
        match (&self.file, name) {
            (Some(file), TOML) => redact::path(file),
            (_, name) if name.starts_with("the ") => name.to_owned(),
            _ => "default".to_owned(),
        }
    }
}

/// A key of a table in a list: `rules.0.ratio`.
#[derive(Debug, Clone, Copy)]
struct Listed<'a> {
    list: &'static str,
    /// Its place, from 0 on.
    at: usize,
    field: &'a str,
}

impl<'a> Listed<'a> {
    fn of(key: &'a str) -> Option<Self> {
        let (list, rest) = key.split_once('.')?;
        let list = LISTS.into_iter().find(|known| *known == list)?;
        let (at, field) = rest.split_once('.').unwrap_or((rest, ""));
        Some(Self { list, at: at.parse().ok()?, field })
    }
}

/// The keys of all values, with their sections, in order.
pub(super) fn leaves(figment: &Figment) -> Vec<String> {
    let mut keys = Vec::new();
    if let Ok(dict) = figment.extract::<Dict>() {
        collect(&dict, "", &mut keys);
    }
    keys
}

fn collect(dict: &Dict, prefix: &str, keys: &mut Vec<String>) {
    for (name, value) in dict {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            Value::Dict(_, inner) => collect(inner, &key, keys),
            _ => keys.push(key),
        }
    }
}

/// The known key that a mistyped one most likely meant.
pub(super) fn nearest<'a>(key: &str, known: &'a [String]) -> Option<&'a str> {
    let name = key.rsplit('.').next().unwrap_or(key);
    let likeness = |candidate: &str| {
        let own_name = candidate.rsplit('.').next().unwrap_or(candidate);
        strsim::jaro_winkler(key, candidate).max(strsim::jaro_winkler(name, own_name))
    };
    let best = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) > ALIKE).then_some(best.as_str())
}

/// A value as TOML, without what looks like a key.
fn toml(value: &Value) -> String {
    match value {
        Value::String(_, text) => quoted(&redact::setting(text)),
        Value::Char(_, char) => quoted(&char.to_string()),
        Value::Bool(_, bool) => bool.to_string(),
        Value::Num(_, Num::F32(number)) => format!("{number:?}"),
        Value::Num(_, Num::F64(number)) => format!("{number:?}"),
        Value::Num(_, number) => match (number.to_i128(), number.to_u128()) {
            (Some(number), _) => number.to_string(),
            (None, Some(number)) => number.to_string(),
            (None, None) => String::new(),
        },
        Value::Empty(..) => "(not set)".to_owned(),
        Value::Array(_, values) => format!("[{}]", values.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::Dict(_, dict) => {
            let entries = dict.iter().map(|(name, value)| format!("{name} = {}", toml(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A TOML basic string; its escapes are JSON's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// What kind of value was found, without the value.
fn sort(found: &Actual) -> &'static str {
    match found {
        Actual::Bool(_) => "true or false",
        Actual::Unsigned(_) | Actual::Signed(_) | Actual::Float(_) => "a number",
        Actual::Char(_) | Actual::Str(_) => "text",
        Actual::Seq => "a list",
        Actual::Map => "a table",
        _ => "something else",
    }
}

/// Rust's type names as words.
fn plain(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0 on",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a string" | "path string" => "text",
        other => other,
    }
}

/// The lists of tables, in the order in which they are shown.
const LISTS: [&str; 3] = ["upstreams", "clients", "rules"];

/// What was called otherwise once, and what to write for it.
const MOVED: [(&str, &str); 2] = [
    ("budgets", "write `[[clients]]`, with the same in it: its names are those of reports too"),
    ("ledger.tenants", "write `[[clients]]`, with `keys` for `key`: it may have limits too"),
];

/// How figment calls the text of a file.
const TOML: &str = "TOML source string";

/// Below this similarity (Jaro–Winkler, 0–1) a suggestion misleads more than it helps.
const ALIKE: f64 = 0.8;
