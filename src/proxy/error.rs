//! The proxy's own failures, and the only place where they become HTTP: OpenAI's error envelope, and a header that
//! names the proxy as their source.

use http::{HeaderValue, Response, StatusCode, header};

use super::{body::Answer, headers};

/// A failure that the client is told of.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// No connection, or it broke before the answer's head.
    #[error("the upstream cannot be reached")]
    Unreachable(#[source] hyper_util::client::legacy::Error),
    /// The connection broke before the answer's head; the request may have been read.
    #[error("the upstream closed the connection before it answered")]
    NoAnswer(#[source] hyper_util::client::legacy::Error),
    /// Nothing came within the idle timeout.
    #[error("the upstream did not answer in time")]
    TimedOut,
    /// The client stopped sending its request.
    #[error("the request's body did not arrive in time")]
    ClientTooSlow,
    /// The client's body broke off.
    #[error("the request's body cannot be read")]
    ClientBroke,
    /// The request's target cannot be forwarded.
    #[error("the request's target cannot be forwarded")]
    Target,
    /// The upstream changed protocol without being asked to.
    #[error("the upstream changed the protocol unasked")]
    UnaskedUpgrade,
    /// Nothing of this name under `/headroom/`.
    #[error(
        "there is no such page; `/headroom/` itself is a page for the browser, and has health, ready, metrics, settings, compress, explain, audit and mcp"
    )]
    NoSuchPage,
    /// A page of the proxy's own that takes another method.
    #[error("this page takes another method")]
    Method,
    /// An account is asked for where none is kept.
    #[error(
        "nothing is kept of requests: `explain.mode` is `off`, or `auto` while the proxy listens beyond loopback; `on` \
         keeps it"
    )]
    ExplainOff,
    /// A list of accounts is asked for by nobody in particular.
    #[error(
        "send the credential of the requests that you ask for; the operator reads everything by `headroom explain` under \
         the user that runs the proxy, or without any credential from the same machine where `explain.local_reads` is true"
    )]
    ExplainWhose,
    /// No account of this id that the reader may read.
    #[error(
        "no account of this request: only requests that were looked at have one (`x-headroom-request-id`), it is \
         gone after a restart, and it is read with the request's own credential or by the operator (`headroom explain`)"
    )]
    ExplainUnknown,
    /// There was an account of this id.
    #[error(
        "the account of this request is no longer kept: it was older than `explain.keep_s` or there was no room left \
         (`explain.mib`); send the request again to look at it anew"
    )]
    ExplainGone,
    /// An original is asked for where none is kept.
    #[error("no originals are kept: start the proxy with `HEADROOM_ORIGINALS__ENABLED=true`")]
    OriginalsOff,
    /// An original is asked for by nobody in particular.
    #[error(
        "send the credential with which the agent sends its requests, in the same header; without one, a program on the \
         proxy's own machine that addresses it as localhost or 127.0.0.1 reads what was sent without one"
    )]
    OriginalsWhose,
    /// More requests than the client of the key has.
    #[error("`{client}` has {limit} requests a minute, and they are used up; try again in {retry_after} s")]
    TooManyRequests {
        /// Its name.
        client: String,
        /// Requests a minute.
        limit: u32,
        /// Seconds.
        retry_after: u64,
    },
    /// More tokens than the client of the key has.
    #[error("`{client}` has {limit} tokens a day, and they are used up; it begins anew in {retry_after} s (UTC)")]
    TokensSpent {
        /// Its name.
        client: String,
        /// Tokens a day.
        limit: u64,
        /// Seconds.
        retry_after: u64,
    },
    /// The page is looked at by nobody who may.
    #[error(
        "this page is for programs on the proxy's own machine that address it as localhost or 127.0.0.1, for the operator \
         (`headroom page` prints a link with a key) and for whoever sends the credential of the requests to look at"
    )]
    PageCredential,
    /// The operator's key is lent to nobody in particular.
    #[error(
        "this proxy puts in its operator's key, and only for programs on its own machine: address it as localhost or \
         127.0.0.1 (or by a name in `access.allowed_hosts`), not from a web page and not through another proxy. From \
         elsewhere send a key of your own, or have the operator set `access.client_keys`"
    )]
    NotLent,
    /// The operator's key is lent to those with a client key.
    #[error(
        "this proxy puts in its operator's key for those who send a client key of its own (`access.client_keys`), as \
         `Authorization: Bearer KEY`"
    )]
    ClientKey,
    /// A client key would be sent to a server for which the operator has no key.
    #[error(
        "this proxy has no operator's key for the server that the request is for, and a client key of its own is not sent \
         there; send a key of your own"
    )]
    NoKey,
    /// A web page of another origin asks for an own page.
    #[error("the proxy's own pages are not for web pages of another origin; ask from a program or the address bar")]
    CrossSite,
    /// A request to `/headroom/compress` or `/v1/compress` that cannot be understood.
    #[error("{0}")]
    BadRequest(&'static str),
    /// A request to `/v1/compress` that asks for what cannot be done.
    #[error("`{name}` {remedy}")]
    Refused {
        /// The field.
        name: String,
        /// What it may be.
        remedy: &'static str,
    },
    /// A request to `/headroom/compress` or `/v1/compress` that is too long.
    #[error("the request is longer than the configured limit")]
    TooLarge,
    /// The room for held bodies is taken.
    #[error("too many requests at the same time; try again")]
    Busy,
    /// A fault of the proxy's own.
    #[error("a fault of the proxy's own")]
    Internal,
}

