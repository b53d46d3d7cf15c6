//! Forms: what kind of text a block is, and how each is read into items.
//!
//! A form is recognised with confidence or not at all; what is unknown is exact. Each form is one file with one function
//! that reads a block into a [`Reading`]: items in the order of the text whose spans concatenate to the block, each with
//! the variants that are true by themselves, and the bonds between them. How chosen items are written, with marks where
//! something is missing, is the same for every form (see [`mark`](super::mark)).

mod code;
mod columns;
pub(super) mod detect;
mod entries;
mod exact;
mod hits;
mod html;
mod hunk;
mod json;
mod listing;
mod log;
mod narrow;
mod prose;
mod rows;
mod seen;
mod table;
mod telegram;
mod thread;
mod trace;

use std::{borrow::Cow, ops::Range};

pub(super) use super::outcome::Form;

use super::{
    CountTokens,
    ask::{Frame, Query, Wanted},
    bond::{Bond, Bonds},
    fuel,
    outcome::Noun,
    policy::Style,
    ratio::Ratio,
    text::escape,
};

/// A part of a text of one form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// Byte span in the text.
    pub(super) span: Range<usize>,
    /// What it is.
    pub(super) form: Form,
}

/// The smallest thing kept or left out: a statement, a row, a log line, a key, a run of code.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item<'a> {
    /// Bytes of the source that it stands for, white space after it included.
    pub(super) span: Range<usize>,
    /// The form of its block.
    pub(super) form: Form,
    /// From whole to short, at least one; each is true by itself.
    pub(super) variants: Vec<Variant<'a>>,
    /// Whether it stands at every ratio: the frame, what is exact.
    pub(super) fixed: bool,
    /// The item that says the same under the same owner; without a budget this one goes.
    pub(super) said: Option<usize>,
    /// Which passage of an earlier message it is, by its index in [`Query::seen`]; a reference stands for it.
    pub(super) seen: Option<usize>,
    /// How telling it is for its form, whatever its words: 1 for most, more for an error in a log (see
    /// [`weights`](super::worth::weights)).
    pub(super) salience: f32,
    /// Who says it or what it is about (a speaker, a source, a file, a section): equal words of another owner are news.
    pub(super) owner: u32,
    /// What a mark counts where it is left out.
    pub(super) noun: Noun,
    /// How many of them it is; 0 for what no reader would miss (rulers, blank lines).
    pub(super) count: usize,
    /// The white space behind its text, where that is not the source's.
    pub(super) ends: Option<&'static str>,
    /// In how many JSON strings, one within the other, it stands: what it says is written there with escapes.
    pub(super) escaped: u8,
}

/// One way in which an item may stand.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Variant<'a> {
    /// The text, with the white space that ends it.
    pub(super) text: Cow<'a, str>,
    /// The share of the item's worth that it keeps, 0–1.
    pub(super) keeps: f32,
    /// Whether nothing that could be asked later is gone.
    pub(super) lossless: bool,
}

impl<'a> Item<'a> {
    /// An item with its whole text as the only variant.
    ///
    /// Every item begins here, so here is where there must be room for it.
    pub(super) fn whole(span: Range<usize>, text: impl Into<Cow<'a, str>>, form: Form, noun: Noun) -> Self {
        fuel::room(1);
        Self {
            span,
            form,
            variants: vec![Variant::lossless(text)],
            fixed: false,
            said: None,
            seen: None,
            salience: 1.0,
            owner: 0,
            noun,
            count: 1,
            ends: None,
            escaped: 0,
        }
    }

    /// The same item with texts of its own.
    pub(super) fn into_owned<'b>(self) -> Item<'b> {
        let owned = |variant: Variant<'_>| Variant { text: Cow::Owned(variant.text.into_owned()), ..variant };
        let Self { span, form, variants, fixed, said, seen, salience, owner, noun, count, ends, escaped } = self;
        let variants = variants.into_iter().map(owned).collect();
        Item { span, form, variants, fixed, said, seen, salience, owner, noun, count, ends, escaped }
    }

