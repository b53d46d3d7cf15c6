//! What was done can be explained afterwards, to whom it concerns and to nobody else.

use headroom::{compress::Style, explain, fidelity, proxy::Mode};
use serde_json::{Value, json};

use crate::{
    checker::{Behaviour, Checker, doubtful_text},
    support::{Message, Rig, long_text, ok, post, soon},
};

const PATH: &str = "/v1/chat/completions";

/// Records that whoever asks from this machine may read.
fn local() -> explain::Config {
    explain::Config { local_reads: true, ..explain::Config::default() }
}

/// A proxy that keeps records.
async fn explaining() -> Rig {
    Rig::with(|settings| settings.explain = Some(local())).await
}

/// A chat completion about `texts`, one user message each, with further header lines.
fn request(lines: &str, texts: &[&str]) -> String {
    let messages: Vec<Value> = texts.iter().map(|text| json!({"role": "user", "content": text})).collect();
    let body = json!({"model": "gpt-4o", "messages": messages}).to_string();
    post(PATH, &body).replacen("Host: h\r\n", &format!("Host: h\r\n{lines}"), 1)
}

/// Sends a request through; the id of the answer.
async fn asked(rig: &Rig, request: &str) -> String {
    let (_, answer) = rig.exchange(request.as_bytes(), ok("{}").as_bytes()).await;
    answer.header("x-headroom-request-id").unwrap().to_owned()
}

async fn fetch(rig: &Rig, page: &str, lines: &str) -> Message {
    let mut client = rig.client().await;
    client.write(format!("GET /headroom/explain{page} HTTP/1.1\r\n{lines}\r\n")).await;
    client.message().await
}

const LOCAL: &str = "Host: localhost:8787\r\n";

fn page(answer: &Message) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

/// The record of a request, as the operator reads it.
async fn record(rig: &Rig, id: &str) -> Value {
    let answer = fetch(rig, &format!("/{id}"), LOCAL).await;
    assert_eq!(answer.status(), 200, "{}", answer.text());
    page(&answer)
}

#[tokio::test]
async fn the_id_of_an_answer_explains_its_request() {
    let rig = explaining().await;
    let id = asked(&rig, &request("X-Headroom-Ratio: 4\r\n", &["short", &long_text()])).await;
    let record = record(&rig, &id).await;
    assert_eq!(
        (&record["id"], &record["outcome"], &record["model"]),
        (&json!(id), &json!("compressed"), &json!("gpt-4o"))
    );
    assert!(record["took_ms"].as_f64().unwrap() > 0.0 && record["at_ms"].as_u64().unwrap() > 0);
    let slot = &record["slots"][0];
    assert_eq!((&slot["message"], &slot["role"], &slot["forwarded"]), (&json!(1), &json!("user"), &json!(true)));
    assert!(slot["condensed"].as_str().unwrap().len() < long_text().len() / 2);
    assert!(slot["tokens_after"].as_u64().unwrap() < slot["tokens_before"].as_u64().unwrap());
    let (mut at, mut told) = (0, String::new());
    for unit in slot["units"].as_array().unwrap() {
        assert_eq!(unit["start"], at);
        at = unit["end"].as_u64().unwrap();
        told.push_str(unit["original"].as_str().unwrap());
        assert!(unit.get("score").is_some() && unit["reason"].is_string() && unit["decision"].is_string());
    }
    assert_eq!(told, long_text());
}

#[tokio::test]
async fn what_was_known_before_or_left_alone_is_explained_too() {
    let rig = explaining().await;
    let text = long_text();
    let ratio = "X-Headroom-Ratio: 4\r\n";
    asked(&rig, &request(ratio, &[&text])).await;
    let again = record(&rig, &asked(&rig, &request(ratio, &[&text])).await).await;
    assert_eq!((&again["outcome"], &again["slots"][0]["cache"]), (&json!("compressed"), &json!("hit")));
    let audit =
        record(&rig, &asked(&rig, &request(&format!("X-Headroom-Mode: audit\r\n{ratio}"), &[&text])).await).await;
    assert_eq!((&audit["outcome"], &audit["slots"][0]["forwarded"]), (&json!("audit"), &json!(false)));
    assert!(audit["slots"][0]["condensed"].is_string());
    let short = record(&rig, &asked(&rig, &request("", &["short"])).await).await;
    assert_eq!((&short["reason"], &short["slots"]), (&json!("below_minimum"), &json!([])));
    let odd = record(&rig, &asked(&rig, &request("X-Headroom-Ratio: 99\r\n", &[&text])).await).await;
    assert_eq!((&odd["outcome"], &odd["reason"]), (&json!("unchanged"), &json!("invalid_header")));
}

