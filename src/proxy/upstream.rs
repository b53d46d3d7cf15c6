//! The servers that requests are forwarded to. Their hosts come from the configuration alone; paths and queries are
//! the client's, byte for byte.
//!
//! HTTP/1.1 only: a single HTTP/2 connection queues at about a hundred streams. No redirects are followed, nothing is
//! decoded. A request is sent again only when a pooled connection turned out to be closed before anything of the request
//! was written.

mod base;
mod choice;
mod connect;
mod credential;
mod hop;
mod named;
mod tls;

use std::{path::PathBuf, sync::Arc, time::Duration};

use http::{HeaderValue, Request, Response, Version, header::PROXY_AUTHORIZATION, uri::Scheme};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use super::{body::Upload, error::Error, headers};
use crate::{redact, setting::Invalid, via};
use base::Base;
pub(crate) use choice::Server;
pub use choice::{InvalidUpstream, Upstreams};
use connect::{Connector, Way};
pub(crate) use credential::Credential;
pub use credential::KeyHeader;
use hop::{Hop, Speaks};
pub use named::{Named, check};

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
    /// The header in which that key is sent; by the host where it is not set.
    pub api_key_header: Option<KeyHeader>,
    /// Which proxy stands on the way: `environment` (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY), `direct`, or its URL.
    pub via: String,
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
            api_key_header: None,
            via: via::ENVIRONMENT.into(),
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
        Base::of(&self.url)?;
        if let Some(url) = &self.anthropic_url {
            Base::of(url).map_err(|invalid| Invalid { key: "anthropic_url", ..invalid })?;
        }
        via::check(&self.via)?;
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

/// A client of one upstream with its pool of connections.
#[derive(Debug)]
pub struct Upstream {
    name: Arc<str>,
    client: Client<Connector, Upload>,
    /// Where a proxy on the way is asked for what the client asks for: the way for what is no plain exchange.
    tunnel: Option<Client<Connector, Upload>>,
    hop: Option<Hop>,
    /// The proxy on the way, as it may be shown.
    through: Option<String>,
    base: Base,
    host: HeaderValue,
    credential: Option<Credential>,
    idle: Duration,
}

impl Upstream {
    /// Prepares the client; connects to nothing yet.
    ///
    /// # Errors
    /// When the URL, the certificate authorities, the key or the proxy on the way cannot be used.
    fn new(
        name: &str,
        config: &Config,
        base: Base,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Invalid> {
        let host =
            HeaderValue::try_from(base.authority.as_str()).map_err(|_| Invalid::url("url", &config.url, base::FORM))?;
        let hop = hop::find(&config.via, &base, variable)?;
        let secure = base.scheme == Scheme::HTTPS;
        let wanted = secure || hop.as_ref().is_some_and(|hop| hop.speaks == Speaks::Https);
        let tls = wanted.then(|| tls::client(config)).transpose()?;
        let client = |way| {
            let within = Duration::from_secs(config.connect_timeout_seconds);
            client(config, Connector::new(tls.clone(), secure, within, way))
        };
        let forwarded = !secure && hop.as_ref().is_some_and(|hop| !matches!(hop.speaks, Speaks::Socks { .. }));
        let key = config.api_key_env.as_deref();
        let credential = key.map(|name| Credential::new(name, config.api_key_header, &base, variable));
        Ok(Self {
            name: name.into(),
            client: client(match &hop {
                None => Way::Direct,
                Some(hop) if forwarded => Way::Forwarded(hop.clone()),
                Some(hop) => Way::Tunnelled(hop.clone()),
            }),
            tunnel: hop.as_ref().filter(|_| forwarded).map(|hop| client(Way::Tunnelled(hop.clone()))),
            credential: credential.transpose()?,
            through: hop.as_ref().map(Hop::shown),
            hop: hop.filter(|_| forwarded),
            base,
            host,
            idle: Duration::from_secs(config.read_timeout_seconds),
        })
    }

    /// By which it is told of in logs and figures.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Its URL, and the proxy on the way to it, as they may be shown.
    fn described(&self) -> String {
        let url = redact::setting(&self.base.to_string());
        self.through.as_ref().map_or(url.clone(), |hop| format!("{url} through {hop}"))
    }

    /// Its name for the `Host` header.
    pub(crate) fn host(&self) -> &HeaderValue {
        &self.host
    }

    /// The operator's key to it.
    pub(crate) fn credential(&self) -> Option<&Credential> {
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
        let client = match (&self.tunnel, &self.hop) {
            (Some(tunnel), _) if headers::upgrade(request.headers()).is_some() => tunnel,
            (_, Some(hop)) => {
                if let Some(credential) = hop.credential() {
                    request.headers_mut().insert(PROXY_AUTHORIZATION, credential.clone());
                }
                &self.client
            }
            _ => &self.client,
        };
        let progress = request.body().progress();
        let answer = client.request(request);
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

fn client(config: &Config, connector: Connector) -> Client<Connector, Upload> {
    let mut client = Client::builder(TokioExecutor::new());
    client
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_secs(config.idle_connection_seconds))
        .pool_max_idle_per_host(config.idle_connections)
        .http1_preserve_header_case(true)
        .http1_max_headers(MAX_HEADERS)
        .set_host(false);
    client.build(connector)
}

/// Header lines of an answer at most.
const MAX_HEADERS: usize = 256;
