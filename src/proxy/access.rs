//! Who may use what is the operator's: the key that is put in where a request comes without one, and the own pages.
//!
//! A browser lets any page send a request anywhere, and lets it read the answer where a name of its own was made to point
//! here (DNS rebinding). So a key is lent to whoever proves to be meant: by a client key, or, where none is configured,
//! by coming straight from a program on this machine. A request that brings a credential spends its own.

use std::net::IpAddr;

use http::{HeaderMap, Uri, header, request::Parts};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{error::Error, headers};
use crate::setting::Invalid;

/// `[access]`: who may spend the key that `upstream.api_key_env` names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The keys that clients send instead of the provider's, each as `env:NAME` (the variable that holds it) or
    /// `sha256:HEX`. None: only programs on this machine are lent the operator's key.
    pub client_keys: Vec<String>,
    /// Names, besides those of loopback, by which programs on this machine may address the proxy.
    pub allowed_hosts: Vec<String>,
}

impl Config {
    /// Checks what the types cannot.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub fn check(&self) -> Result<(), Invalid> {
        if self.client_keys.iter().any(|key| Written::of(key).is_none()) {
            return Err(Invalid::text("client_keys", FORM));
        }
        let plain = |host: &String| {
            !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
        };
        if !self.allowed_hosts.iter().all(plain) {
            return Err(Invalid::text("allowed_hosts", "give names or addresses, without `http://` and port"));
        }
        Ok(())
    }
}

/// How a key is written that clients send.
pub(super) enum Written<'a> {
    Variable(&'a str),
    Hash(blake3::Hash),
}

impl<'a> Written<'a> {
    pub(super) fn of(key: &'a str) -> Option<Self> {
        match key.split_once(':')? {
            ("env", name) => {
                let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                (plain && !name.is_empty()).then_some(Self::Variable(name))
            }
            ("sha256", hash) => blake3::Hash::from_hex(hash).ok().map(Self::Hash),
            _ => None,
        }
    }

    /// Whether these are keys as they are written, at least one.
    pub(super) fn are_keys(keys: &[String]) -> bool {
        !keys.is_empty() && keys.iter().all(|key| Written::of(key).is_some())
    }

    /// The hash of a key; `None` where it is not written as one, or its variable holds none.
    pub(super) fn hash_of(key: &str, variable: impl Fn(&str) -> Option<String>) -> Option<blake3::Hash> {
        Written::of(key)?.hash(variable)
    }

    /// The key's hash; `None` where its variable holds none.
    pub(super) fn hash(&self, variable: impl Fn(&str) -> Option<String>) -> Option<blake3::Hash> {
        match self {
            Self::Hash(hash) => Some(*hash),
            Self::Variable(name) => {
                variable(name).filter(|key| !key.trim().is_empty()).map(|key| hash(key.trim().as_bytes()))
            }
        }
    }
}

/// The hashes of the credentials that a request brings.
pub(super) struct Presented(Vec<blake3::Hash>);

impl Presented {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self(headers::credentials(headers).map(|(_, value)| hash(bare(value.as_bytes()))).collect())
    }

    /// Whether one of them is one of these; each is compared with each, so that the time tells nothing of which.
    pub(super) fn is_one_of(&self, keys: &[blake3::Hash]) -> bool {
        let pairs = self.0.iter().flat_map(|own| keys.iter().map(move |key| own == key));
        pairs.fold(false, |any, same| any | same)
    }
}

/// Who may use what.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// SHA-256 of each client key, in a type whose comparison takes the same time whatever differs.
    keys: Vec<blake3::Hash>,
    hosts: Vec<String>,
}

/// Marks a request that comes from this machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Local;

/// Which credentials a request takes to its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    /// Those that it brings.
    Own,
    /// The operator's, in their place.
    Lent,
    /// None: those that it brings are not for that server.
    Withheld,
}

impl Access {
    /// Takes the client keys out of the environment.
    ///
    /// # Errors
    /// When a key is not written as it should be, or its variable is not set.
    pub fn new(config: &Config) -> Result<Self, Invalid> {
        config.check()?;
        let unset = Invalid::text("client_keys", "set every variable that it names to a key");
        let key = |written: &String| {
            let written = Written::of(written).ok_or(Invalid::text("client_keys", FORM))?;
            written.hash(|name| std::env::var(name).ok()).ok_or(unset.clone())
        };
        let keys = config.client_keys.iter().map(key).collect::<Result<_, _>>()?;
        Ok(Self { keys, hosts: config.allowed_hosts.clone() })
    }

    /// Which credentials a request takes to a server: one that takes those of clients, and for which the operator has a
    /// key, or not.
    ///
    /// # Errors
    /// Where it may have none, or what it has is nobody else's business.
    pub(crate) fn keys(&self, parts: &Parts, takes_own: bool, lends: bool) -> Result<Keys, Error> {
        let local = parts.extensions.get::<Local>().is_some();
        match lends {
            true if self.lends(&parts.headers, &parts.uri, local, takes_own)? => Ok(Keys::Lent),
            false if takes_own && self.has_client_key(&parts.headers) => Err(Error::NoKey),
            _ if takes_own => Ok(Keys::Own),
            _ => Ok(Keys::Withheld),
        }
    }

