//! The words of a reference. They must let a reader find the passage: who said it, which lines, how it begins and ends.

use std::fmt::Write as _;

use serde_json::Value;

use super::lines::Line;

/// Where a text stands, as a reader of the conversation would find it.
#[derive(Debug, Clone)]
pub enum Place<'t> {
    /// A user's message.
    User(Nth),
    /// A tool's result: the name and the arguments of the call that it answers, where that is known.
    Tool(Option<(&'t str, &'t str)>, Nth),
}

/// The how-manieth of those above that have the same name, from 1 on, and how many these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nth {
    /// Its own number.
    pub nth: usize,
    /// The last one's.
    pub of: usize,
}

/// What a reference says.
pub(super) struct Named {
    /// The numbers of the lines here, first and last.
    pub(super) own: (usize, usize),
    /// The numbers of the lines that are referred to.
    pub(super) of: (usize, usize),
    /// Whether it stands for all of the text.
    pub(super) is_whole: bool,
    /// Whether it refers to all of the earlier text.
    pub(super) of_whole: bool,
    /// How the passage begins and ends, where its lines have no numbers to find it by.
    pub(super) ends: Option<(String, String)>,
}

impl Named {
    pub(super) fn write(&self, place: &Place<'_>) -> String {
        let mut words = "[… ".to_owned();
        words.push_str(&match self.is_whole {
            true => "the same as ".to_owned(),
            false => format!("{} as in ", lines(self.own)),
        });
        if if self.is_whole { !self.of_whole } else { self.own != self.of } {
            let _ = write!(words, "{} of ", lines(self.of));
        }
        let _ = write!(words, "{} above", named(place));
        if let Some((first, last)) = self.ends.as_ref().filter(|_| !(self.is_whole && self.of_whole)) {
            let _ = write!(words, ", from “{first}” to “{last}”");
        }
        words.push(']');
        words
    }
}

fn lines((first, last): (usize, usize)) -> String {
    if first == last { format!("line {first}") } else { format!("lines {first}–{last}") }
}

fn named(place: &Place<'_>) -> String {
    match place {
        Place::User(nth) => format!("the user's {}message", nth.before()),
        Place::Tool(None, nth) => format!("the {}tool result", nth.before()),
        Place::Tool(Some(call), nth) => format!("the {}result of {}", nth.before(), called(*call)),
    }
}

impl Nth {
    /// `2nd `, before the name; nothing where there is one alone.
    fn before(self) -> String {
        let Self { nth, of } = self;
        let ending = match (nth % 10, nth % 100) {
            (1, rest) if rest != 11 => "st",
            (2, rest) if rest != 12 => "nd",
            (3, rest) if rest != 13 => "rd",
            _ => "th",
        };
        if of > 1 { format!("{nth}{ending} ") } else { String::new() }
    }
}

/// `read_file(src/db.py, 10)`: the name, and the values of the arguments as far as there is room.
fn called((name, arguments): (&str, &str)) -> String {
    let arguments = match serde_json::from_str(arguments) {
        Ok(Value::Object(fields)) => fields.values().map(value).collect::<Vec<_>>().join(", "),
        Ok(value) => value.to_string(),
        Err(_) => arguments.to_owned(),
    };
    format!("{name}({})", start(&arguments, MOST_ARGUMENTS))
}

fn value(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The numbers of lines: those that they show, else their places in the text, from `first` on.
pub(super) fn numbers(lines: &[Line], first: usize) -> Option<(usize, usize)> {
    let shown = |line: &Line| line.number.and_then(|number| usize::try_from(number).ok());
    let own = (first + 1, first + lines.len());
    let (from, to) = (lines.first()?, lines.last()?);
    Some(shown(from).zip(shown(to)).unwrap_or(own))
}

/// How lines begin and end, in a few words.
pub(super) fn ends(text: &str, lines: &[Line]) -> Option<(String, String)> {
    let told = |line: &Line| text.get(line.content.clone()).map(str::trim).filter(|text| !text.is_empty());
    let first = lines.iter().find_map(told)?;
    let last = lines.iter().rev().find_map(told)?;
    Some((start(first, MOST_QUOTED), start(last, MOST_QUOTED)))
}

/// The beginning of a text on one line, with `…` where it goes on.
fn start(text: &str, most: usize) -> String {
    let line: String = text.chars().take(most).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(most).is_none() { line } else { format!("{}…", line.trim_end()) }
}

/// Characters of a call's arguments.
const MOST_ARGUMENTS: usize = 64;

/// Characters of a line by which a passage is found.
const MOST_QUOTED: usize = 24;
