//! The figures, as Prometheus reads them. One registry a proxy, handed to whoever counts.

mod engine;
mod originals;
mod peers;

use std::{fmt, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};

pub use engine::{Engine, Fidelity, RememberedLabel, Seconds, level, take, take_seconds};
pub use originals::{Originals, ReadLabels};
pub use peers::{CallLabel, Peers, SharedLabel};

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
    /// The engine's own figures; set whenever they are read.
    pub engine: Engine,
    /// Those of the server by which replicas share decisions.
    pub peers: Peers,
    /// What the fidelity check has come to; set whenever it is read.
    pub fidelity: Fidelity,
    /// How often what was left out was read.
    pub originals: Originals,
    /// Failures between the proxy and an upstream, by its name and by kind.
    pub upstream_failures: Family<FailureLabels, Counter>,
    /// Requests that were forwarded, by the name of their upstream and by status.
    pub upstream_requests: Family<UpstreamLabels, Counter>,
    /// Requests with the key of a client, by its name and whether they were allowed.
    pub client_requests: Family<ClientLabels, Counter>,
    /// Tokens taken out of a client's budget.
    pub client_tokens: Family<ClientLabels, Counter>,
    /// Lines of the log that nobody took in time; set whenever it is read.
    pub log_lost: Counter,
    /// Lines of the access log that could not be written.
    pub access_log_lost: Counter,
    /// Reports to the OTLP collector that could not be sent.
    pub otlp_lost: Counter,
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

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ReasonLabel {
    /// One word.
    pub reason: &'static str,
}

/// What a client is counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ClientLabels {
    /// Its name in the configuration.
    pub client: String,
    /// `allowed`, or the code of the error; `spent` for tokens.
    pub outcome: &'static str,
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
            engine: Engine::default(),
            peers: Peers::default(),
            fidelity: Fidelity::default(),
            originals: Originals::default(),
            upstream_failures: Family::default(),
            upstream_requests: Family::default(),
            client_requests: Family::default(),
            client_tokens: Family::default(),
            log_lost: Counter::default(),
            access_log_lost: Counter::default(),
            otlp_lost: Counter::default(),
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
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        all.register("build", "The version that runs", version);
        all.register("connections", "Open client connections", self.connections.clone());
        all.register_with_unit("held", "Memory for bodies, as it is accounted for", Unit::Bytes, self.held.clone());
        all.register("requests_in_flight", "Requests under way", self.in_flight.clone());
        all.register("requests", "Finished requests", self.requests.clone());
        let seconds = [
            ("overhead", "Time added before a request was forwarded", &self.overhead),
            ("upstream_first_byte", "Time from sending a request to the head of its answer", &self.first_byte),
            ("compression", "Time of the pipeline for a text that was not known", &self.compression),
        ];
        for (name, help, histogram) in seconds {
            all.register_with_unit(name, help, Unit::Seconds, histogram.clone());
        }
        let help = "Time from the first byte of a request to the last byte of its answer";
        all.register_with_unit("request_duration", help, Unit::Seconds, self.duration.clone());
        all.register("slots", "Texts considered, by what became of them", self.slots.clone());
        all.register("rules", "Texts for which a rule holds, by rule and what became of them", self.rules.clone());
        all.register("compression_ratio", "Original to forwarded tokens of a condensed text", self.ratio.clone());
        all.register("tokens_before", "Tokens of the texts considered, as they came", self.tokens_before.clone());
        all.register("tokens_after", "Tokens of the texts considered, as forwarded", self.tokens_after.clone());
        let help = "Tokens of the texts that were only measured, as they came";
        all.register("audited_tokens_before", help, self.audited_tokens_before.clone());
        let help = "Tokens of the texts that were only measured, as they would have been forwarded";
        all.register("audited_tokens_after", help, self.audited_tokens_after.clone());
        all.register("cache_hits", "Texts whose decision was known", self.cache_hits.clone());
        all.register("cache_misses", "Texts whose decision had to be made", self.cache_misses.clone());
        let help = "Failures towards an upstream, by its name and by kind";
        all.register("upstream_failures", help, self.upstream_failures.clone());
        let help = "Forwarded requests, by the name of their upstream and by status";
        all.register("upstream_requests", help, self.upstream_requests.clone());
        let help = "Requests with the key of a client, by its name and what became of them";
        all.register("client_requests", help, self.client_requests.clone());
        all.register("client_tokens", "Tokens taken out of a client's budget, by its name", self.client_tokens.clone());
        let help = "Lines of the log that standard error did not take in time";
        all.register("log_lost_lines", help, self.log_lost.clone());
        let help = "Lines of the access log that could not be written";
        all.register("access_log_lost_lines", help, self.access_log_lost.clone());
        all.register("otlp_lost_reports", "Reports that the OTLP collector did not take", self.otlp_lost.clone());
        all.register("gen_ai_client_token_usage", "Tokens as answers report them, by type", self.usage.clone());
        let help = "Prompt tokens as answers report them, cached ones at their share of the price";
        all.register("billed_equivalent_prompt_tokens", help, self.billed.clone());
        self.engine.register(all);
        self.peers.register(all);
        self.fidelity.register(all);
        self.originals.register(all);
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
            concat!(r#"headroom_build_info{version=""#, env!("CARGO_PKG_VERSION"), r#""} 1"#),
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
    }

    /// Prometheus' conventions: a counter ends in `_total`, times are seconds and sizes bytes, help says what is counted.
    #[test]
    fn names_say_what_is_counted_and_in_which_unit() {
        let text = Metrics::default().to_text();
        let of = |keyword: &str| -> Vec<(String, String)> {
            let lines = text.lines().filter_map(|line| line.strip_prefix(keyword)?.split_once(' '));
            lines.map(|(name, rest)| (name.to_owned(), rest.to_owned())).collect()
        };
        let (types, helps, units) = (of("# TYPE "), of("# HELP "), of("# UNIT "));
        assert!(types.len() > 30 && types.len() == helps.len());
        for (name, kind) in &types {
            assert!(name.starts_with("headroom_") && !name.ends_with("_total"), "{name}");
            assert!(!["_ms", "_kib", "_mib", "_count", "_sum"].iter().any(|suffix| name.ends_with(suffix)), "{name}");
            let timed = name.ends_with("_seconds") || name.ends_with("_bytes");
            assert_eq!(units.iter().any(|(of, unit)| of == name && name.ends_with(unit)), timed, "{name}");
            assert!(["counter", "gauge", "histogram", "info"].contains(&kind.as_str()), "{name} {kind}");
        }
        assert!(helps.iter().all(|(_, help)| help.ends_with('.') && help.len() > 15), "{helps:?}");
    }

    #[test]
    fn what_is_counted_elsewhere_is_taken_over_as_it_is() {
        let metrics = Metrics::default();
        take(&metrics.engine.joined, 7);
        for seconds in [1.5, 2.25, 2.25] {
            take_seconds(&metrics.engine.model_seconds, seconds);
        }
        let text = metrics.to_text();
        assert!(
            text.contains("headroom_joined_texts_total 7") && text.contains("headroom_model_call_seconds_total 2.25"),
            "{text}"
        );
    }
}
