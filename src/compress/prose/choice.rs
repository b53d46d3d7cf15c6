//! What is kept under one budget: what each phrase is worth, and what stands or falls together.

use std::{collections::BTreeMap, ops::Range};

use super::{
    super::{
        atoms::lexicon,
        phrase::{Phrase, by_unit},
        select::{self, Candidates},
        tokens::CountTokens,
        words::is_stop_word,
    },
    Empty, Prose, hanging, statements,
};

impl Prose<'_> {
    /// Which phrases to keep so that what they make has `wanted` target tokens.
    pub(in crate::compress) fn within(&self, wanted: usize, tokens: &dyn CountTokens) -> Vec<bool> {
        let mut budget = wanted;
        let mut best = (usize::MAX, Vec::new());
        // The estimate adds up phrases; together they may take a few tokens more or less.
        for _ in 0..=CORRECTIONS {
            let kept = self.select(budget);
            let got: usize = self.pieces(&kept, &BTreeMap::new()).iter().map(|piece| tokens.count(&piece.text)).sum();
            let off = got.abs_diff(wanted);
            if off < best.0 {
                best = (off, kept);
            }
            if off * 50 <= wanted {
                break;
            }
            budget = (budget * wanted / got.max(1)).clamp(wanted / 2, wanted + wanted / 2);
        }
        best.1
    }

    pub(super) fn select(&self, budget: usize) -> Vec<bool> {
        let total: usize = self.phrases.iter().map(|phrase| phrase.cost).sum();
        // Where much is kept or something is asked, a telling phrase keeps its neighbours; else each must pay for itself.
        let kept = budget as f32 / total.max(1) as f32;
        let much = ((kept - 0.2) / 0.3).clamp(0.0, 1.0);
        let some = ((kept - 0.05) / 0.05).clamp(0.0, 1.0);
        let smooth = if self.relevance.is_empty() { much } else { 1.0 };
        let mut worth: Vec<f32> = self.phrases.iter().map(|phrase| self.worth(phrase, smooth)).collect();
        self.lean(&mut worth);
        if !self.shares_alike() {
            self.leave_nothing_hanging(&mut worth);
        }
        if !self.relevance.is_empty() {
            let cores = self.widen(&mut worth, budget);
            self.bind_core(&mut worth, |unit| some * cores.get(unit).copied().unwrap_or(CORE_ASKED));
        } else if self.shares_alike() {
            self.share_alike(&mut worth);
        } else {
            self.bind_core(&mut worth, |_| CORE * much);
        }
        self.bind_conditions(&mut worth);
        let bound = self.bound();
        self.level(&bound, &mut worth, budget);
        let joint = |last: &Phrase, next: &Phrase| self.joint(last, next).cost();
        let candidates =
            Candidates { phrases: &self.phrases, worth: &worth, forced: &self.forced, bound: &bound, joint: &joint };
        let mut kept = select::select(&candidates, budget);
        drop_hollow(self.text, &self.phrases, &mut kept);
        kept
    }

    /// Articles, prepositions and conjunctions go before what they lead to.
    fn leave_nothing_hanging(&self, worth: &mut [f32]) {
        for (phrases, worth) in by_unit(&self.phrases, worth) {
            hanging::lean(worth, &self.words(phrases));
        }
    }

    /// The words of each phrase.
    pub(super) fn words(&self, phrases: &[Phrase]) -> Vec<&str> {
        phrases.iter().map(|phrase| self.text.get(phrase.span.clone()).unwrap_or_default()).collect()
    }

    /// From now on the units at these spans are kept or left out whole; whether any of them was not yet.
    pub(in crate::compress) fn hold_whole(&mut self, spans: &[Range<usize>]) -> bool {
        let mut new = false;
        for span in spans {
            let unit = self.segments.binary_search_by_key(&span.start, |segment| segment.span.start);
            if let Some(whole) = unit.ok().and_then(|unit| self.whole.get_mut(unit)) {
                new |= !*whole;
                *whole = true;
            }
        }
        new
    }

    /// What stands or falls together: the phrases of a unit that may not be cut, and those of a duty.
    pub(super) fn bound(&self) -> Vec<Option<usize>> {
        let units = self.whole.len();
        let numbers = self.phrases.iter().zip(&self.duties).map(|(phrase, duty)| {
            let whole = self.whole.get(phrase.unit).copied().unwrap_or(false);
            if whole { Some(phrase.unit) } else { duty.map(|duty| units + duty.clause) }
        });
        numbers.collect()
    }

    /// The phrases of what is bound together are worth what they are on average, in a list of statements what any of its
    /// statements is that may not be cut. Where nothing is asked, the best duties count more, as many as fill half of the
    /// budget.
    pub(super) fn level(&self, bound: &[Option<usize>], worth: &mut [f32], budget: usize) {
        let mut duties: Vec<(f32, usize, Range<usize>)> = Vec::new();
        let mut start = 0;
        for group in bound.chunk_by(|a, b| a == b) {
            let places = start..start + group.len();
            start = places.end;
            let Some(number) = group.first().copied().flatten() else { continue };
            let Some(worth) = worth.get_mut(places.clone()) else { continue };
            let told: Vec<f32> = worth.iter().copied().filter(|worth| *worth > select::NEVER).collect();
            if told.is_empty() {
                continue;
            }
            let mean = told.iter().sum::<f32>() / told.len() as f32;
            worth.fill(if self.shares_alike() { statements::UNCUT } else { mean });
            let binds = self.duties.get(places.start).copied().flatten().is_some_and(|duty| duty.binds);
            if binds && number >= self.whole.len() && self.relevance.is_empty() {
                let phrases = self.phrases.get(places.clone()).unwrap_or_default();
                duties.push((mean, phrases.iter().map(|phrase| phrase.cost).sum(), places));
            }
        }
        duties.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.2.start.cmp(&b.2.start)));
        let mut left = budget / 2;
        for (mean, cost, places) in duties {
            if let Some(worth) = worth.get_mut(places).filter(|_| cost <= left) {
                left -= cost;
                worth.fill(mean + DUTY);
            }
        }
    }

    /// Everything but what is said twice and what says nothing.
    pub(in crate::compress) fn all_but_repeats(&self) -> Vec<bool> {
        self.phrases.iter().map(|phrase| !self.is_redundant(phrase)).collect()
    }

    /// Whether a phrase goes whatever there is room for.
    pub(super) fn is_redundant(&self, phrase: &Phrase) -> bool {
        let asked_for = self.relevance.get(phrase.unit).is_some_and(|relevance| *relevance >= ASKED_FOR);
        let notice = self.emptiness(phrase.unit) == Some(Empty::Notice) && !asked_for;
        phrase.filler || notice || self.repeat(phrase.unit).is_some()
    }

    pub(super) fn worth(&self, phrase: &Phrase, smooth: f32) -> f32 {
        if self.is_redundant(phrase) {
            return select::NEVER;
        }
        let penalty = if self.emptiness(phrase.unit).is_some() { EMPTY } else { 0.0 };
        let relevance = self.relevance.get(phrase.unit).copied().unwrap_or(0.0);
        let information = phrase.value + smooth * (phrase.smoothed - phrase.value);
        let restated = self.counted_restatement(phrase.unit).map_or(0.0, |repeat| repeat.share);
        (1.0 - RESTATED * restated) * (RELEVANCE * relevance.powi(2) + information / INFORMATION) - penalty
    }
}

