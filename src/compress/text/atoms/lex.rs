//! Splits text into words with the borders between them; everything later works on these.

use std::{borrow::Cow, ops::Range};

use super::lexicon::List;
use crate::compress::fuel;

/// One word: what stands between white space, without the punctuation around it.
#[derive(Debug, Clone)]
pub(crate) struct Word<'t> {
    /// As it stands in the text.
    pub(crate) text: &'t str,
    /// Its bytes.
    pub(crate) span: Range<usize>,
    /// Lower case, folded (see [`fold`]), without a possessive ending.
    pub(crate) key: Cow<'t, str>,
    /// What divides it from the word before.
    pub(crate) border: Border,
}

impl Word<'_> {
    /// Whether the first letter is a capital.
    pub(crate) fn capital(&self) -> bool {
        self.text.chars().next().is_some_and(char::is_uppercase)
    }
}

/// What divides two words, from nothing to the end of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Border {
    /// White space alone.
    None,
    /// A comma, colon, dash, bracket or line end.
    Clause,
    /// The end of a sentence, a paragraph or a list item; also the beginning of the text.
    Sentence,
}

/// The words of a text in order.
pub(crate) fn words(text: &str) -> Vec<Word<'_>> {
    let mut out: Vec<Word<'_>> = Vec::with_capacity(text.len() / 5);
    let mut border = Border::Sentence;
    let mut newlines = 0;
    let mut rest = text.char_indices().peekable();
    while let Some(&(start, c)) = rest.peek() {
        if c.is_whitespace() {
            newlines += usize::from(c == '\n');
            rest.next();
            continue;
        }
        let mut end = start;
        while let Some(&(at, c)) = rest.peek() {
            if c.is_whitespace() || (at > start && breaks(text, at, c)) {
                break;
            }
            end = at + c.len_utf8();
            rest.next();
            if breaks(text, at, c) {
                break;
            }
        }
        fuel::step(end - start);
        let chunk = text.get(start..end).unwrap_or_default();
        border = border.max(match newlines {
            0 => Border::None,
            1 if !bullet(chunk) => Border::Clause,
            _ => Border::Sentence,
        });
        newlines = 0;
        let mark = chunk.trim_matches(['(', ')', '[', ']', ',', '.', ':', ';']);
        let (lead, core, trail) = if matches!(mark, "$" | "€" | "£" | "¥" | "%") {
            let (lead, rest) = chunk.split_at_checked(chunk.find(mark).unwrap_or(0)).unwrap_or(("", chunk));
            (lead, mark, rest.get(mark.len()..).unwrap_or_default())
        } else {
            trim(chunk)
        };
        border = border.max(border_of(lead));
        if core.is_empty() {
            border = border.max(border_of(trail));
            continue;
        }
        let from = start + lead.len();
        out.push(Word { text: core, span: from..from + core.len(), key: key(core), border });
        border = if ends_sentence(core, trail) {
            Border::Sentence
        } else {
            border_of(trail.strip_prefix('.').unwrap_or(trail)).min(Border::Clause)
        };
    }
    out
}

/// Dashes and ellipses divide words even without white space around them, and so does `…,…` between letters.
fn breaks(text: &str, at: usize, c: char) -> bool {
    match c {
        '—' | '…' | '|' => true,
        '–' => true,
        ',' | ';' => {
            let after = text.get(at + 1..).and_then(|t| t.chars().next());
            after.is_some_and(char::is_alphabetic)
        }
        _ => false,
    }
}

/// Whether a chunk opens a list item.
pub(crate) fn bullet(chunk: &str) -> bool {
    matches!(chunk, "-" | "*" | "•" | "+" | "–")
        || chunk
            .strip_suffix(['.', ')'])
            .is_some_and(|n| !n.is_empty() && n.len() <= 3 && n.bytes().all(|b| b.is_ascii_digit()))
}

