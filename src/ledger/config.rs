//! The ledger's settings.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::prices::{self, Price};
use crate::setting::Invalid;

/// `[ledger]`: what is kept of requests for `headroom report`, in figures alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The file of the figures; processes on one machine may share it. `auto`: in the user's state directory. `off`: none.
    pub file: String,
    /// Days after which figures are forgotten.
    pub keep_days: u32,
    /// Share of conversations (0 to 0.5) that is left alone, to compare with.
    pub holdout: f64,
    /// What tokens cost, before the table of list prices.
    pub prices: Vec<Price>,
}

impl Default for Config {
    fn default() -> Self {
        Self { file: "auto".to_owned(), keep_days: 90, holdout: 0.0, prices: Vec::new() }
    }
}

impl Config {
    /// Checks what the types cannot.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub fn check(&self) -> Result<(), Invalid> {
        if !(1..=3660).contains(&self.keep_days) {
            return Err(Invalid::new("keep_days", u64::from(self.keep_days), "give a number of days from 1 to 3660"));
        }
        if !(0.0..=0.5).contains(&self.holdout) {
            return Err(Invalid::new("holdout", self.holdout, "give a share of conversations from 0 to 0.5"));
        }
        prices::check(&self.prices)
    }

    /// The file, and whether the operator named it.
    #[must_use]
    pub fn path(&self, state: Option<&Path>) -> Option<(PathBuf, bool)> {
        match self.file.as_str() {
            "" | "off" => None,
            "auto" => Some((state?.join("ledger.sqlite"), false)),
            named => Some((PathBuf::from(named), true)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_cannot_be_used_is_named() {
        let key = |config: Config| config.check().unwrap_err().key;
        assert!(Config::default().check().is_ok());
        assert_eq!(key(Config { keep_days: 0, ..Config::default() }), "keep_days");
        assert_eq!(key(Config { holdout: 0.6, ..Config::default() }), "holdout");
        assert_eq!(key(Config { holdout: f64::NAN, ..Config::default() }), "holdout");
        assert_eq!(key(Config { prices: vec![Price::default()], ..Config::default() }), "prices");
    }
}
