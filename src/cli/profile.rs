//! `headroom profile`: the rules of a profile, as they may stand in a configuration file.

use std::io::{self, Write as _};

use clap::Args;
use headroom::proxy::rules::Profile;

use super::Failure;

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Arguments {
    /// Which one
    #[arg(value_name = "agent|rag|support|archive")]
    name: Profile,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    io::stdout().lock().write_all(arguments.name.to_toml().as_bytes())?;
    Ok(())
}
