//! Prose: whole statements, chosen; a statement never stands in fragments.
//!
//! Lines are joined to runs (a paragraph, an item of a list, a turn), runs cut into sentences. What limits or owns a
//! statement (headings, speakers, ids, the line above a list) is an item too, and the statement needs it; so does a
//! sentence that opens with a pronoun or a connective need the one before it, and a rule and its exception stand
//! together.

mod bonds;
mod parallel;
mod references;
mod scope;

use std::ops::Range;

use super::{
    Block, Item, Reading,
    thread::{self, Label, Role},
};
use crate::compress::{
    bond::Bond,
    outcome::Noun,
    text::{
        segment::{self, Line, goes_on, is_item},
        sentence,
    },
    worth::weights,
};
use bonds::{Statement, is_name};
use scope::Scope;

pub(super) use scope::Heads;

/// Reads a block into its statements.
pub(super) fn read<'a>(text: &'a str, block: &Block) -> Reading<'a> {
    read_below(text, block, &mut Heads::default(), 0)
}

/// Reads a block below what holds where it begins; its first item is number `by` of the page.
pub(super) fn read_below<'a>(text: &'a str, block: &Block, heads: &mut Heads, by: usize) -> Reading<'a> {
    let part = text.get(block.span.clone()).unwrap_or_default();
    let lines = segment::lines(part);
    if lines.is_empty() {
        let mut blank = Item::whole(block.span.clone(), part, block.form, Noun::Sentences);
        blank.count = 0;
        return Reading { items: vec![blank], ..Reading::default() };
    }
    let mut page = Writer {
        text: part,
        block,
        reading: Reading::default(),
        scope: Scope::new(heads),
        statements: Vec::new(),
        paragraph: 0,
        run: 0,
        widths: widths(&lines),
        more: text.get(block.span.end..).is_some_and(|rest| !rest.trim().is_empty()),
        comment: false,
        mails: false,
        terms: Vec::new(),
    };
    let labels = thread::labels(&lines);
    page.mails = labels.iter().flatten().any(|label| label.role == Role::Head && !label.name.starts_with("commit "));
    let (blank_turns, turns) = lines.iter().zip(&labels).fold((0, 0), |(blank, all), (line, label)| {
        let turn = label.as_ref().is_some_and(|label| label.role == Role::Speaker && label.lines == 0);
        (blank + usize::from(turn && line.after_blank), all + usize::from(turn))
    });
    let closed_turns = blank_turns * 2 < turns;
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        // `*** 7. row ***` begins a record as a blank line does.
        if line.after_blank || thread::is_ruled(line.text) {
            page.paragraph += 1;
            page.scope.paragraph(closed_turns);
        }
        page.scope.depth(line.depth);
        at = page.step(&lines, &labels, at);
    }
    page.finish(heads, by)
}

struct Writer<'a, 'b> {
    text: &'a str,
    block: &'b Block,
    reading: Reading<'a>,
    scope: Scope,
    statements: Vec<Statement<'a>>,
    paragraph: usize,
    run: usize,
    /// Of the paragraph that each line stands in, in characters.
    widths: Vec<usize>,
    /// Whether another block follows.
    more: bool,
    /// Whether a comment of code is open, `/*`.
    comment: bool,
    /// Whether there are mails in it.
    mails: bool,
    /// The lines with deeper ones below them in which the current one stands, outermost first: how deep each is and its
    /// first item.
    terms: Vec<(usize, usize)>,
}

