//! Length in the target model's tokens.

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
        self.count("");
    }
}

impl CountTokens for Encoding {
    fn count(&self, text: &str) -> usize {
        let encoding = match self {
            Self::O200k => tiktoken_rs::o200k_base_singleton(),
            Self::Cl100k => tiktoken_rs::cl100k_base_singleton(),
        };
        parts(text).map(|part| encoding.count_ordinary(part)).sum()
    }
}

/// The text in parts without longer runs of white space than [`LONGEST_RUN`]: the encodings' patterns look at such a run
/// once for each of its characters. No token is as long, and no text that means anything is cut.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut run = 0;
        let long = rest.char_indices().find_map(|(at, c)| {
            run = if c.is_whitespace() { run + 1 } else { 0 };
            (run == LONGEST_RUN).then_some(at + c.len_utf8())
        });
        let (part, after) = rest.split_at_checked(long.unwrap_or(rest.len()))?;
        rest = after;
        (!part.is_empty()).then_some(part)
    })
}

/// Characters of white space in a row, past which a text is counted in parts.
const LONGEST_RUN: usize = 256;

#[cfg(test)]
mod tests {
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
    fn special_tokens_count_as_text() {
        assert!(Encoding::O200k.count("<|endoftext|>") > 1);
    }
}
