"""A support agent over a knowledge base, with a latency budget: what the user waits for, and whether the answer is
right.

The knowledge base is quality/second: 316 articles from READMEs of Rust crates, and questions that people wrote about
them. A question makes the agent call its tool `search_articles`; BM25 finds ten articles; a real model on this
machine answers from them. Directly, and through the proxy, which may hold a request back by at most the budget.
"""

import argparse
import json
import math
import re
import statistics
import sys
import time
from collections import Counter
from contextlib import nullcontext

from local_model import LocalModel
from proxy import ROOT, Headroom, post, table
from upstream import Upstream, text_of

FOUND = 10
NOBODY = {"choices": [{"message": {"content": ""}}]}
SYSTEM = "You are a support agent. Answer the user's question from the articles found, in one short sentence."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget-ms", type=int, default=300, help="[default: %(default)s]")
    parser.add_argument("--ratios", default="2,5", help="[default: %(default)s]")
    parser.add_argument("--questions", type=int, default=20, help="at most [default: %(default)s]")
    parser.add_argument("--no-model", action="store_true", help="nobody answers: what arrives and when, in a minute")
    arguments = parser.parse_args()
    articles, questions = load()
    cases = [conversation(question, articles) for question, _ in questions[: arguments.questions]]
    answers = [answer for _, answer in questions]
    with nullcontext() if arguments.no_model else LocalModel(context=8192) as model:
        clock = {"arrived": 0.0}

        def reply(path: str, body: dict) -> dict:
            clock["arrived"] = time.monotonic()
            return post(model.base + "/chat/completions", body)[0] if model else NOBODY

        with Upstream(reply) as relay:
            rows = [measure("directly", relay.url + "/v1", cases, answers, relay, clock)]
            for ratio in arguments.ratios.split(","):
                settings = {"engine__time_budget_ms": arguments.budget_ms, "compress__min_tokens": 64}
                with Headroom("--ratio", ratio, upstream=relay.url, **settings) as proxy:
                    rows.append(measure(f"{ratio}:1", proxy.base, cases, answers, relay, clock))
    head = [
        "articles",
        "characters",
        "held back, ms p50",
        "p95",
        "the fact arrives",
        "answer, s p50",
        "p95",
        "right answers",
    ]
    columns = 5 if arguments.no_model else len(head)
    print(table(head[:columns], [row[:columns] for row in rows]))


def load() -> tuple[list[str], list[tuple[str, list[str]]]]:
    cases = [json.loads(line) for line in (ROOT / "quality/second/crates.jsonl").read_text().splitlines()]
    return [case["context"] for case in cases], [(c["question"], c["answers"]) for c in cases if c["question"]]


def conversation(question: str, articles: list[str]) -> list[dict]:
    """What an agent sends once its tool has answered."""
    call = {"name": "search_articles", "arguments": json.dumps({"query": question})}
    found = "\n\n".join(f"## Article {number + 1}\n\n{text}" for number, text in enumerate(search(question, articles)))
    return [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": question},
        {"role": "assistant", "tool_calls": [{"id": "call_1", "type": "function", "function": call}]},
        {"role": "tool", "tool_call_id": "call_1", "content": found},
    ]


def search(question: str, articles: list[str], k1: float = 1.2, b: float = 0.75) -> list[str]:
    """BM25."""
    bags = [Counter(words(article)) for article in articles]
    mean = statistics.mean(bag.total() for bag in bags)
    scores = [0.0] * len(bags)
    for word in set(words(question)):
        holding = sum(word in bag for bag in bags)
        idf = math.log(1 + (len(bags) - holding + 0.5) / (holding + 0.5))
        for place, bag in enumerate(bags):
            often = bag[word]
            scores[place] += idf * often * (k1 + 1) / (often + k1 * (1 - b + b * bag.total() / mean))
    best = sorted(range(len(articles)), key=lambda place: -scores[place])[:FOUND]
    return [articles[place] for place in best]


def measure(name: str, base: str, cases: list, answers: list, relay: Upstream, clock: dict) -> list[object]:
    held, took, size, arrived, right = [], [], 0, 0, 0
    for messages, accepted in zip(cases, answers, strict=False):
        body = {"model": "coder05", "messages": messages, "temperature": 0, "max_tokens": 40}
        began = time.monotonic()
        answer, headers = post(base + "/chat/completions", body)
        took.append(time.monotonic() - began)
        held.append(1000 * (clock["arrived"] - began))
        found = text_of(relay.received[-1]["messages"][-1])
        size += len(found)
        said = answer["choices"][0]["message"]["content"]
        arrived += any(within(one, found) for one in accepted)
        right += any(within(one, said) for one in accepted)
        outcome = headers.get("x-headroom-outcome", "")
        print(f"{name}: {messages[1]['content']} {accepted}: {said!r} {outcome}", file=sys.stderr)
    count = len(cases)
    waited = [f"{at(held, 0.5):.0f}", f"{at(held, 0.95):.0f}", f"{arrived} of {count}"]
    return [name, size // count, *waited, f"{at(took, 0.5):.1f}", f"{at(took, 0.95):.1f}", f"{right} of {count}"]


def at(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def within(answer: str, text: str) -> bool:
    return " ".join(words(answer)) in " ".join(words(text))


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


if __name__ == "__main__":
    main()
