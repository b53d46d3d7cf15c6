//! The closed word lists that give atoms away: negations, modal and conditional words, directions, units, numbers.

/// Words that turn a statement round. Contractions are matched by their ending.
pub(crate) fn negation(key: &str) -> Option<&'static str> {
    if key.ends_with("n't")
        || matches!(key, "not" | "cannot" | "dont" | "doesnt" | "didnt" | "isnt" | "wasnt" | "wont" | "cant" | "n't")
    {
        return Some("not");
    }
    const PLAIN: &[&str] = &[
        "no", "never", "none", "nobody", "nothing", "nowhere", "neither", "nor", "without", "hardly", "scarcely",
        "barely", "unable", "rarely", "seldom", "lest",
    ];
    if let Some(word) = PLAIN.iter().find(|w| **w == key) {
        return Some(word);
    }
    const VERBS: &[(&str, &[&str])] = &[
        ("fail", &["fail", "fails", "failed", "failing"]),
        ("refuse", &["refuse", "refuses", "refused", "refusing"]),
        ("deny", &["deny", "denies", "denied", "denying"]),
        ("lack", &["lack", "lacks", "lacked", "lacking"]),
        ("prevent", &["prevent", "prevents", "prevented", "preventing"]),
        ("prohibit", &["prohibit", "prohibits", "prohibited", "prohibiting"]),
        ("forbid", &["forbid", "forbids", "forbade", "forbidden"]),
    ];
    VERBS.iter().find(|(_, forms)| forms.contains(&key)).map(|(lemma, _)| *lemma)
}

/// Words that bind, allow, condition, limit or hedge a statement.
pub(crate) fn modal(key: &str) -> Option<&'static str> {
    const WORDS: &[&str] = &[
        "must",
        "may",
        "might",
        "shall",
        "should",
        "ought",
        "can",
        "could",
        "would",
        "will",
        "unless",
        "except",
        "excepting",
        "excluding",
        "only",
        "if",
        "until",
        "till",
        "provided",
        "otherwise",
        "whether",
        "allegedly",
        "alleged",
        "reportedly",
        "likely",
        "unlikely",
        "probably",
        "possibly",
        "perhaps",
        "maybe",
        "apparently",
        "required",
        "optional",
        "mandatory",
        "always",
        "almost",
        "nearly",
        "approximately",
        "solely",
        "exclusively",
        "merely",
        "subject",
        "notwithstanding",
    ];
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
    WORDS.iter().find(|w| **w == key).copied()
}

/// Modal words that faithful rewrites drop or add without harm when nothing else changes.
pub(crate) fn light_modal(key: &str) -> bool {
    matches!(key, "will" | "would" | "subject" | "required" | "whether" | "always" | "alleged")
}

/// Modal words that open an exception or a condition whose whole clause belongs to them.
pub(crate) fn conditional(key: &str) -> bool {
    matches!(
        key,
        "unless"
            | "except"
            | "excepting"
            | "excluding"
            | "if"
            | "until"
            | "till"
            | "provided"
            | "without"
            | "notwithstanding"
    )
}

/// A word with an opposite: its pair, which side it is on, and whether losing it alone is a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Direction {
    pub(crate) pair: u8,
    pub(crate) up: bool,
    pub(crate) strong: bool,
}

/// The direction of a word.
pub(crate) fn direction(key: &str) -> Option<Direction> {
    let (mut pair, mut found) = (0_u8, None);
    for (strong, ups, downs) in DIRECTIONS {
        if ups.contains(&key) {
            found = Some((pair, true, *strong));
        } else if downs.contains(&key) {
            found = Some((pair, false, *strong));
        }
        if found.is_some() {
            break;
        }
        pair += 1;
    }
    found.map(|(pair, up, strong)| Direction { pair, up, strong })
}