fn trim(chunk: &str) -> (&str, &str, &str) {
    let core = chunk.trim_start_matches(|c: char| {
        !c.is_alphanumeric()
            && !matches!(c, '$' | '€' | '£' | '¥' | '-' | '−' | '+' | '.' | '/' | '~' | '#' | '@' | '_' | '%' | '\\')
    });
    let core = trim_sign(core);
    let lead = chunk.len() - core.len();
    let kept = core.trim_end_matches(|c: char| {
        !c.is_alphanumeric() && !matches!(c, '%' | '$' | '€' | '£' | '¥' | '°' | '/' | '_' | '+' | '#' | '\\')
    });
    let (lead, _) = chunk.split_at_checked(lead).unwrap_or((chunk, ""));
    let trail = core.get(kept.len()..).unwrap_or_default();
    (lead, kept, trail)
}

/// A sign or dot stays with a word only where something that it belongs to follows: `-5`, `--flag`, `.5`, `./run`.
fn trim_sign(core: &str) -> &str {
    let mut rest = core;
    loop {
        let mut chars = rest.chars();
        let Some(first) = chars.next() else {
            return rest;
        };
        if first.is_alphanumeric() {
            return rest;
        }
        let after = chars.as_str();
        let next = after.chars().next();
        let holds = match first {
            '-' | '−' | '+' => {
                next.is_some_and(|c| c.is_ascii_digit() || c.is_ascii_lowercase() || matches!(c, '$' | '€' | '£' | '.'))
                    || (next == Some('-') && after.len() > 2)
            }
            '~' => next == Some('/'),
            '.' => next.is_some_and(|c| c.is_alphanumeric() || c == '/' || (c == '.' && after.starts_with("./"))),
            '$' | '€' | '£' | '¥' | '#' | '@' | '_' | '/' | '\\' => next.is_some_and(|c| !c.is_whitespace()),
            _ => false,
        };
        if holds {
            return rest;
        }
        rest = after;
    }
}

fn border_of(punctuation: &str) -> Border {
    if punctuation.contains(['.', '!', '?', '。', '！', '？']) {
        return Border::Sentence;
    }
    if punctuation
        .contains([',', ';', ':', '(', ')', '[', ']', '{', '}', '—', '–', '…', '|', '•', '"', '“', '”', '«', '»'])
        || matches!(punctuation, "-" | "--" | "*")
    {
        return Border::Clause;
    }
    Border::None
}

/// Whether the punctuation after `core` ends a sentence; a full stop after an abbreviation or an initial doesn't.
fn ends_sentence(core: &str, trail: &str) -> bool {
    if trail.contains(['!', '?', '。', '！', '？']) {
        return true;
    }
    if !trail.contains('.') {
        return false;
    }
    let mut letters = core.chars();
    let initial = letters.next().is_some_and(char::is_uppercase) && letters.next().is_none();
    let dotted = core.split('.').all(|part| part.chars().count() == 1) && core.contains('.');
    !(initial || dotted || ABBREVIATIONS.has(core))
}

static ABBREVIATIONS: List = List::new(
    "Mr Mrs Ms Dr Prof St Jr Sr Inc Ltd Co Corp vs etc al Fig fig No Vol pp cf approx Gen Sen Rep Gov Capt Lt Col Sgt
    Rev Hon",
);

/// The form in which words are compared.
fn key(core: &str) -> Cow<'_, str> {
    let folded = fold(core);
    let stem = folded
        .strip_suffix("'s")
        .or_else(|| folded.strip_suffix("’s"))
        .or_else(|| folded.strip_suffix("'S"))
        .unwrap_or(&folded);
    if matches!(folded, Cow::Borrowed(_)) && !stem.chars().any(char::is_uppercase) {
        let len = stem.len();
        return Cow::Borrowed(core.get(..len).unwrap_or(core));
    }
    Cow::Owned(stem.to_lowercase())
}

/// Folds what looks alike for comparison only: zero-width and control characters go, compatibility forms of ASCII
/// (full width, mathematical letters and digits, superscripts, other scripts' decimal digits), curly apostrophes,
/// and the Cyrillic and Greek twins of Latin letters become ASCII. The mapping is the part of NFKC and of Unicode's
/// confusables (UTS 39) that matters to numbers and short words.
pub(crate) fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let folded: String = text.chars().filter(|&c| !invisible(c)).map(fold_char).collect();
    if folded == text { Cow::Borrowed(text) } else { Cow::Owned(folded) }
}

