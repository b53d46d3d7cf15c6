"""Writes the layout that the engine loads (LAYOUT.md): encoder.onnx, decoder.onnx, tokenizer.json, manifest.json."""

import hashlib
import json
import shutil
import subprocess
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn

FORMAT = "headroom-t5/1"
OPSET = 17


class EncoderGraph(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, ratio, rarity=None):
        encoder, decoder = self.model.encoder, self.model.decoder
        states = encoder.states(input_ids, attention_mask, rarity)
        keep = encoder.keep(states, ratio)
        pointer, cross = decoder.keys(states, keep, attention_mask)
        flat = [part for layer in cross for part in layer]
        return (states, keep, encoder.pooled(states, attention_mask), pointer, *flat)


class DecoderGraph(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.decoder = model.decoder

    def forward(self, previous, phase, remaining, position_of_previous, mask, pointer, *tensors):
        layers = len(self.decoder.layers)
        cross = [(tensors[2 * i], tensors[2 * i + 1]) for i in range(layers)]
        past = [(tensors[2 * (layers + i)], tensors[2 * (layers + i) + 1]) for i in range(layers)]
        logits, present = self.decoder(previous, phase[:, None], remaining[:, None], position_of_previous[:, None],
                                       mask, pointer, cross, past)
        return (logits[:, 0], *[part for layer in present for part in layer])


def names(prefix, layers):
    return [f"{prefix}.{layer}.{part}" for layer in range(layers) for part in ("key", "value")]


def export(model, tokenizer_path, folder, name, version, quantize=True, provenance=None):
    """Exports `model` (a Headroom in training's framework), returns the folder; `provenance` goes to the manifest."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    model = model.float().eval()
    shape = model.shape
    write_graphs(model, folder)
    for graph in ("encoder.onnx", "decoder.onnx"):
        tidy(folder / graph)
        if quantize:
            to_int8(folder / graph)
    shutil.copyfile(tokenizer_path, folder / "tokenizer.json")
    files = {file: {"sha256": hashlib.sha256((folder / file).read_bytes()).hexdigest(),
                    "bytes": (folder / file).stat().st_size}
             for file in ("encoder.onnx", "decoder.onnx", "tokenizer.json")}
    manifest = {
        "format": FORMAT, "name": name, "version": version, "files": files, "max_tokens": shape.max_tokens,
        "vocab_size": shape.vocab_size, "pad_token_id": 0, "d_model": shape.d_model, "embedding": shape.embedding,
        "pointer": shape.pointer, "encoder_layers": shape.encoder_layers, "decoder_layers": shape.decoder_layers,
        "heads": shape.heads, "head_width": shape.head_width, "ratio_min": 1.0, "ratio_max": 32.0,
        "parameters": sum(parameter.numel() for parameter in model.parameters()), **(provenance or {}),
        "rarities": shape.rarities, "weights": "int8" if quantize else "fp32", "opset": OPSET,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return folder


def write_graphs(model, folder):
    shape = model.shape
    ids = torch.ones(2, 7, dtype=torch.long)
    mask = torch.ones(2, 7, dtype=torch.long)
    rarity = [torch.ones(2, 7, dtype=torch.long)] if shape.rarities else []
    batch, source = {0: "batch"}, {0: "batch", 1: "source"}
    cross, heads = names("cross", shape.decoder_layers), {0: "batch", 2: "source"}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            EncoderGraph(model), (ids, mask, torch.tensor([2.0, 5.0]), *rarity), str(folder / "encoder.onnx"),
            input_names=["input_ids", "attention_mask", "ratio", *(["rarity"] if rarity else [])],
            output_names=["last_hidden_state", "keep", "pooled", "pointer.key", *cross],
            dynamic_axes={"input_ids": source, "attention_mask": source, "ratio": batch,
                          **({"rarity": source} if rarity else {}), "last_hidden_state": source,
                          "keep": source, "pooled": batch, "pointer.key": source, **{key: heads for key in cross}},
            opset_version=OPSET, dynamo=False)
        past, present = names("past", shape.decoder_layers), names("present", shape.decoder_layers)
        keys = [torch.randn(2, shape.heads, 7, shape.head_width) for _ in cross]
        earlier = [torch.randn(2, shape.heads, 3, shape.head_width) for _ in past]
        torch.onnx.export(
            DecoderGraph(model),
            (torch.randn(2, 1, shape.d_model), torch.tensor([0, 1]), torch.tensor([9.0, 4.0]), torch.tensor([-1, 3]),
             mask, torch.randn(2, 7, shape.pointer), *keys, *earlier), str(folder / "decoder.onnx"),
            input_names=["previous", "phase", "remaining", "position_of_previous", "encoder_attention_mask",
                         "pointer.key", *cross, *past],
            output_names=["logits", *present],
            dynamic_axes={"previous": batch, "phase": batch, "remaining": batch, "position_of_previous": batch,
                          "encoder_attention_mask": source, "pointer.key": source, "logits": {0: "batch", 1: "choices"},
                          **{key: heads for key in cross}, **{key: {0: "batch", 2: "steps"} for key in past},
                          **{key: {0: "batch", 2: "steps_now"} for key in present}},
            opset_version=OPSET, dynamo=False)


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


def commit():
    """The commit of the recipe, as far as git can tell."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    return said.stdout.strip() or "unknown"


def run(args):
    from .model import load_checkpoint

    work = Path(args.work)
    model, _ = load_checkpoint(work / args.checkpoint)
    model.encoder.keep_position(args.position)
    folder = export(model, work / "tokenizer.json", args.out or work / "export", args.name, args.version,
                    quantize=not args.fp32, provenance={"licence": args.licence, "trained_on": args.trained_on,
                                                        "recipe": args.recipe or commit(),
                                                        "rewrites": args.rewrites})
    for path in sorted(folder.iterdir()):
        print(f"export: {path.name} {path.stat().st_size} bytes")
