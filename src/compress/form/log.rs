//! Logs, build and test output with their stack traces: whole lines, bonded to what they belong to.
//!
//! A line stands whole, in a form that says the same in fewer tokens (escape codes and repainted progress gone, a run of
//! lines that differ in time and counter alone told once), or not at all: half a log line is another statement. What is
//! telling is what surprises: a template or a value that is rarer than its column usually is, and words of trouble.

mod dated;
mod fold;
mod line;
mod repeat;
mod surprise;

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use super::{Block, Item, Reader, Reading, Variant, trace};
use crate::compress::{
    bond::Bond,
    outcome::Noun,
    text::lexicon::{self, Trouble},
    worth::weights::{LOG_EDGE, LOG_ERROR, LOG_WARNING, UNASKED},
};
use line::Line;

/// Reads a block into its lines.
pub(super) fn read<'a>(text: &'a str, block: &Block, reader: &Reader<'_>) -> Reading<'a> {
    let lines = line::lines(text, block.span.clone());
    let shown: Vec<&str> = lines.iter().map(|line| line.shown.as_ref()).collect();
    let structure = trace::structure(&shown);
    let surprises = surprise::surprises(&shown);
    // A file that was read is exact: lines stand as they are or not at all.
    let exact = reader.of_file;
    let prefixes = if exact { vec![0; lines.len()] } else { dated::prefixes(&lines) };
    let repeats = if exact || reader.may_lose() { HashMap::new() } else { repeat::repeats(&lines, &structure) };
    let asked = asked(reader.wanted.wording());
    let fixed_lines: HashSet<usize> = structure.fixed.iter().copied().collect();
    let mut reading = Reading::default();
    let mut item_of = Vec::with_capacity(lines.len());
    let mut heading: Option<(usize, &str)> = None;
    let (mut at, mut alone) = (0, 0);
    let mut told: Vec<(usize, Range<usize>)> = Vec::new();
    while at < lines.len() {
        let cut = prefixes.get(at).copied().unwrap_or(0);
        let prefix = shown.get(at).and_then(|line| line.get(..cut)).unwrap_or_default();
        if cut > 0 && heading.is_none_or(|(_, known)| known != prefix) {
            heading = Some((reading.items.len(), prefix));
            reading.items.push(head(lines.get(at).map_or(0, |line| line.span.start), prefix, block));
        }
        let run = match repeats.get(&at) {
            _ if exact || at < alone => at..at + 1,
            Some(_) => at..at + 1,
            None => {
                let same = |line: usize| {
                    let own = prefixes.get(line).copied().unwrap_or(0);
                    !repeats.contains_key(&line) && shown.get(line).and_then(|line| line.get(..own)) == Some(prefix)
                };
                let found = fold::run(&lines, at, &structure, reader.wanted, same);
                alone = found.alone;
                found.run
            }
        };
        let number = reading.items.len();
        item_of.extend(std::iter::repeat_n(number, run.len()));
        let fixed = reader.may_lose() && run.clone().any(|line| fixed_lines.contains(&line));
        let mut item = Item { fixed, ..item(text, &lines, run.clone(), cut, block) };
        if exact {
            item.variants.truncate(1);
        }
        if let Some(once) = repeats.get(&at) {
            item.variants = vec![Variant::lossless(once.get(cut.min(once.len())..).unwrap_or_default().to_owned())];
        }
        if let Some((of, _)) = heading.filter(|_| cut > 0) {
            reading.bonds.push(Bond::Needs { item: number, of });
        }
        reading.items.push(item);
        at = run.end;
        told.push((number, run));
    }
    let factors = surprise::factors(&surprises, told.iter().map(|(_, run)| run.clone()));
    for ((number, run), factor) in told.into_iter().zip(factors) {
        let most = run.map(|line| salience(&lines, line, &structure, factor, &asked)).fold(0.0, f32::max);
        if let Some(item) = reading.items.get_mut(number) {
            item.salience = most;
        }
    }
    for bond in structure.bonds {
        let Bond::Needs { item, of } = bond else { continue };
        if let (Some(item), Some(of)) = (item_of.get(item).copied(), item_of.get(of).copied())
            && item != of
        {
            reading.bonds.push(Bond::Needs { item, of });
        }
    }
    sections(&shown, &item_of, &mut reading.bonds);
    reading
}

