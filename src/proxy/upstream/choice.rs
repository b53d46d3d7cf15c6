//! Which server a request is for, and with which credentials.
//!
//! `[[upstreams]]` are tried in their order, those with a prefix first; what none of them takes goes where `[upstream]` says.
//! Where that is OpenAI's own (the default), requests of Anthropic's API would arrive at a stranger with their keys. They
//! go to Anthropic's then.

use std::sync::Arc;

use http::HeaderMap;

use super::{Base, Config, Named, Upstream, named};
use crate::{
    proxy::rules::{Glob, Many},
    setting::Invalid,
};

/// The servers that requests are forwarded to.
#[derive(Debug)]
pub struct Upstreams {
    named: Vec<Fit>,
    main: Server,
    /// For requests of Anthropic's API; `None` where the main one takes them.
    anthropic: Option<Server>,
}

/// A further server that cannot be used: its place, from 0 on, and what is wrong with it.
pub type InvalidUpstream = (usize, Invalid);

/// A server and what goes on to it.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) upstream: Arc<Upstream>,
    /// Whether the credentials that clients send do.
    pub(crate) takes_client_credentials: bool,
}

/// A further server and what it is for.
#[derive(Debug)]
struct Fit {
    purpose: String,
    prefix: Option<String>,
    paths: Option<Vec<Glob>>,
    models: Option<Vec<Glob>>,
    server: Server,
}

