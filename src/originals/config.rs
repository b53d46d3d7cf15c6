//! `[originals]`: whether there is a way back, and its bounds.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::setting::Invalid;

/// `[originals]`: whether marks name the original, for the tool of an MCP server to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether there is a way back at all.
    pub enabled: bool,
    /// MiB of originals; those that were sent longest ago go first.
    pub mib: usize,
    /// MiB of the originals of one credential.
    pub tenant_mib: usize,
    /// Hours since an original was last sent or read.
    pub keep_hours: u32,
    /// Whether originals outlive the process, in a file in the state folder; needs `key_env`.
    pub persist: bool,
    /// The variable that holds the key by which originals are named and sealed; replicas need the same.
    pub key_env: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self { enabled: false, mib: 256, tenant_mib: 64, keep_hours: 24, persist: false, key_env: None }
    }
}

impl Config {
    /// Whether every setting can be used.
    ///
    /// # Errors
    /// The first that can't.
    pub fn check(&self) -> Result<(), Invalid> {
        if !(1..=65_536).contains(&self.mib) {
            return Err(Invalid::new("mib", self.mib, "give a number of MiB from 1 to 65536"));
        }
        if !(1..=self.mib).contains(&self.tenant_mib) {
            return Err(Invalid::new("tenant_mib", self.tenant_mib, "give a number of MiB from 1 to `originals.mib`"));
        }
        if !(1..=8760).contains(&self.keep_hours) {
            let hours = u64::from(self.keep_hours);
            return Err(Invalid::new("keep_hours", hours, "give a number of hours from 1 to 8760 (a year)"));
        }
        let plain =
            |name: &String| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !self.key_env.iter().all(plain) {
            return Err(Invalid::text("key_env", "give the name of the variable that holds the key, not the key"));
        }
        if self.enabled && self.persist && self.key_env.is_none() {
            let remedy = "set `originals.key_env` too: a file is sealed with that key, and can't be read without it";
            return Err(Invalid::text("persist", remedy));
        }
        Ok(())
    }

    /// Where originals outlive the process, if they do.
    pub(super) fn path(&self, state: Option<&Path>) -> Result<Option<PathBuf>, Invalid> {
        if !self.persist {
            return Ok(None);
        }
        state.map(|state| Some(state.join("originals.sqlite"))).ok_or(Invalid::text("persist", NO_STATE))
    }
}

/// Where no state folder is known.
pub(super) const NO_STATE: &str =
    "set XDG_STATE_HOME or HOME, so that there is a folder for state; without `persist`, `key_env` does as well";
