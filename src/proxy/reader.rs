//! Who reads what holds message text: the operator everything, by the key in the state folder; others what was sent with
//! their own credential.

use http::request::Parts;

use super::{Proxy, headers, intercept};
use crate::explain::Reader;

/// Who asks; `None` is somebody who may read nothing. A program on this machine that brings no credential reads as `local_as`.
pub(super) fn reader(proxy: &Proxy, parts: &Parts, local: bool, local_as: Option<Reader>) -> Option<Reader> {
    if let (Some(key), Some(presented)) = (&proxy.reader, parts.headers.get(headers::READER)) {
        return key.is(presented.as_bytes()).then_some(Reader::Operator);
    }
    match intercept::owner(&parts.headers) {
        Some(tenant) => Some(Reader::With(tenant)),
        None => local_as.filter(|_| local && proxy.access.is_direct(&parts.headers, &parts.uri)),
    }
}
