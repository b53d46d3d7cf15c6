//! Lines as prose knows them: quote marks, blank lines, list items, titles, `Name:` in front. Which lines make a
//! statement is decided on these; nothing is judged here.

use std::ops::Range;

use super::{lexicon::List, sentence::ends};
use crate::compress::fuel;

/// A line that is not blank, with the blank lines after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::compress) struct Line<'a> {
    /// Byte span, line breaks and blank lines after it included. The first line has the blank lines before it too.
    pub(in crate::compress) span: Range<usize>,
    /// Where [`text`](Self::text) begins.
    pub(in crate::compress) start: usize,
    /// Without quote marks and the white space around it.
    pub(in crate::compress) text: &'a str,
    /// Characters of white space in front.
    pub(in crate::compress) indent: usize,
    /// How many quote marks (`>`) stand in front.
    pub(in crate::compress) depth: usize,
    /// Whether a blank line, or the beginning, stands before it.
    pub(in crate::compress) after_blank: bool,
    /// Whether a blank line, or the end, stands after it.
    pub(in crate::compress) before_blank: bool,
}

/// The lines of a text; their spans concatenate to it. Empty where it is white space only.
pub(in crate::compress) fn lines(text: &str) -> Vec<Line<'_>> {
    let mut found: Vec<Line<'_>> = Vec::new();
    let (mut at, mut begin, mut blank) = (0, 0, true);
    for line in text.split_inclusive('\n') {
        fuel::step(line.len());
        let span = at..at + line.len();
        at = span.end;
        let (depth, marks) = quoted(line);
        let rest = line.get(marks..).unwrap_or_default();
        let bare = rest.trim();
        if bare.is_empty() {
            blank = true;
            if let Some(last) = found.last_mut() {
                last.span.end = span.end;
                last.before_blank = true;
            }
            continue;
        }
        let start = span.start + marks + (rest.len() - rest.trim_start().len());
        let from = if found.is_empty() { begin } else { span.start };
        begin = span.end;
        let indent = start - span.start - marks;
        found.push(Line {
            span: from..span.end,
            start,
            text: bare,
            indent,
            depth,
            after_blank: blank,
            before_blank: false,
        });
        blank = false;
    }
    if let Some(last) = found.last_mut() {
        last.before_blank = true;
    }
    found
}

/// The sentences of a text, list items and wrapped lines minded; their spans concatenate to it.
pub(in crate::compress) fn sentences(text: &str) -> Vec<Range<usize>> {
    let lines = lines(text);
    let width = lines.iter().map(|line| line.text.chars().count()).max().unwrap_or(0);
    let joins = |before: &Line<'_>, line: &Line<'_>| {
        !line.after_blank && !is_item(line.text) && goes_on(before.text, line.text, width)
    };
    let runs = lines.chunk_by(joins).filter_map(|run| Some(run.first()?.span.start..run.last()?.span.end));
    let split = |run: Range<usize>| {
        let part = text.get(run.clone()).unwrap_or_default();
        super::sentence::split(part).into_iter().map(move |span| span.start + run.start..span.end + run.start)
    };
    runs.flat_map(split).collect()
}

/// How deeply a line is quoted, and how many bytes the marks take; a name or initials may stand in front, `AK> Soon.`
pub(in crate::compress) fn quoted(line: &str) -> (usize, usize) {
    let (mut depth, mut bytes) = (0, 0);
    for (at, c) in line.char_indices().skip(quoter(line)) {
        match c {
            '>' => {
                depth += 1;
                bytes = at + 1;
            }
            ' ' | '\t' => {}
            _ => break,
        }
    }
    // `>word` in a text without quotations is a sign, `>>> f(x)` a prompt; both read the same either way.
    (depth, bytes)
}

/// The characters of whose words are quoted, and of the white space before.
fn quoter(line: &str) -> usize {
    let inner = line.trim_start_matches([' ', '\t']);
    let name = inner.bytes().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let marks = inner.get(name..).unwrap_or_default();
    let marked = marks.starts_with("> ") || marks.starts_with(">>");
    if marked && name <= LONGEST_QUOTER { line.len() - inner.len() + name } else { 0 }
}

