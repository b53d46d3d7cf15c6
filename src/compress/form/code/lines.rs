//! Lines, and the lines that are one: strings, comments, signatures and scalars that go on below.

use std::{collections::HashMap, ops::Range};

use super::syntax::{self, Syntax};
use crate::compress::{fuel, text::lexicon::html};

/// One line or several that can't be torn apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit<'a> {
    /// Its lines, blank ones after it included.
    pub(super) lines: Range<usize>,
    /// Where the blank ones begin.
    pub(super) full: usize,
    /// Its first line without the white space around it.
    pub(super) content: &'a str,
    /// The last of its lines, likewise.
    pub(super) last: &'a str,
    /// How deep it stands.
    pub(super) indent: i32,
    /// Whether it is a comment.
    pub(super) comment: bool,
    /// The unit that closes the first bracket that it leaves open.
    pub(super) closed_by: Option<usize>,
    /// Whether that bracket is round.
    pub(super) round: bool,
}

/// Cuts lines into units; linear in their length.
pub(super) fn units<'a>(lines: &[&'a str], syntax: Syntax) -> Vec<Unit<'a>> {
    let mut cutter = Cutter::new(lines, syntax);
    for (number, line) in lines.iter().enumerate() {
        fuel::step(READERS_OF_A_LINE + line.len());
        cutter.line(number, line);
    }
    let mut units = joined(cutter.units, lines);
    settle_comments(&mut units);
    units
}

/// What a line is asked, whatever its length.
const READERS_OF_A_LINE: usize = 8;

struct Cutter<'a, 'l> {
    lines: &'l [&'a str],
    syntax: Syntax,
    units: Vec<Unit<'a>>,
    /// Open brackets and tags with the unit that opened them.
    open: Vec<(u64, usize)>,
    /// What ends the string or comment that is open.
    until: Option<&'static str>,
    /// The word that ends a here-document, from the next line on.
    here: Option<String>,
    /// Deeper lines belong to the scalar of a key that stands so deep.
    scalar: Option<i32>,
    continued: bool,
    in_fence: Option<&'a str>,
    /// The last line that has each of [`DELIMITERS`].
    last: Vec<Option<usize>>,
    /// The last line that is such a word and no more.
    words: HashMap<&'a str, usize>,
    /// Sections of HTML that are open: a heading holds within its own.
    sections: usize,
}

/// Elements of HTML that hold sections.
const SECTIONS: [&str; 4] = ["div", "section", "article", "aside"];

/// Sections within each other; what is deeper stands beside.
const MOST_SECTIONS: usize = 32;

const DELIMITERS: [&str; 5] = ["\"\"\"", "'''", "*/", "-->", "`"];

