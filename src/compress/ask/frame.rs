//! The frame of a user's message: the question and the instructions around the material, which stay word for word.

use std::ops::Range;

use super::Query;
use crate::compress::text::segment::after_label;

/// What of a message is no material.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::compress) struct Frame {
    /// The question or the task, without its label; what the material is read for.
    question: Option<Range<usize>>,
    /// What is no frame, in order; it may be left out.
    material: Vec<Range<usize>>,
}

impl Frame {
    /// The spans that are not addressed to the model.
    pub(in crate::compress) fn material(&self) -> Vec<Range<usize>> {
        self.material.clone()
    }

    /// What is asked, in the user's words.
    pub(in crate::compress) fn question<'a>(&self, text: &'a str) -> Option<&'a str> {
        text.get(self.question.clone()?)
    }

    /// Whether all of the message is addressed to the model.
    pub(in crate::compress) fn is_whole(&self) -> bool {
        self.material.is_empty()
    }
}

/// Finds the frame of `text`. A tool's result is material: nothing in it is addressed to the model.
#[must_use]
pub(in crate::compress) fn frame(text: &str, query: &Query) -> Frame {
    if query.call.is_some() {
        return Frame { question: None, material: vec![0..text.len()] };
    }
    let Edges { question, head, tail } = edges(text);
    let material = if head < tail { vec![head..tail] } else { Vec::new() };
    Frame { question, material }
}

/// The material as one stretch between what stands before and after it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Edges {
    question: Option<Range<usize>>,
    head: usize,
    tail: usize,
}

impl Edges {
    const fn none(text: &str) -> Self {
        Self { question: None, head: 0, tail: text.len() }
    }
}

/// A text without a frame has `head` 0 and `tail` at its end.
fn edges(text: &str) -> Edges {
    let bare = Edges::none(text);
    let paragraphs = paragraphs(text);
    let ([first, .., last], true) = (paragraphs.as_slice(), text.len() >= SHORTEST) else { return bare };
    let first_asks = ask(text, first, Place::First);
    let last_asks = ask(text, last, Place::Last);
    let mut frame = bare;
    if let Some(asked) = &first_asks {
        frame.head = next_start(&paragraphs, 0).unwrap_or(first.end);
        // An instruction may follow the question, or the question the instruction: `…?` / `Use these documents:`.
        if let Some(second) = paragraphs.get(1).filter(|second| paragraphs.len() > 2 && second.end < text.len() / 3)
            && let Some(more) = ask(text, second, Place::First).filter(|more| more.weight != BARE)
        {
            frame.head = next_start(&paragraphs, 1).unwrap_or(second.end);
            frame.question = Some(if more.weight > asked.weight { more.question } else { asked.question.clone() });
        }
    }
    if let Some(asked) = &last_asks {
        frame.tail = last.start;
        // The question may be the last line of the last paragraph only.
        frame.tail = frame.tail.max(asked.line);
    }
    if frame.question.is_none()
        || last_asks.as_ref().is_some_and(|last| first_asks.as_ref().is_none_or(|first| last.weight >= first.weight))
    {
        frame.question = best(first_asks, last_asks);
    }
    frame
}

fn best(first: Option<Ask>, last: Option<Ask>) -> Option<Range<usize>> {
    let asks = last.into_iter().chain(first);
    let best = asks.reduce(|best, other| if other.weight > best.weight { other } else { best })?;
    (best.weight > INSTRUCTION).then_some(best.question)
}

/// Something that speaks to the reading model.
struct Ask {
    question: Range<usize>,
    /// Where its line begins.
    line: usize,
    weight: u8,
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    First,
    Last,
}

/// How surely a line asks for something.
const INSTRUCTION: u8 = 1;
const BARE: u8 = 2;
const IMPERATIVE: u8 = 3;
const MARKED: u8 = 4;
const LABELLED: u8 = 5;

/// The shortest text, in bytes, whose first or last lines are looked at as a frame.
const SHORTEST: usize = 300;
/// The longest paragraph, in bytes, that can be a question.
const LONGEST: usize = 600;

