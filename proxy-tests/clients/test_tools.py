"""Tool calls, their arguments and schemas are never touched; long tool results are condensed."""

import json

import pytest

from conftest import report

pytestmark = pytest.mark.client("openai-python")

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "read_minutes",
            "description": report("how this tool is used"),
            "parameters": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
        },
    }
]
ARGUMENTS = '{"town":  "Aberwick",\n "page": 1.0}'


def test_a_tool_call_comes_back_as_it_was_made(client, upstream):
    upstream.script.tool_call = ("read_minutes", ARGUMENTS)
    completion = client.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "Read them."}], tools=TOOLS, tool_choice="auto"
    )
    (call,) = completion.choices[0].message.tool_calls
    assert (call.id, call.function.name, call.function.arguments) == ("call_1", "read_minutes", ARGUMENTS)
    assert upstream.last.json()["tools"] == TOOLS


def test_a_streamed_tool_call_comes_back_as_it_was_made(client, upstream):
    upstream.script.tool_call = ("read_minutes", ARGUMENTS)
    messages = [{"role": "user", "content": "Read them."}]
    stream = client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=TOOLS, stream=True)
    calls = [event.choices[0].delta.tool_calls for event in stream if event.choices[0].delta.tool_calls]
    assert calls[0][0].function.name == "read_minutes"
    assert "".join(call[0].function.arguments for call in calls) == ARGUMENTS


def test_a_long_tool_result_is_condensed_and_its_call_is_not(client, upstream):
    call = {"id": "call_1", "type": "function", "function": {"name": "read_minutes", "arguments": ARGUMENTS}}
    result = report("Aberwick")
    messages = [
        {"role": "user", "content": "When was the garden of Aberwick opened?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": result},
    ]
    client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=TOOLS)
    arrived = upstream.last.json()
    assert arrived["tools"] == TOOLS
    assert arrived["messages"][:2] == messages[:2]
    assert arrived["messages"][2]["tool_call_id"] == "call_1"
    content = arrived["messages"][2]["content"]
    assert len(content) < len(result) / 2
    assert "garden" in content and "2006" in content


def test_a_tool_result_of_json_stays_json(client, upstream):
    records = [{"id": index, "name": f"item {index}", "note": None, "stock": index * 7} for index in range(120)]
    call = {"id": "call_1", "type": "function", "function": {"name": "list_items", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "How many of item 17 are in stock?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": json.dumps(records)},
    ]
    client.chat.completions.create(model="gpt-4o-mini", messages=messages)
    content = upstream.last.json()["messages"][2]["content"]
    assert "item 17" in content and "119" in content
