//! Conversations whose texts were compared, until their next turn comes: it has all their texts and a few more, and only
//! those have to be compared. What is found is the same either way, so that nothing depends on what is kept.

use std::sync::{Mutex, PoisonError};

use lru::LruCache;

use crate::{
    compress::Passages,
    engine::{Tenant, TextHash},
};

/// Conversations by the name of all their texts. Whoever reads one takes it away, and gives back a longer one.
#[derive(Debug)]
pub(crate) struct Compared(Mutex<Kept>);

#[derive(Debug)]
struct Kept {
    conversations: LruCache<TextHash, (Passages, usize)>,
    bytes: usize,
}

impl Default for Compared {
    fn default() -> Self {
        Self(Mutex::new(Kept { conversations: LruCache::unbounded(), bytes: 0 }))
    }
}

impl Compared {
    /// The longest beginning of a conversation that is known, by the names of its beginnings; empty where none is.
    pub(super) fn take(&self, names: &[TextHash]) -> Passages {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = names.iter().rev().find_map(|name| kept.conversations.pop(name));
        found.map(|(passages, weight)| kept.release(passages, weight)).unwrap_or_default()
    }

    /// Keeps a conversation under the name of all its texts; those that were not asked for longest go.
    pub(super) fn keep(&self, name: TextHash, passages: Passages) {
        let weight = passages.weight();
        if passages.is_empty() || weight > MOST {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += weight;
        if let Some((old, weight)) = kept.conversations.put(name, (passages, weight)) {
            kept.release(old, weight);
        }
        while kept.bytes > MOST
            && let Some((_, (old, weight))) = kept.conversations.pop_lru()
        {
            kept.release(old, weight);
        }
    }
}

impl Kept {
    fn release(&mut self, passages: Passages, weight: usize) -> Passages {
        self.bytes -= weight;
        passages
    }
}

/// The names of the beginnings of a tenant's conversation, from that with one text to that with all: hashes of the hashes of
/// their texts, of which some are not compared.
pub(super) fn names<'t>(tenant: Tenant, texts: impl Iterator<Item = Option<&'t TextHash>>) -> Vec<TextHash> {
    let mut hash = blake3::Hasher::new_derive_key("headroom texts of a conversation, version 1");
    hash.update(&tenant.0);
    let name = |text: Option<&TextHash>| {
        hash.update(text.unwrap_or(&TextHash::default()));
        *hash.finalize().as_bytes()
    };
    texts.map(name).collect()
}

/// Bytes of texts from which on it is worth to keep what was compared.
pub(super) const LEAST: usize = 16 << 10;

/// Bytes of all conversations that are kept. One takes about twice the bytes of its texts where lines are short.
const MOST: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(count: usize) -> Vec<String> {
        let line = |text: usize, at: usize| format!("line {at} of the text {text} says something of its own\n");
        (0..count).map(|text| (0..40).map(|at| line(text % 3, at)).collect()).collect()
    }

    fn named(tenant: u8, texts: &[&str]) -> Vec<TextHash> {
        let hashes: Vec<TextHash> = texts.iter().map(|text| *blake3::hash(text.as_bytes()).as_bytes()).collect();
        names(Tenant([tenant; 16]), hashes.iter().map(Some))
    }

    #[test]
    fn a_conversation_goes_on_from_its_last_turn_and_finds_what_it_would_find_anew() {
        let (compared, texts) = (Compared::default(), texts(9));
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let referred = |passages: &Passages| -> Vec<Vec<usize>> {
            (0..texts.len()).map(|text| passages.referred(text).collect()).collect()
        };
        for end in 2..=texts.len() {
            let (texts, names) = (&texts[..end], named(1, &texts[..end]));
            let known = compared.take(&names);
            assert_eq!(known.is_empty(), end == 2);
            assert!(compared.take(&names).is_empty(), "who reads it has it alone");
            let passages = known.and(texts);
            assert_eq!(referred(&passages), referred(&Passages::of(texts)));
            compared.keep(names[end - 1], passages);
            assert!(compared.take(&named(2, texts)).is_empty(), "it is another tenant's");
        }
    }

    #[test]
    fn what_was_not_asked_for_longest_goes() {
        let (compared, texts) = (Compared::default(), texts(400));
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let one = Passages::of(&texts).weight();
        let last = |at: usize| *named(u8::try_from(at).unwrap(), &texts[..1]).last().unwrap();
        let count = MOST / one + 2;
        assert!(count < 200, "{one}");
        for at in 0..count {
            compared.keep(last(at), Passages::of(&texts));
        }
        assert!(compared.0.lock().unwrap().bytes <= MOST);
        assert!(compared.take(&[last(0)]).is_empty() && !compared.take(&[last(count - 1)]).is_empty());
    }
}
