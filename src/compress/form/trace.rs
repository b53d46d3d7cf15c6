//! What belongs together in the output of programs: traces with their causes, compilers' messages with the source they
//! quote, tests with their failures, messages with the lines that go on with them.
//!
//! Three rules hold in every language, and a few openings that say where one of them begins: a line that is indented
//! belongs to the one above that is less so; what quotes or points (a gutter, carets) belongs to what it quotes and to
//! the message above; a trace's head, its causes and its conclusion stand together, since a failure with another's cause is false.

use crate::compress::{
    bond::Bond,
    fuel,
    text::lexicon::{self, Trouble},
};

/// What a line is in its trace or message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A line of its own.
    Plain,
    /// Opens a trace or a compiler's message.
    Head,
    /// Says why: a conclusion, an inner cause, an assertion's values.
    Cause,
    /// A place in a trace, nearest to the failure among those of the program's own.
    Near,
    /// Belongs to a line above: a frame, a quoted line, a continued message.
    Part,
}

/// The roles of lines, and what needs what by line number.
#[derive(Debug, Default)]
pub(super) struct Structure {
    /// One for each line.
    pub(super) roles: Vec<Role>,
    /// Only [`Bond::Needs`].
    pub(super) bonds: Vec<Bond>,
    /// Heads, causes and the nearest places of the first trace and of the last: whatever the budget, they say what happened.
    pub(super) fixed: Vec<usize>,
}

/// Reads lines, which come without escape codes and line breaks.
pub(super) fn structure(lines: &[&str]) -> Structure {
    let stamped = lines.iter().filter(|line| is_stamped(line)).count() * 2 > lines.len();
    let mut reader = Reader {
        lines,
        stamped,
        structure: Structure { roles: vec![Role::Plain; lines.len()], bonds: Vec::new(), fixed: Vec::new() },
        last: Vec::new(),
        open: Vec::new(),
        event: None,
        message: None,
        core: Vec::new(),
        quoted: None,
        trace: None,
        section: None,
        blanks: 0,
    };
    for (at, line) in lines.iter().enumerate() {
        fuel::step(line.len() + READERS_OF_A_LINE);
        reader.step(at);
    }
    reader.end_trace();
    reader.end_message();
    reader.structure.fixed.append(&mut reader.last);
    reader.structure
}

/// What a line is asked, whatever its length.
const READERS_OF_A_LINE: usize = 16;

struct Reader<'l> {
    lines: &'l [&'l str],
    /// Whether most lines begin with a time: then those that don't go on with the one above.
    stamped: bool,
    structure: Structure,
    /// What says why in the last trace.
    last: Vec<usize>,
    /// Lines that more indented ones may belong to, with their indentation, outermost first.
    open: Vec<(usize, usize)>,
    /// The last line with a time.
    event: Option<usize>,
    /// The head of the compiler's message that is being read.
    message: Option<usize>,
    /// What the message that is being read can't do without: its head, its place, the first line that carets point to.
    core: Vec<usize>,
    /// The line of source last quoted.
    quoted: Option<usize>,
    /// The trace that is being read.
    trace: Option<Trace>,
    /// The last line that names what follows: a test, a task, a step.
    section: Option<usize>,
    blanks: usize,
}

/// A trace from its opening to its last cause.
struct Trace {
    /// Its own head and all that say why, in order.
    anchors: Vec<usize>,
    /// Frames since the last anchor, the innermost first or last.
    frames: Vec<usize>,
    /// How far its head is indented.
    indent: usize,
    /// Whether the conclusion comes last and the innermost frame before it, as in Python.
    concludes: bool,
    /// Whether its causes stand below its head one after the other and the innermost one's frames come first, as in .NET.
    nested: bool,
    /// The frame nearest to what failed in the first place.
    near: Option<usize>,
}

