//! What is kept of a request that was looked at, once it is decided and before it goes on: its record, for whoever
//! asks, and an audit's sums. Where neither is wanted nothing is copied.

use std::{
    sync::{Arc, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::HeaderMap;

use super::{
    Mode, Proxy,
    account::{Account, Outcome},
    intercept,
    slots::{self, Decided, Terms},
};
use crate::{
    compress::{Condensation, Policy},
    engine::{Cache, Engine, Reply, Tenant},
    explain::{Record, SlotRecord},
    fidelity::Reviewer,
    wire::{self, Role},
};

/// A request that was looked at.
#[derive(Debug)]
pub(crate) struct Looked<'a> {
    pub(crate) headers: &'a HeaderMap,
    pub(crate) mode: Mode,
    /// When its last byte was read.
    pub(crate) since: Instant,
    /// Its slots, where any was considered.
    pub(crate) decided: Option<&'a Decided>,
}

impl Proxy {
    /// Takes note of a request that was looked at.
    pub(crate) fn note(&self, account: &Account, looked: &Looked<'_>) {
        let audited = looked.mode == Mode::Audit;
        if self.records.is_none() && !audited {
            return;
        }
        let now = Instant::now();
        let record = Record {
            id: account.id().to_owned(),
            owner: intercept::owner(looked.headers),
            at_ms: now_ms(),
            surface: account.surface(),
            model: account.model.clone(),
            outcome: account.outcome.as_str(),
            reason: account.outcome.reason(),
            took_ms: millis(now.duration_since(looked.since)),
            slots: slots_of(looked.decided, looked.mode),
        };
        if audited {
            self.audit.lock().unwrap_or_else(PoisonError::into_inner).add(&record);
        }
        let id = record.id.clone();
        // An audit is about the texts that were not known before.
        let sums = audited.then(|| (Arc::clone(&self.audit), record.slots.iter().map(|slot| !slot.cached).collect()));
        let records = self.records.clone();
        if let Some(records) = &records {
            records.insert(record, now);
        }
        let Some(decided) = looked.decided else { return };
        decided.verdicts.follow(move |place, verdict| {
            let new = |new: &Vec<bool>| new.get(place).copied().unwrap_or_default();
            if let Some((sums, _)) = sums.as_ref().filter(|(_, news)| new(news)) {
                sums.lock().unwrap_or_else(PoisonError::into_inner).judge(&verdict);
            }
            if let Some(records) = &records {
                records.judge(&id, place, verdict, Instant::now());
            }
        });
    }
}

/// What the proxy would make of a request.
#[derive(Debug)]
pub struct Rehearsal {
    /// The account of it.
    pub record: Record,
    /// The body that would be forwarded.
    pub forwarded: Bytes,
}

/// Takes a body of whatever surface the way of a request, as far as the upstream; without a limit of time.
pub async fn rehearse(engine: &Engine, reviewer: Option<&Reviewer>, policy: &Policy, body: Bytes) -> Rehearsal {
    let since = Instant::now();
    let terms = Terms { policy: policy.clone(), tenant: Tenant::default(), query: None, deadline: None };
    let decided = slots::decide(engine, reviewer, body.clone(), wire::locate_any, &terms).await.map(Arc::new);
    let (outcome, forwarded) = match intercept::condense(&decided).await {
        Ok(condensed) => (Outcome::Audit, condensed),
        Err(why) => (Outcome::Unchanged(why.as_str()), body),
    };
    let decided = decided.as_deref().ok();
    let record = Record {
        id: String::new(),
        owner: None,
        at_ms: now_ms(),
        surface: "",
        model: decided.and_then(|decided| decided.located.model.clone()),
        outcome: outcome.as_str(),
        reason: outcome.reason(),
        took_ms: millis(since.elapsed()),
        slots: slots_of(decided, Mode::Audit),
    };
    Rehearsal { record, forwarded }
}

/// The record of every slot that was considered. A verdict that there is already joins its slot here.
fn slots_of(decided: Option<&Decided>, mode: Mode) -> Vec<SlotRecord> {
    let Some(decided) = decided else { return Vec::new() };
    let replies = decided.replies.iter().enumerate();
    replies.filter_map(|(place, (index, reply))| slot(decided, place, *index, reply, mode)).collect()
}

fn slot(decided: &Decided, place: usize, index: usize, reply: &Reply, mode: Mode) -> Option<SlotRecord> {
    let slot = decided.located.slots.get(index)?;
    let condensation: &Condensation = &reply.condensation;
    let accepted = decided.accepted(index, condensation).is_some();
    Some(SlotRecord {
        message: slot.message,
        part: slot.part,
        role: match slot.role {
            Role::User => "user",
            Role::Tool => "tool",
        },
        accepted,
        forwarded: accepted && mode == Mode::Compress,
        cached: reply.cache == Cache::Hit,
        took_ms: millis(reply.took),
        original: slot.text.as_str().into(),
        condensation: reply.condensation.clone(),
        verdict: decided.verdicts.of(place).cloned(),
    })
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
