//! How left-out text is marked: brief, uniform, and never mistaken for the text's own words.
//!
//! Each mark costs tokens, so one is set for a gap, not for a unit, and a tight budget gets the one-token form.

/// A gap within a line or among lines, where a count would cost more than it tells.
pub const GAP: &str = "[…]";

/// What stands for words left out inside a line.
pub const ELLIPSIS: &str = "…";

/// `[… 12 lines]`: so many of them stood here.
#[must_use]
pub fn left_out(count: usize, what: &str) -> String {
    format!("[… {count} {what}]")
}

/// `[… 49 of 60 rows]`: so many of all are missing here.
#[must_use]
pub fn left_out_of(count: usize, all: usize, what: &str) -> String {
    format!("[… {count} of {all} {what}]")
}

/// `[… id, updated_at]`: what is called so stood here.
#[must_use]
pub fn named(names: &str) -> String {
    format!("[… {names}]")
}

/// `×12`: what stands before occurred so often.
#[must_use]
pub fn times(count: usize) -> String {
    format!("×{count}")
}

/// Ends a shortened block of lines: with the mark of those that are missing, in one token where the budget is tight, and
/// with the line breaks that the block ended with.
pub(super) fn closed(mut text: String, block: &str, missing: usize, budget: usize) -> String {
    if missing > 0 {
        text.push_str(&if budget < TIGHT { GAP.into() } else { left_out(missing, "lines") });
    }
    text.truncate(text.trim_end_matches('\n').len());
    text.push_str(block.get(block.trim_end_matches(['\n', '\r']).len()..).unwrap_or_default());
    text
}

/// Room for that mark, in tokens.
pub(super) const LINES: usize = 6;

/// Below so many tokens the mark is the one-token form.
const TIGHT: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_brief_and_say_how_much_is_missing() {
        assert_eq!(left_out(12, "lines"), "[… 12 lines]");
        assert_eq!(left_out_of(49, 60, "rows"), "[… 49 of 60 rows]");
        assert_eq!(times(3), "×3");
    }
}
