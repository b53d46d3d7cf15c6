//! Where a text stands, in words by which a reader finds it.

use std::fmt;

use serde_json::Value;

use crate::compress::text::segment::beginning;

/// Where a text stands, as a reader of the conversation would find it.
#[derive(Debug, Clone)]
pub enum Place<'t> {
    /// A user's message.
    User(Nth),
    /// A tool's result: the name and the arguments of the call that it answers, where that is known.
    Tool(Option<(&'t str, &'t str)>, Nth),
    /// What the assistant gave to a tool: what of the call it is, and the call.
    Given(Given<'t>, (&'t str, &'t str), Nth),
}

/// What of a call a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given<'t> {
    /// The argument of this name.
    Argument(&'t str),
    /// All that the tool was given.
    Input,
    /// A file that a patch adds.
    Added,
}

/// The how-manieth of those above that have the same name, from 1 on, and how many these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nth {
    /// Its own number.
    pub nth: usize,
    /// The last one's.
    pub of: usize,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(nth) => write!(f, "the user's {}message", nth.before()),
            Self::Tool(None, nth) => write!(f, "the {}tool result", nth.before()),
            Self::Tool(Some(call), nth) => write!(f, "the {}result of {}", nth.before(), called(*call)),
            Self::Given(given, call, nth) => {
                match given {
                    Given::Argument(name) => write!(f, "the {} given to ", beginning(name, MOST_NAME))?,
                    Given::Input => f.write_str("the input given to ")?,
                    Given::Added => f.write_str("the file added by ")?,
                }
                if nth.of > 1 {
                    write!(f, "the {}", nth.before())?;
                }
                f.write_str(&called(*call))
            }
        }
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

/// `read_file(src/db.py, limit=10)`: the name, and the arguments as far as there is room.
fn called((name, arguments): (&str, &str)) -> String {
    let arguments = match serde_json::from_str(arguments) {
        Ok(Value::Object(fields)) => fields.iter().map(argument).collect::<Vec<_>>().join(", "),
        Ok(value) => value.to_string(),
        Err(_) => arguments.to_owned(),
    };
    format!("{name}({})", beginning(&arguments, MOST_ARGUMENTS))
}

/// `src/db.py`; `limit=10`, since a number says nothing by itself.
fn argument((name, value): (&String, &Value)) -> String {
    value.as_str().map_or_else(|| format!("{name}={value}"), str::to_owned)
}

/// Characters of an argument's name.
const MOST_NAME: usize = 24;

/// Characters of a call's arguments.
const MOST_ARGUMENTS: usize = 64;
