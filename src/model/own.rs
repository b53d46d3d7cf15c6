//! Our own export, `headroom-t5/1`: one encoder that says what each word is worth and what a text means, and a decoder
//! that points at the spans to keep.
//!
//! Dynamic int8 takes one scale for each activation tensor, so in a batch a text's numbers change in the third digit with
//! its neighbours and with the padding. [`Own::read`] therefore runs one window at a time: what it says is a function of
//! the text, and windows are long enough for that to cost nothing. [`Own::rewrite`] has many short texts, which are up
//! to twice as fast together: they share batches, only ever with texts of the same call, and made up in the same way for
//! equal calls. A span can depend on the other texts of its call, never on other calls.

mod pointer;

use std::{ops::Range, path::Path};

use ort::value::DynValue;

use self::pointer::{Pointer, Step};
use super::{
    ModelError,
    batch::{MOST_ROWS, Padded},
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

/// A window of a text that is to be rewritten.
struct Row<'a> {
    text: &'a str,
    ratio: f32,
    tokens: Tokens,
    /// Which request it belongs to, and where in it.
    request: usize,
    part: usize,
}

impl Own {
    /// Loads a folder whose files were verified.
    pub(crate) fn load(folder: &Path, manifest: Manifest, threads: usize, watch: &Watch) -> Result<Self, ModelError> {
        let pieces = Pieces::load(&folder.join("tokenizer.json"))?;
        let encoder = Graph::load(&folder.join("encoder.onnx"), threads, watch)?;
        let decoder = Graph::load(&folder.join("decoder.onnx"), threads, watch)?;
        encoder.expect(&["input_ids", "attention_mask", "ratio"], &["last_hidden_state", "keep", "pooled"])?;
        decoder.expect(&["previous", "phase", "remaining", "position_of_previous"], &["logits"])?;
        let wrong = match manifest.max_tokens {
            0 => Some("max_tokens is 0"),
            _ if manifest.rarities > 0 => Some("the encoder wants `rarity`, which this version does not give"),
            _ => None,
        };
        if let Some(why) = wrong {
            return Err(ModelError::Description { path: folder.join("manifest.json"), why: why.to_owned() });
        }
        Ok(Self { manifest, pieces, encoder, decoder })
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Whether its rewrites are worth their time.
    pub(crate) const fn rewrites(&self) -> bool {
        self.manifest.rewrites
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
            let ids = tokens.slice(&window).ids;
            let outputs = self.encode(&Padded::new(&[&ids], self.manifest.pad_token_id)?, &[ratio], stop)?;
            let ([_, _], of_window) = outputs.floats("keep")?;
            logits.extend_from_slice(of_window);
            let ([_, _], pooled) = outputs.floats("pooled")?;
            // A longer text means what its pieces mean, each by its share of the tokens.
            let share = window.len() as f32;
            meaning.iter_mut().zip(pooled).for_each(|(sum, value)| *sum += value * share);
        }
        super::normalise(&mut meaning);
        Ok(Encoded { keep: word_scores(text, &tokens, &logits), meaning })
    }

    fn encode(&mut self, rows: &Padded, ratios: &[f32], stop: &Interrupt) -> Result<Outputs, RewriteError> {
        let ratios = tensor(&[ratios.len()], ratios.to_vec())?;
        self.encoder.run(stop, &[("input_ids", &rows.ids), ("attention_mask", &rows.mask), ("ratio", &ratios)])
    }

    /// See [`Rewriter::rewrite`](crate::compress::Rewriter::rewrite).
    pub(crate) fn rewrite(
        &mut self,
        requests: &[RewriteRequest<'_>],
        stop: &Interrupt,
    ) -> Result<Vec<Option<String>>, RewriteError> {
        let mut rows = Vec::new();
        // For each request the texts of its windows; `None` for one that the model must not shorten.
        let mut written = Vec::new();
        for (request, RewriteRequest { text, ratio }) in requests.iter().enumerate() {
            let tokens = self.pieces.encode(text, false)?;
            let windows = tokens.windows(text, self.manifest.max_tokens);
            let whole = windows.iter().all(|window| between_words(text, &tokens, window.start));
            let may = whole && !tokens.ids.is_empty();
            written.push(may.then(|| vec![String::new(); windows.len()]));
            let row = |(part, window)| Row { text, ratio: *ratio, tokens: tokens.slice(window), request, part };
            rows.extend(windows.iter().enumerate().filter(|_| may).map(row));
        }
        // Rows of about the same length need little padding and end at about the same step.
        rows.sort_by_key(|row| (row.tokens.ids.len(), row.request, row.part));
        for batch in rows.chunks(MOST_ROWS) {
            for (row, text) in batch.iter().zip(self.point(batch, stop)?) {
                let parts = written.get_mut(row.request).and_then(Option::as_mut);
                if let Some(part) = parts.and_then(|parts| parts.get_mut(row.part)) {
                    *part = text;
                }
            }
        }
        Ok(written.into_iter().zip(requests).map(|(parts, request)| super::shorter(&parts?, request.text)).collect())
    }

    /// Points at spans of each row in one batch and gives their text.
    fn point(&mut self, rows: &[Row<'_>], stop: &Interrupt) -> Result<Vec<String>, RewriteError> {
        let ids: Vec<&[i64]> = rows.iter().map(|row| row.tokens.ids.as_slice()).collect();
        let ratios: Vec<f32> = rows.iter().map(|row| row.ratio).collect();
        let padded = Padded::new(&ids, self.manifest.pad_token_id)?;
        let mut encoded = self.encode(&padded, &ratios, stop)?;
        // These go from one graph to the other as they are, and stay for all steps.
        let mut fixed = vec![("encoder_attention_mask".to_owned(), padded.mask)];
        for name in self.caches("cross").chain(["pointer.key".to_owned()]) {
            let value = encoded.take(&name)?;
            fixed.push((name, value));
        }

        let mut pointers: Vec<Pointer> =
            rows.iter().map(|row| Pointer::new(row.text, &row.tokens, row.ratio)).collect();
        let mut past = self.empty_past(rows.len())?;
        // Starts and ends alternate in all rows at once; a row that has ended runs along and is ignored.
        while pointers.iter().any(Pointer::is_open) {
            let steps: Vec<Step> = pointers.iter().map(Pointer::step).collect();
            let moving = moving_inputs(&encoded, &steps)?;
            let inputs: Vec<(&str, &DynValue)> =
                fixed.iter().chain(&moving).chain(&past).map(|(name, value)| (name.as_str(), value)).collect();
            let mut outputs = self.decoder.run(stop, &inputs)?;
            let ([_, choices], logits) = outputs.floats("logits")?;
            for (pointer, logits) in pointers.iter_mut().zip(logits.chunks(choices.max(1))) {
                pointer.choose(logits);
            }
            past = self.past_from(&mut outputs)?;
        }
        Ok(pointers.iter().zip(rows).map(|(pointer, row)| pointer.text(row.text)).collect())
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

/// What each row was pointed at last, and what it has left.
fn moving_inputs(encoded: &Outputs, steps: &[Step]) -> Result<Vec<(String, DynValue)>, RunError> {
    let rows = steps.len();
    let ([_, longest, wide], states) = encoded.floats("last_hidden_state")?;
    let mut previous = Vec::with_capacity(rows * wide);
    for (row, step) in steps.iter().enumerate() {
        let state = step.previous.and_then(|at| states.get((row * longest + at) * wide..)?.get(..wide));
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
