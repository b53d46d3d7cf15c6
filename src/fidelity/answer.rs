//! What an answer of the checking model is worth, by code.

use super::{
    fit,
    question::{GAP, Question, turns},
};
use crate::compress::{
    guard::same_stem,
    text::atoms::{AtomKind, Found, Scan},
};

/// How an answer compares with what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    /// The same, as far as atoms go.
    Same,
    /// Something else of the same kind, at a place where it fits better than what was expected.
    Other,
    /// No answer.
    None,
    /// Counts for nothing: words that the text doesn't have, that answer something else or that fit no better.
    Void,
}

/// Compares an answer, given from `read`, with the expected one.
pub(super) fn compare(question: &Question, answer: &str, read: &str) -> Comparison {
    let answer = answer.trim().trim_matches(['"', '“', '”', '.', ',']);
    if answer.is_empty() || answer.contains(GAP) {
        // Whether the words are there needs no model: where they are, it could not answer.
        return if question.fit == 0.0 { Comparison::None } else { Comparison::Void };
    }
    let (expected, mut given) = (Scan::new(&question.answer), Scan::new(answer));
    let text = Scan::new(read);
    complete(&mut given, &text);
    if same(question.kind, &expected, &given) {
        return Comparison::Same;
    }
    // An answer that is not in the text is the model's own, and one of another kind answers another question.
    let fits = fit::best(&question.near, &given, &text);
    let better = fits.is_some_and(|fits| question.fit == 0.0 || fits >= question.fit + BETTER);
    if better && answers(question.kind, &expected, &given) && !told_beside(question, &expected, &given, &text) {
        Comparison::Other
    } else {
        Comparison::Void
    }
}

/// Whether the sentence tells the answer itself, on the side of the gap on which the text has it too: it is another fact
/// then, and none was exchanged for it.
fn told_beside(question: &Question, expected: &Scan<'_>, given: &Scan<'_>, text: &Scan<'_>) -> bool {
    let Some((left, right)) = question.sentence.split_once(GAP) else { return false };
    let tells = |part: &str| !fit::places(given, &Scan::new(part)).is_empty();
    let (left, right) = (tells(left), tells(right));
    let answers = fit::places(given, text);
    fit::places(expected, text).iter().any(|place| {
        answers.iter().any(|other| (left && other.start < place.start) || (right && other.start > place.start))
    })
}

/// Whether an answer is one to the question that was asked: of its kind, and not half a sentence.
fn answers(kind: AtomKind, expected: &Scan<'_>, given: &Scan<'_>) -> bool {
    if kind == AtomKind::Quotation {
        return true;
    }
    let of_kind = given.found.iter().any(|f| class(f.kind) == class(kind));
    // Without the word that turns it, the statement itself.
    let turned = || expected.words.last().is_some_and(|last| given.words.iter().any(|w| same_stem(&last.key, &w.key)));
    given.words.len() <= expected.words.len() + MOST_MORE && (of_kind || (turns(kind) && turned()))
}

/// Words that an answer may have more than what was expected.
const MOST_MORE: usize = 3;

/// A figure that is given without its unit has the unit that it has in the text.
fn complete(given: &mut Scan<'_>, text: &Scan<'_>) {
    let bare = |found: &&mut Found| class(found.kind) == AtomKind::Number && found.key.ends_with(' ');
    for found in given.found.iter_mut().filter(bare) {
        let known = || text.found.iter().filter(|known| class(known.kind) == AtomKind::Number);
        if known().all(|known| known.key != found.key)
            && let Some(whole) = known().find(|known| known.key.starts_with(&found.key))
        {
            found.key.clone_from(&whole.key);
        }
    }
}

/// How much better than what was expected an answer has to fit, where both stand in the text.
const BETTER: f64 = 0.1;

const fn class(kind: AtomKind) -> AtomKind {
    match kind {
        AtomKind::Currency | AtomKind::Percentage | AtomKind::Date => AtomKind::Number,
        AtomKind::Modal | AtomKind::Comparative => AtomKind::Negation,
        other => other,
    }
}

