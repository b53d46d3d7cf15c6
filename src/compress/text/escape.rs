//! What a JSON string says, and how it is written between its quotes.

use std::borrow::Cow;

use serde::de::IgnoredAny;

/// Whether the whole text is one JSON value.
#[must_use]
pub(in crate::compress) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// What stands between the quotes of so many strings, one within the other, says this; itself where it is no JSON.
#[must_use]
pub(in crate::compress) fn said(written: &str, strings: u8) -> Cow<'_, str> {
    (0..strings).fold(Cow::Borrowed(written), |written, _| {
        if !written.contains('\\') {
            return written;
        }
        serde_json::from_str(&format!("\"{written}\"")).map_or(written, Cow::Owned)
    })
}

/// A text as it stands between the quotes of so many strings, one within the other.
#[must_use]
pub(in crate::compress) fn written(said: &str, strings: u8) -> Cow<'_, str> {
    (0..strings).fold(Cow::Borrowed(said), |said, _| {
        let quoted = serde_json::Value::from(&*said).to_string();
        quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default().to_owned().into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_says_what_was_said() {
        for text in ["", "plain", "a\n\"b\"\t\\n \u{1f600} é / \u{1}"] {
            for strings in 0..3 {
                assert_eq!(said(&written(text, strings), strings), text);
            }
        }
        assert_eq!(said(r"\ud83d\ude00 \u00e9 \/", 1), "\u{1f600} é /");
    }
}
