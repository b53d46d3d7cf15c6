//! Cuts a mixed text into blocks: fences, diffs, JSON values and runs of like lines; what is left is prose.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use super::{
    Block, Form,
    lines::{self, Look},
    output,
    source::{self, Verdict},
};
use crate::compress::{
    form::{columns, entries, hits, hunk, json, listing},
    fuel,
    text::{
        escape,
        lexicon::{self, address::is_own},
        segment,
    },
};

/// The blocks of `text`, which is not of one piece.
pub(super) fn cut(text: &str) -> Vec<Block> {
    let mut cutter = Cutter::new(text);
    let mut line = 0;
    while line < cutter.lines.len() {
        line = cutter.step(line);
    }
    cutter.finish()
}

/// Whether people write to each other in most of a text.
pub(super) fn is_chat(text: &str) -> bool {
    let cutter = Cutter::new(text);
    let count = cutter.lines.len();
    let first = (0..count).find(|at| !cutter.line(*at).trim().is_empty()).unwrap_or(count);
    cutter.chat(first..count).is_some_and(|end| (end - first) * 4 >= (count - first) * 3)
}

struct Cutter<'a> {
    text: &'a str,
    /// Byte spans, each with its line break.
    lines: Vec<Range<usize>>,
    /// They concatenate to the lines read so far.
    blocks: Vec<Block>,
    /// Bytes that may still be read in vain for JSON values that turn out broken; keeps the whole linear.
    patience: usize,
    /// From how many ticks or tildes on no later line closes a fence.
    open_ended: (usize, usize),
}

/// What begins at a line: the line behind it, and its form.
type Found = (usize, Form);

impl<'a> Cutter<'a> {
    fn new(text: &'a str) -> Self {
        let mut at = 0;
        let lines = text
            .split_inclusive('\n')
            .map(|line| {
                at += line.len();
                at - line.len()..at
            })
            .collect();
        Self { text, lines, blocks: Vec::new(), patience: 4 * text.len(), open_ended: (usize::MAX, usize::MAX) }
    }

