//! The lossless text form of a JSON value: lines `key: value`, nested by one space a level, and tables for arrays of
//! like objects.
//!
//! ```text
//! total: 3
//! user:
//!  name: Ada
//! flights[]:
//! each row: class=Economy|stops=0
//! airline|"price"|from.city
//! Delta|261|Oslo
//! ```
//!
//! It can be read back: a bare word is a string unless it reads as a JSON number, `true`, `false` or `null`; what would
//! be misread stands as JSON; an empty cell is a key that the record lacks; a column with its name in quotes holds
//! strings, whatever they look like; a blank line ends a table.

use std::{borrow::Cow, collections::HashMap, ops::Range};

use super::tree::{Node, Value, quoted};

/// A document in parts, in the order of the text.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) parts: Vec<Part>,
}

/// A line or a table.
#[derive(Debug)]
pub(super) enum Part {
    Line(Line),
    Table(Table),
}

/// One key with its value, or the heading of what is nested below it.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) span: Range<usize>,
    pub(super) depth: usize,
    /// The key as it reads; empty for items of a list.
    pub(super) key: String,
    /// The value as written; empty for a heading.
    pub(super) value: String,
    /// Whether lines or a table below it belong to it.
    pub(super) heading: bool,
}

/// An array of like objects.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) span: Range<usize>,
    /// The array's key with its nesting; nothing for the document itself.
    pub(super) heading: Option<String>,
    pub(super) columns: Vec<Column>,
    /// Byte span of each record.
    pub(super) rows: Vec<Range<usize>>,
}

/// One key of all records.
#[derive(Debug)]
pub(super) struct Column {
    /// The key as it reads; nested keys joined by a point.
    pub(super) name: String,
    /// Whether strings that look like something else stand bare in it.
    pub(super) texts: bool,
    /// A cell for each record; empty where the record lacks the key.
    pub(super) cells: Vec<String>,
}

impl Column {
    /// Whether all records say the same.
    pub(super) fn is_constant(&self) -> bool {
        self.cells.len() > 1
            && self.cells.first().is_some_and(|first| !first.is_empty() && self.cells.iter().all(|cell| cell == first))
    }

    /// The name as it stands in a table's head.
    pub(super) fn head(&self) -> Cow<'_, str> {
        if self.texts || !is_plain_name(&self.name) { quoted(&self.name).into() } else { (&self.name).into() }
    }
}

impl Document {
    /// The form of a value.
    pub(super) fn of(node: &Node<'_>) -> Self {
        let mut document = Self::default();
        match &node.value {
            Value::Object(pairs) => document.object(pairs, 0),
            _ => match Table::of(node, None) {
                Some(table) => document.parts.push(Part::Table(table)),
                None => document.items(node, 0),
            },
        }
        document
    }

    fn object(&mut self, pairs: &[(Cow<'_, str>, Node<'_>)], depth: usize) {
        for (key, node) in pairs {
            let key = key.to_string();
            match &node.value {
                Value::Object(inner) if !inner.is_empty() && depth < DEEPEST => {
                    self.line(node, depth, key, String::new(), true);
                    self.object(inner, depth + 1);
                }
                Value::Array(_) => {
                    let heading = format!("{}{}[]:", " ".repeat(depth), name(&key));
                    match Table::of(node, Some(heading)) {
                        Some(table) => self.parts.push(Part::Table(table)),
                        None => self.line(node, depth, key, node.minified(), false),
                    }
                }
                _ => self.line(node, depth, key, bare(node, false), false),
            }
        }
    }

    /// Anything but an object or a table: an item a line.
    fn items(&mut self, node: &Node<'_>, depth: usize) {
        match &node.value {
            Value::Array(items) if items.len() > 1 => {
                for item in items {
                    self.line(item, depth, String::new(), item.minified(), false);
                }
            }
            _ => self.line(node, depth, String::new(), node.minified(), false),
        }
    }

