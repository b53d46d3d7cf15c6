//! A body whose beginning was read before. The next request of a conversation has the bytes of the one before it and some
//! messages more, so what was found in these bytes is taken over, and only what follows is read.
//!
//! For the messages that are known one empty list is read, so that the rest is read in its place by the same reader: a list
//! of values is valid where it is valid with another value instead of some of them. What stands before and behind the
//! messages is read each time. Nothing but the time that it takes tells a body that was read so from one that was read anew.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    Call, Located, Slot, Surface, Unreadable, Written,
    conversation::{Conversation, End, Gap},
    turn::Called,
};

/// A body that was read, and what was found up to the end of each of its messages.
#[derive(Debug)]
pub struct Beginning {
    surface: Surface,
    body: Bytes,
    /// Where the first message begins.
    first: usize,
    slots: Vec<Arc<Slot>>,
    written: Vec<Arc<Written>>,
    calls: Vec<Called>,
    ends: Vec<End>,
}

/// What was read of a body.
#[derive(Debug)]
pub struct Reading {
    /// What was found, taken over or read.
    pub located: Located,
    /// How many of the slots were taken over.
    pub slots: usize,
    /// To read the next body by; `None` where no message ends in this one.
    pub beginning: Option<Beginning>,
}

/// Finds the slots of a body as [`locate`](super::locate) does. It begins with so many bytes as another one did (see
/// [`Beginning::reaches`]), and what was found in them is taken over.
///
/// # Errors
/// When the body cannot be read; see [`Unreadable`].
pub fn locate_on(surface: Surface, body: &Bytes, known: Option<(&Beginning, usize)>) -> Result<Reading, Unreadable> {
    if let Some(reading) = known.and_then(|(known, bytes)| known.go_on(surface, body, bytes)) {
        return reading;
    }
    let mut conversation = Conversation::default();
    let located = surface.read(super::text(body)?, &mut conversation)?;
    Ok(Reading::of(surface, body, located, conversation, 0))
}

impl Beginning {
    /// Bytes of a body that are known to begin it, up to the end of a message; 0 where that is less than half of it.
    #[must_use]
    pub fn reaches(&self, surface: Surface, body: &[u8]) -> usize {
        if surface != self.surface {
            return 0;
        }
        self.last(common(&self.body, body)).map(|end| end.at).filter(|at| *at >= body.len() / 2).unwrap_or_default()
    }

    /// How many slots were found in the body.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Bytes that it takes, about; texts that others hold as well are counted.
    #[must_use]
    pub fn weight(&self) -> usize {
        let call = |call: &Call| size_of::<Call>() + call.name.len() + call.arguments.len();
        let slot = |slot: &Arc<Slot>| {
            let beside = slot.siblings.iter().chain(&slot.preceding).map(String::len).sum::<usize>();
            size_of::<Slot>() + slot.text.len() + beside + slot.call.as_ref().map_or(0, call)
        };
        let written = |written: &Arc<Written>| size_of::<Written>() + call(&written.call) + written.text.len();
        let called = |(_, of): &Called| size_of::<Called>() + call(of);
        self.body.len()
            + self.slots.iter().map(slot).sum::<usize>()
            + self.written.iter().map(written).sum::<usize>()
            + self.calls.iter().map(called).sum::<usize>()
            + size_of_val(self.ends.as_slice())
    }

    /// The last end within so many bytes.
    fn last(&self, bytes: usize) -> Option<&End> {
        self.ends.get(self.ends.partition_point(|end| end.at <= bytes).checked_sub(1)?)
    }

    /// Reads what follows so many bytes of a body; `None` where they are none.
    fn go_on(&self, surface: Surface, body: &Bytes, bytes: usize) -> Option<Result<Reading, Unreadable>> {
        let end = self.last(bytes)?;
        let (before, rest) = (body.get(..self.first)?, body.get(end.at..)?);
        let more = end.at.checked_sub(self.first + INSTEAD.len())?;
        let known = (self.slots.as_slice(), self.written.as_slice(), self.calls.as_slice());
        let mut conversation = Conversation::resumed(end, known, &self.ends, Gap { at: self.first, more })?;
        let read = || {
            let rest = [super::text(before)?, INSTEAD, super::text(rest)?].concat();
            let mut slots = end.slots;
            let mut located = surface.read(&rest, &mut conversation)?;
            if conversation.first != Some(self.first) {
                // What follows has made another list that of the messages.
                conversation = Conversation::with(Gap { at: self.first, more });
                located = surface.read(&rest, &mut conversation)?;
                slots = 0;
            }
            Ok(Reading::of(surface, body, located, conversation, slots))
        };
        Some(read())
    }
}

