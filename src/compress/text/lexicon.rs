//! The closed word lists that give atoms away: negations, modal and conditional words, directions, units, numbers.

pub(crate) mod address;
pub(crate) mod clause;
pub(crate) mod html;
pub(crate) mod irregular;
pub(crate) mod motion;
mod openings;
pub(crate) mod signs;

use std::{collections::HashSet, sync::OnceLock};

use aho_corasick::AhoCorasick;

pub(crate) use signs::{Trouble, is_level, trouble};

pub(crate) use openings::{
    Opening, abbreviates, abbreviates_before_number, opening, opens_plainly, points_to_several, replies,
};

/// A closed list of words, parted by white space and hashed once.
#[derive(Debug)]
pub(crate) struct List {
    words: &'static str,
    set: OnceLock<HashSet<&'static str>>,
}

impl List {
    pub(crate) const fn new(words: &'static str) -> Self {
        Self { words, set: OnceLock::new() }
    }

    pub(crate) fn has(&self, word: &str) -> bool {
        self.find(word).is_some()
    }

    /// The word as the list has it.
    pub(crate) fn find(&self, word: &str) -> Option<&'static str> {
        self.set.get_or_init(|| self.iter().collect()).get(word).copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.words.split_ascii_whitespace()
    }
}

/// A closed list of phrases, all of which are looked for in one pass (Aho and Corasick, 1975).
#[derive(Debug)]
pub(crate) struct Phrases {
    phrases: &'static [&'static str],
    finder: OnceLock<Option<AhoCorasick>>,
}

impl Phrases {
    pub(crate) const fn new(phrases: &'static [&'static str]) -> Self {
        Self { phrases, finder: OnceLock::new() }
    }

    /// Whether one of them stands in a text where `stands` says so of its place and itself.
    pub(crate) fn any(&self, text: &str, stands: impl Fn(usize, &str) -> bool) -> bool {
        let finder = self.finder.get_or_init(|| AhoCorasick::new(self.phrases).ok());
        let Some(finder) = finder else { return false };
        finder.find_overlapping_iter(text).any(|found| {
            self.phrases.get(found.pattern().as_usize()).is_some_and(|phrase| stands(found.start(), phrase))
        })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.phrases.iter().copied()
    }
}

/// Words that turn a statement round; contractions by their ending.
pub(crate) fn negation(key: &str) -> Option<&'static str> {
    if key.ends_with("n't") { Some("not") } else { found(NEGATIONS, key) }
}

fn found<T: Copy>(table: &[(&str, T)], key: &str) -> Option<T> {
    let at = table.binary_search_by(|(word, _)| word.cmp(&key)).ok()?;
    table.get(at).map(|&(_, value)| value)
}

/// Sorted: form, lemma.
#[rustfmt::skip]
const NEGATIONS: &[(&str, &str)] = &[
    ("barely", "barely"), ("cannot", "not"), ("cant", "not"), ("denied", "deny"), ("denies", "deny"),
    ("deny", "deny"), ("denying", "deny"), ("didnt", "not"), ("doesnt", "not"), ("dont", "not"),
    ("fail", "fail"), ("failed", "fail"), ("failing", "fail"), ("fails", "fail"), ("forbade", "forbid"),
    ("forbid", "forbid"), ("forbidden", "forbid"), ("forbids", "forbid"), ("hardly", "hardly"),
    ("isnt", "not"), ("lack", "lack"), ("lacked", "lack"), ("lacking", "lack"), ("lacks", "lack"),
    ("lest", "lest"), ("n't", "not"), ("neither", "neither"), ("never", "never"), ("no", "no"),
    ("nobody", "nobody"), ("none", "none"), ("nor", "nor"), ("not", "not"), ("nothing", "nothing"),
    ("nowhere", "nowhere"), ("prevent", "prevent"), ("prevented", "prevent"), ("preventing", "prevent"),
    ("prevents", "prevent"), ("prohibit", "prohibit"), ("prohibited", "prohibit"),
    ("prohibiting", "prohibit"), ("prohibits", "prohibit"), ("rarely", "rarely"), ("refuse", "refuse"),
    ("refused", "refuse"), ("refuses", "refuse"), ("refusing", "refuse"), ("scarcely", "scarcely"),
    ("seldom", "seldom"), ("unable", "unable"), ("wasnt", "not"), ("without", "without"),
    ("wont", "not"),
];

