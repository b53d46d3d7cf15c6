//! What the texts of one request repeat of earlier ones, and in which order they are decided because of it: a text that
//! refers to another one can do so only once it is known what of that one is forwarded word for word.

use std::collections::HashMap;

use crate::{
    compress::{Condensation, Nth, Passages, Place, Seen},
    wire::{Call, Located, Role, Slot},
};

/// The slots of a request in the light of earlier ones.
#[derive(Debug)]
pub(super) struct Earlier {
    passages: Passages,
    kin: Kin,
}

impl Earlier {
    /// Reads the slots, but for those in which passages are marked: what is sent of them is not what is read.
    pub(super) fn of(located: &Located, tagged: &[usize]) -> Self {
        let slots = &located.slots;
        let is_compared = |at: usize| !located.forgets && tagged.binary_search(&at).is_err();
        let texts = slots.iter().enumerate();
        let texts: Vec<&str> = texts.map(|(at, slot)| if is_compared(at) { &*slot.text } else { "" }).collect();
        Self { passages: Passages::of(&texts), kin: Kin::of(slots) }
    }

    /// The turns in which slots are decided, of which `considered` are not forwarded as they are: a slot comes after all
    /// that it may refer to. What others may refer to and is not decided stands.
    pub(super) fn turns(&mut self, slots: &[Slot], considered: &[usize]) -> Turns {
        let mut turns = Turns { of: vec![0; slots.len()], referred: vec![false; slots.len()] };
        for slot in considered {
            let mut turn = 1;
            for of in self.passages.referred(*slot) {
                turn = turn.max(turns.of.get(of).map_or(0, |of| of + 1));
                if let Some(referred) = turns.referred.get_mut(of) {
                    *referred = true;
                }
            }
            if let Some(of) = turns.of.get_mut(*slot) {
                *of = turn;
            }
        }
        for (at, slot) in slots.iter().enumerate() {
            if turns.is_referred(at) && turns.of(at) == 0 {
                let whole = 0..slot.text.len();
                let whole = std::slice::from_ref(&whole);
                self.passages.note(at, whole, whole);
            }
        }
        turns
    }

    /// A slot is forwarded as this.
    pub(super) fn condensed(&mut self, slot: usize, text: &str, condensation: &Condensation) {
        self.passages.note(slot, &condensation.exact(text.len()), &condensation.lossless(text.len()));
    }

    /// What of a slot stands in earlier ones.
    pub(super) fn seen(&mut self, slots: &[Slot], slot: usize) -> Vec<Seen> {
        let kin = &self.kin;
        self.passages.seen(slot, |of| {
            let nth = kin.nth(of, slot);
            let call = slots.get(of).and_then(|slot| slot.call.as_ref());
            match slots.get(of).map(|slot| slot.role) {
                Some(Role::User) => Place::User(nth),
                _ => Place::Tool(call.map(|Call { name, arguments }| (name.as_str(), arguments.as_str())), nth),
            }
        })
    }
}

/// When each slot is decided, and whether others may refer to it.
#[derive(Debug)]
pub(super) struct Turns {
    /// 0 where it is not.
    of: Vec<usize>,
    referred: Vec<bool>,
}

impl Turns {
    pub(super) fn of(&self, slot: usize) -> usize {
        self.of.get(slot).copied().unwrap_or_default()
    }

    pub(super) fn is_referred(&self, slot: usize) -> bool {
        self.referred.get(slot).copied().unwrap_or_default()
    }
}

/// Which slots a reader would call by the same name: users' messages, results of equal calls.
#[derive(Debug, Default)]
struct Kin {
    /// Of each slot its name.
    names: Vec<usize>,
    /// Of each name the first slot of each message, or result, that has it.
    members: Vec<Vec<usize>>,
}

impl Kin {
    fn of(slots: &[Slot]) -> Self {
        let mut known = HashMap::new();
        let mut kin = Self::default();
        for (at, slot) in slots.iter().enumerate() {
            let name = *known.entry((slot.role, slot.call.as_ref())).or_insert(kin.members.len());
            kin.names.push(name);
            if name == kin.members.len() {
                kin.members.push(Vec::new());
            }
            let Some(members) = kin.members.get_mut(name) else { continue };
            // Several texts of one message, or of one result, are one.
            let unit = |slot: &Slot| (slot.message, slot.part.filter(|_| slot.role == Role::Tool));
            if members.last().and_then(|last| slots.get(*last)).is_none_or(|last| unit(last) != unit(slot)) {
                members.push(at);
            }
        }
        kin
    }

    /// The how-manieth of its name a slot is, and of how many that stand before another one.
    fn nth(&self, slot: usize, before: usize) -> Nth {
        let members =
            self.names.get(slot).and_then(|name| self.members.get(*name)).map(Vec::as_slice).unwrap_or_default();
        let nth = members.partition_point(|member| *member <= slot);
        Nth { nth, of: members.partition_point(|member| *member < before) }
    }
}