impl Reader<'_> {
    fn step(&mut self, at: usize) {
        let line = self.lines.get(at).copied().unwrap_or_default();
        let text = line.trim();
        if text.is_empty() {
            self.blanks += 1;
            self.quoted = None;
            // A blank line parts two lines that stand.
            for beside in [at.checked_sub(1), Some(at + 1)].into_iter().flatten() {
                self.needs(at, beside);
            }
            return;
        }
        let indent = line.len() - line.trim_start().len();
        self.place(at, indent, line, text);
        self.blanks = 0;
        while self.open.last().is_some_and(|(_, own)| *own >= indent) {
            self.open.pop();
        }
        self.open.push((at, indent));
    }

    fn place(&mut self, at: usize, indent: usize, line: &str, text: &str) {
        if is_stamped(line) {
            self.end_trace();
            self.end_message();
            self.event = Some(at);
            return;
        }
        if self.in_trace(at, indent, text) {
            return;
        }
        if let Some(concludes) = opens_trace(text) {
            self.open_trace(at, indent, concludes);
            return;
        }
        if is_message(text) {
            self.end_trace();
            // A note belongs to the message above it.
            let note = text.starts_with("note:") || text.starts_with("help:") || text.contains(": note: ");
            match self.message.filter(|_| note) {
                Some(head) => {
                    self.needs(at, head);
                    self.set(at, Role::Part);
                }
                None => {
                    self.end_message();
                    self.message = Some(at);
                    if lexicon::trouble(text) == Some(Trouble::Error) {
                        self.core.push(at);
                        self.set(at, Role::Head);
                    }
                }
            }
            return;
        }
        if is_section(text) && indent == 0 {
            self.end_trace();
            self.end_message();
            self.section = Some(at);
            return;
        }
        if self.quotes(at, line, text) || self.asserts(at, line) {
            return;
        }
        let above = self.open.iter().rev().find(|(_, own)| *own < indent).map(|(above, _)| *above);
        match above.filter(|_| indent > 0 && self.blanks < 2) {
            Some(above) => {
                self.needs(at, above);
                let troubled = lexicon::trouble(text) == Some(Trouble::Error);
                self.set(at, if troubled { Role::Cause } else { Role::Part });
            }
            None if self.stamped => {
                if let Some(event) = self.event {
                    self.needs(at, event);
                    self.set(at, if lexicon::trouble(text).is_some() { Role::Plain } else { Role::Part });
                }
            }
            None => {
                self.end_message();
                if let Some(section) = self.section.filter(|_| lexicon::trouble(text).is_some()) {
                    self.needs(at, section);
                }
            }
        }
    }

    /// Begins a trace, or goes on with the one that it is chained to.
    fn open_trace(&mut self, at: usize, indent: usize, concludes: bool) {
        let chained = self.trace.as_ref().is_some_and(|trace| {
            !trace.anchors.is_empty()
                && self.blanks <= 1
                && trace.concludes == concludes
                && concludes
                && trace.indent == indent
        });
        if !chained {
            self.end_trace();
            self.trace =
                Some(Trace { anchors: Vec::new(), frames: Vec::new(), indent, concludes, nested: false, near: None });
            if let Some(event) = self.event.filter(|_| self.stamped) {
                self.anchor(event);
            }
        }
        if let Some(trace) = &mut self.trace {
            trace.concludes = concludes;
            trace.frames.clear();
        }
        self.anchor(at);
        self.set(at, if concludes { Role::Part } else { Role::Head });
    }

    /// Lines of the trace that is open; false where it ends or none is open.
    fn in_trace(&mut self, at: usize, indent: usize, text: &str) -> bool {
        let Some(trace) = &self.trace else { return false };
        let (own, concludes, head) = (trace.indent, trace.concludes, trace.anchors.last().copied());
        let has_frames = !trace.frames.is_empty();
        if text.starts_with("Caused by:") || text.starts_with("[cause]:") || text.starts_with("Caused by ") {
            self.mark_near();
            self.anchor(at);
            self.set(at, Role::Cause);
            return true;
        }
        if text.starts_with("---> ") {
            if let Some(trace) = &mut self.trace {
                trace.nested = true;
            }
            self.anchor(at);
            self.set(at, Role::Cause);
            return true;
        }
        if text.starts_with("--- End of ") && has_frames {
            // Where the innermost failure was in libraries alone, the next frames say who called them.
            let own = |frame: &usize| self.lines.get(*frame).is_some_and(|line| is_placed(line) && !is_foreign(line));
            if self.trace.as_ref().is_some_and(|trace| trace.frames.iter().any(own)) {
                self.mark_near();
            }
            self.needs(at, head.unwrap_or(at));
            self.set(at, Role::Part);
            return true;
        }
        if is_chain(text) {
            self.anchor(at);
            self.set(at, Role::Part);
            return true;
        }
        if concludes && indent <= own && has_frames && opens_trace(text) != Some(true) {
            // What was raised; a later chain or message line may follow.
            self.anchor(at);
            self.set(at, Role::Cause);
            self.mark_near();
            return true;
        }
        let goes_on =
            indent > own || is_frame(text) || (!concludes && !has_frames && is_said(text) && self.goes_on(at, own));
        if !goes_on {
            let last = self.trace.as_ref().is_some_and(|trace| trace.concludes)
                && self.blanks <= 1
                && opens_trace(text).is_some();
            if !last && opens_trace(text).is_none() {
                self.end_trace();
            }
            return false;
        }
        // A line of source or a place belongs to the frame above it, a frame to the head.
        let above = self.open.iter().rev().find(|(_, outer)| *outer < indent).map(|(above, _)| *above);
        let of = above.or(head);
        if let Some(of) = of.filter(|of| *of != at) {
            self.needs(at, of);
        }
        if let Some(head) = head {
            self.needs(at, head);
        }
        self.set(at, Role::Part);
        if text.starts_with("goroutine ") && !has_frames {
            // The first one is the one that panicked.
            self.anchor(at);
        }
        if is_frame(text) {
            if let Some(trace) = self.trace.as_mut().filter(|_| !text.starts_with("goroutine ")) {
                trace.frames.push(at);
            }
        } else if !has_frames && !concludes {
            self.anchor(at);
            self.set(at, Role::Cause);
        }
        true
    }

    /// Whether a line is part of what a trace says though no frame stands yet: at once below it, or with frames to come.
    fn goes_on(&self, at: usize, indent: usize) -> bool {
        let below = self.lines.get(at + 1..).unwrap_or_default().iter().take(MOST_SAID);
        let framed = |line: &&str| is_frame(line.trim()) && line.len() - line.trim_start().len() > indent;
        self.blanks == 0 || (self.blanks == 1 && below.take_while(|line| !line.trim().is_empty()).any(framed))
    }

    /// A line of source that a message quotes, or what points into it.
    fn quotes(&mut self, at: usize, line: &str, text: &str) -> bool {
        let points = is_pointer(text);
        let quoted = is_quoted(line)
            || text.starts_with("--> ")
            || text.starts_with("= ")
            || text.starts_with("::: ")
            || text == "|"
            || text == "...";
        if !points && !quoted {
            return false;
        }
        let message = self.message;
        if let Some(head) = message {
            self.needs(at, head);
        }
        if points {
            let code = self.quoted.or_else(|| self.open.last().map(|(above, _)| *above));
            if let Some(code) = code {
                self.needs(at, code);
            }
            let failed = message.is_some_and(|head| self.structure.roles.get(head) == Some(&Role::Head));
            let first = failed && text.contains(['^', '~']) && self.core.len() < 3;
            if first {
                self.core.extend(code.into_iter().chain([at]));
            }
            self.set(at, if first { Role::Cause } else { Role::Part });
            return code.is_some();
        }
        if message.is_none() {
            return false;
        }
        if text.starts_with("--> ") {
            if self.core.len() == 1 {
                self.core.push(at);
            }
        } else if text != "|" && text != "..." && !text.starts_with("= ") {
            self.quoted = Some(at);
        }
        self.set(at, Role::Part);
        true
    }

    /// Pytest's account of a failed assertion: `>` before the line that failed, `E` before why.
    fn asserts(&mut self, at: usize, line: &str) -> bool {
        let failed = line.starts_with("> ") || line.starts_with(">\t");
        let why = line.starts_with("E  ") || line.trim_end() == "E";
        if !failed && !why {
            return false;
        }
        if let Some(section) = self.section {
            self.needs(at, section);
            self.needs(section, at);
        }
        if failed {
            self.quoted = Some(at);
            self.set(at, Role::Near);
        } else {
            if let Some(code) = self.quoted {
                self.needs(at, code);
                if self.structure.roles.get(at.wrapping_sub(1)) != Some(&Role::Cause) {
                    self.needs(code, at);
                }
            }
            self.set(at, Role::Cause);
        }
        true
    }

    /// A line that stands with the trace's other anchors or not at all.
    fn anchor(&mut self, at: usize) {
        if let Some(trace) = &mut self.trace {
            trace.anchors.push(at);
        }
    }

    /// The frame of the program's own that is nearest to the failure.
    fn mark_near(&mut self) {
        let Some(trace) = &mut self.trace else { return };
        let frames = std::mem::take(&mut trace.frames);
        let concludes = trace.concludes;
        let own = |at: &&usize| self.is_own(**at, &frames);
        let near = if concludes { frames.iter().rev().find(own) } else { frames.iter().find(own) };
        let near = near.or(if concludes { frames.last() } else { frames.first() }).copied();
        if let Some(near) = near {
            self.set(near, Role::Near);
            if let Some(trace) = self.trace.as_mut().filter(|trace| !trace.nested || trace.near.is_none()) {
                trace.near = Some(near);
            }
            // Go and Rust give the place of a frame on the line below it, Python the code.
            let indent = |at: usize| self.lines.get(at).map_or(0, |line| line.len() - line.trim_start().len());
            if indent(near + 1) > indent(near) {
                self.needs(near, near + 1);
            }
        }
    }

    /// Whether a frame is in the program's own sources: in no library known as such, and with a place if any has one.
    fn is_own(&self, at: usize, frames: &[usize]) -> bool {
        let line = |at: usize| self.lines.get(at).copied().unwrap_or_default();
        let placed = |at: &usize| is_placed(line(*at)) && !is_foreign(line(*at));
        !is_foreign(line(at)) && (is_placed(line(at)) || !frames.iter().any(placed))
    }

    fn end_trace(&mut self) {
        self.mark_near();
        let Some(trace) = self.trace.take() else { return };
        // What failed first needs its place: nobody could tell it from the frames that are left.
        let first = self.structure.fixed.is_empty();
        self.stand_together(trace.anchors);
        // What failed needs its place: nobody could tell it from the frames that are left.
        if let Some(near) = trace.near {
            let fixed = if first { &mut self.structure.fixed } else { &mut self.last };
            fixed.push(near);
        }
    }

    fn end_message(&mut self) {
        self.message = None;
        let core = std::mem::take(&mut self.core);
        // A message without a place only sums up.
        if core.len() > 1 {
            self.stand_together(core);
        }
    }

    /// Lines of one failure of which none stands without the others.
    fn stand_together(&mut self, lines: Vec<usize>) {
        for pair in lines.windows(2) {
            if let [one, other] = pair {
                self.needs(*one, *other);
                self.needs(*other, *one);
            }
        }
        let first = self.structure.fixed.is_empty();
        let fixed = if first { &mut self.structure.fixed } else { &mut self.last };
        *fixed = lines;
    }

    fn needs(&mut self, item: usize, of: usize) {
        if item != of {
            self.structure.bonds.push(Bond::Needs { item, of });
        }
    }

    fn set(&mut self, at: usize, role: Role) {
        if let Some(place) = self.structure.roles.get_mut(at) {
            *place = role;
        }
    }
}

