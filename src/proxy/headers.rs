//! Which headers travel on: hop-by-hop rules (RFC 9110, 7.6.1), stale lengths, and our own `x-headroom-*` headers.
//!
//! Maps are rebuilt rather than edited: removing from a [`HeaderMap`] would reorder what stays.

use http::{
    HeaderMap, HeaderName, HeaderValue, Version,
    header::{
        CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, COOKIE, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE,
        TRANSFER_ENCODING, UPGRADE,
    },
};

use super::{access::Keys, upstream::Credential};

/// The prefix of every header between client and proxy; such a request header never reaches the upstream.
pub(crate) const OWN_PREFIX: &str = "x-headroom-";

/// Request: `off`, `audit` or `compress`.
pub(crate) const MODE: HeaderName = HeaderName::from_static("x-headroom-mode");
/// Request: `true` is the same as the mode `off`.
pub(crate) const BYPASS: HeaderName = HeaderName::from_static("x-headroom-bypass");
/// Request: `auto` or 2–20.
pub(crate) const RATIO: HeaderName = HeaderName::from_static("x-headroom-ratio");
/// Request: `statements` or `telegram`.
pub(crate) const STYLE: HeaderName = HeaderName::from_static("x-headroom-style");
/// Response: `compressed`, `compressed; limit=…` where the ratio was not reached, `unchanged; reason=…`, `passthrough; reason=…` or `audit`.
pub(crate) const OUTCOME: HeaderName = HeaderName::from_static("x-headroom-outcome");
/// Response: target tokens of the slots considered, as they came.
pub(crate) const TOKENS_BEFORE: HeaderName = HeaderName::from_static("x-headroom-tokens-before");
/// Response: target tokens of the slots considered, as they were forwarded.
pub(crate) const TOKENS_AFTER: HeaderName = HeaderName::from_static("x-headroom-tokens-after");
/// Response: `hits=…, misses=…` over the slots considered.
pub(crate) const CACHE: HeaderName = HeaderName::from_static("x-headroom-cache");
/// Response: names the request in the log.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-headroom-request-id");
/// Request to an own page: the operator's key to the records.
pub(crate) const READER: HeaderName = HeaderName::from_static("x-headroom-reader");
/// Response: marks an error as the proxy's own and names its kind.
pub(crate) const ERROR: HeaderName = HeaderName::from_static("x-headroom-error");

/// What the forwarded request's headers say differently from the client's.
#[derive(Debug)]
pub(crate) struct Forward<'a> {
    /// The upstream's own name.
    pub(crate) host: &'a HeaderValue,
    /// Which credentials go on.
    pub(crate) keys: Keys,
    /// The operator's, where that is lent.
    pub(crate) credential: Option<&'a Credential>,
    /// The length of a body that was replaced by a plain one; `None` where the client's bytes go on.
    pub(crate) replaced: Option<usize>,
}

