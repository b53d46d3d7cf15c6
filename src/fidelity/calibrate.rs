//! What a checking model notices: planted corruptions against faithful rewrites, in one table.

use std::{fmt, pin::pin, time::Duration};

use super::plant::{Corruption, Faithful, plant, rewrite};
use super::{Checker, State, Verdict, Why};
use crate::compress::guard;

/// How often each kind was flagged by the model and by the guard.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Calibration {
    /// Planted corruptions by kind: the more flagged, the better.
    pub corruptions: Vec<Row>,
    /// Faithful rewrites by way: the fewer flagged, the better.
    pub faithful: Vec<Row>,
    /// Cases that there are; more than were checked where it was stopped.
    pub cases: usize,
    /// Checks that ended without a verdict, by reason.
    pub unchecked: Vec<(Why, usize)>,
    /// Tokens that it took.
    pub tokens: u64,
    /// Milliseconds that it took.
    pub ms: u64,
}

/// One kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// Texts that came to a verdict.
    pub checked: usize,
    /// Of these, texts about which the model was asked; in the others every claim stands in the original.
    pub asked: usize,
    /// Flagged by the model.
    pub model: usize,
    /// Flagged by the guard.
    pub guard: usize,
    /// Flagged by either.
    pub either: usize,
}

/// A text with what was made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    made: Made,
    /// The true text.
    pub source: String,
    /// What was made of it.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    Wrong(Corruption),
    Faithful(Faithful),
    ByHand,
}

impl Case {
    /// A rewrite that a person found faithful.
    #[must_use]
    pub const fn by_hand(source: String, text: String) -> Self {
        Self { made: Made::ByHand, source, text }
    }

    /// Whether the text says something else than its source.
    #[must_use]
    pub const fn is_wrong(&self) -> bool {
        matches!(self.made, Made::Wrong(_))
    }

    /// The name of its row.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.made {
            Made::Wrong(corruption) => corruption.as_str(),
            Made::Faithful(way) => way.as_str(),
            Made::ByHand => BY_HAND,
        }
    }
}

const BY_HAND: &str = "by hand";

/// Each kind of corruption planted, and each kind of faithful rewrite made, in up to `each` of the units; and of the
/// rewrites by hand as many as of all those made. In turns, so that a part of them is a fair part.
#[must_use]
pub fn cases(units: &[String], by_hand: &[Case], each: usize) -> Vec<Case> {
    let case = |made, source: &String, text| Case { made, source: source.clone(), text };
    let wrong = Corruption::ALL.map(|corruption| -> Vec<Case> {
        let planted = units.iter().enumerate().filter_map(|(seed, unit)| Some((unit, plant(unit, corruption, seed)?)));
        planted.take(each).map(|(unit, text)| case(Made::Wrong(corruption), unit, text)).collect()
    });
    let faithful = Faithful::ALL.map(|way| -> Vec<Case> {
        let rewritten = units.iter().filter_map(|unit| Some((unit, rewrite(unit, way)?)));
        rewritten.take(each).map(|(unit, text)| case(Made::Faithful(way), unit, text)).collect()
    });
    let mut by_hand = by_hand.iter().cloned();
    let mut kinds: Vec<Vec<Case>> = wrong.into_iter().chain(faithful).collect();
    kinds.extend((0..Faithful::ALL.len()).map(|_| by_hand.by_ref().take(each).collect::<Vec<_>>()));
    let mut kinds: Vec<_> = kinds.into_iter().map(Vec::into_iter).collect();
    (0..each).flat_map(|_| kinds.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>()).collect()
}

/// Has the cases checked, one after the other, until there are no more or `stop` is there. `told` hears of each verdict.
pub async fn calibrate(
    checker: &Checker,
    cases: &[Case],
    stop: impl Future<Output = ()>,
    mut told: impl FnMut(&Case, &Verdict),
) -> Calibration {
    let row = |name| Row { name, ..Row::default() };
    let mut found = Calibration {
        corruptions: Corruption::ALL.map(|kind| row(kind.as_str())).into(),
        faithful: Faithful::ALL.map(|kind| row(kind.as_str())).into_iter().chain([row(BY_HAND)]).collect(),
        cases: cases.len(),
        ..Calibration::default()
    };
    let mut stop = pin!(stop);
    for case in cases {
        let units = [(0, case.source.as_str(), case.text.as_str())];
        let verdict = tokio::select! {
            verdict = checker.units(&units, true) => verdict,
            () = &mut stop => break,
        };
        found.add(case, &verdict);
        told(case, &verdict);
    }
    found
}

impl Calibration {
    fn add(&mut self, case: &Case, verdict: &Verdict) {
        self.tokens += verdict.tokens;
        self.ms += u64::try_from(verdict.took.as_millis()).unwrap_or(u64::MAX);
        let guard = guard::check(&case.source, &case.text).is_err();
        let model = verdict.state == State::Flagged;
        if let State::Unchecked(why) = verdict.state {
            match self.unchecked.iter_mut().find(|(known, _)| *known == why) {
                Some((_, count)) => *count += 1,
                None => self.unchecked.push((why, 1)),
            }
            return;
        }
        let rows = if case.is_wrong() { &mut self.corruptions } else { &mut self.faithful };
        let Some(row) = rows.iter_mut().find(|row| row.name == case.name()) else { return };
        row.checked += 1;
        row.asked += usize::from(verdict.questions > 0);
        row.model += usize::from(model);
        row.guard += usize::from(guard);
        row.either += usize::from(model || guard);
    }

    /// Checks that ended with a verdict.
    #[must_use]
    pub fn checked(&self) -> usize {
        self.corruptions.iter().chain(&self.faithful).map(|row| row.checked).sum()
    }
}

impl fmt::Display for Calibration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (title, rows) in [("planted corruption", &self.corruptions), ("faithful rewrite", &self.faithful)] {
            writeln!(
                f,
                "{title:<22} {:>8} {:>8} {:>10} {:>10} {:>10}",
                "checked", "asked", "model", "guard", "either"
            )?;
            let sum = rows.iter().fold(Row { name: "all", ..Row::default() }, |sum, row| Row {
                name: sum.name,
                checked: sum.checked + row.checked,
                asked: sum.asked + row.asked,
                model: sum.model + row.model,
                guard: sum.guard + row.guard,
                either: sum.either + row.either,
            });
            for row in rows.iter().chain([&sum]) {
                let share = |count: usize| match row.checked {
                    0 => "-".to_owned(),
                    checked => format!("{:.1} %", 100.0 * count as f64 / checked as f64),
                };
                let (model, guard, either) = (share(row.model), share(row.guard), share(row.either));
                let Row { name, checked, asked, .. } = row;
                writeln!(f, "{name:<22} {checked:>8} {asked:>8} {model:>10} {guard:>10} {either:>10}")?;
            }
            writeln!(f)?;
        }
        for (why, count) in &self.unchecked {
            writeln!(f, "not checked ({}): {count}", why.as_str())?;
        }
        let checked = self.checked();
        if checked < self.cases {
            writeln!(f, "{checked} of {} cases were checked", self.cases)?;
        }
        let asked = self.corruptions.iter().chain(&self.faithful).map(|row| row.asked).sum::<usize>().max(1) as u64;
        let each = Duration::from_millis(self.ms / asked).as_secs_f64();
        writeln!(f, "the model was asked about {asked}: {each:.1} s and {} tokens each", self.tokens / asked)
    }
}
