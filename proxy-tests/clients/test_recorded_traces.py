"""Recorded runs of agents of each form that `quality/run.py sessions --traces` reads come out as the same conversation."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "quality"))

from quality.traces import conversations, sessions, steps  # noqa: E402

RESULT = "value_12345 = compute_everything(7)"
BLOCKS: list[dict[str, Any]] = [
    {"role": "user", "content": "Find the bug in src/db.py"},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "Read", "input": {"file_path": "src/db.py"}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": RESULT}]}]},
    {"role": "assistant", "content": [{"type": "text", "text": f"{RESULT}\nis wrong: value_12345"}]},
]
CHAT = [
    BLOCKS[0],
    {"role": "assistant", "tool_calls": [{"id": "t", "type": "function", "function": {"name": "Read", "arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "t", "content": RESULT},
    {"role": "assistant", "content": BLOCKS[3]["content"][0]["text"]},
]
CODEX = [
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Find the bug"}]},
    {"type": "function_call", "name": "Read", "arguments": "{}", "call_id": "t"},
    {"type": "function_call_output", "call_id": "t", "output": RESULT},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": CHAT[3]["content"]}]},
]
META = {"function_name": "Read", "tool_call_id": "t"}
OPENHANDS = [
    {"source": "user", "action": "message", "args": {"content": "Find the bug"}},
    {"source": "agent", "action": "read", "args": {"path": "src/db.py"}, "tool_call_metadata": META},
    {"source": "agent", "observation": "read", "content": RESULT, "tool_call_metadata": META},
    {"source": "agent", "action": "message", "args": {"content": CHAT[3]["content"]}},
]


def lines(rows: list[Any]) -> str:
    return "\n".join(map(json.dumps, rows))


FORMS = {
    "requests of Messages": lines([{"messages": BLOCKS[:1]}, {"messages": BLOCKS}]),
    "requests of chat completions": lines([{"messages": CHAT[:3]}, {"messages": CHAT}]),
    "messages": lines(CHAT),
    "Claude Code": lines([{"type": "summary"}] + [{"type": "user", "message": message} for message in BLOCKS]),
    "Codex": lines([{"type": "session_meta", "payload": {}}] + [{"type": "response_item", "payload": item} for item in CODEX]),
    "SWE-agent": json.dumps({"history": CHAT, "trajectory": []}),
    "mini-swe-agent": json.dumps({"info": {}, "messages": CHAT}),
    "OpenHands": json.dumps(OPENHANDS),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_read_as_the_conversation_that_it_records(form):
    (found,) = [messages for messages in conversations(FORMS[form]) if messages]
    assert [message["role"] for message in found] == ["user", "assistant", "tool", "assistant"]
    assert found[1]["tool_calls"][0]["function"]["name"] == "Read" and found[2]["content"] == RESULT
    first, second = steps(found)
    assert (len(first[0]), len(second[0])) == (1, 3)
    # What the answer used of what the tool gave, and had not been said by the agent itself.
    assert {RESULT, "value_12345"} <= set(second[1])


def test_a_run_that_went_on_from_a_summary_is_two_sessions(tmp_path):
    (tmp_path / "run.jsonl").write_text(lines([*BLOCKS, {"isCompactSummary": True, "message": BLOCKS[0]}, *BLOCKS[1:]]))
    assert [len(session) for session in sessions(tmp_path)] == [2, 2]
    assert [len(session) for session in sessions(tmp_path / "run.jsonl", most=1)] == [1, 1]
