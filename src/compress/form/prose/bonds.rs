//! What statements need of each other: the one that a pronoun or a connective points to, rule and exception, question
//! and answer, the conditions of a list that hold together, the sentence that defines a name.

use std::collections::HashMap;

use crate::compress::{
    bond::Bond,
    form::thread::source_at_end,
    fuel,
    text::{
        lexicon::{
            Opening, conjoins,
            motion::{decides, moves, was_meant},
            opening, points_to_several, replies,
        },
        sentence::ends,
        word::stands_alone,
    },
};

/// A statement and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Statement<'a> {
    pub(super) item: usize,
    /// What is said, without its label.
    pub(super) text: &'a str,
    pub(super) paragraph: usize,
    /// Which run of lines it stands in.
    pub(super) run: usize,
    /// How deeply it is quoted.
    pub(super) depth: usize,
    /// Headings, chunks and documents around it, as a number.
    pub(super) section: u32,
    /// The same with who speaks.
    pub(super) owner: u32,
    /// Whether it goes on with an item of a list.
    pub(super) goes_on: bool,
    /// The mark of the note that it is: `[^7]`.
    pub(super) note: Option<&'a str>,
    /// Whether it is the first behind a label.
    pub(super) opens: bool,
    /// That label, where a colon ends it.
    pub(super) field: Option<&'a str>,
    /// Whether it is an item of a list or stands in one.
    pub(super) listed: bool,
    /// Whether it stands in a comment of code, from `/*` on.
    pub(super) comment: bool,
}

/// Links back that a statement may bring in one after the other, so that a chain of pronouns never brings a whole page.
const LONGEST_CHAIN: u8 = 6;

/// About as many characters of a statement's beginning are compared with lists of words.
const READ_OF_AN_OPENING: usize = 32;

/// Statements back in which a pronoun's noun is looked for.
pub(super) const FURTHEST: usize = 8;

/// The bonds between statements, in the order of the text.
pub(super) fn bind(statements: &[Statement<'_>], bonds: &mut Vec<Bond>) {
    let opening = |statement: &Statement<'_>| {
        fuel::step(READ_OF_AN_OPENING);
        opening(statement.text)
    };
    let openings: Vec<Opening> = statements.iter().map(opening).collect();
    // How many statements each brings in, one needing the next.
    let mut chain = vec![0_u8; statements.len()];
    for (at, now) in statements.iter().enumerate().skip(1) {
        fuel::step(now.text.len());
        let Some(before) = statements.get(at - 1) else { continue };
        let near = now.paragraph <= before.paragraph + 1;
        if now.section != before.section || !near {
            continue;
        }
        let own = openings.get(at).copied().unwrap_or(Opening::Own);
        let linked = chain.get(at - 1).copied().unwrap_or(0);
        // What it names may be new in a statement that itself goes on from another one.
        let linked_before = matches!(openings.get(at - 1), Some(Opening::Said | Opening::Limits));
        let asked = asks(before.text) && !before.listed;
        let answers_quote = before.depth > now.depth;
        // In a chat nobody ends his sentences.
        let chat = now.field.is_some_and(|field| field.starts_with(|c: char| c == '[' || c.is_ascii_digit()));
        let replied = (ends(now.text) || chat)
            && !now.listed
            && (now.opens || answers_quote || now.paragraph == before.paragraph)
            && replies(now.text);
        let goes_below = lower_start(now.text) && !now.opens && !ends(before.text) && now.paragraph != before.paragraph;
        let told_on = now.paragraph == before.paragraph
            && (remarks(before.text, now.text) || was_meant(before.text) || decides(now.text) && moves(before.text));
        let limits =
            own == Opening::Limits || goes_below || (before.listed && !now.listed && lower_start(now.text)) || told_on;
        // `I mind` / `just kidding`
        let corrects = chat && replied && now.owner == before.owner;
        let link = if asked || answers_quote || limits || corrects {
            Some(Bond::Together(before.item, now.item))
        } else if own == Opening::Said || replied || (own == Opening::Named && linked_before) {
            Some(Bond::Needs { item: now.item, of: before.item })
        } else {
            None
        };
        if let Some(back) = at.checked_sub(2).and_then(|at| statements.get(at))
            && back.paragraph == now.paragraph
            && points_to_several(now.text)
        {
            bonds.push(Bond::Needs { item: now.item, of: back.item });
        }
        if let Some(link) = link.filter(|_| linked < LONGEST_CHAIN) {
            bonds.push(link);
            set(&mut chain, at, linked + 1);
        } else if (link.is_some() || own == Opening::Named)
            && let Some((place, of)) = anchor(statements, &openings, at)
        {
            bonds.push(Bond::Needs { item: now.item, of });
            let links = chain.get(place).copied().unwrap_or(0).saturating_add(1);
            set(&mut chain, at, links);
        }
    }
    lists(statements, bonds);
    records(statements, bonds);
    entries(statements, bonds);
    lines(statements, bonds);
    comments(statements, bonds);
    stanzas(statements, bonds);
    notes(statements, bonds);
    works(statements, bonds);
    sources(statements, bonds);
    names(statements, bonds);
}

