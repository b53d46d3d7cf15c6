//! Where a program's requests would have gone. A base URL that is set already names the server that its keys are for: a
//! proxy between them forwards there and nowhere else.

use std::net::SocketAddr;

use anyhow::anyhow;
use headroom::config::{Config, Loaded};
use reqwest::Url;

use super::{Endpoint, Failure, Found};

/// The servers that the environment names, other than the providers' own.
#[derive(Debug, Default)]
pub(super) struct Gateways {
    openai: Option<(&'static str, String)>,
    anthropic: Option<(&'static str, String)>,
    /// A proxy of ours that a base URL points at.
    pub(super) running: Option<Endpoint>,
}

/// As the environment says; `proxy` is where the configuration has a proxy listen.
pub(super) fn of(environment: impl Fn(&str) -> Option<String>, proxy: &Endpoint) -> Result<Gateways, Failure> {
    let mut gateways = Gateways::default();
    let mut elsewhere = |names: &[&'static str]| {
        for name in names {
            let Some(url) = environment(name).filter(|url| !is_providers(url)) else { continue };
            let configured = proxy.named_by(&url);
            // Where none runs at its place yet, one is about to.
            let is_about_to = configured.is_some();
            match configured.or_else(|| local(&url)).filter(|endpoint| endpoint.look() == Found::Ours) {
                Some(endpoint) => gateways.running = Some(endpoint),
                None if is_about_to => {}
                None => return Some((*name, url)),
            }
        }
        None
    };
    let openai = elsewhere(&["OPENAI_BASE_URL", "OPENAI_API_BASE"]);
    let anthropic = elsewhere(&["ANTHROPIC_BASE_URL"]);
    Ok(Gateways { openai, anthropic, ..gateways })
}

impl Gateways {
    /// Forwards to them where the configuration names no server; whether there are any.
    pub(super) fn adopt(&self, loaded: &mut Loaded) -> Result<bool, Failure> {
        let upstream = &mut loaded.config.upstream;
        let unset = Config::default().upstream;
        if upstream.url != unset.url || upstream.anthropic_url.is_some() {
            return Ok(false);
        }
        if let Some((_, url)) = &self.openai {
            // Anthropic's keys do not go there too.
            upstream.anthropic_url = upstream.anthropic().map(str::to_owned);
            url.clone_into(&mut upstream.url);
        }
        if let Some((_, url)) = &self.anthropic {
            upstream.anthropic_url = Some(url.trim_end_matches('/').trim_end_matches("/v1").to_owned());
        }
        upstream.check().map_err(|invalid| {
            let anthropic = invalid.key == "anthropic_url";
            let named = if anthropic { &self.anthropic } else { &self.openai };
            let name = named.as_ref().map_or("OPENAI_BASE_URL", |(name, _)| name);
            let remedy = invalid.remedy;
            Failure::Setup(anyhow!("the variable {name} names no server to forward to\n  remedy: {remedy}"))
        })?;
        Ok(self.openai.is_some() || self.anthropic.is_some())
    }
}

fn is_providers(url: &str) -> bool {
    let url = Url::parse(url.trim()).ok();
    let host = url.as_ref().and_then(Url::host_str);
    matches!(host, Some("api.openai.com" | "api.anthropic.com"))
}

/// The address of a plain URL on this machine.
fn local(url: &str) -> Option<Endpoint> {
    let url = Url::parse(url.trim()).ok().filter(|url| url.scheme() == "http")?;
    let host = url.host_str()?.trim_matches(['[', ']']);
    let host = if host == "localhost" { "127.0.0.1" } else { host };
    let ip: std::net::IpAddr = host.parse().ok()?;
    ip.is_loopback().then(|| Endpoint::plain(SocketAddr::new(ip, url.port_or_known_default().unwrap_or(80))))
}

#[cfg(test)]
mod tests {
    use headroom::config::Sources;

    use super::*;

    fn upstreams(set: &[(&str, &str)]) -> (bool, String, Option<String>) {
        let look = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let mut loaded = Config::load(&Sources::default()).unwrap();
        let gateways = of(look, &Endpoint::plain("127.0.0.1:8787".parse().unwrap())).unwrap();
        let adopted = gateways.adopt(&mut loaded).unwrap();
        let upstream = loaded.config.upstream;
        let anthropic = upstream.anthropic().map(str::to_owned);
        (adopted, upstream.url, anthropic)
    }

    #[test]
    fn a_key_goes_where_its_base_url_pointed() {
        let (openai, anthropic) = ("https://api.openai.com", "https://api.anthropic.com");
        for (set, expected) in [
            (&[][..], (false, openai, anthropic)),
            (&[("OPENAI_BASE_URL", "http://localhost:8787/v1")], (false, openai, anthropic)),
            (&[("OPENAI_BASE_URL", "https://api.openai.com/v1")], (false, openai, anthropic)),
            (&[("OPENAI_BASE_URL", "https://gw.example/v1")], (true, "https://gw.example/v1", anthropic)),
            (&[("OPENAI_API_BASE", "https://gw.example/v1")], (true, "https://gw.example/v1", anthropic)),
            (&[("ANTHROPIC_BASE_URL", "https://gw.example/v1/")], (true, openai, "https://gw.example")),
        ] {
            let (adopted, main, other) = upstreams(set);
            assert_eq!(
                (adopted, main.as_str(), other.as_deref()),
                (expected.0, expected.1, Some(expected.2)),
                "{set:?}"
            );
        }
    }

    #[test]
    fn a_base_url_that_is_none_is_named_and_not_shown() {
        let mut loaded = Config::load(&Sources::default()).unwrap();
        let gateways = Gateways { openai: Some(("OPENAI_BASE_URL", "sk-SECRET".into())), ..Gateways::default() };
        let Err(Failure::Setup(error)) = gateways.adopt(&mut loaded) else { panic!("it is no URL") };
        assert!(error.to_string().contains("OPENAI_BASE_URL") && !error.to_string().contains("SECRET"), "{error}");
    }
}
