#!/usr/bin/env python3
"""What whole sessions cost with and without the proxy, and whether everything is still there.

    cargo build --release
    python3 quality/run.py sessions                              # all shapes at auto
    python3 quality/run.py sessions --shapes coding,ops --ratios auto,4 --sessions 5
    python3 quality/run.py sessions --shapes coding,ops --profile agent  # by a profile's rules, which hold their own ratios
    python3 quality/run.py sessions --show coding --ratios auto  # the last request of a session, as it arrives
    python3 quality/run.py sessions --traces RUNS/ run.traj      # recorded runs of agents instead: quality/traces.py says which

Each step of a session is sent as its client would send it: the whole conversation so far. Summed over the steps of all
sessions of a shape, direct and through the proxy:

tokens   of all texts, in o200k_base
cost     the same with a provider's prompt cache: what a request has in common with an earlier one of its session, from
         1,024 tokens on, counts --cached-price of a token
needles  of what a step still needs (the lines of files as they were read last, the values of lists as they were fetched
         last, the answer to what is asked; of a recorded run what its next answer used of what it had been told), the
         share that stands in what arrives
breaks   requests that do not begin with the one before, byte for byte
added    milliseconds at the median, on top of the direct way

Exit status: 1 where a prefix broke, or where a needle is lost at auto.
"""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from quality.text import token_count  # noqa: E402
from restarts import Proxy, Upstream  # noqa: E402
from quality.shapes import SHAPES  # noqa: E402
from quality.traces import sessions as recorded  # noqa: E402

LEAST_CACHED = 1024


def send(port, body, ratio, key):
    """Milliseconds until the answer was there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
    if ratio[0].isdigit() or ratio == "auto":
        headers["x-headroom-ratio"] = ratio
    began = time.perf_counter()
    connection.request("POST", "/v1/chat/completions", body, headers)
    connection.getresponse().read()
    return (time.perf_counter() - began) * 1000


def texts(messages):
    """All that a model reads of messages, one text each."""
    for message in messages:
        if message.get("content"):
            yield message["content"]
        for call in message.get("tool_calls") or []:
            yield call["function"]["name"] + call["function"]["arguments"]


class Sums:
    """Figures over the steps of sessions."""

    def __init__(self, cached_price):
        self.cached_price = cached_price
        self.tokens = self.cost = self.needles = self.found = self.breaks = 0
        self.took = []
        self.known = {}

    def count(self, text):
        return self.known.setdefault(text, token_count(text)) if len(text) < 10**6 else token_count(text)

    def session(self, bodies, needles, took):
        """The bodies of one session as they arrived, and what each still needs."""
        before = []
        for body, needed in zip(bodies, needles):
            messages = json.loads(body)["messages"]
            costs = [sum(map(self.count, texts([message]))) for message in messages]
            same = next((at for at, pair in enumerate(zip(before, messages)) if pair[0] != pair[1]), min(len(before), len(messages)))
            self.breaks += same < len(before)
            cached = sum(costs[:same])
            cached = cached if cached >= LEAST_CACHED else 0
            self.tokens += sum(costs)
            self.cost += sum(costs) - cached * (1 - self.cached_price)
            everything = "\n".join(texts(messages))
            self.needles += len(needed)
            self.found += sum(needle in everything for needle in needed)
            before = messages
        self.took += took


def run(port, upstream, shape, ratio, given):
    sums = Sums(given.cached_price)
    for seed, session in enumerate(given.of(shape)):
        key = f"{Path(shape).name}-{seed}-{ratio}"
        bodies, needles, took = [], [], []
        for messages, needed in session:
            body = json.dumps({"model": "gpt-4o", "messages": messages}, ensure_ascii=False).encode()
            took.append(send(port, body, ratio, key))
            bodies.append(upstream.last[f"Bearer {key}"])
            needles.append(needed)
        if given.show == shape and seed == 0:
            for message in json.loads(bodies[-1])["messages"]:
                print(f"--- {message['role']}\n" + "\n".join(texts([message])))
        sums.session(bodies, needles, took)
    return sums


def share(part, whole):
    return f"{100 * part / whole:.1f}" if whole else "-"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=os.environ.get("HEADROOM_BIN", str(HERE.parent / "target/release/headroom")))
    parser.add_argument("--shapes", default=",".join(SHAPES), help="kinds of session, separated by commas")
    parser.add_argument("--ratios", default="auto", help="auto or numbers from 2 to 20, separated by commas")
    parser.add_argument("--profile", help="agent, rag, support or archive, instead of ratios")
    parser.add_argument("--sessions", type=int, default=3, help="sessions of each shape")
    parser.add_argument("--cached-price", type=float, default=0.1, help="price of a cached token beside another")
    parser.add_argument("--traces", nargs="+", metavar="FILE", help="files or folders of recorded runs, instead of shapes")
    parser.add_argument("--turns", type=int, help="of each recorded run only the first so many requests")
    parser.add_argument("--show", default="", help="print what arrives of the last step of this shape")
    given = parser.parse_args()
    shapes = given.traces or given.shapes.split(",")
    given.of = lambda shape: recorded(shape, given.turns) if given.traces else map(SHAPES[shape], range(given.sessions))
    unknown = set() if given.traces else set(shapes) - set(SHAPES)
    if unknown:
        parser.error(f"no shape `{unknown.pop()}`: one of {', '.join(SHAPES)}")
    if given.profile:
        os.environ["HEADROOM_PROFILE"] = given.ratios = given.profile
    upstream, failed = Upstream(), False
    print(f"{'shape':<16} {'ratio':>7} {'tokens':>10} {'arrive':>10} {'saved %':>7} {'cost saved %':>12} {'needles %':>9} {'breaks':>6} {'added ms':>8}")
    with tempfile.TemporaryDirectory() as state:
        proxy = Proxy(given.binary, upstream, state)
        proxy.wait("/headroom/ready")
        try:
            for shape in shapes:
                direct = run(upstream.server_address[1], upstream, shape, "direct", given)
                for ratio in given.ratios.split(","):
                    sums = run(proxy.port, upstream, shape, ratio, given)
                    added = statistics.median(sums.took) - statistics.median(direct.took)
                    print(
                        f"{shape.rstrip('/')[-16:]:<16} {ratio:>7} {direct.tokens:>10} {sums.tokens:>10} {share(direct.tokens - sums.tokens, direct.tokens):>7} "
                        f"{share(direct.cost - sums.cost, direct.cost):>12} {share(sums.found, sums.needles):>9} {sums.breaks:>6} {added:>8.1f}",
                        flush=True,
                    )
                    failed |= sums.breaks > direct.breaks or (ratio == "auto" and sums.found < direct.found)
        finally:
            proxy.end(15)
    upstream.shutdown()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
