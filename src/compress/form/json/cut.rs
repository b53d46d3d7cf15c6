//! A document under a budget: what is asked for first, then what says most for its tokens; every gap is marked.

use std::{borrow::Cow, ops::Range};

use super::{
    form::{Column, Document, Line, Part, Table, each_row, joined},
    rows::{Choice, Market, tells_of_trouble},
};
use crate::compress::{
    CountTokens, Decision, Redundancy, Relevance, Unit,
    content::{Kind, Rendered},
    excerpt::excerpt,
    marks,
};

/// What stays, in the order of the text.
pub(super) struct Cut {
    pieces: Vec<Piece>,
}

struct Piece {
    /// Where it begins in the content.
    start: usize,
    /// The key of a line; empty for a table's parts.
    key: String,
    /// What stands for it, without a line break; nothing where it is left out.
    text: Option<String>,
    score: f32,
    decision: Decision,
    reason: &'static str,
}

/// The best of `document` within so many tokens.
pub(super) fn cut(document: &Document, ask: &Relevance, budget: usize, tokens: &dyn CountTokens) -> Cut {
    let shares = Shares::of(document, ask, budget, tokens);
    let mut room = budget;
    let mut best = None;
    for _ in 0..ATTEMPTS {
        let cut = shares.cut(document, ask, room, tokens);
        let spent = tokens.count(&cut.text());
        if spent <= budget {
            return cut;
        }
        best = Some(cut);
        if room == 0 {
            break;
        }
        room = room.saturating_sub((spent - budget).max(1));
    }
    best.unwrap_or(Cut { pieces: Vec::new() })
}

/// What each part would take whole and what it is worth.
struct Shares {
    lines: usize,
    /// Tokens whole, for each table in order, and how much the query mentions it.
    tables: Vec<(usize, f32)>,
    markets: Vec<Market>,
    /// For each line in order: its price and its worth.
    worths: Vec<(usize, f32)>,
}

impl Shares {
    fn of(document: &Document, ask: &Relevance, _budget: usize, tokens: &dyn CountTokens) -> Self {
        let mut shares = Self { lines: 0, tables: Vec::new(), markets: Vec::new(), worths: Vec::new() };
        let texts: Vec<String> = document.parts.iter().filter_map(Part::line).map(Line::text).collect();
        let ranks = ask.rank(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        let most = ranks.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        let lines = document.parts.iter().filter_map(Part::line).zip(texts.iter().zip(ranks));
        for (line, (text, rank)) in lines {
            let price = tokens.count(text) + 1;
            shares.lines += price;
            let asked = ask.stress(&line.key) >= 0.95 || (line.value.len() < 200 && ask.quotes(&line.value));
            let trouble = if tells_of_trouble(text) { 1.0 } else { 0.0 };
            let worth = 1.0 + 4.0 * rank / most + if asked { 20.0 } else { 0.0 } + trouble;
            shares.worths.push((price, if line.heading { 0.0 } else { worth }));
        }
        for table in document.parts.iter().filter_map(Part::table) {
            let whole = tokens.count(&table.text());
            let heading = table.heading.as_deref().unwrap_or_default();
            shares.tables.push((whole, 1.0 + 4.0 * ask.mentions(heading)));
            shares.markets.push(Market::open(table, ask, tokens));
        }
        shares
    }

    fn cut(&self, document: &Document, ask: &Relevance, budget: usize, tokens: &dyn CountTokens) -> Cut {
        let tables: usize = self.tables.iter().map(|(whole, _)| whole).sum();
        let for_lines = self.lines.min((budget * 2 / 5).max(budget.saturating_sub(tables)));
        let kept = self.lines_within(document, if tables == 0 { budget } else { for_lines });
        let for_tables = budget.saturating_sub(for_lines);
        let pull: f32 = self.tables.iter().map(|(whole, wish)| *whole as f32 * wish).sum();
        let mut cut = Cut { pieces: Vec::new() };
        let (mut line, mut table) = (0, 0);
        for part in &document.parts {
            match part {
                Part::Line(text) => {
                    let share = kept.get(line).copied().flatten();
                    cut.pieces.push(text.piece(
                        share,
                        self.worths.get(line).map_or(0.0, |(_, worth)| *worth),
                        ask,
                        tokens,
                    ));
                    line += 1;
                }
                Part::Table(rows) => {
                    let (whole, wish) = self.tables.get(table).copied().unwrap_or((0, 1.0));
                    let share = (for_tables as f32 * whole as f32 * wish / pull.max(1.0)) as usize;
                    if let Some(market) = self.markets.get(table) {
                        rows.pieces(market, share.min(whole), ask, tokens, &mut cut.pieces);
                    }
                    table += 1;
                }
            }
        }
        cut.mark_gaps(budget, tokens);
        cut
    }

    /// For each line: nothing, or the tokens that it may take.
    fn lines_within(&self, document: &Document, budget: usize) -> Vec<Option<usize>> {
        let lines: Vec<&Line> = document.parts.iter().filter_map(Part::line).collect();
        let mut order: Vec<usize> = (0..lines.len()).filter(|number| !lines[*number].heading).collect();
        let density = |number: &usize| self.worths[*number].1 / (self.worths[*number].0.min(LONG) as f32);
        order.sort_by(|a, b| density(b).total_cmp(&density(a)).then(a.cmp(b)));
        let parents = parents(&lines);
        let mut kept = vec![None; lines.len()];
        let mut left = budget;
        for number in order {
            let mut price = self.worths[number].0;
            if price > left && price > LONG && left >= LONG / 2 {
                price = left;
            }
            let mut chain = Vec::new();
            let mut at = parents[number];
            while let Some(parent) = at.filter(|parent| kept[*parent].is_none()) {
                chain.push(parent);
                price += self.worths[parent].0;
                at = parents[parent];
            }
            if price > left + chain.len() * 2 && self.worths[number].1 < ASKED {
                continue;
            }
            left = left.saturating_sub(price);
            kept[number] = Some(price);
            chain.into_iter().for_each(|parent| kept[parent] = Some(self.worths[parent].0));
        }
        kept
    }
}

/// For each line the heading that it stands under.
fn parents(lines: &[&Line]) -> Vec<Option<usize>> {
    let mut open: Vec<usize> = Vec::new();
    lines
        .iter()
        .enumerate()
        .map(|(number, line)| {
            while open.last().is_some_and(|last| lines[*last].depth >= line.depth) {
                open.pop();
            }
            let parent = open.last().copied();
            if line.heading {
                open.push(number);
            }
            parent
        })
        .collect()
}

impl Part {
    fn line(&self) -> Option<&Line> {
        if let Self::Line(line) = self { Some(line) } else { None }
    }

