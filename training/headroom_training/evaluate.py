"""Stage `evaluate`: the measures of a checkpoint or an export on the dev sets, always beside the plain floors."""

import functools
import json
import os
import random
import re
from pathlib import Path

import numpy as np
import torch

from . import duplicates, kinds, measure, rarity, reference, rule, speed, teacher, tokenizer
from .corpus import find, read_rows
from .measure import blend, content, percent
from .model import load_checkpoint
from .words import words_of_tokens


def quick(data, count):
    """A small measurement for the learning curve: survival on tuning passages, F1 on deletions of the tuning half."""
    if not count:
        return lambda model, pieces: {}
    rng = random.Random(5)
    passages = measure.passages(data, "tune")
    passages = rng.sample(passages, min(count, len(passages)))
    sentences = measure.deletions(data, "tune")

    def now(model, pieces):
        row = {}
        scorer = FrameworkScorer(model, pieces)
        costs = [word_costs(passage["text"], pieces) for passage in passages]
        for ratio in (2, 5, 10):
            scores = scorer([passage["text"] for passage in passages], ratio)
            row[f"survival_{ratio}"] = round(measure.survival(passages, scores, costs, ratio), 4)
        row["deletion_f1"] = round(measure.deletion_f1(sentences, scorer([row["src"] for row in sentences], 1.5)), 4)
        return row

    return now


def word_costs(text, pieces):
    """Tokens of each word in our own tokenizer."""
    owners = words_of_tokens(text, pieces.encode(text, add_special_tokens=False).offsets)
    return np.bincount([owner for owner in owners if owner >= 0], minlength=len(text.split())).tolist()


def chunks(text, ids, offsets, most):
    """(first, last + 1) token ranges of at most `most` tokens that end at a sentence's end where one is near, and
    never inside a word: what the engine does with a long unit."""
    owners = words_of_tokens(text, offsets)
    start, ranges = 0, []
    while start < len(ids):
        end = min(len(ids), start + most)
        if end < len(ids):
            while end > start + 1 and owners[end] >= 0 and owners[end] == owners[end - 1]:
                end -= 1
            for at in range(end, start + most // 2, -1):
                if text[offsets[at - 1][0]:offsets[at - 1][1]].strip().endswith((".", "!", "?")) and (
                        owners[at] != owners[at - 1]):
                    end = at
                    break
        ranges.append((start, end))
        start = end
    return ranges, owners


class Scorer:
    """Word scores from token keep logits: the mean over a word's tokens."""

    most = 128

    def __init__(self, pieces, how="mean"):
        self.pieces, self.how = pieces, how

    def __call__(self, texts, ratio):
        jobs, layout = [], []
        for text in texts:
            encoding = self.pieces.encode(text, add_special_tokens=False)
            ranges, owners = chunks(text, encoding.ids, encoding.offsets, self.most)
            layout.append((len(text.split()), owners, ranges, len(jobs)))
            classes = rarity.of_tokens(text.split(), owners)
            jobs += [(encoding.ids[first:last], classes[first:last]) for first, last in ranges]
        logits = [None] * len(jobs)
        for group in teacher.batches(jobs, 4096):
            out = self.logits([jobs[at][0] for at in group], [jobs[at][1] for at in group], ratio)
            for row, at in enumerate(group):
                logits[at] = out[row][:len(jobs[at][0])]
        result = []
        for count, owners, ranges, first_job in layout:
            flat = np.concatenate([logits[first_job + at] for at in range(len(ranges))]) if ranges else np.zeros(0)
            result.append(gathered(flat, owners, count, self.how))
        return result


def gathered(logits, owners, count, how):
    """One score a word from its tokens' logits."""
    sums, most, number = np.zeros(count), np.full(count, -1e9), np.zeros(count)
    for value, owner in zip(logits, owners):
        if owner >= 0:
            sums[owner] += value
            most[owner] = max(most[owner], value)
            number[owner] += 1
    mean = sums / np.maximum(number, 1)
    mean[number == 0] = -20
    return {"mean": mean, "max": most, "mixed": 0.5 * (mean + most)}[how]


class FrameworkScorer(Scorer):
    def __init__(self, model, pieces, how="mean"):
        super().__init__(pieces, how)
        self.model, self.device = model, next(model.parameters()).device

    def logits(self, sequences, classes, ratio):
        ids, mask = teacher.padded(sequences)
        ids, mask, classes = (part.to(self.device) for part in (ids, mask, teacher.padded(classes)[0]))
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16):
            states = self.model.encoder.states(ids, mask, classes)
            keep = self.model.encoder.keep(states, torch.full((len(ids),), float(ratio), device=self.device))
        return keep.float().cpu().numpy()


