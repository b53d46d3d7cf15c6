"""Writes graph.onnx: the arithmetic of all-MiniLM-L6-v2, without its weights.

    python3 -m venv venv && venv/bin/pip install onnx==1.23.2 numpy
    venv/bin/python make_graph.py [model.safetensors]

The weights stay where their publisher put them: every initializer of the graph is external data that points into
`model.safetensors` by byte offset (a safetensors file is a length, a JSON header and raw little-endian tensors). The
weights are quantized to signed 8-bit integers, one scale an output channel, by ordinary nodes on constants, which
ONNX Runtime folds when it opens the session. So this small file is all that the repository holds, and the download is
used exactly as it was hashed.

Inputs: input_ids, attention_mask: int64 [batch, tokens]. Output: meaning: float32 [batch, 384], of length one: the
mean of the last states over the tokens that the mask names (the pooling that the model was trained with).
"""

import json
import struct
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LAYERS, WIDTH, HEADS = 6, 384, 12
WEIGHTS = "model.safetensors"
TYPES = {"F32": TensorProto.FLOAT, "I64": TensorProto.INT64}


class Graph:
    """Nodes, constants and external tensors, named as they come."""

    def __init__(self, path):
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            self.header, self.start = json.loads(file.read(length)), 8 + length
        self.nodes, self.initializers, self.count = [], [], 0

    def __call__(self, op, *inputs, outputs=1, **attributes):
        self.count += 1
        names = [f"{op}_{self.count}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, value, dtype=np.float32):
        self.count += 1
        name = f"constant_{self.count}"
        self.initializers.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def weight(self, name):
        """A tensor of the weights file, by its published name."""
        if all(tensor.name != name for tensor in self.initializers):
            entry = self.header[name]
            first, last = entry["data_offsets"]
            tensor = TensorProto(name=name, data_type=TYPES[entry["dtype"]], dims=entry["shape"])
            tensor.data_location = TensorProto.EXTERNAL
            for key, value in (("location", WEIGHTS), ("offset", self.start + first), ("length", last - first)):
                tensor.external_data.add(key=key, value=str(value))
            self.initializers.append(tensor)
        return name

    def dense(self, x, *layers):
        """x · Wᵀ + b with 8-bit integers; several layers on one input run as one product."""
        weights, biases = [[self.weight(f"{layer}.{part}") for layer in layers] for part in ("weight", "bias")]
        weight, bias = (each[0] if len(each) == 1 else self("Concat", *each, axis=0) for each in (weights, biases))
        transposed = self("Transpose", weight, perm=[1, 0])
        most = self("ReduceMax", self("Abs", transposed), self.constant([0], np.int64), keepdims=1)
        scale = self("Div", most, self.constant(127.0))
        quantized = self("Cast", self("Round", self("Div", transposed, scale)), to=TensorProto.INT8)
        flat_scale = self("Squeeze", scale, self.constant([0], np.int64))
        x_quantized, x_scale, x_zero = self("DynamicQuantizeLinear", x, outputs=3)
        product = self("Cast", self("MatMulInteger", x_quantized, quantized, x_zero), to=TensorProto.FLOAT)
        return self("Add", self("Mul", product, self("Mul", x_scale, flat_scale)), bias)

    def norm(self, x, layer):
        return self("LayerNormalization", x, self.weight(f"{layer}.weight"), self.weight(f"{layer}.bias"), axis=-1, epsilon=1e-12)


def build(path):
    g = Graph(path)
    tokens = g("Gather", g("Shape", "input_ids"), g.constant([1], np.int64))
    zero, last = g.constant([0], np.int64), g.constant([-1], np.int64)
    positions = g("Slice", g.weight("embeddings.position_embeddings.weight"), zero, tokens, zero)
    kind = g("Slice", g.weight("embeddings.token_type_embeddings.weight"), zero, g.constant([1], np.int64), zero)
    words = g("Gather", g.weight("embeddings.word_embeddings.weight"), "input_ids")
    state = g.norm(g("Add", g("Add", words, positions), kind), "embeddings.LayerNorm")
    mask = g("Cast", "attention_mask", to=TensorProto.FLOAT)
    hidden = g("Mul", g("Sub", g.constant(1.0), mask), g.constant(-1e9))
    hidden = g("Unsqueeze", hidden, g.constant([1, 2], np.int64))
    split = g.constant([0, 0, HEADS, WIDTH // HEADS], np.int64)
    join = g.constant([0, 0, WIDTH], np.int64)
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        parts = g.dense(state, *(f"{layer}.attention.self.{part}" for part in ("query", "key", "value")))
        query, key, value = g("Split", parts, outputs=3, axis=-1, num_outputs=3)
        query = g("Transpose", g("Reshape", query, split), perm=[0, 2, 1, 3])
        key = g("Transpose", g("Reshape", key, split), perm=[0, 2, 3, 1])
        value = g("Transpose", g("Reshape", value, split), perm=[0, 2, 1, 3])
        scores = g("Mul", g("MatMul", query, key), g.constant((WIDTH // HEADS) ** -0.5))
        mixed = g("MatMul", g("Softmax", g("Add", scores, hidden), axis=-1), value)
        mixed = g("Reshape", g("Transpose", mixed, perm=[0, 2, 1, 3]), join)
        state = g.norm(g("Add", g.dense(mixed, f"{layer}.attention.output.dense"), state), f"{layer}.attention.output.LayerNorm")
        inner = g("Gelu", g.dense(state, f"{layer}.intermediate.dense"))
        state = g.norm(g("Add", g.dense(inner, f"{layer}.output.dense"), state), f"{layer}.output.LayerNorm")
    weight = g("Unsqueeze", mask, last)
    one = g.constant([1], np.int64)
    summed = g("ReduceSum", g("Mul", state, weight), one, keepdims=0)
    mean = g("Div", summed, g("ReduceSum", weight, one, keepdims=0))
    length = g("Sqrt", g("ReduceSum", g("Mul", mean, mean), last, keepdims=1))
    g.nodes.append(helper.make_node("Div", [mean, length], ["meaning"]))
    pair = ["batch", "tokens"]
    graph = helper.make_graph(
        g.nodes, "all-MiniLM-L6-v2",
        [helper.make_tensor_value_info(name, TensorProto.INT64, pair) for name in ("input_ids", "attention_mask")],
        [helper.make_tensor_value_info("meaning", TensorProto.FLOAT, ["batch", WIDTH])],
        g.initializers,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


if __name__ == "__main__":
    with open("graph.onnx", "wb") as out:
        out.write(build(sys.argv[1] if len(sys.argv) > 1 else WEIGHTS).SerializeToString(deterministic=True))
