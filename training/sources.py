"""The texts that the word tables are counted over: only what may be used by anyone for anything.

What limits its use to research or names no licence is left out: Brown, Reuters, ABC, web chat and reviews (all but one
part of `nltk_general`), QMSum, Loghub, google_sentcomp. Which licence each file has: README.md, *Data and licences*.
"""

import json
import lzma
from pathlib import Path

FILES = {  # file: (genre, licence)
    "text/gsm8k_train": ("prose", "MIT"),
    "text/halueval_chatgpt_replies": ("prose", "MIT"),
    "text/nltk_general": ("prose", "public domain (of it only the addresses on the state of the union)"),
    "text/repo_markdown": ("documentation", "MIT, Apache-2.0, public domain (PEPs)"),
    "text/rust_docs": ("documentation", "MIT or Apache-2.0"),
    "text/sgd_dialogues": ("talk", "CC BY-SA 4.0"),
    "pairs/legal_tldr": ("prose", "Apache-2.0"),
    "pairs/scitldr": ("prose", "Apache-2.0"),
    "pairs/wikisplit_fuse": ("prose", "CC BY-SA 4.0"),
}

# The addresses stand in a row within `nltk_general`: from the record that begins so until the one that begins so.
ADDRESSES = ("PRESIDENT HARRY S. TRUMAN'S ANNUAL MESSAGE", "Cookie Manager:")


def texts(data):
    """For each file its genre and an iterator over its texts."""
    for name, (genre, _) in FILES.items():
        yield genre, texts_of(Path(data) / f"{name}.jsonl.xz", only=ADDRESSES if name.endswith("nltk_general") else None)


def texts_of(file, only=None):
    inside = only is None
    with lzma.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            text = record.get("text") or record.get("context") or record.get("src") or ""
            if only:
                inside = (inside or text.startswith(only[0])) and not text.startswith(only[1])
            if inside:
                yield text
