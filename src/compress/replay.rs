//! What was chosen of a text, in numbers: enough to write the same condensed text again, without a model and without a
//! word of the text.
//!
//! A provider's cached prefix lives as long as the conversation does: longer than a cache of texts, a process or a
//! replica. What costs time is to read a text into items and to weigh them. So what is remembered is where each item ends
//! and what stands for it. Only variants that a form writes in its own way (a table for JSON) are read again.

use std::{borrow::Cow, cell::OnceCell, ops::Range};

use serde::{Deserialize, Serialize};

use super::{
    CountTokens, Policy, Query,
    ask::{self, Wanted},
    form::{self, Form, Item, Page, Reader},
    mark,
    outcome::{Choice, Condensation, Decision, Noun, Outcome, Reason, Redundancy, Unit, Why},
};

/// What the bytes say.
#[derive(Serialize, Deserialize)]
struct Script {
    /// Why the text goes on as it came, where it does.
    unchanged: Option<Reason>,
    before: usize,
    after: usize,
    stretches: Vec<Stretch>,
}

/// Items in sequence of one kind and with one fate.
#[derive(Serialize, Deserialize)]
struct Stretch {
    form: Form,
    noun: Noun,
    /// Which of [`ENDS`] is the white space behind them; `None` for the source's.
    ends: Option<u8>,
    stands: Stands,
    /// In how many JSON strings they stand.
    escaped: u8,
    /// Of each item its bytes in the source, and how many a mark would count.
    items: Vec<(usize, usize)>,
}

/// What stands for an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Stands {
    /// Nothing.
    Absent,
    /// Nothing, since it is said elsewhere.
    Said,
    /// Its bytes of the source.
    Verbatim,
    /// The same, as it is addressed to the model or exact by its form.
    Fixed,
    /// These bytes of it, left out and kept in turn, the first letter in upper case or not: a statement with constituents
    /// left out, which no form could say again without the model.
    Cut(bool, Vec<usize>),
    /// A variant of its form, and whether it is lossless.
    Variant(usize, bool),
    /// A reference to where it was seen before.
    Seen(usize),
}

/// Strings one within the other. Each doubles the escapes of what is written in it, so that bytes which nobody chose must not
/// say how many there are; texts have one or two.
const MOST_STRINGS: u8 = 6;

/// What may be put behind an item in place of the source's white space.
const ENDS: [&str; 4] = ["", " ", "\n", "\n\n"];

/// What a condensation chose of a page; `read` counts the variants that its forms gave each item. `None` where it can't be
/// told in numbers.
pub(super) fn choice(source: &str, page: &Page<'_>, read: &[usize], condensation: &Condensation) -> Option<Choice> {
    let Condensation { tokens_before: before, tokens_after: after, ref units, .. } = *condensation;
    let mut script = Script { unchanged: None, before, after, stretches: Vec::new() };
    match condensation.outcome {
        Outcome::Unchanged(reason) => script.unchanged = Some(reason),
        Outcome::Compressed(_) => {
            for ((unit, item), read) in units.iter().zip(&page.items).zip(read) {
                script.note(unit, stands(source, unit, item, *read)?)?;
            }
        }
    }
    Choice::from_bytes(&postcard::to_allocvec(&script).ok()?)
}

