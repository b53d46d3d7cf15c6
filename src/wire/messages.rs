//! Messages. Slots are the text of user messages (string content or `text` blocks) and of the tool results in them.
//!
//! Never a slot: `system`, what the assistant said or thought (thinking is signed), documents, images, search results,
//! and blocks of a type that is not known here. A `cache_control` beside a text stays where it is, byte for byte.
//!
//! Agents put what they want to remind the model of into user turns, between `<system-reminder>` tags. It is addressed
//! to the model, word for word, and it is not what the user asks: such a text is no slot and precedes nothing.
//!
//! A tool's result comes before the texts of its message, and the cache of the provider may end between them. So those
//! texts are no siblings of it: a text that is put behind it later leaves its form alone.

use std::sync::Arc;

use super::{
    Call, Located, Role, Unreadable,
    conversation::Conversation,
    json::{Ambiguous, Object, Raw},
    turn::{CallId, Called, Spoken, Text, Turn, part_text, text, text_field, texts, word},
};

/// The slots of a request.
pub(super) fn read(request: &Object<'_>, body: &str, conversation: &mut Conversation) -> Result<Located, Unreadable> {
    conversation.read(super::list(request, "messages")?, body, |value| message(value, body));
    Ok(Located::of(request, body, conversation, false))
}

/// A message; `None` when it has another role, another shape, or fields on which readers may disagree.
fn message(value: Raw<'_>, body: &str) -> Option<Turn> {
    try_message(&value.object()?, body).ok().flatten()
}

fn try_message(message: &Object<'_>, body: &str) -> Result<Option<Turn>, Ambiguous> {
    let role = word(message, "role")?;
    let Some(content) = message.field("content")? else { return Ok(None) };
    match role.as_deref() {
        Some("user") => Ok(Some(Turn { calls: Vec::new(), spoken: spoken(content, body) })),
        Some("assistant") => Ok(Some(Turn::calls(calls(content)))),
        _ => Ok(None),
    }
}

/// What the tools gave back, each for itself, and what the user says.
fn spoken(content: Raw<'_>, body: &str) -> Vec<Spoken> {
    if content.is_string() {
        return vec![of_user(text(content, None, body).into_iter().collect())];
    }
    let (mut spoken, mut said) = (Vec::new(), Vec::new());
    for (index, value) in content.array().unwrap_or_default().into_iter().enumerate() {
        let Some(block) = value.object() else { continue };
        match word(&block, "type").ok().flatten().as_deref() {
            Some("text") => said.extend(part_text(&block, &["text"], index, body)),
            Some("tool_result") => spoken.extend(result(&block, index, body).ok().flatten()),
            _ => {}
        }
    }
    spoken.push(of_user(said));
    spoken
}

fn of_user(mut texts: Vec<Text>) -> Spoken {
    texts.retain(|text| !is_reminder(&text.text));
    Spoken { role: Role::User, texts, answers: None }
}

fn result(block: &Object<'_>, index: usize, body: &str) -> Result<Option<Spoken>, Ambiguous> {
    let answers = text_field(block, "tool_use_id")?.map(CallId::Id);
    let Some(content) = block.field("content")? else { return Ok(None) };
    let mut texts = texts(content, &["text"], body);
    texts.iter_mut().for_each(|text| text.part = Some(index));
    Ok(Some(Spoken { role: Role::Tool, texts, answers }))
}

/// The tools that an assistant message uses.
fn calls(content: Raw<'_>) -> Vec<Called> {
    let call = |value: Raw<'_>| {
        let block = value.object()?;
        let uses = word(&block, "type").ok()?.is_some_and(|kind| kind == "tool_use");
        let id = text_field(&block, "id").ok()?.filter(|_| uses)?;
        let name = text_field(&block, "name").ok()??;
        let arguments = block.field("input").ok()?.map_or_else(String::new, |input| input.get().to_owned());
        Some((CallId::Id(id), Arc::new(Call { name, arguments })))
    };
    content.array().unwrap_or_default().into_iter().filter_map(call).collect()
}

/// Whether a text is nothing but reminders.
fn is_reminder(text: &str) -> bool {
    let mut rest = text.trim();
    while let Some((_, after)) = rest.strip_prefix(OPEN).and_then(|inside| inside.split_once(CLOSE)) {
        rest = after.trim_start();
    }
    rest.is_empty()
}

const OPEN: &str = "<system-reminder>";
const CLOSE: &str = "</system-reminder>";

#[cfg(test)]
mod tests;
