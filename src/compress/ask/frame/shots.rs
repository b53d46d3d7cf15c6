//! Examples with their answers (few-shot prompts): records of labelled lines, often with the last answer left open.

use std::{collections::HashMap, ops::Range};

use super::{
    address::{bare, label, names},
    outline::lines,
};
use crate::compress::{
    text::lexicon::address as words,
    worth::weights::{FRAME_LINE, FRAME_TEXT},
};

/// Examples of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shots {
    /// From the first example to the end of the last.
    pub(super) span: Range<usize>,
    /// What is left to be answered, between its label and the open one.
    pub(super) asked: Option<Range<usize>>,
}

/// A line that begins with a label.
struct Labelled<'a> {
    name: &'a str,
    line: Range<usize>,
    /// What stands after the label, up to the next one.
    value: Range<usize>,
}

/// Finds the examples, if there are any.
pub(super) fn shots(text: &str) -> Option<Shots> {
    let labelled = labelled(text);
    open_ended(text, &labelled).or_else(|| paired(text, &labelled)).or_else(|| pointed(text))
}

/// Lines with an arrow between what is given and its answer, of which the last one waits for its own.
fn pointed(text: &str) -> Option<Shots> {
    let lines = lines(text, &(0..text.len()));
    let filled = |line: &&Range<usize>| text.get((*line).clone()).is_some_and(|line| !line.trim().is_empty());
    let last = lines.iter().rfind(filled)?;
    let open = text.get(last.clone())?.trim_end();
    let arrow = ARROWS.into_iter().find(|arrow| open.ends_with(arrow))?;
    let answered = |line: &&Range<usize>| {
        let pair = text.get((*line).clone()).and_then(|line| line.split_once(arrow));
        pair.is_some_and(|(given, answer)| !given.trim().is_empty() && !answer.trim().is_empty())
    };
    let first = lines.iter().find(answered)?;
    let span = first.start..text.len();
    let of_examples = lines.iter().filter(|line| line.start >= span.start).filter(filled);
    let shown = of_examples.clone().filter(answered).count();
    let asked = last.start..last.start + open.len() - arrow.len();
    (shown >= FEWEST_SHOWN && (shown + 1) * 4 >= of_examples.count() * 3).then_some(Shots { span, asked: Some(asked) })
}

const ARROWS: [&str; 5] = ["->", "=>", "→", "⇒", "-->"];

/// Examples in front of what waits for its answer behind an arrow.
const FEWEST_SHOWN: usize = 2;

fn labelled(text: &str) -> Vec<Labelled<'_>> {
    let mut found: Vec<Labelled<'_>> = Vec::new();
    for line in lines(text, &(0..text.len())) {
        let here = text.get(line.clone()).unwrap_or_default();
        if let Some((name, value)) =
            label(here).filter(|(name, _)| bare(here).starts_with(*name) && !here.starts_with(' '))
        {
            if let Some(above) = found.last_mut() {
                above.value.end = line.start;
            }
            let value = line.end - (here.len() - here.rfind(value).unwrap_or(here.len()))..text.len();
            found.push(Labelled { name, line, value });
        }
    }
    found
}

/// The message ends with a label whose value is to be written, and that label had values before.
fn open_ended(text: &str, labelled: &[Labelled<'_>]) -> Option<Shots> {
    let (last, before) = labelled.split_last()?;
    let open = text.get(last.value.clone())?.trim().is_empty();
    let first = before.iter().position(|other| other.name == last.name)?;
    if !open {
        return None;
    }
    // What an example begins with: the label that follows each answer.
    let mut leads: HashMap<&str, usize> = HashMap::new();
    for pair in labelled.windows(2) {
        if let [answer, next] = pair
            && answer.name == last.name
        {
            *leads.entry(next.name).or_default() += 1;
        }
    }
    let lead = leads.into_iter().max_by_key(|(name, count)| (*count, *name)).map(|(name, _)| name)?;
    let start = before.get(..=first)?.iter().rfind(|other| other.name == lead).or(before.get(first))?.line.start;
    let asked = before.iter().rfind(|other| other.name == lead)?;
    let value = asked.value.start..last.line.start;
    let end = if value.len() > FRAME_TEXT { asked.line.start } else { text.len() };
    Some(Shots { span: start..end, asked: Some(value) })
}

/// Two labels by turns, short values, names that examples have.
fn paired(text: &str, labelled: &[Labelled<'_>]) -> Option<Shots> {
    let of_examples = |name: &str| names(name, &words::EXAMPLES);
    let known: Vec<&Labelled<'_>> = labelled.iter().filter(|one| of_examples(one.name)).collect();
    let (first, last) = (known.first()?, known.last()?);
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for one in &known {
        *counts.entry(one.name).or_default() += 1;
    }
    let pairs = counts.values().filter(|count| **count >= 2).count() >= 2;
    let span = first.line.start..last.value.end.min(paragraph_end(text, last.line.start));
    let short = span.len() <= known.len() * FRAME_LINE;
    (pairs && short).then_some(Shots { span, asked: None })
}

fn paragraph_end(text: &str, from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    rest.find("\n\n").map_or(text.len(), |at| from + at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_answer_makes_examples_of_the_ones_before() {
        let text = "Sort.\n\nMessage: The cup is chipped.\nClass: DAMAGE\n\nMessage: When do you open?\nClass:";
        let found = shots(text).unwrap();
        assert_eq!(text.get(found.span).unwrap().lines().next(), Some("Message: The cup is chipped."));
        assert_eq!(text.get(found.asked.unwrap()).map(str::trim), Some("When do you open?"));
    }

    #[test]
    fn what_waits_behind_an_arrow_makes_examples_of_the_ones_before() {
        let text =
            "One word each.\n\nthe cup is chipped -> DAMAGE\nthird time, nobody home -> RETURN\nwhen do you open? ->";
        let found = shots(text).unwrap();
        assert_eq!(text.get(found.asked.unwrap()).map(str::trim), Some("when do you open?"));
        assert!(text.get(found.span).unwrap().starts_with("the cup"));
        assert_eq!(shots("fn a() -> b\nlet c = 2;\nfn d() ->"), None);
    }

    #[test]
    fn a_transcript_is_no_example() {
        assert_eq!(shots("Anna: It is open.\nBert: It is not.\nAnna: Why?\nBert: Rain."), None);
        assert_eq!(shots("Documents:\nlong\nQuestion: who?\nAnswer:"), None);
    }
}
