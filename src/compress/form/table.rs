//! Tables as text: rows with cells between pipes, tabs, commas or semicolons.
//!
//! A row is whole or absent, and the rows that say what its cells mean stand wherever it does: the head, and the line
//! above it that names a section (`Current assets:`). Padding between bars goes, since the bars keep the cells apart;
//! rows of commas, semicolons and tabs stay as they are.

use std::{borrow::Cow, ops::Range};

use super::{
    Block, Form, Item, Reader, Reading, Variant,
    narrow::{self, Shown},
    rows::{Column, salience},
};
use crate::compress::{bond::Bond, fuel, outcome::Noun, worth::weights::LABEL};

/// Reads a block into its head and its rows.
pub(super) fn read<'a>(text: &'a str, block: &Block, reader: &Reader<'_>) -> Reading<'a> {
    let part = text.get(block.span.clone()).unwrap_or_default();
    let table = Table::of(part, block.form);
    let telling = table.telling(reader);
    let shown = table.shown(part, reader);
    let mut reading = Reading::default();
    let mut section = None;
    for (at, row) in table.rows.iter().enumerate() {
        let source = part.get(row.span.clone()).unwrap_or_default();
        let span = block.span.start + row.span.start..block.span.start + row.span.end;
        let mut item = Item::whole(span, source, block.form, Noun::Rows);
        item.variants = vec![Variant::lossless(table.written(at, source, None))];
        if let Some(shown) = shown.as_ref() {
            item.variants = vec![Variant::shorter(table.written(at, source, Some(shown)), 1.0)];
        }
        let is_head = at < table.head;
        item.count = usize::from(!is_head && !row.is_ruler);
        let is_label = is_head || row.is_ruler || table.is_section(at);
        item.salience = if is_label { LABEL } else { telling.get(at).copied().unwrap_or(1.0) };
        reading.items.push(item);
        match at.checked_sub(1) {
            // The rows of a head stand together: figures below a year without its unit mislead.
            Some(before) if is_head => reading.bonds.push(Bond::Together(at, before)),
            Some(before) if row.is_ruler => reading.bonds.push(Bond::Needs { item: at, of: before }),
            _ if !is_head => {
                let heads = (0..table.head).filter(|head| table.rows.get(*head).is_some_and(|row| !row.is_ruler));
                reading.bonds.extend(heads.map(|of| Bond::Needs { item: at, of }));
            }
            _ => {}
        }
        if table.is_section(at) {
            section = Some(at);
        } else if !is_head && let Some(of) = section {
            reading.bonds.push(Bond::Needs { item: at, of });
        }
        if table.ends_section(at) {
            section = None;
        }
    }
    reading
}

struct Table<'a> {
    rows: Vec<Row<'a>>,
    /// So many rows at the top say what the cells below mean.
    head: usize,
    width: usize,
    mark: char,
    /// Whether each row begins and ends with a bar.
    framed: bool,
}

struct Row<'a> {
    span: Range<usize>,
    cells: Vec<&'a str>,
    /// Blank, or drawn of dashes.
    is_ruler: bool,
}

impl<'a> Table<'a> {
    fn of(part: &'a str, form: Form) -> Self {
        let first = part.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let mark = match form {
            Form::Csv => [',', ';', '\t'].into_iter().max_by_key(|mark| first.matches(*mark).count()).unwrap_or(','),
            // The first line may be one that is drawn: `+----+----+`.
            _ if first.contains('|') || first.trim_start().starts_with("+-") => '|',
            _ => '\t',
        };
        // A row of empty cells may look framed among rows that are not.
        let is_framed = |line: &str| line.trim_start().starts_with('|') && line.trim_end().ends_with('|');
        let is_drawn = |line: &&str| line.trim().is_empty() || line.trim_start().starts_with("+-");
        let framed = mark == '|' && part.lines().filter(|line| !is_drawn(line)).all(is_framed);
        let mut rows: Vec<Row<'_>> = records(part, mark).map(|span| Row::of(part, span, mark, framed)).collect();
        if mark == '|' && !framed {
            by_ruler(part, &mut rows);
        }
        let width = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
        Self { head: head(&rows, form), rows, width, mark, framed }
    }

    /// The rows that tell something by themselves: no head, no section, no ruler.
    fn body(&self) -> impl Iterator<Item = usize> {
        let tells = |at: &usize| !self.is_section(*at) && self.rows.get(*at).is_some_and(|row| !row.is_ruler);
        (self.head..self.rows.len()).filter(tells)
    }

    /// The cells of the body by column, with the name of each.
    fn columns<'t>(&'t self, names: &'t [String]) -> Vec<Column<'t>> {
        let row = |at: usize| self.rows.get(at);
        let body = || self.body().filter_map(row);
        let cells = |at: usize| body().map(|row| row.cells.get(at).copied().unwrap_or_default()).collect();
        names.iter().enumerate().map(|(at, name)| Column { name, cells: cells(at) }).collect()
    }

