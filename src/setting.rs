//! What a module's own `check()` says of a setting that cannot be used.

use std::{fmt::Display, net::SocketAddr, path::Path};

use crate::redact;

/// A setting that stops the start: which one, what it holds, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` is {value}: {remedy}")]
pub struct Invalid {
    /// The key within its module's section, as the configuration file spells it: `body_limit_mib`.
    pub key: &'static str,
    /// What may be shown of the value; never a secret.
    pub value: String,
    /// What would be right.
    pub remedy: &'static str,
}

impl Invalid {
    /// `key` holds `value`, but should be as `remedy` says.
    #[must_use]
    pub fn new(key: &'static str, value: impl Plain, remedy: &'static str) -> Self {
        Self { key, value: value.to_string(), remedy }
    }

    /// The same of a text, which is not shown: a key is as easily put in the wrong place as anything else.
    #[must_use]
    pub fn text(key: &'static str, remedy: &'static str) -> Self {
        Self { key, value: redact::HIDDEN.to_owned(), remedy }
    }

    /// The same of a file or folder.
    #[must_use]
    pub fn path(key: &'static str, path: &Path, remedy: &'static str) -> Self {
        Self { key, value: redact::path(path), remedy }
    }

    /// The same of a URL, of which the host is shown at most.
    #[must_use]
    pub fn url(key: &'static str, url: &str, remedy: &'static str) -> Self {
        Self { key, value: redact::host(url), remedy }
    }
}

/// Whether an operator may call something so where figures and logs tell of it: short, plain, and no key.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    plain && (1..=40).contains(&name.len()) && redact::text(name) == name
}

/// A value that cannot be a secret.
pub trait Plain: Display {}

impl Plain for u64 {}
impl Plain for i32 {}
impl Plain for usize {}
impl Plain for f64 {}
impl Plain for SocketAddr {}
