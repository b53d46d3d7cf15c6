//! Aligned columns, as commands print them: `ps aux`, `kubectl get pods`, `pip list`, `ls -l`, `df -h`.
//!
//! A row is whole or absent, and the head stands wherever a row does: a value without its column or its name is
//! another's value. Padding goes where every cell but the last is one word, so that the n-th word is the n-th column
//! with one space between them as well; where a cell is empty or holds spaces only the padding tells the columns apart,
//! and it stays.

use std::{borrow::Cow, collections::BTreeSet, ops::Range};

use super::{Block, Item, Reader, Reading, lines_of, listing::troubles, rows};
use crate::compress::{bond::Bond, fuel, outcome::Noun, text::segment, worth::weights};

/// How many of the lines are rows of aligned columns, if the first ones are.
pub(super) fn extent<'a>(lines: impl Iterator<Item = &'a str> + Clone) -> Option<usize> {
    // Marks of a quotation are no column.
    let filled = |line: &&str| !line.trim().is_empty() && !line.contains('\t') && segment::quoted(line).0 == 0;
    let window: Vec<&str> = lines.clone().take(WINDOW).take_while(filled).collect();
    // Most lines are no row: what costs least is asked first.
    if padded(&window) * 4 < window.len() {
        return None;
    }
    let grid = Grid::new(&window);
    if !grid.is_sure(&window) {
        return None;
    }
    // A wide cell moves all that follows it, so a few lines may lie across; what goes on so is another block.
    let (mut count, mut across) = (0, 0);
    for (at, line) in lines.take_while(filled).enumerate() {
        across = if grid.holds(line) { 0 } else { across + 1 };
        if across > MOST_ACROSS {
            break;
        }
        if across == 0 {
            count = at + 1;
        }
    }
    Some(count).filter(|count| *count > 1)
}

/// Reads a block into its head and its rows.
pub(super) fn read<'a>(text: &'a str, block: &Block, reader: &Reader<'_>) -> Reading<'a> {
    let lines: Vec<_> = lines_of(text, block).collect();
    let texts: Vec<&str> = lines.iter().map(|(_, line)| *line).collect();
    let grid = Grid::new(&texts);
    let cells: Vec<Vec<&str>> = texts.iter().map(|line| grid.cells(line)).collect();
    let heads = heads(&texts, &cells);
    let rows = cells.get(heads..).unwrap_or_default();
    let names: &[&str] = heads.checked_sub(1).and_then(|last| named(&texts, &cells, last)).unwrap_or_default();
    let saliences = if reader.may_lose() {
        saliences(texts.get(heads..).unwrap_or_default(), names, rows, reader)
    } else {
        Vec::new()
    };
    let words = words_are_cells(&texts, heads).filter(|_| rows.len() >= FEWEST_SQUEEZED);
    let continues = continues(&cells, heads);
    let noun = if heads > 0 { Noun::Rows } else { Noun::Lines };
    let mut reading = Reading::default();
    let mut title: Option<usize> = None;
    let nests = nests(texts.get(heads..).unwrap_or_default());
    let mut above: Vec<(usize, usize)> = Vec::new();
    for (at, (span, line)) in lines.into_iter().enumerate() {
        let stands = words.map_or(Cow::Borrowed(line), |words| squeezed(line, words));
        let joins = (at > 0 && at < heads) || (at > heads && continues.get(at).copied().unwrap_or(false));
        if let Some(last) = reading.items.last_mut().filter(|_| joins) {
            last.lengthen(span.end, &stands);
            continue;
        }
        let mut item = Item::whole(span, stands, block.form, noun);
        let own = reading.items.len();
        if at < heads {
            (item.count, item.salience) = (0, weights::LABEL);
        } else if is_title(line) {
            (item.count, item.salience) = (0, weights::LABEL);
            title = Some(own);
            above.clear();
        } else {
            item.count = usize::from(line.contains(char::is_alphanumeric));
            item.salience = saliences.get(at - heads).copied().unwrap_or(1.0);
            reading.bonds.extend(title.map(|of| Bond::Needs { item: own, of }));
            if nests {
                let deep = indent(line);
                above.retain(|(outer, _)| outer + DEEPER <= deep);
                reading.bonds.extend(above.last().map(|(_, of)| Bond::Needs { item: own, of: *of }));
                above.push((deep, own));
            }
        }
        reading.items.push(item);
    }
    if heads > 0 {
        reading.bonds.extend((1..reading.items.len()).map(|item| Bond::Needs { item, of: 0 }));
    }
    reading
}

