//! The parts know of each other only in the agreed direction.

mod included;
mod theory;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use regex::Regex;

/// A part of the source, and what it must not name: crates, modules of ours (`crate::`), neighbours (`super::`).
const BANS: &[(&str, &[&str])] = &[
    (
        "compress",
        &[
            "tokio",
            "hyper",
            "http",
            "reqwest",
            "ort",
            "figment",
            "crate::wire",
            "crate::config",
            "crate::engine",
            "crate::model",
            "crate::proxy",
            "crate::server",
            "crate::telemetry",
        ],
    ),
    (
        "wire",
        &[
            "tokio",
            "hyper",
            "http",
            "reqwest",
            "crate::compress",
            "crate::config",
            "crate::engine",
            "crate::model",
            "crate::proxy",
            "crate::server",
            "crate::telemetry",
        ],
    ),
    ("engine", &["hyper", "http", "reqwest", "crate::wire", "crate::config", "crate::proxy", "crate::server"]),
    ("model", &["hyper", "http", "reqwest", "crate::wire", "crate::config", "crate::proxy", "crate::server"]),
    ("proxy", &["reqwest", "figment", "crate::config", "crate::model", "crate::server"]),
    ("proxy/access", UNAWARE),
    ("proxy/passthrough", UNAWARE),
    ("proxy/body", UNAWARE),
    ("proxy/headers", UNAWARE),
    ("proxy/tunnel", UNAWARE),
    ("proxy/upstream", UNAWARE),
    ("ledger", &["tokio", "hyper", "http", "reqwest", "crate::wire", "crate::config", "crate::proxy", "crate::server"]),
    ("audit", &["tokio", "hyper", "http", "reqwest", "crate::wire", "crate::config", "crate::proxy", "crate::server"]),
    ("originals", &["hyper", "http", "reqwest", "crate::wire", "crate::config", "crate::proxy", "crate::server"]),
    (
        "explain",
        &["tokio", "hyper", "http", "reqwest", "crate::wire", "crate::config", "crate::proxy", "crate::server"],
    ),
    ("server", &["crate::wire", "crate::compress", "crate::config", "crate::engine", "crate::model"]),
    (
        "telemetry",
        &[
            "crate::wire",
            "crate::compress",
            "crate::config",
            "crate::engine",
            "crate::model",
            "crate::proxy",
            "crate::server",
        ],
    ),
];

/// What the relay must not know of: without interception it is the whole proxy.
const UNAWARE: &[&str] = &[
    "serde_json",
    "crate::wire",
    "crate::compress",
    "crate::engine",
    "super::intercept",
    "super::own",
    "super::slots",
];

#[test]
fn no_part_knows_what_it_must_not() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for (part, banned) in BANS {
        let files = files(&source, part);
        assert!(!files.is_empty(), "there is no part {part}");
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            let names = names(code).into_iter().filter(|name| banned.contains(&name.as_str()));
            found.extend(names.map(|name| (file.clone(), name)));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_name_in_any_form_is_seen() {
    let code = "use crate::{\n    wire::{self, Slot},\n    engine::Engine,\n};\nuse super::{own, slots::decide};\n\
                let x = crate::model::y(serde_json::json!(1));\n/// prose about server::run\nuse hyper::Request;\n\
                fn f() -> own_crate::Thing {}";
    let expected = [
        "crate::engine",
        "crate::model",
        "crate::wire",
        "hyper",
        "own_crate",
        "serde_json",
        "super::own",
        "super::slots",
    ];
    let seen: Vec<String> =
        names(code).into_iter().filter(|name| !["engine", "slots", "wire"].contains(&name.as_str())).collect();
    assert_eq!(seen, expected);
}

/// `part.rs` and everything under `part/`.
fn files(source: &Path, part: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = vec![source.join(format!("{part}.rs"))];
    files.retain(|file| file.exists());
    let mut folders = vec![source.join(part)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name != "tests.rs") {
                files.push(path);
            }
        }
    }
    files
}

/// What code names: the first word of each path, with `crate::` or `super::` before it where it stands there.
fn names(code: &str) -> BTreeSet<String> {
    let code: String = code.lines().map(str::trim).filter(|line| !line.starts_with("//")).collect::<Vec<_>>().join(" ");
    let mut names = BTreeSet::new();
    let path = Regex::new(r"(?:^|[^\w:])([a-z_][a-z0-9_]*)::").unwrap();
    names.extend(path.captures_iter(&code).map(|found| found[1].to_owned()));
    let own = Regex::new(r"\b(crate|super)::(?:\{|([a-z_][a-z0-9_]*))").unwrap();
    for found in own.captures_iter(&code) {
        let inside = &code[found.get(0).unwrap().end()..];
        let words = found.get(2).map_or_else(|| first_words(inside), |word| vec![word.as_str().to_owned()]);
        names.extend(words.into_iter().map(|word| format!("{}::{word}", &found[1])));
    }
    for word in ["crate", "super", "self", "std"] {
        names.remove(word);
    }
    names
}

/// The first word of each item of a group, from behind its opening brace.
fn first_words(group: &str) -> Vec<String> {
    let (mut depth, mut items) = (1, vec![String::new()]);
    for char in group.chars() {
        depth += i32::from(char == '{') - i32::from(char == '}');
        match (depth, char) {
            (0, _) => break,
            (1, ',') => items.push(String::new()),
            _ => items.last_mut().unwrap().push(char),
        }
    }
    let first = |item: &String| item.trim().chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect();
    items.iter().map(first).filter(|word: &String| !word.is_empty()).collect()
}
