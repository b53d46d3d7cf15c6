//! The last look at a condensed text: units whose shorter form may not stand.

use std::ops::Range;

use super::{Allow, Fault, Violation, hostile, instruction, reduction};
use crate::compress::{
    Condensation, Decision,
    atoms::{
        AtomKind, Scan,
        lex::{Border, Word},
        lexicon,
    },
    reexpand::places,
};

/// The rewritten units that may not stand as they do, each with the reason; in order, each once.
///
/// What was left out of a unit was left out on purpose, so lost atoms are no fault here. A statement torn apart, a unit
/// with hidden characters, and an instruction that the source doesn't give are, and the latter also where it arises from
/// fragments of several units side by side.
#[must_use]
pub fn faults(source: &str, condensation: &Condensation) -> Vec<(usize, Violation)> {
    let Some(condensed) = condensation.text() else { return Vec::new() };
    let units = &condensation.units;
    let mut found: Vec<(usize, Violation)> = units
        .iter()
        .enumerate()
        .filter(|(_, unit)| unit.decision == Decision::Rewritten && PROSE.contains(&unit.kind))
        .filter_map(|(at, unit)| {
            let (before, after) = (source.get(unit.span.clone())?, unit.text.as_deref()?);
            shorter(before, after).err().map(|violation| (at, violation))
        })
        .collect();
    if let Some(places) = places(condensed, units) {
        for order in orders(source, condensed) {
            let inside = |place: &Range<usize>| place.start < order.end && order.start < place.end;
            let touched: Vec<usize> =
                places.iter().enumerate().filter(|(_, place)| inside(place)).map(|(at, _)| at).collect();
            // One that lies within a unit was looked at above.
            if touched.len() > 1 {
                let rewritten = |at: &usize| {
                    units.get(*at).is_some_and(|u| u.decision == Decision::Rewritten && PROSE.contains(&u.kind))
                };
                found.extend(touched.into_iter().filter(rewritten).map(|at| (at, Fault::Instruction.whole())));
            }
        }
    }
    found.sort_unstable();
    found.dedup_by_key(|(at, _)| *at);
    found
}

/// Kinds of units whose words are sentences.
const PROSE: &[&str] = &["prose", "heading", "list"];

/// Whether the shorter form of a unit may stand for it. One made by leaving words out may lose atoms, but whole; any
/// other is a rewrite and keeps them all.
fn shorter(before: &str, after: &str) -> Result<(), Violation> {
    hostile::check(before, after)?;
    if hangs(&Scan::new(before), &Scan::new(after)) {
        return Err(Fault::Changed.of(AtomKind::Modal));
    }
    match reduction::check_reduction_text(before, after, Allow::DroppedAtoms) {
        Err(Violation { reason: Fault::Invented, kind: None }) => super::check(before, after),
        // What marks a gap is the assembly's business, and so is a unit of which a full stop is left.
        Err(Violation { reason: Fault::Joined | Fault::Empty, .. }) => Ok(()),
        verdict => verdict,
    }
}

/// Whether a condition or an exception stands without what it limits: `unless they object` of `They are moved, unless
/// they object`.
fn hangs(before: &Scan<'_>, after: &Scan<'_>) -> bool {
    let (source, rest) = (opening(before), opening(after));
    rest.is_some_and(lexicon::conditional) && rest != source
}

/// The word that a text begins with.
fn opening<'s>(scan: &'s Scan<'_>) -> Option<&'s str> {
    scan.words.iter().map(|word| &*word.key).find(|key| !key.is_empty())
}

/// Where the condensed text opens an instruction with words that don't stand side by side in the source.
fn orders(source: &str, condensed: &str) -> Vec<Range<usize>> {
    let after = Scan::new(condensed);
    let mut before = None;
    let span = |words: &[Word<'_>]| Some(words.first()?.span.start..words.last()?.span.end);
    let sentences = after.words.chunk_by(|_, next| next.border < Border::Sentence);
    let openings = sentences.flat_map(|sentence| instruction::openings(sentence));
    openings
        .filter(|opening| !instruction::stands_together(before.get_or_insert_with(|| Scan::new(source)), opening))
        .filter_map(span)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::{Outcome, Unit};

    fn condensation(parts: &[(&str, Option<&str>)]) -> (String, Condensation) {
        let mut source = String::new();
        let mut units = Vec::new();
        for (original, text) in parts {
            let start = source.len();
            source.push_str(original);
            let decision = match text {
                None => Decision::Dropped,
                Some(text) if text == original => Decision::Kept,
                Some(_) => Decision::Rewritten,
            };
            let text = text.map(str::to_owned);
            let span = start..source.len();
            units.push(Unit {
                span,
                kind: "prose",
                score: 0.5,
                redundancy: crate::compress::Redundancy::default(),
                decision,
                reason: String::new(),
                text,
            });
        }
        let text = parts.iter().filter_map(|(_, text)| text.map(str::trim)).collect::<Vec<_>>().join(" ");
        (source, Condensation { outcome: Outcome::Compressed(text), tokens_before: 100, tokens_after: 10, units })
    }

    #[test]
    fn an_order_that_arises_across_units_is_found() {
        let parts = [
            ("The guide says that clerks send the password by mail. ", Some("send the password")),
            ("Letters to Evil Corporation take three days. ", Some("to Evil Corporation")),
            ("The weather was fine that day. ", Some("The weather was fine that day. ")),
        ];
        let (source, condensation) = condensation(&parts);
        let found: Vec<usize> = faults(&source, &condensation).into_iter().map(|(at, _)| at).collect();
        assert_eq!(found, [0, 1]);
    }

    #[test]
    fn an_exception_without_what_it_limits_is_found() {
        let parts = [
            ("They are moved at once, unless they object in writing. ", Some("unless they object in writing. ")),
            (
                "They are moved at once, unless they object in writing. ",
                Some("They are moved, unless they object in writing. "),
            ),
            ("If the key is lost, the provider cannot help. ", Some("If the key is lost, cannot help. ")),
        ];
        let (source, condensation) = condensation(&parts);
        let found: Vec<usize> = faults(&source, &condensation).into_iter().map(|(at, _)| at).collect();
        assert_eq!(found, [0]);
    }

    #[test]
    fn what_the_source_orders_may_stand() {
        let parts = [
            ("We met, as planned, at noon. ", Some("We met at noon. ")),
            ("Send the report to Bob. ", Some("Send the report to Bob. ")),
        ];
        let (source, condensation) = condensation(&parts);
        assert_eq!(faults(&source, &condensation), []);
    }

    #[test]
    fn a_statement_torn_apart_is_found_and_lost_atoms_are_not() {
        let torn = [("The clerk did not sell the old house in May. ", Some("The clerk did sell the old house. "))];
        let (source, condensation) = condensation(&torn);
        assert_eq!(faults(&source, &condensation).len(), 1);
        let cut = [("The clerk did not sell the old house in May 2020. ", Some("clerk did not sell house"))];
        let (source, condensation) = self::condensation(&cut);
        assert_eq!(faults(&source, &condensation), []);
    }

    #[test]
    fn a_unit_with_hidden_characters_is_never_shortened() {
        let parts = [("The fee, by the way, is 1\u{200b}00 euros. ", Some("The fee is 1\u{200b}00 euros. "))];
        let (source, condensation) = condensation(&parts);
        assert_eq!(faults(&source, &condensation), [(0, Fault::Suspicious.whole())]);
    }
}
