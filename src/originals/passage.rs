//! Which part of an original is read: a stretch of lines, what a pattern finds, or as much from the start as one answer
//! takes. What is given is the text's own bytes; what has to be said of them stands apart, in a note.

use std::{fmt::Write as _, ops::Range};

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use crate::compress::OriginalId;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The original's name.
    pub id: OriginalId,
    /// First and last line, from 1 on; without them, all.
    lines: Option<(usize, usize)>,
    pattern: Option<Regex>,
    from_byte: usize,
}

/// What is read of an original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// The text: exact, but for the numbers before the lines that a pattern finds.
    pub text: String,
    /// Where it stands, and how to read on; `None` where it is all there is.
    pub note: Option<String>,
}

/// What was asked for cannot be read, and what can.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

impl Wanted {
    /// Reads the arguments of a call, generously: models write numbers as text and text as numbers.
    ///
    /// # Errors
    /// Where they say nothing that can be read.
    pub fn read(arguments: &Map<String, Value>) -> Result<Self, Unreadable> {
        let told = |name: &str| match arguments.get(name) {
            Some(Value::String(text)) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(Value::Array(ends)) => Some(ends.iter().map(Value::to_string).collect::<Vec<_>>().join("-")),
            _ => None,
        };
        let id = told("id").as_deref().and_then(OriginalId::parse).ok_or_else(|| {
            unreadable(
                "`id` is the word (a letter and 18 digits) behind `headroom_read` in a mark, copied as it stands",
            )
        })?;
        let lines = told("lines").map(|lines| {
            range(&lines)
                .ok_or_else(|| unreadable("`lines` is a range such as \"120-180\", \"120-\" or \"120\", from 1 on"))
        });
        let from_byte = told("from_byte")
            .map(|byte| byte.parse().map_err(|_| unreadable("`from_byte` is a number of bytes from 0 on")));
        // What is no pattern is meant as it is written: `main(`.
        let pattern = told("pattern").map(|pattern| {
            compiled(&pattern)
                .or_else(|| compiled(&regex::escape(&pattern)))
                .ok_or_else(|| unreadable("`pattern` is too long or repeats too much"))
        });
        Ok(Self {
            id,
            lines: lines.transpose()?,
            pattern: pattern.transpose()?,
            from_byte: from_byte.transpose()?.unwrap_or(0),
        })
    }

    /// What is asked for of a text.
    ///
    /// # Errors
    /// Where the text has no such lines, or nothing is found.
    pub fn of(&self, text: &str) -> Result<Passage, Unreadable> {
        let ends: Vec<usize> = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1).collect();
        let count = ends.len() + usize::from(!text.is_empty() && !text.ends_with('\n'));
        let source = Source { text, ends, count };
        let lines = match self.lines {
            None => 0..count,
            Some((from, _)) if from > count => {
                return Err(Unreadable(format!("the text has {count} lines: `lines` begins behind them")));
            }
            Some((from, to)) => from - 1..to.min(count),
        };
        match &self.pattern {
            Some(pattern) => source.found(pattern, lines),
            None => source.passage(lines, self.from_byte),
        }
    }
}

fn unreadable(why: &str) -> Unreadable {
    Unreadable(why.to_owned())
}

fn compiled(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).size_limit(1 << 20).dfa_size_limit(1 << 20).build().ok()
}

/// `12`, `12-45`, `12–45`, `12-`, `-45`, `L12-L45`.
fn range(word: &str) -> Option<(usize, usize)> {
    let number = |text: &str| text.trim().trim_start_matches(['L', 'l']).parse::<usize>().ok();
    let (from, to) = match word.split_once(['-', '–', ',', ':']) {
        None => (number(word)?, number(word)?),
        Some((from, to)) if from.trim().is_empty() => (1, number(to)?),
        Some((from, to)) if to.trim().is_empty() => (number(from)?, usize::MAX),
        Some((from, to)) => (number(from)?, number(to)?),
    };
    (1..=to).contains(&from).then_some((from, to))
}

/// A text and where its lines end.
struct Source<'a> {
    text: &'a str,
    ends: Vec<usize>,
    count: usize,
}

