//! The access log: one JSON object a line for each request that is not for a page of our own. Figures and names alone, no
//! text, no key, no query. A thread of its own writes; where it cannot keep up, lines are lost and counted.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver, SyncSender},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use prometheus_client::metrics::counter::Counter;
use serde::Serialize;

use super::otlp::Facts;

/// Where lines go.
#[derive(Debug, Clone)]
pub struct AccessLog {
    lines: SyncSender<String>,
    lost: Counter,
}

impl AccessLog {
    /// Whether lines could be appended to such a file; makes none.
    ///
    /// # Errors
    /// When the file that is there, or else its folder, cannot be written.
    pub fn check(to: &str) -> io::Result<()> {
        let path = Path::new(to);
        match fs::metadata(path) {
            _ if to == "-" => Ok(()),
            // To open a pipe would wait for who reads it.
            Ok(there) if there.is_file() || there.is_dir() => OpenOptions::new().append(true).open(path).map(drop),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => takes_files(path.parent()),
            Err(error) => Err(error),
        }
    }

    /// Appends to a file, or writes to standard output where `-` is named.
    ///
    /// # Errors
    /// When the file cannot be opened, or no thread can be started.
    pub fn start(to: &str, lost: Counter) -> io::Result<Self> {
        let mut out = match to {
            "-" => Out::Standard,
            path => Out::file(path.into())?,
        };
        let (lines, waiting) = mpsc::sync_channel(WAITING);
        let counted = lost.clone();
        thread::Builder::new().name("access-log".into()).spawn(move || write(&waiting, &mut out, &counted))?;
        Ok(Self { lines, lost })
    }

    /// Writes down a request that has ended.
    pub fn note(&self, facts: &Facts<'_>, end: &Ending<'_>) {
        let line = serde_json::to_string(&Line::of(facts, end)).unwrap_or_default();
        if self.lines.try_send(line).is_err() {
            self.lost.inc();
        }
    }
}

/// What else is written of a request.
#[derive(Debug, Clone, Copy)]
pub struct Ending<'a> {
    /// How it ended: `complete`, `client_gone`, …
    pub word: &'static str,
    /// Bytes of the answer that were relayed.
    pub bytes: u64,
    /// The client whose key it brought.
    pub client: Option<&'a str>,
}

#[derive(Serialize)]
struct Line<'a> {
    /// Milliseconds since 1970 at which it ended.
    ended_ms: u64,
    id: &'a str,
    method: String,
    path: &'a str,
    route: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    status: Option<u16>,
    end: &'static str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens_before: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens_after: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overhead_ms: Option<f64>,
    duration_ms: f64,
    bytes: u64,
}

impl<'a> Line<'a> {
    fn of(facts: &Facts<'a>, end: &Ending<'a>) -> Self {
        let millis = |time: std::time::Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
        let ended = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            ended_ms: u64::try_from(ended.as_millis()).unwrap_or(u64::MAX),
            id: facts.id,
            method: facts.method(),
            path: facts.path,
            route: facts.route,
            upstream: facts.upstream,
            client: end.client,
            model: facts.model(),
            status: facts.status,
            end: end.word,
            outcome: facts.outcome,
            reason: facts.reason,
            tokens_before: facts.tokens.map(|(before, _)| before),
            tokens_after: facts.tokens.map(|(_, after)| after),
            input_tokens: facts.usage.map(|usage| usage.input),
            output_tokens: facts.usage.map(|usage| usage.output),
            overhead_ms: facts.overhead.map(millis),
            duration_ms: millis(facts.took),
            bytes: end.bytes,
        }
    }
}

/// Where lines are written.
enum Out {
    Standard,
    File { path: PathBuf, file: File },
}

impl Out {
    fn file(path: PathBuf) -> io::Result<Self> {
        let file = open(&path)?;
        Ok(Self::File { path, file })
    }

    /// Writes what waits. A file that was renamed or removed, as `logrotate` does, is begun anew.
    fn write(&mut self, lines: &str) -> io::Result<()> {
        match self {
            Self::Standard => io::stdout().lock().write_all(lines.as_bytes()),
            Self::File { path, file } => {
                if !is_at(file, path) {
                    *file = open(path)?;
                }
                file.write_all(lines.as_bytes())
            }
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o640);
    }
    options.open(path)
}

/// Whether a file can be made in this folder.
fn takes_files(folder: Option<&Path>) -> io::Result<()> {
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !fs::metadata(folder)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    #[cfg(unix)]
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)?;
    Ok(())
}

/// Whether this file is the one at this path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let of = |about: fs::Metadata| (about.dev(), about.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(there)) => of(open) == of(there),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    fs::metadata(path).is_ok()
}

/// Writes lines as they come, those that wait together at once, until nobody can send any more.
fn write(waiting: &Receiver<String>, out: &mut Out, lost: &Counter) {
    let mut failed = false;
    while let Ok(first) = waiting.recv() {
        let mut lines = first + "\n";
        let mut count = 1;
        for line in waiting.try_iter().take(WAITING) {
            lines.push_str(&line);
            lines.push('\n');
            count += 1;
        }
        let written = out.write(&lines);
        if let (Err(error), false) = (&written, failed) {
            tracing::warn!(%error, "the access log cannot be written; its lines are lost until it can");
        }
        failed = written.is_err();
        if failed {
            lost.inc_by(count);
        }
    }
}

/// Lines that may wait.
const WAITING: usize = 4096;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Method;

    use super::*;

    fn facts<'a>(method: &'a Method, model: &'a str) -> Facts<'a> {
        Facts {
            id: "0f",
            method,
            path: "/v1/chat/completions",
            route: "chat_completions",
            outcome: "compressed",
            reason: "",
            operation: None,
            model: Some(model),
            upstream: Some("main"),
            status: Some(200),
            error: None,
            tokens: Some((100, 40)),
            usage: None,
            overhead: Some(Duration::from_micros(1500)),
            took: Duration::from_millis(20),
            since_sent: None,
        }
    }

    #[test]
    fn a_file_that_was_rotated_away_is_begun_anew_and_no_line_is_broken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.log");
        let mut out = Out::file(path.clone()).unwrap();
        out.write("first\n").unwrap();
        fs::rename(&path, folder.path().join("access.log.1")).unwrap();
        out.write("second\n").unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("access.log.1")).unwrap(), "first\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "second\n");
    }

    #[test]
    fn a_check_finds_what_a_start_would_and_makes_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        fs::write(at("there.log"), "first\n").unwrap();
        for (to, usable) in [
            ("-".to_owned(), true),
            (at("new.log"), true),
            (at("there.log"), true),
            (at("absent/new.log"), false),
            (at("there.log/new.log"), false),
            (at(""), false),
        ] {
            assert_eq!(AccessLog::check(&to).is_ok(), usable, "{to}");
        }
        assert!(!fs::exists(at("new.log")).unwrap());
        assert_eq!(fs::read_to_string(at("there.log")).unwrap(), "first\n");
    }

    #[test]
    fn a_line_is_one_object_and_a_name_that_is_none_is_left_out() {
        let method = Method::POST;
        let end = Ending { word: "complete", bytes: 7, client: Some("search") };
        for (model, named) in [("gpt-4o", true), ("a\nb", false)] {
            let line = serde_json::to_string(&Line::of(&facts(&method, model), &end)).unwrap();
            assert!(!line.contains('\n') && line.contains(r#""client":"search""#), "{line}");
            let line: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!(line["model"].is_string(), named);
            assert_eq!((&line["overhead_ms"], &line["tokens_after"]), (&1.5.into(), &40.into()));
        }
    }
}
