//! Rules: which texts are condensed otherwise than `[compress]` says, or left alone.
//!
//! A rule names what it is for (surface, role, tool, model, path, key; what it doesn't name may be anything) and what holds
//! there (mode, ratio, style, minimum, exact). **The first rule that fits a text decides, alone**: what it leaves open is as
//! the settings say, not as a later rule does. So one look tells which rule a text has, and it has one name to be explained
//! and counted by. The configuration's own come first, then those of the profile. What a request's headers say of mode,
//! ratio and style holds against every rule; `exact` has no header.
//!
//! A rule sees nothing that comes later than its text, so a growing conversation keeps its bytes.

mod glob;
mod profile;

use std::sync::Arc;

use http::HeaderMap;
use serde::{Deserialize, Serialize};

pub use profile::{Profile, UnknownProfile};

use super::{
    Mode,
    access::{Presented, Written},
};
use crate::{
    compress::{Policy, READ, Ratio, Style},
    redact,
    setting::Invalid,
    wire::{Role, Slot, Surface},
};
pub(in crate::proxy) use glob::Glob;

/// `[[rules]]`: one rule as it is written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// By which it is explained and counted; `rule-N` by its place (from 1 on) where it has none.
    pub name: Option<String>,
    /// `chat_completions`, `responses`, `messages`, or `handed` (`/v1/compress`).
    pub surface: Option<Many>,
    /// `user` or `tool`.
    pub role: Option<Many>,
    /// The tool whose result it is; `*` stands for anything.
    pub tool: Option<Many>,
    /// The model asked for.
    pub model: Option<Many>,
    /// The path that the request was posted to.
    pub path: Option<Many>,
    /// The credential that the request brings, as `env:NAME` or `sha256:HEX`.
    pub key: Option<Many>,
    /// What happens to the text.
    pub mode: Option<Mode>,
    /// How far to condense it.
    pub ratio: Option<Ratio>,
    /// How prose is shortened under a ratio.
    pub style: Option<Style>,
    /// Below this many target tokens it goes on as it is.
    pub min_tokens: Option<usize>,
    /// Whether it goes on as it is, whatever its length.
    pub exact: bool,
}

/// One text or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Many {
    /// One.
    One(String),
    /// Any of these.
    Several(Vec<String>),
}

impl Many {
    /// The texts.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Several(texts) => texts,
        }
    }
}

/// A rule that cannot be used: its place, from 0 on, and what is wrong with it.
pub type InvalidRule = (usize, Invalid);

impl Rule {
    fn check(&self) -> Result<(), Invalid> {
        let named = |name: &String| {
            let plain =
                name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte));
            plain && (1..=40).contains(&name.len()) && redact::name(&name.replace('-', "_")) != redact::HIDDEN
        };
        if !self.name.iter().all(named) {
            return Err(Invalid::text("name", "give a name of at most 40 lower-case letters, digits, `-` and `_`"));
        }
        let pattern = |text: &str| (1..=256).contains(&text.len());
        each("surface", &self.surface, |text| surface(text).is_some(), SURFACES)?;
        each("role", &self.role, |text| role(text).is_some(), "give `user`, `tool`, or a list of both")?;
        each("tool", &self.tool, pattern, PATTERN)?;
        each("model", &self.model, pattern, PATTERN)?;
        let path = |text: &str| pattern(text) && text.starts_with(['/', '*']);
        each("path", &self.path, path, "give a path from its `/` on, or a list of them; `*` stands for anything")?;
        each("key", &self.key, |text| Written::of(text).is_some(), KEY)?;
        if self.min_tokens == Some(0) {
            return Err(Invalid::new("min_tokens", 0, "give a number of tokens from 1 on"));
        }
        let Self { mode, ratio, style, min_tokens, exact, .. } = self;
        let more = [mode.is_some(), ratio.is_some(), style.is_some(), min_tokens.is_some()].contains(&true);
        match (exact, more) {
            (true, true) => {
                Err(Invalid::text("exact", "leave out mode, ratio, style and min_tokens: nothing is condensed"))
            }
            (false, false) => {
                Err(Invalid::text("exact", "say what holds: exact = true, mode, ratio, style or min_tokens"))
            }
            _ => Ok(()),
        }
    }
}

/// Whether a matcher, where it is there, has one text at least, and each is right.
fn each(
    key: &'static str,
    many: &Option<Many>,
    right: impl Fn(&str) -> bool,
    remedy: &'static str,
) -> Result<(), Invalid> {
    let Some(many) = many else { return Ok(()) };
    let texts = many.as_slice();
    let all = !texts.is_empty() && texts.iter().all(|text| right(text));
    if all { Ok(()) } else { Err(Invalid::text(key, remedy)) }
}

/// Checks rules as they are written.
///
/// # Errors
/// The first that cannot be used.
pub fn check(rules: &[Rule]) -> Result<(), InvalidRule> {
    for (at, rule) in rules.iter().enumerate() {
        rule.check().map_err(|invalid| (at, invalid))?;
        let before = rules.iter().take(at).filter_map(|rule| rule.name.as_ref());
        if rule.name.as_ref().is_some_and(|name| before.into_iter().any(|other| other == name)) {
            return Err((at, Invalid::text("name", "give each rule a name of its own: it is counted by it")));
        }
    }
    Ok(())
}