    fn line(&self, number: usize) -> &'a str {
        fuel::step(1);
        self.lines.get(number).and_then(|span| self.text.get(span.clone())).unwrap_or_default()
    }

    /// Decides on what begins at a line; the next line to look at. The surest forms are asked first; where none knows
    /// the line, runs of lines that look alike decide.
    fn step(&mut self, at: usize) -> usize {
        fuel::step(READERS_OF_A_LINE);
        let sure: [fn(&mut Self, usize) -> Option<Found>; 12] = [
            Self::fence,
            Self::diff,
            Self::session,
            Self::json,
            Self::printed,
            Self::entries,
            Self::numbered,
            Self::hits,
            Self::source,
            Self::csv,
            Self::columns,
            Self::tree,
        ];
        let (next, form) = sure.iter().find_map(|read| read(self, at)).unwrap_or_else(|| {
            let (next, form) = self.alike(at);
            (next, form.unwrap_or(Form::Prose))
        });
        let end = next.checked_sub(1).and_then(|last| self.lines.get(last)).map_or(self.text.len(), |line| line.end);
        self.push(end, form);
        next
    }

    fn alike(&self, at: usize) -> (usize, Option<Form>) {
        match lines::look(self.line(at)) {
            Look::Log | Look::Trace => self.log(at),
            Look::Row => self.run(at, Form::Table, 2, |look, _| look == Look::Row),
            Look::Place => self.run(at, Form::Listing, 4, |look, _| look == Look::Place),
            Look::Opaque => self.run(at, Form::Opaque, 1, |look, _| look == Look::Opaque),
            Look::Code | Look::Setting => self.code_or_settings(at),
            Look::Text => self.repeated(at),
            Look::Blank => (at + 1, None),
        }
    }

    /// Ends a block that begins where the last one ends.
    fn push(&mut self, end: usize, form: Form) {
        let start = self.blocks.last().map_or(0, |last| last.span.end);
        match self.blocks.last_mut() {
            Some(last) if last.form == Form::Prose && form == Form::Prose => last.span.end = end,
            _ if start == end => {}
            _ => self.blocks.push(Block { span: start..end, form }),
        }
    }

    fn finish(mut self) -> Vec<Block> {
        if self.blocks.is_empty() {
            self.blocks.push(Block { span: 0..self.text.len(), form: Form::Prose });
        }
        self.blocks
    }

    /// A fenced block with both its fences: what closes it is no shorter than what opens it (CommonMark, 4.5).
    fn fence(&mut self, at: usize) -> Option<Found> {
        let depth = segment::quoted(self.line(at)).0;
        if depth > 0 {
            return self.quoted_fence(at, depth);
        }
        let open = self.line(at).trim();
        let mark = open.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
        let length = open.len() - open.trim_start_matches(mark).len();
        let shortest = if mark == '`' { &mut self.open_ended.0 } else { &mut self.open_ended.1 };
        if length < 3 || length >= *shortest || (mark == '`' && open.get(length..)?.contains('`')) {
            return None;
        }
        let closes =
            |line: &str| line.len() >= length && line.trim_start_matches(mark).is_empty() && line.starts_with(mark);
        let line =
            |number: usize| self.lines.get(number).and_then(|span| self.text.get(span.clone())).unwrap_or_default();
        let Some(close) = (at + 1..self.lines.len()).find(|number| closes(line(*number).trim())) else {
            *shortest = length;
            return None;
        };
        Some((close + 1, Form::Code))
    }

    /// A fence inside a quotation: it ends with the quotation at the latest (CommonMark, 4.5).
    fn quoted_fence(&self, at: usize, depth: usize) -> Option<Found> {
        let bare = |number: usize| {
            let (own, marks) = segment::quoted(self.line(number));
            (own >= depth).then(|| self.line(number).get(marks..).unwrap_or_default().trim())
        };
        let open = bare(at)?;
        let mark = open.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
        let length = open.len() - open.trim_start_matches(mark).len();
        if length < 3 || (mark == '`' && open.get(length..)?.contains('`')) {
            return None;
        }
        let closes = |line: &str| line.len() >= length && line.trim_start_matches(mark).is_empty();
        let mut next = at + 1;
        while let Some(line) = (next < self.lines.len()).then(|| bare(next)).flatten() {
            next += 1;
            if closes(line) {
                break;
            }
        }
        Some((next, Form::Code))
    }

    /// Documents as a program prints its objects, with the brackets of their list: what stands in one is not said by its
    /// neighbour.
    fn printed(&mut self, at: usize) -> Option<Found> {
        let opens = usize::from(self.line(at).trim() == "[");
        let lines = self.from(at + opens).take_while(|line| line.contains(PRINTED_OBJECT)).count();
        let end = at + opens + lines;
        (lines > 0).then(|| (end + usize::from(self.line(end).trim() == "]"), Form::Listing))
    }

    /// Paragraphs of code from a paragraph's first line on, with what stands between them and is neither code nor text.
    fn source(&mut self, at: usize) -> Option<Found> {
        let blank = |number: usize| self.line(number).trim().is_empty();
        if blank(at) || (at > 0 && !blank(at - 1)) {
            return None;
        }
        let (mut next, mut end, mut open) = (at, at, 0);
        while next < self.lines.len() && open <= MOST_OPEN {
            let last = (next..self.lines.len()).find(|number| blank(*number)).unwrap_or(self.lines.len());
            if (next..last).any(|number| self.line(number).trim_start().starts_with("```")) {
                break;
            }
            match source::judge((next..last).map(|number| self.line(number))) {
                Verdict::Code => (end, open) = (last, 0),
                Verdict::Open if end > at || next == at => open += 1,
                _ => break,
            }
            next = (last..self.lines.len()).find(|number| !blank(*number)).unwrap_or(self.lines.len());
        }
        let lines = (at..end).filter(|number| !blank(*number)).count();
        // Blank lines behind the last paragraph belong to it.
        let next = (end..self.lines.len()).find(|number| !blank(*number)).unwrap_or(self.lines.len());
        (lines >= FEWEST_OF_SOURCE).then(|| (next, self.of_source(at..end)))
    }

    /// Settings are keyed, all else is code.
    fn of_source(&self, lines: Range<usize>) -> Form {
        let looks = || lines.clone().map(|number| lines::look(self.line(number)));
        let settings = looks().filter(|look| *look == Look::Setting).count();
        if settings * 2 > looks().filter(|look| *look != Look::Blank).count() { Form::Keyed } else { Form::Code }
    }

    fn diff(&mut self, at: usize) -> Option<Found> {
        Some((at + hunk::extent(self.from(at))?, Form::Diff))
    }

    fn session(&mut self, at: usize) -> Option<Found> {
        Some((segment::session(at, self.lines.len(), |number| self.line(number))? + 1, Form::Log))
    }

    /// A JSON value that begins on this line and ends at a line's end, or values on lines of their own.
    fn json(&mut self, at: usize) -> Option<Found> {
        let span = self.lines.get(at)?.clone();
        let line = self.line(at);
        let inside = line.find(['{', '['])?;
        let opening = line.get(inside..)?;
        let promising =
            line.trim_start().len() == opening.len() || opening.starts_with("{\"") || opening.starts_with("[{");
        if !promising || self.patience == 0 {
            return None;
        }
        let start = span.start + inside;
        let length = match json::value_length(self.text.get(start..)?) {
            Ok(length) => length,
            Err(read) => {
                self.patience = self.patience.saturating_sub(read);
                return None;
            }
        };
        let end = start + length;
        let last = self.lines.partition_point(|line| line.end < end);
        let closing = self.lines.get(last)?.clone();
        let alone = self.text.get(end..closing.end)?.trim().is_empty();
        // Objects on lines of their own are one table.
        let fills_line = last == at && alone && inside == line.len() - line.trim_start().len();
        if let Some(next) = fills_line.then(|| self.json_lines(at)).flatten() {
            return Some((next, Form::JsonLines));
        }
        if !alone || length < SHORTEST_JSON {
            return None;
        }
        self.push(start, Form::Prose);
        Some((last + 1, Form::Json))
    }

    /// At least two lines that are a JSON object each.
    fn json_lines(&self, at: usize) -> Option<usize> {
        let count = (at..self.lines.len())
            .take_while(|number| {
                let line = self.line(*number).trim();
                line.starts_with('{') && escape::is_json(line)
            })
            .count();
        (count >= 2).then_some(at + count)
    }

    /// A history, entry by entry.
    fn entries(&mut self, at: usize) -> Option<Found> {
        let count = entries::extent(self.from(at)).or_else(|| entries::one_line(self.from(at)));
        Some((at + count?, Form::Listing))
    }

    /// At least five lines that count up, as viewers show a file: code, whatever each line looks like.
    fn numbered(&mut self, at: usize) -> Option<Found> {
        let mut next = at;
        let mut wanted = number_in_front(self.line(at))?;
        while number_in_front(self.line(next)) == Some(wanted) {
            next += 1;
            wanted += 1;
        }
        (next - at >= 5).then_some((next, Form::Code))
    }

    /// A header of names and at least two lines with as many cells.
    fn csv(&mut self, at: usize) -> Option<Found> {
        let header = self.line(at);
        let mark = [',', ';'].into_iter().find(|mark| header.matches(*mark).count() >= 2)?;
        let cells = header.matches(mark).count();
        let named = header.split(mark).all(|cell| {
            let name = cell.trim().trim_matches('"');
            !name.is_empty()
                && name.len() <= 40
                && cell.trim_end() == cell.trim()
                && !cell.starts_with(' ')
                && !name.ends_with('.')
                && name.starts_with(|c: char| c.is_alphabetic() || c == '_')
                || (name.len() <= 40 && cell.ends_with('\n') && name.starts_with(char::is_alphabetic))
        });
        if !named {
            return None;
        }
        let rows = (at + 1..self.lines.len())
            .take_while(|number| {
                let line = self.line(*number);
                line.matches(mark).count() == cells || (line.contains('"') && unquoted(line, mark) == cells)
            })
            .count();
        (rows >= 2).then_some((at + 1 + rows, Form::Csv))
    }

    /// Search results; a compiler's messages, which name places too, are a log.
    fn hits(&mut self, at: usize) -> Option<Found> {
        if matches!(lines::look(self.line(at)), Look::Log | Look::Trace) {
            return None;
        }
        Some((at + hits::extent(self.from(at))?, Form::Hits))
    }

    /// Aligned columns, unless most of their lines are those of a log, of code or of cells between bars.
    fn columns(&mut self, at: usize) -> Option<Found> {
        let count = columns::extent(self.from(at))?;
        if listing::is_tree_of_names(&self.from(at).take(count.min(MOST_LOOKED_AT)).collect::<Vec<_>>()) {
            return None;
        }
        let of_another = |look: &Look| matches!(look, Look::Log | Look::Trace | Look::Row | Look::Code | Look::Opaque);
        let others = self.from(at).take(count.min(MOST_LOOKED_AT)).map(lines::look).filter(of_another).count();
        (others * 2 < count.min(MOST_LOOKED_AT)).then_some((at + count, Form::Columns))
    }

    fn tree(&mut self, at: usize) -> Option<Found> {
        Some((at + listing::extent(self.from(at))?, Form::Listing))
    }

    fn from(&self, at: usize) -> impl Iterator<Item = &'a str> + Clone {
        let rest = self.lines.get(at..).unwrap_or_default().iter().cloned();
        let text = self.text;
        rest.filter_map(move |span| {
            fuel::step(span.len());
            text.get(span)
        })
    }

    /// Like lines; a blank line inside is allowed where a like one follows.
    fn run(&self, at: usize, form: Form, least: usize, like: impl Fn(Look, &str) -> bool) -> (usize, Option<Form>) {
        let (mut next, mut count) = (at, 0);
        while next < self.lines.len() {
            if like(lines::look(self.line(next)), self.line(next)) {
                count += 1;
                next += 1;
            } else if form != Form::Table
                && self.line(next).trim().is_empty()
                && like(lines::look(self.line(next + 1)), self.line(next + 1))
            {
                next += 1;
            } else {
                break;
            }
        }
        (next.max(at + 1), (count >= least).then_some(form))
    }

    /// Log lines with what stands between them: traces, continued messages, blank lines.
    fn log(&self, at: usize) -> (usize, Option<Form>) {
        if let Some(next) = self.chat(at..self.lines.len()) {
            return (next, None);
        }
        let (mut next, mut count, mut traces, mut end) = (at, 0, 0, at + 1);
        while next < self.lines.len() && next < end + MOST_BETWEEN_LOG_LINES {
            let line = self.line(next);
            if line.trim_start().starts_with("```") {
                break;
            }
            match lines::look(line) {
                Look::Log => {
                    count += 1;
                    end = next + 1;
                }
                Look::Trace => {
                    traces += 1;
                    end = next + 1;
                }
                Look::Blank => {}
                _ if count > 0 && (lines::is_gutter(line) || points(line)) => {
                    traces += 1;
                    end = next + 1;
                }
                _ if end == next && line.starts_with([' ', '\t']) => end = next + 1,
                _ => {}
            }
            next += 1;
        }
        let members = count + traces;
        let is_log = members >= 3 && (members * 3 >= end - at || self.is_told(at..end));
        (end, is_log.then_some(Form::Log))
    }

    /// Stamped lines that people write to each other, `[21/05/2024, 18:02:11] Ana: Who drives?`: names come back, and some
    /// of what is said asks something or speaks of who says it, as programs do not.
    fn chat(&self, lines: Range<usize>) -> Option<usize> {
        let said = |number: usize| {
            let line = self.line(number).trim();
            let turn = segment::chatted(line).filter(|_| segment::after_label(line).len() < line.len());
            let turn = turn.or_else(|| Some((segment::named_at(line)?, self.line(number + 1).trim())));
            turn.filter(|(name, words)| !words.is_empty() && !name.contains(char::is_numeric))
        };
        // `[21.11.26, 06:58:12] Messages are end-to-end encrypted.`
        let opens = |at: &usize| said(*at).is_some();
        let at = lines.clone().take(1 + MOST_BEFORE_CHAT).find(opens)?;
        let (mut next, mut end, mut personal) = (at, at, 0);
        let mut names: HashMap<&str, usize> = HashMap::new();
        while next < lines.end && next < end + MOST_BETWEEN_LOG_LINES {
            if let Some((name, words)) = said(next) {
                *names.entry(name).or_default() += 1;
                personal += usize::from(is_personal(words));
                end = next + 1;
            } else if next == end && lines::look(self.line(next)) == Look::Log {
                break;
            }
            next += 1;
        }
        let turns: usize = names.values().sum();
        let people = names.len() >= 2 && names.len() * 2 <= turns && !names.keys().any(|name| lexicon::is_level(name));
        (people && personal * LEAST_PERSONAL >= turns).then_some(end)
    }

    /// Whether most lines belong to compilers' messages or traces, with the source that they quote.
    fn is_told(&self, lines: Range<usize>) -> bool {
        let lines: Vec<&str> = lines.map(|number| self.line(number).trim_end_matches(['\n', '\r'])).collect();
        let filled = lines.iter().filter(|line| !line.trim().is_empty()).count();
        let (told, whole) = output::told(&lines);
        whole && told * 3 >= filled * 2
    }

    fn code_or_settings(&self, at: usize) -> (usize, Option<Form>) {
        let (mut next, mut code, mut settings, mut sentences, mut nested, mut assigned) = (at, 0, 0, 0, 0, 0);
        let mut told = 0;
        // Under a `[section]` an assignment is a setting and no code.
        let in_section = self.line(at).starts_with('[') && self.line(at).trim_end().ends_with(']');
        let mut keys = HashSet::new();
        while next < self.lines.len() {
            let line = self.line(next);
            match lines::look(line) {
                Look::Code if in_section && lines::assigns(line) => assigned += 1,
                Look::Code => code += 1,
                Look::Setting => {
                    settings += 1;
                    nested += usize::from(line.starts_with(' '));
                    told += usize::from(is_told_of(line));
                    sentences += usize::from(line.trim_end().ends_with(['.', '?', '!']));
                    keys.insert(line.split([':', '=']).next().unwrap_or_default().trim());
                }
                Look::Blank | Look::Trace => {}
                // The head of a table, below the query that asked for it.
                Look::Row if lines::is_ruled(self.line(next + 1).trim_end()) => break,
                _ if next > at && line.starts_with(['\t', ' ']) => {}
                _ if line.starts_with('#') && line.starts_with("# ") && next > at => {}
                _ => break,
            }
            next += 1;
        }
        let lines = next - at;
        let form = if code == 0 && assigned > 0 && (assigned + settings) * 2 >= lines {
            Some(Form::Keyed)
        } else if code >= 3 && code * 3 >= lines {
            Some(Form::Code)
        } else if settings >= 4
            && settings * 2 >= lines
            // Names that return are those of speakers, unless what they stand under tells them apart.
            && (keys.len() * 4 >= settings * 3 || nested * 2 >= settings)
            && sentences * 4 < settings
            && told < settings
        {
            Some(Form::Keyed)
        } else {
            None
        };
        (next.max(at + 1), form)
    }

    /// Lines that all begin alike and end no sentence: progress reports, tables of a tool's own.
    fn repeated(&self, at: usize) -> (usize, Option<Form>) {
        let first = opening(self.line(at));
        if first.len() < 2 {
            return (at + 1, None);
        }
        let count = (at..self.lines.len())
            .take_while(|number| {
                let line = self.line(*number).trim_end();
                line.len() < 300 && !line.ends_with(['.', '?', '!', ',', ';']) && opening(line) == first
            })
            .count();
        let told = count >= 5 && self.chat(at..at + count).is_none();
        (at + count.max(1), told.then_some(Form::Log))
    }
}

