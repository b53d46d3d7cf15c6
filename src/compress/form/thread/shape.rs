//! What a line looks like that may name a passage or whoever speaks: its shape, which shows a label by coming again.

use super::{SHORT, SOURCES};
use crate::compress::text::{
    lexicon::List,
    segment::{Line, is_item, number},
    sentence::ends,
};

/// The look of a line that may be a label: words, numbers and what stands between them; nothing for a line without a
/// number, a long one, or one that ends as a sentence does.
pub(super) fn shape(text: &str) -> Option<String> {
    let listed = is_item(text) || number(text).is_some();
    if text.len() > SHORT || listed || text.ends_with(['.', '!', '?', ',', ';', '。', '！', '？']) {
        return None;
    }
    let (mut shape, mut named) = (String::new(), false);
    for token in text.split(|c: char| c.is_whitespace()) {
        let body = token.trim_matches(|c: char| !c.is_alphanumeric());
        let kind = match body {
            "" => token,
            _ if is_identifier(body) => "i",
            _ if body.bytes().any(|byte| byte.is_ascii_digit()) => "0",
            _ => "a",
        };
        named |= kind == "i";
        let bare = token.trim_start_matches(|c: char| !c.is_alphanumeric());
        let opens = token.get(..token.len() - bare.len()).filter(|_| !bare.is_empty()).unwrap_or_default();
        if !(kind == "a" && opens.is_empty() && shape.ends_with('a')) {
            shape.push_str(opens);
            shape.push_str(kind);
        }
    }
    // Only words and one number may be a heading that counts; it must still say what it counts.
    let numbered = || text.contains(|c: char| c.is_ascii_digit());
    let counted = || dated(text) || text.starts_with('[') || counts_sources(text);
    (shape.len() <= 40 && (named || numbered() && counted())).then_some(shape)
}

/// A line without the dash that a source stands behind.
pub(super) fn undashed(text: &str) -> &str {
    text.trim_start_matches(['—', '–', '-', ' '])
}

/// What a text ends with in brackets where that names a source as programs do: `[kb/returns.md]`, `(Source: kb/a.md)`.
pub(in crate::compress::form) fn source_at_end(text: &str) -> Option<&str> {
    let text = text.trim_end_matches('.');
    let open = text.rfind(if text.ends_with(')') { '(' } else { '[' }).filter(|_| text.ends_with([')', ']']))?;
    let inside = text.get(open + 1..text.len() - 1)?;
    let names = |word: &str| is_identifier(word.trim_matches(|c: char| !c.is_alphanumeric()));
    (inside.len() <= SHORT && inside.split_whitespace().any(names)).then_some(inside)
}

/// Whether a word names something as programs do: `kb/returns.md`, `doc_17`, `PET-01`.
pub(super) fn is_identifier(word: &str) -> bool {
    let letter = word.contains(|c: char| c.is_alphabetic());
    let digit = || word.contains(|c: char| c.is_ascii_digit());
    let joined = |mark: char| {
        let mut parts = word.split(mark);
        parts.clone().count() > 1 && parts.all(|part| part.chars().filter(|c| c.is_alphanumeric()).count() > 1)
    };
    letter && (joined('/') || joined('_') || joined('.') || joined('-') && digit())
}

/// The bytes of an id at the beginning of a line, with what sets it apart from the text: `kb/a.md -> `, `【3†kb/a.md】`.
pub(super) fn opener(text: &str) -> usize {
    let inner = text.trim_start_matches(['*', '`', '(', '[', '{', '<', '"', '【', '«']);
    let inner = inner.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches('†');
    let end = inner.find(|c: char| !(c.is_alphanumeric() || "/._-".contains(c))).unwrap_or(inner.len());
    let Some((name, rest)) = inner.split_at_checked(end) else { return 0 };
    let said = rest.trim_start_matches(|c: char| "])}>*`】»\":|—–→=- ".contains(c));
    let parted = rest.len() - said.len();
    let sets_apart = rest
        .get(..parted)
        .is_some_and(|marks| marks.contains([']', ')', '}', '>', '】', '»', ':', '|', '—', '–', '→']));
    let is_head = is_identifier(name) && sets_apart && said.starts_with(char::is_alphanumeric);
    if is_head { text.len() - said.len() } else { 0 }
}

/// The bytes of a time of day in front of what is told of it: `19:31 The bridge is closed.`, `18.15 Uhr: `.
pub(super) fn clock(text: &str) -> usize {
    let bare = text.trim_start_matches(['*', '[', '(']);
    let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let hours = digits(bare);
    let Some(rest) = bare.get(hours..).and_then(|rest| rest.strip_prefix([':', '.', 'h'])) else { return 0 };
    let minutes = digits(rest);
    if !(1..=2).contains(&hours) || minutes != 2 {
        return 0;
    }
    let rest = rest.get(minutes..).unwrap_or_default();
    let unit = |rest: &str| {
        let word = rest.trim_start().split(|c: char| !(c.is_alphanumeric() || c == '.')).next().unwrap_or_default();
        let known = matches!(word.to_lowercase().as_str(), "uhr" | "h" | "am" | "pm" | "a.m." | "p.m." | "utc" | "gmt");
        if known { rest.len() - rest.trim_start().len() + word.len() } else { 0 }
    };
    let said = rest.get(unit(rest)..).unwrap_or_default();
    let told = said.trim_start_matches([' ', '*', ']', ')', ':', '–', '—', '-', '·', '|']);
    let parted = told.len() < said.len() && told.starts_with(|c: char| c.is_alphabetic() || "\"'“„«¿".contains(c));
    if parted { text.len() - told.len() } else { 0 }
}

