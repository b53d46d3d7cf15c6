//! A record as one page that needs nothing else: no script, no link, nothing loaded.

use std::fmt::Write as _;

use super::{Record, SlotRecord, fate};
use crate::fidelity::{State, Verdict};

/// The page of a record. Every text in it is escaped.
#[must_use]
pub fn html(record: &Record) -> String {
    let (before, after) = record.tokens();
    let mut page = format!(
        "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n\
         <meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>Request {id}</title>\n<style>{STYLE}</style>\n<h1>Request <code>{id}</code></h1>\n\
         <p class=facts>{outcome} · model {model} · {before} tokens → {after} ({share} saved) · held back {took:.1} ms</p>\n",
        id = escape(&record.id),
        outcome = escape(&record.outcome),
        model = escape(record.model.as_deref().unwrap_or("not named")),
        share = saved(before, after),
        took = record.took_ms,
    );
    for slot in &record.slots {
        self::slot(&mut page, slot);
    }
    page.push_str("</html>\n");
    page
}

fn slot(page: &mut String, slot: &SlotRecord) {
    let part = slot.part.map_or(String::new(), |part| format!(", part {part}"));
    let forwarded = if slot.forwarded { "condensed text forwarded" } else { "original forwarded" };
    let (before, after) = (slot.condensation.tokens_before, slot.condensation.tokens_after);
    let known = if slot.cached { "known before" } else { "decided now" };
    let _ = write!(
        page,
        "<section>\n<h2>Message {message}{part} <small>({role})</small></h2>\n<p class=facts>{decision} · {forwarded} · \
         {before} tokens → {after} ({share} saved) · {known} · {took:.1} ms</p>\n",
        message = slot.message,
        role = slot.role,
        decision = slot.decision(),
        share = saved(before, after),
        took = slot.took_ms,
    );
    if let Some(verdict) = &slot.verdict {
        self::verdict(page, verdict);
    }
    if slot.condensation.units.is_empty() {
        let _ = write!(page, "<pre>{}</pre>\n</section>\n", escape(&slot.original));
        return;
    }
    let findings = slot.verdict.as_deref().map(Verdict::flagged).unwrap_or_default();
    page.push_str("<table>\n<tr><th>#<th>fate<th>score<th>why<th>original<th>condensed\n");
    for (at, unit, original) in slot.units() {
        let flagged = if findings.contains(&at) { " flagged" } else { "" };
        let _ = writeln!(
            page,
            "<tr class=\"{fate}{flagged}\"><td>{at}<td>{fate}<br><small>{kind}</small><td>{score:.2}<td>{why}<td class=text>{original}<td class=text>{text}",
            fate = fate(unit.decision),
            kind = escape(unit.kind),
            score = unit.score,
            why = escape(&unit.reason),
            original = escape(original),
            text = escape(unit.text.as_deref().unwrap_or("")),
        );
    }
    let _ = write!(
        page,
        "</table>\n<details><summary>The condensed text as a whole</summary><pre>{}</pre></details>\n</section>\n",
        escape(slot.condensed())
    );
}

fn verdict(page: &mut String, verdict: &Verdict) {
    let state = match verdict.state {
        State::Passed => "passed".to_owned(),
        State::Flagged => "flagged".to_owned(),
        State::Unchecked(why) => format!("not checked ({})", why.as_str()),
    };
    let _ = writeln!(page, "<p class=facts>Fidelity check: {state}, {} questions</p>", verdict.questions);
    if verdict.findings.is_empty() {
        return;
    }
    page.push_str("<ul>\n");
    for finding in &verdict.findings {
        let _ = writeln!(
            page,
            "<li>unit {}: {:?}: “{}” against “{}”",
            finding.unit,
            finding.kind,
            escape(&finding.quote),
            escape(&finding.answer)
        );
    }
    page.push_str("</ul>\n");
}

fn saved(before: usize, after: usize) -> String {
    format!("{} %", (before.saturating_sub(after) * 100).checked_div(before).unwrap_or(0))
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

const STYLE: &str = "body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:90rem;padding:0 1rem;color:#1c2330;\
background:#fbfbfa}h1{font-size:1.3rem}h2{font-size:1.05rem;margin-top:2rem}.facts{color:#566070}table{border-collapse:collapse;\
width:100%}th{text-align:left;color:#566070;font-weight:600;border-bottom:2px solid #d8dce2;padding:.3rem .5rem}td{vertical-align:top;\
padding:.35rem .5rem;border-bottom:1px solid #e6e8ec}.text{white-space:pre-wrap;overflow-wrap:anywhere;width:36%}\
.dropped .text:nth-child(5){color:#a33;text-decoration:line-through;text-decoration-color:#d9a0a0}.rewritten .text:nth-child(6){background:#eef7ee}\
.rewritten .text:nth-child(5){background:#fdf3ee}.flagged td:first-child{border-left:4px solid #d33}small{color:#7a8494}\
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f2f3f5;padding:1rem}\
@media(prefers-color-scheme:dark){body{background:#14171c;color:#d9dee6}.facts,th,small{color:#94a0b0}td{border-color:#2a303a}\
pre{background:#1d2129}.rewritten .text:nth-child(6){background:#18281b}.rewritten .text:nth-child(5){background:#2d201a}}";
