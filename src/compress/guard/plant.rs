//! Plants corruptions in true text, and rewrites it faithfully by rule, to measure what the checks notice.
//!
//! On purpose none of this uses the guard's own idea of an atom: a corruption that the guard can't see is planted too.

use std::ops::Range;

use crate::compress::atoms::lexicon::listed;

/// A way to make a text say something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Corruption {
    /// Another figure.
    Number,
    /// Another unit behind a figure.
    Unit,
    /// A negation added or removed.
    Negation,
    /// Two names exchanged.
    Names,
    /// A name from elsewhere in the place of one.
    Entity,
    /// A character of an identifier, address or path changed.
    Identifier,
    /// An exception or condition left out.
    Exception,
    /// A word of direction turned into its opposite.
    Direction,
    /// The beginning of one sentence with the end of the next.
    Merged,
}

impl Corruption {
    /// All ways, in the order of tables.
    pub const ALL: [Self; 9] = [
        Self::Number,
        Self::Unit,
        Self::Negation,
        Self::Names,
        Self::Entity,
        Self::Identifier,
        Self::Exception,
        Self::Direction,
        Self::Merged,
    ];

    /// The word used in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Number => "changed number",
            Self::Unit => "changed unit",
            Self::Negation => "flipped negation",
            Self::Names => "swapped names",
            Self::Entity => "invented entity",
            Self::Identifier => "changed identifier",
            Self::Exception => "dropped exception",
            Self::Direction => "turned direction",
            Self::Merged => "merged facts",
        }
    }
}

/// The text with one corruption planted; `None` where it has no place for that kind. `seed` chooses among the places.
#[must_use]
pub fn plant(text: &str, corruption: Corruption, seed: usize) -> Option<String> {
    let planted = match corruption {
        Corruption::Number => number(text, seed),
        Corruption::Unit => unit(text, seed),
        Corruption::Negation => negation(text, seed),
        Corruption::Names => names(text, seed),
        Corruption::Entity => entity(text, seed),
        Corruption::Identifier => identifier(text, seed),
        Corruption::Exception => exception(text, seed),
        Corruption::Direction => direction(text, seed),
        Corruption::Merged => merged(text, seed),
    }?;
    (planted != text).then_some(planted)
}

/// A way to say the same in other characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Faithful {
    /// Runs of white space and line ends become one space.
    Whitespace,
    /// `not` contracted or spelled out.
    Contraction,
    /// Articles left out.
    Articles,
    /// Words that add no fact left out.
    Fillers,
    /// A remark between commas, without names, figures, negations or conditions, left out.
    Apposition,
    /// Long phrases exchanged for short ones of the same meaning.
    Phrases,
}

impl Faithful {
    /// All ways, in the order of tables.
    pub const ALL: [Self; 6] =
        [Self::Whitespace, Self::Contraction, Self::Articles, Self::Fillers, Self::Apposition, Self::Phrases];

    /// The word used in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Whitespace => "white space",
            Self::Contraction => "contraction",
            Self::Articles => "articles dropped",
            Self::Fillers => "fillers dropped",
            Self::Apposition => "remark dropped",
            Self::Phrases => "shorter phrases",
        }
    }
}

/// The text rewritten faithfully; `None` where it has no place for that way.
#[must_use]
pub fn rewrite(text: &str, way: Faithful) -> Option<String> {
    if way != Faithful::Whitespace && text.contains(['"', '“', '«']) {
        // A quotation with other words is no faithful one.
        return None;
    }
    let rewritten = match way {
        Faithful::Whitespace => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Faithful::Contraction => contraction(text)?,
        Faithful::Articles => without(text, &["the", "a", "an"]),
        Faithful::Fillers => {
            without(text, &["very", "quite", "really", "basically", "actually", "simply", "rather", "indeed"])
        }
        Faithful::Apposition => remark(text)?,
        Faithful::Phrases => PHRASES.iter().fold(text.to_owned(), |text, (long, short)| text.replace(long, short)),
    };
    (rewritten != text).then_some(rewritten)
}

const PHRASES: &[(&str, &str)] = &[
    (" in order to ", " to "),
    (" due to the fact that ", " because "),
    (" a large number of ", " many "),
    (" as well as ", " and "),
    (" in addition to ", " besides "),
    (" at this point in time", " now"),
    (" with regard to ", " on "),
    (" a variety of ", " various "),
    (" such as ", " like "),
];

/// White-space words with their spans.
fn tokens(text: &str) -> Vec<(Range<usize>, &str)> {
    let base = text.as_ptr() as usize;
    text.split_whitespace()
        .map(|word| {
            let at = word.as_ptr() as usize - base;
            (at..at + word.len(), word)
        })
        .collect()
}

/// Pairs written as `old:new` and parted by spaces.
fn pairs(list: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    list.split_ascii_whitespace().filter_map(|pair| pair.split_once(':'))
}

fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

fn replaced(text: &str, span: Range<usize>, with: &str) -> Option<String> {
    Some(format!("{}{with}{}", text.get(..span.start)?, text.get(span.end..)?))
}

fn pick<T>(mut places: Vec<T>, seed: usize) -> Option<T> {
    if places.is_empty() {
        return None;
    }
    let at = seed % places.len();
    Some(places.swap_remove(at))
}

