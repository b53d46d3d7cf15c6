//! Reading JSON without losing where it stood: every value is a slice of the body.
//!
//! A body is checked once, from end to end. What is taken out of it afterwards is known to be valid, so that only quotes,
//! brackets and commas are looked for.

mod unescape;

use std::{borrow::Cow, ops::Range};

use serde_json::value::RawValue;

/// A value of a text that is valid JSON, without the white space around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Raw<'a>(&'a str);

/// The fields of an object in their order, duplicates included; a key is borrowed where it has no escapes.
#[derive(Debug)]
pub(super) struct Object<'a>(Vec<(Cow<'a, str>, Raw<'a>)>);

/// Two readers may take different values for this field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ambiguous;

impl<'a> Object<'a> {
    /// The one value of a field; `None` where the field is absent or `null`.
    ///
    /// A field is ambiguous when it stands there twice, and when it is written in another case, because some readers
    /// (Go's standard library is one) take `Content` for `content`.
    pub(super) fn field(&self, name: &str) -> Result<Option<Raw<'a>>, Ambiguous> {
        let mut alike = self.0.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        match (alike.next(), alike.next()) {
            (None, _) => Ok(None),
            (Some((key, value)), None) if key == name => Ok(Some(*value).filter(|value| value.get() != "null")),
            _ => Err(Ambiguous),
        }
    }

    /// The first fields, as far as all readers agree on them.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, Raw<'a>)> {
        let agreed = self.0.iter().take(MOST_FIELDS).filter(|(key, _)| self.field(key).is_ok());
        agreed.map(|(key, value)| (&**key, *value))
    }

    /// Whether the field is there, in whatever case and number and with whatever value.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key.eq_ignore_ascii_case(name))
    }
}

impl<'a> Raw<'a> {
    /// The one value that `text` is; `None` when it is no JSON, or more than one value.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        serde_json::from_str::<&RawValue>(text).ok().map(|value| Self(value.get()))
    }

    /// As it is written.
    pub(super) fn get(self) -> &'a str {
        self.0
    }

    /// Whether it is a string.
    pub(super) fn is_string(self) -> bool {
        self.0.starts_with('"')
    }

    /// The fields of the object that it is; `None` when it is something else or a key is no valid string.
    pub(super) fn object(self) -> Option<Object<'a>> {
        let mut inside = self.inside('{')?;
        let mut fields = Vec::new();
        while let Some(key) = inside.value() {
            fields.push((key.string()?, inside.value()?));
        }
        Some(Object(fields))
    }

    /// The items of the list that it is; `None` when it is something else.
    pub(super) fn array(self) -> Option<Vec<Self>> {
        let mut inside = self.inside('[')?;
        Some(std::iter::from_fn(|| inside.value()).collect())
    }

    /// The string that it is, unescaped; `None` when it is something else or no Rust string can hold it.
    pub(super) fn string(self) -> Option<Cow<'a, str>> {
        let literal = self.0.strip_prefix('"')?.strip_suffix('"')?;
        unescape::unescaped(literal)
    }

    /// The string that it is, or the strings of the list that it is.
    pub(super) fn strings(self) -> Vec<String> {
        match self.string() {
            Some(text) => vec![text.into_owned()],
            None => {
                self.array().unwrap_or_default().into_iter().filter_map(Self::string).map(Cow::into_owned).collect()
            }
        }
    }

    /// Where it stands in the body that it was read from.
    pub(super) fn span(self, body: &str) -> Option<Range<usize>> {
        let start = self.0.as_ptr().addr().checked_sub(body.as_ptr().addr())?;
        let span = start..start + self.0.len();
        body.get(span.clone()).map(|_| span)
    }

    fn inside(self, open: char) -> Option<Inside<'a>> {
        self.0.strip_prefix(open).map(Inside)
    }
}

/// Fields of one object that are looked at without being asked for by name; each is compared with all.
const MOST_FIELDS: usize = 64;

/// What follows in an object or a list.
struct Inside<'a>(&'a str);

impl<'a> Inside<'a> {
    /// The next key or value; `None` at the end.
    fn value(&mut self) -> Option<Raw<'a>> {
        // What parts two values: the text is valid, so that nothing else can stand there.
        let rest = self.0.trim_start_matches([' ', '\n', '\r', '\t', ',', ':']);
        let (value, rest) = rest.split_at_checked(length(rest.as_bytes()))?;
        self.0 = rest;
        (!value.is_empty()).then_some(Raw(value))
    }
}

/// The length of the value that a text begins with; 0 at the end of a list or object.
fn length(text: &[u8]) -> usize {
    match text.first() {
        Some(b'"') => string(text),
        Some(b'{' | b'[') => nested(text),
        _ => text.iter().position(|byte| b",]} \n\r\t".contains(byte)).unwrap_or(text.len()),
    }
}

/// The length of the list or object that a text begins with.
fn nested(text: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                at += string(text.get(at..).unwrap_or_default());
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of the string that a text begins with, both quotes included.
fn string(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(next) = text.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        if text.get(at + next) == Some(&b'"') {
            return at + next + 1;
        }
        at += next + 2;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// The same value, put together again from its parts.
    fn rebuilt(value: Raw<'_>) -> Value {
        if let Some(object) = value.object() {
            return object.0.into_iter().map(|(key, value)| (key.into_owned(), rebuilt(value))).collect();
        }
        match value.array() {
            Some(items) => items.into_iter().map(rebuilt).collect(),
            None if value.is_string() => Value::String(value.string().unwrap().into_owned()),
            None => serde_json::from_str(value.get()).unwrap(),
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let text = "[a-z\"\\\\{}\\[\\],: \n\u{1}é😀]{0,12}";
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            text.prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 48, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(text, inner, 0..6).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_value_is_found_in_its_place(value in values()) {
            for body in [serde_json::to_string(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap()] {
                prop_assert_eq!(rebuilt(Raw::read(&body).unwrap()), value.clone());
            }
        }
    }

    #[test]
    fn what_is_no_single_value_is_not_read() {
        for text in ["", "{", "[1,]", "{\"a\":}", "{} {}", "\"\u{1}\"", "\"\\x\"", "01", "{a:1}", "nul"] {
            assert!(Raw::read(text).is_none(), "{text}");
        }
        let body = " {\"a\" : [ 1 ,\"]\\\"\" , {} ] , \"b\":null}\n";
        let object = Raw::read(body).unwrap().object().unwrap();
        let list = object.field("a").unwrap().unwrap();
        assert_eq!(list.span(body), Some(8..25));
        assert_eq!(list.array().unwrap().iter().map(|item| item.get()).collect::<Vec<_>>(), ["1", "\"]\\\"\"", "{}"]);
        assert!(object.field("b").unwrap().is_none() && object.has("B"));
    }
}
