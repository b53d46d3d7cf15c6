#!/usr/bin/env python3
"""What condensing costs: CPU of the proxy on prose that it never saw, beside one pass of a model over all tokens.

    cargo build --release
    python3 quality/run.py cost                                  # with a question at auto, 2, 5 and 10; without one
    python3 quality/run.py cost --plot cost.svg                  # also the cost against length, 1k to 100k tokens
    python3 quality/run.py cost --at-once 8                      # that many first-time RAG prompts at once, default budget

Texts are passages of `--data` with a question that one of them answers, its nearest neighbours around it. Each goes through
the proxy under a key of its own, so that nothing is known of it. The CPU is the kernel's account of the proxy's process,
all threads. Beside each text, in the same round and on as many threads, onnxruntime passes over all of its tokens:

encoder   with the sentence encoder that the proxy has, in windows of 128 tokens
t5        with the encoder of a stock T5-small in floats; the weights are drawn at random, which costs the same

`ratio` is the proxy's CPU beside the encoder's pass (with a question) or the T5's (without one).
"""

import argparse
import http.client
import json
import os
import signal
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from quality.cases import SYSTEM, read_records  # noqa: E402
from quality.plot import lines  # noqa: E402
from quality.text import Bm25, token_count  # noqa: E402
from restarts import Proxy, Upstream  # noqa: E402

TEXTS = {1_000: 16, 4_000: 6, 15_000: 3}
PLOTTED = (1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000, 100_000)
RATIOS = "auto,2,5,10"


class Passages:
    """RAG prompts of any length."""

    def __init__(self, data):
        records = [record for found in read_records([data]).values() for record in found if "answers" in record]
        self.records = [record for record in records if record["question"] and record["context"]]
        self.texts = list(dict.fromkeys(record["context"] for record in self.records))
        if not self.texts:
            raise SystemExit(f"{data} has no passages with questions and answers")
        self.sizes = [token_count(text) for text in self.texts]
        self.index = Bm25(self.texts)

    def prompt(self, number, tokens):
        """A question and about so many tokens of passages: the one that it is of, and those most like both."""
        record = self.records[number * 37 % len(self.records)]
        scores = self.index.scores(record["question"] + " " + record["context"])
        chosen, size = [], 0
        for at in sorted(range(len(scores)), key=lambda at: (-scores[at], at)):
            chosen.append(at)
            size += self.sizes[at] + 4
            if size >= tokens:
                break
        chosen.sort()
        return record["question"], "\n\n".join(f"[{at}] {self.texts[one]}" for at, one in enumerate(chosen, 1))


def body(question, documents):
    told = "Answer from these documents." if question else "Here are some documents. I will ask about them later."
    text = f"{told}\n\n{documents}\n\n{question}".rstrip()
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}]
    return json.dumps({"model": "gpt-4o", "messages": messages})


