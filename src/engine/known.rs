//! What was decided before: looked up, or written again from what was chosen.
//!
//! It has no deadline, asks neither queue nor model, and so comes out the same however busy the engine is, after a restart,
//! an eviction, and in another process that shares the file of decisions.

use std::{sync::Arc, time::Instant};

use crate::compress::{Condensation, Level, reexpand, replay};

use super::{
    Cache, Engine, Job, Reply,
    decisions::Chosen,
    flight::Known,
    inference::Loaded,
    key::{DecisionId, Key, ModelId},
};

impl Engine {
    /// A decision that was made before, here or in another process.
    pub(super) async fn known(&self, job: &Job, key: Key) -> Option<Reply> {
        if let Some(reply) = self.known_here(job, key).await {
            return Some(reply);
        }
        let flights = Arc::clone(&self.inner.shared.flights);
        if !flights.is_shared() {
            return None;
        }
        tokio::task::spawn_blocking(move || flights.refresh()).await.ok()?;
        self.known_here(job, key).await
    }

    pub(super) async fn known_here(&self, job: &Job, key: Key) -> Option<Reply> {
        let flights = &self.inner.shared.flights;
        if let Some(forced) = flights.forced(key) {
            return Some(forced.reply(Cache::Hit, key.under(ModelId::default(), Level::Full), Level::Full));
        }
        let (level, model) = (flights.level(key, None), self.model_now(job));
        let chosen = flights.chosen(key, level, model);
        // While the model is loading, it is taken to be the one that chose.
        let id = key.under(model.or(chosen.as_ref().map(|chosen| chosen.model))?, level);
        if let Some(known) = flights.cached(id) {
            return Some(known.reply(Cache::Hit, id, level));
        }
        self.replay(job, key, id, &chosen?).await
    }

    /// Writes a text as it was condensed before.
    async fn replay(&self, job: &Job, key: Key, id: DecisionId, chosen: &Arc<Chosen>) -> Option<Reply> {
        let level = chosen.level;
        let _turn = self.inner.shared.replays.acquire().await.ok()?;
        let (shared, chosen, mut job) = (Arc::clone(&self.inner.shared), Arc::clone(chosen), job.clone());
        job.policy.ratio = level.ratio(job.policy.ratio);
        let known = tokio::task::spawn_blocking(move || {
            let began = Instant::now();
            let replayed = || {
                replay(&job.text, &job.query, &job.policy, &job.encoding, &chosen.choice()?)
                    .filter(|found| chosen.is(key, found))
            };
            let Some(found) = replayed() else {
                shared.flights.refuted(key, &chosen);
                return None;
            };
            let found = Condensation { hurried: chosen.hurried, ..found };
            let found = match shared.flights.judged(id) {
                Some(units) => reexpand(&job.text, &found, &units, &job.encoding),
                None => found,
            };
            let known = Known::new(found, began.elapsed());
            shared.flights.replayed(id, &known);
            Some(known)
        });
        Some(known.await.ok()??.reply(Cache::Hit, id, level))
    }

    /// The model that a job would be decided by, if that is known by now.
    fn model_now(&self, job: &Job) -> Option<ModelId> {
        if !job.policy.rewrite {
            return Some(ModelId::default());
        }
        match &*self.inner.shared.inference.loaded().borrow() {
            Loaded::Model(model) => Some(model.id),
            Loaded::Nothing => Some(ModelId::default()),
            Loaded::Loading | Loaded::Failed(_) => None,
        }
    }
}
