//! Code, settings and any file that was read: exact, and under a budget whole runs of lines are left out.
//!
//! The one idea is lines with structure: a tree of what stands under what, by indentation and brackets. A line needs what
//! it stands under, a branch the branches before it, what opens stands together with what closes it. So a kept `rm` has
//! its `if`, a kept key its section, a kept statement its signature, and each kept line is the source's, byte for byte.

mod diff;
mod lines;
mod syntax;
mod tree;
mod view;

use std::ops::Range;

use super::{Block, Form, Item, Reader, Reading, detect, prose};
use crate::compress::{
    bond::Bond,
    outcome::Noun,
    worth::weights::{LABEL, LONG_LINE, OUTLINE, RUN, SETTINGS_RUN, SHORT_FILE, SMALL},
};
use lines::Unit;
use syntax::Syntax;
use tree::Tree;

/// Reads a block into runs of lines with the bonds between them.
pub(super) fn read<'a>(text: &'a str, block: &Block, reader: &Reader<'_>) -> Reading<'a> {
    let part = text.get(block.span.clone()).unwrap_or_default();
    if block.form == Form::Diff || diff::is_diff(part) {
        return diff::read(text, block, reader);
    }
    let whole: Vec<&str> = part.split_inclusive('\n').collect();
    let shown: Vec<&str> = whole.iter().map(|line| line.trim_end_matches(['\n', '\r'])).collect();
    let viewed = view::contents(&shown);
    let contents = viewed.as_ref().unwrap_or(&shown);
    let syntax = syntax::of(contents);
    let units = lines::units(contents, syntax);
    let tree = tree::grow(&units, syntax);
    let runs = runs(&units, &tree, syntax, &ends(&whole));
    let numbered = viewed.is_none() && block.span == (0..text.len()) && detect::reads_from_the_first_line(reader.query);
    let form = if reader.of_file { form(block.form, syntax) } else { block.form };
    let block = Block { form, span: block.span.clone() };
    let mut reading = Reading {
        items: items(text, &block, &whole, &units, &runs, numbered, syntax),
        bonds: bonds(&units, &tree, &runs, syntax),
    };
    if block.form == Form::Prose {
        reading = long_lines(text, reading);
    }
    keep_asked(&mut reading, reader);
    reading
}

/// A short file or snippet stands whole at every ratio: who shows fifty lines of code means to work on them.
pub(super) fn keep_short(items: &mut [Item<'_>], reader: &Reader<'_>) {
    let file = reader.of_file;
    let exact = |item: &Item<'_>| match item.form {
        // What people read and don't edit.
        Form::Frame | Form::Prose | Form::Log | Form::Listing | Form::Hits | Form::Columns => false,
        Form::Code | Form::Diff | Form::Keyed => file || reader.query.call.is_none(),
        _ => file,
    };
    let length: usize = items.iter().filter(|item| exact(item)).map(|item| item.span.len()).sum();
    if length <= SHORT_FILE {
        items.iter_mut().filter(|item| exact(item)).for_each(|item| item.fixed = true);
    }
}

/// The form that a file's content has; a block's own where that is known.
const fn form(known: Form, syntax: Syntax) -> Form {
    match (known, syntax) {
        (Form::Code, Syntax { prose: true, .. }) => Form::Prose,
        (Form::Code, Syntax { json: true, .. }) => Form::Json,
        (Form::Code, Syntax { rows: true, .. }) => Form::Csv,
        (Form::Code, Syntax { markup: true, .. }) => Form::Html,
        (Form::Code, Syntax { keyed: true, .. }) => Form::Keyed,
        (known, _) => known,
    }
}

/// A paragraph on one long line is read sentence by sentence; none is shortened.
fn long_lines<'a>(text: &'a str, reading: Reading<'a>) -> Reading<'a> {
    let mut place = Vec::with_capacity(reading.items.len());
    let mut found = Reading::default();
    for item in reading.items {
        place.push(found.items.len());
        if item.text().len() < LONG_LINE || item.text().trim_end().contains('\n') {
            found.items.push(item);
            continue;
        }
        let by = found.items.len();
        let inner = prose::read(text, &Block { span: item.span.clone(), form: Form::Prose });
        found.bonds.extend(inner.bonds.into_iter().map(|bond| bond.shifted(by)));
        found.items.extend(inner.items.into_iter().map(|mut item| {
            item.variants.truncate(1);
            Item { said: None, ..item }
        }));
    }
    let of = |at: usize| place.get(at).copied().unwrap_or(0);
    found.bonds.extend(reading.bonds.into_iter().flat_map(|bond| match bond {
        Bond::Needs { item, of: needed } => {
            // Each sentence of a line needs what the line does.
            let all = of(item)..place.get(item + 1).copied().unwrap_or(found.items.len());
            all.map(|item| Bond::Needs { item, of: of(needed) }).collect::<Vec<_>>()
        }
        Bond::Together(one, other) => vec![Bond::Together(of(one), of(other))],
    }));
    found
}

