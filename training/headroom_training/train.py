"""Stage `train`: the encoder learns from the labelled segments and the human pairs; then the decoder learns to point.

The schedule is a share of a budget, `--seconds` of training time or `--steps`, so a stopped run goes on where it was
and still ends at a low learning rate. `--stages 2:0.6,6:0.4` spends 60 % of it on 2 layers and the rest on 6: layers
are added as copies whose output is zero, which leaves the function as it was. The encoder that was best at people's
deletions (the tuning half) is kept beside the last one, as encoder.best.pt.
"""

import copy
import json
import random
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from . import rarity, tokenizer, warm
from .evaluate import quick
from .labels import Labels, human_rows, targets
from .model import Headroom, Shape, load_checkpoint, save_checkpoint


def run(args):
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    work = Path(args.work)
    runner = EncoderTraining(args, work) if args.part == "encoder" else DecoderTraining(args, work)
    runner.loop()


class Training:
    """What both parts share: budget, learning rate, log, checkpoint."""

    def __init__(self, args, work, name):
        self.args, self.work, self.path = args, work, work / f"{name}.pt"
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.rng = random.Random(args.seed)
        self.pieces = tokenizer.load(work / "tokenizer.json")
        self.step, self.spent, self.tokens, self.best = 0, 0.0, 0, 0.0
        self.log_path = work / f"{name}.jsonl"

    def progress(self):
        return self.step / self.args.steps if self.args.steps else self.spent / self.args.seconds

    def loop(self):
        with open(self.log_path, "a", encoding="utf-8") as log:
            mean, told, saved, measured = {}, time.time(), time.time(), time.time()
            while self.progress() < 1:
                began = time.time()
                self.before_step()
                share = self.progress()
                rate = self.args.rate * min(1.0, (self.step + 1) / self.args.warmup) * max(0.03, 1 - share)
                for group in self.optimizer.param_groups:
                    group["lr"] = rate * group.get("scale", 1.0)
                losses, count = self.losses()
                total = sum(losses.values())
                if not torch.isfinite(total):
                    raise RuntimeError(f"loss is not finite at step {self.step}: {losses}")
                self.optimizer.zero_grad(set_to_none=True)
                total.backward()
                nn.utils.clip_grad_norm_(self.parameters, 1.0)
                self.optimizer.step()
                self.step += 1
                self.tokens += count
                self.spent += time.time() - began
                for name, value in losses.items():
                    mean.setdefault(name, []).append(float(value.detach()))
                if time.time() - told > self.args.tell or self.progress() >= 1:
                    row = {"step": self.step, "progress": round(self.progress(), 4), "seconds": round(self.spent, 1),
                           "tokens": self.tokens, "rate": rate,
                           **{name: round(float(np.mean(values)), 4) for name, values in mean.items()}}
                    if time.time() - measured > self.args.measure:
                        row |= self.measure()
                        measured = time.time()
                    log.write(json.dumps(row) + "\n")
                    log.flush()
                    print(" ".join(f"{name} {value}" for name, value in row.items()), flush=True)
                    mean, told = {}, time.time()
                if time.time() - saved > self.args.save:
                    self.save()
                    saved = time.time()
        self.save()

    def save(self, path=None):
        save_checkpoint(path or self.path, self.model, step=self.step, spent=self.spent, tokens=self.tokens,
                        optimizer=self.optimizer.state_dict(), grown=getattr(self, "layers", None), best=self.best)

    def resume(self, saved):
        self.step, self.spent, self.tokens = saved["step"], saved["spent"], saved["tokens"]
        self.best = saved.get("best", 0.0)
        groups = saved["optimizer"]["param_groups"]
        if [len(group["params"]) for group in groups] != [len(g["params"]) for g in self.optimizer.param_groups]:
            print("train: the checkpoint has other parameters; the optimizer starts anew", flush=True)
            return
        scales = [group.get("scale", 1.0) for group in self.optimizer.param_groups]
        self.optimizer.load_state_dict(saved["optimizer"])
        for group, scale in zip(self.optimizer.param_groups, scales):
            group["scale"] = scale     # as asked for now, not as saved
        self.rng = random.Random(f"{self.args.seed}:{self.step}")   # another order than the first time round

    def measure(self):
        return {}

    def before_step(self):
        pass


