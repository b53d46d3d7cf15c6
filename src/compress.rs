//! The theory of condensing, as code. Text and what is asked of it in; condensed text and an account of every unit out.
//!
//! A message is its **frame** (what is addressed to the model: asked, ordered, shown as an example) and its **material**.
//! The material is cut into **blocks**, each of one **form**. A form reads its block into **items** (a statement, a row, a
//! log line, a key, a run of code). An item offers **variants**, from whole to shorter to absent; each variant is true by
//! itself, has a cost in target tokens and a **worth**. **Bonds** say what needs what and what stands together. One
//! **choice** spends the budget. What was chosen is written with **marks** where something is missing; the **guard** reads
//! it against the source. Every item's fate is the account.
//!
//! Nothing that arrives says something else: an item is whole, in a variant that is true by itself, or absent. Where no
//! true variant fits the budget, the budget gives way: a ratio is a target, truth is not.
//!
//! Nothing in here waits, reads a clock or draws a random number: the outcome is a function of text, query, policy and
//! model alone, which is what keeps a provider's prompt cache valid when a growing conversation is replayed.

mod ask;
mod bond;
mod choose;
mod form;
mod fuel;
pub mod guard;
mod mark;
mod original;
mod outcome;
mod policy;
mod ratio;
mod reexpand;
mod replay;
mod rewrite;
mod shorten;
mod syntax;
pub mod text;
mod tokens;
mod worth;

pub use ask::{Given, Nth, Passages, Place, Query, Seen, ToolCall};
pub use form::detect::form_of;
pub use fuel::interruptible;
pub use original::{OriginalId, READ};
pub use outcome::{
    Choice, Condensation, Decision, Form, Limit, Noun, Outcome, Reason, Redundancy, Unit, UnitAccount, Why,
};
pub use policy::{Kinds, Policy, Style};
pub use ratio::{Factor, InvalidRatio, Level, Ratio};
pub use reexpand::reexpand;
pub use replay::replay;
pub use rewrite::{Interrupt, RewriteError, Rewriter, Shorter};
#[doc(hidden)]
pub use shorten::forms;
pub use syntax::{Relation, Syntax, Tag, Word};
pub use tokens::{CountTokens, Encoding};

use ask::{Frame, Wanted};
use choose::Variants;
use form::{Page, Reader};
use worth::{Worth, weights::GIVES_WAY};

/// Raised whenever equal input may give other output than before; part of every cache key. A golden test notices.
pub const PIPELINE_VERSION: u32 = 13;

/// Condenses one text.
///
/// `tokens` counts in the target model's encoding; `rewriter` is absent when the policy or the operator runs without a
/// model.
///
/// # Errors
/// Only what `rewriter` reports (deadline, cancellation, a model fault): then nothing was decided, and the caller
/// forwards the original. Around all of it [`interruptible`] ends what takes too long.
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
    fuel::limited(text.len(), || condense(text, query, policy, tokens, rewriter, before))
        .unwrap_or_else(|| Ok(Condensation::unchanged(Reason::Costly, before)))
}

/// Condenses one text of `before` tokens.
fn condense(
    text: &str,
    query: &Query,
    policy: &Policy,
    tokens: &dyn CountTokens,
    rewriter: Option<&mut dyn Rewriter>,
    before: usize,
) -> Result<Condensation, RewriteError> {
    // Every reader of lines holds them for a while.
    fuel::room(memchr::memchr_iter(b'\n', text.as_bytes()).count() / LINES_AN_ENTRY);
    let frame = ask::frame(text, query);
    if frame.is_whole() {
        return Ok(Condensation::unchanged(Reason::Frame, before));
    }
    let wanted = Wanted::new(query, frame.asked(text));
    let of_file = form::detect::reads_file(query);
    let reader = Reader { wanted: &wanted, query, of_file, ratio: policy.ratio, style: policy.style, tokens };
    let mut page = form::read(text, &frame, &reader);
    if page.is_fixed() {
        return Ok(Condensation::unchanged(Reason::Protected, before));
    }
    let mut costs = costs(&page, tokens);
    let read: Vec<usize> = costs.iter().map(Vec::len).collect();
    let Ratio::By(factor) = policy.ratio else {
        let choice = choose::lossless(&page, &costs);
        let written = guarded(text, account(text, &page, &choice, &[], before, (tokens, query.original)), tokens);
        return Ok(Condensation { choice: replay::choice(text, &page, &read, &written), ..written });
    };
    let mut model = rewriter.filter(|_| policy.rewrite);
    let asked = model.as_mut().map(|model| &mut **model as &mut dyn Rewriter);
    let goal = goal(text, &frame, factor, before, tokens);
    let room = goal.saturating_sub(fixed(&page, &costs));
    let worths = worth::weigh(&page, &wanted, policy.redundancy, room, asked)?;
    if let Some(model) = model {
        shorten::shorten(&mut page, &worths, &mut costs, room, &wanted, model, |text| tokens.count(text))?;
    }
    let written = guarded(text, fitted(text, &page, &worths, &costs, goal, before, (tokens, query.original)), tokens);
    Ok(Condensation { choice: replay::choice(text, &page, &read, &written), ..written })
}

/// Lines that take the room of one item.
const LINES_AN_ENTRY: usize = 2;

