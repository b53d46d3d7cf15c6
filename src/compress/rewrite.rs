//! What the pipeline asks of a model: read texts (scores and meaning), and rewrite them under a length.

use std::ops::Range;

/// A sequence-to-sequence model, as far as the pipeline needs one.
///
/// Implementations are deterministic: equal requests give equal answers whatever else runs in the batch.
pub trait Rewriter {
    /// Names the weights, the tokenizer and the code that runs them; part of every cache key.
    fn fingerprint(&self) -> &str;

    /// The longest text that [`Rewriter::read`] and [`Rewriter::rewrite`] take whole, in bytes of ordinary English;
    /// a longer one is cut at the model's own limit.
    fn window(&self) -> usize;

    /// Reads each text once: what each of its words is worth at `ratio`, and what the whole of it means.
    ///
    /// # Errors
    /// See [`RewriteError`].
    fn read(&mut self, texts: &[&str], ratio: f32) -> Result<Vec<Encoded>, RewriteError>;

    /// What each text means: a vector of length one, so that the scalar product of two is their similarity of meaning.
    /// Cheaper and better at relevance than [`Rewriter::read`] where a sentence encoder is present; empty vectors where
    /// the model knows none.
    ///
    /// # Errors
    /// See [`RewriteError`].
    fn meanings(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, RewriteError> {
        Ok(texts.iter().map(|_| Vec::new()).collect())
    }

    /// Rewrites each text in one batch; `None` where the model has no shorter form to offer.
    ///
    /// # Errors
    /// See [`RewriteError`].
    fn rewrite(&mut self, requests: &[RewriteRequest<'_>]) -> Result<Vec<Option<String>>, RewriteError>;
}

/// One reading of one text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Encoded {
    /// For each model token: its byte span in the text and the probability (0–1) that it should stay. Empty where the
    /// model has no such head.
    pub keep: Vec<(Range<usize>, f32)>,
    /// The pooled encoder states, of length one; the scalar product of two is their similarity of meaning.
    pub meaning: Vec<f32>,
}

/// One text to rewrite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RewriteRequest<'a> {
    /// The source.
    pub text: &'a str,
    /// Original : compressed.
    pub ratio: f32,
}

/// Why a model gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum RewriteError {
    /// The request's time budget ran out.
    #[error("the time budget ran out")]
    Deadline,
    /// Whoever asked has gone.
    #[error("the request was cancelled")]
    Cancelled,
    /// The queue before the model is full.
    #[error("the model's queue is full")]
    Overloaded,
    /// The model itself failed.
    #[error("the model failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}
