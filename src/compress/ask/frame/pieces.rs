//! The pieces of a message: paragraphs, headings, rulers, fences, the tags around and what is between them.

use std::ops::Range;

use super::{
    address::{Calls, bare, heads, label, names},
    body,
    outline::{self, Part, lines, opened, outline},
    piece::{Fate, Kind, Piece},
    shape::{self, Labels, Look, look},
    task::TASKS,
};
use crate::compress::{
    fuel,
    text::lexicon::address as words,
    worth::weights::{FRAME_LINE, FRAME_TEXT},
};

/// Cuts a message into its pieces, in order.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut cutter = Cutter { text, labels: Labels::of(text), found: Vec::new() };
    cutter.cut(&(0..text.len()), 0);
    if let Some((body, voices)) = body::body(text, &cutter.found) {
        for piece in cutter.found.get_mut(body).unwrap_or_default() {
            (piece.bound, piece.inside, piece.voices) = (true, true, voices);
        }
    }
    under_titles(text, &mut cutter.found);
    // A letter to somebody ends with its valediction; what is addressed to the model stands before or below.
    let of = |piece: &Piece| text.get(piece.span.clone()).unwrap_or_default();
    let closing = cutter.found.iter().rposition(|piece| words::closes_letter(of(piece)));
    let (mut mail, mut letter) = (false, false);
    for (at, piece) in cutter.found.iter_mut().enumerate() {
        let here = of(piece);
        let opens = || closing.is_some_and(|closing| at < closing) && words::opens_letter(here);
        (mail, letter) = match piece.kind {
            Kind::Text(Look::Document) => (mail || shape::is_mail(here), letter),
            Kind::Text(Look::Prose | Look::List) => (mail, letter || opens()),
            _ => (false, false),
        };
        if mail || letter {
            (piece.bound, piece.inside, piece.voices) = (true, true, true);
        }
        letter &= closing != Some(at);
    }
    noted(text, &mut cutter.found);
    cutter.found
}

/// A note from one person to others speaks to them, from its greeting to its writer's name. One in which a paragraph mostly
/// asks may be written to the model, as to a desk that answers mails, and is its user's.
fn noted(text: &str, pieces: &mut [Piece]) {
    let of = |piece: &Piece| text.get(piece.span.clone()).unwrap_or_default();
    let prose = |piece: &&Piece| matches!(piece.kind, Kind::Text(Look::Prose | Look::List));
    let greets = pieces.iter().position(|piece| prose(&piece) && words::greets_somebody(of(piece)));
    let leaves = pieces.iter().rposition(|piece| prose(&piece) && words::signs_off(of(piece)));
    let (Some(from), Some(to)) = (greets, leaves) else { return };
    let asks = |piece: &Piece| piece.calls.in_the_middle();
    for piece in pieces.get_mut(from..=to).filter(|own| !own.iter().any(asks)).unwrap_or_default() {
        (piece.inside, piece.voices) = (true, true);
    }
}

/// What stands between a title that names material and the next title of the template, `### Input:` … `### Response:`, is
/// no part of what the user says of himself.
fn under_titles(text: &str, pieces: &mut [Piece]) {
    let titles: Vec<(usize, bool)> = pieces
        .iter()
        .enumerate()
        .filter(|(_, piece)| matches!(piece.kind, Kind::Text(Look::Heading)) && piece.depth == 0)
        .filter_map(|(at, piece)| Some((at, shape::hint(text.get(piece.span.clone())?.trim())?)))
        .collect();
    for pair in titles.windows(2) {
        let [(from, true), (to, _)] = pair else { continue };
        for piece in pieces.get_mut(from + 1..*to).unwrap_or_default() {
            (piece.bound, piece.inside) = (true, true);
        }
    }
}

struct Cutter<'a> {
    text: &'a str,
    labels: Labels<'a>,
    found: Vec<Piece>,
}

