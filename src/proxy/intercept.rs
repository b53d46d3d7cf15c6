//! Requests of the surfaces: held, looked at, condensed, forwarded. Every step that cannot be taken means that the
//! client's own bytes go on, with the reason in the answer's headers.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request, Response, request::Parts};
use hyper::body::Incoming;

use super::{
    Mode, Proxy,
    account::{Account, Outcome, Passed, Route},
    body::{Answer, Upload},
    headers,
    held::{self, Held, Read},
    passthrough::{Passage, refuse, relay},
    record::Looked,
    rules::{Ruling, Said},
    slots::{self, Decided, Terms, Why},
};
use crate::{
    engine::Tenant,
    wire::{self, Located, Surface, Unreadable},
};

/// Answers a request of a surface.
pub(crate) async fn intercept(
    proxy: &Proxy,
    request: Request<Incoming>,
    surface: Surface,
    mut account: Box<Account>,
) -> Response<Answer> {
    account.route = Route::Intercepted(surface);
    account.cached_price = proxy.config.cached_token_price;
    account.decoders = Some(Arc::clone(&proxy.decoders));
    let (parts, body) = request.into_parts();
    let passage = match prepare(proxy, parts, body, surface, &mut account).await {
        Ok(passage) => passage,
        Err(error) => return refuse(&error, account),
    };
    let upstream = proxy.upstreams.of(passage.parts.uri.path(), &passage.parts.headers);
    relay(upstream, &proxy.tunnels, passage, account).await
}

async fn prepare(
    proxy: &Proxy,
    parts: Parts,
    body: Incoming,
    surface: Surface,
    account: &mut Account,
) -> Result<Passage, super::error::Error> {
    let ruling = match ruling(proxy, (Some(surface), parts.uri.path(), &parts.headers)) {
        Ok(ruling) if ruling.is_off() => {
            account.outcome = Outcome::Passthrough(Passed::Off);
            return Ok(Passage::new(parts, Upload::streamed(body)));
        }
        Ok(ruling) => ruling,
        Err(why) => {
            unlooked(proxy, &parts, account, why);
            return Ok(Passage::new(parts, Upload::streamed(body)));
        }
    };
    let announced = headers::content_length(&parts.headers);
    let pause = Duration::from_secs(proxy.config.client_timeout_seconds);
    let held = match held::read(body, announced, proxy.limit(), pause, &proxy.room).await? {
        Read::Whole(held) => held,
        Read::TooLarge(read, rest) => {
            unlooked(proxy, &parts, account, Why::TooLarge);
            return Ok(Passage::new(parts, Upload::resumed(read, rest)));
        }
        Read::NoRoom(read, rest) => {
            unlooked(proxy, &parts, account, Why::NoRoom);
            return Ok(Passage::new(parts, Upload::resumed(read, rest)));
        }
    };
    let since = Instant::now();
    let mode = ruling.mode();
    let decided = decide(proxy, &parts.headers, &held, move |body| wire::locate(surface, body), ruling, account)
        .await
        .map(Arc::new);
    let (outcome, condensed) = settle(&decided).await;
    account.outcome = outcome;
    let decided = decided.as_deref().ok();
    proxy.note(account, &Looked { headers: &parts.headers, mode, since, decided });
    let replaced = condensed.as_ref().map(Bytes::len);
    let Held { bytes, trailers, share } = held;
    let body = Upload::whole(share.keep(condensed.unwrap_or(bytes)), trailers);
    Ok(Passage { parts, body, replaced, read_at: Some(since) })
}

/// The request goes on without a look into its body.
fn unlooked(proxy: &Proxy, parts: &Parts, account: &mut Account, why: Why) {
    account.outcome = Outcome::Unchanged(why.as_str());
    let since = Instant::now();
    proxy.note(account, &Looked { headers: &parts.headers, mode: proxy.config.mode, since, decided: None });
}

