//! Statements that speak of earlier ones by a number: `Subsection (2) does not bind`, `The three grounds may not be waived`.

use std::collections::HashMap;

use super::bonds::{FURTHEST, LONGEST_LIST, Statement};
use crate::compress::{
    bond::Bond,
    fuel,
    text::lexicon::{count, is_definite},
};

pub(super) fn bind(statements: &[Statement<'_>], bonds: &mut Vec<Bond>) {
    numbered(statements, bonds);
    counted(statements, bonds);
}

/// A statement that speaks of another one by its number, `Subsection (2) does not bind`, needs that one.
fn numbered(statements: &[Statement<'_>], bonds: &mut Vec<Bond>) {
    let mut known: HashMap<(u32, &str), usize> = HashMap::new();
    for statement in statements.iter().filter(|statement| statement.listed && !statement.goes_on) {
        let mark =
            statement.text.split_whitespace().next().filter(|mark| mark.starts_with('(') && mark.len() <= LONGEST_MARK);
        if let Some(mark) = mark {
            known.entry((statement.section, mark)).or_insert(statement.item);
        }
    }
    for statement in statements {
        for (at, _) in statement.text.match_indices(" (") {
            let rest = statement.text.get(at + 1..).unwrap_or_default();
            let rest = rest.get(..rest.floor_char_boundary(LONGEST_MARK)).unwrap_or_default();
            let mark = rest.get(..rest.find(')').map_or(0, |end| end + 1)).unwrap_or_default();
            if let Some(of) = known.get(&(statement.section, mark)).filter(|of| **of != statement.item) {
                bonds.push(Bond::Needs { item: statement.item, of: *of });
            }
        }
    }
}

/// Bytes of a number in brackets by which a statement is spoken of.
const LONGEST_MARK: usize = 5;

/// A count and what it counts, in lower case: `three`, `grounds`.
type Count<'a> = (u32, &'a str);

/// A statement with `the eight days` needs the nearest one before it that counts eight days; where nothing does, the list
/// of so many items above it.
fn counted(statements: &[Statement<'_>], bonds: &mut Vec<Bond>) {
    let words: Vec<Vec<String>> = statements.iter().map(|statement| words(statement.text)).collect();
    for (at, statement) in statements.iter().enumerate() {
        let own = words.get(at).map_or(&[][..], Vec::as_slice);
        for said in own.windows(3).filter_map(definite) {
            let says = |place: &usize| {
                let here = statements.get(*place).is_some_and(|one| one.section == statement.section);
                here && words
                    .get(*place)
                    .is_some_and(|words| words.windows(2).filter_map(counts).any(|one| same(one, said)))
            };
            let needs = |of: &Statement<'_>| Bond::Needs { item: statement.item, of: of.item };
            match (at.saturating_sub(FURTHEST)..at).rev().find(says).and_then(|place| statements.get(place)) {
                Some(of) => bonds.push(needs(of)),
                None => bonds
                    .extend(list_of(statements.get(..at).unwrap_or_default(), statement.section, said.0).map(needs)),
            }
        }
    }
}

/// The words of a statement as they are compared.
fn words(text: &str) -> Vec<String> {
    fuel::step(text.len());
    text.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()).collect()
}

/// `the three grounds`.
fn definite(words: &[String]) -> Option<Count<'_>> {
    let (first, rest) = words.split_first()?;
    is_definite(first).then(|| counts(rest)).flatten()
}

/// `three grounds`; what follows a number is what it counts where it's a word.
fn counts(words: &[String]) -> Option<Count<'_>> {
    let [number, noun, ..] = words else { return None };
    let value = count(number).or_else(|| number.parse().ok()).filter(|value| (2..=MOST_COUNTED).contains(value))?;
    noun.starts_with(char::is_alphabetic).then_some((value, noun))
}

/// Whether both count the same: `zwei Gründen`, `zwei Gründe`.
fn same((one, first): Count<'_>, (other, second): Count<'_>) -> bool {
    let (short, long) = if first.len() < second.len() { (first, second) } else { (second, first) };
    one == other && long.strip_prefix(short).is_some_and(|ending| ending.len() <= LONGEST_ENDING)
}

/// Bytes of an ending of a word by which two forms of it differ.
const LONGEST_ENDING: usize = 2;

/// Things that a text speaks of by their count at most; a higher number is rather a year or a name.
const MOST_COUNTED: u32 = 999;

/// The items of the last list, where there are `value` of them in this section.
fn list_of<'s, 'a>(before: &'s [Statement<'a>], section: u32, value: u32) -> impl Iterator<Item = &'s Statement<'a>> {
    let items = before.iter().rev().take(2 * LONGEST_LIST).filter(|one| one.listed && !one.goes_on);
    let kind = |one: &Statement<'_>| one.text.chars().find(|c| c.is_alphanumeric()).map(|c| c.is_ascii_digit());
    let last = before.last().filter(|one| one.section == section && one.listed).and_then(kind);
    let like = move |one: &&Statement<'_>| one.section == section && last.is_some() && kind(one) == last;
    let items: Vec<&Statement<'_>> = items.take_while(like).collect();
    let all = items.len() <= LONGEST_LIST && u32::try_from(items.len()) == Ok(value);
    items.into_iter().filter(move |_| all)
}
