//! The check in the way of a request: when it is made, what it waits for, what a verdict does.
//!
//! A decision of the engine is reviewed once, when it is made. A flag puts the unit back and replaces the decision once;
//! from then on its bytes are stable. In `inline` mode that happens before anything was forwarded.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::sync::Semaphore;

use super::{Backoff, Checker, Config, Mode, State, Verdict, Why, WithoutVerdict};
use crate::{
    compress::{Condensation, Decision, Ratio, Reason, reexpand},
    engine::{Cache, Engine, Job, Reply},
    setting::Invalid,
};

/// Reviews the engine's decisions as the mode says; clones share one.
#[derive(Debug, Clone)]
pub struct Reviewer {
    inner: Arc<Inner>,
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
}

/// What a review came to.
#[derive(Debug, Clone)]
pub struct Reviewed {
    /// What to forward.
    pub reply: Reply,
    /// The verdict, if there is one by now.
    pub verdict: Option<Arc<Verdict>>,
}

/// What has happened so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Texts that were checked.
    pub checked: u64,
    /// Texts with at least one flagged unit.
    pub flagged: u64,
    /// Units that were put back.
    pub put_back: u64,
    /// Tokens that the checking model was given and gave.
    pub tokens: u64,
    /// Texts that were not checked, by reason.
    pub unchecked: Vec<(Why, u64)>,
}

#[derive(Debug, Default)]
struct Counters {
    checked: AtomicU64,
    flagged: AtomicU64,
    put_back: AtomicU64,
    tokens: AtomicU64,
    unchecked: [AtomicU64; Why::ALL.len()],
}

impl Reviewer {
    /// A reviewer of this engine's decisions. `key` is the value of the variable that `api_key_env` names.
    ///
    /// # Errors
    /// A setting that cannot be used.
    pub fn new(config: &Config, engine: Engine, key: Option<String>) -> Result<Self, Invalid> {
        let inner = Inner {
            config: config.clone(),
            checker: Checker::new(config, key)?,
            engine,
            room: Arc::new(Semaphore::new(config.queue + config.concurrency)),
            backoff: Backoff::default(),
            counters: Counters::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Reviews what the engine has decided for a job; never fails. Waits only in `inline` mode, and within its budget.
    ///
    /// `late` is told of a verdict that comes after this has returned.
    pub async fn review(&self, job: &Job, reply: Reply, late: impl FnOnce(Arc<Verdict>) + Send + 'static) -> Reviewed {
        let inner = &self.inner;
        if let Some(why) = inner.needless(job, &reply) {
            return Reviewed { reply, verdict: Some(Arc::new(Verdict::unchecked(why))) };
        }
        let Ok(permit) = Arc::clone(&inner.room).try_acquire_owned() else {
            return inner.unverified(job, reply, Why::Overloaded);
        };
        if inner.config.mode == Mode::Inline {
            let budget = Duration::from_millis(inner.config.inline_budget_ms);
            let judged = tokio::time::timeout(budget, inner.judge(job, reply.clone())).await;
            return match judged {
                Ok((reply, verdict)) => {
                    let missing = matches!(verdict.state, State::Unchecked(why) if why != Why::NothingToAsk);
                    let reviewed = Reviewed { reply, verdict: Some(Arc::new(verdict)) };
                    if missing { inner.without_verdict(job, reviewed) } else { reviewed }
                }
                Err(_) => inner.unverified(job, reply, Why::Slow),
            };
        }
        let (reviewer, job, pending) = (self.clone(), job.clone(), reply.clone());
        tokio::spawn(async move {
            let (_, verdict) = reviewer.inner.judge(&job, pending).await;
            drop(permit);
            late(Arc::new(verdict));
        });
        Reviewed { reply, verdict: None }
    }

    /// The ratio for a name, after what was flagged under it so far.
    #[must_use]
    pub fn ratio(&self, name: &str, asked: Ratio) -> Ratio {
        self.inner.backoff.level(name).ratio(asked)
    }

    /// Levels of everything that is backed off.
    #[must_use]
    pub fn backoff(&self) -> &Backoff {
        &self.inner.backoff
    }

    /// What has happened so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let Counters { checked, flagged, put_back, tokens, unchecked } = &self.inner.counters;
        Stats {
            checked: checked.load(Relaxed),
            flagged: flagged.load(Relaxed),
            put_back: put_back.load(Relaxed),
            tokens: tokens.load(Relaxed),
            unchecked: Why::ALL.into_iter().zip(unchecked.iter().map(|count| count.load(Relaxed))).collect(),
        }
    }
}

impl Inner {
    /// Why a decision needs no review: known before (then it was reviewed), nothing rewritten, not in the sample.
    fn needless(&self, job: &Job, reply: &Reply) -> Option<Why> {
        let rewritten = reply.condensation.units.iter().any(|u| u.decision == Decision::Rewritten);
        let why = if self.config.mode == Mode::Off {
            Why::Off
        } else if reply.cache == Cache::Hit || reply.condensation.text().is_none() || !rewritten {
            Why::NothingToAsk
        } else if self.config.mode == Mode::Sample && !sampled(&job.text, self.config.share) {
            Why::NotSampled
        } else {
            return None;
        };
        self.count(why);
        Some(why)
    }

