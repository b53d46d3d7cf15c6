//! The report for people.

use std::io::{self, Write};

use headroom::{
    audit::percent,
    ledger::{Change, Comparison, Report, Sums},
};

pub(super) fn print(out: &mut impl Write, report: &Report) -> io::Result<()> {
    if report.total.requests == 0 {
        return writeln!(out, "no request in this time");
    }
    let heads: Vec<&str> = report.by.iter().map(|by| by.as_str()).collect();
    let columns = if report.of_texts { TEXTS } else { REQUESTS };
    let mut lines = vec![heads.iter().chain(columns).map(|head| (*head).to_owned()).collect::<Vec<_>>()];
    let cells = |sums: &Sums| if report.of_texts { of_texts(sums) } else { of_requests(sums) };
    for row in &report.rows {
        let of = row.of.iter().map(|word| if word.is_empty() { "-".to_owned() } else { word.clone() });
        lines.push(of.chain(cells(row)).collect());
    }
    if report.rows.len() > 1 {
        let blank = heads.iter().enumerate().map(|(at, _)| if at == 0 { "all".to_owned() } else { String::new() });
        lines.push(blank.chain(cells(&report.total)).collect());
    }
    aligned(out, &lines, heads.len())?;
    notes(out, report)?;
    report.comparison.as_ref().map_or(Ok(()), |comparison| compared(out, comparison))
}

const REQUESTS: &[&str] = &["requests", "prompt", "cached", "answer", "texts from", "to", "paid $", "saved $", "saved"];
const TEXTS: &[&str] = &["texts", "condensed", "texts from", "to", "less", "saved $"];

fn of_requests(sums: &Sums) -> Vec<String> {
    let money = sums.priced > 0;
    vec![
        sums.requests.to_string(),
        sums.prompt.to_string(),
        format!("{:.0} %", percent(sums.cached, sums.prompt)),
        sums.completion.to_string(),
        sums.before.to_string(),
        sums.after.to_string(),
        if money { dollars(sums.paid_nano) } else { "-".to_owned() },
        if money { dollars(sums.net_nano()) } else { "-".to_owned() },
        sums.saved_share().filter(|_| money).map_or_else(|| "-".to_owned(), |share| format!("{share:.1} %")),
    ]
}

fn of_texts(sums: &Sums) -> Vec<String> {
    vec![
        sums.texts.to_string(),
        sums.condensed.to_string(),
        sums.before.to_string(),
        sums.after.to_string(),
        format!("{:.1} %", percent(sums.before.saturating_sub(sums.after), sums.before)),
        dollars(sums.saved_nano),
    ]
}

fn dollars(nano: i64) -> String {
    format!("{:.4}", nano as f64 / 1e9)
}

/// Names to the left, figures to the right.
fn aligned(out: &mut impl Write, lines: &[Vec<String>], names: usize) -> io::Result<()> {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |at: usize| lines.iter().filter_map(|line| line.get(at)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|at| width(at).unwrap_or_default()).collect();
    for line in lines {
        let cells =
            line.iter().zip(&widths).enumerate().map(|(at, (cell, width))| {
                if at < names { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

/// What the figures do not say by themselves.
fn notes(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let Sums { requests, failed, told, priced, beyond, before, after, unpriced_prompt, .. } = &report.total;
    let Sums { reads, read_turns, read_nano, saved_nano, .. } = &report.total;
    writeln!(out)?;
    if let Some((date, own, source)) = &report.prices {
        let own = if *own > 0 { format!("{own} of your own, then ") } else { String::new() };
        writeln!(out, "prices     {own}list prices of {date} ({source})")?;
    }
    writeln!(
        out,
        "saved      net: each token left out at the price of its place, a cached read where that was cached"
    )?;
    if *failed > 0 {
        writeln!(out, "failed     {failed} of {requests} requests had an error or no answer")?;
    }
    if *reads > 0 {
        writeln!(
            out,
            "read again {reads} times originals were read by headroom_read, with {read_turns} requests for that alone; {} of the \
             {} $ that were saved went into it, which `saved` is without",
            dollars(*read_nano),
            dollars(*saved_nano)
        )?;
    }
    let silent = requests - told;
    if silent > 0 {
        writeln!(
            out,
            "not told   {silent} requests are counted without usage and money: their answers told none (chat streams tell it \
             with `stream_options.include_usage`)"
        )?;
    }
    let unpriced = told - priced;
    if unpriced > 0 {
        writeln!(
            out,
            "no price   {unpriced} requests with {unpriced_prompt} prompt tokens are of models without a price, or whose model was \
             not read (`-`); give them one in `[[ledger.prices]]`"
        )?;
    }
    let less = before.saturating_sub(*after);
    if less > 0 {
        writeln!(
            out,
            "meters     clients that go by `usage` saw {less} tokens less than they sent; they compact later by that much"
        )?;
    }
    if *beyond > 0 {
        writeln!(
            out,
            "context    {beyond} requests fit their model only because they were condensed: with the proxy off they would be \
             refused"
        )?;
    }
    Ok(())
}

fn compared(out: &mut impl Write, comparison: &Comparison) -> io::Result<()> {
    let Comparison { condensed, held_out, measures, words, .. } = comparison;
    writeln!(out, "\nholdout    {condensed} conversations condensed, {held_out} left alone")?;
    if !measures.is_empty() {
        writeln!(out)?;
        let heads = ["a conversation", "condensed", "left alone", "difference", "at least", "at most", ""];
        let mut lines = vec![heads.map(str::to_owned).to_vec()];
        for measure in measures {
            let (least, most) = measure.between;
            let figures = [measure.condensed, measure.held_out, measure.condensed - measure.held_out, least, most];
            let change = match measure.change {
                Change::None => "",
                Change::Better => "better",
                Change::Worse => "WORSE",
            };
            let name = std::iter::once(measure.name.replace('_', " "));
            lines.push(name.chain(figures.map(number)).chain([change.to_owned()]).collect());
        }
        aligned(out, &lines, 1)?;
        writeln!(out)?;
    }
    let mut heads = std::iter::once("verdict").chain(std::iter::repeat(""));
    words.iter().try_for_each(|line| writeln!(out, "{:<10} {line}", heads.next().unwrap_or_default()))
}

/// Four digits that count.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.3}"),
        _ => format!("{value:.5}"),
    }
}
