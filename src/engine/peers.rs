//! Decisions that replicas have in common, by way of a Valkey or Redis server.
//!
//! A conversation that moves from one replica to another has to be forwarded in the form that a provider has cached. So
//! what a request's texts were decided to be is asked for, in one round trip, before any of them costs time; and what is
//! decided here is offered before it is forwarded. *Who comes first decides*: the offer stands only where there is none
//! yet, and whoever offers second is told the first one, takes it, and forwards that.
//!
//! The server is a convenience, never a condition. Each round trip has a few milliseconds; past them, and while the
//! [`link`] is down, the replica goes by what it knows itself, and what it decides meanwhile is offered later. Nothing
//! that was forwarded changes on account of the server.
//!
//! Values are [sealed](record): who has the server has neither texts nor lengths, and can make nothing up.

mod config;
mod link;
mod record;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use redis::Pipeline;
use tokio::{runtime::Handle, sync::mpsc};
use tokio_util::task::AbortOnDropHandle;

pub use config::Config;
use link::{Link, Missing};
pub(super) use record::{Fate, Record};

use super::key::Key;

/// The replicas beside this one.
#[derive(Debug)]
pub struct Peers {
    link: Arc<Link>,
    place: Place,
    later: mpsc::Sender<Later>,
    counts: Arc<Counts>,
    runtime: Handle,
    /// Keeps the link, and offers what could not be offered at once; both end with this.
    _tasks: [AbortOnDropHandle<()>; 2],
}

/// Where decisions lie on the server, and for how long.
#[derive(Debug, Clone)]
struct Place {
    prefix: String,
    ttl: u64,
}

/// What is offered when the server answers again.
#[derive(Debug)]
struct Later {
    name: String,
    value: Vec<u8>,
    /// Whether it takes the place of what is there.
    replace: bool,
}

/// Offers that may wait for the server.
const WAITING: usize = 1024;

/// Keys in one round trip.
const AT_ONCE: usize = 256;

#[derive(Debug, Default)]
struct Counts {
    found: AtomicU64,
    missing: AtomicU64,
    adopted: AtomicU64,
    lost: AtomicU64,
}

/// What replicas have had of each other so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PeersStats {
    /// Texts whose decision another replica had made.
    pub found: u64,
    /// Texts that no replica had decided.
    pub missing: u64,
    /// Decisions made here that gave way to one that another replica had made at the same time.
    pub adopted: u64,
    /// Decisions that no other replica will know of: too many waited, or the server refused them.
    pub lost: u64,
    /// Round trips that came back in time.
    pub answered: u64,
    /// Time that they took together.
    pub time: Duration,
    /// Round trips that took too long.
    pub late: u64,
    /// Round trips that failed: the connection broke, or what came back was none of the protocol.
    pub broken: u64,
    /// Round trips that the server refused.
    pub refused: u64,
    /// Round trips that were not tried, as the link was down.
    pub skipped: u64,
    /// Whether the link is up.
    pub up: bool,
}

