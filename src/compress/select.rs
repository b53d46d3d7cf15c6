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
    /// What stands or falls together, by number; its phrases stand side by side.
    pub(super) bound: &'a [Option<usize>],
    /// Tokens of what stands between two phrases: a mark, a line break, or nothing.
    pub(super) joint: &'a dyn Fn(&Phrase, &Phrase) -> usize,
}

/// The worth of what goes even where there is room for it.
pub(super) const NEVER: f32 = f32::NEG_INFINITY;

/// Which phrases to keep so that they and the marks of gaps cost at most `budget` tokens.
pub(super) fn select(candidates: &Candidates<'_>, budget: usize) -> Vec<bool> {
    let mut order: Vec<usize> =
        (0..candidates.phrases.len()).filter(|index| worth(candidates, *index) > NEVER).collect();
    order.sort_by(|a, b| worth(candidates, *b).total_cmp(&worth(candidates, *a)).then(a.cmp(b)));
    let mut low = fitting(candidates, &order, budget);
    // Among many phrases one that doesn't fit leaves next to nothing unused, and each search reads all of them.
    let skips = if order.len() > MANY { 0 } else { SKIPS };
    for _ in 0..skips {
        let spent = cost(candidates, &kept(candidates, &order, low));
        let Some(next) = order.get(low).copied().filter(|_| (budget.saturating_sub(spent)) * 20 >= budget) else {
            break;
        };
        // What doesn't fit as a whole makes room for what ranks behind it.
        match bound(candidates, next) {
            Some(group) => order.retain(|index| bound(candidates, *index) != Some(group)),
            None => {
                order.remove(low);
            }
        }
        low = fitting(candidates, &order, budget);
    }
    kept(candidates, &order, low)
}

/// How many things that don't fit are passed over; each costs another search.
const SKIPS: usize = 12;
/// More phrases than this are searched once.
const MANY: usize = 20_000;

/// The longest beginning of `order` that fits the budget.
fn fitting(candidates: &Candidates<'_>, order: &[usize], budget: usize) -> usize {
    let (mut low, mut high) = (0, order.len());
    while low < high {
        let middle = (low + high).div_ceil(2);
        if cost(candidates, &kept(candidates, order, middle)) <= budget {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

/// The number of what a phrase stands or falls with.
fn bound(candidates: &Candidates<'_>, index: usize) -> Option<usize> {
    candidates.bound.get(index).copied().flatten()
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
    settle(candidates, &mut kept);
    kept
}

/// What is bound together goes where its last phrase isn't reached, and stays where one of it must.
fn settle(candidates: &Candidates<'_>, kept: &mut [bool]) {
    let mut start = 0;
    for group in candidates.bound.chunk_by(|a, b| a == b) {
        let places = start..start + group.len();
        start = places.end;
        let together = group.first().is_some_and(Option::is_some);
        let Some(flags) = kept.get_mut(places.clone()).filter(|_| together) else { continue };
        let must = candidates.forced.get(places).is_some_and(|forced| forced.contains(&true));
        let stays = must || flags.iter().all(|flag| *flag);
        flags.fill(stays);
    }
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
