//! The last look at a condensed text: units whose shorter form may not stand.

use std::collections::HashSet;

use super::{Fault, Violation, hostile, reduction};
use crate::compress::{
    Condensation, Decision, Form, Unit, Why, fuel,
    text::{
        atoms::{AtomKind, Scan},
        lexicon,
    },
};

/// The rewritten units that may not stand as they do, each with the reason; in order, each once.
///
/// What was left out of a unit was left out on purpose, so lost atoms are no fault here. A statement torn apart, a unit
/// with hidden characters, and an instruction that the source doesn't give are.
#[must_use]
pub fn faults(source: &str, condensation: &Condensation) -> Vec<(usize, Violation)> {
    if condensation.text().is_none() {
        return Vec::new();
    }
    let units = &condensation.units;
    let mut found = Vec::new();
    let mut start = 0;
    // Another form of the same block repeats what stands anywhere in it: a head tells the keys of all rows.
    for block in units.chunk_by(|a, b| (a.form, a.escaped) == (b.form, b.escaped)) {
        let rewritten = block.iter().enumerate().filter(|(_, unit)| is_rewritten(unit));
        let at = rewritten.clone().map(|(at, _)| start + at);
        if block.first().is_some_and(|unit| unit.form == Form::Prose) {
            found.extend(rewritten.filter_map(|(at, unit)| {
                let (before, after) = (source.get(unit.span.clone())?, unit.text.as_deref()?);
                shorter(&unit.says(before), &unit.says(after)).err().map(|violation| (start + at, violation))
            }));
        // A page's own text has characters and numbers of items that its tags only imply.
        } else if block.first().is_some_and(|unit| unit.form != Form::Html)
            && let Err(violation) = nothing_new(source, block)
        {
            found.extend(at.map(|at| (at, violation)));
        }
        start += block.len();
    }
    found
}

/// Whether a unit says its source in another way. A reference to where it was seen says nothing of its own.
fn is_rewritten(unit: &Unit) -> bool {
    unit.decision == Decision::Rewritten && unit.why != Why::Seen
}

/// Each figure, identifier or date that the rewritten units of a block show stands in the block's source: whatever form
/// it was brought into, no value comes from nowhere. Counts in marks are the writer's own.
fn nothing_new(source: &str, block: &[Unit]) -> Result<(), Violation> {
    let (Some(first), Some(last)) = (block.first(), block.last()) else { return Ok(()) };
    let rewritten = || block.iter().filter(|unit| is_rewritten(unit));
    if rewritten().next().is_none() {
        return Ok(());
    }
    let before = first.says(source.get(first.span.start..last.span.end).unwrap_or_default());
    fuel::step(before.len());
    let known: HashSet<&str> = values(&before).collect();
    let stands =
        |unit: &Unit| values(&unit.says(unit.text.as_deref().unwrap_or_default())).all(|value| known.contains(value));
    if rewritten().all(stands) { Ok(()) } else { Err(Fault::Invented.of(AtomKind::Number)) }
}

/// Runs of letters and digits that hold a digit, those behind `×`, within a mark `[… 12 lines]` and alone in brackets (the
/// length of a list: `rows[12]:`) left out.
fn values(text: &str) -> impl Iterator<Item = &str> {
    let outside = text.split("[…").enumerate().map(|(at, part)| match (at, part.find(']')) {
        (0, _) | (_, None) => part,
        (_, Some(end)) => part.get(end..).unwrap_or_default(),
    });
    outside
        .flat_map(|part| part.split_inclusive(|c: char| !c.is_alphanumeric()))
        .scan(' ', |before, run| {
            let before = std::mem::replace(before, run.chars().next_back().unwrap_or(' '));
            let counts = before == '×' || ("[{".contains(before) && run.ends_with([']', '}']));
            Some((!counts).then(|| run.trim_end_matches(|c: char| !c.is_alphanumeric())))
        })
        .flatten()
        // A date and an hour are two values, also where a `T` joins them.
        .flat_map(|run| run.split('T'))
        .filter(|run| run.contains(|c: char| c.is_ascii_digit()))
}

/// Whether the shorter form of a unit may stand for it. One made by leaving words out may lose atoms, but whole; any
/// other is a rewrite and keeps them all.
pub(in crate::compress) fn shorter(before: &str, after: &str) -> Result<(), Violation> {
    if before.len().max(after.len()) > LONGEST_STATEMENT {
        return Err(Fault::Changed.whole());
    }
    hostile::check(before, after)?;
    if hangs(&Scan::new(before), &Scan::new(after)) {
        return Err(Fault::Changed.of(AtomKind::Modal));
    }
    match reduction::check(before, after) {
        Err(Violation { reason: Fault::Invented, kind: None }) => super::check(before, after),
        // What marks a gap is the assembly's business, and so is a unit of which a full stop is left.
        Err(Violation { reason: Fault::Joined | Fault::Empty, .. }) => Ok(()),
        verdict => verdict,
    }
}

/// No statement is as long, in bytes. The guard compares each of a statement's lists, names and orders with all others.
pub(in crate::compress) const LONGEST_STATEMENT: usize = 8_000;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::{Noun, Outcome, Why};

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
                form: Form::Prose,
                score: Some(0.5),
                redundancy: crate::compress::Redundancy::default(),
                decision,
                why: Why::Chosen,
                text,
                noun: Noun::Sentences,
                count: 1,
                ends: None,
                escaped: 0,
            });
        }
        let text = parts.iter().filter_map(|(_, text)| text.map(str::trim)).collect::<Vec<_>>().join(" ");
        (
            source,
            Condensation {
                outcome: Outcome::Compressed(text),
                tokens_before: 100,
                tokens_after: 10,
                units,
                choice: None,
                original: None,
                hurried: false,
            },
        )
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
    fn a_value_from_nowhere_is_found_in_any_form() {
        let parts =
            [("{\"id\": 17, \"at\": \"2024-05-01\"}\n", Some("17|2024-05-01\n")), ("{\"id\": 18}\n", Some("18\n"))];
        let (source, mut told) = condensation(&parts);
        told.units.iter_mut().for_each(|unit| unit.form = Form::Json);
        assert_eq!(faults(&source, &told), []);
        told.units[1].text = Some("81\n".to_owned());
        assert_eq!(faults(&source, &told).len(), 2);
        told.units[1].text = Some("18 ×40 [… 7 rows]\n".to_owned());
        assert_eq!(faults(&source, &told), []);
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
