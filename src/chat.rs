//! The wire format of `/v1/chat/completions`: find the slots in the raw bytes, splice new ones in. Knows only serde.
//!
//! A *slot* is a JSON string literal of a request body that may be replaced: the string content, or the `text` of a
//! `text` part, of a user or tool message. Bodies are never parsed and written again: number text, key order, duplicate
//! keys and unknown fields survive because only the literals of chosen slots change.

use std::ops::Range;

/// A chat completion request, as far as it matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Located {
    /// The `model` field, for the choice of a token encoding.
    pub model: Option<String>,
    /// The slots in the order of the body.
    pub slots: Vec<Slot>,
}

/// A JSON string that may be replaced, with what precedes it or shares its turn.
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
    /// The text of the last user message before this one.
    pub preceding: Option<String>,
    /// For a tool message: the call that it answers.
    pub call: Option<Call>,
}

/// The roles whose text may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// A user message.
    User,
    /// A tool result.
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
/// # Errors
/// When the body cannot be read; see [`Unreadable`].
pub fn locate(_body: &[u8]) -> Result<Located, Unreadable> {
    Err(Unreadable::UnknownShape)
}
