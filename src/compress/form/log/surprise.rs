//! How surprising a line is among its like.
//!
//! A line's template and each of its values are columns. A value is surprising by how much rarer it is than its column's
//! values are on average: where all differ (ids, times, sizes) none is; a status that is 200 a hundred times and 502 once
//! is. Numbers are also told by their number of digits, so that an outlier shows among numbers that all differ.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use super::fold;
use crate::compress::{
    fuel,
    text::{hash, lexicon::signs},
    worth::weights::{LOG_SURPRISE, UNASKED},
};

/// How surprising a line is by itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surprise {
    /// Which template it has.
    template: usize,
    /// The factor by which one of its values makes it telling, if one does.
    value: Option<f32>,
}

/// The surprise of each line.
pub(super) fn surprises(lines: &[&str]) -> Vec<Surprise> {
    let mut shapes: Vec<Shape<'_>> = lines.iter().map(|line| Shape::of(line)).collect();
    merge(&mut shapes, lines);
    let mut columns: HashMap<(usize, usize, bool), Column<'_>> = HashMap::new();
    let mut templates: HashMap<&str, usize> = HashMap::new();
    let numbers: Vec<usize> = shapes
        .iter()
        .map(|shape| {
            let next = templates.len();
            *templates.entry(shape.template.as_str()).or_insert(next)
        })
        .collect();
    for (shape, number) in shapes.iter().zip(&numbers) {
        for (place, value) in shape.values.iter().enumerate().take(MOST_COLUMNS) {
            columns.entry((*number, place, false)).or_default().add(value);
            columns.entry((*number, place, true)).or_default().add(magnitude(value));
        }
    }
    for column in columns.values_mut() {
        column.settle();
    }
    let surprise = |(number, shape): (&usize, &Shape<'_>)| {
        let values = shape.values.iter().enumerate().take(MOST_COLUMNS).map(|(place, value)| {
            let column = |size: bool| columns.get(&(*number, place, size));
            let plain = column(false).map_or(0.0, |column| column.surprise(value));
            plain.max(column(true).map_or(0.0, |column| column.surprise(magnitude(value))))
        });
        let most = values.fold(0.0, f32::max);
        let value = (most > SURPRISING).then(|| (LOG_SURPRISE * most).exp().min(MOST));
        Surprise { template: *number, value }
    };
    numbers.iter().zip(&shapes).map(surprise).collect()
}

/// The factor of each run of lines that is told as one: at least 1 where a value surprises, and below for a template that
/// was told before. A run is told once, however many lines it has.
pub(super) fn factors(surprises: &[Surprise], runs: impl Iterator<Item = Range<usize>> + Clone) -> Vec<f32> {
    let template = |run: &Range<usize>| surprises.get(run.start).map_or(0, |surprise| surprise.template);
    let mut counts: HashMap<usize, usize> = HashMap::new();
    for run in runs.clone() {
        *counts.entry(template(&run)).or_default() += 1;
    }
    let mut before: HashMap<usize, usize> = HashMap::new();
    let factor = |run: Range<usize>| {
        let seen = before.entry(template(&run)).or_default();
        *seen += 1;
        let count = counts.get(&template(&run)).copied().unwrap_or(1).max(1) as f32;
        let repeat = 1.0 / (count.sqrt() * (*seen as f32).powi(2));
        let values = surprises.get(run).unwrap_or_default().iter().filter_map(|surprise| surprise.value);
        values.reduce(f32::max).unwrap_or(repeat)
    };
    runs.map(factor).collect()
}

/// A line with its values blanked, and the values.
struct Shape<'a> {
    template: String,
    values: Vec<&'a str>,
    /// Blanks of the template that are no values.
    untold: usize,
}

impl<'a> Shape<'a> {
    /// Values are runs of letters and digits that hold a digit.
    fn of(line: &'a str) -> Self {
        let mut shape = Self { template: String::with_capacity(line.len()), values: Vec::new(), untold: 0 };
        let (mut start, time) = (None, fold::time(line));
        for (at, c) in line.char_indices().chain([(line.len(), ' ')]) {
            match (c.is_alphanumeric(), start) {
                (true, None) => start = Some(at),
                (false, Some(from)) => {
                    let word = line.get(from..at).unwrap_or_default();
                    if word.bytes().any(|byte| byte.is_ascii_digit()) {
                        shape.template.push('#');
                        // When it was is told by every line.
                        if from >= time.end {
                            shape.values.push(word);
                        } else {
                            shape.untold += 1;
                        }
                    } else {
                        shape.template.push_str(word);
                    }
                    start = None;
                    shape.template.push(c);
                }
                (false, None) => shape.template.push(c),
                (true, Some(_)) => {}
            }
        }
        shape.template.truncate(shape.template.trim_end().len());
        // An answer that says no is another event than one that says yes.
        if signs::http_status(line).is_some_and(|status| status >= 400) {
            shape.template.push('!');
        }
        shape
    }

    /// The template without each of its words that holds no value, and a hash of that word.
    fn holes(&self) -> Vec<(Hole, u64)> {
        fuel::step(self.template.len());
        let words: Vec<&str> = self.template.split_whitespace().take(MOST_WORDS).collect();
        let rest = self.template.split_whitespace().skip(MOST_WORDS).count();
        let mut after = vec![hash(&rest)];
        for word in words.iter().rev() {
            after.push(hash(&(after.last(), word)));
        }
        let (mut before, mut found) = (0, Vec::new());
        for (at, word) in words.iter().enumerate() {
            let behind = after.get(words.len() - at - 1).copied().unwrap_or_default();
            if word.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '_' | '.')) {
                found.push((Hole { word: at, before, after: behind }, hash(&word)));
            }
            before = hash(&(before, word));
        }
        found
    }
}

