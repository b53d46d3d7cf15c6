//! Which server a request is for. One is configured, and everything goes there; but where that is OpenAI's own (the
//! default), requests of Anthropic's API would arrive at a stranger with their keys. They go to Anthropic's then.

use http::HeaderMap;

use super::{Base, Config, Upstream};
use crate::setting::Invalid;

/// The servers that requests are forwarded to.
#[derive(Debug)]
pub struct Upstreams {
    main: Upstream,
    /// For requests of Anthropic's API; `None` where the main one takes them.
    anthropic: Option<Upstream>,
}

impl Upstreams {
    /// Prepares the clients; connects to nothing yet.
    ///
    /// # Errors
    /// When a URL, the certificate authorities or the key cannot be used.
    pub fn new(config: &Config) -> Result<Self, Invalid> {
        let anthropic = config.anthropic().map(|url| {
            // The configured key belongs to the main one.
            let config = Config { url: url.to_owned(), anthropic_url: None, api_key_env: None, ..config.clone() };
            Upstream::new(&config).map_err(|invalid| Invalid { key: "anthropic_url", ..invalid })
        });
        Ok(Self { main: Upstream::new(config)?, anthropic: anthropic.transpose()? })
    }

    /// The server for a request, by its path and headers alone.
    pub(crate) fn of(&self, path: &str, headers: &HeaderMap) -> &Upstream {
        self.anthropic.as_ref().filter(|_| is_of_anthropic(path, headers)).unwrap_or(&self.main)
    }
}

impl Config {
    /// Where requests of Anthropic's API go, if not where all others do.
    #[must_use]
    pub fn anthropic(&self) -> Option<&str> {
        let openai = || Base::of(self).is_ok_and(|base| base.authority.host().eq_ignore_ascii_case("api.openai.com"));
        match &self.anthropic_url {
            Some(url) => Some(url),
            None => openai().then_some("https://api.anthropic.com"),
        }
    }
}

/// Whether a request is of Anthropic's API: by its path, or by the headers that all of its clients send.
fn is_of_anthropic(path: &str, headers: &HeaderMap) -> bool {
    let messages = path.strip_prefix("/v1/messages").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    messages || headers.keys().any(|name| name.as_str().starts_with("anthropic-"))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn host(config: &Config, path: &str, header: &'static str) -> String {
        let headers = HeaderMap::from_iter([(HeaderName::from_static(header), HeaderValue::from_static("x"))]);
        let upstreams = Upstreams::new(config).unwrap();
        upstreams.of(path, &headers).host().to_str().unwrap().to_owned()
    }

    #[test]
    fn before_openai_what_is_for_anthropic_goes_to_anthropic() {
        let config = Config::default();
        for (path, header, expected) in [
            ("/v1/messages", "x-api-key", "api.anthropic.com"),
            ("/v1/messages/count_tokens", "authorization", "api.anthropic.com"),
            ("/v1/models", "anthropic-version", "api.anthropic.com"),
            ("/v1/models", "authorization", "api.openai.com"),
            ("/v1/messagesque", "authorization", "api.openai.com"),
            ("/v1/threads/t/messages", "authorization", "api.openai.com"),
        ] {
            assert_eq!(host(&config, path, header), expected, "{path}");
        }
    }

    #[test]
    fn a_server_of_ones_own_takes_everything_unless_another_is_named() {
        let own = Config { url: "http://gateway:4000".into(), ..Config::default() };
        assert_eq!(host(&own, "/v1/messages", "anthropic-version"), "gateway:4000");
        let both = Config { anthropic_url: Some("http://other:1".into()), ..own };
        assert_eq!(host(&both, "/v1/messages", "anthropic-version"), "other:1");
        assert_eq!(host(&both, "/v1/responses", "authorization"), "gateway:4000");
    }

    #[test]
    fn the_configured_key_stays_with_the_server_it_is_for() {
        // A variable that is always there; what it holds does not matter.
        let config = Config { api_key_env: Some("PATH".into()), ..Config::default() };
        let upstreams = Upstreams::new(&config).unwrap();
        let credential = |path| upstreams.of(path, &HeaderMap::new()).credential().is_some();
        assert!(credential("/v1/responses") && !credential("/v1/messages"));
    }

    #[test]
    fn a_url_of_anthropics_that_cannot_be_used_is_named() {
        let config = Config { anthropic_url: Some("api.anthropic.com".into()), ..Config::default() };
        assert_eq!(Upstreams::new(&config).unwrap_err().key, "anthropic_url");
        assert_eq!(config.check().unwrap_err().key, "anthropic_url");
    }
}
