//! Accepts connections, bounds them, and lets them finish when the process is told to stop. Listener and shutdown are
//! handed in.

mod activity;
mod connection;
mod listen;

use std::{io, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::task::TaskTracker;

use crate::{proxy::Current, setting::Invalid};
use connection::Protocols;

/// `[server]`: where clients connect, and how many may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address and port to listen on.
    #[serde(deserialize_with = "listen::read")]
    pub listen: std::net::SocketAddr,
    /// Open client connections at most; further ones wait to be accepted.
    pub max_connections: usize,
    /// Seconds until a request's head must have come, and that an unused connection is kept.
    pub header_timeout_seconds: u64,
    /// KiB of a request's head at most.
    pub head_limit_kib: usize,
    /// Seconds that running requests may take to finish once the process is told to stop.
    pub drain_timeout_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: std::net::SocketAddr::from(([127, 0, 0, 1], 8787)),
            max_connections: 4096,
            header_timeout_seconds: 75,
            head_limit_kib: 128,
            drain_timeout_seconds: 600,
        }
    }
}

impl Config {
    /// Checks what the types cannot.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub fn check(&self) -> Result<(), Invalid> {
        if !(1..=1 << 20).contains(&self.max_connections) {
            return Err(Invalid::new("max_connections", self.max_connections, "give a number from 1 on"));
        }
        if self.header_timeout_seconds == 0 {
            return Err(Invalid::new("header_timeout_seconds", 0, "give a number of seconds from 1 on"));
        }
        if !(8..=4096).contains(&self.head_limit_kib) {
            return Err(Invalid::new("head_limit_kib", self.head_limit_kib, "give a number of KiB from 8 to 4096"));
        }
        Ok(())
    }
}

/// Serves until `shutdown`, then drains: `/headroom/ready` says 503 at once, running requests finish within the drain
/// timeout, and what is left then is broken off. New connections are still answered meanwhile, one request each, so
/// that whoever asks for readiness hears the 503; but nobody waits for further ones.
///
/// # Errors
/// When the listener itself cannot be used.
pub async fn run(
    listener: TcpListener,
    config: &Config,
    current: Arc<Current>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    listener.local_addr()?;
    let gate = Gate {
        permits: Arc::new(Semaphore::new(config.max_connections)),
        protocols: Protocols::new(config),
        current: Arc::clone(&current),
    };
    // Whatever its settings, it has one life.
    let proxy = current.proxy();
    tokio::select! {
        never = gate.admit(&listener, &proxy.life().tasks) => match never {},
        () = shutdown => {}
    }
    let life = proxy.life();
    life.begin_drain();
    let until = Instant::now() + Duration::from_secs(config.drain_timeout_seconds);
    let late = TaskTracker::new();
    tracing::info!(connections = life.tasks.len(), "draining");
    tokio::select! {
        never = gate.admit(&listener, &late) => match never {},
        () = life.tasks.wait() => {}
        () = sleep_until(until) => {}
    }
    // From here on nobody comes in, so that those who did are the last.
    drop(listener);
    late.close();
    life.closed.cancel();
    tokio::select! {
        () = async { tokio::join!(life.tasks.wait(), late.wait()); } => {}
        () = sleep_until(until) => {
            let connections = life.tasks.len() + late.len();
            tracing::warn!(connections, "the drain timeout is over; breaking off");
        }
    }
    life.abort.cancel();
    tokio::join!(life.tasks.wait(), late.wait());
    Ok(())
}

/// Lets connections in.
struct Gate {
    permits: Arc<Semaphore>,
    protocols: Protocols,
    current: Arc<Current>,
}

impl Gate {
    /// Serves whoever comes, as one of `tasks`.
    async fn admit(&self, listener: &TcpListener, tasks: &TaskTracker) -> std::convert::Infallible {
        loop {
            // A closed semaphore cannot be: nobody closes it.
            let permit = Arc::clone(&self.permits).acquire_owned().await.ok();
            match listener.accept().await {
                Ok((stream, _)) => {
                    prepare(&stream);
                    let serve = connection::serve(stream, &self.protocols, Arc::clone(&self.current));
                    tasks.spawn(async move {
                        serve.await;
                        drop(permit);
                    });
                }
                Err(error) if is_the_clients(&error) => {}
                Err(error) => {
                    // Out of descriptors, say: nothing to do but to try again when some are free.
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

/// Small frames leave at once, and a client that vanished or stalled is noticed. Failing costs only that.
fn prepare(stream: &TcpStream) {
    let keepalive = socket2::TcpKeepalive::new().with_time(KEEPALIVE);
    let socket = socket2::SockRef::from(stream);
    let prepared = stream.set_nodelay(true).and_then(|()| socket.set_tcp_keepalive(&keepalive));
    #[cfg(target_os = "linux")]
    let prepared = prepared.and_then(|()| socket.set_tcp_user_timeout(Some(STALL)));
    if let Err(error) = prepared {
        tracing::debug!(%error, "cannot set a connection's options");
    }
}

fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// After this long without traffic the operating system asks whether the client is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// After this long without taking a byte of what was sent, a client counts as gone.
#[cfg(target_os = "linux")]
const STALL: Duration = Duration::from_secs(600);

const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
