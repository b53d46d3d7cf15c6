//! The corruptions, one function a kind. Each is told a text and a seed that chooses among the places.

use std::ops::Range;

use super::text::{bare, pairs, pick, replaced, tokens};
use crate::compress::text::lexicon::List;

pub(super) fn number(text: &str, seed: usize) -> Option<String> {
    let figures = text.char_indices().filter(|(_, c)| c.is_ascii_digit()).collect();
    let (at, old) = pick(figures, seed)?;
    // A trailing zero behind a decimal point is no other value, and neither is a zero put before one.
    let new = char::from_digit((old.to_digit(10)? + 1 + u32::try_from(seed % 7).ok()?) % 10, 10)?;
    replaced(text, at..at + 1, &new.to_string())
}

pub(super) fn unit(text: &str, seed: usize) -> Option<String> {
    const UNITS: &str = "seconds:minutes minutes:hours hours:days days:weeks weeks:months months:years years:months \
    percent:points million:billion billion:million dollars:euros euros:pounds kilometres:miles \
    miles:kilometres km:miles metres:feet feet:metres m:km mm:cm kg:pounds pounds:kg MB:GB GB:MB ms:s \
    inches:feet acres:hectares meters:feet degrees:percent";
    let words = tokens(text);
    let mut places = Vec::new();
    for pair in words.windows(2) {
        let [(_, figure), (span, word)] = pair else { continue };
        if !figure.ends_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        if let Some((old, new)) = pairs(UNITS).find(|(old, _)| bare(word) == *old) {
            let start = span.start + word.find(old)?;
            places.push((start..start + old.len(), new.to_owned()));
        }
    }
    for (at, mark) in text.match_indices(['%', '$', '€', '£']) {
        let new = match mark {
            "%" => " points",
            "$" => "€",
            _ => "$",
        };
        places.push((at..at + mark.len(), new.to_owned()));
    }
    let (span, new) = pick(places, seed)?;
    replaced(text, span, &new)
}

pub(super) fn negation(text: &str, seed: usize) -> Option<String> {
    let words = tokens(text);
    let mut places = Vec::new();
    for (span, word) in &words {
        match bare(word).to_lowercase().as_str() {
            "not" | "never" => places.push((span.start..span.end + 1, String::new())),
            "no" => places.push((span.clone(), "some".to_owned())),
            "cannot" => places.push((span.clone(), "can".to_owned())),
            "without" => places.push((span.clone(), "with".to_owned())),
            lower if lower.ends_with("n't") && lower.len() > 4 => places.push((span.clone(), word.replace("n't", ""))),
            "is" | "was" | "are" | "were" | "can" | "will" | "must" | "should" | "could" | "would" | "may"
                if seed % 2 == 1 =>
            {
                places.push((span.end..span.end, " not".to_owned()));
            }
            _ => {}
        }
    }
    let (span, new) = pick(places, seed / 2)?;
    replaced(text, span.start..span.end.min(text.len()), &new)
}

/// Capitalised words inside of sentences that are neither dates nor function words of a title.
fn inner_names(text: &str) -> Vec<(Range<usize>, &str)> {
    let words = tokens(text);
    let mut out: Vec<(Range<usize>, &str)> = Vec::new();
    for pair in words.windows(2) {
        let [(_, before), (span, word)] = pair else { continue };
        let name = bare(word);
        let inside = !before.ends_with(['.', '!', '?', ':', '"', '”']);
        let plain = name.len() > 2 && name.chars().all(char::is_alphabetic);
        if inside
            && plain
            && !TITLE.has(name)
            && name.chars().next().is_some_and(char::is_uppercase)
            && name.chars().skip(1).all(char::is_lowercase)
            && let Some(lead) = word.find(name)
        {
            out.push((span.start + lead..span.start + lead + name.len(), name));
        }
    }
    out
}

