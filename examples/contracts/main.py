"""Clauses of a long contract, found by a small local model: with the whole contract, and at 10:1.

A contract of some fifty pages (contract.py) and a question about one clause of one schedule go to a real model on
this machine: directly, and through the proxy. For scale, the same with as many tokens from the contract's beginning.
The contract stands before the question, so that without the proxy the model's own prompt cache serves all questions
but the first.
"""

import argparse
import re
import sys
import time

from contract import write

from local_model import LocalModel
from proxy import Headroom, post, table
from upstream import Upstream, text_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ratio", type=int, default=10, help="[default: %(default)s]")
    parser.add_argument("--questions", type=int, default=12, help="at most [default: %(default)s]")
    arguments = parser.parse_args()
    contract, questions = write()
    questions = questions[: arguments.questions]
    rows = []
    with (
        LocalModel(context=32768) as model,
        Upstream(lambda path, body: post(model.base + "/chat/completions", body)[0]) as relay,
    ):
        with Headroom("--ratio", str(arguments.ratio), upstream=relay.url, engine__time_budget_ms=0) as proxy:
            rows.append(measure(f"{arguments.ratio}:1", proxy.base, contract, questions, relay))
        beginning = contract[: len(contract) // arguments.ratio]
        rows.append(measure("… beginning", relay.url + "/v1", beginning, questions, relay))
        rows.append(measure("whole", relay.url + "/v1", contract, questions, relay))
    head = ["contract", "tokens a question", "the clause arrives", "right answers", "first answer, s", "others, s each"]
    print(table(head, rows))


def measure(name: str, base: str, contract: str, questions: list[tuple[str, str]], relay: Upstream) -> list[object]:
    arrived = right = tokens = 0
    seconds = []
    for question, value in questions:
        task = f"{question} Answer with the value alone."
        message = {"role": "user", "content": f"<contract>\n{contract}\n</contract>\n\n{task}"}
        body = {"model": "coder05", "messages": [message], "temperature": 0, "max_tokens": 24}
        began = time.monotonic()
        answer, _ = post(base + "/chat/completions", body)
        seconds.append(time.monotonic() - began)
        said = answer["choices"][0]["message"]["content"]
        tokens += answer["usage"]["prompt_tokens"]
        forwarded = text_of(relay.received[-1]["messages"][0]).removesuffix(task)
        schedule = re.search(r"Under the (.+) Schedule", question)[1]
        arrived += holds(forwarded, schedule, value)
        right += re.search(rf"(?<![\d,.]){re.escape(value)}(?![\d,]|\.\d)", said) is not None
        print(f"{name}: {question} {value!r}: {said!r} ({seconds[-1]:.1f} s)", file=sys.stderr)
    count = len(questions)
    others = seconds[1:] or seconds
    share = [f"{arrived} of {count}", f"{right} of {count}"]
    return [name, tokens // count, *share, f"{seconds[0]:.1f}", f"{sum(others) / len(others):.1f}"]


def holds(text: str, schedule: str, value: str) -> bool:
    """Whether the value stands in that schedule's part."""
    parts = re.split(r"(?m)^## Schedule \d+: ", text)
    part = next((part for part in parts if part.startswith(schedule)), "")
    return re.search(rf"(?<![\d,.]){re.escape(value)}(?![\d,]|\.\d)", part) is not None


if __name__ == "__main__":
    main()
