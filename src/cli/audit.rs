//! `headroom audit`: what condensing would save on one's own requests, before anything is condensed.

mod propose;
mod recorded;
mod replay;
mod table;

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use clap::Args;
use headroom::{
    audit::Report,
    compress::{Policy, Ratio},
    config::{Config, Loaded},
    engine::{self, Engine, Readiness},
    fidelity::{self, Mode, Reviewer},
    proxy::{rehearse, rules::Rules},
};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::{
    Failure,
    running::Running,
    serve::backend,
    settings::{Settings, named_checker},
};
use propose::Trial;
use replay::Replay;

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Arguments {
    /// Recorded requests: a body on each line (also OpenAI's batch files), or one body as JSON.
    /// Without a file, a running proxy is asked for the sums of its audits
    files: Vec<PathBuf>,
    /// How far to condense; several, with commas between, are compared [default: the configured one]
    #[arg(long, value_name = "auto|2..20", value_delimiter = ',')]
    ratio: Vec<Ratio>,
    /// What a million prompt tokens cost, to say what is saved in money
    #[arg(long, value_name = "PRICE", value_parser = price)]
    price_per_million: Option<f64>,
    /// Prints rules and a profile that fit these requests, as TOML, each with what it would save and leave out
    #[arg(long, requires = "files", conflicts_with_all = ["json", "ratio", "price_per_million"])]
    propose: bool,
    /// Prints the sums as JSON
    #[arg(long)]
    json: bool,
    /// Folder of the model [default: the bundled one]
    #[arg(long, value_name = "FOLDER", conflicts_with = "no_model")]
    model: Option<String>,
    /// Runs without a model: selection alone condenses
    #[arg(long)]
    no_model: bool,
    #[command(flatten)]
    running: Running,
}

/// The sums at one ratio.
#[derive(Debug, Serialize)]
struct Account {
    ratio: Option<String>,
    report: Report,
    replay: Option<Replay>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.propose {
        return propose(arguments);
    }
    let accounts = if arguments.files.is_empty() { live(arguments)? } else { recorded(arguments)? };
    let mut out = io::stdout().lock();
    if arguments.json {
        serde_json::to_writer_pretty(&mut out, &accounts)?;
        writeln!(out)?;
    } else {
        table::print(&mut out, &accounts, arguments.price_per_million)?;
    }
    Ok(())
}

/// The sums of a running proxy.
fn live(arguments: &Arguments) -> Result<Vec<Account>, Failure> {
    let report = arguments.running.ask("audit")?;
    let report: Report = serde_json::from_slice(&report).context("the proxy is of another version")?;
    if report.requests == 0 {
        let remedy = "start it with `--mode audit`, or send requests with `x-headroom-mode: audit`";
        return Err(anyhow!("the proxy has audited no request yet\n  remedy: {remedy}").into());
    }
    Ok(vec![Account { ratio: None, report, replay: None }])
}

/// Rules and a profile that fit the recorded requests.
fn propose(arguments: &Arguments) -> Result<(), Failure> {
    let config = loaded(arguments)?.config;
    let requests = recorded::read(&arguments.files)?;
    let bar = progress(requests.len() * propose::TRIALS);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let proposed = runtime.block_on(async {
        let engine = started(&config).await?;
        Trial { engine: &engine, config: &config, requests: &requests, bar: &bar }.propose().await
    });
    bar.finish_and_clear();
    runtime.shutdown_timeout(Duration::from_secs(1));
    io::stdout().lock().write_all(proposed?.as_bytes())?;
    Ok(())
}

fn loaded(arguments: &Arguments) -> Result<Loaded, Failure> {
    let (model, no_model, config) = (arguments.model.clone(), arguments.no_model, arguments.running.config.clone());
    Settings { config, model, no_model, ..Settings::default() }.load(Vec::new())
}

