//! Atoms: the pieces of a unit that carry its facts and must neither get lost nor appear from nowhere.
//!
//! Found by shape and closed word lists in one pass, so that equal text always gives equal atoms; no model, no clock.

pub(crate) mod lex;
pub(crate) mod protect;
pub(crate) mod shape;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub(crate) use super::lexicon;

use lex::{Border, Word};
use shape::{Number, Shape};

/// The kinds of atoms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AtomKind {
    /// A number in digits or words, with its unit.
    Number,
    /// A date, time, month or day of the week.
    Date,
    /// An amount of money.
    Currency,
    /// A share in hundredths.
    Percentage,
    /// A word of a proper name.
    Name,
    /// A word of code or a reference: snake or camel case, UUID, hash, ticket, flag.
    Identifier,
    /// An e-mail address.
    Email,
    /// A web address.
    Url,
    /// A file path.
    Path,
    /// A version.
    Version,
    /// Quoted words.
    Quotation,
    /// A word that turns a statement round.
    Negation,
    /// A word that binds, allows, conditions or hedges a statement.
    Modal,
    /// A word with an opposite: more, after, rose.
    Comparative,
    /// The mark of one item of a list.
    Item,
}

impl AtomKind {
    /// The word used in metrics and explanations.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Date => "date",
            Self::Currency => "currency",
            Self::Percentage => "percentage",
            Self::Name => "name",
            Self::Identifier => "identifier",
            Self::Email => "email",
            Self::Url => "url",
            Self::Path => "path",
            Self::Version => "version",
            Self::Quotation => "quotation",
            Self::Negation => "negation",
            Self::Modal => "modal",
            Self::Comparative => "comparative",
            Self::Item => "item",
        }
    }
}

/// An atom with the form in which it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) span: Range<usize>,
    pub(crate) kind: AtomKind,
    pub(crate) key: String,
    /// Indices of its words in [`Scan::words`].
    pub(crate) words: Range<usize>,
    /// A capital at the start of a sentence may be a name or not; a word of direction may matter or not.
    pub(crate) weak: bool,
}

impl Found {
    /// Whether it is an atom for itself, not only beside its opposite.
    pub(crate) fn counts(&self) -> bool {
        self.kind != AtomKind::Comparative || !self.weak
    }
}

/// A text taken apart once: words and atoms.
#[derive(Debug)]
pub(crate) struct Scan<'t> {
    pub(crate) text: &'t str,
    pub(crate) words: Vec<Word<'t>>,
    pub(crate) found: Vec<Found>,
}

