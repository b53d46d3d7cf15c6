//! Which headings and labels hold at a line: the path that a statement below them needs.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::super::thread::{Label, Role};
use crate::compress::{
    bond::Bond,
    form::{Block, Form, Reading},
    text::{
        hash,
        segment::{Line, counts, is_item, is_title, lead, number},
        sentence::ends,
    },
};

/// What holds at the end of a block, for the next one: a table stands under a heading as a statement does.
#[derive(Debug, Default)]
pub(in crate::compress::form) struct Heads {
    /// Labels by their item's number on the page.
    open: Vec<Entry>,
    /// Between items of the block read last and labels above it, by numbers on the page.
    bonds: Vec<Bond>,
}

impl Heads {
    /// The bonds between a block's items and the labels above it; `by` is the number of its first item on the page.
    pub(in crate::compress::form) fn over(&mut self, block: &Block, reading: &Reading<'_>, by: usize) -> Vec<Bond> {
        if block.form == Form::Prose {
            return std::mem::take(&mut self.bonds);
        }
        let Some(label) = self.open.last() else { return Vec::new() };
        let free = reading.items.iter().enumerate().filter(|(_, item)| !item.fixed);
        free.map(|(item, _)| Bond::Needs { item: item + by, of: label.item }).collect()
    }
}

/// How high a heading stands: lower numbers are higher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Level(u8);

impl Level {
    const UNDERLINED: Self = Self(10);
    const COUNTED: Self = Self(20);
    const BARE: Self = Self(40);
    const COLON: Self = Self(50);

