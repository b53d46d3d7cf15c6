//! A JSON text as a tree that remembers where each value stands and how it was written.
//!
//! `serde_json::Value` would do but for what must survive: a key told twice, numbers as they were written, byte spans,
//! and what stands in a text that was cut off in the middle of a value.

use std::{borrow::Cow, ops::Range};

use crate::compress::fuel;

/// A value and its place in the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node<'a> {
    /// Byte span in the text.
    pub(super) span: Range<usize>,
    /// What it is.
    pub(super) value: Value<'a>,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    /// A number, `true`, `false` or `null`, as written.
    Scalar(&'a str),
    /// A string: as written, quotes included, and what it says.
    Text(&'a str, Cow<'a, str>),
    /// An array.
    Array(Vec<Node<'a>>),
    /// An object, in the order of the text.
    Object(Vec<Pair<'a>>),
    /// What is left of a value, or of a key with its value, where the text ends too early: as written.
    Cut(&'a str),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pair<'a> {
    /// Where the key begins.
    pub(super) start: usize,
    /// The key as it reads.
    pub(super) key: Cow<'a, str>,
    pub(super) node: Node<'a>,
}

impl<'a> Node<'a> {
    /// The tree of a text that is one JSON value, white space around it aside; of one that ends too early, as much as
    /// there is. Nothing for any other text.
    pub(super) fn parse(text: &'a str, may_be_cut: bool) -> Option<Self> {
        let mut reader = Reader { text, at: 0, depth: 0, may_be_cut, cut: false };
        let node = reader.value()?;
        let whole = reader.cut || reader.peek().is_none();
        whole.then_some(node)
    }

    /// The value without any white space around its parts, strings and numbers as they were written.
    pub(super) fn minified(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) {
        match &self.value {
            Value::Scalar(raw) | Value::Text(raw, _) | Value::Cut(raw) => out.push_str(raw),
            Value::Array(items) => {
                out.push('[');
                for (number, item) in items.iter().enumerate() {
                    if number > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                if !items.last().is_some_and(Self::is_cut) {
                    out.push(']');
                }
            }
            Value::Object(pairs) => {
                out.push('{');
                for (number, pair) in pairs.iter().enumerate() {
                    if number > 0 {
                        out.push(',');
                    }
                    if !matches!(pair.node.value, Value::Cut(_)) {
                        out.push_str(&quoted(&pair.key));
                        out.push(':');
                    }
                    pair.node.write(out);
                }
                if !pairs.last().is_some_and(|pair| pair.node.is_cut()) {
                    out.push('}');
                }
            }
        }
    }

    /// Whether the text ends inside it.
    pub(super) fn is_cut(&self) -> bool {
        match &self.value {
            Value::Cut(_) => true,
            Value::Array(items) => items.last().is_some_and(Self::is_cut),
            Value::Object(pairs) => pairs.last().is_some_and(|pair| pair.node.is_cut()),
            Value::Scalar(_) | Value::Text(..) => false,
        }
    }
}

/// A text as a JSON string, quotes included.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    may_be_cut: bool,
    /// Whether the end came too early.
    cut: bool,
}

/// The deepest nesting that is read, as serde_json has it: what recurses over a tree needs a stack that ends.
const DEEPEST: usize = 128;

/// The most bytes at the end of a text that may be no JSON: a value cut off, and a note that says so.
const LONGEST_REST: usize = 200;

impl<'a> Reader<'a> {
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn value(&mut self) -> Option<Node<'a>> {
        let first = self.peek()?;
        let start = self.at;
        if self.depth >= DEEPEST {
            return None;
        }
        fuel::step(1);
        self.depth += 1;
        let value = match first {
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' => self.string().map(|(raw, text)| Value::Text(raw, text)),
            _ => self.scalar(),
        };
        self.depth -= 1;
        Some(Node { span: start..self.at, value: value? })
    }

    /// What stands from `start` on, where the text may end too early.
    fn rest(&mut self, start: usize, begun: usize) -> Option<Value<'a>> {
        let open = self.text.get(begun..)?;
        // A long string may be cut off anywhere in it; other things that are no JSON are short, or this is none.
        let in_string = open.starts_with('"') && !closes(open);
        if !self.may_be_cut || self.cut || (open.len() > LONGEST_REST && !in_string) {
            return None;
        }
        self.cut = true;
        self.at = self.text.trim_end().len().max(start);
        Some(Value::Cut(self.text.get(start..self.at)?))
    }

    fn object(&mut self) -> Option<Value<'a>> {
        let mut pairs = Vec::new();
        self.at += 1;
        loop {
            let next = self.peek();
            if next == Some(b'}') && !self.cut {
                self.at += 1;
                return Some(Value::Object(pairs));
            }
            let goes_on = pairs.is_empty() || self.comma();
            let start = self.at;
            let Some((key, node)) = goes_on.then(|| self.pair()).flatten() else {
                // Below a value that was cut off nothing follows.
                let node = self.cut_node(start)?;
                pairs.push(Pair { start, key: Cow::Borrowed(""), node });
                return Some(Value::Object(pairs));
            };
            pairs.push(Pair { start, key, node });
            if self.cut {
                return Some(Value::Object(pairs));
            }
        }
    }

    fn pair(&mut self) -> Option<(Cow<'a, str>, Node<'a>)> {
        if self.peek()? != b'"' {
            return None;
        }
        let (_, key) = self.string()?;
        if self.peek()? != b':' {
            return None;
        }
        self.at += 1;
        Some((key, self.value()?))
    }

    fn array(&mut self) -> Option<Value<'a>> {
        let mut items = Vec::new();
        self.at += 1;
        loop {
            let next = self.peek();
            if next == Some(b']') && !self.cut {
                self.at += 1;
                return Some(Value::Array(items));
            }
            let goes_on = items.is_empty() || self.comma();
            let start = self.at;
            let item = match goes_on.then(|| self.value()).flatten() {
                Some(item) => item,
                None => self.cut_node(start)?,
            };
            items.push(item);
            if self.cut {
                return Some(Value::Array(items));
            }
        }
    }

    /// Steps over a comma and the white space after it.
    fn comma(&mut self) -> bool {
        let found = self.peek() == Some(b',');
        if found {
            self.at += 1;
            self.peek();
        }
        found
    }

    /// The node of what stands from `start` on where the text ends too early.
    fn cut_node(&mut self, start: usize) -> Option<Node<'a>> {
        let begun = self.at.min(self.text.len());
        let value = self.rest(start, begun)?;
        Some(Node { span: start..self.at, value })
    }

    /// A string; where it doesn't end, the place stays at its beginning.
    fn string(&mut self) -> Option<(&'a str, Cow<'a, str>)> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut end = start + 1;
        while *bytes.get(end)? != b'"' {
            end += if *bytes.get(end)? == b'\\' { 2 } else { 1 };
        }
        let raw = self.text.get(start..end + 1)?;
        let inner = self.text.get(start + 1..end)?;
        let plain = !inner.bytes().any(|byte| byte == b'\\' || byte < b' ');
        let text = if plain { Cow::Borrowed(inner) } else { Cow::Owned(serde_json::from_str(raw).ok()?) };
        fuel::step(raw.len());
        self.at = end + 1;
        Some((raw, text))
    }

    fn scalar(&mut self) -> Option<Value<'a>> {
        let rest = self.text.get(self.at..)?;
        let length = rest.find([',', ']', '}', ' ', '\n', '\r', '\t']).unwrap_or(rest.len());
        let raw = rest.get(..length)?;
        let at_end = self.may_be_cut && length == rest.len() && self.depth > 1;
        let known = matches!(raw, "true" | "false" | "null") || is_number(raw);
        if !known || at_end {
            return None;
        }
        self.at += length;
        Some(Value::Scalar(raw))
    }
}

