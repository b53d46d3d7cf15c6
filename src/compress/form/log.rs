//! Logs, build and test output with their stack traces: whole lines, bonded to what they belong to.
//!
//! A line stands whole, in a form that says the same in fewer tokens (escape codes and repainted progress gone, a run of
//! lines that differ in time and counter alone told once), or not at all: half a log line is another statement. What is
//! telling is what surprises: a template or a value that is rarer than its column usually is, and words of trouble.

mod fold;
mod line;
mod surprise;

use std::ops::Range;

use super::{Block, Item, Reader, Reading, Variant, detect::reads_file, trace};
use crate::compress::{
    bond::Bond,
    outcome::Noun,
    text::lexicon::{self, Trouble},
    worth::weights::{LOG_EDGE, LOG_ERROR, LOG_WARNING},
};
use line::Line;

/// Reads a block into its lines.
pub(super) fn read<'a>(text: &'a str, block: &Block, reader: &Reader<'_>) -> Reading<'a> {
    let lines = line::lines(text, block.span.clone());
    let shown: Vec<&str> = lines.iter().map(|line| line.shown.as_ref()).collect();
    let structure = trace::structure(&shown);
    let surprises = surprise::surprises(&shown);
    // A file that was read is exact: lines stand as they are or not at all.
    let exact = reads_file(reader.query);
    let mut reading = Reading::default();
    let mut item_of = Vec::with_capacity(lines.len());
    let mut at = 0;
    while at < lines.len() {
        let run = if exact { at..at + 1 } else { fold::run(&lines, at, &structure, reader.wanted) };
        item_of.extend(std::iter::repeat_n(reading.items.len(), run.len()));
        let salience = run.clone().map(|line| salience(&lines, line, &structure, &surprises)).fold(0.0, f32::max);
        let mut item = item(text, &lines, run.clone(), block);
        if exact {
            item.variants.truncate(1);
        }
        let fixed = reader.may_lose() && run.clone().any(|line| structure.fixed.contains(&line));
        reading.items.push(Item { salience, fixed, ..item });
        at = run.end;
    }
    for bond in structure.bonds {
        let Bond::Needs { item, of } = bond else { continue };
        if let (Some(item), Some(of)) = (item_of.get(item).copied(), item_of.get(of).copied())
            && item != of
        {
            reading.bonds.push(Bond::Needs { item, of });
        }
    }
    reading
}

/// One line or a run of lines that read alike.
fn item<'a>(text: &'a str, lines: &[Line<'a>], run: Range<usize>, block: &Block) -> Item<'a> {
    let members = lines.get(run.clone()).unwrap_or_default();
    let start = members.first().map_or(0, |line| line.span.start);
    let end = members.last().map_or(start, |line| line.span.end);
    let mut item = Item::whole(start..end, text.get(start..end).unwrap_or_default(), block.form, Noun::Lines);
    item.count = members.iter().filter(|line| !line.shown.trim().is_empty()).count();
    let cleaned: String = members.iter().map(Line::written).collect();
    if cleaned != item.text() {
        item.variants.push(Variant::lossless(cleaned));
    }
    if let Some(folded) = fold::written(members) {
        item.variants.push(Variant::lossless(folded));
    }
    item
}

/// How telling a line is, whatever its words.
fn salience(lines: &[Line<'_>], at: usize, structure: &trace::Structure, surprises: &[f32]) -> f32 {
    let shown = lines.get(at).map_or("", |line| line.shown.as_ref());
    let trouble = match (structure.roles.get(at), lexicon::trouble(shown)) {
        (Some(trace::Role::Cause | trace::Role::Head), _) | (Some(trace::Role::Plain), Some(Trouble::Error)) => {
            LOG_ERROR
        }
        (Some(trace::Role::Near), _) | (Some(trace::Role::Plain), Some(Trouble::Warning)) => LOG_WARNING,
        _ => 1.0,
    };
    let edge = if at == 0 || at + 1 == lines.len() { LOG_EDGE } else { 1.0 };
    trouble.max(edge) * surprises.get(at).copied().unwrap_or(1.0)
}

#[cfg(test)]
mod tests;
