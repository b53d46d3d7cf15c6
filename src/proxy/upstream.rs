//! The servers that requests are forwarded to. Their hosts come from the configuration alone; paths and queries are
//! the client's, byte for byte.
//!
//! HTTP/1.1 only: a single HTTP/2 connection queues at about a hundred streams. No redirects are followed, no system
//! proxy is asked, nothing is decoded. A request is sent again only when a pooled connection turned out to be closed
//! before anything of the request was written.

mod choice;
mod connect;
mod tls;

use std::{path::PathBuf, time::Duration};

use http::{
    HeaderValue, Request, Response, Uri, Version,
    uri::{Authority, PathAndQuery, Scheme},
};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use super::{body::Upload, error::Error};
use crate::setting::Invalid;
pub use choice::Upstreams;
use connect::Connector;

/// `[upstream]`: where requests go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `https://host[:port][/base/path]`; a base path is put before the client's, a trailing `/v1` is not doubled.
    pub url: String,
    /// Where requests of Anthropic's API go. Not set: to `https://api.anthropic.com` while `url` is OpenAI's own,
    /// otherwise where all others go.
    pub anthropic_url: Option<String>,
    /// A PEM file with further certificate authorities to trust.
    pub ca_file: Option<PathBuf>,
    /// The environment variable that holds a key for requests that come without a credential.
    pub api_key_env: Option<String>,
    /// Seconds to connect, TLS included.
    pub connect_timeout_seconds: u64,
    /// Seconds without a byte, before the answer's head or within its body.
    pub read_timeout_seconds: u64,
    /// Seconds that an unused connection is kept; below the upstream's own, so that it isn't closed in our hands.
    pub idle_connection_seconds: u64,
    /// Unused connections kept at most.
    pub idle_connections: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: "https://api.openai.com".into(),
            anthropic_url: None,
            ca_file: None,
            api_key_env: None,
            connect_timeout_seconds: 10,
            read_timeout_seconds: 600,
            idle_connection_seconds: 60,
            idle_connections: 256,
        }
    }
}

impl Config {
    /// Checks what the types cannot.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub fn check(&self) -> Result<(), Invalid> {
        Base::of(self)?;
        if let Some(url) = &self.anthropic_url {
            let config = Self { url: url.clone(), anthropic_url: None, ..self.clone() };
            Base::of(&config).map_err(|invalid| Invalid { key: "anthropic_url", ..invalid })?;
        }
        let seconds = "give a number of seconds from 1 on";
        for (key, value) in [
            ("connect_timeout_seconds", self.connect_timeout_seconds),
            ("read_timeout_seconds", self.read_timeout_seconds),
        ] {
            if value == 0 {
                return Err(Invalid::new(key, value, seconds));
            }
        }
        Ok(())
    }
}

/// A client of the upstream with its pool of connections.
#[derive(Debug)]
pub struct Upstream {
    client: Client<Connector, Upload>,
    base: Base,
    host: HeaderValue,
    credential: Option<HeaderValue>,
    idle: Duration,
}