    /// One that stands at every ratio.
    pub(super) fn fixed(span: Range<usize>, text: &'a str, form: Form) -> Self {
        Self { fixed: true, ..Self::whole(span, text, form, Noun::Lines) }
    }

    /// Takes in what stands behind it up to `end`: it is left out with it.
    pub(super) fn lengthen(&mut self, end: usize, text: &str) {
        self.span.end = end;
        for variant in &mut self.variants {
            variant.text.to_mut().push_str(text);
        }
    }

    /// What stands in the condensed text for a variant: the bytes of the source where they say that.
    pub(super) fn written<'i>(&'i self, variant: &'i Variant<'_>, source: &'i str) -> Cow<'i, str> {
        let own = source.get(self.span.clone()).unwrap_or_default();
        if self.escaped > 0 && escape::said(own, self.escaped) == variant.text {
            return Cow::Borrowed(own);
        }
        escape::written(&variant.text, self.escaped)
    }

    /// Whether it only says what others are about, and tells nothing alone.
    pub(super) fn is_label(&self) -> bool {
        self.salience <= 0.0 && matches!(self.noun, Noun::Sentences | Noun::Lines | Noun::FileLines)
    }

    /// Whether it is the key or the head that values stand under.
    pub(super) fn is_key(&self) -> bool {
        self.count == 0 && self.noun == Noun::Keys
    }

    /// Whether it is what a program wrote while it ran: a line of a log, or a record that is one.
    pub(super) fn is_event(&self) -> bool {
        self.form == Form::Log || self.noun == Noun::Lines && matches!(self.form, Form::Json | Form::JsonLines)
    }

    /// Its whole text.
    pub(super) fn text(&self) -> &str {
        self.variants.first().map_or("", |variant| variant.text.as_ref())
    }

    /// The white space that ends its text.
    pub(super) fn white(&self) -> &str {
        self.text().get(self.text().trim_end().len()..).unwrap_or_default()
    }
}

impl<'a> Variant<'a> {
    /// One that says all that its item says.
    pub(super) fn lossless(text: impl Into<Cow<'a, str>>) -> Self {
        Self { text: text.into(), keeps: 1.0, lossless: true }
    }

    /// One that says less, and nothing else.
    pub(super) fn shorter(text: impl Into<Cow<'a, str>>, keeps: f32) -> Self {
        Self { text: text.into(), keeps, lossless: false }
    }
}

/// A block as its form reads it.
#[derive(Debug, Default)]
pub(super) struct Reading<'a> {
    /// In the order of the text; their spans concatenate to the block's.
    pub(super) items: Vec<Item<'a>>,
    /// Between these items, by their index here.
    pub(super) bonds: Vec<Bond>,
}

/// A whole message as items.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) items: Vec<Item<'a>>,
    pub(super) bonds: Bonds,
}

impl Page<'_> {
    /// Whether nothing in it can be left out or said in another way.
    pub(super) fn is_fixed(&self) -> bool {
        self.items.iter().all(|item| item.fixed && item.seen.is_none() && item.variants.len() == 1)
    }
}

/// What a form may look at while it reads a block.
pub(super) struct Reader<'r> {
    /// What is asked.
    pub(super) wanted: &'r Wanted,
    /// The tool call that the text answers, if it is a tool's result.
    pub(super) query: &'r Query,
    /// Whether that call reads a file; asked once, since its arguments may be as long as a text.
    pub(super) of_file: bool,
    /// How far to go. A form never spends the budget; some have nothing to offer without one.
    pub(super) ratio: Ratio,
    /// How prose is shortened.
    pub(super) style: Style,
    /// Counts target tokens.
    pub(super) tokens: &'r dyn CountTokens,
}

impl Reader<'_> {
    /// Whether there is a budget at all.
    pub(super) const fn may_lose(&self) -> bool {
        matches!(self.ratio, Ratio::By(_))
    }
}