/// What becomes of each slot of a body, as `locate` finds them.
pub(crate) async fn decide(
    proxy: &Proxy,
    headers: &HeaderMap,
    held: &Held,
    locate: impl FnOnce(&[u8]) -> Result<Located, Unreadable> + Send + 'static,
    ruling: Ruling,
    account: &mut Account,
) -> Result<Decided, Why> {
    if headers::is_signed(headers) || held.trailers.is_some() {
        return Err(Why::Signed);
    }
    let plain = held::plain(headers, &held.bytes, proxy.limit(), &proxy.room).await?;
    let deadline = proxy.engine.deadline(Instant::now());
    // What another gateway hands over has no answer here that could be compared.
    let holdout = proxy.holdout.clone().filter(|_| !account.surface().is_empty());
    let terms = Terms { ruling, tenant: tenant(headers), query: None, deadline, holdout };
    let decided = slots::decide(&proxy.engine, proxy.reviewer.as_ref(), plain, locate, &terms).await?;
    account.model.clone_from(&decided.located.model);
    account.slots = Some(decided.count(account.metrics()));
    Ok(decided)
}

/// What is done with a request, and the body to send instead where there is one.
pub(crate) async fn settle(decided: &Result<Arc<Decided>, Why>) -> (Outcome, Option<Bytes>) {
    let spliced = match decided {
        Ok(decided) => Arc::clone(decided).splice().await.map(|spliced| (decided.outcome(), spliced)),
        Err(why) => Err(*why),
    };
    spliced.unwrap_or_else(|why| (Outcome::Unchanged(why.as_str()), None))
}

/// Whose request it is, for the engine: requests without a credential share what is known.
pub(crate) fn tenant(headers: &HeaderMap) -> Tenant {
    owner(headers).unwrap_or_default()
}

/// Whose request it is: the hash of all its credentials, where it has one. A gateway's key that many share does not make
/// them one.
pub(crate) fn owner(headers: &HeaderMap) -> Option<Tenant> {
    let credentials: Vec<_> = headers::credentials(headers).collect();
    let key = match credentials.as_slice() {
        [] => return None,
        [(_, one)] => blake3::derive_key("headroom tenant of a credential, version 1", one.as_bytes()),
        several => {
            let mut hash = blake3::Hasher::new_derive_key("headroom tenant of several credentials, version 1");
            for field in several.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]) {
                hash.update(&(field.len() as u64).to_le_bytes()).update(field);
            }
            *hash.finalize().as_bytes()
        }
    };
    let mut tenant = Tenant::default();
    tenant.0.copy_from_slice(key.split_at(16).0);
    Some(tenant)
}

/// What holds for the texts of a request that says so in its headers; `surface` is `None` for what another gateway hands
/// over.
pub(crate) fn ruling(proxy: &Proxy, parts: (Option<Surface>, &str, &HeaderMap)) -> Result<Ruling, Why> {
    let (_, _, headers) = parts;
    let mode = match control(headers, &headers::MODE)? {
        _ if bypass(headers)? => Some(Mode::Off),
        None => None,
        Some(word) => Some(Mode::parse(word).ok_or(Why::InvalidHeader)?),
    };
    let ratio = control(headers, &headers::RATIO)?.map(|ratio| ratio.parse().map_err(|_| Why::InvalidHeader));
    let style = control(headers, &headers::STYLE)?.map(|style| style.parse().map_err(|_| Why::InvalidHeader));
    let said = Said { mode, ratio: ratio.transpose()?, style: style.transpose()? };
    Ok(Ruling::new((proxy.config.mode, proxy.policy.clone()), &proxy.rules, said, parts))
}

/// Whether the request is to be left alone, in the words of the like-named project.
fn bypass(headers: &HeaderMap) -> Result<bool, Why> {
    Ok(control(headers, &headers::BYPASS)?.is_some_and(|word| word.eq_ignore_ascii_case("true")))
}

/// The one value of a control header.
fn control<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Why> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Why::InvalidHeader);
    }
    value.to_str().map(|value| Some(value.trim())).map_err(|_| Why::InvalidHeader)
}
