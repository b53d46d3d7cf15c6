//! Search results: `path:12:text` and its kin, of grep, ripgrep, ag, ack, git grep and editors.
//!
//! A hit is whole or absent, its text exact, and it stands under its own file: the path is said once above the hits of a
//! file, as `rg --heading` writes them, where that is shorter. Lines of context go with the hit that they are around, and stand
//! as they are.

use std::{collections::HashSet, ops::Range};

use super::{Block, Item, Reader, Reading, lines_of, listing::troubles};
use crate::compress::{bond::Bond, outcome::Noun, worth::weights};

/// How many of the lines are search results, if the first ones are.
pub(super) fn extent<'a>(lines: impl Iterator<Item = &'a str> + Clone) -> Option<usize> {
    pathed(lines.clone())
        .or_else(|| unnumbered(lines.clone()))
        .or_else(|| headed(lines.clone()))
        .or_else(|| numbered(lines.clone()))
        .or_else(|| excerpts(lines))
}

/// Lines with a path and a number in front, with what stands between such lines.
fn pathed<'a>(lines: impl Iterator<Item = &'a str>) -> Option<usize> {
    let (mut count, mut end, mut gap) = (0, 0, 0);
    for (at, line) in lines.enumerate() {
        if Place::of(line).is_some() {
            (count, end, gap) = (count + 1, at + 1, 0);
        } else if count > 0 && is_between(line) {
            gap += 1;
        } else {
            break;
        }
        if gap > 1 {
            break;
        }
    }
    (count >= FEWEST).then_some(end)
}

/// Lines with a folder's path and a colon in front, as `grep -r` writes them without numbers; some file has two of them.
fn unnumbered<'a>(lines: impl Iterator<Item = &'a str>) -> Option<usize> {
    let (mut count, mut again, mut last) = (0, false, None);
    for line in lines {
        let Some(path) = path_before_colon(line) else { break };
        again |= last == Some(path);
        last = Some(path);
        count += 1;
    }
    (count >= FEWEST && again).then_some(count)
}

/// Places of files with their ranges, each with an excerpt under it, further in: what a search by meaning shows.
fn excerpts<'a>(lines: impl Iterator<Item = &'a str>) -> Option<usize> {
    let (mut places, mut end) = (0, 0);
    for (at, line) in lines.enumerate() {
        let blank = line.trim().is_empty();
        if is_range(line) {
            places += 1;
        } else if places == 0 || !(blank || line.starts_with([' ', '\t'])) {
            break;
        }
        if !blank {
            end = at + 1;
        }
    }
    (places > 1 && end > places).then_some(end)
}

/// A path on a line of its own with numbered lines under it, again and again.
fn headed<'a>(lines: impl Iterator<Item = &'a str> + Clone) -> Option<usize> {
    let (mut hits, mut end, mut begun) = (0, 0, false);
    let mut numbers: Vec<usize> = Vec::new();
    let mut rest = lines.enumerate().peekable();
    while let Some((at, line)) = rest.next() {
        if let Some(number) = numbered_line(line).filter(|_| begun) {
            numbers.push(number);
            (hits, end) = (hits + 1, at + 1);
        } else if is_heading(line) && rest.peek().is_some_and(|(_, next)| numbered_line(next).is_some()) {
            begun = true;
        } else if !begun || !is_between(line) {
            break;
        }
    }
    // A file's lines one after the other are a view of it, not hits.
    let follows = numbers.windows(2).filter(|two| two.first().map(|n| n + 1) == two.last().copied()).count();
    (hits >= FEWEST && follows * 2 < numbers.len().saturating_sub(1)).then_some(end)
}

/// Numbered lines of one file, in its order, with gaps.
fn numbered<'a>(lines: impl Iterator<Item = &'a str>) -> Option<usize> {
    let mut numbers: Vec<usize> = Vec::new();
    let (mut end, mut hits) = (0, 0);
    for (at, line) in lines.enumerate() {
        match numbered_line(line) {
            Some(number) if numbers.last().is_none_or(|last| *last < number) => {
                numbers.push(number);
                hits += usize::from(!is_context(line));
                end = at + 1;
            }
            None if !numbers.is_empty() && line.trim_end() == "--" => {}
            _ => break,
        }
    }
    let follows = numbers.windows(2).filter(|two| two.first().map(|n| n + 1) == two.last().copied()).count();
    (hits >= FEWEST && follows * 2 < numbers.len() - 1).then_some(end)
}

