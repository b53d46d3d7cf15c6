//! Passages that whoever wrote a text marks in it to be kept byte for byte: `<headroom:exact>…</headroom:exact>`.
//!
//! An opening tag and the closing one that comes next, with no tag between them, are a pair; every other tag is text like
//! any other. A pair survives condensing whole, so what is left has the same pairs, whatever else went.

use std::{borrow::Cow, ops::Range, sync::LazyLock};

use memchr::memmem::Finder;

/// The text without the tags of its pairs, as it is sent on.
#[must_use]
pub fn untagged(text: &str) -> Cow<'_, str> {
    let mut plain = String::new();
    let mut done = 0;
    for pair in pairs(text) {
        let inner = pair.start + OPEN.len()..pair.end - CLOSE.len();
        plain.extend([text.get(done..pair.start), text.get(inner)].into_iter().flatten());
        done = pair.end;
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    plain.extend(text.get(done..));
    Cow::Owned(plain)
}

/// Whether a text has a pair.
#[must_use]
pub fn is_tagged(text: &str) -> bool {
    pairs(text).next().is_some()
}

/// The spans that stay because of a pair, in order: its lines, where it has them for itself. Where it stands within a
/// line it is its paragraph, for what is around it may be the rest of its sentence.
pub(in crate::compress) fn passages(text: &str) -> Vec<Range<usize>> {
    let mut passages: Vec<Range<usize>> = Vec::new();
    for pair in pairs(text) {
        let before = text.get(..pair.start).unwrap_or_default();
        let after = text.get(pair.end..).unwrap_or_default();
        let line = before.rfind('\n').map_or(0, |at| at + 1)..pair.end + after.find('\n').unwrap_or(after.len());
        let alone = [line.start..pair.start, pair.end..line.end];
        let alone = alone.into_iter().all(|rest| text.get(rest).is_none_or(|rest| rest.trim().is_empty()));
        let span = if alone {
            line
        } else {
            before.rfind("\n\n").map_or(0, |at| at + 2)..pair.end + after.find("\n\n").unwrap_or(after.len())
        };
        // The white space before it ends nothing of what goes.
        let start = text.get(..span.start).unwrap_or_default().trim_end().len();
        match passages.last_mut().filter(|last| last.end >= start) {
            Some(last) => last.end = last.end.max(span.end),
            None => passages.push(start..span.end),
        }
    }
    passages
}

/// The pairs, tags included, in order.
fn pairs(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut open = None;
    FINDER.find_iter(text.as_bytes()).filter_map(move |at| {
        let before = text.get(..at)?;
        let end = at + NAME.len();
        if before.ends_with("</") {
            return open.take().map(|start| start..end);
        }
        if before.ends_with('<') {
            open = Some(at - 1);
        }
        None
    })
}

const OPEN: &str = "<headroom:exact>";
const CLOSE: &str = "</headroom:exact>";
/// What both have, so that one search finds them.
const NAME: &[u8] = b"headroom:exact>";
/// Made once: most texts are shorter than making it takes.
static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(NAME));

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_tags_of_pairs_go_and_all_others_stay() {
        let tagged = |text: &str| text.replace("[", OPEN).replace("]", CLOSE);
        for (text, plain) in [
            ("", ""),
            ("a [b] c", "a b c"),
            ("[a][b]", "ab"),
            ("[a", "[a"),
            ("a] b", "a] b"),
            ("a] [b", "a] [b"),
            ("[a [b] c] d", "[a b c] d"),
            ("[é]\n[]", "é\n"),
        ] {
            assert_eq!(untagged(&tagged(text)), tagged(plain), "{text}");
        }
        assert_eq!(untagged("<headroom:exact >a</headroom:exact>"), "<headroom:exact >a</headroom:exact>");
    }

    #[test]
    fn a_passage_is_its_lines_or_the_paragraph_that_it_stands_in() {
        let passages = |text: &str| -> Vec<String> {
            let text = text.replace("[", OPEN).replace("]", CLOSE);
            passages(&text).into_iter().filter_map(|span| text.get(span)).map(untagged).map(Cow::into_owned).collect()
        };
        assert_eq!(passages("one\n[two\nthree]\nfour"), ["\ntwo\nthree"]);
        assert_eq!(passages("one\n\ntwo [three] four\nfive\n\nsix"), ["\n\ntwo three four\nfive"]);
        assert_eq!(passages("one\n\n[two] and [three]\n\nsix"), ["\n\ntwo and three"]);
        assert_eq!(passages("one"), [""; 0]);
    }

    proptest! {
        #[test]
        fn whatever_stands_in_a_text_its_passages_are_apart_and_hold_every_pair(
            parts in prop::collection::vec(prop::sample::select(vec![OPEN, CLOSE, "a", "é", "\n", " ", "<", "/"]), 0..24),
        ) {
            let text = parts.concat();
            let passages = passages(&text);
            prop_assert!(passages.windows(2).all(|two| two[0].end < two[1].start));
            for pair in pairs(&text) {
                prop_assert!(passages.iter().any(|span| span.start <= pair.start && pair.end <= span.end));
            }
            let less = text.len() - untagged(&text).len();
            prop_assert_eq!(less, pairs(&text).count() * (OPEN.len() + CLOSE.len()));
            prop_assert_eq!(is_tagged(&text), less > 0);
        }
    }
}
