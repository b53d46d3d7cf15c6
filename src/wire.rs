//! The wire formats of the surfaces: find the slots in the raw bytes, splice new ones in. Knows only serde.
//!
//! A *surface* is an API whose request bodies we read; each has a file of its own, which says where its slots stand and
//! what calls its tool results answer. What they have in common is here: a *slot* is a JSON string literal of a body
//! that may be replaced. Bodies are never parsed and written again: number text, key order, duplicate keys and unknown
//! fields survive because only the literals of chosen slots change.
//!
//! What a slot carries besides its text (siblings, preceding, call) comes from its own message or an earlier one, so a
//! conversation that grows keeps the slots that it had. It is bounded by the slot's own length, so a body's slots
//! together stay within a small multiple of the body.
//!
//! Where two readers of JSON may disagree we do not decide for the upstream: a message with a duplicate of a field that
//! we read has no slots, nor has a text that no Rust string can hold (a lone surrogate).

mod asked;
mod beginning;
mod chat;
mod conversation;
mod json;
mod messages;
mod plain;
mod responses;
mod socket;
mod splice;
mod turn;
mod written;

use std::{borrow::Cow, ops::Range, sync::Arc};

pub use beginning::{Beginning, Reading, locate_on};
pub use socket::Socket;
pub use splice::splice;

use conversation::Conversation;
use json::{Json, Object, Raw};
pub use written::{What, Written};

/// An API whose request bodies are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Surface {
    /// OpenAI's chat completions, and what is compatible with them.
    ChatCompletions,
    /// OpenAI's Responses.
    Responses,
    /// Anthropic's Messages.
    Messages,
}

/// Where requests of a surface are posted: the end of their path. The endpoints that only count the tokens of a request
/// are read in the same way, so that they count what would be sent.
const PATHS: [(&str, Surface); 5] = [
    ("/chat/completions", Surface::ChatCompletions),
    ("/responses", Surface::Responses),
    ("/responses/input_tokens", Surface::Responses),
    ("/v1/messages", Surface::Messages),
    ("/v1/messages/count_tokens", Surface::Messages),
];

impl Surface {
    /// The surface to which a path belongs.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        PATHS.iter().find(|(ending, _)| path.ends_with(ending)).map(|(_, surface)| *surface)
    }

    /// Whether a request to this path only asks how many tokens it has.
    #[must_use]
    pub fn counts_tokens(path: &str) -> bool {
        path.ends_with("/responses/input_tokens") || path.ends_with("/v1/messages/count_tokens")
    }

    /// The word used in headers, metrics, logs and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ChatCompletions => "chat_completions",
            Self::Responses => "responses",
            Self::Messages => "messages",
        }
    }

    fn read(self, body: &str, conversation: &mut Conversation) -> Result<Located, Unreadable> {
        let json = json(body)?;
        let request = request(&json)?;
        match self {
            Self::ChatCompletions => chat::read(&request, body, conversation),
            Self::Responses => responses::read(&request, body, conversation),
            Self::Messages => messages::read(&request, body, conversation),
        }
    }
}

/// A request, as far as it matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Located {
    /// The `model` field, for the choice of a token encoding.
    pub model: Option<String>,
    /// The slots in the order of the body.
    pub slots: Vec<Arc<Slot>>,
    /// Longer texts that the assistant gave to tools, in the order of the body. They are forwarded as they are.
    pub written: Vec<Arc<Written>>,
    /// The index of the first message, or item, behind the last one of the assistant: what is new in the request.
    pub new: usize,
    /// Whether the provider may leave out earlier messages of the request by itself: then none may be referred to.
    pub forgets: bool,
    /// Whether the request is in JSON mode, which providers refuse unless some message has the word "json".
    pub json_object: bool,
    /// Where the list of messages stands in the body; empty where it has none.
    pub list: Range<usize>,
    /// The stored response that the conversation goes on from, where its beginning is not in the body.
    pub from: Option<String>,
}

impl Located {
    fn of(request: &Object<'_>, body: &str, conversation: &mut Conversation, json_object: bool) -> Self {
        let field = |name: &str| request.field(name).ok().flatten();
        let list = field("messages").or_else(|| field("input")).and_then(|list| list.span(body));
        let text = |name: &str| field(name).and_then(Raw::string).map(Cow::into_owned);
        Self {
            model: text("model"),
            slots: std::mem::take(&mut conversation.slots),
            written: std::mem::take(&mut conversation.written),
            new: conversation.new,
            forgets: forgets(request),
            json_object,
            list: conversation.place(list.unwrap_or_default()),
            from: text("previous_response_id"),
        }
    }

    /// Whether `text` may stand for `slot`: some providers refuse an empty text, and JSON mode without the word "json".
    #[must_use]
    pub fn accepts(&self, slot: &Slot, text: &str) -> bool {
        !text.trim().is_empty() && (!self.json_object || says_json(text) || !says_json(&slot.text))
    }
}

