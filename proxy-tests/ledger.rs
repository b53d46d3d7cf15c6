//! The figures of requests: a day of scripted traffic whose sums are known is reported as it was, on every surface,
//! streamed or not, coded or plain; and who is left alone stays so.

mod reads;

use std::{io::Write as _, path::Path, process::Command, sync::Arc};

use headroom::{
    ledger::{self, Arm, By, Named, Price, Query, Report, Sums},
    proxy::clients::Client,
};
use serde_json::{Value, json};

use crate::{
    socket::{self, heard, said},
    support::{Conn, Rig, long_text, post},
};

const PATHS: [&str; 3] = ["/v1/chat/completions", "/v1/responses", "/v1/messages"];

/// What a provider says of one request.
#[derive(Clone, Copy, Default)]
struct Told {
    prompt: u64,
    cached: u64,
    written: u64,
    completion: u64,
}

/// What one request came to, as the test knows it.
#[derive(Clone, Default)]
struct Truth {
    model: &'static str,
    surface: &'static str,
    tenant: &'static str,
    told: Option<Told>,
    before: u64,
    after: u64,
    failed: bool,
}

impl Truth {
    /// Dollars for a million: fresh, cached, written, answer; as in the table of list prices.
    fn prices(&self) -> Option<[i64; 4]> {
        match self.model {
            "gpt-4.1-mini" => Some([400, 100, 400, 1600]),
            "gpt-6.1-sol" => Some([2000, 100, 2500, 10_000]),
            "claude-haiku-4-5-20251001" => Some([1000, 100, 1250, 5000]),
            _ => None,
        }
    }

    fn paid(&self) -> i64 {
        let (Some([fresh, cached, written, answer]), Some(told)) = (self.prices(), self.told) else { return 0 };
        let rest = (told.prompt - told.cached - told.written) as i64;
        rest * fresh + told.cached as i64 * cached + told.written as i64 * written + told.completion as i64 * answer
    }

    /// The script has every prompt wholly cached, wholly written or wholly fresh, so the place of a text does not matter.
    fn saved(&self) -> i64 {
        let (Some([fresh, cached, written, _]), Some(told)) = (self.prices(), self.told) else { return 0 };
        let price = match told {
            told if told.cached == told.prompt => cached,
            told if told.written == told.prompt => written,
            _ => fresh,
        };
        (self.before - self.after) as i64 * price
    }
}

