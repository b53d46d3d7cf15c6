//! `headroom page`: the link to the page of a running proxy, with what opens it to the user who runs the proxy.

use std::io::{self, Write as _};

use anyhow::anyhow;
use clap::Args;

use super::{Failure, running::Running};

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Arguments {
    #[command(flatten)]
    running: Running,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    // Whoever gets a link is to find a page behind it.
    arguments.running.ask("state")?;
    let (base, key) = arguments.running.link()?;
    let Some(key) = key else {
        let remedy = "open it, and give the credential of the requests there";
        return Err(anyhow!("no key to the texts lies here: {base}/headroom/ asks for one\n  remedy: {remedy}").into());
    };
    // Behind the `#`: no browser sends that, and the page takes it out of the address bar.
    writeln!(io::stdout(), "{base}/headroom/#key={key}")?;
    Ok(())
}

pub(super) const AFTER: &str = "\
The link shows the texts of requests: it is for you alone, and ends with the proxy's process.

Examples:
  headroom page                                  the link; open it in a browser on this machine
  xdg-open \"$(headroom page)\"
  headroom page --url http://127.0.0.1:9000";
