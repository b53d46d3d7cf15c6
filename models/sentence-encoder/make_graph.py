"""Writes graph.onnx: the arithmetic of all-MiniLM-L6-v2, without its weights.

    python3 -m venv venv && venv/bin/pip install onnx==1.23.2 numpy
    venv/bin/python make_graph.py

The file names and shapes its weights and holds none: the program reads the published `model.safetensors`, rounds its
matrices to signed 8-bit integers (src/model/sentence/weights.rs) and hands them over when it opens the session.

Input: input_ids: int64 [1, tokens]. Output: meaning: float32 [384], of length one: the mean of the last states (the
pooling that the model was trained with). One text a run: dynamic quantization takes one scale for a whole tensor, so
in a batch a text's numbers would depend on its neighbours and on the padding; alone they are a function of the text,
and at these sizes a batch is no faster.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LAYERS, WIDTH, HEADS, INNER = 6, 384, 12, 1536
WORDS, POSITIONS = 30522, 128
MICROSOFT = "com.microsoft"


class Graph:
    """Nodes, constants and external tensors, named as they come."""

    def __init__(self):
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

    def weight(self, name, *shape, dtype=TensorProto.FLOAT):
        """A tensor that the program supplies by this name; the location is never read."""
        tensor = TensorProto(name=name, data_type=dtype, dims=shape)
        tensor.data_location = TensorProto.EXTERNAL
        length = int(np.prod(shape)) * (1 if dtype == TensorProto.INT8 else 4)
        for key, value in (("location", "supplied"), ("offset", 0), ("length", length)):
            tensor.external_data.add(key=key, value=str(value))
        self.initializers.append(tensor)
        return name

    def dense(self, x, layer, inside, outside):
        """x · W + b with 8-bit integers, one scale an output channel."""
        weight = self.weight(f"{layer}.weight", inside, outside, dtype=TensorProto.INT8)
        scale, bias = self.weight(f"{layer}.scale", outside), self.weight(f"{layer}.bias", outside)
        return self("DynamicQuantizeMatMul", x, weight, scale, "", bias, domain=MICROSOFT)

    def norm(self, x, layer):
        scale, bias = self.weight(f"{layer}.weight", WIDTH), self.weight(f"{layer}.bias", WIDTH)
        return self("LayerNormalization", x, scale, bias, axis=-1, epsilon=1e-12)


def build():
    g = Graph()
    zero, last = g.constant([0], np.int64), g.constant([-1], np.int64)
    tokens = g("Gather", g("Shape", "input_ids"), g.constant([1], np.int64))
    # Positions hold the token type, which is the same for all.
    positions = g("Slice", g.weight("embeddings.positions", POSITIONS, WIDTH), zero, tokens, zero)
    words = g("Gather", g.weight("embeddings.words.weight", WORDS, WIDTH, dtype=TensorProto.INT8), "input_ids")
    scales = g("Gather", g.weight("embeddings.words.scale", WORDS, 1), "input_ids")
    words = g("Mul", g("Cast", words, to=TensorProto.FLOAT), scales)
    state = g.norm(g("Add", words, positions), "embeddings.LayerNorm")
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        parts = g.dense(state, f"{layer}.attention.self", WIDTH, 3 * WIDTH)
        parts = g("Split", parts, outputs=3, axis=-1, num_outputs=3)
        mixed = g("MultiHeadAttention", *parts, num_heads=HEADS, domain=MICROSOFT)
        mixed = g.dense(mixed, f"{layer}.attention.output.dense", WIDTH, WIDTH)
        state = g.norm(g("Add", mixed, state), f"{layer}.attention.output.LayerNorm")
        inner = g("Gelu", g.dense(state, f"{layer}.intermediate.dense", WIDTH, INNER))
        state = g.norm(g("Add", g.dense(inner, f"{layer}.output.dense", INNER, WIDTH), state), f"{layer}.output.LayerNorm")
    mean = g("ReduceMean", state, g.constant([0, 1], np.int64), keepdims=0)
    length = g("Sqrt", g("ReduceSum", g("Mul", mean, mean), last, keepdims=1))
    g.nodes.append(helper.make_node("Div", [mean, length], ["meaning"]))
    graph = helper.make_graph(
        g.nodes, "all-MiniLM-L6-v2",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "tokens"])],
        [helper.make_tensor_value_info("meaning", TensorProto.FLOAT, [WIDTH])],
        g.initializers,
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


if __name__ == "__main__":
    with open("graph.onnx", "wb") as out:
        out.write(build().SerializeToString(deterministic=True))
