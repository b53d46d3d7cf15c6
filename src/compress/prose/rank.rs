//! How relevant each unit is: words of the question, similarity of meaning, the company it keeps, the kind of answer.

use super::super::{
    relevance::{Expected, Relevance},
    segment::{Form, Segment},
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
        if self.segments.iter().any(|segment| segment.form == Form::Row) {
            // What a cell means stands in the head and above the table: half of a row's rank.
            let titled: Vec<&str> = self.titled.iter().map(String::as_str).collect();
            let titled = normal(self.ask.rank(&titled));
            for ((score, titled), segment) in scores.iter_mut().zip(titled).zip(self.segments) {
                if matches!(segment.form, Form::Row | Form::Head) {
                    *score = (*score + titled) / 2.0;
                }
            }
        }
        if similarity.len() == scores.len() {
            scores.iter_mut().zip(similarity).for_each(|(score, similar)| *score += MEANING * similar.max(0.0));
        }
        let scores = self.with_neighbours(&scores);
        let scores = self.with_passage(&scores);
        normal(self.with_heads(self.with_speakers(self.with_answers(scores))))
    }

    /// What is asked for often stands beside the words of the question.
    fn with_neighbours(&self, scores: &[f32]) -> Vec<f32> {
        let near = |index: usize, other: Option<usize>| {
            let same = other.filter(|other| self.passage(*other) == self.passage(index));
            same.and_then(|other| scores.get(other)).copied().unwrap_or(0.0)
        };
        let lifted = |(index, own): (usize, &f32)| {
            own + NEIGHBOUR * (near(index, index.checked_sub(1)) + near(index, Some(index + 1)))
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
        for ((score, unit), segment) in scores.iter_mut().zip(self.units).zip(self.segments) {
            let holds = match expected {
                Expected::Number => unit.chars().any(|c| c.is_ascii_digit()),
                Expected::Name => self.ask.new_names(unit) >= 2,
            };
            if holds && segment.form != Form::Heading {
                *score += ANSWER;
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
        for (segment, score) in self.segments.iter().zip(&mut scores).filter(|(segment, _)| segment.form == Form::Head)
        {
            *score = score.max(HEAD * best.get(segment.passage).copied().unwrap_or(0.0));
        }
        scores
    }

    fn passage(&self, index: usize) -> Option<usize> {
        self.segments.get(index).map(|segment| segment.passage)
    }
}

/// Weights against the best BM25 score of the text, which counts as 1; from a search on the development questions.
const MEANING: f32 = 2.0;
const NEIGHBOUR: f32 = 0.3;
const PASSAGE: f32 = 0.3;
const ANSWER: f32 = 0.2;
const SPEAKER: f32 = 1.3;
const ROW: f32 = 0.2;
const HEAD: f32 = 0.8;

/// What the rows of a table stand under: the end of the text before it, and its head.
#[derive(Default)]
pub(super) struct TableContext {
    caption: String,
    head: String,
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
        }
        self.inside = true;
        let titled = format!("{} {} {unit}", self.caption, self.head).trim_start().to_owned();
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
