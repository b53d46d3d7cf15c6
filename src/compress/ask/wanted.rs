//! How much a piece of text has to do with what is asked: BM25 over stems, and exact matches of names and values.

use std::collections::{HashMap, HashSet};

use super::query::Query;
use crate::compress::text::{
    lexicon,
    word::{is_stop_word, stem, words},
};

/// What is asked of a text, ready to be matched with its units.
#[derive(Debug, Clone, Default)]
pub(in crate::compress) struct Wanted {
    /// The stems asked for and what each weighs.
    terms: HashMap<String, Term>,
    /// Every word of each part of the query as stems, stop words included, for matches of whole phrases.
    phrases: Vec<Vec<String>>,
    total: f32,
    wording: String,
    expected: Option<Expected>,
}

/// What kind of thing would answer the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// A number or a date.
    Number,
    /// A person or a place.
    Name,
    /// A cause or a purpose.
    Reason,
}

#[derive(Debug, Clone, Copy)]
struct Term {
    index: usize,
    weight: f32,
}

impl Wanted {
    /// `query` is what precedes the text or shares its turn; `question` is the question found inside the text itself.
    #[must_use]
    pub fn new(query: &Query, question: Option<&str>) -> Self {
        let mut relevance = Self::default();
        if let Some(question) = question {
            relevance.add(question, 1.0);
        }
        relevance.add(&gist(&query.siblings), 1.0);
        // A question of the text's own says what is wanted now; what was said before it is background.
        relevance.add(&gist(&query.preceding), if question.is_some() { 0.3 } else { 1.0 });
        if let Some(call) = &query.call {
            relevance.add(&call.arguments, 0.7);
            // A tool is called for what it does: `run_command` asks nothing about rows that say `Running`.
            if relevance.is_empty() {
                relevance.add(&call.name, 0.3);
            }
        }
        relevance.wording = match question {
            Some(question) => question.to_owned(),
            None => [gist(&query.preceding), gist(&query.siblings)].join(" ").trim().to_owned(),
        };
        if let Some(call) = query.call.as_ref().filter(|_| relevance.wording.is_empty()) {
            relevance.wording = format!("{} {}", call.name, call.arguments);
        }
        relevance.expected = expected(&relevance.wording);
        relevance
    }

    fn add(&mut self, text: &str, weight: f32) {
        let stems: Vec<(String, bool)> = words(text)
            .filter_map(|span| text.get(span))
            .map(|word| (stem(word), is_stop_word(&word.to_lowercase())))
            .collect();
        for (stem, _) in stems.iter().filter(|(_, stop)| !stop) {
            let index = self.terms.len();
            let term = self.terms.entry(stem.clone()).or_insert(Term { index, weight: 0.0 });
            if weight > term.weight {
                self.total += weight - term.weight;
                term.weight = weight;
            }
        }
        if !stems.is_empty() {
            self.phrases.push(stems.into_iter().map(|(stem, _)| stem).collect());
        }
    }

    /// The question as it was put, for a model that compares meanings; empty when nothing is asked.
    #[must_use]
    pub fn wording(&self) -> &str {
        &self.wording
    }

    /// What kind of thing would answer, where the question's words tell.
    #[must_use]
    pub fn expected(&self) -> Option<Expected> {
        self.expected
    }

    /// The stems that the question asks to be missing: `running` in "which pods are not running".
    #[must_use]
    pub fn denied(&self) -> HashSet<String> {
        let all: Vec<&str> = words(&self.wording).filter_map(|span| self.wording.get(span)).collect();
        let denies = |word: &str| matches!(lexicon::negation(&word.to_lowercase()), Some("not" | "no" | "without"));
        let pairs = all.windows(2).filter_map(|two| Some((two.first()?, two.last()?)));
        pairs.filter(|(before, _)| denies(before)).map(|(_, word)| stem(word)).collect()
    }

    /// Whether it is asked in which year, quarter or the like something was so: then the head of a column answers.
    #[must_use]
    pub fn asks_when(&self) -> bool {
        let lower: Vec<String> =
            words(&self.wording).filter_map(|span| self.wording.get(span)).map(str::to_lowercase).collect();
        lower.windows(3).any(|three| {
            let asks = three.first().is_some_and(|word| matches!(word.as_str(), "which" | "what"));
            asks && three.iter().skip(1).any(|word| matches!(word.as_str(), "year" | "period" | "quarter" | "month"))
        })
    }

    /// Whether the most or the least of something is asked for.
    #[must_use]
    pub fn asks_for_extreme(&self) -> bool {
        words(&self.wording)
            .filter_map(|span| self.wording.get(span))
            .any(|word| lexicon::superlative(&word.to_lowercase()))
    }

