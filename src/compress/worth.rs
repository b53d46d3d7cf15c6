//! Worth: what an item is worth to whoever reads the text.
//!
//! One unit, one formula: the information of its words (how surprising they are, in nats), less what was said before,
//! times its relevance to what is asked. Every number in it stands in [`weights`].

mod information;
pub mod redundancy;
mod relevance;
pub(super) mod weights;

use super::{
    ask::Wanted,
    form::Page,
    outcome::Redundancy,
    rewrite::{RewriteError, Rewriter},
};

/// What an item is worth, and of what it is made up.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Worth {
    /// Information times relevance times salience.
    pub(super) value: f32,
    /// How much of it is said elsewhere.
    pub(super) redundancy: Redundancy,
}

/// The worth of each item of a page.
///
/// # Errors
/// What `model` reports.
pub(super) fn weigh(
    page: &Page<'_>,
    wanted: &Wanted,
    model: Option<&mut dyn Rewriter>,
) -> Result<Vec<Worth>, RewriteError> {
    let information = information::information(page);
    let relevance = relevance::relevance(page, wanted, model)?;
    let worth = |((item, told), relevance): ((&super::form::Item<'_>, information::Told), f32)| Worth {
        value: told.nats * relevance * item.salience,
        redundancy: Redundancy { lexical: told.said, ..Redundancy::default() },
    };
    Ok(page.items.iter().zip(information).zip(relevance).map(worth).collect())
}
