//! What the page shows, as JSON.

use std::{sync::Arc, time::Instant};

use serde::{Serialize, Serializer};

use super::Viewer;
use crate::{
    compress::Ratio,
    engine::Readiness,
    explain::{Record, Summary},
    proxy::{Mode, Proxy},
    savings::Savings,
};

/// Everything that one viewer may see now.
pub(super) struct State<'a> {
    proxy: &'a Proxy,
    viewer: Viewer,
}

impl<'a> State<'a> {
    pub(super) fn of(proxy: &'a Proxy, viewer: Viewer) -> Self {
        Self { proxy, viewer }
    }

    /// The latest requests that this viewer may read; `None` where that is none of any.
    fn requests(&self) -> Option<Vec<Arc<Record>>> {
        let records = self.proxy.records.as_deref()?;
        Some(records.list(self.viewer.reader()?, LISTED, Instant::now()))
    }

    fn health(&self) -> (&'static str, String) {
        match self.proxy.engine.readiness() {
            _ if self.proxy.life.is_draining() => ("draining", String::new()),
            Readiness::Ready => ("ready", String::new()),
            Readiness::Loading => ("loading", String::new()),
            Readiness::Failed(reason) => ("failed", reason.to_string()),
        }
    }
}

/// What the page is built from.
#[derive(Serialize)]
struct Shown<'a> {
    version: &'static str,
    since: u64,
    viewer: &'static str,
    /// Whether records of requests are kept at all.
    records: bool,
    keep_s: u64,
    health: &'static str,
    reason: String,
    model: &'a str,
    upstreams: Vec<String>,
    mode: Mode,
    ratio: Ratio,
    min_tokens: usize,
    holdout: f64,
    /// Connections, and requests under way, this page's own among them.
    connections: i64,
    in_flight: i64,
    engine: EngineShown,
    savings: &'a Savings,
    requests: Option<Vec<Summary<'a>>>,
}

#[derive(Serialize)]
struct EngineShown {
    stuck: bool,
    cached: u64,
    cached_bytes: u64,
    cache_bytes: u64,
    hits: u64,
    misses: u64,
    queued: u64,
    queue: usize,
    remembered: u64,
    hurried: u64,
    forced: u64,
    panics: u64,
    inference_calls: u64,
}

impl Serialize for State<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { proxy, viewer } = self;
        let requests = self.requests();
        let stats = proxy.engine.stats();
        let (health, reason) = self.health();
        let mut sums = proxy.books.sums();
        let none = Savings::default();
        let sums = &mut *sums;
        let savings = match viewer {
            Viewer::With(tenant) => sums.tenants.peek(tenant).unwrap_or(&none),
            Viewer::Operator | Viewer::Local => &sums.all,
        };
        Shown {
            version: env!("CARGO_PKG_VERSION"),
            since: proxy.books.since,
            viewer: match viewer {
                Viewer::Operator => "operator",
                Viewer::With(_) => "credential",
                Viewer::Local => "local",
            },
            records: proxy.records.is_some(),
            keep_s: proxy.records.as_ref().map_or(0, |records| records.keep_s()),
            health,
            reason,
            model: &proxy.about.model,
            upstreams: proxy.forwards_to(),
            mode: proxy.config.mode,
            ratio: proxy.policy.ratio,
            min_tokens: proxy.policy.min_tokens,
            holdout: proxy.about.holdout,
            connections: proxy.metrics.connections.get(),
            in_flight: proxy.metrics.in_flight.get(),
            engine: EngineShown {
                stuck: stats.stuck,
                cached: stats.cached,
                cached_bytes: stats.cached_bytes,
                cache_bytes: proxy.about.cache_bytes,
                hits: stats.hits,
                misses: stats.misses,
                queued: stats.queued,
                queue: proxy.about.queue,
                remembered: stats.chosen,
                hurried: stats.hurried,
                forced: stats.forced_deadline + stats.forced_overloaded + stats.forced_model_failed,
                panics: stats.panics,
                inference_calls: stats.inference_calls,
            },
            savings,
            requests: requests.as_ref().map(|records| records.iter().map(|record| Summary::of(record)).collect()),
        }
        .serialize(serializer)
    }
}

/// Requests in the list at most.
const LISTED: usize = 50;
