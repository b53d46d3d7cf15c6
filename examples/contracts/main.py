"""Clauses of a long contract, found by a small local model: at 10:1.

A contract of some fifty pages (contract.py) and a question about one clause of one schedule go through the proxy to a
real model on this machine. For scale, the same with as much text from the contract's beginning, and with `--whole` the
whole contract as well, which takes a model of this size minutes to read.
"""

import argparse
import re
import sys
import time
from contextlib import nullcontext

from contract import write

from local_model import LocalModel
from proxy import Headroom, post, table
from upstream import Upstream, text_of

NOBODY = {"choices": [{"message": {"content": ""}}]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ratio", type=int, default=10, help="[default: %(default)s]")
    parser.add_argument("--questions", type=int, default=12, help="at most [default: %(default)s]")
    parser.add_argument("--no-model", action="store_true", help="nobody answers: what arrives, in seconds")
    parser.add_argument("--whole", action="store_true", help="also ask with the whole contract")
    arguments = parser.parse_args()
    contract, questions = write()
    questions = questions[: arguments.questions]
    parts = {"… beginning": contract[: len(contract) // arguments.ratio]}
    if arguments.whole:
        parts["whole"] = contract
    rows = []
    model = nullcontext() if arguments.no_model else LocalModel(context=32768)
    with model as local, Upstream(answering(local)) as relay:
        settings = {"engine__time_budget_ms": 0}
        with Headroom("--ratio", str(arguments.ratio), upstream=relay.url, **settings) as proxy:
            rows.append(measure(f"{arguments.ratio}:1", proxy.base, contract, questions, relay))
        for name, part in parts.items():
            rows.append(measure(name, relay.url + "/v1", part, questions, relay))
    head = ["contract", "characters", "the clause arrives", "right answers", "answer, s"]
    columns = 3 if arguments.no_model else len(head)
    print(table(head[:columns], [row[:columns] for row in rows]))


def answering(model: LocalModel | None):
    return lambda path, body: post(model.base + "/chat/completions", body)[0] if model else NOBODY


def measure(name: str, base: str, contract: str, questions: list[tuple[str, str]], relay: Upstream) -> list[object]:
    arrived = right = size = 0
    seconds = []
    for question, value in questions:
        task = f"{question} Answer with the value alone."
        message = {"role": "user", "content": f"<contract>\n{contract}\n</contract>\n\n{task}"}
        body = {"model": "coder05", "messages": [message], "temperature": 0, "max_tokens": 24}
        began = time.monotonic()
        answer, _ = post(base + "/chat/completions", body)
        seconds.append(time.monotonic() - began)
        said = answer["choices"][0]["message"]["content"]
        forwarded = text_of(relay.received[-1]["messages"][0]).removesuffix(task)
        size += len(forwarded)
        schedule = re.search(r"Under the (.+) Schedule", question)[1]
        arrived += holds(forwarded, schedule, value)
        right += re.search(rf"(?<![\d,.]){re.escape(value)}(?![\d,]|\.\d)", said) is not None
        print(f"{name}: {question} {value!r}: {said!r} ({seconds[-1]:.1f} s)", file=sys.stderr)
    count = len(questions)
    share = [f"{arrived} of {count}", f"{right} of {count}"]
    return [name, size // count, *share, f"{sum(seconds) / count:.1f}"]


def holds(text: str, schedule: str, value: str) -> bool:
    """Whether the value stands in that schedule's part."""
    parts = re.split(r"(?m)^## Schedule \d+: ", text)
    part = next((part for part in parts if part.startswith(schedule)), "")
    return re.search(rf"(?<![\d,.]){re.escape(value)}(?![\d,]|\.\d)", part) is not None


if __name__ == "__main__":
    main()
