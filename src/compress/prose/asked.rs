//! Which part of a unit answers, where sentences stand among the rows of tables: such questions are answered by a stretch
//! of words rather than by single names, and the reason that is asked for follows a `because`.

use std::sync::LazyLock;

use regex::Regex;

use super::{
    super::{
        relevance::{Expected, Relevance},
        select::NEVER,
    },
    Prose,
};

impl Prose<'_> {
    /// How much more each phrase is worth within its unit for what is asked.
    pub(super) fn leaning(&self, ask: &Relevance) -> Vec<f32> {
        let mut lean = vec![0.0; self.phrases.len()];
        if ask.expected() != Some(Expected::Reason) {
            return lean;
        }
        let causes: Vec<Option<usize>> = self
            .segments
            .iter()
            .map(|segment| {
                let at = cause(self.text.get(segment.span.clone()).unwrap_or_default())?;
                Some(segment.span.start + at)
            })
            .collect();
        for (phrase, lean) in self.phrases.iter().zip(&mut lean) {
            if causes.get(phrase.unit).copied().flatten().is_some_and(|at| phrase.span.end > at) {
                *lean = CLAUSE;
            }
        }
        lean
    }

    /// Adds what the phrases are worth for what is asked, and gives each some of its neighbours' worth in the unit.
    pub(super) fn lean(&self, worth: &mut [f32]) {
        if self.lean.is_empty() {
            return;
        }
        for (worth, lean) in worth.iter_mut().zip(&self.lean) {
            *worth += lean;
        }
        for _ in 0..SMOOTHINGS {
            let before = worth.to_vec();
            let near = |unit: usize, other: Option<usize>| {
                let other = other.filter(|other| self.phrases.get(*other).is_some_and(|phrase| phrase.unit == unit));
                other.and_then(|other| before.get(other)).copied().filter(|worth| *worth > NEVER)
            };
            for (at, (worth, phrase)) in worth.iter_mut().zip(&self.phrases).enumerate() {
                if *worth > NEVER {
                    let left = near(phrase.unit, at.checked_sub(1)).unwrap_or(*worth);
                    let right = near(phrase.unit, Some(at + 1)).unwrap_or(*worth);
                    *worth = 0.5 * *worth + 0.25 * (left + right);
                }
            }
        }
    }
}

/// Where a unit begins to name a cause.
pub(super) fn cause(unit: &str) -> Option<usize> {
    CAUSES.find(unit).map(|found| found.start())
}

/// How sentences name a cause.
#[expect(clippy::expect_used, reason = "the pattern is a constant, and a test uses it")]
static CAUSES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)\b(?:because|due to|owing to|since|driven by|caused by|led to|as a result|thanks to|in order to|so that",
        r"|result(?:ed|ing|s)? (?:from|in)|attribut(?:ed|able) to|reflect(?:s|ed|ing)?)\b",
    ))
    .expect("a constant pattern")
});

/// What a phrase of the clause that names the cause is worth more, against twice the best unit's relevance.
const CLAUSE: f32 = 0.3;
/// How often the worth is smoothed: so that runs of a few words stay together.
const SMOOTHINGS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_begins_with_the_word_that_names_it() {
        assert_eq!(cause("Costs rose, mainly due to higher wages."), Some(19));
        assert_eq!(cause("Costs rose by 3 % in 2019."), None);
    }
}
