//! The wire format of `/v1/chat/completions`: find the slots in the raw bytes, splice new ones in. Knows only serde.
//!
//! A *slot* is a JSON string literal of a request body that may be replaced: the string content, or the `text` of a
//! `text` part, of a user or tool message. Bodies are never parsed and written again: number text, key order, duplicate
//! keys and unknown fields survive because only the literals of chosen slots change.
//!
//! What a slot carries besides its text (siblings, preceding, call) comes from its own message or an earlier one, so a
//! conversation that grows keeps the slots that it had. It is bounded by the slot's own length, so a body's slots
//! together stay within a small multiple of the body.
//!
//! Where two readers of JSON may disagree we do not decide for the upstream: a message with a duplicate of a field that
//! we read has no slots, nor has a text that no Rust string can hold (a lone surrogate).

mod asked;
mod json;
mod message;
mod splice;

use std::ops::Range;

pub use splice::splice;

use asked::Asked;
use message::Message;

/// A chat completion request, as far as it matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Located {
    /// The `model` field, for the choice of a token encoding.
    pub model: Option<String>,
    /// The slots in the order of the body.
    pub slots: Vec<Slot>,
    /// Whether `response_format` is `json_object`, which providers refuse unless some message has the word "json".
    pub json_object: bool,
}

impl Located {
    /// Whether `text` may stand for `slot`: some providers refuse an empty text, and JSON mode without the word "json".
    #[must_use]
    pub fn accepts(&self, slot: &Slot, text: &str) -> bool {
        !text.trim().is_empty() && (!self.json_object || says_json(text) || !says_json(&slot.text))
    }
}

/// A JSON string that may be replaced, with what precedes it or shares its turn.
///
/// Siblings, preceding text and call are cut in the middle where they are longer than the slot's own text or 8 KiB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Byte span of the literal in the body, both quotes included.
    pub literal: Range<usize>,
    /// The unescaped text.
    pub text: String,
    /// Whose message it is.
    pub role: Role,
    /// Index of the message in `messages`.
    pub message: usize,
    /// Index of the part in the message's content; `None` for string content.
    pub part: Option<usize>,
    /// The other text parts of the same message.
    pub siblings: Vec<String>,
    /// The text of the last user message before this one that has any.
    pub preceding: Option<String>,
    /// For a tool message: the call that it answers.
    pub call: Option<Call>,
}

/// The roles whose text may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// A user message.
    User,
    /// A tool result; also the older `function` role.
    Tool,
}

/// A tool call of an earlier assistant message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The function's name.
    pub name: String,
    /// Its arguments, unescaped.
    pub arguments: String,
}

/// Why a body has no readable slots; it goes on as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Unreadable {
    /// Not JSON, or not UTF-8.
    #[error("the body is not valid JSON")]
    InvalidJson,
    /// JSON of another shape than a chat completion request.
    #[error("the body has no `messages` list of the known shape")]
    UnknownShape,
}

/// Finds the slots of a request body.
///
/// A message or part of a shape that is not known here has no slots; the others keep theirs.
///
/// # Errors
/// When the body cannot be read; see [`Unreadable`].
pub fn locate(body: &[u8]) -> Result<Located, Unreadable> {
    let body = std::str::from_utf8(body).map_err(|_| Unreadable::InvalidJson)?;
    let request = json::object(body)
        .ok_or_else(|| if json::is_valid(body) { Unreadable::UnknownShape } else { Unreadable::InvalidJson })?;
    let messages = request.field("messages").ok().flatten().ok_or(Unreadable::UnknownShape)?;
    let messages = json::array(messages).ok_or(Unreadable::UnknownShape)?;

    let mut asked = Asked::default();
    let mut slots = Vec::new();
    for (index, value) in messages.into_iter().enumerate() {
        match Message::read(value, body) {
            Some(Message::Spoken(spoken)) => {
                slots.extend(asked.slots(index, &spoken));
                asked.hear(&spoken);
            }
            Some(Message::Calls(calls)) => asked.note(calls),
            None => {}
        }
    }
    let model = request.field("model").ok().flatten().and_then(json::string);
    Ok(Located { model, slots, json_object: wants_json(&request) })
}

/// Whether the request is in JSON mode; an ambiguous format counts as such.
fn wants_json(request: &json::Object<'_>) -> bool {
    let Ok(format) = request.field("response_format") else {
        return true;
    };
    let Some(format) = format.and_then(|value| json::object(value.get())) else {
        return false;
    };
    match format.field("type") {
        Ok(kind) => kind.and_then(json::string).is_some_and(|kind| kind == "json_object"),
        Err(json::Ambiguous) => true,
    }
}

fn says_json(text: &str) -> bool {
    text.as_bytes().windows(4).any(|word| word.eq_ignore_ascii_case(b"json"))
}

#[cfg(test)]
mod tests;
