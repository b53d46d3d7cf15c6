//! Conversations as their last turn left them, until the next one comes: it has all their bytes, or at least all their
//! texts, and a few more, and only those have to be read and compared. What is found is the same either way, so that
//! nothing depends on what is kept.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use lru::LruCache;

use crate::{
    compress::Passages,
    engine::{Tenant, TextHash},
    wire::{self, Beginning, Located, Reading, Surface, Unreadable},
};

/// Conversations by the name of all their texts.
#[derive(Debug)]
pub(crate) struct Conversations(Mutex<Kept>);

#[derive(Debug)]
struct Kept {
    conversations: LruCache<TextHash, Conversation>,
    /// The bytes of each tenant's.
    tenants: HashMap<Tenant, usize>,
    bytes: usize,
}

#[derive(Debug)]
struct Conversation {
    tenant: Tenant,
    /// What was read of it.
    read: Option<Arc<Read>>,
    /// What was compared. Whoever takes it has it alone, and gives back more.
    passages: Passages,
    weight: usize,
    at: Instant,
}

/// What was read of a body.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) beginning: Beginning,
    pub(super) texts: Texts,
}

/// What is known of the texts that are compared.
#[derive(Debug, Clone, Default)]
pub(super) struct Texts {
    /// The slots in which passages are marked as exact, by their index.
    pub(super) tagged: Vec<usize>,
    /// The hash of each text.
    pub(super) hashes: Vec<TextHash>,
    /// The name of them all.
    pub(super) name: TextHash,
}

/// A body that begins as one that was read.
#[derive(Debug)]
pub(crate) struct Begun {
    read: Arc<Read>,
    bytes: usize,
}

impl Begun {
    /// How many of its bytes are known.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }
}

/// How the slots of a body are found.
pub(crate) enum Locate {
    /// As those of a request of this surface, what is known of its beginning taken over.
    Of(Surface),
    /// In another way.
    By(Box<Find>),
}

/// Finds the slots of a body.
type Find = dyn FnOnce(&[u8]) -> Result<Located, Unreadable> + Send;

/// What was found in a body.
#[derive(Debug)]
pub(crate) struct Found {
    pub(super) located: Located,
    /// What was read before, with as many of its slots.
    pub(super) known: Option<(Arc<Read>, usize)>,
    /// To read the next body by.
    pub(super) beginning: Option<Beginning>,
}

impl Locate {
    pub(crate) fn by(find: impl FnOnce(&[u8]) -> Result<Located, Unreadable> + Send + 'static) -> Self {
        Self::By(Box::new(find))
    }

    /// The surface whose requests begin as earlier ones did.
    pub(crate) const fn surface(&self) -> Option<Surface> {
        match self {
            Self::Of(surface) => Some(*surface),
            Self::By(_) => None,
        }
    }

    /// Finds the slots of a body.
    pub(crate) fn find(self, body: &Bytes, begun: Option<Begun>) -> Result<Found, Unreadable> {
        let alone = |located| Found { located, known: None, beginning: None };
        let surface = match self {
            Self::By(find) => return find(body).map(alone),
            Self::Of(surface) if body.len() < LEAST => return wire::locate(surface, body).map(alone),
            Self::Of(surface) => surface,
        };
        // What came in one piece may be a small part of a buffer.
        let body = if body.len() < PIECE { &Bytes::copy_from_slice(body) } else { body };
        let known = begun.as_ref().map(|begun| (&begun.read.beginning, begun.bytes));
        let Reading { located, slots, beginning } = wire::locate_on(surface, body, known)?;
        let known = begun.filter(|_| slots > 0).map(|begun| (begun.read, slots));
        Ok(Found { located, known, beginning })
    }
}

impl Default for Conversations {
    fn default() -> Self {
        let conversations = LruCache::unbounded();
        Self(Mutex::new(Kept { conversations, tenants: HashMap::new(), bytes: 0 }))
    }
}

impl Conversations {
    /// What was read of the body of this tenant that most of this one begins with.
    pub(crate) fn begun(&self, tenant: Tenant, surface: Surface, body: &[u8], now: Instant) -> Option<Begun> {
        if body.len() < LEAST {
            return None;
        }
        // The latest first. Bytes are compared while nobody waits for it.
        let own: Vec<Arc<Read>> = {
            let mut kept = self.kept();
            kept.forget_idle(now);
            let own = kept.conversations.iter().filter(|(_, of)| of.tenant == tenant);
            own.filter_map(|(_, of)| of.read.clone()).take(MOST_TRIED).collect()
        };
        let begun = own.into_iter().map(|read| Begun { bytes: read.beginning.reaches(surface, body), read });
        begun.filter(|begun| begun.bytes > 0).max_by_key(|begun| begun.bytes)
    }

    /// The name of a conversation's texts, what was compared of the longest beginning that is known of it, and the name of
    /// that. Looked at first is an `earlier` turn, by its name and the number of its texts.
    pub(super) fn compared(
        &self,
        tenant: Tenant,
        texts: &[(TextHash, bool)],
        earlier: Option<(&TextHash, usize)>,
    ) -> (TextHash, Passages, Vec<TextHash>) {
        if let Some((earlier, count)) = earlier {
            let (before, behind) = texts.split_at(count.min(texts.len()));
            let mut name = Name::of(tenant);
            before.iter().for_each(|text| name.add(text));
            let found = if name.told() == *earlier { self.take(earlier) } else { Passages::default() };
            if !found.is_empty() {
                behind.iter().for_each(|text| name.add(text));
                return (name.told(), found, vec![*earlier]);
            }
        }
        let names = names(tenant, texts);
        let found = names.iter().rev().map(|name| (name, self.take(name))).find(|(_, found)| !found.is_empty());
        let name = names.last().copied().unwrap_or_default();
        found.map_or((name, Passages::default(), Vec::new()), |(of, found)| (name, found, vec![*of]))
    }

