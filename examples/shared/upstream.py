"""An upstream that keeps what it receives: scripted, or in front of a real one."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class Upstream:
    """`reply` makes the answer of a request's path and body. `received` has the bodies in their order."""

    def __init__(self, reply: Callable[[str, dict], dict]) -> None:
        self.received: list[dict] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self.received, reply))
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def handler(received: list[dict], reply: Callable[[str, dict], dict]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            received.append(body)
            answer = json.dumps(reply(self.path, body)).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """The example's table is its output."""

    return Handler


def text_of(message: dict) -> str:
    """A message's text, whether it is a string or parts."""
    content = message.get("content") or ""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
