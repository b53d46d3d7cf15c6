//! What short texts mean: all-MiniLM-L6-v2, a sentence encoder trained for retrieval, run with 8-bit integers.
//!
//! Relevance to a question is its job, and it does that much better than a T5 of our size can: it learned from a
//! billion pairs. Its weights are third-party and are not in this repository. The build obtains them (see build.rs);
//! the arithmetic is ours (models/sentence-encoder/make_graph.py) and is part of this program.

mod memory;
mod weights;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    panic::resume_unwind,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
};

use self::memory::{Key, Memory};
use super::{
    ModelError,
    graph::{Graph, Supplied, tensor},
    manifest::{self, Described, HashedFile},
    pieces::Pieces,
    runtime::runtime,
    watch::Watch,
};
use crate::compress::{Interrupt, RewriteError};

/// Written by models/sentence-encoder/make_graph.py.
const GRAPH: &[u8] = include_bytes!("../../models/sentence-encoder/graph.onnx");

/// The files as published.
const MANIFEST: &str = include_str!("../../models/sentence-encoder/manifest.json");

const WEIGHTS: &str = "model.safetensors";

const TOKENIZER: &str = "tokenizer.json";

/// The most tokens of a text that are read; the model was trained with up to 128.
const WINDOW: usize = 128;

/// Bytes of a text that are looked at; more than [`WINDOW`] tokens of any ordinary text.
const LOOKED_AT: usize = 1_500;

/// The most lanes: two already read what one request asks for in a moment, and each has its own buffers.
const MOST_LANES: usize = 4;

/// A loaded sentence encoder.
///
/// A run takes one text (see make_graph.py), too little for several threads to share; so each thread is a lane of its
/// own, and texts are shared out between them. Which lane reads a text makes no difference to its vector.
pub(crate) struct SentenceEncoder {
    lanes: Vec<Graph>,
    pieces: Pieces,
    memory: Memory,
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
    pub(crate) fn load(folder: &Path, threads: usize) -> Result<Self, ModelError> {
        // Before the first tensor, with which the library would be looked for elsewhere.
        runtime()?;
        let published: Published =
            manifest::parse(Path::new("models/sentence-encoder/manifest.json"), MANIFEST.as_bytes())?;
        // Before any of them is given to native code.
        let files = published.files.iter().map(|(name, file)| file.verify(folder, name)).collect::<Result<_, _>>()?;
        let path = folder.join(WEIGHTS);
        let weights = weights::read(&path)
            .map_err(|error| ModelError::Description { path: path.clone(), why: error.to_string() })?;
        let weights = Supplied::new(weights);
        let lane = |_| {
            // A thread watches one run at a time.
            let graph = Graph::with_weights("sentence encoder", GRAPH, &weights, &Watch::new()?)?;
            graph.expect(&["input_ids"], &["meaning"])?;
            Ok(graph)
        };
        let lanes = (0..threads.clamp(1, MOST_LANES)).map(lane).collect::<Result<_, ModelError>>()?;
        let pieces = Pieces::load(&folder.join(TOKENIZER))?;
        Ok(Self { lanes, pieces, memory: Memory::default(), name: published.name, files })
    }

    /// The published model's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its files, verified: they and the program's version decide every vector.
    pub(crate) fn files(&self) -> &[HashedFile] {
        &self.files
    }

    /// A vector of length one for each text, in the order of `texts`: a function of that text alone. What was read for
    /// `tenant` before is not read again.
    ///
    /// # Errors
    /// What `interrupt` says, asked before each run, or that a run failed.
    pub(crate) fn meanings(
        &mut self,
        interrupt: &Interrupt,
        tenant: [u8; 16],
        texts: &[&str],
    ) -> Result<Vec<Vec<f32>>, RewriteError> {
        let texts: Vec<&str> = texts.iter().map(|text| beginning(text)).collect();
        let keys: Vec<Key> = texts.iter().map(|text| memory::key(tenant, text)).collect();
        let mut known: HashMap<Key, Vec<f32>> = HashMap::new();
        let mut new: Vec<(Key, Vec<i64>)> = Vec::new();
        for (key, text) in keys.iter().zip(&texts) {
            if known.contains_key(key) {
                continue;
            }
            let vector = self.memory.recall(*key);
            if vector.is_none() {
                new.push((*key, shortened(self.pieces.encode(text, true)?.ids)));
            }
            // An empty one stands for those that are read now.
            known.insert(*key, vector.unwrap_or_default());
        }
        for (key, vector) in self.read(interrupt, &new)? {
            self.memory.remember(key, &vector);
            known.insert(key, self.memory.recall(key).unwrap_or(vector));
        }
        Ok(keys.iter().map(|key| known.get(key).cloned().unwrap_or_default()).collect())
    }