impl Reading {
    fn of(surface: Surface, body: &Bytes, located: Located, conversation: Conversation, slots: usize) -> Self {
        let Conversation { first, calls, ends, .. } = conversation;
        let beginning = first.filter(|_| !ends.is_empty()).map(|first| Beginning {
            surface,
            body: body.clone(),
            first,
            slots: located.slots.clone(),
            written: located.written.clone(),
            calls,
            ends,
        });
        Self { located, slots, beginning }
    }
}

/// Stands for the messages that are known. No message of any surface, and whatever follows is no part of it.
const INSTEAD: &str = "[]";

/// Bytes that two texts begin with alike.
fn common(one: &[u8], other: &[u8]) -> usize {
    let pairs = one.chunks(STRETCH).zip(other.chunks(STRETCH));
    let alike = pairs.take_while(|(one, other)| one == other).map(|(one, _)| one.len()).sum();
    let [one, other] = [one, other].map(|text| text.get(alike..).unwrap_or_default().iter());
    alike + one.zip(other).take_while(|(one, other)| one == other).count()
}

/// Bytes that are compared at once.
const STRETCH: usize = 4096;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::locate, *};

    /// Messages of all surfaces, and what is none.
    fn message() -> impl Strategy<Value = String> {
        let text = "[a-z\\\\ ]{0,12}|(line of a text\n){40}|é😀|<system-reminder>r</system-reminder>"
            .prop_map(|text| serde_json::Value::from(text).to_string());
        let id = "[ab]";
        prop_oneof![
            4 => ("user|assistant|system|tool", text.clone(), id).prop_map(|(role, text, id)| {
                format!(r#"{{"role":"{role}","tool_call_id":"{id}","content":{text}}}"#)
            }),
            2 => (text.clone(), text.clone(), id).prop_map(|(one, other, id)| format!(
                r#"{{"role": "user", "content": [{{"type":"tool_result","tool_use_id":"{id}","content":{one}}},
                    {{"text":{other},"type":"text","cache_control":{{}}}}]}}"#
            )),
            2 => (text.clone(), id).prop_map(|(text, id)| format!(
                r#"{{"role":"assistant","content":[{{"type":"tool_use","id":"{id}","name":"f","input":{{"text":{text}}}}}],
                    "tool_calls":[{{"id":"{id}","function":{{"name":"g","arguments":{text}}}}}]}}"#
            )),
            2 => (text.clone(), id).prop_map(|(text, id)| format!(
                r#"{{"type":"function_call","call_id":"{id}","name":"f","arguments":{text}}} , {{"type":"function_call_output","call_id":"{id}","output":{text}}}"#
            )),
            1 => text,
            1 => Just(r#"{"role":"user","Content":"x","content":"y"}"#.to_owned()),
            1 => prop::sample::select(vec!["1", "-0.5", "null", "[]", "{}", "[{}, {\"a\": [\"]\"]}]"]).prop_map(str::to_owned),
        ]
    }

    fn fields() -> impl Strategy<Value = String> {
        let field = prop::sample::select(vec![
            r#""model":"m""#,
            r#""Messages":[]"#,
            r#""messages":[{"role":"user","content":"other"}]"#,
            r#""input":[{"role":"user","content":"other"}]"#,
            r#""input":"text""#,
            r#""truncation":"auto""#,
            r#""response_format":{"type":"json_object"}"#,
            r#""text":{"format":{"type":"json_object"}}"#,
            r#""previous_response_id":"r""#,
            r#""tools":[{"name":"f","description":"a \"quoted\" } ] text"}]"#,
            r#""x":{"messages":[{"role":"user","content":"inside"}]}"#,
        ]);
        prop::collection::vec(field, 0..2).prop_map(|fields| fields.join(","))
    }

    #[derive(Debug, Clone)]
    enum Next {
        Message(String),
        Behind(String),
        Cut(prop::sample::Index),
        Byte(prop::sample::Index, char),
    }

    fn next() -> impl Strategy<Value = Next> {
        prop_oneof![
            4 => message().prop_map(Next::Message),
            1 => fields().prop_map(Next::Behind),
            1 => any::<prop::sample::Index>().prop_map(Next::Cut),
            2 => (any::<prop::sample::Index>(), prop::sample::select(vec![' ', ',', '"', '0', '.', ']', '}', '{', '[', '\\', 'é', 'm']))
                .prop_map(|(at, byte)| Next::Byte(at, byte)),
        ]
    }

    fn written(before: &str, list: &str, messages: &[String], behind: &str) -> String {
        let list = format!("\"{list}\" : [ {}]", messages.join(", "));
        let fields: Vec<&str> = [before, &list, behind].into_iter().filter(|fields| !fields.is_empty()).collect();
        format!("{{{}}}", fields.join(","))
    }

    proptest! {
        #[test]
        fn a_body_whose_beginning_is_known_is_read_as_anew(
            (before, list, mut messages, mut behind) in (fields(), "messages|messages|input", prop::collection::vec(message(), 1..6), fields()),
            nexts in prop::collection::vec(next(), 1..6),
        ) {
            for surface in [Surface::ChatCompletions, Surface::Responses, Surface::Messages] {
                let mut known: Option<Beginning> = None;
                let mut body = written(&before, &list, &messages, &behind);
                for next in &nexts {
                    let bytes = Bytes::from(body.clone());
                    let reaches = known.as_ref().map_or(0, |known| known.reaches(surface, &bytes));
                    let read = locate_on(surface, &bytes, known.as_ref().map(|known| (known, reaches)));
                    let anew = locate(surface, &bytes);
                    prop_assert_eq!(read.as_ref().map(|read| &read.located), anew.as_ref(), "{}", body);
                    known = read.ok().and_then(|read| read.beginning).or(known);
                    match next {
                        Next::Message(message) => messages.push(message.clone()),
                        Next::Behind(fields) => behind.clone_from(fields),
                        Next::Cut(_) | Next::Byte(..) => {}
                    }
                    body = written(&before, &list, &messages, &behind);
                    match next {
                        Next::Cut(at) => body.truncate(body.floor_char_boundary(at.index(body.len()))),
                        Next::Byte(at, byte) => body.insert(body.floor_char_boundary(at.index(body.len())), *byte),
                        Next::Message(_) | Next::Behind(_) => {}
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_known_is_shared_and_what_follows_is_read() {
        let said = |count: usize| -> Vec<String> {
            let text = "says what there is to say, ".repeat(30);
            (0..count).map(|at| format!(r#"{{"role":"user","content":"{at} {text}"}}"#)).collect()
        };
        let read = |count, known: Option<&Beginning>| {
            let body = Bytes::from(written("\"model\":\"m\"", "messages", &said(count), "\"stream\":true"));
            let reaches = known.map_or(0, |known| known.reaches(Surface::Messages, &body));
            locate_on(Surface::Messages, &body, known.map(|known| (known, reaches))).unwrap()
        };
        let first = read(5, None);
        assert_eq!((first.slots, first.located.slots.len()), (0, 5));
        let second = read(7, first.beginning.as_ref());
        assert_eq!((second.slots, second.located.slots.len()), (5, 7));
        assert!(Arc::ptr_eq(&first.located.slots[4], &second.located.slots[4]));
        let shorter = read(3, second.beginning.as_ref());
        assert_eq!((shorter.slots, shorter.located.slots.len()), (3, 3));
        assert_eq!(first.beginning.unwrap().reaches(Surface::Responses, &Bytes::new()), 0);
    }

    #[test]
    fn bytes_are_alike_up_to_the_first_that_differs() {
        let text = "0123456789".repeat(1000);
        for at in [0, 1, 4095, 4096, 4097, 9999] {
            let mut other = text.clone().into_bytes();
            other[at] = b'x';
            assert_eq!(common(text.as_bytes(), &other), at);
            assert_eq!(common(&text.as_bytes()[..at], text.as_bytes()), at);
        }
        assert_eq!(common(text.as_bytes(), text.as_bytes()), text.len());
    }
}
