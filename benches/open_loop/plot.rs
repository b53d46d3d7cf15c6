//! Curves, as SVG.

use std::{fmt::Write as _, fs, path::Path};

/// A panel with some curves.
#[derive(Debug, Default)]
pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) across: String,
    pub(crate) up: String,
    /// Whether values go up by powers of ten.
    pub(crate) log: bool,
    pub(crate) curves: Vec<(String, Vec<(f64, f64)>)>,
    /// What stands below the axis in place of numbers.
    pub(crate) marks: Vec<(f64, String)>,
}

const COLOURS: [&str; 6] = ["#777777", "#1b9e77", "#d95f02", "#7570b3", "#e7298a", "#66a61e"];
const WIDE: f64 = 420.0;
const HIGH: f64 = 260.0;
const LEFT: f64 = 62.0;
const TOP: f64 = 34.0;
const RIGHT: f64 = 14.0;
const BELOW: f64 = 40.0;

/// Writes panels, two in a row.
pub(crate) fn write(path: &Path, panels: &[Panel]) {
    let rows = panels.len().div_ceil(2);
    let (width, height) = (WIDE * 2.0, HIGH * rows as f64);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"10\">\
         <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n"
    );
    for (at, panel) in panels.iter().enumerate() {
        let _ = write!(svg, "<g transform=\"translate({} {})\">", (at % 2) as f64 * WIDE, (at / 2) as f64 * HIGH);
        draw(&mut svg, panel);
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    fs::write(path, svg).unwrap();
}

fn draw(svg: &mut String, panel: &Panel) {
    let points = || panel.curves.iter().flat_map(|(_, points)| points.iter().copied());
    let span = |values: &mut dyn Iterator<Item = f64>| {
        values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)))
    };
    let (from, to) = span(&mut points().map(|(x, _)| x));
    let (low, high) = span(&mut points().map(|(_, y)| y));
    if from > to {
        return;
    }
    let scale = |y: f64| if panel.log { y.max(1e-3).log10() } else { y };
    let (bottom, top) = match panel.log {
        true => (scale(low).floor(), scale(high).ceil()),
        false => (0.0, high * 1.1),
    };
    let x = |value: f64| LEFT + (value - from) / (to - from).max(1e-9) * (WIDE - LEFT - RIGHT);
    let y = |value: f64| HIGH - BELOW - (scale(value) - bottom) / (top - bottom).max(1e-9) * (HIGH - TOP - BELOW);
    let _ = write!(svg, "<text x=\"{LEFT}\" y=\"14\" font-weight=\"bold\">{}</text>", panel.title);
    let _ = write!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
        (LEFT + WIDE) / 2.0,
        HIGH - 8.0,
        panel.across
    );
    let _ = write!(
        svg,
        "<text transform=\"translate(12 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
        HIGH / 2.0,
        panel.up
    );
    let steps = if panel.log { (top - bottom) as usize } else { 4 };
    for step in 0..=steps {
        let at = bottom + (top - bottom) * step as f64 / steps.max(1) as f64;
        let value = if panel.log { 10_f64.powf(at) } else { at };
        let told = if value >= 10.0 || value == 0.0 { format!("{value:.0}") } else { format!("{value}") };
        let _ = write!(
            svg,
            "<path d=\"M{LEFT} {0}H{1}\" stroke=\"#dddddd\"/><text x=\"{2}\" y=\"{3}\" text-anchor=\"end\">{told}</text>",
            y(value),
            WIDE - RIGHT,
            LEFT - 4.0,
            y(value) + 3.0
        );
    }
    let numbers =
        (0..=4).map(|step| from + (to - from) * f64::from(step) / 4.0).map(|at| (at, format!("{at:.0}"))).collect();
    let marks = if panel.marks.is_empty() { &numbers } else { &panel.marks };
    for (at, told) in marks.iter().filter(|(at, _)| (from..=to).contains(at)) {
        let _ =
            write!(svg, "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{told}</text>", x(*at), HIGH - BELOW + 14.0);
    }
    let mut legend = LEFT;
    for ((name, points), colour) in panel.curves.iter().zip(COLOURS.iter().cycle()) {
        let line: Vec<String> = points.iter().map(|(at, value)| format!("{:.1},{:.1}", x(*at), y(*value))).collect();
        let _ = write!(
            svg,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" points=\"{}\"/>",
            line.join(" ")
        );
        let _ = write!(svg, "<text x=\"{legend}\" y=\"27\" fill=\"{colour}\">{name}</text>");
        legend += 12.0 + 6.0 * name.len() as f64;
    }
}
