#!/usr/bin/env python3
"""Makes src/compress/data/background.txt: how common each word is in English prose, talk and documentation.

    python3 training/background.py DATA > src/compress/data/background.txt

DATA holds `text/*.jsonl.xz` and `pairs/*.jsonl.xz`. A word's document frequency is counted over blocks of a hundred
words, each file weighted so that none outweighs the others by more than its square root. Line n of the output (from
0) lists the words of idf [n/4, (n+1)/4) nats in alphabetical order; a word that is not listed is rarer than them all.
"""

import json
import lzma
import math
import re
import sys
from collections import Counter
from pathlib import Path

BLOCK = 100
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
MOST = 45_000
STEPS = 4  # lines for each nat


def main():
    data = Path(sys.argv[1])
    share, total = Counter(), 0.0
    for file in sorted([*data.glob("text/*.jsonl.xz"), *data.glob("pairs/*.jsonl.xz")]):
        seen, blocks = Counter(), 0
        with lzma.open(file, "rt", encoding="utf-8") as lines:
            for block in blocks_of(json.loads(line) for line in lines):
                seen.update(block)
                blocks += 1
        weight = 1 / math.sqrt(max(1, blocks))
        for word, times in seen.items():
            share[word] += times * weight
        total += blocks * weight
    common = sorted(share, key=lambda word: (-share[word], word))
    common = [word for word in common if len(word) <= 20 and word.isascii()][:MOST]
    steps = {}
    for word in common:
        steps.setdefault(int(STEPS * math.log((total + 1) / (share[word] + 0.01))), []).append(word)
    for step in range(max(steps) + 1):
        print(" ".join(sorted(steps.get(step, []))))


def blocks_of(records):
    words = []
    for record in records:
        text = record.get("text") or record.get("context") or record.get("src") or ""
        words += WORD.findall(text.lower().replace("’", "'"))
        while len(words) >= BLOCK:
            yield set(words[:BLOCK])
            words = words[BLOCK:]


if __name__ == "__main__":
    main()
