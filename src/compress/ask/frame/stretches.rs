//! Which pieces are the user's, and which stretches of the others are long enough to be material.

use std::{collections::HashMap, ops::Range};

use super::{
    address::{Calls, bare, heads, is_question},
    body::{is_speech, is_titled},
    piece::{Fate, Kind, Piece},
    pieces::{announces, pieces},
    shape::{Look, hint},
    shots::Shots,
    task::TASKS,
};
use crate::compress::{
    fuel,
    worth::weights::{FRAME_FEW, FRAME_LINE, FRAME_OWN, FRAME_TEXT, FRAME_TONGUE},
};

/// The pieces of a message, each settled.
pub(super) fn read(text: &str, shots: Option<&Shots>) -> Vec<Piece> {
    let mut pieces = pieces(text);
    if let Some(shots) = shots {
        let inside = |span: &Range<usize>| span.start < shots.span.end && shots.span.start < span.end;
        pieces
            .iter_mut()
            .filter(|piece| inside(&piece.span) && piece.span.len() <= FRAME_OWN)
            .for_each(|piece| piece.fate = Fate::Frame);
        // What is to be done as they show stands above them.
        let above = pieces.iter_mut().take_while(|piece| piece.span.end <= shots.span.start);
        let above: Vec<&mut Piece> = above.collect();
        if above.iter().all(|piece| !piece.is_document()) && shots.span.start <= FRAME_OWN {
            above.into_iter().for_each(|piece| piece.fate = Fate::Frame);
        }
    }
    // What is to be filled in at the end is never material.
    if let Some(last) = pieces.last_mut().filter(|last| text.get(last.span.clone()).is_some_and(is_open)) {
        last.fate = Fate::Frame;
    }
    under_hints(text, &mut pieces);
    at_edges(text, &mut pieces, true);
    at_edges(text, &mut pieces, false);
    in_the_middle(text, &mut pieces);
    joined(text, &mut pieces);
    settle(text, &mut pieces);
    pieces
}

/// A short label without a value: `Answer:`.
fn is_open(part: &str) -> bool {
    let part = part.trim();
    part.ends_with([':', '：']) && part.len() <= 60
}

/// Headings and labels that name what is below them: `# Rules` up to the next heading.
fn under_hints(text: &str, pieces: &mut [Piece]) {
    let (mut instructs, mut asks) = (false, false);
    for piece in pieces.iter_mut() {
        if piece.inside {
            (instructs, asks) = (false, false);
            continue;
        }
        if !matches!(piece.kind, Kind::Text(_)) {
            instructs &= piece.kind == Kind::Fence;
            asks &= instructs;
            continue;
        }
        let first = text.get(piece.span.clone()).and_then(|part| part.trim().lines().next()).unwrap_or_default();
        let title = piece.kind == Kind::Text(Look::Heading) || piece.span.len() <= 80;
        let hint = hint(first).filter(|_| title);
        piece.named |= asks && hint.is_none();
        if hint.is_some() {
            asks = heads(first, &TASKS);
        }
        match hint {
            Some(true) => instructs = false,
            Some(false) => instructs = true,
            None if piece.kind == Kind::Text(Look::Heading) => instructs = false,
            // A rule is short; a long text that asks nothing is no rule.
            None if piece.span.len() >= FRAME_TEXT && piece.calls.strong == 0 => instructs = false,
            None => {}
        }
        if instructs && piece.fate == Fate::Open {
            piece.fate = Fate::Frame;
        }
        asks &= instructs;
    }
}

/// From one end of the message on up to the first document: whatever asks is the user's, and what he says of himself.
fn at_edges(text: &str, pieces: &mut [Piece], forward: bool) {
    let count = pieces.len();
    let order: Vec<usize> = if forward { (0..count).collect() } else { (0..count).rev().collect() };
    let (mut told, mut personal, mut asked) = (0, 0, false);
    let mut passed = Vec::new();
    for at in order {
        let Some(piece) = pieces.get(at) else { continue };
        if piece.fate == Fate::Frame {
            asked = true;
            continue;
        }
        let opening = forward && piece.span.start <= text.len() / 4;
        let announcement = opening && !piece.is_document() && text.get(piece.span.clone()).is_some_and(announces);
        // What stands before `Here is the contract:` is no contract.
        if announcement && (asked || piece.calls.strong + piece.calls.weak > 0 || passed.is_empty()) {
            passed.drain(..).chain([at]).for_each(|before: usize| frame(pieces, before));
            (told, asked) = (0, true);
            continue;
        }
        if piece.is_document() || piece.fate == Fate::Material || told >= FRAME_TEXT {
            return;
        }
        if piece.inside {
            if !forward && told == 0 && is_apart(text, pieces, at, asked) {
                asked = true;
                frame(pieces, at);
                continue;
            }
            // `Thanks!` below what is asked.
            let below = !forward && !asked && passed.is_empty() && piece.span.len() <= FRAME_LINE / 4;
            if !below || text.get(piece.span.clone()).is_some_and(|part| part.trim().contains('\n')) {
                return;
            }
            passed.push(at);
            continue;
        }
        // A piece that nothing sets apart from the ones between it and the edge is one of them.
        let apart = !piece.bound || told == 0;
        if piece.calls.at_an_edge() && apart {
            asked = true;
            frame(pieces, at);
        } else if piece.calls.is_personal() && !piece.bound && personal + piece.span.len() <= FRAME_OWN {
            personal += piece.span.len();
            asked |= piece.calls.weak > 0;
            frame(pieces, at);
        } else {
            told += piece.span.len();
            passed.push(at);
        }
    }
}