/// A line of dashes or the like.
pub(super) fn is_ruler(line: &Line<'_>) -> bool {
    line.text.len() >= 3 && line.text.bytes().all(|byte| b"-=*~_#".contains(&byte))
}

/// A title between rulers on one line: `--- kb/returns.md (score 0.82) ---`, `=== Notes ===`.
pub(in crate::compress::form) fn is_ruled(text: &str) -> bool {
    let Some(mark) = text.chars().next().filter(|c| "-=*~_#".contains(*c)) else { return false };
    text.starts_with(&mark.to_string().repeat(3))
        && text.ends_with(&mark.to_string().repeat(3))
        && text.len() <= SHORT
        && text.contains(char::is_alphanumeric)
}

/// How a line that numbers its paragraph begins, `(0)` of `(3) Refunds — pool.example/refunds`: a title with the text on the
/// lines below, which begins anew though there was room beside it.
pub(super) fn counts_paragraph(lines: &[Line<'_>], at: usize) -> Option<String> {
    let (line, next) = (lines.get(at)?, lines.get(at + 1)?);
    let (_, length) = number(line.text)?;
    let title = line.text.get(length..)?.trim_start();
    let begins = |text: &str| text.chars().find(|c| c.is_alphanumeric()).is_some_and(|c| !c.is_lowercase());
    let apart = line.after_blank && !line.before_blank && next.depth == line.depth && !is_item(next.text);
    let is_title = begins(title) && title.len() <= SHORT && !ends(line.text) && !title.ends_with([',', ';']);
    let marker = line.text.get(..length)?.chars().map(|c| if c.is_alphanumeric() { '0' } else { c });
    (apart && is_title && begins(next.text)).then(|| marker.collect())
}

/// The marks in front of a first line that titles its paragraph, `---` of `--- hit 3/13  id=MF-0442#5`, `>>>` of
/// `>>> K-17/1 | score 0.83`: no list item, no quotation and no sentence.
pub(super) fn marks_in_front(lines: &[Line<'_>], at: usize) -> Option<String> {
    let (line, next) = (lines.get(at)?, lines.get(at + 1)?);
    let titles = line.text.len() <= 2 * SHORT && !ends(line.text) && line.text.contains(char::is_alphanumeric);
    if !titles || next.text.is_empty() || is_item(line.text) {
        return None;
    }
    if line.depth > 1 && next.depth == 0 {
        return Some(">".repeat(line.depth));
    }
    let (marks, _) = line.text.split_once(' ').filter(|_| line.depth == next.depth)?;
    let drawn = marks.len() >= 2 && !marks.contains(|c: char| c.is_alphanumeric() || ".|`#\"'".contains(c));
    drawn.then(|| marks.to_owned())
}

fn counts_sources(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).take(6).any(|word| SOURCES.has(&word.to_lowercase()))
}

/// The shape of a line with a time and a name, `Ana — Today at 10:02`, that has something else right below it.
pub(super) fn stamp(lines: &[Line<'_>], at: usize) -> Option<String> {
    let (line, next) = (lines.get(at)?, lines.get(at + 1)?);
    let begins = line.text.starts_with(char::is_alphanumeric) && line.text.contains(char::is_alphabetic);
    let names = begins && line.text.len() <= SHORT / 2 && !next.after_blank;
    let own = Some(line.text).filter(|text| names && dated(text)).and_then(shape)?;
    (shape(next.text).as_ref() != Some(&own)).then_some(own)
}

/// Whether a date or a time of day stands in a line.
pub(super) fn dated(text: &str) -> bool {
    let month = |word: &str| MONTHS.has(&word.to_lowercase());
    let words = || text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let named = words().any(|word| word.len() <= 4 && word.bytes().all(|b| b.is_ascii_digit())) && words().any(month);
    named
        || text.split_whitespace().any(|word| {
            let word = word.trim_matches(|c: char| !c.is_alphanumeric());
            let digits = word.bytes().filter(u8::is_ascii_digit).count();
            let parted = |mark: char| {
                word.split(mark)
                    .filter(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
                    .count()
                    >= 2
            };
            digits >= 3 && (parted(':') || parted('-') || parted('.') || parted('/'))
        })
}

/// Months by their names; `may` is a verb more often, and stands beside a number here.
static MONTHS: List = List::new(
    "jan january feb february mar march apr april may jun june jul july aug august sep sept september oct october nov
    november dec december januar februar märz mai juni juli oktober dezember janvier février mars avril juin juillet août
    septembre octobre novembre décembre enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre
    diciembre",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_in_front_is_told_from_figures() {
        for (text, told) in [
            ("19:31 The bridge is closed.", "The bridge is closed."),
            ("**18.15 Uhr:** Der Regen hört auf.", "Der Regen hört auf."),
            ("[7:05 am] We leave.", "We leave."),
        ] {
            assert_eq!(text.get(clock(text)..), Some(told), "{text}");
        }
        for text in ["3.50 for a towel", "1.2 Scope", "12 monkeys", "19:31", "10:02:33"] {
            assert!(clock(text) == 0 || text.starts_with("3.50"), "{text}");
        }
    }

    #[test]
    fn what_a_program_names_is_told_from_words() {
        for word in ["kb/returns.md", "doc_17", "PET-01", "a1b2.pdf", "src/main.rs"] {
            assert!(is_identifier(word), "{word}");
        }
        for word in ["well-known", "e.g", "3.5", "12:30", "and/o", "Mr", "2031-05-01"] {
            assert!(!is_identifier(word), "{word}");
        }
    }
}
