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
    rules::{Rules, Ruling},
    seen::Locate,
    slots::{self, Decided, Terms},
};
use crate::{
    compress::{Condensation, Policy, Reason},
    engine::{Cache, Engine, Tenant},
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
    /// Keeps the originals that the forwarded marks name.
    fn keep(&self, owner: Option<Tenant>, looked: &Looked<'_>) {
        if let (Some(originals), Some(decided)) = (&self.originals, looked.decided) {
            originals.keep(owner.unwrap_or_default(), decided.originals());
        }
    }

    /// Takes note of a request that was looked at.
    pub(crate) fn note(&self, account: &mut Account, looked: &Looked<'_>) {
        let owner = account.owner(looked.headers);
        account.entry = self.entry(account, owner, looked);
        self.keep(owner, looked);
        let audits =
            |decided: &Decided| decided.accounted().iter().any(|(index, _)| decided.mode(*index) == Mode::Audit);
        let audited = looked.mode == Mode::Audit || looked.decided.is_some_and(audits);
        self.books.note(account, owner, looked.decided);
        account.page = Some((Arc::clone(&self.books), owner));
        if self.records.is_none() && !audited {
            return;
        }
        let now = Instant::now();
        let record = Record {
            id: account.id().to_owned(),
            owner,
            at_ms: now_ms(),
            surface: account.surface(),
            model: account.model.clone(),
            outcome: account.outcome.as_str(),
            reason: account.outcome.reason(),
            took_ms: millis(now.duration_since(looked.since)),
            slots: slots_of(looked.decided, true),
        };
        if audited {
            self.audit.lock().unwrap_or_else(PoisonError::into_inner).add(&audit_of(&record, looked.decided));
        }
        let id = record.id.clone();
        // An audit is about the texts that were not known before.
        let sums = audited.then(|| (Arc::clone(&self.audit), record.slots.iter().map(|slot| !slot.cached).collect()));
        let records = self.records.clone();
        if let Some(records) = &records {
            records.insert(record, now);
        }
        let Some(decided) = looked.decided else { return };
        // Verdicts go by the places of replies, records by those of all that is accounted for.
        let accounted = decided.accounted();
        let places = (0..decided.replies.len()).map(|place| accounted.iter().position(|(_, of)| *of == Some(place)));
        let places: Vec<usize> = places.map(Option::unwrap_or_default).collect();
        decided.verdicts.follow(move |place, verdict| {
            let Some(place) = places.get(place).copied() else { return };
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

/// Takes a body of whatever surface the way of a request, as far as the upstream; without a limit of time. Nobody posted
/// it, so rules by surface, path or key do not fit it.
pub async fn rehearse(
    engine: &Engine,
    reviewer: Option<&Reviewer>,
    (policy, rules): (&Policy, &Rules),
    body: Bytes,
) -> Rehearsal {
    let since = Instant::now();
    let ruling = Ruling::rehearsed(policy.clone(), rules);
    let terms = Terms {
        ruling,
        tenant: Tenant::default(),
        query: None,
        deadline: None,
        holdout: None,
        originals: None,
        conversations: Arc::default(),
    };
    let decided =
        slots::decide(engine, reviewer, body.clone().into(), Locate::by(wire::locate_any), &terms).await.map(Arc::new);
    let (outcome, forwarded) = match intercept::settle(&decided).await {
        (Outcome::Compressed(_), forwarded) => (Outcome::Audit, forwarded),
        settled => settled,
    };
    let forwarded = forwarded.unwrap_or(body);
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
        slots: slots_of(decided, false),
    };
    Rehearsal { record, forwarded }
}

/// What an audit sums: the record without the texts that a rule had condensed.
fn audit_of(record: &Record, decided: Option<&Decided>) -> Record {
    let Some(decided) = decided else { return record.clone() };
    let accounted = decided.accounted().into_iter().zip(&record.slots);
    let audited = accounted.filter(|((index, _), _)| decided.mode(*index) != Mode::Compress);
    Record { slots: audited.map(|(_, slot)| slot.clone()).collect(), ..record.clone() }
}

/// The record of every slot that is accounted for. A verdict that there is already joins its slot here.
fn slots_of(decided: Option<&Decided>, forwards: bool) -> Vec<SlotRecord> {
    let Some(decided) = decided else { return Vec::new() };
    let record = |(index, place)| slot(decided, index, place, forwards);
    decided.accounted().into_iter().filter_map(record).collect()
}

fn slot(decided: &Decided, index: usize, place: Option<usize>, forwards: bool) -> Option<SlotRecord> {
    let slot = decided.located.slots.get(index)?;
    let ruled = decided.ruled(index)?;
    let reply = place.and_then(|place| decided.replies.get(place)).map(|(_, reply)| reply);
    let condensation = match reply {
        Some(reply) => Arc::clone(&reply.condensation),
        // Nothing of it was read, nor counted.
        None => Arc::new(Condensation::unchanged(Reason::Protected, 0)),
    };
    let accepted = decided.accepted(index, &condensation).is_some();
    Some(SlotRecord {
        message: slot.message,
        part: slot.part,
        role: match slot.role {
            Role::User => "user",
            Role::Tool => "tool",
        },
        rule: ruled.rule.clone(),
        left: ruled.left(),
        accepted,
        forwarded: accepted && forwards && ruled.mode == Mode::Compress,
        cached: reply.is_some_and(|reply| reply.cache == Cache::Hit),
        took_ms: reply.map_or(0.0, |reply| millis(reply.took)),
        original: Arc::clone(&slot.text),
        condensation,
        verdict: place.and_then(|place| decided.verdicts.of(place)).cloned(),
    })
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