/// A run of units that is kept or left out as one.
struct Run {
    units: Range<usize>,
    /// It says what stands under it.
    header: bool,
}

/// Small blocks are one; statements in a row are, up to a few lines; a comment goes with what is below it.
fn runs(units: &[Unit<'_>], tree: &Tree, syntax: Syntax, ends: &[usize]) -> Vec<Run> {
    let most = if syntax.keyed || syntax.rows || syntax.json { SETTINGS_RUN } else { RUN };
    let mut runs: Vec<Run> = Vec::new();
    // Lines of the last run, and whether the next unit may join it.
    let (mut length, mut open) = (0, false);
    let bytes = |range: Range<usize>| {
        let end = |line: usize| ends.get(line).copied().unwrap_or(0);
        units.get(range.end - 1).map_or(0, |unit| end(unit.full))
            - units.get(range.start).map_or(0, |unit| end(unit.lines.start))
    };
    let mut at = 0;
    while let Some(unit) = units.get(at) {
        let end = tree.end.get(at).copied().unwrap_or(at + 1).max(at + 1);
        let small =
            end > at + 1 && height(units, at..end) <= SMALL && bytes(at..end) <= SMALL * WIDE && unit.indent >= 0;
        let header = tree.is_header(at) && !small;
        let next = if small { end } else { at + 1 };
        let own = height(units, at..next);
        let closes = tree.closes.get(at).is_some_and(|closes| !closes.is_empty());
        let carries = tree.after.get(at).copied().flatten().is_some();
        let (sibling, introduced) = runs.last().map_or((false, false), |run| {
            let before = units.get(run.units.clone()).unwrap_or_default();
            let same = tree.parent.get(run.units.start) == tree.parent.get(at);
            let adjacent = before.last().is_some_and(|unit| unit.full == unit.lines.end);
            let introduces = before
                .iter()
                .all(|unit| unit.comment || unit.content.starts_with('@') || unit.content.starts_with("#["));
            (same && adjacent && open, same && adjacent && open && introduces && length <= LONGEST_COMMENT)
        });
        let room = runs.last().is_none_or(|run| bytes(run.units.start..next) <= most * WIDE);
        let joins = room
            && !closes
            && !carries
            && !syntax.prose
            && (introduced || (sibling && !header && !small && length + own <= most));
        match runs.last_mut().filter(|_| joins) {
            Some(run) => {
                run.units.end = next;
                run.header |= header;
                length += own;
            }
            None => {
                runs.push(Run { units: at..next, header });
                length = own;
            }
        }
        // The first line under a signature stands alone, so that an outline is cheap.
        let leads =
            at > 0 && tree.parent.get(at).copied().flatten() == Some(at - 1) && leads(&units[at - 1]) && !unit.comment;
        open = !header && !small && !closes && !carries && !leads;
        at = next;
    }
    runs
}

/// Where each line begins, and the last one ends.
fn ends(lines: &[&str]) -> Vec<usize> {
    let mut at = 0;
    let end = |line: &&str| {
        at += line.len();
        at
    };
    std::iter::once(0).chain(lines.iter().map(end)).collect()
}

/// Lines from the first to the last that is not blank.
fn height(units: &[Unit<'_>], range: Range<usize>) -> usize {
    let part = units.get(range).unwrap_or_default();
    part.last().map_or(0, |unit| unit.full) - part.first().map_or(0, |unit| unit.lines.start)
}

/// Whether a unit says nothing without the first of what stands under it: `def f():`, `key:`, `if a; then`.
fn leads(unit: &Unit<'_>) -> bool {
    let end = unit.last.split(" #").next().unwrap_or_default().trim_end();
    end.ends_with(':')
        || end.ends_with(" then")
        || end.ends_with(" do")
        || matches!(end, "then" | "do" | "else")
        || end.rsplit_once(": ").is_some_and(|(_, value)| value.starts_with(['&', '!']) && !value.contains(' '))
}

/// The items that runs stand for.
fn items<'a>(
    text: &'a str,
    block: &Block,
    whole: &[&str],
    units: &[Unit<'_>],
    runs: &[Run],
    numbered: bool,
    syntax: Syntax,
) -> Vec<Item<'a>> {
    let mut starts = Vec::with_capacity(whole.len() + 1);
    let mut at = block.span.start;
    for line in whole {
        starts.push(at);
        at += line.len();
    }
    starts.push(block.span.end);
    let place = |line: usize| starts.get(line).copied().unwrap_or(block.span.end);
    let item = |run: &Run| {
        let lines = units.get(run.units.start).map_or(0, |unit| unit.lines.start)
            ..units.get(run.units.end - 1).map_or(0, |unit| unit.lines.end);
        let span = place(lines.start)..place(lines.end);
        let stands = text.get(span.clone()).unwrap_or_default();
        let noun = if numbered { Noun::FileLines } else { Noun::Lines };
        let mut item = Item::whole(span, stands, block.form, noun);
        item.count = if numbered { lines.len() } else { stands.lines().filter(|line| !line.trim().is_empty()).count() };
        let remark = units.get(run.units.clone()).is_some_and(|units| units.iter().all(|unit| unit.comment));
        item.salience = match (run.header, remark) {
            (true, _) if syntax.prose => LABEL,
            _ if syntax.markup && is_headings(units.get(run.units.clone()).unwrap_or_default()) => LABEL,
            (true, _) => OUTLINE,
            (false, true) => 1.0 / OUTLINE,
            (false, false) => 1.0,
        };
        item
    };
    if runs.is_empty() {
        return vec![Item::fixed(block.span.clone(), text.get(block.span.clone()).unwrap_or_default(), block.form)];
    }
    runs.iter().map(item).collect()
}

/// What each run needs.
fn bonds(units: &[Unit<'_>], tree: &Tree, runs: &[Run], syntax: Syntax) -> Vec<Bond> {
    let mut run_of = vec![0; units.len()];
    for (number, run) in runs.iter().enumerate() {
        run_of.iter_mut().take(run.units.end).skip(run.units.start).for_each(|of| *of = number);
    }
    let run = |unit: usize| run_of.get(unit).copied().unwrap_or(0);
    let mut bonds = Vec::new();
    for (at, unit) in units.iter().enumerate() {
        let item = run(at);
        // Every line above it by itself: what is asked of a signature is asked of its body.
        let mut above = tree.parent.get(at).copied().flatten();
        let begins = runs.get(item).is_some_and(|run| run.units.start == at);
        for _ in 0..ANCESTORS {
            let Some(of) = above.filter(|_| begins) else { break };
            bonds.push(Bond::Needs { item, of: run(of) });
            above = tree.parent.get(of).copied().flatten();
        }
        if let Some(of) = tree.after.get(at).copied().flatten() {
            let tries = matches!(
                units.get(of).map(|unit| unit.content.trim_end_matches([':', ' ', '{'])),
                Some("try" | "begin")
            );
            bonds.push(if tries { Bond::Together(item, run(of)) } else { Bond::Needs { item, of: run(of) } });
        }
        for of in tree.closes.get(at).into_iter().flatten() {
            bonds.push(Bond::Together(item, run(*of)));
        }
        if let Some(of) = tree.refers.get(at).copied().flatten() {
            bonds.push(Bond::Needs { item, of: run(of) });
        }
        if tree.is_header(at) && leads(unit) && !syntax.json {
            // A comment says nothing in place of a statement.
            let child = (at + 1..units.len()).find(|child| !units.get(*child).is_some_and(|unit| unit.comment));
            bonds.extend(child.map(|child| Bond::Together(item, run(child))));
        }
        // A remark says nothing without what it is about.
        if unit.comment && unit.full == unit.lines.end && at + 1 < units.len() {
            bonds.push(Bond::Needs { item, of: run(at + 1) });
        }
        let last = at.checked_sub(1).and_then(|last| units.get(last));
        if syntax.json
            && !tree.closes.get(at).is_some_and(Vec::is_empty)
            && last.is_some_and(|last| !last.last.ends_with(','))
        {
            bonds.push(Bond::Needs { item, of: run(at - 1) });
        }
        if syntax.rows && begins {
            bonds.push(Bond::Needs { item, of: 0 });
        }
    }
    bonds.retain(|bond| {
        !matches!(bond, Bond::Needs { item, of } if item == of)
            && !matches!(bond, Bond::Together(one, other) if one == other)
    });
    bonds.sort_unstable();
    bonds.dedup();
    bonds
}

/// What is asked for stands, even where the budget is too small for all that it needs.
fn keep_asked(reading: &mut Reading<'_>, reader: &Reader<'_>) {
    if reading.items.len() < 2 {
        return;
    }
    let texts: Vec<&str> = reading.items.iter().map(Item::text).collect();
    let ranks = reader.wanted.rank(&texts);
    let best = ranks.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)));
    if let Some(item) = best.filter(|(_, rank)| **rank > 0.0).and_then(|(at, _)| reading.items.get_mut(at)) {
        item.fixed = true;
    }
}

/// Whether lines of HTML are headings and nothing else.
fn is_headings(units: &[Unit<'_>]) -> bool {
    let heading =
        |content: &str| content.starts_with("<h") && content.chars().nth(2).is_some_and(|c| c.is_ascii_digit());
    units.iter().all(|unit| heading(unit.content) && unit.content.matches("</").count() < 2)
}

/// What a unit stands under that it needs by itself, not only by way of what is between.
const ANCESTORS: usize = 6;

/// Bytes of a wide line: longer ones count for several.
const WIDE: usize = 80;

/// Lines of a comment that goes with what is below it.
const LONGEST_COMMENT: usize = 3;
