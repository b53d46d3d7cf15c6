"""A published folder (LAYOUT.md) back as a network to go on from: its 8-bit weights, multiplied out.

The keep ranking is not published; it begins anew.
"""

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper

from .network import Reader, Shape
from .reference import manifest_of


def load(folder):
    """The `Reader` whose export `folder` is, to within the rounding of its weights, and the folder's manifest."""
    folder = Path(folder)
    manifest = manifest_of(folder)
    graph = onnx.load(str(folder / "encoder.onnx")).graph
    arrays = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    shape = Shape(vocab_size=manifest["vocab_size"], d_model=manifest["d_model"], heads=manifest["heads"],
                  head_width=manifest["head_width"], encoder_layers=manifest["encoder_layers"],
                  max_tokens=manifest["max_tokens"], relations=len(manifest["relations"]), tags=len(manifest["tags"]))
    model = Reader(shape)
    own = model.state_dict()
    found = {}
    for name, array in arrays.items():
        # What is looked up, and what is never rounded, is stored under its own name.
        if name.startswith("model."):
            plain = name.removeprefix("model.").removesuffix("_quantized")
            if plain in own:
                found[plain] = multiplied(arrays, name) if name.endswith("_quantized") else array
    for node in graph.node:
        # `/layers.0/q/MatMul_quant` multiplies by the transposed `layers.0.q.weight`.
        if node.op_type == "MatMulInteger":
            name = node.name.removesuffix("/MatMul_quant").strip("/").replace("/", ".") + ".weight"
            found[name] = multiplied(arrays, node.input[1]).T
    missing = set(own) - set(found) - {name for name in own if name.startswith(("worth.", "keep."))}
    if missing:
        raise ValueError(f"{folder} lacks {sorted(missing)}: it was exported from another network")
    model.load_state_dict({name: torch.tensor(found[name]) if name in found else value for name, value in own.items()})
    return model, manifest


def multiplied(arrays, name):
    """The weights that `name` rounds, scaled by tensor or by column."""
    stem = name.removesuffix("_quantized")
    whole = arrays[name].astype("float32") - arrays[f"{stem}_zero_point"].astype("float32")
    return whole * arrays[f"{stem}_scale"]
