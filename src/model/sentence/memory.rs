//! Vectors of texts that were read before.
//!
//! The same passages come back with other questions, in retrieval as in agents, and a text's vector is a function of the
//! text alone: remembering it saves most of the work and changes no result.

use std::collections::HashMap;

/// Names a text and whose it is.
pub(super) type Key = [u8; 16];

/// Remembers the vectors used last, within a bound: when the young generation is full it becomes the old one, and what
/// was not asked for since then goes.
#[derive(Default)]
pub(super) struct Memory {
    young: HashMap<Key, Box<[i16]>>,
    old: HashMap<Key, Box<[i16]>>,
}

impl Memory {
    pub(super) fn recall(&mut self, key: Key) -> Option<Vec<f32>> {
        if !self.young.contains_key(&key) {
            let vector = self.old.remove(&key)?;
            self.insert(key, vector);
        }
        self.young.get(&key).map(|vector| vector.iter().map(|value| f32::from(*value) / SCALE).collect())
    }

    /// What [`Memory::recall`] gives afterwards is rounded; whoever wants equal results recalls at once.
    pub(super) fn remember(&mut self, key: Key, vector: &[f32]) {
        self.insert(key, vector.iter().map(|value| (value * SCALE).round_ties_even() as i16).collect());
    }

    fn insert(&mut self, key: Key, vector: Box<[i16]>) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, vector);
    }
}

/// The key of a text. Tenants share nothing, not even the time that a known text saves.
pub(super) fn key(tenant: [u8; 16], text: &str) -> Key {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&tenant).update(text.as_bytes());
    let mut key = Key::default();
    hasher.finalize_xof().fill(&mut key);
    key
}

/// Vectors of a generation: with 384 numbers each, both generations hold 13 MB at most.
const GENERATION: usize = 8_192;

/// Numbers of a vector of length one lie within -1..1.
const SCALE: f32 = 32_767.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_and_the_rest_goes_within_the_bound() {
        let mut memory = Memory::default();
        let kept = key([0; 16], "kept");
        memory.remember(kept, &[0.5, -1.0]);
        for number in 0..3 * GENERATION {
            memory.remember(key([0; 16], &number.to_string()), &[0.0]);
            assert!(memory.recall(kept).is_some());
        }
        assert!(memory.young.len() + memory.old.len() <= 2 * GENERATION);
        assert!(memory.recall(key([0; 16], "0")).is_none());
    }

    #[test]
    fn a_vector_comes_back_as_it_was_within_a_thirty_thousandth() {
        let mut memory = Memory::default();
        memory.remember(key([0; 16], "a"), &[0.123_456, -1.0, 0.0]);
        let vector = memory.recall(key([0; 16], "a")).unwrap();
        assert!(vector.iter().zip([0.123_456, -1.0, 0.0]).all(|(a, b)| (a - b).abs() < 2e-5), "{vector:?}");
        assert!(memory.recall(key([1; 16], "a")).is_none(), "another tenant's");
    }
}
