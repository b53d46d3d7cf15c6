//! Who says it: speakers, mails and what they quote, commits, chunks with an id, tags around a document. A statement
//! that stands under another name than its own says something else, so each of these is a label that what stands below
//! it needs.

mod known;
mod record;
mod shape;

use std::collections::HashMap;

use super::{Block, Form};
use crate::compress::{
    fuel,
    text::{
        lexicon::{List, address::MAIL_HEADERS},
        segment::{Line, lines, quoted},
    },
};
use known::Known;
use record::{MOST_KEYS, record};
pub(super) use shape::{is_ruled, source_at_end};

/// The blocks of a text with those that are read as settings (or, for a date or an address in them, as something else)
/// though they are the heads of mails or chunks as prose, so that what they own stands below them.
pub(super) fn rejoined(text: &str, blocks: Vec<Block>) -> Vec<Block> {
    let keys = |block: &Block| {
        let lines = lines(text.get(block.span.clone()).unwrap_or_default());
        let keys = if lines.len() <= MOST_KEYS { record(&lines, 0) } else { Vec::new() };
        (keys.len() == lines.len()).then_some(keys).filter(|keys| keys.len() >= 2)
    };
    let mut known: HashMap<(&str, &str), usize> = HashMap::new();
    let heads: Vec<Option<Vec<&str>>> = blocks
        .iter()
        .map(|block| if matches!(block.form, Form::Keyed | Form::Code | Form::Log) { keys(block) } else { None })
        .collect();
    for keys in heads.iter().flatten() {
        if let [first, second, ..] = keys.as_slice() {
            *known.entry((first, second)).or_insert(0) += 1;
        }
    }
    let mut found: Vec<Block> = Vec::with_capacity(blocks.len());
    for (at, (block, keys)) in blocks.iter().zip(&heads).enumerate() {
        let before_prose = blocks.get(at + 1).is_some_and(|next| next.form == Form::Prose);
        let head = keys.as_ref().is_some_and(|keys| match keys.as_slice() {
            [first, second, ..] => {
                before_prose && (mails(keys) || known.get(&(*first, *second)).is_some_and(|times| *times >= 2))
            }
            _ => false,
        });
        let form = if head || is_quoted(text, block) { Form::Prose } else { block.form };
        match found.last_mut() {
            Some(last) if last.form == Form::Prose && form == Form::Prose => last.span.end = block.span.end,
            _ => found.push(Block { span: block.span.clone(), form }),
        }
    }
    found
}

/// Whether a block is a mail's quotation below prose: `>>> word` is a prompt only where nothing is quoted less deeply.
fn is_quoted(text: &str, block: &Block) -> bool {
    let deepest = |part: &str| part.lines().map(|line| quoted(line).0).filter(|depth| *depth > 0).max().unwrap_or(0);
    let before = text.get(..block.span.start).unwrap_or_default();
    let own = text.get(block.span.clone()).unwrap_or_default();
    let all = own.lines().all(|line| line.trim().is_empty() || quoted(line).0 > 0);
    // Code in a fence is code, whoever quotes it.
    let opens = own.lines().next().and_then(|line| line.get(quoted(line).1..)).unwrap_or_default().trim_start();
    let fenced = opens.starts_with("```") || opens.starts_with("~~~");
    all && !fenced
        && deepest(own) > 0
        && before.lines().rev().take(3).any(|line| quoted(line).0 > 0 || line.trim_end().ends_with(" wrote:"))
}

/// Whether keys are those of a mail.
fn mails(keys: &[&str]) -> bool {
    keys.iter().filter(|key| MAIL_HEADERS.has(&key.trim_matches('*').to_lowercase())).count() >= 2
}

/// What a label is, which decides how far it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A source with its id: holds to the next one, whatever headings stand in it.
    Chunk,
    /// The head of a mail or a commit.
    Head,
    /// Who wrote what is quoted below.
    Quote,
    /// A speaker: holds to the next one.
    Speaker,
    /// A few words and a colon: hold for their paragraph.
    Lead,
    /// An opening tag, with what identifies its document.
    Open,
    /// A line inside a tag that says what document it is: `<source>a.pdf</source>`.
    Element,
    /// A closing tag.
    Close,
    /// The source of the paragraph that it ends.
    Tail,
    /// A record of keys and values that owns nothing below it: a statement over some lines.
    Record,
}