#[tokio::test]
async fn a_request_that_asks_to_be_left_alone_leaves_nothing() {
    let rig = explaining().await;
    let id = asked(&rig, &request("X-Headroom-Mode: off\r\n", &[&long_text()])).await;
    let answer = fetch(&rig, &format!("/{id}"), LOCAL).await;
    assert_eq!((answer.status(), answer.header("x-headroom-error")), (404, Some("explain_unknown")));
}

#[tokio::test]
async fn every_original_comes_back_bit_for_bit() {
    let rig = explaining().await;
    let odd =
        format!("\u{feff}\u{0} e\u{301} \u{202e}\u{200b}日本 👩‍👩‍👧 \\u0041 \"\\\" \r\n\t</script> {} \n\n ", long_text());
    let body = json!({"model": "m", "messages": [
        {"role": "user", "content": [{"type": "text", "text": odd}, {"type": "text", "text": long_text()}]},
        {"role": "tool", "tool_call_id": "c", "content": odd.to_uppercase()},
    ]});
    let id = asked(&rig, &post(PATH, &body.to_string())).await;
    let record = record(&rig, &id).await;
    for (slot, original) in [(0, &odd), (1, &long_text()), (2, &odd.to_uppercase())] {
        assert_eq!(record["slots"][slot]["original"].as_str().unwrap().as_bytes(), original.as_bytes());
    }
    assert_eq!((&record["slots"][1]["part"], &record["slots"][2]["role"]), (&json!(1), &json!("tool")));
}

