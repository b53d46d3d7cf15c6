//! The words of a unit grouped to what is kept or left out together: a name of several words, a number with its month
//! or unit, any other word alone.

use std::{collections::HashMap, ops::Range};

use super::{
    atoms,
    filler::is_filler,
    lexicon,
    tokens::CountTokens,
    words::{is_stop_word, stem},
};

/// The smallest thing that is kept or left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Phrase {
    /// Byte span in the text, without white space around it.
    pub span: Range<usize>,
    /// The unit it belongs to.
    pub unit: usize,
    /// Its length in target tokens where a space stands before it.
    pub cost: usize,
    /// What it tells: rarity, less for repeats, more for names and numbers; for each token.
    pub value: f32,
    /// The value with some of its neighbours' in it: what counts where much is kept.
    pub smoothed: f32,
    /// How much of it stood before in the text, 0–1.
    pub repeated: f32,
    /// Holds a name, a number or an identifier.
    pub strong: bool,
    /// A hesitation or a transcriber's mark, which tells nothing.
    pub filler: bool,
    /// Begins its unit.
    pub opens: bool,
    /// Ends its unit.
    pub closes: bool,
}

/// Cuts the units of a text into phrases and says what each tells; less for what stood before, where `repeats_count`.
/// Linear in the text's length.
#[must_use]
pub fn phrases(text: &str, units: &[Range<usize>], tokens: &dyn CountTokens, repeats_count: bool) -> Vec<Phrase> {
    let mut scorer = Scorer {
        text,
        tokens,
        repeats_count,
        costs: HashMap::new(),
        seen_words: HashMap::new(),
        seen_phrases: HashMap::new(),
    };
    let mut found = Vec::new();
    for (unit, span) in units.iter().enumerate() {
        let words = Word::all(text, span);
        let bonds = bonds(text, span, &words);
        let mut start = 0;
        while start < words.len() {
            let mut end = group_end(&words, start);
            let opens = words.iter().take(start).all(|word| word.bare.is_empty());
            let enumerates = opens && words.get(start).is_some_and(Word::enumerates);
            if enumerates && end == start + 1 && end < words.len() {
                end = group_end(&words, end);
            }
            while end < words.len() && bonds.get(end).copied().unwrap_or(false) {
                end = group_end(&words, end);
            }
            let Some(group) = words.get(start..end) else { break };
            // A section's number is no fact; what follows it tells what the two are worth.
            let telling = group.get(usize::from(enumerates && group.len() > 1)..).unwrap_or(group);
            let mut phrase = scorer.phrase(group, telling, unit, start == 0);
            phrase.closes = end >= words.len();
            found.push(phrase);
            start = end;
        }
    }
    smooth(&mut found);
    found
}

