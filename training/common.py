#!/usr/bin/env python3
"""Makes src/compress/text/common.txt: the ordinary English words, which have a capital only where a sentence begins.

    python3 training/common.py DATA > src/compress/text/common.txt

DATA holds the files that `sources.py` lists with their licences. A word counts where it stands inside a sentence, that
is behind a lower-case word or a comma: with a small letter or with a capital; each file has the weight of the square
root of its length. Listed, sorted, one a line, are the 10,000 commonest words of at least two letters that stand in two
files or more and have a small letter in three of four such places: a word that is also a name (`will`, `may`) may be
ordinary, one that is mostly a name is not.
"""

import math
import re
import sys
from collections import Counter

from sources import texts

INSIDE = re.compile(r"(?<=[a-z,] )[A-Za-z][a-z']+(?![\w.-])")
MOST = 10_000
SMALL = 0.75
FILES = 2


def main():
    share, small, files = Counter(), Counter(), Counter()
    for _, file in texts(sys.argv[1]):
        seen = Counter()
        for text in file:
            seen.update(INSIDE.findall(text))
        weight = 1 / math.sqrt(seen.total())
        for word, times in seen.items():
            share[word.lower()] += times * weight
            small[word.lower()] += times * weight * word.islower()
        files.update({word.lower() for word in seen})
    words = [w for w in share if "'" not in w and small[w] >= SMALL * share[w] and files[w] >= FILES]
    print("\n".join(sorted(sorted(words, key=lambda word: (-share[word], word))[:MOST])))


if __name__ == "__main__":
    main()
