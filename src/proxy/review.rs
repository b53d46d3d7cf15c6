//! The fidelity check of a request's texts: each decision reviewed, all within one wait.

use std::{sync::Arc, time::Instant};

use futures_util::{StreamExt as _, future::join_all, stream};

use super::slots::AT_ONCE;
use crate::{
    engine::{Engine, Job, Reply},
    fidelity::{Later, Name, Reviewed, Reviewer, Verdict},
    telemetry::{
        Metrics,
        metrics::{BackoffLabels, ReasonLabel, level, take, take_seconds},
    },
};

/// What the check says of a request's texts, in the order of its replies. Empty where nothing is checked.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    now: Vec<Option<Arc<Verdict>>>,
    later: Vec<(usize, Later)>,
}

impl Verdicts {
    /// The verdict on the reply at this place, if there is one by now.
    pub(crate) fn of(&self, place: usize) -> Option<&Arc<Verdict>> {
        self.now.get(place)?.as_ref()
    }

    /// Takes in the verdicts on further replies, which have these places.
    pub(super) fn add(&mut self, further: Self, places: &[usize]) {
        let Self { now, later } = further;
        for (place, verdict) in places.iter().zip(now) {
            self.now.resize(self.now.len().max(place + 1), None);
            if let Some(of) = self.now.get_mut(*place) {
                *of = verdict;
            }
        }
        self.later.extend(later.into_iter().filter_map(|(at, later)| Some((*places.get(at)?, later))));
    }

    /// Tells of each verdict that comes later, with the place of its reply.
    pub(crate) fn follow(&self, tell: impl Fn(usize, Arc<Verdict>) + Send + Sync + 'static) {
        if self.later.is_empty() {
            return;
        }
        let later = self.later.clone();
        // Ends with the checks, each of which takes a bounded time.
        tokio::spawn(async move {
            let told = later.into_iter().map(async |(place, later)| {
                if let Some(verdict) = later.verdict().await {
                    tell(place, verdict);
                }
            });
            join_all(told).await;
        });
    }
}

/// Condenses the texts, each at the level of what it is like, and has the decisions reviewed.
pub(super) async fn answered(
    engine: &Engine,
    reviewer: &Reviewer,
    jobs: Vec<Job>,
    model: Option<&str>,
    deadline: Option<Instant>,
) -> (Vec<Reply>, Verdicts) {
    let jobs: Vec<(Job, [Name; 3])> = jobs
        .into_iter()
        .map(|job| {
            let names = Name::of(&job.text, job.tenant, model);
            (job, names)
        })
        .collect();
    let condensed = stream::iter(jobs.clone()).map(|(job, names)| {
        let level = reviewer.level(&names, job.policy.ratio);
        engine.condense_at(job, level, deadline)
    });
    let replies: Vec<Reply> = condensed.buffered(AT_ONCE).collect().await;
    let until = reviewer.until();
    let mut reviews = Vec::with_capacity(jobs.len());
    for ((job, names), reply) in jobs.iter().zip(replies) {
        reviews.push(reviewer.review(job, *names, reply, until));
    }
    let (mut replies, mut verdicts) = (Vec::new(), Verdicts::default());
    for (place, Reviewed { reply, verdict, later }) in join_all(reviews).await.into_iter().enumerate() {
        replies.push(reply);
        verdicts.now.push(verdict);
        verdicts.later.extend(later.map(|later| (place, later)));
    }
    (replies, verdicts)
}

/// Brings the figures up to date.
pub(super) fn count(reviewer: &Reviewer, metrics: &Metrics) {
    let (stats, metrics) = (reviewer.stats(), &metrics.fidelity);
    for (counter, count) in [
        (&metrics.checked, stats.checked),
        (&metrics.flagged, stats.flagged),
        (&metrics.put_back, stats.put_back),
        (&metrics.replaced, stats.replaced),
        (&metrics.replaced_late, stats.replaced_late),
        (&metrics.false_alarms, stats.false_alarms),
        (&metrics.tokens, stats.tokens),
    ] {
        take(counter, count);
    }
    take_seconds(&metrics.seconds, stats.ms as f64 / 1000.0);
    for (why, count) in stats.unchecked {
        take(&metrics.unchecked.get_or_create(&ReasonLabel { reason: why.as_str() }), count);
    }
    for dimension in ["kind", "tenant", "model"] {
        for (of, figure) in reviewer.backoff().backed_off(dimension) {
            let labels = BackoffLabels { dimension, level: of.as_str() };
            level(&metrics.backed_off.get_or_create(&labels), figure as u64);
        }
    }
}
