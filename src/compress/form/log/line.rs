//! Lines of a log: what varies in them, where their message begins, which of their words tell them apart.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::LazyLock,
};

use regex::Regex;

use super::Level;
use crate::compress::marks;

/// A log read once.
#[derive(Debug)]
pub(super) struct Log<'a> {
    pub(super) lines: Vec<Line<'a>>,
    /// In how many templates each word occurs.
    commonness: HashMap<String, usize>,
    /// How many lines share a template.
    counts: HashMap<String, usize>,
}

/// One line.
#[derive(Debug)]
pub(super) struct Line<'a> {
    /// Byte span in the block, with the line break.
    pub(super) span: Range<usize>,
    /// Without the line break and white space at its end.
    pub(super) text: &'a str,
    /// Numbers and ids blanked.
    pub(super) form: String,
    /// Whether it is the first of its template.
    pub(super) leads: bool,
    /// Whether it is part of what a line above says of trouble: a stack trace, the source that a compiler quotes.
    pub(super) trails: bool,
    /// Whether an equal message may stand for it.
    pub(super) folds: bool,
    /// Where the message begins, after times, hosts and ids.
    message: usize,
}

impl<'a> Log<'a> {
    pub(super) fn read(block: &'a str) -> Self {
        let mut at = 0;
        let mut lines = Vec::new();
        let mut follows_trouble = false;
        let (mut counts, mut commonness) = (HashMap::<String, usize>::new(), HashMap::<String, usize>::new());
        for whole in block.split_inclusive('\n') {
            let text = whole.trim_end();
            let trails = follows_trouble && is_continued(text);
            // Of what belongs to an error the numbers are the message: a line of the source, a place in it.
            let form = if trails { text.to_owned() } else { VARYING.replace_all(text, "#").into_owned() };
            let count = counts.entry(form.clone()).or_default();
            *count += 1;
            let leads = *count == 1;
            if leads {
                for word in form_words(&form).collect::<HashSet<_>>() {
                    *commonness.entry(word).or_default() += 1;
                }
            }
            follows_trouble = trails || TROUBLE.is_match(&form);
            lines.push(Line { span: at..at + whole.len(), text, form, leads, trails, folds: false, message: 0 });
            at += whole.len();
        }
        let mut log = Self { lines, commonness, counts };
        log.find_messages();
        log
    }

    /// What a line is worth: errors most, then what came once, then the first of the few.
    pub(super) fn worth(&self, line: &Line<'_>) -> f32 {
        if line.is_blank() {
            return 0.0;
        }
        if !line.says_something() {
            return 0.05;
        }
        let count = self.counts.get(&line.form).copied().unwrap_or(1);
        let worth = match (line.tells_of_trouble(), count) {
            (true, _) => 2.5,
            (_, 1) => 2.0,
            (_, 2..=3) => 1.0,
            _ => 0.6,
        };
        if line.leads { worth } else { 0.1 * worth / count as f32 }
    }

    /// The columns before the message are those that most lines fill with a time, a number or one and the same word.
    fn find_messages(&mut self) {
        let filled: Vec<&Line<'_>> = self.lines.iter().filter(|line| !line.is_blank()).collect();
        let mut alike: Vec<HashMap<&str, usize>> = vec![HashMap::new(); MOST_COLUMNS];
        let mut varying = [0_usize; MOST_COLUMNS];
        for line in &filled {
            for (place, span) in columns(line.text).take(MOST_COLUMNS).enumerate() {
                let cell = line.text.get(span).unwrap_or_default();
                if is_varying(cell) {
                    varying[place] += 1;
                } else {
                    *alike[place].entry(cell).or_default() += 1;
                }
            }
        }
        let most = filled.len() * 4 / 5;
        let leading = (0..MOST_COLUMNS)
            .take_while(|place| varying[*place] + alike[*place].values().max().copied().unwrap_or(0) > most)
            .count();
        // Where the lines have no more columns, what they all say is their message and not what stands before it.
        let longer = filled.iter().filter(|line| columns(line.text).nth(leading).is_some()).count();
        let leading = match longer * 2 >= filled.len() && leading < MOST_COLUMNS {
            true => leading,
            false => (0..leading).rev().find(|place| varying[*place] > most).map_or(0, |last| last + 1),
        };
        for line in &mut self.lines {
            let mut spans = columns(line.text).peekable();
            let mut taken = 0;
            while taken < leading {
                let Some(cell) = spans.peek().and_then(|span| line.text.get(span.clone())) else { break };
                if TROUBLE.is_match(cell) || !(is_varying(cell) || cell.len() < 40) {
                    break;
                }
                spans.next();
                taken += 1;
            }
            line.message = spans.next().map_or(0, |span| span.start);
            line.folds = taken == leading;
        }
    }
}

