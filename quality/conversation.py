#!/usr/bin/env python3
"""Memory and added time of a long conversation, warm.

    cargo build --release
    python3 quality/run.py conversation                     # 2 MB in 200 turns, at auto
    python3 quality/run.py conversation --megabytes 8 --turns 400 --ratio 4

An agent reads files of this repository, some of them again, edits them, and sees logs and lists of JSON, until its
conversation is as long as asked for. Each turn goes through the proxy as its client would send it; then the last one
comes again, many times, which is what a warm proxy is asked for most of the time. Told are

memory    of the process: started, after the conversation, at most, and after it came again
added     milliseconds from the request's last byte to the first one that goes on (`headroom_overhead`): at the median
          and at most, of the last tenth of the turns, in each of which one text is new, and of a conversation that is
          known whole; cpu is the process's own time, which other work on the machine does not lengthen
"""

import argparse
import http.client
import json
import os
import random
import re
import signal
import statistics
import tempfile
from pathlib import Path

from restarts import Proxy, Upstream

HERE = Path(__file__).resolve().parent


def turns(count, size, seed):
    """Pairs of a call and a result, about `size` bytes in all."""
    dice = random.Random(seed)
    files = [file.read_text()[: 3 * size // count] for file in sorted((HERE.parent / "src").rglob("*.rs"))]
    files = [text for text in files if len(text) > size // count // 3]
    found, read = [], {}
    while len(found) < count:
        kind = dice.random()
        if kind < 0.2:
            rows = [{"id": dice.randrange(10**6), "name": f"item {at}", "state": dice.choice(["open", "done"])} for at in range(size // count // 60)]
            found.append(("list_items", {"page": len(found)}, json.dumps(rows)))
        elif kind < 0.35:
            lines = [f"2026-03-02T10:{at // 60 % 60:02}:{at % 60:02}Z worker-{dice.randrange(9)} INFO took {dice.randrange(900)} ms" for at in range(size // count // 60)]
            found.append(("tail_log", {"lines": len(lines)}, "\n".join(lines)))
        else:
            at = dice.choice(list(read)) if read and kind > 0.7 else dice.randrange(len(files))
            lines = read.get(at, files[at]).splitlines(keepends=True)
            lines.insert(dice.randrange(len(lines)), f"// edited in turn {len(found)}\n")
            read[at] = "".join(lines)
            found.append(("read_file", {"path": f"src/{at}.rs"}, read[at]))
    return found


def messages(found):
    """The conversation after each turn."""
    said = [{"role": "system", "content": "You are an agent."}, {"role": "user", "content": "Go on until it works."}]
    for at, (name, arguments, result) in enumerate(found):
        call = {"id": f"call_{at}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        said.append({"role": "assistant", "content": None, "tool_calls": [call]})
        said.append({"role": "tool", "tool_call_id": call["id"], "content": result})
        yield said


def memory(process):
    """MiB that are resident, and the most that ever were."""
    told = Path(f"/proc/{process.pid}/status").read_text()
    return [int(re.search(rf"{name}:\s+(\d+)", told)[1]) / 1024 for name in ("VmRSS", "VmHWM")]


def cpu(process):
    """Milliseconds that a process has worked."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def overhead(proxy):
    """Requests and seconds of the histogram of what the proxy added."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=30)
    connection.request("GET", "/headroom/metrics")
    told = connection.getresponse().read().decode()
    of = {name: float(value) for name, value in re.findall(r"^headroom_overhead\w*_(sum|count) (\S+)$", told, re.M)}
    return of["sum"]


def send(connection, body, ratio):
    headers = {"content-type": "application/json", "authorization": "Bearer one", "x-headroom-ratio": ratio}
    connection.request("POST", "/v1/chat/completions", body, headers)
    connection.getresponse().read()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=os.environ.get("HEADROOM_BIN", str(HERE.parent / "target/release/headroom")))
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--megabytes", type=float, default=2.0)
    parser.add_argument("--ratio", default="auto")
    parser.add_argument("--again", type=int, default=60, help="how often the last request comes again")
    given = parser.parse_args()
    upstream = Upstream()
    with tempfile.TemporaryDirectory() as state:
        proxy = Proxy(given.binary, upstream, state)
        proxy.wait("/headroom/ready")
        try:
            measure(proxy, upstream, given)
        finally:
            proxy.end(signal.SIGTERM)
    upstream.shutdown()


def measure(proxy, upstream, given):
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=300)
    started = memory(proxy.process)[0]
    bodies = []
    for said in messages(turns(given.turns, int(given.megabytes * 1e6), 1)):
        bodies.append(json.dumps({"model": "gpt-4o", "messages": said}, ensure_ascii=False).encode())
    added, known, before = [], [], overhead(proxy)

    def timed(body, into):
        nonlocal before
        send(connection, body, given.ratio)
        now = overhead(proxy)
        into.append(1000 * (now - before))
        before = now

    for body in bodies:
        timed(body, added)
    talked = memory(proxy.process)[0]
    worked = cpu(proxy.process)
    for _ in range(given.again):
        timed(bodies[-1], known)
    worked = (cpu(proxy.process) - worked) / given.again
    after, most = memory(proxy.process)
    arrived = len(upstream.last["Bearer one"])
    last = added[-max(1, len(added) // 10):]
    print(f"conversation  {len(bodies[-1]) / 1e6:.2f} MB in {given.turns} turns, {arrived / 1e6:.2f} MB arrive at {given.ratio}")
    print(f"memory        {started:.0f} MiB started, {talked:.0f} after it, {after:.0f} after {given.again} times more, {most:.0f} at most")
    for name, times in (("one text new", last), ("known whole", known)):
        print(f"added, {name:<13} {statistics.median(times):7.2f} ms at the median, {min(times):.2f} at least, {max(times):.2f} at most")
    print(f"cpu, known whole     {worked:7.2f} ms a request, its relay and the asking for metrics included")


if __name__ == "__main__":
    main()