impl Script {
    fn note(&mut self, unit: &Unit, stands: Stands) -> Option<()> {
        let ends = match unit.ends {
            None => None,
            Some(ends) => Some(u8::try_from(ENDS.iter().position(|known| *known == ends)?).ok()?),
        };
        let item = (unit.span.len(), unit.count);
        let goes_on = |last: &&mut Stretch| {
            (last.form, last.noun, last.ends, last.escaped) == (unit.form, unit.noun, ends, unit.escaped)
                && last.stands == stands
        };
        match self.stretches.last_mut().filter(goes_on) {
            Some(last) => last.items.push(item),
            None => {
                let Unit { form, noun, escaped, .. } = *unit;
                (escaped <= MOST_STRINGS).then_some(())?;
                self.stretches.push(Stretch { form, noun, ends, stands, escaped, items: vec![item] });
            }
        }
        Some(())
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
    let Script { unchanged, before, after, stretches } = postcard::from_bytes(choice.bytes()).ok()?;
    let found = Condensation {
        choice: Some(choice.clone()),
        ..Condensation::unchanged(unchanged.unwrap_or(Reason::NoGain), before)
    };
    if unchanged.is_some() {
        return Some(found);
    }
    let page = OnceCell::new();
    let read = |at: usize| {
        let page = page.get_or_init(|| {
            let frame = ask::frame(text, query);
            let wanted = Wanted::new(query, frame.asked(text));
            let of_file = form::detect::reads_file(query);
            let reader = Reader { wanted: &wanted, query, of_file, ratio: policy.ratio, style: policy.style, tokens };
            form::read(text, &frame, &reader).items
        });
        page.get(at)
    };
    let (mut units, mut at) = (Vec::new(), 0);
    for stretch in &stretches {
        (stretch.escaped <= MOST_STRINGS).then_some(())?;
        for (length, count) in &stretch.items {
            let span = at..usize::checked_add(at, *length).filter(|end| *end <= text.len())?;
            at = span.end;
            let whole = text.get(span.clone())?;
            let stands = match &stretch.stands {
                Stands::Absent | Stands::Said => None,
                Stands::Verbatim | Stands::Fixed => Some(Cow::Borrowed(whole)),
                Stands::Seen(at) => {
                    let item = read(units.len()).filter(|item| item.span == span && item.seen == Some(*at))?;
                    Some(item.text().into())
                }
                Stands::Cut(upper, lengths) => Some(kept(whole, *upper, lengths)?.into()),
                Stands::Variant(variant, _) => {
                    let item = read(units.len()).filter(|item| item.span == span)?;
                    Some(item.written(item.variants.get(*variant)?, text))
                }
            };
            units.push(unit(stretch, span, *count, stands.as_deref()));
        }
    }
    if at != text.len() {
        return None;
    }
    let (written, original) = mark::assemble(text, &units, query.original);
    Some(Condensation { outcome: Outcome::Compressed(written), original, tokens_after: after, units, ..found })
}

/// The unit of an item for which this stands.
fn unit(stretch: &Stretch, span: Range<usize>, count: usize, text: Option<&str>) -> Unit {
    let (decision, why) = match stretch.stands {
        Stands::Absent => (Decision::Dropped, Why::Outweighed),
        Stands::Said => (Decision::Dropped, Why::Said),
        Stands::Verbatim => (Decision::Kept, Why::Chosen),
        Stands::Fixed if stretch.form == Form::Frame => (Decision::Kept, Why::Frame),
        Stands::Fixed => (Decision::Kept, Why::Exact),
        Stands::Seen(_) => (Decision::Rewritten, Why::Seen),
        Stands::Variant(_, true) => (Decision::Rewritten, Why::Lossless),
        Stands::Cut(..) | Stands::Variant(..) => (Decision::Rewritten, Why::Shorter),
    };
    Unit {
        span,
        form: stretch.form,
        score: None,
        redundancy: Redundancy::default(),
        decision,
        why,
        text: text.map(str::to_owned),
        noun: stretch.noun,
        count,
        ends: stretch.ends.and_then(|ends| ENDS.get(usize::from(ends)).copied()),
        escaped: stretch.escaped,
    }
}

/// What a unit's text is of its item.
fn stands(source: &str, unit: &Unit, item: &Item<'_>, read: usize) -> Option<Stands> {
    let Some(text) = &unit.text else {
        return Some(if unit.why == Why::Said { Stands::Said } else { Stands::Absent });
    };
    if let Some(seen) = item.seen.filter(|_| unit.why == Why::Seen) {
        return Some(Stands::Seen(seen));
    }
    let whole = source.get(item.span.clone())?;
    if text == whole {
        return Some(if item.fixed { Stands::Fixed } else { Stands::Verbatim });
    }
    let own = item.variants.iter().take(read).position(|variant| item.written(variant, source) == *text);
    let lossless = |at: usize| item.variants.get(at).is_some_and(|variant| variant.lossless);
    own.map(|at| Stands::Variant(at, lossless(at))).or_else(|| cut(whole, text))
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

/// What is kept of a source, by such lengths.
fn kept(source: &str, upper: bool, lengths: &[usize]) -> Option<String> {
    (lengths.len() <= MOST_PARTS).then_some(())?;
    let mut text = String::with_capacity(source.len());
    let mut at = 0_usize;
    for (part, length) in lengths.iter().enumerate() {
        let end = at.checked_add(*length)?;
        let bytes = source.get(at..end)?;
        if part % 2 == 1 {
            text.push_str(bytes);
        }
        at = end;
    }
    let mut letters = text.chars();
    let first = letters.next()?;
    Some(if upper { one_upper(first).into_iter().chain(letters).collect() } else { text })
}

/// A letter in upper case, where that is one letter.
fn one_upper(letter: char) -> Option<char> {
    let mut upper = letter.to_uppercase();
    let first = upper.next();
    first.filter(|_| upper.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::{Encoding, Factor, OriginalId, READ, Ratio, RewriteError, Rewriter, Shorter, compress};

    #[test]
    fn a_statement_with_constituents_left_out_is_told_by_lengths() {
        let source = "However, the mayor, Ann Lee, left (at 9). ";
        for text in ["The mayor left. ", "However, the mayor left (at 9). ", "However, the mayor, Ann Lee, left. "] {
            let Some(Stands::Cut(upper, lengths)) = cut(source, text) else { panic!("{text}") };
            assert_eq!(kept(source, upper, &lengths).as_deref(), Some(text));
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
        let (mut condensed, mut named) = (0, 0);
        for text in texts() {
            for ratio in [Ratio::Auto, Ratio::By(Factor::new(2.0).unwrap()), Ratio::By(Factor::new(8.0).unwrap())] {
                let policy = Policy { ratio, min_tokens: 16, ..Policy::default() };
                let preceding = "Since when is the bridge at mill 7 closed?".to_owned();
                let query = Query { preceding, original: Some(OriginalId::new(7)), ..Query::default() };
                let first = compress(&text, &query, &policy, &Encoding::O200k, Some(&mut Cuts)).unwrap();
                let choice = Choice::from_bytes(first.choice.as_ref().unwrap().bytes()).unwrap();
                let again = replay(&text, &query, &policy, &Encoding::O200k, &choice).unwrap();
                assert_eq!((&again.outcome, again.original), (&first.outcome, first.original));
                assert_eq!(first.original.is_some(), first.text().is_some_and(|text| text.contains(READ)));
                named += usize::from(first.original.is_some());
                assert_eq!((again.tokens_before, again.tokens_after), (first.tokens_before, first.tokens_after));
                let fates = |of: &Condensation| -> Vec<_> { of.units.iter().map(|unit| unit.text.clone()).collect() };
                assert!(first.text().is_none() || fates(&again) == fates(&first));
                condensed += usize::from(first.text().is_some());
            }
        }
        assert!(condensed >= 8 && named >= 6, "{condensed} {named}");
    }

    #[test]
    fn bytes_that_are_no_choice_of_a_text_replay_to_nothing() {
        let text = texts().swap_remove(0);
        let policy = Policy { ratio: Ratio::By(Factor::new(4.0).unwrap()), min_tokens: 16, ..Policy::default() };
        let first = compress(&text, &Query::default(), &policy, &Encoding::O200k, None).unwrap();
        let bytes = first.choice.unwrap().bytes().to_vec();
        let replays = |bytes: &[u8], text: &str| {
            replay(text, &Query::default(), &policy, &Encoding::O200k, &Choice::from_bytes(bytes).unwrap())
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

    #[test]
    fn a_choice_cannot_make_a_short_text_long() {
        let text = texts().swap_remove(1);
        let policy = Policy { ratio: Ratio::By(Factor::new(4.0).unwrap()), min_tokens: 16, ..Policy::default() };
        let first = compress(&text, &Query::default(), &policy, &Encoding::O200k, None).unwrap();
        let damaged = |damage: &dyn Fn(&mut Stretch)| {
            let mut script: Script = postcard::from_bytes(first.choice.as_ref().unwrap().bytes()).unwrap();
            script.stretches.iter_mut().for_each(damage);
            let choice = Choice::from_bytes(&postcard::to_allocvec(&script).unwrap()).unwrap();
            replay(&text, &Query::default(), &policy, &Encoding::O200k, &choice)
        };
        assert_eq!(damaged(&|_| ()).unwrap().outcome, first.outcome);
        // By as many escapes as there are bits in a byte, and by passes over one item without end.
        assert_eq!(damaged(&|stretch| stretch.escaped = u8::MAX), None);
        let parts: Vec<usize> = std::iter::once(0).chain([1, 0].repeat(2000)).collect();
        assert_eq!(damaged(&|stretch| stretch.stands = Stands::Cut(false, parts.clone())), None);
    }
}
