#!/usr/bin/env python3
"""Does a conversation keep its prefix, byte for byte, whatever happens to the proxy in between?

A conversation of some turns, each with a document of about 2,900 tokens and a question, goes through the proxy turn by
turn at 5:1. Then something happens, and the whole conversation comes again with one more turn. A provider's prompt
cache lives only if what arrives begins with what arrived before.

    python3 quality/run.py restarts --turns 40,100,200
    python3 quality/run.py restarts --turns 40 --events kill,replica

Events: `terminate` and `kill` (SIGTERM, SIGKILL and a new start, asked before its model is loaded), `evict` (nothing is
cached), `idle` (forgotten after a second), `replica` (another process, started before, that shares the file), `server`
(another process with a file of its own that shares a Valkey or Redis server; needs one), `busy` (a new start while another
tenant floods the queue, until it turns texts away).

`known, ms` is the whole conversation once more before the event, out of the cache; `again, ms` the same after it, of which
`replayed` texts were written anew from what was chosen. A replay that found nothing to replay would say nothing, and counts
as broken; so does a `busy` in which nobody was turned away. Exit status: 1 where a prefix broke.
"""

import argparse
import http.client
import http.server
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "proxy-tests" / "clients"))

import shared_server  # noqa: E402

EVENTS = ["terminate", "kill", "evict", "idle", "replica", "server", "busy"]


class Upstream(http.server.ThreadingHTTPServer):
    """Answers every chat completion and keeps the last body."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.last = {}
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Otherwise an answer's body waits for the acknowledgement of its head: 40 ms a request, once a connection is kept.
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.last[self.headers["authorization"]] = body
        answer = b'{"choices":[{"index":0,"message":{"role":"assistant","content":"ok"}}]}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class Proxy:
    """A process with its own address."""

    def __init__(self, binary, upstream, state, **settings):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        environment = dict(os.environ, XDG_STATE_HOME=state, HEADROOM_ENGINE__DECISIONS_FILE="auto")
        environment |= {name if name.isupper() else f"HEADROOM_ENGINE__{name.upper()}": str(value) for name, value in settings.items()}
        command = [binary, "serve", "--listen", f"127.0.0.1:{self.port}"]
        command += ["--upstream", f"http://127.0.0.1:{upstream.server_address[1]}"]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait("/headroom/health")

    def wait(self, path, seconds=60):
        for _ in range(seconds * 50):
            try:
                if self.get(path) == 200:
                    return
            except OSError:
                pass
            time.sleep(0.02)
        raise SystemExit(f"the proxy doesn't answer {path}")

    def get(self, path):
        return self.read(path)[0]

    def read(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def count(self, name, label=""):
        """The sum of a counter's series that have a label."""
        lines = self.read("/headroom/metrics")[1].splitlines()
        return sum(int(float(line.split()[-1])) for line in lines if line.startswith(name) and label in line)

    def send(self, messages, key="one"):
        """Milliseconds that the whole took."""
        body = json.dumps({"model": "gpt-4o", "messages": messages})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        headers = {"content-type": "application/json", "authorization": f"Bearer {key}", "x-headroom-ratio": "5"}
        began = time.perf_counter()
        connection.request("POST", "/v1/chat/completions", body, headers)
        connection.getresponse().read()
        return (time.perf_counter() - began) * 1000

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait()


def documents(count, seed):
    """Documents of about 2,900 tokens, of passages of the public dev set."""
    lines = (HERE / "dev" / "crates.jsonl").read_text().splitlines()
    passages = sorted({record["context"] for record in map(json.loads, lines) if record.get("context")})
    dice = random.Random(seed)
    for number in range(count):
        text, length = [f"Document {number}."], 0
        while length < 12_000:
            text.append(dice.choice(passages))
            length += len(text[-1])
        yield "\n\n".join(text)


def conversation(count, seed=0):
    """Messages by turn."""
    messages = [{"role": "system", "content": "Answer from the documents."}]
    for number, document in enumerate(documents(count, seed)):
        question = f"What does document {number} say of errors, and which types implement iterators?"
        messages.append({"role": "user", "content": f"{document}\n\n{question}"})
        yield list(messages)
        messages.append({"role": "assistant", "content": f"Nothing that matters for {number}."})


