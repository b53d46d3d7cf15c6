//! The account of one request: opened when it comes, closed when its answer has ended, whichever way. One log line and
//! one set of figures come of it.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hasher as _},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};

use tokio::sync::Semaphore;

use super::{
    clients::{Clients, Holder},
    entry::Entry,
    error::Error,
    headers, intercept, page,
    usage::{self, UsageWatch},
};
use crate::{
    compress::Limit,
    engine::Tenant,
    telemetry::{
        AccessLog, Metrics,
        access_log::Ending,
        metrics::{RequestLabels, RouteLabel},
        otlp::{self, Traced},
    },
    wire::Surface,
};

/// The way a request took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// Relayed without a look.
    Passthrough,
    /// Of a surface, its body looked at.
    Intercepted(Surface),
    /// Handed over by another gateway, and given back to it.
    Handed,
    /// Answered by the proxy itself.
    Own,
}

impl Route {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Passthrough => "passthrough",
            Self::Intercepted(surface) => surface.as_str(),
            Self::Handed => "handed",
            Self::Own => "own",
        }
    }
}

/// Why a request was not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passed {
    /// Its path belongs to no surface.
    NoSurface,
    /// A surface has its path, but not for this method.
    Method,
    /// Its body is not said to be JSON in UTF-8.
    ContentType,
    /// It asks for another protocol.
    Upgrade,
    /// The mode is `off`.
    Off,
    /// Frames of a WebSocket that an unknown extension changes.
    Extension,
}

impl Passed {
    const fn as_str(self) -> &'static str {
        match self {
            Self::NoSurface => "no_surface",
            Self::Method => "method",
            Self::ContentType => "content_type",
            Self::Upgrade => "upgrade",
            Self::Off => "off",
            Self::Extension => "extension",
        }
    }
}

/// What was done with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Not looked at, and why.
    Passthrough(Passed),
    /// At least one slot was replaced; what kept them from the ratio asked for, if something did.
    Compressed(Option<Limit>),
    /// Looked at and forwarded as it came.
    Unchanged(&'static str),
    /// Measured, and forwarded as it came.
    Audit,
    /// A WebSocket: each frame that asks for a response has an account of its own.
    PerFrame,
}

impl Outcome {
    /// The word used in headers, metrics, logs and records.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Passthrough(_) => "passthrough",
            Self::Compressed(_) => "compressed",
            Self::Unchanged(_) => "unchanged",
            Self::Audit => "audit",
            Self::PerFrame => "per_frame",
        }
    }

    /// Whether at least one text was forwarded condensed.
    pub(crate) const fn is_compressed(self) -> bool {
        matches!(self, Self::Compressed(_))
    }

    /// Why unchanged or passed; empty otherwise.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Unchanged(reason) => reason,
            Self::Passthrough(why) => why.as_str(),
            Self::Compressed(_) | Self::Audit | Self::PerFrame => "",
        }
    }

    fn with(text: &str) -> HeaderValue {
        HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
    }

    fn header(self) -> HeaderValue {
        match self {
            Self::Unchanged(_) | Self::Passthrough(_) => {
                Self::with(&format!("{}; reason={}", self.as_str(), self.reason()))
            }
            Self::Compressed(Some(limit)) => Self::with(&format!("compressed; limit={}", limit.as_str())),
            Self::Compressed(None) | Self::Audit | Self::PerFrame => HeaderValue::from_static(self.as_str()),
        }
    }
}

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The answer was relayed whole.
    Complete,
    /// The client went first.
    ClientGone,
    /// The upstream broke off.
    UpstreamBroke,
    /// The upstream fell silent.
    UpstreamIdle,
    /// The proxy answered with an error of its own.
    Failed(&'static str),
}

impl End {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::ClientGone => "client_gone",
            Self::UpstreamBroke => "upstream_broke_off",
            Self::UpstreamIdle => "upstream_idle",
            Self::Failed(kind) => kind,
        }
    }
}

/// Figures over the slots considered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Slots {
    /// Target tokens as they came.
    pub(crate) tokens_before: usize,
    /// Target tokens as they were forwarded, or would have been.
    pub(crate) tokens_after: usize,
    /// Known before.
    pub(crate) hits: usize,
    /// Decided for this request.
    pub(crate) misses: usize,
}

