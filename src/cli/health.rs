//! `headroom health`: what a container's health check runs, so that the image needs no other program.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context as _, bail};
use clap::Args;
use headroom::config::Flag;

use super::{Failure, serve::reachable, settings::Settings};

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
    let listen = arguments.listen.clone();
    let flags = listen.map(|value| Flag { name: "--listen", key: "server.listen", value: value.into() });
    let config = arguments.settings.load(flags.into_iter().collect())?.config;
    let page = if arguments.alive { "health" } else { "ready" };
    let (status, body) = ask(&reachable(&config.server.listen), page)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{body}")?;
    if status == 200 { Ok(()) } else { Err(anyhow::anyhow!("the proxy answered {status}").into()) }
}

fn ask(address: &SocketAddr, page: &str) -> anyhow::Result<(u16, String)> {
    let mut stream =
        TcpStream::connect_timeout(address, PATIENCE).with_context(|| format!("nothing answers on {address}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET /headroom/{page} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(LONGEST).read_to_string(&mut answer).context("the proxy's answer broke off")?;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let (Some(status), Some((_, body))) = (status, answer.split_once("\r\n\r\n")) else {
        bail!("{address} does not answer as a proxy does");
    };
    Ok((status, body.trim().to_owned()))
}

const PATIENCE: Duration = Duration::from_secs(3);

/// Bytes of an answer at most.
const LONGEST: u64 = 64 * 1024;
