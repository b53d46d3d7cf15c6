//! Responses. Slots are the `input` that is a string; of its items, the text of user messages and what tools gave back.
//!
//! Never a slot: instructions, system and developer messages, what the model said, reasoning (encrypted or not),
//! compactions, references to stored items, and items of a type that is not known here.

use serde_json::value::RawValue;

use super::{
    Call, Located, Role, Slot, Unreadable,
    asked::Asked,
    json::{self, Ambiguous, Object},
    turn::{CallId, Text, Turn, call, is_string, text, text_field, texts},
};

/// The slots of a request, in the light of what was said before it.
pub(super) fn read(request: &Object<'_>, body: &str, asked: &mut Asked) -> Result<Located, Unreadable> {
    let slots = match request.field("input").ok().flatten() {
        None if request.has("input") => return Err(Unreadable::UnknownShape),
        // A stored conversation may go on without any.
        None => Vec::new(),
        Some(input) if is_string(input) => of_string(input, body, asked),
        Some(input) => {
            let items = json::array(input).ok_or(Unreadable::UnknownShape)?;
            super::slots(items, |value| item(value, body), asked)
        }
    };
    let text = request.field("text");
    let format = text.map(|text| text.and_then(|text| json::object(text.get())));
    let json = match &format {
        Ok(Some(text)) => super::wants_json(text.field("format")),
        Ok(None) => false,
        Err(Ambiguous) => true,
    };
    Ok(Located::of(request, slots, json))
}

fn of_string(input: &RawValue, body: &str, asked: &mut Asked) -> Vec<Slot> {
    let said = |_| Some(Turn::spoken(Role::User, text(input, None, body).into_iter().collect(), None));
    super::slots([input], said, asked)
}

/// An item; `None` when it is of another kind, another shape, or has fields on which readers may disagree.
pub(super) fn item(value: &RawValue, body: &str) -> Option<Turn> {
    try_item(&json::object(value.get())?, body).ok().flatten()
}

fn try_item(item: &Object<'_>, body: &str) -> Result<Option<Turn>, Ambiguous> {
    let kind = text_field(item, "type")?;
    let turn = match kind.as_deref() {
        None | Some("message") if !(kind.is_none() && item.has("type")) => return message(item, body),
        Some("function_call") => called(item, call(item, "arguments"))?,
        Some("custom_tool_call") => called(item, call(item, "input"))?,
        Some("local_shell_call") => called(item, acts(item, "local_shell")?)?,
        Some("shell_call") => called(item, acts(item, "shell")?)?,
        Some("function_call_output" | "custom_tool_call_output" | "local_shell_call_output") => {
            let texts = item.field("output")?.map(|output| texts(output, &TEXTS, body));
            Turn::spoken(Role::Tool, texts.unwrap_or_default(), id(item)?)
        }
        Some("shell_call_output") => Turn::spoken(Role::Tool, streams(item, body)?, id(item)?),
        Some("mcp_call") => {
            let output = item.field("output")?.filter(|output| is_string(output));
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
    let user = text_field(item, "role")?.is_some_and(|role| role == "user");
    let content = item.field("content")?.filter(|_| user);
    Ok(content.map(|content| Turn::spoken(Role::User, texts(content, &TEXTS, body), None)))
}

/// A call under each id by which its output may name it.
fn called(item: &Object<'_>, call: Option<Call>) -> Result<Turn, Ambiguous> {
    let Some(call) = call else { return Ok(Turn::default()) };
    let ids = [text_field(item, "call_id")?, text_field(item, "id")?];
    Ok(Turn::calls(ids.into_iter().flatten().map(|id| (CallId::Id(id), call.clone())).collect()))
}

/// The call of a tool that is the provider's own: what it does stands in `action`.
fn acts(item: &Object<'_>, name: &str) -> Result<Option<Call>, Ambiguous> {
    let action = item.field("action")?;
    Ok(action.map(|action| Call { name: name.to_owned(), arguments: action.get().to_owned() }))
}

fn id(item: &Object<'_>) -> Result<Option<CallId>, Ambiguous> {
    Ok(text_field(item, "call_id")?.or(text_field(item, "id")?).map(CallId::Id))
}

/// What a shell wrote, command by command.
fn streams(item: &Object<'_>, body: &str) -> Result<Vec<Text>, Ambiguous> {
    let commands = item.field("output")?.and_then(json::array).unwrap_or_default();
    let streams = commands.into_iter().enumerate().flat_map(|(index, command)| {
        let command = json::object(command.get());
        ["stdout", "stderr"].map(|name| text(command.as_ref()?.field(name).ok()??, Some(index), body))
    });
    Ok(streams.flatten().collect())
}

/// The parts that are text. `text` is what compatible servers take besides.
const TEXTS: [&str; 2] = ["input_text", "text"];

#[cfg(test)]
mod tests;
