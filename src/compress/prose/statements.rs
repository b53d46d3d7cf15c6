//! Lists of statements: one complete sentence a line, each its own matter. No sentence makes another one superfluous, so
//! every one pays the same share of the budget, and people who shorten such a line keep its grammar rather than its names.

use super::{
    super::{
        phrase::{Phrase, by_unit},
        segment::{Form, Segment},
        select::NEVER,
    },
    Prose, hanging,
};

/// Whether a text of these units is such a list.
pub(super) fn is_list(segments: &[Segment], units: &[&str]) -> bool {
    let mut statements = 0;
    for (segment, unit) in segments.iter().zip(units) {
        let whole = unit.ends_with('\n') && unit.split_whitespace().count() >= FEWEST_WORDS;
        statements += usize::from(segment.form == Form::Sentence && whole && !unit.contains(": "));
    }
    statements >= FEWEST && statements * 10 >= segments.len() * 7
}

impl Prose<'_> {
    /// Whether the text is a list of statements of which nothing is asked.
    pub(super) fn shares_alike(&self) -> bool {
        self.is_list && self.relevance.is_empty()
    }

    /// Makes the best share of each unit, by cost, stand or fall together: whatever is said of a matter, its core is there.
    pub(super) fn bind_core(&self, worth: &mut [f32], share: impl Fn(usize) -> f32) {
        for (phrases, worth) in by_unit(&self.phrases, worth) {
            let share = phrases.first().map_or(0.0, |phrase| share(phrase.unit));
            let wanted = share * phrases.iter().map(|phrase| phrase.cost).sum::<usize>() as f32;
            let (mut spent, mut told, mut core) = (0.0, 0.0, Vec::new());
            for (at, one, phrase) in best_first(worth, phrases) {
                if spent >= wanted {
                    break;
                }
                spent += phrase.cost as f32;
                told += one * phrase.cost as f32;
                core.push(at);
            }
            for at in core {
                if let Some(worth) = worth.get_mut(at) {
                    *worth = told / spent;
                }
            }
        }
    }

    /// Replaces what each phrase is worth by its place within its unit: near 1 for the best, less for what goes first.
    /// Under one budget for all, each unit then keeps its share, a long one a smaller one than a short one.
    pub(super) fn share_alike(&self, worth: &mut [f32]) {
        let units = self.phrases.chunk_by(|a, b| a.unit == b.unit).count();
        let mean = self.phrases.iter().map(|phrase| phrase.cost).sum::<usize>() as f32 / units.max(1) as f32;
        for (phrases, worth) in by_unit(&self.phrases, worth) {
            // What says nothing goes before all others.
            if worth.iter().all(|worth| *worth < -super::choice::EMPTY / 2.0) {
                continue;
            }
            let words = self.words(phrases);
            hanging::lean(worth, &words);
            hanging::turn(worth, &words);
            let total: usize = phrases.iter().map(|phrase| phrase.cost).sum();
            let length = (total as f32 / mean.max(1.0)).powf(LENGTH);
            let mut spent = 0;
            for (at, _, phrase) in best_first(worth, phrases) {
                let share = (spent as f32 + phrase.cost as f32 / 2.0) / total.max(1) as f32;
                spent += phrase.cost;
                if let Some(worth) = worth.get_mut(at) {
                    *worth = 1.0 - share * length;
                }
            }
            hanging::close(worth, &words);
        }
    }
}

/// The phrases of a unit that may stay by worth, with their places.
fn best_first<'p>(worth: &[f32], phrases: &'p [Phrase]) -> Vec<(usize, f32, &'p Phrase)> {
    let mut order: Vec<(usize, f32, &Phrase)> =
        worth.iter().zip(phrases).enumerate().map(|(at, (worth, phrase))| (at, *worth, phrase)).collect();
    order.retain(|(_, worth, _)| *worth > NEVER);
    order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    order
}

/// Where a statement stands, by its place among its own words, that may not be cut: it goes when others are down to a
/// quarter, since nothing else says what it says.
pub(super) const UNCUT: f32 = 0.75;

/// How much faster a long statement shrinks than a short one: people who shorten leave twice the length 1.6 times the words.
const LENGTH: f32 = 0.35;

/// The fewest words of a statement and the fewest statements of a list.
const FEWEST_WORDS: usize = 6;
const FEWEST: usize = 6;

#[cfg(test)]
mod tests {
    use crate::compress::{Encoding, Policy, Query, Ratio, compress};

    #[test]
    fn every_statement_of_a_list_keeps_a_part() {
        let list: String = ["fire", "flood", "strike", "election", "concert", "robbery", "summit", "storm"]
            .iter()
            .map(|what| format!("The {what} in the old part of town went on for a good many hours last night .\n"))
            .collect();
        let policy =
            Policy { ratio: "2".parse::<Ratio>().unwrap(), min_tokens: 16, rewrite: false, ..Policy::default() };
        let condensed = compress(&list, &Query::default(), &policy, &Encoding::O200k, None).unwrap();
        let text = condensed.text().unwrap();
        assert_eq!(text.lines().count(), 8, "{text}");
        assert!(["fire", "flood", "storm"].iter().all(|what| text.contains(what)), "{text}");
    }

    #[test]
    fn a_long_statement_gives_more_than_a_short_one() {
        let whats = ["fire", "flood", "strike", "election", "concert", "robbery", "summit", "storm"];
        let short = |what: &str| format!("The {what} ended late last night .\n");
        let long = |what: &str| {
            let told = "went on for hours while people from the whole county watched from the hills around the harbour";
            format!("The {what} in the old part of town {told} and went home wet and tired .\n")
        };
        let list: String =
            whats.iter().enumerate().map(|(at, what)| if at % 2 == 0 { short(what) } else { long(what) }).collect();
        let policy =
            Policy { ratio: "2".parse::<Ratio>().unwrap(), min_tokens: 16, rewrite: false, ..Policy::default() };
        let condensed = compress(&list, &Query::default(), &policy, &Encoding::O200k, None).unwrap();
        let text = condensed.text().unwrap();
        let words = |text: &str, odd: usize| -> usize {
            let lines = text.lines().enumerate().filter(|(at, _)| at % 2 == odd);
            lines.map(|(_, line)| line.split_whitespace().count()).sum()
        };
        assert_eq!(text.lines().count(), whats.len(), "{text}");
        let left = |odd: usize| words(text, odd) as f32 / words(&list, odd) as f32;
        assert!(left(0) > left(1) + 0.1, "{text}");
    }
}
