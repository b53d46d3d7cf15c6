"""Every stage on a few made-up sentences, to see that all of it works. What comes out is no model."""

import argparse
import json
import lzma
import tempfile
from pathlib import Path

from . import export, learn, network, parity, published, reference, silver

HEAD = {"relations": {"a": "nsubj", "b": "ROOT", "c": "det", "d": "dobj", "e": "punct"},
        "tags": {"v": "DT", "w": "NN", "x": "VBD", "y": ".", "z": "XX"}}
WORDS = ["council", "bridge", "train", "river", "teacher", "library", "report", "server", "mayor", "court"]
VERBS = ["repaired", "opened", "crossed", "visited", "closed"]


def run(args):
    with tempfile.TemporaryDirectory() as scratch:
        data, work = Path(scratch) / "data", Path(scratch) / "work"
        for folder in (data / "parses", data / "pairs", work):
            folder.mkdir(parents=True)
        sentences = [f"The {one} {verb} the {other}" for one in WORDS for verb in VERBS for other in WORDS]
        with lzma.open(data / "parses" / "english_silver.jsonl.xz", "wt", encoding="utf-8") as out:
            out.write(json.dumps(HEAD) + "\n")
            for text in sentences:
                out.write(json.dumps({"t": text + silver.JOINED + ".", "h": [1, 1, 0, 1, -2, -3], "d": "cabcde",
                                      "p": "vwxvwy", "s": "smoke"}) + "\n")
        with lzma.open(data / "pairs" / "google_sentcomp.jsonl.xz", "wt", encoding="utf-8") as out:
            for text in sentences:
                out.write(json.dumps({"src": text + " again today.", "tgt": text + "."}) + "\n")
        options = argparse.Namespace(
            data=str(data), work=str(work), name="smoke", seed=1, threads=1, vocabulary=400, max_tokens=64, seconds=6.0,
            layers=1, dropout=0.1, rate=1e-3, batch=512, start_vectors=False, save=3.0, out=None, version="0",
            licence="none", trained_on="made-up sentences", recipe="none", fp32=False, begin_with=None)
        silver.run(options)
        learn.run(options)
        export.run(options)
        parity.run(options)
        words = reference.Export(work / "export").words("The mayor opened the bridge.")
        assert [word[0] for word in words] == sorted(word[0] for word in words)
        goes_on(options, work)
        print("smoke: all stages ran;", [(word[3], word[2]) for word in words])


def goes_on(options, work):
    """What was published is the network that was trained, but for the rounding, and can be trained further."""
    trained, _ = network.load_checkpoint(work / f"{options.name}.pt")
    told = published.load(work / "export")[0].state_dict()
    for name, value in trained.state_dict().items():
        if not name.startswith(("worth.", "keep.")):
            off = (told[name] - value).abs().max().item()
            assert off <= value.abs().max().item() / 100 + 1e-6, f"{name} is off by {off}"
    options.name, options.seconds, options.begin_with = "further", 1.0, str(work / "export")
    learn.run(options)