/// Characters that take no room: zero-width spaces and joiners, soft hyphens, direction marks, tags, selectors.
pub(crate) const fn invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}')
}

/// Folds one character; see [`fold`].
pub(crate) fn fold_char(c: char) -> char {
    let ascii = |base: u8, offset: u32| u8::try_from(offset).map_or(c, |o| char::from(base + o));
    let code = u32::from(c);
    match c {
        '’' | '‘' | 'ʼ' | '＇' => '\'',
        '−' | '‐' | '‑' | '﹣' => '-',
        '\u{ff01}'..='\u{ff5e}' => ascii(b'!', code - 0xff01),
        '\u{1d400}'..='\u{1d6a3}' => {
            let place = (code - 0x1d400) % 52;
            if place < 26 { ascii(b'A', place) } else { ascii(b'a', place - 26) }
        }
        '\u{1d7ce}'..='\u{1d7ff}' => ascii(b'0', (code - 0x1d7ce) % 10),
        '⁰' | '₀' => '0',
        '¹' | '₁' => '1',
        '²' | '₂' => '2',
        '³' | '₃' => '3',
        '⁴'..='⁹' => ascii(b'4', code - 0x2074),
        '₄'..='₉' => ascii(b'4', code - 0x2084),
        '①'..='⑨' => ascii(b'1', code - 0x2460),
        '٠'..='٩' => ascii(b'0', code - 0x660),
        '۰'..='۹' => ascii(b'0', code - 0x6f0),
        '०'..='९' => ascii(b'0', code - 0x966),
        _ => twin(c).unwrap_or(c),
    }
}

/// The Latin letter that a Cyrillic or Greek one looks like.
pub(crate) const fn twin(c: char) -> Option<char> {
    Some(match c {
        'а' | 'α' => 'a',
        'е' => 'e',
        'о' | 'ο' => 'o',
        'р' | 'ρ' => 'p',
        'с' => 'c',
        'у' => 'y',
        'х' => 'x',
        'і' | 'ι' => 'i',
        'ј' => 'j',
        'ѕ' => 's',
        'һ' => 'h',
        'ԁ' => 'd',
        'ո' => 'n',
        'ν' => 'v',
        'т' => 't',
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'Е' | 'Ε' => 'E',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'Н' | 'Η' => 'H',
        'О' | 'Ο' => 'O',
        'Р' | 'Ρ' => 'P',
        'С' => 'C',
        'Т' | 'Τ' => 'T',
        'Х' | 'Χ' => 'X',
        'І' | 'Ι' => 'I',
        'Ν' => 'N',
        'Ζ' => 'Z',
        'Ү' | 'Υ' => 'Y',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lose_their_punctuation_and_keep_their_bytes() {
        let text = "He said: \"Don’t pay -$5.00 (ever)—wait… U.S. law.\" Next";
        let words = words(text);
        let cores: Vec<_> = words.iter().map(|w| w.text).collect();
        assert_eq!(cores, ["He", "said", "Don’t", "pay", "-$5.00", "ever", "wait", "U.S", "law", "Next"]);
        assert!(words.iter().all(|w| text.get(w.span.clone()) == Some(w.text)));
        assert_eq!(words[2].key, "don't");
        assert_eq!(words[9].border, Border::Sentence);
        assert_eq!(words[8].border, Border::None, "an abbreviation ends no sentence");
        assert_eq!(words[6].border, Border::Clause);
    }

    #[test]
    fn look_alikes_fold_to_ascii() {
        assert_eq!(fold("1\u{200b}0\u{ff10}"), "100");
        assert_eq!(fold("n\u{43e}t"), "not");
        assert_eq!(fold("𝟑𝟎"), "30");
        assert_eq!(fold("plain"), "plain");
    }
}
