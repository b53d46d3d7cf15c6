use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::*;
use crate::{
    compress::{Condensation, Decision, Level, Outcome, Unit},
    engine::Tenant,
    fidelity::{Finding, Kind, State, Verdict, Why},
};

fn record(id: &str, original: &str) -> Record {
    let at = original.len() / 2;
    let unit = |span, decision, text: Option<&str>| Unit {
        span,
        form: crate::compress::Form::Prose,
        score: Some(0.5),
        redundancy: crate::compress::Redundancy::default(),
        decision,
        why: crate::compress::Why::Said,
        text: text.map(str::to_owned),
        noun: crate::compress::Noun::Sentences,
        count: 1,
        ends: None,
        escaped: 0,
    };
    let condensation = Condensation {
        outcome: Outcome::Compressed("short".to_owned()),
        tokens_before: 40,
        tokens_after: 10,
        choice: None,
        original: None,
        hurried: false,
        units: vec![unit(0..at, Decision::Dropped, None), unit(at..original.len(), Decision::Rewritten, Some("short"))],
    };
    let slot = SlotRecord {
        message: 1,
        part: None,
        role: "user",
        rule: None,
        left: None,
        accepted: true,
        forwarded: true,
        cached: false,
        took_ms: 1.25,
        original: original.into(),
        condensation: Arc::new(condensation),
        verdict: None,
    };
    Record {
        id: id.to_owned(),
        owner: Some(OURS),
        at_ms: 1_769_868_309_000,
        surface: "chat_completions",
        model: None,
        outcome: "compressed",
        reason: "",
        took_ms: 2.0,
        slots: vec![slot],
    }
}

const OURS: Tenant = Tenant([1; 16]);
const THEIRS: Tenant = Tenant([2; 16]);

fn found(store: &Store, id: &str, now: Instant) -> bool {
    store.find(id, Reader::Operator, now).is_ok()
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
    let found = store.find("r1", Reader::Operator, now).unwrap();
    assert_eq!(found.slots[0].restore().as_bytes(), text.as_bytes());
    let read: serde_json::Value = serde_json::from_slice(&json(&found)).unwrap();
    assert_eq!(read["slots"][0]["original"], text);
    assert_eq!(read["slots"][0]["units"][1]["decision"], "rewritten");
    assert_eq!(read["slots"][0]["tokens_before"], 40);
}

#[test]
fn records_go_when_they_are_old() {
    let store = store(1, 60);
    let start = Instant::now();
    store.insert(record("old", "text of some length"), start);
    assert!(found(&store, "old", start + Duration::from_secs(59)));
    let late = start + Duration::from_secs(60);
    assert_eq!(store.find("old", Reader::Operator, late), Err(Missing::Gone));
    assert_eq!(store.find("old", Reader::With(THEIRS), late), Err(Missing::Unknown));
    assert_eq!(store.find("never", Reader::Operator, late), Err(Missing::Unknown));
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
    assert!(found(&store, "r19", now) && !found(&store, "r0", now));
    store.insert(record("huge", &"x".repeat(2_000_000)), now);
    assert_eq!(store.find("huge", Reader::Operator, now), Err(Missing::Gone));
    assert!(found(&store, "r19", now));
}

#[test]
fn a_record_is_its_owners_and_the_operators_alone() {
    let store = store(1, 60);
    let now = Instant::now();
    store.insert(record("ours", "text"), now);
    store.insert(Record { owner: None, ..record("nobodys", "text") }, now);
    let readable = |reader| {
        let ids: Vec<String> = store.list(reader, 9, now).iter().map(|record| record.id.clone()).collect();
        assert!(ids.iter().all(|id| store.find(id, reader, now).is_ok()));
        ids
    };
    assert_eq!(readable(Reader::With(OURS)), ["ours"]);
    assert_eq!(readable(Reader::With(THEIRS)), [""; 0]);
    assert_eq!(readable(Reader::Operator), ["nobodys", "ours"]);
    assert_eq!(store.find("ours", Reader::With(THEIRS), now), Err(Missing::Unknown));
    assert_eq!(store.find("nobodys", Reader::With(OURS), now), Err(Missing::Unknown));
    assert_eq!(store.list(Reader::Operator, 1, now).len(), 1);
}