/// What each variant of each item costs.
fn costs(page: &Page<'_>, tokens: &dyn CountTokens) -> Vec<Vec<usize>> {
    let cost = |item: &form::Item<'_>| item.variants.iter().map(|variant| tokens.count(&variant.text)).collect();
    page.items.iter().map(cost).collect()
}

/// What stands whatever is chosen costs.
fn fixed(page: &Page<'_>, costs: &[Vec<usize>]) -> usize {
    page.items.iter().zip(costs).filter(|(item, _)| item.fixed).filter_map(|(_, costs)| costs.first()).sum()
}

/// Target tokens of the whole condensed text. What the user asks is no material and costs nothing; what else is addressed
/// to the model is paid for by the material, down to half of its own share.
fn goal(text: &str, frame: &Frame, factor: Factor, before: usize, tokens: &dyn CountTokens) -> usize {
    let count = |part: Option<&str>| part.map_or(0, |part| tokens.count(part));
    let question = count(frame.question(text)).min(before);
    let material: usize = frame.material().iter().map(|span| count(text.get(span.clone()))).sum();
    let share = (before - question) as f32 / factor.value();
    let framing = before.saturating_sub(material);
    framing + (share as usize + question).saturating_sub(framing).max((material as f32 / factor.value() / 2.0) as usize)
}

/// The text of most worth that is no longer than `goal`, marks included. What joining costs is known once it is done, so
/// the budget is set right a few times.
fn fitted(
    text: &str,
    page: &Page<'_>,
    worths: &[Worth],
    costs: &[Vec<usize>],
    goal: usize,
    before: usize,
    (tokens, original): Writes<'_>,
) -> Condensation {
    let values: Vec<f32> = worths.iter().map(|worth| worth.value).collect();
    let fixed = fixed(page, costs);
    let mut budget = goal.saturating_sub(fixed);
    let mut best: Option<(Condensation, f32)> = None;
    for _ in 0..CORRECTIONS {
        let choice = choose::within(page, &values, costs, budget);
        let written = account(text, page, &choice.variants, worths, before, (tokens, original));
        let spent = written.tokens_after;
        let fits = spent <= goal;
        let better = best.as_ref().is_none_or(|(best, _)| {
            let held = best.tokens_after;
            if fits { held > goal || spent > held } else { held > goal && spent < held }
        });
        if better {
            best = Some((written, choice.worth));
        }
        if fits && goal - spent <= goal / 50 {
            break;
        }
        let next = if fits { budget + (goal - spent) } else { budget.saturating_sub(spent - goal) };
        if next == budget {
            break;
        }
        budget = next;
    }
    // One statement that is worth more than all that would fit: the budget gives way to it.
    let held = best.as_ref().map_or(0.0, |(_, worth)| *worth);
    let alone = choose::worthiest(page, &values, costs)
        .filter(|choice| choice.worth > held)
        .map(|choice| account(text, page, &choice.variants, worths, before, (tokens, original)))
        .filter(|alone| {
            let most = goal + (goal.saturating_sub(fixed) as f32 * GIVES_WAY) as usize;
            held <= 0.0 || alone.tokens_after <= most
        });
    let best = alone.or(best.map(|(best, _)| best));
    best.unwrap_or_else(|| Condensation::unchanged(Reason::NoGain, before))
}

/// How often the budget is set right by what the text cost that came of it.
const CORRECTIONS: usize = 4;

/// What a text is written with: who counts its tokens, and the name of the original where marks are to give it.
type Writes<'a> = (&'a dyn CountTokens, Option<OriginalId>);

/// What a choice makes of a text: the text, and every unit's fate.
fn account(
    text: &str,
    page: &Page<'_>,
    choice: &Variants,
    worths: &[Worth],
    before: usize,
    (tokens, original): Writes<'_>,
) -> Condensation {
    let most = worths.iter().map(|worth| worth.value).fold(f32::MIN_POSITIVE, f32::max);
    let unit = |(at, item): (usize, &form::Item<'_>)| {
        let variant = choice.get(at).copied().flatten().and_then(|variant| item.variants.get(variant));
        let worth = worths.get(at);
        let stands = variant.map(|variant| item.written(variant, text));
        let verbatim = stands.is_some() && stands.as_deref() == text.get(item.span.clone());
        Unit {
            span: item.span.clone(),
            form: item.form,
            score: worth.map(|worth| (worth.value / most).clamp(0.0, 1.0)),
            redundancy: worth.map(|worth| worth.redundancy).unwrap_or_default(),
            decision: match (variant, verbatim) {
                (None, _) => Decision::Dropped,
                (Some(_), true) => Decision::Kept,
                (Some(_), false) => Decision::Rewritten,
            },
            why: match variant {
                _ if item.seen.is_some() => Why::Seen,
                _ if item.form == Form::Frame => Why::Frame,
                _ if item.fixed => Why::Exact,
                None if item.said.is_some() => Why::Said,
                None => Why::Outweighed,
                Some(variant) if !variant.lossless => Why::Shorter,
                Some(_) if !verbatim => Why::Lossless,
                Some(_) if worths.is_empty() => Why::Whole,
                Some(_) => Why::Chosen,
            },
            text: stands.map(std::borrow::Cow::into_owned),
            noun: item.noun,
            count: item.count,
            ends: item.ends,
            escaped: item.escaped,
        }
    };
    mark::settled(text, page.items.iter().enumerate().map(unit).collect(), before, tokens, original)
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
            unit.why = Why::Refused(violation);
        }
    }
    guarded
}

#[cfg(test)]
mod tests;
