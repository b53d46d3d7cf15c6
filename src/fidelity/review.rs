//! The check in the way of a request: when it is made, what it waits for, what a verdict does.
//!
//! A decision of the engine is reviewed once. A flag puts the units back and replaces the decision once; from then on
//! its bytes are stable, also after eviction and restart. `inline` waits for that before anything is forwarded; in the
//! other modes, and where `inline` ran out of time, the text has gone on in its first form, so its bytes change at most
//! once, from one turn to a later one. That costs the provider's cached prefix once and is counted.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Backoff, Checker, Config, Mode, Name, State, Stats, Verdict, Why, WithoutVerdict, stats::Counters};
use crate::{
    compress::{Level, Ratio},
    engine::{DecisionId, Engine, Job, Reply},
    setting::Invalid,
};

/// Reviews the engine's decisions as the mode says; clones share one. Checks under way end with the last of them.
#[derive(Debug, Clone)]
pub struct Reviewer {
    inner: Arc<Inner>,
    _stop: Arc<DropGuard>,
}

#[derive(Debug)]
struct Inner {
    config: Config,
    checker: Checker,
    engine: Engine,
    /// One for each text that may wait or be checked.
    room: Arc<Semaphore>,
    backoff: Backoff,
    counters: Counters,
    /// What was said of a decision, while it is held.
    verdicts: moka::sync::Cache<DecisionId, Arc<Verdict>>,
    /// The reviews under way: equal decisions share one.
    running: Mutex<HashMap<DecisionId, watch::Receiver<Option<Judged>>>>,
    stop: CancellationToken,
}

/// What a review came to.
#[derive(Debug, Clone)]
pub struct Reviewed {
    /// What to forward.
    pub reply: Reply,
    /// The verdict, if there is one by now.
    pub verdict: Option<Arc<Verdict>>,
    /// The verdict that comes later, if one does.
    pub later: Option<Later>,
}

/// A decision with its verdict.
#[derive(Debug, Clone)]
struct Judged {
    reply: Reply,
    verdict: Arc<Verdict>,
}

/// A verdict to come.
#[derive(Debug, Clone)]
pub struct Later(watch::Receiver<Option<Judged>>);

impl Later {
    /// The verdict; `None` where the check was stopped.
    pub async fn verdict(mut self) -> Option<Arc<Verdict>> {
        let judged = self.0.wait_for(Option::is_some).await.ok()?;
        judged.as_ref().map(|judged| Arc::clone(&judged.verdict))
    }
}

impl Reviewer {
    /// A reviewer of this engine's decisions; `None` where the mode is off. `key` is the value of the variable that
    /// `api_key_env` names.
    ///
    /// # Errors
    /// A setting that cannot be used.
    pub fn new(config: &Config, engine: Engine, key: Option<String>) -> Result<Option<Self>, Invalid> {
        config.check()?;
        if config.mode == Mode::Off {
            return Ok(None);
        }
        let stop = CancellationToken::new();
        let inner = Inner {
            config: config.clone(),
            checker: Checker::new(config, key)?,
            room: Arc::new(Semaphore::new(config.queue + config.concurrency)),
            backoff: Backoff::new(config, Some(engine.clone())),
            engine,
            counters: Counters::default(),
            verdicts: moka::sync::Cache::builder().max_capacity(VERDICTS).weigher(weight).build(),
            running: Mutex::default(),
            stop: stop.clone(),
        };
        Ok(Some(Self { inner: Arc::new(inner), _stop: Arc::new(stop.drop_guard()) }))
    }

    /// The level for a text that was not seen before, after what was flagged under its names so far. Where no ratio is
    /// asked there is none.
    #[must_use]
    pub fn level(&self, names: &[Name], asked: Ratio) -> Option<Level> {
        matches!(asked, Ratio::By(_)).then(|| self.inner.backoff.level(names))
    }

    /// When a request that begins to wait now has waited enough.
    #[must_use]
    pub fn until(&self) -> Instant {
        Instant::now() + Duration::from_millis(self.inner.config.inline_budget_ms)
    }

    /// Reviews what the engine has decided for a job; never fails. Waits in `inline` mode alone, and not past `until`.
    pub async fn review(&self, job: &Job, names: [Name; 3], reply: Reply, until: Instant) -> Reviewed {
        let inner = &self.inner;
        if reply.condensation.text().is_none() {
            return Reviewed { reply, verdict: None, later: None };
        }
        let known = inner.verdicts.get(&reply.id);
        if known.is_some() || inner.engine.is_judged(reply.id) {
            let verdict = known.unwrap_or_else(|| Arc::new(Verdict::unchecked(Why::Forgotten, reply.level)));
            return inner.settled(job, reply, verdict);
        }
        let needless = match inner.config.mode {
            _ if !Checker::has_work(&reply.condensation) => Some(Why::NothingToAsk),
            Mode::Sample if !sampled(&job.text, inner.config.share) => Some(Why::NotSampled),
            _ => None,
        };
        if let Some(why) = needless {
            let verdict = inner.unchecked(reply.id, reply.level, why);
            return Reviewed { reply, verdict: Some(verdict), later: None };
        }
        let Some(mut running) = self.begin(job, names, &reply, until) else {
            let verdict = inner.unchecked(reply.id, reply.level, Why::Overloaded);
            return inner.settled(job, reply, verdict);
        };
        if inner.config.mode != Mode::Inline {
            return Reviewed { reply, verdict: None, later: Some(Later(running)) };
        }
        let later = Some(Later(running.clone()));
        let judged = tokio::time::timeout_at(until.into(), running.wait_for(Option::is_some)).await;
        if let Ok(Ok(judged)) = judged
            && let Some(Judged { reply, verdict }) = judged.clone()
        {
            return inner.settled(job, reply, verdict);
        }
        inner.counters.unchecked(Why::Late);
        let verdict = Arc::new(Verdict::unchecked(Why::Late, reply.level));
        Reviewed { later, ..inner.settled(job, reply, verdict) }
    }

