//! How common a word is in English prose, talk and documentation: the background against which rarity is measured.

use std::{collections::HashMap, sync::OnceLock};

/// The inverse document frequency of a word in nats, over blocks of a hundred words: from 0 for `the` to
/// [`RAREST`] for a word that the table does not hold. `lower` is in lower case.
#[must_use]
pub fn rarity(lower: &str) -> f32 {
    table().get(lower).copied().unwrap_or(RAREST)
}

/// What a word weighs that the background has never seen.
pub const RAREST: f32 = 10.5;

/// Made by `training/background.py`, which explains the form: line n holds the words of n/4 nats.
const TABLE: &str = include_str!("data/background.txt");

fn table() -> &'static HashMap<&'static str, f32> {
    static WORDS: OnceLock<HashMap<&'static str, f32>> = OnceLock::new();
    WORDS.get_or_init(|| {
        let lines = TABLE.lines().enumerate();
        lines.flat_map(|(step, line)| line.split(' ').map(move |word| (word, (step as f32 + 0.5) / 4.0))).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_words_outweigh_common_ones() {
        assert!(rarity("the") < 1.0);
        assert!(rarity("the") < rarity("house") && rarity("house") < rarity("aardvark"));
        assert_eq!(rarity("zyzzyxian"), RAREST);
        assert!(table().values().all(|rarity| (0.0..RAREST).contains(rarity)));
    }
}
