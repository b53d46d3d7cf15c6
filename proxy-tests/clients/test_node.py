"""Clients of Node, unmodified: openai-node, Anthropic's TypeScript SDK and Vercel's AI SDK. Where there is no Node they are
skipped; `test.sh` installs what ../clients-node/package-lock.json pins."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from conftest import KEY, report
from upstream import Script

CLIENTS = Path(os.environ.get("HEADROOM_TEST_NODE", "/nowhere"))
ASKED = "When was the garden of Aberwick opened?"
MINUTES = report("Aberwick")
INSTRUCTIONS = report("how to answer")

pytestmark = pytest.mark.skipif(not CLIENTS.is_dir(), reason="there is no Node, or test.sh has not installed its clients")

OPENAI = ["chat", "chat_streamed", "chat_tool", "responses", "responses_streamed", "responses_tool"]
MESSAGES = ["messages", "messages_streamed", "messages_tool"]
CASES = [
    *(pytest.param("openai", way, marks=pytest.mark.client("openai-node")) for way in OPENAI),
    *(pytest.param("anthropic", way, marks=pytest.mark.client("Anthropic's TypeScript SDK")) for way in MESSAGES),
    *(pytest.param("ai-sdk", way, marks=pytest.mark.client("Vercel AI SDK")) for way in OPENAI + MESSAGES),
]
PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages"}


def run(proxy, client: str, way: str) -> dict:
    """What a client has to tell in the end."""
    asked = ASKED if way.endswith("tool") else f"{MINUTES}\n\n{ASKED}"
    told = {"base_url": proxy.base_url, "key": KEY, "way": way, "asked": asked, "minutes": MINUTES}
    done = subprocess.run(
        ["node", CLIENTS / f"{client}.mjs"],
        input=json.dumps(told | {"instructions": INSTRUCTIONS}),
        env={"PATH": os.environ["PATH"], "NO_PROXY": "127.0.0.1", "AI_SDK_LOG_WARNINGS": "false"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for part in inner for text in texts(part)]


@pytest.mark.parametrize(("client", "way"), CASES)
def test_a_client_is_answered_and_its_long_text_condensed(proxy, upstream, client, way):
    if way.endswith("tool"):
        upstream.script = Script(tool_call=("read_minutes", '{"town": "Aberwick"}'), until_result=True)
    answer = run(proxy, client, way)
    assert answer["text"] == "The answer is 42."
    if way.endswith("streamed"):
        assert answer["pieces"] == len(upstream.script.words)
    assert {received.path.partition("?")[0] for received in upstream.received} == {PATHS[way.partition("_")[0]]}
    headers = upstream.last.headers
    assert KEY in (headers.get("authorization", ""), headers.get("x-api-key", ""), headers.get("authorization", "")[7:])
    arrived = texts(upstream.last.json())
    (minutes,) = [text for text in arrived if "report on Aberwick" in text]
    assert "2006" in minutes and len(minutes) < len(MINUTES) / 2, minutes
    assert INSTRUCTIONS in arrived, "instructions arrive as they were given"


@pytest.mark.client("Anthropic's TypeScript SDK")
def test_a_count_is_of_what_would_be_sent(proxy, upstream):
    assert run(proxy, "anthropic", "messages_counted")["text"] == "123"
    assert upstream.last.path.startswith("/v1/messages/count_tokens")
    assert len(upstream.last.json()["messages"][0]["content"]) < len(MINUTES) / 2