/// Words that bind, allow, condition, limit or hedge a statement.
pub(crate) fn modal(key: &str) -> Option<&'static str> {
    match key {
        "can't" | "cannot" => return Some("can"),
        "couldn't" => return Some("could"),
        "won't" => return Some("will"),
        "wouldn't" => return Some("would"),
        "shouldn't" => return Some("should"),
        "mustn't" => return Some("must"),
        "i'll" | "we'll" | "they'll" | "you'll" | "he'll" | "she'll" | "it'll" => {
            return Some("will");
        }
        _ => {}
    }
    MODALS.find(key)
}

static MODALS: List = List::new(
    "alleged allegedly almost always apparently approximately can could except excepting excluding exclusively if
    likely mandatory may maybe merely might must nearly notwithstanding only optional otherwise ought perhaps
    possibly probably provided reportedly required shall should solely subject till unless unlikely until whether
    will would",
);

/// Modal words that faithful rewrites drop or add without harm when nothing else changes.
pub(crate) fn light_modal(key: &str) -> bool {
    matches!(key, "will" | "would" | "subject" | "required" | "whether" | "always" | "alleged")
}

/// Modal words that open an exception or a condition whose whole clause belongs to them.
pub(crate) fn conditional(key: &str) -> bool {
    CONDITIONS.has(key)
}

static CONDITIONS: List = List::new("unless except excepting excluding if until till provided without notwithstanding");

/// A word with an opposite: what it measures, which end of it, and whether losing it alone is a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Direction {
    pub(crate) measure: &'static str,
    pub(crate) up: bool,
    pub(crate) strong: bool,
}

/// The direction of a word.
pub(crate) fn direction(key: &str) -> Option<Direction> {
    let at = DIRECTIONS.binary_search_by(|(word, _, _)| word.cmp(&key)).ok()?;
    DIRECTIONS.get(at).map(|&(_, measure, up)| Direction { measure, up, strong: STRONG.has(measure) })
}

/// Measures of which a word must survive; of the others only the flip is a fault.
static STRONG: List = List::new(
    "amount most level size length age time speed quality best strength price highest largest height change motion
    bound excess",
);

