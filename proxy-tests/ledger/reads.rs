//! What the model read again of what was left out is counted, priced, and taken off what was saved: equal to a script whose
//! sums are known, on every surface.

use std::{path::Path, process::Command};

use headroom::{
    compress::{CountTokens as _, Encoding},
    ledger::By,
};
use serde_json::{Value, json};

use super::{PATHS, Told, exchange, reported, rig};
use crate::support::{long_text, post};

const READ: &str = "mcp__headroom__headroom_read";
const MODEL: &str = "gpt-4.1-mini";

/// Billionths of a dollar of a token: fresh, cached, of an answer.
const FRESH: i64 = 400;
const CACHED: i64 = 100;
const ANSWER: i64 = 1600;

/// A conversation on one surface, as a client keeps it.
struct Talk {
    path: &'static str,
    turns: Vec<Value>,
}

impl Talk {
    fn says(&mut self, role: &str, text: &str) {
        self.turns.push(json!({"role": role, "content": text}));
    }

    /// The model calls tools at once, and they answer.
    fn calls(&mut self, calls: &[(&str, &str, Value, &str)]) {
        let list = |one: &dyn Fn(&str, &str, &Value, &str) -> Value| -> Vec<Value> {
            calls.iter().map(|(id, name, arguments, result)| one(id, name, arguments, result)).collect()
        };
        match self.path {
            "/v1/chat/completions" => {
                let asked = list(
                    &|id, name, arguments, _| json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments.to_string()}}),
                );
                self.turns.push(json!({"role": "assistant", "tool_calls": asked}));
                self.turns
                    .extend(list(&|id, _, _, result| json!({"role": "tool", "tool_call_id": id, "content": result})));
            }
            "/v1/responses" => {
                self.turns.extend(list(&|id, name, arguments, _| {
                    json!({"type": "function_call", "call_id": id, "name": name, "arguments": arguments.to_string()})
                }));
                self.turns.extend(list(
                    &|id, _, _, result| json!({"type": "function_call_output", "call_id": id, "output": result}),
                ));
            }
            _ => {
                let asked = list(
                    &|id, name, arguments, _| json!({"type": "tool_use", "id": id, "name": name, "input": arguments}),
                );
                let told =
                    list(&|id, _, _, result| json!({"type": "tool_result", "tool_use_id": id, "content": result}));
                self.turns.push(json!({"role": "assistant", "content": asked}));
                self.turns.push(json!({"role": "user", "content": told}));
            }
        }
    }

    fn request(&self) -> String {
        let list = if self.path == "/v1/responses" { "input" } else { "messages" };
        post(self.path, &json!({"model": MODEL, "max_tokens": 9, list: self.turns}).to_string())
    }
}

/// What reading again came to, as the test knows it.
#[derive(Debug, Default, PartialEq)]
struct Truth {
    reads: u64,
    turns: u64,
    tokens: u64,
    nano: i64,
    saved: i64,
}

fn count(text: &str) -> u64 {
    Encoding::of_model(MODEL).count(text) as u64
}

#[tokio::test]
async fn what_was_read_again_is_taken_off_what_was_saved() {
    let folder = tempfile::tempdir().unwrap();
    let rig = rig(folder.path(), 0.0).await;
    let mut truth = Truth::default();
    for path in PATHS {
        let mut talk = Talk { path, turns: Vec::new() };
        let fresh = |prompt| Told { prompt, completion: 20, ..Told::default() };
        let cached = |prompt| Told { cached: prompt, ..fresh(prompt) };
        let kinds = (path, false, "");
        talk.says("user", "What was decided?");
        talk.calls(&[("1", "look", json!({}), &long_text())]);
        let (before, after) = exchange(&rig, kinds, &talk.request(), Some(fresh(5000))).await;
        assert!(before > after);
        let saved = (before - after) as i64;
        truth.saved += saved * FRESH;

        // The model reads what is missing: a turn that would not have been, from the provider's cache.
        let (first, lines) = (json!({"id": "r482133901277640915", "lines": "3-9"}), "The committee met.\n".repeat(6));
        talk.calls(&[("2", READ, first.clone(), &lines)]);
        exchange(&rig, kinds, &talk.request(), Some(cached(5400))).await;
        let called = count(READ) + count(&first.to_string());
        let one = called + count(&lines);
        truth.reads += 1;
        truth.turns += 1;
        truth.tokens += one;
        truth.saved += saved * CACHED;
        truth.nano += 5400 * CACHED + called as i64 * ANSWER + saved * CACHED;

        // What it read stays in the conversation.
        talk.says("assistant", "It was decided.");
        talk.says("user", "By whom?");
        exchange(&rig, kinds, &talk.request(), Some(cached(5600))).await;
        truth.tokens += one;
        truth.saved += saved * CACHED;
        truth.nano += one as i64 * CACHED;

        // It reads along with another call that it needs anyway; nothing is cached any more.
        let (second, found) = (json!({"id": "r482133901277640915", "pattern": "chair"}), "7:the chair");
        talk.calls(&[("3", READ, second.clone(), found), ("4", "look", json!({"at": 2}), "Nobody.")]);
        exchange(&rig, kinds, &talk.request(), Some(fresh(6000))).await;
        let called = count(READ) + count(&second.to_string());
        let other = called + count(found);
        truth.reads += 1;
        truth.tokens += one + other;
        truth.saved += saved * FRESH;
        truth.nano += (one + other) as i64 * FRESH + called as i64 * ANSWER;
    }
    let total = reported(rig, folder.path(), &[By::Surface]).await.total;
    let told = Truth {
        reads: total.reads,
        turns: total.read_turns,
        tokens: total.read_tokens,
        nano: total.read_nano,
        saved: total.saved_nano,
    };
    assert_eq!(told, truth);
    told_at_the_command_line(folder.path(), &truth);
}

/// The real command takes it off, by row and in all.
fn told_at_the_command_line(folder: &Path, truth: &Truth) {
    let run = |more: &[&str]| {
        let file = folder.join("ledger.sqlite");
        let done =
            Command::new(env!("CARGO_BIN_EXE_headroom")).args(["report", "--file"]).arg(file).args(more).output();
        String::from_utf8(done.unwrap().stdout).unwrap()
    };
    let text = run(&["--by", "surface"]);
    let saved = format!("{:.4}", (truth.saved - truth.nano) as f64 / 1e9);
    let all = text.lines().find(|line| line.starts_with("all ")).unwrap();
    assert!(all.contains(&saved), "{saved} in\n{text}");
    assert!(text.contains("read again 6 times originals were read by headroom_read, with 3 requests"), "{text}");
    let csv = run(&["--csv", "--by", "surface"]);
    let column = |name: &str| -> f64 {
        let at = csv.lines().next().unwrap().split(',').position(|of| of == name).unwrap();
        csv.lines().skip(1).map(|line| line.split(',').nth(at).unwrap().parse::<f64>().unwrap()).sum()
    };
    assert_eq!((column("reads"), column("read_tokens")), (6.0, truth.tokens as f64));
    assert!((column("read_dollars") - truth.nano as f64 / 1e9).abs() < 1e-9);
}