fn body(path: &str, model: &str, turn: usize, stream: bool) -> String {
    let log = |of: &str| long_text().replace("committee", &format!("committee of {of} in {turn}"));
    let (seen, said) = (log("lookers"), format!("What was decided in turn {turn}?"));
    let turns = match path {
        "/v1/chat/completions" => json!([
            {"role": "user", "content": said},
            {"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "1", "content": seen},
        ]),
        "/v1/responses" => json!([
            {"role": "user", "content": said},
            {"type": "function_call", "call_id": "1", "name": "look", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "1", "output": seen},
        ]),
        _ => json!([
            {"role": "user", "content": said},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "look", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": seen}]},
        ]),
    };
    let list = if path == "/v1/responses" { "input" } else { "messages" };
    json!({"model": model, "max_tokens": 9, "stream": stream, list: turns}).to_string()
}

/// An answer of a provider, with what it costs where it says so.
fn answer(path: &str, told: Option<Told>, stream: bool) -> String {
    let Told { prompt, cached, written, completion } = told.unwrap_or_default();
    let text = "An answer that says \"usage\": {\"prompt_tokens\": 1} by itself. ".repeat(400);
    let usage = match path {
        "/v1/chat/completions" => json!({"prompt_tokens": prompt, "completion_tokens": completion,
            "prompt_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written}}),
        "/v1/responses" => json!({"input_tokens": prompt, "output_tokens": completion,
            "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written}}),
        _ => json!({"input_tokens": prompt - cached - written, "output_tokens": completion,
            "cache_read_input_tokens": cached, "cache_creation_input_tokens": written}),
    };
    let usage = told.map_or(Value::Null, |_| usage);
    if !stream {
        return match path {
            "/v1/chat/completions" => json!({"id": "c", "choices": [{"message": {"content": text}}], "usage": usage}),
            "/v1/responses" => json!({"id": "resp_1", "output": [{"content": text}], "usage": usage, "metadata": {}}),
            _ => json!({"id": "m", "content": [{"type": "text", "text": text}], "usage": usage}),
        }
        .to_string();
    }
    let events = match path {
        "/v1/chat/completions" => vec![
            json!({"choices": [{"delta": {"content": text}}], "usage": null}),
            json!({"choices": [], "usage": usage}),
        ],
        "/v1/responses" => vec![
            json!({"type": "response.created", "response": {"id": "resp_1", "usage": null}}),
            json!({"type": "response.output_text.delta", "delta": text}),
            json!({"type": "response.completed", "response": {"id": "resp_1", "usage": usage, "metadata": {}}}),
        ],
        _ => {
            let mut start = usage.clone();
            if let Some(start) = start.as_object_mut() {
                start.insert("output_tokens".to_owned(), 1.into());
            }
            vec![
                json!({"type": "message_start", "message": {"id": "m", "usage": start}}),
                json!({"type": "content_block_delta", "delta": {"text": text}}),
                json!({"type": "message_delta", "usage": told.map(|told| json!({"output_tokens": told.completion}))}),
                json!({"type": "message_stop"}),
            ]
        }
    };
    let mut out: String = events.iter().map(|event| format!("event: x\ndata: {event}\n\n")).collect();
    if path == "/v1/chat/completions" {
        out.push_str("data: [DONE]\n\n");
    }
    out
}

fn coded(coding: &str, plain: &str) -> Vec<u8> {
    match coding {
        "gzip" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(plain.as_bytes()).unwrap();
            encoder.finish().unwrap()
        }
        _ => plain.as_bytes().to_vec(),
    }
}

/// One request of the script: sent, answered, and what it came to.
async fn exchange(
    rig: &Rig,
    (path, stream, coding): (&str, bool, &str),
    request: &str,
    told: Option<Told>,
) -> (u64, u64) {
    let kind = if stream { "text/event-stream" } else { "application/json" };
    let encoding = if coding.is_empty() { String::new() } else { format!("Content-Encoding: {coding}\r\n") };
    let coded = coded(coding, &answer(path, told, stream));
    let mut bytes =
        format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{encoding}Content-Length: {}\r\n\r\n", coded.len())
            .into_bytes();
    bytes.extend_from_slice(&coded);
    let (_, got) = rig.exchange(request.as_bytes(), &bytes).await;
    assert_eq!(got.body, coded, "the answer passes as it came");
    let figure = |name: &str| got.header(name).map_or(0, |value| value.parse().unwrap());
    (figure("x-headroom-tokens-before"), figure("x-headroom-tokens-after"))
}

async fn rig(folder: &Path, holdout: f64) -> Rig {
    let client = |name: &str, key: &str| Client { name: name.into(), keys: vec![key.into()], ..Client::default() };
    let ledger = ledger::Config {
        file: folder.join("ledger.sqlite").display().to_string(),
        holdout,
        prices: vec![Price { model: Named::One("never-asked*".into()), input: 1.0, output: 1.0, ..Price::default() }],
        ..ledger::Config::default()
    };
    Rig::with(|settings| {
        settings.ledger = ledger;
        settings.clients = vec![client("search", "env:SEARCH"), client("ops", "env:OPS")];
        settings.policy.ratio = "4".parse().unwrap();
    })
    .await
}

/// What is in the file once everything has ended.
async fn reported(mut rig: Rig, folder: &Path, by: &[By]) -> Report {
    let ledger = Arc::clone(&rig.ledger);
    rig.stop();
    rig.stopped().await;
    ledger.flush();
    assert_eq!(ledger.lost(), 0);
    let query = Query { since_s: 0, by: by.to_vec() };
    ledger::read(&folder.join("ledger.sqlite"), &query).unwrap()
}

fn sum(truth: &[Truth], of: impl Fn(&Truth) -> bool) -> Sums {
    let mut sums = Sums::default();
    for one in truth.iter().filter(|one| of(one)) {
        let Told { prompt, cached, written, completion } = one.told.unwrap_or_default();
        let priced = one.told.is_some() && one.prices().is_some();
        sums.requests += 1;
        sums.failed += u64::from(one.failed);
        sums.told += u64::from(one.told.is_some());
        sums.priced += u64::from(priced);
        sums.prompt += prompt;
        sums.cached += cached;
        sums.written += written;
        sums.completion += completion;
        sums.before += one.before;
        sums.after += one.after;
        sums.paid_nano += one.paid();
        sums.saved_nano += one.saved();
        sums.unpriced_prompt += if priced { 0 } else { prompt };
    }
    sums
}

/// The sums without what the script does not reckon for itself.
fn bare(sums: &Sums) -> Sums {
    Sums { of: Vec::new(), billed: 0, texts: 0, condensed: 0, ..sums.clone() }
}

async fn a_day(rig: &Rig) -> Vec<Truth> {
    let mut truth = Vec::new();
    let models = ["gpt-4.1-mini", "gpt-6.1-sol", "claude-haiku-4-5-20251001", "a-model-of-our-own"];
    let surfaces = ["chat_completions", "responses", "messages"];
    for turn in 0..48 {
        let (path, surface) = (PATHS[turn % 3], surfaces[turn % 3]);
        let (model, stream, coding) = (models[turn / 3 % 4], turn % 2 == 0, ["", "gzip"][turn / 4 % 2]);
        let (tenant, key) = [("search", "SEARCH-key"), ("ops", "OPS-key"), ("", "another")][turn / 2 % 3];
        let prompt = 5000 + 13 * turn as u64;
        let told = match turn % 8 {
            7 => None,
            0 | 3 => Some(Told { prompt, cached: prompt, completion: 11, ..Told::default() }),
            2 => Some(Told { prompt, written: prompt, completion: 300, ..Told::default() }),
            _ => Some(Told { prompt, completion: turn as u64, ..Told::default() }),
        };
        let request = post(path, &body(path, model, turn, stream));
        let request = request.replacen("Host: h\r\n", &format!("Host: h\r\nAuthorization: Bearer {key}\r\n"), 1);
        let (before, after) = exchange(rig, (path, stream, coding), &request, told).await;
        assert!(before > after, "turn {turn}: {before} -> {after}");
        truth.push(Truth { model, surface, tenant, told, before, after, failed: false });
    }
    truth
}

/// A request over a WebSocket.
async fn over_a_socket(rig: &Rig) -> Truth {
    let (mut client, mut server, _) = socket::open(rig, "", "").await;
    let mut create: Value = serde_json::from_str(&body("/v1/responses", "gpt-6.1-sol", 900, false)).unwrap();
    create["type"] = "response.create".into();
    let text = create["input"][2]["output"].as_str().unwrap().to_owned();
    client.write(said(0x81, create.to_string())).await;
    let (_, got) = heard(&mut server).await;
    let got: Value = serde_json::from_slice(&got).unwrap();
    let shorter = got["input"][2]["output"].as_str().unwrap();
    let told = Told { prompt: 700, completion: 5, ..Told::default() };
    let done = answer("/v1/responses", Some(told), true);
    for line in done.lines().filter_map(|line| line.strip_prefix("data: ")) {
        let frame = socket::frame(0x81, line.as_bytes(), None);
        server.write(&frame).await;
        client.read(frame.len()).await;
    }
    let count = |text: &str| {
        headroom::compress::CountTokens::count(&headroom::compress::Encoding::of_model("gpt-6.1-sol"), text)
    };
    let (before, after) = (count(&text) as u64, count(shorter) as u64);
    Truth { model: "gpt-6.1-sol", surface: "responses", tenant: "", told: Some(told), before, after, failed: false }
}

#[tokio::test]
async fn a_day_of_traffic_is_reported_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let rig = rig(folder.path(), 0.0).await;
    let mut truth = a_day(&rig).await;
    truth.push(over_a_socket(&rig).await);
    // A refused request costs nothing and is counted, a count of tokens is no request, and what is not looked at is not here.
    let refused = b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    let (_, got) = rig.exchange(post(PATHS[0], &body(PATHS[0], "gpt-4.1-mini", 901, false)).as_bytes(), refused).await;
    let figure = |name: &str| got.header(name).unwrap().parse().unwrap();
    let (before, after) = (figure("x-headroom-tokens-before"), figure("x-headroom-tokens-after"));
    let failed =
        Truth { model: "gpt-4.1-mini", surface: "chat_completions", before, after, failed: true, ..Truth::default() };
    truth.push(failed);
    // One with nothing long in it costs all the same.
    let short = json!({"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "Hi."}]}).to_string();
    let told = Told { prompt: 40, completion: 2, ..Told::default() };
    let figures = exchange(&rig, (PATHS[0], false, ""), &post(PATHS[0], &short), Some(told)).await;
    assert_eq!(figures, (0, 0));
    truth.push(Truth { model: "gpt-4.1-mini", surface: "chat_completions", told: Some(told), ..Truth::default() });
    let counted = post("/v1/messages/count_tokens", &body("/v1/messages", "claude-haiku-4-5-20251001", 902, false));
    rig.exchange(counted.as_bytes(), crate::support::ok("{\"input_tokens\": 9}").as_bytes()).await;

    let report = reported(rig, folder.path(), &[By::Model, By::Surface, By::Tenant]).await;
    assert_eq!(bare(&report.total), sum(&truth, |_| true));
    let mut rows = 0;
    for row in &report.rows {
        let [model, surface, tenant] = row.of.as_slice() else { panic!("{row:?}") };
        let expected = sum(&truth, |one| one.model == model && one.surface == surface && one.tenant == tenant);
        assert_eq!(bare(row), expected, "{model} {surface} {tenant}");
        rows += expected.requests;
    }
    assert_eq!(rows, truth.len() as u64);
    told_at_the_command_line(folder.path(), &truth);
}

/// The real command says the same, and nothing of what was said.
fn told_at_the_command_line(folder: &Path, truth: &[Truth]) {
    let file = folder.join("ledger.sqlite");
    let run = |more: &[&str]| {
        let done =
            Command::new(env!("CARGO_BIN_EXE_headroom")).arg("report").arg("--file").arg(&file).args(more).output();
        let done = done.unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    let whole = sum(truth, |_| true);
    let report: Value = serde_json::from_str(&run(&["--json", "--by", "tool,kind"])).unwrap();
    let rows = report["rows"].as_array().unwrap();
    let field = |name: &str| -> u64 { rows.iter().map(|row| row[name].as_u64().unwrap()).sum() };
    assert_eq!((field("before"), field("after")), (whole.before, whole.after));
    assert_eq!(rows.iter().map(|row| row["saved_nano"].as_i64().unwrap()).sum::<i64>(), whole.saved_nano);
    assert!(rows.iter().any(|row| row["of"][0] == "look"), "{report}");
    let csv = run(&["--csv", "--by", "model", "--since", "24h"]);
    let column = csv.lines().next().unwrap().split(',').position(|name| name == "prompt_tokens").unwrap();
    let prompts = csv.lines().skip(1).map(|line| line.split(',').nth(column).unwrap().parse::<u64>().unwrap());
    assert_eq!(prompts.sum::<u64>(), whole.prompt);
    let text = run(&["--by", "tenant"]);
    for said in ["list prices of", "1 of your own", "no price ", "not told ", "failed     1 of 51"] {
        assert!(text.contains(said), "{said} in\n{text}");
    }
    let bytes = std::fs::read(&file).unwrap();
    for secret in ["SEARCH-key", "committee", "What was decided"] {
        assert!(memchr::memmem::find(&bytes, secret.as_bytes()).is_none(), "{secret}");
    }
}

/// A conversation of `turns` requests over one surface; whether all, or none, of its texts were condensed.
async fn conversation(rig: &Rig, name: &str, turns: usize, cost: u64) -> bool {
    // Just long enough to be worth a look.
    let text = long_text()[..1800].replace("committee", &format!("committee {name}"));
    let mut messages = vec![json!({"role": "user", "content": format!("{name}: what was decided? {text}")})];
    let mut condensed = Vec::new();
    for turn in 0..turns {
        let body = json!({"model": "gpt-4.1-mini", "messages": messages}).to_string();
        let told = Told { prompt: cost, completion: 10, ..Told::default() };
        let reply = answer(PATHS[0], Some(told), false);
        let reply = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{reply}",
            reply.len()
        );
        let (got, back) = rig.exchange(post(PATHS[0], &body).as_bytes(), reply.as_bytes()).await;
        let outcome = back.header("x-headroom-outcome").unwrap().to_owned();
        condensed.push(got.text() != body);
        assert_eq!(condensed[turn], outcome.starts_with("compressed"), "{outcome}");
        assert!(condensed[turn] || outcome == "unchanged; reason=holdout", "{outcome}");
        messages.push(json!({"role": "assistant", "content": "It was."}));
        messages.push(json!({"role": "user", "content": format!("and in turn {turn}? {text}")}));
    }
    assert!(condensed.iter().all(|one| *one == condensed[0]), "{name} changed its arm: {condensed:?}");
    condensed[0]
}

#[tokio::test]
async fn a_conversation_that_is_left_alone_stays_so_and_a_planted_regression_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let rig = rig(folder.path(), 0.5).await;
    let (mut condensed, mut held_out) = (0, 0);
    let first = rig_arms(&rig, 0..4).await;
    for at in 0..80 {
        // Those that are condensed cost less a turn, and take two turns more.
        let name = format!("conversation {at}");
        let is_condensed = probe(&rig, &name).await;
        let (turns, cost) = if is_condensed { (3 + at % 2, 900) } else { (1 + at % 2, 2000 + at as u64) };
        assert_eq!(conversation(&rig, &name, turns, cost).await, is_condensed);
        *(if is_condensed { &mut condensed } else { &mut held_out }) += 1;
    }
    assert_eq!(rig_arms(&rig, 0..4).await, first);
    let report = reported(rig, folder.path(), &[By::Arm]).await;
    let comparison = report.comparison.unwrap();
    assert_eq!(comparison.condensed + comparison.held_out, condensed + held_out + 4);
    let turns = comparison.measures.iter().find(|measure| measure.name == "turns").unwrap();
    assert_eq!(turns.change, ledger::Change::Worse, "{comparison:#?}");
    assert!(matches!(comparison.verdict, ledger::Verdict::Worse | ledger::Verdict::Mixed), "{comparison:#?}");
    let arms: Vec<_> = report.rows.iter().map(|row| row.of[0].as_str()).collect();
    assert_eq!(arms, [Arm::Condensed.as_str(), Arm::HeldOut.as_str()]);
    let held = report.rows.iter().find(|row| row.of[0] == "held_out").unwrap();
    assert_eq!((held.before, held.after, held.saved_nano), (0, 0, 0), "nothing of it is counted as saved");
}

async fn rig_arms(rig: &Rig, which: std::ops::Range<usize>) -> Vec<bool> {
    let mut arms = Vec::new();
    for at in which {
        arms.push(conversation(rig, &format!("first {at}"), 1, 1000).await);
    }
    arms
}

/// Whether a conversation will be condensed, told by its first turn.
async fn probe(rig: &Rig, name: &str) -> bool {
    conversation(rig, name, 1, 1000).await
}

#[tokio::test]
async fn whoever_says_what_is_to_be_done_is_not_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let rig = rig(folder.path(), 0.5).await;
    for at in 0..8 {
        let body = body(PATHS[0], "gpt-4.1-mini", at, false);
        let request = post(PATHS[0], &body).replacen("Host: h\r\n", "Host: h\r\nX-Headroom-Mode: compress\r\n", 1);
        let (got, _) = rig.exchange(request.as_bytes(), crate::support::ok("{}").as_bytes()).await;
        assert_ne!(got.text(), body);
    }
    assert_eq!(reported(rig, folder.path(), &[]).await.comparison, None);
}

#[tokio::test]
async fn a_conversation_over_stored_responses_stays_in_its_arm() {
    let folder = tempfile::tempdir().unwrap();
    let rig = rig(folder.path(), 0.5).await;
    for at in 0..6 {
        let mut arms = Vec::new();
        let mut previous: Option<String> = None;
        for turn in 0..3 {
            let text = long_text().replace("committee", &format!("committee {at} {turn}"));
            let input = json!([{"role": "user", "content": format!("conversation {at}, turn {turn}? {text}")}]);
            let body = json!({"model": "gpt-6.1-sol", "input": input, "previous_response_id": previous}).to_string();
            let id = format!("resp_{at}_{turn}");
            let reply =
                json!({"id": id, "output": [], "usage": {"input_tokens": 1000, "output_tokens": 1}}).to_string();
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
            let reply = format!("{head}Content-Length: {}\r\n\r\n{reply}", reply.len());
            let mut client = rig.client().await;
            client.write(post(PATHS[1], &body)).await;
            let mut upstream: Conn = rig.accept().await;
            let got = upstream.message().await;
            upstream.write(reply).await;
            client.message().await;
            arms.push(got.text() != body);
            previous = Some(id);
        }
        assert!(arms.iter().all(|arm| *arm == arms[0]), "{at}: {arms:?}");
    }
}

#[tokio::test]
async fn a_file_that_another_process_holds_costs_no_request_and_no_figure() {
    let folder = tempfile::tempdir().unwrap();
    let rig = rig(folder.path(), 0.0).await;
    let held = rusqlite::Connection::open(folder.path().join("ledger.sqlite")).unwrap();
    held.execute_batch("BEGIN IMMEDIATE").unwrap();
    for turn in 0..5 {
        let request = post(PATHS[0], &body(PATHS[0], "gpt-4.1-mini", turn, false));
        exchange(&rig, (PATHS[0], false, ""), &request, Some(Told { prompt: 100, ..Told::default() })).await;
    }
    assert_eq!(held.query_row("SELECT count(*) FROM requests", [], |row| row.get::<_, i64>(0)), Ok(0));
    held.execute_batch("ROLLBACK").unwrap();
    let report = reported(rig, folder.path(), &[]).await;
    assert_eq!((report.total.requests, report.total.prompt), (5, 500));
}
