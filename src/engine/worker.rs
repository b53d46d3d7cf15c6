//! The threads that run the pipeline.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering::Relaxed, mpsc::SyncSender},
    thread,
    time::Instant,
};

use crate::compress::{
    Condensation, CountTokens, Encoding, Interrupt, Reason, RewriteError, Rewriter, compress, interruptible, reexpand,
};

use super::{
    Job, Shared, StartError,
    flight::{Flight, Known},
    inference::{Model, chain},
    priority,
    queue::Queue,
};

/// A flight to work on.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) job: Job,
    pub(super) model: Option<Arc<Model>>,
    /// Whether there was no time to wait for the model.
    pub(super) hurried: bool,
    pub(super) flight: Arc<Flight>,
}

/// Starts the threads that take tasks. They end when the queue is closed, and hold a clone of `alive` until then.
pub(super) fn start(tasks: &Arc<Queue<Task>>, shared: &Arc<Shared>, alive: &SyncSender<()>) -> Result<(), StartError> {
    for _ in 0..tasks.threads() {
        let (tasks, shared, alive) = (Arc::clone(tasks), Arc::clone(shared), alive.clone());
        let work = move || {
            priority::give_way();
            while let Some((task, _turn)) = tasks.next() {
                shared.counters.queued.sub(1);
                run(&task, &shared);
            }
            drop(alive);
        };
        thread::Builder::new()
            .name("headroom-worker".to_owned())
            .spawn(work)
            .map_err(|error| StartError::Thread("worker", error))?;
    }
    Ok(())
}

fn run(task: &Task, shared: &Shared) {
    let Task { job, model, hurried, flight } = task;
    if flight.stop.check().is_err() {
        return;
    }
    let started = Instant::now();
    let stop = Arc::clone(flight);
    let interrupt = Interrupt::new(move || stop.stop.check());
    let work = || interruptible(&interrupt, || condense(job, model.as_ref(), *hurried, flight, shared)).flatten();
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(condensation)) => shared.flights.settle(flight, Known::new(condensation, started.elapsed())),
        Ok(Err(error)) => {
            if matches!(error, RewriteError::Failed(_)) {
                tracing::warn!(error = chain(&error), "a text goes on as it is");
            }
            shared.flights.force_flight(flight, reason(&error));
        }
        Err(panic) => {
            shared.counters.panics.add(1);
            tracing::error!(kind = panic_kind(&*panic), "the pipeline panicked; its text goes on as it is");
            shared.flights.force_flight(flight, Reason::ModelFailed);
        }
    }
}

fn condense(
    job: &Job,
    model: Option<&Arc<Model>>,
    hurried: bool,
    flight: &Flight,
    shared: &Shared,
) -> Result<Condensation, RewriteError> {
    let tokens = Counting { encoding: job.encoding, text: &job.text, flight };
    let mut rewriter = model.map(|model| shared.inference.rewriter(model, job.tenant, &flight.stop));
    let rewriter = rewriter.as_mut().map(|rewriter| rewriter as &mut dyn Rewriter);
    let condensation = match compress(&job.text, &job.query, &job.policy, &tokens, rewriter) {
        // There is time left, though none to ask the model, or it hangs: words alone say enough to choose by.
        Err(RewriteError::Deadline | RewriteError::Overloaded) if flight.stop.check().is_ok() => {
            shared.counters.hurried.add(1);
            let found = compress(&job.text, &job.query, &job.policy, &tokens, None)?;
            Condensation { hurried: true, ..found }
        }
        found => Condensation { hurried, ..found? },
    };
    // What was put back once is put back again, whatever was forgotten since.
    Ok(match shared.flights.judged(flight.id) {
        Some(units) => reexpand(&job.text, &condensation, &units, &tokens),
        None => condensation,
    })
}

/// Why a text goes on as it is when the model gave no answer.
fn reason(error: &RewriteError) -> Reason {
    match error {
        RewriteError::Deadline => Reason::Deadline,
        RewriteError::Overloaded => Reason::Overloaded,
        // A cancelled flight has left the list already: nobody sees this reason.
        RewriteError::Failed(_) | RewriteError::Cancelled => Reason::ModelFailed,
    }
}

/// A panic's message may quote the text that it stumbled over, so only its kind is told.
fn panic_kind(panic: &(dyn Any + Send)) -> &'static str {
    if panic.is::<String>() || panic.is::<&str>() { "message" } else { "other" }
}

/// Counts tokens, and remembers the whole text's count for the case that the job ends early.
struct Counting<'a> {
    encoding: Encoding,
    text: &'a str,
    flight: &'a Flight,
}

impl CountTokens for Counting<'_> {
    fn count(&self, text: &str) -> usize {
        let whole = std::ptr::eq(text, self.text);
        let known = self.flight.tokens.load(Relaxed);
        if whole && known > 0 {
            return known;
        }
        let count = self.encoding.count(text);
        if whole {
            self.flight.tokens.store(count, Relaxed);
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Backend, Config, Engine, Tenant,
        flight::Joined,
        key::{Key, ModelId},
    };
    use super::*;
    use crate::compress::{Level, Policy, Query};

    #[test]
    fn a_job_that_has_ended_leaves_the_arithmetic_without_a_fault() {
        let engine = Engine::start(&Config::default(), None, Backend::None).unwrap();
        let shared = &engine.inner.shared;
        let job = Job {
            text: "word ".repeat(1000).into(),
            query: Query::default(),
            policy: Policy::default(),
            encoding: Encoding::O200k,
            tenant: Tenant::default(),
        };
        let key = Key::of(&job);
        let Joined::New(waiter) = shared.flights.join(key, ModelId::default(), Level::Full) else {
            panic!("it is known")
        };
        let flight = waiter.flight();
        let tokens = Counting { encoding: job.encoding, text: &job.text, flight: &flight };
        assert!(tokens.count(&job.text) > 900);
        drop(waiter);
        let stop = Arc::clone(&flight);
        let interrupt = Interrupt::new(move || stop.stop.check());
        assert!(matches!(interruptible(&interrupt, || tokens.encoding.count(&job.text)), Err(RewriteError::Cancelled)));
        run(&Task { job, model: None, hurried: false, flight }, shared);
        assert_eq!((engine.stats().panics, engine.stats().cached, engine.stats().remembered), (0, 0, 0));
    }
}
