//! How sentences open and what looks like their end, in the languages that are asked about most: a sentence that opens
//! with a pronoun, a connective or an exception says nothing, or something else, without the one before it.

use super::List;

/// What a sentence needs of what stands before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// Stands by itself.
    Own,
    /// A person or thing named before: `He`, `Its`, `Er`, `Она`.
    Named,
    /// What was just said: `This`, `However`, `Therefore`, `Daher`, `因此`.
    Said,
    /// It limits what was just said: neither stands without the other.
    Limits,
}

/// How a sentence opens.
pub(crate) fn opening(sentence: &str) -> Opening {
    let bare = sentence.trim_start_matches(|c: char| !c.is_alphanumeric());
    let head: String =
        bare.chars().take(LOOKED_AT).flat_map(char::to_lowercase).map(|c| if c == '’' { '\'' } else { c }).collect();
    let phrase = |list: &[&str]| list.iter().any(|words| begins(&head, words));
    if phrase(LIMITS) || LIMITING.iter().any(|words| has(&head, words)) {
        return Opening::Limits;
    }
    if phrase(WIDE_LIMITS) {
        return Opening::Limits;
    }
    let said = phrase(SAID) || phrase(WIDE_SAID);
    if said && has_turn(&head) {
        return Opening::Limits;
    }
    let words: Vec<&str> = bare.split_whitespace().take(LOOKED_WORDS).collect();
    let inside = WIDE_BACK.iter().any(|word| head.contains(word));
    if (said && !cleft(&head)) || points_back(&words) || elliptic(&words) || inside {
        return Opening::Said;
    }
    if phrase(NAMED) || phrase(WIDE_NAMED) {
        return Opening::Named;
    }
    Opening::Own
}

/// Words of a sentence that are looked at.
const LOOKED_WORDS: usize = 12;

/// Whether the first words point to what was just said though the first one does not: `If it does not`, `After these
/// days`, `Mixed with it`, `Depois dessa data`, `The second was put off`, `The right one is sound`, `Mettez-la`.
fn points_back(words: &[&str]) -> bool {
    let plain = |at: usize| {
        let word = words.get(at).map_or("", |word| word.trim_matches(|c: char| !c.is_alphanumeric()));
        // A formal address, `Wenn Sie`, points to nobody in the text.
        if at > 0 && word.chars().next().is_some_and(char::is_uppercase) { String::new() } else { word.to_lowercase() }
    };
    let first: [String; 5] = std::array::from_fn(plain);
    let bound = first.windows(3).take(3).any(|three| match three {
        [link, word, next] => {
            let own = word == "this" && ITSELF.has(next);
            LINKS.has(link) && BACK.has(word) && !own
        }
        _ => false,
    });
    let [head, noun, verb, ..] = &first;
    let counted = head == "the" && PART_OF.has(noun) && AUXILIARIES.has(verb);
    let enclitic =
        head.rsplit_once('-').is_some_and(|(_, end)| matches!(end, "la" | "le" | "les" | "y" | "en" | "lui"));
    // `If the office asks for them,`.
    let clause = LINKS.has(head)
        && words
            .iter()
            .zip(&first)
            .skip(2)
            .take_while(|(word, _)| !word.ends_with(','))
            .any(|(_, word)| OBJECTS.has(word));
    // `I would not trust the left one.`
    let one_of = words.windows(3).any(|three| match three {
        [the, _, one] => {
            the.eq_ignore_ascii_case("the")
                && matches!(one.trim_matches(|c: char| !c.is_alphanumeric()), "one" | "ones")
        }
        _ => false,
    });
    bound || counted || enclitic || clause || one_of || first.iter().take(3).any(|word| DEMONSTRATIVES.has(word))
}