impl<'a> Writer<'a, '_> {
    /// Reads what begins at a line; the next line to look at.
    fn step(&mut self, lines: &[Line<'a>], labels: &[Option<Label<'a>>], at: usize) -> usize {
        let Some(line) = lines.get(at) else { return at + 1 };
        self.comment = (self.comment || line.text.starts_with("/*")) && !line.text.ends_with("*/");
        let label = labels.get(at).and_then(Option::as_ref);
        if let Some(label) = label.filter(|label| label.lines > 0) {
            let next = (at + label.lines).min(lines.len());
            let span = line.span.start..lines.get(next - 1).map_or(line.span.end, |last| last.span.end);
            self.label(span, label, lines.get(next).map_or(0, |next| next.depth), line);
            return next;
        }
        if label.is_none() && is_rule(line.text) {
            self.item(line.span.clone(), 0);
            return at + 1;
        }
        let heading = if label.is_some() { None } else { scope::heading(lines, at, self.width(at), self.more) };
        if let Some((level, taken)) = heading {
            let next = (at + taken).min(lines.len());
            let span = line.span.start..lines.get(next - 1).map_or(line.span.end, |last| last.span.end);
            let first = self.reading.items.is_empty() && self.scope.is_empty();
            let item = self.item(span, 1);
            let level = if first { level.title() } else { level };
            self.scope.heading(level, item, line, &mut self.reading.bonds);
            self.salience(item, weights::LABEL);
            return next;
        }
        self.run(lines, labels, at)
    }

    fn width(&self, line: usize) -> usize {
        self.widths.get(line).copied().unwrap_or(0)
    }

    /// A label on lines of its own.
    fn label(&mut self, span: Range<usize>, label: &Label<'a>, next_depth: usize, line: &Line<'a>) {
        if label.role == Role::Tail {
            let item = self.item(span, 1);
            self.salience(item, weights::LABEL);
            let paragraph = self.statements.iter().rev().take_while(|one| one.paragraph == self.paragraph);
            self.reading.bonds.extend(paragraph.map(|one| Bond::Needs { item: one.item, of: item }));
            return;
        }
        if label.role == Role::Record {
            self.statement(span, line, false, None);
            return;
        }
        let item = self.item(span, usize::from(label.role != Role::Close));
        if label.role == Role::Close {
            self.scope.close(label.name, item, &mut self.reading.bonds);
            return;
        }
        self.salience(item, weights::LABEL);
        let depth = match label.role {
            Role::Quote => next_depth,
            // `>>> K-17/1` stands over what is not quoted.
            Role::Chunk => line.depth.min(next_depth),
            _ => line.depth,
        };
        self.scope.open(label, item, depth, &mut self.reading.bonds);
    }

    /// Lines that go on in each other, cut into statements.
    fn run(&mut self, lines: &[Line<'a>], labels: &[Option<Label<'a>>], at: usize) -> usize {
        let Some(first) = lines.get(at) else { return at + 1 };
        self.run += 1;
        let listed = is_item(first.text);
        let width = self.width(at);
        let mut next = at + 1;
        while let (Some(before), Some(line)) = (lines.get(next - 1), lines.get(next)) {
            let joins = !line.after_blank
                && line.depth == first.depth
                && labels.get(next).is_some_and(Option::is_none)
                && !is_item(line.text)
                && !is_rule(line.text)
                && (before.indent <= first.indent || line.indent > first.indent)
                && !defines_option(line, lines.get(next + 1))
                && goes_on(before.text, line.text, width);
            if !joins {
                break;
            }
            next += 1;
        }
        let end = lines.get(next - 1).map_or(first.span.end, |last| last.span.end);
        if listed {
            self.scope.listed(scope::style(first));
        } else if first.after_blank {
            self.scope.unlisted();
        }
        let start = first.span.start;
        let label = labels.get(at).and_then(Option::as_ref);
        let inside = |from: usize| self.text.get(from..end).unwrap_or_default();
        let mut sentences: Vec<Range<usize>> = match label {
            Some(label) => {
                let from = first.start + label.prefix;
                sentence::split(inside(from)).into_iter().map(|span| span.start + from..span.end + from).collect()
            }
            None => {
                sentence::split(inside(start)).into_iter().map(|span| span.start + start..span.end + start).collect()
            }
        };
        let closing =
            label.filter(|label| label.role == Role::Open).and_then(|label| self.closing(label.name, start..end));
        if let (Some(closing), Some(last)) = (closing, sentences.last_mut()) {
            last.end = closing.max(last.start);
            sentences.retain(|span| !span.is_empty());
        }
        if let Some(label) = label {
            let owns_more =
                lines.get(next).is_some() && labels.get(next).is_some_and(Option::is_none) && label.role != Role::Lead;
            let only = sentences.len() == 1 && !owns_more;
            let short =
                sentences.first().is_some_and(|span| only || span.len() <= SHORT_STATEMENT) && closing.is_none();
            if short {
                // A short statement and its label are one: `Anna: No.`
                let said = sentences.remove(0);
                self.scope.make_room(label, first.depth);
                let item = self.statement(start..said.end, first, false, Some(said.start));
                self.scope.open(label, item, first.depth, &mut self.reading.bonds);
            } else {
                let from = first.start + label.prefix;
                let item = self.item(start..from, 0);
                self.salience(item, weights::LABEL);
                self.scope.open(label, item, first.depth, &mut self.reading.bonds);
            }
        }
        let fresh = label.is_some();
        let alone = first.after_blank && lines.get(next).is_none_or(|line| line.after_blank);
        if self.mails && alone && !fresh && is_courtesy(self.text.get(start..end).unwrap_or_default()) {
            let item = self.item(start..end, 0);
            self.salience(item, weights::LABEL);
            self.needs_scope(item);
            return next;
        }
        let hangs = lines.get(at + 1).is_some_and(|below| !below.after_blank && below.indent >= first.indent + HANGS);
        self.terms.retain(|(indent, _)| *indent < first.indent);
        let begins = self.statements.len();
        self.said(sentences, first, listed, fresh);
        self.hang(begins, first, hangs);
        if let (Some(closing), Some(label)) = (closing, label) {
            let item = self.item(closing..end, 0);
            self.scope.close(label.name, item, &mut self.reading.bonds);
        }
        self.introduces(lines, next, first);
        next
    }

    /// The sentences of a run; `fresh` where the first is said behind a label.
    fn said(&mut self, sentences: Vec<Range<usize>>, first: &Line<'a>, listed: bool, fresh: bool) {
        let several = sentences.len() > 1;
        for (number, span) in sentences.into_iter().enumerate() {
            let opens = (fresh && number == 0).then_some(span.start);
            let text = self.text.get(span.clone()).unwrap_or_default();
            let named = several && number == 0 && !fresh && is_name(text.trim());
            let item = self.statement(span, first, listed && number > 0, opens);
            if named {
                self.salience(item, weights::LABEL);
            }
        }
    }

    /// Statements below a shallower line, `  --seed N   seed of the order. Has no effect alone.`, are said of what it names.
    fn hang(&mut self, begins: usize, first: &Line<'_>, hangs: bool) {
        let Some(opens) = self.statements.get(begins).map(|statement| statement.item) else { return };
        let below = self.terms.last().map(|(_, term)| *term);
        for (at, statement) in self.statements.iter().skip(begins).enumerate() {
            let of = if at > 0 && hangs { Some(opens) } else { below };
            self.reading.bonds.extend(of.map(|of| Bond::Needs { item: statement.item, of }));
        }
        if hangs {
            self.terms.push((first.indent, opens));
        }
    }

    /// Where the closing tag at the end of a run begins.
    fn closing(&self, name: &str, span: Range<usize>) -> Option<usize> {
        let inside = self.text.get(span.clone())?;
        let at = inside.trim_end().strip_suffix('>')?.strip_suffix(name)?.strip_suffix("</")?.len();
        Some(span.start + at)
    }

    /// A statement; `goes_on` where it goes on with an item of a list. Where it opens what its label says, what is said
    /// begins at `opens`.
    fn statement(&mut self, span: Range<usize>, line: &Line<'a>, goes_on: bool, opens: Option<usize>) -> usize {
        let said = self.text.get(opens.unwrap_or(span.start)..span.end).unwrap_or_default();
        let stands = self.text.get(span.clone()).unwrap_or_default();
        let item = self.item(span, usize::from(stands.contains(char::is_alphanumeric)));
        self.needs_scope(item);
        let statement = Statement {
            item,
            text: said.trim(),
            paragraph: self.paragraph,
            depth: line.depth,
            section: self.scope.section(),
            owner: self.scope.owner(),
            goes_on,
            opens: opens.is_some(),
            field: opens.and_then(|_| line.text.split_once(':')).map(|(field, _)| field),
            run: self.run,
            note: (opens.is_some() && line.text.starts_with("[^"))
                .then(|| line.text.get(..=line.text.find(']')?))
                .flatten(),
            listed: is_item(line.text),
            comment: self.comment,
        };
        self.statements.push(statement);
        item
    }

    /// A line that ends in a colon is needed by what it introduces, and so is one without a stop above a list.
    fn introduces(&mut self, lines: &[Line<'a>], next: usize, first: &Line<'a>) {
        let (Some(last), Some(below)) = (self.statements.last(), lines.get(next)) else { return };
        let list = is_item(below.text);
        let own = is_item(first.text).then(|| scope::style(first));
        let under = scope::style(below);
        let nested = list && own.is_some_and(|own| own != under) && !self.scope.holds(under);
        let open = last.text.trim_end_matches(['*', '_']).ends_with([':', '：'])
            || (list && (!last.listed || nested) && !sentence::ends(last.text));
        if open {
            let item = last.item;
            self.scope.intro(item, first.depth, list || !below.after_blank, own);
            // `Do not take it if` says something else by itself.
            self.salience(item, weights::LABEL);
        }
    }

    fn item(&mut self, span: Range<usize>, count: usize) -> usize {
        let by = self.block.span.start;
        let stands = self.text.get(span.clone()).unwrap_or_default();
        let mut item = Item::whole(span.start + by..span.end + by, stands, self.block.form, Noun::Sentences);
        item.count = count;
        item.owner = self.scope.owner();
        self.reading.items.push(item);
        self.reading.items.len() - 1
    }

    fn salience(&mut self, item: usize, salience: f32) {
        if let Some(item) = self.reading.items.get_mut(item) {
            item.salience = salience;
        }
    }

    fn needs_scope(&mut self, item: usize) {
        self.scope.needed_by(item, &mut self.reading.bonds);
    }

    /// A heading with nothing below it is a statement like any other.
    fn own_nothing(&mut self) {
        let mut owns = vec![false; self.reading.items.len()];
        for bond in &self.reading.bonds {
            if let Bond::Needs { of, .. } = bond
                && let Some(place) = owns.get_mut(*of)
            {
                *place = true;
            }
        }
        let last = self.reading.items.len() - 1;
        for (at, (item, owns)) in self.reading.items.iter_mut().zip(owns).enumerate() {
            if owns || item.count == 0 || item.salience > 0.0 {
                continue;
            }
            item.salience = 1.0;
            // What it owns stands below this block, where another form or the frame begins.
            item.fixed = at == last;
        }
    }

    fn finish(mut self, heads: &mut Heads, by: usize) -> Reading<'a> {
        bonds::bind(&self.statements, &mut self.reading.bonds);
        references::bind(&self.statements, &mut self.reading.bonds);
        parallel::bind(&self.statements, &mut self.reading.bonds);
        self.own_nothing();
        for (item, of) in bonds::said(&self.statements) {
            if let Some(item) = self.reading.items.get_mut(item) {
                item.said = Some(of);
            }
        }
        self.scope.hand_on(heads, by);
        self.reading
    }
}

