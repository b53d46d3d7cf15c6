//! Several upstreams: each request arrives where it is addressed, and its keys nowhere else.

use headroom::proxy::{rules::Many, upstream::Named};
use tokio::net::TcpListener;

use crate::support::{Conn, Message, Rig, Settings, long_text, ok, post, soon};

/// A rig with two further upstreams: one by model, with a key of the operator's, and one by prefix, without.
struct Several {
    rig: Rig,
    models: TcpListener,
    prefix: TcpListener,
}

/// Which upstream a request arrived at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Default,
    Models,
    Prefix,
}

impl Several {
    async fn start(change: impl FnOnce(&mut Settings)) -> Self {
        let models = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let prefix = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = |listener: &TcpListener| format!("http://{}/v1", listener.local_addr().unwrap());
        let upstreams = vec![
            Named {
                name: "local".into(),
                url: url(&models),
                model: Some(Many::Several(vec!["llama*".into(), "qwen*".into()])),
                api_key_env: Some("LOCAL_KEY".into()),
                ..Named::default()
            },
            Named { name: "other".into(), url: url(&prefix), prefix: Some("/other".into()), ..Named::default() },
        ];
        let rig = Rig::with(|settings| {
            settings.upstreams = upstreams;
            settings.environment = Box::new(|name| (name == "LOCAL_KEY").then(|| "OPERATORS".to_owned()));
            change(settings);
        })
        .await;
        Self { rig, models, prefix }
    }

    /// Where a connection comes in next.
    async fn accept(&self) -> (At, Conn) {
        let (at, accepted) = soon(async {
            tokio::select! {
                accepted = self.rig.upstream.accept() => (At::Default, accepted),
                accepted = self.models.accept() => (At::Models, accepted),
                accepted = self.prefix.accept() => (At::Prefix, accepted),
            }
        })
        .await;
        (at, Conn(accepted.unwrap().0))
    }

    /// Where a request arrives, as what, and how it is answered.
    async fn exchange(&self, request: &str) -> (At, Message, Message) {
        let mut client = self.rig.client().await;
        client.write(request).await;
        let (at, mut upstream) = self.accept().await;
        let got = upstream.message().await;
        upstream.write(ok("{}").replacen("OK\r\n", "OK\r\nConnection: close\r\n", 1)).await;
        (at, got, client.message().await)
    }
}

fn with(lines: &str, path: &str, body: &str) -> String {
    post(path, body).replacen("Host: h\r\n", &format!("Host: localhost:8787\r\n{lines}"), 1)
}

fn asking(model: &str) -> String {
    serde_json::json!({"messages": [{"role": "user", "content": long_text()}], "input": long_text(), "model": model})
        .to_string()
}

const CLIENTS: &str = "Authorization: Bearer CLIENTS\r\nX-Api-Key: CLIENTS\r\n";

