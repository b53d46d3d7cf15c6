"""The rule that the model has to beat: rarity with a penalty for repeats, a bonus for names and numbers.

The engine has the same in Rust; here it is the floor in every table and one of the teachers.
"""

import json
import math
import re
from collections import Counter
from pathlib import Path

STOPWORDS = frozenset(
    "a about above after again against all am an and any are as at be because been before being below between both "
    "but by can could did do does doing down during each few for from further had has have having he her here hers "
    "him his how i if in into is it its just me more most my no nor not of off on once only or other our out over own "
    "same she should so some such than that the their them then there these they this those through to too under "
    "until up us very was we were what when where which while who whom why will with would you your".split()
)
BLOCK = 100


def bare(word):
    return re.sub(r"^\W+|\W+$", "", word.lower())


class Idf:
    """How rare a word is over blocks of about a hundred words."""

    def __init__(self, seen, blocks):
        self.seen, self.blocks = Counter(seen), blocks

    @classmethod
    def learn(cls, texts):
        seen, blocks = Counter(), 0
        for text in texts:
            words = [bare(word) for word in text.split()]
            for start in range(0, len(words), BLOCK):
                seen.update(set(words[start:start + BLOCK]))
                blocks += 1
        return cls(seen, blocks)

    def save(self, path):
        often = {word: count for word, count in self.seen.items() if count > 1}
        Path(path).write_text(json.dumps({"blocks": self.blocks, "seen": often}), encoding="utf-8")

    @classmethod
    def load(cls, path):
        saved = json.loads(Path(path).read_text(encoding="utf-8"))
        return cls(saved["seen"], saved["blocks"])

    def __call__(self, word):
        return math.log((self.blocks + 1) / (self.seen[bare(word)] + 1))


def scores(words, idf, costs=None):
    """The better rule of the floors, one score a word; `costs` are the words' tokens."""
    seen, raw = Counter(), []
    for word in words:
        key = bare(word)
        score = (-1.0 if key in STOPWORDS else idf(key)) / (1 + seen[key])
        digit, capital = any(letter.isdigit() for letter in word), word[:1].isupper()
        score += 2.0 * digit + 1.0 * capital + 1.5 * (digit or capital)
        seen[key] += 1
        raw.append(score)
    for _ in range(2):
        raw = [0.7 * score + 0.15 * (raw[max(0, at - 1)] + raw[min(len(raw) - 1, at + 1)])
               for at, score in enumerate(raw)]
    last = max(1, len(words) - 1)
    out = [score * (1.15 - 0.30 * at / last) for at, score in enumerate(raw)]
    if costs is not None:
        out = [score / cost ** 0.25 for score, cost in zip(out, costs)]
    return out


def importance(words, idf):
    """The rule as a teacher: tuned on one half of the dev passages (RESULTS.md), reported on the other half."""
    seen, raw = Counter(), []
    for at, word in enumerate(words):
        key = bare(word)
        common = key in STOPWORDS
        score = (0.4 if common else 0.8 * idf(key)) / (1 + seen[key])
        seen[key] += 1
        if any(letter.isdigit() for letter in word):
            score += 4.3
        elif word.lstrip("(\"'[")[:1].isupper():
            opens = at == 0 or words[at - 1][-1:] in ".!?"
            score += 1.0 if common else 3.0 if opens else 5.0
        raw.append(score)
    for _ in range(2):
        raw = [0.8 * score + 0.1 * (raw[max(0, at - 1)] + raw[min(len(raw) - 1, at + 1)])
               for at, score in enumerate(raw)]
    last = max(1, len(words) - 1)
    return [score * (1.15 - 0.55 * at / last) for at, score in enumerate(raw)]
