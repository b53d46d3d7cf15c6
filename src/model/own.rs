//! Our own export, `headroom-t5/2`: one encoder that reads the syntax of statements.
//!
//! Dynamic int8 takes one scale for each activation tensor, so in a batch a statement's numbers change in the third digit
//! with its neighbours and with the padding. Statements share batches, since they are up to twice as fast together, but
//! only with those of the same call, and made up in the same way for equal calls: what is said of a statement can depend
//! on the other statements of its text, never on other texts.

use std::{ops::Range, path::Path};

use super::{
    ModelError,
    batch::{MOST_ROWS, Padded},
    graph::{Graph, Outputs, RunError},
    manifest::Manifest,
    pieces::{Pieces, Tokens},
    watch::Watch,
};
use crate::compress::{Interrupt, Relation, RewriteError, Syntax, Tag, Word};

/// A loaded `headroom-t5/2` folder.
#[derive(Debug)]
pub(crate) struct Own {
    manifest: Manifest,
    pieces: Pieces,
    encoder: Graph,
    relations: Vec<Named>,
    tags: Vec<Tag>,
}

/// What a piece is to its head.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Named {
    /// A part of the word that its head begins.
    Inside,
    Relation(Relation),
}

/// The relation of a piece to the first piece of its word.
const INSIDE: &str = "in";

impl Own {
    /// Loads a folder whose files were verified.
    pub(crate) fn load(folder: &Path, manifest: Manifest, threads: usize, watch: &Watch) -> Result<Self, ModelError> {
        let pieces = Pieces::load(&folder.join("tokenizer.json"))?;
        let encoder = Graph::load(&folder.join("encoder.onnx"), threads, watch)?;
        encoder.expect(&["input_ids", "attention_mask"], &["head", "relation", "tag", "certain"])?;
        let missing = match manifest.max_tokens {
            0 => Some("max_tokens is 0"),
            _ if !manifest.relations.iter().any(|name| name == INSIDE) => Some("`relations` lacks `in`"),
            _ if manifest.tags.is_empty() => Some("`tags` is empty"),
            _ => None,
        };
        if let Some(why) = missing {
            return Err(ModelError::Description { path: folder.join("manifest.json"), why: why.to_owned() });
        }
        let named = |name: &String| match name.as_str() {
            INSIDE => Named::Inside,
            name => Named::Relation(Relation::named(name)),
        };
        let relations = manifest.relations.iter().map(named).collect();
        let tags = manifest.tags.iter().map(|name| Tag::named(name)).collect();
        Ok(Self { manifest, pieces, encoder, relations, tags })
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The syntax of each statement; `None` for one that is longer than the window, or that has no words.
    pub(crate) fn read(&mut self, statements: &[&str], stop: &Interrupt) -> Result<Vec<Option<Syntax>>, RewriteError> {
        let mut rows = Vec::new();
        for (at, text) in statements.iter().enumerate() {
            // No statement of so many bytes fits, whatever its tokens.
            if text.len() > self.manifest.max_tokens * MOST_BYTES {
                continue;
            }
            stop.check()?;
            let tokens = self.pieces.encode(text, false)?;
            if (1..=self.manifest.max_tokens).contains(&tokens.ids.len()) {
                rows.push((at, tokens));
            }
        }
        // Rows of about the same length need little padding.
        rows.sort_by_key(|(at, tokens)| (tokens.ids.len(), *at));
        let mut found = vec![None; statements.len()];
        for batch in rows.chunks(MOST_ROWS) {
            let ids: Vec<&[i64]> = batch.iter().map(|(_, tokens)| tokens.ids.as_slice()).collect();
            let padded = Padded::new(&ids, self.manifest.pad_token_id)?;
            let outputs = self.encoder.run(stop, &[("input_ids", &padded.ids), ("attention_mask", &padded.mask)])?;
            let read = Read::new(&outputs)?;
            for (row, (at, tokens)) in batch.iter().enumerate() {
                let text = statements.get(*at).copied().unwrap_or_default();
                if let Some(place) = found.get_mut(*at) {
                    *place = self.syntax(text, tokens, &read, row);
                }
            }
        }
        Ok(found)
    }

    /// The pieces of a row put together to words.
    fn syntax(&self, text: &str, tokens: &Tokens, read: &Read<'_>, row: usize) -> Option<Syntax> {
        let mut words: Vec<Word> = Vec::new();
        // For each piece the word that it belongs to.
        let mut owner: Vec<usize> = Vec::with_capacity(tokens.spans.len());
        for (piece, span) in tokens.spans.iter().enumerate() {
            let at = row * read.width + piece;
            let named = usize::try_from(*read.relation.get(at)?).ok().and_then(|at| self.relations.get(at))?;
            let visible = visible(text, span);
            match (named, words.last_mut()) {
                (Named::Inside, Some(word)) => {
                    if let Some(visible) = visible {
                        word.span.end = word.span.end.max(visible.end);
                    }
                }
                _ => {
                    let relation = match named {
                        Named::Relation(relation) => *relation,
                        Named::Inside => Relation::Other,
                    };
                    let tag = usize::try_from(*read.tag.get(at)?).ok().and_then(|at| self.tags.get(at)).copied()?;
                    words.push(Word {
                        span: visible.unwrap_or(span.end..span.end),
                        head: usize::try_from(*read.head.get(at)?).ok()?,
                        relation,
                        tag,
                        certain: *read.certain.get(at)?,
                    });
                }
            }
            owner.push(words.len() - 1);
        }
        for word in &mut words {
            word.head = *owner.get(word.head)?;
        }
        Some(Syntax { words })
    }
}

/// Bytes of the longest piece of the tokenizer.
const MOST_BYTES: usize = 24;

/// A piece's bytes without the white space around it.
fn visible(text: &str, span: &Range<usize>) -> Option<Range<usize>> {
    let inside = text.get(span.clone())?;
    let start = span.start + (inside.len() - inside.trim_start().len());
    let end = span.end - (inside.len() - inside.trim_end().len());
    (start < end).then_some(start..end)
}

/// What the encoder says of a batch, row by row.
struct Read<'o> {
    width: usize,
    head: &'o [i64],
    relation: &'o [i64],
    tag: &'o [i64],
    certain: &'o [f32],
}

impl<'o> Read<'o> {
    fn new(outputs: &'o Outputs) -> Result<Self, RunError> {
        let ([_, width], certain) = outputs.floats("certain")?;
        let ([_, _], head) = outputs.integers("head")?;
        let ([_, _], relation) = outputs.integers("relation")?;
        let ([_, _], tag) = outputs.integers("tag")?;
        Ok(Self { width, head, relation, tag, certain })
    }
}
