"""Training batches: segments with what the teachers said of them, and pairs that people shortened."""

from pathlib import Path

import numpy as np
import torch

from . import rarity, teacher
from .corpus import find, read_rows
from .measure import kept_positions
from .words import words_of_tokens

# How much the tagger counts beside the rule, mild ratios first: at 2:1 grammar matters, at 10:1 names and numbers.
# Above 3:1 about a half more than what survived best on dev (.35 at 5:1, .25 at 10:1), because the engine adds its rule
# once more; below, the tagger nearly alone: there it beats every blend.
TAGGER_SHARE = ((1.5, 1.0), (2.0, 0.85), (3.0, 0.65), (5.0, 0.5), (10.0, 0.4), (20.0, 0.3))
SHARPNESS = 0.45     # in standard deviations of the score: how soft the keep targets are


class Labels:
    """All shards at hand, grouped into batches of like length."""

    def __init__(self, work, batch):
        self.shards, self.rows = [], []
        folder = Path(work) / "labels"
        any_tag = any(".part" not in path.name for path in folder.glob("*.tag.npy"))
        for path in sorted(folder.glob("[0-9]*.npz")):
            tag = path.with_suffix("").with_suffix(".tag.npy")
            if ".part" in path.name or (any_tag and not tag.exists()):
                continue
            shard = dict(np.load(path))
            shard["tag"] = np.load(tag) if tag.exists() else None   # until the tagger is there, the rule speaks alone
            shard["states"] = np.load(path.with_suffix("").with_suffix(".states.npy"), mmap_mode="r")
            shard["token_at"] = np.concatenate([[0], np.cumsum(shard["token_counts"])])
            shard["word_at"] = np.concatenate([[0], np.cumsum(shard["word_counts"])])
            number = len(self.shards)
            self.shards.append(shard)
            self.rows += [(number, at, int(count)) for at, count in enumerate(shard["token_counts"])]
        if not self.shards:
            raise SystemExit("no labels: run the stage label first")
        tagged = [shard["tag"] for shard in self.shards if shard["tag"] is not None]
        self.tag_scale = standard(tagged) if tagged else (0.0, 1.0)
        self.rule_scale = standard([shard["rule"] for shard in self.shards])
        order = sorted(range(len(self.rows)), key=lambda at: self.rows[at][2])
        self.groups, group = [], []
        for at in order:
            if group and self.rows[at][2] * (len(group) + 1) > batch:
                self.groups.append(group)
                group = []
            group.append(at)
        self.groups.append(group)
        self.queue = []

    def batch(self, rng):
        if not self.queue:
            self.queue = list(range(len(self.groups)))
            rng.shuffle(self.queue)
        chosen = [self.rows[at] for at in self.groups[self.queue.pop()]]
        longest = max(count for _, _, count in chosen)
        shape = (len(chosen), longest)
        ids, mask = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
        owners, word_of = torch.full(shape, -1), torch.full(shape, -1)
        classes = torch.zeros(shape, dtype=torch.long)
        states, pooled, tag, rule, costs, row_of_word, base = [], [], [], [], [], [], 0
        for row, (number, at, count) in enumerate(chosen):
            shard = self.shards[number]
            tokens = slice(shard["token_at"][at], shard["token_at"][at + 1])
            words = slice(shard["word_at"][at], shard["word_at"][at + 1])
            ids[row, :count] = torch.from_numpy(shard["tokens"][tokens].astype(np.int64))
            mask[row, :count] = 1
            classes[row, :count] = torch.from_numpy(shard["rarity"][tokens].astype(np.int64))
            mine = torch.from_numpy(shard["owners"][tokens].astype(np.int64))
            word_of[row, :count] = mine
            owners[row, :count] = torch.where(mine >= 0, mine + base, mine)
            states.append(np.asarray(shard["states"][words]))
            pooled.append(shard["pooled"][at])
            rule.append((shard["rule"][words] - self.rule_scale[0]) / self.rule_scale[1])
            tag.append(rule[-1] if shard["tag"] is None else
                       (shard["tag"][words] - self.tag_scale[0]) / self.tag_scale[1])
            costs.append(shard["costs"][words])
            row_of_word += [row] * int(shard["word_counts"][at])
            base += int(shard["word_counts"][at])
        return {
            "ids": ids, "mask": mask, "rarity": classes, "owners": owners, "word_of": word_of,
            "counts": torch.from_numpy(np.concatenate(costs).astype(np.float32)).clamp(min=1),
            "states": torch.from_numpy(np.concatenate(states)), "row_of_word": torch.tensor(row_of_word),
            "pooled": torch.from_numpy(np.stack(pooled).astype(np.float32)),
            "tag": torch.from_numpy(np.concatenate(tag)), "rule": torch.from_numpy(np.concatenate(rule)),
        }


