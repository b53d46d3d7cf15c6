//! What a check found.

use std::time::Duration;

use crate::compress::Level;

/// What a check of one condensed text came to.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Verdict {
    /// Whether it was checked, and how that ended.
    pub state: State,
    /// What was found, by unit.
    pub findings: Vec<Finding>,
    /// Questions whose answers were compared.
    pub questions: usize,
    /// Claims that the original makes in the same words, so that nobody was asked about them.
    pub sure: usize,
    /// Tokens that the checking model was given and gave, by its own count.
    pub tokens: u64,
    /// Claims of the checking model that did not stand, and so count for nothing.
    pub false_alarms: usize,
    /// How far the ratio was backed off when the text was condensed.
    pub level: Level,
    /// Time that the check took.
    #[serde(rename = "took_ms", serialize_with = "milliseconds")]
    pub took: Duration,
}

impl Verdict {
    /// Not checked, for a reason.
    #[must_use]
    pub const fn unchecked(why: Why, level: Level) -> Self {
        Self {
            state: State::Unchecked(why),
            findings: Vec::new(),
            questions: 0,
            sure: 0,
            tokens: 0,
            false_alarms: 0,
            level,
            took: Duration::ZERO,
        }
    }

    /// The units with findings, each once, in order.
    #[must_use]
    pub fn flagged(&self) -> Vec<usize> {
        let mut units: Vec<usize> = self.findings.iter().map(|f| f.unit).collect();
        units.sort_unstable();
        units.dedup();
        units
    }
}

fn milliseconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((time.as_secs_f64() * 1e4).round() / 10.0)
}

/// Whether a text was checked, and how that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Every claim of the condensed text is the original's, as far as it was asked about.
    Passed,
    /// At least one unit says something else than its original.
    Flagged,
    /// It was not checked; the request went on.
    Unchecked(Why),
}

/// Why a text was not checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It was not among the share to check.
    NotSampled,
    /// No unit was rewritten, or none of them has anything to ask for.
    NothingToAsk,
    /// The checking model cannot be reached or refuses.
    Down,
    /// It did not answer in time.
    Slow,
    /// It answered something else than was asked for.
    Nonsense,
    /// The day's tokens or money are spent.
    OverBudget,
    /// Too many checks at once.
    Overloaded,
    /// Its request did not wait longer for it; the check goes on, and its verdict follows.
    Late,
    /// It was judged before, by a process that has ended or so long ago that only what was put back is known.
    Forgotten,
}

impl Why {
    /// Every reason.
    pub const ALL: [Self; 9] = [
        Self::NotSampled,
        Self::NothingToAsk,
        Self::Down,
        Self::Slow,
        Self::Nonsense,
        Self::OverBudget,
        Self::Overloaded,
        Self::Late,
        Self::Forgotten,
    ];

    /// Whether a check was wanted and gave no verdict.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Down | Self::Slow | Self::Nonsense | Self::OverBudget | Self::Overloaded | Self::Late)
    }

    /// The word used in metrics and explanations.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotSampled => "not_sampled",
            Self::NothingToAsk => "nothing_to_ask",
            Self::Down => "down",
            Self::Slow => "slow",
            Self::Nonsense => "nonsense",
            Self::OverBudget => "over_budget",
            Self::Overloaded => "overloaded",
            Self::Late => "late",
            Self::Forgotten => "forgotten",
        }
    }
}

/// A fact that the condensed text doesn't give as the original does.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// Index of the unit.
    pub unit: usize,
    /// What happened to the fact.
    pub kind: Kind,
    /// The words of the original (of the condensed text, for an invented fact) that state it; verbatim,
    /// but that phrases of one meaning have one wording.
    pub quote: String,
    /// What the other text gave in answer; empty where it gave none.
    pub answer: String,
}

/// What can happen to a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The condensed text doesn't say it.
    Lost,
    /// It says something else.
    Changed,
    /// It says what the original doesn't.
    Invented,
}
