//! `headroom man`: the manual pages, made from the command line itself.

use std::{
    fs,
    io::{self, Write as _},
    path::PathBuf,
};

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_mangen::Man;

use super::Failure;

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Arguments {
    /// Writes a page for each command into this folder instead of the first one to standard output
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let program = super::Arguments::command();
    match &arguments.dir {
        Some(folder) => {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
            clap_mangen::generate_to(program, folder)
                .with_context(|| format!("cannot write manual pages into {}", folder.display()))?;
        }
        None => {
            let mut page = Vec::new();
            Man::new(program).render(&mut page)?;
            io::stdout().lock().write_all(&page)?;
        }
    }
    Ok(())
}

pub(super) const AFTER: &str = "\
Examples:
  headroom man | man -l -
  headroom man --dir ~/.local/share/man/man1";
