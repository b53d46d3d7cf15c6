//! The connection to the server, and the breaker in front of it.
//!
//! One connection, over which all requests are pipelined. It is made in the background, and a request never waits for
//! that: it uses a link that is up, or none. A link goes down when the connection breaks, after three round trips in a row
//! that took too long, or when more than one in four does; so a server that hangs costs each request under way one time
//! limit, and later ones nothing.
//! While it is down, a probe asks what a request would ask, with the same time limit, at growing distances; the first
//! that comes back in time puts the link up again.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use redis::{AsyncConnectionConfig, Client, FromRedisValue, Pipeline, RedisError, aio::MultiplexedConnection};
use tokio::{sync::watch, time};

use super::{PeersStats, Place};
use crate::engine::stop::lock;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// The link is down.
    Down,
    /// It took too long.
    Late,
    /// The connection broke, or what came back was none of the protocol.
    Broken,
    /// The server said no: an ACL, no memory, a replica that can't be written.
    Refused,
}

pub(super) struct Link {
    client: Client,
    /// What the probe reads; it is never there.
    probed: String,
    timeout: Duration,
    state: Mutex<State>,
    up: watch::Sender<bool>,
    counts: Counts,
}

#[derive(Default)]
struct State {
    connection: Option<MultiplexedConnection>,
    /// Which connection it is.
    number: u64,
    /// Rises by [`LATE`] with each round trip that took too long, and falls by one with each that didn't.
    late: u32,
}

#[derive(Debug, Default)]
struct Counts {
    answered: AtomicU64,
    nanos: AtomicU64,
    late: AtomicU64,
    broken: AtomicU64,
    refused: AtomicU64,
    skipped: AtomicU64,
}

/// What a round trip weighs that took too long: three answers in time make up for it.
const LATE: u32 = 3;

/// At this weight the link goes down.
const TOO_LATE: u32 = 3 * LATE;

/// To connect, TLS and log-in included; in the background.
const CONNECT: Duration = Duration::from_secs(2);

/// Between probes, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(15));

/// A link that was up for so long begins anew with short pauses when it goes down.
const STEADY: Duration = Duration::from_secs(30);

/// Between two looks at a link that is up.
const IDLE: Duration = Duration::from_secs(10);

/// Round trips under way at most; more than that wait, within their time.
const UNDER_WAY: usize = 256;

impl Link {
    pub(super) fn new(client: Client, prefix: &str, timeout: Duration) -> Self {
        Self {
            client,
            probed: format!("{prefix}:probe"),
            timeout,
            state: Mutex::default(),
            up: watch::Sender::new(false),
            counts: Counts::default(),
        }
    }

