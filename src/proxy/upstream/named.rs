//! `[[upstreams]]`: further servers, each with what it is for.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Config, KeyHeader, base::Base, choice::InvalidUpstream};
use crate::{proxy::rules::Many, redact, setting::Invalid};

/// One further server as it is written. The first that fits a request takes it; what none takes goes where `[upstream]`
/// says. What it leaves open of timeouts and authorities is as there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Named {
    /// By which logs, figures and the start screen tell of it.
    pub name: String,
    /// `https://host[:port][/base/path]`, as in `[upstream]`.
    pub url: String,
    /// What a client's path begins with that is addressed to it; taken off before the request goes on.
    pub prefix: Option<String>,
    /// The path of its requests; `*` stands for anything.
    pub path: Option<Many>,
    /// The model that its requests ask for; `*` stands for anything.
    pub model: Option<Many>,
    /// The environment variable that holds the operator's key to it.
    pub api_key_env: Option<String>,
    /// The header in which that key is sent; by the host where it is not set.
    pub api_key_header: Option<KeyHeader>,
    /// Whether the credentials that clients send go on to it. Not set: where they address it by its prefix, and so mean
    /// it; a key that came for whatever `[upstream]` names does not follow a model or a path elsewhere.
    pub client_credentials: Option<bool>,
    /// A PEM file with further certificate authorities to trust.
    pub ca_file: Option<PathBuf>,
    /// Seconds without a byte.
    pub read_timeout_seconds: Option<u64>,
}

impl Named {
    /// Whether the credentials that clients send go on to it.
    #[must_use]
    pub fn takes_client_credentials(&self) -> bool {
        self.client_credentials.unwrap_or(self.prefix.is_some())
    }

    /// What it is for, in a few words.
    #[must_use]
    pub fn purpose(&self) -> String {
        let listed = |word: &str, many: &Option<Many>| {
            let many = many.as_ref().map(Many::as_slice).filter(|texts| !texts.is_empty())?;
            Some(format!("{word} {}", many.join(", ")))
        };
        let prefix = self.prefix.as_ref().map(|prefix| format!("below {prefix}"));
        let parts = [prefix, listed("path", &self.path), listed("model", &self.model)];
        redact::text(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }

    fn check(&self) -> Result<(), Invalid> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        let named = (1..=40).contains(&self.name.len()) && self.name.bytes().all(plain);
        if !named || redact::name(&self.name.replace('-', "_")) == redact::HIDDEN {
            return Err(Invalid::text("name", "give a name of at most 40 lower-case letters, digits, `-` and `_`"));
        }
        if matches!(self.name.as_str(), super::choice::DEFAULT | super::choice::ANTHROPIC) {
            return Err(Invalid::text(
                "name",
                "`default` and `anthropic` are those of `[upstream]`; choose another name",
            ));
        }
        Base::of(&self.url)?;
        if self.prefix.as_deref().is_some_and(|prefix| !is_prefix(prefix)) {
            let remedy = "give a path such as `/local`, without a slash at its end; not /v1, nor /headroom, which is the proxy's own";
            return Err(Invalid::text("prefix", remedy));
        }
        let right = |many: &Option<Many>, right: fn(&str) -> bool| {
            many.as_ref()
                .map(Many::as_slice)
                .is_none_or(|texts| !texts.is_empty() && texts.iter().all(|text| right(text)))
        };
        if !right(&self.path, |text| text.starts_with(['/', '*']) && text.len() <= 256) {
            let remedy = "give a path from its `/` on, or a list of them; `*` stands for anything";
            return Err(Invalid::text("path", remedy));
        }
        if !right(&self.model, |text| (1..=256).contains(&text.len())) {
            return Err(Invalid::text("model", "give a name or a list of names; `*` in one stands for anything"));
        }
        if self.prefix.is_none() && self.path.is_none() && self.model.is_none() {
            let remedy = "say what it is for by prefix, path or model; where all other requests go is `upstream.url`";
            return Err(Invalid::text("model", remedy));
        }
        if self.read_timeout_seconds == Some(0) {
            return Err(Invalid::new("read_timeout_seconds", 0, "give a number of seconds from 1 on"));
        }
        Ok(())
    }

    /// As a server of its own.
    pub(super) fn config(&self, main: &Config) -> Config {
        Config {
            url: self.url.clone(),
            anthropic_url: None,
            ca_file: self.ca_file.clone().or_else(|| main.ca_file.clone()),
            api_key_env: self.api_key_env.clone(),
            api_key_header: self.api_key_header,
            read_timeout_seconds: self.read_timeout_seconds.unwrap_or(main.read_timeout_seconds),
            ..main.clone()
        }
    }
}

fn is_prefix(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let own = text == "/headroom" || text.starts_with("/headroom/") || text == "/v1" || text.starts_with("/v1/");
    text.len() > 1
        && text.starts_with('/')
        && !text.ends_with('/')
        && !text.contains("//")
        && !own
        && text.bytes().all(plain)
}

/// Checks further servers as they are written.
///
/// # Errors
/// The first that cannot be used.
pub fn check(upstreams: &[Named]) -> Result<(), InvalidUpstream> {
    for (at, named) in upstreams.iter().enumerate() {
        named.check().map_err(|invalid| (at, invalid))?;
        if upstreams.iter().take(at).any(|other| other.name == named.name) {
            return Err((at, Invalid::text("name", "give each a name of its own: it is counted by it")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_used_is_named_by_its_key() {
        let right = || Named { name: "local".into(), url: "http://h".into(), model: one("a*"), ..Named::default() };
        let one_of = |change: fn(&mut Named)| {
            let mut named = right();
            change(&mut named);
            check(&[named]).map_err(|(_, invalid)| invalid.key)
        };
        assert_eq!(one_of(|_| {}), Ok(()));
        for (change, key) in [
            ((|named| named.name = String::new()) as fn(&mut Named), "name"),
            (|named| named.name = "default".into(), "name"),
            (|named| named.name = "sk-0123456789abcdef".into(), "name"),
            (|named| named.url = "local".into(), "url"),
            (|named| named.prefix = Some("/headroom/x".into()), "prefix"),
            (|named| named.prefix = Some("/v1".into()), "prefix"),
            (|named| named.prefix = Some("local".into()), "prefix"),
            (|named| named.prefix = Some("/local/".into()), "prefix"),
            (|named| named.path = one("v1"), "path"),
            (|named| named.model = Some(Many::Several(Vec::new())), "model"),
            (|named| named.model = None, "model"),
            (|named| named.read_timeout_seconds = Some(0), "read_timeout_seconds"),
        ] {
            assert_eq!(one_of(change), Err(key));
        }
        assert_eq!(check(&[right(), right()]).unwrap_err().0, 1);
    }

    fn one(text: &str) -> Option<Many> {
        Some(Many::One(text.into()))
    }
}