/// The account of one request.
#[derive(Debug)]
pub(crate) struct Account {
    metrics: Arc<Metrics>,
    id: String,
    method: Method,
    /// Only its path is ever written.
    uri: Uri,
    began: Instant,
    sent_at: Option<Instant>,
    overhead: Option<Duration>,
    pub(crate) route: Route,
    pub(crate) outcome: Outcome,
    pub(crate) slots: Option<Slots>,
    pub(crate) model: Option<String>,
    /// The server to which it goes, by its name.
    pub(crate) upstream: Option<Arc<str>>,
    /// Whose request it is, once somebody has asked.
    owner: Option<Option<Tenant>>,
    status: Option<StatusCode>,
    bytes: u64,
    end: End,
    usage: Option<UsageWatch>,
    /// What a cached prompt token costs, as a share of a fresh one.
    pub(crate) cached_price: f64,
    /// Its spans, where they go to a collector.
    pub(crate) traced: Option<Traced>,
    pub(crate) access_log: Option<AccessLog>,
    /// Where the page sums it up, and for whom.
    pub(crate) page: Option<(Arc<page::Books>, Option<Tenant>)>,
    /// What it is taken out of.
    pub(crate) client: Option<(Arc<Clients>, Holder)>,
    /// Bounds how many answers are decoded at once.
    pub(crate) decoders: Option<Arc<Semaphore>>,
    /// What is written of it in the ledger.
    pub(crate) entry: Option<Entry>,
}

impl Account {
    /// Opens the account of a request.
    pub(crate) fn open(metrics: Arc<Metrics>, id: String, method: Method, uri: Uri) -> Box<Self> {
        metrics.in_flight.inc();
        Box::new(Self {
            metrics,
            id,
            method,
            uri,
            began: Instant::now(),
            sent_at: None,
            overhead: None,
            route: Route::Passthrough,
            outcome: Outcome::Passthrough(Passed::NoSurface),
            slots: None,
            model: None,
            upstream: None,
            owner: None,
            status: None,
            bytes: 0,
            end: End::ClientGone,
            usage: None,
            cached_price: 1.0,
            traced: None,
            access_log: None,
            page: None,
            client: None,
            decoders: None,
            entry: None,
        })
    }

    /// Names the request.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The surface that it was posted to; empty where it is none.
    pub(crate) const fn surface(&self) -> &'static str {
        match self.route {
            Route::Intercepted(surface) => surface.as_str(),
            Route::Passthrough | Route::Handed | Route::Own => "",
        }
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// When the request's head had come.
    pub(crate) const fn began(&self) -> Instant {
        self.began
    }

    /// Whose request it is, by its headers: hashed once, whoever asks.
    pub(crate) fn owner(&mut self, headers: &HeaderMap) -> Option<Tenant> {
        *self.owner.get_or_insert_with(|| intercept::owner(headers))
    }

    /// The request goes out now; `since` is when the last byte of an intercepted body was read.
    pub(crate) fn forwarded(&mut self, since: Option<Instant>) {
        self.sent_at = Some(Instant::now());
        self.overhead = since.map(|since| since.elapsed());
    }

    /// The request goes on with these headers, as a part of the client's trace.
    pub(crate) fn trace_onwards(&mut self, headers: &mut HeaderMap) {
        if let Some(traced) = &mut self.traced {
            traced.forwarded(headers, headers::is_signed(headers) || headers::is_signed_by_aws(headers));
        }
    }

    /// What was asked goes out now in a frame of a connection that changed its protocol; `since` is when it was read.
    pub(crate) fn framed(&mut self, since: Instant) {
        self.overhead = Some(since.elapsed());
        self.status = Some(StatusCode::SWITCHING_PROTOCOLS);
        self.end(End::Complete);
    }

