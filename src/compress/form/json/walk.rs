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

use std::collections::HashSet;

use super::{
    place::Places,
    sheet::{self, EACH_ROW, HIDDEN, Sheet, bare, name},
    tree::{Node, Pair, Value},
};
use crate::compress::{
    ask::Wanted,
    bond::Bonds,
    form::{
        Block, Form, Item, Reader,
        narrow::{self, Shown},
        prose,
        rows::{self, salience},
    },
    fuel,
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
    /// Shorter and true, each with the share of its worth that it keeps.
    pub(super) shorter: Vec<(String, f32)>,
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

/// Where a value is: in the source, behind what, how deep, below which piece.
#[derive(Clone, Copy)]
pub(super) struct At<'l> {
    places: &'l Places<'l>,
    /// Where what stands before it begins, in the text that `places` maps to the source.
    start: usize,
    label: Label<'l>,
    depth: usize,
    parent: Option<usize>,
}

impl<'l> At<'l> {
    /// A document.
    pub(super) const fn root(places: &'l Places<'l>, start: usize) -> Self {
        Self { places, start, label: Label::Root, depth: 0, parent: None }
    }

    const fn is_root(self) -> bool {
        matches!(self.label, Label::Root)
    }

    fn source(self) -> usize {
        self.places.at(self.start)
    }
}

pub(super) struct Walk<'w> {
    pub(super) reader: &'w Reader<'w>,
    /// Whether the source stays as it is written: then brackets are pieces too.
    pub(super) exact: bool,
    pub(super) pieces: Vec<Piece>,
    /// Whether a table or a list of values ended just now: then a blank line tells what follows from it.
    ended: bool,
    /// Lists around here whose records have tables of their own.
    within: usize,
    bytes_per_token: f32,
}

impl<'w> Walk<'w> {
    /// A walk over a source of so many bytes for each token.
    pub(super) fn new(reader: &'w Reader<'w>, exact: bool, bytes_per_token: f32) -> Self {
        Self { reader, exact, pieces: Vec::new(), ended: false, within: 0, bytes_per_token }
    }

    /// A value with what stands before it.
    pub(super) fn value(&mut self, at: At<'_>, node: &Node<'_>) {
        let long = node.span.len() > SMALL && at.depth < DEEPEST;
        match &node.value {
            Value::Object(pairs) if long || at.is_root() => self.object(at, node, pairs),
            Value::Array(items) if long => self.array(at, node, items),
            Value::Text(raw, text) if long && text.starts_with(['{', '[']) && at.places.depth() == 0 => {
                match Node::parse(text, false) {
                    Some(inner) => {
                        let places = at.places.within(node.span.start, raw);
                        let heading = format!("{}{}(JSON in a string)\n", indent(at.depth), before(at.label));
                        let parent = self.open(at, heading);
                        let depth = at.depth + 1;
                        self.value(At { places: &places, start: 0, label: Label::Root, depth, parent }, &inner);
                    }
                    None => self.leaf(at, node),
                }
            }
            _ => self.leaf(at, node),
        }
    }

