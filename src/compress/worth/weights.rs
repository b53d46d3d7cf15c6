//! Every tuned number of the theory, with its unit, its range, the data that it was chosen on and what is lost without it.

/// Relevance of an item that shares nothing with what is asked, beside 1 for the best one. Range 0–1.
pub(in crate::compress) const UNASKED: f32 = 0.02;

/// What similarity of meaning (a cosine, 0–1) counts beside the share of the best BM25 score. Range 0–2.
pub(in crate::compress) const MEANING: f32 = 1.0;

/// Bytes of items whose meaning is compared with the question's.
pub(in crate::compress) const MOST_COMPARED: usize = 12_000;

/// Salience of a label (a speaker's name, an id, the head of a mail) by itself: it comes along with what it owns, and
/// tells nothing alone. Range 0–1.
pub(in crate::compress) const LABEL: f32 = 0.0;
/// Salience of the row with the most or the least of a column, where that is asked for. Range 5–100.
pub(in crate::compress) const EXTREME: f32 = 50.0;

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
