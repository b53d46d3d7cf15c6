//! A document that speaks to its own reader: a leaflet, a manual, a recipe, a policy, a paper of questions, a dialogue.
//! What it asks is no frame, so it is found by its build: titles over sections, or speech after speech. Only what stands
//! before it, and what is set apart from it at its end, can be the user's.

use std::ops::Range;

use super::{
    address::{bare, is_question, label},
    piece::{Fate, Kind, Piece},
    shape::{self, Look, hint, is_heading},
};
use crate::compress::{
    text::{lexicon::address as words, segment},
    worth::weights::{FRAME_FEW, FRAME_LINE, FRAME_OWN},
};

/// What a piece is for the build of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// It begins with the title of a section.
    Title,
    /// It begins with a title that names material: `# Document`.
    Material,
    /// It begins with a title that names what is the user's: `# Rules`.
    Instructive,
    /// It begins with what somebody says.
    Speech,
    /// It is the label of a passage, on a line of its own.
    Label,
    None,
}

/// The pieces of such a document, if the message holds one, and whether people speak in it.
pub(super) fn body(text: &str, pieces: &[Piece]) -> Option<(Range<usize>, bool)> {
    let signs: Vec<Sign> = (0..pieces.len()).map(|at| sign(text, pieces, at)).collect();
    let from = |sign: Sign, most: usize| {
        let enough = count(&signs, sign) > most;
        signs.iter().position(|other| *other == sign).filter(|_| enough).map(|first| first..pieces.len())
    };
    let spoken = || from(Sign::Speech, FRAME_FEW.max(pieces.len() / 3));
    let document = sections(text, pieces, &signs).map(|body| (body, false));
    document.or_else(|| spoken().map(|body| (body, true))).or_else(|| from(Sign::Label, 1).map(|body| (body, false)))
}

fn count(signs: &[Sign], sign: Sign) -> usize {
    signs.iter().filter(|other| **other == sign).count()
}

/// From the first title to the end, or to the user's sections below.
fn sections(text: &str, pieces: &[Piece], signs: &[Sign]) -> Option<Range<usize>> {
    let position = |wanted: Sign| signs.iter().position(|sign| *sign == wanted);
    let is_title = |sign: &Sign| matches!(sign, Sign::Title | Sign::Material);
    let first = signs.iter().position(|sign| is_title(sign) || *sign == Sign::Instructive)?;
    let asks = |piece: &Piece| first_line(text, piece).is_some_and(|line| is_question(bare(line)));
    let asked = pieces.iter().zip(signs).filter(|(piece, sign)| **sign == Sign::Title && asks(piece)).count();
    let start = if signs.get(first) != Some(&Sign::Instructive) {
        first
    } else {
        // `# Frequently asked questions`
        position(if asked >= FRAME_FEW { Sign::Title } else { Sign::Material })?
    };
    let below = signs.iter().rposition(is_title)?;
    let end = (below.max(start)..signs.len()).find(|at| signs.get(*at) == Some(&Sign::Instructive));
    let own = signs.get(start..end.unwrap_or(signs.len()))?;
    let titles = count(own, Sign::Title) + count(own, Sign::Material);
    let sectioned = titles >= FRAME_FEW && titles > 3 * count(own, Sign::Instructive);
    let body = start..start + own.len();
    (sectioned && !is_code(text, pieces, &body) && is_read(text, pieces, body.clone())).then_some(body)
}

/// Whether the titles are comments of a script: one line of four beside them is code.
fn is_code(text: &str, pieces: &[Piece], body: &Range<usize>) -> bool {
    let own = pieces.get(body.clone()).unwrap_or_default().iter();
    let open = own.filter(|piece| piece.fate == Fate::Open).filter_map(|piece| text.get(piece.span.clone()));
    let lines = open.flat_map(str::lines).filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    let (code, all) = lines.fold((0, 0), |(code, all), line| (code + usize::from(shape::is_code(line)), all + 1));
    code * 4 >= all.max(1)
}

