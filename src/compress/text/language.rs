//! In which language something is asked: its small words and the stems of its words.

use std::{collections::HashSet, sync::OnceLock};

use rust_stemmers::{Algorithm, Stemmer};

use super::word;

/// A language whose small words and stems are known; English where none fits better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::compress) struct Language(Option<usize>);

impl Language {
    /// The language that has most of the words of `text` among its small words: NLTK's lists (from `stop-words`).
    pub(in crate::compress) fn of(text: &str) -> Self {
        let lower: Vec<String> = word::words(text).filter_map(|span| text.get(span)).map(str::to_lowercase).collect();
        let held = |language: Self| lower.iter().filter(|word| language.is_stop_word(word)).count();
        let others = (0..LANGUAGES.len()).map(|number| Self(Some(number)));
        let english = (held(Self(None)), Self(None));
        others.fold(english, |best, other| if held(other) > best.0 { (held(other), other) } else { best }).1
    }

    /// Whether a sentence is English: no other language has more of its small words, and it has some.
    pub(in crate::compress) fn reads_english(sentence: &str) -> bool {
        let small = word::words(sentence).filter_map(|span| sentence.get(span)).map(str::to_lowercase);
        Self::of(sentence).is_english() && small.filter(|word| word::is_stop_word(word)).nth(1).is_some()
    }

    pub(in crate::compress) const fn is_english(self) -> bool {
        self.0.is_none()
    }

    /// The stem of a word in lower case, by Snowball's algorithm for the language.
    pub(in crate::compress) fn stem(self, word: &str) -> String {
        let Some((_, algorithm)) = self.0.and_then(|number| LANGUAGES.get(number)) else { return word::stem(word) };
        let lower = word.to_lowercase();
        if lower.len() > word::LONGEST_STEMMED || lower.bytes().any(|byte| byte.is_ascii_digit()) {
            return word::stem(word);
        }
        // `gekündigt` is a form of `kündigen`.
        let participle =
            matches!(algorithm, Algorithm::German) && lower.len() > SHORTEST_PARTICIPLE && lower.ends_with(['t', 'n']);
        let bare = lower.strip_prefix("ge").filter(|_| participle).unwrap_or(&lower);
        Stemmer::create(*algorithm).stem(bare).into_owned()
    }

    /// Whether a word in lower case carries grammar rather than content.
    pub(in crate::compress) fn is_stop_word(self, lower: &str) -> bool {
        match self.0 {
            None => word::is_stop_word(lower),
            Some(number) => lists().get(number).is_some_and(|list| list.contains(lower)),
        }
    }
}

/// Bytes of a word that `ge` may only be the beginning of, as in `geben`.
const SHORTEST_PARTICIPLE: usize = 6;

fn lists() -> &'static Vec<HashSet<&'static str>> {
    static LISTS: OnceLock<Vec<HashSet<&'static str>>> = OnceLock::new();
    let list = |(code, _): &(&str, Algorithm)| stop_words::lookup(code).unwrap_or_default().iter().copied().collect();
    LISTS.get_or_init(|| LANGUAGES.iter().map(list).collect())
}

/// Those of which both lists are there.
const LANGUAGES: &[(&str, Algorithm)] = &[
    ("ar", Algorithm::Arabic),
    ("da", Algorithm::Danish),
    ("de", Algorithm::German),
    ("el", Algorithm::Greek),
    ("es", Algorithm::Spanish),
    ("fi", Algorithm::Finnish),
    ("fr", Algorithm::French),
    ("hu", Algorithm::Hungarian),
    ("it", Algorithm::Italian),
    ("nl", Algorithm::Dutch),
    ("no", Algorithm::Norwegian),
    ("pt", Algorithm::Portuguese),
    ("ro", Algorithm::Romanian),
    ("ru", Algorithm::Russian),
    ("sv", Algorithm::Swedish),
    ("tr", Algorithm::Turkish),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_told_by_its_small_words() {
        let code = |text: &str| Language::of(text).0.map_or("en", |number| LANGUAGES[number].0);
        assert_eq!(code("When does the lease end?"), "en");
        assert_eq!(code("Wie lange vorher muss man seinen Austritt erklären?"), "de");
        assert_eq!(code("¿Cuándo se paga la cuota de los socios?"), "es");
        assert_eq!(code("На каком расстоянии от забора разрешено строить теплицу?"), "ru");
        assert_eq!(code("停机过多时要赔多少？"), "en");
        assert_eq!(code("INV-7009"), "en");
    }

    #[test]
    fn forms_of_a_word_share_a_stem_in_its_language() {
        let russian = Language::of("На каком расстоянии от забора?");
        assert_eq!(russian.stem("теплицу"), russian.stem("теплица"));
        assert_eq!(russian.stem("INV-7009"), "inv-7009");
    }
}
