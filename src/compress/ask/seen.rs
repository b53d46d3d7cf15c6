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
    /// The lines that are new in them, where runs of a hash begin: the first of them by the hash, the next by the number
    /// behind it, and so on.
    known: HashMap<u64, At, RandomState>,
    hashes: RandomState,
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
    text: u32,
    line: u32,
}

impl At {
    fn new(text: usize, line: usize) -> Self {
        // No body has 2^32 texts, and no more lines are read than `MOST_LINES`.
        let short = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Self { text: short(text), line: short(line) }
    }

    fn text(self) -> usize {
        self.text as usize
    }

    fn line(self) -> usize {
        self.line as usize
    }
}

/// Where a line is forwarded, and whether it is byte for byte.
#[derive(Debug, Clone, Copy)]
struct Stands {
    at: At,
    verbatim: bool,
}

impl Passages {
    /// Compares the texts of a conversation. Past half a million lines in all they stand for themselves.
    #[must_use]
    pub fn of(texts: &[&str]) -> Self {
        Self::default().and(texts)
    }

    /// The same of a conversation whose first texts were compared before, and what stands of them is to be noted anew.
    #[must_use]
    pub fn and(mut self, texts: &[&str]) -> Self {
        self.texts.iter_mut().for_each(|text| text.stands.clear());
        // One text repeats nothing of another.
        if self.is_empty() && texts.iter().filter(|text| text.len() >= LEAST).nth(1).is_none() {
            return self;
        }
        let new = self.texts.len();
        let mut left = MOST_LINES.saturating_sub(self.texts.iter().map(|text| text.lines.len()).sum());
        let bytes: usize = texts.iter().skip(new).map(|text| text.len()).sum();
        self.known.reserve((bytes / USUAL_LINE).min(left));
        for (of, text) in texts.iter().enumerate().skip(new) {
            let lines = if text.len() < LEAST { Vec::new() } else { lines::of(text, left, &self.hashes) };
            left -= lines.len();
            self.texts.push(Text { lines, repeats: Vec::new(), stands: Vec::new() });
            let repeats = self.add(texts, of);
            if let Some(last) = self.texts.last_mut() {
                last.repeats = repeats;
            }
        }
        self
    }

    /// Whether nothing was compared.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Bytes that it takes, about.
    #[must_use]
    pub fn weight(&self) -> usize {
        let repeat = |Repeat { of, .. }: &Repeat| size_of::<Repeat>() + size_of_val(of.as_slice());
        let text = |Text { lines, repeats, stands }: &Text| {
            let lines = lines.len() * size_of::<Line>() + stands.capacity() * size_of::<Option<Stands>>();
            size_of::<Text>() + lines + repeats.iter().map(repeat).sum::<usize>()
        };
        // A table has a byte besides each place, and is full at seven eighths.
        let places = self.known.capacity() / 7 * 8 * (size_of::<(u64, At)>() + 1);
        places + self.texts.iter().map(text).sum::<usize>()
    }

    /// The earlier texts that a text may refer to; one may come several times.
    pub fn referred(&self, text: usize) -> impl Iterator<Item = usize> {
        let repeats = self.texts.get(text).map(|text| text.repeats.as_slice()).unwrap_or_default();
        repeats.iter().flat_map(|repeat| &repeat.of).map(|(at, _)| at.text())
    }

