//! What the guard may have against a shorter text.

use crate::compress::text::atoms::AtomKind;

/// Why a rewrite may not stand for its source. Carries no text, so that it can be counted and logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, thiserror::Error)]
#[error("{} ({})", .reason.as_str(), .kind.map_or("text", AtomKind::as_str))]
pub struct Violation {
    /// What was at fault.
    pub reason: Fault,
    /// On which kind of atom, where it was one.
    pub kind: Option<AtomKind>,
}

/// What a rewrite can do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// An atom of the source is missing.
    Lost,
    /// An atom appears that the source doesn't have, or more often than there.
    Invented,
    /// An atom stands in another order, with another unit or at another statement.
    Changed,
    /// Something reads as an instruction that the source doesn't give in these words.
    Instruction,
    /// Fragments of several sentences were joined into a new one.
    Joined,
    /// A stretch is repeated as a decoder in a loop does.
    Loop,
    /// Control tokens or marks of ours that the source doesn't have.
    Control,
    /// Invisible or look-alike characters: the text stays as it is.
    Suspicious,
    /// Nothing is left.
    Empty,
}

impl Fault {
    /// The word used in metrics and explanations.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Invented => "invented",
            Self::Changed => "changed",
            Self::Instruction => "instruction",
            Self::Joined => "joined",
            Self::Loop => "loop",
            Self::Control => "control",
            Self::Suspicious => "suspicious",
            Self::Empty => "empty",
        }
    }

    pub(in crate::compress) const fn of(self, kind: AtomKind) -> Violation {
        Violation { reason: self, kind: Some(kind) }
    }

    pub(in crate::compress) const fn whole(self) -> Violation {
        Violation { reason: self, kind: None }
    }
}