/// Pairs of opposites: strong ones must survive, of weak ones only the flip is a fault.
pub(crate) const DIRECTIONS: &[(bool, &[&str], &[&str])] = &[
    (true, &["more"], &["less", "fewer"]),
    (true, &["most"], &["least", "fewest"]),
    (true, &["higher"], &["lower"]),
    (true, &["greater", "larger", "bigger"], &["smaller", "lesser"]),
    (true, &["longer"], &["shorter"]),
    (true, &["older"], &["younger", "newer"]),
    (true, &["later"], &["earlier", "sooner"]),
    (true, &["faster", "quicker"], &["slower"]),
    (true, &["better"], &["worse"]),
    (true, &["best"], &["worst"]),
    (true, &["stronger"], &["weaker"]),
    (true, &["cheaper"], &["dearer", "costlier"]),
    (true, &["highest"], &["lowest"]),
    (true, &["largest", "biggest", "greatest"], &["smallest"]),
    (true, &["above"], &["below"]),
    (
        true,
        &["increase", "increases", "increased", "increasing"],
        &["decrease", "decreases", "decreased", "decreasing"],
    ),
    (true, &["rise", "rises", "rose", "risen", "rising"], &["fall", "falls", "fell", "fallen", "falling"]),
    (true, &["maximum", "max"], &["minimum", "min"]),
    (true, &["exceed", "exceeds", "exceeded", "exceeding"], &[]),
    (false, &["over"], &["under"]),
    (false, &["before"], &["after"]),
    (false, &["up"], &["down"]),
    (false, &["upper"], &["lower"]),
    (false, &["gain", "gains", "gained", "profit", "profits"], &["loss", "losses", "lost", "lose", "loses"]),
    (
        false,
        &["grow", "grows", "grew", "grown", "growth"],
        &["shrink", "shrinks", "shrank", "decline", "declined", "declines"],
    ),
    (false, &["left"], &["right"]),
    (false, &["north", "northern"], &["south", "southern"]),
    (false, &["east", "eastern"], &["west", "western"]),
    (false, &["enable", "enables", "enabled"], &["disable", "disables", "disabled"]),
    (
        false,
        &["allow", "allows", "allowed", "permit", "permitted"],
        &["forbid", "forbidden", "deny", "denied", "prohibited"],
    ),
    (false, &["accept", "accepts", "accepted", "approve", "approved"], &["reject", "rejects", "rejected"]),
    (false, &["include", "includes", "included", "including"], &["exclude", "excludes", "excluded", "excluding"]),
    (false, &["true"], &["false"]),
    (false, &["win", "wins", "won"], &["lose", "loses", "lost"]),
    (false, &["buy", "buys", "bought"], &["sell", "sells", "sold"]),
    (
        false,
        &["succeed", "succeeds", "succeeded", "success", "passed", "pass"],
        &["fail", "fails", "failed", "failure"],
    ),
    (false, &["open", "opens", "opened"], &["close", "closes", "closed"]),
    (false, &["import", "imports", "imported"], &["export", "exports", "exported"]),
    (false, &["first"], &["last"]),
    (false, &["top"], &["bottom"]),
    (false, &["positive"], &["negative"]),
    (false, &["male", "man", "men"], &["female", "woman", "women"]),
    (false, &["ascending"], &["descending"]),
    (false, &["with"], &["without"]),
    (false, &["all", "every"], &["some", "few"]),
    (false, &["safe"], &["unsafe", "dangerous"]),
    (false, &["guilty"], &["innocent"]),
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
    Some(match word {
        "zero" => 0,
        "two" => 2,
        "three" => 3,
        "four" => 4,
        "five" => 5,
        "six" => 6,
        "seven" => 7,
        "eight" => 8,
        "nine" => 9,
        "ten" => 10,
        "eleven" => 11,
        "twelve" => 12,
        "thirteen" => 13,
        "fourteen" => 14,
        "fifteen" => 15,
        "sixteen" => 16,
        "seventeen" => 17,
        "eighteen" => 18,
        "nineteen" => 19,
        "twenty" => 20,
        "thirty" => 30,
        "forty" => 40,
        "fifty" => 50,
        "sixty" => 60,
        "seventy" => 70,
        "eighty" => 80,
        "ninety" => 90,
        _ => return None,
    })
}

/// Words for quantities that have no exact figure.
pub(crate) fn vague_number(word: &str) -> Option<&'static str> {
    Some(match word {
        "half" | "halves" => "half",
        "third" => "third",
        "quarter" | "quarters" => "quarter",
        "dozen" => "dozen",
        "dozens" => "dozens",
        "hundreds" => "hundreds",
        "thousands" => "thousands",
        "millions" => "millions",
        "billions" => "billions",
        "twice" => "twice",
        "double" | "doubled" | "doubles" => "double",
        "triple" | "tripled" => "triple",
        "both" => "both",
        "fourth" => "fourth",
        "fifth" => "fifth",
        "sixth" => "sixth",
        "seventh" => "seventh",
        "eighth" => "eighth",
        "ninth" => "ninth",
        "tenth" => "tenth",
        _ => return None,
    })
}

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
    const LIGHT: &[&str] = &[
        "a", "an", "the", "to", "be", "been", "being", "is", "are", "was", "were", "am", "have", "has", "had",
        "having", "do", "does", "did", "any", "of", "for", "in", "on", "at", "by", "that", "this", "these", "those",
        "it", "its", "they", "their", "he", "she", "his", "her", "we", "our", "you", "your", "i", "my", "and", "or",
        "so", "as", "also", "even", "yet", "just", "still", "ever", "then", "than", "very", "too", "quite", "there",
        "which", "who", "with", "from", "into", "such", "'ve", "'re", "'s", "not", "all", "some", "one", "them", "him",
        "me", "us", "like", "want",
    ];
    LIGHT.contains(&word) || (word.len() > 4 && word.ends_with("ly"))
}

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
    fn opposites_stand_on_two_sides_of_one_pair() {
        let (more, less) = (direction("more").unwrap(), direction("fewer").unwrap());
        assert_eq!(more.pair, less.pair);
        assert_ne!(more.up, less.up);
    }
}
