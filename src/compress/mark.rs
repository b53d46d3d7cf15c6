//! What a gap looks like, and how units are put together again.
//!
//! The condensed text is a function of the account alone: kept units in their order, and one mark for each run of units
//! that is missing. So whoever puts a unit back (see [`reexpand`](super::reexpand())) gets right marks for free. A mark
//! says what is known: how many lines, rows or sentences were left out at this place. The first one also says that the
//! source is complete, since readers take a gap for damage otherwise; or, where the original can be read, by which name.
//! One name a text is enough, and cheaper than one a gap: what it names is the whole text, with its lines numbered. A text
//! that has no gap but lacks words or columns gives it too: in the mark of the columns, or behind the first unit that is
//! shorter.

use std::ops::Range;

use super::{
    fuel,
    original::{OriginalId, READ},
    outcome::{Condensation, Decision, Noun, Outcome, Reason, Unit, Why},
    text::{escape, segment::quoted},
    tokens::CountTokens,
    worth::weights::TIGHT,
};

/// The condensation that units amount to; the original where they are not shorter.
pub(super) fn settled(
    source: &str,
    units: Vec<Unit>,
    before: usize,
    tokens: &dyn CountTokens,
    original: Option<OriginalId>,
) -> Condensation {
    let (text, original) = assemble(source, &units, original);
    let after = tokens.count(&text);
    if after >= before || text.trim().is_empty() {
        return Condensation { units, ..Condensation::unchanged(Reason::NoGain, before) };
    }
    Condensation {
        outcome: Outcome::Compressed(text),
        tokens_before: before,
        tokens_after: after,
        units,
        choice: None,
        original,
        hurried: false,
    }
}

/// The text that units stand for, and the name of the original where a mark gives it.
pub(super) fn assemble(source: &str, units: &[Unit], original: Option<OriginalId>) -> (String, Option<OriginalId>) {
    let stands: usize = units.iter().filter_map(|unit| unit.text.as_ref()).map(String::len).sum();
    let mut writer = Writer {
        text: String::with_capacity(source.len() / 2),
        first: true,
        tight: stands < TIGHT,
        original,
        lacks: None,
    };
    for part in units.chunk_by(|one, next| one.escaped == next.escaped) {
        if part.first().is_some_and(|unit| unit.escaped > 0) && part.iter().any(|unit| unit.text.is_none()) {
            writer.write_string(source, part);
        } else {
            writer.write(source, part);
        }
    }
    writer.name_where_words_are_missing();
    let given = original.filter(|_| writer.original.is_none());
    (writer.text, given)
}

/// A text on its way.
struct Writer {
    text: String,
    /// Whether no gap was marked so far.
    first: bool,
    /// Whether little stands, so that marks count nothing.
    tight: bool,
    /// The name of the original, until a mark has given it.
    original: Option<OriginalId>,
    /// The first unit that stands with something missing in it, as far as a mark may stand there.
    lacks: Option<Lacks>,
}

/// Where in the text a unit stands that lacks something.
#[derive(Debug, Clone)]
enum Lacks {
    /// Words; a mark may stand behind it.
    Words(Range<usize>, Noun),
    /// Columns, which the mark that ends here tells.
    Columns(usize),
}

impl Writer {
    fn write(&mut self, source: &str, units: &[Unit]) {
        let mut at = 0;
        let mut lines = Lines { source, read: 0, number: 1 };
        while let Some(unit) = units.get(at) {
            fuel::step(unit.span.len());
            if let Some(stands) = &unit.text {
                if self.original.is_some() && self.lacks.is_none() {
                    self.lacks = lacks(source, unit, self.text.len());
                }
                self.text.push_str(stands);
                at += 1;
                continue;
            }
            let run = gap(units, at);
            at += run.len();
            let Some(mark) = self.mark(run, &mut lines) else {
                // A file's blank lines are no gap, and the lines below them keep their places.
                if let (Some(from), Some(to)) = (run.first(), run.last())
                    && is_line(from)
                {
                    self.text.push_str(source.get(from.span.start..to.span.end).unwrap_or_default());
                }
                continue;
            };
            put(&mut self.text, source, run, &mark);
        }
    }

    /// Where no gap has given the name of the original, a mark of what is missing within a unit gives it.
    fn name_where_words_are_missing(&mut self) {
        let (Some(id), Some(lacks)) = (self.original, self.lacks.take()) else { return };
        let (at, mark) = match lacks {
            Lacks::Columns(end) => (end, format!("; {READ} {id}")),
            Lacks::Words(span, noun) => {
                let stands = self.text.get(span.clone()).unwrap_or_default();
                let mark = format!("[… shortened; {READ} {id}]");
                match noun {
                    Noun::Sentences => (span.start + stands.trim_end().len(), format!(" {mark}")),
                    _ if stands.ends_with('\n') => (span.end, format!("{mark}\n")),
                    // Nothing may stand within a row or a value.
                    _ => return,
                }
            }
        };
        self.text.insert_str(at, &mark);
        self.original = None;
    }

