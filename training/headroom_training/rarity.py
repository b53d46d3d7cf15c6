"""How rare the word of a token is: a second input of the encoder, looked up in the engine's own table.

A rule knows rarity from a table; a model has to learn it word by word from pieces, for which no CPU budget was enough.
The engine computes the same from the same table (`src/model/rarity.rs`); LAYOUT.md says it in words.
"""

import functools
import re
import unicodedata
from pathlib import Path

TABLE = Path(__file__).parents[2] / "src" / "compress" / "text" / "data" / "background.txt"
NONE, STEPS = 0, 42            # whitespace; then one class for each line of the table, quarter nats
UNKNOWN = STEPS + 1            # a word that the table does not hold
NUMBER = STEPS + 2             # a word with a digit or another numeric character
CLASSES = STEPS + 3
LETTERS = re.compile(r"[^\W\d_]+")


@functools.lru_cache(maxsize=1)
def table():
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= STEPS
    return {word: 1 + step for step, line in enumerate(lines) for word in line.split()}


@functools.lru_cache(maxsize=200_000)
def class_of(word):
    """The class of a word with the punctuation around it: the word's, else that of its rarest run of letters."""
    if any(unicodedata.category(character)[0] == "N" for character in word):
        return NUMBER
    lower = word.lower().replace("’", "'")
    bare = re.sub(r"^[\W_]+|[\W_]+$", "", lower)
    if bare in table():
        return table()[bare]
    return max((table().get(run, UNKNOWN) for run in LETTERS.findall(lower)), default=NONE)


def of_tokens(words, owners):
    """The class of each token's word."""
    known = [class_of(word) for word in words]
    return [known[owner] if owner >= 0 else NONE for owner in owners]
