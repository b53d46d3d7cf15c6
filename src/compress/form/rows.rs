//! Which rows of a table tell more than their neighbours: the one that failed, the odd one out, the first and the last.
//!
//! For JSON records, CSV and drawn tables alike. A row that differs from all others in a column in which they agree, a
//! figure far from the rest, a word that reports trouble: whoever asks about a table asks about those more often than
//! about any other row, and rarely in their words.

use std::collections::{HashMap, HashSet};

use crate::compress::{
    ask::Wanted,
    fuel,
    text::{
        lexicon::{self, signs},
        word::{stem, words},
    },
    worth::weights::{EDGE, EXTREME, LOG_ERROR, ODD, UNASKED},
};

/// A column with a cell for each row; empty where a row has none.
pub(super) struct Column<'c> {
    pub(super) name: &'c str,
    pub(super) cells: Vec<&'c str>,
}

/// How telling each row is beside 1 for most.
///
/// A row is as many times more telling as its rarest value is rarer than the values of its column are on average: what
/// every row has and what no two rows share says nothing. A figure far from the rest counts as a value that one row has.
pub(super) fn salience(columns: &[Column<'_>], rows: usize, wanted: &Wanted) -> Vec<f32> {
    let mut bits = vec![0.0_f32; rows];
    let mut found = vec![1.0_f32; rows];
    let most = columns.iter().map(|column| wanted.stress(column.name)).fold(0.0, f32::max);
    for column in columns {
        fuel::step(column.cells.len());
        for (held, excess) in bits.iter_mut().zip(surprise(column)) {
            *held = held.max(excess);
        }
        for row in troubled(column) {
            raise(&mut found, row, LOG_ERROR);
        }
        if asks_for_extreme_of(column, most, wanted) {
            extremes(column).into_iter().for_each(|row| raise(&mut found, row, EXTREME));
        }
    }
    for (salience, bits) in found.iter_mut().zip(bits) {
        *salience *= (ODD * bits).exp2();
    }
    raise(&mut found, 0, EDGE);
    raise(&mut found, rows.saturating_sub(1), EDGE);
    lack_what_is_denied(&mut found, columns, &wanted.denied());
    found
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
/// quartiles; where nearly all cells state figures, a cell that states none is as far.
fn far_out(column: &Column<'_>) -> Vec<bool> {
    fuel::step(column.cells.len());
    let figures: Vec<Option<f64>> = column.cells.iter().map(|cell| figure(cell)).collect();
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

/// The rows with the least and the greatest figure of each column whose most or least is asked for.
pub(super) fn asked_extremes(columns: &[Column<'_>], wanted: &Wanted) -> Vec<usize> {
    let most = columns.iter().map(|column| wanted.stress(column.name)).fold(0.0, f32::max);
    let asked = columns.iter().filter(|column| asks_for_extreme_of(column, most, wanted));
    asked.flat_map(extremes).collect()
}

/// Whether the most or the least of a column is asked for: by the column's name, or, where the question has the name of
/// none, by what is only said of times (`oldest`) or of sizes (`largest`).
fn asks_for_extreme_of(column: &Column<'_>, most: f32, wanted: &Wanted) -> bool {
    if !wanted.asks_for_extreme() {
        return false;
    }
    if most > 0.0 {
        return wanted.stress(column.name) >= most;
    }
    let said = |of: fn(&str) -> bool| {
        words(wanted.wording()).filter_map(|span| wanted.wording().get(span)).any(|word| of(&word.to_lowercase()))
    };
    let told = |kind: Kind| {
        let of_kind = column.cells.iter().filter(|cell| measure(cell).is_some_and(|(_, own)| own == kind)).count();
        of_kind * 2 > column.cells.len()
    };
    (said(signs::of_times) && told(Kind::Time)) || (said(signs::of_sizes) && told(Kind::Size))
}

/// The rows with the least and the greatest figure.
fn extremes(column: &Column<'_>) -> Vec<usize> {
    let figures = column.cells.iter().enumerate().filter_map(|(row, cell)| Some((row, figure(cell)?)));
    let figures: Vec<(usize, f64)> = figures.collect();
    if figures.len() * 2 < column.cells.len() {
        return Vec::new();
    }
    let least = figures.iter().min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    let greatest = figures.iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
    least.into_iter().chain(greatest).map(|(row, _)| *row).collect()
}

/// The number that a cell states, signs of currency aside; of a date its days, of a time its seconds, of a size its bytes.
fn figure(cell: &str) -> Option<f64> {
    measure(cell).map(|(value, _)| value)
}

/// What a figure measures, as far as its unit says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Time,
    Size,
    Other,
}

fn measure(cell: &str) -> Option<(f64, Kind)> {
    let cell = cell.trim().trim_matches('"');
    if cell.len() > LONGEST_STATE {
        return None;
    }
    if let Some(days) = date(cell) {
        return Some((days, Kind::Time));
    }
    let bare = cell.trim_start_matches(|c: char| !c.is_ascii_digit() && !"-(.".contains(c));
    let negative = bare.starts_with(['-', '(']);
    let bare = bare.trim_start_matches(['-', '(']);
    let end = bare.find(|c: char| !c.is_ascii_digit() && !".,".contains(c)).unwrap_or(bare.len());
    let (digits, unit) = bare.split_at(end);
    let (factor, kind) = scale(unit.trim());
    // A name with a number in it is no figure.
    let is_name = kind == Kind::Other && unit.chars().filter(|c| c.is_alphanumeric()).count() > 4;
    if cell.len() - bare.len() > 3 || is_name {
        return None;
    }
    let value: f64 = digits.replace(',', "").trim_end_matches('.').parse().ok()?;
    let value = value * factor;
    Some((if negative { -value } else { value }, kind))
}

/// The seconds of a unit of time (`3d`, `5 weeks ago`), the bytes of one of size (`12M`, `4.0 GiB`).
fn scale(unit: &str) -> (f64, Kind) {
    let word = unit.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    let time = |seconds: f64| (seconds, Kind::Time);
    let size = |power: i32| (1024_f64.powi(power), Kind::Size);
    match word.strip_suffix('s').filter(|word| word.len() > 2).unwrap_or(word) {
        "ns" => time(1e-9),
        "us" | "µs" => time(1e-6),
        "ms" => time(1e-3),
        "s" | "sec" | "second" => time(1.0),
        "m" | "min" | "minute" => time(60.0),
        "h" | "hour" => time(3_600.0),
        "d" | "day" => time(86_400.0),
        "w" | "week" => time(604_800.0),
        "month" => time(2_629_800.0),
        "y" | "year" => time(31_557_600.0),
        "B" | "byte" => size(0),
        "K" | "k" | "KB" | "kB" | "KiB" | "Ki" => size(1),
        "M" | "MB" | "MiB" | "Mi" => size(2),
        "G" | "GB" | "GiB" | "Gi" => size(3),
        "T" | "TB" | "TiB" | "Ti" => size(4),
        _ => (1.0, Kind::Other),
    }
}

/// `2030-01-01…` as days, roughly: enough to tell near from far.
fn date(cell: &str) -> Option<f64> {
    let day = cell.get(..10)?;
    let mut parts = day.split(['-', '/']);
    let (year, month, date) = (parts.next()?, parts.next()?, parts.next()?);
    let number = |text: &str, length: usize| (text.len() == length).then(|| text.parse::<f64>().ok()).flatten();
    Some(number(year, 4)? * 372.0 + number(month, 2)? * 31.0 + number(date, 2)?)
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

    #[test]
    fn the_most_of_a_column_is_found_where_it_is_asked_for() {
        let cells: Vec<String> = (0..12).map(|n| (n * 5 % 12 + 20).to_string()).collect();
        let column = || Column { name: "people", cells: cells.iter().map(String::as_str).collect() };
        let query = |text: &str| Query { preceding: text.into(), ..Query::default() };
        let asked = Wanted::new(&query("Which island has the most people?"), None);
        assert!(salience(&[column()], 12, &asked)[7] >= EXTREME);
        // What is said of times and sizes alone need not name its column.
        let ages = ["3 weeks ago", "5 days ago", "7 weeks ago", "2 weeks ago"];
        let sizes = ["120M", "3.1G", "900K", "44M"];
        let columns =
            [Column { name: "CREATED", cells: ages.to_vec() }, Column { name: "TAKES", cells: sizes.to_vec() }];
        for (question, rows) in [("Which is the oldest?", [1, 2]), ("Which one is the largest?", [2, 1])] {
            assert_eq!(asked_extremes(&columns, &Wanted::new(&query(question), None)), rows, "{question}");
        }
        let other = Wanted::new(&query("How many people live there?"), None);
        assert!(salience(&[column()], 12, &other)[7] <= EDGE);
    }
}