/// Sorted: word, measure, end.
#[rustfmt::skip]
const DIRECTIONS: &[(&str, &str, bool)] = &[
    ("above", "height", true), ("accept", "verdict", true), ("accepted", "verdict", true),
    ("accepts", "verdict", true), ("after", "before", false), ("all", "share", true),
    ("allow", "leave", true), ("allowed", "leave", true), ("allows", "leave", true),
    ("approve", "verdict", true), ("approved", "verdict", true), ("ascending", "sort", true),
    ("before", "before", true), ("below", "height", false), ("best", "best", true),
    ("better", "quality", true), ("bigger", "size", true), ("biggest", "largest", true),
    ("bottom", "top", false), ("bought", "trade", true), ("buy", "trade", true),
    ("buys", "trade", true), ("cheaper", "price", true), ("close", "door", false),
    ("closed", "door", false), ("closes", "door", false), ("costlier", "price", false),
    ("dangerous", "safety", false), ("dearer", "price", false), ("decline", "growth", false),
    ("declined", "growth", false), ("declines", "growth", false), ("decrease", "change", false),
    ("decreased", "change", false), ("decreases", "change", false), ("decreasing", "change", false),
    ("denied", "leave", false), ("deny", "leave", false), ("descending", "sort", false),
    ("disable", "switch", false), ("disabled", "switch", false), ("disables", "switch", false),
    ("down", "up", false), ("earlier", "time", false), ("east", "east", true),
    ("eastern", "east", true), ("enable", "switch", true), ("enabled", "switch", true),
    ("enables", "switch", true), ("every", "share", true), ("exceed", "excess", true),
    ("exceeded", "excess", true), ("exceeding", "excess", true), ("exceeds", "excess", true),
    ("exclude", "inclusion", false), ("excluded", "inclusion", false), ("excludes", "inclusion", false),
    ("excluding", "inclusion", false), ("export", "import", false), ("exported", "import", false),
    ("exports", "import", false), ("fail", "success", false), ("failed", "success", false),
    ("fails", "success", false), ("failure", "success", false), ("fall", "motion", false),
    ("fallen", "motion", false), ("falling", "motion", false), ("falls", "motion", false),
    ("false", "truth", false), ("faster", "speed", true), ("fell", "motion", false),
    ("female", "sex", false), ("few", "share", false), ("fewer", "amount", false),
    ("fewest", "most", false), ("first", "order", true), ("forbid", "leave", false),
    ("forbidden", "leave", false), ("gain", "gain", true), ("gained", "gain", true),
    ("gains", "gain", true), ("greater", "size", true), ("greatest", "largest", true),
    ("grew", "growth", true), ("grow", "growth", true), ("grown", "growth", true),
    ("grows", "growth", true), ("growth", "growth", true), ("guilty", "guilt", true),
    ("higher", "level", true), ("highest", "highest", true), ("import", "import", true),
    ("imported", "import", true), ("imports", "import", true), ("include", "inclusion", true),
    ("included", "inclusion", true), ("includes", "inclusion", true), ("including", "inclusion", true),
    ("increase", "change", true), ("increased", "change", true), ("increases", "change", true),
    ("increasing", "change", true), ("innocent", "guilt", false), ("larger", "size", true),
    ("largest", "largest", true), ("last", "order", false), ("later", "time", true),
    ("least", "most", false), ("left", "side", true), ("less", "amount", false),
    ("lesser", "size", false), ("longer", "length", true), ("lose", "gain", false),
    ("loses", "gain", false), ("loss", "gain", false), ("losses", "gain", false),
    ("lost", "gain", false), ("lower", "level", false), ("lowest", "highest", false),
    ("male", "sex", true), ("man", "sex", true), ("max", "bound", true), ("maximum", "bound", true),
    ("men", "sex", true), ("min", "bound", false), ("minimum", "bound", false),
    ("more", "amount", true), ("most", "most", true), ("negative", "sign", false),
    ("newer", "age", false), ("north", "north", true), ("northern", "north", true),
    ("older", "age", true), ("open", "door", true), ("opened", "door", true), ("opens", "door", true),
    ("over", "over", true), ("pass", "success", true), ("passed", "success", true),
    ("permit", "leave", true), ("permitted", "leave", true), ("positive", "sign", true),
    ("profit", "gain", true), ("profits", "gain", true), ("prohibited", "leave", false),
    ("quicker", "speed", true), ("reject", "verdict", false), ("rejected", "verdict", false),
    ("rejects", "verdict", false), ("right", "side", false), ("rise", "motion", true),
    ("risen", "motion", true), ("rises", "motion", true), ("rising", "motion", true),
    ("rose", "motion", true), ("safe", "safety", true), ("sell", "trade", false),
    ("sells", "trade", false), ("shorter", "length", false), ("shrank", "growth", false),
    ("shrink", "growth", false), ("shrinks", "growth", false), ("slower", "speed", false),
    ("smaller", "size", false), ("smallest", "largest", false), ("sold", "trade", false),
    ("some", "share", false), ("sooner", "time", false), ("south", "north", false),
    ("southern", "north", false), ("stronger", "strength", true), ("succeed", "success", true),
    ("succeeded", "success", true), ("succeeds", "success", true), ("success", "success", true),
    ("top", "top", true), ("true", "truth", true), ("under", "over", false),
    ("unsafe", "safety", false), ("up", "up", true), ("upper", "upper", true),
    ("weaker", "strength", false), ("west", "east", false), ("western", "east", false),
    ("win", "victory", true), ("wins", "victory", true), ("with", "company", true),
    ("without", "company", false), ("woman", "sex", false), ("women", "sex", false),
    ("won", "victory", true), ("worse", "quality", false), ("worst", "best", false),
    ("younger", "age", false),
];

