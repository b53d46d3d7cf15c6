#!/usr/bin/env python3
"""Makes quality/dev/crates.jsonl: questions with short answers over the documentation of Rust crates.

    cargo fetch && python3 quality/make_dev.py > quality/dev/crates.jsonl

Each crate below is licensed MIT or Apache-2.0 (or both) and lies, at the version of Cargo.lock, in cargo's registry. A
record asks when a function panics, fails or gives nothing; its context is the function's documentation without code,
its answer the condition as the documentation words it. `title` names the crate: the other passages of a request are
documentation of the same crate, so names alone don't tell them apart.
"""

import json
import os
import re
import sys
from pathlib import Path

CRATES = """bstr bytes clap_builder crossbeam-channel csv figment fnv futures-util hashbrown http hyper indexmap itertools
memchr moka ndarray num-bigint num-traits proptest rand rayon regex regex-automata reqwest rustls serde_json smallvec
socket2 tempfile time tokio tokio-util toml_edit tower tracing-subscriber url uuid walkdir""".split()

MOST_A_CRATE, MOST_OTHERS = 8, 25
DOC = re.compile(r"((?:^[ \t]*///[^\n]*\n)+)(?:[ \t]*#\[[^\n]*\n)*[ \t]*pub (?:const |async |unsafe )*fn (\w+)", re.M)
CONDITION = re.compile(r"\b(Panics|[Pp]anic|[Rr]eturns? an error|[Ff]ails|[Rr]eturns? `None`|[Rr]eturns? `Err`)"
                       r"(?:,)? (?:if|when) ([^.;:()]{16,90})\.")
ASKED = {"p": "panic", "a": "return an error", "f": "fail", "n": "return `None`", "e": "return `Err`"}


def main():
    registry = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo")) / "registry/src"
    lock = Path(__file__).resolve().parent.parent / "Cargo.lock"
    versions = dict(re.findall(r'name = "([^"]+)"\nversion = "([^"]+)"', lock.read_text()))
    for crate in CRATES:
        folders = sorted(registry.glob(f"*/{crate}-{versions.get(crate)}"))
        if not folders:
            print(f"make_dev: {crate} is not in {registry}: run `cargo fetch`", file=sys.stderr)
            continue
        for record in records(crate, folders[0]):
            print(json.dumps(record, ensure_ascii=False))


def records(crate, folder):
    """A record for each condition, and one without a question for each other passage."""
    asked, others, seen = 0, 0, set()
    for file in sorted(folder.glob("src/**/*.rs")):
        for doc, name in DOC.findall(file.read_text(encoding="utf-8", errors="replace")):
            text = f"`{name}`: {prose(doc)}"
            if len(text.split()) < 25 or text in seen:
                continue
            seen.add(text)
            found = CONDITION.search(text)
            record = {"title": crate, "context": text, "question": "", "answers": []}
            if found and asked < MOST_A_CRATE and not CONDITION.search(text, found.end()):
                asked += 1
                does = ASKED[found[1].split()[-1].strip("`")[0].lower()]
                record["question"] = f"When does `{name}` of {crate} {does}?"
                record["answers"] = [found[2].strip()]
            elif others == MOST_OTHERS:
                continue
            else:
                others += 1
            yield record


def prose(doc):
    """The paragraphs of a doc comment, without code and link targets."""
    lines = [re.sub(r"^[ \t]*/// ?", "", line) for line in doc.splitlines()]
    text = re.sub(r"^```.*?^```\s*$", "", "\n".join(lines), flags=re.M | re.S)
    text = re.sub(r"^# (?:Examples?|Usage).*?(?=^# |\Z)", "", text, flags=re.M | re.S)
    text = re.sub(r"^\[[^\]]+\]:.*$", "", text, flags=re.M)
    text = re.sub(r"\[([^\]]+)\](?:\([^)\s]*\)|\[[^\]\s]*\])?", r"\1", text)
    return " ".join(text.replace("# ", "").split())


if __name__ == "__main__":
    main()
