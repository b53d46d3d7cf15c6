//! What a single word is by its shape alone: address, path, version, date, number, identifier.

use super::{AtomKind, lexicon};

/// A number as it is compared: value and unit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Number {
    /// Sign and digits in their one comparable form.
    pub(crate) value: String,
    /// The unit in its one comparable form; empty where the word itself bears none.
    pub(crate) unit: String,
}

/// What a word's shape gives away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Compared letter by letter.
    Verbatim(AtomKind),
    /// Compared by value and unit.
    Number(AtomKind, Number),
}

/// The shape of a folded word (original case), if it is one of those that atoms have.
pub(crate) fn shape(word: &str) -> Option<Shape> {
    use AtomKind::{Date, Email, Identifier, Path, Url, Version};
    let plain = word.bytes().all(|b| b.is_ascii_alphabetic());
    if plain {
        return camel(word).then_some(Shape::Verbatim(Identifier));
    }
    if word.contains("://") || word.starts_with("www.") {
        return Some(Shape::Verbatim(Url));
    }
    if let Some((user, host)) = word.split_once('@') {
        let email = !user.is_empty() && host.contains('.');
        return Some(Shape::Verbatim(if email { Email } else { Identifier }));
    }
    if path(word) {
        return Some(Shape::Verbatim(Path));
    }
    if clock(word) || date(word) {
        return Some(Shape::Verbatim(Date));
    }
    if version(word) {
        return Some(Shape::Verbatim(Version));
    }
    if let Some((kind, number)) = number(word) {
        return Some(Shape::Number(kind, number));
    }
    identifier(word).then_some(Shape::Verbatim(Identifier))
}

fn camel(word: &str) -> bool {
    let bytes = word.as_bytes();
    // McDonald, DeVito: a second capital after two letters is a name.
    bytes.windows(2).skip(1).any(|w| matches!(w, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()))
        && (bytes.first().is_some_and(u8::is_ascii_lowercase)
            || bytes.iter().filter(|b| b.is_ascii_uppercase()).count() >= 2)
        && !(word.starts_with("Mc") || word.starts_with("Mac"))
}

fn path(word: &str) -> bool {
    let drive = word.get(1..3).is_some_and(|t| t == ":\\" || t == ":/");
    let rooted = word.starts_with('/') || word.starts_with("./") || word.starts_with("../") || word.starts_with("~/");
    let slashes = word.bytes().filter(|b| matches!(b, b'/' | b'\\')).count();
    let letters = word.bytes().any(|b| b.is_ascii_alphabetic());
    let extension = word.rsplit(['/', '\\']).next().is_some_and(file_name);
    letters && (drive || (rooted && word.len() > 2) || (slashes >= 2 && !date(word)) || (slashes == 1 && extension))
}

/// `name.ext`, neither abbreviation nor sentence end.
fn file_name(word: &str) -> bool {
    word.rsplit_once('.').is_some_and(|(name, ext)| {
        name.len() > 1
            && (1..=5).contains(&ext.len())
            && ext.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            && ext.bytes().any(|b| b.is_ascii_lowercase())
            && name.bytes().any(|b| b.is_ascii_alphabetic())
            && !name.split('.').all(|part| part.len() == 1)
    })
}

/// `14:30`, `14:30:05`, `2:30pm`.
fn clock(word: &str) -> bool {
    let body = word.strip_suffix("am").or_else(|| word.strip_suffix("pm")).unwrap_or(word);
    body.contains(':')
        && body.split(':').all(|part| {
            (1..=2).contains(&part.split('.').next().unwrap_or_default().len())
                && part.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        })
}

