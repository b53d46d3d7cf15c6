//! `headroom restore`: the original text of a request, bit for bit, from the account of it.

use std::{
    fs,
    io::{self, Write as _},
    path::PathBuf,
};

use anyhow::{Context as _, anyhow};
use clap::Args;
use serde::Deserialize;

use super::{
    Failure,
    explain::save,
    running::{Running, request_id},
};

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Arguments {
    /// The request's id, from `x-headroom-request-id`
    #[arg(value_parser = request_id, required_unless_present = "record", conflicts_with = "record")]
    id: Option<String>,
    /// A record saved by `headroom explain ID --json`; no proxy is asked
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Which of the request's texts, as `headroom explain` counts them; may be left out where there is only one
    #[arg(long, value_name = "N")]
    slot: Option<usize>,
    /// Writes to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    running: Running,
}

/// A record, as far as it matters here.
#[derive(Deserialize)]
struct Record {
    slots: Vec<Slot>,
}

#[derive(Deserialize)]
struct Slot {
    message: usize,
    part: Option<usize>,
    role: String,
    tokens_before: u64,
    original: String,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let json = match (&arguments.record, &arguments.id) {
        (Some(file), _) => fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?,
        (None, Some(id)) => arguments.running.ask(&format!("explain/{id}"))?,
        (None, None) => return Err(Failure::setup(anyhow!("give a request's id, or a record by --record"))),
    };
    let record: Record = serde_json::from_slice(&json)
        .context("this is no record\n  remedy: save one by `headroom explain ID --json >record.json`")?;
    let slot = chosen(&record, arguments.slot)?;
    match &arguments.output {
        Some(file) => save(file, slot.original.as_bytes()),
        None => {
            let mut out = io::stdout().lock();
            out.write_all(slot.original.as_bytes())?;
            out.flush()?;
            Ok(())
        }
    }
}

fn chosen(record: &Record, wanted: Option<usize>) -> Result<&Slot, Failure> {
    match (record.slots.as_slice(), wanted) {
        ([], _) => Err(anyhow!("no text of this request was considered: all of it went on as it came").into()),
        ([only], None) => Ok(only),
        (slots, wanted) => wanted.and_then(|at| slots.get(at)).ok_or_else(|| {
            let name = |(at, slot): (usize, &Slot)| {
                let Slot { message, part, role, tokens_before, .. } = slot;
                let part = part.map_or(String::new(), |part| format!(", part {part}"));
                format!("\n  --slot {at}: message {message}{part} ({role}), {tokens_before} tokens")
            };
            let names: String = slots.iter().enumerate().map(name).collect();
            Failure::setup(anyhow!("say which of the request's texts:{names}"))
        }),
    }
}

pub(super) const AFTER: &str = "\
Examples:
  headroom restore 8f1c… >original.txt
  headroom restore 8f1c… --slot 2 -o original.txt
  headroom explain 8f1c… --json >record.json; headroom restore --record record.json";
