//! What a single line looks like; runs of lines decide.

use std::sync::LazyLock;

use regex::Regex;

use crate::compress::fuel;

/// The look of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Nothing but white space.
    Blank,
    /// Begins as log lines, compiler messages and test results do.
    Log,
    /// Part of a stack trace, or a message's continuation: it belongs to the log line above it.
    Trace,
    /// Cells between pipes or tabs.
    Row,
    /// A path, or a path with a line number.
    Place,
    /// A key and its value.
    Setting,
    /// Source code.
    Code,
    /// A long run of base64.
    Opaque,
    /// Anything else.
    Text,
}

pub(super) fn look(line: &str) -> Look {
    fuel::step(line.len());
    let content = line.trim();
    if content.is_empty() {
        return Look::Blank;
    }
    if is_opaque(content) || is_wrapped_base64(content) {
        return Look::Opaque;
    }
    let head = head(content);
    if !content.starts_with('|') && LOG.is_match(head) {
        return Look::Log;
    }
    // A search result may hold any text, bars too.
    if LISTED.is_match(head) {
        return Look::Place;
    }
    if is_row(line) {
        return Look::Row;
    }
    if TRACE.is_match(head) {
        return Look::Trace;
    }
    if RESULT.is_match(tail(content)) {
        return Look::Log;
    }
    if CODE.is_match(content.get(..content.floor_char_boundary(MOST_READ)).unwrap_or(content)) {
        return Look::Code;
    }
    if SETTING.is_match(line.trim_end()) {
        return Look::Setting;
    }
    Look::Text
}

/// A plain name and a value behind a sign of equality.
pub(super) fn assigns(line: &str) -> bool {
    line.split_once('=').is_some_and(|(name, _)| {
        let name = name.trim().trim_matches('"');
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_.-".contains(c))
    })
}

/// A line of source as compilers quote it behind a bar, with its number or without.
pub(super) fn is_gutter(line: &str) -> bool {
    line.split_once('|').is_some_and(|(number, code)| {
        number.len() <= 12
            && number.chars().all(|c| c.is_ascii_digit() || c == ' ')
            && (code.trim().is_empty() || code.starts_with(' '))
            && !code.contains(" | ")
    })
}

/// Cells between pipes or tabs: at least one inner separator.
fn is_row(line: &str) -> bool {
    let content = line.trim_end();
    is_ruled(content)
        || content.contains(" | ")
        || (content.starts_with('|') && content.len() > 2 && content.ends_with('|'))
        || content.starts_with(" | ")
        || content.matches('\t').filter(|_| !content.starts_with('\t')).count() >= 2
}

/// The line that psql, MySQL and their like draw between rows: `----+----`.
pub(super) fn is_ruled(content: &str) -> bool {
    content.contains('+') && content.contains("--") && content.chars().all(|c| "-+=|: ".contains(c))
}

/// Mostly one word that no reader reads: 200 bytes and more of base64 without a break.
pub(super) fn is_opaque(content: &str) -> bool {
    let longest = content.split_ascii_whitespace().max_by_key(|word| word.len()).unwrap_or_default();
    longest.len() >= 200 && longest.len() * 5 >= content.len() * 4 && is_base64(longest)
}

/// A line of base64 as mail and PEM wrap it.
fn is_wrapped_base64(content: &str) -> bool {
    let bytes = content.as_bytes();
    (60..=100).contains(&bytes.len())
        && is_base64(content)
        && bytes.iter().any(u8::is_ascii_digit)
        && bytes.iter().any(u8::is_ascii_uppercase)
        && bytes.iter().filter(|byte| byte.is_ascii_lowercase()).count() * 4 < bytes.len() * 3
}

