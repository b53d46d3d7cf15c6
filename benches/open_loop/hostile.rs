//! Texts that are meant to cost time or memory, and bodies that are meant to confuse.

use std::{fmt::Write as _, io::Write as _, time::Duration};

use flate2::{Compression, write::GzEncoder};
use serde_json::json;

use super::{
    bodies::{CHAT, Request, chat},
    dice::Dice,
    load::Expected,
};

/// One of the families, at a size up to some 400 KB, with a question.
pub(crate) fn text(dice: &mut Dice) -> Request {
    let size = 4_000 << dice.below(7);
    let salt = dice.next();
    let text = match dice.below(14) {
        0 => format!("<html>{}</html>", "<div></a>".repeat(size / 9)),
        1 => (0..size / 160).fold(String::new(), |mut text, at| {
            let _ = writeln!(text, "{}- item {at}", " ".repeat(at % 300));
            text
        }),
        2 => "\n".repeat(size),
        3 => "[\n".repeat(size / 2),
        4 => {
            format!("[{}]", (0..size / 24).map(|at| format!("{{\"k{salt}{at}\":{at}}}")).collect::<Vec<_>>().join(","))
        }
        5 => "\u{1f468}\u{200d}\u{1f469}\u{200d}".repeat(size / 14),
        6 => "東京は今日も晴れです。".repeat(size / 33),
        7 => "{\"a\":".repeat(size / 5),
        8 => format!("{}a", "> ".repeat(size / 2)),
        9 => (0..size / 45).fold(String::new(), |mut text, at| {
            let _ = writeln!(
                text,
                "2026-05-01 10:{:02}:{:02} INFO worker-{} done job {}",
                at / 60 % 60,
                at % 60,
                at % 7,
                salt.wrapping_add(at as u64)
            );
            text
        }),
        10 => (0..size / 90).fold(String::new(), |mut text, at| {
            let _ = write!(
                text,
                "Open valve {at} if pump {} is off, unless lamp {} is red. It must not run. ",
                at * 7 % 1000,
                at % 13
            );
            text
        }),
        11 => "<a><b></a></b>".repeat(size / 14),
        12 => "x".repeat(size),
        _ => (0..size / 28).fold("a,b,c\n".to_owned(), |mut text, at| {
            let _ = writeln!(text, "{at},{},{}", at * 7, salt.rotate_left(at as u32 % 64));
            text
        }),
    };
    let content = format!("{text}\n\nWhen did pump {} start?", salt % 1000);
    let role = dice.pick(&["user", "tool"]);
    let messages = match *role {
        "user" => vec![json!({"role": "user", "content": content})],
        _ => vec![
            json!({"role": "user", "content": "When did the pump start?"}),
            json!({"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "read", "arguments": "{}"}}]}),
            json!({"role": "tool", "tool_call_id": "c", "content": content}),
        ],
    };
    Request::new(CHAT, chat(messages, false)).stable().with("x-headroom-ratio", 5)
}

/// One that no JSON is, that is compressed beyond measure, or of another shape; all go on as they are.
pub(crate) fn body(dice: &mut Dice) -> Request {
    match dice.below(4) {
        0 => Request::new(CHAT, format!("{{\"messages\": [{}", "[".repeat(20_000))).untouched(),
        1 => Request::new(CHAT, json!({"model": 7, "messages": {"role": vec!["user"; 2000]}}).to_string()).untouched(),
        2 => Request::new(CHAT, vec![0xff_u8; 50_000]).untouched(),
        _ => {
            let text = "a".repeat(4 << 20);
            let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
            packed.write_all(chat(vec![json!({"role": "user", "content": text})], false).as_bytes()).unwrap();
            Request::new(CHAT, packed.finish().unwrap()).with("content-encoding", "gzip")
        }
    }
}

/// A client that goes while its text is condensed or its answer streams.
pub(crate) fn leaving(dice: &mut Dice) -> Request {
    let request = text(dice);
    Request { expected: Expected::Leaves(Duration::from_millis(dice.next() % 60)), ..request }
}
