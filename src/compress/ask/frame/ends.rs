//! Where material begins and ends: lines and sentences at its ends that speak to the model are the user's.

use std::ops::Range;

use super::{
    address::{Call, bare, call, is_question, label, names, sentences},
    outline::lines,
    piece::{Fate, Kind, Piece},
    pieces::announces,
    shape::{self, Look},
};
use crate::compress::{
    text::lexicon::address as words,
    worth::weights::{FRAME_LINE, FRAME_TEXT},
};

/// The stretches of material, in order; they begin and end at line boundaries where no line holds both.
pub(super) fn material(text: &str, pieces: &[Piece]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let is_material =
        |at: Option<usize>| at.and_then(|at| pieces.get(at)).is_some_and(|piece| piece.fate == Fate::Material);
    for (at, piece) in pieces.iter().enumerate().filter(|(_, piece)| piece.fate == Fate::Material) {
        let mut span = piece.span.clone();
        if !is_material(at.checked_sub(1)) {
            span = head(text, span, piece);
        }
        if !is_material(Some(at + 1)) {
            span = tail(text, span, piece);
        }
        match found.last_mut() {
            Some(last) if is_material(at.checked_sub(1)) => last.end = span.end,
            _ => found.push(span),
        }
    }
    found.retain(|span| text.get(span.clone()).is_some_and(|part| part.trim().len() >= FRAME_LINE));
    found
}

/// Without the lines and sentences in front that announce or ask.
fn head(text: &str, span: Range<usize>, piece: &Piece) -> Range<usize> {
    if matches!(piece.kind, Kind::Fence) || piece.inside {
        return span;
    }
    let lines = lines(text, &span);
    let mut start = span.start;
    for line in lines.iter().take(MOST_LINES) {
        let here = text.get(line.clone()).unwrap_or_default();
        let speaks = here.trim().is_empty() || line.len() <= FRAME_TEXT && (announces(here) || asks(here));
        if !speaks || is_documentary(here) || span.end - line.end < FRAME_LINE {
            break;
        }
        start = line.end;
    }
    let first = lines.iter().find(|line| line.start == start).cloned().unwrap_or(start..span.end);
    let here = text.get(first.clone()).unwrap_or_default();
    if is_documentary(here) || piece.kind == Kind::Text(Look::Document) && lines.len() > 1 && shape::is_code(here) {
        return start..span.end;
    }
    start += inner_head(here);
    start..span.end
}

/// Where the material begins inside of a line: behind `Context:` or behind sentences that ask.
fn inner_head(line: &str) -> usize {
    if line.len() < FRAME_TEXT {
        return 0;
    }
    let named = |name: &str| names(name, &words::DOCUMENTARY) || call(name) >= Call::Strong;
    if let Some(at) = line.find([':', '：']).filter(|at| *at <= FRAME_TEXT)
        && line.get(..at).is_some_and(|before| named(before) && sentences(before).len() <= 3)
    {
        let after = line.get(at..).unwrap_or_default();
        return at + (after.len() - after.trim_start_matches([':', '：', ' ', '"', '\u{201c}', '\n']).len());
    }
    let spans = sentences(line);
    let asking = spans
        .iter()
        .take_while(|span| line.get((*span).clone()).is_some_and(|sentence| call(sentence) >= Call::Strong))
        .count();
    if asking == 0 || asking > MOST_SENTENCES {
        return 0;
    }
    spans.get(asking).filter(|next| line.len() - next.start >= FRAME_LINE).map_or(0, |next| next.start)
}

/// Without the lines and sentences at the end that ask.
fn tail(text: &str, span: Range<usize>, piece: &Piece) -> Range<usize> {
    if matches!(piece.kind, Kind::Fence) {
        return span;
    }
    let lines = lines(text, &span);
    if piece.inside {
        // A question on the last line, of what speaks to its own reader, or an order about it.
        let asks = |line: &str| is_question(bare(line)) || call(line) == Call::Explicit;
        let last = lines.last().filter(|last| lines.len() > 1 && text.get((*last).clone()).is_some_and(asks));
        return span.start..last.map_or(span.end, |last| last.start);
    }
    let mut end = span.end;
    for line in lines.iter().rev().take(MOST_LINES) {
        let here = text.get(line.clone()).unwrap_or_default();
        let blank = here.trim().is_empty();
        let speaks = blank || line.len() <= FRAME_TEXT && (asks(here) || is_open(here));
        if !speaks || !blank && is_documentary(here) || line.start <= span.start + FRAME_LINE {
            break;
        }
        end = line.start;
    }
    let last = lines.iter().find(|line| line.end == end).cloned().unwrap_or(span.start..end);
    let here = text.get(last.clone()).unwrap_or_default();
    if last.len() < FRAME_TEXT || is_documentary(here) {
        return span.start..end;
    }
    let spans = sentences(here);
    let asking = spans
        .iter()
        .rev()
        .take_while(|span| here.get((*span).clone()).is_some_and(|sentence| call(sentence) >= Call::Strong))
        .count();
    let from = spans.len() - asking;
    match spans.get(from) {
        Some(first) if asking <= MOST_SENTENCES && from > 0 => span.start..last.start + first.start,
        _ => span.start..end,
    }
}

/// A line that asks, or a label of the user's.
fn asks(line: &str) -> bool {
    call(line) >= Call::Strong || is_question(bare(line))
}

/// A label whose value is to be written: `Answer:`, `CONCISE SUMMARY:`.
fn is_open(line: &str) -> bool {
    label(line).is_some_and(|(name, rest)| rest.trim().is_empty() && name.split_whitespace().count() <= 4)
}

/// A line that is part of a document by its form, whatever its words.
fn is_documentary(line: &str) -> bool {
    let bare = line.trim();
    let turn = label(bare).is_some_and(|(name, rest)| {
        let known = names(name, &words::INSTRUCTIVE) || names(name, &words::DOCUMENTARY);
        !known
            && !rest.trim().is_empty()
            && name.chars().next().is_some_and(char::is_uppercase)
            && name.split_whitespace().count() <= 3
    });
    // `NAME   READY   STATUS` asks for no name.
    let columns = bare.split("  ").filter(|cell| !cell.trim().is_empty()).count() >= 3;
    bare.starts_with(['>', '|', '{', '}', '[', '<'])
        || columns
        || shape::is_code(line)
        || turn
        || shape::is_passage(bare)
}

/// Lines and sentences that are looked at, at each end.
const MOST_LINES: usize = 12;
const MOST_SENTENCES: usize = 4;
