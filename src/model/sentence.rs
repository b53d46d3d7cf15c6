//! What short texts mean: all-MiniLM-L6-v2, a sentence encoder trained for retrieval, run with 8-bit integers.
//!
//! Relevance to a question is its job, and it does that much better than a T5 of our size can: it learned from a
//! billion pairs. Its weights are third-party and are not in this repository. The build obtains them (see build.rs);
//! the arithmetic is ours (models/sentence-encoder/make_graph.py), is part of this program, and reads the weights by
//! byte offset from the file as published.

use std::{
    collections::BTreeMap,
    env, fmt,
    path::{Path, PathBuf},
};

use super::{
    ModelError,
    graph::{Graph, tensor},
    manifest::{self, Described, HashedFile},
    pieces::Pieces,
    watch::Watch,
};
use crate::compress::{Interrupt, RewriteError};

/// Written by models/sentence-encoder/make_graph.py.
const GRAPH: &[u8] = include_bytes!("../../models/sentence-encoder/graph.onnx");

/// The files as published; the graph's offsets hold for these weights alone.
const MANIFEST: &str = include_str!("../../models/sentence-encoder/manifest.json");

const WEIGHTS: &str = "model.safetensors";

const TOKENIZER: &str = "tokenizer.json";

/// The most tokens of a text that are read. The model was trained with up to 128; its positions end at 512.
const WINDOW: usize = 128;

/// The most texts in one run. Texts of one call are run in an order and in groups that depend on them alone, because a
/// quantized run scales its numbers by the largest of the whole group.
const GROUP: usize = 16;

/// A loaded sentence encoder.
pub(crate) struct SentenceEncoder {
    graph: Graph,
    pieces: Pieces,
    name: String,
    files: Vec<HashedFile>,
}

#[derive(serde::Deserialize)]
struct Published {
    name: String,
    files: BTreeMap<String, Described>,
}

impl SentenceEncoder {
    /// Loads the weights and the tokenizer from `folder`, for `threads` threads.
    ///
    /// # Errors
    /// A file that is missing or is not the published one, or what ONNX Runtime says.
    pub(crate) fn load(folder: &Path, threads: usize, watch: &Watch) -> Result<Self, ModelError> {
        let published: Published =
            manifest::parse(Path::new("models/sentence-encoder/manifest.json"), MANIFEST.as_bytes())?;
        // Before any of them is given to native code.
        let files = published.files.iter().map(|(name, file)| file.verify(folder, name)).collect::<Result<_, _>>()?;
        let graph = Graph::with_weights("sentence encoder", GRAPH, folder, threads, watch)?;
        graph.expect(&["input_ids", "attention_mask"], &["meaning"])?;
        let pieces = Pieces::load(&folder.join(TOKENIZER))?;
        Ok(Self { graph, pieces, name: published.name, files })
    }

    /// The published model's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its files, verified: they and the program's version decide every vector.
    pub(crate) fn files(&self) -> &[HashedFile] {
        &self.files
    }

    /// A vector of length one for each text, in the order of `texts`.
    ///
    /// # Errors
    /// What `interrupt` says, asked before each run, or that a run failed.
    pub(crate) fn meanings(&mut self, interrupt: &Interrupt, texts: &[&str]) -> Result<Vec<Vec<f32>>, RewriteError> {
        let tokens: Vec<Vec<i64>> = texts
            .iter()
            .map(|text| Ok(shortened(self.pieces.encode(text, true)?.ids)))
            .collect::<Result<_, RewriteError>>()?;
        let mut order: Vec<usize> = (0..texts.len()).collect();
        // Texts of like length together, so that little padding is computed.
        order.sort_by_key(|index| tokens.get(*index).map_or(0, Vec::len));
        let mut meanings = vec![Vec::new(); texts.len()];
        for group in order.chunks(GROUP) {
            let rows: Vec<&[i64]> = group.iter().filter_map(|index| tokens.get(*index)).map(Vec::as_slice).collect();
            for (index, meaning) in group.iter().zip(self.run(interrupt, &rows)?) {
                if let Some(place) = meanings.get_mut(*index) {
                    *place = meaning;
                }
            }
        }
        Ok(meanings)
    }

