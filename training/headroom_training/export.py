"""Writes the layout that the engine loads (LAYOUT.md): encoder.onnx, tokenizer.json, manifest.json, parity.json."""

import hashlib
import json
import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn

from .network import load_checkpoint

FORMAT = "headroom-t5/2"
OPSET = 17
OUTPUTS = ("head", "relation", "tag", "certain")


class Graph(nn.Module):
    """What the engine asks for: the likeliest reading of each piece, and how sure the model is of it."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask):
        model = self.model
        states = model.states(input_ids, attention_mask)
        arcs = model.arcs(states, attention_mask)
        head = arcs.argmax(-1)
        relations = model.relations(states, head)
        certain = torch.softmax(arcs, -1).amax(-1) * torch.softmax(relations, -1).amax(-1)
        return head, relations.argmax(-1), model.tag(states).argmax(-1), certain


def export(model, tokenizer_path, folder, name, version, relations, tags, quantize=True, provenance=None):
    """Exports `model`, returns the folder; `provenance` goes to the manifest."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    model = model.float().eval()
    shape = model.shape
    write_graph(model, folder / "encoder.onnx")
    tidy(folder / "encoder.onnx")
    if quantize:
        to_int8(folder / "encoder.onnx")
    shutil.copyfile(tokenizer_path, folder / "tokenizer.json")
    files = {file: {"sha256": hashlib.sha256((folder / file).read_bytes()).hexdigest(),
                    "bytes": (folder / file).stat().st_size} for file in ("encoder.onnx", "tokenizer.json")}
    manifest = {
        "format": FORMAT, "name": name, "version": version, "files": files, "max_tokens": shape.max_tokens,
        "vocab_size": shape.vocab_size, "pad_token_id": 0, "d_model": shape.d_model,
        "encoder_layers": shape.encoder_layers, "heads": shape.heads, "head_width": shape.head_width,
        "parameters": sum(parameter.numel() for parameter in model.parameters()), **(provenance or {}),
        "weights": "int8" if quantize else "fp32", "opset": OPSET, "relations": list(relations), "tags": list(tags),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return folder


def write_graph(model, path):
    ids, mask = torch.ones(2, 7, dtype=torch.long), torch.ones(2, 7, dtype=torch.long)
    source = {0: "batch", 1: "source"}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(Graph(model), (ids, mask), str(path), input_names=["input_ids", "attention_mask"],
                          output_names=list(OUTPUTS), opset_version=OPSET, dynamo=False,
                          dynamic_axes={key: source for key in ("input_ids", "attention_mask", *OUTPUTS)})


def tidy(path):
    """Stores each weight of a matrix product already transposed: a Transpose between keeps it from int8."""
    graph = onnx.load(str(path))
    weights = {item.name: item for item in graph.graph.initializer}
    readers = {}
    for node in graph.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    for node in list(graph.graph.node):
        if node.op_type == "Transpose" and node.input[0] in weights:
            item = weights[node.input[0]]
            order = next(list(a.ints) for a in node.attribute if a.name == "perm")
            turned = onnx.numpy_helper.from_array(
                np.ascontiguousarray(onnx.numpy_helper.to_array(item).transpose(order)), node.output[0])
            graph.graph.initializer.append(turned)
            graph.graph.node.remove(node)
    used = {name for node in graph.graph.node for name in node.input}
    for item in list(graph.graph.initializer):
        if item.name not in used:
            graph.graph.initializer.remove(item)
    onnx.save(graph, str(path))


def to_int8(path):
    """Dynamic int8 with signed weights per channel: unsigned ones were 1.8 times slower."""
    full = path.with_suffix(".fp32.onnx")
    path.replace(full)
    quantize_dynamic(str(full), str(path), weight_type=QuantType.QInt8, per_channel=True,
                     op_types_to_quantize=["MatMul", "Gather"], extra_options={"MatMulConstBOnly": True})
    full.unlink()


def to_int8_copy(path):
    """An int8 copy of someone else's graph, in a folder that lasts as long as the process."""
    copy = Path(tempfile.mkdtemp()) / path.name
    shutil.copyfile(path, copy)
    to_int8(copy)
    return str(copy)


def commit():
    """The commit of the recipe, as far as git can tell."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    return said.stdout.strip() or "unknown"


def run(args):
    work = Path(args.work)
    model, _ = load_checkpoint(work / f"{args.name}.pt")
    arrays = np.load(work / "silver.npz")
    folder = export(model, work / "tokenizer.json", args.out or work / "export", "headroom-t5-small", args.version,
                    [str(name) for name in arrays["relations"]], [str(name) for name in arrays["tags"]],
                    quantize=not args.fp32,
                    provenance={"licence": args.licence, "trained_on": args.trained_on, "recipe": args.recipe or commit()})
    for path in sorted(folder.iterdir()):
        print(f"export: {path.name} {path.stat().st_size} bytes")
