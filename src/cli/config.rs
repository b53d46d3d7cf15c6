//! `headroom config`: what is in effect, whether it can be used, and a file to begin with.

use std::{
    fs::File,
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand};
use headroom::{config::Loaded, ledger::Ledger, telemetry::AccessLog};

use super::{
    Failure,
    serve::{unusable, unusable_log},
    settings::Settings,
};

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
    /// Writes a configuration file with every setting, its default and what it does, all commented out
    Init {
        /// The file; one that is there already is left as it is
        #[arg(value_name = "FILE", default_value = "config.toml")]
        file: PathBuf,
    },
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match &arguments.action {
        Action::Check(settings) => {
            let loaded = settings.load(Vec::new())?;
            check(&loaded)?;
            match loaded.file() {
                Some(file) => writeln!(out, "ok: {}", file.display())?,
                None => writeln!(out, "ok: defaults, the environment and flags; there is no configuration file")?,
            }
        }
        Action::Show(settings) => out.write_all(settings.load(Vec::new())?.to_toml().as_bytes())?,
        Action::Init { file } => {
            write_new(file)?;
            let shown = file.display();
            writeln!(out, "wrote {shown}: take out the `#` before what you change, then\n")?;
            writeln!(out, "  headroom config check --config {shown}")?;
        }
    }
    Ok(())
}

/// What `headroom serve` would refuse, in its order: files and variables that cannot be used. Makes nothing, listens
/// nowhere and connects to nothing.
fn check(loaded: &Loaded) -> Result<(), Failure> {
    let config = &loaded.config;
    config.server.tls.check_files().map_err(|invalid| unusable(loaded, "server", invalid))?;
    if let Some(to) = &config.telemetry.access_log {
        AccessLog::check(to).map_err(|_| unusable_log(loaded, to))?;
    }
    loaded.upstreams().map_err(Failure::setup)?;
    loaded.access().map_err(Failure::setup)?;
    loaded.rules().map_err(Failure::setup)?;
    loaded.clients().map_err(Failure::setup)?;
    Ledger::check(&config.ledger).map_err(Failure::setup)?;
    loaded.checker_key().map_err(Failure::setup)?;
    Ok(())
}

fn write_new(path: &Path) -> Result<(), Failure> {
    let created = File::options().write(true).create_new(true).open(path);
    if created.as_ref().is_err_and(|error| error.kind() == ErrorKind::AlreadyExists) {
        let shown = path.display();
        let remedy = "name another file, or move that one away";
        return Err(Failure::setup(anyhow!("{shown} is there already and was left as it is\n  remedy: {remedy}")));
    }
    let write = |mut file: File| file.write_all(commented(EXAMPLE).as_bytes());
    created.and_then(write).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}

/// The example without effect: a value that is written down would stay when a later release has a better default.
fn commented(example: &str) -> String {
    let line = |line: &str| {
        let is_setting = line.starts_with(|char: char| char.is_ascii_lowercase());
        if is_setting { format!("# {line}\n") } else { format!("{line}\n") }
    };
    example.lines().map(line).collect()
}

const EXAMPLE: &str = include_str!("../../config.example.toml");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_file_sets_nothing_and_names_every_setting() {
        let written = commented(EXAMPLE);
        let table: toml::Table = written.parse().unwrap();
        fn sets_nothing(section: &toml::Value) -> bool {
            section.as_table().is_some_and(|section| section.values().all(sets_nothing))
        }
        assert!(table.values().all(sets_nothing), "{table:?}");
        let uncommented = written.replace("\n# listen = ", "\nlisten = ");
        let table: toml::Table = uncommented.parse().unwrap();
        assert_eq!(table["server"]["listen"].as_str(), Some("127.0.0.1:8787"));
        assert_eq!(written.lines().count(), EXAMPLE.lines().count());
    }
}
