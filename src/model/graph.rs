//! One ONNX graph and how it is run: named tensors in, named tensors out.

use std::{borrow::Cow, fmt, path::Path, sync::Arc};

use ort::{
    environment::Environment,
    ep::CPU,
    session::{
        Session, SessionInputValue,
        builder::{GraphOptimizationLevel, PrepackedWeights, SessionBuilder},
    },
    value::{DynValue, PrimitiveTensorElementType, Tensor},
};

use super::{ModelError, runtime::runtime, watch::Watch};
use crate::compress::{Interrupt, RewriteError};

/// Why the model failed while it ran.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error("{graph} failed: {source}")]
    Run { graph: String, source: ort::Error },
    #[error("{graph} gave no {name}")]
    NoOutput { graph: String, name: String },
    #[error("{graph} gave a {name} of another shape than expected: {shape:?}")]
    Shape { graph: String, name: String, shape: Vec<i64> },
    #[error("a tensor cannot be made: {0}")]
    Tensor(ort::Error),
    #[error("the tokenizer failed: {0}")]
    Tokenizer(String),
}

impl From<RunError> for RewriteError {
    fn from(error: RunError) -> Self {
        Self::Failed(Box::new(error))
    }
}

/// A session with its file's name.
pub(crate) struct Graph {
    name: String,
    session: Session,
    watch: Watch,
}

impl Graph {
    /// Loads a file for `threads` threads.
    ///
    /// Results don't depend on the number of threads: ONNX Runtime divides a matrix product into tiles that each one
    /// thread sums up alone.
    ///
    /// # Errors
    /// ONNX Runtime's own, or none loaded.
    pub(crate) fn load(path: &Path, threads: usize, watch: &Watch) -> Result<Self, ModelError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let environment = &runtime()?.environment;
        let open = || builder(environment, threads)?.commit_from_file(path);
        let session = open().map_err(|source| ModelError::Graph { name: name.clone(), source })?;
        Ok(Self { name, session, watch: watch.clone() })
    }

    /// As [`Graph::load`] on one thread, for a graph in memory that is given its weights; sessions share them.
    ///
    /// # Errors
    /// ONNX Runtime's own, or none loaded.
    pub(crate) fn with_weights(
        name: &str,
        graph: &[u8],
        supplied: &Supplied,
        watch: &Watch,
    ) -> Result<Self, ModelError> {
        let environment = &runtime()?.environment;
        let open = || {
            let mut builder = builder(environment, 1)?.with_prepacked_weights(&supplied.packed)?;
            for (name, value) in &supplied.weights {
                // The first puts the tensor where the graph has only its name, the second lets sessions share what
                // ONNX Runtime makes of it.
                builder = builder
                    .with_external_initializer(name, Arc::clone(value))?
                    .with_initializer(name, Arc::clone(value))?;
            }
            builder.commit_from_memory(graph)
        };
        let session = open().map_err(|source| ModelError::Graph { name: name.to_owned(), source })?;
        Ok(Self { name: name.to_owned(), session, watch: watch.clone() })
    }

    /// Whether the graph has an input of that name.
    pub(crate) fn takes(&self, name: &str) -> bool {
        self.session.inputs().iter().any(|input| input.name() == name)
    }

    /// Checks that the graph has these inputs and outputs.
    pub(crate) fn expect(&self, inputs: &[&str], outputs: &[&str]) -> Result<(), ModelError> {
        let lacks =
            |wanted: &&&str, known: &[ort::value::Outlet]| !known.iter().any(|outlet| outlet.name() == **wanted);
        let input = inputs.iter().find(|wanted| lacks(wanted, self.session.inputs())).map(|name| ("input", name));
        let output = outputs.iter().find(|wanted| lacks(wanted, self.session.outputs())).map(|name| ("output", name));
        match input.or(output) {
            Some((kind, name)) => {
                Err(ModelError::Layout { name: self.name.clone(), why: format!("it has no {kind} {name}") })
            }
            None => Ok(()),
        }
    }

    /// The outputs whose names begin with `prefix`.
    pub(crate) fn outputs_named(&self, prefix: &str) -> Vec<String> {
        let names = self.session.outputs().iter().map(|output| output.name());
        names.filter(|name| name.starts_with(prefix)).map(str::to_owned).collect()
    }

    /// Runs the graph once. `interrupt` is asked before, and again while the run takes long.
    ///
    /// # Errors
    /// What `interrupt` says, or that the run failed.
    pub(crate) fn run(&mut self, interrupt: &Interrupt, inputs: &[(&str, &DynValue)]) -> Result<Outputs, RewriteError> {
        let Self { name, session, watch } = self;
        let result = watch.over(
            interrupt,
            |options| {
                let views: Vec<(Cow<'_, str>, SessionInputValue<'_>)> =
                    inputs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
                session.run_with_options(views, options).map(|mut outputs| {
                    let names: Vec<String> = outputs.keys().map(str::to_owned).collect();
                    names.into_iter().filter_map(|name| outputs.remove(&name).map(|value| (name, value))).collect()
                })
            },
            Result::is_err,
        )?;
        match result {
            Ok(values) => Ok(Outputs { graph: name.clone(), values }),
            Err(source) => Err(RunError::Run { graph: name.clone(), source }.into()),
        }
    }
}

