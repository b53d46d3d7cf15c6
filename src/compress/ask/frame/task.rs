//! What is asked: of all that is addressed to the model, the part that tells best what the material is read for.

use std::ops::Range;

use super::address::{Call, asks, bare, call, heads, is_question, label, sentences};
use crate::compress::text::lexicon::{List, address as words};

/// How well a sentence tells what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    /// A rule, a format, a wish beside the task.
    Rule,
    /// A line of a few words at an edge: a search query, a title of a task.
    Bare,
    /// An imperative.
    Order,
    /// It ends with a question mark.
    Question,
    /// It stands behind a label or in a tag that says so.
    Labelled,
}

/// A part of the frame.
pub(super) struct Heard {
    pub(super) span: Range<usize>,
    /// Whether its tag, field or heading says that it is what is asked.
    pub(super) named: bool,
    /// How many stretches of material stand before it.
    pub(super) stretch: usize,
    /// Whether it is the first or the last of the message.
    pub(super) edge: bool,
}

/// The question or the task, without its label. Of equal ones the last stretch's first; of questions behind all material
/// from the first to the last, since a mail may end with one of its own and the user's follow.
pub(super) fn task(text: &str, frame: &[Heard]) -> Option<Range<usize>> {
    let mut best: Option<(Told, usize, Range<usize>)> = None;
    let last = frame.last().map_or(0, |heard| heard.stretch);
    for heard in frame {
        let Some((told, span)) = read(text, heard) else { continue };
        if let Some((_, _, held)) = best.as_mut().filter(|(held, stretch, held_span)| {
            (*held, told) == (Told::Question, Told::Question)
                && (*stretch, heard.stretch) == (last, last)
                && last > 0
                && span.start.saturating_sub(held_span.end) <= LONGEST_TOLD
        }) {
            held.end = span.end;
            continue;
        }
        let better =
            best.as_ref().is_none_or(|(held, stretch, _)| told > *held || told == *held && heard.stretch > *stretch);
        if better {
            best = Some((told, heard.stretch, span));
        }
    }
    best.map(|(_, _, span)| span)
}

/// What is told around a question in its paragraph, nearest first: `I bought a card for ten swims. Can I have my money
/// back?`. Of rules and orders it holds nothing.
pub(super) fn situation(text: &str, frame: &[Heard], question: &Range<usize>) -> Vec<Range<usize>> {
    let asking = frame.iter().find(|heard| heard.span.start <= question.start && question.end <= heard.span.end);
    let Some(heard) = asking.filter(|heard| !heard.named) else { return Vec::new() };
    let part = text.get(heard.span.clone()).unwrap_or_default();
    let tells = |span: &Range<usize>| {
        let here = part.get(span.clone()).unwrap_or_default();
        let points = bare(here).split_whitespace().next().is_some_and(|first| is_pointer(&first.to_lowercase()));
        let told = told(here, heard).0;
        // `I'd like to load the fountains. What is the address?`
        let wish = told == Some(Told::Order)
            && call(here) == Call::Strong
            && words::is_own(&here.to_lowercase().replace('\u{2019}', "'"));
        (told.is_none() || wish) && label(bare(here)).is_none() && !points
    };
    let placed = |span: Range<usize>| heard.span.start + span.start..heard.span.start + span.end;
    let mut found: Vec<Range<usize>> = sentences(part).into_iter().filter(tells).map(placed).collect();
    let distance =
        |span: &Range<usize>| question.start.saturating_sub(span.end).max(span.start.saturating_sub(question.end));
    found.retain(|span| (span.end <= question.start || question.end <= span.start) && span.len() <= LONGEST_TOLD);
    found.sort_by_key(|span| (distance(span), span.start));
    found.truncate(MOST_TOLD);
    found
}

/// Sentences around a question that are read with it, and bytes of one.
const MOST_TOLD: usize = 3;
const LONGEST_TOLD: usize = 400;

/// Whether a sentence that begins so speaks of the material: `That is what it printed.`, `Here is the log.`
fn is_pointer(first: &str) -> bool {
    words::DEMONSTRATIVES.has(first) || matches!(first, "that" | "those" | "here" | "above")
}

fn read(text: &str, heard: &Heard) -> Option<(Told, Range<usize>)> {
    let part = text.get(heard.span.clone())?;
    let trimmed = |span: Range<usize>| {
        let inner = part.get(span.clone()).unwrap_or_default();
        let start = heard.span.start + span.start + (inner.len() - inner.trim_start().len());
        start..start + inner.trim().len()
    };
    let mut best: Option<(Told, Range<usize>)> = None;
    for sentence in sentences(part) {
        let here = part.get(sentence.clone()).unwrap_or_default();
        let (told, from) = told(here, heard);
        let Some(told) = told else { continue };
        let span = sentence.start + from..sentence.end;
        match &mut best {
            // What is asked may go on over several sentences.
            Some((held, held_span)) if *held == told && held_span.end == sentence.start => held_span.end = span.end,
            Some((held, _)) if *held > told => {}
            _ => best = Some((told, span)),
        }
    }
    best.map(|(told, span)| (told, trimmed(span))).filter(|(_, span)| !span.is_empty())
}

/// How well one sentence tells it, and where what it tells begins.
fn told(sentence: &str, heard: &Heard) -> (Option<Told>, usize) {
    if let Some((name, rest)) = label(sentence).filter(|(name, rest)| heads(name, &TASKS) && !rest.trim().is_empty()) {
        let at = sentence.find(name).map_or(0, |at| at + name.len());
        let from = sentence.get(at..).and_then(|after| after.find(rest.trim())).map_or(0, |after| at + after);
        return (Some(Told::Labelled), from);
    }
    let plain = bare(sentence);
    if label(plain).is_some_and(|(_, rest)| rest.trim().is_empty()) && !asks_in_words(plain) {
        return (None, 0);
    }
    if heard.named {
        return (Some(Told::Labelled), 0);
    }
    if is_question(plain) {
        return (Some(Told::Question), 0);
    }
    let first = plain.split_whitespace().next().unwrap_or_default().to_lowercase();
    let ends = plain.ends_with(|c: char| c.is_ascii_punctuation());
    if words::INTERROGATIVES.has(&first) && !ends {
        return (Some(Told::Question), 0);
    }
    let rule = label(plain).is_some() || RULES.has(&first);
    if asks(sentence) {
        return (Some(if rule { Told::Rule } else { Told::Order }), 0);
    }
    let words = plain.split_whitespace().count();
    let query = heard.edge && !ends && (2..=30).contains(&words) && label(plain).is_none();
    (query.then_some(Told::Bare), 0)
}

/// Whether what stands before a colon asks by itself: `Summarise this:`, not `Question:`.
fn asks_in_words(label: &str) -> bool {
    asks(label.trim_end_matches([':', '：', ' ']))
}

/// Words with which a rule begins, or a remark on the form of the answer.
static RULES: List = List::new(
    "do don't never no avoid keep if use using only limit you return respond reply output answer format read ne
    non nie не",
);

/// Names of labels, tags and fields that hold what is asked.
pub(super) static TASKS: List = List::new(
    "question q query task instruction request ask problem frage aufgabe pregunta tarea pergunta tarefa domanda
    compito tâche pytanie zadanie вопрос задача задание vraag opdracht 问题 問題 質問 질문 سؤال प्रश्न",
);
