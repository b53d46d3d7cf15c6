//! How far to compress, as users say it: 10 means 10:1, original : compressed.

use std::{fmt, str::FromStr};

/// A ratio is valid because it exists.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Ratio {
    /// Cut only what is redundant and stop where information would go.
    #[default]
    Auto,
    /// Original : compressed, in target tokens.
    By(Factor),
}

/// A fixed ratio between 2 and 20.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Factor(f32);

impl Factor {
    /// The gentlest and the hardest ratio that can be asked for.
    pub const RANGE: std::ops::RangeInclusive<f32> = 2.0..=20.0;

    /// A ratio of `value`:1.
    ///
    /// # Errors
    /// When `value` lies outside of [`Factor::RANGE`].
    pub fn new(value: f32) -> Result<Self, InvalidRatio> {
        if Self::RANGE.contains(&value) { Ok(Self(value)) } else { Err(InvalidRatio) }
    }

    /// The number before the `:1`.
    #[must_use]
    pub const fn value(self) -> f32 {
        self.0
    }
}

/// What was given is no ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a ratio is `auto` or a number from 2 to 20")]
pub struct InvalidRatio;

impl FromStr for Ratio {
    type Err = InvalidRatio;

    fn from_str(text: &str) -> Result<Self, InvalidRatio> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("auto") {
            return Ok(Self::Auto);
        }
        let value = text.parse().map_err(|_| InvalidRatio)?;
        Factor::new(value).map(Self::By)
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::By(factor) => write!(f, "{}", factor.value()),
        }
    }
}

impl serde::Serialize for Ratio {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Ratio {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// TOML users write `ratio = 5` as readily as `ratio = "auto"`.
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(f64),
            Text(String),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Number(number) => number.to_string(),
            Written::Text(text) => text,
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// How far a ratio is backed off where the fidelity check flagged too much.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As asked.
    #[default]
    Full,
    /// At most 5:1.
    Gentle,
    /// At most 2:1.
    Gentler,
    /// Only what is redundant.
    Redundancy,
}

impl Level {
    /// Every level, the hardest first.
    pub const ALL: [Self; 4] = [Self::Full, Self::Gentle, Self::Gentler, Self::Redundancy];

    /// The next gentler one.
    #[must_use]
    pub const fn down(self) -> Self {
        match self {
            Self::Full => Self::Gentle,
            Self::Gentle => Self::Gentler,
            Self::Gentler | Self::Redundancy => Self::Redundancy,
        }
    }

    /// The next harder one.
    #[must_use]
    pub const fn up(self) -> Self {
        match self {
            Self::Redundancy => Self::Gentler,
            Self::Gentler => Self::Gentle,
            Self::Gentle | Self::Full => Self::Full,
        }
    }

    /// The ratio at this level where `asked` was asked for.
    #[must_use]
    pub fn ratio(self, asked: Ratio) -> Ratio {
        let Ratio::By(factor) = asked else { return asked };
        let most = match self {
            Self::Full => return asked,
            Self::Gentle => 5.0,
            Self::Gentler => 2.0,
            Self::Redundancy => return Ratio::Auto,
        };
        Factor::new(factor.value().min(most)).map_or(asked, Ratio::By)
    }

    /// The word used in metrics and explanations.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Gentle => "gentle",
            Self::Gentler => "gentler",
            Self::Redundancy => "redundancy",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_bounds_the_ratio_and_never_raises_it() {
        let by = |value| Ratio::By(Factor::new(value).unwrap());
        assert_eq!(Level::Gentle.ratio(by(10.0)), by(5.0));
        assert_eq!(Level::Gentle.ratio(by(3.0)), by(3.0));
        assert_eq!(Level::Gentler.ratio(by(10.0)), by(2.0));
        assert_eq!(Level::Redundancy.ratio(by(10.0)), Ratio::Auto);
        assert_eq!(Level::Redundancy.ratio(Ratio::Auto), Ratio::Auto);
        assert!(Level::ALL.into_iter().all(|level| level.down().up() == level || level == Level::Redundancy));
    }

    #[test]
    fn a_ratio_is_auto_or_a_number_from_2_to_20() {
        assert_eq!("auto".parse(), Ok(Ratio::Auto));
        assert_eq!("AUTO ".parse(), Ok(Ratio::Auto));
        assert_eq!("2.5".parse::<Ratio>().unwrap().to_string(), "2.5");
        for wrong in ["", "1.9", "21", "nan", "inf", "-5", "ten"] {
            assert_eq!(wrong.parse::<Ratio>(), Err(InvalidRatio), "{wrong}");
        }
    }
}
