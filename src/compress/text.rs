//! Reading without judgement: words, sentences, atoms, closed lists, rarity.

pub mod atoms;
pub(in crate::compress) mod escape;
pub mod exact;
pub(in crate::compress) mod language;
pub(crate) mod lexicon;
pub mod rarity;
pub(super) mod segment;
pub(super) mod sentence;
pub mod word;

/// A hash that is the same in every process: SipHash with fixed keys.
pub(in crate::compress) fn hash(value: &impl std::hash::Hash) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    value.hash(&mut hasher);
    std::hash::Hasher::finish(&hasher)
}
