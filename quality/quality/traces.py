"""Recorded runs of agents, as sessions like those of shapes.py.

Read are: requests of chat completions or Messages, one a line (a conversation that grows counts once, at its longest);
messages, one a line, bare or wrapped as Claude Code and pi keep them; Codex's rollouts; .traj files of SWE-agent and
mini-swe-agent; lists of OpenHands' events. All become chat completions: what a tool gave is a message of its own.

A step is what was sent for one answer. What it still needs is what the answer then used of what users and tools had
said: its rarer words and whole lines, as far as the agent had not said them itself before.
"""

import json
import re
from pathlib import Path

WORD = re.compile(r"[A-Za-z_][\w./-]{5,}|\d[\d.:]{3,}")
SHORTEST_LINE = 20


def sessions(path, most=None):
    """The sessions of a file, or of all files below a folder; of each the first `most` steps."""
    path = Path(path)
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    for file in files:
        for messages in conversations(file.read_text(errors="replace")):
            found = steps(messages)[:most]
            if found:
                yield found


def conversations(text):
    """The conversations of a file, each a list of messages."""
    try:
        return whole(json.loads(text))
    except ValueError:
        pass
    rows = [row for line in text.splitlines() if (row := record(line)) is not None]
    if any("messages" in row for row in rows):
        return longest([chat(row) for row in rows if "messages" in row])
    return [plain(talk) for talk in split(rows)]


def record(line):
    """A line that is an object of JSON; others, and those of an agent that another one started, say nothing here."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and not row.get("isSidechain") else None


def whole(found):
    """The conversations of a file that is one value."""
    if isinstance(found, list):
        events = any("observation" in event or "action" in event for event in found if isinstance(event, dict))
        return [openhands(found)] if events else [plain(found)]
    if isinstance(found.get("messages"), list):
        return [chat(found)]
    history = found.get("history") or found.get("trajectory") or found.get("events") or []
    return [openhands(history)] if any("observation" in event for event in history) else [plain(history)]


def chat(request):
    """The messages of a request of chat completions or Messages."""
    system = request.get("system")
    return plain([{"role": "system", "content": system}] * bool(system) + request["messages"])


def longest(found):
    """Of conversations that grow from request to request the last form."""
    kept = []
    for messages in found:
        if kept and messages[: len(kept[-1])] == kept[-1]:
            kept[-1] = messages
        else:
            kept.append(messages)
    return kept


def split(rows):
    """Messages, cut where the agent went on from a summary."""
    talks = [[]]
    for row in rows:
        message = row.get("payload") if row.get("type") == "response_item" else row.get("message", row)
        if row.get("type") == "compaction":
            message = {"role": "user", "content": row.get("summary", "")}
        if row.get("type") == "compaction" or row.get("isCompactSummary"):
            talks.append([])
        if isinstance(message, dict) and ("role" in message or "call_id" in message):
            talks[-1].append(message)
    return talks


def plain(messages):
    """Messages of any of these forms as messages of chat completions."""
    found = []
    for message in messages:
        kind, role, content = message.get("type"), message.get("role"), message.get("content")
        if kind in ("function_call", "custom_tool_call"):
            found.append(called(None, [(message["call_id"], message["name"], message.get("arguments") or message.get("input"))]))
        elif kind in ("function_call_output", "custom_tool_call_output"):
            found.append(told(message["call_id"], message.get("output")))
        elif role in ("tool", "toolResult"):
            ids = message.get("tool_call_ids") or [message.get("tool_call_id") or message.get("toolCallId")]
            found.append(told(ids[0], content))
        elif role == "assistant":
            blocks = content if isinstance(content, list) else []
            calls = [(block["id"], block["name"], block.get("input", block.get("arguments")))
                     for block in blocks if block.get("type") in ("tool_use", "toolCall")]
            for call in message.get("tool_calls") or []:
                if isinstance(call, dict) and "function" in call:
                    calls.append((call.get("id"), call["function"]["name"], call["function"]["arguments"]))
            if calls or said(content):
                found.append(called(said(content), calls))
        elif role in ("user", "system", "developer"):
            blocks = content if isinstance(content, list) else []
            found += [told(block.get("tool_use_id"), block.get("content")) for block in blocks if block.get("type") == "tool_result"]
            if said(content):
                found.append({"role": "user" if role == "user" else "system", "content": said(content)})
    return found


def openhands(events):
    """The messages of OpenHands' events: what the agent does is a call, what comes of it a result."""
    found = []
    for at, event in enumerate(events):
        meta = event.get("tool_call_metadata") or {}
        name, key = meta.get("function_name"), meta.get("tool_call_id") or f"call_{at}"
        arguments = event.get("args") or {}
        if "observation" in event:
            if name or (found and found[-1].get("tool_calls")):
                found.append(told(key if name else found[-1]["tool_calls"][0]["id"], event.get("content")))
        elif event.get("action") in ("message", "system"):
            role = "assistant" if event.get("source") == "agent" and event["action"] == "message" else "user"
            found.append({"role": role, "content": arguments.get("content") or event.get("message") or ""})
        elif event.get("source") == "agent" and event.get("action"):
            rest = {field: value for field, value in arguments.items() if field != "thought" and value}
            found.append(called(arguments.get("thought"), [(key, name or event["action"], rest)]))
    return [message for message in found if message.get("content") or message.get("tool_calls")]


def called(text, calls):
    """What the agent says and calls."""
    message = {"role": "assistant", "content": text or None}
    if calls:
        message["tool_calls"] = [
            {"id": key or f"call_{at}", "type": "function",
             "function": {"name": name, "arguments": given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)}}
            for at, (key, name, given) in enumerate(calls)
        ]
    return message


def told(key, content):
    """What a tool gave."""
    return {"role": "tool", "tool_call_id": key or "call_0", "content": said(content) or ""}


def said(content):
    """The text of a message's content."""
    if isinstance(content, list):
        parts = (block.get("text") for block in content if isinstance(block, dict) and block.get("type", "text") in
                 ("text", "input_text", "output_text"))
        return "\n".join(part for part in parts if part)
    return content if isinstance(content, str) else json.dumps(content) if content else ""


def steps(messages):
    """Each request of a conversation, and what its answer used."""
    found, told_words, told_lines, own = [], set(), set(), set()
    for at, message in enumerate(messages):
        text = message.get("content") or ""
        if message["role"] == "assistant":
            text += "\n" + "\n".join(written(message))
            if at and messages[at - 1]["role"] != "assistant":
                words = {word for word in WORD.findall(text) if word in told_words and word not in own}
                lines = {line for line in map(str.strip, text.splitlines()) if line in told_lines and line not in own}
                found.append((messages[:at], sorted(words | lines)))
        if message["role"] in ("user", "tool"):
            told_words.update(WORD.findall(text))
            told_lines.update(line for line in map(str.strip, text.splitlines()) if len(line) >= SHORTEST_LINE)
        else:
            own.update(WORD.findall(text))
            own.update(map(str.strip, text.splitlines()))
    return [step for step in found if any(message["role"] == "user" for message in step[0])]


def written(message):
    """The strings among the arguments of calls."""
    for call in message.get("tool_calls") or []:
        given = call["function"]["arguments"]
        try:
            yield from strings(json.loads(given))
        except ValueError:
            yield given


def strings(value):
    """The strings in a value of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from strings(part)
