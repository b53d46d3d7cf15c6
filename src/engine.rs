//! Where the two worlds meet: an async handle over the pure pipeline with a cache, single-flight, a bounded queue,
//! worker threads and deadlines.
//!
//! A job is looked up among the decisions that were forced, then in the cache, then among what was chosen before, then
//! among the flights (equal jobs that are being computed), and only then queued for a worker. Workers run
//! [`compress`](crate::compress::compress); what they ask of the model runs on one thread that owns it.
//!
//! *One key, one decision.* A provider's prompt cache is only worth something while the same text is forwarded in the
//! same form. So whatever settles a flight first settles it for all who wait, and it is remembered past eviction,
//! restart and replica, in numbers: what was chosen, that the text had to go on raw (deadline, overload, model fault),
//! the units that a verdict has put back, the level at which a text was first condensed. What was decided once is
//! written again before any queue, model or deadline is asked.

mod config;
mod decisions;
mod flight;
mod inference;
mod key;
mod known;
mod peers;
mod priority;
mod queue;
mod stats;
mod stop;
mod text;
mod worker;

use std::{
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use crate::compress::{Condensation, CountTokens, Encoding, Level, Policy, Query, Reason, reexpand};

pub use config::{Config, state_directory};
pub use inference::{Backend, Load, LoadError};
pub use key::DecisionId;
pub use peers::{Config as PeersConfig, Peers, PeersStats};
pub use stats::Stats;
pub use text::{Text, TextHash};

use decisions::Decisions;
use flight::{Flights, Joined, Known, Landed, Waiter};
use inference::{Inference, Loaded};
use key::{Key, ModelId};
use queue::{Lane, Pushed, Queue};
use stats::Counters;
use worker::Task;

/// One text to condense for one tenant.
#[derive(Debug, Clone)]
pub struct Job {
    /// The slot's text.
    pub text: Text,
    /// What precedes it or shares its turn.
    pub query: Query,
    /// What is allowed.
    pub policy: Policy,
    /// The target model's encoding.
    pub encoding: Encoding,
    /// Whose text it is; decisions are never shared between tenants.
    pub tenant: Tenant,
}

/// A tenant: the hash of a credential, never the credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Tenant(pub [u8; 16]);

/// A decision and where it came from.
#[derive(Debug, Clone)]
pub struct Reply {
    /// What became of the text. A raw outcome that was forced, or is due to the text's length, counts 0 tokens where
    /// counting was not worth the time.
    pub condensation: Arc<Condensation>,
    /// Whether it was known before.
    pub cache: Cache,
    /// Time that the pipeline took when it was computed.
    pub took: Duration,
    /// Names the decision.
    pub id: DecisionId,
    /// How far the ratio was backed off when the text was first condensed.
    pub level: Level,
}

/// Where a decision came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cache {
    /// Known before, or being computed for an equal request.
    Hit,
    /// Computed for this request.
    Miss,
}

/// Whether the model and the token encodings are loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// Not yet.
    Loading,
    /// Loaded and warm; or there is no model and the usual encoding is warm.
    Ready,
    /// The model could not be loaded, and why. Jobs that would need it go on as they are.
    Failed(Arc<str>),
}

/// Why an engine does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The operating system gave no thread.
    #[error("the `{0}` thread does not start")]
    Thread(&'static str, #[source] std::io::Error),
    /// The file that the operator named cannot be used.
    #[error("`decisions_file` {} cannot be read or written", crate::redact::path(.0))]
    Decisions(std::path::PathBuf, #[source] std::io::Error),
}

/// A handle; clones share one engine. The last one to go ends its threads.
#[derive(Debug, Clone)]
pub struct Engine {
    inner: Arc<Inner>,
    lane: Lane,
}

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    tasks: Arc<Queue<Task>>,
    /// Disconnected when every thread has ended. In a lock only because handles are shared between threads.
    ended: Mutex<mpsc::Receiver<()>>,
    /// Disconnected when what was decided is written.
    written: Mutex<mpsc::Receiver<()>>,
    time_budget: Option<Duration>,
    longest_slot: usize,
}