/// The headers to send upstream.
pub(crate) fn to_upstream(from: HeaderMap, version: Version, forward: &Forward<'_>) -> HeaderMap {
    let protocol = upgrade(&from);
    let named = Named::of(&from);
    let chunked = from.contains_key(TRANSFER_ENCODING);
    let trailers = from.get_all(TE).iter().any(|value| lists(value, "trailers"));
    let cookies = (version == Version::HTTP_2).then(|| joined_cookies(&from)).flatten();
    let mut to = HeaderMap::with_capacity(from.len() + 2);
    let mut last = None;
    for (name, value) in from {
        let Some(name) = name.or_else(|| last.clone()) else {
            continue;
        };
        last = Some(name.clone());
        let ours = name.as_str().starts_with(OWN_PREFIX);
        if is_hop_by_hop(&name) || ours || (forward.keys != Keys::Own && is_credential(&name)) {
            continue;
        }
        if name == HOST {
            to.insert(HOST, forward.host.clone());
        } else if name == COOKIE && cookies.is_some() {
            to.insert(COOKIE, cookies.clone().unwrap_or(value));
        } else if name == CONTENT_LENGTH || name == CONTENT_ENCODING {
            match forward.replaced {
                None => drop(to.append(name, value)),
                Some(length) if name == CONTENT_LENGTH => drop(to.insert(name, HeaderValue::from(length))),
                Some(_) => {}
            }
        } else if !named.contains(&name) {
            to.append(name, value);
        }
    }
    if !to.contains_key(HOST) {
        to.insert(HOST, forward.host.clone());
    }
    if let Some(length) = forward.replaced {
        to.insert(CONTENT_LENGTH, HeaderValue::from(length));
    } else if chunked && !to.contains_key(CONTENT_LENGTH) {
        // Said here because the client side would otherwise send no body with a GET.
        to.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    if let Some(Credential { name, value }) = forward.credential.filter(|_| forward.keys == Keys::Lent) {
        to.insert(name.clone(), value.clone());
    }
    if trailers {
        to.insert(TE, HeaderValue::from_static("trailers"));
    }
    if let Some(protocol) = protocol {
        to.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        to.insert(UPGRADE, protocol);
    }
    to
}

/// The headers to send to the client.
pub(crate) fn to_client(from: HeaderMap, upgraded: bool) -> HeaderMap {
    let named = Named::of(&from);
    let mut to = HeaderMap::with_capacity(from.len() + 4);
    let mut last = None;
    for (name, value) in from {
        let Some(name) = name.or_else(|| last.clone()) else {
            continue;
        };
        last = Some(name.clone());
        let stays = if upgraded { name == CONNECTION || name == UPGRADE } else { false };
        // What is said of a request under our names is said by us.
        let ours = name.as_str().starts_with(OWN_PREFIX);
        if stays || !(ours || is_hop_by_hop(&name) || named.contains(&name)) {
            to.append(name, value);
        }
    }
    to
}

/// Takes out of an answer's trailers what is said under our names.
pub(crate) fn without_own(trailers: &mut HeaderMap) {
    let own: Vec<HeaderName> = trailers.keys().filter(|name| name.as_str().starts_with(OWN_PREFIX)).cloned().collect();
    for name in own {
        trailers.remove(name);
    }
}

/// The protocol that a request asks to change to. `h2c` is no such wish: clients that speak it send it with any first
/// request and go on in HTTP/1.1 when it is ignored, and as a tunnel it would hide their further requests from us.
pub(crate) fn upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let asked = headers.get_all(CONNECTION).iter().any(|value| lists(value, "upgrade"));
    headers.get(UPGRADE).filter(|protocol| asked && !lists(protocol, "h2c")).cloned()
}

/// All credentials of a request, by the headers that providers and gateways read them from.
pub(crate) fn credentials(headers: &HeaderMap) -> impl Iterator<Item = (&'static str, &HeaderValue)> {
    CREDENTIALS.into_iter().flat_map(|name| headers.get_all(name).iter().map(move |value| (name, value)))
}

fn is_credential(name: &HeaderName) -> bool {
    CREDENTIALS.contains(&name.as_str())
}

/// OpenAI and most others, Azure, Anthropic, Google, Azure's API management, Google's gateway, AWS.
const CREDENTIALS: [&str; 7] = [
    "authorization",
    "api-key",
    "x-api-key",
    "x-goog-api-key",
    "ocp-apim-subscription-key",
    "x-goog-iam-authorization-token",
    "x-amz-security-token",
];

/// Whether the body is signed or digested, so that another body would be refused.
pub(crate) fn is_signed(headers: &HeaderMap) -> bool {
    ["content-digest", "repr-digest", "digest", "content-md5", "signature", "x-amz-content-sha256"]
        .into_iter()
        .any(|name| headers.contains_key(name))
}

/// The body's length as the headers give it.
pub(crate) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether the content type is JSON in UTF-8.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    let json = kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"));
    json && parts.all(|part| match part.split_once('=') {
        Some((key, set)) if key.eq_ignore_ascii_case("charset") => set.trim_matches('"').eq_ignore_ascii_case("utf-8"),
        _ => true,
    })
}

/// The headers that `Connection` names.
struct Named(Vec<String>);

impl Named {
    fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
        let names = values.flat_map(|value| value.split(',')).map(|name| name.trim().to_ascii_lowercase());
        Self(names.filter(|name| !matches!(name.as_str(), "" | "close" | "keep-alive" | "upgrade")).collect())
    }

    fn contains(&self, name: &HeaderName) -> bool {
        self.0.iter().any(|named| named == name.as_str())
    }
}