/// Whether a short sentence leaves its verb to the one before: `The ferry did, under protest.`, `With the grey one it
/// does not.`
fn elliptic(words: &[&str]) -> bool {
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let stopped = |word: &&str| word.ends_with(['.', ',', ';', '!']);
    let auxiliary = |at: usize| {
        words.get(at).is_some_and(|word| *word != "May." && *word != "May," && AUXILIARIES.has(&bare(word)))
    };
    let stands = |at: usize| {
        let negated = at > 1 && words.get(at).is_some_and(|word| bare(word) == "not");
        words.get(at).is_some_and(stopped) && (auxiliary(at) || (negated && auxiliary(at - 1)))
    };
    words.len() < LOOKED_WORDS && (stands(words.len().saturating_sub(1)) || (1..5).any(stands))
}

/// Whether a sentence speaks of several things before it that need not stand in one sentence: `The former`, `Neither`.
pub(crate) fn points_to_several(sentence: &str) -> bool {
    let bare = sentence.trim_start_matches(|c: char| !c.is_alphanumeric());
    let head: String = bare.chars().take(LOOKED_AT).flat_map(char::to_lowercase).collect();
    SEVERAL.iter().any(|words| begins(&head, words))
}

/// Words in front of a pronoun that make it a part of what is said: conjunctions, prepositions, and verbs that open a
/// condition, `Should it fail`, `Wird sie versäumt`.
static LINKS: List = List::new(
    "if when where unless once since because until while although though after before whether without with from of on
    in at to by under for during within against besides wenn falls weil sobald soweit solange nachdem bevor obwohl
    in an am nach vor mit ohne bei seit unter zu aus von für gegen si quand après avant avec sans dans pendant pour
    de à sur cuando después antes con sin en durante para por se quando com sem если когда после до с без в на при
    для по из от w should had were wird werden wurde wurden ist sind war waren hat haben hatte kann können muss müssen
    soll sollen darf dürfen",
);

/// Pronouns and demonstratives behind such a word.
static BACK: List = List::new(
    "it he she they him them this that these those such er sie ihm ihn ihnen dieser diesem diesen dieses diese elle
    elles ils cette ces cet cela ella ellos ellas esta este estos estas esa ese esos esas esto eso ele ela eles elas
    isso isto essa esse to он она оно они его нее неё них нему ней ним этого этой этом этот эта эти этих этим",
);

/// Pronouns for what is done something to.
static OBJECTS: List = List::new("it them him sie ihn ihnen");

/// What calls itself `this`: a text, not what was said before.
static ITSELF: List = List::new(
    "agreement contract document section chapter act article policy page report paper study manual guide clause
    paragraph law regulation schedule annex book site part notice lease file function module package repository
    project",
);

/// Words that point back (`Heavier ones go as cargo`) wherever among the first ones they stand.
static DEMONSTRATIVES: List = List::new(
    "ones dessa desse dessas desses nessa nesse nisso disso desta deste nesta neste daquela daquele questa questo هذا هذه
    ذلك تلك بذلك لذلك यह वह इस उस इसे उसे इसका इसके इसकी उसका उसके उसकी इसमें उसमें इनमें उनमें darauf daran darüber
    daraus darunter davon dazu dafür dagegen hiergegen hierfür hiervon hierzu hierbei hieraus hierauf bunu bunun
    buna bundan tego tej tym цього цей ця ці",
);

/// Nouns that name a part or the size of what was just told, with `the` in front of them and an auxiliary behind.
static PART_OF: List = List::new(
    "first second third fourth last amount amounts limit limits sum figure figures difference remainder ban rule
    latter former right exceptions",
);

static AUXILIARIES: List =
    List::new("is are was were has have had do does did can could will would may might must should shall");

#[rustfmt::skip]
const SEVERAL: &[&str] = &[
    "the former", "the latter", "both", "neither", "the two", "all three", "all of them", "of the other", "of the two", "the limits", "the amounts", "the figures", "beide", "beides", "keines von beiden", "ersteres", "letzteres",
    "les deux", "les premiers", "les premières", "la première", "le premier", "ni l'un", "ambos", "ambas", "los dos", "las dos", "el primero", "el segundo", "os dois", "as duas",
    "оба", "обе", "первый", "последний", "entrambi",
];

