//! Whether the upstream can be reached, through the proxy. Nobody is charged for a list of models, and without a key a
//! refusal is an answer too.

use std::{net::SocketAddr, time::Duration};

use headroom::{config::Loaded, proxy::upstream::Config, redact};
use serde_json::Value;

use super::{
    super::{
        Failure,
        exchange::{Answer, Request},
        wrap::{Started, free},
    },
    finding::Finding,
};

/// Through the proxy that runs, or through one that is started for it, without a model.
pub(super) fn findings(loaded: &mut Loaded, running: Option<SocketAddr>) -> Result<Vec<Finding>, Failure> {
    if let Some(address) = running {
        return Ok(ask(&loaded.config.upstream, &address));
    }
    let configured = loaded.config.clone();
    loaded.config.model.enabled = false;
    loaded.config.engine.decisions_file = "off".into();
    loaded.config.ledger.file = "off".into();
    // A server that only a file in this folder names is sent nothing.
    loaded.config.upstream.api_key_env = None;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let upstream = configured.upstream.clone();
    let asked = runtime.block_on(async {
        let started = Started::new(loaded, free()).await?;
        let address = started.address();
        let asked = tokio::task::spawn_blocking(move || ask(&upstream, &address)).await;
        started.stop().await?;
        Ok(asked?)
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    loaded.config = configured;
    asked
}

fn ask(config: &Config, proxy: &SocketAddr) -> Vec<Finding> {
    let mut findings = vec![asked("upstream", &config.url, proxy, &[])];
    if let Some(url) = config.anthropic() {
        findings.push(asked("anthropic", url, proxy, &[("anthropic-version", "2023-06-01")]));
    }
    findings
}

fn asked(topic: &'static str, url: &str, proxy: &SocketAddr, headers: &[(&str, &str)]) -> Finding {
    let shown = redact::setting(url);
    let request = Request { path: "/v1/models", headers, body: None, patience: PATIENCE };
    match request.send(proxy) {
        Ok(answer) => told(topic, &shown, &answer),
        Err(error) => {
            let remedy = "it is silent or slow: look whether it runs, and whether a firewall lets this machine through";
            Finding::problem(topic, format!("{shown} has not answered: {error}"), remedy)
        }
    }
}

fn told(topic: &'static str, shown: &str, answer: &Answer) -> Finding {
    if let Some(code) = answer.header("x-headroom-error") {
        let page: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let message = page.pointer("/error/message").and_then(Value::as_str).unwrap_or(code);
        let message = message.strip_prefix("headroom: ").unwrap_or(message);
        let remedy = "correct `upstream.url` (`headroom config show`); the proxy connects directly, so the machine needs a \
                      way there that is no HTTPS_PROXY, and `upstream.ca_file` for certificates of your own";
        return Finding::problem(topic, format!("{shown} cannot be reached: {message}"), remedy);
    }
    match answer.status {
        401 | 403 => Finding::ok(topic, format!("{shown} is reachable (it wants a key, and none was sent)")),
        200..=299 => Finding::ok(topic, format!("{shown} is reachable")),
        404 | 405 => {
            let remedy =
                "nothing, if it lists no models; otherwise see whether the base path of `upstream.url` is right";
            Finding::note(topic, format!("{shown} is reachable, but has no /v1/models"), remedy)
        }
        status => {
            let remedy = "the answer is its own; see whether `upstream.url` names the server that is meant";
            Finding::note(topic, format!("{shown} is reachable, and answers {status}"), remedy)
        }
    }
}

/// Past the time that the proxy takes to give a connection up.
const PATIENCE: Duration = Duration::from_secs(20);
