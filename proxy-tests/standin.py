"""What the scripts beside this file have in common: a provider that answers every request alike, and waiting."""

import http.server
import socket
import threading
import time


class Provider(http.server.BaseHTTPRequestHandler):
    """Keeps the heads of what it was sent."""

    heads = []

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.heads.append(self.headers)
        answer = b'{"usage": {"prompt_tokens": 900, "completion_tokens": 9}}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def provider():
    """The port of one that runs until the script ends."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def until(what, true):
    """Waits until it is, and gives what it is."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            if result := true():
                return result
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"not within a minute: {what}")
