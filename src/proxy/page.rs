//! The page at `/headroom/`: what is saved, what was done, a text to try, and how the proxy is.
//!
//! The page itself holds nothing, so everybody who can reach the proxy may load it; what it shows it fetches, as the one
//! who looks at it: by the operator's key, by a credential (its own requests alone), or from this machine (sums, no
//! text). No page of another site reads any of it.

mod books;
mod live;
mod shell;
mod state;

use std::sync::Arc;

use http::{Response, StatusCode, header::HeaderValue, request::Parts};

pub(crate) use books::Books;

use super::{Proxy, body::Answer, error::Error, headers, intercept, own::page_of};
use crate::{engine::Tenant, explain::Reader};

/// What the proxy is made of, for the page; known once it is put together.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// The model, or why there is none.
    pub model: String,
    /// Bytes of condensed texts that are kept at most.
    pub cache_bytes: u64,
    /// Texts that may wait for a worker.
    pub queue: usize,
    /// Share of conversations that are left alone, to compare with.
    pub holdout: f64,
}

/// The page.
pub(crate) fn shell() -> Response<Answer> {
    shell::response()
}

/// All that the page shows, once.
pub(crate) fn state(proxy: &Proxy, parts: &Parts, local: bool) -> Result<Response<Answer>, Error> {
    let viewer = Viewer::of(proxy, parts, local)?;
    let mut response = page_of(StatusCode::OK, &state::State::of(proxy, viewer));
    private(&mut response);
    Ok(response)
}

/// All that the page shows, again whenever it changes.
pub(crate) fn events(proxy: &Arc<Proxy>, parts: &Parts, local: bool) -> Result<Response<Answer>, Error> {
    let viewer = Viewer::of(proxy, parts, local)?;
    let mut response = Response::new(live::watch(proxy, viewer).ok_or(Error::Busy)?);
    response.headers_mut().insert("content-type", HeaderValue::from_static("text/event-stream"));
    private(&mut response);
    Ok(response)
}

/// Nobody stores it, and nobody else's page embeds it.
fn private(response: &mut Response<Answer>) {
    for (name, value) in [
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
}

/// Who looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Viewer {
    /// By the operator's key: everything.
    Operator,
    /// With a credential: what was asked for with the same one.
    With(Tenant),
    /// Somebody on this machine: sums, and nothing of any one request.
    Local,
}

impl Viewer {
    fn of(proxy: &Proxy, parts: &Parts, local: bool) -> Result<Self, Error> {
        if let Some(presented) = parts.headers.get(headers::READER) {
            let fits = proxy.reader.as_ref().is_some_and(|key| key.is(presented.as_bytes()));
            return if fits { Ok(Self::Operator) } else { Err(Error::PageCredential) };
        }
        if let Some(tenant) = intercept::owner(&parts.headers) {
            return Ok(Self::With(tenant));
        }
        let direct = local && proxy.access.is_direct(&parts.headers, &parts.uri);
        let reads = proxy.records.as_ref().is_some_and(|records| records.local_reads());
        match (direct, reads) {
            (true, true) => Ok(Self::Operator),
            (true, false) => Ok(Self::Local),
            (false, _) => Err(Error::PageCredential),
        }
    }

    /// Who that is to the records.
    fn reader(self) -> Option<Reader> {
        match self {
            Self::Operator => Some(Reader::Operator),
            Self::With(tenant) => Some(Reader::With(tenant)),
            Self::Local => None,
        }
    }
}
