//! What stands in an earlier message becomes a reference to it: on every surface, backwards only, and only to what is
//! forwarded word for word.

use headroom::proxy::rules::{Many, Rule, Rules};
use serde_json::{Value, json};

use crate::support::{Rig, ok, post};

const SURFACES: [&str; 3] = ["/v1/chat/completions", "/v1/responses", "/v1/messages"];

fn file(changed: Option<usize>) -> String {
    let line = |at: usize| match changed == Some(at) {
        true => "    changed(); // for good\n".to_owned(),
        false => format!("    let value_{at} = compute({at}, \"{}\");\n", at * 7919),
    };
    (0..80).map(line).collect()
}

/// The turns of an agent that has read a file as often as there are texts.
fn turns(path: &str, texts: &[String]) -> Vec<Value> {
    let mut turns = vec![json!({"role": "user", "content": "Mend it."})];
    for (at, text) in texts.iter().enumerate() {
        let id = format!("call_{at}");
        let arguments = json!({"path": "src/db.rs"});
        turns.extend(match path {
            "/v1/chat/completions" => vec![
                json!({"role": "assistant", "tool_calls": [{"id": id, "type": "function",
                    "function": {"name": "read_file", "arguments": arguments.to_string()}}]}),
                json!({"role": "tool", "tool_call_id": id, "content": text}),
            ],
            "/v1/responses" => vec![
                json!({"type": "function_call", "call_id": id, "name": "read_file", "arguments": arguments.to_string()}),
                json!({"type": "function_call_output", "call_id": id, "output": text}),
            ],
            _ => vec![
                json!({"role": "assistant", "content": [{"type": "tool_use", "id": id, "name": "read_file", "input": arguments}]}),
                json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": text}]}),
            ],
        });
    }
    turns
}

fn body(path: &str, texts: &[String], more: &Value) -> String {
    let list = if path == "/v1/responses" { "input" } else { "messages" };
    let mut body = json!({"model": "gpt-5", "max_tokens": 1});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    // The list stands last, so that what is forwarded of a conversation begins with what was forwarded before.
    let body = body.to_string();
    format!("{},\"{list}\":{}}}", body.trim_end_matches('}'), Value::from(turns(path, texts)))
}

async fn forwarded(rig: &Rig, path: &str, body: &str, lines: &str) -> String {
    let request = post(path, body).replacen("Host: h\r\n", &format!("Host: h\r\n{lines}"), 1);
    rig.exchange(request.as_bytes(), ok("{}").as_bytes()).await.0.text().to_owned()
}

/// How often the file's second line is forwarded, and the references.
fn told(text: &str) -> (usize, Vec<String>) {
    let text = text.replace("\\u2026", "…").replace("\\u2013", "–");
    let marks = text.split("[… ").skip(1).filter_map(|rest| Some(rest.split_once(']')?.0.to_owned()));
    (text.matches("value_1 = compute(1,").count(), marks.collect())
}

#[tokio::test]
async fn a_file_that_is_read_again_is_sent_once() {
    for path in SURFACES {
        let rig = Rig::start().await;
        let texts = [file(None), file(Some(40)), file(Some(40))];
        let got = forwarded(&rig, path, &body(path, &texts, &json!({})), "X-Headroom-Ratio: auto\r\n").await;
        let (sent, marks) = told(&got);
        assert_eq!((sent, marks.len()), (1, 4), "{path}: {got}");
        assert!(marks[0].starts_with("lines 1–40 as in the result of read_file(src/db.rs) above"), "{path}: {marks:?}");
        assert!(marks[3].starts_with("lines 42–80 as in the 1st result of"), "{path}: {marks:?}");
        assert_eq!(got.matches("changed(); // for good").count(), 2, "{path}: {got}");
    }
}

/// The turns of an agent that wrote a file, by a call of its own kind, and reads it as a reading tool shows it.
fn written(path: &str, (tool, arguments): (&str, &Value), shown: &str) -> Vec<Value> {
    let mut turns = turns(path, &["Done.".to_owned(), shown.to_owned()]);
    match path {
        "/v1/chat/completions" => {
            turns[1]["tool_calls"][0]["function"] = json!({"name": tool, "arguments": arguments.to_string()});
        }
        "/v1/responses" => (turns[1]["name"], turns[1]["arguments"]) = (tool.into(), arguments.to_string().into()),
        _ => (turns[1]["content"][0]["name"], turns[1]["content"][0]["input"]) = (tool.into(), arguments.clone()),
    }
    turns
}

