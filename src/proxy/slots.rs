//! Has the slots of one body condensed: located, decided under one deadline, spliced. Work that takes long leaves
//! the threads that move bytes, and a fault of our own ends here.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Instant,
};

use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use tokio::task::spawn_blocking;

use super::{
    Mode,
    account::{Outcome, Slots},
    coding::Undecoded,
    held::Plain,
    review::{self, Verdicts},
    rules::{Ruled, Ruling},
    seen::{Begun, Conversations, Earlier, Locate},
};
use crate::{
    compress::{Condensation, Encoding, Limit, OriginalId, Query, Reason, ToolCall, text::exact},
    engine::{Cache, Engine, Job, Reply, Tenant, Text},
    fidelity::Reviewer,
    ledger::{Holdout, Place},
    originals::Originals,
    telemetry::Metrics,
    wire::{self, Call, Located, Role, Slot, Unreadable},
};

/// Why a body goes on as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// A control header that cannot be understood.
    InvalidHeader,
    /// Longer than the limit.
    TooLarge,
    /// The room for held bodies was taken.
    NoRoom,
    /// Signed or digested: another body would be refused.
    Signed,
    /// It cannot be decoded.
    Undecoded(Undecoded),
    /// It cannot be read.
    Unreadable(Unreadable),
    /// No user or tool message has a text that may be replaced.
    NoSlots,
    /// Rules leave every slot as it is.
    Rule,
    /// The conversation is one of those that are left alone, to compare with.
    Holdout,
    /// The most telling of the slots' reasons.
    Slots(Reason),
    /// A fault of our own.
    Fault,
}

impl Why {
    /// The word used in headers, metrics and logs.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidHeader => "invalid_header",
            Self::TooLarge => "too_large",
            Self::NoRoom | Self::Undecoded(Undecoded::NoRoom) => "overloaded",
            Self::Signed => "signed",
            Self::Undecoded(Undecoded::Unsupported) => "unsupported_encoding",
            Self::Undecoded(Undecoded::Broken) => "undecodable",
            Self::Undecoded(Undecoded::TooLarge) => "decoded_too_large",
            Self::Unreadable(Unreadable::InvalidJson) => "invalid_json",
            Self::Unreadable(Unreadable::UnknownShape) => "unknown_shape",
            Self::NoSlots => "no_slots",
            Self::Rule => "rule",
            Self::Holdout => "holdout",
            Self::Slots(reason) => reason.as_str(),
            Self::Fault => "internal_fault",
        }
    }
}

/// A body whose slots are decided.
#[derive(Debug)]
pub(crate) struct Decided {
    pub(crate) body: Bytes,
    pub(crate) located: Located,
    /// In what tokens are counted.
    encoding: Encoding,
    /// Its place in the comparison.
    pub(crate) place: Place,
    /// What holds for each slot.
    ruled: Vec<Ruled>,
    /// The slots in which passages are marked as exact, by their index.
    tagged: Vec<usize>,
    /// The slots considered, by their index, with what became of each.
    pub(crate) replies: Vec<(usize, Reply)>,
    /// The slots that a rule leaves as they are, by their index.
    left: Vec<usize>,
    /// What the fidelity check says of them.
    pub(crate) verdicts: Verdicts,
}

/// What is allowed, for whom, and what is asked where no message asks.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) ruling: Ruling,
    pub(crate) tenant: Tenant,
    /// Stands for what precedes every slot.
    pub(crate) query: Option<String>,
    /// When the time for it is over.
    pub(crate) deadline: Option<Instant>,
    /// Which conversations are left alone.
    pub(crate) holdout: Option<Arc<Holdout>>,
    /// Where originals are kept, for who gets the condensed texts to read.
    pub(crate) originals: Option<Arc<Originals>>,
    /// The conversations that were read and compared last.
    pub(crate) conversations: Arc<Conversations>,
}

