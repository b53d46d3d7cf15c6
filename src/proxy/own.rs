//! The proxy's own pages under `/headroom/`; every other path is the upstream's.

use std::{
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};

use super::{
    Proxy, access,
    account::{Account, End, Route, Slots},
    body::{Answer, let_end},
    error::Error,
    explained, held, intercept, mcp, page,
    passthrough::refuse,
    peers, review,
    rules::Ruling,
    seen::Locate,
    settings,
    slots::{self, Decided, Terms, Why},
};
use crate::{
    compress::{Encoding, Policy, Query, Ratio, Unit, UnitAccount, text::exact},
    engine::{Cache, Job, Readiness, Reply},
    explain,
    fidelity::Verdict,
    telemetry::{
        self,
        metrics::{ReasonLabel, RememberedLabel, level, take, take_seconds},
    },
    wire,
};

/// Where the proxy's own pages begin.
pub(crate) const PREFIX: &str = "/headroom/";

/// Answers a request to a page of the proxy's own.
pub(crate) async fn answer(
    proxy: &Arc<Proxy>,
    request: Request<Incoming>,
    mut account: Box<Account>,
    local: bool,
) -> Response<Answer> {
    account.route = Route::Own;
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default().to_owned();
    let reads = parts.method == Method::GET || parts.method == Method::HEAD;
    let (name, of) = path.split_once('/').map_or((path.as_str(), None), |(name, of)| (name, Some(of)));
    let elsewhere = access::only_own_origin(&parts);
    if of.is_none() && elsewhere.is_ok() {
        match name {
            "mcp" => return told(mcp::answer(proxy, parts, body, local).await, account),
            "compress" if parts.method == Method::POST => {
                let outcome = compress(proxy, &parts, body, &mut account).await;
                return told(outcome, account);
            }
            _ => {}
        }
    }
    // No other page reads one.
    let_end(parts.version, body);
    let outcome = match name {
        // Followed from anywhere, a link shows a page that holds nothing yet, and whose opener cannot look into it.
        "" if of.is_none() && reads && (elsewhere.is_ok() || access::is_visited(&parts)) => Ok(page::shell()),
        // A probe says nothing that a page could use.
        name if !matches!(name, "health" | "ready") && elsewhere.is_err() => {
            elsewhere.map(|()| Response::new(Answer::own("")))
        }
        "explain" if reads => explained::answer(proxy, &parts, local, of),
        _ if of.is_some() => Err(Error::NoSuchPage),
        "health" if reads => Ok(page_of(StatusCode::OK, &json!({"status": "alive"}))),
        "ready" if reads => Ok(ready(proxy)),
        "settings" if reads => settings::answer(proxy, &parts, local),
        "state" if reads => page::state(proxy, &parts, local),
        "events" if reads => page::events(proxy, &parts, local),
        "metrics" if reads => Ok(metrics(proxy)),
        "audit" if reads => Ok(audit(proxy)),
        "" | "health" | "ready" | "metrics" | "settings" | "compress" | "explain" | "audit" | "state" | "events" => {
            Err(Error::Method)
        }
        _ => Err(Error::NoSuchPage),
    };
    told(outcome, account)
}

fn told(outcome: Result<Response<Answer>, Error>, mut account: Box<Account>) -> Response<Answer> {
    match outcome {
        Ok(mut response) => {
            account.end(End::Complete);
            account.answered(response.status(), response.headers_mut());
            response
        }
        Err(error) => refuse(&error, account),
    }
}

fn ready(proxy: &Proxy) -> Response<Answer> {
    let reason = match proxy.engine.readiness() {
        _ if proxy.life.is_draining() => "the process is about to stop".into(),
        Readiness::Ready => return page_of(StatusCode::OK, &json!({"status": "ready"})),
        Readiness::Loading => "the model is being loaded".into(),
        Readiness::Failed(reason) => reason,
    };
    page_of(StatusCode::SERVICE_UNAVAILABLE, &json!({"status": "unready", "reason": &*reason}))
}

fn audit(proxy: &Proxy) -> Response<Answer> {
    let report = proxy.audit.lock().unwrap_or_else(PoisonError::into_inner).clone();
    page_of(StatusCode::OK, &report)
}

