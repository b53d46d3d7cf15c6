//! Paragraphs that tell the same of different things, `Its battery lasts 7 hours.` and `Its battery lasts 9 hours.`: what each
//! tells needs its first statement, which says of what.

use std::collections::HashMap;

use super::bonds::Statement;
use crate::compress::{
    bond::Bond,
    fuel,
    text::word::{is_stop_word, words},
};

/// The bonds within such paragraphs.
pub(super) fn bind(statements: &[Statement<'_>], bonds: &mut Vec<Bond>) {
    let mut told: HashMap<(u32, String), (usize, bool)> = HashMap::new();
    let beginnings: Vec<Option<(u32, String)>> = statements.iter().map(beginning).collect();
    for (statement, key) in statements.iter().zip(&beginnings) {
        let Some(key) = key else { continue };
        let (first, several) = told.entry(key.clone()).or_insert((statement.paragraph, false));
        *several |= *first != statement.paragraph;
    }
    let again =
        |key: &Option<(u32, String)>| key.as_ref().and_then(|key| told.get(key)).is_some_and(|(_, several)| *several);
    let paragraphs = statements.chunk_by(|a, b| a.paragraph == b.paragraph && a.owner == b.owner);
    let mut from = 0;
    for paragraph in paragraphs {
        let keys = beginnings.get(from..from + paragraph.len()).unwrap_or_default();
        from += paragraph.len();
        let Some((first, rest)) = paragraph.split_first() else { continue };
        if keys.iter().skip(1).filter(|key| again(key)).count() >= FEWEST_ALIKE {
            bonds.extend(rest.iter().map(|statement| Bond::Needs { item: statement.item, of: first.item }));
        }
    }
}

/// The section and the first words of a statement, where one of them has content.
fn beginning(statement: &Statement<'_>) -> Option<(u32, String)> {
    fuel::step(READ_OF_A_BEGINNING);
    let words: Vec<String> = words(statement.text)
        .take(BEGINNING)
        .filter_map(|span| statement.text.get(span))
        .map(str::to_lowercase)
        .collect();
    let tells = words.iter().any(|word| !is_stop_word(word) && !word.contains(|c: char| c.is_ascii_digit()));
    (words.len() == BEGINNING && tells && !statement.listed).then(|| (statement.section, words.join(" ")))
}

/// Words with which statements begin alike.
const BEGINNING: usize = 3;

/// Statements of a paragraph, at least, that begin as some of another one do.
const FEWEST_ALIKE: usize = 2;

/// About as many characters of a statement are read for its first words.
const READ_OF_A_BEGINNING: usize = 32;

#[cfg(test)]
mod tests {
    use crate::compress::form::tests::lines_at;

    #[test]
    fn what_several_things_have_stands_with_the_name_of_its_own() {
        let machine = |name: &str, hours: u32| {
            format!(
                "The {name} pulls three tonnes. Its battery lasts {hours} hours. The turning circle is {hours} m. Spare wheels for it come from {name}ville within days.\n\n"
            )
        };
        let text = machine("Brunel", 7) + &machine("Hakan", 9) + &machine("Mirelle", 5);
        let left = lines_at(&text, "Where do wheels from Hakanville come from?", 3.0).join("\n");
        assert!(left.contains("Spare wheels for it come from Hakanville"), "{left}");
        assert!(left.contains("The Hakan pulls"), "{left}");
    }
}