/// Reads a block into its files and their hits.
pub(super) fn read<'a>(text: &'a str, block: &Block, _reader: &Reader<'_>) -> Reading<'a> {
    let lines: Vec<(Range<usize>, &str)> = lines_of(text, block).collect();
    let kinds = kinds(&lines);
    let mut writer = Writer { text, block, reading: Reading::default(), head: None };
    let mut at = 0;
    while let (Some((span, line)), Some(kind)) = (lines.get(at), kinds.get(at)) {
        let rest = kinds.get(at..).unwrap_or_default();
        match kind {
            Kind::Head => {
                writer.push(span.clone(), line, 1);
                writer.head = writer.reading.items.len().checked_sub(1);
                at += 1;
            }
            Kind::Between => {
                writer.between(span.clone(), line);
                writer.head = writer.head.filter(|_| !line.trim().is_empty());
                at += 1;
            }
            Kind::Hit { path, .. } => {
                let own = |kind: &&Kind<'_>| kind.is_hit_of(*path) || (path.is_some() && matches!(kind, Kind::Between));
                let mut count = rest.iter().take_while(own).count();
                while rest.get(count - 1).is_some_and(|kind| matches!(kind, Kind::Between)) {
                    count -= 1;
                }
                let part = at..at + count;
                writer.head = writer.head.filter(|_| path.is_none());
                writer.file(lines.get(part.clone()).unwrap_or_default(), kinds.get(part).unwrap_or_default());
                writer.head = writer.head.filter(|_| path.is_none());
                at += count;
            }
        }
    }
    let mut reading = writer.reading;
    let troubles = troubles(&reading.items.iter().map(Item::text).collect::<Vec<_>>(), true);
    for (item, bits) in reading.items.iter_mut().zip(troubles) {
        item.salience *= 1.0 + weights::ODD * bits;
    }
    reading
}

/// What a line of a block is.
enum Kind<'a> {
    /// A path over its hits.
    Head,
    /// `--`, a blank line, a word of the tool's.
    Between,
    /// A hit or a line around one.
    Hit { path: Option<&'a str>, context: bool },
}

impl Kind<'_> {
    fn is_hit_of(&self, file: Option<&str>) -> bool {
        matches!(self, Self::Hit { path, .. } if *path == file)
    }
}

fn kinds<'a>(lines: &[(Range<usize>, &'a str)]) -> Vec<Kind<'a>> {
    let places: Vec<Option<Place<'a>>> = lines.iter().map(|(_, line)| Place::of(line)).collect();
    // Whether `a-1-b-2-x` is line 1 or line 2 is known from the hits of the file.
    let files: HashSet<&str> = places.iter().flatten().filter(|place| !place.context).map(|place| place.path).collect();
    let many = |count: usize| count * 4 > lines.len();
    let ranged = lines.first().is_some_and(|(_, line)| is_range(line))
        && lines.iter().any(|(_, line)| line.starts_with([' ', '\t']) && !line.trim().is_empty());
    let pathed = many(places.iter().flatten().count()) && !ranged;
    let bare = !pathed && lines.iter().all(|(_, line)| path_before_colon(line).is_some());
    let kind = |((_, line), place): (&(Range<usize>, &'a str), &Option<Place<'a>>)| {
        if bare {
            return Kind::Hit { path: path_before_colon(line), context: false };
        }
        if ranged {
            return match line {
                _ if line.trim().is_empty() => Kind::Between,
                _ if is_range(line) => Kind::Head,
                _ => Kind::Hit { path: None, context: false },
            };
        }
        if !pathed {
            return match numbered_line(line) {
                Some(_) => Kind::Hit { path: None, context: is_context(line) },
                None if is_heading(line) => Kind::Head,
                None => Kind::Between,
            };
        }
        match (Place::around(line, &files), place) {
            (Some(path), _) => Kind::Hit { path: Some(path), context: true },
            (None, Some(place)) => Kind::Hit { path: Some(place.path), context: place.context },
            (None, None) => Kind::Between,
        }
    };
    lines.iter().zip(&places).map(kind).collect()
}

