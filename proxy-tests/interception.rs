//! Chat completions: long user and tool texts get shorter, every other byte stays, and whatever cannot be done is said.

use async_compression::tokio::bufread::{BrotliEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::support::{Message, Rig, long_text, ok, post, soon};

const PATH: &str = "/v1/chat/completions";

/// A body as no serializer would write it, with a long text in the place of `SLOT`.
const NASTY: &str = "\u{20}{\"model\" : \"gpt-4o\",\"seed\":1e400, \"seed\": 12345678901234567890123,\r\n\t\"x\":{\"b\":1,\"a\":-0.0},\
    \"messages\":[{\"role\":\"system\",\"content\":\"SYSTEM\"} , {\"content\" :  \"SLOT\" ,\"role\":\"user\",\"name\":\"\\u0041\\/\"},\
    {\"role\":\"assistant\",\"content\":\"ASSISTANT\"}],\"logit_bias\":{\"\\ud800\":[]},\"temperature\":0.50}\n";

fn long_body() -> String {
    NASTY.replace("SYSTEM", &long_text()).replace("ASSISTANT", &long_text()).replace("SLOT", &long_text())
}

fn raw(head: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n{head}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn number(message: &Message, name: &str) -> usize {
    message.header(name).unwrap_or_else(|| panic!("{name} in {}", message.head)).parse().unwrap()
}

#[tokio::test]
async fn only_the_text_of_the_slot_changes() {
    let rig = Rig::start().await;
    let body = long_body();
    let (got, answer) = rig.exchange(&raw("X-Headroom-Ratio: 5\r\n", body.as_bytes()), ok("{}").as_bytes()).await;
    let (before, after) = body.split_once(&format!("\"content\" :  \"{}\"", long_text())).unwrap();
    let slot =
        got.text().strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).expect("the rest is untouched");
    assert!(slot.starts_with("\"content\" :  \"") && slot.len() < long_text().len() / 2, "{slot}");
    assert_eq!(answer.header("x-headroom-outcome"), Some("compressed"));
    assert!(number(&answer, "x-headroom-tokens-after") * 2 < number(&answer, "x-headroom-tokens-before"));
    assert_eq!(answer.header("x-headroom-cache"), Some("hits=0, misses=1"));
    assert!(!got.head.to_ascii_lowercase().contains("x-headroom"));
}

#[tokio::test]
async fn a_stream_is_told_the_same_and_relayed_as_it_is() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    client.write(raw("X-Headroom-Ratio: 4\r\n", long_body().as_bytes())).await;
    let mut upstream = rig.accept().await;
    upstream.message().await;
    let event = "data: {\"choices\":[]}\n\n";
    let chunk = format!("{:X}\r\n{event}\r\n", event.len());
    upstream.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    upstream.write(&chunk).await;
    let head = client.head_only().await;
    assert_eq!(head.header("x-headroom-outcome"), Some("compressed"));
    assert!(head.header("x-headroom-tokens-before").is_some() && head.header("x-headroom-request-id").is_some());
    assert_eq!(client.read_until("\n\n\r\n").await, chunk);
    upstream.write("0\r\n\r\n").await;
    assert_eq!(client.read_until("\r\n\r\n").await, "0\r\n\r\n");
}