    fn object(&mut self, at: At<'_>, node: &Node<'_>, pairs: &[Pair<'_>]) {
        let records: Vec<&Node<'_>> = pairs.iter().map(|pair| &pair.node).collect();
        if pairs.len() >= FEWEST_NAMED
            && let Some(sheet) = Sheet::keyed(&records, Some(pairs.iter().map(|pair| pair.key.to_string()).collect()))
        {
            let heading = format!("{}{}{{{}}}:\n", indent(at.depth), tag(at.label), pairs.len());
            let starts: Vec<usize> = pairs.iter().map(|pair| pair.start).collect();
            let opened = self.table(&sheet, heading, node.span.len(), at, &starts);
            self.close(at, node, opened);
            return;
        }
        // The document needs no heading, but for its bracket where the source stays.
        let bare = at.is_root() && !self.exact;
        let parent = if bare { at.parent } else { self.open(at, format!("{}{}:\n", indent(at.depth), tag(at.label))) };
        let depth = at.depth + usize::from(!at.is_root());
        let holds_much =
            pairs.iter().any(|pair| matches!(pair.node.value, Value::Array(_)) && pair.node.span.len() > SMALL);
        // Of a record in a list what tells which it is; its tables are of that one.
        let (mut names, mut tables): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
        for Pair { start, key, node } in pairs {
            let first = self.pieces.len();
            self.value(At { start: *start, label: Label::Key(key), depth, parent, ..at }, node);
            let named = matches!(at.label, Label::Dash) && names.len() < MOST_NAMES;
            if named && matches!(node.value, Value::Scalar(_) | Value::Text(..)) && node.span.len() <= LONGEST_NAME {
                names.push(first);
            }
            if is_table(node) {
                tables.push(first);
            }
            if let Some(piece) = self.pieces.get_mut(first)
                && holds_much
                && matches!(node.value, Value::Scalar(_))
            {
                piece.salience = ONCE;
            }
        }
        for table in tables {
            if let Some(piece) = self.pieces.get_mut(table) {
                piece.needs.extend(&names);
            }
        }
        self.close(at, node, parent.filter(|_| !bare));
    }

    fn array(&mut self, at: At<'_>, node: &Node<'_>, items: &[Node<'_>]) {
        let records: Vec<&Node<'_>> = items.iter().collect();
        let heading = format!("{}{}[{}]:\n", indent(at.depth), tag(at.label), items.len());
        // The last record may be cut off; the others are a table still.
        let whole = records.len() - usize::from(records.last().is_some_and(|last| last.is_cut()));
        let alike = records.get(..whole).unwrap_or_default();
        // A table in each record is one of its own there, and no cell.
        let tabled = alike.iter().filter(|record| holds_table(record)).count() * 2 > alike.len();
        if let Some(sheet) = Sheet::of(alike).filter(|_| !tabled) {
            let heading = if at.is_root() && at.depth == 0 { String::new() } else { heading };
            let starts: Vec<usize> = alike.iter().map(|item| item.span.start).collect();
            let parent = self.table(&sheet, heading, node.span.len(), at, &starts);
            if let Some(rest) = records.get(whole) {
                self.leaf(At { start: rest.span.start, label: Label::Root, depth: 0, parent, ..at }, rest);
            }
            self.close(at, node, parent);
            return;
        }
        let parent = self.open(at, heading);
        let short =
            |item: &Node<'_>| matches!(item.value, Value::Scalar(_) | Value::Text(..)) && item.span.len() <= SMALL;
        if items.iter().all(short) {
            self.list(At { depth: at.depth + 1, parent, ..at }, items);
            if !self.exact {
                let end = At { start: node.span.end - 1, parent, ..at };
                let last = self.push(end, "\n".to_owned(), Vec::new(), Noun::Keys, LABEL);
                self.silent(last, parent);
            }
        } else {
            let telling = self.loose(alike);
            self.within += usize::from(tabled);
            for (number, item) in items.iter().enumerate() {
                let first = self.pieces.len();
                self.value(At { start: item.span.start, label: Label::Dash, depth: at.depth + 1, parent, ..at }, item);
                let alone = self.pieces.len() == first + 1;
                if let (Some(piece), Some(salience)) = (self.pieces.get_mut(first), telling.get(number)) {
                    piece.salience = *salience;
                    if alone {
                        piece.noun = Noun::Rows;
                    }
                }
            }
            self.within -= usize::from(tabled);
        }
        self.close(at, node, parent);
    }

    /// Records on lines of their own, alike or not.
    pub(super) fn records(&mut self, places: &Places<'_>, records: &[&Node<'_>]) {
        let at = At::root(places, 0);
        if let Some(sheet) = Sheet::of(records) {
            let starts: Vec<usize> = records.iter().map(|item| item.span.start).collect();
            let length = records.iter().map(|record| record.span.len()).sum();
            self.table(&sheet, String::new(), length, at, &starts);
            return;
        }
        let telling = self.loose(records);
        for (number, record) in records.iter().enumerate() {
            let salience = telling.get(number).copied().unwrap_or(1.0);
            let at = At { start: record.span.start, ..at };
            self.push(at, record.minified() + "\n", Vec::new(), Noun::Rows, salience);
        }
    }

    /// A table: its heading, what all records share, the keys, and a row for each record.
    fn table(&mut self, sheet: &Sheet, heading: String, length: usize, at: At<'_>, starts: &[usize]) -> Option<usize> {
        if self.exact {
            // Records on lines of their own have no bracket around them.
            let parent = if starts.first() == Some(&at.start) { at.parent } else { self.open(at, heading) };
            self.rows(sheet, None, starts, At { parent, ..at });
            return parent;
        }
        let shared = sheet.shared();
        // One of many tables has the room of all of them.
        let shown = if self.within > 0 {
            None
        } else {
            narrow::shown(&named(sheet), sheet.rows, self.tokens(length), false, self.reader)
        };
        let keys = sheet.head(shown.as_ref());
        if shared.is_empty() {
            let parent = self.open(at, format!("{heading}{keys}\n"));
            self.rows(sheet, shown.as_ref(), starts, At { parent, ..at });
            return parent;
        }
        let parent = if heading.is_empty() { at.parent } else { self.open(at, heading) };
        let each = self.open(At { parent, ..at }, format!("{EACH_ROW}: "));
        if let Some(piece) = each.and_then(|each| self.pieces.get_mut(each)) {
            piece.noun = Noun::Values;
        }
        for (number, told) in shared.iter().enumerate() {
            let after = if number + 1 < shared.len() { "|" } else { "" };
            let telling = self.constant(told);
            self.push(At { parent: each, ..at }, format!("{told}{after}"), Vec::new(), Noun::Values, telling);
        }
        let parent = self.open(At { parent, ..at }, format!("\n{keys}\n"));
        self.rows(sheet, shown.as_ref(), starts, At { parent, ..at });
        parent
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
    fn rows(&mut self, sheet: &Sheet, shown: Option<&Shown>, starts: &[usize], at: At<'_>) {
        let lossy = self.reader.may_lose();
        let columns = named(sheet);
        let telling = if lossy { salience(&columns, sheet.rows, self.reader.wanted) } else { Vec::new() };
        // What a program wrote while it ran are lines of a log, in whatever notation.
        let noun = if rows::are_events(&columns) { Noun::Lines } else { Noun::Rows };
        let passages = if lossy { passages(sheet) } else { HashSet::new() };
        for (row, start) in starts.iter().enumerate() {
            let text = sheet.row(row, shown, |_, _| None) + "\n";
            let shorter = if lossy && !self.exact { self.shorter(sheet, shown, row, &passages) } else { Vec::new() };
            let salience = telling.get(row).copied().unwrap_or(1.0);
            self.push(At { start: *start, ..at }, text, shorter, noun, salience);
        }
        self.ended = true;
    }

    /// A row without its long values that nobody asks for, and one with no more of its texts than what is asked for.
    fn shorter(
        &self,
        sheet: &Sheet,
        shown: Option<&Shown>,
        row: usize,
        passages: &HashSet<String>,
    ) -> Vec<(String, f32)> {
        let wanted = self.reader.wanted;
        let is_long = |cell: &str| cell.len() > LONG_VALUE * 3 && self.reader.tokens.count(cell) > LONG_VALUE;
        let hides = |column: &sheet::Column, cell: &str| {
            // A row without its passage is none.
            is_long(cell)
                && !passages.contains(&column.name)
                && wanted.stress(&column.name) < 1.0
                && wanted.mentions(cell) < 0.5
        };
        let mut shorter = Vec::new();
        let hidden = sheet.varying().filter(|column| hides(column, column.cell(row))).count();
        if hidden > 0 {
            let text = sheet.row(row, shown, |column, cell| hides(column, cell).then(|| HIDDEN.to_owned())) + "\n";
            let told = self.reader.tokens.count(&text) as f32;
            shorter.push((text, told / (told + (hidden * LONG_VALUE) as f32)));
        }
        let excerpt = |_: &sheet::Column, cell: &str| is_long(cell).then(|| excerpt(cell, wanted)).flatten();
        let (text, whole) = (sheet.row(row, shown, excerpt), sheet.row(row, shown, |_, _| None));
        if text != whole {
            let keeps = wanted.mentions(&text) / wanted.mentions(&whole).max(f32::MIN_POSITIVE);
            shorter.push((text + "\n", keeps.min(1.0)));
        }
        shorter
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
    fn list(&mut self, at: At<'_>, items: &[Node<'_>]) {
        let plain = |item: &Node<'_>| {
            let told = bare(item, false);
            matches!(item.value, Value::Text(..)) && !told.starts_with('"') && !told.contains(", ")
        };
        let bares = items.iter().all(plain);
        let tell = |item: &Node<'_>| {
            fuel::step(READERS_OF_A_VALUE + item.span.len());
            if bares { bare(item, false) } else { item.minified() }
        };
        let told: Vec<String> = items.iter().map(tell).collect();
        let name = if let Label::Key(key) = at.label { key } else { "" };
        let column = rows::Column { name, cells: told.iter().map(String::as_str).collect() };
        let telling =
            if self.reader.may_lose() { salience(&[column], items.len(), self.reader.wanted) } else { Vec::new() };
        let size = items.len().div_ceil(MOST_PARTS).max(1);
        let parts = items.len().div_ceil(size);
        for (number, (chunk, told)) in items.chunks(size).zip(told.chunks(size)).enumerate() {
            let before = if number == 0 { indent(at.depth) } else { String::new() };
            let after = if number + 1 == parts { "" } else { ", " };
            let start = chunk.first().map_or(0, |item| item.span.start);
            let of = telling.iter().skip(number * size).take(size).copied().fold(1.0, f32::max);
            let text = format!("{before}{}{after}", told.join(", "));
            let piece = self.push(At { start, ..at }, text, Vec::new(), Noun::Values, of);
            if let Some(piece) = self.pieces.get_mut(piece) {
                piece.count = chunk.len();
            }
        }
    }

