//! The hunks of diffs, which say how many lines they have. Merges have a column of signs for each parent (git-diff, "combined
//! diff format").

/// Whether two lines begin a diff.
pub(super) fn begins(first: &str, second: &str) -> bool {
    ["diff --git ", "diff --cc ", "diff --combined "].iter().any(|head| first.starts_with(head))
        || (first.starts_with("--- ") && second.starts_with("+++ "))
        || Hunk::of(first).is_some()
}

/// How many of the lines are a diff, if the first ones are. What a hunk announces belongs to it, blank lines too, whose
/// space in front is lost easily.
pub(super) fn extent<'a>(mut lines: impl Iterator<Item = &'a str>) -> Option<usize> {
    let (first, second) = (lines.next()?, lines.next().unwrap_or_default());
    if !begins(first, second) {
        return None;
    }
    let mut hunk = Hunk::of(first).unwrap_or_default();
    let mut count = 1;
    for line in std::iter::once(second).chain(lines) {
        let blank = line.trim_end().is_empty();
        let goes_on = match Hunk::of(line) {
            Some(next) => {
                hunk = next;
                true
            }
            None if hunk.is_open() && (blank || line.starts_with([' ', '+', '-', '\\', '\t'])) => {
                hunk.take(line);
                true
            }
            None => !blank && is_of_diff(line),
        };
        if !goes_on {
            break;
        }
        count += 1;
    }
    Some(count)
}

fn is_of_diff(line: &str) -> bool {
    line.starts_with([' ', '+', '-', '@', '\\'])
        || [
            "diff ",
            "index ",
            "new file",
            "deleted file",
            "similarity ",
            "rename ",
            "old mode",
            "new mode",
            "mode ",
            "Binary ",
        ]
        .iter()
        .any(|head| line.starts_with(head))
}

/// What is still to come of a hunk.
#[derive(Debug, Default)]
pub(super) struct Hunk {
    /// Lines of each parent.
    old: Vec<u32>,
    new: u32,
}

impl Hunk {
    /// What `@@ -14,12 +14,13 @@` announces, or `@@@ -1,2 -3,4 +5,6 @@@` of a merge.
    pub(super) fn of(line: &str) -> Option<Self> {
        let marks = line.len() - line.trim_start_matches('@').len();
        let rest = line.get(marks..).filter(|rest| marks >= 2 && rest.starts_with(" -"))?;
        rest.contains("@@").then_some(())?;
        let count = |range: &str| range.split_once(',').map_or(1, |(_, count)| count.parse().unwrap_or(0));
        let mut ranges = rest.split_whitespace();
        let old: Vec<u32> =
            ranges.by_ref().take(marks - 1).filter_map(|range| range.strip_prefix('-')).map(count).collect();
        let new = ranges.next().and_then(|range| range.strip_prefix('+')).map(count)?;
        (old.len() == marks - 1 && marks <= MOST_PARENTS).then_some(Self { old, new })
    }

    /// Whether something is.
    pub(super) fn is_open(&self) -> bool {
        self.new > 0 || self.old.iter().any(|left| *left > 0)
    }

    /// Takes in a line; whether it changes something.
    pub(super) fn take(&mut self, line: &str) -> bool {
        if line.starts_with('\\') {
            return false;
        }
        let signs = || line.bytes().chain(std::iter::repeat(b' ')).take(self.old.len());
        let goes = signs().any(|sign| sign == b'-');
        let changes = goes || signs().any(|sign| sign == b'+');
        let held: Vec<bool> = signs().map(|sign| if goes { sign == b'-' } else { sign != b'+' }).collect();
        for (left, held) in self.old.iter_mut().zip(held) {
            *left = left.saturating_sub(u32::from(held));
        }
        self.new = self.new.saturating_sub(u32::from(!goes));
        changes
    }
}

/// Parents of a merge, and marks of a hunk's head.
const MOST_PARENTS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hunk_is_as_long_as_it_announces_and_a_merge_has_a_sign_for_each_parent() {
        let plain = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,3 +1,4 @@\n a\n\n-b\n+c\n+d\n\nThat is all.\n";
        assert_eq!(extent(plain.lines()), Some(9));
        let merge = "diff --cc x\nindex 1,2..3\n--- a/x\n+++ b/x\n@@@ -1,2 -1,2 +1,2 @@@\n  a\n- b\n -c\n++d\nso\n";
        assert_eq!(extent(merge.lines()), Some(9));
        let mut hunk = Hunk::of("@@@ -1,2 -1,2 +1,2 @@@").unwrap();
        let changes: Vec<bool> = ["  a", "- b", " -c", "++d"].iter().map(|line| hunk.take(line)).collect();
        assert_eq!((changes, hunk.is_open()), (vec![false, true, true, true], false));
    }
}