/// Characters of a sentence that are looked at.
const LOOKED_AT: usize = 120;

/// Whether the text begins with these words, whole; in scripts without spaces any text goes on behind them.
fn begins(head: &str, words: &str) -> bool {
    head.strip_prefix(words).is_some_and(|rest| {
        words.chars().next_back().is_some_and(wide)
            || rest.chars().next().is_none_or(|c| !c.is_alphanumeric() && c != '\'')
    })
}

fn has(head: &str, words: &str) -> bool {
    head.find(words).is_some_and(|at| {
        let before = head.get(..at).and_then(|before| before.chars().next_back());
        let after = head.get(at + words.len()..).and_then(|after| after.chars().next());
        before.is_none_or(|c| !c.is_alphanumeric() || wide(c)) && after.is_none_or(|c| !c.is_alphanumeric() || wide(c))
    })
}

fn wide(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}')
}

/// `It was Anna who paid.` speaks of nothing before it.
fn cleft(head: &str) -> bool {
    ["it is ", "it was ", "it takes ", "it is not ", "it was not "].iter().any(|words| head.starts_with(words))
        && (head.contains(" who ") || head.contains(" that ") || head.starts_with("it takes "))
}

/// Whether a sentence takes back what the one before says.
fn has_turn(head: &str) -> bool {
    TAKES_BACK.iter().any(|word| has(head, word)) || head.contains("n't ")
}

/// Whether a word opens many sentences: behind an abbreviation it begins a new one.
pub(crate) fn opens_plainly(word: &str) -> bool {
    PLAIN.has(word)
}

static PLAIN: List = List::new(
    "The He She It They In On This That These A An His Her Its But We I As At For If When There Their You Der Die Das
    Er Sie Es Ein Eine Le La Les Il Elle El Los Las Он Она Это В На",
);

/// Abbreviations that a name or another word follows, or that stand inside a sentence, without their stop.
pub(crate) fn abbreviates(lower: &str) -> bool {
    ABBREVIATIONS.contains(&lower)
}

#[rustfmt::skip]
const ABBREVIATIONS: &[&str] = &[
    "adm", "al", "am", "apt", "ave", "brig", "bros", "capt", "cf", "cmdr", "co", "col", "corp", "cpl", "dept", "dr", "eg", "esp",
    "etc", "ft", "gen", "gov", "hon", "ie", "inc", "jr", "lt", "ltd", "llc", "maj", "messrs", "mr", "mrs", "ms", "mt", "pm", "pres",
    "prof", "pvt", "rep", "rev", "sen", "sgt", "sr", "st", "supt", "u.s", "univ", "v", "viz", "vs",
    // German
    "abb", "abs", "allg", "bd", "best", "bspw", "bzgl", "bzw", "ca", "ev", "evtl", "fr", "geb", "gem", "ggf", "hr", "hrsg",
    "inkl", "jh", "lfd", "lt", "max", "mind", "mio", "mrd", "nr", "sog", "str", "tel", "usw", "vgl", "zzgl", "z.b", "d.h", "u.a",
    // French, Spanish, Portuguese, Italian
    "mme", "mlle", "mm", "env", "sra", "sras", "srta", "dra", "ee", "uu", "núm", "pág", "págs", "av", "avda", "ud", "uds", "sig", "dott",
    "ing", "avv", "sig.ra", "ecc",
    // Russian
    "г", "гг", "т", "д", "е", "ул", "им", "рис", "стр", "млн", "млрд", "тыс", "руб", "коп", "др", "пр", "проф", "акад", "см", "напр", "обл", "п",
];

/// Abbreviations that a number follows, without their stop.
pub(crate) fn abbreviates_before_number(lower: &str) -> bool {
    BEFORE_NUMBERS.has(lower)
}

