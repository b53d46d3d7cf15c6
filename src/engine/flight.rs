//! What is known, and single-flight for what is being computed.
//!
//! A flight is settled once, under one lock, by whoever comes first: its worker, or a waiter whose deadline passes. When
//! its last waiter goes, the flight ends and nothing is decided, because nothing was forwarded.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::sync::watch;

use crate::compress::{Condensation, Level, Outcome, Reason, Unit};

use super::{
    Cache, Config, Reply,
    decisions::{Chosen, Decisions, Forced},
    key::{DecisionId, Key, ModelId},
    stats::{Counters, Stats},
    stop::{Stop, Why, lock},
};

/// A decision.
#[derive(Debug, Clone)]
pub(super) struct Known {
    condensation: Arc<Condensation>,
    took: Duration,
}

impl Known {
    /// A decision of the pipeline.
    pub(super) fn new(condensation: Condensation, took: Duration) -> Self {
        Self { condensation: Arc::new(condensation), took }
    }

    pub(super) fn reply(self, cache: Cache, id: DecisionId, level: Level) -> Reply {
        Reply { condensation: self.condensation, cache, took: self.took, id, level }
    }
}

impl From<Forced> for Known {
    fn from(forced: Forced) -> Self {
        Self::new(Condensation::unchanged(forced.reason, forced.tokens), Duration::ZERO)
    }
}

/// The decisions that are known or being made.
#[derive(Debug)]
pub(super) struct Flights {
    running: Mutex<HashMap<Key, Running>>,
    cache: moka::sync::Cache<DecisionId, Known>,
    decisions: Decisions,
    counters: Arc<Counters>,
}

#[derive(Debug)]
struct Running {
    flight: Arc<Flight>,
    waiters: usize,
}

/// One computation that one or more equal jobs wait for.
#[derive(Debug)]
pub(super) struct Flight {
    key: Key,
    /// Names the decision that the pipeline will make.
    pub(super) id: DecisionId,
    level: Level,
    model: ModelId,
    settled: watch::Sender<Option<Known>>,
    /// Tells the worker and the model to end.
    pub(super) stop: Arc<Stop>,
    /// The text's length in target tokens, once the pipeline has counted it.
    pub(super) tokens: AtomicUsize,
}

/// What is known of a job.
#[derive(Debug)]
pub(super) enum Joined {
    /// It is decided.
    Known(Known),
    /// An equal one is being computed.
    Flight(Waiter),
    /// Nothing: the caller sees to it that the flight is worked on.
    New(Waiter),
}

impl Flights {
    pub(super) fn new(config: &Config, decisions: Decisions, counters: Arc<Counters>) -> Self {
        let evictions = Arc::clone(&counters);
        let mut cache = moka::sync::Cache::builder()
            .max_capacity(config.cache_mib * 1024 * 1024)
            .weigher(|_, known: &Known| weight(&known.condensation))
            .eviction_listener(move |_, _, cause| {
                if cause.was_evicted() {
                    evictions.evictions.add(1);
                }
            });
        if config.cache_idle_s > 0 {
            cache = cache.time_to_idle(Duration::from_secs(config.cache_idle_s));
        }
        Self { running: Mutex::default(), cache: cache.build(), decisions, counters }
    }

    /// The decision that was forced for this key, if one was.
    pub(super) fn forced(&self, key: Key) -> Option<Known> {
        let forced = self.decisions.find(key)?;
        self.counters.hits.add(1);
        Some(forced.into())
    }

    /// What was chosen of a job's text by a model that may still be loading, to be replayed; others may have chosen it in
    /// the meantime.
    pub(super) fn chosen(&self, key: Key, level: Level, model: Option<ModelId>) -> Option<Arc<Chosen>> {
        self.decisions.chosen(key).filter(|chosen| chosen.holds(level, model))
    }

    /// A decision that is in the cache.
    pub(super) fn cached(&self, id: DecisionId) -> Option<Known> {
        let known = self.cache.get(&id)?;
        self.counters.hits.add(1);
        Some(known)
    }

