//! Histories: what was changed, entry by entry, with who did it and when on a line of its own, as Subversion logs, Git's
//! beside a graph, and the change logs of Debian, of RPM and of GNU are written.
//!
//! What an entry says is its author's, so it needs the line that names him, above it or, in Debian's, below; a point within
//! a point needs that one, and a point below `[ Name ]` that name.

use std::ops::Range;

use super::{Block, Form, Item, Reading, lines_of};
use crate::compress::{bond::Bond, outcome::Noun, text::segment::is_item, worth::weights::LABEL};

/// What a line is in a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Blank,
    /// Dashes between entries.
    Ruler,
    /// Opens an entry.
    Head,
    /// Goes on with what opens it.
    More,
    /// Closes an entry, and says whose it was.
    Trailer,
    /// `[ Name ]`: whose the points below are.
    Name,
    /// Anything else.
    Said,
}

/// Blank lines before the first head.
const MOST_BLANK: usize = 16;

/// How many of the lines are a history, if the first ones are: two entries at least.
pub(super) fn extent<'a>(lines: impl Iterator<Item = &'a str>) -> Option<usize> {
    let (mut heads, mut said, mut end, mut ruled, mut ruler) = (0, 0, 0, false, false);
    for (at, line) in lines.enumerate() {
        let kind = kind(line);
        match kind {
            // Whoever looks at each line of a blank page in turn would read the rest of it each time.
            Kind::Blank if heads == 0 && at >= MOST_BLANK => return None,
            Kind::Blank => continue,
            Kind::Ruler => ruler = true,
            Kind::Head => {
                (heads, ruled) = (heads + 1, ruled || ruler || is_revision(line.trim()));
                ruler = false;
            }
            _ if heads == 0 => return None,
            // Between rulers anything may be said; behind the last one nothing.
            _ if ruled && ruler => break,
            Kind::Said if !ruled && !line.starts_with([' ', '\t', '|']) && !is_item(line) => break,
            Kind::More => {}
            _ => said += 1,
        }
        if heads == 0 && at > 0 {
            return None;
        }
        end = at + 1;
    }
    (heads >= FEWEST && said >= heads).then_some(end)
}

/// How many of the lines tell of one commit each behind its hash, as `git log --oneline` writes them, if the first ones do.
pub(super) fn one_line<'a>(lines: impl Iterator<Item = &'a str>) -> Option<usize> {
    let told = |line: &&str| {
        let (hash, said) = bare(line).split_once(' ').unwrap_or_default();
        is_hash(hash) && hash.bytes().any(|byte| byte.is_ascii_digit()) && !said.trim().is_empty()
    };
    Some(lines.take_while(told).count()).filter(|count| *count >= FEWEST_ON_A_LINE)
}

/// Reads a block that is a history; nothing for any other.
pub(super) fn read<'a>(text: &'a str, block: &Block) -> Option<Reading<'a>> {
    let lines: Vec<(Range<usize>, &str)> = lines_of(text, block).collect();
    let filled = lines.iter().rposition(|(_, line)| !line.trim().is_empty()).map_or(0, |last| last + 1);
    if extent(lines.iter().map(|(_, line)| *line)) != Some(filled) {
        return None;
    }
    let mut writer = Writer::default();
    for (span, line) in lines {
        writer.line(span, line);
    }
    Some(writer.reading)
}

#[derive(Default)]
struct Writer<'a> {
    reading: Reading<'a>,
    /// The items that own what is said next.
    head: Option<usize>,
    name: Option<usize>,
    /// Points that others may stand under, with how far in they begin.
    points: Vec<(usize, usize)>,
    /// What is said since the head.
    said: Vec<usize>,
    /// Whether a blank line, a head or a name stands above.
    fresh: bool,
    /// Whether the last item is dashes that the next head takes in.
    ruled: bool,
    entry: u32,
}

