//! Like records as a table: keys once, what all records share once, a line for each record.
//!
//! ```text
//! each row: class=Economy|stops=0
//! airline|"price"|from.city
//! Delta|261|Oslo
//! ```
//!
//! It can be read back: a bare word is a string unless it reads as a JSON number, `true`, `false` or `null`; what would
//! be misread stands as JSON; an empty cell is a key that the record lacks; a column with its name in quotes holds
//! strings, whatever they look like; a point joins nested keys.

use std::{borrow::Cow, collections::HashMap};

use super::tree::{Node, Pair, Value, is_number, quoted};
use crate::compress::{form::narrow::Shown, fuel};

/// Records that are alike.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) columns: Vec<Column>,
    pub(super) rows: usize,
    /// Which columns differ from row to row; all of them where none does.
    varying: Vec<bool>,
}

/// One key of all records.
#[derive(Debug)]
pub(super) struct Column {
    /// The key as it reads; nested keys joined by a point.
    pub(super) name: String,
    /// Whether strings that look like something else stand bare in it.
    texts: bool,
    /// A cell for each record; empty where the record lacks the key.
    pub(super) cells: Vec<String>,
}

impl Sheet {
    /// Of two or more objects that share most of their keys.
    pub(super) fn of(records: &[&Node<'_>]) -> Option<Self> {
        Self::keyed(records, None)
    }

    /// Of objects with the key that each stands under.
    pub(super) fn keyed(records: &[&Node<'_>], names: Option<Vec<String>>) -> Option<Self> {
        if records.len() < 2 {
            return None;
        }
        let mut keys = Keys::default();
        let mut sparse: Vec<Vec<(usize, &Node<'_>)>> = Vec::with_capacity(records.len());
        for record in records {
            let Value::Object(pairs) = &record.value else { return None };
            let mut cells = Vec::with_capacity(pairs.len());
            keys.add("", pairs, 0, &mut cells)?;
            cells.sort_by_key(|(column, _)| *column);
            // A key told twice can't stand in a table.
            if cells.windows(2).any(|two| two.first().map(|cell| cell.0) == two.last().map(|cell| cell.0)) {
                return None;
            }
            sparse.push(cells);
        }
        let told: usize = sparse.iter().map(Vec::len).sum();
        // More holes than values: the records are not alike, and a table would hide it. It also bounds the cells.
        if told == 0 || keys.names.len() * records.len() > 2 * told {
            return None;
        }
        fuel::room(told / CELLS_AN_ENTRY);
        let mut columns: Vec<Vec<Option<&Node<'_>>>> = vec![vec![None; records.len()]; keys.names.len()];
        for (row, cells) in sparse.into_iter().enumerate() {
            for (column, node) in cells {
                if let Some(cell) = columns.get_mut(column).and_then(|column| column.get_mut(row)) {
                    *cell = Some(node);
                }
            }
        }
        let mut columns: Vec<Column> =
            keys.names.into_iter().zip(columns).map(|(name, nodes)| Column::of(name, &nodes)).collect();
        if let Some(names) = names {
            let cells = names.iter().map(|name| if is_plain(name) { name.clone() } else { quoted(name) }).collect();
            columns.insert(0, Column { name: KEY.to_owned(), texts: false, cells });
        }
        let all = columns.iter().all(Column::is_constant);
        let varying = columns.iter().map(|column| all || !column.is_constant()).collect();
        let sheet = Self { columns, rows: records.len(), varying };
        // A record without its only key would be an empty line, and that ends the table.
        let varying: Vec<&Column> = sheet.varying().collect();
        let blank = matches!(varying.as_slice(), [one] if one.cells.iter().any(String::is_empty));
        (!blank).then_some(sheet)
    }

    /// The columns with a cell in each row.
    pub(super) fn varying(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().zip(&self.varying).filter(|(_, varies)| **varies).map(|(column, _)| column)
    }

    /// What all records share, one by one: `class=Economy`.
    pub(super) fn shared(&self) -> Vec<String> {
        let constant = self.columns.iter().zip(&self.varying).filter(|(_, varies)| !**varies);
        constant.map(|(column, _)| column).map(|column| format!("{}={}", column.head(), column.cell(0))).collect()
    }

    /// The keys above the rows; `shown` says which stay, if not all do.
    pub(super) fn head(&self, shown: Option<&Shown>) -> String {
        let stays = |at: usize| shown.is_none_or(|shown| shown.has(at));
        let there = self.varying().enumerate().filter(|(at, _)| stays(*at)).map(|(_, column)| column.head());
        let mut head = there.collect::<Vec<_>>().join("|");
        if let Some(shown) = shown {
            head.push_str(&shown.mark(self.varying().map(|column| column.name.as_str())));
        }
        head
    }

    /// A row of the columns that stay, with what `instead` gives for a cell in its place.
    pub(super) fn row(
        &self,
        row: usize,
        shown: Option<&Shown>,
        instead: impl Fn(&Column, &str) -> Option<String>,
    ) -> String {
        let cell = |column: &Column| -> String {
            let cell = column.cell(row);
            instead(column, cell).unwrap_or_else(|| cell.to_owned())
        };
        fuel::step(self.columns.len());
        let there = self.varying().enumerate().filter(|(at, _)| shown.is_none_or(|shown| shown.has(*at)));
        there.map(|(_, column)| cell(column)).collect::<Vec<_>>().join("|")
    }
}

impl Column {
    fn of(name: String, nodes: &[Option<&Node<'_>>]) -> Self {
        let is_text = |node: &&Node<'_>| matches!(node.value, Value::Text(..));
        let looks_else = |node: &&Node<'_>| matches!(&node.value, Value::Text(_, text) if is_scalar(text));
        let told = || nodes.iter().flatten().copied();
        let texts = is_plain_name(&name) && told().all(|node| is_text(&node)) && told().any(|node| looks_else(&node));
        let cells = nodes.iter().map(|node| node.map(|node| bare(node, texts)).unwrap_or_default()).collect();
        Self { name, texts, cells }
    }

    /// Whether all records say the same.
    pub(super) fn is_constant(&self) -> bool {
        self.cells.len() > 1
            && self.cells.first().is_some_and(|first| !first.is_empty() && self.cells.iter().all(|cell| cell == first))
    }

    /// The name as it stands in a table's head.
    fn head(&self) -> Cow<'_, str> {
        if self.name == KEY {
            return KEY.into();
        }
        if self.texts || !is_plain_name(&self.name) { quoted(&self.name).into() } else { (&self.name).into() }
    }

    pub(super) fn cell(&self, row: usize) -> &str {
        self.cells.get(row).map(String::as_str).unwrap_or_default()
    }
}

/// The keys of all records, nested ones joined by a point, in the order in which they come up.
#[derive(Default)]
struct Keys {
    places: HashMap<String, usize>,
    names: Vec<String>,
}

impl Keys {
    /// Adds what a record tells to `cells`; nothing where a key has a point of its own, which would be taken for nesting.
    fn add<'n, 'a>(
        &mut self,
        prefix: &str,
        pairs: &'n [Pair<'a>],
        depth: usize,
        cells: &mut Vec<(usize, &'n Node<'a>)>,
    ) -> Option<()> {
        for Pair { key, node, .. } in pairs {
            let name = format!("{prefix}{key}");
            match &node.value {
                Value::Cut(_) => return None,
                Value::Object(inner)
                    if !inner.is_empty()
                        && depth < DEEPEST
                        && is_part(key)
                        && inner.iter().all(|pair| is_part(&pair.key)) =>
                {
                    self.add(&format!("{name}."), inner, depth + 1, cells)?;
                }
                _ if key.contains('.') || node.is_cut() => return None,
                _ => {
                    let place = *self.places.entry(name).or_insert_with_key(|name| {
                        self.names.push(name.clone());
                        self.names.len() - 1
                    });
                    cells.push((place, node));
                }
            }
        }
        Some(())
    }
}

/// Cells of a table that take the room of one item.
const CELLS_AN_ENTRY: usize = 4;

/// Whether a key can be joined with others by a point.
fn is_part(key: &str) -> bool {
    is_plain_name(key) && !key.contains('.')
}

/// A value as a cell or after a colon: strings bare where they can't be misread.
pub(super) fn bare(node: &Node<'_>, texts: bool) -> String {
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
pub(super) fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.trim() == text
        && !text.starts_with(['"', '[', '{', '…'])
        && !text.contains(['|', '\u{2028}', '\u{2029}'])
        && !text.chars().any(char::is_control)
}

/// Whether a bare word would be read as a number, a truth value or null.
pub(super) fn is_scalar(text: &str) -> bool {
    matches!(text, "true" | "false" | "null") || is_number(text)
}

pub(super) fn is_plain_name(name: &str) -> bool {
    is_plain(name) && name != EACH_ROW && !name.contains(['=', ':', '"', ']', '}']) && !name.starts_with("- ")
}

/// A key as it stands before a colon.
pub(super) fn name(key: &str) -> Cow<'_, str> {
    if is_plain_name(key) { key.into() } else { quoted(key).into() }
}

/// What stands before the keys that have one value for all records.
pub(super) const EACH_ROW: &str = "each row";

/// The head of the column with the key that each record stands under.
const KEY: &str = "{key}";

/// Stands for a value that is left out.
pub(super) const HIDDEN: &str = "…";

/// Deeper objects stay JSON.
const DEEPEST: usize = 6;
