//! How much an item has to do with what is asked: words (BM25), meanings where a model knows them, the company that it
//! keeps, and whether it holds the kind of thing that would answer.

use std::borrow::Cow;

use super::weights::{ANSWER, MEANING, MOST_COMPARED, NEIGHBOUR, PASSAGE, STEEPNESS, UNASKED};
use crate::compress::{
    ask::{Expected, Wanted},
    form::{Form, Page},
    outcome::Noun,
    form::{Form, Item, Page},
    rewrite::{RewriteError, Rewriter},
    text::segment,
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
    let own: Vec<&str> = page.items.iter().map(said).collect();
    // A row's words mean little without those of its head; a statement's are read by themselves.
    let rows: Vec<Cow<'_, str>> = (0..own.len()).map(|at| row(page, &own, at)).collect();
    let mut scores = shares(&wanted.rank(&rows.iter().map(Cow::as_ref).collect::<Vec<_>>()));
    // What compares meanings was trained on English.
    if let Some(model) = model.filter(|_| wanted.is_english()) {
        let meanings = meanings(page, &own, &scores, wanted, model)?;
        for (score, meaning) in scores.iter_mut().zip(meanings) {
            *score += MEANING * meaning.max(0.0);
        }
    }
    let scores = in_company(&scores, &passages(page));
    let scores: Vec<f32> = scores
        .into_iter()
        .zip(&own)
        .map(|(score, own)| score + if answers(wanted, own) { ANSWER } else { 0.0 })
        .collect();
    let steep = |share: f32| UNASKED + (1.0 - UNASKED) * share.powf(STEEPNESS);
    Ok(shares(&scores).into_iter().map(steep).collect())
}

/// An item's own words; none for what is addressed to the model.
fn said<'i>(item: &'i crate::compress::form::Item<'_>) -> &'i str {
    if item.form == Form::Frame { "" } else { segment::after_label(item.text().trim()) }
}

/// Each as a share of the largest.
fn shares(scores: &[f32]) -> Vec<f32> {
    let most = scores.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    scores.iter().map(|score| score / most).collect()
}

/// The scores with some of the neighbours' and of the best one's in the same passage: what is asked for often stands
/// beside the words of the question.
fn in_company(scores: &[f32], passages: &[usize]) -> Vec<f32> {
    let near = |at: usize, other: Option<usize>| {
        let same = other.filter(|other| passages.get(*other) == passages.get(at));
        same.and_then(|other| scores.get(other)).copied().unwrap_or(0.0)
    };
    let lifted: Vec<f32> = scores
        .iter()
        .enumerate()
        .map(|(at, own)| own + NEIGHBOUR * (near(at, at.checked_sub(1)) + near(at, Some(at + 1))))
        .collect();
    let mut best = vec![0.0_f32; passages.last().map_or(0, |last| last + 1)];
    for (passage, score) in passages.iter().zip(&lifted) {
        if let Some(best) = best.get_mut(*passage) {
            *best = best.max(*score);
        }
    }
    let of = |passage: &usize| PASSAGE * best.get(*passage).copied().unwrap_or(0.0);
    lifted.iter().zip(passages).map(|(score, passage)| score + of(passage)).collect()
}

/// The number of the passage that each item stands in: a blank line, another form or another owner ends one.
fn passages(page: &Page<'_>) -> Vec<usize> {
    let mut passage = 0;
    let mut numbers = Vec::with_capacity(page.items.len());
    for (at, item) in page.items.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| page.items.get(before));
        let ends = before.is_some_and(|before| {
            let text = before.text();
            let white = text.get(text.trim_end().len()..).unwrap_or_default();
            white.matches('\n').nth(1).is_some()
                || before.form != item.form
                || before.owner != item.owner
                // A row says nothing about the one below it.
                || is_row(item)
        });
        passage += usize::from(ends);
        numbers.push(passage);
    }
    numbers
}

/// Whether an item holds what could answer by its kind: a number, a name that the question does not give.
fn answers(wanted: &Wanted, own: &str) -> bool {
    match wanted.expected() {
        Some(Expected::Number) => own.bytes().any(|byte| byte.is_ascii_digit()),
        Some(Expected::Name) => wanted.new_names(own) >= 2,
        Some(Expected::Reason) | None => false,
    }
}

fn row<'o>(page: &Page<'_>, own: &[&'o str], at: usize) -> Cow<'o, str> {
    match page.items.get(at) {
        Some(item) if item.noun == Noun::Rows && item.count > 0 => titled(page, own, at).into(),
        _ => own.get(at).copied().unwrap_or_default().into(),
    }
}

/// An item's words under those of what it needs: a row with its head, a statement with its heading.
fn titled(page: &Page<'_>, own: &[&str], at: usize) -> String {
    let above = |of: &&usize| **of < at && page.items.get(**of).is_some_and(|item| !item.fixed);
    let needs = page.bonds.of(at).iter().filter(above).filter_map(|of| own.get(*of)).copied();
    let needs = needs.map(|title| title.get(..title.floor_char_boundary(LONGEST_TITLE)).unwrap_or(title));
    needs.take(MOST_TITLES).chain(own.get(at).copied()).collect::<Vec<_>>().join(". ")
}

/// What an item stands under is read up to so many items of it: an encoder reads no more anyway.
const MOST_TITLES: usize = 3;

/// So much of each, in bytes: a head of a thousand columns is not read again for each row.
const LONGEST_TITLE: usize = 400;
/// Whether an item says something in sentences: rows of values and places are near to every question or to none.
fn means(item: &Item<'_>) -> bool {
    !item.fixed && item.count > 0 && !is_row(item)
}

fn is_row(item: &Item<'_>) -> bool {
    matches!(item.form, Form::Columns | Form::Hits | Form::Listing)
}

/// The similarity of each item's meaning with the question's; 0 for those past [`MOST_COMPARED`], which share fewest words.
fn meanings(
    page: &Page<'_>,
    own: &[&str],
    scores: &[f32],
    wanted: &Wanted,
    model: &mut dyn Rewriter,
) -> Result<Vec<f32>, RewriteError> {
    let score = |at: usize| scores.get(at).copied().unwrap_or(0.0);
    let mut order: Vec<usize> =
        (0..own.len()).filter(|at| page.items.get(*at).is_some_and(means)).collect();
    order.sort_by(|a, b| score(*b).total_cmp(&score(*a)).then(a.cmp(b)));
    let mut left = MOST_COMPARED;
    let mut compared: Vec<(usize, String)> = Vec::new();
    for at in order {
        let text = titled(page, own, at);
        if text.len() > left {
            break;
        }
        left -= text.len();
        compared.push((at, text));
    }
    let texts: Vec<&str> =
        std::iter::once(wanted.wording()).chain(compared.iter().map(|(_, text)| text.as_str())).collect();
    let mut meanings = model.meanings(&texts)?.into_iter();
    let mut found = vec![0.0; own.len()];
    let Some(asked) = meanings.next().filter(|asked| !asked.is_empty()) else { return Ok(found) };
    for ((at, _), meaning) in compared.iter().zip(meanings) {
        if let Some(place) = found.get_mut(*at) {
            *place = asked.iter().zip(&meaning).map(|(a, b)| a * b).sum();
        }
    }
    Ok(found)
}
