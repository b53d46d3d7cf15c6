//! How far a text stands in a literal of JSON as it is.

/// The length of what a text has before the first quote, backslash or control character, and if all is to be `ascii` before
/// the first other character that isn't.
///
/// Words of eight bytes are looked at together, and past the first ones several words without a branch for each: texts of
/// code have an escape in every line, too near to each other for a search that is begun for each, and prose has few.
pub(super) fn plain(text: &[u8], ascii: bool) -> usize {
    let (words, rest) = text.as_chunks();
    let (near, far) = words.split_at(words.len().min(NEAR));
    if let Some(at) = first(near, ascii) {
        return at;
    }
    let (stretches, _) = far.as_chunks::<NEAR>();
    let clean = stretches.iter().take_while(|stretch| stretch.map(|word| special(word, ascii)) == [0; NEAR]).count();
    let clean = near.len() + clean * NEAR;
    if let Some(at) = first(words.get(clean..).unwrap_or_default(), ascii) {
        return clean * WORD + at;
    }
    let special = |byte: &u8| *byte < b' ' || matches!(byte, b'"' | b'\\') || (ascii && *byte >= 0x80);
    text.len() - rest.len() + rest.iter().position(special).unwrap_or(rest.len())
}

/// The length of what a word has before the first such character; its own length where it has none.
pub(super) fn plain_word(word: [u8; WORD]) -> usize {
    special(word, false).trailing_zeros() as usize / 8
}

/// The first byte of several words that is one of these.
fn first(words: &[[u8; WORD]], ascii: bool) -> Option<usize> {
    let found = |(at, word): (usize, &[u8; WORD])| {
        let found = special(*word, ascii);
        (found != 0).then(|| at * WORD + found.trailing_zeros() as usize / 8)
    };
    words.iter().enumerate().find_map(found)
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

/// Words that are looked at one by one, and later together.
const NEAR: usize = 4;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_ends_before_the_first_byte_that_is_written_otherwise(
            text in "[a-c!#\\[\\]\u{7f}é]{0,70}[\"\\\\\n\u{0}\u{1f}\u{80}é ]{0,3}[a\"\\\\é]{0,40}",
            ascii: bool,
        ) {
            let special = |byte: u8| byte < 0x20 || matches!(byte, b'"' | b'\\') || (ascii && byte >= 0x80);
            prop_assert_eq!(plain(text.as_bytes(), ascii), text.bytes().position(special).unwrap_or(text.len()));
        }
    }
}