/// For each word whether it stands or falls with the one before it: a negation with what it turns, a number with its
/// unit, a condition with its clause.
fn bonds(text: &str, unit: &Range<usize>, words: &[Word<'_>]) -> Vec<bool> {
    let mut bound = vec![false; words.len()];
    let inside = text.get(unit.clone()).unwrap_or_default();
    let mut at = 0;
    for group in atoms::protected(inside) {
        let group = unit.start + group.start..unit.start + group.end;
        while words.get(at).is_some_and(|word| word.span.end <= group.start) {
            at += 1;
        }
        // The group's first word may go alone with what stands before it; those after it are bound.
        let mut next = at + 1;
        while let Some(word) = words.get(next).filter(|word| word.span.start < group.end) {
            debug_assert!(word.span.end > group.start);
            if let Some(flag) = bound.get_mut(next) {
                *flag = true;
            }
            next += 1;
        }
    }
    bind_counts(words, &mut bound);
    bind_signs(words, &mut bound);
    bound
}

/// A sign that stands apart, as in `$ 80` and `26 %`, means nothing without its number.
fn bind_signs(words: &[Word<'_>], bound: &mut [bool]) {
    for (at, pair) in words.windows(2).enumerate() {
        let [left, right] = pair else { continue };
        let apart = (CURRENCIES.contains(&left.raw) && right.has_digit()) || (left.has_digit() && right.raw == "%");
        if let Some(flag) = bound.get_mut(at + 1).filter(|_| apart) {
            *flag = true;
        }
    }
}

const CURRENCIES: &[&str] = &["$", "€", "£", "¥", "US$"];

/// A number without a unit stays with what it counts, `3 environments`, or with what it is said of, `code is 4471`.
fn bind_counts(words: &[Word<'_>], bound: &mut [bool]) {
    let parts = |at: usize| words.get(at).is_none_or(Word::closes);
    let light = |at: usize| words.get(at).is_none_or(|word| is_stop_word(&word.bare));
    let mut bind = |at: usize| {
        if let Some(flag) = bound.get_mut(at) {
            *flag = true;
        }
    };
    let month = |at: Option<usize>| {
        at.and_then(|at| words.get(at)).is_some_and(|word| MONTHS.contains(&word.bare.as_str()) && word.begins_high())
    };
    for (at, word) in words.iter().enumerate().filter(|(_, word)| word.counts()) {
        if month(at.checked_sub(1)) || month(Some(at + 1)) {
            continue;
        }
        // Beside a name or another number it is a part of that.
        let strong = |at: usize| words.get(at).is_some_and(Word::is_strong);
        if !word.closes() && strong(at + 1) || at > 0 && !parts(at - 1) && strong(at - 1) {
            continue;
        }
        if !word.closes() && !light(at + 1) {
            bind(at + 1);
        } else if at > 0 && !parts(at - 1) {
            bind(at);
            if light(at - 1) && at > 1 && !parts(at - 2) {
                bind(at - 1);
            }
        }
    }
}

/// A run of characters between white space.
struct Word<'a> {
    span: Range<usize>,
    raw: &'a str,
    /// Lower case, without punctuation around it.
    bare: String,
}

impl<'a> Word<'a> {
    fn all(text: &'a str, unit: &Range<usize>) -> Vec<Self> {
        let inside = text.get(unit.clone()).unwrap_or_default();
        let words = inside.split_whitespace().map(|raw| {
            let start = unit.start + (raw.as_ptr() as usize - inside.as_ptr() as usize);
            let bare = raw.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
            Word { span: start..start + raw.len(), raw, bare }
        });
        words.collect()
    }

    fn begins_high(&self) -> bool {
        self.raw.trim_start_matches(|c: char| !c.is_alphanumeric()).chars().next().is_some_and(char::is_uppercase)
    }

    fn has_digit(&self) -> bool {
        self.raw.chars().any(|c| c.is_numeric())
    }

    /// The number or letter of a section or an item, such as `2.`, `1.4.` or `(b)`: it says nothing without what follows.
    fn enumerates(&self) -> bool {
        let open = self.raw.strip_prefix('(').unwrap_or(self.raw);
        let Some(mark) = open.strip_suffix([')', '.']) else { return false };
        let parts: Vec<&str> = mark.split('.').collect();
        let number = |part: &&str| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        let letter = mark.len() == 1 && mark.bytes().all(|byte| byte.is_ascii_lowercase());
        letter || parts.len() <= 4 && parts.iter().all(number)
    }

    /// A number that is neither a year nor an amount by itself.
    fn counts(&self) -> bool {
        let number = self.bare.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b',' | b'.'));
        let year = self.bare.len() == 4 && (self.bare.starts_with("19") || self.bare.starts_with("20"));
        number && self.has_digit() && !year && !self.raw.contains(['%', '$', '€', '£', '¥'])
    }

    fn is_strong(&self) -> bool {
        self.begins_high() || self.has_digit()
    }

    /// Whether punctuation parts it from the next word; initials (`J.`) don't.
    fn closes(&self) -> bool {
        let initials = self.bare.chars().count() == 1 || self.bare.contains('.');
        self.raw.ends_with(['.', ',', ';', ':', '!', '?', ')']) && !(self.raw.ends_with('.') && initials)
    }

    fn is_day_or_month(&self) -> bool {
        MONTHS.contains(&self.bare.as_str())
            || (self.raw.ends_with(',') && self.bare.len() <= 2 && self.bare.bytes().all(|byte| byte.is_ascii_digit()))
    }
}

const MONTHS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Small words inside of a name: `Bank of the West`, `Ludwig van Beethoven`.
const WITHIN_NAMES: &[&str] = &["of", "the", "de", "la", "von", "van", "der", "and", "&", "for"];

/// The longest group in words.
const LONGEST: usize = 8;