impl Line<'_> {
    pub(super) fn is_blank(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether it is more than a rule or the carets under a quoted line.
    pub(super) fn says_something(&self) -> bool {
        self.text.contains(char::is_alphanumeric)
    }

    /// Whether something failed, rather than might.
    pub(super) fn tells_of_failure(&self) -> bool {
        FAILURE.is_match(&self.form)
    }

    pub(super) fn tells_of_trouble(&self) -> bool {
        TROUBLE.is_match(&self.form)
    }

    /// The time of day in front of its message.
    pub(super) fn time(&self) -> Option<&str> {
        TIME.find(self.text.get(..self.message)?).map(|found| found.as_str())
    }

    /// What follows times, hosts and ids.
    pub(super) fn message(&self) -> &str {
        self.text.get(self.message..).unwrap_or(self.text)
    }

    pub(super) fn at(&self, level: Level, log: &Log<'_>) -> String {
        match level {
            Level::Dropped => String::new(),
            Level::Signature => self.words(3, false, log),
            Level::Words => self.words(7, true, log),
            Level::Message => self.telling_part(log).to_owned(),
            Level::Whole => self.text.to_owned(),
        }
    }

    /// The message, and of the columns before it those from the first telling word on.
    fn telling_part(&self, log: &Log<'_>) -> &str {
        let rarest = self.rarest(log);
        let telling = |word: String| rarest.iter().take(3).any(|rare| *rare == word);
        let before = columns(self.text).take_while(|span| span.start < self.message);
        let first = before.into_iter().find(|span| {
            let cell = self.text.get(span.clone()).unwrap_or_default();
            form_words(&VARYING.replace_all(cell, "#")).any(telling)
        });
        first.and_then(|span| self.text.get(span.start..)).unwrap_or(self.message())
    }

    /// The words of the line from the rarest among the templates up; of equally rare ones the longest first.
    fn rarest(&self, log: &Log<'_>) -> Vec<String> {
        let mut ranked: Vec<(usize, usize, String)> = form_words(&self.form)
            .collect::<HashSet<_>>()
            .into_iter()
            .map(|word| (log.commonness.get(&word).copied().unwrap_or(0), usize::MAX - word.len(), word))
            .collect();
        ranked.sort();
        ranked.into_iter().map(|(_, _, word)| word).collect()
    }

    /// The words that are rarest among the templates, in their order; words that stood together stay together.
    fn words(&self, most: usize, with_trouble: bool, log: &Log<'_>) -> String {
        let ranked = self.rarest(log);
        let chosen: HashSet<&str> = ranked.iter().take(most).map(String::as_str).collect();
        if chosen.len() < 3 {
            return self.message().to_owned();
        }
        let mut out = String::new();
        let (mut end, mut told) = (None, HashSet::new());
        for span in runs(self.text) {
            let run = self.text.get(span.clone()).unwrap_or_default();
            let lower = run.to_lowercase();
            let asked = form_words(&lower).any(|word| chosen.contains(word.as_str()))
                || (with_trouble && TROUBLE.is_match(run) && span.start >= self.message);
            if !asked || !told.insert(lower) {
                continue;
            }
            match end {
                None => {}
                Some(end) if span.start - end <= 2 => out.push_str(self.text.get(end..span.start).unwrap_or(" ")),
                Some(_) => out.push(' '),
            }
            out.push_str(run);
            end = Some(span.end);
        }
        if out.is_empty() { marks::ELLIPSIS.into() } else { out }
    }
}

/// A line's parts between white space or pipes.
fn columns(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    text.split([' ', '\t', '|']).filter_map(move |part| {
        let start = at;
        at += part.len() + 1;
        (!part.is_empty()).then_some(start..start + part.len())
    })
}

/// Runs of letters and digits.
fn runs(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = None;
    text.char_indices().chain([(text.len(), ' ')]).filter_map(move |(at, c)| match (c.is_alphanumeric(), start) {
        (true, None) => {
            start = Some(at);
            None
        }
        (false, Some(begun)) => {
            start = None;
            Some(begun..at)
        }
        _ => None,
    })
}

/// Whether a line goes on with what the line above it says: indented, quoted behind a bar, a test's account of values.
fn is_continued(line: &str) -> bool {
    let number = line.trim_start_matches(|c: char| c.is_ascii_digit());
    line.starts_with([' ', '\t', '|', '>'])
        || number.len() < line.len() && number.starts_with(" |")
        || line.starts_with("E ")
        || line.starts_with("Caused by")
}

/// Times, numbers, ids, addresses and mere punctuation.
fn is_varying(cell: &str) -> bool {
    cell.bytes().any(|byte| byte.is_ascii_digit())
        || !cell.contains(char::is_alphanumeric)
        || matches!(
            cell.trim_matches(|c: char| !c.is_alphanumeric()),
            "Jan"
                | "Feb"
                | "Mar"
                | "Apr"
                | "May"
                | "Jun"
                | "Jul"
                | "Aug"
                | "Sep"
                | "Oct"
                | "Nov"
                | "Dec"
                | "Mon"
                | "Tue"
                | "Wed"
                | "Thu"
                | "Fri"
                | "Sat"
                | "Sun"
        )
}

/// Words of three Latin letters or more, in lower case.
fn form_words(form: &str) -> impl Iterator<Item = String> {
    form.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 2).map(str::to_ascii_lowercase)
}

#[expect(clippy::expect_used, reason = "the patterns are constants, and a test compiles each")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

/// What differs from one occurrence of a line to the next.
static VARYING: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)0x[0-9a-f]+|\b[0-9a-f]{8,}\b|\d+"));

static TIME: LazyLock<Regex> = LazyLock::new(|| pattern(r"\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?"));

static TROUBLE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)error|fail|fatal|exception|warn|denied|refused|panic|critical|traceback"));

static FAILURE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)error|fail|fatal|exception|denied|refused|panic|critical|traceback"));

/// A message begins within the first so many columns.
const MOST_COLUMNS: usize = 12;
