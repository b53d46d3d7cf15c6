//! The pure pipeline: text and what is asked of it in, condensed text and an account of every unit out.
//!
//! Content kind -> atomic information units -> redundancy and relevance scores -> keep, rewrite or drop under the
//! ratio's budget -> one batched rewrite -> guard -> assemble. Nothing in here waits, reads a clock or draws a random
//! number: the outcome is a function of text, query, policy and model alone, which is what keeps a provider's prompt
//! cache valid when a growing conversation is replayed.

pub mod atoms;
mod body;
mod code;
pub mod content;
mod excerpt;
mod filler;
pub mod guard;
pub mod json;
pub mod lexicon;
mod listing;
mod log;
pub mod marks;
mod markup;
pub mod phrase;
mod prose;
pub mod query;
pub mod question;
pub mod ratio;
mod records;
pub mod redundancy;
pub mod reexpand;
pub mod relevance;
pub mod rewrite;
pub mod segment;
mod select;
mod settings;
pub mod tokens;
pub mod words;

use std::{collections::BTreeMap, ops::Range};

pub use query::{Query, ToolCall};
pub use ratio::{Factor, InvalidRatio, Level, Ratio};
pub use redundancy::Redundancy;
pub use reexpand::reexpand;
pub use relevance::Relevance;
pub use rewrite::{Encoded, Interrupt, RewriteError, RewriteRequest, Rewriter};
pub use tokens::{CountTokens, Encoding};

/// Raised whenever equal input may give other output than before; part of every cache key.
pub const PIPELINE_VERSION: u32 = 3;

/// What the operator and the request allow. Everything in here is part of the cache key.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// How far to go.
    pub ratio: Ratio,
    /// Texts below this many target tokens go on as they are.
    pub min_tokens: usize,
    /// Whether the model may score and rewrite units; selection alone otherwise.
    pub rewrite: bool,
    /// Which kinds of redundancy count.
    pub redundancy: redundancy::Kinds,
}

impl Default for Policy {
    fn default() -> Self {
        Self { ratio: Ratio::Auto, min_tokens: 256, rewrite: true, redundancy: redundancy::Kinds::default() }
    }
}

/// What became of one text.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Condensation {
    /// The shorter text, or why the original goes on.
    pub outcome: Outcome,
    /// The original's length in target tokens.
    pub tokens_before: usize,
    /// The forwarded text's length in target tokens; equal to `tokens_before` when unchanged.
    pub tokens_after: usize,
    /// Every unit of the source in order; their spans concatenate to the source. Empty when unchanged early.
    pub units: Vec<Unit>,
}

impl Condensation {
    /// The original goes on, with its reason.
    #[must_use]
    pub fn unchanged(reason: Reason, tokens: usize) -> Self {
        Self { outcome: Outcome::Unchanged(reason), tokens_before: tokens, tokens_after: tokens, units: Vec::new() }
    }

    /// The condensed text, if there is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.outcome {
            Outcome::Compressed(text) => Some(text),
            Outcome::Unchanged(_) => None,
        }
    }
}

/// Compressed, or unchanged for a reason. Not compressing is an outcome, not an error.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The text to forward instead.
    Compressed(String),
    /// The original goes on.
    Unchanged(Reason),
}

/// Why a text goes on as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Shorter than the policy's minimum.
    BelowMinimum,
    /// The best condensed form is not shorter in target tokens.
    NoGain,
    /// Nothing in it may be changed (code, diffs, binary-looking text).
    Protected,
    /// Longer than the configured most a slot may hold.
    TooLong,
    /// The request's time budget ran out.
    Deadline,
    /// The queue was full.
    Overloaded,
    /// The model failed or is not available.
    ModelFailed,
    /// Whoever asked has gone.
    Cancelled,
    /// There was no verdict of the fidelity check in time, and the configuration forwards the original then.
    Unverified,
}

