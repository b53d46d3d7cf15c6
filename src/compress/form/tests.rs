//! Promises of the forms on what commands print: `fixtures/listing` holds a text of each.

use std::{collections::HashSet, fs};

use crate::compress::{Encoding, Factor, Policy, Query, Ratio, ToolCall, compress};

/// What is left of a tool's result at `ratio`, or all of it.
fn left(text: &str, question: &str, ratio: Ratio) -> String {
    let call = ToolCall { name: "run_command".into(), arguments: String::new() };
    let query = Query { preceding: question.into(), call: Some(call), ..Query::default() };
    let policy = Policy { ratio, min_tokens: 0, ..Policy::default() };
    let found = compress(text, &query, &policy, &Encoding::O200k, None).unwrap();
    found.text().unwrap_or(text).to_owned()
}

/// What is left of a tool's result without a budget.
pub(super) fn auto(text: &str) -> String {
    left(text, "", Ratio::Auto)
}

/// The lines that are left of a tool's result under a budget.
pub(super) fn lines_at(text: &str, question: &str, ratio: f32) -> Vec<String> {
    left(text, question, Ratio::By(Factor::new(ratio).unwrap())).lines().map(str::to_owned).collect()
}

fn listings() -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = fs::read_dir("fixtures/listing")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap()))
        .collect();
    found.sort();
    found
}

fn squeezed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_mark(line: &str) -> bool {
    line.trim().starts_with("[…")
}

/// Every line that is no mark as it reads in full: with the path of the line above it that it stands under, or without
/// one; nothing for a path that stands above its lines.
fn read_off(lines: &[String], source: &HashSet<String>) -> Result<Vec<String>, String> {
    let mut above: Option<&str> = None;
    let mut read = Vec::new();
    for line in lines.iter().filter(|line| !line.trim().is_empty() && !is_mark(line)) {
        let under = above.and_then(|path| {
            let full = [":", "-", "=", ""].map(|mark| squeezed(&format!("{path}{mark}{}", line.trim_end())));
            let beside = format!("{path}{}", line.trim());
            full.into_iter().chain([beside]).find(|full| source.contains(full))
        });
        let alone = Some(squeezed(line)).filter(|line| source.contains(line));
        let is_path = source.iter().any(|full| full.starts_with(line.trim_end()));
        match under.or(alone) {
            Some(full) => read.push(full),
            None if is_path => above = Some(line.trim_end()),
            None => return Err(line.clone()),
        }
    }
    Ok(read)
}

#[test]
fn every_row_of_a_listing_can_be_read_off_without_a_budget() {
    for (name, text) in listings() {
        let source: Vec<String> = text.lines().filter(|line| !line.trim().is_empty()).map(squeezed).collect();
        let left: Vec<String> = auto(&text).lines().map(str::to_owned).collect();
        let read = read_off(&left, &source.iter().cloned().collect());
        assert_eq!(read, Ok(source), "{name}");
    }
}

#[test]
fn under_a_budget_every_line_is_a_row_of_the_source_and_what_is_missing_is_marked() {
    for (name, text) in listings() {
        let source: Vec<String> = text.lines().filter(|line| !line.trim().is_empty()).map(squeezed).collect();
        let known: HashSet<String> = source.iter().cloned().collect();
        for ratio in [2.0, 5.0, 10.0] {
            let left = lines_at(&text, "What is wrong here?", ratio);
            let read = read_off(&left, &known);
            assert!(read.is_ok(), "{name} at {ratio}: {read:?}\n{left:#?}");
            let missing = source.len() - read.unwrap().len();
            assert!(missing == 0 || left.iter().any(|line| is_mark(line)), "{name} at {ratio}: {left:#?}");
        }
    }
}

#[test]
fn a_row_stands_under_its_head() {
    for (name, text) in listings() {
        let Some(head) = text.lines().find(|line| HEADS.iter().any(|word| line.trim_start().starts_with(word))) else {
            continue;
        };
        let rows: HashSet<String> = text.lines().skip_while(|line| *line != head).skip(1).map(squeezed).collect();
        for ratio in [2.0, 5.0, 10.0] {
            let left = lines_at(&text, "", ratio);
            let first =
                left.iter().position(|line| rows.contains(&squeezed(line)) && line.contains(char::is_alphanumeric));
            let at = left.iter().position(|line| squeezed(line) == squeezed(head));
            assert!(first.is_none() || at.is_some_and(|at| Some(at) < first), "{name} at {ratio}: {left:#?}");
        }
    }
}

/// What the line of names above a fixture's rows begins with.
const HEADS: &[&str] = &[
    "CONTAINER ID",
    "Filesystem",
    "Handles",
    "JOBID",
    "LAST SEEN",
    "NAME ",
    "Netid",
    "PID USER",
    "Package ",
    "Proto",
    "REPOSITORY",
    "UID",
    "UNIT",
    "USER ",
    "id  customer",
];
