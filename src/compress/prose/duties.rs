//! Duties: clauses that oblige or forbid, and statements with the exceptions to them. Half of one misleads more than none:
//! `must not sign before legal has seen it` is whole or isn't there, and where nothing is asked it leaves after everything
//! else.

use std::ops::Range;

use super::{
    super::{
        atoms::{
            Scan,
            lex::{Border, Word},
            lexicon,
        },
        phrase::{Phrase, by_unit},
        select::NEVER,
    },
    Prose,
    hanging::LESS,
};

impl Prose<'_> {
    /// A condition leaves before what it limits: `If the fee rises,` says nothing alone.
    pub(super) fn bind_conditions(&self, worth: &mut [f32]) {
        for (phrases, worth) in by_unit(&self.phrases, worth) {
            let conditions: Vec<bool> = phrases.iter().map(|phrase| self.opens_condition(phrase)).collect();
            if !conditions.contains(&true) {
                continue;
            }
            let others = worth.iter().zip(&conditions).filter(|(_, condition)| !**condition);
            let best = others.map(|(worth, _)| *worth).fold(NEVER, f32::max);
            if best > NEVER {
                for (worth, _) in worth.iter_mut().zip(&conditions).filter(|(_, condition)| **condition) {
                    *worth = worth.min(best - LESS);
                }
            }
        }
    }

    fn opens_condition(&self, phrase: &Phrase) -> bool {
        let first = self.text.get(phrase.span.clone()).and_then(|phrase| phrase.split_whitespace().next());
        first.is_some_and(|word| lexicon::conditional(&word.to_lowercase()))
    }
}

/// Part of a clause that stands or falls as a whole.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Part {
    /// The clause; the phrases of one stand side by side.
    pub(super) clause: usize,
    /// Whether it binds someone; else it is bound to an exception.
    pub(super) binds: bool,
}

/// For each phrase the clause that it is a part of, if any.
pub(super) fn of_phrases(text: &str, units: &[Range<usize>], phrases: &[Phrase]) -> Vec<Option<Part>> {
    let mut duties = units.iter().flat_map(|unit| {
        let inside = text.get(unit.clone()).unwrap_or_default();
        duties(inside).into_iter().map(move |(span, binds)| (unit.start + span.start..unit.start + span.end, binds))
    });
    let mut next = duties.next();
    let mut number = 0;
    let mut found = vec![None; phrases.len()];
    for (place, phrase) in found.iter_mut().zip(phrases) {
        while next.as_ref().is_some_and(|(duty, _)| duty.end <= phrase.span.start) {
            next = duties.next();
            number += 1;
        }
        let inside = next.as_ref().filter(|(duty, _)| duty.start < phrase.span.end);
        *place = inside.map(|(_, binds)| Part { clause: number, binds: *binds });
    }
    found
}

/// The clauses of a unit that bind someone, with the conditions that follow them, and those with an exception: spans in
/// the unit's bytes, in order, and whether each binds.
fn duties(unit: &str) -> Vec<(Range<usize>, bool)> {
    if !MAY_BIND.iter().any(|word| unit.contains(word)) {
        return Vec::new();
    }
    let scan = Scan::new(unit);
    let words = &scan.words;
    let mut found: Vec<(Range<usize>, bool)> = Vec::new();
    for at in 0..words.len() {
        let binds = binds(words, at);
        let Range { start, end } = match (binds, excepts(words, at)) {
            (true, _) => clause(&scan, at),
            (false, true) => limited(&scan, at),
            (false, false) => continue,
        };
        match found.last_mut() {
            Some((last, bound)) if start < last.end => {
                last.end = last.end.max(end);
                *bound |= binds;
            }
            _ => found.push((start..end, binds)),
        }
    }
    let span = |range: Range<usize>| Some(words.get(range.start)?.span.start..words.get(range.end - 1)?.span.end);
    found.into_iter().filter_map(|(range, binds)| Some((span(range)?, binds))).collect()
}

/// Parts of the words that bind: what has none of them needs no closer look.
const MAY_BIND: &[&str] = &[
    "must", "shall", "may not", "may only", "annot", "can not", "hibit", "forb", "oblig", " to ", "unless", "xcept",
    "xcluding", "provided",
];

