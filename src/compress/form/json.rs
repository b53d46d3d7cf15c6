//! JSON: what is one, and where it ends.

use serde::de::IgnoredAny;

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
