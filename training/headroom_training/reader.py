"""Stage `reader`: whether a small model still answers from a rewritten passage as well as from a merely selected one.

Passages with a question (dev, the report half) are shortened in several ways to equal tokens: what the decoder's spans
take is the budget of all others. A local OpenAI-compatible server answers from each; an answer counts if a gold one
stands in it. Each answer is written down at once, so a stopped run goes on where it was.
"""

import json
import math
import random
import urllib.request
from pathlib import Path

import numpy as np

from . import measure, reference, rule
from .corpus import hash_of
from .evaluate import ExportScorer, chunks, target_costs, word_costs
from .measure import blend

PROMPT = "{text}\n\nQuestion: {question}?\nAnswer from the text above, in a few words only."


def run(args):
    export = reference.Export(args.out, args.threads)
    idf = rule.Idf.load(Path(args.work) / "idf.json")
    rows = [row for row in measure.passages(args.data, "report") if len(row["text"].split()) < 150]
    random.Random(args.seed).shuffle(rows)
    rows = rows[:args.count]
    path = Path(args.answers or Path(args.work) / "reader.jsonl")
    known = answered(path)
    with open(path, "a", encoding="utf-8") as log:
        for number, row in enumerate(rows):
            mark = f"{hash_of(row['text']):016x}"
            made = variants(row["text"], [float(part) for part in args.ratios.split(",")], export, idf)
            for name, text in made.items():
                if (mark, name) in known or not name.endswith(tuple(args.variants.split(","))):
                    continue
                said = ask(args.url, args.model, PROMPT.format(text=text, question=row["question"].rstrip("?")))
                known[mark, name] = found = {
                    "passage": mark, "variant": name, "right": measure.contains(said, row["answers"]),
                    "there": measure.contains(text, row["answers"]), "words": len(text.split())}
                log.write(json.dumps(found) + "\n")
                log.flush()
            if (number + 1) % 10 == 0:
                print(f"reader: {number + 1} of {len(rows)} passages", flush=True)
    for line in table(known):
        print(line)


def answered(path):
    """What an earlier, perhaps interrupted, run has written."""
    if not path.exists():
        return {}
    rows = [json.loads(line) for line in open(path, encoding="utf-8")]
    return {(row["passage"], row["variant"]): row for row in rows}


def table(known):
    """A line a variant, then rewritten text against each selection of its ratio: the passages that only one of both
    answers, and how likely so uneven a split is by chance (sign test, two-sided)."""
    by_name = {}
    for (mark, name), row in known.items():
        by_name.setdefault(name, {})[mark] = row
    for name, rows in by_name.items():
        right, there, words = (sum(row[key] for row in rows.values()) for key in ("right", "there", "words"))
        yield f"{name}: {right} right of {len(rows)}, the answer stands in {there}, {words / len(rows):.1f} words"
    for name, rows in by_name.items():
        ratio, _, what = name.partition(" ")
        for other, theirs in by_name.items():
            if what == "rewritten" and other.startswith(ratio) and other != name:
                both = set(rows) & set(theirs)
                won = sum(rows[mark]["right"] > theirs[mark]["right"] for mark in both)
                lost = sum(rows[mark]["right"] < theirs[mark]["right"] for mark in both)
                yield f"{name} against {other}: {won} won, {lost} lost of {len(both)}, p = {sign_test(won, lost):.3f}"


def sign_test(won, lost):
    """Two-sided exact probability of a split at least as uneven, were both equally likely."""
    count = won + lost
    tail = sum(math.comb(count, at) for at in range(min(won, lost) + 1)) / 2 ** count
    return min(1.0, 2 * tail)


def variants(text, ratios, export, idf):
    """The passage whole and shortened; all of one ratio to the tokens of the decoder's spans."""
    cost = target_costs() or (lambda word: word_costs(word, export.tokenizer)[0])
    words, made = text.split(), {"whole": text}
    costs = [cost(word) for word in words]
    plain = rule.importance(words, idf)
    for ratio in ratios:
        spans = rewritten(text, ratio, export)
        budget = sum(cost(word) for word in spans.split())
        scores = {"rule": plain, "model": ExportScorer(export)([text], ratio)[0]}
        scores["half and half"] = blend([scores["model"]], [plain], 0.5)[0]
        made[f"{ratio:g}:1 rewritten"] = spans
        for name, one in scores.items():
            kept = measure.take_runs(words, one, costs, budget)
            made[f"{ratio:g}:1 words by {name}"] = " ".join(words[at] for at in kept)
        made[f"{ratio:g}:1 sentences by rule"] = sentences(words, plain, costs, budget)
    return made


def rewritten(text, ratio, export):
    ids, offsets = export.tokens(text)
    ranges, _ = chunks(text, ids, offsets, export.manifest["max_tokens"])
    parts = [text[offsets[first][0]:offsets[last - 1][1]] for first, last in ranges]
    return " ".join(reference.text_of(part, export.tokens(part)[1], export.spans(part, ratio)) for part in parts)


def sentences(words, scores, costs, budget):
    """Whole sentences by their words' mean score; the last one taken is cut at the budget."""
    starts = [0] + [at + 1 for at, word in enumerate(words[:-1]) if word[-1] in ".!?"] + [len(words)]
    spans = [range(first, last) for first, last in zip(starts, starts[1:]) if last > first]
    kept = []
    for span in sorted(spans, key=lambda span: -np.mean([scores[at] for at in span])):
        for at in span:
            if costs[at] > budget:
                return " ".join(words[at] for at in sorted(kept))
            kept.append(at)
            budget -= costs[at]
    return " ".join(words[at] for at in sorted(kept))


def ask(url, model, prompt):
    body = {"model": model, "temperature": 0, "max_tokens": 24, "messages": [{"role": "user", "content": prompt}]}
    request = urllib.request.Request(f"{url.rstrip('/')}/v1/chat/completions", json.dumps(body).encode(),
                                     {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=900) as answer:
        return json.load(answer)["choices"][0]["message"]["content"]
