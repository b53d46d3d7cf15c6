//! Which phrases stay: the best by value until the budget is spent.

use super::phrase::Phrase;

/// What is kept of each unit depends on all units; this is what they compete with.
pub(super) struct Candidates<'a> {
    /// All phrases in the text's order.
    pub(super) phrases: &'a [Phrase],
    /// For each phrase its worth; equal ones compete by order.
    pub(super) worth: &'a [f32],
    /// What is kept whatever it costs.
    pub(super) forced: &'a [bool],
    /// Tokens of what stands between two phrases: a mark, a line break, or nothing.
    pub(super) joint: &'a dyn Fn(&Phrase, &Phrase) -> usize,
}

/// Which phrases to keep so that they and the marks of gaps cost at most `budget` tokens.
///
/// A larger budget keeps all that a smaller one keeps.
pub(super) fn select(candidates: &Candidates<'_>, budget: usize) -> Vec<bool> {
    let mut order: Vec<usize> = (0..candidates.phrases.len()).collect();
    order.sort_by(|a, b| worth(candidates, *b).total_cmp(&worth(candidates, *a)).then(a.cmp(b)));
    let (mut low, mut high) = (0, order.len());
    while low < high {
        let middle = (low + high).div_ceil(2);
        if cost(candidates, &kept(candidates, &order, middle)) <= budget {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    kept(candidates, &order, low)
}

fn worth(candidates: &Candidates<'_>, index: usize) -> f32 {
    candidates.worth.get(index).copied().unwrap_or(f32::MIN)
}

/// The first `count` phrases of `order`, and what they bring with them.
fn kept(candidates: &Candidates<'_>, order: &[usize], count: usize) -> Vec<bool> {
    let mut kept = candidates.forced.to_vec();
    kept.resize(candidates.phrases.len(), false);
    for index in order.iter().take(count) {
        if let Some(flag) = kept.get_mut(*index) {
            *flag = true;
        }
    }
    kept
}

/// The tokens of what is kept and of what joins it.
fn cost(candidates: &Candidates<'_>, kept: &[bool]) -> usize {
    let mut total = 0;
    let mut last = None;
    for (phrase, _) in candidates.phrases.iter().zip(kept).filter(|(_, kept)| **kept) {
        total += last.map_or(0, |last| (candidates.joint)(last, phrase));
        last = Some(phrase);
        total += phrase.cost;
    }
    total
}
