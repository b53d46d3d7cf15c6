//! Negations and modal words stay at their statement; opposites are not exchanged.

use std::cmp::Ordering;

use super::{Fault, Violation};
use crate::compress::text::atoms::{
    AtomKind, Scan,
    lex::{Border, Word},
    lexicon::{direction, light},
};

/// Each negation and modal word of the rewrite stands before the same statement as in the source, and no word turned
/// into its opposite by a prefix.
pub(super) fn check(before: &Scan<'_>, after: &Scan<'_>) -> Result<(), Violation> {
    for kind in [AtomKind::Negation, AtomKind::Modal] {
        let old = attached(before, kind);
        let mut used = vec![false; old.len()];
        for (key, at) in attached(after, kind) {
            let place = old.iter().enumerate().position(|(i, (k, from))| {
                !used.get(i).copied().unwrap_or(true) && *k == key && same_statement(before, *from, after, at)
            });
            match place.and_then(|i| used.get_mut(i)) {
                Some(slot) => *slot = true,
                None => return Err(Fault::Changed.of(kind)),
            }
        }
    }
    prefixes(before, after)
}

/// Negations or modal words by key, with the index of the word behind each.
fn attached<'s>(scan: &'s Scan<'_>, kind: AtomKind) -> Vec<(&'s str, usize)> {
    scan.found.iter().filter(|f| f.kind == kind).map(|f| (f.key.as_str(), f.words.end)).collect()
}

/// Whether the first word of weight behind one place is among the first three behind the other, either way round.
fn same_statement(before: &Scan<'_>, from: usize, after: &Scan<'_>, at: usize) -> bool {
    let old = behind(before, from);
    let new = behind(after, at);
    match (old.first(), new.first()) {
        (None, None) => true,
        (Some(a), Some(b)) => {
            new.iter().any(|w| same_stem(&a.key, &w.key)) || old.iter().any(|w| same_stem(&b.key, &w.key))
        }
        _ => false,
    }
}

/// The first words of weight behind a place, within its sentence, at most three.
fn behind<'s, 't>(scan: &'s Scan<'t>, from: usize) -> Vec<&'s Word<'t>> {
    let rest = scan.words.get(from..).unwrap_or_default();
    rest.iter().take_while(|w| w.border < Border::Sentence).take(12).filter(|w| !light(&w.key)).take(3).collect()
}

/// Equal, or equal but for an ending of at most four letters on four letters or more.
pub(crate) fn same_stem(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let shared = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    shared >= 4 && a.len() - shared <= 4 && b.len() - shared <= 4
        || (shared >= 3 && a.len() - shared <= 2 && b.len() - shared <= 2)
}

/// `able` against `unable`: a word of the one text is a word of the other with a prefix that turns it round.
fn prefixes(before: &Scan<'_>, after: &Scan<'_>) -> Result<(), Violation> {
    let (old, new) = (sorted(before), sorted(after));
    let has = |words: &[&str], key: &str| words.binary_search(&key).is_ok();
    for (mine, other) in [(&new, &old), (&old, &new)] {
        for word in mine.iter().filter(|w| w.len() > 5 && !has(other, w)) {
            let bare =
                TURNING.iter().filter_map(|p| word.strip_prefix(p)).find(|bare| bare.len() > 3 && has(other, bare));
            if bare.is_some_and(|bare| !has(mine, bare)) {
                return Err(Fault::Changed.of(AtomKind::Negation));
            }
        }
    }
    Ok(())
}

fn sorted<'s>(scan: &'s Scan<'_>) -> Vec<&'s str> {
    let mut words: Vec<&str> = scan.words.iter().map(|w| w.key.as_ref()).collect();
    words.sort_unstable();
    words.dedup();
    words
}

const TURNING: &[&str] = &["un", "in", "im", "il", "ir", "dis", "non-", "non", "mis", "anti-", "counter"];

/// Words of direction: strong ones survive, and none is exchanged for its opposite.
pub(super) fn directions(before: &Scan<'_>, after: &Scan<'_>) -> Result<(), Violation> {
    let mut all = Vec::new();
    for (scan, new) in [(before, false), (after, true)] {
        let words = scan.found.iter().filter(|f| f.kind == AtomKind::Comparative);
        all.extend(words.filter_map(|f| direction(&f.key)).map(|d| (d.measure, d.strong, d.up, new)));
    }
    all.sort_unstable();
    for measure in all.chunk_by(|a, b| a.0 == b.0) {
        let count = |up: bool, new: bool| measure.iter().filter(|(_, _, u, n)| (*u, *n) == (up, new)).count();
        let (up, down) = (count(true, true).cmp(&count(true, false)), count(false, true).cmp(&count(false, false)));
        let strong = measure.first().is_some_and(|m| m.1);
        match (up, down) {
            (Ordering::Greater, Ordering::Less) | (Ordering::Less, Ordering::Greater) => {
                return Err(Fault::Changed.of(AtomKind::Comparative));
            }
            (Ordering::Greater, _) | (_, Ordering::Greater) if strong => {
                return Err(Fault::Invented.of(AtomKind::Comparative));
            }
            (Ordering::Less, _) | (_, Ordering::Less) if strong => return Err(Fault::Lost.of(AtomKind::Comparative)),
            _ => {}
        }
    }
    Ok(())
}
