//! What an agent's own program puts in for the model alone: it reminds of rules, in the middle of whatever it shows, a
//! tool's result too. It is addressed to the model wherever it stands, and its tags say so.

use std::ops::Range;

/// The material without the reminders in it.
pub(super) fn without(text: &str, material: Vec<Range<usize>>) -> Vec<Range<usize>> {
    cut(material, find(text))
}

/// The material without the spans in it, which are apart and in order.
pub(super) fn cut(material: Vec<Range<usize>>, spans: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut spans = spans.peekable();
    if spans.peek().is_none() {
        return material;
    }
    let mut kept = Vec::with_capacity(material.len() + 1);
    for mut part in material {
        while let Some(span) = spans.peek().filter(|span| span.start < part.end) {
            if part.start < span.start {
                kept.push(part.start..span.start);
            }
            part.start = part.start.max(span.end);
            // It may reach into the next part.
            if span.end > part.end || spans.next().is_none() {
                break;
            }
        }
        if part.start < part.end {
            kept.push(part);
        }
    }
    kept
}

/// The reminders of a text, tags and the white space before them included. One that isn't closed reaches to the end, if
/// it begins a line; within one it is a word like any other.
fn find(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text.get(from..)?.find(OPEN)?;
        let before = text.get(from..start)?;
        let closed = text.get(start..)?.find(CLOSE).map(|at| start + at + CLOSE.len());
        let begins =
            before.trim_end_matches([' ', '\t']).is_empty() || before.trim_end_matches([' ', '\t']).ends_with('\n');
        let end = closed.or_else(|| begins.then_some(text.len()))?;
        // The white space before it ends nothing of the material.
        let before = before.trim_end().len();
        let span = from + before..end;
        from = end;
        Some(span)
    })
}

const OPEN: &str = "<system-reminder>";
const CLOSE: &str = "</system-reminder>";

#[cfg(test)]
mod tests {
    use super::*;

    fn left(text: &str, cuts: &[usize]) -> Vec<String> {
        let ends = cuts.iter().copied().chain([text.len()]);
        let material = std::iter::once(0).chain(cuts.iter().copied()).zip(ends).map(|(from, to)| from..to);
        let kept = without(text, material.collect());
        kept.into_iter().map(|span| text.get(span).unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn reminders_are_taken_out_of_the_material_wherever_they_stand() {
        let reminder = "<system-reminder>a rule</system-reminder>";
        let text = format!("{reminder}one{reminder}{reminder}two{reminder}");
        assert_eq!(left(&text, &[]), ["one", "two"]);
        let from = reminder.len() + 1;
        assert_eq!(left(&text, &[from]), ["o", "ne", "two"]);
        assert_eq!(left("one", &[]), ["one"]);
        let apart = format!("one \n\n{reminder}\ntwo");
        assert_eq!(left(&apart, &[]), ["one", "\ntwo"]);
    }

    #[test]
    fn one_that_is_not_closed_reaches_to_the_end() {
        let text = "one\n<system-reminder>a rule";
        assert_eq!(left(text, &[]), ["one"]);
        assert_eq!(left(text, &[6]), ["one"]);
        let text = "With `<system-reminder>` it reminds of a rule.";
        assert_eq!(left(text, &[]), [text]);
    }
}
