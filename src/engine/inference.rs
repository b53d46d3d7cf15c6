//! The one thread that owns the model.
//!
//! Workers send it closures over the model and wait for the answer or the end of their job, whichever comes first. A
//! call that goes on long after its job was told to end marks the model as stuck: until it answers, nobody waits for it.

use std::{
    error::Error,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::watch;

use crate::compress::{Encoding, Interrupt, RewriteError, Rewriter, Shorter};

use super::{
    StartError, Tenant,
    key::ModelId,
    priority,
    stats::Counters,
    stop::{Stop, lock},
};

/// Why a model could not be loaded.
pub type LoadError = Box<dyn Error + Send + Sync>;

/// Loads a model and runs it once, so that the first request meets a warm one. Runs on the thread that will own it.
pub type Load = Box<dyn FnOnce() -> Result<Box<dyn Rewriter>, LoadError> + Send>;

/// What rewrites.
pub enum Backend {
    /// Nothing: selection alone.
    None,
    /// A model.
    Model(Load),
}

impl Backend {
    /// A model that `load` gives, warm.
    pub fn model(load: impl FnOnce() -> Result<Box<dyn Rewriter>, LoadError> + Send + 'static) -> Self {
        Self::Model(Box::new(load))
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Model(_) => "Model",
        })
    }
}

/// How far loading has come.
#[derive(Debug, Clone)]
pub(super) enum Loaded {
    Loading,
    /// The usual encoding is warm, and there is no model to load.
    Nothing,
    Model(Arc<Model>),
    Failed(Arc<str>),
}

impl Loaded {
    pub(super) fn is_settled(&self) -> bool {
        !matches!(self, Self::Loading)
    }
}

/// What a loaded model says of itself.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) id: ModelId,
    fingerprint: String,
    shortens: bool,
}

/// The handle to the thread.
#[derive(Debug)]
pub(super) struct Inference {
    /// `None` once the engine goes.
    calls: Mutex<Option<SyncSender<Call>>>,
    loaded: watch::Receiver<Loaded>,
    running: Running,
    stuck_after: Duration,
}

/// The job whose call runs now.
type Running = Arc<Mutex<Option<Arc<Stop>>>>;

/// A question to the model.
struct Call {
    stop: Arc<Stop>,
    tenant: Tenant,
    ask: Question,
}

type Question = Box<dyn FnOnce(&mut dyn Rewriter) + Send>;

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Call")
    }
}

impl Inference {
    /// Starts the thread, which loads the model first. Each of `workers` asks one question at a time; the rest of the
    /// queue is room for those that jobs leave behind when they end, which are skipped.
    pub(super) fn start(
        backend: Backend,
        workers: usize,
        stuck_after: Duration,
        counters: &Arc<Counters>,
        alive: SyncSender<()>,
    ) -> Result<Self, StartError> {
        let (sender, calls) = sync_channel(16 * workers);
        let (loading, loaded) = watch::channel(Loaded::Loading);
        let running = Running::default();
        let owner = Owner { running: Arc::clone(&running), counters: Arc::clone(counters) };
        let own = move || {
            // Before the model starts threads of its own.
            priority::give_way();
            owner.load_and_answer(backend, &loading, &calls);
            drop(alive);
        };
        thread::Builder::new()
            .name("headroom-inference".to_owned())
            .spawn(own)
            .map_err(|error| StartError::Thread("inference", error))?;
        Ok(Self { calls: Mutex::new(Some(sender)), loaded, running, stuck_after })
    }

    /// How far loading has come.
    pub(super) fn loaded(&self) -> watch::Receiver<Loaded> {
        self.loaded.clone()
    }

    /// Whether a call goes on although its job was told to end a while ago.
    pub(super) fn is_stuck(&self) -> bool {
        let since = lock(&self.running).as_ref().and_then(|stop| stop.since());
        since.is_some_and(|since| since.elapsed() >= self.stuck_after)
    }

    /// The model as one job sees it.
    pub(super) fn rewriter(&self, model: &Arc<Model>, tenant: Tenant, stop: &Arc<Stop>) -> RemoteRewriter<'_> {
        RemoteRewriter { inference: self, model: Arc::clone(model), tenant, stop: Arc::clone(stop), asked: 0 }
    }

    /// Lets the thread end when it has answered what was asked.
    pub(super) fn close(&self) {
        lock(&self.calls).take();
    }

    fn send(&self, call: Call) -> Result<(), RewriteError> {
        if self.is_stuck() {
            return Err(RewriteError::Overloaded);
        }
        let calls = lock(&self.calls).clone().ok_or(RewriteError::Cancelled)?;
        calls.try_send(call).map_err(|error| match error {
            TrySendError::Full(_) => RewriteError::Overloaded,
            TrySendError::Disconnected(_) => RewriteError::Failed("the model's thread is gone".into()),
        })
    }
}