/// At the end of what speaks to its own reader: whether a piece is the user's, where what follows it is (`asked`).
fn is_apart(text: &str, pieces: &[Piece], at: usize, asked: bool) -> bool {
    let Some(piece) = pieces.get(at) else { return false };
    let part = text.get(piece.span.clone()).unwrap_or_default();
    let (calls, prose) = (&piece.calls, piece.kind == Kind::Text(Look::Prose));
    let titled = is_titled(text, pieces, at) || is_speech(part);
    let next = pieces.get(at + 1).filter(|next| asked && next.fate == Fate::Frame);
    let asks = calls.at_an_edge() || calls.is_personal() && calls.strong > 0;
    match next.filter(|next| next.inside) {
        None => asks && (!titled || is_question(bare(part))),
        // A question before an order, orders one below the other; what he tells of himself, where nobody else does.
        Some(next) => {
            let all = calls.strong == calls.sentences && piece.span.len() <= FRAME_LINE;
            let goes_on = prose && all && next.calls.questions == 0;
            let told = prose && calls.weak > 0 && calls.is_personal() && !piece.voices;
            calls.explicit > 0 && calls.in_the_middle() || !titled && (goes_on || told)
        }
    }
}

fn frame(pieces: &mut [Piece], at: usize) {
    if let Some(piece) = pieces.get_mut(at) {
        piece.fate = Fate::Frame;
    }
}

/// Between documents: a paragraph that asks for the most part, or one in another language than the rest. Where many
/// paragraphs ask, the document itself is a set of instructions (a leaflet, a recipe, a manual).
fn in_the_middle(text: &str, pieces: &mut [Piece]) {
    let paragraph =
        |piece: &Piece| piece.fate == Fate::Open && matches!(piece.kind, Kind::Text(Look::Prose | Look::List));
    let all = pieces.iter().filter(|piece| paragraph(piece)).count();
    let asking = |piece: &Piece| paragraph(piece) && piece.calls.in_the_middle();
    let asked = pieces.iter().filter(|piece| asking(piece)).count();
    let manual = asked > FRAME_FEW && asked * 5 > all;
    let foreign = foreign(text, pieces);
    let between: Vec<usize> = (0..pieces.len()).filter(|at| introduces(text, pieces, *at)).collect();
    let introduces = |at: usize| between.len() <= FRAME_FEW && between.binary_search(&at).is_ok();
    for (at, piece) in pieces.iter_mut().enumerate() {
        let own = piece.calls.for_me > 0 && piece.calls.is_personal() && !piece.voices;
        let asks = asking(piece) && (!(manual || piece.bound) || piece.calls.explicit > 0 || own);
        let marked = || {
            let part = text.get(piece.span.clone()).filter(|part| is_between_marks(part));
            part.is_some_and(|part| Calls::of(part.trim().trim_matches(|c: char| !c.is_alphanumeric())).strong > 0)
        };
        let speaks = introduces(at) || asks || piece.fate == Fate::Open && marked();
        if speaks || paragraph(piece) && foreign.binary_search(&at).is_ok() {
            piece.fate = Fate::Frame;
        }
    }
}

/// Whether its writer sets a part apart from what stands around it: `>>> me again: draft a reply <<<`, `[[ keep this ]]`,
/// `*** … ***`. Two stars are emphasis.
fn is_between_marks(part: &str) -> bool {
    let part = part.trim();
    let Some(open) = part.chars().next() else { return false };
    let run = part.len() - part.trim_start_matches(open).len();
    let (close, least) = match open {
        '>' => ('<', 2),
        '<' => ('>', 2),
        '[' => (']', 2),
        '(' => (')', 2),
        '{' => ('}', 2),
        '*' | '#' | '=' | '!' | '-' | '~' | '+' => (open, 3),
        _ => return false,
    };
    run >= least && part.len() - part.trim_end_matches(close).len() >= least && part.contains(' ')
}

