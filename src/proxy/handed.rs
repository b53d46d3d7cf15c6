//! `POST /v1/compress`: the call by which other gateways (LiteLLM's and Portkey's guardrails among them) have the
//! messages of a request condensed before they send it themselves. Chat, Responses and Messages shapes are read, the same
//! shape goes back, and nothing is forwarded: the request is ours, key and all.
//!
//! The contract is that of the like-named project. What its `config` asks for is done, or refused by the field's name:
//! a caller that is told "done" must be able to rely on it. What is not possible at all here is whatever would let a text
//! change its form while its conversation grows.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header, request::Parts};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};

use super::{
    Proxy, access,
    account::{Account, End, Outcome, Passed, Route},
    body::Answer,
    coding::Undecoded,
    error::Error,
    held::{self, Held},
    intercept::{self, settle},
    passthrough::refuse,
    record::Looked,
    seen::Locate,
    slots::Why,
};
use crate::{
    compress::{Factor, Ratio},
    wire::{self, Located, Role, Unreadable},
};

/// Where it is called.
pub(crate) const PATH: &str = "/v1/compress";

/// Answers such a call.
pub(crate) async fn answer(proxy: &Proxy, request: Request<Incoming>, mut account: Box<Account>) -> Response<Answer> {
    account.route = Route::Handed;
    let (parts, body) = request.into_parts();
    match handed(proxy, &parts, body, &mut account).await {
        Ok(mut response) => {
            account.end(End::Complete);
            account.answered(response.status(), response.headers_mut());
            response
        }
        Err(error) => refuse(&error, account),
    }
}

async fn handed(
    proxy: &Proxy,
    parts: &Parts,
    body: Incoming,
    account: &mut Account,
) -> Result<Response<Answer>, Error> {
    access::only_own_origin(parts)?;
    if parts.method != Method::POST {
        return Err(Error::Method);
    }
    let parts_of = (None, parts.uri.path(), &parts.headers);
    let mut ruling = intercept::ruling(proxy, parts_of).map_err(|_| Error::BadRequest(HEADER))?;
    let held = intercept::whole(proxy, &parts.headers, body, proxy.limit()).await?;
    let since = Instant::now();
    let plain = held::plain(&parts.headers, &held, proxy.limit(), |_| None).await;
    let plain = plain.map_err(|why| match why {
        Why::Undecoded(Undecoded::NoRoom) => Error::Busy,
        _ => Error::BadRequest("the body's coding cannot be read"),
    })?;
    let wanted = Wanted::read(&plain.bytes)?;
    let settings = Settings::of(&wanted.config.unwrap_or_default())?;
    if let Some(ratio) = settings.ratio {
        ruling.say_ratio(ratio);
    }
    if ruling.is_off() {
        account.outcome = Outcome::Passthrough(Passed::Off);
        return page(&plain.bytes, (0, 0));
    }
    let locate = Locate::by(move |body| settings.locate(body));
    let held = Held { bytes: held.bytes, trailers: None, share: held.share };
    let mode = ruling.mode();
    let decided = intercept::decide(proxy, &parts.headers, &held, locate, ruling, account).await.map(Arc::new);
    if matches!(decided, Err(Why::Unreadable(_))) {
        return Err(Error::BadRequest(FORM));
    }
    let (outcome, condensed) = settle(&decided).await;
    account.outcome = outcome;
    let decided = decided.as_deref().ok();
    proxy.note(account, &Looked { headers: &parts.headers, mode, since, decided });
    let tokens = account.slots.map_or((0, 0), |slots| (slots.tokens_before, slots.tokens_after));
    page(condensed.as_ref().unwrap_or(&plain.bytes), tokens)
}

/// A request, or what became of it.
#[derive(Debug, Deserialize)]
struct Wanted<'a> {
    #[serde(borrow)]
    messages: Option<&'a RawValue>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    config: Option<Map<String, Value>>,
    token_budget: Option<Value>,
}

impl<'a> Wanted<'a> {
    fn read(body: &'a Bytes) -> Result<Self, Error> {
        let wanted: Self = serde_json::from_slice(body).map_err(|_| Error::BadRequest(FORM))?;
        if wanted.token_budget.is_some() {
            return Err(refused("token_budget", "is not kept: nothing is left out to fit a length; leave it out"));
        }
        if wanted.messages.is_none() && wanted.input.is_none() {
            return Err(Error::BadRequest(FORM));
        }
        Ok(wanted)
    }
}

