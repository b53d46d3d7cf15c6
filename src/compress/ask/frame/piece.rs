//! A piece of a message, and what becomes of it.

use std::ops::Range;

use super::{address::Calls, shape::Look};

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
    pub(super) calls: Calls,
    /// Whether it is settled what it is, and as what.
    pub(super) fate: Fate,
    /// Whether its tag or field says that it is what is asked.
    pub(super) named: bool,
    /// How many tags stand around it; a stretch ends where this changes.
    pub(super) depth: usize,
    /// Whether it is part of something larger: one of the long lines of a block, a paragraph of a letter.
    pub(super) bound: bool,
    /// Whether it is part of what speaks to its own reader: a letter, a manual.
    pub(super) inside: bool,
    /// Whether several people speak there in the first person.
    pub(super) voices: bool,
}

/// What a piece is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A tag, or the field of a template.
    Tag,
    /// A line that parts.
    Ruler,
    /// A fence with what is in it.
    Fence,
    /// A paragraph.
    Text(Look),
}

/// What becomes of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It depends on what stands around it.
    Open,
    Frame,
    Material,
}

impl Piece {
    pub(super) fn new(span: Range<usize>, kind: Kind, fate: Fate, depth: usize) -> Self {
        Self {
            span,
            kind,
            calls: Calls::default(),
            fate,
            named: false,
            depth,
            bound: false,
            inside: false,
            voices: false,
        }
    }

    pub(super) const fn is_document(&self) -> bool {
        matches!(self.kind, Kind::Text(Look::Document) | Kind::Fence)
    }
}
