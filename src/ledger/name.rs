//! Names that come from a request and are kept: they must be names, and there must not be too many.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use crate::redact;

/// Names of one sort, such as those of tools. A client may call its tools what it likes, so a name that does not look
/// like one is not kept, nor is one more than there is room for: both count as [`OTHER`].
#[derive(Debug, Default)]
pub struct Names(Mutex<HashSet<Arc<str>>>);

/// Stands for what has no name that is kept.
pub const OTHER: &str = "(other)";

impl Names {
    /// The name to keep; empty stays empty.
    #[must_use]
    pub fn keep(&self, name: &str) -> Arc<str> {
        if name.is_empty() {
            return Arc::from("");
        }
        if !is_name(name) {
            return Arc::from(OTHER);
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(name) {
            return Arc::clone(known);
        }
        if known.len() >= MOST {
            return Arc::from(OTHER);
        }
        let name: Arc<str> = Arc::from(name);
        known.insert(Arc::clone(&name));
        name
    }
}

fn is_name(name: &str) -> bool {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/@".contains(&byte));
    plain && name.len() <= LONGEST && redact::text(name) == name
}

/// Names of one sort that a process keeps apart.
const MOST: usize = 1000;

/// Providers allow 64 bytes for a tool; models behind gateways have longer names.
const LONGEST: usize = 96;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_name_is_not_kept() {
        let names = Names::default();
        for name in ["read_file", "mcp__git__diff", "gpt-5.6-sol", "openai/gpt-4o-mini-2024-07-18", ""] {
            assert_eq!(&*names.keep(name), name);
        }
        for text in ["my secret plan", "sk-proj-abcdefgh", "x\n", "é", &"a".repeat(97)] {
            assert_eq!(&*names.keep(text), OTHER, "{text}");
        }
    }

    #[test]
    fn names_past_the_bound_are_counted_as_others() {
        let names = Names::default();
        for at in 0..MOST {
            assert_ne!(&*names.keep(&format!("t{at}")), OTHER);
        }
        assert_eq!(&*names.keep("one_more"), OTHER);
        assert_eq!(&*names.keep("t1"), "t1");
    }
}
