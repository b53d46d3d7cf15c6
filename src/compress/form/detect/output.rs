//! Whether a tool's result is what a program wrote while it ran: a log, a build, a test run, a trace.

use super::lines::{self, Look};
use crate::compress::{
    form::{
        listing,
        trace::{self, Role},
    },
    text::lexicon,
};

/// Whether a whole text is a program's output. Only a tool's result is asked about: in a message of a user's, prose
/// stands around what was pasted.
pub(super) fn is_output(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().collect();
    let filled = lines.iter().filter(|line| !line.trim().is_empty()).count();
    if filled < 3 || lines.iter().any(|line| line.starts_with("```")) || listing::is_tree(&lines) {
        return false;
    }
    // Nobody but a program that waits says the same again and again.
    let again = |two: &&[&str]| matches!(two, [one, next] if one == next && !one.trim().is_empty());
    if lines.windows(2).filter(again).count() * 2 >= filled {
        return true;
    }
    let looks = |wanted: Look| lines.iter().filter(|line| lines::look(line) == wanted && !is_field(line)).count();
    let (logged, traced) = (looks(Look::Log), looks(Look::Trace));
    // What a job says between its steps looks like nothing in particular, but in no sentences.
    let stated = lines.iter().filter(|line| line.ends_with(['.', '!', '?']) && !line.ends_with("..")).count();
    let share = if stated * 6 < filled { 4 } else { 2 };
    if (logged + traced) * share >= filled {
        return true;
    }
    let (told, whole) = told(&lines);
    whole && (told + logged) * 3 >= filled
}

/// The date of a record, `CommitDate: Thu Feb 12 08:10:19 2026`: it happened then, and nothing says so while it did.
fn is_field(line: &str) -> bool {
    let Some((key, value)) = line.split_once(':') else { return false };
    let named = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
    named && value.starts_with([' ', '\t']) && !lexicon::is_level(key) && lines::look(value) == Look::Log
}

/// How many lines are parts of traces or of compilers' messages, and whether one of them says where or why.
pub(super) fn told(lines: &[&str]) -> (usize, bool) {
    let roles = trace::structure(lines).roles;
    let count = |wanted: &[Role]| roles.iter().filter(|role| wanted.contains(role)).count();
    let told = count(&[Role::Head, Role::Cause, Role::Near, Role::Part]);
    (told, count(&[Role::Head]) > 0 && count(&[Role::Near, Role::Cause]) > 0)
}