/// Where the group that starts at `start` ends.
fn group_end(words: &[Word<'_>], start: usize) -> usize {
    let Some(first) = words.get(start) else { return start + 1 };
    let mut last = start;
    // `May` is a month before a number, a stop word elsewhere.
    let opens_date = MONTHS.contains(&first.bare.as_str()) && words.get(start + 1).is_some_and(Word::has_digit);
    if !first.is_strong() || is_stop_word(&first.bare) && !first.has_digit() && !opens_date {
        return start + 1;
    }
    while last + 1 - start < LONGEST {
        let Some(word) = words.get(last) else { break };
        if (word.closes() && !word.is_day_or_month()) || word.raw.ends_with(']') {
            break;
        }
        let strong = |at: usize| words.get(at).is_some_and(Word::is_strong);
        let links = |at: usize| words.get(at).is_some_and(|word| WITHIN_NAMES.contains(&word.raw));
        if strong(last + 1) {
            last += 1;
        } else if word.has_digit() && words.get(last + 1).is_some_and(|next| UNITS.contains(&next.bare.as_str())) {
            last += 1;
            break;
        } else if links(last + 1) && strong(last + 2) && words.get(last + 1).is_some_and(|link| link.raw != "and") {
            last += 2;
        } else if links(last + 1) && links(last + 2) && strong(last + 3) {
            last += 3;
        } else {
            break;
        }
    }
    last + 1
}

/// What a number counts or measures when it stands behind it.
const UNITS: &[&str] = &[
    "million",
    "billion",
    "trillion",
    "thousand",
    "hundred",
    "percent",
    "per",
    "years",
    "year",
    "months",
    "days",
    "hours",
    "minutes",
    "seconds",
    "miles",
    "mile",
    "km",
    "kilometers",
    "kilometres",
    "m",
    "meters",
    "metres",
    "feet",
    "ft",
    "inches",
    "kg",
    "pounds",
    "tons",
    "dollars",
    "euros",
    "people",
    "times",
    "ms",
    "mb",
    "gb",
    "bc",
    "ad",
    "am",
    "pm",
    "episodes",
];

struct Scorer<'a> {
    text: &'a str,
    tokens: &'a dyn CountTokens,
    repeats_count: bool,
    costs: HashMap<&'a str, usize>,
    seen_words: HashMap<String, u32>,
    seen_phrases: HashMap<String, u32>,
}

impl<'a> Scorer<'a> {
    fn phrase(&mut self, whole: &[Word<'a>], group: &[Word<'a>], unit: usize, opens_unit: bool) -> Phrase {
        let span = whole.first().map_or(0, |word| word.span.start)..whole.last().map_or(0, |word| word.span.end);
        let cost = whole.iter().map(|word| self.cost(word.raw)).sum::<usize>().max(1);
        let strong = group.iter().any(Word::is_strong);
        let filler = group.len() == 1 && group.iter().all(|word| is_filler(word.raw));
        let (mut value, repeated) = self.information(group);
        let whole: Vec<&str> = group.iter().map(|word| word.bare.as_str()).collect();
        let times = self.seen_phrases.entry(whole.join(" ")).or_insert(0);
        let digits = group.iter().any(Word::has_digit);
        let label =
            opens_unit && group.first().is_some_and(|word| word.raw.starts_with('[') && word.raw.ends_with(']'));
        if strong {
            value += 5.0;
        }
        if digits {
            value += 2.0;
        }
        // A capital letter at the beginning says nothing about a name.
        if opens_unit && strong && !digits && group.len() == 1 {
            value -= 5.0;
        }
        match (if self.repeats_count { *times } else { 0 }, group.len()) {
            (0, words @ 2..) => value += 3.0 + 0.3 * (words - 2) as f32,
            (0, _) => {}
            _ => value *= 0.2,
        }
        let repeated = if *times > 0 { 1.0 } else { repeated };
        *times += 1;
        debug_assert!(self.text.get(span.clone()).is_some());
        if label {
            value = LABEL;
        }
        let value = value / (cost as f32).powf(COST_POWER);
        Phrase { span, unit, cost, value, smoothed: value, repeated, strong, filler, opens: opens_unit, closes: false }
    }

