//! What whoever brings a key may ask for: requests a minute and tokens a day. A key that no budget names is never held up,
//! and none is written down: a budget goes by its name.
//!
//! A day ends at midnight UTC. Counts are those of this process, and begin anew with it.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
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
    telemetry::{Metrics, metrics::BudgetLabels},
};

/// `[[budgets]]`: what whoever brings one of these keys may ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// What it is called in figures and errors.
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
/// The first budget that cannot be used, with its place.
pub fn check(budgets: &[Budget]) -> Result<(), (usize, Invalid)> {
    for (at, budget) in budgets.iter().enumerate() {
        let wrong = |key, remedy| Err((at, Invalid::text(key, remedy)));
        let name = budget.name.as_str();
        if !is_name(name) {
            return wrong("name", "give each budget a `name` of at most 40 letters, digits, `-`, `_` and `.`");
        }
        if budgets.iter().take(at).any(|other| other.name == name) {
            return wrong("name", "give each budget a `name` of its own");
        }
        if !Written::are_keys(&budget.keys) {
            let remedy = "give a list of keys, each as `env:NAME`, the variable that holds it, or as `sha256:` and 64 \
                          hexadecimal digits";
            return wrong("keys", remedy);
        }
        if budget.requests_per_minute == Some(0) || budget.tokens_per_day == Some(0) {
            return wrong("tokens_per_day", "give limits from 1 on, or leave them out");
        }
    }
    Ok(())
}

/// What each key may still ask for.
#[derive(Debug, Default)]
pub struct Budgets(Vec<Purse>);

#[derive(Debug)]
struct Purse {
    name: String,
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

/// Whose request it is: its place among the budgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Holder(usize);

impl Budgets {
    /// Takes the keys out of the environment, which is `variable`.
    ///
    /// # Errors
    /// When a budget cannot be used, or the variable of a key is not set; with its place.
    pub fn new(budgets: &[Budget], variable: impl Fn(&str) -> Option<String>) -> Result<Self, (usize, Invalid)> {
        check(budgets)?;
        let unset = Invalid::text("keys", "set every variable that it names to a key");
        let hash = |key: &String| Written::hash_of(key, &variable).ok_or(unset.clone());
        let purse = |(at, budget): (usize, &Budget)| {
            Ok(Purse {
                name: budget.name.clone(),
                keys: budget.keys.iter().map(hash).collect::<Result<_, _>>().map_err(|invalid| (at, invalid))?,
                requests_per_minute: budget.requests_per_minute,
                tokens_per_day: budget.tokens_per_day,
                spent: Mutex::default(),
            })
        };
        budgets.iter().enumerate().map(purse).collect::<Result<_, _>>().map(Self)
    }

    /// Takes a request out of the budget of whoever sends it; `None` where no budget names his key.
    ///
    /// # Errors
    /// Where the budget is used up.
    pub(crate) fn take(&self, headers: &HeaderMap, metrics: &Metrics) -> Result<Option<Holder>, Error> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let presented = Presented::of(headers);
        let Some(at) = self.0.iter().position(|purse| presented.is_one_of(&purse.keys)) else { return Ok(None) };
        let Some(purse) = self.0.get(at) else { return Ok(None) };
        let taken = purse.take(since_1970());
        let outcome = match &taken {
            Ok(()) => "allowed",
            Err(error) => error.code(),
        };
        metrics.budget_requests.get_or_create(&BudgetLabels { budget: purse.name.clone(), outcome }).inc();
        taken.map(|()| Some(Holder(at)))
    }

    /// Takes tokens out of a budget, once it is known how many.
    pub(crate) fn spend(&self, holder: Holder, tokens: u64, metrics: &Metrics) {
        let Some(purse) = self.0.get(holder.0) else { return };
        metrics
            .budget_tokens
            .get_or_create(&BudgetLabels { budget: purse.name.clone(), outcome: "spent" })
            .inc_by(tokens);
        let mut spent = purse.spent();
        spent.begin_day(since_1970());
        spent.tokens = spent.tokens.saturating_add(tokens);
    }

    /// What a holder is called.
    pub(crate) fn name(&self, holder: Holder) -> &str {
        self.0.get(holder.0).map_or("", |purse| &purse.name)
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
            return Err(Error::TokensSpent { budget: self.name.clone(), limit, retry_after });
        }
        let Some(limit) = self.requests_per_minute else { return Ok(()) };
        let each = MINUTE / limit;
        let due = spent.due.max(now);
        // As many as the limit may come at once: the last of them is due just before a minute is over.
        if let Some(wait) = (due + each).checked_sub(now + MINUTE).filter(|wait| !wait.is_zero()) {
            let retry_after = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            return Err(Error::TooManyRequests { budget: self.name.clone(), limit, retry_after });
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
        let (name, keys) = ("search".to_owned(), Vec::new());
        Purse { name, keys, requests_per_minute, tokens_per_day, spent: Mutex::default() }
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
    fn a_budget_is_named_and_its_keys_are_never_shown() {
        let budget = |name: &str, key: &str| Budget { name: name.into(), keys: vec![key.into()], ..Budget::default() };
        for wrong in [budget("a b", "env:X"), budget("", "env:X"), budget("a", "sk-secret"), budget("a", "sha256:12")] {
            assert_eq!(check(&[wrong]).unwrap_err().1.value, crate::redact::HIDDEN);
        }
        assert!(check(&[budget("a", "env:X"), budget("a", "env:Y")]).is_err());
        let zero = Budget { requests_per_minute: Some(0), ..budget("a", "env:X") };
        assert!(check(&[zero]).is_err() && check(&[budget("a", "env:X")]).is_ok());
        assert!(Budgets::new(&[budget("a", "env:X")], |_| None).is_err());
    }
}
