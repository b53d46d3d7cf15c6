//! The figures, as Prometheus reads them. One registry a proxy, handed to whoever counts.

use std::{fmt, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// Everything that the proxy counts.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Open client connections.
    pub connections: Gauge,
    /// Requests under way.
    pub in_flight: Gauge,
    /// Bytes of bodies and of what is read from them, as they are accounted for.
    pub held: Gauge,
    /// Finished requests.
    pub requests: Family<RequestLabels, Counter>,
    /// From the first byte of a request to the last byte of its answer.
    pub duration: Family<RouteLabel, Histogram>,
    /// What the proxy itself added before the request went on: everything between the last byte read of an intercepted
    /// request and the first byte sent.
    pub overhead: Histogram,
    /// From sending an intercepted request to the answer's head.
    pub first_byte: Histogram,
    /// Slots by what became of them.
    pub slots: Family<SlotLabels, Counter>,
    /// Slots by the rule that holds for them and what became of them.
    pub rules: Family<RuleLabels, Counter>,
    /// Time that a slot which was not known before took in the pipeline.
    pub compression: Histogram,
    /// Original : forwarded, in target tokens, of each compressed slot.
    pub ratio: Histogram,
    /// Target tokens of the slots considered, as they came.
    pub tokens_before: Counter,
    /// Target tokens of the slots considered, as they were forwarded.
    pub tokens_after: Counter,
    /// Target tokens of the slots considered in audits, as they came and went.
    pub audited_tokens_before: Counter,
    /// Target tokens of the slots considered in audits, as they would have been forwarded.
    pub audited_tokens_after: Counter,
    /// Slots whose decision was known before.
    pub cache_hits: Counter,
    /// Slots whose decision had to be made.
    pub cache_misses: Counter,
    /// The engine's own figures, by name; set whenever they are read.
    pub engine: Family<KindLabel, Gauge>,
    /// What the fidelity check has come to, by name; set whenever they are read.
    pub fidelity: Family<KindLabel, Gauge>,
    /// Texts that were not checked, by reason; set whenever they are read.
    pub fidelity_unchecked: Family<ReasonLabel, Gauge>,
    /// Kinds of text, tenants and target models whose ratio is backed off; set whenever they are read.
    pub fidelity_backed_off: Family<BackoffLabels, Gauge>,
    /// Failures between the proxy and an upstream, by its name and by kind.
    pub upstream_failures: Family<FailureLabels, Counter>,
    /// Requests that were forwarded, by the name of their upstream and by status.
    pub upstream_requests: Family<UpstreamLabels, Counter>,
    /// Tokens as the upstream's answers report them.
    pub usage: Family<TokenLabel, Counter>,
    /// Prompt tokens as they are billed: cached ones at their share of the price.
    pub billed: Counter<f64, std::sync::atomic::AtomicU64>,
}

/// What a finished request is counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// `passthrough`, a surface (`chat_completions`, `responses`, `messages`), `handed` (`/v1/compress`) or `own`.
    pub route: &'static str,
    /// `passthrough`, `compressed`, `unchanged` or `audit`.
    pub outcome: &'static str,
    /// Why unchanged or passed; empty otherwise.
    pub reason: &'static str,
    /// The status that the client saw; 0 where it went before there was one.
    pub status: u16,
}

/// The kind of way a request took.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RouteLabel {
    /// `passthrough`, a surface (`chat_completions`, `responses`, `messages`), `handed` (`/v1/compress`) or `own`.
    pub route: &'static str,
}

/// What a slot is counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SlotLabels {
    /// `compressed` or `unchanged`.
    pub outcome: &'static str,
    /// Why unchanged; empty otherwise.
    pub reason: &'static str,
}

/// What a slot that a rule holds for is counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RuleLabels {
    /// The rule's name, of the configuration; never anything of a request.
    pub rule: String,
    /// `compressed`, `unchanged`, `exact` or `off`.
    pub outcome: &'static str,
}

/// What a forwarded request is counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct UpstreamLabels {
    /// The upstream's name, of the configuration; `default` and `anthropic` are those of `[upstream]`.
    pub upstream: String,
    /// The status of the answer that the client got; 0 where it got none.
    pub status: u16,
}

/// What a failure of an upstream is counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct FailureLabels {
    /// As above.
    pub upstream: String,
    /// The failure's code, as the error envelope names it.
    pub kind: &'static str,
}

/// What a figure is named by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct KindLabel {
    /// The figure's name.
    pub kind: &'static str,
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ReasonLabel {
    /// One word.
    pub reason: &'static str,
}

/// What a backed-off ratio is counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct BackoffLabels {
    /// What it holds for: `kind`, `tenant` or `model`.
    pub dimension: &'static str,
    /// How far: `gentle`, `gentler` or `redundancy`.
    pub level: &'static str,
}

/// What reported tokens are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TokenLabel {
    /// OpenTelemetry's `gen_ai.token.type`: `input` or `output`; `input_cached` for the cached share of `input`.
    pub gen_ai_token_type: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            connections: Gauge::default(),
            in_flight: Gauge::default(),
            held: Gauge::default(),
            requests: Family::default(),
            duration: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            overhead: Histogram::new(SECONDS),
            first_byte: Histogram::new(SECONDS),
            slots: Family::default(),
            rules: Family::default(),
            compression: Histogram::new(SECONDS),
            ratio: Histogram::new(RATIOS),
            tokens_before: Counter::default(),
            tokens_after: Counter::default(),
            audited_tokens_before: Counter::default(),
            audited_tokens_after: Counter::default(),
            cache_hits: Counter::default(),
            cache_misses: Counter::default(),
            engine: Family::default(),
            fidelity: Family::default(),
            fidelity_unchecked: Family::default(),
            fidelity_backed_off: Family::default(),
            upstream_failures: Family::default(),
            upstream_requests: Family::default(),
            usage: Family::default(),
            billed: Counter::default(),
        };
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        metrics.registry = registry;
        metrics
    }
}

