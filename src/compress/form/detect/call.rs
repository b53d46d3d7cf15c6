//! What a tool call says about its result: whether it is a file that was read.
//!
//! Whoever reads a file wants the file: to edit it, to quote it by line. So what a call says decides before any look at
//! the content does. A search, a listing, a test run or a page from the web is no file, whatever it prints.

use serde_json::Value;

use crate::compress::{
    ask::{Query, ToolCall},
    text::lexicon::List,
};

/// Whether a text is a file as a tool read it: then it is exact, and under a budget loses whole runs of lines only.
#[must_use]
pub(in crate::compress) fn reads_file(query: &Query) -> bool {
    query.call.as_ref().is_some_and(is_read)
}

/// Whether the file that was read is a source or a configuration by its name: whatever its lines look like, no program
/// wrote them while it ran.
#[must_use]
pub(super) fn names_source(query: &Query) -> bool {
    let Some(call) = &query.call else { return false };
    let words = call.arguments.split(|c: char| !(c.is_alphanumeric() || "._-/\\".contains(c)));
    words.filter_map(|word| word.rsplit_once('.')).any(|(_, ending)| SOURCES.has(&ending.to_lowercase()))
}

/// How the names of such files end.
static SOURCES: List = List::new(
    "bash bat c cc cfg clj cmake conf cpp cs css cxx dart env erl ex exs fish go gradle graphql groovy h hpp hs html ini ipynb
    java jl js json jsonc jsx kt kts less lua m md mjs mk ml nix php pl properties proto ps1 py pyi r rb rs rst sass scala scss
    sh sql svelte swift tcl tex tf toml ts tsx vue xml yaml yml zig zsh",
);

/// Whether the text begins with the file's first line, so that numbers of its lines are the file's.
#[must_use]
pub(in crate::compress) fn reads_from_the_first_line(query: &Query) -> bool {
    let Some(call) = query.call.as_ref().filter(|call| is_read(call)) else { return false };
    let part = |word: &str| PARTS.iter().any(|part| word.to_ascii_lowercase().contains(part));
    match serde_json::from_str(&call.arguments) {
        Ok(Value::Object(fields)) => {
            let line = command(&Value::Object(fields.clone())).unwrap_or_default();
            let shell = line.split_whitespace().any(|word| ["sed", "tail", "awk", "tac"].contains(&word))
                || line.contains(['|', ';', '&']);
            !shell
                && !fields
                    .iter()
                    .any(|(key, value)| part(key) && !matches!(value.as_u64(), Some(0 | 1)) && !value.is_null())
        }
        _ => !call.arguments.contains(' '),
    }
}

fn is_read(call: &ToolCall) -> bool {
    let arguments: Value = serde_json::from_str(&call.arguments).unwrap_or_else(|_| call.arguments.as_str().into());
    let name = parts(&call.name);
    if holds(&name, &SHELLS) {
        return command(&arguments).is_some_and(|command| prints_file(&command, 0));
    }
    // One tool for several deeds names the deed among its arguments.
    let deed = ["command", "action", "operation", "op", "mode"].iter().find_map(|key| arguments.get(key)?.as_str());
    let deed = deed.unwrap_or_default();
    if deed.trim().contains(' ') {
        return prints_file(deed, 0);
    }
    let deed = parts(deed);
    if !deed.is_empty() {
        return holds(&deed, &READING) && !holds(&deed, &OTHER) && names_file(&arguments);
    }
    if holds(&name, &OTHER) {
        return false;
    }
    let of_file = holds(&name, &FILES);
    let surely = holds(&name, &READING);
    let perhaps = surely || holds(&name, &FETCHING);
    match (of_file, names_file(&arguments)) {
        (true, true) => perhaps,
        // `read_file` with arguments of its own kind.
        (true, false) => surely && !names_page(&arguments),
        (false, true) => surely,
        (false, false) => false,
    }
}

/// The words of `readFile`, `read_file`, `mcp__files__read-file`, in lower case.
fn parts(name: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut last = ' ';
    for c in name.chars() {
        let begins = !last.is_alphanumeric() || (c.is_uppercase() && last.is_lowercase());
        if c.is_alphanumeric() {
            match parts.last_mut().filter(|_| !begins) {
                Some(part) => part.extend(c.to_lowercase()),
                None => parts.push(c.to_lowercase().collect()),
            }
        }
        last = c;
    }
    parts
}

fn holds(parts: &[String], words: &List) -> bool {
    parts.iter().any(|part| words.has(part))
}