fn ask(text: &str, paragraph: &Range<usize>, place: Place) -> Option<Ask> {
    // The last line alone may ask where the rest of its paragraph is material.
    let whole = text.get(paragraph.clone())?;
    if whole.len() <= LONGEST
        && let Some(ask) = ask_in(text, paragraph.clone(), place)
    {
        return Some(ask);
    }
    let line = match place {
        Place::First => paragraph.start..paragraph.start + whole.find('\n')?,
        Place::Last => paragraph.start + whole.rfind('\n')? + 1..paragraph.end,
    };
    // Without a blank line between them only a label or a question mark sets the two apart.
    (line.len() <= LONGEST && place == Place::Last)
        .then(|| ask_in(text, line, place))
        .flatten()
        .filter(|ask| ask.weight >= MARKED)
}

fn ask_in(text: &str, span: Range<usize>, place: Place) -> Option<Ask> {
    let part = text.get(span.clone())?;
    let bare = part.trim();
    let quotes = bare.lines().any(|line| line.starts_with('>'));
    if quotes
        || bare.is_empty()
        || after_label(bare).len() < bare.len()
        || bare.starts_with(['#', '|', '{', '<', '`', '>'])
    {
        return None;
    }
    let start = span.start + (part.len() - part.trim_start().len());
    let asked = |offset: usize, weight| Ask { question: start + offset..start + bare.len(), line: start, weight };
    if let Some(offset) = label_end(bare) {
        return Some(asked(offset, LABELLED));
    }
    let words: Vec<String> = bare.split_whitespace().take(60).map(|word| word.to_lowercase()).collect();
    let first = words.first()?.trim_matches(|c: char| !c.is_alphanumeric());
    let stopped = bare.ends_with(['.', ':']);
    if bare.ends_with('?') || (bare.contains("? ") && bare.len() <= LONGEST) {
        return Some(asked(0, MARKED));
    }
    let instructs = words.iter().any(|word| MATERIAL.contains(&word.trim_matches(|c: char| !c.is_alphanumeric())));
    if INTERROGATIVES.contains(&first) && !stopped && words.len() <= 40 {
        return Some(asked(0, MARKED));
    }
    if IMPERATIVES.contains(&first) {
        return Some(asked(0, if instructs && stopped && words.len() <= 8 { INSTRUCTION } else { IMPERATIVE }));
    }
    // An announcement ("Here are some documents.") asks nothing and is material.
    let asks = words.iter().any(|word| IMPERATIVES.contains(&word.trim_matches(|c: char| !c.is_alphanumeric())));
    if instructs && asks && stopped && words.len() <= 40 && place == Place::First {
        return Some(asked(0, INSTRUCTION));
    }
    let one_line = !bare.contains('\n');
    let begins_low = bare.chars().next().is_some_and(char::is_lowercase);
    let plain =
        one_line && !bare.ends_with(|c: char| c.is_ascii_punctuation()) && words.len() <= 30 && words.len() >= 3;
    let labelled = place == Place::Last && has_labels(text);
    (plain && (begins_low || labelled)).then(|| asked(0, BARE))
}

/// Whether the material is made of passages such as `[3] …`: then a line apart from them is no part of it.
fn has_labels(text: &str) -> bool {
    text.lines().filter(|line| after_label(line).len() < line.len()).nth(1).is_some()
}

/// Where the text after a label such as `Question: ` begins.
fn label_end(line: &str) -> Option<usize> {
    let (label, rest) = line.split_once(':')?;
    let label = label.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let known = LABELS.contains(&label.as_str()) && !rest.trim().is_empty();
    known.then(|| line.len() - rest.trim_start_matches(|c: char| c.is_whitespace() || c == '*').len())
}

const LABELS: &[&str] = &[
    "question",
    "q",
    "query",
    "task",
    "instruction",
    "instructions",
    "user question",
    "my question",
    "request",
    "user query",
];

