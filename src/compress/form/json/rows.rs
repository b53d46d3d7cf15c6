//! Which rows and keys of a table stay when a budget is too small for all.
//!
//! Rows and keys are put in order of worth, and the rectangle of the first rows and the first keys that is worth most
//! within the budget is kept: a record that is asked for by name keeps what is asked of it before anything else.

use std::collections::{HashMap, HashSet};

use super::form::{Column, Table};
use crate::compress::{CountTokens, Relevance, words::words};

/// What stays of a table: indices, each in the order of the text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) rows: Vec<usize>,
    pub(super) columns: Vec<usize>,
    /// Keys with one value for all records.
    pub(super) constants: Vec<usize>,
}

/// Prices and worths of a table's cells, computed once for any number of budgets.
pub(super) struct Market {
    /// Rows and varying columns from the worthiest down.
    rows: Vec<usize>,
    columns: Vec<usize>,
    /// Constant columns from the worthiest down, with price and worth.
    constants: Vec<(usize, usize, f32)>,
    /// `costs[j][k]` and `worths[j][k]`: of the first `j + 1` columns of the first `k + 1` rows.
    costs: Vec<Vec<usize>>,
    worths: Vec<Vec<f32>>,
    /// So many columns stay whatever the budget: those that answer what is asked of a record asked for by name.
    core: usize,
    /// Rows with a score from 0 to 1, for the report.
    pub(super) scores: Vec<f32>,
    /// The one row that is asked for, if it stands out.
    pub(super) wanted: Option<usize>,
}

impl Market {
    pub(super) fn open(table: &Table, ask: &Relevance, tokens: &dyn CountTokens) -> Self {
        let mut prices = Prices { tokens, known: HashMap::new() };
        let (constant, varying): (Vec<usize>, Vec<usize>) =
            (0..table.columns.len()).partition(|number| column(table, *number).is_some_and(Column::is_constant));
        let named = Named::find(table, &varying, ask);
        let weights = row_weights(table, &varying, &named, ask);
        let asked: HashSet<usize> = asked_columns(table, ask);
        let mut seen = HashSet::new();
        let constants = rank_constants(table, &constant, &asked, ask, &mut prices, &mut seen);
        let mut columns: Vec<(usize, f32, f32)> = varying
            .iter()
            .filter_map(|number| {
                let cells = &column(table, *number)?.cells;
                let weight = match (asked.contains(number), named.columns.contains(number)) {
                    (true, _) => 6.0,
                    (_, true) => 7.0,
                    _ if is_naming(cells) => 1.5,
                    _ => 1.0,
                };
                let cost: usize = cells.iter().map(|cell| prices.of(cell)).sum();
                let fresh = cells.iter().collect::<HashSet<_>>().len();
                Some((*number, weight, weight * fresh as f32 / cost.max(1) as f32))
            })
            .collect();
        let tier = |weight: f32| u8::from(!named.rows.is_empty() && weight >= 6.0);
        columns.sort_by(|a, b| tier(b.1).cmp(&tier(a.1)).then(b.2.total_cmp(&a.2)).then(a.0.cmp(&b.0)));
        let core = columns.iter().filter(|(_, weight, _)| tier(*weight) == 1).count();
        let mut rows: Vec<usize> = (0..table.rows.len()).collect();
        rows.sort_by(|a, b| weights[*b].total_cmp(&weights[*a]).then(a.cmp(b)));
        let most = weights.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        let weight = |place: usize| rows.get(place).and_then(|row| weights.get(*row)).copied().unwrap_or(0.0);
        let stands_out = weight(0) >= ASKED_FOR && weight(0) >= 1.25 * weight(1);
        let wanted = rows.first().copied().filter(|_| stands_out);
        let mut market = Self {
            wanted,
            rows,
            columns: columns.iter().map(|(number, ..)| *number).collect(),
            constants,
            costs: Vec::new(),
            worths: Vec::new(),
            core,
            scores: weights.iter().map(|weight| weight / most).collect(),
        };
        market.fill(table, &columns, &weights, &mut prices, &mut seen);
        market
    }

