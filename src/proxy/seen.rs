//! What the texts of one request repeat of earlier ones, and in which order they are decided because of it: a text that
//! refers to another one can do so only once it is known what of that one is forwarded word for word. What the assistant
//! gave to tools is always forwarded so.

mod conversations;

use std::{collections::HashMap, sync::Arc, time::Instant};

use crate::{
    compress::{Condensation, Given, Nth, Passages, Place, Seen, text::exact},
    engine::{self, Tenant, TextHash},
    wire::{Beginning, Call, Located, Role, Slot, What, Written},
};

pub(crate) use conversations::{Begun, Conversations, Locate};
use conversations::{Found, Texts};

/// The slots of a request in the light of what stands before them.
#[derive(Debug)]
pub(super) struct Earlier {
    passages: Passages,
    /// What each text is that is compared, in their order.
    texts: Vec<Text>,
    /// Of each slot which text it is.
    of_slots: Vec<usize>,
    kin: Kin,
    /// What is known of the texts; no hashes where they are soon read again.
    known: Texts,
    /// To read the next turn by.
    beginning: Option<Beginning>,
    /// The names of the earlier turns that were found.
    instead: Vec<TextHash>,
}

/// A text that is compared with others: a slot, or what the assistant gave to a tool.
#[derive(Debug, Clone, Copy)]
enum Text {
    Slot(usize),
    Written(usize),
}

impl Text {
    fn text(self, located: &Located) -> &str {
        match self {
            Self::Slot(at) => located.slots.get(at).map_or("", |slot| &slot.text),
            Self::Written(at) => located.written.get(at).map_or("", |written| &written.text),
        }
    }
}

impl Earlier {
    /// Reads the texts, but for slots in which passages are marked: what is sent of them is not what is read. What an
    /// earlier turn of the conversation had is neither hashed nor compared again.
    pub(super) fn of(
        Found { located, known, beginning }: Found,
        conversations: &Conversations,
        tenant: Tenant,
    ) -> (Located, Self) {
        let (mut texts, mut of_slots) = (Vec::new(), Vec::with_capacity(located.slots.len()));
        let mut written = located.written.iter().enumerate().peekable();
        for (at, slot) in located.slots.iter().enumerate() {
            while let Some((at, _)) = written.next_if(|(_, written)| written.message <= slot.message) {
                texts.push(Text::Written(at));
            }
            of_slots.push(texts.len());
            texts.push(Text::Slot(at));
        }
        let (read, slots) = known.unzip();
        let slots = slots.unwrap_or_default();
        let tagged = tagged(&located, read.as_deref().map_or(&[], |read| &read.texts.tagged), slots);
        let compared = |text: &Text| match text {
            Text::Slot(at) if tagged.binary_search(at).is_ok() => "",
            _ if located.forgets => "",
            text => text.text(&located),
        };
        let compared: Vec<&str> = texts.iter().map(compared).collect();
        let kin = Kin::of(&texts, &located);
        if texts.iter().map(|text| text.text(&located).len()).sum::<usize>() < conversations::LEAST {
            let passages = Passages::of(&compared);
            let known = Texts { tagged, ..Texts::default() };
            return (located, Self { passages, texts, of_slots, kin, known, beginning: None, instead: Vec::new() });
        }
        // The texts up to the last slot that is known are those that they were.
        let same = slots.checked_sub(1).and_then(|last| of_slots.get(last)).map_or(0, |last| last + 1);
        let known = read.as_ref().and_then(|read| read.texts.hashes.get(..same)).unwrap_or_default();
        let new = texts.iter().skip(known.len()).map(|text| engine::Text::hash_of(text.text(&located)));
        let hashes: Vec<TextHash> = known.iter().copied().chain(new).collect();
        let is_compared = |(hash, compared): (&'_ TextHash, &&str)| (*hash, !compared.is_empty());
        let named: Vec<(TextHash, bool)> = hashes.iter().zip(&compared).map(is_compared).collect();
        let earlier = read.as_ref().map(|read| (&read.texts.name, read.texts.hashes.len()));
        let (name, passages, mut instead) = conversations.compared(tenant, &named, earlier);
        instead.extend(read.filter(|read| slots >= read.slots() / 2).map(|read| read.texts.name));
        let passages = passages.and(&compared);
        let known = Texts { tagged, hashes, name };
        (located, Self { passages, texts, of_slots, kin, known, beginning, instead })
    }

    /// The slots in which passages are marked as exact, by their index.
    pub(super) fn tagged(&self) -> &[usize] {
        &self.known.tagged
    }

    /// The text of a slot, whose hash may be known here.
    pub(super) fn hashed(&self, index: usize, slot: &Slot) -> engine::Text {
        let text = Arc::clone(&slot.text);
        match self.known.hashes.get(self.text(index)) {
            Some(hash) => engine::Text::hashed(text, *hash),
            None => text.into(),
        }
    }

    /// Keeps what was read and compared for the next turn of the conversation.
    pub(super) fn keep(self, conversations: &Conversations, tenant: Tenant, now: Instant) {
        if !self.known.hashes.is_empty() {
            conversations.keep(tenant, self.known, (self.beginning, self.passages), &self.instead, now);
        }
    }

    /// The turns in which slots are decided, of which `considered` are not forwarded as they are: a slot comes after all
    /// that it may refer to. What others may refer to and is not decided stands.
    pub(super) fn turns(&mut self, located: &Located, considered: &[usize]) -> Turns {
        // Of each text, until they are told by slot.
        let mut turns = Turns { of: vec![0; self.texts.len()], referred: vec![false; self.texts.len()] };
        for slot in considered {
            let (own, mut turn) = (self.text(*slot), 1);
            for of in self.passages.referred(own) {
                turn = turn.max(turns.of(of) + 1);
                if let Some(referred) = turns.referred.get_mut(of) {
                    *referred = true;
                }
            }
            if let Some(of) = turns.of.get_mut(own) {
                *of = turn;
            }
        }
        for (at, text) in self.texts.iter().enumerate() {
            if turns.is_referred(at) && turns.of(at) == 0 {
                let whole = 0..text.text(located).len();
                let whole = std::slice::from_ref(&whole);
                self.passages.note(at, whole, whole);
            }
        }
        Turns {
            of: self.of_slots.iter().map(|text| turns.of(*text)).collect(),
            referred: self.of_slots.iter().map(|text| turns.is_referred(*text)).collect(),
        }
    }

    /// A slot is forwarded as this.
    pub(super) fn condensed(&mut self, slot: usize, text: &str, condensation: &Condensation) {
        self.passages.note(self.text(slot), &condensation.exact(text.len()), &condensation.lossless(text.len()));
    }

    /// What of a slot stands in earlier texts.
    pub(super) fn seen(&mut self, located: &Located, slot: usize) -> Vec<Seen> {
        let own = self.text(slot);
        let Self { passages, texts, kin, .. } = self;
        passages.seen(own, |of| place(texts.get(of).copied(), kin.nth(of, own), located))
    }

    /// Which of the texts a slot is.
    fn text(&self, slot: usize) -> usize {
        self.of_slots.get(slot).copied().unwrap_or(usize::MAX)
    }
}

/// The slots of users in which passages are marked as exact, of which those among the first slots are known. In a tool's
/// result, which may be a file or a page that tells of such tags, they keep their passage as well, but nobody has put them
/// there for us to take out.
fn tagged(located: &Located, known: &[usize], first: usize) -> Vec<usize> {
    let new = located.slots.iter().enumerate().skip(first);
    let new = new.filter(|(_, slot)| slot.role == Role::User && exact::is_tagged(&slot.text)).map(|(index, _)| index);
    known.iter().copied().take_while(|index| *index < first).chain(new).collect()
}

/// Where a text stands, in words.
fn place(text: Option<Text>, nth: Nth, located: &Located) -> Place<'_> {
    match text {
        Some(Text::Written(at)) => match located.written.get(at).map(|written| &**written) {
            Some(Written { what, call, .. }) => Place::Given(given(what), told(call), nth),
            None => Place::Tool(None, nth),
        },
        Some(Text::Slot(at)) => match located.slots.get(at).map(|slot| &**slot) {
            Some(Slot { role: Role::User, .. }) => Place::User(nth),
            slot => Place::Tool(slot.and_then(|slot| slot.call.as_ref()).map(told), nth),
        },
        None => Place::Tool(None, nth),
    }
}

