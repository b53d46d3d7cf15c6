//! Responses. Slots are the `input` that is a string; of its items, the text of user messages and what tools gave back.
//!
//! Never a slot: instructions, system and developer messages, what the model said, reasoning (encrypted or not),
//! compactions, references to stored items, and items of a type that is not known here.

use std::sync::Arc;

use super::{
    Call, Located, Role, Unreadable,
    conversation::Conversation,
    json::{Ambiguous, Object, Raw},
    turn::{CallId, Spoken, Turn, call, text, text_field, texts, word},
};

/// The slots of a request, in the light of what was said before it.
pub(super) fn read(request: &Object<'_>, body: &str, conversation: &mut Conversation) -> Result<Located, Unreadable> {
    match request.field("input").ok().flatten() {
        None if request.has("input") => return Err(Unreadable::UnknownShape),
        // A stored conversation may go on without any.
        None => {}
        Some(input) if input.is_string() => conversation.read([input], body, |value| said(value, body)),
        Some(input) => {
            let items = input.array().ok_or(Unreadable::UnknownShape)?;
            conversation.read(items, body, |value| item(value, body));
        }
    }
    let text = request.field("text");
    let format = text.map(|text| text.and_then(Raw::object));
    let json = match &format {
        Ok(Some(text)) => super::wants_json(text.field("format")),
        Ok(None) => false,
        Err(Ambiguous) => true,
    };
    Ok(Located::of(request, body, conversation, json))
}

/// An input that is a string: all that the user says.
fn said(input: Raw<'_>, body: &str) -> Option<Turn> {
    Some(Turn::spoken(Role::User, text(input, None, body).into_iter().collect(), None))
}

/// An item; `None` when it is of another kind, another shape, or has fields on which readers may disagree.
pub(super) fn item(value: Raw<'_>, body: &str) -> Option<Turn> {
    try_item(&value.object()?, body).ok().flatten()
}

fn try_item(item: &Object<'_>, body: &str) -> Result<Option<Turn>, Ambiguous> {
    let kind = word(item, "type")?;
    let turn = match kind.as_deref() {
        None | Some("message") if !(kind.is_none() && item.has("type")) => return message(item, body),
        Some("function_call") => called(item, call(item, "arguments"))?,
        Some("custom_tool_call") => called(item, call(item, "input"))?,
        Some("local_shell_call") => called(item, acts(item)?)?,
        Some("shell_call") => commands(item)?,
        Some("function_call_output" | "custom_tool_call_output" | "local_shell_call_output") => {
            let texts = item.field("output")?.map(|output| texts(output, &TEXTS, body));
            Turn::spoken(Role::Tool, texts.unwrap_or_default(), id(item)?)
        }
        Some("shell_call_output") => outputs(item, body)?,
        Some("mcp_call") => {
            let output = item.field("output")?.filter(|output| output.is_string());
            let answers = text_field(item, "id")?.map(CallId::Id);
            let texts = output.and_then(|output| text(output, None, body)).into_iter().collect();
            let calls = answers.clone().zip(call(item, "arguments")).into_iter().collect();
            Turn { calls, ..Turn::spoken(Role::Tool, texts, answers) }
        }
        _ => return Ok(None),
    };
    Ok(Some(turn))
}

fn message(item: &Object<'_>, body: &str) -> Result<Option<Turn>, Ambiguous> {
    let role = word(item, "role")?;
    if role.as_deref() == Some("assistant") {
        return Ok(Some(Turn::default()));
    }
    let content = item.field("content")?.filter(|_| role.as_deref() == Some("user"));
    Ok(content.map(|content| Turn::spoken(Role::User, texts(content, &TEXTS, body), None)))
}

/// A call under each id by which its output may name it.
fn called(item: &Object<'_>, call: Option<Arc<Call>>) -> Result<Turn, Ambiguous> {
    let Some(call) = call else { return Ok(Turn::default()) };
    let ids = [text_field(item, "call_id")?, text_field(item, "id")?];
    Ok(Turn::calls(ids.into_iter().flatten().map(|id| (CallId::Id(id), Arc::clone(&call))).collect()))
}

/// The call of the provider's own shell: what it does stands in `action`.
fn acts(item: &Object<'_>) -> Result<Option<Arc<Call>>, Ambiguous> {
    let action = item.field("action")?;
    Ok(action.map(|action| Call { name: "local_shell".to_owned(), arguments: action.get().to_owned() }.into()))
}

/// The commands of a shell call; each has an output of its own.
fn commands(item: &Object<'_>) -> Result<Turn, Ambiguous> {
    let (Some(id), Some(action)) = (text_field(item, "call_id")?, item.field("action")?) else {
        return Ok(Turn::default());
    };
    let commands = action.object().map(|action| action.field("commands")).transpose()?.flatten();
    let call = |(at, command): (usize, Raw<'_>)| {
        let arguments = format!("{{\"command\":{}}}", command.get());
        (nth(&id, at), Arc::new(Call { name: "shell".to_owned(), arguments }))
    };
    Ok(Turn::calls(commands.and_then(Raw::array).unwrap_or_default().into_iter().enumerate().map(call).collect()))
}

/// What the commands of a shell call wrote.
fn outputs(item: &Object<'_>, body: &str) -> Result<Turn, Ambiguous> {
    let id = text_field(item, "call_id")?;
    let outputs = item.field("output")?.and_then(Raw::array).unwrap_or_default();
    let spoken = outputs.into_iter().enumerate().map(|(at, output)| {
        let output = output.object();
        let stream = |name: &str| text(output.as_ref()?.field(name).ok()??, Some(at), body);
        let texts = ["stdout", "stderr"].into_iter().filter_map(stream).collect();
        Spoken { role: Role::Tool, texts, answers: id.as_ref().map(|id| nth(id, at)) }
    });
    Ok(Turn { calls: Vec::new(), spoken: spoken.collect() })
}

/// Names a command of a shell call.
fn nth(id: &str, at: usize) -> CallId {
    CallId::Id(format!("{id} {at}"))
}

fn id(item: &Object<'_>) -> Result<Option<CallId>, Ambiguous> {
    Ok(text_field(item, "call_id")?.or(text_field(item, "id")?).map(CallId::Id))
}

/// The parts that are text. `text` is what compatible servers take besides.
const TEXTS: [&str; 2] = ["input_text", "text"];

#[cfg(test)]
mod tests;
