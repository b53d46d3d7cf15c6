"""Stage `reader`: whether a small model still answers from a rewritten passage as well as from a merely selected one.

Passages with a question (dev, the report half) are shortened in several ways to equal tokens: what the decoder's spans
take is the budget of all others. A local OpenAI-compatible server answers from each; an answer counts if a gold one
stands in it.
"""

import json
import random
import urllib.request
from pathlib import Path

import numpy as np

from . import measure, reference, rule
from .evaluate import ExportScorer, blend, chunks, target_costs, word_costs

PROMPT = "{text}\n\nQuestion: {question}?\nAnswer from the text above, in a few words only."


def run(args):
    export = reference.Export(args.out, args.threads)
    idf = rule.Idf.load(Path(args.work) / "idf.json")
    rows = [row for row in measure.passages(args.data, "report") if len(row["text"].split()) < 150]
    rows = random.Random(args.seed).sample(rows, min(args.count, len(rows)))
    ratios = [float(part) for part in args.ratios.split(",")]
    results = {}
    for number, row in enumerate(rows):
        for name, text in variants(row["text"], ratios, export, idf).items():
            said = ask(args.url, args.model, PROMPT.format(text=text, question=row["question"].rstrip("?")))
            results.setdefault(name, []).append(
                {"right": measure.contains(said, row["answers"]), "there": measure.contains(text, row["answers"]),
                 "words": len(text.split())})
        if (number + 1) % 10 == 0 or number + 1 == len(rows):
            print(f"reader: {number + 1} of {len(rows)} passages", flush=True)
            for name, found in results.items():
                share = {key: round(float(np.mean([one[key] for one in found])), 3) for key in found[0]}
                print(f"reader: {name}: {json.dumps(share)}", flush=True)


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
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)["choices"][0]["message"]["content"]
