//! How far a text stands in a literal of JSON as it is.

/// The length of what a text has before the first quote, backslash or control character, and if all is to be `ascii` before
/// the first other character that isn't.
///
/// Texts of code have an escape in every line, too near to each other for a search that is begun for each: the first bytes
/// are looked at by words of eight. Prose has few, so that longer stretches are searched behind them.
#[inline]
pub(super) fn plain(text: &[u8], ascii: bool) -> usize {
    match text.first_chunk().map(|word| special(*word, ascii)) {
        Some(found) if found != 0 => in_word(found),
        _ => farther(text, ascii),
    }
}

/// The same where the first word has none.
fn farther(text: &[u8], ascii: bool) -> usize {
    let (near, far) = text.split_at(text.len().min(NEAR));
    let at = first(near, ascii);
    if at < near.len() {
        return at;
    }
    let mut done = near.len();
    for stretch in far.chunks(STRETCH) {
        let end = memchr::memchr2(b'"', b'\\', stretch).unwrap_or(stretch.len());
        let (plain, rest) = stretch.split_at(end);
        let (least, most) = plain.iter().fold((u8::MAX, 0), |(least, most), byte| (least.min(*byte), most.max(*byte)));
        if least < b' ' || (ascii && most >= 0x80) {
            return done + first(plain, ascii);
        }
        done += end;
        if !rest.is_empty() {
            break;
        }
    }
    done
}

/// The length of what a word has before the first such character; its own length where it has none.
pub(super) const fn plain_word(word: [u8; WORD]) -> usize {
    in_word(special(word, false))
}

/// The place in a word of the first byte that was found, as [`special`] gives it.
const fn in_word(found: u64) -> usize {
    found.trailing_zeros() as usize / 8
}

/// The same as [`plain`], word by word.
fn first(text: &[u8], ascii: bool) -> usize {
    let (words, rest) = text.as_chunks();
    for (at, word) in words.iter().enumerate() {
        let found = special(*word, ascii);
        if found != 0 {
            return at * WORD + in_word(found);
        }
    }
    let special = |byte: &u8| *byte < b' ' || matches!(byte, b'"' | b'\\') || (ascii && *byte >= 0x80);
    text.len() - rest.len() + rest.iter().position(special).unwrap_or(rest.len())
}

/// A word that has the highest bit set of the first byte that is one of these, and maybe of others behind it.
const fn special(word: [u8; WORD], ascii: bool) -> u64 {
    let word = u64::from_le_bytes(word);
    let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
    let quotes = zeros(word ^ (ONES * b'"' as u64)) | zeros(word ^ (ONES * b'\\' as u64));
    control | quotes | if ascii { word & HIGH } else { 0 }
}

/// The highest bit of the first byte of a word that is zero, and maybe of others behind it.
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGH
}

pub(super) const WORD: usize = 8;

/// Bytes that are looked at by words.
const NEAR: usize = 4 * WORD;

/// Bytes that are searched at once: what is found near its beginning ends the search.
const STRETCH: usize = 256;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_ends_before_the_first_byte_that_is_written_otherwise(
            text in "[a-c!#\\[\\]\u{7f}é]{0,400}[\"\\\\\n\u{0}\u{1f}\u{80}é ]{0,3}[a\"\\\\é]{0,40}",
            ascii: bool,
        ) {
            let special = |byte: u8| byte < 0x20 || matches!(byte, b'"' | b'\\') || (ascii && byte >= 0x80);
            prop_assert_eq!(plain(text.as_bytes(), ascii), text.bytes().position(special).unwrap_or(text.len()));
        }
    }
}
