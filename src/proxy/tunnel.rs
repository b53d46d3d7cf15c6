//! Connections that changed to another protocol: bytes both ways until either side closes.

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::account::{Account, End};

/// Both ends of a connection that changes protocol, once the answer that says so was written.
#[derive(Debug)]
pub(crate) struct Tunnel {
    pub(crate) client: OnUpgrade,
    pub(crate) upstream: OnUpgrade,
}

/// The open tunnels; they end with the drain at the latest.
#[derive(Debug, Clone)]
pub(crate) struct Tunnels {
    pub(crate) tasks: TaskTracker,
    pub(crate) abort: CancellationToken,
}

impl Tunnels {
    /// Carries bytes from now on; the account ends with the tunnel.
    pub(crate) fn open(&self, tunnel: Tunnel, account: Box<Account>) {
        self.run(carry(tunnel), account);
    }

    /// Carries what a connection carries; the account ends with it.
    pub(crate) fn run(
        &self,
        carried: impl Future<Output = Result<(), Broken>> + Send + 'static,
        mut account: Box<Account>,
    ) {
        let abort = self.abort.clone();
        self.tasks.spawn(async move {
            let done = abort.run_until_cancelled(carried).await;
            if done.is_some_and(|carried| carried.is_ok()) {
                account.end(End::Complete);
            }
        });
    }
}

async fn carry(tunnel: Tunnel) -> Result<(), Broken> {
    let (client, upstream) = tokio::try_join!(tunnel.client, tunnel.upstream)?;
    let io = |upgraded: Upgraded| TokioIo::new(upgraded);
    copy_bidirectional(&mut io(client), &mut io(upstream)).await?;
    Ok(())
}

/// Why a tunnel ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("the protocol was not changed")]
    Upgrade(#[from] hyper::Error),
    #[error("a side broke off")]
    Carry(#[from] std::io::Error),
}
