"""Stage `label`: what the teachers say of every segment, written once in shards that `train` reads.

A shard (`labels/NNN.npz`) holds flat arrays: tokens and the word each belongs to; for each word the rule's score;
for each segment MiniLM's pooled vector. `NNN.states.npy` holds MiniLM's state of each word as int8 (its direction
only), to be read from disk piece by piece, and `NNN.tag.npy` the tagger's logit of each word, so that a better tagger
labels again without the rest. `pieces.npy` starts the student's token vectors.
"""

import json
import time
from pathlib import Path

import numpy as np
import torch

from . import minilm, rarity, rule, teacher, tokenizer
from .words import words_of_tokens

WIDTH = minilm.WIDTH


class FastTeacher:
    """A teacher as an int8 ONNX graph: three times the speed of the framework on a CPU."""

    def __init__(self, work, name, threads=1):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = Path(work) / f"{name}.onnx"
        if not path.exists():
            module = minilm.load()[0] if name == "sentence" else teacher.load(work)[0]
            to_onnx(module.float().eval(), path)
        self.tokenizer = minilm.tokenizer()
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def __call__(self, sequences):
        """The graph's output for lists of ids, and the mask of the padded batch."""
        ids, mask = teacher.padded(sequences)
        return self.session.run(None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})[0], mask.numpy()


def to_onnx(module, path):
    from onnxruntime.quantization import QuantType, quantize_dynamic

    from .export import tidy

    full = path.with_suffix(".fp32.onnx")
    axes = {0: "batch", 1: "length"}
    with torch.no_grad():
        torch.onnx.export(module, (torch.ones(2, 9, dtype=torch.long), torch.ones(2, 9, dtype=torch.long)), str(full),
                          input_names=["input_ids", "attention_mask"], output_names=["out"], opset_version=17,
                          dynamic_axes={"input_ids": axes, "attention_mask": axes, "out": axes}, dynamo=False)
    tidy(full)
    quantize_dynamic(str(full), str(path), weight_type=QuantType.QInt8, per_channel=True)
    full.unlink()


def run(args):
    work = Path(args.work)
    pieces = tokenizer.load(work / "tokenizer.json")
    idf = rule.Idf.load(work / "idf.json")
    segments = [json.loads(line) for line in open(work / "segments.jsonl", encoding="utf-8")]
    segments = segments[:args.limit] if args.limit else segments
    folder = work / "labels"
    folder.mkdir(exist_ok=True)
    if args.only != "tag":
        sentence = FastTeacher(work, "sentence", args.threads)
        if not (work / "pieces.npy").exists():
            np.save(work / "pieces.npy", piece_vectors(pieces, sentence, segments, args.seed))
    tagger = FastTeacher(work, "tagger", args.threads) if args.only != "states" else None
    began = time.time()
    for number, start in enumerate(range(0, len(segments), args.shard)):
        rows = None
        for part, target in (("states", folder / f"{number:03}.npz"), ("tag", folder / f"{number:03}.tag.npy")):
            if target.exists() or args.only not in (None, part):
                continue
            rows = rows or prepared(segments[start:start + args.shard], pieces, minilm.tokenizer(), args.max_tokens)
            if part == "states":
                arrays, states = state_labels(rows, sentence, idf)
                np.save(folder / f"{number:03}.states.npy", states)
                half = target.with_suffix(".part.npz")
                np.savez(half, **arrays)
            else:
                half = target.with_suffix(".part.npy")
                np.save(half, tag_labels(rows, tagger))
            half.replace(target)
            print(f"label: {part} of {start + len(rows)}/{len(segments)} segments, {time.time() - began:.0f} s",
                  flush=True)


def prepared(segments, pieces, their_pieces, max_tokens):
    """(their ids, first piece of each word, our ids, the word of each token, words, kind) of each usable segment."""
    rows = []
    for segment in segments:
        text = segment["text"]
        encoding = pieces.encode(text, add_special_tokens=False)
        ids, offsets = encoding.ids[:max_tokens], encoding.offsets[:max_tokens]
        owners = words_of_tokens(text, offsets)
        count = max(owners, default=-1) + 1
        if count < 4:
            continue
        their_ids, firsts = teacher.word_firsts(their_pieces, text) if their_pieces else ([], [0] * count)
        if len(firsts) < count or min(firsts[:count]) < 0:
            continue
        rows.append((their_ids, firsts[:count], ids, owners, text.split()[:count], segment["kind"]))
    return rows


