//! Told to stop, it finishes what is under way.

use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http2::handshake;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{io::AsyncReadExt as _, io::AsyncWriteExt as _, net::TcpStream};

use crate::support::{Conn, Rig, post, soon};

#[tokio::test]
async fn a_running_stream_finishes_while_readiness_is_refused_at_once() {
    let mut rig = Rig::start().await;
    let mut client = rig.client().await;
    client.write(post("/v1/x", "{}")).await;
    let mut upstream = rig.accept().await;
    upstream.message().await;
    upstream.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n").await;
    client.read_until("one\r\n").await;
    rig.stop();
    // A probe sees the 503 as soon as the server has heard of it.
    loop {
        let mut probe = rig.client().await;
        probe.write("GET /headroom/ready HTTP/1.1\r\nHost: h\r\n\r\n").await;
        let answer = probe.message().await;
        if answer.status() == 503 {
            assert!(answer.text().contains("stop"), "{}", answer.text());
            break;
        }
    }
    upstream.write("3\r\ntwo\r\n0\r\n\r\n").await;
    assert_eq!(client.rest().await, b"3\r\ntwo\r\n0\r\n\r\n");
    rig.stopped().await;
}

#[tokio::test]
async fn without_work_it_stops_at_once() {
    let mut rig = Rig::start().await;
    let idle = rig.client().await;
    rig.stop();
    rig.stopped().await;
    drop(idle);
}

#[tokio::test]
async fn who_came_during_the_drain_and_asks_nothing_holds_nobody() {
    let mut rig = Rig::start().await;
    let mut client = rig.client().await;
    client.write(post("/v1/x", "{}")).await;
    let mut upstream = rig.accept().await;
    upstream.message().await;
    rig.stop();
    let mut asks = rig.client().await;
    loop {
        asks.write("GET /headroom/ready HTTP/1.1\r\nHost: h\r\n\r\n").await;
        if asks.message().await.status() == 503 {
            break;
        }
        asks = rig.client().await;
    }
    let mut silent = rig.client().await;
    upstream.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    assert_eq!(client.message().await.text(), "ok");
    assert_eq!(silent.rest().await, b"");
    rig.stopped().await;
}

#[tokio::test]
async fn what_outlasts_the_drain_is_broken_off() {
    let mut rig = Rig::with(|settings| settings.server.drain_timeout_seconds = 0).await;
    let mut client = rig.client().await;
    client.write(post("/v1/x", "{}")).await;
    let mut upstream = rig.accept().await;
    upstream.message().await;
    rig.stop();
    assert_eq!(client.rest().await, b"");
    assert_eq!(upstream.rest().await, b"");
    rig.stopped().await;
}

#[tokio::test]
async fn further_connections_wait_for_their_turn() {
    let rig = Rig::with(|settings| settings.server.max_connections = 1).await;
    let mut first = rig.client().await;
    first.write("GET /headroom/health HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(first.message().await.status(), 200);
    let mut second = rig.client().await;
    second.write("GET /headroom/health HTTP/1.1\r\nHost: h\r\n\r\n").await;
    first.write("GET /headroom/health HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(first.message().await.status(), 200);
    drop(first);
    assert_eq!(second.message().await.status(), 200);
}

#[tokio::test]
async fn a_head_that_never_ends_is_not_waited_for() {
    let rig = Rig::with(|settings| settings.server.header_timeout_seconds = 1).await;
    for start in ["", "P", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.1\r\nHost:"] {
        let mut client = rig.client().await;
        client.write(start).await;
        client.rest().await;
    }
}

#[tokio::test]
async fn an_idle_connection_closes_by_the_timeout_whatever_it_speaks() {
    let rig = Rig::with(|settings| settings.server.header_timeout_seconds = 1).await;
    for requests in [0, 2] {
        let stream = TcpStream::connect(rig.proxy).await.unwrap();
        let (mut sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        for _ in 0..requests {
            let request = http::Request::get("http://h/headroom/health").body(Empty::<bytes::Bytes>::new()).unwrap();
            let answer = soon(sender.send_request(request)).await.unwrap();
            assert_eq!(answer.status(), 200);
            soon(answer.into_body().collect()).await.unwrap();
        }
        soon(connection).await.unwrap().unwrap();
        drop(sender);
    }
    let mut client = rig.client().await;
    client.write("GET /headroom/health HTTP/1.1\r\nHost: h\r\n\r\n").await;
    client.message().await;
    assert_eq!(client.rest().await, b"");
}

#[tokio::test]
async fn a_request_that_takes_longer_than_the_timeout_is_no_idle_connection() {
    let rig = Rig::with(|settings| settings.server.header_timeout_seconds = 1).await;
    let mut sender = rig.http_2().await;
    let request = http::Request::get("http://h/v1/x").body(Empty::<bytes::Bytes>::new()).unwrap();
    let answer = tokio::spawn(sender.send_request(request));
    let mut upstream = rig.accept().await;
    upstream.head().await;
    // Another connection is given up meanwhile, which takes the timeout.
    let mut idle = rig.client().await;
    idle.rest().await;
    let mut idle = rig.client().await;
    idle.rest().await;
    upstream.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let answer = soon(answer).await.unwrap().unwrap();
    assert_eq!(soon(answer.into_body().collect()).await.unwrap().to_bytes(), "ok");
}

#[tokio::test]
async fn steady_short_requests_do_not_hold_the_process() {
    const DONE: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
    let mut rig = Rig::start().await;
    let mut early = rig.client().await;
    early.write(post("/v1/x", "{}")).await;
    let mut asked = rig.accept().await;
    asked.message().await;
    rig.stop();
    // Each of them begins before the one before it ends, so that there is always one, for as long as anybody is let in.
    let steady = async {
        let mut last: Option<(Conn, Conn)> = None;
        while let Ok(stream) = TcpStream::connect(rig.proxy).await {
            let mut client = Conn(stream);
            if client.0.write_all(b"GET /v1/x HTTP/1.1\r\nHost: h\r\n\r\n").await.is_err() {
                break;
            }
            let mut upstream = tokio::select! {
                came = rig.upstream.accept() => Conn(came.unwrap().0),
                _ = client.0.read_u8() => break,
            };
            upstream.head().await;
            let Some((mut client, mut upstream)) = last.replace((client, upstream)) else {
                // From here on only they are left.
                asked.write(DONE).await;
                assert_eq!(early.message().await.text(), "ok");
                continue;
            };
            upstream.write(DONE).await;
            assert_eq!(client.message().await.text(), "ok");
        }
        if let Some((mut client, mut upstream)) = last {
            upstream.write(DONE).await;
            assert_eq!(client.message().await.text(), "ok");
        }
    };
    soon(steady).await;
    rig.stopped().await;
}

#[tokio::test]
async fn a_head_beyond_the_limit_is_refused() {
    let rig = Rig::with(|settings| settings.server.head_limit_kib = 16).await;
    let mut client = rig.client().await;
    client.write(format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "x".repeat(32 << 10))).await;
    assert_eq!(client.message().await.status(), 431);
}
