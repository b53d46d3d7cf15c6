//! The ladder of a statement: whole, then with one optional constituent less, and so on.

use std::ops::Range;

use super::{optional::Optional, tree::Tree};
use crate::compress::{
    syntax::{Tag, Word},
    text::{
        rarity::rarity,
        word::{is_stop_word, words},
    },
    worth::weights::NAMED,
};

/// A shorter form of a statement and the share of its worth that it keeps.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rung {
    pub(super) text: String,
    pub(super) keeps: f32,
}

/// The forms of a statement, each shorter than the one before. What is worth least for its length goes first.
///
/// `stays` says of a constituent's text, and of whether a name is in it, that it must not go.
pub(super) fn ladder(
    text: &str,
    tree: &Tree<'_>,
    optional: &[Optional],
    stays: impl Fn(&str, bool) -> bool,
) -> Vec<Rung> {
    let worths: Vec<f32> = tree.words.iter().map(|word| worth(text, word)).collect();
    let all: f32 = worths.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    let sum = |words: &Range<usize>, gone: &[bool]| -> (f32, usize) {
        let open = words.clone().filter(|at| !gone.get(*at).copied().unwrap_or(true));
        open.fold((0.0, 0), |(worth, count), at| (worth + worths.get(at).copied().unwrap_or(0.0), count + 1))
    };
    let named = |words: &Range<usize>| words.clone().any(|at| tree.tag(at) == Tag::Name);
    let said =
        |words: &Range<usize>| bytes(text, tree.words, words).and_then(|span| text.get(span)).unwrap_or_default();
    let mut left: Vec<&Optional> = optional.iter().filter(|one| !stays(said(&one.words), named(&one.words))).collect();
    let mut gone = vec![false; tree.words.len()];
    let mut rungs = Vec::new();
    let mut kept = all;
    while rungs.len() < MOST_RUNGS {
        left.retain(|one| sum(&one.words, &gone).1 > 0);
        let density = |one: &Optional| {
            let (worth, count) = sum(&one.words, &gone);
            worth / count as f32
        };
        let Some(next) = (0..left.len()).min_by(|a, b| {
            let of = |at: &usize| left.get(*at).map_or(0.0, |one| density(one));
            of(a).total_cmp(&of(b)).then(a.cmp(b))
        }) else {
            break;
        };
        let one = left.swap_remove(next);
        kept -= sum(&one.words, &gone).0;
        gone.get_mut(one.words.clone()).unwrap_or_default().fill(true);
        rungs.push(Rung { text: without(text, tree.words, &gone), keeps: (kept / all).clamp(0.0, 1.0) });
    }
    rungs
}

/// Forms of one statement: more are hardly ever told apart by a budget.
const MOST_RUNGS: usize = 4;

/// What a word is worth in its statement: how rare it is, and more where it is a name or a number.
fn worth(text: &str, word: &Word) -> f32 {
    let own = text.get(word.span.clone()).unwrap_or_default();
    let rare: f32 = words(own)
        .filter_map(|span| own.get(span))
        .map(str::to_lowercase)
        .filter(|word| !is_stop_word(word))
        .map(|word| rarity(&word))
        .sum();
    let named = matches!(word.tag, Tag::Name | Tag::Number) || own.bytes().any(|byte| byte.is_ascii_digit());
    if named { NAMED * rare } else { rare }
}

/// The bytes of some words, with the white space before them where words stand before.
pub(super) fn bytes(text: &str, words: &[Word], gone: &Range<usize>) -> Option<Range<usize>> {
    let end = words.get(gone.end.checked_sub(1)?)?.span.end;
    match gone.start.checked_sub(1) {
        Some(before) => Some(words.get(before)?.span.end..end),
        None => Some(0..words.get(gone.end).map_or(text.len(), |word| word.span.start)),
    }
}

/// The text without the words that are gone. What begins it then begins with a capital, as it did.
fn without(text: &str, words: &[Word], gone: &[bool]) -> String {
    let mut written = String::with_capacity(text.len());
    let (mut at, mut next) = (0, 0);
    while next < gone.len() {
        let run = gone.iter().skip(next).take_while(|gone| **gone).count();
        if run == 0 {
            next += 1;
            continue;
        }
        if let Some(span) = bytes(text, words, &(next..next + run)) {
            written.push_str(text.get(at..span.start).unwrap_or_default());
            at = span.end;
        }
        next += run;
    }
    written.push_str(text.get(at..).unwrap_or_default());
    let mut rest = written.chars();
    match rest.next() {
        Some(first) if gone.first() == Some(&true) => first.to_uppercase().chain(rest).collect(),
        _ => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::syntax::{Relation, Syntax};

    #[test]
    fn each_rung_is_shorter_and_begins_and_ends_as_a_statement_does() {
        let text = "However, the mayor, Ann Lee, left (at 9).";
        let spans =
            [0..7, 7..8, 9..12, 13..18, 18..19, 20..23, 24..27, 27..28, 29..33, 34..35, 35..37, 38..39, 39..40, 40..41];
        let tags = |at: usize| if matches!(at, 5 | 6) { Tag::Name } else { Tag::Other };
        let words = spans.into_iter().enumerate().map(|(at, span)| Word {
            span,
            head: 8,
            relation: Relation::Other,
            tag: tags(at),
            certain: 1.0,
        });
        let syntax = Syntax { words: words.collect() };
        let tree = Tree::new(&syntax).unwrap();
        let optional = [0..2, 4..8, 9..13].map(|words| Optional { words });
        let forms = |stays: fn(&str, bool) -> bool| -> Vec<String> {
            ladder(text, &tree, &optional, stays).into_iter().map(|rung| rung.text).collect()
        };
        let all = forms(|_, _| false);
        assert_eq!(all.last().map(String::as_str), Some("The mayor left."));
        assert!(all.windows(2).all(|pair| pair[1].len() < pair[0].len()));
        assert_eq!(forms(|_, named| named).last().map(String::as_str), Some("The mayor, Ann Lee, left."));
        assert_eq!(forms(|text, _| text.contains('9')).last().map(String::as_str), Some("The mayor left (at 9)."));
    }
}