    /// The answer has this status; writes the proxy's headers to it.
    pub(crate) fn answered(&mut self, status: StatusCode, to: &mut HeaderMap) {
        self.status = Some(status);
        if let Route::Intercepted(_) = self.route
            && let Some(sent) = self.sent_at
        {
            self.metrics.first_byte.observe(sent.elapsed().as_secs_f64());
        }
        if let Ok(id) = HeaderValue::try_from(self.id.as_str()) {
            to.insert(headers::REQUEST_ID, id);
        }
        if self.route == Route::Own {
            return;
        }
        to.insert(headers::OUTCOME, self.outcome.header());
        let Some(slots) = self.slots else { return };
        // A decision forced by lack of time may have left no time to count either.
        if slots.tokens_before > 0 {
            to.insert(headers::TOKENS_BEFORE, HeaderValue::from(slots.tokens_before));
            to.insert(headers::TOKENS_AFTER, HeaderValue::from(slots.tokens_after));
        }
        if let Ok(cache) = HeaderValue::try_from(format!("hits={}, misses={}", slots.hits, slots.misses)) {
            to.insert(headers::CACHE, cache);
        }
    }

    /// The proxy answers with an error of its own.
    pub(crate) fn fail(&mut self, error: &Error) {
        self.end(End::Failed(error.code()));
        if error.is_upstream() {
            self.metrics.upstream_failed(self.upstream.as_deref(), error.code());
            tracing::warn!(
                id = self.id,
                kind = error.code(),
                upstream = self.upstream.as_deref(),
                cause = causes(error),
                "upstream failed"
            );
        }
    }

    /// Watches an answer with these headers for its usage.
    pub(crate) fn watch(&mut self, headers: &HeaderMap) {
        if let (Route::Intercepted(surface), Some(decoders)) = (self.route, &self.decoders) {
            self.usage = UsageWatch::over(surface, headers, decoders);
        }
    }

    /// Bytes of the answer go to the client.
    pub(crate) fn sent(&mut self, data: &[u8]) {
        self.bytes += data.len() as u64;
        if let Some(usage) = &mut self.usage {
            usage.see(data);
            // The client may go on from it as soon as it has read the last byte.
            if let Some(entry) = self.entry.as_mut().filter(|entry| entry.awaits_name())
                && let Some(stored) = usage.stored()
            {
                entry.stored(&stored);
            }
        }
    }

    /// The exchange ended; the first word counts.
    pub(crate) fn end(&mut self, end: End) {
        if self.end == End::ClientGone {
            self.end = end;
        }
    }

    /// Whether only the tokens of the request were asked for, which nobody bills.
    pub(crate) fn counts_tokens(&self) -> bool {
        Surface::counts_tokens(self.uri.path())
    }

    /// Counts it; says whether the conversation only fits its model condensed.
    fn count(&mut self) -> bool {
        let status = self.status.map_or(0, |status| status.as_u16());
        let (route, outcome, reason) = (self.route.as_str(), self.outcome.as_str(), self.outcome.reason());
        self.metrics.in_flight.dec();
        self.metrics.requests.get_or_create(&RequestLabels { route, outcome, reason, status }).inc();
        if let Some(upstream) = &self.upstream {
            self.metrics.forwarded(upstream, status);
        }
        self.metrics.duration.get_or_create(&RouteLabel { route }).observe(self.began.elapsed().as_secs_f64());
        if let Some(overhead) = self.overhead {
            self.metrics.overhead.observe(overhead.as_secs_f64());
        }
        let told = self.usage.as_mut().and_then(UsageWatch::usage);
        if let Some(told) = told {
            usage::count(told, &self.metrics, self.cached_price);
        }
        let mut beyond_context = false;
        if let Some(mut entry) = self.entry.take() {
            let failed = self.status.is_none_or(|status| status.is_client_error() || status.is_server_error());
            beyond_context = entry.answered(failed, told);
            if let (Some((books, owner)), Some(money)) = (&self.page, entry.money()) {
                books.bill(self, *owner, money);
            }
        }
        let usage =
            told.map(|usage| otlp::Usage { input: usage.prompt, cached: usage.cached, output: usage.completion });
        if let Some((clients, holder)) = &self.client {
            clients.spend(*holder, self.tokens(usage), &self.metrics);
        }
        if let Some(log) = &self.access_log {
            let client = self.client.as_ref().map(|(clients, holder)| clients.name(*holder));
            log.note(&self.facts(usage), &Ending { word: self.end.as_str(), bytes: self.bytes, client });
        }
        if let Some(traced) = self.traced.take() {
            traced.end(&self.facts(usage));
        }
        beyond_context
    }
}

