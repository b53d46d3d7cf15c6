//! Our own export, `headroom-t5/1`: one encoder that says what each word is worth and what a text means, and a decoder
//! that points at the spans to keep.
//!
//! The encoder runs one text at a time. Dynamic int8 takes one scale for each activation tensor, so in a batch a text's
//! numbers would change with its neighbours and with the padding; alone they are a function of the text, and on a CPU
//! it costs no more (a batch of eight takes as long as eight runs, and wastes the padding). A decoder step, in contrast,
//! is mostly overhead: there rows share a batch, always of one call of [`Own::rewrite`], made up in the same way
//! for equal calls. A span can therefore depend on the other texts of the same call, never on other calls.

mod pointer;

use std::{ops::Range, path::Path};

use ort::value::DynValue;

use self::pointer::{Pointer, Step};
use super::{
    ModelError,
    graph::{Graph, Outputs, RunError, tensor},
    manifest::Manifest,
    pieces::{Pieces, Tokens, words},
    watch::Watch,
};
use crate::compress::{Encoded, Interrupt, RewriteError, RewriteRequest};

/// A loaded `headroom-t5/1` folder.
#[derive(Debug)]
pub(crate) struct Own {
    manifest: Manifest,
    pieces: Pieces,
    encoder: Graph,
    decoder: Graph,
}

/// One encoder run over one text of at most the window.
struct Reading {
    outputs: Outputs,
    tokens: Tokens,
}

