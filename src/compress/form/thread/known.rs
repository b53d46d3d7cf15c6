//! What a block teaches about its labels: a name, a shape or a pair of keys that comes again is how this text says whose
//! the next lines are.

use std::collections::HashMap;

use super::{
    Label, Role, SHORT, SOURCES, head, quote,
    record::{IDENTIFYING, is_titled, owns, record},
    shape::{clock, counts_paragraph, dated, is_ruled, is_ruler, marks_in_front, opener, shape, stamp, undashed},
};
use crate::compress::{
    fuel,
    text::{
        lexicon::List,
        segment::{Line, after_label, chatted, counts, is_item, is_title, lead, said_at, turn},
    },
};

/// What occurs more than once in a block, which is what shows that it is a label.
pub(super) struct Known<'a> {
    /// Names in front of a colon.
    names: HashMap<&'a str, usize>,
    turns: usize,
    /// The shapes of first lines of paragraphs.
    shapes: HashMap<String, usize>,
    /// How lines begin that count paragraphs, with more of the paragraph below them.
    counted: HashMap<String, usize>,
    /// The marks with which first lines of paragraphs begin.
    marks: HashMap<String, usize>,
    /// The shapes of lines with a time that have something else right below them.
    stamps: HashMap<String, usize>,
    /// The shapes of last lines of paragraphs.
    tails: HashMap<String, usize>,
    /// Lines that begin with an id.
    openers: usize,
    /// Paragraphs that begin with a time of day.
    clocks: usize,
    /// Whole short lines.
    titles: HashMap<&'a str, usize>,
    /// The first two keys of records: how often they come, and how often a text follows that is no record.
    records: HashMap<(&'a str, &'a str), (usize, usize)>,
    /// Names of tags that are closed.
    closed: HashMap<&'a str, usize>,
}

