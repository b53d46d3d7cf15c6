//! A company's proxy on the way to the upstream, which the test plays. The upstream has a name that nothing resolves: it is
//! reached through that proxy or not at all.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    support::{Rig, Settings, long_text, ok, post, soon},
    tls::vouched_as,
};

/// A rig whose upstream's place is taken by a proxy, which the environment names by this variable.
async fn behind(variable: &'static str, scheme: &str, change: impl FnOnce(&mut Settings)) -> Rig {
    Rig::with(|settings| {
        let proxy = settings.upstream.url.replace("http://", &format!("{scheme}://me:PROXYPASS@"));
        settings.environment = Box::new(move |name| (name == variable).then(|| proxy.clone()));
        change(settings);
    })
    .await
}

fn keyed(path: &str, body: &str) -> String {
    post(path, body).replacen("Host: h\r\n", "Host: h\r\nAuthorization: Bearer CLIENTKEY\r\nX-Headroom-Ratio: 4\r\n", 1)
}

/// `me:PROXYPASS`.
const BASIC: &str = "Proxy-Authorization: Basic bWU6UFJPWFlQQVNT";

#[tokio::test]
async fn an_upstream_behind_tls_is_reached_through_a_tunnel_that_hears_no_key() {
    let (ca, acceptor) = vouched_as("upstream.invalid");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, ca).unwrap();
    let rig = behind("HTTPS_PROXY", "http", |settings| {
        settings.upstream.url = "https://upstream.invalid/base".into();
        settings.upstream.ca_file = Some(file);
    })
    .await;
    let body = serde_json::json!({"messages": [{"role": "user", "content": long_text()}]}).to_string();
    let mut client = rig.client().await;
    client.write(keyed("/v1/chat/completions", &body)).await;
    let mut proxy = rig.accept().await;
    let asked = proxy.head().await;
    assert!(asked.starts_with("CONNECT upstream.invalid:443 HTTP/1.1\r\n") && asked.contains(BASIC), "{asked}");
    assert!(!asked.contains("CLIENTKEY"), "{asked}");
    proxy.write("HTTP/1.1 200 Connection established\r\n\r\n").await;
    let mut upstream = soon(acceptor.accept(proxy.0)).await.unwrap();
    let mut got = Vec::new();
    while !got.windows(4).any(|end| end == b"\r\n\r\n") {
        got.push(soon(upstream.read_u8()).await.unwrap());
    }
    let got = String::from_utf8(got).unwrap();
    assert!(got.starts_with("POST /base/v1/chat/completions HTTP/1.1\r\n"), "{got}");
    assert!(got.contains("CLIENTKEY") && !got.to_ascii_lowercase().contains("proxy-authorization"), "{got}");
    soon(upstream.write_all(ok("through").as_bytes())).await.unwrap();
    soon(upstream.flush()).await.unwrap();
    let answer = client.message().await;
    assert_eq!((answer.text(), answer.header("x-headroom-outcome")), ("through", Some("compressed")));
}

#[tokio::test]
async fn an_upstream_without_tls_is_asked_for_by_its_whole_url() {
    let rig =
        behind("http_proxy", "http", |settings| settings.upstream.url = "http://upstream.invalid:4000".into()).await;
    let (got, answer) = rig.exchange(keyed("/v1/x?a=%2F", "{}").as_bytes(), ok("relayed").as_bytes()).await;
    assert!(got.head.starts_with("POST http://upstream.invalid:4000/v1/x?a=%2F HTTP/1.1\r\n"), "{}", got.head);
    assert!(got.head.to_ascii_lowercase().contains(&BASIC.to_ascii_lowercase()), "{}", got.head);
    assert_eq!((got.header("host"), answer.text()), (Some("upstream.invalid:4000"), "relayed"));
}

#[tokio::test]
async fn a_websocket_goes_through_a_tunnel() {
    let rig = behind("HTTP_PROXY", "http", |settings| settings.upstream.url = "http://upstream.invalid".into()).await;
    let mut client = rig.client().await;
    client.write("GET /v1/responses HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n").await;
    let mut proxy = rig.accept().await;
    assert!(proxy.head().await.starts_with("CONNECT upstream.invalid:80 HTTP/1.1"));
    proxy.write("HTTP/1.1 200 OK\r\n\r\n").await;
    let head = proxy.head().await;
    assert!(head.starts_with("GET /v1/responses HTTP/1.1") && !head.to_ascii_lowercase().contains("proxy-"), "{head}");
    proxy.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n").await;
    assert!(client.head().await.starts_with("HTTP/1.1 101"));
    proxy.write([0x81, 2, b'h', b'i']).await;
    assert_eq!(client.read(4).await, [0x81, 2, b'h', b'i']);
}

#[tokio::test]
async fn socks_is_spoken_and_resolves_the_name() {
    let rig =
        behind("ALL_PROXY", "socks5h", |settings| settings.upstream.url = "http://upstream.invalid:81".into()).await;
    let mut client = rig.client().await;
    client.write(post("/v1/x", "{}")).await;
    let mut proxy = rig.accept().await;
    assert_eq!(proxy.read(3).await, [5, 1, 2]);
    proxy.write([5, 2]).await;
    assert_eq!(proxy.read(14).await, b"\x01\x02me\x09PROXYPASS");
    proxy.write([1, 0]).await;
    assert_eq!(proxy.read(23).await, b"\x05\x01\x00\x03\x10upstream.invalid\x00\x51");
    proxy.write([5, 0, 0, 1, 127, 0, 0, 1, 0, 1]).await;
    assert!(proxy.message().await.head.starts_with("POST /v1/x HTTP/1.1"));
    proxy.write(ok("through")).await;
    assert_eq!(client.message().await.text(), "through");
}

#[tokio::test]
async fn a_proxy_that_refuses_is_told_of_and_its_password_is_not() {
    let rig = behind("HTTPS_PROXY", "http", |settings| settings.upstream.url = "https://upstream.invalid".into()).await;
    let mut client = rig.client().await;
    client.write(post("/v1/x", "{}")).await;
    let mut proxy = rig.accept().await;
    proxy.head().await;
    proxy.write("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
    let answer = client.message().await;
    assert_eq!((answer.status(), answer.header("x-headroom-error")), (502, Some("upstream_unreachable")));
    assert!(!answer.text().contains("PROXYPASS"), "{}", answer.text());
}

#[tokio::test]
async fn what_is_on_this_machine_is_asked_directly_unless_a_proxy_is_configured() {
    let unused = |name: &str| name.ends_with("_PROXY").then(|| "http://proxy.invalid:3128".to_owned());
    let rig = Rig::with(|settings| settings.environment = Box::new(unused)).await;
    let (got, _) = rig.exchange(post("/v1/x", "{}").as_bytes(), ok("").as_bytes()).await;
    assert!(got.head.starts_with("POST /v1/x HTTP/1.1"), "{}", got.head);
    let rig = Rig::with(|settings| {
        settings.upstream.via = std::mem::replace(&mut settings.upstream.url, "http://127.0.0.1:9".into());
    })
    .await;
    let (got, _) = rig.exchange(post("/v1/x", "{}").as_bytes(), ok("").as_bytes()).await;
    assert!(got.head.starts_with("POST http://127.0.0.1:9/v1/x HTTP/1.1"), "{}", got.head);
}
