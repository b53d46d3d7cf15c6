//! What was seen before: runs of lines that stand in an earlier text of the same conversation, and the words that say
//! where.
//!
//! An agent reads a file, edits it and reads it again; it polls a list that hardly changes. Of the later text only what is
//! new has to be sent: for the rest a reference says where it can be read, and nothing is lost, since what it refers to is
//! in the same request, word for word. It refers backwards only, so a conversation that grows keeps the form that it had.
//!
//! Texts are compared line by line, where lines of a numbered view may stand under other numbers. Each line is looked up
//! by its hash and that of the two behind it, as LZ77 finds what to copy; only lines that are new are taken into the
//! index, so the earliest text that has a run is the one that is referred to. Linear in the texts.

mod lines;
mod place;

use std::{collections::HashMap, hash::BuildHasher as _, ops::Range};

use foldhash::fast::RandomState;

use lines::Line;
pub use place::{Given, Nth, Place};

/// A passage that stands in an earlier text of the conversation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Seen {
    /// Its bytes in the text: whole lines, or elements of a list of JSON on one line.
    pub span: Range<usize>,
    /// Where it stands, in words: `the result of read_file(src/db.py)`.
    pub place: String,
    /// The numbers of its lines, first and last, as the text shows them or from 1 on; `None` where it is no whole lines.
    pub lines: Option<(usize, usize)>,
    /// The numbers that its lines have in the earlier text.
    pub earlier: (usize, usize),
    /// Whether the text shows its lines' numbers, by which they are found.
    pub numbered: bool,
    /// Whether it is all of the earlier text.
    pub whole: bool,
    /// Whether it is forwarded there byte for byte; otherwise in a form that loses nothing.
    pub verbatim: bool,
}

/// What the texts of a conversation, in their order, repeat of earlier ones.
#[derive(Debug, Default)]
pub struct Passages {
    texts: Vec<Text>,
}

#[derive(Debug)]
struct Text {
    lines: Vec<Line>,
    repeats: Vec<Repeat>,
    /// Of each line where it is forwarded: here, or in an earlier text to which it refers. Empty while that isn't known.
    stands: Vec<Option<Stands>>,
}

/// Lines of a text that earlier ones have too.
#[derive(Debug)]
struct Repeat {
    first: usize,
    /// Where they stand, with how many of them; not empty.
    of: Vec<(At, usize)>,
}

/// A line: the text and the line's place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct At {
    text: usize,
    line: usize,
}

/// Where a line is forwarded, and whether it is byte for byte.
#[derive(Debug, Clone, Copy)]
struct Stands {
    at: At,
    verbatim: bool,
}

/// The lines that are new in the texts so far.
#[derive(Default)]
struct Index<'t> {
    texts: &'t [&'t str],
    read: Vec<Text>,
    /// Where runs of a hash begin: the first, the second, … of them.
    known: HashMap<(u64, usize), At, RandomState>,
    hashes: RandomState,
}

impl Passages {
    /// Compares the texts of a conversation. Past half a million lines in all they stand for themselves.
    #[must_use]
    pub fn of(texts: &[&str]) -> Self {
        // One text repeats nothing of another.
        if texts.iter().filter(|text| text.len() >= LEAST).nth(1).is_none() {
            return Self::default();
        }
        let mut index = Index { texts, ..Index::default() };
        let mut left = MOST_LINES;
        index.known.reserve((texts.iter().map(|text| text.len()).sum::<usize>() / USUAL_LINE).min(MOST_LINES));
        for (of, text) in texts.iter().enumerate() {
            let lines = if text.len() < LEAST { Vec::new() } else { lines::of(text, left, &index.hashes) };
            left -= lines.len();
            index.read.push(Text { lines, repeats: Vec::new(), stands: Vec::new() });
            let repeats = index.add(of);
            if let Some(last) = index.read.last_mut() {
                last.repeats = repeats;
            }
        }
        Self { texts: index.read }
    }

