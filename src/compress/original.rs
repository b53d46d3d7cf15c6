//! The name under which whoever may can read a text as it came.
//!
//! A mark says how much was left out; with this name in it, it also says how to read that. Where names come from and
//! where originals lie is not known here: a name is a word that is written once in a condensed text.
//!
//! *Each name costs the same*: encodings read digits three at a time, while letters cost more or less by chance. So what is
//! left out of a text never depends on what its name is, and 60 bits cost seven tokens. The letter keeps agents from taking
//! the name for a number, whose last digits they would round.

use std::fmt;

/// The name of an original.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OriginalId(u64);

impl OriginalId {
    /// The name that these bits amount to.
    #[must_use]
    pub const fn new(bits: u64) -> Self {
        Self(bits % COUNT)
    }

    /// Its number, below 10^18.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Reads a name, as a model may have copied it: with white space, quotes or brackets around it.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let word = word.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
        let digits = word.strip_prefix(['r', 'R']).unwrap_or(word);
        let plain = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse().ok().map(Self)).flatten()
    }
}

/// The tool by which an original is read, as a mark names it.
pub const READ: &str = "headroom_read";

impl fmt::Display for OriginalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{:0DIGITS$}", self.0)
    }
}

const DIGITS: usize = 18;

/// How many names there are: near to 2^60.
const COUNT: u64 = 10_u64.pow(DIGITS as u32);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::{CountTokens as _, Encoding};

    #[test]
    fn a_name_is_read_as_it_was_written() {
        for bits in [0, 1, COUNT - 1, COUNT, u64::MAX] {
            let id = OriginalId::new(bits);
            let word = id.to_string();
            assert_eq!((word.len(), OriginalId::parse(&word)), (19, Some(id)));
            assert_eq!(OriginalId::parse(&format!(" \"{}\"]", word.to_uppercase())), Some(id));
            assert_eq!(OriginalId::parse(word.trim_start_matches('r')), Some(id));
        }
        for word in
            ["", "r", "r12345678901234567", "r1234567890123456789", "r12345678901234567a", "s123456789012345678"]
        {
            assert_eq!(OriginalId::parse(word), None, "{word}");
        }
    }

    #[test]
    fn each_name_costs_the_same_so_that_no_choice_depends_on_it() {
        for encoding in [Encoding::O200k, Encoding::Cl100k] {
            let cost = |bits| encoding.count(&format!("[… 12 lines; {READ} {}]", OriginalId::new(bits)));
            let costs = (0..2000_u64).map(|at| cost(at.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
            let costs: std::collections::BTreeSet<usize> = costs.collect();
            assert_eq!(costs.len(), 1, "{costs:?}");
            assert_eq!(encoding.count(" r482133901277640915"), 7);
        }
    }
}