/// A label on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Label<'a> {
    pub(super) role: Role,
    /// How many whole lines it takes; 0 where it is the beginning of a line.
    pub(super) lines: usize,
    /// Bytes of the line's text that it takes, where it is its beginning.
    pub(super) prefix: usize,
    /// The name in it.
    pub(super) name: &'a str,
}

/// The label on each line that has one.
pub(super) fn labels<'a>(lines: &[Line<'a>]) -> Vec<Option<Label<'a>>> {
    let known = Known::of(lines);
    let mut found: Vec<Option<Label<'a>>> = Vec::with_capacity(lines.len());
    while let Some(line) = lines.get(found.len()) {
        fuel::step(line.text.len());
        let label = known.label(lines, found.len(), line);
        let taken = label.as_ref().map_or(1, |label| label.lines.max(1));
        found.push(label);
        found.resize(found.len() + taken - 1, None);
    }
    found
}

/// Lines that are longer are text and no label.
const SHORT: usize = 120;

/// What sources are called where they are counted.
static SOURCES: List = List::new(
    "document doc source passage context chunk result excerpt snippet article page reference dokument quelle fuente
    documento источник документ",
);

/// The head of a mail or a commit.
fn head<'a>(lines: &[Line<'a>], at: usize) -> Option<Label<'a>> {
    let line = lines.get(at)?;
    let commit = line.text.strip_prefix("commit ").is_some_and(|hash| {
        let hash = hash.split_whitespace().next().unwrap_or_default();
        hash.len() >= 7 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    if commit {
        let keys = if line.before_blank { 0 } else { record(lines, at + 1).len() };
        return Some(Label { role: Role::Head, lines: 1 + keys, prefix: 0, name: line.text });
    }
    let fresh = line.after_blank
        || lines.get(at.wrapping_sub(1)).is_none_or(|before| before.depth != line.depth || !before.text.contains(": "));
    if !fresh {
        return None;
    }
    let keys = record(lines, at);
    mails(&keys).then_some(Label { role: Role::Head, lines: keys.len(), prefix: 0, name: line.text })
}

/// `On Monday Anna wrote:` above what is quoted, on one line or two.
fn quote<'a>(lines: &[Line<'a>], at: usize) -> Option<Label<'a>> {
    let line = lines.get(at)?;
    let next = lines.get(at + 1);
    let deeper = |next: Option<&Line<'a>>| next.is_some_and(|next| next.depth > line.depth);
    let closes = |text: &str| text.ends_with([':', '：']);
    let wrote = |text: &str| {
        let lower = text.to_lowercase();
        WROTE.iter().any(|word| lower.contains(word))
    };
    if closes(line.text) && (deeper(next) || wrote(line.text)) {
        return Some(Label { role: Role::Quote, lines: 1, prefix: 0, name: line.text });
    }
    let two = next
        .is_some_and(|next| closes(next.text) && wrote(next.text) && next.depth == line.depth && !next.after_blank)
        && deeper(lines.get(at + 2));
    two.then_some(Label { role: Role::Quote, lines: 2, prefix: 0, name: line.text })
}

