//! `headroom wrap`: one program whose requests go through a proxy. Its environment and arguments are its own; no file, no
//! other program and nothing that outlives it is changed.

mod agents;
mod child;
mod gateways;
mod started;

use std::{
    ffi::OsString,
    io::{self, Write as _},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::anyhow;
use clap::Args;
use headroom::{
    config::{Flag, Loaded},
    redact,
};

use super::{
    Failure,
    endpoint::{Endpoint, Found},
    exchange,
    figures::Figures,
    settings::Settings,
};
use agents::Given;
pub(super) use started::{Started, free};

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Arguments {
    /// Port of the proxy: the one that runs there is used, or one is started there [default: the configured one if a
    /// proxy runs there, otherwise a free one]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Where a proxy that is started forwards to [default: as for `headroom serve`, or where the program's own
    /// OPENAI_BASE_URL and ANTHROPIC_BASE_URL point]
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
    /// Says nothing of its own unless something is wrong
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    settings: Settings,
    /// The program, and what it is given
    #[arg(required = true, trailing_var_arg = true, value_name = "PROGRAM")]
    command: Vec<OsString>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut loaded = arguments.load()?;
    let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let mut proxy = Endpoint::of(&loaded.config.server);
    let gateways = gateways::of(environment, &proxy)?;
    let elsewhere = arguments.upstream.is_none() && gateways.adopt(&mut loaded)?;
    // A file that says where a proxy listens leads to the one that runs there; another says how one of its own condenses.
    let settings = &arguments.settings;
    let describes = settings.say_how() || settings.name_a_file() && !loaded.is_of_file("server.listen");
    let own = elsewhere || arguments.upstream.is_some() || describes;
    let led_to = gateways.running.is_some();
    if let Some(running) = gateways.running {
        if own && arguments.upstream.is_none() {
            return Err(led(&running));
        }
        proxy = running;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(async {
        let proxy = match arguments.running(&proxy, own, led_to)? {
            Some(running) => Through::running(running).await?,
            None => {
                // With a port of its own none answers there.
                let at = if arguments.port.is_some() { *proxy.address() } else { free() };
                Through::Own(Started::new(&loaded, at).await?)
            }
        };
        let given = agents::given(&arguments.name(), &proxy.endpoint(), environment);
        let ended = arguments.wrapped(&proxy, &given, &loaded).await;
        if let Through::Own(started) = proxy {
            started.stop().await?;
        }
        ended
    });
    // A call into a hanging model must not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    match ended? {
        0 => Ok(()),
        status => Err(Failure::Status(status)),
    }
}

impl Arguments {
    fn load(&self) -> Result<Loaded, Failure> {
        let mut flags = Vec::new();
        if let Some(upstream) = &self.upstream {
            flags.push(Flag { name: "--upstream", key: "upstream.url", value: upstream.as_str().into() });
        }
        let mut loaded = self.settings.load_named(flags)?;
        if let Some(port) = self.port {
            loaded.config.server.listen.set_port(port);
        }
        Ok(loaded)
    }

    /// The program's name, without folder and ending.
    fn name(&self) -> String {
        let program = self.command.first().map(Path::new).and_then(Path::file_stem);
        program.unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Runs the program to its end; its exit status.
    async fn wrapped(&self, proxy: &Through, given: &Given, loaded: &Loaded) -> Result<u8, Failure> {
        let (name, endpoint) = (self.name(), proxy.endpoint());
        let before = proxy.figures();
        if !self.quiet {
            let how = match proxy {
                Through::Running(_) => "which runs already".to_owned(),
                Through::Own(started) => format!("{}, for as long as it runs", started.told(loaded)),
            };
            say(&format!("{name} goes through {endpoint}, {how}"));
        }
        if let Some(note) = given.note {
            say(note);
        }
        let status = child::run(self.command(given)).await.map_err(|error| self.not_run(error))?;
        if !self.quiet {
            say(&saved(&name, proxy, before));
        }
        Ok(status)
    }

    /// The proxy that runs already and is gone through; `None` where one is started. `led_to`: a base URL names it.
    fn running(&self, configured: &Endpoint, own: bool, led_to: bool) -> Result<Option<Endpoint>, Failure> {
        let named = self.port.is_some();
        match configured.look() {
            Found::Ours if own && named => Err(occupied(configured)),
            Found::Ours if own => Ok(None),
            Found::Ours => match configured.trusted() {
                // Of one that a base URL names it is not known where it forwards to.
                None if named || led_to => Err(distrusted(configured)),
                None => {
                    say(&format!("{} does not trust the certificate of the proxy at {configured}", self.name()));
                    Ok(None)
                }
                trusted => Ok(trusted),
            },
            Found::Secure if named => Err(secure(configured)),
            Found::Other(_) if named => Err(foreign(configured)),
            Found::Secure | Found::Other(_) | Found::Nobody => Ok(None),
        }
    }

    fn command(&self, given: &Given) -> Command {
        let mut words = self.command.iter();
        let mut command = Command::new(words.next().map(OsString::as_os_str).unwrap_or_default());
        let mut words = words.peekable();
        // `headroom wrap codex -- --help`: the dashes are for us.
        words.next_if(|word| *word == "--");
        command.args(&given.arguments).args(words);
        command.envs(given.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    fn not_run(&self, error: io::Error) -> Failure {
        let remedy = match error.kind() {
            io::ErrorKind::NotFound => "install it, put its folder on PATH, or name its whole path",
            io::ErrorKind::PermissionDenied => "name a program that this user may run",
            _ => "run it without `headroom wrap` to see whether it works there",
        };
        Failure::Setup(anyhow!(error).context(format!("`{}` cannot be run\n  remedy: {remedy}", self.name())))
    }
}

/// The proxy that is gone through.
enum Through {
    Running(Endpoint),
    Own(Started),
}

impl Through {
    /// A running proxy, once it is ready.
    async fn running(proxy: Endpoint) -> Result<Self, Failure> {
        let until = Instant::now() + LOADING;
        loop {
            let answer = exchange::page(&proxy, "ready")?;
            if answer.status == 200 {
                return Ok(Self::Running(proxy));
            }
            let loads = answer.body.contains("being loaded");
            if !loads || Instant::now() > until {
                let remedy = "`headroom doctor` says more; --port 0 starts another one on a free port";
                let reason = answer.body.trim();
                return Err(anyhow!("the proxy at {proxy} is not ready: {reason}\n  remedy: {remedy}").into());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn endpoint(&self) -> Endpoint {
        match self {
            Self::Running(proxy) => proxy.clone(),
            Self::Own(started) => Endpoint::plain(started.address()),
        }
    }

    /// What it has counted so far; nothing where it does not say.
    fn figures(&self) -> Option<Figures> {
        match self {
            Self::Running(proxy) => {
                let page = exchange::page(proxy, "metrics").ok().filter(|page| page.status == 200)?;
                Some(Figures::of(&page.body))
            }
            Self::Own(started) => Some(started.figures()),
        }
    }
}

fn foreign(at: &Endpoint) -> Failure {
    let (at, remedy) = (at.address(), "choose another port by --port, or leave --port out for a free one");
    Failure::Setup(anyhow!("another program listens on {at}, and it is no headroom proxy\n  remedy: {remedy}"))
}

/// Programs check the name in the certificate, and who vouches for it.
fn distrusted(at: &Endpoint) -> Failure {
    let remedy = "name the certificate of who issued it by SSL_CERT_FILE (and NODE_EXTRA_CA_CERTS), and the proxy by a name \
                  that it is for in OPENAI_BASE_URL; without --port and base URLs one is started";
    Failure::Setup(anyhow!("this machine does not trust the certificate of the proxy at {at}\n  remedy: {remedy}"))
}

fn secure(at: &Endpoint) -> Failure {
    let (at, remedy) = (at.address(), "name its configuration by --config, or leave --port out for a proxy of its own");
    let problem = "and the configuration here names no certificate for it";
    Failure::Setup(anyhow!("the proxy on {at} speaks TLS, {problem}\n  remedy: {remedy}"))
}

fn occupied(at: &Endpoint) -> Failure {
    let remedy = "leave those flags out to go through it as it is, or leave --port out for one of its own";
    let problem = "and has been started already, so flags that say how to condense cannot hold for it";
    Failure::Setup(anyhow!("a proxy runs at {at}, {problem}\n  remedy: {remedy}"))
}

/// A proxy of its own would not know where that one forwards to, and a key must not go anywhere else.
fn led(at: &Endpoint) -> Failure {
    let remedy = "leave the flags that say how to condense out to go through it, or name the server by --upstream";
    let problem = "so where another one is to forward to is not known";
    Failure::Setup(anyhow!("a base URL of this shell leads to the proxy at {at}, {problem}\n  remedy: {remedy}"))
}

/// What came through, and what that saved.
fn saved(name: &str, proxy: &Through, before: Option<Figures>) -> String {
    let (Some(before), Some(now)) = (before, proxy.figures()) else {
        return format!("the proxy at {} does not say what {name} saved", proxy.endpoint());
    };
    let new = now.since(&before);
    let whose = match proxy {
        // It may have other clients.
        Through::Running(_) => "came through the proxy meanwhile",
        Through::Own(_) => "came through",
    };
    let requests = match new.count() {
        0 => return format!("no request of {name} {whose}; `headroom doctor` says what to look at"),
        1 => "1 request".to_owned(),
        count => format!("{count} requests"),
    };
    match new.saving() {
        None => format!("{requests} {whose}, without a text to condense"),
        Some(saving) => format!("{requests} {whose}; {saving}"),
    }
}

/// A line beside what the program prints. Nobody is left to tell when standard error is closed.
fn say(what: &str) {
    let _ = writeln!(io::stderr(), "headroom: {}", redact::text(what));
}

/// How long a running proxy may take to load its model.
const LOADING: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);

pub(super) const AFTER: &str = "\
A proxy that runs at the configured address is used. Otherwise one is started for as long as the program runs, on a free \
port of this machine; flags that say how to condense start one in any case, and so does a --config that names no \
`server.listen`. What was chosen is remembered in the state \
folder, as by `headroom serve`, so that a resumed conversation keeps its prompt cache. A config.toml in the working folder \
is not read: name it by --config.

What the program is given: OPENAI_BASE_URL, OPENAI_API_BASE and ANTHROPIC_BASE_URL; codex its provider by `-c`, opencode its \
base URLs by OPENCODE_CONFIG_CONTENT, aider AIDER_OPENAI_API_BASE and ANTHROPIC_API_BASE, goose OPENAI_HOST and \
ANTHROPIC_HOST, claude ENABLE_TOOL_SEARCH; behind a corporate proxy NO_PROXY. Its exit status is passed on, and signals to it.

Examples:
  headroom wrap claude
  headroom wrap codex exec 'Why does the build fail?'
  headroom wrap --ratio 4 -- aider --model gpt-4o
  headroom wrap --upstream http://127.0.0.1:11434 python3 agent.py";
