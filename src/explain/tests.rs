use super::*;
use crate::fidelity::{Finding, Kind, State};

fn record(id: &str, original: &str) -> Record {
    let at = original.len() / 2;
    let unit = |span, decision, text: Option<&str>| Unit {
        span,
        kind: "prose",
        score: 0.5,
        redundancy: crate::compress::Redundancy::default(),
        decision,
        reason: "said before".to_owned(),
        text: text.map(str::to_owned),
    };
    let condensation = Condensation {
        outcome: Outcome::Compressed("short".to_owned()),
        tokens_before: 40,
        tokens_after: 10,
        units: vec![unit(0..at, Decision::Dropped, None), unit(at..original.len(), Decision::Rewritten, Some("short"))],
    };
    let slot = SlotRecord {
        message: 1,
        part: None,
        role: "user",
        forwarded: true,
        cached: false,
        took_ms: 1.25,
        original: original.into(),
        condensation: Arc::new(condensation),
        verdict: None,
    };
    Record {
        id: id.to_owned(),
        at_ms: 0,
        model: None,
        outcome: "compressed".to_owned(),
        took_ms: 2.0,
        slots: vec![slot],
    }
}

fn store(mib: usize, keep_s: u64) -> Store {
    Store::new(&Config { mib, keep_s, ..Config::default() })
}

#[test]
fn the_original_comes_back_bit_for_bit() {
    let text = "a\u{0}b \u{200b}\r\n\t\"quoted\" <b> é 日本 \\u0041 \n\n";
    let store = store(1, 60);
    let now = Instant::now();
    store.insert(record("r1", text), now);
    let found = store.find("r1", now).unwrap();
    assert_eq!(found.slots[0].restore().as_bytes(), text.as_bytes());
    let json = serde_json::to_string(&*found).unwrap();
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(read["slots"][0]["original"], text);
    assert_eq!(read["slots"][0]["units"][1]["decision"], "rewritten");
    assert_eq!(read["slots"][0]["tokens_before"], 40);
}

#[test]
fn records_go_when_they_are_old() {
    let store = store(1, 60);
    let start = Instant::now();
    store.insert(record("old", "text of some length"), start);
    assert!(store.find("old", start + Duration::from_secs(59)).is_some());
    assert!(store.find("old", start + Duration::from_secs(60)).is_none());
    assert_eq!(store.size(start + Duration::from_secs(60)), (0, 0));
}

#[test]
fn memory_stays_within_its_bound() {
    let store = store(1, 60);
    let now = Instant::now();
    let text = "x".repeat(200_000);
    for n in 0..20 {
        store.insert(record(&format!("r{n}"), &text), now);
        assert!(store.size(now).1 <= 1024 * 1024);
    }
    assert!(store.find("r19", now).is_some() && store.find("r0", now).is_none());
    store.insert(record("huge", &"x".repeat(2_000_000)), now);
    assert!(store.find("huge", now).is_none() && store.find("r19", now).is_some());
}

#[test]
fn records_are_kept_beyond_loopback_only_when_asked_for() {
    let at = |mode, address: &str| Config { mode, ..Config::default() }.keeps(address.parse().unwrap());
    assert!(at(Mode::Auto, "127.0.0.1") && at(Mode::Auto, "::1") && at(Mode::On, "0.0.0.0"));
    assert!(!at(Mode::Auto, "0.0.0.0") && !at(Mode::Auto, "10.0.0.7") && !at(Mode::Off, "127.0.0.1"));
}

#[test]
fn a_page_shows_hostile_text_as_text() {
    let page = html(&record("r<1>", "<script>alert(1)</script> & \"'</td></table>"));
    assert!(!page.contains("<script>") && !page.contains("r<1>"));
    assert!(page.contains("&lt;script&gt;") && page.contains("default-src 'none'"));
}

#[test]
fn a_terminal_is_never_sent_the_texts_control_characters() {
    let text = terminal(&record("r1", "clear \u{1b}[2J and \u{202e}reversed\r\n"), false);
    assert!(!text.contains(['\u{1b}', '\u{202e}', '\r']), "{text:?}");
    assert!(text.contains('␛') && text.contains("+ short"), "{text}");
    assert!(terminal(&record("r1", "text"), true).contains("\u{1b}[31m"));
}

#[test]
fn a_late_verdict_joins_its_record() {
    let store = store(1, 60);
    let now = Instant::now();
    store.insert(record("r1", "twelve eggs, two hens"), now);
    let finding = Finding { unit: 1, kind: Kind::Changed, quote: "two hens".to_owned(), answer: "ten".to_owned() };
    let verdict =
        Verdict { state: State::Flagged, findings: vec![finding], questions: 2, tokens: 10, took: Duration::ZERO };
    store.judge("r1", 0, Arc::new(verdict), now);
    let found = store.find("r1", now).unwrap();
    assert!(html(&found).contains("rewritten flagged") && terminal(&found, false).contains("two hens"));
}
