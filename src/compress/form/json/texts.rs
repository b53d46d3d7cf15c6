//! JSON that wraps texts: what a command printed (`{"output": …}`), pages that were fetched, passages that were found.
//!
//! Such a string could only be left out whole, with all that it says: what is left of `{"output": "2,000 lines",
//! "exit_code": 1}` would be the exit code. Where a budget has room for a few of them, rows are chosen; otherwise each is
//! read as the text that it is, and what is chosen of it stands within its quotes: the whole is JSON as it was.

use std::{borrow::Cow, ops::Range};

use super::{
    place::Places,
    tree::{Node, Value},
};
use crate::compress::{
    Ratio, ask,
    form::{Block, Item, Reader, Reading, read_parts},
    fuel,
    worth::weights::FEW_ROWS,
};

/// Whether most of what the values hold is texts, each so long that a few of them don't fit into what the ratio leaves.
pub(super) fn are_most(values: &[Node<'_>], ratio: Ratio) -> bool {
    let all: usize = values.iter().map(|value| value.span.len()).sum();
    let share = match ratio {
        Ratio::By(factor) => all as f32 / factor.value(),
        Ratio::Auto => 0.0,
    };
    // A row is longer than the text in it.
    let long = (share as usize / (FEW_ROWS + 1)).max(LONG);
    let (source, mut bytes) = (Places::source(0), 0);
    for value in values {
        each(value, &source, long, DEEPEST, &mut |_, raw, _, _| bytes += raw.len());
    }
    bytes * 2 > all
}

/// Reads the texts as what they are; all around them stays.
pub(super) fn read<'a>(text: &'a str, block: &Block, values: &[Node<'_>], reader: &Reader<'_>) -> Reading<'a> {
    let mut reading = Reading::default();
    let around = |span: Range<usize>| {
        let part = text.get(span.clone()).filter(|part| !part.is_empty())?;
        Some(Item::fixed(span, part, block.form))
    };
    let source = Places::source(block.span.start);
    let mut at = block.span.start;
    let mut read = |start: usize, raw: &str, says: &str, places: &Places<'_>| {
        let places = places.within(start, raw);
        reading.items.extend(around(at..places.at(0)));
        at = places.at(says.len());
        let by = reading.items.len();
        let (mut items, mut bonds) = (Vec::new(), Vec::new());
        let material = ask::unaddressed(says, std::iter::once(0..says.len()).collect());
        read_parts(says, material, reader, &mut items, &mut bonds);
        reading.items.extend(items.into_iter().map(|item| within(item, &places, by)));
        reading.bonds.extend(bonds.into_iter().map(|bond| bond.shifted(by)));
    };
    for value in values {
        each(value, &source, LONG, DEEPEST, &mut read);
    }
    reading.items.extend(around(at..block.span.end));
    reading
}

/// An item of what a string says as one of the source.
fn within<'a>(item: Item<'_>, places: &Places<'_>, by: usize) -> Item<'a> {
    Item {
        span: places.at(item.span.start)..places.at(item.span.end),
        said: item.said.map(|of| of + by),
        escaped: item.escaped + places.depth(),
        ..item.into_owned()
    }
}

/// Visits the texts within a value that are so long: where their quotes open, how they are written, quotes included, what
/// they say, and where that is in the source.
fn each(
    node: &Node<'_>,
    places: &Places<'_>,
    long: usize,
    depth: usize,
    visit: &mut impl FnMut(usize, &str, &str, &Places<'_>),
) {
    let Some(depth) = depth.checked_sub(1).filter(|_| node.span.len() >= long) else { return };
    match &node.value {
        Value::Object(pairs) => pairs.iter().for_each(|pair| each(&pair.node, places, long, depth, visit)),
        Value::Array(items) => items.iter().for_each(|item| each(item, places, long, depth, visit)),
        Value::Text(raw, text) => {
            fuel::step(raw.len());
            let inner = text.starts_with(['{', '[']).then(|| Node::parse(text, false)).flatten();
            match inner {
                Some(inner) => each(&inner, &places.within(node.span.start, raw), long, depth, visit),
                None if is_said(text) => visit(node.span.start, raw, text, places),
                None => {}
            }
        }
        Value::Cut(raw) => {
            fuel::step(raw.len());
            let string = opens(raw).and_then(|open| Some((open, whole_escapes(raw.get(open + 1..)?)?)));
            if let Some((open, says)) = string.filter(|(_, says)| says.len() >= long && is_said(says)) {
                visit(node.span.start + open, raw.get(open..).unwrap_or_default(), &says, places);
            }
        }
        Value::Scalar(_) => {}
    }
}

/// Where the string opens in which a value ends too early: behind its key, if it has one.
fn opens(cut: &str) -> Option<usize> {
    let mut values = serde_json::Deserializer::from_str(cut).into_iter::<Cow<'_, str>>();
    let Some(Ok(_)) = values.next() else { return cut.starts_with('"').then_some(0) };
    let value = cut.get(values.byte_offset()..)?.trim_start().strip_prefix(':')?.trim_start();
    value.starts_with('"').then_some(cut.len() - value.len())
}

/// What a string says that ends too early, perhaps within an escape.
fn whole_escapes(inside: &str) -> Option<String> {
    let string = |inside: &str| serde_json::from_str(&format!("\"{inside}\"")).ok();
    string(inside).or_else(|| string(inside.get(..inside.rfind('\\')?)?))
}

/// Whether a string has words: white space between them, or letters of scripts that need none. Base64, hashes and keys
/// don't.
fn is_said(text: &str) -> bool {
    let words = text.bytes().filter(|byte| byte.is_ascii_whitespace() || !byte.is_ascii()).count();
    words * LONGEST_WORD >= text.len()
}

/// Shorter strings are values among others: a row may lack them. In bytes: two sentences, or about 64 tokens.
const LONG: usize = 256;

/// Bytes of a word on average, at most; lines of base64 have 64 and more.
const LONGEST_WORD: usize = 32;

/// Values within more arrays and objects are not looked at.
const DEEPEST: usize = 16;