    /// A decision was replayed.
    pub(super) fn replayed(&self, id: DecisionId, known: &Known) {
        self.counters.hits.add(1);
        self.counters.replayed.add(1);
        self.cache.insert(id, known.clone());
    }

    /// Whether other processes may have decided what this one doesn't know.
    pub(super) fn is_shared(&self) -> bool {
        self.decisions.is_shared()
    }

    /// Looks at what other processes have decided.
    pub(super) fn refresh(&self) {
        self.decisions.refresh();
    }

    /// Looks a job up, and becomes one of its waiters if it is not decided.
    pub(super) fn join(self: &Arc<Self>, key: Key, model: ModelId, level: Level) -> Joined {
        let id = key.under(model, level);
        let mut running = lock(&self.running);
        if let Some(known) = self.decisions.find(key).map(Known::from).or_else(|| self.cache.get(&id)) {
            self.counters.hits.add(1);
            return Joined::Known(known);
        }
        if let Some(Running { flight, waiters }) = running.get_mut(&key) {
            *waiters += 1;
            self.counters.joined.add(1);
            return Joined::Flight(Waiter::new(self, flight));
        }
        self.counters.misses.add(1);
        let flight = Arc::new(Flight {
            key,
            id,
            level,
            model,
            settled: watch::Sender::new(None),
            stop: Arc::default(),
            tokens: AtomicUsize::new(0),
        });
        running.insert(key, Running { flight: Arc::clone(&flight), waiters: 1 });
        Joined::New(Waiter::new(self, &flight))
    }

    /// The pipeline has decided. Without effect on a flight that is settled or abandoned.
    pub(super) fn settle(&self, flight: &Arc<Flight>, known: Known) {
        let mut running = lock(&self.running);
        if remove(&mut running, flight) {
            if let Some(chosen) = Chosen::of(flight.key, flight.level, flight.model, &known.condensation) {
                self.decisions.choose(flight.key, chosen);
            }
            self.cache.insert(flight.id, known.clone());
            flight.settled.send_replace(Some(known));
        }
    }

    /// The level of a text: the one that it was first condensed at, else `now`, which is noted for it.
    pub(super) fn level(&self, key: Key, now: Option<Level>) -> Level {
        self.decisions.level(key, now)
    }

    /// The level to which what has this name was backed off.
    pub(super) fn backed(&self, name: [u8; 16]) -> Level {
        self.decisions.backed(name)
    }

    /// Notes that level.
    pub(super) fn back(&self, name: [u8; 16], level: Level) {
        self.decisions.back(name, level);
    }

    /// The units of a decision that were put back when it was judged; none where it passed, `None` where it was not
    /// judged.
    pub(super) fn judged(&self, id: DecisionId) -> Option<Vec<usize>> {
        self.decisions.judged(id)
    }

    /// Notes which units a verdict puts back; gives those of the first verdict.
    pub(super) fn judge(&self, id: DecisionId, units: &[usize]) -> Vec<usize> {
        self.decisions.judge(id, units)
    }

    /// Puts `new` in the place of `old`, unless something else stands there by now; gives what stands.
    pub(super) fn replace(&self, id: DecisionId, old: &Condensation, new: Condensation) -> Arc<Condensation> {
        let _alone = lock(&self.running);
        match self.cache.get(&id) {
            Some(known) if *known.condensation != *old => known.condensation,
            known => {
                let known = Known::new(new, known.map_or(Duration::ZERO, |known| known.took));
                self.cache.insert(id, known.clone());
                known.condensation
            }
        }
    }

    /// The text of a flight has to go on as it is. Without effect on a flight that is settled or abandoned.
    pub(super) fn force_flight(&self, flight: &Arc<Flight>, reason: Reason) {
        let mut running = lock(&self.running);
        if remove(&mut running, flight) {
            let forced = Forced { reason, tokens: flight.tokens.load(Relaxed) };
            self.remember(flight.key, forced);
            flight.settled.send_replace(Some(forced.into()));
            flight.stop.stop(Why::Deadline);
        }
    }