impl Cutter<'_> {
    fn cut(&mut self, span: &Range<usize>, depth: usize) {
        // What the field above says of all up to the next one.
        let mut field = None;
        let parts = outline(self.text, span);
        for (at, part) in parts.iter().enumerate() {
            let from = self.found.len();
            match part {
                Part::Text(block) => self.text(block, depth),
                Part::Ruler(line) => self.found.push(Piece::new(line.clone(), Kind::Ruler, Fate::Open, depth)),
                Part::Fence(whole, inner) if outline::is_quoted(self.text, whole) => {
                    self.found.push(Piece::new(whole.start..inner.start, Kind::Tag, Fate::Frame, depth));
                    if depth < DEEPEST {
                        self.cut(inner, depth + 1);
                    }
                    self.found.push(Piece::new(inner.end..whole.end, Kind::Tag, Fate::Frame, depth));
                }
                Part::Fence(whole, _) => self.found.push(Piece::new(whole.clone(), Kind::Fence, Fate::Open, depth)),
                Part::Field(line) => {
                    let name = self.text.get(line.clone()).unwrap_or_default();
                    // `[/RULES]` ends what `[RULES]` began.
                    field = (!name.trim_start().starts_with("[/")).then(|| {
                        let instructs = names(name, &words::INSTRUCTIVE) && !names(name, &words::DOCUMENTARY);
                        (heads(name, &TASKS), instructs)
                    });
                    self.found.push(Piece::new(line.clone(), Kind::Tag, Fate::Frame, depth));
                    continue;
                }
                Part::Tagged(whole, inner) => self.tagged(whole, inner, depth, twin(self.text, &parts, at)),
            }
            if let Some((asks, instructs)) = field {
                for piece in self.found.iter_mut().skip(from) {
                    piece.named |= asks;
                    if instructs {
                        piece.fate = Fate::Frame;
                    }
                }
            }
        }
    }

    fn tagged(&mut self, whole: &Range<usize>, inner: &Range<usize>, depth: usize, twin: bool) {
        let name =
            self.text.get(whole.clone()).and_then(|part| opened(part.trim_start())).unwrap_or_default().to_lowercase();
        let held = self.text.get(inner.clone()).unwrap_or_default();
        let page = words::SECTIONING.has(&name) && shape::is_markup(held);
        if words::MARKUP.has(&name) || page || depth >= DEEPEST {
            self.found.push(Piece::new(whole.clone(), Kind::Text(Look::Document), Fate::Open, depth));
            return;
        }
        let instructs = names(&name, &words::INSTRUCTIVE);
        let document = heads(&name, &words::DOCUMENTARY) && !instructs;
        let calls = Calls::of(held);
        let speaks = calls.strong * if document { 2 } else { 4 } >= calls.sentences && calls.strong > 0;
        let long = held.trim().len() >= FRAME_TEXT;
        if instructs || speaks && !twin || !long && !twin {
            let mut piece = Piece::new(whole.clone(), Kind::Tag, Fate::Frame, depth);
            piece.named = heads(&name, &TASKS);
            if piece.named {
                // What is asked stands between the tags.
                self.found.push(Piece::new(whole.start..inner.start, Kind::Tag, Fate::Frame, depth));
                self.found.push(Piece { span: inner.clone(), ..piece });
                self.found.push(Piece::new(inner.end..whole.end, Kind::Tag, Fate::Frame, depth));
            } else {
                self.found.push(piece);
            }
            return;
        }
        if twin {
            // One of several documents: its tags tell them apart and stand or go with it.
            self.found.push(Piece::new(whole.clone(), Kind::Text(Look::Document), Fate::Open, depth));
            return;
        }
        self.found.push(Piece::new(whole.start..inner.start, Kind::Tag, Fate::Frame, depth));
        // Between lines that only say so (`[BEGIN DATA]`) a prompt may have parts of its own.
        let bare = !self.text.get(whole.clone()).is_some_and(|part| part.trim_start().starts_with('<'));
        let parted =
            |part: &Part| matches!(part, Part::Tagged(..)) || bare && matches!(part, Part::Ruler(_) | Part::Field(_));
        if document && !outline(self.text, inner).iter().any(parted) {
            self.found.push(Piece::new(inner.clone(), Kind::Text(Look::Document), Fate::Material, depth + 1));
        } else {
            self.cut(inner, depth + 1);
        }
        self.found.push(Piece::new(inner.end..whole.end, Kind::Tag, Fate::Frame, depth));
    }

    /// A block without blank lines: its headings and, where its lines are paragraphs of their own, each line.
    fn text(&mut self, block: &Range<usize>, depth: usize) {
        let lines = lines(self.text, block);
        let from = self.found.len();
        let read = |line: &Range<usize>| self.text.get(line.clone()).unwrap_or_default();
        let code = lines.iter().filter(|line| shape::is_code(read(line))).count() * 2 > lines.len();
        let rows = shape::is_rows(&lines.iter().map(read).collect::<Vec<_>>());
        let passage = lines.first().is_some_and(|line| self.labels.opens(read(line)));
        let paragraphs = lines.len() > 1 && block.len() / lines.len() >= FRAME_LINE && !code && !rows && !passage;
        let mut start = 0;
        for (at, line) in lines.iter().enumerate() {
            let alone = !code
                && lines.len() > 1
                && !self.labels.returns(read(line))
                && (shape::is_heading(read(line)) || at == 0 && shape::hint(read(line)).is_some());
            if alone || paragraphs {
                self.paragraph(&lines, start..at, depth);
                self.paragraph(&lines, at..at + 1, depth);
                start = at + 1;
            }
        }
        self.paragraph(&lines, start..lines.len(), depth);
        if paragraphs {
            self.found.iter_mut().skip(from).for_each(|piece| piece.bound = true);
        }
    }

    fn paragraph(&mut self, lines: &[Range<usize>], range: Range<usize>, depth: usize) {
        let Some([first, ..]) = lines.get(range.clone()) else { return };
        let Some(own) = lines.get(range) else { return };
        let span = first.start..own.last().map_or(first.end, |last| last.end);
        let part = self.text.get(span.clone()).unwrap_or_default();
        fuel::step(part.len());
        let look = look(self.text, own, &self.labels);
        let mut piece = Piece::new(span, Kind::Text(look), Fate::Open, depth);
        if look != Look::Document {
            piece.calls = Calls::of(part);
        }
        piece.named = look == Look::Prose
            && label(part).is_some_and(|(name, rest)| heads(name, &TASKS) && rest.trim().is_empty());
        self.found.push(piece);
    }
}

/// Whether a tagged part has a neighbour under the same name.
fn twin(text: &str, parts: &[Part], at: usize) -> bool {
    let name = |part: Option<&Part>| match part {
        Some(Part::Tagged(whole, _)) => text.get(whole.clone()).and_then(|part| opened(part.trim_start())),
        _ => None,
    };
    let own = name(parts.get(at));
    own.is_some() && (name(parts.get(at + 1)) == own || at > 0 && name(parts.get(at - 1)) == own)
}

/// Whether a line ends by announcing what follows.
pub(super) fn announces(part: &str) -> bool {
    let part = part.trim().trim_end_matches(['*', '"', '\u{201c}', ' ', '`']);
    part.ends_with([':', '：']) && part.len() <= FRAME_TEXT && !outline::is_shouted(bare(part))
        || shape::hint(part) == Some(true) && !part.contains(|c: char| c.is_ascii_digit())
}

/// Tags inside of tags that are looked into.
const DEEPEST: usize = 4;
