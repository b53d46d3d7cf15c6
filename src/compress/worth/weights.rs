//! Every tuned number of the theory, with its unit, its range, the data that it was chosen on and what is lost without it.

/// How steeply relevance falls below the best one's: the power to which an item's share of the best score is raised.
/// Range 1–6. Without it (1) many half-relevant statements push out the one that answers.
pub(in crate::compress) const STEEPNESS: f32 = 4.0;

/// The share of a neighbour's score that an item gets. Range 0–0.5.
pub(in crate::compress) const NEIGHBOUR: f32 = 0.15;

/// The share of letters (in runs of three) from which a word stands for a word of the question that the text lacks.
/// Range 0.5–0.75.
pub(in crate::compress) const ALIKE: f32 = 0.6;

/// How far the budget gives way, as a share of what it leaves to the material, for the one statement that is worth more
/// than all that would fit. Range 0–0.5.
pub(in crate::compress) const GIVES_WAY: f32 = 0.4;

/// What similarity of meaning (a cosine, 0–1) counts beside the share of the best BM25 score. Range 0–4.
pub(in crate::compress) const MEANING: f32 = 3.0;

/// Bytes of items whose meaning is compared with the question's.
pub(in crate::compress) const MOST_COMPARED: usize = 12_000;

/// What a row weighs that has what the question denies (`not running`), beside 1; one that lacks it weighs the inverse.
/// Range 0–1.
pub(in crate::compress) const UNASKED: f32 = 0.02;

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

/// The power of the number of items that have a word by which it counts more: what recurs is what the text is about.
/// Range 0–0.7. Chosen on dev `blind`, 220 cases.
pub(in crate::compress) const TOPIC: f32 = 0.4;

/// The power of the same number by which it counts less where lexical redundancy is switched on. Range 0–1.
pub(in crate::compress) const SHARED_WORD: f32 = 0.5;
