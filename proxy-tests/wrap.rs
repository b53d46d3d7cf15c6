//! One program through a proxy of its own, or through the one that runs; and what a person is told where that fails.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStderr, Command, Output, Stdio},
};

use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

use crate::{
    program::Program,
    support::{Conn, long_text, ok, post, soon},
};

/// The program with the environment of a fresh user.
pub(crate) fn headroom(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headroom"));
    command.args(arguments).current_dir(home).env_clear().env("HOME", home);
    command.env("PATH", std::env::var_os("PATH").unwrap());
    // Nobody listens there: the port is one that was free.
    command.env("HEADROOM_LISTEN", nobody().to_string());
    command
}

/// An address at which nothing answers.
pub(crate) fn nobody() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A server that is no proxy: it hangs up.
pub(crate) async fn stranger() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    address
}

/// Runs a command to its end.
pub(crate) async fn output(mut command: Command) -> Output {
    soon(tokio::task::spawn_blocking(move || command.stdin(Stdio::null()).output().unwrap())).await.unwrap()
}

/// A wrapped program that has said where it was sent.
struct Wrapped {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
    said: String,
}

impl Wrapped {
    async fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let reading = tokio::task::spawn_blocking(move || {
            let mut said = String::new();
            stdout.read_line(&mut said).unwrap();
            (stdout, said)
        });
        let (stdout, said) = soon(reading).await.unwrap();
        if said.is_empty() {
            panic!("{}", all(child.stderr.take().unwrap()));
        }
        Self { child, stdout, said }
    }

    /// Its exit status, the rest of what it printed, and what was said on standard error.
    async fn end(mut self) -> (Option<i32>, String, String) {
        drop(self.child.stdin.take());
        let ending = tokio::task::spawn_blocking(move || {
            let mut rest = String::new();
            self.stdout.read_to_string(&mut rest).unwrap();
            let told = all(self.child.stderr.take().unwrap());
            (self.child.wait().unwrap().code(), rest, told)
        });
        soon(ending).await.unwrap()
    }
}

fn all(mut stderr: ChildStderr) -> String {
    let mut text = String::new();
    stderr.read_to_string(&mut text).unwrap();
    text
}

#[tokio::test]
async fn a_program_has_a_proxy_for_its_life_and_nothing_is_left_of_it() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", upstream.local_addr().unwrap());
    let (home, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let script = r#"echo "$OPENAI_BASE_URL $ANTHROPIC_BASE_URL"; read line; echo "$line $1"; exit 7"#;
    let arguments = ["wrap", "--no-model", "--upstream", &url, "--", "sh", "-c", script, "sh", "--port"];
    let mut command = headroom(home.path(), &arguments);
    // It is another program's.
    std::fs::write(folder.path().join("config.toml"), "title = \"a page\"\n").unwrap();
    command.current_dir(folder.path());
    let mut wrapped = Wrapped::start(command).await;
    let said = std::mem::take(&mut wrapped.said);
    let (openai, anthropic) = said.trim().split_once(' ').unwrap();
    assert_eq!(openai, format!("{anthropic}/v1"));
    let address: SocketAddr = anthropic.strip_prefix("http://").unwrap().parse().unwrap();

    let mut client = Conn(soon(TcpStream::connect(address)).await.unwrap());
    let body = json!({"messages": [{"role": "user", "content": long_text()}]}).to_string();
    let request = post("/v1/chat/completions", &body).replace("Host: h", "Host: h\r\nX-Headroom-Ratio: 4");
    client.write(request).await;
    let mut server = Conn(soon(upstream.accept()).await.unwrap().0);
    assert!(server.message().await.body.len() < body.len() / 2);
    server.write(ok("{}")).await;
    assert_eq!(client.message().await.header("x-headroom-outcome"), Some("compressed"));

    writeln!(wrapped.child.stdin.as_mut().unwrap(), "typed").unwrap();
    let (status, printed, told) = wrapped.end().await;
    assert_eq!((status, printed.as_str()), (Some(7), "typed --port\n"), "{told}");
    assert!(
        told.contains(&format!("sh goes through {anthropic}, started before {url} (ratio auto; model: none")),
        "{told}"
    );
    assert!(told.contains("1 request came through; long texts of "), "{told}");
    assert!(TcpStream::connect(address).await.is_err(), "the proxy is gone");
    let left: Vec<_> = folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["config.toml"]);
}

