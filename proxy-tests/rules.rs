//! Rules decide text by text, on every surface alike; where there is none, nothing is different.

use headroom::{
    explain,
    proxy::rules::{Many, Rule, Rules},
};
use serde_json::{Value, json};

use crate::support::{Message, Rig, long_text, ok, post};

const SURFACES: [&str; 3] = ["/v1/chat/completions", "/v1/responses", "/v1/messages"];

fn one(text: &str) -> Option<Many> {
    Some(Many::One(text.to_owned()))
}

/// A rule that condenses what fits it 4:1.
fn shortened(name: &str) -> Rule {
    Rule { name: Some(name.to_owned()), ratio: "4".parse().ok(), ..Rule::default() }
}

fn kept(name: &str) -> Rule {
    Rule { name: Some(name.to_owned()), exact: true, ..Rule::default() }
}

async fn ruled(rules: &[Rule]) -> Rig {
    let rules = Rules::new(rules, &[], |_| Some("team-secret".to_owned())).unwrap();
    Rig::with(|settings| {
        settings.rules = rules;
        settings.explain = Some(explain::Config { local_reads: true, ..explain::Config::default() });
    })
    .await
}

/// A text that no other is equal to.
fn text(of: &str) -> String {
    long_text().replace("committee", &format!("committee of {of}"))
}

/// A request with a user's text, and the results of `look` and `edit`.
fn body(path: &str, model: &str) -> String {
    let (said, seen, changed) = (text("users"), text("lookers"), text("editors"));
    let turns = match path {
        "/v1/chat/completions" => json!([
            {"role": "user", "content": said},
            {"role": "assistant", "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}},
                {"id": "2", "type": "function", "function": {"name": "edit", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "1", "content": seen},
            {"role": "tool", "tool_call_id": "2", "content": changed},
        ]),
        "/v1/responses" => json!([
            {"role": "user", "content": [{"type": "input_text", "text": said}]},
            {"type": "function_call", "call_id": "1", "name": "look", "arguments": "{}"},
            {"type": "function_call", "call_id": "2", "name": "edit", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "1", "output": seen},
            {"type": "function_call_output", "call_id": "2", "output": changed},
        ]),
        _ => json!([
            {"role": "user", "content": said},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "1", "name": "look", "input": {}},
                {"type": "tool_use", "id": "2", "name": "edit", "input": {}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "1", "content": seen},
                {"type": "tool_result", "tool_use_id": "2", "content": changed}]},
        ]),
    };
    let list = if path == "/v1/responses" { "input" } else { "messages" };
    json!({"model": model, "max_tokens": 1, list: turns}).to_string()
}

async fn sent(rig: &Rig, path: &str, model: &str, lines: &str) -> (Message, Message) {
    let request = post(path, &body(path, model)).replacen("Host: h\r\n", &format!("Host: h\r\n{lines}"), 1);
    rig.exchange(request.as_bytes(), ok("{}").as_bytes()).await
}

/// Which of the three texts arrive as they were sent: the user's, that of `look`, that of `edit`.
fn whole(got: &Message) -> [bool; 3] {
    ["users", "lookers", "editors"].map(|of| got.text().contains(&text(of)))
}

async fn fetch(rig: &Rig, page: &str) -> Message {
    let mut client = rig.client().await;
    client.write(format!("GET /headroom/{page} HTTP/1.1\r\nHost: localhost:8787\r\n\r\n")).await;
    client.message().await
}

#[tokio::test]
async fn a_rule_by_tool_decides_on_every_surface() {
    for path in SURFACES {
        let edits = Rule { tool: one("ed*"), ..kept("edits") };
        let rig = ruled(&[edits, Rule { role: one("tool"), ..shortened("tools") }]).await;
        let (got, answer) = sent(&rig, path, "gpt-5", "").await;
        assert_eq!(whole(&got), [true, false, true], "{path}");
        assert_eq!(answer.header("x-headroom-outcome"), Some("compressed"), "{path}");
    }
}

#[tokio::test]
async fn a_rule_by_model_decides_on_every_surface() {
    for path in SURFACES {
        let rig = ruled(&[Rule { model: one("gpt-5*"), ..shortened("five") }]).await;
        let (got, _) = sent(&rig, path, "gpt-5-mini", "").await;
        assert_eq!(whole(&got), [false; 3], "{path}");
        let (got, _) = sent(&rig, path, "gpt-4o", "").await;
        assert_eq!(got.text(), body(path, "gpt-4o"), "{path}");
    }
}

