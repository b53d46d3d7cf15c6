//! Chat completions. Slots are the string content, or the `text` of a `text` part, of a user or tool message.
//!
//! Some clients (Cursor is one) post the body of a Responses request to this path: `input` in the place of `messages`.
//! It is read as what it is.

use super::{
    Located, Role, Unreadable,
    conversation::Conversation,
    json::{Ambiguous, Object, Raw},
    responses,
    turn::{CallId, Called, Turn, call, text_field, texts, word},
};

/// The slots of a request.
pub(super) fn read(request: &Object<'_>, body: &str, conversation: &mut Conversation) -> Result<Located, Unreadable> {
    if !request.has("messages") && request.has("input") {
        return responses::read(request, body, conversation);
    }
    conversation.read(super::list(request, "messages")?, body, |value| message(value, body));
    Ok(Located::of(request, body, conversation, super::wants_json(request.field("response_format"))))
}

/// A message; `None` when it has another role, another shape, or fields on which readers may disagree.
fn message(value: Raw<'_>, body: &str) -> Option<Turn> {
    try_message(&value.object()?, body).ok().flatten()
}

fn try_message(message: &Object<'_>, body: &str) -> Result<Option<Turn>, Ambiguous> {
    let Some(role) = word(message, "role")? else { return Ok(None) };
    let (role, answers) = match &*role {
        "user" => (Role::User, None),
        "tool" => (Role::Tool, text_field(message, "tool_call_id")?.map(CallId::Id)),
        "function" => (Role::Tool, text_field(message, "name")?.map(CallId::Function)),
        "assistant" => return Ok(Some(Turn::calls(calls(message)?))),
        _ => return Ok(None),
    };
    let Some(content) = message.field("content")? else { return Ok(None) };
    Ok(Some(Turn::spoken(role, texts(content, &["text"], body), answers)))
}

/// The calls of an assistant message: functions, custom tools, and the older single function call.
fn calls(message: &Object<'_>) -> Result<Vec<Called>, Ambiguous> {
    let tools = message.field("tool_calls")?.and_then(Raw::array).unwrap_or_default();
    let tools = tools.into_iter().filter_map(|value| {
        let tool = value.object()?;
        let id = text_field(&tool, "id").ok()??;
        let call = match tool.field("function").ok()? {
            Some(function) => call(&function.object()?, "arguments")?,
            None => call(&tool.field("custom").ok()??.object()?, "input")?,
        };
        Some((CallId::Id(id), call))
    });
    let function = message.field("function_call")?.and_then(|value| call(&value.object()?, "arguments"));
    let function = function.map(|call| (CallId::Function(call.name.clone()), call));
    Ok(tools.chain(function).collect())
}

#[cfg(test)]
mod tests;
