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

#[cfg(test)]
mod tests {
    use super::*;

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