impl<'a> Writer<'a> {
    fn line(&mut self, span: Range<usize>, line: &'a str) {
        let kind = kind(line);
        let indent = line.len() - bare(line).len();
        let goes_on = kind == Kind::Said && !self.fresh && !is_item(bare(line)) && !is_item(line.trim_start());
        let joins = matches!(kind, Kind::Blank | Kind::More) || goes_on || (kind == Kind::Head && self.ruled);
        self.fresh = kind != Kind::Said;
        match self.reading.items.last_mut().filter(|_| joins) {
            Some(last) => last.lengthen(span.end, line),
            None => self.reading.items.push(Item::whole(span, line, Form::Prose, Noun::Lines)),
        }
        let at = self.reading.items.len().saturating_sub(1);
        if matches!(kind, Kind::Blank | Kind::More) || goes_on {
            return;
        }
        self.ruled = kind == Kind::Ruler;
        if kind == Kind::Head {
            self.entry += 1;
            (self.head, self.name) = (Some(at), None);
            self.said.clear();
            self.points.clear();
        }
        if let Some(item) = self.reading.items.get_mut(at) {
            item.owner = self.entry;
            if kind != Kind::Said {
                (item.count, item.salience) = (0, LABEL);
            }
        }
        match kind {
            Kind::Trailer => {
                self.reading.bonds.extend(self.said.iter().map(|item| Bond::Needs { item: *item, of: at }));
                (self.head, self.name) = (None, None);
            }
            Kind::Name => {
                self.needs(at, self.head);
                self.name = Some(at);
                self.points.clear();
            }
            Kind::Said => {
                self.points.retain(|(_, own)| *own < indent);
                self.needs(at, self.head);
                self.needs(at, self.name);
                self.needs(at, self.points.last().map(|(point, _)| *point));
                self.points.push((at, indent));
                self.said.push(at);
            }
            _ => {}
        }
    }

    fn needs(&mut self, item: usize, of: Option<usize>) {
        self.reading.bonds.extend(of.map(|of| Bond::Needs { item, of }));
    }
}

fn kind(line: &str) -> Kind {
    let text = line.trim();
    let drawn = bare(line).trim_end();
    if drawn.is_empty() && text.len() < SHORTEST_RULER {
        return Kind::Blank;
    }
    if drawn.len() < text.len() {
        let of_commit = drawn.strip_prefix("commit ").and_then(|rest| rest.split(' ').next()).is_some_and(is_hash);
        let more = line.starts_with('|') && drawn.split_once(": ").is_some_and(|(key, _)| OF_COMMITS.contains(&key));
        match (of_commit, more) {
            (true, _) => return Kind::Head,
            (_, true) => return Kind::More,
            _ => {}
        }
    }
    if text.len() >= SHORTEST_RULER && text.bytes().all(|byte| byte == b'-') {
        return Kind::Ruler;
    }
    let trailer = text.strip_prefix("-- ").is_some_and(|rest| has_address(rest) && has_date(rest));
    if trailer && line.len() - line.trim_start().len() <= 1 {
        return Kind::Trailer;
    }
    if !line.starts_with([' ', '\t']) && is_head(text) {
        return Kind::Head;
    }
    let named = text.strip_prefix("[ ").and_then(|rest| rest.strip_suffix(" ]")).is_some();
    if named { Kind::Name } else { Kind::Said }
}

/// A line without the graph that Git draws in front.
fn bare(line: &str) -> &str {
    if line.starts_with(['*', '|']) {
        line.trim_start_matches(['*', '|', '/', '\\', '_', ' '])
    } else {
        line.trim_start()
    }
}