    /// What was compared of the conversation of this name; empty where it is not known.
    fn take(&self, name: &TextHash) -> Passages {
        let mut kept = self.kept();
        let Some(of) = kept.conversations.get_mut(name) else { return Passages::default() };
        let passages = std::mem::take(&mut of.passages);
        let (tenant, less) = (of.tenant, passages.weight());
        of.weight = of.weight.saturating_sub(less);
        kept.release(tenant, less);
        passages
    }

    /// Keeps a conversation under the name of all its texts, instead of those of which it is a later turn. Where there are
    /// too many, one goes of the tenant that has most of them: the one that was not asked for longest.
    pub(super) fn keep(
        &self,
        tenant: Tenant,
        texts: Texts,
        (beginning, passages): (Option<Beginning>, Passages),
        instead: &[TextHash],
        now: Instant,
    ) {
        let name = texts.name;
        let read = beginning.map(|beginning| Arc::new(Read { beginning, texts }));
        let mut conversation = Conversation { tenant, read, passages, weight: 0, at: now };
        if !conversation.fits() {
            return;
        }
        let mut kept = self.kept();
        kept.forget_idle(now);
        instead.iter().for_each(|name| kept.forget(name));
        kept.forget(&name);
        kept.bytes += conversation.weight;
        *kept.tenants.entry(tenant).or_default() += conversation.weight;
        kept.conversations.put(name, conversation);
        while kept.bytes > MOST && kept.make_room() {}
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Conversation {
    /// Weighs it, without its passages where it is too heavy with them; whether there is something to keep.
    fn fits(&mut self) -> bool {
        let read = self.read.as_ref().map_or(0, |read| read.weight());
        self.weight = read + self.passages.weight();
        if self.weight > MOST {
            self.passages = Passages::default();
            self.weight = read;
        }
        self.weight <= MOST && (self.read.is_some() || !self.passages.is_empty())
    }
}

impl Read {
    /// How many slots the body has.
    pub(super) fn slots(&self) -> usize {
        self.beginning.slots()
    }

    fn weight(&self) -> usize {
        let Texts { tagged, hashes, name: _ } = &self.texts;
        self.beginning.weight() + size_of_val(tagged.as_slice()) + size_of_val(hashes.as_slice())
    }
}

impl Kept {
    fn forget(&mut self, name: &TextHash) {
        if let Some(Conversation { tenant, weight, .. }) = self.conversations.pop(name) {
            self.release(tenant, weight);
        }
    }

    fn release(&mut self, tenant: Tenant, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
        if let Some(own) = self.tenants.get_mut(&tenant) {
            *own = own.saturating_sub(bytes);
            if *own == 0 {
                self.tenants.remove(&tenant);
            }
        }
    }

    /// Forgets the conversations that had no turn for long.
    fn forget_idle(&mut self, now: Instant) {
        while let Some((name, _)) = self.conversations.peek_lru().filter(|(_, of)| now.duration_since(of.at) > IDLE) {
            let name = *name;
            self.forget(&name);
        }
    }

    /// Forgets a conversation; `false` where there is none.
    fn make_room(&mut self) -> bool {
        let most = self.tenants.iter().max_by_key(|(_, bytes)| **bytes).map(|(tenant, _)| *tenant);
        let oldest = self.conversations.iter().rev().find(|(_, of)| Some(of.tenant) == most).map(|(name, _)| *name);
        oldest.inspect(|name| self.forget(name)).is_some()
    }
}

/// The names of the longest beginnings of a tenant's conversation, the last that with all texts: hashes of the hashes of their
/// texts, of which some are compared. A turn adds few texts to the one before it.
fn names(tenant: Tenant, texts: &[(TextHash, bool)]) -> Vec<TextHash> {
    let mut name = Name::of(tenant);
    let (before, last) = texts.split_at(texts.len().saturating_sub(MOST_NAMES));
    before.iter().for_each(|text| name.add(text));
    let name = |text| {
        name.add(text);
        name.told()
    };
    last.iter().map(name).collect()
}

/// Beginnings of a conversation that are looked for.
const MOST_NAMES: usize = 1 << 10;

/// The name of a conversation's texts.
#[derive(Debug)]
struct Name(blake3::Hasher);

impl Name {
    fn of(tenant: Tenant) -> Self {
        let mut hash = blake3::Hasher::new_derive_key("headroom texts of a conversation, version 2");
        hash.update(&tenant.0);
        Self(hash)
    }

    fn add(&mut self, (hash, is_compared): &(TextHash, bool)) {
        self.0.update(hash).update(&[u8::from(*is_compared)]);
    }

    fn told(&self) -> TextHash {
        *self.0.finalize().as_bytes()
    }
}

/// Bytes of texts from which on it is worth to keep what was read or compared.
pub(super) const LEAST: usize = 16 << 10;

/// Bytes of all conversations that are kept. One takes about four times the bytes of its body where lines are short: the
/// body, its texts and what was compared.
const MOST: usize = 24 << 20;

/// How long a conversation is kept without a turn: as long as records are.
const IDLE: Duration = Duration::from_secs(3600);

/// Bytes of a body that may have come in one piece.
const PIECE: usize = 1 << 20;

/// Conversations with which the beginning of a body is compared.
const MOST_TRIED: usize = 16;

#[cfg(test)]
mod tests;
