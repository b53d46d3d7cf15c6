//! The one choice: which items stand, in which variant, within a budget of target tokens.
//!
//! A multiple-choice knapsack (Kellerer, Pferschy, Pisinger, *Knapsack Problems*, 2004, ch. 11): each item offers its
//! variants or nothing; the steps of its upper hull (absent -> shortest -> … -> whole) are taken by falling worth for
//! their tokens, bonds closed, until the budget is spent. Sorting is the dearest part: `O(n log n)`.

use super::{
    form::{Item, Page},
    outcome::Noun,
    worth::weights::MARK,
};

/// For each item the variant that stands, if any does.
pub(super) type Choice = Vec<Option<usize>>;

/// Everything that could be asked later: each item in its cheapest lossless variant, without what is said before by the
/// same owner and needed by nothing.
pub(super) fn lossless(page: &Page<'_>, costs: &[Vec<usize>]) -> Choice {
    let mut choice: Choice = page
        .items
        .iter()
        .zip(costs)
        .map(|(item, costs)| Some(cheapest(item, costs, |variant| variant.lossless)))
        .collect();
    let mut needed = vec![false; page.items.len()];
    for (at, item) in page.items.iter().enumerate().rev() {
        let said = item.said.is_some_and(|of| of != at) && !item.fixed && !needed.get(at).copied().unwrap_or(false);
        if said {
            if let Some(place) = choice.get_mut(at) {
                *place = None;
            }
            continue;
        }
        let needs = page.bonds.of(at).iter().copied().chain(item.said);
        for of in needs {
            if let Some(place) = needed.get_mut(of) {
                *place = true;
            }
        }
    }
    choice
}

