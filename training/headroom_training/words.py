"""Words: what the model keeps or drops. The engine (Rust), the labels and the decoder share this one definition.

A word is a maximal run of non-whitespace characters. A token belongs to the word that holds its first
non-whitespace character; a token of whitespace only belongs to no word and is never pointed at. No token of our
tokenizer reaches over two words, so a word is a run of tokens and a span of words a run of tokens as well.
"""

import re

WORD = re.compile(r"\S+")


def word_spans(text):
    """(start, end) in characters of every word."""
    return [match.span() for match in WORD.finditer(text)]


def words_of_tokens(text, offsets):
    """For each token the index of its word, -1 for whitespace."""
    spans = word_spans(text)
    owners, at = [], 0
    for start, end in offsets:
        first = start
        while first < end and text[first].isspace():
            first += 1
        if first >= end:
            owners.append(-1)
            continue
        while at < len(spans) and spans[at][1] <= first:
            at += 1
        owners.append(at)
    return owners


def boundary_masks(owners):
    """Which tokens may start a span and which may end one, as two lists of bool."""
    starts, ends = [], []
    for index, owner in enumerate(owners):
        before = owners[index - 1] if index else -1
        after = owners[index + 1] if index + 1 < len(owners) else -1
        starts.append(owner >= 0 and owner != before)
        ends.append(owner >= 0 and owner != after)
    return starts, ends
