//! Reading JSON without losing where it stood: every value is a slice of the body.

use std::{borrow::Cow, fmt, ops::Range};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// The fields of an object in their order, duplicates included.
#[derive(Debug)]
pub(super) struct Object<'a>(Vec<(Key<'a>, &'a RawValue)>);

/// Two readers may take different values for this field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ambiguous;

impl<'a> Object<'a> {
    /// The one value of a field; `None` where the field is absent or `null`.
    ///
    /// A field is ambiguous when it stands there twice, and when it is written in another case, because some readers
    /// (Go's standard library is one) take `Content` for `content`.
    pub(super) fn field(&self, name: &str) -> Result<Option<&'a RawValue>, Ambiguous> {
        let mut alike = self.0.iter().filter(|(key, _)| key.0.eq_ignore_ascii_case(name));
        match (alike.next(), alike.next()) {
            (None, _) => Ok(None),
            (Some((key, value)), None) if key.0 == name => Ok(Some(*value).filter(|value| value.get() != "null")),
            _ => Err(Ambiguous),
        }
    }

    /// The first fields, as far as all readers agree on them.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        let agreed = self.0.iter().take(MOST_FIELDS).filter(|(key, _)| self.field(&key.0).is_ok());
        agreed.map(|(key, value)| (&*key.0, *value))
    }

    /// Whether the field is there, in whatever case and number and with whatever value.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key.0.eq_ignore_ascii_case(name))
    }
}

/// The fields of the object that `text` is; `None` when it is something else or a key is no valid string.
pub(super) fn object(text: &str) -> Option<Object<'_>> {
    serde_json::from_str(text).ok()
}

/// The items of the list that `value` is; `None` when it is something else.
pub(super) fn array(value: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(value.get()).ok()
}

/// The string that `value` is, unescaped; `None` when it is something else or no Rust string can hold it.
pub(super) fn string(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// The string that `value` is, or the strings of the list that it is.
pub(super) fn strings(value: &RawValue) -> Vec<String> {
    match string(value) {
        Some(text) => vec![text],
        None => array(value).unwrap_or_default().into_iter().filter_map(string).collect(),
    }
}

/// Whether `text` is one JSON value and nothing else.
pub(super) fn is_valid(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok()
}

/// Where `value` stands in the body that it was read from.
pub(super) fn span(value: &RawValue, body: &str) -> Option<Range<usize>> {
    let start = value.get().as_ptr().addr().checked_sub(body.as_ptr().addr())?;
    let span = start..start + value.get().len();
    body.get(span.clone()).map(|_| span)
}

/// Fields of one object that are looked at without being asked for by name; each is compared with all.
const MOST_FIELDS: usize = 64;

/// A key, borrowed where it has no escapes.
#[derive(Debug, Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Object(fields))
    }
}
