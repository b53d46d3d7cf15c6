//! Secrets planted where they do not belong: whatever the program says about them, it does not repeat them.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

/// Nothing that the program says by itself.
const WORD: &str = "hunter2planted";

/// The same, as a provider's key looks.
const KEY: &str = "sk-proj-hunter2planted0123456789";

fn headroom(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headroom"));
    command.current_dir(folder).env_clear().env("HOME", folder).envs(variables.iter().copied());
    command.args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs the program, which must refuse and not repeat the secret; what it says.
fn refused(variables: &[(&str, &str)], file: &str, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    if !file.is_empty() {
        fs::write(folder.path().join("config.toml"), file).unwrap();
    }
    let output = headroom(folder.path(), variables, arguments);
    let told = said(&output);
    assert!(!output.status.success(), "{variables:?} {file} {arguments:?}: {told}");
    assert!(!told.contains("hunter2"), "{variables:?} {file} {arguments:?}: {told}");
    told
}

/// The variables of every key, as `config show` lists them.
fn variables() -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let shown = said(&headroom(folder.path(), &[], &["config", "show"]));
    let (mut section, mut names) = (String::new(), Vec::new());
    for line in shown.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_uppercase();
        } else if let Some(key) = line.trim_start_matches("# ").split([' ', '=']).next().filter(|key| !key.is_empty()) {
            names.push(format!("HEADROOM_{section}__{}", key.to_uppercase()));
        }
    }
    assert!(names.len() > 50, "{shown}");
    names
}

#[test]
fn an_unknown_variable_or_key_is_named_without_its_value() {
    for secret in [WORD, KEY] {
        let told = refused(&[("HEADROOM_UPSTREAM__OPENAI_API_KEY", secret)], "", &["config", "check"]);
        assert!(told.contains("HEADROOM_UPSTREAM__OPENAI_API_KEY"), "{told}");
        for file in [
            format!("[upstream]\napi_key = \"{secret}\"\n"),
            format!("openai_api_key = \"{secret}\"\n"),
            format!("upstream = \"{secret}\"\n"),
            format!("[upstream.url]\n{WORD} = 1\n"),
        ] {
            refused(&[], &file, &["config", "check"]);
        }
    }
    refused(&[], &format!("[upstream]\n\"{KEY}\" = 1\n"), &["config", "check"]);
}

#[test]
fn no_key_shows_a_secret_that_was_put_into_it() {
    for name in variables() {
        for value in [WORD, "{a = \"hunter2\"}"] {
            let folder = tempfile::tempdir().unwrap();
            let output = headroom(folder.path(), &[(&name, value)], &["config", "check"]);
            assert!(!said(&output).contains("hunter2"), "{name}={value}: {}", said(&output));
        }
        // What is accepted is shown, unless it looks like a key.
        let folder = tempfile::tempdir().unwrap();
        let output = headroom(folder.path(), &[(&name, KEY)], &["config", "show"]);
        assert!(!said(&output).contains("hunter2"), "{name}: {}", said(&output));
    }
}

#[test]
fn no_part_of_a_url_is_repeated_but_its_host() {
    for url in [
        format!("{WORD}@api.example"),
        format!("user:{WORD}@api.example"),
        format!("http://user:{WORD}@api.example"),
        format!("http://user:a/{WORD}@api.example"),
        format!("http://{WORD}@api.example/v1"),
        format!("https://api.example/v1?key={WORD}"),
        format!("https://api.example/v1#{WORD}"),
        format!("ftp://{WORD}:x@api.example"),
        format!("ftp://api.example/{WORD}"),
        format!("http://a b/{WORD}"),
        KEY.to_owned(),
    ] {
        refused(&[], "", &["serve", "--no-model", "--listen", "127.0.0.1:0", "--upstream", &url]);
        refused(&[("HEADROOM_UPSTREAM", &url)], "", &["config", "show"]);
        refused(&[], "", &["explain", "--url", &format!("http://user:{WORD}@127.0.0.1:1/?key={WORD}")]);
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, url) in [
        ("HEADROOM_FIDELITY__BASE_URL", format!("http://user:{WORD}@checker.example/v1?key={WORD}")),
        ("HEADROOM_UPSTREAM__URL", "https://gateway.example/4f9hunter2a8b7c6d5e4f3a/openai".to_owned()),
    ] {
        let shown = headroom(folder.path(), &[(name, &url)], &["config", "show"]);
        assert!(shown.status.success() && said(&shown).contains("***"), "{}", said(&shown));
        assert!(!said(&shown).contains("hunter2"), "{}", said(&shown));
    }
}

