"""Reads the data folder and cuts it into segments, leaving out whatever also stands in the dev sets.

A data folder holds `pairs/*.jsonl(.xz)` ({src, tgt}), `text/*.jsonl(.xz)` ({text} or {context}) and optionally
`dev/*.jsonl(.xz)`, which is only measured on. Names matter: they choose how a file is used (`PAIR_KINDS`,
`TEXT_SHARES`).
"""

import hashlib
import json
import lzma
import random
import re
from pathlib import Path

# How much text each source gives, in characters, and what kind of text it is. Prose that states facts comes
# first: that is what the engine sends through the model. Logs and JSON never are; the tokenizer alone sees them.
TEXT_SHARES = {
    "nltk_general": (5_000_000, "prose"),
    "repo_markdown": (1_800_000, "documentation"),
    "rust_docs": (500_000, "documentation"),
    "halueval_chatgpt_replies": (1_500_000, "chat"),
    "sgd_dialogues": (700_000, "chat"),
    "qmsum_train_transcripts": (1_200_000, "meeting"),
    "gsm8k_train": (400_000, "chat"),
    "sgd_tool_results": (0, "tool"),
    "loghub": (0, "log"),
}
PAIR_SHARES = {
    "wikisplit_fuse": (2_200_000, "encyclopaedia"),
    "reuters_title": (2_500_000, "news"),
    "google_sentcomp": (1_200_000, "news"),
    "bisect_fuse": (900_000, "encyclopaedia"),
    "scitldr": (1_400_000, "science"),
    "legal_tldr": (100_000, "contract"),
    "qmsum_span_summary": (0, "meeting"),
}
SHINGLE = 8          # words in a row that must not be shared with a dev text
SEGMENT_CHARACTERS = (60, 560)
SENTENCE_KINDS = ("prose", "news", "meeting", "encyclopaedia")


def read_rows(path):
    """The rows of one .jsonl or .jsonl.xz file."""
    path = Path(path)
    opener = lzma.open if path.suffix == ".xz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def find(data, folder, name):
    """The file of that name, packed or not; None where the data folder lacks it."""
    for suffix in (".jsonl.xz", ".jsonl"):
        path = Path(data) / folder / (name + suffix)
        if path.exists():
            return path
    return None


def text_of(row):
    for key in ("text", "context", "src"):
        if isinstance(row.get(key), str):
            return row[key]
    return ""


def dev_shingles(data):
    """Hashes of every run of `SHINGLE` words in the dev sets."""
    found = set()
    for path in sorted((Path(data) / "dev").glob("*.jsonl*")):
        for row in read_rows(path):
            found.update(shingles(text_of(row)))
    return found


def shingles(text):
    words = re.findall(r"\w+", text.lower())
    for start in range(len(words) - SHINGLE + 1):
        yield hash_of(" ".join(words[start:start + SHINGLE]))


def hash_of(text):
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def segments_of(text, rng):
    """Contiguous runs of whole sentences, of varied length so that the model meets short ones too."""
    low, high = SEGMENT_CHARACTERS
    pieces = [piece for piece in re.split(r"(?<=[.!?])\s+(?=[\"'(A-Z0-9])|\n{2,}", text) if piece and piece.strip()]
    want, held = rng.randint(low, high), ""
    for piece in pieces:
        if held and len(held) + len(piece) > want:
            yield held
            want, held = rng.randint(low, high), ""
        held = f"{held} {piece}" if held else piece
        while len(held) > high:
            cut = held.rfind(" ", low, high)
            if cut < 0:
                held = ""      # a blob without spaces: nothing to learn from
                break
            yield held[:cut]
            held = held[cut + 1:]
    if held:
        yield held


def collect_segments(data, seed, scale=1.0):
    """(kind, text) of every segment kept, shuffled; duplicates and anything shared with dev left out."""
    rng = random.Random(seed)
    banned, seen, kept, dropped = dev_shingles(data), set(), [], 0
    for folder, shares in (("text", TEXT_SHARES), ("pairs", PAIR_SHARES)):
        for name, (budget, kind) in shares.items():
            path = find(data, folder, name)
            if path is None or not budget:
                continue
            rows = list(read_rows(path))
            rng.shuffle(rows)
            left = budget * scale
            for row in rows:
                if left <= 0:
                    break
                for segment in segments_of(text_of(row), rng):
                    mark = hash_of(segment)
                    if mark in seen or sum(letter.isalpha() for letter in segment) < len(segment) * 0.55:
                        continue
                    seen.add(mark)
                    if any(shingle in banned for shingle in shingles(segment)):
                        dropped += 1
                        continue
                    kept.append({"kind": kind, "text": segment})
                    left -= len(segment)
    rng.shuffle(kept)
    return kept, dropped


def single_sentences(segments, count, seed):
    """Sentences that stand alone, from prose, news, meetings and encyclopaedia, as in a list of statements. One in
    three is set as transcripts and older corpora are, with punctuation and contractions split off by spaces."""
    rng, found, seen = random.Random(f"{seed}:sentences"), [], set()
    for segment in segments:
        if len(found) >= count:
            break
        if segment["kind"] not in SENTENCE_KINDS:
            continue
        for sentence in re.split(r"(?<=[.!?])\s+|\n+", segment["text"]):
            words = sentence.split()
            if 6 <= len(words) <= 45 and sentence[-1:] in ".!?" and sentence not in seen:
                seen.add(sentence)
                found.append({"kind": segment["kind"],
                              "text": spaced(sentence) if rng.random() < 1 / 3 else " ".join(words)})
    rng.shuffle(found)
    return found[:count]


def spaced(sentence):
    """`They've left, Ann.` becomes `They 've left , Ann .`"""
    sentence = re.sub(r"([,;:!?()\"]|\.$)(?!\d)", r" \1 ", sentence)
    return " ".join(re.sub(r"(?i)(n't|'(?:s|re|ve|ll|d|m))\b", r" \1", sentence).split())


def tokenizer_lines(data, seed, characters=14_000_000):
    """Text for the tokenizer: every kind, tool output and logs included, in equal parts up to what there is."""
    rng = random.Random(seed)
    names = [("text", name) for name in TEXT_SHARES] + [("pairs", name) for name in PAIR_SHARES]
    names = [(folder, name) for folder, name in names if find(data, folder, name)]
    each = characters // max(1, len(names))
    for folder, name in names:
        rows = list(read_rows(find(data, folder, name)))
        rng.shuffle(rows)
        left = each if name not in ("loghub", "sgd_tool_results") else each // 2
        for row in rows:
            if left <= 0:
                break
            text = text_of(row)[:20_000]
            left -= len(text)
            yield text