/// An engine that keeps nothing and has all the time that it takes.
async fn started(config: &Config) -> Result<Engine, Failure> {
    let (backend, _told) = backend(config.model.clone());
    // Whether a text would have been late is told from its time; here each is worked on to its end.
    let settings = engine::Config { time_budget_ms: 0, decisions_file: String::new(), ..config.engine.clone() };
    let engine = Engine::start(&settings, None, backend).map_err(Failure::setup)?;
    if let Readiness::Failed(reason) = engine.loaded().await {
        return Err(Failure::setup(anyhow!("{reason}")));
    }
    Ok(engine)
}

/// The recorded requests, taken the real way at each ratio.
fn recorded(arguments: &Arguments) -> Result<Vec<Account>, Failure> {
    let loaded = loaded(arguments)?;
    named_checker(&loaded)?;
    let rules = loaded.rules().map_err(Failure::setup)?;
    let config = loaded.config;
    let requests = recorded::read(&arguments.files)?;
    let ratios = if arguments.ratio.is_empty() { vec![config.compress.ratio] } else { arguments.ratio.clone() };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let accounts = runtime.block_on(rehearsed(&config, &rules, &requests, &ratios));
    runtime.shutdown_timeout(Duration::from_secs(1));
    accounts
}

async fn rehearsed(
    config: &Config,
    rules: &Rules,
    requests: &[Bytes],
    ratios: &[Ratio],
) -> Result<Vec<Account>, Failure> {
    let bar = progress(requests.len() * ratios.len());
    let engine = started(config).await?;
    let reviewer = reviewer(config, &engine)?;
    let mut accounts = Vec::new();
    for ratio in ratios {
        let policy = Policy { ratio: *ratio, ..config.compress.policy() };
        let mut report = Report::default();
        let mut replay = Replay::new(config.engine.time_budget_ms, config.proxy.cached_token_price);
        for body in requests {
            let rehearsal = rehearse(&engine, reviewer.as_ref(), (&policy, rules), body.clone()).await;
            report.add(&rehearsal.record);
            replay.add(body, &rehearsal);
            bar.inc(1);
        }
        accounts.push(Account { ratio: Some(ratio.to_string()), report, replay: Some(replay) });
    }
    bar.finish_and_clear();
    Ok(accounts)
}

/// Where the fidelity check is on, every text is checked, however long that takes.
fn reviewer(config: &Config, engine: &Engine) -> Result<Option<Reviewer>, Failure> {
    let mut settings = config.fidelity.clone();
    let key = settings.key().map_err(|invalid| Failure::setup(anyhow!("fidelity.{invalid}")))?;
    if settings.mode != Mode::Off {
        settings = fidelity::Config { mode: Mode::Inline, inline_budget_ms: LONGEST_WAIT_MS, ..settings };
    }
    Reviewer::new(&settings, engine.clone(), key).map_err(|invalid| Failure::setup(anyhow!("fidelity.{invalid}")))
}

/// The longest that a verdict is waited for, in milliseconds.
const LONGEST_WAIT_MS: u64 = 600_000;

/// A bar on a terminal's standard error.
fn progress(requests: usize) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(requests as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:32} {pos}/{len} requests, {elapsed} of {duration}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn price(word: &str) -> Result<f64, String> {
    let price = word.parse().ok().filter(|price: &f64| price.is_finite() && *price >= 0.0);
    price.ok_or_else(|| "give a price from 0 on, such as 2.50".to_owned())
}

pub(super) const AFTER: &str = "\
Nothing is sent anywhere, unless `fidelity.mode` has texts checked: recorded requests are condensed in this process, and
only figures are printed.

Examples:
  headroom audit requests.jsonl --ratio auto,3,5 --price-per-million 2.50
  headroom audit requests.jsonl --json
  headroom audit requests.jsonl --propose > proposed.toml
  headroom serve --mode audit      and, when it has seen some traffic:
  headroom audit --url http://127.0.0.1:8787";