    fn leaf(&mut self, at: At<'_>, node: &Node<'_>) {
        let told = bare(node, false);
        let label = if matches!(node.value, Value::Cut(_)) { Label::Root } else { at.label };
        let labelled = format!("{}{}", indent(at.depth), before(label));
        let text = format!("{labelled}{told}\n");
        let long = self.reader.may_lose()
            && !self.exact
            && told.len() > LONG_VALUE * 3
            && self.reader.wanted.mentions(&text) < 0.5
            && self.reader.tokens.count(&told) > 2 * LONG_VALUE;
        let short = long.then(|| (format!("{labelled}{HIDDEN}\n"), SHORT_LEAF)).into_iter().collect();
        self.push(at, text, short, Noun::Keys, 1.0);
    }

    /// What stands above others; no reader would count it.
    fn open(&mut self, at: At<'_>, text: String) -> Option<usize> {
        let piece = self.push(at, text, Vec::new(), Noun::Keys, LABEL);
        if let Some(piece) = self.pieces.get_mut(piece) {
            piece.count = 0;
        }
        Some(piece)
    }

    fn close(&mut self, at: At<'_>, node: &Node<'_>, opened: Option<usize>) {
        if !self.exact || node.is_cut() {
            return;
        }
        let end = At { start: node.span.end.saturating_sub(1), parent: None, ..at };
        let piece = self.push(end, String::new(), Vec::new(), Noun::Keys, LABEL);
        self.silent(piece, opened);
    }