/// A unit of measure, scale or currency in its one comparable form.
pub(crate) fn unit(word: &str) -> Option<&'static str> {
    Some(match word {
        "%" | "percent" | "pct" | "percentage" => "%",
        "ns" | "nanosecond" | "nanoseconds" => "ns",
        "us" | "µs" | "μs" | "microsecond" | "microseconds" => "us",
        "ms" | "msec" | "millisecond" | "milliseconds" => "ms",
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "min" | "mins" | "minute" | "minutes" => "min",
        "h" | "hr" | "hrs" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "day",
        "week" | "weeks" => "week",
        "month" | "months" => "month",
        "year" | "years" | "yr" | "yrs" | "year-old" | "years-old" => "year",
        "decade" | "decades" => "decade",
        "century" | "centuries" => "century",
        "nm" => "nm",
        "mm" | "millimeter" | "millimeters" | "millimetre" | "millimetres" => "mm",
        "cm" | "centimeter" | "centimeters" | "centimetre" | "centimetres" => "cm",
        "m" | "meter" | "meters" | "metre" | "metres" => "m",
        "km" | "kilometer" | "kilometers" | "kilometre" | "kilometres" => "km",
        "in" | "inch" | "inches" => "inch",
        "ft" | "foot" | "feet" => "foot",
        "yard" | "yards" => "yard",
        "mile" | "miles" | "mi" => "mile",
        "acre" | "acres" => "acre",
        "hectare" | "hectares" => "hectare",
        "mph" => "mph",
        "km/h" | "kph" => "km/h",
        "mg" | "milligram" | "milligrams" => "mg",
        "µg" | "mcg" | "microgram" | "micrograms" => "ug",
        "g" | "gram" | "grams" => "g",
        "kg" | "kilogram" | "kilograms" | "kilo" | "kilos" => "kg",
        "ton" | "tons" | "tonne" | "tonnes" => "ton",
        "lb" | "lbs" | "pounds" | "pound" => "pound",
        "oz" | "ounce" | "ounces" => "ounce",
        "ml" | "milliliter" | "milliliters" | "millilitres" => "ml",
        "l" | "liter" | "liters" | "litre" | "litres" => "litre",
        "gallon" | "gallons" => "gallon",
        "b" | "byte" | "bytes" => "byte",
        "bit" | "bits" => "bit",
        "kb" | "kilobyte" | "kilobytes" | "kib" => "kb",
        "mb" | "megabyte" | "megabytes" | "mib" => "mb",
        "gb" | "gigabyte" | "gigabytes" | "gib" => "gb",
        "tb" | "terabyte" | "terabytes" | "tib" => "tb",
        "hz" => "hz",
        "khz" => "khz",
        "mhz" => "mhz",
        "ghz" => "ghz",
        "w" | "watt" | "watts" => "watt",
        "kw" | "kilowatt" | "kilowatts" => "kw",
        "mw" | "megawatt" | "megawatts" => "mw",
        "kwh" => "kwh",
        "v" | "volt" | "volts" => "volt",
        "degree" | "degrees" | "°" => "degree",
        "°c" | "celsius" => "celsius",
        "°f" | "fahrenheit" => "fahrenheit",
        "$" | "usd" | "us$" | "dollar" | "dollars" => "usd",
        "€" | "eur" | "euro" | "euros" => "eur",
        "£" | "gbp" => "gbp",
        "¥" | "jpy" | "yen" => "jpy",
        "cent" | "cents" => "cent",
        "rupee" | "rupees" | "rs" | "inr" => "inr",
        "sek" => "sek",
        "chf" => "chf",
        "bps" => "bps",
        "rpm" => "rpm",
        "fps" => "fps",
        "px" | "pixel" | "pixels" => "px",
        "x" | "times" => "times",
        _ => return None,
    })
}

/// Units whose short form is rather another word unless the clause ends behind it.
pub(crate) fn doubtful_unit(word: &str) -> bool {
    matches!(word, "in" | "us" | "d" | "b" | "x" | "rs" | "times")
}

/// How many zeros a scale word adds.
pub(crate) fn scale(word: &str) -> Option<i32> {
    Some(match word {
        "hundred" => 2,
        "thousand" | "k" => 3,
        "million" | "mn" | "mln" => 6,
        "billion" | "bn" => 9,
        "trillion" => 12,
        _ => return None,
    })
}

