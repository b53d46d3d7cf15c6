//! Puts doubtful units back as they were.

use std::ops::Range;

use super::{Condensation, CountTokens, Decision, Outcome, Reason, Unit};

/// The condensation with the flagged units verbatim; the rest of the condensed text stays as it is, byte for byte.
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
    let Some(condensed) = condensation.text() else { return condensation.clone() };
    let back = |at: usize, unit: &Unit| flagged.contains(&at) && unit.decision != Decision::Kept;
    let units = &condensation.units;
    if !units.iter().enumerate().any(|(at, unit)| back(at, unit)) {
        return condensation.clone();
    }
    let unchanged = || Condensation {
        units: units.iter().map(|unit| verbatim(source, unit)).collect(),
        ..Condensation::unchanged(Reason::NoGain, condensation.tokens_before)
    };
    let all = units.iter().enumerate().all(|(at, unit)| unit.decision == Decision::Kept || back(at, unit));
    let Some(places) = places(condensed, units).filter(|_| !all) else { return unchanged() };
    let mut text = String::with_capacity(source.len());
    let mut from = 0;
    let mut expanded = Vec::with_capacity(units.len());
    for (at, (unit, place)) in units.iter().zip(places).enumerate() {
        if !back(at, unit) {
            expanded.push(unit.clone());
            continue;
        }
        let original = source.get(unit.span.clone()).unwrap_or_default();
        text.push_str(condensed.get(from..place.start).unwrap_or_default());
        from = place.end;
        put(&mut text, original, condensed.get(from..).unwrap_or_default());
        expanded.push(verbatim(source, unit));
    }
    text.push_str(condensed.get(from..).unwrap_or_default());
    let after = tokens.count(&text);
    if after >= condensation.tokens_before {
        return unchanged();
    }
    Condensation {
        outcome: Outcome::Compressed(text),
        tokens_before: condensation.tokens_before,
        tokens_after: after,
        units: expanded,
    }
}

/// Adds an original so that it doesn't run into its neighbours.
fn put(text: &mut String, original: &str, rest: &str) {
    if !text.is_empty() && !text.ends_with(char::is_whitespace) && !original.starts_with(char::is_whitespace) {
        text.push(' ');
    }
    text.push_str(original);
    if !rest.is_empty() && !rest.starts_with(char::is_whitespace) && !original.ends_with(char::is_whitespace) {
        text.push(' ');
    }
}

fn verbatim(source: &str, unit: &Unit) -> Unit {
    if unit.decision == Decision::Kept {
        return unit.clone();
    }
    Unit {
        decision: Decision::Kept,
        reason: "put back".to_owned(),
        text: source.get(unit.span.clone()).map(str::to_owned),
        ..unit.clone()
    }
}

/// Where each unit stands in the condensed text; a dropped one stands, empty, behind the unit before it. `None` if the
/// texts of the units can't be found in order.
pub(super) fn places(condensed: &str, units: &[Unit]) -> Option<Vec<Range<usize>>> {
    let mut from = 0;
    let place = |unit: &Unit| {
        let Some(text) = unit.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) else {
            return Some(from..from);
        };
        let start = from + condensed.get(from..)?.find(text)?;
        from = start + text.len();
        Some(start..from)
    };
    units.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::Encoding;

    fn unit(span: Range<usize>, decision: Decision, text: Option<&str>) -> Unit {
        let text = text.map(str::to_owned);
        Unit {
            span,
            kind: "prose",
            score: 0.5,
            redundancy: crate::compress::Redundancy::default(),
            decision,
            reason: String::new(),
            text,
        }
    }

    const SOURCE: &str = "The old mill, which everybody knew, burnt down. Nobody was hurt at all. It was cold that night, as \
                          it often is. The owner will certainly not build it again.\n";

    fn condensation() -> Condensation {
        let ends: Vec<usize> = [0].into_iter().chain(SOURCE.match_indices(". ").map(|(at, _)| at + 2)).collect();
        Condensation {
            outcome: Outcome::Compressed(
                "The old mill burnt down. Nobody was hurt at all. […] The owner will build it.\n".into(),
            ),
            tokens_before: Encoding::O200k.count(SOURCE),
            tokens_after: 20,
            units: vec![
                unit(ends[0]..ends[1], Decision::Rewritten, Some("The old mill burnt down. ")),
                unit(ends[1]..ends[2], Decision::Kept, Some("Nobody was hurt at all. ")),
                unit(ends[2]..ends[3], Decision::Dropped, None),
                unit(ends[3]..SOURCE.len(), Decision::Rewritten, Some("The owner will build it.\n")),
            ],
        }
    }

    #[test]
    fn a_flagged_unit_stands_verbatim_and_the_rest_stays() {
        let found = reexpand(SOURCE, &condensation(), &[3], &Encoding::O200k);
        let text = found.text().unwrap();
        assert!(
            text.starts_with(
                "The old mill burnt down. Nobody was hurt at all. […] The owner will certainly not build it again.\n"
            ),
            "{text}"
        );
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
    fn a_dropped_unit_comes_back_in_its_place() {
        let found = reexpand(SOURCE, &condensation(), &[2], &Encoding::O200k);
        let text = found.text().unwrap();
        let at = |part: &str| text.find(part).unwrap();
        assert!(
            at("hurt") < at("It was cold that night, as it often is.") && at("often is") < at("The owner"),
            "{text}"
        );
    }

    #[test]
    fn nothing_flagged_changes_nothing() {
        assert_eq!(reexpand(SOURCE, &condensation(), &[], &Encoding::O200k), condensation());
        assert_eq!(reexpand(SOURCE, &condensation(), &[1, 9], &Encoding::O200k), condensation());
    }

    #[test]
    fn putting_back_twice_is_putting_back_once() {
        let once = reexpand(SOURCE, &condensation(), &[3], &Encoding::O200k);
        assert_eq!(reexpand(SOURCE, &once, &[3], &Encoding::O200k), once);
    }

    #[test]
    fn a_text_whose_units_cannot_be_found_goes_on_as_it_came() {
        let mut lost = condensation();
        lost.outcome = Outcome::Compressed("something else altogether".into());
        assert_eq!(reexpand(SOURCE, &lost, &[3], &Encoding::O200k).text(), None);
    }
}
