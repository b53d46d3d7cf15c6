"""The reference runtime: what the engine does with an export, in plain Python on ONNX Runtime only.

LAYOUT.md says the same in words; the engine is tested against the figures that `parity` writes with this file.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

OUTPUTS = ("head", "relation", "tag", "certain")
INSIDE = "in"


def manifest_of(folder):
    """A folder's manifest, once its files are those that it describes."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for name, expected in manifest["files"].items():
        content = (folder / name).read_bytes()
        if len(content) != expected["bytes"] or hashlib.sha256(content).hexdigest() != expected["sha256"]:
            raise ValueError(f"{folder / name} is not the file that manifest.json describes")
    return manifest


class Export:
    """A loaded `headroom-t5/2` folder."""

    def __init__(self, folder, threads=1):
        folder = Path(folder)
        self.manifest = manifest_of(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.encoder = onnxruntime.InferenceSession(str(folder / "encoder.onnx"), options,
                                                    providers=["CPUExecutionProvider"])
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def encode(self, sequences):
        """One pass over lists of ids, padded on the right; a dict of arrays [row, piece]."""
        longest = max(len(ids) for ids in sequences)
        ids = np.zeros((len(sequences), longest), np.int64)
        mask = np.zeros_like(ids)
        for row, sequence in enumerate(sequences):
            ids[row, :len(sequence)], mask[row, :len(sequence)] = sequence, 1
        return dict(zip(OUTPUTS, self.encoder.run(list(OUTPUTS), {"input_ids": ids, "attention_mask": mask})))

    def words(self, text):
        """The words of a statement as [start, end, head, relation, tag, certain]; places in characters."""
        encoding = self.tokenizer.encode(text, add_special_tokens=False)
        read = {name: values[0] for name, values in self.encode([encoding.ids]).items()}
        return to_words(text, encoding.offsets, read, self.manifest)


def to_words(text, offsets, read, manifest):
    """Pieces put together to words. A piece whose relation is `in` belongs to the word before it."""
    words, owner = [], []
    for piece, (start, end) in enumerate(offsets):
        inside = text[start:end]
        start, end = start + len(inside) - len(inside.lstrip()), end - len(inside) + len(inside.rstrip())
        visible = start < end
        relation = manifest["relations"][read["relation"][piece]]
        if relation == INSIDE and words:
            if visible:
                words[-1][1] = max(words[-1][1], end)
        else:
            place = (start, end) if visible else (offsets[piece][1],) * 2
            words.append([*place, int(read["head"][piece]), relation, manifest["tags"][read["tag"][piece]],
                          float(read["certain"][piece])])
        owner.append(len(words) - 1)
    for word in words:
        word[2] = owner[word[2]]
    return words
