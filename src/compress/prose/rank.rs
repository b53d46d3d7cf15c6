//! How relevant each unit is: words of the question, similarity of meaning, the company it keeps, the kind of answer.

use super::{
    super::{
        records,
        relevance::{Expected, Relevance},
        segment::{Form, Segment},
    },
    asked,
};

/// The units of a text as the question sees them.
pub(super) struct Ranking<'a> {
    pub(super) units: &'a [&'a str],
    /// Each unit with what it stands under.
    pub(super) titled: &'a [String],
    pub(super) segments: &'a [Segment],
    /// Whether each is said by someone who is asked for.
    pub(super) by_whom: &'a [bool],
    pub(super) ask: &'a Relevance,
}

impl Ranking<'_> {
    /// Relevance of each unit, 0–1; `similarity` is that of meaning with the question, empty where no model says.
    pub(super) fn scores(&self, similarity: &[f32]) -> Vec<f32> {
        let mut scores = normal(self.ask.rank(self.units));
        if self.has_rows() {
            self.weigh_rows(&mut scores);
        }
        if similarity.len() == scores.len() {
            scores.iter_mut().zip(similarity).for_each(|(score, similar)| *score += MEANING * similar.max(0.0));
        }
        let introduces = |at: usize| self.introduces_table(at);
        scores.iter_mut().enumerate().filter(|(at, _)| introduces(*at)).for_each(|(_, score)| *score *= CAPTION_SAYS);
        let scores = self.with_neighbours(&scores);
        let scores = self.with_passage(&scores);
        normal(self.with_heads(self.with_speakers(self.with_answers(scores))))
    }

    fn has_rows(&self) -> bool {
        self.segments.iter().any(|segment| segment.form == Form::Row)
    }

    /// What a cell means stands in the head and above the table: half of a row's rank; a label that the question holds
    /// whole names the row.
    fn weigh_rows(&self, scores: &mut [f32]) {
        let titled: Vec<&str> = self.titled.iter().map(String::as_str).collect();
        let titled = normal(self.ask.rank(&titled));
        for (((score, titled), segment), unit) in scores.iter_mut().zip(titled).zip(self.segments).zip(self.units) {
            match segment.form {
                Form::Row => *score = ROW_WORDS * (*score + titled) + LABEL * self.ask.covers(records::label(unit)),
                Form::Head => *score = ROW_WORDS * (*score + titled),
                _ => *score *= SENTENCE_WORDS,
            }
        }
    }

    /// What is asked for often stands beside the words of the question.
    fn with_neighbours(&self, scores: &[f32]) -> Vec<f32> {
        let share = if self.has_rows() { NEIGHBOUR_OF_ROWS } else { NEIGHBOUR };
        let near = |index: usize, other: Option<usize>| {
            let same = other.filter(|other| self.passage(*other) == self.passage(index));
            same.and_then(|other| scores.get(other)).copied().unwrap_or(0.0)
        };
        let lifted = |(index, own): (usize, &f32)| {
            own + share * (near(index, index.checked_sub(1)) + near(index, Some(index + 1)))
        };
        scores.iter().enumerate().map(lifted).collect()
    }

    /// A passage with a hit is about what is asked.
    fn with_passage(&self, scores: &[f32]) -> Vec<f32> {
        let passages = self.segments.last().map_or(0, |last| last.passage + 1);
        let mut best = vec![0.0_f32; passages];
        for (segment, score) in self.segments.iter().zip(scores) {
            if let Some(best) = best.get_mut(segment.passage) {
                *best = best.max(*score);
            }
        }
        let lift = |segment: &Segment| PASSAGE * best.get(segment.passage).copied().unwrap_or(0.0);
        self.segments.iter().zip(scores).map(|(segment, score)| score + lift(segment)).collect()
    }

    /// A unit that could hold the answer by its kind: a number, a name that the question does not give.
    fn with_answers(&self, mut scores: Vec<f32>) -> Vec<f32> {
        let Some(expected) = self.ask.expected() else { return scores };
        let has_rows = self.has_rows();
        for ((score, unit), segment) in scores.iter_mut().zip(self.units).zip(self.segments) {
            let holds = match expected {
                Expected::Number => unit.chars().any(|c| c.is_ascii_digit()),
                Expected::Name => self.ask.new_names(unit) >= 2,
                Expected::Reason => has_rows && asked::cause(unit).is_some(),
            };
            if holds && segment.form != Form::Heading {
                *score += if expected == Expected::Reason { REASON } else { ANSWER };
            }
        }
        scores
    }

    /// What is said by someone who is asked for.
    fn with_speakers(&self, mut scores: Vec<f32>) -> Vec<f32> {
        for (score, _) in scores.iter_mut().zip(self.by_whom).filter(|(_, by)| **by) {
            *score *= SPEAKER;
        }
        scores
    }

    /// Rows say much for their tokens, and a row that stays needs the head of its table.
    fn with_heads(&self, mut scores: Vec<f32>) -> Vec<f32> {
        let passages = self.segments.last().map_or(0, |last| last.passage + 1);
        let mut best = vec![0.0_f32; passages];
        for (segment, score) in self.segments.iter().zip(&mut scores).filter(|(segment, _)| segment.form == Form::Row) {
            *score += ROW;
            if let Some(best) = best.get_mut(segment.passage) {
                *best = best.max(*score);
            }
        }
        let head = if self.ask.asks_when() { HEAD_ASKED } else { HEAD };
        for ((segment, score), unit) in self.segments.iter().zip(&mut scores).zip(self.units) {
            match segment.form {
                Form::Head if names_columns(unit) => {
                    *score = score.max(head * best.get(segment.passage).copied().unwrap_or(0.0));
                }
                Form::Head => *score *= BARE_HEAD,
                Form::Row if is_section(unit) => *score *= SECTION,
                _ => {}
            }
        }
        scores
    }

    /// Whether a unit is the sentence that says what the table after it shows.
    fn introduces_table(&self, at: usize) -> bool {
        let is_row = |segment: &Segment| matches!(segment.form, Form::Head | Form::Row);
        let next = self.segments.get(at + 1).is_some_and(is_row) && !self.segments.get(at).is_some_and(is_row);
        let unit = self.units.get(at).copied().unwrap_or_default();
        unit.trim_end().ends_with(':') && (next || unit.contains("follow")) || unit.contains("following table")
    }

    fn passage(&self, index: usize) -> Option<usize> {
        self.segments.get(index).map(|segment| segment.passage)
    }
}

