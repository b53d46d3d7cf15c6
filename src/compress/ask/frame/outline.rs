//! A message's outline: paragraphs, fences, rulers, tagged parts. What stands between marks is read by itself.

use std::{collections::HashMap, ops::Range};

use crate::compress::{fuel, text::segment};

/// A part of a message; parts are in order and leave out nothing but blank lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Lines without a blank one between them.
    Text(Range<usize>),
    /// A line that parts two stretches: `-----`, `=== NOTES ===`.
    Ruler(Range<usize>),
    /// A line of a template that says what follows: `[[ ## context ## ]]`, `<|im_start|>user`.
    Field(Range<usize>),
    /// A fenced or triple-quoted part, or a run of tests between its rulers: all of it, and what is inside.
    Fence(Range<usize>, Range<usize>),
    /// `<name>` … `</name>`: all of it, and what is inside.
    Tagged(Range<usize>, Range<usize>),
}

/// The lines of a part of a text, line ends included.
pub(super) fn lines(text: &str, span: &Range<usize>) -> Vec<Range<usize>> {
    let mut at = span.start;
    let part = text.get(span.clone()).unwrap_or_default();
    let line = |line: &str| {
        fuel::step(line.len() + READERS_OF_A_LINE);
        at += line.len();
        at - line.len()..at
    };
    part.split_inclusive('\n').map(line).collect()
}

/// So many readers look at a line before it is the user's or material.
const READERS_OF_A_LINE: usize = 16;

/// The outline of a part of a text. Linear in its length.
pub(super) fn outline(text: &str, span: &Range<usize>) -> Vec<Part> {
    let lines = lines(text, span);
    let bare = |number: usize| lines.get(number).and_then(|line| text.get(line.clone())).map_or("", str::trim);
    let partners = partners(lines.len(), &bare);
    let mut parts: Vec<Part> = Vec::new();
    let (mut number, mut open, mut fenced) = (0, false, true);
    while let Some(line) = lines.get(number) {
        let here = bare(number);
        let until = |last: usize| line.start..lines.get(last).map_or(line.end, |last| last.end);
        let inside = |last: usize| line.end..lines.get(last).map_or(line.end, |last| last.start.max(line.end));
        let mut last = number;
        let part = if here.is_empty() {
            None
        } else if let (Some(mark), true) = (fence(here), fenced) {
            match closing(&lines, number, mark, &bare) {
                Some(end) => {
                    last = end;
                    Some(Part::Fence(until(end), inside(end)))
                }
                None => {
                    fenced = false;
                    Some(Part::Text(line.clone()))
                }
            }
        } else if let Some(end) = partners.get(number).copied().flatten() {
            last = end;
            Some(tagged(text, until(end)))
        } else if let Some(end) = segment::session(number, lines.len(), bare) {
            last = end;
            Some(Part::Fence(until(end), until(end)))
        } else if is_field(here) {
            Some(Part::Field(line.clone()))
        } else if is_ruler(here) {
            Some(Part::Ruler(line.clone()))
        } else {
            match parts.last_mut() {
                Some(Part::Text(above)) if open => above.end = line.end,
                _ => parts.push(Part::Text(line.clone())),
            }
            open = true;
            number += 1;
            continue;
        };
        open = matches!(part, Some(Part::Text(_)));
        parts.extend(part);
        number = last + 1;
    }
    parts
}

/// Whether a fence is made of quotes.
pub(super) fn is_quoted(text: &str, whole: &Range<usize>) -> bool {
    text.get(whole.clone()).is_some_and(|part| part.trim_start().starts_with(['"', '\'']))
}

/// A fence as Markdown has it, or a triple quote on a line of its own.
fn fence(line: &str) -> Option<&str> {
    if matches!(line, "\"\"\"" | "'''") {
        return Some(line);
    }
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = line.len() - line.trim_start_matches(mark).len();
    let info = line.get(length..)?;
    (length >= 3 && !info.contains('`')).then(|| line.get(..length)).flatten()
}

