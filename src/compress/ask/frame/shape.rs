//! The look of a paragraph: a documentary form, a list, a heading, prose.

use std::{collections::HashMap, ops::Range};

use super::{
    address::{bare, heads, label, names},
    outline::is_shouted,
};
use crate::compress::text::{lexicon::address as words, segment};

/// What a paragraph looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Nobody speaks so to a model: code, rows, logs, quotes, turns, labelled passages, mails.
    Document,
    /// Items, or short pairs of a name and a value: the list of whoever wrote what stands above it.
    List,
    /// A title over what follows.
    Heading,
    /// Sentences.
    Prose,
}

/// How often each label begins a line of the message; what returns is a speaker or a field of a record.
pub(super) struct Labels<'a>(HashMap<&'a str, usize>);

impl<'a> Labels<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let mut counts = HashMap::new();
        for label in text.lines().filter_map(opening) {
            *counts.entry(label).or_default() += 1;
        }
        Self(counts)
    }

    /// Whether a line begins with a label that returns, and that isn't one of the user's own (`Question:`).
    pub(super) fn returns(&self, line: &str) -> bool {
        opening(line).is_some_and(|label| {
            self.0.get(label).is_some_and(|count| *count >= 2) && !names(label, &words::INSTRUCTIVE)
        })
    }
    /// Whether a line begins a passage of several.
    pub(super) fn opens(&self, line: &str) -> bool {
        is_passage(line) || self.returns(line)
    }
}

/// Whether a line begins with the number of a passage: `[3] …`, or `[3]` alone.
pub(super) fn is_passage(line: &str) -> bool {
    let line = line.trim();
    let alone = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let numbered = |label: &str| label.len() <= 12 && label.bytes().any(|byte| byte.is_ascii_digit());
    segment::after_label(line).len() < line.len() || alone.is_some_and(|label| numbered(label) && !label.contains(']'))
}

/// A label at the beginning of a line: a speaker or field before a colon, `Document` before a number, `[` before one.
fn opening(line: &str) -> Option<&str> {
    let line = line.trim();
    if is_passage(line) {
        return Some("[");
    }
    let plain = segment::after_time(bare(line));
    if let Some((name, _)) = label(plain) {
        // The number of a passage is no part of what returns.
        let name = name.trim_end_matches(|c: char| !c.is_alphabetic());
        return (!name.is_empty()).then_some(name);
    }
    // A short line that ends no sentence: a speaker, the head of a chunk, up to the number that tells it apart.
    let ends = plain.ends_with(|c: char| c.is_ascii_punctuation() && !matches!(c, ')' | ']' | '-' | '*' | '.'));
    let name = plain.split(|c: char| c.is_ascii_digit()).next().unwrap_or_default().trim();
    let titled = name.chars().any(char::is_alphabetic) && (name.len() < plain.len() || !plain.ends_with('.'));
    (plain.len() <= 60 && titled && !ends).then_some(name)
}

/// The look of a paragraph without its heading.
pub(super) fn look(text: &str, lines: &[Range<usize>], labels: &Labels<'_>) -> Look {
    let bare: Vec<&str> = lines.iter().filter_map(|line| text.get(line.clone())).map(str::trim_end).collect();
    let most = |test: &dyn Fn(&str) -> bool| bare.iter().filter(|line| test(line)).count() * 2 > bare.len();
    let first = bare.first().copied().unwrap_or_default();
    if bare.len() == 1 && is_heading(first) && !labels.returns(first) {
        return Look::Heading;
    }
    let passage = labels.opens(first) && (bare.len() > 1 || !labels.returns(first));
    if passage
        || most(&|line| line.trim_start().starts_with('>'))
        || is_rows(&bare)
        || most(&is_stamped)
        || most(&is_code)
        || most(&|line| labels.returns(line))
        || bare.iter().filter(|line| is_mail_header(line)).count() >= 2
        || is_value(first)
    {
        return Look::Document;
    }
    if most(&is_item) || bare.len() > 1 && most(&is_pair) { Look::List } else { Look::Prose }
}

