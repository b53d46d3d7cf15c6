//! The operator's key and the own pages are for those who are meant.

use headroom::explain;
use serde_json::{Value, json};

use crate::support::{Message, Rig, Settings, long_text, ok, post};

/// A proxy that puts in a key. Cargo sets this variable for every test: a test must not change its own environment.
async fn with_key(change: impl FnOnce(&mut Settings)) -> Rig {
    Rig::with(|settings| {
        settings.upstream.api_key_env = Some("CARGO_PKG_NAME".to_owned());
        change(settings);
    })
    .await
}

/// What the proxy says by itself, without asking the upstream.
async fn own(rig: &Rig, request: &str) -> Message {
    let mut client = rig.client().await;
    client.write(request).await;
    client.message().await
}

fn get(lines: &str) -> String {
    format!("GET /v1/models HTTP/1.1\r\n{lines}\r\n")
}

const LOCAL: &str = "Host: 127.0.0.1:8787\r\n";

#[tokio::test]
async fn a_web_page_cannot_spend_the_operators_key() {
    let rig = with_key(|_| {}).await;
    let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}).to_string();
    // What any page may send without asking: a form's content type, no credential.
    let simple = |lines: &str| {
        post("/v1/chat/completions", &body)
            .replace("application/json", "text/plain")
            .replace("Host: h\r\n", &format!("{LOCAL}{lines}"))
    };
    for lines in [
        "Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\n",
        "Origin: https://evil.example\r\n",
        "Origin: null\r\n",
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n",
        "X-Forwarded-For: 10.0.0.9\r\n",
    ] {
        let answer = own(&rig, &simple(lines)).await;
        assert_eq!((answer.status(), answer.header("x-headroom-error")), (403, Some("key_not_lent")), "{lines}");
        assert!(answer.text().contains("access.client_keys"), "{}", answer.text());
        assert!(answer.header("access-control-allow-origin").is_none());
    }
    // A page whose name was made to point here, and a socket that it opens.
    for lines in [
        "Host: evil.example:8787\r\n",
        "Host: evil.example\r\nOrigin: http://evil.example\r\nSec-Fetch-Site: same-origin\r\n",
        "Host: evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
    ] {
        assert_eq!(own(&rig, &get(lines)).await.status(), 403, "{lines}");
    }
    // Nothing of that reached the upstream: the first that does is a program's.
    let (got, answer) = rig.exchange(get(LOCAL).as_bytes(), ok("fine").as_bytes()).await;
    assert_eq!((got.header("authorization"), answer.status()), (Some("Bearer headroom"), 200));
}

#[tokio::test]
async fn a_credential_of_the_clients_own_goes_on_and_is_not_checked() {
    let rig = with_key(|_| {}).await;
    for line in ["Authorization: Bearer theirs\r\n", "api-key: theirs\r\n"] {
        let (got, _) = rig.exchange(get(&format!("Host: h\r\n{line}")).as_bytes(), ok("").as_bytes()).await;
        assert!(!got.head.contains("Bearer headroom") && got.head.contains("theirs"), "{}", got.head);
    }
}

#[tokio::test]
async fn a_client_key_is_exchanged_for_the_operators() {
    let alice = "sha256:2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90";
    let rig = with_key(|settings| {
        settings.access.client_keys = vec![alice.to_owned(), "env:CARGO_PKG_VERSION".to_owned()];
    })
    .await;
    let version = env!("CARGO_PKG_VERSION");
    for line in ["Authorization: Bearer alice\r\n", "x-api-key: alice\r\n", &format!("api-key: {version}\r\n")] {
        let request = get(&format!("Host: proxy.example\r\nX-Forwarded-For: 10.0.0.9\r\n{line}"));
        let (got, _) = rig.exchange(request.as_bytes(), ok("").as_bytes()).await;
        assert_eq!(got.header("authorization"), Some("Bearer headroom"));
        assert!(!got.head.contains("alice") && !got.head.contains(version), "{}", got.head);
    }
    let answer = own(&rig, &get(LOCAL)).await;
    assert_eq!((answer.status(), answer.header("x-headroom-error")), (403, Some("client_key")));
}

#[tokio::test]
async fn own_pages_are_not_for_pages_of_another_origin() {
    let rig = Rig::start().await;
    for line in ["Origin: https://evil.example\r\n", "Sec-Fetch-Site: cross-site\r\n"] {
        for page in ["metrics", "audit", "explain", "explain/x"] {
            let answer = own(&rig, &format!("GET /headroom/{page} HTTP/1.1\r\n{LOCAL}{line}\r\n")).await;
            assert_eq!((answer.status(), answer.header("x-headroom-error")), (403, Some("cross_site")), "{page}");
        }
        let compress =
            post("/headroom/compress", "{\"text\": \"a\"}").replace("Host: h\r\n", &format!("{LOCAL}{line}"));
        assert_eq!(own(&rig, &compress).await.status(), 403);
    }
}

#[tokio::test]
async fn a_key_that_many_share_does_not_make_them_one() {
    let rig = Rig::with(|settings| settings.explain = Some(explain::Config::default())).await;
    let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": long_text()}]}).to_string();
    let of = |user: &str| format!("Host: h\r\nAuthorization: Bearer gateway\r\nx-api-key: {user}\r\n");
    let request = post("/v1/chat/completions", &body).replace("Host: h\r\n", &of("alice"));
    let (_, answer) = rig.exchange(request.as_bytes(), ok("{}").as_bytes()).await;
    let id = answer.header("x-headroom-request-id").unwrap().to_owned();
    for (user, listed) in [("alice", 1), ("bob", 0)] {
        let list = own(&rig, &format!("GET /headroom/explain HTTP/1.1\r\n{}\r\n", of(user))).await;
        let list: Value = serde_json::from_slice(&list.body).unwrap();
        assert_eq!(list["records"].as_array().map(Vec::len), Some(listed), "{user}");
        let record = own(&rig, &format!("GET /headroom/explain/{id} HTTP/1.1\r\n{}\r\n", of(user))).await;
        assert_eq!(record.status(), if listed == 1 { 200 } else { 404 }, "{user}");
    }
}

#[tokio::test]
async fn an_upstream_says_nothing_in_our_name() {
    let rig = Rig::start().await;
    let answer = "HTTP/1.1 200 OK\r\nX-Headroom-Outcome: compressed\r\nx-headroom-error: overloaded\r\n\
                  Transfer-Encoding: chunked\r\nTrailer: x-headroom-cache, x-sum\r\n\r\n2\r\nok\r\n0\r\n\
                  x-headroom-cache: hits=9\r\nx-sum: 1\r\n\r\n";
    let (_, answered) = rig.exchange(get("Host: h\r\nTE: trailers\r\n").as_bytes(), answer.as_bytes()).await;
    assert_eq!(answered.header("x-headroom-outcome"), Some("passthrough; reason=no_surface"));
    assert_eq!(answered.header("x-headroom-error"), None);
    let body = String::from_utf8(answered.body).unwrap();
    assert!(body.contains("x-sum: 1") && !body.contains("x-headroom"), "{body}");
}
