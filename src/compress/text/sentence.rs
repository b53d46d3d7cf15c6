//! Sentences by Unicode's rules (UAX #29, from `unicode-segmentation`), mended where an abbreviation, an initial, an
//! address or a line's end was taken for an end. When in doubt two sentences stay one: that costs room, a cut statement
//! costs its truth.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::lexicon::{abbreviates, abbreviates_before_number, opens_plainly};
use crate::compress::fuel;

/// The sentences of a text; their spans concatenate to it.
pub(in crate::compress) fn split(text: &str) -> Vec<Range<usize>> {
    let of = |span: Range<usize>| text.get(span).unwrap_or_default();
    let mut found: Vec<Range<usize>> = Vec::new();
    for (start, part) in text.split_sentence_bound_indices() {
        fuel::step(part.len());
        let span = start..start + part.len();
        match found.last_mut() {
            Some(last) if goes_on(of(last.clone()), part, of(start..text.len())) => last.end = span.end,
            _ => found.push(span),
        }
    }
    found.into_iter().flat_map(|span| after_notes(text, span)).collect()
}

/// A stop with a note's mark behind it, `.[12] The`, ends a sentence too.
fn after_notes(text: &str, span: Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = span.start;
    let inside = text.get(span.clone()).unwrap_or_default();
    for (at, _) in inside.match_indices("] ") {
        let (head, next) = inside.split_at_checked(at + 2).unwrap_or((inside, ""));
        let high = next.chars().next().is_some_and(char::is_uppercase);
        let tail = head.get(head.ceil_char_boundary(head.len().saturating_sub(NOTE))..).unwrap_or_default();
        if high && !tail.trim_end().trim_end_matches(']').ends_with(STOPS) && ends(tail) {
            found.push(start..span.start + head.len());
            start = span.start + head.len();
        }
    }
    found.push(start..span.end);
    found
}

/// Bytes in which a stop and the notes behind it stand.
const NOTE: usize = 24;

/// Whether a line or a sentence has come to its end: a full stop of any script, closed quotations and brackets aside.
pub(in crate::compress) fn ends(text: &str) -> bool {
    stop(text).is_some()
}

/// The stop at the end of a text.
fn stop(text: &str) -> Option<char> {
    let mut rest = text.trim_end();
    // A note's mark behind the stop: `.[^1]`, `.[12]`.
    while let Some(inside) = rest.strip_suffix(']') {
        let from = inside.ceil_char_boundary(inside.len().saturating_sub(LONGEST_NOTE + 1));
        let Some(open) = inside.get(from..).and_then(|near| near.rfind('[')).map(|open| from + open) else { break };
        let note = inside.get(open + 1..).unwrap_or_default();
        if note.len() > LONGEST_NOTE || !note.bytes().any(|byte| byte.is_ascii_digit()) {
            break;
        }
        rest = rest.get(..open).unwrap_or_default();
    }
    rest.trim_end_matches(CLOSING).chars().next_back().filter(|c| STOPS.contains(c))
}

/// Bytes of a note's number.
const LONGEST_NOTE: usize = 8;

const CLOSING: &[char] =
    &['"', '\'', '\u{201d}', '\u{201c}', '\u{2019}', '»', '«', ')', ']', '」', '』', '）', '*', '_', '`', ' '];

/// Full stops: Latin, ideographic, Arabic, Urdu, Devanagari, Armenian, Ethiopic, Burmese.
const STOPS: &[char] = &['.', '!', '?', '…', '。', '！', '？', '｡', '．', '؟', '۔', '।', '॥', '։', '።', '။', '‽'];

