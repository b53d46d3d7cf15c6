//! Diffs: a hunk stands under its file, a change under its hunk, and no `-` line without its `+` lines.

use super::{
    super::hunk::{Hunk, begins},
    Block, Item, Reader, Reading,
};
use crate::compress::{
    bond::Bond,
    outcome::Noun,
    worth::weights::{OUTLINE, SHORT_DIFF},
};

/// Whether a text begins as a diff does.
pub(super) fn is_diff(text: &str) -> bool {
    let mut lines = text.lines().skip_while(|line| line.trim().is_empty());
    let (first, second) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    begins(first, second) && !first.starts_with('@') || first.starts_with("Index: ")
}

/// What a line of a diff is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Which file; or, before the first one, what the commit says.
    File,
    /// Where in the file.
    Hunk,
    /// What goes and what comes.
    Change,
    /// What stays.
    Context,
}

/// Reads a diff into its headers, changes and stretches of context.
pub(super) fn read<'a>(text: &'a str, block: &Block, reader: &Reader<'_>) -> Reading<'a> {
    let part = text.get(block.span.clone()).unwrap_or_default();
    let mut reading = Reading::default();
    let (mut file, mut hunk, mut kind, mut at) = (None, None, None, block.span.start);
    let (mut left, mut changed) = (Hunk::default(), 0);
    let mut changes = Vec::new();
    for line in part.split_inclusive('\n') {
        let span = at..at + line.len();
        at = span.end;
        let own = match Hunk::of(line) {
            Some(next) => {
                left = next;
                Part::Hunk
            }
            None if line.starts_with('\\') && kind == Some(Part::Change) => Part::Change,
            None if left.is_open() => {
                if left.take(line) {
                    Part::Change
                } else {
                    Part::Context
                }
            }
            None => Part::File,
        };
        changed += usize::from(own == Part::Change);
        let file_begins = own == Part::File && (line.starts_with("diff ") || line.starts_with("Index: "));
        if kind == Some(own) && own != Part::Hunk && !file_begins {
            if let Some(item) = reading.items.last_mut() {
                item.span.end = span.end;
            }
            continue;
        }
        kind = Some(own);
        let item = reading.items.len();
        match own {
            Part::File => (file, hunk) = (Some(item), None),
            Part::Hunk => hunk = Some(item),
            Part::Change => changes.push(item),
            Part::Context => {}
        }
        for of in [file, hunk].into_iter().flatten().filter(|of| *of != item) {
            reading.bonds.push(Bond::Needs { item, of });
        }
        reading.items.push(Item::whole(span, "", block.form, Noun::Lines));
    }
    for item in &mut reading.items {
        let stands = text.get(item.span.clone()).unwrap_or_default();
        let whole = Item::whole(item.span.clone(), stands, block.form, Noun::Lines);
        *item = Item { count: stands.lines().count(), ..whole };
    }
    for at in changes {
        if let Some(item) = reading.items.get_mut(at) {
            item.salience = OUTLINE;
            // The changes are what a diff says.
            item.fixed = changed <= SHORT_DIFF;
        }
    }
    super::keep_asked(&mut reading, reader);
    reading
}
