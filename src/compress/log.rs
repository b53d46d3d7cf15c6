//! Logs, build and test output: a line for each template, with how often it came; what is rare or tells of trouble
//! goes last.
//!
//! A template is a line with its numbers and hexadecimal ids blanked, nothing else: a miner that also blanks words
//! (Drain and its like) saves little more and hides just those lines that differ from the rest in a single word.

mod line;

use std::collections::HashMap;

use super::{
    CountTokens, Decision, Relevance, Unit,
    content::{Budget, Kind, Rendered},
    marks,
};
use line::{Line, Log};

/// Condenses a log.
pub(super) fn render(block: &str, ask: &Relevance, budget: Budget, tokens: &dyn CountTokens) -> Option<Rendered> {
    let log = Log::read(block);
    let folded = fold(&log);
    let lossless = write(block, &log, &folded, None);
    let spent = tokens.count(&lossless.text);
    if spent <= budget.most() {
        return Some(Rendered { tokens: spent, ..lossless });
    }
    let menus = menus(&log, ask, tokens);
    let mut room = budget.most();
    let mut best = None;
    for _ in 0..ATTEMPTS {
        let levels = choose(&log, &menus, room.saturating_sub(HEADING));
        let rendered = write(block, &log, &levels, heading(&log, &levels, budget.most()));
        let spent = tokens.count(&rendered.text);
        if spent <= budget.most() {
            // Line breaks often cost nothing: what they leave over is used.
            if budget.most() - spent <= budget.most() / 20 || best.is_some() {
                return Some(Rendered { tokens: spent, ..rendered });
            }
            room += budget.most() - spent;
        } else {
            room = room.saturating_sub(spent - budget.most());
        }
        if spent <= budget.most() || best.is_none() {
            best = Some(Rendered { tokens: spent, ..rendered });
        }
    }
    best
}

/// How much of a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Dropped,
    /// The three words that tell it from the others.
    Signature,
    /// Twice as many, with what tells of trouble.
    Words,
    /// Without the columns before the message.
    Message,
    Whole,
}

const LEVELS: [Level; 4] = [Level::Signature, Level::Words, Level::Message, Level::Whole];

/// What a line is worth at each level, as a share of its whole worth.
const SHARES: [f32; 4] = [0.7, 0.8, 0.95, 1.0];

/// Lines whose messages came before are told by a count there.
fn fold(log: &Log<'_>) -> Vec<Level> {
    let mut seen = std::collections::HashSet::new();
    log.lines
        .iter()
        .map(|line| if line.is_blank() || seen.insert(line.message()) { Level::Whole } else { Level::Dropped })
        .collect()
}

/// A line's worth and what each level costs.
struct Menu {
    worth: f32,
    costs: [usize; 4],
}

fn menus(log: &Log<'_>, ask: &Relevance, tokens: &dyn CountTokens) -> Vec<Menu> {
    let texts: Vec<&str> = log.lines.iter().map(|line| line.text).collect();
    let ranks = ask.rank(&texts);
    let most = ranks.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    log.lines
        .iter()
        .zip(ranks)
        .map(|(line, rank)| {
            let costs = LEVELS.map(|level| tokens.count(&line.at(level, log)) + 1);
            Menu { worth: log.worth(line) * (1.0 + rank / most), costs }
        })
        .collect()
}

