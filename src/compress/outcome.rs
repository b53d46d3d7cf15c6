//! What became of a text, unit by unit: the account that is cached, explained, audited and replayed.

mod choice;
mod form;
mod redundancy;
mod violation;

use std::{borrow::Cow, fmt, ops::Range};

pub use choice::Choice;
pub use form::Form;
pub use redundancy::Redundancy;
pub use violation::{Fault, Violation};

use super::{original::OriginalId, ratio::Ratio, text::escape};

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
    /// What was chosen, for whoever remembers it; `None` where nothing was, or where it can't be told in numbers.
    #[serde(skip)]
    pub choice: Option<Choice>,
    /// The name of the original that a mark of the text gives.
    #[serde(skip)]
    pub original: Option<OriginalId>,
    /// Whether there was time to weigh words alone; whoever keeps the time says so.
    pub hurried: bool,
}

impl Condensation {
    /// The original goes on, with its reason.
    #[must_use]
    pub fn unchanged(reason: Reason, tokens: usize) -> Self {
        Self {
            outcome: Outcome::Unchanged(reason),
            tokens_before: tokens,
            tokens_after: tokens,
            units: Vec::new(),
            choice: None,
            original: None,
            hurried: false,
        }
    }

    /// The condensed text, if there is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.outcome {
            Outcome::Compressed(text) => Some(text),
            Outcome::Unchanged(_) => None,
        }
    }

    /// The form that most of the text is of, the first of equal ones; `None` where it was not read.
    #[must_use]
    pub fn form(&self) -> Option<Form> {
        let mut forms: Vec<(Form, usize)> = Vec::new();
        for unit in &self.units {
            match forms.iter_mut().find(|(form, _)| *form == unit.form) {
                Some((_, bytes)) => *bytes += unit.span.len(),
                None => forms.push((unit.form, unit.span.len())),
            }
        }
        forms.iter().rev().max_by_key(|(_, bytes)| *bytes).map(|(form, _)| *form)
    }

    /// The spans of a text of this length that are forwarded byte for byte, in order and apart from each other.
    #[must_use]
    pub fn exact(&self, length: usize) -> Vec<Range<usize>> {
        self.spans(length, |unit| unit.decision == Decision::Kept)
    }

    /// The same of what is forwarded without loss.
    #[must_use]
    pub fn lossless(&self, length: usize) -> Vec<Range<usize>> {
        self.spans(length, |unit| unit.decision == Decision::Kept || unit.why == Why::Lossless)
    }

    fn spans(&self, length: usize, of: impl Fn(&Unit) -> bool) -> Vec<Range<usize>> {
        if self.text().is_none() {
            return std::iter::once(0..length).collect();
        }
        let mut spans: Vec<Range<usize>> = Vec::new();
        // A string with something missing is written anew.
        for unit in self.units.iter().filter(|unit| of(unit) && unit.escaped == 0) {
            match spans.last_mut().filter(|last| last.end == unit.span.start) {
                Some(last) => last.end = unit.span.end,
                None => spans.push(unit.span.clone()),
            }
        }
        spans
    }

    /// What kept the text from the ratio that was asked for, or from being weighed as it could be; nothing where it came
    /// near.
    #[must_use]
    pub fn limit(&self, ratio: Ratio) -> Option<Limit> {
        if self.hurried && self.text().is_some() {
            return Some(Limit::Time);
        }
        let Ratio::By(factor) = ratio else { return None };
        let asked = self.tokens_before as f32 / factor.value();
        if self.text().is_none() || self.tokens_after as f32 <= asked * NEAR {
            return None;
        }
        let bytes =
            |why: Why| -> usize { self.units.iter().filter(|unit| unit.why == why).map(|unit| unit.span.len()).sum() };
        let (frame, exact) = (bytes(Why::Frame), bytes(Why::Exact));
        let kept: usize = self.units.iter().filter(|unit| unit.text.is_some()).map(|unit| unit.span.len()).sum();
        Some(match () {
            () if frame >= exact && frame * 2 >= kept => Limit::Frame,
            () if exact * 2 >= kept => Limit::Exact,
            () => Limit::Truth,
        })
    }
}

/// How far past the tokens asked for a text may be before something is said to have limited it.
const NEAR: f32 = 1.2;

/// What kept a text from the ratio that was asked for, or from being weighed as it could be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// No shorter text would be true: units stand with what they need, or not at all.
    Truth,
    /// Most of what stands is exact at every ratio.
    Exact,
    /// Most of what stands is addressed to the model.
    Frame,
    /// There was no time to ask a model: words alone were weighed.
    Time,
}

impl Limit {
    /// The word used in headers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Truth => "truth",
            Self::Exact => "exact",
            Self::Frame => "frame",
            Self::Time => "time",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truth => "units stand with what they need or not at all",
            Self::Exact => "most of what stands is exact at every ratio",
            Self::Frame => "most of what stands is addressed to the model",
            Self::Time => "there was time for words alone, without the model",
        })
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Shorter than the policy's minimum.
    BelowMinimum,
    /// The best condensed form is not shorter in target tokens.
    NoGain,
    /// All of it is addressed to the model: instructions, questions, examples.
    Frame,
    /// Nothing in it may be changed (a file that was read, code at `auto`, an unknown form).
    Protected,
    /// Longer than the configured most a slot may hold.
    TooLong,
    /// It would take more work, or more memory, than a text of its length is given.
    Costly,
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
            Self::Frame => "frame",
            Self::Protected => "protected",
            Self::TooLong => "too_long",
            Self::Costly => "costly",
            Self::Deadline => "deadline",
            Self::Overloaded => "overloaded",
            Self::ModelFailed => "model_failed",
            Self::Cancelled => "cancelled",
            Self::Unverified => "unverified",
        }
    }
}