fn is_base64(word: &str) -> bool {
    let body = word.rsplit_once("base64,").map_or(word, |(_, body)| body);
    let odd = body.bytes().filter(|byte| !(byte.is_ascii_alphanumeric() || b"+/=_-".contains(byte))).count();
    // A long path has many slashes, base64 one in 64; a run of one letter is no base64 either.
    odd * 50 <= body.len()
        && body.matches('/').count() * 12 <= body.len()
        && body.bytes().any(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Patterns read a line's beginning only, so that a huge line costs nothing.
fn head(content: &str) -> &str {
    content.get(..content.floor_char_boundary(HEAD)).unwrap_or(content)
}

fn tail(content: &str) -> &str {
    content.get(content.ceil_char_boundary(content.len().saturating_sub(HEAD))..).unwrap_or(content)
}

const HEAD: usize = 160;

/// Bytes of a line in which code is looked for: a line that is longer is read in one go, and nobody could stop it.
const MOST_READ: usize = 64 * 1024;

#[expect(clippy::expect_used, reason = "the patterns are constants, and a test compiles each")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

/// A time of day or a date within the first words, a level in front, or a build tool's verb.
static LOG: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"^(?:\S{1,48}\s+){0,2}\W{0,3}(?:\w{3},? )?(?:\w{3} +\d{1,2} |\d{1,2} \w{3} |\d{4}[-/.]\d{1,2}[-/.]\d{1,2}[T _-]|\d{1,2}[-/.]\d{1,2}(?:[-/.]\d{2,4})? |\d{6,8}[- T])?\d{1,2}:\d{1,2}:\d{1,2}\b",
        r"|^\S{1,80} .{0,40}\[\d{2}/\w{3}/\d{4}:\d{2}:\d{2}",
        r"|^\W{0,2}\d{4}[-/.]\d{2}[-/.]\d{2}[T _]\d{2}",
        r"|^(?:\S{1,12} )?1\d{9}(?:\.\d+)? |^\[ *\d+\.\d{6}\] ",
        r"|^\d{6} \d{6} \d+ ",
        r"|^[\[(<]?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|PANIC|SEVERE|FAIL|FAILED|PASS|PASSED|SKIPPED|XFAIL)\b[\])>:]?\s",
        r"|^(?:error|warning|note|help|fatal)(?:\[\w+\])?: ",
        r"|^[^\s:]+:\d+(?::\d+)?: (?:fatal )?(?:error|warning|note): |^[^\s:]+: In (?:\w+ )?function ",
        r"|^[^\s:]+(?::\d+:\d+ - |\(\d+(?:,\d+)?\): )(?:fatal )?(?:error|warning) [A-Z]{1,6}\d+: ",
        r"|^(?:npm (?:WARN|ERR!|warn|error)|make(?:\[\d+\])?: |\[\d+/\d+\] |\[ *\d+%\] |> Task |(?:not )?ok \d+ |test \S+ \.\.\. |=== RUN|--- (?:PASS|FAIL|SKIP): |E   )",
        r"|^(?:ok|changed|skipping|fatal|failed|included|rescued): \[|^(?:PLAY|TASK|RUNNING HANDLER|PLAY RECAP) (?:\[.*\] )?\*{3}",
        // A test as its runner marks it: with its file, or the time that it took.
        r"|^[✗✘✖×❌⨯✓✔✅√↓] (?:\S+\.\w{1,5}(?:[:> ]|$)|.{1,120}\(?\b\d+(?:\.\d+)? ?m?s\)?$)",
        r"|^(?:Compiling|Checking|Downloading|Downloaded|Collecting|Requirement already|Installing|Using cached|Fetching|Get:\d+|Unpacking|Setting up|Selecting previously) \S+",
    ))
});

/// A test's or a step's result at the end of a line.
static RESULT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\s(?:PASSED|FAILED|ERROR|SKIPPED|XFAIL|\.\.\. ok|\.\.\. FAILED)(?:\s+\[ *\d+%\])?$"));

static TRACE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"^(?:at [\w.$<>/]+[(:\[ ]|Caused by: |Traceback \(most recent|File "[^"]+", line \d|During handling of|\.\.\. \d+ more|goroutine \d+|stack backtrace|thread '[^']*' panicked|\d+: 0x[0-9a-f]+|--> \S+:\d+)"#,
    )
});

/// `path:12:text`, `path-12-text`, `path/to/file`, `path (3 matches)`, `-rw-r--r-- …`.
static LISTED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r#"^(?:[A-Za-z]:)?[^\s:|"'<>(){}]*[/\\.][^\s:|"'<>(){}]*:\d+(?:[:-]|$)"#,
        r"|^[\w.@+~-]*(?:/[\w.@+~=,-]+)+/?(?: \([^)]*\))?$",
        r"|^[dlbc-][r-][w-][xsS-][r-][w-][xsS-][r-][w-][xtT-][.+@]? +\d+ ",
        r"|^(?:├──|└──|│)",
    ))
});

static SETTING: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r#"^\s*(?:- )?["']?[A-Za-z_][\w./-]{0,60}["']?(?:\s*[:=]\s*\S.{0,160}|\s*:)$|^\[[\w.-]+\]$"#)
});

