//! How surprising an item's words are.

use std::collections::HashMap;

use super::weights::{SHARED_WORD, TOPIC};
use crate::compress::{
    form::{Form, Page},
    text::{
        rarity,
        word::{is_stop_word, stem, words},
    },
};

/// What an item's words tell.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Told {
    /// The rarity of its distinct words in nats, each by how many items have it.
    pub(super) nats: f32,
    /// The share of its words that stood before it, 0–1.
    pub(super) said: f32,
}

/// What each item tells. A word that recurs says what the text is about and counts more; where `repeats_count` it is shared
/// among the items that have it instead.
pub(super) fn information(page: &Page<'_>, repeats_count: bool) -> Vec<Told> {
    let mut holders: HashMap<String, u32> = HashMap::new();
    let items: Vec<Vec<(String, f32, bool)>> = page
        .items
        .iter()
        .map(|item| {
            let text = item.text();
            let mut own: Vec<(String, f32, bool)> = Vec::new();
            for word in words(text).filter_map(|span| text.get(span)) {
                let lower = word.to_lowercase();
                // Of a log's numbers its form says which are surprising; that they differ tells nothing.
                let number = item.form == Form::Log && lower.bytes().any(|byte| byte.is_ascii_digit());
                if number || is_stop_word(&lower) {
                    continue;
                }
                let key = stem(word);
                if own.iter().any(|(known, ..)| *known == key) {
                    continue;
                }
                let before = holders.entry(key.clone()).or_insert(0);
                let said = *before > 0;
                *before += 1;
                own.push((key, rarity::rarity(&lower), said));
            }
            own
        })
        .collect();
    let told = |words: &Vec<(String, f32, bool)>| {
        let share = |key: &str| {
            (holders.get(key).copied().unwrap_or(1) as f32).powf(if repeats_count { SHARED_WORD } else { -TOPIC })
        };
        let nats = words.iter().map(|(key, rarity, _)| rarity / share(key)).sum();
        let said = words.iter().filter(|(.., said)| *said).count() as f32 / words.len().max(1) as f32;
        Told { nats, said }
    };
    items.iter().map(told).collect()
}
