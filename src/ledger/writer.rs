//! The one thread that writes figures. Requests hand theirs over and go on: a full queue, a full disk or a locked file
//! costs figures, never time.

use std::{
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use std::sync::Arc;

use super::{
    config::Config,
    figures::Figures,
    prices::Prices,
    store::{Store, StoreError},
};

/// Hands figures to the thread that writes them.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Mutex<Option<SyncSender<Order>>>,
    /// Has what was gathered written at once.
    hurry: SyncSender<()>,
    lost: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Order {
    Add(Box<Figures>),
    /// Everything before it is to be written; then the other side is told.
    Flush(SyncSender<()>),
}

impl Writer {
    /// Opens the file and starts the thread.
    pub(super) fn start(path: &Path, own: bool, config: &Config, prices: &Prices) -> Result<Self, StoreError> {
        let mut store = Store::open(path, own)?;
        let (date, source) = prices.told();
        store.note_prices(&format!("{date}\t{}\t{source}", prices.own()))?;
        let (sender, orders) = sync_channel(WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let keep = Duration::from_secs(u64::from(config.keep_days) * 86_400);
        let (hurry, hurried) = sync_channel(1);
        let mut thread =
            Thread { store, keep, hurried, lost: Arc::clone(&lost), pending: Vec::new(), failing: 0, forgot: None };
        thread::Builder::new().name("headroom-ledger".to_owned()).spawn(move || thread.run(&orders))?;
        Ok(Self { queue: Mutex::new(Some(sender)), hurry, lost })
    }

    /// Hands over; what finds the queue full is lost, and counted.
    pub(super) fn add(&self, figures: Figures) {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.as_ref().is_none_or(|queue| queue.try_send(Order::Add(Box::new(figures))).is_err()) {
            let lost = self.lost.fetch_add(1, Ordering::Relaxed) + 1;
            if lost.is_power_of_two() {
                tracing::warn!(lost, "figures of requests are lost: they come faster than they are written");
            }
        }
    }

    /// Waits until what was handed over is written, but not for long.
    pub(super) fn flush(&self) {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(queue) = queue else { return };
        let (tell, told) = sync_channel(1);
        // A queue that is full is given as long as the writing.
        let until = Instant::now() + LAST_WAIT;
        let mut order = Order::Flush(tell);
        while let Err(error) = queue.try_send(order) {
            match error {
                std::sync::mpsc::TrySendError::Full(back) if Instant::now() < until => order = back,
                _ => return,
            }
            thread::yield_now();
        }
        // A word that is there already does as well.
        let _ = self.hurry.try_send(());
        let _ = told.recv_timeout(until.saturating_duration_since(Instant::now()));
    }

    /// Requests whose figures were not kept.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

struct Thread {
    store: Store,
    keep: Duration,
    /// Whether somebody waits for what was gathered. Disconnected when nothing more comes.
    hurried: Receiver<()>,
    lost: Arc<AtomicU64>,
    /// What could not be written yet.
    pending: Vec<Figures>,
    /// Failures in a row.
    failing: u64,
    forgot: Option<Instant>,
}

impl Thread {
    fn run(&mut self, orders: &Receiver<Order>) {
        self.forget();
        let mut ended = false;
        while !ended {
            let mut flushed = Vec::new();
            match orders.recv_timeout(PAUSE) {
                Ok(order) => self.take(order, &mut flushed),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => ended = true,
            }
            // A transaction costs as much as a short request: those of a moment share one, and while it is awaited nobody
            // who hands over has to wake this thread.
            if !ended && flushed.is_empty() && !self.pending.is_empty() {
                let _ = self.hurried.recv_timeout(GATHERS);
            }
            while self.gather(orders, &mut flushed) && self.write() {}
            flushed.iter().for_each(|tell| {
                let _ = tell.try_send(());
            });
            if self.forgot.is_none_or(|forgot| forgot.elapsed() > FORGETS) {
                self.forget();
            }
        }
    }

    /// Takes what has come, up to a batch; whether there may be more.
    fn gather(&mut self, orders: &Receiver<Order>, flushed: &mut Vec<SyncSender<()>>) -> bool {
        while let Ok(order) = orders.try_recv() {
            self.take(order, flushed);
            if self.pending.len() >= BATCH {
                return true;
            }
        }
        self.write();
        false
    }

    fn take(&mut self, order: Order, flushed: &mut Vec<SyncSender<()>>) {
        match order {
            Order::Flush(tell) => flushed.push(tell),
            Order::Add(figures) if self.pending.len() < WAITING => self.pending.push(*figures),
            Order::Add(_) => drop(self.lost.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// Writes what is pending; whether that is done.
    fn write(&mut self) -> bool {
        if self.pending.is_empty() {
            return true;
        }
        match self.store.add(&self.pending) {
            Ok(()) => {
                self.pending.clear();
                if self.failing > 0 {
                    tracing::info!("figures are written again");
                }
                self.failing = 0;
                true
            }
            Err(error) => {
                self.failing += 1;
                if self.failing.is_power_of_two() {
                    tracing::warn!(%error, "figures can't be written; that is tried again as more come");
                }
                false
            }
        }
    }

    fn forget(&mut self) {
        self.forgot = Some(Instant::now());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        if let Err(error) = self.store.forget(now.saturating_sub(self.keep).as_secs()) {
            tracing::warn!(%error, "old figures can't be forgotten; that is tried again later");
        }
    }
}

/// Figures that may wait, in the queue and again where writing fails.
const WAITING: usize = 4096;

/// Requests written at once.
const BATCH: usize = 1024;

/// How long the first figures wait for others.
const GATHERS: Duration = Duration::from_millis(200);

/// Between two looks at the time where no figures come.
const PAUSE: Duration = Duration::from_secs(60);

/// Between two looks for what is old.
const FORGETS: Duration = Duration::from_secs(3600);

/// The longest that a flush waits.
const LAST_WAIT: Duration = Duration::from_secs(10);