impl Fit {
    fn new(named: &Named, main: &Config, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, Invalid> {
        let base = Base::of(&named.url)?.behind(named.prefix.as_deref().unwrap_or_default());
        let globs = |many: &Option<Many>| {
            many.as_ref().map(|many| many.as_slice().iter().map(|text| Glob::new(text)).collect::<Vec<_>>())
        };
        Ok(Self {
            purpose: named.purpose(),
            prefix: named.prefix.clone(),
            paths: globs(&named.path),
            models: globs(&named.model),
            server: Server {
                upstream: Arc::new(Upstream::new(&named.name, &named.config(main), base, variable)?),
                takes_client_credentials: named.takes_client_credentials(),
            },
        })
    }

    /// Whether it is for requests with this path, perhaps of some models alone.
    fn fits_path(&self, path: &str) -> bool {
        let below = |prefix: &String| {
            path.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.prefix.as_ref().is_none_or(below)
            && self.paths.as_ref().is_none_or(|paths| paths.iter().any(|glob| glob.fits(path)))
    }

    fn fits_model(&self, model: Option<&str>) -> bool {
        let Some(models) = &self.models else { return true };
        model.is_some_and(|model| models.iter().any(|glob| glob.fits(model)))
    }
}

impl Upstreams {
    /// Prepares the clients; connects to nothing yet. Keys and proxies are the environment's.
    ///
    /// # Errors
    /// When a URL, the certificate authorities or the key cannot be used.
    pub fn new(config: &Config) -> Result<Self, Invalid> {
        Self::with(config, &|name| std::env::var(name).ok())
    }

    /// The same in another environment.
    ///
    /// # Errors
    /// As above.
    pub fn with(config: &Config, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, Invalid> {
        config.check()?;
        let own = |name, config: &Config| {
            let upstream = Upstream::new(name, config, Base::of(&config.url)?, variable)?;
            Ok(Server { upstream: Arc::new(upstream), takes_client_credentials: true })
        };
        let anthropic = config.anthropic().map(|url| {
            // The configured key belongs to the main one.
            let config = Config { url: url.to_owned(), anthropic_url: None, api_key_env: None, ..config.clone() };
            own(ANTHROPIC, &config).map_err(|invalid: Invalid| match invalid.key {
                "url" => Invalid { key: "anthropic_url", ..invalid },
                _ => invalid,
            })
        });
        Ok(Self { named: Vec::new(), main: own(DEFAULT, config)?, anthropic: anthropic.transpose()? })
    }

    /// The same with further servers, which come first.
    ///
    /// # Errors
    /// The first of them that cannot be used.
    pub fn and(
        self,
        named: &[Named],
        main: &Config,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, InvalidUpstream> {
        named::check(named)?;
        let fit = |(at, named)| Fit::new(named, main, variable).map_err(|invalid| (at, invalid));
        let mut named: Vec<Fit> = named.iter().enumerate().map(fit).collect::<Result<_, _>>()?;
        // Whoever addresses one by its prefix means that one, whatever model they ask it for.
        named.sort_by_key(|fit| fit.prefix.is_none());
        Ok(Self { named, ..self })
    }

    /// The server for a request, by its path and headers, and by its model where that is known.
    pub(crate) fn of(&self, path: &str, headers: &HeaderMap, model: Option<&str>) -> &Server {
        let named = self.named.iter().find(|fit| fit.fits_path(path) && fit.fits_model(model));
        let anthropic = || self.anthropic.as_ref().filter(|_| is_of_anthropic(path, headers));
        named.map(|fit| &fit.server).or_else(anthropic).unwrap_or(&self.main)
    }

    /// Where requests go, for people: the one that takes what no other does first.
    #[must_use]
    pub fn described(&self) -> Vec<String> {
        let main = self.main.upstream.described();
        let anthropic = self.anthropic.iter().map(|to| format!("{} (Anthropic's API)", to.upstream.described()));
        let named = self.named.iter().map(|Fit { purpose, server, .. }| {
            let kept = if server.takes_client_credentials { "" } else { "; clients' keys do not go there" };
            format!("{} ({}: {purpose}{kept})", server.upstream.described(), server.upstream.name())
        });
        std::iter::once(main).chain(anthropic).chain(named).collect()
    }

    /// Whether the server depends on the model that a request with this path asks for.
    pub(crate) fn depends_on_model(&self, path: &str) -> bool {
        self.named.iter().find(|fit| fit.fits_path(path)).is_some_and(|fit| fit.models.is_some())
    }
}

impl Config {
    /// Where requests of Anthropic's API go, if not where all others do.
    #[must_use]
    pub fn anthropic(&self) -> Option<&str> {
        let openai =
            || Base::of(&self.url).is_ok_and(|base| base.authority.host().eq_ignore_ascii_case("api.openai.com"));
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

/// The names of those that `[upstream]` gives.
pub(super) const DEFAULT: &str = "default";
pub(super) const ANTHROPIC: &str = "anthropic";

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn host(config: &Config, path: &str, header: &'static str) -> String {
        let headers = HeaderMap::from_iter([(HeaderName::from_static(header), HeaderValue::from_static("x"))]);
        let upstreams = Upstreams::new(config).unwrap();
        upstreams.of(path, &headers, None).upstream.host().to_str().unwrap().to_owned()
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
        let config = Config { api_key_env: Some("KEY".into()), ..Config::default() };
        let upstreams = Upstreams::with(&config, &|_| Some("k".into())).unwrap();
        let credential = |path| upstreams.of(path, &HeaderMap::new(), None).upstream.credential().is_some();
        assert!(credential("/v1/responses") && !credential("/v1/messages"));
    }

    #[test]
    fn a_url_of_anthropics_that_cannot_be_used_is_named() {
        let config = Config { anthropic_url: Some("api.anthropic.com".into()), ..Config::default() };
        assert_eq!(Upstreams::new(&config).unwrap_err().key, "anthropic_url");
        assert_eq!(config.check().unwrap_err().key, "anthropic_url");
    }

    fn named(name: &str, prefix: Option<&str>, path: Option<&str>, model: Option<&str>) -> Named {
        let one = |text: Option<&str>| text.map(|text| Many::One(text.to_owned()));
        let (name, url) = (name.to_owned(), format!("http://{name}"));
        Named { name, url, prefix: prefix.map(Into::into), path: one(path), model: one(model), ..Named::default() }
    }

    fn several() -> Upstreams {
        let named = [
            named("embeds", None, Some("/v1/embed*"), None),
            named("chats", None, Some("*/chat/completions"), Some("llama*")),
            named("any", None, None, Some("qwen*")),
            named("below", Some("/local"), None, None),
        ];
        let main = Config::default();
        Upstreams::with(&main, &|_| None).unwrap().and(&named, &main, &|_| None).unwrap()
    }

    #[test]
    fn the_first_that_fits_by_prefix_path_and_model_takes_a_request() {
        let upstreams = several();
        for (path, model, name, credentials) in [
            ("/v1/chat/completions", None, "default", true),
            ("/v1/chat/completions", Some("gpt-5"), "default", true),
            ("/v1/chat/completions", Some("LLAMA-4"), "chats", false),
            ("/v1/responses", Some("llama-4"), "default", true),
            ("/v1/responses", Some("qwen3"), "any", false),
            ("/v1/messages", Some("qwen3"), "any", false),
            ("/v1/messages", Some("claude"), "anthropic", true),
            ("/v1/embeddings", Some("qwen3"), "embeds", false),
            ("/local/v1/chat/completions", Some("qwen3"), "below", true),
            ("/local", None, "below", true),
            ("/locality/v1/models", None, "default", true),
        ] {
            let server = upstreams.of(path, &HeaderMap::new(), model);
            assert_eq!(
                (&**server.upstream.name(), server.takes_client_credentials),
                (name, credentials),
                "{path} {model:?}"
            );
        }
    }

    #[test]
    fn the_model_is_asked_for_only_where_it_decides() {
        let upstreams = several();
        for (path, depends) in [
            ("/v1/chat/completions", true),
            ("/v1/responses", true),
            ("/v1/embeddings", false),
            ("/local/v1/responses", false),
        ] {
            assert_eq!(upstreams.depends_on_model(path), depends, "{path}");
        }
        assert!(!Upstreams::with(&Config::default(), &|_| None).unwrap().depends_on_model("/v1/responses"));
    }
}
