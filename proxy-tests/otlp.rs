//! What a collector is sent: the trace of each request and its figures, and nothing that a request says.

use headroom::telemetry::otlp;
use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{KeyValue, any_value::Value},
    metrics::v1::metric::Data,
    trace::v1::{Span, span::SpanKind},
};
use prost::Message as _;
use serde_json::json;
use tokio::{net::TcpListener, sync::mpsc, task::spawn_blocking};

use crate::support::{Conn, Message, Rig, long_text, ok, post, soon};

/// A collector that takes everything.
struct Collector {
    endpoint: String,
    reports: mpsc::UnboundedReceiver<(String, Vec<u8>)>,
}

impl Collector {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (send, reports) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let send = send.clone();
                tokio::spawn(async move {
                    let mut client = Conn(stream);
                    // The exporter keeps its connection for the next report.
                    loop {
                        let report = client.message().await;
                        let path = report.head.split(' ').nth(1).unwrap().to_owned();
                        assert_eq!(report.header("content-type"), Some("application/x-protobuf"));
                        let _ = send.send((path, report.body));
                        client.write(ok("")).await;
                    }
                });
            }
        });
        Self { endpoint, reports }
    }

    fn config(&self) -> otlp::Config {
        otlp::Config { endpoint: Some(self.endpoint.clone()), ..otlp::Config::default() }
    }

    /// What has come once the rig has sent everything.
    async fn reports(mut self, rig: &Rig) -> Vec<(String, Vec<u8>)> {
        let otlp = rig.otlp.clone().unwrap();
        soon(spawn_blocking(move || otlp.finish())).await.unwrap();
        let mut reports = Vec::new();
        while let Ok(report) = self.reports.try_recv() {
            reports.push(report);
        }
        reports
    }
}