#[tokio::test]
async fn the_proxy_that_runs_is_used_and_stays() {
    let program = Program::start().await;
    let home = tempfile::tempdir().unwrap();
    let mut command = headroom(home.path(), &["wrap", "sh", "-c", "echo $OPENAI_BASE_URL"]);
    command.env("HEADROOM_LISTEN", program.address.to_string());
    let output = output(command).await;
    let (printed, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(printed, format!("http://{}/v1\n", program.address), "{told}");
    assert!(told.contains("which runs already") && told.contains("no request of sh"), "{told}");
    let mut client = program.client().await;
    client.write("GET /headroom/health HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(client.message().await.status(), 200);
}

#[tokio::test]
async fn a_running_proxy_that_speaks_tls_is_used_where_its_certificate_is_trusted() {
    let home = tempfile::tempdir().unwrap();
    let program = Program::with_tls(home.path()).await;
    let port = program.address.port().to_string();
    let by_name = format!("https://localhost:{port}");
    let wrap = async |arguments: &[&str], trust: bool, base: Option<&str>| {
        let mut command = headroom(home.path(), arguments);
        command.env("HEADROOM_LISTEN", program.address.to_string());
        command.env("HEADROOM_SERVER__TLS__CERTIFICATE_FILE", home.path().join("cert.pem"));
        command.env("HEADROOM_SERVER__TLS__KEY_FILE", home.path().join("key.pem"));
        command.env("HEADROOM_MODEL__ENABLED", "false");
        command.envs(trust.then(|| ("SSL_CERT_FILE", home.path().join("cert.pem"))));
        command.envs(base.map(|base| ("OPENAI_BASE_URL", base)));
        let output = output(command).await;
        let [printed, told] =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
        (output.status.code(), printed, told)
    };
    let echo = ["wrap", "sh", "-c", "echo $ANTHROPIC_BASE_URL"];
    for base in [None, Some(by_name.as_str())] {
        let (_, printed, told) = wrap(&echo, true, base).await;
        assert_eq!(printed, by_name, "{told}");
        assert!(told.contains("which runs already") && told.contains("no request of sh"), "{told}");
    }
    // So it is where a file says that it runs there.
    let file = home.path().join("here.toml");
    let tls = format!(
        "[server]\nlisten = \"{}\"\n[server.tls]\ncertificate_file = \"cert.pem\"\nkey_file = \"key.pem\"\n",
        program.address
    );
    std::fs::write(&file, tls).unwrap();
    let mut command = headroom(home.path(), &["wrap", "--config", "here.toml", "sh", "-c", "echo $ANTHROPIC_BASE_URL"]);
    command.env_remove("HEADROOM_LISTEN").env("SSL_CERT_FILE", home.path().join("cert.pem"));
    let found = output(command).await;
    assert_eq!(String::from_utf8_lossy(&found.stdout).trim(), by_name, "{}", String::from_utf8_lossy(&found.stderr));
    // Programs could not speak with it: they have one of their own.
    let (status, printed, told) = wrap(&echo, false, None).await;
    assert!(status == Some(0) && printed.starts_with("http://127.0.0.1:") && !printed.ends_with(&port), "{told}");
    assert!(told.contains("does not trust the certificate"), "{told}");
    // But not where that would send a key elsewhere than it was meant for.
    let named = ["wrap", "--port", &port, "true"];
    for (arguments, base) in [(&echo, Some(by_name.as_str())), (&named, None)] {
        let (status, _, told) = wrap(arguments, false, base).await;
        assert!(status == Some(2) && told.contains("SSL_CERT_FILE"), "{told}");
    }
    let plain = output(headroom(home.path(), &named)).await;
    assert!(String::from_utf8_lossy(&plain.stderr).contains("name its configuration by --config"), "{plain:?}");
}

#[tokio::test]
async fn a_base_url_that_was_set_says_where_requests_go() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let mut command = headroom(
        home.path(),
        &["wrap", "--quiet", "--ratio", "4", "sh", "-c", "echo $OPENAI_BASE_URL; read line; true"],
    );
    command.env("OPENAI_BASE_URL", format!("http://{}/v1", upstream.local_addr().unwrap()));
    command.env("HEADROOM_MODEL__ENABLED", "false");
    // It is asked whether it is a proxy of ours, and is none.
    let hang_up = async { drop(soon(upstream.accept()).await.unwrap()) };
    let ((), mut wrapped) = tokio::join!(hang_up, Wrapped::start(command));
    let said = std::mem::take(&mut wrapped.said);
    let address: SocketAddr = said.trim().trim_start_matches("http://").trim_end_matches("/v1").parse().unwrap();
    let mut client = Conn(soon(TcpStream::connect(address)).await.unwrap());
    client.write("GET /v1/models HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer of-the-gateway\r\n\r\n").await;
    let mut server = Conn(soon(upstream.accept()).await.unwrap().0);
    assert_eq!(server.message().await.header("authorization"), Some("Bearer of-the-gateway"));
    server.write(ok("{}")).await;
    client.message().await;
    drop(client);
    let (status, _, told) = wrapped.end().await;
    assert_eq!((status, told.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn signals_and_the_exit_status_are_the_programs() {
    let home = tempfile::tempdir().unwrap();
    let script = "trap 'kill $!; echo told; exit 9' TERM; sleep 60 & echo ready; wait";
    let wrapped = Wrapped::start(headroom(home.path(), &["wrap", "--no-model", "sh", "-c", script])).await;
    let id = wrapped.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let (status, printed, told) = wrapped.end().await;
    assert_eq!((status, printed.as_str()), (Some(9), "told\n"), "{told}");
    let killed = output(headroom(home.path(), &["wrap", "--no-model", "sh", "-c", "kill -KILL $$"])).await;
    assert_eq!(killed.status.code(), Some(128 + 9));
}

#[tokio::test]
async fn what_cannot_be_wrapped_is_told_with_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let (taken, running) = (stranger().await.port().to_string(), Program::start().await);
    let used = running.address.port().to_string();
    let mut led = headroom(home.path(), &["wrap", "--ratio", "5", "true"]);
    led.env("OPENAI_BASE_URL", format!("http://{}/v1", running.address));
    let output_of_led = output(led).await;
    assert!(String::from_utf8_lossy(&output_of_led.stderr).contains("name the server by --upstream"));
    for (arguments, said) in [
        (&["wrap", "--no-model", "no-such-agent"][..], "put its folder on PATH"),
        (&["wrap", "--port", &taken, "true"], "no headroom proxy"),
        (&["wrap", "--port", &used, "--ratio", "5", "true"], "leave those flags out"),
        (&["wrap"], "PROGRAM"),
    ] {
        let output = output(headroom(home.path(), arguments)).await;
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(told.contains(said), "{arguments:?}: {told}");
    }
}
