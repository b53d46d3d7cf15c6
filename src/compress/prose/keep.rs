//! What the model would keep: its reading of the text, blended into what each phrase tells.

use std::ops::Range;

use super::{
    super::{Encoded, RewriteError, Rewriter},
    Prose,
};

impl Prose<'_> {
    /// Reads the units as the model does and lets its opinion of each phrase count; one call.
    ///
    /// # Errors
    /// What the model reports.
    pub(in crate::compress) fn consult(&mut self, rewriter: &mut dyn Rewriter, ratio: f32) -> Result<(), RewriteError> {
        if ratio > HARDEST {
            return Ok(());
        }
        let alone = self.is_list_of_statements();
        let windows = if alone { self.unit_spans() } else { self.windows(rewriter.window()) };
        let length: usize = windows.iter().map(|window| window.len()).sum();
        if length > MOST_READ {
            return Ok(());
        }
        let texts: Vec<&str> = windows.iter().map(|span| self.text.get(span.clone()).unwrap_or_default()).collect();
        let read = rewriter.read(&texts, if alone { STATEMENTS } else { ratio })?;
        let opinions = self.opinions(&windows, &read);
        let Some((mean, deviation)) = spread(&opinions) else { return Ok(()) };
        if alone {
            for (phrase, opinion) in self.phrases.iter_mut().zip(opinions) {
                let opinion = opinion.unwrap_or(LEAST);
                (phrase.value, phrase.smoothed) = (opinion, opinion);
            }
            return Ok(());
        }
        let values: Vec<Option<f32>> = self.phrases.iter().map(|phrase| Some(phrase.value)).collect();
        let Some((_, scale)) = spread(&values) else { return Ok(()) };
        for (phrase, opinion) in self.phrases.iter_mut().zip(opinions) {
            let Some(opinion) = opinion else { continue };
            let opinion = scale * (opinion - mean) / deviation;
            phrase.value += WEIGHT * opinion;
            phrase.smoothed += WEIGHT * opinion;
        }
        Ok(())
    }

    fn unit_spans(&self) -> Vec<Range<usize>> {
        self.segments.iter().map(|segment| segment.span.clone()).collect()
    }

    /// Units joined as long as the model reads them in one piece.
    fn windows(&self, most: usize) -> Vec<Range<usize>> {
        let mut windows: Vec<Range<usize>> = Vec::new();
        for segment in &self.segments {
            match windows.last_mut() {
                Some(last) if last.end == segment.span.start && segment.span.end - last.start <= most => {
                    last.end = segment.span.end
                }
                _ => windows.push(segment.span.clone()),
            }
        }
        windows
    }

    /// For each phrase the mean logit of its bytes; `None` where the model said nothing.
    fn opinions(&self, windows: &[Range<usize>], read: &[Encoded]) -> Vec<Option<f32>> {
        let mut votes: Vec<(f32, usize)> = vec![(0.0, 0); self.phrases.len()];
        let tokens = windows.iter().zip(read).flat_map(|(window, read)| {
            read.keep.iter().map(|(span, keep)| (window.start + span.start..window.start + span.end, *keep))
        });
        let mut at = 0;
        for (span, keep) in tokens {
            while self.phrases.get(at).is_some_and(|phrase| phrase.span.end <= span.start) {
                at += 1;
            }
            let (Some(phrase), Some((total, bytes))) = (self.phrases.get(at), votes.get_mut(at)) else { break };
            let shared = span.end.min(phrase.span.end).saturating_sub(span.start.max(phrase.span.start));
            *total += logit(keep) * shared as f32;
            *bytes += shared;
        }
        votes.into_iter().map(|(total, bytes)| (bytes > 0).then(|| total / bytes as f32)).collect()
    }
}

/// The logarithm of the odds: differences near 0 and 1 count as the model means them.
fn logit(probability: f32) -> f32 {
    let inside = probability.clamp(1e-4, 1.0 - 1e-4);
    (inside / (1.0 - inside)).ln()
}

/// Mean and standard deviation of what is there; `None` where all is alike.
fn spread(values: &[Option<f32>]) -> Option<(f32, f32)> {
    let count = values.iter().flatten().count() as f32;
    let mean = values.iter().flatten().sum::<f32>() / count.max(1.0);
    let variance = values.iter().flatten().map(|value| (value - mean).powi(2)).sum::<f32>() / count.max(1.0);
    (variance > 1e-9).then(|| (mean, variance.sqrt()))
}

/// The longest text that the model reads, in bytes: about 4,000 tokens. On more than that its opinion costs more time
/// than it is worth.
const MOST_READ: usize = 16_000;

/// What a phrase is worth of which the model says nothing, in logits.
const LEAST: f32 = -10.0;

/// How much the model's opinion counts beside the rule's, both standardised.
const WEIGHT: f32 = 0.1;

/// The ratio at which the model's opinion agrees best with people who shorten single sentences, whatever the budget.
const STATEMENTS: f32 = 1.5;

/// The hardest ratio at which the model's opinion wins over the rule alone (measured by answers that survive).
pub(super) const HARDEST: f32 = 3.0;
