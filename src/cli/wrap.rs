//! `headroom wrap`: one program whose requests go through a proxy. Its environment and arguments are its own; no file, no
//! other program and nothing that outlives it is changed.

mod agents;
mod child;
mod gateways;
mod started;

use std::{
    ffi::OsString,
    io::{self, Write as _},
    net::SocketAddr,
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

use super::{Failure, exchange, figures::Figures, serve::reachable, settings::Settings};
use agents::Given;
pub(super) use gateways::points_at;
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
    let mut address = reachable(&loaded.config.server.listen);
    let gateways = gateways::of(environment, &address)?;
    let elsewhere = arguments.upstream.is_none() && gateways.adopt(&mut loaded)?;
    let own = elsewhere || arguments.upstream.is_some() || arguments.settings.say_something();
    if let Some(running) = gateways.running {
        if own && arguments.upstream.is_none() {
            return Err(led(&running));
        }
        address = running;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(async {
        let proxy = match look(&address) {
            Found::Ours if own && arguments.port.is_some() => return Err(occupied(&address)),
            Found::Ours if !own => Through::running(address).await?,
            Found::Other if arguments.port.is_some() => return Err(foreign(&address)),
            Found::Nobody if arguments.port.is_some() => Through::Own(Started::new(&loaded, address).await?),
            _ => Through::Own(Started::new(&loaded, free()).await?),
        };
        let given = agents::given(&arguments.name(), &proxy.address(), environment);
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
        let (name, address) = (self.name(), proxy.address());
        let before = proxy.figures();
        if !self.quiet {
            let how = match proxy {
                Through::Running(_) => "which runs already".to_owned(),
                Through::Own(started) => format!("{}, for as long as it runs", started.told(loaded)),
            };
            say(&format!("{name} goes through http://{address}, {how}"));
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
    Running(SocketAddr),
    Own(Started),
}

impl Through {
    /// A running proxy, once it is ready.
    async fn running(address: SocketAddr) -> Result<Self, Failure> {
        let until = Instant::now() + LOADING;
        loop {
            let answer = exchange::page(&address, "ready")?;
            if answer.status == 200 {
                return Ok(Self::Running(address));
            }
            let loads = answer.body.contains("being loaded");
            if !loads || Instant::now() > until {
                let remedy = "`headroom doctor` says more; --port 0 starts another one on a free port";
                let reason = answer.body.trim();
                return Err(anyhow!("the proxy at http://{address} is not ready: {reason}\n  remedy: {remedy}").into());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn address(&self) -> SocketAddr {
        match self {
            Self::Running(address) => *address,
            Self::Own(started) => started.address(),
        }
    }

    /// What it has counted so far; nothing where it does not say.
    fn figures(&self) -> Option<Figures> {
        match self {
            Self::Running(address) => {
                let page = exchange::page(address, "metrics").ok().filter(|page| page.status == 200)?;
                Some(Figures::of(&page.body))
            }
            Self::Own(started) => Some(started.figures()),
        }
    }
}

/// Who answers at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Ours,
    Other,
    Nobody,
}

pub(super) fn look(address: &SocketAddr) -> Found {
    if address.port() == 0 {
        return Found::Nobody;
    }
    match exchange::page(address, "health") {
        Ok(answer) if answer.is_ours() => Found::Ours,
        Ok(_) => Found::Other,
        Err(error) => match error.downcast_ref::<io::Error>() {
            Some(error) if error.kind() == io::ErrorKind::ConnectionRefused => Found::Nobody,
            _ => Found::Other,
        },
    }
}

fn foreign(address: &SocketAddr) -> Failure {
    let remedy = "choose another port by --port, or leave --port out for a free one";
    Failure::Setup(anyhow!("another program listens on {address}, and it is no headroom proxy\n  remedy: {remedy}"))
}

fn occupied(address: &SocketAddr) -> Failure {
    let remedy = "leave those flags out to go through it as it is, or leave --port out for one of its own";
    let problem = "and has been started already, so flags that say how to condense cannot hold for it";
    Failure::Setup(anyhow!("a proxy runs on {address}, {problem}\n  remedy: {remedy}"))
}

/// A proxy of its own would not know where that one forwards to, and a key must not go anywhere else.
fn led(address: &SocketAddr) -> Failure {
    let remedy = "leave the flags that say how to condense out to go through it, or name the server by --upstream";
    let problem = "so where another one is to forward to is not known";
    Failure::Setup(anyhow!("a base URL of this shell leads to the proxy on {address}, {problem}\n  remedy: {remedy}"))
}

/// What came through, and what that saved.
fn saved(name: &str, proxy: &Through, before: Option<Figures>) -> String {
    let (Some(before), Some(now)) = (before, proxy.figures()) else {
        return format!("the proxy at http://{} does not say what {name} saved", proxy.address());
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
port of this machine; flags that say how to condense start one in any case. What was chosen is remembered in the state \
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
