//! What stands under what: a tree of units by indentation and brackets.

use std::collections::HashMap;

use super::{lines::Unit, syntax::Syntax};
use crate::compress::text::lexicon::List;

/// The place of each unit, by its number.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// What it stands under.
    pub(super) parent: Vec<Option<usize>>,
    /// Where what stands under it ends, its own closing line included; its successor where nothing does.
    pub(super) end: Vec<usize>,
    /// The unit whose branch it carries on (`else`, `except`, `} else {`).
    pub(super) after: Vec<Option<usize>>,
    /// The units that it closes.
    pub(super) closes: Vec<Vec<usize>>,
    /// What else it needs to be read (a YAML anchor).
    pub(super) refers: Vec<Option<usize>>,
}

impl Tree {
    /// Whether something stands under a unit.
    pub(super) fn is_header(&self, unit: usize) -> bool {
        self.parent.get(unit + 1).copied().flatten() == Some(unit)
    }
}

/// Finds the place of each unit; linear in their number.
pub(super) fn grow(units: &[Unit<'_>], syntax: Syntax) -> Tree {
    let count = units.len();
    let mut tree = Tree {
        parent: vec![None; count],
        end: (1..=count).collect(),
        after: vec![None; count],
        closes: vec![Vec::new(); count],
        refers: if syntax.yaml { anchors(units) } else { vec![None; count] },
    };
    for (at, unit) in units.iter().enumerate() {
        if let Some(closes) = unit.closed_by.and_then(|by| tree.closes.get_mut(by)) {
            closes.push(at);
        }
    }
    let mut stack: Vec<usize> = Vec::new();
    // The first unit of the chain of branches that one belongs to.
    let mut first: Vec<usize> = (0..count).collect();
    for (at, unit) in units.iter().enumerate() {
        let mut popped: Option<usize> = None;
        while let Some(top) = stack.last().copied() {
            let Some(above) = units.get(top) else { break };
            let inside = above.closed_by.is_some_and(|by| by > at);
            // What stands further out than a line with an open bracket shows that the bracket was misread.
            if (inside && (unit.indent >= above.indent || syntax.markup))
                || (above.indent < unit.indent && above.closed_by != Some(at))
            {
                break;
            }
            stack.pop();
            popped = Some(top);
            set(&mut tree.end, top, at);
        }
        if let Some(before) =
            popped.filter(|before| units.get(*before).is_some_and(|unit| unit.indent <= units[at].indent))
        {
            let of = first.get(before).copied().unwrap_or(before);
            let word = first_word(unit.content);
            let carries = ends_branch(unit.content, word) || BRANCHES.has(word);
            if carries && before + 1 < at + usize::from(BRANCHES.has(word)) {
                set(&mut first, at, of);
                if ends_branch(unit.content, word) && !tree.closes.get(at).is_some_and(|closes| closes.contains(&of)) {
                    if let Some(closes) = tree.closes.get_mut(at) {
                        closes.push(of);
                    }
                } else if BRANCHES.has(word) {
                    set(&mut tree.after, at, Some(before));
                }
            }
        }
        set(&mut tree.parent, at, stack.last().copied());
        if stack.len() < DEEPEST {
            stack.push(at);
        }
    }
    for top in stack {
        set(&mut tree.end, top, count);
    }
    // A closing line that opens nothing is part of what it closes.
    for at in 0..count {
        let alone = !tree.is_header(at);
        let closes = tree.closes.get(at).cloned().unwrap_or_default();
        for of in closes.into_iter().filter(|_| alone) {
            let end = tree.end.get(of).copied().unwrap_or(at).max(at + 1);
            set(&mut tree.end, of, end);
        }
    }
    tree
}

fn set<T>(list: &mut [T], at: usize, value: T) {
    if let Some(place) = list.get_mut(at) {
        *place = value;
    }
}

fn first_word(content: &str) -> &str {
    let word = content.trim_start_matches(['}', ' ']);
    word.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default()
}

/// `end`, `fi`, `</p>`: the last line of what stands at the same depth above it.
fn ends_branch(content: &str, word: &str) -> bool {
    content.starts_with("</") || (content.starts_with(word) && ENDS.has(word))
}

/// For each unit with `*name` the one with `&name`.
fn anchors(units: &[Unit<'_>]) -> Vec<Option<usize>> {
    let named = |content: &str, mark: char| {
        let word = content.split_whitespace().find(|word| word.starts_with(mark) && word.len() > 1)?;
        Some(word.trim_start_matches(mark).trim_end_matches([',', ']', '}']).to_owned())
    };
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut refers = Vec::with_capacity(units.len());
    for (at, unit) in units.iter().enumerate() {
        refers.push(named(unit.content, '*').and_then(|name| known.get(&name).copied()));
        if let Some(name) = named(unit.content, '&') {
            known.insert(name, at);
        }
    }
    refers
}

/// Words that carry on the branch above them.
static BRANCHES: List = List::new("else elif elsif elseif except finally catch rescue ensure when then do in and or");

/// Words that end what was begun at their depth.
static ENDS: List = List::new("end fi done esac endif endfor endwhile endfunction endmacro endforeach END");

/// Units that stand under each other; what is deeper stands beside.
const DEEPEST: usize = 48;

#[cfg(test)]
mod tests {
    use super::{
        super::{lines, syntax},
        *,
    };

    fn tree(text: &str) -> Tree {
        let all: Vec<&str> = text.lines().collect();
        let syntax = syntax::of(&all);
        grow(&lines::units(&all, syntax), syntax)
    }

    #[test]
    fn indentation_and_brackets_say_what_stands_under_what() {
        let python =
            tree("def f(x):\n    if x:\n        return 1\n    else:\n        return 2\n\ny = {\n    'a': 1,\n}\n");
        assert_eq!(python.parent, [None, Some(0), Some(1), Some(0), Some(3), None, Some(5), None]);
        assert_eq!(python.after, [None, None, None, Some(1), None, None, None, None]);
        assert_eq!((python.closes[7].as_slice(), python.end[5]), ([5].as_slice(), 8));
        let c = tree("int f(int a) {\nif (a) {\ng();\n} else {\nh();\n}\n}\n");
        assert_eq!(c.parent, [None, Some(0), Some(1), Some(0), Some(3), Some(0), None]);
        assert_eq!((c.closes[3].as_slice(), c.closes[6].as_slice()), ([1].as_slice(), [0].as_slice()));
    }

    #[test]
    fn shells_and_settings_have_their_own_words() {
        let shell = tree("#!/bin/sh\nif a; then\n    rm -rf x\nelse\n    b\nfi\n");
        assert_eq!(shell.parent, [None, None, Some(1), Some(1), Some(3), None]);
        assert_eq!(shell.closes[5], [1]);
        let yaml = tree("a:\n- b: 1\n  c: 2\n- d\ne: &x\n  f: 1\ng:\n  <<: *x\n");
        assert_eq!(yaml.parent, [None, Some(0), Some(1), Some(0), None, Some(4), None, Some(6)]);
        assert_eq!(yaml.refers[7], Some(4));
        let toml = tree("x = 1\n[a]\nb = 1\n[c]\nd = 2\n");
        assert_eq!(toml.parent, [None, None, Some(1), None, Some(3)]);
    }
}
