//! Lists that a tool prints, one entry a line: files, trees, packages, states.
//!
//! An entry is whole or absent. What stands further in belongs to what it stands under, so a branch needs its stem. Of
//! paths in one folder the folder is said once, on a line that ends with a slash, and the names stand under it, a space
//! further in, where that is shorter.

use std::ops::Range;

use super::{Block, Item, Reader, Reading, lines_of};
use crate::compress::{
    bond::Bond,
    outcome::Noun,
    text::{
        lexicon::{self, Trouble, signs},
        word::{is_stop_word, words},
    },
    worth::weights,
};

/// Whether lines are entries and no sentences: few function words, no ends of sentences, short.
pub(super) fn is_list(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let ends = |line: &&&str| line.trim_end().ends_with(['.', '!', '?', ',', ';', '。', '！', '？', '，']);
    let long = |line: &&&str| line.len() > LONGEST_ENTRY;
    let sentences = lines.iter().filter(ends).count() + lines.iter().filter(long).count();
    let (mut all, mut small) = (0, 0);
    for word in words(text).filter_map(|span| text.get(span)) {
        all += 1;
        small += usize::from(word.len() > 1 && word.chars().all(char::is_lowercase) && is_stop_word(word));
    }
    lines.len() >= FEWEST && sentences * 4 < lines.len() && small * 4 < all
}

/// Whether lines beside a list are its titles, its legend and its sum: few, short, and no sentence goes on from one to the
/// next.
pub(super) fn is_beside_list(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let goes_on = |two: &[&str]| {
        let [first, next] = two else { return false };
        !first.ends_with(['.', ':', ')', '!', '?']) && next.starts_with(char::is_lowercase)
    };
    lines.len() < 2 * FEWEST && lines.iter().all(|line| line.len() <= LONGEST_ENTRY) && !lines.windows(2).any(goes_on)
}

/// How many of the lines are a tree, if the first ones are: its root, and branches drawn with bars.
pub(super) fn extent<'a>(lines: impl Iterator<Item = &'a str>) -> Option<usize> {
    let (mut branches, mut end, mut others) = (0, 0, 0);
    for (at, line) in lines.enumerate() {
        if is_branch(line) {
            (branches, others, end) = (branches + 1, 0, at + 1);
        } else {
            others += 1;
        }
        if others > 1 || line.trim().is_empty() {
            break;
        }
    }
    (branches >= FEWEST).then_some(end)
}

/// Whether most of a text is a tree.
pub(super) fn is_tree(lines: &[&str]) -> bool {
    let filled = lines.iter().filter(|line| !line.trim().is_empty()).count();
    let branches = lines.iter().filter(|line| is_branch(line)).count();
    branches >= FEWEST && branches * 3 >= filled
}

/// Whether most of a text is a tree of names alone; `├─sda1   8:1   0` stands in columns too.
pub(super) fn is_tree_of_names(lines: &[&str]) -> bool {
    let drawn = ['│', '├', '└', '─', '|', '`', '-', ' ', '\u{a0}'];
    let named = |line: &&&str| !line.trim_start_matches(drawn).trim_end().contains("  ");
    is_tree(lines) && lines.iter().filter(named).count() * 2 > lines.len()
}

/// `├── a`, `│   └── b`, `|-- c`, `+-- d`, `` `-- e``, ` ~   ├─ f` where a plan says what changes; no border of a box.
fn is_branch(line: &str) -> bool {
    let line = line.trim();
    let signed = line.split_once("  ").filter(|(sign, _)| matches!(*sign, "+" | "-" | "~" | "+-" | "-+" | "-/+" | "±"));
    let line = signed.map_or(line, |(_, rest)| rest.trim_start());
    let bare = line.trim_start_matches(['│', '|', ' ', '\u{a0}']);
    let drawn = bare.len() < line.len() && line.starts_with('│') && !line.ends_with('│');
    let forks =
        ["├─", "└─", "+-- ", "`-- ", "\\-- "].iter().any(|mark| bare.starts_with(mark)) || line.starts_with("|-- ");
    (drawn || forks) && !line.ends_with(['┤', '┘', '┐']) && !line.contains(['┼', '┴'])
}