fn metrics(proxy: &Proxy) -> Response<Answer> {
    let (stats, engine) = (proxy.engine.stats(), &proxy.metrics.engine);
    let ready = proxy.engine.readiness() == Readiness::Ready && !proxy.life.is_draining();
    for (gauge, size) in [
        (&engine.ready, u64::from(ready)),
        (&engine.model_stuck, u64::from(stats.stuck)),
        (&engine.queued, stats.queued),
        (&engine.cached, stats.cached),
        (&engine.cached_bytes, stats.cached_bytes),
    ] {
        level(gauge, size);
    }
    for (counter, count) in [
        (&engine.model_calls, stats.inference_calls),
        (&engine.evictions, stats.evictions),
        (&engine.joined, stats.joined),
        (&engine.replayed, stats.replayed),
        (&engine.hurried, stats.hurried),
        (&engine.cancelled, stats.cancelled),
        (&engine.panics, stats.panics),
    ] {
        take(counter, count);
    }
    take_seconds(&engine.model_seconds, stats.inference_time.as_secs_f64());
    for (reason, count) in [
        ("deadline", stats.forced_deadline),
        ("overloaded", stats.forced_overloaded),
        ("model_failed", stats.forced_model_failed),
        ("unverified", stats.forced_unverified),
    ] {
        take(&engine.forced.get_or_create(&ReasonLabel { reason }), count);
    }
    for (what, size) in
        [("choice", stats.chosen), ("original", stats.remembered), ("verdict", stats.judged), ("level", stats.levels)]
    {
        level(&engine.remembered.get_or_create(&RememberedLabel { what }), size);
    }
    if let Some(originals) = &proxy.originals {
        let (sizes, metrics) = (originals.sizes(), &proxy.metrics.originals);
        level(&metrics.kept, sizes.originals);
        level(&metrics.bytes, sizes.bytes);
        take(&metrics.lost, sizes.lost);
    }
    if let Some(stats) = stats.peers {
        peers::count(&stats, &proxy.metrics.peers);
    }
    take(&proxy.metrics.log_lost, telemetry::lost_lines());
    proxy.metrics.held.set(i64::try_from(proxy.room.held()).unwrap_or(i64::MAX));
    if let Some(reviewer) = &proxy.reviewer {
        review::count(reviewer, &proxy.metrics);
    }
    let mut response = Response::new(Answer::own(proxy.metrics.to_text()));
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

pub(crate) fn page_of(status: StatusCode, page: &impl Serialize) -> Response<Answer> {
    let mut response = Response::new(Answer::own(serde_json::to_vec(page).unwrap_or_default()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// What `/headroom/compress` takes: one of `text` and `messages`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    text: Option<String>,
    messages: Option<Box<RawValue>>,
    /// What is asked of the text.
    query: Option<String>,
    /// `auto` or 2–20.
    ratio: Option<Written>,
    /// The target model, for its token encoding.
    model: Option<String>,
    /// Whether to give the units of `text` in pieces, as the page shows them.
    #[serde(default)]
    pieces: bool,
}

/// A ratio is written as a number or as a word.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Written {
    Number(serde_json::Number),
    Text(String),
}

impl Wanted {
    fn ratio(&self, proxy: &Proxy) -> Result<Ratio, Error> {
        let written = match &self.ratio {
            None => return Ok(proxy.policy.ratio),
            Some(Written::Number(number)) => number.to_string(),
            Some(Written::Text(text)) => text.clone(),
        };
        written.parse().map_err(|_| Error::BadRequest("`ratio` is `auto` or a number from 2 to 20"))
    }
}

async fn compress(
    proxy: &Proxy,
    parts: &Parts,
    body: Incoming,
    account: &mut Account,
) -> Result<Response<Answer>, Error> {
    proxy.follow(account, &parts.headers);
    if let Err(error) = proxy.charge(account, &parts.headers) {
        let_end(parts.version, body);
        return Err(error);
    }
    let held = intercept::whole(proxy, &parts.headers, body, proxy.limit()).await?;
    let bytes = held::plain(&HeaderMap::new(), &held, proxy.limit(), |_| None).await.map_err(|_| Error::Busy)?.bytes;
    let began = Instant::now();
    let wanted: Wanted = serde_json::from_slice(&bytes).map_err(|_| Error::BadRequest(FORM))?;
    let policy = Policy { ratio: wanted.ratio(proxy)?, ..proxy.policy.clone() };
    let deadline = began.checked_add(Duration::from_secs(proxy.config.compress_timeout_seconds));
    let terms = Terms {
        ruling: Ruling::plain(policy),
        tenant: held.share.room().tenant(),
        query: wanted.query,
        deadline,
        holdout: None,
        originals: None,
        conversations: Arc::clone(&proxy.conversations),
    };
    let (page, tokens) = match (wanted.text, wanted.messages) {
        (Some(text), None) => of_text(proxy, text, (wanted.model, wanted.pieces), terms, began).await?,
        (None, Some(_)) => of_messages(proxy, bytes, &terms, began).await?,
        _ => return Err(Error::BadRequest(FORM)),
    };
    account.slots = Some(Slots { tokens_before: tokens.0, tokens_after: tokens.1, ..Slots::default() });
    let mut response = Response::new(Answer::own(page));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

const FORM: &str =
    "give a JSON object with `text` or `messages`, and optionally `query`, `ratio` (`auto` or 2 to 20) and `model`";

fn json_of(page: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(page).map_err(|_| Error::Internal)
}

/// What became of one text.
#[derive(Debug, Serialize)]
struct TextPage<'a> {
    text: &'a str,
    #[serde(flatten)]
    account: SlotPage<'a>,
    ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pieces: Option<Vec<explain::Row<'a>>>,
}

/// What became of the messages of a request.
#[derive(Debug, Serialize)]
struct MessagesPage<'a> {
    messages: &'a RawValue,
    tokens_before: usize,
    tokens_after: usize,
    ms: u64,
    slots: Vec<PlacedPage<'a>>,
}

/// One slot and where it stands.
#[derive(Debug, Serialize)]
struct PlacedPage<'a> {
    message: usize,
    part: Option<usize>,
    #[serde(flatten)]
    account: SlotPage<'a>,
}

