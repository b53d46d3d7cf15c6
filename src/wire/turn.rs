//! One turn of a conversation, as far as slots are concerned, and how surfaces read its parts.

use std::{borrow::Cow, ops::Range, sync::Arc};

use super::{
    Call, Role,
    json::{Ambiguous, Object, Raw},
};

/// What a message or an item says: the texts that may be replaced, and the calls that later ones answer.
#[derive(Debug, Default)]
pub(super) struct Turn {
    pub(super) calls: Vec<Called>,
    pub(super) spoken: Vec<Spoken>,
}

/// A call, and how its result names it.
pub(super) type Called = (CallId, Arc<Call>);

/// What one speaker says: a user, or a tool in answer to one call.
#[derive(Debug)]
pub(super) struct Spoken {
    pub(super) role: Role,
    pub(super) texts: Vec<Text>,
    pub(super) answers: Option<CallId>,
}

/// A text, never empty, and where its literal stands in the body.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) literal: Range<usize>,
    pub(super) part: Option<usize>,
    pub(super) text: Arc<str>,
}

/// How a tool's result names the call that it answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum CallId {
    /// By its id.
    Id(String),
    /// By the function's name, as in the older `function_call` of chat completions.
    Function(String),
}

impl Turn {
    /// Of one speaker.
    pub(super) fn spoken(role: Role, texts: Vec<Text>, answers: Option<CallId>) -> Self {
        Self { calls: Vec::new(), spoken: vec![Spoken { role, texts, answers }] }
    }

    /// Whether it is the assistant's: whatever comes behind it is new to the model.
    pub(super) fn is_of_assistant(&self) -> bool {
        self.spoken.is_empty() || !self.calls.is_empty()
    }

    /// Of calls alone.
    pub(super) fn calls(calls: Vec<Called>) -> Self {
        Self { calls, spoken: Vec::new() }
    }
}

/// String content, or the texts of the parts of a list whose type is one of `kinds`.
pub(super) fn texts(content: Raw<'_>, kinds: &[&str], body: &str) -> Vec<Text> {
    if content.is_string() {
        return text(content, None, body).into_iter().collect();
    }
    let parts = content.array().unwrap_or_default();
    let part = |(index, part): (usize, Raw<'_>)| part_text(&part.object()?, kinds, index, body);
    parts.into_iter().enumerate().filter_map(part).collect()
}

/// The text of a part whose type is one of `kinds`.
pub(super) fn part_text(part: &Object<'_>, kinds: &[&str], index: usize, body: &str) -> Option<Text> {
    let kind = word(part, "type").ok()??;
    let value = part.field("text").ok()??;
    if kinds.contains(&&*kind) { text(value, Some(index), body) } else { None }
}

/// The text that a string literal is.
pub(super) fn text(value: Raw<'_>, part: Option<usize>, body: &str) -> Option<Text> {
    let text = value.string().filter(|text| !text.is_empty())?;
    Some(Text { literal: value.span(body)?, part, text: text.into() })
}

/// The string that a field is, to be compared.
pub(super) fn word<'a>(object: &Object<'a>, name: &str) -> Result<Option<Cow<'a, str>>, Ambiguous> {
    Ok(object.field(name)?.and_then(Raw::string))
}

/// The string that a field is, to be kept.
pub(super) fn text_field(object: &Object<'_>, name: &str) -> Result<Option<String>, Ambiguous> {
    Ok(word(object, name)?.map(Cow::into_owned))
}

/// A call by the name and the arguments (a string) that an object has.
pub(super) fn call(object: &Object<'_>, arguments: &str) -> Option<Arc<Call>> {
    let name = text_field(object, "name").ok()??;
    let arguments = text_field(object, arguments).ok()?.unwrap_or_default();
    Some(Arc::new(Call { name, arguments }))
}
