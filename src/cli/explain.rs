//! `headroom explain`: what was done with a request that went through a running proxy.

use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;
use serde::Deserialize;

use super::{
    Failure,
    running::{Running, request_id},
};

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Arguments {
    /// The request's id, from `x-headroom-request-id`; without one, lists the latest requests
    #[arg(value_parser = request_id)]
    id: Option<String>,
    /// Writes the account as a page for the browser; `-` writes it to standard output
    #[arg(long, value_name = "FILE", conflicts_with = "json", requires = "id")]
    html: Option<PathBuf>,
    /// Prints the account as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    running: Running,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let Some(id) = &arguments.id else {
        let answer = arguments.running.ask("explain")?;
        return if arguments.json { written(&mut out, &answer) } else { list(&mut out, &answer) };
    };
    let coloured = out.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let format = match (arguments.json, &arguments.html) {
        (true, _) => "json",
        (false, Some(_)) => "html",
        (false, None) if coloured => "ansi",
        (false, None) => "text",
    };
    let answer = arguments.running.ask(&format!("explain/{id}?format={format}"))?;
    match &arguments.html {
        Some(file) if file.as_os_str() != "-" => save(file, &answer),
        _ => written(&mut out, &answer),
    }
}

fn written(out: &mut impl io::Write, answer: &[u8]) -> Result<(), Failure> {
    out.write_all(answer)?;
    if !answer.ends_with(b"\n") {
        writeln!(out)?;
    }
    Ok(())
}

/// Writes a file that holds message text, and says where it is.
pub(super) fn save(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(file, bytes).with_context(|| format!("cannot write `{}`", file.display()))?;
    writeln!(io::stderr(), "wrote {}", file.display())?;
    Ok(())
}

/// What the list says, as far as it is printed.
#[derive(Deserialize)]
struct List {
    keep_s: u64,
    records: Vec<Summary>,
}

#[derive(Deserialize)]
struct Summary {
    id: String,
    at: String,
    model: Option<String>,
    outcome: String,
    reason: Option<String>,
    tokens_before: u64,
    tokens_after: u64,
    took_ms: f64,
}

fn list(out: &mut impl io::Write, answer: &[u8]) -> Result<(), Failure> {
    let list: List = serde_json::from_slice(answer).context("the proxy is of another version")?;
    if list.records.is_empty() {
        writeln!(out, "no request of the last {} s is kept", list.keep_s)?;
        return Ok(());
    }
    writeln!(out, "{:<32}  {:<23}  {:>15}  {:>8}  {:<24}  model", "id", "came", "tokens", "ms", "outcome")?;
    for record in list.records {
        let tokens = match record.tokens_before {
            0 => String::new(),
            before => format!("{before} -> {}", record.tokens_after),
        };
        let outcome = match record.reason {
            Some(reason) => format!("{}: {reason}", record.outcome),
            None => record.outcome,
        };
        // A client names the model; what it says is not to steer the terminal.
        let model: String = record.model.unwrap_or_default().chars().filter(|char| !char.is_control()).collect();
        let Summary { id, at, took_ms, .. } = record;
        writeln!(out, "{id:<32}  {at:<23}  {tokens:>15}  {took_ms:>8.1}  {outcome:<24}  {model}")?;
    }
    Ok(())
}

pub(super) const AFTER: &str = "\
Who may read: whoever names the key of the request by --key-env; without one, the user who runs the proxy, on its machine.

Examples:
  headroom explain                                   the latest requests, with their ids
  headroom explain 8f1c…                             what became of each unit, in colours
  headroom explain 8f1c… --html request.html         the same as a page for the browser
  headroom explain 8f1c… --url https://proxy.example.org --key-env OPENAI_API_KEY --json";
