//! Where a proxy on this machine is found, and how it is spoken to.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr, ToSocketAddrs as _},
    path::PathBuf,
    sync::Arc,
};

use anyhow::Context as _;
use headroom::server::Config;
use reqwest::Url;
use rustls::{ClientConnection, pki_types::ServerName};

use super::{exchange, pinned, running, serve::reachable};

#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    address: SocketAddr,
    tls: Option<Tls>,
}

#[derive(Debug, Clone)]
struct Tls {
    /// What `server.tls` names.
    certificate: PathBuf,
    /// What a client calls the machine, where that is no address.
    host: Option<String>,
    /// It is known by the very certificate, whatever names that is for; otherwise it is checked as clients do.
    is_pinned: bool,
}

impl Endpoint {
    /// As a program on this machine reaches what the configuration describes.
    pub(super) fn of(config: &Config) -> Self {
        let tls = config.tls.certificate_file.clone();
        let tls = tls.map(|certificate| Tls { certificate, host: None, is_pinned: true });
        Self { address: reachable(&config.listen), tls }
    }

    pub(super) fn plain(address: SocketAddr) -> Self {
        Self { address, tls: None }
    }

    pub(super) fn address(&self) -> &SocketAddr {
        &self.address
    }

    /// What a client calls the machine.
    pub(super) fn host(&self) -> String {
        let named = self.tls.as_ref().and_then(|tls| tls.host.clone());
        named.unwrap_or_else(|| self.address.ip().to_string())
    }

    pub(super) fn speaks_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// The same as a usual client can speak to it: by a name for which this machine trusts the certificate. `None` where
    /// there is no such name.
    pub(super) fn trusted(&self) -> Option<Self> {
        let Some(tls) = &self.tls else { return Some(self.clone()) };
        let mut names = vec![tls.host.clone()];
        if tls.host.is_none() && self.address.ip().is_loopback() {
            names.push(Some("localhost".to_owned()));
        }
        let named = names.into_iter().map(|host| {
            let tls = Tls { certificate: tls.certificate.clone(), host, is_pinned: false };
            Self { address: self.address, tls: Some(tls) }
        });
        named.into_iter().find(|named| named.look() == Found::Ours)
    }

    /// The same, as a base URL names it; `None` where that leads elsewhere.
    pub(super) fn named_by(&self, url: &str) -> Option<Self> {
        let url = Url::parse(url.trim()).ok()?;
        let (host, port) = (url.host_str()?.trim_matches(['[', ']']), url.port_or_known_default()?);
        if port != self.address.port() {
            return None;
        }
        let is_here = match host.parse::<IpAddr>() {
            Ok(ip) => ip == self.address.ip(),
            Err(_) => host == "localhost" && self.address.ip().is_loopback(),
        };
        if is_here {
            return Some(self.clone());
        }
        // By another name it is known by its certificate.
        let tls = self.tls.as_ref().filter(|_| url.scheme() == "https")?;
        let tls = Tls { certificate: tls.certificate.clone(), host: Some(host.to_owned()), is_pinned: true };
        let named = Self { address: (host, port).to_socket_addrs().ok()?.next()?, tls: Some(tls) };
        (named.look() == Found::Ours).then_some(named)
    }

    /// Who answers there.
    pub(super) fn look(&self) -> Found {
        if self.address.port() == 0 {
            return Found::Nobody;
        }
        match exchange::page(self, "health") {
            Ok(answer) if answer.is_ours() => Found::Ours,
            Ok(answer) if answer.header("x-headroom-error") == Some("needs_tls") => Found::Secure,
            Ok(_) => Found::Other("it is no headroom proxy".to_owned()),
            Err(error) => match error.downcast_ref::<io::Error>() {
                Some(error) if error.kind() == io::ErrorKind::ConnectionRefused => Found::Nobody,
                _ => Found::Other(format!("{error:#}")),
            },
        }
    }

    /// A session to be laid over a connection; `None` where it speaks plain HTTP.
    pub(super) fn session(&self) -> anyhow::Result<Option<ClientConnection>> {
        let Some(tls) = &self.tls else { return Ok(None) };
        let client = match tls.is_pinned {
            true => {
                let client = pinned::client(&tls.certificate);
                client.context("the certificate that `server.tls` names cannot be read")?
            }
            false => running::tls()?,
        };
        Ok(Some(ClientConnection::new(Arc::new(client), ServerName::try_from(self.host())?)?))
    }
}

/// What is written before a path.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = (self.host(), self.address.port());
        let scheme = if self.speaks_tls() { "https" } else { "http" };
        match host.parse::<IpAddr>() {
            Ok(ip) => write!(f, "{scheme}://{}", SocketAddr::new(ip, port)),
            Err(_) => write!(f, "{scheme}://{host}:{port}"),
        }
    }
}

/// Who answers at an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Ours,
    /// A proxy of ours that speaks TLS, where the configuration names no certificate.
    Secure,
    /// Something else, and why it cannot be ours.
    Other(String),
    Nobody,
}