/// A short line that leads over to the next document (`And this is the second one:`), or stands between two fences.
fn introduces(text: &str, pieces: &[Piece], at: usize) -> bool {
    let Some(piece) =
        pieces.get(at).filter(|piece| piece.kind == Kind::Text(Look::Prose) && piece.span.len() <= FRAME_LINE)
    else {
        return false;
    };
    let next = pieces.get(at + 1);
    let fenced = |piece: Option<&Piece>| piece.is_some_and(|piece| piece.kind == Kind::Fence);
    let long = next.is_some_and(|next| {
        next.span.len() >= FRAME_TEXT && matches!(next.kind, Kind::Text(Look::Prose | Look::Document))
    });
    let before = at.checked_sub(1).and_then(|before| pieces.get(before));
    let part = text.get(piece.span.clone()).unwrap_or_default().trim();
    if piece.inside {
        return long && piece.calls.strong > 0 && part.ends_with([':', '：']);
    }
    fenced(next) && fenced(before) || long && !piece.bound && part.ends_with([':', '：'])
}

/// Short paragraphs whose small words occur nowhere else in the message, or that alone have letters beyond a to z: they are in
/// another language.
fn foreign(text: &str, pieces: &[Piece]) -> Vec<usize> {
    let small = |piece: &Piece| {
        let part = text.get(piece.span.clone()).unwrap_or_default();
        let part = part.get(..part.floor_char_boundary(2000)).unwrap_or_default();
        let words = part.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let short = words.filter(|word| word.chars().count() <= 3 && word.chars().all(char::is_alphabetic));
        short.map(str::to_lowercase).collect::<Vec<String>>()
    };
    let mut counts: HashMap<String, usize> = HashMap::new();
    let prose: Vec<(usize, Vec<String>)> = pieces
        .iter()
        .enumerate()
        .filter(|(_, piece)| matches!(piece.kind, Kind::Text(Look::Prose)))
        .map(|(at, piece)| (at, small(piece)))
        .collect();
    for word in prose.iter().flat_map(|(_, words)| words) {
        *counts.entry(word.clone()).or_default() += 1;
    }
    let all: usize = counts.values().sum();
    let lonely = |words: &[String]| {
        let mut own: HashMap<&String, usize> = HashMap::new();
        words.iter().for_each(|word| *own.entry(word).or_default() += 1);
        let shared = own.iter().filter(|(word, count)| counts.get(**word).is_some_and(|all| all > count)).count();
        let others = all - words.len();
        // Of a few words the one that is shared says that the language is.
        let few = own.len() < 8 && shared > 0;
        own.len() >= 4 && !few && shared * 4 <= own.len() && others >= FRAME_TONGUE
    };
    let short = |at: usize| pieces.get(at).is_some_and(|piece| piece.span.len() <= 500);
    let lettered: Vec<(usize, usize)> = prose
        .iter()
        .filter_map(|(at, _)| pieces.get(*at))
        .map(|piece| accented(text.get(piece.span.clone()).unwrap_or_default()))
        .collect();
    let sum = lettered.iter().fold((0, 0), |sum, own| (sum.0 + own.0, sum.1 + own.1));
    let alone = |(own, words): (usize, usize)| {
        let (others, rest) = (sum.0 - own, sum.1 - words);
        own >= FEWEST_ACCENTED && own * 6 >= words && rest >= FRAME_TONGUE && others * 30 <= rest
    };
    let found: Vec<usize> = prose
        .iter()
        .zip(lettered)
        .filter(|((at, words), lettered)| short(*at) && (lonely(words) || alone(*lettered)))
        .map(|((at, _), _)| *at)
        .collect();
    // A text of several languages has no language of its own.
    if found.len() <= 2 { found } else { Vec::new() }
}

/// The words of a part that have letters beyond a to z, and all its words.
fn accented(part: &str) -> (usize, usize) {
    let part = part.get(..part.floor_char_boundary(2000)).unwrap_or_default();
    let words = part.split(|c: char| !c.is_alphanumeric()).filter(|word| word.contains(char::is_alphabetic));
    words.fold((0, 0), |(own, all), word| (own + usize::from(!word.is_ascii()), all + 1))
}

