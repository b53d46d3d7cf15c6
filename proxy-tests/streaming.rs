//! Bytes move on when they come, and are nowhere gathered.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Rig, ok, soon};

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

#[tokio::test]
async fn an_event_arrives_before_the_next_one_is_sent() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    client.write("GET /v1/stream HTTP/1.1\r\nHost: h\r\n\r\n").await;
    let mut upstream = rig.accept().await;
    upstream.head().await;
    upstream.write(CHUNKED).await;
    assert!(client.head().await.contains("text/event-stream"));
    for event in ["data: 1\n\n", "data: 2\n\n", ": ping\n\n", "data: [DONE]\n\n"] {
        upstream.write(format!("{:x}\r\n{event}\r\n", event.len())).await;
        assert_eq!(client.read_until(&format!("{event}\r\n")).await, format!("{:X}\r\n{event}\r\n", event.len()));
    }
    upstream.write("0\r\n\r\n").await;
    assert_eq!(client.read_until("\r\n\r\n").await, "0\r\n\r\n");
}

#[tokio::test]
async fn an_upload_goes_on_while_it_comes() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    client.write("POST /v1/files HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    let mut upstream = rig.accept().await;
    upstream.head().await;
    for part in ["one", "two"] {
        client.write(format!("3\r\n{part}\r\n")).await;
        assert_eq!(upstream.read_until("\r\n").await, "3\r\n");
        assert_eq!(upstream.read_until("\r\n").await, format!("{part}\r\n"));
    }
    client.write("0\r\n\r\n").await;
    assert_eq!(upstream.read_until("\r\n\r\n").await, "0\r\n\r\n");
    upstream.write(ok("done")).await;
    assert_eq!(client.message().await.text(), "done");
}

#[tokio::test]
async fn a_client_that_expects_to_continue_is_told_so() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    client.write("POST /v1/files HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n").await;
    assert_eq!(client.head().await, "HTTP/1.1 100 Continue");
    client.write("hi").await;
    let mut upstream = rig.accept().await;
    assert_eq!(upstream.message().await.text(), "hi");
    upstream.write("HTTP/1.1 100 Continue\r\n\r\n").await;
    upstream.write(ok("done")).await;
    assert_eq!(client.message().await.text(), "done");
}

#[tokio::test]
async fn an_early_answer_arrives_while_the_upload_is_under_way() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    client.write("POST /v1/files HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nhello").await;
    let mut upstream = rig.accept().await;
    upstream.head().await;
    upstream.read(5).await;
    upstream.write("HTTP/1.1 413 Payload Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig").await;
    let answer = client.message().await;
    assert_eq!((answer.status(), answer.text()), (413, "big"));
}

/// Writes `size` bytes at one end while it reads them at the other.
pub(crate) async fn pump(from: &mut tokio::net::TcpStream, to: &mut tokio::net::TcpStream, size: usize) {
    let block = vec![7; 1 << 16];
    let mut room = vec![0; 1 << 16];
    let send = async {
        for _ in 0..size / block.len() {
            from.write_all(&block).await.unwrap();
        }
    };
    let receive = async {
        let mut left = size;
        while left > 0 {
            let most = left.min(room.len());
            let (room, _) = room.split_at_mut(most);
            left -= to.read(room).await.unwrap();
        }
    };
    soon(async { tokio::join!(send, receive) }).await;
}
