//! What the model would keep of a list of statements.

use std::ops::Range;

use super::{
    super::{
        Encoded, RewriteError, Rewriter,
        phrase::{by_unit, even_out},
    },
    Prose,
};

impl Prose<'_> {
    /// Has the model read a list of statements and say what of each line stays: there it agrees with people who shorten
    /// sentences better than the rule does. Anywhere else the rule alone keeps more answers, and nothing is asked.
    ///
    /// # Errors
    /// What the model reports.
    pub(in crate::compress) fn consult(&mut self, rewriter: &mut dyn Rewriter, ratio: f32) -> Result<(), RewriteError> {
        if ratio > HARDEST || self.text.len() > MOST_READ || !self.is_list {
            return Ok(());
        }
        let spans = self.unit_spans();
        let texts: Vec<&str> = spans.iter().map(|span| self.text.get(span.clone()).unwrap_or_default()).collect();
        let read = rewriter.read(&texts, STATEMENTS)?;
        let opinions = self.opinions(&spans, &read);
        if opinions.iter().all(Option::is_none) {
            return Ok(());
        }
        let opinions = opinions.into_iter().map(|opinion| opinion.unwrap_or(LEAST)).collect();
        let opinions = self.evened(opinions);
        for (phrase, opinion) in self.phrases.iter_mut().zip(opinions) {
            (phrase.value, phrase.smoothed) = (opinion, opinion);
        }
        Ok(())
    }

    /// Each opinion with some of its neighbours' in the same unit: people who shorten a sentence leave stretches of it,
    /// not single words, and stretches read better.
    fn evened(&self, mut opinions: Vec<f32>) -> Vec<f32> {
        for (_, unit) in by_unit(&self.phrases, &mut opinions) {
            even_out(unit, NEIGHBOUR, ROUNDS);
        }
        opinions
    }

    fn unit_spans(&self) -> Vec<Range<usize>> {
        self.segments.iter().map(|segment| segment.span.clone()).collect()
    }

    /// For each phrase the mean logit of its bytes; `None` where the model said nothing.
    fn opinions(&self, spans: &[Range<usize>], read: &[Encoded]) -> Vec<Option<f32>> {
        let mut votes: Vec<(f32, usize)> = vec![(0.0, 0); self.phrases.len()];
        let tokens = spans.iter().zip(read).flat_map(|(unit, read)| {
            read.keep.iter().map(|(span, keep)| (unit.start + span.start..unit.start + span.end, *keep))
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

/// The longest text that the model reads, in bytes: about 4,000 tokens. On more than that its opinion costs more time
/// than it is worth.
const MOST_READ: usize = 16_000;

/// What a phrase is worth of which the model says nothing, in logits.
const LEAST: f32 = -10.0;

/// The ratio at which the model's opinion agrees best with people who shorten single sentences, whatever the budget.
const STATEMENTS: f32 = 1.5;

/// How much each neighbour counts in a round of evening out, and the rounds: chosen by agreement with people on one half of
/// the development sentences, as good on the other.
const NEIGHBOUR: f32 = 0.15;
const ROUNDS: usize = 3;

/// The hardest ratio at which a sentence can be shortened and stay one.
pub(super) const HARDEST: f32 = 3.0;
