//! Profiles: sets of rules with a name, to begin with. Each is a piece of configuration that can be read, pasted and
//! changed.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A named set of rules; they come after the configuration's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Coding agents.
    Agent,
    /// Questions over retrieved passages.
    Rag,
    /// Threads and tickets.
    Support,
    /// Long documents of which the gist is wanted.
    Archive,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 4] = [Self::Agent, Self::Rag, Self::Support, Self::Archive];

    /// The word used in flags and the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Rag => "rag",
            Self::Support => "support",
            Self::Archive => "archive",
        }
    }

    /// Its rules as TOML, each with its reason.
    #[must_use]
    pub const fn to_toml(self) -> &'static str {
        match self {
            Self::Agent => include_str!("profiles/agent.toml"),
            Self::Rag => include_str!("profiles/rag.toml"),
            Self::Support => include_str!("profiles/support.toml"),
            Self::Archive => include_str!("profiles/archive.toml"),
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What was given names no profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the profiles are `agent`, `rag`, `support` and `archive`")]
pub struct UnknownProfile;

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, UnknownProfile> {
        let named = |profile: &Self| text.trim().eq_ignore_ascii_case(profile.as_str());
        Self::ALL.into_iter().find(named).ok_or(UnknownProfile)
    }
}