#[tokio::test]
async fn a_file_that_the_agent_wrote_is_not_sent_again_when_it_is_read() {
    let source = file(None).replace("let", "let é\t=");
    let numbered: String = source.lines().enumerate().map(|(at, line)| format!("{:>6}\t{line}\n", at + 1)).collect();
    let patch: String = source.lines().map(|line| format!("+{line}\n")).collect();
    let patch = format!("*** Begin Patch\n*** Add File: src/db.rs\n{patch}*** End Patch");
    let script = format!("cat > src/db.rs <<'EOF'\n{source}EOF");
    for path in SURFACES {
        for (tool, arguments, shown, told) in [
            (
                "write_file",
                json!({"content": source, "path": "src/db.rs"}),
                &source,
                "the same as the content given to write_file(src/db.rs) above",
            ),
            (
                "Write",
                json!({"file_path": "src/db.rs", "content": source}),
                &numbered,
                "lines 1–80 as in the content given to Write(src/db.rs) above",
            ),
            (
                "apply_patch",
                json!({"input": patch}),
                &source,
                "the same as the file added by apply_patch(src/db.rs) above",
            ),
            (
                "shell",
                json!({"command": ["bash", "-lc", script]}),
                &source,
                "lines 1–80 as in lines 2–81 of the command given to shell(cat > src/db.rs <<'EOF'",
            ),
        ] {
            let rig = Rig::start().await;
            let list = if path == "/v1/responses" { "input" } else { "messages" };
            let turns = written(path, (tool, &arguments), shown);
            let body = json!({"model": "gpt-5", "max_tokens": 1, list: turns}).to_string();
            let got = forwarded(&rig, path, &body, "X-Headroom-Ratio: auto\r\n").await;
            let read: Value = serde_json::from_str(&got).unwrap();
            assert_eq!(read[list][1], turns[1], "{path} {tool}: what the assistant said stays");
            let (_, marks) = self::told(&got);
            assert!(marks.len() == 1 && marks[0].starts_with(told), "{path} {tool}: {marks:?}\n{got}");
        }
    }
}

#[tokio::test]
async fn a_conversation_that_grows_by_what_was_seen_keeps_its_prefix() {
    for path in SURFACES {
        let rig = Rig::start().await;
        let texts: Vec<String> = (0..6).map(|at| file((at > 0).then_some(20 + at * 5))).collect();
        let mut before = String::new();
        for turn in 1..=texts.len() {
            let got =
                forwarded(&rig, path, &body(path, &texts[..turn], &json!({})), "X-Headroom-Ratio: auto\r\n").await;
            assert!(got.starts_with(before.trim_end_matches("]}")), "{path}: turn {turn}");
            before = got;
        }
        assert_eq!(told(&before).0, 1, "{path}: {before}");
    }
}

#[tokio::test]
async fn what_a_provider_may_forget_is_not_referred_to() {
    for more in [json!({"context_management": {"edits": []}}), json!({"truncation": "auto"})] {
        let rig = Rig::start().await;
        let body = body("/v1/responses", &[file(None), file(None)], &more);
        assert_eq!(forwarded(&rig, "/v1/responses", &body, "X-Headroom-Ratio: auto\r\n").await, body);
    }
    let rig = Rig::start().await;
    let body = body("/v1/responses", &[file(None), file(None)], &json!({"truncation": "disabled"}));
    assert_eq!(told(&forwarded(&rig, "/v1/responses", &body, "X-Headroom-Ratio: auto\r\n").await).0, 1);
}

#[tokio::test]
async fn what_a_rule_keeps_exact_stays_and_can_be_referred_to() {
    let exact = |tool: &str| Rule { tool: Some(Many::One(tool.to_owned())), exact: true, ..Rule::default() };
    for (tool, sent) in [("read_*", 2), ("other", 1)] {
        let rules = Rules::new(&[exact(tool)], &[], |_| None).unwrap();
        let rig = Rig::with(|settings| settings.rules = rules).await;
        let body = body(SURFACES[0], &[file(None), file(None)], &json!({}));
        assert_eq!(told(&forwarded(&rig, SURFACES[0], &body, "X-Headroom-Ratio: auto\r\n").await).0, sent, "{tool}");
    }
}

#[tokio::test]
async fn references_can_be_switched_off() {
    let rig = Rig::with(|settings| settings.policy.references = false).await;
    let body = body(SURFACES[0], &[file(None), file(None)], &json!({}));
    assert_eq!(forwarded(&rig, SURFACES[0], &body, "X-Headroom-Ratio: auto\r\n").await, body);
}

#[tokio::test]
async fn what_was_condensed_is_not_referred_to() {
    let rig = Rig::start().await;
    // Prose under a ratio: of the first text only some statements are forwarded.
    let text: String =
        (0..60).map(|at| format!("Station {at} reported {} visitors and closed early.\n\n", at * 31)).collect();
    let body = json!({"model": "gpt-5", "messages": [
        {"role": "user", "content": format!("{text}\nWhat did station 7 report?")},
        {"role": "assistant", "content": "217."},
        {"role": "user", "content": format!("{text}\nWhat did station 8 report?")},
    ]});
    let got = forwarded(&rig, SURFACES[0], &body.to_string(), "X-Headroom-Ratio: 5\r\n").await;
    let read: Value = serde_json::from_str(&got).unwrap();
    let (first, last) =
        (read["messages"][0]["content"].as_str().unwrap(), read["messages"][2]["content"].as_str().unwrap());
    assert!(first.contains("Station 7 reported") && !first.contains("Station 50 "), "{got}");
    assert!(
        last.contains("Station 8 reported 248")
            || (first.contains("Station 8 reported 248") && last.contains("as in the user's message")),
        "{got}"
    );
}
