//! From when on figures are asked for.

/// A length of time back, or the beginning of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    Ago(u64),
    At(u64),
}

impl Since {
    pub(super) fn parse(word: &str) -> Result<Self, String> {
        let unit = |unit: char| word.strip_suffix(unit).and_then(|number| number.parse::<u64>().ok());
        let hours = unit('h').or_else(|| unit('d').and_then(|days| days.checked_mul(24)));
        let ago = hours.and_then(|hours| hours.checked_mul(3600)).map(Self::Ago);
        let remedy = || "give hours or days back (24h, 7d), or a day (2026-11-01)".to_owned();
        ago.or_else(|| day(word).map(|day| Self::At(day * 86_400))).ok_or_else(remedy)
    }

    /// In seconds since 1970.
    pub(super) fn seconds(self, now: u64) -> u64 {
        match self {
            Self::Ago(seconds) => now.saturating_sub(seconds),
            Self::At(seconds) => seconds,
        }
    }
}

/// The days from 1970 to a date (H. Hinnant, `days_from_civil`).
fn day(word: &str) -> Option<u64> {
    let mut parts = word.split('-');
    let mut next = |digits: usize| parts.next().filter(|part| part.len() == digits)?.parse::<u64>().ok();
    let (year, month, day) = (next(4)?, next(2)?, next(2)?);
    if parts.next().is_some() || !(1..=12).contains(&month) || !(1..=31).contains(&day) || year < 1970 {
        return None;
    }
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    (era * 146_097 + of_era).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_by_its_length_or_its_day() {
        assert_eq!(Since::parse("24h"), Ok(Since::Ago(86_400)));
        assert_eq!(Since::parse("7d").map(|since| since.seconds(604_801)), Ok(1));
        assert_eq!(Since::parse("1970-01-01"), Ok(Since::At(0)));
        assert_eq!(Since::parse("2024-02-29"), Ok(Since::At(1_709_164_800)));
        assert_eq!(Since::parse("2026-11-29"), Ok(Since::At(1_795_910_400)));
        for word in ["", "7", "d", "7w", "2026-13-01", "26-11-01", "2026-11-01-1", "99999999999999999999d"] {
            assert!(Since::parse(word).is_err(), "{word}");
        }
    }
}
