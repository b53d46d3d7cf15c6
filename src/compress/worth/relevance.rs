//! How much an item has to do with what is asked: words (BM25) and, where a model knows them, meanings.

use super::weights::{MEANING, MOST_COMPARED, UNASKED};
use crate::compress::{
    ask::Wanted,
    form::{Form, Item, Page},
    rewrite::{RewriteError, Rewriter},
};

/// The relevance of each item, 0–1 beside the best; 1 for all where nothing is asked.
pub(super) fn relevance(
    page: &Page<'_>,
    wanted: &Wanted,
    model: Option<&mut dyn Rewriter>,
) -> Result<Vec<f32>, RewriteError> {
    if wanted.is_empty() {
        return Ok(vec![1.0; page.items.len()]);
    }
    let texts: Vec<String> = (0..page.items.len()).map(|at| told(page, at)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut scores = shares(&wanted.rank(&texts));
    if let Some(model) = model {
        let meanings = meanings(page, &texts, &scores, wanted, model)?;
        for (score, meaning) in scores.iter_mut().zip(meanings) {
            *score += MEANING * meaning.max(0.0);
        }
    }
    Ok(shares(&scores).into_iter().map(|share| UNASKED + (1.0 - UNASKED) * share * share).collect())
}

/// An item's words with those of what it needs: a row with its head, a statement with its heading.
fn told(page: &Page<'_>, at: usize) -> String {
    let own = page.items.get(at).map_or("", |item| item.text());
    let needs = page.bonds.of(at).iter().filter_map(|of| page.items.get(*of)).map(|item| item.text());
    needs.chain([own]).collect::<Vec<_>>().join(" ")
}

/// Each as a share of the largest.
fn shares(scores: &[f32]) -> Vec<f32> {
    let most = scores.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    scores.iter().map(|score| score / most).collect()
}

/// Whether an item says something in sentences: rows of values and places are near to every question or to none.
fn means(item: &Item<'_>) -> bool {
    let is_row = matches!(item.form, Form::Columns | Form::Hits | Form::Listing);
    !item.fixed && item.count > 0 && !is_row
}

/// The similarity of each item's meaning with the question's; 0 for those past [`MOST_COMPARED`], which share fewest words.
fn meanings(
    page: &Page<'_>,
    texts: &[&str],
    scores: &[f32],
    wanted: &Wanted,
    model: &mut dyn Rewriter,
) -> Result<Vec<f32>, RewriteError> {
    let mut order: Vec<usize> = (0..texts.len()).filter(|at| page.items.get(*at).is_some_and(means)).collect();
    order.sort_by(|a, b| {
        scores.get(*b).partial_cmp(&scores.get(*a)).unwrap_or(std::cmp::Ordering::Equal).then(a.cmp(b))
    });
    let mut left = MOST_COMPARED;
    order.retain(|at| {
        let length = texts.get(*at).map_or(0, |text| text.len());
        let fits = length <= left;
        left = left.saturating_sub(length);
        fits
    });
    let mut found = vec![0.0; texts.len()];
    let compared: Vec<&str> =
        std::iter::once(wanted.wording()).chain(order.iter().filter_map(|at| texts.get(*at).copied())).collect();
    let mut meanings = model.meanings(&compared)?.into_iter();
    let Some(asked) = meanings.next().filter(|asked| !asked.is_empty()) else { return Ok(found) };
    for (at, meaning) in order.into_iter().zip(meanings) {
        if let Some(place) = found.get_mut(at) {
            *place = asked.iter().zip(&meaning).map(|(a, b)| a * b).sum();
        }
    }
    Ok(found)
}
