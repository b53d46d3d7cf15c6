//! `headroom report`: what requests came to, what they cost and what condensing saved of that; and whether conversations
//! that are condensed do as well as those that are left alone.

mod since;
mod table;

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::anyhow;
use clap::Args;
use headroom::{
    ledger::{self, By, Query, Report, StoreError, Sums},
    redact,
};

use super::{Failure, serve::state, settings::Settings};

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Arguments {
    /// By what figures are summed; several, with commas between: day, model, tool, kind, tenant, surface, arm, outcome
    #[arg(long, value_name = "WHAT,…", value_delimiter = ',', value_parser = by, default_value = "day")]
    by: Vec<By>,
    /// From when on: 24h, 7d, or a day as 2026-11-01 (UTC) [default: all that is kept]
    #[arg(long, value_name = "TIME", value_parser = since::Since::parse)]
    since: Option<since::Since>,
    /// Prints the rows as CSV
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Prints all of it as JSON
    #[arg(long)]
    json: bool,
    /// The file of figures [default: that of the configuration]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Configuration file [default: config.toml in this folder, if it is there; or $HEADROOM_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let file = file(arguments)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let since_s = arguments.since.map_or(0, |since| since.seconds(now));
    let query = Query { since_s, by: arguments.by.clone() };
    let report = ledger::read(&file, &query).map_err(|error| unreadable(&file, &error))?;
    let mut out = io::stdout().lock();
    if arguments.json {
        serde_json::to_writer_pretty(&mut out, &report)?;
        writeln!(out)?;
    } else if arguments.csv {
        out.write_all(csv(&report).as_bytes())?;
    } else {
        table::print(&mut out, &report)?;
    }
    Ok(())
}

fn file(arguments: &Arguments) -> Result<PathBuf, Failure> {
    if let Some(file) = &arguments.file {
        return Ok(file.clone());
    }
    let settings = Settings { config: arguments.config.clone(), no_model: true, ..Settings::default() };
    let path = settings.load(Vec::new())?.config.ledger.path(state().as_deref());
    let remedy = "set `ledger.file`, or name a file by --file";
    path.map(|(path, _)| path).ok_or_else(|| Failure::setup(anyhow!("no figures are kept\n  remedy: {remedy}")))
}

fn unreadable(file: &std::path::Path, error: &StoreError) -> Failure {
    let shown = redact::path(file);
    match error {
        StoreError::Io(error) if error.kind() == io::ErrorKind::NotFound => Failure::Work(anyhow!(
            "there are no figures yet: `{shown}` is not there\n  remedy: send requests through `headroom serve`; it writes \
             them there unless `ledger.file` says otherwise"
        )),
        error => Failure::Work(anyhow!("`{shown}` cannot be read: {error}")),
    }
}

fn by(word: &str) -> Result<By, String> {
    let words = By::ALL.map(By::as_str);
    let by = By::ALL.into_iter().find(|by| by.as_str() == word);
    by.ok_or_else(|| format!("give {}, or several of them with commas between", words.join(", ")))
}

/// The rows, with what they are summed by before the figures. Money is in dollars.
fn csv(report: &Report) -> String {
    let mut out = String::new();
    let by = report.by.iter().map(|by| by.as_str());
    let names: Vec<&str> = by.chain(COLUMNS).collect();
    let _ = writeln!(out, "{}", names.join(","));
    for row in &report.rows {
        let of: String = row.of.iter().map(|word| quoted(word) + ",").collect();
        let Sums { requests, failed, told, priced, beyond, prompt, cached, written, completion, billed, .. } = row;
        let Sums { texts, condensed, before, after, unpriced_prompt, reads, read_turns, read_tokens, .. } = row;
        let (paid, saved, read) = (dollars(row.paid_nano), dollars(row.saved_nano), dollars(row.read_nano));
        let _ = writeln!(
            out,
            "{of}{requests},{failed},{told},{priced},{beyond},{prompt},{cached},{written},{completion},{billed},{texts},\
             {condensed},{before},{after},{paid},{saved},{unpriced_prompt},{reads},{read_turns},{read_tokens},{read}"
        );
    }
    out
}

/// Names hold no quotes; what looks like a formula to a spreadsheet is none.
fn quoted(word: &str) -> String {
    let plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./: ".contains(&byte));
    if plain && !word.starts_with('-') { word.to_owned() } else { format!("\"'{}\"", word.replace('"', "\"\"")) }
}

/// Exactly, to the billionth.
fn dollars(nano: i64) -> String {
    let sign = if nano < 0 { "-" } else { "" };
    let nano = nano.unsigned_abs();
    format!("{sign}{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000)
}

const COLUMNS: [&str; 21] = [
    "requests",
    "failed",
    "usage_told",
    "priced",
    "beyond_context",
    "prompt_tokens",
    "cached_tokens",
    "written_tokens",
    "answer_tokens",
    "billed_tokens",
    "texts",
    "texts_condensed",
    "text_tokens_before",
    "text_tokens_after",
    "paid_dollars",
    "saved_dollars",
    "unpriced_prompt_tokens",
    "reads",
    "read_turns",
    "read_tokens",
    "read_dollars",
];

pub(super) const AFTER: &str = "\
The proxy keeps figures in `ledger.file`: no text and no key. They are written when answers end, by the hour (UTC).
What is saved is net, in billed terms: a token that was left out counts at the price of the place where it stood, so at the
price of a cached read where the provider read the prompt from its cache up to there. Where the model read originals again
(`headroom_read`), what that has cost is taken off: the tokens of what it read, in every request that has them, and all of
a request that was sent for nothing else.

Examples:
  headroom report                                   by day
  headroom report --since 7d --by model,tenant
  headroom report --by tool,kind                    which texts were condensed
  headroom report --since 2026-11-01 --by day,model --csv > november.csv";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_exact_and_no_name_is_a_formula() {
        assert_eq!((dollars(1_234_567_890), dollars(-5)), ("1.234567890".into(), "-0.000000005".into()));
        assert_eq!(
            (quoted("gpt-4o"), quoted("(other)"), quoted("-x")),
            ("gpt-4o".into(), "\"'(other)\"".into(), "\"'-x\"".into())
        );
        assert_eq!(by("day"), Ok(By::Day));
        assert!(by("week").unwrap_err().contains("tenant"));
    }
}