/// Whether the user seems to be its reader: he gives no order that it would carry out in detail (`Build a page.`), tells
/// nobody who he is, and asks about it, or it is long.
fn is_read(text: &str, pieces: &[Piece], body: Range<usize>) -> bool {
    let of = |piece: &Piece| text.get(piece.span.clone()).unwrap_or_default();
    let before = pieces.get(..body.start).unwrap_or_default();
    let points = |piece: &Piece| {
        let mut words = of(piece).split(|c: char| !c.is_alphanumeric());
        piece.calls.explicit > 0 || words.any(|word| words::DEMONSTRATIVES.has(&word.to_lowercase()))
    };
    let orders = |piece: &Piece| piece.calls.at_an_edge() && piece.calls.strong > piece.calls.questions;
    let asks = |piece: &Piece| {
        piece.calls.at_an_edge() && (piece.calls.explicit > 0 || piece.calls.questions > 0 || points(piece))
    };
    let opening = pieces.get(..(body.start + FRAME_FEW).min(pieces.len())).unwrap_or_default();
    let personas = opening.iter().any(|piece| words::persona(&of(piece).to_lowercase()));
    // `My plan for the garden`
    let own = opening.first().is_some_and(|first| first.calls.weak > 0 && first.calls.strong == 0);
    let after = (body.end.saturating_sub(FRAME_FEW)..pieces.len()).filter(|at| !is_titled(text, pieces, *at));
    let asked = before.iter().chain(after.filter_map(|at| pieces.get(at))).any(asks);
    let own_pieces = pieces.get(body).unwrap_or_default();
    let size: usize = own_pieces.iter().map(|piece| piece.span.len()).sum();
    let questions = own_pieces.iter().filter(|piece| piece.calls.questions > 0).count();
    let long = size >= FRAME_OWN && questions * 3 < own_pieces.len();
    !personas && !own && !before.iter().any(|piece| orders(piece) && !points(piece)) && (asked || long)
}

fn first_line<'a>(text: &'a str, piece: &Piece) -> Option<&'a str> {
    text.get(piece.span.clone())?.trim_start().lines().next()
}

fn sign(text: &str, pieces: &[Piece], at: usize) -> Sign {
    let Some(piece) = pieces.get(at).filter(|piece| piece.fate == Fate::Open) else { return Sign::None };
    let Kind::Text(look) = piece.kind else { return Sign::None };
    let Some(first) = first_line(text, piece) else { return Sign::None };
    if look == Look::Prose && is_speech(first) {
        return Sign::Speech;
    }
    let alone = piece.span.len() <= first.len() + 2;
    let heading = look == Look::Heading || alone && is_heading(first);
    if look == Look::Document && !heading {
        let numbered = first.contains(|c: char| c.is_ascii_digit())
            || label(first).is_some_and(|(_, value)| !value.trim().is_empty());
        return if alone && numbered && first.len() <= FRAME_LINE / 2 { Sign::Label } else { Sign::None };
    }
    let short = first.len() <= FRAME_LINE / 2;
    if heading && is_question(bare(first)) {
        return Sign::Title;
    }
    if let Some(documentary) = hint(first).filter(|_| short) {
        return if documentary { Sign::Material } else { Sign::Instructive };
    }
    if heading {
        return Sign::Title;
    }
    let under = if alone {
        pieces
            .get(at + 1)
            .filter(|next| matches!(next.kind, Kind::Text(look) if look != Look::Heading))
            .map(|next| &next.span)
    } else {
        Some(&piece.span)
    };
    let told = under.is_some_and(|under| under.len() > 2 * first.len());
    let titled =
        short && told && look == Look::Prose && !bare(first).contains([':', '：']) && segment::is_title(first.trim());
    if titled { Sign::Title } else { Sign::None }
}

/// Whether a part begins with what somebody says.
pub(super) fn is_speech(part: &str) -> bool {
    part.trim_start().starts_with(['"', '\u{201c}', '\u{201e}', '«', '—', '「', '»'])
}

/// Whether a piece stands directly under a title, or begins with one.
pub(super) fn is_titled(text: &str, pieces: &[Piece], at: usize) -> bool {
    let title = |at: usize| !matches!(sign(text, pieces, at), Sign::None | Sign::Speech | Sign::Label);
    title(at)
        || at.checked_sub(1).is_some_and(|above| {
            title(above)
                && pieces.get(above).is_some_and(|piece| {
                    text.get(piece.span.clone()).is_some_and(|part| part.trim().lines().count() == 1)
                })
        })
}