/// The choice of most worth within `budget`; what is fixed stands whatever it costs and is no part of the budget.
pub(super) fn within(page: &Page<'_>, worths: &[f32], costs: &[Vec<usize>], budget: usize) -> Choice {
    let fixed =
        |(item, costs): (&Item<'_>, &Vec<usize>)| item.fixed.then(|| cheapest(item, costs, |variant| variant.lossless));
    let mut choice: Choice = page.items.iter().zip(costs).map(fixed).collect();
    let mut left = budget;
    close_fixed(page, costs, &mut choice, &mut left);
    let mut steps: Vec<Step> = page
        .items
        .iter()
        .enumerate()
        .filter(|(_, item)| !item.fixed && item.salience > 0.0)
        .flat_map(|(at, item)| hull(at, item, worths.get(at).copied().unwrap_or(0.0), costs.get(at)))
        .collect();
    steps.sort_by(|a, b| b.slope.total_cmp(&a.slope).then(a.item.cmp(&b.item)).then(a.cost.cmp(&b.cost)));
    // What was too dear with all that it needs may fit once another item has brought that in.
    for _ in 0..PASSES {
        for step in &steps {
            take(page, costs, step, &mut choice, &mut left);
        }
    }
    // Where nothing fits, the budget gives way: a text of marks alone says nothing.
    let stands = |(item, choice): (&Item<'_>, &Option<usize>)| item.count > 0 && choice.is_some();
    if !page.items.iter().zip(&choice).any(stands)
        && let Some(step) = steps
            .iter()
            .find(|step| step.from.is_none() && page.items.get(step.item).is_some_and(|item| item.count > 0))
    {
        take(page, costs, step, &mut choice, &mut { usize::MAX });
    }
    mend(page, costs, &mut choice);
    choice
}

/// What saves no more than its mark costs stands.
fn mend(page: &Page<'_>, costs: &[Vec<usize>], choice: &mut Choice) {
    let mut at = 0;
    while at < page.items.len() {
        let gone = (at..page.items.len()).take_while(|item| choice.get(*item).is_some_and(Option::is_none)).count();
        let run = at..at + gone;
        at = run.end + 1;
        let counts = page.items.get(run.clone()).unwrap_or_default().iter().any(|item| item.count > 0);
        let inline = page.items.get(run.start).is_some_and(|item| item.noun == Noun::Sentences);
        let saved: usize = run.clone().map(|item| cost(costs, item, shortest(page, costs, item))).sum();
        let stands = |of: &usize| run.contains(of) || choice.get(*of).is_some_and(Option::is_some);
        let mark = if inline { MARK / 3 } else { MARK };
        if counts && saved <= mark && run.clone().all(|item| page.bonds.of(item).iter().all(stands)) {
            run.for_each(|item| set(choice, item, shortest(page, costs, item)));
        }
    }
}

/// How often the steps are gone through.
const PASSES: usize = 2;

/// A step of an item's hull.
struct Step {
    item: usize,
    from: Option<usize>,
    to: usize,
    /// More tokens than before the step.
    cost: usize,
    /// More worth for each of them.
    slope: f32,
}

/// The steps from absent to whole, each with less worth for its tokens than the one before.
fn hull(at: usize, item: &Item<'_>, worth: f32, costs: Option<&Vec<usize>>) -> Vec<Step> {
    let mut options: Vec<(usize, usize, f32)> = item
        .variants
        .iter()
        .enumerate()
        .filter_map(|(number, variant)| Some((number, *costs?.get(number)?, worth * variant.keeps)))
        .collect();
    options.sort_by(|a, b| a.1.cmp(&b.1).then(b.2.total_cmp(&a.2)));
    let mut steps: Vec<Step> = Vec::new();
    let (mut from, mut paid, mut gained, mut rest) = (None, 0, 0.0, options.as_slice());
    while !rest.is_empty() {
        let slope = |(_, cost, worth): &(usize, usize, f32)| (worth - gained) / cost.saturating_sub(paid).max(1) as f32;
        let Some((place, best)) =
            rest.iter().enumerate().max_by(|(i, a), (j, b)| slope(a).total_cmp(&slope(b)).then(i.cmp(j)))
        else {
            break;
        };
        let step = Step { item: at, from, to: best.0, cost: best.1.saturating_sub(paid), slope: slope(best) };
        (from, paid, gained) = (Some(best.0), best.1, best.2);
        steps.push(step);
        rest = rest.get(place + 1..).unwrap_or_default();
    }
    steps
}

fn take(page: &Page<'_>, costs: &[Vec<usize>], step: &Step, choice: &mut Choice, left: &mut usize) {
    // A step from a variant that had no room is no step.
    if choice.get(step.item).copied().flatten() != step.from || (step.from.is_none() && choice.get(step.item).is_none())
    {
        return;
    }
    if step.from.is_some() {
        if step.cost <= *left {
            *left -= step.cost;
            set(choice, step.item, step.to);
        }
        return;
    }
    let closure = page.bonds.closure(step.item, |item| choice.get(item).is_some_and(Option::is_none));
    let variant = |item: usize| if item == step.item { step.to } else { shortest(page, costs, item) };
    let cost: usize = closure.iter().map(|item| cost(costs, *item, variant(*item))).sum();
    if cost <= *left {
        *left -= cost;
        for item in closure {
            set(choice, item, variant(item));
        }
    }
}

/// What fixed items need stands too.
fn close_fixed(page: &Page<'_>, costs: &[Vec<usize>], choice: &mut Choice, left: &mut usize) {
    let fixed: Vec<usize> = (0..page.items.len()).filter(|at| choice.get(*at).is_some_and(Option::is_some)).collect();
    for item in fixed {
        for needed in page.bonds.closure(item, |item| choice.get(item).is_some_and(Option::is_none)) {
            if choice.get(needed).is_some_and(Option::is_none) {
                let variant = shortest(page, costs, needed);
                *left = left.saturating_sub(cost(costs, needed, variant));
                set(choice, needed, variant);
            }
        }
    }
}

fn set(choice: &mut Choice, item: usize, variant: usize) {
    if let Some(place) = choice.get_mut(item) {
        *place = Some(variant);
    }
}

fn cost(costs: &[Vec<usize>], item: usize, variant: usize) -> usize {
    costs.get(item).and_then(|costs| costs.get(variant)).copied().unwrap_or(0)
}

fn shortest(page: &Page<'_>, costs: &[Vec<usize>], item: usize) -> usize {
    match (page.items.get(item), costs.get(item)) {
        (Some(item), Some(costs)) => cheapest(item, costs, |_| true),
        _ => 0,
    }
}

/// The cheapest variant of those that `may` stand; the whole one where none may.
fn cheapest(item: &Item<'_>, costs: &[usize], may: impl Fn(&super::form::Variant<'_>) -> bool) -> usize {
    let variants = item.variants.iter().zip(costs).enumerate().filter(|(_, (variant, _))| may(variant));
    variants.min_by_key(|(number, (_, cost))| (**cost, *number)).map_or(0, |(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::{
        bond::{Bond, Bonds},
        form::Form,
        outcome::Noun,
    };

    fn page(costs: &[usize], bonds: &[Bond]) -> (Page<'static>, Vec<Vec<usize>>) {
        let items: Vec<Item<'static>> = costs
            .iter()
            .enumerate()
            .map(|(at, _)| Item::whole(at..at + 1, "x", Form::Prose, Noun::Sentences))
            .collect();
        let bonds = Bonds::new(items.len(), bonds);
        (Page { items, bonds }, costs.iter().map(|cost| vec![*cost]).collect())
    }

    #[test]
    fn the_worthiest_for_their_tokens_stand() {
        let (page, costs) = page(&[10, 10, 10], &[]);
        assert_eq!(within(&page, &[1.0, 3.0, 2.0], &costs, 20), [None, Some(0), Some(0)]);
    }

    #[test]
    fn what_is_needed_comes_along_or_the_item_stays_away() {
        let (page, costs) = page(&[10, 10, 5], &[Bond::Needs { item: 1, of: 0 }]);
        assert_eq!(within(&page, &[0.0, 9.0, 0.1], &costs, 20), [Some(0), Some(0), None]);
        assert_eq!(within(&page, &[0.0, 9.0, 0.1], &costs, 15), [Some(0), None, Some(0)]);
    }

    #[test]
    fn what_was_said_before_goes_unless_something_needs_it() {
        let (mut page, costs) = page(&[10, 10, 10], &[]);
        page.items[1].said = Some(0);
        assert_eq!(lossless(&page, &costs), [Some(0), None, Some(0)]);
        page.bonds = Bonds::new(3, &[Bond::Needs { item: 2, of: 1 }]);
        assert_eq!(lossless(&page, &costs), [Some(0), Some(0), Some(0)]);
    }
}