#[test]
fn a_text_that_its_request_does_not_accept_saves_nothing() {
    let mut record = record("r1", "text of some length");
    record.slots[0].accepted = false;
    assert_eq!(record.tokens(), (40, 40));
    assert_eq!((record.slots[0].decision(), &*record.slots[0].condensed()), ("protected", "text of some length"));
}

#[test]
fn the_time_is_told_as_people_write_it() {
    for (at, said) in [
        (0, "1970-01-01 00:00:00 UTC"),
        (951_782_399_999, "2000-02-28 23:59:59 UTC"),
        (951_782_400_000, "2000-02-29 00:00:00 UTC"),
        (1_769_868_309_000, "2026-01-31 14:05:09 UTC"),
        (4_107_542_400_000, "2100-03-01 00:00:00 UTC"),
    ] {
        assert_eq!(record::when(at), said);
    }
}

#[test]
fn records_are_kept_beyond_loopback_only_when_asked_for() {
    let at = |mode, address: &str| Config { mode, ..Config::default() }.keeps(address.parse().unwrap());
    assert!(at(Mode::Auto, "127.0.0.1") && at(Mode::Auto, "::1") && at(Mode::On, "0.0.0.0"));
    assert!(!at(Mode::Auto, "0.0.0.0") && !at(Mode::Auto, "10.0.0.7") && !at(Mode::Off, "127.0.0.1"));
}

#[test]
fn a_page_shows_hostile_text_as_text() {
    let hostile = "<script>alert(1)</script> & \"'</td></table> \u{202e}<img src=x onerror=y>";
    let mut record = record("r<1>", &hostile.repeat(3));
    record.model = Some(hostile.to_owned());
    let page = html(&record);
    assert!(
        !page.contains("<script") && !page.contains("r<1>") && !page.contains("<img") && !page.contains('\u{202e}')
    );
    assert!(page.contains("&lt;script&gt;") && page.contains("default-src 'none'") && page.contains("U+202E"));
}

#[test]
fn a_page_loads_nothing() {
    let page = html(&record("r1", "see https://example.org/x"));
    for loader in ["src=", "href=", "url(", "@import", "<link", "<script", "<iframe"] {
        assert!(!page.contains(loader), "{loader}");
    }
}

#[test]
fn characters_that_take_no_room_are_shown_on_the_page_and_in_a_terminal() {
    // Two units of sixteen bytes.
    let text = "pay\u{200b}pal \u{feff}\u{ad}x\u{e0041}\u{2067}x\u{85}\u{2764}\u{fe0f}";
    for shown in [html(&record("r1", text)), terminal(&record("r1", text), false)] {
        for point in ["U+200B", "U+FEFF", "U+00AD", "U+E0041", "U+2067", "U+0085"] {
            assert!(shown.contains(point), "{point}: {shown}");
        }
        assert!(shown.contains("\u{2764}\u{fe0f}") && !shown.contains('\u{200b}'));
    }
}

#[test]
fn a_terminal_is_never_sent_the_texts_control_characters() {
    let text = terminal(&record("r1", "clear \u{1b}[2J and \u{202e}reversed\r\n"), false);
    assert!(!text.contains(['\u{1b}', '\u{202e}', '\r']), "{text:?}");
    assert!(text.contains('␛') && text.contains("+ short") && text.contains("(prose: said elsewhere)"), "{text}");
    assert!(terminal(&record("r1", "text"), true).contains("\u{1b}[31m"));
}

#[test]
fn a_late_verdict_joins_its_record() {
    let store = store(1, 60);
    let now = Instant::now();
    store.insert(record("r1", "twelve eggs, two hens"), now);
    let finding = Finding { unit: 1, kind: Kind::Changed, quote: "two hens".to_owned(), answer: "ten".to_owned() };
    let verdict =
        Verdict { state: State::Flagged, findings: vec![finding], ..Verdict::unchecked(Why::Late, Level::Full) };
    store.judge("r1", 0, Arc::new(verdict), now);
    let found = store.find("r1", Reader::Operator, now).unwrap();
    assert!(html(&found).contains("rewritten flagged") && terminal(&found, false).contains("two hens"));
}
