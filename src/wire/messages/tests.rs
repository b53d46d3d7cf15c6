//! What reading Messages promises.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::wire::{Call, Located, Role, Slot, Surface, Unreadable, locate, splice};

fn located(body: &Value) -> Located {
    locate(Surface::Messages, body.to_string().as_bytes()).unwrap()
}

fn found(slots: &[Arc<Slot>]) -> Vec<(&str, Role, usize, Option<usize>)> {
    slots.iter().map(|slot| (&*slot.text, slot.role, slot.message, slot.part)).collect()
}

#[test]
fn user_texts_and_tool_results_are_slots_and_nothing_else_is() {
    let body = json!({"model": "claude-sonnet-4-5", "system": [{"type": "text", "text": "S"}], "messages": [
        {"role": "user", "content": "U"},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "T", "signature": "c2ln"},
            {"type": "redacted_thinking", "data": "R"},
            {"type": "text", "text": "A"},
            {"type": "tool_use", "id": "t1", "name": "look", "input": {"at": 1}},
            {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}},
            {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"type": "text", "text": "W"}]}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t1", "content": [
                {"type": "text", "text": "F", "cache_control": {"type": "ephemeral"}},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}},
                {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "H"}]},
                {"type": "text", "text": "G"}]},
            {"type": "tool_result", "tool_use_id": "t2", "content": "K", "is_error": true},
            {"type": "tool_result", "tool_use_id": "t3"},
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "D"}, "title": "text"},
            {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "X"}]},
            {"type": "text", "text": "V", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
        {"role": "assistant", "content": "B"}]});
    let located = located(&body);
    assert_eq!(
        found(&located.slots),
        [
            ("U", Role::User, 0, None),
            ("F", Role::Tool, 2, Some(0)),
            ("G", Role::Tool, 2, Some(0)),
            ("K", Role::Tool, 2, Some(1)),
            ("V", Role::User, 2, Some(5)),
        ]
    );
    assert_eq!(located.model.as_deref(), Some("claude-sonnet-4-5"));
}

#[test]
fn a_result_knows_its_call_and_what_was_asked_but_not_what_stands_behind_it() {
    let result = "a result that is longer than the arguments and the question";
    let body = json!({"messages": [
        {"role": "user", "content": "what does the contract say?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "Read", "input": {"file_path": "/a"}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": result}, {"type": "text", "text": "more of it"}]},
            {"type": "text", "text": "and when does it end?"}]}]});
    let slots = located(&body).slots;
    assert_eq!(slots[1].call, Some(Call { name: "Read".into(), arguments: r#"{"file_path":"/a"}"#.into() }));
    assert_eq!(slots[1].preceding.as_deref(), Some("what does the contract say?"));
    assert_eq!(slots[1].siblings, ["more of it"]);
    assert_eq!((&*slots[3].text, slots[3].siblings.len()), ("and when does it end?", 0));
}

#[test]
fn what_an_agent_reminds_the_model_of_is_no_slot_and_no_question() {
    let reminder = "\n<system-reminder>\nFollow the rules of this project.\n</system-reminder>\n";
    let twice = reminder.repeat(2);
    let mixed = format!("{reminder}And then?");
    let body = json!({"messages": [
        {"role": "user", "content": [{"type": "text", "text": reminder}, {"type": "text", "text": "which year was it?"}]},
        {"role": "assistant", "content": "1971"},
        {"role": "user", "content": twice},
        {"role": "user", "content": "a question that is long enough"},
        {"role": "user", "content": mixed}]});
    let slots = located(&body).slots;
    assert_eq!(
        found(&slots),
        [
            ("which year was it?", Role::User, 0, Some(1)),
            ("a question that is long enough", Role::User, 3, None),
            (mixed.as_str(), Role::User, 4, None),
        ]
    );
    assert_eq!(slots[0].siblings.len(), 0);
    assert_eq!(slots[1].preceding.as_deref(), Some("which year was it?"));
}

#[test]
fn parts_in_any_order_are_spliced_in_place() {
    let body = json!({"messages": [{"role": "user", "content": [
        {"type": "text", "text": "A"},
        {"type": "tool_result", "tool_use_id": "t", "content": "B"},
        {"type": "text", "text": "C"}]}]})
    .to_string();
    let slots = locate(Surface::Messages, body.as_bytes()).unwrap().slots;
    let edits: Vec<_> = slots.iter().map(|slot| (slot.literal.clone(), "new")).collect();
    let expected =
        ["A", "B", "C"].iter().fold(body.clone(), |body, old| body.replace(&format!("\"{old}\""), "\"new\""));
    assert_eq!(String::from_utf8(splice(body.as_bytes(), &edits)).unwrap(), expected);
}

#[test]
fn what_readers_may_disagree_on_is_no_slot() {
    for ambiguous in [
        r#"{"role":"user","content":"a","content":"b"}"#,
        r#"{"role":"user","role":"assistant","content":"a"}"#,
        r#"{"role":"user","content":[{"type":"text","text":"a","text":"b"}]}"#,
        r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"a","Content":"b"}]}"#,
        r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","tool_use_id":"u","content":"a"}]}"#,
        r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"\ud800"}]}]}"#,
        r#"{"role":"user","content":[["a"],5,null]}"#,
        "null",
    ] {
        let body = format!(r#"{{"messages":[{ambiguous},{{"role":"user","content":"fine"}}]}}"#);
        let slots = locate(Surface::Messages, body.as_bytes()).unwrap().slots;
        assert_eq!(slots.iter().map(|slot| &*slot.text).collect::<Vec<_>>(), ["fine"], "{ambiguous}");
    }
    for other in [r#"{"messages":"a"}"#, r#"{"messages":[],"messages":[]}"#, r#"{"input":"a"}"#] {
        assert_eq!(locate(Surface::Messages, other.as_bytes()), Err(Unreadable::UnknownShape), "{other}");
    }
}
