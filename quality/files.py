#!/usr/bin/env python3
"""Real files as a reading tool shows them: exact at `auto`, and under a budget in whole lines.

Sends each file as the result of a `read_file` call through a proxy and looks at what the upstream gets. At `auto` it
has to be the file, byte for byte. At a ratio each line that stands has to be a line of the file, in its order, each
gap has to be marked, and what a mark counts (and the numbers that it names) has to be true.

    quality/files.py --proxy 'headroom serve --listen {listen} --upstream {upstream}'
    quality/files.py --proxy '…' --ratios auto,5 --each 20 --keep arrived/ /usr/share ~/.cargo/registry

Python 3.11 and its standard library. Exit 0 when every file held, 1 when one did not.
"""

import argparse
import hashlib
import http.client
import http.server
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

ROOTS = ["/usr/share", "/usr/lib/python3", *sorted(map(str, Path("/usr/lib").glob("python3.*"))), "/etc", "~/.cargo/registry"]

KINDS = {
    "python": [".py"], "c": [".c", ".h", ".cc", ".cpp", ".hpp"], "rust": [".rs"], "javascript": [".js", ".mjs", ".cjs", ".jsx"],
    "typescript": [".ts", ".tsx"], "css": [".css", ".scss"], "shell": [".sh", ".bash"], "perl": [".pl", ".pm"],
    "ruby": [".rb"], "lua": [".lua"], "go": [".go"], "sql": [".sql"], "html": [".html", ".htm"],
    "xml": [".xml", ".svg", ".xsl"], "json": [".json"], "yaml": [".yaml", ".yml"], "toml": [".toml"],
    "settings": [".conf", ".ini", ".cfg", ".service", ".desktop", ".properties", ".list"], "markdown": [".md"],
    "text": [".txt", ".rst", ".adoc"], "rows": [".csv", ".tsv", ".tab"], "make": ["Makefile", ".mk", ".cmake", ".m4", ".am"],
    "patch": [".diff", ".patch"], "messages": [".po"], "log": [".log"], "unnamed": [""],
}
KIND_OF = {ending: kind for kind, endings in KINDS.items() for ending in endings}
LEAST, MOST = 1_500, 60_000


def collect(roots, each):
    """So many files of each kind, the same ones whenever the roots hold the same."""
    found, seen = defaultdict(list), set()
    for root in roots:
        for folder, folders, names in os.walk(Path(root).expanduser()):
            folders[:] = sorted(name for name in folders if name not in {".git", "node_modules", "__pycache__"})
            for name in names:
                path = Path(folder, name)
                kind = KIND_OF.get(name) or KIND_OF.get(path.suffix.lower())
                if kind and not path.is_symlink():
                    key = hashlib.sha256(str(path).encode()).digest()
                    found[kind].append((key, path))
    files = []
    for kind in KINDS:
        taken = 0
        for _, path in sorted(found[kind]):
            if taken == each:
                break
            try:
                if not LEAST <= path.stat().st_size <= MOST:
                    continue
                text = path.read_bytes().decode()
            except (OSError, UnicodeDecodeError):
                continue
            if text in seen or "\0" in text:
                continue
            seen.add(text)
            files.append((kind, path, text))
            taken += 1
    return files


MARK = re.compile(r"\[… (?:(\d+) (?:lines?|sentences?)(?:: (\d+)(?:–(\d+))?)?)?(?:; source complete)?\]|\[…\]")
LINE_MARK = re.compile(r"\[… (\d+) lines?(?:: (\d+)(?:–(\d+))?)?(?:; source complete)?\]")


def faults(source, output):
    """What is wrong with a shortened file."""
    if output == source:
        return []
    lines, here = source.split("\n"), output.split("\n")
    at = 0
    for number, line in enumerate(here):
        mark = LINE_MARK.fullmatch(line)
        if mark and (at >= len(lines) or line != lines[at]):
            count, first, last = int(mark[1]), mark[2], mark[3]
            if first is None:
                return loose(source, output)
            if int(first) != at + 1:
                return [f"a mark says that line {first} is the first that is gone, it is {at + 1}"]
            if int(last or first) - int(first) + 1 != count:
                return [f"a mark counts {count} lines from {first} to {last}"]
            at += count
            continue
        if at < len(lines) and line == lines[at]:
            at += 1
            continue
        if MARK.search(line) or (number + 1 < len(here) and MARK.search(here[number + 1])):
            return loose(source, output)
        if number == len(here) - 1 and not line:
            break
        return [f"line {number + 1} is not line {at + 1} of the file: {line[:100]!r}"]
    if at < len(lines) and any(line.strip() for line in lines[at:]):
        return [f"the lines from {at + 1} on are gone without a mark"]
    return []


