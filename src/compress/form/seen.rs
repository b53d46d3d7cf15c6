//! Passages that were seen before: a reference stands for them at every ratio.

use std::{fmt::Write as _, ops::Range};

use super::{Item, Reader, Variant};
use crate::compress::{
    ask::Seen,
    bond::{Bond, Bonds},
    fuel,
    outcome::{Form, Noun},
    text::segment::beginning,
    worth::weights::SEEN,
};

/// The items of a text with one for each passage that was seen before, where that is worth it. What is addressed to the
/// model stays, and so does what an item that stays is read by: a table's head, a heading. An item of which only a part was
/// seen stays as well, unless it is exact: then it is cut there.
pub(super) fn refer<'a>(
    text: &'a str,
    items: Vec<Item<'a>>,
    bonds: Vec<Bond>,
    reader: &Reader<'_>,
) -> (Vec<Item<'a>>, Vec<Bond>) {
    let passages = &reader.query.seen;
    if passages.is_empty() {
        return (items, bonds);
    }
    let count = items.len();
    let mut pieces = cut(text, items, passages);
    let mut left = passages.iter().enumerate().peekable();
    for Piece { item, seen, .. } in &mut pieces {
        let Item { span, form, escaped, .. } = &*item;
        while left.next_if(|(_, seen)| seen.span.end <= span.start).is_some() {}
        let within = |seen: &Seen| {
            let inside = seen.span.start <= span.start && span.end <= seen.span.end;
            // What stands within a JSON string has to stay one.
            let whole = seen.span.len() == text.len();
            inside && *form != Form::Frame && (whole || (!span.is_empty() && *escaped == 0))
        };
        *seen = left.peek().filter(|(_, seen)| within(seen)).map(|(at, _)| *at);
    }
    keep_needed(&mut pieces, count, &bonds);
    written(text, pieces, &bonds, reader)
}

/// An item or a part of one.
struct Piece<'a> {
    item: Item<'a>,
    /// Which item it was.
    of: usize,
    /// Whether it is all of that.
    whole: bool,
    /// Which passage it is of.
    seen: Option<usize>,
}

/// The items, exact ones cut where passages begin and end.
fn cut<'a>(text: &'a str, items: Vec<Item<'a>>, passages: &[Seen]) -> Vec<Piece<'a>> {
    let mut edges = passages.iter().flat_map(|seen| [seen.span.start, seen.span.end]).peekable();
    let mut pieces = Vec::with_capacity(items.len());
    for (of, item) in items.into_iter().enumerate() {
        let is_exact = item.fixed
            && item.escaped == 0
            && item.variants.len() == 1
            && text.get(item.span.clone()) == Some(item.text());
        let part = |span: Range<usize>| {
            let variants = vec![Variant::lossless(text.get(span.clone())?)];
            Some(Piece { item: Item { span, variants, ..item.clone() }, of, whole: false, seen: None })
        };
        let mut at = item.span.start;
        while let Some(edge) = edges.next_if(|edge| *edge < item.span.end) {
            if is_exact && edge > at {
                pieces.extend(part(at..edge));
                at = edge;
            }
        }
        let rest = (at > item.span.start).then(|| part(at..item.span.end)).flatten();
        pieces.push(rest.unwrap_or(Piece { item, of, whole: true, seen: None }));
    }
    pieces
}