/// Whether an argument is a file's path.
fn names_file(arguments: &Value) -> bool {
    let Value::Object(fields) = arguments else { return false };
    fields.iter().any(|(key, value)| {
        let key = parts(key);
        let names = holds(&key, &PATHS);
        let first = value.as_array().and_then(|list| list.first()).unwrap_or(value);
        let text = first.as_str().or_else(|| first.get("path")?.as_str()).unwrap_or_default();
        let local = text.starts_with("file:") || !(text.contains("://") || key.iter().any(|part| part == "uri"));
        names && !text.is_empty() && local
    })
}

fn names_page(arguments: &Value) -> bool {
    let Value::Object(fields) = arguments else { return false };
    fields.values().filter_map(Value::as_str).any(|text| text.starts_with("http://") || text.starts_with("https://"))
}

/// The command line that a shell is given.
fn command(arguments: &Value) -> Option<String> {
    if let Value::String(line) = arguments {
        return Some(line.clone());
    }
    let given = ["command", "cmd", "commands", "script", "input", "code", "args", "argv"]
        .iter()
        .find_map(|key| arguments.get(key))?;
    match given {
        Value::String(line) => Some(line.clone()),
        // `["bash", "-lc", "cat x"]`: the last word is a line of its own; else the list is one line.
        Value::Array(list) => {
            let list: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
            let inner = list.last().filter(|last| list.len() > 1 && last.contains(' '));
            Some(inner.map_or_else(|| list.join(" "), |inner| (*inner).to_owned()))
        }
        _ => None,
    }
}

/// Whether a command line shows a file or a part of one. `depth` counts shells within shells.
fn prints_file(line: &str, depth: usize) -> bool {
    let mut pipelines: Vec<Vec<Vec<String>>> = vec![vec![Vec::new()]];
    for token in tokens(line) {
        match token {
            Token::Word(word) => {
                if let Some(stage) = pipelines.last_mut().and_then(|stages| stages.last_mut()) {
                    stage.push(word);
                }
            }
            Token::Pipe => pipelines.last_mut().into_iter().for_each(|stages| stages.push(Vec::new())),
            Token::End => pipelines.push(vec![Vec::new()]),
        }
    }
    pipelines.iter().any(|stages| {
        let shows = stages.iter().position(|stage| shows(stage, depth));
        shows.is_some_and(|first| stages.iter().skip(first + 1).all(|stage| passes(stage)))
    })
}

/// Whether a command shows the file that it names.
fn shows(words: &[String], depth: usize) -> bool {
    // What is written somewhere is not shown.
    if words.iter().any(|word| word.starts_with('>') || word.starts_with("<<") || word == "1>") {
        return false;
    }
    let Some(at) = words.iter().position(|word| !is_wrapper(word)) else { return false };
    let rest = words.get(at + 1..).unwrap_or_default();
    let head = words.get(at).map(|word| tool(word)).unwrap_or_default();
    let operands = || rest.iter().filter(|word| !word.starts_with('-'));
    match head.as_str() {
        "cat" | "bat" | "batcat" | "head" | "tail" | "nl" | "less" | "more" | "type" | "get-content" | "gc" | "tac" => {
            // `head -n 20` alone shows what a pipe brings.
            let (counts, of_pipe) = (matches!(head.as_str(), "head" | "tail"), operands().count() == 0);
            let only_count = counts && operands().all(|word| word.parse::<u64>().is_ok());
            words.iter().any(|word| word == "xargs") || !(of_pipe || only_count)
        }
        "sed" => {
            let quiet = rest.iter().any(|word| word.starts_with("-n") || word == "--quiet" || word == "--silent");
            quiet && operands().count() >= 2
        }
        "awk" | "gawk" => operands().count() >= 2 && rest.iter().any(|word| word.contains("NR")),
        "git" => rest.first().is_some_and(|word| word == "show") && rest.iter().any(|word| word.contains(':')),
        "bash" | "sh" | "zsh" | "powershell" | "pwsh" | "cmd" | "wsl" if depth < 3 => {
            let inner = rest.iter().position(|word| !word.starts_with(['-', '/'])).and_then(|at| rest.get(at..));
            inner.is_some_and(|inner| prints_file(&inner.join(" "), depth + 1))
        }
        // Elsewhere: on another machine, in a container.
        "ssh" | "docker" | "podman" | "kubectl" | "oc" | "find" if depth < 3 => {
            let inner = rest.iter().position(|word| SHOWING.has(&tool(word))).and_then(|at| rest.get(at..));
            let inner = inner.or_else(|| rest.last().filter(|word| word.contains(' ')).map(std::slice::from_ref));
            inner.is_some_and(|inner| prints_file(&inner.join(" "), depth + 1))
        }
        _ => false,
    }
}

