//! Cases: how they are read from their files, and how their text is sent through a proxy.

use std::{fs, path::Path};

use headroom::compress::{Query, ToolCall};
use serde_json::{Map, Value, json};

use crate::support::{Rig, ok, post};

/// A text with what must hold of it.
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) kind: String,
    ratios: Vec<String>,
    /// The text under test.
    pub(crate) text: String,
    /// The text as it is sent: with what the user asks, where that stands in the same message.
    pub(crate) source: String,
    raw: Map<String, Value>,
    /// Names and what they are given.
    pub(crate) assertions: Vec<(String, Value)>,
}

const RATIOS: [&str; 5] = ["auto", "2", "5", "10", "20"];

/// Stands for the text in `messages`.
const PLACE: &str = "{{text}}";

/// Every case of a folder, by name.
pub(crate) fn load(folder: &Path) -> Vec<Case> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files.iter().flat_map(|file| read(file)).collect()
}

fn read(file: &Path) -> Vec<Case> {
    let text = fs::read_to_string(file).unwrap();
    let document: Value = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut defaults = document["defaults"].as_object().cloned().unwrap_or_default();
    if let Some(kind) = document.get("kind") {
        defaults.entry("kind").or_insert_with(|| kind.clone());
    }
    let cases = document["cases"].as_array().unwrap();
    cases.iter().map(|case| Case::new(&defaults, case.as_object().unwrap(), file)).collect()
}

impl Case {
    fn new(defaults: &Map<String, Value>, own: &Map<String, Value>, file: &Path) -> Self {
        let mut raw = defaults.clone();
        raw.extend(own.clone());
        let id = raw["id"].as_str().unwrap().to_owned();
        let kind = raw["kind"].as_str().unwrap_or_else(|| panic!("{id}: of no kind")).to_owned();
        let ratios = match &raw.get("ratios") {
            Some(ratios) => ratios.as_array().unwrap().iter().map(word).collect(),
            None => RATIOS.map(str::to_owned).to_vec(),
        };
        let text = match raw.get("text") {
            Some(text) => text.as_str().unwrap().to_owned(),
            // As Python reads a text file, which the other runner is written in.
            None => fs::read_to_string(file.with_file_name(raw["file"].as_str().unwrap()))
                .unwrap()
                .replace("\r\n", "\n")
                .replace('\r', "\n"),
        };
        let empty = |value: &Value| match value {
            Value::Null | Value::Bool(false) => true,
            Value::Array(items) => items.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            _ => false,
        };
        let given =
            raw.iter().filter(|(name, value)| crate::assertion::NAMES.contains(&name.as_str()) && !empty(value));
        let mut assertions: Vec<(String, Value)> = given.map(|(name, value)| (name.clone(), value.clone())).collect();
        let known = |name: &String| FIELDS.contains(&name.as_str()) || crate::assertion::NAMES.contains(&name.as_str());
        assert!(raw.keys().all(known), "{id}: unknown field");
        let mut source = text.clone();
        if let (Some(ask), "user") = (raw.get("ask").and_then(Value::as_str), send(&raw)) {
            source = format!("{text}\n\n{ask}");
            match assertions.iter_mut().find(|(name, _)| name == "keeps") {
                Some((_, keeps)) => keeps.as_array_mut().unwrap().push(ask.into()),
                None => assertions.push(("keeps".to_owned(), json!([ask]))),
            }
        }
        Self { id, kind, ratios, text, source, raw, assertions }
    }

    /// What is asked of the text, and the call that it answers.
    pub(crate) fn query(&self) -> Query {
        let asked = self.raw.get("ask").or_else(|| self.raw.get("query")).and_then(Value::as_str);
        let call = self.raw.get("tool").map(|tool| ToolCall {
            name: tool["name"].as_str().unwrap().to_owned(),
            arguments: tool.get("arguments").map(Value::to_string).unwrap_or_default(),
        });
        Query { preceding: asked.unwrap_or("What went wrong, and when?").to_owned(), call, ..Query::default() }
    }

