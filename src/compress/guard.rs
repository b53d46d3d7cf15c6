//! The guard: decides whether a rewrite may stand for its source. Always on, deterministic, linear in the text.
//!
//! Similarity of embeddings can't see a lost "not" or a changed unit, so the atoms are compared one by one: each of the
//! source's must be in the rewrite, none may be new, names and numbers keep their order, negations and modal words the
//! statement that they turn. A rewrite must not say anything that reads as an instruction unless the source says exactly
//! that. When in doubt the rewrite is refused: the unit stays verbatim, which costs tokens and never facts.

mod enumeration;
mod hostile;
#[cfg(test)]
mod hostile_tests;
mod instruction;
mod plain;
mod reduction;
mod statements;
mod units;

use std::collections::HashSet;

pub(crate) use plain::plain;
pub(crate) use statements::same_stem;
pub use units::faults;

pub use crate::compress::outcome::{Fault, Violation};
pub(in crate::compress) use units::{LONGEST_STATEMENT, shorter};

use crate::compress::text::atoms::{AtomKind, Found, Scan, lex::Word};

/// Checks that `rewrite` says what `source` says.
///
/// # Errors
/// The first violation found; equal texts never fail.
pub fn check(source: &str, rewrite: &str) -> Result<(), Violation> {
    if source == rewrite {
        return Ok(());
    }
    hostile::check(source, rewrite)?;
    let (source, rewrite) = (plain(source), plain(rewrite));
    let (before, after) = (Scan::new(&source), Scan::new(&rewrite));
    if after.words.is_empty() && !before.words.is_empty() {
        return Err(Fault::Empty.whole());
    }
    hostile::no_loop(&before, &after)?;
    atoms(&before, &after)?;
    order(&before, &after)?;
    statements::check(&before, &after)?;
    enumeration::check(&before, &after)?;
    instruction::check(&before, &after)?;
    reduction::no_joins(&before, &after)
}

/// Every atom survives, none is new, none is more frequent than before.
fn atoms(before: &Scan<'_>, after: &Scan<'_>) -> Result<(), Violation> {
    let mut sides = Sides::default();
    for found in &before.found {
        sides.add(found, false);
    }
    for found in &after.found {
        sides.add(found, true);
    }
    sides.counts.sort_by(|a, b| (class(a.kind), &a.key).cmp(&(class(b.kind), &b.key)));
    for group in sides.counts.chunk_by(|a, b| class(a.kind) == class(b.kind) && a.key == b.key) {
        let Some(first) = group.first() else { continue };
        let old = group.iter().filter(|c| !c.new).count();
        let new = group.len() - old;
        let kind = first.kind;
        match rule(kind, first.key) {
            Rule::Exact if new < old => return Err(Fault::Lost.of(kind)),
            Rule::Present if new == 0 && !excused(group, before, after) => {
                return Err(Fault::Lost.of(kind));
            }
            Rule::Exact | Rule::Present | Rule::NoMore if new > old && !excused(group, before, after) => {
                return Err(Fault::Invented.of(kind));
            }
            _ => {}
        }
    }
    statements::directions(before, after)
}

/// How an atom's number of appearances may differ.
enum Rule {
    /// As often as in the source.
    Exact,
    /// At least once, at most as often.
    Present,
    /// At most as often.
    NoMore,
    /// Judged elsewhere.
    Free,
}

fn rule(kind: AtomKind, key: &str) -> Rule {
    use crate::compress::text::atoms::lexicon::light_modal;
    match kind {
        AtomKind::Negation | AtomKind::Item => Rule::Exact,
        AtomKind::Modal if light_modal(key) => Rule::NoMore,
        AtomKind::Modal => Rule::Exact,
        AtomKind::Comparative => Rule::Free,
        _ => Rule::Present,
    }
}

/// Kinds that compare with each other: an amount may lose its currency mark's place, not its value.
const fn class(kind: AtomKind) -> AtomKind {
    match kind {
        AtomKind::Currency | AtomKind::Percentage => AtomKind::Number,
        other => other,
    }
}

/// Capitals come and go with the start of a sentence, and quotations may lose their marks: what counts is whether the
/// other text has the words.
fn excused(group: &[Count<'_>], before: &Scan<'_>, after: &Scan<'_>) -> bool {
    let Some(first) = group.first() else {
        return true;
    };
    let old = group.iter().filter(|c| !c.new).count();
    let lost = group.len() == old;
    match first.kind {
        AtomKind::Name => {
            let times = |scan: &Scan<'_>| scan.words.iter().filter(|w| w.key == first.key).count();
            let (was, is) = (times(before), times(after));
            if lost {
                is > 0 || (group.iter().all(|c| c.weak) && kin(first.key, after))
            } else {
                is <= was || (group.iter().all(|c| c.weak) && kin(first.key, before))
            }
        }
        AtomKind::Quotation => {
            let side = if lost { after } else { before };
            let joined = side.words.iter().map(|w| w.key.as_ref()).collect::<Vec<_>>().join(" ");
            joined.contains(first.key)
        }
        _ => false,
    }
}

/// Whether the text has a word with the same beginning: `Destroying` for `destroyed`.
fn kin(key: &str, scan: &Scan<'_>) -> bool {
    scan.words.iter().any(|w| statements::same_stem(key, &w.key))
}

#[derive(Default)]
struct Sides<'a> {
    counts: Vec<Count<'a>>,
}

#[derive(Clone, Copy)]
struct Count<'a> {
    kind: AtomKind,
    key: &'a str,
    new: bool,
    weak: bool,
}

impl<'a> Sides<'a> {
    fn add(&mut self, found: &'a Found, new: bool) {
        self.counts.push(Count { kind: found.kind, key: &found.key, new, weak: found.weak });
    }
}

/// Names keep their order, and so do numbers: who did what to whom, and which figure is whose.
fn order(before: &Scan<'_>, after: &Scan<'_>) -> Result<(), Violation> {
    let numbers = |scan: &'_ Scan<'_>| -> Vec<String> {
        scan.found.iter().filter(|f| class(f.kind) == AtomKind::Number).map(|f| f.key.clone()).collect()
    };
    in_order(&numbers(before), &numbers(after), AtomKind::Number)?;
    // What one text shows to be a name is one at the start of the other's sentences too.
    let mut known: Vec<&str> = [before, after]
        .iter()
        .flat_map(|scan| scan.found.iter().filter(|f| f.kind == AtomKind::Name).map(|f| f.key.as_str()))
        .collect();
    known.sort_unstable();
    let names = |scan: &'_ Scan<'_>| -> Vec<String> {
        let named = |word: &&Word<'_>| word.capital() && known.binary_search(&word.key.as_ref()).is_ok();
        scan.words.iter().filter(named).map(|word| word.key.clone().into_owned()).collect()
    };
    in_order(&names(before), &names(after), AtomKind::Name)
}

/// What both have comes in the new text as in the old one.
fn in_order(old: &[String], new: &[String], kind: AtomKind) -> Result<(), Violation> {
    let held: HashSet<&String> = old.iter().collect();
    let mut rest = old.iter();
    let mut shared = new.iter().filter(|key| held.contains(key));
    if shared.all(|key| rest.any(|known| known == key)) { Ok(()) } else { Err(Fault::Changed.of(kind)) }
}

#[cfg(test)]
mod tests;
