//! Runs of lines that differ in their time and in one counter alone: told once, with how often, until when and the
//! counter's range, so that every value that differs is accounted for.
//!
//! Ids, amounts and hosts are no counters: lines that differ in them stay. A time that jumps ends a run, since a gap in
//! what should be regular is what a reader looks for.

use std::ops::Range;

use super::line::Line;
use crate::compress::{
    ask::Wanted,
    form::trace::{Role, Structure},
    fuel, mark,
};

/// What the lines from `at` on make.
pub(super) struct Told {
    /// The lines that one line may tell; only that one where none reads like it.
    pub(super) run: Range<usize>,
    /// Up to where each line stands alone, since the question names one that a run would hide.
    pub(super) alone: usize,
}

/// The lines from `at` on that one line may tell, as long as `same` holds for them.
pub(super) fn run(
    lines: &[Line<'_>],
    at: usize,
    structure: &Structure,
    wanted: &Wanted,
    same: impl Fn(usize) -> bool,
) -> Told {
    let alone = Told { run: at..at + 1, alone: at + 1 };
    let plain = |at: usize| structure.roles.get(at) == Some(&Role::Plain);
    let Some(first) = lines.get(at).map(|line| line.shown.as_ref()).filter(|_| plain(at)) else { return alone };
    if first.trim().is_empty() || first.contains('\n') {
        return alone;
    }
    let mut run = Run::begin(first);
    let mut end = at + 1;
    while let Some(next) = lines.get(end).filter(|_| plain(end) && same(end)) {
        fuel::step(next.shown.len());
        if !run.take(&next.shown) {
            break;
        }
        end += 1;
    }
    if let Some(asked) = run.asked(wanted) {
        return Told { alone: at + asked + 1, ..alone };
    }
    let enough = end - at >= if run.counter.is_some() { LEAST_COUNTED } else { 2 };
    if enough { Told { run: at..end, alone: end } } else { alone }
}

/// A run as one line.
pub(super) fn written(members: &[Line<'_>]) -> Option<String> {
    let [first, .., last] = members else { return None };
    let mut run = Run::begin(&first.shown);
    members.iter().skip(1).for_each(|line| {
        run.take(&line.shown);
    });
    let text = run.text(&last.shown, members.len());
    Some(if last.written().ends_with('\n') { text + "\n" } else { text })
}

/// Lines that read alike so far.
struct Run<'a> {
    first: &'a str,
    template: String,
    /// The numbers of the last line taken.
    last: Vec<Number>,
    /// Numbers in front that belong to the time.
    times: usize,
    /// Which number counts, and by how much.
    counter: Option<(usize, i64)>,
    /// What stands before the first line's clock.
    date: &'a str,
    /// Seconds of the last line's time, with the days of a date that is read.
    clock: i64,
    /// Seconds between the first two lines.
    pace: Option<i64>,
    length: usize,
}

/// A run of digits.
#[derive(Debug, Clone, PartialEq)]
struct Number {
    span: Range<usize>,
    value: i64,
}

impl<'a> Run<'a> {
    fn begin(first: &'a str) -> Self {
        let (template, last) = numbers(first);
        let time = time(first);
        let times = last.iter().take_while(|number| number.span.end <= time.end).count();
        let (date, day, seconds) = when(first);
        let clock = day.unwrap_or(0) * DAY + seconds;
        Self { first, template, last, times, counter: None, date, clock, pace: None, length: 1 }
    }

    /// Whether a line goes on with the run.
    fn take(&mut self, line: &str) -> bool {
        let (template, next) = numbers(line);
        if template != self.template || next.len() != self.last.len() || time(line) != time(self.first) {
            return false;
        }
        let mut counter = self.counter;
        for (place, (old, new)) in self.last.iter().zip(&next).enumerate().skip(self.times) {
            let step = new.value.saturating_sub(old.value);
            match counter {
                Some((counts, by)) if counts == place => {
                    if step != by {
                        return false;
                    }
                }
                None if self.length == 1 && step.abs() == 1 && counts(line, &new.span) => counter = Some((place, step)),
                _ if line.get(new.span.clone()) == self.first.get(old.span.clone()) || step == 0 => {}
                _ => return false,
            }
        }
        if line == self.first && self.times > 0 && self.counter.is_none() {
            // Nothing differs, not even the time.
        } else if self.times > 0 {
            let (date, day, seconds) = when(line);
            // Between dates that are not read a gap is not seen.
            let Some(day) = day.or_else(|| (date == self.date).then_some(0)) else { return false };
            let now = day * DAY + seconds;
            let step = now - self.clock;
            // Between equal steps every time can be told from the first and the last one.
            if step < 0 || self.pace.is_some_and(|pace| (step - pace).abs() > 1 + pace / UNEVEN) {
                return false;
            }
            self.pace.get_or_insert(step);
            self.clock = now;
        }
        self.counter = counter;
        self.last = next;
        self.length += 1;
        true
    }

    /// The last of its lines that the question names by its number.
    fn asked(&self, wanted: &Wanted) -> Option<usize> {
        let (place, by) = self.counter?;
        let last = self.last.get(place)?;
        let first = last.value - by * (self.length as i64 - 1);
        let named = wanted.stems().filter_map(|stem| stem.parse::<i64>().ok());
        // A counter goes up or down by one, so what lies between its ends is the number of one of its lines.
        let places = named.filter_map(|asked| usize::try_from(asked.checked_sub(first)?.checked_div(by)?).ok());
        places.filter(|place| *place < self.length).max()
    }

    fn text(&self, last: &str, count: usize) -> String {
        let mut text = self.first.trim_end().to_owned();
        let mut range = None;
        if let Some((place, _)) = self.counter {
            let (_, own) = numbers(self.first);
            if let (Some(from), Some(to)) = (own.get(place), self.last.get(place)) {
                let name = named(self.first, &from.span);
                text = [self.first.get(..from.span.start), self.first.get(from.span.end..)]
                    .map(Option::unwrap_or_default)
                    .concat();
                text.truncate(text.trim_end().len());
                range = Some(format!("{name}{}–{}", from.value, to.value));
            }
        }
        text = format!("{text} {}", mark::times(count));
        let (own, until) = (self.first.get(time(self.first)), last.get(time(last)));
        if let Some(until) = until.filter(|until| Some(*until) != own) {
            text = format!("{text} until {}", since(own.unwrap_or_default(), until));
        }
        match range {
            Some(range) => format!("{text} with {range}"),
            None => text,
        }
    }
}

/// A line with its numbers blanked, and the numbers.
fn numbers(line: &str) -> (String, Vec<Number>) {
    let mut template = String::with_capacity(line.len());
    let mut numbers = Vec::new();
    let mut start = None;
    for (at, c) in line.char_indices().chain([(line.len(), '\n')]) {
        if c.is_ascii_digit() {
            start.get_or_insert(at);
            continue;
        }
        if let Some(from) = start.take() {
            // Too long for a number is an id: part of the words.
            match line.get(from..at).and_then(|digits| digits.parse().ok()) {
                Some(value) => {
                    template.push('#');
                    numbers.push(Number { span: from..at, value });
                }
                None => template.push_str(line.get(from..at).unwrap_or_default()),
            }
        }
        template.push(c);
    }
    (template, numbers)
}

/// Whether a number may be a counter: it stands alone or behind the sign of a key, and is no part of an id, an address,
/// a version or a fraction.
fn counts(line: &str, span: &Range<usize>) -> bool {
    let before = line.get(..span.start).and_then(|before| before.chars().next_back());
    let mut after = line.get(span.end..).unwrap_or_default().chars();
    let (next, following) = (after.next(), after.next());
    let opens = before.is_none_or(|c| c.is_whitespace() || "=#([/".contains(c));
    let closes = next.is_none_or(|c| {
        c.is_whitespace() || ")]/,;%".contains(c) || (".:".contains(c) && following.is_none_or(char::is_whitespace))
    });
    opens && closes
}

/// What a number counts: the key or the word in front of it.
fn named(line: &str, span: &Range<usize>) -> String {
    let before = line.get(..span.start).unwrap_or_default();
    let word = before.trim_end().rsplit(char::is_whitespace).next().unwrap_or_default();
    let gap = before.get(before.trim_end().len()..).unwrap_or_default();
    format!("{word}{gap}")
}

/// The time in front of a line: from its beginning to the end of the last of the first numbers that has a colon beside
/// it, fractions and zones included; empty where there is none.
pub(super) fn time(line: &str) -> Range<usize> {
    let head = line.get(..line.floor_char_boundary(64)).unwrap_or_default();
    let Some(colon) = head.match_indices(':').map(|(at, _)| at).find(|at| is_clock(head, *at)) else { return 0..0 };
    let part = |c: char| c.is_ascii_digit() || "-/.:,TZ_+".contains(c);
    let before = head.get(..colon).unwrap_or_default();
    let own = before.len() - before.chars().rev().take_while(|c| part(*c)).map(char::len_utf8).sum::<usize>();
    let after = head.get(colon..).unwrap_or_default();
    let end = colon + after.chars().take_while(|c| part(*c)).map(char::len_utf8).sum::<usize>();
    let end = head.get(..end).map_or(end, |time| time.trim_end_matches([':', ',', '-', '.', '_', '/', '+']).len());
    // A date in a word of its own before the time.
    let start = date_before(head, own).unwrap_or(own);
    start..end
}

/// Two digits on both sides of a colon.
fn is_clock(head: &str, colon: usize) -> bool {
    let bytes = head.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    digit(colon.checked_sub(1)) && digit(colon.checked_sub(2)) && digit(Some(colon + 1)) && digit(Some(colon + 2))
}

/// Where a date begins that stands before a time.
fn date_before(head: &str, time: usize) -> Option<usize> {
    let before = head.get(..time)?;
    let trimmed = before.trim_end();
    let start = trimmed.rfind(|c: char| !(c.is_ascii_digit() || "-/.".contains(c))).map_or(0, |at| at + 1);
    let word = trimmed.get(start..)?;
    (before.len() - trimmed.len() == 1 && word.len() >= 6 && word.bytes().any(|byte| byte.is_ascii_digit()))
        .then_some(start)
}

/// Days to a date `2026-11-30`, by the count of months from March (Hinnant, "chrono-compatible low-level date algorithms").
fn days(date: &str) -> Option<i64> {
    let mut parts = date.get(..10)?.split(['-', '/']).map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if year < 1_000 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    Some(365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day)
}

/// Seconds.
const DAY: i64 = 86_400;

/// A step may be off by one part in so many, and by a second.
const UNEVEN: i64 = 20;

/// When a line was written: what stands before its clock, the days to its date where that is read, and the seconds since.
fn when(line: &str) -> (&str, Option<i64>, i64) {
    let span = time(line);
    let time = line.get(span.clone()).unwrap_or_default();
    let Some(colon) = time.match_indices(':').map(|(at, _)| at).find(|at| is_clock(time, *at)) else {
        return ("", None, 0);
    };
    let two = |from: usize| time.get(from..from + 2).and_then(|digits| digits.parse::<i64>().ok()).unwrap_or(0);
    let clock = colon.saturating_sub(2);
    let date = line.get(..span.start + clock).unwrap_or_default();
    (date, time.get(..clock).and_then(days), two(clock) * 3_600 + two(colon + 1) * 60 + two(colon + 4))
}

/// The later time without the date that both share.
pub(super) fn since<'t>(first: &str, last: &'t str) -> &'t str {
    let clock = last.rfind([' ', 'T', '_']).map_or(0, |at| at + 1);
    if first.get(..clock) == last.get(..clock) { last.get(clock..).unwrap_or(last) } else { last }
}

