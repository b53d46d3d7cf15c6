//! Text as a model takes it: tokens with their places, the words they belong to, and pieces no longer than the window.

use std::{ops::Range, path::Path};

use tokenizers::Tokenizer;

use super::{ModelError, graph::RunError};

/// A model's tokenizer.
#[derive(Debug)]
pub(crate) struct Pieces(Tokenizer);

/// A text's tokens.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Tokens {
    pub(crate) ids: Vec<i64>,
    /// Byte spans in the text; those of a character that is split are equal.
    pub(crate) spans: Vec<Range<usize>>,
}

impl Pieces {
    pub(crate) fn load(path: &Path) -> Result<Self, ModelError> {
        let wrong =
            |error: tokenizers::Error| ModelError::Description { path: path.to_owned(), why: error.to_string() };
        let mut tokenizer = Tokenizer::from_file(path).map_err(wrong)?;
        // Many files of the community carry the settings of whoever saved them; the window and the batch are ours.
        tokenizer.with_truncation(None).map_err(wrong)?;
        tokenizer.with_padding(None);
        Ok(Self(tokenizer))
    }

    /// The text's tokens; `special` adds what the model expects around them.
    pub(crate) fn encode(&self, text: &str, special: bool) -> Result<Tokens, RunError> {
        let encoding = self.0.encode(text, special).map_err(|error| RunError::Tokenizer(error.to_string()))?;
        Ok(Tokens {
            ids: encoding.get_ids().iter().map(|id| i64::from(*id)).collect(),
            spans: encoding.get_offsets().iter().map(|(start, end)| *start..*end).collect(),
        })
    }

    /// The text of generated tokens.
    pub(crate) fn decode(&self, ids: &[i64]) -> Result<String, RunError> {
        let ids: Vec<u32> = ids.iter().filter_map(|id| u32::try_from(*id).ok()).collect();
        self.0.decode(&ids, true).map_err(|error| RunError::Tokenizer(error.to_string()))
    }

    pub(crate) fn vocabulary(&self) -> usize {
        self.0.get_vocab_size(true)
    }
}

impl Tokens {
    /// Cuts into windows of at most `most` tokens and about equal length, between words where one ends near enough.
    pub(crate) fn windows(&self, text: &str, most: usize) -> Vec<Range<usize>> {
        let words = words(text, &self.spans);
        let begins = |at: &usize| words.get(*at).is_some_and(|word| word.is_some() && words.get(at - 1) != Some(word));
        let mut windows = Vec::new();
        let mut start = 0;
        while self.ids.len() - start > most {
            let left = self.ids.len() - start;
            let even = left.div_ceil(left.div_ceil(most));
            let later = (start + even..=start + most).find(begins);
            let earlier = || (start + even / 2 + 1..start + even).rev().find(begins);
            let cut = later.or_else(earlier).unwrap_or(start + most);
            windows.push(start..cut);
            start = cut;
        }
        windows.push(start..self.ids.len());
        windows
    }
}

/// For each token the byte span of the word that its first non-whitespace character belongs to; `None` for whitespace.
///
/// A word is a maximal run without whitespace.
pub(crate) fn words(text: &str, spans: &[Range<usize>]) -> Vec<Option<Range<usize>>> {
    let mut word: Option<Range<usize>> = None;
    let of = |span: &Range<usize>| {
        let inside = text.get(span.clone())?;
        let first = span.start + inside.find(|character| !is_space(character))?;
        if !word.as_ref().is_some_and(|word| word.contains(&first)) {
            let (before, after) = text.split_at_checked(first)?;
            let start = before.rfind(is_space).map_or(0, |at| at + before.get(at..).map_or(1, first_length));
            let end = after.find(is_space).map_or(text.len(), |at| first + at);
            word = Some(start..end);
        }
        word.clone()
    };
    spans.iter().map(of).collect()
}

/// What Python's `\s` matches, since the labels were made with it: Unicode's White_Space and four separators of ASCII.
pub(crate) fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

fn first_length(text: &str) -> usize {
    text.chars().next().map_or(1, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_belongs_to_the_word_of_its_first_visible_character() {
        let text = "un 日本\u{3000}\u{1f}x ";
        //          un| 日|本|\u{3000}\u{1f}|x| .
        let spans = [0..2, 2..6, 6..9, 9..13, 13..14, 14..15];
        assert_eq!(words(text, &spans), [Some(0..2), Some(3..9), Some(3..9), None, Some(13..14), None]);
    }

    #[test]
    fn long_texts_are_cut_between_words_where_possible() {
        let text = "a b c d eeee";
        let spans: Vec<_> = [0..1, 1..3, 3..5, 5..7, 7..9, 9..10, 10..11, 11..12].to_vec();
        let tokens = Tokens { ids: (0..8).collect(), spans };
        assert_eq!(tokens.windows(text, 8), std::slice::from_ref(&(0..8)));
        assert_eq!(tokens.windows(text, 5), [0..4, 4..8]);
        assert_eq!(tokens.windows(text, 7), [0..4, 4..8], "windows are about equal");
        assert_eq!(tokens.windows(text, 3), [0..3, 3..6, 6..8], "a word longer than the window is cut through");
        assert_eq!(Tokens::default().windows("", 3), std::slice::from_ref(&(0..0)));
    }
}