pub(super) fn is_heading(line: &str) -> bool {
    let line = line.trim();
    let marks = line.len() - line.trim_start_matches('#').len();
    let marked = (1..=6).contains(&marks) && line.get(marks..).is_some_and(|rest| rest.starts_with(' '));
    let strong =
        line.len() <= 80 && line.len() > 4 && line.starts_with("**") && line.trim_end_matches(':').ends_with("**");
    marked || strong
}

/// A line that names what follows, and whether that is the user's or material: `# Rules`, `CONTEXT:`, `**Text**`.
pub(super) fn hint(line: &str) -> Option<bool> {
    let name = bare(line).trim_end_matches(['*', '#', '_', ' ', '=', '-', ']']).trim_start_matches('[');
    let ends = name.ends_with([':', '：']);
    if !(is_heading(line) || ends || is_shouted(name)) || name.len() > 60 || name.split_whitespace().count() > 6 {
        return None;
    }
    let name = name.trim_end_matches([':', '：', ' ', '*']);
    if heads(name, &words::DOCUMENTARY) {
        Some(true)
    } else if names(name, &words::INSTRUCTIVE) {
        Some(false)
    } else {
        None
    }
}

fn is_item(line: &str) -> bool {
    let line = line.trim_start();
    let bullet = ["- ", "* ", "+ ", "• ", "– ", "· "].iter().any(|bullet| line.starts_with(bullet));
    bullet || line.starts_with(|c: char| c.is_ascii_digit()) && bare(line).len() < line.len()
}

/// `name: value`, where the value is short.
fn is_pair(line: &str) -> bool {
    line.len() <= 120
        && (label(line).is_some() || line.contains(" -> ") || line.contains(" => ") || line.contains(" → "))
}

/// Lines that are rows for the most part.
pub(super) fn is_rows(lines: &[&str]) -> bool {
    let most = |test: &dyn Fn(&str) -> bool| lines.iter().filter(|line| test(line)).count() * 2 > lines.len();
    most(&is_row) || lines.len() > 2 && most(&is_aligned)
}

/// Columns held apart by white space; two blanks after a full stop are none.
fn is_aligned(line: &str) -> bool {
    let line = line.trim();
    line.match_indices("  ")
        .any(|(at, _)| !line.get(..at).is_some_and(|before| before.ends_with(['.', '?', '!', ':', ' '])))
}

fn is_row(line: &str) -> bool {
    let fields = |mark: char| line.matches(mark).count() >= 3 && !line.contains([' ', '\t']);
    [':', ';', ','].into_iter().any(fields)
        || line.matches('|').count() >= 2
        || line.trim().matches('\t').count() >= 1
        || line.matches("\",\"").count() >= 2
}