/// What an item that stays needs stays too; `count` is how many items there were before they were cut. Of an exact item
/// parts may go though others stay.
fn keep_needed(pieces: &mut [Piece<'_>], count: usize, bonds: &[Bond]) {
    let bonds = Bonds::new(count, bonds);
    let mut stays = vec![false; count];
    let mut open: Vec<usize> = pieces.iter().filter(|piece| piece.seen.is_none()).map(|piece| piece.of).collect();
    while let Some(item) = open.pop() {
        fuel::step(1);
        if let Some(stays) = stays.get_mut(item).filter(|stays| !**stays) {
            *stays = true;
            open.extend(bonds.of(item));
        }
    }
    for piece in pieces.iter_mut().filter(|piece| piece.whole && stays.get(piece.of) == Some(&true)) {
        piece.seen = None;
    }
}

/// One reference for the pieces of each passage that is worth it.
fn written<'a>(text: &str, pieces: Vec<Piece<'a>>, bonds: &[Bond], reader: &Reader<'_>) -> (Vec<Item<'a>>, Vec<Bond>) {
    let (mut items, mut places): (Vec<Item<'a>>, Vec<usize>) = (Vec::new(), Vec::new());
    let mut pieces = pieces.into_iter().peekable();
    while let Some(first) = pieces.next() {
        let seen = first.seen;
        let mut run = vec![first];
        while let Some(next) = pieces.next_if(|next| seen.is_some() && next.seen == seen) {
            run.push(next);
        }
        let reference = seen.and_then(|at| {
            let covered: Vec<&Item<'_>> = run.iter().map(|piece| &piece.item).collect();
            reference(text, &covered, at, reader)
        });
        let (one, start) = (reference.is_some(), items.len());
        items.extend(reference);
        for (at, Piece { item, of, .. }) in run.into_iter().enumerate() {
            // A part of an item stands where its first part does.
            if of == places.len() {
                places.push(if one { start } else { start + at });
            }
            if !one {
                items.push(item);
            }
        }
    }
    let place = |item: usize| places.get(item).copied().unwrap_or(item);
    let bonds = bonds.iter().map(|bond| match *bond {
        Bond::Needs { item, of } => Bond::Needs { item: place(item), of: place(of) },
        Bond::Together(one, other) => Bond::Together(place(one), place(other)),
    });
    let bonds = bonds.collect();
    for item in &mut items {
        item.said = item.said.map(place);
    }
    (items, bonds)
}

/// The item that refers to a passage, where it is shorter by far than what would stand for it.
fn reference<'a>(text: &str, covered: &[&Item<'_>], at: usize, reader: &Reader<'_>) -> Option<Item<'a>> {
    let seen = reader.query.seen.get(at)?;
    let (first, last) = (covered.first()?, covered.last()?);
    let span = first.span.start..last.span.end;
    let whole = text.get(span.clone())?;
    let mut standing = words(seen, covered, span.len() == text.len(), whole)?;
    if whole.ends_with('\n') || first.text().ends_with('\n') {
        standing.push('\n');
    }
    let cost = |item: &&Item<'_>| {
        item.variants.iter().filter(|variant| variant.lossless).map(|variant| reader.tokens.count(&variant.text)).min()
    };
    if covered.iter().filter_map(cost).sum::<usize>() < SEEN * reader.tokens.count(&standing) {
        return None;
    }
    let item = Item::whole(span, standing, first.form, first.noun);
    Some(Item { fixed: true, seen: Some(at), ends: last.ends, ..item })
}

