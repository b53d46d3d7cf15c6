//! JSON that wraps texts: what a command printed (`{"output": …}`), pages that were fetched, passages that were found.
//!
//! Such a string could only be left out whole, with all that it says: what is left of `{"output": "2,000 lines",
//! "exit_code": 1}` would be the exit code. Where a budget has room for a few of them, rows are chosen; otherwise they
//! stand as they are.

use super::tree::{Node, Value};
use crate::compress::{Ratio, fuel, worth::weights::FEW_ROWS};

/// Whether most of what the values hold is texts, each so long that a few of them don't fit into what the ratio leaves.
pub(super) fn are_most(values: &[Node<'_>], ratio: Ratio) -> bool {
    let Ratio::By(factor) = ratio else { return false };
    let all: usize = values.iter().map(|value| value.span.len()).sum();
    let long = ((all as f32 / factor.value()) as usize / FEW_ROWS).max(LONG);
    values.iter().map(|value| bytes(value, long, DEEPEST)).sum::<usize>() * 2 > all
}

/// Bytes of the texts within a value that are so long, as they are written.
fn bytes(node: &Node<'_>, long: usize, depth: usize) -> usize {
    let Some(depth) = depth.checked_sub(1) else { return 0 };
    match &node.value {
        Value::Object(pairs) => pairs.iter().map(|pair| bytes(&pair.node, long, depth)).sum(),
        Value::Array(items) => items.iter().map(|item| bytes(item, long, depth)).sum(),
        Value::Text(raw, text) if raw.len() >= long => {
            fuel::step(raw.len());
            let inner = text.starts_with(['{', '[']).then(|| Node::parse(text, false)).flatten();
            match inner {
                Some(inner) => bytes(&inner, long, depth),
                None if is_said(text) => raw.len(),
                None => 0,
            }
        }
        Value::Cut(raw) if raw.len() >= long && is_said(raw) => raw.len(),
        Value::Text(..) | Value::Scalar(_) | Value::Cut(_) => 0,
    }
}

/// Whether a string has words: white space between them, or letters of scripts that need none. Base64, hashes and keys
/// don't.
fn is_said(text: &str) -> bool {
    let words = text.bytes().filter(|byte| byte.is_ascii_whitespace() || !byte.is_ascii()).count();
    words * LONGEST_WORD >= text.len()
}

/// Shorter strings are values among others: a row may lack them. In bytes, about 256 tokens.
const LONG: usize = 1024;

/// Bytes of a word on average, at most; lines of base64 have 64 and more.
const LONGEST_WORD: usize = 32;

/// Values within more arrays and objects are not looked at.
const DEEPEST: usize = 16;
