//! What tokens cost: the configuration's own prices, then a dated table of list prices. A model that neither names has
//! no price, and its requests are reported in tokens alone: a guess would be worse than nothing.

use figment::{
    Figment,
    providers::{Format as _, Toml},
};
use serde::{Deserialize, Serialize};

use super::figures::Usage;
use crate::setting::Invalid;

/// `[[ledger.prices]]`: what the tokens of some models cost, in dollars for a million.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Names of models; each stands for its dated snapshots too, and with a `*` at its end for all that begin so.
    pub model: Named,
    /// A token of the prompt.
    pub input: f64,
    /// One that was read from the provider's cache; as `input` where it is left out.
    pub cached: Option<f64>,
    /// One that was written to it; as `input` where it is left out.
    pub write: Option<f64>,
    /// One that was written to be kept for an hour; as `write` where it is left out.
    pub write_hour: Option<f64>,
    /// A token of the answer.
    pub output: f64,
    /// The prices of a request with a long prompt.
    pub long: Option<Long>,
    /// Tokens that the model takes, of prompt and answer.
    pub context: Option<u64>,
}

/// The prices of a request whose prompt has more tokens than `above`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Long {
    /// Tokens of the prompt past which they hold, for all of the request.
    pub above: u64,
    /// As in [`Price`], and so the others.
    pub input: f64,
    /// See [`Price`].
    pub cached: Option<f64>,
    /// See [`Price`].
    pub write: Option<f64>,
    /// See [`Price`].
    pub write_hour: Option<f64>,
    /// See [`Price`].
    pub output: f64,
}

/// One name or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Named {
    /// One.
    One(String),
    /// Any of these.
    Several(Vec<String>),
}

impl Default for Named {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

impl Named {
    pub(crate) fn as_slice(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
        }
    }
}

/// What each sort of token costs in one request, in billionths of a dollar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// A token of the prompt that has nothing to do with the cache.
    pub fresh: f64,
    /// One read from the cache.
    pub cached: f64,
    /// One written to it, by the mix of this request's.
    pub written: f64,
    /// One of the answer.
    pub output: f64,
}

impl Price {
    /// What the tokens of a request cost each.
    #[must_use]
    pub fn rates(&self, usage: &Usage) -> Rates {
        let long = self.long.filter(|long| usage.prompt > long.above);
        let (input, cached, write, write_hour, output) = match long {
            Some(long) => (long.input, long.cached, long.write, long.write_hour, long.output),
            None => (self.input, self.cached, self.write, self.write_hour, self.output),
        };
        let write = write.unwrap_or(input);
        let hour = write_hour.unwrap_or(write);
        let long_share = match usage.written {
            0 => 0.0,
            written => usage.written_long.min(written) as f64 / written as f64,
        };
        Rates {
            fresh: input * NANO,
            cached: cached.unwrap_or(input) * NANO,
            written: (write + (hour - write) * long_share) * NANO,
            output: output * NANO,
        }
    }

    fn check(&self) -> Result<(), Invalid> {
        let names = self.model.as_slice();
        if names.is_empty() || names.iter().any(|name| name.trim_end_matches('*').is_empty() || name.len() > 96) {
            return Err(Invalid::text("prices", "give each price a `model`: a name, or a list of names"));
        }
        let long = self
            .long
            .iter()
            .flat_map(|long| [Some(long.input), long.cached, long.write, long.write_hour, Some(long.output)]);
        let all = [Some(self.input), self.cached, self.write, self.write_hour, Some(self.output)];
        let mut all = all.into_iter().chain(long).flatten();
        match all.all(|price| (0.0..=1e6).contains(&price)) {
            true => Ok(()),
            false => Err(Invalid::text("prices", "give prices in dollars for a million tokens, from 0 on")),
        }
    }
}

impl Rates {
    /// What a request cost.
    #[must_use]
    pub fn paid(&self, usage: &Usage) -> f64 {
        usage.fresh() as f64 * self.fresh
            + usage.cached as f64 * self.cached
            + usage.written as f64 * self.written
            + usage.completion as f64 * self.output
    }
}

/// The prices in effect.
#[derive(Debug, Clone)]
pub struct Prices {
    own: Vec<Price>,
    table: Table,
}

/// The table of list prices.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    date: String,
    source: String,
    prices: Vec<Price>,
}

impl Prices {
    /// The configuration's own prices before the table's.
    #[must_use]
    pub fn new(own: &[Price]) -> Self {
        // The table is ours, and a test reads it.
        let table = Figment::from(Toml::string(TABLE)).extract();
        let table = table.unwrap_or(Table { date: String::new(), source: String::new(), prices: Vec::new() });
        Self { own: own.to_vec(), table }
    }

    /// The price of a model, where it is known.
    #[must_use]
    pub fn of(&self, model: &str) -> Option<&Price> {
        // Gateways put the provider's name before it.
        let bare = model.rsplit('/').next().unwrap_or(model).to_ascii_lowercase();
        let fits = |price: &&Price| price.model.as_slice().iter().any(|name| is(name, &bare) || is(name, model));
        self.own.iter().find(fits).or_else(|| self.table.prices.iter().find(fits))
    }