    /// Writes a JSON string of which something is missing: what it says is put together first.
    fn write_string(&mut self, source: &str, units: &[Unit]) {
        let mut said = String::new();
        let within = units.iter().map(|unit| {
            let start = said.len();
            said.push_str(&unit.says(source.get(unit.span.clone()).unwrap_or_default()));
            let text = unit.text.as_deref().map(|text| unit.says(text).into_owned());
            Unit { span: start..said.len(), text, escaped: 0, ..unit.clone() }
        });
        let within: Vec<Unit> = within.collect();
        let mut writer = Self { text: String::new(), lacks: None, ..*self };
        writer.write(&said, &within);
        (self.first, self.original) = (writer.first, writer.original);
        self.text.push_str(&escape::written(&writer.text, units.first().map_or(0, |unit| unit.escaped)));
    }

    /// `[… 12 lines]`, `[… 2 rows, 1 sentence]`; nothing where only white space is missing.
    fn mark(&mut self, run: &[Unit], lines: &mut Lines<'_>) -> Option<String> {
        let mut counts: Vec<(Noun, bool, usize)> = Vec::new();
        for unit in run.iter().filter(|unit| unit.count > 0) {
            let kind = (unit.noun, unit.why == Why::Said);
            match counts.iter_mut().find(|(noun, said, _)| (*noun, *said) == kind) {
                Some((.., count)) => *count += unit.count,
                None => counts.push((kind.0, kind.1, unit.count)),
            }
        }
        let (noun, said, _) = *counts.first()?;
        let original = if run.iter().any(is_lost) { self.original.take() } else { None };
        let first = std::mem::replace(&mut self.first, false);
        let only = counts.len() == 1;
        if original.is_none() {
            // Whoever edits a file must know which lines are missing.
            let tight = self.tight && noun != Noun::FileLines && !said;
            let sentences = only && noun == Noun::Sentences && !said;
            if !first && (tight || sentences) {
                return Some("[…]".to_owned());
            }
            if tight && !sentences {
                return Some("[… source complete]".to_owned());
            }
        }
        let told = |(noun, said, count): &(Noun, bool, usize)| {
            let mut told = format!("{count} {}", noun.as_str(*count));
            if *noun == Noun::FileLines {
                let from = lines.number_at(run.first().map_or(0, |unit| unit.span.start));
                told += &if *count == 1 { format!(": {from}") } else { format!(": {from}–{}", from + count - 1) };
            }
            told += if *said { " said elsewhere" } else { "" };
            told
        };
        let told: Vec<String> = counts.iter().map(told).collect();
        let told = told.join(", ");
        Some(match (original, first, said && only) {
            (Some(id), ..) => format!("[… {told}; {READ} {id}]"),
            (None, true, true) => format!("[… {told} here]"),
            (None, true, false) => format!("[… {told}; source complete]"),
            (None, false, _) => format!("[… {told}]"),
        })
    }
}

/// What a unit lacks that stands, and will stand from `at` on. What stands in a JSON string has no room for a mark of ours.
fn lacks(source: &str, unit: &Unit, at: usize) -> Option<Lacks> {
    let stands = unit.text.as_deref().filter(|_| unit.decision == Decision::Rewritten && unit.escaped == 0)?;
    let marked = stands.rfind(COLUMNS).filter(|_| unit.why != Why::Seen);
    if let Some(mark) = marked.filter(|_| !source.get(unit.span.clone()).is_some_and(|from| from.contains(COLUMNS))) {
        let end = stands.get(mark..)?.find(']')?;
        return Some(Lacks::Columns(at + mark + end));
    }
    (unit.why == Why::Shorter).then(|| Lacks::Words(at..at + stands.len(), unit.noun))
}

/// How a mark of columns begins; the names in one have no bracket.
const COLUMNS: &str = " [… ";

/// The units left out from `at` on, which one mark stands for.
fn gap(units: &[Unit], at: usize) -> &[Unit] {
    let rest = units.get(at..).unwrap_or_default();
    let length = rest.iter().take_while(|unit| unit.text.is_none()).count();
    rest.get(..length).unwrap_or_default()
}

