//! Long texts: the nearest units say what is asked for as they stand; of all others counts what they say that nothing more
//! relevant says. A question about a whole document is answered by many places, and past the first few hundred tokens
//! another sentence of the same neighbourhood tells less than new words from elsewhere.

use std::{collections::HashSet, ops::Range};

use super::{
    super::{
        phrase::even_out,
        segment::Form,
        words::{is_stop_word, stem, words},
    },
    Prose,
    choice::{CORE_ASKED, INFORMATION},
};

/// How a text is told from near to far.
#[derive(Default)]
pub(super) struct Breadth {
    /// How long the text is: 0 for a short one, 1 for a long one.
    length: f32,
    /// Units from the most relevant to the least.
    order: Vec<usize>,
    /// For each phrase how much it says for its tokens that no more relevant unit says, 0–1; evened
    /// out within units.
    new: Vec<f32>,
}

impl Prose<'_> {
    /// What each phrase says that nothing more relevant says. Empty for a short text, and for one with tables: a row is no
    /// sentence of which words can be left.
    pub(super) fn breadth(&self) -> Breadth {
        let total: usize = self.phrases.iter().map(|phrase| phrase.cost).sum();
        if total <= LONG || self.segments.iter().any(|segment| matches!(segment.form, Form::Head | Form::Row)) {
            return Breadth::default();
        }
        let relevance = |unit: usize| self.relevance.get(unit).copied().unwrap_or(0.0);
        let mut order: Vec<usize> = (0..self.segments.len()).collect();
        order.sort_by(|a, b| relevance(*b).total_cmp(&relevance(*a)).then(a.cmp(b)));
        let mut seen = HashSet::new();
        let mut new = vec![0.0; self.phrases.len()];
        let starts = self.starts();
        for unit in &order {
            let places = places(&starts, *unit);
            let (Some(new), Some(phrases)) = (new.get_mut(places.clone()), self.phrases.get(places)) else { continue };
            for (new, phrase) in new.iter_mut().zip(phrases).filter(|(_, phrase)| !self.is_redundant(phrase)) {
                let text = self.text.get(phrase.span.clone()).unwrap_or_default();
                let content = words(text).filter_map(|word| text.get(word)).filter(|word| is_content(word));
                let count = content.filter(|word| seen.insert(stem(word))).count();
                *new = (count as f32 / phrase.cost as f32).min(1.0);
            }
            even_out(new, NEIGHBOUR, ROUNDS);
        }
        Breadth { length: ((total - LONG) as f32 / LONG as f32).min(1.0), order, new }
    }

    /// For each unit the place of its first phrase, and after the last one the number of phrases.
    fn starts(&self) -> Vec<usize> {
        let mut starts = vec![0; self.segments.len() + 1];
        for phrase in &self.phrases {
            if let Some(count) = starts.get_mut(phrase.unit + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        starts
    }

    /// Adds to the worth of phrases that are far from what is asked what they say that nothing nearer says. Returns for each
    /// unit the share of it that stands or falls together.
    pub(super) fn widen(&self, worth: &mut [f32], budget: usize) -> Vec<f32> {
        let mut cores = vec![CORE_ASKED; self.segments.len()];
        let most = NEAREST.max(budget * SHARE / 10);
        let starts = self.starts();
        let mut spent = 0;
        let far = self.breadth.order.iter().skip_while(|unit| {
            let phrases = self.phrases.get(places(&starts, **unit)).unwrap_or_default();
            spent += phrases.iter().map(|phrase| phrase.cost).sum::<usize>();
            spent <= most
        });
        let length = self.breadth.length;
        for unit in far {
            if let Some(core) = cores.get_mut(*unit) {
                *core += length * (CORE_FAR - CORE_ASKED);
            }
            let places = places(&starts, *unit);
            let (Some(worth), Some(new), Some(phrases)) =
                (worth.get_mut(places.clone()), self.breadth.new.get(places.clone()), self.phrases.get(places))
            else {
                continue;
            };
            for ((worth, new), phrase) in worth.iter_mut().zip(new).zip(phrases) {
                let known = KNOWN * (1.0 - new) * phrase.smoothed / INFORMATION;
                *worth += length * (NEW * new - known);
            }
        }
        cores
    }
}

/// A number says nothing without what it is said of, however new it is.
fn is_content(word: &str) -> bool {
    word.contains(char::is_alphabetic) && !is_stop_word(&word.to_lowercase())
}

/// The places of a unit's phrases.
fn places(starts: &[usize], unit: usize) -> Range<usize> {
    let at = |unit: usize| starts.get(unit).copied().unwrap_or(0);
    at(unit)..at(unit + 1)
}

/// Texts of so many tokens begin to count as long, and those of twice as many are.
const LONG: usize = 2_000;
/// Tokens of the units that count as near, and tenths of a budget where that is more.
const NEAREST: usize = 400;
const SHARE: usize = 4;
/// What a phrase far off is worth that says something new with each token, beside 2 for the most relevant unit.
const NEW: f32 = 1.0;
/// How much less it is worth what a phrase far off tells where it is known already: names and figures of everywhere say
/// little by themselves.
const KNOWN: f32 = 0.7;
/// The share of a unit far off that stands or falls together; see [`CORE_ASKED`].
const CORE_FAR: f32 = 0.2;
/// How what is new in a phrase lifts its neighbours, so that it comes with some of what it is said with.
const NEIGHBOUR: f32 = 0.15;
const ROUNDS: usize = 2;

#[cfg(test)]
mod tests {
    use crate::compress::{Encoding, Policy, Query, Ratio, compress};

    /// Three hundred statements of trades and sums, most of which share words with the question, and eight that don't.
    fn minutes() -> String {
        let trades = ["baker", "joiner", "printer", "glazier", "mason", "tailor", "cooper"];
        let mut text = String::new();
        for number in 0..300 {
            let trade = trades[number % trades.len()];
            text.push_str(&format!(
                "The {trade} of house {number} said that the harbour fee was too high for a {trade}. "
            ));
            if let Some(word) = FAR.get(number / 36).filter(|_| number % 36 == 20) {
                text.push_str(&format!("Afterwards a {word} was shown to everybody who had come. "));
            }
        }
        text.push_str("The harbour fee is nine crowns a ton.");
        text
    }

    const FAR: [&str; 8] =
        ["telescope", "lantern", "violin", "compass", "tapestry", "windmill", "sundial", "barometer"];

    #[test]
    fn a_long_text_tells_of_what_is_far_from_the_question_as_well() {
        let query = Query { preceding: "How high is the harbour fee a ton?".to_owned(), ..Query::default() };
        let policy = Policy { ratio: "10".parse::<Ratio>().unwrap(), rewrite: false, ..Policy::default() };
        let condensed = compress(&minutes(), &query, &policy, &Encoding::O200k, None).unwrap();
        let text = condensed.text().unwrap();
        assert!(text.contains("The harbour fee is nine crowns a ton."), "{text}");
        assert!(FAR.iter().all(|word| text.contains(word)), "{text}");
    }
}