/// Whether an item tells something of what it names, `- Arden: 5,911 votes, down from 6,405`: a setting has a value.
fn is_told_of(line: &str) -> bool {
    let value = line.trim_start().strip_prefix("- ").and_then(|item| item.split_once(": ")).map(|(_, value)| value);
    value.is_some_and(|value| {
        let plain = !value.starts_with(['"', '\'', '[', '{', '/', '$', '|', '>']);
        plain && value.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count() >= WORDS_TOLD
    })
}

/// Words of what is told of a name at least.
const WORDS_TOLD: usize = 3;

/// Whether what is said asks something, or is said of oneself or of whom it is said to.
fn is_personal(words: &str) -> bool {
    words.contains(['?', '？', '؟']) || is_own(&words.to_lowercase())
}

/// Lines of the program's own above a chat.
const MOST_BEFORE_CHAT: usize = 2;

/// Of so many turns of a chat one is personal at least.
const LEAST_PERSONAL: usize = 5;

/// A line's first two words, digits blanked; empty for bullets and numbered items.
fn opening(line: &str) -> String {
    let mut words = line.split_whitespace();
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let counts = first.trim_end_matches(['.', ')']).parse::<u32>().is_ok();
    if first.len() + second.len() > 60 || second.is_empty() || !first.contains(char::is_alphanumeric) || counts {
        return String::new();
    }
    format!("{first} {second}").chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).collect()
}

