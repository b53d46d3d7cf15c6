//! What was chosen of a text, in numbers: enough to write the same condensed text again, without a model and without a
//! word of the text.
//!
//! A provider's cached prefix lives as long as the conversation does: longer than a cache of texts, a process or a
//! replica. Reading a text into items is a pure function of the text and what is asked; what costs time is weighing them.
//! So it is enough to remember, item by item, which variant stands, and to read the text again.

use std::borrow::Cow;

use super::{
    CountTokens, Policy, Query,
    ask::{self, Wanted},
    form::{self, Item, Page, Reader},
    mark,
    outcome::{Condensation, Outcome, Reason, Unit},
    unit,
};

/// What stands for each item of a text, in a few bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice(Box<[u8]>);

/// What stands for one item.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stands {
    /// Nothing.
    Absent,
    /// Its bytes of the source.
    Verbatim,
    /// These bytes of it, in turn kept and left out, the first of them in upper case or not: a statement with constituents
    /// left out, which no form could say again without the model.
    Cut(bool, Vec<usize>),
    /// A variant of its form.
    Variant(usize),
}

/// What begins a choice: the text was condensed, or goes on for one of these reasons.
const CONDENSED: usize = 0;
const REASONS: [Reason; 4] = [Reason::NoGain, Reason::Protected, Reason::Frame, Reason::BelowMinimum];

const ABSENT: usize = 0;
const VERBATIM: usize = 1;
const CUT: usize = 2;
const VARIANT: usize = 4;

/// Bytes of a choice of one text: some thousand stretches. What needs more is made anew.
const MOST: usize = 16 * 1024;

impl Choice {
    /// What a condensation chose of a page; `read` counts the variants that its forms gave each item. `None` where it
    /// can't be told in numbers.
    pub(super) fn of(source: &str, page: &Page<'_>, read: &[usize], condensation: &Condensation) -> Option<Self> {
        let mut bytes = Vec::new();
        match condensation.outcome {
            Outcome::Unchanged(reason) => {
                put(&mut bytes, 1 + REASONS.iter().position(|known| *known == reason)?);
                put(&mut bytes, condensation.tokens_before);
                return Some(Self(bytes.into()));
            }
            Outcome::Compressed(_) => put(&mut bytes, CONDENSED),
        }
        put(&mut bytes, condensation.tokens_before);
        put(&mut bytes, condensation.tokens_after);
        put(&mut bytes, page.items.len());
        if condensation.units.len() != page.items.len() {
            return None;
        }
        let mut stretch: Option<(Stands, usize)> = None;
        for ((unit, item), read) in condensation.units.iter().zip(&page.items).zip(read) {
            let stands = stands(source, unit, item, *read)?;
            match &mut stretch {
                Some((same, count)) if *same == stands && !matches!(same, Stands::Cut(..)) => *count += 1,
                _ => {
                    if let Some(stretch) = stretch.replace((stands, 1)) {
                        write(&mut bytes, stretch);
                    }
                }
            }
            if bytes.len() > MOST {
                return None;
            }
        }
        if let Some(stretch) = stretch {
            write(&mut bytes, stretch);
        }
        Some(Self(bytes.into()))
    }

    /// The bytes, for whoever keeps them.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// A choice from kept bytes. They are trusted with nothing: what they say is looked at when it is replayed.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.get(..MOST.min(bytes.len())).unwrap_or_default().into())
    }
}

/// Writes a text as it was condensed once, from what was chosen then; the same bytes wherever text, query, policy and
/// [`PIPELINE_VERSION`](super::PIPELINE_VERSION) are the same.
///
/// `None` where the choice isn't one of this text. Units carry no score: nothing was weighed.
#[must_use]
pub fn replay(
    text: &str,
    query: &Query,
    policy: &Policy,
    tokens: &dyn CountTokens,
    choice: &Choice,
) -> Option<Condensation> {
    let mut bytes = &*choice.0;
    let kind = take(&mut bytes)?;
    let before = take(&mut bytes)?;
    if let Some(reason) = kind.checked_sub(1) {
        let choice = Some(choice.clone());
        return Some(Condensation { choice, ..Condensation::unchanged(*REASONS.get(reason)?, before) });
    }
    let (after, count) = (take(&mut bytes)?, take(&mut bytes)?);
    let frame = ask::frame(text, query);
    let wanted = Wanted::new(query, frame.question(text));
    let reader = Reader { wanted: &wanted, query, ratio: policy.ratio, style: policy.style, tokens };
    let page = form::read(text, &frame, &reader);
    if page.items.len() != count {
        return None;
    }
    let mut units: Vec<Unit> = Vec::with_capacity(count);
    while units.len() < count {
        let (stands, run) = next(&mut bytes)?;
        if run == 0 || run > count - units.len() {
            return None;
        }
        for _ in 0..run {
            let item = page.items.get(units.len())?;
            units.push(replayed(text, item, &stands)?);
        }
    }
    let outcome = Outcome::Compressed(mark::assemble(text, &units));
    Some(Condensation { outcome, tokens_before: before, tokens_after: after, units, choice: Some(choice.clone()) })
}