    /// Whether the operator's key is lent to a request; `local` says that it comes from this machine, `takes_own` that a
    /// credential of its own would do.
    fn lends(&self, headers: &HeaderMap, uri: &Uri, local: bool, takes_own: bool) -> Result<bool, Error> {
        let mut own = headers::credentials(headers).map(|(_, value)| value.as_bytes()).peekable();
        let has_own = takes_own && own.peek().is_some();
        if self.keys.is_empty() {
            return match has_own {
                true => Ok(false),
                false if local && self.is_direct(headers, uri) && !is_elsewhere(headers) => Ok(true),
                false => Err(Error::NotLent),
            };
        }
        // Each key is compared with each, so that the time tells nothing of which one fits.
        let fits = own.map(|value| self.knows(value)).fold(false, |any, fits| any | fits);
        if fits || has_own { Ok(fits) } else { Err(Error::ClientKey) }
    }

    /// Whether a request has a client key, which is nobody else's business.
    fn has_client_key(&self, headers: &HeaderMap) -> bool {
        !self.keys.is_empty()
            && headers::credentials(headers).fold(false, |any, (_, value)| any | self.knows(value.as_bytes()))
    }

    fn knows(&self, presented: &[u8]) -> bool {
        let presented = hash(bare(presented));
        self.keys.iter().fold(false, |any, key| any | (*key == presented))
    }

    /// Whether a request is not relayed by another proxy, and addressed to this machine by a name that no foreign DNS
    /// gives.
    pub(crate) fn is_direct(&self, headers: &HeaderMap, uri: &Uri) -> bool {
        let relayed = RELAYED.iter().any(|name| headers.contains_key(*name));
        let host = headers.get(header::HOST).map(|host| host.to_str().unwrap_or_default());
        let mut names = host.into_iter().chain(uri.host()).peekable();
        !relayed && names.peek().is_some() && names.all(|host| self.is_this_machine(host))
    }

    /// Whether a host, perhaps with a port, is a name of this machine.
    fn is_this_machine(&self, host: &str) -> bool {
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None if host.matches(':').count() > 1 => host,
            None => host.split(':').next().unwrap_or_default(),
        };
        let allowed = |host: &String| host.trim_matches(['[', ']']).eq_ignore_ascii_case(name);
        name.eq_ignore_ascii_case("localhost")
            || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
            || self.hosts.iter().any(allowed)
    }
}

/// Refuses an own page to a web page of another origin.
///
/// # Errors
/// Where a browser says that another page asks.
pub(crate) fn only_own_origin(parts: &Parts) -> Result<(), Error> {
    if is_elsewhere(&parts.headers) { Err(Error::CrossSite) } else { Ok(()) }
}

/// Whether a browser asks for a page to show it by itself: its address was typed, or a link followed.
pub(crate) fn is_visited(parts: &Parts) -> bool {
    let is = |name, word: &[u8]| parts.headers.get(name).is_none_or(|value| value.as_bytes() == word);
    is("sec-fetch-mode", b"navigate")
        && is("sec-fetch-dest", b"document")
        && !parts.headers.contains_key(header::ORIGIN)
}

/// Whether a browser says that a page of another origin asks.
fn is_elsewhere(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(|site| matches!(site.as_bytes(), b"same-origin" | b"none"));
    let host = headers.get(header::HOST).map_or(&b""[..], |host| host.as_bytes());
    let same =
        |origin: &[u8]| origin.strip_prefix(b"http://").or_else(|| origin.strip_prefix(b"https://")) == Some(host);
    let origin = headers.get(header::ORIGIN).map(|origin| same(origin.as_bytes()));
    site == Some(false) || origin == Some(false)
}

/// A credential without its scheme.
fn bare(value: &[u8]) -> &[u8] {
    let scheme = value.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case(b"bearer "));
    scheme.and_then(|_| value.get(7..)).unwrap_or(value).trim_ascii()
}

fn hash(key: &[u8]) -> blake3::Hash {
    let digest: [u8; 32] = Sha256::digest(key).into();
    blake3::Hash::from_bytes(digest)
}

const FORM: &str = "give each key as `env:NAME`, the variable that holds it, or as `sha256:` and 64 hexadecimal digits";

