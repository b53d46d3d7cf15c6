//! What is wrong with a configuration, and what to do about it.

use std::path::PathBuf;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file that was asked for cannot be read.
    #[error("cannot read the configuration file `{}`\n  remedy: {remedy}", path.display())]
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
    #[error("`{}` is not valid TOML: {message}", path.display())]
    NotToml {
        /// The file.
        path: PathBuf,
        /// The parser's word, with line and column.
        message: String,
    },
    /// A key that means nothing here.
    #[error("unknown key `{key}` in {origin}\n  value:  {value}\n  remedy: {remedy}")]
    UnknownKey {
        /// The key, with its section.
        key: String,
        /// Its value.
        value: String,
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
        /// Its value.
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
        /// Its value.
        value: String,
        /// The file, variable or flag.
        origin: String,
        /// What would be right.
        remedy: &'static str,
    },
}
