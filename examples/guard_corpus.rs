//! Measures the guard: how many planted corruptions it notices, and how many faithful rewrites it refuses.
//!
//! `cargo run --example guard_corpus` measures on fixtures/guard, with rewrites that were read by hand. With files, `--
//! TEXT… [--pairs PAIRS.jsonl] [--show KIND]`, it measures on them: a text is cut into units of two sentences; of JSON
//! lines (`.jsonl`) the field `context` or `src` is the text; PAIRS has lines of `{"src", "tgt"}`, rewrites by people, of
//! which those count whose figures, names, negations and modal words are equal by a rule that is not the guard's.
//! `--most N` takes N units, evenly spread.

#![allow(clippy::print_stdout, reason = "a table for people to read")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::ExitCode,
    time::Instant,
};

use headroom::{
    compress::guard::check,
    fidelity::plant::{Corruption, Faithful, plant, rewrite},
};

#[derive(Default)]
struct Row {
    tried: usize,
    refused: usize,
    faults: BTreeMap<String, usize>,
}

impl Row {
    fn add(&mut self, source: &str, text: &str, show: Option<bool>) {
        self.tried += 1;
        let verdict = check(source, text);
        if let Err(violation) = verdict {
            self.refused += 1;
            *self.faults.entry(violation.to_string()).or_default() += 1;
        }
        if show == Some(verdict.is_err()) {
            println!("{verdict:?}\n  - {source}\n  + {text}");
        }
    }

    fn print(&self, name: &str) {
        let mut faults: Vec<_> = self.faults.iter().collect();
        faults.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
        let faults = faults.iter().take(4).map(|(f, n)| format!("{f} {n}")).collect::<Vec<_>>().join(", ");
        let share = 100.0 * self.refused as f64 / self.tried.max(1) as f64;
        println!("| {name:<20} | {:>6} | {:>6} | {share:>6.2} % | {faults} |", self.tried, self.refused);
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (mut texts, mut pairs, mut show, mut most) = (Vec::new(), Vec::new(), None, usize::MAX);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--pairs" => pairs.extend(arguments.next()),
            "--show" => show = arguments.next(),
            "--most" => most = arguments.next().and_then(|most| most.parse().ok()).unwrap_or(most),
            _ => texts.push(argument),
        }
    }
    let mut units: Vec<String> = match texts.as_slice() {
        [] => UNITS.lines().map(str::to_owned).collect(),
        files => files.iter().flat_map(|file| units_of(file)).collect(),
    };
    if units.len() > most {
        let every = units.len() as f64 / most as f64;
        units = (0..most).filter_map(|at| units.get((at as f64 * every) as usize).cloned()).collect();
    }
    println!("{} units\n", units.len());
    let showing = |name: &str, wanted: bool| (show.as_deref() == Some(name)).then_some(wanted);
    println!("| corruption           | tried  | seen   | recall   | as |\n|---|---|---|---|---|");
    for corruption in Corruption::ALL {
        let mut row = Row::default();
        for (seed, unit) in units.iter().enumerate() {
            if let Some(text) = plant(unit, corruption, seed) {
                row.add(unit, &text, showing(corruption.as_str(), false));
            }
        }
        row.print(corruption.as_str());
    }
    println!("\n| faithful rewrite     | tried  | refused | share   | as |\n|---|---|---|---|---|");
    for way in Faithful::ALL {
        let mut row = Row::default();
        for unit in &units {
            if let Some(text) = rewrite(unit, way) {
                row.add(unit, &text, showing(way.as_str(), true));
            }
        }
        row.print(way.as_str());
    }
    let mut row = Row::default();
    for line in FAITHFUL.lines() {
        let Ok(pair) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let text = |key: &str| pair.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
        row.add(&text("source"), &text("rewrite"), showing("by hand", true));
    }
    row.print("by hand");
    for file in pairs {
        let mut row = Row::default();
        for line in fs::read_to_string(&file).unwrap_or_default().lines() {
            let Ok(pair) = serde_json::from_str::<serde_json::Value>(line) else { continue };
            let text = |key: &str| pair.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
            let (source, target) = (text("src"), text("tgt"));
            if facts(&source) == facts(&target) {
                row.add(&source, &target, showing("pairs", true));
            }
        }
        row.print(file.rsplit('/').next().unwrap_or(&file));
    }
    speed(&units);
    ExitCode::SUCCESS
}