/// Words with such letters that a paragraph has at least that is in another language.
const FEWEST_ACCENTED: usize = 4;

/// What a piece is asked, whatever its length.
const READERS_OF_A_PIECE: usize = 16;

/// What follows its neighbour: a short list or value under what the user says, a format after its announcement.
fn joined(text: &str, pieces: &mut [Piece]) {
    for at in 0..pieces.len() {
        fuel::step(READERS_OF_A_PIECE);
        let (Some(piece), Some(above)) = (pieces.get(at), at.checked_sub(1).and_then(|above| pieces.get(above))) else {
            continue;
        };
        if piece.fate != Fate::Open || above.fate != Fate::Frame || above.depth != piece.depth {
            continue;
        }
        let size = piece.span.len();
        let list = piece.kind == Kind::Text(Look::List) && size <= FRAME_OWN;
        let shown = piece.is_document()
            && above.calls.strong > 0
            && text.get(above.span.clone()).is_some_and(announces_form)
            && size <= FRAME_OWN;
        if list || shown {
            frame(pieces, at);
        }
    }
}

/// `Answer as JSON like this:` is followed by a format, not by material.
fn announces_form(part: &str) -> bool {
    let last = part.trim().lines().last().unwrap_or_default().to_lowercase();
    (last.ends_with([':', '：', '.', '`']) || last.len() <= 60) && FORMATS.iter().any(|word| last.contains(word))
}

#[rustfmt::skip]
const FORMATS: &[&str] = &[
    "format", "schema", "like this", "example", "structure", "template", "as follows", "output", "form:", "keys",
    "fields", "beispiel", "exemple", "ejemplo", "esempio", "exemplo", "formato", "формат", "格式", "形式", "형식",
];

/// Stretches between what is framed: long ones are material.
fn settle(text: &str, pieces: &mut [Piece]) {
    let mut start = 0;
    while start < pieces.len() {
        let depth = pieces.get(start).map_or(0, |piece| piece.depth);
        let framed = |piece: &Piece| piece.fate == Fate::Frame;
        if pieces.get(start).is_none_or(framed) {
            start += 1;
            continue;
        }
        let length = pieces.iter().skip(start).take_while(|piece| !framed(piece) && piece.depth == depth).count();
        let end = start + length;
        let (from, to) = trimmed(text, pieces, start, end);
        let sizes = pieces.get(from..to).unwrap_or_default().iter();
        let told: usize = sizes.clone().map(|piece| piece.span.len()).sum();
        let documents: usize = sizes
            .filter(|piece| piece.is_document() || piece.inside || piece.fate == Fate::Material)
            .map(|piece| piece.span.len())
            .sum();
        let material = told >= FRAME_TEXT || documents >= FRAME_LINE;
        for (at, piece) in pieces.iter_mut().enumerate().take(end).skip(start) {
            piece.fate = if material && (from..to).contains(&at) { Fate::Material } else { Fate::Frame };
        }
        start = end;
    }
}

/// A stretch without the short lines at its ends: titles, sign-offs, names, rulers.
fn trimmed(text: &str, pieces: &[Piece], start: usize, end: usize) -> (usize, usize) {
    let own = pieces.get(start..end).unwrap_or_default();
    let of = |piece: &Piece| text.get(piece.span.clone()).unwrap_or_default();
    let mean = own.iter().map(|piece| piece.span.len()).sum::<usize>() / own.len().max(1);
    let most = if mean >= FRAME_LINE { 3 } else { 1 };
    // Demands one a line, below long paragraphs.
    let listed = |piece: &Piece| piece.kind == Kind::Text(Look::List) && mean >= FRAME_LINE;
    let short = |piece: &&Piece| {
        let most = if piece.bound { FRAME_LINE / 2 } else { FRAME_LINE };
        let lines = text.get(piece.span.clone()).map_or(0, |part| part.trim().lines().count());
        piece.fate == Fate::Open
            && !piece.inside
            && (piece.kind == Kind::Ruler
                || !piece.is_document() && piece.span.len() <= most && (lines <= 2 || listed(piece)))
    };
    let head = own.iter().take_while(short).take(most).count();
    let tail = own.iter().skip(head).rev().take_while(short).take(most).count();
    // What stands below `--- kb/gifts.md ---` is of that passage.
    let titled = |at: usize| {
        let above = at.checked_sub(1).and_then(|above| pieces.get(above));
        above.is_some_and(|above| above.kind == Kind::Ruler && of(above).contains(char::is_alphanumeric))
    };
    let tail = if tail > 0 && titled(end - tail) { 0 } else { tail };
    (start + head, end - tail)
}
