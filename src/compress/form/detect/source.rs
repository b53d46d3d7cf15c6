//! Unfenced code: paragraphs whose lines say what only code says.
//!
//! No language is known by name. A line that ends or begins as statements do counts for code, a plain sentence against it;
//! remarks and what is indented below go with their neighbours.

use super::lines::{self, Look};
use crate::compress::text::lexicon::List;

/// What a paragraph looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Mostly statements.
    Code,
    /// Nothing that speaks for or against it: remarks, single words.
    Open,
    /// Anything else.
    Other,
}

/// Judges a paragraph by its lines.
pub(super) fn judge<'a>(paragraph: impl Iterator<Item = &'a str>) -> Verdict {
    let (mut all, mut code, mut against) = (0_usize, 0_usize, 0_usize);
    for line in paragraph.take(SAMPLE) {
        let content = line.trim();
        if is_remark(content) {
            continue;
        }
        all += 1;
        if is_statement(content) {
            code += 1;
        } else if !line.starts_with([' ', '\t']) || is_sentence(content) {
            against += usize::from(
                is_sentence(content) || !matches!(lines::look(line), Look::Code | Look::Setting | Look::Text),
            );
        }
    }
    match all {
        0 => Verdict::Open,
        _ if code * 2 >= all && against * 5 <= all => Verdict::Code,
        _ if against == 0 && all <= 2 => Verdict::Open,
        _ => Verdict::Other,
    }
}

/// A comment in most languages; a heading or an item of a list is one just as well.
fn is_remark(content: &str) -> bool {
    ["#", "//", "/*", "*", "--", ";", "<!--", "%"].iter().any(|mark| content.starts_with(mark))
        && !content.ends_with([';', '{', '}'])
}

/// A line that ends or begins as only code does.
fn is_statement(content: &str) -> bool {
    let first = content.split([' ', '(', ':', ';']).next().unwrap_or_default();
    // `(b) the seller delivers;` ends like a statement and is a clause.
    let bare = content.trim_start_matches(|c: char| "()-•*".contains(c) || c.is_ascii_digit());
    let bare = bare.split_once(") ").filter(|(label, _)| label.len() <= 4).map_or(bare, |(_, rest)| rest);
    let worded =
        bare.chars().all(|c| c.is_alphabetic() || c.is_whitespace() || ",;.'’()-".contains(c)) && bare.contains(' ');
    let ends = content.ends_with(['{', '}', '\\'])
        || (content.ends_with(';') && !worded)
        || ["},", "),", ");", "):"].iter().any(|end| content.ends_with(end) && !worded);
    let called = content.ends_with(')') && content.contains('(') && !content.contains(". ") && !content.contains(" (");
    let assigned = content
        .split_once(" = ")
        .or_else(|| content.split_once(" := "))
        .or_else(|| content.split_once(" += "))
        .is_some_and(|(name, _)| {
            !name.trim().is_empty()
                && name.split_whitespace().count() <= 3
                && !name.contains(|c: char| "?!,".contains(c))
        });
    let keyword = WORDS.has(first) && !is_sentence(content);
    ends || called || assigned || keyword
}

/// Six plain words and more, most of the line, that end as a sentence does or go on.
fn is_sentence(content: &str) -> bool {
    let plain = |word: &&str| {
        let word = word.trim_matches(['.', ',', ';', ':', '?', '!', '(', ')', '"', '\'']);
        !word.is_empty() && word.chars().all(|c| c.is_alphabetic() || c == '-' || c == '\'' || c == '’')
    };
    let all = content.split_whitespace().count();
    let words = content.split_whitespace().filter(plain).count();
    words >= 6 && words * 5 >= all * 4 && !content.ends_with([';', '{', '}'])
}

/// Lines of a paragraph that are looked at.
const SAMPLE: usize = 200;

/// Words that begin a statement of some language.
static WORDS: List = List::new(
    "ADD ALTER AND CMD COPY CREATE DELETE ENTRYPOINT ENV EXPOSE FROM GROUP INSERT JOIN LEFT ORDER RUN SELECT SET
    UPDATE USER VALUES WHERE WITH WORKDIR async await break case catch class const continue def defp defmodule do
    done echo elif else end enum esac except exit export fi fn for foreach from func function if impl import
    interface let local match module my namespace package private protected pub public raise require return static
    struct sub switch then throw trait try type use using val var when where while yield",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_of_code_are_told_from_prose() {
        for code in [
            "import os\nfrom a import b",
            "if [ -n \"$x\" ]; then\n    rm -rf \"$x\"\nfi",
            "SELECT a, b\nFROM t\nWHERE a = 1",
            "h1 {\n  color: red;\n}",
            "# why\nx = 1\ny = f(x)",
            "int f(int a)\n{\n    return a;\n}",
        ] {
            assert_eq!(judge(code.lines()), Verdict::Code, "{code}");
        }
        for other in [
            "The parties agree on this:\n(a) the buyer pays;\n(b) the seller delivers at its own cost;",
            "Dear all,\nplease find the notes of the meeting below, as we said.",
            "2024-05-01 10:00:00 INFO a\n2024-05-01 10:00:01 ERROR b\n2024-05-01 10:00:02 INFO c",
            "name  size  kind\na  1  x\nb  2  y",
            "PhD C: Well , I think so .\nPhD D: Yes .\nGrad E: Yeah .",
        ] {
            assert_ne!(judge(other.lines()), Verdict::Code, "{other}");
        }
    }
}