/// A time, a date or a number in front, as in logs and chats.
fn is_stamped(line: &str) -> bool {
    let front = line.trim_start().trim_start_matches(['[', '(']);
    let digits = front.len() - front.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let after = front.get(digits..).unwrap_or_default();
    let time = (1..=2).contains(&digits)
        && after.starts_with([':', '/', '.', 'h'])
        && after.get(1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let date = digits == 4 && after.starts_with(['-', '/', '.']) || digits >= 8;
    let level = ["INFO", "WARN", "ERROR", "DEBUG", "TRACE", "FATAL"].iter().any(|level| front.starts_with(level));
    time || date || level
}

/// Whether a paragraph is the head of a mail.
pub(super) fn is_mail(part: &str) -> bool {
    part.lines().take(12).filter(|line| is_mail_header(line)).count() >= 2
}

fn is_mail_header(line: &str) -> bool {
    label(line).is_some_and(|(name, rest)| !rest.is_empty() && words::MAIL_HEADERS.has(&name.to_lowercase()))
}

/// Whether a part holds elements of HTML.
pub(super) fn is_markup(part: &str) -> bool {
    let closed = |rest: &str| {
        let end = rest.find('>').filter(|end| *end <= 12);
        end.and_then(|end| rest.get(..end)).is_some_and(|name| words::MARKUP.has(&name.to_lowercase()))
    };
    part.split("</").skip(1).filter(|rest| closed(rest)).take(FEWEST_ELEMENTS).count() == FEWEST_ELEMENTS
}

/// Elements that are closed in a part of HTML at least.
const FEWEST_ELEMENTS: usize = 3;

/// A line of source code by its signs.
pub(super) fn is_code(line: &str) -> bool {
    let content = line.trim();
    if content.is_empty() {
        return false;
    }
    let deep = line.starts_with("    ") || line.starts_with('\t');
    let ends = content.ends_with(['{', '}', ';'])
        || content.ends_with("):")
        || content.ends_with(");")
        || content.ends_with(") {")
        || matches!(content, ")" | "]" | "},")
        || content.ends_with('(');
    let signs = [" = ", " == ", " => ", "::", "();", "()", "->", " += ", "!= ", " && ", " || ", "</", "=\"", "/>"]
        .iter()
        .any(|sign| content.contains(sign));
    let keyword = STATEMENTS.iter().any(|word| content.starts_with(word));
    let stops = content.ends_with(['.', '?', '!', '。']) && !content.contains("//");
    deep && !stops || ends || (signs || keyword && !stops) && !content.ends_with(['.', '?', '!'])
}

/// Begins as a JSON value does.
fn is_value(line: &str) -> bool {
    let line = line.trim();
    line.starts_with(['{', '[']) && (line.len() == 1 || line.contains('"') || line.starts_with("[{"))
}

/// How lines of code, diffs and consoles begin.
#[rustfmt::skip]
const STATEMENTS: &[&str] = &[
    "def ", "class ", "import ", "from ", "return", "fn ", "func ", "let ", "const ", "var ", "public ", "private ",
    "#include", "#!/", "package ", "use ", "struct ", "enum ", "interface ", "if (", "for (", "while (", "elif ",
    "else:", "try:", "@", "//", "/*", "* ", "export ", "async ", "CREATE ", "SELECT ", "INSERT ", "UPDATE ",
    "DELETE FROM", "FROM ", "WHERE ", "SET ", "AND ", "LEFT JOIN", "JOIN ", "+++ ", "--- a/", "@@ ", "diff --git",
    "$ ",
];

#[cfg(test)]
mod tests {
    use super::{super::outline::lines, *};

    fn looks(text: &str) -> Look {
        look(text, &lines(text, &(0..text.len())), &Labels::of(text))
    }

    #[test]
    fn what_nobody_would_say_to_a_model_is_a_document() {
        for text in [
            "[3] A title\nIt was built.",
            "> Can you deliver?\n> Soon.",
            "a | b | c\n1 | 2 | 3",
            "def f(x):\n    return x",
            "SELECT a\nFROM b;",
            "From: a@b.c\nSubject: boats",
            "Anna: hello\nBert: no\nAnna: yes\nBert: ok",
            "12:03 Anna hello\n12:04 Bert no",
            "{\"a\": 1}",
        ] {
            assert_eq!(looks(text), Look::Document, "{text}");
        }
    }

    #[test]
    fn lists_headings_and_sentences_are_not() {
        assert_eq!(looks("- one\n- two"), Look::List);
        assert_eq!(looks("tone: friendly\nlength: 90 words"), Look::List);
        assert_eq!(looks("# Role"), Look::Heading);
        assert_eq!(looks("Please answer: who?"), Look::Prose);
        assert_eq!(hint("# Constraints"), Some(false));
        assert_eq!(hint("Documents:"), Some(true));
        assert_eq!(hint("The mill is old."), None);
    }
}
