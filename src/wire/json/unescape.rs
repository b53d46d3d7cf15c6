//! The text of a string literal.

use std::borrow::Cow;

use super::super::plain::{WORD, plain, plain_word};

/// What a literal says that stands between these quotes of valid JSON; `None` where no Rust string can hold it (half of a
/// surrogate pair).
pub(super) fn unescaped(literal: &str) -> Option<Cow<'_, str>> {
    let Some(begin) = memchr::memchr(b'\\', literal.as_bytes()) else { return Some(Cow::Borrowed(literal)) };
    let bytes = literal.as_bytes();
    let mut text = vec![0; bytes.len()];
    text.get_mut(..begin)?.copy_from_slice(bytes.get(..begin)?);
    // No escape is shorter than what it stands for: what is written is never ahead of what is read.
    let (mut from, mut to) = (begin, begin);
    loop {
        let rest = bytes.get(from..)?;
        if let Some(word) = rest.first_chunk::<WORD>() {
            // Copied before it is known how much of it is plain: what follows is written over the rest.
            text.get_mut(to..to + WORD)?.copy_from_slice(word);
            let mut length = plain_word(*word);
            if length == WORD {
                length = plain(rest, false);
                text.get_mut(to..to + length)?.copy_from_slice(rest.get(..length)?);
            }
            (from, to) = (from + length, to + length);
        }
        match bytes.get(from) {
            Some(b'\\') => match bytes.get(from + 1)? {
                b'u' => {
                    let (char, rest) = by_number(literal.get(from + 2..)?)?;
                    let length = char.len_utf8();
                    char.encode_utf8(text.get_mut(to..to + length)?);
                    (from, to) = (literal.len() - rest.len(), to + length);
                }
                letter => {
                    *text.get_mut(to)? = escaped(*letter);
                    (from, to) = (from + 2, to + 1);
                }
            },
            Some(byte) => {
                *text.get_mut(to)? = *byte;
                (from, to) = (from + 1, to + 1);
            }
            None => break,
        }
    }
    text.truncate(to);
    String::from_utf8(text).ok().map(Cow::Owned)
}

/// What a letter behind a backslash stands for.
const fn escaped(letter: u8) -> u8 {
    match letter {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 0x08,
        b'f' => 0x0c,
        same => same,
    }
}

/// The character whose number follows a `\u`, and what stands behind it; one past 16 bits is written as two.
fn by_number(text: &str) -> Option<(char, &str)> {
    let (first, rest) = unit(text)?;
    if !(0xd800..0xdc00).contains(&first) {
        return Some((char::from_u32(first)?, rest));
    }
    let (second, rest) = unit(rest.strip_prefix("\\u")?)?;
    let second = second.checked_sub(0xdc00).filter(|second| *second < 0x400)?;
    Some((char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + second)?, rest))
}

fn unit(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    Some((u32::from_str_radix(digits, 16).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_literal_says_what_serde_says(
            parts in prop::collection::vec(prop::sample::select(vec![
                "a", "é", "😀", "/", "\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t", "\\u0041", "\\u00e9", "\\u0000",
                "\\ud83d\\ude00", "\\uD83D", "\\ude00", "\\ud83d\\n", "\\ud83d\\u0041", "\\uFFFF", "some longer stretch",
            ]), 0..12),
        ) {
            let literal = parts.concat();
            let expected: Option<String> = serde_json::from_str(&format!("\"{literal}\"")).ok();
            prop_assert_eq!(unescaped(&literal).map(Cow::into_owned), expected);
        }
    }
}
