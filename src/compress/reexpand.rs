//! Puts doubtful units back as they were.

use super::{
    mark::settled,
    outcome::{Condensation, Decision, Reason, Unit, Why},
    tokens::CountTokens,
};

/// The condensation with the flagged units verbatim; the rest of the condensed text stays as it is, marks aside.
///
/// With every unit flagged, or where the result is no longer shorter, the original goes on. Indices without a unit and
/// units that were kept have no effect.
#[must_use]
pub fn reexpand(
    source: &str,
    condensation: &Condensation,
    flagged: &[usize],
    tokens: &dyn CountTokens,
) -> Condensation {
    let back = |at: usize, unit: &Unit| flagged.contains(&at) && unit.decision != Decision::Kept;
    let units = &condensation.units;
    if condensation.text().is_none() || !units.iter().enumerate().any(|(at, unit)| back(at, unit)) {
        return condensation.clone();
    }
    let put = |(at, unit): (usize, &Unit)| if back(at, unit) { verbatim(source, unit) } else { unit.clone() };
    let units: Vec<Unit> = units.iter().enumerate().map(put).collect();
    let before = condensation.tokens_before;
    if units.iter().all(|unit| unit.decision == Decision::Kept) {
        return Condensation { units, ..Condensation::unchanged(Reason::NoGain, before) };
    }
    let expanded =
        Condensation { hurried: condensation.hurried, ..settled(source, units, before, tokens, condensation.original) };
    match expanded.text() {
        Some(_) => expanded,
        None => Condensation {
            units: expanded.units.iter().map(|unit| verbatim(source, unit)).collect(),
            ..Condensation::unchanged(Reason::NoGain, before)
        },
    }
}

fn verbatim(source: &str, unit: &Unit) -> Unit {
    if unit.decision == Decision::Kept {
        return unit.clone();
    }
    let text = source.get(unit.span.clone()).map(str::to_owned);
    Unit { decision: Decision::Kept, why: Why::PutBack, text, ..unit.clone() }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;
    use crate::compress::{Encoding, Form, Noun, Outcome, Redundancy, mark};

    fn unit(span: Range<usize>, decision: Decision, text: Option<&str>) -> Unit {
        Unit {
            span,
            form: Form::Prose,
            score: Some(0.5),
            redundancy: Redundancy::default(),
            decision,
            why: Why::Chosen,
            text: text.map(str::to_owned),
            noun: Noun::Sentences,
            count: 1,
            ends: None,
            escaped: 0,
        }
    }

    const SOURCE: &str = "The old mill, which everybody knew, burnt down. Nobody was hurt at all. It was cold that night, as \
                          it often is. The owner will certainly not build it again.\n";

    fn condensation() -> Condensation {
        let ends: Vec<usize> = [0].into_iter().chain(SOURCE.match_indices(". ").map(|(at, _)| at + 2)).collect();
        let units = vec![
            unit(ends[0]..ends[1], Decision::Rewritten, Some("The old mill burnt down. ")),
            unit(ends[1]..ends[2], Decision::Kept, Some("Nobody was hurt at all. ")),
            unit(ends[2]..ends[3], Decision::Dropped, None),
            unit(ends[3]..SOURCE.len(), Decision::Rewritten, Some("The owner will not build it.\n")),
        ];
        let outcome = Outcome::Compressed(mark::assemble(SOURCE, &units, None).0);
        Condensation {
            outcome,
            tokens_before: Encoding::O200k.count(SOURCE),
            tokens_after: 20,
            units,
            choice: None,
            original: None,
            hurried: false,
        }
    }

    #[test]
    fn a_flagged_unit_stands_verbatim_and_the_rest_stays() {
        let found = reexpand(SOURCE, &condensation(), &[3], &Encoding::O200k);
        let text = found.text().unwrap();
        assert!(text.starts_with("The old mill burnt down. Nobody was hurt at all. […"), "{text}");
        assert!(text.ends_with("] The owner will certainly not build it again.\n"), "{text}");
        assert_eq!(found.units[3].decision, Decision::Kept);
        assert_eq!(found.tokens_after, Encoding::O200k.count(text));
        assert!(found.tokens_after < found.tokens_before);
    }

    #[test]
    fn with_every_unit_flagged_the_original_goes_on() {
        let found = reexpand(SOURCE, &condensation(), &[0, 1, 2, 3], &Encoding::O200k);
        assert_eq!(found.text(), None);
        let text: String = found.units.iter().filter_map(|u| u.text.as_deref()).collect();
        assert_eq!(text, SOURCE);
    }

    #[test]
    fn a_dropped_unit_comes_back_in_its_place_and_its_mark_goes() {
        let found = reexpand(SOURCE, &condensation(), &[2], &Encoding::O200k);
        let text = found.text().unwrap();
        assert!(text.contains("hurt at all. It was cold that night, as it often is. The owner"), "{text}");
    }

    #[test]
    fn nothing_flagged_changes_nothing_and_twice_is_once() {
        assert_eq!(reexpand(SOURCE, &condensation(), &[], &Encoding::O200k), condensation());
        assert_eq!(reexpand(SOURCE, &condensation(), &[1, 9], &Encoding::O200k), condensation());
        let once = reexpand(SOURCE, &condensation(), &[3], &Encoding::O200k);
        assert_eq!(reexpand(SOURCE, &once, &[3], &Encoding::O200k), once);
    }
}
