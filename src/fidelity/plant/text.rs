//! Words of a text as they stand between white space, and exchanges among them.

use std::ops::Range;

/// White-space words with their spans.
pub(super) fn tokens(text: &str) -> Vec<(Range<usize>, &str)> {
    let base = text.as_ptr() as usize;
    text.split_whitespace()
        .map(|word| {
            let at = word.as_ptr() as usize - base;
            (at..at + word.len(), word)
        })
        .collect()
}

/// Pairs written as `old:new` and parted by spaces.
pub(super) fn pairs(list: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    list.split_ascii_whitespace().filter_map(|pair| pair.split_once(':'))
}

pub(super) fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

pub(super) fn replaced(text: &str, span: Range<usize>, with: &str) -> Option<String> {
    Some(format!("{}{with}{}", text.get(..span.start)?, text.get(span.end..)?))
}

pub(super) fn pick<T>(mut places: Vec<T>, seed: usize) -> Option<T> {
    if places.is_empty() {
        return None;
    }
    let at = seed % places.len();
    Some(places.swap_remove(at))
}
