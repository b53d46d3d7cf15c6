//! `headroom health`: what a container's health check runs, so that the image needs no other program.

use std::io::Write as _;

use clap::Args;

use super::{
    Failure,
    exchange::{self, Answer},
    serve::reachable,
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
    let address = reachable(&config.server.listen);
    let tls = config.server.tls;
    let answer = match &tls.certificate_file {
        Some(certificate) => exchange::page_by_tls(&address, certificate, page),
        None => exchange::page(&address, page),
    };
    let Answer { status, body, .. } = answer.map_err(|error| {
        let scheme = if tls.is_on() { "https" } else { "http" };
        let remedy = "start the proxy by `headroom`, or say where it runs by --listen ADDRESS:PORT";
        error.context(format!("no proxy answers at {scheme}://{address}\n  remedy: {remedy}"))
    })?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", body.trim())?;
    if status == 200 { Ok(()) } else { Err(anyhow::anyhow!("the proxy answered {status}").into()) }
}
