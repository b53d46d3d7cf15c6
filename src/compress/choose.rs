//! The one choice: which items stand, in which variant, within a budget of target tokens.
//!
//! A multiple-choice knapsack (Kellerer, Pferschy, Pisinger, *Knapsack Problems*, 2004, ch. 11): each item offers its
//! variants or nothing; the steps of its upper hull (absent -> shortest -> … -> whole) are taken by falling worth for
//! their tokens, bonds closed, until the budget is spent. Sorting is the dearest part: `O(n log n)`.

use std::{cmp::Ordering, collections::BinaryHeap};

use super::{
    form::{Item, Page},
    fuel,
    outcome::Noun,
    worth::weights::{GAP, MARK},
};

/// For each item the variant that stands, if any does.
pub(super) type Variants = Vec<Option<usize>>;

/// What stands, and what it is worth.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choice {
    pub(super) variants: Variants,
    /// Of all that is not fixed.
    pub(super) worth: f32,
}

/// Everything that could be asked later: each item in its cheapest lossless variant, without what is said before by the
/// same owner and needed by nothing.
pub(super) fn lossless(page: &Page<'_>, costs: &[Vec<usize>]) -> Variants {
    let mut choice: Variants = page
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
///
/// Where single items fill much of the budget, taking the densest first may leave no room for the worthiest: the choice is
/// made again around each of those, and the best one counts. Without bonds, room for one item more is never less worth.
pub(super) fn within(page: &Page<'_>, worths: &[f32], costs: &[Vec<usize>], budget: usize) -> Choice {
    let mut start = Filling::new(page, worths, costs, budget);
    start.stand_fixed();
    start.seek_gaps();
    let steps = start.steps();
    let seeds = start.seeds(&steps);
    let mut best = start.clone();
    best.fill(&steps);
    for seed in seeds {
        let mut other = start.clone();
        other.take(seed);
        other.fill(&steps);
        if other.worth > best.worth {
            best = other;
        }
    }
    best.done()
}

/// What is fixed, and of all else the one worthiest item with what it needs, whatever that costs; `None` where nothing is
/// worth anything, or too much would come along.
pub(super) fn worthiest(page: &Page<'_>, worths: &[f32], costs: &[Vec<usize>]) -> Option<Choice> {
    let mut filling = Filling::new(page, worths, costs, usize::MAX);
    filling.stand_fixed();
    let open = filling.steps().into_iter().filter(|step| step.from.is_none() && step.worth > 0.0);
    let best = open.max_by(|a, b| a.worth.total_cmp(&b.worth).then(b.item.cmp(&a.item)))?;
    filling.take(best);
    filling.stands(best.item).then(|| filling.done())
}

/// How often the steps are gone through: what was too dear with all that it needs may fit once another item has brought
/// that in.
const PASSES: usize = 2;

/// A choice on its way.
#[derive(Clone)]
struct Filling<'p> {
    page: &'p Page<'p>,
    worths: &'p [f32],
    costs: &'p [Vec<usize>],
    choice: Variants,
    /// Tokens of the budget that are left.
    left: usize,
    /// What stands is worth so much.
    worth: f32,
    /// How many items need each one by themselves.
    dependents: Vec<usize>,
    /// For each item the next one before it and behind it that a mark would count.
    beside: Vec<(Option<usize>, Option<usize>)>,
}

/// A step of an item's hull.
#[derive(Clone, Copy)]
struct Step {
    item: usize,
    from: Option<usize>,
    to: usize,
    /// More tokens than before the step.
    cost: usize,
    /// More worth than before the step.
    worth: f32,
    /// More worth for each token, with a share of what the item needs.
    slope: f32,
}

/// A step in the queue: the steepest comes first, of equal ones the one that was first.
struct Ranked {
    slope: f32,
    number: usize,
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        self.slope.total_cmp(&other.slope).then(other.number.cmp(&self.number))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked {}

impl<'p> Filling<'p> {
    fn new(page: &'p Page<'p>, worths: &'p [f32], costs: &'p [Vec<usize>], budget: usize) -> Self {
        let choice = vec![None; page.items.len()];
        let mut dependents = vec![0_usize; page.items.len()];
        for of in (0..page.items.len()).flat_map(|at| page.bonds.of(at)) {
            if let Some(count) = dependents.get_mut(*of) {
                *count += 1;
            }
        }
        Self { page, worths, costs, choice, left: budget, worth: 0.0, dependents, beside: Vec::new() }
    }