static CODE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"^[}\])]+[;,)]*$",
        r"|^(?:\d+: ?)?\s*(?:def \w+\(|class \w+[(:{ ]|import [\w.{*]+|from [\w.]+ import |(?:pub(?:\(\w+\))? )?(?:async )?(?:fn|struct|enum|impl|trait|mod|use) [\w:<{]+|function\s*\w*\(|(?:export )?(?:const|let|var) [\w{\[]+|#include|#define|package [\w.]+;?$|(?:public|private|protected|static) \w+|return\b.*;?$|elif |else:|try:|except\b|@\w+|(?:if|for|while|switch) ?\(|SELECT |INSERT INTO|CREATE TABLE)",
        r"|\{\s*(?://.*)?$|\w\([^)]*\);$|\w\([^)]*\)\s*:$|\S (?:==|!=|&&|\|\||=>) \S",
        r"|^(?:[\w.\[\]]+|[\w ]+ \*?\w+)(?:: ?[\w\[\], |]+)? (?:=|\+=|:=) (?:\S.*[^.\s]|\S)$",
        r"|^(?://|/\*|\*/|#!|<!--|--\s)",
    ))
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_known_by_their_look() {
        for (line, wanted) in [
            ("2015-07-29 19:04:29,079 - WARN  [Send:1@679] - Interrupted", Look::Log),
            ("Jul  1 09:02:26 calvisitor kernel[0]: ARPT: 620701", Look::Log),
            ("- 1117838978 2005.06.03 R02 2005-06-03-15.49.38 RAS KERNEL INFO x", Look::Log),
            ("20171223-22:15:29:635|Step_LSC|30002312|process", Look::Log),
            ("[Sun Dec 04 04:47:44 2005] [notice] workerEnv.init() ok", Look::Log),
            ("081109 203615 148 INFO dfs.DataNode: Receiving", Look::Log),
            ("17/06/09 20:10:40 INFO executor.Executor: up", Look::Log),
            ("[10.30 16:49:06] chrome.exe - proxy:5070 open", Look::Log),
            ("03-17 16:13:38.811  1702  2395 D WindowManager: x", Look::Log),
            ("   Compiling serde v1.0.2", Look::Log),
            ("test compress::x ... ok", Look::Log),
            (" × src/tide/window.test.ts > closes before the turn 14ms", Look::Log),
            ("    ✓ answers in time (12ms)", Look::Log),
            ("✓ milk and bread", Look::Text),
            ("tests/test_x.py::test_a PASSED    [ 12%]", Look::Log),
            ("    at com.example.Main(Main.java:3)", Look::Trace),
            ("| 2020-01-01 | a |", Look::Row),
            (" |  | Years Ended September 30, | ", Look::Row),
            ("Total | 44.1 | 56.7", Look::Row),
            ("src/main.rs:12:fn main() {", Look::Place),
            ("/repo/doc/api.rst (1 matches)", Look::Place),
            ("x.c:4:19: warning: unused variable", Look::Log),
            ("src/a.ts:4:19 - error TS2322: Type 'string' is not assignable.", Look::Log),
            ("src/a.ts(4,19): error TS2322: Type 'string' is not assignable.", Look::Log),
            ("src/main.rs:14:    Kind::A | Kind::B => x,", Look::Place),
            ("name: value", Look::Setting),
            ("let x = 3;", Look::Code),
            ("def f(x):", Look::Code),
            ("(a) the party that pays;", Look::Text),
            ("In the second quarter the company earned more.", Look::Text),
            ("Project Manager: so we start", Look::Text),
        ] {
            assert_eq!(look(line), wanted, "{line}");
        }
    }

    #[test]
    fn quoted_source_is_told_from_rows() {
        for line in [
            "3 | pub fn a(x: u32) -> String {",
            "  |",
            "   |            ^~~",
            "    4 | int main(void){ return a || b; }",
        ] {
            assert!(is_gutter(line), "{line}");
        }
        for line in ["2019 | 44.1 | 56.7", "Total | 44.1", " |  | Years Ended September 30, | "] {
            assert!(!is_gutter(line), "{line}");
        }
    }

    #[test]
    fn base64_is_opaque_and_paths_and_other_scripts_are_not() {
        let base64: String = "iVBORw0KGgoAAAANSUhEUgAA".repeat(20);
        assert!(is_opaque(&base64));
        assert!(is_opaque(&format!("data:image/png;base64,{base64}")));
        assert!(!is_opaque(&"/usr/lib/x86".repeat(30)));
        assert!(!is_opaque(&"東京".repeat(200)));
        assert!(!is_opaque(&"word ".repeat(100)));
    }
}