#[tokio::test]
async fn a_body_without_a_slot_goes_on_as_it_came() {
    let rig = Rig::start().await;
    let short = NASTY.replace("SLOT", "short");
    let deep = "[".repeat(100_000);
    for (body, reason) in [
        ("{\"messages\": [", "invalid_json"),
        ("\u{0}\u{1}", "invalid_json"),
        ("", "invalid_json"),
        (&deep, "invalid_json"),
        ("[1, 2]", "unknown_shape"),
        ("{\"messages\": \"hello\"}", "unknown_shape"),
        ("{\"messages\": []}", "no_slots"),
        (&short, "below_minimum"),
    ] {
        let (got, answer) = rig.exchange(&raw("", body.as_bytes()), ok("").as_bytes()).await;
        assert_eq!(got.text(), body);
        assert_eq!(
            answer.header("x-headroom-outcome"),
            Some(format!("unchanged; reason={reason}").as_str()),
            "{body:.40}"
        );
        assert_eq!(answer.header("x-headroom-tokens-before"), None);
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_go_on_as_they_came() {
    let rig = Rig::start().await;
    let body = b"{\"messages\": [{\"role\": \"user\", \"content\": \"\xff\xfe\"}]}";
    let (got, answer) = rig.exchange(&raw("", body), ok("").as_bytes()).await;
    assert_eq!(got.body, body);
    assert_eq!(answer.header("x-headroom-outcome"), Some("unchanged; reason=invalid_json"));
}

#[tokio::test]
async fn a_request_may_ask_to_be_left_alone() {
    let rig = Rig::start().await;
    let body = long_body();
    for (control, outcome) in [
        ("X-Headroom-Mode: off\r\n", "passthrough; reason=off"),
        ("X-Headroom-Bypass: true\r\n", "passthrough; reason=off"),
        ("X-Headroom-Mode: sometimes\r\n", "unchanged; reason=invalid_header"),
        ("X-Headroom-Ratio: 1\r\n", "unchanged; reason=invalid_header"),
        ("X-Headroom-Ratio: 2\r\nX-Headroom-Ratio: 3\r\n", "unchanged; reason=invalid_header"),
        ("Content-Digest: sha-256=:x:\r\n", "unchanged; reason=signed"),
        ("Content-Encoding: compress\r\n", "unchanged; reason=unsupported_encoding"),
        ("Content-Encoding: gzip\r\n", "unchanged; reason=undecodable"),
    ] {
        let (got, answer) = rig.exchange(&raw(control, body.as_bytes()), ok("").as_bytes()).await;
        assert_eq!(got.text(), body, "{control}");
        assert_eq!(answer.header("x-headroom-outcome"), Some(outcome), "{control}");
        assert!(!got.head.to_ascii_lowercase().contains("x-headroom"), "{}", got.head);
    }
}

#[tokio::test]
async fn an_audit_measures_and_forwards_the_original() {
    let rig = Rig::start().await;
    let body = long_body();
    let head = "X-Headroom-Mode: audit\r\nX-Headroom-Ratio: 4\r\n";
    let (got, answer) = rig.exchange(&raw(head, body.as_bytes()), ok("").as_bytes()).await;
    assert_eq!(got.text(), body);
    assert_eq!(answer.header("x-headroom-outcome"), Some("audit"));
    assert!(number(&answer, "x-headroom-tokens-after") < number(&answer, "x-headroom-tokens-before"));
}

#[tokio::test]
async fn coded_bodies_are_understood_and_forwarded_plain_only_if_condensed() {
    let rig = Rig::start().await;
    let plain = long_body();
    let short = NASTY.replace("SLOT", "short");
    for (coding, long, short) in [
        ("gzip", encoded(GzipEncoder::new(plain.as_bytes())).await, encoded(GzipEncoder::new(short.as_bytes())).await),
        (
            "deflate",
            encoded(ZlibEncoder::new(plain.as_bytes())).await,
            encoded(ZlibEncoder::new(short.as_bytes())).await,
        ),
        (
            "br",
            encoded(BrotliEncoder::new(plain.as_bytes())).await,
            encoded(BrotliEncoder::new(short.as_bytes())).await,
        ),
        ("zstd", encoded(ZstdEncoder::new(plain.as_bytes())).await, encoded(ZstdEncoder::new(short.as_bytes())).await),
    ] {
        let head = format!("Content-Encoding: {coding}\r\nX-Headroom-Ratio: 4\r\n");
        let (got, answer) = rig.exchange(&raw(&head, &long), ok("").as_bytes()).await;
        assert_eq!(answer.header("x-headroom-outcome"), Some("compressed"), "{coding}");
        assert_eq!(got.header("content-encoding"), None);
        assert!(got.text().starts_with(" {\"model\" : \"gpt-4o\"") && got.body.len() < plain.len(), "{coding}");

        let (got, answer) = rig.exchange(&raw(&head, &short), ok("").as_bytes()).await;
        assert_eq!(answer.header("x-headroom-outcome"), Some("unchanged; reason=below_minimum"), "{coding}");
        assert_eq!((got.header("content-encoding"), &got.body), (Some(coding), &short));
    }
}

#[tokio::test]
async fn an_oversized_body_is_relayed_unchanged() {
    let rig = Rig::with(|settings| settings.proxy.body_limit_mib = 1).await;
    let body = long_body().repeat((1 << 20) / long_body().len() + 1);
    let (got, answer) = rig.exchange(&raw("", body.as_bytes()), ok("").as_bytes()).await;
    assert!(got.text() == body);
    assert_eq!(answer.header("x-headroom-outcome"), Some("unchanged; reason=too_large"));

    let bomb = encoded(GzipEncoder::new(body.as_bytes())).await;
    let (got, answer) = rig.exchange(&raw("Content-Encoding: gzip\r\n", &bomb), ok("").as_bytes()).await;
    assert_eq!((got.header("content-encoding"), &got.body), (Some("gzip"), &bomb));
    assert_eq!(answer.header("x-headroom-outcome"), Some("unchanged; reason=decoded_too_large"));
}

#[tokio::test]
async fn a_body_that_turns_out_oversized_is_streamed_from_then_on() {
    let rig = Rig::with(|settings| settings.proxy.body_limit_mib = 1).await;
    let mut client = rig.client().await;
    let head = "Host: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    client.write(format!("POST {PATH} HTTP/1.1\r\n{head}")).await;
    let beyond = "x".repeat((1 << 20) + 1);
    client.write(format!("{:X}\r\n{beyond}\r\n", beyond.len())).await;
    // The client has not finished, and the upstream has it already.
    let mut upstream = rig.accept().await;
    upstream.head().await;
    let mut left = beyond.len();
    while left > 0 {
        let size = upstream.read_until("\r\n").await;
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        upstream.read(size + 2).await;
        left -= size;
    }
    client.write("3\r\nend\r\n0\r\n\r\n").await;
    assert_eq!(upstream.read_until("0\r\n\r\n").await, "3\r\nend\r\n0\r\n\r\n");
    upstream.write(ok("")).await;
    assert_eq!(client.message().await.header("x-headroom-outcome"), Some("unchanged; reason=too_large"));
}

#[tokio::test]
async fn a_body_for_which_there_is_no_room_is_relayed_unchanged() {
    let rig = Rig::with(|settings| (settings.proxy.body_limit_mib, settings.proxy.held_bodies_mib) = (24, 24)).await;
    // Another body, too long for the buffers of connections, takes the room while nobody reads it.
    let big = post(PATH, &" ".repeat((24 << 20) - 10));
    let mut other = rig.client().await;
    other.write(&big).await;
    let mut busy = rig.accept().await;
    busy.head().await;
    let body = long_body();
    let (got, answer) = rig.exchange(&raw("", body.as_bytes()), ok("").as_bytes()).await;
    assert!(got.text() == body);
    assert_eq!(answer.header("x-headroom-outcome"), Some("unchanged; reason=overloaded"));
}

#[tokio::test]
async fn uploads_that_trickle_do_not_switch_condensing_off_for_others() {
    let rig = Rig::with(|settings| (settings.proxy.body_limit_mib, settings.proxy.held_bodies_mib) = (1, 12)).await;
    // Bodies that stop just before their end take all the room that there is for bodies still coming.
    let stopped = post(PATH, &" ".repeat((1 << 20) - 10));
    let mut slow = Vec::new();
    for _ in 0..9 {
        let mut client = rig.client().await;
        client.write(&stopped.as_bytes()[..stopped.len() - 5]).await;
        slow.push(client);
    }
    // Whatever reaches the upstream is answered, but for those.
    let upstream = async {
        loop {
            let mut conn = rig.accept().await;
            tokio::spawn(async move {
                if !conn.head().await.to_lowercase().contains(&format!("content-length: {}", (1 << 20) - 10)) {
                    conn.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").await;
                }
                let mut rest = Vec::new();
                let _ = conn.0.read_to_end(&mut rest).await;
            });
        }
    };
    // As soon as they are slow enough, they go on unread for one that moves.
    let body = format!("{}{}", long_body(), " ".repeat(400 << 10));
    let others = async {
        loop {
            let mut client = rig.client().await;
            client.write(raw("X-Headroom-Ratio: 4\r\nConnection: close\r\n", body.as_bytes())).await;
            if client.message().await.header("x-headroom-outcome") == Some("compressed") {
                break;
            }
        }
    };
    tokio::select! {
        () = upstream => {}
        () = soon(others) => {}
    }
}

#[tokio::test]
async fn a_growing_conversation_keeps_its_prefix_byte_for_byte() {
    let rig = Rig::start().await;
    let mut messages = Vec::new();
    let mut previous = String::new();
    for turn in 0..6 {
        let text = long_text().replace("committee", &format!("committee {turn}"));
        messages
            .push(serde_json::json!({"role": "user", "content": format!("{text} What was decided in turn {turn}?")}));
        messages.push(serde_json::json!({"role": "assistant", "tool_calls":
            [{"id": format!("c{turn}"), "type": "function", "function": {"name": "look", "arguments": "{\"q\":\"x\"}"}}]}));
        messages.push(serde_json::json!({"role": "tool", "tool_call_id": format!("c{turn}"), "content": text}));
        let body = serde_json::json!({"model": "gpt-4o", "messages": messages}).to_string();
        let (got, answer) = rig.exchange(&raw("X-Headroom-Ratio: 3\r\n", body.as_bytes()), ok("").as_bytes()).await;
        assert_eq!(answer.header("x-headroom-outcome"), Some("compressed"));
        let open = got.text().strip_suffix("]}").unwrap().to_owned();
        assert!(open.starts_with(&previous), "turn {turn}");
        previous = open;
    }
}

async fn encoded(mut encoder: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut bytes = Vec::new();
    encoder.read_to_end(&mut bytes).await.unwrap();
    bytes
}
