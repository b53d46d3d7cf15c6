//! Search results and file lists: grouped by file, the path told once.

use super::{
    CountTokens, Decision, Redundancy, Relevance, Unit,
    content::{Budget, Kind, Rendered},
    marks,
};

/// Condenses a listing: `path:12:text` lines under their path, then the lines that say most of what is asked.
pub(super) fn render(block: &str, ask: &Relevance, budget: Budget, tokens: &dyn CountTokens) -> Option<Rendered> {
    let entries = read(block);
    let all = vec![true; entries.len()];
    let whole = write(block, &entries, &all, usize::MAX, tokens);
    if whole.tokens <= budget.most() {
        return Some(whole);
    }
    let texts: Vec<&str> = entries.iter().map(|entry| entry.whole).collect();
    let ranks = ask.rank(&texts);
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by(|a, b| ranks[*b].total_cmp(&ranks[*a]).then(a.cmp(b)));
    let mut kept = vec![false; entries.len()];
    let mut left = budget.most().saturating_sub(marks::LINES);
    let mut told = std::collections::HashSet::new();
    for number in order {
        let entry = &entries[number];
        let path = if told.contains(entry.path) || entry.path.is_empty() { 0 } else { tokens.count(entry.path) + 2 };
        let cost = tokens.count(entry.rest) + 1 + path;
        if cost <= left {
            left -= cost;
            told.insert(entry.path);
            kept[number] = true;
        }
    }
    Some(write(block, &entries, &kept, budget.most(), tokens))
}

struct Entry<'a> {
    whole: &'a str,
    length: usize,
    /// The part that neighbours share: a file, or a folder with its slash.
    path: &'a str,
    rest: &'a str,
    is_match: bool,
}

fn read(block: &str) -> Vec<Entry<'_>> {
    block
        .split_inclusive('\n')
        .map(|line| {
            let whole = line.trim_end();
            let (path, rest, is_match) = split(whole);
            Entry { whole, length: line.len(), path, rest, is_match }
        })
        .collect()
}

/// `src/a.rs:12:text` is `src/a.rs` and `12:text`; `src/a.rs` is `src/` and `a.rs`.
fn split(line: &str) -> (&str, &str, bool) {
    let number = line.char_indices().skip(1).find(|(at, c)| {
        *c == ':' && line.get(at + 1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    let parts = number.and_then(|(at, _)| Some((line.get(..at)?, line.get(at + 1..)?)));
    if let Some((path, rest)) = parts.filter(|(path, _)| !path.contains(' ')) {
        return (path, rest, true);
    }
    let name = line.split(' ').next().unwrap_or_default();
    match name.rfind('/').filter(|at| at + 1 < name.len()) {
        Some(at) => (line.get(..=at).unwrap_or_default(), line.get(at + 1..).unwrap_or_default(), false),
        None => ("", line, false),
    }
}

/// Kept lines; where two neighbours share a path it stands above them and they are indented by a space.
fn write(block: &str, entries: &[Entry<'_>], kept: &[bool], budget: usize, tokens: &dyn CountTokens) -> Rendered {
    let mut text = String::new();
    let mut units = Vec::with_capacity(entries.len());
    let shown: Vec<usize> = (0..entries.len()).filter(|number| kept[*number]).collect();
    let shares = |a: Option<&usize>, b: usize| {
        a.is_some_and(|a| entries[*a].path == entries[b].path && entries[*a].is_match == entries[b].is_match)
    };
    let (mut place, mut at) = (0_usize, 0);
    for (number, entry) in entries.iter().enumerate() {
        let mut stands = None;
        if kept[number] {
            let before = place.checked_sub(1).and_then(|before| shown.get(before));
            let grouped = !entry.path.is_empty() && (shares(before, number) || shares(shown.get(place + 1), number));
            let line = match (grouped, shares(before, number)) {
                (true, false) if entry.is_match => format!("{}:\n {}", entry.path, entry.rest),
                (true, false) => format!("{}\n {}", entry.path, entry.rest),
                (true, true) => format!(" {}", entry.rest),
                _ => entry.whole.to_owned(),
            };
            text.push_str(&line);
            text.push('\n');
            stands = Some(line);
            place += 1;
        }
        units.push(Unit {
            span: at..at + entry.length,
            kind: Kind::Listing.as_str(),
            score: f32::from(u8::from(kept[number])),
            redundancy: Redundancy::default(),
            decision: if kept[number] { Decision::Rewritten } else { Decision::Dropped },
            reason: if kept[number] { "under its path" } else { "other lines say more" }.into(),
            text: stands,
        });
        at += entry.length;
    }
    let missing = entries.len() - shown.len();
    let text = marks::closed(text, block, missing, budget);
    Rendered { tokens: tokens.count(&text), text, units }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::{Encoding, Query, content};

    fn within(text: &str, question: &str, budget: Budget) -> String {
        let ask = Relevance::new(&Query { preceding: question.into(), ..Query::default() }, None);
        content::render(text, Kind::Listing, &ask, budget, &Encoding::O200k).text
    }

    #[test]
    fn the_path_of_neighbours_is_told_once() {
        let text = "src/main.rs:3:fn main() {\nsrc/main.rs:9:}\nsrc/lib.rs:1:pub mod a;\n";
        assert_eq!(within(text, "", Budget::Auto), "src/main.rs:\n 3:fn main() {\n 9:}\nsrc/lib.rs:1:pub mod a;\n");
    }

    #[test]
    fn a_match_that_is_asked_for_stays_and_the_rest_is_counted() {
        let text: String = (0..300).map(|n| format!("src/file{n}.rs:{n}:let value_{n} = {n};\n")).collect();
        let short =
            within(&(text + "src/cache.rs:7:fn evict_oldest()\n"), "Where is evict_oldest?", Budget::Tokens(150));
        assert!(short.contains("src/cache.rs:7:fn evict_oldest()") && short.contains("lines]"), "{short}");
    }
}