/// How mail programs say who wrote.
#[rustfmt::skip]
const WROTE: &[&str] = &[
    " wrote:", " writes:", " schrieb", " a écrit", " escribió", " escreveu", " ha scritto", " schreef", " skrev",
    " napisał", " пишет:", " написал", "写道",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(Role, &str)> {
        let lines = lines(text);
        labels(&lines)
            .into_iter()
            .zip(&lines)
            .filter_map(|(label, line)| {
                label.map(|label| {
                    (label.role, if label.lines > 0 { line.text } else { line.text.get(..label.prefix).unwrap() })
                })
            })
            .collect()
    }

    #[test]
    fn a_name_that_returns_heads_its_passage_or_ends_it() {
        let of = |passage: fn(usize) -> String| (1..4).map(passage).collect::<String>();
        for text in [
            of(|n| format!("kb/a{n}.md\n\nIt is dug.\n\n")),
            of(|n| format!("**kb/a{n}.md**\nIt is dug.\n\n")),
            of(|n| format!("----------\nkb/a{n}.md\n----------\nIt is dug.\n\n")),
            of(|n| format!("kb/a{n}.md -> It is dug. It is sold.\n\n")),
            of(|n| format!("【{n}†kb/a{n}.md】It is dug. It is sold.\n\n")),
        ] {
            assert_eq!(found(&text).iter().map(|label| label.0).collect::<Vec<_>>(), [Role::Chunk; 3], "{text}");
        }
        for text in [
            of(|n| {
                format!("--- hit {n}/13  id=MF-0{n}#1  doc=\"Lease Yard 5, 2020-01-1{n}\"  pages={n}\nIt is dug.\n\n")
            }),
            of(|n| format!(">>> K-17/{n} | score 0.{n} | rules, p. {n}\nIt is dug. It is sold.\n\n")),
        ] {
            assert_eq!(found(&text).iter().map(|label| label.0).collect::<Vec<_>>(), [Role::Chunk; 3], "{text}");
        }
        for text in
            [of(|n| format!("It is dug.\nSource: kb/a{n}.md\n\n")), of(|n| format!("It is dug.\n— kb/a{n}.md\n\n"))]
        {
            assert_eq!(found(&text).iter().map(|label| label.0).collect::<Vec<_>>(), [Role::Tail; 3], "{text}");
        }
        assert_eq!(source_at_end("It is dug. [kb/a.md]"), Some("kb/a.md"));
        assert_eq!(source_at_end("It is dug (in May)."), None);
    }

    #[test]
    fn what_answers_stands_below_its_question() {
        let text =
            "Is it open in May?\nYes, from ten on. Dogs are welcome.\n\nWhat does it cost?\nNine euros. No cards.\n";
        assert_eq!(found(text), [(Role::Lead, "Is it open in May?"), (Role::Lead, "What does it cost?")]);
        assert_eq!(found("Anna: Is it safe?\nBen: No.\n"), [(Role::Lead, "Anna: "), (Role::Lead, "Ben: ")]);
    }

    #[test]
    fn what_is_told_of_a_time_stands_behind_it() {
        let text = "19:31 The bridge is closed. Cars may cross.\n\n19:02 A crane fell.\n\n18:40 It rains.\n";
        assert_eq!(found(text), [(Role::Chunk, "19:31 "), (Role::Chunk, "19:02 "), (Role::Chunk, "18:40 ")]);
    }

    #[test]
    fn the_ids_of_chunks_are_labels() {
        let cards = "phone: 1\nroom: a\n\nphone: 2\nroom: b\n\nphone: 3\nroom: c\n";
        assert_eq!(found(cards).iter().map(|label| label.0).collect::<Vec<_>>(), [Role::Record; 3]);
        let pages = "page_label: 1\nfile_path: a.pdf\n\nIt is dug.\n\npage_label: 2\nfile_path: a.pdf\n\nIt is sold.\n";
        assert_eq!(found(pages), [(Role::Chunk, "page_label: 1"), (Role::Chunk, "page_label: 2")]);
        assert_eq!(found("--- kb/a.md (score 0.8) ---\nIt is dug.\n"), [(Role::Chunk, "--- kb/a.md (score 0.8) ---")]);
        let titled = "Result 1\nid: a\nscore: 1\ntext: It is dug.\n\nResult 2\nid: b\nscore: 2\ntext: It is sold.\n";
        assert_eq!(labels(&lines(titled)).iter().flatten().map(|label| label.lines).collect::<Vec<_>>(), [3, 3]);
        let counted = |n: usize| format!("({n}) Lost bands — pool.example/{n}\nEach band has a chip. It opens.\n\n");
        let text: String = (1..4).map(counted).collect();
        assert_eq!(found(&text).iter().map(|label| label.0).collect::<Vec<_>>(), [Role::Chunk; 3]);
        assert_eq!(found("1. Mix it\nwell with\n\n2. Bake\nit for\n\n3. Eat\nit.\n"), []);
        assert_eq!(found("[1] One thing.\n\n[2] Another thing.\n"), [(Role::Chunk, "[1] "), (Role::Chunk, "[2] ")]);
        assert_eq!(
            found("[doc-01] (notes, part 1)\nA thing.\n\n[doc-02] (notes, part 2)\nB thing.\n"),
            [(Role::Chunk, "[doc-01] (notes, part 1)"), (Role::Chunk, "[doc-02] (notes, part 2)")]
        );
        assert_eq!(found("Document [1](Title: Ore) It is dug.\n"), [(Role::Chunk, "Document [1](Title: Ore) ")]);
        let records = "ID: 1\nTitle: a\nContent:\nA thing.\n\nID: 2\nTitle: b\nContent:\nB thing.\n";
        assert_eq!(found(records), [(Role::Chunk, "ID: 1"), (Role::Chunk, "ID: 2")]);
    }

    #[test]
    fn speakers_are_labels_in_their_usual_shapes() {
        let text = "Anna: Is it safe?\nBen: No.\nAnna: Then stop.\n";
        assert_eq!(found(text).iter().map(|label| label.0).collect::<Vec<_>>(), [Role::Speaker; 3]);
        let text = "anna · comment · 2031-02-11\n+1\n\nben-k · comment · 2031-02-12\nA flat one.\n";
        assert_eq!(found(text).iter().map(|label| label.0).collect::<Vec<_>>(), [Role::Speaker; 2]);
        let text = "JUDGE\nWho?\n\nMS. TORR\nI.\n\nJUDGE\nWhen?\n\nMS. TORR\nAt noon.\n";
        assert_eq!(found(text).iter().map(|label| label.0).collect::<Vec<_>>(), [Role::Speaker; 4]);
    }

    #[test]
    fn rows_that_are_told_field_by_field_begin_with_a_ruled_title() {
        let row = |n: usize| {
            format!(
                "*************************** {n}. row ***************************\n  Station: a{n}\nDelay_min: {n}.5\n"
            )
        };
        let text: String = (1..4).map(row).collect();
        let heads = found(&text).into_iter().filter(|label| label.1.starts_with('*')).map(|label| label.0);
        assert_eq!(heads.collect::<Vec<_>>(), [Role::Chunk; 3]);
    }

    #[test]
    fn who_writes_stands_on_a_line_with_the_time_though_no_blank_line_parts_the_turns() {
        let of = |turn: fn(usize) -> String| (1..4).map(turn).collect::<String>();
        for text in [
            of(|n| format!("Ana — Today at 10:0{n}\nThe cat is back. The hall costs 420 euros.\n")),
            of(|n| format!("Ana  10:0{n}\nThe cat is back.\n")),
            of(|n| format!("00:00:4{n} Ana Baptista\nThe cat is back. Is it?\n\n")),
            of(|n| format!("ana commented on May {n}, 2031\n\nThe cat is back.\n\n")),
        ] {
            assert_eq!(found(&text).iter().map(|label| label.0).collect::<Vec<_>>(), [Role::Speaker; 3], "{text}");
        }
        assert_eq!(found("Arrival at 10:02\nLunch at 12:30\nTea at 16:00\nDinner at 19:30\n"), []);
    }

    #[test]
    fn who_writes_in_a_chat_stands_behind_the_time() {
        for when in ["[14/03/2031, 08:02] ", "[3/14/31, 8:02:10 PM] ", "14.03.31, 08:02 - ", "[2031-03-14 08:02] "] {
            let text = format!("{when}Mia: Who goes? I am off.\n{when}Jon: I do.\n{when}Mia: When?\n");
            assert_eq!(found(&text).iter().map(|label| label.0).collect::<Vec<_>>(), [Role::Speaker; 3], "{text}");
        }
    }

    #[test]
    fn mails_quotes_and_commits_have_heads() {
        let text = "From: Ann <a@x.example>\nTo: Bo\nDate: Thu, 3 Apr\n\nNo.\n\nOn Wed, Bo wrote:\n> Shall we?\n";
        assert_eq!(found(text), [(Role::Head, "From: Ann <a@x.example>"), (Role::Quote, "On Wed, Bo wrote:")]);
        let text = "commit 4ee5cbd332e8\nAuthor: Ann <a@x>\nDate:   Mon May 4\n\n    fix it\n";
        assert_eq!(labels(&lines(text))[0].as_ref().unwrap().lines, 3);
    }

    #[test]
    fn tags_open_and_close() {
        let text = "<document index=\"1\">\n<source>a.pdf</source>\nA thing.\n</document>\n<source id=\"2\">B thing.</source>\n";
        assert_eq!(
            found(text).iter().map(|label| label.0).collect::<Vec<_>>(),
            [Role::Open, Role::Element, Role::Close, Role::Open]
        );
    }
}
