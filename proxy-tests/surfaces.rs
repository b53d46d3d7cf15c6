//! Each surface keeps the same promises: long texts get shorter, every other byte stays, a conversation that grows keeps
//! its prefix, and what cannot be read goes on as it came.

use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{Conn, Message, Rig, long_text, ok, post, soon};

/// A surface as its clients use it.
struct Surface {
    path: &'static str,
    route: &'static str,
    /// The body around the list of turns, which stands last.
    open: &'static str,
    /// The messages or items of one turn.
    turn: fn(usize, &str) -> Vec<Value>,
}

const SURFACES: [Surface; 3] = [
    Surface {
        path: "/v1/chat/completions",
        route: "chat_completions",
        open: r#"{"model":"gpt-4o","seed":1e400, "messages":"#,
        turn: of_chat,
    },
    Surface {
        path: "/v1/responses",
        route: "responses",
        open: r#"{"model":"gpt-5", "instructions":"INSTRUCTIONS","store" : false,"include":["reasoning.encrypted_content"],"input":"#,
        turn: of_responses,
    },
    Surface {
        path: "/v1/messages",
        route: "messages",
        open: r#"{"model":"claude-sonnet-4-5","system":[{"type":"text","text":"INSTRUCTIONS","cache_control" : {"type":"ephemeral"}}],"max_tokens":1, "messages":"#,
        turn: of_messages,
    },
];

fn of_chat(turn: usize, text: &str) -> Vec<Value> {
    let id = format!("c{turn}");
    vec![
        json!({"role": "user", "content": format!("{text} What was decided in turn {turn}?")}),
        json!({"role": "assistant", "tool_calls": [{"id": id, "type": "function", "function": {"name": "look", "arguments": "{}"}}]}),
        json!({"role": "tool", "tool_call_id": id, "content": text}),
    ]
}

fn of_responses(turn: usize, text: &str) -> Vec<Value> {
    let id = format!("c{turn}");
    vec![
        json!({"role": "user", "content": [{"type": "input_text", "text": format!("{text} What was decided in turn {turn}?")}]}),
        json!({"type": "reasoning", "id": format!("rs{turn}"), "summary": [], "encrypted_content": long_text()}),
        json!({"type": "function_call", "call_id": id, "name": "look", "arguments": "{}"}),
        json!({"type": "function_call_output", "call_id": id, "output": text}),
        json!({"type": "compaction", "encrypted_content": long_text()}),
    ]
}

fn of_messages(turn: usize, text: &str) -> Vec<Value> {
    let id = format!("toolu_{turn}");
    let reminder = format!("<system-reminder>{}</system-reminder>", long_text());
    vec![
        json!({"role": "user", "content": [{"type": "text", "text": reminder},
            {"type": "text", "text": format!("{text} What was decided in turn {turn}?"), "cache_control": {"type": "ephemeral"}}]}),
        json!({"role": "assistant", "content": [{"type": "thinking", "thinking": long_text(), "signature": "c2lnbmVk"},
            {"type": "tool_use", "id": id, "name": "look", "input": {}}]}),
        json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": [{"type": "text", "text": text}]}]}),
        json!({"role": "assistant", "content": long_text()}),
    ]
}

impl Surface {
    fn body(&self, turns: usize) -> String {
        let text = |turn: usize| long_text().replace("committee", &format!("committee {turn}"));
        let list: Vec<Value> = (0..turns).flat_map(|turn| (self.turn)(turn, &text(turn))).collect();
        format!("{}{}}}\n", self.open.replace("INSTRUCTIONS", &long_text()), Value::from(list))
    }

    fn post(&self, body: &str) -> String {
        post(self.path, body).replace("Host: h\r\n", "Host: h\r\nX-Headroom-Ratio: 3\r\n")
    }

    async fn sent(&self, rig: &Rig, body: &str) -> (Message, Message) {
        rig.exchange(self.post(body).as_bytes(), ok("{}").as_bytes()).await
    }
}

/// Takes every text that may be replaced out of a body.
fn without_slots(mut body: Value) -> Value {
    for name in ["messages", "input"] {
        for turn in body.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten() {
            let spoken = turn["role"] == "user" || turn["role"] == "tool" || turn["type"] == "function_call_output";
            for key in ["content", "output"].into_iter().filter(|_| spoken) {
                blank(&mut turn[key]);
            }
        }
    }
    body
}

fn blank(content: &mut Value) {
    match content {
        Value::String(text) => text.clear(),
        Value::Array(parts) => parts.iter_mut().for_each(|part| {
            let reminder = part["text"].as_str().is_some_and(|text| text.starts_with("<system-reminder>"));
            for key in ["text", "content"].into_iter().filter(|_| !reminder) {
                if !part[key].is_null() {
                    blank(&mut part[key]);
                }
            }
        }),
        _ => {}
    }
}