    /// The mean rarity of the group's words, less for words that stood before, and the share of those.
    fn information(&mut self, group: &[Word<'a>]) -> (f32, f32) {
        let (mut total, mut counted, mut before) = (0.0, 0.0, 0.0);
        for word in group {
            let seen = self.seen_words.entry(stem(&word.bare)).or_insert(0);
            let times = *seen;
            *seen += 1;
            if is_stop_word(&word.bare) && group.len() > 1 {
                continue;
            }
            let rare =
                if is_stop_word(&word.bare) || word.bare.is_empty() { -1.0 } else { lexicon::rarity(&word.bare) };
            let digits = if word.has_digit() { 2.0 } else { 0.0 };
            let high = if word.begins_high() { 2.0 } else { 0.0 };
            let fade = if self.repeats_count { times as f32 } else { 0.0 };
            total += rare / (1.0 + 0.3 * fade) + digits + high;
            counted += 1.0;
            before += f32::from(u8::from(times > 0));
        }
        if counted > 0.0 { (total / counted, before / counted) } else { (0.0, 0.0) }
    }

    fn cost(&mut self, raw: &'a str) -> usize {
        if let Some(cost) = self.costs.get(raw) {
            return *cost;
        }
        let cost = self.tokens.count(&format!(" {raw}"));
        self.costs.insert(raw, cost);
        cost
    }
}

/// What a passage's label such as `[3]` tells.
const LABEL: f32 = 0.5;

/// How strongly the length of a phrase counts against it.
const COST_POWER: f32 = 0.25;

/// A phrase beside a telling one is worth more: answers are longer than words.
fn smooth(phrases: &mut [Phrase]) {
    let mut values: Vec<f32> = phrases.iter().map(|phrase| phrase.smoothed).collect();
    even_out(&mut values, 0.15, 2);
    for (phrase, value) in phrases.iter_mut().zip(values) {
        phrase.smoothed = value;
    }
}

/// The phrases of each unit, with what belongs to each of them.
pub(super) fn by_unit<'p, T>(
    phrases: &'p [Phrase],
    mut rest: &'p mut [T],
) -> impl Iterator<Item = (&'p [Phrase], &'p mut [T])> {
    phrases.chunk_by(|a, b| a.unit == b.unit).map_while(move |unit| {
        let (inside, others) = std::mem::take(&mut rest).split_at_mut_checked(unit.len())?;
        rest = others;
        Some((unit, inside))
    })
}

/// Gives each value some of its neighbours', `share` of each of the two, so many times.
pub(super) fn even_out(values: &mut [f32], share: f32, rounds: usize) {
    for _ in 0..rounds {
        let before = values.to_vec();
        for (at, value) in values.iter_mut().enumerate() {
            let own = *value;
            let near = |place: Option<usize>| place.and_then(|place| before.get(place)).copied().unwrap_or(own);
            *value = (1.0 - 2.0 * share) * own + share * (near(at.checked_sub(1)) + near(Some(at + 1)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::Encoding;

    fn cut(text: &str) -> Vec<&str> {
        let whole = 0..text.len();
        let found = phrases(text, std::slice::from_ref(&whole), &Encoding::O200k, true);
        found.iter().filter_map(|phrase| text.get(phrase.span.clone())).map(str::trim).collect()
    }

    #[test]
    fn names_and_dates_stand_or_fall_as_a_whole() {
        for whole in ["Ludwig van Beethoven", "May 18, 2018.", "150,782 SEK,", "Bank of the West"] {
            let text = format!("yesterday we saw {whole} again");
            assert!(cut(&text).contains(&whole), "{:?}", cut(&text));
        }
    }

    #[test]
    fn a_number_stays_with_what_it_counts_or_is_said_of() {
        for whole in ["3 environments,", "code is 4471.", "agreed 4;"] {
            let text = "They list 3 environments, took 9 hours instead of the agreed 4; the door code is 4471.";
            assert!(cut(text).contains(&whole), "{:?}", cut(text));
        }
    }

    #[test]
    fn phrases_hold_every_word_of_a_unit_in_order() {
        let text = "The prize went to John Bardeen twice, in 1956 and 1972.";
        let words: Vec<&str> = text.split_whitespace().collect();
        let held: Vec<&str> = cut(text).into_iter().flat_map(str::split_whitespace).collect();
        assert_eq!(held, words);
    }
}
