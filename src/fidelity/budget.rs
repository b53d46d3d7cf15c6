//! What may be spent in a day.

use std::sync::{Mutex, PoisonError};

use super::Config;

/// Tokens and money of the current day (UTC). A call reserves what it may cost and gives back what it didn't use.
#[derive(Debug)]
pub(super) struct Budget {
    tokens: u64,
    money: f64,
    price_in: f64,
    price_out: f64,
    spent: Mutex<Spent>,
}

#[derive(Debug, Default)]
struct Spent {
    day: u64,
    tokens: u64,
    money: f64,
}

/// What one call costs, in tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) given: u64,
    pub(super) received: u64,
}

impl Budget {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            tokens: config.daily_tokens,
            money: config.daily_money,
            price_in: config.price_in,
            price_out: config.price_out,
            spent: Mutex::default(),
        }
    }

    /// Takes a cost out of the day's budget; false if it isn't there.
    pub(super) fn reserve(&self, cost: Cost, day: u64) -> bool {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.day != day {
            *spent = Spent { day, ..Spent::default() };
        }
        let tokens = spent.tokens + cost.given + cost.received;
        let money = spent.money + self.price(cost);
        if (self.tokens > 0 && tokens > self.tokens) || (self.money > 0.0 && money > self.money) {
            return false;
        }
        (spent.tokens, spent.money) = (tokens, money);
        true
    }

    /// Puts what a call really cost in the place of what was reserved for it.
    pub(super) fn settle(&self, reserved: Cost, real: Cost, day: u64) {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.day == day {
            spent.tokens =
                (spent.tokens + real.given + real.received).saturating_sub(reserved.given + reserved.received);
            spent.money = (spent.money + self.price(real) - self.price(reserved)).max(0.0);
        }
    }

    fn price(&self, cost: Cost) -> f64 {
        (cost.given as f64 * self.price_in + cost.received as f64 * self.price_out) / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_its_tokens_and_its_money() {
        let config =
            Config { daily_tokens: 100, daily_money: 1.0, price_in: 5_000.0, price_out: 20_000.0, ..Config::default() };
        let budget = Budget::new(&config);
        let cost = Cost { given: 40, received: 10 };
        assert!(budget.reserve(cost, 1), "50 tokens, 0.4");
        assert!(budget.reserve(cost, 1), "100 tokens, 0.8");
        assert!(!budget.reserve(Cost { given: 1, received: 0 }, 1));
        budget.settle(cost, Cost { given: 20, received: 5 }, 1);
        assert!(!budget.reserve(Cost { given: 0, received: 25 }, 1), "the tokens are there, the money is not");
        assert!(budget.reserve(Cost { given: 25, received: 0 }, 1));
        assert!(budget.reserve(cost, 2), "a new day");
    }
}
