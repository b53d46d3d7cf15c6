//! What every surface promises, whatever the body.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

#[test]
fn a_path_belongs_to_one_surface_at_most() {
    for (path, surface) in [
        ("/v1/chat/completions", Some(Surface::ChatCompletions)),
        ("/api/v1/chat/completions", Some(Surface::ChatCompletions)),
        ("/v1/responses", Some(Surface::Responses)),
        ("/v1/responses/input_tokens", Some(Surface::Responses)),
        ("/v1/messages", Some(Surface::Messages)),
        ("/v1/messages/count_tokens", Some(Surface::Messages)),
        ("/v1/responses/compact", None),
        ("/v1/responses/resp_1/cancel", None),
        ("/v1/messages/batches", None),
        ("/v1/threads/t/messages", None),
        ("/v1/completions", None),
        ("/v1/embeddings", None),
        ("/", None),
    ] {
        assert_eq!(Surface::of_path(path), surface, "{path}");
    }
}

#[test]
fn a_body_of_whatever_surface_is_read_as_what_it_is() {
    let chat =
        json!({"messages": [{"role": "user", "content": "U"}, {"role": "tool", "tool_call_id": "c", "content": "T"}]});
    let messages = json!({"messages": [{"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "t", "content": "R"}, {"type": "text", "text": "U"}]}]});
    let responses = json!({"input": [{"type": "function_call_output", "call_id": "c", "output": "F"}]});
    for (body, surface) in
        [(chat, Surface::ChatCompletions), (messages, Surface::Messages), (responses, Surface::Responses)]
    {
        let body = body.to_string();
        assert_eq!(locate_any(body.as_bytes()), locate(surface, body.as_bytes()), "{body}");
    }
    assert_eq!(locate_any(b"{}"), Err(Unreadable::UnknownShape));
}

/// A JSON value as clients write it, and as they don't.
pub(super) fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("1.50e+02".to_owned()),
        Just("123456789012345678901234567890".to_owned()),
        any::<String>().prop_map(|text| Value::from(text).to_string()),
        Just(r#""\u0041\/\ud83d\ude00""#.to_owned()),
        Just(r#""\ud800""#.to_owned()),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let key = prop_oneof![
            Just("text"),
            Just("type"),
            Just("content"),
            Just("output"),
            Just("x"),
            Just("x"),
            Just("signature"),
            Just("encrypted_content"),
            Just("cache_control"),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[ {} ]", items.join(" ,\t"))),
            prop::collection::vec((key, inner), 0..4).prop_map(|fields| {
                let fields: Vec<_> = fields.iter().map(|(key, value)| format!("\"{key}\" : {value}")).collect();
                format!("{{{}}}", fields.join(",\n"))
            }),
        ]
    })
}

/// What a text may be replaced by: whatever it is written in, it says something.
fn any_new() -> impl Strategy<Value = String> {
    "\\PC{1,20}|[\\x00-\\x20\"\\\\é😀]{1,9}".prop_map(|new| if new.trim().is_empty() { new + "x" } else { new })
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![4 => any::<String>(), 1 => Just("<system-reminder>r</system-reminder>".to_owned())]
        .prop_map(|text| Value::from(text).to_string())
}

/// String content, or a list of parts of which some are texts of this type.
fn any_content(kind: &'static str) -> impl Strategy<Value = String> {
    let part = prop_oneof![
        3 => any_text().prop_map(move |text| format!("{{\"type\":\"{kind}\", \"text\":{text},\"cache_control\":{{\"type\":\"ephemeral\" }},\"n\":0.10}}")),
        1 => any_json(),
    ];
    prop_oneof![
        3 => any_text(),
        2 => prop::collection::vec(part, 0..4).prop_map(|parts| format!("[{}]", parts.join(","))),
        1 => any_json(),
    ]
}

fn any_item() -> impl Strategy<Value = String> {
    let role = prop_oneof![Just("user"), Just("assistant"), Just("system")];
    let output =
        prop_oneof![Just("function_call_output"), Just("custom_tool_call_output"), Just("local_shell_call_output")];
    prop_oneof![
        3 => (role, any_content("input_text")).prop_map(|(role, content)| {
            format!("{{\"role\":\"{role}\" ,\"id\":\"msg_1\",\"content\": {content}}}")
        }),
        3 => (output, any_content("input_text")).prop_map(|(kind, output)| {
            format!("{{\"type\":\"{kind}\" ,\"call_id\":\"c\",\"output\": {output}}}")
        }),
        1 => (any_text(), any_text()).prop_map(|(out, err)| {
            format!("{{\"type\":\"shell_call_output\",\"call_id\":\"c\",\"output\":[{{\"stderr\":{err},\"stdout\":{out}}}]}}")
        }),
        1 => any_text().prop_map(|output| {
            format!("{{\"type\":\"mcp_call\",\"id\":\"i\",\"name\":\"n\",\"arguments\":\"{{}}\",\"output\":{output}}}")
        }),
        1 => any_json().prop_map(|inner| format!("{{\"type\":\"reasoning\",\"encrypted_content\":{inner},\"content\":{inner}}}")),
        1 => Just(r#"{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}"#.to_owned()),
        1 => any_json(),
    ]
}

fn any_message() -> impl Strategy<Value = String> {
    let block = prop_oneof![
        2 => any_text().prop_map(|text| format!("{{\"type\":\"text\",\"text\":{text},\"cache_control\": {{ }}}}")),
        3 => any_content("text").prop_map(|content| {
            format!("{{\"type\":\"tool_result\",\"tool_use_id\":\"c\" ,\"content\":{content},\"is_error\":false}}")
        }),
        1 => any_json(),
    ];
    let thinking = any_json().prop_map(|inner| {
        format!("{{\"type\":\"thinking\",\"thinking\":{inner},\"signature\":{inner},\"text\":\"t\"}}")
    });
    prop_oneof![
        4 => prop::collection::vec(block, 0..4).prop_map(|blocks| {
            format!("{{\"content\":[{}] , \"role\":\"user\"}}", blocks.join(", "))
        }),
        2 => any_content("text").prop_map(|content| format!("{{\"role\":\"user\",\"content\": {content}}}")),
        1 => thinking.prop_map(|block| format!(
            "{{\"role\":\"assistant\",\"content\":[{block},{{\"type\":\"tool_use\",\"id\":\"c\",\"name\":\"f\",\"input\":{{}}}}]}}"
        )),
        1 => any_json(),
    ]
}

fn responses(items: &[String], extra: &str) -> String {
    format!("{{\"instructions\":{extra},\"input\":[{}] ,\"temperature\":0.70, \"model\":\"m\"}}", items.join(", "))
}

fn messages(list: &[String], extra: &str) -> String {
    format!("{{\"system\":{extra},\"messages\":[{}] ,\"temperature\":0.70, \"model\":\"m\"}}", list.join(", "))
}

/// What a slot holds besides its text and where its text stands.
fn place(slot: &Slot) -> (Role, usize, Option<usize>) {
    (slot.role, slot.message, slot.part)
}

fn only_chosen_strings_differ(surface: Surface, body: &str, choice: u64, new: &str) -> Result<(), TestCaseError> {
    let slots = locate(surface, body.as_bytes()).unwrap().slots;
    let chosen = |index: usize| choice >> (index % 64) & 1 == 1;
    let edits = slots.iter().enumerate().filter(|(index, _)| chosen(*index));
    let edits: Vec<_> = edits.map(|(_, slot)| (slot.literal.clone(), new)).collect();
    let spliced = splice(body.as_bytes(), &edits);
    if edits.is_empty() {
        prop_assert_eq!(&spliced, body.as_bytes());
    }
    let after = locate(surface, &spliced).unwrap().slots;
    prop_assert_eq!(after.len(), slots.len());
    let (mut old_end, mut new_end) = (0, 0);
    for (index, (before, after)) in slots.iter().zip(&after).enumerate() {
        let literal: String = serde_json::from_slice(&body.as_bytes()[before.literal.clone()]).unwrap();
        prop_assert_eq!(&*literal, &*before.text);
        prop_assert_eq!(&*after.text, if chosen(index) { new } else { &*before.text });
        prop_assert_eq!(place(after), place(before));
        prop_assert_eq!(&spliced[new_end..after.literal.start], &body.as_bytes()[old_end..before.literal.start]);
        if !chosen(index) {
            prop_assert_eq!(&spliced[after.literal.clone()], &body.as_bytes()[before.literal.clone()]);
        }
        (old_end, new_end) = (before.literal.end, after.literal.end);
    }
    prop_assert_eq!(&spliced[new_end..], &body.as_bytes()[old_end..]);
    Ok(())
}

fn a_prefix_has_the_same_slots(surface: Surface, whole: &str, prefix: &str, early: usize) -> Result<(), TestCaseError> {
    let whole = locate(surface, whole.as_bytes()).unwrap().slots;
    let prefix = locate(surface, prefix.as_bytes()).unwrap().slots;
    prop_assert_eq!(&whole[..prefix.len()], &prefix[..]);
    prop_assert!(whole[prefix.len()..].iter().all(|slot| slot.message >= early));
    Ok(())
}

proptest! {
    #[test]
    fn only_the_chosen_strings_of_responses_differ(
        items in prop::collection::vec(any_item(), 0..6), extra in any_json(), choice in any::<u64>(),
        new in any_new()
    ) {
        only_chosen_strings_differ(Surface::Responses, &responses(&items, &extra), choice, &new)?;
    }

    #[test]
    fn only_the_chosen_strings_of_messages_differ(
        list in prop::collection::vec(any_message(), 0..6), extra in any_json(), choice in any::<u64>(),
        new in any_new()
    ) {
        only_chosen_strings_differ(Surface::Messages, &messages(&list, &extra), choice, &new)?;
    }

    #[test]
    fn a_growing_list_of_items_keeps_its_slots(
        items in prop::collection::vec(any_item(), 1..8), split in any::<prop::sample::Index>()
    ) {
        let early = split.index(items.len());
        let (whole, prefix) = (responses(&items, "1"), responses(&items[..early], "1"));
        a_prefix_has_the_same_slots(Surface::Responses, &whole, &prefix, early)?;
    }

    #[test]
    fn a_growing_list_of_messages_keeps_its_slots(
        list in prop::collection::vec(any_message(), 1..8), split in any::<prop::sample::Index>()
    ) {
        let early = split.index(list.len());
        let (whole, prefix) = (messages(&list, "1"), messages(&list[..early], "1"));
        a_prefix_has_the_same_slots(Surface::Messages, &whole, &prefix, early)?;
    }

    #[test]
    fn arbitrary_bytes_are_read_without_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300), items in prop::collection::vec(any_item(), 0..6),
        list in prop::collection::vec(any_message(), 0..6), cut in any::<prop::sample::Index>()
    ) {
        for surface in [Surface::ChatCompletions, Surface::Responses, Surface::Messages] {
            for body in [responses(&items, "1"), messages(&list, "1")] {
                let _ = locate(surface, &body.as_bytes()[..cut.index(body.len())]);
                let _ = Socket::default().locate(body.as_bytes());
            }
            let _ = locate(surface, &bytes);
        }
    }
}

#[test]
fn deep_nesting_is_read_without_deep_recursion() {
    let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
    let items =
        [deep.clone(), format!(r#"{{"role":"user","content":{deep}}}"#), r#"{"role":"user","content":"fine"}"#.into()];
    for (surface, body) in
        [(Surface::Responses, responses(&items, &deep)), (Surface::Messages, messages(&items, &deep))]
    {
        let slots = locate(surface, body.as_bytes()).unwrap().slots;
        assert_eq!(slots.iter().map(|slot| &*slot.text).collect::<Vec<_>>(), ["fine"]);
    }
}

const CREATE: &str = r#"{"type":"response.create","model":"m","#;

#[test]
fn a_frame_that_goes_on_is_read_in_the_light_of_those_before_it() {
    let mut socket = Socket::default();
    let output = "the text of a file that is longer than what was asked";
    let ask = format!(r#"{CREATE}"input":[{{"role":"user","content":"what does it say?"}}]}}"#);
    let answer = format!(
        r#"{CREATE}"previous_response_id":"r1","input":[{{"type":"function_call_output","call_id":"c","output":"{output}"}}]}}"#
    );
    assert_eq!(socket.locate(ask.as_bytes()).unwrap().unwrap().slots.len(), 1);
    socket.hear(br#"{"type":"response.output_item.done","item":{"type":"function_call","call_id":"c","name":"read_file","arguments":"{}"}}"#);
    socket.hear(br#"{"type":"response.completed","response":{"id":"r1","usage":{}}}"#);
    let slots = socket.locate(answer.as_bytes()).unwrap().unwrap().slots;
    assert_eq!(slots[0].call, Some(Call { name: "read_file".into(), arguments: "{}".into() }));
    assert_eq!(slots[0].preceding.as_deref(), Some("what does it say?"));

    let elsewhere = answer.replace("r1", "r0");
    let slots = socket.locate(elsewhere.as_bytes()).unwrap().unwrap().slots;
    assert_eq!((&slots[0].call, &slots[0].preceding), (&None, &None), "of a response that did not end here");
}

#[test]
fn a_frame_that_asks_for_no_response_is_not_read() {
    for frame in [r#"{"type":"response.cancel","input":"x"}"#, r#"{"input":"x"}"#, "[]", "x", "\u{0}"] {
        assert_eq!(Socket::default().locate(frame.as_bytes()), None, "{frame}");
    }
    let odd = format!(r#"{CREATE}"input":5}}"#);
    assert_eq!(Socket::default().locate(odd.as_bytes()), Some(Err(Unreadable::UnknownShape)));
}