    /// Has the decision checked, and replaced if units of it are flagged.
    async fn judge(&self, job: &Job, reply: Reply) -> (Reply, Verdict) {
        let losses = job.policy.ratio == Ratio::Auto;
        let verdict = self.checker.check(&job.text, &reply.condensation, losses).await;
        self.counters.tokens.fetch_add(verdict.tokens, Relaxed);
        if let State::Unchecked(why) = verdict.state {
            self.count(why);
            return (reply, verdict);
        }
        self.counters.checked.fetch_add(1, Relaxed);
        let flagged = verdict.flagged();
        for kind in kinds(&reply.condensation) {
            let hit = flagged.iter().any(|at| reply.condensation.units.get(*at).is_some_and(|u| u.kind == kind));
            self.backoff.note(kind, hit);
        }
        if flagged.is_empty() {
            return (reply, verdict);
        }
        self.counters.flagged.fetch_add(1, Relaxed);
        self.counters.put_back.fetch_add(flagged.len() as u64, Relaxed);
        let expanded = reexpand(&job.text, &reply.condensation, &flagged, &job.encoding);
        let condensation = self.engine.replace(job, &reply.condensation, expanded);
        (Reply { condensation, ..reply }, verdict)
    }

    fn unverified(&self, job: &Job, reply: Reply, why: Why) -> Reviewed {
        self.count(why);
        self.without_verdict(job, Reviewed { reply, verdict: Some(Arc::new(Verdict::unchecked(why))) })
    }

    /// What goes on when `inline` has no verdict. The original, once forwarded, stays the decision.
    fn without_verdict(&self, job: &Job, reviewed: Reviewed) -> Reviewed {
        if self.config.mode != Mode::Inline || self.config.without_verdict == WithoutVerdict::Condensed {
            return reviewed;
        }
        let old = &reviewed.reply.condensation;
        let original = Condensation::unchanged(Reason::NoGain, old.tokens_before);
        let condensation = self.engine.replace(job, old, original);
        Reviewed { reply: Reply { condensation, ..reviewed.reply }, ..reviewed }
    }

    fn count(&self, why: Why) {
        if let Some(count) = Why::ALL.iter().position(|w| *w == why).and_then(|at| self.counters.unchecked.get(at)) {
            count.fetch_add(1, Relaxed);
        }
    }
}

/// Whether a text is in the sample; the same text always is or never.
fn sampled(text: &str, share: f64) -> bool {
    let hash = blake3::hash(text.as_bytes());
    let [a, b, c, d, ..] = *hash.as_bytes();
    f64::from(u32::from_le_bytes([a, b, c, d])) < share * f64::from(u32::MAX)
}

/// The kinds of the units that were rewritten, each once.
fn kinds(condensation: &Condensation) -> Vec<&'static str> {
    let mut kinds: Vec<&'static str> =
        condensation.units.iter().filter(|u| u.decision == Decision::Rewritten).map(|u| u.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}
