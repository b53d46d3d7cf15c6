//! What may be asserted of a text. Each gives its complaints: none where it holds.

use std::{
    io::Write as _,
    ops::Range,
    process::{Command, Stdio},
    sync::LazyLock,
};

use fancy_regex::Regex;
use headroom::compress::{CountTokens as _, Encoding};
use serde_json::Value;

use crate::{
    case::{Case, word},
    lines,
    pattern::{back, excerpt, forth, is_mark, places, stands},
};

pub(crate) const NAMES: [&str; 15] = [
    "keeps",
    "keeps_any",
    "keeps_share",
    "lacks",
    "together",
    "under",
    "pairs",
    "verbatim_lines",
    "parses",
    "exact",
    "marked",
    "true_counts",
    "order",
    "max_share",
    "min_share",
];

/// What an assertion has against a text.
pub(crate) fn complaints(name: &str, spec: &Value, output: &str, case: &Case, ratio: &str) -> Vec<String> {
    let source = case.source.as_str();
    match name {
        "keeps" => {
            strings(spec).filter(|text| !output.contains(*text)).map(|text| format!("{text:?} is not there")).collect()
        }
        "keeps_any" => keeps_any(spec, output),
        "keeps_share" => keeps_share(spec, output, ratio),
        "lacks" => lacks(spec, output),
        "together" => spec.as_array().unwrap().iter().filter_map(|rule| together(rule, output)).collect(),
        "under" => under(spec, output),
        "pairs" => pairs(spec, output),
        "verbatim_lines" => lines::verbatim(spec, output, source),
        "parses" => parses(spec, output),
        "exact" => (output != source).then(|| "differs from the source".to_owned()).into_iter().collect(),
        "marked" => lines::marked(spec, output, source),
        "true_counts" => lines::true_counts(spec, output, source),
        "order" => order(spec, output),
        "max_share" => share(spec, ratio, output, source, |have, limit| have > limit),
        "min_share" => share(spec, ratio, output, source, |have, limit| have < limit),
        _ => unreachable!("{name}"),
    }
}

fn strings(spec: &Value) -> impl Iterator<Item = &str> {
    spec.as_array().unwrap().iter().map(|text| text.as_str().unwrap())
}

fn keeps_any(spec: &Value, output: &str) -> Vec<String> {
    let groups = spec.as_array().unwrap();
    let none = |group: &Value| !strings(group).any(|text| stands(text, output));
    let told = |group: &Value| format!("none of {group} is there");
    if groups[0].is_array() {
        groups.iter().filter(|group| none(group)).map(told).collect()
    } else {
        none(spec).then(|| told(spec)).into_iter().collect()
    }
}

fn keeps_share(spec: &Value, output: &str, ratio: &str) -> Vec<String> {
    let of: Vec<&str> = strings(&spec["of"]).collect();
    let have = of.iter().filter(|text| stands(text, output)).count() as f64 / of.len() as f64;
    let least = spec["least"].get(ratio).and_then(Value::as_f64).unwrap_or(0.0);
    (have < least)
        .then(|| format!("{have:.2} of {} statements are left, wanted {least}", of.len()))
        .into_iter()
        .collect()
}

fn lacks(spec: &Value, output: &str) -> Vec<String> {
    let there =
        |text: &str| places(text, output).first().map(|at| format!("{text:?} is there: {:?}", excerpt(output, at)));
    strings(spec).filter_map(there).collect()
}

/// Wherever `if` stands, all of `then` stands near: in so many characters (of one `side`), its `sentence`, its line.
fn together(rule: &Value, output: &str) -> Option<String> {
    let condition = rule["if"].as_str().unwrap();
    let needs: Vec<&str> = rule["then"].as_str().map_or_else(|| strings(&rule["then"]).collect(), |then| vec![then]);
    let within = rule.get("within").map_or(Some(120), |within| within.as_u64().map(|within| within as usize));
    for found in places(condition, output) {
        let (mut start, mut end) = match within {
            None => line(output, &found),
            Some(characters) => (back(output, found.start, characters), forth(output, found.end, characters)),
        };
        if rule["sentence"] == true {
            let (first, last) = sentence(output, &found);
            (start, end) = (start.max(first), end.min(last));
        }
        match rule["side"].as_str() {
            Some("after") => start = found.end,
            Some("before") => end = found.start,
            _ => {}
        }
        let near = output.get(start..end.max(start)).unwrap_or_default();
        if let Some(missing) = needs.iter().find(|need| !stands(need, near)) {
            return Some(format!("{condition:?} stands without {missing:?}: {:?}", excerpt(output, &found)));
        }
    }
    None
}

fn line(text: &str, at: &Range<usize>) -> (usize, usize) {
    let start = text[..at.start].rfind('\n').map_or(0, |at| at + 1);
    (start, text[at.end..].find('\n').map_or(text.len(), |more| at.end + more))
}

static SENTENCE_END: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"[.!?。！？](?=[\s"'”»)\]]|$)|\n"#).unwrap());

fn sentence(text: &str, at: &Range<usize>) -> (usize, usize) {
    let from = back(text, at.start, 2000);
    let before = SENTENCE_END.find_iter(&text[from..at.start]).last();
    let after = SENTENCE_END.find(&text[at.end..]).unwrap();
    (before.map_or(0, |end| from + end.unwrap().end()), after.map_or(text.len(), |end| at.end + end.start()))
}

