//! How much a piece of text has to do with what is asked: BM25 over stems, and exact matches of names and values.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{frame::Asked, parts::parts, query::Query};
use crate::compress::{
    fuel,
    text::{
        language::Language,
        lexicon,
        rarity::{RAREST, rarity},
        word::{self, words},
    },
    worth::weights::ALIKE,
};

/// What is asked of a text, ready to be matched with its units.
#[derive(Debug, Clone, Default)]
pub(in crate::compress) struct Wanted {
    /// The stems asked for and what each weighs.
    terms: BTreeMap<String, Term>,
    /// Every word of each part of the query as stems, stop words included, for matches of whole phrases.
    phrases: Vec<Vec<String>>,
    total: f32,
    wording: String,
    /// The question with what the user tells around it, and what a call says in sentences: what a page is fetched for.
    told: Vec<String>,
    /// Where several things are asked, each of them.
    parts: Vec<Part>,
    language: Language,
}

/// One of several things that are asked.
#[derive(Debug, Clone)]
struct Part {
    wording: String,
    /// Indices of its terms.
    terms: HashSet<usize>,
}

#[derive(Debug, Clone, Copy)]
struct Term {
    index: usize,
    weight: f32,
}

impl Wanted {
    /// `query` is what precedes the text or shares its turn; `asked` is what the text itself asks.
    #[must_use]
    pub(in crate::compress) fn new(query: &Query, asked: Option<Asked<'_>>) -> Self {
        let question = asked.as_ref().map(|asked| asked.question);
        let mut wanted = Self {
            wording: match question {
                Some(question) => beginning(question).to_owned(),
                None => [gist(&query.preceding), gist(&query.siblings)].join(" ").trim().to_owned(),
            },
            ..Self::default()
        };
        if let Some(call) = query.call.as_ref().filter(|_| wanted.wording.is_empty()) {
            wanted.wording = format!("{} {}", call.name, beginning(&call.arguments));
        }
        wanted.language = Language::of(&wanted.wording);
        if let Some(Asked { question, situation }) = &asked {
            wanted.add(beginning(question), 1.0);
            // `I bought a card for ten swims. Can I have my money back?` asks about a card.
            wanted.add(beginning(situation), BACKGROUND);
            if !situation.is_empty() {
                wanted.told.push(format!("{} {}", beginning(situation), wanted.wording));
            }
        }
        wanted.add(&gist(&query.siblings), 1.0);
        // A question of the text's own says what is wanted now; what was said before it is background.
        wanted.add(&gist(&query.preceding), if question.is_some() { BACKGROUND } else { 1.0 });
        if let Some(call) = &query.call {
            for sentence in sentences(beginning(&call.arguments)) {
                wanted.add(&sentence, 1.0);
                wanted.told.push(sentence);
            }
            wanted.add(beginning(&call.arguments), ARGUMENT);
            // A tool is called for what it does: `run_command` asks nothing about rows that say `Running`.
            if wanted.is_empty() {
                wanted.add(&call.name, BACKGROUND);
            }
        }
        wanted.parts = wanted.parted();
        wanted
    }

    /// The parts of the question that have terms of their own.
    fn parted(&self) -> Vec<Part> {
        let part = |wording: &str| {
            let index = |stem: String| self.terms.get(&stem).map(|term| term.index);
            Part {
                wording: wording.to_owned(),
                terms: self.content_stems(wording).into_iter().filter_map(index).collect(),
            }
        };
        let all: Vec<Part> = parts(&self.wording).into_iter().map(part).filter(|part| !part.terms.is_empty()).collect();
        if all.len() > 1 { all } else { Vec::new() }
    }

