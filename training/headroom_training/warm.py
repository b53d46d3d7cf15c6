"""A model from an export's weights, int8 or fp32: where a checkpoint is lost or never left its machine.

A graph names most of its weights by node only. So a model of the same shape and random weights is exported the same
way, which shows where each of its parameters ends up, and the export is read back from there.
"""

import json
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from .export import tidy, write_graphs
from .model import Headroom, Shape

GRAPHS = ("encoder.onnx", "decoder.onnx")


def model_of(folder, **more):
    """The model that an export holds. `more` are sizes of the shape that it lacks; what comes with them is fresh."""
    folder = Path(folder)
    given = {graph: weights_of(folder / graph) for graph in GRAPHS}
    shape = shape_of(json.loads((folder / "manifest.json").read_text(encoding="utf-8")), given["encoder.onnx"])
    probe = random_model(shape)
    parameters, found = dict(probe.named_parameters()), {}
    with tempfile.TemporaryDirectory() as scratch:
        write_graphs(probe, Path(scratch))
        for graph in GRAPHS:
            tidy(Path(scratch) / graph)
            theirs = given[graph]
            for place, value in weights_of(Path(scratch) / graph).items():
                name, turned = parameter_of(value, parameters)
                if name and place in theirs:
                    weight = theirs[place].T if turned else theirs[place]
                    found[name] = torch.from_numpy(fitted(weight, parameters[name].shape))
    missing = sorted(set(parameters) - set(found))
    if missing:
        raise ValueError(f"{folder} gives no weights for {missing}")
    model = Headroom(Shape(**shape.as_dict() | more))
    model.load_state_dict(found, strict=False)
    return model


def shape_of(manifest, encoder):
    """What the manifest says; two inner widths it leaves to the weights."""
    known = {key: manifest[key] for key in Shape().as_dict() if key in manifest}
    inner = {"d_ff": "/layers.0/feed_forward/wi/MatMul", "keep_width": "/keep/hidden/MatMul"}
    return Shape(**known | {key: encoder[place].shape[1] for key, place in inner.items()})


def random_model(shape):
    """No two of its weights are equal, not even those that training starts from zero or one."""
    model = Headroom(shape).eval()
    rng = torch.Generator().manual_seed(1)
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=rng)
    return model


def weights_of(path):
    """Every constant of more than one number as fp32, by its own name or, where that is a mere number, its node's."""
    graph = onnx.load(str(path)).graph
    constants = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    found = {}
    for node in graph.node:
        for name in node.input:
            if name not in constants or name.endswith(("_scale", "_zero_point")):
                continue
            base = name.removesuffix("_quantized")
            value = constants[name]
            if base != name:
                scale, zero = constants[f"{base}_scale"], constants[f"{base}_zero_point"]
                value = (value.astype(np.float32) - zero.astype(np.float32)) * scale
            place = node.name.removesuffix("_quant") if base.startswith("onnx::") else base
            found[place] = np.ascontiguousarray(value)
    return found


def parameter_of(value, parameters):
    """(name, whether transposed) of the parameter that a constant of the probe's graph holds; (None, False) if none."""
    for name, parameter in parameters.items():
        if parameter.numel() == value.size:
            own = parameter.detach().numpy()
            if np.array_equal(own.ravel(), value.ravel()):
                return name, False
            if own.ndim == 2 and np.array_equal(own.T.ravel(), value.ravel()):
                return name, True
    return None, False


def fitted(value, shape):
    """In the parameter's shape: quantization stores some matrices turned, and tables flat."""
    if value.ndim == 2 and value.shape != tuple(shape) and value.T.shape == tuple(shape):
        value = value.T
    return np.ascontiguousarray(value).reshape(tuple(shape)).astype(np.float32)
