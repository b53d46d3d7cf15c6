//! The one thread that has the database. Requests hand texts over and go on; a full queue or a full disk costs originals,
//! never time. Who reads waits behind what was handed over before, and so finds it.

use std::{
    num::NonZeroUsize,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use lru::LruCache;
use tokio::sync::oneshot;

use super::{
    OpenError,
    config::Config,
    key::{Keys, Owner},
    store::{Store, StoreError},
};
use crate::compress::OriginalId;

/// What is kept and was lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Originals.
    pub originals: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Texts that could not be kept.
    pub lost: u64,
}

/// Hands texts to the thread, and asks it.
#[derive(Debug)]
pub(super) struct Keeper {
    queue: SyncSender<Order>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Bytes of texts in the queue.
    waiting: AtomicUsize,
    lost: AtomicU64,
    originals: AtomicU64,
    bytes: AtomicU64,
    /// What was kept a short while ago: a conversation brings its texts in each turn.
    recent: Mutex<Recent>,
}

type Recent = LruCache<(Owner, OriginalId), Instant>;

#[derive(Debug)]
enum Order {
    Keep(Owner, Vec<(OriginalId, Box<str>)>),
    Find(Option<Owner>, OriginalId, oneshot::Sender<Option<String>>),
    Flush(SyncSender<()>),
}

impl Keeper {
    /// Opens the database and starts its thread.
    pub(super) fn start(config: &Config, state: Option<&Path>, keys: &Keys) -> Result<Self, OpenError> {
        let path = config.path(state)?;
        let named = || path.clone().unwrap_or_default();
        let store = Store::open(path.as_deref()).map_err(|error| OpenError::Store(named(), error))?;
        let (queue, orders) = sync_channel(WAITING);
        let shared = Arc::new(Shared {
            waiting: AtomicUsize::new(0),
            lost: AtomicU64::new(0),
            originals: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            recent: Mutex::new(LruCache::new(MOST_RECENT)),
        });
        let mib = |mib: usize| i64::try_from(mib << 20).unwrap_or(i64::MAX);
        let mut thread = Thread {
            store,
            keys: keys.clone(),
            keep_s: i64::from(config.keep_hours) * 3600,
            each: mib(config.tenant_mib),
            all: mib(config.mib),
            shared: Arc::clone(&shared),
            failing: 0,
            forgot: None,
        };
        let name = "headroom-originals".to_owned();
        let started = thread::Builder::new().name(name).spawn(move || thread.run(&orders));
        started.map_err(|error| OpenError::Store(named(), error.into()))?;
        Ok(Self { queue, shared })
    }

    /// Hands texts over, but for those that were a short while ago.
    pub(super) fn keep<'a>(&self, owner: Owner, texts: impl Iterator<Item = (OriginalId, &'a str)>) {
        let now = Instant::now();
        let mut new = Vec::new();
        {
            let mut recent = self.shared.recent();
            for (id, text) in texts {
                if recent.get(&(owner, id)).is_none_or(|since| now.duration_since(*since) >= RECENT) {
                    recent.put((owner, id), now);
                    new.push((id, text));
                }
            }
        }
        if new.is_empty() {
            return;
        }
        let bytes: usize = new.iter().map(|(_, text)| text.len()).sum();
        let waiting = self.shared.waiting.fetch_add(bytes, Ordering::Relaxed);
        let room = waiting.saturating_add(bytes) <= MOST_WAITING;
        // Only what there is room for is copied.
        let order = || Order::Keep(owner, new.iter().map(|(id, text)| (*id, Box::from(*text))).collect());
        if !room || self.queue.try_send(order()).is_err() {
            self.shared.waiting.fetch_sub(bytes, Ordering::Relaxed);
            self.shared.forget(owner, new.iter().map(|(id, _)| *id));
            self.shared.lose(new.len());
        }
    }

    /// An original, once what was handed over before is kept.
    pub(super) async fn find(&self, owner: Option<Owner>, id: OriginalId) -> Option<String> {
        let (tell, told) = oneshot::channel();
        let (queue, order) = (self.queue.clone(), Order::Find(owner, id, tell));
        // A full queue is waited for, away from the threads that move bytes.
        tokio::task::spawn_blocking(move || queue.send(order).is_ok()).await.ok()?;
        told.await.ok()?
    }

    pub(super) fn sizes(&self) -> Sizes {
        let Shared { originals, bytes, lost, .. } = &*self.shared;
        let [originals, bytes, lost] = [originals, bytes, lost].map(|count| count.load(Ordering::Relaxed));
        Sizes { originals, bytes, lost }
    }

    /// Waits until what was handed over is kept, but not for long.
    pub(super) fn flush(&self) {
        let (tell, told) = sync_channel(1);
        if self.queue.try_send(Order::Flush(tell)).is_ok() {
            let _ = told.recv_timeout(LAST_WAIT);
        }
    }
}

