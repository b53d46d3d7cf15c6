//! What the running proxy goes by, for `headroom doctor`: flags and a reload are known to nobody else. It names servers and
//! rules, so it is for programs on this machine alone.

use http::{Response, StatusCode, request::Parts};
use serde::Serialize;

use super::{Mode, Proxy, body::Answer, error::Error, own::page_of};

#[derive(Debug, Serialize)]
struct Page {
    mode: Mode,
    ratio: String,
    style: &'static str,
    min_tokens: usize,
    rules: Vec<String>,
    /// The one that takes what no other does comes first.
    upstreams: Vec<String>,
}

pub(crate) fn answer(proxy: &Proxy, parts: &Parts, local: bool) -> Result<Response<Answer>, Error> {
    if !local || !proxy.access.is_direct(&parts.headers, &parts.uri) {
        return Err(Error::NoSuchPage);
    }
    let page = Page {
        mode: proxy.config.mode,
        ratio: proxy.policy.ratio.to_string(),
        style: proxy.policy.style.as_str(),
        min_tokens: proxy.policy.min_tokens,
        rules: proxy.rules.names().map(str::to_owned).collect(),
        upstreams: proxy.upstreams.described(),
    };
    Ok(page_of(StatusCode::OK, &page))
}