    fn names(&self) -> Vec<String> {
        let above = |at: usize| {
            let cells = self.rows.iter().take(self.head).filter(|row| !row.is_ruler);
            cells.filter_map(|row| row.cells.get(at).copied()).collect::<Vec<_>>().join(" ")
        };
        (0..self.width).map(above).collect()
    }

    /// How telling each row is; nothing where rows are not compared.
    fn telling(&self, reader: &Reader<'_>) -> Vec<f32> {
        let body = self.body().count();
        if !reader.may_lose() || body == 0 || self.width * self.rows.len() > MOST_CELLS {
            return Vec::new();
        }
        let mut telling = vec![1.0; self.rows.len()];
        for (at, own) in self.body().zip(salience(&self.columns(&self.names()), body, reader.wanted)) {
            if let Some(place) = telling.get_mut(at) {
                *place = own;
            }
        }
        telling
    }

    /// The columns that stay, if not all do.
    fn shown(&self, part: &str, reader: &Reader<'_>) -> Option<Shown> {
        let body = self.body().count();
        // Cells that span columns would move.
        let named = self.rows.iter().take(self.head).filter(|row| !row.is_ruler).count() == 1;
        let regular = named && self.rows.iter().all(|row| row.is_ruler || row.cells.len() == self.width);
        if !reader.may_lose() || self.head == 0 || !regular || body < 2 || self.width * self.rows.len() > MOST_CELLS {
            return None;
        }
        let names = self.names();
        if names.iter().skip(1).any(String::is_empty) {
            return None;
        }
        narrow::shown(&self.columns(&names), body, reader.tokens.count(part), true, reader)
    }

    /// A row as it is written: with its cells apart and without padding.
    fn written(&self, at: usize, source: &'a str, shown: Option<&Shown>) -> Cow<'a, str> {
        let Some(row) = self.rows.get(at) else { return Cow::Borrowed(source) };
        let blank = source.trim().is_empty();
        if blank || (self.mark != '|' && shown.is_none()) {
            return Cow::Borrowed(source);
        }
        let stays = |column: usize| shown.is_none_or(|shown| shown.has(column));
        let there = row.cells.iter().enumerate().filter(|(column, _)| stays(*column)).map(|(_, cell)| *cell);
        let line = match (self.framed, row.is_ruler) {
            // Nothing stands above the names, and nothing below the last row.
            (true, true) if at == 0 || at + 1 == self.rows.len() => "---".to_owned(),
            (true, true) => format!("|{}", "---|".repeat(there.count())),
            (true, false) => format!("| {} |", there.map(single_spaced).collect::<Vec<_>>().join(" | ")),
            (false, true) => "---".to_owned(),
            (false, false) if self.mark == '|' => there.map(barred).collect::<Vec<_>>().join(" | "),
            (false, false) => there.collect::<Vec<_>>().join(&self.mark.to_string()),
        };
        let mut line = line.trim_end().to_owned();
        if let Some(shown) = shown.filter(|_| at == 0) {
            line.push_str(&shown.mark(self.names().iter().map(String::as_str)));
        }
        line.push_str(source.get(source.trim_end_matches(['\n', '\r']).len()..).unwrap_or_default());
        Cow::Owned(line)
    }

    /// Whether a row names what the rows below it belong to: words in its first cell, and nothing else.
    fn is_section(&self, at: usize) -> bool {
        let Some(row) = self.rows.get(at) else { return false };
        at >= self.head
            && self.width > 2
            && row.cells.first().is_some_and(|cell| cell.contains(char::is_alphabetic))
            && row.cells.iter().skip(1).all(|cell| cell.is_empty())
    }

    /// Whether a row sums up its section: what follows it is no part of that.
    fn ends_section(&self, at: usize) -> bool {
        let label = self.rows.get(at).and_then(|row| row.cells.first()).copied().unwrap_or_default();
        label.get(..5).is_some_and(|begin| begin.eq_ignore_ascii_case("total"))
    }
}

impl<'a> Row<'a> {
    fn of(part: &'a str, span: Range<usize>, mark: char, framed: bool) -> Self {
        fuel::step(span.len());
        let content = part.get(span.clone()).unwrap_or_default().trim_end_matches(['\n', '\r']);
        let inner = if framed {
            let edge = |c: char| c == '|' || c == '+';
            content.trim().strip_prefix(edge).and_then(|row| row.strip_suffix(edge)).unwrap_or_default()
        } else {
            content
        };
        let is_ruler = content.trim().is_empty()
            || (mark == '|' && content.contains("--") && content.chars().all(|c| "|-: =+".contains(c)));
        let cells = if is_ruler && content.contains('+') {
            inner.split(['+', '|']).map(str::trim).collect()
        } else {
            cells(inner, mark).into_iter().map(str::trim).collect()
        };
        Self { span, cells, is_ruler }
    }
}

/// Cuts rows that have more bars than columns by the ruler below the names, `----+----`: the others are part of a value.
fn by_ruler<'a>(part: &'a str, rows: &mut [Row<'a>]) {
    let line = |span: &Range<usize>| part.get(span.clone()).unwrap_or_default().trim_end_matches(['\n', '\r']);
    let Some(ruler) = rows.iter().take(MOST_ABOVE).find(|row| row.is_ruler && line(&row.span).contains('+')) else {
        return;
    };
    let (columns, ruler) = (ruler.cells.len(), line(&ruler.span));
    let bars: Vec<usize> = ruler.chars().enumerate().filter(|(_, c)| *c == '+').map(|(at, _)| at).collect();
    for row in rows.iter_mut().filter(|row| !row.is_ruler && row.cells.len() > columns) {
        let content = line(&row.span);
        fuel::step(content.len());
        let places: Vec<usize> = content
            .char_indices()
            .enumerate()
            .filter(|(at, _)| bars.binary_search(at).is_ok())
            .map(|(_, (at, _))| at)
            .collect();
        // Wide characters stand elsewhere than where they are drawn.
        if places.len() == bars.len()
            && places.iter().all(|at| content.get(*at..).is_some_and(|rest| rest.starts_with('|')))
        {
            let begins = std::iter::once(0).chain(places.iter().map(|at| at + 1));
            let ends = places.iter().copied().chain([content.len()]);
            row.cells = begins.zip(ends).filter_map(|(from, to)| content.get(from..to)).map(str::trim).collect();
        }
    }
}

/// The spans of the records: lines, and of comma-separated values what a quoted line break joins.
fn records(part: &str, mark: char) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    let mut lines = part.split_inclusive('\n');
    std::iter::from_fn(move || {
        let start = at;
        let mut quotes = 0;
        for line in lines.by_ref() {
            at += line.len();
            quotes += line.matches('"').count();
            if mark == '|' || mark == '\t' || quotes % 2 == 0 {
                break;
            }
        }
        (at > start).then_some(start..at)
    })
}

