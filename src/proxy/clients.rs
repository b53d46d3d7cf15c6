//! Clients that the operator knows by name: what they are called in reports, which must not show a key, and what they may
//! ask for: requests a minute and tokens a day. A key that is nobody's here is never held up, and none is written down.
//!
//! A day ends at midnight UTC. Counts are those of this process, and begin anew with it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use http::HeaderMap;
use serde::{Deserialize, Serialize};

use super::{
    access::{Presented, Written},
    error::Error,
};
use crate::{
    setting::{Invalid, is_name},
    telemetry::{Metrics, metrics::ClientLabels},
};

/// `[[clients]]`: a name for whoever brings one of these keys, and what he may ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Client {
    /// What it is called in reports, figures and errors.
    pub name: String,
    /// The keys, each as `env:NAME` or `sha256:HEX`.
    pub keys: Vec<String>,
    /// Requests in a minute at most; as many may come at once after a pause.
    pub requests_per_minute: Option<u32>,
    /// Tokens in a day (UTC) at most: as the provider reports them, or those of the texts that were read.
    pub tokens_per_day: Option<u64>,
}

/// Checks what the types cannot.
///
/// # Errors
/// The first client that cannot be used, with its place.
pub fn check(clients: &[Client]) -> Result<(), (usize, Invalid)> {
    for (at, client) in clients.iter().enumerate() {
        let wrong = |key, remedy| Err((at, Invalid::text(key, remedy)));
        let name = client.name.as_str();
        if !is_name(name) {
            return wrong("name", "give each client a `name` of at most 40 letters, digits, `-`, `_` and `.`");
        }
        if clients.iter().take(at).any(|other| other.name == name) {
            return wrong("name", "give each client a `name` of its own");
        }
        if !Written::are_keys(&client.keys) {
            let remedy = "give a list of keys, each as `env:NAME`, the variable that holds it, or as `sha256:` and 64 \
                          hexadecimal digits";
            return wrong("keys", remedy);
        }
        if client.requests_per_minute == Some(0) || client.tokens_per_day == Some(0) {
            return wrong("tokens_per_day", "give limits from 1 on, or leave them out");
        }
    }
    Ok(())
}

/// The clients by their keys, with what each may still ask for.
#[derive(Debug, Default)]
pub struct Clients(Vec<Purse>);

#[derive(Debug)]
struct Purse {
    name: Arc<str>,
    keys: Vec<blake3::Hash>,
    requests_per_minute: Option<u32>,
    tokens_per_day: Option<u64>,
    spent: Mutex<Spent>,
}

#[derive(Debug, Default)]
struct Spent {
    /// When the last request would have been due if all came evenly, in time since 1970 (GCRA).
    due: Duration,
    /// The day that the tokens are of, since 1970.
    day: u64,
    tokens: u64,
}

/// Whose request it is: its place among the clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Holder(usize);

impl Clients {
    /// Takes the keys out of the environment, which is `variable`.
    ///
    /// # Errors
    /// When a client cannot be used, or the variable of a key is not set; with its place.
    pub fn new(clients: &[Client], variable: impl Fn(&str) -> Option<String>) -> Result<Self, (usize, Invalid)> {
        check(clients)?;
        let unset = Invalid::text("keys", "set every variable that it names to a key");
        let hash = |key: &String| Written::hash_of(key, &variable).ok_or(unset.clone());
        let purse = |(at, client): (usize, &Client)| {
            Ok(Purse {
                name: client.name.as_str().into(),
                keys: client.keys.iter().map(hash).collect::<Result<_, _>>().map_err(|invalid| (at, invalid))?,
                requests_per_minute: client.requests_per_minute,
                tokens_per_day: client.tokens_per_day,
                spent: Mutex::default(),
            })
        };
        clients.iter().enumerate().map(purse).collect::<Result<_, _>>().map(Self)
    }

    /// What whoever brings these credentials is called; empty where nobody has one of them.
    pub(crate) fn called(&self, headers: &HeaderMap) -> Arc<str> {
        self.holder(headers).map_or_else(|| Arc::from(""), |(_, purse)| Arc::clone(&purse.name))
    }

    /// Takes a request out of the budget of whoever sends it; `None` where his key is nobody's here.
    ///
    /// # Errors
    /// Where the budget is used up.
    pub(crate) fn take(&self, headers: &HeaderMap, metrics: &Metrics) -> Result<Option<Holder>, Error> {
        let Some((holder, purse)) = self.holder(headers) else { return Ok(None) };
        let taken = purse.take(since_1970());
        let outcome = match &taken {
            Ok(()) => "allowed",
            Err(error) => error.code(),
        };
        metrics.client_requests.get_or_create(&ClientLabels { client: purse.name.to_string(), outcome }).inc();
        taken.map(|()| Some(holder))
    }

    /// Takes tokens out of a budget, once it is known how many.
    pub(crate) fn spend(&self, holder: Holder, tokens: u64, metrics: &Metrics) {
        let Some(purse) = self.0.get(holder.0) else { return };
        metrics
            .client_tokens
            .get_or_create(&ClientLabels { client: purse.name.to_string(), outcome: "spent" })
            .inc_by(tokens);
        let mut spent = purse.spent();
        spent.begin_day(since_1970());
        spent.tokens = spent.tokens.saturating_add(tokens);
    }

