//! Reductions: texts made from their source by leaving words out.

use std::ops::Range;

use super::{Fault, Violation, hostile, instruction};
use crate::compress::text::atoms::{
    AtomKind, Scan,
    lex::{Border, Word},
    lexicon::light,
    protect,
};

/// Checks a text that was made by leaving words out: its words must be words of `source`, in order. It may lose atoms, but
/// whole: a negation or modal word stays with its statement, a number with its unit and the words that qualify it, an
/// exception is kept or dropped whole, no order arises, and nothing is joined across the end of a sentence.
///
/// # Errors
/// The first violation found; [`Fault::Invented`] where `reduced` is no reduction.
pub(super) fn check(source: &str, reduced: &str) -> Result<(), Violation> {
    if source == reduced {
        return Ok(());
    }
    hostile::check(source, reduced)?;
    let (before, after) = (Scan::new(source), Scan::new(reduced));
    let mut stays = vec![false; before.words.len()];
    if !align(&before, &after, &mut stays) {
        return Err(Fault::Invented.whole());
    }
    together(&before, &stays)?;
    instruction::check(&before, &after)?;
    no_joins(&before, &after)
}

/// What stands or falls together does.
fn together(scan: &Scan<'_>, stays: &[bool]) -> Result<(), Violation> {
    if !scan.words.is_empty() && !stays.contains(&true) {
        return Err(Fault::Empty.whole());
    }
    for group in protect::groups(scan) {
        let count = stays.get(group.clone()).unwrap_or_default().iter().filter(|stays| **stays).count();
        if count != 0 && count != group.len() && breaks(scan, stays, &group) {
            return Err(Fault::Changed.of(kind_at(scan, &group)));
        }
    }
    Ok(())
}

/// Whether the words missing from a group matter: light words inside (articles, auxiliaries) may go, unless they turn,
/// bind or count.
fn breaks(scan: &Scan<'_>, stays: &[bool], group: &Range<usize>) -> bool {
    group.clone().filter(|i| !stays.get(*i).copied().unwrap_or(true)).any(|i| {
        let fixed = scan.found.iter().any(|f| f.words.contains(&i));
        let qualifies = scan
            .words
            .get(i)
            .is_some_and(|w| !matches!(w.key.as_ref(), "a" | "an" | "the" | "of" | "be" | "been" | "that" | "some"));
        fixed || qualifies
    })
}

fn kind_at(scan: &Scan<'_>, group: &Range<usize>) -> AtomKind {
    scan.found.iter().find(|f| group.contains(&f.words.start)).map_or(AtomKind::Number, |f| f.kind)
}

/// Marks the words of the source of which the reduction consists; false where it has others.
fn align(before: &Scan<'_>, after: &Scan<'_>, stays: &mut [bool]) -> bool {
    let mut rest = before.words.iter().zip(stays);
    after.words.iter().all(|word| {
        rest.by_ref().find(|(source, _)| source.key == word.key).is_some_and(|(_, stays)| {
            *stays = true;
            true
        })
    })
}

/// A rewrite made by leaving words out joins no fragments of several sentences: each of its sentences comes from one of
/// the source's, or from two with nothing of weight left out between them (`… in 1990. It was …` as `… in 1990 was …`).
pub(super) fn no_joins(before: &Scan<'_>, after: &Scan<'_>) -> Result<(), Violation> {
    let mut whole = vec![false; before.words.len()];
    if !align(before, after, &mut whole) {
        return Ok(());
    }
    let ends = |words: &[Word<'_>]| -> Vec<usize> {
        let starts =
            words.iter().enumerate().filter(|(at, w)| *at > 0 && w.border == Border::Sentence).map(|(at, _)| at);
        starts.chain([words.len()]).collect()
    };
    let sources = ends(&before.words);
    let (mut from, mut start) = (0, 0);
    for end in ends(&after.words) {
        let sentence = after.words.get(start..end).unwrap_or_default();
        start = end;
        let mut begin = from;
        let place = sources.iter().copied().filter(|e| *e > from).find_map(|until| {
            let source = before.words.get(begin..until).unwrap_or_default();
            let first = std::mem::replace(&mut begin, until);
            part_of(sentence, source).then_some(first)
        });
        from = match place {
            Some(at) => at,
            None => joined(before, from, sentence).ok_or(Fault::Joined.whole())?,
        };
    }
    Ok(())
}

fn part_of(words: &[Word<'_>], source: &[Word<'_>]) -> bool {
    let mut rest = source.iter();
    words.iter().all(|word| rest.any(|s| s.key == word.key))
}

/// Where the source goes on behind a sentence that spans several of its own; `None` if anything of weight is missing at
/// a border that it spans.
fn joined(before: &Scan<'_>, from: usize, sentence: &[Word<'_>]) -> Option<usize> {
    let mut at = from;
    let mut begun = false;
    for word in sentence {
        let gap = before.words.get(at..)?.iter().position(|s| s.key == word.key)?;
        let crossing = before.words.get(at..=at + gap)?;
        let crosses = crossing.iter().any(|w| w.border == Border::Sentence);
        let weighs = crossing.split_last().is_some_and(|(_, left)| left.iter().any(|w| !light(&w.key)));
        if begun && crosses && weighs {
            return None;
        }
        (at, begun) = (at + gap + 1, true);
    }
    Some(at)
}
