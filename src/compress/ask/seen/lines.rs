//! Lines, and the numbers that views of files put before them.

use std::{hash::BuildHasher as _, ops::Range};

use foldhash::fast::RandomState;

/// A line of a text. Long conversations have them by the ten thousand, so that each is kept small.
#[derive(Debug)]
pub(super) struct Line {
    /// Where it begins, where its content begins behind its number, where that ends before the break, and where it ends.
    at: [u32; 4],
    /// The number that a view of a file has before it.
    pub(super) number: Option<u32>,
    /// Its place among the lines of the text, from 1 on.
    place: u32,
    /// Whether a line of the text begins with it, and whether one ends: a list of JSON on one line is cut into elements.
    pub(super) begins: bool,
    pub(super) ends: bool,
    /// Of its content.
    pub(super) hash: u64,
}

impl Line {
    /// Its bytes, the line break included.
    pub(super) fn whole(&self) -> Range<usize> {
        let [start, _, _, end] = self.at;
        start as usize..end as usize
    }

    /// Its bytes without the break and without its number.
    pub(super) fn content(&self) -> Range<usize> {
        let [_, start, end, _] = self.at;
        start as usize..end as usize
    }

    /// How much higher its number is than another's; 0 where neither has one. A view of what stands there without numbers
    /// counts its lines by their places.
    pub(super) fn shift(&self, other: &Self) -> Option<i64> {
        match (self.number, other.number) {
            (Some(own), Some(other)) => Some(i64::from(own) - i64::from(other)),
            (Some(own), None) => Some(i64::from(own) - i64::from(other.place)),
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
        text.get(if exact { self.whole().start..self.content().end } else { self.content() })
    }

    /// Whether the number of another line is the next one.
    pub(super) fn is_followed_by(&self, next: &Self) -> bool {
        self.number.zip(next.number).is_some_and(|(own, next)| own.checked_add(1) == Some(next))
    }
}

/// The first lines of a text, `most` of them; one that is long ends behind each element of a list.
pub(super) fn of(text: &str, most: usize, hashes: &RandomState) -> Vec<Line> {
    let ends = || memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
    let mut lines = Vec::with_capacity((ends().count() + 1).min(most));
    let (mut start, mut place) = (0, 0);
    for end in ends().chain(std::iter::once(text.len())).filter(|end| *end > 0) {
        if start == end {
            break;
        }
        place += 1;
        let mut at = start;
        while at < end && lines.len() < most {
            let part = element(text, at..end, end - start);
            lines.push(line(text, part.clone(), place, (at == start, part.end == end), hashes));
            at = part.end;
        }
        start = end;
    }
    lines
}

/// A line, or a part of one, as it is compared.
fn line(text: &str, whole: Range<usize>, place: u32, (begins, ends): (bool, bool), hashes: &RandomState) -> Line {
    let part = text.get(whole.clone()).unwrap_or_default();
    let shown = part.strip_suffix('\n').unwrap_or(part);
    let (number, content) = if begins { numbered(shown) } else { (None, shown) };
    let end = whole.start + shown.len();
    // No body has 4 GiB.
    let at = [whole.start, end - content.len(), end, whole.end].map(|at| u32::try_from(at).unwrap_or(u32::MAX));
    Line { at, number, place, begins, ends, hash: hashes.hash_one(content) }
}

/// What of a line of so many bytes is compared by itself from here on: all, or where it is long, as far as one of the
/// elements of a list of objects.
fn element(text: &str, rest: Range<usize>, length: usize) -> Range<usize> {
    if length < super::LONG_LINE {
        return rest;
    }
    let bytes = text.as_bytes().get(rest.clone()).unwrap_or_default();
    let ends = memchr::memchr_iter(b'}', bytes).find(|at| bytes.get(at + 1) == Some(&b','));
    rest.start..ends.map_or(rest.end, |at| rest.start + at + 2)
}

/// The numbers of lines, first and last: those that they show, else their places in the text.
pub(super) fn numbers(lines: &[Line]) -> Option<(usize, usize)> {
    let shown = |line: &Line| line.number.and_then(|number| usize::try_from(number).ok());
    let (from, to) = (lines.first()?, lines.last()?);
    Some(shown(from).zip(shown(to)).unwrap_or((from.place as usize, to.place as usize)))
}

/// A line's number in a view such as `cat -n` and reading tools print, and what stands behind it.
fn numbered(line: &str) -> (Option<u32>, &str) {
    let bytes = line.as_bytes();
    let spaces = bytes.iter().take_while(|byte| **byte == b' ').count();
    let digits = bytes.iter().skip(spaces).take_while(|byte| byte.is_ascii_digit()).count();
    // Most lines have none.
    if digits == 0 {
        return (None, line);
    }
    let (number, rest) = line.split_at(spaces + digits);
    let number = number.trim_start_matches(' ');
    let content = ["\t", "→", "|", ": "].iter().find_map(|mark| rest.strip_prefix(mark));
    match number.parse().ok().zip(content) {
        Some((number, content)) => (Some(number), content),
        None => (None, line),
    }
}