    /// The text of a job that never flew has to go on as it is.
    pub(super) fn force(&self, key: Key, reason: Reason) -> Known {
        let running = lock(&self.running);
        let flight = running.get(&key).map(|running| Arc::clone(&running.flight));
        if flight.is_none() {
            self.remember(key, Forced { reason, tokens: 0 });
        }
        drop(running);
        if let Some(flight) = flight {
            self.force_flight(&flight, reason);
        }
        self.decisions.find(key).unwrap_or(Forced { reason, tokens: 0 }).into()
    }

    /// Lets the thread that writes decisions end.
    pub(super) fn close(&self) {
        self.decisions.close();
    }

    /// What is held now, beside the running numbers of `stats`.
    pub(super) fn sizes(&self, stats: impl FnOnce() -> Stats) -> Stats {
        self.cache.run_pending_tasks();
        let sizes = self.decisions.sizes();
        Stats {
            cached: self.cache.entry_count(),
            cached_bytes: self.cache.weighted_size(),
            chosen: sizes.chosen,
            remembered: sizes.raw,
            judged: sizes.judged,
            levels: sizes.levels,
            ..stats()
        }
    }

    fn remember(&self, key: Key, forced: Forced) {
        self.counters.forced(forced.reason);
        self.decisions.remember(key, forced);
    }
}

/// Takes a flight out, if it is still the one that runs under its key.
fn remove(running: &mut HashMap<Key, Running>, flight: &Arc<Flight>) -> bool {
    let runs = running.get(&flight.key).is_some_and(|running| Arc::ptr_eq(&running.flight, flight));
    if runs {
        running.remove(&flight.key);
    }
    runs
}

/// One who waits for a flight.
#[derive(Debug)]
pub(super) struct Waiter {
    flights: Arc<Flights>,
    flight: Arc<Flight>,
    settled: watch::Receiver<Option<Known>>,
}

impl Waiter {
    fn new(flights: &Arc<Flights>, flight: &Arc<Flight>) -> Self {
        Self { flights: Arc::clone(flights), flight: Arc::clone(flight), settled: flight.settled.subscribe() }
    }

    pub(super) fn flight(&self) -> Arc<Flight> {
        Arc::clone(&self.flight)
    }

    /// The decision, once there is one.
    pub(super) async fn settled(&mut self) -> Known {
        let known = match self.settled.wait_for(Option::is_some).await {
            Ok(known) => known.clone(),
            Err(_) => None,
        };
        known.unwrap_or_else(|| self.force(Reason::ModelFailed))
    }

    /// Settles the flight for all who wait, unless it is settled already; either way, gives the decision.
    pub(super) fn force(&self, reason: Reason) -> Known {
        self.flights.force_flight(&self.flight, reason);
        let settled = self.settled.borrow().clone();
        settled.unwrap_or_else(|| Forced { reason, tokens: 0 }.into())
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut running = lock(&self.flights.running);
        let Some(entry) = running.get_mut(&self.flight.key) else { return };
        if !Arc::ptr_eq(&entry.flight, &self.flight) {
            return;
        }
        entry.waiters -= 1;
        if entry.waiters == 0 {
            running.remove(&self.flight.key);
            self.flights.counters.cancelled.add(1);
            self.flight.stop.stop(Why::Cancelled);
        }
    }
}

/// What a decision weighs, in bytes; keys and book-keeping are put at 200.
fn weight(condensation: &Condensation) -> u32 {
    let unit = |unit: &Unit| size_of::<Unit>() + unit.text.as_ref().map_or(0, String::len);
    let text = match &condensation.outcome {
        Outcome::Compressed(text) => text.len(),
        Outcome::Unchanged(_) => 0,
    };
    let choice = condensation.choice.as_ref().map_or(0, |choice| choice.bytes().len());
    let bytes = 200 + size_of::<Condensation>() + text + choice + condensation.units.iter().map(unit).sum::<usize>();
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
