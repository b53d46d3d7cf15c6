//! What is asked of a slot: the texts beside it, the user's words before it, the call that it answers.

use std::{collections::HashMap, sync::Arc};

use super::{
    Call, Role, Slot,
    turn::{CallId, Called, Spoken, Text},
};

/// The conversation so far.
#[derive(Debug, Default)]
pub(super) struct Asked {
    preceding: Option<Arc<str>>,
    calls: HashMap<CallId, Noted>,
    noted: u64,
}

/// A call, and the how-manieth it is.
#[derive(Debug)]
struct Noted {
    call: Arc<Call>,
    at: u64,
}

impl Asked {
    /// The slots of a message in the light of what precedes it.
    pub(super) fn slots(&self, message: usize, spoken: &Spoken) -> Vec<Slot> {
        let call = spoken.answers.as_ref().and_then(|id| self.calls.get(id)).map(|noted| &noted.call);
        let slot = |(at, own): (usize, &Text)| {
            let most = own.text.len().min(MOST_ASKED);
            let told = most.max(LEAST_CALL);
            Slot {
                literal: own.literal.clone(),
                text: Arc::clone(&own.text),
                role: spoken.role,
                message,
                part: own.part,
                siblings: siblings(&spoken.texts, at, most),
                preceding: self.preceding.as_ref().map(|text| ends(text, most)),
                call: call.map(|call| Call { name: ends(&call.name, told), arguments: ends(&call.arguments, told) }),
            }
        };
        spoken.texts.iter().enumerate().map(slot).collect()
    }

    /// Remembers what the user said.
    pub(super) fn hear(&mut self, spoken: &Spoken) {
        if spoken.role != Role::User {
            return;
        }
        match spoken.texts.as_slice() {
            [] => {}
            [one] => self.preceding = Some(Arc::clone(&one.text)),
            several => {
                let texts: Vec<&str> = several.iter().map(|text| &*text.text).collect();
                self.preceding = Some(texts.join("\n").into());
            }
        }
    }

    /// After these calls, and what the user said last.
    pub(super) fn after(calls: &[Called], preceding: Option<Arc<str>>) -> Self {
        let mut asked = Self { preceding, ..Self::default() };
        asked.note(calls.iter().cloned());
        asked
    }

    /// What the user said last.
    pub(super) fn preceding(&self) -> Option<Arc<str>> {
        self.preceding.clone()
    }

    /// Remembers what the assistant called; a later call of the same id takes the place of an earlier one.
    pub(super) fn note(&mut self, calls: impl IntoIterator<Item = Called>) {
        for (id, call) in calls {
            self.noted += 1;
            self.calls.insert(id, Noted { call, at: self.noted });
        }
    }

    /// Keeps of it what a slot can carry, and no more than the last `most` calls.
    pub(super) fn keep(&mut self, most: usize) {
        self.preceding = self.preceding.take().map(|text| ends(&text, MOST_ASKED).into());
        let first = self.noted.saturating_sub(most as u64);
        self.calls.retain(|_, noted| noted.at > first);
        for Noted { call, .. } in self.calls.values_mut() {
            if call.name.len().max(call.arguments.len()) > MOST_ASKED {
                let [name, arguments] = [&call.name, &call.arguments].map(|text| ends(text, MOST_ASKED));
                *call = Arc::new(Call { name, arguments });
            }
        }
    }
}

/// The most bytes of each kind of context that a slot carries. A longer one is cut to its beginning and end, where
/// questions stand; the bound keeps the slots of a body linear in the body.
const MOST_ASKED: usize = 8 * 1024;

/// Bytes of a call's name and of its arguments that a slot carries however short it is: they say which tool it was.
const LEAST_CALL: usize = 128;

/// The other texts of a message; past `most` bytes only from both ends inwards.
fn siblings(texts: &[Text], own: usize, most: usize) -> Vec<String> {
    let (before, after) = (texts.get(..own).unwrap_or_default(), texts.get(own + 1..).unwrap_or_default());
    let others = || before.iter().chain(after).map(|text| &*text.text);
    let (mut taken, whole) = take(others(), most, start);
    if !whole {
        let (tail, _) = take(others().rev(), most / 2, end);
        taken = take(others(), most / 2, start).0;
        taken.extend(tail.into_iter().rev());
    }
    taken.into_iter().map(str::to_owned).collect()
}

/// Texts until `most` bytes are spent, the last one cut; and whether these are all.
fn take<'a>(
    texts: impl Iterator<Item = &'a str>,
    most: usize,
    cut: fn(&'a str, usize) -> &'a str,
) -> (Vec<&'a str>, bool) {
    let mut taken = Vec::new();
    let mut left = most;
    for text in texts {
        let piece = cut(text, left);
        left -= piece.len();
        if !piece.is_empty() {
            taken.push(piece);
        }
        if piece.len() < text.len() {
            return (taken, false);
        }
    }
    (taken, true)
}

/// A text of at most `most` bytes: all of it, or its beginning and its end on two lines.
fn ends(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let half = most / 2;
    [start(text, half), end(text, most.saturating_sub(half + 1))].join("\n")
}

fn start(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or_default()
}

fn end(text: &str, most: usize) -> &str {
    text.get(text.ceil_char_boundary(text.len().saturating_sub(most))..).unwrap_or_default()
}
