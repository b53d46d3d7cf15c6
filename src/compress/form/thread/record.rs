//! Lines of `key: value` that together say what one thing is: the head of a mail or of a source, or a record of its own.

use super::{SHORT, shape::shape};
use crate::compress::text::{
    lexicon::List,
    segment::{Line, lead},
    sentence::ends,
};

/// Keys with which the head of a source begins.
pub(super) static IDENTIFYING: List = List::new("id title url file filename path name score titel título titre");

/// The keys of `key: value` lines from a line on, all different, up to a blank line or another line; a key alone ends
/// them. Empty where a transcript goes on.
pub(super) fn record<'a>(lines: &[Line<'a>], at: usize) -> Vec<&'a str> {
    let mut keys: Vec<&'a str> = Vec::new();
    for line in lines.iter().skip(at).take(MOST_KEYS + 1) {
        if !keys.is_empty() && line.after_blank {
            return keys;
        }
        let alone = line.text.strip_suffix(':').filter(|key| key.split_whitespace().count() <= 2 && key.len() <= 24);
        let found = lead(line.text).map(|(key, _)| key).or(alone).filter(|key| key.split_whitespace().count() <= 3);
        let Some(key) = found.filter(|_| line.text.len() <= 2 * SHORT) else { return keys };
        // `text: It is dug.` is what the record holds.
        if alone.is_none() && ends(line.text) && HELD.has(&key.to_lowercase()) {
            return keys;
        }
        if keys.contains(&key) {
            return Vec::new();
        }
        keys.push(key);
        if alone.is_some() {
            return keys;
        }
    }
    if keys.len() <= MOST_KEYS { keys } else { Vec::new() }
}

pub(super) const MOST_KEYS: usize = 14;

/// Keys under which a record holds its text.
static HELD: List = List::new(
    "text content contents body snippet passage chunk excerpt summary abstract description inhalt texte texto",
);

/// Whether a line stands right under the first line of its paragraph, which counts or dates it: `Result 6`.
pub(super) fn is_titled(lines: &[Line<'_>], at: usize) -> bool {
    let above = at.checked_sub(1).and_then(|above| lines.get(above));
    lines.get(at).is_some_and(|line| !line.after_blank)
        && above.is_some_and(|above| above.after_blank && shape(above.text).is_some())
}

/// Whether a text stands below a record and not another record.
pub(super) fn owns(lines: &[Line<'_>], below: usize) -> bool {
    below < lines.len() && record(lines, below).len() < 2
}
