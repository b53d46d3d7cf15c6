"""Stage `smoke`: the whole recipe on a little made-up text, in minutes on one CPU core.

It shows that the stages fit together and that what comes out runs; it says nothing about quality. Labels are made
up too (a fixed vector for each word), so that nothing has to be downloaded.
"""

import hashlib
import json
import random
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from . import data, export, label, parity, reference, rule, tokenizer, train
from .model import load_checkpoint

SHAPE = {"d_model": 64, "d_ff": 128, "heads": 2, "head_width": 16, "pointer": 16, "keep_width": 16}
WHO = ["The council", "A committee", "The company", "Our library", "The harbour office", "A group of teachers"]
DID = ["approved", "rejected", "delayed", "published", "reviewed", "repaired"]
WHAT = ["the new bridge", "a report on water", "the winter timetable", "its plan for 2031", "two old ferries"]
WHEN = ["on Tuesday", "after a long debate", "last week", "without much discussion", "in March"]
WHY = ["because costs had risen by 12 percent", "although several members disagreed", "to save about 40,000 euros",
       "since the roof was no longer safe"]


def run(args):
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(args.scratch or scratch)
        began = time.time()
        source = work / "data"
        write_text(source, random.Random(args.seed))
        common = {"work": str(work), "data": str(source), "seed": args.seed, "threads": args.threads, "force": False}
        data.run(SimpleNamespace(**common, scale=1.0, sentences=100))
        tokenizer.run(SimpleNamespace(**common, vocabulary=600))
        made_up_labels(work)
        settings = dict(seconds=0.0, rate=2e-3, warmup=5, batch=512, embed_scale=1.0, human=0.2, mild=0.3, hidden=1.0,
                        pooled=1.0, order=0.5, decoder_from=None, from_export=None, rarity=False,
                        positions=False, longest=12, tell=2.0, save=60.0, measure=1e9, quick=0, shape=json.dumps(SHAPE))
        train.run(SimpleNamespace(**common, **settings, part="encoder", stages="2:0.5,4:0.5", steps=80))
        train.run(SimpleNamespace(**common, **settings, part="decoder", stages="", steps=60))
        model, _ = load_checkpoint(work / "model.pt")
        folder = export.export(model, work / "tokenizer.json", work / "export", "smoke", "0")
        worst = parity.compare(model, folder)
        parity.write(folder)
        check(folder, worst, work / "encoder.jsonl")
        print(f"smoke: all stages passed in {time.time() - began:.0f} s; {json.dumps(worst)}")


def write_text(folder, rng):
    """Documents, and sentences with a shortened form, in the shape of a data folder."""
    def sentence():
        return [rng.choice(WHO), rng.choice(DID), rng.choice(WHAT), rng.choice(WHEN), rng.choice(WHY)]

    texts, pairs = [], []
    for _ in range(300):
        texts.append({"text": " ".join(" ".join(sentence()) + "." for _ in range(rng.randint(1, 4)))})
        parts = sentence()
        pairs.append({"src": " ".join(parts) + ".", "tgt": " ".join(parts[:3]) + "."})
    for name, rows in (("text/nltk_general", texts), ("pairs/google_sentcomp", pairs)):
        path = folder / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def made_up_labels(work):
    pieces, idf = tokenizer.load(work / "tokenizer.json"), rule.Idf.load(work / "idf.json")
    segments = [json.loads(line) for line in open(work / "segments.jsonl", encoding="utf-8")]
    rows = label.prepared(segments, pieces, None, 128)
    states = [np.stack([word_vector(word) for word in row[4]]) for row in rows]
    folder = work / "labels"
    folder.mkdir(exist_ok=True)
    np.save(folder / "000.states.npy", np.concatenate(states))
    np.savez(folder / "000.npz", **label.arrays_of(rows, idf, [one.astype(np.float32).mean(0) for one in states]))


def word_vector(word):
    digest = hashlib.blake2b(word.lower().encode(), digest_size=48).digest()
    return np.tile(np.frombuffer(digest, np.int8), 8)


def check(folder, worst, log):
    """What must hold even of a model that has learned next to nothing."""
    rows = [json.loads(line) for line in open(log, encoding="utf-8")]
    assert rows[-1]["hidden"] < rows[0]["hidden"], "the encoder learned nothing"
    assert worst["state_cosine"] > 0.97 and worst["pooled_cosine"] > 0.97, worst
    assert reference.Export(folder).pooled(["one", "two"]).shape == (2, 384)
    for row in json.loads((folder / "parity.json").read_text(encoding="utf-8"))["rows"]:
        for asked in row["ratios"]:
            assert sum(end - start + 1 for start, end in asked["spans"]) <= asked["budget"], asked
            assert all(word in row["text"] for word in asked["text"].split()), asked