/// Has the slots of a plain body decided under one deadline, as `locate` finds them.
pub(crate) async fn decide(
    engine: &Engine,
    reviewer: Option<&Reviewer>,
    Plain { bytes: body, alone, begun }: Plain,
    locate: Locate,
    terms: &Terms,
) -> Result<Decided, Why> {
    // What is known is not read again.
    let length = body.len() - begun.as_ref().map_or(0, Begun::bytes);
    let (located, mut earlier) = {
        let (body, conversations, tenant) = (body.clone(), Arc::clone(&terms.conversations), terms.tenant);
        let read = move || {
            let found = locate.find(&alone, begun).map(|found| Earlier::of(found, &conversations, tenant));
            // Whatever becomes of the request, its room is taken as long as it is read.
            drop(body);
            found
        };
        stage(length, read).await.ok_or(Why::Fault)?.map_err(Why::Unreadable)?
    };
    let tagged = earlier.tagged().to_vec();
    let place = place(&located, terms);
    let model = located.model.as_deref();
    let encoding = model.map(Encoding::of_model).unwrap_or_default();
    let rule = |slot: &Arc<Slot>| {
        if place.is_held_out() { terms.ruling.held_out(slot, model) } else { terms.ruling.of(slot, model) }
    };
    let ruled: Vec<Ruled> = located.slots.iter().map(rule).collect();
    // A token has a byte at least, so a shorter text is below the minimum for certain.
    let long = located.slots.iter().map(|slot| &**slot).zip(&ruled).enumerate();
    let long = long.filter(|(_, (slot, ruled))| slot.text.len() >= ruled.policy.min_tokens);
    let (condensed, left): (Vec<_>, Vec<_>) = long.partition(|(_, (_, ruled))| ruled.left().is_none());
    let left: Vec<usize> = left.into_iter().map(|(index, _)| index).collect();
    let job = |(index, (slot, ruled))| (index, job(slot, earlier.hashed(index, slot), ruled, terms, encoding));
    let jobs: Vec<(usize, Job)> = condensed.into_iter().map(job).collect();
    let asked = Asked { engine, reviewer, model, deadline: terms.deadline };
    let (replies, verdicts) = in_turn(&asked, jobs, &located, &mut earlier).await?;
    earlier.keep(&terms.conversations, terms.tenant, Instant::now());
    Ok(Decided { body, located, encoding, place, ruled, tagged, replies, left, verdicts })
}

/// Whom to ask, until when, for which model.
struct Asked<'a> {
    engine: &'a Engine,
    reviewer: Option<&'a Reviewer>,
    model: Option<&'a str>,
    deadline: Option<Instant>,
}

/// What becomes of slots, each once it is known what is forwarded of those that it refers to; the others stand as they are.
async fn in_turn(
    asked: &Asked<'_>,
    jobs: Vec<(usize, Job)>,
    located: &Located,
    earlier: &mut Earlier,
) -> Result<(Vec<(usize, Reply)>, Verdicts), Why> {
    let considered: Vec<usize> = jobs.iter().map(|(slot, _)| *slot).collect();
    let turns = earlier.turns(located, &considered);
    let mut waiting: BTreeMap<usize, Vec<(usize, Job)>> = BTreeMap::new();
    for (place, (slot, job)) in jobs.into_iter().enumerate() {
        waiting.entry(turns.of(slot)).or_default().push((place, job));
    }
    let (mut replies, mut verdicts) = (Vec::with_capacity(considered.len()), Verdicts::default());
    for turn in waiting.into_values() {
        let (places, mut jobs): (Vec<usize>, Vec<Job>) = turn.into_iter().unzip();
        let at: Vec<usize> = places.iter().filter_map(|place| considered.get(*place).copied()).collect();
        for (slot, job) in at.iter().zip(&mut jobs).filter(|(_, job)| job.policy.references) {
            job.query.seen = earlier.seen(located, *slot);
        }
        let (found, told) = answered(asked.engine, asked.reviewer, jobs, asked.model, asked.deadline).await?;
        for (slot, reply) in at.iter().zip(&found).filter(|(slot, _)| turns.is_referred(**slot)) {
            if let Some(read) = located.slots.get(*slot) {
                earlier.condensed(*slot, &read.text, &reply.condensation);
            }
        }
        verdicts.add(told, &places);
        replies.extend(at.into_iter().zip(found));
    }
    // As the jobs were.
    replies.sort_by_key(|(slot, _)| *slot);
    Ok((replies, verdicts))
}

