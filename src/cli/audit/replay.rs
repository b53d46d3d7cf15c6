//! What only a whole recorded conversation tells: whether prefixes stay as they were, how much of each request the
//! provider has seen before, and which texts would have come late.

use std::collections::HashMap;

use headroom::{
    audit::percent,
    compress::{CountTokens as _, Encoding},
    proxy::Rehearsal,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

/// Sums over a recorded conversation.
#[derive(Debug, Serialize)]
pub(super) struct Replay {
    /// Tokens of all messages of all requests.
    pub(super) prompt_tokens: u64,
    /// Tokens of the texts that stand in a prefix which an earlier request had too, before and after.
    pub(super) repeated: (u64, u64),
    /// Requests that begin with messages of an earlier one.
    pub(super) continued: u64,
    /// Those whose forwarded prefix equals the earlier one, byte for byte.
    pub(super) stable: u64,
    /// Texts that would have gone on as they are because their time was over, once each.
    pub(super) late: u64,
    /// What the provider charges for a cached token, as a share of a fresh one.
    pub(super) cached_price: f64,
    #[serde(skip)]
    budget_ms: u64,
    /// Forwarded prefixes by the original ones.
    #[serde(skip)]
    seen: HashMap<Hash, Hash>,
    #[serde(skip)]
    counted: HashMap<Hash, u64>,
}

type Hash = [u8; 32];

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    messages: Option<&'a RawValue>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
}

impl Replay {
    pub(super) fn new(budget_ms: u64, cached_price: f64) -> Self {
        Self {
            prompt_tokens: 0,
            repeated: (0, 0),
            continued: 0,
            stable: 0,
            late: 0,
            cached_price,
            budget_ms,
            seen: HashMap::new(),
            counted: HashMap::new(),
        }
    }

    /// Adds a request and what became of it.
    pub(super) fn add(&mut self, original: &[u8], rehearsal: &Rehearsal) {
        let slots = &rehearsal.record.slots;
        let late = |took_ms: f64| self.budget_ms > 0 && took_ms > self.budget_ms as f64;
        self.late += slots.iter().filter(|slot| !slot.cached && late(slot.took_ms)).count() as u64;
        let (Some(old), Some(new)) = (messages(original), messages(&rehearsal.forwarded)) else { return };
        let encoding = rehearsal.record.model.as_deref().map(Encoding::of_model).unwrap_or_default();
        for message in &old {
            let counted = self.counted.entry(*blake3::hash(message.get().as_bytes()).as_bytes());
            self.prompt_tokens += *counted.or_insert_with(|| tokens(message, encoding));
        }
        let (old, new) = (prefixes(&old), prefixes(&new));
        let known = old.iter().rposition(|prefix| self.seen.contains_key(prefix));
        if let Some(known) = known {
            self.continued += 1;
            let before = old.get(known).and_then(|prefix| self.seen.get(prefix));
            self.stable += u64::from(before == new.get(known));
            for slot in slots.iter().filter(|slot| slot.message <= known) {
                let (before, after) = slot.tokens();
                self.repeated.0 += before as u64;
                self.repeated.1 += after as u64;
            }
        }
        for (old, new) in old.into_iter().zip(new) {
            self.seen.entry(old).or_insert(new);
        }
    }

    /// What tokens before and after cost in fresh ones, where the provider caches prefixes.
    pub(super) fn billed(&self, tokens: (u64, u64)) -> (f64, f64) {
        let bill = |all: u64, repeated: u64| {
            all.saturating_sub(repeated) as f64 + repeated.min(all) as f64 * self.cached_price
        };
        (bill(tokens.0, self.repeated.0), bill(tokens.1, self.repeated.1))
    }

    /// The share of whole prompts saved, in per cent.
    pub(super) fn share(&self, saved: u64) -> f64 {
        percent(saved, self.prompt_tokens)
    }
}

fn messages(body: &[u8]) -> Option<Vec<&RawValue>> {
    let Body { messages, input } = serde_json::from_slice(body).ok()?;
    let list = messages.or(input)?;
    // The `input` of Responses may be what the user says.
    if list.get().starts_with('"') { Some(vec![list]) } else { serde_json::from_str(list.get()).ok() }
}

/// The hash of every beginning of a list of messages.
fn prefixes(messages: &[&RawValue]) -> Vec<Hash> {
    let mut hasher = blake3::Hasher::new();
    let prefix = |message: &&RawValue| {
        hasher.update(&(message.get().len() as u64).to_le_bytes());
        hasher.update(message.get().as_bytes());
        *hasher.finalize().as_bytes()
    };
    messages.iter().map(prefix).collect()
}

/// Tokens of what a message says: its texts, and the arguments of its calls.
fn tokens(message: &RawValue, encoding: Encoding) -> u64 {
    fn said(value: &Value, encoding: Encoding) -> u64 {
        match value {
            Value::String(text) => encoding.count(text) as u64,
            Value::Array(values) => values.iter().map(|value| said(value, encoding)).sum(),
            Value::Object(fields) => {
                let of = |(name, value): (&String, &Value)| match value {
                    // What a call of Messages or of the provider's own shell is given.
                    Value::Object(_) if name == "input" || name == "action" => {
                        encoding.count(&value.to_string()) as u64
                    }
                    value if SAID.contains(&name.as_str()) => said(value, encoding),
                    _ => 0,
                };
                fields.iter().map(of).sum()
            }
            _ => 0,
        }
    }
    serde_json::from_str(message.get()).map_or(0, |message| said(&message, encoding))
}

/// Fields of messages that hold text, or lead to it.
const SAID: [&str; 12] = [
    "content",
    "text",
    "refusal",
    "tool_calls",
    "function_call",
    "function",
    "name",
    "arguments",
    "input",
    "output",
    "stdout",
    "stderr",
];
