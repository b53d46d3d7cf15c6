//! Length in the target model's tokens.

mod ranks;

use std::sync::LazyLock;

use fancy_regex::Regex;

use super::fuel;
use ranks::Ranks;

/// Counts tokens as the target model does.
pub trait CountTokens {
    /// The number of tokens of `text`; special tokens are counted as ordinary text.
    fn count(&self, text: &str) -> usize;
}

/// The byte-pair encodings of OpenAI's chat models, from `tiktoken-rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// gpt-4o and later; also what unknown models are counted in.
    #[default]
    O200k,
    /// gpt-4, gpt-3.5-turbo and their dated versions.
    Cl100k,
}

impl Encoding {
    /// The encoding of a model by its name.
    #[must_use]
    pub fn of_model(name: &str) -> Self {
        match tiktoken_rs::tokenizer::get_tokenizer(name) {
            Some(tiktoken_rs::tokenizer::Tokenizer::Cl100kBase) => Self::Cl100k,
            _ => Self::O200k,
        }
    }

    /// Loads the vocabulary now rather than with the first count; takes up to half a second.
    pub fn warm(self) {
        // Of nothing at all no part is counted, and nothing would be loaded.
        self.count(".");
    }
}

impl CountTokens for Encoding {
    fn count(&self, text: &str) -> usize {
        let count = |part: &str| {
            fuel::step(part.len());
            match self {
                // Both are part of the program, and a test reads them.
                Self::O200k => USUAL.as_ref().map_or(part.len(), |usual| usual.count(part)),
                Self::Cl100k => tiktoken_rs::cl100k_base_singleton().count_ordinary(part),
            }
        };
        parts(text).map(count).sum()
    }
}

/// The usual encoding, of which only what counting needs is kept.
#[derive(Debug)]
struct Usual {
    /// Between its matches no token reaches.
    pieces: Regex,
    ranks: Ranks,
}

static USUAL: LazyLock<Option<Usual>> = LazyLock::new(|| {
    Some(Usual { pieces: Regex::new(O200K_PIECES).ok()?, ranks: Ranks::of(&tiktoken_rs::o200k_base().ok()?) })
});

impl Usual {
    fn count(&self, text: &str) -> usize {
        self.pieces.find_iter(text).map_while(Result::ok).map(|piece| self.ranks.count(piece.as_str().as_bytes())).sum()
    }
}

/// The text in parts of some kilobytes, without long runs of white space, so that counting can be left between two of
/// them and no part is more than the encodings' patterns can bear: they look at a run of white space once for each of its
/// characters.
///
/// Where a text of words is parted a token ends anyway: the patterns part a letter or a digit from the space or the stop
/// behind it. Only inside of a word, or of white space, longer than any that means something a cut may cost a token.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (part, after) = rest.split_at_checked(part(rest))?;
        rest = after;
        (!part.is_empty()).then_some(part)
    })
}

/// Where the first part of a text ends.
fn part(text: &str) -> usize {
    let (mut run, mut before) = (0, ' ');
    for (at, c) in text.char_indices() {
        let word_ends = stands_in_words(before) && (c.is_ascii_whitespace() || matches!(c, '。' | '、' | '，'));
        if (at >= PART && word_ends) || at >= LONGEST_PART {
            return at;
        }
        run = if c.is_whitespace() { run + 1 } else { 0 };
        if run == LONGEST_RUN {
            return at + c.len_utf8();
        }
        before = c;
    }
    text.len()
}

const fn stands_in_words(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(c, '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{4e00}'..='\u{9fff}')
}

/// The pattern of `o200k_base`, as `tiktoken` has it.
const O200K_PIECES: &str = concat!(
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|",
    r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
);

/// Characters of white space in a row, past which a text is counted in parts.
const LONGEST_RUN: usize = 256;

/// Bytes from which on a part ends with the next word, and at which it ends in any case.
const PART: usize = 4_096;
const LONGEST_PART: usize = 8_192;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_model_is_counted_in_its_own_encoding() {
        assert_eq!(Encoding::of_model("gpt-4o-mini"), Encoding::O200k);
        assert_eq!(Encoding::of_model("gpt-4"), Encoding::Cl100k);
        assert_eq!(Encoding::of_model("something-else"), Encoding::O200k);
    }

    #[test]
    fn a_long_run_of_white_space_is_counted_in_parts_and_any_other_text_is_not() {
        assert_eq!(parts("a \n b").collect::<Vec<_>>(), ["a \n b"]);
        let white = "\n".repeat(100_000);
        assert_eq!(parts(&white).collect::<String>(), white);
        assert!(Encoding::O200k.count(&white) > 0);
    }

    #[test]
    fn counting_in_parts_counts_the_same() {
        let bare = tiktoken_rs::o200k_base_singleton();
        for text in [
            "The valve of engine 12 isn't open, they said; 1,452.4 l/h.\n\n  - item\r\n".repeat(400),
            "東京は今日も晴れです、とても。".repeat(600),
            (0..9_000).map(|n| format!("{n}\t{}\n", n * 7)).collect(),
        ] {
            assert!(parts(&text).count() > 3);
            assert_eq!(Encoding::O200k.count(&text), bare.count_ordinary(&text));
        }
    }

    proptest! {
        #[test]
        fn a_text_has_as_many_tokens_as_tiktoken_counts(
            text in "[a-zA-Z '\\n]{0,60}|\\PC{0,40}|[\\s\u{a0}\u{3000}0-9.,;/]{0,40}|(I'M|we'LL|it's|[\\n\\r\\t ]|[A-Z]{1,4}[a-z]{0,9}){0,16}",
        ) {
            prop_assert_eq!(Encoding::O200k.count(&text), tiktoken_rs::o200k_base_singleton().count_ordinary(&text));
        }
    }

    #[test]
    fn no_part_is_long_whatever_the_text() {
        for text in ["x", " ", "\u{301}", "\u{1f468}\u{200d}", "a b", "[", "\r\n"] {
            let text = text.repeat(40_000);
            assert!(parts(&text).all(|part| part.len() <= LONGEST_PART + 4));
            assert_eq!(parts(&text).collect::<String>(), text);
        }
    }

    #[test]
    fn special_tokens_count_as_text() {
        assert!(Encoding::O200k.count("<|endoftext|>") > 1);
    }
}
