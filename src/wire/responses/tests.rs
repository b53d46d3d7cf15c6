//! What reading Responses promises.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::wire::{Located, Role, Slot, Surface, Unreadable, locate};

fn located(body: &Value) -> Located {
    locate(Surface::Responses, body.to_string().as_bytes()).unwrap()
}

fn found(slots: &[Arc<Slot>]) -> Vec<(&str, Role, usize, Option<usize>)> {
    slots.iter().map(|slot| (&*slot.text, slot.role, slot.message, slot.part)).collect()
}

#[test]
fn a_string_is_what_the_user_says() {
    let body = json!({"model": "gpt-5", "instructions": "I", "input": "U", "previous_response_id": "r"});
    let located = located(&body);
    assert_eq!(found(&located.slots), [("U", Role::User, 0, None)]);
    assert_eq!(located.model.as_deref(), Some("gpt-5"));
}

#[test]
fn user_texts_and_what_tools_gave_back_are_slots_and_nothing_else_is() {
    let body = json!({"instructions": "I", "tools": [{"type": "function", "name": "f", "description": "D"}],
        "previous_response_id": "P", "input": [
        {"role": "system", "content": "S"},
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "D"}]},
        {"role": "user", "content": "U"},
        {"type": "message", "role": "user", "content": [
            {"type": "input_text", "text": "V"},
            {"type": "input_image", "image_url": "data:image/png;base64,QUJD"},
            {"type": "input_file", "file_data": "QUJD", "filename": "text"}]},
        {"type": "reasoning", "id": "rs", "encrypted_content": "E", "summary": [{"type": "summary_text", "text": "R"}]},
        {"type": "compaction", "id": "c", "encrypted_content": "E"},
        {"type": "message", "role": "assistant", "id": "m", "content": [{"type": "output_text", "text": "A"}]},
        {"type": "item_reference", "id": "msg_1"},
        {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{\"at\":1}"},
        {"type": "function_call_output", "call_id": "c1", "output": "F"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "*** Begin"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": [
            {"type": "input_image", "image_url": "x"}, {"type": "input_text", "text": "G"}]},
        {"type": "local_shell_call", "id": "ls", "call_id": "c3", "action": {"type": "exec", "command": ["ls", "-l"]}},
        {"type": "local_shell_call_output", "id": "ls", "output": "L"},
        {"type": "shell_call", "call_id": "c4", "action": {"commands": ["cat a.txt", "ls"]}},
        {"type": "shell_call_output", "call_id": "c4", "output": [
            {"stdout": "H", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}},
            {"stderr": "J", "stdout": "K", "outcome": {"type": "timeout"}}]},
        {"type": "mcp_call", "id": "mcp", "server_label": "s", "name": "find", "arguments": "{}", "output": "M", "error": "N"},
        {"type": "computer_call_output", "call_id": "c5", "output": {"type": "computer_screenshot", "image_url": "x"}},
        {"type": "web_search_call", "id": "ws", "output": "W"},
        {"type": "some_new_output", "call_id": "c1", "output": "X", "content": "Y", "text": "Z"}]});
    let slots = located(&body).slots;
    let tool = |text, message, part| (text, Role::Tool, message, part);
    assert_eq!(
        found(&slots),
        [
            ("U", Role::User, 2, None),
            ("V", Role::User, 3, Some(0)),
            tool("F", 9, None),
            tool("G", 11, Some(1)),
            tool("L", 13, None),
            tool("H", 15, Some(0)),
            tool("J", 15, Some(1)),
            tool("K", 15, Some(1)),
            tool("M", 16, None),
        ]
    );
    assert!(slots[2..].iter().all(|slot| slot.call.is_some()), "{slots:#?}");
}

