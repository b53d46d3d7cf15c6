//! A record as one page that needs nothing else: no script, no link, nothing loaded.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    Record, SlotRecord,
    record::{refusal, saved, state, when},
    words::{self, Stretch},
};
use crate::{
    compress::{Decision, Unit},
    fidelity::{State, Verdict},
};

/// The page of a record. Every text in it is escaped.
#[must_use]
pub fn html(record: &Record) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n<meta name=viewport content=\"width=device-width\">\n\
         <meta http-equiv=Content-Security-Policy content=\"{POLICY}\">\n<title>Request {id}</title>\n\
         <style>{STYLE}</style>\n<header>\n<h1>What became of request <code>{id}</code></h1>\n",
        id = escape(&record.id),
    );
    facts(&mut page, record);
    if record.slots.iter().any(|slot| !slot.condensation.units.is_empty()) {
        page.push_str(LEGEND);
    }
    page.push_str("</header>\n");
    if record.slots.is_empty() {
        page.push_str("<p>No text of this request was considered; all of it was forwarded as it came.</p>\n");
    }
    for (at, slot) in record.slots.iter().enumerate() {
        self::slot(&mut page, at, slot);
    }
    page.push_str("</html>\n");
    page
}

/// What the page may load: nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The figures at the head.
fn facts(page: &mut String, record: &Record) {
    let (before, after) = record.tokens();
    let because = if record.reason.is_empty() { String::new() } else { format!(": {}", record.reason) };
    page.push_str("<dl class=facts>\n");
    let mut fact = |name: &str, value: &str| {
        let _ = writeln!(page, "<div><dt>{name}<dd>{}</div>", escape(value));
    };
    fact("outcome", &format!("{}{because}", record.outcome));
    if before > 0 {
        fact("tokens of the texts", &format!("{before} → {after}"));
        fact("saved", &format!("{} %", saved((before, after))));
        fact("ratio", &format!("{} : 1", ratio((before, after))));
    }
    fact("held back", &format!("{:.1} ms", record.took_ms));
    fact("model", record.model.as_deref().unwrap_or("not named"));
    if record.at_ms > 0 {
        fact("came", &when(record.at_ms));
    }
    page.push_str("</dl>\n");
}

fn slot(page: &mut String, at: usize, slot: &SlotRecord) {
    let part = slot.part.map_or(String::new(), |part| format!(", part {part}"));
    let (before, after) = slot.tokens();
    let forwarded = match (slot.accepted, slot.forwarded) {
        (true, true) => "the condensed text was forwarded",
        (true, false) => "audit: the original was forwarded",
        (false, _) => "the original was forwarded",
    };
    let known = if slot.cached { "known before".to_owned() } else { format!("decided in {:.1} ms", slot.took_ms) };
    let rule = slot.rule.as_deref().map_or(String::new(), |rule| format!(" · rule <b>{}</b>", escape(rule)));
    let tokens = match slot.left {
        // What a rule leaves is not counted.
        Some(_) => String::new(),
        None => format!(" · {before} tokens → {after}, {} % saved", saved((before, after))),
    };
    let [kept, rewritten, dropped] = slot.fates();
    let _ = write!(
        page,
        "<section>\n<h2>Text {at} <small>message {message}{part} · {role}</small></h2>\n\
         <p class=bar><span style=\"width:{width}%\"></span></p>\n\
         <p class=said><b>{decision}</b>{rule} · {forwarded}{tokens} · {kept} units kept, \
         {rewritten} rewritten, {dropped} dropped · {known}</p>\n",
        message = slot.message,
        role = slot.role,
        width = 100 - saved((before, after)).min(100),
        decision = slot.decision(),
    );
    guard(page, slot);
    if let Some(verdict) = &slot.verdict {
        self::verdict(page, verdict);
    }
    if slot.condensation.units.is_empty() {
        let _ = write!(page, "<pre>{}</pre>\n</section>\n", escape(&slot.original));
        return;
    }
    let flagged = slot.verdict.as_deref().map(Verdict::flagged).unwrap_or_default();
    page.push_str(
        "<table>\n<colgroup><col class=n><col class=fate><col class=score><col class=text><col class=text><col class=why>\n\
         <tr><th>#<th>fate<th>score<th>original<th>condensed<th>why\n",
    );
    for (at, unit, original) in slot.units() {
        row(page, at, unit, original, flagged.contains(&at));
    }
    let _ = write!(
        page,
        "</table>\n<details><summary>The condensed text as a whole</summary><pre>{}</pre></details>\n</section>\n",
        escape(&slot.condensed())
    );
}