    /// How many words that begin with a capital the text has and the question lacks.
    #[must_use]
    pub fn new_names(&self, text: &str) -> usize {
        let names = words(text)
            .filter_map(|span| text.get(span))
            .filter(|word| word.chars().next().is_some_and(char::is_uppercase));
        names.filter(|word| !is_stop_word(&word.to_lowercase()) && !self.terms.contains_key(&stem(word))).count()
    }

    /// Whether nothing is known of what is asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The stems asked for, stop words left out, in no particular order; see [`stem`].
    pub fn stems(&self) -> impl Iterator<Item = &str> {
        self.terms.keys().map(String::as_str)
    }

    /// Each unit's score by Okapi BM25 (Robertson et al., 1994): 0 for a unit that shares no word with the query.
    ///
    /// The rarity of a word is taken over the units given. Linear in their length.
    #[must_use]
    pub fn rank(&self, units: &[&str]) -> Vec<f32> {
        let mut reader = Reader::new(self);
        let found: Vec<Counted> = units.iter().map(|unit| reader.count(unit)).collect();
        let mut holders = vec![0_usize; self.terms.len()];
        for (index, _) in found.iter().flat_map(|counted| &counted.hits) {
            holders[*index] += 1;
        }
        let mut weights = vec![0.0_f32; self.terms.len()];
        for term in self.terms.values() {
            weights[term.index] = term.weight * rarity(units.len(), holders[term.index]);
        }
        let length: usize = found.iter().map(|counted| counted.words).sum();
        let mean = (length as f32 / units.len().max(1) as f32).max(1.0);
        found.iter().map(|counted| counted.score(&weights, mean)).collect()
    }

    /// The share of what is asked (by weight, 0–1) that the text mentions.
    #[must_use]
    pub fn mentions(&self, text: &str) -> f32 {
        if self.total <= 0.0 {
            return 0.0;
        }
        let mut reader = Reader::new(self);
        let hits: HashSet<usize> = reader.count(text).hits.into_iter().map(|(index, _)| index).collect();
        let found: f32 = self.terms.values().filter(|term| hits.contains(&term.index)).map(|term| term.weight).sum();
        found / self.total
    }

    /// The share (0–1) of a key's or name's own words that the query holds: 1.0 for `departure_time` where "departure
    /// time" is asked for, 0.0 for a text without words.
    #[must_use]
    pub fn covers(&self, name: &str) -> f32 {
        let stems = content_stems(name);
        let held = stems.iter().filter(|stem| self.terms.contains_key(*stem)).count();
        held as f32 / stems.len().max(1) as f32
    }

    /// How much the query asks for what is called so: the mean weight of the name's own words, 0 for a word that the
    /// query lacks. Unlike [`Wanted::covers`] it tells a question's words from those of a call's arguments.
    #[must_use]
    pub fn stress(&self, name: &str) -> f32 {
        let stems = content_stems(name);
        let sum: f32 = stems.iter().filter_map(|stem| self.terms.get(stem)).map(|term| term.weight).sum();
        sum / stems.len().max(1) as f32
    }

    /// Whether the query holds this value word for word (by stems, in sequence); false for a text without words.
    #[must_use]
    pub fn quotes(&self, value: &str) -> bool {
        let wanted: Vec<String> = words(value).filter_map(|span| value.get(span)).map(stem).collect();
        !wanted.is_empty()
            && self.phrases.iter().any(|phrase| phrase.windows(wanted.len()).any(|window| window == wanted))
    }
}

/// What BM25 needs to know of one unit.
struct Counted {
    /// Content words.
    words: usize,
    /// Index of a term and how often it occurs.
    hits: Vec<(usize, u32)>,
}

impl Counted {
    fn score(&self, weights: &[f32], mean: f32) -> f32 {
        const K1: f32 = 1.2;
        const B: f32 = 0.75;
        let norm = K1 * (1.0 - B + B * self.words as f32 / mean);
        self.hits
            .iter()
            .map(|(index, times)| weights[*index] * *times as f32 * (K1 + 1.0) / (*times as f32 + norm))
            .sum()
    }
}

/// Reads units word by word; each distinct word is lower-cased and stemmed once.
struct Reader<'a> {
    relevance: &'a Wanted,
    known: HashMap<String, Known>,
}

#[derive(Clone, Copy)]
enum Known {
    Stop,
    Content,
    Asked(usize),
}

impl<'a> Reader<'a> {
    fn new(relevance: &'a Wanted) -> Self {
        Self { relevance, known: HashMap::new() }
    }