impl Error {
    /// The word used in the envelope, the header, metrics and logs.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "upstream_unreachable",
            Self::NoAnswer(_) => "upstream_no_answer",
            Self::TimedOut => "upstream_timeout",
            Self::ClientTooSlow => "client_timeout",
            Self::ClientBroke => "client_broke_off",
            Self::Target => "bad_target",
            Self::UnaskedUpgrade => "upstream_protocol",
            Self::NoSuchPage => "not_found",
            Self::Method => "method_not_allowed",
            Self::ExplainOff => "explain_off",
            Self::ExplainWhose => "explain_credential",
            Self::ExplainUnknown => "explain_unknown",
            Self::ExplainGone => "explain_gone",
            Self::PageCredential => "page_credential",
            Self::OriginalsOff => "originals_off",
            Self::OriginalsWhose => "originals_credential",
            Self::TooManyRequests { .. } => "budget_requests",
            Self::TokensSpent { .. } => "budget_tokens",
            Self::NotLent => "key_not_lent",
            Self::ClientKey => "client_key",
            Self::NoKey => "no_key",
            Self::CrossSite => "cross_site",
            Self::BadRequest(_) | Self::Refused { .. } => "bad_request",
            Self::TooLarge => "too_large",
            Self::Busy => "overloaded",
            Self::Internal => "internal_fault",
        }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::Unreachable(_) | Self::NoAnswer(_) | Self::UnaskedUpgrade => StatusCode::BAD_GATEWAY,
            Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            Self::ClientTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::ClientBroke | Self::Target | Self::BadRequest(_) | Self::Refused { .. } => StatusCode::BAD_REQUEST,
            Self::NoSuchPage | Self::ExplainOff | Self::ExplainUnknown | Self::ExplainGone | Self::OriginalsOff => {
                StatusCode::NOT_FOUND
            }
            Self::ExplainWhose
            | Self::OriginalsWhose
            | Self::PageCredential
            | Self::NotLent
            | Self::ClientKey
            | Self::NoKey
            | Self::CrossSite => StatusCode::FORBIDDEN,
            Self::TooManyRequests { .. } | Self::TokensSpent { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether it lies between the proxy and the upstream.
    pub(crate) const fn is_upstream(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::NoAnswer(_) | Self::TimedOut | Self::UnaskedUpgrade)
    }

    /// The answer to the client.
    pub(crate) fn response(&self) -> Response<Answer> {
        let code = self.code();
        let envelope = serde_json::json!({"error": {
            "message": format!("headroom: {self}"),
            "type": format!("headroom_{code}"),
            "param": null,
            "code": code,
        }});
        let mut response = Response::new(Answer::own(envelope.to_string()));
        *response.status_mut() = self.status();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().insert(headers::ERROR, HeaderValue::from_static(code));
        if let Self::TooManyRequests { retry_after, .. } | Self::TokensSpent { retry_after, .. } = self {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*retry_after));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn an_own_error_has_openais_envelope_and_names_the_proxy() {
        let response = Error::TimedOut.response();
        assert_eq!(response.status(), 504);
        assert_eq!(response.headers()["x-headroom-error"], "upstream_timeout");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let envelope: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(envelope["error"]["type"], "headroom_upstream_timeout");
        assert!(envelope["error"]["param"].is_null());
    }
}
