//! Which form each part of a text has: mixed messages are cut into blocks of one form each.
//!
//! What a tool call says (its name, a path among its arguments) decides first, then the content. What nothing recognises
//! with confidence is exact.

mod call;
mod lines;
mod output;
mod page;
mod runs;
mod source;

use std::ops::Range;

pub(in crate::compress) use call::{reads_file, reads_from_the_first_line};

use super::{Block, Form, json, listing};
use crate::compress::{ask::Query, fuel, text::escape};

/// The form that most of a text has; prose where that would take more steps than its length brings.
#[must_use]
pub fn form_of(text: &str) -> Form {
    let blocks = fuel::limited(text.len(), || blocks(text, 0..text.len(), &Query::default()));
    blocks.into_iter().flatten().max_by_key(|block| block.span.len()).map_or(Form::Prose, |block| block.form)
}

/// The blocks of a part of a text in order; they concatenate to it. Linear in its length.
#[must_use]
pub(in crate::compress) fn blocks(text: &str, span: Range<usize>, query: &Query) -> Vec<Block> {
    let part = text.get(span.clone()).unwrap_or_default();
    if reads_file(query) {
        let printed = !call::names_source(query) && output::is_output(part);
        let form = if printed { Form::Log } else { Form::Code };
        return vec![Block { span, form }];
    }
    let found = match whole(part) {
        Some(form) => vec![Block { span: 0..part.len(), form }],
        None if query.call.is_some() && output::is_output(part) && !runs::is_chat(part) => {
            vec![Block { span: 0..part.len(), form: Form::Log }]
        }
        None => runs::cut(part),
    };
    let found = if query.call.is_some() { listed(part, found) } else { found };
    let placed = |block: Block| Block { span: span.start + block.span.start..span.start + block.span.end, ..block };
    found.into_iter().map(placed).collect()
}

/// What a tool prints line by line is a list where its lines are neither sentences nor parts of a log, and so are the few
/// lines before and behind one.
fn listed(text: &str, mut blocks: Vec<Block>) -> Vec<Block> {
    let of_log = |line: &&str| matches!(lines::look(line), lines::Look::Log | lines::Look::Trace);
    let is_list =
        |part: &str| listing::is_list(part) && part.lines().filter(of_log).count() * 8 <= part.lines().count();
    let part = |block: &Block| text.get(block.span.clone()).unwrap_or_default();
    for block in blocks.iter_mut().filter(|block| block.form == Form::Prose) {
        if is_list(part(block)) {
            block.form = Form::Listing;
        }
    }
    let listed: Vec<bool> =
        blocks.iter().map(|block| matches!(block.form, Form::Listing | Form::Columns | Form::Hits)).collect();
    for (at, block) in blocks.iter_mut().enumerate().filter(|(_, block)| block.form == Form::Prose) {
        let beside = [at.checked_sub(1), Some(at + 1)].into_iter().flatten().any(|at| listed.get(at) == Some(&true));
        if beside && listing::is_beside_list(part(block)) {
            block.form = Form::Listing;
        }
    }
    blocks
}

/// The form of a text that is of one piece.
fn whole(text: &str) -> Option<Form> {
    let content = text.trim();
    if content.starts_with(['{', '[']) && (escape::is_json(content) || json::is_cut(content)) {
        return Some(Form::Json);
    }
    if page::is_document(content) {
        return Some(Form::Html);
    }
    lines::is_opaque(content).then_some(Form::Opaque)
}

#[cfg(test)]
mod tests;
