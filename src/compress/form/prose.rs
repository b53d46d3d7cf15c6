//! Prose: whole statements, chosen; a statement never stands in fragments.

use super::{Block, Item, Reader, Reading};
use crate::compress::{bond::Bond, outcome::Noun, text::segment};

/// Reads a block into its statements.
pub(super) fn read<'a>(text: &'a str, block: &Block, _reader: &Reader<'_>) -> Reading<'a> {
    let part = text.get(block.span.clone()).unwrap_or_default();
    let mut reading = Reading::default();
    let mut heading = None;
    for segment in segment::segments(part) {
        let span = block.span.start + segment.span.start..block.span.start + segment.span.end;
        let stands = text.get(span.clone()).unwrap_or_default();
        let at = reading.items.len();
        let mut item = Item::whole(span, stands, block.form, Noun::Sentences);
        item.count = usize::from(stands.contains(char::is_alphanumeric));
        reading.items.push(item);
        if segment.form == segment::Form::Heading {
            heading = Some(at);
        } else if let Some(of) = heading {
            reading.bonds.push(Bond::Needs { item: at, of });
        }
    }
    reading
}