impl Upstream {
    /// Prepares the client; connects to nothing yet.
    ///
    /// # Errors
    /// When the URL, the certificate authorities or the key cannot be used.
    pub fn new(config: &Config) -> Result<Self, Invalid> {
        config.check()?;
        let base = Base::of(config)?;
        let host = HeaderValue::try_from(base.authority.as_str())
            .map_err(|_| Invalid::url("url", &config.url, "give `https://host[:port][/base/path]`"))?;
        let tls = (base.scheme == Scheme::HTTPS).then(|| tls::client(config)).transpose()?;
        let mut client = Client::builder(TokioExecutor::new());
        client
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(config.idle_connection_seconds))
            .pool_max_idle_per_host(config.idle_connections)
            .http1_preserve_header_case(true)
            .http1_max_headers(MAX_HEADERS)
            .set_host(false);
        Ok(Self {
            client: client.build(Connector::new(tls, Duration::from_secs(config.connect_timeout_seconds))),
            base,
            host,
            credential: config.credential()?,
            idle: Duration::from_secs(config.read_timeout_seconds),
        })
    }

    /// Its name for the `Host` header.
    pub(crate) fn host(&self) -> &HeaderValue {
        &self.host
    }

    /// What to put into `Authorization` where a client sends no credential.
    pub(crate) fn credential(&self) -> Option<&HeaderValue> {
        self.credential.as_ref()
    }

    /// How long it may be silent.
    pub(crate) fn idle(&self) -> Duration {
        self.idle
    }

    /// Sends a request whose headers are ready and waits for the head of the answer. Dropping the future breaks the
    /// request off.
    pub(crate) async fn send(&self, mut request: Request<Upload>) -> Result<Response<Incoming>, Error> {
        *request.uri_mut() = self.base.target(request.uri()).ok_or(Error::Target)?;
        *request.version_mut() = Version::HTTP_11;
        let progress = request.body().progress();
        let answer = self.client.request(request);
        tokio::pin!(answer);
        let mut until = Instant::now() + self.idle;
        loop {
            match timeout_at(until, &mut answer).await {
                Ok(Ok(response)) => return Ok(response),
                Ok(Err(_)) if progress.is_broken() => return Err(Error::ClientBroke),
                Ok(Err(error)) if error.is_connect() => return Err(Error::Unreachable(error)),
                Ok(Err(error)) => return Err(Error::NoAnswer(error)),
                // While the upload moves nobody is stuck.
                Err(_) if progress.last() + self.idle > until => until = progress.last() + self.idle,
                Err(_) if progress.is_complete() => return Err(Error::TimedOut),
                Err(_) => return Err(Error::ClientTooSlow),
            }
        }
    }
}

impl Config {
    fn credential(&self) -> Result<Option<HeaderValue>, Invalid> {
        let Some(name) = &self.api_key_env else {
            return Ok(None);
        };
        let remedy = "name a variable that is set and holds the key, or leave `api_key_env` out";
        let key = std::env::var(name).map_err(|_| Invalid::text("api_key_env", remedy))?;
        let mut value = HeaderValue::try_from(format!("Bearer {}", key.trim()))
            .map_err(|_| Invalid::text("api_key_env", "the variable holds something that is no key"))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

/// Where every request goes: scheme, host and base path.
#[derive(Debug, Clone)]
struct Base {
    scheme: Scheme,
    authority: Authority,
    /// Without a trailing slash; empty for none.
    path: String,
}

impl Base {
    fn of(config: &Config) -> Result<Self, Invalid> {
        let wrong = |remedy| Invalid::url("url", &config.url, remedy);
        let form = "give `https://host[:port][/base/path]`";
        let parts = config.url.trim().parse::<Uri>().map_err(|_| wrong(form))?.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(wrong(form));
        };
        if scheme != Scheme::HTTPS && scheme != Scheme::HTTP {
            return Err(wrong("only http and https are spoken"));
        }
        // Anywhere: a password with a slash in it looks like a path, and its user like the host.
        if config.url.contains('@') {
            return Err(wrong("leave the user name and password out of the URL; `api_key_env` names a key"));
        }
        if config.url.contains(['?', '#']) {
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
        Ok(Self { scheme, authority, path })
    }

    /// Where the client's target lies at the upstream.
    fn target(&self, from: &Uri) -> Option<Uri> {
        let asked = from.path_and_query()?;
        let path = self.join(asked)?;
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path);
        Uri::from_parts(parts).ok()
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

/// The ends of URLs that name an endpoint rather than a base.
const ENDPOINTS: [&str; 6] = ["/chat/completions", "/completions", "/responses", "/messages", "/embeddings", "/models"];

/// Header lines of an answer at most.
const MAX_HEADERS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::HIDDEN;

    fn target(base: &str, asked: &str) -> String {
        let config = Config { url: base.into(), ..Config::default() };
        Base::of(&config).unwrap().target(&asked.parse().unwrap()).unwrap().to_string()
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
            let invalid = Config { url: url.into(), ..Config::default() }.check().unwrap_err();
            assert_eq!((invalid.key, invalid.value.as_str()), ("url", shown));
        }
    }
}
