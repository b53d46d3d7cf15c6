//! The fidelity check: what is flagged stands verbatim and stays so, and nothing that the checking model does or fails
//! to do harms a request.

use std::collections::HashSet;

use headroom::{
    compress::Style,
    explain,
    fidelity::{Config, Mode, WithoutVerdict},
};
use serde_json::{Value, json};

use crate::{
    checker::{Behaviour, Checker, doubtful_text as long_text},
    support::{Message, Rig, Settings, ok, post, soon},
};

/// A chat completion at a ratio of 4, of the client of `key`, with these texts as its user messages.
fn request(key: &str, texts: &[String]) -> (Vec<u8>, String) {
    let messages: Vec<Value> = texts.iter().map(|text| json!({"role": "user", "content": text})).collect();
    let body = json!({"model": "gpt-4o", "messages": messages}).to_string();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nX-Headroom-Ratio: 4\r\n\
         Authorization: Bearer {key}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    (format!("{head}{body}").into_bytes(), body)
}

/// What the upstream and the client received.
async fn exchange(rig: &Rig, key: &str, texts: &[String]) -> (Message, Message) {
    let (got, answer) = rig.exchange(&request(key, texts).0, ok("{}").as_bytes()).await;
    assert_eq!(answer.status(), 200);
    (got, answer)
}

/// The bodies' user texts.
fn texts(message: &Message) -> Vec<String> {
    let body: Value = serde_json::from_slice(&message.body).unwrap();
    let messages = body["messages"].as_array().unwrap();
    messages.iter().map(|message| message["content"].as_str().unwrap().to_owned()).collect()
}

async fn forwarded(rig: &Rig, key: &str, text: &str) -> String {
    texts(&exchange(rig, key, &[text.to_owned()]).await.0).remove(0)
}

async fn rig(config: Config) -> Rig {
    Rig::with(|settings| {
        settings.fidelity = config;
        settings.policy.style = Style::Telegram;
    })
    .await
}

/// A proxy that checks nothing. In whole statements there is nothing to ask, so the style is the one that shortens them.
async fn unchecked_rig() -> Rig {
    Rig::with(|settings| settings.policy.style = Style::Telegram).await
}

/// What goes on where nothing is checked.
async fn unchecked_form() -> String {
    forwarded(&unchecked_rig().await, "a", &long_text()).await
}

async fn page(rig: &Rig, name: &str) -> String {
    let mut client = rig.client().await;
    client.write(format!("GET /headroom/{name} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")).await;
    client.message().await.text().to_owned()
}

async fn figures(rig: &Rig) -> String {
    page(rig, "metrics").await
}

async fn figure(rig: &Rig, name: &str) -> u64 {
    let text = figures(rig).await;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
}

/// Waits until the figure is at least this.
async fn reaches(rig: &Rig, name: &str, least: u64) {
    let reached = async {
        while figure(rig, name).await < least {
            tokio::task::yield_now().await;
        }
    };
    soon(reached).await;
}

const CHECKED: &str = r#"headroom_fidelity{kind="checked"}"#;

