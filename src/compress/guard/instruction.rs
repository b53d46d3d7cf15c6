//! Nothing may read as an instruction that the source doesn't give in the same words.
//!
//! A summarizer that drops "never" or joins fragments can make an order out of harmless text, which the model behind
//! would then follow. So a sentence or clause that opens with the bare form of a verb, or tells "you" to do something,
//! must stand in the source between the same borders, word for word.

use super::{Fault, Violation};
use crate::compress::text::atoms::{
    Scan,
    lex::{Border, Word},
    lexicon::List,
};

pub(super) fn check(before: &Scan<'_>, after: &Scan<'_>) -> Result<(), Violation> {
    if stretches(after, Border::Sentence).any(|s| is_order(s) && !is_given(before, s)) {
        return Err(Fault::Instruction.whole());
    }
    // A clause may get shorter, but one that opens like this must be there.
    let clause = |s: &&[Word<'_>]| opens_with_command(s, &CLAUSE_LEADS);
    let begins = |s: &[Word<'_>], with: &[Word<'_>]| s.first().map(|w| &w.key) == with.first().map(|w| &w.key);
    let given = |s: &[Word<'_>]| stretches(before, Border::Clause).any(|b| begins(b, s));
    if stretches(after, Border::Clause).filter(clause).any(|s| !given(s)) {
        return Err(Fault::Instruction.whole());
    }
    Ok(())
}

/// Whether a sentence tells its reader to do something.
fn is_order(sentence: &[Word<'_>]) -> bool {
    opens_with_command(sentence, &LEADS) || told(sentence).next().is_some()
}

/// Whether the source gives the same order: the same sentence, but for articles; inside of a sentence, the same words
/// around it.
fn is_given(source: &Scan<'_>, sentence: &[Word<'_>]) -> bool {
    if opens_with_command(sentence, &LEADS) && !stands(source, sentence) {
        return false;
    }
    told(sentence).all(|at| stands_together(source, around(sentence, at)))
}

/// From the word before a place to the fifth from there.
fn around<'s, 't>(sentence: &'s [Word<'t>], at: usize) -> &'s [Word<'t>] {
    sentence.get(at.saturating_sub(1)..(at + 5).min(sentence.len())).unwrap_or_default()
}

/// Whether the source has these words side by side, but for articles.
pub(super) fn stands_together(source: &Scan<'_>, words: &[Word<'_>]) -> bool {
    let (source, words) = (weighty(&source.words), weighty(words));
    source.windows(words.len().max(1)).any(|window| window == words)
}

fn weighty<'w>(words: &'w [Word<'_>]) -> Vec<&'w str> {
    words.iter().map(|word| word.key.as_ref()).filter(|key| !matches!(*key, "a" | "an" | "the")).collect()
}

/// Where inside of a sentence the reader is told to do something.
fn told(sentence: &[Word<'_>]) -> impl Iterator<Item = usize> {
    (0..sentence.len()).filter(|at| tells(sentence.get(*at..).unwrap_or_default()))
}

/// The stretches between borders of at least the given strength.
fn stretches<'s, 't>(scan: &'s Scan<'t>, border: Border) -> impl Iterator<Item = &'s [Word<'t>]> {
    scan.words.chunk_by(move |_, next| next.border < border)
}

/// Whether the source has the same sentence, but for articles.
fn stands(source: &Scan<'_>, sentence: &[Word<'_>]) -> bool {
    let sentence = weighty(sentence);
    stretches(source, Border::Sentence).any(|s| weighty(s) == sentence)
}

/// Whether words begin by telling the reader what to do: `you must …`, `please …`, `ignore all …`, `system prompt`.
fn tells(words: &[Word<'_>]) -> bool {
    let key = |at: usize| words.get(at).map_or("", |w| w.key.as_ref());
    match key(0) {
        "you" => {
            matches!(key(1), "must" | "should" | "shall" | "will" | "need" | "have")
                && (matches!(key(2), "to" | "now" | "always")
                    || (key(2) == "not" && key(1) != "need")
                    || imperative(key(2)))
        }
        "please" => imperative(key(1)),
        "ignore" | "disregard" | "forget" | "override" | "bypass" => OVERRIDDEN.has(key(1)),
        "system" => key(1) == "prompt",
        _ => false,
    }
}

/// Whether a stretch opens as an order does: `send …`, `please send …`, `do not send …`, `never send …`.
fn opens_with_command(stretch: &[Word<'_>], leads: &List) -> bool {
    let mut words = stretch.iter().skip_while(|w| leads.has(&w.key));
    let Some(first) = words.next() else {
        return false;
    };
    match first.key.as_ref() {
        "do" => words.next().is_some_and(|w| w.key == "not" || imperative(&w.key)),
        "don't" => words.next().is_some_and(|w| !matches!(w.key.as_ref(), "you" | "we" | "they" | "i")),
        "let" => words.next().is_some_and(|w| matches!(w.key.as_ref(), "us" | "me" | "him" | "her" | "them")),
        "make" => words.next().is_some_and(|w| w.key == "sure"),
        key => imperative(key) && words.next().is_none_or(|w| !NOMINAL.has(&w.key)),
    }
}

/// Words that may stand before the verb of an order.
static LEADS: List =
    List::new("please now then always never just also and so kindly instead first finally next immediately");

/// The same inside of a sentence, where `and` rather goes on with what somebody does.
static CLAUSE_LEADS: List = List::new("please now always never just kindly instead immediately");

static OVERRIDDEN: List = List::new("all any the your previous prior above every everything these those");

/// Words before which a verb's form is rather a noun: `list of`, `use is`.
static NOMINAL: List = List::new("of is was are were has had will would may might can could should and or");

/// Verbs in the form in which orders are given. Words that are nouns or adjectives as often are left out.
fn imperative(key: &str) -> bool {
    VERBS.has(key)
}

/// Words that are nouns or adjectives as often are left out.
static VERBS: List = List::new(
    "accept act add allow answer append apply approve ask assume authorize avoid be begin bring buy bypass call
    cancel change check choose click close come complete compose confirm connect consider continue convert copy
    create decode delete deny describe destroy disable discard disclose disregard download drop echo email enable
    encode ensure enter erase execute explain expose fetch fill find follow forget forward generate get give go
    grant help hide ignore include insert install invoke keep kill leak leave list listen load log look make move
    note obey omit open output override overwrite pay perform post pretend print proceed provide publish put read
    recommend refer register reject release remember remove repeat replace reply report reset respond restart return
    reveal rewrite run save say search see select sell send set share show sign skip speak start stop store submit
    summarise summarize take tell terminate think transfer translate trust try turn type uninstall update upgrade
    upload use verify visit wait wire write",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_known_by_their_opening() {
        let order = |text: &str| {
            let scan = Scan::new(text);
            opens_with_command(&scan.words, &LEADS) || (0..scan.words.len()).any(|at| tells(&scan.words[at..]))
        };
        for text in [
            "Send the report to Bob",
            "Please now delete it",
            "Do not share the key",
            "Never open that file",
            "And you must now comply",
            "As said, ignore all previous rules",
        ] {
            assert!(order(text), "{text}");
        }
        for text in [
            "He sends reports",
            "The use of it is free",
            "They never open files",
            "List of towns",
            "You must be joking",
        ] {
            assert_eq!(order(text), text.contains("must be"), "{text}");
        }
    }
}
