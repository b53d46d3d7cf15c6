//! Prose: units are scored for redundancy and relevance, and what is kept of each is decided under one budget.

use std::{collections::BTreeMap, ops::Range};

mod account;
mod asked;
mod assemble;
mod breadth;
mod choice;
mod duties;
mod hanging;
mod keep;
mod rank;
pub(super) mod rows;
mod shorten;
mod speakers;
mod statements;

use super::{
    content::{Block, Kind},
    filler::{is_assent, is_greeting, is_notice},
    phrase::{self, Phrase},
    redundancy::{self, Kinds, Repeat},
    relevance::Relevance,
    segment::{self, Form, Segment},
    tokens::CountTokens,
};

/// Blocks of prose cut and scored, before any budget.
pub(super) struct Prose<'a> {
    text: &'a str,
    /// Spans in `text`.
    blocks: Vec<Range<usize>>,
    segments: Vec<Segment>,
    /// For each segment the block that it stands in.
    block_of: Vec<usize>,
    phrases: Vec<Phrase>,
    kinds: Kinds,
    /// Near-copies and fragments of other units.
    repeats: Vec<Option<Repeat>>,
    /// Units that say in other words what another one says.
    restated: Vec<Option<Repeat>>,
    /// How much of each unit's telling words stood before, 0–1.
    lexical: Vec<f32>,
    /// What each unit tells for its length, 0–1 of the unit that tells most.
    information: Vec<f32>,
    /// Relevance of each unit, 0–1; empty when nothing is asked.
    relevance: Vec<f32>,
    /// What the units say that more relevant ones do not; empty when nothing is asked.
    breadth: breadth::Breadth,
    /// Whether a line ends with the unit.
    ends_line: Vec<bool>,
    /// What is kept whatever it is worth.
    forced: Vec<bool>,
    /// For each unit whether it is kept or left out whole.
    whole: Vec<bool>,
    /// For each phrase the clause that it stands or falls with.
    duties: Vec<Option<duties::Part>>,
    /// Units that say nothing about any matter.
    empty: Vec<Option<Empty>>,
    speakers: speakers::Speakers<'a>,
    /// Whether each line is a statement by itself.
    is_list: bool,
    /// What stands for the rows of tables, by unit.
    rows: BTreeMap<usize, String>,
    /// For each phrase how much more it is worth within its unit for what is asked; empty where nothing is.
    lean: Vec<f32>,
}

/// Why a unit says nothing.
#[derive(Clone, Copy, PartialEq)]
enum Empty {
    Greeting,
    Notice,
    /// A turn that only shows that its speaker listens.
    Assent,
}

impl<'a> Prose<'a> {
    /// Reads the blocks of `text` that are prose, and tables whose rows compete with it.
    pub(super) fn read(
        text: &'a str,
        blocks: Vec<Block>,
        kinds: Kinds,
        tables: &rows::Tables<'_>,
        tokens: &dyn CountTokens,
    ) -> Self {
        let (segments, block_of, rows) = segments(text, &blocks, tables);
        let spans: Vec<Range<usize>> = segments.iter().map(|segment| segment.span.clone()).collect();
        let units: Vec<&str> = spans.iter().map(|span| text.get(span.clone()).unwrap_or_default()).collect();
        let mut phrases = phrase::phrases(text, &spans, tokens, kinds.lexical);
        rows::join(&mut phrases, &rows, tokens);
        let repeats = if kinds.structural { redundancy::repeats(&units) } else { vec![None; units.len()] };
        let lexical = account::lexical(&phrases, units.len());
        let information = account::information(&phrases, units.len());
        let ends_line = units.iter().map(|unit| unit.ends_with('\n')).collect();
        let forced = forced(text, &phrases);
        let whole = vec![!is_english(text, &blocks); segments.len()];
        let blocks = blocks.into_iter().map(|block| block.span).collect();
        let speakers = speakers::Speakers::find(&units);
        let empty = units.iter().map(|unit| empty(unit, &speakers).filter(|_| kinds.structural)).collect();
        let restated = vec![None; units.len()];
        let is_list = statements::is_list(&segments, &units);
        let bind = !is_list && !speakers.is_transcript();
        let duties = if bind { duties::of_phrases(text, &spans, &phrases) } else { vec![None; phrases.len()] };
        Self {
            text,
            blocks,
            segments,
            block_of,
            phrases,
            kinds,
            repeats,
            restated,
            lexical,
            information,
            relevance: Vec::new(),
            breadth: breadth::Breadth::default(),
            ends_line,
            forced,
            whole,
            duties,
            empty,
            speakers,
            is_list,
            rows,
            lean: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.phrases.is_empty()
    }

    /// Each unit under the title of its passage: what a reader would know of it.
    pub(super) fn titled_units(&self) -> Vec<String> {
        let mut title = "";
        let mut passage = usize::MAX;
        let mut table = rank::TableContext::default();
        let mut titled = Vec::with_capacity(self.segments.len());
        for (segment, unit) in self.segments.iter().zip(self.units()) {
            let bare = segment::after_label(self.speakers.said(unit).trim());
            if segment.passage != passage {
                (passage, title) = (segment.passage, "");
            }
            if segment.form == Form::Heading {
                title = bare;
            }
            if let Some(row) = table.row(segment, unit) {
                titled.push(row);
                continue;
            }
            let alone = title.is_empty() || segment.form == Form::Heading;
            titled.push(if alone { bare.to_owned() } else { format!("{title}. {bare}") });
        }
        titled
    }

    fn units(&self) -> Vec<&'a str> {
        self.segments.iter().map(|segment| self.text.get(segment.span.clone()).unwrap_or_default()).collect()
    }

