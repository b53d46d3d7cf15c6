//! `headroom serve`: the proxy, until it is told to stop.

use std::{
    io::{self, Write as _},
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow};
use clap::{Args, ValueEnum};
use headroom::{
    config::{Config, Flag, Loaded, ModelConfig},
    engine::{Backend, Engine, Peers, Readiness, state_directory},
    explain,
    fidelity::Reviewer,
    ledger::{Holdout, Ledger},
    model::Info,
    originals::{OpenError, Originals},
    proxy::{Current, Proxy, page::About},
    server,
    setting::Invalid,
    telemetry::{self, AccessLog, Metrics, Otlp},
};
use tokio::net::TcpListener;

use super::{
    Failure,
    reload::HangUps,
    settings::{Settings, in_words, load_model},
};

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Arguments {
    /// Address and port to listen on [default: 127.0.0.1:8787]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Address to listen on, the port left as it is
    #[arg(long, value_name = "ADDRESS", conflicts_with = "listen")]
    host: Option<String>,
    /// Port to listen on, the address left as it is
    #[arg(long, value_name = "PORT", conflicts_with = "listen")]
    port: Option<u16>,
    /// Where requests go; a base path is kept, a trailing /v1 is not doubled [default: https://api.openai.com]
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
    /// What happens to requests that say nothing else [default: compress]
    #[arg(long)]
    mode: Option<ModeWord>,
    /// Least important kind of log line that is written [default: info]
    #[arg(long, value_name = "LEVEL")]
    log: Option<LevelWord>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ModeWord {
    /// Condense long messages
    Compress,
    /// Measure what condensing would save, forward the original
    Audit,
    /// Relay everything without a look
    Off,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LevelWord {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl Arguments {
    /// The configuration, in which `--host` and `--port` each stand for a part of one setting.
    fn load(&self) -> Result<Loaded, Failure> {
        let loaded = self.settings.load(self.flags())?;
        let (name, host, port) = match (&self.host, self.port) {
            (None, None) => return Ok(loaded),
            (host, port) => (if host.is_some() { "--host" } else { "--port" }, host, port),
        };
        let listen = loaded.config.server.listen;
        let host = match host {
            Some(host) if host.contains(':') && !host.starts_with('[') => format!("[{host}]"),
            Some(host) => host.clone(),
            None if listen.is_ipv6() => format!("[{}]", listen.ip()),
            None => listen.ip().to_string(),
        };
        let value = format!("{host}:{}", port.unwrap_or(listen.port())).into();
        self.settings.load([self.flags(), vec![Flag { name, key: "server.listen", value }]].concat())
    }

    fn flags(&self) -> Vec<Flag> {
        let word = |value: &str| value.to_ascii_lowercase();
        let given = [
            ("--listen", "server.listen", self.listen.clone()),
            ("--upstream", "upstream.url", self.upstream.clone()),
            ("--mode", "proxy.mode", self.mode.map(|mode| word(&format!("{mode:?}")))),
            ("--log", "telemetry.level", self.log.map(|level| word(&format!("{level:?}")))),
        ];
        let flag = |(name, key, value): (_, _, Option<String>)| Some(Flag { name, key, value: value?.into() });
        given.into_iter().filter_map(flag).collect()
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let loaded = arguments.load()?;
    let _log = telemetry::start(&loaded.config.telemetry).map_err(Failure::setup)?;
    for name in loaded.ignored() {
        tracing::warn!(
            name,
            "an environment variable is none of our settings, or holds none of their values, and is ignored; `headroom config show` lists them"
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(serve(arguments, loaded));
    // A call into a hanging model must not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

async fn serve(arguments: &Arguments, loaded: Loaded) -> Result<(), Failure> {
    // From here on one ends nothing, also while the model is loaded.
    let hang_ups = HangUps::new();
    let config = &loaded.config;
    config.server.tls.check_files().map_err(|invalid| unusable(&loaded, "server", invalid))?;
    let listener = bind(&loaded).await?;
    let address = listener.local_addr()?;
    let start = Instant::now();
    let metrics: Arc<Metrics> = Arc::default();
    let variable = |name: &str| std::env::var(name).ok();
    let otlp = Otlp::start(&config.telemetry.otlp, variable, metrics.otlp_lost.clone());
    let otlp = otlp.map_err(|invalid| unusable(&loaded, "telemetry", invalid))?;
    let access_log = match &config.telemetry.access_log {
        None => None,
        Some(to) => {
            let started = AccessLog::start(to, metrics.access_log_lost.clone());
            Some(started.map_err(|_| unusable_log(&loaded, to))?)
        }
    };
    let (proxy, model) = assemble(&loaded, &address, metrics).await?;
    // Nobody may be reading any more (`headroom | head -1`); that is no reason not to serve.
    let _ = announce(&address, config, (&model, start.elapsed()), &proxy.forwards_to());
    let keyed = config.explain.keeps(address.ip()) || config.originals.enabled;
    let reader = if keyed { state().and_then(|state| reader(&state, &address)) } else { None };
    let current = Arc::new(Current::new(proxy.read_with(reader).traced(otlp.clone()).logged(access_log)));
    let server = config.server.clone();
    tokio::select! {
        served = server::run(listener, &server, Arc::clone(&current), told_to_stop()) => served.context("cannot serve")?,
        never = hang_ups.heed(|| arguments.load(), loaded.config, &current) => match never {},
    }
    current.proxy().settle().await;
    if let Some(otlp) = otlp {
        // The requests of the drain are to be seen too; a panic in there loses them, and nothing else.
        let _ = tokio::task::spawn_blocking(move || otlp.finish()).await;
    }
    Ok(())
}

/// The proxy of a configuration for this address, and which model it has or why none.
pub(super) async fn assemble(
    loaded: &Loaded,
    address: &SocketAddr,
    metrics: Arc<Metrics>,
) -> Result<(Proxy, Result<Info, String>), Failure> {
    let config = &loaded.config;
    not_itself(loaded, address)?;
    let upstreams = loaded.upstreams().map_err(Failure::setup)?;
    let access = loaded.access().map_err(Failure::setup)?;
    let rules = loaded.rules().map_err(Failure::setup)?;
    let clients = loaded.clients().map_err(Failure::setup)?;
    let ledger = Ledger::open(&config.ledger, state().as_deref()).map_err(Failure::setup)?;
    let originals = originals(loaded)?;
    let (backend, told) = backend(config.model.clone());
    let peers = Peers::start(&config.decisions, |name| std::env::var(name).ok());
    let peers = peers.map_err(|invalid| unusable(loaded, "decisions", invalid))?;
    let engine = Engine::start_beside(peers, &config.engine, state().as_deref(), backend).map_err(Failure::setup)?;
    let key = loaded.checker_key().map_err(Failure::setup)?;
    let reviewer = Reviewer::new(&config.fidelity, engine.clone(), key);
    let reviewer = reviewer.map_err(|invalid| unusable(loaded, "fidelity", invalid))?;
    let model = match engine.loaded().await {
        Readiness::Failed(reason) if config.model.required => return Err(Failure::setup(anyhow!("{reason}"))),
        Readiness::Failed(reason) => {
            tracing::warn!(%reason, "running without the model; long texts go on as they are");
            Err("not loaded; long texts go on as they are".to_owned())
        }
        _ => told.try_recv().map_err(|_| "none; selection alone condenses".to_owned()),
    };
    let proxy = Proxy::new(config.proxy.clone(), config.compress.policy(), upstreams, engine, metrics)
        .guarded(access)
        .ruled(rules)
        .entered(Some(Arc::new(ledger)), Holdout::new(config.ledger.holdout))
        .keeping(originals)
        .named(clients)
        .described(About {
            model: model.as_ref().map_or_else(Clone::clone, in_words),
            cache_bytes: config.engine.cache_mib << 20,
            queue: config.engine.queue,
            holdout: config.ledger.holdout,
        });
    Ok((proxy.explained(records(config, address)).reviewed(reviewer), model))
}

/// Refuses servers that are the proxy itself, which listens on `address`: a request would go round and round until no
/// connection is left.
pub(super) fn not_itself(loaded: &Loaded, address: &SocketAddr) -> Result<(), Failure> {
    let remedy = "this is the proxy's own address: name the server that answers the requests; where that is on this \
                  machine too, it has another port";
    let config = &loaded.config;
    let main = [("url", Some(&config.upstream.url)), ("anthropic_url", config.upstream.anthropic_url.as_ref())];
    let main = main.into_iter().filter_map(|(key, url)| Some(("upstream", key, url?)));
    let further = config.upstreams.iter().map(|named| ("upstreams", "url", &named.url));
    match main.chain(further).find(|(_, _, url)| leads_to(url, address)) {
        Some((section, key, url)) => Err(unusable(loaded, section, Invalid::url(key, url, remedy))),
        None => Ok(()),
    }
}

/// Whether a URL surely leads to an address of this machine. Names other than `localhost` are not looked up.
fn leads_to(url: &str, address: &SocketAddr) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else { return false };
    let (own, everywhere) = (address.ip().to_canonical(), address.ip().is_unspecified());
    let is_here = match host.trim_matches(['[', ']']).parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        Ok(ip) if ip.is_unspecified() => own.is_loopback() || everywhere,
        Ok(ip) => ip == own || (everywhere && ip.is_loopback()),
        Err(_) => host == "localhost" && (own.is_loopback() || everywhere),
    };
    is_here && port == address.port()
}

/// Where this user's programs keep state.
pub(super) fn state() -> Option<PathBuf> {
    state_directory(|name| std::env::var_os(name).map(PathBuf::from))
}

/// Where originals are kept for the model to read, if they are.
fn originals(loaded: &Loaded) -> Result<Option<Arc<Originals>>, Failure> {
    let opened = Originals::open(&loaded.config.originals, state().as_deref(), |name| std::env::var(name).ok());
    opened.map_err(|error| match error {
        OpenError::Invalid(invalid) => unusable(loaded, "originals", invalid),
        error => Failure::setup(error),
    })
}

/// Where requests are accounted for, if they are on this address.
fn records(config: &Config, address: &SocketAddr) -> Option<Arc<explain::Store>> {
    config.explain.keeps(address.ip()).then(|| Arc::new(explain::Store::new(&config.explain)))
}

/// The operator's key to the records, once it lies where `headroom explain` finds it.
fn reader(state: &Path, address: &SocketAddr) -> Option<explain::ReaderKey> {
    let key = explain::ReaderKey::fresh();
    let written = key.write(state, address.port());
    if let Err(error) = &written {
        tracing::warn!(%error, "the state folder cannot be written: `headroom explain` needs --key-env");
    }
    written.is_ok().then_some(key)
}

/// How the engine's thread gets its model, and where that is told of.
pub(super) fn backend(config: ModelConfig) -> (Backend, mpsc::Receiver<Info>) {
    let (tell, told) = mpsc::channel();
    if !config.enabled {
        return (Backend::None, told);
    }
    let load = move || {
        let model = load_model(&config).map_err(|error| {
            let causes = std::error::Error::source(&error).map(|cause| format!("\n  cause:  {cause}"));
            format!("{error}{}", causes.unwrap_or_default())
        })?;
        let model = model.ok_or("no model is wanted")?;
        // Nobody listens any more when the start was given up.
        let _ = tell.send(model.info().clone());
        Ok(Box::new(model) as Box<_>)
    };
    (Backend::model(load), told)
}

async fn bind(loaded: &Loaded) -> Result<TcpListener, Failure> {
    let listen = loaded.config.server.listen;
    TcpListener::bind(listen).await.map_err(|error| {
        let remedy = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "another program listens there, perhaps a proxy that runs already (`headroom health` asks it; the \
                 like-named Python project has the same port): stop it, or choose another port by --port and name it in \
                 the clients' base URL"
            }
            io::ErrorKind::PermissionDenied => "this user may not listen there: choose a port from 1024 on by --port",
            _ => "choose an address of this machine by --listen, such as 127.0.0.1:8787",
        };
        unusable(loaded, "server", Invalid::new("listen", listen, remedy))
    })
}

pub(super) fn unusable(loaded: &Loaded, section: &str, invalid: Invalid) -> Failure {
    Failure::setup(loaded.unusable(section, invalid))
}

/// That the access log cannot be written to.
pub(super) fn unusable_log(loaded: &Loaded, to: &str) -> Failure {
    let remedy = "name a file that the user who runs the proxy may write, or `-` for standard output";
    unusable(loaded, "telemetry", Invalid::path("access_log", to.as_ref(), remedy))
}

/// The start screen.
fn announce(
    address: &SocketAddr,
    config: &Config,
    (model, took): (&Result<Info, String>, Duration),
    forwards_to: &[String],
) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let mode = serde_json::to_value(config.proxy.mode)?;
    let mode = mode.as_str().unwrap_or_default();
    let model = match model {
        Ok(info) => format!("{}, loaded in {} ms", in_words(info), took.as_millis()),
        Err(why) => why.clone(),
    };
    writeln!(out, "headroom {}", env!("CARGO_PKG_VERSION"))?;
    let scheme = if config.server.tls.is_on() { "https" } else { "http" };
    writeln!(out, "  listens on   {scheme}://{address}")?;
    for (at, to) in forwards_to.iter().enumerate() {
        writeln!(out, "  {:<12} {to}", if at == 0 { "forwards to" } else { "" })?;
    }
    writeln!(
        out,
        "  condenses    mode {mode}, ratio {}, texts from {} tokens on",
        config.compress.ratio, config.compress.min_tokens
    )?;
    writeln!(out, "  model        {model}")?;
    let reachable = reachable(address);
    // `headroom explain` knows the default alone: a flag of this process is nobody else's.
    let usual = server::Config::default().listen == reachable;
    let place = if usual { String::new() } else { format!(" --url {scheme}://{reachable}") };
    let explains = match config.explain.keeps(address.ip()) {
        true => format!("requests of the last {} s: headroom explain{place}", config.explain.keep_s),
        false => "nothing: no message text is kept (explain.mode)".to_owned(),
    };
    writeln!(out, "  explains     {explains}")?;
    writeln!(out, "  page         {scheme}://{reachable}/headroom/ (with texts: headroom page{place})")?;
    writeln!(out, "\n  export ANTHROPIC_BASE_URL={scheme}://{reachable}")?;
    writeln!(out, "  export OPENAI_BASE_URL={scheme}://{reachable}/v1\n")?;
    out.flush()?;
    Ok(())
}

/// The address that a client on this machine uses.
pub(super) fn reachable(address: &SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(_) => IpAddr::from(std::net::Ipv6Addr::LOCALHOST),
    };
    SocketAddr::new(ip, address.port())
}

/// Ends with the first signal to stop; a second one ends the process at once.
async fn told_to_stop() {
    signal().await;
    tokio::spawn(async {
        signal().await;
        std::process::exit(1);
    });
}

#[cfg(unix)]
pub(super) async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(not(unix))]
pub(super) async fn signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

