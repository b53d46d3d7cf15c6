"""Measures an export: syntax, optional constituents, soundness, human deletions, determinism, speed.

Which constituents are optional is decided by the engine's own code (`examples/forms.rs`), for the parser's trees and for
the model's alike.
"""

import json
import lzma
import subprocess
import sys
import time
from collections import Counter
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np

from .reference import Export
from .silver import Names, held_out, read, spans_of

ROOT = Path(__file__).resolve().parents[2]


def forms(rows, certain):
    """What the engine would leave out of each statement: rows of (text, words)."""
    lines = "\n".join(json.dumps({"text": text, "words": words}) for text, words in rows)
    command = [str(ROOT / "target" / "debug" / "examples" / "forms"), str(certain)]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def held_sentences(data, limit):
    """(source, text, the parser's words) of sentences that were not trained on."""
    lines = read(Path(data) / "parses" / "english_silver.jsonl.xz")
    names = Names(next(lines))
    found = []
    for record in lines:
        text, spans = spans_of(record["t"])
        if held_out(text) and len(spans) > 5:
            words = [[*span, at + record["h"][at], names.relations[names.relation[record["d"][at]]],
                      names.tags[names.tag[record["p"][at]]], 1.0] for at, span in enumerate(spans)]
            found.append((record["s"], text, words))
            if limit and len(found) == limit:
                break
    return found


def syntax(export, rows):
    """Share of the parser's words that begin where one of ours does, have the same head, and the same relation too."""
    counts = Counter()
    for _, text, gold in rows:
        ours = export.words(text)
        at = {word[0]: word for word in ours}
        for start, _, head, relation, tag, *_ in gold:
            counts["words"] += 1
            mine = at.get(start)
            if mine is None:
                continue
            right = ours[mine[2]][0] == gold[head][0]
            counts["uas"] += right
            counts["las"] += right and mine[3] == relation
            counts["tags"] += mine[4] == tag
    return {name: round(counts[name] / counts["words"], 4) for name in ("uas", "las", "tags")}


def optional(export, rows, certain):
    """F1 of the spans that may go, the parser's trees as the truth; by source and for all."""
    kept = [row for row in rows if len(export.tokenizer.encode(row[1]).ids) <= export.manifest["max_tokens"]]
    gold = forms([(text, words) for _, text, words in kept], 0)
    ours = forms([(text, export.words(text)) for _, text, _ in kept], certain)
    counts = {}
    for (source, *_), theirs, mine in zip(kept, gold, ours):
        theirs, mine = ({tuple(span) for span in one["gone"]} for one in (theirs, mine))
        for name in (source, "all"):
            tally = counts.setdefault(name, Counter())
            tally["both"] += len(theirs & mine)
            tally["gold"] += len(theirs)
            tally["ours"] += len(mine)
    return {name: {"spans": tally["gold"], "precision": round(tally["both"] / max(1, tally["ours"]), 3),
                   "recall": round(tally["both"] / max(1, tally["gold"]), 3),
                   "f1": round(2 * tally["both"] / max(1, tally["gold"] + tally["ours"]), 3)}
            for name, tally in sorted(counts.items())}


def sound(export, texts, certain):
    """Share of the words in shortened statements that stand in sound ones, by the parser; how much they shrink."""
    sys.path.insert(0, str(ROOT / "quality"))
    from quality.sound import soundness

    tally, before, after, statements = Counter(), 0, 0, 0
    longest = export.manifest["max_tokens"]
    texts = [text for text in texts if 1 <= len(export.tokenizer.encode(text).ids) <= longest]
    for text, row in zip(texts, forms([(text, export.words(text)) for text in texts], certain)):
        if row["forms"]:
            statements += 1
            shortest = row["forms"][-1][0]
            before, after = before + len(text), after + len(shortest)
            verdicts = soundness(text, shortest)
            tally["sound"] += verdicts["sound"] + verdicts["whole"]
            tally["words"] += sum(verdicts.values())
    return {"statements": len(texts), "shortened": statements, "shrink": round(1 - after / max(1, before), 3),
            "sound": round(tally["sound"] / max(1, tally["words"]), 3)}


