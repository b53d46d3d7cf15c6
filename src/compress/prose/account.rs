//! What is said of each unit: how redundant it is, what it is worth, and why it was kept or not.

use super::{
    super::{
        Decision,
        phrase::Phrase,
        redundancy::{Redundancy, Repeat},
    },
    Empty, Prose,
};

impl Prose<'_> {
    pub(super) fn emptiness(&self, unit: usize) -> Option<Empty> {
        self.empty.get(unit).copied().flatten()
    }

    pub(super) fn repeat(&self, unit: usize) -> Option<&Repeat> {
        self.repeats.get(unit).and_then(Option::as_ref)
    }

    pub(super) fn restatement(&self, unit: usize) -> Option<&Repeat> {
        self.restated.get(unit).and_then(Option::as_ref)
    }

    /// The same where it counts against the unit.
    pub(super) fn counted_restatement(&self, unit: usize) -> Option<&Repeat> {
        self.restatement(unit).filter(|_| self.kinds.semantic)
    }

    pub(super) fn redundancy(&self, unit: usize) -> Redundancy {
        let says_nothing = f32::from(u8::from(self.emptiness(unit).is_some()));
        Redundancy {
            lexical: self.lexical.get(unit).copied().unwrap_or(0.0),
            structural: self.repeat(unit).map_or(says_nothing, |copy| copy.share),
            semantic: self.restatement(unit).map_or(0.0, |repeat| repeat.share),
        }
    }

    /// What a unit is worth to the reader, 0–1.
    pub(super) fn score(&self, unit: usize) -> f32 {
        match self.repeat(unit) {
            Some(repeat) => 1.0 - repeat.share,
            None => self.relevance.get(unit).copied().unwrap_or_else(|| self.told(unit)),
        }
    }

    pub(super) fn told(&self, unit: usize) -> f32 {
        self.information.get(unit).copied().unwrap_or(0.0)
    }

    pub(super) fn reason(&self, unit: usize, decision: Decision) -> String {
        if let Some(copy) = self.repeat(unit) {
            return format!("unit {} says {:.0} % of it", copy.of, copy.share * 100.0);
        }
        if let Some(repeat) = self.counted_restatement(unit).filter(|_| decision != Decision::Kept) {
            return format!("unit {} seems to say the same ({:.2}); others tell more", repeat.of, repeat.share);
        }
        match self.emptiness(unit) {
            Some(Empty::Assent) if decision != Decision::Kept => {
                return "only shows that its speaker listens".to_owned();
            }
            Some(Empty::Greeting) if decision != Decision::Kept => return "a greeting".to_owned(),
            Some(Empty::Notice) if decision != Decision::Kept => return "a notice of the usual kind".to_owned(),
            _ => {}
        }
        let grounds = match self.relevance.get(unit) {
            Some(relevance) => format!("relevance {relevance:.2}"),
            None => format!("information {:.2}", self.told(unit)),
        };
        match decision {
            Decision::Kept => grounds,
            Decision::Rewritten => format!("{grounds}; what tells most of it"),
            Decision::Dropped => format!("{grounds}; others tell more"),
        }
    }
}

/// For each unit the share of its telling words, by cost, that stood before.
pub(super) fn lexical(phrases: &[Phrase], units: usize) -> Vec<f32> {
    let mut shares = vec![(0.0_f32, 0.0_f32); units];
    for phrase in phrases.iter().filter(|phrase| phrase.value > 0.0) {
        if let Some((said, all)) = shares.get_mut(phrase.unit) {
            *said += phrase.repeated * phrase.cost as f32;
            *all += phrase.cost as f32;
        }
    }
    shares.into_iter().map(|(said, all)| said / all.max(1.0)).collect()
}

/// For each unit what its phrases tell for each token, as a share of the most that a unit tells.
pub(super) fn information(phrases: &[Phrase], units: usize) -> Vec<f32> {
    let mut told = vec![(0.0_f32, 0.0_f32); units];
    for phrase in phrases {
        if let Some((sum, cost)) = told.get_mut(phrase.unit) {
            *sum += phrase.value.max(0.0) * phrase.cost as f32;
            *cost += phrase.cost as f32;
        }
    }
    let told: Vec<f32> = told.into_iter().map(|(sum, cost)| sum / cost.max(1.0)).collect();
    let most = told.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    told.into_iter().map(|told| told / most).collect()
}
