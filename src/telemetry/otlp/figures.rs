//! The figures that a collector is sent: OpenTelemetry's own names where it has some, `headroom.` otherwise.

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram, Meter},
};

use super::request::Facts;

/// What is counted at the end of a request.
#[derive(Debug)]
pub(super) struct Figures {
    requests: Counter<u64>,
    duration: Histogram<f64>,
    operation: Histogram<f64>,
    usage: Histogram<u64>,
    before: Counter<u64>,
    after: Counter<u64>,
    overhead: Histogram<f64>,
}

/// Sizes that go up and down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Levels {
    /// Whether requests can be condensed.
    pub ready: bool,
    /// Texts that wait for a worker.
    pub queued: u64,
    /// Bytes of condensed texts that are kept.
    pub cached_bytes: u64,
    /// Requests under way.
    pub in_flight: u64,
}

impl Figures {
    pub(super) fn new(meter: &Meter) -> Self {
        let seconds = |name, help, bounds: &[f64]| {
            meter.f64_histogram(name).with_unit("s").with_description(help).with_boundaries(bounds.to_vec()).build()
        };
        let tokens = |name, help| meter.u64_counter(name).with_unit("{token}").with_description(help).build();
        Self {
            requests: meter
                .u64_counter("headroom.requests")
                .with_unit("{request}")
                .with_description("Finished requests, by what was done with them")
                .build(),
            duration: seconds("http.server.request.duration", "Duration of requests", &HTTP),
            operation: seconds("gen_ai.client.operation.duration", "Duration of what the provider was asked", &GEN_AI),
            usage: meter
                .u64_histogram("gen_ai.client.token.usage")
                .with_unit("{token}")
                .with_description("Tokens as the provider reports them")
                .with_boundaries(TOKENS.to_vec())
                .build(),
            before: tokens("headroom.tokens.before", "Tokens of the texts considered, as they came"),
            after: tokens("headroom.tokens.after", "Tokens of the texts considered, as forwarded"),
            overhead: seconds("headroom.overhead", "Time added before a request was forwarded", &OVERHEAD),
        }
    }

    pub(super) fn add(&self, facts: &Facts<'_>) {
        let named = |name: &'static str, value: &'static str| KeyValue::new(name, value);
        let mut about = vec![
            named("headroom.route", facts.route),
            named("headroom.outcome", facts.outcome),
            named("headroom.reason", facts.reason),
        ];
        self.requests.add(1, &about);
        about.retain(|pair| pair.key.as_str() == "headroom.route");
        about.push(KeyValue::new("http.request.method", facts.method()));
        about.extend(facts.status.map(|status| KeyValue::new("http.response.status_code", i64::from(status))));
        about.extend(facts.error.map(|error| named("error.type", error)));
        self.duration.record(facts.took.as_secs_f64(), &about);
        if let Some(overhead) = facts.overhead {
            self.overhead.record(overhead.as_secs_f64(), &[named("headroom.route", facts.route)]);
        }
        let Some(operation) = facts.operation else { return };
        let mut about = operation.named();
        about.extend(facts.model().map(|model| KeyValue::new("gen_ai.request.model", model)));
        if let Some((before, after)) = facts.tokens {
            self.before.add(before as u64, &about);
            self.after.add(after as u64, &about);
        }
        if let Some(usage) = facts.usage {
            for (kind, tokens) in [("input", usage.input), ("output", usage.output)] {
                let about = [about.as_slice(), &[named("gen_ai.token.type", kind)]].concat();
                self.usage.record(tokens, &about);
            }
        }
        about.extend(facts.error.map(|error| named("error.type", error)));
        if let Some(since_sent) = facts.since_sent {
            self.operation.record(since_sent.as_secs_f64(), &about);
        }
    }
}

/// Has sizes read whenever figures are sent.
pub(super) fn observe(meter: &Meter, levels: impl Fn() -> Levels + Send + Sync + 'static) {
    let levels = std::sync::Arc::new(levels);
    for (name, unit, help, size) in LEVELS {
        let levels = std::sync::Arc::clone(&levels);
        meter
            .u64_observable_gauge(name)
            .with_unit(unit)
            .with_description(help)
            .with_callback(move |observer| observer.observe(size(levels()), &[]))
            .build();
    }
}

type Level = (&'static str, &'static str, &'static str, fn(Levels) -> u64);

const LEVELS: [Level; 4] = [
    ("headroom.ready", "1", "Whether requests can be condensed: 1 or 0", |levels| levels.ready.into()),
    ("headroom.queue.texts", "{text}", "Texts that wait for a worker", |levels| levels.queued),
    ("headroom.cache.size", "By", "Memory of the condensed texts that are kept", |levels| levels.cached_bytes),
    ("headroom.requests.active", "{request}", "Requests under way", |levels| levels.in_flight),
];

/// The bounds that OpenTelemetry's conventions give.
const HTTP: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
const GEN_AI: [f64; 14] = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const TOKENS: [f64; 14] = [
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
const OVERHEAD: [f64; 10] = [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];
