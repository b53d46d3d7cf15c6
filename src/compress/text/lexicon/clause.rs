//! English words that decide what a statement can do without.

use super::List;

/// Adverbs that only say how a statement follows from the one before.
pub(crate) static LINKING: List = List::new(
    "however moreover furthermore additionally therefore thus indeed subsequently consequently meanwhile similarly \
     likewise nevertheless nonetheless hence accordingly",
);

/// Words that limit, compare or turn what they stand in, beside negations, modals and conditions.
pub(crate) static STEERING: List = List::new(
    "only least most more less fewer almost nearly about rather instead otherwise alone if unlike supposedly few little \
     too enough",
);

/// What makes a noun one that is known.
pub(crate) static DEFINITE: List = List::new("the this that these those my your his her its our their");

/// Subjects that are someone or something.
pub(crate) static PRONOUNS: List = List::new("i you he she it we they this that");

/// Words by which something is first or last of its kind, beside superlatives.
pub(crate) static RANKING: List =
    List::new("first second third fourth fifth last latest next record same number no. top sole unique highest lowest");

/// Prepositions that limit what they stand behind, or belong to it.
pub(crate) static TYING: List = List::new(
    "of than as without except unlike besides until unless under within per despite like between by to for with into \
     against including according but regarding concerning about over upon onto",
);