/// Characters by which a line is deeper than the one that names what it tells of.
const HANGS: usize = 2;

/// Bytes of a statement that stands as one with the label in front of it.
const SHORT_STATEMENT: usize = 24;

/// A greeting or the name below a letter: `Dear Ann,`, `Ilse`. Nobody asks for it, though it names whom a question names.
fn is_courtesy(text: &str) -> bool {
    let words = text.split_whitespace().count();
    let marks = ['.', '?', '!', ':', '。', '？', '！', '：'];
    words <= 4 && !text.contains(|c: char| c.is_ascii_digit() || marks.contains(&c))
}

/// Whether a line begins with an option of a command and, in a column of its own or deeper below it, what that does.
fn defines_option(line: &Line<'_>, below: Option<&Line<'_>>) -> bool {
    let named = |rest: &str| rest.trim_start_matches('-').starts_with(char::is_alphanumeric);
    let told = || line.text.contains("  ") || below.is_some_and(|below| below.indent >= line.indent + HANGS);
    line.text.strip_prefix('-').is_some_and(named) && told()
}

/// A line of dashes and the like.
fn is_rule(text: &str) -> bool {
    text.len() >= 2
        && !text.contains(char::is_alphanumeric)
        && text.chars().all(|c| c.is_ascii_punctuation() || "—–…─═•·".contains(c))
}

/// For each line the width of the widest line of its paragraph; 0 in a long list of short lines, where none goes on.
fn widths(lines: &[Line<'_>]) -> Vec<usize> {
    let mut widths = Vec::with_capacity(lines.len());
    while let Some(rest) = lines.get(widths.len()..).filter(|rest| !rest.is_empty()) {
        let length = 1 + rest.iter().skip(1).take_while(|line| !line.after_blank).count();
        let paragraph = rest.get(..length).unwrap_or_default();
        let width = paragraph.iter().map(|line| line.text.chars().count()).max().unwrap_or(0);
        let ended = paragraph.iter().filter(|line| sentence::ends(line.text)).count();
        let list = length > LONGEST_VERSE && ended * 10 < length;
        widths.resize(widths.len() + length, if list { 0 } else { width });
    }
    widths
}

/// Lines that are read as one sentence over many lines at most, as in verse; more of them without a stop are a list.
const LONGEST_VERSE: usize = 40;

#[cfg(test)]
mod tests;