def loose(source, output):
    """Without numbers: what stands between the marks stands in the file in this order, and counts are no more than gone."""
    at, claimed = 0, 0
    for part in MARK.split(output)[::4]:
        found = source.find(part.strip(), at)
        if found < 0:
            return [f"is not in the file, or not in its order: {part.strip()[:100]!r}"]
        at = found + len(part.strip())
    claimed = sum(int(mark[1]) for mark in LINE_MARK.finditer(output))
    gone = sum(bool(line.strip()) for line in source.split("\n")) - sum(bool(line.strip()) for line in output.split("\n"))
    return [f"marks tell of {claimed} lines, {gone} are gone"] if claimed > gone + len(LINE_MARK.findall(output)) else []


class Upstream(http.server.ThreadingHTTPServer):
    """Answers every request alike and remembers the last body."""

    daemon_threads = True

    def __init__(self):
        self.body = None
        super().__init__(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.server.body = self.rfile.read(int(self.headers["content-length"]))
        message = {"role": "assistant", "content": "ok"}
        reply = json.dumps({"id": "1", "object": "chat.completion", "choices": [{"index": 0, "message": message}]}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_):
        pass


def start(command, upstream):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    line = command.format(listen=f"127.0.0.1:{port}", port=port, upstream=f"http://127.0.0.1:{upstream.server_port}")
    # Time and memory of former runs are no part of what is looked at.
    environment = {"HEADROOM_ENGINE__TIME_BUDGET_MS": "0", "HEADROOM_ENGINE__DECISIONS_FILE": "off",
                   "XDG_STATE_HOME": tempfile.mkdtemp(), **os.environ}
    process = subprocess.Popen(shlex.split(line), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               start_new_session=True)
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return process, port
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.1)
    sys.exit("files: the proxy does not start")


def send(port, upstream, path, text, ask, ratio):
    call = {"id": "call_1", "type": "function",
            "function": {"name": "read_file", "arguments": json.dumps({"path": str(path)})}}
    messages = [{"role": "user", "content": ask}, {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "call_1", "content": text}]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    connection.request("POST", "/v1/chat/completions", json.dumps({"model": "gpt-4o", "messages": messages}),
                       {"content-type": "application/json", "x-headroom-ratio": ratio})
    status = connection.getresponse().status
    connection.close()
    if status != 200:
        sys.exit(f"files: {path}: status {status}")
    return json.loads(upstream.body)["messages"][-1]["content"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("roots", nargs="*", default=ROOTS, help="folders to look for files in")
    parser.add_argument("--proxy", required=True, help="command of the proxy, with {listen} and {upstream}")
    parser.add_argument("--each", type=int, default=15, help="files of a kind at most")
    parser.add_argument("--ratios", default="auto,5")
    parser.add_argument("--ask", default="Please have a look at this file.", help="what the user says before")
    parser.add_argument("--kinds", help="only these, comma between")
    parser.add_argument("--keep", type=Path, help="a folder for each text that arrived")
    given = parser.parse_args()
    files = collect(given.roots, given.each)
    if given.kinds:
        files = [file for file in files if file[0] in given.kinds.split(",")]
    ratios = given.ratios.split(",")
    upstream = Upstream()
    process, port = start(given.proxy, upstream)
    held, shares, failed = defaultdict(int), defaultdict(float), []
    try:
        for number, (kind, path, text) in enumerate(files):
            for ratio in ratios:
                output = send(port, upstream, path, text, given.ask, ratio)
                wrong = (["is not the file, byte for byte"] if output != text else []) if ratio == "auto" else faults(text, output)
                held[kind, ratio] += not wrong
                shares[kind, ratio] += len(output) / len(text)
                failed += [(kind, path, ratio, fault) for fault in wrong]
                if given.keep:
                    given.keep.mkdir(parents=True, exist_ok=True)
                    (given.keep / f"{number:03}.{kind}.{ratio}.txt").write_text(output)
                    (given.keep / f"{number:03}.{kind}.source.txt").write_text(text)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
    counts = {kind: sum(file[0] == kind for file in files) for kind in KINDS}
    print("kind".ljust(14) + "files".rjust(6) + "".join(f"{ratio:>10}{'share':>8}" for ratio in ratios))
    for kind in [*(kind for kind in KINDS if counts[kind]), None]:
        count = counts.get(kind, len(files))
        cells = ""
        for ratio in ratios:
            kinds = [kind] if kind else [*KINDS]
            cells += f"{sum(held[one, ratio] for one in kinds):>6}/{count:<3}{sum(shares[one, ratio] for one in kinds) / max(1, count):>8.2f}"
        print((kind or "all").ljust(14) + str(count).rjust(6) + cells)
    for kind, path, ratio, fault in failed:
        print(f"{kind} {path} @{ratio}: {fault}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
