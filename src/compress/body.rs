//! The material of a message: blocks of prose, which share one budget, between blocks of other kinds.

use std::{collections::BTreeMap, ops::Range};

use super::{
    CountTokens, Decision, Ratio, Relevance, RewriteError, Rewriter, Unit,
    content::{self, Block, Budget, Kind, Rendered},
    prose::{Prose, rows::Tables},
    redundancy::{Kinds, Redundancy},
};

/// A text cut into blocks, its prose read.
pub(super) struct Body<'a> {
    text: &'a str,
    /// Spans in `text`.
    blocks: Vec<Block>,
    /// Whether tables share the prose's budget.
    joins_tables: bool,
    /// All blocks of prose, in order.
    prose: Prose<'a>,
}

/// What is settled before the prose is cut.
pub(super) struct Plan {
    /// For each block that is no prose what stands for it.
    rendered: Vec<Option<Rendered>>,
    /// Target tokens of the prose; without them only what is redundant goes.
    prose: Option<usize>,
}

impl<'a> Body<'a> {
    /// Reads `span` of `text`.
    ///
    /// Where something is asked the rows of a table compete with the sentences around it: the answer stands in either.
    pub(super) fn read(
        text: &'a str,
        span: Range<usize>,
        ask: &Relevance,
        ratio: Ratio,
        kinds: Kinds,
        tokens: &dyn CountTokens,
    ) -> Self {
        let inside = text.get(span.clone()).unwrap_or_default();
        let shift =
            |block: Block| Block { span: span.start + block.span.start..span.start + block.span.end, kind: block.kind };
        let blocks: Vec<Block> = content::blocks(inside).into_iter().map(shift).collect();
        let part = |block: &Block| text.get(block.span.clone()).unwrap_or_default();
        let joins_tables = !ask.is_empty()
            && blocks.iter().any(|block| block.kind == Kind::Prose && part(block).contains(char::is_alphanumeric));
        let prose: Vec<Block> = blocks.iter().filter(|block| is_joint(block.kind, joins_tables)).cloned().collect();
        let narrow = matches!(ratio, Ratio::By(factor) if factor.value() >= NARROW);
        let tables = Tables { ask, narrow };
        Self { text, prose: Prose::read(text, prose, kinds, &tables, tokens), blocks, joins_tables }
    }

    /// Whether nothing in it may be changed.
    pub(super) fn is_protected(&self) -> bool {
        self.blocks.iter().all(|block| matches!(block.kind, Kind::Code | Kind::Diff | Kind::Opaque))
    }

    /// Ranks the prose by what is asked; where nothing is, by what the model would keep at `ratio`.
    pub(super) fn rank(
        &mut self,
        ask: &Relevance,
        ratio: Ratio,
        rewriter: Option<&mut dyn Rewriter>,
    ) -> Result<(), RewriteError> {
        if self.prose.is_empty() {
            return Ok(());
        }
        if ask.is_empty() {
            return match (rewriter, ratio) {
                (Some(rewriter), Ratio::By(factor)) => self.prose.consult(rewriter, factor.value()),
                _ => Ok(()),
            };
        }
        self.prose.rank(ask, &[]);
        if let Some(rewriter) = rewriter {
            let titled = self.prose.titled_units();
            let chosen = self.prose.compared(&titled, MOST_COMPARED);
            let units: Vec<&str> = chosen.iter().filter_map(|unit| titled.get(*unit)).map(String::as_str).collect();
            let (asked, meanings) = meanings(rewriter, ask.wording(), &units)?;
            let mut similarity = vec![0.0; titled.len()];
            for (unit, meaning) in chosen.iter().zip(&meanings) {
                if let Some(place) = similarity.get_mut(*unit) {
                    *place = asked.iter().zip(meaning).map(|(a, b)| a * b).sum();
                }
            }
            self.prose.rank(ask, &similarity);
            self.prose.compare(&chosen.into_iter().zip(meanings).collect::<Vec<_>>());
        }
        Ok(())
    }

    /// Renders the blocks that are no prose, and says what is left for the prose. `goal` is in target tokens; without
    /// one only what is redundant goes.
    pub(super) fn plan(&self, ask: &Relevance, goal: Option<usize>, tokens: &dyn CountTokens) -> Plan {
        let sizes: Vec<usize> = self.blocks.iter().map(|block| tokens.count(self.part(&block.span))).collect();
        let shares = goal.map(|goal| self.shares(ask, goal, &sizes));
        let render = |(index, block): (usize, &Block)| {
            let share = shares.as_ref().and_then(|shares| shares.get(index));
            let budget = share.map_or(Budget::Auto, |share| Budget::Tokens(*share));
            (!is_joint(block.kind, self.joins_tables && goal.is_some()))
                .then(|| content::render(self.part(&block.span), block.kind, ask, budget, tokens))
        };
        let rendered: Vec<Option<Rendered>> = self.blocks.iter().enumerate().map(render).collect();
        let least: usize = self.prose_shares(shares.as_deref().unwrap_or_default());
        let taken: usize = rendered.iter().flatten().map(|rendered| rendered.tokens).sum();
        // What other kinds leave over goes to the prose; what they take too much is not taken from it.
        Plan { rendered, prose: goal.map(|goal| goal.saturating_sub(taken).max(least)) }
    }

