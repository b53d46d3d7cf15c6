//! What a text says more than once: units repeated word for word, chunks that overlap, templates, near-duplicates.

use std::collections::{HashMap, HashSet};

use crate::compress::{
    fuel,
    text::{
        hash,
        word::{is_stop_word, stem, words},
    },
};

/// Why a unit is redundant, and how surely.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::compress) struct Repeat {
    /// The unit that says the same; it comes first in the text, or is the longer of the two.
    pub of: usize,
    /// How much of this unit stands in the other, 0–1.
    pub share: f32,
}

/// For each unit the one that makes it redundant, if any does.
///
/// Overlap is counted in shingles of `SHINGLE` words (Broder, 1997); a unit with a word, a number or a negation that
/// the other one lacks is never its duplicate, stop words aside. Linear: each shingle is remembered for the first unit
/// that has it.
#[must_use]
pub(in crate::compress) fn repeats(units: &[&str]) -> Vec<Option<Repeat>> {
    let profiles: Vec<Profile> = units.iter().map(|unit| Profile::of(unit)).collect();
    let mut holder: HashMap<u64, usize> = HashMap::new();
    let mut found: Vec<Option<Repeat>> = vec![None; units.len()];
    for (index, profile) in profiles.iter().enumerate() {
        let mut votes: Vec<usize> = Vec::new();
        for shingle in &profile.shingles {
            fuel::step(1);
            match holder.get(shingle) {
                Some(earlier) => votes.push(*earlier),
                None => {
                    holder.insert(*shingle, index);
                }
            }
        }
        votes.sort_unstable();
        let counts = votes.chunk_by(|a, b| a == b).filter_map(|same| Some((*same.first()?, same.len())));
        let Some((earlier, shared)) = counts.max_by_key(|(unit, count)| (*count, usize::MAX - unit)) else {
            continue;
        };
        let Some(other) = profiles.get(earlier) else { continue };
        let share = shared as f32 / profile.shingles.len().max(1) as f32;
        let back = shared as f32 / other.shingles.len().max(1) as f32;
        if share >= ALIKE && profile.tells.is_subset(&other.tells) {
            found[index] = Some(Repeat { of: earlier, share });
        } else if back >= WITHIN && other.tells.is_subset(&profile.tells) && found[earlier].is_none() {
            // The earlier one is a fragment of this one: chunks cut in mid-sentence.
            found[earlier] = Some(Repeat { of: index, share: back });
        }
    }
    found
}

/// Words in a shingle.
const SHINGLE: usize = 3;
/// The share of a unit's shingles that an earlier unit must hold.
const ALIKE: f32 = 0.8;
/// The share of an earlier unit's shingles that a later, longer one must hold.
const WITHIN: f32 = 0.95;

struct Profile {
    shingles: HashSet<u64>,
    /// Every word but stop words; negations too.
    tells: HashSet<u64>,
}

impl Profile {
    fn of(unit: &str) -> Self {
        let mut stems = Vec::new();
        let mut tells = HashSet::new();
        for word in words(unit).filter_map(|span| unit.get(span)) {
            let stem = hash(&stem(word));
            let lower = word.to_lowercase();
            if !is_stop_word(&lower) || is_negation(&lower) {
                tells.insert(stem);
            }
            stems.push(stem);
        }
        // Too short to be called a repetition unless it is one word for word ("Yes." is an answer each time).
        let shingles = match stems.len() {
            0..=3 => HashSet::new(),
            _ => stems.windows(SHINGLE).map(|window| hash(&window)).collect(),
        };
        Self { shingles, tells }
    }
}

/// Whether a word turns a statement around or limits it. `lower` is in lower case.
#[must_use]
pub(in crate::compress) fn is_negation(lower: &str) -> bool {
    lower.ends_with("n't") || lower.ends_with("n\u{2019}t") || NEGATIONS.contains(&lower)
}

const NEGATIONS: &[&str] = &[
    "cannot",
    "except",
    "excluding",
    "neither",
    "never",
    "no",
    "nobody",
    "none",
    "nor",
    "not",
    "nothing",
    "nowhere",
    "only",
    "unless",
    "without",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_sentence_is_redundant_once() {
        let units =
            ["The lease ends on 1 May 2024.", "It may be renewed by the tenant.", "The lease ends on 1 May 2024 ."];
        assert_eq!(repeats(&units), [None, None, Some(Repeat { of: 0, share: 1.0 })]);
    }

    #[test]
    fn a_different_number_name_word_or_negation_is_never_a_duplicate() {
        let first = "The tenant of the house in Oslo must pay the rent of 500 dollars on the first day of the month.";
        for other in [
            first.replace("500", "900"),
            first.replace("Oslo", "Rome"),
            first.replace("must", "must not"),
            first.replace("house", "ship"),
        ] {
            assert_eq!(repeats(&[first, &other]), [None, None], "{other}");
        }
    }

    #[test]
    fn the_fragment_at_a_chunk_s_border_is_redundant_to_the_whole_sentence() {
        let whole = "The first Nobel Prize in Physics was awarded in 1901 to Wilhelm Röntgen of Germany.";
        let found = repeats(&["The first Nobel Prize in Physics was", whole, "1901 to Wilhelm Röntgen of Germany."]);
        assert_eq!(found[0].as_ref().unwrap().of, 1);
        assert_eq!(found[1], None);
        assert_eq!(found[2].as_ref().unwrap().of, 1);
    }

    #[test]
    fn short_replies_are_not_repetitions() {
        assert_eq!(repeats(&["Yes .", "Yes .", "I agree ."]), [None, None, None]);
    }
}
