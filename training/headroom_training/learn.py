"""Training: arcs, relations and tags from silver syntax, and what people drop from their deletions.

One process, one budget of seconds; stopped, it goes on from its checkpoint at the place of the schedule where it was.
Batches hold sentences of about one length, so that hardly anything is padding.
"""

import json
import lzma
import math
import time
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from . import tokenizer
from .network import Reader, Shape, load_checkpoint, save_checkpoint
from .silver import held_out

RATE, WARM_UP, CLIP = 1e-3, 300, 1.0
PAIRS_HELD_OUT = 10       # one human deletion of so many, by hash, is not trained on
COVERED = 0.9             # share of a human shortening that must be found in its sentence, in order
TAG_LOSS, KEEP_LOSS = 0.3, 0.5
KEEP_EVERY = 12           # one batch of so many is of human deletions
NOTHING_YET = {"step": 0, "seconds": 0.0, "pieces": 0, "optimizer": None}


class Sentences:
    """Flat arrays by sentence, in batches of about `size` pieces."""

    def __init__(self, arrays, part):
        self.lengths = arrays[f"{part}.length"].astype(np.int64)
        self.starts = np.concatenate([[0], np.cumsum(self.lengths)[:-1]])
        self.columns = [arrays[f"{part}.{kind}"] for kind in ("id", "head", "relation", "tag")]

    def batches(self, size, rng):
        """One pass: sorted by length with some noise, batches shuffled."""
        order = np.argsort(self.lengths + rng.uniform(0, 3, len(self.lengths)), kind="stable")
        found, batch, longest = [], [], 0
        for at in order:
            longest = max(longest, self.lengths[at])
            if batch and longest * (len(batch) + 1) > size:
                found.append(batch)
                batch, longest = [], self.lengths[at]
            batch.append(at)
        found.append(batch)
        rng.shuffle(found)
        return found

    def tensors(self, batch):
        width = int(self.lengths[batch].max())
        rows = [torch.zeros(len(batch), width, dtype=torch.long) for _ in self.columns]
        mask = torch.zeros(len(batch), width, dtype=torch.long)
        for row, at in enumerate(batch):
            start, length = self.starts[at], self.lengths[at]
            mask[row, :length] = 1
            for tensor, column in zip(rows, self.columns):
                tensor[row, :length] = torch.from_numpy(column[start:start + length].astype(np.int64))
        return (*rows, mask)


def deletions(path, pieces, max_tokens):
    """[(ids, kept 0/1 by piece)] of the pairs whose shortening is a deletion."""
    found = []
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            pair = json.loads(line)
            source, target = pieces.encode(pair["src"]), pieces.encode(" " + pair["tgt"].lstrip())
            theirs = [token.lower() for token in target.tokens]
            ours = [token.lower() for token in source.tokens]
            kept = np.zeros(len(ours), np.float32)
            for block in SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks():
                kept[block.a:block.a + block.size] = 1
            if held_out(pair["src"], PAIRS_HELD_OUT):
                continue
            if kept.sum() >= COVERED * max(1, len(theirs)) - 1 and 6 <= len(ours) <= max_tokens:
                found.append((source.ids, kept))
    return found


def deletion_batch(rows, rng, count=96):
    chosen = [rows[at] for at in rng.integers(0, len(rows), count)]
    width = max(len(ids) for ids, _ in chosen)
    ids, mask = torch.zeros(count, width, dtype=torch.long), torch.zeros(count, width, dtype=torch.long)
    kept = torch.zeros(count, width)
    for row, (one, keep) in enumerate(chosen):
        ids[row, :len(one)], mask[row, :len(one)] = torch.tensor(one), 1
        kept[row, :len(one)] = torch.from_numpy(keep)
    return ids, kept, mask


def start_vectors(pieces, width):
    """Token vectors from what MiniLM says of each piece alone, with marks for what it is blind to; the rest is noise."""
    from . import minilm

    teacher, words = minilm.load()
    teacher.eval()
    table = torch.randn(pieces.get_vocab_size(), width, generator=torch.Generator().manual_seed(1)) * 0.3
    texts = [pieces.decode([at]) for at in range(pieces.get_vocab_size())]
    with torch.no_grad():
        for start in range(0, len(texts), 512):
            encoded = words.encode_batch([text.strip() for text in texts[start:start + 512]])
            longest = max(len(one.ids) for one in encoded)
            ids = torch.tensor([one.ids + [0] * (longest - len(one.ids)) for one in encoded])
            mask = torch.tensor([[1] * len(one.ids) + [0] * (longest - len(one.ids)) for one in encoded])
            states = teacher(ids, mask) * mask[..., None]
            mean = states.sum(1) / mask.sum(1, keepdim=True)
            table[start:start + len(encoded), :mean.shape[1]] = mean
    theirs = table[:, :mean.shape[1]]
    theirs -= theirs.mean(0)
    theirs /= theirs.std() * 2
    for at, text in enumerate(texts):
        word = text.strip()
        marks = (text.startswith(" "), word[:1].isupper(), word.isupper(), word.isdigit(), not word.isalnum())
        table[at, -len(marks):] = torch.tensor([0.7 if mark else -0.7 for mark in marks])
    return table


