"""An upstream that speaks the APIs of the surfaces, remembers what it was sent, and fails on request.

Only the standard library: what a provider does is spelled out here, so a test can say what must arrive.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import answers


@dataclass
class Received:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Script:
    """What the upstream does with the next requests."""

    #: Answers with this status, headers and JSON instead of a completion.
    refusal: tuple[int, dict[str, str], dict[str, Any]] | None = None
    #: The assistant's words; streamed one at a time.
    words: list[str] = field(default_factory=lambda: ["The ", "answer ", "is ", "42", "."])
    #: A tool call (name, arguments) in place of words.
    tool_call: tuple[str, str] | None = None
    #: Calls the tool only until its result arrives.
    until_result: bool = False
    #: Breaks the connection after this many streamed events.
    break_after: int | None = None
    #: Holds the stream after the first event until the client has gone.
    hold: bool = False


    def after(self, body: bytes | str) -> Script:
        """What is done with this request."""
        results = ("function_call_output", "custom_tool_call_output", "tool_result", "tool_call_id")
        text = body if isinstance(body, str) else body.decode(errors="replace")
        done = self.until_result and any(f'"{result}"' in text for result in results)
        return Script() if done else self


class Upstream:
    """A server on a port of its own; `with Upstream() as upstream`."""

    def __init__(self) -> None:
        self.script = Script()
        self.received: list[Received] = []
        #: Set when a client broke off a stream that was held.
        self.client_gone = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Upstream:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def last(self) -> Received:
        return self.received[-1]

    def reset(self) -> None:
        self.script = Script()
        self.received.clear()
        self.client_gone.clear()


def _handler(upstream: Upstream) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._receive()
            self._answer(200, {}, {"object": "list", "data": [{"id": "gpt-4o-mini", "object": "model"}]})

        def do_POST(self) -> None:
            body = self._receive()
            script = upstream.script.after(body)
            if script.refusal is not None:
                self._answer(*script.refusal)
            elif json.loads(body).get("stream"):
                self._stream(script)
            else:
                self._answer(200, {"x-request-id": "req_upstream"}, self._api().whole(script))

        def _api(self) -> Any:
            return answers.of(self.path.partition("?")[0])

        def _receive(self) -> bytes:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            upstream.received.append(Received(self.command, self.path, headers, body))
            return body

        def _answer(self, status: int, headers: dict[str, str], answer: dict[str, Any]) -> None:
            body = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {"content-type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _stream(self, script: Script) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("transfer-encoding", "chunked")
            # Said before it is done: a request on a connection that closes meanwhile is lost.
            self.send_header("connection", "close")
            self.end_headers()
            self.close_connection = True
            try:
                for index, event in enumerate(self._api().events(script)):
                    if script.break_after is not None and index >= script.break_after:
                        self.connection.close()
                        return
                    named = f"event: {event['type']}\n" if "type" in event else ""
                    self._chunk(f"{named}data: {json.dumps(event)}\n\n")
                    if script.hold and index == 0:
                        self._wait_for_the_client_to_go()
                        return
                if self._api() is answers.Chat:
                    self._chunk("data: [DONE]\n\n")
                self.wfile.write(b"0\r\n\r\n")
            except (BrokenPipeError, ConnectionResetError):
                upstream.client_gone.set()

        def _chunk(self, text: str) -> None:
            data = text.encode()
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()

        def _wait_for_the_client_to_go(self) -> None:
            self.connection.settimeout(30)
            try:
                gone = self.connection.recv(1) == b""
            except ConnectionResetError:
                gone = True
            except TimeoutError:
                gone = False
            if gone:
                upstream.client_gone.set()

        def log_message(self, *_: object) -> None:
            pass

    return Handler
