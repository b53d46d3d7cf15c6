"""Figures that the engine's tests compare themselves with, and the check that an export equals its checkpoint."""

import json
from pathlib import Path

import numpy as np

from . import reference

TEXTS = [
    "The Gilmer City Council on Tuesday plans to consider canceling its May 10 council election since none of the "
    "incumbents drew a challenger during the filing period.",
    "Wilhelm Conrad Röntgen, of Germany, received 150,782 SEK in 1901; he was not the only nominee — far from it.",
    "Short one.",
    "Grad F: OK .\nPhD C: Adam , what is the mike that , uh , Jeremy 's wearing ?\nGrad F: It 's the ear - plug mike .",
    "Run `cargo test --workspace` in /srv/app\n\n    fn main() { println!(\"hi 🎉\"); }\n\tand look at café.log.",
]
RATIOS = [2.0, 5.0, 10.0]


def figures(folder, texts=None):
    """Token ids, offsets, keep logits, pooled vectors and greedy spans of a few texts, one text a batch."""
    export = reference.Export(folder)
    rows = []
    for text in texts or TEXTS:
        ids, offsets = export.tokens(text)
        encoded = {ratio: export.encode([ids], [ratio], [export.rarities(text)]) for ratio in RATIOS}
        first = encoded[RATIOS[0]]
        row = {
            "text": text, "ids": ids, "offsets_chars": offsets, "offsets_bytes": bytes_of(text, offsets),
            "state_sum": rounded(first["last_hidden_state"].astype(np.float64).sum()),
            "state_first": [rounded(value) for value in first["last_hidden_state"][0, 0, :8]],
            "pooled": [rounded(value) for value in first["pooled"][0]],
            "ratios": [],
        }
        for ratio in RATIOS:
            budget = max(1, int(len(ids) / ratio))
            spans = export.point(encoded[ratio], 0, text, offsets, budget)
            row["ratios"].append({
                "ratio": ratio, "keep": [rounded(value) for value in encoded[ratio]["keep"][0]], "budget": budget,
                "spans": spans, "text": reference.text_of(text, offsets, spans)})
        rows.append(row)
    return {"tolerance": 2e-3, "rows": rows}


def bytes_of(text, offsets):
    at = [0]
    for character in text:
        at.append(at[-1] + len(character.encode("utf-8")))
    return [(at[start], at[end]) for start, end in offsets]


def rounded(value):
    return round(float(value), 6)


def write(folder, path=None):
    path = Path(path or Path(folder) / "parity.json")
    path.write_text(json.dumps(figures(folder), ensure_ascii=False, indent=None, separators=(",", ":")) + "\n",
                    encoding="utf-8")
    return path


def compare(model, folder, texts=None):
    """Largest differences between the training framework and an export, and whether greedy spans agree."""
    import torch  # here only, so that the figures can be checked without the framework

    export = reference.Export(folder)
    model = model.float().eval()
    worst = {"state_cosine": 1.0, "keep": 0.0, "pooled_cosine": 1.0, "rank_agreement": 1.0}
    for text in texts or TEXTS:
        ids, _ = export.tokens(text)
        ids = ids[:export.manifest["max_tokens"]]
        classes = export.rarities(text)[:export.manifest["max_tokens"]]
        encoded = export.encode([ids], [5.0], [classes])
        with torch.no_grad():
            mask = torch.ones(1, len(ids), dtype=torch.long)
            states = model.encoder.states(torch.tensor([ids]), mask, torch.tensor([classes]))
            keep = model.encoder.keep(states, torch.tensor([5.0]))[0].numpy()
            pooled = model.encoder.pooled(states, mask)[0].numpy()
        worst["keep"] = max(worst["keep"], float(np.abs(keep - encoded["keep"][0]).max()))
        worst["pooled_cosine"] = min(worst["pooled_cosine"], float(pooled @ encoded["pooled"][0]))
        mine, theirs = states[0].numpy(), encoded["last_hidden_state"][0]
        cosine = (mine * theirs).sum(-1) / np.linalg.norm(mine, axis=-1) / np.linalg.norm(theirs, axis=-1)
        worst["state_cosine"] = min(worst["state_cosine"], float(cosine.min()))
        kept = max(1, len(ids) // 3)
        top = set(np.argsort(-keep, kind="stable")[:kept]) & set(np.argsort(-encoded["keep"][0], kind="stable")[:kept])
        worst["rank_agreement"] = min(worst["rank_agreement"], len(top) / kept)
    return worst


def run(args):
    from .model import load_checkpoint

    folder = Path(args.out or Path(args.work) / "export")
    if args.checkpoint != "none":
        model, _ = load_checkpoint(Path(args.work) / args.checkpoint)
        model.encoder.keep_position(args.position)
        print("parity:", json.dumps(compare(model, folder)))
    print(f"parity: wrote {write(folder)}")
