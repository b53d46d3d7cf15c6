//! The sums for a person to decide by.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use headroom::audit::{Report, Sums, percent};

use super::{Account, Replay};

pub(super) fn print(out: &mut impl Write, accounts: &[Account], price: Option<f64>) -> io::Result<()> {
    for (at, account) in accounts.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        one(out, account, price)?;
    }
    Ok(())
}

fn one(out: &mut impl Write, account: &Account, price: Option<f64>) -> io::Result<()> {
    let Account { ratio, report, replay } = account;
    let total = report.total();
    let saved = total.tokens_before.saturating_sub(total.tokens_after);
    let head = ratio.as_ref().map_or("audited since the start".to_owned(), |ratio| format!("ratio {ratio}"));
    writeln!(
        out,
        "{head}: {} requests, {} texts considered, {} condensed",
        report.requests, total.texts, total.condensed
    )?;
    let Sums { tokens_before, tokens_after, .. } = total;
    writeln!(
        out,
        "  tokens       {tokens_before} -> {tokens_after}: {saved} saved, {:.1} % of these texts",
        total.saved()
    )?;
    if let Some(replay) = replay {
        let whole = replay.prompt_tokens;
        writeln!(out, "  prompts      {:.1} % of all {whole} tokens of the messages saved", replay.share(saved))?;
    }
    money(out, report, replay.as_ref(), price)?;
    if let Some(replay) = replay {
        let Replay { continued, stable, late, .. } = replay;
        let share = percent(*stable, *continued);
        writeln!(
            out,
            "  prefixes     {stable} of {continued} continued requests begin byte for byte as before ({share:.0} %)"
        )?;
        writeln!(
            out,
            "  late         {late} texts took longer than engine.time_budget_ms; live they go on as they are"
        )?;
    }
    writeln!(
        out,
        "  time         {:.0} ms for 1000 tokens, {} of {} texts known before",
        report.ms_per_1000(),
        report.known,
        total.texts
    )?;
    let [kept, rewritten, dropped] = report.units;
    writeln!(out, "  units        {kept} kept, {rewritten} rewritten, {dropped} dropped")?;
    writeln!(out, "  guard        {}", listed("no unit put back", "units put back: ", &report.refused))?;
    match report.checked {
        0 => writeln!(out, "  fidelity     not checked")?,
        checked => {
            let Report { flagged, flagged_units, .. } = report;
            writeln!(out, "  fidelity     {flagged} of {checked} texts flagged, {flagged_units} units to put back")?;
        }
    }
    writeln!(out, "  left alone   {}", listed("no text", "texts: ", &report.unchanged))?;
    writeln!(out, "               {}", listed("no request", "requests: ", &report.passed))?;
    writeln!(
        out,
        "\n  {:<6} {:<12} {:>7} {:>10} {:>10} {:>10} {:>8}",
        "role", "kind", "texts", "condensed", "before", "after", "saved"
    )?;
    for (role, kinds) in &report.groups {
        for (kind, sums) in kinds {
            row(out, role, kind, sums)?;
        }
    }
    row(out, "all", "", &total)
}

fn row(out: &mut impl Write, role: &str, kind: &str, sums: &Sums) -> io::Result<()> {
    let Sums { texts, condensed, tokens_before, tokens_after } = sums;
    let saved = sums.saved();
    writeln!(
        out,
        "  {role:<6} {kind:<12} {texts:>7} {condensed:>10} {tokens_before:>10} {tokens_after:>10} {saved:>6.1} %"
    )
}

/// What is saved at a price for a million prompt tokens.
fn money(out: &mut impl Write, report: &Report, replay: Option<&Replay>, price: Option<f64>) -> io::Result<()> {
    let Some(price) = price else { return Ok(()) };
    let total = report.total();
    let cost = |tokens: f64| tokens * price / 1e6;
    let saved = cost(total.tokens_before.saturating_sub(total.tokens_after) as f64);
    writeln!(out, "  money        {saved:.4} at {price} for a million tokens")?;
    if let Some(replay) = replay {
        let (before, after) = replay.billed((total.tokens_before, total.tokens_after));
        let (saved, share) = (cost(before - after), replay.cached_price);
        writeln!(out, "               {saved:.4} where the provider caches prefixes at {share} of the price")?;
    }
    Ok(())
}

fn listed(none: &str, some: &str, counts: &BTreeMap<String, u64>) -> String {
    if counts.is_empty() {
        return none.to_owned();
    }
    let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    format!("{some}{}", counts.join(", "))
}