/// Letters of a name in front of what is quoted at most.
const LONGEST_QUOTER: usize = 16;

/// The line without a passage's label such as `[3] `, or when a message was sent: `[14/03/2031, 08:02] `, `3/14/31, 8:02 PM - `.
pub(in crate::compress) fn after_label(line: &str) -> &str {
    let Some((label, rest)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) else {
        let sent = line.split_once(" - ").filter(|(when, rest)| is_when(when) && !rest.trim().is_empty());
        return sent.map_or(line, |(_, rest)| rest.trim_start());
    };
    let is_label = !label.is_empty() && label.len() <= 12 && label.bytes().any(|byte| byte.is_ascii_digit());
    let labels = is_label || is_when(label);
    if labels && rest.starts_with(char::is_whitespace) { rest.trim_start() } else { line }
}

/// `Ngozi Adeyinka` of `00:00:41 Ngozi Adeyinka`.
pub(in crate::compress) fn after_time(line: &str) -> &str {
    let stamp = line.split(' ').next().unwrap_or_default();
    let is_time = stamp.contains(':') && stamp.starts_with(|c: char| c.is_ascii_digit());
    let plain = |c: char| c.is_ascii_digit() || ":.,[]()".contains(c);
    if is_time && stamp.chars().all(plain) { line.get(stamp.len()..).unwrap_or_default().trim_start() } else { line }
}

/// Who speaks at the time that a line begins with, where it says nothing else: `00:00:41 Ngozi Adeyinka`.
pub(in crate::compress) fn named_at(line: &str) -> Option<&str> {
    let name = after_time(line);
    let words = || name.split_whitespace();
    let named = (1..=4).contains(&words().count()) && words().all(|word| word.starts_with(char::is_uppercase));
    let plain = name.chars().all(|c| c.is_alphabetic() || " -'’.()".contains(c));
    (name.len() < line.len() && named && plain && !name.ends_with('.')).then_some(name)
}

/// Whether a text is a date and a time of day in digits, and no more.
fn is_when(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let plain = |c: char| c.is_ascii_digit() || " .,:/-TZ\u{202f}".contains(c);
    let bare = text.trim_end_matches(|c: char| "AaPpMm. \u{202f}".contains(c));
    digits >= 7
        && text.len() <= 32
        && text.contains(':')
        && text.starts_with(|c: char| c.is_ascii_digit())
        && bare.chars().all(plain)
}

/// The last line of a run of pytest that begins at a line, up to its summary; what it shows of sources is part of it.
pub(in crate::compress) fn session<'a>(at: usize, count: usize, line: impl Fn(usize) -> &'a str) -> Option<usize> {
    let opens = |number: usize| line(number).starts_with("====") && line(number).contains(" test session starts ");
    let ends = |number: &usize| {
        let line = line(*number).trim_end();
        line.starts_with('=') && line.ends_with('=') && line.contains(" in ")
    };
    opens(at).then(|| (at + 1..count).take_while(|number| !opens(*number)).filter(ends).last()).flatten()
}

/// Whether a line is an item of a list.
pub(in crate::compress) fn is_item(line: &str) -> bool {
    let bullet =
        ["- ", "* ", "+ ", "• ", "– ", "— ", "· ", "◦ ", "▪ ", "・"].iter().any(|bullet| line.starts_with(bullet));
    (bullet || number(line).is_some()) && line.contains(' ')
}

