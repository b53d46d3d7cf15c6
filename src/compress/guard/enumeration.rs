//! Lists within a sentence keep their length: `pears, plums and figs` is not `pears and figs`.

use super::{Fault, Violation, statements::same_stem};
use crate::compress::atoms::{
    AtomKind, Scan,
    lex::{Border, Word},
    lexicon::function_word,
};

/// An entry of a list of three or more is missing, although others of it are there.
pub(super) fn check(before: &Scan<'_>, after: &Scan<'_>) -> Result<(), Violation> {
    let has = |entry: &&str| after.words.iter().any(|word| word.key == *entry || same_stem(entry, &word.key));
    for at in 0..before.words.len() {
        let entries = entries(&before.words, at);
        let kept = entries.iter().filter(|entry| has(entry)).count();
        if kept > 0 && kept < entries.len() {
            return Err(Fault::Lost.of(AtomKind::Item));
        }
    }
    Ok(())
}

/// The entries of a list whose `and` or `or` stands at `at`, by one word each: single words between commas, and what
/// stands beside them. Longer entries may be clauses, which other checks know better. Fewer than three are no list.
fn entries<'t>(words: &'t [Word<'_>], at: usize) -> Vec<&'t str> {
    let none = Vec::new();
    let Some(word) = words.get(at) else { return none };
    if !matches!(word.key.as_ref(), "and" | "or") {
        return none;
    }
    let tells = |word: &Word<'_>| !function_word(&word.key);
    let Some(last) = words.get(at + 1).filter(|last| last.border == Border::None && tells(last)) else { return none };
    let mut entries = vec![last.key.as_ref()];
    let mut end = at;
    while let Some(entry) =
        end.checked_sub(1).and_then(|at| words.get(at)).filter(|entry| entry.border == Border::Clause)
    {
        if !tells(entry) {
            return none;
        }
        entries.push(entry.key.as_ref());
        end -= 1;
    }
    let Some(first) = end.checked_sub(1).and_then(|first| words.get(first)).filter(|first| tells(first)) else {
        return none;
    };
    entries.push(first.key.as_ref());
    if entries.len() < 3 { none } else { entries }
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
    }

    #[test]
    fn clauses_between_commas_are_no_list() {
        let source = "The mayor, who was tired, went home and slept.";
        assert_eq!(check(&Scan::new(source), &Scan::new("The mayor went home and slept.")), Ok(()));
    }
}