/// Capitalised words that are no names.
static TITLE: List = List::new(
    "January February March April May June July August September October November December Jan Feb Mar Apr Jun Jul
    Aug Sep Oct Nov Dec Monday Tuesday Wednesday Thursday Friday Saturday Sunday Mon Tue Wed Thu Fri Sat Sun The
    And Are Was For From With Not You Your His Her She They This That What Who How All But Has Have Into Its Our
    One Two There Then Can Will Don Yeah Well",
);

pub(super) fn names(text: &str, seed: usize) -> Option<String> {
    let found = inner_names(text);
    let mut places = Vec::new();
    for (i, (first, a)) in found.iter().enumerate() {
        // Not two words of one name: something must stand between.
        if let Some((second, b)) = found.iter().skip(i + 1).find(|(s, b)| b != a && s.start > first.end + 2) {
            places.push((first.clone(), *a, second.clone(), *b));
        }
    }
    let (first, a, second, b) = pick(places, seed)?;
    let with = replaced(text, second, a)?;
    replaced(&with, first, b)
}

pub(super) fn entity(text: &str, seed: usize) -> Option<String> {
    const STRANGERS: &str = "Hargreaves Lindqvist Montevarro Okonjo Brightwater Zelinska Tamberline";
    let (span, _) = pick(inner_names(text), seed)?;
    replaced(text, span, STRANGERS.split(' ').nth(seed % 7)?)
}

pub(super) fn identifier(text: &str, seed: usize) -> Option<String> {
    let mut places = Vec::new();
    for (span, word) in tokens(text) {
        let core = bare(word);
        let digits = core.chars().any(|c| c.is_ascii_digit());
        let letters = core.chars().filter(char::is_ascii_alphabetic).count();
        let aged = core
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .strip_prefix('-')
            .is_some_and(|rest| !rest.contains(|c: char| c.is_ascii_digit()));
        let known = !aged
            && ((digits
                && letters > 2
                && core.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
                || core.contains('_')
                || core.contains("://")
                || core.contains('@')
                || core.matches('/').count() > 1);
        if known && core.len() > 3 {
            let start = span.start + word.find(core)?;
            places
                .extend(core.char_indices().filter(|(_, c)| c.is_ascii_alphanumeric()).map(|(at, c)| (start + at, c)));
        }
    }
    let (at, old) = pick(places, seed)?;
    let new = match old {
        '0'..='8' => char::from_u32(u32::from(old) + 1)?,
        '9' => '4',
        'q' | 'Q' => 'k',
        _ if old.is_ascii_uppercase() => 'Q',
        _ => 'q',
    };
    replaced(text, at..at + 1, &new.to_string())
}

pub(super) fn exception(text: &str, seed: usize) -> Option<String> {
    static OPENERS: List = List::new("except unless excluding if until only provided");
    let words = tokens(text);
    let mut places = Vec::new();
    for (i, (span, word)) in words.iter().enumerate() {
        let lower = bare(word).to_lowercase();
        if i == 0 || !OPENERS.has(&lower) {
            continue;
        }
        if lower == "only" {
            places.push(span.start..(span.end + 1).min(text.len()));
            continue;
        }
        let end = words
            .iter()
            .skip(i)
            .find(|(_, w)| w.ends_with(['.', ',', ';', '!', '?']))
            .map_or(text.len(), |(s, _)| s.end - 1);
        places.push(span.start.saturating_sub(1)..end);
    }
    let span = pick(places, seed)?;
    replaced(text, span, "")
}

pub(super) fn direction(text: &str, seed: usize) -> Option<String> {
    const OPPOSITES: &str = "more:less higher:lower greater:smaller larger:smaller increase:decrease increased:decreased \
    increases:decreases increasing:decreasing rose:fell rise:fall above:below before:after most:least \
    earlier:later better:worse longer:shorter over:under up:down older:younger faster:slower maximum:minimum \
    north:south east:west first:last highest:lowest largest:smallest best:worst stronger:weaker";
    let mut places = Vec::new();
    for (span, word) in tokens(text) {
        let core = bare(word);
        let other = pairs(OPPOSITES).find_map(|(a, b)| match core {
            _ if core == a => Some(b),
            _ if core == b => Some(a),
            _ => None,
        });
        if let Some(other) = other {
            let start = span.start + word.find(core)?;
            places.push((start..start + core.len(), other));
        }
    }
    let (span, other) = pick(places, seed)?;
    replaced(text, span, other)
}

/// The first half of a sentence with the second half of the next.
pub(super) fn merged(text: &str, seed: usize) -> Option<String> {
    let words = tokens(text);
    let ends: Vec<usize> = words
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| matches!(pair, [(_, a), (_, b)] if a.ends_with('.') && bare(a).len() > 3 && b.chars().next().is_some_and(char::is_uppercase)))
        .map(|(i, _)| i)
        .collect();
    let end = pick(ends, seed)?;
    let start = words.get(..end)?.iter().rposition(|(_, w)| w.ends_with(['.', '!', '?'])).map_or(0, |at| at + 1);
    let next = words.iter().skip(end + 1).position(|(_, w)| w.ends_with(['.', '!', '?'])).map(|n| end + 1 + n)?;
    if end - start < 5 || next - end < 6 {
        return None;
    }
    let (from, _) = words.get(start + usize::midpoint(0, end - start))?;
    let (to, _) = words.get(end + 1 + usize::midpoint(0, next - end))?;
    replaced(text, from.start..to.start, "")
}

