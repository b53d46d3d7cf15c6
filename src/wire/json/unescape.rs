//! The text of a string literal.

use std::borrow::Cow;

/// What a literal says that stands between these quotes of valid JSON; `None` where no Rust string can hold it (half of a
/// surrogate pair).
pub(super) fn unescaped(literal: &str) -> Option<Cow<'_, str>> {
    let Some(mut at) = memchr::memchr(b'\\', literal.as_bytes()) else { return Some(Cow::Borrowed(literal)) };
    // No escape is shorter than what it stands for.
    let mut text = String::with_capacity(literal.len());
    let mut rest = literal;
    loop {
        let (plain, escape) = rest.split_at_checked(at)?;
        text.push_str(plain);
        rest = escape.get(2..)?;
        match escape.as_bytes().get(1)? {
            b'n' => text.push('\n'),
            b't' => text.push('\t'),
            b'r' => text.push('\r'),
            b'b' => text.push('\u{8}'),
            b'f' => text.push('\u{c}'),
            b'u' => {
                let (char, after) = by_number(rest)?;
                text.push(char);
                rest = after;
            }
            same => text.push(char::from(*same)),
        }
        match memchr::memchr(b'\\', rest.as_bytes()) {
            Some(next) => at = next,
            None => break,
        }
    }
    text.push_str(rest);
    Some(Cow::Owned(text))
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