    fn add(&mut self, text: &str, weight: f32) {
        let stems: Vec<(String, bool)> = tokens(text)
            .map(|token| (self.language.stem(token), self.language.is_stop_word(&token.to_lowercase())))
            .collect();
        // `compared with zero` asks for `!= 0`.
        let figure =
            |(stem, stop): &(String, bool)| lexicon::number_word(stem).filter(|_| !stop).map(|n| n.to_string());
        let figures: Vec<(String, bool)> = stems.iter().filter_map(figure).map(|figure| (figure, false)).collect();
        for (stem, _) in stems.iter().chain(&figures).filter(|(_, stop)| !stop) {
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

    /// What is asked as a model of meanings reads it, which knows English alone: the question as it was put, with what is
    /// told around it, and where it asks several things, each of them: what is near to one of them answers.
    pub(in crate::compress) fn wordings(&self) -> impl Iterator<Item = &str> {
        let told = self.told.iter().map(String::as_str);
        let all =
            std::iter::once(self.wording()).chain(told).chain(self.parts.iter().map(|part| part.wording.as_str()));
        all.filter(|wording| is_english(wording))
    }

    /// The question as it was put, for a model that compares meanings; empty when nothing is asked.
    #[must_use]
    pub(in crate::compress) fn wording(&self) -> &str {
        &self.wording
    }

    /// The stems that the question asks to be missing: `running` in "which pods are not running".
    #[must_use]
    pub(in crate::compress) fn denied(&self) -> HashSet<String> {
        let all: Vec<&str> = words(&self.wording).filter_map(|span| self.wording.get(span)).collect();
        let denies = |word: &str| matches!(lexicon::negation(&word.to_lowercase()), Some("not" | "no" | "without"));
        let pairs = all.windows(2).filter_map(|two| Some((two.first()?, two.last()?)));
        pairs.filter(|(before, _)| denies(before)).map(|(_, word)| self.language.stem(word)).collect()
    }

    /// Whether the most or the least of something is asked for.
    #[must_use]
    pub(in crate::compress) fn asks_for_extreme(&self) -> bool {
        words(&self.wording)
            .filter_map(|span| self.wording.get(span))
            .any(|word| lexicon::superlative(&word.to_lowercase()))
    }

    /// Whether nothing is known of what is asked.
    #[must_use]
    pub(in crate::compress) fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The stems asked for, stop words left out, in no particular order.
    pub(in crate::compress) fn stems(&self) -> impl Iterator<Item = &str> {
        self.terms.keys().map(String::as_str)
    }

    /// Each unit's score by Okapi BM25 (Robertson et al., 1994): 0 for a unit that shares no word with the query.
    ///
    /// Where several things are asked, what answers only one of them is lifted: its score is the geometric mean of what it
    /// has as it is and as a share of that part's best, so that words which many units have stay behind rare ones.
    /// The rarity of a word is taken over the units given. A word of the query that none of them has counts where its
    /// nearest form stands (a compound, an inflection that no stemmer knows). Linear in their length.
    #[must_use]
    pub(in crate::compress) fn rank(&self, units: &[&str]) -> Vec<f32> {
        let mut reader = Reader::new(self);
        let mut found: Vec<Counted> = units.iter().map(|unit| reader.count(unit)).collect();
        let holders = self.holders(&found);
        let missing = self.terms.iter().filter(|(_, term)| holders.get(term.index) == Some(&0));
        let missing: Vec<(&str, usize)> = missing.map(|(stem, term)| (stem.as_str(), term.index)).collect();
        if reader.find_near(&missing) {
            found = units.iter().map(|unit| reader.count(unit)).collect();
        }
        let holders = self.holders(&found);
        let mut weights = vec![0.0_f32; self.terms.len()];
        for term in self.terms.values() {
            if let (Some(place), Some(holders)) = (weights.get_mut(term.index), holders.get(term.index)) {
                *place = term.weight * idf(units.len(), *holders);
            }
        }
        let length: usize = found.iter().map(|counted| counted.words).sum();
        let mean = (length as f32 / units.len().max(1) as f32).max(1.0);
        let scores = |weights: &[f32]| found.iter().map(|counted| counted.score(weights, mean)).collect::<Vec<f32>>();
        let mut whole = scores(&weights);
        let most = whole.iter().copied().fold(0.0, f32::max);
        for part in &self.parts {
            let own = |(at, weight): (usize, &f32)| if part.terms.contains(&at) { *weight } else { 0.0 };
            let scores = scores(&weights.iter().enumerate().map(own).collect::<Vec<f32>>());
            let best = scores.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
            for (score, of) in whole.iter_mut().zip(scores) {
                *score = score.max(of * (most / best).sqrt());
            }
        }
        whole
    }

    /// For each term how many units have it.
    fn holders(&self, found: &[Counted]) -> Vec<usize> {
        let mut holders = vec![0_usize; self.terms.len()];
        for (index, _) in found.iter().flat_map(|counted| &counted.hits) {
            if let Some(count) = holders.get_mut(*index) {
                *count += 1;
            }
        }
        holders
    }

    /// The share of what is asked (by weight, 0–1) that the text mentions.
    #[must_use]
    pub(in crate::compress) fn mentions(&self, text: &str) -> f32 {
        self.most_mentioned(&[text])
    }

    /// The largest share of what is asked (by weight, 0–1) that one of the texts mentions; 0 without any.
    #[must_use]
    pub(in crate::compress) fn most_mentioned(&self, texts: &[&str]) -> f32 {
        if self.total <= 0.0 {
            return 0.0;
        }
        let mut reader = Reader::new(self);
        let share = |text: &&str| {
            fuel::step(self.terms.len());
            let hits: HashSet<usize> = reader.count(text).hits.into_iter().map(|(index, _)| index).collect();
            let found: f32 =
                self.terms.values().filter(|term| hits.contains(&term.index)).map(|term| term.weight).sum();
            found / self.total
        };
        texts.iter().map(share).fold(0.0, f32::max)
    }

    /// How much the query asks for what is called so: the mean weight of the name's own words, 0 for a word that the
    /// query lacks. It tells a question's words from those of a call's arguments.
    #[must_use]
    pub(in crate::compress) fn stress(&self, name: &str) -> f32 {
        let stems = self.content_stems(name);
        let sum: f32 = stems.iter().filter_map(|stem| self.terms.get(stem)).map(|term| term.weight).sum();
        sum / stems.len().max(1) as f32
    }

    /// Whether the query holds this value word for word (by stems, in sequence); false for a text without words.
    #[must_use]
    pub(in crate::compress) fn quotes(&self, value: &str) -> bool {
        let wanted: Vec<String> = tokens(value).map(|token| self.language.stem(token)).collect();
        !wanted.is_empty()
            && self.phrases.iter().any(|phrase| phrase.windows(wanted.len()).any(|window| window == wanted))
    }

    fn content_stems(&self, text: &str) -> Vec<String> {
        let content = tokens(text).filter(|token| !self.language.is_stop_word(&token.to_lowercase()));
        content.map(|token| self.language.stem(token)).collect()
    }
}

/// The words of a text, and of scripts without spaces each pair of neighbouring characters: a run of ideographs is no
/// word, and one character says little.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut spans = words(text).peekable();
    let alone = |span: &std::ops::Range<usize>| {
        text.get(span.clone()).and_then(|word| word.chars().next()).is_some_and(word::stands_alone)
    };
    let mut paired = false;
    std::iter::from_fn(move || {
        loop {
            let span = spans.next()?;
            let next = spans.peek().filter(|next| next.start == span.end && alone(&span) && alone(next));
            let was_paired = std::mem::replace(&mut paired, next.is_some());
            match next {
                Some(next) => return text.get(span.start..next.end),
                // The last of a run stands in a pair already.
                None if was_paired => {}
                None => return text.get(span),
            }
        }
    })
}

/// What a question in the text leaves to what precedes it, and a call's name to the question: 0–1.
const BACKGROUND: f32 = 0.3;
/// What a call's arguments weigh beside the question: 0–1.
const ARGUMENT: f32 = 0.7;

/// Whether a wording is English, as far as its letters, its small words and its other words tell.
fn is_english(wording: &str) -> bool {
    if !Language::of(wording).is_english() || wording.chars().any(|c| c.is_alphabetic() && c >= '\u{250}') {
        return false;
    }
    let lower: Vec<String> = words(wording).filter_map(|span| wording.get(span)).map(str::to_lowercase).collect();
    let letters = |word: &&String| word.chars().all(char::is_alphabetic);
    let all = lower.iter().filter(letters).count();
    let known = lower.iter().filter(letters).filter(|word| rarity(word) < RAREST).count();
    known * 2 >= all
}

/// What a call's arguments say in sentences: `"prompt": "Is there parking?"`.
fn sentences(arguments: &str) -> Vec<String> {
    let Ok(serde_json::Value::Object(arguments)) = serde_json::from_str(arguments) else { return Vec::new() };
    let says = |text: &&str| {
        text.len() <= GIST
            && !text.contains('\n')
            && text.split(' ').count() >= FEWEST_SAID
            && text.contains(['?', '.'])
    };
    arguments.values().filter_map(|value| value.as_str()).filter(says).map(str::to_owned).collect()
}

/// Words of the shortest sentence in an argument.
const FEWEST_SAID: usize = 4;

/// What BM25 needs to know of one unit.
struct Counted {
    /// Content words.
    words: usize,
    /// Index of a term and how often it occurs; a near form of it in part.
    hits: Vec<(usize, f32)>,
}

impl Counted {
    fn score(&self, weights: &[f32], mean: f32) -> f32 {
        const K1: f32 = 1.2;
        const B: f32 = 0.75;
        let norm = K1 * (1.0 - B + B * self.words as f32 / mean);
        let weight = |index: &usize| weights.get(*index).copied().unwrap_or(0.0);
        self.hits.iter().map(|(index, times)| weight(index) * times * (K1 + 1.0) / (times + norm)).sum()
    }
}

/// Reads units word by word; each distinct word is lower-cased and stemmed once.
struct Reader<'a> {
    wanted: &'a Wanted,
    known: HashMap<String, Known>,
}