/// What is left of a unit goes where it is small words alone: it says nothing.
fn drop_hollow(text: &str, phrases: &[Phrase], kept: &mut [bool]) {
    let says_nothing = |word: String| is_stop_word(&word) && lexicon::negation(&word).is_none();
    let small = |phrase: &Phrase| {
        let words = text.get(phrase.span.clone()).unwrap_or_default().split_whitespace();
        words.map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()).all(says_nothing)
    };
    for (phrases, kept) in by_unit(phrases, kept) {
        let is_cut = kept.contains(&false);
        if is_cut && phrases.iter().zip(kept.iter()).filter(|(_, kept)| **kept).all(|(phrase, _)| small(phrase)) {
            kept.fill(false);
        }
    }
}

const CORRECTIONS: usize = 3;

/// The share of a unit that stays together at 2:1, none at 5:1: measured, it costs no answers there and reads better;
/// beyond, answers are lost to it, also for a reading model.
const CORE: f32 = 0.3;
/// The same where something is asked, down to 10:1: half a sentence is the least that can be understood. That finds as many
/// answers there; at 20:1 some 3 in 100 would be lost to it.
pub(super) const CORE_ASKED: f32 = 0.5;

/// What the square of a unit's relevance (0–1) weighs beside what its phrases tell: what is hardly relevant competes by
/// what it tells.
const RELEVANCE: f32 = 2.0;
/// What a phrase would have to tell to be as good as half the best unit's relevance: where something is asked, whole
/// sentences that answer win over telling words of many.
pub(super) const INFORMATION: f32 = 20.0;
/// How much less a unit counts that seems to say what another one says, where that is asked for.
const RESTATED: f32 = 0.5;
/// How much more a duty counts than what it tells, where nothing is asked: it leaves after names and numbers.
const DUTY: f32 = 1.0;
/// Puts what says nothing behind everything that says something.
pub(super) const EMPTY: f32 = 50.0;
/// The relevance from which even a notice stays where no ratio is asked.
const ASKED_FOR: f32 = 0.5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::{Encoding, phrase};

    #[test]
    fn small_words_never_stand_alone() {
        let (first, second) = ("The office waits for the key. ", "Then it said no.");
        let text = format!("{first}{second}");
        let units = [0..first.len(), first.len()..text.len()];
        let phrases = phrase::phrases(&text, &units, &Encoding::O200k, true);
        let left = |words: &[&str]| {
            let said = |phrase: &Phrase| text.get(phrase.span.clone()).unwrap();
            let mut kept: Vec<bool> = phrases.iter().map(|phrase| words.contains(&said(phrase))).collect();
            drop_hollow(&text, &phrases, &mut kept);
            phrases.iter().zip(kept).filter(|(_, kept)| *kept).map(|(phrase, _)| said(phrase)).collect::<Vec<_>>()
        };
        assert_eq!(left(&["for", "the", "it"]), [""; 0]);
        assert_eq!(left(&["for", "the", "key."]), ["for", "the", "key."]);
        assert_eq!(left(&["no."]), ["no."]);
    }
}
