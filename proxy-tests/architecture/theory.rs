//! Inside of `compress`: which part may know which, and that no two files of a part know each other.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use regex::Regex;

/// Each part with the parts that it may know, all of them above it: so there is no circle. What stands alone knows
/// nothing of the rest. `compress.rs` itself may know them all, and nobody knows it.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("ratio", &[]),
    ("syntax", &[]),
    ("rewrite", &["syntax"]),
    ("fuel", &["rewrite"]),
    ("text", &["fuel"]),
    ("tokens", &["fuel"]),
    ("worth/weights", &[]),
    ("policy", &["ratio"]),
    ("original", &[]),
    ("outcome", &["text", "ratio", "original"]),
    ("ask", &["fuel", "text", "worth/weights", "original", "outcome"]),
    ("bond", &["fuel"]),
    ("guard", &["fuel", "text", "outcome"]),
    ("mark", &["fuel", "text", "worth/weights", "original", "outcome", "tokens"]),
    ("reexpand", &["outcome", "tokens", "mark"]),
    (
        "form",
        &["fuel", "text", "tokens", "ratio", "worth/weights", "policy", "outcome", "ask", "bond", "guard", "mark"],
    ),
    ("replay", &["fuel", "text", "tokens", "ratio", "policy", "outcome", "ask", "form", "mark"]),
    ("worth", &["fuel", "text", "rewrite", "worth/weights", "policy", "outcome", "ask", "bond", "form"]),
    ("shorten", &["text", "syntax", "rewrite", "worth/weights", "outcome", "ask", "bond", "guard", "form", "worth"]),
    ("choose", &["fuel", "worth/weights", "outcome", "bond", "form", "worth"]),
];