    /// Reads the texts on all lanes; each takes the next one when it is free.
    fn read(&mut self, interrupt: &Interrupt, texts: &[(Key, Vec<i64>)]) -> Result<Vec<(Key, Vec<f32>)>, RewriteError> {
        let next = AtomicUsize::new(0);
        let run = |graph: &mut Graph| {
            let mut read = Vec::new();
            while let Some((key, ids)) = texts.get(next.fetch_add(1, Relaxed)) {
                let ids = tensor(&[1, ids.len()], ids.clone())?;
                let outputs = graph.run(interrupt, &[("input_ids", &ids)])?;
                let ([_], vector) = outputs.floats("meaning")?;
                read.push((*key, vector.to_vec()));
            }
            Ok(read)
        };
        let Some((own, others)) = self.lanes.split_first_mut() else { return Ok(Vec::new()) };
        let helpers = others.iter_mut().take(texts.len().saturating_sub(1));
        thread::scope(|scope| {
            let helpers: Vec<_> = helpers.map(|graph| scope.spawn(|| run(graph))).collect();
            let mut read: Result<Vec<_>, RewriteError> = run(own);
            for helper in helpers {
                let more = helper.join().unwrap_or_else(|panic| resume_unwind(panic));
                read = read.and_then(|mut read| more.map(|more| read.extend(more)).map(|()| read));
            }
            read
        })
    }
}

impl fmt::Debug for SentenceEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SentenceEncoder")
    }
}

/// The folder with the weights: with the program, where the build put it, or the same place in the cache of whoever
/// runs the program now. `None` where the build could not obtain it.
pub(crate) fn folder() -> Option<PathBuf> {
    let holds = |folder: &PathBuf| folder.join(WEIGHTS).is_file() && folder.join(TOKENIZER).is_file();
    let baked = option_env!("HEADROOM_SENTENCE_ENCODER_BAKED").map(PathBuf::from);
    let cached = option_env!("HEADROOM_SENTENCE_ENCODER_IN_CACHE")
        .and_then(|path| Some(super::runtime::cache_folder()?.join(path)));
    super::place::installed("sentence-encoder").into_iter().chain(baked).chain(cached).find(holds)
}

fn beginning(text: &str) -> &str {
    text.get(..text.floor_char_boundary(LOOKED_AT)).unwrap_or(text)
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
        SentenceEncoder::load(&folder, threads).unwrap()
    }

    fn cosine(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    const TENANT: [u8; 16] = [0; 16];
    const QUESTION: &str = "who got the first nobel prize in physics";
    const ANSWER: &str = "The first Nobel Prize in Physics was awarded in 1901 to Wilhelm Conrad Röntgen, of Germany.";
    const OTHER: &str = "The cat sat on the mat.";

    #[test]
    fn an_answer_is_nearer_to_its_question_than_another_sentence() {
        let meanings = encoder(2).meanings(&Interrupt::never(), TENANT, &[QUESTION, OTHER, ANSWER, ""]).unwrap();
        let [question, other, answer, nothing] = meanings.as_slice() else { panic!("four texts") };
        // The float model of the publisher gives .034 and about .76.
        assert!(cosine(question, other) < 0.1, "{}", cosine(question, other));
        assert!(cosine(question, answer) > 0.7, "{}", cosine(question, answer));
        assert!((cosine(nothing, nothing) - 1.0).abs() < 1e-3);
    }

    #[test]
    fn a_text_has_the_same_vector_on_any_lane_in_any_company_and_when_it_is_remembered() {
        let long = ANSWER.repeat(30);
        let texts = [QUESTION, &long, OTHER, "日本語 🙂", OTHER];
        let mut two = encoder(2);
        let together = two.meanings(&Interrupt::never(), TENANT, &texts).unwrap();
        let mut one = encoder(1);
        let alone = |text: &&str| one.meanings(&Interrupt::never(), TENANT, &[text]).unwrap().remove(0);
        assert_eq!(together, texts.iter().map(alone).collect::<Vec<_>>());
        assert_eq!(together, two.meanings(&Interrupt::never(), TENANT, &texts).unwrap(), "remembered");
    }

    #[test]
    fn an_interrupt_ends_a_call_on_every_lane() {
        let stop = Interrupt::new(|| Err(RewriteError::Cancelled));
        let error = encoder(2).meanings(&stop, TENANT, &[QUESTION, ANSWER, OTHER]).unwrap_err();
        assert!(matches!(error, RewriteError::Cancelled), "{error}");
    }

    #[test]
    fn weights_that_are_not_the_published_ones_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in [WEIGHTS, TOKENIZER] {
            std::fs::write(folder.path().join(name), "other").unwrap();
        }
        let error = SentenceEncoder::load(folder.path(), 1).unwrap_err();
        assert!(matches!(error, ModelError::Checksum { .. }), "{error}");
    }
}
