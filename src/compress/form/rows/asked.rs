//! Rows that a question means by their figures: the most or the least of a column (`Which image takes the most space?`), what
//! lies beyond a bound (`Which files are larger than 50 MB?`), and the range that holds a figure (`a dog of 12 kg`).

use super::{
    Column,
    figure::{Kind, figure, measure, range},
};
use crate::compress::{
    ask::Wanted,
    text::{
        lexicon::signs::{self, Bound},
        word::words,
    },
};

/// The rows that a question means by their figures.
pub(super) fn rows(columns: &[Column<'_>], wanted: &Wanted) -> Vec<usize> {
    let mut found = extreme(columns, wanted);
    for (bound, value, kind) in bounds(wanted.wording()) {
        found.extend(beyond(columns, wanted, bound, value, kind));
    }
    found.extend(within(columns, wanted.wording()));
    found
}

/// The rows in whose range a figure of the question lies: `15 to 24 kg` for a child of 19 kg.
fn within(columns: &[Column<'_>], question: &str) -> Vec<usize> {
    let words: Vec<&str> = question.split_whitespace().collect();
    let figures: Vec<(f64, String)> = words
        .windows(2)
        .filter_map(|two| {
            let [number, unit] = two else { return None };
            let unit = unit.trim_matches(|c: char| !c.is_alphanumeric() && c != '%');
            Some((number.parse().ok()?, unit.to_lowercase()))
        })
        .collect();
    let lies = |cell: &str| {
        let range = if figures.is_empty() { None } else { range(cell) };
        range.is_some_and(|(least, most, unit)| {
            let alike =
                |own: &String| own.eq_ignore_ascii_case(unit) || own.trim_end_matches('s') == unit.to_lowercase();
            figures.iter().any(|(value, own)| alike(own) && (least..=most).contains(value))
        })
    };
    let rows = |column: &Column<'_>| {
        column.cells.iter().enumerate().filter(|(_, cell)| lies(cell)).map(|(row, _)| row).collect::<Vec<_>>()
    };
    columns.iter().flat_map(rows).collect()
}

/// The bounds in a question, `larger than 50 MB`, `under £12,000`, each with its figure.
fn bounds(question: &str) -> Vec<(Bound, f64, Kind)> {
    let words: Vec<&str> = question.split_whitespace().collect();
    let bare = |word: &&str| word.trim_matches(|c: char| !(c.is_alphanumeric() || "£$€%".contains(c))).to_owned();
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let Some(bound) = signs::bound(&bare(word).to_lowercase()) else { continue };
        let from =
            at + 1 + usize::from(words.get(at + 1).is_some_and(|word| THAN.contains(&word.to_lowercase().as_str())));
        let (Some(number), unit) = (words.get(from).map(bare), words.get(from + 1).map(bare)) else { continue };
        let with_unit =
            unit.and_then(|unit| measure(&format!("{number} {unit}"))).filter(|(_, kind)| *kind != Kind::Other);
        found.extend(with_unit.or_else(|| measure(&number)).map(|(value, kind)| (bound, value, kind)));
    }
    found
}

const THAN: [&str; 2] = ["than", "as"];

