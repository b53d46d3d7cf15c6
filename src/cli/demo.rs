//! `headroom demo`: the whole way on one page, without a key: a client, the real proxy, and an upstream that only
//! records what it is sent.

mod upstream;

use std::{
    collections::HashSet,
    io::{self, Write as _},
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use clap::Args;
use headroom::{
    compress::{CountTokens as _, Encoding},
    config::{Config, Flag},
    engine::{self, Engine, Readiness},
    proxy::{Current, Proxy, Upstreams},
    server,
    telemetry::Metrics,
};
use http::{HeaderMap, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot};

use super::{
    Failure, account,
    serve::backend,
    settings::{Settings, in_words},
};
use upstream::Recorder;

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Arguments {
    /// The question that is asked about the document
    #[arg(long, value_name = "TEXT", default_value = QUESTION)]
    question: String,
    /// Prints all that the provider would have received, not only its beginning
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    settings: Settings,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    // A flag of one's own comes later and wins.
    let ratio = Flag { name: "--ratio", key: "compress.ratio", value: RATIO.into() };
    let config = arguments.settings.load(vec![ratio])?.config;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let shown = runtime.block_on(demo(arguments, config));
    runtime.shutdown_timeout(Duration::from_secs(1));
    shown
}

async fn demo(arguments: &Arguments, mut config: Config) -> Result<(), Failure> {
    let recorder = Recorder::start().await?;
    config.upstream.url = format!("http://{}", recorder.address());
    config.upstream.anthropic_url = None;
    config.upstream.api_key_env = None;
    // A first look must not depend on how fast this machine is.
    config.engine = engine::Config { time_budget_ms: 0, ..config.engine };
    let (backend, told) = backend(config.model.clone());
    let engine = Engine::start(&config.engine, None, backend).map_err(Failure::setup)?;
    if let Readiness::Failed(reason) = engine.loaded().await {
        return Err(Failure::setup(anyhow!("{reason}")));
    }
    let model = told.try_recv().map_or_else(|_| "none; selection alone condenses".to_owned(), |info| in_words(&info));
    let upstreams = Upstreams::new(&config.upstream).map_err(Failure::setup)?;
    let policy = config.compress.policy();
    let proxy = Proxy::new(config.proxy.clone(), policy, upstreams, engine, Arc::new(Metrics::default()));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("cannot listen on this machine")?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = config.server.clone();
    let served = tokio::spawn(async move {
        let shutdown = async {
            let _ = stopped.await;
        };
        server::run(listener, &server, Arc::new(Current::new(proxy)), shutdown).await
    });

    let exchange = Exchange::ask(&arguments.question, address, &recorder).await?;
    print(arguments, &config, &model, &exchange)?;
    drop(stop);
    served.await?.context("the proxy stopped")?;
    Ok(())
}

/// The same question through the proxy twice.
struct Exchange {
    headers: HeaderMap,
    again: HeaderMap,
    /// The content of the message as the upstream received it.
    received: String,
    first: Duration,
    second: Duration,
}

impl Exchange {
    async fn ask(question: &str, proxy: SocketAddr, recorder: &Recorder) -> Result<Self, Failure> {
        let body = json!({
            "model": "gpt-4o-mini",
            "messages": [{"role": "user", "content": sent(question)}],
        });
        let body = Bytes::from(serde_json::to_vec(&body)?);
        let (headers, first) = send(proxy, body.clone()).await?;
        let (again, second) = send(proxy, body).await?;
        let arrived: Value = serde_json::from_slice(&recorder.last()).context("the upstream received no JSON")?;
        let received = arrived.pointer("/messages/0/content").and_then(Value::as_str);
        let received = received.context("the upstream received another message than was sent")?.to_owned();
        Ok(Self { headers, again, received, first, second })
    }
}

fn sent(question: &str) -> String {
    format!("{}\n\nQuestion: {question}", DOCUMENT.trim_end())
}

async fn send(proxy: SocketAddr, body: Bytes) -> Result<(HeaderMap, Duration), Failure> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let request = Request::post(format!("http://{proxy}/v1/chat/completions"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, "Bearer demo")
        .body(Full::new(body))?;
    let start = Instant::now();
    let response = client.request(request).await.context("the proxy does not answer")?;
    let headers = response.headers().clone();
    if !response.status().is_success() {
        return Err(anyhow!("the proxy answered {}", response.status()).into());
    }
    response.into_body().collect().await.context("the answer broke off")?;
    Ok((headers, start.elapsed()))
}

fn print(arguments: &Arguments, config: &Config, model: &str, exchange: &Exchange) -> io::Result<()> {
    let sent = sent(&arguments.question);
    let (before, after) = (Encoding::O200k.count(&sent), Encoding::O200k.count(&exchange.received));
    let mut out = io::stdout().lock();
    writeln!(out, "headroom demo: client -> proxy -> an upstream that records what it is sent\n")?;
    writeln!(out, "  document   a cloud service agreement, {} words", DOCUMENT.split_whitespace().count())?;
    writeln!(out, "  question   {}", arguments.question)?;
    writeln!(out, "  model      {model}")?;
    writeln!(out, "  ratio      {}", config.compress.ratio)?;
    writeln!(
        out,
        "  tokens     {before} sent, {after} received by the provider ({:.1}:1)",
        account::ratio(before, after)
    )?;
    let (first, second) = (exchange.first.as_millis(), exchange.second.as_millis());
    writeln!(out, "  time       {first} ms for the first request, {second} ms for the same again\n")?;
    writeln!(out, "What the client sent{}:\n", if arguments.full { "" } else { " (its beginning)" })?;
    excerpt(&mut out, &sent, arguments.full)?;
    writeln!(out, "\nWhat the provider received{}:\n", if arguments.full { "" } else { " (its beginning)" })?;
    excerpt(&mut out, &exchange.received, arguments.full)?;
    let question = &arguments.question;
    if let (Some(long), Some(short)) = (nearest(&sent, question), nearest(&exchange.received, question)) {
        writeln!(out, "\nThe paragraph that shares most words with the question, as sent and as received:\n")?;
        writeln!(out, "  < {long}\n  > {short}")?;
    }
    let kept = exchange.received.ends_with(question.trim_end());
    writeln!(out, "\nThe question arrived {}.", if kept { "word for word" } else { "in another form" })?;
    writeln!(out, "\nHeaders that the proxy put on the answer (first request | same again):\n")?;
    for (name, value) in exchange.headers.iter().filter(|(name, _)| name.as_str().starts_with("x-headroom-")) {
        let value = value.to_str().unwrap_or_default();
        let again = exchange.again.get(name).and_then(|again| again.to_str().ok()).unwrap_or_default();
        writeln!(out, "  {name}: {value} | {again}")?;
    }
    Ok(())
}

/// The line that shares most words with the question, apart from the question itself.
fn nearest<'a>(text: &'a str, question: &str) -> Option<&'a str> {
    let words = |text: &str| -> HashSet<String> {
        let words = text.split(|char: char| !char.is_alphanumeric()).filter(|word| word.len() > 3);
        words.map(str::to_lowercase).collect()
    };
    let asked = words(question);
    let lines = text.lines().filter(|line| !line.contains(question));
    let shared = |line: &&str| words(line).intersection(&asked).count();
    lines.max_by_key(|line| (shared(line), std::cmp::Reverse(line.len()))).filter(|line| shared(line) > 0)
}

fn excerpt(out: &mut impl io::Write, text: &str, full: bool) -> io::Result<()> {
    let mut rest = if full { usize::MAX } else { EXCERPT };
    for line in text.lines() {
        let shown: String = line.chars().take(rest).collect();
        rest = rest.saturating_sub(line.chars().count() + 1);
        let cut = if rest == 0 && !full { " …" } else { "" };
        writeln!(out, "  | {shown}{cut}")?;
        if rest == 0 {
            break;
        }
    }
    Ok(())
}

const DOCUMENT: &str = include_str!("../../fixtures/demo/service-agreement.md");
const QUESTION: &str = "Within how many days must the customer request a credit, and through what?";

/// Enough to see something; what the proxy does without being told otherwise is gentler.
const RATIO: &str = "5";

/// Characters of an excerpt.
const EXCERPT: usize = 700;

pub(super) const AFTER: &str = "\
The ratio is 5 unless --ratio says otherwise, and the time budget of the proxy does not apply here.

Examples:
  headroom demo
  headroom demo --ratio 10 --question 'How long is customer data kept after the end?' --full";
