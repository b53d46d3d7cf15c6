//! `headroom health`: what a container's health check runs, so that the image needs no other program.

use std::io::Write as _;

use clap::Args;

use super::{
    Failure,
    endpoint::Endpoint,
    exchange::{self, Answer},
    settings::Settings,
};

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Arguments {
    /// Address and port of the proxy [default: what the configuration listens on]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Asks only whether the process is alive, not whether it is ready
    #[arg(long)]
    alive: bool,
    #[command(flatten)]
    settings: Settings,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let config = arguments.settings.load_at(arguments.listen.as_deref())?.config;
    let page = if arguments.alive { "health" } else { "ready" };
    let proxy = Endpoint::of(&config.server);
    let Answer { status, body, .. } = exchange::page(&proxy, page).map_err(|error| {
        let remedy = "start the proxy by `headroom`, or say where it runs by --listen ADDRESS:PORT";
        error.context(format!("no proxy answers at {proxy}\n  remedy: {remedy}"))
    })?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", body.trim())?;
    if status == 200 { Ok(()) } else { Err(anyhow::anyhow!("the proxy answered {status}").into()) }
}
