//! Assertions about lines: that they are the source's, that gaps are marked, that counts are true.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use fancy_regex::Regex;
use serde_json::Value;

use crate::pattern::{MARK, is_mark, stands, without_marks};

/// Each line that is no mark is a line of the source: exactly, or (`squeezed`) but for runs of spaces.
pub(crate) fn verbatim(how: &Value, output: &str, source: &str) -> Vec<String> {
    let form = |line: &str| if how == "squeezed" { squeezed(line) } else { line.trim_end().to_owned() };
    let known: BTreeSet<String> = lines(source).into_iter().map(form).collect();
    let foreign = |line: &&str| {
        !line.trim().is_empty()
            && !is_mark(line)
            && !known.contains(&form(line))
            && !known.contains(&form(&without_marks(line)))
    };
    let bad: Vec<&str> = lines(output).into_iter().filter(foreign).collect();
    bad.first().map(|first| format!("{} lines are not of the source, first {first:?}", bad.len())).into_iter().collect()
}

/// If a line of the source (or one of the rows given) is gone, something says so.
pub(crate) fn marked(rows: &Value, output: &str, source: &str) -> Vec<String> {
    let gone = match rows {
        Value::Array(rows) => rows.iter().filter(|row| !stands(row.as_str().unwrap(), output)).count(),
        _ => {
            let counted = |text| count(lines(text).into_iter().map(words));
            let left = counted(output);
            let missing = |(line, times): (&String, &usize)| {
                if line.is_empty() { 0 } else { times.saturating_sub(left.get(line).copied().unwrap_or(0)) }
            };
            counted(source).iter().map(missing).sum()
        }
    };
    let silent = gone > 0 && !MARK.is_match(output).unwrap();
    silent.then(|| format!("{gone} lines are gone and nothing says so")).into_iter().collect()
}

/// `×N` behind a line is true of lines with its words, and `[… N lines]` tells of no more than is gone.
pub(crate) fn true_counts(spec: &Value, output: &str, source: &str) -> Vec<String> {
    let ignoring =
        spec.get("ignoring").map(|ignoring| Regex::new(&format!("(?m){}", ignoring.as_str().unwrap())).unwrap());
    let signs = |line: &str| {
        let line = ignoring.as_ref().map_or_else(|| line.to_owned(), |regex| regex.replace_all(line, "").into_owned());
        SIGNS.find_iter(&line).map(|sign| sign.unwrap().as_str().to_owned()).collect::<Vec<_>>()
    };
    let known: Vec<Vec<String>> = lines(source).into_iter().map(&signs).collect();
    let whole: BTreeSet<&str> = lines(source).into_iter().map(str::trim).collect();
    let mut complaints = Vec::new();
    for line in lines(output).into_iter().filter(|line| !whole.contains(line.trim())) {
        let Some(found) = TIMES.captures(line).unwrap() else { continue };
        let said = signs(&line[..found.get(0).unwrap().start()]);
        let times: usize = found[1].parse().unwrap();
        let true_of = known.iter().filter(|words| in_order(&said, words)).count();
        if true_of < times {
            complaints.push(format!("said {times} times, true {true_of}: {:?}", line.trim()));
        }
    }
    let claimed: usize = CLAIMED.captures_iter(output).map(|found| found.unwrap()[1].parse::<usize>().unwrap()).sum();
    let trimmed = |text| count(lines(text).into_iter().map(|line| line.trim_end().to_owned()));
    let here = trimmed(output);
    let gone: usize =
        trimmed(source).iter().map(|(line, times)| times.saturating_sub(here.get(line).copied().unwrap_or(0))).sum();
    if claimed > gone {
        complaints.push(format!("marks tell of {claimed} lines, {gone} are gone"));
    }
    complaints
}

/// The lines of a text, at whatever ends one.
pub(crate) fn lines(text: &str) -> Vec<&str> {
    let ends = |c: char| {
        matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
    };
    let (mut lines, mut rest) = (Vec::new(), text);
    while let Some(at) = rest.find(ends) {
        lines.push(&rest[..at]);
        let end = rest[at..].chars().next().map_or(0, char::len_utf8);
        rest = &rest[at + if rest[at..].starts_with("\r\n") { 2 } else { end }..];
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

fn squeezed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn words(line: &str) -> String {
    WORDS.find_iter(line).map(|word| word.unwrap().as_str().to_owned()).collect::<Vec<_>>().join(" ")
}

fn count(lines: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    lines.fold(BTreeMap::new(), |mut counts, line| {
        *counts.entry(line).or_default() += 1;
        counts
    })
}

fn in_order(some: &[String], words: &[String]) -> bool {
    let mut rest = words.iter();
    some.iter().all(|word| rest.any(|other| other == word))
}

static WORDS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\w+").unwrap());
static SIGNS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[^\W_]+|[^\w\s]").unwrap());
static TIMES: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:×\s?|\((?:repeated )?)(\d+)(?: times\))?(?: until .*)?\s*$").unwrap());
static CLAIMED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\[(?:…|\.\.\.) ?(\d+) (?:more )?lines").unwrap());
