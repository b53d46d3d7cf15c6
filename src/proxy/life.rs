//! What a proxy is ready for, and everything that it runs and must stop.

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering},
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The life cycle of a proxy with an engine of type `E`.
#[derive(Debug)]
pub(crate) struct Life<E> {
    engine: OnceLock<Result<E, String>>,
    draining: AtomicBool,
    /// Connections and tunnels.
    pub(crate) tasks: TaskTracker,
    /// The drain has begun: finish what is under way.
    pub(crate) drain: CancellationToken,
    /// The drain has taken too long: stop.
    pub(crate) abort: CancellationToken,
}

impl<E> Default for Life<E> {
    fn default() -> Self {
        Self {
            engine: OnceLock::new(),
            draining: AtomicBool::new(false),
            tasks: TaskTracker::new(),
            drain: CancellationToken::new(),
            abort: CancellationToken::new(),
        }
    }
}

impl<E> Life<E> {
    /// The engine, once there is one.
    pub(crate) fn engine(&self) -> Option<&E> {
        self.engine.get()?.as_ref().ok()
    }

    /// The engine is warm, or will never be. The first word counts.
    pub(crate) fn settle(&self, engine: Result<E, String>) {
        // A second word changes nothing.
        let _ = self.engine.set(engine);
    }

    /// Why it isn't ready; `None` when it is.
    pub(crate) fn unready(&self) -> Option<&str> {
        if self.draining.load(Ordering::Relaxed) {
            return Some("draining");
        }
        match self.engine.get() {
            None => Some("the model is being loaded"),
            Some(Err(reason)) => Some(reason),
            Some(Ok(_)) => None,
        }
    }

    /// Not ready from now on; connections finish what they have.
    pub(crate) fn begin_drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
        self.drain.cancel();
        self.tasks.close();
    }
}
