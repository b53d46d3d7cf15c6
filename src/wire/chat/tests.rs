//! What the wire format promises.

use std::{fs, path::Path, sync::Arc};

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::wire::{Call, Located, Role, Slot, Surface, Unreadable, splice, tests::any_json};

fn locate(body: &[u8]) -> Result<Located, Unreadable> {
    crate::wire::locate(Surface::ChatCompletions, body)
}

fn located(body: &Value) -> Located {
    locate(body.to_string().as_bytes()).unwrap()
}

fn texts(body: &str) -> Vec<String> {
    locate(body.as_bytes()).unwrap().slots.into_iter().map(|slot| slot.text.as_ref().to_owned()).collect()
}

fn messages(list: &str) -> String {
    format!(r#"{{"model":"gpt-4o","messages":[{list}]}}"#)
}

#[test]
fn user_and_tool_texts_are_slots_and_nothing_else_is() {
    let body = json!({"model": "gpt-4o", "messages": [
        {"role": "system", "content": "S"},
        {"role": "developer", "content": "D"},
        {"role": "user", "content": "U", "name": "ann"},
        {"role": "assistant", "content": "A", "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{\"at\":1}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "T"},
        {"role": "user", "content": [
            {"type": "text", "text": "P", "cache_control": {"type": "ephemeral"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
            {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}},
            {"type": "file", "file": {"file_id": "f"}},
            {"type": "refusal", "text": "R"},
            {"type": "text", "text": "Q"}]}]});
    let slots = located(&body).slots;
    let found: Vec<_> = slots.iter().map(|slot| (&*slot.text, slot.role, slot.message, slot.part)).collect();
    assert_eq!(
        found,
        [
            ("U", Role::User, 2, None),
            ("T", Role::Tool, 4, None),
            ("P", Role::User, 5, Some(0)),
            ("Q", Role::User, 5, Some(5))
        ]
    );
}

#[test]
fn a_slot_knows_its_siblings_what_precedes_it_and_the_call_it_answers() {
    let call = |id: &str, name: &str| json!({"id": id, "function": {"name": name, "arguments": "{\"query\": \"x\"}"}});
    let body = json!({"messages": [
        {"role": "user", "content": "what does the contract say?"},
        {"role": "assistant", "content": null, "tool_calls": [call("a", "read_file"), call("b", "search_the_web")]},
        {"role": "tool", "tool_call_id": "b", "content": "a long result of a search in the web"},
        {"role": "tool", "tool_call_id": "a", "content": [{"type": "text", "text": "a long text of a contract, first half"},
            {"type": "text", "text": "second half of that contract's text"}]},
        {"role": "tool", "tool_call_id": "z", "content": "an answer to nobody's question"}]});
    let slots = located(&body).slots;
    let names: Vec<_> = slots.iter().map(|slot| slot.call.as_ref().map(|call| call.name.as_str())).collect();
    assert_eq!(names, [None, Some("search_the_web"), Some("read_file"), Some("read_file"), None]);
    assert_eq!(slots[1].preceding.as_deref(), Some("what does the contract say?"));
    assert_eq!(slots[1].call.as_ref().unwrap().arguments, "{\"query\": \"x\"}");
    assert_eq!(slots[2].siblings, ["second half of that contract's text"]);
    assert_eq!((&slots[0].preceding, slots[0].siblings.len()), (&None, 0));
}

#[test]
fn older_function_messages_are_tool_results() {
    let body = json!({"messages": [
        {"role": "assistant", "content": null, "function_call": {"name": "weather", "arguments": "{\"in\": \"Bonn\"}"}},
        {"role": "function", "name": "weather", "content": "it rains all day long in Bonn"}]});
    let slots = located(&body).slots;
    assert_eq!(slots[0].role, Role::Tool);
    assert_eq!(slots[0].call, Some(Call { name: "weather".into(), arguments: "{\"in\": \"Bonn\"}".into() }));
}

#[test]
fn what_readers_may_disagree_on_is_no_slot() {
    for ambiguous in [
        r#"{"role":"user","content":"a","content":"b"}"#,
        r#"{"role":"user","content":"a","\u0063ontent":"b"}"#,
        r#"{"role":"user","content":"a","Content":"b"}"#,
        r#"{"role":"user","role":"assistant","content":"a"}"#,
        r#"{"role":"user","content":[{"type":"text","text":"a","text":"b"}]}"#,
        r#"{"role":"user","content":[{"type":"text","type":"image_url","text":"a"}]}"#,
        r#"{"role":"user","content":"\ud800"}"#,
        r#"{"role":"user","content":"\udc00 \ud83d x"}"#,
        r#"{"role":"user","content":"a","\ud800":1}"#,
    ] {
        let body = messages(&format!(r#"{ambiguous},{{"role":"user","content":"fine"}}"#));
        assert_eq!(texts(&body), ["fine"], "{ambiguous}");
    }
    assert_eq!(locate(br#"{"messages":[],"messages":[]}"#), Err(Unreadable::UnknownShape));
}

#[test]
fn unknown_fields_may_stand_twice() {
    let body = messages(r#"{"role":"user","x":1,"x":2,"content":"fine"}"#);
    assert_eq!(texts(&body), ["fine"]);
}

#[test]
fn odd_messages_have_no_slots_and_leave_the_others_theirs() {
    for odd in [
        "null",
        "1",
        r#""user""#,
        "[]",
        "{}",
        r#"{"role":1,"content":"a"}"#,
        r#"{"role":"user","content":5}"#,
        r#"{"role":"user","content":null}"#,
        r#"{"role":"user","content":""}"#,
        r#"{"role":"user","content":["a"]}"#,
        r#"{"role":"user","content":[{"type":"text","text":null}]}"#,
        r#"{"role":"USER","content":"a"}"#,
    ] {
        let body = messages(&format!(r#"{odd},{{"role":"user","content":"fine"}}"#));
        assert_eq!(texts(&body), ["fine"], "{odd}");
    }
}

#[test]
fn a_body_that_is_not_json_says_so() {
    for wrong in [
        &b"\xef\xbb\xbf{\"messages\":[]}"[..],
        b"",
        b"{",
        b"{\"messages\":[]}x",
        b"{\"messages\":[NaN]}",
        b"{\"messages\":[01]}",
        b"{'messages':[]}",
        b"{\"messages\":[],}",
        b"{\"messages\":[\"\xff\"]}",
        b"[1,",
        b"{\"messages\":[\"\x01\"]}",
    ] {
        assert_eq!(locate(wrong), Err(Unreadable::InvalidJson), "{}", String::from_utf8_lossy(wrong));
    }
    for other in ["[]", "null", "3", "{}", r#"{"messages":{}}"#, r#"{"messages":null}"#, r#"{"input":5}"#] {
        assert_eq!(locate(other.as_bytes()), Err(Unreadable::UnknownShape), "{other}");
    }
}

#[test]
fn deep_nesting_is_read_without_deep_recursion() {
    let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
    let body = format!(
        r#"{{"metadata":{deep},"messages":[{deep},{{"role":"user","content":{deep}}},{{"role":"user","content":"fine"}}]}}"#
    );
    assert_eq!(texts(&body), ["fine"]);
    assert_eq!(locate("[".repeat(1_000_000).as_bytes()), Err(Unreadable::InvalidJson));
}

#[test]
fn the_context_of_many_slots_stays_linear_in_the_body() {
    let parts = vec![r#"{"type":"text","text":"seven b"}"#; 20_000].join(",");
    let long = "word ".repeat(40_000);
    let body = messages(&format!(r#"{{"role":"user","content":"{long}"}},{{"role":"user","content":[{parts}]}}"#));
    let slots = locate(body.as_bytes()).unwrap().slots;
    let context = |slot: &Arc<Slot>| {
        slot.siblings.iter().map(String::len).sum::<usize>() + slot.preceding.as_ref().map_or(0, String::len)
    };
    assert_eq!(slots.len(), 20_001);
    assert!(slots.iter().map(context).sum::<usize>() < body.len());
}

#[test]
fn a_long_context_keeps_its_beginning_and_end() {
    let ask = format!("First words. {} Last words?", "é".repeat(8_000));
    let parts = format!(r#"[{{"type":"text","text":"{ask}"}},{{"type":"text","text":"{}"}}]"#, "x".repeat(9_000));
    let body = messages(&format!(r#"{{"role":"user","content":"{ask}"}},{{"role":"user","content":{parts}}}"#));
    let slots = locate(body.as_bytes()).unwrap().slots;
    let siblings = slots[2].siblings.concat();
    for context in [&siblings, slots[2].preceding.as_ref().unwrap()] {
        assert!(context.starts_with("First words.") && context.ends_with("Last words?"));
        assert!(context.len() <= 8 * 1024);
    }
}

#[test]
fn json_mode_keeps_the_word_it_demands() {
    let body = |format: Value| json!({"response_format": format, "messages": [{"role": "user", "content": "Answer in JSON, please"}]});
    let strict = located(&body(json!({"type": "json_object"})));
    assert!(strict.accepts(&strict.slots[0], "as json"));
    assert!(!strict.accepts(&strict.slots[0], "please"));
    let schema = located(&body(json!({"type": "json_schema", "json_schema": {"name": "n"}})));
    assert!(schema.accepts(&schema.slots[0], "please"));
    assert!(!schema.accepts(&schema.slots[0], " \n"));
}

#[test]
fn an_ascii_literal_stays_ascii_and_another_gets_its_characters_as_they_are() {
    let new = "é \u{1f600} \u{7f}\"\\\n\u{1}";
    let ascii = messages(r#"{"role":"user","content":"caf\u00e9"}"#);
    let utf8 = messages(r#"{"role":"user","content":"café"}"#);
    let spliced = |body: &str| {
        let slot = &locate(body.as_bytes()).unwrap().slots[0];
        String::from_utf8(splice(body.as_bytes(), &[(slot.literal.clone(), new)])).unwrap()
    };
    assert!(spliced(&ascii).contains("\"\\u00e9 \\ud83d\\ude00 \u{7f}\\\"\\\\\\n\\u0001\""));
    assert!(spliced(&utf8).contains("\"é \u{1f600} \u{7f}\\\"\\\\\\n\\u0001\""));
}

/// Each `NAME.json` under fixtures/bodies has a `NAME.slots` (what is found) and a `NAME.spliced` (every slot upper-cased
/// to `<role message part>`). `HEADROOM_BLESS=1` writes them anew; the difference is then to be read.
#[test]
fn real_bodies_are_located_and_spliced_as_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/bodies");
    let mut bodies = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let body = fs::read(&path).unwrap();
        let located = locate(&body).unwrap();
        let names: Vec<String> =
            located.slots.iter().map(|slot| format!("<{:?} {} {:?}>", slot.role, slot.message, slot.part)).collect();
        let edits: Vec<_> =
            located.slots.iter().zip(&names).map(|(slot, name)| (slot.literal.clone(), name.as_str())).collect();
        for (extension, now) in [("slots", format!("{located:#?}\n").into_bytes()), ("spliced", splice(&body, &edits))]
        {
            let golden = path.with_extension(extension);
            if std::env::var_os("HEADROOM_BLESS").is_some() {
                fs::write(&golden, &now).unwrap();
            }
            let golden_bytes = fs::read(&golden).unwrap_or_default();
            assert_eq!(String::from_utf8_lossy(&now), String::from_utf8_lossy(&golden_bytes), "{}", golden.display());
        }
        bodies += 1;
    }
    assert!(bodies >= 8, "{bodies}");
}

fn any_content() -> impl Strategy<Value = String> {
    let text = any::<String>().prop_map(|text| Value::from(text).to_string());
    let part = prop_oneof![
        3 => text.clone().prop_map(|text| format!(r#"{{"type":"text", "text":{text},"n":0.10}}"#)),
        1 => any_json(),
    ];
    prop_oneof![
        3 => text,
        2 => prop::collection::vec(part, 0..4).prop_map(|parts| format!("[{}]", parts.join(","))),
        1 => any_json(),
    ]
}

fn any_message() -> impl Strategy<Value = String> {
    let role = prop_oneof![Just("user"), Just("tool"), Just("function"), Just("assistant"), Just("system")];
    let call = r#""tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"}}]"#;
    prop_oneof![
        6 => (role, any_content()).prop_map(|(role, content)| {
            format!("{{\"role\":\"{role}\" ,\"tool_call_id\":\"c\",\"content\": {content}}}")
        }),
        1 => Just(format!(r#"{{"role":"assistant",{call}}}"#)),
        1 => any_json(),
    ]
}

fn any_body() -> impl Strategy<Value = String> {
    (prop::collection::vec(any_message(), 0..6), any_json()).prop_map(|(messages, extra)| {
        format!("{{\"seed\":{extra},\"messages\":[{}],\"temperature\":0.70, \"model\":\"m\"}}", messages.join(", "))
    })
}

proptest! {
    #[test]
    fn no_edit_gives_identical_bytes(body in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(splice(&body, &[]), body);
    }

    #[test]
    fn arbitrary_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), body in any_body(), cut in any::<prop::sample::Index>()) {
        let _ = locate(&bytes);
        let _ = locate(&body.as_bytes()[..cut.index(body.len())]);
    }

    #[test]
    fn a_spliced_body_has_the_new_texts_and_every_other_byte(body in any_body(), choice in any::<u64>(), new in "\\PC{1,20}|[\\x00-\\x20\"\\\\é😀]{1,9}") {
        let slots = locate(body.as_bytes()).unwrap().slots;
        let chosen = |index: usize| choice >> (index % 64) & 1 == 1;
        let edits: Vec<_> = slots.iter().enumerate().filter(|(index, _)| chosen(*index))
            .map(|(_, slot)| (slot.literal.clone(), new.as_str())).collect();
        let spliced = splice(body.as_bytes(), &edits);

        let after = locate(&spliced).unwrap().slots;
        prop_assert_eq!(after.len(), slots.len());
        let (mut old_end, mut new_end) = (0, 0);
        for (index, (before, after)) in slots.iter().zip(&after).enumerate() {
            let expected = if chosen(index) { new.as_str() } else { &*before.text };
            prop_assert_eq!(&*after.text, expected);
            prop_assert_eq!((after.role, after.message, after.part), (before.role, before.message, before.part));
            prop_assert_eq!(&spliced[new_end..after.literal.start], &body.as_bytes()[old_end..before.literal.start]);
            if !chosen(index) {
                prop_assert_eq!(&spliced[after.literal.clone()], &body.as_bytes()[before.literal.clone()]);
            }
            (old_end, new_end) = (before.literal.end, after.literal.end);
        }
        prop_assert_eq!(&spliced[new_end..], &body.as_bytes()[old_end..]);
    }

    #[test]
    fn a_growing_conversation_keeps_its_slots(list in prop::collection::vec(any_message(), 1..8), split in any::<prop::sample::Index>()) {
        let whole = locate(messages(&list.join(",")).as_bytes()).unwrap().slots;
        let early = split.index(list.len());
        let prefix = locate(messages(&list[..early].join(",")).as_bytes()).unwrap().slots;
        prop_assert_eq!(&whole[..prefix.len()], &prefix[..]);
        prop_assert!(whole[prefix.len()..].iter().all(|slot| slot.message >= early));
    }

    #[test]
    fn every_slot_is_what_a_plain_reader_finds(body in any_body()) {
        let plain: Value = serde_json::from_str(&body.replace(r#"\ud800"#, "")).unwrap();
        for slot in locate(body.as_bytes()).unwrap().slots {
            let content = &plain["messages"][slot.message]["content"];
            let literal: String = serde_json::from_slice(&body.as_bytes()[slot.literal.clone()]).unwrap();
            prop_assert_eq!(&*literal, &*slot.text);
            prop_assert_eq!(slot.part.map_or(content, |part| &content[part]["text"]), &Value::from(&*slot.text));
        }
    }
}
