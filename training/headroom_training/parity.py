"""Compares an export with its checkpoint, and writes parity.json: figures that the engine's tests compare with."""

import json
from pathlib import Path

import numpy as np

from . import reference

TEXTS = [
    "The council met on Tuesday and agreed to repair the old bridge, which cost 250,000 dollars.",
    "Marie Curie, a physicist from Warsaw, didn't stop there.",
    "Nobody answered.",
    "The café – built in 1889 – was closed (for good).",
]


def figures(folder, threads=1):
    export = reference.Export(folder, threads)
    rows = []
    for text in TEXTS:
        encoding = export.tokenizer.encode(text, add_special_tokens=False)
        words = export.words(text)
        rows.append({"text": text, "ids": encoding.ids, "words": [
            [len(text[:start].encode()), len(text[:end].encode()), head, relation, tag, round(certain, 5)]
            for start, end, head, relation, tag, certain in words]})
    return {"made_with": "headroom_training parity", "places": "bytes", "rows": rows}


def write(folder):
    path = Path(folder) / "parity.json"
    path.write_text(json.dumps(figures(folder), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def run(args):
    import torch

    from .export import Graph
    from .network import load_checkpoint

    folder = Path(args.out or Path(args.work) / "export")
    model, _ = load_checkpoint(Path(args.work) / f"{args.name}.pt")
    graph, export = Graph(model.eval()), reference.Export(folder)
    same, pieces, gap = 0, 0, 0.0
    for text in TEXTS:
        ids = export.tokenizer.encode(text, add_special_tokens=False).ids
        theirs = export.encode([ids])
        with torch.no_grad():
            ours = graph(torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.long))
        for name, mine in zip(reference.OUTPUTS, ours):
            if name in ("head", "relation", "tag"):
                same += int((mine.numpy() == theirs[name]).sum())
                pieces += mine.numel()
            else:
                gap = max(gap, float(np.abs(mine.numpy() - theirs[name]).max()))
    print(f"parity: {same} of {pieces} readings equal, largest gap of a figure {gap:.4f}; {write(folder)}")
