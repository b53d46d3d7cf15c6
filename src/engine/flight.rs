//! What is known, and single-flight for what is being computed.
//!
//! A flight is settled once, under one lock, by whoever comes first: its worker, or a waiter whose deadline passes. When
//! its last waiter goes, the flight ends and nothing is decided, because nothing was forwarded.
//!
//! Where replicas share decisions, whoever settles a flight first has only *claimed* it: its decision is offered to the
//! others before anybody here is told. Then the flight lands, with what another replica had decided where that came first.

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
    peers::{Fate, Peers, Record},
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
    /// The replicas that share decisions.
    peers: Option<Arc<Peers>>,
    counters: Arc<Counters>,
}

#[derive(Debug)]
struct Running {
    flight: Arc<Flight>,
    waiters: usize,
    /// Its decision is made and being offered to other replicas.
    claimed: bool,
}

/// One computation that one or more equal jobs wait for.
#[derive(Debug)]
pub(super) struct Flight {
    key: Key,
    /// Names the decision that the pipeline will make.
    pub(super) id: DecisionId,
    level: Level,
    model: ModelId,
    settled: watch::Sender<Option<Landed>>,
    /// Tells the worker and the model to end.
    pub(super) stop: Arc<Stop>,
    /// The text's length in target tokens, once the pipeline has counted it.
    pub(super) tokens: AtomicUsize,
}

/// How a flight ended.
#[derive(Debug, Clone)]
pub(super) struct Landed {
    /// What was decided here.
    pub(super) known: Known,
    /// Whether another replica had decided before, so that what is noted by now stands instead.
    pub(super) elsewhere: bool,
}

