//! Kept phrases put together: order kept, paragraphs kept apart, gaps between whole sentences marked.

use std::collections::BTreeMap;

use super::{
    super::{Decision, Unit, marks, phrase::Phrase, segment::Form},
    Prose,
};

/// What stands for one block of prose.
pub(in crate::compress) struct Piece {
    pub(in crate::compress) text: String,
    pub(in crate::compress) units: Vec<Unit>,
}

/// What joins two kept phrases.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Joint {
    Paragraph,
    Line,
    /// A mark: something between them is missing, and nothing else would show it.
    Gap,
    /// Nothing is missing between them: they stand as they stood.
    Same,
    Space,
}

impl Joint {
    /// Target tokens, about: a space is counted with the word after it.
    pub(super) fn cost(self) -> usize {
        usize::from(!matches!(self, Self::Same | Self::Space))
    }
}

impl Prose<'_> {
    /// What stands for each block where `kept` says which phrases stay; `rewrites` stand for what is kept of their units.
    pub(in crate::compress) fn pieces(&self, kept: &[bool], rewrites: &BTreeMap<usize, String>) -> Vec<Piece> {
        let mut first_phrase = 0;
        let mut pieces: Vec<Piece> =
            self.blocks.iter().map(|_| Piece { text: String::new(), units: Vec::new() }).collect();
        let mut last: Vec<Option<usize>> = vec![None; pieces.len()];
        for (index, segment) in self.segments.iter().enumerate() {
            let count = self
                .phrases
                .get(first_phrase..)
                .unwrap_or_default()
                .iter()
                .take_while(|phrase| phrase.unit == index)
                .count();
            let places = first_phrase..first_phrase + count;
            first_phrase += count;
            let block = self.block_of.get(index).copied().unwrap_or(0);
            let (Some(piece), Some(last)) = (pieces.get_mut(block), last.get_mut(block)) else { continue };
            let mut inside = String::new();
            let mut last_inside = None;
            for place in places.clone().filter(|place| kept.get(*place).copied().unwrap_or(false)) {
                self.push(&mut inside, last_inside, place);
                match (rewrites.get(&index), last_inside) {
                    (None, _) => self.push(&mut piece.text, *last, place),
                    (Some(rewrite), None) => {
                        self.push_joint(&mut piece.text, *last, place);
                        piece.text.push_str(rewrite);
                    }
                    (Some(_), Some(_)) => {}
                }
                (*last, last_inside) = (Some(place), Some(place));
            }
            if let Some(rewrite) = rewrites.get(&index) {
                inside.clone_from(rewrite);
            }
            let stay = kept.get(places.clone()).unwrap_or_default().iter().filter(|kept| **kept).count();
            let text = (!inside.is_empty()).then_some(inside);
            let mut unit = self.unit(index, segment.form, (stay, count), text);
            if rewrites.contains_key(&index) {
                unit.reason.push_str(", in the model's words");
            }
            piece.units.push(unit);
        }
        pieces
    }

    fn push(&self, out: &mut String, last: Option<usize>, next: usize) {
        self.push_joint(out, last, next);
        if let Some(next) = self.phrases.get(next) {
            let own = self.text.get(next.span.clone()).unwrap_or_default();
            out.push_str(self.rows.get(&next.unit).map_or(own, String::as_str));
        }
    }

    fn push_joint(&self, out: &mut String, last: Option<usize>, next: usize) {
        let (Some(last), Some(next)) = (last.and_then(|last| self.phrases.get(last)), self.phrases.get(next)) else {
            return;
        };
        match self.joint(last, next) {
            Joint::Paragraph => out.push_str("\n\n"),
            Joint::Line => out.push('\n'),
            Joint::Gap => {
                out.push(' ');
                out.push_str(marks::GAP);
                out.push(' ');
            }
            Joint::Same => out.push_str(self.text.get(last.span.end..next.span.start).unwrap_or(" ")),
            Joint::Space => out.push(' '),
        }
    }

    /// How two phrases are joined, the later one following the earlier one in the condensed text.
    pub(super) fn joint(&self, last: &Phrase, next: &Phrase) -> Joint {
        let white = self.text.get(last.span.end..next.span.start).unwrap_or_default();
        let most = if white.contains('\n') { MOST_INDENT } else { MOST_WHITE };
        let is_row = self.rows.contains_key(&last.unit) || self.rows.contains_key(&next.unit);
        if !is_row && white.len() <= most && white.chars().all(char::is_whitespace) {
            return Joint::Same;
        }
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
            Joint::Gap
        } else {
            Joint::Space
        }
    }

    fn unit(&self, index: usize, form: Form, (stay, all): (usize, usize), text: Option<String>) -> Unit {
        let span = self.segments.get(index).map(|segment| segment.span.clone()).unwrap_or_default();
        let decision = match stay {
            0 if all > 0 => Decision::Dropped,
            stay if stay == all && !self.rows.contains_key(&index) => Decision::Kept,
            _ => Decision::Rewritten,
        };
        let text = match decision {
            Decision::Kept => self.text.get(span.clone()).map(str::to_owned),
            Decision::Rewritten | Decision::Dropped => text,
        };
        let kind = match form {
            Form::Heading => "heading",
            Form::Item => "list",
            Form::Sentence => "prose",
            Form::Head | Form::Row => "table",
        };
        Unit {
            span,
            kind,
            score: self.score(index),
            redundancy: self.redundancy(index),
            decision,
            reason: self.reason(index, decision),
            text,
        }
    }
}

/// White space longer than this, in bytes, is not carried over between two phrases; where lines end it may be an
/// indentation that means something.
const MOST_WHITE: usize = 2;
const MOST_INDENT: usize = 10;
