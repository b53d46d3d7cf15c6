"""Stage `teacher`: MiniLM fine-tuned to tell which words a person would keep.

Learns from human deletions (google_sentcomp) and, with less weight, from words that summaries share with their
source (scitldr). One label a word, on the word's first piece.
"""

import json
import random
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from . import minilm
from .corpus import find, read_rows
from .measure import deletion_f1, deletions, kept_positions
from .words import words_of_tokens


class Tagger(nn.Module):
    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder
        self.out = nn.Linear(minilm.WIDTH, 1)
        nn.init.normal_(self.out.weight, std=0.02)

    def forward(self, input_ids, attention_mask):
        return self.out(self.encoder(input_ids, attention_mask)).squeeze(-1)


def examples(data):
    """(text, keep label of each word, weight) from pairs whose target is nearly all found in the source."""
    found = []
    for name, weight, least in (("google_sentcomp", 1.0, 0.75), ("scitldr", 0.3, 0.6)):
        path = find(data, "pairs", name)
        for row in read_rows(path) if path else ():
            source, target = row["src"].split(), row["tgt"].split()
            if not 4 <= len(source) <= 220 or not target or row["src"].isupper():
                continue
            kept = kept_positions(source, target)
            if sum(kept) >= least * len(target):
                found.append((row["src"], kept, weight))
    return found


def word_firsts(tokenizer, text, limit=256):
    """(ids, index of the first piece of each word or -1) for MiniLM."""
    encoding = tokenizer.encode(text)
    ids, offsets = encoding.ids[:limit], encoding.offsets[:limit]
    inner = [(start, end) for start, end in offsets]
    owners = words_of_tokens(text, inner)
    firsts = [-1] * len(text.split())
    for at, owner in enumerate(owners):
        if 0 < at and owner >= 0 and firsts[owner] < 0:
            firsts[owner] = at
    return ids, firsts


def batches(rows, size, rng=None):
    """Rows of like length together, batches in random order when `rng` is given."""
    order = sorted(range(len(rows)), key=lambda at: len(rows[at][0]))
    groups, group, width = [], [], 0
    for at in order:
        width = max(width, len(rows[at][0]))
        if group and width * (len(group) + 1) > size:
            groups.append(group)
            group, width = [], len(rows[at][0])
        group.append(at)
    groups.append(group)
    if rng:
        rng.shuffle(groups)
    return groups


def padded(sequences):
    longest = max(len(ids) for ids in sequences)
    ids = torch.zeros(len(sequences), longest, dtype=torch.long)
    mask = torch.zeros(len(sequences), longest, dtype=torch.long)
    for row, sequence in enumerate(sequences):
        ids[row, :len(sequence)] = torch.as_tensor(sequence)
        mask[row, :len(sequence)] = 1
    return ids, mask


def run(args):
    """Fine-tunes and writes teacher.pt, with the dev figure after each epoch."""
    work = Path(args.work)
    target = work / "teacher.pt"
    if target.exists() and not args.force:
        print(f"{target} is there; --force trains it again")
        return
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    encoder, tokenizer = minilm.load()
    tagger = Tagger(encoder).to(device)
    rows = []
    for text, kept, weight in examples(args.data):
        ids, firsts = word_firsts(tokenizer, text)
        pairs = [(at, label) for at, label in zip(firsts, kept) if at >= 0]
        rows.append((ids, pairs, weight))
    print(f"teacher: {len(rows)} examples, {sum(len(row[0]) for row in rows)} pieces")
    dev = deletions(args.data, "tune")
    groups_of_rates = rates(tagger, args.frozen, args.decay)
    trained = [parameter for group in groups_of_rates for parameter in group["params"]]
    optimizer = torch.optim.AdamW(groups_of_rates, lr=args.rate, weight_decay=0.01)
    groups = batches(rows, args.batch)
    total, step, began = len(groups) * args.epochs, 0, time.time()
    best = 0.0
    work.mkdir(parents=True, exist_ok=True)
    with open(work / "teacher.jsonl", "a", encoding="utf-8") as log:
        for epoch in range(args.epochs):
            rng.shuffle(groups)
            tagger.train()
            for group in groups:
                step += 1
                for parameters in optimizer.param_groups:
                    parameters["lr"] = parameters["scale"] * args.rate * min(1, step / (0.1 * total)) * max(
                        0.02, 1 - step / total)
                loss = loss_of(tagger, [rows[at] for at in group], device)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                nn.utils.clip_grad_norm_(trained, 1.0)
                optimizer.step()
                if step % 25 == 0:
                    print(f"teacher: step {step}/{total} loss {loss.item():.3f} {time.time() - began:.0f} s",
                          flush=True)
            score = deletion_f1(dev, tag(tagger, tokenizer, [row["src"] for row in dev], device)) if dev else 0.0
            log.write(json.dumps({"epoch": epoch, "step": step, "loss": loss.item(), "deletion_f1": score,
                                  "seconds": time.time() - began}) + "\n")
            log.flush()
            print(f"teacher: epoch {epoch} deletion F1 {score:.3f}", flush=True)
            if score >= best:
                best = score
                torch.save({name: value.cpu() for name, value in tagger.state_dict().items()}, target)


def rates(tagger, frozen, decay):
    """Parameter groups with their share of the learning rate: `decay` less for each layer further down. The word
    vectors and the lowest `frozen` layers stay as they are."""
    encoder = tagger.encoder
    for part in (encoder.words, encoder.positions, encoder.norm, *encoder.layers[:frozen]):
        part.requires_grad_(False)
    encoder.types.requires_grad_(False)
    groups = [{"params": list(tagger.out.parameters()), "scale": 1.0}]
    for depth, layer in enumerate(reversed(encoder.layers[frozen:])):
        groups.append({"params": list(layer.parameters()), "scale": decay ** depth})
    return groups


def loss_of(tagger, rows, device):
    ids, mask = padded([row[0] for row in rows])
    with torch.autocast(device.type, torch.bfloat16):
        logits = tagger(ids.to(device), mask.to(device)).float()
    at = [(row, place, label, rows[row][2]) for row in range(len(rows)) for place, label in rows[row][1]]
    chosen = logits[[item[0] for item in at], [item[1] for item in at]]
    labels = torch.tensor([float(item[2]) for item in at], device=device)
    weights = torch.tensor([item[3] for item in at], device=device)
    losses = functional.binary_cross_entropy_with_logits(chosen, labels, reduction="none")
    return (losses * weights).sum() / weights.sum()


def tag(tagger, tokenizer, texts, device, size=4096):
    """Keep logits of each text's words; words past MiniLM's window get the lowest."""
    rows = [word_firsts(tokenizer, text) for text in texts]
    result = [None] * len(rows)
    tagger.eval()
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16):
        for group in batches(rows, size):
            ids, mask = padded([rows[at][0] for at in group])
            logits = tagger(ids.to(device), mask.to(device)).float().cpu()
            for row, at in enumerate(group):
                result[at] = [float(logits[row, place]) if place >= 0 else -9.0 for place in rows[at][1]]
    return result


def load(work, device="cpu"):
    encoder = minilm.MiniLm()
    tagger = Tagger(encoder)
    tagger.load_state_dict(torch.load(Path(work) / "teacher.pt", map_location=device, weights_only=True))
    return tagger.to(device).eval(), minilm.tokenizer()
