//! Gentler ratios for what is flagged too often, by itself and back again.
//!
//! For each kind of text, tenant and target model a running rate of flags is kept. Past the upper threshold the level
//! goes down one step; below the lower one, which lies far enough away, it goes up again. After each step the rate starts
//! anew, so that one bad hour is not counted twice. The engine remembers the levels across restarts.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::Config;
use crate::{
    compress::{Form, Level, form_of},
    engine::{Engine, Tenant},
};

/// The levels of everything that was named.
#[derive(Debug)]
pub struct Backoff {
    named: Mutex<HashMap<Name, Rate>>,
    /// Remembers the levels.
    engine: Option<Engine>,
    above: f64,
    below: f64,
}

/// What a level belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Name {
    /// Texts that begin with this kind of content.
    Kind(Form),
    /// Texts of one tenant.
    Tenant(Tenant),
    /// Texts for one target model, by the hash of its name.
    Model([u8; 16]),
}

impl Name {
    /// What a text is judged under.
    #[must_use]
    pub fn of(text: &str, tenant: Tenant, model: Option<&str>) -> [Self; 3] {
        let head = text.get(..text.floor_char_boundary(HEAD)).unwrap_or_default();
        let mut named = [0; 16];
        named
            .iter_mut()
            .zip(blake3::hash(model.unwrap_or_default().as_bytes()).as_bytes())
            .for_each(|(to, b)| *to = *b);
        [Self::Kind(form_of(head)), Self::Tenant(tenant), Self::Model(named)]
    }

    /// Its hash, which tells nothing of a tenant or a model.
    fn short(self) -> [u8; 16] {
        let mut hash = blake3::Hasher::new_derive_key("headroom name of a back-off, version 1");
        hash.update(self.dimension().as_bytes());
        match self {
            Self::Kind(kind) => hash.update(kind.as_str().as_bytes()),
            Self::Tenant(Tenant(name)) | Self::Model(name) => hash.update(&name),
        };
        let mut short = [0; 16];
        hash.finalize_xof().fill(&mut short);
        short
    }

    /// `kind`, `tenant` or `model`.
    #[must_use]
    pub const fn dimension(self) -> &'static str {
        match self {
            Self::Kind(_) => "kind",
            Self::Tenant(_) => "tenant",
            Self::Model(_) => "model",
        }
    }
}

/// Bytes at the head of a text that tell its kind.
const HEAD: usize = 16 << 10;

#[derive(Debug, Default)]
struct Rate {
    level: Level,
    checked: u32,
    rate: f64,
}

impl Backoff {
    /// Everything at the level that the engine remembers; without one, at its full level.
    #[must_use]
    pub fn new(config: &Config, engine: Option<Engine>) -> Self {
        Self { named: Mutex::default(), engine, above: config.backoff_above, below: config.recover_below }
    }

    /// Notes a verdict; gives the level before and after where it changed.
    pub fn note(&self, name: Name, flagged: bool) -> Option<(Level, Level)> {
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if !named.contains_key(&name) && named.len() >= MOST_NAMES {
            return None;
        }
        let rate = named.entry(name).or_insert_with(|| Rate { level: self.remembered(name), ..Rate::default() });
        rate.checked += 1;
        // The mean of the first, then one that forgets.
        let weight = (1.0 / f64::from(rate.checked)).max(1.0 / MEMORY);
        rate.rate += weight * (f64::from(u8::from(flagged)) - rate.rate);
        if f64::from(rate.checked) < MEMORY {
            return None;
        }
        let before = rate.level;
        let after = match rate.rate {
            rate if rate > self.above => before.down(),
            rate if rate < self.below => before.up(),
            _ => before,
        };
        (after != before).then(|| {
            *rate = Rate { level: after, ..Rate::default() };
            if let Some(engine) = &self.engine {
                engine.back_off(name.short(), after);
            }
            (before, after)
        })
    }

    fn remembered(&self, name: Name) -> Level {
        self.engine.as_ref().map(|engine| engine.backed_off(name.short())).unwrap_or_default()
    }

    /// The gentlest level of these names.
    #[must_use]
    pub fn level(&self, names: &[Name]) -> Level {
        let named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        let level = |name: &Name| named.get(name).map_or_else(|| self.remembered(*name), |rate| rate.level);
        names.iter().map(level).max().unwrap_or_default()
    }

    /// How many names of a dimension are at each level below the full one.
    #[must_use]
    pub fn backed_off(&self, dimension: &str) -> [(Level, usize); 3] {
        let named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        let at = |level| named.iter().filter(|(n, r)| n.dimension() == dimension && r.level == level).count();
        [Level::Gentle, Level::Gentler, Level::Redundancy].map(|level| (level, at(level)))
    }
}

/// Verdicts that a level is given before it is judged, and over which the rate forgets.
const MEMORY: f64 = 20.0;

/// Names that are kept; others stay at their full level.
const MOST_NAMES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    const PROSE: Name = Name::Kind(Form::Prose);

    fn level_after(backoff: &Backoff, flags: impl IntoIterator<Item = bool>) -> Level {
        for flagged in flags {
            backoff.note(PROSE, flagged);
        }
        backoff.level(&[Name::Tenant(Tenant::default()), PROSE])
    }

    #[test]
    fn what_is_flagged_too_often_gets_gentler_and_recovers() {
        let backoff = Backoff::new(&Config::default(), None);
        assert_eq!(level_after(&backoff, [true; 19]), Level::Full, "too few to tell");
        assert_eq!(level_after(&backoff, [true]), Level::Gentle);
        assert_eq!(level_after(&backoff, [true; 20]), Level::Gentler);
        assert!(backoff.backed_off("kind").contains(&(Level::Gentler, 1)));
        assert_eq!(level_after(&backoff, [false; 20]), Level::Gentle);
        assert_eq!(level_after(&backoff, [false; 20]), Level::Full);
        assert_eq!(backoff.level(&[Name::Model([0; 16])]), Level::Full);
    }

    #[test]
    fn between_the_thresholds_nothing_moves() {
        let backoff = Backoff::new(&Config::default(), None);
        level_after(&backoff, [true; 20]);
        let one_in_eight = (0..400).map(|n| n % 8 == 0);
        assert_eq!(level_after(&backoff, one_in_eight), Level::Gentle);
    }

    #[test]
    fn a_text_is_judged_by_what_it_is_whose_it_is_and_whom_it_is_for() {
        let names = |text, tenant, model| Name::of(text, Tenant([tenant; 16]), model);
        let prose = names("Nobody came to the meeting. It was cold.", 1, Some("a"));
        assert_eq!(prose[0], PROSE);
        assert_eq!(names("[{\"a\": 1}, {\"a\": 2}]", 1, Some("a"))[0], Name::Kind(Form::Json));
        assert_ne!(names("", 2, None)[1], prose[1]);
        assert_ne!(names("", 2, None)[2], prose[2]);
    }
}
