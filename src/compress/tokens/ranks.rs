//! The tokens of an encoding in little room: their bytes one after another, and a table by which they are found.
//!
//! `tiktoken-rs` keeps each token three times, in a map, in a map of the other direction and in a list, 35 MB for the usual
//! encoding. To count takes one direction.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    hash::{BuildHasher as _, Hasher as _},
};

use foldhash::fast::FixedState;
use tiktoken_rs::CoreBPE;

/// The tokens of an encoding; one that is learned earlier has the smaller rank, and is put together first.
#[derive(Debug)]
pub(super) struct Ranks {
    bytes: Box<[u8]>,
    /// Where the bytes of each token end.
    ends: Box<[u32]>,
    /// Ranks at the place of their hash, or behind it; a power of two.
    places: Box<[u32]>,
}

impl Ranks {
    /// The ordinary tokens of an encoding. Its special ones stand apart, behind a gap.
    pub(super) fn of(encoding: &CoreBPE) -> Self {
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        while let Ok(token) = encoding.decode_bytes(&[ends.len() as u32]) {
            bytes.extend_from_slice(&token);
            ends.push(bytes.len() as u32);
        }
        let places = vec![NONE; (2 * ends.len()).next_power_of_two()].into();
        let mut ranks = Self { bytes: bytes.into(), ends: ends.into(), places };
        for rank in 0..ranks.ends.len() as u32 {
            let place = ranks.place(ranks.token(rank));
            if let Some(place) = ranks.places.get_mut(place) {
                *place = rank;
            }
        }
        ranks
    }

    /// The tokens of a piece between which the encoding's pattern lets no token reach.
    pub(super) fn count(&self, piece: &[u8]) -> usize {
        match piece.len() {
            0 | 1 => piece.len(),
            _ if self.rank(piece).is_some() => 1,
            length if length < LONG => self.count_short(piece),
            _ => self.count_long(piece),
        }
    }

    /// Puts neighbours together, those of the smallest rank first and of these the first, while there are any.
    fn count_short(&self, piece: &[u8]) -> usize {
        // Where each part begins, and the rank that it has together with the next.
        let mut parts: Vec<(usize, u32)> = (0..=piece.len()).map(|at| (at, self.pair(piece, at, at + 2))).collect();
        loop {
            let pairs = parts.iter().enumerate();
            let Some((at, (_, rank))) = pairs.min_by_key(|(_, (_, rank))| *rank) else { return 0 };
            if *rank == NONE {
                return parts.len() - 1;
            }
            parts.remove(at + 1);
            for at in [Some(at), at.checked_sub(1)].into_iter().flatten() {
                let end = parts.get(at + 2).map_or(usize::MAX, |(end, _)| *end);
                if let Some((begin, rank)) = parts.get_mut(at) {
                    *rank = self.pair(piece, *begin, end);
                }
            }
        }
    }

    /// The same in `n log n` steps: pairs wait in a heap, and one whose parts have changed meanwhile is passed over.
    fn count_long(&self, piece: &[u8]) -> usize {
        // Of each part, by where it begins: where it ends, and where the one before begins. A part that was taken up by the
        // one before ends nowhere.
        let mut ends: Vec<usize> = (1..=piece.len()).collect();
        let mut before: Vec<usize> = (0..=piece.len()).map(|at| at.saturating_sub(1)).collect();
        let end = |ends: &[usize], at: usize| ends.get(at).copied().unwrap_or(usize::MAX);
        let pair = |begin: usize, end: usize| Reverse((self.pair(piece, begin, end), begin, end));
        let mut pairs: BinaryHeap<_> = (0..piece.len()).map(|at| pair(at, at + 2)).collect();
        let mut parts = piece.len();
        while let Some(Reverse((rank, begin, stop))) = pairs.pop() {
            if rank == NONE {
                break;
            }
            let next = end(&ends, begin);
            if next == usize::MAX || end(&ends, next) != stop {
                continue;
            }
            for (at, ends_at) in [(begin, stop), (next, usize::MAX)] {
                if let Some(end) = ends.get_mut(at) {
                    *end = ends_at;
                }
            }
            if let Some(before) = before.get_mut(stop) {
                *before = begin;
            }
            parts -= 1;
            pairs.push(pair(begin, end(&ends, stop)));
            if let Some(first) = before.get(begin).copied().filter(|_| begin > 0) {
                pairs.push(pair(first, stop));
            }
        }
        parts
    }

    /// The rank of the bytes of two parts; [`NONE`] where they are no token.
    fn pair(&self, piece: &[u8], begin: usize, end: usize) -> u32 {
        piece.get(begin..end).and_then(|pair| self.rank(pair)).unwrap_or(NONE)
    }

    fn rank(&self, token: &[u8]) -> Option<u32> {
        self.places.get(self.place(token)).copied().filter(|rank| *rank != NONE)
    }

    /// Where a token's rank stands, or would.
    fn place(&self, token: &[u8]) -> usize {
        let most = self.places.len() - 1;
        let mut hasher = FixedState::with_seed(0).build_hasher();
        hasher.write(token);
        let mut place = hasher.finish() as usize & most;
        // Half of the places are free.
        while let Some(rank) = self.places.get(place).filter(|rank| **rank != NONE) {
            if self.token(*rank) == token {
                break;
            }
            place = (place + 1) & most;
        }
        place
    }

    fn token(&self, rank: u32) -> &[u8] {
        let end = |rank: usize| self.ends.get(rank).map_or(0, |end| *end as usize);
        let rank = rank as usize;
        let begin = rank.checked_sub(1).map_or(0, end);
        self.bytes.get(begin..end(rank)).unwrap_or_default()
    }
}

/// No token.
const NONE: u32 = u32::MAX;

/// Bytes from which on a heap pays.
const LONG: usize = 100;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_token_is_found_and_counts_one() {
        let encoding = tiktoken_rs::o200k_base_singleton();
        let ranks = Ranks::of(encoding);
        assert_eq!(ranks.ends.len(), 199_998);
        for rank in 0..199_998 {
            let token = encoding.decode_bytes(&[rank]).unwrap();
            assert_eq!((ranks.rank(&token), ranks.count(&token)), (Some(rank), 1));
        }
        assert_eq!((ranks.rank(b""), ranks.rank(b"<|endoftext|>")), (None, None));
    }

    #[test]
    fn the_long_way_comes_to_the_same_as_the_short_one() {
        let ranks = Ranks::of(tiktoken_rs::o200k_base_singleton());
        let mut runner = proptest::test_runner::TestRunner::default();
        let pieces = "[a-cé ]{2,160}|[a-zA-Z0-9_]{2,160}|[\\x00-\\xff]{2,60}|(ab){20,80}|a{2,200}";
        let same = |piece: String| {
            prop_assert_eq!(ranks.count_long(piece.as_bytes()), ranks.count_short(piece.as_bytes()));
            Ok(())
        };
        runner.run(&pieces, same).unwrap();
    }
}
