//! Opens connections to the upstream, TLS included, within one timeout.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use tokio::{net::TcpStream, time::timeout};
use tower_service::Service;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Opens connections to the upstream.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    by: By,
    within: Duration,
}

#[derive(Debug, Clone)]
enum By {
    Plain(HttpConnector),
    Tls(HttpsConnector<HttpConnector>),
}

impl Connector {
    pub(super) fn new(tls: Option<Arc<rustls::ClientConfig>>, within: Duration) -> Self {
        let mut plain = HttpConnector::new();
        plain.enforce_http(false);
        plain.set_nodelay(true);
        plain.set_connect_timeout(Some(within));
        plain.set_keepalive(Some(KEEPALIVE));
        let by = match tls {
            None => By::Plain(plain),
            Some(config) => By::Tls(
                HttpsConnectorBuilder::new()
                    .with_tls_config(Arc::unwrap_or_clone(config))
                    .https_only()
                    .enable_http1()
                    .wrap_connector(plain),
            ),
        };
        Self { by, within }
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Failure>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        match &mut self.by {
            By::Plain(connector) => connector.poll_ready(cx).map_err(Into::into),
            By::Tls(connector) => connector.poll_ready(cx),
        }
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let within = self.within;
        match &mut self.by {
            By::Plain(connector) => {
                let connect = connector.call(to);
                Box::pin(async move { Ok(MaybeHttpsStream::Http(in_time(within, connect).await??)) })
            }
            By::Tls(connector) => {
                let connect = connector.call(to);
                Box::pin(async move { in_time(within, connect).await? })
            }
        }
    }
}

async fn in_time<T>(within: Duration, connect: impl Future<Output = T>) -> Result<T, io::Error> {
    timeout(within, connect).await.map_err(|_| io::ErrorKind::TimedOut.into())
}

/// After this long without traffic the operating system asks whether the upstream is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);
