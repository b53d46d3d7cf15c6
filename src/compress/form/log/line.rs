//! A line as a terminal shows it in the end: without escape codes, and of a line that was repainted its last states.

use std::{borrow::Cow, ops::Range};

use crate::compress::fuel;

/// One line of a log.
#[derive(Debug)]
pub(super) struct Line<'a> {
    /// Byte span in the text, with the line break.
    pub(super) span: Range<usize>,
    /// What a terminal shows of it, without the line break; several lines where several things were repainted.
    pub(super) shown: Cow<'a, str>,
    /// The line break, if it has one.
    end: &'a str,
}

impl Line<'_> {
    /// As it is written.
    pub(super) fn written(&self) -> String {
        format!("{}{}", self.shown, self.end)
    }
}

/// The lines of a part of a text.
pub(super) fn lines(text: &str, span: Range<usize>) -> Vec<Line<'_>> {
    let mut at = span.start;
    let part = text.get(span).unwrap_or_default();
    part.split_inclusive('\n')
        .map(|whole| {
            fuel::step(whole.len());
            at += whole.len();
            let content = whole.trim_end_matches(['\n', '\r']);
            let end = whole.get(content.len()..).unwrap_or_default();
            Line { span: at - whole.len()..at, shown: shown(content), end }
        })
        .collect()
}

/// What is seen of a line once it is written.
fn shown(content: &str) -> Cow<'_, str> {
    let plain = without_escapes(content);
    if plain.contains(['\r', '\u{8}']) { Cow::Owned(last_states(&plain)) } else { plain }
}

/// A line without its colours and cursor moves (ECMA-48 control sequences); a sequence that erases the line counts as a
/// return to its beginning.
fn without_escapes(content: &str) -> Cow<'_, str> {
    if !content.contains('\u{1b}') {
        return Cow::Borrowed(content);
    }
    let mut plain = String::with_capacity(content.len());
    let mut chars = content.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            plain.push(c);
            continue;
        }
        match chars.next() {
            Some('[') => {
                let ending = chars.find(|c| ('\u{40}'..='\u{7e}').contains(c));
                if matches!(ending, Some('K' | 'G' | 'J')) && !plain.is_empty() && !plain.ends_with('\r') {
                    plain.push('\r');
                }
            }
            // An operating system command ends with a bell or an escape and a backslash.
            Some(']') => while chars.next().is_some_and(|c| c != '\u{7}' && c != '\u{1b}') {},
            _ => {}
        }
    }
    Cow::Owned(plain)
}

/// Of a line that was painted again and again the last state of each thing that was painted, in order.
fn last_states(line: &str) -> String {
    let mut states: Vec<(String, &str)> = Vec::new();
    for state in line.split(['\r', '\u{8}']).filter(|state| !state.trim().is_empty()) {
        let subject = subject(state);
        match states.last_mut() {
            Some((known, last)) if *known == subject => *last = state,
            _ => match states.iter_mut().find(|(known, _)| *known == subject) {
                Some((_, last)) => *last = state,
                None => states.push((subject, state)),
            },
        }
        if states.len() > MOST_STATES {
            // Nothing that is repainted has so many parts: it is text with odd line breaks.
            return line.replace('\r', "\n");
        }
    }
    states.iter().map(|(_, state)| state.trim_end()).collect::<Vec<_>>().join("\n")
}

/// What a state of progress is about: its letters, without numbers, units and bars.
fn subject(state: &str) -> String {
    let words = state.split(|c: char| !c.is_alphabetic()).filter(|word| word.chars().count() > 3);
    words.take(3).collect::<Vec<_>>().join(" ")
}

/// Things that one line may repaint.
const MOST_STATES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_progress_bar_the_last_state_stays() {
        let bar: String = (0..100).map(|n| format!("\rDownloading a.bin {n:3}%|{}| 7M/s", "#".repeat(n / 4))).collect();
        assert_eq!(shown(&bar), format!("Downloading a.bin  99%|{}| 7M/s", "#".repeat(24)));
        assert_eq!(shown("one 1%\rone 9%\rfailed: checksum\r"), "one 9%\nfailed: checksum");
    }

    #[test]
    fn colours_go_and_words_stay() {
        assert_eq!(shown("\u{1b}[1;31merror\u{1b}[0m: no \u{1b}[4mfile\u{1b}[24m"), "error: no file");
        assert_eq!(shown("Building 1/9\u{1b}[KBuilding 9/9"), "Building 9/9");
        assert!(matches!(shown("plain [31m text"), Cow::Borrowed(_)));
    }
}