/// The value of a number word; `one` is left out, for it is a pronoun more often than a number.
pub(crate) fn number_word(word: &str) -> Option<u32> {
    found(NUMBERS, word)
}

/// Sorted.
#[rustfmt::skip]
const NUMBERS: &[(&str, u32)] = &[
    ("eight", 8), ("eighteen", 18), ("eighty", 80), ("eleven", 11), ("fifteen", 15), ("fifty", 50),
    ("five", 5), ("forty", 40), ("four", 4), ("fourteen", 14), ("nine", 9), ("nineteen", 19),
    ("ninety", 90), ("seven", 7), ("seventeen", 17), ("seventy", 70), ("six", 6), ("sixteen", 16),
    ("sixty", 60), ("ten", 10), ("thirteen", 13), ("thirty", 30), ("three", 3), ("twelve", 12),
    ("twenty", 20), ("two", 2), ("zero", 0),
];

/// Whether a word joins what stands on its two sides.
pub(crate) fn conjoins(word: &str) -> bool {
    CONJUNCTIONS.has(word)
}

static CONJUNCTIONS: List = List::new("and und et y e и en");

/// Whether a word behind a conjunction begins a question of its own. Of the verbs that open questions only those that
/// rarely go on with a statement: `and does it`, not `and was arrested`.
pub(crate) fn asks_anew(word: &str) -> bool {
    address::INTERROGATIVES.has(word) && !STATING.has(word)
}

/// Whether two words behind a conjunction turn a statement round to a question: `and could I get it`, `und ist es`.
pub(crate) fn inverts(verb: &str, subject: &str) -> bool {
    address::INTERROGATIVES.has(verb) && SUBJECTS.has(subject)
}

static SUBJECTS: List = List::new("i you he she it we they there ich du er sie es wir man je tu il elle on nous vous");

static STATING: List = List::new("is are was were could should would will have has had am may que qui wie how's");

/// The value of a number word that counts things, in any language that is known here.
pub(crate) fn count(word: &str) -> Option<u32> {
    number_word(word).or_else(|| found(COUNTS, word))
}

/// Sorted.
#[rustfmt::skip]
const COUNTS: &[(&str, u32)] = &[
    ("acht", 8), ("cinco", 5), ("cinq", 5), ("cinque", 5), ("cuatro", 4), ("deux", 2), ("dez", 10), ("diez", 10), ("dix", 10),
    ("dois", 2), ("dos", 2), ("drei", 3), ("duas", 2), ("due", 2), ("fünf", 5), ("huit", 8), ("neun", 9), ("quatre", 4),
    ("quatro", 4), ("quattro", 4), ("sechs", 6), ("seis", 6), ("sept", 7), ("sieben", 7), ("siete", 7), ("tres", 3),
    ("trois", 3), ("três", 3), ("vier", 4), ("zehn", 10), ("zwei", 2), ("zwölf", 12),
    ("восемь", 8), ("два", 2), ("две", 2), ("пять", 5), ("три", 3), ("четыре", 4), ("шесть", 6),
];

/// Whether a word in front of a count says that what is counted is known: `the three`, `diese drei`.
pub(crate) fn is_definite(word: &str) -> bool {
    DEFINITE.has(word)
}

static DEFINITE: List = List::new(
    "the these those both all die diese dieser diesen der den alle les ces los las estos estas esos esas i gli le questi
    queste os as estes estas esses essas эти этих все",
);

/// Words for quantities that have no exact figure.
pub(crate) fn vague_number(word: &str) -> Option<&'static str> {
    found(VAGUE, word)
}

/// Sorted: form, lemma.
#[rustfmt::skip]
const VAGUE: &[(&str, &str)] = &[
    ("billions", "billions"), ("both", "both"), ("double", "double"), ("doubled", "double"),
    ("doubles", "double"), ("dozen", "dozen"), ("dozens", "dozens"), ("eighth", "eighth"),
    ("fifth", "fifth"), ("fourth", "fourth"), ("half", "half"), ("halves", "half"),
    ("hundreds", "hundreds"), ("millions", "millions"), ("ninth", "ninth"), ("quarter", "quarter"),
    ("quarters", "quarter"), ("seventh", "seventh"), ("sixth", "sixth"), ("tenth", "tenth"),
    ("third", "third"), ("thousands", "thousands"), ("triple", "triple"), ("tripled", "triple"),
    ("twice", "twice"),
];

