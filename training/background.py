#!/usr/bin/env python3
"""Makes src/compress/text/data/background.txt: how common each word is in English prose, talk and documentation.

    python3 training/background.py DATA > src/compress/text/data/background.txt

DATA holds the files that `sources.py` lists with their licences. A word's document frequency is counted over blocks of
a hundred words; within a genre each file has the weight of the square root of its length, and prose, documentation and
talk count 4 : 2 : 1, however much of each there is. Line n of the output (from 0) lists the words of idf [n/4, (n+1)/4)
nats in alphabetical order; a word that is not listed is rarer than them all. Words are letters with apostrophes, ASCII,
at most 20 characters, in lower case; the 45,000 commonest are listed.
"""

import math
import re
import sys
from collections import Counter

from sources import texts

BLOCK = 100
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
MOST = 45_000
STEPS = 4  # lines for each nat
PARTS = {"prose": 4, "documentation": 2, "talk": 1}


def main():
    files = []
    for genre, file in texts(sys.argv[1]):
        seen, blocks = Counter(), 0
        for block in blocks_of(file):
            seen.update(block)
            blocks += 1
        files.append((genre, seen, blocks))
    length = Counter()
    for genre, _, blocks in files:
        length[genre] += math.sqrt(blocks)
    share = Counter()  # of the blocks that hold the word, by weight
    for genre, seen, blocks in files:
        weight = PARTS[genre] / sum(PARTS.values()) * math.sqrt(blocks) / length[genre]
        for word, times in seen.items():
            share[word] += times / blocks * weight
    common = sorted(share, key=lambda word: (-share[word], word))
    common = [word for word in common if len(word) <= 20 and word.isascii()][:MOST]
    steps = {}
    for word in common:
        steps.setdefault(int(STEPS * -math.log(min(1, share[word]))), []).append(word)
    for step in range(max(steps) + 1):
        print(" ".join(sorted(steps.get(step, []))))


def blocks_of(texts):
    words = []
    for text in texts:
        words += WORD.findall(text.lower().replace("’", "'"))
        while len(words) >= BLOCK:
            yield set(words[:BLOCK])
            words = words[BLOCK:]


if __name__ == "__main__":
    main()