/// Whether units were left out that stand nowhere else in the text.
fn is_lost(unit: &Unit) -> bool {
    unit.text.is_none() && unit.count > 0 && unit.why != Why::Said
}

/// Whether a unit is a line of a text that is read line by line.
fn is_line(unit: &Unit) -> bool {
    matches!(unit.noun, Noun::Lines | Noun::FileLines)
}

/// Counts the lines of a source as far as it was read.
struct Lines<'a> {
    source: &'a str,
    read: usize,
    number: usize,
}

impl Lines<'_> {
    /// The number of the line that begins at `at`, which is asked for in order.
    fn number_at(&mut self, at: usize) -> usize {
        let part = self.source.get(self.read..at).unwrap_or_default();
        self.number += part.bytes().filter(|byte| *byte == b'\n').count();
        self.read = at;
        self.number
    }
}

/// Sets a mark in place of `run`: inside a paragraph of prose, on a line of its own anywhere else.
fn put(text: &mut String, source: &str, run: &[Unit], mark: &str) {
    let (Some(from), Some(to)) = (run.first(), run.last()) else { return };
    let gone = source.get(from.span.start..to.span.end).unwrap_or_default();
    let white = match gone.get(gone.trim_end().len()..).unwrap_or_default() {
        // Blank lines are among the lines that are counted.
        white if white.contains('\n') && from.noun == Noun::FileLines => "\n",
        white => match to.ends {
            Some(ends) => ends,
            // What comes next is of another paragraph than what stands before.
            None if is_inline(run) && !white.contains('\n') && gone.trim_end().contains("\n\n") => "\n\n",
            None if is_inline(run) => white,
            // Behind a mark on a line of its own no space is left of what is gone.
            None => white.get(white.find('\n').unwrap_or(white.len())..).unwrap_or_default(),
        },
    };
    let inline = is_inline(run);
    let begun = text.is_empty() || text.ends_with(char::is_whitespace);
    if !begun {
        text.push(if inline { ' ' } else { '\n' });
    } else if !inline && !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    // In a quotation the mark stands behind quote marks: what follows it on its line is quoted too.
    if inline && (text.is_empty() || text.ends_with('\n')) {
        text.push_str(quote_marks(source, from.span.start, to.span.end));
    }
    text.push_str(mark);
    text.push_str(white);
    // What comes next begins a line where the mark stands on one of its own.
    if !inline && !white.contains('\n') && to.span.end < source.len() {
        text.push('\n');
    } else if inline && white.is_empty() && to.span.end < source.len() {
        text.push(' ');
    }
}

/// Whether what is gone stood inside of lines.
fn is_inline(run: &[Unit]) -> bool {
    run.iter().all(|unit| matches!(unit.noun, Noun::Sentences | Noun::Values))
}

/// The quote marks of the line on which a gap ends.
fn quote_marks(source: &str, from: usize, to: usize) -> &str {
    let gone = source.get(from..to).unwrap_or_default().trim_end();
    let line = gone.get(gone.rfind('\n').map_or(0, |end| end + 1)..).unwrap_or_default();
    line.get(..quoted(line).1).filter(|marks| !marks.is_empty()).map_or("", |marks| {
        let end = line.len() - line.get(marks.len()..).unwrap_or_default().trim_start().len();
        line.get(..end).unwrap_or(marks)
    })
}

/// ` [… columns: id, updated_at]` behind a head that lacks them, where their names are `listed`.
pub(super) fn columns(names: &[&str], listed: bool) -> String {
    if listed { format!(" [… columns: {}]", names.join(", ")) } else { format!(" [… {} columns]", names.len()) }
}

