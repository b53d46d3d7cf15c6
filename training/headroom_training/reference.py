"""The reference runtime: what the engine does with an export, in plain Python on ONNX Runtime only.

LAYOUT.md says the same in words; the engine is tested against the figures that `parity` writes with this file.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from . import rarity
from .words import boundary_masks, words_of_tokens


class Export:
    """A loaded `headroom-t5/1` folder."""

    def __init__(self, folder, threads=1):
        folder = Path(folder)
        self.manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        for name, expected in self.manifest["files"].items():
            content = (folder / name).read_bytes()
            if len(content) != expected["bytes"] or hashlib.sha256(content).hexdigest() != expected["sha256"]:
                raise ValueError(f"{folder / name} is not the file that manifest.json describes")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        providers = ["CPUExecutionProvider"]
        self.encoder = onnxruntime.InferenceSession(str(folder / "encoder.onnx"), options, providers=providers)
        self.decoder = onnxruntime.InferenceSession(str(folder / "decoder.onnx"), options, providers=providers)
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.layers = self.manifest["decoder_layers"]

    def tokens(self, text):
        encoding = self.tokenizer.encode(text, add_special_tokens=False)
        return encoding.ids, encoding.offsets

    def rarities(self, text):
        """The class of rarity of each token's word."""
        return rarity.of_tokens(text.split(), words_of_tokens(text, self.tokens(text)[1]))

    def encode(self, sequences, ratios, classes=None):
        """One encoder pass over lists of ids, padded on the right; a dict of output arrays plus the mask. `classes` are
        what `rarities` says, for a model that takes them."""
        longest = max(len(ids) for ids in sequences)
        ids = np.zeros((len(sequences), longest), np.int64)
        mask = np.zeros_like(ids)
        for row, sequence in enumerate(sequences):
            ids[row, :len(sequence)] = sequence
            mask[row, :len(sequence)] = 1
        names = [output.name for output in self.encoder.get_outputs()]
        feed = {"input_ids": ids, "attention_mask": mask, "ratio": np.asarray(ratios, np.float32)}
        if self.manifest.get("rarities"):
            feed["rarity"] = np.zeros_like(ids)
            for row, known in enumerate(classes):
                feed["rarity"][row, :len(known)] = known
        values = self.encoder.run(names, feed)
        return dict(zip(names, values)) | {"mask": mask}

    def keep(self, text, ratio):
        """Keep logits of a text's tokens; a text longer than max_tokens is the caller's mistake."""
        ids, _ = self.tokens(text)
        return self.encode([ids], [ratio], [self.rarities(text)])["keep"][0]

    def pooled(self, texts):
        most = self.manifest["max_tokens"]
        sequences = [self.tokens(text)[0][:most] for text in texts]
        classes = [self.rarities(text)[:most] for text in texts]
        return self.encode(sequences, [5.0] * len(texts), classes)["pooled"]

    def spans(self, text, ratio, budget=None):
        """Greedy pointing: inclusive (first, last) token spans whose length together is at most `budget` tokens
        (default: the text's tokens divided by the ratio, at least 1)."""
        ids, offsets = self.tokens(text)
        encoded = self.encode([ids], [ratio], [self.rarities(text)])
        return self.point(encoded, 0, text, offsets, budget or max(1, int(len(ids) / ratio)))

    def point(self, encoded, row, text, offsets, budget):
        starts, ends = (np.asarray(mask) for mask in boundary_masks(words_of_tokens(text, offsets)))
        length = len(offsets)
        states = encoded["last_hidden_state"][row:row + 1]
        feed = {"encoder_attention_mask": encoded["mask"][row:row + 1],
                "pointer.key": encoded["pointer.key"][row:row + 1]}
        empty = np.zeros((1, self.manifest["heads"], 0, self.manifest["head_width"]), np.float32)
        for layer in range(self.layers):
            for part in ("key", "value"):
                feed[f"cross.{layer}.{part}"] = encoded[f"cross.{layer}.{part}"][row:row + 1]
                feed[f"past.{layer}.{part}"] = empty
        previous, position, last_end, start = np.zeros((1, 1, states.shape[2]), np.float32), -1, -1, None
        left, spans = budget, []
        names = [output.name for output in self.decoder.get_outputs()]
        while left > 0:
            phase = 0 if start is None else 1
            values = self.decoder.run(names, feed | {
                "previous": previous, "phase": np.asarray([phase]), "remaining": np.asarray([left], np.float32),
                "position_of_previous": np.asarray([position])})
            outputs = dict(zip(names, values))
            logits = outputs["logits"][0]
            allowed = np.zeros(len(logits), bool)
            if phase == 0:
                # A start: the first token of a word that ends within the budget; or stop, once a span stands.
                for index in range(last_end + 1, length):
                    allowed[index] = starts[index] and word_end(ends, index) - index < left
                allowed[-1] = bool(spans)
                if not allowed.any():
                    break
            else:
                allowed[start:min(length, start + left)] = ends[start:min(length, start + left)]
            choice = int(np.where(allowed, logits, -np.inf).argmax())   # the lowest index wins a tie
            if choice == len(logits) - 1:
                break
            if phase == 0:
                start = choice
            else:
                spans.append((start, choice))
                left -= choice - start + 1
                start, last_end = None, choice
            previous, position = states[:, choice:choice + 1], choice
            for layer in range(self.layers):
                for part in ("key", "value"):
                    feed[f"past.{layer}.{part}"] = outputs[f"present.{layer}.{part}"]
        return spans


def word_end(ends, start):
    end = start
    while not ends[end]:
        end += 1
    return end


def text_of(text, offsets, spans):
    """The kept words: a span's own text as it stands, spans joined by one space; neighbours merge."""
    merged = []
    for first, last in spans:
        if merged and merged[-1][1] + 1 == first:
            merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return " ".join(text[offsets[first][0]:offsets[last][1]].strip() for first, last in merged)