    fn table(&self) -> Option<&Table> {
        if let Self::Table(table) = self { Some(table) } else { None }
    }
}

impl Line {
    fn piece(&self, share: Option<usize>, worth: f32, ask: &Relevance, tokens: &dyn CountTokens) -> Piece {
        let start = self.span.start;
        let key = self.key.clone();
        let score = worth.min(ASKED) / ASKED;
        let Some(share) = share else {
            return Piece { start, key, text: None, score, decision: Decision::Dropped, reason: "other keys say more" };
        };
        let text = self.text();
        if tokens.count(&text) <= share.max(LONG) {
            return Piece { start, key, text: Some(text), score, decision: Decision::Rewritten, reason: "kept" };
        }
        let short = Line {
            span: self.span.clone(),
            depth: self.depth,
            key: self.key.clone(),
            value: excerpt(&self.value, share, ask, tokens),
            heading: false,
        };
        Piece {
            start,
            key,
            text: Some(short.text()),
            score,
            decision: Decision::Rewritten,
            reason: "a long value, cut",
        }
    }
}

impl Table {
    fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    /// What stays, and what else is told of the one row that is asked for.
    fn choose(
        &self,
        market: &Market,
        budget: usize,
        ask: &Relevance,
        tokens: &dyn CountTokens,
    ) -> (Choice, Option<(usize, String)>) {
        let whole = market.choose(budget);
        let Some(row) = market.wanted.filter(|_| budget >= TIGHT) else { return (whole, None) };
        if whole.columns.len() + whole.constants.len() == self.columns.len() {
            return (whole, None);
        }
        let choice = market.choose(budget - budget * 2 / 5);
        let mut left = budget * 2 / 5;
        let hidden = |choice: &Choice, number: usize| {
            choice.columns.binary_search(&number).is_err()
                && self.columns.get(number).is_some_and(|column| !column.is_constant() && !column.cell(row).is_empty())
        };
        let mut open: Vec<(usize, usize, &Column)> = self
            .columns
            .iter()
            .enumerate()
            .filter(|(number, _)| hidden(&choice, *number))
            .map(|(number, column)| (tokens.count(&column.name) + tokens.count(column.cell(row)) + 2, number, column))
            .collect();
        // Short values first: a long one takes what is left.
        open.sort_by_key(|(cost, number, _)| (*cost, *number));
        let mut told = Vec::new();
        for (cost, number, column) in open {
            let value = unquoted(column.cell(row));
            if cost <= left {
                told.push((number, format!("{}={value}", column.name)));
                left -= cost;
            } else if left > LONG / 2 {
                told.push((number, format!("{}={}", column.name, excerpt(value, left, ask, tokens))));
                left = 0;
            }
        }
        // What the one row leaves over goes to the others.
        let choice = market.choose(budget - budget * 2 / 5 + left);
        told.retain(|(number, _)| hidden(&choice, *number));
        let told: Vec<String> = told.into_iter().map(|(_, told)| told).collect();
        let details = (!told.is_empty()).then(|| (row, format!(" also: {}", told.join("|"))));
        (choice, details)
    }

