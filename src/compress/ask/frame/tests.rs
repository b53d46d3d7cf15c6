//! Layouts of messages, and which of their lines are the user's. See `fixtures/frame`.

use std::{collections::HashMap, fs, path::Path};

use super::*;

/// A message with what each of its lines has to be.
struct Layout {
    name: String,
    text: String,
    /// Mark and span of each line.
    lines: Vec<(char, Range<usize>)>,
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/frame")
}

/// `{name}` stands for a passage of passages.txt, which has `== name` above each.
fn sections(file: &Path) -> Vec<(String, String)> {
    let content = fs::read_to_string(file).unwrap();
    let parts = content.split("== ").skip(1);
    parts
        .map(|part| {
            let (name, body) = part.split_once('\n').unwrap();
            (name.trim().to_owned(), body.trim_end().to_owned() + "\n")
        })
        .collect()
}

fn layouts() -> Vec<Layout> {
    let passages: HashMap<String, String> = sections(&folder().join("passages.txt")).into_iter().collect();
    let mut files: Vec<_> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.retain(|file| !file.ends_with("passages.txt"));
    let mut found = Vec::new();
    for (name, body) in files.iter().flat_map(|file| sections(file)) {
        let mut layout = Layout { name, text: String::new(), lines: Vec::new() };
        for line in body.lines() {
            let mark = line.chars().next().unwrap_or('.');
            let mut stands = line.get(2..).unwrap_or_default().to_owned();
            for (name, passage) in &passages {
                stands = stands.replace(&format!("{{{name}}}"), passage.trim_end());
            }
            for part in stands.split('\n') {
                let start = layout.text.len();
                layout.text.push_str(part);
                layout.lines.push((mark, start..layout.text.len()));
                layout.text.push('\n');
            }
        }
        found.push(layout);
    }
    found
}

#[test]
fn in_every_layout_the_users_lines_are_frame_and_the_documents_are_material() {
    let mut faults = Vec::new();
    let layouts = layouts();
    for layout in &layouts {
        let found = frame(&layout.text, &Query::default());
        let question = found.question.clone().unwrap_or_default();
        for (mark, span) in &layout.lines {
            let line = layout.text.get(span.clone()).unwrap();
            if line.trim().is_empty() {
                continue;
            }
            let touched = found.material.iter().any(|part| part.start < span.end && span.start < part.end);
            let held = found.material.iter().any(|part| part.start <= span.start && span.end <= part.end);
            let asked = question.start < span.end && span.start < question.end;
            let right = match mark {
                'F' => !touched,
                'Q' => !touched && asked,
                'M' => held,
                '.' => true,
                _ => panic!("{}: unknown mark {mark}", layout.name),
            };
            if !right {
                let asked = found.question(&layout.text).unwrap_or("nothing");
                faults.push(format!("{} {mark} {line}   [asked: {asked}]", layout.name));
            }
        }
    }
    assert!(layouts.len() >= 60, "{} layouts", layouts.len());
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn a_tool_s_result_is_material() {
    let query = Query { call: Some(super::super::ToolCall::default()), ..Query::default() };
    let text = "Please summarise this.";
    assert_eq!(frame(text, &query).material.first(), Some(&(0..text.len())));
}

#[test]
fn a_short_message_is_the_users() {
    for text in ["Why?", "", "\n\n", "Write a poem about the sea.", "</doc>", "```", "<a>", "[[ ## x ## ]]"] {
        assert!(frame(text, &Query::default()).is_whole(), "{text}");
    }
}

#[test]
fn what_a_closed_field_rules_ends_with_it() {
    let told =
        "The mill was built in 1840 by two brothers from the coast, who wanted to grind bark for tanners. ".repeat(4);
    let told = told.trim();
    for (opens, closes) in [("-----BEGIN REPORT-----", "-----END REPORT-----"), ("[TEXT]", "[/TEXT]")] {
        let text = format!("[RULES]\ntone = dry\n[/RULES]\n\n{opens}\n{told}\n\n{told}\n{closes}\n\nSum it up.\n");
        let found = frame(&text, &Query::default());
        let material: Vec<&str> =
            found.material.iter().filter_map(|span| text.get(span.clone())).map(str::trim).collect();
        assert_eq!(material.join("\n\n"), format!("{told}\n\n{told}"), "{opens}");
    }
}

#[test]
fn hostile_messages_are_read_in_time() {
    // Anything but linear time would take minutes.
    let started = std::time::Instant::now();
    for unit in ["<a>\n", "```x\n", "[", "a: b\n", "\n\n", "- x\n", "Q: a\nA: b\n\n", "<a><b>", "é。", "\"\"\"\n"] {
        let _ = frame(&unit.repeat(3000), &Query::default());
    }
    assert!(started.elapsed().as_secs() < 30);
}