#[derive(Clone, Copy)]
enum Known {
    Stop,
    Content,
    /// A term, and how much of it the word is: 1 for the term itself.
    Asked(usize, f32),
}

impl<'a> Reader<'a> {
    fn new(wanted: &'a Wanted) -> Self {
        Self { wanted, known: HashMap::new() }
    }

    fn count(&mut self, unit: &str) -> Counted {
        let mut counted = Counted { words: 0, hits: Vec::new() };
        for token in tokens(unit) {
            match self.look_up(token) {
                Known::Stop => continue,
                Known::Content => {}
                Known::Asked(index, share) => match counted.hits.iter_mut().find(|(known, _)| *known == index) {
                    Some((_, times)) => *times += share,
                    None => counted.hits.push((index, share)),
                },
            }
            counted.words += 1;
        }
        counted
    }

    fn look_up(&mut self, token: &str) -> Known {
        if let Some(known) = self.known.get(token) {
            return *known;
        }
        let known = if self.wanted.language.is_stop_word(&token.to_lowercase()) {
            Known::Stop
        } else {
            let term = self.wanted.terms.get(&self.wanted.language.stem(token));
            term.map_or(Known::Content, |term| Known::Asked(term.index, 1.0))
        };
        self.known.insert(token.to_owned(), known);
        known
    }

