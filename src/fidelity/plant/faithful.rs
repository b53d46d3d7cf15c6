//! Rewrites by rule that say the same in other characters.

use super::text::replaced;
use crate::compress::text::lexicon::List;

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
        let bound = inner.split(' ').any(|w| BINDING.has(w));
        (plain && opens && !bound && inner.len() > 4).then(|| replaced(text, from..to + 1, ""))?
    })
}

/// Words that make a remark more than a remark.
static BINDING: List = List::new(
    "not no never must may can could should would will might if unless except only more less most least before
    after over under without nor none nothing until shall two three four five six seven eight nine ten both half
    almost nearly likely fail unable higher lower larger smaller better worse always twice dozen above below
    perhaps probably best worst later earlier increased rising largest",
);