/// Whether a line says what the rows below it are, `Removing dependent packages:`.
fn is_title(line: &str) -> bool {
    let text = line.trim();
    text.ends_with(':') && !text.contains("  ") && text.split_whitespace().count() <= MOST_OF_TITLE
}

/// Words of such a line at most.
const MOST_OF_TITLE: usize = 6;

/// Whether rows stand below others by their indentation, as `replacing …` does below the package that replaces it. Names
/// that are aligned on the right begin in as many places as they have lengths.
fn nests(rows: &[&str]) -> bool {
    let named = rows.iter().filter(|row| row.trim_start().starts_with(char::is_alphabetic) && !is_title(row));
    let depths: BTreeSet<usize> = named.map(|row| indent(row)).collect();
    let apart = depths.iter().zip(depths.iter().skip(1)).all(|(outer, inner)| outer + DEEPER <= *inner);
    (2..=MOST_DEPTHS).contains(&depths.len()) && apart
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Spaces by which a row that belongs to the one above is deeper.
const DEEPER: usize = 2;

/// How deep rows are nested.
const MOST_DEPTHS: usize = 4;

/// The names over columns, in the last line of the heads that is no ruler.
fn named<'c>(lines: &[&str], cells: &'c [Vec<&'c str>], last: usize) -> Option<&'c [&'c str]> {
    let at = (0..=last).rev().find(|at| lines.get(*at).is_some_and(|line| line.contains(char::is_alphabetic)))?;
    cells.get(at).map(Vec::as_slice)
}

/// How many lines hold two spaces side by side.
fn padded(lines: &[&str]) -> usize {
    lines.iter().filter(|line| line.trim().contains("  ")).count()
}

/// Where the columns of some lines lie, in characters from the left.
struct Grid {
    /// Columns that (nearly) all lines leave blank; the text lies before, between and after them.
    gutters: Vec<Range<usize>>,
    /// The widest gutter that at least two spaces wide cells lie apart by.
    widest: usize,
}

impl Grid {
    fn new(lines: &[&str]) -> Self {
        let mut used = vec![0_usize; lines.iter().map(|line| line.len()).max().unwrap_or(0).min(WIDEST)];
        for line in lines {
            for (at, c) in line.trim_end().chars().take(WIDEST).enumerate() {
                if let Some(place) = used.get_mut(at).filter(|_| c != ' ') {
                    *place += 1;
                }
            }
        }
        let stray = (lines.len() / STRAY).max(usize::from(lines.len() >= FEWEST_NUMBERS));
        let is_text = |at: usize| used.get(at).is_some_and(|count| *count > stray);
        let end = used.iter().rposition(|count| *count > stray).map_or(0, |last| last + 1);
        let start = (0..end).find(|at| is_text(*at)).unwrap_or(end);
        let mut gutters: Vec<Range<usize>> = Vec::new();
        for at in (start..end).filter(|at| !is_text(*at)) {
            match gutters.last_mut().filter(|last| last.end == at) {
                Some(last) => last.end = at + 1,
                None => gutters.push(at..at + 1),
            }
        }
        let widest = gutters.iter().map(ExactSizeIterator::len).max().unwrap_or(0);
        Self { gutters, widest }
    }

    /// Whether chance and prose make no such lines: gutters through all of them, text on both sides, and padding.
    fn is_sure(&self, lines: &[&str]) -> bool {
        let padded = padded(lines);
        let parted =
            lines.iter().filter(|line| self.cells(line).iter().filter(|cell| !cell.is_empty()).count() > 1).count();
        let wide = lines.len() >= 3 && self.widest >= 2 && padded * 2 >= lines.len();
        let many = lines.len() >= 5 && self.gutters.len() >= 3 && padded * 4 >= lines.len();
        (wide || many) && parted * 3 >= lines.len() * 2
    }

    /// Whether a line leaves most gutters open at one side at least; names over columns and wide values reach into them.
    fn holds(&self, line: &str) -> bool {
        let letters: Vec<char> = line.trim_end().chars().take(WIDEST).collect();
        let blank = |at: usize| letters.get(at).is_none_or(|c| *c == ' ');
        let crossed = |gutter: &&Range<usize>| !blank(gutter.start) && !blank(gutter.end - 1);
        self.gutters.iter().filter(crossed).count() * 3 <= self.gutters.len()
    }

    /// A line's cells, empty ones included; each ends at the first blank of its gutter, or after it.
    fn cells<'a>(&self, line: &'a str) -> Vec<&'a str> {
        fuel::step(line.len());
        let line = line.trim_end();
        let mut cells = Vec::with_capacity(self.gutters.len() + 1);
        let mut begun = 0;
        let mut gutters = self.gutters.iter().peekable();
        for (at, (byte, c)) in line.char_indices().enumerate() {
            if c == ' ' && gutters.next_if(|gutter| gutter.start <= at).is_some() {
                cells.push(line.get(begun..byte).unwrap_or_default().trim());
                begun = byte;
                while gutters.next_if(|gutter| gutter.end <= at).is_some() {
                    cells.push("");
                }
            }
        }
        // Empty cells at the end of a line are not held: a few wide lines would give each narrow one hundreds of them.
        cells.push(line.get(begun..).unwrap_or_default().trim());
        cells
    }
}

