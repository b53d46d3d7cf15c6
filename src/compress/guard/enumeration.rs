//! Lists within a sentence keep their length: `pears, plums and figs` is not `pears and figs`.

use super::{Fault, Violation, statements::same_stem};
use crate::compress::text::atoms::{
    AtomKind, Scan,
    lex::{Border, Word},
    lexicon::function_word,
};

/// An entry of a list of three or more is missing, although others of it are there.
pub(super) fn check(before: &Scan<'_>, after: &Scan<'_>) -> Result<(), Violation> {
    let lists: Vec<List<'_>> = (0..before.words.len()).filter_map(|at| list(&before.words, at)).collect();
    for list in &lists {
        // Where the list's end stands, its entries stand before it; a word elsewhere is another matter.
        let (length, last) = (list.length, list.last());
        let mut places: Vec<&[Word<'_>]> =
            ends(after, last).filter_map(|and| after.words.get(and.saturating_sub(length)..and + 2)).collect();
        let others = ends(before, last).filter(|and| lists.iter().all(|list| list.and != *and)).count();
        if places.is_empty() {
            places.push(&after.words);
        }
        let whole = |place: &&&[Word<'_>]| {
            lists.iter().filter(|list| list.last() == last).any(|list| list.kept(place) == list.entries.len())
        };
        let (broken, most) = (
            places.len() - places.iter().filter(whole).count(),
            places.iter().map(|place| list.kept(place)).max().unwrap_or(0),
        );
        if most > 0 && broken > others {
            return Err(Fault::Lost.of(AtomKind::Item));
        }
    }
    Ok(())
}

/// Where an `and` or `or` stands with this word behind it.
fn ends<'s>(scan: &'s Scan<'_>, last: &'s str) -> impl Iterator<Item = usize> + 's {
    let ends = move |window: &[Word<'_>]| match window {
        [and, end] => matches!(and.key.as_ref(), "and" | "or") && end.key == last,
        _ => false,
    };
    scan.words.windows(2).enumerate().filter(move |(_, window)| ends(window)).map(|(at, _)| at)
}

/// A list of three entries or more.
struct List<'t> {
    /// Where its `and` or `or` stands.
    and: usize,
    /// By one word each, the last one first.
    entries: Vec<&'t str>,
    /// Words before its `and` that they take.
    length: usize,
}

impl List<'_> {
    fn last(&self) -> &str {
        self.entries.first().copied().unwrap_or_default()
    }

    /// How many of its entries words have, each word for one of them.
    fn kept(&self, words: &[Word<'_>]) -> usize {
        let mut free: Vec<&str> = words.iter().map(|word| word.key.as_ref()).collect();
        let mut has = |entry: &str| {
            let equal = free.iter().position(|word| *word == entry);
            let place = equal.or_else(|| free.iter().position(|word| same_stem(entry, word)));
            place.map(|at| free.swap_remove(at)).is_some()
        };
        self.entries.iter().filter(|entry| has(entry)).count()
    }
}

/// The list whose `and` or `or` stands at `at`: single words between commas, and what stands beside them. Longer entries
/// may be clauses, which other checks know better.
fn list<'t>(words: &'t [Word<'_>], at: usize) -> Option<List<'t>> {
    let word = words.get(at)?;
    if !matches!(word.key.as_ref(), "and" | "or") {
        return None;
    }
    let tells = |word: &Word<'_>| !function_word(&word.key);
    // `and even pets`
    let mut next = words.get(at + 1..)?.iter().take(2).take_while(|word| word.border == Border::None);
    let last = next.find(|word| !matches!(word.key.as_ref(), "even" | "also" | "then")).filter(|word| tells(word))?;
    let mut entries = vec![last.key.as_ref()];
    let mut end = at;
    while let Some(entry) =
        end.checked_sub(1).and_then(|at| words.get(at)).filter(|entry| entry.border == Border::Clause)
    {
        if !tells(entry) {
            return None;
        }
        entries.push(entry.key.as_ref());
        end -= 1;
    }
    // The first entry may be the last word of several, and may be among them already, behind a colon.
    entries
        .extend(end.checked_sub(1).and_then(|at| words.get(at)).filter(|first| tells(first)).map(|w| w.key.as_ref()));
    (entries.len() > 2).then_some(List { and: at, entries, length: at - end + 2 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_kept_whole_or_left_out_whole() {
        let source = "They sold pears, green plums, nuts and figs in May.";
        let checked = |rewrite: &str| check(&Scan::new(source), &Scan::new(rewrite)).is_ok();
        assert!(checked("They sold pears, plums, nuts, and figs in May."));
        assert!(checked("They sold them in May."));
        assert!(!checked("They sold pears, green plums and nuts in May."));
        assert!(!checked("They sold pears, nuts and figs in May."));
        for (source, rewrite) in [
            ("They sold pears, plums and figs, for plums are dear.", "They sold pears and figs, for plums are dear."),
            ("They are: pears, plums and figs.", "They are: pears and figs."),
            ("They sold pears, plums and even figs.", "They sold pears and even figs."),
            ("They came ninth, sixth, sixth and third.", "They came ninth, sixth and third."),
            ("A, pears, plums and figs; B, pears, plums and figs.", "A, pears, plums and figs; B, pears and figs."),
        ] {
            assert!(check(&Scan::new(source), &Scan::new(rewrite)).is_err(), "{rewrite}");
        }
    }

    #[test]
    fn clauses_between_commas_are_no_list() {
        let source = "The mayor, who was tired, went home and slept.";
        assert_eq!(check(&Scan::new(source), &Scan::new("The mayor went home and slept.")), Ok(()));
    }
}
