//! A text and the hash by which it is known: computed once, however many ask.

use std::{ops::Deref, sync::Arc};

/// The hash of a text.
pub type TextHash = [u8; 32];

/// A text that is shared, with its hash.
#[derive(Debug, Clone)]
pub struct Text {
    text: Arc<str>,
    hash: TextHash,
}

impl Text {
    /// A text and its [`hash`](Self::hash_of), which the caller has computed.
    #[must_use]
    pub fn hashed(text: Arc<str>, hash: TextHash) -> Self {
        Self { text, hash }
    }

    /// The hash of a text. Of one text alone: then many of its parts are computed side by side.
    #[must_use]
    pub fn hash_of(text: &str) -> TextHash {
        *blake3::hash(text.as_bytes()).as_bytes()
    }

    pub(super) fn hash(&self) -> &TextHash {
        &self.hash
    }
}

impl<T: Into<Arc<str>>> From<T> for Text {
    fn from(text: T) -> Self {
        let text = text.into();
        Self { hash: Self::hash_of(&text), text }
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}
