//! Numbered views: a file as a tool shows it, with a number in front of each line.

/// The lines without their numbers; nothing where they are not numbered.
///
/// A kept line keeps its number, so a reader sees a gap by itself, and no line stands under another's.
pub(super) fn contents<'a>(lines: &[&'a str]) -> Option<Vec<&'a str>> {
    let mut last = None;
    let (mut numbered, mut full) = (0_usize, 0_usize);
    let stripped = lines
        .iter()
        .map(|line| {
            full += usize::from(!line.trim().is_empty());
            let Some((number, content)) = split(line).filter(|(number, _)| last.is_none_or(|last| *number > last))
            else {
                return *line;
            };
            numbered += 1;
            last = Some(number);
            content
        })
        .collect();
    (numbered >= FEWEST && numbered * 10 >= full * 8).then_some(stripped)
}

/// A line's number and what stands behind it: `12:text`, `  12\ttext`, `12→text`, `12 | text`, `  12  text`.
pub(in crate::compress::form) fn split(line: &str) -> Option<(u64, &str)> {
    let line = line.trim_start();
    let digits = line.find(|c: char| !c.is_ascii_digit()).unwrap_or(line.len());
    let (number, rest) = (line.get(..digits)?.parse().ok()?, line.get(digits..)?);
    for mark in [" | ", " |", "| ", "|", "→", "\t", "  ", ": ", ":"] {
        if let Some(content) = rest.strip_prefix(mark) {
            return Some((number, content));
        }
    }
    rest.trim().is_empty().then_some((number, ""))
}

/// Numbered lines that make a view.
const FEWEST: usize = 5;
