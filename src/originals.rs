//! The way back: the originals of texts of which something was left out, kept for the model to read what it misses.
//!
//! Off unless the operator turns it on. Then a mark names its original (`[… 240 lines; headroom_read r482133901277640915]`), and
//! the tool [`headroom_read`](crate::compress::READ) of an MCP server reads it: exact lines, or those that a pattern finds.
//! The proxy adds no tool to any request; who runs an agent adds the server to the agent's own configuration.
//!
//! *A name is a function of tenant and text*, by a keyed hash whose key outlives the process. So a text has the same mark
//! in every turn, after a restart and on every replica, and a provider's cached prefix stays what it is. What a name leads
//! to may be gone (for its age, for want of room, after a restart): then the tool says so, and what else to do.
//!
//! *Who reads* must be the tenant whose text it is, or the operator. A name alone opens nothing: it is looked up among the
//! reader's own. Originals are sealed wherever they lie, with a key of this process unless the operator gives one.

mod config;
mod keeper;
mod key;
mod passage;
mod store;
mod tool;

use std::{path::Path, sync::Arc};

pub use config::Config;
pub use keeper::Sizes;
pub use passage::{Passage, Unreadable, Wanted};
pub use store::StoreError;
pub use tool::{Reads, Server, told};

use crate::{compress::OriginalId, engine::Tenant, explain::Reader, setting::Invalid};
use keeper::Keeper;
use key::Keys;

/// Why there is no way back where one is wanted.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A setting can't be used.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The file of names' key can't be read or written.
    #[error("the key of names in {} cannot be read or written", crate::redact::path(.0))]
    Key(std::path::PathBuf, #[source] std::io::Error),
    /// The file of originals can't be used.
    #[error("the file of originals {} cannot be used", crate::redact::path(.0))]
    Store(std::path::PathBuf, #[source] StoreError),
}

/// Originals and their names.
#[derive(Debug)]
pub struct Originals {
    keys: Keys,
    keeper: Keeper,
    keep_hours: u32,
}

impl Originals {
    /// Opens them where the configuration wants a way back; `state` is the folder for what outlives the process.
    ///
    /// # Errors
    /// Where names would not be the same after a restart, or the file can't be used.
    pub fn open(
        config: &Config,
        state: Option<&Path>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Arc<Self>>, OpenError> {
        if !config.enabled {
            return Ok(None);
        }
        let keys = Keys::open(config, state, variable)?;
        let keeper = Keeper::start(config, state, &keys)?;
        Ok(Some(Arc::new(Self { keys, keeper, keep_hours: config.keep_hours })))
    }

    /// The name of a tenant's text: always the same.
    #[must_use]
    pub fn name(&self, tenant: Tenant, text: &str) -> OriginalId {
        self.keys.name(tenant, text)
    }

    /// Keeps texts of a tenant; returns at once, and may lose them where more come than can be written.
    pub fn keep<'a>(&self, tenant: Tenant, texts: impl Iterator<Item = (OriginalId, &'a str)>) {
        self.keeper.keep(self.keys.owner(tenant), texts);
    }

    /// The original of this name that a reader may read; `None` where there is none, or no longer.
    pub async fn find(&self, reader: Reader, id: OriginalId) -> Option<String> {
        let owner = match reader {
            Reader::With(tenant) => Some(self.keys.owner(tenant)),
            Reader::Operator => None,
        };
        self.keeper.find(owner, id).await
    }

    /// How long an original is kept, where there is room.
    #[must_use]
    pub fn keep_hours(&self) -> u32 {
        self.keep_hours
    }

    /// What is kept and was lost.
    #[must_use]
    pub fn sizes(&self) -> Sizes {
        self.keeper.sizes()
    }

    /// Waits until what was handed over is written, but not for long.
    pub fn flush(&self) {
        self.keeper.flush();
    }
}

#[cfg(test)]
mod tests;
