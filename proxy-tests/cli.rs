//! What the command line promises: outputs, exit statuses, and that README and examples name only what there is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to fail")]

mod documents;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;

/// The program in an empty folder, without settings of whoever runs the tests.
fn headroom(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headroom"));
    command.current_dir(folder).env_clear().env("HOME", folder).env("NO_COLOR", "1").stdin(Stdio::null());
    for kept in ["PATH", "ORT_DYLIB_PATH", "SystemRoot", "LD_LIBRARY_PATH"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command
}

fn run(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    headroom(folder.path()).args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/demo/service-agreement.md");
const TINY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/tiny-headroom-t5");

#[test]
fn compress_prints_the_condensed_text_alone() {
    let output = run(&["compress", DOCUMENT, "--no-model", "--ratio", "5"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let document = fs::read_to_string(DOCUMENT).unwrap();
    let (short, long) = (stdout(&output).len(), document.len());
    assert!(short > 0 && short < long / 3, "{short} of {long}");
    assert_eq!(stderr(&output), "");
}

#[test]
fn a_proxy_does_not_forward_to_itself() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let upstream = format!("http://localhost:{}", free.port());
    let output = run(&["serve", "--listen", &free.to_string(), "--upstream", &upstream, "--no-model"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let told = stderr(&output);
    assert!(told.contains("the proxy's own address") && told.contains("--upstream"), "{told}");
}

#[test]
fn compress_reads_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = headroom(folder.path())
        .args(["compress", "-", "--no-model", "--ratio", "5"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&fs::read(DOCUMENT).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.stdout, run(&["compress", DOCUMENT, "--no-model", "--ratio", "5"]).stdout);
}

#[test]
fn compress_explains_every_unit_on_standard_error() {
    let output = run(&["compress", DOCUMENT, "--no-model", "--ratio", "5", "--explain"]);
    let account = stderr(&output);
    assert!(account.contains(" tokens ("), "{account}");
    assert!(account.contains(" ms, no model"), "{account}");
    assert!(account.lines().any(|line| line.starts_with("dropped")), "{account}");
    assert!(!account.contains('\x1b'));
    assert_eq!(output.stdout, run(&["compress", DOCUMENT, "--no-model", "--ratio", "5"]).stdout);
}

#[test]
fn compress_accounts_for_every_byte_as_json() {
    let output = run(&["compress", DOCUMENT, "--no-model", "--ratio", "5", "--json"]);
    let account: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (before, after) = (account["tokens_before"].as_u64().unwrap(), account["tokens_after"].as_u64().unwrap());
    assert!(3 * after < before, "{before} -> {after}");
    assert!(account["ratio"].as_f64().unwrap() > 3.0);
    assert!(account["ms"].is_number());
    let mut end = 0;
    for unit in account["units"].as_array().unwrap() {
        assert_eq!(unit["start"].as_u64(), Some(end));
        end = unit["end"].as_u64().unwrap();
        assert!(["kept", "rewritten", "dropped"].contains(&unit["decision"].as_str().unwrap()));
        assert!(unit["form"].is_string() && unit["reason"].is_string() && unit["score"].is_number());
    }
    assert_eq!(end, fs::metadata(DOCUMENT).unwrap().len());
    assert!(account["text"].as_str().unwrap().len() < usize::try_from(end).unwrap() / 3);
}

#[test]
fn what_is_asked_for_is_kept() {
    let query = "How many days before its end can committed use be cancelled, and when is data deleted?";
    let output = run(&["compress", DOCUMENT, "--no-model", "--ratio", "10", "--query", query]);
    assert!(stdout(&output).contains("60 days"), "{}", stdout(&output));
}

#[test]
fn the_model_takes_part_when_there_is_one() {
    let with = run(&["compress", DOCUMENT, "--model", TINY, "--ratio", "5", "--explain"]);
    assert!(with.status.success(), "{}", stderr(&with));
    assert!(!stderr(&with).contains("no model"), "{}", stderr(&with));
}

#[test]
fn model_info_says_name_fingerprint_and_files() {
    let output = run(&["model", "info", "--model", TINY]);
    let info = stdout(&output);
    for said in ["model ", "fingerprint ", "vocabulary ", "runtime ", "encoder.onnx", "loaded in "] {
        assert!(info.contains(said), "{said}: {info}{}", stderr(&output));
    }
    let output = run(&["model", "info", "--model", TINY, "--json"]);
    let info: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(info["fingerprint"].as_str().map(str::is_empty), Some(false));
}

#[test]
fn the_bundled_model_says_where_it_comes_from() {
    let bundled = concat!(env!("CARGO_MANIFEST_DIR"), "/models/headroom-t5-small");
    let info = stdout(&run(&["model", "info", "--model", bundled]));
    for said in ["parameters ", "licence      Apache-2.0", "trained on   ", "recipe       ", "card         "] {
        assert!(info.contains(said), "{said}: {info}");
    }
    assert!(!info.contains("not said"), "{info}");
}

#[test]
fn loading_a_model_leaves_nothing_behind_in_the_users_folders() {
    let folder = tempfile::tempdir().unwrap();
    let output = headroom(folder.path()).args(["model", "info", "--model", TINY]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    // ONNX Runtime's reporting client would keep its identity and its queue here.
    let left: Vec<PathBuf> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, Vec::<PathBuf>::new());
}

#[test]
fn model_use_prints_lines_that_config_check_accepts() {
    let folder = tempfile::tempdir().unwrap();
    let used = headroom(folder.path()).args(["model", "use", TINY]).output().unwrap();
    assert!(used.status.success(), "{}", stderr(&used));
    fs::write(folder.path().join("config.toml"), &used.stdout).unwrap();
    let checked = headroom(folder.path()).args(["config", "check"]).output().unwrap();
    assert!(stdout(&checked).starts_with("ok: "), "{}", stderr(&checked));
    let shown = headroom(folder.path()).args(["config", "show"]).output().unwrap();
    assert!(stdout(&shown).contains("tiny-headroom-t5"));
}

#[test]
fn the_demo_shows_what_the_provider_would_have_received() {
    let output = run(&["demo", "--no-model", "--ratio", "5"]);
    let shown = stdout(&output);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(shown.contains("What the provider received"), "{shown}");
    assert!(shown.contains("The question arrived word for word."), "{shown}");
    assert!(shown.contains("x-headroom-outcome: compressed | compressed"), "{shown}");
    assert!(shown.contains("x-headroom-cache: hits=0, misses=1 | hits=1, misses=0"), "{shown}");
}

#[test]
fn what_has_to_be_corrected_stops_the_start_with_status_2_and_says_what_to_do() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().to_string();
    let port = taken.rsplit(':').next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let damaged = folder.path().join("damaged");
    fs::create_dir(&damaged).unwrap();
    for file in fs::read_dir(TINY).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), damaged.join(file.file_name())).unwrap();
    }
    fs::write(damaged.join("encoder.onnx"), b"damaged").unwrap();
    let damaged = damaged.display().to_string();
    for (arguments, said) in [
        (vec!["--no-model", "--listen", &taken], "`server.listen`"),
        (vec!["--no-model", "--host", "127.0.0.1", "--port", port], "--port and name it"),
        (vec!["--no-model", "--listen", "nowhere"], "`server.listen`"),
        (vec!["--no-model", "--host", "example.org"], "the flag --host"),
        (vec!["--no-model", "--upstream", "https://h/v1/chat/completions"], "leave the endpoint out"),
        (vec!["--no-model", "--upstream", "ftp://x"], "`upstream.url`"),
        (vec!["--no-model", "--config", "/no/such.toml"], "/no/such.toml"),
        (vec!["--listen", "127.0.0.1:0", "--model", "/no/such/model"], "`model.path`"),
        (vec!["--listen", "127.0.0.1:0", "--model", &damaged], "encoder.onnx"),
        (vec!["--no-such-flag"], "--no-such-flag"),
        (vec!["--ratio", "21"], "2 to 20"),
    ] {
        let output = run(&[&["serve"], &arguments[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn what_fails_on_the_way_is_status_1() {
    let output = run(&["compress", "/no/such/file", "--no-model"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("/no/such/file"));
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let output = run(&["health", "--listen", &nobody]);
    assert_eq!(output.status.code(), Some(1));
}

/// The words of a text that look like long flags.
fn flags(text: &str) -> Vec<String> {
    let is_flag = |word: &&str| word.starts_with("--") && word.len() > 2;
    let words = text.split(|char: char| !(char.is_ascii_alphanumeric() || char == '-'));
    words.filter(is_flag).map(str::to_owned).collect()
}

#[test]
fn every_key_of_the_example_is_in_effect_and_every_key_in_effect_is_in_the_example() {
    let shown = stdout(&run(&["config", "show"]));
    let example = fs::read_to_string(root().join("config.example.toml")).unwrap();
    // Servers and rules have keys of their own; none is in effect.
    let (example, _) = example.split_once("# [[upstreams]]").unwrap();
    let keys = |text: &str| {
        let name = |line: &str| {
            let line = line.trim_start_matches("# ");
            let name = line.split(" = ").next().unwrap_or(line).trim_end_matches(" is not set");
            // What a section within a section has is shown with its name.
            let name = name.rsplit('.').next().unwrap_or(name);
            let is_key = !name.is_empty() && name.chars().all(|char| char.is_ascii_lowercase() || char == '_');
            is_key.then(|| name.to_owned())
        };
        let mut keys: Vec<String> = text.lines().filter_map(name).collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(&shown), keys(example));
}

#[test]
fn a_first_configuration_is_the_default_one_and_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let init = || headroom(folder.path()).args(["config", "init"]).output().unwrap();
    assert!(stdout(&init()).starts_with("wrote config.toml"));
    let show = |arguments: &[&str]| stdout(&headroom(folder.path()).args(arguments).output().unwrap());
    let values = |shown: &str| shown.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
    let with = show(&["config", "show", "--config", "config.toml"]);
    assert_eq!(values(&with), values(&stdout(&run(&["config", "show"]))));

    let path = folder.path().join("config.toml");
    fs::write(&path, "mine").unwrap();
    let again = init();
    assert_eq!(again.status.code(), Some(2));
    assert!(stderr(&again).contains("config.toml is there already"), "{}", stderr(&again));
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
}

/// The commands that the help lists.
fn commands() -> Vec<String> {
    let help = stdout(&run(&["--help"]));
    let (_, listed) = help.split_once("Commands:\n").unwrap();
    let names = listed.lines().take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn shells_complete_every_command() {
    assert!(commands().len() > 10, "{:?}", commands());
    for shell in ["bash", "zsh", "fish"] {
        let script = stdout(&run(&["completions", shell]));
        for command in commands() {
            assert!(script.contains(&command), "{shell}: {command}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("headroom.bash");
    fs::write(&script, stdout(&run(&["completions", "bash"]))).unwrap();
    let typed = "COMP_WORDS=(headroom doc) COMP_CWORD=1; _headroom headroom doc headroom; echo \"${COMPREPLY[@]}\"";
    let bash = Command::new("bash").arg("-c").arg(format!("source {}; {typed}", script.display())).output();
    if let Ok(completed) = bash {
        assert_eq!(stdout(&completed).trim(), "doctor", "{}", stderr(&completed));
    }
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let output = headroom(folder.path()).args(["man", "--dir", "man1"]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    for command in commands().iter().filter(|command| *command != "help") {
        let page = fs::read_to_string(folder.path().join(format!("man1/headroom-{command}.1"))).unwrap();
        assert!(page.contains(".TH"), "{command}");
    }
    assert!(stdout(&run(&["man"])).contains(".SH SYNOPSIS"));
}

#[test]
fn a_profile_is_printed_to_be_pasted_and_an_unknown_one_lists_the_known() {
    let folder = tempfile::tempdir().unwrap();
    let printed = stdout(&run(&["profile", "agent"]));
    fs::write(folder.path().join("config.toml"), &printed).unwrap();
    let shown = headroom(folder.path()).args(["config", "show", "--profile", "rag"]).output().unwrap();
    let (pasted, named) =
        (stdout(&shown).find("name = \"agent-edits\""), stdout(&shown).find("# name = \"rag-found\""));
    assert!(pasted.is_some() && pasted < named, "{}", stdout(&shown));
    for arguments in [["profile", "agents"].as_slice(), &["config", "check", "--profile", "agents"]] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains("`agent`, `rag`, `support` and `archive`"), "{}", stderr(&output));
    }
}

#[test]
fn a_rule_whose_key_is_not_set_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.toml"), "[[rules]]\nkey = \"env:NO_SUCH_KEY\"\nexact = true\n").unwrap();
    for command in [["config", "check"].as_slice(), &["serve", "--no-model", "--port", "0"]] {
        let output = headroom(folder.path()).args(command).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{command:?}");
        let told = stderr(&output);
        assert!(told.contains("`rules.key` (rule 1 in ") && told.contains("set every variable"), "{told}");
    }
}

#[test]
fn what_serve_refuses_config_check_refuses_in_the_same_words() {
    for (text, key) in [
        ("[server.tls]\ncertificate_file = \"./no.pem\"\nkey_file = \"./no.key\"\n", "`server.tls.certificate_file`"),
        ("[telemetry]\naccess_log = \"./absent/access.log\"\n", "`telemetry.access_log`"),
        ("[ledger]\nfile = \"./notes.txt\"\n", "./notes.txt"),
        ("[[clients]]\nname = \"a\"\nkeys = [\"env:NO_SUCH_KEY\"]\n", "`clients.keys`"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("notes.txt"), "somebody's notes").unwrap();
        let text = format!("{text}[server]\nlisten = \"127.0.0.1:0\"\n");
        fs::write(folder.path().join("config.toml"), text).unwrap();
        let run = |arguments: &[&str]| headroom(folder.path()).args(arguments).output().unwrap();
        let (checked, served) = (run(&["config", "check", "--no-model"]), run(&["serve", "--no-model"]));
        assert_eq!((checked.status.code(), served.status.code()), (Some(2), Some(2)), "{}", stderr(&checked));
        assert!(stderr(&checked).contains(key), "{key}: {}", stderr(&checked));
        assert!(stderr(&served).ends_with(&stderr(&checked)), "{}\n{}", stderr(&served), stderr(&checked));
    }
}

/// Recorded conversations with two tools. What the model uses of `search` stands in the first lines, which say what was
/// asked for; of `inventory` it uses a row in the middle, which a far ratio leaves out.
fn recorded() -> String {
    let row = |conversation: usize, at: usize| {
        let id = 1000 + 97 * conversation + at;
        format!("{{\"id\": \"PART-{id}\", \"shelf\": \"B{}\", \"count\": {}}}", id % 83, id % 7)
    };
    let mut lines = String::new();
    for conversation in 0..12 {
        let rows: Vec<String> = (0..80).map(|at| row(conversation, at)).collect();
        let asked = format!("HOST-{}", 4000 + conversation);
        let log: Vec<String> = (0..120)
            .map(|at| match at {
                60 => format!(
                    "2026-11-01T10:00:{:02}Z ERROR {asked} refused the connection, code 71{conversation:02}",
                    at % 60
                ),
                at => {
                    format!("2026-11-01T10:{:02}:{:02}Z INFO worker {} did item {}", at / 60, at % 60, at % 5, at * 31)
                }
            })
            .collect();
        let used = 1000 + 97 * conversation + 41;
        let call = |id: &str, name: &str| {
            serde_json::json!({"role": "assistant", "tool_calls": [{"id": id, "type": "function",
                "function": {"name": name, "arguments": "{}"}}]})
        };
        let messages = serde_json::json!([
            {"role": "user", "content": format!("Why did {asked} fail, conversation {conversation}?")},
            call("1", "search"),
            {"role": "tool", "tool_call_id": "1", "content": log.join("\n")},
            call("2", "inventory"),
            {"role": "tool", "tool_call_id": "2", "content": format!("[{}]", rows.join(",\n"))},
            {"role": "assistant", "content": format!("The code was 71{conversation:02}. PART-{used} is next.")},
            {"role": "user", "content": "Thanks."},
        ]);
        lines.push_str(&format!("{}\n", serde_json::json!({"model": "gpt-4o", "messages": messages})));
    }
    lines
}

#[test]
fn rules_are_proposed_where_nothing_that_was_used_later_is_left_out_and_can_be_pasted() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("recorded.jsonl"), recorded()).unwrap();
    let run = |arguments: &[&str]| headroom(folder.path()).args(arguments).output().unwrap();
    let proposed = run(&["audit", "recorded.jsonl", "--propose", "--no-model"]);
    assert!(proposed.status.success(), "{}", stderr(&proposed));
    let proposed = stdout(&proposed);
    let rules: Vec<&str> = proposed.split("[[rules]]").skip(1).collect();
    assert!(rules.iter().any(|rule| rule.contains("tool = \"search\"") && rule.contains("ratio = ")), "{proposed}");
    assert!(
        rules.iter().any(|rule| rule.contains("tool = \"inventory\"") && rule.contains("ratio = 3\n")),
        "{proposed}"
    );
    for said in
        ["12 results of `search`", "and 0 of the 12 things that were used later", "and 11 of the 12", "# archive "]
    {
        assert!(proposed.contains(said), "{said} in\n{proposed}");
    }
    // Figures, not what was said.
    assert!(!proposed.contains("HOST-") && !proposed.contains("PART-"), "{proposed}");
    fs::write(folder.path().join("proposed.toml"), &proposed).unwrap();
    let checked = run(&["config", "check", "--config", "proposed.toml"]);
    assert!(checked.status.success(), "{}", stderr(&checked));
}