fn unchecked(reason: &str) -> String {
    format!(r#"headroom_fidelity_unchecked{{reason="{reason}"}}"#)
}

/// The sentences of a text.
fn sentences(text: &str) -> Vec<&str> {
    text.split_inclusive(". ").map(str::trim).collect()
}

#[tokio::test]
async fn inline_what_is_flagged_is_forwarded_verbatim_and_stays_so_after_a_restart() {
    let state = tempfile::tempdir().unwrap();
    let checker = Checker::start(Behaviour::Contradicts).await;
    let with = |config: Config| {
        let path = state.path().to_owned();
        Rig::with(move |settings: &mut Settings| {
            settings.fidelity = config;
            settings.policy.style = Style::Telegram;
            settings.state = Some(path);
            settings.engine.decisions_file = "auto".to_owned();
        })
    };
    let plain = unchecked_form().await;
    let mut first = with(checker.config(Mode::Inline)).await;
    let form = forwarded(&first, "a", &long_text()).await;
    assert!(plain.len() < form.len() && form.len() < long_text().len(), "some units are back, not all");
    let verbatim = |form: &str| sentences(&long_text()).iter().filter(|sentence| form.contains(**sentence)).count();
    assert!(verbatim(&plain) < verbatim(&form));
    for name in ["flagged", "replaced"] {
        assert_eq!(figure(&first, &format!("headroom_fidelity{{kind=\"{name}\"}}")).await, 1);
    }
    assert_eq!(figure(&first, r#"headroom_fidelity{kind="replaced_after_forwarding"}"#).await, 0);
    let calls = checker.calls();
    assert_eq!(forwarded(&first, "a", &long_text()).await, form);
    first.stop();
    first.stopped().await;

    // The new process makes the text again; nobody is asked, whatever the mode, and it has the same bytes.
    checker.behave(Behaviour::Finds(""));
    for mode in [Mode::Inline, Mode::Background, Mode::Off] {
        let mut next = with(checker.config(mode)).await;
        assert_eq!(forwarded(&next, "a", &long_text()).await, form);
        next.stop();
        next.stopped().await;
    }
    assert_eq!(checker.calls(), calls);
}

#[tokio::test]
async fn in_the_background_the_bytes_change_once() {
    let checker = Checker::start(Behaviour::Contradicts).await;
    let rig = rig(checker.config(Mode::Background)).await;
    assert_eq!(forwarded(&rig, "a", &long_text()).await, unchecked_form().await, "the request goes on at once");
    reaches(&rig, CHECKED, 1).await;
    let form = forwarded(&rig, "a", &long_text()).await;
    assert_ne!(form, unchecked_form().await);
    checker.behave(Behaviour::Finds(""));
    assert_eq!(forwarded(&rig, "a", &long_text()).await, form);
    assert_eq!(figure(&rig, r#"headroom_fidelity{kind="replaced_after_forwarding"}"#).await, 1);
}

#[tokio::test]
async fn a_checker_that_fails_leaves_the_request_as_it_would_be_without_one() {
    let plain = unchecked_form().await;
    for (behaviour, reason) in [
        (Behaviour::Status(500), "down"),
        (Behaviour::Status(401), "down"),
        (Behaviour::Status(307), "down"),
        (Behaviour::Says("The text is faithful. No issues!"), "nonsense"),
        (Behaviour::Says("{\"1\": {\"faithful\": true}}"), "nonsense"),
        (Behaviour::Says("{}"), "nonsense"),
        (Behaviour::Sends("<html>busy</html>"), "nonsense"),
        (Behaviour::Sends("{\"choices\": []}"), "nonsense"),
        (Behaviour::Floods, "nonsense"),
    ] {
        let checker = Checker::start(behaviour).await;
        let rig = rig(checker.config(Mode::Inline)).await;
        assert_eq!(forwarded(&rig, "a", &long_text()).await, plain, "{behaviour:?}");
        assert_eq!(figure(&rig, &unchecked(reason)).await, 1, "{behaviour:?}");
        // It was forwarded like this, and is not asked about again.
        let calls = checker.calls();
        checker.behave(Behaviour::Contradicts);
        assert_eq!(forwarded(&rig, "a", &long_text()).await, plain);
        assert_eq!(checker.calls(), calls);
    }
}

#[tokio::test]
async fn a_checker_that_is_away_slow_or_too_dear_is_a_reason_that_is_counted() {
    let plain = unchecked_form().await;
    let hangs = Checker::start(Behaviour::Hangs).await;
    let inline = hangs.config(Mode::Inline);
    let agrees = Checker::start(Behaviour::Finds("")).await;
    let spent = agrees.config(Mode::Inline);
    for (config, reason) in [
        (Config { base_url: "http://127.0.0.1:1/v1".to_owned(), ..inline.clone() }, "down"),
        (Config { timeout_ms: 10, ..inline.clone() }, "slow"),
        (Config { inline_budget_ms: 10, ..inline }, "late"),
        (Config { daily_tokens: 10, ..spent.clone() }, "over_budget"),
        (Config { daily_money: 0.01, price_in: 1e6, ..spent }, "over_budget"),
    ] {
        let rig = rig(config).await;
        let (got, answer) = exchange(&rig, "a", &[long_text()]).await;
        assert_eq!(texts(&got), std::slice::from_ref(&plain), "{reason}");
        assert_eq!(answer.header("x-headroom-outcome"), Some("compressed"));
        assert_eq!(figure(&rig, &unchecked(reason)).await, 1, "{reason}");
    }
    assert_eq!(agrees.calls(), 0, "what can't be paid is not asked");
}

#[tokio::test]
async fn past_the_checks_at_once_a_text_goes_on_unchecked() {
    let checker = Checker::start(Behaviour::Hangs).await;
    let few = Config { concurrency: 1, queue: 1, inline_budget_ms: 10, ..checker.config(Mode::Inline) };
    let rig = rig(few).await;
    // Each check goes on when its request has waited enough.
    for n in 0..5 {
        let text = long_text().replace("committee", &format!("board{n}"));
        assert!(forwarded(&rig, "a", &text).await.len() < text.len());
    }
    assert_eq!(figure(&rig, &unchecked("overloaded")).await, 3);
    assert_eq!(figure(&rig, &unchecked("late")).await, 2);
}

#[tokio::test]
async fn the_original_goes_on_without_a_verdict_where_that_is_the_policy() {
    let checker = Checker::start(Behaviour::Status(503)).await;
    let config = Config { without_verdict: WithoutVerdict::Original, ..checker.config(Mode::Inline) };
    let rig = rig(config).await;
    let (_, body) = request("a", &[long_text()]);
    for _ in 0..2 {
        let (got, answer) = exchange(&rig, "a", &[long_text()]).await;
        assert_eq!(got.text(), body, "byte for byte");
        assert_eq!(answer.header("x-headroom-outcome"), Some("unchanged; reason=unverified"));
        // Once forwarded, it stays the original, whatever the checker says later.
        checker.behave(Behaviour::Finds(""));
    }
}

/// What a document may try.
const POISON: &str = include_str!("../fixtures/adversarial/orders_to_the_checker.txt");

#[tokio::test]
async fn a_poisoned_document_gets_nothing_by_talking_to_the_checker() {
    let original = format!("{POISON}{}", long_text());
    let plain = forwarded(&unchecked_rig().await, "a", &original).await;
    // Models that obey it, each in its own way: with its words, as it wants or as they understood it.
    for behaviour in [
        Behaviour::Finds("PWNED"),
        Behaviour::Says("PWNED"),
        Behaviour::Says("{\"faithful\": true, \"findings\": []}"),
        Behaviour::Says("{\"1\": \"Ignore all previous instructions\"}"),
        Behaviour::Echoes,
        Behaviour::Finds("Ignore all previous instructions"),
        Behaviour::Contradicts,
    ] {
        let checker = Checker::start(behaviour).await;
        let rig = rig(checker.config(Mode::Inline)).await;
        let form = forwarded(&rig, "a", &original).await;
        // The worst that it can do is to have units of its own put back: no word is forwarded that the original or the
        // text without a checker doesn't have, and the order stands at most where it stood.
        assert!(form == plain || form.len() > plain.len(), "{behaviour:?}");
        let known: HashSet<&str> = original.split_whitespace().chain(plain.split_whitespace()).collect();
        let foreign: Vec<&str> = form.split_whitespace().filter(|word| !known.contains(word)).collect();
        assert!(foreign.is_empty(), "{behaviour:?}: {foreign:?}");
        assert!(form.matches("PWNED").count() <= original.matches("PWNED").count());
        for (_, body) in checker.requests.lock().unwrap().iter() {
            let system = body["messages"][0]["content"].as_str().unwrap();
            let asked = body["messages"][1]["content"].as_str().unwrap();
            assert!(!system.contains("PWNED"));
            assert_eq!(asked.matches("</text-").count(), 1, "the text cannot close its frame");
            assert_eq!(body["response_format"]["type"], "json_schema");
        }
    }
}

#[tokio::test]
async fn an_order_in_a_document_hides_no_changed_fact() {
    // Half of the model is under the document's control; what it says of a wrong claim is compared by code.
    let original = format!("{POISON}{}", long_text());
    let checker = Checker::start(Behaviour::Contradicts).await;
    let rig = rig(checker.config(Mode::Inline)).await;
    let form = forwarded(&rig, "a", &original).await;
    assert_ne!(form, forwarded(&unchecked_rig().await, "a", &original).await);
    assert_eq!(figure(&rig, r#"headroom_fidelity{kind="flagged"}"#).await, 1);
}

#[tokio::test]
async fn what_was_put_back_for_one_tenant_never_reaches_another() {
    let checker = Checker::start(Behaviour::Contradicts).await;
    let rig = rig(checker.config(Mode::Inline)).await;
    let poisoned = forwarded(&rig, "mallory", &long_text()).await;
    checker.behave(Behaviour::Finds(""));
    let clean = forwarded(&rig, "alice", &long_text()).await;
    assert_eq!(clean, unchecked_form().await);
    assert_ne!(clean, poisoned);
    for _ in 0..2 {
        assert_eq!(forwarded(&rig, "alice", &long_text()).await, clean);
        assert_eq!(forwarded(&rig, "mallory", &long_text()).await, poisoned);
    }
}

#[tokio::test]
async fn a_checker_is_asked_through_the_proxy_that_stands_on_the_way() {
    let checker = Checker::start(Behaviour::Finds("")).await;
    let mut config = checker.config(Mode::Inline);
    let proxy = std::mem::replace(&mut config.base_url, "http://checker.invalid/v1".into());
    config.via = proxy.trim_end_matches("/v1").to_owned();
    forwarded(&rig(config).await, "a", &long_text()).await;
    let requests = checker.requests.lock().unwrap().clone();
    let (head, _) = requests.first().unwrap();
    assert!(head.starts_with("POST http://checker.invalid/v1/chat/completions HTTP/1.1"), "{head}");
}

#[tokio::test]
async fn the_checker_gets_its_own_key_and_never_the_clients() {
    let checker = Checker::start(Behaviour::Finds("")).await;
    let rig = rig(checker.config(Mode::Inline)).await;
    forwarded(&rig, "sk-of-the-client", &long_text()).await;
    let requests = checker.requests.lock().unwrap().clone();
    assert!(!requests.is_empty());
    for (head, body) in requests {
        assert!(head.contains("authorization: Bearer checker-key"), "{head}");
        assert!(!head.contains("sk-of-the-client") && !body.to_string().contains("sk-of-the-client"));
    }
    let figures = figures(&rig).await;
    assert!(!figures.contains("harbour") && !figures.contains("sk-of-the-client"));
}

#[tokio::test]
async fn a_verdict_is_in_the_account_of_its_request_also_when_it_comes_late() {
    let checker = Checker::start(Behaviour::Contradicts).await;
    for mode in [Mode::Inline, Mode::Background] {
        let config = checker.config(mode);
        let rig = Rig::with(|settings| {
            settings.fidelity = config;
            settings.policy.style = Style::Telegram;
            settings.explain = Some(explain::Config::default());
        })
        .await;
        let (_, answer) = exchange(&rig, "a", &[long_text()]).await;
        let id = answer.header("x-headroom-request-id").unwrap().to_owned();
        let told = async {
            loop {
                let mut client = rig.client().await;
                let head = format!("GET /headroom/explain/{id} HTTP/1.1\r\nHost: localhost\r\n");
                client.write(format!("{head}Authorization: Bearer a\r\n\r\n")).await;
                let account = client.message().await.text().to_owned();
                if account.contains("\"flagged\"") || mode == Mode::Inline {
                    return account;
                }
                tokio::task::yield_now().await;
            }
        };
        let account = soon(told).await;
        assert!(account.contains("\"flagged\"") && account.contains("\"level\""), "{account}");
    }
}

#[tokio::test]
async fn an_audit_tells_what_is_flagged_also_when_the_verdict_comes_late() {
    let checker = Checker::start(Behaviour::Contradicts).await;
    for mode in [Mode::Inline, Mode::Background] {
        let config = checker.config(mode);
        let rig = Rig::with(|settings| {
            settings.fidelity = config;
            settings.policy.style = Style::Telegram;
            settings.proxy.mode = headroom::proxy::Mode::Audit;
        })
        .await;
        let (got, _) = exchange(&rig, "a", &[long_text()]).await;
        assert_eq!(texts(&got), [long_text()], "an audit forwards the original");
        let audited = async {
            loop {
                let sums: Value = serde_json::from_str(&page(&rig, "audit").await).unwrap();
                if sums["checked"] == 1 {
                    return sums;
                }
                tokio::task::yield_now().await;
            }
        };
        let sums = soon(audited).await;
        assert_eq!(sums["flagged"], 1, "{mode:?}");
        assert!(sums["flagged_units"].as_u64().unwrap() >= 1);
    }
}

#[tokio::test]
async fn a_text_that_a_pipeline_has_condensed_is_checked_too() {
    let checker = Checker::start(Behaviour::Contradicts).await;
    let rig = rig(checker.config(Mode::Inline)).await;
    let mut client = rig.client().await;
    client.write(post("/headroom/compress", &json!({"text": long_text(), "ratio": 4}).to_string())).await;
    let account: Value = serde_json::from_slice(&client.message().await.body).unwrap();
    assert_eq!(account["fidelity"]["state"], "flagged", "{account}");
    assert_eq!(figure(&rig, r#"headroom_fidelity{kind="replaced"}"#).await, 1);
    assert!(account["text"].as_str().unwrap().len() < long_text().len());
}

#[tokio::test]
async fn off_asks_nobody_and_a_sample_asks_for_a_share() {
    let checker = Checker::start(Behaviour::Contradicts).await;
    for config in [checker.config(Mode::Off), Config { share: 0.0, ..checker.config(Mode::Sample) }] {
        let rig = rig(config).await;
        assert_eq!(forwarded(&rig, "a", &long_text()).await, unchecked_form().await);
    }
    assert_eq!(checker.calls(), 0);
    let rig = rig(Config { share: 1.0, ..checker.config(Mode::Sample) }).await;
    forwarded(&rig, "a", &long_text()).await;
    reaches(&rig, CHECKED, 1).await;
}

#[tokio::test]
async fn a_ratio_that_is_backed_off_and_recovers_leaves_old_texts_as_they_were() {
    let checker = Checker::start(Behaviour::Contradicts).await;
    let config = Config { queue: 100, daily_tokens: 0, ..checker.config(Mode::Inline) };
    let rig = rig(config).await;
    // A part of the text is enough of it, twenty at a time, each in a request of its own: a text is condensed by what
    // precedes it.
    let text = |n: usize| {
        let part = long_text().split_inclusive(". ").take(20).collect::<String>();
        part.replace("committee", &format!("board{n}"))
    };
    let batch = async |from: usize| {
        let mut forms = Vec::new();
        for n in from..from + 20 {
            forms.push(forwarded(&rig, "a", &text(n)).await);
        }
        forms
    };
    let backed_off = r#"headroom_fidelity_backed_off{dimension="kind",level="gentle"}"#;

    let first = batch(0).await;
    assert_eq!(figure(&rig, backed_off).await, 1, "all of them were flagged");
    assert_eq!(figure(&rig, r#"headroom_fidelity_backed_off{dimension="tenant",level="gentle"}"#).await, 1);
    assert_eq!(batch(0).await, first, "known texts keep their form");

    // Once more, and new texts are condensed 2:1 only.
    batch(20).await;
    checker.behave(Behaviour::Finds(""));
    let gentle = texts(&exchange(&rig, "a", &[text(40)]).await.0).remove(0);
    let hard = forwarded(&unchecked_rig().await, "a", &text(40)).await;
    assert!(hard.len() * 5 < gentle.len() * 4, "{} and {}", hard.len(), gentle.len());

    // Recovered, twice over: the old ones stay, new ones are condensed as asked.
    for from in [100, 120, 140] {
        batch(from).await;
    }
    assert_eq!(figure(&rig, backed_off).await, 0);
    assert_eq!(batch(0).await, first);
    assert_eq!(forwarded(&rig, "a", &text(40)).await, gentle);
    assert_eq!(forwarded(&rig, "a", &text(200)).await, forwarded(&unchecked_rig().await, "a", &text(200)).await);
}
