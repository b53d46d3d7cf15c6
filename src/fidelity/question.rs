//! Questions with answers that are known: sentences with a gap where an atom stood.
//!
//! Small models judge badly but read well. So nobody asks whether a rewrite is faithful: each claim of the condensed text
//! becomes a sentence with a gap, the model fills it from the original, and code compares. The other way round, gaps in
//! the original's sentences filled from the condensed text show what got lost.

use std::ops::Range;

use crate::compress::atoms::{
    AtomKind, Scan,
    lex::{Border, Word},
    lexicon::function_word,
};

/// A sentence with a gap, and what stood there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    /// Index of the unit.
    pub(super) unit: usize,
    /// The sentence, with [`GAP`] in it.
    pub(super) sentence: String,
    /// What stood in the gap, verbatim.
    pub(super) answer: String,
    /// What it is.
    pub(super) kind: AtomKind,
}

/// Stands for the words that are asked for.
pub(super) const GAP: &str = "____";

/// At most `most` questions about a text, spread over its atoms, the most telling kinds first.
pub(super) fn questions(unit: usize, text: &str, most: usize) -> Vec<Question> {
    let scan = Scan::new(text);
    let mut gaps: Vec<(u8, Range<usize>, AtomKind)> = scan
        .found
        .iter()
        .filter(|f| f.counts() && !f.words.is_empty())
        .filter_map(|f| Some((rank(f.kind)?, widened(&scan, &f.words, f.kind), f.kind)))
        .collect();
    gaps.sort_by_key(|(rank, words, _)| (*rank, words.start));
    gaps.dedup_by(|b, a| a.1 == b.1);
    let mut chosen: Vec<(Range<usize>, AtomKind)> = Vec::new();
    for (_, words, kind) in gaps {
        let free = chosen.iter().all(|(taken, _)| words.end <= taken.start || taken.end <= words.start);
        if free && chosen.len() < most {
            chosen.push((words, kind));
        }
    }
    chosen.sort_by_key(|(words, _)| words.start);
    chosen.into_iter().filter_map(|(words, kind)| question(unit, &scan, &words, kind)).collect()
}

/// What is asked first; quotations and list marks are the guard's.
const fn rank(kind: AtomKind) -> Option<u8> {
    match kind {
        AtomKind::Number | AtomKind::Currency | AtomKind::Percentage | AtomKind::Date => Some(0),
        AtomKind::Name => Some(1),
        AtomKind::Negation | AtomKind::Modal | AtomKind::Comparative => Some(2),
        AtomKind::Identifier | AtomKind::Version | AtomKind::Path | AtomKind::Email | AtomKind::Url => Some(3),
        AtomKind::Quotation | AtomKind::Item => None,
    }
}

/// A name is asked for as a whole; a negation or modal word with its neighbour, or the gap could be left out.
fn widened(scan: &Scan<'_>, words: &Range<usize>, kind: AtomKind) -> Range<usize> {
    let is_name = |at: usize| scan.found.iter().any(|f| f.kind == AtomKind::Name && f.words.start == at);
    let bound = |at: usize| scan.words.get(at).is_some_and(|w| w.border == Border::None);
    let (mut start, mut end) = (words.start, words.end);
    match kind {
        AtomKind::Name => {
            while start > 0 && bound(start) && is_name(start - 1) {
                start -= 1;
            }
            while bound(end) && is_name(end) {
                end += 1;
            }
        }
        AtomKind::Negation | AtomKind::Modal if bound(end) => end += 1,
        _ => {}
    }
    start..end
}

fn question(unit: usize, scan: &Scan<'_>, words: &Range<usize>, kind: AtomKind) -> Option<Question> {
    let from = (0..=words.start).rev().find(|at| scan.words.get(*at).is_none_or(|w| w.border == Border::Sentence))?;
    let to = (words.end..=scan.words.len())
        .find(|at| scan.words.get(*at).is_none_or(|w| w.border == Border::Sentence))
        .unwrap_or(scan.words.len());
    let span = |words: &Range<usize>| {
        Some(scan.words.get(words.start)?.span.start..scan.words.get(words.end.checked_sub(1)?)?.span.end)
    };
    let gap = span(words)?;
    let sentence = span(&(from..to))?;
    let around = || scan.words.iter().enumerate().take(to).skip(from).filter(|(at, _)| !words.contains(at));
    // A gap without words around it asks for nothing.
    if around().count() < 2 || !around().any(|(_, word)| !function_word(&word.key)) {
        return None;
    }
    let answer = scan.text.get(gap.clone())?;
    let text = format!("{}{GAP}{}", scan.text.get(sentence.start..gap.start)?, scan.text.get(gap.end..sentence.end)?);
    Some(Question {
        unit,
        sentence: text.split_whitespace().collect::<Vec<_>>().join(" "),
        answer: answer.to_owned(),
        kind,
    })
}