/// The line that closes the fence opened at `number`; fences inside that name their language are passed over.
fn closing<'a>(lines: &[Range<usize>], number: usize, mark: &str, bare: &impl Fn(usize) -> &'a str) -> Option<usize> {
    let mut depth = 0_usize;
    for at in number + 1..lines.len() {
        let line = bare(at);
        if !line.starts_with(mark) {
            continue;
        }
        let closes = line.trim_start_matches(mark.chars().next()?).is_empty();
        match depth {
            0 if closes => return Some(at),
            _ if closes => depth -= 1,
            _ if line
                .get(mark.len()..)
                .is_some_and(|info| info.chars().all(|c| c.is_alphanumeric() || "+-#_.".contains(c))) =>
            {
                depth += 1
            }
            _ => {}
        }
    }
    None
}

/// For each line that opens a tag, the line that closes it.
fn partners<'a>(count: usize, bare: &impl Fn(usize) -> &'a str) -> Vec<Option<usize>> {
    let mut found = vec![None; count];
    let mut open: HashMap<&str, Vec<usize>> = HashMap::new();
    for number in 0..count {
        let line = bare(number);
        if let Some(name) = opened(line) {
            open.entry(name).or_default().push(number);
        }
        if let Some(name) = closed(line)
            && let Some(from) = open.get_mut(name).and_then(Vec::pop)
            && let Some(slot) = found.get_mut(from)
        {
            *slot = Some(number);
        }
    }
    found
}

/// The name of the tag that a line begins with, or of what it says begins: `-----BEGIN INTERVIEW-----`.
pub(super) fn opened(line: &str) -> Option<&str> {
    let Some(rest) = line.strip_prefix('<').filter(|rest| rest.starts_with(char::is_alphabetic)) else {
        return said(line.lines().next()?, &BEGINS);
    };
    let end = rest.find(|c: char| !(c.is_alphanumeric() || "_-.:".contains(c)))?;
    let name = rest.get(..end).filter(|name| name.starts_with(|c: char| c.is_alphabetic()) && name.len() <= 60)?;
    let after = rest.get(end..)?;
    let closes = after.find('>')?;
    // A value between angle brackets (`<https://…>`, `<a@b.c>`) is no tag, and an empty one has no partner.
    let attributes = after.get(..closes)?;
    (!attributes.ends_with('/') && (attributes.is_empty() || attributes.starts_with(' '))).then_some(name)
}

/// How a line says that something begins, and that it ends.
const BEGINS: [&str; 2] = ["BEGIN ", "START "];
const ENDS: [&str; 2] = ["END ", "STOP "];

/// What a line between marks says of its name in capitals: that it begins, or ends.
fn said<'a>(line: &'a str, words: &[&str]) -> Option<&'a str> {
    let marks = |c: char| "-=*#~_<>[] ".contains(c);
    let inner = line.trim_matches(marks);
    let marked = !line.starts_with(char::is_alphanumeric) && inner.len() + 2 <= line.trim().len();
    let name = words.iter().find_map(|word| inner.strip_prefix(word)).filter(|_| marked)?;
    (name.len() <= 60 && !name.chars().any(char::is_lowercase)).then_some(name)
}

/// The name of the tag that a line's end closes, or of what it says ends.
fn closed(line: &str) -> Option<&str> {
    let Some((inner, start)) = line.strip_suffix('>').and_then(|inner| Some((inner, inner.rfind("</")?))) else {
        return said(line, &ENDS);
    };
    let name = inner.get(start + 2..)?.trim();
    (!name.is_empty() && name.len() <= 60 && !name.contains(char::is_whitespace)).then_some(name)
}

/// What a tag holds begins after its `>` and ends before the `</` of its partner; where it fills lines of its own, at
/// line boundaries.
fn tagged(text: &str, span: Range<usize>) -> Part {
    let whole = text.get(span.clone()).unwrap_or_default();
    if said(whole.lines().next().unwrap_or_default(), &BEGINS).is_some() {
        let from = whole.find('\n').map_or(whole.len(), |at| at + 1);
        let to = whole.trim_end().rfind('\n').map_or(from, |at| at + 1).max(from);
        return Part::Tagged(span.clone(), span.start + from..span.start + to);
    }
    let from = whole.find('>').map_or(0, |at| at + 1);
    let to = whole.rfind("</").unwrap_or(whole.len()).max(from);
    let skipped = whole
        .get(from..to)
        .and_then(|inner| inner.strip_prefix("\r\n").map(|_| 2).or_else(|| inner.strip_prefix('\n').map(|_| 1)));
    let from = from + skipped.unwrap_or(0);
    Part::Tagged(span.clone(), span.start + from..span.start + to)
}

