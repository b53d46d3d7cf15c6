//! Sentences by Unicode's rules (UAX #29, from `unicode-segmentation`), mended where an abbreviation or an initial was
//! taken for an end, cut at clauses where one is too long.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::segment::prefix;

/// The longest unit in bytes.
pub(super) const MOST: usize = 400;

pub(super) fn split(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (start, part) in text.split_sentence_bound_indices() {
        let span = start..start + part.len();
        match found.last_mut() {
            Some(last) if goes_on(text.get(last.clone()).unwrap_or_default(), part) => last.end = span.end,
            _ => found.push(span),
        }
    }
    found.into_iter().flat_map(|span| shorten(text, span)).collect()
}

/// Whether `next` belongs to the sentence that `before` seemed to end.
fn goes_on(before: &str, next: &str) -> bool {
    let bare = before.trim_end();
    if bare.is_empty() || next.trim().is_empty() {
        return true;
    }
    let Some(stopped) = bare.strip_suffix('.') else {
        // A line's end inside of a run: only a full stop of any script ends the sentence there.
        let ended = bare.trim_end_matches(['"', '\'', '\u{201d}', '\u{2019}', ')', ']']);
        return !ended.ends_with(['!', '?', '.', '\u{2026}', '\u{3002}', '\u{ff01}', '\u{ff1f}']);
    };
    let word = stopped.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default();
    let initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    let dotted = word.contains('.') && word.split('.').all(|part| part.chars().count() <= 2 && !part.is_empty());
    let begins_low = next.chars().next().is_some_and(char::is_lowercase);
    let lower = word.to_lowercase();
    let before_number = next.chars().next().is_some_and(|c| c.is_ascii_digit());
    initial
        || (dotted && word.chars().any(char::is_alphabetic) && (begins_low || TITLED.contains(&lower.as_str())))
        || (dotted && word.chars().all(|c| c.is_uppercase() || c == '.') && !starts_plainly(next))
        || BEFORE_NAMES.contains(&lower.as_str())
        || (before_number && BEFORE_NUMBERS.contains(&lower.as_str()))
        || (begins_low && !word.is_empty())
        // `1.` or `## 2.4.` at the beginning is a number of a list or a section, not a sentence.
        || stopped.trim_start_matches(['#', ' ']).split('.').all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether a sentence is likely to begin so: a common opening word after an abbreviation such as `U.S.`.
fn starts_plainly(next: &str) -> bool {
    let first = next.split_whitespace().next().unwrap_or_default().to_lowercase();
    [
        "the", "he", "she", "it", "they", "in", "on", "this", "that", "a", "an", "his", "her", "but", "we", "i", "as",
        "at", "for",
    ]
    .contains(&first.as_str())
}

const TITLED: &[&str] = &["e.g", "i.e", "a.m", "p.m", "ph.d", "u.s", "u.k"];

/// Abbreviations that a name or another word follows.
const BEFORE_NAMES: &[&str] = &[
    "adm", "apt", "ave", "brig", "capt", "cf", "cmdr", "col", "dr", "eg", "ft", "gen", "gov", "hon", "ie", "jr", "lt",
    "maj", "messrs", "mr", "mrs", "ms", "mt", "prof", "rep", "rev", "sen", "sgt", "sr", "st", "supt", "viz", "vs", "v",
];

/// Abbreviations that a number follows.
const BEFORE_NUMBERS: &[&str] = &[
    "app", "approx", "apr", "art", "aug", "ca", "ch", "dec", "ed", "eq", "feb", "fig", "figs", "jan", "jul", "jun",
    "mar", "no", "nos", "nov", "oct", "p", "para", "pp", "ref", "sec", "sep", "sept", "vol",
];

/// Cuts a long span at clauses, at white space, or where nothing else is left anywhere.
fn shorten(text: &str, span: Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = span.start;
    while span.end - start > MOST {
        let rest = text.get(start..span.end).unwrap_or_default();
        let window = prefix(rest, MOST);
        let inside = rest.get(..window).unwrap_or_default();
        let cut = clause_end(inside).or_else(|| white_end(inside)).unwrap_or(window);
        found.push(start..start + cut);
        start += cut;
    }
    found.push(start..span.end);
    found
}

/// The end of the last clause that fills at least a third.
fn clause_end(text: &str) -> Option<usize> {
    let least = text.len() / 3;
    [". ", "; ", ": ", " - ", " \u{2014} ", ", "]
        .iter()
        .find_map(|mark| text.rfind(mark).map(|at| at + mark.len()).filter(|end| *end >= least))
}

fn white_end(text: &str) -> Option<usize> {
    let (at, white) = text.char_indices().rfind(|(_, c)| c.is_whitespace())?;
    Some(at + white.len_utf8())
}