impl Reason {
    /// The word used in headers, metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BelowMinimum => "below_minimum",
            Self::NoGain => "no_gain",
            Self::Protected => "protected",
            Self::TooLong => "too_long",
            Self::Deadline => "deadline",
            Self::Overloaded => "overloaded",
            Self::ModelFailed => "model_failed",
            Self::Cancelled => "cancelled",
            Self::Unverified => "unverified",
        }
    }
}

/// One atomic information unit of the source and its fate.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Unit {
    /// Byte span in the source.
    pub span: Range<usize>,
    /// What kind of text it is: `prose`, `heading`, `list`, `table`, `json`, `log`, `code`, …
    pub kind: &'static str,
    /// What it is worth to the reader, 0–1, after redundancy and relevance.
    pub score: f32,
    /// How much of it is said elsewhere or says nothing.
    pub redundancy: Redundancy,
    /// Its fate.
    pub decision: Decision,
    /// Why, in a few words.
    pub reason: String,
    /// What stands in the condensed text for it; `None` for a dropped unit.
    pub text: Option<String>,
}

/// The fate of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Stands verbatim.
    Kept,
    /// Stands in a shorter form.
    Rewritten,
    /// Left out.
    Dropped,
}

/// Condenses one text.
///
/// `tokens` counts in the target model's encoding; `rewriter` is absent when the policy or the operator runs without a
/// model.
///
/// # Errors
/// Only what `rewriter` reports (deadline, cancellation, a model fault): then nothing was decided, and the caller
/// forwards the original.
pub fn compress(
    text: &str,
    query: &Query,
    policy: &Policy,
    tokens: &dyn CountTokens,
    rewriter: Option<&mut dyn Rewriter>,
) -> Result<Condensation, RewriteError> {
    let before = tokens.count(text);
    if before < policy.min_tokens {
        return Ok(Condensation::unchanged(Reason::BelowMinimum, before));
    }
    // A page is read as its text; the budget is still that of the page.
    if let Some(page) = content::page(text) {
        let inner = condensed(&page, question::Frame::none(&page), before, query, policy, tokens, rewriter)?;
        return Ok(of_page(text, &page, inner, before, tokens));
    }
    // A tool's result holds no question of the user's.
    let frame = if query.call.is_some() { question::Frame::none(text) } else { question::frame(text) };
    condensed(text, frame, before, query, policy, tokens, rewriter)
}

/// Condenses what stands within `frame` of a text that is worth `before` target tokens.
fn condensed(
    text: &str,
    frame: question::Frame,
    before: usize,
    query: &Query,
    policy: &Policy,
    tokens: &dyn CountTokens,
    rewriter: Option<&mut dyn Rewriter>,
) -> Result<Condensation, RewriteError> {
    let asked = frame.question.clone().and_then(|span| text.get(span));
    let ask = Relevance::new(query, asked);
    let mut body = body::Body::read(text, frame.head..frame.tail, &ask, policy.ratio, policy.redundancy, tokens);
    if body.is_protected() {
        return Ok(Condensation::unchanged(Reason::Protected, before));
    }
    let mut rewriter = rewriter.filter(|_| policy.rewrite);
    body.rank(&ask, policy.ratio, rewriter.as_mut().map(|rewriter| &mut **rewriter as &mut dyn Rewriter))?;
    let goal = goal(text, &frame, policy.ratio, before, tokens);
    let plan = body.plan(&ask, goal, tokens);
    let mut kept = body.select(&plan, tokens);
    let write = |body: &body::Body<'_>, kept: &[bool], rewrites: &BTreeMap<usize, String>| {
        let (material, units) = body.write(&plan, kept, rewrites);
        framed(text, &frame, &material, units, before, tokens)
    };
    // A unit that the guard won't see cut is kept or left out whole, and the budget is shared out again.
    for _ in 0..ROUNDS {
        let cut = write(&body, &kept, &BTreeMap::new());
        let refused = guard::faults(text, &cut).into_iter().filter_map(|(at, _)| cut.units.get(at));
        let spans: Vec<Range<usize>> = refused.map(|unit| unit.span.clone()).collect();
        if goal.is_none() || !body.hold_whole(&spans) {
            break;
        }
        kept = body.select(&plan, tokens);
    }
    let rewrites = match rewriter.filter(|_| goal.is_some()) {
        Some(rewriter) => body.shorten(&kept, tokens, rewriter)?,
        None => BTreeMap::new(),
    };
    Ok(guarded(text, write(&body, &kept, &rewrites), tokens))
}