    fn pieces(&self, market: &Market, budget: usize, ask: &Relevance, tokens: &dyn CountTokens, out: &mut Vec<Piece>) {
        let heading = self.heading.as_deref().map_or(0, |heading| tokens.count(heading) + 1);
        let mark = if budget < TIGHT { 2 } else { 10 };
        let room = budget.saturating_sub(heading + mark);
        let (mut choice, mut details) = self.choose(market, room, ask, tokens);
        let names = self.hidden_names(&choice, budget, tokens).map_or(0, |names| tokens.count(&names));
        if names > 0 {
            (choice, details) = self.choose(market, room.saturating_sub(names), ask, tokens);
        }
        let mut head: Vec<String> = self.heading.iter().cloned().collect();
        let constants: Vec<&Column> = choice.constants.iter().filter_map(|number| self.columns.get(*number)).collect();
        if !constants.is_empty() {
            head.push(each_row(&constants));
        }
        let columns: Vec<&Column> = choice.columns.iter().filter_map(|number| self.columns.get(*number)).collect();
        if !columns.is_empty() && !choice.rows.is_empty() {
            head.push(joined(columns.iter().map(|column| column.name.as_str().into())));
        }
        let mark = self.mark(&choice, budget, tokens);
        let none_left = choice.rows.is_empty() || columns.is_empty();
        if none_left {
            head.extend(mark.clone());
        }
        let head = (!head.is_empty()).then(|| head.join("\n"));
        let decision = if head.is_some() { Decision::Rewritten } else { Decision::Dropped };
        out.push(Piece {
            start: self.span.start,
            key: String::new(),
            text: head,
            score: 1.0,
            decision,
            reason: "keys told once",
        });
        let last = choice.rows.last().copied();
        for (number, row) in self.rows.iter().enumerate() {
            let kept = choice.rows.binary_search(&number).is_ok() && !columns.is_empty();
            let text = kept.then(|| {
                let mut line = joined(columns.iter().map(|column| Cow::from(unquoted(column.cell(number)))));
                if let Some((_, details)) = details.as_ref().filter(|(row, _)| *row == number) {
                    line.push('\n');
                    line.push_str(details);
                }
                if let Some(mark) = mark.as_ref().filter(|_| last == Some(number)) {
                    line.push('\n');
                    line.push_str(mark);
                }
                line
            });
            let (decision, reason) =
                if kept { (Decision::Rewritten, "kept") } else { (Decision::Dropped, "other records say more") };
            let score = market.scores.get(number).copied().unwrap_or_default();
            out.push(Piece { start: row.start, key: String::new(), text, score, decision, reason });
        }
    }

    /// The keys that are left out.
    fn hidden(&self, choice: &Choice) -> Vec<&str> {
        let hidden = |number: &usize| {
            choice.columns.binary_search(number).is_err() && choice.constants.binary_search(number).is_err()
        };
        let columns = (0..self.columns.len()).filter(hidden).filter_map(|number| self.columns.get(number));
        columns.map(|column| column.name.as_str()).collect()
    }

    /// Their names, where they are cheap beside the budget.
    fn hidden_names(&self, choice: &Choice, budget: usize, tokens: &dyn CountTokens) -> Option<String> {
        if budget < TIGHT {
            return None;
        }
        named(&self.hidden(choice), budget / NAMES, tokens)
    }