/// Whether a line begins with a time, behind a few marks and names.
fn is_stamped(line: &str) -> bool {
    let head = line.get(..line.floor_char_boundary(64)).unwrap_or_default().as_bytes();
    !line.starts_with([' ', '\t'])
        && head.windows(5).any(|five| {
            matches!(five, [a, b, b':' | b'.', c, d] if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()))
                && head.contains(&b':')
        })
}

/// Whether a line opens a trace; if so, whether its conclusion comes last.
fn opens_trace(text: &str) -> Option<bool> {
    if text.starts_with("Traceback (most recent call last)") {
        return Some(true);
    }
    let raised = text.strip_prefix("Uncaught ").unwrap_or(text);
    let name = raised.split([':', ' ']).next().unwrap_or_default();
    let thrown = (name.ends_with("Exception") || name.ends_with("Error") || name.ends_with("Throwable"))
        && name.starts_with(|c: char| c.is_alphabetic())
        && (raised.len() == name.len()
            || raised.get(name.len()..).is_some_and(|rest| rest.starts_with(':') || rest.starts_with(" [")));
    let opens = thrown
        || ["Exception in thread", "panic: ", "fatal error: ", "Unhandled exception", "SIG", "*** Error in"]
            .iter()
            .any(|head| text.starts_with(head))
        || (text.starts_with("thread '") && text.contains(" panicked at"));
    opens.then_some(false)
}