    /// Which phrases of the prose stay.
    pub(super) fn select(&self, plan: &Plan, tokens: &dyn CountTokens) -> Vec<bool> {
        match plan.prose {
            Some(budget) => self.prose.within(budget, tokens),
            None => self.prose.all_but_repeats(),
        }
    }

    /// Shorter forms of the units that `kept` cuts into, by unit.
    ///
    /// # Errors
    /// What `rewriter` reports.
    pub(super) fn shorten(
        &self,
        kept: &[bool],
        tokens: &dyn CountTokens,
        rewriter: &mut dyn Rewriter,
    ) -> Result<BTreeMap<usize, String>, RewriteError> {
        self.prose.shorten(kept, tokens, rewriter)
    }

    /// From now on the units of prose at these spans are kept or left out whole; whether any of them was not yet.
    pub(super) fn hold_whole(&mut self, spans: &[Range<usize>]) -> bool {
        self.prose.hold_whole(spans)
    }

    /// Each block's part of the goal: by its length, more for one that mentions what is asked; never more than it has.
    fn shares(&self, ask: &Relevance, goal: usize, sizes: &[usize]) -> Vec<usize> {
        let weight = |block: &Block| if ask.is_empty() { 1.0 } else { 0.5 + ask.mentions(self.part(&block.span)) };
        let weighted: Vec<f32> =
            self.blocks.iter().zip(sizes).map(|(block, size)| weight(block) * *size as f32).collect();
        let total: f32 = weighted.iter().sum::<f32>().max(1.0);
        weighted
            .iter()
            .zip(sizes)
            .map(|(weighted, size)| ((goal as f32 * weighted / total) as usize).min(*size))
            .collect()
    }

    fn prose_shares(&self, shares: &[usize]) -> usize {
        self.blocks
            .iter()
            .zip(shares)
            .filter(|(block, _)| is_joint(block.kind, self.joins_tables))
            .map(|(_, share)| share)
            .sum()
    }

    /// Puts the blocks together again as they stood: the condensed text and the account of every unit.
    pub(super) fn write(&self, plan: &Plan, kept: &[bool], rewrites: &BTreeMap<usize, String>) -> (String, Vec<Unit>) {
        let mut text = String::new();
        let mut units = Vec::new();
        let mut prose = self.prose.pieces(kept, rewrites).into_iter();
        for (block, rendered) in self.blocks.iter().zip(&plan.rendered) {
            match rendered {
                Some(rendered) => {
                    // Without a budget a table stands in its own form, and its rows among the prose are passed over.
                    if block.kind == Kind::Table && self.joins_tables {
                        prose.next();
                    }
                    text.push_str(&rendered.text);
                    units.extend(rendered.units.iter().map(|unit| shifted(unit, block.span.start)));
                }
                None => {
                    let Some(piece) = prose.next() else { continue };
                    text.push_str(&piece.text);
                    if !piece.text.is_empty() {
                        text.push_str(trailing_white(self.part(&block.span)));
                    }
                    units.extend(piece.units);
                }
            }
        }
        (text, units)
    }

    fn part(&self, span: &Range<usize>) -> &'a str {
        self.text.get(span.clone()).unwrap_or_default()
    }
}

/// Whether a block's units share one budget with the prose.
fn is_joint(kind: Kind, joins_tables: bool) -> bool {
    kind == Kind::Prose || (kind == Kind::Table && joins_tables)
}

/// A part of the message that stands word for word, as a unit.
pub(super) fn protected(text: &str, span: Range<usize>, why: &str) -> Option<Unit> {
    let inside = text.get(span.clone()).filter(|inside| !inside.is_empty())?;
    let unit = Unit {
        span,
        kind: "question",
        score: 1.0,
        redundancy: Redundancy::default(),
        decision: Decision::Kept,
        reason: why.into(),
        text: Some(inside.into()),
    };
    Some(unit)
}

fn shifted(unit: &Unit, by: usize) -> Unit {
    Unit { span: unit.span.start + by..unit.span.end + by, ..unit.clone() }
}

/// What is asked and each unit as vectors of length one; the units' are empty where the model knows no meanings.
fn meanings(
    rewriter: &mut dyn Rewriter,
    asked: &str,
    units: &[&str],
) -> Result<(Vec<f32>, Vec<Vec<f32>>), RewriteError> {
    let texts: Vec<&str> = std::iter::once(asked).chain(units.iter().copied()).collect();
    let mut meanings = rewriter.meanings(&texts)?.into_iter();
    match meanings.next().filter(|asked| !asked.is_empty()) {
        Some(asked) => Ok((asked, meanings.collect())),
        None => Ok((Vec::new(), Vec::new())),
    }
}

/// Bytes of units whose meaning is compared with the question's, about 3,000 tokens: the cost of a text grows up to
/// here and no further.
const MOST_COMPARED: usize = 12_000;

/// The ratio from which on columns go that nobody asks for.
const NARROW: f32 = 4.0;

fn trailing_white(text: &str) -> &str {
    text.get(text.trim_end().len()..).unwrap_or_default()
}