/// `[[ ## name ## ]]` (DSPy), `<|im_start|>user` (ChatML), `[BEGIN DATA]`, `{{ name }}`.
fn is_field(line: &str) -> bool {
    (line.starts_with("[[ ## ") && line.ends_with(" ## ]]"))
        || (line.starts_with("<|") && line.contains("|>"))
        || (line.starts_with('[') && line.ends_with(']') && line.len() <= 40 && is_shouted(line))
}

/// Capitals and no small letter, at least four.
pub(super) fn is_shouted(line: &str) -> bool {
    line.chars().filter(|c| c.is_uppercase()).count() >= 4 && !line.chars().any(char::is_lowercase)
}

/// At least three like characters on both sides, with or without words between them.
fn is_ruler(line: &str) -> bool {
    let Some(mark) = line.chars().next().filter(|c| "-=*_#~+<>".contains(*c)) else { return false };
    let inner = line.trim_start_matches(mark);
    let before = line.len() - inner.len();
    if inner.is_empty() {
        return before >= 3 && mark != '#' || before >= 5;
    }
    let words = inner.trim_end_matches(mark);
    !words.trim().is_empty() && before >= 3 && inner.len() - words.len() >= 3 && words.len() <= 80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<&'static str> {
        let name = |part: &Part| match part {
            Part::Text(_) => "text",
            Part::Ruler(_) => "ruler",
            Part::Field(_) => "field",
            Part::Fence(..) => "fence",
            Part::Tagged(..) => "tagged",
        };
        outline(text, &(0..text.len())).iter().map(name).collect()
    }

    #[test]
    fn what_stands_between_marks_is_a_part_of_its_own() {
        let text = "Do it.\n<doc id=\"1\">\na\n\nb\n</doc>\n-----\n```py\nx\n```\nmore\nlines\n\n[[ ## answer ## ]]\n";
        assert_eq!(kinds(text), ["text", "tagged", "ruler", "fence", "text", "field"]);
        let Some(Part::Tagged(_, inner)) = outline(text, &(0..text.len())).into_iter().nth(1) else { unreachable!() };
        assert_eq!(text.get(inner), Some("a\n\nb\n"));
    }

    #[test]
    fn what_is_said_to_begin_and_to_end_is_a_part() {
        for (begin, end) in [
            ("-----BEGIN INTERVIEW-----", "-----END INTERVIEW-----"),
            ("=== START REPORT ===", "=== END REPORT ==="),
            ("[BEGIN DATA]", "[END DATA]"),
            ("<<< BEGIN TEXT >>>", "<<< END TEXT >>>"),
        ] {
            let text = format!("Do it.\n\n{begin}\na\n\nb\n{end}\n\nBriefly.\n");
            assert_eq!(kinds(&text), ["text", "tagged", "text"], "{begin}");
            let Some(Part::Tagged(_, inner)) = outline(&text, &(0..text.len())).into_iter().nth(1) else {
                unreachable!()
            };
            assert_eq!(text.get(inner), Some("a\n\nb\n"), "{begin}");
        }
        assert_eq!(kinds("BEGIN with the text\na\nEND with it\n"), ["text"]);
    }

    #[test]
    fn a_mark_without_a_partner_is_text() {
        assert_eq!(kinds("<doc>\na\n\n```\nb\n"), ["text", "text"]);
        assert_eq!(kinds("<https://a.example/>\n"), ["text"]);
    }

    #[test]
    fn a_fence_may_hold_fences() {
        assert_eq!(kinds("```md\na\n```sh\nb\n```\nc\n```\nafter\n"), ["fence", "text"]);
    }
}