impl Shared {
    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, owner: Owner, ids: impl Iterator<Item = OriginalId>) {
        let mut recent = self.recent();
        for id in ids {
            recent.pop(&(owner, id));
        }
    }

    fn lose(&self, texts: usize) {
        let before = self.lost.fetch_add(texts as u64, Ordering::Relaxed);
        if before == 0 {
            tracing::warn!("originals are lost: they come faster than they are kept");
        }
    }
}

struct Thread {
    store: Store,
    keys: Keys,
    keep_s: i64,
    each: i64,
    all: i64,
    shared: Arc<Shared>,
    /// Failures in a row.
    failing: u64,
    forgot: Option<Instant>,
}

impl Thread {
    fn run(&mut self, orders: &Receiver<Order>) {
        loop {
            match orders.recv_timeout(PAUSE) {
                Ok(Order::Keep(owner, texts)) => {
                    let bytes: usize = texts.iter().map(|(_, text)| text.len()).sum();
                    let kept = self.keep(owner, &texts);
                    self.shared.waiting.fetch_sub(bytes, Ordering::Relaxed);
                    self.note(kept, owner, &texts);
                }
                Ok(Order::Find(owner, id, tell)) => {
                    let _ = tell.send(self.find(owner, id));
                }
                Ok(Order::Flush(tell)) => {
                    let _ = tell.try_send(());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.forgot.is_none_or(|forgot| forgot.elapsed() > FORGETS) {
                self.forgot = Some(Instant::now());
                if let Err(error) = self.store.forget(now_s() - self.keep_s) {
                    tracing::warn!(%error, "old originals can't be forgotten; that is tried again later");
                }
                self.measure();
            }
        }
    }

    fn keep(&mut self, owner: Owner, texts: &[(OriginalId, Box<str>)]) -> Result<(), StoreError> {
        let (now, keys) = (now_s(), &self.keys);
        let mut added = false;
        self.store.together(|store| {
            for (id, text) in texts {
                if store.touch(owner, *id, now)? {
                    continue;
                }
                if let Some(sealed) = keys.seal(owner, *id, text) {
                    store.add(owner, *id, &sealed, now)?;
                    added = true;
                }
            }
            Ok(())
        })?;
        if added {
            if self.store.fit(self.each, self.all)? > 0 {
                // Which went is not worth the telling: all that still comes is looked at again.
                self.shared.recent().clear();
            }
            self.measure();
        }
        Ok(())
    }

    fn note(&mut self, kept: Result<(), StoreError>, owner: Owner, texts: &[(OriginalId, Box<str>)]) {
        let Err(error) = kept else {
            self.failing = 0;
            return;
        };
        self.failing += 1;
        if self.failing.is_power_of_two() {
            tracing::warn!(%error, "originals can't be kept; that is tried again as more come");
        }
        self.shared.forget(owner, texts.iter().map(|(id, _)| *id));
        self.shared.lose(texts.len());
    }

    fn find(&self, owner: Option<Owner>, id: OriginalId) -> Option<String> {
        let now = now_s();
        let found = self.store.find(owner, id, now - self.keep_s).unwrap_or_else(|error| {
            tracing::warn!(%error, "an original can't be read");
            None
        });
        let (owner, sealed) = found?;
        // What is read is in use.
        let _ = self.store.touch(owner, id, now);
        self.keys.open_sealed(owner, id, sealed)
    }

    fn measure(&self) {
        if let Ok((originals, bytes)) = self.store.size() {
            self.shared.originals.store(originals, Ordering::Relaxed);
            self.shared.bytes.store(bytes, Ordering::Relaxed);
        }
    }
}

fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Requests whose texts wait to be kept.
const WAITING: usize = 256;

/// Bytes of texts that wait to be kept.
const MOST_WAITING: usize = 64 << 20;

/// For so long a text that was kept is not handed over again; well below the shortest time that one is kept.
const RECENT: Duration = Duration::from_secs(300);

/// Texts of which it is known that they were kept a short while ago.
const MOST_RECENT: NonZeroUsize = NonZeroUsize::MIN.saturating_add(16_383);

/// Between two looks at the time where nothing comes.
const PAUSE: Duration = Duration::from_secs(60);

/// Between two looks for what is old.
const FORGETS: Duration = Duration::from_secs(600);

/// The longest that a flush waits.
const LAST_WAIT: Duration = Duration::from_secs(5);
