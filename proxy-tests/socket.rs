//! Responses over a WebSocket: what asks for a response is condensed, every other frame passes as it came.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use serde_json::{Value, json};

use crate::support::{Conn, Rig, long_text, ok, post};

const TEXT: u8 = 0x81;
const MASK: [u8; 4] = [7, 0, 255, 19];

/// A frame as a client sends it (masked) or a server (not).
pub(crate) fn frame(first: u8, payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let bit = if mask.is_some() { 0x80 } else { 0 };
    let mut frame = vec![first];
    match payload.len() {
        length @ ..126 => frame.push(bit | length as u8),
        length @ ..65_536 => {
            frame.push(bit | 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(bit | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(mask.unwrap_or_default().iter().filter(|_| mask.is_some()));
    let mask = mask.unwrap_or_default();
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// A client's frame.
pub(crate) fn said(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    frame(first, payload.as_ref(), Some(MASK))
}

/// The next frame of a client as the server gets it: its first byte and what it says.
pub(crate) async fn heard(server: &mut Conn) -> (u8, Vec<u8>) {
    let head = server.read(2).await;
    assert_eq!(head[1] & 0x80, 0x80, "a client's frame is masked");
    let length = match head[1] & 0x7f {
        126 => u64::from(u16::from_be_bytes(server.read(2).await.try_into().unwrap())),
        127 => u64::from_be_bytes(server.read(8).await.try_into().unwrap()),
        length => u64::from(length),
    };
    let mask = server.read(4).await;
    let payload = server.read(length as usize).await;
    (head[0], payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect())
}

fn text(payload: &[u8]) -> Value {
    serde_json::from_slice(payload).unwrap()
}

/// A connection on which both sides agreed, and what the client was told of it.
pub(crate) async fn open(rig: &Rig, extensions: &str, more: &str) -> (Conn, Conn, String) {
    let mut client = rig.client().await;
    let agreed =
        if extensions.is_empty() { String::new() } else { format!("Sec-WebSocket-Extensions: {extensions}\r\n") };
    client
        .write(format!(
            "GET /v1/responses HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Key: k\r\nX-Headroom-Ratio: 3\r\n{agreed}{more}\r\n"
        ))
        .await;
    let mut server = rig.accept().await;
    let head = server.head().await.to_ascii_lowercase();
    assert!(head.contains("upgrade: websocket") && !head.contains("x-headroom"), "{head}");
    assert!(head.contains(&agreed.trim_end().to_ascii_lowercase()), "{head}");
    server
        .write(format!("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{agreed}\r\n"))
        .await;
    let told = client.head_only().await;
    (client, server, told.header("x-headroom-outcome").unwrap().to_owned())
}

fn create(input: &Value) -> String {
    format!(r#"{{"type":"response.create","seed" : 1e400,"input":{input},"model":"gpt-5"}}"#)
}

fn question() -> Value {
    json!([{"role": "developer", "content": long_text()}, {"role": "user", "content": format!("{} When?", long_text())}])
}

#[tokio::test]
async fn what_asks_for_a_response_is_condensed_and_all_else_passes_as_it_came() {
    let rig = Rig::start().await;
    let (mut client, mut server, told) = open(&rig, "", "").await;
    assert_eq!(told, "per_frame");
    let input = question();
    client.write(said(TEXT, create(&input))).await;
    let (first, payload) = heard(&mut server).await;
    let arrived = text(&payload);
    assert_eq!((first, &arrived["input"][0]), (TEXT, &input[0]));
    assert!(payload.starts_with(br#"{"type":"response.create","seed" : 1e400,"input":[{"#));
    assert!(arrived["input"][1]["content"].as_str().unwrap().len() < long_text().len() / 2);

    for raw in [
        said(TEXT, r#"{"type":"response.cancel"}"#),
        said(TEXT, create(&json!("short"))),
        said(TEXT, "{\"type\":\"response.create\", broken"),
        said(TEXT, b"\xff\xfe"),
        said(0x82, long_text()),
        said(0x89, "ping"),
        said(0x8a, ""),
        frame(TEXT, create(&input).as_bytes(), None),
        said(0xc1, create(&input)),
        said(0xa1, create(&input)),
        said(0x88, b"\x03\xe8bye"),
    ] {
        client.write(&raw).await;
        assert_eq!(server.read(raw.len()).await, raw, "{:?}", &raw[..2]);
    }
    for raw in
        [frame(TEXT, b"{\"type\":\"response.completed\"}", None), frame(0x8a, b"ping", None), b"\xff\xff\xff".to_vec()]
    {
        server.write(&raw).await;
        assert_eq!(client.read(raw.len()).await, raw);
    }
    drop(client);
    assert_eq!(server.rest().await, b"");
}

#[tokio::test]
async fn it_does_not_matter_how_the_bytes_arrive() {
    let rig = Rig::start().await;
    let (mut client, mut server, _) = open(&rig, "", "").await;
    client.0.set_nodelay(true).unwrap();
    let ping = said(0x89, "ping");
    let other = said(TEXT, format!(r#"{{"type":"response.cancel","x":"{}"}}"#, "y".repeat(200)));
    let all = [ping.clone(), said(TEXT, create(&question())), other.clone(), ping.clone()].concat();
    for piece in [1, 7, 4096, all.len()] {
        for bytes in all.chunks(piece) {
            client.write(bytes).await;
        }
        assert_eq!(server.read(ping.len()).await, ping);
        let (first, payload) = heard(&mut server).await;
        assert!(
            first == TEXT && payload.len() < create(&question()).len() && text(&payload)["input"][0] == question()[0]
        );
        assert_eq!(server.read(other.len()).await, other);
        assert_eq!(server.read(ping.len()).await, ping);
    }
}

#[tokio::test]
async fn what_is_no_frame_passes_as_it_came() {
    let rig = Rig::start().await;
    let (mut client, mut server, _) = open(&rig, "", "").await;
    client.write(b"\x83 no frame at all").await;
    assert_eq!(server.read(17).await, b"\x83 no frame at all");
    client.write(said(TEXT, create(&question()))).await;
    let raw = said(TEXT, create(&question()));
    assert_eq!(server.read(raw.len()).await, raw);
}

#[tokio::test]
async fn a_message_in_several_frames_is_condensed_with_control_frames_between_them() {
    let rig = Rig::start().await;
    let (mut client, mut server, _) = open(&rig, "", "").await;
    let body = create(&question());
    let (front, back) = body.as_bytes().split_at(body.len() / 2);
    client.write(said(0x01, front)).await;
    client.write(said(0x89, "ping")).await;
    assert_eq!(heard(&mut server).await, (0x89, b"ping".to_vec()));
    client.write(said(0x00, "")).await;
    client.write(said(0x80, back)).await;
    let (first, payload) = heard(&mut server).await;
    assert!(first == TEXT && payload.len() < body.len());
    assert_eq!(text(&payload)["input"][0], question()[0]);

    let other = [said(0x01, r#"{"type":"response"#), said(0x80, r#".cancel"}"#)].concat();
    client.write(&other).await;
    assert_eq!(server.read(other.len()).await, other);
}

#[tokio::test]
async fn a_message_that_is_too_long_passes_as_it_comes() {
    let rig = Rig::with(|settings| settings.proxy.body_limit_mib = 1).await;
    let (mut client, mut server, _) = open(&rig, "", "").await;
    let body = create(&json!(long_text().repeat(300)));
    assert!(body.len() > 1 << 20);
    let (front, back) = body.as_bytes().split_at(body.len() / 2);
    for raw in [said(TEXT, &body), [said(0x01, front), said(0x80, back)].concat(), said(0x89, "ping")] {
        let length = raw.len();
        let (_, arrived) = tokio::join!(client.write(&raw), server.read(length));
        assert!(arrived == raw);
    }
    client.write(said(TEXT, create(&question()))).await;
    assert!(heard(&mut server).await.1.len() < create(&question()).len());
}

#[tokio::test]
async fn what_is_compressed_is_read_and_sent_plain_once_it_is_condensed() {
    let rig = Rig::start().await;
    let (mut client, mut server, told) = open(&rig, "permessage-deflate; client_max_window_bits=15", "").await;
    assert_eq!(told, "per_frame");
    let mut compress = Compress::new(Compression::default(), false);
    let mut deflated = |text: &str| {
        let mut out = Vec::with_capacity(text.len() + 64);
        compress.compress_vec(text.as_bytes(), &mut out, FlushCompress::Sync).unwrap();
        out.truncate(out.len() - 4);
        said(0xc1, out)
    };
    let mut decompress = Decompress::new(false);
    let mut inflated = |payload: &[u8]| {
        let mut out = Vec::with_capacity(1 << 16);
        decompress.decompress_vec(&[payload, &[0, 0, 255, 255]].concat(), &mut out, FlushDecompress::Sync).unwrap();
        String::from_utf8(out).unwrap()
    };
    let cancel = r#"{"type":"response.cancel","response_id":"resp_1"}"#;
    for _ in 0..2 {
        let raw = deflated(cancel);
        client.write(&raw).await;
        let (first, payload) = heard(&mut server).await;
        assert_eq!((first, inflated(&payload).as_str()), (0xc1, cancel));
    }
    for _ in 0..2 {
        client.write(deflated(&create(&question()))).await;
        let (first, payload) = heard(&mut server).await;
        assert!(first == TEXT && payload.len() < create(&question()).len() - long_text().len() / 2);
        // It may refer to what the server never got.
        client.write(deflated(cancel)).await;
        assert_eq!(heard(&mut server).await, (TEXT, cancel.as_bytes().to_vec()));
    }
    client.write(said(TEXT, create(&json!("short")))).await;
    assert_eq!(heard(&mut server).await, (TEXT, create(&json!("short")).into_bytes()));
}

#[tokio::test]
async fn a_connection_that_is_not_read_passes_and_says_why() {
    let rig = Rig::start().await;
    for (extensions, more, expected) in [
        ("permessage-zstd", "", "passthrough; reason=extension"),
        ("", "X-Headroom-Mode: off\r\n", "passthrough; reason=off"),
        ("", "X-Headroom-Mode: perhaps\r\n", "unchanged; reason=invalid_header"),
    ] {
        let (mut client, mut server, told) = open(&rig, extensions, more).await;
        assert_eq!(told, expected);
        let raw = said(TEXT, create(&question()));
        client.write(&raw).await;
        assert_eq!(server.read(raw.len()).await, raw);
    }
}

#[tokio::test]
async fn a_frame_that_goes_on_has_the_form_that_the_whole_conversation_has() {
    let rig = Rig::start().await;
    let asked = json!({"role": "user", "content": "When was the garden opened, and by whom?"});
    let call = json!({"type": "function_call", "id": "fc", "call_id": "c", "name": "look", "arguments": "{\"at\": \"garden\"}"});
    let output = json!({"type": "function_call_output", "call_id": "c", "output": long_text()});
    let whole = json!({"model": "gpt-5", "input": [asked, call, output]}).to_string();
    let request = post("/v1/responses", &whole).replace("Host: h\r\n", "Host: h\r\nX-Headroom-Ratio: 3\r\n");
    let (posted, _) = rig.exchange(request.as_bytes(), ok("{}").as_bytes()).await;

    let (mut client, mut server, _) = open(&rig, "", "").await;
    client.write(said(TEXT, create(&json!([asked])))).await;
    heard(&mut server).await;
    let events = [
        json!({"type": "response.output_item.done", "output_index": 0, "item": call}),
        json!({"type": "response.completed", "response": {"id": "r1", "usage": {"input_tokens": 70, "output_tokens": 2}}}),
    ];
    for event in events {
        let raw = frame(TEXT, event.to_string().as_bytes(), None);
        server.write(&raw).await;
        assert_eq!(client.read(raw.len()).await, raw);
    }
    let goes_on = create(&json!([output])).replace(r#""model""#, r#""previous_response_id":"r1","model""#);
    client.write(said(TEXT, goes_on)).await;
    let (_, payload) = heard(&mut server).await;
    assert_eq!(text(&payload)["input"][0], text(&posted.body)["input"][2]);
    assert!(text(&payload)["input"][0]["output"].as_str().unwrap().len() < long_text().len() / 2);

    let mut other = rig.client().await;
    other.write("GET /headroom/metrics HTTP/1.1\r\nHost: h\r\n\r\n").await;
    let metrics = other.message().await;
    for line in [
        r#"headroom_requests_total{route="responses",outcome="compressed",reason="",status="101"} 1"#,
        r#"gen_ai_token_type="input"} 70"#,
    ] {
        assert!(metrics.text().contains(line), "{}", metrics.text());
    }
}