    fn fill<'t>(
        &mut self,
        table: &'t Table,
        columns: &[(usize, f32, f32)],
        weights: &[f32],
        prices: &mut Prices<'t>,
        seen: &mut HashSet<&'t str>,
    ) {
        let (mut costs, mut worths) = (vec![0; self.rows.len()], vec![0.0; self.rows.len()]);
        let mut heads = 0;
        for (number, weight, _) in columns {
            let Some(column) = column(table, *number) else { continue };
            heads += prices.of(&column.name);
            for (place, row) in self.rows.iter().enumerate() {
                let cell = column.cell(*row);
                let fresh = !cell.is_empty() && seen.insert(cell);
                costs[place] += prices.of(cell);
                worths[place] += weight * weights[*row] * if fresh || weights[*row] >= NAMED { 1.0 } else { 0.1 };
            }
            self.costs.push(running(&costs, |sum, cost| sum + cost, heads));
            self.worths.push(running(&worths, |sum, worth| sum + worth, 0.0));
        }
    }

    /// The best rectangle within so many tokens.
    pub(super) fn choose(&self, budget: usize) -> Choice {
        let mut best = (f32::MIN, 0, 0, 0);
        let (mut spent, mut gained) = (0, 0.0);
        for taken in 0..=self.constants.len() {
            if let Some((_, cost, worth)) = taken.checked_sub(1).and_then(|last| self.constants.get(last)) {
                spent += cost + if taken == 1 { EACH_ROW } else { 0 };
                gained += worth;
            }
            if spent > budget && taken > 0 {
                break;
            }
            if gained > best.0 && self.core == 0 {
                best = (gained, taken, 0, 0);
            }
            for (j, costs) in self.costs.iter().enumerate().skip(self.core.saturating_sub(1)) {
                let k = costs.partition_point(|cost| cost + spent <= budget);
                let Some(worth) = k.checked_sub(1).and_then(|last| self.worths.get(j)?.get(last)) else { continue };
                if worth + gained > best.0 {
                    best = (worth + gained, taken, j + 1, k);
                }
            }
        }
        let (worth, constants, columns, rows) = best;
        let (columns, rows) = if worth == f32::MIN { (self.core.min(self.columns.len()), 1) } else { (columns, rows) };
        let mut choice = Choice {
            rows: self.rows.iter().copied().take(rows).collect(),
            columns: self.columns.iter().copied().take(columns).collect(),
            constants: self.constants.iter().take(constants).map(|(number, ..)| *number).collect(),
        };
        choice.rows.sort_unstable();
        choice.columns.sort_unstable();
        choice.constants.sort_unstable();
        choice
    }
}

/// What the query names: records by a value that few of them have.
struct Named {
    rows: HashMap<usize, f32>,
    /// The columns with those values.
    columns: HashSet<usize>,
}

impl Named {
    fn find(table: &Table, columns: &[usize], ask: &Relevance) -> Self {
        let (mut hits, mut most) = (Vec::new(), 0.0_f32);
        for number in columns {
            let Some(column) = column(table, *number) else { continue };
            let mut holders: HashMap<&str, Vec<usize>> = HashMap::new();
            for (row, cell) in column.cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
                holders.entry(cell).or_default().push(row);
            }
            for (cell, rows) in holders {
                if rows.len() * 3 > table.rows.len().max(3) || cell.len() > LONGEST_NAME || !ask.quotes(cell) {
                    continue;
                }
                // A longer name says more: "Smith & Sons" is asked for, "Smith" only seems to be.
                let strength = words(cell).count() as f32 / rows.len() as f32;
                most = most.max(strength);
                hits.push((*number, rows, strength));
            }
        }
        let mut named = Self { rows: HashMap::new(), columns: HashSet::new() };
        for (number, rows, strength) in hits {
            if strength * 2.0 > most {
                named.columns.insert(number);
            }
            for row in rows {
                let held = named.rows.entry(row).or_default();
                *held = held.max(strength / most);
            }
        }
        named
    }
}

