//! Gentler ratios for what is flagged too often, by itself and back again.
//!
//! For each kind of text (a segment kind, tenant or model: the caller names it) a running rate of flags is kept. Past the
//! upper threshold the level goes down one step; below the lower one, which lies far enough away, it goes up again. After
//! each step the rate starts anew, so that one bad hour is not counted twice.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::compress::{Factor, Ratio};

/// The levels of everything that was named.
#[derive(Debug, Default)]
pub struct Backoff {
    named: Mutex<HashMap<String, Rate>>,
}

#[derive(Debug, Default)]
struct Rate {
    level: Level,
    checked: u32,
    rate: f64,
}

/// How far something has been backed off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As asked.
    #[default]
    Full,
    /// At most 5:1.
    Gentle,
    /// At most 2:1.
    Gentler,
    /// Only what is redundant.
    Redundancy,
}

impl Level {
    const fn down(self) -> Self {
        match self {
            Self::Full => Self::Gentle,
            Self::Gentle => Self::Gentler,
            Self::Gentler | Self::Redundancy => Self::Redundancy,
        }
    }

    const fn up(self) -> Self {
        match self {
            Self::Redundancy => Self::Gentler,
            Self::Gentler => Self::Gentle,
            Self::Gentle | Self::Full => Self::Full,
        }
    }

    /// The ratio at this level where `asked` was asked for.
    #[must_use]
    pub fn ratio(self, asked: Ratio) -> Ratio {
        let Ratio::By(factor) = asked else { return asked };
        let most = match self {
            Self::Full => return asked,
            Self::Gentle => 5.0,
            Self::Gentler => 2.0,
            Self::Redundancy => return Ratio::Auto,
        };
        Factor::new(factor.value().min(most)).map_or(asked, Ratio::By)
    }
}

impl Backoff {
    /// Notes a verdict; gives the level before and after where it changed.
    pub fn note(&self, name: &str, flagged: bool) -> Option<(Level, Level)> {
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if !named.contains_key(name) && named.len() >= MOST_NAMES {
            return None;
        }
        let rate = named.entry(name.to_owned()).or_default();
        rate.checked += 1;
        // The mean of the first, then one that forgets.
        let weight = (1.0 / f64::from(rate.checked)).max(1.0 / MEMORY);
        rate.rate += weight * (f64::from(u8::from(flagged)) - rate.rate);
        if f64::from(rate.checked) < MEMORY {
            return None;
        }
        let before = rate.level;
        let after = match rate.rate {
            rate if rate > TOO_OFTEN => before.down(),
            rate if rate < SELDOM => before.up(),
            _ => before,
        };
        (after != before).then(|| {
            *rate = Rate { level: after, ..Rate::default() };
            (before, after)
        })
    }

    /// The level of a name.
    #[must_use]
    pub fn level(&self, name: &str) -> Level {
        let named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        named.get(name).map_or(Level::Full, |rate| rate.level)
    }

    /// Everything that is not at its full level, for metrics.
    #[must_use]
    pub fn backed_off(&self) -> Vec<(String, Level)> {
        let named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<_> =
            named.iter().filter(|(_, r)| r.level != Level::Full).map(|(name, r)| (name.clone(), r.level)).collect();
        found.sort();
        found
    }
}

/// Share of flagged texts past which a level is given up, and below which one is tried again.
const TOO_OFTEN: f64 = 0.25;
const SELDOM: f64 = 0.05;

/// Verdicts that a level is given before it is judged, and over which the rate forgets.
const MEMORY: f64 = 20.0;

/// Names that are kept; others stay at their full level.
const MOST_NAMES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn level_after(backoff: &Backoff, flags: impl IntoIterator<Item = bool>) -> Level {
        for flagged in flags {
            backoff.note("prose", flagged);
        }
        backoff.level("prose")
    }

    #[test]
    fn what_is_flagged_too_often_gets_gentler_and_recovers() {
        let backoff = Backoff::default();
        assert_eq!(level_after(&backoff, [true; 19]), Level::Full, "too few to tell");
        assert_eq!(level_after(&backoff, [true]), Level::Gentle);
        assert_eq!(level_after(&backoff, [true; 20]), Level::Gentler);
        assert_eq!(backoff.backed_off(), [("prose".to_owned(), Level::Gentler)]);
        assert_eq!(level_after(&backoff, [false; 20]), Level::Gentle);
        assert_eq!(level_after(&backoff, [false; 20]), Level::Full);
        assert_eq!(backoff.level("other"), Level::Full);
    }

    #[test]
    fn between_the_thresholds_nothing_moves() {
        let backoff = Backoff::default();
        level_after(&backoff, [true; 20]);
        let one_in_eight = (0..400).map(|n| n % 8 == 0);
        assert_eq!(level_after(&backoff, one_in_eight), Level::Gentle);
    }

    #[test]
    fn a_level_bounds_the_ratio_and_never_raises_it() {
        let by = |value| Ratio::By(Factor::new(value).unwrap());
        assert_eq!(Level::Gentle.ratio(by(10.0)), by(5.0));
        assert_eq!(Level::Gentle.ratio(by(3.0)), by(3.0));
        assert_eq!(Level::Gentler.ratio(by(10.0)), by(2.0));
        assert_eq!(Level::Redundancy.ratio(by(10.0)), Ratio::Auto);
        assert_eq!(Level::Redundancy.ratio(Ratio::Auto), Ratio::Auto);
    }
}
