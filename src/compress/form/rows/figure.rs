//! What a cell measures: a number with its unit.

use super::LONGEST_STATE;

/// The number that a cell states, signs of currency aside; of a date its days, of a time its seconds, of a size its bytes.
pub(super) fn figure(cell: &str) -> Option<f64> {
    measure(cell).map(|(value, _)| value)
}

/// What a figure measures, as far as its unit says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Time,
    Size,
    Other,
}

pub(super) fn measure(cell: &str) -> Option<(f64, Kind)> {
    let cell = cell.trim().trim_matches('"');
    if cell.len() > LONGEST_STATE {
        return None;
    }
    if let Some(days) = date(cell) {
        return Some((days, Kind::Time));
    }
    let bare = cell.trim_start_matches(|c: char| !c.is_ascii_digit() && !"-(.".contains(c));
    let negative = bare.starts_with(['-', '(']);
    let bare = bare.trim_start_matches(['-', '(']);
    let end = bare.find(|c: char| !c.is_ascii_digit() && !".,".contains(c)).unwrap_or(bare.len());
    let (digits, unit) = bare.split_at(end);
    let (factor, kind) = scale(unit.trim());
    // A name with a number in it is no figure.
    let is_name = kind == Kind::Other && unit.chars().filter(|c| c.is_alphanumeric()).count() > 4;
    if cell.len() - bare.len() > 3 || is_name {
        return None;
    }
    let value: f64 = digits.replace(',', "").trim_end_matches('.').parse().ok()?;
    let value = value * factor;
    Some((if negative { -value } else { value }, kind))
}

/// The seconds of a unit of time (`3d`, `5 weeks ago`), the bytes of one of size (`12M`, `4.0 GiB`).
fn scale(unit: &str) -> (f64, Kind) {
    let word = unit.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    let time = |seconds: f64| (seconds, Kind::Time);
    let size = |power: i32| (1024_f64.powi(power), Kind::Size);
    match word.strip_suffix('s').filter(|word| word.len() > 2).unwrap_or(word) {
        "ns" => time(1e-9),
        "us" | "µs" => time(1e-6),
        "ms" => time(1e-3),
        "s" | "sec" | "second" => time(1.0),
        "m" | "min" | "minute" => time(60.0),
        "h" | "hour" => time(3_600.0),
        "d" | "day" => time(86_400.0),
        "w" | "week" => time(604_800.0),
        "month" => time(2_629_800.0),
        "y" | "year" => time(31_557_600.0),
        "B" | "byte" => size(0),
        "K" | "k" | "KB" | "kB" | "KiB" | "Ki" => size(1),
        "M" | "MB" | "MiB" | "Mi" => size(2),
        "G" | "GB" | "GiB" | "Gi" => size(3),
        "T" | "TB" | "TiB" | "Ti" => size(4),
        _ => (1.0, Kind::Other),
    }
}

/// `2030-01-01…` as days, roughly: enough to tell near from far.
fn date(cell: &str) -> Option<f64> {
    let day = cell.get(..10)?;
    let mut parts = day.split(['-', '/']);
    let (year, month, date) = (parts.next()?, parts.next()?, parts.next()?);
    let number = |text: &str, length: usize| (text.len() == length).then(|| text.parse::<f64>().ok()).flatten();
    Some(number(year, 4)? * 372.0 + number(month, 2)? * 31.0 + number(date, 2)?)
}

/// The least and the most of a range and its unit: `15 to 24 kg`, `10–25 kg`.
pub(super) fn range(cell: &str) -> Option<(f64, f64, &str)> {
    let cell = cell.trim();
    if cell.len() > LONGEST_STATE {
        return None;
    }
    let from = cell.find(|c: char| c.is_ascii_digit())?;
    let (least, rest) = number(cell.get(from..)?)?;
    let joint = rest.find(|c: char| c.is_ascii_digit())?;
    let between = rest.get(..joint)?;
    let joins = between.chars().all(|c| !c.is_alphanumeric()) && between.contains(['-', '–', '—', '…'])
        || between.split_whitespace().any(|word| matches!(word, "to" | "bis" | "a" | "à" | "до"));
    let (most, unit) = number(rest.get(joint..)?)?;
    let unit = unit.trim();
    (joins && least < most && unit.chars().count() <= LONGEST_UNIT).then_some((least, most, unit))
}

/// A number at the beginning of a text, and what follows it.
fn number(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    Some((digits.trim_end_matches('.').parse().ok()?, rest))
}

/// Characters of the longest unit behind a range.
const LONGEST_UNIT: usize = 12;
