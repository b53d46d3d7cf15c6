"""What 1,024 tokens cost, as 8 segments of 128: one encoder pass and 12 decoder steps as at 10:1.

In the same interleaved rounds, so that a busy machine is as busy for all: 6+6 layers of random weights in our layout,
and, where `--stock` names one, a T5-small exported by optimum, quantized as ours is. The least of all rounds counts.
"""

import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime

from . import reference
from .export import export as write_export
from .export import to_int8
from .model import Headroom, Shape

ROWS, LENGTH, STEPS = 8, 128, 12


class StockExport:
    """Encoder and the two decoders (without and with past) as optimum writes them; greedy steps with the past kept. A
    merged decoder holds its layers in branches, which the quantization passes over."""

    def __init__(self, folder, scratch, threads):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.encoder, self.first, self.next = (
            onnxruntime.InferenceSession(str(int8(Path(folder) / f"{name}.onnx", scratch)), options,
                                         providers=["CPUExecutionProvider"])
            for name in ("encoder_model", "decoder_model", "decoder_with_past_model"))

    def encode(self):
        ids = np.arange(ROWS * LENGTH, dtype=np.int64).reshape(ROWS, LENGTH) % 900 + 3
        mask = np.ones_like(ids)
        return {"encoder_hidden_states": self.encoder.run(None, {"input_ids": ids, "attention_mask": mask})[0],
                "encoder_attention_mask": mask}

    def steps(self, encoded):
        known = dict(encoded)
        tokens = np.zeros((ROWS, 1), np.int64)
        for step in range(STEPS):
            graph = self.next if step else self.first
            known["input_ids"] = tokens
            feed = {one.name: known[one.name] for one in graph.get_inputs()}
            values = dict(zip([one.name for one in graph.get_outputs()], graph.run(None, feed)))
            tokens = values["logits"][:, -1].argmax(-1)[:, None]
            known |= {name.replace("present", "past_key_values"): value for name, value in values.items()}


class OwnExport:
    def __init__(self, export, text):
        ids, _ = export.tokens(text)
        rare = export.rarities(text)
        spans = range(0, ROWS * LENGTH, LENGTH)
        self.export = export
        self.sequences, self.classes = ([one[at:at + LENGTH] for at in spans] for one in (ids, rare))

    def encode(self):
        return self.export.encode(self.sequences, [10.0] * ROWS, self.classes)

    def steps(self, encoded):
        batched_steps(self.export, encoded, STEPS)


def table(args, export, folder, text):
    with tempfile.TemporaryDirectory() as scratch:
        same = write_export(Headroom(Shape(encoder_layers=6, decoder_layers=6)), folder / "tokenizer.json",
                            Path(scratch) / "6+6", "6+6", "0")
        models = {"this model": OwnExport(export, text),
                  "6+6 in this layout": OwnExport(reference.Export(same, args.threads), text)}
        if args.stock:
            models["stock 6+6"] = StockExport(args.stock, scratch, args.threads)
        times = {name: [] for name in models}
        for _ in range(args.rounds):
            for name, one in models.items():
                began, worked = time.perf_counter(), time.process_time()
                encoded = one.encode()
                middle = time.perf_counter()
                one.steps(encoded)
                times[name].append((middle - began, time.perf_counter() - middle, time.process_time() - worked))
    return {"threads": args.threads, "rounds": args.rounds} | {
        name: least(found) for name, found in times.items()}


def least(found):
    """Of the round that took the least, and the least work of any: what all threads together computed, which a busy
    machine hardly changes. Work over threads is the time that idle cores would need at best."""
    encoder, decoder, _ = min(found, key=lambda one: one[0] + one[1])
    both = sorted(encoder + decoder for encoder, decoder, _ in found)
    values = {"encoder ms": encoder, "decoder ms": decoder, "both ms": both[0],
              "median of both ms": both[len(both) // 2], "work ms": min(worked for _, _, worked in found)}
    return {name: round(value * 1000, 1) for name, value in values.items()}


def int8(path, scratch):
    """The graph that lies beside it already quantized, or a copy quantized now."""
    for ending in ("_int8", "_quantized"):
        ready = path.with_name(f"{path.stem}{ending}.onnx")
        if ready.exists():
            return ready
    copy = Path(scratch) / path.name
    shutil.copyfile(path, copy)
    to_int8(copy)
    return copy


def batched_steps(export, encoded, steps):
    """The cost of `steps` pointer steps for all rows at once (what is pointed at does not matter here)."""
    rows, manifest = len(encoded["mask"]), export.manifest
    feed = {"encoder_attention_mask": encoded["mask"], "pointer.key": encoded["pointer.key"]}
    for layer in range(export.layers):
        for part in ("key", "value"):
            feed[f"cross.{layer}.{part}"] = encoded[f"cross.{layer}.{part}"]
            feed[f"past.{layer}.{part}"] = np.zeros((rows, manifest["heads"], 0, manifest["head_width"]), np.float32)
    names = [output.name for output in export.decoder.get_outputs()]
    for step in range(steps):
        values = dict(zip(names, export.decoder.run(names, feed | {
            "previous": encoded["last_hidden_state"][:, step:step + 1], "phase": np.full(rows, step % 2),
            "remaining": np.full(rows, 12.0, np.float32), "position_of_previous": np.full(rows, step)})))
        for layer in range(export.layers):
            for part in ("key", "value"):
                feed[f"past.{layer}.{part}"] = values[f"present.{layer}.{part}"]
    return steps