    /// Notes for each item which ones it would stand beside.
    fn seek_gaps(&mut self) {
        let items = &self.page.items;
        let mut beside = vec![(None, None); items.len()];
        let mut last: Option<usize> = None;
        for (at, _) in items.iter().enumerate().filter(|(_, item)| item.count > 0 || item.fixed) {
            if let Some(place) = beside.get_mut(at) {
                place.0 = last;
            }
            if let Some(place) = last.and_then(|last| beside.get_mut(last)) {
                place.1 = Some(at);
            }
            last = Some(at);
        }
        self.beside = beside;
    }

    /// The tokens of marks that an item brings by standing where its neighbours do not, or saves by standing between two
    /// that do.
    fn marks(&self, at: usize) -> isize {
        let Some(item) = self.page.items.get(at).filter(|item| item.count > 0) else { return 0 };
        let (before, behind) = self.beside.get(at).copied().unwrap_or_default();
        let absent = |of: Option<usize>| of.is_some_and(|of| !self.stands(of));
        let gaps = isize::from(absent(before)) + isize::from(absent(behind)) - 1;
        // Inside a paragraph a mark is a single token.
        if item.noun == Noun::Sentences { 0 } else { gaps * GAP }
    }

    /// What is fixed stands, and what it needs with it.
    fn stand_fixed(&mut self) {
        let fixed = |(at, item): (usize, &Item<'_>)| item.fixed.then_some(at);
        let mut open: Vec<usize> = self.page.items.iter().enumerate().filter_map(fixed).collect();
        while let Some(at) = open.pop() {
            let (Some(item), Some(costs)) = (self.page.items.get(at), self.costs.get(at)) else { continue };
            if self.stands(at) {
                continue;
            }
            let variant = cheapest(item, costs, |variant| !item.fixed || variant.lossless);
            if !item.fixed {
                self.left = self.left.saturating_sub(cost(self.costs, at, variant));
            }
            set(&mut self.choice, at, variant);
            open.extend(self.page.bonds.of(at));
        }
    }

    /// The steps of all items, the densest first.
    fn steps(&self) -> Vec<Step> {
        let open = |at: &usize| !self.stands(*at);
        let mut steps: Vec<Step> = Vec::new();
        for at in (0..self.page.items.len()).filter(open) {
            let mut own = self.hull(at);
            let Some(first) = own.first_mut() else { continue };
            let (worth, tokens) = self.with_needs(first);
            first.slope = worth / tokens.max(1.0);
            let most = first.slope;
            // No step before the one that brings the item in.
            own.iter_mut().for_each(|step| step.slope = step.slope.min(most));
            steps.append(&mut own);
        }
        steps.sort_by(|a, b| b.slope.total_cmp(&a.slope).then(a.item.cmp(&b.item)).then(a.cost.cmp(&b.cost)));
        steps
    }

    /// The worth and the tokens of an item's first step with its share of what it needs: what several need is paid for by
    /// all of them. A row's head that stands is no reason for the row any more and costs nothing; a statement goes on with
    /// what it needs, and counts as one with it (where nothing is asked, 75 answers of 100 would survive at 2:1 for 79).
    fn with_needs(&self, first: &Step) -> (f32, f32) {
        let told = self.page.items.get(first.item).is_some_and(|item| item.noun == Noun::Sentences);
        let needed = self.page.bonds.of(first.item).iter().copied().filter(|of| told || !self.stands(*of));
        needed.fold((first.worth, first.cost as f32), |(worth, tokens), of| {
            let share = self.dependents(of);
            (worth + self.worth_of(of, self.shortest(of)) / share, tokens + self.shortest_cost(of) as f32 / share)
        })
    }

    /// How many items need one by themselves.
    fn dependents(&self, of: usize) -> f32 {
        self.dependents.get(of).copied().unwrap_or(1).max(1) as f32
    }

    /// The steps from absent to whole, each with less worth for its tokens than the one before.
    fn hull(&self, at: usize) -> Vec<Step> {
        let count = self.page.items.get(at).map_or(0, |item| item.variants.len());
        let mut options: Vec<(usize, usize, f32)> =
            (0..count).map(|number| (number, cost(self.costs, at, number), self.worth_of(at, number))).collect();
        options.sort_by(|a, b| a.1.cmp(&b.1).then(b.2.total_cmp(&a.2)));
        let mut steps: Vec<Step> = Vec::new();
        let (mut from, mut paid, mut gained, mut rest) = (None, 0, 0.0, options.as_slice());
        while !rest.is_empty() {
            fuel::step(rest.len());
            let slope =
                |(_, cost, worth): &(usize, usize, f32)| (worth - gained) / cost.saturating_sub(paid).max(1) as f32;
            let best = rest.iter().enumerate().max_by(|(i, a), (j, b)| slope(a).total_cmp(&slope(b)).then(j.cmp(i)));
            let Some((place, best)) = best else { break };
            let (cost, worth) = (best.1.saturating_sub(paid), best.2 - gained);
            steps.push(Step { item: at, from, to: best.0, cost, worth, slope: slope(best) });
            (from, paid, gained) = (Some(best.0), best.1, best.2);
            rest = rest.get(place + 1..).unwrap_or_default();
        }
        steps
    }

    /// The worthiest items of those that fill a good part of the budget.
    fn seeds(&self, steps: &[Step]) -> Vec<Step> {
        let large = |step: &&Step| step.from.is_none() && step.cost * SEEDS > self.left && step.cost <= self.left;
        let mut seeds: Vec<Step> = steps.iter().filter(large).copied().collect();
        seeds.sort_by(|a, b| b.worth.total_cmp(&a.worth).then(a.item.cmp(&b.item)));
        seeds.truncate(SEEDS);
        seeds
    }

    /// Takes the densest step while there is room; what stands makes its neighbours cheaper, so they are weighed again.
    fn fill(&mut self, steps: &[Step]) {
        let mut of_item: Vec<Option<usize>> = vec![None; self.page.items.len()];
        for (number, step) in steps.iter().enumerate().filter(|(_, step)| step.from.is_none()) {
            if let Some(place) = of_item.get_mut(step.item) {
                *place = Some(number);
            }
        }
        for _ in 0..PASSES {
            let ranked = |(number, step): (usize, &Step)| Ranked { slope: self.slope(step), number };
            let mut queue: BinaryHeap<Ranked> = steps.iter().enumerate().map(ranked).collect();
            while let Some(next) = queue.pop() {
                fuel::step(1);
                let Some(step) = steps.get(next.number) else { continue };
                // What it needs may stand by now: then that is no reason for it any more.
                let slope = self.slope(step);
                if slope < next.slope {
                    queue.push(Ranked { slope, ..next });
                    continue;
                }
                for taken in self.take(*step) {
                    let (before, behind) = self.beside.get(taken).copied().unwrap_or_default();
                    let near = [before, behind].into_iter().flatten().filter(|near| !self.stands(*near));
                    for number in near.filter_map(|near| of_item.get(near).copied().flatten()) {
                        if let Some(step) = steps.get(number) {
                            queue.push(Ranked { slope: self.slope(step), number });
                        }
                    }
                }
            }
        }
    }

    /// Worth for each token, with the marks that a step brings or saves as things stand.
    fn slope(&self, step: &Step) -> f32 {
        if step.from.is_some() {
            return step.slope;
        }
        let marks = self.marks(step.item) as f32;
        // What closes a gap between two marks saves tokens; it is not for nothing all the same.
        let (worth, tokens) = self.with_needs(step);
        worth / (tokens + marks).max(1.0)
    }

    /// Takes a step with all that its item needs, where there is room for it. The items that it brings in.
    fn take(&mut self, step: Step) -> Vec<usize> {
        // A step from a variant that had no room is no step.
        if self.choice.get(step.item).copied().flatten() != step.from {
            return Vec::new();
        }
        if step.from.is_some() {
            // More tokens that say no more are no step: what is told once is not told line by line.
            if step.cost <= self.left && step.worth > 0.0 {
                self.left -= step.cost;
                self.worth += step.worth;
                set(&mut self.choice, step.item, step.to);
            }
            return Vec::new();
        }
        let variant = |item: usize| if item == step.item { step.to } else { self.shortest(item) };
        if step.worth <= 0.0 {
            // What only serves others says nothing by itself.
            return Vec::new();
        }
        let mut cost_of_all = 0;
        let closure = self.page.bonds.closure(
            step.item,
            |item| {
                cost_of_all += cost(self.costs, item, variant(item));
                cost_of_all <= self.left
            },
            |item| !self.stands(item),
        );
        let Some(closure) = closure else { return Vec::new() };
        let mut marks = 0;
        for item in &closure {
            marks += self.marks(*item);
            let to = if *item == step.item { step.to } else { self.shortest(*item) };
            set(&mut self.choice, *item, to);
        }
        let Some(left) = self.left.checked_sub(cost_of_all).and_then(|left| left.checked_add_signed(-marks)) else {
            for item in &closure {
                if let Some(place) = self.choice.get_mut(*item) {
                    *place = None;
                }
            }
            return Vec::new();
        };
        self.left = left;
        for item in &closure {
            let to = if *item == step.item { step.to } else { self.shortest(*item) };
            self.worth += self.worth_of(*item, to);
        }
        closure
    }

    fn done(mut self) -> Choice {
        self.mend();
        Choice { variants: self.choice, worth: self.worth }
    }

    /// What saves no more than its mark costs stands.
    fn mend(&mut self) {
        let mut at = 0;
        while at < self.page.items.len() {
            let run = at..at + (at..self.page.items.len()).take_while(|item| !self.stands(*item)).count();
            at = run.end + 1;
            let counts = self.page.items.get(run.clone()).unwrap_or_default().iter().any(|item| item.count > 0);
            let inline = self.page.items.get(run.start).is_some_and(|item| item.noun == Noun::Sentences);
            let saved: usize = run.clone().map(|item| self.shortest_cost(item)).sum();
            let stands = |of: &usize| run.contains(of) || self.stands(*of);
            let mark = if inline { MARK / 3 } else { MARK };
            if counts && saved <= mark && run.clone().all(|item| self.page.bonds.of(item).iter().all(stands)) {
                for item in run {
                    let to = self.shortest(item);
                    self.worth += self.worth_of(item, to);
                    set(&mut self.choice, item, to);
                }
            }
        }
    }

    fn stands(&self, at: usize) -> bool {
        self.choice.get(at).is_none_or(Option::is_some)
    }

    fn worth_of(&self, at: usize, variant: usize) -> f32 {
        let keeps = self.page.items.get(at).and_then(|item| item.variants.get(variant)).map_or(0.0, |own| own.keeps);
        self.worths.get(at).copied().unwrap_or(0.0) * keeps
    }

    fn shortest(&self, at: usize) -> usize {
        match (self.page.items.get(at), self.costs.get(at)) {
            (Some(item), Some(costs)) => cheapest(item, costs, |_| true),
            _ => 0,
        }
    }

    fn shortest_cost(&self, at: usize) -> usize {
        cost(self.costs, at, self.shortest(at))
    }
}

/// The most items around which a choice is made again, and the part of the budget (one in so many) that each fills at least.
const SEEDS: usize = 8;

fn set(choice: &mut Variants, item: usize, variant: usize) {
    if let Some(place) = choice.get_mut(item) {
        *place = Some(variant);
    }
}

fn cost(costs: &[Vec<usize>], item: usize, variant: usize) -> usize {
    costs.get(item).and_then(|costs| costs.get(variant)).copied().unwrap_or(0)
}

/// The cheapest variant of those that `may` stand; the whole one where none may.
fn cheapest(item: &Item<'_>, costs: &[usize], may: impl Fn(&super::form::Variant<'_>) -> bool) -> usize {
    let variants = item.variants.iter().zip(costs).enumerate().filter(|(_, (variant, _))| may(variant));
    variants.min_by_key(|(number, (_, cost))| (**cost, *number)).map_or(0, |(number, _)| number)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

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
            .map(|(at, _)| Item { count: 0, ..Item::whole(at..at + 1, "x", Form::Prose, Noun::Sentences) })
            .collect();
        let bonds = Bonds::new(items.len(), bonds);
        (Page { items, bonds }, costs.iter().map(|cost| vec![*cost]).collect())
    }

