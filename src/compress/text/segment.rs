//! Cuts prose into atomic information units: headings, list items, speaker turns and sentences; a sentence that is too
//! long is cut at its clauses. The spans concatenate to the text.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::sentence;

mod line;

pub(in crate::compress) use line::{after_label, turn};

/// One atomic information unit of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Byte span, white space after it included.
    pub span: Range<usize>,
    /// What it is.
    pub form: Form,
    /// Which paragraph it belongs to, from 0.
    pub paragraph: usize,
    /// Which passage it belongs to, from 0: a new one starts with a label such as `[3]` or with a heading.
    pub passage: usize,
}

/// What a segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A title over what follows.
    Heading,
    /// An item of a list.
    Item,
    /// Part of a paragraph.
    Sentence,
}

/// Cuts `text` into units.
#[must_use]
pub fn segments(text: &str) -> Vec<Segment> {
    let mut found = Vec::new();
    let (mut paragraph, mut passage) = (0, 0);
    for run in line::runs(text) {
        if run.opens_paragraph && !found.is_empty() {
            paragraph += 1;
        }
        if run.opens_passage && !found.is_empty() {
            passage += 1;
        }
        let Some(inside) = text.get(run.span.clone()) else { continue };
        for part in sentence::split(inside) {
            let span = run.span.start + part.start..run.span.start + part.end;
            found.push(Segment { span, form: run.form, paragraph, passage });
        }
    }
    found
}

/// The first `most` bytes of a text at most, cut between graphemes.
pub(super) fn prefix(text: &str, most: usize) -> usize {
    if text.len() <= most {
        return text.len();
    }
    let rough = text.floor_char_boundary(most);
    // A grapheme of more than a hundred bytes is an attack, not a letter; it is cut.
    let from = text.floor_char_boundary(rough.saturating_sub(100));
    let tail = text.get(from..).unwrap_or_default();
    let inside = tail.grapheme_indices(true).map(|(at, _)| from + at).take_while(|at| *at <= rough).last();
    inside.filter(|at| *at > 0).unwrap_or(rough).max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        segments(text).iter().filter_map(|segment| text.get(segment.span.clone())).collect()
    }

    #[test]
    fn abbreviations_initials_and_numbers_do_not_end_a_sentence() {
        let text = "Dr. J. K. Smith of the U.S. Army paid $3.5 million in No. 7 St. James St. yesterday. He left.";
        assert_eq!(cut(text).len(), 2, "{:?}", cut(text));
    }

    #[test]
    fn the_number_of_a_section_is_no_sentence() {
        let text = "1.3. The deposit is returned in May. 2.10.4. Interest accrues daily.";
        assert_eq!(cut(text).len(), 2, "{:?}", cut(text));
        assert_eq!(cut("## 1. Introduction and purpose\n").len(), 1);
    }

    #[test]
    fn passages_headings_and_items_are_units_of_their_own() {
        let text = "[1] Nobel Prize in Physics\nThe first was awarded in 1901. It went to Röntgen.\n\n[2] Items:\n- one\n- two\n";
        let found = segments(text);
        let forms: Vec<Form> = found.iter().map(|segment| segment.form).collect();
        use Form::{Heading, Item, Sentence};
        assert_eq!(forms, [Heading, Sentence, Sentence, Sentence, Item, Item], "{:?}", cut(text));
        assert_eq!(found.iter().map(|segment| segment.passage).collect::<Vec<_>>(), [0, 0, 0, 1, 1, 1]);
    }

    #[test]
    fn a_hard_wrapped_sentence_is_one_unit() {
        let text = "The parties to this agreement, which was signed in London on the\nfirst of May, agree that it ends. It\nmay be renewed.\n";
        assert_eq!(cut(text).len(), 2, "{:?}", cut(text));
    }

    #[test]
    fn speaker_turns_are_kept_apart() {
        let text = "Grad F: OK .\nPhD C: Adam , what is that ? \nIt is fine .\n";
        assert_eq!(cut(text)[0], "Grad F: OK .\n");
    }

    #[test]
    fn no_unit_is_longer_than_the_most() {
        let text = "word ".repeat(5000) + &"x".repeat(10_000) + &"e\u{301}".repeat(5000);
        assert!(
            cut(&text).iter().all(|unit| unit.len() <= sentence::MOST),
            "{:?}",
            cut(&text).iter().map(|u| u.len()).max()
        );
        assert_eq!(cut(&text).concat(), text);
    }

    proptest! {
        #[test]
        fn units_concatenate_to_the_text(text in "(\\PC|[a-zA-Z .!?\\n\\t:;,\\[\\]0-9#-]){0,300}") {
            prop_assert_eq!(cut(&text).concat(), text);
        }
    }
}
