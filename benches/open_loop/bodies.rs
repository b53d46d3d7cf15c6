//! What is sent.

use std::fmt::Write as _;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{dice::Dice, load::Expected, upstream::hash};

/// A request before it has its number.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) path: &'static str,
    pub(crate) body: Bytes,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) expected: Expected,
}

impl Request {
    pub(crate) fn new(path: &'static str, body: impl Into<Bytes>) -> Self {
        let headers =
            vec![("content-type", "application/json".to_owned()), ("authorization", "Bearer load".to_owned())];
        Self { path, body: body.into(), headers, expected: Expected::Whole }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    /// It has to arrive as it is.
    pub(crate) fn untouched(self) -> Self {
        let hash = hash(&self.body);
        self.with("x-load-hash", hash)
    }

    /// Whatever arrives of it arrives in the same form each time.
    pub(crate) fn stable(self) -> Self {
        let hash = hash(&self.body);
        self.with("x-load-case", hash)
    }
}

pub(crate) const CHAT: &str = "/v1/chat/completions";

/// Four short messages, 2 kB.
pub(crate) fn short() -> Request {
    Request::new(CHAT, chat(short_messages(), false)).untouched()
}

/// The same, answered by so many events.
pub(crate) fn streamed(events: usize) -> Request {
    let request = Request::new(CHAT, chat(short_messages(), true)).untouched().with("x-load-events", events);
    Request { expected: Expected::Events(events), ..request }
}

/// What no surface of Headroom's is.
pub(crate) fn passthrough(length: usize) -> Request {
    let body = json!({"file": "The quick brown fox jumps over the lazy dog. ".repeat(length / 45)});
    Request::new("/v1/audio/speech", body.to_string()).untouched()
}

/// A conversation with documents of together this many bytes, at 5:1.
pub(crate) fn conversation(length: usize, seed: u64) -> Request {
    let mut dice = Dice::new(seed);
    let mut messages = vec![json!({"role": "system", "content": "Answer from the documents."})];
    let mut sum = 0;
    while sum < length {
        let text = format!("{}\n\n{}", document(12_000.min(length), &mut dice), question(&mut dice));
        sum += text.len();
        messages.push(json!({"role": "user", "content": text}));
        messages.push(json!({"role": "assistant", "content": "Nothing that matters."}));
    }
    messages.pop();
    Request::new(CHAT, chat(messages, false)).stable().with("x-headroom-ratio", 5)
}

/// A prompt of retrieved passages with a question, some 3,000 tokens, that nobody sent before.
pub(crate) fn retrieved(dice: &mut Dice) -> Request {
    let text = format!("{}\n\n{}", document(12_000, dice), question(dice));
    Request::new(CHAT, chat(vec![json!({"role": "user", "content": text})], false)).stable().with("x-headroom-ratio", 5)
}

pub(crate) fn chat(messages: Vec<Value>, stream: bool) -> String {
    json!({"model": "gpt-4o", "stream": stream, "messages": messages}).to_string()
}

fn short_messages() -> Vec<Value> {
    let text = "The quick brown fox jumps over the lazy dog. ".repeat(10);
    ["user", "assistant", "user", "assistant"].map(|role| json!({"role": role, "content": text})).to_vec()
}

const NAMES: [&str; 12] = [
    "Anna Keller",
    "the harbour office",
    "Mr Okafor",
    "the northern branch",
    "the auditor",
    "the ferry company",
    "Dr Lindqvist",
    "the ministry",
    "the second team",
    "Maria Souza",
    "the insurer",
    "the museum",
];
const DEEDS: [&str; 12] = [
    "paid the invoice of",
    "closed the bridge on",
    "returned the pumps ordered for",
    "signed the lease that begins on",
    "rejected the claim of",
    "moved the archive before",
    "sold two ships after",
    "repaired the roof by",
    "published the report of",
    "lost the key on",
    "hired nine people from",
    "measured the flood of",
];
const WHYS: [&str; 8] = [
    "after the second reminder",
    "although the budget had been spent",
    "because the supplier went out of business",
    "unless the weather turned",
    "as the contract demands",
    "without telling the council",
    "for less than was agreed",
    "when the water had gone",
];

/// Prose of a report, as long as asked.
fn document(length: usize, dice: &mut Dice) -> String {
    let mut text = String::with_capacity(length + 200);
    while text.len() < length {
        for _ in 0..3 + dice.below(5) {
            let (name, deed, why) = (dice.pick(&NAMES), dice.pick(&DEEDS), dice.pick(&WHYS));
            let _ = write!(
                text,
                "In {} {name} {deed} {} March {why}, which cost {} EUR. ",
                1950 + dice.below(70),
                1 + dice.below(28),
                dice.below(90_000)
            );
        }
        text.push_str("\n\n");
    }
    text
}

fn question(dice: &mut Dice) -> String {
    format!("Who {} {} March, and what did it cost?", dice.pick(&DEEDS), 1 + dice.below(28))
}