#[test]
fn the_parts_of_compress_know_each_other_in_one_direction() {
    for (at, (part, known)) in MAY_KNOW.iter().enumerate() {
        let above = |known: &&str| MAY_KNOW.iter().take(at).any(|(part, _)| part == known);
        assert!(known.iter().all(above), "{part} may only know parts that stand above it");
    }
    let mut wrong = Vec::new();
    for file in files() {
        let own = part(&file.path);
        let allowed = MAY_KNOW.iter().find(|(part, _)| *part == own).map(|(_, known)| *known);
        let Some(allowed) = allowed else { panic!("{own} is not in the table") };
        for path in &file.names {
            let other = part(path);
            if other != own && !allowed.contains(&other.as_str()) {
                wrong.push(format!("{} names {}", file.path.join("::"), path.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_two_files_of_a_part_know_each_other() {
    // Siblings: `form/log.rs` with all of `form/log/` is one, as its neighbours see it.
    let mut knows: BTreeMap<Vec<String>, BTreeSet<Vec<String>>> = BTreeMap::new();
    for file in files() {
        for path in &file.names {
            for depth in 1..file.path.len() {
                let (own, other) = (&file.path[..=depth], path.get(..=depth).unwrap_or_default());
                let neighbours = own.len() == other.len() && own[..depth] == other[..depth] && own != other;
                if neighbours && exists(other) {
                    knows.entry(own.to_vec()).or_default().insert(other.to_vec());
                }
            }
        }
    }
    for from in knows.keys() {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(at) = open.pop() {
            for next in knows.get(at).into_iter().flatten() {
                assert!(next != from, "a circle from {} by way of {}", from.join("::"), at.join("::"));
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
    }
}

#[test]
fn every_path_of_a_use_is_resolved() {
    let here = ["form".to_owned(), "json".to_owned()];
    let code = "use super::{Block, text::{word, atoms::Scan}};\nuse crate::compress::Form;\nfn f() { super::super::mark::x() }";
    let exports = BTreeMap::from([("Form".to_owned(), "outcome".to_owned())]);
    let found: Vec<String> = resolved(code, &here, &exports).iter().map(|path| path.join("::")).collect();
    assert_eq!(found, ["form::Block", "form::text::atoms::Scan", "form::text::word", "mark::x", "outcome::Form"]);
}

/// A file of `compress`: its module path within it, and the paths that its code names.
struct File {
    path: Vec<String>,
    names: BTreeSet<Vec<String>>,
}

fn files() -> Vec<File> {
    let root = root();
    let exports = exports();
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let file = entry.unwrap().path();
            if file.is_dir() {
                folders.push(file);
            } else if file.extension().is_some_and(|extension| extension == "rs") {
                let module = file.strip_prefix(&root).unwrap().with_extension("");
                let path: Vec<String> = module.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
                if !path.iter().any(|part| part == "tests" || part.ends_with("_tests")) {
                    let text = fs::read_to_string(&file).unwrap();
                    let code = text.split("#[cfg(test)]\nmod").next().unwrap();
                    files.push(File { names: resolved(code, &path, &exports), path });
                }
            }
        }
    }
    files
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/compress")
}

/// Which part an item comes from that `compress.rs` gives on.
fn exports() -> BTreeMap<String, String> {
    let code = fs::read_to_string(root().with_extension("rs")).unwrap();
    let given = Regex::new(r"pub use ([^;]+);").unwrap();
    let paths = given.captures_iter(&code).flat_map(|found| expanded(&found[1])).collect::<Vec<_>>();
    paths.into_iter().filter_map(|path| Some((path.last()?.clone(), path.first()?.clone()))).collect()
}

/// The paths within `compress` that the code of a module names.
fn resolved(code: &str, here: &[String], exports: &BTreeMap<String, String>) -> BTreeSet<Vec<String>> {
    let code: Vec<&str> = code.lines().filter(|line| !line.trim().starts_with("//")).collect();
    let code = code.join("\n");
    let (uses, inline) = (Regex::new(r"\buse ([^;]+);").unwrap(), Regex::new(r"\b(?:crate|super)(?:::\w+)+").unwrap());
    let mut paths: Vec<Vec<String>> = uses.captures_iter(&code).flat_map(|found| expanded(&found[1])).collect();
    let rest = uses.replace_all(&code, "");
    paths.extend(inline.find_iter(&rest).flat_map(|found| expanded(found.as_str())));
    let absolute = |path: Vec<String>| -> Option<Vec<String>> {
        let ups = path.iter().take_while(|word| *word == "super").count();
        let path = match path.first()?.as_str() {
            "super" => [here.get(..here.len().checked_sub(ups)?)?, path.get(ups..)?].concat(),
            "crate" if path.get(1)? == "compress" => path.get(2..)?.to_vec(),
            _ => return None,
        };
        let first = path.first()?;
        Some(match exports.get(first) {
            Some(part) => [std::slice::from_ref(part), &path].concat(),
            None => path,
        })
    };
    paths.into_iter().filter_map(absolute).collect()
}

/// The paths of a use tree.
fn expanded(tree: &str) -> Vec<Vec<String>> {
    let Some((before, group)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![path.split("::").map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()];
    };
    let group = group.rsplit_once('}').map_or(group, |(group, _)| group);
    let (mut depth, mut items) = (0, vec![String::new()]);
    for char in group.chars() {
        depth += i32::from(char == '{') - i32::from(char == '}');
        if char == ',' && depth == 0 {
            items.push(String::new());
        } else {
            items.last_mut().unwrap().push(char);
        }
    }
    let items = items.iter().filter(|item| !item.trim().is_empty());
    items.flat_map(|item| expanded(&format!("{before}{}", item.trim()))).collect()
}

/// The part that a path belongs to.
fn part(path: &[String]) -> String {
    match path {
        [first, second, ..] if first == "worth" && second == "weights" => "worth/weights".to_owned(),
        [first, ..] => first.clone(),
        [] => String::new(),
    }
}

fn exists(path: &[String]) -> bool {
    root().join(path.join("/")).with_extension("rs").exists()
}
