//! A JSON text as a tree that remembers where each value stands and how it was written.
//!
//! `serde_json::Value` would do but for two things that must survive: a key told twice, and byte spans for the report.
//! The text has been accepted by `serde_json` before, which also bounds the depth.

use std::{borrow::Cow, collections::HashSet, ops::Range};

use super::is_value;

/// A value and its place in the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Node<'a> {
    /// Byte span in the text.
    pub span: Range<usize>,
    /// What it is.
    pub value: Value<'a>,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// A number, `true`, `false` or `null`, as written.
    Scalar(&'a str),
    /// A string: as written, quotes included, and what it says.
    Text(&'a str, Cow<'a, str>),
    /// An array.
    Array(Vec<Node<'a>>),
    /// An object, in the order of the text; keys as they read.
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
}

impl<'a> Node<'a> {
    /// The tree of a text that is one JSON value; nothing for any other text, and for one that tells a key twice.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        if !is_value(text) {
            return None;
        }
        Reader { text, at: 0, depth: 0 }.value()
    }

    /// The value without any white space around its parts, strings and numbers as they were written.
    #[must_use]
    pub fn minified(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) {
        match &self.value {
            Value::Scalar(raw) | Value::Text(raw, _) => out.push_str(raw),
            Value::Array(items) => {
                out.push('[');
                for (number, item) in items.iter().enumerate() {
                    if number > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Value::Object(pairs) => {
                out.push('{');
                for (number, (key, item)) in pairs.iter().enumerate() {
                    if number > 0 {
                        out.push(',');
                    }
                    out.push_str(&quoted(key));
                    out.push(':');
                    item.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// A text as a JSON string, quotes included.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Reads text that is known to be valid; `None` only for a key told twice and for one that is nested too deep.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

/// The deepest nesting that is read, as serde_json has it: what recurses over a tree needs a stack that ends.
const DEEPEST: usize = 128;

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
        self.depth += 1;
        let value = match first {
            b'{' => self.object()?,
            b'[' => self.array()?,
            b'"' => {
                let (raw, text) = self.string()?;
                Value::Text(raw, text)
            }
            _ => Value::Scalar(self.scalar()?),
        };
        self.depth -= 1;
        Some(Node { span: start..self.at, value })
    }

    fn object(&mut self) -> Option<Value<'a>> {
        let (mut pairs, mut seen) = (Vec::new(), HashSet::new());
        self.at += 1;
        while self.peek()? != b'}' {
            if self.peek()? == b',' {
                self.at += 1;
                self.peek()?;
            }
            let (_, key) = self.string()?;
            self.peek()?;
            self.at += 1;
            let value = self.value()?;
            if !seen.insert(key.clone()) {
                return None;
            }
            pairs.push((key, value));
        }
        self.at += 1;
        Some(Value::Object(pairs))
    }

    fn array(&mut self) -> Option<Value<'a>> {
        let mut items = Vec::new();
        self.at += 1;
        while self.peek()? != b']' {
            if self.peek()? == b',' {
                self.at += 1;
            }
            items.push(self.value()?);
        }
        self.at += 1;
        Some(Value::Array(items))
    }

    fn string(&mut self) -> Option<(&'a str, Cow<'a, str>)> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut end = start + 1;
        while *bytes.get(end)? != b'"' {
            end += if *bytes.get(end)? == b'\\' { 2 } else { 1 };
        }
        self.at = end + 1;
        let raw = self.text.get(start..self.at)?;
        let inner = self.text.get(start + 1..end)?;
        let text =
            if inner.contains('\\') { Cow::Owned(serde_json::from_str(raw).ok()?) } else { Cow::Borrowed(inner) };
        Some((raw, text))
    }

    fn scalar(&mut self) -> Option<&'a str> {
        let start = self.at;
        let rest = self.text.get(start..)?;
        let length = rest.find([',', ']', '}', ' ', '\n', '\r', '\t']).unwrap_or(rest.len());
        self.at = start + length;
        rest.get(..length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_says_what_the_text_says() {
        let text = r#" { "a" : [ 1.50, -0e3, "x\"\u00e9" , {} ] , "b" : null , "c": [] } "#;
        let node = Node::parse(text).unwrap();
        assert_eq!(node.minified(), r#"{"a":[1.50,-0e3,"x\"\u00e9",{}],"b":null,"c":[]}"#);
        assert_eq!(text.get(node.span), Some(text.trim()));
    }

    #[test]
    fn a_key_told_twice_and_broken_text_have_no_tree() {
        assert_eq!(Node::parse(r#"{"a":1,"a":2}"#), None);
        assert_eq!(Node::parse(r#"{"a":1,"#), None);
        assert_eq!(Node::parse(&"[".repeat(100_000)), None);
    }

    #[test]
    fn what_is_nested_without_end_has_no_tree() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Node::parse(&nested(100)).is_some());
        assert_eq!(Node::parse(&nested(200_000)), None);
    }
}
