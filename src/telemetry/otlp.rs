//! Traces and figures for a collector, by OTLP over HTTP. Nothing of it touches a request: spans wait in a bounded queue
//! of the SDK's own thread, and what cannot be sent is lost and counted.
//!
//! Each request that is not for a page of our own has a span for what the client asked (`SERVER`) and, where it went on, one
//! for what the provider was asked (`CLIENT`), by OpenTelemetry's conventions for HTTP and for generative AI. Names and
//! numbers alone: no text, no key, no query.

mod figures;
mod request;
mod sender;

use std::{sync::Arc, time::Duration};

use http::HeaderMap;
use opentelemetry::{KeyValue, metrics::MeterProvider as _, trace::TracerProvider as _};
use opentelemetry_otlp::{MetricExporter, Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    metrics::{PeriodicReader, SdkMeterProvider},
    trace::{Sampler, SdkTracer, SdkTracerProvider},
};
use prometheus_client::metrics::counter::Counter;
use serde::{Deserialize, Serialize};

pub use figures::Levels;
pub use request::{Facts, Operation, Traced, Usage};

use crate::setting::Invalid;
use figures::Figures;
use sender::Sender;

/// `[telemetry.otlp]`: what a collector is sent, and where it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the collector takes OTLP over HTTP: `http://127.0.0.1:4318`. Not set: where `OTEL_EXPORTER_OTLP_ENDPOINT`
    /// says, and nowhere without that. `off`: nowhere.
    pub endpoint: Option<String>,
    /// Whether traces are sent.
    pub traces: bool,
    /// Whether figures are sent.
    pub metrics: bool,
    /// Share of traces (0–1) that are begun here; what a client has begun is traced as it decided.
    pub sample: f64,
    /// Seconds between two reports of figures.
    pub metrics_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { endpoint: None, traces: true, metrics: true, sample: 1.0, metrics_seconds: 60 }
    }
}

impl Config {
    /// Whether every setting can be used.
    ///
    /// # Errors
    /// The first that can't.
    pub fn check(&self) -> Result<(), Invalid> {
        let endpoint = self.endpoint.as_deref().filter(|endpoint| *endpoint != "off");
        if endpoint.is_some_and(|endpoint| !is_url(endpoint)) {
            let remedy = "give `http://host:4318` or `https://…`, without user name and path of a signal; or `off`";
            return Err(Invalid::text("otlp.endpoint", remedy));
        }
        if !(0.0..=1.0).contains(&self.sample) {
            return Err(Invalid::new("otlp.sample", self.sample, "give a share of traces from 0 to 1"));
        }
        if !(1..=3600).contains(&self.metrics_seconds) {
            let remedy = "give a number of seconds from 1 to 3600";
            return Err(Invalid::new("otlp.metrics_seconds", self.metrics_seconds, remedy));
        }
        Ok(())
    }

    /// Whether anything is sent, as the configuration or the environment has it.
    fn is_on(&self, variable: &impl Fn(&str) -> Option<String>) -> bool {
        let set = |name: &&str| variable(name).is_some_and(|value| !value.trim().is_empty());
        let disabled = variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let wanted = match self.endpoint.as_deref() {
            Some(endpoint) => endpoint != "off",
            None => ENDPOINTS.iter().any(set),
        };
        wanted && !disabled && (self.traces || self.metrics)
    }
}

fn is_url(endpoint: &str) -> bool {
    let Ok(url) = endpoint.parse::<http::Uri>() else { return false };
    matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some() && !endpoint.contains(['@', '?', '#'])
}

/// What is sent, and where it is put together.
#[derive(Debug)]
pub struct Otlp {
    spans: Option<(SdkTracerProvider, SdkTracer)>,
    meters: Option<SdkMeterProvider>,
    figures: Option<Figures>,
}

