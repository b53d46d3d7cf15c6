//! How well words stand in a text where a sentence wants them: by code alone, so that a model has to be asked only where
//! there is doubt, and its answer counts only where it fits better than what was expected.

use std::ops::Range;

use crate::compress::{
    guard::same_stem,
    text::{
        atoms::{
            AtomKind, Found, Scan,
            lex::{Border, Word},
        },
        lexicon::function_word,
    },
};

/// A word of weight beside a gap, in its own sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Near {
    key: String,
    /// Stands before the gap.
    left: bool,
    /// A comma or its like stands between the word and the gap.
    apart: bool,
    /// Words of weight between them.
    rank: usize,
}

/// The words of weight beside a range of words, the nearest first on each side.
pub(super) fn near(scan: &Scan<'_>, gap: &Range<usize>) -> Vec<Near> {
    // Figures are asked for themselves.
    let figure = |at: usize| scan.found.iter().any(|f| f.key.contains(' ') && f.words.contains(&at));
    let tells = |at: usize, word: &Word<'_>| !function_word(&word.key) && !figure(at);
    let mut near = Vec::new();
    let mut apart = false;
    for at in (0..gap.start).rev() {
        let border = scan.words.get(at + 1).map_or(Border::Sentence, |word| word.border);
        let Some(word) = scan.words.get(at).filter(|_| border < Border::Sentence) else { break };
        apart |= border == Border::Clause;
        let rank = near.len();
        if rank == MOST_NEAR {
            break;
        }
        if tells(at, word) {
            near.push(Near { key: word.key.clone().into_owned(), left: true, apart, rank });
        }
    }
    let left = near.len();
    apart = false;
    let rest = scan.words.iter().enumerate().skip(gap.end);
    for (at, word) in rest.take_while(|(_, word)| word.border < Border::Sentence) {
        apart |= word.border == Border::Clause;
        let rank = near.len() - left;
        if rank == MOST_NEAR {
            break;
        }
        if tells(at, word) {
            near.push(Near { key: word.key.clone().into_owned(), left: false, apart, rank });
        }
    }
    near
}

/// Words of weight that are looked at on each side.
const MOST_NEAR: usize = 4;

/// How much of what stands beside the gap stands beside a place of another text too, 0 to 1: the nearer a word, the more
/// it weighs; half where a clause ends between it and the place, and none between it and the gap.
pub(super) fn fit(near: &[Near], scan: &Scan<'_>, place: &Range<usize>) -> f64 {
    let (mut all, mut found) = (0.0, 0.0);
    for near in near {
        let weight = 1.0 / (1 + near.rank) as f64;
        all += weight;
        found += weight * stands(near, scan, place);
    }
    if all > 0.0 { found / all } else { 1.0 }
}

/// 1 where the word stands on its side of the place, a half where only beyond the end of a clause, else 0.
fn stands(near: &Near, scan: &Scan<'_>, place: &Range<usize>) -> f64 {
    let equal = |word: &Word<'_>| same_stem(&near.key, &word.key);
    let mut apart = false;
    let found = if near.left {
        let behind = |at: usize| scan.words.get(at + 1).map_or(Border::Sentence, |word| word.border);
        (place.start.saturating_sub(REACH)..place.start)
            .rev()
            .take_while(|at| behind(*at) < Border::Sentence)
            .inspect(|at| apart |= behind(*at) == Border::Clause)
            .any(|at| scan.words.get(at).is_some_and(equal))
    } else {
        let rest = scan.words.get(place.end..).unwrap_or_default();
        rest.iter()
            .take(REACH)
            .take_while(|word| word.border < Border::Sentence)
            .inspect(|word| apart |= word.border == Border::Clause)
            .any(equal)
    };
    match (found, apart && !near.apart) {
        (false, _) => 0.0,
        (true, true) => 0.5,
        (true, false) => 1.0,
    }
}

/// Words from a place within which its neighbours are looked for.
const REACH: usize = 24;

