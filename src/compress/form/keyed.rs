//! Settings: `key: value` and `key = value` lines, nested by indentation or under `[sections]` (YAML, ini files, headers).
//!
//! A value says nothing without what it stands under, so a line that stays brings the lines above it that it belongs to,
//! and every line stands as it stood. Where nothing is asked nothing is left out: no line says less than another.

use super::{
    CountTokens, Decision, Redundancy, Relevance, Unit, code,
    content::{Budget, Kind, Rendered},
    marks,
};

/// Condenses settings to the lines that the query asks for, if they don't fit the budget.
pub(super) fn render(block: &str, ask: &Relevance, budget: Budget, tokens: &dyn CountTokens) -> Option<Rendered> {
    if ask.is_empty() || tokens.count(block) <= budget.most() {
        return code::render(block, Kind::KeyValue, tokens);
    }
    let lines = read(block);
    let kept = within(&lines, ask, budget.most(), tokens);
    Some(write(block, &lines, &kept, budget.most(), tokens))
}

struct Line<'a> {
    /// With its line break.
    whole: &'a str,
    /// Where its content begins; a section's keys and a list's items stand one deeper than they seem to.
    depth: usize,
    /// The line that it stands under.
    parent: Option<usize>,
}

impl Line<'_> {
    fn is_blank(&self) -> bool {
        self.whole.trim().is_empty()
    }
}

fn read(block: &str) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut in_section = false;
    for whole in block.split_inclusive('\n') {
        let content = whole.trim();
        if content.is_empty() {
            lines.push(Line { whole, depth: 0, parent: None });
            continue;
        }
        let section = content.starts_with('[') && content.ends_with(']');
        in_section |= section;
        // An item of a list may stand right below the key that it belongs to.
        let deeper = usize::from(in_section && !section) + usize::from(content.starts_with("- "));
        let depth = whole.len() - whole.trim_start().len() + deeper;
        let depth_of = |line: &usize| lines.get(*line).map_or(0, |line| line.depth);
        while open.last().is_some_and(|last| depth_of(last) >= depth) {
            open.pop();
        }
        let parent = open.last().copied();
        open.push(lines.len());
        lines.push(Line { whole, depth, parent });
    }
    lines
}

