//! The spans of one request, and what is said of it at its end.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, Method};
use opentelemetry::{
    Context, KeyValue,
    propagation::TextMapPropagator as _,
    trace::{Span as _, SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer as _},
};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::{propagation::TraceContextPropagator, trace::Span};

use super::Otlp;

/// What is said of a request at its end.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Its id, as in `x-headroom-request-id`.
    pub id: &'a str,
    /// Its method.
    pub method: &'a Method,
    /// Its path, without a query.
    pub path: &'a str,
    /// The way it took: a surface, `passthrough` or `handed`.
    pub route: &'static str,
    /// What was done with it, and why nothing was.
    pub outcome: &'static str,
    /// Empty where something was.
    pub reason: &'static str,
    /// What the provider was asked, where that is known.
    pub operation: Option<Operation>,
    /// The model that was asked for, in the client's words.
    pub model: Option<&'a str>,
    /// The server's name in the configuration.
    pub upstream: Option<&'a str>,
    /// The status that the client saw.
    pub status: Option<u16>,
    /// How it failed, where it did.
    pub error: Option<&'static str>,
    /// Tokens of the texts considered, as they came and as they went on.
    pub tokens: Option<(usize, usize)>,
    /// Tokens as the provider reports them.
    pub usage: Option<Usage>,
    /// Time that was added before it went on.
    pub overhead: Option<Duration>,
    /// From its first byte to the last of its answer.
    pub took: Duration,
    /// From when it went on to the last byte of its answer.
    pub since_sent: Option<Duration>,
}

/// What the provider was asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A chat, in the words of OpenAI's APIs.
    OpenAi,
    /// A chat, in the words of Anthropic's.
    Anthropic,
}

impl Operation {
    /// The attributes that name it.
    pub(super) fn named(self) -> Vec<KeyValue> {
        let provider = match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
        };
        vec![KeyValue::new("gen_ai.operation.name", CHAT), KeyValue::new("gen_ai.provider.name", provider)]
    }
}

/// Tokens as the provider reports them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Of the prompt, cached ones included.
    pub input: u64,
    /// Of these, read from the provider's cache.
    pub cached: u64,
    /// Of the answer.
    pub output: u64,
}

impl Facts<'_> {
    /// The method, if it is one that everybody knows: others are a client's words.
    pub(in crate::telemetry) fn method(&self) -> String {
        let known =
            [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS, Method::PATCH];
        if known.contains(self.method) { self.method.to_string() } else { "_OTHER".to_owned() }
    }

    /// The model's name, if it looks like one.
    pub(in crate::telemetry) fn model(&self) -> Option<String> {
        let plain = |model: &&str| model.len() <= LONGEST && model.bytes().all(|byte| byte.is_ascii_graphic());
        self.model.filter(plain).map(str::to_owned)
    }
}

/// A request under way.
#[derive(Debug)]
pub struct Traced {
    otlp: Arc<Otlp>,
    server: Option<Span>,
    client: Option<Span>,
}

impl Traced {
    pub(super) fn open(otlp: &Arc<Otlp>, headers: &HeaderMap) -> Self {
        let parent = || TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(headers));
        let begin = |tracer: &opentelemetry_sdk::trace::SdkTracer| {
            tracer.build_with_context(SpanBuilder::from_name("request").with_kind(SpanKind::Server), &parent())
        };
        Self { otlp: Arc::clone(otlp), server: otlp.tracer().map(begin), client: None }
    }

    /// The request goes on with these headers: what is asked of the provider becomes a part of the same trace. Headers that
    /// the client may have signed stay as they are.
    pub fn forwarded(&mut self, headers: &mut HeaderMap, signed: bool) {
        let (Some(tracer), Some(server)) = (self.otlp.tracer(), &self.server) else { return };
        let parent = Context::new().with_remote_span_context(server.span_context().clone());
        let client = tracer.build_with_context(SpanBuilder::from_name(CHAT).with_kind(SpanKind::Client), &parent);
        if !signed {
            let here = Context::new().with_remote_span_context(client.span_context().clone());
            TraceContextPropagator::new().inject_context(&here, &mut HeaderInjector(headers));
        }
        self.client = Some(client);
    }

    /// The request has ended.
    pub fn end(self, facts: &Facts<'_>) {
        if let Some(figures) = &self.otlp.figures {
            figures.add(facts);
        }
        if let Some(mut client) = self.client {
            client.update_name(match (facts.operation, facts.model()) {
                (Some(_), Some(model)) => format!("{CHAT} {model}"),
                (Some(_), None) => CHAT.to_owned(),
                (None, _) => facts.method(),
            });
            client.set_attributes(asked(facts));
            finish(client, facts);
        }
        if let Some(mut server) = self.server {
            server.update_name(format!("{} {}", facts.method(), facts.route));
            server.set_attributes(served(facts));
            finish(server, facts);
        }
    }
}

/// A failure of the provider's and one of the proxy's own; what a client did wrong is no error of a server's.
fn finish(mut span: Span, facts: &Facts<'_>) {
    span.set_attributes(facts.error.map(|error| KeyValue::new("error.type", error)));
    if facts.error.is_some() || facts.status.is_some_and(|status| status >= 500) {
        span.set_status(Status::error(""));
    }
    span.end();
}

fn served(facts: &Facts<'_>) -> Vec<KeyValue> {
    let mut about = vec![
        KeyValue::new("http.request.method", facts.method()),
        KeyValue::new("url.path", facts.path.to_owned()),
        KeyValue::new("headroom.request_id", facts.id.to_owned()),
        KeyValue::new("headroom.route", facts.route),
        KeyValue::new("headroom.outcome", facts.outcome),
    ];
    about.extend(facts.status.map(|status| KeyValue::new("http.response.status_code", i64::from(status))));
    about.extend((!facts.reason.is_empty()).then(|| KeyValue::new("headroom.reason", facts.reason)));
    about.extend(facts.overhead.map(|overhead| KeyValue::new("headroom.overhead", overhead.as_secs_f64())));
    if let Some((before, after)) = facts.tokens {
        about.extend(
            [("headroom.tokens.before", before), ("headroom.tokens.after", after)]
                .map(|(name, tokens)| KeyValue::new(name, count(tokens as u64))),
        );
    }
    about
}

fn asked(facts: &Facts<'_>) -> Vec<KeyValue> {
    let mut about = vec![KeyValue::new("http.request.method", facts.method())];
    about.extend(facts.status.map(|status| KeyValue::new("http.response.status_code", i64::from(status))));
    about.extend(facts.upstream.map(|name| KeyValue::new("headroom.upstream", name.to_owned())));
    let Some(operation) = facts.operation else { return about };
    about.extend(operation.named());
    about.extend(facts.model().map(|model| KeyValue::new("gen_ai.request.model", model)));
    if let Some(usage) = facts.usage {
        about.extend(
            [
                ("gen_ai.usage.input_tokens", usage.input),
                ("gen_ai.usage.output_tokens", usage.output),
                ("gen_ai.usage.cache_read.input_tokens", usage.cached),
            ]
            .map(|(name, tokens)| KeyValue::new(name, count(tokens))),
        );
    }
    about
}

fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

const CHAT: &str = "chat";

/// Bytes of a model's name at most.
const LONGEST: usize = 100;
