//! The frame of a user's message: all that is addressed to the model. It stays word for word at every ratio.
//!
//! Whoever loses a user's own words loses the user, so the burden of proof lies on the material: it is what is long and
//! contiguous and in a documentary form, or several sentences that tell something and ask nothing. The rest is frame, in
//! any language and wherever it stands: an instruction between two documents, rules in tags, examples, a sign-off.
//!
//! The message is cut into pieces ([`outline`], [`pieces`]), each piece is read for whether it speaks to the model
//! ([`address`]), and stretches of pieces that don't are material ([`stretches`]), less what speaks at their ends ([`ends`]).

mod address;
mod body;
mod ends;
mod outline;
mod piece;
mod pieces;
mod reminder;
mod shape;
mod shots;
mod stretches;
mod task;
#[cfg(test)]
mod tests;

use std::ops::Range;

use self::task::Heard;
use super::Query;
use crate::compress::text::{escape, exact};

/// What of a message is no material.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::compress) struct Frame {
    /// The question or the task, without its label; what the material is read for.
    question: Option<Range<usize>>,
    /// What is told around the question, nearest first.
    situation: Vec<Range<usize>>,
    /// What is no frame, in order; it may be left out.
    material: Vec<Range<usize>>,
}

/// What a message asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::compress) struct Asked<'a> {
    pub(in crate::compress) question: &'a str,
    /// What the user tells around that, `I bought it last winter.`; empty where nothing is.
    pub(in crate::compress) situation: String,
}

impl Frame {
    /// The spans that are not addressed to the model.
    pub(in crate::compress) fn material(&self) -> Vec<Range<usize>> {
        self.material.clone()
    }

    /// What is asked, in the user's words.
    pub(in crate::compress) fn question<'a>(&self, text: &'a str) -> Option<&'a str> {
        text.get(self.question.clone()?)
    }

    /// The same with what is told around it.
    pub(in crate::compress) fn asked<'a>(&self, text: &'a str) -> Option<Asked<'a>> {
        let told = self.situation.iter().filter_map(|span| text.get(span.clone())).map(str::trim);
        Some(Asked { question: self.question(text)?, situation: told.collect::<Vec<_>>().join(" ") })
    }

    /// Whether all of the message is addressed to the model.
    pub(in crate::compress) fn is_whole(&self) -> bool {
        self.material.is_empty()
    }
}

/// Finds the frame of `text`. A tool's result is material: nothing in it is addressed to the model but reminders.
#[must_use]
pub(in crate::compress) fn frame(text: &str, query: &Query) -> Frame {
    if query.call.is_some() {
        let material = std::iter::once(0..text.len()).collect();
        return Frame { material: addressed(text, material), ..Frame::default() };
    }
    let shots = shots::shots(text);
    let pieces = stretches::read(text, shots.as_ref());
    let material = addressed(text, ends::material(text, &pieces));
    let asked = shots.and_then(|shots| shots.asked).filter(|asked| within(&material, asked).next().is_none());
    let heard = heard(text, &pieces, &material);
    let question = asked.or_else(|| task::task(text, &heard));
    let situation = question.as_ref().map_or_else(Vec::new, |question| task::situation(text, &heard, question));
    Frame { question, situation, material }
}

/// The material without what is addressed to the model wherever it stands: reminders, and what is marked as exact. Cut in
/// two a JSON value would be none: whoever reads it takes out what stands so in its strings.
fn addressed(text: &str, material: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let is_value = |part: &Range<usize>| text.get(part.clone()).is_some_and(escape::is_json);
    let cut = |part: Range<usize>| if is_value(&part) { vec![part] } else { unaddressed(text, vec![part]) };
    if unaddressed(text, material.clone()) == material {
        return material;
    }
    material.into_iter().flat_map(cut).collect()
}

/// The material without reminders and what is marked as exact.
pub(in crate::compress) fn unaddressed(text: &str, material: Vec<Range<usize>>) -> Vec<Range<usize>> {
    reminder::cut(reminder::without(text, material), exact::passages(text).into_iter())
}

/// The parts of `material` that reach into a span.
fn within<'a>(material: &'a [Range<usize>], span: &'a Range<usize>) -> impl Iterator<Item = &'a Range<usize>> {
    let from = material.partition_point(|part| part.end <= span.start);
    material.iter().skip(from).take_while(|part| part.start < span.end)
}

/// What is left of the pieces once the material is taken out.
fn heard(text: &str, pieces: &[piece::Piece], material: &[Range<usize>]) -> Vec<Heard> {
    let mut found = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let mut from = piece.span.start;
        let gaps = within(material, &piece.span).cloned().chain(std::iter::once(piece.span.end..piece.span.end));
        for gap in gaps {
            let span = from..gap.start.max(from);
            if text.get(span.clone()).is_some_and(|part| !part.trim().is_empty()) {
                let stretch = material.partition_point(|part| part.end <= span.start);
                found.push(Heard { span, named: piece.named, stretch, edge: at == 0 || at + 1 == pieces.len() });
            }
            from = gap.end.max(from);
        }
    }
    found
}
