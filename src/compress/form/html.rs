//! HTML that a tool fetched: the text that a reader would see, with links, headings, tables and fields, read as what it is.
//!
//! Whoever shows HTML in a message or reads it as a file works on its tags; there it is code.

mod entity;
mod page;

use std::borrow::Cow;

use super::{Block, Form, Item, Reader, Reading, block_read, code, detect, exact};
use crate::compress::bond::Bond;

/// Whether a text is an HTML document, or a part of one, and not a text that speaks of HTML.
#[must_use]
pub(super) fn is_document(content: &str) -> bool {
    let head = content.get(..content.floor_char_boundary(400)).unwrap_or(content).to_ascii_lowercase();
    let whole = head.starts_with("<!doctype html")
        || head.starts_with("<html")
        || (head.starts_with("<?xml") && head.contains("<html"));
    (whole && content.contains("</")) || (head.starts_with('<') && content.ends_with('>') && is_fragment(content))
}

/// Mostly tags that HTML has, those of text among them.
fn is_fragment(content: &str) -> bool {
    let (mut all, mut known, mut of_text) = (0_usize, 0_usize, 0_usize);
    for tag in content.split('<').skip(1).take(SAMPLE) {
        let name = tag.trim_start_matches('/').split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        let name = name.to_ascii_lowercase();
        all += 1;
        known += usize::from(KNOWN.contains(&name.as_str()));
        of_text += usize::from(matches!(name.as_str(), "p" | "li" | "td" | "h1" | "h2" | "h3" | "a"));
    }
    all >= 8 && known * 10 >= all * 9 && of_text >= 4
}

/// Reads a page: its text is read as a message of its own would be, each item with its place in the source.
pub(super) fn read<'a>(text: &'a str, block: &Block, reader: &Reader<'_>) -> Reading<'a> {
    if reader.query.call.is_none() {
        return if reader.may_lose() { code::read(text, block, reader) } else { exact::read(text, block) };
    }
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
    let white = item.text().get(item.text().trim_end().len()..).unwrap_or_default();
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
    let variants = item.variants.into_iter().enumerate().filter(|(at, variant)| *at == 0 || variant.lossless);
    let variants = variants
        .map(|(_, variant)| super::Variant { text: Cow::Owned(variant.text.into_owned()), ..variant })
        .collect();
    Item {
        span: item.span,
        form: Form::Html,
        variants,
        fixed: item.fixed && item.form != Form::Table,
        said: item.said.map(|of| of + by),
        salience: item.salience,
        owner: item.owner,
        noun: item.noun,
        count: item.count,
        ends: Some(ends),
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

/// Tags that are looked at.
const SAMPLE: usize = 400;

const KNOWN: &[&str] = &[
    "a",
    "abbr",
    "address",
    "article",
    "aside",
    "b",
    "blockquote",
    "body",
    "br",
    "button",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "div",
    "dl",
    "dt",
    "em",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "i",
    "iframe",
    "img",
    "input",
    "label",
    "legend",
    "li",
    "link",
    "main",
    "meta",
    "nav",
    "ol",
    "option",
    "p",
    "path",
    "pre",
    "s",
    "script",
    "section",
    "select",
    "small",
    "span",
    "strong",
    "style",
    "sub",
    "sup",
    "svg",
    "table",
    "tbody",
    "td",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "time",
    "title",
    "tr",
    "u",
    "ul",
    "video",
];