    /// The earlier texts that a text may refer to; one may come several times.
    pub fn referred(&self, text: usize) -> impl Iterator<Item = usize> {
        let repeats = self.texts.get(text).map(|text| text.repeats.as_slice()).unwrap_or_default();
        repeats.iter().flat_map(|repeat| &repeat.of).map(|(at, _)| at.text)
    }

    /// Notes what of a text is forwarded byte for byte, and what of it without loss: spans in order and apart from each
    /// other. What it refers to, as [`seen`](Self::seen) gave it, can be read there.
    pub fn note(&mut self, text: usize, exact: &[Range<usize>], lossless: &[Range<usize>]) {
        let Some(Text { lines, stands, .. }) = self.texts.get_mut(text) else { return };
        stands.resize(lines.len(), None);
        for (spans, verbatim) in [(lossless, false), (exact, true)] {
            let mut spans = spans.iter().peekable();
            for (line, (read, stands)) in lines.iter().zip(stands.iter_mut()).enumerate() {
                while spans.next_if(|span| span.end < read.content.end).is_some() {}
                if spans.peek().is_some_and(|span| span.start <= read.whole.start) {
                    *stands = Some(Stands { at: At { text, line }, verbatim });
                }
            }
        }
    }

    /// What of the text at `text` has been seen in earlier ones that were noted; `place` tells where one stands.
    pub fn seen<'p>(&mut self, text: usize, place: impl Fn(usize) -> Place<'p>) -> Vec<Seen> {
        let Some(read) = self.texts.get(text) else { return Vec::new() };
        let mut stands = vec![None; read.lines.len()];
        let mut seen = Vec::new();
        for run in read.repeats.iter().flat_map(|repeat| self.runs(repeat)) {
            if !is_worth_it(&self.texts, At { text, line: run.first }, run.length) {
                continue;
            }
            seen.extend(self.passage(text, &run, &place(run.of.at.text)));
            for (at, stands) in stands.iter_mut().skip(run.first).take(run.length).enumerate() {
                *stands = Some(run.line(at));
            }
        }
        if let Some(text) = self.texts.get_mut(text) {
            text.stands = stands;
        }
        seen
    }

    /// The lines of a repeat that are forwarded in earlier texts, run by run.
    fn runs(&self, repeat: &Repeat) -> Vec<Run> {
        let longest = repeat.of.iter().map(|(_, length)| *length).max().unwrap_or_default();
        let mut runs: Vec<Run> = Vec::new();
        for at in 0..longest {
            let line = |(there, length): &(At, usize)| {
                let stands = self.texts.get(there.text)?.stands.get(there.line + at).copied().flatten();
                stands.filter(|_| at < *length)
            };
            let mut found = repeat.of.iter().filter_map(line);
            let last = runs.last_mut().filter(|last| last.first + last.length == repeat.first + at);
            match last {
                Some(last) if found.clone().any(|stands| last.goes_on(stands)) => last.length += 1,
                _ => runs.extend(found.next().map(|of| Run { first: repeat.first + at, of, length: 1 })),
            }
        }
        runs
    }

    fn passage(&self, text: usize, run: &Run, place: &Place<'_>) -> Option<Seen> {
        let lines = |of: usize, line: usize| self.texts.get(of)?.lines.get(line..line + run.length);
        let (own, earlier) = (lines(text, run.first)?, lines(run.of.at.text, run.of.at.line)?);
        let (first, last) = (own.first()?, own.last()?);
        Some(Seen {
            span: first.whole.start..last.whole.end,
            place: place.to_string(),
            lines: (first.begins && last.ends).then(|| lines::numbers(own)).flatten(),
            earlier: lines::numbers(earlier)?,
            numbered: first.number.is_some(),
            whole: run.length == self.texts.get(run.of.at.text)?.lines.len()
                && earlier.first()?.number.is_some() == first.number.is_some(),
            verbatim: run.of.verbatim,
        })
    }
}

/// Lines of a text that stand one behind the other in an earlier one.
struct Run {
    first: usize,
    of: Stands,
    length: usize,
}

