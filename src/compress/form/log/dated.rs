//! What the lines of a log begin with before the hour: told once above them, where many lines share it.

use super::{fold, line::Line};

/// For each line how many bytes of its beginning a heading tells, 0 where none does; the heading is due where these
/// bytes are others than before.
pub(super) fn prefixes(lines: &[Line<'_>]) -> Vec<usize> {
    let found: Vec<usize> = lines.iter().map(|line| before_clock(&line.shown)).collect();
    let dated = found.iter().filter(|length| **length > 0).count();
    let text = |at: usize| lines.get(at).and_then(|line| line.shown.get(..found.get(at).copied()?)).unwrap_or_default();
    let mut last = "";
    let mut headings = 0;
    for at in (0..lines.len()).filter(|at| !text(*at).is_empty()) {
        headings += usize::from(text(at) != last);
        last = text(at);
    }
    let worth_it = dated >= LEAST && headings * LEAST_SHARING <= dated;
    if worth_it { found } else { vec![0; lines.len()] }
}

/// The heading above lines that begin so.
pub(super) fn heading(prefix: &str) -> String {
    format!("[… lines below begin \"{prefix}\"]\n")
}

/// The bytes before the hour of the time that a line begins with.
fn before_clock(line: &str) -> usize {
    let time = fold::time(line);
    let Some(colon) = line.get(time.clone()).and_then(|time| time.find(':')).map(|at| time.start + at) else {
        return 0;
    };
    let prefix = line.get(..colon.saturating_sub(2)).unwrap_or_default();
    let date = prefix.len() <= LONGEST && prefix.split_whitespace().count() <= 4 && !prefix.contains([']', '"', '\n']);
    if date && prefix.contains(|c: char| c.is_ascii_digit()) { prefix.len() } else { 0 }
}

/// Shorter logs are left as they are: a heading saves little there.
const LEAST: usize = 50;

/// Lines under a heading, on average.
const LEAST_SHARING: usize = 8;

/// Bytes of a date with what brackets it.
const LONGEST: usize = 24;
