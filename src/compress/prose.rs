//! Prose: units are scored for redundancy and relevance, and what is kept of each is decided under one budget.

use std::ops::Range;

mod rank;

use super::{
    Decision, Unit,
    phrase::{self, Phrase},
    redundancy::{self, Repeat},
    relevance::Relevance,
    segment::{self, Form, Segment},
    select::{self, Candidates},
    tokens::CountTokens,
};

/// A prose text cut and scored, before any budget.
pub(super) struct Prose<'a> {
    text: &'a str,
    segments: Vec<Segment>,
    phrases: Vec<Phrase>,
    repeats: Vec<Option<Repeat>>,
    /// Relevance of each unit, 0–1; empty when nothing is asked.
    relevance: Vec<f32>,
    /// Whether a line ends with the unit.
    ends_line: Vec<bool>,
}

/// What joins two kept units.
#[derive(Clone, Copy, PartialEq)]
enum Joint {
    Paragraph,
    Line,
    /// A mark: something between them is missing.
    Gap,
    Space,
}

impl<'a> Prose<'a> {
    pub(super) fn read(text: &'a str, tokens: &dyn CountTokens) -> Self {
        let segments = segment::segments(text);
        let spans: Vec<Range<usize>> = segments.iter().map(|segment| segment.span.clone()).collect();
        let units: Vec<&str> = spans.iter().map(|span| text.get(span.clone()).unwrap_or_default()).collect();
        let phrases = phrase::phrases(text, &spans, tokens);
        let repeats = redundancy::repeats(&units);
        let ends_line = units.iter().map(|unit| unit.ends_with('\n')).collect();
        Self { text, segments, phrases, repeats, relevance: Vec::new(), ends_line }
    }

    /// Each unit under the title of its passage: what a reader would know of it.
    pub(super) fn titled_units(&self) -> Vec<String> {
        let mut title = "";
        let mut passage = usize::MAX;
        let mut titled = Vec::with_capacity(self.segments.len());
        for (segment, unit) in self.segments.iter().zip(self.units()) {
            let bare = segment::after_label(unit.trim());
            if segment.passage != passage {
                (passage, title) = (segment.passage, "");
            }
            if segment.form == Form::Heading {
                title = bare;
            }
            let alone = title.is_empty() || segment.form == Form::Heading;
            titled.push(if alone { bare.to_owned() } else { format!("{title}. {bare}") });
        }
        titled
    }

