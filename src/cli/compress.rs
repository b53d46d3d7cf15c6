//! `headroom compress`: what would become of a text, to look before trusting.

use std::{
    borrow::Cow,
    fs,
    io::{self, IsTerminal as _, Read as _, Write as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use headroom::compress::{self, Condensation, Encoding, Policy, Query, Unit, UnitAccount, text::exact};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::{
    Failure, account,
    settings::{Settings, as_rewriter, in_words, load_model},
};

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Arguments {
    /// Text file; `-` reads standard input
    #[arg(default_value = "-")]
    file: PathBuf,
    /// What is asked of the text: what answers it is kept
    #[arg(long, value_name = "TEXT")]
    query: Option<String>,
    /// Says on standard error what became of each unit, and why
    #[arg(long, conflicts_with = "json")]
    explain: bool,
    /// Prints the text and the account of every unit as JSON
    #[arg(long)]
    json: bool,
    /// Tokens in which lengths are counted
    #[arg(long, value_enum, default_value_t)]
    encoding: EncodingWord,
    /// Counts as this model does: gpt-4o, gpt-4, …
    #[arg(long, value_name = "NAME", conflicts_with = "encoding")]
    model_name: Option<String>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum EncodingWord {
    /// gpt-4o and later
    #[default]
    O200k,
    /// gpt-4 and gpt-3.5-turbo
    Cl100k,
}

impl Arguments {
    fn encoding(&self) -> Encoding {
        match (&self.model_name, self.encoding) {
            (Some(name), _) => Encoding::of_model(name),
            (None, EncodingWord::O200k) => Encoding::O200k,
            (None, EncodingWord::Cl100k) => Encoding::Cl100k,
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let config = arguments.settings.load(Vec::new())?.config;
    let text = read(&arguments.file)?;
    let encoding = arguments.encoding();
    // The proxy leaves short texts alone; whoever asks for one here wants to see what could be done with it.
    let policy = Policy { min_tokens: 1, ..config.compress.policy() };
    let query = Query { siblings: arguments.query.clone().unwrap_or_default(), ..Query::default() };

    let progress = Progress::start("loading the model");
    let mut model = load_model(&config.model).map_err(Failure::setup)?;
    encoding.warm();
    progress.say(format!("condensing {}", indicatif::HumanBytes(text.len() as u64)));
    let start = Instant::now();
    let condensation = compress::compress(&text, &query, &policy, &encoding, as_rewriter(&mut model));
    let took = start.elapsed();
    progress.end();
    let condensation = condensation.context("the text was not condensed")?;

    let mut out = io::stdout().lock();
    if arguments.json {
        serde_json::to_writer_pretty(&mut out, &Account::new(&text, &condensation, took))?;
        writeln!(out)?;
        return Ok(());
    }
    let condensed = exact::untagged(condensation.text().unwrap_or(&text));
    out.write_all(condensed.as_bytes())?;
    if !condensed.ends_with('\n') {
        writeln!(out)?;
    }
    out.flush()?;
    if arguments.explain {
        let with = model.as_ref().map_or_else(|| "no model".to_owned(), |model| in_words(model.info()));
        let headline = account::Headline { ratio: policy.ratio, min_tokens: config.compress.min_tokens, took, with };
        account::print(&mut io::stderr().lock(), &text, &condensation, &headline, &encoding)?;
    }
    Ok(())
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Account<'a> {
    text: Cow<'a, str>,
    tokens_before: usize,
    tokens_after: usize,
    /// Original : condensed.
    ratio: f64,
    ms: f64,
    /// `compressed`, or why the text stayed as it was.
    outcome: &'a str,
    units: Vec<UnitAccount>,
}

impl<'a> Account<'a> {
    fn new(source: &'a str, condensation: &'a Condensation, took: Duration) -> Self {
        let Condensation { tokens_before, tokens_after, .. } = *condensation;
        Self {
            text: exact::untagged(condensation.text().unwrap_or(source)),
            tokens_before,
            tokens_after,
            ratio: account::ratio(tokens_before, tokens_after),
            ms: (took.as_secs_f64() * 1e5).round() / 100.0,
            outcome: account::outcome(condensation),
            units: condensation.units.iter().map(Unit::account).collect(),
        }
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    if file.as_os_str() != "-" {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read `{}` as text", file.display()));
        return Ok(text?);
    }
    if io::stdin().is_terminal() {
        writeln!(io::stderr(), "reading from standard input; end with ctrl-d")?;
    }
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text).context("cannot read standard input as text")?;
    Ok(text)
}

/// A line on a terminal's standard error that says that work goes on.
struct Progress(Option<ProgressBar>);

impl Progress {
    fn start(doing: &'static str) -> Self {
        if !io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::new_spinner().with_message(doing);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} … {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(Some(bar))
    }

    fn say(&self, doing: String) {
        if let Some(bar) = &self.0 {
            bar.set_message(doing);
        }
    }

    fn end(self) {
        if let Some(bar) = self.0 {
            bar.finish_and_clear();
        }
    }
}

pub(super) const AFTER: &str = "\
Examples:
  headroom compress report.txt --ratio 5
  headroom compress report.txt --ratio 5 --explain >short.txt     the account goes to standard error
  curl -s https://example.org/page.txt | headroom compress - --query 'When does it end?'
  headroom compress report.txt --json | jq .units

JSON: {text, tokens_before, tokens_after, ratio, ms, outcome, units: [{start, end, form, score,
redundancy: {lexical, structural}, decision, reason}]};
start and end are byte offsets in the source, decision is kept, rewritten or dropped.";
