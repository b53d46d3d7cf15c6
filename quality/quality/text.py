"""Text as the measures see it: tokens, normal forms, pieces, words, atoms, and BM25 over them."""

import hashlib
import math
import os
import re
import unicodedata
from collections import Counter, defaultdict
from functools import lru_cache
from pathlib import Path

RANKS_NAME = "fb374d419588a4632f3f557e76b4b70aebbca790"  # as tiktoken looks for it
RANKS_SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
CACHE = Path(__file__).resolve().parents[2] / "target" / "quality-ranks"


# Tokens of the target model (gpt-4o reads o200k_base).

@lru_cache(maxsize=1)
def encoding():
    """o200k_base from the ranks that the crate tiktoken-rs ships; tiktoken would delete a damaged file and download."""
    ranks = CACHE / RANKS_NAME
    if not ranks.is_file() or hashlib.sha256(ranks.read_bytes()).hexdigest() != RANKS_SHA256:
        registry = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo")) / "registry" / "src"
        shipped = [file.read_bytes() for file in registry.glob("*/tiktoken-rs-*/assets/o200k_base.tiktoken")]
        shipped = [data for data in shipped if hashlib.sha256(data).hexdigest() == RANKS_SHA256]
        if not shipped:
            raise RuntimeError(f"no o200k_base ranks in {registry}: run `cargo fetch` first")
        CACHE.mkdir(parents=True, exist_ok=True)
        ranks.write_bytes(shipped[0])
    os.environ["TIKTOKEN_CACHE_DIR"] = str(CACHE)
    import tiktoken
    return tiktoken.get_encoding("o200k_base")


def token_count(text):
    return len(encoding().encode_ordinary(text))


def cut(text, budget):
    """The longest beginning of `text` of at most `budget` tokens."""
    tokens = encoding().encode_ordinary(text)
    if len(tokens) <= budget:
        return text
    return encoding().decode(tokens[:budget]).rstrip("\ufffd")


@lru_cache(maxsize=300_000)
def word_cost(word):
    """Tokens of a word that follows a space."""
    return token_count(" " + word)


# Normal forms, to find an answer in a text.

ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def squad_form(text):
    """As the SQuAD scorer: lower case, no punctuation, no articles, single spaces."""
    text = re.sub(r"[^\w\s]|_", "", unicodedata.normalize("NFKC", text).lower())
    return " ".join(ARTICLES.sub(" ", text).split())


def spaced_form(text):
    """As `squad_form`, but punctuation parts words, so that `{"a":"b"}` is two words; 1,452.4 and 9:30 stay whole."""
    text = unicodedata.normalize("NFKC", text).lower()
    text = re.sub(r"(?<!\d)[.,:]|[.,:](?!\d)|[^\w\s.,:]|_", " ", text)
    return " ".join(ARTICLES.sub(" ", text).split())


class Haystack:
    """A text prepared for many look-ups of whole words; either normal form counts."""

    def __init__(self, text):
        self.forms = [(form, f" {form(text)} ") for form in (squad_form, spaced_form)]

    def contains(self, needle):
        return any((wanted := form(needle)) and f" {wanted} " in hay for form, hay in self.forms)


# Pieces: sentences, lines, records.

BREAK = re.compile(r"\n+|(?<=[.!?])[\"')\]]?\s+(?=[A-Z\"'(\[<\d])|(?<= [.!?]) (?=<)")
FINER_BREAK = re.compile(r"(?<=\})\s*,\s*|(?<=;)\s+| (?=<)|(?<=,) (?=\")")
LONG_PIECE = 400  # characters; past it a piece is broken up further


def pieces(text):
    """Sentences, lines or records that concatenate to `text`."""
    found = []
    for piece in split_after(BREAK, text):
        if len(piece) <= LONG_PIECE:
            found.append(piece)
            continue
        run = ""
        for part in split_after(FINER_BREAK, piece):
            if run and len(run) + len(part) > LONG_PIECE:
                found.append(run)
                run = ""
            run += part
        found.append(run)
    return found


def split_after(pattern, text):
    start, parts = 0, []
    for match in pattern.finditer(text):
        if match.end() > start:
            parts.append(text[start:match.end()])
            start = match.end()
    if start < len(text):
        parts.append(text[start:])
    return parts


VARYING = re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{8,}\b|\d+", re.I)


def masked(line):
    """A log line with what varies from one occurrence to the next blanked out."""
    return VARYING.sub("#", line)


# Words.

STOPWORDS = frozenset(
    "a about above after again against all am an and any are as at be because been before being below between both "
    "but by can could did do does doing down during each few for from further had has have having he her here hers "
    "him his how i if in into is it its just me more most my no nor not of off on once only or other our out over own "
    "same she should so some such than that the their them then there these they this those through to too under "
    "until up us very was we were what when where which while who whom why will with would you your".split()
)


def stems(text):
    """Lower-case content words with a crude plural cut, for lexical matching."""
    words = re.findall(r"[^\W_]+", text.lower())
    return [w[:-1] if len(w) > 3 and w.endswith("s") else w for w in words if w not in STOPWORDS]


# Atoms: what may be kept or dropped, but never made up.

ATOM_WORD = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]+")
MARKER = (
    r"\[[^\[\]\n]{0,80}(?:…|\.\.\.|omitted|repeated|similar|identical|more)[^\[\]\n]{0,80}\]"
    r"|\(?(?<!\w)[×x]\s?\d+\b\)?"
)


def is_atom(word):
    """A number, an identifier with a digit, or a capitalised word of two letters or more."""
    return any(c.isdigit() for c in word) or (len(word) > 1 and word[0].isupper())


def atom_words(text):
    return (word.replace(",", "") for word in ATOM_WORD.findall(text))


def invented_atoms(source, arrived, marker=MARKER):
    """The atoms of `arrived` that `source` lacks, and how many atoms `arrived` has in all."""
    known = {word.lower() for text in (source, re.sub(marker, " ", source)) for word in atom_words(text)}
    atoms = [word for word in atom_words(re.sub(marker, " ", arrived)) if is_atom(word)]
    return [word for word in atoms if word.lower() not in known], len(atoms)


# Ranking.

class Bm25:
    """Okapi BM25 over a list of texts."""

    K1, B = 1.2, 0.75

    def __init__(self, texts):
        self.postings = defaultdict(list)
        counts = [Counter(stems(text)) for text in texts]
        self.lengths = [sum(count.values()) for count in counts]
        self.mean_length = sum(self.lengths) / max(1, len(self.lengths)) or 1
        for number, count in enumerate(counts):
            for word, times in count.items():
                self.postings[word].append((number, times))

    def scores(self, query):
        scores = [0.0] * len(self.lengths)
        for word in set(stems(query)):
            postings = self.postings.get(word, ())
            idf = math.log(1 + (len(scores) - len(postings) + 0.5) / (len(postings) + 0.5))
            for number, times in postings:
                norm = self.K1 * (1 - self.B + self.B * self.lengths[number] / self.mean_length)
                scores[number] += idf * times * (self.K1 + 1) / (times + norm)
        return scores