#[test]
fn a_key_in_the_place_of_its_variables_name_is_not_repeated() {
    for (name, also) in [
        ("HEADROOM_UPSTREAM__API_KEY_ENV", ("HEADROOM_LOG", "info")),
        ("HEADROOM_FIDELITY__API_KEY_ENV", ("HEADROOM_FIDELITY__MODE", "inline")),
    ] {
        for secret in [WORD, KEY] {
            let more = [("HEADROOM_FIDELITY__BASE_URL", "http://127.0.0.1:1/v1"), ("HEADROOM_FIDELITY__MODEL", "m")];
            let variables = [(name, secret), also, more[0], more[1]];
            let told = refused(&variables, "", &["serve", "--no-model", "--listen", "127.0.0.1:0"]);
            assert!(told.contains("api_key_env"), "{told}");
        }
    }
    refused(&[], "", &["explain", "--key-env", KEY]);
    refused(&[], "", &["explain", "--key-env", WORD]);
}

#[test]
fn a_file_that_is_no_toml_is_told_by_line_and_column() {
    for line in [
        format!("api_key = {WORD}"),
        format!("api_key = \"{WORD}"),
        WORD.to_owned(),
        format!("[{WORD}"),
        format!("a = '{WORD}' '{WORD}'"),
        format!("{WORD} = 1\n{WORD} = 2"),
    ] {
        let told = refused(&[], &format!("[server]\n# a line\n{line}\n"), &["config", "check"]);
        assert!(told.contains("at line "), "{told}");
    }
}

#[test]
fn a_file_that_lies_in_a_folder_sends_nothing_anywhere() {
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let address = elsewhere.local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let checker = format!("[fidelity]\nmode = \"inline\"\nmodel = \"m\"\nbase_url = \"http://{address}/v1\"\n");
    let body = r#"{"messages": [{"role": "user", "content": "text"}]}"#;
    fs::write(folder.path().join("requests.jsonl"), body).unwrap();
    for (file, arguments) in [
        (format!("[server]\nlisten = \"{address}\"\n"), vec!["explain", "--key-env", "KEY"]),
        ("[server]\nlisten = \"192.0.2.1:1\"\n".to_owned(), vec!["explain"]),
        ("[server]\nlisten = \"192.0.2.1:1\"\n".to_owned(), vec!["audit"]),
        (checker.clone(), vec!["audit", "requests.jsonl", "--no-model"]),
        (checker.clone(), vec!["fidelity", "calibrate"]),
    ] {
        fs::write(folder.path().join("config.toml"), file).unwrap();
        let output = headroom(folder.path(), &[("KEY", KEY)], &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains("was not named"), "{arguments:?}: {}", said(&output));
    }
    assert!(elsewhere.accept().is_err(), "nobody came");
    // Named, it is the user's word.
    fs::write(folder.path().join("config.toml"), format!("[server]\nlisten = \"{address}\"\n")).unwrap();
    elsewhere.set_nonblocking(false).unwrap();
    let came = std::thread::spawn(move || elsewhere.accept().is_ok());
    headroom(folder.path(), &[("KEY", KEY)], &["explain", "--key-env", "KEY", "--config", "config.toml"]);
    assert!(came.join().unwrap());
}

#[test]
fn a_mistyped_command_line_is_not_repeated() {
    for arguments in [
        vec!["--ratio", WORD],
        vec!["--mode", WORD],
        vec!["--style", KEY],
        vec![WORD],
        vec![KEY],
        vec!["--upstream-key=hunter2"],
        vec!["--openai-hunter2planted0123456789abcdef"],
        vec!["explain", "hunter2 planted"],
        vec!["explain", "--key-header", WORD],
        vec!["audit", "x.jsonl", "--price-per-million", WORD],
        vec!["config", WORD],
        vec!["serve", WORD],
    ] {
        let told = refused(&[], "", &arguments);
        assert!(told.contains("--help"), "{arguments:?}: {told}");
    }
}
