//! Models behind the pipeline's [`Rewriter`]: T5 exports run by ONNX Runtime.
//!
//! Two layouts are read: our own (`headroom-t5/2`), which reads the syntax of statements, and what optimum writes of any T5,
//! which puts them in its own words.
//! A model is used by one thread, which owns it. What ends its work is the interrupt that it is given: asked before every
//! run of a graph, and by a thread beside it while a run takes long.

mod batch;
mod error;
mod graph;
mod info;
mod manifest;
mod own;
mod pieces;
mod place;
mod runtime;
#[doc(hidden)]
pub mod scripted;
mod sentence;
mod stock;
mod watch;

use std::{
    panic::resume_unwind,
    path::{Path, PathBuf},
    thread,
};

#[doc(hidden)]
pub use self::scripted::ScriptedRewriter;
pub use self::{error::ModelError, info::Info, manifest::HashedFile, runtime::RuntimeError};
use self::{
    manifest::{Manifest, fingerprint},
    own::Own,
    sentence::SentenceEncoder,
    stock::{Files, Stock},
    watch::Watch,
};
use crate::compress::{Interrupt, RewriteError, Rewriter, Shorter};

/// How a model is run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// Threads of one operator; 0 takes one a core. The output doesn't depend on it.
    pub threads: usize,
    /// What a stock model is told before each text; `summarize: ` by default. Our own export takes none.
    pub prefix: Option<String>,
    /// What compares meanings.
    pub sentences: Sentences,
}

/// Which sentence encoder compares the meaning of a text with another's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Sentences {
    /// The one that the build obtained; where it could not, none.
    #[default]
    Bundled,
    /// None: words alone tell what is relevant.
    Off,
    /// The files of a folder, which must be those that the build would obtain.
    At(PathBuf),
}

impl Sentences {
    fn folder(&self) -> Option<PathBuf> {
        match self {
            Self::Bundled => sentence::folder(),
            Self::Off => None,
            Self::At(folder) => Some(folder.clone()),
        }
    }
}

/// A loaded model.
#[derive(Debug)]
pub struct Model {
    kind: Kind,
    sentences: Option<SentenceEncoder>,
    info: Info,
    interrupt: Interrupt,
    tenant: [u8; 16],
}

#[derive(Debug)]
enum Kind {
    Own(Box<Own>),
    Stock(Box<Stock>),
}

impl Kind {
    fn load(folder: &Path, options: &Options, threads: usize) -> Result<(Self, Info), ModelError> {
        let watch = Watch::new()?;
        if let Some(manifest) = Manifest::read(folder)? {
            let files = manifest.verify(folder)?;
            let own = Own::load(folder, manifest, threads, &watch)?;
            let info = Info::of_own(folder, own.manifest(), fingerprint(&files, ""), files, threads)?;
            return Ok((Self::Own(Box::new(own)), info));
        }
        let found = Files::find(folder)?;
        let files = manifest::hash_files(&found.all())?;
        let prefix = options.prefix.clone().unwrap_or_else(|| stock::PREFIX.to_owned());
        let fingerprint = fingerprint(&files, &prefix);
        let stock = Stock::load(&found, prefix, threads, &watch)?;
        let info = Info::of_stock(folder, &stock, fingerprint, files, threads)?;
        Ok((Self::Stock(Box::new(stock)), info))
    }
}

impl Model {
    /// Checks and loads the model of a folder; takes about a second for the bundled one.
    ///
    /// # Errors
    /// See [`ModelError`]: each names the file and the remedy.
    pub fn load(folder: &Path, options: &Options) -> Result<Self, ModelError> {
        if !folder.is_dir() {
            return Err(ModelError::NoFolder(folder.to_owned()));
        }
        let threads = match options.threads {
            0 => thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let folder_of_sentences = options.sentences.folder();
        // Each takes about as long as the other, most of it on one core.
        let (loaded, sentences) = thread::scope(|scope| {
            let load = |folder| scope.spawn(move || SentenceEncoder::load(folder, threads));
            let sentences = folder_of_sentences.as_deref().map(load);
            let loaded = Kind::load(folder, options, threads);
            (loaded, sentences.map(|sentences| sentences.join().unwrap_or_else(|panic| resume_unwind(panic))))
        });
        let ((kind, mut info), sentences) = (loaded?, sentences.transpose()?);
        if let Some(encoder) = &sentences {
            info.fingerprint = fingerprint(encoder.files(), &info.fingerprint);
            info.sentence_encoder = Some(encoder.name().to_owned());
        }
        Ok(Self { kind, sentences, info, interrupt: Interrupt::never(), tenant: [0; 16] })
    }

    /// Runs the model once, so that the first request doesn't pay for memory and for paging the weights in.
    ///
    /// # Errors
    /// [`ModelError::Warm`] when the model fails, as a broken export does.
    pub fn warm(&mut self) -> Result<(), ModelError> {
        let text = "A plain sentence of the usual kind, which says that all is well. ".repeat(4);
        self.meanings(&[&text]).map_err(ModelError::Warm)?;
        self.shorten(&[&text]).map_err(ModelError::Warm)?;
        Ok(())
    }

    /// What was loaded.
    #[must_use]
    pub fn info(&self) -> &Info {
        &self.info
    }
}

impl Rewriter for Model {
    fn fingerprint(&self) -> &str {
        &self.info.fingerprint
    }

    fn interrupt(&mut self, interrupt: Interrupt) {
        self.interrupt = interrupt;
    }

    fn tenant(&mut self, tenant: [u8; 16]) {
        self.tenant = tenant;
    }

    fn meanings(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, RewriteError> {
        match &mut self.sentences {
            Some(encoder) => encoder.meanings(&self.interrupt, self.tenant, texts),
            None => Ok(vec![Vec::new(); texts.len()]),
        }
    }

    fn shorten(&mut self, statements: &[&str]) -> Result<Vec<Option<Shorter>>, RewriteError> {
        match &mut self.kind {
            Kind::Own(own) => {
                let read = own.read(statements, &self.interrupt)?;
                Ok(read.into_iter().map(|syntax| syntax.map(Shorter::Syntax)).collect())
            }
            Kind::Stock(stock) => {
                let written = stock.rewrite(statements, &self.interrupt)?;
                Ok(written.into_iter().map(|text| text.map(Shorter::Text)).collect())
            }
        }
    }
}

/// Where the bundled model lies: with the program (`models/…`, as packages have it), else in the source tree that it
/// was built from; `None` where neither is there.
#[must_use]
pub fn bundled() -> Option<PathBuf> {
    let model = Path::new("models").join(BUNDLED);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(&model);
    let mut folders = place::installed(&model).into_iter().chain([source]);
    folders.find(|folder| folder.join("manifest.json").is_file())
}

const BUNDLED: &str = "headroom-t5-small";

/// The pieces as one text, if that is a shorter form of `source`; `None` also for nothing at all.
fn shorter(pieces: &[String], source: &str) -> Option<String> {
    let filled: Vec<&str> = pieces.iter().map(String::as_str).filter(|piece| !piece.is_empty()).collect();
    let text = filled.join(" ");
    (!text.is_empty() && text.len() < source.trim().len()).then_some(text)
}

#[cfg(test)]
mod tests;