    fn line(&mut self, node: &Node<'_>, depth: usize, key: String, value: String, heading: bool) {
        self.parts.push(Part::Line(Line { span: node.span.clone(), depth, key, value, heading }));
    }

    /// Whether the form can be told from other forms: a list of anything but like objects can't, and stays JSON.
    pub(super) fn is_readable(&self) -> bool {
        self.parts
            .iter()
            .all(|part| matches!(part, Part::Line(line) if !line.key.is_empty()) || matches!(part, Part::Table(_)))
    }

    /// The whole as text.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        for (number, part) in self.parts.iter().enumerate() {
            match part {
                Part::Line(line) => out.push_str(&line.text()),
                Part::Table(table) => {
                    table.write(&mut out);
                    if number + 1 < self.parts.len() {
                        out.push('\n');
                    }
                }
            }
            out.push('\n');
        }
        out.pop();
        out
    }
}

impl Line {
    /// As it stands in the form.
    pub(super) fn text(&self) -> String {
        let indent = " ".repeat(self.depth);
        match (self.key.is_empty() && !self.heading, self.heading) {
            (true, _) => format!("{indent}{}", self.value),
            (_, true) => format!("{indent}{}:", name(&self.key)),
            _ => format!("{indent}{}: {}", name(&self.key), self.value),
        }
    }
}

impl Table {
    /// An array of two or more objects that share most of their keys.
    fn of(node: &Node<'_>, heading: Option<String>) -> Option<Self> {
        let Value::Array(items) = &node.value else { return None };
        if items.len() < 2 {
            return None;
        }
        let mut sheet = Sheet::new(items.len());
        for (row, item) in items.iter().enumerate() {
            let Value::Object(pairs) = &item.value else { return None };
            sheet.add(row, "", pairs, 0);
        }
        let told: usize = sheet.columns.iter().map(|column| column.iter().flatten().count()).sum();
        // More holes than values: the records are not alike, and a table would hide it.
        if sheet.pointed || told == 0 || sheet.columns.len() * items.len() > 2 * told {
            return None;
        }
        let rows = items.iter().map(|item| item.span.clone()).collect();
        let columns = sheet.finish();
        let varying: Vec<&Column> = columns.iter().filter(|column| !column.is_constant()).collect();
        // A record without its only key would be an empty line, and that ends the table.
        let blank = varying.len() == 1 && varying.iter().any(|column| column.cells.iter().any(String::is_empty));
        (!blank).then(|| Self { span: node.span.clone(), heading, columns, rows })
    }

    pub(super) fn write(&self, out: &mut String) {
        if let Some(heading) = &self.heading {
            out.push_str(heading);
            out.push('\n');
        }
        let (constant, varying): (Vec<&Column>, Vec<&Column>) =
            self.columns.iter().partition(|column| column.is_constant());
        let (constant, varying) = if varying.is_empty() { (Vec::new(), constant) } else { (constant, varying) };
        if !constant.is_empty() {
            out.push_str(&each_row(&constant));
            out.push('\n');
        }
        out.push_str(&joined(varying.iter().map(|column| column.head())));
        for row in 0..self.rows.len() {
            out.push('\n');
            out.push_str(&joined(varying.iter().map(|column| Cow::from(column.cell(row)))));
        }
    }
}

impl Column {
    pub(super) fn cell(&self, row: usize) -> &str {
        self.cells.get(row).map(String::as_str).unwrap_or_default()
    }
}

/// `each row: class=Economy|stops=0`.
pub(super) fn each_row(columns: &[&Column]) -> String {
    let told = columns.iter().map(|column| format!("{}={}", column.head(), column.cell(0)).into());
    format!("{EACH_ROW}: {}", joined(told))
}

pub(super) fn joined<'a>(cells: impl Iterator<Item = Cow<'a, str>>) -> String {
    let mut line = String::new();
    for (number, cell) in cells.enumerate() {
        if number > 0 {
            line.push('|');
        }
        line.push_str(&cell);
    }
    line
}