impl Account {
    /// Tokens that it took: as the provider reports them, or those of the texts that were read.
    fn tokens(&self, usage: Option<otlp::Usage>) -> u64 {
        let texts = self.slots.unwrap_or_default();
        match (usage, self.route) {
            (Some(usage), _) => usage.input.saturating_add(usage.output),
            (None, Route::Handed | Route::Own) => texts.tokens_before as u64,
            (None, _) => texts.tokens_after as u64,
        }
    }

    /// What a collector is told of it.
    fn facts(&self, usage: Option<otlp::Usage>) -> otlp::Facts<'_> {
        otlp::Facts {
            id: &self.id,
            method: &self.method,
            path: self.uri.path(),
            route: self.route.as_str(),
            outcome: self.outcome.as_str(),
            reason: self.outcome.reason(),
            operation: match self.route {
                Route::Intercepted(Surface::Messages) => Some(otlp::Operation::Anthropic),
                Route::Intercepted(_) => Some(otlp::Operation::OpenAi),
                Route::Passthrough | Route::Handed | Route::Own => None,
            },
            model: self.model.as_deref(),
            upstream: self.upstream.as_deref(),
            status: self.status.map(|status| status.as_u16()),
            error: (self.end != End::Complete).then(|| self.end.as_str()),
            tokens: self.slots.map(|slots| (slots.tokens_before, slots.tokens_after)),
            usage,
            overhead: self.overhead,
            took: self.began.elapsed(),
            since_sent: self.sent_at.map(|sent| sent.elapsed()),
        }
    }
}

/// The causes of an error on one line; connection errors name addresses and system errors, never content.
fn causes(error: &Error) -> String {
    let mut line = String::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        line = if line.is_empty() { error.to_string() } else { format!("{line}: {error}") };
        cause = error.source();
    }
    line
}

impl Drop for Account {
    fn drop(&mut self) {
        let beyond_context = self.count();
        let slots = self.slots.unwrap_or_default();
        tracing::info!(
            id = self.id,
            method = self.method.as_str(),
            path = self.uri.path(),
            route = self.route.as_str(),
            upstream = self.upstream.as_deref(),
            outcome = self.outcome.as_str(),
            reason = self.outcome.reason(),
            status = self.status.map(|status| status.as_u16()),
            end = self.end.as_str(),
            gen_ai.request.model = self.model,
            tokens_before = self.slots.map(|_| slots.tokens_before),
            tokens_after = self.slots.map(|_| slots.tokens_after),
            cache_hits = self.slots.map(|_| slots.hits),
            cache_misses = self.slots.map(|_| slots.misses),
            beyond_context = beyond_context.then_some(true),
            overhead_us = self.overhead.map(|overhead| overhead.as_micros() as u64),
            bytes = self.bytes,
            duration_ms = self.began.elapsed().as_millis() as u64,
            "request"
        );
    }
}

/// Draws request ids: unique, and not to be guessed from one another.
#[derive(Debug)]
pub(crate) struct Ids {
    key: [u8; 32],
    next: AtomicU64,
}

impl Ids {
    /// Ids that no other process draws.
    pub(crate) fn new() -> Self {
        let mut seed = blake3::Hasher::new();
        for _ in 0..4 {
            // The standard library's only source of the operating system's randomness.
            seed.update(&RandomState::new().build_hasher().finish().to_le_bytes());
        }
        seed.update(&std::process::id().to_le_bytes());
        Self { key: *seed.finalize().as_bytes(), next: AtomicU64::new(0) }
    }

    /// The next id: 32 hexadecimal digits.
    pub(crate) fn next(&self) -> String {
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        let mut id = blake3::keyed_hash(&self.key, &count.to_le_bytes()).to_hex().to_string();
        id.truncate(32);
        id
    }
}
