//! The check by a cheap model: does the condensed text still answer what the original answers?

mod verdict;

pub use verdict::{Finding, Kind, State, Verdict, Why};
