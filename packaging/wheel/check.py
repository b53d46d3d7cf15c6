#!/usr/bin/env python3
"""Installs a wheel into an empty environment and sends a request through what it installed.

    python3 packaging/wheel/check.py target/wheel/dist/*.whl

What must hold: pip needs nothing but the wheel, the program uses the models and the library that came with it, and the
upstream receives a shorter body. Prints the time from the wheel to the first condensed request.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import venv
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "fixtures/demo/service-agreement.md").read_text()
QUESTION = "By when must a credit be requested?"
ANSWER = "within 45 days of the end of the month"


class Upstream(BaseHTTPRequestHandler):
    """Answers a chat completion and keeps the body that came."""

    received: ClassVar[list[bytes]] = []

    def do_POST(self) -> None:
        self.received.append(self.rfile.read(int(self.headers["content-length"])))
        answer = json.dumps({"object": "chat.completion", "choices": []}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """A test's output is its own."""


def main(wheel: Path) -> None:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch).resolve()
        venv.create(place / "venv", with_pip=True)
        pip = [
            place / "venv/bin/python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-index",
        ]
        subprocess.run([*pip, wheel], check=True)
        installed = time.monotonic() - began
        environment = {"HOME": str(place), "PATH": f"{place}/venv/bin:/usr/bin:/bin"}
        look(place, environment)
        megabytes = sum(map(size, (place / "venv/share/headroom").rglob("*"))) / 1e6
        print(f"installed: {megabytes:.0f} MB of models and library")
        condensed = send(place, environment)
        print(f"wheel to first condensed request: {condensed - began:.1f} s ({installed:.1f} s of them installing)")


def look(place: Path, environment: dict[str, str]) -> None:
    """The program uses what was installed with it, and nothing of the machine that built it."""
    info = run(["headroom", "model", "info"], place, environment)
    assert f"{place}/venv/share/headroom/models/headroom-t5-small" in info, info
    assert f"{place}/venv/share/headroom/libonnxruntime" in info, info
    assert "checksum compared" in info, info
    assert "relevance    all-MiniLM-L6-v2" in info, info
    assert "serve" in run(["headroom", "completions", "bash"], place, environment)
    assert (place / "venv/share/man/man1/headroom-serve.1").is_file()


def send(place: Path, environment: dict[str, str]) -> float:
    """Sends a question about a document; when the answer was there."""
    upstream = HTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{upstream.server_port}"
    command = ["headroom", "serve", "--port", "0", "--ratio", "5", "--upstream", url]
    proxy = subprocess.Popen(command, cwd=place, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        base = next(line.split("=", 1)[1].strip() for line in proxy.stdout if "OPENAI_BASE_URL=" in line)
        message = {"role": "user", "content": f"{QUESTION}\n\n<document>\n{DOCUMENT}</document>"}
        body = json.dumps({"model": "gpt-4o-mini", "messages": [message]}).encode()
        request = urllib.request.Request(f"{base}/chat/completions", body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            outcome = answer.headers["x-headroom-outcome"]
            tokens = [answer.headers[f"x-headroom-tokens-{when}"] for when in ("before", "after")]
        done = time.monotonic()
        assert outcome.startswith("compressed"), outcome
        forwarded = json.loads(Upstream.received[0])["messages"][0]["content"]
        assert len(forwarded) < len(message["content"]) / 2, f"{len(forwarded)} of {len(message['content'])}"
        assert QUESTION in forwarded and ANSWER in forwarded, forwarded
        print(f"{outcome}: {tokens[0]} -> {tokens[1]} tokens")
        return done
    finally:
        proxy.terminate()
        proxy.wait(timeout=30)


def run(command: list[str], place: Path, environment: dict[str, str]) -> str:
    ended = subprocess.run(command, check=False, cwd=place, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or not os.path.isfile(sys.argv[1]):
        sys.exit("usage: check.py WHEEL")
    main(Path(sys.argv[1]).resolve())