struct Writer<'a, 'b> {
    text: &'a str,
    block: &'b Block,
    reading: Reading<'a>,
    /// The path that the lines stand under.
    head: Option<usize>,
}

impl<'a> Writer<'a, '_> {
    fn push(&mut self, span: Range<usize>, stands: &'a str, count: usize) {
        let mut item = Item::whole(span, stands, self.block.form, Noun::Lines);
        item.count = if stands.contains(char::is_alphanumeric) { count } else { 0 };
        self.reading.items.push(item);
    }

    /// What parts hits goes with the one before it; what the tool says about a file is a line of its own.
    fn between(&mut self, span: Range<usize>, line: &'a str) {
        match self.reading.items.last_mut() {
            Some(last) if !line.contains(char::is_alphanumeric) => last.lengthen(span.end, line),
            _ => self.push(span, line, 1),
        }
    }

    /// The hits of one file; with its path said once where two or more begin with it. Among lines of context each keeps
    /// its own: `a-7-` and `a:8:` tell which is which by what stands behind the path.
    fn file(&mut self, lines: &[(Range<usize>, &'a str)], kinds: &[Kind<'_>]) {
        let many = kinds.iter().filter(|kind| matches!(kind, Kind::Hit { .. })).count() > 1;
        let path = kinds.iter().find_map(|kind| if let Kind::Hit { path, .. } = kind { *path } else { None });
        let around = kinds.iter().any(|kind| matches!(kind, Kind::Hit { context: true, .. }));
        let grouped = path.filter(|_| many && !around);
        let mut hits: Vec<(usize, bool)> = Vec::new();
        for ((mut span, line), kind) in lines.iter().cloned().zip(kinds) {
            let Kind::Hit { context, .. } = kind else {
                self.between(span, line);
                continue;
            };
            let mut stands = line;
            if let Some(path) = grouped {
                let after = span.start + path.len() + 1;
                if hits.is_empty() {
                    self.head(span.start..after, path);
                    span.start = after;
                }
                stands = self.text.get(after..span.end).unwrap_or(line);
            }
            self.push(span, stands, 1);
            let at = self.reading.items.len() - 1;
            self.reading.bonds.extend(self.head.map(|of| Bond::Needs { item: at, of }));
            hits.push((at, *context));
        }
        // A hit of each file says more than many of one.
        let first = hits.iter().find(|(_, context)| !context).or(hits.first());
        if let Some(item) = first.and_then(|(at, _)| self.reading.items.get_mut(*at)) {
            item.salience = weights::EDGE;
        }
        self.bind(&hits);
    }

    /// The path over its hits, in place of the one in front of the first.
    fn head(&mut self, span: Range<usize>, path: &str) {
        let mut item = Item::whole(span, format!("{path}\n"), self.block.form, Noun::Lines);
        item.count = 0;
        self.reading.items.push(item);
        self.head = self.reading.items.len().checked_sub(1);
    }

    /// Each line of context needs the nearest hit.
    fn bind(&mut self, lines: &[(usize, bool)]) {
        let mut before: Option<usize> = None;
        let mut waiting: Vec<usize> = Vec::new();
        for (at, context) in lines {
            if *context {
                match before {
                    Some(of) if at - of <= MOST_AROUND => self.reading.bonds.push(Bond::Needs { item: *at, of }),
                    _ => waiting.push(*at),
                }
            } else {
                self.reading.bonds.extend(waiting.drain(..).map(|item| Bond::Needs { item, of: *at }));
                before = Some(*at);
            }
        }
    }
}

/// What stands in front of a hit.
struct Place<'a> {
    path: &'a str,
    context: bool,
}

