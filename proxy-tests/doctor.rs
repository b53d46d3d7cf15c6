//! `headroom doctor` before what goes wrong most often.

use std::{path::Path, process::Command};

use serde_json::Value;
use tokio::net::TcpListener;

use crate::{
    program::Program,
    support::{Conn, long_text, ok, post, soon},
    tls_clients::write_identity,
    wrap::{headroom, nobody, output, stranger},
};

/// Its exit status and what it prints.
async fn doctor(command: Command) -> (Option<i32>, String) {
    let output = output(command).await;
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.code(), told.into_owned())
}

/// An upstream that wants a key.
async fn upstream() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { refuse(&listener).await });
    url
}

async fn refuse(listener: &TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        let mut client = Conn(stream);
        let asked = client.message().await;
        assert_eq!(asked.header("authorization"), None);
        client.write("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
    }
}

#[tokio::test]
async fn without_a_proxy_it_says_how_to_start_one() {
    let home = tempfile::tempdir().unwrap();
    let mut command = headroom(home.path(), &["doctor", "--no-model"]);
    command.env("HEADROOM_UPSTREAM", upstream().await).env("OPENAI_API_KEY", "SECRETKEY");
    let (status, told) = doctor(command).await;
    assert_eq!(status, Some(1), "{told}");
    for said in [
        "problem  proxy        none runs",
        "headroom wrap PROGRAM",
        "ok       upstream",
        "wants a key",
        "ok       decisions",
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
    assert!(!told.contains("SECRET"), "{told}");
    assert!(home.path().read_dir().unwrap().next().is_none(), "it leaves nothing behind");
}

#[tokio::test]
async fn a_proxy_in_use_has_no_problem_and_its_traffic_is_told() {
    let program = Program::start().await;
    let home = tempfile::tempdir().unwrap();
    let body = serde_json::json!({"messages": [{"role": "user", "content": long_text()}]}).to_string();
    let mut client = program.client().await;
    client.write(post("/v1/chat/completions", &body).replace("Host: h", "Host: h\r\nX-Headroom-Ratio: 4")).await;
    let mut server = program.accept().await;
    server.message().await;
    server.write(ok("{}")).await;
    client.message().await;
    drop(server);
    let mut command = headroom(home.path(), &["doctor", "--json"]);
    command.env("HEADROOM_LISTEN", program.address.to_string());
    command.env("HEADROOM_UPSTREAM", format!("http://{}", nobody()));
    command.env("OPENAI_BASE_URL", format!("http://{}/v1", program.address)).env("HEADROOM_BUDGET", "1");
    let (asked, (status, told)) = tokio::join!(
        async {
            let mut server = program.accept().await;
            let asked = server.message().await;
            server.write(ok(r#"{"data":[]}"#)).await;
            asked
        },
        doctor(command)
    );
    assert_eq!((status, asked.head.split(' ').nth(1)), (Some(0), Some("/v1/models")), "{told}");
    let page: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(page["healthy"], true);
    for said in [
        "became",
        "is reachable",
        "chat_completions: 1 compressed",
        "(of the running proxy)",
        "OPENAI_BASE_URL leads",
        "HEADROOM_BUDGET is none",
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
}

#[tokio::test]
async fn an_upstream_that_is_not_there_and_a_shell_that_leads_past_are_problems() {
    let home = tempfile::tempdir().unwrap();
    let gone = format!("http://{}", nobody());
    let mut command = headroom(home.path(), &["doctor", "--no-model"]);
    command.env("HEADROOM_UPSTREAM", &gone).env("HEADROOM_LISTEN", stranger().await.to_string());
    let (status, told) = soon(doctor(command)).await;
    assert_eq!(status, Some(1), "{told}");
    for said in ["no headroom proxy", "problem  upstream", "cannot be reached", "correct `upstream.url`", "no base URL"]
    {
        assert!(told.contains(said), "{said}: {told}");
    }
}

#[tokio::test]
async fn each_further_upstream_is_asked_whatever_it_is_for_and_what_the_proxy_goes_by_is_told() {
    let program = Program::with(&["--ratio", "7"]).await;
    let home = tempfile::tempdir().unwrap();
    let gone = nobody();
    let local = upstream().await;
    std::fs::write(
        home.path().join("config.toml"),
        format!(
            "[[upstreams]]\nname = \"local\"\nurl = \"{local}\"\nmodel = \"llama*\"\napi_key_env = \"LOCAL_KEY\"\n\
             [[upstreams]]\nname = \"gone\"\nurl = \"http://{gone}\"\nprefix = \"/gone\"\n"
        ),
    )
    .unwrap();
    let mut command = headroom(home.path(), &["doctor", "--listen", &program.address.to_string()]);
    command.env("LOCAL_KEY", "SECRETKEY");
    let (_, (status, told)) = tokio::join!(
        async {
            let mut server = program.accept().await;
            server.message().await;
            server.write("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").await;
        },
        doctor(command)
    );
    assert_eq!(status, Some(1), "{told}");
    for said in [
        "mode compress, ratio 7, texts from 256 tokens on (of the running proxy)",
        &format!("ok       upstream     {local} (local) is reachable"),
        &format!("problem  upstream     http://{gone} (gone) cannot be reached"),
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
}

#[tokio::test]
async fn a_proxy_that_speaks_tls_is_known_by_its_certificate_and_the_shells_trust_in_it_is_told() {
    let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let program = Program::with_tls(home.path()).await;
    write_identity(other.path());
    let secure = |identity: &Path| {
        let mut command = headroom(home.path(), &["doctor", "--listen", &program.address.to_string(), "--no-model"]);
        command.env("HEADROOM_SERVER__TLS__CERTIFICATE_FILE", identity.join("cert.pem"));
        command.env("HEADROOM_SERVER__TLS__KEY_FILE", identity.join("key.pem"));
        command.env("OPENAI_BASE_URL", format!("https://localhost:{}/v1", program.address.port()));
        command
    };
    let answered = async |mut command: Command, trust: bool| {
        if trust {
            command.env("SSL_CERT_FILE", home.path().join("cert.pem"));
        }
        let asked = async {
            let mut server = program.accept().await;
            server.message().await;
            server.write(ok(r#"{"data":[]}"#)).await;
        };
        tokio::join!(asked, doctor(command)).1
    };
    let (status, told) = answered(secure(home.path()), true).await;
    assert_eq!(status, Some(0), "{told}");
    for said in [
        &format!("runs at https://{}", program.address),
        "ok       certificate  is trusted here for localhost",
        "became",
        "is reachable",
        "(of the running proxy)",
        "OPENAI_BASE_URL leads",
        "passthrough: 1 passthrough",
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
    let (status, told) = answered(secure(home.path()), false).await;
    assert_eq!(status, Some(0), "{told}");
    assert!(told.contains("note     certificate  this machine does not trust it for 127.0.0.1"), "{told}");

    let mut plain = headroom(home.path(), &["doctor", "--listen", &program.address.to_string(), "--no-model"]);
    plain.env("HEADROOM_UPSTREAM", format!("http://{}", nobody()));
    let mut another = secure(other.path());
    another.env("HEADROOM_UPSTREAM", format!("http://{}", nobody()));
    for (command, said) in
        [(plain, "speaks TLS, and the configuration here names no certificate"), (another, "shows another certificate")]
    {
        let (status, told) = soon(doctor(command)).await;
        assert_eq!(status, Some(1), "{told}");
        assert!(told.contains(said), "{said}: {told}");
    }
}

#[tokio::test]
async fn a_proxy_whose_clients_have_keys_is_no_problem() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("keys.toml");
    // A variable that every process has, whose value then is the operator's key.
    let keys =
        format!("[upstream]\napi_key_env = \"HOME\"\n[access]\nclient_keys = [\"sha256:{}\"]\n", "ab".repeat(32));
    std::fs::write(&file, keys).unwrap();
    let program = Program::with(&["--config", file.to_str().unwrap()]).await;
    let mut command = headroom(home.path(), &["doctor"]);
    command.env("HEADROOM_LISTEN", program.address.to_string());
    let (status, told) = doctor(command).await;
    assert_eq!(status, Some(0), "{told}");
    assert!(told.contains("was not asked") && told.contains("client_keys"), "{told}");
}