/// The number in `12:text`, `  12\ttext` and `12→text`.
fn number_in_front(line: &str) -> Option<u64> {
    let line = line.trim_start();
    let digits = line.find(|c: char| !c.is_ascii_digit())?;
    let after = line.get(digits..)?;
    if !after.starts_with([':', '\t', '→', '|']) && !after.starts_with(" |") {
        return None;
    }
    line.get(..digits)?.parse().ok()
}

/// Carets and tildes below a line of source.
fn points(line: &str) -> bool {
    let content = line.trim();
    !content.is_empty() && content.bytes().all(|byte| matches!(byte, b'~' | b'^'))
}

/// Separators outside of quotes.
fn unquoted(line: &str, mark: char) -> usize {
    let mut quoted = false;
    line.chars()
        .filter(|c| {
            quoted ^= *c == '"';
            *c == mark && !quoted
        })
        .count()
}

/// How Python shows a passage of LangChain's.
const PRINTED_OBJECT: &str = "page_content=";

/// So many readers look at a line before it is prose.
const READERS_OF_A_LINE: usize = 16;

/// Lines whose look tells whether columns are those of another form.
const MOST_LOOKED_AT: usize = 20;

/// Shorter values stay part of the prose around them.
const SHORTEST_JSON: usize = 160;

/// Lines of another form that a log may hold in a row: messages that go on, pretty-printed values.
const MOST_BETWEEN_LOG_LINES: usize = 12;

/// Lines of code that are code without a fence.
const FEWEST_OF_SOURCE: usize = 6;

/// Paragraphs between two of code that are neither.
const MOST_OPEN: usize = 2;
