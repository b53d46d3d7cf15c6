//! Transcripts: who speaks stands before every turn, and says nothing of what is said there.

use std::collections::{HashMap, HashSet};

use super::{
    super::{relevance::Relevance, segment},
    Prose,
};

/// The speakers of a transcript; none for any other text.
#[derive(Default)]
pub(super) struct Speakers<'a>(HashSet<&'a str>);

impl<'a> Speakers<'a> {
    /// Looks for names that stand before many units, most of which say more than a value: `Price: 40` is no turn.
    pub(super) fn find(units: &[&'a str]) -> Self {
        let mut turns: HashMap<&str, usize> = HashMap::new();
        let mut words = 0;
        for (name, said) in units.iter().filter_map(|unit| segment::turn(unit.trim_start())) {
            *turns.entry(name).or_default() += 1;
            words += said.split_whitespace().count();
        }
        let all: usize = turns.values().sum();
        turns.retain(|_, times| *times >= FEWEST_TURNS);
        let held: usize = turns.values().sum();
        let is_transcript = held >= FEWEST && held * 10 >= all * 8 && words >= all * WORDS && turns.len() <= MOST;
        if is_transcript { Self(turns.into_keys().collect()) } else { Self::default() }
    }

    pub(super) fn is_transcript(&self) -> bool {
        !self.0.is_empty()
    }

    /// Who says a unit, where it begins a turn, and what is said.
    pub(super) fn turn<'u>(&self, unit: &'u str) -> Option<(&'u str, &'u str)> {
        segment::turn(unit.trim_start()).filter(|(name, _)| self.0.contains(name))
    }

    /// What is said in a unit, without who says it.
    pub(super) fn said<'u>(&self, unit: &'u str) -> &'u str {
        self.turn(unit).map_or(unit, |(_, said)| said)
    }
}

impl Prose<'_> {
    /// For each unit whether it is said by someone who is asked for; the units of a turn belong to who began it.
    pub(super) fn said_by_whom_is_asked_for(&self, ask: &Relevance) -> Vec<bool> {
        let mut asked_for = false;
        let said = |unit: &str| {
            if let Some((name, _)) = self.speakers.turn(unit) {
                asked_for = ask.covers(name) >= 1.0;
            }
            asked_for
        };
        self.units().into_iter().map(said).collect()
    }
}

/// The fewest turns of one speaker and of all, the fewest words of a turn on average, and the most speakers.
const FEWEST_TURNS: usize = 3;
const FEWEST: usize = 8;
const WORDS: usize = 4;
const MOST: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speakers_are_told_from_keys() {
        let meeting: Vec<String> = (0..12)
            .map(|n| format!("{}: I think that number {n} is too many for the first day .\n", ["Ann", "PhD C"][n % 2]))
            .collect();
        let meeting: Vec<&str> = meeting.iter().map(String::as_str).collect();
        let speakers = Speakers::find(&meeting);
        assert_eq!(speakers.turn(meeting[1]).map(|(name, _)| name), Some("PhD C"));
        assert!(speakers.said(meeting[0]).starts_with(" I think"));
        let list = ["Price: 40\n", "Name: Tea\n", "Origin: Assam\n"].repeat(6);
        assert_eq!(Speakers::find(&list).said(list[0]), "Price: 40\n");
    }
}
