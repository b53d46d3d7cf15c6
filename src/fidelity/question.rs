//! Questions with answers that are known: sentences with a gap where an atom stood.
//!
//! Small models judge badly but read well. So nobody asks whether a rewrite is faithful: each claim of the condensed text
//! becomes a sentence with a gap, the model fills it from the original, and code compares. The other way round, gaps in
//! the original's sentences filled from the condensed text show what got lost.

use std::ops::Range;

use super::fit::{self, Near, near};
use crate::compress::text::atoms::{
    AtomKind, Found, Scan,
    lex::Border,
    lexicon::{conditional, function_word, light_modal},
};

/// A sentence with a gap, and what stood there.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Question {
    /// Index of the unit.
    pub(super) unit: usize,
    /// The sentence, with [`GAP`] in it.
    pub(super) sentence: String,
    /// What stood in the gap, verbatim.
    pub(super) answer: String,
    /// What it is.
    pub(super) kind: AtomKind,
    /// The words of weight beside the atom.
    pub(super) near: Vec<Near>,
    /// How well the answer stands in the text to read, 0 (not at all) to 1 (between the same neighbours).
    pub(super) fit: f64,
}

/// Stands for the words that are asked for.
pub(super) const GAP: &str = "____";

/// The questions about a condensed text whose answers are not sure to stand in its original, and how many are.
///
/// Words that stand in the original between the same neighbours are its own: whatever a model would answer, it could
/// only be wrong about them.
pub(super) fn claims(unit: usize, original: &str, condensed: &str) -> (Vec<Question>, usize) {
    let (read, scan) = (Scan::new(original), Scan::new(condensed));
    let all = questions(unit, &scan, &read, |_| true);
    let count = all.len();
    let doubtful: Vec<Question> = all.into_iter().filter(|question| question.fit < SURE).collect();
    let sure = count - doubtful.len();
    (doubtful, sure)
}

/// The questions about an original whose answers its condensed text lacks, although it tells of the same thing. Without
/// `every`, those alone whose loss turns a statement: negations, duties, conditions.
pub(super) fn losses(unit: usize, original: &str, condensed: &str, every: bool) -> Vec<Question> {
    let (scan, read) = (Scan::new(original), Scan::new(condensed));
    let weighs = |found: &Found| found.counts() && !(found.kind == AtomKind::Modal && light_modal(&found.key));
    let lost = questions(unit, &scan, &read, |found| weighs(found) && (every || turns(found.kind)));
    // An exception may have gone with all its clause: what it limits stands before it.
    let clause = |q: &Question| every && q.kind == AtomKind::Modal && conditional(first_word(&q.answer));
    let told = |q: &Question| fit::told(&q.near, &read, clause(q)) >= TOLD;
    lost.into_iter().filter(|q| q.fit == 0.0 && told(q)).collect()
}

fn first_word(answer: &str) -> &str {
    answer.split_whitespace().next().unwrap_or_default()
}

/// How well an answer stands at least that stands in the text at all.
const PRESENT: f64 = 0.01;

/// From here on an answer counts as found by code.
const SURE: f64 = 0.8;

/// Share of the neighbours of a gap that a text has to have so that it tells of the same thing.
const TOLD: f64 = 0.6;

/// Words that turn or bind a statement: their absence says as much as another word.
pub(super) const fn turns(kind: AtomKind) -> bool {
    matches!(kind, AtomKind::Negation | AtomKind::Modal | AtomKind::Comparative)
}

/// A question for each atom of a text, read from another, where atoms of one name are one; in order.
fn questions(unit: usize, scan: &Scan<'_>, read: &Scan<'_>, of: impl Fn(&Found) -> bool) -> Vec<Question> {
    let asked = |found: &&Found| !found.words.is_empty() && is_asked(found, scan, read) && of(found);
    let mut end = 0;
    let mut questions = Vec::new();
    for found in scan.found.iter().filter(asked) {
        let core = whole(scan, found, read);
        if core.start >= end {
            end = core.end;
            questions.extend(question(unit, scan, read, &core, found.kind));
        }
    }
    questions
}

/// List marks are the guard's; a quotation matters where the other text has other words; a capital at the start of a sentence need not be a name, and a weak word of
/// direction matters where the other text lacks it.
fn is_asked(found: &Found, scan: &Scan<'_>, read: &Scan<'_>) -> bool {
    match found.kind {
        AtomKind::Item => false,
        AtomKind::Quotation => found.words.len() <= LONGEST_QUOTATION && !stands(scan, &found.words, read),
        AtomKind::Name => !found.weak,
        AtomKind::Comparative => !found.weak || !read.words.iter().any(|word| word.key == found.key),
        _ => true,
    }
}

