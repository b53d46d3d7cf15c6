"""What was left out is read again by a real MCP client, over standard input and output and over HTTP: exactly, by whom it
belongs to and by nobody else."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import contextmanager
from typing import Any

import httpx
import httpx2
import openai
import pytest
from mcp import ClientSession, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from conftest import BINARY, KEY, MARKER, report

pytestmark = pytest.mark.client("mcp")

ON = {"HEADROOM_ORIGINALS__ENABLED": "true"}
NAME = re.compile(r"headroom_read (r[0-9]{18})\]")


def log(lines: int = 600) -> str:
    """A file of which the most is left out."""
    return f"# {MARKER}\n" + "".join(f"setting_{at} = {at * 7919 % 1000}  # of section {at // 20}\n" for at in range(lines))


@contextmanager
def agent(proxy, key: str = KEY):
    with openai.OpenAI(
        base_url=proxy.base_url, api_key=key, max_retries=0, http_client=httpx.Client(trust_env=False, timeout=60)
    ) as client:
        yield client


def results(*calls: tuple[str, str]) -> list[dict[str, Any]]:
    """A conversation in which tools (name, result) were called."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": "What is setting_3 set to?"}]
    for at, (name, result) in enumerate(calls):
        function = {"name": name, "arguments": '{"path": "settings.conf"}'}
        messages.append({"role": "assistant", "tool_calls": [{"id": f"c{at}", "type": "function", "function": function}]})
        messages.append({"role": "tool", "tool_call_id": f"c{at}", "content": result})
    return messages


def forwarded(proxy, upstream, *calls: tuple[str, str], key: str = KEY) -> list[str]:
    """What arrives of the tools' results."""
    with agent(proxy, key) as client:
        client.chat.completions.create(model="gpt-4o-mini", messages=results(*calls))
    return [message["content"] for message in upstream.last.json()["messages"] if message["role"] == "tool"]


def named(text: str) -> str:
    """The name that a text's marks give: one, and once."""
    (name,) = NAME.findall(text)
    return name


def read_over_http(proxy, key: str | None = KEY, **arguments: Any) -> tuple[bool, list[str]]:
    async def call() -> tuple[bool, list[str]]:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        url = proxy.base_url.removesuffix("/v1") + "/headroom/mcp"
        async with (
            httpx2.AsyncClient(headers=headers, trust_env=False, timeout=30) as http,
            streamable_http_client(url, http_client=http) as streams,
        ):
            return await answered(streams, arguments)

    return asyncio.run(call())


def read_over_stdio(proxy, state, *options: str, **arguments: Any) -> tuple[bool, list[str]]:
    async def call() -> tuple[bool, list[str]]:
        base = proxy.base_url.removesuffix("/v1")
        environment = {"HOME": str(state), "XDG_STATE_HOME": str(state), "AGENT_KEY": KEY, "OTHER_KEY": "sk-other"}
        server = StdioServerParameters(command=str(BINARY), args=["mcp", "--url", base, *options], env=environment)
        async with stdio_client(server) as streams:
            return await answered(streams, arguments)

    return asyncio.run(call())


async def answered(streams: Any, arguments: dict[str, Any]) -> tuple[bool, list[str]]:
    async with ClientSession(streams[0], streams[1]) as session:
        await session.initialize()
        (tool,) = (await session.list_tools()).tools
        assert tool.name == "headroom_read" and tool.input_schema["required"] == ["id"]
        result = await session.call_tool(tool.name, arguments)
        return bool(result.is_error), [block.text for block in result.content]


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def reading(start_proxy, state):
    proxy = start_proxy(state, **ON)
    yield proxy
    written = proxy.stop()
    assert KEY not in written and MARKER not in written


def test_what_was_left_out_is_read_again_exactly_however_it_is_asked(reading, upstream, state):
    source = log()
    (text,) = forwarded(reading, upstream, ("read_file", source))
    name, lines = named(text), source.splitlines(keepends=True)
    gone = next(at for at, line in enumerate(lines) if at > 100 and line not in text)
    for read in (
        lambda **arguments: read_over_http(reading, **arguments),
        lambda **arguments: read_over_stdio(reading, state, **arguments),
        lambda **arguments: read_over_stdio(reading, state, "--key-env", "AGENT_KEY", **arguments),
    ):
        assert read(id=name) == (False, [source])
        failed, (part, note) = read(id=name, lines="320-330")
        assert not failed and part == "".join(lines[319:330]) and note == "Lines 320–330 of 601."
        failed, (part, _) = read(id=name, pattern=lines[gone].split()[0] + " ")
        assert not failed and f"{gone + 1}:{lines[gone]}" in part


def test_a_name_is_nothing_to_anybody_else(reading, upstream, state):
    (text,) = forwarded(reading, upstream, ("read_file", log(601)))
    name = named(text)
    other = name[:-1] + ("0" if name[-1] != "0" else "1")
    for failed, (said,) in (
        read_over_http(reading, "sk-other", id=name),
        read_over_http(reading, None, id=name),
        read_over_stdio(reading, state, "--key-env", "OTHER_KEY", id=name),
        read_over_http(reading, id=other),
    ):
        assert failed and "No original is kept" in said and "setting_" not in said
    # The same text has another name with another key: one tenant's tells nothing of another's.
    (theirs,) = forwarded(reading, upstream, ("read_file", log(601)), key="sk-other")
    assert named(theirs) != name and theirs.replace(named(theirs), name) == text


