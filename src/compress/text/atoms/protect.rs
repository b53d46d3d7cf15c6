//! Which words stand or fall together.

use std::ops::Range;

use super::{
    AtomKind, Scan,
    lex::Border,
    lexicon::{List, conditional, light},
};

/// Ranges of word indices that a reducer keeps whole or drops whole, in order and without overlap.
///
/// A negation or modal word with the statement that it turns (so that dropping "not" alone is impossible), an exception
/// or condition with its clause, a number with its unit and the words that qualify it ("not more than 5 ms"), a comparison
/// with what it compares, a name with its neighbours, a quotation as it is.
pub(crate) fn groups(scan: &Scan<'_>) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = scan
        .found
        .iter()
        .filter(|f| !f.words.is_empty() && f.counts())
        .map(|f| match f.kind {
            AtomKind::Negation | AtomKind::Modal if conditional(&f.key) => f.words.start..clause_end(scan, f.words.end),
            AtomKind::Negation | AtomKind::Modal => subject_verb(scan, f.words.start)..predicate_end(scan, f.words.end),
            AtomKind::Comparative => f.words.start..compared_end(scan, f.words.end),
            AtomKind::Number | AtomKind::Currency | AtomKind::Percentage => qualified(scan, f.words.start)..f.words.end,
            _ => f.words.clone(),
        })
        .collect();
    names(scan, &mut out);
    out.sort_by_key(|r| (r.start, r.end));
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(out.len());
    for range in out {
        match merged.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// Runs of name words with nothing but white space between are one name.
fn names(scan: &Scan<'_>, out: &mut Vec<Range<usize>>) {
    let mut run: Option<Range<usize>> = None;
    for found in scan.found.iter().filter(|f| f.kind == AtomKind::Name) {
        let joined = scan.words.get(found.words.start).is_some_and(|w| w.border == Border::None);
        match &mut run {
            Some(range) if joined && range.end == found.words.start => range.end = found.words.end,
            _ => out.extend(run.replace(found.words.clone())),
        }
    }
    out.extend(run);
}

/// The auxiliary before a negation belongs to it: `did not`, `is never`.
fn subject_verb(scan: &Scan<'_>, at: usize) -> usize {
    static AUXILIARIES: List = List::new(
        "do does did is are was were has have had be been am can could will would shall should may might must need",
    );
    let Some(before) = at.checked_sub(1) else {
        return at;
    };
    let bound = scan.words.get(at).is_some_and(|w| w.border == Border::None);
    let auxiliary = scan.words.get(before).is_some_and(|w| AUXILIARIES.has(w.key.as_ref()));
    if bound && auxiliary { before } else { at }
}

/// Past the first word of weight that follows, within the sentence.
pub(crate) fn predicate_end(scan: &Scan<'_>, from: usize) -> usize {
    for (offset, word) in scan.words.iter().skip(from).enumerate().take(6) {
        if word.border == Border::Sentence {
            return from + offset;
        }
        if !light(&word.key) {
            return from + offset + 1;
        }
    }
    from
}

/// To the end of the clause, at most twelve words.
fn clause_end(scan: &Scan<'_>, from: usize) -> usize {
    let length = scan.words.iter().skip(from).take(12).take_while(|w| w.border == Border::None).count();
    from + length
}

/// `more than five people`: through what follows `than`.
fn compared_end(scan: &Scan<'_>, from: usize) -> usize {
    if scan.words.get(from).is_some_and(|w| w.key == "than" && w.border == Border::None) {
        predicate_end(scan, from + 1)
    } else {
        from
    }
}

/// The words before a number that say how it is meant.
fn qualified(scan: &Scan<'_>, at: usize) -> usize {
    static QUALIFIERS: List = List::new(
        "not no more less fewer than at least most up to about over under above below nearly almost around
        approximately roughly only exactly minus plus within per from between until before after by some another
        further every each",
    );
    let mut start = at;
    while start > 0
        && at - start < 4
        && scan.words.get(start).is_some_and(|w| w.border == Border::None)
        && scan.words.get(start - 1).is_some_and(|w| QUALIFIERS.has(w.key.as_ref()))
    {
        start -= 1;
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(text: &str) -> Vec<&str> {
        let scan = Scan::new(text);
        let span = |group: Range<usize>| scan.words[group.start].span.start..scan.words[group.end - 1].span.end;
        groups(&scan).into_iter().map(|group| text.get(span(group)).unwrap()).collect()
    }

    #[test]
    fn a_negation_holds_on_to_its_statement() {
        assert_eq!(spans("the clerk did not ever share the key with us"), ["did not ever share"]);
        assert_eq!(spans("tenants must pay in advance"), ["must pay"]);
    }

    #[test]
    fn a_number_holds_on_to_what_qualifies_it() {
        assert_eq!(spans("a load of not more than 5 tons each week"), ["not more than 5 tons"]);
        assert_eq!(spans("a load of up to 5 tons"), ["up to 5 tons"]);
    }

    #[test]
    fn an_exception_is_whole() {
        assert_eq!(
            spans("fees are refunded except for late cancellations, and so on"),
            ["except for late cancellations"]
        );
    }

    #[test]
    fn a_name_is_whole() {
        assert_eq!(spans("the court heard Angela Dorothea Merkel, Gerhard"), ["Angela Dorothea Merkel", "Gerhard"]);
    }
}
