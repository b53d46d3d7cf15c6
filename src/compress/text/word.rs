//! Words as the scores see them: lower case, stemmed, parts of identifiers split.

use std::{collections::HashSet, ops::Range, sync::OnceLock};

use rust_stemmers::{Algorithm, Stemmer};

use super::lexicon::{List, irregular};
use crate::compress::fuel;

/// The words of a text with their byte spans, in order.
///
/// A word is a run of letters and digits; an apostrophe between letters (`don't`) and a point, comma or colon between
/// digits (`1,452.4`, `9:30`) stay inside. `_` and a step from lower to upper case part words, so that
/// `departure_time` and `departureTime` are two words each. Ideographs and kana are words of one character.
#[must_use]
pub fn words(text: &str) -> Words<'_> {
    Words { text, at: 0 }
}

/// See [`words`].
#[derive(Debug, Clone)]
pub struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl Iterator for Words<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let rest = self.text.get(self.at..)?;
        let start = self.at + rest.find(char::is_alphanumeric)?;
        let mut chars = self.text.get(start..)?.char_indices().peekable();
        let mut end = start;
        let mut before = None;
        while let Some((offset, this)) = chars.next() {
            let joins = match before {
                None => true,
                Some(before) if this.is_alphanumeric() => {
                    !(stands_alone(before) || stands_alone(this) || before.is_lowercase() && this.is_uppercase())
                }
                Some(before) => chars.peek().is_some_and(|(_, after)| links(before, this, *after)),
            };
            if !joins {
                break;
            }
            end = start + offset + this.len_utf8();
            before = Some(this);
        }
        fuel::step(end - self.at);
        self.at = end;
        Some(start..end)
    }
}

/// Whether `middle` holds the two characters around it together.
fn links(before: char, middle: char, after: char) -> bool {
    match middle {
        '\'' | '\u{2019}' => before.is_alphabetic() && after.is_alphabetic(),
        '.' | ',' | ':' => before.is_ascii_digit() && after.is_ascii_digit(),
        _ => false,
    }
}

/// Scripts that write no spaces: each character counts as a word.
pub(in crate::compress) fn stands_alone(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// The stem of a word in lower case: Snowball's English algorithm (Porter2, from `rust-stemmers`) of the word of
/// which it is a form, possessive removed.
#[must_use]
pub fn stem(word: &str) -> String {
    let lower = word.to_lowercase().replace('\u{2019}', "'");
    let bare = lower.strip_suffix("'s").unwrap_or(&lower);
    if bare.bytes().any(|byte| byte.is_ascii_digit()) {
        return bare.replace(',', "");
    }
    if bare.len() > LONGEST_STEMMED {
        return bare.to_owned();
    }
    stemmer().stem(irregular::base(bare)).into_owned()
}

/// Bytes of the longest word that is inflected. Stemmers move a word's rest for each letter that they change.
pub(super) const LONGEST_STEMMED: usize = 128;

/// Whether a word in lower case carries grammar rather than content: NLTK's English list (from `stop-words`), a few
/// words that only steer a request, and single letters.
#[must_use]
pub fn is_stop_word(lower: &str) -> bool {
    static LIST: OnceLock<HashSet<&'static str>> = OnceLock::new();
    let list = LIST
        .get_or_init(|| stop_words::lookup("en").unwrap_or_default().iter().copied().chain(STEERING.iter()).collect());
    list.contains(lower) || (lower.len() == 1 && lower.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

/// What a request says to whoever answers, not about what it wants to know.
static STEERING: List =
    List::new("also could give let many may might much must please question shall tell upon us want would");

fn stemmer() -> &'static Stemmer {
    static STEMMER: OnceLock<Stemmer> = OnceLock::new();
    STEMMER.get_or_init(|| Stemmer::create(Algorithm::English))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        words(text).filter_map(|span| text.get(span)).collect()
    }

    #[test]
    fn identifiers_are_read_as_the_words_they_are_made_of() {
        assert_eq!(
            split("departure_time departureTime HTTPServer x-rate"),
            ["departure", "time", "departure", "Time", "HTTPServer", "x", "rate"]
        );
    }

    #[test]
    fn numbers_and_contractions_stay_whole() {
        assert_eq!(split("It's $1,452.4 at 9:30, don't. No.5"), ["It's", "1,452.4", "at", "9:30", "don't", "No", "5"]);
    }

    #[test]
    fn scripts_without_spaces_are_read_character_by_character() {
        assert_eq!(split("東京 2020年 café"), ["東", "京", "2020", "年", "café"]);
    }

    #[test]
    fn forms_of_a_word_share_a_stem() {
        assert_eq!(stem("Departures"), stem("departure"));
        assert_eq!(stem("company’s"), stem("companies"));
        assert_eq!(stem("1,452"), stem("1452"));
    }

    #[test]
    fn a_word_worth_asking_for_is_no_stop_word() {
        assert!(is_stop_word("the") && is_stop_word("what") && is_stop_word("a"));
        assert!(!is_stop_word("state") && !is_stop_word("departure") && !is_stop_word("7"));
    }
}
