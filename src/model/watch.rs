//! Ends a run of native code that nobody waits for any more.
//!
//! An interrupt is asked between runs, which is soon enough for a healthy model: a run takes milliseconds. A graph that
//! hangs never comes back to ask, so a thread beside the model asks while a run takes long, and has ONNX Runtime end it
//! between two operators.

use std::{
    fmt,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use ort::session::{NoSelectedOutputs, RunOptions};

use super::{ModelError, runtime::runtime};
use crate::compress::{Interrupt, RewriteError};

/// How long a run goes on before the first question, and how long between two. A client that has gone is noticed well
/// within a tenth of a second, and healthy runs are over before it matters.
const PATIENCE: Duration = Duration::from_millis(20);

/// The thread that watches, for all graphs of one model; it ends with the last of them.
#[derive(Clone)]
pub(super) struct Watch(Arc<Owner>);

struct Owner {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    /// Every run is made with these, so that it can be ended through them.
    options: RunOptions<NoSelectedOutputs>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The run that is under way.
    interrupt: Option<Interrupt>,
    /// Tells one run from the next.
    number: u64,
    /// Whether the run was told to end.
    ended: bool,
    /// Whether the watching thread sleeps until there is a run.
    idle: bool,
    closed: bool,
}

impl Watch {
    /// Starts the thread.
    pub(super) fn new() -> Result<Self, ModelError> {
        runtime()?;
        let options =
            RunOptions::new().map_err(|source| ModelError::Graph { name: "the run's options".into(), source })?;
        let shared = Arc::new(Shared { options, state: Mutex::default(), changed: Condvar::new() });
        let watched = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("model-watch".to_owned())
            .spawn(move || watched.watch())
            .map_err(ModelError::Thread)?;
        Ok(Self(Arc::new(Owner { shared, thread: Some(thread) })))
    }

    /// Does one run with the options that it is given. When it was ended because `interrupt` said so, gives what that
    /// says; `run` is repeated in the unlikely case that the interrupt has changed its mind meanwhile.
    pub(super) fn over<T>(
        &self,
        interrupt: &Interrupt,
        mut run: impl FnMut(&RunOptions<NoSelectedOutputs>) -> T,
        failed: impl Fn(&T) -> bool,
    ) -> Result<T, RewriteError> {
        loop {
            interrupt.check()?;
            self.0.shared.begin(interrupt);
            let result = run(&self.0.shared.options);
            let ended = self.0.shared.end();
            if !(ended && failed(&result)) {
                return Ok(result);
            }
        }
    }
}

impl Shared {
    fn begin(&self, interrupt: &Interrupt) {
        let mut state = self.lock();
        state.interrupt = Some(interrupt.clone());
        state.number += 1;
        if state.idle {
            self.changed.notify_one();
        }
    }

    /// Whether the run was told to end.
    fn end(&self) -> bool {
        let mut state = self.lock();
        state.interrupt = None;
        let ended = std::mem::take(&mut state.ended);
        // Fails for a null pointer only.
        ended && self.options.unterminate().is_ok()
    }

    fn watch(&self) {
        let mut state = self.lock();
        loop {
            state.idle = true;
            let waits = |state: &mut State| state.interrupt.is_none() && !state.closed;
            state = self.changed.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner);
            state.idle = false;
            if state.closed {
                return;
            }
            let number = state.number;
            let same = |state: &mut State| state.number == number && !state.closed;
            let (guard, _) =
                self.changed.wait_timeout_while(state, PATIENCE, same).unwrap_or_else(PoisonError::into_inner);
            state = guard;
            let long = state.number == number && !state.closed;
            if long && state.interrupt.as_ref().is_some_and(|interrupt| interrupt.check().is_err()) {
                // Under the lock, so that it cannot hit the next run instead.
                state.ended = self.options.terminate().is_ok();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // It panics nowhere; and if it did, there would be nothing to do about it here.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}