/// Whether a JSON string that begins the text ends in it.
fn closes(text: &str) -> bool {
    let mut bytes = text.bytes().skip(1);
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return true,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
    false
}

/// Whether a word is written as JSON writes numbers.
pub(super) fn is_number(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let word = word.strip_prefix('-').unwrap_or(word);
    let (mantissa, exponent) =
        word.split_once(['e', 'E']).map_or((word, None), |(before, after)| (before, Some(after)));
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(before, after)| (before, Some(after)));
    digits(whole)
        && (whole.len() == 1 || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_says_what_the_text_says() {
        let text = r#" { "a" : [ 1.50, -0e3, "x\"\u00e9" , {} ] , "b" : null , "c": [], "a": 1 } "#;
        let node = Node::parse(text, false).unwrap();
        assert_eq!(node.minified(), r#"{"a":[1.50,-0e3,"x\"\u00e9",{}],"b":null,"c":[],"a":1}"#);
        assert_eq!(text.get(node.span), Some(text.trim()));
    }

    #[test]
    fn what_is_no_json_has_no_tree() {
        for text in [r#"{"a":1,"#, "[1 2]", r#"{"a" 1}"#, "[1]]", "[01]", "[1.]", "[nul]", "[1,2] and more", "{a: 1}"] {
            assert_eq!(Node::parse(text, false), None, "{text}");
        }
    }

    #[test]
    fn a_text_that_ends_too_early_is_read_as_far_as_it_goes() {
        for (text, told) in [
            (r#"{"a": [{"b": 1}, {"b": 2"#, r#"{"a":[{"b":1},{"b": 2"#),
            (r#"{"a": [{"b": 1}, {"b": "so on"#, r#"{"a":[{"b":1},{"b": "so on"#),
            (r#"{"a": [{"b": 1}, {"b": 2}"#, r#"{"a":[{"b":1},{"b":2},"#),
            (r#"[1, 2, 3... [truncated]"#, "[1,2,3... [truncated]"),
        ] {
            let node = Node::parse(text, true).unwrap();
            assert!(node.is_cut());
            assert_eq!(node.minified().trim_end_matches(','), told.trim_end_matches(','));
            assert_eq!(Node::parse(text, false), None);
        }
        assert_eq!(Node::parse(&format!("[1, 2, {}", "word ".repeat(200)), true), None);
        assert!(Node::parse(&format!("[1, 2, \"{}", "word ".repeat(200)), true).is_some());
    }

    #[test]
    fn what_is_nested_without_end_has_no_tree() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Node::parse(&nested(100), false).is_some());
        assert_eq!(Node::parse(&nested(200_000), false), None);
        assert_eq!(Node::parse(&"[".repeat(100_000), true), None);
    }
}
