//! The stand-in provider: answers at once, counts what arrives, and tells what is wrong with it.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hasher as _},
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::BoxBody};
use hyper::{
    Request, Response,
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::de::IgnoredAny;
use tokio::net::TcpListener;

#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Seen>,
}

/// What arrived.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// How often each number did.
    arrivals: Mutex<HashMap<u64, u32>>,
    /// The form in which each text was forwarded first, by the way that it was sent.
    forms: Mutex<HashMap<(Option<u64>, u64), u64>>,
    wrong: Wrong,
    delay: Duration,
}

/// How many were not what they should be.
#[derive(Debug, Default)]
struct Wrong {
    changed: AtomicU64,
    moved: AtomicU64,
    unreadable: AtomicU64,
}

/// What is wrong with what arrived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// Requests that arrived more than once.
    pub(crate) doubled: u64,
    /// Bodies that had to arrive as they were sent.
    pub(crate) changed: u64,
    /// Texts that were forwarded in another form than the first time.
    pub(crate) moved: u64,
    /// Bodies that are no JSON, where JSON was sent.
    pub(crate) unreadable: u64,
}

impl Upstream {
    pub(crate) fn start(delay: Duration) -> Self {
        let seen = Arc::new(Seen { delay, ..Seen::default() });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let shared = Arc::clone(&seen);
        tokio::spawn(async move {
            loop {
                let Ok((socket, _)) = listener.accept().await else { continue };
                let _ = socket.set_nodelay(true);
                let seen = Arc::clone(&shared);
                let service = service_fn(move |request| answer(Arc::clone(&seen), request));
                let served =
                    http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(socket), service);
                tokio::spawn(served);
            }
        });
        Self { address, seen }
    }
}

impl Seen {
    pub(crate) fn faults(&self) -> Faults {
        let doubled = self.arrivals.lock().unwrap().values().filter(|count| **count > 1).count() as u64;
        let Wrong { changed, moved, unreadable } = &self.wrong;
        let now = |count: &AtomicU64| count.load(Relaxed);
        Faults { doubled, changed: now(changed), moved: now(moved), unreadable: now(unreadable) }
    }

    fn note(&self, number: Option<u64>, request: &http::HeaderMap, body: &[u8]) {
        let named = |name: &str| request.get(name)?.to_str().ok()?.parse::<u64>().ok();
        if let Some(number) = number {
            *self.arrivals.lock().unwrap().entry(number).or_default() += 1;
        }
        if let Some(sent) = named("x-load-hash")
            && sent != hash(body)
        {
            self.wrong.changed.fetch_add(1, Relaxed);
        }
        if let Some(case) = named("x-load-case") {
            let form = hash(body);
            if *self.forms.lock().unwrap().entry((named("x-load-way"), case)).or_insert(form) != form {
                self.wrong.moved.fetch_add(1, Relaxed);
            }
            if serde_json::from_slice::<IgnoredAny>(body).is_err() {
                self.wrong.unreadable.fetch_add(1, Relaxed);
            }
        }
    }
}

async fn answer(
    seen: Arc<Seen>,
    request: Request<Incoming>,
) -> Result<Response<BoxBody<Bytes, hyper::Error>>, hyper::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let named = |name: &str| parts.headers.get(name)?.to_str().ok()?.parse::<u64>().ok();
    let number = named("x-load-number");
    seen.note(number, &parts.headers, &body);
    tokio::time::sleep(seen.delay).await;
    let number = number.unwrap_or_default();
    let response = Response::builder();
    let Some(events) = named("x-load-events") else {
        let body = Full::new(Bytes::from(whole(number))).map_err(|never| match never {}).boxed();
        return Ok(response.header("content-type", "application/json").body(body).unwrap());
    };
    let events = stream::unfold(0, move |at| async move {
        if at >= events {
            return None;
        }
        if at > 0 {
            tokio::time::sleep(BETWEEN_EVENTS).await;
        }
        Some((Ok(Frame::data(Bytes::from(event(number, at)))), at + 1))
    });
    Ok(response.header("content-type", "text/event-stream").body(StreamBody::new(events).boxed()).unwrap())
}

const BETWEEN_EVENTS: Duration = Duration::from_millis(2);

/// The whole answer to a request.
pub(crate) fn whole(number: u64) -> String {
    let text = "It was Anna Keller, and it cost 370 EUR. ".repeat(8);
    format!(
        r#"{{"id":"{number}","object":"chat.completion","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}}}}]}}"#
    )
}

/// One event of it.
pub(crate) fn event(number: u64, at: u64) -> String {
    format!("data: {{\"id\":\"{number}\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"word {at} \"}}}}]}}\n\n")
}

pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}
