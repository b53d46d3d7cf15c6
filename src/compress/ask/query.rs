//! What is asked of a text, as far as it precedes the text or shares its turn; never anything later.

use super::Seen;
use crate::compress::original::OriginalId;

/// The query of a slot.
///
/// A question inside the text itself is found by the pipeline and is no part of this.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Query {
    /// The other text parts of the same message, joined by newlines; empty when there are none.
    pub siblings: String,
    /// The last user message before this one; empty when there is none.
    pub preceding: String,
    /// For a tool result: the call that it answers.
    pub call: Option<ToolCall>,
    /// Passages that stand word for word in earlier messages, in order and apart from each other.
    pub seen: Vec<Seen>,
    /// The name under which whoever gets the condensed text can read the original; `None` where nobody can.
    pub original: Option<OriginalId>,
}

/// A tool call as the assistant made it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ToolCall {
    /// The function's name.
    pub name: String,
    /// Its arguments: JSON text as the model wrote it.
    pub arguments: String,
}
