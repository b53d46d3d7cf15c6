"""Measures on the dev sets: answers that survive, words that people kept, duplicates that are found."""

import functools
import re
import unicodedata
from difflib import SequenceMatcher

import numpy as np

from .corpus import find, hash_of, read_rows
from .rule import STOPWORDS, bare

ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def squad_form(text):
    text = re.sub(r"[^\w\s]|_", "", unicodedata.normalize("NFKC", text).lower())
    return " ".join(ARTICLES.sub(" ", text).split())


def spaced_form(text):
    text = unicodedata.normalize("NFKC", text).lower()
    text = re.sub(r"(?<!\d)[.,:]|[.,:](?!\d)|[^\w\s.,:]|_", " ", text)
    return " ".join(ARTICLES.sub(" ", text).split())


def contains(text, answers):
    """Whether one of the answers stands in the text as whole words, in either normal form."""
    for form in (squad_form, spaced_form):
        hay = f" {form(text)} "
        if any((wanted := form(answer)) and f" {wanted} " in hay for answer in answers):
            return True
    return False


def passages(data, half):
    """Passages with an answer, one row a passage, split in two by hash: `tune` for choices, `report` for figures."""
    rows, seen = [], set()
    for row in read_rows(find(data, "dev", "nq_open_oracle")):
        answers = row["answers"]
        mark = hash_of(row["context"])
        if mark in seen or not contains(row["context"], answers):
            continue
        seen.add(mark)
        if half == "all" or (mark % 2 == 0) == (half == "tune"):
            rows.append({"text": row["context"], "answers": answers, "question": row["question"]})
    return rows


def take(scores, costs, budget):
    """Indices of the best words that fit the budget, in source order; a word that does not fit is passed over."""
    kept, left = [], budget
    for at in np.argsort(-np.asarray(scores), kind="stable"):
        if costs[at] <= left:
            kept.append(int(at))
            left -= costs[at]
        if left <= 0:
            break
    return sorted(kept)


def name_runs(words):
    """(first, last + 1) of every unit: up to six names and numbers in a row are one, any other word is one by itself.
    Taken whole or not at all, so that no two half names meet and look like a third one."""
    runs, at = [], 0
    while at < len(words):
        end = at + 1
        while (end < len(words) and end - at < 6 and named(words[end - 1]) and named(words[end])
               and words[end - 1][-1] not in ",.;:)"):
            end += 1
        runs.append((at, end))
        at = end
    return runs


def named(word):
    capital = word.lstrip("(\"'[")[:1].isupper() and bare(word) not in STOPWORDS
    return capital or any(letter.isdigit() for letter in word)


def take_runs(words, scores, costs, budget):
    """As `take`, by units of `name_runs`; a unit's score is the mean of its words'."""
    runs, scores = name_runs(words), np.asarray(scores)
    kept = take([scores[first:last].mean() for first, last in runs],
                [sum(costs[first:last]) for first, last in runs], budget)
    return [at for number in kept for at in range(*runs[number])]


def survival(rows, all_scores, all_costs, ratio, runs=False):
    """Share of passages in whose shortened text an answer still stands."""
    found = 0
    for row, scores, costs in zip(rows, all_scores, all_costs):
        words = row["text"].split()
        budget = sum(costs) / ratio
        kept = take_runs(words, scores, costs, budget) if runs else take(scores, costs, budget)
        found += contains(" ".join(words[at] for at in kept), row["answers"])
    return found / max(1, len(rows))


def deletions(data, half="all"):
    """Sentences with what people left of them; split by the source's hash, as the passages are."""
    rows = [row for row in read_rows(find(data, "dev", "sc_broadcast")) if row["src"].split() and row["tgt"].split()]
    return [row for row in rows if half == "all" or (hash_of(row["src"]) % 2 == 0) == (half == "tune")]


def kept_positions(source, target):
    """1 for every source word that an alignment finds in the target, else 0."""
    kept = [0] * len(source)
    lowered = [[word.lower() for word in words] for words in (source, target)]
    matcher = SequenceMatcher(None, *lowered, autojunk=False)
    for block in matcher.get_matching_blocks():
        kept[block.a:block.a + block.size] = [1] * block.size
    return kept


@functools.lru_cache(maxsize=4096)
def reference_positions(source, target):
    return kept_positions(source.split(), target.split())


def deletion_f1(rows, all_scores):
    """Mean token F1 against the reference deletion by position, as many words kept as it has (F1 = precision)."""
    total = 0.0
    for row, scores in zip(rows, all_scores):
        kept = reference_positions(row["src"], row["tgt"])
        best = np.argsort(-np.asarray(scores), kind="stable")[:sum(kept)]
        total += sum(kept[at] for at in best) / max(1, sum(kept))
    return total / max(1, len(rows))


def standardised(rows):
    """Scores of each text at mean 0 and deviation 1, so that two kinds can be added."""
    return [(np.asarray(row) - np.mean(row)) / (np.std(row) + 1e-6) for row in rows]


def blend(model_rows, rule_rows, weight):
    return [weight * mine + (1 - weight) * theirs
            for mine, theirs in zip(standardised(model_rows), standardised(rule_rows))]


def content(text):
    return {word for word in re.findall(r"\w+", text.lower()) if word not in STOPWORDS}


def percent(share):
    return round(100 * float(share), 1)