def test_a_web_page_of_another_origin_reads_nothing(reading):
    url = reading.base_url.removesuffix("/v1") + "/headroom/mcp"
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    headers = {"accept": "application/json, text/event-stream"}
    for more in ({"origin": "https://example.org"}, {"host": "rebound.example.org"}, {"x-forwarded-for": "10.0.0.1"}):
        assert httpx.post(url, json=call, headers=headers | more, trust_env=False).status_code == 403, more
    assert httpx.post(url, json=call, headers=headers, trust_env=False).status_code == 200


@pytest.mark.parametrize("tool", ["headroom_read", "mcp__headroom__headroom_read", "headroom_headroom_read"])
def test_what_was_read_goes_through_byte_for_byte(reading, upstream, tool):
    source = log(602)
    (text,) = forwarded(reading, upstream, ("read_file", source))
    _, (part, *_) = read_over_http(reading, id=named(text), lines="1-400")
    again, read = forwarded(reading, upstream, ("read_file", source), (tool, part))
    assert (again, read) == (text, part)


def test_marks_are_the_same_after_a_restart_and_originals_are_there_only_if_asked_for(start_proxy, upstream, tmp_path):
    source, key = log(603), {"HEADROOM_ORIGINALS__KEY_ENV": "ORIGINALS_KEY", "ORIGINALS_KEY": "0123456789abcdef" * 3}
    for at, more in enumerate(({}, key, key | {"HEADROOM_ORIGINALS__PERSIST": "true"})):
        (folder := tmp_path / str(at)).mkdir()
        first = start_proxy(folder, **ON, **more)
        (text,) = forwarded(first, upstream, ("read_file", source))
        assert read_over_http(first, id=named(text))[0] is False
        first.stop()
        files = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
        assert MARKER.encode() not in files and b"setting_321" not in files
        second = start_proxy(folder, **ON, **more)
        kept = read_over_http(second, id=named(text))
        assert kept[0] is (at != 2), "without a file it is gone, and that is said"
        if at == 2:
            assert kept[1] == [source]
        # Sent again, it has the same bytes, and is there again.
        assert forwarded(second, upstream, ("read_file", source)) == [text]
        assert read_over_http(second, id=named(text)) == (False, [source])
        second.stop()


def test_what_there_is_no_room_for_is_said_to_be_gone(start_proxy, upstream, tmp_path):
    proxy = start_proxy(tmp_path, **ON, HEADROOM_ORIGINALS__MIB="1", HEADROOM_ORIGINALS__TENANT_MIB="1")
    texts = [forwarded(proxy, upstream, ("read_file", f"# {at}\n" + log(6000)))[0] for at in range(6)]
    failed, (said,) = read_over_http(proxy, id=named(texts[0]))
    assert failed and "call the tool again" in said
    assert read_over_http(proxy, id=named(texts[-1]), lines="1")[1][0] == "# 5\n"
    proxy.stop()


def test_it_is_off_unless_turned_on_and_says_how(proxy, upstream):
    (text,) = forwarded(proxy, upstream, ("read_file", log()))
    assert "headroom_read" not in text and "source complete" in text
    url = proxy.base_url.removesuffix("/v1") + "/headroom/mcp"
    answer = httpx.post(url, json={}, trust_env=False)
    assert answer.status_code == 404 and "HEADROOM_ORIGINALS__ENABLED" in answer.text


def test_how_often_it_was_needed_is_counted(reading, upstream):
    (text,) = forwarded(reading, upstream, ("read_file", log(604)))
    url = reading.base_url.removesuffix("/v1") + "/headroom/metrics"

    def count(outcome: str) -> int:
        counted = re.search(rf'original_reads_total\{{outcome="{outcome}"\}} (\d+)', httpx.get(url, trust_env=False).text)
        return int(counted[1]) if counted else 0

    before = count("read"), count("gone"), count("nothing")
    read_over_http(reading, id=named(text), lines="5")
    read_over_http(reading, id="r000000000000000000")
    read_over_http(reading, id=named(text), pattern="nowhere to be found")
    assert (count("read"), count("gone"), count("nothing")) == tuple(counted + 1 for counted in before)


def test_a_message_of_a_user_and_every_surface_name_their_originals(reading, upstream):
    source = report("a town")
    headers = {"authorization": f"Bearer {KEY}"}
    base = reading.base_url
    for path, body in (
        ("/chat/completions", {"messages": [{"role": "user", "content": source}]}),
        ("/responses", {"input": [{"role": "user", "content": source}]}),
        ("/messages", {"max_tokens": 9, "messages": [{"role": "user", "content": source}]}),
    ):
        answer = httpx.post(base + path, json={"model": "m"} | body, headers=headers, trust_env=False, timeout=60)
        assert answer.status_code == 200, answer.text
        (name,) = NAME.findall(json.dumps(upstream.last.json(), ensure_ascii=False))
        assert read_over_http(reading, id=name) == (False, [source]), path
