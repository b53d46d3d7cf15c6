//! How much of a unit is said elsewhere.

/// How much of a unit is said elsewhere or says nothing, 0–1, by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct Redundancy {
    /// Words and names that stood before it in the text.
    pub lexical: f32,
    /// Near-copies of other units, fragments of overlapping chunks, templates, greetings and notices.
    pub structural: f32,
}

/// The kinds that there are, for people: `lexical 0.40, structural 0.93`; nothing where nothing is redundant.
impl std::fmt::Display for Redundancy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kinds = [("lexical", self.lexical), ("structural", self.structural)];
        let there = kinds.iter().filter(|(_, share)| *share >= 0.005);
        there
            .enumerate()
            .try_for_each(|(at, (kind, share))| write!(f, "{}{kind} {share:.2}", if at > 0 { ", " } else { "" }))
    }
}