impl Metrics {
    /// All figures in the text format of OpenMetrics.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        match text::encode(&mut out, &self.registry) {
            Ok(()) => out,
            Err(fmt::Error) => String::new(),
        }
    }

    /// Counts one slot: its decision, and what it cost when it was not known before.
    ///
    /// What an audit would have saved is counted apart from what was saved.
    pub fn slot(&self, audit: bool, reason: Option<&'static str>, tokens: (usize, usize), took: Option<Duration>) {
        let outcome = if reason.is_none() { "compressed" } else { "unchanged" };
        self.slots.get_or_create(&SlotLabels { outcome, reason: reason.unwrap_or_default() }).inc();
        let (before, after) = tokens;
        let (all, forwarded) = match audit {
            true => (&self.audited_tokens_before, &self.audited_tokens_after),
            false => (&self.tokens_before, &self.tokens_after),
        };
        all.inc_by(before as u64);
        forwarded.inc_by(after as u64);
        if reason.is_none() && after > 0 {
            self.ratio.observe(before as f64 / after as f64);
        }
        match took {
            None => self.cache_hits.inc(),
            Some(took) => {
                self.compression.observe(took.as_secs_f64());
                self.cache_misses.inc()
            }
        };
    }

    /// Counts a slot by the rule that holds for it, where one does.
    pub fn rule(&self, rule: Option<&str>, outcome: &'static str) {
        if let Some(rule) = rule {
            self.rules.get_or_create(&RuleLabels { rule: rule.to_owned(), outcome }).inc();
        }
    }

    /// Counts a request that went to an upstream.
    pub fn forwarded(&self, upstream: &str, status: u16) {
        self.upstream_requests.get_or_create(&UpstreamLabels { upstream: upstream.to_owned(), status }).inc();
    }

    /// Counts a failure on the way to an upstream.
    pub fn upstream_failed(&self, upstream: Option<&str>, kind: &'static str) {
        let upstream = upstream.unwrap_or_default().to_owned();
        self.upstream_failures.get_or_create(&FailureLabels { upstream, kind }).inc();
    }

    fn register(&self, all: &mut Registry) {
        let all = all.sub_registry_with_prefix("headroom");
        all.register("connections", "Open client connections", self.connections.clone());
        all.register("held_bytes", "Memory for bodies, as it is accounted for", self.held.clone());
        all.register("requests_in_flight", "Requests under way", self.in_flight.clone());
        all.register("requests", "Finished requests", self.requests.clone());
        all.register("request_duration_seconds", "First byte in to last byte out", self.duration.clone());
        all.register("overhead_seconds", "Time added before a request was forwarded", self.overhead.clone());
        all.register("upstream_first_byte_seconds", "Time to the answer's head", self.first_byte.clone());
        all.register("slots", "Slots by what became of them", self.slots.clone());
        all.register("rules", "Slots by the rule that holds for them", self.rules.clone());
        all.register("compression_seconds", "Time of the pipeline for a new slot", self.compression.clone());
        all.register("compression_ratio", "Original to forwarded tokens of a slot", self.ratio.clone());
        all.register("tokens_before", "Tokens of the slots as they came", self.tokens_before.clone());
        all.register("tokens_after", "Tokens of the slots as forwarded", self.tokens_after.clone());
        all.register("audited_tokens_before", "Tokens of audited slots", self.audited_tokens_before.clone());
        all.register("audited_tokens_after", "Tokens as audits would forward", self.audited_tokens_after.clone());
        all.register("cache_hits", "Slots whose decision was known", self.cache_hits.clone());
        all.register("cache_misses", "Slots whose decision had to be made", self.cache_misses.clone());
        all.register("engine", "The engine's own figures", self.engine.clone());
        all.register("fidelity", "What the fidelity check has come to", self.fidelity.clone());
        all.register("fidelity_unchecked", "Texts that were not checked", self.fidelity_unchecked.clone());
        all.register("fidelity_backed_off", "Ratios that are backed off", self.fidelity_backed_off.clone());
        all.register("upstream_failures", "Failures towards an upstream", self.upstream_failures.clone());
        all.register("upstream_requests", "Forwarded requests by upstream", self.upstream_requests.clone());
        all.register("gen_ai_client_token_usage", "Tokens as answers report them", self.usage.clone());
        all.register("billed_equivalent_prompt_tokens", "Prompt tokens at their price", self.billed.clone());
    }
}

/// Bounds in seconds: from far below a millisecond to long streams.
const SECONDS: [f64; 18] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0,
];

/// Bounds of the ratio, original : forwarded.
const RATIOS: [f64; 9] = [1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0, 20.0];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_can_be_scraped() {
        let metrics = Metrics::default();
        metrics.slot(false, None, (100, 20), Some(Duration::from_millis(3)));
        metrics.slot(false, Some("no_gain"), (50, 50), None);
        metrics.slot(true, None, (40, 4), None);
        let text = metrics.to_text();
        for line in [
            "headroom_tokens_before_total 150",
            "headroom_tokens_after_total 70",
            "headroom_audited_tokens_after_total 4",
            "headroom_cache_hits_total 2",
            r#"headroom_slots_total{outcome="unchanged",reason="no_gain"} 1"#,
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
    }
}