impl<'t> Scan<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let words = lex::words(text);
        let mut scan = Self { text, words, found: Vec::new() };
        let mut at = 0;
        while at < scan.words.len() {
            at = scan.take(at);
        }
        scan.items();
        scan.quotations();
        scan.found.sort_by_key(|f| (f.span.start, f.span.end));
        scan
    }

    /// Finds what begins at a word; returns the index of the next word to look at.
    fn take(&mut self, at: usize) -> usize {
        let Some(word) = self.words.get(at) else {
            return at + 1;
        };
        let (key, core) = (word.key.clone(), word.text);
        if let Some(next) = self.number_in_words(at, &key) {
            return next;
        }
        let folded = lex::fold(core);
        let folded = folded.strip_suffix("'s").unwrap_or(&folded);
        match shape::shape(folded) {
            Some(Shape::Number(kind, number)) => return self.number(at, kind, number),
            Some(Shape::Verbatim(kind)) => {
                let key = folded.to_owned();
                self.push(at..at + 1, kind, key, false);
                return at + 1;
            }
            None => {}
        }
        if let Some(word) = lexicon::negation(&key) {
            self.push(at..at + 1, AtomKind::Negation, word.to_owned(), false);
        }
        if let Some(day) = self.calendar(at, &key) {
            self.push(at..at + 1, AtomKind::Date, day.to_owned(), false);
            return at + 1;
        }
        if let Some(word) = lexicon::modal(&key) {
            self.push(at..at + 1, AtomKind::Modal, word.to_owned(), false);
            return at + 1;
        }
        if matches!(core, "$" | "€" | "£" | "¥" | "%") {
            self.push(at..at + 1, AtomKind::Currency, core.to_owned(), false);
        }
        if let Some(direction) = lexicon::direction(&key) {
            self.push(at..at + 1, AtomKind::Comparative, key.clone().into_owned(), !direction.strong);
        }
        if let Some(weak) = self.name(at, &key) {
            self.push(at..at + 1, AtomKind::Name, key.clone().into_owned(), weak);
        }
        at + 1
    }

    /// A number in figures, with the scale and unit words that follow it.
    fn number(&mut self, at: usize, mut kind: AtomKind, mut number: Number) -> usize {
        let mut end = at + 1;
        if let Some(zeros) = self.follower(end).and_then(|w| lexicon::scale(&w.key)) {
            let (sign, figures) = number
                .value
                .split_at_checked(usize::from(number.value.starts_with(['-', '+'])))
                .unwrap_or(("", &number.value));
            number.value = shape::value(sign, figures, zeros);
            end += 1;
        }
        if number.unit.is_empty() || number.unit == "usd" {
            if self.follower(end).is_some_and(|w| w.key == "per")
                && self.follower(end + 1).is_some_and(|w| w.key == "cent")
            {
                "%".clone_into(&mut number.unit);
                end += 2;
            } else if let Some((unit, doubtful)) =
                self.follower(end).and_then(|w| lexicon::unit(&w.key).map(|u| (u, lexicon::doubtful_unit(&w.key))))
                && number.unit.is_empty()
                && (!doubtful || self.words.get(end + 1).is_none_or(|w| w.border > Border::None))
            {
                unit.clone_into(&mut number.unit);
                end += 1;
            }
        }
        match number.unit.as_str() {
            "%" => kind = AtomKind::Percentage,
            "usd" | "eur" | "gbp" | "jpy" | "inr" | "chf" | "sek" | "cent" => kind = AtomKind::Currency,
            _ => {}
        }
        self.push(at..end, kind, format!("{} {}", number.value, number.unit), false);
        end
    }

    /// `two`, `twenty-five`, `a thousand`, `half`.
    fn number_in_words(&mut self, at: usize, key: &str) -> Option<usize> {
        let hyphened = key.split_once('-').and_then(|(tens, rest)| {
            let tens = lexicon::number_word(tens)?;
            if tens >= 20
                && tens % 10 == 0
                && let Some(one) = if rest == "one" { Some(1) } else { lexicon::number_word(rest) }
            {
                return Some((tens + one, ""));
            }
            Some((tens, lexicon::unit(rest.split('-').next().unwrap_or(rest)).unwrap_or(rest)))
        });
        if let Some((value, unit)) = hyphened.or_else(|| lexicon::number_word(key).map(|value| (value, ""))) {
            let number = Number { value: value.to_string(), unit: unit.to_owned() };
            return Some(self.number(at, AtomKind::Number, number));
        }
        let scaled = matches!(key, "a" | "one")
            && self.follower(at + 1).is_some_and(|w| lexicon::scale(&w.key).is_some_and(|z| z > 1) && w.key.len() > 2);
        let united = key == "one"
            && self
                .follower(at + 1)
                .is_some_and(|w| lexicon::unit(&w.key).is_some() && !lexicon::doubtful_unit(&w.key) && w.key != "day");
        if scaled || united {
            return Some(self.number(at, AtomKind::Number, Number { value: "1".into(), unit: String::new() }));
        }
        if let Some(word) = lexicon::vague_number(key) {
            self.push(at..at + 1, AtomKind::Number, word.to_owned(), false);
            return Some(at + 1);
        }
        None
    }

    /// The word at an index if nothing but white space stands before it.
    fn follower(&self, at: usize) -> Option<&Word<'t>> {
        self.words.get(at).filter(|w| w.border == Border::None)
    }

    fn calendar(&self, at: usize, key: &str) -> Option<&'static str> {
        let word = self.words.get(at).filter(|w| w.capital())?;
        let day = lexicon::calendar(key)?;
        // Verbs that look like months count only beside a number or inside of a sentence.
        let verb = matches!(key, "may" | "march" | "mar" | "sun" | "sat" | "wed" | "mon");
        let beside = |at: Option<usize>| {
            at.and_then(|at| self.words.get(at)).is_some_and(|w| w.text.starts_with(|c: char| c.is_ascii_digit()))
        };
        let sure = !verb || word.border == Border::None || beside(Some(at + 1)) || beside(at.checked_sub(1));
        sure.then_some(day)
    }

    /// Whether the word belongs to a name; `Some(true)` where only its place at the start of a sentence may have
    /// given it its capital.
    fn name(&self, at: usize, key: &str) -> Option<bool> {
        let word = self.words.get(at)?;
        if !word.capital()
            || key.starts_with("i'")
            || key == "i"
            || lexicon::function_word(key) && word.text.chars().skip(1).all(char::is_lowercase)
        {
            return None;
        }
        let acronym = word.text.chars().filter(|c| c.is_uppercase()).count() >= 2;
        if acronym {
            return Some(false);
        }
        if word.text.chars().count() < 2 {
            return (word.border == Border::None).then_some(true);
        }
        if word.border < Border::Sentence {
            return Some(false);
        }
        let followed = self.follower(at + 1).is_some_and(|w| w.capital() && w.key != "i" && !w.key.starts_with("i'"));
        let inflected = ["ing", "ed", "ly", "tion", "ness", "ment"].iter().any(|ending| key.ends_with(ending));
        if lexicon::common(key) || (inflected && !followed) { None } else { Some(!followed) }
    }

    /// Lists of two items or more: each mark is an atom.
    fn items(&mut self) {
        let mut at = 0;
        let mut marks = Vec::new();
        for line in self.text.split_inclusive('\n') {
            let indent = line.len() - line.trim_start().len();
            let mark = line.split_whitespace().next().unwrap_or_default();
            if lex::bullet(mark) && line.trim().len() > mark.len() {
                marks.push(at + indent..at + indent + mark.len());
            }
            at += line.len();
        }
        if marks.len() < 2 {
            return;
        }
        for span in marks {
            let word = self.words.partition_point(|w| w.span.end <= span.start);
            self.found.push(Found { span, kind: AtomKind::Item, key: String::new(), words: word..word, weak: false });
        }
    }

    fn quotations(&mut self) {
        for span in quoted(self.text) {
            let from = self.words.partition_point(|w| w.span.start < span.start);
            let to = self.words.partition_point(|w| w.span.end <= span.end);
            if from >= to {
                continue;
            }
            let key = self
                .words
                .get(from..to)
                .unwrap_or_default()
                .iter()
                .map(|w| w.key.as_ref())
                .collect::<Vec<_>>()
                .join(" ");
            self.found.push(Found { span, kind: AtomKind::Quotation, key, words: from..to, weak: false });
        }
    }

    fn push(&mut self, words: Range<usize>, kind: AtomKind, key: String, weak: bool) {
        let first = self.words.get(words.start).map_or(0, |w| w.span.start);
        let last = self.words.get(words.end.saturating_sub(1)).map_or(first, |w| w.span.end);
        self.found.push(Found { span: first..last.max(first), kind, key, words, weak });
    }
}

/// What stands between double quotation marks, on one line and at most [`LONGEST_QUOTATION`] bytes.
fn quoted(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut open: Option<(usize, char)> = None;
    for (at, c) in text.char_indices() {
        match (c, open) {
            ('\n', _) => open = None,
            ('"', Some((from, '"'))) | ('”', Some((from, '“'))) | ('»', Some((from, '«'))) => {
                if at - from <= LONGEST_QUOTATION {
                    spans.push(from..at);
                }
                open = None;
            }
            ('"' | '“' | '«', _) => open = Some((at + c.len_utf8(), c)),
            _ => {}
        }
    }
    spans
}

/// A longer stretch between two marks is rather a lost mark than a quotation, in bytes.
const LONGEST_QUOTATION: usize = 600;
