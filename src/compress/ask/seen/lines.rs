//! Lines, and the numbers that views of files put before them.

use std::{hash::BuildHasher as _, ops::Range};

use foldhash::fast::RandomState;

/// A line of a text.
#[derive(Debug)]
pub(super) struct Line {
    /// Its bytes, the line break included.
    pub(super) whole: Range<usize>,
    /// Its bytes without the break and without its number.
    pub(super) content: Range<usize>,
    /// The number that a view of a file has before it.
    pub(super) number: Option<u32>,
    /// Its place among the lines of the text, from 1 on.
    pub(super) place: usize,
    /// Whether a line of the text begins with it, and whether one ends: a list of JSON on one line is cut into elements.
    pub(super) begins: bool,
    pub(super) ends: bool,
    /// Of its content.
    pub(super) hash: u64,
}

impl Line {
    /// How much higher its number is than another's; 0 where neither has one. A view of what stands there without numbers
    /// counts its lines by their places.
    pub(super) fn shift(&self, other: &Self) -> Option<i64> {
        match (self.number, other.number) {
            (Some(own), Some(other)) => Some(i64::from(own) - i64::from(other)),
            (Some(own), None) => Some(i64::from(own) - i64::try_from(other.place).ok()?),
            (None, None) => Some(0),
            (None, Some(_)) => None,
        }
    }

    /// Whether it may be the same byte for byte: its number is, or neither has one.
    pub(super) fn may_equal(&self, other: &Self) -> bool {
        self.number == other.number
    }

    /// What has to be the same in another line for a reader to write this one from it: all, or what stands behind the
    /// numbers.
    pub(super) fn says<'t>(&self, text: &'t str, exact: bool) -> Option<&'t str> {
        text.get(if exact { self.whole.start..self.content.end } else { self.content.clone() })
    }

    /// Whether the number of another line is the next one.
    pub(super) fn is_followed_by(&self, next: &Self) -> bool {
        self.number.zip(next.number).is_some_and(|(own, next)| own.checked_add(1) == Some(next))
    }
}

/// The first lines of a text, `most` of them; one that is long ends behind each element of a list.
pub(super) fn of(text: &str, most: usize, hashes: &RandomState) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut at = 0;
    for (place, line) in text.split_inclusive('\n').enumerate() {
        let (end, mut begins) = (at + line.len(), true);
        for part in elements(line) {
            if lines.len() == most {
                return lines;
            }
            let whole = at..at + part.len();
            at = whole.end;
            let shown = part.strip_suffix('\n').unwrap_or(part);
            let (number, content) = if begins { numbered(shown) } else { (None, shown) };
            let hash = hashes.hash_one(content);
            let content = whole.start + shown.len() - content.len()..whole.start + shown.len();
            lines.push(Line { content, number, place: place + 1, begins, ends: at == end, hash, whole });
            begins = false;
        }
    }
    lines
}

/// A line, or the elements of a list of objects that a long one is.
fn elements(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let cut = if line.len() >= super::LONG_LINE { memchr::memmem::find(rest.as_bytes(), b"},") } else { None };
        let (part, next) = rest.split_at_checked(cut.map_or(rest.len(), |at| at + 2))?;
        rest = next;
        (!part.is_empty()).then_some(part)
    })
}

/// The numbers of lines, first and last: those that they show, else their places in the text.
pub(super) fn numbers(lines: &[Line]) -> Option<(usize, usize)> {
    let shown = |line: &Line| line.number.and_then(|number| usize::try_from(number).ok());
    let (from, to) = (lines.first()?, lines.last()?);
    Some(shown(from).zip(shown(to)).unwrap_or((from.place, to.place)))
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
