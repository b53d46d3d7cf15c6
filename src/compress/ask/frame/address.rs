//! Whether a sentence is addressed to the model: it asks, orders, wishes, or speaks of the message that it stands in.

use std::ops::Range;

use crate::compress::{
    fuel,
    text::{
        lexicon::{List, address as words},
        segment,
    },
    worth::weights::FRAME_SENTENCES,
};

/// How surely a sentence speaks to the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Call {
    /// It tells something.
    None,
    /// The user speaks of himself.
    Weak,
    /// It asks, orders or wishes.
    Strong,
    /// It asks, and speaks of this very message or of the answer to it.
    Explicit,
}

/// How the sentences of a part speak.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Calls {
    pub(super) sentences: usize,
    pub(super) weak: usize,
    /// Of these the ones in which he speaks for himself alone: `we` is also how firms and clubs speak.
    alone: usize,
    pub(super) strong: usize,
    pub(super) explicit: usize,
    pub(super) questions: usize,
    /// Orders to tell or to do something for the one who speaks, `Tell me the steps.`: no document gives them.
    pub(super) for_me: usize,
    /// Whether the first one speaks to the model at all, and whether it does surely.
    pub(super) begins: bool,
    pub(super) begins_strong: bool,
}

impl Calls {
    /// Reads a part of a text; of a long one no more than its first bytes.
    pub(super) fn of(part: &str) -> Self {
        let part = part.get(..part.floor_char_boundary(MOST_READ)).unwrap_or(part);
        let mut calls = Self::default();
        for sentence in sentences(part) {
            let sentence = part.get(sentence).unwrap_or_default();
            let call = call(sentence);
            if calls.sentences == 0 {
                calls.begins = call > Call::None && !forbids(part);
                calls.begins_strong = call > Call::Weak && !forbids(part);
            }
            calls.sentences += 1;
            calls.weak += usize::from(call == Call::Weak);
            calls.alone += usize::from(call == Call::Weak && is_alone(sentence));
            calls.strong += usize::from(call >= Call::Strong);
            calls.explicit += usize::from(call == Call::Explicit);
            calls.questions += usize::from(is_question(bare(sentence)));
            calls.for_me += usize::from(call >= Call::Strong && is_for_me(sentence));
        }
        calls
    }

    /// At the edge of a message: a part that asks for the most part, or a shorter one that begins by asking.
    pub(super) const fn at_an_edge(&self) -> bool {
        self.in_the_middle()
            || self.begins
                && self.strong * 4 >= self.sentences
                && self.strong > 0
                && self.sentences <= 3 * FRAME_SENTENCES
            || self.begins_strong && self.sentences <= FRAME_SENTENCES
    }

    /// In the middle of material: only what asks for the most part.
    pub(super) const fn in_the_middle(&self) -> bool {
        self.strong * 2 >= self.sentences && self.strong > 0
    }

    /// Whether the user mostly speaks of himself.
    pub(super) const fn is_personal(&self) -> bool {
        (self.weak + self.strong) * 3 >= self.sentences && self.alone + self.strong > 0
    }
}

/// Bytes of a part that are read for whether it asks.
const MOST_READ: usize = 6000;

/// The sentences of a part, blank ones left out.
pub(super) fn sentences(part: &str) -> Vec<Range<usize>> {
    let spans = segment::sentences(part).into_iter();
    spans.filter(|span| part.get(span.clone()).is_some_and(|text| text.contains(char::is_alphanumeric))).collect()
}

/// How surely a sentence speaks to the model.
pub(super) fn call(sentence: &str) -> Call {
    let bare = bare(sentence);
    let lower = beginning(bare);
    let strong = speaks(bare, &lower);
    match (strong, words::refers(&lower)) {
        (true, true) => Call::Explicit,
        (true, false) => Call::Strong,
        // A short one that speaks of the message announces its material.
        (false, true) if bare.len() <= 200 => Call::Strong,
        (false, _) if tokens(&lower).any(|word| words::FIRST_PERSON.has(word)) => Call::Weak,
        (false, _) => Call::None,
    }
}

/// Whether the first person of a sentence is one person somewhere.
fn is_alone(sentence: &str) -> bool {
    let lower = beginning(bare(sentence));
    tokens(&lower).any(|word| words::FIRST_PERSON.has(word) && !words::FIRST_PERSONS.has(word))
}

/// Whether it orders something for the one who speaks.
fn is_for_me(sentence: &str) -> bool {
    let bare = bare(sentence);
    let lower = beginning(bare);
    let mut words = tokens(&lower).skip_while(|word| words::OPENERS.has(word));
    let first = words.next().unwrap_or_default();
    !is_question(bare) && words::REQUESTS.has(first) && words.next().is_some_and(|word| ME.has(word))
}

