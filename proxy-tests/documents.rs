//! What the documents promise: links and headings that they name are there, commands and flags exist, and the reference of the
//! configuration is made from `config.example.toml`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::PathBuf,
};

use super::{root, run, stdout};

/// Every document that people read, by its path.
fn documents() -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir()
                && !name.starts_with('.')
                && !["target", "runs", "venv", "node_modules"].contains(&name.as_str())
            {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let text = fs::read_to_string(&path).unwrap();
                found.insert(path, text);
            }
        }
    }
    assert!(found.len() > 10, "{:?}", found.keys());
    found
}

/// Without what stands in fences of code.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// How a heading is linked to: small letters and digits, spaces as `-`, other signs left out.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.split("```").step_by(2).flat_map(str::lines).filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let plain = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        plain.chars().filter(|char| char.is_alphanumeric() || "-_".contains(*char)).collect()
    };
    headings.map(anchor).collect()
}

/// Every `fn` of the sources and of the tests.
fn functions() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![root().join("src"), root().join("proxy-tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let names = text.split("fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next());
                found.extend(names.map(str::to_owned));
            }
        }
    }
    found
}

#[test]
fn every_test_by_which_a_promise_is_held_exists() {
    let (text, functions) = (fs::read_to_string(root().join("docs/promises.md")).unwrap(), functions());
    let named: Vec<&str> = text.split('`').skip(1).step_by(2).filter(|name| name.matches('_').count() >= 3).collect();
    assert!(named.len() > 50, "{named:?}");
    let missing: Vec<_> = named.iter().filter(|name| !functions.contains(**name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn links_in_documents_lead_somewhere() {
    let documents = documents();
    let mut followed = 0;
    for (path, text) in &documents {
        for link in prose(text).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(target.exists(), "{} links to {link}", path.display());
            if !anchor.is_empty() {
                let there = anchors(&fs::read_to_string(&target).unwrap());
                assert!(there.contains(anchor), "{} links to {link}; there are {there:?}", path.display());
            }
            followed += 1;
        }
    }
    assert!(followed > 30, "{followed}");
}

#[test]
fn documents_name_only_commands_and_flags_that_there_are() {
    let mut known: BTreeSet<String> = BTreeSet::from(["--version".to_owned(), "--help".to_owned()]);
    let mut pages = vec![Vec::new()];
    let mut names = BTreeSet::new();
    while let Some(page) = pages.pop() {
        let arguments: Vec<&str> = page.iter().map(String::as_str).chain(["--help"]).collect();
        let help = stdout(&run(&arguments));
        known.extend(super::flags(&help));
        let listed = help.split_once("Commands:\n").map_or("", |(_, listed)| listed);
        let listed = listed.lines().take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
        for name in listed.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help") {
            names.insert(name.to_owned());
            pages.push([page.clone(), vec![name.to_owned()]].concat());
        }
    }
    let mut checked = 0;
    for (path, text) in documents() {
        for line in text.split("```").skip(1).step_by(2).flat_map(str::lines) {
            // What a wrapped program is given is its own.
            let command = line.split('#').next().unwrap_or_default().split(" -- ").next().unwrap_or_default();
            let Some(arguments) = command.strip_prefix("headroom ") else { continue };
            let first = arguments.split_whitespace().next().unwrap_or_default();
            assert!(first.starts_with('-') || names.contains(first), "{}: {line}", path.display());
            for flag in super::flags(arguments) {
                assert!(known.contains(&flag), "{} names {flag}, which no command takes: {line}", path.display());
                checked += 1;
            }
        }
    }
    assert!(checked > 10, "{checked}");
}

#[test]
fn the_reference_of_the_configuration_is_made_from_the_example() {
    let reference = reference(&fs::read_to_string(root().join("config.example.toml")).unwrap());
    let path = root().join("docs/configuration.md");
    if std::env::var_os("UPDATE_DOCUMENTS").is_some() {
        fs::write(&path, &reference).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    let remedy = "`UPDATE_DOCUMENTS=1 cargo test --test cli documents` writes it anew";
    assert!(written == reference, "docs/configuration.md is not what config.example.toml says: {remedy}");
}

/// A table for each section; upstreams, clients and rules, of which there may be several, as they stand there.
fn reference(example: &str) -> String {
    let lists = example.find("\n# [[").and_then(|at| example.get(..at)?.rfind("\n\n")).unwrap();
    let (settings, lists) = example.split_at(lists);
    let mut out = String::from(HEAD);
    let (mut said, mut in_table) = (Vec::new(), false);
    for line in settings.lines() {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        if let Some(section) = line.strip_prefix('[') {
            let _ = write!(out, "\n## {}\n", section.trim_end_matches(']'));
            (said, in_table) = (Vec::new(), false);
        } else if let Some((key, value)) = setting(bare) {
            if !in_table {
                out.push_str("\n| key | default | |\n|---|---|---|\n");
                in_table = true;
            }
            let default = if line.starts_with('#') { "not set".to_owned() } else { format!("`{value}`") };
            let _ = writeln!(out, "| `{key}` | {default} | {} |", said.join(" ").replace('|', "\\|"));
            said.clear();
        } else if line.is_empty() {
            said.clear();
        } else {
            // An example within the text.
            said.push(if bare.starts_with("  ") { format!("`{}`", bare.trim()) } else { bare.to_owned() });
        }
    }
    let _ = write!(out, "\n## upstreams, clients and rules\n\n```toml\n{}\n```\n", lists.trim());
    out
}

fn setting(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(" = ")?;
    let is_key =
        !key.is_empty() && key.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_');
    is_key.then_some((key, value))
}

const HEAD: &str = "\
# Configuration

Defaults, then `config.toml`, then the environment, then flags: later ones win. `HEADROOM_SECTION__KEY` sets `section.key`. Short names
are HEADROOM_LISTEN, HEADROOM_UPSTREAM, HEADROOM_RATIO, HEADROOM_MODE, HEADROOM_PROFILE and HEADROOM_LOG. An unknown key or a bad value stops
the start and names what to correct.

```sh
headroom config init                             # config.toml with every key, commented out
headroom config check                            # is it usable?
headroom config show                             # what is in effect, and where each value came from
```

This page is made from [config.example.toml](../config.example.toml).
";

#[test]
fn a_heading_is_linked_to_as_it_is_on_a_page() {
    assert_eq!(anchors("# What's `this`, then?\n```\n# no\n```\n"), BTreeSet::from(["whats-this-then".to_owned()]));
    let table =
        reference("# Intro.\n# profile = \"a\"\n\n[b]\n# One | two.\nkey = 1\n\n# Rules.\n# [[rules]]\n# x = 1\n");
    assert!(table.contains("| `profile` | not set | Intro. |") && table.contains("## b"), "{table}");
    assert!(table.contains("| `key` | `1` | One \\| two. |"), "{table}");
}