fn row_weights(table: &Table, varying: &[usize], named: &Named, ask: &Relevance) -> Vec<f32> {
    let texts: Vec<String> = (0..table.rows.len())
        .map(|row| {
            varying.iter().filter_map(|number| Some(column(table, *number)?.cell(row))).collect::<Vec<_>>().join(" ")
        })
        .collect();
    let ranks = ask.rank(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    let best = ranks.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let last = texts.len().saturating_sub(1);
    texts
        .iter()
        .zip(&ranks)
        .enumerate()
        .map(|(row, (text, rank))| {
            let mut weight = 1.0 + 2.0 * rank / best;
            if let Some(strength) = named.rows.get(&row) {
                weight += NAMED * strength;
            }
            if row == 0 || row == last {
                weight += 0.3;
            }
            if tells_of_trouble(text) {
                weight += 1.5;
            }
            weight
        })
        .collect()
}

/// The columns whose names the query holds.
fn asked_columns(table: &Table, ask: &Relevance) -> HashSet<usize> {
    let stress: Vec<f32> = table.columns.iter().map(|column| ask.stress(&column.name)).collect();
    let most = stress.iter().copied().fold(0.0, f32::max);
    if most < 0.5 {
        return HashSet::new();
    }
    (0..stress.len()).filter(|number| stress[*number] >= most * 0.95).collect()
}

/// Constant columns by worth for their price.
fn rank_constants<'t>(
    table: &'t Table,
    constant: &[usize],
    asked: &HashSet<usize>,
    ask: &Relevance,
    prices: &mut Prices<'t>,
    seen: &mut HashSet<&'t str>,
) -> Vec<(usize, usize, f32)> {
    let mut ranked: Vec<(usize, usize, f32)> = constant
        .iter()
        .filter_map(|number| {
            let column = column(table, *number)?;
            let value = column.cell(0);
            let cost = prices.of(&column.name) + prices.of(value);
            // What the query says itself is known to whoever reads the answer.
            let echo = ask.quotes(value);
            let worth = if !seen.insert(value) {
                0.1
            } else if echo {
                0.6
            } else {
                1.0
            };
            Some((*number, cost, if asked.contains(number) && !echo { 12.0 } else { worth }))
        })
        .collect();
    ranked.sort_by(|a, b| (b.2 / b.1 as f32).total_cmp(&(a.2 / a.1 as f32)).then(a.0.cmp(&b.0)));
    ranked
}

/// Whether the cells name their records: all different, and words.
fn is_naming(cells: &[String]) -> bool {
    cells.iter().all(|cell| cell.chars().filter(|c| c.is_alphabetic()).count() >= 3)
        && cells.iter().collect::<HashSet<_>>().len() == cells.len()
}

pub(super) fn tells_of_trouble(text: &str) -> bool {
    let lower = text.to_lowercase();
    ["error", "fail", "fatal", "exception", "warn", "denied", "refused", "critical"]
        .iter()
        .any(|word| lower.contains(word))
}

fn column(table: &Table, number: usize) -> Option<&Column> {
    table.columns.get(number)
}

fn running<T: Copy>(values: &[T], add: impl Fn(T, T) -> T, start: T) -> Vec<T> {
    values
        .iter()
        .scan(start, |sum, value| {
            *sum = add(*sum, *value);
            Some(*sum)
        })
        .collect()
}

/// What a cell costs with the mark after it; equal cells are counted once.
struct Prices<'t> {
    tokens: &'t dyn CountTokens,
    known: HashMap<&'t str, usize>,
}

impl<'t> Prices<'t> {
    fn of(&mut self, cell: &'t str) -> usize {
        *self.known.entry(cell).or_insert_with(|| self.tokens.count(cell) + 1)
    }
}

/// A record asked for by name weighs as much as so many others.
const NAMED: f32 = 8.0;

/// The weight of the row that the query matches best; see [`row_weights`].
const ASKED_FOR: f32 = 2.9;

/// What `each row: ` and its line break cost.
const EACH_ROW: usize = 4;

/// Longer values are no names.
const LONGEST_NAME: usize = 200;