impl<'a, 'l> Cutter<'a, 'l> {
    fn new(lines: &'l [&'a str], syntax: Syntax) -> Self {
        let last = DELIMITERS.iter().map(|mark| lines.iter().rposition(|line| line.contains(mark))).collect();
        let word =
            |line: &str| !line.is_empty() && line.len() <= 40 && line.chars().all(|c| c.is_alphanumeric() || c == '_');
        let words = lines
            .iter()
            .enumerate()
            .filter(|(_, line)| word(line.trim()))
            .map(|(at, line)| (line.trim(), at))
            .collect();
        Self {
            lines,
            syntax,
            units: Vec::new(),
            open: Vec::new(),
            until: None,
            here: None,
            scalar: None,
            continued: false,
            in_fence: None,
            last,
            words,
            sections: 0,
        }
    }

    fn line(&mut self, number: usize, line: &'a str) {
        let content = line.trim();
        let indent = indent(line);
        if content.is_empty() {
            if let Some(unit) = self.units.last_mut() {
                unit.lines.end = number + 1;
            }
            self.continued = false;
            return;
        }
        let raw = self.until.is_some() || self.here.is_some();
        if self.scalar.is_some_and(|depth| indent <= depth) {
            self.scalar = None;
        }
        let goes_on = raw || self.continued || self.scalar.is_some() || self.goes_on(number, line, content, indent);
        if !goes_on || self.units.is_empty() {
            let lines = if self.units.is_empty() { 0..number + 1 } else { number..number + 1 };
            let comment = self.is_comment(content);
            let indent = self.depth(content, indent);
            if self.syntax.markup {
                let count = |mark: &str| {
                    SECTIONS.iter().map(|name| content.matches(&format!("{mark}{name}")).count()).sum::<usize>()
                };
                self.sections = (self.sections + count("<")).saturating_sub(count("</"));
            }
            self.units.push(Unit {
                lines,
                full: number + 1,
                content,
                last: content,
                indent,
                comment,
                closed_by: None,
                round: false,
            });
        } else if let Some(unit) = self.units.last_mut() {
            (unit.lines.end, unit.full, unit.last) = (number + 1, number + 1, content);
        }
        if let Some(word) = &self.here {
            if content == word {
                self.here = None;
            }
            return;
        }
        if self.scalar.is_some() {
            return;
        }
        self.fence(content);
        self.word(content);
        if self.in_fence.is_none() && !self.syntax.prose {
            self.scan(number, line);
        }
        // A list of selectors goes on below its commas.
        let listed = self.syntax.slash && self.open.is_empty() && content.ends_with(',');
        self.continued = !self.syntax.prose && self.until.is_none() && (listed || content.ends_with('\\'));
        if self.syntax.yaml && self.until.is_none() && begins_scalar(content) {
            self.scalar = Some(indent);
        }
    }

    fn is_comment(&self, content: &str) -> bool {
        (self.syntax.hash && content.starts_with('#') && !content.starts_with("#["))
            || (self.syntax.slash && (content.starts_with("//") || content.starts_with("/*")))
            || (self.syntax.dash && content.starts_with("--"))
            || (self.syntax.keyed && content.starts_with(';'))
            || content.starts_with("<!--")
    }

    /// How deep a line stands: headings above sections above all indentation; an item of a list may stand right below
    /// the key that it belongs to.
    fn depth(&self, content: &str, indent: i32) -> i32 {
        if self.in_fence.is_some() {
            return indent + 2;
        }
        if self.syntax.prose {
            let level = content.len() - content.trim_start_matches('#').len();
            return if (1..=6).contains(&level) && content.get(level..).is_some_and(|rest| rest.starts_with(' ')) {
                -100 + level as i32
            } else {
                indent + i32::from(content.starts_with('|') && !is_ruler(content))
            };
        }
        if self.syntax.markup {
            // What follows a heading stands under it.
            let level =
                content.strip_prefix("<h").and_then(|rest| rest.chars().next()).and_then(|digit| digit.to_digit(10));
            return indent
                + 16 * self.sections.min(MOST_SECTIONS) as i32
                + level.map_or(14, |level| 2 * level.min(6) as i32);
        }
        if self.syntax.yaml && indent == 0 && content == "---" {
            return -90;
        }
        let section = (self.syntax.keyed && self.open.is_empty() && syntax::is_section(content))
            || (self.syntax.stages && content.starts_with("FROM "));
        match section {
            true => -50,
            false => indent + i32::from(self.syntax.yaml && content.starts_with('-')),
        }
    }

    /// Whether a line is part of the unit above it, by its look.
    fn goes_on(&self, number: usize, line: &str, content: &str, indent: i32) -> bool {
        let Some(unit) = self.units.last() else { return false };
        let adjacent = unit.full == number;
        let prose = |content: &str| {
            !content.starts_with(['#', '|', '-', '*', '+', '>', '`', '~', '='])
                && !content.starts_with(|c: char| c.is_ascii_digit())
        };
        if self.syntax.prose {
            let wrapped = unit.last.len() >= 40 && self.in_fence.is_none();
            let ruler = content.len() >= 3 && (content.chars().all(|c| c == '=') || content.chars().all(|c| c == '-'));
            let table = is_ruler(content) && unit.last.starts_with('|');
            return adjacent
                && (ruler || table || (wrapped && prose(content) && unit.full - unit.lines.start < LONGEST_PARAGRAPH));
        }
        // A brace on a line of its own belongs to the signature above it.
        if adjacent
            && content == "{"
            && unit.last.ends_with(|c: char| c == ')' || c.is_alphanumeric() || c == '>')
            && !self.syntax.json
        {
            return !unit.comment;
        }
        // A plain scalar of YAML that goes on below its key.
        self.syntax.yaml
            && adjacent
            && self.open.is_empty()
            && line.starts_with(' ')
            && indent > unit.indent
            && !unit.comment
            && !content.starts_with(['#', '-', '{', '[', '?'])
            && !syntax::is_key(content)
            && !unit.last.ends_with(':')
    }

    fn fence(&mut self, content: &'a str) {
        let ticks = content.len() - content.trim_start_matches(['`', '~']).len();
        let Some(mark) = content.get(..ticks).filter(|_| ticks >= 3 && self.syntax.prose) else { return };
        let owner = self.units.len().saturating_sub(1);
        match self.in_fence {
            Some(open) if mark.starts_with(open) && content.len() == ticks => {
                self.in_fence = None;
                self.close(FENCE, owner);
                if let Some(unit) = self.units.last_mut() {
                    unit.indent -= 2;
                }
            }
            Some(_) => {}
            None => {
                self.in_fence = Some(mark);
                self.open.push((FENCE, owner));
            }
        }
    }

    /// Words that open and close as brackets do: a shell's, and those of C's preprocessor.
    fn word(&mut self, content: &str) {
        let owner = self.units.len().saturating_sub(1);
        if self.syntax.slash && content.starts_with('#') {
            let word = content.trim_start_matches(['#', ' ']);
            if word.starts_with("endif") || word.starts_with("el") {
                self.close(CONDITION, owner);
            }
            if word.starts_with("if") || word.starts_with("el") {
                self.open.push((CONDITION, owner));
            }
        }
        let closes = |word: &str| self.words.contains_key(word);
        if !self.syntax.hash || !(closes("fi") || closes("done") || closes("esac")) {
            return;
        }
        let word = content.split([' ', ';', ')']).next().unwrap_or_default();
        let last = content.rsplit([' ', ';']).next().unwrap_or_default();
        match (word, last) {
            ("if" | "case" | "for" | "while" | "until", "fi" | "done" | "esac") => {}
            ("if", _) => self.open.push((BRANCH, owner)),
            ("case", "in") => self.open.push((CASE, owner)),
            ("for" | "while" | "until" | "do", _) if last == "do" => self.open.push((LOOP, owner)),
            ("fi", _) => self.close(BRANCH, owner),
            ("esac", _) => self.close(CASE, owner),
            ("done", _) => self.close(LOOP, owner),
            _ => {}
        }
    }

    /// Reads a line for its brackets, strings and comments.
    fn scan(&mut self, number: usize, line: &'a str) {
        let owner = self.units.len().saturating_sub(1);
        let bytes = line.as_bytes();
        let (mut at, mut lone_double, mut lone_single) = (0, false, false);
        let mut ahead = Ahead { line, missing: [false; DELIMITERS.len()] };
        while at < bytes.len() {
            if let Some(mark) = self.until {
                let Some(found) = line.get(at..).and_then(|rest| rest.find(mark)) else { return };
                at += found + mark.len();
                self.until = None;
                continue;
            }
            let byte = bytes.get(at).copied().unwrap_or_default();
            let next = bytes.get(at + 1).copied().unwrap_or_default();
            let before = at.checked_sub(1).and_then(|at| bytes.get(at)).copied().unwrap_or(b' ');
            let rest = line.get(at..).unwrap_or_default();
            match byte {
                b'\\' => at += 1,
                b'"' | b'\'' if rest.starts_with("\"\"\"") || rest.starts_with("'''") => {
                    let mark = if byte == b'"' { "\"\"\"" } else { "'''" };
                    at += 2;
                    if ahead.has(mark, at + 1) || self.is_later(mark, number) {
                        self.until = Some(mark);
                    }
                }
                b'\'' if self.syntax.chars => {
                    let end = line.get(at + 1..).and_then(|rest| rest.bytes().take(6).position(|byte| byte == b'\''));
                    at += end.map_or(0, |end| end + 1);
                }
                b'"' | b'\'' if !(byte == b'\'' && before.is_ascii_alphanumeric()) => {
                    let lone = if byte == b'"' { &mut lone_double } else { &mut lone_single };
                    if !*lone {
                        match closing(bytes, at + 1, byte) {
                            Some(end) => at = end,
                            None => *lone = true,
                        }
                    }
                }
                b'`' if self.syntax.slash => match ahead.closing(at + 1) {
                    Some(end) => at = end,
                    None if self.is_later("`", number) => self.until = Some("`"),
                    None => {}
                },
                b'#' if self.syntax.hash && before.is_ascii_whitespace() => return,
                b'/' if self.syntax.slash && next == b'/' && before != b':' => return,
                b'/' if self.syntax.slash && next == b'*' => {
                    at += 1;
                    if ahead.has("*/", at + 1) || self.is_later("*/", number) {
                        self.until = Some("*/");
                    }
                }
                b'-' if self.syntax.dash && next == b'-' && before.is_ascii_whitespace() => return,
                b'<' if self.syntax.markup => {
                    if rest.starts_with("<!--") && (ahead.has("-->", at) || self.is_later("-->", number)) {
                        self.until = Some("-->");
                    } else {
                        self.tag(rest, owner);
                    }
                }
                b'/' if self.syntax.markup && next == b'>' => {
                    self.open.pop_if(|(key, by)| *key >= TAGS && *by == owner);
                }
                b'<' if next == b'<' && before != b'<' && !self.syntax.slash => self.here_document(rest, number),
                b'(' | b'[' | b'{' if !self.syntax.markup => self.open.push((u64::from(byte), owner)),
                b')' if !self.syntax.markup => self.close(u64::from(b'('), owner),
                b']' if !self.syntax.markup => self.close(u64::from(b'['), owner),
                b'}' if !self.syntax.markup => self.close(u64::from(b'{'), owner),
                _ => {}
            }
            at += 1;
        }
    }

    fn is_later(&self, mark: &str, number: usize) -> bool {
        let place = DELIMITERS.iter().position(|known| *known == mark);
        place.and_then(|place| self.last.get(place).copied().flatten()).is_some_and(|last| last > number)
    }

    /// A tag that opens or closes an element; one that needs no closing is none.
    fn tag(&mut self, rest: &str, owner: usize) {
        let (closes, name) =
            rest.get(1..).map_or((false, ""), |tag| tag.strip_prefix('/').map_or((false, tag), |tag| (true, tag)));
        let name = name.split(|c: char| !(c.is_alphanumeric() || "-_:.".contains(c))).next().unwrap_or_default();
        if !name.starts_with(char::is_alphabetic) || html::is_void(&name.to_ascii_lowercase()) {
            return;
        }
        let hash = |sum: u64, byte: u8| sum.wrapping_mul(31).wrapping_add(u64::from(byte));
        let key = name.bytes().fold(7, hash).saturating_add(TAGS);
        if closes {
            self.close(key, owner);
        } else {
            self.open.push((key, owner));
        }
    }

    /// Closes the bracket on top. A brace or a tag closes over what was left open inside it; another bracket that does
    /// not fit is no bracket.
    fn close(&mut self, key: u64, owner: usize) {
        let reach = if key == u64::from(b'{') || key >= FENCE { 64 } else { 1 };
        let found = self.open.iter().rev().take(reach).position(|(open, _)| *open == key);
        let Some(depth) = found else { return };
        let place = self.open.len() - 1 - depth;
        for (key, by) in self.open.drain(place..) {
            if by == owner {
                continue;
            }
            if let Some(unit) = self.units.get_mut(by) {
                // The bracket that was opened first is closed last.
                (unit.closed_by, unit.round) = (Some(owner), key == u64::from(b'('));
            }
        }
    }

    fn here_document(&mut self, rest: &str, number: usize) {
        let word = rest.trim_start_matches(['<', '-', '~']).trim_start_matches(['"', '\'', '\\']);
        let word = word.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default();
        if !word.is_empty() && self.words.get(word).is_some_and(|last| *last > number) {
            self.here = Some(word.to_owned());
        }
        debug_assert!(number < self.lines.len());
    }
}