/// Of each line that tells of trouble, among those that tell of less, the bits by which that is surprising.
///
/// So does what is nearly full and, of entries that no code stands in, what goes.
pub(super) fn troubles(lines: &[&str], of_code: bool) -> Vec<f32> {
    let loses = |line: &str| !of_code && signs::loses(line);
    let other = |line: &&str| (signs::is_full(line) || loses(line)).then_some(Trouble::Warning);
    let told: Vec<Option<Trouble>> = lines.iter().map(|line| lexicon::trouble(line).or_else(|| other(line))).collect();
    let share =
        |least: Trouble| told.iter().filter(|told| **told >= Some(least)).count() as f32 / lines.len().max(1) as f32;
    let (warned, failed) = (share(Trouble::Warning), share(Trouble::Error));
    let bits = |told: &Option<Trouble>| match told {
        Some(Trouble::Error) => -failed.log2(),
        Some(Trouble::Warning) => -warned.log2(),
        None => 0.0,
    };
    told.iter().map(bits).collect()
}

/// Reads a block into its entries.
pub(super) fn read<'a>(text: &'a str, block: &Block, reader: &Reader<'_>) -> Reading<'a> {
    let lines: Vec<(Range<usize>, &str)> = lines_of(text, block).collect();
    let troubles = troubles(&lines.iter().map(|(_, line)| *line).collect::<Vec<_>>(), false);
    let mut reading = Reading::default();
    let mut stems: Vec<(usize, usize)> = Vec::new();
    let mut title: Option<usize> = None;
    let opener = record_key(lines.iter().map(|(_, line)| *line));
    let mut record: Option<usize> = None;
    let mut at = 0;
    while let Some((span, line)) = lines.get(at) {
        let same = folder(line).map_or(0, |path| {
            lines.get(at..).unwrap_or_default().iter().take_while(|(_, line)| folder(line) == Some(path)).count()
        });
        if let Some(path) = folder(line).filter(|_| same >= FEWEST_IN_FOLDER) {
            folder_of(&mut reading, text, block, path, lines.get(at..at + same).unwrap_or_default());
            (title, at) = (None, at + same);
            stems.clear();
            continue;
        }
        let bits = troubles.get(at).copied().unwrap_or(0.0);
        at += 1;
        if line.trim().is_empty() {
            title = None;
            stems.clear();
            match reading.items.last_mut() {
                Some(last) => last.lengthen(span.end, line),
                None => reading.items.push(entry(span.clone(), line, block)),
            }
            continue;
        }
        let item = reading.items.len();
        reading.items.push(Item { salience: 1.0 + weights::ODD * bits, ..entry(span.clone(), line, block) });
        let depth = depth(line);
        while stems.last().is_some_and(|(_, above)| *above >= depth) {
            stems.pop();
        }
        let stem = stems.last().map(|(stem, _)| *stem).or(title);
        reading.bonds.extend(stem.map(|of| Bond::Needs { item, of }));
        if opener.is_some() && key(line) == opener {
            record = Some(item);
        } else {
            reading.bonds.extend(record.map(|of| Bond::Needs { item, of }));
        }
        if stems.len() < DEEPEST {
            stems.push((item, depth));
        }
        if line.trim_end().ends_with(':') && stem.is_none_or(|stem| Some(stem) == title) {
            title = Some(item);
        }
    }
    if reader.query.call.is_some() {
        told_by_the_tool(&mut reading, text, &lines, reader.may_lose());
    }
    let edges =
        [reading.items.iter().position(|item| item.count > 0), reading.items.iter().rposition(|item| item.count > 0)];
    for edge in edges.into_iter().flatten() {
        if let Some(item) = reading.items.get_mut(edge) {
            item.salience = item.salience.max(weights::EDGE);
        }
    }
    reading
}

/// The key with which each record begins, where lines are the fields of records one below the other: `Package: a`,
/// `Version: 1`, `Package: b`, … The fields of a record are of what its first one names.
fn record_key<'a>(lines: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let keys: Vec<&str> = lines.filter_map(key).collect();
    let first = keys.first().copied()?;
    let times = keys.iter().filter(|key| **key == first).count();
    (times >= FEWEST_RECORDS && times * 2 <= keys.len()).then_some(first)
}