    fn units(&self) -> Vec<&'a str> {
        self.segments.iter().map(|segment| self.text.get(segment.span.clone()).unwrap_or_default()).collect()
    }

    /// Ranks the units by what is asked. `similarity` is each one's similarity of meaning with the question; empty
    /// where no model says.
    pub(super) fn rank(&mut self, ask: &Relevance, similarity: &[f32]) {
        self.relevance = rank::Ranking { units: &self.units(), segments: &self.segments, ask }.scores(similarity);
    }

    /// What is kept at `budget` tokens.
    pub(super) fn condense(&self, budget: usize) -> (String, Vec<Unit>) {
        let total: usize = self.phrases.iter().map(|phrase| phrase.cost).sum();
        // Where much is kept, a telling phrase keeps its neighbours; where little is, each must pay for itself.
        let smooth = ((budget as f32 / total.max(1) as f32 - 0.2) / 0.3).clamp(0.0, 1.0);
        let worth: Vec<f32> = self.phrases.iter().map(|phrase| self.worth(phrase, smooth)).collect();
        let forced = vec![false; self.phrases.len()];
        let joint = |last: &Phrase, next: &Phrase| usize::from(!matches!(self.joint(last, next), Joint::Space));
        let candidates = Candidates { phrases: &self.phrases, worth: &worth, forced: &forced, joint: &joint };
        let kept = select::select(&candidates, budget);
        (self.assemble(&kept), self.account(&kept))
    }

    /// Everything but what is said twice, as it stands.
    pub(super) fn without_repeats(&self) -> (String, Vec<Unit>) {
        let stays = |unit: usize| self.repeats.get(unit).is_none_or(Option::is_none);
        let kept: Vec<bool> = self.phrases.iter().map(|phrase| stays(phrase.unit)).collect();
        let units = self.segments.iter().enumerate().filter(|(unit, _)| stays(*unit));
        let text = units.filter_map(|(_, segment)| self.text.get(segment.span.clone())).collect();
        (text, self.account(&kept))
    }

    fn worth(&self, phrase: &Phrase, smooth: f32) -> f32 {
        let repeated = self.repeats.get(phrase.unit).is_some_and(Option::is_some);
        let penalty = if repeated { -100.0 } else { 0.0 };
        let relevance = self.relevance.get(phrase.unit).copied().unwrap_or(0.0);
        penalty + RELEVANCE * relevance + (phrase.value + smooth * (phrase.smoothed - phrase.value)) / 20.0
    }

    fn assemble(&self, kept: &[bool]) -> String {
        let mut out = String::new();
        let mut last: Option<&Phrase> = None;
        for (phrase, _) in self.phrases.iter().zip(kept).filter(|(_, kept)| **kept) {
            if let Some(last) = last {
                out.push_str(self.between(last, phrase));
            }
            out.push_str(self.text.get(phrase.span.clone()).unwrap_or_default());
            last = Some(phrase);
        }
        out
    }

    /// What stands between two kept phrases.
    fn between(&self, last: &Phrase, next: &Phrase) -> &'static str {
        match self.joint(last, next) {
            Joint::Paragraph => "\n\n",
            Joint::Line => "\n",
            Joint::Gap => " […] ",
            Joint::Space => " ",
        }
    }

    /// How two phrases are joined, the later one following the earlier one in the condensed text.
    fn joint(&self, last: &Phrase, next: &Phrase) -> Joint {
        if last.unit == next.unit {
            return Joint::Space;
        }
        let (Some(from), Some(to)) = (self.segments.get(last.unit), self.segments.get(next.unit)) else {
            return Joint::Space;
        };
        if from.passage != to.passage || from.paragraph != to.paragraph {
            Joint::Paragraph
        } else if self.ends_line.get(last.unit).copied().unwrap_or(false) {
            Joint::Line
        } else if next.unit > last.unit + 1 && last.closes && next.opens {
            // Between whole sentences a gap would not be seen.
            Joint::Gap
        } else {
            Joint::Space
        }
    }

    fn account(&self, kept: &[bool]) -> Vec<Unit> {
        let mut first = 0;
        let mut units = Vec::with_capacity(self.segments.len());
        for (index, segment) in self.segments.iter().enumerate() {
            let count =
                self.phrases.get(first..).unwrap_or_default().iter().take_while(|phrase| phrase.unit == index).count();
            let flags = kept.get(first..first + count).unwrap_or_default();
            let phrases = self.phrases.get(first..first + count).unwrap_or_default();
            first += count;
            units.push(self.unit(index, segment, phrases, flags));
        }
        units
    }

    fn unit(&self, index: usize, segment: &Segment, phrases: &[Phrase], kept: &[bool]) -> Unit {
        let stay = kept.iter().filter(|kept| **kept).count();
        let texts = phrases.iter().zip(kept).filter(|(_, kept)| **kept);
        let text: Vec<&str> = texts.filter_map(|(phrase, _)| self.text.get(phrase.span.clone())).collect();
        let relevance = self.relevance.get(index).copied();
        let (decision, text) = match stay {
            0 => (Decision::Dropped, None),
            all if all == phrases.len() => (Decision::Kept, self.text.get(segment.span.clone()).map(str::to_owned)),
            _ => (Decision::Rewritten, Some(text.join(" "))),
        };
        let reason = match (self.repeats.get(index).and_then(Option::as_ref), relevance) {
            (Some(repeat), _) => format!("says what unit {} says ({:.0} %)", repeat.of, repeat.share * 100.0),
            (None, Some(relevance)) => format!("relevance {relevance:.2}"),
            (None, None) => "information".to_owned(),
        };
        let kind = match segment.form {
            Form::Heading => "heading",
            Form::Item => "list",
            Form::Sentence => "prose",
        };
        Unit { span: segment.span.clone(), kind, score: relevance.unwrap_or(0.5).min(1.0), decision, reason, text }
    }
}

/// How much the relevance of a unit weighs beside what its phrases tell.
const RELEVANCE: f32 = 2.0;