/// How many lines at the top say what the cells below mean: a title, names over columns, a ruler.
fn heads(lines: &[&str], cells: &[Vec<&str>]) -> usize {
    let is_ruler = |line: &str| line.contains("--") && line.chars().all(|c| "-=+ ─━│|\r\n".contains(c));
    let has_digit = |cell: &str| cell.contains(|c: char| c.is_ascii_digit());
    let shouts = |line: &str| !line.contains(char::is_lowercase) && line.matches(char::is_uppercase).count() > 3;
    let names = |at: usize| {
        let (Some(line), Some(own)) = (lines.get(at), cells.get(at)) else { return false };
        let below = cells.get(at + 1..).unwrap_or_default();
        let counted = |column: usize| {
            below.iter().filter(|row| row.get(column).is_some_and(|cell| has_digit(cell))).count() * 2
                >= below.len().max(1)
        };
        let over_values = || own.iter().enumerate().any(|(column, cell)| !cell.is_empty() && counted(column));
        own.iter().filter(|cell| !cell.is_empty()).count() > 1 && !has_digit(line) && (shouts(line) || over_values())
    };
    let ruler = (0..lines.len().min(MOST_HEADS)).rev().find(|at| lines.get(*at).is_some_and(|line| is_ruler(line)));
    let padded = |at: usize| lines.get(at).is_some_and(|line| line.trim().contains("  "));
    let named = (0..lines.len().min(MOST_HEADS - 1)).find(|at| names(*at));
    // A title above the names, `Active connections (servers and established)`, lies over values by chance.
    let named = named.map(|at| if !padded(at) && padded(at + 1) && names(at + 1) { at + 1 } else { at });
    match (ruler, named) {
        (Some(ruler), _) if ruler > 0 => ruler + 1,
        (_, Some(named)) => named + 1,
        _ => 0,
    }
}

/// Which lines go on from the row above: the first column is empty, which it is in few lines only.
fn continues(cells: &[Vec<&str>], heads: usize) -> Vec<bool> {
    let open = |row: &Vec<&str>| row.first().is_some_and(|cell| cell.is_empty());
    let few = cells.iter().skip(heads).filter(|row| open(row)).count() * 3 < cells.len();
    cells.iter().map(|row| few && open(row)).collect()
}

