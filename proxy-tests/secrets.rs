//! Nothing of what passes through is written anywhere.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use headroom::{
    explain,
    telemetry::{self, Level},
};
use serde_json::json;

use crate::support::{Rig, long_text, ok};

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[tokio::test]
async fn text_keys_and_queries_are_in_no_log_and_no_figure() {
    let log = Log::default();
    let writer = log.clone();
    let config = telemetry::Config { level: Level::Trace, ..telemetry::Config::default() };
    telemetry::start_with(&config, move || writer.clone()).unwrap();

    // What is kept to explain requests holds text; it stays there.
    let rig = Rig::with(|settings| {
        settings.explain = Some(explain::Config { local_reads: true, ..explain::Config::default() })
    })
    .await;
    let body = json!({"model": "gpt-4o", "user": "SECRETUSER",
        "messages": [{"role": "user", "content": format!("SECRETTEXT {}", long_text())}]})
    .to_string();
    let mut ids = Vec::new();
    for path in ["/v1/chat/completions?key=SECRETQUERY", "/v1/embeddings?key=SECRETQUERY"] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nAuthorization: Bearer SECRETKEY\r\n\
             api-key: SECRETKEY\r\nCookie: SECRETCOOKIE\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let (_, answer) = rig.exchange(head.as_bytes(), ok("SECRETANSWER").as_bytes()).await;
        ids.push(answer.header("x-headroom-request-id").unwrap().to_owned());
    }
    // Failures are logged with their causes.
    let mut client = rig.client().await;
    client.write("GET /v1/x?key=SECRETQUERY HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer SECRETKEY\r\n\r\n").await;
    let mut upstream = rig.accept().await;
    upstream.head().await;
    upstream.write("HTTP/1.1 SECRETANSWER\r\n\r\n").await;
    let answer = client.message().await;
    assert_eq!(answer.status(), 502);
    ids.push(answer.header("x-headroom-request-id").unwrap().to_owned());
    client.write("GET /headroom/metrics HTTP/1.1\r\nHost: h\r\n\r\n").await;
    let figures = client.message().await;
    client.write("GET /headroom/explain HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let list = client.message().await;
    assert!(list.text().contains(&ids[0]), "the record was read: {}", list.text());
    client.write(format!("GET /headroom/explain/{} HTTP/1.1\r\nHost: localhost\r\n\r\n", ids[0])).await;
    assert!(client.message().await.text().contains("SECRETTEXT"));
    client.write("NONSENSE SECRETNONSENSE\r\n\r\n").await;
    client.rest().await;

    let log = log.text();
    for id in &ids {
        assert!(log.contains(id), "request {id} has its line");
    }
    assert!(log.contains("path=\"/v1/chat/completions\"") && log.contains("overhead_us"));
    for text in [log.as_str(), figures.text(), list.text()] {
        let leak = text.lines().find(|line| line.contains("SECRET") || line.contains("committee"));
        assert_eq!(leak, None);
    }
}
