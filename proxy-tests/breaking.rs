//! When a side breaks off, the other side learns of it, and of nothing else.

use tokio::net::TcpListener;

use crate::support::{Rig, ok, post};

#[tokio::test]
async fn a_client_that_goes_before_the_answer_ends_the_upstream_request() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    client.write(post("/v1/x", "{}")).await;
    let mut upstream = rig.accept().await;
    upstream.message().await;
    drop(client);
    assert_eq!(upstream.rest().await, b"");
}

#[tokio::test]
async fn a_client_that_goes_within_the_answer_ends_the_upstream_request() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    client.write(post("/v1/x", "{}")).await;
    let mut upstream = rig.accept().await;
    upstream.message().await;
    upstream.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n").await;
    client.read_until("hi\r\n").await;
    drop(client);
    assert_eq!(upstream.rest().await, b"");
}

#[tokio::test]
async fn a_client_that_goes_within_its_upload_ends_the_upstream_request() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    client.write("POST /v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhello").await;
    let mut upstream = rig.accept().await;
    upstream.head().await;
    drop(client);
    assert_eq!(upstream.rest().await, b"hello");
}

#[tokio::test]
async fn an_upstream_that_breaks_off_looks_broken_off() {
    let rig = Rig::start().await;
    for (head, body) in [
        ("Transfer-Encoding: chunked", "9\r\ndata: 1\n\n\r\n"),
        ("Transfer-Encoding: chunked", "9\r\ndata: 1\n\n\r\nff\r\nda"),
        ("Content-Length: 100", "data: 1\n\n"),
    ] {
        let mut client = rig.client().await;
        client.write("GET /v1/x HTTP/1.1\r\nHost: h\r\n\r\n").await;
        let mut upstream = rig.accept().await;
        upstream.head().await;
        upstream.write(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}")).await;
        drop(upstream);
        let got = String::from_utf8(client.rest().await).unwrap();
        assert!(got.contains("data: 1\n\n"), "what came before is delivered: {got}");
        assert!(!got.contains("0\r\n\r\n") && !got.contains("DONE"), "no end is invented: {got}");
    }
}

#[tokio::test]
async fn an_upstream_that_cannot_be_reached_is_told_in_the_envelope() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let rig = Rig::with(|settings| settings.upstream.url = format!("http://{closed}")).await;
    let mut client = rig.client().await;
    client.write(post("/v1/x", "{}")).await;
    let answer = client.message().await;
    assert_eq!((answer.status(), answer.header("x-headroom-error")), (502, Some("upstream_unreachable")));
    let envelope: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(envelope["error"]["type"], "headroom_upstream_unreachable");
    assert!(answer.header("x-headroom-request-id").is_some());
}

#[tokio::test]
async fn a_silent_upstream_times_out() {
    let rig = Rig::with(|settings| settings.upstream.read_timeout_seconds = 1).await;
    let mut client = rig.client().await;
    client.write(post("/v1/x", "{}")).await;
    let mut upstream = rig.accept().await;
    upstream.message().await;
    let answer = client.message().await;
    assert_eq!((answer.status(), answer.header("x-headroom-error")), (504, Some("upstream_timeout")));
    assert_eq!(upstream.rest().await, b"", "and its request is ended");
}

#[tokio::test]
async fn an_upstream_that_falls_silent_within_its_answer_is_broken_off() {
    let rig = Rig::with(|settings| settings.upstream.read_timeout_seconds = 1).await;
    let mut client = rig.client().await;
    client.write(post("/v1/x", "{}")).await;
    let mut upstream = rig.accept().await;
    upstream.message().await;
    upstream.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n").await;
    let got = String::from_utf8(client.rest().await).unwrap();
    assert!(got.ends_with("2\r\nhi\r\n"), "{got}");
}

#[tokio::test]
async fn a_post_is_never_sent_twice() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    client.write(post("/v1/first", "{}")).await;
    let mut upstream = rig.accept().await;
    upstream.message().await;
    upstream.write(ok("")).await;
    client.message().await;
    // The kept connection takes the second one and closes without a word.
    client.write(post("/v1/second", "{}")).await;
    upstream.message().await;
    drop(upstream);
    let answer = client.message().await;
    assert_eq!((answer.status(), answer.header("x-headroom-error")), (502, Some("upstream_no_answer")));
    client.write(post("/v1/third", "{}")).await;
    let next = rig.accept().await.message().await;
    assert!(next.head.starts_with("POST /v1/third "), "{}", next.head);
}

#[tokio::test]
async fn a_connection_that_the_upstream_closed_is_not_used_again() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    for _ in 0..5 {
        client.write(post("/v1/x", "{}")).await;
        let mut upstream = rig.accept().await;
        upstream.message().await;
        upstream.write(ok("")).await;
        drop(upstream);
        assert_eq!(client.message().await.status(), 200);
    }
}

#[tokio::test]
async fn a_body_whose_framing_is_broken_is_the_clients_fault() {
    let rig = Rig::start().await;
    for path in ["/v1/files", "/v1/chat/completions"] {
        let mut client = rig.client().await;
        let head = "Host: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
        client.write(format!("POST {path} HTTP/1.1\r\n{head}5\r\nhello\r\nnonsense\r\n")).await;
        let answer = client.message().await;
        assert_eq!((answer.status(), answer.header("x-headroom-error")), (400, Some("client_broke_off")), "{path}");
    }
    let mut client = rig.client().await;
    client.write("GET /headroom/metrics HTTP/1.1\r\nHost: h\r\n\r\n").await;
    let figures = client.message().await;
    assert!(!figures.text().contains("upstream_failures_total{"), "{}", figures.text());
}
