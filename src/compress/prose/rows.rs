//! Rows of tables among the sentences around them: units that compete for the same budget, each kept or left out whole.

use std::collections::BTreeMap;

use super::super::{
    phrase::Phrase,
    records,
    relevance::Relevance,
    segment::{Form, Segment},
    tokens::CountTokens,
};

/// How tables are read.
pub(in crate::compress) struct Tables<'a> {
    pub(in crate::compress) ask: &'a Relevance,
    /// Whether columns that nobody asks for go.
    pub(in crate::compress) narrow: bool,
}

impl Tables<'_> {
    /// The rows of a table as units of one passage, and what stands for each.
    pub(super) fn rows(&self, table: &str) -> (Vec<Segment>, Vec<String>) {
        let row = |told: records::Told| {
            let form = if told.is_head { Form::Head } else { Form::Row };
            (Segment { span: told.span, form, paragraph: 0, passage: 0 }, told.text)
        };
        records::rows(table, self.ask, self.narrow).into_iter().map(row).unzip()
    }
}

/// A row stands or falls as a whole: a cell says nothing without its label.
pub(super) fn join(phrases: &mut Vec<Phrase>, rows: &BTreeMap<usize, String>, tokens: &dyn CountTokens) {
    phrases.dedup_by(|next, row| {
        if next.unit != row.unit || !rows.contains_key(&row.unit) {
            return false;
        }
        row.span.end = next.span.end;
        row.value = row.value.max(next.value);
        row.smoothed = row.smoothed.max(next.smoothed);
        row.closes = next.closes;
        true
    });
    for row in phrases.iter_mut() {
        if let Some(text) = rows.get(&row.unit) {
            row.cost = tokens.count(text);
            row.filler = !text.contains(char::is_alphanumeric);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::compress::{Encoding, Policy, Query, Ratio, ToolCall, compress};

    #[test]
    fn the_row_asked_for_stands_under_its_head_and_without_other_years() {
        let rows: String = (0..30)
            .map(|n| format!("Cost of item {n} | $  {},452.4 | $  {},146.2 | $  {},036.9\n", n + 3, n + 2, n + 1))
            .collect();
        let report = format!(
            "The costs follow:\n\n | 2019 | 2018 | 2017\n{rows}Total equity | 9,100 | 8,200 | 7,300\n\nCosts rose."
        );
        let query = Query {
            preceding: "What was the total equity in 2018?".into(),
            call: Some(ToolCall { name: "read_report".into(), arguments: "{}".into() }),
            ..Query::default()
        };
        let policy = Policy { ratio: "20".parse::<Ratio>().unwrap(), ..Policy::default() };
        let condensed = compress(&report, &query, &policy, &Encoding::O200k, None).unwrap();
        let text = condensed.text().unwrap();
        assert!(text.contains("|2018|…\n") && text.contains("Total equity|8,200\n"), "{text}");
    }
}