    /// What a reader must know of the gap: how many rows, and of keys which, where their names are cheap.
    fn mark(&self, choice: &Choice, budget: usize, tokens: &dyn CountTokens) -> Option<String> {
        let rows = self.rows.len() - if choice.columns.is_empty() { 0 } else { choice.rows.len() };
        let keys = self.hidden(choice);
        if rows == 0 && keys.is_empty() {
            return None;
        }
        if budget < TIGHT {
            return Some(marks::GAP.into());
        }
        let named = self.hidden_names(choice, budget, tokens);
        let missing = match (rows, keys.len()) {
            (0, keys) => named.map_or_else(|| marks::left_out(keys, "keys"), |names| marks::named(&names)),
            (rows, 0) => marks::left_out_of(rows, self.rows.len(), "rows"),
            (rows, keys) => {
                let keys = named.unwrap_or_else(|| format!("{keys} keys"));
                marks::left_out_of(rows, self.rows.len(), &format!("rows, {keys}"))
            }
        };
        Some(missing)
    }
}

/// The names of keys that are left out, where they take no more than so many tokens.
fn named(keys: &[&str], most: usize, tokens: &dyn CountTokens) -> Option<String> {
    let names = keys.join(", ");
    let brief = !keys.is_empty() && keys.len() <= MOST_NAMES && names.len() <= most * 8;
    (brief && !names.contains(['[', ']', '\n']) && tokens.count(&names) <= most).then_some(names)
}

/// A cell without the quotes that only tell a string from a number.
fn unquoted(cell: &str) -> &str {
    match cell.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) if !inner.is_empty() && !inner.contains(['\\', '|', '"']) => inner,
        _ => cell,
    }
}

impl Cut {
    fn text(&self) -> String {
        self.pieces.iter().filter_map(|piece| piece.text.as_deref()).collect::<Vec<_>>().join("\n")
    }

    /// A mark for each run of left-out lines; a table has set its own.
    fn mark_gaps(&mut self, budget: usize, tokens: &dyn CountTokens) {
        let mut missing: Vec<&str> = Vec::new();
        let mut marks: Vec<(usize, Vec<&str>)> = Vec::new();
        for (number, piece) in self.pieces.iter().enumerate() {
            let of_lines = piece.reason == "other keys say more";
            if !missing.is_empty() && !of_lines {
                marks.push((number - 1, std::mem::take(&mut missing)));
            }
            if of_lines {
                missing.push(&piece.key);
            }
        }
        if !missing.is_empty() {
            marks.push((self.pieces.len() - 1, missing));
        }
        let brief = budget < TIGHT || marks.len() * 5 * 10 > budget;
        let most = budget / NAMES / marks.len().max(1);
        let tell = |keys: &[&str]| match named(keys, most, tokens) {
            _ if brief => marks::GAP.into(),
            Some(names) => marks::named(&names),
            None => marks::left_out(keys.len(), "keys"),
        };
        let marks: Vec<(usize, String)> = marks.into_iter().map(|(number, keys)| (number, tell(&keys))).collect();
        for (number, mark) in marks {
            if let Some(piece) = self.pieces.get_mut(number) {
                piece.text = Some(mark);
            }
        }
    }

    /// As a block's condensed form; `base` is where the content begins in the block.
    pub(super) fn rendered(
        self,
        block: &str,
        kind: Kind,
        base: Range<usize>,
        shift: usize,
        tokens: &dyn CountTokens,
    ) -> Rendered {
        let lead = block.get(..base.start).unwrap_or_default();
        let tail = block.get(base.end..).unwrap_or_default();
        let text = format!("{lead}{}{tail}", self.text());
        let starts: Vec<usize> = self.pieces.iter().map(|piece| piece.start).collect();
        let mut units: Vec<Unit> = Vec::with_capacity(self.pieces.len());
        for (number, piece) in self.pieces.into_iter().enumerate() {
            let start = if number == 0 { 0 } else { (base.start + piece.start).saturating_sub(shift) };
            let end = starts.get(number + 1).map_or(block.len(), |next| (base.start + next).saturating_sub(shift));
            units.push(Unit {
                span: start..end.max(start),
                kind: kind.as_str(),
                score: piece.score,
                redundancy: Redundancy::default(),
                decision: piece.decision,
                reason: piece.reason.into(),
                text: piece.text,
            });
        }
        Rendered { tokens: tokens.count(&text), text, units }
    }
}

/// One token in so many may go to the names of keys that are left out, and no more names than this are told.
const NAMES: usize = 25;
const MOST_NAMES: usize = 8;

/// A line with more tokens may be cut inside.
const LONG: usize = 60;

/// The worth of a line that is asked for.
const ASKED: f32 = 20.0;

/// Below so many tokens a mark is the one-token form.
const TIGHT: usize = 80;

/// How often the budget is drawn tighter when the joined text came out longer than its parts.
const ATTEMPTS: usize = 6;
