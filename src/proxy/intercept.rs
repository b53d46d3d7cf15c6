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
    coding::Undecoded,
    error::Error,
    headers,
    held::{self, Held, Read},
    passthrough::{Passage, refuse, refuse_unread, relay},
    record::Looked,
    rules::{Ruling, Said},
    seen::Locate,
    slots::{self, Decided, Terms, Why, stage},
};
use crate::{
    engine::Tenant,
    wire::{self, Surface},
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
    // Whoever may not come in is told before the body has come, where the body does not decide.
    let to = match proxy.upstreams.depends_on_model(parts.uri.path()) {
        true => None,
        false => match proxy.address(&parts, None) {
            Ok(to) => Some(to),
            Err(error) => return refuse_unread(&error, account, parts.version, body),
        },
    };
    let sent = async {
        let (passage, model) = prepare(proxy, parts, body, surface, &mut account, to.is_none()).await?;
        let to = to.map_or_else(|| proxy.address(&passage.parts, model.as_deref()), Ok)?;
        Ok::<_, Error>((to, passage))
    };
    match sent.await {
        Ok((to, passage)) => relay(&to, &proxy.tunnels, passage, account).await,
        Err(error) => refuse(&error, account),
    }
}

/// The request to send, and the model that it asks for where `addressed` by it.
async fn prepare(
    proxy: &Proxy,
    parts: Parts,
    body: Incoming,
    surface: Surface,
    account: &mut Account,
    addressed: bool,
) -> Result<(Passage, Option<String>), Error> {
    let ruling = match ruling(proxy, (Some(surface), parts.uri.path(), &parts.headers)) {
        Ok(ruling) if ruling.is_off() => {
            account.outcome = Outcome::Passthrough(Passed::Off);
            None
        }
        Ok(ruling) => Some(ruling),
        Err(why) => {
            unlooked(proxy, &parts, account, why);
            None
        }
    };
    if ruling.is_none() && !addressed {
        return Ok((Passage::new(parts, Upload::streamed(body)), None));
    }
    let tenant = account.owner(&parts.headers).unwrap_or_default();
    let held = match hold(proxy, &parts.headers, tenant, body, proxy.limit()).await? {
        Read::Whole(held) => held,
        // A text is not sent to another server than it is for, only because there is no room to see which that is.
        Read::TooLarge(..) if addressed => return Err(Error::TooLarge),
        Read::NoRoom(..) if addressed => return Err(Error::Busy),
        Read::TooLarge(read, rest) => {
            unlooked(proxy, &parts, account, Why::TooLarge);
            return Ok((Passage::new(parts, Upload::resumed(read, rest)), None));
        }
        Read::NoRoom(read, rest) => {
            unlooked(proxy, &parts, account, Why::NoRoom);
            return Ok((Passage::new(parts, Upload::resumed(read, rest)), None));
        }
    };
    let model = if addressed { model(proxy, &parts.headers, &held).await? } else { None };
    let Some(ruling) = ruling else {
        let Held { bytes, trailers, share } = held;
        return Ok((Passage::new(parts, Upload::whole(share.keep(bytes), trailers)), model));
    };
    let since = Instant::now();
    let mode = ruling.mode();
    let decided = decide(proxy, &parts.headers, &held, Locate::Of(surface), ruling, account).await.map(Arc::new);
    let (outcome, condensed) = settle(&decided).await;
    account.outcome = outcome;
    let decided = decided.as_deref().ok();
    proxy.note(account, &Looked { headers: &parts.headers, mode, since, decided });
    let replaced = condensed.as_ref().map(Bytes::len);
    let Held { bytes, trailers, share } = held;
    let body = Upload::whole(share.keep(condensed.unwrap_or(bytes)), trailers);
    Ok((Passage { parts, body, replaced, read_at: Some(since) }, model))
}

/// Reads a request's body of at most `limit` bytes into its tenant's room.
async fn hold(proxy: &Proxy, headers: &HeaderMap, tenant: Tenant, body: Incoming, limit: usize) -> Result<Read, Error> {
    let announced = headers::content_length(headers);
    let pause = Duration::from_secs(proxy.config.client_timeout_seconds);
    held::read(body, announced, limit, pause, &proxy.room.of(tenant)).await
}

/// The body of a request that the proxy answers itself, and so has to read.
///
/// # Errors
/// When it is longer than `limit` bytes, there is no room for it, or the client breaks off.
pub(crate) async fn whole(proxy: &Proxy, headers: &HeaderMap, body: Incoming, limit: usize) -> Result<Held, Error> {
    match hold(proxy, headers, tenant(headers), body, limit).await? {
        Read::Whole(held) => Ok(held),
        Read::TooLarge(..) => Err(Error::TooLarge),
        Read::NoRoom(..) => Err(Error::Busy),
    }
}

/// The model that a body asks for; `None` where it cannot be read.
async fn model(proxy: &Proxy, headers: &HeaderMap, held: &Held) -> Result<Option<String>, Error> {
    match held::plain(headers, held, proxy.limit(), |_| None).await {
        Ok(plain) => Ok(stage(plain.bytes.len(), move || wire::model(&plain.bytes)).await.flatten()),
        Err(Why::Undecoded(Undecoded::TooLarge)) => Err(Error::TooLarge),
        Err(Why::Undecoded(Undecoded::NoRoom)) => Err(Error::Busy),
        Err(_) => Ok(None),
    }
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
    locate: Locate,
    ruling: Ruling,
    account: &mut Account,
) -> Result<Decided, Why> {
    if headers::is_signed(headers) || held.trailers.is_some() {
        return Err(Why::Signed);
    }
    let (tenant, conversations) = (held.share.room().tenant(), Arc::clone(&proxy.conversations));
    let begun = {
        let (surface, conversations) = (locate.surface(), Arc::clone(&conversations));
        move |body: &Bytes| conversations.begun(tenant, surface?, body, Instant::now())
    };
    let plain = held::plain(headers, held, proxy.limit(), begun).await?;
    let deadline = proxy.engine.deadline(account.began(), Instant::now());
    // What another gateway hands over has no answer here that could be compared.
    let surface = !account.surface().is_empty();
    let holdout = proxy.holdout.clone().filter(|_| surface);
    // Nor does anybody whose credential is known here read what it says.
    let originals = proxy.originals.clone().filter(|_| surface);
    let terms = Terms { ruling, tenant, query: None, deadline, holdout, originals, conversations };
    let decided = slots::decide(&proxy.engine, proxy.reviewer.as_ref(), plain, locate, &terms).await?;
    account.model.clone_from(&decided.located.model);
    account.slots = decided.has_looked().then(|| decided.count(account.metrics()));
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
