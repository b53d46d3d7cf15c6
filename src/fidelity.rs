//! The check by a cheap model: does the condensed text still answer what the original answers?
//!
//! A small model is a poor judge and a fair reader. It is never asked whether a text is faithful: the claims of the
//! condensed text become sentences with gaps (`question`), it fills them from the original, and code compares (`answer`).
//! Nobody is asked about claims whose words stand in the original between the same neighbours (`fit`), and an answer
//! counts only where it fits better than what was expected. A unit whose answers differ is put back verbatim. Whatever
//! goes wrong with the check (down, slow, nonsense, over budget), the request goes on and the reason is counted.

mod answer;
mod backoff;
mod budget;
mod calibrate;
mod checker;
mod config;
mod fit;
pub mod plant;
mod protocol;
mod question;
mod review;
mod stats;
mod verdict;

pub use backoff::{Backoff, Name};
pub use calibrate::{Calibration, Case, Row, calibrate, cases};
pub use checker::Checker;
pub use config::{Config, Mode, WithoutVerdict};
pub use review::{Later, Reviewed, Reviewer};
pub use stats::Stats;
pub use verdict::{Finding, Kind, State, Verdict, Why};

#[cfg(test)]
mod tests;