/// How telling each row is: by its values, and by words of trouble in it as far as few rows have the like.
fn saliences(lines: &[&str], names: &[&str], rows: &[Vec<&str>], reader: &Reader<'_>) -> Vec<f32> {
    let column = |at: usize| rows::Column {
        name: names.get(at).copied().unwrap_or_default(),
        cells: rows.iter().map(|row| row.get(at).copied().unwrap_or_default()).collect(),
    };
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    let columns: Vec<rows::Column<'_>> = (0..width).map(column).collect();
    let mut found = rows::salience(&columns, rows.len(), reader.wanted);
    for (salience, bits) in found.iter_mut().zip(troubles(lines, false)) {
        *salience *= 1.0 + weights::ODD * bits;
    }
    found
}

/// How many cells of each row are one word, where that is so of all but the last, which may hold spaces.
fn words_are_cells(lines: &[&str], heads: usize) -> Option<usize> {
    let rows: Vec<Vec<(usize, &str)>> = lines.iter().skip(heads).map(|line| placed_words(line)).collect();
    let Some(head) = lines.get(..heads).and_then(|heads| heads.first()) else {
        // Without names over them cells are words where all rows have as many; `total 48` is no row.
        let width = rows.iter().map(Vec::len).max()?;
        return rows.iter().skip(1).all(|row| row.len() == width).then_some(width);
    };
    let spaced = head.trim().split("  ").any(|cell| cell.trim().contains(' '));
    if spaced && head.trim().contains("  ") {
        return None;
    }
    let names = placed_words(head);
    let free = names.len().checked_sub(1)?;
    let fits = |row: &Vec<(usize, &str)>| {
        let aligned = row.iter().zip(&names).take(free).all(|((at, word), (under, name))| {
            at == under || at + word.chars().count() == under + name.chars().count()
        });
        row.len() == names.len() || (row.len() > names.len() && aligned)
    };
    rows.iter().all(fits).then_some(free)
}

/// The words of a line, each with the character that it begins at.
fn placed_words(line: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut begun: Option<(usize, usize)> = None;
    for (at, (byte, c)) in line.char_indices().enumerate() {
        match begun {
            Some((start, column)) if c.is_whitespace() => {
                found.push((column, line.get(start..byte).unwrap_or_default()));
                begun = None;
            }
            None if !c.is_whitespace() => begun = Some((byte, at)),
            _ => {}
        }
    }
    if let Some((start, column)) = begun {
        found.push((column, line.get(start..).unwrap_or_default()));
    }
    found
}

/// A line with one space after each of its first `words` words; what follows them is as it was.
fn squeezed(line: &str, words: usize) -> Cow<'_, str> {
    let content = line.trim_end();
    let ending = line.get(content.len()..).unwrap_or_default().trim_matches(' ');
    let indent = content.len() - content.trim_start().len();
    let (indent, mut rest) = content.split_at(indent);
    let mut text = indent.to_owned();
    for _ in 0..words {
        let Some(end) = rest.find(' ') else { break };
        text.push_str(rest.get(..end).unwrap_or_default());
        text.push(' ');
        rest = rest.get(end..).unwrap_or_default().trim_start();
    }
    text.push_str(rest);
    text.push_str(ending);
    Cow::Owned(text)
}

/// Lines that are looked at before it is decided whether columns begin.
const WINDOW: usize = 40;

/// Fewer rows keep their padding: there is next to nothing to save.
const FEWEST_SQUEEZED: usize = 4;

/// Fewer numbers have no range, and of fewer lines none may be wider than its columns.
const FEWEST_NUMBERS: usize = 8;

/// Lines in a row that may lie across the columns.
const MOST_ACROSS: usize = 2;

/// Columns beyond this are free text.
const WIDEST: usize = 400;

/// One line in so many may be wider than its columns.
const STRAY: usize = 10;

