//! Which columns of a table stay where a budget has room for a few whole rows at most.
//!
//! Rows go before columns. But where not even a few rows fit with all their columns, a table of the columns that are asked
//! for, and of those that tell most for their tokens, says more than one row; its head tells which are missing.

use std::collections::{HashMap, HashSet};

use super::{Reader, rows::Column};
use crate::compress::{
    Ratio, mark,
    text::sentence,
    worth::weights::{FEW_ROWS, NAMING, SHORT_ROW},
};

/// What stays of a table's columns.
#[derive(Debug)]
pub(super) struct Shown {
    columns: Vec<bool>,
    /// Whether there is room for the names of the others.
    listed: bool,
}

impl Shown {
    /// Whether a column stays.
    pub(super) fn has(&self, column: usize) -> bool {
        self.columns.get(column).copied().unwrap_or(true)
    }

    /// What tells in the head which columns are missing.
    pub(super) fn mark<'n>(&self, names: impl Iterator<Item = &'n str>) -> String {
        let gone: Vec<&str> = names.enumerate().filter(|(at, _)| !self.has(*at)).map(|(_, name)| name).collect();
        mark::columns(&gone, self.listed && !gone.iter().any(|name| name.contains([']', '\n'])))
    }
}

/// The columns that stay; nothing where all do. `source` is what the table takes in the text, in tokens.
///
/// Where the first column is the rows' `label`, it stays, and none goes unless another one is asked for.
pub(super) fn shown(
    columns: &[Column<'_>],
    rows: usize,
    source: usize,
    label: bool,
    reader: &Reader<'_>,
) -> Option<Shown> {
    let Ratio::By(factor) = reader.ratio else { return None };
    let share = source as f32 / factor.value();
    let mut known: HashMap<&str, usize> = HashMap::new();
    let mut price = |cell| *known.entry(cell).or_insert_with(|| reader.tokens.count(cell) + 1) as f32;
    let heads: Vec<f32> = columns.iter().map(|column| price(column.name)).collect();
    let means: Vec<f32> = columns
        .iter()
        .map(|column| column.cells.iter().map(|cell| price(cell)).sum::<f32>() / rows.max(1) as f32)
        .collect();
    let said = passages(columns);
    let all = heads.iter().sum::<f32>() + means.iter().sum::<f32>() * rows.min(FEW_ROWS) as f32;
    if all <= share || columns.len() < 2 || label && means.iter().sum::<f32>() <= SHORT_ROW {
        return None;
    }
    let mut asked = asked(columns, rows, reader);
    if let Some(first) = asked.first_mut().filter(|_| label) {
        *first = true;
        if asked.iter().filter(|asked| **asked).count() < 2 {
            return None;
        }
    }
    // Passages are what a search was for: where no value is asked for, rows go and they stay.
    let answers = |(at, asked): (usize, &bool)| *asked && columns.get(at).is_some_and(|column| !is_id(column, rows));
    if said.contains(&true) && !asked.iter().enumerate().any(answers) {
        asked.iter_mut().zip(&said).for_each(|(asked, said)| *asked |= said);
        // A passage without its source is anybody's.
        let source = columns.iter().zip(&mut asked).find(|(column, _)| identifies(column, rows));
        if let Some((_, asked)) = source {
            *asked = true;
        }
    }
    let fresh: Vec<f32> = columns.iter().map(|column| distinct(column) as f32 / rows.max(1) as f32).collect();
    let worth = |at: usize| {
        let naming = columns.get(at).is_some_and(|column| is_naming(column, rows));
        let told = fresh.get(at).copied().unwrap_or(0.0) * if naming { NAMING } else { 1.0 };
        told / means.get(at).copied().unwrap_or(1.0).max(1.0)
    };
    let is_asked = |at: usize| asked.get(at).copied().unwrap_or(false);
    let mut order: Vec<usize> = (0..columns.len()).collect();
    order.sort_by(|a, b| is_asked(*b).cmp(&is_asked(*a)).then(worth(*b).total_cmp(&worth(*a))).then(a.cmp(b)));
    let core = asked.iter().filter(|asked| **asked).count();
    let (mut best, mut most, mut head, mut mean, mut told) = (core.max(1), 0.0, MARK, 0.0, 0.0);
    for (taken, at) in order.iter().enumerate() {
        head += heads.get(*at).copied().unwrap_or(0.0);
        mean += means.get(*at).copied().unwrap_or(0.0);
        told += fresh.get(*at).copied().unwrap_or(0.0);
        let fit = ((share - head) / mean.max(1.0)).floor().clamp(0.0, rows as f32);
        if taken + 1 >= core && fit * told > most {
            (best, most) = (taken + 1, fit * told);
        }
    }
    let mut shown = vec![false; columns.len()];
    for at in order.into_iter().take(best) {
        if let Some(place) = shown.get_mut(at) {
            *place = true;
        }
    }
    let names: f32 = heads.iter().zip(&shown).filter(|(_, shown)| !**shown).map(|(price, _)| price).sum();
    shown.contains(&false).then_some(Shown { columns: shown, listed: names <= share / NAMES })
}

/// The columns that answer: those called as the question calls what it wants, and those in which it names a few rows.
fn asked(columns: &[Column<'_>], rows: usize, reader: &Reader<'_>) -> Vec<bool> {
    let stress: Vec<f32> = columns.iter().map(|column| reader.wanted.stress(column.name)).collect();
    let most = stress.iter().copied().fold(0.0, f32::max);
    columns
        .iter()
        .zip(&stress)
        .map(|(column, stress)| (most >= CALLED && *stress >= most * 0.95) || is_named(column, rows, reader))
        .collect()
}

/// Whether the question names a few rows by what they have in a column.
fn is_named(column: &Column<'_>, rows: usize, reader: &Reader<'_>) -> bool {
    let mut holders: HashMap<&str, usize> = HashMap::new();
    for cell in column.cells.iter().filter(|cell| !cell.is_empty() && cell.len() <= LONGEST_NAME) {
        *holders.entry(cell).or_insert(0) += 1;
    }
    holders.into_iter().any(|(cell, count)| count * 3 <= rows.max(3) && reader.wanted.quotes(cell))
}

/// Whether a column says where its rows are from: one word each, and a name or a number of their own for most.
fn identifies(column: &Column<'_>, rows: usize) -> bool {
    let one_word = |cell: &&str| !cell.is_empty() && !cell.contains(char::is_whitespace);
    let named = |cell: &&str| cell.contains(char::is_alphabetic);
    is_id(column, rows) || distinct(column) * 2 > rows && column.cells.iter().all(|cell| one_word(cell) && named(cell))
}

fn distinct(column: &Column<'_>) -> usize {
    column.cells.iter().filter(|cell| !cell.is_empty()).collect::<HashSet<_>>().len()
}

/// Whether the cells name their rows: all different, and words.
fn is_naming(column: &Column<'_>, rows: usize) -> bool {
    distinct(column) == rows
        && column.cells.iter().all(|cell| cell.chars().filter(|c| c.is_alphabetic()).nth(2).is_some())
}

/// The columns that hold passages: most cells say something in sentences, two or more, and that is most of what the table
/// says.
pub(super) fn passages(columns: &[Column<'_>]) -> Vec<bool> {
    let bytes = |column: &Column<'_>| column.cells.iter().map(|cell| cell.len()).sum::<usize>();
    let all: usize = columns.iter().map(bytes).sum();
    let says = |cell: &&&str| cell.len() > SHORTEST_SAID && sentence::split(cell).len() > 1;
    let most = |column: &Column<'_>| column.cells.iter().filter(says).count() * 2 > column.cells.len();
    columns.iter().map(|column| bytes(column) * 2 > all && most(column)).collect()
}

/// Whether the cells only tell the rows apart: all different, of letters and digits, and one word each.
fn is_id(column: &Column<'_>, rows: usize) -> bool {
    let mixed = |cell: &&str| {
        !cell.contains(' ') && cell.contains(|c: char| c.is_ascii_digit()) && cell.contains(char::is_alphabetic)
    };
    distinct(column) == rows && (column.cells.iter().all(mixed) || column.name.to_lowercase().ends_with("id"))
}

/// Shorter cells are values and no passages, in bytes.
const SHORTEST_SAID: usize = 80;

/// The share of a column's own words that the question holds where it asks for it.
const CALLED: f32 = 0.5;

/// Tokens of what tells that columns, and rows before and behind, are missing.
const MARK: f32 = 20.0;

/// One token in so many may go to the names of the columns that are missing.
const NAMES: f32 = 20.0;

/// Longer cells are no names, in bytes.
const LONGEST_NAME: usize = 200;
