//! The telegram style, for those who want it: statements without function words, then without their commonest words.
//!
//! Each is a variant beside the whole statement, and the choice takes what pays. What the guard holds together stays
//! together: a negation or a modal word with its verb, a condition with its clause, a number with its unit, a name.

use std::collections::HashSet;

use super::{Item, Variant};
use crate::compress::{
    guard,
    text::{
        atoms::{Scan, protect},
        lexicon::function_word,
        rarity::rarity,
    },
};

/// Gives each statement its shorter variants.
pub(super) fn shorten(items: &mut [Item<'_>]) {
    for item in items.iter_mut().filter(|item| !item.fixed && item.count > 0) {
        let variants: Vec<Variant<'_>> = LEVELS.iter().filter_map(|level| shorter(item.text(), *level)).collect();
        item.variants.extend(variants);
    }
}

/// The rarity in nats up to which words go that nothing holds: function words alone, then common ones too.
const LEVELS: [f32; 2] = [0.0, COMMON];

/// Two words of three of English prose are commoner; see [`rarity`].
const COMMON: f32 = 4.0;

/// The statement without words up to a rarity; nothing where that is no shorter or the guard refuses it.
fn shorter<'a>(text: &str, level: f32) -> Option<Variant<'a>> {
    // A heading is a telegram already.
    if !text.trim_end().ends_with(['.', '!', '?', ';']) {
        return None;
    }
    let scan = Scan::new(text);
    let held = held(&scan);
    let goes = |at: usize, key: &str| {
        at > 0 && !held.contains(&at) && (function_word(key) || rarity(key) < level) && !key.is_empty()
    };
    let (mut short, mut from, mut kept, mut whole) = (String::with_capacity(text.len()), 0, 0.0, 0.0);
    for (at, word) in scan.words.iter().enumerate() {
        let weight = rarity(&word.key);
        whole += weight;
        if goes(at, &word.key) {
            short.push_str(text.get(from..word.span.start)?);
            from = word.span.end;
            // The white space behind a word goes with it.
            from += text.get(from..)?.chars().take_while(|c| *c == ' ').count();
        } else {
            kept += weight;
        }
    }
    short.push_str(text.get(from..)?);
    let stands = short.len() < text.len() && guard::shorter(text, &short).is_ok();
    stands.then(|| Variant::shorter(short, kept / f32::max(whole, f32::MIN_POSITIVE)))
}

/// The words that stay: what stands together, what a number counts, and what relates one number to the next (`99 of every
/// 100`).
fn held(scan: &Scan<'_>) -> HashSet<usize> {
    let mut held: HashSet<usize> = protect::groups(scan).into_iter().flatten().collect();
    let numbers: Vec<usize> = (0..scan.words.len())
        .filter(|at| scan.words.get(*at).is_some_and(|word| word.key.contains(|c: char| c.is_ascii_digit())))
        .collect();
    held.extend(numbers.iter().map(|at| at + 1));
    for pair in numbers.windows(2) {
        if let [one, other] = pair
            && other - one <= APART
        {
            held.extend(*one..*other);
        }
    }
    held
}

/// Words from one number to one that it is related to.
const APART: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::{Form, Noun};

    fn variants(text: &str) -> Vec<String> {
        let mut items = [Item::whole(0..text.len(), text, Form::Prose, Noun::Sentences)];
        shorten(&mut items);
        items[0].variants.iter().skip(1).map(|variant| variant.text.to_string()).collect()
    }

    #[test]
    fn function_words_go_first() {
        let found = variants("The old mill on the ridge was taken apart in the spring by a carpenter. ");
        assert!(found[0].starts_with("The old mill ridge taken apart spring carpenter"), "{found:?}");
    }

    #[test]
    fn negation_modality_condition_and_number_stay_with_what_they_belong_to() {
        for found in
            variants("Tenants must not sublet the flat unless the owner agrees within 14 days of the request. ")
        {
            assert!(found.contains("must not sublet") && found.contains("unless the owner agrees"), "{found}");
            assert!(found.contains("14 days"), "{found}");
        }
        for found in variants("The share is at least 99 of every 100 well-formed requests in the month. ") {
            assert!(found.contains("99 of every 100 well-formed"), "{found}");
        }
    }
}