impl Own {
    /// Loads a folder whose files were verified.
    pub(crate) fn load(folder: &Path, manifest: Manifest, threads: usize, watch: &Watch) -> Result<Self, ModelError> {
        let pieces = Pieces::load(&folder.join("tokenizer.json"))?;
        let encoder = Graph::load(&folder.join("encoder.onnx"), threads, watch)?;
        let decoder = Graph::load(&folder.join("decoder.onnx"), threads, watch)?;
        encoder.expect(&["input_ids", "attention_mask", "ratio"], &["last_hidden_state", "keep", "pooled"])?;
        decoder.expect(&["previous", "phase", "remaining", "position_of_previous"], &["logits"])?;
        if manifest.max_tokens == 0 {
            let why = "max_tokens is 0".to_owned();
            return Err(ModelError::Description { path: folder.join("manifest.json"), why });
        }
        Ok(Self { manifest, pieces, encoder, decoder })
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// See [`Rewriter::read`](crate::compress::Rewriter::read).
    pub(crate) fn read(&mut self, texts: &[&str], ratio: f32, stop: &Interrupt) -> Result<Vec<Encoded>, RewriteError> {
        texts.iter().map(|text| self.read_one(text, ratio, stop)).collect()
    }

    fn read_one(&mut self, text: &str, ratio: f32, stop: &Interrupt) -> Result<Encoded, RewriteError> {
        let tokens = self.pieces.encode(text, false)?;
        let mut logits = Vec::with_capacity(tokens.ids.len());
        let mut meaning = vec![0.0; self.manifest.embedding];
        if tokens.ids.is_empty() {
            return Ok(Encoded { keep: Vec::new(), meaning });
        }
        for window in tokens.windows(text, self.manifest.max_tokens) {
            let reading = self.encode(tokens.slice(&window), ratio, stop)?;
            let ([_, _], of_window) = reading.outputs.floats("keep")?;
            logits.extend_from_slice(of_window);
            let ([_, _], pooled) = reading.outputs.floats("pooled")?;
            // A longer text means what its pieces mean, each by its share of the tokens.
            let share = window.len() as f32;
            meaning.iter_mut().zip(pooled).for_each(|(sum, value)| *sum += value * share);
        }
        super::normalise(&mut meaning);
        Ok(Encoded { keep: word_scores(text, &tokens, &logits), meaning })
    }

    fn encode(&mut self, tokens: Tokens, ratio: f32, stop: &Interrupt) -> Result<Reading, RewriteError> {
        let length = tokens.ids.len();
        let ids = tensor(&[1, length], tokens.ids.clone())?;
        let mask = tensor(&[1, length], vec![1_i64; length])?;
        let ratio = tensor(&[1], vec![ratio])?;
        let inputs = [("input_ids", &ids), ("attention_mask", &mask), ("ratio", &ratio)];
        Ok(Reading { outputs: self.encoder.run(stop, &inputs)?, tokens })
    }

    /// See [`Rewriter::rewrite`](crate::compress::Rewriter::rewrite).
    pub(crate) fn rewrite(
        &mut self,
        requests: &[RewriteRequest<'_>],
        stop: &Interrupt,
    ) -> Result<Vec<Option<String>>, RewriteError> {
        // One row for each window of each text; `None` marks a text that the model must not shorten.
        let mut rows = Vec::new();
        let mut parts: Vec<Option<Vec<String>>> = Vec::new();
        for (at, request) in requests.iter().enumerate() {
            let tokens = self.pieces.encode(request.text, false)?;
            let windows = tokens.windows(request.text, self.manifest.max_tokens);
            let whole = windows.iter().all(|window| between_words(request.text, &tokens, window.start));
            parts.push((whole && !tokens.ids.is_empty()).then(|| vec![String::new(); windows.len()]));
            if whole && !tokens.ids.is_empty() {
                rows.extend(windows.iter().enumerate().map(|(part, window)| (at, part, tokens.slice(window))));
            }
        }
        // Rows of about the same length end at about the same step, and need little padding.
        rows.sort_by_key(|(at, part, tokens)| (tokens.ids.len(), *at, *part));
        for batch in rows.chunks(super::MOST_ROWS) {
            let sources: Vec<(&RewriteRequest<'_>, &Tokens)> =
                batch.iter().filter_map(|(at, _, tokens)| Some((requests.get(*at)?, tokens))).collect();
            let texts = self.point(&sources, stop)?;
            for ((at, part, _), text) in batch.iter().zip(texts) {
                if let Some(slot) = parts.get_mut(*at).and_then(Option::as_mut).and_then(|parts| parts.get_mut(*part)) {
                    *slot = text;
                }
            }
        }
        Ok(parts.into_iter().zip(requests).map(|(parts, request)| super::shorter(&parts?, request.text)).collect())
    }

    /// Points at spans of each source in one batch and gives their text.
    fn point(
        &mut self,
        sources: &[(&RewriteRequest<'_>, &Tokens)],
        stop: &Interrupt,
    ) -> Result<Vec<String>, RewriteError> {
        let mut readings = Vec::with_capacity(sources.len());
        for (request, tokens) in sources {
            readings.push(self.encode((*tokens).clone(), request.ratio, stop)?);
        }
        let longest = readings.iter().map(|reading| reading.tokens.ids.len()).max().unwrap_or(0);
        let fixed = self.decoder_inputs(&readings, longest)?;
        let mut pointers: Vec<Pointer> =
            sources.iter().map(|(request, tokens)| Pointer::new(request.text, tokens, request.ratio)).collect();
        let mut past = self.empty_past(readings.len())?;
        // Starts and ends alternate in all rows at once; a row that has ended runs along and is ignored.
        while pointers.iter().any(Pointer::is_open) {
            let steps: Vec<Step> = pointers.iter().map(Pointer::step).collect();
            let moving = self.moving_inputs(&readings, &steps)?;
            let inputs: Vec<(&str, &DynValue)> =
                fixed.iter().chain(&moving).chain(&past).map(|(name, value)| (name.as_str(), value)).collect();
            let mut outputs = self.decoder.run(stop, &inputs)?;
            let ([_, choices], logits) = outputs.floats("logits")?;
            for (pointer, logits) in pointers.iter_mut().zip(logits.chunks(choices.max(1))) {
                pointer.choose(logits);
            }
            past = self.past_from(&mut outputs)?;
        }
        Ok(pointers.iter().zip(sources).map(|(pointer, (request, _))| pointer.text(request.text)).collect())
    }

    /// What stays the same for all steps of a batch: the mask, and what the encoder prepared, padded to `longest`.
    fn decoder_inputs(&self, readings: &[Reading], longest: usize) -> Result<Vec<(String, DynValue)>, RunError> {
        let rows = readings.len();
        let mut mask = Vec::with_capacity(rows * longest);
        for reading in readings {
            let length = reading.tokens.ids.len();
            mask.extend((0..longest).map(|at| i64::from(at < length)));
        }
        let mut inputs = vec![("encoder_attention_mask".to_owned(), tensor(&[rows, longest], mask)?)];

        let mut keys = Vec::new();
        let mut width = 0;
        for reading in readings {
            let ([_, length, wide], values) = reading.outputs.floats("pointer.key")?;
            width = wide;
            keys.extend_from_slice(values);
            keys.resize(keys.len() + (longest - length) * wide, 0.0);
        }
        inputs.push(("pointer.key".to_owned(), tensor(&[rows, longest, width], keys)?));

        let (heads, wide) = (self.manifest.heads, self.manifest.head_width);
        for name in self.caches("cross") {
            let mut padded = Vec::with_capacity(rows * heads * longest * wide);
            for reading in readings {
                let ([_, _, length, _], values) = reading.outputs.floats(&name)?;
                for head in values.chunks((length * wide).max(1)) {
                    padded.extend_from_slice(head);
                    padded.resize(padded.len() + (longest - length) * wide, 0.0);
                }
            }
            inputs.push((name, tensor(&[rows, heads, longest, wide], padded)?));
        }
        Ok(inputs)
    }

    /// What each row was pointed at last, and what it has left.
    fn moving_inputs(&self, readings: &[Reading], steps: &[Step]) -> Result<Vec<(String, DynValue)>, RunError> {
        let (rows, wide) = (steps.len(), self.manifest.d_model);
        let mut previous = Vec::with_capacity(rows * wide);
        for (reading, step) in readings.iter().zip(steps) {
            let ([_, _, _], states) = reading.outputs.floats("last_hidden_state")?;
            let state = step.previous.and_then(|at| states.get(at * wide..(at + 1) * wide));
            match state {
                Some(state) => previous.extend_from_slice(state),
                None => previous.resize(previous.len() + wide, 0.0),
            }
        }
        let position = |step: &Step| step.previous.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1);
        Ok(vec![
            ("previous".to_owned(), tensor(&[rows, 1, wide], previous)?),
            ("phase".to_owned(), tensor(&[rows], steps.iter().map(|step| i64::from(step.at_end)).collect())?),
            ("remaining".to_owned(), tensor(&[rows], steps.iter().map(|step| step.left as f32).collect())?),
            ("position_of_previous".to_owned(), tensor(&[rows], steps.iter().map(position).collect())?),
        ])
    }

    fn empty_past(&self, rows: usize) -> Result<Vec<(String, DynValue)>, RunError> {
        let sizes = [rows, self.manifest.heads, 0, self.manifest.head_width];
        self.caches("past").map(|name| Ok((name, tensor::<f32>(&sizes, Vec::new())?))).collect()
    }

    fn past_from(&self, outputs: &mut Outputs) -> Result<Vec<(String, DynValue)>, RunError> {
        self.caches("past")
            .zip(self.caches("present"))
            .map(|(past, present)| Ok((past, outputs.take(&present)?)))
            .collect()
    }

    /// `cross.0.key`, `cross.0.value`, `cross.1.key`, …
    fn caches(&self, kind: &'static str) -> impl Iterator<Item = String> + use<> {
        (0..self.manifest.decoder_layers)
            .flat_map(move |layer| ["key", "value"].map(|part| format!("{kind}.{layer}.{part}")))
    }
}

/// Whether a window that begins at that token begins with a word, so that nothing is cut through.
fn between_words(text: &str, tokens: &Tokens, start: usize) -> bool {
    let words =
        words(text, tokens.spans.get(start.saturating_sub(1)..(start + 1).min(tokens.spans.len())).unwrap_or(&[]));
    !matches!(words.as_slice(), [Some(before), Some(after)] if start > 0 && before == after)
}

/// Each word's span with the probability that it stays: by the mean of its tokens' logits, as the layout has it.
fn word_scores(text: &str, tokens: &Tokens, logits: &[f32]) -> Vec<(Range<usize>, f32)> {
    let mut scores: Vec<(Range<usize>, f32, f32)> = Vec::new();
    for (word, logit) in words(text, &tokens.spans).into_iter().zip(logits) {
        let Some(word) = word else { continue };
        match scores.last_mut() {
            Some((last, sum, count)) if *last == word => (*sum, *count) = (*sum + logit, *count + 1.0),
            _ => scores.push((word, *logit, 1.0)),
        }
    }
    scores.into_iter().map(|(word, sum, count)| (word, 1.0 / (1.0 + (-sum / count).exp()))).collect()
}