impl Peers {
    /// Begins to keep a link; connects in the background, and so never fails for want of a server. `None` without one in
    /// the configuration. `variable` is the environment.
    ///
    /// Has to be called within a runtime where a server is named.
    ///
    /// # Errors
    /// Where a variable is not set that the configuration names, or its authorities can't be read.
    pub fn start(
        config: &Config,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, crate::setting::Invalid> {
        let Some(client) = config.client(variable)? else { return Ok(None) };
        let link = Arc::new(Link::new(client, &config.prefix, Duration::from_millis(config.timeout_ms)));
        let (later, waiting) = mpsc::channel(WAITING);
        let place = Place { prefix: config.prefix.clone(), ttl: config.ttl_s };
        let counts = Arc::<Counts>::default();
        let offers = offer_later(Arc::clone(&link), place.clone(), waiting, Arc::clone(&counts));
        let tasks = [tokio::spawn(Arc::clone(&link).keep()), tokio::spawn(offers)];
        Ok(Some(Self {
            link,
            place,
            later,
            counts,
            runtime: Handle::current(),
            _tasks: tasks.map(AbortOnDropHandle::new),
        }))
    }

    /// What other replicas have decided on these keys, as far as the server says it in time.
    pub(super) async fn recall(&self, keys: &[Key]) -> Vec<(Key, Record)> {
        let mut found = Vec::new();
        for keys in keys.chunks(AT_ONCE) {
            let mut pipeline = Pipeline::with_capacity(2 * keys.len());
            let names: Vec<String> = keys.iter().map(|key| self.place.name(*key)).collect();
            names.iter().for_each(|name| Place::read(&mut pipeline, name));
            // What is in use stays.
            names.iter().for_each(|name| self.place.keep(&mut pipeline, name));
            let Ok(values) = self.link.ask::<Vec<Vec<u8>>>(&pipeline).await else { break };
            let before = found.len();
            let records = keys.iter().zip(&values).filter_map(|(key, value)| Some((*key, Record::open(*key, value)?)));
            found.extend(records);
            let hits = found.len() - before;
            self.counts.found.fetch_add(hits as u64, Relaxed);
            self.counts.missing.fetch_add((keys.len() - hits) as u64, Relaxed);
        }
        found
    }

    /// Offers a decision. Gives the one that stands instead, where another replica came first and this one `takes` it.
    pub(super) async fn agree(&self, key: Key, record: &Record, takes: impl Fn(&Record) -> bool) -> Option<Record> {
        let (name, value) = (self.place.name(key), record.seal(key)?);
        let mut pipeline = Pipeline::with_capacity(2);
        self.place.offer(&mut pipeline, &name, &value);
        Place::read(&mut pipeline, &name);
        match self.link.ask::<(Vec<u8>,)>(&pipeline).await {
            Ok((stands,)) if stands == value => None,
            Ok((stands,)) => {
                let first = Record::open(key, &stands).filter(takes);
                match &first {
                    Some(_) => self.counts.adopted.fetch_add(1, Relaxed),
                    // Of another version or model, or nothing of ours.
                    None => return self.wait(Later { name, value, replace: true }),
                };
                first
            }
            Err(Missing::Refused) => {
                self.counts.lost.fetch_add(1, Relaxed);
                None
            }
            Err(Missing::Down | Missing::Late | Missing::Broken) => self.wait(Later { name, value, replace: false }),
        }
    }

    /// A decision takes the place of the one that was made, as where a verdict has put back parts of it. Waits for
    /// nothing.
    pub(super) fn replace(&self, key: Key, record: &Record) {
        if let Some(value) = record.seal(key) {
            let _: Option<Record> = self.wait(Later { name: self.place.name(key), value, replace: true });
        }
    }

    /// Where the link lives.
    pub(super) fn runtime(&self) -> Handle {
        self.runtime.clone()
    }

    /// Whether the server can be used, for whoever asks once: how long a round trip takes, or why not.
    ///
    /// # Errors
    /// Why not, in words.
    pub async fn check(config: &Config, variable: impl Fn(&str) -> Option<String>) -> Option<Result<Duration, String>> {
        let client = match config.client(variable) {
            Ok(client) => client?,
            Err(invalid) => return Some(Err(invalid.to_string())),
        };
        let link = Link::new(client, &config.prefix, Duration::from_millis(config.timeout_ms));
        Some(link.check().await.map_err(str::to_owned))
    }

    /// What has happened so far.
    pub(super) fn stats(&self) -> PeersStats {
        let now = |count: &AtomicU64| count.load(Relaxed);
        let Counts { found, missing, adopted, lost } = &*self.counts;
        PeersStats {
            found: now(found),
            missing: now(missing),
            adopted: now(adopted),
            lost: now(lost),
            ..self.link.stats()
        }
    }

    fn wait(&self, later: Later) -> Option<Record> {
        if self.later.try_send(later).is_err() {
            self.counts.lost.fetch_add(1, Relaxed);
        }
        None
    }
}

impl Place {
    fn name(&self, key: Key) -> String {
        let name = key.name();
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        format!("{}:{}:{}", self.prefix, hex(&name.share.0), hex(&name.hash))
    }

    /// Reads no more of a value than one of ours can have.
    fn read(pipeline: &mut Pipeline, name: &str) {
        pipeline.cmd("GETRANGE").arg(name).arg(0).arg(record::LONGEST);
    }

    fn keep(&self, pipeline: &mut Pipeline, name: &str) {
        pipeline.cmd("EXPIRE").arg(name).arg(self.ttl).ignore();
    }

    fn offer(&self, pipeline: &mut Pipeline, name: &str, value: &[u8]) {
        pipeline.cmd("SET").arg(name).arg(value).arg("EX").arg(self.ttl).arg("NX").ignore();
    }

    fn put(&self, pipeline: &mut Pipeline, name: &str, value: &[u8]) {
        pipeline.cmd("SET").arg(name).arg(value).arg("EX").arg(self.ttl).ignore();
    }
}

/// Offers what waits, whenever the link is up.
async fn offer_later(link: Arc<Link>, place: Place, mut waiting: mpsc::Receiver<Later>, counts: Arc<Counts>) {
    while let Some(Later { name, value, replace }) = waiting.recv().await {
        let mut pipeline = Pipeline::with_capacity(1);
        match replace {
            true => place.put(&mut pipeline, &name, &value),
            false => place.offer(&mut pipeline, &name, &value),
        }
        loop {
            link.up().await;
            match link.ask::<()>(&pipeline).await {
                Ok(()) => break,
                Err(Missing::Refused) => {
                    counts.lost.fetch_add(1, Relaxed);
                    break;
                }
                Err(Missing::Down | Missing::Late | Missing::Broken) => {}
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
