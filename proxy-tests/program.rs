//! The program itself, as a process: what only a process can promise.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

use crate::{
    streaming::pump,
    support::{Conn, long_text, ok, post, soon},
    tls_clients::write_identity,
};

/// The running program, before an upstream in the test's hands.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: SocketAddr,
    upstream: TcpListener,
    home: tempfile::TempDir,
    /// The start screen.
    screen: Vec<String>,
}

impl Program {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    pub(crate) async fn with(arguments: &[&str]) -> Self {
        let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let home = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_headroom"))
            .args(["serve", "--listen", "127.0.0.1:0", "--no-model", "--log", "trace", "--upstream"])
            .arg(format!("http://{}", upstream.local_addr().unwrap()))
            .args(arguments)
            .current_dir(home.path())
            .env_clear()
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Read to the last line of the start screen, which names the address too.
        let mut screen = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            screen.push(line.unwrap());
            if screen.last().unwrap().contains("OPENAI_BASE_URL") {
                break;
            }
        }
        let line = screen.last().unwrap();
        let address = line.split_once("://").unwrap().1.trim().trim_end_matches("/v1").parse().unwrap();
        Self { child, address, upstream, home, screen }
    }

    /// One that speaks TLS, and shows what lies in this folder.
    pub(crate) async fn with_tls(folder: &std::path::Path) -> Self {
        write_identity(folder);
        let config = folder.join("tls.toml");
        let file = |name| folder.join(name).display().to_string();
        let tls = format!("certificate_file = {:?}\nkey_file = {:?}\n", file("cert.pem"), file("key.pem"));
        std::fs::write(&config, format!("[server.tls]\n{tls}")).unwrap();
        Self::with(&["--config", config.to_str().unwrap()]).await
    }

    pub(crate) async fn client(&self) -> Conn {
        Conn(soon(TcpStream::connect(self.address)).await.unwrap())
    }

    pub(crate) async fn accept(&self) -> Conn {
        Conn(soon(self.upstream.accept()).await.unwrap().0)
    }

    /// Its log as it is written, from now on.
    pub(crate) fn log(&mut self) -> Log {
        let stderr = self.child.stderr.take().unwrap();
        let (line, lines) = tokio::sync::mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for read in BufReader::new(stderr).lines() {
                let Ok(read) = read else { return };
                let _ = line.send(read);
            }
        });
        Log(lines)
    }

    /// The folder in which it runs.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.home.path()
    }

    pub(crate) fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Waits for the end; the exit status and the log.
    async fn ended(&mut self) -> (bool, String) {
        let mut stderr = self.child.stderr.take().unwrap();
        let log = tokio::task::spawn_blocking(move || {
            let mut log = String::new();
            stderr.read_to_string(&mut log).unwrap();
            log
        });
        let log = soon(log).await.unwrap();
        (self.child.wait().unwrap().success(), log)
    }

    /// The most memory that it ever had, in bytes.
    fn peak(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
    }
}

/// Lines of a log.
pub(crate) struct Log(tokio::sync::mpsc::UnboundedReceiver<String>);

