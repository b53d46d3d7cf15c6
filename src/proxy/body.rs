//! The two bodies of an exchange. Both pull: nothing is read before the other side has room for it.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Version};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::{
    sync::mpsc,
    time::{Instant, Sleep, sleep, timeout},
};

use super::{
    account::{Account, End},
    headers,
};

/// What goes to the upstream: what was read already, then the rest as the client sends it.
#[derive(Debug)]
pub(crate) struct Upload {
    read: Bytes,
    rest: Option<Incoming>,
    trailers: Option<HeaderMap>,
    progress: Progress,
}

/// Reads on, unseen, what is left of a request that was answered before it was read. Under HTTP/2 its stream would be reset
/// behind the answer, which some clients (curl 7.88 among them) take for a failure and lose the answer. HTTP/1 needs nothing:
/// its connection is closed.
pub(crate) fn let_end(version: Version, mut body: Incoming) {
    if version != Version::HTTP_2 || body.is_end_stream() {
        return;
    }
    let read = async move {
        let mut left = UNSEEN;
        while let Some(Ok(frame)) = body.frame().await {
            let Some(rest) = left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) else { break };
            left = rest;
        }
    };
    tokio::spawn(timeout(UNSEEN_FOR, read));
}

/// Bytes of a body that nobody wants, and how long they may take.
const UNSEEN: usize = 1 << 20;
const UNSEEN_FOR: Duration = Duration::from_secs(5);

/// How far an upload is, for whoever waits for the answer.
#[derive(Debug, Clone)]
pub(crate) struct Progress(Arc<Moves>);

#[derive(Debug)]
struct Moves {
    began: Instant,
    /// Milliseconds from the beginning to the last part that moved.
    last: AtomicU64,
    complete: AtomicBool,
    broken: AtomicBool,
}

impl Progress {
    fn new() -> Self {
        let (complete, broken) = (AtomicBool::new(false), AtomicBool::new(false));
        Self(Arc::new(Moves { began: Instant::now(), last: AtomicU64::new(0), complete, broken }))
    }

    /// When the last part moved.
    pub(crate) fn last(&self) -> Instant {
        self.0.began + Duration::from_millis(self.0.last.load(Ordering::Relaxed))
    }

    /// Whether everything was read from the client.
    pub(crate) fn is_complete(&self) -> bool {
        self.0.complete.load(Ordering::Relaxed)
    }

    /// Whether the client broke off, or what it sent is no body.
    pub(crate) fn is_broken(&self) -> bool {
        self.0.broken.load(Ordering::Relaxed)
    }

    fn moved(&self, complete: bool) {
        let since = u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.last.store(since, Ordering::Relaxed);
        self.0.complete.store(complete, Ordering::Relaxed);
    }
}

impl Upload {
    /// The client's body as it comes.
    pub(crate) fn streamed(body: Incoming) -> Self {
        let progress = Progress::new();
        if body.is_end_stream() {
            // It will never be polled.
            progress.moved(true);
        }
        Self { read: Bytes::new(), rest: Some(body), trailers: None, progress }
    }

    /// A body of which the beginning was read already.
    pub(crate) fn resumed(read: Bytes, rest: Incoming) -> Self {
        Self { read, rest: Some(rest), trailers: None, progress: Progress::new() }
    }

    /// A whole body.
    pub(crate) fn whole(read: Bytes, trailers: Option<HeaderMap>) -> Self {
        Self { read, rest: None, trailers, progress: Progress::new() }
    }

    /// A handle on how far it is.
    pub(crate) fn progress(&self) -> Progress {
        self.progress.clone()
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if !self.read.is_empty() {
            self.progress.moved(self.rest.is_none());
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.read)))));
        }
        let Some(rest) = &mut self.rest else {
            return Poll::Ready(self.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))));
        };
        let frame = ready!(Pin::new(&mut *rest).poll_frame(cx));
        let complete = frame.is_none() || rest.is_end_stream();
        if matches!(frame, Some(Err(_))) {
            self.progress.0.broken.store(true, Ordering::Relaxed);
        }
        self.progress.moved(complete);
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_empty() && self.trailers.is_none() && self.rest.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let read = self.read.len() as u64;
        let Some(rest) = &self.rest else {
            return if self.trailers.is_none() { SizeHint::with_exact(read) } else { SizeHint::default() };
        };
        let rest = rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(read + rest.lower());
        if let Some(upper) = rest.upper() {
            hint.set_upper(read + upper);
        }
        hint
    }
}

