//! The sums behind the page: over all requests, and over each credential's own, for those who bring one.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use lru::LruCache;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{
    compress::form_of,
    engine::{DecisionId, Reply, Tenant},
    ledger::Money,
    proxy::{Mode, account::Account, slots::Decided},
    savings::{Bill, Request, Savings, Text},
    wire::{Role, Slot},
};

/// The sums since the start.
#[derive(Debug)]
pub(crate) struct Books {
    pub(super) since: u64,
    sums: Mutex<Sums>,
    /// The forms of texts that were not divided, by their decision: a conversation sends them again with each turn.
    kinds: Mutex<LruCache<DecisionId, &'static str>>,
    /// Who may watch at the same time.
    pub(super) watchers: Arc<Semaphore>,
    /// Ends with the settings of now: who watches asks again then.
    settings: Mutex<CancellationToken>,
}

#[derive(Debug)]
pub(super) struct Sums {
    pub(super) all: Savings,
    pub(super) tenants: LruCache<Tenant, Savings>,
}

impl Default for Books {
    fn default() -> Self {
        Self {
            since: now(),
            sums: Mutex::new(Sums { all: Savings::default(), tenants: LruCache::new(TENANTS) }),
            kinds: Mutex::new(LruCache::new(KINDS)),
            watchers: Arc::new(Semaphore::new(WATCHERS)),
            settings: Mutex::default(),
        }
    }
}

impl Books {
    /// Adds a request that was looked at.
    pub(crate) fn note(&self, account: &Account, owner: Option<Tenant>, decided: Option<&Decided>) {
        let texts = decided.map(|decided| self.texts(decided)).unwrap_or_default();
        let condensed = account.outcome.is_compressed();
        let request = Request { surface: account.surface(), model: account.model.as_deref(), condensed, texts };
        let at = now();
        let mut sums = self.sums();
        sums.all.add(at, &request);
        if let Some(owner) = owner {
            sums.tenants.get_or_insert_mut(owner, Savings::default).add(at, &request);
        }
    }

    /// Adds what a request cost, once its answer has told.
    pub(crate) fn bill(&self, account: &Account, owner: Option<Tenant>, money: Money) {
        let request = Request { surface: account.surface(), model: account.model.as_deref(), ..Request::default() };
        let (at, bill) = (now(), Bill { paid_nano: money.paid_nano, saved_nano: money.net_nano() });
        let mut sums = self.sums();
        sums.all.bill(at, &request, bill);
        if let Some(own) = owner.and_then(|owner| sums.tenants.get_mut(&owner)) {
            own.bill(at, &request, bill);
        }
    }

    /// The same sums, for a proxy with other settings.
    pub(crate) fn renewed(self: &Arc<Self>) -> Arc<Self> {
        let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *settings).cancel();
        Arc::clone(self)
    }

    /// Ends when other settings are in effect.
    pub(super) fn settings(&self) -> CancellationToken {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn sums(&self) -> MutexGuard<'_, Sums> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn texts<'a>(&self, decided: &'a Decided) -> Vec<Text<'a>> {
        let text = |(index, reply): &'a (usize, Reply)| {
            let slot = decided.located.slots.get(*index)?;
            let condensation = &*reply.condensation;
            let accepted = decided.accepted(*index, condensation).is_some();
            let before = condensation.tokens_before;
            Some(Text {
                tool: tool(slot),
                kind: self.kind(&slot.text, reply),
                before,
                after: if accepted { condensation.tokens_after } else { before },
                measured: decided.mode(*index) == Mode::Audit,
            })
        };
        decided.replies.iter().filter_map(text).collect()
    }

    /// The form that most of a text has: as it was divided, or else by a look at its beginning.
    fn kind(&self, text: &str, Reply { condensation, id, .. }: &Reply) -> &'static str {
        if let Some(kind) = self.kinds().get(id) {
            return kind;
        }
        let form = condensation.form();
        let form = form.unwrap_or_else(|| form_of(text.get(..text.floor_char_boundary(LOOK)).unwrap_or(text)));
        let kind = form.as_str();
        self.kinds().put(*id, kind);
        kind
    }

    fn kinds(&self) -> MutexGuard<'_, LruCache<DecisionId, &'static str>> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose text it is.
fn tool(slot: &Slot) -> &str {
    match (slot.role, &slot.call) {
        (Role::User, _) => "(user messages)",
        (Role::Tool, Some(call)) => &call.name,
        (Role::Tool, None) => "(unknown tool)",
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Credentials whose own sums are kept; the one that was not used for longest goes.
const TENANTS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63);

/// Texts whose form is remembered.
const KINDS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4095);

/// Pages that are kept up to date at the same time.
const WATCHERS: usize = 16;

/// Bytes of a text that decide its form here: what is looked at holds up the request's thread.
const LOOK: usize = 16 << 10;