/// The share of the neighbours (of those before the gap alone, with `left`) that a text has at all, 0 to 1: whether it
/// tells of the same thing.
pub(super) fn told(near: &[Near], scan: &Scan<'_>, left: bool) -> f64 {
    let has = |near: &Near| scan.words.iter().any(|word| same_stem(&near.key, &word.key));
    let looked: Vec<bool> = near.iter().filter(|near| near.left || !left).map(has).collect();
    looked.iter().filter(|has| **has).count() as f64 / looked.len().max(1) as f64
}

/// Where an answer's atoms stand in a text, in their order and close together; where it has none, its words.
pub(super) fn places(answer: &Scan<'_>, scan: &Scan<'_>) -> Vec<Range<usize>> {
    let mut atoms = answer.found.iter().filter(|found| found.counts() && !found.words.is_empty());
    let Some(first) = atoms.next() else {
        let words = &answer.words;
        let windows = scan.words.windows(words.len().max(1)).enumerate();
        return windows
            .filter(|(_, window)| !words.is_empty() && window.iter().zip(words).all(|(a, b)| a.key == b.key))
            .map(|(at, _)| at..at + words.len())
            .collect();
    };
    let rest: Vec<&Found> = atoms.collect();
    let all = |at: usize| {
        let first = ends(first, scan, at)?;
        rest.iter().try_fold(first, |from, atom| (from..from + CLOSE).find_map(|at| ends(atom, scan, at)))
    };
    (0..scan.words.len()).filter_map(|at| Some(at..all(at)?)).collect()
}

/// Words that may stand between two atoms of one answer.
const CLOSE: usize = 3;

/// Where an atom ends that begins at a word of a text; `None` where it doesn't.
fn ends(atom: &Found, scan: &Scan<'_>, at: usize) -> Option<usize> {
    let found = scan.found.iter().find(|found| found.words.start == at && found.key == atom.key);
    // Capitals come and go.
    let named = || atom.kind == AtomKind::Name && scan.words.get(at).is_some_and(|word| word.key == atom.key);
    found.map(|found| found.words.end).or_else(|| named().then_some(at + 1))
}

/// The best fit of an answer in a text; `None` where it doesn't stand there.
pub(super) fn best(near: &[Near], answer: &Scan<'_>, scan: &Scan<'_>) -> Option<f64> {
    places(answer, scan).iter().map(|place| fit(near, scan, place)).max_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How well the words fit in the text where the sentence has them.
    fn fits(sentence: &str, words: &str, text: &str) -> Option<f64> {
        let (sentence, answer) = (Scan::new(sentence), Scan::new(words));
        let gap = places(&answer, &sentence).remove(0);
        best(&near(&sentence, &gap), &answer, &Scan::new(text))
    }

    #[test]
    fn words_that_stand_between_the_same_neighbours_fit() {
        let text = "In May the old ferry waited 30 minutes near Eastwick, and its crew slept for 40 minutes.";
        assert_eq!(fits("The ferry waited 30 minutes near Eastwick.", "30 minutes", text), Some(1.0));
        assert!(fits("The crew slept 30 minutes.", "30 minutes", text) < Some(0.5));
        assert_eq!(fits("The ferry waited 50 minutes.", "50 minutes", text), None);
    }

    #[test]
    fn exchanged_names_fit_worse_than_the_right_ones() {
        let text = "On appeal Miller sued Baker over the wall.";
        let claim = Scan::new("On appeal Baker sued Miller over the wall.");
        let gap = near(&claim, &(2..3));
        let fit = |name: &str| best(&gap, &Scan::new(name), &Scan::new(text)).unwrap();
        assert!(fit("in Miller") > fit("in Baker"), "{} {}", fit("in Miller"), fit("in Baker"));
    }

    #[test]
    fn what_was_joined_across_the_end_of_a_clause_fits_by_half() {
        let text = "If they lose the key, the provider cannot restore the data, and no credit is given.";
        let joined = fits("The provider cannot restore no credit.", "no credit", text).unwrap();
        assert!(joined < 0.7, "{joined}");
        assert_eq!(fits("No credit is given.", "no credit", text), Some(1.0));
    }
}