/// A title, names over columns and a ruler at most.
const MOST_HEADS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::form::tests::{auto, lines_at};

    const PODS: &str = "\
NAME                  READY   STATUS             RESTARTS   AGE
web-1                 1/1     Running            0          3d
web-2                 1/1     Running            1          3d
queue-0               0/1     CrashLoopBackOff   57         41m
web-3                 1/1     Running            0          3d
web-4                 1/1     Running            0          5d
cache-0               1/1     Running            2          9d
web-5                 1/1     Running            0          3d
web-6                 1/1     Running            0          3d
";

    #[test]
    fn padding_goes_where_every_cell_is_one_word() {
        assert!(auto(PODS).contains("\nqueue-0 0/1 CrashLoopBackOff 57 41m\n"));
    }

    #[test]
    fn padding_stays_where_a_cell_is_empty_or_holds_spaces() {
        let docker = "\
CONTAINER ID   IMAGE          STATUS         PORTS      NAMES
3f1a           shop/web:1.4   Up 3 hours     80/tcp     web
9c02           shop/db:12     Up 3 hours                db
77de           shop/mq:3      Exited (137)   5672/tcp   mq
1b2c           shop/job:9     Up 2 days                 job
";
        assert_eq!(auto(docker), docker);
    }

    #[test]
    fn the_last_cell_keeps_its_spaces() {
        let processes = "\
USER   PID  COMMAND
root     1  sh -c  'a  b'
root    22  cron
mail   311  qmgr -l
root  4000  tail -F x
";
        assert!(auto(processes).contains("root 1 sh -c  'a  b'\n"));
    }

    #[test]
    fn rows_are_whole_and_stand_under_their_head_beside_the_one_that_is_unlike_the_others() {
        let calm: String =
            (7..30).map(|n| format!("web-{n:<17} 1/1     Running            {}          {n}d\n", n % 3)).collect();
        let left = lines_at(&(PODS.to_owned() + &calm), "Which pods have a problem?", 5.0);
        assert!(left.contains(&"NAME READY STATUS RESTARTS AGE".to_owned()), "{left:?}");
        assert!(left.contains(&"queue-0 0/1 CrashLoopBackOff 57 41m".to_owned()), "{left:?}");
    }

    #[test]
    fn rows_stand_under_the_title_of_their_part() {
        let plan = "\
 Package        Arch     Version      Size
Installing:
 kernel-core    x86_64   6.11.9       18 M
 lamp-libs      x86_64   3.2.4        2.3 M
 tzdata         noarch   2031b        430 k
Removing dependent packages:
 partman        x86_64   5.0.1        512 k
 wick-tools     x86_64   2.14         1.9 M
Downgrading:
 nodejs         x86_64   20.18.0      49 M
";
        let left = lines_at(plan, "Which version of nodejs is it?", 3.0);
        let at = |line: &str| left.iter().position(|own| own.trim_start().starts_with(line));
        assert!(at("Downgrading:").is_some() && at("Downgrading:") < at("nodejs"), "{left:?}");
    }

    #[test]
    fn a_row_that_is_deeper_stands_below_its_own() {
        let plan = "\
Package                   Arch    Version        Repository       Size
 cups-filters             x86_64  2:2.0.1-9      updates     512.3 KiB
   replacing cups-filters x86_64  2:2.0.0-6      updates     508.1 KiB
 firefly-media            x86_64  28.10-3        updates       4.1 MiB
   replacing firefly-media x86_64 28.9-1         updates       4.0 MiB
 openblas                 x86_64  0.3.29-1       updates      12.7 MiB
   replacing openblas     x86_64  0.3.26-4       fedora       12.5 MiB
";
        let left = lines_at(plan, "What comes from the repository fedora?", 3.0);
        let at = |line: &str| left.iter().position(|own| own.trim_start().starts_with(line));
        assert!(at("replacing openblas").is_some() && at("openblas") < at("replacing openblas"), "{left:?}");
    }

    #[test]
    fn what_is_asked_not_to_be_so_is_answered_by_the_others() {
        let left = lines_at(PODS, "Which pods are not running?", 4.0);
        assert!(left.iter().any(|line| line.starts_with("queue-0")), "{left:?}");
        assert!(!left.iter().any(|line| line.contains("Running")), "{left:?}");
    }

    #[test]
    fn prose_and_code_are_no_columns() {
        for text in [
            "The mill is old.  It was built in 1830\nby a smith.  He had two sons, who\nkept it for a while.  Then it\nwas sold.\n",
            "one line\nanother line\nmore of them\nand so on\n",
            "> This is what I have:\n>\n> mqtt:\n>   - topic: a\n>     qos: 1\n>\n>     retain: false\n",
        ] {
            assert_eq!(extent(text.lines()), None, "{text}");
        }
    }
}
