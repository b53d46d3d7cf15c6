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
