//! What must hold of a condensed text: each case of `quality/truth/cases` is a test, sent through the proxy at each of
//! its ratios. `quality/truth/README.md` says what a case and an assertion are.
//!
//! `quality/truth/known.txt` lists what is known to be wrong, a line `id @ratio assertion` each. The list may only
//! shrink: a line that holds by now fails its case until it is taken out. `UPDATE_TRUTH=1` writes the list anew.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    reason = "a test that cannot go on is to fail"
)]

#[path = "truth/assertion.rs"]
mod assertion;
#[path = "truth/case.rs"]
mod case;
#[path = "truth/golden.rs"]
mod golden;
#[path = "truth/lines.rs"]
mod lines;
#[path = "truth/pattern.rs"]
mod pattern;
#[allow(dead_code, reason = "the rig serves more tests than these")]
mod support;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex},
};

use libtest_mimic::{Arguments, Failed, Trial};

use case::Case;

/// Failures as `known.txt` names them.
type Failures = BTreeSet<String>;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let update = std::env::var_os("UPDATE_TRUTH").is_some();
    let known: Arc<Failures> = Arc::new(if update { Failures::new() } else { known() });
    let found = Arc::new(Mutex::new(Failures::new()));
    let mut cases = case::load(&folder().join("cases"));
    cases.extend(case::load(&folder().join("more")));
    let unknown = known.iter().filter(|line| !cases.iter().any(|case| line.starts_with(&format!("{} @", case.id))));
    let unknown: Vec<String> = unknown.cloned().collect();
    let (golden, golden_trials) = golden::Golden::trials(&cases);
    let mut trials: Vec<Trial> = cases
        .into_iter()
        .map(|case| {
            let (known, found) = (Arc::clone(&known), Arc::clone(&found));
            Trial::test(case.id.clone(), move || holds(&case, &known, &found, update)).with_kind("truth")
        })
        .collect();
    trials.push(Trial::test("the_known_failures_are_of_cases", move || {
        if unknown.is_empty() { Ok(()) } else { Err(format!("no such case: {unknown:?}").into()) }
    }));
    trials.extend(golden_trials);
    let conclusion = libtest_mimic::run(&arguments, trials);
    golden.write();
    if update {
        let lines: Vec<String> = found.lock().unwrap().iter().map(|line| format!("{line}\n")).collect();
        fs::write(folder().join("known.txt"), format!("{HEAD}{}", lines.concat())).unwrap();
    }
    conclusion.exit_code()
}

const HEAD: &str = "# What is known to be wrong: case, ratio, assertion. Lines are taken out, never added.\n";

/// Whether a case holds at each of its ratios, but for what is known not to.
fn holds(case: &Case, known: &Failures, found: &Mutex<Failures>, update: bool) -> Result<(), Failed> {
    let mut wrong = Vec::new();
    let arrived = case.arrived();
    for (ratio, output) in &arrived {
        let mut broken: Vec<(&str, String)> = Vec::new();
        for (name, spec) in &case.assertions {
            broken
                .extend(assertion::complaints(name, spec, output, case, ratio).into_iter().map(|c| (name.as_str(), c)));
        }
        for name in case.assertions.iter().map(|(name, _)| name) {
            let line = format!("{} @{ratio} {name}", case.id);
            let complaint = broken.iter().find(|(broken, _)| broken == name);
            match complaint {
                Some(_) if update => {
                    found.lock().unwrap().insert(line);
                }
                Some((_, complaint)) if !known.contains(&line) => wrong.push(format!("@{ratio} {name}: {complaint}")),
                None if known.contains(&line) => {
                    wrong.push(format!("@{ratio} {name} holds by now: take `{line}` out of quality/truth/known.txt"));
                }
                _ => {}
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("quality/truth")
}

fn known() -> Failures {
    let text = fs::read_to_string(folder().join("known.txt")).unwrap_or_default();
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}