fn is_hash(word: &str) -> bool {
    (7..=64).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What stands below a commit's hash, beside the graph.
const OF_COMMITS: [&str; 6] = ["Merge", "Author", "AuthorDate", "Commit", "CommitDate", "Date"];

/// `r8841 | odile | 2029-11-18 … | 1 line`, `pkg (1.2-3) unstable; urgency=medium`, `* Tue Mar 05 2024 Ann <a@x> - 2.1`,
/// `2024-03-05  Ann  <a@x>`.
fn is_head(text: &str) -> bool {
    if text.len() > LONGEST_HEAD {
        return false;
    }
    let version = || text.split_once(" (").is_some_and(|(name, _)| !name.contains(' ')) && text.contains("; urgency=");
    let dated = || {
        let rest = text.strip_prefix("* ").unwrap_or(text);
        let begins = rest.starts_with(|c: char| c.is_ascii_digit()) || WEEKDAYS.iter().any(|day| rest.starts_with(day));
        begins && has_date(rest) && (has_address(rest) || text.len() > rest.len())
    };
    is_revision(text) || version() || dated()
}

/// A head of Subversion's, which stands between rulers.
fn is_revision(text: &str) -> bool {
    let numbered = text.strip_prefix('r').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    numbered && text.matches(" | ").count() >= 2 && has_date(text)
}

fn has_address(text: &str) -> bool {
    text.split_once('<').and_then(|(_, rest)| rest.split_once('>')).is_some_and(|(mail, _)| mail.contains('@'))
}

/// `2024-03-05`, `2024/03/05`, or a month by its name with a year.
fn has_date(text: &str) -> bool {
    let year = |word: &str| word.len() == 4 && (word.starts_with("19") || word.starts_with("20"));
    let words = || text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let months = words().any(|word| MONTHS.contains(&word));
    let mut numbers = words().take(MOST_BEFORE_DATE).collect::<Vec<_>>();
    numbers.retain(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    let parted = numbers
        .windows(3)
        .any(|three| matches!(three, [first, month, day] if year(first) && month.len() == 2 && day.len() == 2));
    parted || (months && words().any(year))
}

const WEEKDAYS: [&str; 7] = ["Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "];

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Fewer commits on a line each are none.
const FEWEST_ON_A_LINE: usize = 4;

/// Fewer entries are no history.
const FEWEST: usize = 2;

/// Dashes of the shortest ruler.
const SHORTEST_RULER: usize = 20;

/// Bytes of the longest head.
const LONGEST_HEAD: usize = 200;

/// Words of a head in which its date begins.
const MOST_BEFORE_DATE: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::form::tests::lines_at;

    const DEBIAN: &str = "\
lantern (2.4-1) unstable; urgency=medium

  * New upstream version.
  * Drop the patch for big-endian machines.

 -- Irma Vold <irma@lantern.example>  Tue, 05 Mar 2030 10:11:12 +0100

lantern (2.3-2) unstable; urgency=low

  [ Pavel Sykora ]
  * Ship the icons again:
    - in three sizes.

  [ Irma Vold ]
  * Build without the network.

 -- Pavel Sykora <pavel@lantern.example>  Mon, 14 Jan 2030 09:00:00 +0100
";

    const SUBVERSION: &str = "\
------------------------------------------------------------------------
r41 | irma | 2030-03-05 10:11:12 +0100 (Tue, 05 Mar 2030) | 1 line

Ask twice before the archive is emptied.
------------------------------------------------------------------------
r40 | pavel | 2030-03-04 10:11:12 +0100 (Mon, 04 Mar 2030) | 3 lines

Move the lamp.

It stood in the way.
------------------------------------------------------------------------
r39 | irma | 2030-03-01 08:00:00 +0100 (Fri, 01 Mar 2030) | 1 line

Typo in the help.
------------------------------------------------------------------------
";

    #[test]
    fn histories_are_known_and_prose_is_none() {
        let gnu = "2030-03-05  Irma Vold  <irma@lantern.example>\n\n\t* lamp.c (dim): New.\n\n\
                   2030-03-01  Pavel Sykora  <pavel@lantern.example>\n\n\t* wick.c: Typo.\n";
        let rpm = "* Tue Mar 05 2030 Irma Vold <irma@lantern.example> - 2.4-1\n- New version\n\n\
                   * Mon Jan 14 2030 Pavel Sykora <pavel@lantern.example> - 2.3-2\n- Rebuild\n";
        for text in [DEBIAN, SUBVERSION, gnu, rpm] {
            assert_eq!(extent(text.lines()), Some(text.lines().count()), "{text}");
        }
        for text in ["On 2030-03-05 Irma came.\n\nShe left.\n", "* one\n* two\n", "r1 of them\n\nr2 of them\n"] {
            assert_eq!(extent(text.lines()), None, "{text}");
        }
    }

    #[test]
    fn commits_beside_a_graph_and_on_a_line_each_are_known() {
        let graph = "* commit 33f6359b568cf79c\n| Author: Irma Vold <irma@x>\n| Date:   Sun Nov 29 18:35:26 2026\n| \n\
                     |     Dim the lamp\n|     \n|   \n*   commit 7bf7cc343548c85a\n|\\  Merge: 162 b71\n\
                     | | Author: Pavel Sykora <pavel@x>\n| | \n| |     Merge the wick\n";
        assert_eq!(extent(graph.lines()), Some(graph.lines().count()));
        let lines = "33f6359 Dim the lamp\n7bf7cc3 Trim the wick\n370aec9 Fill it with oil\n9860c53 Light it\n";
        assert_eq!(one_line(lines.lines()), Some(4));
        assert_eq!(one_line("deadbeef is a word\nfacade too\n".lines()), None);
        let left = lines_at(graph, "Which wick?", 2.0);
        assert!(left.iter().any(|line| line.ends_with("Author: Pavel Sykora <pavel@x>")), "{left:?}");
    }

    #[test]
    fn what_was_changed_stands_with_who_changed_it() {
        let left = lines_at(SUBVERSION, "What was moved?", 2.5);
        assert!(left.iter().any(|line| line == "Move the lamp."), "{left:?}");
        assert!(left.iter().any(|line| line.starts_with("r40 | pavel")), "{left:?}");
        let left = lines_at(DEBIAN, "Which icons are shipped?", 2.0);
        for line in ["  [ Pavel Sykora ]", "  * Ship the icons again:"] {
            assert!(left.iter().any(|own| own == line), "{line} {left:?}");
        }
        assert!(left.iter().any(|line| line.starts_with(" -- Pavel Sykora")), "{left:?}");
    }
}
