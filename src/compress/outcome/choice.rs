//! What was chosen of a text, for whoever remembers it.

/// Where each item of a text ends and what stands for it, in a few bytes an item and without a word of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice(Box<[u8]>);

/// Bytes of a choice of one text. What needs more is made anew.
const MOST: usize = 48 * 1024;

impl Choice {
    /// A choice from bytes that were made or kept; `None` where they are too many. They are trusted with nothing: what they
    /// say is looked at when they are replayed.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        (bytes.len() <= MOST).then(|| Self(bytes.into()))
    }

    /// The bytes, for whoever keeps them.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}