/// What becomes of texts under one deadline, reviewed where there is a reviewer.
pub(crate) async fn answered(
    engine: &Engine,
    reviewer: Option<&Reviewer>,
    jobs: Vec<Job>,
    model: Option<&str>,
    deadline: Option<Instant>,
) -> Result<(Vec<Reply>, Verdicts), Why> {
    let answered = async {
        engine.recall(&jobs).await;
        match reviewer {
            None => (condensed(engine, jobs, deadline).await, Verdicts::default()),
            Some(reviewer) => review::answered(engine, reviewer, jobs, model, deadline).await,
        }
    };
    AssertUnwindSafe(answered).catch_unwind().await.map_err(|_| Why::Fault)
}

async fn condensed(engine: &Engine, jobs: Vec<Job>, deadline: Option<Instant>) -> Vec<Reply> {
    stream::iter(jobs).map(|job| engine.condense(job, deadline)).buffered(AT_ONCE).collect().await
}

impl Decided {
    /// The text that stands for a slot, if another one may.
    pub(crate) fn accepted<'a>(&'a self, index: usize, condensation: &'a Condensation) -> Option<Cow<'a, str>> {
        self.sent(index, condensation.text()?)
    }

    /// The text to send for a slot, without its tags; `None` where it may not stand for it.
    fn sent<'a>(&self, index: usize, text: &'a str) -> Option<Cow<'a, str>> {
        let slot = self.located.slots.get(index)?;
        let tagged = self.tagged.binary_search(&index).is_ok();
        let text = if tagged { exact::untagged(text) } else { Cow::Borrowed(text) };
        self.located.accepts(slot, &text).then_some(text)
    }

    /// The texts that stand for slots, in the order of the body. Tags go also where nothing else does.
    fn edits(&self) -> Vec<(Range<usize>, Cow<'_, str>)> {
        let mut replies = self.replies.iter().peekable();
        let edit = |(index, slot)| self.edit(index, slot, replies.next_if(|(of, _)| *of == index));
        self.located.slots.iter().map(|slot| &**slot).enumerate().filter_map(edit).collect()
    }

    fn edit<'a>(
        &'a self,
        index: usize,
        slot: &'a Slot,
        reply: Option<&'a (usize, Reply)>,
    ) -> Option<(Range<usize>, Cow<'a, str>)> {
        if self.mode(index) != Mode::Compress {
            return None;
        }
        let condensed = reply.and_then(|(_, reply)| self.accepted(index, &reply.condensation));
        let tagged = self.tagged.binary_search(&index).is_ok();
        let text = condensed.or_else(|| self.sent(index, &slot.text).filter(|_| tagged))?;
        Some((slot.literal.clone(), text))
    }

    /// The body with every condensed slot in place; `None` where no slot was condensed.
    pub(crate) async fn splice(self: Arc<Self>) -> Result<Option<Bytes>, Why> {
        let length = self.body.len();
        let spliced = move || {
            let edits = self.edits();
            let edits: Vec<_> = edits.iter().map(|(span, text)| (span.clone(), &**text)).collect();
            (!edits.is_empty()).then(|| Bytes::from(wire::splice(&self.body, &edits)))
        };
        stage(length, spliced).await.ok_or(Why::Fault)
    }

    /// The originals of what is forwarded, by the names that their marks give.
    pub(crate) fn originals(&self) -> impl Iterator<Item = (OriginalId, &str)> {
        let forwarded = self.replies.iter().filter(|(index, reply)| {
            self.mode(*index) == Mode::Compress && self.accepted(*index, &reply.condensation).is_some()
        });
        forwarded
            .filter_map(|(index, reply)| Some((reply.condensation.original?, &*self.located.slots.get(*index)?.text)))
    }

    /// In what the tokens of its model are counted.
    pub(crate) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// What holds for a slot.
    pub(crate) fn ruled(&self, index: usize) -> Option<&Ruled> {
        self.ruled.get(index)
    }

    /// What happens to a slot.
    pub(crate) fn mode(&self, index: usize) -> Mode {
        self.ruled(index).map_or(Mode::Off, |ruled| ruled.mode)
    }

    /// The slots that are accounted for, by their index, in the order of the body: those considered with the place of
    /// their reply, and those that a rule leaves as they are.
    pub(crate) fn accounted(&self) -> Vec<(usize, Option<usize>)> {
        let replies = self.replies.iter().enumerate().map(|(place, (index, _))| (*index, Some(place)));
        let mut accounted: Vec<_> = replies.chain(self.left.iter().map(|index| (*index, None))).collect();
        accounted.sort_unstable();
        accounted
    }

    /// Whether any text was worth a look.
    pub(crate) fn has_looked(&self) -> bool {
        !(self.replies.is_empty() && self.left.is_empty() && self.tagged.is_empty())
    }

    /// Whether any text was long enough to be condensed, were it not left alone.
    pub(crate) fn is_eligible(&self) -> bool {
        let long = |(slot, ruled): (&Arc<Slot>, &Ruled)| slot.text.len() >= ruled.policy.min_tokens * BYTES_OF_A_TOKEN;
        self.located.slots.iter().zip(&self.ruled).any(long)
    }

    /// Whether a slot of this mode has a text that may stand for it.
    fn shortens(&self, mode: Mode) -> bool {
        let mut replies = self.replies.iter().filter(|(index, _)| self.mode(*index) == mode);
        replies.any(|(index, reply)| self.accepted(*index, &reply.condensation).is_some())
    }

    /// What kept the texts from their ratios, where most of their tokens stayed past them.
    fn limit(&self) -> Option<Limit> {
        let limited = self.replies.iter().filter_map(|(index, reply)| {
            let limit = reply.condensation.limit(self.ruled(*index)?.policy.ratio)?;
            Some((reply.condensation.tokens_after, limit))
        });
        limited.max_by_key(|(tokens, _)| *tokens).map(|(_, limit)| limit)
    }

    /// What is done with the request.
    pub(crate) fn outcome(&self) -> Outcome {
        match () {
            () if self.shortens(Mode::Compress) => Outcome::Compressed(self.limit()),
            () if self.shortens(Mode::Audit) => Outcome::Audit,
            () => Outcome::Unchanged(self.why().as_str()),
        }
    }

    /// Figures over the slots considered; each slot is counted.
    pub(crate) fn count(&self, metrics: &Metrics) -> Slots {
        for index in &self.left {
            if let Some(ruled) = self.ruled(*index) {
                metrics.rule(ruled.rule.as_deref(), ruled.left().unwrap_or_default());
            }
        }
        // What a text would save that is only measured is no saving of a request in which others are condensed.
        let condensed = self.shortens(Mode::Compress);
        let mut sum = Slots::default();
        for (index, reply) in &self.replies {
            let condensation = &*reply.condensation;
            let accepted = self.accepted(*index, condensation).is_some();
            let before = condensation.tokens_before;
            let after = if accepted { condensation.tokens_after } else { before };
            sum.tokens_before += before;
            let measured = self.mode(*index) == Mode::Audit;
            sum.tokens_after += if condensed && measured { before } else { after };
            let took = match reply.cache {
                Cache::Hit => {
                    sum.hits += 1;
                    None
                }
                Cache::Miss => {
                    sum.misses += 1;
                    Some(reply.took)
                }
            };
            let reason = (!accepted).then(|| reason(condensation).as_str());
            metrics.slot(measured, reason, (before, after), took);
            let rule = self.ruled(*index).and_then(|ruled| ruled.rule.as_deref());
            metrics.rule(rule, if accepted { "compressed" } else { "unchanged" });
        }
        sum
    }

    /// The most telling reason, where no slot was condensed.
    fn why(&self) -> Why {
        if self.place.is_held_out() {
            return Why::Holdout;
        }
        if self.located.slots.is_empty() {
            return Why::NoSlots;
        }
        if self.replies.is_empty() && !self.left.is_empty() {
            return Why::Rule;
        }
        let reasons = self.replies.iter().map(|(_, reply)| reason(&reply.condensation));
        Why::Slots(reasons.max_by_key(|reason| telling(*reason)).unwrap_or(Reason::BelowMinimum))
    }
}