/// What a unit's text is of its item.
fn stands(source: &str, unit: &Unit, item: &Item<'_>, read: usize) -> Option<Stands> {
    let Some(text) = &unit.text else { return Some(Stands::Absent) };
    let whole = source.get(item.span.clone())?;
    if text == whole {
        return Some(Stands::Verbatim);
    }
    let own = item.variants.iter().take(read).position(|variant| variant.text == *text);
    own.map(Stands::Variant).or_else(|| cut(whole, text))
}

/// A text as what is left out of a source and kept, in turn; with its first letter in upper case where it has none so.
fn cut(source: &str, text: &str) -> Option<Stands> {
    [false, true].into_iter().find_map(|upper| Some(Stands::Cut(upper, lengths(source, text, upper)?)))
}

/// How many bytes of `source` are left out and kept, in turn, so that `text` is what is kept.
fn lengths(source: &str, text: &str, upper: bool) -> Option<Vec<usize>> {
    let mut wanted = text.chars().peekable();
    let mut lengths = vec![0];
    for have in source.chars() {
        let raised = (upper && lengths.len() == 1).then(|| one_upper(have)).flatten();
        let keep = wanted.next_if(|want| *want == have || Some(*want) == raised).is_some();
        if keep != lengths.len().is_multiple_of(2) {
            lengths.push(0);
        }
        if let Some(length) = lengths.last_mut() {
            *length += have.len_utf8();
        }
    }
    (wanted.peek().is_none() && lengths.len() <= MOST_PARTS).then_some(lengths)
}

/// Parts of one statement that are kept or left out.
const MOST_PARTS: usize = 64;

/// A letter in upper case, where that is one letter.
fn one_upper(letter: char) -> Option<char> {
    let mut upper = letter.to_uppercase();
    let first = upper.next();
    first.filter(|_| upper.next().is_none())
}

/// The unit of an item for which this stands.
fn replayed(source: &str, item: &Item<'_>, stands: &Stands) -> Option<Unit> {
    let whole = source.get(item.span.clone())?;
    let (text, lossless): (Option<Cow<'_, str>>, bool) = match stands {
        Stands::Absent => (None, false),
        Stands::Verbatim => (Some(whole.into()), true),
        Stands::Variant(at) => {
            let variant = item.variants.get(*at)?;
            (Some(variant.text.as_ref().into()), variant.lossless)
        }
        Stands::Cut(upper, lengths) => {
            let mut text = String::with_capacity(whole.len());
            let mut at = 0;
            for (part, length) in lengths.iter().enumerate() {
                let end = at + length;
                let bytes = whole.get(at..end)?;
                if part % 2 == 1 {
                    text.push_str(bytes);
                }
                at = end;
            }
            let mut letters = text.chars();
            let first = letters.next()?;
            let text = if *upper { one_upper(first).into_iter().chain(letters).collect() } else { text };
            (Some(text.into()), false)
        }
    };
    Some(unit(source, item, text.as_deref(), lossless, None))
}

/// Writes a stretch of items for which the same stands.
fn write(bytes: &mut Vec<u8>, (stands, count): (Stands, usize)) {
    match stands {
        Stands::Absent => put(bytes, ABSENT),
        Stands::Verbatim => put(bytes, VERBATIM),
        Stands::Variant(at) => put(bytes, VARIANT + at),
        Stands::Cut(upper, lengths) => {
            put(bytes, CUT + usize::from(upper));
            put(bytes, lengths.len());
            lengths.into_iter().for_each(|length| put(bytes, length));
            return;
        }
    }
    put(bytes, count);
}

/// Reads such a stretch.
fn next(bytes: &mut &[u8]) -> Option<(Stands, usize)> {
    let code = take(bytes)?;
    if let Some(variant) = code.checked_sub(VARIANT) {
        return Some((Stands::Variant(variant), take(bytes)?));
    }
    match code {
        ABSENT => Some((Stands::Absent, take(bytes)?)),
        VERBATIM => Some((Stands::Verbatim, take(bytes)?)),
        _ => {
            let parts = take(bytes).filter(|parts| *parts <= MOST_PARTS)?;
            let lengths = (0..parts).map(|_| take(bytes)).collect::<Option<_>>()?;
            Some((Stands::Cut(code > CUT, lengths), 1))
        }
    }
}