fn number(text: &str, seed: usize) -> Option<String> {
    let figures = text.char_indices().filter(|(_, c)| c.is_ascii_digit()).collect();
    let (at, old) = pick(figures, seed)?;
    // A trailing zero behind a decimal point is no other value, and neither is a zero put before one.
    let new = char::from_digit((old.to_digit(10)? + 1 + u32::try_from(seed % 7).ok()?) % 10, 10)?;
    replaced(text, at..at + 1, &new.to_string())
}

fn unit(text: &str, seed: usize) -> Option<String> {
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

fn negation(text: &str, seed: usize) -> Option<String> {
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
            && !listed(TITLE, name)
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
const TITLE: &str = "January February March April May June July August September October November December Jan Feb Mar Apr Jun \
    Jul Aug Sep Oct Nov Dec Monday Tuesday Wednesday Thursday Friday Saturday Sunday Mon Tue Wed Thu Fri Sat Sun \
    The And Are Was For From With Not You Your His Her She They This That What Who How All But Has Have Into Its \
    Our One Two There Then Can Will Don Yeah Well";

fn names(text: &str, seed: usize) -> Option<String> {
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

fn entity(text: &str, seed: usize) -> Option<String> {
    const STRANGERS: &str = "Hargreaves Lindqvist Montevarro Okonjo Brightwater Zelinska Tamberline";
    let (span, _) = pick(inner_names(text), seed)?;
    replaced(text, span, STRANGERS.split(' ').nth(seed % 7)?)
}

fn identifier(text: &str, seed: usize) -> Option<String> {
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

fn exception(text: &str, seed: usize) -> Option<String> {
    const OPENERS: &str = "except unless excluding if until only provided";
    let words = tokens(text);
    let mut places = Vec::new();
    for (i, (span, word)) in words.iter().enumerate() {
        let lower = bare(word).to_lowercase();
        if i == 0 || !listed(OPENERS, &lower) {
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

fn direction(text: &str, seed: usize) -> Option<String> {
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
fn merged(text: &str, seed: usize) -> Option<String> {
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

fn contraction(text: &str) -> Option<String> {
    const PAIRS: &[(&str, &str)] = &[
        (" do not ", " don't "),
        (" does not ", " doesn't "),
        (" did not ", " didn't "),
        (" is not ", " isn't "),
        (" was not ", " wasn't "),
        (" are not ", " aren't "),
        (" were not ", " weren't "),
        (" cannot ", " can't "),
        (" could not ", " couldn't "),
        (" has not ", " hasn't "),
        (" have not ", " haven't "),
        (" would not ", " wouldn't "),
        (" should not ", " shouldn't "),
        (" will not ", " won't "),
    ];
    let spelled = PAIRS.iter().find(|(_, short)| text.contains(short)).map(|(long, short)| text.replace(short, long));
    spelled
        .or_else(|| PAIRS.iter().find(|(long, _)| text.contains(long)).map(|(long, short)| text.replace(long, short)))
}

/// Leaves lower-case words out.
fn without(text: &str, words: &[&str]) -> String {
    text.split(' ').filter(|word| !words.contains(word)).collect::<Vec<_>>().join(" ")
}

fn remark(text: &str) -> Option<String> {
    let commas: Vec<usize> = text.match_indices(", ").map(|(at, _)| at).collect();
    commas.windows(2).find_map(|pair| {
        let [from, to] = *pair else { return None };
        let inner = text.get(from + 2..to)?;
        let plain = inner.chars().all(|c| c.is_lowercase() || c == ' ');
        let opens = ["who ", "which ", "however", "of course", "as ", "for example", "in turn", "for instance"]
            .iter()
            .any(|o| inner.starts_with(o));
        let bound = inner.split(' ').any(|w| listed(BINDING, w));
        (plain && opens && !bound && inner.len() > 4).then(|| replaced(text, from..to + 1, ""))?
    })
}

/// Words that make a remark more than a remark.
const BINDING: &str = "not no never must may can could should would will might if unless except only more less most least before \
    after over under without nor none nothing until shall two three four five six seven eight nine ten both half \
    almost nearly likely fail unable higher lower larger smaller better worse always twice dozen above below \
    perhaps probably best worst later earlier increased rising largest";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_finds_its_place() {
        let text = "He did not pay Miller 30 seconds before Baker left src/a/b_1.rs, unless it rose.";
        for corruption in Corruption::ALL.into_iter().filter(|c| *c != Corruption::Merged) {
            assert!(plant(text, corruption, 0).is_some(), "{corruption:?}");
        }
        let pair = "The dog that lives next door bit a postman. The cat that sleeps on our roof ran off with the fish.";
        let merged = plant(pair, Corruption::Merged, 0).unwrap();
        assert!(
            merged.starts_with("The dog that") && merged.ends_with("with the fish.") && !merged.contains("postman"),
            "{merged}"
        );
        assert_eq!(plant("plain words", Corruption::Number, 0), None);
    }

    #[test]
    fn a_remark_goes_without_a_trace() {
        let text = "The mayor, who was rather tired, went home.";
        assert_eq!(rewrite(text, Faithful::Apposition).unwrap(), "The mayor went home.");
    }
}
