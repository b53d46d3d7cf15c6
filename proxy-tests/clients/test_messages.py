"""Anthropic's SDK on Messages: whole, streamed, counted, with tools, thinking and cache marks."""

from collections.abc import Iterator

import anthropic
import httpx2
import pytest

from conftest import KEY, report

pytestmark = pytest.mark.client("Anthropic's Python SDK")

DOCUMENT = report("the fjord")
QUESTION = "When was the bridge opened?"
MODEL = "claude-sonnet-5"
TOOLS = [
    {
        "name": "read_minutes",
        "description": report("how this tool is used"),
        "input_schema": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
        "cache_control": {"type": "ephemeral"},
    }
]
REMINDER = f"<system-reminder>\n{report('the rules of this project')}\n</system-reminder>"


@pytest.fixture
def claude(proxy, upstream) -> Iterator[anthropic.Anthropic]:
    http_client = httpx2.Client(trust_env=False, timeout=60)
    base_url = proxy.base_url.removesuffix("/v1")
    with anthropic.Anthropic(base_url=base_url, api_key=KEY, max_retries=0, http_client=http_client) as client:
        yield client


def test_a_long_document_is_condensed_and_answered(claude, upstream):
    system = [{"type": "text", "text": DOCUMENT, "cache_control": {"type": "ephemeral"}}]
    block = {"type": "text", "text": f"{DOCUMENT}\n\n{QUESTION}", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    content = [{"type": "text", "text": REMINDER}, block]
    raw = claude.messages.with_raw_response.create(
        model=MODEL, max_tokens=100, system=system, messages=[{"role": "user", "content": content}]
    )
    assert raw.headers["x-headroom-outcome"] == "compressed"
    assert raw.parse().content[0].text == "The answer is 42."
    arrived = upstream.last
    assert arrived.headers["authorization"] == f"Bearer {KEY}"
    assert arrived.json()["system"] == system
    reminder, text = arrived.json()["messages"][0]["content"]
    assert reminder == content[0]
    assert {**text, "text": block["text"]} == block
    assert text["text"].endswith(QUESTION) and len(text["text"]) < len(DOCUMENT) / 2


def test_a_stream_arrives_event_by_event(claude, upstream):
    messages = [{"role": "user", "content": f"{DOCUMENT}\n\n{QUESTION}"}]
    with claude.messages.stream(model=MODEL, max_tokens=100, messages=messages) as stream:
        assert list(stream.text_stream) == upstream.script.words
        final = stream.get_final_message()
    assert (final.stop_reason, final.usage.cache_read_input_tokens) == ("end_turn", 3)
    assert len(upstream.last.json()["messages"][0]["content"]) < len(DOCUMENT) / 2


@pytest.mark.parametrize("streamed", [False, True])
def test_a_tool_is_used_and_its_long_result_condensed(claude, upstream, streamed):
    upstream.script.tool_call = ("read_minutes", '{"town": "Aberwick"}')
    asked = {"role": "user", "content": "When was the garden of Aberwick opened?"}
    request = {"model": MODEL, "max_tokens": 100, "tools": TOOLS}
    if streamed:
        with claude.messages.stream(messages=[asked], **request) as stream:
            answer = stream.get_final_message()
    else:
        answer = claude.messages.create(messages=[asked], **request)
    (use,) = answer.content
    assert (use.id, use.name, use.input) == ("toolu_1", "read_minutes", {"town": "Aberwick"})

    result = report("Aberwick")
    thinking = {"type": "thinking", "thinking": report("a thought"), "signature": "c2lnbmVk"}
    used = {"role": "assistant", "content": [thinking, {"type": "tool_use", "id": use.id, "name": use.name, "input": use.input}]}
    block = {"type": "tool_result", "tool_use_id": use.id, "content": [{"type": "text", "text": result}]}
    block["cache_control"] = {"type": "ephemeral"}
    claude.messages.create(messages=[asked, used, {"role": "user", "content": [block]}], **request)
    arrived = upstream.last.json()
    assert arrived["tools"] == TOOLS
    assert arrived["messages"][:2] == [asked, used]
    (back,) = arrived["messages"][2]["content"]
    assert {**back, "content": block["content"]} == block
    text = back["content"][0]["text"]
    assert len(text) < len(result) / 2 and "2006" in text


def test_a_count_counts_what_would_be_sent(claude, upstream):
    messages = [{"role": "user", "content": f"{DOCUMENT}\n\n{QUESTION}"}]
    claude.messages.create(model=MODEL, max_tokens=100, messages=messages)
    sent = upstream.last.json()["messages"]
    assert claude.messages.count_tokens(model=MODEL, messages=messages).input_tokens == 123
    assert upstream.last.path == "/v1/messages/count_tokens"
    assert upstream.last.json()["messages"] == sent != messages


def test_an_error_is_the_upstreams(claude, upstream):
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"}
    upstream.script.refusal = (529, {"retry-after": "7"}, error)
    with pytest.raises(anthropic.APIStatusError) as raised:
        claude.messages.create(model=MODEL, max_tokens=9, messages=[{"role": "user", "content": DOCUMENT}])
    assert (raised.value.status_code, raised.value.body) == (529, error)
    assert raised.value.response.headers["retry-after"] == "7"


def test_each_forwarded_prefix_of_an_agent_is_the_one_before(claude, upstream):
    messages: list[dict] = []
    for turn in range(10):
        use = {"type": "tool_use", "id": f"toolu_{turn}", "name": "read_minutes", "input": {"town": f"Town {turn}"}}
        result = {"type": "tool_result", "tool_use_id": use["id"], "content": report(f"Town {turn}")}
        messages += [
            {"role": "user", "content": f"When was the school of Town {turn} opened?"},
            {"role": "assistant", "content": [use]},
            {"role": "user", "content": [result, {"type": "text", "text": REMINDER}]},
        ]
        claude.messages.create(model=MODEL, max_tokens=100, tools=TOOLS, messages=messages)
        messages.append({"role": "assistant", "content": f"The school of Town {turn} was opened in 1971."})
    arrived = [received.json()["messages"] for received in upstream.received]
    for earlier, later in zip(arrived, arrived[1:]):
        assert later[: len(earlier)] == earlier
    assert len(str(arrived[-1])) < len(str(messages)) * 0.8, "the results were not condensed"
