"""Silver syntax: what a parser said of English sentences, brought from its words to the pieces of our tokenizer.

A line of `parses/english_silver.jsonl.xz` holds words, relative heads, relations and tags; its first line says so. The
first piece that begins in a word stands for the word. The other pieces of a word hang on that one by the relation `in`.
"""

import hashlib
import json
import lzma
from pathlib import Path

import numpy as np

JOINED = "\u0001"         # between words that the text does not part
INSIDE = "in"             # relation of a piece to the first piece of its word
HELD_OUT = 50             # one sentence of so many, by hash, is not trained on


class Names:
    """The relations and tags of a silver file by number, our own `in` last."""

    def __init__(self, head):
        self.relations = [*head["relations"].values(), INSIDE]
        self.tags = list(head["tags"].values())
        self.relation = {key: at for at, key in enumerate(head["relations"])}
        self.tag = {key: at for at, key in enumerate(head["tags"])}


def read(path):
    """Yields the first line, then every sentence."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def spans_of(joined):
    """(text, [(start, end) of each word])."""
    text, spans, at = [], [], 0
    for part in joined.split(" "):
        for word in part.split(JOINED):
            text.append(word)
            spans.append((at, at + len(word)))
            at += len(word)
        text.append(" ")
        at += 1
    return "".join(text)[:-1], spans


def owners_of(text, offsets, spans):
    """The word in which each piece begins (its first character that is not white), -1 for none."""
    owners, at = [], 0
    for start, end in offsets:
        while start < end and text[start].isspace():
            start += 1
        while at < len(spans) and spans[at][1] <= start:
            at += 1
        owners.append(at if start < end and at < len(spans) and spans[at][0] <= start else -1)
    return owners


def to_pieces(record, encoding, text, spans, names):
    """(ids, heads, relations, tags) as lists by piece; None where a word lost all its pieces and has children."""
    heads = record["h"]
    owners = owners_of(text, encoding.offsets, spans)
    first = {}
    for piece, owner in enumerate(owners):
        if owner >= 0:
            first.setdefault(owner, piece)
    inside = len(names.relations) - 1
    ids, head, relation, tag = list(encoding.ids), [], [], []
    for piece, owner in enumerate(owners):
        if owner < 0:
            head.append(max(piece - 1, 0))
            relation.append(inside)
            tag.append(0)
            continue
        tag.append(names.tag[record["p"][owner]])
        if first[owner] != piece:
            head.append(first[owner])
            relation.append(inside)
            continue
        above = owner + heads[owner]
        for _ in range(len(heads)):
            if above in first or heads[above] == 0:
                break
            above += heads[above]
        head.append(first.get(above, piece))
        relation.append(names.relation[record["d"][owner]])
    return ids, head, relation, tag


def held_out(text, one_of=HELD_OUT):
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) % one_of == 0


def prepare(sources, tokenizer, target, max_tokens):
    """Writes flat arrays of all sentences (int16, heads as places) and what was held out. A sentence counts once."""
    names = Names(next(read(sources[0])))
    seen = set()
    parts = {"train": [[], [], [], [], []], "held": [[], [], [], [], []]}
    batch = []

    def flush():
        encoded = tokenizer.encode_batch([text for _, text, _ in batch], add_special_tokens=False)
        for (record, text, spans), encoding in zip(batch, encoded):
            if not 4 <= len(encoding.ids) <= max_tokens:
                continue
            rows = to_pieces(record, encoding, text, spans, names)
            part = parts["held" if held_out(text) else "train"]
            part[0].append(len(rows[0]))
            for column, row in zip(part[1:], rows):
                column.extend(row)
        batch.clear()

    for record in (line for source in sources for line in read(source) if "t" in line):
        mark = hash(record["t"])
        if mark in seen:
            continue
        seen.add(mark)
        batch.append((record, *spans_of(record["t"])))
        if len(batch) == 8192:
            flush()
    flush()
    arrays = {}
    for name, (lengths, *columns) in parts.items():
        arrays[f"{name}.length"] = np.array(lengths, np.int16)
        for kind, column in zip(("id", "head", "relation", "tag"), columns):
            arrays[f"{name}.{kind}"] = np.array(column, np.int16)
    np.savez(target, **arrays, relations=np.array(names.relations), tags=np.array(names.tags))
    print(f"silver: {len(parts['train'][0])} sentences to learn from, {len(parts['held'][0])} held out, "
          f"{len(parts['train'][1])} pieces")


def run(args):
    from . import tokenizer

    work = Path(args.work)
    sources = sorted((Path(args.data) / "parses").glob("*.jsonl.xz")) + sorted((work / "parses").glob("*.jsonl.xz"))
    pieces = work / "tokenizer.json"
    if not pieces.exists():
        work.mkdir(parents=True, exist_ok=True)
        texts = (spans_of(line["t"])[0] for source in sources for line in read(source) if "t" in line)
        tokenizer.train(texts, args.vocabulary, pieces)
    prepare(sources, tokenizer.load(pieces), work / "silver.npz", args.max_tokens)
