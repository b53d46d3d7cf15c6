//! Tables as text: rows with cells between pipes, tabs, commas or semicolons.
//!
//! Without a budget only padding and rulers go. Under one the rows that the query asks for stay, always with the head
//! that says what their cells mean; where few rows fit, columns that nobody asks for go first.

use std::{collections::HashSet, ops::Range};

use super::{
    CountTokens, Decision, Redundancy, Relevance, Unit,
    content::{Budget, Kind, Rendered},
    marks,
    words::{is_stop_word, stem, words},
};

/// Condenses a table.
pub(super) fn render(
    block: &str,
    kind: Kind,
    ask: &Relevance,
    budget: Budget,
    tokens: &dyn CountTokens,
) -> Option<Rendered> {
    let table = Table::read(block, kind)?;
    let all: Vec<bool> = table.rows.iter().map(|row| !row.is_ruler).collect();
    let columns = vec![true; table.width];
    let whole = table.write(block, kind, &all, &columns, usize::MAX, tokens);
    if whole.tokens <= budget.most() {
        return Some(whole);
    }
    let scores = table.scores(ask);
    let asked = table.asked_columns(ask);
    let mut best: Option<Rendered> = None;
    let fewest = (table.rows.len() - table.head).min(FEW_ROWS);
    for columns in [Some(columns), asked].into_iter().flatten() {
        let kept = table.rows_within(&scores, &columns, budget.most(), tokens);
        let count = kept.iter().skip(table.head).filter(|kept| **kept).count();
        let rendered = table.write(block, kind, &kept, &columns, budget.most(), tokens);
        let enough = rendered.tokens <= budget.most() && count >= fewest;
        let better = best.as_ref().is_none_or(|best| best.tokens > budget.most() || rendered.tokens <= budget.most());
        if better {
            best = Some(rendered);
        }
        if enough {
            break;
        }
    }
    best
}

/// A row of a table whose rows are units of their own.
pub(super) struct Told {
    /// Byte span in the block with the line break; blank lines belong to the row before them.
    pub(super) span: Range<usize>,
    /// Whether it says what the cells below it mean.
    pub(super) is_head: bool,
    /// The row without padding, and without the columns that nobody asks for where they were to go.
    pub(super) text: String,
}

/// The rows of a table; only with the columns whose heads the question tells from the others, where it does and
/// `narrow` is set.
pub(super) fn rows(block: &str, ask: &Relevance, narrow: bool) -> Vec<Told> {
    let Some(table) = Table::read(block, Kind::Table) else { return Vec::new() };
    let columns = if narrow { table.columns_named(ask) } else { None };
    let mut found: Vec<Told> = Vec::new();
    for (number, row) in table.rows.iter().enumerate() {
        let blank = row.cells.iter().all(|cell| cell.is_empty());
        match found.last_mut() {
            Some(told) if blank => told.span.end = row.span.end,
            _ => found.push(Told {
                span: row.span.clone(),
                is_head: number < table.head,
                text: table.narrow(number, columns.as_deref()),
            }),
        }
    }
    found
}

/// The first cell of a row.
pub(super) fn label(row: &str) -> &str {
    row.trim_start_matches(['|', ' ']).split(['|', '\t']).next().unwrap_or_default().trim()
}

struct Table<'a> {
    rows: Vec<Row<'a>>,
    /// So many rows at the top say what the cells below mean.
    head: usize,
    width: usize,
    mark: char,
}

struct Row<'a> {
    span: Range<usize>,
    cells: Vec<&'a str>,
    is_ruler: bool,
}

impl<'a> Table<'a> {
    fn read(block: &'a str, kind: Kind) -> Option<Self> {
        let first = block.lines().find(|line| !line.trim().is_empty())?;
        let mark = match kind {
            Kind::Csv => [',', ';'].into_iter().max_by_key(|mark| first.matches(*mark).count())?,
            _ if first.contains('|') => '|',
            _ => '\t',
        };
        // A row of empty cells may look framed among rows that are not.
        let is_framed = |line: &str| line.trim_start().starts_with('|') && line.trim_end().ends_with('|');
        let framed = mark == '|' && block.lines().filter(|line| !line.trim().is_empty()).all(is_framed);
        let mut at = 0;
        let mut rows: Vec<Row<'a>> = Vec::new();
        for line in block.split_inclusive('\n') {
            let content = line.trim_end_matches(['\n', '\r']);
            let inner = if framed {
                content.trim().strip_prefix('|').and_then(|row| row.strip_suffix('|')).unwrap_or_default()
            } else {
                content
            };
            let cells: Vec<&str> = cells(inner, mark).into_iter().map(str::trim).collect();
            let is_ruler = content.trim().is_empty()
                || (mark == '|' && content.contains("--") && content.chars().all(|c| "|-: =+".contains(c)));
            rows.push(Row { span: at..at + line.len(), cells, is_ruler });
            at += line.len();
        }
        let width = rows.iter().map(|row| row.cells.len()).max()?;
        let head = head(&rows);
        Some(Self { rows, head, width, mark })
    }

