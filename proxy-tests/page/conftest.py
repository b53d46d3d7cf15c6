"""The real program before a provider of our own, and a browser that looks at its page."""

import http.server
import json
import os
import pathlib
import socket
import subprocess
import threading
import time
import urllib.request

import pytest
from playwright.sync_api import sync_playwright

PICTURES = pathlib.Path(os.environ["HEADROOM_TEST_PICTURES"])


class Provider(http.server.BaseHTTPRequestHandler):
    """Answers every request alike."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        answer = json.dumps({"id": "x", "object": "chat.completion", "model": "m", "choices": [],
                             "usage": {"prompt_tokens": 900, "completion_tokens": 40, "total_tokens": 940}}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class Proxy:
    """A running proxy with a state folder of its own."""

    def __init__(self, folder, upstream, **settings):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        ours = {name: value for name, value in os.environ.items() if not name.startswith("HEADROOM")}
        self.env = {**ours, "XDG_STATE_HOME": str(folder), "HEADROOM_MODEL__ENABLED": "false",
                    "HEADROOM_UPSTREAM": upstream, "HEADROOM_LOG": "warn", **settings}
        self.binary = os.environ["HEADROOM_BIN"]
        self.process = subprocess.Popen([self.binary, "--listen", f"127.0.0.1:{self.port}"], env=self.env,
                                        cwd=folder, stdout=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                urllib.request.urlopen(f"{self.url}/headroom/ready", timeout=5)
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the proxy does not come up")

    def link(self):
        """What `headroom page` prints."""
        return subprocess.run([self.binary, "page", "--url", self.url], env=self.env, capture_output=True, text=True,
                              check=True).stdout.strip()

    def chat(self, messages, model="gpt-5-mini", path="/v1/chat/completions", **headers):
        body = json.dumps({"model": model, "messages": messages}).encode()
        headers = {"content-type": "application/json", "authorization": "Bearer sk-one",
                   **{name.replace("_", "-"): value for name, value in headers.items()}}
        with urllib.request.urlopen(urllib.request.Request(self.url + path, body, headers), timeout=60) as answer:
            answer.read()
            return answer.headers["x-headroom-request-id"]

    def stop(self):
        self.process.terminate()
        assert self.process.wait(30) == 0


@pytest.fixture(scope="session")
def upstream():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def proxy(tmp_path, upstream):
    proxy = Proxy(tmp_path, upstream)
    yield proxy
    if proxy.process.poll() is None:
        proxy.stop()


@pytest.fixture(scope="session")
def chromium():
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["HEADROOM_TEST_CHROMIUM"], args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def look(chromium):
    """Opens a page; whatever it complains of fails the test, and so does whatever it asks of anybody else."""
    contexts, faults = [], []

    def opened(url, width=1280, height=900, **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        host = url.split("/")[2]
        page.on("console", lambda line: faults.append(line.text) if line.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: faults.append(request.url)
                if request.url.split("/")[2:3] != [host] and not request.url.startswith("data:") else None)
        page.goto(url)
        return page

    opened.faults = faults
    yield opened
    for context in contexts:
        context.close()
    assert faults == []


def picture(page, name, whole=True):
    page.screenshot(path=PICTURES / f"{name}.png", full_page=whole)
