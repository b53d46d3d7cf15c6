//! A conversation, read turn by turn, and where in a body its turns end.

use std::{ops::Range, sync::Arc};

use super::{
    Slot, Written,
    asked::Asked,
    json::Raw,
    turn::{Called, Turn},
    written,
};

/// A conversation, as far as it is read.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    asked: Asked,
    pub(super) slots: Vec<Arc<Slot>>,
    pub(super) written: Vec<Arc<Written>>,
    /// The index of the first message behind the last one of the assistant.
    pub(super) new: usize,
    /// All that was called, in its order.
    pub(super) calls: Vec<Called>,
    messages: usize,
    /// Where the first message begins.
    pub(super) first: Option<usize>,
    /// Where messages end, some bytes apart from each other.
    pub(super) ends: Vec<End>,
    gap: Gap,
}

/// The end of a message, and what was read up to there.
#[derive(Debug, Clone)]
pub(super) struct End {
    /// Its place in the body.
    pub(super) at: usize,
    pub(super) slots: usize,
    pub(super) written: usize,
    messages: usize,
    calls: usize,
    new: usize,
    preceding: Option<Arc<str>>,
}

/// What is left out of a body while the rest is read: one empty list stands for several messages.
#[derive(Debug, Default)]
pub(super) struct Gap {
    /// Where that list begins.
    pub(super) at: usize,
    /// Bytes that the messages have more than the list.
    pub(super) more: usize,
}

impl Conversation {
    /// One that goes on after this.
    pub(super) fn after(asked: Asked) -> Self {
        Self { asked, ..Self::default() }
    }

    /// One that is read of a body with a gap that is none of its own.
    pub(super) fn with(gap: Gap) -> Self {
        Self { gap, ..Self::default() }
    }

    /// One of which messages were read before, up to an end; an empty list stands for them in what is read now.
    pub(super) fn resumed(
        end: &End,
        (slots, written, calls): (&[Arc<Slot>], &[Arc<Written>], &[Called]),
        ends: &[End],
        gap: Gap,
    ) -> Option<Self> {
        let calls = calls.get(..end.calls)?;
        Some(Self {
            asked: Asked::after(calls, end.preceding.clone()),
            slots: slots.get(..end.slots)?.to_vec(),
            written: written.get(..end.written)?.to_vec(),
            new: end.new,
            calls: calls.to_vec(),
            // The list that stands for them is counted as it is read.
            messages: end.messages.checked_sub(1)?,
            first: None,
            ends: ends.iter().take_while(|before| before.at <= end.at).cloned().collect(),
            gap,
        })
    }

    /// What later turns are answered in the light of.
    pub(super) fn asked(self) -> Asked {
        self.asked
    }

    /// Reads the turns that follow.
    pub(super) fn read<'a>(
        &mut self,
        turns: impl IntoIterator<Item = Raw<'a>>,
        body: &str,
        read: impl Fn(Raw<'a>) -> Option<Turn>,
    ) {
        for value in turns {
            let message = self.messages;
            self.messages += 1;
            if let Some(turn) = read(value) {
                self.add(message, turn);
            }
            let Some(span) = value.span(body) else { continue };
            let span = self.place(span);
            self.first.get_or_insert(span.start);
            // Only an object ends where it ends, whatever follows: a number may go on.
            if value.get().starts_with('{') {
                self.end(span.end);
            }
        }
    }

    fn add(&mut self, message: usize, turn: Turn) {
        if turn.is_of_assistant() {
            self.new = message + 1;
        }
        let Turn { calls, spoken } = turn;
        written::note(&mut self.written, message, &calls);
        self.calls.extend(calls.iter().cloned());
        self.asked.note(calls);
        let before = self.slots.len();
        for slot in spoken.iter().flat_map(|spoken| self.asked.slots(message, spoken)) {
            let literal = self.place(slot.literal);
            self.slots.push(Arc::new(Slot { literal, ..slot }));
        }
        // A message may have its parts in any order.
        if let Some(own) = self.slots.get_mut(before..) {
            own.sort_by_key(|slot| slot.literal.start);
        }
        spoken.iter().for_each(|spoken| self.asked.hear(spoken));
    }

    fn end(&mut self, at: usize) {
        if self.ends.last().is_some_and(|last| at < last.at + APART) {
            return;
        }
        self.ends.push(End {
            at,
            slots: self.slots.len(),
            written: self.written.len(),
            messages: self.messages,
            calls: self.calls.len(),
            new: self.new,
            preceding: self.asked.preceding(),
        });
    }

    /// Where something stands in the body.
    pub(super) fn place(&self, Range { start, end }: Range<usize>) -> Range<usize> {
        self.gap.place(start)..self.gap.place(end)
    }
}

impl Gap {
    fn place(&self, at: usize) -> usize {
        if at <= self.at { at } else { at + self.more }
    }
}

/// Bytes between the ends that are noted, so that the ends of a body of very many messages are small beside it.
const APART: usize = if cfg!(test) { 16 } else { 512 };
