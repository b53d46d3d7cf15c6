//! A running proxy, asked over HTTP by the commands that look into it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, anyhow};
use clap::{Args, ValueEnum};
use headroom::{
    config::{Config, Sources},
    engine::state_directory,
    explain::ReaderKey,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use serde::Deserialize;

use super::{Failure, pinned, serve::reachable};

/// Which proxy, and with which credential.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Running {
    /// The running proxy [default: what the configuration listens on]
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,
    /// Configuration file that says where the proxy listens [default: as for `headroom serve`]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Environment variable with the key that the request was sent with; not needed by the user who runs the proxy
    #[arg(long, value_name = "NAME")]
    key_env: Option<String>,
    /// Header in which the request carried its key
    #[arg(long, value_enum, default_value_t, requires = "key_env")]
    key_header: KeyHeader,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum KeyHeader {
    /// Authorization: Bearer KEY
    #[default]
    Authorization,
    /// api-key: KEY
    ApiKey,
    /// x-api-key: KEY
    XApiKey,
}

impl Running {
    /// What the proxy has at `/headroom/PAGE`.
    pub(super) fn ask(&self, page: &str) -> Result<Vec<u8>, Failure> {
        let asked = self.asked()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(asked.get(page))
    }

    /// The proxy, to be asked.
    pub(super) fn asked(&self) -> Result<Asked, Failure> {
        let (base, certificate) = self.base()?;
        let key = self.key()?;
        let trusted = certificate.as_deref().and_then(pinned::client);
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .tls_backend_preconfigured(trusted.map_or_else(tls, Ok)?)
            .build()
            .context("no HTTP client can be made")?;
        Ok(Asked { client, base, key })
    }

    /// Where the proxy is, and the operator's key to it where this user runs it.
    pub(super) fn link(&self) -> Result<(String, Option<String>), Failure> {
        let (base, _) = self.base()?;
        let key = reader(&base);
        Ok((base, key))
    }

    /// Its base URL, and the certificate that it shows where the configuration names that.
    fn base(&self) -> Result<(String, Option<PathBuf>), Failure> {
        let Some(url) = &self.url else {
            let loaded = Config::load(&Sources::of_process(self.config.clone(), Vec::new())).map_err(Failure::setup)?;
            let listen = reachable(&loaded.config.server.listen);
            // Whoever wrote the file that lies here is not to be sent a key, nor asked in the proxy's place.
            if loaded.is_of_folder("server.listen") && (self.key_env.is_some() || !listen.ip().is_loopback()) {
                let remedy = "name the file by --config config.toml, or the address by --url http://ADDRESS:PORT";
                let problem = "the proxy's address stands in a config.toml that lies in this folder and was not named";
                return Err(Failure::setup(anyhow!("{problem}\n  remedy: {remedy}")));
            }
            let tls = loaded.config.server.tls;
            let scheme = if tls.is_on() { "https" } else { "http" };
            return Ok((format!("{scheme}://{listen}"), tls.certificate_file));
        };
        let url = url.trim_end_matches('/');
        let url = url.strip_suffix("/v1").unwrap_or(url);
        let known = url.starts_with("http://") || url.starts_with("https://");
        Ok((if known { url.to_owned() } else { format!("http://{url}") }, None))
    }

    fn key(&self) -> Result<Option<(&'static str, String)>, Failure> {
        let Some(name) = &self.key_env else { return Ok(None) };
        let value = std::env::var(name).map_err(|_| {
            let remedy = "name the variable that holds the key of the request, or leave --key-env out";
            Failure::setup(anyhow!("--key-env names no variable that is set\n  remedy: {remedy}"))
        })?;
        Ok(Some(match self.key_header {
            KeyHeader::Authorization => ("authorization", format!("Bearer {value}")),
            KeyHeader::ApiKey => ("api-key", value),
            KeyHeader::XApiKey => ("x-api-key", value),
        }))
    }
}

/// A running proxy, as one reader asks it.
pub(super) struct Asked {
    client: reqwest::Client,
    base: String,
    key: Option<(&'static str, String)>,
}

impl Asked {
    /// What it has at `/headroom/PAGE`.
    pub(super) async fn get(&self, page: &str) -> Result<Vec<u8>, Failure> {
        self.answer(self.client.get(self.at(page))).await
    }

    /// What it answers to JSON that is posted there.
    pub(super) async fn post(&self, page: &str, body: &serde_json::Value) -> Result<Vec<u8>, Failure> {
        let request = self.client.post(self.at(page)).json(body);
        self.answer(request.header("accept", "application/json, text/event-stream")).await
    }

    fn at(&self, page: &str) -> String {
        format!("{}/headroom/{page}", self.base)
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Vec<u8>, Failure> {
        let request = match &self.key {
            Some((header, value)) => request.header(*header, value),
            // Read each time: another start of the proxy has another key.
            None => match reader(&self.base) {
                Some(reader) => request.header("x-headroom-reader", reader),
                None => request,
            },
        };
        answer(request, &self.base).await
    }
}

/// The operator's key to the records of a proxy on this machine, where this user runs it.
fn reader(base: &str) -> Option<String> {
    let url = reqwest::Url::parse(base).ok()?;
    let host = url.host_str()?;
    let ip = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    if host != "localhost" && !ip.is_ok_and(|ip| ip.is_loopback()) {
        return None;
    }
    let state = state_directory(|name| std::env::var_os(name).map(PathBuf::from))?;
    ReaderKey::read(&state, url.port_or_known_default()?)
}

/// Whether a certificate was shown, and refused.
fn is_distrusted(error: &reqwest::Error) -> bool {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let refused = |cause: &(dyn std::error::Error + 'static)| {
        let inner = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let tls = inner.and_then(|inner| inner.downcast_ref()).or_else(|| cause.downcast_ref());
        matches!(tls, Some(rustls::Error::InvalidCertificate(_)))
    };
    causes.into_iter().any(refused)
}

async fn answer(request: reqwest::RequestBuilder, base: &str) -> Result<Vec<u8>, Failure> {
    let response = request.send().await.map_err(|error| {
        let (what, remedy) = match is_distrusted(&error) {
            true => (
                "this machine does not trust the certificate of what answers at",
                "name the proxy's configuration by --config FILE, or the certificate of who issued its own by \
                 SSL_CERT_FILE; in the URL stands a name that the certificate is for",
            ),
            false => (
                "no proxy answers at",
                "start the proxy by `headroom`, or say where it runs by --url http://ADDRESS:PORT",
            ),
        };
        anyhow!(error.without_url()).context(format!("{what} {base}\n  remedy: {remedy}"))
    })?;
    let ours = response.headers().contains_key("x-headroom-request-id");
    let status = response.status();
    let body = response.bytes().await.map_err(|error| anyhow!(error.without_url())).context("the answer broke off")?;
    if status.is_success() && ours {
        return Ok(body.to_vec());
    }
    match serde_json::from_slice::<Envelope>(&body) {
        Ok(envelope) if ours => Err(anyhow!("{}", told(&envelope.error)).into()),
        _ => {
            let remedy = "name the proxy's own address by --url http://ADDRESS:PORT";
            Err(anyhow!("{base} answers {status}, not as a headroom proxy does\n  remedy: {remedy}").into())
        }
    }
}

/// The error as the proxy tells it, with what this command can do about it.
fn told(error: &Told) -> String {
    let message = error.message.strip_prefix("headroom: ").unwrap_or(&error.message);
    let remedy = match error.code.as_str() {
        "explain_off" => "start the proxy with `HEADROOM_EXPLAIN__MODE=on`, and send the request again",
        "explain_unknown" => {
            "`headroom explain` without an id lists what there is; --key-env NAME sends the request's key"
        }
        "explain_credential" => {
            "run it as the user who runs the proxy, or name the variable that holds the key of your requests by --key-env NAME"
        }
        "page_credential" => "run it as the user who runs the proxy, on its machine",
        "explain_gone" => "send the request again",
        "originals_credential" => {
            "run it as the user who runs the proxy, or name the variable that holds the agent's key by --key-env NAME"
        }
        _ => return message.to_owned(),
    };
    format!("{message}\n  remedy: {remedy}")
}

/// OpenAI's error envelope.
#[derive(Deserialize)]
struct Envelope {
    error: Told,
}

#[derive(Deserialize)]
struct Told {
    message: String,
    code: String,
}

/// A client that trusts what this machine trusts.
pub(super) fn tls() -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().context("TLS cannot be used")?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// A request's id, as it stands in `x-headroom-request-id`.
pub(super) fn request_id(word: &str) -> Result<String, String> {
    let known = (1..=64).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    known
        .then(|| word.to_owned())
        .ok_or_else(|| "an id is what `x-headroom-request-id` holds: 32 letters and digits".into())
}

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