    /// How much each row has to do with what is asked; without a query the first and the last say most.
    fn scores(&self, ask: &Relevance) -> Vec<f32> {
        let texts: Vec<String> = self.rows.iter().map(|row| row.cells.join(" ")).collect();
        let ranks = ask.rank(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        let most = ranks.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        let last = ranks.len().saturating_sub(1);
        ranks
            .iter()
            .zip(&self.rows)
            .enumerate()
            .map(|(number, (rank, row))| {
                let label = row.cells.first().copied().unwrap_or_default();
                let named = if !label.is_empty() { ask.covers(label) } else { 0.0 };
                rank / most + named + if number == self.head || number == last { 0.05 } else { 0.0 }
            })
            .collect()
    }

    /// The columns whose head the query mentions, with the first; nothing where it tells no column from the others.
    fn asked_columns(&self, ask: &Relevance) -> Option<Vec<bool>> {
        let heads: Vec<String> = (0..self.width)
            .map(|column| {
                let cells = self.rows.iter().take(self.head).filter_map(|row| row.cells.get(column).copied());
                cells.collect::<Vec<_>>().join(" ")
            })
            .collect();
        let stress: Vec<f32> = heads.iter().map(|head| ask.stress(head)).collect();
        let most = stress.iter().skip(1).copied().fold(0.0, f32::max);
        let asked: Vec<bool> =
            stress.iter().enumerate().map(|(column, stress)| column == 0 || *stress >= most * 0.95).collect();
        (most >= 0.5 && asked.iter().any(|asked| !asked)).then_some(asked)
    }

    /// What stands above a column in the head: each cell, and where it is empty the one that spans it from the left.
    fn heads(&self, column: usize) -> impl Iterator<Item = (usize, &'a str)> {
        self.rows.iter().take(self.head).filter(|row| !row.is_ruler).filter_map(move |row| {
            let spanning = (1..=column).rev().find(|at| row.cells.get(*at).is_some_and(|cell| !cell.is_empty()))?;
            Some((spanning, row.cells.get(spanning).copied()?))
        })
    }

    /// The columns whose heads hold a word of the question that not all heads hold, with the first column and those that
    /// have no head; nothing where that tells no column from the others.
    fn columns_named(&self, ask: &Relevance) -> Option<Vec<bool>> {
        let asked: HashSet<String> = stems(ask.wording()).collect();
        let named: Vec<Option<HashSet<String>>> = (1..self.width)
            .map(|column| {
                let head: HashSet<String> = self.heads(column).flat_map(|(_, cell)| stems(cell)).collect();
                (!head.is_empty()).then(|| head.intersection(&asked).cloned().collect())
            })
            .collect();
        let told = || named.iter().flatten();
        let telling = |word: &String| told().any(|words| !words.contains(word));
        let is_asked = |words: &HashSet<String>| words.iter().any(telling);
        let any = told().any(is_asked) && !told().all(is_asked);
        any.then(|| {
            let rest = named.iter().map(|words| words.as_ref().is_none_or(is_asked));
            std::iter::once(true).chain(rest).collect()
        })
    }

    /// A row without padding and empty cells at its end; of the last row of a head that lacks columns the end is a mark.
    fn narrow(&self, number: usize, columns: Option<&[bool]>) -> String {
        let Some(row) = self.rows.get(number) else { return String::new() };
        let shown = |column: usize| columns.is_none_or(|columns| columns.get(column).copied().unwrap_or(true));
        let mut line = String::new();
        let mut end = 0;
        for column in (0..self.width).filter(|column| shown(*column)) {
            let mut cell = row.cells.get(column).copied().unwrap_or_default();
            if cell.is_empty() && number < self.head && columns.is_some() {
                // A cell that spans columns stands over the first of them that is left.
                let from = (1..column).rev().find(|at| row.cells.get(*at).is_some_and(|cell| !cell.is_empty()));
                let hidden = from.filter(|from| (*from..column).all(|column| !shown(column)));
                cell = hidden.and_then(|from| row.cells.get(from).copied()).unwrap_or_default();
            }
            if column > 0 {
                line.push(self.mark);
            }
            push_single_spaced(&mut line, cell);
            if !cell.is_empty() {
                end = line.len();
            }
        }
        line.truncate(end);
        if columns.is_some() && number + 1 == self.head {
            line.push(self.mark);
            line.push_str(marks::ELLIPSIS);
        }
        line
    }

    fn rows_within(&self, scores: &[f32], columns: &[bool], budget: usize, tokens: &dyn CountTokens) -> Vec<bool> {
        let mut kept = vec![false; self.rows.len()];
        let mut left = budget.saturating_sub(MARK);
        for (number, row) in self.rows.iter().enumerate().take(self.head) {
            if !row.is_ruler {
                left = left.saturating_sub(tokens.count(&self.line(row, columns)) + 1);
                kept[number] = true;
            }
        }
        let mut order: Vec<usize> =
            (self.head..self.rows.len()).filter(|number| !self.rows[*number].is_ruler).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
        for number in order {
            let cost = tokens.count(&self.line(&self.rows[number], columns)) + 1;
            if cost <= left {
                left -= cost;
                kept[number] = true;
            }
        }
        kept
    }

    fn line(&self, row: &Row<'_>, columns: &[bool]) -> String {
        let mut line = String::new();
        for (number, cell) in row.cells.iter().enumerate().filter(|(number, _)| columns.get(*number) == Some(&true)) {
            if number > 0 {
                line.push(self.mark);
            }
            push_single_spaced(&mut line, cell);
        }
        line
    }

    fn write(
        &self,
        block: &str,
        kind: Kind,
        kept: &[bool],
        columns: &[bool],
        budget: usize,
        tokens: &dyn CountTokens,
    ) -> Rendered {
        let mut text = String::new();
        let mut units = Vec::with_capacity(self.rows.len());
        let missing = self.rows.iter().zip(kept).filter(|(row, kept)| !row.is_ruler && !**kept).count();
        for (row, kept) in self.rows.iter().zip(kept) {
            let line = kept.then(|| self.line(row, columns));
            if let Some(line) = &line {
                text.push_str(line);
                text.push('\n');
            }
            units.push(Unit {
                span: row.span.clone(),
                kind: kind.as_str(),
                score: f32::from(u8::from(*kept)),
                redundancy: Redundancy::default(),
                decision: if *kept { Decision::Rewritten } else { Decision::Dropped },
                reason: if *kept {
                    "kept"
                } else if row.is_ruler {
                    "no words in it"
                } else {
                    "other rows say more"
                }
                .into(),
                text: line,
            });
        }
        let hidden = columns.iter().filter(|shown| !**shown).count();
        if missing + hidden > 0 {
            text.push_str(&match (missing, hidden) {
                _ if budget < TIGHT => marks::GAP.into(),
                (0, hidden) => marks::left_out(hidden, "columns"),
                (missing, 0) => marks::left_out(missing, "rows"),
                (missing, hidden) => marks::left_out(missing, &format!("rows, {hidden} columns")),
            });
            text.push('\n');
        }
        let mut text = text.trim_end_matches('\n').to_owned();
        text.push_str(block.get(block.trim_end_matches(['\n', '\r']).len()..).unwrap_or_default());
        Rendered { tokens: tokens.count(&text), text, units }
    }
}

/// A cell without padding inside: of several spaces one stays, none behind a sign of currency.
fn push_single_spaced(line: &mut String, cell: &str) {
    let mut before = ' ';
    for c in cell.chars() {
        if !(c == ' ' && matches!(before, ' ' | '$' | '€' | '£' | '¥')) {
            line.push(c);
        }
        before = c;
    }
}

fn stems(text: &str) -> impl Iterator<Item = String> {
    words(text).filter_map(|span| text.get(span)).filter(|word| !is_stop_word(&word.to_lowercase())).map(stem)
}

/// The rows at the top that name columns: up to a ruler, or as long as the first cell is empty or no cell holds a
/// figure; at least one.
fn head(rows: &[Row<'_>]) -> usize {
    if let Some(ruler) = rows.iter().take(4).position(|row| row.is_ruler && row.cells.len() > 1) {
        return ruler + 1;
    }
    let figures = |row: &Row<'_>| row.cells.iter().skip(1).any(|cell| cell.contains(|c: char| c.is_ascii_digit()));
    let count = rows
        .iter()
        .take(5)
        .take_while(|row| row.cells.first().is_some_and(|cell| cell.is_empty()) || !figures(row))
        .count();
    count.clamp(1, rows.len().max(1))
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

/// Where no more rows fit, columns go.
const FEW_ROWS: usize = 3;

/// Room for the mark of what is missing.
const MARK: usize = 3;

/// Below so many tokens the mark is the one-token form.
const TIGHT: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::{Encoding, Query, content};

    fn within(text: &str, kind: Kind, question: &str, budget: Budget) -> String {
        let ask = Relevance::new(&Query { preceding: question.into(), ..Query::default() }, None);
        content::render(text, kind, &ask, budget, &Encoding::O200k).text
    }

    #[test]
    fn padding_and_rulers_go_and_cells_stay() {
        let text = "| Name    |  Size |\n|---------|------:|\n| alpha   |    12 |\n| beta    |     7 |\n";
        assert_eq!(within(text, Kind::Table, "", Budget::Auto), "Name|Size\nalpha|12\nbeta|7\n");
    }

    #[test]
    fn the_row_asked_for_stays_under_its_head() {
        let mut text = "city,country,population,area\n".to_owned();
        (0..200).for_each(|n| text.push_str(&format!("Town {n},Norway,{},{}\n", n * 31, n * 3)));
        let short = within(&text, Kind::Csv, "What is the population of Town 77?", Budget::Tokens(40));
        assert!(short.starts_with("city,country,population,area\n") || short.starts_with("city,population"), "{short}");
        assert!(short.contains("2387"), "{short}");
        assert!(Encoding::O200k.count(&short) <= 40, "{short}");
    }

    #[test]
    fn columns_that_nobody_asks_for_go_where_few_rows_fit() {
        let text = " | 2019 | 2018 | 2017\nFixed price | $  1,452.4 | $  1,146.2 | $  1,036.9\nOther | 44.1 | 56.7 | 70.8\n\
                    Total sales | $1,496.5 | $1,202.9 | $1,107.7\n";
        let short = within(text, Kind::Table, "What were total sales in 2018?", Budget::Tokens(22));
        assert!(short.contains("Total sales|$1,202.9") && !short.contains("1,107.7"), "{short}");
    }

    #[test]
    fn a_row_among_sentences_keeps_the_columns_that_the_question_names() {
        let table = " | Years ended June 30, | | \n | 2019 | 2018 | Change\nSales | $  1,452.4 | $  1,146.2 | 27%\n \
                     |  |  | \nTotal equity |  |  | \n";
        let told = |question: &str, narrow: bool| -> Vec<String> {
            let ask = Relevance::new(&Query { preceding: question.into(), ..Query::default() }, None);
            rows(table, &ask, narrow).into_iter().map(|told| told.text).collect()
        };
        let whole = ["|Years ended June 30,", "|2019|2018|Change", "Sales|$1,452.4|$1,146.2|27%", "Total equity"];
        assert_eq!(told("What were sales in 2018?", false), whole);
        assert_eq!(told("In which year were sales higher?", true), whole);
        let narrow = ["|Years ended June 30,", "|2018|…", "Sales|$1,146.2", "Total equity"];
        assert_eq!(told("What were sales in 2018?", true), narrow);
    }

    #[test]
    fn rows_with_their_line_breaks_concatenate_to_the_table() {
        let table = "\na | b\n1 | 2\n\n3 | 4";
        let told = rows(table, &Relevance::default(), false);
        let spans: String = told.iter().filter_map(|told| table.get(told.span.clone())).collect();
        assert_eq!(spans, table);
    }

    #[test]
    fn quoted_commas_part_no_cells() {
        assert_eq!(cells(r#"a,"b, c",d"#, ','), ["a", r#""b, c""#, "d"]);
    }
}
