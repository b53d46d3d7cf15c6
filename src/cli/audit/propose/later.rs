//! What a conversation came back to: numbers, names, paths and identifiers that the model used after it had read them.
//! Where a condensed text would have left one out, and it stood nowhere else, condensing so far would have cost an answer.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::Value;

/// What was said in a recorded request, in order.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// What the model wrote, by the message.
    model: Vec<(usize, HashSet<String>)>,
}

#[derive(Deserialize)]
struct Body {
    messages: Option<Value>,
    input: Option<Value>,
}

impl Said {
    pub(super) fn of(body: &[u8]) -> Self {
        let turns = items(body).into_iter().enumerate().filter(|(_, item)| is_of_model(item));
        Self { model: turns.map(|(at, item)| (at, atoms_of(&item))).collect() }
    }

    /// Of these, those that the model used after a message.
    pub(super) fn later<'a>(&self, message: usize, atoms: &HashSet<&'a str>) -> Vec<&'a str> {
        let later: Vec<_> = self.model.iter().filter(|(at, _)| *at > message).collect();
        let used = |atom: &&&str| later.iter().any(|(_, said)| said.contains(**atom));
        let mut used: Vec<&str> = atoms.iter().filter(used).copied().collect();
        used.sort_unstable();
        used
    }
}

/// What stands in the forwarded messages, those of the model aside.
pub(super) fn available(forwarded: &[u8]) -> HashSet<String> {
    items(forwarded).iter().filter(|item| !is_of_model(item)).flat_map(atoms_of).collect()
}

/// The numbers, names, paths and identifiers of a text.
pub(super) fn atoms(text: &str) -> HashSet<&str> {
    let part = |char: char| char.is_alphanumeric() || "_-./:@#".contains(char);
    let words = text.split(|char: char| !part(char)).map(|word| word.trim_matches(['-', '.', '/', ':', '#']));
    words.filter(|word| is_telling(word)).collect()
}

/// Whether a word is unlikely to be used by chance.
fn is_telling(word: &str) -> bool {
    let length = word.chars().count();
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let joined = word.contains(['_', '/', '.', '@', ':']);
    let cased = word.chars().skip(1).any(char::is_uppercase) && word.chars().any(char::is_lowercase);
    (digits > 0 && length >= 3) || (length >= 5 && (joined || cased))
}

fn items(body: &[u8]) -> Vec<Value> {
    let Ok(Body { messages, input }) = serde_json::from_slice(body) else { return Vec::new() };
    match messages.or(input) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

fn is_of_model(item: &Value) -> bool {
    let word = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
    word("role") == "assistant" || word("type").ends_with("_call") || word("type") == "reasoning"
}

fn atoms_of(item: &Value) -> HashSet<String> {
    fn gather(value: &Value, into: &mut HashSet<String>) {
        match value {
            Value::String(text) => into.extend(atoms(text).into_iter().map(str::to_owned)),
            Value::Number(number) => into.extend(atoms(&number.to_string()).into_iter().map(str::to_owned)),
            Value::Array(values) => values.iter().for_each(|value| gather(value, into)),
            Value::Object(fields) => fields.values().for_each(|value| gather(value, into)),
            _ => {}
        }
    }
    let mut all = HashSet::new();
    gather(item, &mut all);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_names_and_paths_are_told_from_words() {
        let mut atoms: Vec<_> =
            atoms("See src/db.py:12, order ORD-4411 of 2026-11-29. parseBody failed; a word in 42.")
                .into_iter()
                .collect();
        atoms.sort_unstable();
        assert_eq!(atoms, ["2026-11-29", "ORD-4411", "parseBody", "src/db.py:12"]);
    }

    #[test]
    fn only_what_the_model_used_afterwards_was_needed() {
        let body =
            br#"{"messages":[{"role":"assistant","content":"ORD-1"},{"role":"tool","content":"ORD-1 ORD-2 ORD-3"},
            {"role":"assistant","tool_calls":[{"function":{"name":"ship","arguments":"{\"id\":\"ORD-2\"}"}}]}]}"#;
        let said = Said::of(body);
        assert_eq!(said.later(1, &atoms("ORD-1 ORD-2 ORD-3")), ["ORD-2"]);
        assert!(available(body).contains("ORD-3"));
    }
}
