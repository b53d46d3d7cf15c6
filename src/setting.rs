//! What a module's own `check()` says of a setting that cannot be used.

/// A setting that stops the start: which one, what it holds, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` is {value}: {remedy}")]
pub struct Invalid {
    /// The key within its module's section, as the configuration file spells it: `body_limit_mib`.
    pub key: &'static str,
    /// The value as it was given; never a secret.
    pub value: String,
    /// What would be right.
    pub remedy: &'static str,
}

impl Invalid {
    /// `key` holds `value`, but should be as `remedy` says.
    #[must_use]
    pub fn new(key: &'static str, value: impl ToString, remedy: &'static str) -> Self {
        Self { key, value: value.to_string(), remedy }
    }
}
