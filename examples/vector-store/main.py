"""Documents condensed before they are embedded: what a vector store then holds, and what it still finds.

37 documents (the documentation of Rust crates, in quality/dev) go into Chroma: as they are, and condensed by
`POST /headroom/compress` at several ratios. Each is cut into chunks, each chunk embedded by all-MiniLM-L6-v2. Then
questions are asked whose answers stand in the documents. For scale, the same with as many tokens of each document from
its beginning, and with as many sentences taken at random.

Condensing without a question leaves out whole statements, so the store is used as an index: the second table takes the
document that it finds first, whole, and condenses that with the question before it is sent.
"""

import argparse
import json
import random
import re
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import chromadb
from encoder import MiniLM

from proxy import ROOT, Headroom, table

FOUND = 10
CHUNK = 120


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ratios", default="auto,2,3,5", help="[default: %(default)s]")
    parser.add_argument("--limit", type=int, default=1000, help="documents at most")
    parser.add_argument("--send", type=int, default=5, help="ratio of what is sent [default: %(default)s]")
    arguments = parser.parse_args()
    documents, questions = load(arguments.limit)
    encoder = MiniLM()
    print(f"{len(documents)} documents, {len(questions)} questions", file=sys.stderr)
    row, found = measure("as it is", documents, questions, encoder)
    rows, sent = [row], []
    with Headroom() as proxy:
        for ratio in arguments.ratios.split(","):
            began = time.monotonic()
            condensed = {name: proxy.condense(text, number(ratio))["text"] for name, text in documents.items()}
            took = time.monotonic() - began
            row, found = measure(label(ratio), condensed, questions, encoder)
            rows.append(row)
            print(f"{label(ratio)}: condensed in {took:.1f} s", file=sys.stderr)
            sizes = {name: encoder.tokens(text) for name, text in condensed.items()}
            if ratio == "auto":
                continue
            sent.append(send(label(ratio), proxy, arguments.send, documents, questions, found))
            for name, choose in (("… beginning", first), ("… at random", some)):
                chosen = {document: choose(text, sizes[document], encoder) for document, text in documents.items()}
                rows.append(measure(name, chosen, questions, encoder)[0])
    head = ["documents", "tokens", "vectors", "store, KB", "right document first", f"answer in the {FOUND} found"]
    print(table(head, rows))
    print()
    print(table(["index", "sent a question, tokens", "of", "answer in what is sent"], sent))


def load(limit: int) -> tuple[dict[str, str], list[tuple[str, str, list[str]]]]:
    """The documents by name; question, document and answers."""
    paragraphs, questions = defaultdict(list), []
    for line in (ROOT / "quality/dev/crates.jsonl").read_text().splitlines():
        case = json.loads(line)
        paragraphs[case["title"]].append(case["context"])
        if case["question"]:
            questions.append((case["question"], case["title"], case["answers"]))
    names = list(paragraphs)[:limit]
    documents = {name: f"# {name}\n\n" + "\n\n".join(paragraphs[name]) for name in names}
    return documents, [question for question in questions if question[1] in documents]


def measure(name: str, documents: dict[str, str], questions: list, encoder: MiniLM) -> tuple[list[object], list[str]]:
    """Fills a store of its own and asks it; a row of the table, and the document that came first for each question."""
    with tempfile.TemporaryDirectory() as folder:
        store = chromadb.PersistentClient(folder).create_collection(
            "documents", embedding_function=encoder, metadata={"hnsw:space": "cosine"}
        )
        chunks = [(document, chunk) for document, text in documents.items() for chunk in cut(text, encoder)]
        for start in range(0, len(chunks), 500):
            part = chunks[start : start + 500]
            store.add(
                ids=[str(start + place) for place in range(len(part))],
                documents=[f"{document}: {chunk}" for document, chunk in part],
                metadatas=[{"document": document} for document, _ in part],
            )
        first_right = answered = 0
        firsts = []
        for question, document, answers in questions:
            found = store.query(query_texts=[question], n_results=FOUND)
            firsts.append(found["metadatas"][0][0]["document"])
            first_right += firsts[-1] == document
            here = [
                text
                for text, of in zip(found["documents"][0], found["metadatas"][0], strict=True)
                if of["document"] == document
            ]
            answered += any(plain(answer) in plain(" ".join(here)) for answer in answers)
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    tokens = sum(encoder.tokens(chunk) for _, chunk in chunks)
    share = [f"{100 * hits / len(questions):.0f} %" for hits in (first_right, answered)]
    return [name, tokens, len(chunks), size // 1024, *share], firsts


def send(name: str, proxy: Headroom, ratio: int, documents: dict, questions: list, found: list[str]) -> list[object]:
    """The found documents, whole, as they would be sent with their questions: of every third question."""
    before = after = answered = 0
    asked = list(zip(questions, found, strict=True))[::3]
    for (question, _, answers), document in asked:
        answer = proxy.condense(documents[document], ratio, question)
        before, after = before + answer["tokens_before"], after + answer["tokens_after"]
        answered += any(plain(one) in plain(answer["text"]) for one in answers)
    count = len(asked)
    return [name, after // count, before // count, f"{100 * answered / count:.0f} %"]


def cut(text: str, encoder: MiniLM) -> list[str]:
    """Chunks of whole sentences, of as many tokens as the encoder reads; a paragraph begins a new one."""
    chunks = []
    for paragraph in text.split("\n\n"):
        current = ""
        for sentence in re.split(r"(?<=[.!?:;])\s+", paragraph.strip()):
            if current and encoder.tokens(f"{current} {sentence}") > CHUNK:
                chunks.append(current)
                current = ""
            current = f"{current} {sentence}".strip()
        if current:
            chunks.append(current)
    return chunks


def first(text: str, size: int, encoder: MiniLM) -> str:
    return fill(re.split(r"(?<=[.!?:;])(?=\s)", text), size, encoder)


def some(text: str, size: int, encoder: MiniLM) -> str:
    """Sentences at random, in their order."""
    sentences = re.split(r"(?<=[.!?:;])(?=\s)", text)
    order = random.Random(7).sample(range(len(sentences)), len(sentences))
    left, chosen = size, set()
    for place in order:
        tokens = encoder.tokens(sentences[place])
        if tokens <= left:
            left -= tokens
            chosen.add(place)
    return "".join(sentence for place, sentence in enumerate(sentences) if place in chosen)


def fill(sentences: list[str], size: int, encoder: MiniLM) -> str:
    kept, left = [], size
    for sentence in sentences:
        left -= encoder.tokens(sentence)
        if left < 0:
            break
        kept.append(sentence)
    return "".join(kept)


def plain(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text.lower()).strip()


def number(ratio: str) -> float | str:
    return ratio if ratio == "auto" else float(ratio)


def label(ratio: str) -> str:
    return ratio if ratio == "auto" else f"{ratio}:1"


if __name__ == "__main__":
    main()
