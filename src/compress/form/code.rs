//! Code, settings and diffs: exact, line by line; under a budget whole runs of lines are left out, marked.

use super::{Block, Item, Reader, Reading};
use crate::compress::outcome::Noun;

/// Reads a block into its lines.
pub(super) fn read<'a>(text: &'a str, block: &Block, _reader: &Reader<'_>) -> Reading<'a> {
    let part = text.get(block.span.clone()).unwrap_or_default();
    let mut at = block.span.start;
    let items = part
        .split_inclusive('\n')
        .map(|line| {
            at += line.len();
            let mut item = Item::whole(at - line.len()..at, line, block.form, Noun::Lines);
            item.count = usize::from(!line.trim().is_empty());
            item
        })
        .collect();
    Reading { items, bonds: Vec::new() }
}
