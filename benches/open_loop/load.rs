//! Sends requests when their time has come, and looks at the answers.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tokio::runtime::Handle;

use super::{bodies::Request, dice::Dice, upstream};

/// What a right answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// All at once.
    Whole,
    /// So many events.
    Events(usize),
    /// None: the client goes after this time.
    Leaves(Duration),
}

/// What became of one request.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// Seconds into the load at which it was meant to leave.
    pub(crate) at: f64,
    /// Which of the kinds it is.
    pub(crate) kind: usize,
    /// How much later than that it left: the driver's own fault.
    pub(crate) lag: Duration,
    /// From when it was meant to leave to the answer's head, and to its last byte.
    pub(crate) first: Duration,
    pub(crate) last: Duration,
    /// What is wrong with the answer.
    pub(crate) fault: Option<String>,
    /// What the proxy says of it.
    pub(crate) outcome: String,
}

/// Kinds of requests, and how many a second of each.
pub(crate) type Mix<'a> = Vec<(f64, Make<'a>)>;

/// Makes the next request of a kind.
pub(crate) type Make<'a> = Box<dyn FnMut(&mut Dice) -> Request + Send + 'a>;

/// One who sends, with connections that stay open.
#[derive(Debug, Clone)]
pub(crate) struct Driver {
    client: Client<HttpConnector, Full<Bytes>>,
    numbers: Arc<AtomicU64>,
    runtime: Handle,
}

/// What comes back while a load goes on.
pub(crate) type Answers = Arc<Mutex<Vec<Sent>>>;

impl Driver {
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            // Before whoever answers closes them, so that nothing is sent into a closing connection.
            .pool_idle_timeout(Duration::from_secs(3))
            // A request that is sent again would hide one that was lost.
            .retry_canceled_requests(false)
            .build(connector);
        Self { client, numbers: Arc::default(), runtime: Handle::current() }
    }

    /// Sends one request and waits for its answer.
    pub(crate) fn once(&self, to: SocketAddr, request: Request) -> Sent {
        let number = self.numbers.fetch_add(1, Relaxed);
        self.runtime.block_on(send(self.client.clone(), to, request, number, (0.0, 0), Instant::now()))
    }

    /// Sends a mix for some seconds, on this thread, and waits until all is answered. The seeds are of the times and of
    /// what is sent; `goes_on` is asked each time.
    pub(crate) fn run(
        &self,
        to: SocketAddr,
        mix: &mut Mix<'_>,
        seconds: f64,
        (times, texts): (u64, u64),
        answers: &Answers,
        goes_on: impl Fn() -> bool,
    ) {
        let (mut dice, mut texts) = (Dice::new(times), Dice::new(texts));
        let rate: f64 = mix.iter().map(|(rate, _)| rate).sum();
        let began = Instant::now();
        let mut at = 0.0;
        let mut running = Vec::new();
        loop {
            at += dice.gap(rate);
            if at >= seconds || !goes_on() {
                break;
            }
            let kind = pick(mix, rate, &mut dice);
            let request = mix[kind].1(&mut texts);
            let meant = began + Duration::from_secs_f64(at);
            // The runtime's timers go by milliseconds; the thread's by some 50 µs.
            thread::sleep(meant.saturating_duration_since(Instant::now()));
            let number = self.numbers.fetch_add(1, Relaxed);
            let (client, answers) = (self.client.clone(), Arc::clone(answers));
            running.push(self.runtime.spawn(async move {
                let sent = send(client, to, request, number, (at, kind), meant).await;
                answers.lock().unwrap().push(sent);
            }));
            if running.len() > 4096 {
                running.retain(|task| !task.is_finished());
            }
        }
        self.runtime.block_on(async {
            for task in running {
                let _ = task.await;
            }
        });
    }
}

fn pick(mix: &Mix<'_>, rate: f64, dice: &mut Dice) -> usize {
    let mut left = dice.share() * rate;
    for (kind, (rate, _)) in mix.iter().enumerate() {
        left -= rate;
        if left <= 0.0 {
            return kind;
        }
    }
    mix.len() - 1
}

async fn send(
    client: Client<HttpConnector, Full<Bytes>>,
    to: SocketAddr,
    request: Request,
    number: u64,
    (at, kind): (f64, usize),
    meant: Instant,
) -> Sent {
    let lag = meant.elapsed();
    let expected = request.expected;
    let (mut first, mut outcome) = (Duration::ZERO, String::new());
    let exchange = exchange(&client, to, request, number, |head| {
        first = meant.elapsed();
        outcome =
            head.get("x-headroom-outcome").map(|told| told.to_str().unwrap_or_default().to_owned()).unwrap_or_default();
    });
    let limit = match expected {
        Expected::Leaves(after) => after,
        _ => LONGEST,
    };
    let fault = match tokio::time::timeout(limit, exchange).await {
        Ok(Ok(())) => None,
        Ok(Err(fault)) => Some(fault),
        Err(_) if matches!(expected, Expected::Leaves(_)) => None,
        Err(_) => Some("no answer".to_owned()),
    };
    Sent { at, kind, lag, first, last: meant.elapsed(), fault, outcome }
}

/// Past this an answer is lost.
const LONGEST: Duration = Duration::from_secs(60);

async fn exchange(
    client: &Client<HttpConnector, Full<Bytes>>,
    to: SocketAddr,
    request: Request,
    number: u64,
    begun: impl FnOnce(&http::HeaderMap),
) -> Result<(), String> {
    let expected = request.expected;
    let mut sent = http::Request::post(format!("http://{to}{}", request.path)).header("x-load-number", number);
    sent = sent.header("x-load-way", to.port());
    for (name, value) in &request.headers {
        sent = sent.header(*name, value);
    }
    let answer = client.request(sent.body(Full::new(request.body)).unwrap()).await.map_err(|error| causes(&error))?;
    let status = answer.status().as_u16();
    begun(answer.headers());
    let body = answer.into_body().collect().await.map_err(|error| causes(&error))?.to_bytes();
    match (expected, status) {
        (Expected::Whole, 200) if body == upstream::whole(number).as_bytes() => Ok(()),
        (Expected::Events(events), 200) => {
            let right: String = (0..events as u64).map(|at| upstream::event(number, at)).collect();
            if body == right.as_bytes() { Ok(()) } else { Err("another answer".to_owned()) }
        }
        (Expected::Leaves(_), 200) => Ok(()),
        (_, 200) => Err("another answer".to_owned()),
        (_, status) => Err(format!("status {status}")),
    }
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    told
}

/// How often each fault happened.
pub(crate) fn faults<'a>(sent: impl IntoIterator<Item = &'a Sent>) -> BTreeMap<String, usize> {
    let mut faults = BTreeMap::new();
    for fault in sent.into_iter().filter_map(|sent| sent.fault.clone()) {
        *faults.entry(fault).or_default() += 1;
    }
    faults
}

/// The value that so large a share of values doesn't pass; 0 where there are none.
pub(crate) fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().unwrap_or_default()
}

/// In milliseconds, sorted.
pub(crate) fn millis(times: impl Iterator<Item = Duration>) -> Vec<f64> {
    let mut millis: Vec<f64> = times.map(|time| time.as_secs_f64() * 1000.0).collect();
    millis.sort_by(f64::total_cmp);
    millis
}