/// A line that links a trace with the one before.
fn is_chain(text: &str) -> bool {
    text.starts_with("During handling of the above exception")
        || text.starts_with("The above exception was the direct cause")
}

/// A place in a trace.
fn is_frame(text: &str) -> bool {
    let numbered = text.split_once([':', ' ']).is_some_and(|(number, rest)| {
        let digits = number.strip_prefix('#').unwrap_or(number);
        !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && (number.len() > digits.len() || rest.starts_with([' ', '0']))
    });
    text.starts_with("at ")
        || text.starts_with("File \"")
        || text.starts_with("goroutine ")
        || text.starts_with("created by ")
        || text.starts_with("from ")
        || (text.starts_with("... ") && text.ends_with(" more"))
        || text == "stack backtrace:"
        || text.starts_with("exit status ")
        || text.starts_with("note: run with `RUST_BACKTRACE")
        || numbered
        // Go names the function on a line of its own.
        || (text.ends_with(')') && text.contains('(') && !text.contains(' ') && text.contains(['.', '/']))
}

/// Whether a frame names a file and a line.
fn is_placed(text: &str) -> bool {
    text.contains(":line ")
        || text
            .match_indices(':')
            .any(|(at, _)| text.get(at + 1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())))
        || text.contains(", line ")
}