/// A duty, permission or possibility in the place of another.
pub(super) fn modal(text: &str, seed: usize) -> Option<String> {
    const MODALS: &str =
        "must:may may:must shall:may should:must might:will can:must could:would will:might would:might";
    exchanged(text, seed, MODALS)
}

/// Another word within quotation marks.
pub(super) fn quotation(text: &str, seed: usize) -> Option<String> {
    const STRANGERS: &str = "gladly violet eleven harbour";
    let mut places = Vec::new();
    for (open, close) in [("\u{201c}", "\u{201d}"), ("\"", "\"")] {
        let mut from = 0;
        while let Some(start) = text.get(from..).and_then(|rest| rest.find(open)).map(|at| from + at + open.len()) {
            let Some(end) = text.get(start..).and_then(|rest| rest.find(close)).map(|at| start + at) else { break };
            let inner = tokens(text.get(start..end)?);
            if (2..30).contains(&inner.len()) {
                places.extend(inner.iter().filter(|(_, w)| bare(w).len() > 3).map(|(s, w)| {
                    let lead = w.find(bare(w)).unwrap_or(0);
                    start + s.start + lead..start + s.start + lead + bare(w).len()
                }));
            }
            from = end + close.len();
        }
    }
    let span = pick(places, seed)?;
    replaced(text, span, STRANGERS.split(' ').nth(seed % 4)?)
}

/// One of three or more entries between commas left out: `pears, plums and figs`.
pub(super) fn list(text: &str, seed: usize) -> Option<String> {
    let words = tokens(text);
    let mut places = Vec::new();
    for (at, four) in words.windows(4).enumerate() {
        let [(_, first), (span, second), (_, and), (_, last)] = four else { continue };
        let entry = |word: &str| bare(word).len() > 3 && bare(word).chars().all(char::is_alphabetic);
        let listed =
            first.ends_with(',') && matches!(*and, "and" | "or") && entry(first) && entry(second) && entry(last);
        if listed && second.trim_end_matches(',').len() == bare(second).len() && at > 0 {
            places.push(span.start..span.end + 1);
        }
    }
    let span = pick(places, seed)?;
    // `pears, plums, and figs` -> `pears, and figs`
    replaced(text, span, "")
}

/// One word exchanged for its partner.
fn exchanged(text: &str, seed: usize, partners: &'static str) -> Option<String> {
    let mut places = Vec::new();
    for (span, word) in tokens(text) {
        let core = bare(word);
        if let Some((_, other)) = pairs(partners).find(|(old, _)| *old == core) {
            let start = span.start + word.find(core)?;
            places.push((start..start + core.len(), other));
        }
    }
    let (span, other) = pick(places, seed)?;
    replaced(text, span, other)
}