/// Whether a command hands on the lines that it gets, all or some.
fn passes(words: &[String]) -> bool {
    let head = words.iter().find(|word| !is_wrapper(word)).map(|word| tool(word)).unwrap_or_default();
    SHOWING.has(&head) && !words.iter().any(|word| word.starts_with('>'))
}

/// `/usr/bin/cat` and `cat.exe` are `cat`.
fn tool(word: &str) -> String {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word).to_ascii_lowercase();
    name.strip_suffix(".exe").unwrap_or(&name).to_owned()
}

/// Words in front of a command that leave it what it is.
fn is_wrapper(word: &str) -> bool {
    let assigns = word.split_once('=').is_some_and(|(name, _)| name.chars().all(|c| c.is_alphanumeric() || c == '_'));
    let counts = word.trim_end_matches(['s', 'm']).parse::<f32>().is_ok();
    assigns || counts || word.starts_with('-') || WRAPPERS.has(&tool(word))
}

enum Token {
    Word(String),
    Pipe,
    /// `;`, `&&`, `||`, a line's end.
    End,
}

/// Words as a shell cuts them, quotes taken off; redirections of errors left out.
fn tokens(line: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut word = String::new();
    let (mut quote, mut quoted) = (None, false);
    let mut chars = line.chars().take(LONGEST).peekable();
    let end = |word: &mut String, quoted: &mut bool, found: &mut Vec<Token>| {
        if !word.is_empty() || *quoted {
            found.push(Token::Word(std::mem::take(word)));
        }
        *quoted = false;
    };
    while let Some(c) = chars.next() {
        match (c, quote) {
            (_, Some(open)) if c == open => quote = None,
            (_, Some(_)) => word.push(c),
            ('"' | '\'', None) => (quote, quoted) = (Some(c), true),
            ('|' | ';' | '\n', None) | ('&', None) if c != '&' || !word.ends_with('>') => {
                end(&mut word, &mut quoted, &mut found);
                let double = chars.next_if_eq(&c).is_some();
                found.push(if c == '|' && !double { Token::Pipe } else { Token::End });
            }
            (' ' | '\t', None) => {
                if word == "2>" {
                    continue;
                }
                end(&mut word, &mut quoted, &mut found);
            }
            (_, None) => word.push(c),
        }
    }
    end(&mut word, &mut quoted, &mut found);
    found.retain(|token| !matches!(token, Token::Word(word) if word.starts_with("2>")));
    found
}

/// Characters of a command line that are looked at.
const LONGEST: usize = 4000;

/// Names of tools that run commands.
static SHELLS: List = List::new("bash shell sh zsh terminal exec execute command cmd powershell pwsh console run");

/// Words for reading something in full.
static READING: List = List::new("read cat view open show print display head tail");

/// Words for getting something, which is a file where a file is named.
static FETCHING: List = List::new("get load fetch retrieve download dump see content contents");

/// Words for a file.
static FILES: List = List::new("file files notebook fs");

/// Words for the argument that names a file.
static PATHS: List = List::new("path paths file files filename filepath filenames notebook uri");

/// Words for deeds and things that are no reading of a file.
static OTHER: List = List::new(
    "append blame build create delete diff directories directory dir edit exists find folder glob grep history info
    insert list ls metadata move names outline patch remove rename replace search size stat stats status summarize
    summary symbols test tests tree undo upload url web write",
);

/// Arguments that name a part of a file.
const PARTS: &[&str] =
    &["offset", "start", "begin", "from", "range", "line", "skip", "tail", "paths", "files", "operations"];

/// Commands that show lines as they are.
static SHOWING: List = List::new("cat bat batcat head tail nl less more sed type get-content gc select-object");

