//! How much an item has to do with what is asked: words (BM25), meanings where a model knows them, and its passage.

use super::weights::{LOG_ASKED, MEANING, MOST_COMPARED, NAMED, PASSAGE, STEEPNESS};
use crate::compress::{
    ask::Wanted,
    form::{Form, Item, Page},
    outcome::Noun,
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
    let mut scores = wanted.rank(&own);
    // Beside rows, which have no labels, statements that have some would win by them alone; and each row has numbers.
    let statements = page.items.iter().all(|item| matches!(item.noun, Noun::Sentences | Noun::Lines | Noun::FileLines));
    if statements {
        scores = labelled(page, &scores);
    }
    scores = shares(&scores);
    // Meanings know nothing of numbers.
    if statements && names_some(&own, wanted) {
        scores.iter_mut().for_each(|score| *score *= NAMED);
    }
    // What compares meanings was trained on English.
    if let Some(model) = model.filter(|_| wanted.is_english()) {
        let meanings = meanings(page, &own, &scores, wanted, model)?;
        for (score, meaning) in scores.iter_mut().zip(meanings) {
            *score += MEANING * meaning.max(0.0);
        }
    }
    if statements {
        for (score, share) in scores.iter_mut().zip(passages(page, &own, wanted)) {
            *score *= 1.0 + PASSAGE * share;
        }
    }
    let scores = shares(&scores);
    // Beside prose a log is told by the question as that is; by itself it is told by what surprises.
    let counts = |item: &&Item<'_>| !item.fixed && item.count > 0;
    let logged = page.items.iter().filter(counts).all(|item| item.form == Form::Log);
    let own = |share: f32| {
        let share = share.powf(STEEPNESS);
        if logged { 1.0 + LOG_ASKED * share } else { share.max(LEAST) }
    };
    Ok(scores.into_iter().map(own).collect())
}

/// The relevance of what shares nothing with the question: any small number, so that a budget which the relevant leaves is
/// still filled by information.
const LEAST: f32 = 1e-4;

/// Whether the question names something by a number that some items have: `version 0.11.0`, `in 1907`.
fn names_some(own: &[&str], wanted: &Wanted) -> bool {
    let numbers = wanted.stems().filter(|stem| stem.len() > 1 && stem.contains(|c: char| c.is_ascii_digit()));
    let numbers: Vec<&str> = numbers.collect();
    let has = |text: &&&str| numbers.iter().any(|number| text.contains(number));
    let holders = if numbers.is_empty() { 0 } else { own.iter().filter(has).count() };
    holders > 0 && holders * 4 <= own.len()
}

/// The scores with what each item's labels score: a statement is also about whoever makes it and what it stands under.
fn labelled(page: &Page<'_>, scores: &[f32]) -> Vec<f32> {
    let score = |at: usize| scores.get(at).copied().unwrap_or(0.0);
    let labels = |at: usize| {
        let needs = page.bonds.of(at).iter().copied();
        needs.filter(|of| page.items.get(*of).is_some_and(Item::is_label)).map(score).sum::<f32>()
    };
    (0..scores.len()).map(|at| score(at) + labels(at)).collect()
}

/// An item's own words; none for what is addressed to the model.
fn said<'i>(item: &'i Item<'_>) -> &'i str {
    if item.form == Form::Frame { "" } else { segment::after_label(item.text().trim()) }
}

/// Each as a share of the largest.
fn shares(scores: &[f32]) -> Vec<f32> {
    let most = scores.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    scores.iter().map(|score| score / most).collect()
}

/// What the passage that each item stands in has of the question, as a share of the best passage's. What is asked about is
/// often named once, where its passage begins, and what is asked for says "it".
fn passages(page: &Page<'_>, own: &[&str], wanted: &Wanted) -> Vec<f32> {
    let mut texts: Vec<String> = Vec::new();
    let mut places = Vec::with_capacity(own.len());
    let mut before = None;
    for (item, text) in page.items.iter().zip(own) {
        match texts.last_mut().filter(|_| before.is_some_and(|before| !ends(before, item))) {
            Some(passage) => {
                passage.push(' ');
                passage.push_str(text);
            }
            None => texts.push((*text).to_owned()),
        }
        places.push(texts.len() - 1);
        before = Some(item);
    }
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let ranked = shares(&wanted.rank(&texts));
    places.into_iter().map(|at| ranked.get(at).copied().unwrap_or(0.0)).collect()
}

/// Whether a passage ends between two items: at a blank line, another form or another owner.
fn ends(before: &Item<'_>, item: &Item<'_>) -> bool {
    before.white().matches('\n').nth(1).is_some() || before.form != item.form || before.owner != item.owner
}

/// An item's words under those of what it needs: a row with its head, a statement with its heading.
fn titled(page: &Page<'_>, own: &[&str], at: usize) -> String {
    let above = |of: &&usize| **of < at && page.items.get(**of).is_some_and(|item| !item.fixed);
    let bounded = |text: &'_ &str| text.len() <= LONGEST_TITLE;
    let needs = page.bonds.of(at).iter().filter(above).filter_map(|of| own.get(*of)).copied().filter(bounded);
    needs.take(MOST_TITLES).chain(own.get(at).copied()).collect::<Vec<_>>().join(". ")
}

/// What an item stands under is read up to so many items of it: an encoder reads no more anyway.
const MOST_TITLES: usize = 3;
/// Longer ones, in bytes, are left out: a head of a thousand columns is not read again for each row.
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
    let mut order: Vec<usize> = (0..own.len()).filter(|at| page.items.get(*at).is_some_and(means)).collect();
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
