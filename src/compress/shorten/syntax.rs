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
    Agent,
    Appos,
    Attr,
    Auxiliary,
    Cc,
    Complement,
    Conj,
    Det,
    Mark,
    Neg,
    Npadvmod,
    Object,
    Pobj,
    Prep,
    Punct,
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
            "agent" => Self::Agent,
            "appos" => Self::Appos,
            "attr" => Self::Attr,
            "aux" | "auxpass" => Self::Auxiliary,
            "cc" => Self::Cc,
            "acomp" | "ccomp" | "xcomp" | "oprd" | "prt" | "dative" => Self::Complement,
            "conj" => Self::Conj,
            "det" | "predet" => Self::Det,
            "mark" => Self::Mark,
            "neg" => Self::Neg,
            "npadvmod" => Self::Npadvmod,
            "dobj" => Self::Object,
            "pobj" | "pcomp" => Self::Pobj,
            "prep" => Self::Prep,
            "punct" => Self::Punct,
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

/// The words as a tree.
pub(super) struct Tree<'s> {
    pub(super) words: &'s [Word],
    children: Vec<Vec<usize>>,
    /// The first and the last word of what a word governs, and how many they are.
    extents: Vec<(usize, usize, usize)>,
}

impl<'s> Tree<'s> {
    /// The tree of a statement; `None` where the heads lead round in circles or out of it.
    pub(super) fn new(syntax: &'s Syntax) -> Option<Self> {
        let words = syntax.words.as_slice();
        let mut children = vec![Vec::new(); words.len()];
        let mut order = Vec::with_capacity(words.len());
        for (at, word) in words.iter().enumerate() {
            if word.head == at { order.push(at) } else { children.get_mut(word.head)?.push(at) }
        }
        let mut next = 0;
        while let Some(at) = order.get(next).copied() {
            order.extend_from_slice(children.get(at)?);
            next += 1;
        }
        if order.len() != words.len() {
            return None;
        }
        let mut extents: Vec<(usize, usize, usize)> = (0..words.len()).map(|at| (at, at, 1)).collect();
        for at in order.into_iter().rev() {
            let (first, last, count) = *extents.get(at)?;
            let head = words.get(at)?.head;
            if head != at {
                let above = extents.get_mut(head)?;
                *above = (above.0.min(first), above.1.max(last), above.2 + count);
            }
        }
        Some(Self { words, children, extents })
    }

    /// What a word governs by itself, in order.
    pub(super) fn children(&self, at: usize) -> &[usize] {
        self.children.get(at).map_or(&[], Vec::as_slice)
    }

    /// The children that stand in that relation.
    pub(super) fn by(&self, at: usize, relation: Relation) -> impl Iterator<Item = usize> {
        self.children(at).iter().copied().filter(move |child| self.relation(*child) == relation)
    }

    /// All that a word governs, itself included, where that is one run of words.
    pub(super) fn run(&self, at: usize) -> Option<Range<usize>> {
        let (first, last, count) = *self.extents.get(at)?;
        (last + 1 - first == count).then_some(first..last + 1)
    }

    /// From the first to the last word that a word governs.
    pub(super) fn extent(&self, at: usize) -> Range<usize> {
        self.extents.get(at).map_or(at..at, |(first, last, _)| *first..*last + 1)
    }

    /// The words from a word up to its root, itself first.
    pub(super) fn up(&self, at: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(at), |at| {
            let head = self.words.get(*at)?.head;
            (head != *at).then_some(head)
        })
    }

    pub(super) fn relation(&self, at: usize) -> Relation {
        self.words.get(at).map_or(Relation::Other, |word| word.relation)
    }

    pub(super) fn tag(&self, at: usize) -> Tag {
        self.words.get(at).map_or(Tag::Other, |word| word.tag)
    }

    pub(super) fn head(&self, at: usize) -> usize {
        self.words.get(at).map_or(at, |word| word.head)
    }
}