/// Commands and words of a shell that stand before another command.
static WRAPPERS: List = List::new("sudo env timeout time nice command xargs do then else { ( stdbuf exec builtin");

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(name: &str, arguments: &str) -> bool {
        let call = ToolCall { name: name.into(), arguments: arguments.into() };
        reads_file(&Query { call: Some(call), ..Query::default() })
    }

    #[test]
    fn tools_that_read_a_file_are_known_by_name_and_path() {
        for (name, arguments) in [
            ("read_file", r#"{"path": "a.py"}"#),
            ("Read", r#"{"file_path": "/src/a.rs", "offset": 10}"#),
            ("view", r#"{"path": "a"}"#),
            ("open_file", r#"{"filename": "a"}"#),
            ("get_file_contents", r#"{"owner": "o", "repo": "r", "path": "a"}"#),
            ("mcp__filesystem__read_text_file", r#"{"path": "a"}"#),
            ("read_multiple_files", r#"{"paths": ["a", "b"]}"#),
            ("readFile", r#"{"target_file": "a"}"#),
            ("fs_read", r#"{"operations": [{"mode": "Line", "path": "a"}]}"#),
            ("str_replace_editor", r#"{"command": "view", "path": "a"}"#),
            ("str_replace_based_edit_tool", r#"{"command": "view", "path": "a", "view_range": [1, 9]}"#),
            ("read_notes", r#"{"path": "huts.txt"}"#),
            ("NotebookRead", r#"{"notebook_path": "a.ipynb"}"#),
            ("read_resource", r#"{"uri": "file:///a/b"}"#),
            ("read_file", "{}"),
            ("cat", r#"{"file": "a"}"#),
        ] {
            assert!(reads(name, arguments), "{name} {arguments}");
        }
    }

    #[test]
    fn a_source_is_known_by_its_name() {
        let named = |arguments: &str| {
            let call = ToolCall { name: "read_file".into(), arguments: arguments.into() };
            names_source(&Query { call: Some(call), ..Query::default() })
        };
        assert!(
            named(r#"{"path": ".github/workflows/release.yml"}"#) && named(r#"{"command": "cat src/a.rs | head"}"#)
        );
        assert!(!named(r#"{"path": "build/app.log"}"#) && !named(r#"{"path": "out.txt"}"#));
    }

    #[test]
    fn commands_that_show_a_file_are_known() {
        for line in [
            "cat a.py",
            "cd /repo && cat -n src/a.rs",
            "sed -n '10,40p' a.py",
            "head -n 50 a.md",
            "tail -20 a.log | nl",
            "nl -ba nightly.sql",
            "cat a.json 2>/dev/null | head -100",
            "sudo less /etc/fstab",
            "bash -lc 'cat a.py'",
            "type C:\\a.txt",
            "powershell -Command \"Get-Content a.txt\"",
            "git show HEAD~1:src/a.rs",
            "docker exec web cat /etc/nginx/nginx.conf",
            "ssh host 'tail -n 5 /etc/hosts'",
            "for f in *.py; do cat $f; done",
            "ls src && cat src/a.rs",
            "awk 'NR>=10 && NR<=20' a.py",
            "find . -name '*.py' | xargs cat",
            "cat a.py 2>&1",
        ] {
            assert!(reads("bash", &serde_json::json!({ "command": line }).to_string()), "{line}");
        }
        assert!(reads("shell", r#"{"command": ["bash", "-lc", "sed -n 1,20p a.py"]}"#));
        assert!(reads("shell", r#"{"command": ["cat", "a.py"]}"#));
        assert!(reads("run_command", r#"{"command": "cat review.patch"}"#));
    }

    #[test]
    fn a_search_a_listing_a_run_and_a_page_are_no_files() {
        for (name, arguments) in [
            ("grep", r#"{"pattern": "x", "path": "src"}"#),
            ("search_files", r#"{"path": "src"}"#),
            ("list_directory", r#"{"path": "src"}"#),
            ("get_file_info", r#"{"path": "a"}"#),
            ("write_file", r#"{"path": "a"}"#),
            ("str_replace_editor", r#"{"command": "create", "path": "a"}"#),
            ("fetch", r#"{"url": "https://a.example/x"}"#),
            ("web_fetch", r#"{"url": "https://a.example/x"}"#),
            ("read_page", r#"{"url": "https://a.example/x"}"#),
            ("read_log", r#"{"service": "billing"}"#),
            ("dump_settings", r#"{"format": "text"}"#),
            ("query", r#"{"sql": "SELECT 1"}"#),
            ("run_tests", r#"{"path": "tests"}"#),
            ("http_get", r#"{"path": "/api/x"}"#),
        ] {
            assert!(!reads(name, arguments), "{name} {arguments}");
        }
        for line in [
            "grep -rn limit .",
            "cat a.log | grep ERROR",
            "cargo test 2>&1 | tail -50",
            "ls -la",
            "ps aux | head -n 20",
            "git diff",
            "git show HEAD",
            "cat > a.py << 'EOF'\nx = 1\nEOF",
            "cat a b > c",
            "pytest -q | head",
            "sed -i 's/a/b/' a.py",
            "kubectl get pods",
        ] {
            assert!(!reads("bash", &serde_json::json!({ "command": line }).to_string()), "{line}");
        }
    }
}