/// The expected atoms, and perhaps more; or, for names, a part of them (`Miller` for `Dr Miller`).
fn same(kind: AtomKind, expected: &Scan<'_>, given: &Scan<'_>) -> bool {
    let (old, new) = (keys(expected), keys(given));
    if kind == AtomKind::Quotation || (old.is_empty() && new.is_empty()) {
        let words = |scan: &Scan<'_>| scan.words.iter().map(|word| word.key.to_string()).collect::<Vec<_>>();
        let (old, new) = (words(expected), words(given));
        return old.iter().all(|word| new.contains(word)) || new.iter().all(|word| old.contains(word));
    }
    if old.is_empty() || new.is_empty() {
        return false;
    }
    let named = given.found.iter().all(|found| found.kind == AtomKind::Name);
    old.iter().all(|key| new.contains(key))
        || (kind == AtomKind::Name && named && new.iter().all(|key| old.contains(key)))
}

fn keys<'s>(scan: &'s Scan<'_>) -> Vec<&'s str> {
    scan.found.iter().filter(|found| found.counts()).map(|found| found.key.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fidelity::question::claims;

    /// What an answer comes to that was given, from an original, to the question of a condensed text.
    fn given(original: &str, condensed: &str, asked: &str, answer: &str) -> Comparison {
        let (questions, _) = claims(0, original, condensed);
        let question = questions.iter().find(|q| q.answer == asked).unwrap();
        compare(question, answer, original)
    }

    #[test]
    fn answers_are_compared_by_their_atoms() {
        let original = "It ran 31 seconds in Leeds, Anna Holm said, for 1,000 dollars.";
        let number = |answer| given(original, "It ran 30 seconds.", "30 seconds", answer);
        assert_eq!(number("30 s"), Comparison::Same);
        assert_eq!(number("31 seconds"), Comparison::Other);
        assert_eq!(number(""), Comparison::None);
        assert_eq!(number("42 seconds"), Comparison::Void, "not in the text");
        assert_eq!(number("Anna Holm"), Comparison::Void, "no number");
        assert_eq!(number("31"), Comparison::Other, "seconds, as the text says");
        let cost = |answer| given("It cost 40% of it.", "It cost 40 points of it.", "40", answer);
        assert_eq!((cost("40"), cost("40%")), (Comparison::Other, Comparison::Other));
        let name = |answer| given(original, "The run, Dahl said, was dear.", "Dahl", answer);
        assert_eq!((name("Anna Holm"), name("Dahl")), (Comparison::Other, Comparison::Same));
        let part = given(original, "In Bath, dear Anna Holm had the run.", "Anna Holm", "Holm");
        assert_eq!(part, Comparison::Same);
        let quoted = |answer| {
            given(
                "She said \"the pump was old\" then.",
                "She said \"the pump was new\" then.",
                "the pump was new",
                answer,
            )
        };
        assert_eq!((quoted("the pump was old"), quoted("the pump was new")), (Comparison::Other, Comparison::Same));
        let denied = given("They did come to Leeds.", "They did not come to Leeds.", "not come", "come");
        assert_eq!(denied, Comparison::Other);
        let asked = |answer| given(original, "Run in Leeds, did not Anna Holm say.", "not Anna", answer);
        assert_eq!(asked("It ran 31 seconds"), Comparison::Void, "another statement");
        assert_eq!(name("31 seconds in Leeds, Anna Holm said"), Comparison::Void, "half a sentence");
    }

    #[test]
    fn an_answer_counts_only_where_it_fits_better_than_what_was_expected() {
        let original = "In Leeds, as we heard, Holm sold 40 shares. Dahl then sold 70 shares in Bath.";
        // Both figures are there: the one that stands where the claim has it wins, whatever the model says.
        let claim = "In Bath the man had 40.";
        assert_eq!(given(original, claim, "40", "70"), Comparison::Void);
        let swapped = "Dahl then sold 40 shares in Bath.";
        assert_eq!(given(original, swapped, "40", "70"), Comparison::Other);
        assert_eq!(given(original, swapped, "40", ""), Comparison::Void, "the words are there");
        let original = "Arabs are free; in Israel all who are Jewish, Druze or Greek are drafted.";
        assert_eq!(given(original, "Israel drafted Druze Greek.", "Druze", "Israel"), Comparison::Void, "told beside");
        let original = "On appeal in May Miller sued Baker over the wall.";
        assert_eq!(given(original, "On appeal Baker sued Miller.", "Baker", "Miller"), Comparison::Other);
    }
}
