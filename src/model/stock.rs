//! Any T5 of the community, as `optimum-cli export onnx --task text2text-generation-with-past` writes it.
//!
//! The decoder is one merged graph or two, without and with past; fp32 or quantized. As with our own export, reading
//! runs one window at a time and rewriting shares batches among the texts of one call.

mod files;

use std::path::Path;

use ort::value::DynValue;

pub(crate) use self::files::Files;
use self::files::Settings;
use super::{
    ModelError,
    batch::{MOST_ROWS, Padded},
    graph::{Graph, Outputs, RunError, tensor},
    pieces::{Pieces, Tokens},
    watch::Watch,
};
use crate::compress::{Interrupt, RewriteError};

/// What T5 was taught to summarize by.
pub(crate) const PREFIX: &str = "summarize: ";

/// Tokens that a text may have: longer ones cost more for each token, and are taken in pieces.
const WINDOW: usize = 128;

/// A loaded stock export.
#[derive(Debug)]
pub(crate) struct Stock {
    settings: Settings,
    prefix: String,
    pieces: Pieces,
    encoder: Graph,
    decoder: Decoder,
}

#[derive(Debug)]
enum Decoder {
    /// One graph for both; `use_cache_branch` says which.
    Merged(Graph),
    Split {
        first: Graph,
        next: Graph,
    },
}

/// One row of a batch.
struct Row {
    ids: Vec<i64>,
    /// The most tokens to generate.
    limit: usize,
    /// Which request it belongs to, and where in it.
    request: usize,
    part: usize,
}

impl Stock {
    pub(crate) fn load(files: &Files, prefix: String, threads: usize, watch: &Watch) -> Result<Self, ModelError> {
        let settings = Settings::read(files)?;
        let pieces = Pieces::load(&files.tokenizer)?;
        let load = |path: &Path| Graph::load(path, threads, watch);
        let encoder = load(&files.encoder)?;
        encoder.expect(&["input_ids", "attention_mask"], &["last_hidden_state"])?;
        let decoder = match &files.decoder_with_past {
            None => Decoder::Merged(load(&files.decoder)?),
            Some(next) => Decoder::Split { first: load(&files.decoder)?, next: load(next)? },
        };
        decoder.expect()?;
        Ok(Self { settings, prefix, pieces, encoder, decoder })
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn vocabulary(&self) -> usize {
        self.pieces.vocabulary()
    }

    pub(crate) const fn window() -> usize {
        WINDOW
    }

    /// Each statement in the model's words, where those are fewer.
    pub(crate) fn rewrite(
        &mut self,
        statements: &[&str],
        stop: &Interrupt,
    ) -> Result<Vec<Option<String>>, RewriteError> {
        let prefix = self.prefix.clone();
        let around = self.pieces.encode(&prefix, true)?.ids.len();
        let mut rows = Vec::new();
        let mut written = Vec::new();
        for (request, text) in statements.iter().enumerate() {
            stop.check()?;
            let pieces = self.split(text, &prefix)?;
            written.push(vec![String::new(); pieces.len()]);
            for (part, ids) in pieces.into_iter().enumerate() {
                let own = ids.len().saturating_sub(around).max(1) as f32;
                let limit = ((own / RATIO).ceil() as usize).max(1);
                rows.push(Row { ids, limit, request, part });
            }
        }
        rows.sort_by_key(|row| (row.ids.len(), row.request, row.part));
        for batch in rows.chunks(MOST_ROWS) {
            for (row, ids) in batch.iter().zip(self.greedy(batch, stop)?) {
                if let Some(part) = written.get_mut(row.request).and_then(|parts| parts.get_mut(row.part)) {
                    *part = self.pieces.decode(&ids)?.trim().to_owned();
                }
            }
        }
        Ok(written.iter().zip(statements).map(|(parts, text)| super::shorter(parts, text)).collect())
    }

    /// The ids of each piece of the text with `prefix` before it, none longer than the window; none for a blank text.
    fn split(&self, text: &str, prefix: &str) -> Result<Vec<Vec<i64>>, RunError> {
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let whole = self.pieces.encode(&format!("{prefix}{text}"), true)?.ids;
        if whole.len() <= WINDOW {
            return Ok(vec![whole]);
        }
        let around = self.pieces.encode(prefix, true)?.ids.len();
        let tokens: Tokens = self.pieces.encode(text, false)?;
        let mut pieces = Vec::new();
        for window in tokens.windows(text, WINDOW.saturating_sub(around).max(1)) {
            let (Some(first), Some(last)) = (tokens.spans.get(window.start), tokens.spans.get(window.end - 1)) else {
                continue;
            };
            let piece = text.get(first.start..last.end).unwrap_or_default().trim();
            let mut ids = self.pieces.encode(&format!("{prefix}{piece}"), true)?.ids;
            // A piece may break into a token or two more than it had within the whole text.
            if ids.len() > WINDOW {
                ids.drain(WINDOW - 1..ids.len() - 1);
            }
            pieces.push(ids);
        }
        Ok(pieces)
    }

    fn encode(&mut self, rows: &Padded, stop: &Interrupt) -> Result<Outputs, RewriteError> {
        self.encoder.run(stop, &[("input_ids", &rows.ids), ("attention_mask", &rows.mask)])
    }

    /// The likeliest token at every step, until the end token or a row's limit.
    fn greedy(&mut self, sources: &[Row], stop: &Interrupt) -> Result<Vec<Vec<i64>>, RewriteError> {
        let rows = sources.len();
        let ids: Vec<&[i64]> = sources.iter().map(|row| row.ids.as_slice()).collect();
        let padded = Padded::new(&ids, self.settings.pad)?;
        let states = self.encode(&padded, stop)?.take("last_hidden_state")?;

        let mut written: Vec<Vec<i64>> = vec![Vec::new(); rows];
        let mut open = vec![true; rows];
        let mut tokens = vec![self.settings.start; rows];
        let mut past: Vec<(String, DynValue)> = Vec::new();
        while open.contains(&true) {
            let ids = tensor(&[rows, 1], tokens.clone())?;
            let fixed =
                [("input_ids", &ids), ("encoder_attention_mask", &padded.mask), ("encoder_hidden_states", &states)];
            let mut outputs = self.decoder.step(&self.settings, rows, &fixed, &past, stop)?;
            let ([_, steps, width], logits) = outputs.floats("logits")?;
            for (row, logits) in logits.chunks((steps * width).max(1)).enumerate() {
                let best = logits.get((steps - 1) * width..).map_or(self.settings.pad, likeliest);
                let (Some(text), Some(open), Some(token), Some(source)) =
                    (written.get_mut(row), open.get_mut(row), tokens.get_mut(row), sources.get(row))
                else {
                    continue;
                };
                *token = if *open { best } else { self.settings.pad };
                if *open {
                    text.push(best);
                    *open = !self.settings.ends.contains(&best) && text.len() < source.limit;
                }
            }
            self.decoder.remember(&mut past, &mut outputs)?;
        }
        Ok(written)
    }
}

impl Decoder {
    /// Checks inputs and outputs that no export lacks.
    fn expect(&self) -> Result<(), ModelError> {
        let inputs = ["input_ids", "encoder_attention_mask"];
        match self {
            Self::Merged(graph) => graph.expect(&[&inputs[..], &["use_cache_branch"]].concat(), &["logits"]),
            Self::Split { first, next } => {
                first.expect(&inputs, &["logits"])?;
                next.expect(&inputs, &["logits"])
            }
        }
    }

