//! Prose: units are scored for redundancy and relevance, and what is kept of each is decided under one budget.

use std::{collections::BTreeMap, ops::Range};

mod asked;
mod assemble;
mod breadth;
mod duties;
mod hanging;
mod keep;
mod rank;
pub(super) mod rows;
mod shorten;
mod speakers;
mod statements;

use super::{
    Decision,
    content::{Block, Kind},
    filler::{is_assent, is_greeting, is_notice},
    phrase::{self, Phrase},
    redundancy::{self, Kinds, Redundancy, Repeat},
    relevance::Relevance,
    segment::{self, Form, Segment},
    select::{self, Candidates},
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
        let lexical = lexical(&phrases, units.len());
        let information = information(&phrases, units.len());
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

    /// Which phrases to keep so that what they make has `wanted` target tokens.
    pub(super) fn within(&self, wanted: usize, tokens: &dyn CountTokens) -> Vec<bool> {
        let mut budget = wanted;
        let mut best = (usize::MAX, Vec::new());
        // The estimate adds up phrases; together they may take a few tokens more or less.
        for _ in 0..=CORRECTIONS {
            let kept = self.select(budget);
            let got: usize = self.pieces(&kept, &BTreeMap::new()).iter().map(|piece| tokens.count(&piece.text)).sum();
            let off = got.abs_diff(wanted);
            if off < best.0 {
                best = (off, kept);
            }
            if off * 50 <= wanted {
                break;
            }
            budget = (budget * wanted / got.max(1)).clamp(wanted / 2, wanted + wanted / 2);
        }
        best.1
    }

    fn select(&self, budget: usize) -> Vec<bool> {
        let total: usize = self.phrases.iter().map(|phrase| phrase.cost).sum();
        // Where much is kept or something is asked, a telling phrase keeps its neighbours; else each must pay for itself.
        let kept = budget as f32 / total.max(1) as f32;
        let much = ((kept - 0.2) / 0.3).clamp(0.0, 1.0);
        let some = ((kept - 0.05) / 0.05).clamp(0.0, 1.0);
        let smooth = if self.relevance.is_empty() { much } else { 1.0 };
        let mut worth: Vec<f32> = self.phrases.iter().map(|phrase| self.worth(phrase, smooth)).collect();
        self.lean(&mut worth);
        if !self.relevance.is_empty() {
            let cores = self.widen(&mut worth, budget);
            self.bind_core(&mut worth, |unit| some * cores.get(unit).copied().unwrap_or(CORE_ASKED));
        } else if self.shares_alike() {
            self.share_alike(&mut worth);
        } else {
            self.bind_core(&mut worth, |_| CORE * much);
        }
        self.bind_conditions(&mut worth);
        let bound = self.bound();
        self.level(&bound, &mut worth, budget);
        let joint = |last: &Phrase, next: &Phrase| self.joint(last, next).cost();
        select::select(
            &Candidates { phrases: &self.phrases, worth: &worth, forced: &self.forced, bound: &bound, joint: &joint },
            budget,
        )
    }

    /// From now on the units at these spans are kept or left out whole; whether any of them was not yet.
    pub(super) fn hold_whole(&mut self, spans: &[Range<usize>]) -> bool {
        let mut new = false;
        for span in spans {
            let unit = self.segments.binary_search_by_key(&span.start, |segment| segment.span.start);
            if let Some(whole) = unit.ok().and_then(|unit| self.whole.get_mut(unit)) {
                new |= !*whole;
                *whole = true;
            }
        }
        new
    }

    /// What stands or falls together: the phrases of a unit that may not be cut, and those of a duty.
    fn bound(&self) -> Vec<Option<usize>> {
        let units = self.whole.len();
        let numbers = self.phrases.iter().zip(&self.duties).map(|(phrase, duty)| {
            let whole = self.whole.get(phrase.unit).copied().unwrap_or(false);
            if whole { Some(phrase.unit) } else { duty.map(|duty| units + duty.clause) }
        });
        numbers.collect()
    }

    /// The phrases of what is bound together are worth what they are on average, in a list of statements what any of its
    /// statements is that may not be cut. Where nothing is asked, the best duties count more, as many as fill half of the
    /// budget.
    fn level(&self, bound: &[Option<usize>], worth: &mut [f32], budget: usize) {
        let mut duties: Vec<(f32, usize, Range<usize>)> = Vec::new();
        let mut start = 0;
        for group in bound.chunk_by(|a, b| a == b) {
            let places = start..start + group.len();
            start = places.end;
            let Some(number) = group.first().copied().flatten() else { continue };
            let Some(worth) = worth.get_mut(places.clone()) else { continue };
            let told: Vec<f32> = worth.iter().copied().filter(|worth| *worth > select::NEVER).collect();
            if told.is_empty() {
                continue;
            }
            let mean = told.iter().sum::<f32>() / told.len() as f32;
            worth.fill(if self.shares_alike() { statements::UNCUT } else { mean });
            let binds = self.duties.get(places.start).copied().flatten().is_some_and(|duty| duty.binds);
            if binds && number >= self.whole.len() && self.relevance.is_empty() {
                let phrases = self.phrases.get(places.clone()).unwrap_or_default();
                duties.push((mean, phrases.iter().map(|phrase| phrase.cost).sum(), places));
            }
        }
        duties.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.2.start.cmp(&b.2.start)));
        let mut left = budget / 2;
        for (mean, cost, places) in duties {
            if let Some(worth) = worth.get_mut(places).filter(|_| cost <= left) {
                left -= cost;
                worth.fill(mean + DUTY);
            }
        }
    }

    /// Everything but what is said twice and what says nothing.
    pub(super) fn all_but_repeats(&self) -> Vec<bool> {
        self.phrases.iter().map(|phrase| !self.is_redundant(phrase)).collect()
    }

    /// Whether a phrase goes whatever there is room for.
    fn is_redundant(&self, phrase: &Phrase) -> bool {
        let asked_for = self.relevance.get(phrase.unit).is_some_and(|relevance| *relevance >= ASKED_FOR);
        let notice = self.emptiness(phrase.unit) == Some(Empty::Notice) && !asked_for;
        phrase.filler || notice || self.repeat(phrase.unit).is_some()
    }

    fn emptiness(&self, unit: usize) -> Option<Empty> {
        self.empty.get(unit).copied().flatten()
    }

    fn worth(&self, phrase: &Phrase, smooth: f32) -> f32 {
        if self.is_redundant(phrase) {
            return select::NEVER;
        }
        let penalty = if self.emptiness(phrase.unit).is_some() { EMPTY } else { 0.0 };
        let relevance = self.relevance.get(phrase.unit).copied().unwrap_or(0.0);
        let information = phrase.value + smooth * (phrase.smoothed - phrase.value);
        let restated = self.counted_restatement(phrase.unit).map_or(0.0, |repeat| repeat.share);
        (1.0 - RESTATED * restated) * (RELEVANCE * relevance.powi(2) + information / INFORMATION) - penalty
    }

    fn repeat(&self, unit: usize) -> Option<&Repeat> {
        self.repeats.get(unit).and_then(Option::as_ref)
    }

    fn restatement(&self, unit: usize) -> Option<&Repeat> {
        self.restated.get(unit).and_then(Option::as_ref)
    }

    /// The same where it counts against the unit.
    fn counted_restatement(&self, unit: usize) -> Option<&Repeat> {
        self.restatement(unit).filter(|_| self.kinds.semantic)
    }

    fn redundancy(&self, unit: usize) -> Redundancy {
        let says_nothing = f32::from(u8::from(self.emptiness(unit).is_some()));
        Redundancy {
            lexical: self.lexical.get(unit).copied().unwrap_or(0.0),
            structural: self.repeat(unit).map_or(says_nothing, |copy| copy.share),
            semantic: self.restatement(unit).map_or(0.0, |repeat| repeat.share),
        }
    }

    /// What a unit is worth to the reader, 0–1.
    fn score(&self, unit: usize) -> f32 {
        match self.repeat(unit) {
            Some(repeat) => 1.0 - repeat.share,
            None => self.relevance.get(unit).copied().unwrap_or_else(|| self.told(unit)),
        }
    }

    fn told(&self, unit: usize) -> f32 {
        self.information.get(unit).copied().unwrap_or(0.0)
    }

    fn reason(&self, unit: usize, decision: Decision) -> String {
        if let Some(copy) = self.repeat(unit) {
            return format!("unit {} says {:.0} % of it", copy.of, copy.share * 100.0);
        }
        if let Some(repeat) = self.counted_restatement(unit).filter(|_| decision != Decision::Kept) {
            return format!("unit {} seems to say the same ({:.2}); others tell more", repeat.of, repeat.share);
        }
        match self.emptiness(unit) {
            Some(Empty::Assent) if decision != Decision::Kept => {
                return "only shows that its speaker listens".to_owned();
            }
            Some(Empty::Greeting) if decision != Decision::Kept => return "a greeting".to_owned(),
            Some(Empty::Notice) if decision != Decision::Kept => return "a notice of the usual kind".to_owned(),
            _ => {}
        }
        let grounds = match self.relevance.get(unit) {
            Some(relevance) => format!("relevance {relevance:.2}"),
            None => format!("information {:.2}", self.told(unit)),
        };
        match decision {
            Decision::Kept => grounds,
            Decision::Rewritten => format!("{grounds}; what tells most of it"),
            Decision::Dropped => format!("{grounds}; others tell more"),
        }
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

/// For each unit the share of its telling words, by cost, that stood before.
fn lexical(phrases: &[Phrase], units: usize) -> Vec<f32> {
    let mut shares = vec![(0.0_f32, 0.0_f32); units];
    for phrase in phrases.iter().filter(|phrase| phrase.value > 0.0) {
        if let Some((said, all)) = shares.get_mut(phrase.unit) {
            *said += phrase.repeated * phrase.cost as f32;
            *all += phrase.cost as f32;
        }
    }
    shares.into_iter().map(|(said, all)| said / all.max(1.0)).collect()
}

/// For each unit what its phrases tell for each token, as a share of the most that a unit tells.
fn information(phrases: &[Phrase], units: usize) -> Vec<f32> {
    let mut told = vec![(0.0_f32, 0.0_f32); units];
    for phrase in phrases {
        if let Some((sum, cost)) = told.get_mut(phrase.unit) {
            *sum += phrase.value.max(0.0) * phrase.cost as f32;
            *cost += phrase.cost as f32;
        }
    }
    let told: Vec<f32> = told.into_iter().map(|(sum, cost)| sum / cost.max(1.0)).collect();
    let most = told.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    told.into_iter().map(|told| told / most).collect()
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

const CORRECTIONS: usize = 3;

/// Bytes that a unit counts for at least, since each is a run of its own, and at most, since a model of meanings reads
/// no more.
const SHORTEST_COMPARED: usize = 60;
const LONGEST_COMPARED: usize = 600;

/// The share of a unit that stays together at 2:1, none at 5:1: measured, it costs no answers there and reads better;
/// beyond, answers are lost to it, also for a reading model.
const CORE: f32 = 0.3;
/// The same where something is asked, down to 10:1: half a sentence is the least that can be understood. That finds as many
/// answers there; at 20:1 some 3 in 100 would be lost to it.
const CORE_ASKED: f32 = 0.5;

/// What the square of a unit's relevance (0–1) weighs beside what its phrases tell: what is hardly relevant competes by
/// what it tells.
const RELEVANCE: f32 = 2.0;
/// What a phrase would have to tell to be as good as half the best unit's relevance: where something is asked, whole
/// sentences that answer win over telling words of many.
const INFORMATION: f32 = 20.0;
/// How much less a unit counts that seems to say what another one says, where that is asked for.
const RESTATED: f32 = 0.5;
/// How much more a duty counts than what it tells, where nothing is asked: it leaves after names and numbers.
const DUTY: f32 = 1.0;
/// Puts what says nothing behind everything that says something.
const EMPTY: f32 = 50.0;
/// The relevance from which even a notice stays where no ratio is asked.
const ASKED_FOR: f32 = 0.5;