/// What became of a page's text, told of the page: one unit.
fn of_page(source: &str, page: &str, inner: Condensation, before: usize, tokens: &dyn CountTokens) -> Condensation {
    let text = inner.text().unwrap_or(page);
    let after = tokens.count(text);
    if after >= before {
        return Condensation::unchanged(Reason::NoGain, before);
    }
    let left_out = inner.units.iter().filter(|unit| unit.decision == Decision::Dropped).count();
    let unit = Unit {
        span: 0..source.len(),
        kind: content::Kind::Html.as_str(),
        score: 1.0,
        redundancy: Redundancy::default(),
        decision: Decision::Rewritten,
        reason: format!("the text of the page; {left_out} of {} units left out", inner.units.len()),
        text: Some(text.to_owned()),
    };
    let outcome = Outcome::Compressed(text.to_owned());
    Condensation { outcome, tokens_before: before, tokens_after: after, units: vec![unit] }
}

/// How often the budget is shared out again after what the guard refused.
const ROUNDS: usize = 2;

/// Target tokens of the condensed material; `None` where no ratio is asked.
fn goal(text: &str, frame: &question::Frame, ratio: Ratio, before: usize, tokens: &dyn CountTokens) -> Option<usize> {
    let Ratio::By(factor) = ratio else { return None };
    let count = |span: Range<usize>| text.get(span).map_or(0, |part| tokens.count(part));
    // The question is no material and costs nothing; the instructions around it do.
    let question = frame.question.clone().map_or(0, count);
    let framing = (count(0..frame.head) + count(frame.tail..text.len())).saturating_sub(question);
    let whole = (before.saturating_sub(question) as f32 / factor.value()) as usize;
    Some(whole.saturating_sub(framing).max(whole / 2))
}

/// The condensed material within what stays word for word around it.
fn framed(
    text: &str,
    frame: &question::Frame,
    material: &str,
    inner: Vec<Unit>,
    before: usize,
    tokens: &dyn CountTokens,
) -> Condensation {
    let head = text.get(..frame.head).unwrap_or_default();
    let tail = text.get(frame.tail..).unwrap_or_default();
    let condensed = format!("{head}{material}{tail}");
    let after = tokens.count(&condensed);
    if after >= before || material.trim().is_empty() {
        return Condensation::unchanged(Reason::NoGain, before);
    }
    let why = "what is asked stays word for word";
    let mut units: Vec<Unit> = body::protected(text, 0..frame.head, why).into_iter().collect();
    units.extend(inner);
    units.extend(body::protected(text, frame.tail..text.len(), why));
    Condensation { outcome: Outcome::Compressed(condensed), tokens_before: before, tokens_after: after, units }
}

/// The condensation with every unit back whose shorter form the guard refuses.
fn guarded(text: &str, condensation: Condensation, tokens: &dyn CountTokens) -> Condensation {
    let faults = guard::faults(text, &condensation);
    if faults.is_empty() {
        return condensation;
    }
    let refused: Vec<usize> = faults.iter().map(|(at, _)| *at).collect();
    let mut guarded = reexpand(text, &condensation, &refused, tokens);
    for (at, violation) in faults {
        if let Some(unit) = guarded.units.get_mut(at) {
            unit.reason = format!("refused: {violation}");
        }
    }
    guarded
}

#[cfg(test)]
mod tests;
