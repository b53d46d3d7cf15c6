//! `headroom config`: what is in effect, and whether it can be used.

use std::io::{self, Write as _};

use clap::{Args, Subcommand};

use super::{Failure, settings::Settings};

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Reads and checks the configuration; exit status 2 names what has to be corrected
    Check(Settings),
    /// Prints the configuration in effect as TOML, with where each value came from; never a secret
    Show(Settings),
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match &arguments.action {
        Action::Check(settings) => {
            let loaded = settings.load(Vec::new())?;
            loaded.rules().map_err(Failure::setup)?;
            loaded.upstreams().map_err(Failure::setup)?;
            loaded.access().map_err(Failure::setup)?;
            loaded.checker_key().map_err(Failure::setup)?;
            match loaded.file() {
                Some(file) => writeln!(out, "ok: {}", file.display())?,
                None => writeln!(out, "ok: defaults, the environment and flags; there is no configuration file")?,
            }
        }
        Action::Show(settings) => out.write_all(settings.load(Vec::new())?.to_toml().as_bytes())?,
    }
    Ok(())
}
