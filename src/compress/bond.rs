//! What needs what, and what stands together: constraints on the choice, as data.
//!
//! A bond never carries a number. A row *needs* the head that says what its cells mean; an answer and its question stand
//! *together*. [`choose`](super::choose) closes every choice over them.

use super::fuel;

/// A constraint between two items, by their index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Bond {
    /// `item` would mislead without `of`: wherever it stands, the other one does.
    Needs {
        /// The one that depends.
        item: usize,
        /// What it depends on.
        of: usize,
    },
    /// Both stand or neither.
    Together(usize, usize),
}

impl Bond {
    /// The bond with both indices moved up by `by`.
    pub(super) const fn shifted(self, by: usize) -> Self {
        match self {
            Self::Needs { item, of } => Self::Needs { item: item + by, of: of + by },
            Self::Together(one, other) => Self::Together(one + by, other + by),
        }
    }
}

/// The bonds of a page in the form that the choice asks for.
#[derive(Debug, Default)]
pub(super) struct Bonds {
    /// For each item what it needs, by itself.
    needs: Vec<Vec<usize>>,
}

impl Bonds {
    /// The bonds of `items` items. `Together` is two needs.
    pub(super) fn new(items: usize, bonds: &[Bond]) -> Self {
        let mut needs = vec![Vec::new(); items];
        let mut add = |item: usize, of: usize| {
            if let Some(list) = needs.get_mut(item)
                && item != of
                && of < items
            {
                list.push(of);
            }
        };
        for bond in bonds {
            match *bond {
                Bond::Needs { item, of } => add(item, of),
                Bond::Together(one, other) => {
                    add(one, other);
                    add(other, one);
                }
            }
        }
        Self { needs }
    }

    /// What an item needs by itself.
    pub(super) fn of(&self, item: usize) -> &[usize] {
        self.needs.get(item).map_or(&[], Vec::as_slice)
    }

    /// The item with all that it needs, directly or not, as far as `open` holds for it; in the order found. `None` where
    /// there is no `room` for one of them, or where they are more than [`MOST_NEEDED`].
    pub(super) fn closure(
        &self,
        item: usize,
        mut room: impl FnMut(usize) -> bool,
        open: impl Fn(usize) -> bool,
    ) -> Option<Vec<usize>> {
        if !room(item) {
            return None;
        }
        let mut found = vec![item];
        let mut at = 0;
        while let Some(next) = found.get(at).copied() {
            at += 1;
            for of in self.of(next) {
                fuel::step(1);
                if open(*of) && !found.contains(of) {
                    if found.len() >= MOST_NEEDED || !room(*of) {
                        return None;
                    }
                    found.push(*of);
                }
            }
        }
        Some(found)
    }
}

/// The most items that come along with one: an item at the end of a longer chain waits until the beginning stands. It
/// bounds the time that a chain through a whole text takes.
const MOST_NEEDED: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closure_holds_all_that_is_needed_and_ends_in_circles() {
        let bonds =
            Bonds::new(4, &[Bond::Needs { item: 0, of: 1 }, Bond::Together(1, 2), Bond::Needs { item: 2, of: 0 }]);
        assert_eq!(bonds.closure(0, |_| true, |_| true), Some(vec![0, 1, 2]));
        assert_eq!(bonds.closure(3, |_| true, |_| true), Some(vec![3]));
        assert_eq!(bonds.closure(0, |_| true, |item| item != 1), Some(vec![0]));
        assert_eq!(bonds.closure(0, |item| item != 2, |_| true), None);
    }
}
