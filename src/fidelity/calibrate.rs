//! What a checking model notices: planted corruptions against faithful rewrites, in one table.

use std::{fmt, time::Duration};

use super::{Checker, State, Verdict, Why};
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
    /// Milliseconds that it took.
    pub ms: u64,
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

/// A text with what was made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    made: Made,
    source: String,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    Wrong(Corruption),
    Faithful(Faithful),
}

/// Each kind of corruption planted, and each kind of faithful rewrite made, in up to `each` of the units.
#[must_use]
pub fn cases(units: &[String], each: usize) -> Vec<Case> {
    let mut cases = Vec::new();
    let case = |made, source: &String, text| Case { made, source: source.clone(), text };
    for corruption in Corruption::ALL {
        let planted = units.iter().enumerate().filter_map(|(seed, unit)| Some((unit, plant(unit, corruption, seed)?)));
        cases.extend(planted.take(each).map(|(unit, text)| case(Made::Wrong(corruption), unit, text)));
    }
    for way in Faithful::ALL {
        let rewritten = units.iter().filter_map(|unit| Some((unit, rewrite(unit, way)?)));
        cases.extend(rewritten.take(each).map(|(unit, text)| case(Made::Faithful(way), unit, text)));
    }
    cases
}

/// Has every case checked, one after the other. `progress` is told of each.
pub async fn calibrate(checker: &Checker, cases: &[Case], mut progress: impl FnMut()) -> Calibration {
    let mut found = Calibration {
        corruptions: Corruption::ALL.map(|kind| Row { name: kind.as_str(), ..Row::default() }).into(),
        faithful: Faithful::ALL.map(|kind| Row { name: kind.as_str(), ..Row::default() }).into(),
        ..Calibration::default()
    };
    for case in cases {
        let verdict = checker.units(&[(0, &case.source, &case.text)], true).await;
        found.add(case, &verdict);
        progress();
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
        let (rows, name) = match case.made {
            Made::Wrong(kind) => (&mut self.corruptions, kind.as_str()),
            Made::Faithful(way) => (&mut self.faithful, way.as_str()),
        };
        let Some(row) = rows.iter_mut().find(|row| row.name == name) else { return };
        row.checked += 1;
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
        let checked = self.checked().max(1) as u64;
        let each = Duration::from_millis(self.ms / checked).as_secs_f64();
        writeln!(f, "a check takes {each:.1} s and {} tokens", self.tokens / checked)
    }
}