static BEFORE_NUMBERS: List = List::new(
    "app approx apr art aug c ca cap ch cl dec ed eq exp feb fig figs jan jul jun kap lib mar no nos nov oct okt dez
    p para paras pos pp ref rn s sec sect sep sept tab tit vol vols z ziff гл ст п №",
);

/// Openings that name again what was named before.
#[rustfmt::skip]
const NAMED: &[&str] = &[
    "he", "she", "they", "his", "her", "hers", "their", "theirs", "its", "him", "them", "he's", "she's", "they're", "he'd", "she'd", "they'd",
    "neither of", "each of them", "none of them", "some of them", "one of them",
    "er", "sie", "sein", "seine", "seinen", "ihr", "ihre", "ihren", "ihm", "ihn",
    "il", "elle", "ils", "elles", "sa", "ses", "leur", "leurs", "él", "ella", "ellos", "ellas", "su", "sus",
    "он", "она", "оно", "они", "его", "её", "ее", "их", "ему", "ей", "им",
    "lui", "lei", "essi", "loro", "ele", "ela", "eles", "elas", "sua", "seu", "suas", "seus", "هو", "هي", "هم", "उन्होंने", "उनका", "उनके", "उनकी", "वे", "उन्हें", "उसने", "hij", "zij", "zijn", "haar", "hun",
];

const WIDE_NAMED: &[&str] = &["他", "她", "它", "其", "彼", "彼女"];

/// Openings that go on from what was just said.
#[rustfmt::skip]
const SAID: &[&str] = &[
    "it", "it's", "this", "that", "these", "those", "such", "that's", "here", "however", "but", "therefore", "otherwise", "thus", "hence", "then", "so", "also",
    "moreover", "furthermore", "instead", "nevertheless", "nonetheless", "still", "yet", "and", "or", "nor", "in that case", "in this case", "in which case", "in such cases",
    "as a result", "as such", "for example", "for instance", "on the other hand", "on the contrary", "in addition", "additionally", "consequently", "accordingly",
    "only", "besides", "similarly", "likewise", "meanwhile", "afterwards", "thereafter", "after that", "before that", "because of this", "for this reason",
    "the former", "the latter", "the same", "the other", "another", "even so", "only then", "if so", "if not", "in fact", "in turn", "to this end", "until then", "since then",
    "though", "rather", "conversely", "by contrast", "in contrast", "the reason", "as well", "again", "which", "who", "where",
    "es", "dies", "diese", "dieser", "dieses", "diesen", "diesem", "jener", "jene", "jedoch", "aber", "doch", "daher", "deshalb", "deswegen", "darum", "sonst", "andernfalls",
    "ansonsten", "dann", "also", "außerdem", "zudem", "ferner", "dagegen", "hingegen", "stattdessen", "trotzdem", "dennoch", "allerdings", "und", "oder", "in diesem fall",
    "dabei", "dafür", "dazu", "dadurch", "danach", "davon", "dort", "solche", "letztere", "erstere", "auch", "ebenso", "folglich", "somit",
    "ce", "cela", "ceci", "c'est", "cette", "ces", "cet", "mais", "cependant", "toutefois", "pourtant", "donc", "ainsi", "sinon", "alors", "en revanche", "par contre",
    "par conséquent", "de plus", "en outre", "dans ce cas", "par exemple", "ensuite", "or", "et", "ou", "celui-ci", "celle-ci", "y",
    "esto", "eso", "este", "esta", "estos", "estas", "ese", "esa", "pero", "sin embargo", "no obstante", "por lo tanto", "por tanto", "por eso", "por ello", "además", "entonces",
    "en cambio", "en ese caso", "en este caso", "de lo contrario", "así", "también", "tampoco", "por ejemplo", "si no", "aquí", "allí",
    "это", "этот", "эта", "эти", "этого", "этой", "тот", "та", "те", "такой", "такие", "но", "однако", "поэтому", "иначе", "тогда", "также", "кроме того", "зато", "а", "и", "или",
    "в этом случае", "в таком случае", "в противном случае", "например", "следовательно", "затем", "потом", "там", "здесь", "то же",
    "both", "neither", "beide", "beides", "of the other", "of the two", "the rest", "the others", "the two", "the remainder", "all three", "s'il", "s'ils", "n'y", "n'en",
    "les deux", "ambos", "ambas", "los dos", "las dos", "os dois", "as duas", "оба", "обе", "последний", "caso contrário", "nesse caso", "essa", "esse", "essas", "esses", "além disso", "no entanto",
    "depois disso", "todavia", "contudo", "também", "assim", "então", "por isso", "do contrário", "les premiers", "les premières", "обратное", "его", "их",
    "لكن", "لكنه", "لكنها", "ولكن", "وهذا", "وهذه", "وذلك", "ولذلك", "وأضاف", "وأضافت", "وقال", "وقالت", "ونفى", "ونفت", "وأكد", "كما", "وهو", "وهي", "إلا", "غير أن", "أما",
    "وفي", "بينما", "وإلا", "ومن", "ومع", "وبعد", "लेकिन", "परंतु", "किन्तु", "हालाँकि", "हालांकि", "इसलिए", "अन्यथा", "फिर", "ये", "तब", "bu", "ancak", "ama", "bunun", "ale", "jednak", "jest to", "ta", "tę", "taki", "taka", "takie", "natomiast", "dlatego", "wtedy",
    "але", "однак", "це", "тому", "그러나", "하지만", "그래서", "이는", "그는", "또한", "men", "dock", "därför", "denna", "detta", "dette", "denne", "derfor",
    "questo", "questa", "ciò", "ma", "però", "tuttavia", "quindi", "altrimenti", "isto", "isso", "mas", "porém", "portanto", "dit", "deze", "maar", "echter", "daarom", "anders",
];

