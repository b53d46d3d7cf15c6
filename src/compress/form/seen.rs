//! Passages that were seen before: a reference stands for them at every ratio.

use super::{Item, Reader, Variant};
use crate::compress::{
    ask::Seen,
    bond::Bond,
    outcome::{Form, Noun},
    worth::weights::SEEN,
};

/// The items of a text with one for each passage that was seen before, where that is worth it. What is addressed to the
/// model stays. So does an item of which only a part was seen, unless it is exact: then it is cut there.
pub(super) fn refer<'a>(
    text: &'a str,
    items: Vec<Item<'a>>,
    bonds: Vec<Bond>,
    reader: &Reader<'_>,
) -> (Vec<Item<'a>>, Vec<Bond>) {
    if reader.query.seen.is_empty() {
        return (items, bonds);
    }
    let mut page = Page::default();
    let mut passages = reader.query.seen.iter().enumerate().peekable();
    for item in cut(text, items, &reader.query.seen) {
        while passages.next_if(|(_, seen)| seen.span.end <= item.piece.span.start).is_some() {}
        let within = |seen: &Seen| seen.span.start <= item.piece.span.start && item.piece.span.end <= seen.span.end;
        let seen = passages.peek().filter(|(_, seen)| item.piece.form != Form::Frame && within(seen));
        page.add(item, seen.map(|(at, _)| *at));
    }
    page.finish(text, &bonds, reader)
}

/// An item or a part of one, and which it was.
struct Piece<'a> {
    piece: Item<'a>,
    of: usize,
}

/// The items, exact ones cut where passages begin and end.
fn cut<'a>(text: &'a str, items: Vec<Item<'a>>, passages: &[Seen]) -> Vec<Piece<'a>> {
    let mut edges = passages.iter().flat_map(|seen| [seen.span.start, seen.span.end]).peekable();
    let mut pieces = Vec::with_capacity(items.len());
    for (of, item) in items.into_iter().enumerate() {
        let is_exact = item.fixed && item.variants.len() == 1 && text.get(item.span.clone()) == Some(item.text());
        let mut at = item.span.start;
        while let Some(edge) = edges.next_if(|edge| *edge < item.span.end) {
            if is_exact
                && edge > at
                && let Some(part) = text.get(at..edge)
            {
                pieces.push(Piece {
                    piece: Item { span: at..edge, variants: vec![Variant::lossless(part)], ..item.clone() },
                    of,
                });
                at = edge;
            }
        }
        let rest = text.get(at..item.span.end).filter(|_| at > item.span.start);
        let piece = match rest {
            Some(rest) => Item { span: at..item.span.end, variants: vec![Variant::lossless(rest)], ..item },
            None => item,
        };
        pieces.push(Piece { piece, of });
    }
    pieces
}

/// Items as they come out, and where each of the former ones is among them.
#[derive(Default)]
struct Page<'a> {
    items: Vec<Item<'a>>,
    /// Of each item which passage it is of.
    seen: Vec<Option<usize>>,
    /// Of each item which it was before it was cut.
    of: Vec<usize>,
}

impl<'a> Page<'a> {
    fn add(&mut self, Piece { piece, of }: Piece<'a>, seen: Option<usize>) {
        self.items.push(piece);
        self.seen.push(seen);
        self.of.push(of);
    }

    /// One reference for the items of each passage that is worth it.
    fn finish(self, text: &'a str, bonds: &[Bond], reader: &Reader<'_>) -> (Vec<Item<'a>>, Vec<Bond>) {
        let mut items: Vec<Item<'a>> = Vec::new();
        let mut places: Vec<usize> = Vec::new();
        let mut rest = self.items.into_iter().zip(self.of);
        for run in self.seen.chunk_by(|a, b| a.is_some() && a == b) {
            let run_of: Vec<_> = rest.by_ref().take(run.len()).collect();
            let reference = run.first().copied().flatten().and_then(|at| {
                let (from, to) = run_of.first().zip(run_of.last())?;
                let span = from.0.span.start..to.0.span.end;
                reference(text.get(span)?, &from.0, to.0.span.end, at, reader)
            });
            let one = reference.is_some();
            let first = items.len();
            for (at, (item, of)) in run_of.into_iter().enumerate() {
                let place = if one { first } else { first + at };
                // A part of an item stands where its first part does.
                if of == places.len() {
                    places.push(place);
                }
                if !one {
                    items.push(item);
                }
            }
            items.extend(reference);
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
}

/// The item that refers to a passage, where it is shorter by far than what it stands for.
fn reference<'a>(whole: &str, first: &Item<'a>, end: usize, at: usize, reader: &Reader<'_>) -> Option<Item<'a>> {
    let standing = reader.query.seen.get(at)?.standing(whole);
    if reader.tokens.count(whole) < SEEN * reader.tokens.count(&standing) {
        return None;
    }
    let item = Item::whole(first.span.start..end, standing, first.form, Noun::Lines);
    Some(Item { fixed: true, seen: Some(at), ..item })
}

#[cfg(test)]
mod tests {
    use crate::compress::{
        Choice, Encoding, Factor, Policy, Query, Ratio, Seen, ToolCall, Why, compress, reexpand, replay,
    };

    const REFERENCE: &str = "[… lines as in the result of read_file(a) above]";

    fn asked(name: &str, spans: &[std::ops::Range<usize>]) -> Query {
        let seen = |span: &std::ops::Range<usize>| Seen { span: span.clone(), reference: REFERENCE.to_owned() };
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
            assert!(shown.starts_with(REFERENCE) && shown.contains("| 59 | customer 59"), "{shown}");
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