#[tokio::test]
async fn a_rule_by_key_holds_for_whoever_brings_it() {
    let rig = ruled(&[Rule { key: one("env:TEAM_KEY"), ..shortened("team") }]).await;
    let (got, _) = sent(&rig, SURFACES[0], "gpt-5", "Authorization: Bearer team-secret\r\n").await;
    assert_eq!(whole(&got), [false; 3]);
    let (got, _) = sent(&rig, SURFACES[0], "gpt-5", "Authorization: Bearer another\r\n").await;
    assert_eq!(whole(&got), [true; 3]);
}

#[tokio::test]
async fn a_request_that_no_rule_lets_be_condensed_goes_on_unread() {
    let off = Rule { path: one("/v1/messages"), mode: Some(headroom::proxy::Mode::Off), ..Rule::default() };
    let rig = ruled(&[off, shortened("all")]).await;
    let (got, answer) = sent(&rig, "/v1/messages", "claude", "").await;
    assert_eq!(got.text(), body("/v1/messages", "claude"));
    assert_eq!(answer.header("x-headroom-outcome"), Some("passthrough; reason=off"));
    let (got, answer) = sent(&rig, "/v1/messages", "claude", "X-Headroom-Mode: compress\r\n").await;
    assert_eq!((whole(&got), answer.header("x-headroom-outcome")), ([true; 3], Some("unchanged; reason=no_gain")));
}

#[tokio::test]
async fn what_a_rule_leaves_says_so() {
    let rig = ruled(&[kept("all")]).await;
    let (got, answer) = sent(&rig, SURFACES[0], "gpt-5", "X-Headroom-Ratio: 5\r\n").await;
    assert_eq!(got.text(), body(SURFACES[0], "gpt-5"));
    assert_eq!(answer.header("x-headroom-outcome"), Some("unchanged; reason=rule"));
}

#[tokio::test]
async fn an_audit_of_one_tool_condenses_the_others() {
    let audit = Rule { tool: one("edit"), mode: Some(headroom::proxy::Mode::Audit), ..shortened("tried") };
    let rig = ruled(&[audit, shortened("all")]).await;
    let (got, answer) = sent(&rig, SURFACES[0], "gpt-5", "").await;
    assert_eq!((whole(&got), answer.header("x-headroom-outcome")), ([false, false, true], Some("compressed")));
    let metrics = fetch(&rig, "metrics").await;
    let figure = |name: &str| -> usize {
        let line = metrics.text().lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse().unwrap()
    };
    let header = |name: &str| -> usize { answer.header(name).unwrap().parse().unwrap() };
    assert_eq!(
        header("x-headroom-tokens-before") - header("x-headroom-tokens-after"),
        figure("headroom_tokens_before_total ") - figure("headroom_tokens_after_total ")
    );
    let sums: Value = serde_json::from_slice(&fetch(&rig, "audit").await.body).unwrap();
    let texts = |role: &str| sums["groups"][role]["prose"]["texts"].as_u64().unwrap_or(0);
    assert_eq!((texts("user"), texts("tool")), (0, 1), "{sums}");
}

#[tokio::test]
async fn the_rule_of_each_text_is_explained_and_counted_by_its_name() {
    let edits = Rule { tool: one("edit"), ..kept("edits") };
    let rig = ruled(&[edits, Rule { role: one("tool"), name: None, ..shortened("") }]).await;
    let (_, answer) = sent(&rig, SURFACES[0], "gpt-5", "X-Secret: gpt\r\n").await;
    let id = answer.header("x-headroom-request-id").unwrap().to_owned();
    let record: Value = serde_json::from_slice(&fetch(&rig, &format!("explain/{id}")).await.body).unwrap();
    let of = |slot: &Value| (slot["rule"].clone(), slot["decision"].clone(), slot["forwarded"].clone());
    let slots: Vec<_> = record["slots"].as_array().unwrap().iter().map(of).collect();
    let expected = [
        (Value::Null, json!("no_gain"), json!(false)),
        (json!("rule-2"), json!("compressed"), json!(true)),
        (json!("edits"), json!("exact"), json!(false)),
    ];
    assert_eq!(slots, expected);
    for (format, line) in [("text", "  rule: edits"), ("html", "rule <b>edits</b>")] {
        let page = fetch(&rig, &format!("explain/{id}?format={format}")).await;
        assert!(page.text().contains(line), "{}", page.text());
    }
    let metrics = fetch(&rig, "metrics").await;
    for line in [
        r#"headroom_rules_total{rule="edits",outcome="exact"} 1"#,
        r#"headroom_rules_total{rule="rule-2",outcome="compressed"} 1"#,
    ] {
        assert!(metrics.text().contains(line), "{}", metrics.text());
    }
}