/// What stands further on in a line: what was looked for in vain is not looked for again, from wherever.
struct Ahead<'a> {
    line: &'a str,
    missing: [bool; DELIMITERS.len()],
}

impl Ahead<'_> {
    /// Whether a delimiter stands in the line from `from` on.
    fn has(&mut self, mark: &str, from: usize) -> bool {
        self.find(mark, |line| line.get(from..).filter(|rest| rest.contains(mark)).map(|_| from)).is_some()
    }

    /// Where a backtick that was opened before `from` is closed.
    fn closing(&mut self, from: usize) -> Option<usize> {
        self.find("`", |line| closing(line.as_bytes(), from, b'`'))
    }

    fn find(&mut self, mark: &str, look: impl Fn(&str) -> Option<usize>) -> Option<usize> {
        let place = DELIMITERS.iter().position(|known| *known == mark);
        let missing = place.and_then(|place| self.missing.get_mut(place))?;
        let found = if *missing { None } else { look(self.line) };
        *missing = found.is_none();
        found
    }
}

/// Where a quote that was opened before `from` is closed on its line.
fn closing(bytes: &[u8], from: usize, quote: u8) -> Option<usize> {
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            byte if *byte == quote => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// Columns of white space in front, twice, so that there is room between two depths.
fn indent(line: &str) -> i32 {
    let columns = line.chars().take_while(|c| c.is_whitespace()).take(400).map(|c| if c == '\t' { 8 } else { 1 });
    2 * columns.sum::<i32>()
}

/// `key: |`, `- >-`: the scalar is what stands deeper below.
fn begins_scalar(content: &str) -> bool {
    let Some((before, mark)) = content.rsplit_once(' ') else { return false };
    let indicated = mark.starts_with(['|', '>'])
        && mark.len() <= 3
        && mark.chars().skip(1).all(|c| c == '+' || c == '-' || c.is_ascii_digit());
    indicated && (before.ends_with(':') || before.ends_with('-') || before.contains(": &") || before.contains(": !"))
}

/// `|---|---|`: it separates a table's head from its rows.
fn is_ruler(content: &str) -> bool {
    content.starts_with('|') && content.len() >= 3 && content.chars().all(|c| "|-: +".contains(c))
}

/// Signatures, calls and lists of arguments in few lines are one unit.
fn joined<'a>(units: Vec<Unit<'a>>, lines: &[&'a str]) -> Vec<Unit<'a>> {
    let mut found: Vec<Unit<'a>> = Vec::with_capacity(units.len());
    let mut place = vec![0; units.len()];
    let mut until = 0;
    let ends: Vec<usize> = units.iter().map(|unit| unit.full).collect();
    for (at, unit) in units.into_iter().enumerate() {
        let short = unit.round.then_some(unit.closed_by).flatten();
        let short = short.filter(|by| ends.get(*by).is_some_and(|end| end - unit.lines.start <= LONGEST_CALL));
        if at < until {
            if let Some(last) = found.last_mut() {
                (last.lines.end, last.full, last.last) = (unit.lines.end, unit.full, unit.last);
                (last.closed_by, last.round) = (unit.closed_by.filter(|by| *by >= until), unit.round);
                until = short.map_or(until, |by| until.max(by + 1));
            }
        } else {
            until = short.map_or(0, |by| by + 1);
            found.push(unit);
        }
        if let Some(place) = place.get_mut(at) {
            *place = found.len() - 1;
        }
    }
    for at in 0..found.len() {
        if let Some(unit) = found.get_mut(at) {
            unit.closed_by = unit.closed_by.and_then(|by| place.get(by).copied()).filter(|by| *by > at);
        }
    }
    debug_assert!(found.last().is_none_or(|unit| unit.lines.end <= lines.len()));
    found
}

/// A comment stands as deep as what it is about.
fn settle_comments(units: &mut [Unit<'_>]) {
    let mut below = i32::MIN;
    for unit in units.iter_mut().rev() {
        if unit.comment {
            unit.indent = unit.indent.max(below);
        }
        below = unit.indent;
    }
}

const FENCE: u64 = 256;
const CONDITION: u64 = 257;
const BRANCH: u64 = 258;
const CASE: u64 = 259;
const LOOP: u64 = 260;
/// Keys of tags are past it.
const TAGS: u64 = 300;

/// Lines of a call or a signature that stand together.
const LONGEST_CALL: usize = 12;

/// Lines of a paragraph that stand together.
const LONGEST_PARAGRAPH: usize = 30;

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<Vec<&str>> {
        let lines: Vec<&str> = text.lines().collect();
        let units = units(&lines, syntax::of(&lines));
        units.iter().map(|unit| lines[unit.lines.start..unit.full].to_vec()).collect()
    }

    #[test]
    fn what_goes_on_below_is_one() {
        let text = "def f(\n    a,\n    b,\n):\n    \"\"\"Says\n    more.\n    \"\"\"\n    return a + \\\n        b\n\nx = 1\n";
        assert_eq!(cut(text).iter().map(Vec::len).collect::<Vec<_>>(), [4, 3, 2, 1]);
        let text = "a: |\n  b: 1\n  c\nd: x\n  y z\ne: 2\n";
        assert_eq!(cut(text).iter().map(Vec::len).collect::<Vec<_>>(), [3, 2, 1]);
        let text = "#!/bin/sh\ncat <<EOF > x\nif (\nEOF\necho 'a (b'\nf() {\n  g\n}\n";
        assert_eq!(cut(text).iter().map(Vec::len).collect::<Vec<_>>(), [1, 3, 1, 1, 1, 1]);
        let text = "/* a {\n * b\n */\nint f(int a)\n{\n    return '{';\n}\n";
        assert_eq!(cut(text).iter().map(Vec::len).collect::<Vec<_>>(), [3, 2, 1, 1]);
    }

    #[test]
    fn hostile_lines_are_cut_in_linear_time() {
        for text in [
            "[\n".repeat(100_000),
            "(".repeat(500_000),
            "\"'`".repeat(100_000),
            "}\n)\n".repeat(50_000),
            "'''\n".repeat(50_001),
        ] {
            let lines: Vec<&str> = text.lines().collect();
            units(&lines, Syntax { hash: true, ..Syntax::default() });
            units(&lines, Syntax { slash: true, ..Syntax::default() });
        }
    }
}