    fn count(&mut self, unit: &str) -> Counted {
        let mut counted = Counted { words: 0, hits: Vec::new() };
        for word in words(unit).filter_map(|span| unit.get(span)) {
            match self.look_up(word) {
                Known::Stop => continue,
                Known::Content => {}
                Known::Asked(index) => match counted.hits.iter_mut().find(|(known, _)| *known == index) {
                    Some((_, times)) => *times += 1,
                    None => counted.hits.push((index, 1)),
                },
            }
            counted.words += 1;
        }
        counted
    }

    fn look_up(&mut self, word: &str) -> Known {
        if let Some(known) = self.known.get(word) {
            return *known;
        }
        let known = if is_stop_word(&word.to_lowercase()) {
            Known::Stop
        } else {
            self.relevance.terms.get(&stem(word)).map_or(Known::Content, |term| Known::Asked(term.index))
        };
        self.known.insert(word.to_owned(), known);
        known
    }
}

/// The kind of answer by the question's first telling word.
fn expected(question: &str) -> Option<Expected> {
    let lower: Vec<String> = words(question).filter_map(|span| question.get(span)).map(str::to_lowercase).collect();
    lower.iter().enumerate().find_map(|(place, word)| match word.as_str() {
        "when" | "year" | "date" | "percentage" => Some(Expected::Number),
        "how" => match lower.get(place + 1).map(String::as_str) {
            Some("many" | "much" | "old" | "long" | "far" | "tall" | "high" | "big" | "often") => {
                Some(Expected::Number)
            }
            _ => None,
        },
        "why" | "reason" | "cause" | "caused" | "led" => Some(Expected::Reason),
        "who" | "where" | "whom" | "whose" => Some(Expected::Name),
        _ => None,
    })
}

/// BM25's inverse document frequency, in the form that stays above zero.
fn rarity(units: usize, holders: usize) -> f32 {
    (1.0 + (units as f32 - holders as f32 + 0.5) / (holders as f32 + 0.5)).ln()
}

fn content_stems(text: &str) -> Vec<String> {
    words(text).filter_map(|span| text.get(span)).filter(|word| !is_stop_word(&word.to_lowercase())).map(stem).collect()
}

/// What a message asks, by position: all of a short one; of a long one its first and its last paragraph, up to
/// [`GIST`] bytes each (the middle is material, and the words of material would drown the question).
fn gist(text: &str) -> String {
    let text = text.trim();
    if text.len() <= 2 * GIST {
        return text.to_owned();
    }
    let first = text.split("\n\n").next().unwrap_or_default();
    let last = text.rsplit("\n\n").next().unwrap_or_default();
    let first = first.get(..first.floor_char_boundary(GIST)).unwrap_or_default();
    let last = last.get(last.ceil_char_boundary(last.len().saturating_sub(GIST))..).unwrap_or_default();
    format!("{first}\n{last}")
}

const GIST: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::ToolCall;

    fn asked(question: &str) -> Wanted {
        Wanted::new(&Query { preceding: question.into(), ..Query::default() }, None)
    }

    #[test]
    fn the_unit_that_answers_ranks_first_whatever_the_form_of_the_words() {
        let units = ["Vega trains leave at noon.", "The departures from Oslo were delayed.", "Nothing else."];
        let ranks = asked("When does the train depart from Oslo?").rank(&units);
        assert!(ranks[1] > ranks[0] && ranks[0] > 0.0, "{ranks:?}");
        assert_eq!(ranks[2], 0.0);
    }

    #[test]
    fn no_query_ranks_nothing() {
        assert!(asked("").is_empty());
        assert_eq!(asked("the of").rank(&["the of"]), [0.0]);
        assert!(asked("x").rank(&[]).is_empty());
    }

    #[test]
    fn keys_match_the_words_they_are_made_of() {
        let relevance = asked("What is the departure time of Smith & Sons?");
        assert_eq!(relevance.covers("departure_time"), 1.0);
        assert_eq!(relevance.covers("departureDate"), 0.5);
        assert_eq!(relevance.covers("fare"), 0.0);
        assert!(relevance.quotes("Smith & Sons") && !relevance.quotes("Sons Smith") && !relevance.quotes("&"));
    }

    #[test]
    fn a_tool_call_s_arguments_are_asked_for() {
        let call = ToolCall { name: "find_flights".into(), arguments: r#"{"origin_city": "Vancouver"}"#.into() };
        let relevance = Wanted::new(&Query { call: Some(call), ..Query::default() }, None);
        assert!(relevance.mentions("From Vancouver to Oslo") > 0.0);
        assert!(relevance.quotes("Vancouver"));
    }
}
