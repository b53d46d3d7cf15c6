//! What kind of text a message holds, found by its content: mixed messages are cut into blocks of one kind each.
//!
//! The kind decides who condenses a block: prose goes to the units and the model, everything else to [`render`], which
//! knows the form's own redundancy (keys of records, templates of log lines, paths of search results).

mod lines;
mod runs;

use std::ops::Range;

use super::{CountTokens, Decision, Redundancy, Relevance, Unit, code, json, listing, log, markup, records, settings};

/// What kind of text a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Sentences, headings, lists: whatever is nothing else.
    Prose,
    /// One JSON object or array.
    Json,
    /// JSON values, one a line.
    JsonLines,
    /// Log lines, build and test output, with their stack traces.
    Log,
    /// Rows with cells between pipes or tabs.
    Table,
    /// Rows with cells between commas or semicolons.
    Csv,
    /// Search results and file lists: a path on each line.
    Listing,
    /// Source code, and whatever stands in a fence.
    Code,
    /// A unified diff.
    Diff,
    /// An HTML document.
    Html,
    /// `key: value` or `key = value` lines: YAML, ini files, headers.
    KeyValue,
    /// Base64 and the like: nothing a reader reads.
    Opaque,
}

impl Kind {
    /// The word used in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prose => "prose",
            Self::Json => "json",
            Self::JsonLines => "json_lines",
            Self::Log => "log",
            Self::Table => "table",
            Self::Csv => "csv",
            Self::Listing => "listing",
            Self::Code => "code",
            Self::Diff => "diff",
            Self::Html => "html",
            Self::KeyValue => "key_value",
            Self::Opaque => "opaque",
        }
    }
}

/// A part of a text of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Byte span in the text.
    pub span: Range<usize>,
    /// What it is.
    pub kind: Kind,
}

/// How short a block should become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// Lossless forms and pure redundancy only.
    Auto,
    /// At most so many target tokens, as far as the kind allows.
    Tokens(usize),
}

impl Budget {
    /// The most tokens that may be used.
    #[must_use]
    pub const fn most(self) -> usize {
        match self {
            Self::Auto => usize::MAX,
            Self::Tokens(most) => most,
        }
    }
}

/// What became of a block.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// What stands for the block; never more target tokens than the block itself.
    pub text: String,
    /// Its length in target tokens.
    pub tokens: usize,
    /// The block's units in order; spans are relative to the block and concatenate to it.
    pub units: Vec<Unit>,
}

impl Rendered {
    /// The block as it is.
    #[must_use]
    pub fn verbatim(block: &str, kind: Kind, why: &str, tokens: &dyn CountTokens) -> Self {
        let unit = Unit {
            span: 0..block.len(),
            kind: kind.as_str(),
            score: 1.0,
            redundancy: Redundancy::default(),
            decision: Decision::Kept,
            reason: why.into(),
            text: Some(block.into()),
        };
        Self { text: block.into(), tokens: tokens.count(block), units: vec![unit] }
    }

    /// The whole block stands in another form that says the same.
    #[must_use]
    pub fn reformed(block: &str, kind: Kind, text: String, why: &str, tokens: &dyn CountTokens) -> Self {
        let unit = Unit {
            span: 0..block.len(),
            kind: kind.as_str(),
            score: 1.0,
            redundancy: Redundancy::default(),
            decision: Decision::Rewritten,
            reason: why.into(),
            text: Some(text.clone()),
        };
        Self { tokens: tokens.count(&text), text, units: vec![unit] }
    }
}

/// The readable text of an HTML document; nothing for any other text.
#[must_use]
pub fn page(text: &str) -> Option<String> {
    (whole(text) == Some(Kind::Html)).then(|| markup::text(text)).flatten()
}

/// The blocks of a text in order; they concatenate to it. Linear in its length.
#[must_use]
pub fn blocks(text: &str) -> Vec<Block> {
    match whole(text) {
        Some(kind) => vec![Block { span: 0..text.len(), kind }],
        None => runs::cut(text),
    }
}

/// Condenses a block of any kind but prose, which stays as it is here.
///
/// White space around the block's content is kept, so that blocks can be joined again as they stood.
#[must_use]
pub fn render(block: &str, kind: Kind, ask: &Relevance, budget: Budget, tokens: &dyn CountTokens) -> Rendered {
    let rendered = match kind {
        Kind::Prose | Kind::Opaque => None,
        Kind::Json | Kind::JsonLines => json::render(block, kind, ask, budget, tokens),
        Kind::Log => log::render(block, ask, budget, tokens),
        Kind::Table | Kind::Csv => records::render(block, kind, ask, budget, tokens),
        Kind::Listing => listing::render(block, ask, budget, tokens),
        Kind::Html => markup::render(block, tokens),
        Kind::KeyValue => settings::render(block, ask, budget, tokens),
        Kind::Code | Kind::Diff => code::render(block, kind, tokens),
    };
    let whole = tokens.count(block);
    match rendered {
        Some(rendered) if rendered.tokens < whole => rendered,
        _ => Rendered::verbatim(block, kind, "as it is", tokens),
    }
}

/// The kind of a text that is of one piece.
fn whole(text: &str) -> Option<Kind> {
    let content = text.trim();
    if content.starts_with(['{', '[']) && json::is_value(content) {
        return Some(Kind::Json);
    }
    if markup::is_document(content) {
        return Some(Kind::Html);
    }
    lines::is_opaque(content).then_some(Kind::Opaque)
}

#[cfg(test)]
mod tests;