/// The account of one slot.
#[derive(Debug, Serialize)]
struct SlotPage<'a> {
    outcome: &'static str,
    reason: Option<&'static str>,
    tokens_before: usize,
    tokens_after: usize,
    /// Original : condensed.
    ratio: f64,
    cache: &'static str,
    /// What the fidelity check says by now, where it is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    fidelity: Option<&'a Verdict>,
    units: Vec<UnitAccount>,
}

impl<'a> SlotPage<'a> {
    fn of(reply: &'a Reply, accepted: bool, fidelity: Option<&'a Arc<Verdict>>) -> Self {
        let condensation = &*reply.condensation;
        let before = condensation.tokens_before;
        let after = if accepted { condensation.tokens_after } else { before };
        Self {
            outcome: if accepted { "compressed" } else { "unchanged" },
            reason: (!accepted).then(|| slots::reason(condensation).as_str()),
            tokens_before: before,
            tokens_after: after,
            ratio: if after > 0 { before as f64 / after as f64 } else { 1.0 },
            cache: if reply.cache == Cache::Hit { "hit" } else { "miss" },
            fidelity: fidelity.map(|verdict| &**verdict),
            units: condensation.units.iter().map(Unit::account).collect(),
        }
    }
}

async fn of_text(
    proxy: &Proxy,
    text: String,
    (model, pieces): (Option<String>, bool),
    terms: Terms,
    began: Instant,
) -> Result<(Vec<u8>, (usize, usize)), Error> {
    let text: Arc<str> = text.into();
    let job = Job {
        text: Arc::clone(&text).into(),
        query: Query { preceding: terms.query.unwrap_or_default(), ..Query::default() },
        policy: terms.ruling.policy(),
        encoding: model.as_deref().map(Encoding::of_model).unwrap_or_default(),
        tenant: terms.tenant,
    };
    let (replies, verdicts) =
        slots::answered(&proxy.engine.batch(), proxy.reviewer.as_ref(), vec![job], model.as_deref(), terms.deadline)
            .await
            .map_err(|_| Error::Internal)?;
    let reply = replies.first().ok_or(Error::Internal)?;
    let condensed = reply.condensation.text();
    let sent = exact::untagged(condensed.unwrap_or(&text));
    let verdict = verdicts.of(0);
    let pieces = pieces.then(|| explain::rows(&text, &reply.condensation, verdict.map(|verdict| &**verdict)));
    let account = SlotPage::of(reply, condensed.is_some(), verdict);
    let tokens = (account.tokens_before, account.tokens_after);
    Ok((json_of(&TextPage { text: &sent, account, ms: millis(began), pieces })?, tokens))
}

async fn of_messages(
    proxy: &Proxy,
    body: Bytes,
    terms: &Terms,
    began: Instant,
) -> Result<(Vec<u8>, (usize, usize)), Error> {
    let (engine, reviewer) = (proxy.engine.batch(), proxy.reviewer.as_ref());
    let decided = match slots::decide(&engine, reviewer, body.clone().into(), Locate::by(wire::locate_any), terms).await
    {
        Ok(decided) => Arc::new(decided),
        Err(Why::Fault) => return Err(Error::Internal),
        Err(_) => return Err(Error::BadRequest("`messages` is no list of chat messages")),
    };
    let spliced = Arc::clone(&decided).splice().await.map_err(|_| Error::Internal)?;
    let body = spliced.unwrap_or(body);
    let wanted: Wanted = serde_json::from_slice(&body).map_err(|_| Error::Internal)?;
    let slots: Vec<PlacedPage<'_>> = placed(&decided).collect();
    let page = MessagesPage {
        messages: wanted.messages.as_deref().ok_or(Error::Internal)?,
        tokens_before: slots.iter().map(|slot| slot.account.tokens_before).sum(),
        tokens_after: slots.iter().map(|slot| slot.account.tokens_after).sum(),
        ms: millis(began),
        slots,
    };
    Ok((json_of(&page)?, (page.tokens_before, page.tokens_after)))
}

fn placed(decided: &Decided) -> impl Iterator<Item = PlacedPage<'_>> {
    decided.replies.iter().enumerate().filter_map(|(place, (index, reply))| {
        let slot = decided.located.slots.get(*index)?;
        let accepted = decided.accepted(*index, &reply.condensation).is_some();
        let account = SlotPage::of(reply, accepted, decided.verdicts.of(place));
        Some(PlacedPage { message: slot.message, part: slot.part, account })
    })
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
