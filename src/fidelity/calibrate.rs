//! What a checking model notices: planted corruptions against faithful rewrites, in one table.

use std::fmt;

use super::{Checker, State, Why};
use crate::compress::guard::{
    self,
    plant::{Corruption, Faithful, plant, rewrite},
};

/// How often each kind was flagged by the model and by the guard.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Calibration {
    /// Planted corruptions by kind: the more flagged, the better.
    pub corruptions: Vec<Row>,
    /// Faithful rewrites by way: the fewer flagged, the better.
    pub faithful: Vec<Row>,
    /// Checks that ended without a verdict, by reason.
    pub unchecked: Vec<(Why, usize)>,
    /// Tokens that it took.
    pub tokens: u64,
}

/// One kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// Texts that the model gave a verdict on.
    pub checked: usize,
    /// Of these, flagged by the model.
    pub model: usize,
    /// Flagged by the guard.
    pub guard: usize,
    /// Flagged by either.
    pub either: usize,
}

/// Plants each kind of corruption, and makes each kind of faithful rewrite, in up to `each` of the units.
///
/// `progress` is told of each check: how many are done.
pub async fn calibrate(
    checker: &Checker,
    units: &[String],
    each: usize,
    mut progress: impl FnMut(usize),
) -> Calibration {
    let mut found = Calibration::default();
    let mut done = 0;
    for corruption in Corruption::ALL {
        let texts = units.iter().enumerate().filter_map(|(seed, unit)| Some((unit, plant(unit, corruption, seed)?)));
        let mut row = Row { name: corruption.as_str(), ..Row::default() };
        for (unit, text) in texts.take(each) {
            found.add(checker, &mut row, unit, &text).await;
            done += 1;
            progress(done);
        }
        found.corruptions.push(row);
    }
    for way in Faithful::ALL {
        let texts = units.iter().filter_map(|unit| Some((unit, rewrite(unit, way)?)));
        let mut row = Row { name: way.as_str(), ..Row::default() };
        for (unit, text) in texts.take(each) {
            found.add(checker, &mut row, unit, &text).await;
            done += 1;
            progress(done);
        }
        found.faithful.push(row);
    }
    found
}

impl Calibration {
    async fn add(&mut self, checker: &Checker, row: &mut Row, unit: &str, text: &str) {
        let verdict = checker.units(&[(0, unit, text)], true).await;
        self.tokens += verdict.tokens;
        let guard = guard::check(unit, text).is_err();
        let model = verdict.state == State::Flagged;
        if let State::Unchecked(why) = verdict.state {
            match self.unchecked.iter_mut().find(|(known, _)| *known == why) {
                Some((_, count)) => *count += 1,
                None => self.unchecked.push((why, 1)),
            }
            return;
        }
        row.checked += 1;
        row.model += usize::from(model);
        row.guard += usize::from(guard);
        row.either += usize::from(model || guard);
    }
}

impl fmt::Display for Calibration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (title, rows) in [("planted corruption", &self.corruptions), ("faithful rewrite", &self.faithful)] {
            writeln!(f, "{title:<22} {:>8} {:>10} {:>10} {:>10}", "checked", "model", "guard", "either")?;
            let sum = rows.iter().fold(Row { name: "all", ..Row::default() }, |sum, row| Row {
                name: sum.name,
                checked: sum.checked + row.checked,
                model: sum.model + row.model,
                guard: sum.guard + row.guard,
                either: sum.either + row.either,
            });
            for row in rows.iter().chain([&sum]) {
                let share = |count: usize| format!("{:.1} %", 100.0 * count as f64 / row.checked.max(1) as f64);
                writeln!(
                    f,
                    "{:<22} {:>8} {:>10} {:>10} {:>10}",
                    row.name,
                    row.checked,
                    share(row.model),
                    share(row.guard),
                    share(row.either)
                )?;
            }
            writeln!(f)?;
        }
        for (why, count) in &self.unchecked {
            writeln!(f, "not checked ({}): {count}", why.as_str())?;
        }
        writeln!(f, "tokens: {}", self.tokens)
    }
}