    /// Notes what of a text is forwarded byte for byte, and what of it without loss: spans in order and apart from each
    /// other. What it refers to, as [`seen`](Self::seen) gave it, can be read there.
    pub fn note(&mut self, text: usize, exact: &[Range<usize>], lossless: &[Range<usize>]) {
        let Some(Text { lines, stands, .. }) = self.texts.get_mut(text) else { return };
        stands.resize(lines.len(), None);
        for (spans, verbatim) in [(lossless, false), (exact, true)] {
            let mut spans = spans.iter().peekable();
            for (line, (read, stands)) in lines.iter().zip(stands.iter_mut()).enumerate() {
                while spans.next_if(|span| span.end < read.content().end).is_some() {}
                if spans.peek().is_some_and(|span| span.start <= read.whole().start) {
                    *stands = Some(Stands { at: At::new(text, line), verbatim });
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
            if !is_worth_it(&self.texts, At::new(text, run.first), run.length) {
                continue;
            }
            seen.extend(self.passage(text, &run, &place(run.of.at.text())));
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
                let stands = self.texts.get(there.text())?.stands.get(there.line() + at).copied().flatten();
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
        let (own, earlier) = (lines(text, run.first)?, lines(run.of.at.text(), run.of.at.line())?);
        let (first, last) = (own.first()?, own.last()?);
        Some(Seen {
            span: first.whole().start..last.whole().end,
            place: place.to_string(),
            lines: (first.begins && last.ends).then(|| lines::numbers(own)).flatten(),
            earlier: lines::numbers(earlier)?,
            numbered: first.number.is_some(),
            whole: run.length == self.texts.get(run.of.at.text())?.lines.len()
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
        Stands { at: At::new(at.text(), at.line() + nth), verbatim }
    }

    fn goes_on(&self, next: Stands) -> bool {
        let line = self.line(self.length);
        next.at == line.at && next.verbatim == line.verbatim
    }
}

/// How texts are compared.
impl Passages {
    /// What a text repeats; what is new in it is known from now on.
    fn add(&mut self, texts: &[&str], of: usize) -> Vec<Repeat> {
        let mut repeats = Vec::new();
        let Some(count) = self.texts.get(of).map(|text| text.lines.len()) else { return repeats };
        let mut at = 0;
        while at < count {
            let here = At::new(of, at);
            let Some(hash) = self.hash(here) else {
                at += 1;
                continue;
            };
            let (found, free) = self.found(texts, here, hash);
            match found.iter().map(|(_, length)| *length).max() {
                Some(length) => {
                    repeats.push(Repeat { first: at, of: found });
                    at += length;
                }
                None => {
                    if let Some(free) = free {
                        self.known.insert(free, here);
                    }
                    at += 1;
                }
            }
        }
        repeats
    }

    /// The hash under which a line is known: its own where it is long, else with the two behind it.
    fn hash(&self, here: At) -> Option<u64> {
        let lines = self.texts.get(here.text())?.lines.get(here.line()..)?;
        let first = lines.first()?;
        if first.content().len() >= LONG_LINE {
            return Some(self.hashes.hash_one(first.hash));
        }
        let [one, two, three] = lines.get(..WINDOW)? else { return None };
        Some(self.hashes.hash_one((one.hash, two.hash, three.hash)))
    }

    /// The runs of earlier texts that the lines from `here` on repeat, the earliest first, and where they would be known,
    /// unless there are too many of their hash.
    fn found(&self, texts: &[&str], here: At, hash: u64) -> (Vec<(At, usize)>, Option<u64>) {
        let mut found = Vec::new();
        for place in (0..MOST_COMPARED).map(|nth| hash.wrapping_add(nth)) {
            let Some(there) = self.known.get(&place) else { return (found, Some(place)) };
            if there.text < here.text {
                let length = self.alike(texts, here, *there);
                found.extend(is_worth_it(&self.texts, here, length).then_some((*there, length)));
            }
        }
        (found, None)
    }

    /// How many lines from two places on are the same.
    fn alike(&self, texts: &[&str], here: At, there: At) -> usize {
        let text = |at: At| Some((*texts.get(at.text())?, self.texts.get(at.text())?.lines.get(at.line()..)?));
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
    let Some(lines) = texts.get(here.text()).map(|text| &text.lines) else { return false };
    let span = lines.get(here.line()).zip(lines.get((here.line() + length).saturating_sub(1)));
    length > 0 && span.is_some_and(|(first, last)| last.content().end - first.content().start >= LEAST)
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
const MOST_COMPARED: u64 = 4;

#[cfg(test)]
mod tests;