impl Otlp {
    /// Begins to send, if anything is to be sent; `variable` is the environment. Has to be called within a runtime.
    ///
    /// # Errors
    /// When the endpoint cannot be used.
    pub fn start(
        config: &Config,
        variable: impl Fn(&str) -> Option<String>,
        lost: Counter,
    ) -> Result<Option<Arc<Self>>, Invalid> {
        if !config.is_on(&variable) {
            return Ok(None);
        }
        let wrong =
            || Invalid::text("otlp.endpoint", "the collector's endpoint cannot be used; give `http://host:4318`");
        let sender = Sender::new(lost).ok_or_else(wrong)?;
        let at =
            |signal: &str| config.endpoint.as_ref().map(|base| format!("{}/v1/{signal}", base.trim_end_matches('/')));
        let spans = match config.traces {
            false => None,
            true => {
                let exporter = SpanExporter::builder().with_http().with_http_client(sender.clone());
                let exporter = exporter.with_protocol(Protocol::HttpBinary);
                let exporter = match at("traces") {
                    Some(endpoint) => exporter.with_endpoint(endpoint),
                    None => exporter,
                };
                let provider = SdkTracerProvider::builder()
                    .with_batch_exporter(exporter.build().map_err(|_| wrong())?)
                    .with_resource(resource());
                // What is not set here is left to the standard variables.
                let provider = match config.sample {
                    1.0 => provider,
                    share => provider.with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(share)))),
                };
                let provider = provider.build();
                let tracer = provider.tracer(NAME);
                Some((provider, tracer))
            }
        };
        let meters = match config.metrics {
            false => None,
            true => {
                let exporter = MetricExporter::builder().with_http().with_http_client(sender);
                let exporter = exporter.with_protocol(Protocol::HttpBinary);
                let exporter = match at("metrics") {
                    Some(endpoint) => exporter.with_endpoint(endpoint),
                    None => exporter,
                };
                let reader = PeriodicReader::builder(exporter.build().map_err(|_| wrong())?)
                    .with_interval(Duration::from_secs(config.metrics_seconds))
                    .build();
                Some(SdkMeterProvider::builder().with_reader(reader).with_resource(resource()).build())
            }
        };
        let figures = meters.as_ref().map(|meters| Figures::new(&meters.meter(NAME)));
        Ok(Some(Arc::new(Self { spans, meters, figures })))
    }

    /// A request has come with these headers.
    #[must_use]
    pub fn open(self: &Arc<Self>, headers: &HeaderMap) -> Traced {
        Traced::open(self, headers)
    }

    /// Reports sizes that go up and down, whenever figures are.
    pub fn observe(&self, levels: impl Fn() -> Levels + Send + Sync + 'static) {
        if let Some(meters) = &self.meters {
            figures::observe(&meters.meter(NAME), levels);
        }
    }

    /// Sends what is still here, and nothing more from then on. Waits for the network, but not for long.
    pub fn finish(&self) {
        // What cannot be sent now was lost and counted by the sender.
        if let Some((spans, _)) = &self.spans {
            let _ = spans.shutdown_with_timeout(FAREWELL);
        }
        if let Some(meters) = &self.meters {
            let _ = meters.shutdown_with_timeout(FAREWELL);
        }
    }

    fn tracer(&self) -> Option<&SdkTracer> {
        self.spans.as_ref().map(|(_, tracer)| tracer)
    }
}

/// Who sends it; `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` come before what is said here.
fn resource() -> Resource {
    let named = std::env::var("OTEL_SERVICE_NAME").is_ok_and(|name| !name.is_empty())
        || std::env::var("OTEL_RESOURCE_ATTRIBUTES").is_ok_and(|list| list.contains("service.name="));
    let builder = Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    if named { builder.build() } else { builder.with_service_name(NAME).build() }
}

const NAME: &str = "headroom";

/// The standard variables of which one says where a collector is.
const ENDPOINTS: [&str; 3] =
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"];

/// How long the last report may take.
const FAREWELL: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    fn on(endpoint: Option<&str>, variables: &'static [(&'static str, &'static str)]) -> bool {
        let config = Config { endpoint: endpoint.map(str::to_owned), ..Config::default() };
        let of = |name: &str| variables.iter().find(|(of, _)| *of == name).map(|(_, value)| (*value).to_owned());
        config.is_on(&of)
    }

    #[test]
    fn nothing_is_sent_unless_somebody_says_where() {
        const ENDPOINT: &[(&str, &str)] = &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318")];
        assert!(!on(None, &[]) && !on(None, &[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]));
        assert!(on(None, ENDPOINT) && on(Some("http://c:4318"), &[]));
        assert!(!on(Some("off"), ENDPOINT));
        assert!(!on(Some("http://c:4318"), &[("OTEL_SDK_DISABLED", "true")]));
    }

    #[test]
    fn an_endpoint_is_checked_and_never_shown() {
        for endpoint in ["c:4318", "ftp://c", "http://user:pass@c:4318", "http://", "http://c/?key=x"] {
            let config = Config { endpoint: Some(endpoint.into()), ..Config::default() };
            let error = config.check().unwrap_err();
            assert_eq!((error.key, error.value.as_str()), ("otlp.endpoint", crate::redact::HIDDEN), "{endpoint}");
        }
        for endpoint in ["http://127.0.0.1:4318", "https://otlp.example.org/otlp", "off"] {
            assert!(Config { endpoint: Some(endpoint.into()), ..Config::default() }.check().is_ok(), "{endpoint}");
        }
        assert!(Config { sample: 1.5, ..Config::default() }.check().is_err());
    }
}