    /// What is backed off.
    #[must_use]
    pub fn backoff(&self) -> &Backoff {
        &self.inner.backoff
    }

    /// What has happened so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.inner.counters.stats()
    }

    /// The review of a decision, begun now unless it is under way; `None` where there is no room.
    fn begin(
        &self,
        job: &Job,
        names: [Name; 3],
        reply: &Reply,
        until: Instant,
    ) -> Option<watch::Receiver<Option<Judged>>> {
        let mut running = self.inner.running();
        if let Some(running) = running.get(&reply.id) {
            return Some(running.clone());
        }
        let permit = Arc::clone(&self.inner.room).try_acquire_owned().ok()?;
        let (tell, told) = watch::channel(None);
        running.insert(reply.id, told.clone());
        drop(running);
        let place = Place { inner: Arc::clone(&self.inner), id: reply.id, _permit: permit };
        let (job, reply) = (job.clone(), reply.clone());
        // A task of its own: neither a client that goes nor a budget that ends wastes what was begun.
        tokio::spawn(async move {
            tokio::select! {
                judged = place.inner.judge(&job, names, reply, until) => {
                    place.inner.verdicts.insert(place.id, Arc::clone(&judged.verdict));
                    drop(place);
                    tell.send_replace(Some(judged));
                }
                () = place.inner.stop.cancelled() => {}
            }
        });
        Some(told)
    }
}

/// The place of a review among those under way.
#[derive(Debug)]
struct Place {
    inner: Arc<Inner>,
    id: DecisionId,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.inner.running().remove(&self.id);
    }
}

impl Inner {
    /// Has the decision checked, and replaced if units of it are flagged.
    async fn judge(&self, job: &Job, names: [Name; 3], reply: Reply, until: Instant) -> Judged {
        // Whoever asks for a ratio expects losses.
        let losses = reply.level.ratio(job.policy.ratio) == Ratio::Auto;
        let verdict = self.checker.check(&job.text, &reply.condensation, losses).await;
        let verdict = Arc::new(Verdict { level: reply.level, ..verdict });
        self.counters.spent(&verdict);
        if let State::Unchecked(why) = verdict.state {
            self.counters.unchecked(why);
            return Judged { reply, verdict };
        }
        let flagged = verdict.flagged();
        for name in names {
            if let Some((before, after)) = self.backoff.note(name, !flagged.is_empty()) {
                let kind = if let Name::Kind(kind) = name { kind.as_str() } else { "" };
                let (before, after) = (before.as_str(), after.as_str());
                tracing::info!(of = name.dimension(), kind, before, after, "the ratio's level changes");
            }
        }
        let old = Arc::clone(&reply.condensation);
        let reply = self.engine.judge(job, reply, &flagged);
        let replaced = !Arc::ptr_eq(&old, &reply.condensation);
        let forwarded = self.config.mode != Mode::Inline || until <= Instant::now();
        self.counters.judged(flagged.len(), replaced, forwarded);
        Judged { reply, verdict }
    }

    /// What goes on once the verdict is known, or known to be missing.
    fn settled(&self, job: &Job, reply: Reply, verdict: Arc<Verdict>) -> Reviewed {
        let missing = matches!(verdict.state, State::Unchecked(why) if why.is_failure());
        let original = self.config.mode == Mode::Inline && self.config.without_verdict == WithoutVerdict::Original;
        let reply = match verdict.state {
            State::Unchecked(_) if missing && original => self.engine.forgo(job, reply),
            // What was put back once is put back in a reply that is older than that, too.
            _ if self.engine.is_judged(reply.id) => self.engine.judge(job, reply, &[]),
            _ => reply,
        };
        Reviewed { reply, verdict: Some(verdict), later: None }
    }

    /// Not checked, which is said and counted once.
    fn unchecked(&self, id: DecisionId, level: Level, why: Why) -> Arc<Verdict> {
        self.counters.unchecked(why);
        let verdict = Arc::new(Verdict::unchecked(why, level));
        self.verdicts.insert(id, Arc::clone(&verdict));
        verdict
    }

    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<DecisionId, watch::Receiver<Option<Judged>>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a text is in the sample; the same text always is or never.
fn sampled(text: &str, share: f64) -> bool {
    let hash = blake3::hash(text.as_bytes());
    let [a, b, c, d, ..] = *hash.as_bytes();
    f64::from(u32::from_le_bytes([a, b, c, d])) < share * f64::from(u32::MAX)
}

/// Bytes of verdicts that are held.
const VERDICTS: u64 = 8 << 20;

fn weight(_: &DecisionId, verdict: &Arc<Verdict>) -> u32 {
    let said: usize = verdict.findings.iter().map(|f| size_of_val(f) + f.quote.len() + f.answer.len()).sum();
    u32::try_from(200 + size_of::<Verdict>() + said).unwrap_or(u32::MAX)
}