const INTERROGATIVES: &[&str] = &[
    "who", "who's", "whom", "whose", "what", "what's", "when", "where", "where's", "which", "why", "how", "is", "are",
    "was", "were", "do", "does", "did", "can", "could", "should", "would", "will", "has", "have", "had", "in", "on",
    "at", "from", "for", "to",
];

const IMPERATIVES: &[&str] = &[
    "analyse",
    "analyze",
    "answer",
    "compare",
    "compute",
    "count",
    "describe",
    "determine",
    "discuss",
    "explain",
    "extract",
    "find",
    "give",
    "identify",
    "list",
    "name",
    "outline",
    "please",
    "provide",
    "quote",
    "return",
    "review",
    "rewrite",
    "say",
    "show",
    "state",
    "summarise",
    "summarize",
    "tell",
    "translate",
    "use",
    "using",
    "write",
    "based",
    "read",
];

/// Words that an instruction about material holds.
const MATERIAL: &[&str] = &[
    "answer",
    "article",
    "below",
    "context",
    "conversation",
    "document",
    "documents",
    "excerpts",
    "following",
    "information",
    "material",
    "passages",
    "question",
    "sources",
    "text",
    "transcript",
];

/// Spans of the text between blank lines, white space around them left out.
fn paragraphs(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    let mut open = false;
    for line in text.split_inclusive('\n') {
        let end = start + line.trim_end().len();
        match found.last_mut() {
            _ if line.trim().is_empty() => open = false,
            Some(last) if open => last.end = end,
            _ => {
                found.push(start..end);
                open = true;
            }
        }
        start += line.len();
    }
    found
}

fn next_start(paragraphs: &[Range<usize>], index: usize) -> Option<usize> {
    paragraphs.get(index + 1).map(|next| next.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn material() -> String {
        (1..6)
            .map(|n| {
                format!("[{n}] A title\nThe first sentence of passage {n} says something. So does the second one.\n\n")
            })
            .collect()
    }

    fn found(text: &str) -> (Option<&str>, &str) {
        let frame = edges(text);
        (frame.question.and_then(|span| text.get(span)), text.get(frame.head..frame.tail).unwrap())
    }

    #[test]
    fn a_bare_question_at_the_end_is_found() {
        let text = format!("Answer from these documents.\n\n{}who got the first nobel prize", material());
        let (question, body) = found(&text);
        assert_eq!(question, Some("who got the first nobel prize"));
        assert_eq!(body, material());
    }

    #[test]
    fn a_labelled_question_at_the_beginning_is_found_with_the_instruction_after_it() {
        let text = format!("Question: mount of olives\n\nUse these documents:\n\n{}", material());
        assert_eq!(found(&text), (Some("mount of olives"), material().as_str()));
        let bare = format!("where is the mount of olives\n\nUse these documents:\n\n{}", material());
        assert_eq!(found(&bare), (Some("where is the mount of olives"), material().as_str()));
    }

    #[test]
    fn an_announcement_is_material() {
        let text = format!("Here are some documents. I will ask about them later.\n\n{}", material());
        assert_eq!(found(&text), (None, text.as_str()));
    }

    #[test]
    fn a_question_on_the_last_line_of_material_is_found() {
        let text = format!("{}\nGrad F: OK .\nQuestion: What was decided?", material().trim_end());
        assert_eq!(found(&text).0, Some("What was decided?"));
        assert!(found(&text).1.ends_with("OK .\n"));
    }

    #[test]
    fn a_question_in_a_mail_s_quoted_history_is_material() {
        let text = format!("{}On Monday Anna wrote:\n> Can you deliver? The site closes soon.", material());
        assert_eq!(found(&text), (None, text.as_str()));
    }

    #[test]
    fn plain_material_has_no_frame() {
        let text = material();
        assert_eq!(found(&text), (None, text.as_str()));
        assert_eq!(edges("Why?"), Edges { question: None, head: 0, tail: 4 });
    }
}
