//! What a proxy runs and must stop.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The end of a proxy's life, and everything that must end before it.
#[derive(Debug, Default)]
pub(crate) struct Life {
    draining: AtomicBool,
    /// Connections and tunnels.
    pub(crate) tasks: TaskTracker,
    /// The drain has begun: finish what is under way.
    pub(crate) drain: CancellationToken,
    /// Nobody comes in any more: who came during the drain and has asked nothing goes too.
    pub(crate) closed: CancellationToken,
    /// The drain has taken too long: stop.
    pub(crate) abort: CancellationToken,
}

impl Life {
    /// Whether the drain has begun.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Not ready from now on; connections finish what they have.
    pub(crate) fn begin_drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
        self.drain.cancel();
        self.tasks.close();
    }
}
