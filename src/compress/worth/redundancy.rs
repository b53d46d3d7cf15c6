//! What a text says more than once: units repeated word for word, chunks that overlap, templates, near-duplicates.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use crate::compress::text::{
    atoms::{AtomKind, Found, Scan},
    rarity,
    word::{is_stop_word, stem, words},
};

/// Why a unit is redundant, and how surely.
#[derive(Debug, Clone, PartialEq)]
pub struct Repeat {
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
pub fn repeats(units: &[&str]) -> Vec<Option<Repeat>> {
    let profiles: Vec<Profile> = units.iter().map(|unit| Profile::of(unit)).collect();
    let mut holder: HashMap<u64, usize> = HashMap::new();
    let mut found: Vec<Option<Repeat>> = vec![None; units.len()];
    for (index, profile) in profiles.iter().enumerate() {
        let mut votes: Vec<(usize, usize)> = Vec::new();
        for shingle in &profile.shingles {
            match holder.get(shingle) {
                Some(earlier) => match votes.iter_mut().find(|(unit, _)| unit == earlier) {
                    Some((_, count)) => *count += 1,
                    None => votes.push((*earlier, 1)),
                },
                None => {
                    holder.insert(*shingle, index);
                }
            }
        }
        let Some((earlier, shared)) = votes.into_iter().max_by_key(|(unit, count)| (*count, usize::MAX - unit)) else {
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
pub fn is_negation(lower: &str) -> bool {
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

/// The units that seem to say in other words what an earlier one says: the two are alike in meaning and words, and have
/// the same numbers, names and negations in the same order. `meanings` are vectors of length one with their units, in order.
///
/// Quadratic in the number of vectors, which the caller bounds.
#[must_use]
pub fn same_meaning(units: &[&str], meanings: &[(usize, Vec<f32>)]) -> Vec<(usize, Repeat)> {
    let facts: Vec<Option<Facts>> =
        meanings.iter().map(|(unit, _)| Facts::of(units.get(*unit).copied().unwrap_or_default())).collect();
    let mut found: Vec<(usize, Repeat)> = Vec::new();
    for (later, ((unit, meaning), mine)) in meanings.iter().zip(&facts).enumerate() {
        let Some(mine) = mine else { continue };
        let best = meanings
            .iter()
            .zip(&facts)
            .take(later)
            .filter(|((of, _), other)| {
                other.as_ref().is_some_and(|other| other.atoms == mine.atoms)
                    && !found.iter().any(|(gone, _)| gone == of)
            })
            .map(|((of, other), theirs)| {
                let meant = meaning.iter().zip(other).map(|(a, b)| a * b).sum::<f32>();
                (*of, (meant + theirs.as_ref().map_or(0.0, |theirs| mine.shared_words(theirs))) / 2.0)
            })
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        if let Some((of, share)) = best.filter(|(_, similar)| *similar >= mine.alike()) {
            found.push((*unit, Repeat { of, share: share.min(1.0) }));
        }
    }
    found
}

/// The mean of the cosine of two meanings and the share of common words from which units with equal facts say the same,
/// and that where they have hardly any facts to compare: there a word and its opposite lie near each other. Of
/// paraphrases that people wrote, the mean finds more than either does at one false alarm in a hundred
/// (training/RESULTS.md), from .50 on.
const ALIKE_IN_MEANING: f32 = 0.55;
const ALIKE_WITHOUT_FACTS: f32 = 0.85;

/// The fewest facts that tell two statements apart, and the fewest words of a unit whose meaning is compared: shorter
/// ones mean what their neighbours make of them.
const FEWEST_FACTS: usize = 2;
const FEWEST_WORDS: usize = 5;

/// What two units that say the same cannot differ in: numbers, names, negations and the like, in order, so that `A sued
/// B` is not `B sued A`.
struct Facts {
    atoms: Vec<(AtomKind, String)>,
    stems: HashSet<u64>,
}

impl Facts {
    /// `None` for a unit that is too short to be compared.
    fn of(unit: &str) -> Option<Self> {
        let scan = Scan::new(unit);
        if scan.words.len() < FEWEST_WORDS {
            return None;
        }
        let tells = |found: &&Found| match found.kind {
            AtomKind::Quotation | AtomKind::Item => false,
            // A capital at the start is a name unless the word is a common one.
            AtomKind::Name if found.weak => rarity::rarity(&found.key.to_lowercase()) > COMMON,
            _ => found.counts(),
        };
        let atoms = scan.found.iter().filter(tells).map(|found| (found.kind, found.key.clone())).collect();
        let stems = words(unit).filter_map(|span| unit.get(span)).map(|word| hash(&stem(word))).collect();
        Some(Self { atoms, stems })
    }

    /// The words that both have, as a share of all that either has (Jaccard).
    fn shared_words(&self, other: &Self) -> f32 {
        let both = self.stems.intersection(&other.stems).count();
        both as f32 / (self.stems.len() + other.stems.len() - both).max(1) as f32
    }

    fn alike(&self) -> f32 {
        if self.atoms.len() < FEWEST_FACTS { ALIKE_WITHOUT_FACTS } else { ALIKE_IN_MEANING }
    }
}

/// The rarity, in nats, up to which a word that begins a sentence is none but that.
const COMMON: f32 = 5.0;

fn hash(value: &impl Hash) -> u64 {
    // SipHash with fixed keys: the same in every process.
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

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
    fn the_same_fact_in_other_words_is_redundant_and_another_fact_is_not() {
        let first = "Röntgen of Germany received the first prize in 1901.";
        let vector = vec![0.6, 0.8];
        let against = |other: &str, meaning: Vec<f32>| -> Vec<usize> {
            same_meaning(&[first, other], &[(0, vector.clone()), (1, meaning)])
                .into_iter()
                .map(|(unit, _)| unit)
                .collect()
        };
        let same = "It was Röntgen, from Germany, who won the prize that was first given in 1901.";
        assert_eq!(against(same, vector.clone()), [1]);
        // Alike in meaning, but of other facts: another year, a negation, the names the other way round.
        for other in [
            same.replace("1901", "1911"),
            same.replace("won", "never won"),
            "It was Germany that gave Röntgen the prize that was first given in 1901.".to_owned(),
        ] {
            assert_eq!(against(&other, vector.clone()), [0_usize; 0], "{other}");
        }
        // The same facts, but another matter.
        assert_eq!(against(same, vec![0.8, -0.6]), [0_usize; 0]);
    }

    #[test]
    fn without_facts_to_compare_only_the_nearest_meanings_are_the_same() {
        let units = ["the engine is very loud at night", "at night the engine is very quiet"];
        let at = |cosine: f32| [(0, vec![1.0, 0.0]), (1, vec![cosine, (1.0 - cosine * cosine).sqrt()])];
        assert!(same_meaning(&units, &at(0.9)).is_empty());
        let again = ["the engine is very loud at night", "at night the engine is very loud"];
        assert_eq!(same_meaning(&again, &at(0.9)).len(), 1);
    }

    #[test]
    fn short_replies_are_not_repetitions() {
        assert_eq!(repeats(&["Yes .", "Yes .", "I agree ."]), [None, None, None]);
    }
}