/// The lines that stay: those that are asked for, each with what it stands under.
fn within(lines: &[Line<'_>], ask: &Relevance, budget: usize, tokens: &dyn CountTokens) -> Vec<bool> {
    let price: Vec<usize> = lines.iter().map(|line| tokens.count(line.whole)).collect();
    let mut order: Vec<(usize, f32)> = scores(lines, ask).into_iter().enumerate().collect();
    order.retain(|(number, _)| lines.get(*number).is_some_and(|line| !line.is_blank()));
    order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut kept = vec![false; lines.len()];
    let mut left = budget.saturating_sub(marks::LINES);
    for (number, _) in order {
        let mut chain = Vec::new();
        let mut at = Some(number);
        while let Some(line) = at.filter(|line| kept.get(*line) == Some(&false)) {
            chain.push(line);
            at = lines.get(line).and_then(|line| line.parent);
        }
        let cost: usize = chain.iter().filter_map(|line| price.get(*line)).sum();
        if cost <= left {
            left -= cost;
            chain.into_iter().for_each(|line| kept[line] = true);
        }
    }
    kept
}

/// How much each line has to do with what is asked: half by its own words, half by those that it stands under and by the
/// first lines there, which often name the whole.
fn scores(lines: &[Line<'_>], ask: &Relevance) -> Vec<f32> {
    let own: Vec<&str> = lines.iter().map(|line| line.whole.trim()).collect();
    let paths: Vec<String> = lines
        .iter()
        .map(|line| {
            let mut path = line.whole.trim().to_owned();
            let mut at = line.parent;
            while let Some(parent) = at.and_then(|parent| lines.get(parent)).filter(|_| path.len() < LONGEST_PATH) {
                path.push(' ');
                path.push_str(parent.whole.trim());
                at = parent.parent;
            }
            path
        })
        .collect();
    let normal = |ranks: Vec<f32>| -> Vec<f32> {
        let most = ranks.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        ranks.into_iter().map(|rank| rank / most).collect()
    };
    let paths = normal(ask.rank(&paths.iter().map(String::as_str).collect::<Vec<_>>()));
    normal(ask.rank(&own)).into_iter().zip(paths).map(|(own, path)| own + 2.0 * path).collect()
}

fn write(block: &str, lines: &[Line<'_>], kept: &[bool], budget: usize, tokens: &dyn CountTokens) -> Rendered {
    let mut text = String::new();
    let mut units = Vec::with_capacity(lines.len());
    let (mut at, mut missing) = (0, 0);
    for (line, kept) in lines.iter().zip(kept) {
        let (decision, reason) = match (*kept, line.is_blank()) {
            (true, _) => (Decision::Kept, "asked for, or what that stands under"),
            (_, true) => (Decision::Dropped, "blank"),
            _ => (Decision::Dropped, "other lines are asked for"),
        };
        missing += usize::from(decision == Decision::Dropped && !line.is_blank());
        if *kept {
            text.push_str(line.whole);
            if !line.whole.ends_with('\n') {
                text.push('\n');
            }
        }
        units.push(Unit {
            span: at..at + line.whole.len(),
            kind: Kind::KeyValue.as_str(),
            score: f32::from(u8::from(*kept)),
            redundancy: Redundancy::default(),
            decision,
            reason: reason.into(),
            text: kept.then(|| line.whole.to_owned()),
        });
        at += line.whole.len();
    }
    let text = marks::closed(text, block, missing, budget);
    Rendered { tokens: tokens.count(&text), text, units }
}

/// Bytes of what a line stands under that count.
const LONGEST_PATH: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::{Encoding, Query, content};

    fn within(text: &str, question: &str, budget: usize) -> Rendered {
        let ask = Relevance::new(&Query { preceding: question.into(), ..Query::default() }, None);
        let blocks = content::blocks(text);
        assert_eq!(blocks.iter().map(|block| block.kind).collect::<Vec<_>>(), [Kind::KeyValue], "{blocks:?}");
        content::render(text, Kind::KeyValue, &ask, Budget::Tokens(budget), &Encoding::O200k)
    }

    fn deployment() -> String {
        let worker = |n: usize| {
            format!(
                "      - name: worker-{n}\n        image: registry.local/worker:{n}.2.1\n        resources:\n          limits:\n            \
                 cpu: {n}00m\n            memory: {n}28Mi\n          requests:\n            cpu: 50m\n            memory: 64Mi\n"
            )
        };
        let workers: String = (1..13).map(worker).collect();
        format!(
            "kind: Deployment\nmetadata:\n  name: billing\nspec:\n  template:\n    spec:\n      containers:\n{workers}"
        )
    }

    #[test]
    fn a_value_stands_under_what_it_belongs_to() {
        let text = deployment();
        let short = within(&text, "What is the memory limit of worker-7?", 80).text;
        let wanted = "      - name: worker-7\n        resources:\n          limits:\n            memory: 728Mi\n";
        assert!(short.contains("      containers:\n"), "{short}");
        assert!(short.replace("            cpu: 700m\n", "").contains(wanted), "{short}");
        assert!(short.trim_end().ends_with(']') && Encoding::O200k.count(&short) <= 80, "{short}");
    }

    #[test]
    fn a_key_stands_under_its_section() {
        let features: String = (0..40).map(|n| format!("[feature.{n}]\nenabled = true\nrollout = {n}\n\n")).collect();
        let text = format!("[database]\npool_size = 20\ntimeout = 30\n\n{features}");
        let rendered = within(&text, "What is the pool size of the database?", 40);
        assert!(rendered.text.starts_with("[database]\npool_size = 20\n"), "{}", rendered.text);
        let spans: String = rendered.units.iter().filter_map(|unit| text.get(unit.span.clone())).collect();
        assert_eq!(spans, text);
    }

    #[test]
    fn settings_of_which_nothing_is_asked_stay_whole() {
        let text = deployment();
        assert_eq!(within(&text, "", 40).text, text);
    }
}