/// Months and days of the week in three letters; only capitalised words are asked about.
pub(crate) fn calendar(word: &str) -> Option<&'static str> {
    Some(match word {
        "january" | "jan" => "jan",
        "february" | "feb" => "feb",
        "march" | "mar" => "mar",
        "april" | "apr" => "apr",
        "may" => "may",
        "june" | "jun" => "jun",
        "july" | "jul" => "jul",
        "august" | "aug" => "aug",
        "september" | "sept" | "sep" => "sep",
        "october" | "oct" => "oct",
        "november" | "nov" => "nov",
        "december" | "dec" => "dec",
        "monday" | "mon" => "mon",
        "tuesday" | "tue" => "tue",
        "wednesday" | "wed" => "wed",
        "thursday" | "thu" => "thu",
        "friday" | "fri" => "fri",
        "saturday" => "sat",
        "sunday" => "sun",
        _ => return None,
    })
}

/// Words that carry no statement of their own: what a negation or a modal word is attached to lies behind them.
pub(crate) fn light(word: &str) -> bool {
    function_word(word) || (word.len() > 4 && word.ends_with("ly"))
}

/// Articles, prepositions, pronouns, auxiliaries and their like.
pub(crate) fn function_word(word: &str) -> bool {
    FUNCTION_WORDS.has(word)
}

static FUNCTION_WORDS: List = List::new(
    "'re 's 've a all also am an and any are as at be been being by did do does even ever for from had has have he
    her him his i in into is it its just like me my not of on one or our quite she so some still such than that the
    their them then there these they this those to too us very want was we were which who with yet you your",
);

/// Whether a lower-cased word asks for the most or the least of something.
pub(crate) fn superlative(word: &str) -> bool {
    SUPERLATIVES.has(word)
}

static SUPERLATIVES: List = List::new(
    "best biggest cheapest earliest fastest fewest greatest heaviest highest largest last latest least lightest longest lowest
    max maximum min minimum most newest oldest shortest slowest smallest top worst youngest",
);

/// Whether a lower-cased cell says that there is none of what its column is called.
pub(crate) fn denies(cell: &str) -> bool {
    cell.is_empty() || DENIALS.has(cell)
}

static DENIALS: List = List::new("no false 0 none null nil n f - never n/a");

/// Whether a lower-cased word is an ordinary English word that is capitalised only at the start of a sentence. The list
/// is drawn by count from public-domain and permissively licensed English text.
pub(crate) fn common(word: &str) -> bool {
    let list = COMMON.as_bytes();
    let (mut low, mut high) = (0, list.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        let start = list.get(..middle).and_then(|l| l.iter().rposition(|b| *b == b'\n')).map_or(0, |at| at + 1);
        let end =
            list.get(start..).and_then(|l| l.iter().position(|b| *b == b'\n')).map_or(list.len(), |at| start + at);
        match list.get(start..end).unwrap_or_default().cmp(word.as_bytes()) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = end + 1,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    false
}

/// Sorted, one word a line.
const COMMON: &str = include_str!("common.txt");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_words_are_sorted_and_found() {
        let words: Vec<_> = COMMON.lines().collect();
        assert!(words.is_sorted());
        assert!(words.iter().all(|word| common(word)));
        assert!(!common("kazakhstan") && !common("zzz") && !common("aa"));
    }

    #[test]
    fn the_lists_are_sorted() {
        assert!(
            DIRECTIONS.is_sorted()
                && NEGATIONS.is_sorted()
                && NUMBERS.is_sorted()
                && COUNTS.is_sorted()
                && VAGUE.is_sorted()
        );
    }

    #[test]
    fn opposites_stand_on_two_sides_of_one_pair() {
        let (more, less) = (direction("more").unwrap(), direction("fewer").unwrap());
        assert_eq!(more.measure, less.measure);
        assert_ne!(more.up, less.up);
    }
}
