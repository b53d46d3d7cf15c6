//! Who is metered, and what is said when a budget is used up; and the access log, in which each request stands.

use headroom::proxy::clients::Client;
use serde_json::{Value, json};

use crate::support::{Message, Rig, long_text, ok, post, soon};

/// SHA-256 of `alice`.
const ALICE: &str = "sha256:2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90";

async fn rig(requests_per_minute: Option<u32>, tokens_per_day: Option<u64>) -> Rig {
    let client = Client { name: "search".into(), keys: vec![ALICE.into()], requests_per_minute, tokens_per_day };
    Rig::with(|settings| settings.clients = vec![client]).await
}

fn chat(key: &str) -> String {
    let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}).to_string();
    post("/v1/chat/completions", &body).replace("Host: h\r\n", &format!("Host: h\r\nAuthorization: Bearer {key}\r\n"))
}

/// What the proxy says by itself, without asking the upstream.
async fn own(rig: &Rig, request: &str) -> Message {
    let mut client = rig.client().await;
    client.write(request).await;
    client.message().await
}

fn told() -> String {
    let usage = r#"{"usage": {"prompt_tokens": 900, "completion_tokens": 100}}"#;
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{usage}", usage.len())
}

#[tokio::test]
async fn past_its_requests_a_key_is_told_when_to_come_again_and_others_are_not_held_up() {
    let rig = rig(Some(2), None).await;
    for _ in 0..2 {
        let (_, answer) = rig.exchange(chat("alice").as_bytes(), told().as_bytes()).await;
        assert_eq!(answer.status(), 200);
    }
    let answer = own(&rig, &chat("alice")).await;
    assert_eq!((answer.status(), answer.header("x-headroom-error")), (429, Some("budget_requests")));
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    let envelope: Value = serde_json::from_slice(&answer.body).unwrap();
    let message = envelope["error"]["message"].as_str().unwrap();
    assert!(message.contains("`search`") && message.contains("2 requests a minute") && !message.contains("alice"));
    // By whatever header the key comes; a key that nobody configured is the provider's business.
    let other_header = chat("x").replace("Authorization: Bearer x", "x-api-key: alice");
    assert_eq!(own(&rig, &other_header).await.status(), 429);
    for _ in 0..5 {
        let (_, answer) = rig.exchange(chat("bob").as_bytes(), told().as_bytes()).await;
        assert_eq!(answer.status(), 200);
    }
    let figures = own(&rig, "GET /headroom/metrics HTTP/1.1\r\nHost: h\r\n\r\n").await;
    for line in [
        r#"headroom_client_requests_total{client="search",outcome="allowed"} 2"#,
        r#"headroom_client_requests_total{client="search",outcome="budget_requests"} 2"#,
        r#"headroom_client_tokens_total{client="search",outcome="spent"} 2000"#,
    ] {
        assert!(figures.text().contains(line), "{line} in {}", figures.text());
    }
}

#[tokio::test]
async fn past_its_tokens_a_key_waits_for_the_next_day() {
    let rig = rig(None, Some(1500)).await;
    for _ in 0..2 {
        let (_, answer) = rig.exchange(chat("alice").as_bytes(), told().as_bytes()).await;
        assert_eq!(answer.status(), 200);
    }
    let answer = own(&rig, &chat("alice")).await;
    assert_eq!((answer.status(), answer.header("x-headroom-error")), (429, Some("budget_tokens")));
    assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() <= 24 * 60 * 60);
}

#[tokio::test]
async fn condensing_as_a_service_is_metered_by_what_was_read() {
    let rig = rig(None, Some(500)).await;
    let request = |path: &str, body: &Value| {
        post(path, &body.to_string()).replace("Host: h\r\n", "Host: h\r\nAuthorization: Bearer alice\r\n")
    };
    let text = json!({"text": long_text(), "ratio": 4});
    let first = own(&rig, &request("/headroom/compress", &text)).await;
    assert_eq!(first.status(), 200, "{}", first.text());
    for (path, body) in [("/headroom/compress", &text), ("/v1/compress", &json!({"messages": []}))] {
        let answer = own(&rig, &request(path, body)).await;
        assert_eq!((answer.status(), answer.header("x-headroom-error")), (429, Some("budget_tokens")), "{path}");
    }
    // Pages that cost nothing stay open.
    let health = "GET /headroom/health HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer alice\r\n\r\n";
    assert_eq!(own(&rig, health).await.status(), 200);
}

#[tokio::test]
async fn each_request_is_a_line_of_the_access_log_without_text_key_or_query() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.log");
    let to = path.clone();
    let client = Client { name: "search".into(), keys: vec![ALICE.into()], ..Client::default() };
    let rig = Rig::with(|settings| {
        settings.access_log = Some(to);
        settings.clients = vec![client];
    })
    .await;
    let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": long_text()}]}).to_string();
    let request = post("/v1/chat/completions?key=query", &body)
        .replace("Host: h\r\n", "Host: h\r\nAuthorization: Bearer alice\r\nX-Headroom-Ratio: 4\r\n");
    let (_, answer) = rig.exchange(request.as_bytes(), told().as_bytes()).await;
    let (_, _) = rig.exchange(b"GET /v1/models HTTP/1.1\r\nHost: h\r\n\r\n", ok("[]").as_bytes()).await;
    own(&rig, "GET /headroom/health HTTP/1.1\r\nHost: h\r\n\r\n").await;
    let written = async {
        loop {
            let text = std::fs::read_to_string(&path).unwrap();
            if text.lines().count() >= 2 {
                return text;
            }
            tokio::task::yield_now().await;
        }
    };
    let text = soon(written).await;
    assert!(!["committee", "alice", "query"].iter().any(|secret| text.contains(secret)), "{text}");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    let line = &lines[0];
    assert_eq!(line["id"].as_str(), answer.header("x-headroom-request-id"));
    assert_eq!(
        (&line["client"], &line["outcome"], &line["status"]),
        (&json!("search"), &json!("compressed"), &json!(200))
    );
    assert_eq!((&line["input_tokens"], &line["path"]), (&json!(900), &json!("/v1/chat/completions")));
    assert!(line["tokens_after"].as_u64().unwrap() < line["tokens_before"].as_u64().unwrap());
    assert_eq!((&lines[1]["outcome"], &lines[1]["end"]), (&json!("passthrough"), &json!("complete")));
}
