//! A record as lines for a terminal: what stayed, what went, what stands in its place.

use std::fmt::Write as _;

use super::{Record, SlotRecord, fate};
use crate::{compress::Decision, fidelity::State};

/// The lines of a record, coloured or plain. Control characters of the texts are shown, never sent.
#[must_use]
pub fn terminal(record: &Record, colour: bool) -> String {
    let ink = Ink { colour };
    let (before, after) = record.tokens();
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{} {}  {} tokens -> {}  held back {:.1} ms",
        ink.bold(&safe(&record.id)),
        safe(&record.outcome),
        before,
        after,
        record.took_ms
    );
    for slot in &record.slots {
        self::slot(&mut out, slot, &ink);
    }
    out
}

fn slot(out: &mut String, slot: &SlotRecord, ink: &Ink) {
    let part = slot.part.map_or(String::new(), |part| format!(".{part}"));
    let head = format!(
        "message {}{part} ({}): {}, {} -> {} tokens, {}",
        slot.message,
        slot.role,
        slot.decision(),
        slot.condensation.tokens_before,
        slot.condensation.tokens_after,
        if slot.forwarded { "forwarded" } else { "original forwarded" },
    );
    let _ = writeln!(out, "\n{}", ink.bold(&head));
    if let Some(verdict) = &slot.verdict {
        let state = match verdict.state {
            State::Passed => "passed".to_owned(),
            State::Flagged => "flagged".to_owned(),
            State::Unchecked(why) => format!("not checked ({})", why.as_str()),
        };
        let _ = writeln!(out, "  fidelity: {state}, {} questions", verdict.questions);
        for finding in &verdict.findings {
            let line = format!("  ! unit {}: {:?}: {}", finding.unit, finding.kind, safe(&finding.quote));
            let _ = writeln!(out, "{}", ink.red(&line));
        }
    }
    for (at, unit, original) in slot.units() {
        let label = format!("{at:>4} {:<9} {:.2}", fate(unit.decision), unit.score);
        let original = safe(original.trim_end());
        match unit.decision {
            Decision::Kept => {
                let _ = writeln!(out, "{}   {}", ink.dim(&label), indent(&original));
            }
            Decision::Dropped => {
                let _ = writeln!(out, "{} {}", ink.dim(&label), ink.red(&format!("- {}", indent(&original))));
            }
            Decision::Rewritten => {
                let text = safe(unit.text.as_deref().unwrap_or("").trim_end());
                let _ = writeln!(out, "{} {}", ink.dim(&label), ink.red(&format!("- {}", indent(&original))));
                let _ = writeln!(out, "{:MARGIN$} {}", "", ink.green(&format!("+ {}", indent(&text))));
            }
        }
    }
}

/// Columns before a text.
const MARGIN: usize = 19;

/// Further lines stand under the first.
fn indent(text: &str) -> String {
    text.replace('\n', &format!("\n{:1$}", "", MARGIN + 3))
}

/// Without what a terminal would obey or hide: escapes, other controls and direction marks become visible.
fn safe(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('?'),
            '\u{7f}' => '␡',
            '\u{80}'..='\u{9f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                '\u{fffd}'
            }
            _ => c,
        })
        .collect()
}

struct Ink {
    colour: bool,
}

impl Ink {
    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    fn dim(&self, text: &str) -> String {
        self.paint("2", text)
    }

    fn red(&self, text: &str) -> String {
        self.paint("31", text)
    }

    fn green(&self, text: &str) -> String {
        self.paint("32", text)
    }
}
