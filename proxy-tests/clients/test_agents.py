"""The coding agents themselves, unmodified; `../agents.sh` installs them and runs this. They are too heavy for every run.

Each is asked something, calls its shell, and gets a text of some seven hundred words back.
"""

import contextlib
import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.server import ServerConnection, serve

import answers
from conftest import BINARY, KEY, MARKER, MODEL, report
from upstream import Script

AGENTS = os.environ.get("HEADROOM_TEST_AGENTS")
ASKED = "When was the garden of Aberwick opened?"
#: Prints the text without being a plain look into a file, which would be left as it is.
COMMAND = "sort -s -k1,1 minutes.txt | head -n 100"

pytestmark = pytest.mark.skipif(AGENTS is None, reason="run proxy-tests/agents.sh")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder of its own, which is a home too."""
    (tmp_path / "minutes.txt").write_text(report("Aberwick"))
    return tmp_path


def run(agent: str, arguments: list[str], place: Path, **variables: str) -> str:
    """What an agent says in the end."""
    assert AGENTS is not None
    environment = {"PATH": os.environ["PATH"], "HOME": str(place), "NO_PROXY": "127.0.0.1", **variables}
    # A proxy that `wrap` starts: how fast this machine is must not decide what is condensed.
    environment["HEADROOM_ENGINE__TIME_BUDGET_MS"] = "0"
    done = subprocess.run(
        [Path(AGENTS) / agent, *arguments],
        cwd=place,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def codex(base_url: str, place: Path, websockets: bool) -> str:
    home = place / ".codex"
    home.mkdir()
    (home / "config.toml").write_text(
        f"""
        model = "gpt-5"
        model_provider = "headroom"
        [model_providers.headroom]
        name = "headroom"
        base_url = "{base_url}"
        env_key = "OPENAI_API_KEY"
        wire_api = "responses"
        supports_websockets = {str(websockets).lower()}
        """
    )
    arguments = ["exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", ASKED]
    return run("codex", arguments, place, CODEX_HOME=str(home), OPENAI_API_KEY=KEY)


#: What Codex makes of its command: a call of its shell.
SHELL = Script(tool_call=("exec_command", json.dumps({"cmd": COMMAND})), until_result=True)


def shortened(output: str) -> bool:
    return MARKER in output and "2006" in output and len(output) < len(report("Aberwick")) / 2


@pytest.mark.client("Codex", api="Responses")
def test_codex_over_http(proxy, upstream, place):
    upstream.script = SHELL
    assert codex(proxy.base_url, place, websockets=False).strip() == "The answer is 42."
    said = [received.json()["input"] for received in upstream.received if received.path == "/v1/responses"]
    assert said[-1][: len(said[0])] == said[0]
    (output,) = [item["output"] for item in said[-1] if item["type"] == "function_call_output"]
    assert shortened(output), output


def test_codex_as_headroom_wrap_runs_it(upstream, place):
    """Nothing of Codex's is configured: a new user's home."""
    assert AGENTS is not None
    upstream.script = SHELL
    model = ["--model", MODEL] if MODEL else ["--no-model"]
    wrapped = ["wrap", "--upstream", upstream.url, "--ratio", "4", *model, str(Path(AGENTS) / "codex"), "exec"]
    arguments = ["--model", "gpt-5", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", ASKED]
    assert run(str(BINARY), [*wrapped, *arguments], place, OPENAI_API_KEY=KEY).strip() == "The answer is 42."
    # A request without a body asks for a WebSocket, which this upstream has not.
    said = [received.json()["input"] for received in upstream.received if received.body]
    (output,) = [item["output"] for item in said[-1] if item["type"] == "function_call_output"]
    assert shortened(output), output


class Socket:
    """A provider's end of a WebSocket; it answers as the script says."""

    def __init__(self) -> None:
        self.received: list[dict] = []
        self.extensions: str | None = None
        self._server = serve(self._answer, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def _answer(self, connection: ServerConnection) -> None:
        assert connection.response is not None
        self.extensions = connection.response.headers.get("Sec-WebSocket-Extensions")
        # Codex leaves without a word.
        with contextlib.suppress(ConnectionClosedError):
            for frame in connection:
                self.received.append(json.loads(frame))
                for event in answers.Responses.events(SHELL.after(frame)):
                    connection.send(json.dumps(event))

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()


@pytest.fixture
def socket() -> Iterator[Socket]:
    socket = Socket()
    yield socket
    socket.stop()


@pytest.mark.client("Codex", api="Responses, WebSocket")
def test_codex_over_a_websocket(socket: Socket, start_proxy: Callable, place):
    proxy = start_proxy(place, upstream=socket.url)
    assert codex(proxy.base_url, place, websockets=True).strip() == "The answer is 42."
    log = proxy.stop()
    items = [item for frame in socket.received for item in frame["input"]]
    (output,) = [item["output"] for item in items if item["type"] == "function_call_output"]
    assert shortened(output), output
    assert socket.extensions is not None and "permessage-deflate" in socket.extensions, "Codex compresses its frames"
    assert 'outcome="per_frame"' in log and KEY not in log and MARKER not in log


@pytest.mark.client("Claude Code", api="Messages")
def test_claude_code(proxy, upstream, place):
    upstream.script = Script(tool_call=("Bash", json.dumps({"command": COMMAND})), until_result=True)
    said = run(
        "claude",
        ["--print", "--model", "claude-sonnet-5", "--allowedTools", "Bash", "--", ASKED],
        place,
        ANTHROPIC_BASE_URL=proxy.base_url.removesuffix("/v1"),
        ANTHROPIC_API_KEY=KEY,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1",
        DISABLE_AUTOUPDATER="1",
    )
    assert said.strip() == "The answer is 42."
    bodies = [received.json() for received in upstream.received if received.path.startswith("/v1/messages")]
    results = [
        block
        for message in bodies[-1]["messages"]
        if isinstance(message["content"], list)
        for block in message["content"]
        if block["type"] == "tool_result"
    ]
    (result,) = results
    content = result["content"]
    assert shortened(content if isinstance(content, str) else content[0]["text"]), content


#: What opencode makes of its command: a call of its shell.
BASH = Script(
    tool_call=("bash", json.dumps({"command": COMMAND, "description": "Reads the minutes"})), until_result=True
)


def opencode_has_read(said: str, upstream) -> None:
    assert "The answer is 42." in said, said
    bodies = [received.json() for received in upstream.received if received.path == "/v1/responses"]
    outputs = [item["output"] for body in bodies for item in body["input"] if item.get("type") == "function_call_output"]
    assert outputs and all(shortened(output) for output in outputs), outputs


@pytest.mark.client("opencode", api="Responses")
def test_opencode(proxy, upstream, place):
    upstream.script = BASH
    config = json.dumps({"provider": {"openai": {"options": {"baseURL": proxy.base_url}}}})
    arguments = ["run", "--auto", "--model", "openai/gpt-5", ASKED]
    said = run("opencode", arguments, place, OPENAI_API_KEY=KEY, OPENCODE_CONFIG_CONTENT=config)
    opencode_has_read(said, upstream)


def test_opencode_as_headroom_wrap_runs_it(upstream, place):
    assert AGENTS is not None
    upstream.script = BASH
    model = ["--model", MODEL] if MODEL else ["--no-model"]
    wrapped = ["wrap", "--upstream", upstream.url, "--ratio", "4", *model, str(Path(AGENTS) / "opencode")]
    said = run(str(BINARY), [*wrapped, "run", "--auto", "--model", "openai/gpt-5", ASKED], place, OPENAI_API_KEY=KEY)
    opencode_has_read(said, upstream)