fn is_hop_by_hop(name: &HeaderName) -> bool {
    [CONNECTION, TRANSFER_ENCODING, UPGRADE, TE, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION].contains(name)
        || matches!(name.as_str(), "keep-alive" | "proxy-connection" | "http2-settings")
}

fn lists(value: &HeaderValue, word: &str) -> bool {
    let Ok(value) = value.to_str() else {
        return false;
    };
    value.split(',').any(|item| item.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(word))
}

/// HTTP/2 may split cookies over several lines, HTTP/1 may not (RFC 9113, 8.2.3).
fn joined_cookies(headers: &HeaderMap) -> Option<HeaderValue> {
    let lines: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    (lines.len() > 1).then(|| HeaderValue::from_bytes(&lines.join(&b"; "[..])).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    fn upstream(from: &[(&'static str, &'static str)], replaced: Option<usize>) -> Vec<(String, String)> {
        let host = HeaderValue::from_static("upstream.example");
        let forward = Forward { host: &host, keys: Keys::Own, credential: None, replaced };
        let to = to_upstream(map(from), Version::HTTP_11, &forward);
        to.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
    }

    fn pairs(lines: &[(&str, &str)]) -> Vec<(String, String)> {
        lines.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn only_hop_by_hop_and_own_headers_are_dropped_and_the_order_stays() {
        let from = [
            ("host", "proxy.example"),
            ("connection", "keep-alive, x-per-hop"),
            ("x-per-hop", "1"),
            ("authorization", "Bearer k"),
            ("te", "trailers, deflate"),
            ("x-headroom-mode", "off"),
            ("x-vendor", "a"),
            ("keep-alive", "timeout=5"),
            ("content-length", "3"),
        ];
        let expected = [
            ("host", "upstream.example"),
            ("authorization", "Bearer k"),
            ("x-vendor", "a"),
            ("content-length", "3"),
            ("te", "trailers"),
        ];
        assert_eq!(upstream(&from, None), pairs(&expected));
    }

    #[test]
    fn a_replaced_body_has_its_own_length_and_no_coding() {
        let from = [("host", "h"), ("content-encoding", "gzip"), ("content-length", "30"), ("accept", "*/*")];
        let expected = [("host", "upstream.example"), ("content-length", "7"), ("accept", "*/*")];
        assert_eq!(upstream(&from, Some(7)), pairs(&expected));
    }

    #[test]
    fn an_upgrade_is_asked_of_the_upstream_too() {
        let from = [("host", "h"), ("connection", "Upgrade"), ("upgrade", "websocket")];
        let expected = [("host", "upstream.example"), ("connection", "upgrade"), ("upgrade", "websocket")];
        assert_eq!(upstream(&from, None), pairs(&expected));
    }

    #[test]
    fn a_key_that_is_lent_goes_on_alone() {
        let host = HeaderValue::from_static("h");
        let from = || map(&[("api-key", "client"), ("x-api-key", "client"), ("authorization", "client")]);
        for (name, key) in [("authorization", "Bearer ours"), ("x-api-key", "ours")] {
            let value = HeaderValue::from_static(key);
            let credential = Credential { name: HeaderName::from_static(name), value: value.clone() };
            let forward = Forward { host: &host, keys: Keys::Lent, credential: Some(&credential), replaced: None };
            for from in [map(&[]), from()] {
                let to = to_upstream(from, Version::HTTP_11, &forward);
                assert_eq!(credentials(&to).collect::<Vec<_>>(), [(name, &value)]);
            }
            let withheld = Forward { keys: Keys::Withheld, ..forward };
            assert_eq!(credentials(&to_upstream(from(), Version::HTTP_11, &withheld)).count(), 0);
        }
    }

    #[test]
    fn an_upstream_speaks_under_none_of_our_names() {
        let to =
            to_client(map(&[("x-headroom-outcome", "compressed"), ("x-headroom-error", "x"), ("x-y", "1")]), false);
        assert_eq!(to, map(&[("x-y", "1")]));
    }

    #[test]
    fn json_is_recognised_by_its_type() {
        for (kind, json) in [
            ("application/json", true),
            ("Application/JSON; charset=UTF-8", true),
            ("application/vnd.api+json", true),
            ("application/json; charset=utf-16", false),
            ("text/plain", false),
            ("multipart/form-data; boundary=x", false),
        ] {
            assert_eq!(is_json(&map(&[("content-type", kind)])), json, "{kind}");
        }
    }
}
