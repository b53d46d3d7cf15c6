//! A record as lines for a terminal: what stayed, what went, what stands in its place.

use std::fmt::Write as _;

use super::{
    Record, SlotRecord,
    record::{saved, state, when},
    words::{self, Stretch},
};
use crate::compress::{Decision, Unit};

/// The lines of a record, coloured or plain. Control characters of the texts are shown, never sent.
#[must_use]
pub fn terminal(record: &Record, colour: bool) -> String {
    let ink = Ink { colour };
    let mut out = String::new();
    let because = if record.reason.is_empty() { String::new() } else { format!(" ({})", record.reason) };
    let (before, after) = record.tokens();
    let tokens = match before {
        0 => "no text considered".to_owned(),
        _ => format!("{before} -> {after} tokens, {} % saved", saved((before, after))),
    };
    let _ = writeln!(out, "{}  {}{because}", ink.bold(&safe(&record.id)), record.outcome);
    let model = safe(record.model.as_deref().unwrap_or("no model named"));
    let _ = writeln!(out, "{}  {model}  {tokens}  held back {:.1} ms", when(record.at_ms), record.took_ms);
    for (at, slot) in record.slots.iter().enumerate() {
        self::slot(&mut out, at, slot, &ink);
    }
    out
}

fn slot(out: &mut String, at: usize, slot: &SlotRecord, ink: &Ink) {
    let part = slot.part.map_or(String::new(), |part| format!(", part {part}"));
    let forwarded = match (slot.accepted, slot.forwarded) {
        (true, true) => "condensed text forwarded",
        (true, false) => "audit: original forwarded",
        (false, _) => "original forwarded",
    };
    let (before, after) = slot.tokens();
    let head = format!("text {at}: message {}{part} ({}): {}", slot.message, slot.role, slot.decision());
    // What a rule leaves is not counted.
    let tokens = if slot.left.is_some() { String::new() } else { format!(", {before} -> {after} tokens") };
    let _ = writeln!(out, "\n{}{tokens}, {forwarded}", ink.bold(&head));
    if let Some(rule) = &slot.rule {
        let _ = writeln!(out, "  rule: {rule}");
    }
    if slot.left.is_some() {
        return;
    }
    let [kept, rewritten, dropped] = slot.fates();
    let refused = slot.refused().count();
    let _ = writeln!(
        out,
        "  units: {kept} kept, {rewritten} rewritten, {dropped} dropped; refused by the guard: {refused}"
    );
    let known = if slot.cached { "known before".to_owned() } else { format!("decided in {:.1} ms", slot.took_ms) };
    let _ = writeln!(out, "  {known}");
    if let Some(verdict) = &slot.verdict {
        let (state, sure, asked) = (state(verdict), verdict.sure, verdict.questions);
        let _ = writeln!(out, "  fidelity: {state}, {sure} claims in the original's words, {asked} questions");
        for finding in &verdict.findings {
            let kind = format!("{:?}", finding.kind).to_lowercase();
            let line = format!("  ! unit {}, {kind}: {}", finding.unit, safe(&finding.quote));
            let _ = writeln!(out, "{}", ink.red(&line));
        }
    }
    let _ = writeln!(out);
    for (at, unit, original) in slot.units() {
        self::unit(out, at, unit, original.trim_matches('\n'), ink);
    }
}

fn unit(out: &mut String, at: usize, unit: &Unit, original: &str, ink: &Ink) {
    let label = format!("{at:>4} {:<9} {}", unit.decision.as_str(), unit.scored());
    let label = ink.dim(&label);
    match unit.decision {
        Decision::Kept => {
            let _ = writeln!(out, "{label}   {}", indent(&safe(original)));
        }
        Decision::Dropped => {
            let _ = writeln!(out, "{label} {}", ink.red(&format!("- {}", indent(&safe(original)))));
        }
        Decision::Rewritten => {
            let text = unit.text.as_deref().unwrap_or_default().trim_matches('\n');
            let (old, new) = words::compare(original, text);
            let _ = writeln!(out, "{label} {}{}", ink.red("- "), ink.marked(&old, "31", "31;7"));
            let _ = writeln!(out, "{:MARGIN$} {}{}", "", ink.green("+ "), ink.marked(&new, "32", "32;7"));
        }
    }
    let _ = writeln!(
        out,
        "{:MARGIN$}   {}",
        "",
        ink.dim(&format!("({}: {})", unit.form.as_str(), safe(&unit.why.to_string())))
    );
}

/// Columns before a text.
const MARGIN: usize = 19;

/// Further lines stand under the first.
fn indent(text: &str) -> String {
    text.replace('\n', &format!("\n{:1$}", "", MARGIN + 3))
}

/// Without what a terminal would obey or hide: escapes, other controls and invisible characters become visible.
fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => out.push(c),
            '\u{0}'..='\u{1f}' => out.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or('?')),
            '\u{7f}' => out.push('␡'),
            c if words::hides(c) => {
                let _ = write!(out, "‹U+{:04X}›", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out
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

    /// Stretches of a side: what both sides share in `shared`, what only this one has in `own`.
    fn marked(&self, stretches: &[Stretch<'_>], shared: &str, own: &str) -> String {
        let paint = |s: &Stretch<'_>| self.paint(if s.shared { shared } else { own }, &indent(&safe(s.text)));
        stretches.iter().map(paint).collect()
    }

    fn red(&self, text: &str) -> String {
        self.paint("31", text)
    }

    fn green(&self, text: &str) -> String {
        self.paint("32", text)
    }
}
