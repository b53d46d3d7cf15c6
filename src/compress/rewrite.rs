//! What the pipeline asks of a model: what texts mean, and how statements may be shortened.

use std::{fmt, sync::Arc};

use super::syntax::Syntax;

/// A sequence-to-sequence model, as far as the pipeline needs one.
///
/// Implementations are deterministic: equal requests give equal answers whatever else runs in the batch.
pub trait Rewriter {
    /// Names the weights, the tokenizer and the code that runs them; part of every cache key.
    fn fingerprint(&self) -> &str;

    /// Sets what is asked between batches and between decoder steps of every later call, until the next one is set; a
    /// call that it ends decides nothing. Without one, calls run to their end. What answers at once may ignore it.
    fn interrupt(&mut self, interrupt: Interrupt) {
        let _ = interrupt;
    }

    /// Sets whose texts later calls are about: what is remembered of one tenant's serves no other's.
    fn tenant(&mut self, tenant: [u8; 16]) {
        let _ = tenant;
    }

    /// Whether this model says how statements may be shortened; `false` for one that only compares meanings.
    fn shortens(&self) -> bool {
        true
    }

    /// What it says of each statement that may become shorter, in one batch; `None` where it has nothing to offer.
    ///
    /// # Errors
    /// See [`RewriteError`].
    fn shorten(&mut self, statements: &[&str]) -> Result<Vec<Option<Shorter>>, RewriteError>;

    /// What each text means: a vector of length one, so that the scalar product of two is their similarity of meaning.
    /// Empty vectors where the model knows none.
    ///
    /// # Errors
    /// See [`RewriteError`].
    fn meanings(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, RewriteError> {
        Ok(texts.iter().map(|_| Vec::new()).collect())
    }
}

/// Says whether work that is under way should end: the job's deadline has passed, or nobody waits for it any more.
///
/// The pipeline reads no clock and knows no connections, so whoever owns the job hands this in.
#[derive(Clone)]
pub struct Interrupt(Arc<dyn Fn() -> Result<(), RewriteError> + Send + Sync>);

impl Interrupt {
    /// Asks `check`, which must be cheap: it runs once a decoder step, that is every millisecond or so.
    pub fn new(check: impl Fn() -> Result<(), RewriteError> + Send + Sync + 'static) -> Self {
        Self(Arc::new(check))
    }

    /// Never ends anything.
    #[must_use]
    pub fn never() -> Self {
        Self::new(|| Ok(()))
    }

    /// Whether to go on.
    ///
    /// # Errors
    /// Why to end: [`RewriteError::Deadline`] or [`RewriteError::Cancelled`].
    pub fn check(&self) -> Result<(), RewriteError> {
        (self.0)()
    }
}

impl Default for Interrupt {
    fn default() -> Self {
        Self::never()
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interrupt")
    }
}

/// How a model says that a statement may be shortened.
#[derive(Debug, Clone, PartialEq)]
pub enum Shorter {
    /// By its syntax, from which constituents that are optional can be told.
    Syntax(Syntax),
    /// In words of the model's own.
    Text(String),
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
    /// The model is busy with others, or hangs.
    #[error("the model is busy")]
    Overloaded,
    /// The model itself failed.
    #[error("the model failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}
