"""What a text refers back to, by kind of content: a measure where no reference exists (documentation, chat).

A text is cut in two. The first part is shortened; what counts is what the second part takes up again: its content
words, and its atoms (names, numbers, identifiers) that stand in the first part too. What the writer needs again is
what a reader of the rest has to know. A word that runs through the whole text counts once, like any other.
"""

import random
import re

import numpy as np

from . import measure, rule
from .corpus import find, read_rows, text_of
from .measure import blend, content, percent

PART = 250       # words of each of the two parts at most; a shorter text is cut in the middle
LEAST = 120      # words that a text must have
SOURCES = {
    "news": (("pairs", "reuters_title"),),
    "encyclopaedia and essays": (("text", "nltk_general"),),
    "meeting": (("text", "qmsum_train_transcripts"),),
    "documentation": (("text", "repo_markdown"), ("text", "rust_docs")),
    "task dialogue": (("text", "sgd_dialogues"),),
    "chat reply": (("text", "halueval_chatgpt_replies"),),
}
PARAGRAPHS = ("repo_markdown", "rust_docs")     # one row a paragraph, in the order of their documents
IDENTIFIER = re.compile(r"\w+(?:[._:/-]+\w+)+|\w*_\w*|\w+[a-z][A-Z]\w*|\w+(?=\()")
EDGES = "\"'`.,;:!?()[]{}<>*"


def table(args, scorer, costs_of, idf):
    """Per cent of the words, and of the atoms, taken up again that survive at 2, 5 and 10:1."""
    found = {}
    for kind, sources in SOURCES.items():
        pairs = texts(args, sources)[:args.limit or 150]
        if not pairs:
            continue
        firsts = [first for first, _ in pairs]
        words, costs = [text.split() for text in firsts], costs_of(firsts)
        plain = [rule.importance(one, idf) for one in words]
        lead = [[-at for at in range(len(one))] for one in words]
        name = f"{kind} ({len(pairs)})"
        for ratio in (2, 5, 10):
            keep = scorer(firsts, 1.5 if ratio < 3 else ratio)
            for how, rows in (("lead", lead), ("tuned rule", plain), ("model", keep),
                              ("model 0.5 + tuned rule", blend(keep, plain, 0.5)),
                              ("model 0.3 + tuned rule", blend(keep, plain, 0.3))):
                shares = {"words": [], "atoms": []}
                for (first, later), one, scores, cost in zip(pairs, words, rows, costs):
                    kept = " ".join(one[at] for at in measure.take_runs(one, scores, cost, sum(cost) / ratio))
                    for what, of in (("words", content), ("atoms", atoms)):
                        wanted = of(first) & of(later)
                        if wanted:
                            shares[what].append(len(wanted & of(kept)) / len(wanted))
                found.setdefault(name, {}).setdefault(how, {})[ratio] = [
                    percent(np.mean(shares[what])) for what in ("words", "atoms")]
    return found


def texts(args, sources):
    """(first part, later part) of texts that are long enough, in a fixed random order."""
    made = []
    for folder, name in sources:
        path = find(args.data, folder, name)
        rows = list(read_rows(path)) if path else []
        for words in documents(rows) if name in PARAGRAPHS else (text_of(row).split() for row in rows):
            if len(words) >= LEAST:
                cut = min(PART, len(words) // 2)
                made.append((" ".join(words[:cut]), " ".join(words[cut:cut + PART])))
    random.Random(6).shuffle(made)
    return made


def documents(rows):
    """Paragraphs in a row put together to about two parts, none over the end of a project."""
    held, owner = [], None
    for row in rows:
        if held and (len(held) >= 2 * PART or row.get("repo") != owner):
            yield held
            held = []
        owner = row.get("repo")
        held = held + text_of(row).split()
    yield held


def atoms(text):
    """Names, numbers and identifiers, without the marks around them."""
    found = set()
    for word in text.split():
        bare = word.strip(EDGES)
        if bare and (any(letter.isdigit() for letter in bare) or IDENTIFIER.search(word)
                     or (measure.named(bare) and len(bare) > 1)):
            found.add(bare)
    return found
