//! Relays a request and its answer as they are, at constant memory. Knows no JSON: without interception this is the
//! whole proxy.

use std::{sync::Arc, time::Instant};

use http::{Request, Response, StatusCode, Version, request::Parts};
use hyper::{body::Incoming, upgrade};

use super::{
    access::Keys,
    account::Account,
    body::{Answer, Upload, let_end},
    error::Error,
    headers::{self, Forward},
    tunnel::{Tunnel, Tunnels},
    upstream::Upstream,
};

/// Where a request goes, and with which credentials.
#[derive(Debug, Clone)]
pub(crate) struct Addressed {
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) keys: Keys,
}

/// A request on its way to the upstream.
#[derive(Debug)]
pub(crate) struct Passage {
    /// The client's head.
    pub(crate) parts: Parts,
    /// What to send as its body.
    pub(crate) body: Upload,
    /// The body's length where it is no longer the client's; its coding is then gone too.
    pub(crate) replaced: Option<usize>,
    /// When the last byte of an intercepted body was read.
    pub(crate) read_at: Option<Instant>,
}

impl Passage {
    /// A request that goes on as it came.
    pub(crate) fn new(parts: Parts, body: Upload) -> Self {
        Self { parts, body, replaced: None, read_at: None }
    }
}

/// Forwards a request and relays the answer. Its account goes with the answer and ends with it.
pub(crate) async fn relay(
    to: &Addressed,
    tunnels: &Tunnels,
    passage: Passage,
    mut account: Box<Account>,
) -> Response<Answer> {
    match exchange(to, passage, &mut account).await {
        Ok((mut response, tunnel)) => {
            account.answered(response.status(), response.headers_mut());
            match tunnel {
                None => response.map(|body| Answer::relayed(body, to.upstream.idle(), account)),
                Some(tunnel) => {
                    tunnels.open(tunnel, account);
                    response.map(|_| Answer::own(""))
                }
            }
        }
        Err(error) => refuse(&error, account),
    }
}

/// Answers with an error of the proxy's own.
pub(crate) fn refuse(error: &Error, mut account: Box<Account>) -> Response<Answer> {
    account.fail(error);
    let mut response = error.response();
    account.answered(response.status(), response.headers_mut());
    response
}

/// The same for a request of which the body was not read.
pub(crate) fn refuse_unread(
    error: &Error,
    account: Box<Account>,
    version: Version,
    body: Incoming,
) -> Response<Answer> {
    let_end(version, body);
    refuse(error, account)
}

/// Sends the request and awaits the answer's head; with a tunnel where both sides agreed on another protocol.
pub(crate) async fn exchange(
    to: &Addressed,
    passage: Passage,
    account: &mut Account,
) -> Result<(Response<Incoming>, Option<Tunnel>), Error> {
    let Addressed { upstream, keys } = to;
    account.upstream = Some(Arc::clone(upstream.name()));
    let Passage { mut parts, body, replaced, read_at } = passage;
    let asked = headers::upgrade(&parts.headers).is_some();
    let forward = Forward { host: upstream.host(), keys: *keys, credential: upstream.credential(), replaced };
    parts.headers = headers::to_upstream(std::mem::take(&mut parts.headers), parts.version, &forward);
    account.trace_onwards(&mut parts.headers);
    let mut request = Request::from_parts(parts, body);
    let client = asked.then(|| upgrade::on(&mut request));
    account.forwarded(read_at);
    let mut response = upstream.send(request).await?;
    let changed = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    let tunnel = match client {
        Some(client) if changed => Some(Tunnel { client, upstream: upgrade::on(&mut response) }),
        None if changed => return Err(Error::UnaskedUpgrade),
        _ => None,
    };
    account.watch(response.headers());
    let answered = std::mem::take(response.headers_mut());
    *response.headers_mut() = headers::to_client(answered, tunnel.is_some());
    *response.version_mut() = Version::HTTP_11;
    Ok((response, tunnel))
}