#[test]
fn a_result_knows_its_call_and_what_the_user_asked_before() {
    let output = "a result that is longer than the arguments and the question";
    let body = json!({"input": [
        {"role": "user", "content": "which files are there?"},
        {"type": "local_shell_call", "id": "ls", "call_id": "c", "action": {"type": "exec", "command": ["ls"]}},
        {"type": "function_call_output", "call_id": "c", "output": output},
        {"type": "function_call_output", "call_id": "of another turn", "output": output}]});
    let slots = located(&body).slots;
    let arguments = r#"{"command":["ls"],"type":"exec"}"#;
    let call = slots[1].call.as_ref().unwrap();
    assert_eq!(call.name, "local_shell");
    assert_eq!(
        serde_json::from_str::<Value>(&call.arguments).unwrap(),
        serde_json::from_str::<Value>(arguments).unwrap()
    );
    assert_eq!(slots[1].preceding.as_deref(), Some("which files are there?"));
    assert_eq!(slots[2].call, None);
}

#[test]
fn what_readers_may_disagree_on_is_no_slot() {
    for ambiguous in [
        r#"{"role":"user","content":"a","content":"b"}"#,
        r#"{"role":"user","type":"message","type":"reasoning","content":"a"}"#,
        r#"{"role":"user","type":null,"content":"a"}"#,
        r#"{"role":"user","type":5,"content":"a"}"#,
        r#"{"type":"function_call_output","call_id":"c","output":"a","Output":"b"}"#,
        r#"{"type":"function_call_output","call_id":"c","output":"\ud800"}"#,
        r#"{"type":"function_call_output","call_id":"c","output":{"text":"a"}}"#,
        r#"{"type":"mcp_call","id":"m","name":"n","arguments":"{}","output":null}"#,
        "null",
        "[]",
        "\"a\"",
    ] {
        let body = format!(r#"{{"input":[{ambiguous},{{"role":"user","content":"fine"}}]}}"#);
        let slots = locate(Surface::Responses, body.as_bytes()).unwrap().slots;
        assert_eq!(slots.iter().map(|slot| &*slot.text).collect::<Vec<_>>(), ["fine"], "{ambiguous}");
    }
    for other in [r#"{"input":{}}"#, r#"{"input":5}"#, r#"{"input":"a","input":"b"}"#, "[]"] {
        assert_eq!(locate(Surface::Responses, other.as_bytes()), Err(Unreadable::UnknownShape), "{other}");
    }
    assert_eq!(located(&json!({"previous_response_id": "r"})).slots, []);
}

#[test]
fn such_a_body_on_the_path_of_chat_completions_is_read_as_what_it_is() {
    let body = json!({"model": "gpt-5", "stream": true, "input": [{"role": "user", "content": "U"},
        {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "F"}]});
    let read = |surface| locate(surface, body.to_string().as_bytes()).unwrap();
    assert_eq!(read(Surface::ChatCompletions), read(Surface::Responses));
    let both = json!({"messages": [], "input": "U"}).to_string();
    assert_eq!(locate(Surface::ChatCompletions, both.as_bytes()).unwrap().slots, []);
}

#[test]
fn json_mode_keeps_the_word_it_demands() {
    let body =
        |format: Value| json!({"text": {"format": format, "verbosity": "low"}, "input": "Answer in JSON, please"});
    let strict = located(&body(json!({"type": "json_object"})));
    assert!(!strict.accepts(&strict.slots[0], "please"));
    let schema = located(&body(json!({"type": "json_schema", "name": "n"})));
    assert!(schema.accepts(&schema.slots[0], "please"));
}

#[test]
fn each_command_of_a_shell_call_has_its_own_output() {
    let body = json!({"input": [
        {"type": "shell_call", "call_id": "c", "action": {"commands": ["cat a.txt", "ls -l"], "timeout_ms": 5}},
        {"type": "shell_call_output", "call_id": "c", "output": [
            {"stdout": "the text of a file, which is long enough", "stderr": ""},
            {"stdout": "the names of files, and more of them", "stderr": "none that could not be read, though"}]}]});
    let slots = located(&body).slots;
    let arguments: Vec<_> = slots.iter().map(|slot| slot.call.as_ref().unwrap().arguments.as_str()).collect();
    assert_eq!(arguments, [r#"{"command":"cat a.txt"}"#, r#"{"command":"ls -l"}"#, r#"{"command":"ls -l"}"#]);
    assert_eq!(slots[0].siblings.len(), 0);
    assert_eq!(slots[1].siblings, ["none that could not be read, though"]);
}
