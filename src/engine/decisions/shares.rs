//! A bounded store that tenants share: when it is full, the tenant who holds most gives up what it used least lately. So
//! nobody's flood displaces what others need.

use std::collections::{BTreeSet, HashMap};

use lru::LruCache;

use crate::engine::key::{Name, Share};

/// What takes up room.
pub(super) trait Weigh {
    /// How much, at least 1.
    fn weight(&self) -> usize;
}

/// The store.
#[derive(Debug)]
pub(super) struct Shares<V> {
    shares: HashMap<Share, Held<V>>,
    /// Who holds how much, the most last.
    ranks: BTreeSet<(usize, Share)>,
    weight: usize,
    most: usize,
}

#[derive(Debug)]
struct Held<V> {
    values: LruCache<[u8; 16], V>,
    weight: usize,
}

impl<V: Weigh> Shares<V> {
    /// One that holds values of at most this weight.
    pub(super) fn new(most: usize) -> Self {
        Self { shares: HashMap::new(), ranks: BTreeSet::new(), weight: 0, most }
    }

    /// The bound.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// A value, which is in use then.
    pub(super) fn get(&mut self, name: Name) -> Option<&V> {
        self.shares.get_mut(&name.share)?.values.get(&name.hash)
    }

    /// Takes a value out.
    pub(super) fn take(&mut self, name: Name) -> Option<V> {
        let value = self.shares.get_mut(&name.share)?.values.pop(&name.hash)?;
        self.weigh(name.share, 0, value.weight());
        Some(value)
    }

    /// Puts a value in; gives those that went to make room.
    pub(super) fn put(&mut self, name: Name, value: V) -> Vec<V> {
        let weight = value.weight();
        let held = self.shares.entry(name.share).or_insert_with(|| Held { values: LruCache::unbounded(), weight: 0 });
        let old = held.values.put(name.hash, value);
        self.weigh(name.share, weight, old.as_ref().map_or(0, Weigh::weight));
        let mut gone = Vec::new();
        while self.weight > self.most
            && let Some((_, share)) = self.ranks.last().copied()
            && let Some((_, value)) = self.shares.get_mut(&share).and_then(|held| held.values.pop_lru())
        {
            self.weigh(share, 0, value.weight());
            gone.push(value);
        }
        gone
    }

    /// Every value; of each tenant, what was in use last comes last.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Name, &V)> {
        let named = |share: Share| move |(hash, value): (&[u8; 16], _)| (Name { share, hash: *hash }, value);
        self.ranks
            .iter()
            .filter_map(|(_, share)| Some((*share, self.shares.get(share)?)))
            .flat_map(move |(share, held)| held.values.iter().rev().map(named(share)))
    }

    /// A share has become heavier and lighter by so much.
    fn weigh(&mut self, share: Share, more: usize, less: usize) {
        let Some(held) = self.shares.get_mut(&share) else { return };
        self.ranks.remove(&(held.weight, share));
        held.weight = held.weight + more - less;
        self.weight = self.weight + more - less;
        if held.values.is_empty() {
            self.shares.remove(&share);
        } else {
            self.ranks.insert((held.weight, share));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Weigh for usize {
        fn weight(&self) -> usize {
            *self
        }
    }

    fn name(share: u8, at: u8) -> Name {
        Name { share: Share([share; 4]), hash: [at; 16] }
    }

    #[test]
    fn a_flood_displaces_nobody_else() {
        let mut shares = Shares::new(10);
        (0..3).for_each(|at| drop(shares.put(name(1, at), 1)));
        (0..200).for_each(|at| drop(shares.put(name(2, at), 1)));
        assert!((0..3).all(|at| shares.get(name(1, at)).is_some()));
        assert_eq!(shares.iter().count(), 10);
        // Whoever comes later gets room too, up to an equal share.
        (0..9).for_each(|at| drop(shares.put(name(3, at), 1)));
        assert!(shares.get(name(3, 8)).is_some());
        assert!((0..3).all(|at| shares.get(name(1, at)).is_some()));
        assert_eq!((0..200).filter(|at| shares.get(name(2, *at)).is_some()).count(), 4);
    }

    #[test]
    fn what_is_in_use_stays_and_the_bound_holds_for_heavy_values() {
        let mut shares = Shares::new(10);
        (0..5).for_each(|at| drop(shares.put(name(1, at), 2)));
        shares.get(name(1, 0));
        assert_eq!(shares.put(name(1, 9), 4), [2, 2]);
        assert!([0, 3, 4, 9].iter().all(|at| shares.get(name(1, *at)).is_some()));
        assert_eq!(shares.put(name(1, 8), 11), [2, 2, 2, 4, 11], "what is heavier than the store is not held");
        assert_eq!((shares.iter().count(), shares.weight), (0, 0));
        shares.put(name(1, 1), 3);
        assert_eq!((shares.take(name(1, 1)), shares.weight, shares.shares.len()), (Some(3), 0, 0));
    }
}
