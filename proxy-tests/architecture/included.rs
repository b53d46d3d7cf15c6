//! What the program holds of files beside its source is there where its container image is built.

use std::{
    fs,
    path::{Path, PathBuf},
};

use regex::Regex;

use super::files;

#[test]
fn what_the_program_includes_is_sent_to_where_its_image_is_built() {
    let root = fs::canonicalize(env!("CARGO_MANIFEST_DIR")).unwrap();
    let ignored = fs::read_to_string(root.join(".dockerignore")).unwrap();
    let sent: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let included: Vec<PathBuf> = files(&root.join("src"), "").iter().flat_map(|file| included(&root, file)).collect();
    assert!(included.iter().any(|file| file.starts_with("fixtures")), "{included:?}");
    let missing: Vec<_> = included.iter().filter(|file| !sent.iter().any(|path| file.starts_with(path))).collect();
    assert!(missing.is_empty(), ".dockerignore leaves out {missing:?}");
}

/// The files that one of the source includes outside of tests, as seen from the root.
fn included(root: &Path, file: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(file).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap();
    // Tests in files of their own.
    let is_test = file.to_string_lossy().ends_with("tests.rs");
    let name = Regex::new(r#"include_(?:str|bytes)!\(\s*"([^"]+)""#).unwrap();
    let names = name.captures_iter(code).filter(|_| !is_test);
    let place = |name: &str| fs::canonicalize(file.parent().unwrap().join(name)).unwrap();
    names.map(|found| place(&found[1]).strip_prefix(root).unwrap().to_owned()).collect()
}
