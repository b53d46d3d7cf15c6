//! What a model costs on this machine: loading, memory, and what it says of eight texts of about 120 tokens.
//!
//! ```text
//! cargo run --release --example model_speed -- [FOLDER] [THREADS] [ROUNDS]
//! ```
//!
//! Without a folder it takes the bundled model. Times are medians and minima over the rounds, in milliseconds; on a
//! machine that does other work the minimum is the one to compare.

#![expect(clippy::print_stdout, reason = "a program that prints figures")]

use std::{env, fs, path::PathBuf, time::Instant};

use anyhow::Context;
use headroom::{
    compress::Rewriter,
    model::{Model, Options, bundled},
};

fn main() -> anyhow::Result<()> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().map(PathBuf::from).or_else(bundled).context("there is no bundled model")?;
    let threads = arguments.next().map_or(Ok(2), |text| text.parse())?;
    let rounds = arguments.next().map_or(Ok(15), |text| text.parse())?;

    let before = resident();
    let start = Instant::now();
    let mut model = Model::load(&folder, &Options { threads, ..Options::default() })?;
    let loaded = start.elapsed();
    model.warm()?;
    println!("{} on {threads} threads, {} tokens a window", model.info().name, model.info().window);
    println!("load {:.0} ms, load and warm {:.0} ms", loaded.as_secs_f64() * 1e3, start.elapsed().as_secs_f64() * 1e3);

    let texts: Vec<String> = (0..8).map(text).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    measure("shorten 8 texts", rounds, || model.shorten(&texts).map(|_| ()))?;
    measure("meanings of 8 texts", rounds, || model.meanings(&texts).map(|_| ()))?;
    if let (Some(before), Some(after)) = (before, resident()) {
        println!("resident {after} MiB, {} MiB more than before loading", after.saturating_sub(before));
    }
    Ok(())
}

/// With numbers and full stops these make up to 128 tokens, one window.
const WORDS: usize = 104;

/// About 128 tokens in a vocabulary of 16,000, each time others.
fn text(number: usize) -> String {
    let subjects = ["The council", "A spokeswoman", "The ministry", "Our reporter", "The company", "Nobody"];
    let acts = ["said on Tuesday that", "has repeatedly denied that", "expects that", "wrote to members that"];
    let facts = [
        "the old bridge over the river will be repaired before winter begins",
        "about 250,000 dollars were spent on the library last year",
        "temperatures near 14 degrees are usual for the season",
        "several passengers who had waited for hours went home by bus",
        "the new rules do not apply to farms with fewer than ten workers",
    ];
    let pick = |of: &[&'static str], at: usize| of.get(at % of.len()).copied().unwrap_or_default();
    let sentence = |at: usize| format!("{} {} {}.", pick(&subjects, at), pick(&acts, at * 3 + 1), pick(&facts, at * 7));
    let sentences: Vec<String> = (0..7).map(|at| sentence(number * 11 + at)).collect();
    sentences.join(" ").split_whitespace().take(WORDS).collect::<Vec<_>>().join(" ")
}

fn measure<E: std::error::Error + Send + Sync + 'static>(
    what: &str,
    rounds: usize,
    mut run: impl FnMut() -> Result<(), E>,
) -> anyhow::Result<()> {
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds.max(1) {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    println!("{what}: median {median:.1} ms, least {:.1} ms", times.first().copied().unwrap_or_default());
    Ok(())
}

/// Resident memory in MiB, where the system tells.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches("kB").trim().parse::<u64>().ok().map(|kibibytes| kibibytes / 1024)
}
