//! Lines, and the numbers that views of files put before them.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    ops::Range,
};

/// A line of a text.
#[derive(Debug)]
pub(super) struct Line {
    /// Its bytes, the line break included.
    pub(super) whole: Range<usize>,
    /// Its bytes without the break and without its number.
    pub(super) content: Range<usize>,
    /// The number that a view of a file has before it.
    pub(super) number: Option<u32>,
    /// Of its content.
    pub(super) hash: u64,
}

impl Line {
    /// How much higher its number is than another's; 0 where neither has one.
    pub(super) fn shift(&self, other: &Self) -> Option<i64> {
        match (self.number, other.number) {
            (Some(own), Some(other)) => Some(i64::from(own) - i64::from(other)),
            (None, None) => Some(0),
            _ => None,
        }
    }

    /// What has to be the same in another line for a reader to write this one from it: all, or what stands behind numbers
    /// that differ by `shift`.
    pub(super) fn says<'t>(&self, text: &'t str, shift: Option<i64>) -> Option<&'t str> {
        text.get(if shift == Some(0) { self.whole.start..self.content.end } else { self.content.clone() })
    }

    /// Whether the number of another line is the next one.
    pub(super) fn is_followed_by(&self, next: &Self) -> bool {
        self.number.zip(next.number).is_some_and(|(own, next)| own.checked_add(1) == Some(next))
    }
}

/// The first lines of a text, `most` of them.
pub(super) fn of(text: &str, most: usize) -> Vec<Line> {
    let mut at = 0;
    let line = |line: &str| {
        let whole = at..at + line.len();
        at = whole.end;
        let shown = line.strip_suffix('\n').unwrap_or(line);
        let (number, content) = numbered(shown);
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        let end = whole.start + shown.len();
        Line { content: end - content.len()..end, whole, number, hash: hasher.finish() }
    };
    text.split_inclusive('\n').take(most).map(line).collect()
}

/// A line's number in a view such as `cat -n` and reading tools print, and what stands behind it.
fn numbered(line: &str) -> (Option<u32>, &str) {
    let trimmed = line.trim_start_matches(' ');
    let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = trimmed.split_at(digits);
    let content = ["\t", "→", "|", ": "].iter().find_map(|mark| rest.strip_prefix(mark));
    match number.parse().ok().zip(content) {
        Some((number, content)) => (Some(number), content),
        None => (None, line),
    }
}
