//! The page at `/headroom/`: for whom it is, what it holds, and how it stays up to date.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use headroom::explain;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{Conn, Message, Rig, long_text, ok, post};

const LOCAL: &str = "Host: 127.0.0.1:8787\r\n";

async fn page(rig: &Rig, path: &str, lines: &str) -> Message {
    let mut client = rig.client().await;
    client.write(format!("GET /headroom/{path} HTTP/1.1\r\n{lines}\r\n")).await;
    client.message().await
}

async fn state(rig: &Rig, lines: &str) -> Value {
    let answer = page(rig, "state", lines).await;
    assert_eq!(answer.status(), 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

/// A rig that keeps records, and reads them to nobody without a key.
async fn keeping() -> Rig {
    Rig::with(|settings| settings.explain = Some(explain::Config::default())).await
}

/// Has a long user message and a tool's result condensed at 4:1.
async fn condense(rig: &Rig, credential: &str) {
    let body = json!({"model": "gpt-4o", "messages": [
        {"role": "user", "content": long_text()},
        {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "grep", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c", "content": format!("Minutes.\n{}", long_text())},
    ]});
    let lines = format!("Host: h\r\nX-Headroom-Ratio: 4\r\n{credential}");
    let request = post("/v1/chat/completions", &body.to_string()).replace("Host: h\r\n", &lines);
    let (_, answer) = rig.exchange(request.as_bytes(), ok("{}").as_bytes()).await;
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn the_page_runs_its_own_script_and_style_and_nothing_else() {
    let rig = Rig::start().await;
    let answer = page(&rig, "", LOCAL).await;
    assert_eq!((answer.status(), answer.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = answer.header("content-security-policy").unwrap();
    for (tag, directive) in [("script", "script-src"), ("style", "style-src")] {
        let (_, rest) = answer.text().split_once(&format!("<{tag}>")).unwrap();
        let (inline, after) = rest.split_once(&format!("</{tag}>")).unwrap();
        assert!(!after.contains(&format!("<{tag}")), "there is a second {tag}");
        let hash = STANDARD.encode(Sha256::digest(inline));
        assert!(policy.contains(&format!("{directive} 'sha256-{hash}';")), "{policy}");
    }
    for part in [
        "default-src 'none'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "require-trusted-types-for 'script'",
    ] {
        assert!(policy.contains(part), "{part}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("http"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("cross-origin-opener-policy"), Some("same-origin"));
}

#[tokio::test]
async fn another_site_can_link_to_the_page_and_neither_read_nor_frame_it() {
    let rig = Rig::start().await;
    let visit = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: ";
    assert_eq!(page(&rig, "", &format!("{LOCAL}{visit}document\r\n")).await.status(), 200);
    for lines in [
        &format!("{visit}iframe\r\n"),
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n",
        "Origin: https://evil.example\r\n",
    ] {
        let answer = page(&rig, "", &format!("{LOCAL}{lines}")).await;
        assert_eq!((answer.status(), answer.header("x-headroom-error")), (403, Some("cross_site")), "{lines}");
    }
    for path in ["state", "events"] {
        for lines in [&format!("{visit}document\r\n"), "Origin: https://evil.example\r\n"] {
            let answer = page(&rig, path, &format!("{LOCAL}{lines}")).await;
            assert_eq!(
                (answer.status(), answer.header("x-headroom-error")),
                (403, Some("cross_site")),
                "{path} {lines}"
            );
        }
    }
}

#[tokio::test]
async fn figures_are_for_this_machine_and_for_whoever_shows_who_he_is() {
    let rig = keeping().await;
    for path in ["state", "events"] {
        // A name that was made to point here, and what another proxy relays.
        for lines in [
            "Host: evil.example:8787\r\n",
            "Host: localhost:8787\r\nX-Forwarded-For: 10.0.0.1\r\n",
            "Host: localhost\r\nX-Headroom-Reader: 00\r\n",
        ] {
            let answer = page(&rig, path, lines).await;
            assert_eq!(
                (answer.status(), answer.header("x-headroom-error")),
                (403, Some("page_credential")),
                "{path} {lines}"
            );
            assert!(answer.text().contains("headroom page"));
        }
    }
    condense(&rig, "Authorization: Bearer alice\r\n").await;
    let local = state(&rig, LOCAL).await;
    assert_eq!((&local["viewer"], &local["requests"]), (&json!("local"), &Value::Null));
    assert_eq!(local["savings"]["total"]["condensed"], 1);
    // With a credential, from anywhere: one's own.
    let alice = state(&rig, "Host: proxy.example\r\nAuthorization: Bearer alice\r\n").await;
    assert_eq!((&alice["viewer"], alice["requests"].as_array().map(Vec::len)), (&json!("credential"), Some(1)));
    assert_eq!(alice["savings"], local["savings"]);
    let bob = state(&rig, "Host: proxy.example\r\nAuthorization: Bearer bob\r\n").await;
    assert_eq!((bob["requests"].as_array().map(Vec::len), &bob["savings"]["total"]["count"]), (Some(0), &json!(0)));
    assert_eq!(bob["savings"]["tools"], json!([]));
}

#[tokio::test]
async fn what_was_saved_is_told_by_tool_kind_model_and_surface_and_no_text_is_in_it() {
    let rig = keeping().await;
    condense(&rig, "").await;
    let state = state(&rig, LOCAL).await;
    let savings = &state["savings"];
    let names = |view: &str| -> Vec<&str> {
        savings[view].as_array().unwrap().iter().map(|group| group["name"].as_str().unwrap()).collect()
    };
    assert_eq!(
        (names("models"), names("surfaces"), names("kinds")),
        (vec!["gpt-4o"], vec!["chat_completions"], vec!["prose"])
    );
    assert_eq!(names("tools").len(), 2);
    assert!(names("tools").contains(&"grep") && names("tools").contains(&"(user messages)"));
    let (before, saved) = (savings["total"]["before"].as_u64().unwrap(), savings["total"]["saved"].as_u64().unwrap());
    assert!(saved * 2 > before && before > 1000, "{saved} of {before}");
    assert!(!state.to_string().contains("committee"));
}

/// The next state of a stream of events.
async fn event(client: &mut Conn) -> Value {
    let text = client.read_until("\n\n").await;
    let (_, data) = text.rsplit_once("data: ").unwrap();
    serde_json::from_str(data.trim()).unwrap()
}

async fn watcher(rig: &Rig) -> (Conn, Message) {
    let mut client = rig.client().await;
    client.write(format!("GET /headroom/events HTTP/1.1\r\n{LOCAL}\r\n")).await;
    let head = client.head_only().await;
    (client, head)
}

#[tokio::test]
async fn a_page_hears_of_each_change_and_a_drain_ends_it() {
    let mut rig = keeping().await;
    let (mut client, head) = watcher(&rig).await;
    assert_eq!((head.status(), head.header("content-type")), (200, Some("text/event-stream")));
    assert_eq!(event(&mut client).await["savings"]["total"]["count"], 0);
    condense(&rig, "").await;
    let mut count = json!(0);
    while count != json!(1) {
        count = event(&mut client).await["savings"]["total"]["count"].clone();
    }
    rig.stop();
    let end = String::from_utf8(client.rest().await).unwrap();
    assert!(end.ends_with("0\r\n\r\n"), "{end}");
    rig.stopped().await;
}

#[tokio::test]
async fn no_more_pages_watch_than_there_is_room_for() {
    let rig = Rig::start().await;
    let mut watchers = Vec::new();
    for _ in 0..16 {
        let (client, head) = watcher(&rig).await;
        assert_eq!(head.status(), 200);
        watchers.push(client);
    }
    let answer = page(&rig, "events", LOCAL).await;
    assert_eq!((answer.status(), answer.header("x-headroom-error")), (503, Some("overloaded")));
    // Whoever goes makes room.
    drop(watchers);
    while watcher(&rig).await.1.status() != 200 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_tried_text_comes_back_in_pieces_beside_its_original() {
    let rig = Rig::start().await;
    let text = format!("{}\u{202e}", long_text());
    let body = json!({"text": text, "ratio": 4, "query": "When was the harbour opened?", "pieces": true});
    let mut client = rig.client().await;
    client.write(post("/headroom/compress", &body.to_string())).await;
    let answer: Value = serde_json::from_slice(&client.message().await.body).unwrap();
    let rows = answer["pieces"].as_array().unwrap();
    assert_eq!(rows.len(), answer["units"].as_array().unwrap().len());
    let fates: Vec<&str> = rows.iter().map(|row| row["fate"].as_str().unwrap()).collect();
    assert!(fates.contains(&"kept") && fates.contains(&"dropped"));
    assert!(answer["pieces"].to_string().contains(r#"["hidden","U+202E"]"#));
}

#[tokio::test]
async fn money_is_told_once_the_answer_has_said_what_it_came_to() {
    let rig = Rig::start().await;
    let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": long_text()}]}).to_string();
    let request = post("/v1/chat/completions", &body).replace("Host: h\r\n", "Host: h\r\nX-Headroom-Ratio: 4\r\n");
    let usage = r#"{"usage": {"prompt_tokens": 500, "completion_tokens": 7}}"#;
    let answer =
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{usage}", usage.len());
    rig.exchange(request.as_bytes(), answer.as_bytes()).await;
    let total = state(&rig, LOCAL).await["savings"]["total"].clone();
    assert_eq!((&total["count"], &total["condensed"]), (&json!(1), &json!(1)));
    let (paid, saved) = (total["paid_nano"].as_i64().unwrap(), total["saved_nano"].as_i64().unwrap());
    // Each token left out would have cost what a fresh one of the prompt does.
    assert_eq!(saved / total["saved"].as_i64().unwrap(), (paid - 7 * 10_000) / 500);
}