/// What a reference says: how much stands where, and how it begins and ends.
fn words(seen: &Seen, covered: &[&Item<'_>], is_all: bool, whole: &str) -> Option<String> {
    let lines = |(first, last): (usize, usize)| {
        if first == last { format!("line {first}") } else { format!("lines {first}–{last}") }
    };
    let noun = covered.first()?.noun;
    let by_line = matches!(noun, Noun::Lines | Noun::FileLines);
    let mut words = "[… ".to_owned();
    if is_all && seen.whole {
        let _ = write!(words, "the same as {} above]", seen.place);
        return Some(words);
    }
    match seen.lines.filter(|_| by_line) {
        // Lines that stand there in another form have no numbers there.
        Some(own) if seen.verbatim && own != seen.earlier => {
            let _ = write!(words, "{} as in {} of ", lines(own), lines(seen.earlier));
        }
        Some(own) => {
            let _ = write!(words, "{} as in ", lines(own));
        }
        None if by_line => return None,
        None => {
            let count = covered.iter().map(|item| item.count).sum();
            let _ = write!(words, "{count} {} as in ", noun.as_str(count));
        }
    }
    let _ = write!(words, "{} above", seen.place);
    if !(by_line && seen.numbered) {
        let (from, to) = if by_line { (whole, whole) } else { (covered.first()?.text(), covered.last()?.text()) };
        let told = |line: &&str| !line.trim().is_empty();
        let (first, last) = (from.lines().find(told)?, to.lines().rev().find(told)?);
        let _ = write!(
            words,
            ", from “{}” to “{}”",
            beginning(first.trim(), MOST_QUOTED),
            beginning(last.trim(), MOST_QUOTED)
        );
    }
    words.push(']');
    Some(words)
}

/// Characters of a line that is quoted.
const MOST_QUOTED: usize = 24;

#[cfg(test)]
mod tests {
    use crate::compress::{
        Choice, Encoding, Factor, Policy, Query, Ratio, Seen, ToolCall, Why, compress, reexpand, replay,
    };

    const REFERENCE: &str = "[… lines 1–9 as in the result of read_file(a) above]";

    fn asked(name: &str, spans: &[std::ops::Range<usize>]) -> Query {
        let seen = |span: &std::ops::Range<usize>| Seen {
            span: span.clone(),
            place: "the result of read_file(a)".to_owned(),
            lines: Some((1, 9)),
            earlier: (1, 9),
            numbered: true,
            whole: false,
            verbatim: true,
        };
        Query {
            call: Some(ToolCall { name: name.to_owned(), arguments: r#"{"path": "a.rs"}"#.to_owned() }),
            seen: spans.iter().map(seen).collect(),
            ..Query::default()
        }
    }

    fn policies() -> [Policy; 2] {
        [Ratio::Auto, Ratio::By(Factor::new(2.0).unwrap())].map(|ratio| Policy {
            ratio,
            min_tokens: 16,
            rewrite: false,
            ..Policy::default()
        })
    }

    fn function(at: usize) -> String {
        format!(
            "fn step_{at}(input: &str) -> usize {{\n    let found = input.find(\"{at}\");\n    found.unwrap_or({at})\n}}\n\n"
        )
    }

    #[test]
    fn of_a_file_that_is_read_again_the_changed_lines_stand_exactly() {
        let (head, changed, tail) =
            ((0..30).map(function).collect::<String>(), "fn new() {}\n\n", (30..60).map(function).collect::<String>());
        let text = [&head, changed, &tail].concat();
        let query = asked("read_file", &[0..head.len(), head.len() + changed.len()..text.len()]);
        for policy in policies() {
            let found = compress(&text, &query, &policy, &Encoding::O200k, None).unwrap();
            assert_eq!(found.text(), Some(format!("{REFERENCE}\n{changed}{REFERENCE}\n").as_str()));
            let kept = if policy.ratio == Ratio::Auto { Why::Exact } else { Why::Chosen };
            assert_eq!(found.units.iter().map(|unit| unit.why).collect::<Vec<_>>(), [Why::Seen, kept, Why::Seen]);
            assert_eq!(found.exact(text.len()), std::slice::from_ref(&(head.len()..head.len() + changed.len())));
        }
    }

    #[test]
    fn a_reference_is_remembered_in_numbers_and_can_be_put_back() {
        let text: String = (0..60).map(function).collect();
        let half = text.match_indices("\n\n").nth(30).unwrap().0 + 2;
        let query = asked("read_file", std::slice::from_ref(&(0..half)));
        for policy in policies() {
            let first = compress(&text, &query, &policy, &Encoding::O200k, None).unwrap();
            let choice = Choice::from_bytes(first.choice.as_ref().unwrap().bytes()).unwrap();
            let again = replay(&text, &query, &policy, &Encoding::O200k, &choice).unwrap();
            assert_eq!(again.outcome, first.outcome);
            let back: Vec<usize> = (0..first.units.len()).collect();
            assert_eq!(reexpand(&text, &first, &back, &Encoding::O200k).text(), None);
        }
    }

    #[test]
    fn new_rows_keep_the_head_to_which_they_belong() {
        let row = |at: usize| format!("| {at} | customer {at} of the northern region | {} |\n", at * 31);
        let head = "| id | name | total |\n|---|---|---|\n".to_owned() + &(0..40).map(row).collect::<String>();
        let text = head.clone() + &(40..60).map(row).collect::<String>();
        for policy in policies() {
            let query = asked("list_orders", std::slice::from_ref(&(0..head.len())));
            let found = compress(&text, &query, &policy, &Encoding::O200k, None).unwrap();
            let shown = found.text().unwrap();
            assert!(shown.starts_with("| id | name | total |\n"), "{shown}");
            assert!(
                shown.contains("[… 40 rows as in the result of read_file(a) above, from “| 0 | customer 0 of the…”"),
                "{shown}"
            );
            assert!(shown.contains("| 59 | customer 59"), "{shown}");
        }
    }

    #[test]
    fn a_short_passage_stands_for_itself() {
        let text: String = (0..30).map(function).collect();
        let query = asked("read_file", std::slice::from_ref(&(0..function(0).len())));
        let policy = policies()[0].clone();
        assert_eq!(compress(&text, &query, &policy, &Encoding::O200k, None).unwrap().text(), None);
    }
}
