//! The words of a statement as a tree: what each governs, and up to where.

use std::ops::Range;

use crate::compress::syntax::{Relation, Syntax, Tag, Word};

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
