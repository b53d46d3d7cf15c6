"""A proxy of the example's own, for as long as the example runs."""

import json
import os
import shutil
import subprocess
import tempfile
import urllib.request
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[2]


class Headroom:
    """`headroom serve` on a free port, without settings of whoever runs the example."""

    def __init__(self, *flags: str, upstream: str = "http://127.0.0.1:9", **settings: object) -> None:
        self.command = [program(), "serve", "--port", "0", "--upstream", upstream, *flags]
        self.settings = {f"HEADROOM_{key.upper()}": str(value) for key, value in settings.items()}

    def __enter__(self) -> Self:
        self.folder = tempfile.TemporaryDirectory()
        environment = {"HOME": self.folder.name, "PATH": os.environ["PATH"], **self.settings}
        for kept in ("ORT_DYLIB_PATH", "XDG_CACHE_HOME"):
            if kept in os.environ:
                environment[kept] = os.environ[kept]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(self.command, cwd=self.folder.name, env=environment, text=True, **pipes)
        assert self.process.stdout
        for line in self.process.stdout:
            if "OPENAI_BASE_URL=" in line:
                # With `/v1`, as clients of OpenAI's API want it.
                self.base = line.split("=", 1)[1].strip()
                return self
        raise SystemExit("the proxy did not start: " + " ".join(self.command))

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)
        self.folder.cleanup()

    def condense(self, text: str, ratio: float | str, query: str | None = None) -> dict:
        """`POST /headroom/compress`: the text and its tokens before and after."""
        body = {"text": text, "ratio": ratio, "query": query}
        return post(self.base.removesuffix("/v1") + "/headroom/compress", {k: v for k, v in body.items() if v})[0]


def post(url: str, body: dict, headers: dict[str, str] | None = None, timeout: float = 900) -> tuple[dict, dict]:
    """The answer's JSON and its headers."""
    content = {"content-type": "application/json", **(headers or {})}
    request = urllib.request.Request(url, json.dumps(body).encode(), content)
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return json.load(answer), {key.lower(): value for key, value in answer.headers.items()}


def program() -> str:
    built = ROOT / "target/release/headroom"
    found = os.environ.get("HEADROOM_BIN") or (str(built) if built.is_file() else shutil.which("headroom"))
    return found or exit("no program: `cargo build --release`, or put `headroom` on the path")


def table(head: list[str], rows: list[list[object]]) -> str:
    """As Markdown, numbers to the right."""
    cells = [head, *[[cell if isinstance(cell, str) else f"{cell:,}" for cell in row] for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]

    def line(row: list[str]) -> str:
        first, *others = zip(row, widths, strict=True)
        return "| " + " | ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]) + " |"

    rule = "|" + "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])]) + "|"
    return "\n".join([line(cells[0]), rule, *map(line, cells[1:])])
