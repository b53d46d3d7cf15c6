"""A growing conversation keeps its prefix byte for byte, so a provider's prompt cache stays valid."""

from typing import Any

import httpx
import openai
import pytest

from conftest import KEY, report

pytestmark = pytest.mark.client("openai-python")

TURNS = 10


def conversation(turns: int) -> list[dict[str, Any]]:
    """An agent that reads one report a turn."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": "You answer from the minutes."}]
    for turn in range(turns):
        call = {"name": "read_minutes", "arguments": f'{{"town": "Town {turn}"}}'}
        messages += [
            {"role": "user", "content": f"When was the school of Town {turn} opened?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": f"call_{turn}", "type": "function", "function": call}],
            },
            {"role": "tool", "tool_call_id": f"call_{turn}", "content": report(f"Town {turn}")},
            {"role": "assistant", "content": f"The school of Town {turn} was opened in 1971."},
        ]
    return messages + [{"role": "user", "content": "And the next?"}]


def replay(base_url: str, turns: range) -> list[httpx.Headers]:
    headers = []
    with httpx.Client(trust_env=False, timeout=60) as http_client:
        client = openai.OpenAI(base_url=base_url, api_key=KEY, max_retries=0, http_client=http_client)
        for turn in turns:
            response = client.chat.completions.with_raw_response.create(
                model="gpt-4o-mini", messages=conversation(turn)
            )
            headers.append(response.headers)
    return headers


def history(body: bytes) -> bytes:
    """The messages without the last one, which the next turn continues."""
    return body[: body.rindex(b'{"role":"user"')]


def hits(headers: httpx.Headers) -> int:
    return int(dict(pair.split("=") for pair in headers["x-headroom-cache"].split(", "))["hits"])


def test_each_forwarded_prefix_is_the_one_before_byte_for_byte(start_proxy, upstream, tmp_path):
    proxy = start_proxy(tmp_path)
    headers = replay(proxy.base_url, range(1, TURNS + 1))
    proxy.stop()
    bodies = [received.body for received in upstream.received]
    assert len(bodies) == TURNS
    for earlier, later in zip(bodies, bodies[1:]):
        assert later.startswith(history(earlier))
    assert len(bodies[-1]) < len(str(conversation(TURNS))) / 2, "the reports were not condensed"
    assert [hits(header) for header in headers] == list(range(TURNS))


def test_after_a_restart_the_same_bytes_arrive_again(start_proxy, upstream, tmp_path):
    for _ in range(2):
        proxy = start_proxy(tmp_path)
        replay(proxy.base_url, range(3, 5))
        proxy.stop()
    first, second, again, and_again = (received.body for received in upstream.received)
    assert (first, second) == (again, and_again)