class EncoderTraining(Training):
    def __init__(self, args, work):
        super().__init__(args, work, "encoder")
        self.stages = [(int(layers), float(share)) for layers, share in
                       (part.split(":") for part in args.stages.split(","))]
        self.layers = self.stages[0][0]
        told = rarity.CLASSES if args.rarity else 0
        saved = None
        if self.path.exists():
            self.model, saved = load_checkpoint(self.path, encoder_only=True)
            self.layers = saved["grown"]
        else:
            vocabulary = self.pieces.get_vocab_size()
            self.model = Headroom(Shape(**{"vocab_size": vocabulary, "encoder_layers": self.layers, "rarities": told}
                                        | json.loads(args.shape)))
            if args.from_export:
                self.model = warm.model_of(args.from_export, rarities=told)
                self.layers = self.model.shape.encoder_layers
            else:
                start_vectors(self.model, work / "pieces.npy")
        self.model.to(self.device)
        self.make_optimizer()
        if saved:
            self.resume(saved)
        self.labels = Labels(work, args.batch)
        self.human = human_rows(args.data, self.pieces, args.batch, self.model.shape.max_tokens)
        self.dev = quick(args.data, args.quick)
        print(f"train: {len(self.labels.groups)} labelled and {len(self.human)} human batches, {self.layers} layers, "
              f"progress {self.progress():.2f}", flush=True)

    def make_optimizer(self):
        encoder = self.model.encoder
        embed = list(encoder.embed.parameters())
        if self.args.from_export and not self.args.positions:     # an export's tables are drawn to their mean
            encoder.place.requires_grad_(False)
            encoder.share.requires_grad_(False)
        rest = [parameter for name, parameter in encoder.named_parameters()
                if not name.startswith("embed") and parameter.requires_grad]
        self.parameters = embed + rest
        self.optimizer = torch.optim.AdamW(
            [{"params": rest}, {"params": embed, "scale": self.args.embed_scale, "weight_decay": 0.0}],
            lr=self.args.rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)

    def before_step(self):
        until, layers = 0.0, self.layers
        for layers, share in self.stages:  # noqa: B007 - the stage in which the loop stops is the one wanted
            until += share
            if self.progress() < until:
                break
        if layers > self.layers:
            self.model = grown(self.model, layers).to(self.device)
            self.layers = layers
            self.make_optimizer()
            print(f"train: grown to {layers} layers at step {self.step}", flush=True)

    def losses(self):
        if self.human and self.rng.random() < self.args.human:
            return self.human_losses(self.rng.choice(self.human))
        batch = self.labels.batch(self.rng)
        encoder = self.model.encoder
        ids, mask = batch["ids"].to(self.device), batch["mask"].to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            states = encoder.states(ids, mask, batch["rarity"].to(self.device))
            projected = encoder.project(states)
        projected = projected.float()
        owners, counts = batch["owners"].to(self.device), batch["counts"].to(self.device)
        inside = owners >= 0
        sums = torch.zeros(len(counts), projected.shape[-1], device=self.device)
        sums = sums.index_add(0, owners[inside], projected[inside])
        words = sums / counts[:, None]
        teacher_words = batch["states"].to(self.device).float()
        pooled = (projected * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        losses = {
            "hidden": (1 - functional.cosine_similarity(words, teacher_words)).mean() * self.args.hidden,
            "pooled": (1 - functional.cosine_similarity(pooled, batch["pooled"].to(self.device))).mean()
            * self.args.pooled,
        }
        keep = order = 0.0
        for _ in range(3):     # the ratio enters at the head only, so three ratios cost hardly more than one
            ratio = drawn_ratios(len(ids), self.args.mild)
            wanted = targets(batch, ratio).to(self.device)
            with torch.autocast(self.device.type, torch.bfloat16):
                logits = encoder.keep(states, ratio.to(self.device)).float()
            keep = keep + functional.binary_cross_entropy_with_logits(logits[inside], wanted[inside]) / 3
            # The cross-entropy is flat where the teachers are sure; order among the surest decides at 10:1.
            order = order + functional.smooth_l1_loss(logits[inside], torch.logit(wanted[inside], 1e-3)) / 3
        losses["keep"], losses["order"] = keep, order * self.args.order
        return losses, int(mask.sum())

    def human_losses(self, batch):
        ids, mask = batch["ids"].to(self.device), batch["mask"].to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            states = self.model.encoder.states(ids, mask, batch["rarity"].to(self.device))
            logits = self.model.encoder.keep(states, batch["ratio"].to(self.device)).float()
        inside = batch["inside"].to(self.device)
        loss = functional.binary_cross_entropy_with_logits(logits[inside], batch["keep"].to(self.device)[inside])
        return {"human": loss}, int(mask.sum())

    def measure(self):
        row = self.dev(self.exported(), self.pieces)
        if row.get("deletion_f1", 0.0) > self.best:
            self.best = row["deletion_f1"]
            self.save(self.path.with_suffix(".best.pt"))
        return row

    def exported(self):
        """The model as `export` will write it by default: without its position tables."""
        model = copy.deepcopy(self.model).eval()
        model.encoder.keep_position(0.0)
        return model


def drawn_ratios(count, mild):
    """Evenly over the logarithm from 1.3 to 24; the share `mild` of them between 1.3 and 3."""
    wide, narrow = torch.empty(count).uniform_(0.4, 4.6), torch.empty(count).uniform_(0.4, 1.6)
    return 2 ** torch.where(torch.rand(count) < mild, narrow, wide)


def start_vectors(model, path):
    """Token vectors from the teacher's view of each piece, and a projection that reads them back."""
    if not path.exists() or model.shape.d_model != 512:
        return
    with torch.no_grad():
        model.encoder.embed.weight.copy_(torch.from_numpy(np.load(path)))
        model.encoder.project.weight.mul_(0.1)
        model.encoder.project.weight[:, :model.shape.embedding] += torch.eye(model.shape.embedding)


def grown(model, layers):
    """The same function with more encoder layers: each is followed by copies of itself that add nothing yet."""
    shape = copy.copy(model.shape)
    shape.encoder_layers = layers
    bigger = Headroom(shape)
    old = model.encoder.layers
    bigger.load_state_dict({name: value for name, value in model.state_dict().items()
                            if not name.startswith("encoder.layers.")}, strict=False)
    each = layers // len(old)
    stack, extra = [], layers - each * len(old)
    for at, layer in enumerate(old):
        stack.append(copy.deepcopy(layer))
        for _ in range(each - 1 + (at >= len(old) - extra)):
            added = copy.deepcopy(layer)
            nn.init.zeros_(added.attention.o.weight)
            nn.init.zeros_(added.feed_forward.wo.weight)
            stack.append(added)
    bigger.encoder.layers = nn.ModuleList(stack)
    return bigger


class DecoderTraining(Training):
    """The encoder stays as it is: the decoder reads its states, and costs a tenth of the encoder's training."""

    def __init__(self, args, work):
        super().__init__(args, work, "model")
        saved = None
        if self.path.exists():
            self.model, saved = load_checkpoint(self.path)
        else:
            self.model, _ = load_checkpoint(work / "encoder.pt", encoder_only=True)
            if args.from_export:
                self.model.decoder.load_state_dict(warm.model_of(args.from_export).decoder.state_dict())
            if args.decoder_from:     # go on with a decoder that learned beside an earlier encoder
                earlier, _ = load_checkpoint(work / args.decoder_from)
                self.model.decoder.load_state_dict(earlier.decoder.state_dict())
        self.model.to(self.device)
        self.model.encoder.requires_grad_(False)
        self.parameters = list(self.model.decoder.parameters())
        self.optimizer = torch.optim.AdamW(self.parameters, lr=args.rate, betas=(0.9, 0.98), weight_decay=0.01,
                                           fused=True)
        if saved:
            self.resume(saved)
        self.labels = Labels(work, args.batch)
        self.human = human_rows(args.data, self.pieces, args.batch, self.model.shape.max_tokens)

    def losses(self):
        encoder, decoder = self.model.encoder, self.model.decoder
        if self.human and self.rng.random() < self.args.human:
            batch = self.rng.choice(self.human)
            keep, ratio, name = batch["keep"] > 0.5, batch["ratio"], "human"
        else:
            batch = self.labels.batch(self.rng)
            ratio = 2 ** torch.empty(len(batch["ids"])).uniform_(0.7, 4.4)
            keep, name = targets(batch, ratio, smooth=True) > 0.5, "pointer"
        ids, mask = batch["ids"].to(self.device), batch["mask"].to(self.device)
        steps = pointer_steps(keep.numpy(), batch["word_of"].numpy(), mask.cpu().numpy(), self.args.longest)
        steps = {key: torch.from_numpy(value).to(self.device) for key, value in steps.items()}
        with torch.autocast(self.device.type, torch.bfloat16):
            with torch.no_grad():
                states = encoder.states(ids, mask, batch["rarity"].to(self.device))
                logits = encoder.keep(states, ratio.to(self.device)).float()
            pointer, cross = decoder.keys(states, logits, mask)
            before = steps["position"]
            rows = torch.arange(len(ids), device=self.device)[:, None]
            previous = states[rows, before.clamp(min=0)] * (before >= 0)[..., None]
            heads, width = self.model.shape.heads, self.model.shape.head_width
            empty = torch.zeros(len(ids), heads, 0, width, device=self.device)
            out, _ = decoder(previous, steps["phase"], steps["remaining"], before, mask, pointer, cross,
                             [(empty, empty)] * len(decoder.layers))
        out = out.masked_fill(~steps["allowed"], -1e9)
        wanted, known = steps["target"], steps["known"]
        loss = functional.cross_entropy(out[known], wanted[known])
        return {name: loss}, int(mask.sum())


def pointer_steps(keep, word_of, mask, longest):
    """Teacher-forced steps of a batch: what each step sees, may choose and should choose. [b, t] and [b, t, s+1]."""
    batch, length = keep.shape
    rows = []
    for row in range(batch):
        spans, count = spans_of(keep[row], word_of[row], int(mask[row].sum()))
        rows.append((spans[:longest], len(spans) <= longest, count))
    width = max(2 * len(spans) + 1 for spans, _, _ in rows)
    made = {
        "phase": np.zeros((batch, width), np.int64), "remaining": np.ones((batch, width), np.float32),
        "position": np.full((batch, width), -1, np.int64), "target": np.zeros((batch, width), np.int64),
        "known": np.zeros((batch, width), bool), "allowed": np.ones((batch, width, length + 1), bool),
    }
    for row, (spans, whole, total) in enumerate(rows):
        words = word_of[row]
        starts = np.concatenate([[True], words[1:] != words[:-1]]) & (words >= 0)
        ends = np.concatenate([words[1:] != words[:-1], [True]]) & (words >= 0)
        left, last = total, -1
        for at, (first, final) in enumerate(spans):
            for phase, target in ((0, first), (1, final)):
                step = 2 * at + phase
                made["phase"][row, step], made["remaining"][row, step] = phase, left
                made["position"][row, step] = last
                made["target"][row, step], made["known"][row, step] = target, True
                allowed = made["allowed"][row, step]
                allowed[:length] = (ends if phase else starts)
                allowed[:first if phase else last + 1] = False
                allowed[length] = not phase and at > 0
                last = target
            left -= final - first + 1
        if whole and spans and left > 0:
            step = 2 * len(spans)
            made["remaining"][row, step], made["position"][row, step] = left, last
            made["target"][row, step], made["known"][row, step] = length, True
            made["allowed"][row, step, :length] = starts
            made["allowed"][row, step, :last + 1] = False
    return made


def spans_of(keep, words, length):
    """Maximal runs of kept words as inclusive token spans, and the tokens they hold together."""
    spans, start = [], None
    inside = [bool(keep[at]) and words[at] >= 0 for at in range(length)]
    for at in range(length):
        if words[at] < 0:
            inside[at] = 0 < at < length - 1 and inside[at - 1] and bool(keep[at + 1])
    for at in range(length + 1):
        on = at < length and inside[at]
        if on and start is None:
            start = at
        elif not on and start is not None:
            spans.append((start, at - 1))
            start = None
    return spans, sum(final - first + 1 for first, final in spans)