fn told(Call { name, arguments }: &Call) -> (&str, &str) {
    (name, arguments)
}

fn given(what: &What) -> Given<'_> {
    match what {
        What::Argument(name) => Given::Argument(name),
        What::Input => Given::Input,
        What::Added => Given::Added,
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

/// Which texts a reader would call by the same name: users' messages, results of equal calls, what equal calls were given.
#[derive(Debug, Default)]
struct Kin {
    /// Of each text its name.
    names: Vec<usize>,
    /// Of each name the first text of each message, result or call that has it.
    members: Vec<Vec<usize>>,
}

impl Kin {
    fn of(texts: &[Text], located: &Located) -> Self {
        let mut known = HashMap::new();
        let mut kin = Self::default();
        let slot = |text: usize| match texts.get(text) {
            Some(Text::Slot(at)) => located.slots.get(*at).map(|slot| &**slot),
            _ => None,
        };
        for (at, text) in texts.iter().enumerate() {
            let name = match *text {
                Text::Slot(of) => located.slots.get(of).map(|slot| (Some(slot.role), None, slot.call.as_ref())),
                Text::Written(of) => located.written.get(of).map(|given| (None, Some(&given.what), Some(&given.call))),
            };
            let name = *known.entry(name).or_insert(kin.members.len());
            kin.names.push(name);
            if name == kin.members.len() {
                kin.members.push(Vec::new());
            }
            let Some(members) = kin.members.get_mut(name) else { continue };
            // Several texts of one message, or of one result, are one.
            let unit = |slot: &Slot| (slot.message, slot.part.filter(|_| slot.role == Role::Tool));
            let last = members.last().and_then(|last| slot(*last)).map(unit);
            if last.is_none() || last != slot(at).map(unit) {
                members.push(at);
            }
        }
        kin
    }

    /// The how-manieth of its name a text is, and of how many that stand before another one.
    fn nth(&self, text: usize, before: usize) -> Nth {
        let members =
            self.names.get(text).and_then(|name| self.members.get(*name)).map(Vec::as_slice).unwrap_or_default();
        let nth = members.partition_point(|member| *member <= text);
        Nth { nth, of: members.partition_point(|member| *member < before) }
    }
}
