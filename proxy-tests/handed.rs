//! `POST /v1/compress`, as other gateways call it.

use serde_json::{Value, json};

use crate::support::{Message, Rig, long_text, post};

async fn call(rig: &Rig, wanted: &Value, head: &str) -> (Message, Value) {
    let mut client = rig.client().await;
    let request = post("/v1/compress", &wanted.to_string()).replace("Host: h\r\n", &format!("Host: h\r\n{head}"));
    client.write(request).await;
    let answer = client.message().await;
    let page = serde_json::from_slice(&answer.body).unwrap();
    (answer, page)
}

async fn compressed(rig: &Rig, wanted: &Value) -> Value {
    let (answer, page) = call(rig, wanted, "Authorization: Bearer sk-secret\r\n").await;
    assert_eq!(answer.status(), 200, "{page}");
    page
}

fn chat() -> Value {
    json!([{"role": "system", "content": long_text()}, {"role": "user", "content": format!("{} When?", long_text())},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c", "content": long_text()}])
}

#[tokio::test]
async fn each_shape_comes_back_shorter_and_nothing_is_forwarded() {
    // Nobody listens where requests would go.
    let rig = Rig::with(|settings| settings.upstream.url = "http://127.0.0.1:9".into()).await;
    let messages = json!([{"role": "user", "content": [{"type": "text", "text": "When?", "cache_control": {"type": "ephemeral"}}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "look", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": long_text()}]}]);
    let input = json!([{"role": "user", "content": "When?"}, {"type": "reasoning", "encrypted_content": long_text()},
        {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": long_text()}]);
    for (name, list, at) in [
        ("messages", chat(), "/3/content"),
        ("messages", messages, "/2/content/0/content"),
        ("input", input, "/3/output"),
    ] {
        let page = compressed(&rig, &json!({name: list, "model": "gpt-4o", "config": {"target_ratio": 0.25}})).await;
        let text = page[name].pointer(at).unwrap().as_str().unwrap();
        assert!(text.len() < long_text().len() / 2, "{page}");
        let (before, after) = (page["tokens_before"].as_u64().unwrap(), page["tokens_after"].as_u64().unwrap());
        assert_eq!(page["tokens_saved"], before - after);
        assert!((page["compression_ratio"].as_f64().unwrap() - after as f64 / before as f64).abs() < 1e-9);
        assert!(after * 2 < before);
        let mut back = page[name].clone();
        *back.pointer_mut(at).unwrap() = list.pointer(at).unwrap().clone();
        for (index, (back, sent)) in back.as_array().unwrap().iter().zip(list.as_array().unwrap()).enumerate() {
            assert!(back == sent || (index == 1 && sent["role"] == "user"), "{back}");
        }
    }
}

#[tokio::test]
async fn frozen_messages_stay_and_the_others_have_the_form_that_they_always_have() {
    let rig = Rig::start().await;
    let ask = |config: Value| json!({"messages": chat(), "model": "gpt-4o", "config": config});
    let free = compressed(&rig, &ask(json!({"target_ratio": 0.25}))).await;
    let frozen = compressed(&rig, &ask(json!({"target_ratio": 0.25, "frozen_message_count": 2}))).await;
    assert_eq!(frozen["messages"][1], chat()[1]);
    assert_ne!(free["messages"][1], chat()[1]);
    assert_eq!(frozen["messages"][3], free["messages"][3]);
    let tools = compressed(
        &rig,
        &ask(json!({"target_ratio": 0.25, "compress_user_messages": false, "mode": "lossy_inline",
        "session_id": "s", "protect_recent": 0, "protect_analysis_context": null})),
    )
    .await;
    assert_eq!((&tools["messages"][1], &tools["messages"][3]), (&chat()[1], &free["messages"][3]));
    let all = compressed(&rig, &ask(json!({"frozen_message_count": 9}))).await;
    assert_eq!((&all["messages"], &all["compression_ratio"]), (&chat(), &json!(1.0)));
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_by_name() {
    let rig = Rig::start().await;
    for (config, name) in [
        (json!({"mode": "ccr"}), "config.mode"),
        (json!({"protect_recent": 2}), "config.protect_recent"),
        (json!({"target_ratio": 0.9}), "config.target_ratio"),
        (json!({"frozen_message_count": -1}), "config.frozen_message_count"),
        (json!({"compress_system_messages": true}), "config.compress_system_messages"),
        (json!({"min_tokens": 5}), "config.min_tokens"),
        (json!({"a\nb": 5}), "config.…"),
    ] {
        let (answer, page) = call(&rig, &json!({"messages": chat(), "config": config}), "").await;
        assert_eq!(answer.status(), 400);
        let message = page["error"]["message"].as_str().unwrap();
        assert!(message.contains(&format!("`{name}`")), "{message}");
    }
    for (wanted, name) in [
        (json!({"messages": chat(), "token_budget": 5}), "token_budget"),
        (json!({"model": "m"}), "messages"),
        (json!({"messages": "x"}), "messages"),
        (json!([]), "messages"),
    ] {
        let (answer, page) = call(&rig, &wanted, "").await;
        assert_eq!(answer.status(), 400);
        assert!(page["error"]["message"].as_str().unwrap().contains(&format!("`{name}`")), "{page}");
    }
}

#[tokio::test]
async fn a_bypass_gives_the_messages_back_as_they_came() {
    let rig = Rig::start().await;
    let (answer, page) = call(&rig, &json!({"messages": chat()}), "X-Headroom-Bypass: true\r\n").await;
    assert_eq!(page["messages"], chat());
    assert_eq!(answer.header("x-headroom-outcome"), Some("passthrough; reason=off"));
    let (answer, page) = call(&rig, &json!({"messages": []}), "").await;
    assert_eq!((answer.status(), &page["messages"], &page["tokens_saved"]), (200, &json!([]), &json!(0)));
}