/// What goes to the client: an answer of the proxy's own, or the upstream's as it comes.
#[derive(Debug)]
pub struct Answer(Kind);

#[derive(Debug)]
enum Kind {
    Own(Bytes),
    Live(mpsc::Receiver<Bytes>),
    Relayed(Box<Relay>),
}

/// Why an answer ended early; the connection is then broken off, so that no client takes it for complete.
#[derive(Debug, thiserror::Error)]
pub enum BrokenOff {
    /// The upstream's connection broke.
    #[error("the upstream broke off its answer")]
    Upstream(#[source] hyper::Error),
    /// Nothing came within the idle timeout.
    #[error("the upstream sent nothing for too long")]
    Idle,
}

impl Answer {
    /// An answer of the proxy's own.
    pub(crate) fn own(bytes: impl Into<Bytes>) -> Self {
        Self(Kind::Own(bytes.into()))
    }

    /// An answer of the proxy's own that goes on until its sender goes.
    pub(crate) fn live(parts: mpsc::Receiver<Bytes>) -> Self {
        Self(Kind::Live(parts))
    }

    /// The upstream's answer; its account ends with it.
    pub(crate) fn relayed(body: Incoming, idle: Duration, account: Box<Account>) -> Self {
        Self(Kind::Relayed(Box::new(Relay { body, idle, since: None, timer: None, broken: None, account })))
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match &mut self.0 {
            Kind::Own(bytes) if bytes.is_empty() => Poll::Ready(None),
            Kind::Own(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Kind::Live(parts) => parts.poll_recv(cx).map(|part| part.map(|part| Ok(Frame::data(part)))),
            Kind::Relayed(relay) => relay.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Own(bytes) => bytes.is_empty(),
            Kind::Live(_) => false,
            Kind::Relayed(relay) => relay.broken.is_none() && relay.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Own(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Live(_) => SizeHint::default(),
            Kind::Relayed(relay) => relay.body.size_hint(),
        }
    }
}

/// The upstream's answer under way.
#[derive(Debug)]
struct Relay {
    body: Incoming,
    idle: Duration,
    /// When the present wait began; `None` while frames come.
    since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    broken: Option<BrokenOff>,
    account: Box<Account>,
}

impl Relay {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        if let Some(broken) = self.broken.take() {
            return Poll::Ready(Some(Err(broken)));
        }
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(mut frame))) => {
                self.since = None;
                if let Some(trailers) = frame.trailers_mut() {
                    headers::without_own(trailers);
                }
                if let Some(data) = frame.data_ref() {
                    self.account.sent(data);
                }
                if self.body.is_end_stream() {
                    self.account.end(End::Complete);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(None) => {
                self.account.end(End::Complete);
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => {
                self.account.end(End::UpstreamBroke);
                self.break_off(BrokenOff::Upstream(error), cx)
            }
            Poll::Pending => self.poll_idle(cx),
        }
    }

    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let timer = match (&mut self.timer, self.since) {
            (Some(timer), Some(_)) => timer,
            (Some(timer), None) => {
                timer.as_mut().reset(Instant::now() + self.idle);
                timer
            }
            (timer, _) => timer.insert(Box::pin(sleep(self.idle))),
        };
        self.since.get_or_insert_with(Instant::now);
        ready!(timer.as_mut().poll(cx));
        self.account.end(End::UpstreamIdle);
        self.break_off(BrokenOff::Idle, cx)
    }

    /// Waits one turn with the error, so that what came before it is flushed to the client first.
    fn break_off(&mut self, broken: BrokenOff, cx: &Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        self.broken = Some(broken);
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