    fn run(&mut self, interrupt: &Interrupt, rows: &[&[i64]]) -> Result<Vec<Vec<f32>>, RewriteError> {
        let width = rows.iter().map(|row| row.len()).max().unwrap_or(0);
        let sizes = [rows.len(), width];
        let padded = |of: fn(i64) -> i64| -> Vec<i64> {
            rows.iter()
                .flat_map(|row| row.iter().map(move |id| of(*id)).chain(std::iter::repeat_n(0, width - row.len())))
                .collect()
        };
        let (ids, mask) = (tensor(&sizes, padded(|id| id))?, tensor(&sizes, padded(|_| 1))?);
        let outputs = self.graph.run(interrupt, &[("input_ids", &ids), ("attention_mask", &mask)])?;
        let ([_, size], numbers) = outputs.floats::<2>("meaning")?;
        Ok(numbers.chunks(size.max(1)).map(<[f32]>::to_vec).collect())
    }
}

impl fmt::Debug for SentenceEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SentenceEncoder")
    }
}

/// The folder with the weights: beside the program, where the build put it, or the same place in the cache of whoever
/// runs the program now. `None` where the build could not obtain it.
pub(crate) fn folder() -> Option<PathBuf> {
    let holds = |folder: &PathBuf| folder.join(WEIGHTS).is_file() && folder.join(TOKENIZER).is_file();
    let beside = env::current_exe().ok().and_then(|path| Some(path.parent()?.join("sentence-encoder")));
    let baked = option_env!("HEADROOM_SENTENCE_ENCODER_BAKED").map(PathBuf::from);
    let cached = option_env!("HEADROOM_SENTENCE_ENCODER_IN_CACHE")
        .and_then(|path| Some(super::runtime::cache_folder()?.join(path)));
    [beside, baked, cached].into_iter().flatten().find(holds)
}

/// The first tokens of a text that is too long, with its last one, which says that it ends.
fn shortened(mut ids: Vec<i64>) -> Vec<i64> {
    if let (true, Some(last)) = (ids.len() > WINDOW, ids.last().copied()) {
        ids.truncate(WINDOW - 1);
        ids.push(last);
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoder(threads: usize) -> SentenceEncoder {
        let folder = folder().expect("the build obtains the sentence encoder");
        SentenceEncoder::load(&folder, threads, &Watch::new().unwrap()).unwrap()
    }

    fn cosine(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    const QUESTION: &str = "who got the first nobel prize in physics";
    const ANSWER: &str = "The first Nobel Prize in Physics was awarded in 1901 to Wilhelm Conrad Röntgen, of Germany.";
    const OTHER: &str = "The cat sat on the mat.";

    #[test]
    fn an_answer_is_nearer_to_its_question_than_another_sentence() {
        let meanings = encoder(2).meanings(&Interrupt::never(), &[QUESTION, OTHER, ANSWER, ""]).unwrap();
        let [question, other, answer, nothing] = meanings.as_slice() else { panic!("four texts") };
        // The float model of the publisher gives .034 and about .76.
        assert!(cosine(question, other) < 0.1, "{}", cosine(question, other));
        assert!(cosine(question, answer) > 0.7, "{}", cosine(question, answer));
        assert!((cosine(nothing, nothing) - 1.0).abs() < 1e-3);
    }

    #[test]
    fn a_call_gives_the_same_bytes_on_one_and_two_threads() {
        let long = ANSWER.repeat(30);
        let texts = [QUESTION, &long, OTHER, "日本語 🙂"];
        let read = |threads| encoder(threads).meanings(&Interrupt::never(), &texts).unwrap();
        assert_eq!(read(1), read(2));
    }

    #[test]
    fn weights_that_are_not_the_published_ones_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in [WEIGHTS, TOKENIZER] {
            std::fs::write(folder.path().join(name), "other").unwrap();
        }
        let error = SentenceEncoder::load(folder.path(), 1, &Watch::new().unwrap()).unwrap_err();
        assert!(matches!(error, ModelError::Checksum { .. }), "{error}");
    }
}