const UNITS: &str = include_str!("../fixtures/guard/units.txt");
const FAITHFUL: &str = include_str!("../fixtures/guard/faithful.jsonl");

/// The units of a file: two sentences each, from 60 to 600 bytes, each once.
fn units_of(file: &str) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let of_line = |line: &str| -> Option<String> {
        let value: serde_json::Value = serde_json::from_str(line).ok()?;
        ["context", "src"].iter().find_map(|key| value.get(key)?.as_str().map(str::to_owned))
    };
    let texts: Vec<String> = match file.ends_with(".jsonl") {
        true => text.lines().filter_map(of_line).collect(),
        false => vec![text],
    };
    let mut known = BTreeSet::new();
    let mut units = Vec::new();
    for line in texts.iter().flat_map(|text| text.lines()) {
        let mut sentences: Vec<&str> = Vec::new();
        let mut from = 0;
        for (at, end) in line.match_indices(['.', '!', '?']) {
            let next = at + end.len();
            let rest = line.get(next..).unwrap_or_default();
            if rest.is_empty() || (rest.starts_with(' ') && rest.trim_start().starts_with(char::is_uppercase)) {
                sentences.extend(line.get(from..next));
                from = next;
            }
        }
        sentences.extend(line.get(from..).filter(|rest| !rest.trim().is_empty()));
        for pair in sentences.chunks(2) {
            let unit = pair.concat().trim().to_owned();
            if (60..=600).contains(&unit.len()) && known.insert(unit.clone()) {
                units.push(unit);
            }
        }
    }
    units
}

/// Figures, capitalised words inside of sentences, negations and modal words, sorted: a rule of thumb of its own.
fn facts(text: &str) -> Vec<String> {
    const WORDS: &[&str] = &[
        "not", "no", "never", "none", "nor", "neither", "without", "must", "may", "might", "shall", "should", "can",
        "could", "only", "if", "unless", "except", "until", "two", "three", "four", "five", "six", "more", "less",
        "most", "first", "both", "ten",
    ];
    let mut first = true;
    let mut out = Vec::new();
    for word in text.split_whitespace() {
        let core = word.trim_matches(|c: char| !c.is_alphanumeric());
        let lower = core.to_lowercase();
        let name = !first && core.chars().next().is_some_and(char::is_uppercase);
        if core.chars().any(|c| c.is_ascii_digit()) || name {
            out.push(lower);
        } else if lower.ends_with("n't") {
            out.push("not".to_owned());
        } else if WORDS.contains(&lower.as_str()) {
            out.push(lower);
        }
        first = word.ends_with(['.', '!', '?', '"']);
    }
    out.sort();
    out.dedup();
    out
}

/// The best of ten rounds, for the machine may have other work.
fn speed(units: &[String]) {
    let changed: Vec<(&String, String)> =
        units.iter().map(|u| (u, u.replace(" the ", " "))).filter(|(u, text)| *u != text).take(1_000).collect();
    let bytes: usize = changed.iter().map(|(u, _)| u.len()).sum();
    let round = || {
        let start = Instant::now();
        let passed = changed.iter().filter(|(unit, text)| check(unit, text).is_ok()).count();
        (start.elapsed(), passed)
    };
    if let Some((spent, passed)) = (0..10).map(|_| round()).min() {
        let each = 1e3 * spent.as_secs_f64() / (bytes as f64 / 4e3);
        println!("\n{passed} of {} passed; {each:.3} ms for each 4,000 bytes (about 1,000 tokens)", changed.len());
    }
}
