//! What a question asks one after the other: `What does it cost, and when is it open?` asks two things, and a sentence
//! that answers the second shares no word with the first.

use crate::compress::text::{
    lexicon::{asks_anew, conjoins, inverts},
    sentence,
    word::words,
};

/// The questions that a wording holds, where they are several; none where it is one.
pub(super) fn parts(wording: &str) -> Vec<&str> {
    let sentences = sentence::split(wording).into_iter().filter_map(|span| wording.get(span));
    let parts: Vec<&str> = sentences.flat_map(clauses).map(str::trim).filter(|part| !part.is_empty()).collect();
    if (2..=MOST_PARTS).contains(&parts.len()) { parts } else { Vec::new() }
}

/// A message that asks more things than this is no question but a form or an essay.
const MOST_PARTS: usize = 4;

/// A sentence cut before each conjunction that an interrogative follows: `…, and when must it not be given?`
fn clauses(sentence: &str) -> Vec<&str> {
    let words: Vec<(usize, String)> =
        words(sentence).map(|span| (span.start, sentence.get(span).unwrap_or_default().to_lowercase())).collect();
    let begins = words.windows(3).skip(1).filter_map(|three| match three {
        [(at, link), (_, asks), (_, next)] => {
            (conjoins(link) && (asks_anew(asks) || inverts(asks, next))).then_some(*at)
        }
        _ => None,
    });
    let mut found = Vec::new();
    let mut from = 0;
    for at in begins.chain([sentence.len()]) {
        found.extend(sentence.get(from..at));
        from = at;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_one_or_several() {
        for (wording, wanted) in [
            (
                "How much does a cow get, and when must it not be given?",
                vec!["How much does a cow get,", "and when must it not be given?"],
            ),
            ("What is a quay? Who owns it?", vec!["What is a quay?", "Who owns it?"]),
            ("Was kostet es und wann ist offen?", vec!["Was kostet es", "und wann ist offen?"]),
            ("Can I return it, and could I get a voucher?", vec!["Can I return it,", "and could I get a voucher?"]),
            ("Who came and was it late that they saw?", vec!["Who came", "and was it late that they saw?"]),
            ("Who came and was arrested on the day?", vec![]),
            ("Who came and went?", vec![]),
            ("And when?", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(parts(wording), wanted, "{wording}");
        }
    }
}
