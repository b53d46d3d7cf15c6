//! Hostile or broken text: invisible and look-alike characters, control tokens, imitated marks, loops.

use std::collections::HashMap;

use super::{Fault, Violation};
use crate::compress::text::atoms::{
    Scan,
    lex::{fold_char, invisible, twin},
};

/// Suspicious texts stay as they are; a rewrite brings no control tokens or marks of its own.
pub(super) fn check(source: &str, rewrite: &str) -> Result<(), Violation> {
    if suspicious(source) || suspicious(rewrite) {
        return Err(Fault::Suspicious.whole());
    }
    let counts = |text: &str, mark: &str| text.matches(mark).count();
    let marked = rewrite.contains(['<', '>', '[', '`', '#', ':']);
    let added = |mark: &&&str| rewrite.contains(**mark) && counts(rewrite, mark) > counts(source, mark);
    if marked && MARKS.iter().any(|mark| added(&mark)) {
        return Err(Fault::Control.whole());
    }
    let stray = |text: &str| {
        text.chars().filter(|c| (c.is_control() && !matches!(c, '\n' | '\t' | '\r')) || *c == '\u{fffd}').count()
    };
    if stray(rewrite) > stray(source) {
        return Err(Fault::Control.whole());
    }
    Ok(())
}

/// What models and chat formats take for more than text, and the marks with which omissions are shown.
#[rustfmt::skip]
const MARKS: &[&str] = &[
    "<extra_id_", "<pad>", "</s>", "<s>", "<unk>", "<|", "|>", "[INST]", "[/INST]", "<<SYS>>", "### Instruction",
    "[…]", "[...]", "```", "system:", "System:", "assistant:", "Assistant:", "user:", "User:",
];

/// Whether a text hides something: characters that take no room, or words that mix look-alike letters of several
/// scripts or styles. Such a text is never rewritten.
#[must_use]
pub(super) fn suspicious(text: &str) -> bool {
    if text.is_ascii() {
        return false;
    }
    text.chars().any(hidden) || text.split(|c: char| !c.is_alphanumeric()).any(mixed)
}

/// A soft hyphen, a byte order mark, an emoji's joiner and selector are harmless in ordinary text; the rest is not.
fn hidden(c: char) -> bool {
    invisible(c) && !matches!(c, '\u{fe0e}' | '\u{fe0f}' | '\u{ad}' | '\u{180b}'..='\u{180f}')
}

/// Latin letters or digits beside a twin from another script, or letters and digits in another style. A word wholly in
/// Cyrillic or Greek is none, unless each of its letters is a twin (`аре`).
fn mixed(word: &str) -> bool {
    if word.is_ascii() {
        return false;
    }
    let latin = word.chars().any(|c| c.is_ascii_alphanumeric());
    let twins = word.chars().any(|c| twin(c).is_some());
    let all_twins = word.chars().count() > 1 && word.chars().all(|c| twin(c).is_some());
    let styled = word
        .chars()
        .any(|c| !c.is_ascii() && fold_char(c).is_ascii_alphanumeric() && twin(c).is_none() && !script_mark(c));
    (latin && twins) || all_twins || styled
}

/// Superscripts, subscripts are ordinary in technical text.
const fn script_mark(c: char) -> bool {
    matches!(c, '\u{b2}' | '\u{b3}' | '\u{b9}' | '\u{2070}'..='\u{208e}')
}

/// No stretch of three words comes more often than in the source and at least three times; nothing is said twice in a row.
pub(super) fn no_loop(before: &Scan<'_>, after: &Scan<'_>) -> Result<(), Violation> {
    let frequent: Vec<_> = stretches(after).into_iter().filter(|(_, times)| *times >= 3).collect();
    let old = if frequent.is_empty() { HashMap::new() } else { stretches(before) };
    let looping = frequent.iter().any(|(stretch, times)| *times > old.get(stretch).copied().unwrap_or(0));
    let stuttered = stutters(after);
    if looping || (stuttered > 0 && stuttered > stutters(before)) { Err(Fault::Loop.whole()) } else { Ok(()) }
}

fn stretches<'s>(scan: &'s Scan<'_>) -> HashMap<[&'s str; 3], usize> {
    let mut counts = HashMap::with_capacity(scan.words.len());
    for stretch in scan.words.windows(3) {
        if let [a, b, c] = stretch {
            *counts.entry([a.key.as_ref(), b.key.as_ref(), c.key.as_ref()]).or_insert(0) += 1;
        }
    }
    counts
}

/// How often three to twelve words are followed by the same words.
fn stutters(scan: &Scan<'_>) -> usize {
    let keys: Vec<&str> = scan.words.iter().map(|w| w.key.as_ref()).collect();
    let said_twice = |pair: &&[&str]| pair.split_at_checked(pair.len() / 2).is_some_and(|(a, b)| a == b);
    (3..=12).map(|size| keys.windows(2 * size).filter(said_twice).count()).sum()
}