/// Whether a row of a head tells at least two columns apart.
fn names_columns(row: &str) -> bool {
    let mut cells = row.split(['|', '\t']).skip(1).map(str::trim).filter(|cell| !cell.is_empty());
    let first = cells.next();
    cells.any(|cell| Some(cell) != first)
}

/// Whether a row has no cell but its label: it says what the rows below it are about.
fn is_section(row: &str) -> bool {
    let label = row.trim().trim_end_matches(['|', ' ', '\t']);
    !label.is_empty() && !label.contains(['|', '\t'])
}

/// Weights against the best BM25 score of the text, which counts as 1; from a search on the development questions.
const MEANING: f32 = 2.0;
const NEIGHBOUR: f32 = 0.3;
const PASSAGE: f32 = 0.3;
const ANSWER: f32 = 0.2;
const REASON: f32 = 0.5;
const SPEAKER: f32 = 1.3;
/// Where there are tables: rows say much for their tokens, each its own matter, and need the head of their table; a
/// sentence that only says what a table shows, and a row of one label, say little.
const ROW: f32 = 0.25;
const ROW_WORDS: f32 = 0.7;
const SENTENCE_WORDS: f32 = 1.2;
const LABEL: f32 = 0.3;
const NEIGHBOUR_OF_ROWS: f32 = 0.12;
const HEAD: f32 = 0.95;
/// Where a column's head is what is asked for it goes before the row that tells which.
const HEAD_ASKED: f32 = 1.3;
const BARE_HEAD: f32 = 0.5;
const SECTION: f32 = 0.6;
const CAPTION_SAYS: f32 = 0.5;

/// What the rows of a table stand under: the end of the text before it, and its head.
#[derive(Default)]
pub(super) struct TableContext {
    caption: String,
    head: String,
    /// The last row without any cell but its label.
    section: String,
    /// Whether the unit before was a row.
    inside: bool,
}

impl TableContext {
    /// A row with its context; nothing for any other unit, which may become the caption of the next table.
    pub(super) fn row(&mut self, segment: &Segment, unit: &str) -> Option<String> {
        let unit = unit.trim();
        if !matches!(segment.form, Form::Head | Form::Row) {
            if !unit.is_empty() {
                let start = unit.ceil_char_boundary(unit.len().saturating_sub(CAPTION));
                self.caption = unit.get(start..).unwrap_or_default().to_owned();
            }
            self.inside = false;
            return None;
        }
        if !self.inside {
            self.head.clear();
            self.section.clear();
        }
        self.inside = true;
        let titled = format!("{} {} {} {unit}", self.caption, self.head, self.section).trim_start().to_owned();
        if segment.form == Form::Row && is_section(unit) {
            self.section = unit.trim_end_matches(['|', ' ', '\t']).to_owned();
        }
        if segment.form == Form::Head && self.head.len() < LONGEST_HEAD {
            self.head.push_str(unit);
            self.head.push(' ');
        }
        Some(titled)
    }
}

/// Bytes of the text before a table that may be its caption, and of a head.
const CAPTION: usize = 120;
const LONGEST_HEAD: usize = 300;

fn normal(mut values: Vec<f32>) -> Vec<f32> {
    let most = values.iter().copied().fold(0.0, f32::max);
    if most > 0.0 {
        values.iter_mut().for_each(|value| *value /= most);
    }
    values
}
