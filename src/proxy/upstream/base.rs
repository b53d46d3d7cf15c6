//! Where an upstream's requests go: scheme, host and base path. Paths and queries are the client's, byte for byte.

use std::fmt;

use http::{
    Uri,
    uri::{Authority, PathAndQuery, Scheme},
};

use crate::setting::Invalid;

/// Scheme, host and base path.
#[derive(Debug, Clone)]
pub(super) struct Base {
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
    /// Without a trailing slash; empty for none.
    path: String,
    /// What the client's path begins with by which the upstream is addressed, and which is taken off; empty for none.
    prefix: String,
}

impl Base {
    pub(super) fn of(url: &str) -> Result<Self, Invalid> {
        let wrong = |remedy| Invalid::url("url", url, remedy);
        let parts = url.trim().parse::<Uri>().map_err(|_| wrong(FORM))?.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(wrong(FORM));
        };
        if scheme != Scheme::HTTPS && scheme != Scheme::HTTP {
            return Err(wrong("only http and https are spoken"));
        }
        // Anywhere: a password with a slash in it looks like a path, and its user like the host.
        if url.contains('@') {
            return Err(wrong("leave the user name and password out of the URL; `api_key_env` names a key"));
        }
        if url.contains(['?', '#']) {
            return Err(wrong("leave the query out of the URL"));
        }
        let after_host = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
        if !after_host.is_empty() && authority.port_u16().is_none() {
            return Err(wrong("give a port from 1 to 65535, or none"));
        }
        let target = parts.path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/"));
        let path = target.path().trim_end_matches('/').to_owned();
        if ENDPOINTS.iter().any(|endpoint| path.ends_with(endpoint)) {
            return Err(wrong(
                "leave the endpoint out: clients name it themselves; give the base, such as `https://host/v1`",
            ));
        }
        Ok(Self { scheme, authority, path, prefix: String::new() })
    }

    /// The same, addressed by a prefix of the client's path.
    pub(super) fn behind(self, prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), ..self }
    }

    /// The URL without a path.
    pub(super) fn origin(&self) -> Option<Uri> {
        let (scheme, authority) = (self.scheme.clone(), self.authority.clone());
        Uri::builder().scheme(scheme).authority(authority).path_and_query("/").build().ok()
    }

    /// Where the client's target lies at the upstream.
    pub(super) fn target(&self, from: &Uri) -> Option<Uri> {
        let asked = self.without_prefix(from.path_and_query()?)?;
        let path = self.join(&asked)?;
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path);
        Uri::from_parts(parts).ok()
    }

    fn without_prefix(&self, asked: &PathAndQuery) -> Option<PathAndQuery> {
        let rest = asked.as_str().strip_prefix(self.prefix.as_str())?;
        if rest.starts_with('/') || self.prefix.is_empty() {
            return PathAndQuery::try_from(rest).ok();
        }
        PathAndQuery::try_from(format!("/{rest}")).ok()
    }

    fn join(&self, asked: &PathAndQuery) -> Option<PathAndQuery> {
        if self.path.is_empty() || asked.path() == "*" {
            return Some(asked.clone());
        }
        let versioned = asked.path() == "/v1" || asked.path().starts_with("/v1/");
        let base = match self.path.strip_suffix("/v1") {
            Some(rest) if versioned => rest,
            _ => &self.path,
        };
        PathAndQuery::try_from(format!("{base}{asked}")).ok()
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.path)
    }
}

pub(super) const FORM: &str = "give `https://host[:port][/base/path]`";

/// The ends of URLs that name an endpoint rather than a base.
const ENDPOINTS: [&str; 6] = ["/chat/completions", "/completions", "/responses", "/messages", "/embeddings", "/models"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::HIDDEN;

    fn target(base: &str, asked: &str) -> String {
        Base::of(base).unwrap().target(&asked.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn a_base_path_is_kept_and_a_trailing_v1_is_not_doubled() {
        for (base, asked, expected) in [
            ("http://h", "/v1/models", "http://h/v1/models"),
            ("http://h/", "/v1/models", "http://h/v1/models"),
            ("http://h/v1", "/v1/models", "http://h/v1/models"),
            ("http://h/v1/", "/chat/completions", "http://h/v1/chat/completions"),
            ("http://h:1/openai/v1", "/v1/models?x=1", "http://h:1/openai/v1/models?x=1"),
            ("http://h/api", "/v1/models", "http://h/api/v1/models"),
            ("http://h/v1", "/v1beta/models", "http://h/v1/v1beta/models"),
        ] {
            assert_eq!(target(base, asked), expected, "{base} {asked}");
        }
    }

    #[test]
    fn a_prefix_is_taken_off_and_all_else_stays() {
        for (base, asked, expected) in [
            ("http://h", "/local/v1/models", "http://h/v1/models"),
            ("http://h/api/v1", "/local/v1/models?a=%2F", "http://h/api/v1/models?a=%2F"),
            ("http://h", "/local", "http://h/"),
            ("http://h", "/local?x=1", "http://h/?x=1"),
            ("http://h", "/local//local/%2e", "http://h//local/%2e"),
        ] {
            let base = Base::of(base).unwrap().behind("/local");
            assert_eq!(base.target(&asked.parse().unwrap()).unwrap().to_string(), expected, "{asked}");
        }
    }

    #[test]
    fn paths_and_queries_stay_as_they_came() {
        for odd in ["/a//b/../c/./d", "/a%2Fb%2f?q=%7B%22&&=;", "/?", "/v1/x?a=b?c", "/%00%ff", "/a|b"] {
            assert_eq!(target("http://h", odd), format!("http://h{odd}"));
            assert_eq!(target("http://h/base", odd), format!("http://h/base{odd}"));
        }
    }

    #[test]
    fn the_clients_host_is_never_followed() {
        assert_eq!(target("http://h", "http://elsewhere/v1/models"), "http://h/v1/models");
    }

    #[test]
    fn a_url_that_cannot_be_used_stops_the_start_and_shows_its_host_at_most() {
        for (url, shown) in [
            ("api.openai.com", HIDDEN),
            ("me:secret@h", HIDDEN),
            ("ftp://h", "ftp://h"),
            ("http://h/?key=secret", HIDDEN),
            ("http://me:secret@h", HIDDEN),
            ("", HIDDEN),
            ("https://h/v1/chat/completions", "https://h"),
            ("https://h/v1/messages/", "https://h"),
        ] {
            let invalid = Base::of(url).unwrap_err();
            assert_eq!((invalid.key, invalid.value.as_str()), ("url", shown));
        }
    }
}