/// Where a request belongs in the comparison: nowhere, if it says for itself what is to be done with it.
fn place(located: &Located, terms: &Terms) -> Place {
    let Some(holdout) = terms.holdout.as_ref().filter(|_| terms.ruling.is_compared()) else { return Place::Outside };
    let begins = located.slots.iter().find(|slot| slot.role == Role::User).map(|slot| &*slot.text);
    holdout.place(terms.tenant.0, begins, located.from.as_deref())
}

/// Why a slot was not condensed; a text that its request does not accept counts as protected.
pub(crate) fn reason(condensation: &Condensation) -> Reason {
    match condensation.outcome {
        crate::compress::Outcome::Unchanged(reason) => reason,
        crate::compress::Outcome::Compressed(_) => Reason::Protected,
    }
}

/// What an operator should hear of first.
const fn telling(reason: Reason) -> u8 {
    match reason {
        Reason::ModelFailed => 8,
        Reason::Overloaded => 7,
        Reason::Deadline => 6,
        Reason::Unverified => 5,
        Reason::Cancelled => 4,
        Reason::TooLong | Reason::Costly => 3,
        Reason::NoGain => 2,
        Reason::Protected | Reason::Frame => 1,
        Reason::BelowMinimum => 0,
    }
}

fn job(slot: &Slot, text: Text, ruled: &Ruled, terms: &Terms, encoding: Encoding) -> Job {
    let call = slot
        .call
        .as_ref()
        .map(|Call { name, arguments }| ToolCall { name: name.clone(), arguments: arguments.clone() });
    let preceding = terms.query.clone().or_else(|| slot.preceding.clone()).unwrap_or_default();
    Job {
        text,
        query: Query {
            siblings: slot.siblings.join("\n"),
            preceding,
            call,
            seen: Vec::new(),
            original: terms.originals.as_ref().map(|kept| kept.name(terms.tenant, &slot.text)),
        },
        policy: ruled.policy.clone(),
        encoding,
        tenant: terms.tenant,
    }
}

/// Computes `work` over `length` bytes; `None` where it panicked. Long work leaves the threads that move bytes.
pub(crate) async fn stage<T: Send + 'static>(length: usize, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    if length > INLINE { spawn_blocking(work).await.ok() } else { catch_unwind(AssertUnwindSafe(work)).ok() }
}

/// Slots of one request that are with the engine at the same time: enough for every worker, too few for one long
/// conversation to fill the engine's queue.
pub(super) const AT_ONCE: usize = 16;

/// Bytes of a token, near enough to tell long texts from short ones without a count.
const BYTES_OF_A_TOKEN: usize = 4;

/// Bytes that are looked at in well below a millisecond.
const INLINE: usize = 128 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_fault_of_our_own_ends_in_its_stage() {
        for length in [1, INLINE + 1] {
            assert_eq!(stage(length, || 7).await, Some(7));
            assert_eq!(stage(length, || -> u8 { panic!("a fault") }).await, None);
        }
    }
}