/// The number in front of a line, `3.`, `(a)`, `iv)`, `2.4.1`, with how many levels it has and its length in bytes.
pub(in crate::compress) fn number(line: &str) -> Option<(usize, usize)> {
    // A number is short; what is unbroken for longer is none, and need not be read to its end.
    let line = line.get(..line.floor_char_boundary(LONGEST_NUMBER)).unwrap_or_default();
    let marker = line.split([' ', '\t', '\u{3000}']).next().unwrap_or_default();
    let bare = marker.strip_prefix('(').unwrap_or(marker);
    let closed = bare.strip_suffix(['.', ')', '、', '．']);
    let body = closed.unwrap_or(bare);
    let parts = || body.split('.');
    let digits = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let levels = parts().count();
    let counted = parts().all(digits) && (closed.is_some() || levels > 1);
    let lettered = closed.is_some()
        && (1..=4).contains(&body.len())
        && (body.len() == 1 || body.bytes().all(|byte| b"ivx".contains(&byte)))
        && body.bytes().all(|byte| byte.is_ascii_lowercase());
    (counted || (lettered && marker.ends_with(')'))).then_some((levels, marker.len()))
}

/// Bytes that no number in front of a line has.
const LONGEST_NUMBER: usize = 64;

/// A short line that reads like a title: begins high, ends without a stop.
pub(in crate::compress) fn is_title(line: &str) -> bool {
    let bare = line.trim_matches(['*', '_']);
    let begins =
        bare.chars().next().is_some_and(|c| (c.is_alphabetic() && !c.is_lowercase()) || c.is_ascii_digit() || c == '§');
    let closes = |c: char| {
        c.is_alphanumeric() || matches!(c, ')' | '"' | '\'' | '”' | '’' | '»' | '」' | '》' | '）' | '?' | '？')
    };
    let ends = bare.chars().next_back().is_some_and(closes);
    begins && ends && bare.len() <= 160 && bare.chars().count() <= 80 && bare.split_whitespace().count() <= 12
}

/// Whether `line` goes on with what `before` began. `width` is that of the widest line of their paragraph,
/// 0 where it is a list of lines.
///
/// In hard-wrapped text the first word of a line had no room on the one before.
pub(in crate::compress) fn goes_on(before: &str, line: &str, width: usize) -> bool {
    if width == 0 {
        return false;
    }
    let begins_low = line.chars().find(|c| c.is_alphanumeric()).is_some_and(char::is_lowercase);
    let first = line.split_whitespace().next().unwrap_or_default().chars().count();
    let had_room = before.chars().count() + 1 + first + SLACK <= width;
    !ends(before) && (begins_low || !before.ends_with([':', ';'])) || (!had_room && width <= WIDEST)
}

/// Characters that a line may be short of its paragraph's width though it is full.
const SLACK: usize = 4;

/// Wider lines are paragraphs, not wrapped.
const WIDEST: usize = 120;

/// Who speaks and what is said: `Name: what was said`, the name of at most four words that begin high or are digits.
pub(in crate::compress) fn turn(line: &str) -> Option<(&str, &str)> {
    let (name, said) = lead(line)?;
    let words = || name.split_whitespace();
    let high = |word: &str| match word.chars().find(|c| c.is_alphanumeric()) {
        Some(c) => !c.is_lowercase(),
        None => word.chars().all(is_picture),
    };
    (words().count() <= 4 && words().all(high)).then_some((name, said))
}

/// Who says what in a line of a chat, with the time in front or without.
pub(in crate::compress) fn chatted(line: &str) -> Option<(&str, &str)> {
    turn(after_label(line)).or_else(|| said_at(line))
}

/// The same behind the time that a line begins with: then a name may be anything short, `[21.11.26, 07:01:40] Jule (night): She
/// ate a little.`.
pub(in crate::compress) fn said_at(line: &str) -> Option<(&str, &str)> {
    let rest = after_label(line);
    let stamp = line.get(..line.len() - rest.len()).unwrap_or_default();
    lead(rest).filter(|(name, _)| stamp.contains(':') && name.split_whitespace().count() <= 3)
}

