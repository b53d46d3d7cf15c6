"""A real corporate proxy on the way to the upstream: tinyproxy, with a password. It is named by the environment, as it is in
companies; the upstream is addressed as 0.0.0.0, which is this machine and does not look like it."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import openai
import pytest

from conftest import KEY, MARKER, report

TINYPROXY = shutil.which("tinyproxy")
PASSWORD = "proxy-password-0123"
ASKED = f"{report('the bay')}\n\nWhen was the bridge opened?"

pytestmark = pytest.mark.skipif(TINYPROXY is None, reason="there is no tinyproxy; proxy-tests/corporate.sh runs this with one")


class Corporate:
    """A running tinyproxy and its log."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._log = folder / "tinyproxy.log"
        settings = folder / "tinyproxy.conf"
        settings.write_text(
            f'Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nBasicAuth me {PASSWORD}\nLogFile "{self._log}"\nLogLevel Connect\n'
        )
        assert TINYPROXY is not None
        self._process = subprocess.Popen([TINYPROXY, "-d", "-c", settings], stdout=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
            assert time.monotonic() < until and self._process.poll() is None, self.log()
            time.sleep(0.05)
        self.url = f"http://me:{PASSWORD}@127.0.0.1:{port}"

    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)


@pytest.fixture
def corporate(tmp_path: Path) -> Iterator[Corporate]:
    corporate = Corporate(tmp_path)
    yield corporate
    corporate.stop()


def ask(base_url: str, stream: bool = False) -> str:
    http_client = httpx.Client(trust_env=False, timeout=60)
    client = openai.OpenAI(base_url=base_url, api_key=KEY, max_retries=0, http_client=http_client)
    messages = [{"role": "user", "content": ASKED}]
    answer = client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=stream)
    if not stream:
        return answer.choices[0].message.content
    return "".join(chunk.choices[0].delta.content or "" for chunk in answer)


def test_an_upstream_without_tls_is_reached_through_it(start_proxy, upstream, corporate, tmp_path):
    url = upstream.url.replace("127.0.0.1", "0.0.0.0")
    proxy = start_proxy(tmp_path, upstream=url, HTTP_PROXY=corporate.url)
    for stream in (False, True):
        assert ask(proxy.base_url, stream) == "The answer is 42."
        arrived = upstream.last.json()["messages"][0]["content"]
        assert len(arrived) < len(ASKED) / 2 and upstream.last.headers["authorization"] == f"Bearer {KEY}"
        assert "proxy-authorization" not in upstream.last.headers
    log = proxy.stop()
    assert corporate.log().count("POST http://0.0.0.0") == 2, corporate.log()
    assert PASSWORD not in log and KEY not in log and MARKER not in log


def test_an_upstream_behind_tls_is_reached_through_a_tunnel(start_proxy, upstream, corporate, tmp_path):
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    named = ["-subj", "/CN=upstream", "-addext", "subjectAltName=IP:0.0.0.0", "-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run([*made, *named, "-keyout", key, "-out", certificate], check=True, capture_output=True)

    class Secure(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            seen.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(418)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    seen: list[tuple[dict[str, str], bytes]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Secure)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"https://0.0.0.0:{server.server_address[1]}"
    variables = {"HTTPS_PROXY": corporate.url, "HEADROOM_UPSTREAM__CA_FILE": str(certificate)}
    proxy = start_proxy(tmp_path, upstream=url, **variables)
    with pytest.raises(openai.APIStatusError) as raised:
        ask(proxy.base_url)
    log = proxy.stop()
    server.shutdown()
    assert raised.value.status_code == 418, log
    ((headers, body),) = seen
    assert headers["authorization"] == f"Bearer {KEY}" and len(body) < len(ASKED) / 2 + 200
    assert "CONNECT 0.0.0.0" in corporate.log() and KEY not in corporate.log()
    assert PASSWORD not in log


def test_without_its_password_it_is_told_of(start_proxy, upstream, corporate, tmp_path):
    url = upstream.url.replace("127.0.0.1", "0.0.0.0")
    proxy = start_proxy(tmp_path, upstream=url, HTTPS_PROXY=corporate.url.replace(PASSWORD, "wrong"), NO_PROXY="0.0.0.0")
    assert ask(proxy.base_url) == "The answer is 42.", "NO_PROXY names it"
    proxy.stop()
    proxy = start_proxy(tmp_path, upstream=url, HTTP_PROXY=corporate.url.replace(PASSWORD, "wrong"))
    # What stands on the way refuses a plain request itself, and may break off while it does.
    with pytest.raises(openai.APIError):
        ask(proxy.base_url)
    assert "wrong" not in proxy.stop()
    assert len(upstream.received) == 1
