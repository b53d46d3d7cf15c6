//! The account of requests: for each, what was done to every unit of every slot, kept in bounded memory for a bounded
//! time.
//!
//! Records hold message text. They are kept where the proxy listens on loopback, elsewhere only if the operator says so;
//! each is read with the credential of its request, or by the operator on the machine itself; none is ever logged.

mod html;
mod json;
mod key;
mod pieces;
mod record;
mod store;
mod terminal;
mod words;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

pub use html::html;
pub use json::{Summary, json};
pub use key::ReaderKey;
pub use pieces::{MOST_ROWS, Row, pieces, rows};
pub use record::{Record, SlotRecord};
pub use store::{Missing, Reader, Store};
pub use terminal::terminal;

use crate::setting::Invalid;

/// `[explain]`: whether requests can be explained, for how long, and to whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `auto` keeps records only while the proxy listens on loopback; `on` and `off` say it outright.
    pub mode: Mode,
    /// MiB of records to keep; the oldest go first.
    pub mib: usize,
    /// Seconds to keep a record.
    pub keep_s: u64,
    /// Whether whoever asks from this machine without a credential may read every record, and not only the operator's
    /// commands. Where another proxy on this machine stands before this one, all that it relays comes from this machine.
    pub local_reads: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { mode: Mode::Auto, mib: 16, keep_s: 60 * 60, local_reads: false }
    }
}

impl Config {
    /// Whether every setting can be used.
    ///
    /// # Errors
    /// The first that can't.
    pub fn check(&self) -> Result<(), Invalid> {
        if !(1..=4096).contains(&self.mib) {
            return Err(Invalid::new("mib", self.mib, "give a number of MiB from 1 to 4096"));
        }
        if !(1..=7 * 24 * 60 * 60).contains(&self.keep_s) {
            return Err(Invalid::new("keep_s", self.keep_s, "give a number of seconds from 1 to 604800 (a week)"));
        }
        Ok(())
    }

    /// Whether records are kept by a proxy that listens on this address.
    #[must_use]
    pub fn keeps(&self, listen: IpAddr) -> bool {
        match self.mode {
            Mode::Auto => listen.is_loopback(),
            Mode::On => true,
            Mode::Off => false,
        }
    }
}

/// Whether records are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// On loopback only.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

#[cfg(test)]
mod tests;