    /// Takes words that look much like a missing term for it; whether there are any.
    fn find_near(&mut self, missing: &[(&str, usize)]) -> bool {
        let mut holders: HashMap<Vec<char>, Vec<usize>> = HashMap::new();
        let mut sizes: HashMap<usize, usize> = HashMap::new();
        for (stem, index) in missing {
            let grams = grams(stem);
            sizes.insert(*index, grams.len());
            for gram in grams {
                holders.entry(gram).or_default().push(*index);
            }
        }
        let mut any = false;
        for (token, known) in self.known.iter_mut().filter(|(_, known)| matches!(known, Known::Content)) {
            let grams = grams(&self.wanted.language.stem(token));
            let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
            for index in grams.iter().filter_map(|gram| holders.get(gram)).flatten() {
                fuel::step(1);
                *shared.entry(*index).or_default() += 1;
            }
            let overlap = |(index, shared): (usize, usize)| {
                let size = sizes.get(&index).copied().unwrap_or(0).min(grams.len());
                (index, shared as f32 / size.max(1) as f32)
            };
            let best = shared.into_iter().map(overlap).max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
            if let Some((index, share)) = best.filter(|(_, share)| *share >= ALIKE) {
                *known = Known::Asked(index, share);
                any = true;
            }
        }
        any
    }
}

/// The runs of three letters of a word (two where each is a syllable); none of a short one, or of one with digits: an
/// identifier is itself or another one.
fn grams(lower: &str) -> HashSet<Vec<char>> {
    let letters: Vec<char> = lower.chars().collect();
    let syllables = letters.iter().any(|c| ('\u{ac00}'..='\u{d7a3}').contains(c));
    let size = if syllables { 2 } else { 3 };
    if letters.len() < size + 2 - usize::from(syllables)
        || letters.len() > LONGEST
        || letters.iter().any(|c| c.is_numeric())
    {
        return HashSet::new();
    }
    letters.windows(size).map(<[char]>::to_vec).collect()
}

/// Letters of the longest word whose form is compared.
const LONGEST: usize = 64;