    /// Makes a piece one that only closes another: no reader would miss it.
    fn silent(&mut self, at: usize, opened: Option<usize>) {
        if let Some(piece) = self.pieces.get_mut(at) {
            piece.count = 0;
            piece.closes = opened;
        }
    }

    fn push(&mut self, at: At<'_>, text: String, shorter: Vec<(String, f32)>, noun: Noun, salience: f32) -> usize {
        fuel::room(1);
        fuel::step(text.len());
        let ended = std::mem::take(&mut self.ended);
        let text = if ended && noun != Noun::Rows { format!("\n{text}") } else { text };
        self.ended = ended && noun == Noun::Rows;
        self.pieces.push(Piece {
            start: at.source(),
            text,
            shorter,
            noun,
            count: 1,
            salience,
            needs: at.parent.into_iter().collect(),
            closes: None,
        });
        self.pieces.len() - 1
    }
}

/// Whether a value is a list of objects of some length.
fn is_table(node: &Node<'_>) -> bool {
    let objects = |items: &[Node<'_>]| items.iter().all(|item| matches!(item.value, Value::Object(_)));
    matches!(&node.value, Value::Array(items) if items.len() > 1 && node.span.len() > SMALL && objects(items))
}

fn holds_table(record: &Node<'_>) -> bool {
    matches!(&record.value, Value::Object(pairs) if pairs.iter().any(|pair| is_table(&pair.node)))
}

/// Values that name a record whose tables stand below them, and bytes of the longest such value.
const MOST_NAMES: usize = 4;
const LONGEST_NAME: usize = 48;

/// Of a text in a cell the statement that has most of what is asked, with what that one needs; nothing where that is no
/// shorter.
fn excerpt(cell: &str, wanted: &Wanted) -> Option<String> {
    let inside = cell.strip_prefix('"').and_then(|inside| inside.strip_suffix('"'));
    let text = inside.unwrap_or(cell);
    let reading = prose::read(text, &Block { span: 0..text.len(), form: Form::Prose });
    let said: Vec<&str> = reading.items.iter().map(Item::text).collect();
    if said.len() < 2 {
        return None;
    }
    let scores = wanted.rank(&said);
    let best = (0..said.len()).max_by(|a, b| score(&scores, *a).total_cmp(&score(&scores, *b)).then(b.cmp(a)))?;
    if score(&scores, best) <= 0.0 {
        return None;
    }
    let bonds = Bonds::new(said.len(), &reading.bonds);
    let mut stands = bonds.closure(best, |_| true, |_| true)?;
    stands.sort_unstable();
    let mut told = String::new();
    let mut next = 0;
    for at in stands {
        told.push_str(if at > next { GAP } else { "" });
        told.push_str(said.get(at).map(|said| said.trim_end()).unwrap_or_default());
        told.push(' ');
        next = at + 1;
    }
    told.push_str(if next < said.len() { GAP } else { "" });
    let told = told.trim_end();
    let told = if inside.is_some() { format!("\"{told}\"") } else { told.to_owned() };
    (told.len() < cell.len()).then_some(told)
}

fn score(scores: &[f32], at: usize) -> f32 {
    scores.get(at).copied().unwrap_or(0.0)
}

/// Stands for statements of a cell that are left out.
const GAP: &str = "[…] ";

/// The names of the columns that hold passages.
fn passages(sheet: &Sheet) -> HashSet<String> {
    let columns = named(sheet);
    let held = narrow::passages(&columns);
    columns.iter().zip(held).filter(|(_, held)| *held).map(|(column, _)| column.name.to_owned()).collect()
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

/// What a value of a list is asked, whatever its length.
const READERS_OF_A_VALUE: usize = 8;

/// The most parts that a list of values is left out by.
const MOST_PARTS: usize = 256;

/// Keys that are looked at where records are not alike.
const MOST_KEYS: usize = 64;

/// Deeper values stay JSON.
const DEEPEST: usize = 12;

/// What a key alone keeps of the worth of a key and a long value.
const SHORT_LEAF: f32 = 0.2;
