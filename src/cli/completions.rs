//! `headroom completions`: what a shell needs to complete the command line, made from the command line itself.

use std::io::{self, Write as _};

use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};

use super::Failure;

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Arguments {
    /// Which one
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    // `generate` panics where it cannot write, as when a reader has seen enough; a buffer takes everything.
    let mut script = Vec::new();
    generate(arguments.shell, &mut super::Arguments::command(), "headroom", &mut script);
    io::stdout().lock().write_all(&script)?;
    Ok(())
}

pub(super) const AFTER: &str = "\
Examples:
  headroom completions bash > ~/.local/share/bash-completion/completions/headroom
  headroom completions zsh > \"${fpath[1]}/_headroom\"
  headroom completions fish > ~/.config/fish/completions/headroom.fish";