#[tokio::test]
async fn long_texts_get_shorter_and_nothing_else_changes() {
    for surface in SURFACES {
        let rig = Rig::start().await;
        let body = surface.body(2);
        let (got, answer) = surface.sent(&rig, &body).await;
        assert_eq!(answer.header("x-headroom-outcome"), Some("compressed"), "{}", surface.path);
        assert_eq!(answer.header("x-headroom-cache"), Some("hits=0, misses=4"), "{}", surface.path);
        assert!(got.body.len() < body.len() - 4 * long_text().len() / 2, "{}", surface.path);
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(without_slots(read(got.text())), without_slots(read(&body)), "{}", surface.path);
        assert!(got.text().starts_with(&surface.open.replace("INSTRUCTIONS", &long_text())), "{}", surface.path);
        assert!(got.text().ends_with("}\n"));
    }
}

#[tokio::test]
async fn a_conversation_of_ten_turns_keeps_its_prefix_across_a_restart() {
    for surface in SURFACES {
        let state = tempfile::tempdir().unwrap();
        let start = || {
            Rig::with(|settings| {
                settings.state = Some(state.path().into());
                settings.engine.decisions_file = "auto".into();
            })
        };
        let (mut rig, mut previous) = (start().await, String::new());
        for turn in 1..=10 {
            if turn == 6 {
                rig.stop();
                rig.stopped().await;
                rig = start().await;
            }
            let (got, answer) = surface.sent(&rig, &surface.body(turn)).await;
            assert_eq!(answer.header("x-headroom-outcome"), Some("compressed"));
            let open = got.text().strip_suffix("]}\n").unwrap().to_owned();
            assert!(open.starts_with(&previous), "{} turn {turn}", surface.path);
            previous = open;
        }
    }
}

#[tokio::test]
async fn what_cannot_be_read_goes_on_as_it_came() {
    let rig = Rig::start().await;
    let deep = "[".repeat(100_000);
    for (path, body, reason) in [
        ("/v1/responses", "{\"input\": [", "invalid_json"),
        ("/v1/responses", "{\"input\": {\"a\": 1}}", "unknown_shape"),
        ("/v1/responses", "{\"previous_response_id\": \"r\"}", "no_slots"),
        ("/v1/responses", "{\"input\": [{\"type\":\"reasoning\",\"encrypted_content\":\"E\"}]}", "no_slots"),
        ("/v1/responses", "{\"input\": \"short\"}", "below_minimum"),
        ("/v1/messages", &deep, "invalid_json"),
        ("/v1/messages", "{\"messages\": \"a\"}", "unknown_shape"),
        ("/v1/messages", "{\"messages\": [{\"role\":\"assistant\",\"content\":\"a\"}]}", "no_slots"),
    ] {
        let (got, answer) = rig.exchange(post(path, body).as_bytes(), ok("").as_bytes()).await;
        assert_eq!(got.text(), body);
        let outcome = format!("unchanged; reason={reason}");
        assert_eq!(answer.header("x-headroom-outcome"), Some(outcome.as_str()), "{path} {body:.40}");
    }
}

#[tokio::test]
async fn a_count_of_tokens_counts_what_would_be_sent() {
    let rig = Rig::start().await;
    for (index, counting) in [(1, "/v1/responses/input_tokens"), (2, "/v1/messages/count_tokens")] {
        let surface = &SURFACES[index];
        let body = surface.body(1);
        let (sent, _) = surface.sent(&rig, &body).await;
        let (counted, answer) = Surface { path: counting, ..SURFACES[index] }.sent(&rig, &body).await;
        assert_eq!(answer.header("x-headroom-outcome"), Some("compressed"));
        assert_eq!(counted.text(), sent.text());
    }
}

#[tokio::test]
async fn a_body_of_responses_on_the_path_of_chat_completions_is_condensed() {
    let rig = Rig::start().await;
    let body = SURFACES[1].body(1);
    let (expected, _) = SURFACES[1].sent(&rig, &body).await;
    let (got, answer) = Surface { path: "/v1/chat/completions", ..SURFACES[1] }.sent(&rig, &body).await;
    assert_eq!((got.text(), answer.text()), (expected.text(), "{}"));
}