/// `2019-05-01`, `12/05/2019`, `2019-05-01T12:00:00Z`.
fn date(word: &str) -> bool {
    let day = word.split(['T', ' ']).next().unwrap_or(word);
    let mark = if day.contains('/') { '/' } else { '-' };
    let parts: Vec<&str> = day.split(mark).collect();
    parts.len() == 3
        && parts.iter().all(|part| (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
        && parts.iter().any(|part| part.len() >= 2)
}

/// `1.2.3`, `v2.0`, `1.0.0-rc.1`.
fn version(word: &str) -> bool {
    let marked = word.strip_prefix(['v', 'V']);
    let body = marked.unwrap_or(word);
    let head = body.split(['-', '+']).next().unwrap_or(body);
    let parts = head.split('.').count();
    head.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
        && parts >= if marked.is_some() { 1 } else { 3 }
}

/// `CDN$51`, `RMB38`: letters that name a currency, and the rest.
fn currency(word: &str) -> Option<(&str, &str)> {
    const NAMES: &[&str] = &["RMB", "USD", "EUR", "GBP", "INR", "CHF", "JPY", "AUD", "CAD", "SEK", "Rs", "Rs."];
    if let Some((letters, after)) = word.split_once('$') {
        let plain = letters.len() <= 3 && letters.bytes().all(|b| b.is_ascii_uppercase());
        return plain.then(|| (word.get(..letters.len() + 1).unwrap_or_default(), after));
    }
    let symbols = ["€", "£", "¥"];
    symbols.iter().chain(NAMES).find_map(|name| word.strip_prefix(name).map(|after| (*name, after)))
}

/// `-5`, `$1,200.50`, `30ms`, `7%`, `3rd`, `1990s`, `30-day`.
fn number(word: &str) -> Option<(AtomKind, Number)> {
    let mut rest = word;
    let mut sign = "";
    let mut currency = "";
    loop {
        if let Some(after) = rest.strip_prefix(['-', '−']) {
            (sign, rest) = ("-", after);
        } else if let Some(after) = rest.strip_prefix('+') {
            (sign, rest) = ("+", after);
        } else if currency.is_empty()
            && let Some((name, after)) = self::currency(rest)
        {
            (currency, rest) = (name, after);
        } else {
            break;
        }
    }
    let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ',')).unwrap_or(rest.len());
    let (figures, suffix) = rest.split_at_checked(end)?;
    let figures = figures.trim_end_matches(['.', ',']);
    if !figures.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    if !suffix.is_empty() && suffix.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'.' | b',' | b'/' | b':'))
    {
        // A range or a stamp.
        return Some((AtomKind::Number, Number { value: word.to_owned(), unit: String::new() }));
    }
    let lower = suffix.trim_start_matches('-').to_lowercase();
    let (kind, unit) = match lower.as_str() {
        "" => (if currency.is_empty() { AtomKind::Number } else { AtomKind::Currency }, ""),
        "%" => (AtomKind::Percentage, "%"),
        "st" | "nd" | "rd" | "th" => (AtomKind::Number, "th"),
        "s" if figures.len() == 4 => (AtomKind::Date, "decade"),
        "am" | "pm" => (AtomKind::Date, if lower == "am" { "am" } else { "pm" }),
        other => match lexicon::unit(other) {
            Some(unit) => (AtomKind::Number, unit),
            None if lexicon::scale(other).is_some() => (AtomKind::Number, ""),
            None => return compound(figures, suffix, sign),
        },
    };
    let currency = currency.to_lowercase();
    let currency = lexicon::unit(&currency).unwrap_or(&currency);
    let value = value(sign, figures, lexicon::scale(&lower).unwrap_or(0));
    Some((kind, Number { value, unit: format!("{currency}{unit}") }))
}

/// `5-year`, `12-inch-wide`: a number, its unit and a rest that no table holds.
fn compound(figures: &str, suffix: &str, sign: &str) -> Option<(AtomKind, Number)> {
    let words = suffix.strip_prefix('-')?;
    if !words.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-') || !words.bytes().any(|b| b.is_ascii_lowercase()) {
        return None;
    }
    let first = words.split('-').next().unwrap_or(words);
    let unit = lexicon::unit(first).map_or_else(|| words.to_lowercase(), str::to_owned);
    Some((AtomKind::Number, Number { value: value(sign, figures, 0), unit }))
}

