//! The pages under `/headroom/explain`: the list of what is kept, and one record as JSON, page or lines. Each reader
//! gets what was asked for with his own credential; the operator, whose key lies in the state folder, reads everything.

use std::time::Instant;

use http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header, request::Parts};
use serde_json::json;

use super::{Proxy, body::Answer, error::Error, own::page_of, reader::reader};
use crate::explain::{self, Missing, Reader, Store, Summary};

/// Answers for `/headroom/explain` (no id) and `/headroom/explain/ID`.
pub(crate) fn answer(proxy: &Proxy, parts: &Parts, local: bool, id: Option<&str>) -> Result<Response<Answer>, Error> {
    let store = proxy.records.as_deref().ok_or(Error::ExplainOff)?;
    let reader = reader(proxy, parts, local, store.local_reads().then_some(Reader::Operator));
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
        Form::Pieces => ("application/json", explain::pieces(&record)),
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

/// How a record is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Pieces,
    Html,
    Text,
    Ansi,
}

impl Form {
    fn of(uri: &Uri) -> Result<Self, Error> {
        let wanted = uri.query().unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("format="));
        match wanted {
            None | Some("json") => Ok(Self::Json),
            Some("pieces") => Ok(Self::Pieces),
            Some("html") => Ok(Self::Html),
            Some("text") => Ok(Self::Text),
            Some("ansi") => Ok(Self::Ansi),
            Some(_) => Err(Error::BadRequest("`format` is json, pieces, html, text or ansi")),
        }
    }
}

/// Records of a list at most.
const MOST_LISTED: usize = 100;