def syntax_loss(model, batch):
    ids, head, relation, tag, mask = batch
    states = model.states(ids, mask)
    real = mask.bool()
    arcs = functional.cross_entropy(model.arcs(states, mask)[real], head[real])
    named = functional.cross_entropy(model.relations(states, head)[real].float(), relation[real])
    tagged = functional.cross_entropy(model.tag(states)[real].float(), tag[real])
    return arcs + named + TAG_LOSS * tagged, (arcs.item(), named.item(), tagged.item())


def keep_loss(model, batch):
    ids, kept, mask = batch
    real = mask.bool()
    return KEEP_LOSS * functional.binary_cross_entropy_with_logits(
        model.kept(model.states(ids, mask)).float()[real], kept[real])


@torch.no_grad()
def measure(model, held, size=8192, limit=10 ** 9):
    """Share of words with the right head, with the right head and relation, and the right tag, on held-out sentences."""
    model.eval()
    inside, counts, pieces = model.shape.relations - 1, np.zeros(4), 0
    for batch in held.batches(size, np.random.default_rng(1)):
        ids, head, relation, tag, mask = held.tensors(batch)
        with torch.autocast("cpu", torch.bfloat16):
            states = model.states(ids, mask)
            found = model.arcs(states, mask).argmax(-1)
            named = model.relations(states, found).argmax(-1)
            tagged = model.tag(states).argmax(-1)
        words = mask.bool() & (relation != inside)
        right = (found == head) & words
        counts += [words.sum().item(), right.sum().item(), (right & (named == relation)).sum().item(),
                   ((tagged == tag) & words).sum().item()]
        pieces += int(mask.sum())
        if pieces > limit:
            break
    model.train()
    return {"uas": counts[1] / counts[0], "las": counts[2] / counts[0], "tags": counts[3] / counts[0]}


def begin_with(folder, pieces, arrays):
    """The network of a published folder, whose pieces and labels must be those of the silver syntax."""
    from . import published

    model, manifest = published.load(folder)
    theirs = tokenizer.load(Path(folder) / "tokenizer.json").get_vocab()
    if theirs != pieces.get_vocab():
        raise SystemExit(f"learn: {folder} has other pieces; put its tokenizer.json into the work folder before `silver`")
    for labels in ("relations", "tags"):
        if list(manifest[labels]) != [str(name) for name in arrays[labels]]:
            raise SystemExit(f"learn: {folder} has other {labels} than the silver syntax")
    return model


def schedule(share, step):
    """Warm-up, then a cosine to a fiftieth."""
    return min(1, (step + 1) / WARM_UP) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1, share))))


def run(args):
    torch.manual_seed(args.seed)
    work = Path(args.work)
    target, log = work / f"{args.name}.pt", work / f"{args.name}.jsonl"
    arrays = np.load(work / "silver.npz")
    pieces = tokenizer.load(work / "tokenizer.json")
    train, held = Sentences(arrays, "train"), Sentences(arrays, "held")
    pairs = deletions(Path(args.data) / "pairs" / "google_sentcomp.jsonl.xz", pieces, args.max_tokens)
    if target.exists():
        model, saved = load_checkpoint(target)
    elif args.begin_with:
        model, saved = begin_with(args.begin_with, pieces, arrays), dict(NOTHING_YET)
    else:
        shape = Shape(vocab_size=pieces.get_vocab_size(), encoder_layers=args.layers, dropout=args.dropout,
                      relations=len(arrays["relations"]), tags=len(arrays["tags"]))
        model, saved = Reader(shape), dict(NOTHING_YET)
        if args.start_vectors:
            model.embed.weight.data.copy_(start_vectors(pieces, shape.d_model))
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    if saved["optimizer"]:
        optimizer.load_state_dict(saved["optimizer"])
    keep = 0.0
    step, seconds, seen = saved["step"], saved["seconds"], saved["pieces"]
    rng = np.random.default_rng(args.seed + step)
    print(f"learn: {len(train.lengths)} sentences, {len(pairs)} deletions, from step {step} ({seconds:.0f} s)", flush=True)
    began, losses, told, kept_at = time.monotonic() - seconds, [], 0.0, seconds
    queue = []

    def save():
        save_checkpoint(target, model, step=step, seconds=seconds, pieces=seen, optimizer=optimizer.state_dict())

    while seconds < args.seconds:
        if not queue:
            queue = train.batches(args.batch, rng)
        for group in optimizer.param_groups:
            group["lr"] = args.rate * schedule(seconds / args.seconds, step)
        with torch.autocast("cpu", torch.bfloat16):
            if step % KEEP_EVERY == KEEP_EVERY - 1:
                loss = keep_loss(model, deletion_batch(pairs, rng))
                keep = loss.item()
            else:
                batch = train.tensors(queue.pop())
                loss, parts = syntax_loss(model, batch)
                seen += int(batch[-1].sum())
                losses.append((*parts, keep))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        step, seconds = step + 1, time.monotonic() - began
        if seconds - told > 180:
            told = seconds
            row = {"step": step, "seconds": round(seconds), "pieces": seen,
                   "loss": [round(float(part), 4) for part in np.mean(losses, 0)],
                   "held": {key: round(value, 4) for key, value in measure(model, held, limit=20000).items()}}
            losses = []
            print(json.dumps(row), flush=True)
            with log.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(row) + "\n")
        if seconds - kept_at > args.save:
            kept_at = seconds
            save()
    save()
    print("learn:", measure(model, held), flush=True)