/// A JSON string that may be replaced, with what precedes it or shares its turn.
///
/// Siblings, preceding text and call are cut in the middle where they are longer than the slot's own text or 8 KiB; of a
/// call, 128 bytes stay in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Byte span of the literal in the body, both quotes included.
    pub literal: Range<usize>,
    /// The unescaped text, which those who keep it share.
    pub text: Arc<str>,
    /// Whose message it is.
    pub role: Role,
    /// Index of the message in `messages`, or of the item in `input`.
    pub message: usize,
    /// Index of the part in the message's content; `None` for string content. Texts within one part share it.
    pub part: Option<usize>,
    /// The other text parts of the same message.
    pub siblings: Vec<String>,
    /// The text of the last user message before this one that has any.
    pub preceding: Option<String>,
    /// For a tool's result: the call that it answers.
    pub call: Option<Call>,
}

/// The roles whose text may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// A user message.
    User,
    /// A tool's result.
    Tool,
}

/// A tool call of an earlier assistant turn.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Call {
    /// The tool's name.
    pub name: String,
    /// Its arguments, as JSON or as the tool's own text.
    pub arguments: String,
}

/// Why a body has no readable slots; it goes on as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Unreadable {
    /// Not JSON, or not UTF-8.
    #[error("the body is not valid JSON")]
    InvalidJson,
    /// JSON of another shape than a request of its surface.
    #[error("the body has no list of messages of the known shape")]
    UnknownShape,
}

/// Finds the slots of a request body.
///
/// A message or part of a shape that is not known here has no slots; the others keep theirs.
///
/// # Errors
/// When the body cannot be read; see [`Unreadable`].
pub fn locate(surface: Surface, body: &[u8]) -> Result<Located, Unreadable> {
    surface.read(text(body)?, &mut Conversation::default())
}

/// Finds the slots of a body that may be of any surface, as other gateways hand it over: by what it has.
///
/// # Errors
/// When the body cannot be read; see [`Unreadable`].
pub fn locate_any(body: &[u8]) -> Result<Located, Unreadable> {
    let body = text(body)?;
    let json = json(body)?;
    let request = request(&json)?;
    // Only Messages put tool results into user messages; what else `messages` hold, chat reads as well.
    let messages = messages::read(&request, body, &mut Conversation::default());
    match messages {
        Ok(located) if located.slots.iter().any(|slot| slot.role == Role::Tool) => Ok(located),
        _ => chat::read(&request, body, &mut Conversation::default()),
    }
}

/// The model that a body asks for; `None` where it cannot be read, or is said twice.
#[must_use]
pub fn model(body: &[u8]) -> Option<String> {
    let json = json(text(body).ok()?).ok()?;
    json.object()?.field("model").ok().flatten().and_then(Raw::string).map(Cow::into_owned)
}

fn text(body: &[u8]) -> Result<&str, Unreadable> {
    std::str::from_utf8(body).map_err(|_| Unreadable::InvalidJson)
}

fn json(body: &str) -> Result<Json<'_>, Unreadable> {
    Json::read(body).ok_or(Unreadable::InvalidJson)
}

fn request<'a>(json: &'a Json<'_>) -> Result<Object<'a>, Unreadable> {
    json.object().ok_or(Unreadable::UnknownShape)
}

/// The list that a field of the request is.
fn list<'a>(request: &Object<'a>, name: &str) -> Result<Vec<Raw<'a>>, Unreadable> {
    request.field(name).ok().flatten().and_then(Raw::array).ok_or(Unreadable::UnknownShape)
}

/// Whether a request lets the provider leave out earlier messages: Anthropic's and OpenAI's `context_management`, the
/// `truncation` of Responses, the `transforms` of gateways. What can't be read counts as such.
fn forgets(request: &Object<'_>) -> bool {
    let may = |name: &str| match request.field(name) {
        Ok(value) => value.is_some_and(|value| !matches!(value.get(), "null" | "[]" | "\"disabled\"")),
        Err(json::Ambiguous) => true,
    };
    ["context_management", "truncation", "transforms"].into_iter().any(may)
}

/// Whether a format asks for JSON mode; an ambiguous one counts as such.
fn wants_json(format: Result<Option<Raw<'_>>, json::Ambiguous>) -> bool {
    let Ok(format) = format else { return true };
    let Some(format) = format.and_then(Raw::object) else { return false };
    match format.field("type") {
        Ok(kind) => kind.and_then(Raw::string).is_some_and(|kind| kind == "json_object"),
        Err(json::Ambiguous) => true,
    }
}

fn says_json(text: &str) -> bool {
    text.as_bytes().windows(4).any(|word| word.eq_ignore_ascii_case(b"json"))
}

#[cfg(test)]
mod tests;
