//! Shorter statements in a model's words: variants beside the whole, each through the guard.
//!
//! Only a model that says so of itself is asked (see [`Rewriter::rewrites`]), and only about statements that may win a
//! place: the worthiest, up to a few times the budget. Whatever it writes must keep every atom of its source; what the
//! guard refuses is not offered.

use super::{
    form::{Form, Item, Page, Variant},
    guard,
    rewrite::{RewriteError, RewriteRequest, Rewriter},
    worth::Worth,
};

/// Gives the worthiest statements of a page a shorter variant where the model has one that stands.
///
/// # Errors
/// What `model` reports.
pub(super) fn shorten(
    page: &mut Page<'_>,
    worths: &[Worth],
    costs: &mut [Vec<usize>],
    budget: usize,
    model: &mut dyn Rewriter,
    count: impl Fn(&str) -> usize,
) -> Result<(), RewriteError> {
    if !model.rewrites() {
        return Ok(());
    }
    let statement = |item: &Item<'_>| item.form == Form::Prose && !item.fixed && item.count > 0 && item.salience > 0.0;
    let mut order: Vec<usize> = (0..page.items.len()).filter(|at| page.items.get(*at).is_some_and(statement)).collect();
    let worth = |at: &usize| worths.get(*at).map_or(0.0, |worth| worth.value);
    order.sort_by(|a, b| worth(b).total_cmp(&worth(a)).then(a.cmp(b)));
    let mut left = budget * CANDIDATES;
    order.retain(|at| {
        let cost = costs.get(*at).and_then(|costs| costs.first()).copied().unwrap_or(0);
        let fits = (SHORTEST..=left).contains(&cost);
        left = left.saturating_sub(cost);
        fits
    });
    let texts: Vec<String> =
        order.iter().filter_map(|at| Some(page.items.get(*at)?.text().trim_end().to_owned())).collect();
    let requests: Vec<RewriteRequest<'_>> = texts.iter().map(|text| RewriteRequest { text, ratio: RATIO }).collect();
    for ((at, source), shorter) in order.iter().zip(&texts).zip(model.rewrite(&requests)?) {
        let Some(shorter) = shorter.filter(|shorter| guard::check(source, shorter).is_ok()) else { continue };
        let (Some(item), Some(costs)) = (page.items.get_mut(*at), costs.get_mut(*at)) else { continue };
        let white = item.text().get(source.len()..).unwrap_or_default();
        let text = format!("{}{white}", shorter.trim_end());
        let cost = count(&text);
        if costs.first().is_some_and(|whole| cost < *whole) {
            // Every atom stands, so what it keeps is all that could be asked.
            item.variants.push(Variant { lossless: false, ..Variant::lossless(text) });
            costs.push(cost);
        }
    }
    Ok(())
}

/// How much shorter a statement is to become; more is not said without losing an atom.
const RATIO: f32 = 2.0;
/// Statements of so many times the budget are shortened: the others will hardly win a place.
const CANDIDATES: usize = 2;
/// Shorter statements, in tokens, stay whole.
const SHORTEST: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::{Encoded, Noun, bond::Bonds};

    /// Says what it is told to say.
    struct Says(&'static str);

    impl Rewriter for Says {
        fn fingerprint(&self) -> &str {
            "says"
        }

        fn read(&mut self, texts: &[&str], _: f32) -> Result<Vec<Encoded>, RewriteError> {
            Ok(texts.iter().map(|_| Encoded::default()).collect())
        }

        fn rewrite(&mut self, requests: &[RewriteRequest<'_>]) -> Result<Vec<Option<String>>, RewriteError> {
            Ok(requests.iter().map(|_| Some(self.0.to_owned())).collect())
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
            shorten(&mut page, &worths, &mut costs, 40, &mut Says(said), |text| text.split(' ').count()).unwrap();
            assert_eq!((page.items[0].variants.len(), costs[0].len()), (variants, variants), "{said}");
        }
    }
}