/// What the thread itself holds.
struct Owner {
    running: Running,
    counters: Arc<Counters>,
}

impl Owner {
    fn load_and_answer(self, backend: Backend, loading: &watch::Sender<Loaded>, calls: &Receiver<Call>) {
        let (model, loaded) = match load(backend) {
            Ok(Some(model)) => {
                let fingerprint = model.fingerprint().to_owned();
                let facts = Model { id: ModelId::of(&fingerprint), fingerprint, shortens: model.shortens() };
                (Some(model), Loaded::Model(Arc::new(facts)))
            }
            Ok(None) => (None, Loaded::Nothing),
            Err(error) => (None, Loaded::Failed(chain(&*error).into())),
        };
        loading.send_replace(loaded);
        let Some(mut model) = model else { return };
        while let Ok(call) = calls.recv() {
            self.answer(call, &mut *model);
        }
    }

    fn answer(&self, call: Call, model: &mut dyn Rewriter) {
        let Call { stop, tenant, ask } = call;
        if stop.check_asking().is_err() {
            return;
        }
        let started = Instant::now();
        *lock(&self.running) = Some(Arc::clone(&stop));
        let interrupt = Arc::clone(&stop);
        model.interrupt(Interrupt::new(move || interrupt.check_asking()));
        model.tenant(tenant.0);
        if catch_unwind(AssertUnwindSafe(|| ask(model))).is_err() {
            self.counters.panics.add(1);
            tracing::error!("the model panicked; the text goes on as it is");
        }
        *lock(&self.running) = None;
        self.counters.inference_nanos.add(u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX));
        self.counters.inference_calls.add(1);
        stop.answered();
    }
}

/// Loads the model, and meanwhile the usual encoding.
fn load(backend: Backend) -> Result<Option<Box<dyn Rewriter>>, LoadError> {
    thread::scope(|scope| {
        // The other encoding is loaded by the first request for an older model, and takes memory from then on only.
        scope.spawn(|| Encoding::O200k.warm());
        match backend {
            Backend::None => Ok(None),
            Backend::Model(load) => match catch_unwind(AssertUnwindSafe(load)) {
                Ok(loaded) => loaded.map(Some),
                // Where, the process's own hook says; a message may quote what it should not.
                Err(_) => Err("loading panicked".into()),
            },
        }
    })
}

/// An error with its causes.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    told
}

/// Asks the model on its thread. Once its job has ended, every question fails.
pub(super) struct RemoteRewriter<'a> {
    inference: &'a Inference,
    model: Arc<Model>,
    tenant: Tenant,
    stop: Arc<Stop>,
    asked: u64,
}

impl RemoteRewriter<'_> {
    fn ask<T: Send + 'static>(
        &mut self,
        question: impl FnOnce(&mut dyn Rewriter) -> Result<T, RewriteError> + Send + 'static,
    ) -> Result<T, RewriteError> {
        self.stop.check_asking()?;
        let answer = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&answer);
        let ask = Box::new(move |model: &mut dyn Rewriter| *lock(&slot) = Some(question(model)));
        self.inference.send(Call { stop: Arc::clone(&self.stop), tenant: self.tenant, ask })?;
        self.asked += 1;
        self.stop.wait_for_answer(self.asked)?;
        let answer = lock(&answer).take();
        answer.unwrap_or_else(|| Err(RewriteError::Failed("the model panicked".into())))
    }
}

impl Rewriter for RemoteRewriter<'_> {
    fn fingerprint(&self) -> &str {
        &self.model.fingerprint
    }

    fn shortens(&self) -> bool {
        self.model.shortens
    }

    fn meanings(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, RewriteError> {
        let mut meanings = Vec::with_capacity(texts.len());
        // A long text asks in turns, so that a short one need not wait for the whole of it.
        for texts in texts.chunks(TURN) {
            let texts = owned(texts);
            meanings.extend(self.ask(move |model| model.meanings(&borrowed(&texts)))?);
        }
        Ok(meanings)
    }

    fn shorten(&mut self, statements: &[&str]) -> Result<Vec<Option<Shorter>>, RewriteError> {
        let statements = owned(statements);
        self.ask(move |model| model.shorten(&borrowed(&statements)))
    }
}

/// Texts of one question after meanings: some tens of milliseconds.
const TURN: usize = 24;

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn borrowed(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}
