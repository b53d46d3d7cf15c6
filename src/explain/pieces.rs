//! A record in pieces, for a page that puts it together from text nodes: what differs and what a reader would not see is
//! already set apart here, so that the page neither compares nor escapes.

use serde::{Serialize, Serializer, ser::SerializeTuple as _};

use super::{
    Record, SlotRecord, Summary,
    json::Head,
    record::{refusal, state},
    words::{self, Stretch},
};
use crate::{
    compress::{Condensation, Decision, Unit},
    fidelity::Verdict,
};

/// The record in pieces, as JSON.
#[must_use]
pub fn pieces(record: &Record) -> Vec<u8> {
    let page = Page { summary: Summary::of(record), slots: record.slots.iter().map(SlotPage::of).collect() };
    serde_json::to_vec(&page).unwrap_or_default()
}

/// The units of one text beside what became of them, at most [`MOST_ROWS`].
#[must_use]
pub fn rows<'a>(original: &'a str, condensation: &'a Condensation, verdict: Option<&Verdict>) -> Vec<Row<'a>> {
    let flagged = verdict.map(Verdict::flagged).unwrap_or_default();
    let units = condensation.units.iter().enumerate().take(MOST_ROWS);
    units.map(|(at, unit)| Row::of(unit, original, flagged.contains(&at))).collect()
}

#[derive(Serialize)]
struct Page<'a> {
    #[serde(flatten)]
    summary: Summary<'a>,
    slots: Vec<SlotPage<'a>>,
}

#[derive(Serialize)]
struct SlotPage<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    accepted: bool,
    known: bool,
    /// Units kept, rewritten, dropped.
    fates: [usize; 3],
    /// What the fidelity check says.
    fidelity: Option<String>,
    /// Empty where the text was not divided.
    rows: Vec<Row<'a>>,
    /// The original where it was not divided.
    whole: Vec<Piece<'a>>,
}

impl<'a> SlotPage<'a> {
    fn of(slot: &'a SlotRecord) -> Self {
        let divided = !slot.condensation.units.is_empty();
        Self {
            head: Head::of(slot),
            accepted: slot.accepted,
            known: slot.cached,
            fates: slot.fates(),
            fidelity: slot.verdict.as_deref().map(state),
            rows: rows(&slot.original, &slot.condensation, slot.verdict.as_deref()),
            whole: if divided { Vec::new() } else { shared(&slot.original) },
        }
    }
}

/// One unit: its words in the original, and what stands for them.
#[derive(Debug, Serialize)]
pub struct Row<'a> {
    fate: &'static str,
    kind: &'static str,
    score: Option<f32>,
    why: String,
    /// Whether the guard refused its shorter form.
    refused: bool,
    /// Whether the fidelity check flagged it.
    flagged: bool,
    old: Vec<Piece<'a>>,
    new: Vec<Piece<'a>>,
}

impl<'a> Row<'a> {
    fn of(unit: &'a Unit, original: &'a str, flagged: bool) -> Self {
        let original = original.get(unit.span.clone()).unwrap_or_default().trim_matches('\n');
        let text = unit.text.as_deref().unwrap_or_default().trim_matches('\n');
        let (old, new) = match unit.decision {
            Decision::Kept => (shared(original), shared(text)),
            Decision::Dropped => (cut(original, Tag::Left), Vec::new()),
            Decision::Rewritten => {
                let (old, new) = words::compare(original, text);
                (marked(&old, Tag::Left), marked(&new, Tag::Put))
            }
        };
        let (fate, kind) = (unit.decision.as_str(), unit.form.as_str());
        let (refused, why) = (refusal(unit).is_some(), unit.why.to_string());
        Self { fate, kind, score: unit.score, why, refused, flagged, old, new }
    }
}

/// A stretch of text that is shown in one way; written as `[tag, text]`.
#[derive(Debug, PartialEq, Eq)]
struct Piece<'a>(Tag, std::borrow::Cow<'a, str>);

/// How a stretch is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    /// As it is.
    Same,
    /// Left out.
    Left,
    /// Put in.
    Put,
    /// A character that a browser would hide or obey, by its code point.
    Hidden,
    /// So many characters more than are shown.
    More,
}

impl Serialize for Piece<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tag = match self.0 {
            Tag::Same => "",
            Tag::Left => "del",
            Tag::Put => "ins",
            Tag::Hidden => "hidden",
            Tag::More => "more",
        };
        let mut pair = serializer.serialize_tuple(2)?;
        pair.serialize_element(tag)?;
        pair.serialize_element(&self.1)?;
        pair.end()
    }
}

fn shared(text: &str) -> Vec<Piece<'_>> {
    cut(text, Tag::Same)
}

fn marked<'a>(stretches: &[Stretch<'a>], tag: Tag) -> Vec<Piece<'a>> {
    stretches.iter().flat_map(|s| cut(s.text, if s.shared { Tag::Same } else { tag })).collect()
}

/// A text with what a reader would not see set apart, and what is too long cut off and counted.
fn cut(text: &str, tag: Tag) -> Vec<Piece<'_>> {
    let end = text.char_indices().nth(LONGEST).map_or(text.len(), |(at, _)| at);
    let (text, rest) = text.split_at(end);
    let (mut pieces, mut start) = (Vec::new(), 0);
    for (at, char) in text.char_indices().filter(|(_, char)| words::hides(*char)) {
        pieces.extend(plain(text.get(start..at), tag));
        pieces.push(Piece(Tag::Hidden, format!("U+{:04X}", u32::from(char)).into()));
        start = at + char.len_utf8();
    }
    pieces.extend(plain(text.get(start..), tag));
    if !rest.is_empty() {
        pieces.push(Piece(Tag::More, rest.chars().count().to_string().into()));
    }
    pieces
}

fn plain(text: Option<&str>, tag: Tag) -> Option<Piece<'_>> {
    text.filter(|text| !text.is_empty()).map(|text| Piece(tag, text.into()))
}

/// Units of one text that a page shows at most.
pub const MOST_ROWS: usize = 2000;

/// Characters of one unit that a page shows at most.
const LONGEST: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn json(pieces: &[Piece<'_>]) -> String {
        serde_json::to_string(pieces).unwrap()
    }

    #[test]
    fn what_a_reader_would_not_see_is_shown_by_its_code_point() {
        let text = "pay\u{202e}99\u{200b} <b>";
        assert_eq!(
            json(&shared(text)),
            r#"[["","pay"],["hidden","U+202E"],["","99"],["hidden","U+200B"],[""," <b>"]]"#
        );
        assert_eq!(json(&shared("")), "[]");
    }

    #[test]
    fn a_unit_of_any_length_stays_within_what_a_page_can_show() {
        let text = "é".repeat(LONGEST + 7);
        let pieces = cut(&text, Tag::Left);
        assert_eq!((pieces.len(), pieces[0].0, &*pieces[1].1), (2, Tag::Left, "7"));
    }
}
