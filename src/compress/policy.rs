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
    pub redundancy: Kinds,
    /// Whether passages that stand in earlier messages may become references to them.
    pub references: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            ratio: Ratio::Auto,
            style: Style::Statements,
            min_tokens: 256,
            rewrite: true,
            redundancy: Kinds::default(),
            references: true,
        }
    }
}

/// Which kinds of redundancy count in what is kept; all are told. By default those do that were measured to keep more
/// answers: leaving one out, or taking one in, shows what it is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(from = "Vec<Kind>", into = "Vec<Kind>")]
pub struct Kinds {
    /// Words that other items have tell less. Off: measured, it loses statements, since what a text is about recurs in it.
    pub lexical: bool,
    /// Near-copies, fragments, greetings and notices go first.
    pub structural: bool,
}

/// One kind of redundancy, as operators name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// See [`Redundancy::lexical`](super::Redundancy::lexical).
    Lexical,
    /// See [`Redundancy::structural`](super::Redundancy::structural).
    Structural,
}

impl From<Vec<Kind>> for Kinds {
    fn from(named: Vec<Kind>) -> Self {
        let holds = |kind| named.contains(&kind);
        Self { lexical: holds(Kind::Lexical), structural: holds(Kind::Structural) }
    }
}

impl From<Kinds> for Vec<Kind> {
    fn from(Kinds { lexical, structural }: Kinds) -> Self {
        let all = [(lexical, Kind::Lexical), (structural, Kind::Structural)];
        all.into_iter().filter_map(|(counts, kind)| counts.then_some(kind)).collect()
    }
}

impl Default for Kinds {
    fn default() -> Self {
        Self { lexical: false, structural: true }
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