#[tokio::test]
async fn a_request_is_counted_recorded_and_explained_by_its_surface() {
    let rig = Rig::with(|settings| {
        settings.explain = Some(headroom::explain::Config { local_reads: true, ..Default::default() })
    })
    .await;
    for surface in SURFACES {
        let mut request = rig.client().await;
        request.write(surface.post(&surface.body(1))).await;
        let mut upstream = rig.accept().await;
        upstream.message().await;
        let usage = r#"{"usage":{"prompt_tokens":7,"input_tokens":7}}"#;
        let length = usage.len();
        upstream
            .write(format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{usage}"
            ))
            .await;
        let answer = request.message().await;
        let id = answer.header("x-headroom-request-id").unwrap().to_owned();
        drop(request);

        let get = |page: String| format!("GET /headroom/{page} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let mut client = rig.client().await;
        client.write(get(format!("explain/{id}"))).await;
        let record: Value = serde_json::from_slice(&client.message().await.body).unwrap();
        assert_eq!(record["surface"], surface.route);
        assert_eq!(record["slots"].as_array().unwrap().len(), 2, "{record}");

        client.write(get("metrics".into())).await;
        let metrics = client.message().await;
        let line = format!(
            r#"headroom_requests_total{{route="{}",outcome="compressed",reason="",status="200"}} 1"#,
            surface.route
        );
        assert!(metrics.text().contains(&line), "{}", metrics.text());
    }
    let mut client = rig.client().await;
    client.write("GET /headroom/metrics HTTP/1.1\r\nHost: h\r\n\r\n").await;
    let metrics = client.message().await;
    let input = metrics.text().lines().find(|line| line.contains("\"input\"")).unwrap();
    assert!(input.ends_with(" 21"), "{input}");
}

#[tokio::test]
async fn why_a_request_was_not_looked_at_is_said() {
    let rig = Rig::start().await;
    for (request, reason) in [
        (post("/v1/embeddings", "{}"), "no_surface"),
        (post("/v1/messages", "{}").replace("application/json", "text/plain"), "content_type"),
        ("GET /v1/responses HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(), "method"),
    ] {
        let (_, answer) = rig.exchange(request.as_bytes(), ok("").as_bytes()).await;
        let outcome = format!("passthrough; reason={reason}");
        assert_eq!(answer.header("x-headroom-outcome"), Some(outcome.as_str()), "{request}");
    }
}

#[tokio::test]
async fn a_key_is_sent_only_where_its_request_was_addressed() {
    let anthropic = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let rig = Rig::with(|settings| {
        settings.upstream.anthropic_url = Some(format!("http://{}", anthropic.local_addr().unwrap()));
    })
    .await;
    let mut client = rig.client().await;
    let body = SURFACES[2].body(1);
    let head = "Host: h\r\nX-Api-Key: sk-ant-secret\r\nanthropic-version: 2023-06-01\r\nX-Headroom-Ratio: 3\r\n";
    client.write(post("/v1/messages", &body).replace("Host: h\r\n", head)).await;
    let mut upstream = Conn(soon(anthropic.accept()).await.unwrap().0);
    let got = upstream.message().await;
    assert_eq!(got.header("x-api-key"), Some("sk-ant-secret"));
    assert_eq!(got.header("host"), Some(anthropic.local_addr().unwrap().to_string().as_str()));
    upstream.write(ok("{}")).await;
    assert_eq!(client.message().await.header("x-headroom-outcome"), Some("compressed"));

    client.write("GET /v1/models HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer sk-openai\r\n\r\n").await;
    let mut upstream = rig.accept().await;
    let got = upstream.message().await;
    assert_eq!((got.header("authorization"), got.header("x-api-key")), (Some("Bearer sk-openai"), None));
}

#[tokio::test]
async fn a_client_key_never_leaves_the_proxy() {
    let anthropic = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let rig = Rig::with(|settings| {
        settings.upstream.api_key_env = Some("CARGO_PKG_NAME".to_owned());
        settings.upstream.anthropic_url = Some(format!("http://{}", anthropic.local_addr().unwrap()));
        // A variable of every test, whose value then is a client key.
        settings.access.client_keys = vec!["env:CARGO_PKG_LICENSE".to_owned()];
    })
    .await;
    let body = SURFACES[2].body(1);
    let with =
        |key: &str| post("/v1/messages", &body).replace("Host: h\r\n", &format!("Host: h\r\nX-Api-Key: {key}\r\n"));
    let mut client = rig.client().await;
    client.write(with(env!("CARGO_PKG_LICENSE"))).await;
    let answer = client.message().await;
    assert_eq!((answer.status(), answer.header("x-headroom-error")), (403, Some("no_key")));

    client.write(with("sk-ant-own")).await;
    let mut upstream = Conn(soon(anthropic.accept()).await.unwrap().0);
    let got = upstream.message().await;
    assert_eq!((got.header("x-api-key"), got.header("authorization")), (Some("sk-ant-own"), None));
}