/// How an answer compares with what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    /// The same, as far as atoms go.
    Same,
    /// Something else of the same kind.
    Other,
    /// No answer.
    None,
    /// Words that the text that was read doesn't have, or that answer something else: doesn't count.
    Void,
}

/// Compares an answer, given from `read`, with the expected one.
pub(super) fn compare(question: &Question, answer: &str, read: &str) -> Comparison {
    let answer = answer.trim().trim_matches(['"', '“', '”', '.', ',']);
    if answer.is_empty() || answer.contains(GAP) {
        return Comparison::None;
    }
    let (expected, given) = (Scan::new(&question.answer), Scan::new(answer));
    if same(question.kind, &expected, &given) {
        return Comparison::Same;
    }
    // An answer that is not in the text is the model's own, and one of another kind answers another question.
    let kinds = |scan: &Scan<'_>| scan.found.iter().any(|f| class(f.kind) == class(question.kind));
    let quoted = contains(&Scan::new(read).words, &given.words);
    let loose = is_loose(question.kind);
    if quoted && (kinds(&given) || loose) { Comparison::Other } else { Comparison::Void }
}

/// Words whose absence says as much as another word.
const fn is_loose(kind: AtomKind) -> bool {
    matches!(kind, AtomKind::Negation | AtomKind::Modal | AtomKind::Comparative)
}

const fn class(kind: AtomKind) -> AtomKind {
    match kind {
        AtomKind::Currency | AtomKind::Percentage | AtomKind::Date => AtomKind::Number,
        AtomKind::Modal | AtomKind::Comparative => AtomKind::Negation,
        other => other,
    }
}

/// Equal atoms; or, for names, one contained in the other (`Miller` for `Dr Miller`).
fn same(kind: AtomKind, expected: &Scan<'_>, given: &Scan<'_>) -> bool {
    let keys = |scan: &Scan<'_>| -> Vec<String> {
        let mut keys: Vec<String> = scan.found.iter().filter(|f| f.counts()).map(|f| f.key.clone()).collect();
        keys.sort();
        keys.dedup();
        keys
    };
    let (old, new) = (keys(expected), keys(given));
    if is_loose(kind) && old.is_empty() != new.is_empty() {
        return false;
    }
    if old.is_empty() || new.is_empty() {
        return contains(&expected.words, &given.words) || contains(&given.words, &expected.words);
    }
    let named = |scan: &Scan<'_>| scan.found.iter().all(|f| f.kind == AtomKind::Name);
    old == new || (named(expected) && (old.iter().all(|k| new.contains(k)) || new.iter().all(|k| old.contains(k))))
}

/// Whether words stand in a text, in this order and side by side.
fn contains(text: &[Word<'_>], words: &[Word<'_>]) -> bool {
    !words.is_empty() && text.windows(words.len()).any(|w| w.iter().zip(words).all(|(a, b)| a.key == b.key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_question_has_a_gap_where_its_answer_stood() {
        let text = "On 3 May Anna Holm sold 40 shares. She did not tell the board.";
        let found = questions(7, text, 8);
        assert!(found.len() >= 4, "{found:?}");
        for question in &found {
            let filled = question.sentence.replacen(GAP, &question.answer, 1);
            assert!(text.contains(&filled), "{question:?}");
            assert_eq!(question.unit, 7);
        }
        assert!(found.iter().any(|q| q.answer == "Anna Holm"));
        assert!(found.iter().any(|q| q.answer.contains("not")));
        assert_eq!(questions(0, text, 2).len(), 2);
    }

    #[test]
    fn answers_are_compared_by_their_atoms() {
        let question =
            |answer: &str, kind| Question { unit: 0, sentence: String::new(), answer: answer.to_owned(), kind };
        let read = "It ran 31 seconds, Anna Holm said, for 1,000 dollars.";
        let number = question("30 seconds", AtomKind::Number);
        assert_eq!(compare(&number, "30 s", read), Comparison::Same);
        assert_eq!(compare(&number, "31 seconds", read), Comparison::Other);
        assert_eq!(compare(&number, "", read), Comparison::None);
        assert_eq!(compare(&number, "42 seconds", read), Comparison::Void, "not in the text");
        assert_eq!(compare(&number, "Anna Holm", read), Comparison::Void, "no number");
        let denied = question("not come", AtomKind::Negation);
        assert_eq!(compare(&denied, "come", "They did come."), Comparison::Other);
        assert_eq!(compare(&question("Dr Anna Holm", AtomKind::Name), "Anna Holm", read), Comparison::Same);
    }
}
