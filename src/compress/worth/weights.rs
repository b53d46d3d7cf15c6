//! Every tuned number of the theory, with its unit, its range, the data that it was chosen on and what is lost without it.

/// Relevance of an item that shares nothing with what is asked, beside 1 for the best one. Range 0–1.
pub(in crate::compress) const UNASKED: f32 = 0.02;

/// What similarity of meaning (a cosine, 0–1) counts beside the share of the best BM25 score. Range 0–2.
pub(in crate::compress) const MEANING: f32 = 1.0;

/// Bytes of items whose meaning is compared with the question's.
pub(in crate::compress) const MOST_COMPARED: usize = 12_000;

/// Salience of the first and the last row of a table. Range 1–5.
pub(in crate::compress) const ENDS: f32 = 2.0;

/// Salience of a row that differs from the others where they agree, or states a figure far from theirs: as much as
/// relevance to the question makes up, so that the odd row stands beside the asked one. Range 5–100.
pub(in crate::compress) const ODD: f32 = 30.0;

/// Salience of a row that reports trouble. Range 5–100.
pub(in crate::compress) const TROUBLE: f32 = 40.0;

/// Salience of the row with the most or the least of a column, where that is asked for. Range 5–100.
pub(in crate::compress) const EXTREME: f32 = 50.0;

/// The share of rows that must agree in a column (or state figures in it) to be a rule from which one can differ.
pub(in crate::compress) const MOSTLY: f32 = 0.8;

/// The largest share of rows that can be exceptions of one kind.
pub(in crate::compress) const FEW_ODD: f32 = 0.12;

/// Tokens of a cell or a value that tells as much as any longer one; longer ones may be left out of their row.
pub(in crate::compress) const LONG_VALUE: usize = 24;

/// The share of its tokens that writing a JSON value in another way must save: less is not worth being unlike the source.
pub(in crate::compress) const LEAST_SAVED: f32 = 0.1;

/// Rows that must fit whole before a table keeps all its columns. Range 1–10.
pub(in crate::compress) const FEW_ROWS: usize = 3;

/// How much more than any other a column tells that names its rows. Range 1–4.
pub(in crate::compress) const NAMING: f32 = 1.5;

/// Salience of what all rows share where the question says it itself: the reader knows it. Range 0–1.
pub(in crate::compress) const ECHO: f32 = 0.02;
