//! Whether a connection has a request under way, and since when not.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

/// The requests of one connection.
#[derive(Debug, Clone)]
pub(super) struct Activity(Arc<Requests>);

#[derive(Debug)]
struct Requests {
    began: Instant,
    busy: AtomicUsize,
    /// Whether there was any.
    any: AtomicBool,
    /// Milliseconds from the beginning to the end of the last request.
    last: AtomicU64,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self(Arc::new(Requests {
            began: Instant::now(),
            busy: AtomicUsize::new(0),
            any: AtomicBool::new(false),
            last: AtomicU64::new(0),
        }))
    }

    /// A request is under way until this goes.
    pub(super) fn request(&self) -> Busy {
        self.0.any.store(true, Ordering::Relaxed);
        self.0.busy.fetch_add(1, Ordering::Relaxed);
        Busy(self.clone())
    }

    /// Whether nothing was asked yet.
    pub(super) fn is_new(&self) -> bool {
        !self.0.any.load(Ordering::Relaxed)
    }

    /// When the connection will have been unused for so long, as far as is known now.
    pub(super) fn unused_for(&self, timeout: Duration) -> Instant {
        match self.0.busy.load(Ordering::Relaxed) {
            0 => self.0.began + Duration::from_millis(self.0.last.load(Ordering::Relaxed)) + timeout,
            _ => Instant::now() + timeout,
        }
    }
}

/// A request under way.
#[derive(Debug)]
pub(super) struct Busy(Activity);

impl Drop for Busy {
    fn drop(&mut self) {
        let Activity(requests) = &self.0;
        let now = u64::try_from(requests.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        requests.last.store(now, Ordering::Relaxed);
        requests.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An answer, with which its request ends.
#[derive(Debug)]
pub(super) struct Watched<B> {
    pub(super) body: B,
    pub(super) _busy: Busy,
}

impl<B: Body + Unpin> Body for Watched<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