impl<'a> Place<'a> {
    /// `path:12:`, `path:12` and, of the lines around a hit, `path-12-`.
    fn of(line: &'a str) -> Option<Self> {
        let line = line.trim_end();
        if line.starts_with(char::is_whitespace) {
            return None;
        }
        let start = drive(line);
        let colon = split_number(line, start, ':', &[':']).map(|path| Self { path, context: false });
        let dash = || split_number(line, start, '-', &['-']).map(|path| Self { path, context: true });
        let shown = || split_number(line, start, '=', &['=']).map(|path| Self { path, context: true });
        colon.or_else(dash).or_else(shown).filter(|place| is_path(place.path))
    }

    /// The path of a line around a hit, where it is the path of a hit.
    fn around(line: &'a str, files: &HashSet<&str>) -> Option<&'a str> {
        let end = line.floor_char_boundary(LONGEST_PATH);
        let head = line.get(..end)?;
        head.match_indices(['-', '=']).map(|(at, _)| at).find_map(|at| {
            let path = line.get(..at)?;
            let rest = line.get(at + 1..)?;
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let closed = digits > 0 && rest.get(digits..)?.starts_with(['-', '=']);
            (closed && files.contains(path)).then_some(path)
        })
    }
}

/// The text before the first `:12:` (or `-12-`).
fn split_number<'a>(line: &'a str, from: usize, mark: char, closing: &[char]) -> Option<&'a str> {
    let end = line.floor_char_boundary(LONGEST_PATH);
    let head = line.get(from..end)?;
    head.match_indices(mark).map(|(at, _)| from + at).find_map(|at| {
        let rest = line.get(at + 1..)?;
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let after = rest.get(digits..)?;
        let closed = after.starts_with(closing) || (mark == ':' && after.is_empty());
        (digits > 0 && digits < 8 && closed).then(|| line.get(..at)).flatten()
    })
}

/// Where the path goes on after `C:`.
fn drive(line: &str) -> usize {
    let bytes = line.as_bytes();
    let drive = bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.get(1) == Some(&b':')
        && matches!(bytes.get(2), Some(b'\\' | b'/'));
    if drive { 2 } else { 0 }
}

/// Whether it may be a file's path: not a time, an address, a number or words.
fn is_path(path: &str) -> bool {
    let has_letter = path.contains(char::is_alphabetic);
    let is_web = path.contains("://");
    let odd = path.contains(['"', '<', '>', '|', '\t', '(', '{', '=']);
    let spaced = path.contains(' ') && !path.contains(['/', '\\']);
    has_letter && !is_web && !odd && !spaced && path.contains(['.', '/', '\\', '_']) || is_bare_name(path)
}

/// `Makefile`, `README`.
fn is_bare_name(path: &str) -> bool {
    path.len() >= 4 && path.starts_with(char::is_uppercase) && path.chars().all(char::is_alphanumeric)
}

/// `src/a.rs:` in front of a hit without a number.
fn path_before_colon(line: &str) -> Option<&str> {
    let start = drive(line);
    let end = start + line.get(start..)?.find(':')?;
    let path = line.get(..end)?;
    let folder = path.len() < LONGEST_PATH && path.contains(['/', '\\']) && !path.contains(char::is_whitespace);
    (folder
        && is_path(path)
        && line.get(end + 1..).is_some_and(|text| !text.trim().is_empty() && !text.starts_with("//")))
    .then_some(path)
}

/// `src/a.rs:10-44`, with a number and a score around it.
fn is_range(line: &str) -> bool {
    let line = line.trim_end();
    let places = |word: &str| {
        let Some((path, range)) = word.trim_matches(['(', ')', '[', ']', '`', '*', ',']).rsplit_once(':') else {
            return false;
        };
        let number = |text: &str| !text.is_empty() && text.trim_start_matches('L').chars().all(|c| c.is_ascii_digit());
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        is_path(path) && number(first) && number(last)
    };
    line.len() < LONGEST_PATH && !line.starts_with([' ', '\t']) && line.split_whitespace().take(4).any(places)
}

/// A line that may name the file of the lines below it.
fn is_heading(line: &str) -> bool {
    let line = line.trim_end();
    let name = line.trim_end_matches(':').trim_start_matches("File: ").trim_start_matches("# ");
    numbered_line(line).is_none()
        && !name.is_empty()
        && name.len() < LONGEST_PATH
        && is_path(name)
        && !name.contains(": ")
}

