//! Puts new texts where literals stood.

use std::{io::Write as _, ops::Range};

use super::plain::plain;

/// A copy of `body` with each literal (its span, both quotes included) replaced by the literal of a new text.
///
/// Every byte outside of the spans stays. A literal that was ASCII stays ASCII, with `\u` escapes where the new text has
/// other characters: a client that escapes may have told of an ASCII body, and deciding by the literal alone (not by
/// the body) gives a replayed message the same bytes whatever follows it. Other literals get UTF-8 as it is.
///
/// `edits` ascend and do not overlap; one that does, or lies outside of the body, is left out.
#[must_use]
pub fn splice(body: &[u8], edits: &[(Range<usize>, &str)]) -> Vec<u8> {
    let mut spliced = Vec::with_capacity(body.len());
    let mut done = 0;
    for (span, text) in edits {
        let (Some(before), Some(old)) = (body.get(done..span.start), body.get(span.clone())) else {
            debug_assert!(false, "edits ascend, do not overlap and lie in the body");
            continue;
        };
        spliced.extend_from_slice(before);
        literal(&mut spliced, text, old.is_ascii());
        done = span.end;
    }
    spliced.extend_from_slice(body.get(done..).unwrap_or_default());
    spliced
}

/// Writes the JSON literal of a text.
fn literal(to: &mut Vec<u8>, text: &str, ascii: bool) {
    to.push(b'"');
    let mut rest = text;
    while let Some((before, special)) = rest.split_at_checked(plain(rest.as_bytes(), ascii)) {
        to.extend_from_slice(before.as_bytes());
        let mut chars = special.chars();
        let Some(char) = chars.next() else { break };
        match char {
            '"' => to.extend_from_slice(b"\\\""),
            '\\' => to.extend_from_slice(b"\\\\"),
            '\n' => to.extend_from_slice(b"\\n"),
            '\r' => to.extend_from_slice(b"\\r"),
            '\t' => to.extend_from_slice(b"\\t"),
            _ => char.encode_utf16(&mut [0; 2]).iter().for_each(|unit| escape(to, *unit)),
        }
        rest = chars.as_str();
    }
    to.push(b'"');
}

fn escape(to: &mut Vec<u8>, unit: u16) {
    // Writing to a `Vec` cannot fail.
    let _ = write!(to, "\\u{unit:04x}");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_text_of_any_length_is_read_back_as_it_was(
            parts in prop::collection::vec(prop::sample::select(vec![
                "a plain stretch that is about as long as half of what is looked at together", "\n", "\"", "\\", "\u{1}", "\u{7f}", "é", "😀", "x",
            ]), 0..12),
            ascii: bool,
        ) {
            let text = parts.concat();
            let mut written = Vec::new();
            literal(&mut written, &text, ascii);
            prop_assert!(!ascii || written.is_ascii());
            prop_assert_eq!(serde_json::from_slice::<String>(&written).unwrap(), text);
        }
    }
}
