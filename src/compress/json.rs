//! JSON: white space goes, arrays of like objects become tables, and a budget drops rows and keys that nobody asked for.
//!
//! Only texts that a parser accepts are touched; a broken or truncated one, one with a key told twice and one nested
//! past the parser's depth stay as they are.

mod cut;
mod form;
mod rows;
mod tree;

use serde::de::IgnoredAny;

use super::{
    CountTokens, Relevance,
    content::{Budget, Kind, Rendered},
};
use form::Document;

pub use tree::Node;

/// Whether the whole text is one JSON value.
#[must_use]
pub fn is_value(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
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

/// Condenses a block of one JSON value, or of one value a line.
pub(super) fn render(
    block: &str,
    kind: Kind,
    ask: &Relevance,
    budget: Budget,
    tokens: &dyn CountTokens,
) -> Option<Rendered> {
    let before = block.len() - block.trim_start().len();
    let content = block.trim();
    let text = if kind == Kind::JsonLines { lines_as_array(content) } else { content.to_owned() };
    let node = Node::parse(&text)?;
    let end = before + content.len();
    let (lead, tail) = (block.get(..before)?, block.get(end..)?);
    let document = Document::of(&node);
    let (table, minified) = (document.text(), node.minified());
    let shorter =
        if document.is_readable() && tokens.count(&table) <= tokens.count(&minified) { table } else { minified };
    let whole = format!("{lead}{shorter}{tail}");
    let count = tokens.count(&whole);
    if count <= budget.most() {
        return Some(Rendered::reformed(block, kind, whole, "the same without repeated keys", tokens));
    }
    let room = budget.most().saturating_sub(tokens.count(lead) + tokens.count(tail));
    // The bracket that was put in front of lines shifts all spans by one.
    let shift = usize::from(kind == Kind::JsonLines);
    let cut = cut::cut(&document, ask, room, tokens);
    Some(cut.rendered(block, kind, before..end, shift, tokens))
}

/// Lines of JSON as one array of the same length, so that spans stay right.
fn lines_as_array(content: &str) -> String {
    let mut text = String::from("[");
    text.push_str(&content.replace('\n', ","));
    text.push(']');
    text
}

#[cfg(test)]
mod tests;