fn row(page: &mut String, at: usize, unit: &Unit, original: &str, flagged: bool) {
    let mark = if flagged { " flagged" } else { "" };
    let refused = if refusal(unit).is_some() { " refused" } else { "" };
    let text = unit.text.as_deref().unwrap_or_default();
    let (old, new) = match unit.decision {
        Decision::Kept => (escape(original.trim_matches('\n')), escape(text.trim_matches('\n'))),
        Decision::Dropped => (format!("<del>{}</del>", escape(original.trim_matches('\n'))), String::new()),
        Decision::Rewritten => {
            let (old, new) = words::compare(original.trim_matches('\n'), text.trim_matches('\n'));
            (marked(&old, "del"), marked(&new, "ins"))
        }
    };
    let _ = writeln!(
        page,
        "<tr class=\"{fate}{mark}{refused}\"><td>{at}<td><b>{fate}</b><br><small>{kind}</small>\
         <td title=\"relevance to what is asked, 0 to 1; redundancy: {redundancy}\">{score}<br><meter value={share:.2}></meter>\
         <td class=text title=\"bytes {start} to {end}\">{old}<td class=text>{new}<td class=why>{why}",
        fate = unit.decision.as_str(),
        kind = escape(unit.form.as_str()),
        score = unit.scored(),
        share = unit.score.unwrap_or_default(),
        redundancy = unit.redundancy,
        start = unit.span.start,
        end = unit.span.end,
        why = escape(&unit.why.to_string()),
    );
}

fn marked(stretches: &[Stretch<'_>], tag: &str) -> String {
    let mark = |s: &Stretch<'_>| match s.shared {
        true => escape(s.text),
        false => format!("<{tag}>{}</{tag}>", escape(s.text)),
    };
    stretches.iter().map(mark).collect()
}

/// What the guard refused, by reason.
fn guard(page: &mut String, slot: &SlotRecord) {
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for (_, why) in slot.refused() {
        *reasons.entry(why).or_default() += 1;
    }
    if reasons.is_empty() {
        if slot.accepted {
            page.push_str("<p class=said>Guard: <b>passed</b>, every shorter form stands</p>\n");
        }
        return;
    }
    let count: usize = reasons.values().sum();
    let list: Vec<String> = reasons.iter().map(|(why, count)| format!("{} × {count}", escape(why))).collect();
    let _ = writeln!(page, "<p class=said>Guard: <b>{count} units put back</b>: {}</p>", list.join(", "));
}

fn verdict(page: &mut String, verdict: &Verdict) {
    let class = if verdict.state == State::Flagged { "said alarm" } else { "said" };
    let _ = writeln!(
        page,
        "<p class=\"{class}\">Fidelity check: <b>{}</b>, {} claims in the original's words, {} questions, {:.0} ms</p>",
        state(verdict),
        verdict.sure,
        verdict.questions,
        verdict.took.as_secs_f64() * 1000.0,
    );
    if verdict.findings.is_empty() {
        return;
    }
    page.push_str("<ul class=alarm>\n");
    for finding in &verdict.findings {
        let _ = writeln!(
            page,
            "<li>unit {}, {}: “{}” against “{}”",
            finding.unit,
            format!("{:?}", finding.kind).to_lowercase(),
            escape(&finding.quote),
            escape(&finding.answer)
        );
    }
    page.push_str("</ul>\n");
}

/// Original : condensed, with one digit.
fn ratio((before, after): (usize, usize)) -> String {
    let tenths = (before * 10).checked_div(after).unwrap_or(0);
    format!("{}.{}", tenths / 10, tenths % 10)
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
            // What a browser would hide or obey is shown, so that nothing reads otherwise than it is.
            c if words::hides(c) => {
                let _ = write!(out, "<i class=hidden>U+{:04X}</i>", u32::from(c));
            }
            '\0' => out.push('␀'),
            _ => out.push(c),
        }
    }
    out
}

