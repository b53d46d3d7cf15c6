//! The way back at `/headroom/mcp`: MCP over streamable HTTP, without sessions. Each call brings its credential, and
//! reads what was sent with that credential and nothing else.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header, request::Parts};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use rmcp::{
    model::{CallToolResult, JsonObject},
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
    },
};

use super::{Proxy, body::Answer, error::Error, intercept, reader::reader};
use crate::{
    engine::Tenant,
    explain::Reader,
    originals::{Originals, Reads, Server, Unreadable, Wanted, told},
    telemetry::{Metrics, metrics::ReadLabels},
};

/// Answers one message of a client.
pub(crate) async fn answer(
    proxy: &Proxy,
    parts: Parts,
    body: Incoming,
    local: bool,
) -> Result<Response<Answer>, Error> {
    let originals = proxy.originals.clone().ok_or(Error::OriginalsOff)?;
    // Requests that bring no credential have their texts in common: programs on this machine read those.
    let nobodys = Some(Reader::With(Tenant::default()));
    let reader = reader(proxy, &parts, local, nobodys).ok_or(Error::OriginalsWhose)?;
    let held = intercept::whole(proxy, &parts.headers, body, LONGEST).await?;
    let reads = Kept { originals, reader, metrics: Arc::clone(&proxy.metrics) };
    let server = Server::new(reads);
    // Who asks, and from where, is decided here: by the rules of the proxy's own pages.
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .disable_allowed_hosts()
        .disable_allowed_origins();
    let service =
        StreamableHttpService::new(move || Ok(server.clone()), Arc::new(NeverSessionManager::default()), config);
    let mut request = Request::new(Full::new(held.bytes));
    // A credential has been looked at, and is nothing for a library to have.
    let plain = parts.headers.iter().filter(|(name, _)| PLAIN.contains(&name.as_str()));
    request.headers_mut().extend(plain.map(|(name, value)| (name.clone(), value.clone())));
    // The library wants one; whom the request was addressed to has been looked at too.
    request.headers_mut().insert(header::HOST, HeaderValue::from_static("localhost"));
    *request.method_mut() = parts.method;
    let (parts, body) = service.handle(request).await.into_parts();
    let body: Bytes = body.collect().await.map_err(|never| match never {})?.to_bytes();
    let mut response = Response::from_parts(parts, Answer::own(body));
    guard(response.headers_mut());
    Ok(response)
}

/// What holds message text is stored by nobody on the way.
fn guard(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
}

/// The originals of this proxy, as one reader has them.
struct Kept {
    originals: Arc<Originals>,
    reader: Reader,
    metrics: Arc<Metrics>,
}

impl Reads for Kept {
    async fn read(&self, arguments: JsonObject) -> CallToolResult {
        let (outcome, read) = match Wanted::read(&arguments) {
            Err(unreadable) => ("refused", Err(unreadable)),
            Ok(wanted) => match self.originals.find(self.reader, wanted.id).await {
                None => ("gone", Err(self.gone())),
                Some(text) => match wanted.of(&text) {
                    Ok(passage) => ("read", Ok(passage)),
                    Err(unreadable) => ("nothing", Err(unreadable)),
                },
            },
        };
        self.metrics.originals.reads.get_or_create(&ReadLabels { outcome }).inc();
        told(read)
    }
}

impl Kept {
    fn gone(&self) -> Unreadable {
        let hours = self.originals.keep_hours();
        Unreadable(format!(
            "No original is kept under this id for you. Either the id is not copied letter for letter from a mark, or the \
             original went: originals are kept for {hours} hours, as long as there is room, and perhaps not over a restart \
             of the proxy. What to do instead: call the tool again that gave the text (read the file again, repeat the \
             search or command), or ask the user for it."
        ))
    }
}

/// What of a request's head belongs to the protocol.
const PLAIN: [&str; 6] = ["accept", "content-type", "mcp-protocol-version", "mcp-session-id", "mcp-method", "mcp-name"];

/// Bytes of a message at most; a call is a few hundred.
const LONGEST: usize = 1 << 20;