def deletion(model, export, path):
    """Mean token F1 of the checkpoint's keep ranking, which is not exported, against the reference deletion by position,
    as many words kept as it has (F1 = precision)."""
    import torch

    scores = []
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            words = row["src"].split()
            encoding = export.tokenizer.encode(row["src"], add_special_tokens=False)
            kept = positions(words, row["tgt"].split())
            if not kept or len(encoding.ids) > export.manifest["max_tokens"]:
                continue
            with torch.no_grad():
                logits = model.kept(model.states(torch.tensor([encoding.ids]), torch.ones(1, len(encoding.ids)))).tolist()[0]
            starts = np.cumsum([0] + [len(word) + 1 for word in words])
            values = [[] for _ in words]
            for (start, end), logit in zip(encoding.offsets, logits):
                while start < end and row["src"][start].isspace():
                    start += 1
                values[min(len(words) - 1, int(np.searchsorted(starts, start, side="right")) - 1)].append(logit)
            worth = np.array([np.mean(own) if own else -9.0 for own in values])
            mine = set(np.argsort(-worth, kind="stable")[:len(kept)].tolist())
            scores.append(len(mine & kept) / len(kept))
    return {"sentences": len(scores), "f1": round(float(np.mean(scores)), 4)}


def positions(source, target):
    """Where the words of a deletion stand in its source."""
    lowered = [[word.lower() for word in words] for words in (source, target)]
    blocks = SequenceMatcher(None, *lowered, autojunk=False).get_matching_blocks()
    return {at for block in blocks for at in range(block.a, block.a + block.size)}


def determinism(folder, texts):
    """Whether one thread and two, and two runs, give equal bytes."""
    read = []
    for threads in (1, 2, 1):
        export = Export(folder, threads)
        read.append([export.words(text) for text in texts])
    return {"texts": len(texts), "equal": read[0] == read[1] == read[2]}


def speed(export_of, stock, rounds):
    """Milliseconds for 1,024 tokens as 8 rows of 128 on two threads, interleaved with a stock T5-small's encoder."""
    import onnxruntime

    own = export_of(2)
    ids = np.random.default_rng(1).integers(300, 9000, (8, 128))
    runs = {"this encoder": lambda: own.encode([list(row) for row in ids])}
    if stock:
        from .export import to_int8_copy

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = 2, 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session = onnxruntime.InferenceSession(to_int8_copy(Path(stock) / "encoder_model.onnx"), options,
                                               providers=["CPUExecutionProvider"])
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        runs["stock T5-small encoder"] = lambda: session.run(None, feed)
    times = {name: [] for name in runs}
    for _ in range(rounds):
        for name, once in runs.items():
            began = time.perf_counter()
            once()
            times[name].append(1000 * (time.perf_counter() - began))
    return {name: round(min(values), 1) for name, values in times.items()}


def run(args):
    folder = Path(args.out or Path(args.work) / "export")
    export = Export(folder, args.threads)
    rows = held_sentences(args.data, args.limit)
    tables, wanted = {}, args.tables.split(",")
    if "syntax" in wanted:
        tables["syntax, against the parser"] = syntax(export, rows)
    if "optional" in wanted:
        for certain in (0.0, *map(float, args.certain.split(","))):
            tables[f"optional constituents at certainty {certain}"] = optional(export, rows, certain)
    if "sound" in wanted:
        for certain in (0.0, *map(float, args.certain.split(","))):
            tables[f"sound at certainty {certain}"] = sound(export, [text for _, text, _ in rows], certain)
    if "deletion" in wanted:
        from .network import load_checkpoint

        model = load_checkpoint(Path(args.work) / f"{args.name}.pt")[0].eval()
        tables["human deletions"] = deletion(model, export, Path(args.data) / "dev" / "sc_broadcast.jsonl.xz")
    if "determinism" in wanted:
        tables["determinism"] = determinism(folder, [text for _, text, _ in rows[:50]])
    if "speed" in wanted:
        tables["speed"] = speed(lambda threads: Export(folder, threads), args.stock, args.rounds)
    for name, table in tables.items():
        print(f"{name}: {json.dumps(table)}")
    if args.json:
        Path(args.json).write_text(json.dumps(tables, indent=1) + "\n", encoding="utf-8")