/// `Tell me`, `Gib mir`, `Dis-moi`.
static ME: List = List::new("me mir mich moi мне");

/// Whether it asks, orders or wishes; an announcement (`Here are some documents.`) does none of these.
pub(super) fn asks(sentence: &str) -> bool {
    let bare = bare(sentence);
    speaks(bare, &beginning(bare))
}

/// As much of a sentence as tells whom it addresses, in lower case.
fn beginning(bare: &str) -> String {
    let read = bare.get(..bare.floor_char_boundary(MOST_READ)).unwrap_or(bare);
    fuel::step(read.len());
    read.to_lowercase().replace('\u{2019}', "'")
}

fn speaks(bare: &str, lower: &str) -> bool {
    is_labelled(bare)
        || is_question(bare)
        || words::wish(lower)
        || words::asks_by_ending(bare)
        || orders(bare, lower)
        || after_a_condition(lower)
        || after_a_lead(bare, lower)
}

/// `ok so this is the job: draft a reply`.
fn after_a_lead(bare: &str, lower: &str) -> bool {
    let Some(at) = lower.find(": ").filter(|at| *at <= LONGEST_LEAD && bare.len() == lower.len()) else { return false };
    let (rest, lower) = (bare.get(at + 2..).unwrap_or_default(), lower.get(at + 2..).unwrap_or_default());
    orders(rest.trim_start(), lower.trim_start())
}

/// Bytes of what leads over to an order.
const LONGEST_LEAD: usize = 60;

/// Without what a list or an emphasis puts in front.
pub(super) fn bare(sentence: &str) -> &str {
    let mut rest = sentence.trim();
    loop {
        let before = rest.len();
        rest =
            rest.trim_start_matches(['-', '*', '#', '•', '–', '>', '"', '\u{201c}', '(', '_', '+', '·']).trim_start();
        let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let numbered = rest.len() - digits.len();
        if (1..=3).contains(&numbered)
            && digits.starts_with([')', '.'])
            && digits.get(1..).is_some_and(|after| after.starts_with(' '))
        {
            rest = digits.get(1..).unwrap_or_default().trim_start();
        }
        if rest.len() == before {
            return rest;
        }
    }
}

pub(super) fn is_question(bare: &str) -> bool {
    let end = bare.trim_end_matches(['"', '\'', ')', '*', '\u{201d}', '»', ' ', '.', '>']);
    end.ends_with(['?', '？', '؟', '\u{37e}'])
}

/// The label that a line begins with, `Question` in `Question: who?`, and what follows it.
pub(super) fn label(line: &str) -> Option<(&str, &str)> {
    let bare = bare(line);
    let (name, rest) = bare.split_once(':').or_else(|| bare.split_once('：'))?;
    let name = name.trim_matches(|c: char| !c.is_alphanumeric());
    let fits = !name.is_empty() && name.len() <= 40 && name.split_whitespace().count() <= 5;
    (fits && !rest.starts_with("//")).then_some((name, rest.trim_start_matches(['*', ' ', ']'])))
}

/// Whether a name of a tag, a heading or a label is that of something addressed to the model, or of material.
pub(super) fn names(name: &str, list: &List) -> bool {
    let lower = name.to_lowercase();
    lower.split(|c: char| !c.is_alphanumeric()).any(|word| list.has(word))
}

/// Whether the last word of a name is in the list: a `context-note` is a note.
pub(super) fn heads(name: &str, list: &List) -> bool {
    let lower = name.to_lowercase();
    lower
        .split(|c: char| !c.is_alphanumeric())
        .rfind(|word| !word.is_empty() && !word.bytes().all(|b| b.is_ascii_digit()))
        .is_some_and(|word| list.has(word))
}

fn is_labelled(bare: &str) -> bool {
    label(bare).is_some_and(|(name, _)| heads(name, &words::INSTRUCTIVE))
}

/// Whether it begins by forbidding: leaflets and rules do so as well as users.
fn forbids(part: &str) -> bool {
    let lower = bare(part).get(..12).unwrap_or_default().to_lowercase();
    ["do not", "don't", "never", "avoid", "no "].iter().any(|word| lower.starts_with(word))
}

/// Whether it begins with an imperative, or asks politely; a label in front is passed over.
fn orders(bare: &str, lower: &str) -> bool {
    let bare = label(bare).map_or(bare, |(_, rest)| rest.trim_start());
    let lower = lower.get(lower.len().saturating_sub(bare.len())..).unwrap_or(lower);
    if tokens(lower).any(|word| words::POLITE.has(word)) {
        return true;
    }
    let mut tokens = tokens(lower).skip_while(|word| words::OPENERS.has(word)).peekable();
    let Some(first) = tokens.next() else { return false };
    let second = tokens.peek().copied().unwrap_or_default();
    if words::REQUESTS.has(first) && !NOMINAL.has(second) {
        return true;
    }
    shaped(bare, first, second) || ends_like_an_order(first, second)
}