/// What handles and threads share.
#[derive(Debug)]
struct Shared {
    flights: Arc<Flights>,
    inference: Inference,
    counters: Arc<Counters>,
    /// As many replays run at once as there are workers.
    replays: tokio::sync::Semaphore,
}

impl Engine {
    /// Starts the threads and begins to load the model; returns at once.
    ///
    /// `state` is the directory for what outlives the process (see [`state_directory`]); without one, nothing does
    /// unless the configuration names a file.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start(config: &Config, state: Option<&std::path::Path>, backend: Backend) -> Result<Self, StartError> {
        Self::start_beside(None, config, state, backend)
    }

    /// The same of one replica among others that share their decisions.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start_beside(
        peers: Option<Peers>,
        config: &Config,
        state: Option<&std::path::Path>,
        backend: Backend,
    ) -> Result<Self, StartError> {
        let counters = Arc::new(Counters::default());
        let (alive, ended) = mpsc::sync_channel(1);
        let (writing, written) = mpsc::sync_channel(1);
        let decisions = Decisions::open(config, state, writing)?;
        let flights = Arc::new(Flights::new(config, decisions, peers.map(Arc::new), Arc::clone(&counters)));
        let workers = config.worker_threads();
        let tasks = Arc::new(Queue::new(config.queue, workers));
        let inference = Inference::start(backend, tasks.threads(), config.stuck_after(), &counters, alive.clone())?;
        let shared = Arc::new(Shared { flights, inference, counters, replays: tokio::sync::Semaphore::new(workers) });
        worker::start(&tasks, &shared, &alive)?;
        Ok(Self {
            inner: Arc::new(Inner {
                shared,
                tasks,
                ended: Mutex::new(ended),
                written: Mutex::new(written),
                time_budget: config.time_budget(),
                longest_slot: config.longest_slot_kib * 1024,
            }),
            lane: Lane::default(),
        })
    }

    /// The same engine for work that nobody waits for at a screen: it comes after the rest and leaves workers to it.
    #[must_use]
    pub fn batch(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), lane: Lane::Batch }
    }

    /// When a request has spent its time budget that began to come at `began` and was read at `read`; `None` when there is no
    /// budget. What its upload took counts up to a part of it: where bodies crowd, that is our time and not the client's.
    #[must_use]
    pub fn deadline(&self, began: Instant, read: Instant) -> Option<Instant> {
        let upload = |budget: Duration| read.saturating_duration_since(began).min(budget / UPLOAD);
        self.inner.time_budget.map(|budget| read + budget - upload(budget))
    }

    /// Asks other replicas, in one round trip, what they decided on those of a request's texts that are new here. Comes
    /// before any budget is spent on them, and takes no longer than a round trip may.
    pub async fn recall(&self, jobs: &[Job]) {
        let flights = &self.inner.shared.flights;
        if flights.has_peers() {
            flights.recall(jobs.iter().filter(|job| self.settled_by_length(job).is_none()).map(Key::of)).await;
        }
    }

    /// Condenses a text, or says why the original goes on. Never fails, and answers by `deadline`; past it only by the few
    /// milliseconds in which other replicas are heard.
    ///
    /// Dropping the future stops the work unless an equal job waits for it too.
    pub async fn condense(&self, job: Job, deadline: Option<Instant>) -> Reply {
        self.condense_at(job, None, deadline).await
    }

    /// The same at a level of the ratio. It holds for a text that was not seen before: one that was keeps the level of
    /// its first time, so that a provider's cached prefix stays what it is.
    pub async fn condense_at(&self, mut job: Job, level: Option<Level>, deadline: Option<Instant>) -> Reply {
        let Shared { flights, counters, .. } = &*self.inner.shared;
        let key = Key::of(&job);
        let none = ModelId::default();
        if let Some(condensation) = self.settled_by_length(&job) {
            let known = Known::new(condensation, Duration::ZERO);
            return known.reply(Cache::Miss, key.under(none, Level::Full), Level::Full);
        }
        if let Some(reply) = self.known(&job, key).await {
            return reply;
        }
        // As it was asked for, to be looked up once more where another replica comes first.
        let asked = flights.has_peers().then(|| job.clone());
        let level = flights.level(key, level);
        job.policy.ratio = level.ratio(job.policy.ratio);
        let asks_until = self.asks_until(deadline);
        let (model, hurried) = match self.model_for(&job, asks_until).await {
            Ok(found) => found,
            Err(reason) => {
                if flights.overruled(key, reason).await
                    && let Some(reply) = self.known_here(&asked.unwrap_or(job), key).await
                {
                    return reply;
                }
                return flights.force(key, reason).reply(Cache::Miss, key.under(none, level), level);
            }
        };
        let named = model.as_ref().map_or(none, |model| model.id);
        let id = key.under(named, level);
        let reply = async |Landed { known, elsewhere }: Landed, cache| {
            if let Some(asked) = asked.filter(|_| elsewhere)
                && let Some(reply) = self.known_here(&asked, key).await
            {
                return reply;
            }
            known.reply(cache, id, level)
        };
        let mut waiter = match flights.join(key, named, level) {
            Joined::Known(known) => return reply(known.into(), Cache::Hit).await,
            Joined::Flight(waiter) => return reply(wait(waiter, deadline).await, Cache::Hit).await,
            Joined::New(waiter) => waiter,
        };
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return reply(waiter.force(Reason::Deadline).await, Cache::Miss).await;
        }
        counters.queued.add(1);
        waiter.flight().stop.ask_until(asks_until);
        let tenant = job.tenant;
        match self.inner.tasks.push(self.lane, tenant, Task { job, model, hurried, flight: waiter.flight() }) {
            Pushed::Waits => {}
            Pushed::Instead(displaced) => {
                counters.queued.sub(1);
                flights.force_flight(&displaced.flight, Reason::Overloaded);
            }
            Pushed::Full(_) => {
                counters.queued.sub(1);
                return reply(waiter.force(Reason::Overloaded).await, Cache::Miss).await;
            }
        }
        reply(wait(waiter, deadline).await, Cache::Miss).await
    }

    /// Whether a decision was judged, in this process or a former one: then its form is final.
    #[must_use]
    pub fn is_judged(&self, id: DecisionId) -> bool {
        self.inner.shared.flights.judged(id).is_some()
    }

    /// The level to which what has this name was backed off, in this process or a former one.
    #[must_use]
    pub fn backed_off(&self, name: [u8; 16]) -> Level {
        self.inner.shared.flights.backed(name)
    }

    /// What has this name is backed off to this level from now on, also after a restart.
    pub fn back_off(&self, name: [u8; 16], level: Level) {
        self.inner.shared.flights.back(name, level);
    }

    /// A verdict on a decision: these units of it stand verbatim from now on, also when it is computed again after an
    /// eviction or a restart. Without units the decision stays as it is. The first verdict holds.
    #[must_use]
    pub fn judge(&self, job: &Job, reply: Reply, units: &[usize]) -> Reply {
        let flights = &self.inner.shared.flights;
        let units = flights.judge(Key::of(job), reply.id, units);
        let expanded = reexpand(&job.text, &reply.condensation, &units, &job.encoding);
        if expanded == *reply.condensation {
            return reply;
        }
        Reply { condensation: flights.replace(reply.id, &reply.condensation, expanded), ..reply }
    }

    /// The original of a job goes on from now on, for want of a verdict on what was decided.
    #[must_use]
    pub fn forgo(&self, job: &Job, reply: Reply) -> Reply {
        let (key, flights) = (Key::of(job), &self.inner.shared.flights);
        let known = flights.force(key, Reason::Unverified);
        flights.tell_raw(key, Reason::Unverified);
        known.reply(reply.cache, reply.id, reply.level)
    }

    /// Whether model and encodings are loaded.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        Readiness::from(&*self.inner.shared.inference.loaded().borrow())
    }

    /// Waits until loading has ended one way or the other.
    pub async fn loaded(&self) -> Readiness {
        match self.inner.shared.inference.loaded().wait_for(Loaded::is_settled).await {
            Ok(loaded) => Readiness::from(&*loaded),
            Err(_) => Readiness::Failed("its thread is gone".into()),
        }
    }

    /// What has happened so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let Shared { flights, inference, counters, .. } = &*self.inner.shared;
        flights.sizes(|| counters.stats(inference.is_stuck()))
    }

    /// What needs no work to decide. No text has more tokens than bytes.
    fn settled_by_length(&self, job: &Job) -> Option<Condensation> {
        if job.text.len() > self.inner.longest_slot {
            return Some(Condensation::unchanged(Reason::TooLong, 0));
        }
        let short = job.text.len() < job.policy.min_tokens;
        short.then(|| Condensation::unchanged(Reason::BelowMinimum, job.encoding.count(&job.text)))
    }

    /// Until when a model may be asked: the rest of the time budget is kept for choosing by words alone, which takes a
    /// few milliseconds for a thousand tokens.
    fn asks_until(&self, deadline: Option<Instant>) -> Option<Instant> {
        let kept = self.inner.time_budget?.mul_f32(KEPT_FOR_WORDS);
        deadline?.checked_sub(kept)
    }

    /// The model for a job that wants one, once it is loaded, and whether there was no time to wait for that.
    async fn model_for(
        &self,
        job: &Job,
        asks_until: Option<Instant>,
    ) -> Result<(Option<Arc<inference::Model>>, bool), Reason> {
        if !job.policy.rewrite {
            return Ok((None, false));
        }
        let mut loaded = self.inner.shared.inference.loaded();
        let Some(settled) = until(asks_until, loaded.wait_for(Loaded::is_settled)).await else {
            return Ok((None, true));
        };
        match settled.as_deref() {
            Ok(Loaded::Model(model)) => Ok((Some(Arc::clone(model)), false)),
            Ok(Loaded::Nothing) => Ok((None, false)),
            Ok(Loaded::Loading | Loaded::Failed(_)) | Err(_) => Err(Reason::ModelFailed),
        }
    }
}