    /// What arrives at the upstream in the text's place, at each ratio.
    pub(crate) fn arrived(&self) -> Vec<(String, String)> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let rig = Rig::start().await;
            let mut arrived = Vec::new();
            for ratio in &self.ratios {
                let text = if send(&self.raw) == "compress" {
                    self.compress(&rig, ratio).await
                } else {
                    self.send(&rig, ratio).await
                };
                arrived.push((ratio.clone(), text));
            }
            arrived
        })
    }

    async fn send(&self, rig: &Rig, ratio: &str) -> String {
        let (messages, at, part) = self.messages();
        let body = json!({"model": "gpt-4o", "messages": messages}).to_string();
        let head = format!("Host: h\r\nX-Headroom-Ratio: {ratio}\r\n");
        let request = post("/v1/chat/completions", &body).replacen("Host: h\r\n", &head, 1);
        let (got, answer) = rig.exchange(request.as_bytes(), ok("{}").as_bytes()).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
        let body: Value = serde_json::from_slice(&got.body).unwrap();
        let content = &body["messages"][at]["content"];
        part.map_or(content, |part| &content[part]["text"]).as_str().unwrap().to_owned()
    }

    async fn compress(&self, rig: &Rig, ratio: &str) -> String {
        let mut body = json!({"text": self.text, "ratio": ratio, "model": "gpt-4o"});
        if let Some(query) = self.raw.get("query") {
            body["query"] = query.clone();
        }
        let mut client = rig.client().await;
        client.write(post("/headroom/compress", &body.to_string())).await;
        let answer = client.message().await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
        serde_json::from_slice::<Value>(&answer.body).unwrap()["text"].as_str().unwrap().to_owned()
    }

    /// The conversation, and the message and part in which the text stands.
    fn messages(&self) -> (Vec<Value>, usize, Option<usize>) {
        let mut messages: Vec<Value> = Vec::new();
        if let Some(system) = self.raw.get("system") {
            messages.push(json!({"role": "system", "content": system}));
        }
        if let Some(given) = self.raw.get("messages") {
            let mut place = None;
            for message in given.as_array().unwrap() {
                let mut message = message.clone();
                let at = messages.len();
                if message["content"] == PLACE {
                    message["content"] = self.text.as_str().into();
                    place = Some((at, None));
                }
                for (number, part) in message["content"].as_array_mut().into_iter().flatten().enumerate() {
                    if part["text"] == PLACE {
                        part["text"] = self.text.as_str().into();
                        place = Some((at, Some(number)));
                    }
                }
                messages.push(message);
            }
            let (at, part) = place.unwrap_or_else(|| panic!("{}: no message holds {PLACE}", self.id));
            return (messages, at, part);
        }
        if send(&self.raw) == "tool" {
            if let Some(ask) = self.raw.get("ask") {
                messages.push(json!({"role": "user", "content": ask}));
            }
            let tool = &self.raw["tool"];
            let arguments = tool.get("arguments").cloned().unwrap_or_else(|| json!({})).to_string();
            let function = json!({"name": tool["name"], "arguments": arguments});
            messages.push(json!({"role": "assistant", "content": null, "tool_calls":
                [{"id": "call_1", "type": "function", "function": function}]}));
            messages.push(json!({"role": "tool", "tool_call_id": "call_1", "content": self.source}));
        } else {
            messages.push(json!({"role": "user", "content": self.source}));
        }
        let at = messages.len() - 1;
        (messages, at, None)
    }
}

const FIELDS: [&str; 12] =
    ["id", "kind", "ratios", "send", "text", "file", "ask", "query", "system", "tool", "messages", "note"];

fn send(raw: &Map<String, Value>) -> &str {
    raw.get("send").and_then(Value::as_str).unwrap_or("user")
}

/// A scalar as it is written.
pub(crate) fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