/// Whether `next` belongs to the sentence that `before` seemed to end. `rest` is the text from `next` on.
fn goes_on(before: &str, next: &str, rest: &str) -> bool {
    // Asked first: of a page of blank lines each would otherwise look back over all before it.
    if next.trim().is_empty() {
        return true;
    }
    let bare = before.trim_end();
    fuel::step(before.len() - bare.len());
    if bare.is_empty() {
        return true;
    }
    // Only a full stop ends a sentence, not a line's end.
    let Some(stop) = stop(bare) else { return true };
    let wide = !stop.is_ascii() && stop != '…';
    // Inside of an address, a version, `a!b`.
    if !wide && bare.len() == before.len() {
        return true;
    }
    let first = next.chars().find(|c| !c.is_whitespace() && *c != '>');
    if first.is_some_and(|c| c.is_lowercase() || matches!(c, ',' | ';' | ')' | ']' | ':')) {
        return true;
    }
    // `(Phil. 4:15)`, `(It rained. It stopped.)`.
    if is_open(before) && closes(rest) {
        return true;
    }
    // A letter of a case-less script behind a Latin stop begins a sentence; only Latin abbreviations are known.
    let Some(stopped) = bare.strip_suffix('.') else { return false };
    let word = stopped.rsplit(|c: char| c.is_whitespace() || "(\"'“„«[".contains(c)).next().unwrap_or_default();
    let lower = word.to_lowercase();
    let opening = next.trim_start_matches(|c: char| !c.is_alphanumeric());
    let initial = word.chars().count() == 1 && word.chars().all(char::is_alphabetic) && word != "I";
    // `the non-U.S. GAAP measure`.
    let dots = word.rsplit(['-', '–', '/']).next().unwrap_or_default();
    let dotted = dots.contains('.') && dots.split('.').all(|part| (1..=3).contains(&part.chars().count()));
    let number = (1..=2).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
    let plainly = opens_plainly(opening.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default());
    let before_number = opening.chars().next().is_some_and(|c| c.is_ascii_digit());
    initial
        || (dotted && word.chars().any(char::is_alphabetic) && !plainly)
        || abbreviates(&lower) && !(plainly && opens_rarely(&lower))
        || (before_number && abbreviates_before_number(&lower))
        // `am 3. Mai`; `in 12. The next` is two.
        || (number && !plainly)
        // `1.` or `## 2.4.` at the beginning is a number of a list or a section, not a sentence.
        || stopped
            .trim_start_matches(['#', ' ', '>', '§', '('])
            .split('.')
            .all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a bracket is open at the end of a text; `:(` opens none.
fn is_open(text: &str) -> bool {
    let near = text.get(text.ceil_char_boundary(text.len().saturating_sub(ASIDE))..).unwrap_or_default();
    fuel::step(near.len());
    let Some(open) = near.rfind(['(', '（']) else { return false };
    let face = near.get(..open).is_some_and(|before| before.ends_with([':', ';', '-', '=']));
    !face && !near.get(open..).is_some_and(|inside| inside.contains([')', '）']))
}

/// Whether a bracket that was open before a text is closed in it.
fn closes(text: &str) -> bool {
    let near = text.get(..text.floor_char_boundary(ASIDE)).unwrap_or_default();
    fuel::step(near.len());
    near.find(['(', '（', ')', '）']).and_then(|at| near.get(at..)).is_some_and(|rest| rest.starts_with([')', '）']))
}

/// Bytes of what stands in brackets on either side of a stop; a bracket that is open for longer was forgotten.
const ASIDE: usize = 200;

/// Abbreviations that may well end a sentence, where a plain word goes on.
fn opens_rarely(lower: &str) -> bool {
    matches!(lower, "inc" | "ltd" | "co" | "corp" | "llc" | "etc" | "usw" | "jr" | "sr" | "al" | "u.s" | "am" | "pm")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        split(text).into_iter().filter_map(|span| text.get(span)).collect()
    }

    #[test]
    fn abbreviations_initials_and_numbers_do_not_end_a_sentence() {
        for text in [
            "Dr. J. K. Smith of the U.S. Army paid $3.5 million in No. 7 St. James St. yesterday. He left.",
            "Free cash flow (a non-U.S. GAAP measure) fell to the UK/U.S. Treaty level. We report it.",
            "1.3. The deposit is returned in May. 2.10.4. Interest accrues daily.",
            "Die Sitzung am 3. Mai fiel aus, z. B. wegen Abb. 4 und Nr. 7. Sie wird nachgeholt.",
            "Le Dr. Blanc vit M. Noir à la p. 12. Il partit.",
            "La Sra. Ruiz vive en EE. UU. desde el art. 5 de 1990. Volvió ayer.",
            "См. рис. 3 и т. д. на стр. 12. Это всё.",
            "Smith et al. (2019) found it. Others did not.",
            "\"Is it safe?\" she asked. \"No!\" he said.",
        ] {
            assert_eq!(cut(text).len(), 2, "{:?}", cut(text));
        }
    }

    #[test]
    fn blank_lines_are_looked_at_once_wherever_they_stand() {
        for text in ["\n", "\r\n", " \n", "a.\n\n\n\n", "a\n \u{3000}\n"].map(|part| part.repeat(8_000)) {
            for text in [format!("{text}When did it start?"), text] {
                let (_, steps) = fuel::counted(|| split(&text));
                assert!(steps <= 3 * text.len() as u64, "{steps} steps for {} bytes", text.len());
            }
        }
    }

    #[test]
    fn addresses_are_not_cut() {
        for text in
            ["See https://x.example/r?id=3&y=1#t for more.", "The map <https://m.example/#!/pier/9?z=4> is new."]
        {
            assert_eq!(cut(text), [text]);
        }
    }

    #[test]
    fn stops_of_other_scripts_end_sentences() {
        assert_eq!(cut("他说：“好。”然后走了。我们留下！").len(), 3);
        assert_eq!(cut("هل هو آمن؟ لا أعرف.").len(), 2);
        assert_eq!(cut("यह ठीक है। वह नहीं है।").len(), 2);
    }

    #[test]
    fn a_hard_wrapped_sentence_is_one() {
        let text = "The parties to this agreement, which was signed in London on the\nfirst of May, agree that it ends. It\nmay be renewed.\n";
        assert_eq!(cut(text).len(), 2, "{:?}", cut(text));
    }

    #[test]
    fn what_stands_in_brackets_is_not_cut() {
        for text in [
            "Their gifts are praised (Phil. 4:15; 2 Cor. 8). They stay.",
            "(The first bell rang. Nobody came.) Then it was dark.",
            "They sang (Brian Wilson and Van. Dyke Parks wrote it) in May. It sold well.",
        ] {
            assert_eq!(cut(text).len(), 2, "{:?}", cut(text));
        }
        assert_eq!(cut("We missed it :( again. It rains :) today. We wait.").len(), 3);
        let forgotten =
            format!("It began (so they say. {} It ended (in May).", "The crew waited on the pier. ".repeat(9));
        assert_eq!(cut(&forgotten).len(), 11);
    }

    #[test]
    fn a_note_belongs_to_its_sentence() {
        assert_eq!(cut("It sank by 14 cm.[^2] The wall was never finished.[^3]").len(), 2);
        assert!(cut("It sank.[^2] The wall fell.[^3]")[0].contains("[^2]"));
    }

    proptest! {
        #[test]
        fn sentences_concatenate_to_the_text(text in "(\\PC|[a-zA-Z .!?\\n\\t:;,\\[\\]0-9#>-]){0,300}") {
            prop_assert_eq!(cut(&text).concat(), text);
        }
    }
}
