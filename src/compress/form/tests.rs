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

/// Rulers and borders say nothing.
fn is_row(line: &str) -> bool {
    line.contains(char::is_alphanumeric)
}

fn rows(text: &str) -> Vec<String> {
    text.lines().filter(|line| is_row(line)).map(squeezed).collect()
}

fn is_mark(line: &str) -> bool {
    line.trim().starts_with("[…")
}

/// Every line that is no mark as it reads in full: with the path of the line above it that it stands under, or without
/// one; nothing for a path that stands above its lines.
fn read_off(lines: &[String], source: &HashSet<String>) -> Result<Vec<String>, String> {
    let mut above: Option<&str> = None;
    let mut read = Vec::new();
    for line in lines.iter().filter(|line| is_row(line) && !is_mark(line)) {
        let under = above.and_then(|path| {
            let full = [":", "-", "=", ""].map(|mark| squeezed(&format!("{path}{mark}{}", line.trim_end())));
            let beside = format!("{path}{}", line.trim());
            full.into_iter().chain([beside]).find(|full| source.contains(full))
        });
        // A bar in a value is told from those between values.
        let alone = [squeezed(line), squeezed(line).replace("\\|", "|")].into_iter().find(|line| source.contains(line));
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
        let source: Vec<String> = rows(&text);
        let left: Vec<String> = auto(&text).lines().map(str::to_owned).collect();
        let read = read_off(&left, &source.iter().cloned().collect());
        assert_eq!(read, Ok(source), "{name}");
    }
}

#[test]
fn under_a_budget_every_line_is_a_row_of_the_source_and_what_is_missing_is_marked() {
    for (name, text) in listings() {
        let source: Vec<String> = rows(&text);
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

#[test]
fn a_sign_answers_in_other_words_than_the_question_s() {
    let calm = |n: usize| format!("{n:02}ab3f   shop/web:1.{n}   Up {n} days                 web-{n}\n");
    let rows: String = (10..30).map(calm).collect();
    let sick = "77de01   shop/job:2.0   Exited (137) 6 hours ago   ledger\n";
    let text = format!("ID       IMAGE          STATUS                     NAMES\n{rows}{sick}{rows}");
    let left = lines_at(&text, "Is anything in trouble?", 8.0);
    assert!(left.iter().any(|line| line.contains("ledger")), "{left:?}");
    let lists: String =
        (10..40).map(|n| format!("(dryrun) upload: site/page-{n}.html to s3://moth/page-{n}.html\n")).collect();
    let text = format!("{lists}(dryrun) delete: s3://moth/feed.xml\n{lists}");
    let left = lines_at(&text, "What would be gone?", 20.0);
    assert!(left.iter().any(|line| line.contains("feed.xml")), "{left:?}");
}

#[test]
fn the_line_that_sums_up_stands_and_the_command_is_known() {
    let kinds = ["new", "changed mode", "copied again"];
    let rows: String = (10..40).map(|n| format!("{} alps/P10100{n}.RW2\n", kinds[n % kinds.len()])).collect();
    let text =
        format!("$ rsync -ain src/ nas:/dst/\n{rows}\nsent 48 bytes  received 16 bytes\ntotal size is 918 (DRY RUN)\n");
    let left = lines_at(&text, "Was this for the nas?", 10.0);
    assert!(left.iter().any(|line| line.contains("DRY RUN")), "{left:?}");
    assert!(!left.iter().any(|line| line.starts_with("$ ")), "{left:?}");
}

#[test]
fn a_drawn_table_has_its_names_whatever_is_drawn_above_them() {
    let state = |n: usize| if n == 23 { "overdue" } else { "settled" };
    let rows: String = (10..40).map(|n| format!("| 71{n} | Porto {n}  | {} |\n", state(n))).collect();
    let rule = "+------+-----------+---------+\n";
    let text = format!("{rule}| no   | branch    | state   |\n{rule}{rows}{rule}");
    let left = lines_at(&text, "Which is late?", 8.0);
    assert!(left.contains(&"| no | branch | state |".to_owned()), "{left:?}");
    assert!(left.contains(&"| 7123 | Porto 23 | overdue |".to_owned()), "{left:?}");
    assert!(auto(&text).starts_with("---\n| no | branch | state |\n|---|---|---|\n| 7110 | Porto 10 | settled |\n"));
}
