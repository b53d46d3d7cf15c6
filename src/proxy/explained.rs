//! The pages under `/headroom/explain`: the list of what is kept, and one record as JSON, page or lines. Each reader
//! gets what was asked for with his own credential; on the proxy's own machine, who sends none reads everything.

use std::{net::IpAddr, time::Instant};

use http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header, request::Parts};
use serde_json::json;

use super::{Proxy, body::Answer, error::Error, intercept, own::page_of};
use crate::explain::{self, Missing, Reader, Store, Summary};

/// Answers for `/headroom/explain` (no id) and `/headroom/explain/ID`.
pub(crate) fn answer(proxy: &Proxy, parts: &Parts, local: bool, id: Option<&str>) -> Result<Response<Answer>, Error> {
    let store = proxy.records.as_deref().ok_or(Error::ExplainOff)?;
    let reader = reader(store, parts, local);
    let Some(id) = id.filter(|id| !id.is_empty()) else {
        return Ok(list(store, reader.ok_or(Error::ExplainWhose)?));
    };
    let form = Form::of(&parts.uri)?;
    let Some(reader) = reader else { return Err(Error::ExplainUnknown) };
    let record = store.find(id, reader, Instant::now()).map_err(|missing| match missing {
        Missing::Unknown => Error::ExplainUnknown,
        Missing::Gone => Error::ExplainGone,
    })?;
    let (kind, page) = match form {
        Form::Json => ("application/json", explain::json(&record)),
        Form::Html => ("text/html; charset=utf-8", explain::html(&record).into_bytes()),
        Form::Text => ("text/plain; charset=utf-8", explain::terminal(&record, false).into_bytes()),
        Form::Ansi => ("text/plain; charset=utf-8", explain::terminal(&record, true).into_bytes()),
    };
    let mut response = Response::new(Answer::own(page));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    guard(response.headers_mut());
    Ok(response)
}

fn list(store: &Store, reader: Reader) -> Response<Answer> {
    let records = store.list(reader, MOST_LISTED, Instant::now());
    let records: Vec<Summary<'_>> = records.iter().map(|record| Summary::of(record)).collect();
    let mut response = page_of(StatusCode::OK, &json!({"keep_s": store.keep_s(), "records": records}));
    guard(response.headers_mut());
    response
}

/// Nobody else's page may frame, embed or store what holds message text.
fn guard(headers: &mut HeaderMap) {
    for (name, value) in [
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
        ("cross-origin-resource-policy", "same-origin"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Who asks; `None` is somebody who may read nothing.
fn reader(store: &Store, parts: &Parts, local: bool) -> Option<Reader> {
    match intercept::owner(&parts.headers) {
        Some(tenant) => Some(Reader::With(tenant)),
        None => (store.local_reads() && local && is_direct(parts)).then_some(Reader::Operator),
    }
}

/// Whether a request from this machine is the operator's own: not relayed by another proxy, and asked of this machine
/// by name. The latter keeps out a web page whose host name was made to point here (DNS rebinding).
fn is_direct(parts: &Parts) -> bool {
    const RELAYED: [&str; 6] =
        ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];
    let named = parts.uri.host().or_else(|| parts.headers.get(header::HOST)?.to_str().ok());
    let relayed = RELAYED.iter().any(|name| parts.headers.contains_key(*name));
    !relayed && named.is_some_and(is_this_machine)
}

/// Whether a host, perhaps with a port, is a name of this machine that no DNS gives.
fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None if host.matches(':').count() > 1 => host,
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// How a record is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Html,
    Text,
    Ansi,
}

impl Form {
    fn of(uri: &Uri) -> Result<Self, Error> {
        let wanted = uri.query().unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("format="));
        match wanted {
            None | Some("json") => Ok(Self::Json),
            Some("html") => Ok(Self::Html),
            Some("text") => Ok(Self::Text),
            Some("ansi") => Ok(Self::Ansi),
            Some(_) => Err(Error::BadRequest("`format` is json, html, text or ansi")),
        }
    }
}

/// Records of a list at most.
const MOST_LISTED: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_no_dns_gives_are_this_machine() {
        for host in ["localhost", "LOCALHOST:8787", "127.0.0.1:8787", "127.9.9.9", "[::1]:8787", "[::1]", "::1"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["", "localhost.example.org", "127.0.0.1.example.org", "10.0.0.1:8787", "[::2]:1", "example.org"] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
