//! Strings of a case as patterns, and the marks of omission.

use std::{ops::Range, sync::LazyLock};

use fancy_regex::Regex;

/// A string stands for itself, as whole words and in any case, over any white space; `re:` begins a regular expression.
pub(crate) fn pattern(text: &str) -> Regex {
    let expression = match text.strip_prefix("re:") {
        Some(expression) => format!("(?m){expression}"),
        None => {
            let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
            let before = if is_word(text.chars().next()) { r"(?<!\w)(?<!\d[.,])" } else { "" };
            let after = if is_word(text.chars().next_back()) { r"(?!\w)(?![.,]\d)" } else { "" };
            let words: Vec<_> = text.split_whitespace().map(fancy_regex::escape).collect();
            format!("(?i){before}{}{after}", words.join(r"\s+"))
        }
    };
    Regex::new(&expression).unwrap_or_else(|error| panic!("{text}: {error}"))
}

pub(crate) fn stands(text: &str, within: &str) -> bool {
    pattern(text).is_match(within).unwrap()
}

/// Where a string stands.
pub(crate) fn places(text: &str, within: &str) -> Vec<Range<usize>> {
    pattern(text).find_iter(within).map(|found| found.unwrap().range()).collect()
}

/// A mark of omission.
pub(crate) static MARK: LazyLock<Regex> = LazyLock::new(|| {
    let marks = [r"\[(?:…|\.\.\.)[^\]\n]{0,100}\]", r"×\s?\d[\d,]*(?: until [^\n]*)?", r"(?m:^\s*(?:…|\.\.\.)\s*$)"];
    Regex::new(&marks.join("|")).unwrap()
});

/// What may stand beside a mark in a line that is one.
static BESIDE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^[\s#/*;,.|:\-]*$").unwrap());

pub(crate) fn is_mark(line: &str) -> bool {
    MARK.is_match(line).unwrap() && BESIDE.is_match(&without_marks(line)).unwrap()
}

pub(crate) fn without_marks(line: &str) -> String {
    MARK.replace_all(line, "").into_owned()
}

/// The text around a place, for a complaint.
pub(crate) fn excerpt(text: &str, place: &Range<usize>) -> String {
    let from = back(text, place.start, 60);
    let to = forth(text, place.end, 60);
    let words: Vec<&str> = text[from..to].split_whitespace().collect();
    words.join(" ").chars().take(220).collect()
}

/// So many characters before a place.
pub(crate) fn back(text: &str, at: usize, characters: usize) -> usize {
    text[..at].char_indices().rev().take(characters).last().map_or(at, |(at, _)| at)
}

/// So many characters behind a place.
pub(crate) fn forth(text: &str, at: usize, characters: usize) -> usize {
    text[at..].char_indices().nth(characters).map_or(text.len(), |(more, _)| at + more)
}