def state_labels(rows, sentence, idf):
    states, pooled = [None] * len(rows), [None] * len(rows)
    for group in teacher.batches(rows, 4096):
        out, mask = sentence([rows[at][0] for at in group])
        means = (out * mask[..., None]).sum(1) / mask.sum(1)[:, None]
        for row, at in enumerate(group):
            found = word_states(out[row], rows[at][1], int(mask[row].sum()))
            states[at] = np.round(found * (127 / np.abs(found).max(-1, keepdims=True))).astype(np.int8)
            pooled[at] = means[row]
    return arrays_of(rows, idf, pooled), np.concatenate(states)


def arrays_of(rows, idf, pooled):
    costs = [np.bincount([owner for owner in row[3] if owner >= 0], minlength=len(row[4])) for row in rows]
    return {
        "tokens": np.concatenate([np.asarray(row[2], np.int32) for row in rows]),
        "owners": np.concatenate([np.asarray(row[3], np.int16) for row in rows]),
        "token_counts": np.asarray([len(row[2]) for row in rows], np.int32),
        "word_counts": np.asarray([len(row[4]) for row in rows], np.int32),
        "costs": np.concatenate(costs).astype(np.int16),
        "rule": np.concatenate([rule.importance(row[4], idf) for row in rows]).astype(np.float32),
        "pooled": np.stack(pooled).astype(np.float16),
        "rarity": np.concatenate([rarity.of_tokens(row[4], row[3]) for row in rows]).astype(np.uint8),
        "kinds": np.asarray([row[5] for row in rows]),
    }


def tag_labels(rows, tagger):
    tags = [None] * len(rows)
    for group in teacher.batches(rows, 4096):
        logits, _ = tagger([rows[at][0] for at in group])
        for row, at in enumerate(group):
            tags[at] = logits[row][rows[at][1]]
    return np.concatenate(tags).astype(np.float32)


def word_states(states, firsts, length):
    """Mean of each word's pieces; a word ends where the next begins, the last one before [SEP]."""
    bounds = list(firsts) + [max(firsts[-1] + 1, length - 1)]
    return np.stack([states[bounds[at]:max(bounds[at] + 1, bounds[at + 1])].mean(0) for at in range(len(firsts))])


def piece_vectors(pieces, sentence, segments, seed):
    """A vector for each piece of our vocabulary: MiniLM's output for the piece alone (384), then what MiniLM is blind
    to (case, the space before, digits, how rare it is), then noise up to d_model. [vocabulary, 512]"""
    counts = np.zeros(pieces.get_vocab_size())
    for segment in segments[:20_000]:
        np.add.at(counts, pieces.encode(segment["text"], add_special_tokens=False).ids, 1)
    surfaces = [pieces.decode([number], skip_special_tokens=False) for number in range(len(counts))]
    rows = [(sentence.tokenizer.encode(surface.strip()[:40]).ids,) for surface in surfaces]
    vectors = np.zeros((len(rows), 512), np.float32)
    for group in teacher.batches(rows, 4096):
        states, mask = sentence([rows[at][0] for at in group])
        vectors[group, :WIDTH] = (states * mask[..., None]).sum(1) / mask.sum(1)[:, None]
    known = vectors[:, :WIDTH]
    known -= known.mean(0)
    known /= known.std() + 1e-6
    rarity = -np.log((counts + 1) / (counts.sum() + len(counts)))
    rarity = (rarity - rarity.mean()) / rarity.std()
    marks = np.stack([
        rarity, rarity ** 2 - 1,
        *[np.asarray([float(test(surface)) for surface in surfaces]) * 2 - 0.5 for test in (
            lambda s: s[:1].isspace(), lambda s: s.strip()[:1].isupper(), lambda s: s.strip().isupper(),
            lambda s: any(c.isdigit() for c in s), lambda s: s.strip().isalpha(), lambda s: not s.strip(),
            lambda s: any(c in ".!?" for c in s), lambda s: any(c in ",;:()[]" for c in s),
            lambda s: s.strip().lower() in rule.STOPWORDS, lambda s: len(s.strip()) > 4)]], axis=1)
    vectors[:, WIDTH:WIDTH + 4 * marks.shape[1]] = np.tile(marks, 4)
    rest = WIDTH + 4 * marks.shape[1]
    vectors[:, rest:] = np.random.default_rng(seed).normal(size=(len(rows), 512 - rest))
    return vectors
