"""Stage `curves`: the training logs, thinned out, as one small CSV."""

import csv
import json
from pathlib import Path

COLUMNS = ["part", "step", "seconds", "tokens", "rate", "keep", "order", "hidden", "pooled", "human", "pointer",
           "survival_2", "survival_5", "survival_10", "deletion_f1"]


def run(args):
    with open(args.csv, "w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        for part in ("encoder", "model"):
            path = Path(args.work) / f"{part}.jsonl"
            rows = [json.loads(line) for line in open(path, encoding="utf-8")] if path.exists() else []
            every = max(1, len(rows) // args.points)
            for row in rows[::every]:
                writer.writerow({"part": part} | row)