fn set(list: &mut [u8], at: usize, value: u8) {
    if let Some(place) = list.get_mut(at) {
        *place = value;
    }
}

fn asks(text: &str) -> bool {
    let bare = text.trim_end_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '?' | '？' | '؟'));
    bare.ends_with(['?', '？', '؟'])
}

/// Whether somebody remarks on a statement behind it, `[SK: please don't. Butorphanol only.]`, or goes on with that.
fn remarks(before: &str, now: &str) -> bool {
    let open = remark(before).is_some_and(|inside| !inside.contains(']'));
    remark(now).is_some() || open && now.contains(']')
}

/// What a remark says behind its bracket, the name of its author included.
fn remark(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('[')?;
    let (name, _) = inside.split_once(": ").filter(|(name, _)| name.len() <= LONGEST_REMARKER)?;
    name.starts_with(char::is_uppercase).then_some(inside)
}

/// Bytes of the name of whoever remarks.
const LONGEST_REMARKER: usize = 16;

/// A statement that begins low goes on with the one before, as a line below a list does.
fn lower_start(text: &str) -> bool {
    text.chars().next().is_some_and(char::is_lowercase)
}

/// The nearest statement before this one, in its section, that names what it speaks of.
fn anchor(statements: &[Statement<'_>], openings: &[Opening], at: usize) -> Option<(usize, usize)> {
    let section = statements.get(at)?.section;
    let back = (at.saturating_sub(FURTHEST)..at).rev();
    for place in back {
        let statement = statements.get(place)?;
        if statement.section != section {
            break;
        }
        if openings.get(place) == Some(&Opening::Own) {
            return Some((place, statement.item));
        }
    }
    None
}

/// Items of a list of which one ends in `and` hold together: a rule with half of its conditions is another rule.
fn lists(statements: &[Statement<'_>], bonds: &mut Vec<Bond>) {
    let mut at = 0;
    while let Some(rest) = statements.get(at..).filter(|rest| !rest.is_empty()) {
        let section = rest.first().map(|first| first.section);
        let length = rest.iter().take_while(|statement| statement.listed && Some(statement.section) == section).count();
        let list = rest.get(..length).unwrap_or_default();
        if (2..=LONGEST_LIST).contains(&length) && list.iter().any(|statement| joins(statement.text)) {
            bonds.extend(list.windows(2).filter_map(|pair| match pair {
                [one, other] => Some(Bond::Together(one.item, other.item)),
                _ => None,
            }));
        }
        at += length.max(1);
    }
}

pub(super) const LONGEST_LIST: usize = 12;

fn joins(text: &str) -> bool {
    let last = text.rsplit(|c: char| c.is_whitespace()).next().unwrap_or_default();
    conjoins(&last.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase())
}

/// Paragraphs or lines that tell the same of one thing after the other: what opens like the rest and is not the first of
/// its own (`The readings are at …`) is of the thing that the first one names.
fn records(statements: &[Statement<'_>], bonds: &mut Vec<Bond>) {
    let place = |statement: &Statement<'_>| (statement.paragraph, statement.run);
    let mut like: HashMap<Vec<&str>, usize> = HashMap::new();
    for (before, now) in statements.iter().zip(statements.iter().skip(1)) {
        if place(before) == place(now) {
            *like.entry(beginning(now.text)).or_insert(0) += 1;
        }
    }
    for record in statements.chunk_by(|a, b| place(a) == place(b)) {
        let Some((first, rest)) = record.split_first() else { continue };
        let length: usize = record.iter().map(|statement| statement.text.len()).sum();
        for statement in rest {
            if like.get(&beginning(statement.text)).is_some_and(|times| *times >= LIKE) {
                bonds.push(match length <= WHOLE_RECORD {
                    true => Bond::Together(first.item, statement.item),
                    false => Bond::Needs { item: statement.item, of: first.item },
                });
            }
        }
    }
}

/// A paragraph that begins with a name for all of it: `Gifts. They are free up to 50 marks.`, or a work that is listed,
/// `Aske, M. (1961). Salt and toll.`
fn entries(statements: &[Statement<'_>], bonds: &mut Vec<Bond>) {
    for paragraph in statements.chunk_by(|a, b| (a.paragraph, a.run) == (b.paragraph, b.run)) {
        let Some((first, rest)) = paragraph.split_first() else { continue };
        let work = is_work(first.text);
        let length: usize = paragraph.iter().map(|statement| statement.text.len()).sum();
        if work && length <= WHOLE_RECORD {
            bonds.extend(rest.iter().map(|statement| Bond::Together(first.item, statement.item)));
        } else if work || is_name(first.text) && !first.opens {
            bonds.extend(rest.iter().map(|statement| Bond::Needs { item: statement.item, of: first.item }));
        }
    }
}

/// An item of a list, or a line of a paragraph of lines that each tell of their own thing, `Bookbinding is taught on Mondays.
/// Sign up by noon.`: what it goes on to say is said of what it begins with.
fn lines(statements: &[Statement<'_>], bonds: &mut Vec<Bond>) {
    for paragraph in statements.chunk_by(|a, b| a.paragraph == b.paragraph) {
        let runs = || paragraph.chunk_by(|a, b| a.run == b.run);
        let lines = runs().take(FEWEST_LINES).count() == FEWEST_LINES;
        for (first, rest) in runs().filter_map(<[Statement<'_>]>::split_first) {
            let rest = rest.iter().filter(|statement| lines || statement.goes_on);
            bonds.extend(rest.map(|statement| Bond::Needs { item: statement.item, of: first.item }));
        }
    }
}

/// Lines without a blank one between them that are entries of a list, though nothing marks them.
const FEWEST_LINES: usize = 3;

/// A word or two with a stop, behind the number of a part or without: `Gifts.`, `§ 2 Liegeplätze.`, `3. Forbidden use.`
pub(super) fn is_name(text: &str) -> bool {
    let Some(bare) = text.strip_suffix('.') else { return false };
    let counts = |word: &&str| {
        word.starts_with('§') || word.trim_end_matches(['.', ')']).bytes().all(|byte| byte.is_ascii_digit())
    };
    let words: Vec<&str> = bare.split_whitespace().skip_while(counts).collect();
    let counted = words.len() < bare.split_whitespace().count();
    let begins = words.first().is_none_or(|word| word.starts_with(char::is_uppercase));
    let most = if counted { NAME + 2 } else { NAME };
    !bare.contains(stands_alone) && begins && words.len() <= most && (counted || !words.is_empty())
}

/// In a comment of code, `/*` and below it lines with a star, a sentence goes on over lines that look like items of a list.
fn comments(statements: &[Statement<'_>], bonds: &mut Vec<Bond>) {
    let says = |statement: &Statement<'_>| statement.comment && statement.text.contains(char::is_alphanumeric);
    for (before, now) in statements.iter().zip(statements.iter().skip(1)) {
        if says(before) && says(now) && now.paragraph == before.paragraph && !ends(before.text) {
            bonds.push(Bond::Together(before.item, now.item));
        }
    }
}

/// Paragraphs of like fields, `Files: …`, `Licence: …`: each field tells of what its paragraph begins with.
fn stanzas(statements: &[Statement<'_>], bonds: &mut Vec<Bond>) {
    let paragraphs = || statements.chunk_by(|a, b| a.paragraph == b.paragraph);
    let mut known: HashMap<&str, usize> = HashMap::new();
    for field in paragraphs().filter_map(fields).flatten() {
        *known.entry(field).or_insert(0) += 1;
    }
    for paragraph in paragraphs() {
        let again = |fields: &Vec<&str>| {
            fields.iter().filter(|field| known.get(**field).is_some_and(|times| *times >= 2)).count() >= 2
        };
        let stanza = fields(paragraph).as_ref().is_some_and(again);
        if let Some((first, rest)) = paragraph.split_first().filter(|_| stanza) {
            bonds.extend(rest.iter().map(|statement| Bond::Needs { item: statement.item, of: first.item }));
        }
    }
}

/// The fields of a paragraph that has a few, each once.
fn fields<'a>(paragraph: &[Statement<'a>]) -> Option<Vec<&'a str>> {
    let fields: Vec<&str> = paragraph.iter().filter_map(|statement| statement.field).take(MOST_FIELDS + 1).collect();
    let apart = fields.iter().enumerate().all(|(at, field)| !fields.iter().take(at).any(|before| before == field));
    ((2..=MOST_FIELDS).contains(&fields.len()) && apart).then_some(fields)
}

/// Fields of a paragraph of fields.
const MOST_FIELDS: usize = 16;

/// Words of a name with a stop at the beginning of a paragraph.
const NAME: usize = 2;

/// Whether a statement begins with an author and a year, as a work in a list of works does.
fn is_work(text: &str) -> bool {
    let Some((authors, rest)) = text.split_once('(') else { return false };
    let year = rest.get(..YEAR).is_some_and(|year| year.bytes().all(|byte| byte.is_ascii_digit()));
    let initial = |part: &str| part.trim_start().chars().nth(1) == Some('.');
    year && authors.len() <= LONGEST_AUTHORS && authors.split(',').skip(1).any(initial)
}

/// Bytes of the authors in front of a work's year at most.
const LONGEST_AUTHORS: usize = 120;

fn beginning(text: &str) -> Vec<&str> {
    text.split_whitespace().take(3).collect()
}

/// Bytes of a record that stands or goes whole, as a row does.
const WHOLE_RECORD: usize = 320;

/// Statements that open in the same three words from which on they are read as a record's.
const LIKE: usize = 3;

/// Bytes of a note's mark.
const LONGEST_NOTE: usize = 16;

/// A statement with the mark of a note, `[^7]`, brings the note.
fn notes(statements: &[Statement<'_>], bonds: &mut Vec<Bond>) {
    let mut known: HashMap<&str, usize> = HashMap::new();
    for statement in statements.iter().rev() {
        for (at, _) in statement.text.match_indices("[^") {
            let rest = statement.text.get(at..).unwrap_or_default();
            let rest = rest.get(..rest.floor_char_boundary(LONGEST_NOTE)).unwrap_or_default();
            let Some(mark) = rest.find(']').and_then(|end| rest.get(..=end)) else { continue };
            if let Some(note) = known.get(mark) {
                bonds.push(Bond::Needs { item: statement.item, of: *note });
            }
        }
        if let Some(mark) = statement.note {
            known.insert(mark, statement.item);
        }
    }
}

/// Paragraphs that end with their source in brackets, `… [kb/returns.md]`, each with one.
fn sources(statements: &[Statement<'_>], bonds: &mut Vec<Bond>) {
    let named = |statement: &Statement<'_>| source_at_end(statement.text).is_some();
    let ends = |paragraph: &&[Statement<'_>]| {
        paragraph.split_last().is_some_and(|(last, rest)| named(last) && !rest.iter().any(named))
    };
    let paragraphs = || statements.chunk_by(|a, b| a.paragraph == b.paragraph);
    let sourced: Vec<&[Statement<'_>]> = paragraphs().filter(ends).collect();
    if sourced.len() < FEWEST_SOURCED || sourced.len() * 2 < paragraphs().count() {
        return;
    }
    for (last, rest) in sourced.into_iter().filter_map(<[Statement<'_>]>::split_last) {
        bonds.extend(rest.iter().map(|statement| Bond::Needs { item: statement.item, of: last.item }));
    }
}

/// Paragraphs that end with a source where that is how the text names them.
const FEWEST_SOURCED: usize = 3;

/// A statement that rests on a listed work, `(Aske 1961)`, brings its entry.
fn works(statements: &[Statement<'_>], bonds: &mut Vec<Bond>) {
    let mut known: HashMap<(&str, &str), usize> = HashMap::new();
    for statement in statements.iter().filter(|statement| is_work(statement.text)).take(MOST_WORKS) {
        let surname = statement.text.split([',', ' ']).next().unwrap_or_default();
        let year = statement.text.split_once('(').and_then(|(_, rest)| rest.get(..YEAR));
        known.extend(year.map(|year| ((surname, year), statement.item)));
    }
    if known.is_empty() {
        return;
    }
    for statement in statements.iter().filter(|statement| !is_work(statement.text)) {
        let text = statement.text;
        let mut names: Vec<&str> = Vec::new();
        for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            if word.starts_with(char::is_uppercase) {
                names.push(word);
            } else if word.len() == YEAR && word.bytes().all(|byte| byte.is_ascii_digit()) {
                let authors = names.iter().rev().take(MOST_CITED);
                let cited = authors.filter_map(|name| known.get(&(*name, word)));
                bonds.extend(cited.map(|of| Bond::Needs { item: statement.item, of: *of }));
                names.clear();
            }
        }
    }
}

/// Works of a list that statements may rest on, and names before a year that may be their author's.
const MOST_WORKS: usize = 400;
const MOST_CITED: usize = 3;

/// Digits of a year.
const YEAR: usize = 4;

/// A statement with a name that an earlier one gave (`hereinafter "the Carrier"`) needs that one.
fn names(statements: &[Statement<'_>], bonds: &mut Vec<Bond>) {
    let mut known: Vec<(&str, usize)> = Vec::new();
    for statement in statements {
        for (name, item) in &known {
            let uses = statement.text.match_indices(name).any(|(at, _)| whole(statement.text, at, name.len()));
            if uses && *item != statement.item {
                bonds.push(Bond::Needs { item: statement.item, of: *item });
            }
        }
        if let Some(name) = defines(statement.text)
            .filter(|name| known.len() < MOST_NAMES && !known.iter().any(|(other, _)| other == name))
        {
            known.push((name, statement.item));
        }
    }
}

const MOST_NAMES: usize = 24;

fn whole(text: &str, at: usize, length: usize) -> bool {
    let outside = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    outside(text.get(..at).and_then(|before| before.chars().next_back()))
        && outside(text.get(at + length..).and_then(|after| after.chars().next()))
}

/// The name that a statement gives in quotes in brackets, or behind `hereinafter`.
fn defines(text: &str) -> Option<&str> {
    let inside = text.split_once('(').and_then(|(_, rest)| {
        let (inside, _) = rest.split_once(')')?;
        let named = inside.starts_with(QUOTES) || DEFINING.iter().any(|word| inside.to_lowercase().starts_with(word));
        named.then_some(inside)
    });
    let behind = || DEFINING.iter().find_map(|word| text.find(word).and_then(|at| text.get(at + word.len()..)));
    let place = inside.or_else(behind)?;
    let open = place.find(QUOTES)?;
    let rest = place.get(open..)?.trim_start_matches(QUOTES);
    let name = rest.get(..rest.find(QUOTES)?)?.trim_end_matches([',', '.']);
    let name = name.strip_prefix("the ").unwrap_or(name);
    (name.chars().count() >= 2 && name.len() <= 60).then_some(name)
}

const QUOTES: &[char] = &['"', '“', '”', '„', '«', '»', '‘', '’'];

const DEFINING: &[&str] =
    &["hereinafter", "hereafter", "nachfolgend", "im folgenden", "ci-après", "en adelante", "далее"];

/// Statements that say word for word what one before them says: whole paragraphs under the same owner. Short ones,
/// turns, lists and verse are no repetitions.
pub(super) fn said(statements: &[Statement<'_>]) -> Vec<(usize, usize)> {
    let mut known: HashMap<(u32, String), usize> = HashMap::new();
    let mut found = Vec::new();
    let mut at = 0;
    for paragraph in statements.chunk_by(|a, b| a.paragraph == b.paragraph && a.owner == b.owner) {
        let place = at;
        at += paragraph.len();
        let words: String = paragraph.iter().flat_map(|statement| statement.text.split_whitespace()).fold(
            String::new(),
            |mut all, word| {
                all.extend(word.chars().flat_map(char::to_lowercase));
                all.push(' ');
                all
            },
        );
        let plain = paragraph.iter().all(|statement| {
            !statement.opens
                && !statement.listed
                && statement.depth == 0
                && ends(statement.text)
                && !verse(statement.text)
        });
        let owner = paragraph.first().map_or(0, |first| first.owner);
        if !plain || words.len() < SHORTEST_REPEATED {
            continue;
        }
        match known.get(&(owner, words.clone())) {
            Some(earlier) => {
                let pairs = paragraph.iter().zip(statements.get(*earlier..).unwrap_or_default());
                found.extend(pairs.map(|(later, earlier)| (later.item, earlier.item)));
            }
            None => {
                known.insert((owner, words), place);
            }
        }
    }
    found
}

/// Bytes of a paragraph that is a repetition at least.
const SHORTEST_REPEATED: usize = 80;

/// Short lines.
fn verse(text: &str) -> bool {
    text.contains('\n') && text.lines().all(|line| line.chars().count() < 60)
}
