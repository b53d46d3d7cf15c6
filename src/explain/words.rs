//! Which words of a unit its rewrite leaves out, and which it puts in: what a reader's eye should find at once.

use crate::compress::text::atoms::lex::invisible;

/// A stretch of text, and whether the other side has it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch<'a> {
    pub(super) text: &'a str,
    pub(super) shared: bool,
}

/// Both texts in stretches that the other has, or has not. White space goes with the word before it.
///
/// Words are paired by their longest common subsequence; texts that are too long for that are one stretch each.
pub(super) fn compare<'a>(old: &'a str, new: &'a str) -> (Vec<Stretch<'a>>, Vec<Stretch<'a>>) {
    let (olds, news) = (words(old), words(new));
    if olds.len() * news.len() > MOST {
        let whole = |text| vec![Stretch { text, shared: true }];
        return (whole(old), whole(new));
    }
    let (mut old_shared, mut new_shared) = (vec![false; olds.len()], vec![false; news.len()]);
    for (o, n) in pairs(&olds, &news) {
        for (side, at) in [(&mut old_shared, o), (&mut new_shared, n)] {
            if let Some(shared) = side.get_mut(at) {
                *shared = true;
            }
        }
    }
    (stretches(old, &olds, &old_shared), stretches(new, &news, &new_shared))
}

/// Each word with the white space after it; the first with what stands before it too.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut in_gap, mut seen) = (0, false, false);
    for (at, char) in text.char_indices() {
        if !char.is_whitespace() {
            if in_gap && seen {
                words.extend(text.get(start..at));
                start = at;
            }
            (in_gap, seen) = (false, true);
        } else {
            in_gap = true;
        }
    }
    words.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    words
}

/// The longest common subsequence, as pairs of indices.
fn pairs(olds: &[&str], news: &[&str]) -> Vec<(usize, usize)> {
    let width = news.len() + 1;
    let mut longest = vec![0_u32; (olds.len() + 1) * width];
    let at = |longest: &[u32], o: usize, n: usize| longest.get(o * width + n).copied().unwrap_or(0);
    let same = |o: usize, n: usize| olds.get(o).map(|word| bare(word)) == news.get(n).map(|word| bare(word));
    for o in (0..olds.len()).rev() {
        for n in (0..news.len()).rev() {
            let best = match same(o, n) {
                true => at(&longest, o + 1, n + 1) + 1,
                false => at(&longest, o + 1, n).max(at(&longest, o, n + 1)),
            };
            if let Some(cell) = longest.get_mut(o * width + n) {
                *cell = best;
            }
        }
    }
    let (mut o, mut n, mut pairs) = (0, 0, Vec::new());
    while o < olds.len() && n < news.len() {
        if same(o, n) {
            pairs.push((o, n));
            (o, n) = (o + 1, n + 1);
        } else if at(&longest, o + 1, n) >= at(&longest, o, n + 1) {
            o += 1;
        } else {
            n += 1;
        }
    }
    pairs
}

/// Whether a reader sees nothing of a character: it takes no room, turns the text's direction, or is a control. The
/// selectors behind emoji and symbols are everyday and hide nothing.
pub(super) fn hides(c: char) -> bool {
    let selects = matches!(c, '\u{fe0e}' | '\u{fe0f}');
    matches!(c, '\u{80}'..='\u{9f}') || (invisible(c) && !selects)
}

/// The word without what only joins it to its neighbours.
fn bare(word: &str) -> &str {
    word.trim().trim_end_matches([',', ';', '.', ':'])
}

/// Neighbours that are alike, joined.
fn stretches<'a>(text: &'a str, words: &[&'a str], shared: &[bool]) -> Vec<Stretch<'a>> {
    let (mut stretches, mut start, mut end) = (Vec::new(), 0, 0);
    for (index, word) in words.iter().enumerate() {
        end += word.len();
        if shared.get(index) != shared.get(index + 1) {
            let alike = shared.get(index).copied().unwrap_or(true);
            stretches.extend(text.get(start..end).map(|text| Stretch { text, shared: alike }));
            start = end;
        }
    }
    stretches
}

/// Pairs of words that are compared at most.
const MOST: usize = 1 << 18;

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(stretches: &[Stretch<'_>]) -> String {
        let mark = |s: &Stretch<'_>| if s.shared { s.text.to_owned() } else { format!("[{}]", s.text) };
        stretches.iter().map(mark).collect()
    }

    #[test]
    fn what_was_left_out_and_put_in_is_found() {
        let (old, new) =
            compare("The customer must, as a rule, pay in 45 days.\n", "The customer must pay in 45 days.");
        assert_eq!(marked(&old), "The customer must, [as a rule, ]pay in 45 days.\n");
        assert_eq!(marked(&new), "The customer must pay in 45 days.");
    }

    #[test]
    fn every_byte_of_both_is_there() {
        let texts = ["", " ", "a", "  a b ", "b c\u{a0}d é\n", "日本 語"];
        for (old, new) in texts.iter().flat_map(|old| texts.iter().map(move |new| (*old, *new))) {
            let (olds, news) = compare(old, new);
            assert_eq!(olds.iter().map(|s| s.text).collect::<String>(), old);
            assert_eq!(news.iter().map(|s| s.text).collect::<String>(), new);
        }
        let long = "word ".repeat(2_000);
        assert_eq!(compare(&long, &long).0.len(), 1);
    }
}