#[tokio::test]
async fn a_request_arrives_where_its_model_or_path_is_served_and_its_keys_nowhere_else() {
    let several = Several::start(|_| {}).await;
    let (gpt, llama) = (asking("gpt-5"), asking("Llama-4"));
    let twice = llama.replacen('{', r#"{"model":"gpt-5","#, 1);
    for (lines, path, body, at) in [
        ("", "/v1/chat/completions", &gpt, At::Default),
        ("", "/v1/chat/completions", &llama, At::Models),
        ("", "/v1/responses", &llama, At::Models),
        ("", "/v1/messages", &llama, At::Models),
        // Also where nobody looks for texts to condense.
        ("X-Headroom-Bypass: true\r\n", "/v1/chat/completions", &llama, At::Models),
        ("X-Headroom-Mode: audit\r\n", "/v1/chat/completions", &llama, At::Models),
        ("X-Headroom-Ratio: much\r\n", "/v1/chat/completions", &llama, At::Models),
        // Two readers may not agree on it; without it, it is nobody else's.
        ("", "/v1/chat/completions", &twice, At::Default),
        ("", "/v1/chat/completions", &"{".to_owned(), At::Default),
        ("", "/v1/embeddings", &llama, At::Default),
        ("", "/other/v1/chat/completions", &llama, At::Prefix),
        ("", "/other/v1/chat/completions", &gpt, At::Prefix),
        ("", "/other/embeddings", &gpt, At::Prefix),
        ("", "/others/v1/models", &gpt, At::Default),
    ] {
        let (arrived, got, answer) = several.exchange(&with(&format!("{CLIENTS}{lines}"), path, body)).await;
        let case = format!("{path} {lines} {}", &body[..1]);
        assert_eq!(arrived, at, "{case}");
        assert_eq!(answer.status(), 200, "{case}");
        let keys: Vec<&str> = got.head.split("\r\n").filter(|line| line.contains("CLIENTS")).collect();
        match at {
            At::Models => {
                assert_eq!(keys, Vec::<&str>::new(), "{case}");
                assert_eq!(got.header("authorization"), Some("Bearer OPERATORS"), "{case}");
            }
            At::Default | At::Prefix => {
                assert_eq!(keys.len(), 2, "{case}");
                assert!(!got.head.contains("OPERATORS"), "{case}");
            }
        }
        if at == At::Prefix {
            assert!(
                got.head.contains(&format!("POST {} HTTP", path.replace("/other", "/v1").replace("/v1/v1", "/v1")))
            );
        }
    }
}

#[tokio::test]
async fn the_switch_by_model_condenses_streams_and_is_counted() {
    let several = Several::start(|_| {}).await;
    let mut client = several.rig.client().await;
    client.write(with("X-Headroom-Ratio: 4\r\n", "/v1/chat/completions", &asking("qwen3"))).await;
    let (at, mut upstream) = several.accept().await;
    let got = upstream.message().await;
    assert_eq!(at, At::Models);
    assert!(
        got.body.len() < asking("qwen3").len() - 1000 && got.text().ends_with(r#""model":"qwen3"}"#),
        "{}",
        got.text()
    );
    upstream.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    for event in ["data: one\n\n", "data: [DONE]\n\n"] {
        upstream.write(format!("{:x}\r\n{event}\r\n", event.len())).await;
        client.read_until(event).await;
    }
    upstream.write("0\r\n\r\n").await;
    client.read_until("0\r\n\r\n").await;
    client.write("GET /headroom/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let metrics = client.message().await;
    let line = r#"headroom_upstream_requests_total{upstream="local",status="200"} 1"#;
    assert!(metrics.text().contains(line), "{}", metrics.text());
}

#[tokio::test]
async fn a_websocket_goes_where_its_path_says_with_its_own_key() {
    let several = Several::start(|_| {}).await;
    for (path, at, seen) in [
        ("/other/v1/responses", At::Prefix, "GET /v1/responses HTTP/1.1"),
        ("/v1/responses", At::Default, "GET /v1/responses HTTP/1.1"),
    ] {
        let mut client = several.rig.client().await;
        client
            .write(format!(
                "GET {path} HTTP/1.1\r\nHost: h\r\n{CLIENTS}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
            ))
            .await;
        let (arrived, mut upstream) = several.accept().await;
        let head = upstream.head().await;
        assert_eq!((arrived, head.matches("CLIENTS").count()), (at, 2), "{head}");
        assert!(head.starts_with(seen), "{head}");
        upstream.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n").await;
        assert!(client.head().await.starts_with("HTTP/1.1 101"));
        // A server's frame, and a client's.
        upstream.write([0x81, 2, b'h', b'i']).await;
        assert_eq!(client.read(4).await, [0x81, 2, b'h', b'i']);
        client.write([0x8a, 0x80, 1, 2, 3, 4]).await;
        assert_eq!(upstream.read(6).await, [0x8a, 0x80, 1, 2, 3, 4]);
    }
}

#[tokio::test]
async fn a_text_is_not_sent_to_a_stranger_for_want_of_room_to_see_whose_it_is() {
    let several = Several::start(|settings| settings.proxy.body_limit_mib = 1).await;
    let mut client = several.rig.client().await;
    let body = asking("llama").replacen("The committee", &"x".repeat(1 << 20), 1);
    client.write(with(CLIENTS, "/v1/chat/completions", &body)).await;
    let answer = client.message().await;
    assert_eq!((answer.status(), answer.header("x-headroom-error")), (413, Some("too_large")));
    // The first that arrives anywhere is another one.
    let (at, got, _) = several.exchange(&with(CLIENTS, "/v1/chat/completions", &asking("gpt-5"))).await;
    assert!(at == At::Default && got.text().contains("gpt-5"));
}

#[tokio::test]
async fn a_key_of_the_operators_is_lent_for_another_server_as_it_is_for_the_first() {
    let several = Several::start(|_| {}).await;
    let request = with("", "/v1/chat/completions", &asking("llama"));
    let (at, got, _) = several.exchange(&request).await;
    assert_eq!((at, got.header("authorization")), (At::Models, Some("Bearer OPERATORS")));
    for (from, to) in [("localhost:8787", "evil.example"), ("Host:", "Origin: https://evil.example\r\nHost:")] {
        let mut client = several.rig.client().await;
        client.write(request.replacen(from, to, 1)).await;
        assert_eq!(client.message().await.header("x-headroom-error"), Some("key_not_lent"));
    }
}