def standard(parts):
    values = np.concatenate(parts)
    return float(values.mean()), float(values.std() + 1e-6)


def blended(tag, rule, ratio):
    """The teachers' common score of each word, both in standard deviations, at that word's ratio."""
    at, share = zip(*TAGGER_SHARE)
    weight = torch.from_numpy(np.interp(np.log2(ratio.numpy()), np.log2(at), share).astype(np.float32))
    return weight * tag + (1 - weight) * rule


def targets(batch, ratio, smooth=False):
    """[b,s] in 0..1: how much a token should stay at its row's ratio. The threshold is half the segment's own, half
    the corpus's, so that a dull segment scores lower than a dense one. `smooth` favours runs of words and keeps the
    segment's own threshold (the decoder's targets have to fit a budget)."""
    words = batch["row_of_word"]
    score = blended(batch["tag"], batch["rule"], ratio[words])
    rows = len(batch["ids"])
    keep = torch.zeros_like(score)
    start = 0
    counts = torch.bincount(words, minlength=rows).tolist()
    for row, count in enumerate(counts):
        mine = score[start:start + count]
        if smooth:
            padded = torch.cat([mine[:1], mine, mine[-1:]])
            mine = 0.5 * mine + 0.25 * (padded[:-2] + padded[2:])
        order = torch.argsort(mine, descending=True, stable=True)
        spent = torch.cumsum(batch["counts"][start:start + count][order], 0)
        fits = int((spent <= spent[-1] / ratio[row]).sum())
        own = mine[order[min(fits, count - 1)]] if fits else mine[order[0]] + 0.01
        if smooth:
            keep[start:start + count] = torch.sigmoid((mine - own) * 50)
            keep[start:start + count][order[:fits]] = 1.0
            keep[start:start + count][order[fits:]] = 0.0
        else:
            # The score is close to normal, so the corpus's quantile comes from the normal law.
            general = 0.8 * torch.special.ndtri(1 - 1 / ratio[row].clamp(min=1.05))
            keep[start:start + count] = torch.sigmoid((mine - 0.5 * (own + general)) / SHARPNESS)
        start += count
    out = torch.zeros(batch["ids"].shape)
    inside = batch["owners"] >= 0
    out[inside] = keep[batch["owners"][inside]]
    return out


def human_rows(data, pieces, size, max_tokens):
    """Batches of the pairs that people shortened by deletion."""
    rows = []
    path = find(data, "pairs", "google_sentcomp")
    for row in read_rows(path) if path else ():
        source, target = row["src"].split(), row["tgt"].split()
        if not 4 <= len(source) <= 100 or not target or row["src"].isupper():
            continue
        kept = kept_positions(source, target)
        if sum(kept) < 0.75 * len(target):
            continue
        encoding = pieces.encode(row["src"], add_special_tokens=False)
        owners = words_of_tokens(row["src"], encoding.offsets)
        if len(encoding.ids) > max_tokens:
            continue
        keep = [float(kept[owner]) if owner >= 0 else 0.0 for owner in owners]
        rows.append((encoding.ids, owners, keep, len(keep) / max(1.0, sum(keep)), rarity.of_tokens(source, owners)))
    groups = teacher.batches(rows, size) if rows else []
    return [human_batch([rows[at] for at in group]) for group in groups]


def human_batch(rows):
    ids, mask = teacher.padded([row[0] for row in rows])
    word_of, keep = torch.full(ids.shape, -1), torch.zeros(ids.shape)
    classes = torch.zeros(ids.shape, dtype=torch.long)
    for at, (_, owners, kept, _, rare) in enumerate(rows):
        word_of[at, :len(owners)] = torch.tensor(owners)
        keep[at, :len(kept)] = torch.tensor(kept)
        classes[at, :len(rare)] = torch.tensor(rare)
    return {"ids": ids, "mask": mask, "word_of": word_of, "inside": word_of >= 0, "keep": keep,
            "rarity": classes,
            "ratio": torch.tensor([row[3] for row in rows], dtype=torch.float32)}
