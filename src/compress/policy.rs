//! What the operator and the request allow.

use super::ratio::Ratio;

/// Everything in here is part of the cache key.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// How far to go.
    pub ratio: Ratio,
    /// Texts below this many target tokens go on as they are.
    pub min_tokens: usize,
    /// Whether the model may be asked; words alone otherwise.
    pub rewrite: bool,
    /// Which kinds of redundancy count.
    pub redundancy: super::worth::redundancy::Kinds,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            ratio: Ratio::Auto,
            min_tokens: 256,
            rewrite: true,
            redundancy: super::worth::redundancy::Kinds::default(),
        }
    }
}