impl Run {
    /// Where a line of it stands.
    fn line(&self, nth: usize) -> Stands {
        let Stands { at, verbatim } = self.of;
        Stands { at: At { line: at.line + nth, ..at }, verbatim }
    }

    fn goes_on(&self, next: Stands) -> bool {
        let line = self.line(self.length);
        next.at == line.at && next.verbatim == line.verbatim
    }
}

impl Index<'_> {
    /// What a text repeats; what is new in it is known from now on.
    fn add(&mut self, of: usize) -> Vec<Repeat> {
        let mut repeats = Vec::new();
        let Some(count) = self.read.get(of).map(|text| text.lines.len()) else { return repeats };
        let mut at = 0;
        while at < count {
            let here = At { text: of, line: at };
            let Some(hash) = self.hash(here) else {
                at += 1;
                continue;
            };
            let found = self.found(here, hash);
            match found.iter().map(|(_, length)| *length).max() {
                Some(length) => {
                    repeats.push(Repeat { first: at, of: found });
                    at += length;
                }
                None => {
                    if let Some(free) = (0..MOST_COMPARED).find(|nth| !self.known.contains_key(&(hash, *nth))) {
                        self.known.insert((hash, free), here);
                    }
                    at += 1;
                }
            }
        }
        repeats
    }

    /// The hash under which a line is known: its own where it is long, else with the two behind it.
    fn hash(&self, At { text, line }: At) -> Option<u64> {
        let lines = &self.read.get(text)?.lines;
        let first = lines.get(line)?;
        if first.content.len() >= LONG_LINE {
            return Some(self.hashes.hash_one(first.hash));
        }
        let [one, two, three] = lines.get(line..line + WINDOW)? else { return None };
        Some(self.hashes.hash_one([one.hash, two.hash, three.hash]))
    }

    /// The runs of earlier texts that the lines from `here` on repeat, the earliest first.
    fn found(&self, here: At, hash: u64) -> Vec<(At, usize)> {
        let known = (0..MOST_COMPARED).map_while(|nth| self.known.get(&(hash, nth)));
        let earlier = known.filter(|there| there.text < here.text).map(|there| (*there, self.alike(here, *there)));
        earlier.filter(|(_, length)| is_worth_it(&self.read, here, *length)).collect()
    }

    /// How many lines from two places on are the same.
    fn alike(&self, here: At, there: At) -> usize {
        let text = |at: At| Some((*self.texts.get(at.text)?, self.read.get(at.text)?.lines.get(at.line..)?));
        let Some(((own, here), (other, there))) = text(here).zip(text(there)) else { return 0 };
        let pairs = here.iter().zip(there);
        let Some((shift, exact)) = pairs.clone().next().map(|(line, as_in)| (line.shift(as_in), line.may_equal(as_in)))
        else {
            return 0;
        };
        let mut last: Option<&Line> = None;
        pairs
            .take_while(|(line, as_in)| {
                let follows = exact || last.is_none_or(|last| last.is_followed_by(line));
                last = Some(line);
                follows
                    && line.shift(as_in) == shift
                    && line.hash == as_in.hash
                    && line.says(own, exact) == as_in.says(other, exact)
            })
            .count()
    }
}

fn is_worth_it(texts: &[Text], here: At, length: usize) -> bool {
    let Some(lines) = texts.get(here.text).map(|text| &text.lines) else { return false };
    let span = lines.get(here.line).zip(lines.get((here.line + length).saturating_sub(1)));
    length > 0 && span.is_some_and(|(first, last)| last.content.end - first.content.start >= LEAST)
}

/// Lines of all texts that are compared.
const MOST_LINES: usize = 1 << 19;

/// Bytes of most lines.
const USUAL_LINE: usize = 32;

/// Bytes from which on a passage, and a text, may be worth a reference. What it really saves is counted in tokens later.
const LEAST: usize = 240;

/// Lines that are looked up together.
const WINDOW: usize = 3;

/// Bytes of a line that is looked up alone.
const LONG_LINE: usize = LEAST;

/// Earlier places that a line is compared with.
const MOST_COMPARED: usize = 4;

#[cfg(test)]
mod tests;