/// One part in so many of the time budget may be spent while a body comes.
const UPLOAD: u32 = 8;

/// The share of the time budget that is kept for choosing by words alone.
const KEPT_FOR_WORDS: f32 = 0.4;

/// The decision on a flight; a deadline that passes is one.
async fn wait(mut waiter: Waiter, deadline: Option<Instant>) -> Landed {
    match until(deadline, waiter.settled()).await {
        Some(landed) => landed,
        None => waiter.force(Reason::Deadline).await,
    }
}

/// What `future` gives, if it does by `deadline`. A deadline that has passed still takes what is there already.
async fn until<T>(deadline: Option<Instant>, future: impl Future<Output = T>) -> Option<T> {
    match deadline {
        Some(deadline) => tokio::time::timeout_at(deadline.into(), future).await.ok(),
        None => Some(future.await),
    }
}

impl From<&Loaded> for Readiness {
    fn from(loaded: &Loaded) -> Self {
        match loaded {
            Loaded::Loading => Self::Loading,
            Loaded::Nothing | Loaded::Model(_) => Self::Ready,
            Loaded::Failed(reason) => Self::Failed(Arc::clone(reason)),
        }
    }
}

impl Drop for Inner {
    /// Lets the threads end, and gives native code a moment to leave before the process does. One that hangs is left
    /// behind. What was forwarded has to be known after a restart, so what writes it down gets more time, on a busy machine
    /// or by a slow disk.
    fn drop(&mut self) {
        self.tasks.close();
        self.shared.inference.close();
        self.shared.flights.close();
        let wait = |threads: &mut Mutex<mpsc::Receiver<()>>, most: u64| {
            let threads = threads.get_mut().unwrap_or_else(PoisonError::into_inner);
            let _ = threads.recv_timeout(Duration::from_millis(most));
        };
        wait(&mut self.written, 5000);
        wait(&mut self.ended, 100);
    }
}

#[cfg(test)]
mod tests;
