//! The syntax of a statement as a model reads it: words, what governs each, and what it is there for.

use std::ops::Range;

/// A statement's words in their order, each with its head.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Syntax {
    /// Words and marks as the parser's guidelines part them: `don` and `'t`, `year` and `,`.
    pub words: Vec<Word>,
}

/// A word, or a mark.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// Its bytes in the statement, without white space.
    pub span: Range<usize>,
    /// The word that governs it, by its place; its own place for a root.
    pub head: usize,
    /// What it is to its head.
    pub relation: Relation,
    /// What kind of word it is.
    pub tag: Tag,
    /// How sure the model is of head and relation, 0–1.
    pub certain: f32,
}

/// The relations that matter here, of those that spaCy's English models know (the ClearNLP labels).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the labels' own names")]
pub enum Relation {
    Acl,
    Advcl,
    Advmod,
    Appos,
    Attr,
    Auxiliary,
    Cc,
    Conj,
    Det,
    Mark,
    Neg,
    Object,
    Prep,
    Relcl,
    Subject,
    Other,
}

impl Relation {
    /// The relation of that label.
    #[must_use]
    pub fn named(label: &str) -> Self {
        match label {
            "acl" => Self::Acl,
            "advcl" => Self::Advcl,
            "advmod" => Self::Advmod,
            "appos" => Self::Appos,
            "attr" => Self::Attr,
            "aux" | "auxpass" => Self::Auxiliary,
            "cc" => Self::Cc,
            "conj" => Self::Conj,
            "det" | "predet" => Self::Det,
            "mark" => Self::Mark,
            "neg" => Self::Neg,
            "dobj" => Self::Object,
            "prep" => Self::Prep,
            "relcl" => Self::Relcl,
            "nsubj" | "nsubjpass" | "csubj" | "csubjpass" | "expl" => Self::Subject,
            _ => Self::Other,
        }
    }
}

/// The kinds of words that matter here, of the tags of the Penn Treebank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "said by their names")]
pub enum Tag {
    Past,
    PastParticiple,
    Gerund,
    Present,
    Base,
    Modal,
    Noun,
    Name,
    Number,
    Other,
}

impl Tag {
    /// The kind of that tag.
    #[must_use]
    pub fn named(tag: &str) -> Self {
        match tag {
            "VBD" => Self::Past,
            "VBN" => Self::PastParticiple,
            "VBG" => Self::Gerund,
            "VBZ" | "VBP" => Self::Present,
            "VB" => Self::Base,
            "MD" => Self::Modal,
            "NN" | "NNS" => Self::Noun,
            "NNP" | "NNPS" => Self::Name,
            "CD" => Self::Number,
            _ => Self::Other,
        }
    }

    /// Whether it is a verb's, modal verbs left out.
    #[must_use]
    pub const fn is_verb(self) -> bool {
        matches!(self, Self::Past | Self::PastParticiple | Self::Gerund | Self::Present | Self::Base)
    }
}