/// Rules that can be used, in order.
#[derive(Debug, Clone, Default)]
pub struct Rules(Vec<Arc<Ready>>);

/// One of them.
#[derive(Debug, Default)]
struct Ready {
    name: Arc<str>,
    surfaces: Option<Vec<Option<Surface>>>,
    paths: Option<Vec<Glob>>,
    keys: Option<Vec<blake3::Hash>>,
    roles: Option<Vec<Role>>,
    tools: Option<Vec<Glob>>,
    models: Option<Vec<Glob>>,
    rule: Rule,
}

impl Rules {
    /// The configuration's own rules, then those of its profile; `variable` is the environment.
    ///
    /// # Errors
    /// When a rule is not as it should be, or the variable that it names is not set.
    pub fn new(own: &[Rule], profile: &[Rule], variable: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidRule> {
        check(own)?;
        let ready = |(at, rule)| Ready::new(at, rule, &variable).map(Arc::new).map_err(|invalid| (at, invalid));
        own.iter().chain(profile).enumerate().map(ready).collect::<Result<_, _>>().map(Self)
    }

    /// Their names, in the order in which they are tried.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|ready| &*ready.name)
    }

    /// Those that may fit a text of a request; `surface` is `None` for what another gateway hands over.
    fn of_request(&self, surface: Option<Surface>, path: &str, headers: &HeaderMap) -> Vec<Arc<Ready>> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let presented = Presented::of(headers);
        let fits = |ready: &&Arc<Ready>| {
            ready.surfaces.as_ref().is_none_or(|surfaces| surfaces.contains(&surface))
                && any(&ready.paths, path)
                && ready.keys.as_ref().is_none_or(|keys| presented.is_one_of(keys))
        };
        self.0.iter().filter(fits).cloned().collect()
    }
}

impl Ready {
    fn new(at: usize, rule: &Rule, variable: impl Fn(&str) -> Option<String>) -> Result<Self, Invalid> {
        let key = |text: &String| match Written::of(text) {
            Some(written) => {
                written.hash(&variable).ok_or(Invalid::text("key", "set every variable that it names to a key"))
            }
            None => Err(Invalid::text("key", KEY)),
        };
        let keys = rule.key.as_ref().map(|keys| keys.as_slice().iter().map(key).collect()).transpose()?;
        Ok(Self {
            name: rule.name.clone().unwrap_or_else(|| format!("rule-{}", at + 1)).into(),
            surfaces: listed(&rule.surface, surface),
            paths: globs(&rule.path),
            keys,
            roles: listed(&rule.role, role),
            tools: globs(&rule.tool),
            models: globs(&rule.model),
            rule: rule.clone(),
        })
    }

    fn fits(&self, slot: &Slot, model: &str) -> bool {
        // The result of a call that isn't known is of a tool without a name.
        let tool = slot.call.as_ref().map_or("", |call| call.name.as_str());
        self.roles.as_ref().is_none_or(|roles| roles.contains(&slot.role))
            && (self.tools.is_none() || slot.role == Role::Tool)
            && any(&self.tools, tool)
            && any(&self.models, model)
    }

    /// Whether it fits every text of its requests.
    fn fits_all(&self) -> bool {
        self.roles.is_none() && self.tools.is_none() && self.models.is_none()
    }
}

fn globs(many: &Option<Many>) -> Option<Vec<Glob>> {
    listed(many, |text| Some(Glob::new(text)))
}

fn listed<T>(many: &Option<Many>, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    many.as_ref().map(|many| many.as_slice().iter().filter_map(|text| read(text)).collect())
}

fn any(globs: &Option<Vec<Glob>>, text: &str) -> bool {
    globs.as_ref().is_none_or(|globs| globs.iter().any(|glob| glob.fits(text)))
}

/// A surface by its word; the inner `None` is what another gateway hands over.
fn surface(word: &str) -> Option<Option<Surface>> {
    let surfaces = [Surface::ChatCompletions, Surface::Responses, Surface::Messages];
    let named = surfaces.into_iter().find(|surface| surface.as_str() == word).map(Some);
    named.or_else(|| (word == "handed").then_some(None))
}

fn role(word: &str) -> Option<Role> {
    match word {
        "user" => Some(Role::User),
        "tool" => Some(Role::Tool),
        _ => None,
    }
}

/// What a request says for itself.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Said {
    pub(crate) mode: Option<Mode>,
    pub(crate) ratio: Option<Ratio>,
    pub(crate) style: Option<Style>,
}

/// What holds for the texts of one request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ruling {
    /// Where no rule fits.
    mode: Mode,
    policy: Policy,
    said: Said,
    rules: Vec<Arc<Ready>>,
}

/// What holds for one text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ruled {
    /// The rule that fits it.
    pub(crate) rule: Option<Arc<str>>,
    pub(crate) mode: Mode,
    pub(crate) exact: bool,
    pub(crate) policy: Policy,
}

