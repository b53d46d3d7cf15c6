//! What is wrong with a configuration, and what to do about it. A refused text is never shown: where it came from is
//! said, and whoever wrote it can look there.

use std::path::PathBuf;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file that was asked for cannot be read.
    #[error("cannot read the configuration file `{}`\n  remedy: {remedy}", crate::redact::path(path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What to do.
        remedy: &'static str,
        /// The operating system's word.
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error(
        "`{}` is not valid TOML at line {line}, column {column}{problem}\n  remedy: correct that line (texts stand in quotes); \
         it is not shown, since it may hold a key",
        crate::redact::path(path)
    )]
    NotToml {
        /// The file.
        path: PathBuf,
        /// From 1 on.
        line: usize,
        /// In characters, from 1 on.
        column: usize,
        /// The parser's own words after a colon, without what they quote; or empty.
        problem: String,
    },
    /// A key that means nothing here.
    #[error("unknown key `{key}` in {origin}\n  remedy: {remedy}")]
    UnknownKey {
        /// The key, with its section.
        key: String,
        /// The file, variable or flag.
        origin: String,
        /// What to do.
        remedy: String,
    },
    /// A value that the key does not allow.
    #[error("bad value for `{key}` ({origin}): {problem}\n  value:  {value}\n  remedy: {remedy}")]
    BadValue {
        /// The key, with its section.
        key: String,
        /// What may be shown of its value.
        value: String,
        /// The file, variable or flag.
        origin: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// A value of the right type that the key's module cannot use.
    #[error("cannot use the value of `{key}` ({origin})\n  value:  {value}\n  remedy: {remedy}")]
    Unusable {
        /// The key, with its section.
        key: String,
        /// What may be shown of its value.
        value: String,
        /// The file, variable or flag.
        origin: String,
        /// What would be right.
        remedy: &'static str,
    },
}