impl Log {
    /// The next line that has this in it.
    pub(crate) async fn line(&mut self, with: &str) -> String {
        loop {
            let line = soon(self.0.recv()).await.unwrap();
            if line.contains(with) {
                return line;
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Gone already where the test let it end.
        let _ = self.child.kill();
        let _ = self.child.wait();
        // What it said of a promise that it did not keep.
        if std::thread::panicking()
            && let Some(stderr) = &mut self.child.stderr
        {
            let mut log = Vec::new();
            let _ = stderr.read_to_end(&mut log);
            let _ = std::io::stderr().write_all(&log);
        }
    }
}

#[tokio::test]
async fn the_start_screen_says_how_to_ask_a_proxy_at_another_address() {
    let program = Program::start().await;
    let told = format!("headroom explain --url http://{}", program.address);
    assert!(program.screen.iter().any(|line| line.ends_with(&told)), "{:?}", program.screen);
}

#[tokio::test]
async fn told_to_terminate_it_finishes_its_streams_and_ends_well() {
    let mut program = Program::start().await;
    let mut client = program.client().await;
    client.write(post("/v1/x", "{}")).await;
    let mut upstream = program.accept().await;
    upstream.message().await;
    upstream.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n").await;
    client.read_until("one\r\n").await;
    program.terminate();
    soon(async {
        loop {
            let mut probe = program.client().await;
            probe.write("GET /headroom/ready HTTP/1.1\r\nHost: h\r\n\r\n").await;
            if probe.message().await.status() == 503 {
                break;
            }
        }
    })
    .await;
    upstream.write("3\r\ntwo\r\n0\r\n\r\n").await;
    assert_eq!(client.rest().await, b"3\r\ntwo\r\n0\r\n\r\n");
    assert!(program.ended().await.0);
}

#[tokio::test]
async fn a_log_that_nobody_reads_holds_no_request_up() {
    let program = Program::start().await;
    let mut client = program.client().await;
    // Each path stands in a line of the log; together they are far more than a pipe holds.
    let nowhere = format!("GET /headroom/{} HTTP/1.1\r\nHost: h\r\n\r\n", "x".repeat(1000));
    for _ in 0..300 {
        client.write(&nowhere).await;
        assert_eq!(client.message().await.status(), 404);
    }
}

#[tokio::test]
async fn a_hang_up_is_answered_in_the_log_and_ends_nothing() {
    let mut program = Program::start().await;
    let mut client = program.client().await;
    let alive = "GET /headroom/health HTTP/1.1\r\nHost: h\r\n\r\n";
    program.signal("-HUP");
    client.write(alive).await;
    assert_eq!(client.message().await.status(), 200);
    std::fs::write(program.home.path().join("config.toml"), "[upstream]\napi_key = \"SECRETKEY\"\n").unwrap();
    program.signal("-HUP");
    client.write(alive).await;
    assert_eq!(client.message().await.status(), 200);
    program.terminate();
    let (ended_well, log) = program.ended().await;
    // Signals of a kind that come together are one.
    assert!(ended_well && log.contains("SIGHUP: the configuration"), "{log}");
    assert!(!log.contains("SECRET"), "{log}");
}

#[tokio::test]
async fn its_most_talkative_log_holds_no_text_key_or_query() {
    let mut program = Program::start().await;
    let mut client = program.client().await;
    let body = json!({"messages": [{"role": "user", "content": format!("SECRETTEXT {}", long_text())}]}).to_string();
    let request = post("/v1/chat/completions?key=SECRETQUERY", &body).replace(
        "Host: h",
        "Host: h\r\nX-Headroom-Ratio: 4\r\nAuthorization: Bearer SECRETKEY\r\nCookie: SECRETCOOKIE",
    );
    client.write(request).await;
    let mut upstream = program.accept().await;
    upstream.message().await;
    upstream.write(ok("SECRETANSWER")).await;
    let answer = client.message().await;
    assert_eq!(answer.header("x-headroom-outcome"), Some("compressed"));
    program.terminate();
    let (_, log) = program.ended().await;
    assert!(log.contains(answer.header("x-headroom-request-id").unwrap()), "{log}");
    assert_eq!(log.lines().find(|line| line.contains("SECRET") || line.contains("committee")), None);
}

#[tokio::test]
async fn what_another_proxy_relays_reads_no_record_and_the_operator_reads_all() {
    let program = Program::start().await;
    let body = json!({"messages": [{"role": "user", "content": long_text()}]}).to_string();
    let mut client = program.client().await;
    client.write(post("/v1/chat/completions", &body)).await;
    let mut upstream = program.accept().await;
    upstream.message().await;
    upstream.write(ok("{}")).await;
    let id = client.message().await.header("x-headroom-request-id").unwrap().to_owned();
    // A reverse proxy that adds nothing: from this machine, by its address, without a credential.
    for page in ["explain".to_owned(), format!("explain/{id}?format=html")] {
        for key in [String::new(), format!("x-headroom-reader: {}\r\n", "0".repeat(64))] {
            let host = program.address;
            client.write(format!("GET /headroom/{page} HTTP/1.1\r\nHost: {host}\r\n{key}\r\n")).await;
            let answer = client.message().await;
            assert!(matches!(answer.status(), 403 | 404) && !answer.text().contains("committee"), "{}", answer.text());
        }
    }
    let url = format!("http://{}", program.address);
    let command = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headroom"));
        command.args(["explain", &id, "--url", &url]).current_dir(program.home.path()).env_clear();
        command
    };
    let output = command().env("HOME", program.home.path()).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("committee"), "{output:?}");
    let other = tempfile::tempdir().unwrap();
    let output = command().env("HOME", other.path()).output().unwrap();
    assert!(!output.status.success() && !String::from_utf8_lossy(&output.stdout).contains("committee"), "{output:?}");
}

#[tokio::test]
async fn bodies_of_any_size_take_no_memory() {
    const SIZE: usize = 256 << 20;
    const MOST: usize = 16 << 20;
    let program = Program::start().await;
    let mut client = program.client().await;
    client.write("GET /headroom/health HTTP/1.1\r\nHost: h\r\n\r\n").await;
    client.message().await;
    let before = program.peak();
    client.write(format!("POST /v1/files HTTP/1.1\r\nHost: h\r\nContent-Length: {SIZE}\r\n\r\n")).await;
    let mut upstream = program.accept().await;
    upstream.head().await;
    pump(&mut client.0, &mut upstream.0, SIZE).await;
    upstream.write(format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n")).await;
    client.head().await;
    pump(&mut upstream.0, &mut client.0, SIZE).await;
    let grown = program.peak() - before;
    assert!(grown < MOST, "grew by {} KiB", grown >> 10);
}
