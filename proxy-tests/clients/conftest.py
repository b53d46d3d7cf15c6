"""The rig: the real binary between real clients and an upstream in the tests' hands.

`HEADROOM_BIN` names the binary, `HEADROOM_TEST_MODEL` a model's folder; without one, selection alone condenses.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import openai
import pytest

from saved import measured, pytest_configure, pytest_terminal_summary  # noqa: F401
from upstream import Upstream

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("HEADROOM_BIN", ROOT / "target/debug/headroom"))
MODEL = os.environ.get("HEADROOM_TEST_MODEL")
KEY = "sk-test-0123456789"


class Proxy:
    """A running `headroom serve`."""

    #: Every one there was.
    all: list[Proxy] = []

    def __init__(self, upstream: str, state: Path, **variables: str) -> None:
        self._ended = False
        self._tokens = (0, 0)
        model = ["--model", MODEL] if MODEL else ["--no-model"]
        # A file: a pipe that nobody reads until the end is full one day, and who writes to it waits.
        self._log = tempfile.TemporaryFile("a+")
        self._process = subprocess.Popen(
            [BINARY, "serve", "--listen", "127.0.0.1:0", "--upstream", upstream, "--ratio", "4", *model],
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            # Nothing of the tester's own settings, no configuration file of the folder, state of this test alone.
            cwd=state,
            env={"PATH": os.environ["PATH"], "HOME": str(state), "XDG_STATE_HOME": str(state)}
            # How fast this machine is must not decide what is condensed.
            | {"HEADROOM_ENGINE__TIME_BUDGET_MS": "0"}
            | {name: os.environ[name] for name in ("ORT_DYLIB_PATH", "XDG_CACHE_HOME") if name in os.environ}
            | variables,
        )
        assert self._process.stdout is not None
        self.base_url = ""
        for line in self._process.stdout:
            _, found, url = line.partition("export OPENAI_BASE_URL=")
            if found:
                self.base_url = url.strip()
                break
        if not self.base_url:
            raise AssertionError(f"the proxy did not start:\n{self.log()}")
        Proxy.all.append(self)

    def tokens(self) -> tuple[int, int]:
        """Tokens of the texts considered so far, as they came and as they went."""
        if not self._ended:
            url = self.base_url.removesuffix("/v1") + "/headroom/metrics"
            lines = httpx.get(url, trust_env=False).text.splitlines()
            figures = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
            before, after = (int(figures[f"headroom_tokens_{when}_total"]) for when in ("before", "after"))
            self._tokens = (before, after)
        return self._tokens

    def stop(self) -> str:
        """Ends the proxy as an operator would; returns its log."""
        self.tokens()
        self._ended = True
        self._process.terminate()
        self._process.communicate(timeout=30)
        assert self._process.returncode == 0, self.log()
        return self.log()

    def log(self) -> str:
        """What it has written so far."""
        self._log.seek(0)
        return self._log.read()


@pytest.fixture(scope="session")
def shared_upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def upstream(shared_upstream: Upstream) -> Upstream:
    shared_upstream.reset()
    return shared_upstream


@pytest.fixture(scope="session")
def start_proxy(shared_upstream: Upstream) -> Callable[..., Proxy]:
    def start(state: Path, upstream: str = shared_upstream.url, **variables: str) -> Proxy:
        return Proxy(upstream, state, **variables)

    return start


@pytest.fixture(scope="session")
def proxy(start_proxy: Callable[..., Proxy], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    proxy = start_proxy(tmp_path_factory.mktemp("state"))
    yield proxy
    log = proxy.stop()
    assert KEY not in log, "a key was logged"
    assert MARKER not in log, "message text was logged"


@pytest.fixture
def client(proxy: Proxy, upstream: Upstream) -> Iterator[openai.OpenAI]:
    http_client = httpx.Client(trust_env=False, timeout=60)
    with openai.OpenAI(base_url=proxy.base_url, api_key=KEY, max_retries=0, http_client=http_client) as client:
        yield client


#: Stands in every long text; must never be logged.
MARKER = "zephyrine"


def report(topic: str) -> str:
    """Some seven hundred words of prose with much to leave out and a few facts to keep."""
    subjects = ["harbour", "library", "railway", "school", "market", "theatre", "bridge", "museum", "garden", "mill"]
    paragraphs = []
    for index, subject in enumerate(subjects):
        year = 1950 + 7 * index
        paragraphs.append(
            f"The committee met once again to talk about the {subject} and about everything that people had said of it "
            f"in {topic} before. It was, as it had always been, a long and rather tiring evening for nearly everyone "
            f"who was there. In {year} the {subject} was opened with {index + 3}20 members and a budget of {year} "
            f"pounds. Many of those present felt that the talk about the {subject} went on for very much too long. "
            f"In the end it was decided that the {subject} must not be closed before May {year + 1}."
        )
    return f"The {MARKER} report on {topic}.\n\n" + "\n\n".join(paragraphs)
