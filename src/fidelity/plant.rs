//! Plants corruptions in true text, and rewrites it faithfully by rule, to measure what the checks notice.
//!
//! On purpose none of this uses the guard's own idea of an atom: a corruption that the guard can't see is planted too.

mod corrupt;
mod faithful;
mod text;

pub use faithful::{Faithful, rewrite};

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
    /// A duty, a permission or a possibility exchanged for another.
    Modal,
    /// Another word within quotation marks.
    Quotation,
    /// An entry of a list left out.
    List,
}

impl Corruption {
    /// All ways, in the order of tables.
    pub const ALL: [Self; 12] = [
        Self::Number,
        Self::Unit,
        Self::Negation,
        Self::Names,
        Self::Entity,
        Self::Identifier,
        Self::Exception,
        Self::Direction,
        Self::Merged,
        Self::Modal,
        Self::Quotation,
        Self::List,
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
            Self::Modal => "changed modal",
            Self::Quotation => "changed quotation",
            Self::List => "shortened list",
        }
    }
}

/// The text with one corruption planted; `None` where it has no place for that kind. `seed` chooses among the places.
#[must_use]
pub fn plant(text: &str, corruption: Corruption, seed: usize) -> Option<String> {
    let planted = match corruption {
        Corruption::Number => corrupt::number(text, seed),
        Corruption::Unit => corrupt::unit(text, seed),
        Corruption::Negation => corrupt::negation(text, seed),
        Corruption::Names => corrupt::names(text, seed),
        Corruption::Entity => corrupt::entity(text, seed),
        Corruption::Identifier => corrupt::identifier(text, seed),
        Corruption::Exception => corrupt::exception(text, seed),
        Corruption::Direction => corrupt::direction(text, seed),
        Corruption::Merged => corrupt::merged(text, seed),
        Corruption::Modal => corrupt::modal(text, seed),
        Corruption::Quotation => corrupt::quotation(text, seed),
        Corruption::List => corrupt::list(text, seed),
    }?;
    (planted != text).then_some(planted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::guard;

    /// Written for this test: each unit of two sentences has several kinds of atoms.
    const UNITS: &str = include_str!("../../fixtures/guard/units.txt");

    #[test]
    fn no_planted_corruption_passes() {
        for corruption in Corruption::ALL {
            let mut planted = 0;
            for unit in UNITS.lines() {
                for text in (0..12).filter_map(|seed| plant(unit, corruption, seed)) {
                    planted += 1;
                    assert!(guard::check(unit, &text).is_err(), "{}: {text}", corruption.as_str());
                }
            }
            assert!(planted >= 20, "{}: {planted}", corruption.as_str());
        }
    }

    #[test]
    fn faithful_rewrites_pass() {
        for way in Faithful::ALL {
            let rewrites: Vec<_> = UNITS.lines().filter_map(|unit| Some((unit, rewrite(unit, way)?))).collect();
            for (unit, text) in &rewrites {
                assert_eq!(guard::check(unit, text), Ok(()), "{}: {text}", way.as_str());
            }
            assert!(!rewrites.is_empty() || way == Faithful::Whitespace, "{}", way.as_str());
        }
    }

    #[test]
    fn each_kind_finds_its_place() {
        let text = "He did not pay Miller 30 seconds before Baker left src/a/b_1.rs, unless it may rise.";
        for corruption in Corruption::ALL
            .into_iter()
            .filter(|c| !matches!(c, Corruption::Merged | Corruption::List | Corruption::Quotation))
        {
            assert!(plant(text, corruption, 0).is_some(), "{corruption:?}");
        }
        let pair = "The dog that lives next door bit a postman. The cat that sleeps on our roof ran off with the fish.";
        let merged = plant(pair, Corruption::Merged, 0).unwrap();
        assert!(
            merged.starts_with("The dog that") && merged.ends_with("with the fish.") && !merged.contains("postman"),
            "{merged}"
        );
        let said = "They sold pears, plums and figs, and the clerk wrote \"the plums were late again\" below.";
        assert!(plant(said, Corruption::List, 0).unwrap().contains("pears, and figs"));
        assert!(plant(said, Corruption::Quotation, 0).is_some());
        assert_eq!(plant("plain words", Corruption::Number, 0), None);
    }

    #[test]
    fn a_remark_goes_without_a_trace() {
        let text = "The mayor, who was rather tired, went home.";
        assert_eq!(rewrite(text, Faithful::Apposition).unwrap(), "The mayor went home.");
    }
}
