//! Greedy pointing for one text: which tokens may be pointed at, and what the chosen spans say.
//!
//! The rules are those of the layout's *Greedy decoding*: whole words, in the source's order, within the budget.

use std::ops::Range;

use crate::model::pieces::{Tokens, words};

/// The state of one row.
#[derive(Debug)]
pub(super) struct Pointer {
    /// Byte spans of the tokens.
    bytes: Vec<Range<usize>>,
    starts: Vec<bool>,
    ends: Vec<bool>,
    /// Tokens that may still be kept.
    left: usize,
    /// The start that waits for its end.
    open: Option<usize>,
    /// Inclusive token spans.
    spans: Vec<(usize, usize)>,
    previous: Option<usize>,
    done: bool,
}

/// What the decoder is told of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// The token that was pointed at last.
    pub(super) previous: Option<usize>,
    /// Whether an end is asked for, not a start.
    pub(super) at_end: bool,
    /// Tokens of the budget left.
    pub(super) left: usize,
}

impl Pointer {
    /// Nothing chosen yet; the budget is the tokens divided by the ratio, at least one.
    pub(super) fn new(text: &str, tokens: &Tokens, ratio: f32) -> Self {
        let budget = (tokens.ids.len() as f32 / ratio).floor() as usize;
        Self::with_budget(text, tokens, budget.max(1))
    }

    fn with_budget(text: &str, tokens: &Tokens, budget: usize) -> Self {
        let words = words(text, &tokens.spans);
        let differs = |at: usize, from: Option<usize>| {
            let word = words.get(at).and_then(Option::as_ref);
            word.is_some() && from.and_then(|from| words.get(from)).and_then(Option::as_ref) != word
        };
        Self {
            starts: (0..words.len()).map(|at| differs(at, at.checked_sub(1))).collect(),
            ends: (0..words.len()).map(|at| differs(at, Some(at + 1))).collect(),
            bytes: tokens.spans.clone(),
            left: budget,
            open: None,
            spans: Vec::new(),
            previous: None,
            done: false,
        }
    }

    /// Whether another step is needed.
    pub(super) fn is_open(&self) -> bool {
        !self.done
    }

    pub(super) fn step(&self) -> Step {
        Step { previous: self.previous, at_end: self.open.is_some(), left: self.left }
    }

    /// Takes the best of what is allowed; the lowest token on a tie. The last logit means stop.
    pub(super) fn choose(&mut self, logits: &[f32]) {
        if self.done {
            return;
        }
        let mut best: Option<(usize, f32)> = None;
        for at in self.allowed() {
            let logit = logits.get(at).copied().unwrap_or(f32::NEG_INFINITY);
            if best.is_none_or(|(_, most)| logit > most) {
                best = Some((at, logit));
            }
        }
        let stop = logits.last().copied().filter(|_| self.open.is_none() && !self.spans.is_empty());
        match (best, stop) {
            (None, _) => self.done = true,
            (Some((_, most)), Some(stop)) if stop > most => self.done = true,
            (Some((at, _)), _) => self.take(at),
        }
    }

    fn take(&mut self, at: usize) {
        self.previous = Some(at);
        match self.open.take() {
            None => self.open = Some(at),
            Some(start) => {
                self.spans.push((start, at));
                self.left -= (at - start + 1).min(self.left);
                self.done = self.left == 0;
            }
        }
    }

    /// Starts whose own word ends within the budget, or ends within it.
    fn allowed(&self) -> Vec<usize> {
        let is = |marks: &[bool], at: usize| marks.get(at).copied().unwrap_or(false);
        if let Some(start) = self.open {
            return (start..start + self.left).filter(|at| is(&self.ends, *at)).collect();
        }
        let after = self.spans.last().map_or(0, |(_, end)| end + 1);
        let fits = |start: usize| (start..start + self.left).any(|at| is(&self.ends, at));
        (after..self.starts.len()).filter(|at| is(&self.starts, *at) && fits(*at)).collect()
    }

    /// The chosen spans as they stand in the source, joined by one space; neighbours are one span.
    pub(super) fn text(&self, source: &str) -> String {
        let mut merged: Vec<(usize, usize)> = Vec::new();
        for (first, last) in &self.spans {
            match merged.last_mut() {
                Some((_, end)) if *end + 1 == *first => *end = *last,
                _ => merged.push((*first, *last)),
            }
        }
        let piece = |(first, last): &(usize, usize)| {
            let (first, last) = (self.bytes.get(*first)?, self.bytes.get(*last)?);
            source.get(first.start..last.end).map(str::trim)
        };
        merged.iter().filter_map(piece).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `one` is one token, `seven` three, `cats` two.
    fn pointer(budget: usize) -> Pointer {
        let spans = vec![0..3, 3..6, 6..8, 8..9, 9..12, 12..14];
        let tokens = Tokens { ids: vec![1; 6], spans };
        Pointer::with_budget(TEXT, &tokens, budget)
    }

    const TEXT: &str = "one seven cats";

    #[test]
    fn only_whole_words_within_the_budget_may_be_pointed_at() {
        let mut pointer = pointer(2);
        assert_eq!(pointer.allowed(), [0, 4], "seven is too long");
        pointer.choose(&[0.0, 9.0, 9.0, 9.0, 0.0, 9.0, 9.0]);
        assert_eq!(pointer.step(), Step { previous: Some(0), at_end: true, left: 2 }, "the lowest wins a tie");
        assert_eq!(pointer.allowed(), [0]);
        pointer.choose(&[0.0; 7]);
        assert_eq!(pointer.step(), Step { previous: Some(0), at_end: false, left: 1 });
        pointer.choose(&[0.0; 7]);
        assert!(!pointer.is_open(), "cats has two tokens, one is left");
        assert_eq!(pointer.text(TEXT), "one");
    }

    #[test]
    fn stop_counts_only_after_the_first_span() {
        let mut pointer = pointer(6);
        pointer.choose(&[0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 9.0]);
        pointer.choose(&[0.0; 7]);
        assert_eq!(pointer.text(TEXT), "cats");
        assert!(
            !{
                pointer.choose(&[0.0; 7]);
                pointer.is_open()
            },
            "order is kept: nothing stands after the last span"
        );
    }

    #[test]
    fn touching_spans_are_joined_as_the_source_has_them() {
        let mut pointer = pointer(6);
        for at in [0, 0, 1, 3] {
            let mut logits = [0.0; 7];
            logits[at] = 1.0;
            pointer.choose(&logits);
        }
        assert_eq!(pointer.text(TEXT), "one seven");
        pointer.choose(&[0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 2.0]);
        assert!(!pointer.is_open());
    }

    #[test]
    fn a_text_without_words_has_nothing_to_point_at() {
        let mut pointer = Pointer::with_budget("  ", &Tokens { ids: vec![1, 1], spans: vec![0..1, 1..2] }, 3);
        pointer.choose(&[1.0, 1.0, 1.0]);
        assert!(!pointer.is_open());
        assert_eq!(pointer.text("  "), "");
    }
}
