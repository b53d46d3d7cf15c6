//! One message of a conversation, as far as slots are concerned.

use std::ops::Range;

use serde_json::value::RawValue;

use super::{
    Call, Role,
    json::{self, Ambiguous, Object},
};

/// A message that has slots or says what later ones answer.
#[derive(Debug)]
pub(super) enum Message {
    /// Of the user or a tool.
    Spoken(Spoken),
    /// Of the assistant, with calls.
    Calls(Vec<(CallId, Call)>),
}

/// A message of the user or a tool.
#[derive(Debug)]
pub(super) struct Spoken {
    pub(super) role: Role,
    pub(super) texts: Vec<Text>,
    pub(super) answers: Option<CallId>,
}

/// A text of a message, never empty, and where its literal stands in the body.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) literal: Range<usize>,
    pub(super) part: Option<usize>,
    pub(super) text: String,
}

/// How a tool message names the call that it answers.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) enum CallId {
    /// `tool_call_id`.
    Id(String),
    /// The function's name, as in the older `function_call`.
    Function(String),
}

impl Message {
    /// Reads a message; `None` when it has another role, another shape, or fields on which readers may disagree.
    pub(super) fn read(value: &RawValue, body: &str) -> Option<Self> {
        Self::try_read(&json::object(value.get())?, body).ok().flatten()
    }

    fn try_read(message: &Object<'_>, body: &str) -> Result<Option<Self>, Ambiguous> {
        let Some(role) = message.field("role")?.and_then(json::string) else {
            return Ok(None);
        };
        let (role, answers) = match role.as_str() {
            "user" => (Role::User, None),
            "tool" => (Role::Tool, text_field(message, "tool_call_id")?.map(CallId::Id)),
            "function" => (Role::Tool, text_field(message, "name")?.map(CallId::Function)),
            "assistant" => return calls(message).map(Self::Calls).map(Some),
            _ => return Ok(None),
        };
        let Some(content) = message.field("content")? else {
            return Ok(None);
        };
        Ok(Some(Self::Spoken(Spoken { role, texts: texts(content, body), answers })))
    }
}

/// String content, or the text parts of a list.
fn texts(content: &RawValue, body: &str) -> Vec<Text> {
    if content.get().starts_with('"') {
        return text(content, None, body).into_iter().collect();
    }
    let Some(parts) = json::array(content) else {
        return Vec::new();
    };
    let part = |(index, part): (usize, &RawValue)| {
        let part = json::object(part.get())?;
        let kind = text_field(&part, "type").ok()??;
        let value = part.field("text").ok()??;
        if kind == "text" { text(value, Some(index), body) } else { None }
    };
    parts.into_iter().enumerate().filter_map(part).collect()
}

fn text(value: &RawValue, part: Option<usize>, body: &str) -> Option<Text> {
    let text = json::string(value).filter(|text| !text.is_empty())?;
    Some(Text { literal: json::span(value, body)?, part, text })
}

/// The calls of an assistant message: functions, custom tools, and the older single function call.
fn calls(message: &Object<'_>) -> Result<Vec<(CallId, Call)>, Ambiguous> {
    let tools = message.field("tool_calls")?.and_then(json::array).unwrap_or_default();
    let tools = tools.into_iter().filter_map(|value| {
        let tool = json::object(value.get())?;
        let id = text_field(&tool, "id").ok()??;
        let call = match tool.field("function").ok()? {
            Some(function) => call(function, "arguments")?,
            None => call(tool.field("custom").ok()??, "input")?,
        };
        Some((CallId::Id(id), call))
    });
    let function = message.field("function_call")?.and_then(|value| call(value, "arguments"));
    let function = function.map(|call| (CallId::Function(call.name.clone()), call));
    Ok(tools.chain(function).collect())
}

fn call(value: &RawValue, arguments: &str) -> Option<Call> {
    let call = json::object(value.get())?;
    let name = text_field(&call, "name").ok()??;
    let arguments = text_field(&call, arguments).ok()?.unwrap_or_default();
    Some(Call { name, arguments })
}

fn text_field(object: &Object<'_>, name: &str) -> Result<Option<String>, Ambiguous> {
    Ok(object.field(name)?.and_then(json::string))
}
