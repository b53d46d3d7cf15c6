//! Whether the upstream can be reached, through the proxy. Nobody is charged for a list of models, and without a key a
//! refusal is an answer too.

use std::time::Duration;

use headroom::{
    config::Loaded,
    proxy::{
        access,
        upstream::{Config, Named},
    },
    redact,
};
use serde_json::Value;

use super::{
    super::{
        Failure,
        endpoint::Endpoint,
        exchange::{Answer, Request},
        wrap::{Started, free},
    },
    finding::Finding,
};

/// Through the proxy that runs, or through one that is started for it, without a model. Those that a model decides on are
/// asked through the latter, where each has a prefix.
///
/// `goes_by` is what the running proxy says of itself: its servers may be others than those that are configured here.
pub(super) fn findings(
    loaded: &mut Loaded,
    running: Option<Endpoint>,
    goes_by: Option<&Value>,
) -> Result<Vec<Finding>, Failure> {
    let servers = Servers::of(&loaded.config.upstream, goes_by.filter(|_| running.is_some()));
    let named: Vec<Named> = loaded.config.upstreams.iter().map(alone).collect();
    if let (Some(proxy), true) = (&running, named.is_empty()) {
        return Ok(servers.ask(proxy));
    }
    let configured = loaded.config.clone();
    loaded.config.model.enabled = false;
    loaded.config.engine.decisions_file = "off".into();
    loaded.config.decisions.server = None;
    loaded.config.ledger.file = "off".into();
    // A server that only a file in this folder names is sent nothing.
    loaded.config.upstream.api_key_env = None;
    loaded.config.access = access::Config::default();
    loaded.config.upstreams.clone_from(&named);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let findings = runtime.block_on(async {
        let started = Started::new(loaded, free()).await?;
        let own = Endpoint::plain(started.address());
        let ask = move || {
            let mut findings = servers.ask(running.as_ref().unwrap_or(&own));
            findings.extend(named.iter().map(|named| {
                let path = format!("{}/v1/models", named.prefix.as_deref().unwrap_or_default());
                asked("upstream", &format!("{} ({})", named.url, named.name), (&own, &path), &[])
            }));
            findings
        };
        let asked = tokio::task::spawn_blocking(ask).await;
        started.stop().await?;
        Ok(asked?)
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    loaded.config = configured;
    findings
}

/// A further upstream, addressed by nothing but a prefix, and without a key.
fn alone(named: &Named) -> Named {
    let prefix = Some(format!("/upstream-{}", named.name));
    Named { prefix, path: None, model: None, api_key_env: None, client_credentials: None, ..named.clone() }
}

/// The servers that `[upstream]` names.
#[derive(Debug)]
struct Servers {
    main: String,
    anthropic: Option<String>,
}

impl Servers {
    fn of(config: &Config, goes_by: Option<&Value>) -> Self {
        let told = goes_by.and_then(|page| page.get("upstreams")?.as_array());
        let told: Vec<&str> = told.into_iter().flatten().filter_map(Value::as_str).collect();
        match told.first() {
            Some(main) => Self {
                main: (*main).to_owned(),
                anthropic: told.iter().find_map(|to| to.strip_suffix(" (Anthropic's API)")).map(str::to_owned),
            },
            None => Self { main: config.url.clone(), anthropic: config.anthropic().map(str::to_owned) },
        }
    }

    fn ask(&self, proxy: &Endpoint) -> Vec<Finding> {
        let mut findings = vec![asked("upstream", &self.main, (proxy, MODELS), &[])];
        if let Some(url) = &self.anthropic {
            findings.push(asked("anthropic", url, (proxy, MODELS), &[("anthropic-version", "2023-06-01")]));
        }
        findings
    }
}

fn asked(topic: &'static str, url: &str, (proxy, path): (&Endpoint, &str), headers: &[(&str, &str)]) -> Finding {
    let shown = redact::setting(url);
    let request = Request { path, headers, body: None, patience: PATIENCE };
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
        // The proxy does not ask it for somebody without a key; that says nothing of the server.
        if matches!(code, "client_key" | "key_not_lent" | "no_key" | "budget_requests" | "budget_tokens") {
            let remedy =
                "none is sent by this command; a request with the key of a client shows whether it is reachable";
            return Finding::note(topic, format!("{shown} was not asked: {message}"), remedy);
        }
        let remedy = "correct `upstream.url` (`headroom config show`); where a company's proxy stands on the way, name it by \
                      HTTPS_PROXY where the proxy is started, and its certificates by `upstream.ca_file`";
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

/// What nobody is charged for.
const MODELS: &str = "/v1/models";

/// Past the time that the proxy takes to give a connection up.
const PATIENCE: Duration = Duration::from_secs(20);