    /// Of when the table is, and where it comes from.
    #[must_use]
    pub fn told(&self) -> (&str, &str) {
        (&self.table.date, &self.table.source)
    }

    /// How many of the prices are the configuration's own.
    #[must_use]
    pub fn own(&self) -> usize {
        self.own.len()
    }
}

impl Default for Prices {
    fn default() -> Self {
        Self::new(&[])
    }
}

/// Checks prices as they are configured.
///
/// # Errors
/// The first that cannot be used.
pub(super) fn check(prices: &[Price]) -> Result<(), Invalid> {
    prices.iter().try_for_each(Price::check)
}

/// Whether a name of the table stands for a model.
fn is(name: &str, model: &str) -> bool {
    if let Some(begins) = name.strip_suffix('*') {
        return model.starts_with(begins);
    }
    let Some(rest) = model.strip_prefix(name) else { return false };
    let Some(snapshot) = rest.strip_prefix(['-', '@']) else { return rest.is_empty() };
    // `2024-08-06`, `20250929`; `0` is how some alias the latest one.
    let dated = snapshot.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') && snapshot.len() >= 8;
    dated || matches!(snapshot, "latest" | "0")
}

/// Billionths of a dollar for a token, for each dollar for a million.
const NANO: f64 = 1000.0;

const TABLE: &str = include_str!("prices/table.toml");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_dated_and_each_of_its_prices_can_be_used() {
        let prices = Prices::default();
        let (date, source) = prices.told();
        assert!(date.len() == 10 && source.starts_with("https://"), "{date} {source}");
        assert!(prices.table.prices.len() > 20);
        check(&prices.table.prices).unwrap();
        for price in &prices.table.prices {
            assert!(price.cached.is_none_or(|cached| cached <= price.input), "{price:?}");
            assert!(price.write.is_none_or(|write| write >= price.input), "{price:?}");
        }
    }

    #[test]
    fn a_name_stands_for_its_snapshots_and_for_no_other_model() {
        let prices = Prices::default();
        let input = |model: &str| prices.of(model).map(|price| price.input);
        assert_eq!(input("gpt-4o"), Some(2.5));
        assert_eq!(input("gpt-4o-2024-08-06"), Some(2.5));
        assert_eq!(input("gpt-4o-mini-2024-07-18"), Some(0.15));
        assert_eq!(input("openai/gpt-4o-mini"), Some(0.15));
        assert_eq!(input("claude-haiku-4-5-20251001"), Some(1.0));
        assert_eq!(input("claude-opus-4-20250514"), Some(15.0));
        for unknown in ["gpt-4o-audio-preview", "gpt-5-pro", "gpt-5.7", "claude-opus-6", "qwen2.5:1.5b", ""] {
            assert_eq!(input(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn the_operators_prices_come_first() {
        let own = Price { model: Named::One("gpt-4o*".into()), input: 2.0, output: 8.0, ..Price::default() };
        let prices = Prices::new(&[own]);
        assert_eq!(prices.of("gpt-4o-audio-preview").map(|price| price.input), Some(2.0));
        assert_eq!(prices.of("gpt-4.1").map(|price| price.input), Some(2.0));
    }

    #[test]
    fn each_sort_of_token_has_its_price() {
        let prices = Prices::default();
        let usage = Usage { prompt: 10_000, cached: 6000, written: 3000, written_long: 1500, completion: 100 };
        let rates = prices.of("claude-haiku-4-5").unwrap().rates(&usage);
        // 1000 fresh at 1, 6000 at .1, 1500 at 1.25, 1500 at 2, 100 at 5: thousandths of a cent are 10,000 nano.
        let expected = 1000.0 * 1000.0 + 6000.0 * 100.0 + 1500.0 * 1250.0 + 1500.0 * 2000.0 + 100.0 * 5000.0;
        assert!((rates.paid(&usage) - expected).abs() < 1e-6, "{} {expected}", rates.paid(&usage));
    }

    #[test]
    fn a_long_prompt_has_prices_of_its_own() {
        let prices = Prices::default();
        let price = prices.of("gpt-6.1-sol").unwrap();
        let fresh = |prompt| price.rates(&Usage { prompt, ..Usage::default() }).fresh;
        assert_eq!((fresh(272_000), fresh(272_001)), (2000.0, 4000.0));
    }

    #[test]
    fn a_price_below_nothing_or_without_a_model_is_refused() {
        let good = Price { model: Named::One("m".into()), input: 1.0, output: 1.0, ..Price::default() };
        assert!(check(std::slice::from_ref(&good)).is_ok());
        for bad in [
            Price { input: -1.0, ..good.clone() },
            Price { output: f64::NAN, ..good.clone() },
            Price { model: Named::One("*".into()), ..good.clone() },
            Price { model: Named::default(), ..good.clone() },
        ] {
            assert!(check(&[bad]).is_err());
        }
    }
}
