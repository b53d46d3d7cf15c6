//! How reports reach the collector. The SDK asks from threads of its own, which have no runtime: each report is sent by a
//! task of ours, and its asker waits for the end of that.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::{Request, Response};
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use prometheus_client::metrics::counter::Counter;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::runtime::Handle;

/// Sends reports, counts those that are lost, and says so once.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    client: reqwest::Client,
    runtime: Handle,
    lost: Counter,
    down: Arc<AtomicBool>,
}

impl Sender {
    /// A sender on the runtime of now; `None` without a runtime, or where TLS cannot be used.
    pub(super) fn new(lost: Counter) -> Option<Self> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .tls_backend_preconfigured(tls()?)
            .build()
            .ok()?;
        Some(Self { client, runtime: Handle::try_current().ok()?, lost, down: Arc::default() })
    }

    /// Says once that the collector cannot be reached, and once that it can again. Nothing of the report is in it.
    fn note(&self, failed: Option<&str>) {
        let down = failed.is_some();
        if down {
            self.lost.inc();
        }
        match (self.down.swap(down, Ordering::Relaxed), failed) {
            (false, Some(why)) => {
                let counted = "headroom_otlp_lost_reports_total";
                tracing::warn!(why, counted, "the OTLP collector takes no report; requests are not concerned");
            }
            (true, None) => tracing::info!("the OTLP collector takes reports again"),
            _ => {}
        }
    }
}

#[async_trait::async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sent = self.runtime.spawn(send(self.client.clone(), request)).await;
        let answer = sent.map_err(HttpError::from).and_then(|answer| answer);
        match &answer {
            Ok(response) if response.status().is_success() => self.note(None),
            Ok(response) => self.note(Some(response.status().as_str())),
            Err(_) => self.note(Some("it cannot be reached")),
        }
        answer
    }
}

async fn send(client: reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let (parts, body) = request.into_parts();
    let request = client.request(parts.method, parts.uri.to_string()).headers(parts.headers).body(body);
    let response = request.send().await.map_err(reqwest::Error::without_url)?;
    let mut answer = Response::builder().status(response.status());
    if let Some(headers) = answer.headers_mut() {
        headers.clone_from(response.headers());
    }
    // What a collector says of a report that it took in part is short.
    let length = response.content_length().unwrap_or(0);
    let body = if length > LONGEST { Bytes::new() } else { response.bytes().await? };
    Ok(answer.body(body)?)
}

fn tls() -> Option<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().ok()?;
    Some(builder.with_root_certificates(roots).with_no_client_auth())
}

/// How long one report may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of a collector's answer that are read.
const LONGEST: u64 = 1 << 20;
