//! What is exact: one item that stands at every ratio.

use super::{Block, Item, Reading};

/// Reads a block of which nothing may change.
pub(super) fn read<'a>(text: &'a str, block: &Block) -> Reading<'a> {
    let part = text.get(block.span.clone()).unwrap_or_default();
    Reading { items: vec![Item::fixed(block.span.clone(), part, block.form)], bonds: Vec::new() }
}