/// The colours, each with a switch that shows or hides its units.
const LEGEND: &str = "<p class=legend>\
<label class=kept><input type=checkbox id=kept checked> kept word for word</label>\
<label class=rewritten><input type=checkbox id=rewritten checked> rewritten: <del>left out</del> <ins>put in</ins></label>\
<label class=dropped><input type=checkbox id=dropped checked> dropped</label>\
<span class=refused>shorter form refused by the guard</span><span class=flagged>flagged by the fidelity check</span></p>\n";

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1c2330;--paper:#fbfbf9;--card:#fff;--soft:#5b6574;--line:#e2e4e8;--red:#a4262c;--redbg:#fdeeee;
--green:#116329;--greenbg:#e6f6ea;--amber:#8a5a00;--amberbg:#fff6e0;--alarm:#c2185b;--bar:#3d7edb}
@media(prefers-color-scheme:dark){:root{--ink:#dde3ec;--paper:#12151a;--card:#1a1e25;--soft:#97a3b4;--line:#2c333e;--red:#ff9a9a;
--redbg:#331c1f;--green:#8fdca4;--greenbg:#16301e;--amber:#f0c36a;--amberbg:#2e2614;--alarm:#ff7eb0;--bar:#5b96e8}}
*{box-sizing:border-box}body{font:14px/1.5 system-ui,sans-serif;margin:0 auto;max-width:100rem;padding:1.5rem;color:var(--ink);background:var(--paper)}
h1{font-size:1.25rem;margin:0 0 .75rem}h1 code{font-size:.95em}h2{font-size:1.05rem;margin:0 0 .5rem}small,.said,.why,dt,th{color:var(--soft)}
.said{margin:.2rem 0}.said b{color:var(--ink)}.alarm,.alarm b{color:var(--alarm)}
.facts{display:flex;flex-wrap:wrap;gap:.6rem;margin:0 0 1rem}.facts div{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.4rem .8rem}
dt{font-size:.8rem}dd{margin:0;font-size:1.05rem;font-weight:600}
.legend{display:flex;flex-wrap:wrap;gap:.6rem;margin:0}.legend>*{border:1px solid var(--line);border-left:4px solid var(--line);border-radius:.3rem;padding:.15rem .6rem;background:var(--card)}
.legend .kept{border-left-color:var(--soft)}.legend .rewritten{border-left-color:var(--green)}.legend .dropped{border-left-color:var(--red)}
.legend .refused{border-left-color:var(--amber)}.legend .flagged{border-left-color:var(--alarm)}
section{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:1rem;margin-top:1.25rem}
.bar{height:.5rem;background:var(--redbg);border-radius:.25rem;overflow:hidden;margin:0 0 .5rem}.bar span{display:block;height:100%;background:var(--bar)}
table{border-collapse:collapse;width:100%;table-layout:fixed;margin-top:.75rem}.n{width:2.6rem}.fate{width:6.4rem}.score{width:4.2rem}col.why{width:13rem}
th{text-align:left;font-weight:600;border-bottom:2px solid var(--line);padding:.3rem .5rem;position:sticky;top:0;background:var(--card)}
td{vertical-align:top;padding:.35rem .5rem;border-bottom:1px solid var(--line);overflow-wrap:anywhere}td:first-child{border-left:4px solid var(--soft)}
td.text{white-space:pre-wrap}meter{width:3rem;height:.5rem}del{color:var(--red);background:var(--redbg);text-decoration-color:color-mix(in srgb,var(--red) 45%,transparent)}
ins{color:var(--green);background:var(--greenbg);text-decoration:none;font-weight:600}
.rewritten td:first-child{border-left-color:var(--green)}.rewritten td:nth-child(5){background:var(--greenbg)}.rewritten b{color:var(--green)}
.dropped td:first-child{border-left-color:var(--red)}tr.dropped del{background:none;text-decoration:none}.dropped td b{color:var(--red)}tr.dropped td:nth-child(5){background:repeating-linear-gradient(135deg,transparent 0 6px,var(--line) 6px 7px)}
tr.refused td:first-child{border-left-color:var(--amber)}tr.refused .why{color:var(--amber);background:var(--amberbg)}
tr.flagged td:first-child{border-left-color:var(--alarm)}tr.flagged td{box-shadow:inset 0 1px var(--alarm),inset 0 -1px var(--alarm)}
body:has(#kept:not(:checked)) tr.kept,body:has(#rewritten:not(:checked)) tr.rewritten,body:has(#dropped:not(:checked)) tr.dropped{display:none}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--paper);border:1px solid var(--line);border-radius:.4rem;padding:1rem}
details{margin-top:.75rem}summary{cursor:pointer;color:var(--soft)}.hidden{font-size:.75em;border:1px solid var(--alarm);color:var(--alarm);border-radius:.2rem;padding:0 .2em}
@media(max-width:60rem){col.why,.why,th:last-child{display:none}}
@media print{body{background:none}th{position:static}}
";