impl Source<'_> {
    /// Where a line lies, its end included; lines are counted from 0 on.
    fn line(&self, at: usize) -> Range<usize> {
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let end = self.ends.get(at).copied().unwrap_or(self.text.len());
        start.unwrap_or(0)..end
    }

    /// The number of the line in which a byte lies, from 1 on.
    fn number_of(&self, byte: usize) -> usize {
        self.ends.partition_point(|end| *end <= byte) + 1
    }

    /// Lines, from this byte of the text on where it lies in them, as many as one answer takes.
    fn passage(&self, lines: Range<usize>, from_byte: usize) -> Result<Passage, Unreadable> {
        let (first, last) = (self.line(lines.start).start, self.line(lines.end.saturating_sub(1)).end);
        let start = boundary(self.text, first.max(from_byte));
        if start >= last && from_byte > 0 {
            let length = self.text.len();
            return Err(Unreadable(format!("the text has {length} bytes: `from_byte` lies behind what is asked for")));
        }
        let fits = boundary(self.text, last.min(start + MOST));
        // A whole line is easier to read than a part, as long as there is one.
        let whole = self.ends.iter().rev().find(|end| **end <= fits).copied().filter(|end| *end > start);
        let end = if fits == last { last } else { whole.unwrap_or(fits) };
        let text = self.text.get(start..end).unwrap_or_default().to_owned();
        let (from, to) = (self.number_of(start), self.number_of(end.saturating_sub(1).max(start)));
        let is_all = start == 0 && end == self.text.len();
        let note = (!is_all).then(|| {
            let mut note = format!("Lines {from}–{to} of {}.", self.count);
            if end < last {
                let _ = match whole {
                    Some(_) => write!(note, " Cut here for length; read on with lines \"{}-\".", to + 1),
                    None => write!(note, " Cut within line {to} for length; read on with from_byte {end}."),
                };
            }
            note
        });
        Ok(Passage { text, note })
    }

    /// The lines in which a pattern is found, with their numbers and neighbours, as `grep -n -C 2` gives them.
    fn found(&self, pattern: &Regex, lines: Range<usize>) -> Result<Passage, Unreadable> {
        let hits: Vec<usize> = lines.clone().filter(|at| pattern.is_match(self.shown(*at))).collect();
        if hits.is_empty() {
            return Err(Unreadable(format!(
                "nothing is found in {} lines; give a shorter or broader `pattern`, (?i) before it for any case, or `lines`",
                lines.len()
            )));
        }
        let (mut text, mut next, mut told) = (String::new(), None, 0);
        for (place, hit) in hits.iter().enumerate() {
            let mut part = String::new();
            let from = hit.saturating_sub(AROUND).max(lines.start).max(next.unwrap_or(0));
            let behind = hits.get(place + 1).copied().unwrap_or(usize::MAX);
            let to = (hit + AROUND + 1).min(lines.end).min(behind.max(hit + 1));
            if next.is_some_and(|next| from > next) {
                part.push_str("--\n");
            }
            for at in from..to {
                self.tell(pattern, at, at == *hit, &mut part);
            }
            if text.len() + part.len() > MOST && !text.is_empty() {
                break;
            }
            text.push_str(&part);
            (next, told) = (Some(to), place + 1);
        }
        let mut note = format!("{} of {} lines fit.", hits.len(), lines.len());
        if let Some(rest) = hits.get(told) {
            let _ = write!(note, " {told} are shown; read on with the same pattern and lines \"{}-\".", rest + 1);
        }
        Ok(Passage { text, note: Some(note) })
    }

    fn shown(&self, at: usize) -> &str {
        let line = self.text.get(self.line(at)).unwrap_or_default();
        line.strip_suffix('\n').unwrap_or(line)
    }

    /// `12:a line that fits`, `13-a neighbour`; of a line as long as a text, what lies around each place that fits.
    fn tell(&self, pattern: &Regex, at: usize, hit: bool, part: &mut String) {
        let (line, number) = (self.shown(at), at + 1);
        if line.len() <= LONG_LINE {
            let _ = writeln!(part, "{number}{}{line}", if hit { ':' } else { '-' });
            return;
        }
        if !hit {
            let _ = writeln!(part, "{number}-[a line of {} bytes]", line.len());
            return;
        }
        let start = self.line(at).start;
        let mut end = 0;
        for found in pattern.find_iter(line) {
            if found.start() < end {
                continue;
            }
            let from = boundary(line, found.start().saturating_sub(NEAR).max(end));
            end = boundary(line, (found.end() + NEAR).min(found.start() + LONG_LINE).min(line.len()));
            let excerpt = line.get(from..end).unwrap_or_default();
            let _ = writeln!(part, "{number}, bytes {}–{}:{excerpt}", start + from, start + end);
            if part.len() > MOST {
                break;
            }
        }
    }
}

/// The last place at or before `at` where a letter begins.
fn boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Bytes of one answer: some 12,000 tokens, below what agents take from a tool at once.
const MOST: usize = 48 << 10;

/// Lines before and behind one that a pattern finds.
const AROUND: usize = 2;

/// Bytes of a line from which on only what lies near is shown.
const LONG_LINE: usize = 2000;