/// The number in `12:text`, `12-text`, `  12 | text`, `L12: text`, `Line 12: text`.
fn numbered_line(line: &str) -> Option<usize> {
    let rest = line.trim_start();
    let rest = rest.strip_prefix("Line ").or_else(|| rest.strip_prefix("line ")).unwrap_or(rest);
    let rest = rest.strip_prefix('L').unwrap_or(rest);
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let after = rest.get(digits..)?;
    let closed = after.starts_with([':', '|', '=']) || after.starts_with(" |") || is_context(line);
    if digits == 0 || digits > 7 || !closed {
        return None;
    }
    rest.get(..digits)?.parse().ok()
}

/// `12-text`: a line around a hit.
fn is_context(line: &str) -> bool {
    let rest = line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit());
    rest.starts_with('-') && !line.starts_with('-') && rest.len() < line.trim_start().len()
}

/// What stands between hits.
fn is_between(line: &str) -> bool {
    let line = line.trim();
    line.is_empty()
        || line.chars().all(|c| c == '-')
        || line.starts_with("Binary file ")
        || line.starts_with("grep: ")
        || line.starts_with("rg: ")
        || line.starts_with("[Omitted long ")
}

/// Fewer lines are no list of hits.
const FEWEST: usize = 3;

/// No path is longer.
const LONGEST_PATH: usize = 300;

/// Items beyond this are around the next hit.
const MOST_AROUND: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::form::tests::{auto, lines_at};

    const FOUND: &str = "\
src/front/main.rs-2-
src/front/main.rs:3:fn main() {
src/front/main.rs-4-    run();
--
src/front/main.rs:9:}  // main
src/back-2-b/lib.rs:1:pub mod a;
src/back-2-b/lib.rs-2-pub mod main;
src/back/one.rs:12:    main: a | b
";

    #[test]
    fn the_path_of_neighbours_is_said_once_and_their_text_is_exact() {
        let found =
            "src/front/main.rs:3:fn main() {\nsrc/front/main.rs:9:}  // main\nsrc/back/one.rs:12:    main: a | b\n";
        let expected = "src/front/main.rs\n3:fn main() {\n9:}  // main\nsrc/back/one.rs:12:    main: a | b\n";
        assert_eq!(auto(found), expected);
    }

    #[test]
    fn hits_with_lines_around_them_stand_as_they_are() {
        assert_eq!(auto(FOUND), FOUND);
    }

    #[test]
    fn a_hit_that_is_asked_for_stands_under_its_file() {
        let mut text: String =
            (0..60).map(|n| format!("src/long/way/file{}.rs:{n}:let value_{n} = {n};\n", n / 6)).collect();
        text.push_str("src/cache.rs:7:fn evict_oldest()\nsrc/cache.rs:9:fn other()\n");
        let left = lines_at(&text, "Where is evict_oldest?", 8.0);
        let at =
            left.iter().position(|line| line.ends_with("7:fn evict_oldest()")).unwrap_or_else(|| panic!("{left:#?}"));
        assert!(left[at].starts_with("src/cache.rs:") || left[at - 1] == "src/cache.rs", "{left:#?}");
    }

    #[test]
    fn headed_and_bare_hits_are_known_and_views_of_files_and_messages_of_compilers_are_not() {
        for (text, count) in [
            ("src/a.rs\n1:x\n7:y\n\nsrc/b.rs\n3:z\n\nEnd of it.\n", Some(6)),
            ("4:a\n9:b\n10-c\n31:d\n", Some(4)),
            (
                r"C:\src\a.cs:3:x
C:\src\a.cs:9:y
C:\src\b.cs:1:z",
                Some(3),
            ),
            ("1:a\n2:b\n3:c\n4:d\n5:e\n", None),
            ("10:15:01 up\n10:15:02 down\n10:15:03 up\n", None),
            ("http://a.b:80/x\nhttp://a.b:80/y\nhttp://a.b:80/z\n", None),
            ("note: one\nnote: two\nnote: three\n", None),
        ] {
            assert_eq!(extent(text.lines()), count, "{text}");
        }
    }
}