    #[test]
    fn the_worthiest_for_their_tokens_stand() {
        let (page, costs) = page(&[10, 10, 10], &[]);
        assert_eq!(within(&page, &[1.0, 3.0, 2.0], &costs, 20).variants, [None, Some(0), Some(0)]);
    }

    #[test]
    fn what_is_needed_comes_along_or_the_item_stays_away() {
        let (page, costs) = page(&[10, 10, 5], &[Bond::Needs { item: 1, of: 0 }]);
        assert_eq!(within(&page, &[0.0, 9.0, 0.1], &costs, 20).variants, [Some(0), Some(0), None]);
        assert_eq!(within(&page, &[0.0, 9.0, 0.1], &costs, 15).variants, [None, None, Some(0)]);
    }

    #[test]
    fn what_was_said_before_goes_unless_something_needs_it() {
        let (mut page, costs) = page(&[10, 10, 10], &[]);
        page.items[1].said = Some(0);
        assert_eq!(lossless(&page, &costs), [Some(0), None, Some(0)]);
        page.bonds = Bonds::new(3, &[Bond::Needs { item: 2, of: 1 }]);
        assert_eq!(lossless(&page, &costs), [Some(0), Some(0), Some(0)]);
    }

    #[test]
    fn the_worthiest_stands_though_denser_ones_would_fill_its_room() {
        let (page, costs) = page(&[4, 10, 5], &[]);
        assert_eq!(within(&page, &[4.4, 10.0, 0.5], &costs, 10).variants, [None, Some(0), None]);
    }

