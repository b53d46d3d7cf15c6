//! Puts new texts where literals stood.

use std::{fmt::Write as _, ops::Range};

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
        spliced.extend_from_slice(literal(text, old.is_ascii()).as_bytes());
        done = span.end;
    }
    spliced.extend_from_slice(body.get(done..).unwrap_or_default());
    spliced
}

/// The JSON literal of a text.
fn literal(text: &str, ascii: bool) -> String {
    let mut literal = String::with_capacity(text.len() + text.len() / 16 + 2);
    literal.push('"');
    for char in text.chars() {
        match char {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            '\0'..='\x1f' => escape(&mut literal, u16::from(char as u8)),
            '\x7f'.. if ascii && !char.is_ascii() => {
                char.encode_utf16(&mut [0; 2]).iter().for_each(|unit| escape(&mut literal, *unit));
            }
            _ => literal.push(char),
        }
    }
    literal.push('"');
    literal
}

fn escape(literal: &mut String, unit: u16) {
    // Writing to a `String` cannot fail.
    let _ = write!(literal, "\\u{unit:04x}");
}
