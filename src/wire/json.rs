//! Reading JSON without losing where it stood: every value is a slice of the body.
//!
//! A body is checked once, from end to end. What is taken out of it afterwards is known to be valid, so that only quotes,
//! brackets and commas are looked for; and where its longer strings end is known by then, so that no text is read again
//! to find what stands behind it.

mod check;
mod unescape;

use std::{borrow::Cow, ops::Range};

/// A text that is one valid value.
#[derive(Debug)]
pub(super) struct Json<'a> {
    text: &'a str,
    long: Vec<Long>,
}

/// A string of more than [`NEAR`] bytes, both quotes included.
#[derive(Debug, Clone, Copy)]
struct Long {
    /// Where it begins in memory.
    address: usize,
    length: usize,
}

/// A value of a text that is valid JSON, without the white space around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Raw<'a> {
    text: &'a str,
    /// Of the whole text, in their order.
    long: &'a [Long],
}

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

impl<'a> Json<'a> {
    /// The one value that `text` is; `None` when it is no JSON, or more than one value.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let long = check::long(text)?;
        Some(Self { text: text.trim_matches(check::SPACE), long })
    }

    pub(super) fn value(&self) -> Raw<'_> {
        Raw { text: self.text, long: &self.long }
    }

    /// The fields of the object that it is.
    pub(super) fn object(&self) -> Option<Object<'_>> {
        self.value().object()
    }
}

impl<'a> Raw<'a> {
    /// As it is written.
    pub(super) fn get(self) -> &'a str {
        self.text
    }

    /// Whether it is a string.
    pub(super) fn is_string(self) -> bool {
        self.text.starts_with('"')
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
        let literal = self.text.strip_prefix('"')?.strip_suffix('"')?;
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
        let start = self.text.as_ptr().addr().checked_sub(body.as_ptr().addr())?;
        let span = start..start + self.text.len();
        body.get(span.clone()).map(|_| span)
    }

    fn inside(self, open: char) -> Option<Inside<'a>> {
        self.text.strip_prefix(open).map(|text| Inside(Self { text, ..self }))
    }
}

/// Fields of one object that are looked at without being asked for by name; each is compared with all.
const MOST_FIELDS: usize = 64;

/// What follows in an object or a list.
struct Inside<'a>(Raw<'a>);

impl<'a> Inside<'a> {
    /// The next key or value; `None` at the end.
    fn value(&mut self) -> Option<Raw<'a>> {
        let Raw { text, long } = self.0;
        // What parts two values: the text is valid, so that nothing else can stand there.
        let parts = text.bytes().position(|byte| !b" \n\r\t,:".contains(&byte))?;
        let rest = text.get(parts..)?;
        let (value, rest) = rest.split_at_checked(length(rest.as_bytes(), long))?;
        self.0.text = rest;
        (!value.is_empty()).then_some(Raw { text: value, long })
    }
}

/// The length of the value that a text begins with; 0 at the end of a list or object.
fn length(text: &[u8], long: &[Long]) -> usize {
    match text.first() {
        Some(b'"') => string(text, long),
        Some(b'{' | b'[') => nested(text, long),
        _ => text.iter().position(|byte| b",]} \n\r\t".contains(byte)).unwrap_or(text.len()),
    }
}

/// The length of the list or object that a text begins with.
fn nested(text: &[u8], long: &[Long]) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                at += string(text.get(at..).unwrap_or_default(), long);
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
fn string(text: &[u8], long: &[Long]) -> usize {
    let (near, mut at) = (text.get(..NEAR).unwrap_or(text), 1);
    while let Some(next) = near.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        if near.get(at + next) == Some(&b'"') {
            return at + next + 1;
        }
        at += next + 2;
    }
    let found = long.binary_search_by_key(&text.as_ptr().addr(), |long| long.address);
    found.ok().and_then(|found| long.get(found)).map_or(text.len(), |long| long.length)
}

/// Bytes in which the end of a string is looked for.
const NEAR: usize = 128;

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
        let text = "[a-z\"\\\\{}\\[\\],: \n\u{1}é😀]{0,12}|[a-z\"\\\\é]{100,140}";
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
                prop_assert_eq!(rebuilt(Json::read(&body).unwrap().value()), value.clone());
            }
        }
    }

    #[test]
    fn what_is_no_single_value_is_not_read() {
        for text in ["", "{", "[1,]", "{\"a\":}", "{} {}", "\"\u{1}\"", "\"\\x\"", "01", "{a:1}", "nul"] {
            assert!(Json::read(text).is_none(), "{text}");
        }
        let body = " {\"a\" : [ 1 ,\"]\\\"\" , {} ] , \"b\":null}\n";
        let json = Json::read(body).unwrap();
        let object = json.object().unwrap();
        let list = object.field("a").unwrap().unwrap();
        assert_eq!(list.span(body), Some(8..25));
        assert_eq!(list.array().unwrap().iter().map(|item| item.get()).collect::<Vec<_>>(), ["1", "\"]\\\"\"", "{}"]);
        assert!(object.field("b").unwrap().is_none() && object.has("B"));
    }
}