class Sender:
    """Posts to the proxy, each time as somebody new."""

    def __init__(self, port, process):
        self.port, self.clock, self.count = port, (~process.pid << 3) | 2, 0

    def cpu(self):
        """Seconds that the process took, by the kernel's account to the nanosecond: clock_getcpuclockid(3)."""
        return time.clock_gettime(self.clock)

    def post(self, body, ratio=None):
        """Seconds and what the proxy says of them."""
        self.count += 1
        headers = {"content-type": "application/json", "authorization": f"Bearer {self.count}"}
        headers |= {"x-headroom-ratio": ratio} if ratio else {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        began = time.perf_counter()
        connection.request("POST", "/v1/chat/completions", body, headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        said = {name.lower(): value for name, value in answer.getheaders() if name.lower().startswith("x-headroom")}
        return time.perf_counter() - began, said

    def cost(self, body, ratio):
        """CPU seconds, tokens before and after."""
        before = self.cpu()
        _, said = self.post(body, ratio)
        return self.cpu() - before, int(said["x-headroom-tokens-before"]), int(said["x-headroom-tokens-after"])


def measured(sender, passes, prompts, ratios, asks):
    """Sums over prompts of a length: for each pass, and for each ratio with what arrived."""
    sums = {name: 0.0 for name in passes} | {ratio: [0.0, 0, 0] for ratio in ratios}
    for question, documents in prompts:
        for name, model in passes.items():
            sums[name] += model.over(documents)
        for ratio in ratios:
            found = sender.cost(body(question if asks else "", documents), ratio)
            sums[ratio] = [one + other for one, other in zip(sums[ratio], found)]
    return sums


def table(sender, passes, passages, ratios):
    head = ["", "tokens", "beside", "ms/kt", *(f"{ratio}: ms/kt, ratio, got" for ratio in ratios)]
    print(" | ".join(head), "\n" + "|".join("---" for _ in head))
    for asks in (True, False):
        for tokens, count in TEXTS.items():
            prompts = [passages.prompt(number, tokens) for number in range(count)]
            name = "encoder" if asks else "t5"
            sums = measured(sender, {name: passes[name]}, prompts, ratios, asks)
            read, beside = sums[ratios[0]][1], sums[name]
            cells = ["question" if asks else "none", f"{read / count:.0f}", name, f"{beside * 1e6 / read:.1f}"]
            for ratio in ratios:
                cpu, before, after = sums[ratio]
                cells.append(f"{cpu * 1e6 / before:.1f} {cpu / beside:.2f} {before / after:.1f}")
            print(" | ".join(cells), flush=True)


def plot(sender, passes, passages, path):
    ways = {"5, question": ("5", True), "auto, question": ("auto", True), "5": ("5", False)}
    curves = {name: [] for name in (*ways, *passes)}
    for tokens in PLOTTED:
        prompts = [passages.prompt(number, tokens) for number in range(100, 102)]
        for name, (ratio, asks) in ways.items():
            sums = measured(sender, passes if name == "5" else {}, prompts, [ratio], asks)
            cpu, read, _ = sums[ratio]
            curves[name].append((read / len(prompts), cpu * 1e3 / len(prompts)))
            for one in passes if name == "5" else ():
                curves[one].append((read / len(prompts), sums[one] * 1e3 / len(prompts)))
    for name, points in curves.items():
        print(f"{name:15}", " ".join(f"{tokens:.0f}: {cpu:.0f} ms" for tokens, cpu in points))
    Path(path).write_text(lines("CPU of an unseen text", "tokens", "CPU ms", curves), encoding="utf-8")


def at_once(sender, passages, count, tokens, ratio, rounds=5):
    """First-time prompts that arrive together: how long each took, and how many went on as they were."""
    took, raw, outcomes = [], 0, set()
    for number in range(rounds):
        bodies = [body(*passages.prompt(1_000 + number * count + at, tokens)) for at in range(count)]
        answers = []
        senders = [threading.Thread(target=lambda one=one: answers.append(sender.post(one, ratio))) for one in bodies]
        for each in senders:
            each.start()
        for each in senders:
            each.join()
        took += [seconds * 1e3 for seconds, _ in answers]
        raw += sum("x-headroom-tokens-after" not in said for _, said in answers)
        outcomes |= {said.get("x-headroom-outcome", "none") for _, said in answers}
    print(f"{count} at once, {tokens} tokens, {ratio}, {rounds} rounds: p50 {statistics.median(took):.0f} ms, "
          f"longest {max(took):.0f} ms, raw {raw} of {len(took)} ({', '.join(sorted(outcomes))})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=os.environ.get("HEADROOM_BIN", str(HERE.parent / "target/release/headroom")))
    parser.add_argument("--data", default=str(HERE / "dev"), help="folder of passages with questions and answers")
    parser.add_argument("--ratios", default=RATIOS)
    parser.add_argument("--threads", type=int, default=2, help="threads of the proxy's model and of each pass")
    parser.add_argument("--plot", metavar="SVG")
    parser.add_argument("--at-once", type=int, metavar="COUNT", help="only this: prompts of 3,000 tokens that arrive together")
    given = parser.parse_args()
    passages, upstream = Passages(given.data), Upstream()
    settings = {} if given.at_once else {"time_budget_ms": 0}
    os.environ["HEADROOM_MODEL__THREADS"] = str(given.threads)
    with tempfile.TemporaryDirectory() as state:
        proxy = Proxy(given.binary, upstream, state, **settings)
        try:
            proxy.wait("/headroom/ready")
            sender = Sender(proxy.port, proxy.process)
            if given.at_once:
                for ratio in ("2", "5", "10"):
                    at_once(sender, passages, given.at_once, 3_000, ratio)
                return
            from quality.passes import sentence_encoder, stock_t5
            passes = {"encoder": sentence_encoder(given.threads), "t5": stock_t5(given.threads)}
            measured(sender, passes, [passages.prompt(500, 1_000)], ["5"], True)
            table(sender, passes, passages, given.ratios.split(","))
            if given.plot:
                plot(sender, passes, passages, given.plot)
        finally:
            proxy.end(signal.SIGTERM)


if __name__ == "__main__":
    main()
