//! Lines that are equal but for their time, wherever they stand: the first tells the times of all.
//!
//! Only without a budget: under one, lines that repeat are worth little and go by themselves. The order of events can be
//! read off, since each time is there.

use std::collections::HashMap;

use super::{
    fold::{since, time},
    line::Line,
};
use crate::compress::{
    bond::Bond,
    form::trace::{Role, Structure},
    mark,
};

/// What stands for the lines that are told together, by line: the first with all times, nothing for the others.
pub(super) fn repeats(lines: &[Line<'_>], structure: &Structure) -> HashMap<usize, String> {
    let mut tied = vec![false; lines.len()];
    for bond in &structure.bonds {
        let (Bond::Needs { item, of } | Bond::Together(item, of)) = *bond;
        for at in [item, of] {
            if let Some(tied) = tied.get_mut(at) {
                *tied = true;
            }
        }
    }
    let mut groups: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
    for (at, line) in lines.iter().enumerate() {
        let (shown, plain) = (line.shown.as_ref(), structure.roles.get(at) == Some(&Role::Plain));
        let span = time(shown);
        if span.is_empty() || !plain || tied.get(at) == Some(&true) {
            continue;
        }
        let around = (shown.get(..span.start).unwrap_or_default(), shown.get(span.end..).unwrap_or_default());
        groups.entry(around).or_default().push(at);
    }
    let mut told = HashMap::new();
    for members in groups.into_values().filter(|members| members.len() > 1 && !adjacent(members)) {
        let Some((first, rest)) = members.split_first() else { continue };
        let Some(line) = lines.get(*first) else { continue };
        let when = |at: &usize| lines.get(*at).and_then(|line| line.shown.get(time(&line.shown))).unwrap_or_default();
        let own = when(first);
        let times: Vec<&str> = rest.iter().map(|at| since(own, when(at))).collect();
        let Some((last, between)) = times.split_last() else { continue };
        let mut text = format!("{} {} until {last}", line.shown.trim_end(), mark::times(members.len()));
        if !between.is_empty() {
            text.push_str(", also ");
            text.push_str(&between.join(", "));
        }
        if line.written().ends_with('\n') {
            text.push('\n');
        }
        told.insert(*first, text);
        told.extend(rest.iter().map(|at| (*at, String::new())));
    }
    told
}

/// Lines one after the other are a run, which tells its span of time where that is regular.
fn adjacent(members: &[usize]) -> bool {
    members.windows(2).all(|pair| matches!(pair, [one, next] if one + 1 == *next))
}
