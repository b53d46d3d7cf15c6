//! A tree as pieces: what may be left out by itself, and what it hangs on.
//!
//! ```text
//! total: 3
//! user:
//!  name: Ada
//! visited[2]:
//!  Oslo, Rome
//! flights[2]:
//! airline|stops
//! Delta|0
//! ```
//!
//! Each piece is written in this form and has its place in the source, so that the same pieces serve where the source must
//! stay as it is written.

use super::{
    place::Places,
    sheet::{self, EACH_ROW, HIDDEN, Sheet, bare, name},
    tree::{Node, Pair, Value},
};
use crate::compress::{
    form::{
        Reader,
        narrow::{self, Shown},
        rows::{self, salience},
    },
    outcome::Noun,
    worth::weights::{ECHO, LABEL, LONG_VALUE, ONCE, PARTLY_ECHO},
};

/// Something that may be left out by itself.
#[derive(Debug)]
pub(super) struct Piece {
    /// Where it begins in the source; it ends where the next one begins.
    pub(super) start: usize,
    /// As it is written in the form above, with its line break.
    pub(super) text: String,
    /// Shorter and true, and the share of its worth that it keeps.
    pub(super) shorter: Option<(String, f32)>,
    pub(super) noun: Noun,
    pub(super) count: usize,
    pub(super) salience: f32,
    /// The pieces that say what it means.
    pub(super) needs: Vec<usize>,
    /// The piece that opens what this one closes.
    pub(super) closes: Option<usize>,
}

/// What stands before a value.
#[derive(Clone, Copy)]
pub(super) enum Label<'l> {
    /// Nothing: it is the document.
    Root,
    /// A key.
    Key(&'l str),
    /// The dash of a list.
    Dash,
}

pub(super) struct Walk<'w> {
    pub(super) reader: &'w Reader<'w>,
    /// Whether the source stays as it is written: then brackets are pieces too.
    pub(super) exact: bool,
    pub(super) pieces: Vec<Piece>,
    /// Whether a table or a list of values ended just now: then a blank line tells what follows from it.
    ended: bool,
    bytes_per_token: f32,
}

impl<'w> Walk<'w> {
    /// A walk over a source of so many bytes for each token.
    pub(super) fn new(reader: &'w Reader<'w>, exact: bool, bytes_per_token: f32) -> Self {
        Self { reader, exact, pieces: Vec::new(), ended: false, bytes_per_token }
    }

