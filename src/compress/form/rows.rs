//! Which rows of a table tell more than their neighbours: the one that failed, the odd one out, the first and the last.
//!
//! For JSON records, CSV and drawn tables alike. A row that differs from all others in a column in which they agree, a
//! figure far from the rest, a word that reports trouble: whoever asks about a table asks about those more often than
//! about any other row, and rarely in their words.

mod asked;
mod figure;

use std::collections::{HashMap, HashSet};

use figure::Kind;

use crate::compress::{
    ask::Wanted,
    fuel,
    text::{lexicon, word::stem},
    worth::weights::{EDGE, EXTREME, LOG_ERROR, ODD, UNASKED},
};

/// A column with a cell for each row; empty where a row has none.
pub(super) struct Column<'c> {
    pub(super) name: &'c str,
    pub(super) cells: Vec<&'c str>,
}

/// How telling each row is beside 1 for most.
///
/// A row is the more telling the more bits its values are more surprising than those of their columns are on average: what
/// every row has and what no two rows share says nothing. A figure far from the rest counts as a value that one row has.
pub(super) fn salience(columns: &[Column<'_>], rows: usize, wanted: &Wanted) -> Vec<f32> {
    let mut bits = vec![0.0_f32; rows];
    let mut found = vec![1.0_f32; rows];
    for column in columns {
        fuel::step(column.cells.len());
        for (held, excess) in bits.iter_mut().zip(surprise(column)) {
            *held += excess;
        }
        for row in troubled(column) {
            raise(&mut found, row, LOG_ERROR);
        }
    }
    asked::rows(columns, wanted).into_iter().for_each(|row| raise(&mut found, row, EXTREME));
    for (salience, bits) in found.iter_mut().zip(bits) {
        *salience *= 1.0 + ODD * bits.max(0.0);
    }
    raise(&mut found, 0, EDGE);
    raise(&mut found, rows.saturating_sub(1), EDGE);
    lack_what_is_denied(&mut found, columns, &wanted.denied());
    found
}

/// Whether rows are a program's messages: a column tells the level of each.
pub(super) fn are_events(columns: &[Column<'_>]) -> bool {
    columns.iter().any(|column| {
        fuel::step(column.cells.len());
        column.cells.iter().all(|cell| lexicon::is_level(cell)) && !column.cells.is_empty()
    })
}

fn raise(found: &mut [f32], row: usize, to: f32) {
    if let Some(held) = found.get_mut(row) {
        *held = held.max(to);
    }
}

/// By how many bits each cell is more surprising than its column is on average.
fn surprise(column: &Column<'_>) -> Vec<f32> {
    let total = column.cells.len() as f32;
    fuel::step(column.cells.len());
    let mut counts: HashMap<&str, f32> = HashMap::new();
    for cell in &column.cells {
        *counts.entry(cell).or_default() += 1.0;
    }
    let own = |cell: &&str| (total / counts.get(*cell).copied().unwrap_or(1.0)).log2();
    // Over rows, whose order is the text's: sums of floats in the order of a hash map would differ from run to run.
    let mean = column.cells.iter().map(own).sum::<f32>() / total.max(1.0);
    let far = far_out(column);
    let excess = |(cell, far): (&&str, bool)| if far { total.log2() } else { own(cell) - mean };
    column.cells.iter().zip(far).map(excess).collect()
}

/// Which figures lie far out (Tukey, *Exploratory Data Analysis*, 1977): more than three interquartile ranges from the
/// quartiles; where nearly all cells state figures, a cell that states none is as far. What is told in larger and smaller
/// units, `9m` beside `32d`, is compared by its magnitude.
fn far_out(column: &Column<'_>) -> Vec<bool> {
    fuel::step(column.cells.len());
    let magnitude = |(value, kind): (f64, Kind)| if kind == Kind::Other || value <= 0.0 { value } else { value.ln() };
    let figures: Vec<Option<f64>> = column.cells.iter().map(|cell| figure::measure(cell).map(magnitude)).collect();
    let mut sorted: Vec<f64> = figures.iter().flatten().copied().collect();
    if sorted.len() < FEWEST || sorted.len() * 10 < figures.len() * 9 {
        return vec![false; figures.len()];
    }
    sorted.sort_by(f64::total_cmp);
    let quartile = |part: usize| sorted.get((sorted.len() - 1) * part / 4).copied().unwrap_or(0.0);
    let (low, high) = (quartile(1), quartile(3));
    let reach = TUKEY * (high - low);
    // Of figures that are nearly all the same the others are rare, not far.
    let far = |value: f64| reach > 0.0 && (value < low - reach || value > high + reach);
    figures.into_iter().map(|value| value.is_none_or(far)).collect()
}

/// The rows with a word for trouble in a short cell, if they are few.
fn troubled(column: &Column<'_>) -> Vec<usize> {
    let tells = |cell: &str| cell.len() <= LONGEST_STATE && lexicon::trouble(cell).is_some();
    fuel::step(column.cells.len());
    // Equal cells are read once.
    let mut known: HashMap<&str, bool> = HashMap::new();
    let cells = column.cells.iter().enumerate();
    let found: Vec<usize> =
        cells.filter(|(_, cell)| *known.entry(cell).or_insert_with(|| tells(cell))).map(|(row, _)| row).collect();
    // What many rows tell of is no exception.
    if found.len() * 3 > column.cells.len() { Vec::new() } else { found }
}

/// Where it is asked which rows are not so, those are the answer that lack the word, or deny it in the column that is
/// called so (`ferry: no`), among others that have it.
fn lack_what_is_denied(found: &mut [f32], columns: &[Column<'_>], denied: &HashSet<String>) {
    if denied.is_empty() {
        return;
    }
    let called: Vec<bool> = columns.iter().map(|column| denied.contains(&stem(column.name))).collect();
    let has = |row: usize| {
        columns.iter().zip(&called).filter_map(|(column, called)| Some((column.cells.get(row)?, called))).any(
            |(cell, called)| {
                if *called { !lexicon::denies(&cell.to_lowercase()) } else { denied.contains(&stem(cell)) }
            },
        )
    };
    let having: Vec<bool> = (0..found.len()).map(has).collect();
    if having.iter().all(|has| *has == having.first().copied().unwrap_or(false)) {
        return;
    }
    for (salience, has) in found.iter_mut().zip(having) {
        *salience *= if has { UNASKED } else { 1.0 / UNASKED };
    }
}

/// Tukey's fence, in interquartile ranges.
const TUKEY: f64 = 3.0;

/// Fewer figures have no rule from which one could differ.
const FEWEST: usize = 5;

/// Longer cells tell a story and no state, in bytes.
const LONGEST_STATE: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::Query;

    fn found(cells: &[&str]) -> Vec<usize> {
        let column = Column { name: "x", cells: cells.to_vec() };
        let salience = salience(&[column], cells.len(), &Wanted::default());
        (1..cells.len() - 1).filter(|row| salience[*row] > 4.0).collect()
    }

    #[test]
    fn the_row_that_failed_is_found() {
        let mut cells = vec!["done"; 12];
        cells[4] = "failed";
        assert_eq!(found(&cells), [4]);
    }

    #[test]
    fn a_value_among_empty_cells_and_an_empty_cell_among_values_are_found() {
        let mut cells = vec![""; 20];
        cells[7] = "belt jammed";
        assert_eq!(found(&cells), [7]);
        let mut cells: Vec<String> = (0..20).map(|n| (n * 7 % 11).to_string()).collect();
        cells[3] = String::new();
        assert_eq!(found(&cells.iter().map(String::as_str).collect::<Vec<_>>()), [3]);
    }

    #[test]
    fn a_figure_and_a_date_far_from_the_rest_are_found() {
        let mut cells: Vec<String> = (0..30).map(|n| format!("{}ms", 100 + n * 7 % 13)).collect();
        cells[11] = "98765ms".into();
        assert_eq!(found(&cells.iter().map(String::as_str).collect::<Vec<_>>()), [11]);
        let mut cells: Vec<String> = (1..29).map(|n| format!("2025-01-{n:02}T00:00:00Z")).collect();
        cells[9] = "2031-01-01T00:00:00Z".into();
        assert_eq!(found(&cells.iter().map(String::as_str).collect::<Vec<_>>()), [9]);
    }

    #[test]
    fn numbers_that_count_up_and_names_with_numbers_are_all_alike() {
        for cells in [(0..40).map(|n| n.to_string()).collect::<Vec<_>>(), (0..40).map(|n| format!("P-{n}")).collect()] {
            assert!(found(&cells.iter().map(String::as_str).collect::<Vec<_>>()).is_empty());
        }
    }

    #[test]
    fn rows_without_what_is_asked_to_be_missing_are_found() {
        let column = |name, cells: &[&'static str]| Column { name, cells: cells.to_vec() };
        let query = Query { preceding: "Which islands have no ferry?".into(), ..Query::default() };
        let columns = [column("island", &["A", "B", "C"]), column("ferry", &["yes", "no", "yes"])];
        let salience = salience(&columns, 3, &Wanted::new(&query, None));
        assert!(salience[1] > 100.0 * salience[0] && salience[1] > 100.0 * salience[2], "{salience:?}");
    }
}