#[tokio::test]
async fn nothing_is_kept_where_it_is_off() {
    let rig = Rig::start().await;
    let id = asked(&rig, &request("", &[&long_text()])).await;
    for page in [format!("/{id}"), String::new()] {
        let answer = fetch(&rig, &page, LOCAL).await;
        assert_eq!((answer.status(), answer.header("x-headroom-error")), (404, Some("explain_off")));
        assert!(answer.text().contains("explain.mode"), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_record_is_read_with_its_requests_credential_or_by_the_operator() {
    let rig = explaining().await;
    let ours = "Authorization: Bearer ours\r\n";
    let id = asked(&rig, &request(ours, &[&long_text()])).await;
    let anonymous = asked(&rig, &request("", &[&long_text()])).await;
    let read = async |id: &str, lines: &str| fetch(&rig, &format!("/{id}"), lines).await.status();
    let elsewhere = "Host: proxy.example.org\r\n";
    assert_eq!(read(&id, &format!("{elsewhere}{ours}")).await, 200);
    assert_eq!(read(&id, LOCAL).await, 200);
    assert_eq!(read(&anonymous, LOCAL).await, 200);
    // Another key, no key by way of another proxy, and a web page whose name was made to point here.
    assert_eq!(read(&id, &format!("{LOCAL}Authorization: Bearer theirs\r\n")).await, 404);
    assert_eq!(read(&id, &format!("{LOCAL}X-Forwarded-For: 10.0.0.9\r\n")).await, 404);
    assert_eq!(read(&id, elsewhere).await, 404);
    assert_eq!(read(&anonymous, elsewhere).await, 404);
    assert_eq!(read(&anonymous, &format!("{LOCAL}{ours}")).await, 404);
}

#[tokio::test]
async fn a_list_names_what_its_reader_may_read_and_holds_no_text() {
    let rig = explaining().await;
    let ours = asked(&rig, &request("Authorization: Bearer ours\r\n", &[&long_text()])).await;
    let theirs = asked(&rig, &request("api-key: theirs\r\n", &[&long_text()])).await;
    let ids = async |lines: &str| -> Vec<String> {
        let answer = fetch(&rig, "", lines).await;
        assert!(!answer.text().contains("committee"), "{}", answer.text());
        let listed = page(&answer);
        let records = listed["records"].as_array().unwrap();
        records.iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids("Host: h\r\nAuthorization: Bearer ours\r\n").await, [ours.as_str()]);
    assert_eq!(ids("Host: h\r\napi-key: theirs\r\n").await, [theirs.as_str()]);
    assert_eq!(ids("Host: h\r\napi-key: other\r\n").await, [""; 0]);
    assert_eq!(ids(LOCAL).await, [theirs, ours]);
    let answer = fetch(&rig, "", "Host: h\r\n").await;
    assert_eq!((answer.status(), answer.header("x-headroom-error")), (403, Some("explain_credential")));
}

#[tokio::test]
async fn to_come_from_this_machine_opens_no_record_by_default() {
    let rig = Rig::with(|settings| settings.explain = Some(explain::Config::default())).await;
    let id = asked(&rig, &request("Authorization: Bearer ours\r\n", &[&long_text()])).await;
    assert_eq!(fetch(&rig, &format!("/{id}"), LOCAL).await.status(), 404);
    assert_eq!(fetch(&rig, &format!("/{id}"), &format!("{LOCAL}Authorization: Bearer ours\r\n")).await.status(), 200);
}

#[tokio::test]
async fn records_make_room_for_later_ones_and_say_so() {
    let config = explain::Config { mib: 1, ..local() };
    let rig = Rig::with(|settings| settings.explain = Some(config)).await;
    let first = asked(&rig, &request("", &[&long_text()])).await;
    let mut last = String::new();
    for turn in 0..4 {
        last =
            asked(&rig, &request("X-Headroom-Mode: audit\r\n", &[&format!("{turn} {}", long_text().repeat(40))])).await;
    }
    assert_eq!(fetch(&rig, &format!("/{last}"), LOCAL).await.status(), 200);
    let answer = fetch(&rig, &format!("/{first}"), LOCAL).await;
    assert_eq!((answer.status(), answer.header("x-headroom-error")), (404, Some("explain_gone")));
    assert!(answer.text().contains("explain.mib"), "{}", answer.text());
}

#[tokio::test]
async fn a_page_shows_hostile_text_and_loads_nothing() {
    let rig = explaining().await;
    let text = format!("<script>alert(1)</script><img src=x> {}", long_text());
    let id = asked(&rig, &request("X-Headroom-Ratio: 4\r\n", &[&text])).await;
    let answer = fetch(&rig, &format!("/{id}?format=html"), LOCAL).await;
    assert!(answer.header("content-type").unwrap().starts_with("text/html"));
    assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    assert!(!answer.text().contains("<script") && !answer.text().contains("<img"));
    assert!(answer.text().contains("&lt;script&gt;") && answer.text().contains(&id));
    let lines = fetch(&rig, &format!("/{id}?format=text"), LOCAL).await;
    assert!(lines.text().contains("dropped") && !lines.text().contains('\u{1b}'));
    let odd = fetch(&rig, &format!("/{id}?format=pdf"), LOCAL).await;
    assert_eq!((odd.status(), odd.header("x-headroom-error")), (400, Some("bad_request")));
}

#[tokio::test]
async fn every_answer_names_its_request_by_an_id_of_its_own() {
    let rig = Rig::start().await;
    let mut ids = Vec::new();
    for request in [request("", &["short"]), post("/v1/embeddings", "{}"), post(PATH, "{")] {
        ids.push(asked(&rig, &request).await);
    }
    for page in ["health", "nothing", "explain", "explain/x"] {
        let mut client = rig.client().await;
        client.write(format!("GET /headroom/{page} HTTP/1.1\r\nHost: h\r\n\r\n")).await;
        ids.push(client.message().await.header("x-headroom-request-id").unwrap().to_owned());
    }
    let mut client = rig.client().await;
    client.write("GET /v1/x HTTP/1.1\r\nHost: h\r\n\r\n").await;
    drop(rig.accept().await);
    let failed = client.message().await;
    assert_eq!(failed.status(), 502);
    ids.push(failed.header("x-headroom-request-id").unwrap().to_owned());
    let all = ids.len();
    assert!(ids.iter().all(|id| id.len() == 32));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[tokio::test]
async fn an_audit_forwards_the_originals_and_sums_what_would_be_saved() {
    let rig = Rig::with(|settings| settings.proxy.mode = Mode::Audit).await;
    for texts in [vec![long_text()], vec![long_text(), "short".to_owned()], vec!["short".to_owned()]] {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let request = request("X-Headroom-Ratio: 4\r\n", &texts);
        let (got, _) = rig.exchange(request.as_bytes(), ok("{}").as_bytes()).await;
        assert_eq!(got.text(), request.split_once("\r\n\r\n").unwrap().1);
    }
    let mut client = rig.client().await;
    client.write("GET /headroom/audit HTTP/1.1\r\nHost: h\r\n\r\n").await;
    let answer = client.message().await;
    assert!(!answer.text().contains("committee"));
    let report = page(&answer);
    assert_eq!((&report["requests"], &report["passed"]["below_minimum"]), (&json!(3), &json!(1)));
    let sums = &report["groups"]["user"]["prose"];
    assert_eq!((&sums["texts"], &sums["condensed"], &report["known"]), (&json!(2), &json!(2), &json!(1)));
    assert!(sums["tokens_after"].as_u64().unwrap() * 2 < sums["tokens_before"].as_u64().unwrap());
    let (status, shown, _) = headroom(&["audit", "--url", &format!("http://{}", rig.proxy)]).await;
    assert!(status && shown.contains("audited since the start: 3 requests"), "{shown}");
}

#[tokio::test]
async fn the_command_line_explains_and_restores() {
    let rig = explaining().await;
    let url = format!("http://{}", rig.proxy);
    let odd = format!("\u{feff}\u{0} e\u{301}\u{202e}日本 👩‍👩‍👧 \u{1b}[2J \r\n\t {}\n\n ", long_text());
    let id = asked(&rig, &request("X-Headroom-Ratio: 4\r\n", &[&odd, &long_text()])).await;
    let (_, listed, _) = headroom(&["explain", "--url", &url]).await;
    assert!(listed.contains(&id), "{listed}");
    let (status, told, _) = headroom(&["explain", &id, "--url", &url]).await;
    assert!(status && told.contains("dropped") && !told.contains('\u{1b}'), "{told}");
    let (_, page, _) = headroom(&["explain", &id, "--url", &url, "--html", "-"]).await;
    assert!(page.starts_with("<!doctype html>"));
    let (status, original, _) = headroom(&["restore", &id, "--url", &url, "--slot", "0"]).await;
    assert!(status && original.as_bytes() == odd.as_bytes());
    // From a saved record, without the proxy.
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (_, json, _) = headroom(&["explain", &id, "--url", &url, "--json"]).await;
    std::fs::write(path("record.json"), json).unwrap();
    let (status, ..) =
        headroom(&["restore", "--record", &path("record.json"), "--slot", "0", "-o", &path("text")]).await;
    assert!(status && std::fs::read(path("text")).unwrap() == odd.as_bytes());
    // What cannot be done is said, with what to do.
    for (arguments, said) in [
        (vec!["restore", &id, "--url", &url], "--slot 1: message 1 (user)"),
        (vec!["explain", "0123456789abcdef", "--url", &url], "remedy: `headroom explain` without an id"),
        (vec!["explain", "../metrics", "--url", &url], "x-headroom-request-id"),
        (vec!["audit", "--url", &url], "--mode audit"),
        (vec!["explain", "--url", "http://127.0.0.1:1"], "no proxy answers at http://127.0.0.1:1\n  remedy: "),
    ] {
        let (status, _, told) = headroom(&arguments).await;
        assert!(!status && told.contains(said), "{arguments:?}: {told}");
    }
}

#[tokio::test]
async fn a_recorded_conversation_is_summed_at_each_ratio() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/conversation/support-agent.jsonl");
    let (status, json, told) = headroom(&["audit", file, "--no-model", "--ratio", "auto,4", "--json"]).await;
    assert!(status, "{told}");
    let accounts: Value = serde_json::from_str(&json).unwrap();
    for (account, ratio) in accounts.as_array().unwrap().iter().zip(["auto", "4"]) {
        assert_eq!((&account["ratio"], &account["report"]["requests"]), (&json!(ratio), &json!(6)));
        assert_eq!((&account["replay"]["continued"], &account["replay"]["stable"]), (&json!(5), &json!(5)));
        let total = |side: &str| -> u64 {
            let groups = account["report"]["groups"].as_object().unwrap().values();
            groups.flat_map(|group| group.as_object().unwrap().values()).map(|sums| sums[side].as_u64().unwrap()).sum()
        };
        assert!(total("tokens_after") < total("tokens_before"), "{account}");
    }
    let (_, table, _) = headroom(&["audit", file, "--no-model", "--ratio", "4", "--price-per-million", "2.5"]).await;
    assert!(table.contains("ratio 4: 6 requests") && table.contains("money") && !table.contains("customer"), "{table}");
    let (status, _, told) = headroom(&["audit", concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"), "--no-model"]).await;
    assert!(!status && told.contains("line 1 of") && told.contains("remedy"), "{told}");
}

#[tokio::test]
async fn the_verdict_of_a_check_is_told_also_when_it_comes_late() {
    for mode in [fidelity::Mode::Inline, fidelity::Mode::Background] {
        let checker = Checker::start(Behaviour::Contradicts).await;
        let config = checker.config(mode);
        let rig = Rig::with(|settings| {
            settings.fidelity = config;
            settings.policy.style = Style::Telegram;
            settings.explain = Some(local());
        })
        .await;
        let id = asked(&rig, &request("X-Headroom-Ratio: 4\r\n", &[&doubtful_text()])).await;
        let told = soon(async {
            loop {
                let record = record(&rig, &id).await;
                if record["slots"][0]["fidelity"]["state"] == "flagged" {
                    break record["slots"][0]["fidelity"].clone();
                }
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert!(told["findings"].as_array().is_some_and(|findings| !findings.is_empty()), "{told}");
        let page = fetch(&rig, &format!("/{id}?format=html"), LOCAL).await;
        assert!(page.text().contains("Fidelity check: <b>flagged</b>"));
    }
}

/// Runs the program: whether it succeeded, its output, what it said on standard error.
async fn headroom(arguments: &[&str]) -> (bool, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_headroom"));
    command.args(arguments).current_dir(folder.path()).env_clear().env("HOME", folder.path());
    // The proxy under test runs on this thread.
    let output = soon(tokio::task::spawn_blocking(move || command.output())).await.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}