    /// A title over the whole text.
    pub(super) fn title(self) -> Self {
        if self == Self::BARE { Self(0) } else { self }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Heading(Level),
    Label(Role),
    /// A line that ends in a colon; whether a list stands below it.
    Intro(bool),
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Its item in this block, or on the page where it stands above the block.
    item: usize,
    outer: bool,
    kind: Kind,
    depth: usize,
    name: u64,
    /// Statements that stand below it.
    used: usize,
}

pub(super) struct Scope {
    open: Vec<Entry>,
    /// Items of this block and the labels above it that they need, by its number on the page.
    outer: Vec<(usize, usize)>,
}

impl Scope {
    pub(super) fn new(heads: &Heads) -> Self {
        let above = |entry: &Entry| Entry { outer: true, used: 1, ..*entry };
        Self { open: heads.open.iter().map(above).collect(), outer: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Hands what still holds on to the next block; the first item of this one is number `by` of the page.
    pub(super) fn hand_on(self, heads: &mut Heads, by: usize) {
        let moved = |entry: Entry| if entry.outer { entry } else { Entry { item: entry.item + by, ..entry } };
        heads.open = self.open.into_iter().map(moved).collect();
        heads.bonds = self.outer.into_iter().map(|(item, of)| Bond::Needs { item: item + by, of }).collect();
    }

    /// A new paragraph begins.
    pub(super) fn paragraph(&mut self, closes_turns: bool) {
        while let Some(last) = self.open.last() {
            let over = match last.kind {
                Kind::Label(Role::Lead) => true,
                Kind::Label(Role::Speaker) => closes_turns && last.used > 0,
                Kind::Intro(list) => !list && last.used > 0,
                _ => false,
            };
            if !over {
                break;
            }
            self.open.pop();
        }
    }

    /// A paragraph begins that is no item: the list under a line with a colon has ended.
    pub(super) fn unlisted(&mut self) {
        if self.open.last().is_some_and(|last| matches!(last.kind, Kind::Intro(true)) && last.used > 0) {
            self.open.pop();
        }
    }

    /// What was opened deeper in quotes has ended.
    pub(super) fn depth(&mut self, depth: usize) {
        while self.open.last().is_some_and(|last| last.depth > depth) {
            self.open.pop();
        }
    }

    /// The item needs the label that it stands under.
    pub(super) fn needed_by(&mut self, item: usize, bonds: &mut Vec<Bond>) {
        for entry in &mut self.open {
            entry.used += 1;
        }
        let Some(last) = self.open.last() else { return };
        if last.outer {
            self.outer.push((item, last.item));
        } else if last.item != item {
            bonds.push(Bond::Needs { item, of: last.item });
        }
    }

    /// A heading: what stood on its level or below has ended, but a chunk's id holds for the headings in the chunk.
    pub(super) fn heading(&mut self, level: Level, item: usize, line: &Line<'_>, bonds: &mut Vec<Bond>) {
        let higher = |entry: &Entry| matches!(entry.kind, Kind::Heading(other) if other >= level);
        let keeps = |entry: &Entry| {
            matches!(entry.kind, Kind::Label(Role::Chunk | Role::Head | Role::Quote | Role::Open | Role::Element))
        };
        let ended = self.open.iter().position(higher).or_else(|| {
            let held = self.open.iter().rposition(|entry| keeps(entry) || matches!(entry.kind, Kind::Heading(_)));
            Some(held.map_or(0, |held| held + 1))
        });
        self.open.truncate(ended.unwrap_or(self.open.len()));
        self.needed_by(item, bonds);
        self.push(Kind::Heading(level), item, line.depth, line.text);
    }

    /// What a new label ends.
    pub(super) fn make_room(&mut self, label: &Label<'_>, depth: usize) {
        let same = |entry: &Entry| match (label.role, entry.kind) {
            (Role::Quote, Kind::Label(Role::Quote)) => entry.depth >= depth,
            (Role::Head, Kind::Label(Role::Head | Role::Quote)) | (Role::Chunk, Kind::Label(Role::Chunk)) => {
                entry.depth >= depth
            }
            (Role::Speaker, Kind::Label(Role::Speaker)) => true,
            _ => false,
        };
        if let Some(at) = self.open.iter().position(same) {
            self.open.truncate(at);
        }
        while self.open.last().is_some_and(|last| match last.kind {
            Kind::Label(Role::Speaker | Role::Lead) => {
                label.role != Role::Lead || matches!(last.kind, Kind::Label(Role::Lead))
            }
            Kind::Intro(_) => label.role != Role::Lead,
            _ => false,
        }) {
            self.open.pop();
        }
    }

    pub(super) fn open(&mut self, label: &Label<'_>, item: usize, depth: usize, bonds: &mut Vec<Bond>) {
        self.make_room(label, depth);
        match self.open.last() {
            Some(below) if below.outer => self.outer.push((item, below.item)),
            Some(below) if below.item != item => bonds.push(Bond::Needs { item, of: below.item }),
            _ => {}
        }
        self.push(Kind::Label(label.role), item, depth, label.name);
    }

    /// A closing tag stands with its opening one.
    pub(super) fn close(&mut self, name: &str, item: usize, bonds: &mut Vec<Bond>) {
        let name = hashed(name);
        let opened = self.open.iter().rposition(|entry| entry.kind == Kind::Label(Role::Open) && entry.name == name);
        let Some(at) = opened else { return };
        if let Some(entry) = self.open.get(at).filter(|entry| !entry.outer) {
            bonds.push(Bond::Together(entry.item, item));
        }
        self.open.truncate(at);
    }

    /// An item of a list stands here: lists below another item of this one have ended.
    pub(super) fn listed(&mut self, style: u64) {
        while self.open.last().is_some_and(|last| matches!(last.kind, Kind::Intro(true)) && last.name == style) {
            self.open.pop();
        }
    }

    /// Whether a list with items of this look has a list below one of its items.
    pub(super) fn holds(&self, style: u64) -> bool {
        self.open.iter().any(|entry| matches!(entry.kind, Kind::Intro(true)) && entry.name == style)
    }

    /// A line with something below it; `style` where it is an item itself.
    pub(super) fn intro(&mut self, item: usize, depth: usize, list: bool, style: Option<u64>) {
        if style.is_none() && self.open.last().is_some_and(|last| matches!(last.kind, Kind::Intro(_))) {
            self.open.pop();
        }
        self.push(Kind::Intro(list), item, depth, "");
        if let (Some(style), Some(last)) = (style, self.open.last_mut()) {
            last.name = style;
        }
    }

    fn push(&mut self, kind: Kind, item: usize, depth: usize, name: &str) {
        if self.open.len() < DEEPEST {
            self.open.push(Entry { item, outer: false, kind, depth, name: hashed(name), used: 0 });
        }
    }

    /// Who says what stands here, or what it is about, as a number.
    pub(super) fn owner(&self) -> u32 {
        self.path(|kind| !matches!(kind, Kind::Intro(_)))
    }

    /// What it stands in, whoever speaks.
    pub(super) fn section(&self) -> u32 {
        self.path(|kind| !matches!(kind, Kind::Intro(_) | Kind::Label(Role::Speaker | Role::Lead | Role::Quote)))
    }

    fn path(&self, counts: impl Fn(Kind) -> bool) -> u32 {
        let mut hasher = DefaultHasher::new();
        for entry in self.open.iter().filter(|entry| counts(entry.kind)) {
            // Two labels without a name are two owners.
            (entry.name, if entry.name == hashed("") { entry.item } else { 0 }).hash(&mut hasher);
        }
        (hasher.finish() & u64::from(u32::MAX)) as u32
    }
}

/// Labels that are open at once at most; deeper ones are text.
const DEEPEST: usize = 24;

fn hashed(name: &str) -> u64 {
    hash(&name.to_lowercase())
}

/// The level of the heading that begins at a line, and how many lines it takes.
///
/// `more`: whether text follows the last line.
pub(super) fn heading(lines: &[Line<'_>], at: usize, width: usize, more: bool) -> Option<(Level, usize)> {
    let line = lines.get(at)?;
    let next = lines.get(at + 1);
    let text = line.text;
    let marks = text.bytes().take_while(|byte| *byte == b'#').count();
    if (1..=6).contains(&marks) && text.get(marks..).is_some_and(|rest| rest.starts_with(' ')) {
        return Some((Level(marks as u8), 1));
    }
    let underlined = next.is_some_and(|next| {
        !next.after_blank
            && next.text.len() >= 3
            && ['=', '-', '~'].iter().any(|mark| next.text.chars().all(|c| c == *mark))
    });
    if underlined && line.after_blank && text.chars().count() <= 80 {
        let level = Level::UNDERLINED.0 + u8::from(next.is_some_and(|next| !next.text.starts_with('=')));
        return Some((Level(level), 2));
    }
    if !line.after_blank || line.indent >= INDENTED {
        return None;
    }
    let counted = text.starts_with('§') || counts(text);
    let Some(next) = next else {
        // The last line of a block that another form follows, a table say.
        let over = more && is_title(text.trim_end_matches([':', '：', '*', '_'])) && !is_item(text);
        return over.then_some((if counted { Level::COUNTED } else { Level::BARE }, 1));
    };
    if next.depth != line.depth {
        return None;
    }
    let bold = text.len() > 4
        && text.starts_with("**")
        && text.trim_end_matches(':').ends_with("**")
        && text.matches("**").count() == 2;
    let alone = line.before_blank;
    let colon = text.trim_end_matches(['*', '_']).ends_with([':', '：']);
    // `#4104 — New laptop` is the title of a ticket.
    let title = text.trim_end_matches([':', '：', '*', '_']).trim_start_matches('#');
    if !is_title(title) {
        return None;
    }
    if let Some((levels, _)) = number(text) {
        let other = is_item(next.text) && style(next) != style(line);
        let over = alone || other;
        let listed = number(next.text).is_some_and(|(next, _)| next == levels) && !other;
        return (over && !listed).then_some((Level(Level::COUNTED.0 + levels as u8), 1));
    }
    if is_item(text) {
        return None;
    }
    if colon {
        let words = title.split_whitespace().count();
        return (alone && words <= 8 && !is_item(next.text)).then_some((Level::COLON, 1));
    }
    if alone || bold || (counted && text.contains(':')) {
        return Some((if counted { Level::COUNTED } else { Level::BARE }, 1));
    }
    // A title with its text on the next line: the text is longer, and would have had room beside it.
    let first = next.text.split_whitespace().next().unwrap_or_default().chars().count();
    let room = text.chars().count() + 1 + first + ROOM < width;
    let short = text.chars().count() <= 60 && text.split_whitespace().count() <= 8;
    let begins_high = next.text.chars().find(|c| c.is_alphanumeric()).is_some_and(|c| !c.is_lowercase());
    let over = short
        && room
        && begins_high
        && next.text.len() > text.len()
        && (ends(next.text) || next.text.len() > 60 || lead(next.text).is_some())
        && !is_item(next.text);
    over.then_some((if counted { Level::COUNTED } else { Level::BARE }, 1))
}

/// Spaces in front of what is quoted or preformatted: a commit's message, a block of code.
const INDENTED: usize = 4;

/// Characters that a title leaves free on its line at least.
const ROOM: usize = 8;

/// What the mark of an item looks like and how far in it stands: items of one list share it.
pub(super) fn style(line: &Line<'_>) -> u64 {
    let marker = line.text.split_whitespace().next().unwrap_or_default();
    let shape: String = match number(line.text) {
        Some(_) => marker
            .chars()
            .filter(|c| !c.is_alphanumeric() || !marker.starts_with('.'))
            .map(|c| {
                if c.is_ascii_digit() {
                    '0'
                } else if c.is_alphabetic() {
                    'a'
                } else {
                    c
                }
            })
            .fold(String::new(), |mut all, c| {
                if !(c.is_alphanumeric() && all.ends_with(c)) {
                    all.push(c);
                }
                all
            }),
        None => marker.to_owned(),
    };
    hashed(&format!("{} {shape}", line.indent))
}
