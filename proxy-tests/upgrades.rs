//! Connections that change their protocol.

use crate::support::{Rig, post};

const REQUEST: &str = "GET /v1/realtime?model=m HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Key: k\r\n\r\n";

#[tokio::test]
async fn a_websocket_is_tunnelled_both_ways_until_a_side_closes() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    client.write(REQUEST).await;
    let mut upstream = rig.accept().await;
    let head = upstream.head().await.to_ascii_lowercase();
    assert!(head.contains("connection: upgrade") && head.contains("upgrade: websocket"), "{head}");
    upstream
        .write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x01first")
        .await;
    let head = client.head().await.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 101 ") && head.contains("upgrade: websocket"), "{head}");
    assert_eq!(client.read(6).await, b"\x01first");
    client.write("\x02ping").await;
    assert_eq!(upstream.read(5).await, b"\x02ping");
    drop(client);
    assert_eq!(upstream.rest().await, b"");
}

#[tokio::test]
async fn a_refused_upgrade_is_relayed_at_once() {
    let rig = Rig::start().await;
    let answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno";
    let (_, got) = rig.exchange(REQUEST.as_bytes(), answer).await;
    assert_eq!((got.status(), got.text()), (404, "no"));
}

#[tokio::test]
async fn an_offer_of_h2c_is_ignored() {
    let rig = Rig::start().await;
    let request = post("/v1/x", "{}").replace(
        "Host: h\r\n",
        "Host: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
    );
    let (got, _) = rig.exchange(request.as_bytes(), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let head = got.head.to_ascii_lowercase();
    assert!(!head.contains("upgrade") && !head.contains("http2-settings"), "{head}");
}