    /// A value with what stands before it, from `start` on.
    pub(super) fn value(
        &mut self,
        places: &Places,
        start: usize,
        label: Label<'_>,
        node: &Node<'_>,
        depth: usize,
        parent: Option<usize>,
    ) {
        let long = node.span.len() > SMALL && depth < DEEPEST;
        match &node.value {
            Value::Object(pairs) if long || matches!(label, Label::Root) => {
                self.object(places, start, label, node, pairs, depth, parent);
            }
            Value::Array(items) if long => self.array(places, start, label, node, items, depth, parent),
            Value::Text(raw, text) if long && text.starts_with(['{', '[']) && places.is_source() => {
                match Node::parse(text, false) {
                    Some(inner) => {
                        let inside = places.within(node.span.start, raw);
                        let heading = format!("{}{}(JSON in a string)\n", indent(depth), before(label));
                        let opened = self.open(places.at(start), heading, parent);
                        self.value(&inside, 0, Label::Root, &inner, depth + 1, opened);
                    }
                    None => self.leaf(places, start, label, node, depth, parent),
                }
            }
            _ => self.leaf(places, start, label, node, depth, parent),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a value with its place, its label and what stands above it")]
    fn object(
        &mut self,
        places: &Places,
        start: usize,
        label: Label<'_>,
        node: &Node<'_>,
        pairs: &[Pair<'_>],
        depth: usize,
        parent: Option<usize>,
    ) {
        let records: Vec<&Node<'_>> = pairs.iter().map(|pair| &pair.node).collect();
        if pairs.len() >= FEWEST_NAMED
            && let Some(sheet) = Sheet::keyed(&records, Some(pairs.iter().map(|pair| pair.key.to_string()).collect()))
        {
            let heading = format!("{}{}{{{}}}:\n", indent(depth), tag(label), pairs.len());
            let starts: Vec<usize> = pairs.iter().map(|pair| places.at(pair.start)).collect();
            let opened = self.table(&sheet, heading, node.span.len(), places.at(start), &starts, parent);
            self.close(places, node, opened);
            return;
        }
        let is_root = matches!(label, Label::Root);
        let opened = if is_root && !self.exact {
            parent
        } else {
            self.open(places.at(start), format!("{}{}:\n", indent(depth), tag(label)), parent)
        };
        let inside = if is_root { depth } else { depth + 1 };
        let holds_much =
            pairs.iter().any(|pair| matches!(pair.node.value, Value::Array(_)) && pair.node.span.len() > SMALL);
        for Pair { start, key, node } in pairs {
            let at = self.pieces.len();
            self.value(places, *start, Label::Key(key), node, inside, opened);
            if let Some(piece) = self.pieces.get_mut(at)
                && holds_much
                && matches!(node.value, Value::Scalar(_))
            {
                piece.salience = ONCE;
            }
        }
        self.close(places, node, opened.filter(|_| self.exact || !is_root));
    }

    #[expect(clippy::too_many_arguments, reason = "a value with its place, its label and what stands above it")]
    fn array(
        &mut self,
        places: &Places,
        start: usize,
        label: Label<'_>,
        node: &Node<'_>,
        items: &[Node<'_>],
        depth: usize,
        parent: Option<usize>,
    ) {
        let records: Vec<&Node<'_>> = items.iter().collect();
        let heading = format!("{}{}[{}]:\n", indent(depth), tag(label), items.len());
        // The last record may be cut off; the others are a table still.
        let whole = records.len() - usize::from(records.last().is_some_and(|last| last.is_cut()));
        let alike = records.get(..whole).unwrap_or_default();
        if let Some(sheet) = Sheet::of(alike) {
            let heading = if matches!(label, Label::Root) && depth == 0 { String::new() } else { heading };
            let starts: Vec<usize> = alike.iter().map(|item| places.at(item.span.start)).collect();
            let opened = self.table(&sheet, heading, node.span.len(), places.at(start), &starts, parent);
            if let Some(rest) = records.get(whole) {
                self.leaf(places, rest.span.start, Label::Root, rest, 0, opened);
            }
            self.close(places, node, opened);
            return;
        }
        let opened = self.open(places.at(start), heading, parent);
        if items.iter().all(|item| matches!(item.value, Value::Scalar(_) | Value::Text(..)) && item.span.len() <= SMALL)
        {
            self.list(places, items, depth + 1, opened);
            if !self.exact {
                let at = self.push(places.at(node.span.end - 1), "\n".to_owned(), None, Noun::Keys, LABEL, opened);
                self.silent(at, opened);
            }
        } else {
            let telling = self.loose(alike);
            for (number, item) in items.iter().enumerate() {
                let first = self.pieces.len();
                self.value(places, item.span.start, Label::Dash, item, depth + 1, opened);
                if let (Some(piece), Some(salience)) = (self.pieces.get_mut(first), telling.get(number)) {
                    piece.salience = *salience;
                    if self.pieces.len() == first + 1 {
                        self.named(first, Noun::Rows);
                    }
                }
            }
        }
        self.close(places, node, opened);
    }

    fn named(&mut self, piece: usize, noun: Noun) {
        if let Some(piece) = self.pieces.get_mut(piece) {
            piece.noun = noun;
        }
    }

    /// Records on lines of their own, alike or not.
    pub(super) fn records(&mut self, places: &Places, records: &[&Node<'_>]) {
        if let Some(sheet) = Sheet::of(records) {
            let starts: Vec<usize> = records.iter().map(|item| places.at(item.span.start)).collect();
            let length = records.iter().map(|record| record.span.len()).sum();
            self.table(&sheet, String::new(), length, 0, &starts, None);
            return;
        }
        let telling = self.loose(records);
        for (number, record) in records.iter().enumerate() {
            let text = record.minified() + "\n";
            let salience = telling.get(number).copied().unwrap_or(1.0);
            self.push(places.at(record.span.start), text, None, Noun::Rows, salience, None);
        }
    }

    /// A table: its heading, what all records share, the keys, and a row for each record.
    fn table(
        &mut self,
        sheet: &Sheet,
        heading: String,
        length: usize,
        start: usize,
        starts: &[usize],
        parent: Option<usize>,
    ) -> Option<usize> {
        if self.exact {
            // Records on lines of their own have no bracket around them.
            let opened = if starts.first() == Some(&start) { parent } else { self.open(start, heading, parent) };
            self.rows(sheet, None, starts, opened);
            return opened;
        }
        let shared = sheet.shared();
        let shown = narrow::shown(&named(sheet), sheet.rows, self.tokens(length), false, self.reader);
        let keys = sheet.head(shown.as_ref());
        if shared.is_empty() {
            let opened = self.open(start, format!("{heading}{keys}\n"), parent);
            self.rows(sheet, shown.as_ref(), starts, opened);
            return opened;
        }
        let opened = if heading.is_empty() { parent } else { self.open(start, heading, parent) };
        let each = self.open(start, format!("{EACH_ROW}: "), opened);
        if let Some(piece) = each.and_then(|each| self.pieces.get_mut(each)) {
            piece.noun = Noun::Values;
        }
        for (number, told) in shared.iter().enumerate() {
            let after = if number + 1 < shared.len() { "|" } else { "" };
            let telling = self.constant(told);
            self.push(start, format!("{told}{after}"), None, Noun::Values, telling, each);
        }
        let opened = self.open(start, format!("\n{keys}\n"), opened);
        self.rows(sheet, shown.as_ref(), starts, opened);
        opened
    }

    /// How telling it is what all records share. The question's own words in it say nothing of any record, unless it is
    /// asked for by its key.
    fn constant(&self, told: &str) -> f32 {
        let wanted = self.reader.wanted;
        let (key, value) = told.split_once('=').unwrap_or((told, ""));
        match (wanted.quotes(value), wanted.stress(key) >= 1.0, wanted.mentions(told) > 0.0) {
            (true, ..) => ECHO,
            (_, false, true) => PARTLY_ECHO,
            _ => 1.0,
        }
    }

    /// About how many tokens so many bytes of JSON take.
    fn tokens(&self, bytes: usize) -> usize {
        (bytes as f32 / self.bytes_per_token) as usize
    }

    /// The rows of a table.
    fn rows(&mut self, sheet: &Sheet, shown: Option<&Shown>, starts: &[usize], opened: Option<usize>) {
        let lossy = self.reader.may_lose();
        let telling = if lossy { salience(&named(sheet), sheet.rows, self.reader.wanted) } else { Vec::new() };
        for (row, start) in starts.iter().enumerate() {
            let text = sheet.row(row, shown, |_, _| false) + "\n";
            let shorter = (lossy && !self.exact).then(|| self.shorter(sheet, shown, row)).flatten();
            self.push(*start, text, shorter, Noun::Rows, telling.get(row).copied().unwrap_or(1.0), opened);
        }
        self.ended = true;
    }

    /// A row without its long values that nobody asks for.
    fn shorter(&self, sheet: &Sheet, shown: Option<&Shown>, row: usize) -> Option<(String, f32)> {
        let wanted = self.reader.wanted;
        let hides = |column: &sheet::Column, cell: &str| {
            cell.len() > LONG_VALUE * 3
                && self.reader.tokens.count(cell) > LONG_VALUE
                && wanted.stress(&column.name) < 1.0
                && wanted.mentions(cell) < 0.5
        };
        let hidden = sheet.varying().filter(|column| hides(column, column.cell(row))).count();
        if hidden == 0 {
            return None;
        }
        let text = sheet.row(row, shown, hides) + "\n";
        let told = self.reader.tokens.count(&text) as f32;
        Some((text, told / (told + (hidden * LONG_VALUE) as f32)))
    }

    /// How telling records are that are not alike enough for a table: by the keys that most of them have.
    fn loose(&self, records: &[&Node<'_>]) -> Vec<f32> {
        if !self.reader.may_lose() || records.len() < 2 {
            return Vec::new();
        }
        let mut columns: Vec<rows::Column<'_>> = Vec::new();
        let mut places = std::collections::HashMap::new();
        for (row, record) in records.iter().enumerate() {
            let Value::Object(pairs) = &record.value else { continue };
            for Pair { key, node, .. } in pairs {
                let (Value::Scalar(cell) | Value::Text(cell, _)) = &node.value else { continue };
                if !places.contains_key(key.as_ref()) && columns.len() >= MOST_KEYS {
                    continue;
                }
                let place = *places.entry(key.as_ref()).or_insert_with(|| {
                    columns.push(rows::Column { name: key, cells: vec![""; records.len()] });
                    columns.len() - 1
                });
                if let Some(place) = columns.get_mut(place).and_then(|column| column.cells.get_mut(row)) {
                    *place = cell;
                }
            }
        }
        columns.retain(|column| column.cells.iter().filter(|cell| !cell.is_empty()).count() * 2 >= records.len());
        salience(&columns, records.len(), self.reader.wanted)
    }

    /// A list of short values on one line; each, or a few of very many, may be left out.
    fn list(&mut self, places: &Places, items: &[Node<'_>], depth: usize, opened: Option<usize>) {
        let plain = |item: &Node<'_>| {
            let told = bare(item, false);
            matches!(item.value, Value::Text(..)) && !told.starts_with('"') && !told.contains(", ")
        };
        let bares = items.iter().all(plain);
        let told: Vec<String> =
            items.iter().map(|item| if bares { bare(item, false) } else { item.minified() }).collect();
        let column = rows::Column { name: "", cells: told.iter().map(String::as_str).collect() };
        let telling =
            if self.reader.may_lose() { salience(&[column], items.len(), self.reader.wanted) } else { Vec::new() };
        let size = items.len().div_ceil(MOST_PARTS).max(1);
        let parts = items.len().div_ceil(size);
        for (number, (chunk, told)) in items.chunks(size).zip(told.chunks(size)).enumerate() {
            let before = if number == 0 { indent(depth) } else { String::new() };
            let after = if number + 1 == parts { "" } else { ", " };
            let start = chunk.first().map_or(0, |item| places.at(item.span.start));
            let of = telling.iter().skip(number * size).take(size).copied().fold(1.0, f32::max);
            let at = self.push(start, format!("{before}{}{after}", told.join(", ")), None, Noun::Values, of, opened);
            if let Some(piece) = self.pieces.get_mut(at) {
                piece.count = chunk.len();
            }
        }
    }

    fn leaf(
        &mut self,
        places: &Places,
        start: usize,
        label: Label<'_>,
        node: &Node<'_>,
        depth: usize,
        parent: Option<usize>,
    ) {
        let told = bare(node, false);
        let label = if matches!(node.value, Value::Cut(_)) { Label::Root } else { label };
        let text = format!("{}{}{told}\n", indent(depth), before(label));
        let long = self.reader.may_lose()
            && !self.exact
            && told.len() > LONG_VALUE * 3
            && self.reader.wanted.mentions(&text) < 0.5
            && self.reader.tokens.count(&told) > 2 * LONG_VALUE;
        let short = long.then(|| (format!("{}{}{HIDDEN}\n", indent(depth), before(label)), SHORT_LEAF));
        self.push(places.at(start), text, short, Noun::Keys, 1.0, parent);
    }

    fn open(&mut self, start: usize, text: String, parent: Option<usize>) -> Option<usize> {
        let at = self.push(start, text, None, Noun::Keys, LABEL, parent);
        if let Some(piece) = self.pieces.get_mut(at) {
            piece.count = 0;
        }
        Some(at)
    }

    fn close(&mut self, places: &Places, node: &Node<'_>, opened: Option<usize>) {
        if !self.exact || node.is_cut() {
            return;
        }
        let at = self.push(places.at(node.span.end.saturating_sub(1)), String::new(), None, Noun::Keys, LABEL, None);
        self.silent(at, opened);
    }

    /// Makes a piece one that only closes another: no reader would miss it.
    fn silent(&mut self, at: usize, opened: Option<usize>) {
        if let Some(piece) = self.pieces.get_mut(at) {
            piece.count = 0;
            piece.closes = opened;
        }
    }

    fn push(
        &mut self,
        start: usize,
        text: String,
        shorter: Option<(String, f32)>,
        noun: Noun,
        salience: f32,
        parent: Option<usize>,
    ) -> usize {
        let ended = std::mem::take(&mut self.ended);
        let text = if ended && noun != Noun::Rows { format!("\n{text}") } else { text };
        self.ended = ended && noun == Noun::Rows;
        self.pieces.push(Piece {
            start,
            text,
            shorter,
            noun,
            count: 1,
            salience,
            needs: parent.into_iter().collect(),
            closes: None,
        });
        self.pieces.len() - 1
    }
}

/// The columns that differ from row to row.
fn named(sheet: &Sheet) -> Vec<rows::Column<'_>> {
    sheet
        .varying()
        .map(|column| rows::Column { name: &column.name, cells: column.cells.iter().map(String::as_str).collect() })
        .collect()
}

fn indent(depth: usize) -> String {
    " ".repeat(depth)
}

/// What stands before a value on its line.
fn before(label: Label<'_>) -> String {
    match label {
        Label::Root => String::new(),
        Label::Key(key) => format!("{}: ", name(key)),
        Label::Dash => "- ".to_owned(),
    }
}

/// What stands before the bracket or the colon of a heading.
fn tag(label: Label<'_>) -> String {
    match label {
        Label::Root => String::new(),
        Label::Key(key) => name(key).into_owned(),
        Label::Dash => "- ".to_owned(),
    }
}

/// Shorter values are never opened, in bytes.
const SMALL: usize = 100;

/// Objects that hold so many like ones are tables of them.
const FEWEST_NAMED: usize = 3;

/// The most parts that a list of values is left out by.
const MOST_PARTS: usize = 256;

/// Keys that are looked at where records are not alike.
const MOST_KEYS: usize = 64;

/// Deeper values stay JSON.
const DEEPEST: usize = 12;

/// What a key alone keeps of the worth of a key and a long value.
const SHORT_LEAF: f32 = 0.2;
