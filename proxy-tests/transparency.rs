//! What isn't ours to change arrives as it was sent.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};

use crate::support::{Rig, ok, post, soon};

#[tokio::test]
async fn a_request_arrives_byte_for_byte_but_for_its_host() {
    let rig = Rig::start().await;
    let request = "PUT /v1//files%2Fa/../b;c?q=%7B%22&&x=a+b HTTP/1.1\r\n\
                   hOST: proxy.example\r\n\
                   AuthoriZation: Bearer sk-1\r\n\
                   X-Vendor: a\r\n\
                   x-vendor:  b \r\n\
                   Accept-Encoding: gzip, br\r\n\
                   Content-Length: 7\r\n\
                   User-Agent: t\u{e9}st\r\n\r\n\
                   \x00\x01{\"a\"}";
    let (got, _) = rig.exchange(request.as_bytes(), ok("").as_bytes()).await;
    let expected = request.replace("proxy.example", &rig.authority()).replace("  b ", " b");
    assert_eq!(format!("{}\r\n\r\n{}", got.head, got.text()), expected);
}

#[tokio::test]
async fn an_answer_arrives_byte_for_byte() {
    let rig = Rig::start().await;
    let head = "HTTP/1.1 429 Slow Down Please\r\n\
                Content-Length: 5\r\n\
                Retry-After: 7\r\n\
                X-RateLimit-Remaining-Tokens: 0\r\n\
                x-request-id: req_1\r\n\
                Set-Cookie: a=1\r\n\
                Set-Cookie: b=2\r\n\
                Content-Encoding: gzip";
    let answer = [head.as_bytes(), b"\r\n\r\n\x1f\x8b\x08\xff\x00"].concat();
    let (_, got) = rig.exchange(b"GET /v1/models HTTP/1.1\r\nHost: h\r\n\r\n", &answer).await;
    assert_eq!(got.head_of_upstream(), head);
    assert_eq!(got.body, b"\x1f\x8b\x08\xff\x00");
    assert_eq!(got.header("x-headroom-outcome"), Some("passthrough; reason=no_surface"));
    assert_eq!(got.header("x-headroom-request-id").map(str::len), Some(32));
}

#[tokio::test]
async fn answers_without_a_body_keep_their_headers() {
    let rig = Rig::start().await;
    for (method, head) in [
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 123\r\nETag: \"x\""),
        ("HEAD", "HTTP/1.1 200 OK\r\nETag: \"x\""),
        ("GET", "HTTP/1.1 304 Not Modified\r\nETag: \"x\""),
        ("DELETE", "HTTP/1.1 204 No Content\r\nX-A: b"),
        ("OPTIONS", "HTTP/1.1 204 No Content\r\nAccess-Control-Allow-Origin: *"),
        ("GET", "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://elsewhere/\r\nContent-Length: 0"),
        ("PROPFIND", "HTTP/1.1 200 OK\r\nContent-Length: 0"),
    ] {
        let request = format!("{method} /v1/x HTTP/1.1\r\nHost: h\r\n\r\n");
        let mut client = rig.client().await;
        client.write(&request).await;
        let mut upstream = rig.accept().await;
        assert!(upstream.head().await.starts_with(&format!("{method} /v1/x HTTP/1.1")));
        upstream.write(format!("{head}\r\n\r\n")).await;
        assert_eq!(client.head_only().await.head_of_upstream(), head, "{method}");
    }
}

