//! What may not be left of a statement: a word that leads to another without that one, a clause without what turns it
//! round, marks between words where these would say more.

use std::ops::Range;

use super::super::{atoms::lexicon, select::NEVER};

/// Lowers what each word that leads to another is worth to less than what that one is, so that no budget leaves it
/// hanging. `words` are the phrases of one unit.
pub(super) fn lean(worth: &mut [f32], words: &[&str]) {
    let least = worth.iter().copied().filter(|worth| *worth > NEVER).fold(f32::INFINITY, f32::min);
    // What the word before would lead to: the nearest phrase, and the nearest that is no article.
    let (mut next, mut content) = (least, least);
    for (worth, word) in worth.iter_mut().zip(words).rev() {
        if *worth == NEVER {
            continue;
        }
        let lower = word.to_lowercase();
        if ARTICLES.contains(&lower.as_str()) {
            *worth = worth.min(next - LESS);
            next = *worth;
            continue;
        }
        if LEADING.contains(&lower.as_str()) {
            *worth = worth.min(content - LESS);
        }
        next = if is_mark(word) { least } else { *worth };
        content = next;
    }
}

/// Raises what turns a clause round, or leaves it open, to what the best of the clause is worth: `They 're survived` is not
/// what is left of `They 're not sure whether their houses survived`.
pub(super) fn turn(worth: &mut [f32], words: &[&str]) {
    let mut start = 0;
    for (at, word) in words.iter().enumerate() {
        if is_mark(word) || DIVIDING.contains(word) {
            raise(worth, words, start..at);
            start = at + 1;
        } else if word.ends_with([',', ';', ':']) || at + 1 == words.len() {
            raise(worth, words, start..at + 1);
            start = at + 1;
        }
    }
}

fn raise(worth: &mut [f32], words: &[&str], clause: Range<usize>) {
    let (Some(worth), Some(words)) = (worth.get_mut(clause.clone()), words.get(clause)) else { return };
    let best = worth.iter().copied().fold(NEVER, f32::max);
    for (worth, _) in worth.iter_mut().zip(words).filter(|(_, word)| turns(word)) {
        *worth = best;
    }
}

fn turns(phrase: &str) -> bool {
    phrase.split_whitespace().any(|word| {
        let bare = word.trim_matches(|c: char| ".,;:!?()[]\"`".contains(c)).to_lowercase();
        lexicon::negation(&bare).is_some() || bare == "whether"
    })
}

/// Puts the marks of a unit behind its words, but the one that closes it before them all: it stands as long as anything
/// does. `worth` are places among the unit's own words, at most 1.
pub(super) fn close(worth: &mut [f32], words: &[&str]) {
    let best = worth.iter().copied().fold(0.0, f32::max);
    let last = words.len().saturating_sub(1);
    for (at, (worth, word)) in worth.iter_mut().zip(words).enumerate() {
        if *worth > NEVER && is_mark(word) {
            *worth = if at == last { best } else { MARK };
        }
    }
}

/// Whether a phrase only parts others; signs that mean something (`$`, `%`, `+`) do more.
fn is_mark(phrase: &str) -> bool {
    phrase.chars().all(|c| ".,;:!?-–—()[]\"'`…".contains(c))
}

/// Hardly less than something else: of two that are equal the first one would stay.
pub(super) const LESS: f32 = 1e-4;

/// What a mark is worth: less than any word.
const MARK: f32 = -10.0;

const ARTICLES: &[&str] = &["a", "an", "her", "his", "its", "my", "our", "the", "their", "your"];

const DIVIDING: &[&str] = &["and", "but", "or"];

/// Prepositions and conjunctions.
const LEADING: &[&str] = &[
    "about", "after", "against", "and", "as", "at", "because", "before", "between", "but", "by", "during", "for",
    "from", "in", "into", "of", "on", "or", "over", "than", "that", "through", "to", "under", "when", "where", "which",
    "while", "who", "with",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leading_word_is_worth_no_more_than_what_it_leads_to() {
        let words = ["He", "went", "to", "the", "house", "of", "."];
        let mut worth = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3];
        lean(&mut worth, &words);
        let [he, went, to, the, house, of, mark] = worth;
        assert_eq!([he, went, house, mark], [0.9, 0.8, 0.5, 0.3]);
        assert!(to < house && the < house && of < mark, "{worth:?}");
    }

    #[test]
    fn no_clause_stands_without_what_turns_it_round() {
        let mut worth = [0.5, 0.1, 0.2, 0.9, 0.4, 0.3, 0.2];
        turn(&mut worth, &["They", "'re not sure", "whether", "houses", ",", "he", "will"]);
        assert_eq!(worth, [0.5, 0.9, 0.9, 0.9, 0.4, 0.3, 0.2]);
    }

    #[test]
    fn what_goes_anyway_is_passed_over() {
        let mut worth = [0.7, NEVER, 0.5];
        lean(&mut worth, &["the", "uh", "house"]);
        let [the, filler, house] = worth;
        assert!(the < house && house == 0.5 && filler == NEVER, "{worth:?}");
    }

    #[test]
    fn marks_go_first_but_for_the_one_that_closes() {
        let mut worth = [0.9, 0.8, 0.3, 0.2];
        close(&mut worth, &["Yes", ",", "$", "."]);
        assert_eq!(worth, [0.9, MARK, 0.3, 0.9]);
    }
}
