//! One client connection: HTTP/1.1 or, by prior knowledge, HTTP/2.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, sleep_until, timeout},
};

use super::{
    Config,
    activity::{Activity, Watched},
    tls::Tls,
};
use crate::proxy::Current;

/// How connections are spoken to.
#[derive(Clone)]
pub(super) struct Protocols {
    usual: Builder<TokioExecutor>,
    /// During the drain: one request a connection.
    last: Builder<TokioExecutor>,
    header_timeout: Duration,
}

impl Protocols {
    pub(super) fn new(config: &Config) -> Self {
        let header_timeout = Duration::from_secs(config.header_timeout_seconds);
        let builder = |keep_alive| {
            let mut builder = Builder::new(TokioExecutor::new());
            builder
                .http1()
                .timer(TokioTimer::new())
                .header_read_timeout(header_timeout)
                .max_buf_size(config.head_limit_kib << 10)
                .max_headers(MAX_HEADERS)
                .preserve_header_case(true)
                .auto_date_header(false)
                .keep_alive(keep_alive);
            builder
                .http2()
                .timer(TokioTimer::new())
                .auto_date_header(false)
                .max_concurrent_streams(MAX_STREAMS)
                .max_header_list_size(u32::try_from(config.head_limit_kib << 10).unwrap_or(u32::MAX))
                .keep_alive_interval(PING);
            builder
        };
        Self { usual: builder(true), last: builder(false).http1_only(), header_timeout }
    }
}

/// Serves one connection, once the sides have agreed on TLS where that is spoken.
pub(super) fn begin(
    stream: TcpStream,
    tls: Option<Tls>,
    protocols: &Protocols,
    current: Arc<Current>,
) -> impl Future<Output = ()> + Send + use<> {
    let local = stream.peer_addr().is_ok_and(|peer| peer.ip().to_canonical().is_loopback());
    let protocols = protocols.clone();
    // As it was when it came: who came before the drain is waited for, and ends by itself; who came later does not.
    let draining = current.proxy().life().drain.is_cancelled();
    async move {
        let Some(tls) = tls else { return serve(stream, (local, draining), &protocols, current).await };
        let proxy = current.proxy();
        let agreed = tokio::select! {
            agreed = timeout(protocols.header_timeout, tls.accept(stream)) => agreed,
            () = proxy.life().abort.cancelled() => return,
        };
        match agreed {
            // Boxed, so that a connection without TLS keeps its small future.
            Ok(Ok(stream)) => Box::pin(serve(stream, (local, draining), &protocols, current)).await,
            Ok(Err(error)) => tracing::debug!(%error, "no TLS was agreed on"),
            Err(_) => tracing::debug!("no TLS was agreed on in time"),
        }
    }
}

/// Serves one connection until either side ends it or the drain's time is over; `local` says that it comes from this
/// machine, `draining` that it came during the drain.
fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    (local, draining): (bool, bool),
    protocols: &Protocols,
    current: Arc<Current>,
) -> impl Future<Output = ()> + Send + use<S> {
    let proxy = current.proxy();
    let builder = if draining { protocols.last.clone() } else { protocols.usual.clone() };
    let unused = protocols.header_timeout;
    async move {
        let activity = Activity::new();
        let service = {
            let activity = activity.clone();
            service_fn(move |request: Request<Incoming>| {
                let (proxy, _busy) = (current.proxy(), activity.request());
                async move {
                    let answer = proxy.answer(request, local).await;
                    Ok::<_, Infallible>(answer.map(|body| Watched { body, _busy }))
                }
            })
        };
        let metrics = proxy.metrics();
        metrics.connections.inc();
        let life = proxy.life();
        let mut connection = pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
        let mut close_by = Instant::now() + unused;
        let (mut closing, mut closed, mut awaited) = (draining, false, false);
        loop {
            tokio::select! {
                // What has come is read before a time that has passed meanwhile counts: the process may have been held up.
                biased;
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(error = %kind(error.as_ref()), "connection ended early");
                    }
                    break;
                }
                () = life.abort.cancelled() => break,
                () = life.drain.cancelled(), if !closing => {
                    closing = true;
                    // Whoever has just come may have asked already, and would be cut off with the question on its way.
                    awaited = activity.is_new();
                    if awaited {
                        close_by = Instant::now() + FAREWELL;
                    } else {
                        connection.as_mut().graceful_shutdown();
                    }
                }
                () = life.closed.cancelled(), if !closed => {
                    closed = true;
                    connection.as_mut().graceful_shutdown();
                }
                // Neither the version of HTTP nor the next request of HTTP/2 is awaited with a limit of its own.
                () = sleep_until(close_by) => {
                    let now = Instant::now();
                    if std::mem::take(&mut awaited) {
                        if activity.is_new() {
                            break;
                        }
                        connection.as_mut().graceful_shutdown();
                    }
                    close_by = activity.unused_for(unused);
                    if close_by <= now && closing {
                        break;
                    }
                    if close_by <= now {
                        closing = true;
                        connection.as_mut().graceful_shutdown();
                        close_by = now + FAREWELL;
                    }
                }
            }
        }
        metrics.connections.dec();
    }
}

/// The kind of failure alone: what a client sent is not for the log.
fn kind(error: &(dyn std::error::Error + Send + Sync + 'static)) -> &'static str {
    match error.downcast_ref::<hyper::Error>() {
        Some(error) if error.is_parse() => "not understood",
        Some(error) if error.is_timeout() => "too slow",
        Some(error) if error.is_incomplete_message() => "closed within a message",
        Some(error) if error.is_user() => "broken off by the proxy",
        _ => "broken",
    }
}

/// How long a client may take to let go of a connection that is closed for want of use, or to ask what it came for when a
/// drain begins.
const FAREWELL: Duration = Duration::from_secs(1);

/// Header lines of a request at most.
const MAX_HEADERS: usize = 256;

/// Requests at the same time on one HTTP/2 connection.
const MAX_STREAMS: u32 = 256;

/// How often an HTTP/2 client is asked whether it is still there.
const PING: Duration = Duration::from_secs(30);
