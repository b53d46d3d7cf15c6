//! What the proxy says of itself under `/headroom/`.

use std::sync::mpsc;

use headroom::engine::Backend;
use serde_json::{Value, json};

use crate::support::{Message, Rig, long_text, ok, post};

async fn ask(rig: &Rig, request: &str) -> Message {
    let mut client = rig.client().await;
    client.write(request).await;
    client.message().await
}

async fn fetch(rig: &Rig, page: &str) -> Message {
    ask(rig, &format!("GET /headroom/{page} HTTP/1.1\r\nHost: h\r\n\r\n")).await
}

async fn compress(rig: &Rig, wanted: &Value) -> (u16, Value) {
    let answer = ask(rig, &post("/headroom/compress", &wanted.to_string())).await;
    (answer.status(), serde_json::from_slice(&answer.body).unwrap())
}

#[tokio::test]
async fn it_is_alive_and_ready() {
    let rig = Rig::start().await;
    rig.engine.loaded().await;
    for page in ["health", "ready"] {
        let answer = fetch(&rig, page).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
        assert!(answer.header("x-headroom-request-id").is_some());
    }
}

#[tokio::test]
async fn it_is_alive_but_not_ready_until_the_model_is_loaded() {
    let (finish, finished) = mpsc::channel::<()>();
    let rig = Rig::with(|settings| {
        settings.model = Backend::model(move || {
            let _ = finished.recv();
            Err("the file is damaged".into())
        });
    })
    .await;
    assert_eq!(fetch(&rig, "health").await.status(), 200);
    let answer = fetch(&rig, "ready").await;
    assert_eq!((answer.status(), answer.text().contains("being loaded")), (503, true));
    drop(finish);
    rig.engine.loaded().await;
    let answer = fetch(&rig, "ready").await;
    assert_eq!((answer.status(), answer.text().contains("the file is damaged")), (503, true), "{}", answer.text());
}

#[tokio::test]
async fn its_figures_add_up() {
    let rig = Rig::start().await;
    let usage =
        r#"{"usage": {"prompt_tokens": 100, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 40}}}"#;
    let answer =
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{usage}", usage.len());
    let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": long_text()}]}).to_string();
    let request = post("/v1/chat/completions", &body).replacen("Host: h", "Host: h\r\nX-Headroom-Ratio: 4", 1);
    let (_, answered) = rig.exchange(request.as_bytes(), answer.as_bytes()).await;
    let figures = fetch(&rig, "metrics").await;
    assert!(figures.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    let before = answered.header("x-headroom-tokens-before").unwrap();
    for line in [
        format!("headroom_tokens_before_total {before}"),
        r#"headroom_requests_total{route="chat_completions",outcome="compressed",reason="",status="200"} 1"#.into(),
        r#"headroom_gen_ai_client_token_usage_total{gen_ai_token_type="input"} 100"#.into(),
        r#"headroom_gen_ai_client_token_usage_total{gen_ai_token_type="input_cached"} 40"#.into(),
        "headroom_billed_equivalent_prompt_tokens_total 70.0".into(),
        "headroom_overhead_seconds_count 1".into(),
    ] {
        assert!(figures.text().contains(&line), "{line} in\n{}", figures.text());
    }
}

#[tokio::test]
async fn it_condenses_a_text_on_demand_and_accounts_for_every_byte() {
    let rig = Rig::start().await;
    let text = long_text();
    let (status, page) = compress(&rig, &json!({"text": text, "ratio": 4, "query": "What was decided?"})).await;
    assert_eq!((status, &page["outcome"]), (200, &json!("compressed")), "{page}");
    assert!(page["text"].as_str().unwrap().len() < text.len() / 2);
    assert!(page["tokens_after"].as_u64().unwrap() < page["tokens_before"].as_u64().unwrap());
    let units = page["units"].as_array().unwrap();
    let mut at = 0;
    for unit in units {
        assert_eq!(unit["start"], at);
        at = unit["end"].as_u64().unwrap();
    }
    assert_eq!(at, text.len() as u64);
}

#[tokio::test]
async fn it_condenses_messages_on_demand() {
    let rig = Rig::start().await;
    let messages = json!([{"role": "system", "content": long_text()}, {"role": "user", "content": long_text()}]);
    let (status, page) = compress(&rig, &json!({"messages": messages, "ratio": "3"})).await;
    assert_eq!(status, 200, "{page}");
    assert_eq!(page["messages"][0]["content"], long_text());
    assert!(page["messages"][1]["content"].as_str().unwrap().len() < long_text().len());
    assert_eq!(page["slots"][0]["message"], 1);
    let (_, page) = compress(&rig, &json!({"messages": [{"role": "user", "content": "short"}]})).await;
    assert_eq!((&page["messages"][0]["content"], &page["slots"]), (&json!("short"), &json!([])));
}

#[tokio::test]
async fn what_it_cannot_do_is_said_in_the_envelope() {
    let rig = Rig::with(|settings| settings.proxy.body_limit_mib = 1).await;
    let large = post("/headroom/compress", &json!({"text": "x".repeat(1 << 20)}).to_string());
    for (request, status, code) in [
        ("GET /headroom/nothing HTTP/1.1\r\nHost: h\r\n\r\n", 404, "not_found"),
        ("DELETE /headroom/health HTTP/1.1\r\nHost: h\r\n\r\n", 405, "method_not_allowed"),
        (&post("/headroom/compress", "{"), 400, "bad_request"),
        (&post("/headroom/compress", "{\"text\": \"a\", \"ratio\": 30}"), 400, "bad_request"),
        (&post("/headroom/compress", "{\"txt\": \"a\"}"), 400, "bad_request"),
        (&post("/headroom/compress", "{\"messages\": 7}"), 400, "bad_request"),
        (&large, 413, "too_large"),
    ] {
        let answer = ask(&rig, request).await;
        assert_eq!((answer.status(), answer.header("x-headroom-error")), (status, Some(code)), "{request:.60}");
        let envelope: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(envelope["error"]["code"], code);
    }
}

#[tokio::test]
async fn every_other_path_is_the_upstreams() {
    let rig = Rig::start().await;
    for path in ["/headroom", "/headroomy/health", "/v1/headroom/health", "/"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n");
        let (got, _) = rig.exchange(request.as_bytes(), ok("").as_bytes()).await;
        assert!(got.head.starts_with(&format!("GET {path} ")), "{}", got.head);
    }
}
