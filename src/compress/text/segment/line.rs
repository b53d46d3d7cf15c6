//! Lines joined to runs: a hard-wrapped paragraph is one run, a heading, an item or a speaker's turn starts its own.

use std::ops::Range;

use super::Form;

/// Text between two places where no sentence goes on.
pub(super) struct Run {
    pub(super) span: Range<usize>,
    pub(super) form: Form,
    /// Whether a blank line stands before it.
    pub(super) opens_paragraph: bool,
    /// Whether a new passage starts with it.
    pub(super) opens_passage: bool,
}

pub(super) fn runs(text: &str) -> Vec<Run> {
    let mut found: Vec<Run> = Vec::new();
    let mut blank_before = true;
    let mut previous: &str = "";
    let mut start = 0;
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let span = start..start + line.len();
        start = span.end;
        let bare = line.trim();
        if bare.is_empty() {
            // White space belongs to what stands before it.
            match found.last_mut() {
                Some(last) => last.span.end = span.end,
                None => found.push(Run { span, form: Form::Sentence, opens_paragraph: true, opens_passage: false }),
            }
            blank_before = true;
            continue;
        }
        let (form, opens_passage) = read(bare, blank_before, lines.peek().copied());
        let goes_on = !blank_before && !opens_passage && form == Form::Sentence && wraps(previous, bare);
        match found.last_mut() {
            Some(last) if goes_on && last.form != Form::Heading => last.span.end = span.end,
            // Leading white space goes to the first run.
            Some(first) if text.get(first.span.clone()).is_some_and(|white| white.trim().is_empty()) => {
                *first = Run { span: first.span.start..span.end, form, opens_paragraph: true, opens_passage };
            }
            _ => found.push(Run { span, form, opens_paragraph: blank_before, opens_passage }),
        }
        blank_before = false;
        previous = bare;
    }
    found
}

/// What a line is, and whether a passage starts with it.
fn read(line: &str, blank_before: bool, next: Option<&str>) -> (Form, bool) {
    let rest = after_label(line);
    let labelled = rest.len() < line.len();
    if rest.starts_with('#') && rest.trim_start_matches('#').starts_with(' ') {
        return (Form::Heading, true);
    }
    if is_item(rest) {
        return (Form::Item, labelled);
    }
    let next = next.map(str::trim).unwrap_or_default();
    if (labelled || blank_before)
        && is_title(rest)
        && next.len() > rest.len()
        && !is_item(next)
        && after_label(next).len() == next.len()
    {
        return (Form::Heading, true);
    }
    (Form::Sentence, labelled)
}

/// The line without a passage's label such as `[3] `.
pub(in crate::compress) fn after_label(line: &str) -> &str {
    let Some((label, rest)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) else { return line };
    let is_label = !label.is_empty() && label.len() <= 12 && label.bytes().any(|byte| byte.is_ascii_digit());
    if is_label && rest.starts_with(char::is_whitespace) { rest.trim_start() } else { line }
}

fn is_item(line: &str) -> bool {
    let bullet = ["- ", "* ", "+ ", "• ", "– ", "· "].iter().any(|bullet| line.starts_with(bullet));
    let marker = line.split(' ').next().unwrap_or_default();
    let number = marker.strip_suffix(['.', ')']).map(|number| number.trim_start_matches('('));
    let numbered = number.is_some_and(|number| {
        let digits = !number.is_empty() && number.len() <= 3 && number.bytes().all(|byte| byte.is_ascii_digit());
        digits || (number.len() == 1 && marker.ends_with(')') && number.bytes().all(|byte| byte.is_ascii_lowercase()))
    });
    (bullet || numbered) && line.contains(' ')
}

/// A short line that reads like a title: begins high, ends without a stop.
fn is_title(line: &str) -> bool {
    let begins = line.chars().next().is_some_and(|c| c.is_uppercase() || c.is_ascii_digit());
    let ends = line.chars().next_back().is_some_and(|c| c.is_alphanumeric() || matches!(c, ')' | '"' | '\''));
    begins && ends && line.len() <= 80 && line.split_whitespace().count() <= 12
}

/// Whether `line` goes on with the sentence or paragraph of `previous`.
fn wraps(previous: &str, line: &str) -> bool {
    // A turn such as `Grad F: OK .` or a line of a poem, an address, a header stands alone.
    let long = previous.len() >= 50;
    let begins_low = line.chars().next().is_some_and(char::is_lowercase);
    !is_turn(line) && (begins_low || long)
}

fn is_turn(line: &str) -> bool {
    turn(line).is_some()
}

/// Who speaks and what is said: `Name: what was said`, the name of at most four words that begin high or are digits.
pub(in crate::compress) fn turn(line: &str) -> Option<(&str, &str)> {
    let (name, said) = line.split_once(':')?;
    let words = || name.split_whitespace();
    let is_name = !name.is_empty()
        && name.len() <= 40
        && said.starts_with(char::is_whitespace)
        && words().count() <= 4
        && words().all(|word| word.chars().next().is_some_and(|c| c.is_uppercase() || c.is_ascii_digit()));
    is_name.then_some((name, said))
}
