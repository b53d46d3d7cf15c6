//! Models behind the pipeline's [`Rewriter`](crate::compress::Rewriter): T5 exports run by ONNX Runtime.