#[rustfmt::skip]
const WIDE_SAID: &[&str] = &[
    "这", "那", "此", "该", "但", "然而", "因此", "所以", "否则", "不过", "而且", "另外", "同时", "例如", "于是", "反之", "这样", "也", "これ", "それ",
    "その", "この", "しかし", "だから", "そのため", "また", "ただし", "でも",
];

/// Words that point back wherever they stand, in scripts without spaces.
#[rustfmt::skip]
const WIDE_BACK: &[&str] = &[
    "这一", "这种", "这些", "这个", "这项", "这类", "上述", "前者", "后者", "对此", "就此", "为此", "これら", "それら", "上記", "後者",
    "この場合", "その場合",
];

/// Openings of an exception.
#[rustfmt::skip]
const LIMITS: &[&str] = &[
    "except", "unless", "save for", "apart from this", "the exception", "the only exception", "one exception", "an exception", "exceptions", "exception",
    "not so", "this does not apply", "that does not apply", "only if", "only when", "provided that", "ausgenommen", "es sei denn", "dies gilt nicht", "das gilt nicht", "ausnahme",
    "ausnahmen", "wyjątek", "wyjątki", "wyjątkiem", "nie dotyczy", "uitzondering", "undantag", "istisna", "sauf", "à moins que", "exceptions", "l'exception", "la seule exception", "salvo", "excepto", "a menos que", "la excepción", "esto no se aplica",
    "кроме", "за исключением", "исключение", "исключения", "если только", "это не относится", "eccetto", "salvo che", "exceto",
];

const WIDE_LIMITS: &[&str] = &["除非", "但是", "但", "例外", "除外", "唯一的例外", "ただし", "例外は"];

