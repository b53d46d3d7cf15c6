//! The fidelity check of a request's texts: each decision reviewed, all within one wait.

use std::{sync::Arc, time::Instant};

use futures_util::{StreamExt as _, future::join_all, stream};

use super::slots::AT_ONCE;
use crate::{
    engine::{Engine, Job, Reply},
    fidelity::{Later, Name, Reviewed, Reviewer, Verdict},
    telemetry::{
        Metrics,
        metrics::{BackoffLabels, KindLabel, ReasonLabel},
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

    /// Takes in the verdicts on the next `count` replies.
    pub(super) fn add(&mut self, next: Self, count: usize) {
        let Self { mut now, later } = next;
        let by = self.now.len();
        now.resize(count, None);
        self.now.append(&mut now);
        self.later.extend(later.into_iter().map(|(place, later)| (place + by, later)));
    }

    /// Brings replies into the order of their slots, and what is said of them.
    pub(super) fn sort(&mut self, replies: &mut [(usize, Reply)]) {
        let mut order: Vec<usize> = (0..replies.len()).collect();
        order.sort_by_key(|place| replies.get(*place).map(|(slot, _)| *slot));
        let mut places = vec![0; order.len()];
        for (to, from) in order.iter().enumerate() {
            if let Some(place) = places.get_mut(*from) {
                *place = to;
            }
        }
        self.now = order.iter().map(|from| self.now.get(*from).cloned().flatten()).collect();
        for (place, _) in &mut self.later {
            *place = places.get(*place).copied().unwrap_or(*place);
        }
        replies.sort_by_key(|(slot, _)| *slot);
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
    let gauge = |figure: u64| i64::try_from(figure).unwrap_or(i64::MAX);
    let stats = reviewer.stats();
    for (kind, figure) in [
        ("checked", stats.checked),
        ("flagged", stats.flagged),
        ("units_put_back", stats.put_back),
        ("replaced", stats.replaced),
        ("replaced_after_forwarding", stats.replaced_late),
        ("false_alarms", stats.false_alarms),
        ("tokens", stats.tokens),
        ("ms", stats.ms),
    ] {
        metrics.fidelity.get_or_create(&KindLabel { kind }).set(gauge(figure));
    }
    for (why, figure) in stats.unchecked {
        metrics.fidelity_unchecked.get_or_create(&ReasonLabel { reason: why.as_str() }).set(gauge(figure));
    }
    for dimension in ["kind", "tenant", "model"] {
        for (level, figure) in reviewer.backoff().backed_off(dimension) {
            let labels = BackoffLabels { dimension, level: level.as_str() };
            metrics.fidelity_backed_off.get_or_create(&labels).set(gauge(figure as u64));
        }
    }
}
