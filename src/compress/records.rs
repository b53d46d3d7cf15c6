//! Tables as text: rows with cells between pipes, tabs, commas or semicolons.
//!
//! Without a budget only padding and rulers go. Under one the rows that the query asks for stay, always with the head
//! that says what their cells mean; where few rows fit, columns that nobody asks for go first.

use std::ops::Range;

use super::{
    CountTokens, Decision, Redundancy, Relevance, Unit,
    content::{Budget, Kind, Rendered},
    marks,
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

/// The rows of a table with their line breaks, and whether each says what the cells below it mean; blank lines belong to
/// the row before them.
pub(super) fn rows(block: &str) -> Vec<(Range<usize>, bool)> {
    let Some(table) = Table::read(block, Kind::Table) else { return Vec::new() };
    let mut found: Vec<(Range<usize>, bool)> = Vec::new();
    for (number, row) in table.rows.iter().enumerate() {
        let blank = row.cells.iter().all(|cell| cell.is_empty());
        match found.last_mut() {
            Some((span, _)) if blank => span.end = row.span.end,
            _ => found.push((row.span.clone(), number < table.head)),
        }
    }
    found
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
        let mut at = 0;
        let mut rows: Vec<Row<'a>> = Vec::new();
        for line in block.split_inclusive('\n') {
            let content = line.trim_end_matches(['\n', '\r']);
            let framed = mark == '|' && content.trim_start().starts_with('|') && content.trim_end().ends_with('|');
            let inner = if framed {
                content.trim().trim_start_matches('|').strip_suffix('|').unwrap_or_default()
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
            let mut space = false;
            for c in cell.chars() {
                if !(c == ' ' && space) {
                    line.push(c);
                }
                space = c == ' ';
            }
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
    fn quoted_commas_part_no_cells() {
        assert_eq!(cells(r#"a,"b, c",d"#, ','), ["a", r#""b, c""#, "d"]);
    }
}
