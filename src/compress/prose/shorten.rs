//! Units that must shrink but not vanish, in the model's words where these are as good: fewer tokens, no fact lost that
//! the rule would keep, and past the guard.

use std::collections::BTreeMap;

use super::{
    super::{
        CountTokens, RewriteError, RewriteRequest, Rewriter,
        guard::{self, Allow},
        segment::Form,
    },
    Prose,
};

impl Prose<'_> {
    /// Asks for shorter forms of the units that `kept` cuts into, all in one batch; those that pass stand for them.
    ///
    /// # Errors
    /// What the model reports.
    pub(in crate::compress) fn shorten(
        &self,
        kept: &[bool],
        tokens: &dyn CountTokens,
        rewriter: &mut dyn Rewriter,
    ) -> Result<BTreeMap<usize, String>, RewriteError> {
        if !rewriter.rewrites() || self.is_list {
            return Ok(BTreeMap::new());
        }
        let cuts = self.cuts(kept);
        let requests: Vec<RewriteRequest<'_>> = cuts
            .iter()
            .map(|cut| RewriteRequest { text: self.unit_text(cut.unit).trim(), ratio: cut.ratio() })
            .collect();
        if requests.is_empty() {
            return Ok(BTreeMap::new());
        }
        let answers = rewriter.rewrite(&requests)?;
        let found = cuts.into_iter().zip(answers).filter_map(|(cut, answer)| {
            let answer = answer?;
            self.stands(&cut, &answer, tokens).then_some((cut.unit, answer))
        });
        Ok(found.collect())
    }

    /// The units that are cut in part, in order, as many as are worth the time.
    fn cuts(&self, kept: &[bool]) -> Vec<Cut> {
        let mut cuts: Vec<Cut> = Vec::new();
        for (index, (phrase, stays)) in self.phrases.iter().zip(kept).enumerate() {
            if cuts.last().is_none_or(|cut| cut.unit != phrase.unit) {
                cuts.push(Cut { unit: phrase.unit, phrases: 0, whole: 0, rest: 0, facts: Vec::new() });
            }
            let Some(cut) = cuts.last_mut() else { continue };
            cut.phrases += 1;
            cut.whole += phrase.cost;
            if *stays {
                cut.rest += phrase.cost;
                if phrase.strong {
                    cut.facts.push(index);
                }
            }
        }
        cuts.retain(|cut| {
            cut.is_worth_asking() && self.segments.get(cut.unit).is_some_and(|segment| segment.form == Form::Sentence)
        });
        cuts.truncate(MOST);
        cuts
    }

    fn stands(&self, cut: &Cut, answer: &str, tokens: &dyn CountTokens) -> bool {
        let source = self.unit_text(cut.unit).trim();
        let holds = |index: &usize| {
            let fact =
                self.phrases.get(*index).and_then(|phrase| self.text.get(phrase.span.clone())).unwrap_or_default();
            answer.contains(fact.trim_matches(|c: char| !c.is_alphanumeric()))
        };
        cut.facts.iter().all(holds)
            && (cut.rest * LEAST / 10..=cut.rest).contains(&tokens.count(answer))
            && guard::check_reduction_text(source, answer, Allow::DroppedAtoms).is_ok()
    }

    fn unit_text(&self, unit: usize) -> &str {
        self.segments.get(unit).and_then(|segment| self.text.get(segment.span.clone())).unwrap_or_default()
    }
}

/// A unit of which a part stays.
struct Cut {
    unit: usize,
    phrases: usize,
    /// Target tokens of all of it, and of what stays.
    whole: usize,
    rest: usize,
    /// The names and numbers that stay.
    facts: Vec<usize>,
}

impl Cut {
    fn ratio(&self) -> f32 {
        self.whole as f32 / self.rest.max(1) as f32
    }

    fn is_worth_asking(&self) -> bool {
        self.phrases >= FEWEST && (1.15..=super::keep::HARDEST).contains(&self.ratio())
    }
}

/// Tenths of the rule's form that a rewrite has at least: one that is shorter says less than there was room for.
const LEAST: usize = 9;
/// The most units in a batch: the model's time is bounded.
const MOST: usize = 24;
/// The fewest phrases of a unit that a sentence could be made of.
const FEWEST: usize = 8;
