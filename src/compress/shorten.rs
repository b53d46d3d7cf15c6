//! Shorter statements, by what a model says of them: variants beside the whole, each through the guard.
//!
//! A model that reads syntax shows which constituents a statement can do without; the statement then stands on a ladder
//! from whole to core, and the one choice takes the rung that pays. A model that writes gives one variant in its own
//! words. Only English statements are asked about whose shorter form may win what whole ones cannot: those about whose worth the
//! room ends.

mod ladder;
mod optional;
mod tree;

use std::ops::Range;

use super::{
    ask::Wanted,
    form::{Form, Item, Page, Variant},
    guard,
    rewrite::{RewriteError, Rewriter, Shorter},
    syntax::Syntax,
    text::language::Language,
    worth::{
        Worth,
        weights::{CERTAIN, LEAST_SHORTENED, SHORTENED},
    },
};
use ladder::{Rung, ladder};
use optional::Optional;
use tree::Tree;

/// Gives the worthiest statements of a page shorter variants where the model has some that stand.
///
/// # Errors
/// What `model` reports.
pub(super) fn shorten(
    page: &mut Page<'_>,
    worths: &[Worth],
    costs: &mut [Vec<usize>],
    room: usize,
    wanted: &Wanted,
    model: &mut dyn Rewriter,
    count: impl Fn(&str) -> usize,
) -> Result<(), RewriteError> {
    // Where nothing is asked, what may go tells about as much as the next statement that would come in for it.
    if !model.shortens() || wanted.is_empty() {
        return Ok(());
    }
    let statement = |item: &Item<'_>| {
        item.form == Form::Prose && !item.fixed && item.escaped == 0 && item.count > 0 && item.salience > 0.0
    };
    let mut order: Vec<usize> = (0..page.items.len()).filter(|at| page.items.get(*at).is_some_and(statement)).collect();
    let cost = |at: &usize| costs.get(*at).and_then(|costs| costs.first()).copied().unwrap_or(0);
    let density = |at: &usize| worths.get(*at).map_or(0.0, |worth| worth.value) / cost(at).max(1) as f32;
    let edge = edge(page, worths, costs, room);
    // What is worth much more for its tokens stands whole, and what is worth much less doesn't stand.
    let far = |at: &usize| (density(at) / edge).max(f32::MIN_POSITIVE).ln().abs();
    order.sort_by(|a, b| far(a).total_cmp(&far(b)).then(a.cmp(b)));
    let mut left = if edge > 0.0 { (room / SHORTENED).max(LEAST_SHORTENED) } else { 0 };
    order.retain(|at| {
        let read =
            |item: &Item<'_>| item.text().len() <= guard::LONGEST_STATEMENT && Language::reads_english(item.text());
        let asked = (SHORTEST..=left).contains(&cost(at)) && page.items.get(*at).is_some_and(read);
        left -= if asked { cost(at) } else { 0 };
        asked
    });
    order.sort_unstable();
    let texts: Vec<String> =
        order.iter().filter_map(|at| Some(page.items.get(*at)?.text().trim_end().to_owned())).collect();
    let statements: Vec<&str> = texts.iter().map(String::as_str).collect();
    for ((at, source), shorter) in order.iter().zip(&texts).zip(model.shorten(&statements)?) {
        // What a later statement refers to by a pronoun is mostly a name.
        let referred = (at + 1..at + 3).any(|next| page.bonds.of(next).contains(at));
        let rungs = match shorter {
            None => Vec::new(),
            // Every atom stands, so what it keeps is all that could be asked.
            Some(Shorter::Text(text)) if guard::check(source, &text).is_ok() => vec![Rung { text, keeps: 1.0 }],
            Some(Shorter::Text(_)) => Vec::new(),
            Some(Shorter::Syntax(syntax)) => {
                rungs(source, &syntax, CERTAIN, |part, named| named && referred || wanted.mentions(part) > 0.0)
            }
        };
        let (Some(item), Some(costs)) = (page.items.get_mut(*at), costs.get_mut(*at)) else { continue };
        let white = item.white().to_owned();
        for Rung { text, keeps } in rungs {
            let text = format!("{}{white}", text.trim_end());
            let cost = count(&text);
            if costs.last().is_some_and(|last| cost < *last) {
                item.variants.push(Variant::shorter(text, keeps));
                costs.push(cost);
            }
        }
    }
    Ok(())
}