/// What the `config` of a request asks for.
#[derive(Debug, Clone, Copy, Default)]
struct Settings {
    /// This many first messages are left as they are.
    frozen: usize,
    /// What users say is left as it is.
    tools_alone: bool,
    ratio: Option<Ratio>,
}

impl Settings {
    fn of(config: &Map<String, Value>) -> Result<Self, Error> {
        let mut settings = Self::default();
        for (name, value) in config.iter().filter(|(_, value)| !value.is_null()) {
            settings.set(name, value).map_err(|remedy| refused(&format!("config.{}", shown(name)), remedy))?;
        }
        Ok(settings)
    }

    /// Takes one field, or says what it may be.
    fn set(&mut self, name: &str, value: &Value) -> Result<(), &'static str> {
        match name {
            "frozen_message_count" => {
                let count = value.as_u64().ok_or("is a number of messages from 0 on")?;
                self.frozen = usize::try_from(count).unwrap_or(usize::MAX);
            }
            "compress_user_messages" => self.tools_alone = !value.as_bool().ok_or("is true or false")?,
            "target_ratio" => {
                let remedy = "is the share of tokens to keep, from 0.05 to 0.5; leave it out to lose nothing";
                let share = value.as_f64().filter(|share| *share > 0.0).ok_or(remedy)?;
                self.ratio = Some(Ratio::By(Factor::new((1.0 / share) as f32).map_err(|_| remedy)?));
            }
            "mode" if matches!(value.as_str(), Some("lossy_inline" | "lossless_then_lossy")) => {}
            "mode" => {
                return Err("is `lossy_inline` or `lossless_then_lossy`: no text is put away to be retrieved later");
            }
            // A text has the same form in every request, whoever remembers the session.
            "session_id" if value.is_string() => {}
            "protect_recent" if value.as_u64() == Some(0) => {}
            "protect_recent" => {
                return Err("is 0: a message that is left alone while it is recent would change later, and the \
                            provider's cache would be lost");
            }
            "protect_analysis_context" | "compress_system_messages" if value.as_bool() == Some(false) => {}
            "protect_analysis_context" | "compress_system_messages" => return Err("is false"),
            _ => return Err("is not known here; leave it out"),
        }
        Ok(())
    }

    fn locate(self, body: &[u8]) -> Result<Located, Unreadable> {
        let mut located = wire::locate_any(body)?;
        located.slots.retain(|slot| slot.message >= self.frozen && !(self.tools_alone && slot.role == Role::User));
        Ok(located)
    }
}

fn refused(name: &str, remedy: &'static str) -> Error {
    Error::Refused { name: name.to_owned(), remedy }
}

/// A field's name where it is one, for it stands in a message.
fn shown(name: &str) -> &str {
    let is_name = name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_name { name } else { "…" }
}

/// What goes back.
#[derive(Debug, Serialize)]
struct Page<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<&'a RawValue>,
    /// Tokens of the texts that were considered.
    tokens_before: usize,
    tokens_after: usize,
    tokens_saved: usize,
    /// After : before, from 0 to 1; the contract's, not ours.
    compression_ratio: f64,
    /// Of the contract; callers read them as lists. No text is put away to be retrieved.
    transforms_applied: [&'static str; 0],
    ccr_hashes: [&'static str; 0],
}

fn page(body: &Bytes, (before, after): (usize, usize)) -> Result<Response<Answer>, Error> {
    let Wanted { messages, input, .. } = Wanted::read(body)?;
    let page = Page {
        messages,
        input,
        tokens_before: before,
        tokens_after: after,
        tokens_saved: before.saturating_sub(after),
        compression_ratio: if before == 0 { 1.0 } else { after as f64 / before as f64 },
        transforms_applied: [],
        ccr_hashes: [],
    };
    let mut response = Response::new(Answer::own(serde_json::to_vec(&page).map_err(|_| Error::Internal)?));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

const FORM: &str = "give a JSON object with `messages` (of chat completions or Messages) or `input` (of Responses), and optionally \
     `model` and `config`";
const HEADER: &str = "an `x-headroom-…` header cannot be understood";
