//! What the operator and the request allow.

use super::ratio::Ratio;

/// Everything in here is part of the cache key.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// How far to go.
    pub ratio: Ratio,
    /// How prose is shortened under a ratio.
    pub style: Style,
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
            style: Style::Statements,
            min_tokens: 256,
            rewrite: true,
            redundancy: super::worth::redundancy::Kinds::default(),
        }
    }
}

/// How prose is shortened under a ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// In whole statements, or shorter ones that are statements still.
    #[default]
    Statements,
    /// Also without function words, then without the commonest words: shorter, and hard to read. Negation, modality,
    /// condition, number and owner stay with what they belong to.
    Telegram,
}

impl Style {
    /// The word used in headers and the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Statements => "statements",
            Self::Telegram => "telegram",
        }
    }
}

/// What was given is no style.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a style is `statements` or `telegram`")]
pub struct InvalidStyle;

impl std::str::FromStr for Style {
    type Err = InvalidStyle;

    fn from_str(text: &str) -> Result<Self, InvalidStyle> {
        [Self::Statements, Self::Telegram]
            .into_iter()
            .find(|style| text.trim().eq_ignore_ascii_case(style.as_str()))
            .ok_or(InvalidStyle)
    }
}
