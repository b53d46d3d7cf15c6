//! Texts that are meant to cost time or memory, and bodies that are meant to confuse.

use std::{io::Write as _, time::Duration};

use flate2::{Compression, write::GzEncoder};
use serde_json::json;

use super::{
    bodies::{CHAT, Request, chat},
    dice::Dice,
    load::Expected,
};

/// A family of texts: each member is about as long as asked, in bytes, and differs from others by its salt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Family {
    pub(crate) name: &'static str,
    /// Bytes of a text, or of a body as it is decoded, that was once too much.
    pub(crate) size: usize,
    make: fn(usize, u64) -> String,
}

const fn family(name: &'static str, size: usize, make: fn(usize, u64) -> String) -> Family {
    Family { name, size, make }
}

/// The texts that some step once took for more work than they are, and others that could be.
#[rustfmt::skip]
pub(crate) const TEXTS: &[Family] = &[
    family("unmatched closing tags", 128 << 10, |n, _| format!("<html>{}</html>", "<div></a>".repeat(n / 9))),
    family("quotes in tags", 64 << 10, |n, _| format!("<html>{}</html>", "<a href=\"".repeat(n / 9))),
    family("crossed tags", 128 << 10, |n, _| "<a><b></a></b>".repeat(n / 14)),
    family("390 nested lists", 64 << 10, |n, _| format!("<html>{}{}</html>", "<ul>".repeat(390), parts(n, |at| format!("<li>item {at}")))),
    family("nested bullets", 128 << 10, |n, _| parts(n, |at| format!("{}- item {at}\n", " ".repeat(at % 300)))),
    family("newlines", 128 << 10, |n, _| "\n".repeat(n)),
    family("CRLF", 128 << 10, |n, _| "\r\n".repeat(n / 2)),
    family("lines of a bracket", 128 << 10, |n, _| "[\n".repeat(n / 2)),
    family("how-to prose", 128 << 10, |n, _| {
        parts(n, |at| format!("Open valve {at} if pump {} is off, unless lamp {} is red. It must not run. ", at * 7 % 1000, at % 13))
    }),
    family("joined emoji", 128 << 10, |n, _| "\u{1f468}\u{200d}\u{1f469}\u{200d}".repeat(n / 14)),
    family("Japanese without a break", 128 << 10, |n, _| "東京は今日も晴れです。".repeat(n / 33)),
    family("array of distinct keys", 480 << 10, |n, salt| {
        format!("[{}{{}}]", parts(n, |at| format!("{{\"k{salt}{at}\":{at}}},")))
    }),
    family("map of 12,000 ids", 360 << 10, |n, _| format!("{{{}\"z\":0}}", parts(n, |at| format!("\"id{at:08}\":{{\"v\":{at:05}}},")))),
    family("JSON that goes deep", 128 << 10, |n, _| "{\"a\":".repeat(n / 5)),
    family("quoted without end", 128 << 10, |n, _| format!("{}a", "> ".repeat(n / 2))),
    family("a counted log", 128 << 10, |n, salt| {
        parts(n, |at| {
            let job = salt.wrapping_add(at as u64);
            format!("2026-05-01 10:{:02}:{:02} INFO worker-{} done job {job}\n", at / 60 % 60, at % 60, at % 7)
        })
    }),
    family("one letter", 128 << 10, |n, _| "x".repeat(n)),
    family("a million spaces", 250_000, |n, _| format!("{}a", " ".repeat(n))),
    family("drawn CSV", 128 << 10, |n, salt| {
        format!("a,b,c\n{}", parts(n, |at| format!("{at},{},{}\n", at * 7, salt.rotate_left(at as u32 % 64))))
    }),
];

/// `part(0) part(1) …`, up to so many bytes.
fn parts(size: usize, part: impl Fn(usize) -> String) -> String {
    let mut text = String::with_capacity(size + 512);
    let mut at = 0;
    while text.len() < size {
        text.push_str(&part(at));
        at += 1;
    }
    text
}

impl Family {
    /// A request with such a text, as a user says it or a tool gives it, and a question.
    pub(crate) fn text(self, size: usize, salt: u64, role: &str) -> Request {
        let content = format!("{}\n\nWhen did pump {} start?", (self.make)(size, salt), salt % 1000);
        let messages = match role {
            "user" => vec![json!({"role": "user", "content": content})],
            _ => vec![
                json!({"role": "user", "content": "When did the pump start?"}),
                json!({"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "read", "arguments": "{}"}}]}),
                json!({"role": "tool", "tool_call_id": "c", "content": content}),
            ],
        };
        Request::new(CHAT, chat(messages, false)).stable().with("x-headroom-ratio", 5)
    }

    /// A request with such a body, compressed or not.
    pub(crate) fn body(self, size: usize, packed: bool) -> Request {
        let body = format!("{{\"model\":\"gpt-4o\",\"messages\":[{}]}}", (self.make)(size, 0));
        if !packed {
            return Request::new(CHAT, body);
        }
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(body.as_bytes()).unwrap();
        Request::new(CHAT, packed.finish().unwrap()).with("content-encoding", "gzip")
    }
}

/// Lists of messages that take more memory than their length says.
#[rustfmt::skip]
pub(crate) const BODIES: &[Family] = &[
    family("one text", 15 << 20, |n, _| format!("{{\"role\":\"user\",\"content\":\"{}\"}}", "a".repeat(n))),
    family("short messages", 15 << 20, |n, _| format!("{}{{}}", "{\"role\":\"user\",\"content\":\"a\"},".repeat(n / 31))),
    family("empty objects", 15 << 20, |n, _| format!("{{\"role\":\"user\",\"content\":[{}{{}}]}}", "{},".repeat(n / 3))),
];

/// One of the families, at a size up to some 400 KB, with a question.
pub(crate) fn text(dice: &mut Dice) -> Request {
    let size = 4_000 << dice.below(7);
    let salt = dice.next();
    let family = *dice.pick(TEXTS);
    let role = *dice.pick(&["user", "tool"]);
    family.text(size, salt, role)
}

/// One that no JSON is, that is compressed beyond measure, or of another shape; all go on as they are.
pub(crate) fn body(dice: &mut Dice) -> Request {
    match dice.below(4) {
        0 => Request::new(CHAT, format!("{{\"messages\": [{}", "[".repeat(20_000))).untouched(),
        1 => Request::new(CHAT, json!({"model": 7, "messages": {"role": vec!["user"; 2000]}}).to_string()).untouched(),
        2 => Request::new(CHAT, vec![0xff_u8; 50_000]).untouched(),
        _ => dice.pick(BODIES).body(4 << 20, true),
    }
}

/// A client that goes while its text is condensed or its answer streams.
pub(crate) fn leaving(dice: &mut Dice) -> Request {
    let request = text(dice);
    Request { expected: Expected::Leaves(Duration::from_millis(dice.next() % 60)), ..request }
}