/// Collects records column by column.
struct Sheet<'n, 'a> {
    rows: usize,
    places: HashMap<String, usize>,
    names: Vec<String>,
    columns: Vec<Vec<Option<&'n Node<'a>>>>,
    /// Whether a key has a point of its own, which would be taken for nesting.
    pointed: bool,
}

impl<'n, 'a> Sheet<'n, 'a> {
    fn new(rows: usize) -> Self {
        Self { rows, places: HashMap::new(), names: Vec::new(), columns: Vec::new(), pointed: false }
    }

    fn add(&mut self, row: usize, prefix: &str, pairs: &'n [(Cow<'a, str>, Node<'a>)], depth: usize) {
        for (key, node) in pairs {
            let name = format!("{prefix}{key}");
            match &node.value {
                Value::Object(inner)
                    if !inner.is_empty()
                        && depth < DEEPEST
                        && is_plain_name(key)
                        && !key.contains('.')
                        && all_plain(inner) =>
                {
                    self.add(row, &format!("{name}."), inner, depth + 1);
                }
                _ => {
                    self.pointed |= key.contains('.');
                    let place = *self.places.entry(name).or_insert_with_key(|name| {
                        self.names.push(name.clone());
                        self.columns.push(vec![None; self.rows]);
                        self.columns.len() - 1
                    });
                    if let Some(cell) = self.columns.get_mut(place).and_then(|column| column.get_mut(row)) {
                        *cell = Some(node);
                    }
                }
            }
        }
    }

    fn finish(self) -> Vec<Column> {
        self.names
            .into_iter()
            .zip(self.columns)
            .map(|(name, nodes)| {
                let texts = is_plain_name(&name)
                    && nodes.iter().flatten().all(|node| matches!(node.value, Value::Text(..)))
                    && nodes
                        .iter()
                        .flatten()
                        .any(|node| matches!(&node.value, Value::Text(_, text) if is_scalar(text)));
                let cells =
                    nodes.into_iter().map(|node| node.map(|node| bare(node, texts)).unwrap_or_default()).collect();
                Column { name, texts, cells }
            })
            .collect()
    }
}

fn all_plain(pairs: &[(Cow<'_, str>, Node<'_>)]) -> bool {
    pairs.iter().all(|(key, _)| is_plain_name(key) && !key.contains('.'))
}

/// A value as a cell or after a colon: strings bare where they can't be misread.
fn bare(node: &Node<'_>, texts: bool) -> String {
    match &node.value {
        Value::Text(_, text) if is_plain(text) && (texts || !is_scalar(text)) => text.to_string(),
        Value::Text(raw, text) => {
            if text.chars().any(char::is_control) {
                (*raw).to_owned()
            } else {
                quoted(text)
            }
        }
        _ => node.minified(),
    }
}

/// Whether a string can stand without quotes.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.trim() == text
        && !text.starts_with(['"', '[', '{', '…'])
        && !text.contains(['|', '\u{2028}', '\u{2029}'])
        && !text.chars().any(char::is_control)
}

/// Whether a bare word would be read as a number, a truth value or null.
pub(super) fn is_scalar(text: &str) -> bool {
    matches!(text, "true" | "false" | "null")
        || (text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
            && text.len() < 400
            && serde_json::from_str::<serde_json::Number>(text).is_ok())
}

pub(super) fn is_plain_name(name: &str) -> bool {
    is_plain(name) && name != EACH_ROW && !name.contains(['=', ':', '"', ']'])
}

fn name(key: &str) -> Cow<'_, str> {
    if is_plain_name(key) { key.into() } else { quoted(key).into() }
}

/// What stands before the keys that have one value for all records.
const EACH_ROW: &str = "each row";

/// Deeper objects stay JSON.
const DEEPEST: usize = 6;