/// Words behind a noun: `Use of …`, `Answer was …`.
static NOMINAL: List = List::new("of is was are were has had can may will would and or");

/// An English verb in its plain form with its object: `Weigh the text …`.
fn shaped(bare: &str, first: &str, second: &str) -> bool {
    let plain = first.len() >= 3
        && first.bytes().all(|byte| byte.is_ascii_lowercase())
        && (!first.ends_with('s') || first.ends_with("ss"))
        && !first.ends_with("ed")
        && !first.ends_with("ing")
        && !first.ends_with("ly");
    let begins_high = bare.chars().next().is_some_and(char::is_uppercase);
    // `Quarantine, the maker has not answered.`
    let parted = bare.get(first.len()..).is_some_and(|rest| rest.starts_with(','));
    plain
        && !parted
        && begins_high
        && words::OBJECTS.has(second)
        && !words::RELATIONS.has(first)
        && !words::OBJECTS.has(first)
        && !words::INTERROGATIVES.has(first)
        && !words::FIRST_PERSON.has(first)
        && !NO_VERBS.has(first)
}

static NO_VERBS: List = List::new("he she they you however maybe perhaps today tomorrow yesterday tonight yes");

/// Imperatives known by their ending: `Résumez`, `Schreiben Sie`, `Переведите`, `Napiszcie`.
fn ends_like_an_order(first: &str, second: &str) -> bool {
    (first.ends_with("ez") && first.len() > 4 && first != "chez")
        || first == "ne"
        || (first == "no" && second.len() > 5 && (second.ends_with("es") || second.ends_with("as")))
        || (first == "non" && ["are", "ere", "ire"].iter().any(|ending| second.ends_with(ending)))
        || (first == "nie" && (second.ends_with("aj") || second.ends_with("uj")))
        || (first == "не" && ["й", "йте", "ите", "ь"].iter().any(|ending| second.ends_with(ending)))
        || (second == "sie" && first.ends_with("en"))
        || ["йте", "ите", "ьте"].iter().any(|ending| first.ends_with(ending) && first.chars().count() > 5)
        || (first.ends_with("cie") && first.ends_with("jcie"))
}

/// `If a date is missing, write …`; `For each paragraph: one line`.
fn after_a_condition(lower: &str) -> bool {
    let Some(opened) = CONDITIONS.iter().find(|word| lower.starts_with(**word)) else { return false };
    if opened.starts_with("for ") {
        return true;
    }
    let Some((_, clause)) = lower.split_once([',', ':', '，']) else { return false };
    let mut tokens = tokens(clause).skip_while(|word| words::OPENERS.has(word));
    let (first, second) = (tokens.next().unwrap_or_default(), tokens.next().unwrap_or_default());
    words::REQUESTS.has(first) && !NOMINAL.has(second)
}

#[rustfmt::skip]
const CONDITIONS: &[&str] = &[
    "if ", "when ", "where ", "unless ", "for each ", "for every ", "in case ", "before ", "after ", "falls ",
    "wenn ", "si ", "se ", "jeśli ", "если ",
];

fn tokens(lower: &str) -> impl Iterator<Item = &str> {
    let parts = lower.split(|c: char| !(c.is_alphanumeric() || c == '\'' || c == '-'));
    parts.map(|word| word.trim_matches(['\'', '-'])).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_questions_and_wishes_are_addressed_to_the_model() {
        for sentence in [
            "Now weigh the text above against the one below.",
            "Write in Dutch, name no person.",
            "- Do not edit anything below third_party/.",
            "Never commit when a check is red.",
            "I would like a toast for my aunt.",
            "If a date is missing, write \"date to follow\".",
            "For each paragraph above: one line.",
            "Bitte fasse den Text zusammen.",
            "Fassen Sie den Text zusammen.",
            "Résumez ce rapport.",
            "No menciones el lago.",
            "Переведите текст на английский.",
            "请把上文译成中文。",
            "この文章を要約してください。",
            "Who got it?",
            "Question: mount of olives",
        ] {
            assert!(call(sentence) >= Call::Strong, "{sentence}");
        }
    }

    #[test]
    fn what_is_told_is_not() {
        for sentence in [
            "Children draw the kiln.",
            "Visitors may watch from the gallery.",
            "In the thirties a poet lived there.",
            "Half the town came.",
            "State law requires a permit.",
            "Use of force was rare.",
            "The tenant must not sublet.",
            "Swelling may appear on one side.",
            "Der Beitrag wird im März eingezogen.",
            "第3条 设备出现故障时，乙方应当在六小时内到场。",
        ] {
            assert!(call(sentence) < Call::Strong, "{sentence}");
        }
    }
}