impl From<Known> for Landed {
    fn from(known: Known) -> Self {
        Self { known, elsewhere: false }
    }
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
    pub(super) fn new(
        config: &Config,
        decisions: Decisions,
        peers: Option<Arc<Peers>>,
        counters: Arc<Counters>,
    ) -> Self {
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
        Self { running: Mutex::default(), cache: cache.build(), decisions, peers, counters }
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

    /// That turned out to be no choice of the job's text.
    pub(super) fn refuted(&self, key: Key, chosen: &Arc<Chosen>) {
        self.decisions.refute(key, chosen);
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
        if let Some(Running { flight, waiters, .. }) = running.get_mut(&key) {
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
        running.insert(key, Running { flight: Arc::clone(&flight), waiters: 1, claimed: false });
        Joined::New(Waiter::new(self, &flight))
    }

    /// The pipeline has decided. Without effect on a flight that is settled or abandoned.
    pub(super) fn settle(self: &Arc<Self>, flight: &Arc<Flight>, known: Known) {
        let chosen = Chosen::of(flight.key, flight.level, flight.model, &known.condensation);
        self.decide(flight, Decided { known, fate: chosen.map(|chosen| Fate::Chosen(Arc::new(chosen))), cached: true });
    }

    /// Lands a flight with this decision, after other replicas were asked where there are any. Without effect on a flight
    /// that is settled, claimed or abandoned.
    fn decide(self: &Arc<Self>, flight: &Arc<Flight>, decided: Decided) {
        let mut running = lock(&self.running);
        let Some(entry) = running.get_mut(&flight.key).filter(|entry| Arc::ptr_eq(&entry.flight, flight)) else {
            return;
        };
        if entry.claimed {
            return;
        }
        let Some((peers, fate)) = self.peers.clone().zip(decided.fate.clone()) else {
            running.remove(&flight.key);
            return self.land(flight, decided, None);
        };
        entry.claimed = true;
        drop(running);
        let landing = Landing { flights: Arc::clone(self), flight: Arc::clone(flight), decided: Some(decided) };
        let runtime = peers.runtime();
        // Not a waiter's own work: one that goes must not take the others' decision along. Ends with the round trip.
        runtime.spawn(async move {
            let takes = |record: &Record| landing.flight.takes(record);
            let first = peers.agree(landing.flight.key, &fate.into(), takes).await;
            landing.land(first);
        });
    }

    /// Tells all who wait, after it is noted what stands: the decision made here, or the first of another replica.
    fn land(&self, flight: &Flight, decided: Decided, first: Option<Record>) {
        let Decided { known, fate, cached } = decided;
        let elsewhere = first.is_some();
        match (first, fate) {
            (Some(first), _) => self.learn(flight.key, first),
            (None, Some(Fate::Raw(forced))) => self.remember(flight.key, forced),
            (None, Some(Fate::Chosen(chosen))) => self.decisions.choose(flight.key, chosen),
            (None, None) => {}
        }
        if cached && !elsewhere {
            self.cache.insert(flight.id, known.clone());
        }
        flight.settled.send_replace(Some(Landed { known, elsewhere }));
    }

    /// Asks other replicas what they decided on those of these keys on which nothing was decided here.
    pub(super) async fn recall(&self, keys: impl Iterator<Item = Key>) {
        let Some(peers) = &self.peers else { return };
        let mut unknown: Vec<Key> = keys.filter(|key| !self.decisions.knows(*key)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        if !unknown.is_empty() {
            for (key, record) in peers.recall(&unknown).await {
                self.learn(key, record);
            }
        }
    }

    /// Whether other replicas share decisions.
    pub(super) fn has_peers(&self) -> bool {
        self.peers.is_some()
    }

    /// The text of a job that never flew is to go on as it is; whether another replica had decided on it before, and that
    /// is noted by now.
    pub(super) async fn overruled(&self, key: Key, reason: Reason) -> bool {
        let Some(peers) = &self.peers else { return false };
        let raw = Fate::Raw(Forced { reason, tokens: 0 });
        let first =
            peers.agree(key, &raw.into(), |record| matches!(&record.fate, Fate::Raw(_)) || is_ours(record)).await;
        let overruled = first.is_some();
        first.into_iter().for_each(|record| self.learn(key, record));
        overruled
    }

    /// Takes in what another replica has decided.
    fn learn(&self, key: Key, record: Record) {
        let Record { fate, judged } = record;
        match fate {
            Fate::Raw(forced) => self.decisions.remember(key, forced),
            // Of another version: it says nothing here.
            Fate::Chosen(chosen) if !chosen.is_current() => {}
            Fate::Chosen(chosen) => {
                self.decisions.adopt(key, &chosen);
                if let Some(units) = judged {
                    let units: Vec<usize> = units.iter().map(|unit| *unit as usize).collect();
                    self.decisions.judge(key.under(chosen.model, chosen.level), &units);
                }
            }
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

    /// Notes which units a verdict puts back, and tells other replicas; gives those of the first verdict.
    pub(super) fn judge(&self, key: Key, id: DecisionId, units: &[usize]) -> Vec<usize> {
        let units = self.decisions.judge(id, units);
        if let Some(peers) = &self.peers
            && let Some(chosen) = self.decisions.chosen(key)
        {
            let judged = units.iter().filter_map(|unit| u32::try_from(*unit).ok()).collect();
            peers.replace(key, &Record { fate: Fate::Chosen(chosen), judged: Some(judged) });
        }
        units
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
    pub(super) fn force_flight(self: &Arc<Self>, flight: &Arc<Flight>, reason: Reason) {
        let forced = Forced { reason, tokens: flight.tokens.load(Relaxed) };
        self.decide(flight, Decided { known: forced.into(), fate: Some(Fate::Raw(forced)), cached: false });
        flight.stop.stop(Why::Deadline);
    }

    /// The text of a job that never flew has to go on as it is.
    pub(super) fn force(self: &Arc<Self>, key: Key, reason: Reason) -> Known {
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

    /// Tells other replicas that a text goes on raw from now on, whatever was decided before.
    pub(super) fn tell_raw(&self, key: Key, reason: Reason) {
        if let Some(peers) = &self.peers {
            peers.replace(key, &Fate::Raw(Forced { reason, tokens: 0 }).into());
        }
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
            peers: self.peers.as_ref().map(|peers| peers.stats()),
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
    settled: watch::Receiver<Option<Landed>>,
}

/// A decision that was made here.
#[derive(Debug)]
struct Decided {
    known: Known,
    /// What is remembered of it; nothing where it can't be told.
    fate: Option<Fate>,
    /// Whether its text is kept.
    cached: bool,
}

/// A claimed flight on its way down. It lands whatever becomes of the offer, a panic and the end of its runtime among it:
/// somebody waits.
struct Landing {
    flights: Arc<Flights>,
    flight: Arc<Flight>,
    /// `None` once it has landed.
    decided: Option<Decided>,
}

impl Landing {
    fn land(mut self, first: Option<Record>) {
        self.down(first);
    }

    fn down(&mut self, first: Option<Record>) {
        let Some(decided) = self.decided.take() else { return };
        let mut running = lock(&self.flights.running);
        remove(&mut running, &self.flight);
        self.flights.land(&self.flight, decided, first);
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.down(None);
    }
}

impl Flight {
    /// Whether what another replica decided first can be forwarded here.
    fn takes(&self, record: &Record) -> bool {
        match &record.fate {
            Fate::Raw(_) => true,
            Fate::Chosen(chosen) => chosen.holds(chosen.level, Some(self.model)),
        }
    }
}

/// Whether it was decided by this version of the pipeline.
fn is_ours(record: &Record) -> bool {
    matches!(&record.fate, Fate::Chosen(chosen) if chosen.is_current())
}

impl Waiter {
    fn new(flights: &Arc<Flights>, flight: &Arc<Flight>) -> Self {
        Self { flights: Arc::clone(flights), flight: Arc::clone(flight), settled: flight.settled.subscribe() }
    }

    pub(super) fn flight(&self) -> Arc<Flight> {
        Arc::clone(&self.flight)
    }

    /// The decision, once there is one.
    pub(super) async fn settled(&mut self) -> Landed {
        let landed = match self.settled.wait_for(Option::is_some).await {
            Ok(landed) => landed.clone(),
            // The flight holds the sender, and this holds the flight.
            Err(_) => None,
        };
        landed.unwrap_or_else(|| Known::from(Forced { reason: Reason::ModelFailed, tokens: 0 }).into())
    }

    /// Settles the flight for all who wait, unless it is settled already; either way, gives the decision. Other replicas,
    /// where there are any, are heard first, for no longer than one round trip may take.
    pub(super) async fn force(&mut self, reason: Reason) -> Landed {
        self.flights.force_flight(&self.flight, reason);
        self.settled().await
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
        // One that is claimed lands anyway: other replicas may have heard of it.
        if entry.waiters == 0 && !entry.claimed {
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