/// `×12`: what stands before occurred so often.
pub(super) fn times(count: usize) -> String {
    format!("×{count}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::{Decision, Form, Redundancy};

    fn units(source: &str, noun: Noun, kept: &[bool]) -> Vec<Unit> {
        let mut at = 0;
        let parts = source.split_inclusive(if noun == Noun::Sentences { ". " } else { "\n" });
        parts
            .zip(kept)
            .map(|(part, kept)| {
                at += part.len();
                Unit {
                    span: at - part.len()..at,
                    form: Form::Prose,
                    score: None,
                    redundancy: Redundancy::default(),
                    decision: if *kept { Decision::Kept } else { Decision::Dropped },
                    why: Why::Outweighed,
                    text: kept.then(|| part.to_owned()),
                    noun,
                    count: 1,
                    ends: None,
                    escaped: 0,
                }
            })
            .collect()
    }

    #[test]
    fn with_every_unit_the_text_is_the_source() {
        let source = "One. Two. Three. ";
        assert_eq!(assemble(source, &units(source, Noun::Sentences, &[true; 3]), None).0, source);
    }

    #[test]
    fn each_gap_is_marked_where_it_is_and_the_first_says_that_the_source_is_complete() {
        let long = "a".repeat(TIGHT);
        let source = format!("{long}\nb\nc\nd\ne\n");
        let text = assemble(&source, &units(&source, Noun::Lines, &[true, false, false, true, false]), None).0;
        assert_eq!(text, format!("{long}\n[… 2 lines; source complete]\nd\n[… 1 line]\n"));
    }

    #[test]
    fn one_mark_stands_for_all_that_is_missing_at_a_place() {
        let source = format!("{}\nb\nc\nd\n", "a".repeat(TIGHT));
        let mut units = units(&source, Noun::Lines, &[true, false, false, false]);
        units[2].noun = Noun::Rows;
        assert!(assemble(&source, &units, None).0.ends_with("\n[… 2 lines, 1 row; source complete]\n"));
    }

    #[test]
    fn the_first_gap_names_the_original_once_and_what_is_said_elsewhere_needs_none() {
        let id = Some(OriginalId::new(7));
        let source = format!("{}\nb\nc\nd\ne\nf\n", "a".repeat(TIGHT));
        let mut units = units(&source, Noun::Lines, &[true, false, true, false, true, false]);
        let (text, named) = assemble(&source, &units, id);
        assert!(
            text.ends_with("\n[… 1 line; headroom_read r000000000000000007]\nc\n[… 1 line]\ne\n[… 1 line]\n"),
            "{text}"
        );
        assert_eq!(named, id);
        units[1].why = Why::Said;
        let (text, named) = assemble(&source, &units, id);
        assert!(
            text.contains("\n[… 1 line said elsewhere here]\nc\n[… 1 line; headroom_read r000000000000000007]\ne\n"),
            "{text}"
        );
        assert_eq!(named, id);
        units.iter_mut().for_each(|unit| unit.why = Why::Said);
        assert_eq!(assemble(&source, &units, id).1, None);
    }

    fn shorter(unit: &mut Unit, text: &str) {
        (unit.decision, unit.why, unit.text) = (Decision::Rewritten, Why::Shorter, Some(text.to_owned()));
    }

    #[test]
    fn a_text_that_only_lacks_words_or_columns_names_its_original_where_that_may_stand() {
        let id = Some(OriginalId::new(7));
        let source = "One, as ever. Two, as ever. Three. ";
        let mut units = units(source, Noun::Sentences, &[true; 3]);
        assert_eq!(assemble(source, &units, id), (source.to_owned(), None), "nothing is missing");
        shorter(&mut units[0], "One. ");
        shorter(&mut units[1], "Two. ");
        let told = "One. [… shortened; headroom_read r000000000000000007] Two. Three. ";
        assert_eq!(assemble(source, &units, id), (told.to_owned(), id));
        assert_eq!(assemble(source, &units, None).0, "One. Two. Three. ", "nothing is told while there is no way back");
        units[2].text = None;
        let told = "One. Two. [… 1 sentence; headroom_read r000000000000000007]";
        assert_eq!(assemble(source, &units, id).0.trim_end(), told);
        units.iter_mut().for_each(|unit| unit.escaped = 1);
        units[2].text = Some("Three. ".to_owned());
        assert_eq!(assemble(source, &units, id).1, None, "a JSON string stays one");
    }

    #[test]
    fn columns_that_are_missing_name_the_original_in_their_mark() {
        let id = Some(OriginalId::new(7));
        let source = "| id | name | total |\n|---|---|---|\n| 1 | a | 2 |\n";
        let mut units = units(source, Noun::Rows, &[true; 3]);
        shorter(&mut units[0], "| name | [… columns: id, total]\n");
        shorter(&mut units[2], "| a |\n");
        let (text, named) = assemble(source, &units, id);
        assert!(
            text.starts_with("| name | [… columns: id, total; headroom_read r000000000000000007]\n|---|"),
            "{text}"
        );
        assert_eq!(named, id);
    }

    #[test]
    fn of_a_few_lines_marks_take_up_little() {
        let source = "a\nb\nc\nd\ne\n";
        let text = assemble(source, &units(source, Noun::Lines, &[true, false, false, true, false]), None).0;
        assert_eq!(text, "a\n[… source complete]\nd\n[…]\n");
        let source = "One. Two. Three. Four. ";
        let text = assemble(source, &units(source, Noun::Sentences, &[false, true, false, true]), None).0;
        assert_eq!(text, "[… 1 sentence; source complete] Two. […] Four. ");
    }
}
