//! What the server holds of one text: its decision, sealed.
//!
//! The key of the seal is derived from the hash of everything that the decision depends on, text and credential among it;
//! the entry's name is half of that hash. So only who has both can read a value, or make one that is believed.

use std::sync::Arc;

use crate::{
    engine::{
        decisions::{Chosen, Forced},
        key::Key,
    },
    seal,
};

/// A decision, as replicas tell each other.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(in crate::engine) struct Record {
    pub(in crate::engine) fate: Fate,
    /// The units that a verdict has put back; none where it passed.
    pub(in crate::engine) judged: Option<Vec<u32>>,
}

/// What became of the text.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(in crate::engine) enum Fate {
    /// It goes on raw.
    Raw(Forced),
    /// This was chosen of it.
    Chosen(Arc<Chosen>),
}

/// Rises when records are told in another way; what is of another one can't be opened.
const FORMAT: u8 = 1;

/// Bytes of the longest value. Most have some hundred.
pub(super) const LONGEST: usize = 64 * 1024;

impl From<Fate> for Record {
    fn from(fate: Fate) -> Self {
        Self { fate, judged: None }
    }
}

impl Record {
    /// The value for a key; `None` where it would be too long.
    pub(super) fn seal(&self, key: Key) -> Option<Vec<u8>> {
        let told = postcard::to_allocvec(self).ok()?;
        seal::seal(&key.sealing(), &[FORMAT], told).filter(|value| value.len() <= LONGEST)
    }

    /// What a value says; nothing where it was not sealed for this key.
    pub(super) fn open(key: Key, value: &[u8]) -> Option<Self> {
        postcard::from_bytes(&seal::open(&key.sealing(), &[FORMAT], value.to_vec())?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{compress::Reason, engine::peers::tests::key};

    #[test]
    fn a_value_opens_under_its_own_key_alone_and_shows_nothing() {
        let record = Record::from(Fate::Raw(Forced { reason: Reason::Deadline, tokens: 4711 }));
        let value = record.seal(key(1)).unwrap();
        assert_eq!(Record::open(key(1), &value), Some(record.clone()));
        assert_eq!(Record::open(key(2), &value), None);
        assert_ne!(record.seal(key(1)), Some(value.clone()), "one value tells nothing of another");
        let told = postcard::to_allocvec(&record).unwrap();
        assert!(!value.windows(told.len()).any(|bytes| bytes == told));
        for at in 0..value.len() {
            let mut other = value.clone();
            other[at] ^= 1;
            assert_eq!(Record::open(key(1), &other), None);
            assert_eq!(Record::open(key(1), &value[..at]), None);
        }
    }

    #[test]
    fn a_value_that_is_too_long_is_not_sent() {
        let fate = Fate::Raw(Forced { reason: Reason::Deadline, tokens: 1 });
        let record = Record { fate, judged: Some((0..LONGEST as u32).collect()) };
        assert_eq!(record.seal(key(1)), None);
    }
}
