//! Models behind the pipeline's [`Rewriter`](crate::compress::Rewriter): T5 exports run by ONNX Runtime.

#[doc(hidden)]
pub mod scripted;

#[doc(hidden)]
pub use scripted::ScriptedRewriter;