/// BM25's inverse document frequency, in the form that stays above zero.
fn idf(units: usize, holders: usize) -> f32 {
    (1.0 + (units as f32 - holders as f32 + 0.5) / (holders as f32 + 0.5)).ln()
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

/// As much of what is asked as is read: whoever hands over a file asks no more with its end.
fn beginning(text: &str) -> &str {
    text.get(..text.floor_char_boundary(LONGEST_QUESTION)).unwrap_or(text)
}

/// Bytes of a question or of a call's arguments that are read.
const LONGEST_QUESTION: usize = 4_000;

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
    fn what_a_call_says_in_sentences_is_asked() {
        let arguments = r#"{"url": "https://a.example/", "prompt": "How does somebody in a wheelchair get in?"}"#;
        let call = ToolCall { name: "fetch".into(), arguments: arguments.into() };
        let wanted =
            Wanted::new(&Query { call: Some(call), preceding: "ok go ahead".into(), ..Query::default() }, None);
        assert!(wanted.wordings().any(|wording| wording.contains("wheelchair")));
        assert!(wanted.stress("wheelchair") >= 1.0);
    }

    #[test]
    fn meanings_are_compared_with_english_alone() {
        for wording in ["When does the lease end?", "battery swelling laptop", "INV-7009", "Café opening hours"] {
            assert!(is_english(wording), "{wording}");
        }
        for wording in ["Do kiedy można bezpłatnie odwołać rezerwację?", "何時に開きますか", "Wann endet die Miete?"]
        {
            assert!(!is_english(wording), "{wording}");
        }
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
        assert!(relevance.quotes("Smith & Sons") && !relevance.quotes("Sons Smith") && !relevance.quotes("&"));
    }

    #[test]
    fn a_tool_call_s_arguments_are_asked_for() {
        let call = ToolCall { name: "find_flights".into(), arguments: r#"{"origin_city": "Vancouver"}"#.into() };
        let relevance = Wanted::new(&Query { call: Some(call), ..Query::default() }, None);
        assert!(relevance.mentions("From Vancouver to Oslo") > 0.0);
        assert!(relevance.quotes("Vancouver"));
    }

    #[test]
    fn questions_in_other_languages_find_their_sentences() {
        for (question, answer, other) in [
            (
                "停机过多时要赔多少？",
                "若设备每月停机超过十八小时，乙方赔偿百分之七。",
                "备件由乙方保管，存放在南门仓库。",
            ),
            (
                "Wie lange vorher muss man seinen Austritt erklären?",
                "Wer austreten will, teilt es sechs Wochen vorher mit.",
                "Die Boote stehen in der Halle.",
            ),
            ("Welche Kündigungsfrist gilt?", "Die Frist beträgt drei Monate.", "Der Mieter zahlt am ersten Tag."),
            (
                "Какой штраф за просрочку взноса?",
                "За просрочку взносов начисляют сорок рублей.",
                "Ключ хранится у председателя.",
            ),
            (
                "¿Cuánto cuesta cancelar la reserva?",
                "La cancelación cuesta cuarenta euros.",
                "El desayuno se sirve a las ocho.",
            ),
            (
                "Quel est le délai de livraison?",
                "Les commandes sont livrées dans un délai de six jours.",
                "La boutique ferme en août.",
            ),
            (
                "Quanto costa il noleggio delle biciclette?",
                "Noleggiare una bicicletta costa nove euro.",
                "Il museo apre alle dieci.",
            ),
            ("ما هي غرامة التأخير؟", "تبلغ غرامة تأخير السداد خمسين دينارا.", "يفتح المكتب في الصباح."),
            ("위약금은 얼마인가요?", "계약을 해지하면 위약금을 삼십만 원 냅니다.", "주차장은 건물 뒤에 있습니다."),
            ("解約料はいくらですか？", "契約の解約料は五千円とする。", "駐車場は建物の裏にあります。"),
        ] {
            let ranks = asked(question).rank(&[other, answer]);
            assert!(ranks[1] > ranks[0], "{question}: {ranks:?}");
        }
    }

    #[test]
    fn each_of_several_questions_finds_its_answer() {
        let units = [
            "A cow gets 25 ml after calving, a cow that has calved twice 30 ml.",
            "The drops are not for animals with a fever.",
            "The old cow barn is painted.",
        ];
        let ranks = asked("How much does a cow get after calving, and when must the drops not be given?").rank(&units);
        let whole = asked("How much does a cow get after calving, when the drops must not be given?").rank(&units);
        assert!(ranks[1] / ranks[0] > 1.2 * whole[1] / whole[0] && ranks[1] > 1.5 * ranks[2], "{ranks:?} {whole:?}");
        let ranks = asked("How much does a cow get after calving?").rank(&units);
        assert!(ranks[0] > ranks[2] && ranks[1] == 0.0, "{ranks:?}");
    }

    #[test]
    fn what_is_told_around_a_question_is_asked_about_less() {
        let asked = Asked { question: "Can I have my money back?", situation: "I bought a card for ten swims.".into() };
        let wanted = Wanted::new(&Query::default(), Some(asked));
        let ranks = wanted.rank(&["A ten-visit card is refunded.", "Bands come in blue.", "No money is given back."]);
        assert!(ranks[0] > ranks[1] && ranks[2] > ranks[0], "{ranks:?}");
        assert_eq!(wanted.wordings().count(), 2);
    }

    #[test]
    fn an_identifier_is_itself_or_another_one() {
        let ranks = asked("Why did INV-7009 fail?").rank(&["INV-7008 failed: no stock", "INV-7009 failed: no address"]);
        assert!(ranks[1] > 2.0 * ranks[0], "{ranks:?}");
    }
}