/// Takes a word for a value in which templates differ that are else equal: the user of `Failed password for git from #`.
/// Linear: each word of a template is left out once, and the rest is known by its hashes.
fn merge<'a>(shapes: &mut [Shape<'a>], lines: &[&'a str]) {
    let mut holes: HashMap<String, Vec<(Hole, u64)>> = HashMap::new();
    for shape in shapes.iter() {
        if !holes.contains_key(&shape.template) {
            holes.insert(shape.template.clone(), shape.holes());
        }
    }
    let mut fillings: HashMap<Hole, HashSet<u64>> = HashMap::new();
    for (hole, word) in holes.values().flatten() {
        let words = fillings.entry(*hole).or_default();
        if words.len() < FEWEST_WORDS {
            words.insert(*word);
        }
    }
    let full = |hole: &Hole| fillings.get(hole).is_some_and(|words| words.len() >= FEWEST_WORDS);
    let value = |all: Vec<(Hole, u64)>| all.into_iter().map(|(hole, _)| hole).find(full).map(|hole| hole.word);
    let values: HashMap<String, usize> =
        holes.into_iter().filter_map(|(template, all)| Some((template, value(all)?))).collect();
    for (shape, line) in shapes.iter_mut().zip(lines) {
        let Some(at) = values.get(&shape.template).copied() else { continue };
        let Some(word) = line.split_whitespace().nth(at) else { continue };
        fuel::step(shape.template.len());
        let blanks: usize = shape.template.split_whitespace().take(at).map(|word| word.matches('#').count()).sum();
        shape.values.insert(blanks.saturating_sub(shape.untold).min(shape.values.len()), word);
        let blanked = |(number, word)| if number == at { "#" } else { word };
        shape.template = shape.template.split_whitespace().enumerate().map(blanked).collect::<Vec<_>>().join(" ");
    }
}

/// A template without one of its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Hole {
    /// The number of the word.
    word: usize,
    before: u64,
    after: u64,
}

/// Templates, at least, that differ in a word alone where that is a value.
const FEWEST_WORDS: usize = 3;

/// Words of a template that may be values.
const MOST_WORDS: usize = 24;

/// The values of one column and how often each occurs.
#[derive(Default)]
struct Column<'a> {
    counts: HashMap<&'a str, u32>,
    total: u32,
    usual: f32,
}

impl<'a> Column<'a> {
    fn add(&mut self, value: &'a str) {
        *self.counts.entry(value).or_default() += 1;
        self.total += 1;
    }

    fn settle(&mut self) {
        // Summed by count, so that the order of the map is of no account.
        let mut counts: Vec<u32> = self.counts.values().copied().collect();
        counts.sort_unstable();
        self.usual =
            counts.iter().map(|count| *count as f32 * self.nats(*count)).sum::<f32>() / self.total.max(1) as f32;
    }

    fn nats(&self, count: u32) -> f32 {
        (self.total as f32 / count.max(1) as f32).ln()
    }

    /// Nats beyond the column's usual ones.
    fn surprise(&self, value: &str) -> f32 {
        self.counts.get(value).map_or(0.0, |count| self.nats(*count) - self.usual)
    }
}

/// How many digits a number has, as a name for its size; the value itself where it is no number.
fn magnitude(value: &str) -> &str {
    let digits = value.len() - value.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    SIZES.get(..digits).filter(|_| digits > 0).unwrap_or(value)
}

const SIZES: &str = "####################";

/// Nats beyond the usual from which on a value is surprising.
const SURPRISING: f32 = 2.0;

/// A surprise lifts a line to the rank of what is asked, and no higher.
const MOST: f32 = 1.0 / UNASKED;

/// Values of a line that are looked at.
const MOST_COLUMNS: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    fn first(lines: &[String]) -> usize {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let found = factors(&surprises(&lines), (0..lines.len()).map(|at| at..at + 1));
        (0..found.len()).max_by(|a, b| found[*a].total_cmp(&found[*b]).then(b.cmp(a))).unwrap()
    }

    #[test]
    fn a_rare_status_an_outlier_and_a_rare_template_stand_out_and_ids_do_not() {
        let line =
            |n: usize, status: u32, ms: u32| format!("10:00:{:02} req={:08x} GET /a {status} {ms}ms", n % 60, n * 7919);
        let mut lines: Vec<String> = (0..60).map(|n| line(n, 200, 10 + (n as u32 * 7) % 80)).collect();
        lines[41] = line(41, 502, 30);
        assert_eq!(first(&lines), 41);
        lines[41] = line(41, 200, 98_765);
        assert_eq!(first(&lines), 41);
        lines[41] = "10:00:41 upstream closed the socket".into();
        assert_eq!(first(&lines), 41);
    }

    #[test]
    fn a_name_that_differs_in_lines_alike_makes_none_of_them_rare() {
        let users = ["git", "pi", "oracle", "test", "deploy"];
        let line = |n: usize| format!("10:00:{n:02} sshd[{n}]: Failed password for {} from 10.0.0.{n}", users[n % 5]);
        let mut lines: Vec<String> = (0..50).map(line).collect();
        lines[31] = "10:00:31 sshd[31]: Accepted password for mwangi from 10.0.0.31".into();
        assert_eq!(first(&lines), 31);
    }
}
