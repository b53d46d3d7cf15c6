//! The settings of the check.

use serde::{Deserialize, Serialize};

use crate::{setting::Invalid, via};

/// `[fidelity]`: a cheap model reads what was condensed, and doubtful units are put back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `off`; `sample` checks a share of texts and `background` all, while the request goes on; `inline` waits for it.
    pub mode: Mode,
    /// Share of texts that `sample` checks, 0 to 1.
    pub share: f64,
    /// An OpenAI-compatible endpoint, its `/v1` included: `http://127.0.0.1:11434/v1`. Texts are sent there.
    pub base_url: String,
    /// The model to ask for.
    pub model: String,
    /// The environment variable that holds the endpoint's key. Empty: no key is sent.
    pub api_key_env: String,
    /// Which proxy stands on the way to it: `environment`, `direct`, or its URL.
    pub via: String,
    /// Milliseconds that one call may take.
    pub timeout_ms: u64,
    /// Milliseconds that `inline` waits for a verdict.
    pub inline_budget_ms: u64,
    /// What `inline` forwards when there is no verdict in time: the `condensed` text or the `original`.
    pub without_verdict: WithoutVerdict,
    /// Calls at once.
    pub concurrency: usize,
    /// Texts that may wait for a check; past them a text isn't checked.
    pub queue: usize,
    /// Most questions about one text.
    pub questions: usize,
    /// Tokens a day (UTC), given and received. 0: no limit.
    pub daily_tokens: u64,
    /// Money a day, in the currency of the prices. 0: no limit.
    pub daily_money: f64,
    /// Price of a million tokens given.
    pub price_in: f64,
    /// Price of a million tokens received.
    pub price_out: f64,
    /// Share of flagged texts of a kind, tenant or target model past which its ratio is backed off, 0 to 1.
    pub backoff_above: f64,
    /// Share below which the ratio recovers; at most `backoff_above`.
    pub recover_below: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mode: Mode::Off,
            share: 0.05,
            base_url: String::new(),
            model: String::new(),
            api_key_env: String::new(),
            via: via::ENVIRONMENT.into(),
            timeout_ms: 20_000,
            inline_budget_ms: 3_000,
            without_verdict: WithoutVerdict::Condensed,
            concurrency: 2,
            queue: 64,
            questions: 8,
            daily_tokens: 2_000_000,
            daily_money: 0.0,
            price_in: 0.0,
            price_out: 0.0,
            backoff_above: 0.25,
            recover_below: 0.05,
        }
    }
}

/// When texts are checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Never.
    #[default]
    Off,
    /// A share of them, while the request goes on.
    Sample,
    /// All, while the request goes on.
    Background,
    /// All, and the request waits within a budget.
    Inline,
}

/// What goes on when there is no verdict in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithoutVerdict {
    /// The condensed text.
    #[default]
    Condensed,
    /// The original.
    Original,
}

impl Config {
    /// Whether every setting can be used.
    ///
    /// # Errors
    /// The first that can't.
    pub fn check(&self) -> Result<(), Invalid> {
        if !(0.0..=1.0).contains(&self.share) {
            return Err(Invalid::new("share", self.share, "a number from 0 to 1"));
        }
        let limits = [
            ("timeout_ms", self.timeout_ms, 600_000),
            ("inline_budget_ms", self.inline_budget_ms, 600_000),
            ("concurrency", self.concurrency as u64, 256),
            ("queue", self.queue as u64, 100_000),
            ("questions", self.questions as u64, 64),
        ];
        for (key, value, most) in limits {
            if !(1..=most).contains(&value) {
                return Err(Invalid::new(key, value, "at least 1, and at most what config.example.toml says"));
            }
        }
        for (key, value) in
            [("daily_money", self.daily_money), ("price_in", self.price_in), ("price_out", self.price_out)]
        {
            if !(value.is_finite() && value >= 0.0) {
                return Err(Invalid::new(key, value, "a number that is not negative"));
            }
        }
        if !(0.0..=1.0).contains(&self.backoff_above) {
            return Err(Invalid::new("backoff_above", self.backoff_above, "a number from 0 to 1"));
        }
        if !(0.0..=self.backoff_above).contains(&self.recover_below) {
            return Err(Invalid::new("recover_below", self.recover_below, "a number from 0 to `backoff_above`"));
        }
        via::check(&self.via)?;
        if self.mode == Mode::Off {
            return Ok(());
        }
        if !(self.base_url.starts_with("http://") || self.base_url.starts_with("https://")) {
            let remedy =
                "an http or https URL with its `/v1`, such as `http://127.0.0.1:11434/v1`; or set `mode = \"off\"`";
            return Err(Invalid::url("base_url", &self.base_url, remedy));
        }
        if self.model.is_empty() {
            return Err(Invalid::text("model", "the name of a model that the endpoint serves"));
        }
        Ok(())
    }

    /// The endpoint's key, out of the variable that is named.
    ///
    /// # Errors
    /// When the variable is not set.
    pub fn key(&self) -> Result<Option<String>, Invalid> {
        if self.mode == Mode::Off || self.api_key_env.is_empty() {
            return Ok(None);
        }
        let remedy = "name a variable that is set and holds the key, or leave `api_key_env` empty";
        let key = std::env::var(&self.api_key_env);
        key.map(|key| Some(key.trim().to_owned())).map_err(|_| Invalid::text("api_key_env", remedy))
    }
}
