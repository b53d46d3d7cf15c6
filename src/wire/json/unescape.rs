//! The text of a string literal.

use std::borrow::Cow;

use super::super::plain::{WORD, plain_word};

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
        // Words are copied before it is known how much of them is plain: what follows is written over the rest.
        while let Some(word) = bytes.get(from..).and_then(|rest| rest.first_chunk::<WORD>()) {
            text.get_mut(to..to + WORD)?.copy_from_slice(word);
            let plain = plain_word(*word);
            (from, to) = (from + plain, to + plain);
            if plain < WORD {
                break;
            }
        }
        match bytes.get(from) {
            Some(b'\\') => {
                let (char, rest) = escaped(literal.get(from + 1..)?)?;
                let length = char.len_utf8();
                char.encode_utf8(text.get_mut(to..to + length)?);
                (from, to) = (literal.len() - rest.len(), to + length);
            }
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

/// The character that stands behind a backslash, and what follows it.
fn escaped(text: &str) -> Option<(char, &str)> {
    let (letter, rest) = text.split_at_checked(1)?;
    let char = match letter {
        "n" => '\n',
        "t" => '\t',
        "r" => '\r',
        "b" => '\u{8}',
        "f" => '\u{c}',
        "u" => return by_number(rest),
        _ => letter.chars().next()?,
    };
    Some((char, rest))
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
