//! Tells a job's worker and the model to end, and wakes the worker that waits for the model.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
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
}

impl Stop {
    /// Ends the job; the first reason stands.
    pub(super) fn stop(&self, why: Why) {
        lock(&self.state).stopped.get_or_insert_with(|| (why, Instant::now()));
        self.changed.notify_all();
    }

    /// When the job was told to end, if it was.
    pub(super) fn since(&self) -> Option<Instant> {
        lock(&self.state).stopped.map(|(_, since)| since)
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

    /// Waits for the model's answer number `count`, or for the end of the job.
    pub(super) fn wait_for_answer(&self, count: u64) -> Result<(), RewriteError> {
        let waiting = |state: &mut State| state.answers < count && state.stopped.is_none();
        drop(self.changed.wait_while(lock(&self.state), waiting).unwrap_or_else(PoisonError::into_inner));
        self.check()
    }
}

/// Nothing that is guarded here is left half-done by a panic.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
