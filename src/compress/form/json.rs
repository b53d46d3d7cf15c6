//! JSON, one value or one a line: like records become a table that says keys once; nested keys stand below their own.
//!
//! A value is written in another way only where that is shorter, and the other way loses nothing (see [`sheet`]). Under a
//! budget records go before keys, each whole or not at all, and never without the keys that say what its values are.
//! Where they wrap long texts, nothing goes (see [`texts`]).

mod place;
mod sheet;
mod texts;
mod tree;
mod walk;

use serde::de::IgnoredAny;

use super::{Block, Form, Item, Reader, Reading, Variant, exact};
use crate::compress::{Ratio, ask, bond::Bond, worth::weights::LEAST_SAVED};
use place::Places;
use tree::{Node, Value};
use walk::{At, Piece, Walk};

/// Whether a text is an object or an array that ends too early.
#[must_use]
pub(super) fn is_cut(text: &str) -> bool {
    text.starts_with(['{', '['])
        && text.len() >= SHORTEST_CUT
        && Node::parse(text, true).is_some_and(|node| match &node.value {
            Value::Object(pairs) => pairs.iter().any(|pair| !pair.node.is_cut()) || is_begun(pairs),
            Value::Array(items) => {
                items.len() > 1 || items.first().is_some_and(|item| !matches!(item.value, Value::Cut(_)))
            }
            _ => false,
        })
}

/// Whether the first value of an object holds something whole.
fn is_begun(pairs: &[tree::Pair<'_>]) -> bool {
    pairs.first().is_some_and(|pair| matches!(&pair.node.value, Value::Array(items) if items.len() > 1))
}

/// The length in bytes of the JSON value that the text begins with; how many bytes were read in vain where there is
/// none.
///
/// # Errors
/// When the text does not begin with a whole JSON value.
pub(super) fn value_length(text: &str) -> Result<usize, usize> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    match values.next() {
        Some(Ok(_)) => Ok(values.byte_offset()),
        Some(Err(error)) => {
            let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
            Err(before + error.column())
        }
        None => Err(text.len()),
    }
}

/// Reads a block into its keys and records.
pub(super) fn read<'a>(text: &'a str, block: &Block, reader: &Reader<'_>) -> Reading<'a> {
    let part = text.get(block.span.clone()).unwrap_or_default();
    let Some(values) = values(part, block.form) else { return exact::read(text, block) };
    let wrapped = texts::are_most(&values, reader.ratio);
    // A value in whose strings somebody speaks to the model.
    let all: Vec<_> = std::iter::once(0..part.len()).collect();
    let speaks = ask::unaddressed(part, all.clone()) != all;
    if (wrapped && reader.may_lose()) || speaks {
        return texts::read(text, block, &values, reader);
    }
    let whole = reader.tokens.count(part);
    let walk = |exact: bool| {
        let mut walk = Walk::new(reader, exact, part.len() as f32 / whole.max(1) as f32);
        let places = Places::source(0);
        match values.as_slice() {
            [node] if block.form == Form::Json => walk.value(At::root(&places, node.span.start), node),
            nodes => walk.records(&places, &nodes.iter().collect::<Vec<_>>()),
        }
        walk.pieces
    };
    let pieces = walk(false);
    let told: usize = pieces.iter().map(|piece| reader.tokens.count(&piece.text)).sum();
    if (told as f32) < (1.0 - LEAST_SAVED) * whole as f32 {
        return reading(text, block, &pieces, false);
    }
    match reader.ratio {
        _ if wrapped => texts::read(text, block, &values, reader),
        Ratio::Auto => exact::read(text, block),
        Ratio::By(_) => reading(text, block, &walk(true), true),
    }
}