/// Reads a message: its frame exact, its material block by block.
pub(super) fn read<'a>(text: &'a str, frame: &Frame, reader: &Reader<'_>) -> Page<'a> {
    let (mut items, mut bonds): (Vec<Item<'a>>, Vec<Bond>) = (Vec::new(), Vec::new());
    read_parts(text, frame.material(), reader, &mut items, &mut bonds);
    code::keep_short(&mut items, reader);
    let (items, bonds) = seen::refer(text, items, bonds, reader);
    let bonds = Bonds::new(items.len(), &bonds);
    Page { items, bonds }
}

/// Reads a text: its material block by block, what is around that exact.
fn read_parts<'a>(
    text: &'a str,
    material: Vec<Range<usize>>,
    reader: &Reader<'_>,
    items: &mut Vec<Item<'a>>,
    bonds: &mut Vec<Bond>,
) {
    let mut at = 0;
    let addressed = |span: Range<usize>| {
        let part = text.get(span.clone()).filter(|part| !part.is_empty())?;
        Some(Item::fixed(span, part, Form::Frame))
    };
    for part in material {
        items.extend(addressed(at..part.start));
        at = part.end;
        read_material(text, part, reader, items, bonds);
    }
    items.extend(addressed(at..text.len()));
}

/// Reads a part of a text that is addressed to nobody, block by block, behind the items there are.
fn read_material<'a>(
    text: &'a str,
    material: Range<usize>,
    reader: &Reader<'_>,
    items: &mut Vec<Item<'a>>,
    bonds: &mut Vec<Bond>,
) {
    let mut heads = prose::Heads::default();
    for block in thread::rejoined(text, detect::blocks(text, material, reader.query)) {
        let by = items.len();
        let mut reading = match block.form {
            Form::Prose if !reader.of_file => prose::read_below(text, &block, &mut heads, by),
            _ if reader.of_file => file_read(text, &block, reader),
            _ => block_read(text, &block, reader),
        };
        bonds.extend(heads.over(&block, &reading, by));
        if block.form == Form::Prose && reader.style == Style::Telegram && reader.may_lose() {
            telegram::shorten(&mut reading.items);
        }
        bonds.extend(reading.bonds.into_iter().map(|bond| bond.shifted(by)));
        items.extend(reading.items.into_iter().map(|item| Item { said: item.said.map(|of| of + by), ..item }));
    }
}

/// Reads a block of a file: it is exact whatever it looks like, and no form re-writes it.
fn file_read<'a>(text: &'a str, block: &Block, reader: &Reader<'_>) -> Reading<'a> {
    match block.form {
        _ if !reader.may_lose() => exact::read(text, block),
        Form::Log => log::read(text, block, reader),
        _ => json::file_within(text, block, reader).unwrap_or_else(|| code::read(text, block, reader)),
    }
}

/// Reads one block by its form.
fn block_read<'a>(text: &'a str, block: &Block, reader: &Reader<'_>) -> Reading<'a> {
    match block.form {
        Form::Prose => prose::read(text, block),
        Form::Code | Form::Diff | Form::Keyed if reader.may_lose() => code::read(text, block, reader),
        Form::Json | Form::JsonLines => json::read(text, block, reader),
        Form::Columns => columns::read(text, block, reader),
        Form::Hits => hits::read(text, block, reader),
        Form::Listing => entries::read(text, block).unwrap_or_else(|| listing::read(text, block, reader)),
        // Whoever shows HTML in a message works on its tags; a fetched page is read as its text.
        Form::Html if reader.query.call.is_some() => html::read(text, block, reader),
        Form::Log => log::read(text, block, reader),
        Form::Table | Form::Csv => table::read(text, block, reader),
        Form::Html if reader.may_lose() => code::read(text, block, reader),
        _ => exact::read(text, block),
    }
}

/// The lines of a block with their spans in the text, line breaks included.
fn lines_of<'a>(text: &'a str, block: &Block) -> impl Iterator<Item = (Range<usize>, &'a str)> {
    let mut at = block.span.start;
    text.get(block.span.clone()).unwrap_or_default().split_inclusive('\n').map(move |line| {
        fuel::step(line.len());
        at += line.len();
        (at - line.len()..at, line)
    })
}

#[cfg(test)]
mod tests;