/// Words that make a sentence an exception to the one before, wherever in its first words they stand.
#[rustfmt::skip]
const LIMITING: &[&str] = &[
    "exception is", "exception was", "exceptions are", "exception to this", "does not apply", "do not apply",
    "is exempt", "are exempt", "gilt nicht für", "gilt dies nicht", "gilt das nicht", "ne s'applique pas",
    "no se aplica", "не относится", "не распространяется", "不适用", "除外",
];

/// Words with which a sentence that points back takes back or turns what it points to.
#[rustfmt::skip]
const TAKES_BACK: &[&str] = &[
    "not", "never", "no", "wrong", "untrue", "false", "incorrect", "rumour", "rumor", "mistake", "mistaken", "denied", "only", "nothing", "cannot", "nobody", "withdrawn", "no longer",
    "nicht", "kein", "keine", "nie", "falsch", "nur", "pas", "jamais", "faux", "no", "nunca", "falso", "не", "нет", "неверно", "никогда", "non", "mai",
];

/// Whether a statement is a short reply that says nothing without what it replies to.
pub(crate) fn replies(statement: &str) -> bool {
    let bare = statement.trim_matches(|c: char| !c.is_alphanumeric());
    let words = bare.split_whitespace().count();
    let wide_length = bare.chars().filter(|c| wide(*c)).count();
    let head: String = bare.chars().take(LOOKED_AT).flat_map(char::to_lowercase).collect();
    if words > 14 {
        return false;
    }
    (wide_length == 0 && words <= 3)
        || (wide_length > 0 && wide_length <= 4)
        || REPLIES.iter().any(|word| begins(&head, word))
}

#[rustfmt::skip]
const REPLIES: &[&str] = &[
    "yes", "no", "yeah", "yep", "nope", "right", "correct", "agreed", "ok", "okay", "sure", "exactly", "true", "fine", "of course", "certainly", "absolutely", "never", "neither", "me too",
    "i agree", "i disagree", "i do not", "i don't", "i did", "i didn't", "we did", "we do", "hardly", "maybe", "perhaps", "not", "same here", "thanks", "done", "good", "hm", "mhm", "uh-huh",
    "ja", "nein", "doch", "genau", "richtig", "stimmt", "einverstanden", "vielleicht", "oui", "non", "si", "d'accord", "exact", "peut-être", "sí", "de acuerdo", "claro", "correcto", "quizás",
    "да", "нет", "верно", "согласен", "согласна", "конечно", "хорошо", "ладно", "sì", "sim", "não", "nee", "是", "不", "对", "好", "没", "可以", "はい", "いいえ",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openings_tell_what_a_sentence_needs() {
        for (sentence, wanted) in [
            ("The lamp is green.", Opening::Own),
            ("It was Anna who paid.", Opening::Own),
            ("Hero worship is old.", Opening::Own),
            ("He left.", Opening::Named),
            ("Ее закрыли.", Opening::Named),
            ("它很旧。", Opening::Named),
            ("This is new.", Opening::Said),
            ("Daher bleibt es offen.", Opening::Said),
            ("因此门开着。", Opening::Said),
            ("However, it does not hold on Sundays.", Opening::Limits),
            ("Except on Sundays.", Opening::Limits),
            ("The rule does not apply to foals.", Opening::Limits),
            ("Dies gilt nicht für Hunde.", Opening::Limits),
            ("That was wrong.", Opening::Limits),
            ("Should it fail, the gate stays shut.", Opening::Said),
            ("Wird sie versäumt, kostet es 25 Euro.", Opening::Said),
            ("Ta zniżka dotyczy lokali.", Opening::Said),
            ("教育局没有证实这一消息。", Opening::Said),
        ] {
            assert_eq!(opening(sentence), wanted, "{sentence}");
        }
    }

    #[test]
    fn a_short_reply_needs_its_question() {
        assert!(
            replies("No.") && replies("Yes, but only one at a time.") && replies("Nicht heute.") && replies("可以。")
        );
        assert!(!replies("The county will pay for the paint of the bridge."));
    }
}