pub(super) const AFTER: &str = "\
Examples:
  headroom serve --listen 0.0.0.0:8787 --upstream https://api.openai.com
  headroom serve --upstream http://127.0.0.1:11434 --ratio 5 --mode audit
  headroom serve --config /etc/headroom.toml --log debug";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_knows_its_own_address() {
        let leads = |url, address: &str| leads_to(url, &address.parse().unwrap());
        for (url, address) in [
            ("http://localhost:8787", "127.0.0.1:8787"),
            ("http://127.0.0.1:8787/v1", "127.0.0.1:8787"),
            ("http://0.0.0.0:8787", "127.0.0.1:8787"),
            ("http://127.0.0.1:8787", "0.0.0.0:8787"),
            ("http://[::1]:8787", "[::]:8787"),
            ("http://10.0.0.5:80", "10.0.0.5:80"),
            ("http://10.0.0.5", "10.0.0.5:80"),
        ] {
            assert!(leads(url, address), "{url} {address}");
        }
        for (url, address) in [
            ("http://localhost:11434", "127.0.0.1:8787"),
            ("http://127.0.0.2:8787", "127.0.0.1:8787"),
            ("http://10.0.0.5:8787", "0.0.0.0:8787"),
            ("https://api.openai.com", "0.0.0.0:443"),
        ] {
            assert!(!leads(url, address), "{url} {address}");
        }
    }
}