/// Lines between what a trace says and its frames.
const MOST_SAID: usize = 8;

/// What a panic says on the line below its place.
fn is_said(text: &str) -> bool {
    !is_frame(text) && !is_section(text)
}

/// Places in libraries and runtimes.
pub(super) fn is_foreign(line: &str) -> bool {
    FOREIGN.iter().any(|part| line.contains(part))
}

#[rustfmt::skip]
const FOREIGN: [&str; 21] = [
    "site-packages", "dist-packages", "node_modules", "node:internal", "/usr/lib/", "/rustc/", ".cargo/registry",
    "at System.", "at Microsoft.", "at java.", "at javax.", "at jdk.", "at sun.", "at org.springframework.", "at org.junit.", "/usr/local/go/",
    "std::", "core::", "rust_begin_unwind", "<frozen ", "runtime.",
];

/// A compiler's, a linter's or a package manager's message.
fn is_message(text: &str) -> bool {
    const KINDS: [&str; 5] = ["error", "warning", "note", "help", "fatal"];
    let begins = KINDS.iter().any(|kind| {
        text.strip_prefix(kind)
            .is_some_and(|rest| rest.starts_with(": ") || (rest.starts_with('[') && rest.contains("]: ")))
    });
    begins
        || [
            ": error: ",
            ": warning: ",
            ": note: ",
            ": fatal error: ",
            " - error TS",
            ": error TS",
            ": error[",
            "): error ",
        ]
        .iter()
        .any(|mark| {
            text.find(mark).is_some_and(|at| {
                text.get(..at)
                    .is_some_and(|place| place.ends_with(|c: char| c.is_ascii_digit() || c == ')') && place.len() < 200)
            })
        })
}

/// `12 | code`, `   | ^^^`, and TypeScript's `12   code`.
fn is_quoted(line: &str) -> bool {
    let text = line.trim_start();
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.len() - rest.len();
    digits <= 6
        && (rest.trim_start().starts_with("| ") && rest.len() - rest.trim_start().len() <= 6
            || rest.trim() == "|"
            || digits > 0 && rest.starts_with(' '))
}

/// Carets and tildes, in a gutter or without, with a word of explanation behind them.
fn is_pointer(text: &str) -> bool {
    let marks = text.trim_start_matches(['|', ' ']);
    let drawn = marks.trim_start_matches(['^', '~', '-', ' ', '|', '+', '_', '/', '\\']);
    let pointed = marks.get(..marks.len() - drawn.len()).unwrap_or_default();
    pointed.contains(['^', '~']) && marks.starts_with(['^', '~', '-', '_'])
        || (text.starts_with('|') && pointed.contains("---"))
        || (text.starts_with('|') && text.len() > 1 && pointed.trim().is_empty() && text.starts_with("|  "))
}