#[tokio::test]
async fn without_a_rule_that_fits_nothing_is_different() {
    for path in SURFACES {
        let ratio = "X-Headroom-Ratio: 4\r\n";
        let (plain, _) = sent(&ruled(&[]).await, path, "gpt-5", ratio).await;
        let other = Rule { tool: one("other"), ..kept("other") };
        let (got, _) = sent(&ruled(&[other]).await, path, "gpt-5", ratio).await;
        assert_eq!(whole(&plain), [false; 3], "{path}");
        assert_eq!(got.body, plain.body, "{path}");
    }
}

/// A chat whose user marks a sentence within a long text, and a passage in a short one.
fn marked(turns: usize) -> String {
    let long =
        long_text().replacen(". In 1957", ".\n\n<headroom:exact>KEEP  this,\tas it is.</headroom:exact>\n\nIn 1957", 1);
    let turn = |turn: usize| {
        let tool = long.replace("committee", &format!("committee {turn}"));
        [
            json!({"role": "user", "content": format!("{long} What was decided in turn {turn}?")}),
            json!({"role": "user", "content": "a <headroom:exact>b</headroom:exact> <headroom:exact>c"}),
            json!({"role": "assistant", "tool_calls": [{"id": turn.to_string(), "type": "function",
                "function": {"name": "look", "arguments": "{}"}}]}),
            json!({"role": "tool", "tool_call_id": turn.to_string(), "content": tool}),
        ]
    };
    let messages: Vec<Value> = (0..turns).flat_map(turn).collect();
    json!({"model": "gpt-4o", "messages": messages}).to_string()
}

async fn sent_marked(rig: &Rig, turns: usize, lines: &str) -> (String, Message) {
    let request = post(SURFACES[0], &marked(turns)).replacen("Host: h\r\n", &format!("Host: h\r\n{lines}"), 1);
    let (got, answer) = rig.exchange(request.as_bytes(), ok("{}").as_bytes()).await;
    (got.text().to_owned(), answer)
}

#[tokio::test]
async fn what_a_user_marks_arrives_exactly_and_without_its_marks() {
    let rig = ruled(&[]).await;
    let (got, answer) = sent_marked(&rig, 1, "X-Headroom-Ratio: 5\r\n").await;
    assert_eq!(answer.header("x-headroom-outcome"), Some("compressed"));
    let got: Value = serde_json::from_str(&got).unwrap();
    let id = answer.header("x-headroom-request-id").unwrap();
    let record: Value = serde_json::from_slice(&fetch(&rig, &format!("explain/{id}")).await.body).unwrap();
    for (slot, at) in [(0, 0), (1, 3)] {
        assert_eq!(record["slots"][slot]["condensed"], got["messages"][at]["content"], "explained as it was sent");
    }
    let text = |at: usize| got["messages"][at]["content"].as_str().unwrap();
    assert!(text(0).contains("\n\nKEEP  this,\tas it is.\n\n") && text(0).len() < long_text().len() / 2, "{}", text(0));
    assert_eq!(text(1), "a b <headroom:exact>c");
    // What a tool says is data: the passage is exact there too, and so are its marks.
    assert!(text(3).contains("<headroom:exact>KEEP  this,\tas it is.</headroom:exact>"), "{}", text(3));
}

#[tokio::test]
async fn marks_go_also_where_nothing_is_condensed_and_stay_where_nothing_may_change() {
    let rig = ruled(&[kept("all")]).await;
    let (got, answer) = sent_marked(&rig, 1, "").await;
    assert_eq!(answer.header("x-headroom-outcome"), Some("unchanged; reason=rule"));
    let (before, after) = (marked(1).matches("<headroom:exact>").count(), got.matches("<headroom:exact>").count());
    assert_eq!((before, after), (4, 2));
    for mode in ["off", "audit"] {
        let (got, _) = sent_marked(&Rig::start().await, 1, &format!("X-Headroom-Mode: {mode}\r\n")).await;
        assert_eq!(got, marked(1), "{mode}");
    }
}

#[tokio::test]
async fn a_conversation_with_marks_keeps_its_prefix() {
    let rig = Rig::start().await;
    let mut previous = String::new();
    for turns in 1..=4 {
        let (got, _) = sent_marked(&rig, turns, "X-Headroom-Ratio: 4\r\n").await;
        let open = got.strip_suffix("]}").unwrap().to_owned();
        assert!(open.starts_with(&previous), "turn {turns}");
        previous = open;
    }
}