/// Bytes before and behind what is found in such a line.
const NEAR: usize = 400;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wanted(more: Value) -> Result<Wanted, Unreadable> {
        let mut arguments = more.as_object().unwrap().clone();
        arguments.entry("id").or_insert(json!("r123456789012345678"));
        Wanted::read(&arguments)
    }

    fn read(text: &str, more: Value) -> Result<Passage, Unreadable> {
        wanted(more).unwrap().of(text)
    }

    fn lines(count: usize) -> String {
        (1..=count).map(|at| format!("line {at} — ok\n")).collect()
    }

    #[test]
    fn a_short_text_is_given_whole_and_nothing_is_said_of_it() {
        for text in ["", "a", "a\nb", "a\r\nb\n\n"] {
            assert_eq!(read(text, json!({})).unwrap(), Passage { text: text.to_owned(), note: None });
        }
    }

    #[test]
    fn lines_are_given_byte_for_byte_however_their_range_is_written() {
        let text = lines(100);
        let expected = "line 12 — ok\nline 13 — ok\n";
        for range in [json!("12-13"), json!("12–13"), json!([12, 13]), json!(" L12 - L13 ")] {
            let passage = read(&text, json!({"lines": range})).unwrap();
            assert_eq!((&*passage.text, passage.note.as_deref()), (expected, Some("Lines 12–13 of 100.")), "{range}");
        }
        assert_eq!(read(&text, json!({"lines": 100})).unwrap().text, "line 100 — ok\n");
        assert_eq!(read(&text, json!({"lines": "99-500"})).unwrap().text, "line 99 — ok\nline 100 — ok\n");
        assert!(read(&text, json!({"lines": "101-"})).unwrap_err().0.contains("100 lines"));
        for range in ["0", "5-4", "x", "1-y"] {
            assert!(wanted(json!({"lines": range})).is_err(), "{range}");
        }
    }

    #[test]
    fn a_text_too_long_for_one_answer_is_read_on_to_its_last_byte() {
        for text in [lines(20_000), "é".repeat(60_000), format!("{}\nx", "y".repeat(120_000))] {
            let (mut whole, mut next) = (String::new(), json!({}));
            for _ in 0..20 {
                let passage = read(&text, next).unwrap();
                assert!(passage.text.len() <= MOST);
                whole.push_str(&passage.text);
                let note = passage.note.unwrap();
                next = match (note.split_once("lines \""), note.split_once("from_byte ")) {
                    (Some((_, lines)), _) => json!({"lines": lines.trim_end_matches("\".")}),
                    (_, Some((_, byte))) => json!({"from_byte": byte.trim_end_matches('.')}),
                    _ => break,
                };
            }
            assert_eq!(whole, text);
        }
    }

    #[test]
    fn a_pattern_gives_the_lines_that_fit_with_numbers_and_neighbours() {
        let text = lines(30);
        let passage = read(&text, json!({"pattern": "line 1[05]\\b"})).unwrap();
        let expected: String = (8..=12)
            .chain(13..=17)
            .map(|at| {
                let fits = if at == 10 || at == 15 { ':' } else { '-' };
                format!("{at}{fits}line {at} — ok\n")
            })
            .collect();
        assert_eq!(passage.text, expected);
        assert_eq!(passage.note.as_deref(), Some("2 of 30 lines fit."));
        let passage = read(&text, json!({"pattern": "line (3|20)\\b", "lines": "3-20"})).unwrap();
        assert!(
            passage.text.starts_with("3:line 3")
                && passage.text.ends_with("--\n18-line 18 — ok\n19-line 19 — ok\n20:line 20 — ok\n")
        );
        assert!(read(&text, json!({"pattern": "absent"})).unwrap_err().0.contains("nothing is found"));
        assert_eq!(
            read("f(x)\n", json!({"pattern": "f(x"})).unwrap().text,
            "1:f(x)\n",
            "no pattern, so as it is written"
        );
    }

    #[test]
    fn of_more_than_one_answer_takes_the_rest_is_read_on() {
        let text = lines(20_000);
        let (mut fits, mut next) = (0, "1-".to_owned());
        loop {
            let passage = read(&text, json!({"pattern": "[05] — ok", "lines": next})).unwrap();
            fits += passage
                .text
                .lines()
                .filter(|line| {
                    line.split_once(['-', ':'])
                        .is_some_and(|(number, rest)| !rest.is_empty() && line.as_bytes()[number.len()] == b':')
                })
                .count();
            let Some((_, lines)) = passage.note.as_deref().unwrap().split_once("lines \"") else { break };
            next = lines.trim_end_matches("\".").to_owned();
        }
        assert_eq!(fits, 4000);
    }

    #[test]
    fn of_a_line_as_long_as_a_text_what_lies_near_is_shown() {
        let text = format!("{}needle{}", "a".repeat(50_000), "é".repeat(50_000));
        let passage = read(&text, json!({"pattern": "needle"})).unwrap();
        assert!(passage.text.starts_with("1, bytes 49600–50406:aaa") && passage.text.len() < 1000, "{}", passage.text);
        assert!(passage.text.contains("needleéé"));
    }

    #[test]
    fn a_hostile_pattern_ends_soon() {
        assert!(
            wanted(json!({"pattern": "(a{1000}){1000}"})).is_err()
                || read("a", json!({"pattern": "(a{1000}){1000}"})).is_err()
        );
        let text = format!("{}b\n", "a".repeat(1 << 20));
        assert!(read(&text, json!({"pattern": "(a+)+$"})).is_err());
    }

    #[test]
    fn an_id_that_is_none_is_told_what_it_is() {
        for id in [json!(null), json!(""), json!("abc"), json!({"a": 1})] {
            assert!(Wanted::read(json!({"id": id}).as_object().unwrap()).unwrap_err().0.contains("18 digits"));
        }
    }
}
