//! One wording for phrases that bind, allow or condition a statement in the same way, so that `is able to` compares
//! equal with `can` and `in the event that` with `if`.
//!
//! Only what means the same to a lawyer as well: `unless` is no `if`, `need not` no `must not`, and a phrase of duty that
//! is denied stays as it is, for `not required to` allows what `must not` forbids.

use std::{borrow::Cow, ops::Range};

use crate::compress::text::atoms::{
    lex::{self, Border, Word},
    lexicon::{self, List},
};

/// The text with each such phrase in its plain wording.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    let words = lex::words(text);
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    while at < words.len() {
        let Some((replaced, with)) = exchange(&words, at) else {
            at += 1;
            continue;
        };
        at = replaced.end;
        let span = |at: usize| words.get(at).map(|word| word.span.clone());
        let (Some(first), Some(last)) = (span(replaced.start), span(replaced.end - 1)) else { continue };
        out.push_str(text.get(copied..first.start).unwrap_or_default());
        out.push_str(&with);
        copied = last.end;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

/// The words that are replaced from a place on, and what stands for them.
fn exchange(words: &[Word<'_>], at: usize) -> Option<(Range<usize>, Cow<'static, str>)> {
    let key = words.get(at)?.key.as_ref();
    let from = PHRASES.partition_point(|(phrase, _)| *phrase < key);
    let begun = PHRASES.iter().skip(from).take_while(|(phrase, _)| phrase.starts_with(key));
    let phrase = |(phrase, with): &(&str, &'static str)| Some((at..matched(words, at, phrase)?, Cow::Borrowed(*with)));
    if let Some(exchanged) = begun.copied().find_map(|entry| phrase(&entry)) {
        return Some(exchanged);
    }
    match key {
        "is" | "are" | "am" | "be" | "was" | "were" | "has" | "have" | "need" | "needs" | "isn't" | "aren't"
        | "wasn't" | "weren't" | "shall" => verbal(words, at),
        "should" => inverted(words, at),
        "if" => conditional_should(words, at),
        "about" | "around" | "roughly" | "circa" | "some" => figure(words, at + 1, "approximately"),
        "up" => {
            let end = ["up to a maximum of", "up to"].iter().find_map(|phrase| matched(words, at, phrase))?;
            figure(words, end, "at most").map(|(_, with)| (at..end, with))
        }
        "or" => or_not(words, at),
        _ => None,
    }
}

/// Sorted: a phrase, and what stands for it. None is the beginning of another.
#[rustfmt::skip]
const PHRASES: &[(&str, &str)] = &[
    ("a maximum of", "at most"), ("a minimum of", "at least"), ("are not obliged to", "need not"),
    ("are not required to", "need not"), ("as long as", "if"), ("can't", "can not"), ("cannot", "can not"),
    ("couldn't", "could not"), ("do not have to", "need not"), ("do not need to", "need not"),
    ("does not have to", "need not"), ("does not need to", "need not"), ("doesn't have to", "need not"),
    ("doesn't need to", "need not"), ("don't have to", "need not"), ("don't need to", "need not"),
    ("excepting", "except"), ("exclusively", "only"), ("in case", "if"), ("in cases in which", "where"),
    ("in cases where", "where"), ("in event of", "if"), ("in event that", "if"), ("in order to be able to", "to"),
    ("in the event of", "if"), ("in the event that", "if"), ("is not obliged to", "need not"),
    ("is not required to", "need not"), ("it is impossible to", "can not"), ("it is necessary to", "must"),
    ("it is not possible to", "can not"), ("it is permitted to", "may"), ("it is possible to", "can"),
    ("maybe", "perhaps"), ("merely", "only"), ("mustn't", "must not"), ("nearly", "almost"), ("needn't", "need not"),
    ("no fewer than", "at least"), ("no less than", "at least"), ("no more than", "at most"),
    ("not fewer than", "at least"), ("not later than", "no later than"), ("not less than", "at least"),
    ("not more than", "at most"), ("on condition that", "if"), ("on the condition that", "if"),
    ("ought to", "should"), ("possibly", "perhaps"), ("provided that", "if"), ("providing that", "if"),
    ("shouldn't", "should not"), ("so long as", "if"), ("solely", "only"), ("that do not have", "without"),
    ("that does not have", "without"), ("that has no", "without"), ("that have no", "without"), ("till", "until"),
    ("under the condition that", "if"), ("unless and until", "unless"), ("until such time as", "until"),
    ("up until", "until"), ("whether or not", "whether"), ("which do not have", "without"),
    ("which does not have", "without"), ("which has no", "without"), ("which have no", "without"),
    ("who do not have", "without"), ("who does not have", "without"), ("who don't have", "without"),
    ("who has no", "without"), ("who have no", "without"), ("with no", "without"),
    ("with the exception of", "except"), ("won't", "will not"), ("wouldn't", "would not"),
];

/// Where a phrase ends that begins at a place, with nothing but white space inside.
fn matched(words: &[Word<'_>], at: usize, phrase: &str) -> Option<usize> {
    let mut end = at;
    for part in phrase.split(' ') {
        let word = words.get(end)?;
        if word.key != part || (end > at && word.border > Border::None) {
            return None;
        }
        end += 1;
    }
    Some(end)
}

/// `is hereby authorised to`, `have the right to`, `needs to`: the verb that means the same, with the adverbs and the
/// negation between.
fn verbal(words: &[Word<'_>], at: usize) -> Option<(Range<usize>, Cow<'static, str>)> {
    let first = words.get(at)?.key.as_ref();
    if first == "shall" {
        return Some(entitled(words, at).unwrap_or((at..at + 1, Cow::Borrowed("must"))));
    }
    if matches!(first, "need" | "needs") && matched(words, at + 1, "to have").is_some() {
        return None;
    }
    let past = matches!(first, "was" | "were" | "wasn't" | "weren't");
    let mut denied = first.ends_with("n't") || before(words, at, 2).any(|word| lexicon::negation(&word.key).is_some());
    let outside = denied && !first.ends_with("n't");
    let mut between = Vec::new();
    let mut from = at + 1;
    while let Some(word) = words.get(from).filter(|word| word.border == Border::None) {
        match word.key.as_ref() {
            "not" => denied = true,
            key if ADVERBS.has(key) => between.push(word.text),
            _ => break,
        }
        from += 1;
    }
    if words.get(from)?.border > Border::None {
        return None;
    }
    let has = |list: &[&str]| list.iter().find_map(|phrase| matched(words, from, phrase));
    let states =
        matches!(first, "is" | "are" | "am" | "be" | "was" | "were" | "isn't" | "aren't" | "wasn't" | "weren't");
    let owns = matches!(first, "has" | "have");
    let unable = states && matched(words, from, "unable to").is_some();
    let (verb, end) = if let Some(end) = has(ABLE).filter(|_| states).or_else(|| has(ABILITY).filter(|_| owns)) {
        (if past { "could" } else { "can" }, end)
    } else if let Some(end) = has(FREE).filter(|_| states && !past).or_else(|| has(RIGHT).filter(|_| owns)) {
        ("may", end)
    } else {
        let duty = if states && !past {
            has(BOUND)
        } else if owns {
            has(DUTY)
        } else if !states {
            has(&["to"])
        } else {
            None
        };
        ("must", duty.filter(|_| !denied)?)
    };
    // Whether it is denied is told once: by a word before, or here.
    let not = if (denied && !outside) || unable { " not" } else { "" };
    let between = between.iter().fold(String::new(), |all, word| format!("{all} {word}"));
    Some((at..end, Cow::Owned(format!("{verb}{not}{between}"))))
}

/// `shall be entitled to` gives a right, and is no duty.
fn entitled(words: &[Word<'_>], at: usize) -> Option<(Range<usize>, Cow<'static, str>)> {
    let not = matched(words, at, "shall not be").map(|end| (end, " not"));
    let (end, not) = not.or_else(|| matched(words, at, "shall be").map(|end| (end, "")))?;
    let (range, with) = verbal(words, end - 1)?;
    // The denial before it is told there already.
    let verb = with.strip_suffix(" not").unwrap_or(&with);
    Some((at..range.end, Cow::Owned(format!("{verb}{not}"))))
}

static ADVERBS: List = List::new("also always only hereby then still expressly further generally fully at all");
const ABLE: &[&str] = &["able to", "unable to", "capable of", "in a position to"];
const ABILITY: &[&str] = &["the ability to", "ability to"];
const FREE: &[&str] = &["permitted to", "allowed to", "authorised to", "authorized to", "entitled to", "free to"];
const RIGHT: &[&str] = &["the right to", "right to", "permission to"];
const BOUND: &[&str] = &["required to", "obliged to", "obligated to", "under an obligation to", "under obligation to"];
const DUTY: &[&str] = &["to", "an obligation to", "the obligation to", "obligation to", "a duty to", "duty to"];

/// The words before a place in its clause, the nearest first.
fn before<'w, 't>(words: &'w [Word<'t>], at: usize, most: usize) -> impl Iterator<Item = &'w Word<'t>> {
    let joined = move |i: &usize| words.get(i + 1).is_some_and(|word| word.border == Border::None);
    (at.saturating_sub(most)..at).rev().take_while(joined).filter_map(|i| words.get(i))
}

/// `Should you have questions, …` at the beginning of a clause is `if you …`; a question isn't.
fn inverted(words: &[Word<'_>], at: usize) -> Option<(Range<usize>, Cow<'static, str>)> {
    let opens = words.get(at)?.border > Border::None;
    let subject = words.get(at + 1).filter(|word| word.border == Border::None)?;
    let subject = SUBJECTS.has(&subject.key);
    // A condition is followed by what it conditions.
    let goes_on =
        words.iter().skip(at + 2).take_while(|w| w.border < Border::Sentence).any(|w| w.border == Border::Clause);
    (opens && subject && goes_on).then_some((at..at + 1, Cow::Borrowed("if")))
}

/// `If you should have questions` at the beginning of a sentence is `if you have questions`.
fn conditional_should(words: &[Word<'_>], at: usize) -> Option<(Range<usize>, Cow<'static, str>)> {
    let first = words.get(at).filter(|word| word.border > Border::None)?;
    let subject = words.get(at + 1).filter(|word| PRONOUNS.has(&word.key) && word.border == Border::None)?;
    let should = words.get(at + 2).filter(|word| word.key == "should" && word.border == Border::None);
    should.map(|_| (at..at + 3, Cow::Owned(format!("{} {}", first.text, subject.text))))
}

static SUBJECTS: List = List::new("you he she it we they i the a an any either one this that these those");
static PRONOUNS: List = List::new("you he she it we they i");

/// `about 20`, `roughly 20`, `up to 20`: the words before a figure that say how it is meant.
fn figure(words: &[Word<'_>], at: usize, with: &'static str) -> Option<(Range<usize>, Cow<'static, str>)> {
    let figure = words.get(at).filter(|word| word.border == Border::None)?;
    let figure = figure.text.starts_with(|c: char| c.is_ascii_digit() || "$€£".contains(c))
        || lexicon::number_word(&figure.key).is_some();
    figure.then_some((at.saturating_sub(1)..at, Cow::Borrowed(with)))
}

/// `Whether we go or not` is `whether we go`.
fn or_not(words: &[Word<'_>], at: usize) -> Option<(Range<usize>, Cow<'static, str>)> {
    let end = matched(words, at, "or not")?;
    let ends = words.get(end).is_none_or(|word| word.border > Border::None);
    let asked = before(words, at, 12).any(|word| word.key == "whether");
    (ends && asked).then_some((at..end, Cow::Borrowed("")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phrases_are_sorted_and_none_begins_another() {
        let begins = |pair: &[(&str, &str)]| pair[1].0.starts_with(&format!("{} ", pair[0].0));
        assert!(PHRASES.is_sorted() && !PHRASES.windows(2).any(begins));
    }

    #[test]
    fn equal_duties_permissions_and_conditions_read_alike() {
        for (text, expected) in [
            ("The tool is able to read it.", "The tool can read it."),
            ("They were not able to come.", "They could not come."),
            ("We are unable to pay.", "We can not pay."),
            ("He is also permitted to leave.", "He may also leave."),
            ("She isn't allowed to leave.", "She may not leave."),
            ("The buyer has the right to cancel.", "The buyer may cancel."),
            ("You have to pay; it needs to stop.", "You must pay; it must stop."),
            ("The seller shall deliver.", "The seller must deliver."),
            ("In the event that it fails, stop.", "if it fails, stop."),
            ("Should you have questions, write.", "if you have questions, write."),
            ("If you should have questions, write.", "If you have questions, write."),
            ("No more than 5, not later than May.", "at most 5, no later than May."),
            ("It took about 20 minutes.", "It took approximately 20 minutes."),
            ("The buyer shall not be entitled to a refund.", "The buyer may not a refund."),
            ("You are not required to pay, they don't have to.", "You need not pay, they need not."),
            ("It holds up to a maximum of 5.", "It holds at most 5."),
        ] {
            assert_eq!(plain(text), expected);
        }
    }

    #[test]
    fn what_only_looks_alike_stays() {
        for text in [
            "The duty to pay is not one.",
            "Should you pay?",
            "Ask if we should deploy.",
            "Unless they agree, it ends.",
            "He was required to pay.",
            "The talk was about money.",
            "It is able, to be fair.",
        ] {
            assert!(matches!(plain(text), Cow::Borrowed(_)), "{text}: {}", plain(text));
        }
    }
}