impl Ruled {
    /// Why the text goes on as it came, without a look; `None` where it is looked at.
    pub(crate) fn left(&self) -> Option<&'static str> {
        match (self.mode, self.exact) {
            (Mode::Off, _) => Some("off"),
            (_, true) => Some("exact"),
            (_, false) => None,
        }
    }
}

impl Ruling {
    /// What holds where there are no rules.
    pub(crate) fn plain(policy: Policy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// What holds for a request that nobody posted.
    pub(crate) fn rehearsed(policy: Policy, rules: &Rules) -> Self {
        let posted = |ready: &&Arc<Ready>| ready.surfaces.is_some() || ready.paths.is_some() || ready.keys.is_some();
        let rules = rules.0.iter().filter(|ready| !posted(ready)).cloned().collect();
        Self { policy, rules, ..Self::default() }
    }

    /// What holds for a request, by the settings, the rules and its own words.
    pub(crate) fn new(
        (mode, policy): (Mode, Policy),
        rules: &Rules,
        said: Said,
        (surface, path, headers): (Option<Surface>, &str, &HeaderMap),
    ) -> Self {
        Self { mode, policy, said, rules: rules.of_request(surface, path, headers) }
    }

    /// The mode of the request, of which a rule may make an exception for a text.
    pub(crate) fn mode(&self) -> Mode {
        self.said.mode.unwrap_or(self.mode)
    }

    /// The request asks for this ratio outside of its headers.
    pub(crate) fn say_ratio(&mut self, ratio: Ratio) {
        self.said.ratio = Some(ratio);
    }

    /// The policy where no rule fits.
    pub(crate) fn policy(&self) -> Policy {
        let policy = self.policy.clone();
        Policy {
            ratio: self.said.ratio.unwrap_or(policy.ratio),
            style: self.said.style.unwrap_or(policy.style),
            ..policy
        }
    }

    /// Whether no text of the request can have another mode than `off`, so that none has to be read.
    pub(crate) fn is_off(&self) -> bool {
        if let Some(mode) = self.said.mode {
            return mode == Mode::Off;
        }
        let first = self.rules.iter().position(|ready| ready.fits_all());
        let reached = self.rules.iter().take(first.map_or(self.rules.len(), |at| at + 1));
        let mut modes = reached.map(|ready| ready.rule.mode.unwrap_or(self.mode));
        modes.all(|mode| mode == Mode::Off) && (first.is_some() || self.mode == Mode::Off)
    }

    /// Whether its conversations can be compared with others: it leaves to the settings what is done with it.
    pub(crate) fn is_compared(&self) -> bool {
        self.said.mode.is_none() && self.mode == Mode::Compress
    }

    /// What holds for a text that is left alone, to compare with. Tags that mark what is exact go nevertheless.
    pub(crate) fn held_out(&self, slot: &Slot, model: Option<&str>) -> Ruled {
        let ruled = self.of(slot, model);
        let exact = ruled.mode == Mode::Compress || ruled.exact;
        let mode = if ruled.mode == Mode::Audit { Mode::Off } else { ruled.mode };
        Ruled { mode, exact, ..ruled }
    }

    /// What holds for a text of a request for `model`. What the model has read again is not condensed again, whatever a
    /// rule says.
    pub(crate) fn of(&self, slot: &Slot, model: Option<&str>) -> Ruled {
        let ruled = self.by_rule(slot, model);
        Ruled { exact: ruled.exact || reads_original(slot), ..ruled }
    }

    fn by_rule(&self, slot: &Slot, model: Option<&str>) -> Ruled {
        let policy = self.policy();
        let Some(ready) = self.rules.iter().find(|ready| ready.fits(slot, model.unwrap_or_default())) else {
            return Ruled { rule: None, mode: self.mode(), exact: false, policy };
        };
        let Rule { mode, ratio, style, min_tokens, exact, .. } = ready.rule;
        Ruled {
            rule: Some(Arc::clone(&ready.name)),
            mode: self.said.mode.or(mode).unwrap_or(self.mode),
            exact,
            policy: Policy {
                ratio: self.said.ratio.or(ratio).unwrap_or(policy.ratio),
                style: self.said.style.or(style).unwrap_or(policy.style),
                min_tokens: min_tokens.unwrap_or(policy.min_tokens),
                ..policy
            },
        }
    }
}

/// Whether a text is what the tool gave that reads originals; agents put the server's name before the tool's, as in
/// `mcp__headroom__headroom_read`.
pub(crate) fn reads_original(slot: &Slot) -> bool {
    let before = slot.call.as_ref().and_then(|call| call.name.strip_suffix(READ));
    before.is_some_and(|before| !before.ends_with(char::is_alphanumeric))
}

const SURFACES: &str = "give `chat_completions`, `responses`, `messages` or `handed` (/v1/compress), or a list of them";
const PATTERN: &str = "give a name or a list of names; `*` in one stands for anything";
const KEY: &str =
    "give `env:NAME`, the variable that holds the key, or `sha256:` and 64 hexadecimal digits, or a list of these";

#[cfg(test)]
mod tests;