/// Whether the word at an index lays a duty upon someone or takes a right away.
fn binds(words: &[Word<'_>], at: usize) -> bool {
    let key = |at: usize| words.get(at).map_or("", |word| &*word.key);
    match key(at) {
        "must" | "mustn't" | "shall" | "cannot" | "prohibited" | "prohibits" | "forbidden" | "forbids" | "obliged"
        | "obligated" => true,
        "may" | "can" => matches!(key(at + 1), "not" | "only"),
        "required" | "permitted" | "allowed" | "entitled" => {
            key(at + 1) == "to"
                && at > 0
                && matches!(key(at - 1), "is" | "are" | "be" | "not" | "been" | "was" | "were")
        }
        _ => false,
    }
}

/// Whether the word at an index opens an exception: what stands before it means something else without it.
fn excepts(words: &[Word<'_>], at: usize) -> bool {
    let key = |at: usize| words.get(at).map_or("", |word| &*word.key);
    match key(at) {
        "unless" | "except" | "excepting" | "excluding" => at > 0,
        "provided" => at > 0 && key(at + 1) == "that",
        _ => false,
    }
}

/// An exception with the clause before it.
fn limited(scan: &Scan<'_>, at: usize) -> Range<usize> {
    opening(scan, at, at.saturating_sub(1))..clause(scan, at).end
}

/// Where the clause begins that a word up to `last` stands in, not too far before the word at an index.
fn opening(scan: &Scan<'_>, at: usize, last: usize) -> usize {
    let first = at.saturating_sub(BEFORE);
    (first..=last).rev().find(|at| border(scan, *at) > Border::None).unwrap_or(first)
}

/// The clause around a binding word and the conditions after it, as word indices; a long one is cut to what is near.
fn clause(scan: &Scan<'_>, at: usize) -> Range<usize> {
    let words = &scan.words;
    let mut end = at + 1;
    while end < words.len() && end - at <= AFTER {
        let word = words.get(end);
        let goes_on = word.is_some_and(|word| match border(scan, end) {
            Border::None => true,
            // A duty is said in more words than two, and its conditions belong to it.
            Border::Clause => end - at < FEWEST || lexicon::conditional(&word.key) || word.key == "before",
            Border::Sentence => false,
        });
        if !goes_on {
            break;
        }
        end += 1;
    }
    opening(scan, at, at)..end
}

/// What divides a word from the one before it; the end of a line alone divides nothing within a unit.
fn border(scan: &Scan<'_>, at: usize) -> Border {
    let Some(word) = scan.words.get(at) else { return Border::Sentence };
    let before = at.checked_sub(1).and_then(|before| scan.words.get(before));
    let between = before.and_then(|before| scan.text.get(before.span.end..word.span.start));
    let wraps = between.is_some_and(|between| between.chars().all(char::is_whitespace));
    if word.border == Border::Clause && wraps { Border::None } else { word.border }
}

/// The most words before and after the one that binds.
const BEFORE: usize = 14;
const AFTER: usize = 24;
/// The fewest words from the one that binds to the end of the duty.
const FEWEST: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        duties(text).into_iter().map(|(span, _)| text.get(span).unwrap()).collect()
    }

    #[test]
    fn a_duty_is_its_clause_with_its_conditions() {
        let text = "As agreed, we must not sign the extension before legal has seen clause 7.2, and the rest can wait.";
        assert_eq!(found(text), ["we must not sign the extension before legal has seen clause 7.2"]);
        let text = "The deposit shall be returned within 14 days, unless damage is found, and interest accrues.";
        assert_eq!(found(text), ["The deposit shall be returned within 14 days, unless damage is found"]);
    }

    #[test]
    fn a_statement_stays_with_its_exception() {
        let text = "All is well, and we would like to go on for 24 months, unless the price stays above 0.40 EUR.";
        assert_eq!(found(text), ["and we would like to go on for 24 months, unless the price stays above 0.40 EUR"]);
        assert_eq!(found("Unless it rains, we meet outside."), [""; 0]);
    }

    #[test]
    fn a_line_that_wraps_does_not_end_a_duty() {
        let text = "All copies must be under the terms\n    of this License, and so on.";
        assert_eq!(found(text), ["All copies must be under the terms\n    of this License"]);
    }

    #[test]
    fn what_binds_nobody_is_no_duty() {
        assert!(found("It may rain, and the museum is required reading for all who can come.").is_empty());
    }
}