    #[test]
    fn a_head_that_stands_already_is_no_reason_to_take_a_row() {
        let bonds: Vec<Bond> = (1..31).map(|item| Bond::Needs { item, of: 0 }).collect();
        let mut costs = [11; 31];
        (costs[0], costs[15]) = (10, 13);
        let mut worths = [0.1; 31];
        (worths[0], worths[15]) = (900.0, 2.0);
        let (mut page, costs) = page(&costs, &bonds);
        page.items.iter_mut().for_each(|item| item.noun = Noun::Rows);
        assert!(within(&page, &worths, &costs, 120).variants[15].is_some());
    }

    #[test]
    fn what_only_serves_others_never_stands_by_itself() {
        let (page, costs) = page(&[5, 30], &[Bond::Needs { item: 1, of: 0 }]);
        assert_eq!(within(&page, &[0.0, 9.0], &costs, 20).variants, [None, None]);
    }

    #[test]
    fn a_hub_with_many_dependents_and_a_chain_through_all_take_linear_time() {
        const MANY: usize = 50_000;
        let hub: Vec<Bond> = (1..MANY).map(|item| Bond::Needs { item, of: 0 }).collect();
        let chain: Vec<Bond> = (1..MANY).map(|item| Bond::Needs { item, of: item - 1 }).collect();
        for bonds in [hub, chain] {
            let (page, costs) = page(&[1; MANY], &bonds);
            let choice = within(&page, &[1.0; MANY], &costs, 1_000).variants;
            assert_eq!(choice.iter().flatten().count(), 1_000);
        }
    }