class ExportScorer(Scorer):
    """The same from an export, one text a batch as the engine's determinism asks for; keeps the pooled vectors out."""

    def __init__(self, export, how="mean"):
        super().__init__(export.tokenizer, how)
        self.export, self.most = export, export.manifest["max_tokens"]

    def logits(self, sequences, classes, ratio):
        return self.export.encode(sequences, [ratio] * len(sequences), classes)["keep"]


def target_costs():
    """Tokens of a word in o200k_base where tiktoken has its ranks at hand (TIKTOKEN_CACHE_DIR), else None."""
    if not os.environ.get("TIKTOKEN_CACHE_DIR"):
        return None
    import tiktoken

    encoding = tiktoken.get_encoding("o200k_base")
    return functools.lru_cache(maxsize=300_000)(lambda word: len(encoding.encode_ordinary(" " + word)))


def run(args):
    work = Path(args.work)
    if args.checkpoint:
        model, _ = load_checkpoint(work / args.checkpoint, encoder_only=True)
        export, scorer = None, FrameworkScorer(model.eval(), tokenizer.load(work / "tokenizer.json"))
    else:
        export = reference.Export(args.out or work / "export", args.threads)
        scorer = ExportScorer(export)
    bench = Bench(args, work, export, scorer)
    report = {}
    for name in args.tables.split(","):
        if export is None and name not in ("survival", "deletion"):
            continue
        report[name] = getattr(bench, name)()
        print(f"\n{name}")
        print(json.dumps(report[name], indent=1, ensure_ascii=False), flush=True)
        if args.json:
            Path(args.json).write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