    /// One step; `past` is empty in the first.
    fn step(
        &mut self,
        settings: &Settings,
        rows: usize,
        fixed: &[(&str, &DynValue)],
        past: &[(String, DynValue)],
        stop: &Interrupt,
    ) -> Result<Outputs, RewriteError> {
        let mut own = Vec::new();
        let graph = match self {
            Self::Split { first, .. } if past.is_empty() => first,
            Self::Split { next, .. } => next,
            Self::Merged(graph) => {
                own.push(("use_cache_branch".to_owned(), tensor(&[1], vec![!past.is_empty()])?));
                if past.is_empty() {
                    let sizes = [rows, settings.heads, 0, settings.head_width];
                    for present in graph.outputs_named("present.") {
                        own.push((past_name(&present), tensor::<f32>(&sizes, Vec::new())?));
                    }
                }
                graph
            }
        };
        let known = own.iter().chain(past).map(|(name, value)| (name.as_str(), value));
        let inputs: Vec<_> = fixed.iter().copied().chain(known).filter(|(name, _)| graph.takes(name)).collect();
        graph.run(stop, &inputs)
    }

    /// Makes the caches of this step the past of the next. The encoder's are made in the first step only.
    fn remember(&self, past: &mut Vec<(String, DynValue)>, outputs: &mut Outputs) -> Result<(), RunError> {
        let first = past.is_empty();
        let graph = match self {
            Self::Merged(graph) => graph,
            Self::Split { first: graph, .. } if first => graph,
            Self::Split { next, .. } => next,
        };
        for present in graph.outputs_named("present.") {
            let name = past_name(&present);
            if first {
                past.push((name, outputs.take(&present)?));
            } else if present.contains(".decoder.")
                && let Some((_, value)) = past.iter_mut().find(|(known, _)| *known == name)
            {
                *value = outputs.take(&present)?;
            }
        }
        Ok(())
    }
}

fn past_name(present: &str) -> String {
    present.replacen("present.", "past_key_values.", 1)
}

/// The index of the largest; the lowest on a tie.
fn likeliest(logits: &[f32]) -> i64 {
    let mut best = (0, f32::NEG_INFINITY);
    for (at, logit) in logits.iter().enumerate() {
        if *logit > best.1 {
            best = (at, *logit);
        }
    }
    best.0 as i64
}

/// How much shorter a statement is to become; more is not said without losing an atom.
const RATIO: f32 = 2.0;

#[cfg(test)]
impl Stock {
    /// What the reference file holds: the states of a text without a prefix, and `limit` tokens at most.
    pub(super) fn states_and_tokens(&mut self, text: &str, limit: usize) -> (Vec<f32>, Vec<i64>) {
        let ids = self.pieces.encode(text, true).unwrap().ids;
        let outputs = self.encode(&Padded::new(&[&ids], 0).unwrap(), &Interrupt::never()).unwrap();
        let states = outputs.floats::<3>("last_hidden_state").unwrap().1.to_vec();
        let row = Row { ids, limit, request: 0, part: 0 };
        (states, self.greedy(&[row], &Interrupt::never()).unwrap().remove(0))
    }
}