#[tokio::test]
async fn options_of_the_whole_server_go_to_the_upstream() {
    let rig = Rig::with(|settings| settings.upstream.url.push_str("/base")).await;
    let (got, _) = rig.exchange(b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", ok("").as_bytes()).await;
    assert!(got.head.starts_with("OPTIONS * HTTP/1.1\r\n"), "{}", got.head);
}

#[tokio::test]
async fn hop_by_hop_headers_stay_on_their_hop() {
    let rig = Rig::start().await;
    let request = "GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\n\
                   Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic eA==\r\nTE: deflate\r\nX-Stays: 1\r\n\r\n";
    let answer = "HTTP/1.1 200 OK\r\nConnection: close, X-Theirs\r\nX-Theirs: 1\r\nKeep-Alive: timeout=5\r\nX-Stays: 1\r\n\
                  Content-Length: 0\r\n\r\n";
    let (got, answered) = rig.exchange(request.as_bytes(), answer.as_bytes()).await;
    assert_eq!(got.head, format!("GET / HTTP/1.1\r\nHost: {}\r\nX-Stays: 1", rig.authority()));
    assert_eq!(answered.head_of_upstream(), "HTTP/1.1 200 OK\r\nX-Stays: 1\r\nContent-Length: 0");
}

#[tokio::test]
async fn our_controls_never_reach_the_upstream() {
    let rig = Rig::start().await;
    let request = "GET / HTTP/1.1\r\nHost: h\r\nX-Headroom-Mode: off\r\nx-headroom-anything: 1\r\n\r\n";
    let (got, _) = rig.exchange(request.as_bytes(), ok("").as_bytes()).await;
    assert_eq!(got.head, format!("GET / HTTP/1.1\r\nHost: {}", rig.authority()));
}

#[tokio::test]
async fn chunks_and_trailers_pass_both_ways() {
    let rig = Rig::start().await;
    let request = "POST /v1/x HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n\
                   3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n";
    let answer =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\nx-sum: 2\r\n\r\n";
    let (got, answered) = rig.exchange(request.as_bytes(), answer.as_bytes()).await;
    assert_eq!(got.text(), "3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n");
    assert_eq!(answered.text(), "2\r\nhi\r\n0\r\nx-sum: 2\r\n\r\n");
}

#[tokio::test]
async fn a_get_keeps_its_chunked_body() {
    let rig = Rig::start().await;
    let request = "GET /v1/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let (got, _) = rig.exchange(request.as_bytes(), ok("").as_bytes()).await;
    assert_eq!(got.text(), "3\r\nabc\r\n0\r\n\r\n");
}

#[tokio::test]
async fn json_for_other_endpoints_is_not_looked_at() {
    let rig = Rig::start().await;
    let body = "{\"input\": \"x\",\"input\":1e400 ,\t\"\\ud800\":[] , \"big\":123456789012345678901234567890}\n";
    for path in ["/v1/embeddings", "/v1/responses/compact", "/v1/messages/batches", "/v1/chat/completions/abc"] {
        let (got, answer) = rig.exchange(post(path, body).as_bytes(), ok("").as_bytes()).await;
        assert_eq!(got.text(), body);
        assert_eq!(answer.header("x-headroom-outcome"), Some("passthrough; reason=no_surface"));
    }
}

#[tokio::test]
async fn a_client_of_http_1_0_is_answered() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    client.write("GET /v1/x HTTP/1.0\r\n\r\n").await;
    let mut upstream = rig.accept().await;
    assert_eq!(upstream.head().await, format!("GET /v1/x HTTP/1.1\r\nhost: {}", rig.authority()));
    upstream.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n").await;
    let got = String::from_utf8(client.rest().await).unwrap();
    assert!(got.starts_with("HTTP/1.0 200 OK\r\n") && got.ends_with("\r\n\r\nhi"), "{got}");
}

#[tokio::test]
async fn connections_are_kept_on_both_sides() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    let request = post("/v1/x", "{}");
    client.write(&request).await;
    let mut upstream = rig.accept().await;
    for body in ["one", "two", "three"] {
        upstream.message().await;
        upstream.write(ok(body)).await;
        assert_eq!(client.message().await.text(), body);
        client.write(&request).await;
    }
}

#[tokio::test]
async fn a_client_of_http_2_is_understood_by_prior_knowledge() {
    let rig = Rig::start().await;
    let mut sender = rig.http_2().await;
    let request = hyper::Request::post("http://proxy.example/v1/x?y")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .body(Full::new(Bytes::from_static(b"hello")))
        .unwrap();
    let answer = tokio::spawn(sender.send_request(request));
    let mut upstream = rig.accept().await;
    let got = upstream.message().await;
    assert!(got.head.starts_with("POST /v1/x?y HTTP/1.1\r\n"), "{}", got.head);
    assert_eq!((got.header("cookie"), got.header("host")), (Some("a=1; b=2"), Some(rig.authority().as_str())));
    assert_eq!(got.text(), "hello");
    upstream.write(ok("there")).await;
    let answer = answer.await.unwrap().unwrap();
    assert_eq!(answer.headers()["x-headroom-outcome"], "passthrough; reason=no_surface");
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "there");
}

#[tokio::test]
async fn a_client_of_http_2_may_send_on_what_was_answered_before_it_was_read() {
    let rig = Rig::start().await;
    let mut sender = rig.http_2().await;
    let (send, receive) = tokio::sync::mpsc::channel::<Result<http_body::Frame<Bytes>, std::io::Error>>(1);
    let parts = futures_util::stream::unfold(receive, async |mut parts| Some((parts.recv().await?, parts)));
    let request = hyper::Request::post("http://proxy.example/headroom/nowhere");
    let request = request.body(http_body_util::StreamBody::new(Box::pin(parts))).unwrap();
    let answer = soon(sender.send_request(request)).await.unwrap();
    assert_eq!(answer.status(), 404);
    assert!(!answer.into_body().collect().await.unwrap().to_bytes().is_empty());
    // A stream that is reset would take no more.
    for part in [&b"one"[..], b"two", b"three", b"four"] {
        soon(send.send(Ok(http_body::Frame::data(Bytes::from_static(part))))).await.unwrap();
    }
}
