"""LiteLLM, unmodified: as a client, and as a gateway whose `headroom` guardrail has texts condensed before it sends them
itself. `../agents.sh` installs it and runs this; it is too heavy for every run."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest

from conftest import KEY, report
from upstream import Script

litellm = pytest.importorskip("litellm", reason="run proxy-tests/agents.sh")

ASKED = "When was the garden of Aberwick opened?"
MINUTES = report("Aberwick")
#: Without one, or with a weak one, the gateway does not start.
MASTER = f"sk-{secrets.token_hex(32)}"
TOOL = {
    "type": "function",
    "function": {
        "name": "read_minutes",
        "description": "Reads the minutes of a town.",
        "parameters": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
    },
}


@pytest.mark.client("LiteLLM")
@pytest.mark.parametrize("streamed", [False, True])
def test_litellm_asks_with_a_long_document(proxy, upstream, streamed):
    asks = {"model": "openai/gpt-4o-mini", "api_base": proxy.base_url, "api_key": KEY, "max_retries": 0}
    messages = [{"role": "user", "content": f"{MINUTES}\n\n{ASKED}"}]
    answer = litellm.completion(**asks, messages=messages, stream=streamed)
    if streamed:
        text = "".join(chunk.choices[0].delta.content or "" for chunk in answer)
    else:
        text = answer.choices[0].message.content
    assert text == "The answer is 42."
    arrived = upstream.last.json()["messages"][0]["content"]
    assert arrived.endswith(ASKED) and "2006" in arrived and len(arrived) < len(MINUTES) / 2


@pytest.mark.client("LiteLLM")
def test_litellm_speaks_messages_and_responses(proxy, upstream):
    base = proxy.base_url.removesuffix("/v1")
    text = [{"role": "user", "content": f"{MINUTES}\n\n{ASKED}"}]
    answer = litellm.completion(model="anthropic/claude-sonnet-5", api_base=base, api_key=KEY, messages=text, max_retries=0)
    assert answer.choices[0].message.content == "The answer is 42."
    assert upstream.last.path == "/v1/messages" and len(upstream.last.body) < len(MINUTES) / 2 + 500
    answer = litellm.responses(model="openai/gpt-5", api_base=proxy.base_url, api_key=KEY, input=text[0]["content"])
    assert answer.output[0].content[0].text == "The answer is 42."
    assert upstream.last.path == "/v1/responses" and len(upstream.last.json()["input"]) < len(MINUTES) / 2


@pytest.fixture(scope="module")
def gateway(proxy, shared_upstream, tmp_path_factory) -> Iterator[openai.OpenAI]:
    """LiteLLM's own server before the upstream, with its guardrail."""
    tmp_path = tmp_path_factory.mktemp("gateway")
    (tmp_path / "config.yaml").write_text(
        f"""
        model_list:
          - model_name: gpt-4o-mini
            litellm_params: {{model: openai/gpt-4o-mini, api_base: {shared_upstream.url}/v1, api_key: {KEY}}}
        guardrails:
          - guardrail_name: condense
            litellm_params:
              guardrail: headroom
              mode: pre_call
              api_base: {proxy.base_url.removesuffix("/v1")}
              api_key: {KEY}
              default_on: true
        """
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(sys.executable).with_name("litellm")
    environment = {"PATH": f"{program.parent}:{os.environ['PATH']}", "HOME": str(tmp_path), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    environment["LITELLM_MASTER_KEY"] = MASTER
    with open(tmp_path / "log", "w") as log:
        running = subprocess.Popen(
            [program, "--config", tmp_path / "config.yaml", "--host", "127.0.0.1", "--port", str(port)],
            cwd=tmp_path,
            env=environment,
            stdout=log,
            stderr=log,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            until = time.monotonic() + 240
            while True:
                assert running.poll() is None and time.monotonic() < until, (tmp_path / "log").read_text()
                try:
                    if httpx.get(f"{url}/health/liveliness", trust_env=False).status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.2)
            http_client = httpx.Client(trust_env=False, timeout=60)
            yield openai.OpenAI(base_url=f"{url}/v1", api_key=MASTER, max_retries=0, http_client=http_client)
        finally:
            running.terminate()
            running.wait(timeout=30)


@pytest.mark.client("LiteLLM's guardrail", api="/v1/compress")
def test_a_gateways_guardrail_has_texts_condensed_before_it_sends_them(gateway, proxy, upstream):
    call = {"id": "call_1", "type": "function", "function": {"name": "read_minutes", "arguments": '{"town":"Aberwick"}'}}
    messages = [
        {"role": "system", "content": report("the rules")},
        {"role": "user", "content": f"{report('the bay')}\n\nWhen was the bridge opened?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": MINUTES},
        {"role": "assistant", "content": "In 1992."},
        {"role": "user", "content": ASKED},
    ]
    completion = gateway.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=[TOOL])
    assert completion.choices[0].message.content == "The answer is 42."
    arrived = upstream.last.json()["messages"]
    assert [message["role"] for message in arrived] == [message["role"] for message in messages]
    for index in (0, 4, 5):
        assert arrived[index]["content"] == messages[index]["content"]
    assert arrived[2]["tool_calls"][0]["function"] == call["function"]
    for index in (1, 3):
        assert len(arrived[index]["content"]) < len(messages[index]["content"]) / 2
    assert upstream.last.json()["tools"] == [TOOL]


@pytest.mark.client("LiteLLM's guardrail", api="/v1/compress")
def test_a_stream_through_a_gateway_is_whole(gateway, upstream):
    messages = [{"role": "user", "content": MINUTES}, {"role": "assistant", "content": "Yes?"}, {"role": "user", "content": ASKED}]
    upstream.script = Script()
    chunks = gateway.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True)
    words = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert words == "The answer is 42."
    assert len(upstream.last.json()["messages"][0]["content"]) < len(MINUTES)
