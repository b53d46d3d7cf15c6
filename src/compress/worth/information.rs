//! How surprising an item's words are.

use std::collections::{HashMap, HashSet};

use super::weights::{SHARED_WORD, TOPIC};
use crate::compress::{
    form::{Form, Item, Page},
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

/// What each item tells. A word that recurs counts more in prose, unless `repeats_count`, and less anywhere else.
pub(super) fn information(page: &Page<'_>, repeats_count: bool) -> Vec<Told> {
    let mut holders: HashMap<String, u32> = HashMap::new();
    let items: Vec<Vec<(String, f32, bool)>> = page
        .items
        .iter()
        .map(|item| {
            let text = item.text();
            let mut own: Vec<(String, f32, bool)> = Vec::new();
            let mut known: HashSet<String> = HashSet::new();
            for word in words(text).filter_map(|span| text.get(span)) {
                let lower = word.to_lowercase();
                // Of a log's numbers its form says which are surprising; that they differ tells nothing.
                let number = item.form == Form::Log && lower.bytes().any(|byte| byte.is_ascii_digit());
                if number || is_stop_word(&lower) {
                    continue;
                }
                let key = stem(word);
                if !known.insert(key.clone()) {
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
    let told = |(item, words): (&Item<'_>, &Vec<(String, f32, bool)>)| {
        // What recurs in prose is what it is about; what recurs in rows and lines is what they all have.
        let power = if item.form == Form::Prose && !repeats_count { TOPIC } else { -SHARED_WORD };
        let weight = |key: &str| (holders.get(key).copied().unwrap_or(1) as f32).powf(power);
        let nats = words.iter().map(|(key, rarity, _)| rarity * weight(key)).sum();
        let said = words.iter().filter(|(.., said)| *said).count() as f32 / words.len().max(1) as f32;
        Told { nats, said }
    };
    page.items.iter().zip(&items).map(told).collect()
}