/// Each fact that stands has its own head as the nearest head before it. A row: head, facts.
fn under(spec: &Value, output: &str) -> Vec<String> {
    let rows: Vec<Vec<&str>> = spec.as_array().unwrap().iter().map(|row| strings(row).collect()).collect();
    let mut heads: Vec<(usize, &str)> =
        rows.iter().flat_map(|row| places(row[0], output).into_iter().map(|at| (at.start, row[0]))).collect();
    heads.sort_unstable();
    let mut complaints = Vec::new();
    for row in &rows {
        for fact in &row[1..] {
            for found in places(fact, output) {
                let above = heads.iter().rfind(|(at, _)| *at <= found.start).map(|(_, head)| *head);
                if above != Some(row[0]) {
                    let told = excerpt(output, &found);
                    complaints
                        .push(format!("{fact:?} belongs under {:?} and stands under {above:?}: {told:?}", row[0]));
                    break;
                }
            }
        }
    }
    complaints
}

/// Each name that stands has its own values in its line (or within so many characters), before another name.
fn pairs(spec: &Value, output: &str) -> Vec<String> {
    let rows = spec.get("rows").unwrap_or(spec).as_array().unwrap();
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.as_array().unwrap().iter().map(word).collect()).collect();
    let within = spec.get("within").and_then(Value::as_u64).map(|within| within as usize);
    let names: Vec<(Range<usize>, &str)> =
        rows.iter().flat_map(|row| places(&row[0], output).into_iter().map(|at| (at, row[0].as_str()))).collect();
    let mut complaints = Vec::new();
    for row in &rows {
        for (found, name) in names.iter().filter(|(_, name)| *name == row[0]) {
            let (mut left, mut right) = match within {
                None => line(output, found),
                Some(characters) => (back(output, found.start, characters), forth(output, found.end, characters)),
            };
            for (other, _) in names.iter().filter(|(_, other)| other != name) {
                left = if other.end <= found.start { left.max(other.end) } else { left };
                right = if other.start >= found.end { right.min(other.start) } else { right };
            }
            let near = output.get(left..right.max(left)).unwrap_or_default();
            if let Some(value) = row[1..].iter().find(|value| !stands(value, near)) {
                complaints.push(format!("{name:?} stands without its {value:?}: {:?}", excerpt(output, found)));
                break;
            }
        }
    }
    complaints
}

/// What is left parses: the whole text without its marks, or what stands between two strings.
fn parses(spec: &Value, output: &str) -> Vec<String> {
    let how = spec.as_str().unwrap_or_else(|| spec["as"].as_str().unwrap());
    let part = |name: &str| spec.get(name).and_then(Value::as_str);
    let mut text = output;
    if let Some(after) = part("after") {
        let Some((_, rest)) = text.split_once(after) else { return Vec::new() };
        text = rest;
    }
    text = part("before").and_then(|before| text.split_once(before)).map_or(text, |(text, _)| text);
    let kept: Vec<&str> = lines::lines(text).into_iter().filter(|line| !is_mark(line)).collect();
    let block = kept.join("\n");
    if block.trim().is_empty() {
        return Vec::new();
    }
    let error = match how {
        "json" => serde_json::from_str::<Value>(&block).err().map(|error| error.to_string()),
        "toml" => toml::from_str::<toml::Table>(&block).err().map(|error| error.to_string()),
        "yaml" => serde_saphyr::from_multiple::<Value>(&block).err().map(|error| error.to_string()),
        "python" => python("import ast, sys; ast.parse(sys.stdin.read())", &block),
        "xml" => python("import sys, xml.etree.ElementTree as e; e.fromstring(sys.stdin.read())", &block),
        _ => unreachable!("{how}"),
    };
    error.map(|error| format!("is no {how} any more: {error}")).into_iter().collect()
}

/// What a line of Python says against a text.
fn python(program: &str, text: &str) -> Option<String> {
    let pipe = Stdio::piped;
    let child = Command::new("python3").args(["-c", program]).stdin(pipe()).stderr(pipe()).spawn();
    let mut child = child.expect("python3 is needed to parse Python and XML");
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned();
    (!output.status.success()).then_some(told)
}

fn order(spec: &Value, output: &str) -> Vec<String> {
    let places: Vec<(usize, &str)> = strings(spec).filter_map(|text| Some((output.find(text)?, text))).collect();
    let turned = |pair: &&[(usize, &str)]| pair[1].0 < pair[0].0;
    places.windows(2).filter(turned).map(|pair| format!("{:?} stands before {:?}", pair[1].1, pair[0].1)).collect()
}

fn share(spec: &Value, ratio: &str, output: &str, source: &str, wrong: fn(f64, f64) -> bool) -> Vec<String> {
    let have = Encoding::O200k.count(output) as f64 / Encoding::O200k.count(source) as f64;
    let limit = spec.get(ratio).and_then(Value::as_f64);
    let broken = limit.filter(|limit| wrong(have, *limit));
    broken.map(|limit| format!("{have:.2} of the tokens are left, the limit is {limit}")).into_iter().collect()
}