    /// What a holder is called.
    pub(crate) fn name(&self, holder: Holder) -> &str {
        self.0.get(holder.0).map_or("", |purse| &purse.name)
    }

    fn holder(&self, headers: &HeaderMap) -> Option<(Holder, &Purse)> {
        if self.0.is_empty() {
            return None;
        }
        let presented = Presented::of(headers);
        let mut purses = self.0.iter().enumerate();
        let (at, purse) = purses.find(|(_, purse)| presented.is_one_of(&purse.keys))?;
        Some((Holder(at), purse))
    }
}

impl Purse {
    fn spent(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, now: Duration) -> Result<(), Error> {
        let mut spent = self.spent();
        spent.begin_day(now);
        if let Some(limit) = self.tokens_per_day.filter(|limit| spent.tokens >= *limit) {
            let retry_after = DAY - now.as_secs() % DAY;
            return Err(Error::TokensSpent { client: self.name.to_string(), limit, retry_after });
        }
        let Some(limit) = self.requests_per_minute else { return Ok(()) };
        let each = MINUTE / limit;
        let due = spent.due.max(now);
        // As many as the limit may come at once: the last of them is due just before a minute is over.
        if let Some(wait) = (due + each).checked_sub(now + MINUTE).filter(|wait| !wait.is_zero()) {
            let retry_after = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            return Err(Error::TooManyRequests { client: self.name.to_string(), limit, retry_after });
        }
        spent.due = due + each;
        Ok(())
    }
}

impl Spent {
    fn begin_day(&mut self, now: Duration) {
        let day = now.as_secs() / DAY;
        if self.day != day {
            (self.day, self.tokens) = (day, 0);
        }
    }
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

const MINUTE: Duration = Duration::from_secs(60);

/// Seconds of a day.
const DAY: u64 = 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn purse(requests_per_minute: Option<u32>, tokens_per_day: Option<u64>) -> Purse {
        let (name, keys) = ("search".into(), Vec::new());
        Purse { name, keys, requests_per_minute, tokens_per_day, spent: Mutex::default() }
    }

    fn client(name: &str, key: &str) -> Client {
        Client { name: name.into(), keys: vec![key.into()], ..Client::default() }
    }

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs(1_000_000) + Duration::from_secs_f64(seconds)
    }

    fn wait(refused: Result<(), Error>) -> u64 {
        match refused {
            Err(Error::TooManyRequests { retry_after, .. } | Error::TokensSpent { retry_after, .. }) => retry_after,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_minutes_requests_may_come_at_once_and_then_one_by_one() {
        let purse = purse(Some(6), None);
        for _ in 0..6 {
            assert!(purse.take(seconds(0.0)).is_ok());
        }
        assert_eq!(wait(purse.take(seconds(0.0))), 10);
        assert_eq!(wait(purse.take(seconds(9.5))), 1);
        assert!(purse.take(seconds(10.0)).is_ok());
        assert_eq!(wait(purse.take(seconds(10.0))), 10);
        for _ in 0..6 {
            assert!(purse.take(seconds(200.0)).is_ok());
        }
        assert_eq!(wait(purse.take(seconds(200.0))), 10);
    }

    #[test]
    fn a_days_tokens_are_back_at_midnight() {
        let purse = purse(None, Some(100));
        let day = |days: u64, seconds: u64| Duration::from_secs(days * DAY + seconds);
        assert!(purse.take(day(5, 0)).is_ok());
        purse.spent().tokens = 100;
        assert_eq!(wait(purse.take(day(5, DAY - 7))), 7);
        assert!(purse.take(day(6, 0)).is_ok());
    }

    #[test]
    fn whoever_brings_a_key_has_the_name_of_it() {
        let clients = [client("search", "env:SEARCH_KEY"), client("ops", "env:OPS_KEY")];
        let clients = Clients::new(&clients, |name| Some(format!("key of {name}"))).unwrap();
        for (key, called) in
            [("Bearer key of SEARCH_KEY", "search"), ("Bearer key of OPS_KEY", "ops"), ("Bearer another", "")]
        {
            let headers = [(http::header::AUTHORIZATION, key.parse().unwrap())].into_iter().collect();
            assert_eq!(&*clients.called(&headers), called);
        }
    }

    #[test]
    fn a_client_is_named_and_its_keys_are_never_shown() {
        for wrong in [client("a b", "env:X"), client("", "env:X"), client("a", "sk-secret"), client("a", "sha256:12")] {
            assert_eq!(check(&[wrong]).unwrap_err().1.value, crate::redact::HIDDEN);
        }
        assert!(check(&[client("a", "env:X"), client("a", "env:Y")]).is_err());
        let zero = Client { requests_per_minute: Some(0), ..client("a", "env:X") };
        assert!(check(&[zero]).is_err() && check(&[client("a", "env:X")]).is_ok());
        assert!(Clients::new(&[client("a", "env:X")], |_| None).is_err());
    }
}