    /// What the server answers to these commands, if it does in time.
    pub(super) async fn ask<T: FromRedisValue>(&self, pipeline: &Pipeline) -> Result<T, Missing> {
        let (connection, number) = {
            let state = lock(&self.state);
            (state.connection.clone(), state.number)
        };
        let Some(mut connection) = connection else {
            self.counts.skipped.fetch_add(1, Relaxed);
            return Err(Missing::Down);
        };
        let began = Instant::now();
        let answer = time::timeout(self.timeout, pipeline.query_async(&mut connection)).await;
        let (missing, count) = match answer {
            Ok(Ok(answer)) => {
                self.counts.answered.fetch_add(1, Relaxed);
                self.counts.nanos.fetch_add(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX), Relaxed);
                let mut state = lock(&self.state);
                state.late = state.late.saturating_sub(1);
                return Ok(answer);
            }
            Ok(Err(error)) if is_refusal(&error) => (Missing::Refused, &self.counts.refused),
            Ok(Err(_)) => (Missing::Broken, &self.counts.broken),
            Err(_) => (Missing::Late, &self.counts.late),
        };
        count.fetch_add(1, Relaxed);
        self.note(missing, number);
        Err(missing)
    }

    /// Once the link is up.
    pub(super) async fn up(&self) {
        let _ = self.up.subscribe().wait_for(|up| *up).await;
    }

    /// Connects, and again whenever the link has gone down. Never ends by itself.
    pub(super) async fn keep(self: std::sync::Arc<Self>) {
        let (mut tries, mut told) = (0, None);
        loop {
            match self.connect().await {
                Ok(connection) => {
                    if told.take().is_some() {
                        tracing::info!("the server that shares decisions answers");
                    }
                    let since = Instant::now();
                    self.put_up(connection);
                    self.watch().await;
                    tries = if since.elapsed() < STEADY { tries } else { 0 };
                    tracing::warn!(
                        "the server that shares decisions no longer answers in time; this replica goes on alone"
                    );
                    told = Some("it answers too late");
                }
                Err(why) if told != Some(why) => {
                    tracing::warn!(why, "the server that shares decisions can't be used; this replica goes on alone");
                    told = Some(why);
                }
                Err(_) => {}
            }
            time::sleep(pause(tries)).await;
            tries += 1;
        }
    }

    /// A connection on which a probe came back in time, or why there is none; nothing that the server said itself.
    async fn connect(&self) -> Result<MultiplexedConnection, &'static str> {
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(Some(CONNECT));
        let config = config.set_concurrency_limit(UNDER_WAY);
        let connected = self.client.get_multiplexed_async_connection_with_config(&config);
        let connected = time::timeout(CONNECT, connected).await.map_err(|_| "it can't be connected to in time")?;
        let mut connection = connected.map_err(|error| why(&error))?;
        let pipeline = self.probe();
        let probed = time::timeout(self.timeout, pipeline.query_async::<(Vec<u8>,)>(&mut connection)).await;
        probed.map_err(|_| "it answers too late")?.map_err(|error| why(&error))?;
        Ok(connection)
    }

    /// Until the link is down. One that nobody uses is asked now and then, so that a connection that a firewall or the server
    /// has dropped meanwhile isn't found out by a request.
    async fn watch(&self) {
        let mut up = self.up.subscribe();
        while time::timeout(IDLE, up.wait_for(|up| !*up)).await.is_err() {
            let _ = self.ask::<(Vec<u8>,)>(&self.probe()).await;
        }
    }

    fn probe(&self) -> Pipeline {
        let mut pipeline = Pipeline::with_capacity(1);
        Place::read(&mut pipeline, &self.probed);
        pipeline
    }

    fn put_up(&self, connection: MultiplexedConnection) {
        let mut state = lock(&self.state);
        *state = State { connection: Some(connection), number: state.number + 1, late: 0 };
        drop(state);
        self.up.send_replace(true);
    }

    /// A round trip on this connection failed so.
    fn note(&self, missing: Missing, number: u64) {
        let mut state = lock(&self.state);
        if state.number != number || state.connection.is_none() {
            return;
        }
        if missing == Missing::Late {
            state.late += LATE;
        }
        if missing == Missing::Broken || state.late >= TOO_LATE {
            state.connection = None;
            drop(state);
            self.up.send_replace(false);
        }
    }

    pub(super) fn stats(&self) -> PeersStats {
        let now = |count: &AtomicU64| count.load(Relaxed);
        let Counts { answered, nanos, late, broken, refused, skipped } = &self.counts;
        PeersStats {
            answered: now(answered),
            time: Duration::from_nanos(now(nanos)),
            late: now(late),
            broken: now(broken),
            refused: now(refused),
            skipped: now(skipped),
            up: *self.up.borrow(),
            ..PeersStats::default()
        }
    }

    /// Whether a probe comes back, for whoever asks once: in which time, or why not.
    pub(super) async fn check(&self) -> Result<Duration, &'static str> {
        let mut connection = self.connect().await?;
        let began = Instant::now();
        let probed = self.probe().query_async::<(Vec<u8>,)>(&mut connection).await;
        probed.map(|_| began.elapsed()).map_err(|error| why(&error))
    }
}

/// Without the client, which holds the password.
impl std::fmt::Debug for Link {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Link").field("up", &*self.up.borrow()).finish_non_exhaustive()
    }
}

/// Whether the server answered by the protocol, though with no.
fn is_refusal(error: &RedisError) -> bool {
    error.code().is_some() && !error.is_unrecoverable_error()
}

fn why(error: &RedisError) -> &'static str {
    match error.code() {
        Some("WRONGPASS" | "NOAUTH") => "it refuses user or password",
        Some("NOPERM") => "the user may not read there (`+getrange +set +expire` on the prefix's keys)",
        Some(_) => "it refuses what it is asked",
        None if error.kind() == redis::ErrorKind::AuthenticationFailed => "it refuses user or password",
        None if error.is_io_error() => "it can't be connected to, or its certificate is not trusted",
        None => "what it says is none of the protocol",
    }
}

/// How long a probe waits after so many; not as long in each replica, so that they don't come all at once.
fn pause(tries: u32) -> Duration {
    let (first, most) = PAUSES;
    let pause = first.saturating_mul(1 << tries.min(10)).min(most);
    let share = std::process::id().wrapping_mul(2_654_435_761).wrapping_add(tries.wrapping_mul(40_503)) % 500;
    pause.mul_f64(0.75 + f64::from(share) / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_come_at_growing_distances_that_end() {
        let pauses: Vec<Duration> = (0..20).map(pause).collect();
        assert!(pauses[0] < Duration::from_millis(130) && pauses[4] > Duration::from_secs(1));
        assert!(pauses.iter().all(|pause| *pause < PAUSES.1.mul_f64(1.26)));
    }
}
