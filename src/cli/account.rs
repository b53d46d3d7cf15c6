//! The account of a condensation, for a person to read.

use std::{
    io::{self, IsTerminal as _, Write},
    time::Duration,
};

use headroom::compress::{Condensation, CountTokens, Decision, Encoding, Outcome, Ratio, Unit};

/// What the account begins with.
pub(super) struct Headline {
    pub(super) ratio: Ratio,
    /// Below it the proxy leaves a text alone.
    pub(super) min_tokens: usize,
    pub(super) took: Duration,
    pub(super) with: String,
}

/// Writes what became of each unit of `source`; coloured on a terminal unless `NO_COLOR` is set.
pub(super) fn print(
    out: &mut io::StderrLock<'_>,
    source: &str,
    condensation: &Condensation,
    headline: &Headline,
    encoding: &Encoding,
) -> io::Result<()> {
    let coloured = out.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    write(out, source, condensation, headline, encoding, coloured)
}

fn write(
    out: &mut impl Write,
    source: &str,
    condensation: &Condensation,
    headline: &Headline,
    encoding: &Encoding,
    coloured: bool,
) -> io::Result<()> {
    let Condensation { tokens_before, tokens_after, units, .. } = condensation;
    let reached = ratio(*tokens_before, *tokens_after);
    writeln!(out)?;
    writeln!(
        out,
        "{}: {tokens_before} -> {tokens_after} tokens ({reached:.1}:1, asked {}), {} ms, {}",
        outcome(condensation),
        headline.ratio,
        headline.took.as_millis(),
        headline.with
    )?;
    if let Some(limit) = condensation.limit(headline.ratio) {
        writeln!(out, "the ratio was not reached: {limit}")?;
    }
    if *tokens_before < headline.min_tokens {
        let min = headline.min_tokens;
        writeln!(out, "the proxy would leave this text alone: it has fewer than {min} tokens (compress.min_tokens)")?;
    }
    let count = |decision| units.iter().filter(|unit| unit.decision == decision).count();
    let (kept, rewritten, dropped) = (count(Decision::Kept), count(Decision::Rewritten), count(Decision::Dropped));
    writeln!(out, "units: {kept} kept, {rewritten} rewritten, {dropped} dropped\n")?;
    for unit in units {
        write_unit(out, source, unit, encoding, coloured)?;
    }
    Ok(())
}

fn write_unit(out: &mut impl Write, source: &str, unit: &Unit, encoding: &Encoding, coloured: bool) -> io::Result<()> {
    let original = source.get(unit.span.clone()).unwrap_or_default();
    let (word, colour) = match unit.decision {
        Decision::Kept => ("kept", GREEN),
        Decision::Rewritten => ("rewritten", YELLOW),
        Decision::Dropped => ("dropped", RED),
    };
    let (colour, plain) = if coloured { (colour, PLAIN) } else { ("", "") };
    let tokens = match &unit.text {
        Some(text) if unit.decision == Decision::Rewritten => {
            format!("{} -> {} tokens", encoding.count(original), encoding.count(text))
        }
        _ => format!("{} tokens", encoding.count(original)),
    };
    let redundant = unit.redundancy.to_string();
    let redundant = if redundant.is_empty() { redundant } else { format!(" (redundancy: {redundant})") };
    writeln!(
        out,
        "{colour}{word:<9}{plain} {} {}, {tokens}: {}{redundant}",
        unit.scored(),
        unit.form.as_str(),
        unit.why
    )?;
    writeln!(out, "  {}", one_line(original))?;
    if let (Decision::Rewritten, Some(text)) = (unit.decision, &unit.text) {
        writeln!(out, "  {colour}{}{plain}", one_line(text))?;
    }
    Ok(())
}

/// Original : condensed.
pub(super) fn ratio(before: usize, after: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "no text has 2^52 tokens")]
    let ratio = before as f64 / after.max(1) as f64;
    (ratio * 1000.0).round() / 1000.0
}

/// `compressed`, or why the text stayed as it was.
pub(super) fn outcome(condensation: &Condensation) -> &'static str {
    match &condensation.outcome {
        Outcome::Compressed(_) => "compressed",
        Outcome::Unchanged(reason) => reason.as_str(),
    }
}

/// The text on one line, cut at a length that still shows what it is about. Control characters, which could steer the
/// terminal, are left out.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    let shown: String = line.chars().filter(|char| !char.is_control()).take(LONGEST).collect();
    if line.chars().nth(LONGEST).is_some() { format!("{shown}…") } else { shown }
}

const LONGEST: usize = 160;

const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const RED: &str = "\x1b[31m";
const PLAIN: &str = "\x1b[0m";

#[cfg(test)]
mod tests {
    use super::*;

    fn condensation() -> Condensation {
        let unit = |span, decision, text: Option<&str>| Unit {
            span,
            form: headroom::compress::Form::Prose,
            score: Some(0.5),
            redundancy: headroom::compress::Redundancy::default(),
            decision,
            why: headroom::compress::Why::Chosen,
            text: text.map(Into::into),
            noun: headroom::compress::Noun::Sentences,
            count: 1,
            ends: None,
            escaped: 0,
        };
        Condensation {
            outcome: Outcome::Compressed("One. Two.".into()),
            tokens_before: 10,
            tokens_after: 4,
            choice: None,
            original: None,
            hurried: false,
            units: vec![
                unit(0..5, Decision::Kept, Some("One. ")),
                unit(5..18, Decision::Rewritten, Some("Two. ")),
                unit(18..25, Decision::Dropped, None),
            ],
        }
    }

    fn written(coloured: bool) -> String {
        let headline = Headline {
            ratio: "5".parse().unwrap(),
            min_tokens: 256,
            took: Duration::from_millis(7),
            with: "no model".into(),
        };
        let mut out = Vec::new();
        write(&mut out, "One. Two or\nmore. \x1b[2Jx. ", &condensation(), &headline, &Encoding::O200k, coloured)
            .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_unit_is_accounted_for_with_tokens_time_and_reason() {
        let text = written(false);
        assert!(text.contains("compressed: 10 -> 4 tokens (2.5:1, asked 5), 7 ms, no model"), "{text}");
        assert!(text.contains("units: 1 kept, 1 rewritten, 1 dropped"), "{text}");
        assert!(text.contains("rewritten 0.50 prose, "), "{text}");
        assert!(text.contains("  Two or more.\n  Two.\n"), "{text}");
        assert!(text.contains("fewer than 256 tokens"), "{text}");
    }

    #[test]
    fn a_text_cannot_steer_the_terminal() {
        assert!(!written(false).contains('\x1b'));
        assert!(written(true).contains(RED));
    }
}
