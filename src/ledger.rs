//! The figures of requests: what they came to, what they cost, and what condensing saved of that; kept for
//! `headroom report` and for the comparison with conversations that are left alone.
//!
//! [`Figures`] are one request's, [`Prices`] what its tokens cost. Figures alone are kept, never text nor a credential.
//! Nothing here can hold up or fail a request: what cannot be written is lost, and counted.

mod compare;
mod config;
mod figures;
mod holdout;
mod name;
mod prices;
mod report;
mod store;
mod writer;

use std::path::{Path, PathBuf};

pub use compare::{Change, Comparison, Measure, Verdict};
pub use config::Config;
pub use figures::{Arm, Figures, Money, Reads, Texts, Turn, Usage};
pub use holdout::{Holdout, Place};
pub use name::{Names, OTHER};
pub use prices::{Long, Named, Price, Prices, Rates};
pub use report::{By, Query, Report, Sums, read};
pub use store::StoreError;

use writer::Writer;

/// Where the figures of requests go.
#[derive(Debug, Default)]
pub struct Ledger {
    prices: Prices,
    tools: Names,
    models: Names,
    writer: Option<Writer>,
}

/// The file that the operator named cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the file of figures `{}` cannot be used", crate::redact::path(path))]
pub struct Unusable {
    path: PathBuf,
    source: StoreError,
}

impl Ledger {
    /// Opens the file of figures, if there is to be one. One that nobody named and that cannot be used is done without.
    ///
    /// # Errors
    /// When the file that the configuration names cannot be used.
    pub fn open(config: &Config, state: Option<&Path>) -> Result<Self, Unusable> {
        let prices = Prices::new(&config.prices);
        let writer = match config.path(state) {
            None => None,
            Some((path, named)) => match Writer::start(&path, !named, config, &prices) {
                Ok(writer) => Some(writer),
                Err(source) if named => return Err(Unusable { path, source }),
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "no figures are kept for `headroom report`");
                    None
                }
            },
        };
        Ok(Self { prices, tools: Names::default(), models: Names::default(), writer })
    }

    /// Refuses a file that the configuration names and that is there, but is none of figures; makes none.
    ///
    /// # Errors
    /// As [`open`](Self::open) would, as far as the file's first bytes tell.
    pub fn check(config: &Config) -> Result<(), Unusable> {
        match config.path(None) {
            Some((path, true)) => store::refuse_foreign(&path).map_err(|source| Unusable { path, source }),
            _ => Ok(()),
        }
    }

    /// Keeps the figures of a request.
    pub fn add(&self, figures: Figures) {
        if let Some(writer) = &self.writer {
            writer.add(figures);
        }
    }

    /// Waits until what was kept so far is written, but not for long.
    pub fn flush(&self) {
        if let Some(writer) = &self.writer {
            writer.flush();
        }
    }

    /// Requests whose figures could not be kept.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.writer.as_ref().map_or(0, Writer::lost)
    }

    /// What tokens cost.
    #[must_use]
    pub fn prices(&self) -> &Prices {
        &self.prices
    }

    /// The names of tools that are kept.
    #[must_use]
    pub fn tools(&self) -> &Names {
        &self.tools
    }

    /// The names of models that are kept.
    #[must_use]
    pub fn models(&self) -> &Names {
        &self.models
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_used_stops_the_start_only_where_it_was_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.sqlite");
        std::fs::write(&path, "somebody's notes").unwrap();
        let ledger = Ledger::open(&Config::default(), Some(folder.path())).unwrap();
        ledger.add(Figures::default());
        ledger.flush();
        assert_eq!(ledger.lost(), 0, "none is kept");
        let named = Config { file: path.display().to_string(), ..Config::default() };
        assert!(Ledger::open(&named, None).unwrap_err().to_string().contains("cannot be used"));
        assert!(Ledger::check(&named).unwrap_err().to_string().contains("cannot be used"));
        assert!(Ledger::check(&Config::default()).is_ok());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "somebody's notes");
    }

    #[test]
    fn what_is_kept_is_there_once_it_is_flushed() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&Config::default(), Some(folder.path())).unwrap();
        for _ in 0..100 {
            ledger.add(Figures { surface: "messages", outcome: "unchanged", ..Figures::default() });
        }
        ledger.flush();
        let report = read(&folder.path().join("ledger.sqlite"), &Query::default()).unwrap();
        // Figures of 1970 are old at once, but only every hour is looked for such.
        assert_eq!((report.total.requests, ledger.lost()), (100, 0));
    }
}
