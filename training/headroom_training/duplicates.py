"""Paraphrases found at 1 % false alarms: by common words, by T5's pooled vector, by MiniLM, and by words and meaning.

Pairs are fused and split forms of one text (wikisplit, bisect) that share no eight words in a row with the training
segments. False alarms are counted on hard negatives: pairs of sentences of one passage (same topic, other statement).
"""

import itertools
import json
import random
import re
from pathlib import Path

import numpy as np

from . import measure
from .corpus import find, read_rows, shingles
from .label import FastTeacher

PAIRS, NEGATIVES, FALSE_ALARMS = 300, 1500, 0.01
LOW = 0.4      # word overlap below which a pair counts as worded differently


def table(args, export):
    """{source: {score: {subset: % found}}}"""
    encoders = {"T5 pooled": lambda texts: t5_vectors(export, texts),
                "MiniLM": MiniLmVectors(args.work, args.threads)}
    rng = random.Random(9)
    negatives = same_topic(args.data, rng)
    trained = training_shingles(args.work)
    alarms = scores_of(negatives, encoders)
    limits = {name: float(np.quantile(values, 1 - FALSE_ALARMS)) for name, values in alarms.items()}
    result = {"negatives": len(negatives), "thresholds": {name: round(limit, 3) for name, limit in limits.items()}}
    for source in ("wikisplit_fuse", "bisect_fuse"):
        pairs = held_out(args.data, source, trained, rng)
        if not pairs:
            continue
        scores = scores_of(pairs, encoders)
        subsets = {"all": np.ones(len(pairs), bool), "atoms equal": np.array([same_atoms(*pair) for pair in pairs]),
                   "low overlap": scores["word overlap"] < LOW}
        subsets["low overlap, atoms equal"] = subsets["low overlap"] & subsets["atoms equal"]
        result[source] = {"pairs": {name: int(subset.sum()) for name, subset in subsets.items()}} | {
            name: {subset: round(100 * float((values[chosen] > limits[name]).mean()), 1)
                   for subset, chosen in subsets.items() if chosen.any()} for name, values in scores.items()}
    return result


def scores_of(pairs, encoders):
    left, right = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    scores = {"word overlap": np.array([overlap(*pair) for pair in pairs])}
    for name, encode in encoders.items():
        scores[name] = (encode(left) * encode(right)).sum(-1)
    for name in encoders:
        scores[f"{name} and words"] = (scores[name] + scores["word overlap"]) / 2
    return scores


def overlap(one, other):
    one, other = (set(re.findall(r"\w+", text.lower())) for text in (one, other))
    return len(one & other) / max(1, len(one | other))


def same_atoms(one, other):
    """Equal numbers, and equal names but for words that merely open a sentence."""
    def atoms(text):
        inner = re.sub(r"(^|[.!?]\W+)[A-Z](?=[a-z])", lambda match: match.group(0).lower(), text)
        return {word.lower() for word in re.findall(r"\w+", inner)
                if any(letter.isdigit() for letter in word) or (len(word) > 1 and word[0].isupper())}
    return atoms(one) == atoms(other)


def held_out(data, source, trained, rng):
    path = find(data, "pairs", source)
    rows = [(row["src"], row["tgt"]) for row in read_rows(path)] if path else []
    rng.shuffle(rows)
    fresh = (pair for pair in rows if not any(mark in trained for text in pair for mark in shingles(text)))
    return list(itertools.islice(fresh, PAIRS))


def training_shingles(work):
    with open(Path(work) / "segments.jsonl", encoding="utf-8") as lines:
        return {mark for line in lines for mark in shingles(json.loads(line)["text"])}


def same_topic(data, rng):
    pairs = []
    for row in measure.passages(data, "all"):
        sentences = [one for one in re.split(r"(?<=[.!?])\s+(?=[A-Z])", row["text"]) if len(one.split()) > 5]
        pairs += itertools.combinations(sentences, 2)
    return rng.sample(pairs, min(NEGATIVES, len(pairs)))


def t5_vectors(export, texts):
    return np.concatenate([export.pooled([text]) for text in texts])     # one a batch, as in the engine


class MiniLmVectors:
    def __init__(self, work, threads):
        self.teacher = FastTeacher(work, "sentence", threads)

    def __call__(self, texts):
        rows = []
        for text in texts:
            states, _ = self.teacher([self.teacher.tokenizer.encode(text).ids[:256]])
            vector = states[0].mean(0)
            rows.append(vector / np.linalg.norm(vector))
        return np.stack(rows)
