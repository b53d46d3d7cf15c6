//! Logs, build and test output: a line for each template, with how often it came; what is rare or tells of trouble
//! goes last.
//!
//! A template is a line with its numbers and hexadecimal ids blanked, nothing else: a miner that also blanks words
//! (Drain and its like) saves little more and hides just those lines that differ from the rest in a single word.

mod line;

use std::collections::HashMap;

use super::{
    CountTokens, Decision, Redundancy, Relevance, Unit,
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
    let mut best: Option<(usize, Vec<Level>)> = None;
    for _ in 0..ATTEMPTS {
        let levels = choose(&log, &menus, room.saturating_sub(HEADING));
        let rendered = write(block, &log, &levels, heading(&log, &levels, budget.most()));
        let spent = tokens.count(&rendered.text);
        let first = best.is_none();
        let fits = spent <= budget.most();
        if fits || first {
            best = Some((spent, levels));
        }
        if !fits {
            room = room.saturating_sub(spent - budget.most());
        } else if budget.most() - spent <= budget.most() / 20 || !first {
            // Line breaks often cost nothing: what they leave over is used.
            break;
        } else {
            room += budget.most() - spent;
        }
    }
    let (_, mut levels) = best?;
    let forced = spare_trouble(&log, &menus, &mut levels, budget.most() * PAST_BUDGET / 10);
    let mut rendered = write(block, &log, &levels, heading(&log, &levels, budget.most()));
    for line in forced {
        if let Some(unit) = rendered.units.get_mut(line) {
            unit.reason = PAST.into();
        }
    }
    rendered.tokens = tokens.count(&rendered.text);
    Some(rendered)
}