fn spans(reports: &[(String, Vec<u8>)]) -> Vec<Span> {
    let of = reports.iter().filter(|(path, _)| path == "/v1/traces");
    let requests = of.map(|(_, body)| ExportTraceServiceRequest::decode(body.as_slice()).unwrap());
    let scopes = requests.flat_map(|request| request.resource_spans).flat_map(|resource| resource.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

fn said(attributes: &[KeyValue], name: &str) -> Option<String> {
    let value = attributes.iter().find(|pair| pair.key == name)?.value.clone()?.value?;
    Some(match value {
        Value::StringValue(text) => text,
        Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sends a long chat through; what the upstream got, and what the client did.
async fn chat(rig: &Rig, lines: &str) -> (Message, Message) {
    let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": long_text()}]}).to_string();
    let request = post("/v1/chat/completions?secret=query", &body).replace(
        "Host: h\r\n",
        &format!("Host: h\r\nAuthorization: Bearer sk-secret\r\nX-Headroom-Ratio: 4\r\n{lines}"),
    );
    let usage =
        r#"{"usage": {"prompt_tokens": 500, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 40}}}"#;
    let answer =
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{usage}", usage.len());
    rig.exchange(request.as_bytes(), answer.as_bytes()).await
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

async fn rig(collector: &Collector) -> Rig {
    let config = collector.config();
    Rig::with(|settings| settings.otlp = config).await
}

#[tokio::test]
async fn a_request_joins_the_clients_trace_and_hands_it_on_to_the_provider() {
    let collector = Collector::start().await;
    let rig = rig(&collector).await;
    let (got, answer) = chat(&rig, &format!("traceparent: 00-{TRACE}-{PARENT}-01\r\ntracestate: vendor=1\r\n")).await;
    let onwards: Vec<&str> = got.header("traceparent").unwrap().split('-').collect();
    assert_eq!((onwards[1], onwards[3], got.header("tracestate")), (TRACE, "01", Some("vendor=1")));
    let spans = spans(&collector.reports(&rig).await);
    assert_eq!(spans.len(), 2, "{spans:#?}");
    let of = |kind: SpanKind| spans.iter().find(|span| span.kind == kind as i32).unwrap();
    let (server, client) = (of(SpanKind::Server), of(SpanKind::Client));
    assert_eq!((hex(&server.trace_id), hex(&server.parent_span_id)), (TRACE.to_owned(), PARENT.to_owned()));
    assert_eq!((hex(&client.trace_id), &client.parent_span_id), (TRACE.to_owned(), &server.span_id));
    assert_eq!(hex(&client.span_id), onwards[2]);
    assert_eq!((server.name.as_str(), client.name.as_str()), ("POST chat_completions", "chat gpt-4o"));
    for (name, value) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.request.model", "gpt-4o"),
        ("gen_ai.usage.input_tokens", "500"),
        ("gen_ai.usage.output_tokens", "7"),
        ("gen_ai.usage.cache_read.input_tokens", "40"),
        ("http.response.status_code", "200"),
    ] {
        assert_eq!(said(&client.attributes, name).as_deref(), Some(value), "{name}");
    }
    for (name, header) in [
        ("headroom.request_id", "x-headroom-request-id"),
        ("headroom.tokens.before", "x-headroom-tokens-before"),
        ("headroom.tokens.after", "x-headroom-tokens-after"),
    ] {
        assert_eq!(said(&server.attributes, name).as_deref(), answer.header(header), "{name}");
    }
    assert_eq!(said(&server.attributes, "headroom.outcome").as_deref(), Some("compressed"));
    assert!(
        server.start_time_unix_nano <= client.start_time_unix_nano
            && client.end_time_unix_nano <= server.end_time_unix_nano
    );
}

#[tokio::test]
async fn no_text_key_or_query_is_in_any_report() {
    let collector = Collector::start().await;
    let rig = rig(&collector).await;
    chat(&rig, "").await;
    chat(&rig, "x-user: private-header\r\nX-Headroom-Mode: off\r\n").await;
    let reports = collector.reports(&rig).await;
    assert!(reports.iter().any(|(path, _)| path == "/v1/metrics") && spans(&reports).len() == 4);
    for (path, body) in &reports {
        let text = String::from_utf8_lossy(body);
        for secret in ["committee", "harbour", "sk-secret", "secret=query", "private-header"] {
            assert!(!text.contains(secret), "{secret} in {path}");
        }
    }
}

#[tokio::test]
async fn what_the_client_does_not_trace_is_not_traced_and_still_counted() {
    let collector = Collector::start().await;
    let rig = rig(&collector).await;
    let (got, _) = chat(&rig, &format!("traceparent: 00-{TRACE}-{PARENT}-00\r\n")).await;
    assert!(got.header("traceparent").unwrap().ends_with("-00"));
    let reports = collector.reports(&rig).await;
    assert!(spans(&reports).is_empty());
    let metrics = reports.iter().filter(|(path, _)| path == "/v1/metrics");
    let metrics: Vec<_> = metrics
        .flat_map(|(_, body)| ExportMetricsServiceRequest::decode(body.as_slice()).unwrap().resource_metrics)
        .flat_map(|resource| resource.scope_metrics)
        .flat_map(|scope| scope.metrics)
        .collect();
    let of = |name: &str| metrics.iter().find(|metric| metric.name == name).unwrap_or_else(|| panic!("no {name}"));
    let Some(Data::Histogram(usage)) = &of("gen_ai.client.token.usage").data else { panic!("no histogram") };
    let input =
        usage.data_points.iter().find(|point| said(&point.attributes, "gen_ai.token.type").as_deref() == Some("input"));
    assert_eq!(input.unwrap().sum, Some(500.0));
    assert_eq!(
        (of("http.server.request.duration").unit.as_str(), of("headroom.cache.size").unit.as_str()),
        ("s", "By")
    );
    for name in ["gen_ai.client.operation.duration", "headroom.tokens.before", "headroom.ready", "headroom.overhead"] {
        of(name);
    }
}

#[tokio::test]
async fn pages_of_our_own_leave_no_trace_and_signed_headers_stay() {
    let collector = Collector::start().await;
    let rig = rig(&collector).await;
    let mut client = rig.client().await;
    client.write("GET /headroom/health HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(client.message().await.status(), 200);
    let parent = format!("00-{TRACE}-{PARENT}-01");
    let request = format!(
        "GET /model/list HTTP/1.1\r\nHost: h\r\nAuthorization: AWS4-HMAC-SHA256 Credential=x\r\ntraceparent: {parent}\r\n\r\n"
    );
    let (got, _) = rig.exchange(request.as_bytes(), ok("").as_bytes()).await;
    assert_eq!(got.header("traceparent"), Some(parent.as_str()));
    let spans = spans(&collector.reports(&rig).await);
    assert!(spans.len() == 2 && spans.iter().all(|span| hex(&span.trace_id) == TRACE));
}

#[tokio::test]
async fn a_collector_that_is_not_there_touches_no_request_and_is_counted() {
    // A port on which nobody listens any more.
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let rig = Rig::with(|settings| settings.otlp.endpoint = Some(endpoint)).await;
    let (_, answer) = chat(&rig, "").await;
    assert_eq!((answer.status(), answer.header("x-headroom-outcome")), (200, Some("compressed")));
    let otlp = rig.otlp.clone().unwrap();
    soon(spawn_blocking(move || otlp.finish())).await.unwrap();
    let (_, answer) = chat(&rig, "").await;
    assert_eq!(answer.status(), 200);
    let mut client = rig.client().await;
    client.write("GET /headroom/metrics HTTP/1.1\r\nHost: h\r\n\r\n").await;
    let figures = client.message().await;
    let lost = figures.text().lines().find_map(|line| line.strip_prefix("headroom_otlp_lost_reports_total "));
    assert!(lost.unwrap().parse::<u64>().unwrap() >= 1);
}

#[tokio::test]
async fn without_a_collector_a_traceparent_goes_on_as_it_came() {
    let rig = Rig::start().await;
    let parent = format!("00-{TRACE}-{PARENT}-01");
    let (got, _) = chat(&rig, &format!("traceparent: {parent}\r\n")).await;
    assert_eq!(got.header("traceparent"), Some(parent.as_str()));
}