/// What a program says under a heading of its own, `TASK [nginx : reload] ****`, is said of that.
fn sections(shown: &[&str], item_of: &[usize], bonds: &mut Vec<Bond>) {
    let mut heading = None;
    for (at, (line, item)) in shown.iter().zip(item_of).enumerate() {
        let begins = at == 0 || shown.get(at - 1).is_some_and(|before| before.trim().is_empty());
        if begins && is_heading(line) {
            heading = Some(*item);
        } else if let Some(of) = heading.filter(|of| of != item && !line.trim().is_empty()) {
            bonds.push(Bond::Needs { item: *item, of });
        }
    }
}

/// Words, drawn out to a width: `PLAY RECAP *****`.
fn is_heading(line: &str) -> bool {
    let bare = line.trim_end();
    let words = bare.trim_end_matches(['*', '=', '-', '#']);
    bare.len() >= words.len() + 3 && words.contains(char::is_alphanumeric)
}

/// What the lines below begin with: no line of the source, so it stands for no bytes of it.
fn head<'a>(at: usize, prefix: &str, block: &Block) -> Item<'a> {
    let mut head = Item::whole(at..at, dated::heading(prefix), block.form, Noun::Lines);
    (head.count, head.salience) = (0, 0.0);
    head
}

/// One line or a run of lines that read alike, without the bytes in front that a heading tells.
fn item<'a>(text: &'a str, lines: &[Line<'a>], run: Range<usize>, cut: usize, block: &Block) -> Item<'a> {
    let members = lines.get(run.clone()).unwrap_or_default();
    let start = members.first().map_or(0, |line| line.span.start);
    let end = members.last().map_or(start, |line| line.span.end);
    let written = |cut: usize| -> String {
        let shown = |line: &Line<'_>| line.written().get(cut..).unwrap_or_default().to_owned();
        members.iter().map(shown).collect()
    };
    let mut item = Item::whole(start..end, text.get(start..end).unwrap_or_default(), block.form, Noun::Lines);
    item.count = members.iter().filter(|line| !line.shown.trim().is_empty()).count();
    if cut > 0 {
        item.variants = vec![Variant::lossless(written(cut))];
    } else if written(0) != item.text() {
        item.variants.push(Variant::lossless(written(0)));
    }
    if let Some(folded) = fold::written(members) {
        item.variants.push(Variant::lossless(folded.get(cut..).unwrap_or_default().to_owned()));
    }
    item
}

/// How telling a line is, whatever its words.
fn salience(lines: &[Line<'_>], at: usize, structure: &trace::Structure, surprise: f32, asked: &[&str]) -> f32 {
    let shown = lines.get(at).map_or("", |line| line.shown.as_ref());
    let trouble = match (structure.roles.get(at), lexicon::trouble(shown)) {
        (Some(trace::Role::Cause | trace::Role::Head), _) | (Some(trace::Role::Plain), Some(Trouble::Error)) => {
            LOG_ERROR
        }
        (Some(trace::Role::Near), _) | (Some(trace::Role::Plain), Some(Trouble::Warning)) => LOG_WARNING,
        // Where a library was is told by where it was called.
        (Some(trace::Role::Part), _) if trace::is_foreign(shown) => 1.0 / LOG_WARNING,
        _ => 1.0,
    };
    let edge = if at == 0 || at + 1 == lines.len() { LOG_EDGE } else { 1.0 };
    // A line is an event: a long one tells of no more of them.
    let length = (shown.len() as f32).max(SHORT) / SHORT;
    // What is asked for by its id is no repeat of its like.
    let surprise = if asked.iter().any(|id| shown.contains(id)) { surprise.max(1.0 / UNASKED) } else { surprise };
    trouble.max(edge) * surprise / length
}

/// The ids, files and figures that a question names: words that hold a digit or a mark inside.
fn asked(question: &str) -> Vec<&str> {
    let words = question.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let names = |word: &&str| word.len() > 2 && word.contains(|c: char| c.is_ascii_digit() || "._/-:".contains(c));
    words.filter(names).take(MOST_ASKED).collect()
}

/// Names in a question that are looked for.
const MOST_ASKED: usize = 16;

/// Bytes of what is still a short line.
const SHORT: f32 = 40.0;