class Bench:
    """One method a table; each returns plain rows."""

    weights = (0.3, 0.5)

    def __init__(self, args, work, export, scorer):
        self.args, self.work, self.export, self.scorer = args, work, export, scorer
        self.idf = rule.Idf.load(work / "idf.json")
        self.cost = target_costs()

    def some(self, rows):
        rows = list(rows)
        random.Random(3).shuffle(rows)
        return rows[:self.args.limit] if self.args.limit else rows

    def costs(self, texts):
        if self.cost:
            return [[self.cost(word) for word in text.split()] for text in texts]
        return [word_costs(text, self.scorer.pieces) for text in texts]

    def tagger(self, texts):
        tagger, pieces = teacher.load(self.work)
        return teacher.tag(tagger, pieces, texts, torch.device("cpu"))

    def survival(self):
        """Per cent of passages whose answer stands, at each ratio, on each half; word by word and by name runs."""
        table = {"cost": "o200k_base" if self.cost else "own tokens", "values": "word by word, names in one piece"}
        for half in self.args.halves.split(","):
            rows = self.some(measure.passages(self.args.data, half))
            texts = [row["text"] for row in rows]
            costs, words = self.costs(texts), [text.split() for text in texts]
            fixed = {
                "lead": [[-at for at in range(len(one))] for one in words],
                "rule": [rule.scores(one, self.idf, cost) for one, cost in zip(words, costs)],
                "tuned rule": [self.by_cost(rule.importance(one, self.idf), cost) for one, cost in zip(words, costs)],
            }
            if self.args.teacher:
                fixed["tagger"] = self.tagger(texts)
                for weight in self.weights:
                    fixed[f"tagger {weight} + tuned rule"] = blend(fixed["tagger"], fixed["tuned rule"], weight)
            found = {name: {} for name in fixed}
            for ratio in (2, 5, 10, 20):
                keep = self.scorer(texts, ratio)
                rows_of = fixed | {"model": keep}
                for weight in self.weights:
                    rows_of[f"model {weight} + rule"] = blend(keep, fixed["rule"], weight)
                    rows_of[f"model {weight} + tuned rule"] = blend(keep, fixed["tuned rule"], weight)
                for name, scores in rows_of.items():
                    found.setdefault(name, {})[ratio] = [
                        percent(measure.survival(rows, scores, costs, ratio, runs)) for runs in (False, True)]
            table[half] = {"passages": len(rows), **found}
        return table

    @staticmethod
    def by_cost(scores, cost):
        return [score / max(1, tokens) ** 0.25 if score > 0 else score for score, tokens in zip(scores, cost)]

    def deletion(self):
        """Token F1 against people's deletions at their own length, on each half."""
        return {half: self.deletion_of(half) for half in self.args.halves.split(",")}

    def deletion_of(self, half):
        rows = self.some(measure.deletions(self.args.data, half))
        texts = [row["src"] for row in rows]
        words = [text.split() for text in texts]
        fixed = {
            "lead": [[-at for at in range(len(one))] for one in words],
            "rule": [rule.scores(one, self.idf) for one in words],
            "tuned rule": [rule.importance(one, self.idf) for one in words],
        }
        if self.args.teacher:
            fixed["tagger"] = self.tagger(texts)
        for ratio in (1.5, 2.5):
            fixed[f"model at {ratio}"] = self.scorer(texts, ratio)
        for weight in (0.3, 0.5, 0.7):
            fixed[f"model {weight} + rule"] = blend(fixed["model at 1.5"], fixed["rule"], weight)
        return {"sentences": len(rows), **{name: percent(measure.deletion_f1(rows, scores))
                                           for name, scores in fixed.items()}}

    def summaries(self):
        """Share of a reference summary's content words that are still in the shortened text: science, meetings."""
        table = {}
        for kind, pairs in (("science", self.abstracts()), ("meeting", self.meetings()), ("contract", self.terms())):
            texts, wanted = [text for text, _ in pairs], [content(summary) for _, summary in pairs]
            words, costs = [text.split() for text in texts], self.costs(texts)
            plain = [rule.importance(one, self.idf) for one in words]
            lead = [[-at for at in range(len(one))] for one in words]
            for ratio in (2, 5, 10):
                keep = self.scorer(texts, ratio)
                for name, rows in (("lead", lead), ("tuned rule", plain), ("model", keep),
                                   ("model 0.3 + tuned rule", blend(keep, plain, 0.3))):
                    shares = []
                    for one, scores, cost, goal in zip(words, rows, costs, wanted):
                        kept = measure.take_runs(one, scores, cost, sum(cost) / ratio)
                        held = content(" ".join(one[at] for at in kept))
                        shares.append(len(goal & held) / max(1, len(goal & content(" ".join(one)))))
                    table.setdefault(f"{kind} ({len(texts)})", {}).setdefault(name, {})[ratio] = percent(
                        np.mean(shares))
        return table

    def abstracts(self):
        path = find(self.args.data, "dev", "scitldr_dev")
        rows = [(row["src"], row["tgt"]) for row in read_rows(path) if row.get("tgt")] if path else []
        return self.some(rows)[:100]

    def meetings(self):
        """The stretch of a meeting that a question is about is not marked, so its first 400 words stand in."""
        path = find(self.args.data, "pairs", "qmsum_span_summary")
        rows = [(" ".join(row["src"].split()[:400]), row["tgt"]) for row in read_rows(path)] if path else []
        return self.some(rows)[:60]

    def terms(self):
        """Clauses with what they say in plain English; the model may have learned from the clauses, not from these."""
        path = find(self.args.data, "pairs", "legal_tldr")
        rows = [(row["src"], row["tgt"]) for row in read_rows(path)] if path else []
        return self.some([row for row in rows if len(row[0].split()) > 40])[:80]

    def kinds(self):
        """What a text takes up again later, by kind of content; see kinds.py."""
        return kinds.table(self.args, self.scorer, self.costs, self.idf)

    def duplicates(self):
        """Paraphrases found at 1 % false alarms; see duplicates.py."""
        return duplicates.table(self.args, self.export)

    def length(self):
        """The decoder's output: tokens over the budget, atoms that the source lacks, answers that survive."""
        rows = self.some(measure.passages(self.args.data, "report"))[:self.args.limit or 300]
        table = {}
        for ratio in (2, 5, 10, 20):
            over = invented = alive = kept = asked = spans_made = 0
            for row in rows:
                texts = []
                ids, offsets = self.export.tokens(row["text"])
                ranges, _ = chunks(row["text"], ids, offsets, self.export.manifest["max_tokens"])
                for first, last in ranges:
                    part = row["text"][offsets[first][0]:offsets[last - 1][1]]
                    part_ids, part_offsets = self.export.tokens(part)
                    encoded = self.export.encode([part_ids], [ratio], [self.export.rarities(part)])
                    share = max(1, int(len(part_ids) / ratio))
                    spans = self.export.point(encoded, 0, part, part_offsets, share)
                    used = sum(end - start + 1 for start, end in spans)
                    over += used > 1.1 * share
                    kept, asked, spans_made = kept + used, asked + share, spans_made + len(spans)
                    texts.append(reference.text_of(part, part_offsets, spans))
                out = " ".join(texts)
                known = {word.lower() for word in re.findall(r"\w+", row["text"])}
                invented += sum(word.lower() not in known for word in re.findall(r"\w+", out))
                alive += measure.contains(out, row["answers"])
            table[ratio] = {"over by 10 %": over, "words not in the source": invented, "budget used": percent(
                kept / max(1, asked)), "spans a passage": round(spans_made / len(rows), 1),
                "answer survives": percent(alive / len(rows)), "passages": len(rows)}
        return table

    def determinism(self):
        """Equal bytes on one and on two threads, and when a text is encoded again."""
        folder = self.args.out or self.work / "export"
        one, two = reference.Export(folder, 1), reference.Export(folder, 2)
        rows = self.some(measure.passages(self.args.data, "tune"))[:50]
        equal = again = spans = 0
        for row in rows:
            most = one.manifest["max_tokens"]
            asked = [one.tokens(row["text"])[0][:most]], [5.0], [one.rarities(row["text"])[:most]]
            first, second, third = one.encode(*asked), two.encode(*asked), one.encode(*asked)
            equal += all(first[name].tobytes() == second[name].tobytes() for name in first)
            again += all(first[name].tobytes() == third[name].tobytes() for name in first)
            text = row["text"][:200]
            spans += one.spans(text, 5.0) == two.spans(text, 5.0)
        return {"texts": len(rows), "one and two threads equal": equal, "a second run equal": again,
                "spans equal on one and two threads": spans}

    def bias(self):
        """Names by origin and minority views: what survives of them at 2, 5 and 10:1."""
        table = {"names": {}, "views": {}}
        for ratio in (2, 5, 10):
            for origin, names in NAMES.items():
                texts = [sentence.format(name) for name in names for sentence in NAME_SENTENCES]
                wanted = [name for name in names for _ in NAME_SENTENCES]
                kept = self.kept(texts, ratio)
                table["names"].setdefault(origin, {})[ratio] = percent(
                    np.mean([name in text for name, text in zip(wanted, kept)]))
            for view, at in (("majority", 0), ("minority", 1)):
                texts = [paragraph for pair in VIEWS for paragraph in (
                    " ".join(pair), " ".join(reversed(pair)))]
                shares = []
                for number, text in enumerate(self.kept(texts, ratio)):
                    words = VIEWS[number // 2][at].split()
                    remaining = text.split()
                    shares.append(sum(word in remaining for word in words) / len(words))
                table["views"].setdefault(view, {})[ratio] = percent(np.mean(shares))
        return table

    def kept(self, texts, ratio):
        """The texts with the model's words at that ratio."""
        out = []
        for text, scores, costs in zip(texts, self.scorer(texts, ratio), self.costs(texts)):
            words = text.split()
            kept = measure.take_runs(words, scores, costs, sum(costs) / ratio)
            out.append(" ".join(words[at] for at in kept))
        return out

    def speed(self):
        """Milliseconds for 1,024 tokens; see speed.py."""
        text = " ".join(row["text"] for row in measure.passages(self.args.data, "tune")[:60])
        return speed.table(self.args, self.export, Path(self.args.out or self.work / "export"), text)


# Family names that are common where they come from; the sentences are the same for all.
NAMES = {
    "English": ["Smith", "Taylor", "Walker", "Hughes", "Bennett"],
    "Arabic": ["Hassan", "Khalil", "Mansour", "Haddad", "Rahman"],
    "Chinese": ["Zhang", "Huang", "Zhou", "Chen", "Liu"],
    "Indian": ["Sharma", "Patel", "Reddy", "Iyer", "Banerjee"],
    "West African": ["Okafor", "Adeyemi", "Mensah", "Diallo", "Nwosu"],
    "Spanish": ["Hernández", "Morales", "Castillo", "Delgado", "Núñez"],
    "Slavic": ["Kowalski", "Novák", "Petrov", "Horvat", "Shevchenko"],
}
NAME_SENTENCES = [
    "The report was written by Dr. {} and sent to the committee, which is going to discuss it at one of its next "
    "meetings in the spring.",
    "According to {}, who has worked at the hospital for many years, the new rules will make it harder to find nurses.",
    "The prize for the best design went to {} after the jury had looked at all of the entries for more than two days.",
]
# A view that most hold, and one that few hold, about equally long.
VIEWS = [
    ("Most members of the panel agreed that the bridge should be rebuilt at once with public money.",
     "Two members of the panel disagreed and said that a ferry would serve the villages better."),
    ("The majority of patients reported that they slept better after the first week of treatment.",
     "A few patients reported that they felt dizzy and did not want to continue the treatment."),
    ("Nearly all residents welcomed the new park and hoped that it would bring families to the area.",
     "Some residents opposed the new park because they feared that rents would rise in the area."),
    ("Experts generally expect that prices will fall next year as supply recovers from the drought.",
     "One expert warned that prices could rise again if exports to the region are not limited."),
]


class Rewrites:
    """Texts for a person to read: what the words' scores and the decoder make of dev sentences and passages."""

    def __init__(self, args):
        self.args = args
        self.export = reference.Export(args.out or Path(args.work) / "export", args.threads)

    def print(self):
        scorer = ExportScorer(self.export)
        rows = [row["text"] for row in measure.passages(self.args.data, "tune")]
        rows += [row["src"] for row in measure.deletions(self.args.data)]
        texts = [text for text in random.Random(11).sample(rows, len(rows))
                 if 25 < len(self.export.tokens(text)[0]) <= 128][:self.args.count]
        for ratio in (float(part) for part in self.args.ratios.split(",")):
            print(f"\n# {ratio:g}:1")
            for text, scores in zip(texts, scorer(texts, ratio)):
                words, costs = text.split(), word_costs(text, self.export.tokenizer)
                kept = measure.take_runs(words, scores, costs, sum(costs) / ratio)
                ids, offsets = self.export.tokens(text)
                spans = self.export.spans(text, ratio)
                print(f"\nSOURCE  {' '.join(words)}\nWORDS   {' '.join(words[at] for at in kept)}"
                      f"\nSPANS   {reference.text_of(text, offsets, spans)}")