/// A name is asked for as a whole where the other text has it so; what was left between two may have joined them.
fn whole(scan: &Scan<'_>, found: &Found, read: &Scan<'_>) -> Range<usize> {
    let is_name = |at: usize| scan.found.iter().any(|f| f.kind == AtomKind::Name && f.words.start == at);
    let bound = |at: usize| scan.words.get(at).is_some_and(|w| w.border == Border::None);
    let (mut start, mut end) = (found.words.start, found.words.end);
    if found.kind == AtomKind::Name {
        while start > 0 && bound(start) && is_name(start - 1) {
            start -= 1;
        }
        while bound(end) && is_name(end) {
            end += 1;
        }
    }
    let apart = end - start > 1 && found.kind == AtomKind::Name && !stands(scan, &(start..end), read);
    if apart { found.words.clone() } else { start..end }
}

/// Whether words stand in the other text, side by side.
fn stands(scan: &Scan<'_>, words: &Range<usize>, read: &Scan<'_>) -> bool {
    let wanted = scan.words.get(words.clone()).unwrap_or_default();
    read.words.windows(wanted.len().max(1)).any(|words| words.iter().zip(wanted).all(|(a, b)| a.key == b.key))
}

/// Words of a quotation that a small model copies.
const LONGEST_QUOTATION: usize = 12;

fn question(unit: usize, scan: &Scan<'_>, read: &Scan<'_>, core: &Range<usize>, kind: AtomKind) -> Option<Question> {
    // A word that turns its neighbour is asked for with it, or the gap could be left out.
    let bound = scan.words.get(core.end).is_some_and(|word| word.border == Border::None);
    let gap = core.start..core.end + usize::from(bound && matches!(kind, AtomKind::Negation | AtomKind::Modal));
    let starts = |at: &usize| scan.words.get(*at).is_none_or(|word| word.border == Border::Sentence);
    let from = (0..=gap.start).rev().find(starts)?;
    let to = (gap.end..=scan.words.len()).find(starts).unwrap_or(scan.words.len());
    let span = |words: &Range<usize>| {
        Some(scan.words.get(words.start)?.span.start..scan.words.get(words.end.checked_sub(1)?)?.span.end)
    };
    let around = || scan.words.iter().enumerate().take(to).skip(from).filter(|(at, _)| !gap.contains(at));
    // A gap without words around it asks for nothing.
    if around().count() < 2 || !around().any(|(_, word)| !function_word(&word.key)) {
        return None;
    }
    let (blank, sentence) = (span(&gap)?, span(&(from..to))?);
    let text =
        format!("{}{GAP}{}", scan.text.get(sentence.start..blank.start)?, scan.text.get(blank.end..sentence.end)?);
    let near = near(scan, core);
    let fit = match kind {
        AtomKind::Quotation => None,
        _ => fit::best(&near, &Scan::new(scan.text.get(span(core)?)?), read).map(|fit| fit.max(PRESENT)),
    };
    Some(Question {
        unit,
        sentence: text.split_whitespace().collect::<Vec<_>>().join(" "),
        answer: scan.text.get(blank)?.to_owned(),
        kind,
        near,
        fit: fit.unwrap_or(0.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_question_has_a_gap_where_its_answer_stood() {
        let text = "On 3 May Anna Holm sold 40 shares. She did not tell the board.";
        let (found, sure) = claims(7, "Nothing of it.", text);
        assert!(found.len() >= 4 && sure == 0, "{found:?}");
        for question in &found {
            let filled = question.sentence.replacen(GAP, &question.answer, 1);
            assert!(text.contains(&filled), "{question:?}");
            assert_eq!((question.unit, question.fit), (7, 0.0));
        }
        assert!(found.iter().any(|q| q.answer == "Holm"), "no name of that text");
        let (asked, _) = claims(7, "Nobody, said Anna Holm, was there.", "She saw Anna Holm sell 40 shares there.");
        assert!(asked.iter().any(|q| q.answer == "Anna Holm"), "{asked:?}");
        assert!(found.iter().any(|q| q.answer == "not tell"));
    }

    #[test]
    fn nobody_is_asked_about_what_the_original_says_in_these_words() {
        let original = "The ferry, as the log tells, waited 30 minutes near Eastwick and did not leave.";
        let asked = |condensed: &str| claims(0, original, condensed).0;
        assert_eq!(asked("waited 30 minutes near Eastwick and did not leave."), []);
        let changed = asked("waited 50 minutes near Eastwick and did not leave.");
        assert_eq!(changed.iter().map(|q| q.answer.as_str()).collect::<Vec<_>>(), ["50 minutes"]);
    }

    #[test]
    fn a_loss_is_asked_about_where_the_rest_is_told() {
        let original = "The clerk did not sell the house in May. Fees are refunded, except for late orders.";
        let lost = |condensed: &str| -> Vec<String> {
            losses(0, original, condensed, false).into_iter().map(|q| q.answer).collect()
        };
        assert_eq!(lost("The clerk did sell the house."), ["not sell"]);
        assert_eq!(lost("Fees are refunded for late orders."), ["except for"]);
        assert!(lost("Fees are refunded.").is_empty(), "dropped as a whole");
        assert_eq!(losses(0, original, "Fees are refunded.", true).len(), 1, "which counts where losses do");
        assert!(lost("The clerk did not sell the house.").is_empty());
    }
}
