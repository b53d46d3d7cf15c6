//! Tells a job's worker and the model to end, and wakes the worker that waits for the model.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::compress::RewriteError;

/// Why a job ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// It was settled without its worker: the time budget ran out.
    Deadline,
    /// Nobody waits for it any more.
    Cancelled,
}

/// One job's stop signal.
#[derive(Debug, Default)]
pub(super) struct Stop {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stopped: Option<(Why, Instant)>,
    answers: u64,
    /// From then on the model is asked no more.
    asks_until: Option<Instant>,
}

impl State {
    /// When the model was to end what it does for this job.
    fn left(&self) -> Option<Instant> {
        let late = self.asks_until.filter(|until| *until <= Instant::now());
        self.stopped.map(|(_, since)| since).or(late)
    }
}

impl Stop {
    /// Ends the job; the first reason stands.
    pub(super) fn stop(&self, why: Why) {
        lock(&self.state).stopped.get_or_insert_with(|| (why, Instant::now()));
        self.changed.notify_all();
    }

    /// From `until` on the model is asked no more; what is known by then must do.
    pub(super) fn ask_until(&self, until: Option<Instant>) {
        lock(&self.state).asks_until = until;
    }

    /// When the model was told to end what it does for this job, if it was.
    pub(super) fn since(&self) -> Option<Instant> {
        lock(&self.state).left()
    }

    /// Whether the model may go on.
    pub(super) fn check_asking(&self) -> Result<(), RewriteError> {
        self.check()?;
        if self.since().is_some() { Err(RewriteError::Deadline) } else { Ok(()) }
    }

    /// Whether to go on.
    pub(super) fn check(&self) -> Result<(), RewriteError> {
        match lock(&self.state).stopped {
            None => Ok(()),
            Some((Why::Deadline, _)) => Err(RewriteError::Deadline),
            Some((Why::Cancelled, _)) => Err(RewriteError::Cancelled),
        }
    }

    /// The model has answered one more question of this job.
    pub(super) fn answered(&self) {
        lock(&self.state).answers += 1;
        self.changed.notify_all();
    }

    /// Waits for the model's answer number `count`, or for the time from which on none is waited for.
    pub(super) fn wait_for_answer(&self, count: u64) -> Result<(), RewriteError> {
        let mut state = lock(&self.state);
        while state.answers < count && state.left().is_none() {
            let left = state.asks_until.map_or(LONGEST_WAIT, |until| until.saturating_duration_since(Instant::now()));
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let answered = state.answers >= count;
        drop(state);
        if answered { self.check() } else { self.check_asking() }
    }
}

/// After so long it is looked again whether there is an answer.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Nothing that is guarded here is left half-done by a panic.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
