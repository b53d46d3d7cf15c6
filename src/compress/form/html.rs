//! HTML that a tool fetched: the text that a reader would see, with links, headings, tables and fields, read as what it is.
//!
//! Whoever shows HTML in a message or reads it as a file works on its tags; there it is code.

mod entity;
mod page;

use super::{Block, Form, Item, Reader, Reading, block_read, detect, exact};
use crate::compress::bond::Bond;

/// Reads a page: its text is read as a message of its own would be, each item with its place in the source.
pub(super) fn read<'a>(text: &'a str, block: &Block, reader: &Reader<'_>) -> Reading<'a> {
    let page = page::read(text.get(block.span.clone()).unwrap_or_default());
    if page.text.is_empty() {
        return exact::read(text, block);
    }
    let mut reading: Reading<'a> = Reading::default();
    for inner in detect::blocks(&page.text, 0..page.text.len(), reader.query) {
        // A page within a page is no page.
        let inner = if inner.form == Form::Html { Block { form: Form::Prose, ..inner } } else { inner };
        let read = block_read(&page.text, &inner, reader);
        let by = reading.items.len();
        reading.bonds.extend(read.bonds.into_iter().map(|bond| bond.shifted(by)));
        reading.items.extend(read.items.into_iter().map(|item| owned(item, by)));
    }
    headed(&mut reading);
    let starts: Vec<usize> = reading.items.iter().map(|item| block.span.start + page.source(item.span.start)).collect();
    for (at, item) in reading.items.iter_mut().enumerate() {
        let start = if at == 0 { block.span.start } else { starts.get(at).copied().unwrap_or(block.span.end) };
        let end = starts.get(at + 1).copied().unwrap_or(block.span.end);
        item.span = start..end.max(start);
    }
    reading
}

/// An item of the page's text as one of the source, with its place in the text for the time being.
fn owned<'a>(item: Item<'_>, by: usize) -> Item<'a> {
    let white = item.white();
    let ends = if white.contains("\n\n") {
        "\n\n"
    } else if white.contains('\n') {
        "\n"
    } else if white.is_empty() {
        ""
    } else {
        " "
    };
    // No shorter form is checked against the source's tags.
    let mut item = item.into_owned();
    let mut first = true;
    item.variants.retain(|variant| std::mem::take(&mut first) || variant.lossless);
    Item {
        form: Form::Html,
        fixed: item.fixed && item.form != Form::Table,
        said: item.said.map(|of| of + by),
        ends: Some(ends),
        ..item
    }
}

/// What stands below a heading needs it, whatever block it is of.
fn headed(reading: &mut Reading<'_>) {
    let mut open: Vec<(usize, usize)> = Vec::new();
    for (at, item) in reading.items.iter().enumerate() {
        let level = item.text().len() - item.text().trim_start_matches('#').len();
        let heading = (1..=6).contains(&level) && item.text().get(level..).is_some_and(|rest| rest.starts_with(' '));
        while heading && open.last().is_some_and(|(of, _)| *of >= level) {
            open.pop();
        }
        if let Some((_, of)) = open.last() {
            reading.bonds.push(Bond::Needs { item: at, of: *of });
        }
        if heading {
            open.push((level, at));
        }
    }
}
