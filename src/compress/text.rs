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