/// A few words in front of a colon, and what stands behind it.
pub(in crate::compress) fn lead(line: &str) -> Option<(&str, &str)> {
    let at = line.find([':', '：'])?;
    let name = line.get(..at)?;
    let said = line.get(at..)?.trim_start_matches([':', '：']);
    let wide = line.get(at..).is_some_and(|rest| rest.starts_with('：'));
    let plain = name.chars().all(|c| c.is_alphanumeric() || " .-_'’()[]*&/#@:".contains(c) || is_picture(c));
    let parted = wide || said.starts_with(char::is_whitespace) || said.starts_with("**");
    let is_name = name.chars().any(char::is_alphabetic)
        && name.len() <= 60
        && name.split_whitespace().count() <= 6
        && parted
        && plain
        // `The Suez Canal (Arabic: …) is` names nobody.
        && [('(', ')'), ('[', ']')].into_iter().all(|(open, close)| name.matches(open).count() == name.matches(close).count())
        && !said.trim().is_empty();
    is_name.then_some((name, said))
}

/// A picture, as people put beside their names, with what modifies it; or a wide space.
fn is_picture(c: char) -> bool {
    matches!(c, '\u{3000}' | '\u{200d}' | '\u{2600}'..='\u{27bf}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}')
}

/// Whether a line begins with the word and the number of a part: `SECTION 4: First aid`.
pub(in crate::compress) fn counts(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let word = words.next().unwrap_or_default();
    let numbered = |word: &str| {
        let bare = word.trim_end_matches([':', '.', ')']);
        bare.len() <= 8
            && (bare.bytes().any(|byte| byte.is_ascii_digit()) || bare.bytes().all(|b| b"IVXABC".contains(&b)))
    };
    COUNTED.has(&word.to_lowercase()) && words.next().is_some_and(numbered)
}

static COUNTED: List = List::new(
    "section article chapter part annex appendix schedule clause lot cláusula artigo título abschnitt artikel kapitel
    teil anhang chapitre annexe artículo capítulo sección anexo статья глава раздел приложение",
);

/// The first `most` characters of a text, on one line, with `…` where it goes on.
pub(in crate::compress) fn beginning(text: &str, most: usize) -> String {
    let line: String = text.chars().take(most).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(most).is_none() { line } else { format!("{}…", line.trim_end()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_concatenate_and_know_their_quotes() {
        let text = "\n\nA.\n\n> b\n>\n>> c\n";
        let found = lines(text);
        assert_eq!(found.iter().filter_map(|line| text.get(line.span.clone())).collect::<String>(), text);
        let read: Vec<(&str, usize, bool)> =
            found.iter().map(|line| (line.text, line.depth, line.after_blank)).collect();
        assert_eq!(read, [("A.", 0, true), ("b", 1, true), ("c", 2, true)]);
    }

    #[test]
    fn a_name_may_have_a_picture() {
        assert_eq!(turn("Nele 🌻: wer bringt ihn mit?"), Some(("Nele 🌻", " wer bringt ihn mit?")));
        assert_eq!(turn("Nele → Ana: ja"), None);
    }

    #[test]
    fn a_quotation_may_name_whom_it_quotes() {
        for (line, wanted) in [
            ("> a", (1, 1)),
            ("  Marek> Is wax needed?", (1, 8)),
            ("AK>> soon", (2, 4)),
            ("a>b", (0, 0)),
            ("<b> x", (0, 0)),
            ("not this> one", (0, 0)),
        ] {
            assert_eq!(quoted(line), wanted, "{line}");
        }
    }

    #[test]
    fn a_name_in_front_is_told_from_other_colons() {
        assert_eq!(turn("Grad F: OK .").map(|turn| turn.0), Some("Grad F"));
        assert_eq!(turn("李明：好的。").map(|turn| turn.0), Some("李明"));
        assert_eq!(turn("see https://x.example/a"), None);
        assert_eq!(turn("at 9:30 we left"), None);
        assert_eq!(lead("For horses: one spoon.").map(|lead| lead.0), Some("For horses"));
    }

    #[test]
    fn numbers_in_front_have_levels() {
        assert_eq!(number("2.4.1 Scope"), Some((3, 5)));
        assert_eq!(number("(a) pay"), Some((1, 3)));
        assert_eq!(number("1990 was dry"), None);
        assert_eq!(number("12 men"), None);
    }
}