/// A line that names what the lines below are about: a test, a task, a step.
fn is_section(text: &str) -> bool {
    let ruled = |mark: char| {
        text.starts_with([mark; 3].iter().collect::<String>().as_str()) && text.contains(char::is_alphabetic)
    };
    ruled('=')
        || ruled('_')
        || ruled('-')
        || ruled('#')
        || ruled('*')
        || ["##[group]", "::group::", "TASK [", "PLAY [", "PLAY RECAP", "● ", "> Task ", "FAIL ", "RUN "]
            .iter()
            .any(|head| text.starts_with(head))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines that stand once one of them does.
    fn with(text: &str, wanted: &str) -> Vec<String> {
        let lines: Vec<&str> = text.lines().collect();
        let structure = structure(&lines);
        let bonds = crate::compress::bond::Bonds::new(lines.len(), &structure.bonds);
        let at = lines.iter().position(|line| line.contains(wanted)).unwrap();
        let mut all = bonds.closure(at, |_| true, |_| true).unwrap_or_default();
        all.sort_unstable();
        all.into_iter().map(|at| lines[at].trim().to_owned()).collect()
    }

    const PYTHON: &str = "2031-07-08 13:13:02 INFO a\n2031-07-08 13:13:02 ERROR assignment failed for VSL-6602\nTraceback (most recent call last):\n  \
        File \"/srv/a.py\", line 44, in assign\n    depth = lookup(vessel)\n  File \"/srv/b.py\", line 12, in lookup\n    return TABLE[v]\nKeyError: 'VSL-6602'\n2031-07-08 13:13:03 INFO b\n2031-07-08 13:13:04 INFO c\n2031-07-08 13:13:05 INFO c\n2031-07-08 13:13:06 INFO c\n2031-07-08 13:13:07 INFO c\n2031-07-08 13:13:08 INFO c\n";

    #[test]
    fn an_error_keeps_its_cause() {
        let found = with(PYTHON, "ERROR assignment");
        assert_eq!(found.last().unwrap(), "KeyError: 'VSL-6602'", "{found:?}");
        let found = with(PYTHON, "return TABLE");
        assert!(found.contains(&"File \"/srv/b.py\", line 12, in lookup".to_owned()), "{found:?}");
        assert!(!found.iter().any(|line| line.contains("a.py")), "{found:?}");
    }

    #[test]
    fn the_last_failure_stands_whatever_the_budget() {
        let twice = format!("{PYTHON}{}", PYTHON.replace("KeyError", "TypeError"));
        let lines: Vec<&str> = twice.lines().collect();
        let fixed: Vec<&str> = structure(&lines).fixed.into_iter().map(|at| lines[at]).collect();
        assert_eq!(fixed.len(), 8, "{fixed:?}");
        assert!(fixed.contains(&"TypeError: 'VSL-6602'"), "{fixed:?}");
        assert_eq!(fixed.iter().filter(|line| line.contains("b.py\", line 12")).count(), 2, "{fixed:?}");
    }

    #[test]
    fn of_nested_failures_the_innermost_one_says_what_and_where() {
        let text = "Unhandled exception. A.SyncException: hive 8\n ---> S.SocketException (111): refused\n\n\
                    Detail: scales 4\n   at S.Socket.Connect(Int16 token)\n   --- End of inner exception stack trace ---\n   \
                    at S.Pool.Send()\n   at A.Client.Read(Int32 hive) in /src/Client.cs:line 57\n   \
                    --- End of inner exception stack trace ---\n   at A.Client.Read(Int32 hive) in /src/Client.cs:line 63\n";
        let lines: Vec<&str> = text.lines().collect();
        let fixed: Vec<&str> = structure(&lines).fixed.into_iter().map(|at| lines[at]).collect();
        for part in ["hive 8", "refused", "scales 4", "line 57"] {
            assert!(fixed.iter().any(|line| line.contains(part)), "{part} {fixed:?}");
        }
        assert!(!fixed.iter().any(|line| line.contains("line 63")), "{fixed:?}");
    }

    #[test]
    fn a_java_trace_keeps_head_and_root_together() {
        let text = "Exception in thread \"main\" a.ExecutionException: x\n\tat a.B.c(B.java:1)\nCaused by: a.IllegalStateException: y\n\tat a.D.e(D.java:2)\n\t... 3 more\nCaused by: java.io.EOFException: z\n\tat a.F.g(F.java:3)\n";
        let found = with(text, "Exception in thread");
        assert!(found.contains(&"Caused by: java.io.EOFException: z".to_owned()), "{found:?}");
        assert!(with(text, "D.java:2").len() >= 4);
    }

    #[test]
    fn carets_stand_with_their_code_and_message() {
        let text = "error[E0382]: use of moved value\n  --> src/hold.rs:27:30\n   |\n25 |     fn stow() {\n   |        ---- moved\n27 |     self.map.insert(x);\n   |                     ^ used here\n   = note: why\n\nwarning: unused\n";
        let found = with(text, "^ used");
        for line in ["error[E0382]: use of moved value", "--> src/hold.rs:27:30", "27 |     self.map.insert(x);"] {
            assert!(found.contains(&line.to_owned()), "{line} {found:?}");
        }
        assert!(with(text, "= note: why").contains(&"error[E0382]: use of moved value".to_owned()));
    }
}