impl<'a> Known<'a> {
    pub(super) fn of(lines: &[Line<'a>]) -> Self {
        let mut known = Self {
            names: HashMap::new(),
            turns: 0,
            shapes: HashMap::new(),
            counted: HashMap::new(),
            marks: HashMap::new(),
            stamps: HashMap::new(),
            tails: HashMap::new(),
            openers: 0,
            clocks: 0,
            titles: HashMap::new(),
            records: HashMap::new(),
            closed: HashMap::new(),
        };
        for (at, line) in lines.iter().enumerate() {
            fuel::step(line.text.len());
            if let Some((name, _)) = chatted(line.text) {
                *known.names.entry(name).or_insert(0) += 1;
                known.turns += 1;
            }
            let above = at.checked_sub(1).and_then(|above| lines.get(above));
            if line.after_blank || above.is_some_and(is_ruler) {
                if let Some(shape) = shape(line.text) {
                    *known.shapes.entry(shape).or_insert(0) += 1;
                }
                if let Some(count) = counts_paragraph(lines, at) {
                    *known.counted.entry(count).or_insert(0) += 1;
                }
                if let Some(marks) = marks_in_front(lines, at) {
                    *known.marks.entry(marks).or_insert(0) += 1;
                }
            }
            if line.after_blank || is_titled(lines, at) {
                let keys = record(lines, at);
                if let [first, second, ..] = keys.as_slice() {
                    let (times, owning) = known.records.entry((*first, *second)).or_default();
                    *times += 1;
                    *owning += usize::from(owns(lines, at + keys.len()));
                }
            }
            known.openers += usize::from(opener(line.text) > 0);
            known.clocks += usize::from(line.after_blank && clock(line.text) > 0);
            if let Some(shape) = stamp(lines, at) {
                *known.stamps.entry(shape).or_insert(0) += 1;
            }
            if line.before_blank
                && !line.after_blank
                && let Some(shape) = shape(undashed(line.text))
            {
                *known.tails.entry(shape).or_insert(0) += 1;
            }
            if line.text.len() <= 40 {
                *known.titles.entry(line.text).or_insert(0) += 1;
            }
            let mut rest = line.text;
            while let Some(start) = rest.find("</") {
                rest = rest.get(start + 2..).unwrap_or_default();
                *known.closed.entry(tag_name(rest)).or_insert(0) += 1;
            }
        }
        known
    }

    pub(super) fn label(&self, lines: &[Line<'a>], at: usize, line: &Line<'a>) -> Option<Label<'a>> {
        self.tag(line)
            .or_else(|| head(lines, at))
            .or_else(|| self.record(lines, at))
            .or_else(|| quote(lines, at))
            .or_else(|| self.tail(lines, at))
            .or_else(|| self.signature(lines, at))
            .or_else(|| question(lines, at))
            .or_else(|| self.beginning(line))
    }

    fn tag(&self, line: &Line<'a>) -> Option<Label<'a>> {
        let rest = line.text.strip_prefix('<')?;
        if let Some(closing) = rest.strip_prefix('/') {
            let name = tag_name(closing);
            let alone = closing.get(name.len()..).is_some_and(|rest| rest.trim() == ">");
            return (alone && !name.is_empty()).then_some(Label { role: Role::Close, lines: 1, prefix: 0, name });
        }
        let name = tag_name(rest);
        let end = line.text.find('>').filter(|_| !name.is_empty())? + 1;
        let inside = line.text.get(end..).unwrap_or_default();
        if !self.closed.contains_key(name) {
            // `<anna> hello`: a nickname in front of what is said.
            let nick = !inside.is_empty() && end <= 24 && line.text.get(1..end - 1) == Some(name);
            return nick.then_some(Label { role: Role::Speaker, lines: 0, prefix: end, name });
        }
        if inside.is_empty() {
            return Some(Label { role: Role::Open, lines: 1, prefix: 0, name });
        }
        let closes = inside
            .strip_suffix('>')
            .and_then(|inside| inside.strip_suffix(name))
            .is_some_and(|inside| inside.ends_with("</"));
        if closes && line.text.get(1..end - 1) == Some(name) && line.text.len() <= SHORT {
            return Some(Label { role: Role::Element, lines: 1, prefix: 0, name });
        }
        Some(Label { role: Role::Open, lines: 0, prefix: end, name })
    }

    /// A last line of a paragraph whose like end others: `Source: kb/returns.md`, `— kb/returns.md`.
    fn tail(&self, lines: &[Line<'a>], at: usize) -> Option<Label<'a>> {
        let line = lines.get(at)?;
        let ends = line.before_blank && !line.after_blank && !dated(line.text);
        let again = |shape: String| self.tails.get(&shape).is_some_and(|times| *times >= FEWEST_COUNTED);
        (ends && shape(undashed(line.text)).is_some_and(again)).then_some(Label {
            role: Role::Tail,
            lines: 1,
            prefix: 0,
            name: line.text,
        })
    }

    /// Lines such as `ID: 1`, `Title: …`, `Content:` that occur in the same order elsewhere.
    fn record(&self, lines: &[Line<'a>], at: usize) -> Option<Label<'a>> {
        if !lines.get(at)?.after_blank {
            return None;
        }
        let keys = record(lines, at);
        let [first, second, ..] = keys.as_slice() else { return None };
        let (times, owning) = self.records.get(&(*first, *second)).copied().unwrap_or_default();
        let again = times >= 2;
        let last = lines.get(at + keys.len() - 1)?;
        let names = SOURCES.has(&first.to_lowercase()) || IDENTIFYING.has(&first.to_lowercase());
        let body = owning * 2 >= times
            || lines.get(at + keys.len()).is_some_and(|next| !next.after_blank || last.text.ends_with(':') || names);
        let role = if body { Role::Chunk } else { Role::Record };
        again.then_some(Label { role, lines: keys.len(), prefix: 0, name: "" })
    }

    /// A first line of a paragraph whose like come again: `anna · comment · 2031-02-11`, `[doc-01] (notes, part 1)`,
    /// `INTERVIEWER`.
    fn signature(&self, lines: &[Line<'a>], at: usize) -> Option<Label<'a>> {
        let line = lines.get(at)?;
        let followed = lines.get(at + 1).is_some() && !line.text.starts_with("# ") && !line.text.starts_with("##");
        let again = |shape: String| self.stamps.get(&shape).is_some_and(|times| *times >= FEWEST_COUNTED);
        let stamped = !self.stamps.is_empty() && stamp(lines, at).is_some_and(again);
        let fresh = line.after_blank
            || at.checked_sub(1).and_then(|above| lines.get(above)).is_some_and(is_ruler)
            || is_ruled(line.text)
            || stamped;
        if !fresh || !followed || line.text.ends_with(['.', '!', '?', ',', ';', '。', '！', '？']) {
            return None;
        }
        if is_ruled(line.text) && !dated(line.text) {
            return Some(Label { role: Role::Chunk, lines: 1, prefix: 0, name: line.text });
        }
        let counted = counts_paragraph(lines, at).and_then(|count| self.counted.get(&count).copied());
        let marked = marks_in_front(lines, at).and_then(|marks| self.marks.get(&marks).copied());
        if counted.max(marked).is_some_and(|times| times >= FEWEST_COUNTED) {
            return Some(Label { role: Role::Chunk, lines: 1, prefix: 0, name: line.text });
        }
        let again = |shape: &String| self.shapes.get(shape).is_some_and(|times| *times >= 2) || stamped;
        if shape(line.text).filter(again).is_some() && !is_item(line.text) {
            let role = if dated(line.text) && !line.text.starts_with(['[', '#']) { Role::Speaker } else { Role::Chunk };
            // `Result 6` with `id: PET-01` below it.
            let keys = if is_titled(lines, at + 1) { record(lines, at + 1) } else { Vec::new() };
            let known = match keys.as_slice() {
                [first, second, ..] => self.records.get(&(*first, *second)).is_some_and(|(times, _)| *times >= 2),
                _ => false,
            };
            return Some(Label { role, lines: 1 + if known { keys.len() } else { 0 }, prefix: 0, name: line.text });
        }
        let name = line.text.len() <= 40
            && line.text.split_whitespace().count() <= 4
            && is_title(line.text)
            && !line.before_blank
            && self.titles.get(line.text).is_some_and(|times| *times >= 2);
        name.then_some(Label { role: Role::Speaker, lines: 1, prefix: 0, name: line.text })
    }

    /// `[3] `, `Document [3](Title: Ore) `, `Anna: `, `[12:01] Anna: `, `For horses: `.
    fn beginning(&self, line: &Line<'a>) -> Option<Label<'a>> {
        let text = line.text;
        if text.starts_with('#') || is_item(text) || (line.after_blank && counts(text) && is_title(text)) {
            return None;
        }
        let named = if self.openers >= FEWEST_COUNTED { opener(text) } else { 0 };
        if named > 0 {
            let name = text.get(..named).unwrap_or_default();
            return Some(Label { role: Role::Chunk, lines: 0, prefix: named, name });
        }
        let timed = if self.clocks >= FEWEST_COUNTED && line.after_blank { clock(text) } else { 0 };
        if timed > 0 {
            let name = text.get(..timed).unwrap_or_default();
            return Some(Label { role: Role::Chunk, lines: 0, prefix: timed, name });
        }
        let label = chunk(text);
        let rest = text.get(label..).unwrap_or_default();
        let after = |said: &str| text.len() - said.trim_start_matches('*').trim_start().len();
        if let Some((name, said)) = turn(rest).or_else(|| said_at(text)) {
            let returns = |name: &str| self.names.get(name).is_some_and(|times| *times >= 2);
            // `Toilets: forty.` is no speaker of three, but `Ana Ruiz: forty.` may be.
            let several = self.turns >= 3 && (name.contains(' ') || self.turns > self.names.len());
            let speaker = !says_when(name) && (returns(name) || several);
            let role = if speaker { Role::Speaker } else { Role::Lead };
            return Some(Label { role, lines: 0, prefix: after(said), name });
        }
        if label > 0 {
            return Some(Label {
                role: Role::Chunk,
                lines: 0,
                prefix: label,
                name: text.get(..label).unwrap_or_default(),
            });
        }
        let (name, said) = lead(rest).filter(|_| line.after_blank)?;
        let begins_high = name.chars().next().is_some_and(|c| !c.is_lowercase());
        begins_high.then_some(Label { role: Role::Lead, lines: 0, prefix: after(said), name })
    }
}

/// A question on a line of its own with what answers it right below, as lists of frequent questions have them: what
/// stands in its paragraph is said of it.
fn question<'a>(lines: &[Line<'a>], at: usize) -> Option<Label<'a>> {
    let (line, next) = (lines.get(at)?, lines.get(at + 1)?);
    let asks = line.text.trim_end_matches(['*', '_', '"', ' ', '»', '”']).ends_with(['?', '？', '؟']);
    let over = line.after_blank && !next.after_blank && next.depth == line.depth && line.text.len() <= 2 * SHORT;
    if !asks || !over || is_item(line.text) || is_item(next.text) {
        return None;
    }
    let turns = |text: &str| turn(after_label(text)).is_some();
    let begins_high = next.text.chars().find(|c| c.is_alphanumeric()).is_some_and(|c| !c.is_lowercase());
    // Where lines are wrapped a question may end one by chance.
    let length = line.text.chars().count();
    let apart = length < SHORT / 2 || next.text.chars().count() > length + SHORT / 10;
    (begins_high && apart && !turns(line.text) && !turns(next.text)).then_some(Label {
        role: Role::Lead,
        lines: 1,
        prefix: 0,
        name: line.text,
    })
}

/// Whether what stands in front of a colon says when, where or for whom, as no name does: `In 2021: `.
fn says_when(name: &str) -> bool {
    let first = name.split_whitespace().next().unwrap_or_default().to_lowercase();
    name.contains(' ') && WHEN.has(&first)
}

static WHEN: List = List::new(
    "in on at from since until for after before with without if im am ab seit bei nach vor für en pour dès depuis
    après avant desde para em в на с до после для при",
);

/// Lines or paragraphs that look the same, at least, where that is how the text names what is below or above them.
const FEWEST_COUNTED: usize = 3;

fn tag_name(rest: &str) -> &str {
    let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | ':' | '.'))).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

/// The bytes that a chunk's id takes at the beginning of a line.
fn chunk(text: &str) -> usize {
    let labelled = text.len() - after_label(text).len();
    if labelled > 0 {
        return labelled;
    }
    let noted = text.strip_prefix("[^").and_then(|rest| rest.split_once("]: ")).filter(|(note, _)| note.len() <= 12);
    if let Some((note, _)) = noted {
        return note.len() + "[^]: ".len();
    }
    let word = text.split([' ', '[']).next().unwrap_or_default();
    if !SOURCES.has(&word.to_lowercase()) {
        return 0;
    }
    let rest = text.get(word.len()..).unwrap_or_default();
    let id = rest.trim_start_matches([' ', '[', '#', '(']);
    let number = id.find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))).unwrap_or(id.len());
    if !id.get(..number).unwrap_or_default().bytes().any(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    let behind = id.get(number..).unwrap_or_default();
    let behind = behind.strip_prefix([']', ')']).unwrap_or(behind);
    let titled = behind.strip_prefix("(Title: ").and_then(|title| title.split_once(')')).map(|(_, rest)| rest);
    let said = titled.or_else(|| behind.strip_prefix(':')).map(str::trim_start);
    said.filter(|said| !said.is_empty()).map_or(0, |said| text.len() - said.len())
}