/// Makes lines that tell of trouble, and what belongs to them, stand whole for so many tokens beyond the budget: the first
/// of each kind, failures before warnings before what belongs to them, cheap ones first, so that most of them can be read.
/// Returns which did not before.
fn spare_trouble(log: &Log<'_>, menus: &[Menu], levels: &mut [Level], extra: usize) -> Vec<usize> {
    let whole = LEVELS.len() - 1;
    let mut cut: Vec<((bool, bool), usize, usize)> = log
        .lines
        .iter()
        .zip(menus)
        .zip(levels.iter())
        .enumerate()
        .filter(|(_, ((line, _), level))| {
            line.says_something() && line.leads && **level < Level::Whole && (line.tells_of_trouble() || line.trails)
        })
        .map(|(at, ((line, menu), level))| {
            let paid = LEVELS.iter().position(|one| one == level).map_or(0, |place| menu.costs[place]);
            let only_warns = !line.tells_of_failure();
            ((!line.tells_of_trouble(), only_warns), menu.costs[whole].saturating_sub(paid), at)
        })
        .collect();
    cut.sort_unstable();
    let mut left = extra;
    let mut spared = Vec::new();
    for (_, cost, at) in cut {
        if cost > left {
            break;
        }
        left -= cost;
        levels[at] = Level::Whole;
        spared.push(at);
    }
    spared
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

/// The same for a line that tells of trouble: its numbers and names matter more than the next line's words.
const TROUBLED: [f32; 4] = [0.55, 0.65, 0.95, 1.0];

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

/// A step up from one level of a line to another.
struct Step {
    density: f32,
    line: usize,
    from: Level,
    to: Level,
    cost: usize,
}

/// The level of each line: the steps up that are worth most for their price come first.
fn choose(log: &Log<'_>, menus: &[Menu], budget: usize) -> Vec<Level> {
    let mut steps: Vec<Step> = log
        .lines
        .iter()
        .zip(menus)
        .enumerate()
        .filter(|(_, (line, _))| !line.is_blank())
        .flat_map(|(number, (line, menu))| steps(number, line, menu))
        .collect();
    steps.sort_by(|a, b| b.density.total_cmp(&a.density).then(a.line.cmp(&b.line)).then(a.to.cmp(&b.to)));
    let mut levels = vec![Level::Dropped; log.lines.len()];
    let mut left = budget;
    for step in steps {
        // A step from a level that had no room is no step.
        if step.cost <= left && levels.get(step.line) == Some(&step.from) {
            levels[step.line] = step.to;
            left -= step.cost;
        }
    }
    levels
}

/// The steps of a line, each worth less for its price than the one before: the upper hull of its levels.
fn steps(number: usize, line: &Line<'_>, menu: &Menu) -> Vec<Step> {
    let shares = if line.tells_of_trouble() { TROUBLED } else { SHARES };
    // A repeat, and what a line above it has begun, stands with its message or not at all.
    let first = if line.leads && !line.trails { 0 } else { 2 };
    let mut steps: Vec<Step> = Vec::new();
    let (mut at, mut paid, mut gained) = (Level::Dropped, 0, 0.0);
    let options: Vec<(Level, usize, f32)> =
        (first..LEVELS.len()).map(|level| (LEVELS[level], menu.costs[level], menu.worth * shares[level])).collect();
    loop {
        let density =
            |(_, cost, worth): &(Level, usize, f32)| (worth - gained) / (cost.saturating_sub(paid)).max(1) as f32;
        let open = options.iter().filter(|(level, ..)| *level > at);
        let Some(best) = open.max_by(|a, b| density(a).total_cmp(&density(b)).then(a.0.cmp(&b.0))) else { break };
        let cost = best.1.saturating_sub(paid);
        steps.push(Step { density: density(best), line: number, from: at, to: best.0, cost });
        (at, paid, gained) = (best.0, paid + cost, best.2);
    }
    steps
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
    let mut hidden: HashMap<String, (usize, Option<&str>)> = HashMap::new();
    for (line, level) in log.lines.iter().zip(levels) {
        if *level == Level::Dropped && !line.is_blank() {
            let (count, last) = hidden.entry(key(line)).or_default();
            *count += 1;
            *last = line.time();
        }
    }
    let mut text = heading.unwrap_or_default();
    let mut units = Vec::with_capacity(log.lines.len());
    let mut gap = 0;
    let mut shortened = |(line, level): (&Line<'_>, &Level)| -> (Option<String>, &'static str) {
        match level {
            Level::Dropped if line.is_blank() => (None, "blank"),
            Level::Dropped => (None, if line.leads { "says less for its tokens" } else { "told by a count" }),
            level => {
                let mut stands = line.at(*level, log);
                if let Some((more, last)) = hidden.remove(&key(line)) {
                    stands.push(' ');
                    stands.push_str(&marks::times(more + 1));
                    // Over what time trouble went on is worth its tokens.
                    let last = last.filter(|_| *level == Level::Whole && line.tells_of_trouble());
                    if let Some(last) = last.filter(|last| line.time() != Some(last)) {
                        stands.push_str(" until ");
                        stands.push_str(last);
                    }
                }
                (Some(stands), if log.worth(line) >= RARE { "rare, or tells of trouble" } else { "first of its kind" })
            }
        }
    };
    let mut written: Vec<(Option<String>, &str)> = log.lines.iter().zip(levels).map(&mut shortened).collect();
    join_equal(&mut written);
    for ((line, level), (stands, reason)) in log.lines.iter().zip(levels).zip(written) {
        let told = reason == JOINED || stands.is_none() && !line.leads && !line.is_blank();
        gap += usize::from(stands.is_none() && line.leads && !line.is_blank() && reason != JOINED);
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
            redundancy: Redundancy { structural: f32::from(u8::from(told)), ..Redundancy::default() },
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

/// Lines that read alike once they are shortened, one after the other: the first tells how many there are.
fn join_equal(written: &mut [(Option<String>, &'static str)]) {
    let mut first: Option<usize> = None;
    let mut counts: Vec<(usize, usize)> = Vec::new();
    for at in 0..written.len() {
        let Some(line) = written.get(at).and_then(|(line, _)| line.clone()) else { continue };
        let same = first
            .and_then(|first| written.get(first))
            .is_some_and(|(first, _)| first.as_ref() == Some(&line) && !line.contains('×'));
        match counts.last_mut().filter(|_| same) {
            Some((_, count)) => {
                *count += 1;
                if let Some(place) = written.get_mut(at) {
                    *place = (None, JOINED);
                }
            }
            None => {
                first = Some(at);
                counts.push((at, 1));
            }
        }
    }
    for (at, count) in counts.into_iter().filter(|(_, count)| *count > 1) {
        if let Some((Some(line), _)) = written.get_mut(at) {
            line.push(' ');
            line.push_str(&marks::times(count));
        }
    }
}

/// Why a line stands whole that the budget had no room for.
const PAST: &str = "tells of trouble: whole, whatever the budget";

/// Tenths of the budget that such lines may take beyond it.
const PAST_BUDGET: usize = 10;

/// Why a line is left out that reads like the one before it.
const JOINED: &str = "reads like the line before it";

/// From this worth on a line is kept before anything is told twice.
const RARE: f32 = 2.0;

/// Room for the heading and the last mark.
const HEADING: usize = 6;

/// Below so many tokens a mark is the one-token form.
const TIGHT: usize = 120;

/// How often the budget is corrected by what the joined text costs.
const ATTEMPTS: usize = 6;

#[cfg(test)]
mod tests;