/// The key of a field, `Version` in `Version: 1`.
fn key(line: &str) -> Option<&str> {
    let (key, value) = line.trim_start().split_once([':', '='])?;
    let key = key.trim_end();
    let named = key.starts_with(char::is_alphabetic) && key.len() <= LONGEST_KEY && key.split_whitespace().count() <= 3;
    (named && !value.trim().is_empty()).then_some(key)
}

/// Records of which each begins with the same key.
const FEWEST_RECORDS: usize = 3;

/// Bytes of a key.
const LONGEST_KEY: usize = 32;

/// What a tool prints before and behind a list: the command it was given, which whoever gave it knows, and the line that
/// sums up, which stands whatever the budget.
fn told_by_the_tool(reading: &mut Reading<'_>, text: &str, lines: &[(Range<usize>, &str)], lossy: bool) {
    let own = |item: &Item<'_>| text.get(item.span.clone()).unwrap_or_default().trim().to_owned();
    let echoes = lines.iter().filter(|(_, line)| line.starts_with("$ ")).count();
    if let Some(first) = reading.items.first_mut().filter(|first| echoes == 1 && own(first).starts_with("$ ")) {
        (first.count, first.salience) = (0, weights::LABEL);
    }
    let last = lines.iter().rposition(|(_, line)| !line.trim().is_empty()).unwrap_or(0);
    let above = lines.get(..last).unwrap_or_default();
    let alone = above.iter().rev().take(MOST_SUMMING).any(|(_, line)| line.trim().is_empty());
    if lossy
        && alone
        && above.len() >= FEWEST
        && let Some(sum) = reading.items.last_mut().filter(|item| item.text().len() <= weights::FRAME_LINE)
    {
        sum.fixed = true;
    }
}

/// Lines in which a tool sums up.
const MOST_SUMMING: usize = 2;

fn entry<'a>(span: Range<usize>, line: &'a str, block: &Block) -> Item<'a> {
    let mut item = Item::whole(span, line, block.form, Noun::Lines);
    item.count = usize::from(line.contains(char::is_alphanumeric));
    item
}

