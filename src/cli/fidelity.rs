//! `headroom fidelity`: what a checking model is worth, before it is trusted.

use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
    path::PathBuf,
};

use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand};
use headroom::{
    config::{Config as Configuration, Sources},
    fidelity::{Checker, Config, Mode, calibrate, cases},
};
use indicatif::{ProgressBar, ProgressStyle};

use super::Failure;

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Plants corruptions in text, and prints how many of each kind the model notices and how often it is wrong
    #[command(after_help = AFTER)]
    Calibrate(Calibrate),
}

#[derive(Debug, Args)]
struct Calibrate {
    /// An OpenAI-compatible endpoint, its /v1 included [default: fidelity.base_url]
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// The model to ask for [default: fidelity.model]
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Files of text, a paragraph a line [default: a small one that comes with the program]
    #[arg(long, value_name = "FILE", num_args = 1..)]
    texts: Vec<PathBuf>,
    /// Cases of each kind at most
    #[arg(long, default_value_t = 5)]
    limit: usize,
    /// Prints JSON
    #[arg(long)]
    json: bool,
    /// Configuration file [default: config.toml in this folder, if it is there; or $HEADROOM_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Action::Calibrate(arguments) = &arguments.action;
    let config = arguments.config()?;
    let key = config.key().map_err(Failure::setup)?;
    let checker = Checker::new(&config, key).map_err(Failure::setup)?;
    let units = arguments.units()?;
    let cases = cases(&units, arguments.limit);
    if cases.is_empty() {
        return Err(Failure::setup(anyhow!("the texts have no place for a corruption: give longer ones by --texts")));
    }
    let progress = progress(cases.len() as u64);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let found = runtime.block_on(calibrate(&checker, &cases, || progress.inc(1)));
    progress.finish_and_clear();
    let mut out = io::stdout().lock();
    if arguments.json {
        serde_json::to_writer_pretty(&mut out, &found)?;
        writeln!(out)?;
    } else {
        write!(out, "{found}")?;
    }
    if found.checked() == 0 {
        let why = found.unchecked.first().map_or("nothing_to_ask", |(why, _)| why.as_str());
        return Err(anyhow!("no check ended with a verdict ({why}): does {} answer?", config.base_url).into());
    }
    Ok(())
}

impl Calibrate {
    /// The section `[fidelity]`, with what was given here in its place.
    fn config(&self) -> Result<Config, Failure> {
        let mut config = Configuration::load(&Sources::of_process(self.config.clone(), Vec::new()))
            .map_err(Failure::setup)?
            .config
            .fidelity;
        config.base_url = self.base_url.clone().unwrap_or(config.base_url);
        config.model = self.model.clone().unwrap_or(config.model);
        // The budgets are the proxy's.
        Ok(Config {
            mode: Mode::Inline,
            daily_tokens: 0,
            daily_money: 0.0,
            timeout_ms: config.timeout_ms.max(120_000),
            ..config
        })
    }

    fn units(&self) -> Result<Vec<String>, Failure> {
        let read = |path: &PathBuf| fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
        let texts = match self.texts.as_slice() {
            [] => vec![OWN.to_owned()],
            files => files.iter().map(read).collect::<Result<_, _>>().map_err(Failure::setup)?,
        };
        Ok(texts.iter().flat_map(|text| text.lines()).map(str::to_owned).collect())
    }
}

fn progress(cases: u64) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(cases);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} checks, {eta} left") {
        bar.set_style(style);
    }
    bar
}

const OWN: &str = include_str!("../../fixtures/guard/units.txt");

const AFTER: &str = "\
Each line of a text is a unit. `model` is what the checking model flags, `guard` what the rules that always run refuse,
`either` what one of them sees. Of faithful rewrites, every one that is flagged is a false alarm.

Example:
  headroom fidelity calibrate --base-url http://127.0.0.1:11434/v1 --model qwen2.5:1.5b --limit 10";