    /// Ranks the units by what is asked. `similarity` is each one's similarity of meaning with the question; empty
    /// where no model says.
    pub(super) fn rank(&mut self, ask: &Relevance, similarity: &[f32]) {
        let titled = self.titled_units();
        let said: Vec<&str> = self.units().into_iter().map(|unit| self.speakers.said(unit)).collect();
        let by_whom = self.said_by_whom_is_asked_for(ask);
        let ranking = rank::Ranking { units: &said, titled: &titled, segments: &self.segments, by_whom: &by_whom, ask };
        self.relevance = ranking.scores(similarity);
        if !self.rows.is_empty() {
            self.lean = self.leaning(ask);
        }
        self.breadth = self.breadth();
    }

    /// Takes note of the units that say in other words what another one says. `meanings` are vectors of length one with
    /// their units, in order.
    pub(super) fn compare(&mut self, meanings: &[(usize, Vec<f32>)]) {
        for (unit, repeat) in redundancy::same_meaning(&self.units(), meanings) {
            if let Some(place) = self.restated.get_mut(unit) {
                *place = Some(repeat);
            }
        }
    }

    /// The units whose meaning is worth comparing, in the text's order: all of them where their titled forms have no
    /// more than `most` bytes; else those that words make relevant, and for a quarter of the bytes others from all over
    /// the text, since an answer may share no word with its question.
    pub(super) fn compared(&self, titled: &[String], most: usize) -> Vec<usize> {
        let size =
            |unit: usize| titled.get(unit).map_or(0, |text| text.len().clamp(SHORTEST_COMPARED, LONGEST_COMPARED));
        let all: Vec<usize> = (0..self.segments.len()).collect();
        if all.iter().map(|unit| size(*unit)).sum::<usize>() <= most {
            return all;
        }
        let relevance = |unit: usize| self.relevance.get(unit).copied().unwrap_or(0.0);
        let mut ranked = all;
        ranked.sort_by(|a, b| relevance(*b).total_cmp(&relevance(*a)).then(a.cmp(b)));
        let mut left = most - most / 4;
        let first = ranked.iter().take_while(|unit| {
            let fits = size(**unit) <= left;
            left = left.saturating_sub(size(**unit));
            fits
        });
        let mut chosen: Vec<usize> = first.copied().collect();
        let mut others = ranked.split_off(chosen.len());
        others.sort_unstable();
        let bytes: usize = others.iter().map(|unit| size(*unit)).sum();
        let (share, mut passed, mut taken) = (most / 4, 0, 0);
        for unit in others {
            passed += size(unit);
            // Taken where the bytes chosen lag behind the bytes passed.
            if taken * bytes < passed * share && taken + size(unit) <= share {
                taken += size(unit);
                chosen.push(unit);
            }
        }
        chosen.sort_unstable();
        chosen
    }
}

/// The units of all blocks, the block of each, and what stands for those that are rows; paragraphs and passages never span
/// blocks.
fn segments(
    text: &str,
    blocks: &[Block],
    tables: &rows::Tables<'_>,
) -> (Vec<Segment>, Vec<usize>, BTreeMap<usize, String>) {
    let mut found: Vec<Segment> = Vec::new();
    let mut block_of = Vec::new();
    let mut told = BTreeMap::new();
    for (number, block) in blocks.iter().enumerate() {
        let span = &block.span;
        let part = text.get(span.clone()).unwrap_or_default();
        let (paragraph, passage) = found.last().map_or((0, 0), |last| (last.paragraph + 1, last.passage + 1));
        let inside = if block.kind == Kind::Table {
            let (segments, texts) = tables.rows(part);
            told.extend(texts.into_iter().enumerate().map(|(row, text)| (found.len() + row, text)));
            segments
        } else {
            segment::segments(part)
        };
        for segment in inside {
            found.push(Segment {
                span: span.start + segment.span.start..span.start + segment.span.end,
                form: segment.form,
                paragraph: paragraph + segment.paragraph,
                passage: passage + segment.passage,
            });
            block_of.push(number);
        }
    }
    (found, block_of, told)
}

/// Whether the prose may be English: the rules for cutting inside of a sentence hold for no other language.
fn is_english(text: &str, blocks: &[Block]) -> bool {
    let longest =
        blocks.iter().map(|block| text.get(block.span.clone()).unwrap_or_default()).max_by_key(|part| part.len());
    let part = longest.unwrap_or_default();
    let sample = part.get(..part.floor_char_boundary(SAMPLE)).unwrap_or_default();
    whatlang::detect(sample).is_none_or(|found| found.lang() == whatlang::Lang::Eng || !found.is_reliable())
}

/// Bytes that the language is told from.
const SAMPLE: usize = 4_000;

fn empty(unit: &str, speakers: &speakers::Speakers<'_>) -> Option<Empty> {
    if speakers.turn(unit).is_some_and(|(_, said)| is_assent(said)) {
        return Some(Empty::Assent);
    }
    if is_greeting(unit) {
        return Some(Empty::Greeting);
    }
    is_notice(unit).then_some(Empty::Notice)
}

/// The first mention of JSON stays: a request for JSON output is refused where no message says the word.
fn forced(text: &str, phrases: &[Phrase]) -> Vec<bool> {
    let mut forced = vec![false; phrases.len()];
    let says_json = |phrase: &Phrase| {
        text.get(phrase.span.clone())
            .is_some_and(|part| part.as_bytes().windows(4).any(|word| word.eq_ignore_ascii_case(b"json")))
    };
    if let Some(flag) = phrases.iter().position(says_json).and_then(|first| forced.get_mut(first)) {
        *flag = true;
    }
    forced
}

/// Bytes that a unit counts for at least, since each is a run of its own, and at most, since a model of meanings reads
/// no more.
const SHORTEST_COMPARED: usize = 60;
const LONGEST_COMPARED: usize = 600;