/// The entries of one folder under its name.
fn folder_of<'a>(
    reading: &mut Reading<'a>,
    text: &'a str,
    block: &Block,
    path: &str,
    lines: &[(Range<usize>, &'a str)],
) {
    let head = reading.items.len();
    for (place, (span, _)) in lines.iter().enumerate() {
        let mut span = span.clone();
        let name = span.start + path.len();
        if place == 0 {
            let mut item = Item::whole(span.start..name, format!("{path}\n"), block.form, Noun::Lines);
            item.count = 0;
            reading.items.push(item);
            span.start = name;
        }
        let stands = format!(" {}", text.get(name..span.end).unwrap_or_default());
        let item = reading.items.len();
        reading.items.push(Item::whole(span, stands, block.form, Noun::Lines));
        reading.bonds.push(Bond::Needs { item, of: head });
    }
}

/// The folder of a line that is one path, its slash included.
fn folder(line: &str) -> Option<&str> {
    let path = line.trim_end();
    let is_path = !path.contains(char::is_whitespace) && !path.contains("://") && path.len() < LONGEST_ENTRY;
    let slash = path.rfind('/').filter(|at| is_path && *at > 0 && at + 1 < path.len())?;
    path.get(..=slash)
}

/// How far in a line begins, the lines of a tree included.
fn depth(line: &str) -> usize {
    line.chars()
        .take_while(|c| c.is_whitespace() || "│├└─┬|`+\\-~".contains(*c))
        .map(|c| if c == '\t' { 8 } else { 1 })
        .sum()
}

/// Fewer lines are no list.
const FEWEST: usize = 4;

/// So many paths of one folder stand under its name; fewer stay as they are.
const FEWEST_IN_FOLDER: usize = 3;

/// Bytes of a line that no entry has.
const LONGEST_ENTRY: usize = 240;

/// Levels of a tree whose stems are known; deeper entries need the deepest of them.
const DEEPEST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::form::tests::{auto, lines_at};

    #[test]
    fn the_folder_of_neighbours_is_said_once() {
        let text = "src/a/one.rs\nsrc/a/two.rs\nsrc/a/three.rs\nsrc/b/four.rs\nREADME.md\n";
        assert_eq!(auto(text), "src/a/\n one.rs\n two.rs\n three.rs\nsrc/b/four.rs\nREADME.md\n");
    }

    #[test]
    fn the_fields_of_a_record_stand_with_what_it_is_the_record_of() {
        let records: String =
            (0..12).map(|n| format!("Package: lib{n}\nSection: net\nInstalled-Size: {}\n\n", 100 + n)).collect();
        let left = lines_at(&records, "Which installed size is 107?", 4.0);
        let at = |line: &str| left.iter().position(|own| own == line);
        assert!(at("Installed-Size: 107").is_some(), "{left:?}");
        assert_eq!(
            at("Installed-Size: 107").zip(at("Package: lib7")).map(|(size, own)| own < size),
            Some(true),
            "{left:?}"
        );
    }

    #[test]
    fn a_branch_stands_with_its_stems() {
        let tree: String = (0..9)
            .map(|n| format!("├── dir{n}\n│   ├── old\n│   │   └── leaf{n}.txt\n│   └── other{n}.bin\n"))
            .collect();
        let left = lines_at(&format!(".\n{tree}"), "Where is leaf4.txt?", 5.0);
        for stem in ["├── dir4", "│   ├── old", "│   │   └── leaf4.txt"] {
            assert!(left.iter().any(|line| line == stem), "{stem} {left:?}");
        }
    }

    #[test]
    fn a_tree_whose_names_happen_to_stand_in_line_is_no_table() {
        let part = |of: &str, own: &str| {
            format!(
                "├── {of}\n│   ├── api\n│   │   ├── index.ts\n│   │   └── {own}.ts\n│   ├── jobs\n│   │   ├── index.ts\n│   │   └── util.ts\n│   └── README.md\n"
            )
        };
        let tree: String = [("mail", "types_1"), ("auth", "retry"), ("search", "retry"), ("billing", "retry")]
            .map(|(of, own)| part(of, own))
            .concat();
        let left = lines_at(&format!(".\n{tree}"), "Where is types_1?", 3.0);
        let at = |line: &str| left.iter().position(|own| own == line);
        let (folder, file) = (at("├── mail"), at("│   │   └── types_1.ts"));
        assert!(file.is_some() && folder < file && folder.is_some(), "{left:?}");
        assert!(left.iter().any(|line| line == "│   ├── api"), "{left:?}");
        assert!(!is_tree_of_names(&[
            "NAME     MAJ:MIN RM   SIZE",
            "├─sda1     8:1    0   512M",
            "├─sda2     8:2    0    20G",
            "└─sda3     8:3    0    80G",
            "sdb        8:16   0   1T"
        ]));
    }

    #[test]
    fn a_plan_that_draws_a_tree_is_one() {
        let step = |n: usize| {
            format!(
                " {}   ├─ aws:lambda:Function   job-{n}   {}\n",
                if n == 5 { "-" } else { "~" },
                if n == 5 { "delete" } else { "update" }
            )
        };
        let plan: String = (0..14).map(step).collect();
        let text =
            format!("Previewing update (prod)\n     stack   prod\n{plan}\nwarning: job-3 has no alarm\n\n13 changes\n");
        assert!(is_tree(&text.lines().collect::<Vec<_>>()));
        let left = lines_at(&text, "What will be deleted?", 4.0);
        assert!(left.iter().any(|line| line.contains("job-5")), "{left:?}");
    }

    #[test]
    fn sentences_are_no_list_and_entries_are() {
        assert!(is_list(
            "curl/stable 7.88 amd64 [installed]\ngit/stable 2.39 amd64\nzip/stable 3.0 amd64\nvim/now 9.0 amd64\n"
        ));
        assert!(!is_list("The house\nwas built by\na man who\nlived in it for\nmany years\n"));
        assert!(!is_list("One. Two.\nThree four.\nFive six.\nSeven.\n"));
    }
}