/// The rows at the top that name columns: up to a ruler, or as long as the first cell is empty or no cell holds a
/// figure; at least one.
fn head(rows: &[Row<'_>], form: Form) -> usize {
    if form == Form::Csv {
        return 1.min(rows.len());
    }
    let mut rulers = rows.iter().take(MOST_ABOVE).enumerate().filter(|(_, row)| row.is_ruler && row.cells.len() > 1);
    if let Some((ruler, _)) = rulers.find(|(at, _)| *at > 0) {
        return ruler + 1;
    }
    let figures = |row: &Row<'_>| row.cells.iter().skip(1).any(|cell| cell.contains(|c: char| c.is_ascii_digit()));
    let unnamed = |row: &Row<'_>| row.cells.first().is_some_and(|cell| cell.is_empty());
    let count = rows.iter().take(5).take_while(|row| unnamed(row) || !figures(row)).count();
    // Below cells that span columns, years are names and no figures: `(in thousands) | 2019 | 2018`.
    let dated = |row: &Row<'_>| row.cells.iter().skip(1).all(|cell| cell.is_empty() || is_year(cell));
    let spans = count.checked_sub(1).and_then(|last| rows.get(last)).is_some_and(unnamed);
    let count = count + usize::from(spans && rows.get(count).is_some_and(dated));
    count.clamp(1, rows.len().max(1))
}

/// Whether a cell names a year and nothing else.
fn is_year(cell: &str) -> bool {
    cell.len() == 4
        && cell.bytes().all(|byte| byte.is_ascii_digit())
        && (cell.starts_with("19") || cell.starts_with("20"))
}

/// Cells between marks outside of quotes.
fn cells(line: &str, mark: char) -> Vec<&str> {
    let mut quoted = false;
    line.split(|c: char| {
        quoted ^= c == '"' && mark != '|';
        c == mark && !quoted
    })
    .collect()
}

/// A cell with one space where it has several.
fn single_spaced(cell: &str) -> Cow<'_, str> {
    if cell.contains("  ") {
        cell.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ").into()
    } else {
        cell.into()
    }
}

/// The same among bars, of which its own are none.
fn barred(cell: &str) -> Cow<'_, str> {
    match single_spaced(cell) {
        cell if cell.contains('|') => cell.replace('|', "\\|").into(),
        cell => cell,
    }
}

/// Lines in which a table's names and what is drawn around them stand.
const MOST_ABOVE: usize = 4;

/// Of larger tables no cell is compared with others.
const MOST_CELLS: usize = 500_000;

#[cfg(test)]
mod tests {
    use crate::compress::form::tests::auto;

    #[test]
    fn a_bar_in_a_value_is_no_border() {
        let row = |n: usize, pattern: &str| format!(" {n} | rule{}  | {pattern:<18} |   {n}0\n", n - 10);
        let rows: String = (10..19).map(|n| row(n, if n == 17 { "40 | 75" } else { "^/v0/.*$" })).collect();
        let text = format!(
            " id |  name  | pattern            | limit \n----+--------+--------------------+-------\n{rows}(9 rows)\n"
        );
        let told = auto(&text);
        assert!(told.contains("17 | rule7 | 40 \\| 75 | 170\n"), "{told}");
        assert!(told.contains("16 | rule6 | ^/v0/.*$ | 160\n"), "{told}");
    }
}