def flood(proxy, stop):
    """Another tenant's new texts, as fast as they are taken."""

    def send(seed):
        for turn in conversation(10_000, seed):
            if stop.is_set():
                return
            proxy.send(turn[:1] + turn[-1:], "two")

    threads = [threading.Thread(target=send, args=(seed,), daemon=True) for seed in range(1, 97)]
    for thread in threads:
        thread.start()
    return threads


def run(binary, turns, event):
    """What the last turn of a conversation came to before the event and after it, by the column's name."""
    upstream, stop, threads, server = Upstream(), threading.Event(), [], None
    settings = {"evict": {"cache_mib": 0}, "idle": {"cache_idle_s": 1}}.get(event, {})
    with tempfile.TemporaryDirectory() as state, tempfile.TemporaryDirectory() as other_state:
        if event == "server":
            server = shared_server.SharedServer(Path(state))
            settings = server.settings()
        proxy = Proxy(binary, upstream, state, **settings)
        proxy.wait("/headroom/ready")
        other = None
        if event in ("replica", "server"):
            other = Proxy(binary, upstream, state if event == "replica" else other_state, **settings)
            other.wait("/headroom/ready")
        *asked, last = conversation(turns + 1)
        for turn in asked:
            proxy.send(turn)
        before = upstream.last["Bearer one"]
        known = proxy.send(asked[-1])
        if event in ("terminate", "kill", "busy"):
            proxy.end(signal.SIGKILL if event == "kill" else signal.SIGTERM)
            proxy = Proxy(binary, upstream, state)
        if event == "idle":
            time.sleep(2.5)
        if other:
            proxy.end(signal.SIGTERM)
            proxy = other
        if event == "busy":
            threads = flood(proxy, stop)
            wait_until(lambda: turned_away(proxy) > 0)
        replayed, away = proxy.count(REPLAYED), turned_away(proxy)
        took = proxy.send(asked[-1])
        replayed = proxy.count(REPLAYED) - replayed
        again = upstream.last["Bearer one"]
        # It was full then, and not only at the beginning.
        full = event != "busy" or wait_until(lambda: turned_away(proxy) > away)
        stop.set()
        for thread in threads:
            thread.join()
        proxy.send(last)
        later = upstream.last["Bearer one"]
        proxy.end(signal.SIGTERM)
        if server:
            server.kill()
    upstream.shutdown()
    opened = before[: before.rindex(b"}]")]
    held = again == before and later.startswith(opened) and replayed >= turns and full
    return len(json.dumps(asked[-1])), len(before), len(again), replayed, known, took, held


REPLAYED = "headroom_replayed_texts_total"


def turned_away(proxy):
    """Texts that found no room in the queue."""
    return proxy.count("headroom_forced_texts_total", 'reason="overloaded"')


def wait_until(holds, seconds=30):
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.05)
    return holds()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=os.environ.get("HEADROOM_BIN", str(HERE.parent / "target/release/headroom")))
    parser.add_argument("--turns", default="40", help="lengths of conversations, separated by commas")
    parser.add_argument("--events", default=",".join(EVENTS), help="what happens in between")
    given = parser.parse_args()
    head = f"{'turns':>5} {'event':<10} {'sent':>9} {'before':>9} {'after':>9} {'replayed':>8} {'known, ms':>9} {'again, ms':>9}"
    print(f"{head}  prefix")
    broken = 0
    for turns in map(int, given.turns.split(",")):
        for event in given.events.split(","):
            if event not in EVENTS:
                parser.error(f"no event `{event}`: one of {', '.join(EVENTS)}")
            if event == "server" and not shared_server.program():
                print(f"{turns:>5} {event:<10} left out: there is no valkey-server or redis-server here", flush=True)
                continue
            sent, before, after, replayed, known, took, held = run(given.binary, turns, event)
            broken += not held
            row = f"{turns:>5} {event:<10} {sent:>9} {before:>9} {after:>9} {replayed:>8} {known:>9.0f} {took:>9.0f}"
            print(f"{row}  {'held' if held else 'BROKEN'}", flush=True)
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