/// What proxies add to the requests that they relay.
const RELAYED: [&str; 6] =
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn lends(access: &Access, local: bool, lines: &[(&'static str, &'static str)]) -> Result<bool, &'static str> {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let headers: HeaderMap = lines.iter().map(pair).collect();
        access.lends(&headers, &Uri::from_static("/v1/models"), local, true).map_err(|error| error.code())
    }

    #[test]
    fn without_client_keys_a_key_is_lent_to_programs_on_this_machine_alone() {
        let access = Access { keys: Vec::new(), hosts: vec!["proxy.internal".into()] };
        for host in ["localhost", "LOCALHOST:8787", "127.0.0.1:8787", "127.9.9.9", "[::1]:8787", "proxy.internal:1"] {
            assert_eq!(lends(&access, true, &[("host", host)]), Ok(true), "{host}");
            assert_eq!(lends(&access, false, &[("host", host)]), Err("key_not_lent"), "{host}");
        }
        for host in ["", "localhost.example.org", "127.0.0.1.example.org", "10.0.0.1:8787", "0.0.0.0:1", "example.org"]
        {
            assert_eq!(lends(&access, true, &[("host", host)]), Err("key_not_lent"), "{host}");
        }
        let host = ("host", "localhost:8787");
        for line in [
            ("origin", "https://example.org"),
            ("origin", "null"),
            ("origin", "http://localhost:3000"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("x-forwarded-for", "10.0.0.1"),
            ("forwarded", "for=10.0.0.1"),
            ("via", "1.1 proxy"),
        ] {
            assert_eq!(lends(&access, true, &[host, line]), Err("key_not_lent"), "{line:?}");
        }
        assert_eq!(lends(&access, true, &[host, ("origin", "http://localhost:8787")]), Ok(true));
        assert_eq!(lends(&access, true, &[]), Err("key_not_lent"));
    }

    #[test]
    fn whoever_brings_a_credential_spends_that() {
        for lines in [[("authorization", "Bearer theirs")], [("api-key", "theirs")], [("x-goog-api-key", "theirs")]] {
            assert_eq!(lends(&Access::default(), false, &lines), Ok(false));
        }
    }

    #[test]
    fn a_client_key_is_taken_from_anywhere_and_in_any_credential_header() {
        let hashed = "sha256:2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90";
        let config = Config { client_keys: vec![hashed.into()], allowed_hosts: Vec::new() };
        let access = Access::new(&config).unwrap();
        for line in [("authorization", "Bearer alice"), ("authorization", "alice"), ("x-api-key", "alice")] {
            assert_eq!(lends(&access, false, &[line]), Ok(true), "{line:?}");
        }
        assert_eq!(lends(&access, true, &[("authorization", "Bearer alicf")]), Ok(false));
        assert_eq!(lends(&access, true, &[("host", "localhost")]), Err("client_key"));
    }

    #[test]
    fn a_credential_that_is_for_another_server_does_not_go_on() {
        let keys = |access: &Access, line: Option<(&'static str, &'static str)>, takes_own, lends| {
            let mut request = http::Request::get("/v1/models").header("host", "localhost:8787");
            if let Some((name, value)) = line {
                request = request.header(name, value);
            }
            let mut parts = request.body(()).unwrap().into_parts().0;
            parts.extensions.insert(Local);
            access.keys(&parts, takes_own, lends).map_err(|error| error.code())
        };
        let theirs = Some(("authorization", "Bearer theirs"));
        let hashed = "sha256:2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90";
        let open = Access::default();
        let keyed = Access::new(&Config { client_keys: vec![hashed.into()], allowed_hosts: Vec::new() }).unwrap();
        let client_key = Some(("x-api-key", "alice"));
        for (access, line, takes_own, lends, expected) in [
            (&open, theirs, true, false, Ok(Keys::Own)),
            (&open, theirs, true, true, Ok(Keys::Own)),
            (&open, theirs, false, false, Ok(Keys::Withheld)),
            (&open, theirs, false, true, Ok(Keys::Lent)),
            (&open, None, false, true, Ok(Keys::Lent)),
            (&keyed, theirs, true, true, Ok(Keys::Own)),
            (&keyed, theirs, false, true, Err("client_key")),
            (&keyed, theirs, false, false, Ok(Keys::Withheld)),
            (&keyed, client_key, false, true, Ok(Keys::Lent)),
            (&keyed, client_key, true, false, Err("no_key")),
            (&keyed, client_key, false, false, Ok(Keys::Withheld)),
        ] {
            assert_eq!(keys(access, line, takes_own, lends), expected, "{line:?} {takes_own} {lends}");
        }
    }

    #[test]
    fn a_client_key_is_named_and_never_written_down() {
        for key in ["alice", "env:", "env:a b", "sha256:abc", "sha512:00"] {
            let config = Config { client_keys: vec![key.into()], allowed_hosts: Vec::new() };
            assert_eq!(config.check().unwrap_err().value, crate::redact::HIDDEN, "{key}");
        }
        let unset = Config { client_keys: vec!["env:NO_SUCH_VARIABLE_IS_SET".into()], allowed_hosts: Vec::new() };
        assert!(unset.check().is_ok() && Access::new(&unset).is_err());
    }
}
