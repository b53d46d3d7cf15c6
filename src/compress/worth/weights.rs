//! Every tuned number of the theory, with its unit, its range, the data that it was chosen on and what is lost without it.

/// Relevance of an item that shares nothing with what is asked, beside 1 for the best one. Range 0–1.
pub(in crate::compress) const UNASKED: f32 = 0.02;

/// What similarity of meaning (a cosine, 0–1) counts beside the share of the best BM25 score. Range 0–2.
pub(in crate::compress) const MEANING: f32 = 1.0;

/// Bytes of items whose meaning is compared with the question's.
pub(in crate::compress) const MOST_COMPARED: usize = 12_000;

/// What a bit counts by which a row's rarest value is more surprising than its column is on average; a row without any
/// weighs 1. Range 0–2. Chosen on the command outputs in `fixtures/listing`: without it the one pod of eighty that
/// crashes is a row like the others where the question does not name it.
pub(in crate::compress) const ODD: f32 = 1.0;

/// What the first and the last entry of a list and the first hit of each file weigh beside 1. Range 1–3. Without it
/// nothing says from where to where a list goes, and one file's hits push out those of all others.
pub(in crate::compress) const EDGE: f32 = 2.0;
/// How much more telling a log line is that says something failed, and what a trace or a compiler's message begins and
/// ends with. A factor, 1–100.
pub(in crate::compress) const LOG_ERROR: f32 = 8.0;

/// The same for a warning, and for the place nearest to a failure. A factor, 1–100.
pub(in crate::compress) const LOG_WARNING: f32 = 3.0;

/// The same for the first and the last line of a log. A factor, 1–100.
pub(in crate::compress) const LOG_EDGE: f32 = 2.0;

/// How much each nat counts by which a line's template or one of its values is more surprising than usual in its column.
/// Per nat, 0–2.
pub(in crate::compress) const LOG_SURPRISE: f32 = 1.0;