/// The rows beyond a bound in a column that the question names, or in those that measure the like; none where that is so of
/// many rows, which tells nothing.
fn beyond(columns: &[Column<'_>], wanted: &Wanted, bound: Bound, value: f64, kind: Kind) -> Vec<usize> {
    let figured: Vec<&Column<'_>> = columns.iter().filter(|column| !extremes(column).is_empty()).collect();
    let most = figured.iter().map(|column| called(column.name, wanted)).fold(0.0, f32::max);
    let mut found: Vec<usize> = Vec::new();
    for column in figured.iter().filter(|column| most == 0.0 || called(column.name, wanted) >= most) {
        let lies = |(own, measured): (f64, Kind)| {
            // Sizes are often told in bytes, without a unit.
            let alike = measured == kind || kind == Kind::Size && measured == Kind::Other && value >= LEAST_BYTES;
            alike && if bound == Bound::Above { own > value } else { own < value }
        };
        let rows: Vec<usize> = column
            .cells
            .iter()
            .enumerate()
            .filter(|(_, cell)| measure(cell).is_some_and(lies))
            .map(|(row, _)| row)
            .collect();
        if rows.len() * 3 <= column.cells.len() {
            found.extend(rows);
        }
    }
    found
}

/// Bytes below which a number without a unit may count anything.
const LEAST_BYTES: f64 = 1024.0 * 1024.0;

/// The rows with the least and the greatest figure of each column whose most or least is asked for: by its name, or, where
/// the question names no column of figures, by what is only said of times (`oldest`) or of sizes (`largest`, `space`). Where
/// nothing of that tells and the table has a figure or two, it is asked for theirs.
fn extreme(columns: &[Column<'_>], wanted: &Wanted) -> Vec<usize> {
    if !wanted.asks_for_extreme() {
        return Vec::new();
    }
    let figured: Vec<(&Column<'_>, Vec<usize>)> =
        columns.iter().map(|column| (column, extremes(column))).filter(|(_, rows)| !rows.is_empty()).collect();
    let stress: Vec<f32> = figured.iter().map(|(column, _)| called(column.name, wanted)).collect();
    let most = stress.iter().copied().fold(0.0, f32::max);
    let said = |of: fn(&str) -> bool| {
        words(wanted.wording()).filter_map(|span| wanted.wording().get(span)).any(|word| of(&word.to_lowercase()))
    };
    let (times, sizes) = (said(signs::of_times), said(signs::of_sizes));
    let asked = |((column, _), stress): (&(&Column<'_>, Vec<usize>), &f32)| {
        let told = |kind: Kind| {
            let of_kind = column.cells.iter().filter(|cell| measure(cell).is_some_and(|(_, own)| own == kind)).count();
            of_kind * 2 > column.cells.len()
        };
        if most > 0.0 { *stress >= most } else { (times && told(Kind::Time)) || (sizes && told(Kind::Size)) }
    };
    let asked: Vec<bool> = figured.iter().zip(&stress).map(asked).collect();
    let any = asked.contains(&true) || figured.len() > FEW_FIGURES;
    figured.into_iter().zip(asked).filter(|(_, asked)| *asked || !any).flat_map(|((_, rows), _)| rows).collect()
}

/// How much a column is asked for by its name, which may be short for a word of the question: `%MEM`.
fn called(name: &str, wanted: &Wanted) -> f32 {
    let short = name.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let begins = |word: &str| word.to_lowercase().starts_with(&short);
    let of = words(wanted.wording()).filter_map(|span| wanted.wording().get(span)).find(|word| begins(word));
    let whole = wanted.stress(name);
    if short.len() >= FEWEST_LETTERS { of.map_or(whole, |word| whole.max(wanted.stress(word))) } else { whole }
}

/// Letters of the shortest name that is short for a word.
const FEWEST_LETTERS: usize = 3;

/// Columns of figures, at most, of which all are meant by a superlative that tells of none.
const FEW_FIGURES: usize = 2;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::{
        Query,
        form::rows::{EDGE, EXTREME, salience},
    };

    #[test]
    fn the_range_that_holds_a_figure_is_found() {
        let doses = ["under 15 kg", "15 to 24 kg", "25–39 kg", "40 kg and more"];
        let columns = [Column { name: "Weight", cells: doses.to_vec() }];
        let query = Query { preceding: "How much for a child of 19 kg?".into(), ..Query::default() };
        assert_eq!(rows(&columns, &Wanted::new(&query, None)), [1]);
    }

    #[test]
    fn what_lies_beyond_a_bound_is_found() {
        let wanted = |text: &str| Wanted::new(&Query { preceding: text.into(), ..Query::default() }, None);
        let sizes = ["496", "109967296", "4096", "1632", "117308864", "12288", "7"];
        let costs = ["£11,450", "£16,980", "£18,275", "£21,000", "£14,990", "£30,100", "£15,500"];
        let columns = [Column { name: "", cells: sizes.to_vec() }, Column { name: "price", cells: costs.to_vec() }];
        assert_eq!(rows(&columns, &wanted("Which files are larger than 50 MB?")), [1, 4]);
        assert_eq!(rows(&columns, &wanted("Which price is under £12,000?")), [0]);
        assert!(rows(&columns, &wanted("Which is more than 3 days old?")).is_empty());
        assert!(rows(&columns, &wanted("What do they cost?")).is_empty());
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
        for (question, expected) in [("Which is the oldest?", [1, 2]), ("Which one needs the most space?", [2, 1])] {
            assert_eq!(rows(&columns, &Wanted::new(&query(question), None)), expected, "{question}");
        }
        let other = Wanted::new(&query("How many people live there?"), None);
        assert!(salience(&[column()], 12, &other)[7] <= EDGE);
    }
}