/// The worth of a token at which `room` ends, where whole items are taken by falling worth for their tokens; 0 where there
/// is room for all.
fn edge(page: &Page<'_>, worths: &[Worth], costs: &[Vec<usize>], room: usize) -> f32 {
    let open = page.items.iter().zip(worths).zip(costs).filter(|((item, _), _)| !item.fixed);
    let mut densest: Vec<(f32, usize)> = open
        .filter_map(|((_, worth), costs)| Some((worth.value, *costs.first()?)))
        .map(|(value, cost)| (value / cost.max(1) as f32, cost))
        .collect();
    densest.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut left = room;
    let end = densest.iter().find(|(_, cost)| match left.checked_sub(*cost) {
        Some(rest) => {
            left = rest;
            false
        }
        None => true,
    });
    end.map_or(0.0, |(density, _)| *density)
}

/// A statement's constituents that may go where the model is that sure of them, as bytes, and its ladder with the share of
/// its worth that each form keeps: what `training/` measures a model by.
#[doc(hidden)]
#[must_use]
pub fn forms(source: &str, syntax: &Syntax, certain: f32) -> (Vec<Range<usize>>, Vec<(String, f32)>) {
    let Some(tree) = Tree::new(syntax) else { return Default::default() };
    let optional = self::certain(source, &tree, certain);
    let spans = optional.iter().filter_map(|one| ladder::bytes(source, tree.words, &one.words)).collect();
    let rungs = rungs(source, syntax, certain, |_, _| false);
    (spans, rungs.into_iter().map(|rung| (rung.text, rung.keeps)).collect())
}

/// The forms of a statement that the guard lets stand for it. `stays` says of a constituent that it must not go, and
/// whether there is a name in it.
fn rungs(source: &str, syntax: &Syntax, certain: f32, stays: impl Fn(&str, bool) -> bool) -> Vec<Rung> {
    let Some(tree) = Tree::new(syntax) else { return Vec::new() };
    let mut rungs = ladder(source, &tree, &self::certain(source, &tree, certain), stays);
    rungs.retain(|rung| guard::shorter(source, &rung.text).is_ok());
    rungs
}

/// The optional constituents of which the model is sure: in them, and at the word behind them.
fn certain(source: &str, tree: &Tree<'_>, least: f32) -> Vec<Optional> {
    let mut optional = optional::optional(source, tree);
    optional.retain(|one| {
        let around = one.words.start..(one.words.end + 1).min(tree.words.len());
        tree.words.get(around).unwrap_or_default().iter().all(|word| word.certain >= least)
    });
    optional
}

/// Shorter statements, in tokens, stay whole.
const SHORTEST: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::{Noun, Query, bond::Bonds};

    /// Says what it is told to say.
    struct Says(&'static str);

    impl Rewriter for Says {
        fn fingerprint(&self) -> &str {
            "says"
        }

        fn shorten(&mut self, statements: &[&str]) -> Result<Vec<Option<Shorter>>, RewriteError> {
            Ok(statements.iter().map(|_| Some(Shorter::Text(self.0.to_owned()))).collect())
        }
    }

    #[test]
    fn statements_in_other_languages_stay_whole() {
        for (text, english) in [
            ("The committee, which met on Monday, did not approve it.", true),
            ("Der Ausschuss, der am Montag tagte, hat das nicht gebilligt.", false),
            ("Komisja, która zebrała się w poniedziałek, nie zatwierdziła budżetu.", false),
            ("委员会周一开会，没有批准二百万美元的预算。", false),
        ] {
            assert_eq!(Language::reads_english(text), english, "{text}");
        }
    }

    #[test]
    fn a_rewrite_stands_beside_its_statement_only_where_the_guard_lets_it() {
        let source = "The committee, which met on Monday, did not approve the budget of $2 million. ";
        for (said, variants) in [
            ("The committee met on Monday and did not approve the budget of $2 million.", 2),
            ("The committee met on Monday and did approve the budget of $2 million.", 1),
            ("The committee did not approve the budget.", 1),
        ] {
            let item = Item::whole(0..source.len(), source, Form::Prose, Noun::Sentences);
            let mut page = Page { items: vec![item], bonds: Bonds::new(1, &[]) };
            let mut costs = vec![vec![20]];
            let worths = [Worth { value: 1.0, ..Worth::default() }];
            let asked = Wanted::new(
                &Query::default(),
                Some(crate::compress::ask::Asked { question: "What did the committee do?", ..Default::default() }),
            );
            shorten(&mut page, &worths, &mut costs, 10, &asked, &mut Says(said), |text| text.split(' ').count())
                .unwrap();
            assert_eq!((page.items[0].variants.len(), costs[0].len()), (variants, variants), "{said}");
        }
    }
}