/// The level of each line: the steps up that are worth most for their price come first.
fn choose(log: &Log<'_>, menus: &[Menu], budget: usize) -> Vec<Level> {
    let mut steps = Vec::new();
    for (number, (menu, line)) in menus.iter().zip(&log.lines).enumerate() {
        if line.is_blank() {
            continue;
        }
        let (mut paid, mut gained) = (0, 0.0);
        for (level, share) in LEVELS.iter().zip(SHARES).enumerate().map(|(place, (_, share))| (place, share)) {
            let cost = menu.costs[level];
            // A repeat stands with its message or not at all; a step that costs nothing is taken with the one before.
            if cost < paid || (!line.leads && level < 2) {
                continue;
            }
            let worth = menu.worth * share;
            let density = (worth - gained) / (cost - paid).max(1) as f32;
            steps.push((density, number, level, cost - paid));
            (paid, gained) = (cost, worth);
        }
    }
    steps.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.2.cmp(&b.2)).then(a.1.cmp(&b.1)));
    let mut levels = vec![Level::Dropped; log.lines.len()];
    let mut left = budget;
    for (_, number, level, cost) in steps {
        if cost > left {
            continue;
        }
        // A step up from a level that had no room is no step.
        let below = if level == 0 { Level::Dropped } else { LEVELS[level - 1] };
        if levels[number] < below && (log.lines[number].leads || levels[number] != Level::Dropped || level != 2) {
            continue;
        }
        levels[number] = LEVELS[level];
        left -= cost;
    }
    levels
}

/// What the reader must know: how many lines there were, and that lines are cut.
fn heading(log: &Log<'_>, levels: &[Level], budget: usize) -> Option<String> {
    let cut = levels.iter().any(|level| matches!(level, Level::Signature | Level::Words));
    if !cut {
        return None;
    }
    let lines = log.lines.iter().filter(|line| !line.is_blank()).count();
    Some(if budget < TIGHT { marks::GAP.into() } else { marks::left_out(lines, "lines, cut to telling words") })
}

/// The log at these levels; a line that stands for others says how many.
fn write(block: &str, log: &Log<'_>, levels: &[Level], heading: Option<String>) -> Rendered {
    let lossless = heading.is_none() && levels.iter().all(|level| matches!(level, Level::Whole | Level::Dropped));
    // A lossless fold joins equal messages; a cut one joins whatever has one template.
    let key = |line: &Line<'_>| if lossless && line.folds { line.message().to_owned() } else { line.form.clone() };
    let mut hidden: HashMap<String, usize> = HashMap::new();
    for (line, level) in log.lines.iter().zip(levels) {
        if *level == Level::Dropped && !line.is_blank() {
            *hidden.entry(key(line)).or_default() += 1;
        }
    }
    let mut text = heading.unwrap_or_default();
    let mut units = Vec::with_capacity(log.lines.len());
    let mut gap = 0;
    for (line, level) in log.lines.iter().zip(levels) {
        let (stands, reason) = match level {
            Level::Dropped if line.is_blank() => (None, "blank"),
            Level::Dropped => (None, if line.leads { "says less for its tokens" } else { "told by a count" }),
            level => {
                let mut stands = line.at(*level, log);
                if let Some(more) = hidden.remove(&key(line)) {
                    stands.push(' ');
                    stands.push_str(&marks::times(more + 1));
                }
                (Some(stands), if log.worth(line) >= RARE { "rare, or tells of trouble" } else { "first of its kind" })
            }
        };
        gap += usize::from(stands.is_none() && line.leads && !line.is_blank());
        if let Some(stands) = &stands {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(stands);
        }
        let decision = match (&stands, level) {
            (None, _) => Decision::Dropped,
            (Some(stands), Level::Whole) if stands == line.text => Decision::Kept,
            _ => Decision::Rewritten,
        };
        units.push(Unit {
            span: line.span.clone(),
            kind: Kind::Log.as_str(),
            score: (log.worth(line) / 3.0).min(1.0),
            decision,
            reason: reason.into(),
            text: stands,
        });
    }
    if gap > 0 {
        text.push('\n');
        text.push_str(&if gap > 9 { marks::left_out(gap, "more") } else { marks::GAP.into() });
    }
    let end = block.get(block.trim_end().len()..).unwrap_or_default();
    text.push_str(end);
    Rendered { text, tokens: 0, units }
}

/// From this worth on a line is kept before anything is told twice.
const RARE: f32 = 2.0;

/// Room for the heading and the last mark.
const HEADING: usize = 6;

/// Below so many tokens a mark is the one-token form.
const TIGHT: usize = 120;

/// How often the budget is corrected by what the joined text costs.
const ATTEMPTS: usize = 6;