    const LONGER_THAN_A_MARK: usize = MARK + 1;

    fn spent(choice: &Choice, costs: &[Vec<usize>]) -> usize {
        choice.variants.iter().zip(costs).filter_map(|(variant, costs)| costs.get((*variant)?)).sum()
    }

    proptest! {
        #[test]
        fn a_choice_keeps_to_its_budget_and_its_bonds_and_is_always_the_same(
            items in vec((LONGER_THAN_A_MARK..40, 0.0_f32..9.0), 1..30),
            bonds in vec((0_usize..30, 0_usize..30, any::<bool>()), 0..20),
            budget in 0_usize..400,
        ) {
            let bond = |(one, other, both): &(usize, usize, bool)| {
                if *both { Bond::Together(*one, *other) } else { Bond::Needs { item: *one, of: *other } }
            };
            let within_page = |bond: &Bond| match *bond {
                Bond::Together(one, other) | Bond::Needs { item: one, of: other } => one.max(other) < items.len(),
            };
            let bonds: Vec<Bond> = bonds.iter().map(bond).filter(within_page).collect();
            let (page, costs) = page(&items.iter().map(|item| item.0).collect::<Vec<_>>(), &bonds);
            let worths: Vec<f32> = items.iter().map(|item| item.1).collect();
            let choice = within(&page, &worths, &costs, budget);
            prop_assert!(spent(&choice, &costs) <= budget);
            for (at, _) in choice.variants.iter().enumerate().filter(|(_, variant)| variant.is_some()) {
                prop_assert!(page.bonds.of(at).iter().all(|of| choice.variants[*of].is_some()));
            }
            prop_assert_eq!(&choice, &within(&page, &worths, &costs, budget));
        }

        #[test]
        fn room_for_one_item_more_is_never_less_worth(
            items in vec((LONGER_THAN_A_MARK..40, 0.1_f32..9.0), 1..30),
            budget in 0_usize..400,
        ) {
            let (page, costs) = page(&items.iter().map(|item| item.0).collect::<Vec<_>>(), &[]);
            let worths: Vec<f32> = items.iter().map(|item| item.1).collect();
            let worth = |budget| within(&page, &worths, &costs, budget).worth;
            prop_assert!(worth(budget + 40) >= worth(budget) - 1e-3);
        }
    }
}