/// Reads a file that a tool hands over in an object, `{"path": …, "content": …}`; nothing for any other text.
pub(super) fn file_within<'a>(text: &'a str, block: &Block, reader: &Reader<'_>) -> Option<Reading<'a>> {
    let part = text.get(block.span.clone()).filter(|part| part.trim_start().starts_with('{'))?;
    let values = [Node::parse(part, false)?];
    texts::are_most(&values, reader.ratio).then(|| texts::read(text, block, &values, reader))
}

/// The values of a block: one, or one a line.
fn values(part: &str, form: Form) -> Option<Vec<Node<'_>>> {
    if form == Form::Json {
        return Some(vec![Node::parse(part, true)?]);
    }
    let mut at = 0;
    let mut found = Vec::new();
    for line in part.split_inclusive('\n') {
        if !line.trim().is_empty() {
            let mut node = Node::parse(line, false)?;
            shift(&mut node, at);
            found.push(node);
        }
        at += line.len();
    }
    Some(found)
}

/// A value that stands so much further behind.
fn shift(node: &mut Node<'_>, by: usize) {
    node.span = node.span.start + by..node.span.end + by;
    match &mut node.value {
        Value::Array(items) => items.iter_mut().for_each(|item| shift(item, by)),
        Value::Object(pairs) => pairs.iter_mut().for_each(|pair| {
            pair.start += by;
            shift(&mut pair.node, by);
        }),
        Value::Scalar(_) | Value::Text(..) | Value::Cut(_) => {}
    }
}

/// Pieces as items: each stands for the source up to the next one, from the beginning of its line on.
fn reading<'a>(text: &'a str, block: &Block, pieces: &[Piece], exact: bool) -> Reading<'a> {
    let part = text.get(block.span.clone()).unwrap_or_default();
    let mut starts: Vec<usize> = pieces.iter().map(|piece| line_start(part, piece.start)).collect();
    if let Some(first) = starts.first_mut() {
        *first = 0;
    }
    let mut reading = Reading::default();
    for (number, piece) in pieces.iter().enumerate() {
        let (start, end) =
            (starts.get(number).copied().unwrap_or(0), starts.get(number + 1).copied().unwrap_or(part.len()));
        let span = block.span.start + start..block.span.start + end.max(start);
        let source = text.get(span.clone()).unwrap_or_default();
        let mut item = Item::whole(span, source, block.form, piece.noun);
        if !exact {
            let last = number + 1 == pieces.len();
            let placed =
                |told: &str| placed(told, number == 0 && begins_inside(text, block), last && !part.ends_with('\n'));
            item.variants = vec![Variant::lossless(placed(&piece.text))];
            item.variants.extend(piece.shorter.iter().map(|(told, keeps)| Variant::shorter(placed(told), *keeps)));
        }
        item.count = piece.count;
        item.salience = piece.salience;
        reading.items.push(item);
        reading.bonds.extend(piece.needs.iter().map(|of| Bond::Needs { item: number, of: *of }));
        reading.bonds.extend(piece.closes.map(|of| Bond::Together(number, of)));
    }
    reading
}

/// A piece's text where it stands: what begins on a line of prose begins a line of its own, and the last ends as the
/// block does.
fn placed(told: &str, begins_inside: bool, ends_inside: bool) -> String {
    let told = if ends_inside { told.strip_suffix('\n').unwrap_or(told) } else { told };
    if begins_inside { format!("\n{told}") } else { told.to_owned() }
}

fn begins_inside(text: &str, block: &Block) -> bool {
    text.get(..block.span.start).is_some_and(|before| !before.is_empty() && !before.ends_with('\n'))
}

/// Where the line of what begins at `at` begins, if only white space stands before it.
fn line_start(part: &str, at: usize) -> usize {
    let before = part.get(..at).unwrap_or_default();
    let bare = before.trim_end_matches([' ', '\t']);
    if bare.ends_with('\n') { bare.len() } else { at }
}

/// Shorter texts that are cut off are no JSON, in bytes.
const SHORTEST_CUT: usize = 160;

#[cfg(test)]
mod tests;