/// One item of the source and its fate: an atomic information unit.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Unit {
    /// Byte span in the source.
    pub span: Range<usize>,
    /// The form of the block that it stands in.
    pub form: Form,
    /// What it is worth to the reader, 0–1, beside the worthiest of the text; `None` where nothing was weighed: at `auto`,
    /// and where what was chosen before was written again.
    pub score: Option<f32>,
    /// How much of it is said elsewhere.
    pub redundancy: Redundancy,
    /// Its fate.
    pub decision: Decision,
    /// Why.
    pub why: Why,
    /// What stands in the condensed text for it; `None` for a dropped unit.
    pub text: Option<String>,
    /// What a mark counts where it is left out.
    pub noun: Noun,
    /// How many of them it is.
    pub count: usize,
    /// The white space behind its text, where that is not the source's.
    #[serde(skip)]
    pub ends: Option<&'static str>,
    /// In how many JSON strings, one within the other, it stands: source and text are written with escapes there.
    #[serde(skip)]
    pub escaped: u8,
}

impl Unit {
    /// The unit as every account of it is serialised.
    #[must_use]
    pub fn account(&self) -> UnitAccount {
        UnitAccount {
            start: self.span.start,
            end: self.span.end,
            form: self.form,
            score: self.score,
            redundancy: self.redundancy,
            decision: self.decision,
            reason: self.why.to_string(),
        }
    }

    /// What a part of the source or of the condensed text says that stands for it.
    pub(super) fn says<'t>(&self, text: &'t str) -> Cow<'t, str> {
        escape::said(text, self.escaped)
    }

    /// Its score in four places, for people.
    #[must_use]
    pub fn scored(&self) -> String {
        self.score.map_or_else(|| "   –".to_owned(), |score| format!("{score:.2}"))
    }

    /// What the guard had against its shorter form, where it refused one.
    #[must_use]
    pub fn refused(&self) -> Option<Violation> {
        match self.why {
            Why::Refused(violation) => Some(violation),
            _ => None,
        }
    }
}

/// A unit as the command line, the explain pages and the API write it in JSON.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct UnitAccount {
    /// Byte offset in the source where it begins.
    pub start: usize,
    /// Byte offset in the source where it ends.
    pub end: usize,
    /// The form of its block.
    pub form: Form,
    /// What it is worth, 0–1, beside the worthiest; `null` where nothing was weighed.
    pub score: Option<f32>,
    /// How much of it is said elsewhere.
    pub redundancy: Redundancy,
    /// Its fate.
    pub decision: Decision,
    /// Why, in a few words.
    pub reason: String,
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

impl Decision {
    /// The word used in explanations.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Rewritten => "rewritten",
            Self::Dropped => "dropped",
        }
    }
}

/// Why a unit has its fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It is addressed to the model.
    Frame,
    /// Its form may not be changed here.
    Exact,
    /// Nothing had to go.
    Whole,
    /// It is among what is worth most within the budget.
    Chosen,
    /// Another unit that stands would mislead without it.
    Needed,
    /// It says the same in a shorter way.
    Lossless,
    /// A shorter statement stands for it.
    Shorter,
    /// It is said elsewhere in the text by the same owner.
    Said,
    /// It stands word for word in an earlier message, to which a mark refers.
    Seen,
    /// Other units are worth more.
    Outweighed,
    /// The fidelity check put it back.
    PutBack,
    /// The guard refused its shorter form.
    Refused(Violation),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Frame => "addressed to the model",
            Self::Exact => "exact in this form",
            Self::Whole => "whole",
            Self::Chosen => "worth its tokens",
            Self::Needed => "needed by another unit",
            Self::Lossless => "the same in fewer tokens",
            Self::Shorter => "a shorter statement",
            Self::Said => "said elsewhere",
            Self::Seen => "stands in an earlier message",
            Self::Outweighed => "other units are worth more",
            Self::PutBack => "put back",
            Self::Refused(violation) => return write!(f, "refused: {violation}"),
        })
    }
}

/// What a mark counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Noun {
    /// Statements of prose; their marks stand inside a paragraph.
    Sentences,
    /// Lines of a file, a log, a listing.
    Lines,
    /// Lines of a text that is a file from its first line on: marks tell their numbers too.
    FileLines,
    /// Rows of a table or records of a list.
    Rows,
    /// Keys of an object or of a settings file.
    Keys,
    /// Values of a list.
    Values,
}

impl Noun {
    /// The word in a mark.
    #[must_use]
    pub const fn as_str(self, count: usize) -> &'static str {
        match (self, count) {
            (Self::Sentences, 1) => "sentence",
            (Self::Sentences, _) => "sentences",
            (Self::Lines | Self::FileLines, 1) => "line",
            (Self::Lines | Self::FileLines, _) => "lines",
            (Self::Rows, 1) => "row",
            (Self::Rows, _) => "rows",
            (Self::Keys, 1) => "key",
            (Self::Keys, _) => "keys",
            (Self::Values, 1) => "value",
            (Self::Values, _) => "values",
        }
    }
}