/// Lines that differ in a counter are told together from so many on; fewer are as short as what tells them.
const LEAST_COUNTED: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of the lines the first one takes.
    fn taken(lines: &[String]) -> usize {
        let mut run = Run::begin(&lines[0]);
        1 + lines.iter().skip(1).take_while(|line| run.take(line)).count()
    }

    #[test]
    fn a_day_without_its_line_ends_a_run() {
        let nights = |days: &[u32]| -> Vec<String> {
            days.iter().map(|day| format!("2026-11-{day:02} 03:00:00 cron[7]: backup finished, 0 errors")).collect()
        };
        assert_eq!(taken(&nights(&[1, 2, 3, 4, 5, 6, 7, 8])), 8);
        assert_eq!(taken(&nights(&[1, 2, 3, 4, 5, 6, 8, 9])), 6);
        let months = ["2026-02-28", "2026-03-01", "2026-03-02"].map(|day| format!("{day} 03:00:00 backup finished"));
        assert_eq!(taken(&months), 3);
        let named = ["Nov 21", "Nov 22", "Nov 24"].map(|day| format!("{day} 03:00:00 host cron: backup finished"));
        assert_eq!(taken(&named), 1, "a date that is not read tells no gap");
    }

    #[test]
    fn uneven_times_are_not_told_by_their_ends() {
        let at = |times: &[&str]| -> Vec<String> {
            times.iter().map(|time| format!("2026-11-01 {time} link is down")).collect()
        };
        assert_eq!(taken(&at(&["09:26:03", "09:41:55", "09:41:59", "09:58:12"])), 2);
        assert_eq!(taken(&at(&["09:26:00", "09:27:00", "09:28:01", "09:29:00"])), 4);
    }
}
