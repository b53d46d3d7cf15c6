//! `headroom fidelity`: what a checking model is worth, before it is trusted.

use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand};
use headroom::{
    config::{Config as Configuration, Sources},
    fidelity::{Case, Checker, Config, Mode, State, Verdict, calibrate, cases},
};
use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, serve::signal};

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
    /// Prints each verdict that is wrong, with both texts and what was found
    #[arg(long)]
    show: bool,
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
    let (units, by_hand) = arguments.texts()?;
    let cases = cases(&units, &by_hand, arguments.limit);
    if cases.is_empty() {
        return Err(Failure::setup(anyhow!("the texts have no place for a corruption: give longer ones by --texts")));
    }
    let mut progress = Progress::new(cases.len());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let found = runtime.block_on(calibrate(&checker, &cases, signal(), |case, verdict| {
        if arguments.show && case.is_wrong() != (verdict.state == State::Flagged) {
            progress.tell(&told(case, verdict));
        }
        progress.step();
    }));
    progress.bar.finish_and_clear();
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
        let loaded =
            Configuration::load(&Sources::of_process(self.config.clone(), Vec::new())).map_err(Failure::setup)?;
        // Its key goes where it says, so it has to be named.
        if loaded.is_of_folder("fidelity.base_url") && self.base_url.is_none() {
            let remedy = "name the file by --config config.toml, or the endpoint by --base-url";
            let problem = "fidelity.base_url stands in a config.toml that lies in this folder and was not named";
            return Err(Failure::setup(anyhow!("{problem}\n  remedy: {remedy}")));
        }
        let mut config = loaded.config.fidelity;
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

    /// Units to plant corruptions in, and rewrites that were read by hand.
    fn texts(&self) -> Result<(Vec<String>, Vec<Case>), Failure> {
        let read = |path: &PathBuf| fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
        let texts: Vec<String> = self.texts.iter().map(read).collect::<Result<_, _>>().map_err(Failure::setup)?;
        let own = texts.is_empty();
        let texts = if own { vec![OWN.to_owned()] } else { texts };
        let by_hand = OWN_BY_HAND.lines().filter(|_| own).filter_map(|line| {
            let pair: serde_json::Value = serde_json::from_str(line).ok()?;
            let text = |key: &str| pair.get(key)?.as_str().map(str::to_owned);
            Some(Case::by_hand(text("source")?, text("rewrite")?))
        });
        Ok((texts.iter().flat_map(|text| text.lines()).map(str::to_owned).collect(), by_hand.collect()))
    }
}

/// A verdict that is wrong.
fn told(case: &Case, verdict: &Verdict) -> String {
    let mut out = format!("{}: {:?}\n  - {}\n  + {}", case.name(), verdict.state, case.source, case.text);
    for finding in &verdict.findings {
        out.push_str(&format!("\n  {:?}: {} / {}", finding.kind, finding.quote, finding.answer));
    }
    out
}

/// How far it is, on a terminal as a bar, elsewhere as a line now and then.
struct Progress {
    bar: ProgressBar,
    cases: usize,
    done: usize,
    start: Instant,
    last: Instant,
}

impl Progress {
    fn new(cases: usize) -> Self {
        let bar = if io::stderr().is_terminal() { ProgressBar::new(cases as u64) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} checks, {eta} left") {
            bar.set_style(style);
        }
        Self { bar, cases, done: 0, start: Instant::now(), last: Instant::now() }
    }

    fn step(&mut self) {
        self.done += 1;
        self.bar.inc(1);
        if self.last.elapsed() < BETWEEN_LINES || !self.bar.is_hidden() {
            return;
        }
        self.last = Instant::now();
        let left = self.start.elapsed() * u32::try_from(self.cases - self.done).unwrap_or(0)
            / u32::try_from(self.done).unwrap_or(1);
        let (cases, done) = (self.cases, self.done);
        self.tell(&format!("{done} of {cases} checks, about {} s left", left.as_secs()));
    }

    fn tell(&self, line: &str) {
        if self.bar.is_hidden() {
            // Without standard error there is nobody to tell.
            let _ = writeln!(io::stderr(), "{line}");
        } else {
            self.bar.println(line);
        }
    }
}

const BETWEEN_LINES: Duration = Duration::from_secs(20);

const OWN: &str = include_str!("../../fixtures/guard/units.txt");
const OWN_BY_HAND: &str = include_str!("../../fixtures/guard/faithful.jsonl");

const AFTER: &str = "\
Each line of a text is a unit. `model` is what the checking model flags, `guard` what the rules that always run refuse,
`either` what one of them sees. Of faithful rewrites, every one that is flagged is a false alarm. The model is `asked`
only where a claim doesn't stand in the original in the same words. Ctrl-C ends it with the table so far.

Example:
  headroom fidelity calibrate --base-url http://127.0.0.1:11434/v1 --model qwen2.5:1.5b --limit 10";
