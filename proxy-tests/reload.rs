//! SIGHUP: settings change while the program runs, and nothing that is under way does.

use tokio::net::TcpListener;

use crate::{
    program::{Log, Program},
    support::{Conn, long_text, ok, post, soon},
};

/// A running program and its log.
struct Running {
    program: Program,
    log: Log,
}

impl Running {
    async fn start() -> Self {
        let mut program = Program::start().await;
        let log = program.log();
        Self { program, log }
    }

    /// Has it read this configuration; what it says about that.
    async fn reload(&mut self, config: &str) -> String {
        std::fs::write(self.program.folder().join("config.toml"), config).unwrap();
        self.program.signal("-HUP");
        self.log.line("SIGHUP").await
    }

    /// What arrives at the first upstream of a request for this model.
    async fn sent(&self, model: &str) -> String {
        let mut client = self.program.client().await;
        client.write(request(model)).await;
        let mut upstream = self.program.accept().await;
        let got = upstream.message().await.text().to_owned();
        upstream.write(ok("{}")).await;
        client.message().await;
        got
    }
}

fn request(model: &str) -> String {
    let body = serde_json::json!({"model": model, "messages": [{"role": "user", "content": long_text()}]});
    post("/v1/chat/completions", &body.to_string())
}

#[tokio::test]
async fn rules_hold_from_then_on_and_what_is_under_way_ends_as_it_began() {
    let mut running = Running::start().await;
    let before = running.sent("gpt").await;
    let mut client = running.program.client().await;
    client.write(request("gpt")).await;
    let mut upstream = running.program.accept().await;
    upstream.message().await;
    upstream.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n").await;
    client.read_until("one\r\n").await;

    let said = running.reload("[[rules]]\nmodel = \"gpt*\"\nratio = 5\n").await;
    assert!(said.contains("in_effect=\"rules\""), "{said}");
    let warned = running.log.line("SIGHUP").await;
    assert!(warned.contains("cached prefix written anew"), "{warned}");
    let after = running.sent("gpt").await;
    assert!(after.len() * 2 < before.len(), "{} of {}", after.len(), before.len());
    assert_eq!(running.sent("other").await.len(), before.replace("gpt", "other").len());

    upstream.write("3\r\ntwo\r\n0\r\n\r\n").await;
    client.read_until("two\r\n0\r\n\r\n").await;
}

#[tokio::test]
async fn a_configuration_that_cannot_be_used_changes_nothing() {
    let mut running = Running::start().await;
    running.reload("[compress]\nratio = 5\n").await;
    running.log.line("anew").await;
    let condensed = running.sent("gpt").await;
    for (wrong, named) in [
        ("[compress]\nratio = 21\n", "compress.ratio"),
        ("[compress]\nratoi = 2\n", "compress.ratoi"),
        ("[upstream]\napi_key_env = \"NOT_SET_SECRETKEY\"\n", "upstream.api_key_env"),
        ("[[upstreams]]\nname = \"x\"\nurl = \"http://h?key=SECRETKEY\"\nmodel = \"x\"\n", "upstreams.url"),
        ("[[rules]]\nkey = \"env:NOT_SET\"\nratio = 3\n", "rules.key"),
        ("[compress\nratio = \"SECRETKEY\"", "TOML"),
    ] {
        let said = running.reload(wrong).await;
        assert!(said.contains("ERROR") && said.contains(named) && said.contains("stays"), "{said}");
        assert!(!said.contains("SECRETKEY"), "{said}");
        assert_eq!(running.sent("gpt").await, condensed);
    }
    let said = running.reload("[compress]\nratio = 5\n").await;
    assert!(said.contains("is the one in effect"), "{said}");
}

#[tokio::test]
async fn upstreams_come_and_go_and_what_has_to_wait_is_named() {
    let mut running = Running::start().await;
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = other.local_addr().unwrap();
    let upstream = format!("[[upstreams]]\nname = \"other\"\nurl = \"http://{url}\"\nmodel = \"llama*\"\n");
    let said = running.reload(&format!("[engine]\nworkers = 3\n[server]\nmax_connections = 9\n{upstream}")).await;
    assert!(said.contains("in_effect=\"upstreams\""), "{said}");
    assert!(said.contains("at_the_next_start=\"server.max_connections, engine.workers\""), "{said}");
    let mut client = running.program.client().await;
    client.write(request("llama")).await;
    let mut got = Conn(soon(other.accept()).await.unwrap().0);
    assert!(got.message().await.text().contains("llama"));
    // It goes while its answer is awaited.
    let said = running.reload("").await;
    assert!(said.contains("in_effect=\"upstreams\"") && !said.contains("at_the_next_start"), "{said}");
    assert!(running.sent("llama").await.contains("llama"));
    got.write(ok("late")).await;
    assert_eq!(client.message().await.text(), "late");
}
