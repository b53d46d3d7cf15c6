//! A proxy in this process, for as long as it is wanted.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, anyhow};
use headroom::{
    config::Loaded,
    proxy::Current,
    server::{self, Config},
    telemetry::Metrics,
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use super::super::{Failure, figures::Figures, serve::assemble, settings::in_words};

/// It serves until it is stopped.
#[derive(Debug)]
pub(in crate::cli) struct Started {
    address: SocketAddr,
    model: String,
    forwards_to: Vec<String>,
    metrics: Arc<Metrics>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<io::Result<()>>,
}

impl Started {
    pub(in crate::cli) async fn new(loaded: &Loaded, at: SocketAddr) -> Result<Self, Failure> {
        let listener = TcpListener::bind(at).await.map_err(|error| {
            let remedy = "choose another port by --port, or leave --port out for a free one";
            Failure::Setup(anyhow!(error).context(format!("cannot listen on {at}\n  remedy: {remedy}")))
        })?;
        let address = listener.local_addr()?;
        let metrics = Arc::new(Metrics::default());
        let (proxy, model) = assemble(loaded, &address, Arc::clone(&metrics)).await?;
        let forwards_to = proxy.forwards_to();
        let (stop, stopped) = oneshot::channel::<()>();
        // Whoever asked has gone by then.
        let drain_timeout_seconds = loaded.config.server.drain_timeout_seconds.min(DRAIN.as_secs());
        let config = Config { drain_timeout_seconds, ..loaded.config.server.clone() };
        let served = tokio::spawn(async move {
            let shutdown = async {
                let _ = stopped.await;
            };
            let current = Arc::new(Current::new(proxy));
            let served = server::run(listener, &config, Arc::clone(&current), shutdown).await;
            current.proxy().settle().await;
            served
        });
        let model = model.map_or_else(|why| why, |info| in_words(&info));
        Ok(Self { address, model, forwards_to, metrics, stop, served })
    }

    pub(in crate::cli) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn figures(&self) -> Figures {
        Figures::of(&self.metrics.to_text())
    }

    /// How it runs, in a few words.
    pub(super) fn told(&self, loaded: &Loaded) -> String {
        let (to, ratio) = (self.forwards_to.join(" and "), loaded.config.compress.ratio);
        format!("started before {to} (ratio {ratio}; model: {})", self.model)
    }

    /// Lets what is under way finish, within bounds.
    pub(in crate::cli) async fn stop(self) -> Result<(), Failure> {
        drop(self.stop);
        self.served.await?.context("the proxy stopped")?;
        Ok(())
    }
}

/// Any free port of this machine.
pub(in crate::cli) fn free() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// How long requests that outlive the program may take.
const DRAIN: Duration = Duration::from_secs(5);