/// Writes a number, seven bits a byte, the lowest first (LEB128).
fn put(bytes: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Reads one.
fn take(bytes: &mut &[u8]) -> Option<usize> {
    let mut number = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= usize::from(byte & 0x7f).checked_shl(shift)?;
        if *byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::{Encoding, Factor, Ratio, RewriteError, Rewriter, Shorter, compress};

    #[test]
    fn numbers_read_as_they_were_written() {
        let mut bytes = Vec::new();
        let numbers = [0, 1, 127, 128, 300, 65_536, usize::MAX];
        numbers.into_iter().for_each(|number| put(&mut bytes, number));
        let mut rest = &*bytes;
        assert_eq!(numbers.map(|_| take(&mut rest).unwrap()), numbers);
        assert_eq!((take(&mut rest), take(&mut &[0x80_u8; 30][..])), (None, None));
    }

    #[test]
    fn a_statement_with_constituents_left_out_is_told_by_lengths() {
        let source = "However, the mayor, Ann Lee, left (at 9). ";
        for text in ["The mayor left. ", "However, the mayor left (at 9). ", "However, the mayor, Ann Lee, left. "] {
            let Some(Stands::Cut(upper, lengths)) = cut(source, text) else { panic!("{text}") };
            let item = Item::whole(0..source.len(), source, form::Form::Prose, crate::compress::Noun::Sentences);
            let unit = replayed(source, &item, &Stands::Cut(upper, lengths)).unwrap();
            assert_eq!(unit.text.as_deref(), Some(text));
        }
        assert_eq!(cut(source, "The mayor stayed. "), None);
    }

    /// Leaves out what stands between two commas.
    struct Cuts;

    impl Rewriter for Cuts {
        fn fingerprint(&self) -> &str {
            "cuts"
        }

        fn shorten(&mut self, statements: &[&str]) -> Result<Vec<Option<Shorter>>, RewriteError> {
            let cut = |text: &&str| {
                let (before, rest) = text.split_once(", ")?;
                Some(Shorter::Text(format!("{before}{}", rest.split_once(',')?.1)))
            };
            Ok(statements.iter().map(cut).collect())
        }
    }

    fn texts() -> Vec<String> {
        let told = |mile: usize| {
            format!(
                "The bridge at mill {mile}, as is known, has been closed since {mile} April for repairs. The ferry takes \
                 {mile} people an hour across the river and costs them {mile} crowns. "
            )
        };
        let row = |at: usize| {
            format!("{{\"id\": {at}, \"name\": \"item {at}\", \"state\": \"open\", \"owner\": \"u{}\"}}", at % 7)
        };
        let line = |at: usize| format!("2026-01-01T00:00:{:02}Z INFO worker {} took job {at}\n", at % 60, at % 3);
        vec![
            (1..30).map(told).collect(),
            format!("[{}]", (1..60).map(row).collect::<Vec<_>>().join(", ")),
            (1..90).map(line).collect(),
            (1..60).map(|at| format!("| {at} | name {at} | {} |\n", at * 3)).collect::<String>(),
        ]
    }

    #[test]
    fn a_choice_replays_to_the_same_bytes_without_a_model() {
        let mut condensed = 0;
        for text in texts() {
            for ratio in [Ratio::Auto, Ratio::By(Factor::new(2.0).unwrap()), Ratio::By(Factor::new(8.0).unwrap())] {
                let policy = Policy { ratio, min_tokens: 16, ..Policy::default() };
                let query =
                    Query { preceding: "Since when is the bridge at mill 7 closed?".to_owned(), ..Query::default() };
                let first = compress(&text, &query, &policy, &Encoding::O200k, Some(&mut Cuts)).unwrap();
                let choice = Choice::from_bytes(first.choice.as_ref().unwrap().bytes());
                let again = replay(&text, &query, &policy, &Encoding::O200k, &choice).unwrap();
                assert_eq!(again.outcome, first.outcome);
                assert_eq!((again.tokens_before, again.tokens_after), (first.tokens_before, first.tokens_after));
                let fates = |of: &Condensation| -> Vec<_> { of.units.iter().map(|unit| unit.text.clone()).collect() };
                assert!(first.text().is_none() || fates(&again) == fates(&first));
                condensed += usize::from(first.text().is_some());
            }
        }
        assert!(condensed >= 8, "{condensed}");
    }

    #[test]
    fn bytes_that_are_no_choice_of_a_text_replay_to_nothing() {
        let text = texts().swap_remove(0);
        let policy = Policy { ratio: Ratio::By(Factor::new(4.0).unwrap()), min_tokens: 16, ..Policy::default() };
        let first = compress(&text, &Query::default(), &policy, &Encoding::O200k, None).unwrap();
        let bytes = first.choice.unwrap().bytes().to_vec();
        let replays = |bytes: &[u8], text: &str| {
            replay(text, &Query::default(), &policy, &Encoding::O200k, &Choice::from_bytes(bytes))
        };
        assert!(replays(&bytes, &text).is_some());
        assert_eq!(replays(&bytes, &texts()[1]), None);
        for end in 0..bytes.len() {
            assert_eq!(replays(&bytes[..end], &text), None, "{end}");
        }
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 0xff;
            // Nothing to hold on to but that it ends and says nothing that the text doesn't.
            let _ = replays(&other, &text);
        }
    }
}
