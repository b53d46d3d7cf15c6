"""What a provider answers on each surface: the words or the tool call of a script, whole or as a stream's events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from upstream import Script

Json = dict[str, Any]


def of(path: str) -> Any:
    """The API that has this path."""
    apis = {"/v1/responses": Responses, "/v1/messages": Messages, "/v1/messages/count_tokens": CountTokens}
    return apis.get(path, Chat)


class Chat:
    """Chat completions."""

    @staticmethod
    def whole(script: Script) -> Json:
        if script.tool_call is None:
            message: Json = {"role": "assistant", "content": "".join(script.words)}
        else:
            name, arguments = script.tool_call
            call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
        reason = "stop" if script.tool_call is None else "tool_calls"
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "gpt-4o-mini",
            "choices": [{"index": 0, "message": message, "finish_reason": reason, "logprobs": None}],
            "usage": {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16},
        }

    @staticmethod
    def events(script: Script) -> list[Json]:
        def event(delta: Json, reason: str | None = None) -> Json:
            choice = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}
            base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini"}
            return {**base, "choices": [choice]}

        first = event({"role": "assistant", "content": ""})
        if script.tool_call is None:
            return [first, *(event({"content": word}) for word in script.words), event({}, "stop")]
        name, arguments = script.tool_call
        opened = {"index": 0, "id": "call_1", "type": "function", "function": {"name": name, "arguments": ""}}
        pieces = [{"index": 0, "function": {"arguments": piece}} for piece in _halves(arguments)]
        calls = [event({"tool_calls": [call]}) for call in (opened, *pieces)]
        return [first, *calls, event({}, "tool_calls")]


class Responses:
    """OpenAI's Responses."""

    @staticmethod
    def whole(script: Script) -> Json:
        usage = {"input_tokens": 11, "output_tokens": 5, "total_tokens": 16}
        usage |= {"input_tokens_details": {"cached_tokens": 3}, "output_tokens_details": {"reasoning_tokens": 0}}
        return _response("completed", [_item(script)]) | {"usage": usage}

    @staticmethod
    def events(script: Script) -> list[Json]:
        item = _item(script)
        events: list[Json] = [
            {"type": "response.created", "response": _response("in_progress", [])},
            {"type": "response.output_item.added", "output_index": 0, "item": item | {"status": "in_progress"}},
        ]
        at = {"output_index": 0, "item_id": item["id"]}
        if script.tool_call is None:
            at |= {"content_index": 0}
            part = {"type": "output_text", "text": "", "annotations": []}
            events += [{"type": "response.content_part.added", "part": part, **at}]
            events += [{"type": "response.output_text.delta", "delta": word, "logprobs": [], **at} for word in script.words]
            events += [{"type": "response.output_text.done", "text": "".join(script.words), "logprobs": [], **at}]
            events += [{"type": "response.content_part.done", "part": item["content"][0], **at}]
        else:
            _, arguments = script.tool_call
            events += [
                {"type": "response.function_call_arguments.delta", "delta": piece, **at} for piece in _halves(arguments)
            ]
            events += [{"type": "response.function_call_arguments.done", "arguments": arguments, "name": item["name"], **at}]
        events += [
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": Responses.whole(script)},
        ]
        return [event | {"sequence_number": number} for number, event in enumerate(events)]


def _item(script: Script) -> Json:
    if script.tool_call is None:
        text = {"type": "output_text", "text": "".join(script.words), "annotations": []}
        return {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [text]}
    name, arguments = script.tool_call
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": name, "arguments": arguments}
    return call | {"status": "completed"}


def _response(status: str, output: list[Json]) -> Json:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": status,
        "model": "gpt-5",
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": None,
    }


class Messages:
    """Anthropic's Messages."""

    @staticmethod
    def whole(script: Script) -> Json:
        if script.tool_call is None:
            block: Json = {"type": "text", "text": "".join(script.words)}
        else:
            name, arguments = script.tool_call
            block = {"type": "tool_use", "id": "toolu_1", "name": name, "input": json.loads(arguments)}
        reason = "end_turn" if script.tool_call is None else "tool_use"
        return _opened() | {"content": [block], "stop_reason": reason}

    @staticmethod
    def events(script: Script) -> list[Json]:
        if script.tool_call is None:
            block: Json = {"type": "text", "text": ""}
            deltas = [{"type": "text_delta", "text": word} for word in script.words]
        else:
            name, arguments = script.tool_call
            block = {"type": "tool_use", "id": "toolu_1", "name": name, "input": {}}
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in _halves(arguments)]
        reason = "end_turn" if script.tool_call is None else "tool_use"
        return [
            {"type": "message_start", "message": _opened()},
            {"type": "content_block_start", "index": 0, "content_block": block},
            *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 5}},
            {"type": "message_stop"},
        ]


def _opened() -> Json:
    usage = {"input_tokens": 11, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 2, "output_tokens": 1}
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-5", "content": []}
    return head | {"stop_reason": None, "stop_sequence": None, "usage": usage}


class CountTokens:
    """Counts instead of answering."""

    @staticmethod
    def whole(script: Script) -> Json:
        return {"input_tokens": 123}


def _halves(text: str) -> tuple[str, str]:
    half = len(text) // 2
    return text[:half], text[half:]
