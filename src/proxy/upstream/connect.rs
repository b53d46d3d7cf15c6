//! Opens connections to the upstream, TLS and the way through another proxy included, within one timeout.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{Uri, uri::Scheme};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{
    client::legacy::connect::{
        Connected, Connection, HttpConnector,
        proxy::{SocksV5, Tunnel},
    },
    rt::TokioIo,
};
use tokio::{net::TcpStream, time::timeout};
use tower_service::Service;

use super::hop::{Hop, Speaks};

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Opening<T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send>>;

/// Opens connections to the upstream.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    first: First,
    /// For an upstream behind TLS.
    tls: Option<Arc<rustls::ClientConfig>>,
    within: Duration,
}

impl Connector {
    /// `tls` is for whoever wants it, `secure` says that the upstream does.
    pub(super) fn new(tls: Option<Arc<rustls::ClientConfig>>, secure: bool, within: Duration, first: Way) -> Self {
        Self { first: First::new(first, tls.clone(), within), tls: tls.filter(|_| secure), within }
    }
}

/// The way to an upstream.
#[derive(Debug)]
pub(super) enum Way {
    Direct,
    /// The proxy on the way is asked for what the client asks for; only where the upstream has no TLS.
    Forwarded(Hop),
    /// The proxy on the way carries bytes.
    Tunnelled(Hop),
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = Failure;
    type Future = Opening<Stream>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        // Neither name resolution nor what is built on it waits for anything.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let (within, forwarded) = (self.within, self.first.forwards());
        let opened: Opening<_> = match &self.tls {
            None => {
                let opened = self.first.call(to);
                Box::pin(async move { opened.await.map(MaybeHttpsStream::Http) })
            }
            Some(tls) => HttpsConnector::from((self.first.clone(), Arc::clone(tls))).call(to),
        };
        Box::pin(async move {
            let opened = timeout(within, opened).await;
            let io = opened.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            Ok(Stream { io, forwarded })
        })
    }
}

/// What carries bytes to the upstream, still without the upstream's own TLS.
#[derive(Debug, Clone)]
enum First {
    Direct(HttpConnector),
    Forwarded(Reach, Uri),
    Tunnel(Tunnel<Reach>),
    Socks(SocksV5<Reach>),
}

/// A connection to the upstream or to the proxy before it, which may want TLS of its own.
type Hopped = MaybeHttpsStream<TokioIo<TcpStream>>;

impl First {
    fn new(way: Way, tls: Option<Arc<rustls::ClientConfig>>, within: Duration) -> Self {
        let mut plain = HttpConnector::new();
        plain.enforce_http(false);
        plain.set_nodelay(true);
        plain.set_connect_timeout(Some(within));
        plain.set_keepalive(Some(KEEPALIVE));
        let reach = |hop: &Hop, plain| match tls.filter(|_| hop.speaks == Speaks::Https) {
            Some(tls) => Reach::Tls(
                HttpsConnectorBuilder::new()
                    .with_tls_config(Arc::unwrap_or_clone(tls))
                    .https_only()
                    .enable_http1()
                    .wrap_connector(plain),
            ),
            None => Reach::Plain(plain),
        };
        match way {
            Way::Direct => Self::Direct(plain),
            Way::Tunnelled(hop) | Way::Forwarded(hop) if matches!(hop.speaks, Speaks::Socks { .. }) => {
                let local_names = hop.speaks == Speaks::Socks { local_names: true };
                let socks = SocksV5::new(hop.uri.clone(), reach(&hop, plain)).local_dns(local_names);
                Self::Socks(match hop.user() {
                    Some((user, password)) => socks.with_auth(user, password),
                    None => socks,
                })
            }
            Way::Forwarded(hop) => Self::Forwarded(reach(&hop, plain), hop.uri),
            Way::Tunnelled(hop) => {
                let tunnel = Tunnel::new(hop.uri.clone(), reach(&hop, plain));
                Self::Tunnel(match hop.credential() {
                    Some(credential) => tunnel.with_auth(credential.clone()),
                    None => tunnel,
                })
            }
        }
    }

    fn forwards(&self) -> bool {
        matches!(self, Self::Forwarded(..))
    }
}

impl Service<Uri> for First {
    type Response = Hopped;
    type Error = Failure;
    type Future = Opening<Hopped>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        match self {
            Self::Direct(connector) => {
                let opened = connector.call(to);
                Box::pin(async move { Ok(MaybeHttpsStream::Http(opened.await?)) })
            }
            Self::Forwarded(reach, proxy) => reach.call(proxy.clone()),
            Self::Tunnel(tunnel) => {
                let opened = tunnel.call(with_port(to));
                Box::pin(async move { Ok(opened.await?) })
            }
            Self::Socks(socks) => {
                let opened = socks.call(with_port(to));
                // Its own error wants its cause to be one, which a boxed one is not.
                Box::pin(async move { opened.await.map_err(|error| io::Error::other(error.to_string()).into()) })
            }
        }
    }
}

/// What is spoken with the proxy on the way.
#[derive(Debug, Clone)]
enum Reach {
    Plain(HttpConnector),
    Tls(HttpsConnector<HttpConnector>),
}

impl Service<Uri> for Reach {
    type Response = Hopped;
    type Error = Failure;
    type Future = Opening<Hopped>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        match self {
            Self::Plain(connector) => {
                let opened = connector.call(to);
                Box::pin(async move { Ok(MaybeHttpsStream::Http(opened.await?)) })
            }
            Self::Tls(connector) => connector.call(to),
        }
    }
}

/// Tunnels take port 443 where none is given.
fn with_port(to: Uri) -> Uri {
    let plain = to.scheme() == Some(&Scheme::HTTP) && to.port().is_none();
    let authority = to.authority().filter(|_| plain).map(|authority| format!("{authority}:80"));
    let Some(authority) = authority else { return to };
    Uri::builder().scheme(Scheme::HTTP).authority(authority).path_and_query("/").build().unwrap_or(to)
}

/// A connection to the upstream.
#[derive(Debug)]
pub(crate) struct Stream {
    io: MaybeHttpsStream<Hopped>,
    /// A proxy at its other end wants whole URLs.
    forwarded: bool,
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.io.connected().proxy(self.forwarded)
    }
}

impl Read for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }
}

/// After this long without traffic the operating system asks whether the upstream is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);
