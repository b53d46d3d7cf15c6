//! Worth: what an item is worth to whoever reads the text.
//!
//! One unit, one formula: the information of its words (how surprising they are, in nats), less what was said before,
//! times its relevance to what is asked. Every number in it stands in [`weights`].

mod information;
mod redundancy;
mod relevance;
pub(super) mod weights;

use super::{
    ask::Wanted,
    form::{Form, Item, Page},
    outcome::Redundancy,
    policy::Kinds,
    rewrite::{RewriteError, Rewriter},
    text::{
        atoms::{AtomKind, Scan},
        lexicon::light_modal,
    },
};
use weights::{ANSWER, BINDS, FOLLOWS};

/// What an item is worth, and of what it is made up.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Worth {
    /// Information times relevance times salience.
    pub(super) value: f32,
    /// How much of it is said elsewhere.
    pub(super) redundancy: Redundancy,
}

/// The worth of each item of a page. `kinds` says which redundancy counts; `room` is the target tokens that the ratio
/// leaves to what is not fixed, by which it is decided how many items a model is asked about.
///
/// # Errors
/// What `model` reports.
pub(super) fn weigh(
    page: &Page<'_>,
    wanted: &Wanted,
    kinds: Kinds,
    room: usize,
    model: Option<&mut dyn Rewriter>,
) -> Result<Vec<Worth>, RewriteError> {
    let information = information::information(page, kinds.lexical);
    let copied = copied(page);
    // A row that answers is short beside a sentence that half answers.
    let rows = page.items.iter().any(|item| item.form == Form::Table && !item.fixed);
    let power = if rows && !wanted.is_empty() { ANSWER } else { 1.0 };
    let leads = leads(page, wanted.is_empty());
    let unasked = page.items.iter().zip(&information).zip(&copied).zip(leads).map(|(((item, told), copied), lead)| {
        let new = if kinds.structural { 1.0 - copied } else { 1.0 };
        told.nats.powf(power) * item.salience * binding(item) * new * lead
    });
    let unasked: Vec<f32> = unasked.collect();
    let relevance = relevance::relevance(page, wanted, &unasked, room, model)?;
    let parts = unasked.into_iter().zip(relevance).zip(information).zip(copied);
    let worth = |(((unasked, relevance), told), copied): (((f32, f32), information::Told), f32)| Worth {
        value: unasked * relevance,
        redundancy: Redundancy { lexical: told.said, structural: copied },
    };
    Ok(parts.map(worth).collect())
}

/// What each statement is worth by its place: the first of a paragraph says what the others are about. All are worth the
/// same where a question tells them apart.
fn leads(page: &Page<'_>, fades: bool) -> Vec<f32> {
    let mut ended = true;
    let mut place = |item: &Item<'_>| {
        let stated = item.form == Form::Prose && item.count > 0;
        let first = ended || !stated;
        ended = !stated || item.white().contains('\n');
        if first { 1.0 } else { FOLLOWS }
    };
    page.items.iter().map(|item| if fades { place(item) } else { 1.0 }).collect()
}

/// What a statement is worth for what it does.
fn binding(item: &Item<'_>) -> f32 {
    let stated = matches!(item.form, Form::Prose | Form::Html) && !item.fixed && item.salience > 0.0;
    if stated && binds(item.text()) { BINDS } else { 1.0 }
}

/// Whether a statement forbids, obliges, excepts or denies: what a reader must not miss.
fn binds(statement: &str) -> bool {
    let turns = |kind: AtomKind, key: &str| match kind {
        AtomKind::Negation => true,
        AtomKind::Modal => !light_modal(key),
        _ => false,
    };
    Scan::new(statement).found.iter().any(|found| turns(found.kind, &found.key))
}

/// For each item how much of it another one of the same owner says, 0–1.
fn copied(page: &Page<'_>) -> Vec<f32> {
    let compared = |item: &Item<'_>| !item.fixed && item.text().len() <= MOST_SHINGLED;
    let texts: Vec<&str> = page.items.iter().map(|item| if compared(item) { item.text() } else { "" }).collect();
    let owner = |at: usize| page.items.get(at).map(|item| item.owner);
    let repeats = redundancy::repeats(&texts).into_iter().enumerate();
    repeats.map(|(at, repeat)| repeat.filter(|repeat| owner(repeat.of) == owner(at)).map_or(0.0, |r| r.share)).collect()
}

/// Bytes of the longest item that is looked for in others.
const MOST_SHINGLED: usize = 4_000;