/// Tensors that a graph names and does not hold.
pub(crate) struct Supplied {
    weights: Vec<(String, Arc<DynValue>)>,
    packed: PrepackedWeights,
}

impl Supplied {
    pub(crate) fn new(weights: Vec<(String, DynValue)>) -> Self {
        let weights = weights.into_iter().map(|(name, value)| (name, Arc::new(value))).collect();
        Self { weights, packed: PrepackedWeights::new() }
    }
}

/// What every session has in common.
fn builder(environment: &Environment, threads: usize) -> ort::Result<SessionBuilder> {
    let builder = SessionBuilder::new(environment)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_deterministic_compute(true)?
        .with_intra_threads(threads)?
        .with_inter_threads(1)?
        // Threads that spin between two steps take the cores that HTTP needs.
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?
        // An arena keeps the most that any run ever needed; runs are long beside what asking the system costs.
        .with_execution_providers([CPU::default().with_arena_allocator(false).build()])?
        .with_memory_pattern(false)?
        // What fails is returned; its own lines on standard error would say it twice.
        .with_log_level(ort::logging::LogLevel::Fatal)?;
    Ok(builder)
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Graph").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What one run gave.
pub(crate) struct Outputs {
    graph: String,
    values: Vec<(String, DynValue)>,
}

impl Outputs {
    /// Takes an output out, to hand it on as an input without copying.
    pub(crate) fn take(&mut self, name: &str) -> Result<DynValue, RunError> {
        match self.values.iter().position(|(known, _)| known == name) {
            Some(at) => Ok(self.values.swap_remove(at).1),
            None => Err(RunError::NoOutput { graph: self.graph.clone(), name: name.to_owned() }),
        }
    }

    /// The numbers of an output with `RANK` dimensions, and the dimensions.
    pub(crate) fn floats<const RANK: usize>(&self, name: &str) -> Result<([usize; RANK], &[f32]), RunError> {
        self.numbers(name)
    }

    /// The same of an output of whole numbers.
    pub(crate) fn integers<const RANK: usize>(&self, name: &str) -> Result<([usize; RANK], &[i64]), RunError> {
        self.numbers(name)
    }

    fn numbers<const RANK: usize, T: PrimitiveTensorElementType>(
        &self,
        name: &str,
    ) -> Result<([usize; RANK], &[T]), RunError> {
        let Some((_, value)) = self.values.iter().find(|(known, _)| known == name) else {
            return Err(RunError::NoOutput { graph: self.graph.clone(), name: name.to_owned() });
        };
        let (shape, numbers) =
            value.try_extract_tensor::<T>().map_err(|source| RunError::Run { graph: self.graph.clone(), source })?;
        let sizes: Vec<usize> = shape.iter().filter_map(|size| usize::try_from(*size).ok()).collect();
        let sizes = sizes.try_into().map_err(|_| RunError::Shape {
            graph: self.graph.clone(),
            name: name.to_owned(),
            shape: shape.to_vec(),
        })?;
        Ok((sizes, numbers))
    }
}

/// A tensor of the given sizes.
pub(crate) fn tensor<T>(sizes: &[usize], values: Vec<T>) -> Result<DynValue, RunError>
where
    T: PrimitiveTensorElementType + fmt::Debug + Clone + 'static,
{
    Tensor::from_array((sizes.to_vec(), values)).map(ort::value::Value::into_dyn).map_err(RunError::Tensor)
}