/// One form for equal values: no group separators, no trailing zeros, scaled. Long or zero-led digits stay as they are.
pub(crate) fn value(sign: &str, figures: &str, scale: i32) -> String {
    let commas = figures.contains(',')
        && figures.split(',').skip(1).all(|group| group.split('.').next().is_some_and(|g| g.len() == 3));
    let bare = if commas { figures.replace(',', "") } else { figures.to_owned() };
    let led = bare.starts_with('0') && bare.len() > 1 && !bare.starts_with("0.");
    if led || bare.len() > 15 {
        return format!("{sign}{bare}");
    }
    match bare.parse::<f64>() {
        Ok(number) => format!("{sign}{}", number * 10_f64.powi(scale)),
        Err(_) => format!("{sign}{bare}"),
    }
}

/// Snake case, digits among letters, hashes, UUIDs, tickets, flags, dotted and scoped names, template marks.
fn identifier(word: &str) -> bool {
    let has = |test: fn(&u8) -> bool| word.as_bytes().iter().any(test);
    let letters = has(u8::is_ascii_alphabetic);
    let digits = has(u8::is_ascii_digit);
    let snake = word.trim_matches('_').contains('_') || (word.starts_with('_') && letters);
    let flag = word.strip_prefix("--").is_some_and(|rest| rest.len() > 1)
        || (word.starts_with('-') && word.len() == 2 && letters);
    let ticket = word.strip_prefix('#').is_some_and(|rest| !rest.is_empty());
    let dotted = file_name(word) && !word.contains("..");
    let scoped = word.contains("::")
        || word.contains("()")
        || word.contains("->")
        || word.contains('=')
        || word.starts_with('$');
    (digits && word.len() > 1) || snake || flag || ticket || dotted || scoped || (letters && camel(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number_of(word: &str) -> (String, String) {
        match shape(word) {
            Some(Shape::Number(_, n)) => (n.value, n.unit),
            other => panic!("{word}: {other:?}"),
        }
    }

    #[test]
    fn equal_values_have_one_form_and_units_stay() {
        assert_eq!(number_of("1,000"), number_of("1000"));
        assert_eq!(number_of("5.50").0, "5.5");
        assert_eq!(number_of("30ms"), ("30".into(), "ms".into()));
        assert_eq!(number_of("-$5"), ("-5".into(), "usd".into()));
        assert_eq!(number_of("7%").1, "%");
        assert_eq!(number_of("30-day"), ("30".into(), "day".into()));
        assert_eq!(number_of("2bn").0, "2000000000");
        assert_eq!(number_of("007").0, "007");
        assert_ne!(number_of("-5"), number_of("5"));
    }

    #[test]
    fn shapes_are_told_apart() {
        use AtomKind::{Date, Email, Identifier, Path, Url, Version};
        for (word, kind) in [
            ("a.b@c.org", Email),
            ("https://x.y/z?q=1", Url),
            ("/etc/hosts", Path),
            ("src/main.rs", Path),
            ("C:\\temp", Path),
            ("2019-05-01", Date),
            ("12/05/2019", Date),
            ("14:30", Date),
            ("1.2.3", Version),
            ("v2", Version),
            ("snake_case", Identifier),
            ("camelCase", Identifier),
            ("INC-1234", Identifier),
            ("550e8400-e29b-41d4-a716-446655440000", Identifier),
            ("da39a3ee5e6b", Identifier),
            ("--dry-run", Identifier),
            ("main.rs", Identifier),
            ("std::fs", Identifier),
        ] {
            assert_eq!(shape(word), Some(Shape::Verbatim(kind)), "{word}");
        }
        for word in ["well-known", "and/or", "e.g", "U.S", "word", "Word"] {
            assert_eq!(shape(word), None, "{word}");
        }
    }
}
